//! Second handles to one socket (rules 7 and 18).

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FALSE, HANDLE, TRUE,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, PFL_MATCHES_PROTOCOL_ZERO, SOCK_DGRAM,
    SOCK_STREAM, SOCKET, WSAEFAULT, WSAEINVAL, WSAENOTSOCK, WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW,
    WSAPROTOCOLCHAIN, XP1_CONNECTIONLESS, XP1_EXPEDITED_DATA, XP1_GRACEFUL_CLOSE,
    XP1_GUARANTEED_DELIVERY, XP1_GUARANTEED_ORDER, XP1_IFS_HANDLES, XP1_MESSAGE_ORIENTED,
    XP1_SUPPORT_BROADCAST, XP1_SUPPORT_MULTIPOINT,
};
use windows_sys::core::{BOOL, GUID};

use crate::error::{self, Code};
use crate::named;
use crate::object::{self, Alias, Object, SocketRef, TABLE};
use crate::socket::Form;
use crate::start::answer;
use crate::thread;
use crate::threads::CURRENT_THREAD;

/// Marks a structure as filled by [`WSADuplicateSocketW`]; the handle stands in the next field.
const TOKEN: u32 = 0x5753_4432;

/// Describes a socket so that `WSASocket` can open a second handle to it:
/// [WSADuplicateSocketW][ms].
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
    const V4: GUID = GUID::from_u128(0xe70f1aa0_ab8b_11cf_8ca3_00805f48a192);
    const V6: GUID = GUID::from_u128(0xf9eab0c0_26d4_11d0_bbbf_00aa006c34e4);
    let (family, len, provider) = match form.family {
        libc::AF_INET6 => (AF_INET6, 28, V6),
        _ => (AF_INET, 16, V4),
    };
    let (kind, protocol, flags, message) = match form.is_stream() {
        true => (SOCK_STREAM, IPPROTO_TCP, STREAM, 0),
        false => (SOCK_DGRAM, IPPROTO_UDP, DATAGRAMS, 65467),
    };
    let (entry, name) = match (family, form.is_stream()) {
        (AF_INET6, true) => (1004, "MSAFD Tcpip [TCP/IPv6]"),
        (AF_INET6, false) => (1005, "MSAFD Tcpip [UDP/IPv6]"),
        (_, true) => (1001, "MSAFD Tcpip [TCP/IP]"),
        (_, false) => (1002, "MSAFD Tcpip [UDP/IP]"),
    };
    let mut info = WSAPROTOCOL_INFOW {
        dwServiceFlags1: flags | XP1_IFS_HANDLES,
        dwProviderFlags: PFL_MATCHES_PROTOCOL_ZERO,
        ProviderId: provider,
        dwCatalogEntryId: entry,
        ProtocolChain: WSAPROTOCOLCHAIN { ChainLen: 1, ChainEntries: [0; 7] },
        iVersion: 2,
        iAddressFamily: family.into(),
        iMaxSockAddr: len,
        iMinSockAddr: len,
        iSocketType: kind,
        iProtocol: protocol,
        dwMessageSize: message,
        ..WSAPROTOCOL_INFOW::default()
    };
    for (to, from) in info.szProtocol.iter_mut().zip(name.encode_utf16()) {
        *to = from;
    }
    info
}

/// What a TCP socket can do, in the catalogue's words.
const STREAM: u32 =
    XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA;

/// What a UDP socket can do.
const DATAGRAMS: u32 =
    XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT;

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
    let handle = TABLE.insert(Object::Alias(Box::new(Alias { target, winsock })));
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
    let original = match &*object {
        Object::Alias(alias) => &alias.target,
        _ => &object,
    };
    match &**original {
        Object::Socket(_) => alias(source.addr(), false)
            .map(std::ptr::without_provenance_mut)
            .ok_or(Code(ERROR_INVALID_HANDLE)),
        Object::Event | Object::Semaphore(_) | Object::Mutex(_) | Object::Timer(_) => {
            named::alias(original)
        }
        Object::Port(port) => {
            port.hold();
            object::insert(Object::Port(port.clone())).inspect_err(|_| {
                port.let_go();
            })
        }
        Object::Thread(thread) => object::insert(Object::Thread(thread.clone())),
        Object::Window(_) => Err(Code(ERROR_INVALID_HANDLE)),
        Object::File(file) => {
            let copy = file.copy().map_err(|_| Code(ERROR_INVALID_HANDLE))?;
            object::insert(Object::File(Box::new(copy)))
        }
        Object::Alias(_) => unreachable!("an alias stands for no other alias"),
    }
}
