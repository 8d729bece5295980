//! Starting operations, with whichever model reports their ends.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use crate::buffer::Buffer;
#[cfg(doc)]
use crate::completion::Completion;
#[cfg(doc)]
use crate::error::Error;
use crate::file::File;
use crate::issue;
use crate::listener::Listener;
use crate::model::Model;
use crate::overlapped_set::OverlappedSet;
use crate::port::Port;
use crate::routines::Routines;
use crate::tcp::TcpSocket;
use crate::udp::UdpSocket;

/// Names one operation, for [`Operations::cancel`].
///
/// It may be kept for ever: after the operation has ended it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    pub(crate) model: u32,
    pub(crate) record: *mut (),
    pub(crate) phase: u64,
}

// SAFETY: the pointer is followed only by the model that the ticket is of, which knows its own.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

/// What a program can start, with `T` for tokens and `B` for buffers.
///
/// The three models of completion have this in common: [`Port`](crate::Port),
/// [`OverlappedSet`](crate::OverlappedSet) and [`Routines`](crate::Routines). They differ in how
/// the program hears of the [`Completion`](crate::Completion)s, and a handler that only starts
/// operations works with each of them:
///
/// ```
/// use std::sync::Arc;
/// use winsock::{Completion, Operations, TcpSocket};
///
/// /// What follows on a completion in an echo server.
/// fn turn(model: &impl Operations<Arc<TcpSocket>>, completion: Completion<Arc<TcpSocket>>) {
///     match completion {
///         Completion::Recv { token: client, buf, result: Ok(1..) } => {
///             model.send(&client, buf, client.clone());
///         }
///         Completion::Send { token: client, buf, result: Ok(_) } => {
///             model.recv(&client, buf, client.clone());
///         }
///         over => drop(over),
///     }
/// }
/// ```
///
/// Starting never fails and never blocks. An operation that the system refuses at once, because the
/// socket is not connected, say, completes like all others, with that error: there is one place to
/// handle errors, and the buffer comes back there.
///
/// This trait is not for implementing: it is sealed.
pub trait Operations<T, B: Buffer = Vec<u8>>: Sealed {
    /// Receives into `buf` what comes next on a connection, at least one byte; 0 is the end of the
    /// stream. Completes as [`Completion::Recv`].
    ///
    /// Several receives fill their buffers in the order in which they were started (rule 58). One
    /// with an empty buffer completes when there is something to receive, and leaves it there
    /// (rule 60): so a thousand idle connections need not hold a thousand buffers.
    ///
    /// [`WSARecv`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv)
    fn recv(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket;

    /// Receives what comes next on a connection into memory that the library lends. Completes as
    /// [`Completion::RecvLent`].
    ///
    /// No memory is set aside before something has come, so a silent connection costs none, and all
    /// that a thread handles goes through a few blocks that stay in its cache: a server of many
    /// connections receives like this. It is a receive with an empty buffer (see
    /// [`recv`](Operations::recv)) and one that does not wait, which follows when the completion is
    /// handed out. So:
    ///
    /// - The socket is [non-blocking](TcpSocket::set_nonblocking) from the first of these on. Its
    ///   [`send`](TcpSocket::send) takes what there is room for at once; the rest is for
    ///   [`Operations::send`].
    /// - One at a time on a socket, and no other receives besides: [`Error::WOULD_BLOCK`] when
    ///   somebody else has taken what had come.
    /// - The socket stays open until the completion is handed out; the token may own it.
    fn recv_lent(&self, socket: &TcpSocket, token: T) -> Ticket;

    /// Sends all of `buf` on a connection. Completes as [`Completion::Send`].
    ///
    /// Several sends go out in the order in which they were started.
    ///
    /// [`WSASend`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasend)
    fn send(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket;

    /// Receives a datagram. Completes as [`Completion::RecvFrom`]; one that is longer than `buf` is
    /// cut off, which is the error [`Error::MESSAGE_TOO_LONG`] with the buffer full (rule 64).
    ///
    /// [`WSARecvFrom`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom)
    fn recv_from(&self, socket: &UdpSocket, buf: B, token: T) -> Ticket;

    /// Sends `buf` as one datagram. Completes as [`Completion::SendTo`].
    ///
    /// [`WSASendTo`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendto)
    fn send_to(&self, socket: &UdpSocket, buf: B, to: SocketAddr, token: T) -> Ticket;

    /// Takes the next connection. Completes as [`Completion::Accept`].
    ///
    /// A server keeps some accepts posted and starts one for each that completes; with none posted,
    /// connections wait in the backlog.
    ///
    /// [`AcceptEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-acceptex)
    fn accept(&self, listener: &Listener, token: T) -> Ticket;

    /// Like [`accept`](Operations::accept), with a socket that is not connected: one with options
    /// set, or one from [`Completion::Disconnect`].
    fn accept_into(&self, listener: &Listener, socket: TcpSocket, token: T) -> Ticket;

    /// Connects a new socket. Completes as [`Completion::Connect`].
    ///
    /// [`ConnectEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex)
    fn connect(&self, to: SocketAddr, token: T) -> Ticket;

    /// Like [`connect`](Operations::connect), with a socket that is not connected: one with options
    /// set or bound to an address, or one from [`Completion::Disconnect`].
    fn connect_from(&self, socket: TcpSocket, to: SocketAddr, token: T) -> Ticket;

    /// Ends a connection gracefully and makes its socket fit for another. Completes as
    /// [`Completion::Disconnect`].
    ///
    /// [`DisconnectEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex)
    fn disconnect(&self, socket: TcpSocket, token: T) -> Ticket;

    /// Sends a part of a file on a connection. Completes as [`Completion::Transmit`].
    ///
    /// The part must not be empty, and not longer than 2,147,483,646 bytes.
    ///
    /// [`TransmitFile`](https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-transmitfile)
    fn transmit(&self, socket: &TcpSocket, file: Arc<File>, part: Range<u64>, token: T) -> Ticket;

    /// Cancels one operation; `false` if it has ended, or was never of this model.
    ///
    /// It still completes: with [`Error::OPERATION_ABORTED`], unless it was quicker.
    ///
    /// [`CancelIoEx`](https://learn.microsoft.com/windows/win32/fileio/cancelioex-func)
    fn cancel(&self, ticket: Ticket) -> bool;

    /// How many operations were started and have not been fetched from the system by a wait. Looks
    /// at every record: for shutting down, and for statistics.
    fn in_flight(&self) -> usize;
}

/// Keeps the trait ours.
pub trait Sealed {}

/// Leads each operation to the function that issues it.
macro_rules! operations {
    ($model:ident) => {
        impl<T, B: Buffer> Sealed for $model<T, B> {}

        impl<T, B: Buffer> Operations<T, B> for $model<T, B> {
            #[inline]
            fn recv(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket {
                issue::recv(self, socket, buf, token)
            }

            #[inline]
            fn recv_lent(&self, socket: &TcpSocket, token: T) -> Ticket {
                issue::recv_lent(self, socket, token)
            }

            #[inline]
            fn send(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket {
                issue::send(self, socket, buf, token)
            }

            #[inline]
            fn recv_from(&self, socket: &UdpSocket, buf: B, token: T) -> Ticket {
                issue::recv_from(self, socket, buf, token)
            }

            #[inline]
            fn send_to(&self, socket: &UdpSocket, buf: B, to: SocketAddr, token: T) -> Ticket {
                issue::send_to(self, socket, buf, to, token)
            }

            #[inline]
            fn accept(&self, listener: &Listener, token: T) -> Ticket {
                issue::accept(self, listener, token)
            }

            #[inline]
            fn accept_into(&self, listener: &Listener, socket: TcpSocket, token: T) -> Ticket {
                issue::accept_into(self, listener, socket, token)
            }

            #[inline]
            fn connect(&self, to: SocketAddr, token: T) -> Ticket {
                issue::connect(self, to, token)
            }

            #[inline]
            fn connect_from(&self, socket: TcpSocket, to: SocketAddr, token: T) -> Ticket {
                issue::connect_from(self, socket, to, token)
            }

            #[inline]
            fn disconnect(&self, socket: TcpSocket, token: T) -> Ticket {
                issue::disconnect(self, socket, token)
            }

            #[inline]
            fn transmit(
                &self,
                socket: &TcpSocket,
                file: Arc<File>,
                part: Range<u64>,
                token: T,
            ) -> Ticket {
                issue::transmit(self, socket, file, part, token)
            }

            fn cancel(&self, ticket: Ticket) -> bool {
                self.records().cancel(ticket)
            }

            fn in_flight(&self) -> usize {
                self.records().pool.in_flight()
            }
        }
    };
}

operations!(Port);
operations!(OverlappedSet);
operations!(Routines);
