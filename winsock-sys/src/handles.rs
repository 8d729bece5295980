//! Closing handles, what they are made for, and naming the two ends of a connection.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED, FALSE, HANDLE,
    HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAGS, TRUE,
};
use windows_sys::Win32::Networking::WinSock::{
    SOCKADDR, SOCKET, WSAEFAULT, WSAEINVAL, WSAENOTCONN,
};
use windows_sys::core::BOOL;

use crate::address::{self, Address};
use crate::error::{self, Code};
use crate::named;
use crate::object::{self, Object, TABLE};
use crate::socket;
use crate::start::answer;
use crate::sys;
use crate::threads::CURRENT_THREAD;

/// Closes a handle of any kind: [CloseHandle][ms]. ERROR_INVALID_HANDLE.
///
/// Closing a port ends the waits on it (rule 29); closing a socket is [`closesocket`] (rule 6).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle
/// [`closesocket`]: crate::Win32::Networking::WinSock::closesocket
pub unsafe extern "system" fn CloseHandle(handle: HANDLE) -> BOOL {
    if handle == CURRENT_THREAD || handle.addr() == usize::MAX {
        return TRUE; // The pseudo-handles of thread and process: closing them does nothing.
    }
    match close(handle) {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

fn close(handle: HANDLE) -> Result<(), Code> {
    let invalid = Code(ERROR_INVALID_HANDLE);
    let object = object::original(handle)?;
    match &*object {
        Object::Socket(_) => return socket::close_handle(handle.addr()).map_err(|_| invalid),
        Object::Window(_) => return Err(invalid), // DestroyWindow is the way.
        _ => {}
    }
    drop(TABLE.close(handle.addr()).ok_or(invalid)?);
    match &*object {
        Object::Event | Object::Semaphore(_) | Object::Mutex(_) | Object::Timer(_) => {
            named::close(&object);
        }
        Object::Port(port) if port.let_go() => port.close(),
        _ => {}
    }
    Ok(())
}

/// Whether a handle goes to child processes and is safe from CloseHandle, neither of which is so
/// here: [GetHandleInformation][ms]. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-gethandleinformation
///
/// # Safety
/// As on Windows: `flags` is a place for them.
pub unsafe extern "system" fn GetHandleInformation(handle: HANDLE, flags: *mut u32) -> BOOL {
    error::truth(object::open(handle).map(|_| {
        // SAFETY: our caller vouches for the place.
        unsafe { *flags = 0 };
    }))
}

/// Chooses what [`GetHandleInformation`] tells: [SetHandleInformation][ms]. ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER for unknown flags.
///
/// DIFFERS: flags can be cleared, which they are. Setting one fails with ERROR_NOT_SUPPORTED.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-sethandleinformation
pub unsafe extern "system" fn SetHandleInformation(
    handle: HANDLE,
    mask: u32,
    flags: HANDLE_FLAGS,
) -> BOOL {
    const KNOWN: u32 = HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE;
    let allowed = match mask & flags {
        _ if mask & !KNOWN != 0 => Err(Code(ERROR_INVALID_PARAMETER)),
        0 => Ok(()),
        _ => Err(Code(ERROR_NOT_SUPPORTED)),
    };
    error::truth(object::open(handle).and(allowed))
}

/// The socket's own address: [getsockname][ms]. WSAEINVAL when it has none yet, WSAEFAULT.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getsockname
///
/// # Safety
/// As on Windows: `name` has room for `*len` bytes.
pub unsafe extern "system" fn getsockname(s: SOCKET, name: *mut SOCKADDR, len: *mut i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        let address = {
            let state = socket.lock();
            match state.fd.filter(|_| state.bound && !state.needs_context) {
                Some(fd) => sys::local_address(fd).map_err(|errno| error::wsa_of_errno(errno.0)),
                None if state.needs_context => Err(Code::wsa(WSAENOTCONN)), // Rule 73.
                None => Err(Code::wsa(WSAEINVAL)),
            }
        }?;
        // SAFETY: passed on from our caller.
        unsafe { write(&address, name, len) }
    }))
}

/// The peer's address: [getpeername][ms]. WSAENOTCONN, WSAEFAULT.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getpeername
///
/// # Safety
/// As on Windows: `name` has room for `*len` bytes.
pub unsafe extern "system" fn getpeername(s: SOCKET, name: *mut SOCKADDR, len: *mut i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        let address = {
            let mut state = socket.lock();
            crate::connect::settle(&mut state);
            let usable = state.connected && !state.needs_context;
            let fd = state.fd.filter(|_| usable).ok_or(Code::wsa(WSAENOTCONN))?;
            state.peer(fd)
        }?;
        // SAFETY: passed on from our caller.
        unsafe { write(&address, name, len) }
    }))
}

/// # Safety
/// `name` is NULL or has room for `*len` bytes.
unsafe fn write(address: &Address, name: *mut SOCKADDR, len: *mut i32) -> Result<(), Code> {
    if name.is_null() || len.is_null() {
        return Err(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller vouches for the room.
    unsafe { address::write(address, name, len) }
}
