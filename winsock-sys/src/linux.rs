//! What only Linux has: the descriptor behind a SOCKET, and which backend serves it.

use std::fs::File;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

use windows_sys::Win32::Foundation::{HANDLE, HMODULE};
use windows_sys::Win32::Networking::WinSock::SOCKET;
use windows_sys::Win32::System::Threading::PTP_CALLBACK_INSTANCE;
use windows_sys::core::BOOL;

use crate::backend;
use crate::files;
use crate::object;
use crate::pool::item::Instance;

pub use crate::adapters::adapters_addresses_utf32;

/// The descriptor behind a socket, for code that needs one (OpenSSL's `SSL_set_fd`). It stays the
/// socket's: do not close it. `None` for what is no socket or has no descriptor yet.
///
/// It is non-blocking whatever FIONBIO says, and `AcceptEx` gives the accept socket a new one.
pub fn socket_fd(s: SOCKET) -> Option<RawFd> {
    object::socket(s).ok().and_then(|socket| socket.lock().fd)
}

/// A HANDLE for a descriptor, to be read, written and closed as one of CreateFile's. NULL when
/// there are too many handles.
pub fn file_handle(descriptor: OwnedFd) -> HANDLE {
    files::handle_of(descriptor)
}

/// The file behind a HANDLE that CreateFile or [`file_handle`] made, under a descriptor of its own.
pub fn file_of(file: HANDLE) -> Option<File> {
    files::with_file(file, |file| file.try_clone().map_err(|error| files::code_of(&error))).ok()
}

/// The path that a program names as on Windows: with backslashes, perhaps with a drive in front.
pub fn path(name: &str) -> PathBuf {
    files::path(name)
}

/// The backend of this process: `epoll`, `uring`, or `fake` for the tests' scripted kernel. `Err`
/// holds the value of `WINSOCK_BACKEND` that names none.
pub fn backend() -> Result<&'static str, &'static str> {
    backend::choice().map(backend::Choice::name)
}

/// Whether some listener has connections in its backlog that wait for a free descriptor.
pub fn accepts_are_starved() -> bool {
    backend::is_starved()
}

/// Calls `release` with `library` when a pool's callback has returned: for a FreeLibrary that
/// belongs to the C library.
///
/// # Safety
/// The instance is that of the callback that calls this; `release` may be called then.
pub unsafe fn release_when_callback_returns(
    instance: PTP_CALLBACK_INSTANCE,
    release: unsafe extern "C" fn(HMODULE) -> BOOL,
    library: HMODULE,
) {
    // SAFETY: our caller vouches for it.
    let instance = unsafe { Instance::of(instance) };
    instance.on_return.borrow_mut().library = Some((release, library));
}

/// Whether io_uring works here, under the filters of this process: a ring is set up, does nothing,
/// and receives a byte.
pub fn probe_ring() -> std::io::Result<()> {
    backend::probe_ring()
}

/// How often a ring's queue of completions was too small for what the kernel had to say. Nothing is
/// lost by that.
pub fn ring_overflows() -> u64 {
    backend::overflows()
}
