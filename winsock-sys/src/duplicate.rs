//! Second handles to one socket (rules 7 and 18).

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FALSE, HANDLE, TRUE,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM, SOCKET, WSAEFAULT,
    WSAEINVAL, WSAENOTSOCK, WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW, XP1_CONNECTIONLESS,
    XP1_GRACEFUL_CLOSE, XP1_GUARANTEED_DELIVERY, XP1_GUARANTEED_ORDER, XP1_IFS_HANDLES,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::object::{self, Object, SocketRef, TABLE};
use crate::socket::Form;
use crate::start::answer;
use crate::thread;
use crate::waits::CURRENT_THREAD;

/// Marks a structure as filled by [`WSADuplicateSocketW`]; the handle stands in the next field.
const TOKEN: u32 = 0x5753_4432;

/// Describes a socket so that `WSASocket` can open a second handle to it: [WSADuplicateSocketW][ms].
///
/// DIFFERS: only within one process (WSAEINVAL for another's id).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw
///
/// # Safety
/// As on Windows: `info` is a WSAPROTOCOL_INFOW, or NULL.
pub unsafe extern "system" fn WSADuplicateSocketW(
    s: SOCKET,
    process: u32,
    info: *mut WSAPROTOCOL_INFOW,
) -> i32 {
    answer(describe(s, process).and_then(|described| {
        if info.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        // SAFETY: our caller vouches for the structure.
        unsafe { *info = described };
        Ok(())
    }))
}

/// As [`WSADuplicateSocketW`], with the ANSI structure: [WSADuplicateSocketA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketa
///
/// # Safety
/// As on Windows: `info` is a WSAPROTOCOL_INFOA, or NULL.
pub unsafe extern "system" fn WSADuplicateSocketA(
    s: SOCKET,
    process: u32,
    info: *mut WSAPROTOCOL_INFOA,
) -> i32 {
    answer(describe(s, process).and_then(|described| {
        if info.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        // SAFETY: our caller vouches for the structure; the two kinds agree up to the name.
        unsafe {
            *info = WSAPROTOCOL_INFOA::default();
            let shared = std::mem::offset_of!(WSAPROTOCOL_INFOA, szProtocol);
            std::ptr::copy_nonoverlapping((&raw const described).cast::<u8>(), info.cast(), shared);
        }
        Ok(())
    }))
}

fn describe(s: SOCKET, process: u32) -> Result<WSAPROTOCOL_INFOW, Code> {
    let socket = object::registered_socket(s)?;
    if process != std::process::id() {
        return Err(Code::wsa(WSAEINVAL));
    }
    let mut info = protocol_info(socket.form);
    info.dwServiceFlags2 = TOKEN;
    info.dwServiceFlags3 = s as u32;
    Ok(info)
}

/// What Windows' catalogue says of a socket like this.
pub fn protocol_info(form: Form) -> WSAPROTOCOL_INFOW {
    let is_v4 = form.family == libc::AF_INET;
    let reliable = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE;
    let (kind, protocol, flags) = match form.is_stream() {
        true => (SOCK_STREAM, IPPROTO_TCP, reliable),
        false => (SOCK_DGRAM, IPPROTO_UDP, XP1_CONNECTIONLESS),
    };
    WSAPROTOCOL_INFOW {
        dwServiceFlags1: flags | XP1_IFS_HANDLES,
        iVersion: 2,
        iAddressFamily: if is_v4 { AF_INET } else { AF_INET6 }.into(),
        iMaxSockAddr: if is_v4 { 16 } else { 28 },
        iMinSockAddr: if is_v4 { 16 } else { 28 },
        iSocketType: kind,
        iProtocol: protocol,
        ..WSAPROTOCOL_INFOW::default()
    }
}

/// Opens the second handle, if these fields come from [`WSADuplicateSocketW`].
pub fn claim(token: u32, handle: u32) -> Option<Result<SOCKET, Code>> {
    (token == TOKEN).then(|| alias(handle as SOCKET, true).ok_or(Code::wsa(WSAENOTSOCK)))
}

fn alias(s: SOCKET, winsock: bool) -> Option<SOCKET> {
    let socket = TABLE.open(s).and_then(SocketRef::of)?;
    {
        let mut state = socket.lock();
        if state.closed {
            return None;
        }
        state.handles += 1;
    }
    let target = socket.clone().into_object();
    let handle = TABLE.insert(Object::Alias { socket: target, winsock });
    if handle.is_none() {
        socket.lock().handles -= 1;
    }
    handle
}

/// Copies a handle within this process: [DuplicateHandle][ms].
///
/// A copy of a SOCKET serves for I/O; Winsock's own table does not know it (rule 7).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-duplicatehandle
///
/// # Safety
/// As on Windows: `target` is a place for a handle.
pub unsafe extern "system" fn DuplicateHandle(
    _source_process: HANDLE,
    source: HANDLE,
    _target_process: HANDLE,
    target: *mut HANDLE,
    _access: u32,
    _inherit: BOOL,
    options: u32,
) -> BOOL {
    const DUPLICATE_CLOSE_SOURCE: u32 = 1;
    let copied = copy(source).and_then(|copy| {
        if target.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        // SAFETY: our caller vouches for the place.
        unsafe { *target = copy };
        Ok(())
    });
    match copied {
        Ok(()) => {
            if options & DUPLICATE_CLOSE_SOURCE != 0 {
                // SAFETY: closing a handle touches no memory of the caller.
                unsafe { crate::handles::CloseHandle(source) };
            }
            TRUE
        }
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

fn copy(source: HANDLE) -> Result<HANDLE, Code> {
    if source == CURRENT_THREAD {
        return object::insert(Object::Thread(thread::current()));
    }
    let object = object::open(source)?;
    match &*object {
        Object::Socket(_) | Object::Alias { .. } => alias(source.addr(), false)
            .map(std::ptr::without_provenance_mut)
            .ok_or(Code(ERROR_INVALID_HANDLE)),
        Object::Port(port) => {
            port.hold();
            object::insert(Object::Port(port.clone())).inspect_err(|_| drop(port.let_go()))
        }
        Object::Event(event) => object::insert(Object::Event(event.clone())),
        Object::Thread(thread) => object::insert(Object::Thread(thread.clone())),
        Object::File(file) => {
            let copy = file.try_clone().map_err(|_| Code(ERROR_INVALID_HANDLE))?;
            object::insert(Object::File(copy))
        }
    }
}
