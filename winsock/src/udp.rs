//! Datagrams.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use winsock_sys::Win32::Networking::WinSock as ws;

use crate::address::{Address, family};
use crate::error::{Error, Result, winsock};
use crate::socket::{ASKED, Socket, call_len, common_methods};
use crate::tcp::first;

/// A UDP socket.
///
/// Its own methods block; operations that do not are
/// [`Operations::recv_from`](crate::Operations::recv_from) and
/// [`Operations::send_to`](crate::Operations::send_to).
///
/// As on Windows, a receive fails with [`Error::CONNECTION_RESET`] after a datagram sent from the
/// socket met a closed port (rule 65); [`set_connreset`](UdpSocket::set_connreset) turns that off.
#[derive(Debug)]
pub struct UdpSocket {
    pub(crate) socket: Socket,
}

impl UdpSocket {
    /// A socket bound to the first of `address` that can be.
    ///
    /// [`bind`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-bind)
    pub fn bind(address: impl ToSocketAddrs) -> Result<UdpSocket> {
        first(address, |address| {
            let socket = Socket::datagram(family(&address))?;
            socket.bind(address)?;
            Ok(UdpSocket { socket })
        })
    }

    /// Takes over a socket handle.
    ///
    /// # Safety
    /// `raw` is an open UDP socket made with `WSA_FLAG_OVERLAPPED`, which nobody else closes and
    /// which is not tied to a completion port.
    pub unsafe fn from_raw(raw: ws::SOCKET) -> UdpSocket {
        UdpSocket { socket: Socket::from_raw(raw) }
    }

    /// Waits for a datagram and tells who sent it. One that is longer than `buf` is cut off, which
    /// is the error [`Error::MESSAGE_TOO_LONG`] (rule 64).
    ///
    /// [`recvfrom`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-recvfrom)
    pub fn recv_from(&self, buf: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.socket.mark(ASKED);
        let mut from = Address::empty();
        let (name, len) = (from.as_mut_ptr(), from.len_mut());
        let room = call_len(buf.len());
        // SAFETY: pointer and length are those of `buf`; `from` has room for address and length.
        let got = winsock(unsafe {
            ws::recvfrom(self.socket.raw(), buf.as_mut_ptr(), room, 0, name, len)
        })?;
        Ok((got as usize, from.to_socket_addr()?))
    }

    /// Sends one datagram.
    ///
    /// [`sendto`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-sendto)
    pub fn send_to(&self, buf: &[u8], to: SocketAddr) -> Result<usize> {
        let to = Address::from(to);
        let (raw, len) = (self.socket.raw(), call_len(buf.len()));
        // SAFETY: pointers and lengths are those of `buf` and of `to`.
        let sent = unsafe { ws::sendto(raw, buf.as_ptr(), len, 0, to.as_ptr(), to.len()) };
        self.socket.sent(sent)
    }

    /// Takes datagrams from `peer` only, and lets [`send`](UdpSocket::send) go there.
    pub fn connect(&self, peer: SocketAddr) -> Result<()> {
        self.socket.connect(peer)
    }

    /// Waits for a datagram; see [`recv_from`](UdpSocket::recv_from).
    pub fn recv(&self, buf: &mut [u8]) -> Result<usize> {
        self.socket.recv(buf)
    }

    /// Sends one datagram to the peer set with [`connect`](UdpSocket::connect).
    pub fn send(&self, buf: &[u8]) -> Result<usize> {
        self.socket.send(buf)
    }

    /// Whether "port unreachable" fails the next receive
    /// ([`SIO_UDP_CONNRESET`](https://learn.microsoft.com/windows/win32/winsock/winsock-ioctls);
    /// on at first).
    pub fn set_connreset(&self, on: bool) -> Result<()> {
        self.socket.ioctl(ws::SIO_UDP_CONNRESET, i32::from(on))
    }

    /// Allows sending to broadcast addresses (`SO_BROADCAST`).
    pub fn set_broadcast(&self, on: bool) -> Result<()> {
        self.socket.set_flag(ws::SOL_SOCKET, ws::SO_BROADCAST, on)
    }

    /// How long a blocking receive waits before it fails with [`Error::TIMED_OUT`]; `None` is for
    /// ever.
    pub fn read_timeout(&self) -> Result<Option<Duration>> {
        self.socket.timeout(ws::SO_RCVTIMEO)
    }

    /// Sets [`read_timeout`](UdpSocket::read_timeout); it must not be zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_timeout(ws::SO_RCVTIMEO, timeout)
    }

    common_methods!();
}
