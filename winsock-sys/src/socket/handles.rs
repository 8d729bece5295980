//! Opening and closing a socket's handles.

use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAEMFILE, WSAENOTSOCK};

use super::{Form, Socket};
use crate::error::Code;
use crate::handle::Ref;
use crate::object::{Object, SocketRef, TABLE};
use crate::sys;

/// How many sockets there are, with a descriptor or waiting for one.
pub(super) static SOCKETS: AtomicUsize = AtomicUsize::new(0);

/// Whether another socket could have a descriptor. They are made late, but WSAEMFILE is the answer
/// of the call that makes the socket.
fn has_room() -> bool {
    static LIMIT: AtomicUsize = AtomicUsize::new(0);
    let count = SOCKETS.load(Ordering::Relaxed);
    if count <= LIMIT.load(Ordering::Relaxed) {
        return true;
    }
    let limit = sys::descriptor_limit();
    LIMIT.store(limit, Ordering::Relaxed);
    count <= limit
}

/// Opens a handle to a new socket.
pub fn open(form: Form) -> Result<SOCKET, Code> {
    let socket = Socket::new(form);
    if !has_room() {
        return Err(Code::wsa(WSAEMFILE));
    }
    let handle = TABLE.insert(Object::Socket(Box::new(socket))).ok_or(Code::wsa(WSAEMFILE))?;
    if let Some(object) = TABLE.open(handle)
        && let Object::Socket(socket) = &*object
    {
        socket.lock().handle = handle;
    }
    Ok(handle)
}

/// Closes one handle by CloseHandle, which a window that hears of the socket is told (rule 101).
pub fn close_handle(s: SOCKET) -> Result<(), Code> {
    if let Some(socket) = TABLE.open(s).and_then(SocketRef::of) {
        let mut state = socket.lock();
        let is_last = state.handles == 1;
        if let Some(ledger) = state.ledger().filter(|_| is_last) {
            ledger.note_handle_closed();
        }
    }
    close(s)
}

/// Closes one handle; with the last one, the socket.
pub fn close(s: SOCKET) -> Result<(), Code> {
    let is_socket = |object: &Ref<Object>| SocketRef::of(object.clone()).is_some();
    if !TABLE.open(s).as_ref().is_some_and(is_socket) {
        return Err(Code::wsa(WSAENOTSOCK));
    }
    let closed = TABLE.close(s).ok_or(Code::wsa(WSAENOTSOCK))?;
    if let Some(socket) = SocketRef::of(closed) {
        let last = {
            let mut state = socket.lock();
            state.handles -= 1;
            state.closed = state.handles == 0; // No handle can be added any more.
            state.closed
        };
        if last {
            socket.shut();
        }
    }
    Ok(())
}
