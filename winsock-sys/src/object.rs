//! What a handle can denote, and the one table of them: sockets and handles share a space (rule 6).

use std::fs::File;
use std::ops::Deref;
use std::sync::Arc;
#[cfg(not(loom))]
use std::sync::LazyLock;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAENOTSOCK, WSANOTINITIALISED};

use crate::error::Code;
use crate::event::{Signal, Waits};
use crate::handle::{Ref, Table};
use crate::port::Port;
use crate::socket::Socket;
use crate::start;
use crate::thread::Thread;
use crate::window::Window;

/// The object behind a handle.
pub enum Object {
    Socket(Box<Socket>),
    /// A second handle to a socket. `winsock`: made by WSADuplicateSocket, so Winsock's own calls
    /// know it; DuplicateHandle's copies serve for I/O only (rule 7).
    Alias {
        socket: Ref<Object>,
        winsock: bool,
    },
    Event(Arc<Signal>),
    Port(Arc<Port>),
    File(File),
    /// A thread: DuplicateHandle makes a handle of the current thread's pseudo-handle.
    Thread(Arc<Thread>),
    /// A window. Its HWND lives in the same space but is no HANDLE: only the functions for windows
    /// take it.
    #[allow(dead_code)]
    Window(Arc<Window>),
}

/// Every open handle of the process.
#[cfg(not(loom))]
pub static TABLE: Table<Object> = Table::new();

/// Every wait of the process.
#[cfg(not(loom))]
pub static WAITS: LazyLock<Waits> = LazyLock::new(Waits::new);

#[cfg(loom)]
loom::lazy_static! {
    pub static ref TABLE: Table<Object> = Table::new();
    pub static ref WAITS: Waits = Waits::new();
}

/// A reference to an object that is a socket.
#[derive(Clone)]
pub struct SocketRef(Ref<Object>);

impl Deref for SocketRef {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        match &*self.0 {
            Object::Socket(socket) => socket,
            _ => unreachable!("a SocketRef is made of sockets only"),
        }
    }
}

impl SocketRef {
    /// The object if it is a socket, or stands for one.
    pub fn of(object: Ref<Object>) -> Option<SocketRef> {
        match &*object {
            Object::Socket(_) => Some(SocketRef(object)),
            Object::Alias { socket, .. } => Some(SocketRef(socket.clone())),
            Object::Event(_)
            | Object::Port(_)
            | Object::File(_)
            | Object::Thread(_)
            | Object::Window(_) => None,
        }
    }

    pub fn into_object(self) -> Ref<Object> {
        self.0
    }
}

/// The socket behind a SOCKET, for Winsock's functions.
pub fn socket(s: SOCKET) -> Result<SocketRef, Code> {
    if !start::started() {
        return Err(Code::wsa(WSANOTINITIALISED)); // Rule 5.
    }
    TABLE.open(s).and_then(SocketRef::of).ok_or(Code::wsa(WSAENOTSOCK))
}

/// As [`socket`], for the functions that do not know DuplicateHandle's copies (rule 7).
pub fn registered_socket(s: SOCKET) -> Result<SocketRef, Code> {
    let found = socket(s)?;
    let foreign = |object: Ref<Object>| matches!(&*object, Object::Alias { winsock: false, .. });
    match TABLE.open(s).is_some_and(foreign) {
        true => Err(Code::wsa(WSAENOTSOCK)),
        false => Ok(found),
    }
}

/// The event behind a value, or nothing: a program's wild `hEvent` harms nobody.
pub fn event(value: usize) -> Option<Ref<Object>> {
    if value == 0 {
        return None;
    }
    TABLE.open(value).filter(|object| matches!(**object, Object::Event(_)))
}

/// The object behind a HANDLE.
pub fn open(handle: HANDLE) -> Result<Ref<Object>, Code> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(Code(ERROR_INVALID_HANDLE));
    }
    TABLE.open(handle.addr()).ok_or(Code(ERROR_INVALID_HANDLE))
}

/// The port behind a HANDLE.
pub fn port(handle: HANDLE) -> Result<Arc<Port>, Code> {
    match &*open(handle)? {
        Object::Port(port) => Ok(port.clone()),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

/// Opens a handle to a new object.
pub fn insert(object: Object) -> Result<HANDLE, Code> {
    let value = TABLE.insert(object).ok_or(Code(ERROR_NOT_ENOUGH_MEMORY))?;
    Ok(std::ptr::without_provenance_mut(value))
}
