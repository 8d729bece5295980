//! Listening for TCP connections.

use std::net::{SocketAddr, ToSocketAddrs};

use winsock_sys::Win32::Networking::WinSock as ws;

use crate::address::family;
use crate::error::{Error, Result, winsock};
use crate::socket::{Socket, call_len, common_methods};
use crate::tcp::{TcpSocket, first};

/// A socket that listens for TCP connections.
///
/// [`accept`](Listener::accept) waits for one; [`Operations::accept`](crate::Operations::accept)
/// has it delivered. With the latter, connections for which no accept is posted wait in the
/// backlog, at no cost: a server at its limit simply posts none.
///
/// Dropping the listener ends its pending accepts as aborted. Connections accepted before stay.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: Socket,
    family: ws::ADDRESS_FAMILY,
}

impl Listener {
    /// Listens at the first of `address` that can be bound, with the longest backlog the system
    /// grants. To set options first: [`TcpSocket::bind`] and [`TcpSocket::listen`].
    ///
    /// [`listen`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-listen)
    pub fn bind(address: impl ToSocketAddrs) -> Result<Listener> {
        first(address, |address| {
            let socket = TcpSocket::for_address(address)?;
            socket.bind(address)?;
            socket.listen(u32::MAX)
        })
    }

    pub(crate) fn from_bound(socket: Socket, backlog: u32) -> Result<Listener> {
        // A backlog of SOMAXCONN, 0x7fffffff in winsock2.h, leaves the number to the system.
        let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
        // SAFETY: no memory is passed.
        winsock(unsafe { ws::listen(socket.raw(), backlog) })?;
        let family = family(&socket.local_addr()?);
        Ok(Listener { socket, family })
    }

    /// Waits for a connection. It inherits the listener's options, and is non-blocking if the
    /// listener is (rule 74).
    ///
    /// [`accept`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-accept)
    pub fn accept(&self) -> Result<(TcpSocket, SocketAddr)> {
        let (socket, peer) = self.socket.accept()?;
        Ok((TcpSocket { socket }, peer))
    }

    /// The address family of the connections.
    pub(crate) fn family(&self) -> ws::ADDRESS_FAMILY {
        self.family
    }

    common_methods!();
}
