//! What only Linux has: the descriptor behind a SOCKET, and which backend serves it.

use std::os::fd::RawFd;

use windows_sys::Win32::Networking::WinSock::SOCKET;

use crate::backend;
use crate::object;

/// The descriptor behind a socket, for code that needs one (OpenSSL's `SSL_set_fd`). It stays the
/// socket's: do not close it. `None` for what is no socket or has no descriptor yet.
///
/// It is non-blocking whatever FIONBIO says, and `AcceptEx` gives the accept socket a new one.
pub fn socket_fd(s: SOCKET) -> Option<RawFd> {
    object::socket(s).ok().and_then(|socket| socket.lock().fd)
}

/// The backend of this process: `epoll`, or `fake` for the scripted kernel of the tests. `Err`
/// holds the value of `WINSOCK_BACKEND` that names none.
pub fn backend() -> Result<&'static str, &'static str> {
    backend::choice().map(backend::Choice::name)
}

/// Whether some listener has connections in its backlog that wait for a free descriptor.
pub fn accepts_are_starved() -> bool {
    backend::is_starved()
}
