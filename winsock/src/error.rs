//! The one error type: a Windows Sockets code, under its name.

use std::fmt;
use std::io;

use winsock_sys::Win32::Foundation::{
    ERROR_ABANDONED_WAIT_0, ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_PATH_NOT_FOUND, GetLastError, NTSTATUS,
    STATUS_ACCESS_DENIED, STATUS_ACCESS_VIOLATION, STATUS_ADDRESS_ALREADY_EXISTS,
    STATUS_ADDRESS_CLOSED, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_ACTIVE, STATUS_CONNECTION_DISCONNECTED,
    STATUS_CONNECTION_INVALID, STATUS_CONNECTION_REFUSED, STATUS_CONNECTION_RESET,
    STATUS_GRACEFUL_DISCONNECT, STATUS_HANDLES_CLOSED, STATUS_HOPLIMIT_EXCEEDED,
    STATUS_HOST_UNREACHABLE, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_ADDRESS_COMPONENT,
    STATUS_INVALID_CONNECTION, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER, STATUS_IO_TIMEOUT,
    STATUS_LOCAL_DISCONNECT, STATUS_NETWORK_NAME_DELETED, STATUS_NETWORK_UNREACHABLE,
    STATUS_NO_MEMORY, STATUS_NOT_SUPPORTED, STATUS_OBJECT_TYPE_MISMATCH, STATUS_PORT_UNREACHABLE,
    STATUS_PROTOCOL_UNREACHABLE, STATUS_REMOTE_DISCONNECT, STATUS_TOO_MANY_ADDRESSES,
};
use winsock_sys::Win32::Networking::WinSock as ws;

/// What every fallible call here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A Windows Sockets error code, the same on both systems.
///
/// It prints as Windows spells it and converts into [`std::io::Error`] with the fitting
/// [`kind`](Error::kind):
///
/// ```
/// let error = winsock::Error::CONNECTION_RESET;
/// assert_eq!(error.to_string(), "WSAECONNRESET (10054): the peer reset the connection");
/// assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::ConnectionReset);
/// ```
///
/// An operation's end is told as Winsock tells it, not as `GetQueuedCompletionStatus` would: a
/// reset is `WSAECONNRESET`, not `ERROR_NETNAME_DELETED`. The codes:
/// [Windows Sockets error codes](https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    code: i32,
}

impl Error {
    /// `WSA_OPERATION_ABORTED`: the operation was cancelled, or its socket was closed under it.
    pub const OPERATION_ABORTED: Error = Error::from_code(ws::WSA_OPERATION_ABORTED);
    /// `WSAECONNABORTED`: the connection ended on this side; closing a connected socket ends its
    /// pending receives with this code or with [`OPERATION_ABORTED`](Error::OPERATION_ABORTED).
    pub const CONNECTION_ABORTED: Error = Error::from_code(ws::WSAECONNABORTED);
    /// `WSAECONNRESET`: the peer reset the connection.
    pub const CONNECTION_RESET: Error = Error::from_code(ws::WSAECONNRESET);
    /// `WSAECONNREFUSED`: nobody listens there.
    pub const CONNECTION_REFUSED: Error = Error::from_code(ws::WSAECONNREFUSED);
    /// `WSAEADDRINUSE`: the address is taken.
    pub const ADDRESS_IN_USE: Error = Error::from_code(ws::WSAEADDRINUSE);
    /// `WSAEINVAL`: an argument, or the state of the socket, does not allow the call.
    pub const INVALID: Error = Error::from_code(ws::WSAEINVAL);
    /// `WSAEMFILE`: the process may open no more sockets.
    pub const TOO_MANY_SOCKETS: Error = Error::from_code(ws::WSAEMFILE);
    /// `WSAEMSGSIZE`: a datagram was longer than the buffer, or data is longer than one call takes.
    pub const MESSAGE_TOO_LONG: Error = Error::from_code(ws::WSAEMSGSIZE);
    /// `WSAENOBUFS`: the system has no more room, or a set is full.
    pub const NO_BUFFER_SPACE: Error = Error::from_code(ws::WSAENOBUFS);
    /// `WSAENOTCONN`: the socket is not connected.
    pub const NOT_CONNECTED: Error = Error::from_code(ws::WSAENOTCONN);
    /// `WSAETIMEDOUT`: the time was up.
    pub const TIMED_OUT: Error = Error::from_code(ws::WSAETIMEDOUT);
    /// `WSAEWOULDBLOCK`: a non-blocking call has nothing to do now.
    pub const WOULD_BLOCK: Error = Error::from_code(ws::WSAEWOULDBLOCK);

    /// The error with this code, which need not be a known one.
    pub const fn from_code(code: i32) -> Error {
        Error { code }
    }

    /// The code, as `WSAGetLastError` gives it.
    pub const fn code(self) -> i32 {
        self.code
    }

    /// The name of the code in Windows' headers, if it is one of a socket's.
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// The standard library's word for it.
    pub fn kind(self) -> io::ErrorKind {
        self.row().map_or(io::ErrorKind::Other, |row| row.kind)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.code == self.code)
    }

    /// What the last Winsock call of this thread failed with.
    pub(crate) fn last() -> Error {
        // SAFETY: reads a thread-local value.
        Error { code: unsafe { ws::WSAGetLastError() } }
    }

    /// What the last Win32 call of this thread failed with.
    pub(crate) fn last_win32() -> Error {
        // SAFETY: reads a thread-local value.
        Error { code: unsafe { GetLastError() } as i32 }
    }

    /// Winsock's view of how an operation failed.
    #[cold]
    pub(crate) fn from_status(status: NTSTATUS) -> Error {
        let known = STATUSES.iter().find(|(row, _)| *row == status);
        Error { code: known.map_or(ws::WSAEINVAL, |(_, code)| *code) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => write!(f, "{} ({}): {}", row.name, row.code, row.text),
            None => write!(f, "Windows error {}", self.code),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => write!(f, "Error({} = {})", row.name, row.code),
            None => write!(f, "Error({})", self.code),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// Turns what a Winsock function returned into a result: `SOCKET_ERROR` means "ask the last error".
pub(crate) fn winsock(result: i32) -> Result<i32> {
    if result == ws::SOCKET_ERROR { Err(Error::last()) } else { Ok(result) }
}

struct Row {
    code: i32,
    name: &'static str,
    kind: io::ErrorKind,
    text: &'static str,
}

macro_rules! rows {
    ($($constant:path, $kind:ident, $text:literal;)*) => {
        &[$(Row {
            code: $constant as i32,
            name: last_word(stringify!($constant)),
            kind: io::ErrorKind::$kind,
            text: $text,
        }),*]
    };
}

/// `ws::WSAEINTR`, or the same with spaces, without its path.
const fn last_word(path: &'static str) -> &'static str {
    let bytes = path.as_bytes();
    let mut start = bytes.len();
    while start > 0 && bytes[start - 1] != b':' && bytes[start - 1] != b' ' {
        start -= 1;
    }
    path.split_at(start).1
}

const ROWS: &[Row] = rows! {
    ERROR_FILE_NOT_FOUND, NotFound, "no such file";
    ERROR_PATH_NOT_FOUND, NotFound, "no such folder";
    ERROR_ACCESS_DENIED, PermissionDenied, "not permitted";
    ERROR_INVALID_HANDLE, InvalidInput, "the handle is not open";
    ERROR_NOT_ENOUGH_MEMORY, OutOfMemory, "the system is out of memory";
    ERROR_INVALID_PARAMETER, InvalidInput, "an argument is not allowed here";
    ERROR_ABANDONED_WAIT_0, Other, "the completion port was closed";
    ws::WSA_OPERATION_ABORTED, Interrupted, "the operation was cancelled";
    ws::WSA_IO_INCOMPLETE, WouldBlock, "the operation is still under way";
    ws::WSAEINTR, Interrupted, "the blocking call was cancelled";
    ws::WSAEACCES, PermissionDenied, "not permitted";
    ws::WSAEFAULT, InvalidInput, "bad pointer or too little room";
    ws::WSAEINVAL, InvalidInput, "an argument or the socket's state does not allow this";
    ws::WSAEMFILE, Other, "the process may open no more sockets";
    ws::WSAEWOULDBLOCK, WouldBlock, "the socket is not ready";
    ws::WSAEINPROGRESS, WouldBlock, "a blocking call is in progress";
    ws::WSAEALREADY, WouldBlock, "the operation is under way already";
    ws::WSAENOTSOCK, InvalidInput, "not a socket, or not any more";
    ws::WSAEDESTADDRREQ, InvalidInput, "the datagram has no destination";
    ws::WSAEMSGSIZE, InvalidInput, "the message is longer than there is room";
    ws::WSAEPROTOTYPE, InvalidInput, "this type of socket has another protocol";
    ws::WSAENOPROTOOPT, InvalidInput, "no such socket option";
    ws::WSAEPROTONOSUPPORT, Unsupported, "the protocol is not available";
    ws::WSAESOCKTNOSUPPORT, Unsupported, "this type of socket is not available";
    ws::WSAEOPNOTSUPP, Unsupported, "this socket cannot do that";
    ws::WSAEPFNOSUPPORT, Unsupported, "the protocol family is not available";
    ws::WSAEAFNOSUPPORT, Unsupported, "the address family is not available here";
    ws::WSAEADDRINUSE, AddrInUse, "the address is in use";
    ws::WSAEADDRNOTAVAIL, AddrNotAvailable, "the address is not one of this machine";
    ws::WSAENETDOWN, NetworkDown, "the network is down";
    ws::WSAENETUNREACH, NetworkUnreachable, "the network cannot be reached";
    ws::WSAENETRESET, ConnectionReset, "the connection was found dead, or the datagram expired";
    ws::WSAECONNABORTED, ConnectionAborted, "the connection was given up on this side";
    ws::WSAECONNRESET, ConnectionReset, "the peer reset the connection";
    ws::WSAENOBUFS, OutOfMemory, "no buffer space is left, or a queue is full";
    ws::WSAEISCONN, InvalidInput, "the socket is connected already";
    ws::WSAENOTCONN, NotConnected, "the socket is not connected";
    ws::WSAESHUTDOWN, BrokenPipe, "this direction of the connection was shut down";
    ws::WSAETIMEDOUT, TimedOut, "the time was up";
    ws::WSAECONNREFUSED, ConnectionRefused, "nobody listens there";
    ws::WSAEHOSTDOWN, HostUnreachable, "the host is down";
    ws::WSAEHOSTUNREACH, HostUnreachable, "the host cannot be reached";
    ws::WSASYSNOTREADY, Other, "the network subsystem is not ready";
    ws::WSAVERNOTSUPPORTED, Unsupported, "this version of Winsock is not available";
    ws::WSANOTINITIALISED, Other, "Winsock was not started";
    ws::WSAEDISCON, NotConnected, "the peer has begun to disconnect";
    ws::WSAHOST_NOT_FOUND, NotFound, "no such host";
    ws::WSATRY_AGAIN, NotFound, "the name could not be resolved now";
    ws::WSANO_RECOVERY, Other, "the name service failed";
    ws::WSANO_DATA, NotFound, "the name has no such address";
};

/// What a socket's operations can end with. Others become `WSAEINVAL`, as in
/// `WSAGetOverlappedResult`.
const STATUSES: &[(NTSTATUS, i32)] = &[
    (STATUS_CANCELLED, ws::WSA_OPERATION_ABORTED),
    // Wine's word for a socket closed under its operation.
    (STATUS_HANDLES_CLOSED, ws::WSA_OPERATION_ABORTED),
    (STATUS_CONNECTION_RESET, ws::WSAECONNRESET),
    (STATUS_NETWORK_NAME_DELETED, ws::WSAECONNRESET),
    (STATUS_REMOTE_DISCONNECT, ws::WSAECONNRESET),
    (STATUS_CONNECTION_DISCONNECTED, ws::WSAECONNRESET),
    (STATUS_PORT_UNREACHABLE, ws::WSAECONNRESET),
    (STATUS_CONNECTION_ABORTED, ws::WSAECONNABORTED),
    (STATUS_LOCAL_DISCONNECT, ws::WSAECONNABORTED),
    (STATUS_GRACEFUL_DISCONNECT, ws::WSAEDISCON),
    (STATUS_CONNECTION_REFUSED, ws::WSAECONNREFUSED),
    (STATUS_CONNECTION_ACTIVE, ws::WSAEISCONN),
    (STATUS_CONNECTION_INVALID, ws::WSAENOTCONN),
    (STATUS_INVALID_CONNECTION, ws::WSAENOTCONN),
    (STATUS_BUFFER_OVERFLOW, ws::WSAEMSGSIZE),
    (STATUS_BUFFER_TOO_SMALL, ws::WSAEFAULT),
    (STATUS_ACCESS_VIOLATION, ws::WSAEFAULT),
    (STATUS_IO_TIMEOUT, ws::WSAETIMEDOUT),
    (STATUS_HOPLIMIT_EXCEEDED, ws::WSAENETRESET),
    (STATUS_NETWORK_UNREACHABLE, ws::WSAENETUNREACH),
    (STATUS_PROTOCOL_UNREACHABLE, ws::WSAENETUNREACH),
    (STATUS_HOST_UNREACHABLE, ws::WSAEHOSTUNREACH),
    (STATUS_INVALID_ADDRESS_COMPONENT, ws::WSAEADDRNOTAVAIL),
    (STATUS_ADDRESS_CLOSED, ws::WSAEADDRNOTAVAIL),
    (STATUS_ADDRESS_ALREADY_EXISTS, ws::WSAEADDRINUSE),
    (STATUS_TOO_MANY_ADDRESSES, ws::WSAENOBUFS),
    (STATUS_INSUFFICIENT_RESOURCES, ws::WSAENOBUFS),
    (STATUS_NO_MEMORY, ws::WSAENOBUFS),
    (STATUS_ACCESS_DENIED, ws::WSAEACCES),
    (STATUS_NOT_SUPPORTED, ws::WSAEOPNOTSUPP),
    (STATUS_INVALID_HANDLE, ws::WSAENOTSOCK),
    (STATUS_OBJECT_TYPE_MISMATCH, ws::WSAENOTSOCK),
    (STATUS_INVALID_PARAMETER, ws::WSAEINVAL),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts() {
        assert_eq!(Error::INVALID.name(), Some("WSAEINVAL"));
        assert_eq!(Error::from_code(995).name(), Some("WSA_OPERATION_ABORTED"));
        assert_eq!(Error::from_code(87).name(), Some("ERROR_INVALID_PARAMETER"));
        assert_eq!(Error::from_code(4711).to_string(), "Windows error 4711");
        assert_eq!(format!("{:?}", Error::TIMED_OUT), "Error(WSAETIMEDOUT = 10060)");
    }

    #[test]
    fn each_code_has_one_row() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(ROWS[..at].iter().all(|other| other.code != row.code), "{}", row.name);
        }
    }

    #[test]
    fn winsock_view_of_an_end() {
        assert_eq!(Error::from_status(STATUS_CONNECTION_RESET), Error::CONNECTION_RESET);
        assert_eq!(Error::from_status(STATUS_CANCELLED), Error::OPERATION_ABORTED);
        assert_eq!(Error::from_status(-1), Error::INVALID);
    }
}
