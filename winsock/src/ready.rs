//! What the models of readiness have in common: sockets in a set, and what is told of them.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use crate::error::Error;
use crate::listener::Listener;
use crate::socket::Socket;
use crate::tcp::TcpSocket;
use crate::udp::UdpSocket;

slotmap::new_key_type! {
    /// Names a socket in the set that it is in.
    ///
    /// It may be kept for ever: after the socket has been removed it names nothing.
    pub struct Key;
}

/// What a program wants to hear of a socket, besides that its connect has failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interest(u8);

impl Interest {
    /// Nothing.
    pub const NONE: Interest = Interest(0);
    /// That a receive or an accept would not wait.
    pub const READ: Interest = Interest(1);
    /// That a send would not wait; also that a connect has succeeded.
    pub const WRITE: Interest = Interest(2);

    /// Whether this includes all of `other`.
    pub const fn contains(self, other: Interest) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = *self | other;
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Interest::READ => "READ",
            Interest::WRITE => "WRITE",
            Interest::NONE => "NONE",
            _ => "READ | WRITE",
        })
    }
}

/// What a set has to tell of one socket.
///
/// It is a hint: another call may have been quicker, or the datagram that has come may be found
/// damaged. So the call may still fail with [`Error::WOULD_BLOCK`], and the socket is told of again
/// when there is something. Whoever takes only a part, or nothing, is told again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Whose.
    pub key: Key,
    /// A receive, or an accept, would not wait: there is data, or a connection; or the stream has
    /// ended, or the connection failed, and the receive will say so.
    pub readable: bool,
    /// A send would not wait; if the socket was being connected, it is.
    pub writable: bool,
    /// The connect that was under way has failed.
    pub failed: Option<Error>,
}

/// What a set hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<M> {
    /// A socket is ready.
    Ready(Ready),
    /// A [`Poster`](crate::Poster) has posted this.
    Post(M),
}

/// What goes into a set.
#[derive(Debug)]
pub enum AnySocket {
    /// A TCP socket, connected or being connected.
    Tcp(TcpSocket),
    /// A UDP socket.
    Udp(UdpSocket),
    /// A listener.
    Listener(Listener),
}

impl AnySocket {
    pub(crate) fn socket(&self) -> &Socket {
        match self {
            AnySocket::Tcp(socket) => &socket.socket,
            AnySocket::Udp(socket) => &socket.socket,
            AnySocket::Listener(listener) => &listener.socket,
        }
    }
}

impl From<TcpSocket> for AnySocket {
    fn from(socket: TcpSocket) -> AnySocket {
        AnySocket::Tcp(socket)
    }
}

impl From<UdpSocket> for AnySocket {
    fn from(socket: UdpSocket) -> AnySocket {
        AnySocket::Udp(socket)
    }
}

impl From<Listener> for AnySocket {
    fn from(listener: Listener) -> AnySocket {
        AnySocket::Listener(listener)
    }
}

/// A socket that a set did not take, with its token, and why.
pub struct Rejected<T> {
    /// The socket.
    pub socket: AnySocket,
    /// Its token.
    pub token: T,
    /// [`Error::NO_BUFFER_SPACE`] if the set is full, or what the system says.
    pub error: Error,
}

impl<T> Rejected<T> {
    /// Whether the set is full, and another would do.
    pub fn is_full(&self) -> bool {
        self.error == Error::NO_BUFFER_SPACE
    }
}

impl<T> From<Rejected<T>> for Error {
    fn from(rejected: Rejected<T>) -> Error {
        rejected.error
    }
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the set did not take the socket: {}", self.error)
    }
}

impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("socket", &self.socket)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> std::error::Error for Rejected<T> {}
