//! What a handle can denote, and the one table of them: sockets and handles share a space (rule 6).

use std::ops::Deref;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAENOTSOCK, WSANOTINITIALISED};

use crate::dispatch::Waits;
use crate::error::Code;
use crate::event::{Kind, Signal};
use crate::files::OpenFile;
use crate::handle::{Ref, Table};
use crate::mutex::Mutant;
use crate::port::Port;
use crate::socket::Socket;
use crate::start;
use crate::thread::Thread;
use crate::timer::Timer;
use crate::window::Window;

/// The object behind a handle.
pub enum Object {
    Socket(Box<Socket>),
    /// A second handle to an object of this table.
    Alias(Box<Alias>),
    /// An event is no more than the signal of its slot.
    Event,
    /// The signal of its slot holds its count; this is the highest.
    Semaphore(u32),
    Mutex(Box<Mutant>),
    Timer(Box<Timer>),
    Port(Arc<Port>),
    File(Box<OpenFile>),
    /// A thread: DuplicateHandle makes a handle of the current thread's pseudo-handle.
    Thread(Arc<Thread>),
    /// A window. Its HWND lives in the same space but is no HANDLE: only the functions for windows
    /// take it.
    Window(Box<Window>),
}

pub struct Alias {
    /// Never an alias itself.
    pub target: Ref<Object>,
    /// Made by WSADuplicateSocket, so Winsock's own calls know it; DuplicateHandle's copies of a
    /// socket serve for I/O only (rule 7).
    pub winsock: bool,
}

/// Every open handle of the process.
#[cfg(not(loom))]
pub static TABLE: Table<Object> = Table::new();

/// Every wait of the process.
#[cfg(not(loom))]
pub static WAITS: Waits = Waits::new();

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
            Object::Alias(alias) => SocketRef::of(alias.target.clone()),
            _ => None,
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
    let socket = TABLE.open(s).and_then(SocketRef::of).filter(|socket| !socket.form.is_pipe());
    socket.ok_or(Code::wsa(WSAENOTSOCK))
}

/// As [`socket`], for the functions that do not know DuplicateHandle's copies (rule 7).
pub fn registered_socket(s: SOCKET) -> Result<SocketRef, Code> {
    let found = socket(s)?;
    let foreign = |object: Ref<Object>| match &*object {
        Object::Alias(alias) => !alias.winsock,
        _ => false,
    };
    match TABLE.open(s).is_some_and(foreign) {
        true => Err(Code::wsa(WSAENOTSOCK)),
        false => Ok(found),
    }
}

/// A reference to an object that is an event.
#[derive(Clone)]
pub struct EventRef(Ref<Object>);

impl Deref for EventRef {
    type Target = Signal;

    fn deref(&self) -> &Signal {
        self.0.signal()
    }
}

impl EventRef {
    fn of(object: Ref<Object>) -> Option<EventRef> {
        match &*object {
            Object::Event => Some(EventRef(object)),
            Object::Alias(alias) => EventRef::of(alias.target.clone()),
            _ => None,
        }
    }

    /// A manual-reset event that no handle names.
    pub fn private() -> Result<EventRef, Code> {
        let unset = Kind::Event { manual_reset: true, set: false };
        let handle = insert_with(Object::Event, unset)?;
        let object = TABLE.close(handle.addr()).expect("nobody else knows the handle");
        Ok(EventRef(object))
    }
}

/// The event behind a value, or nothing: a program's wild `hEvent` harms nobody.
pub fn event(value: usize) -> Option<EventRef> {
    if value == 0 {
        return None;
    }
    TABLE.open(value).and_then(EventRef::of)
}

/// The object behind a HANDLE.
pub fn open(handle: HANDLE) -> Result<Ref<Object>, Code> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(Code(ERROR_INVALID_HANDLE));
    }
    TABLE.open(handle.addr()).ok_or(Code(ERROR_INVALID_HANDLE))
}

/// The object behind a HANDLE, whichever of its handles it is.
pub fn original(handle: HANDLE) -> Result<Ref<Object>, Code> {
    let object = open(handle)?;
    match &*object {
        Object::Alias(alias) => Ok(alias.target.clone()),
        _ => Ok(object),
    }
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

/// Opens a handle to a new object whose signal is that of its slot.
pub fn insert_with(object: Object, signal: Kind) -> Result<HANDLE, Code> {
    let value = TABLE.insert_with(object, signal).ok_or(Code(ERROR_NOT_ENOUGH_MEMORY))?;
    Ok(std::ptr::without_provenance_mut(value))
}

/// Opens a second handle to an object.
pub fn insert_alias(target: Ref<Object>) -> Result<HANDLE, Code> {
    insert(Object::Alias(Box::new(Alias { target, winsock: false })))
}
