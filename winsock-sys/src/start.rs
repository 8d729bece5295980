//! Start-up and clean-up: WSAStartup, WSACleanup, and making and closing sockets.

use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, FROM_PROTOCOL_INFO, INVALID_SOCKET, IPPROTO_TCP, IPPROTO_UDP,
    SOCK_DGRAM, SOCK_STREAM, SOCKET, SOCKET_ERROR, WSA_FLAG_OVERLAPPED, WSADATA, WSAEAFNOSUPPORT,
    WSAEFAULT, WSAEINVAL, WSAEPROTONOSUPPORT, WSAEPROTOTYPE, WSAESOCKTNOSUPPORT, WSANOTINITIALISED,
    WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW, WSASYSNOTREADY, WSAVERNOTSUPPORTED,
};

use crate::backend;
use crate::error::{self, Code};
use crate::object::TABLE;
use crate::options;
use crate::socket::{self, Form};

/// How many start-ups have no clean-up yet (rule 4).
static STARTED: AtomicU32 = AtomicU32::new(0);

/// Whether Winsock may be used (rule 5).
pub fn started() -> bool {
    STARTED.load(Ordering::Acquire) != 0
}

/// What the functions with an int answer: 0, or SOCKET_ERROR and the last error.
pub fn answer(result: Result<(), Code>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(code) => {
            error::set_last(code);
            SOCKET_ERROR
        }
    }
}

const fn version(major: u16, minor: u16) -> u16 {
    minor << 8 | major
}

/// The version that a request gets (rule 1); `None` for major 0.
fn negotiate(requested: u16) -> Option<u16> {
    let (major, minor) = (requested & 0xff, requested >> 8);
    match (major, minor) {
        (0, _) => None,
        (1, 0) => Some(version(1, 0)),
        (1, _) => Some(version(1, 1)),
        (2, 0 | 1) => Some(requested),
        _ => Some(version(2, 2)),
    }
}

/// Starts Winsock: [WSAStartup][ms]. Returns the error itself (rule 2): WSAVERNOTSUPPORTED for
/// major 0, WSAEFAULT for NULL, WSASYSNOTREADY when the backend that `WINSOCK_BACKEND` asks for is
/// not there.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsastartup
///
/// # Safety
/// As on Windows: `data` is NULL or a WSADATA.
pub unsafe extern "system" fn WSAStartup(requested: u16, data: *mut WSADATA) -> i32 {
    let granted = negotiate(requested);
    if data.is_null() {
        return if granted.is_some() { WSAEFAULT } else { WSAVERNOTSUPPORTED };
    }
    // SAFETY: our caller vouches for the WSADATA, which is plain data.
    let data = unsafe { &mut *data };
    *data = WSADATA::default();
    data.wVersion = granted.unwrap_or(version(2, 2));
    data.wHighVersion = version(2, 2);
    write_text(&mut data.szDescription, "WinSock 2.0");
    write_text(&mut data.szSystemStatus, "Running");
    if data.wVersion & 0xff == 1 {
        (data.iMaxSockets, data.iMaxUdpDg) = (32767, 65467); // Rule 3.
    }
    if granted.is_none() {
        return WSAVERNOTSUPPORTED;
    }
    if backend::choice().is_err() || backend::start().is_err() {
        return WSASYSNOTREADY;
    }
    STARTED.fetch_add(1, Ordering::AcqRel);
    0
}

fn write_text(to: &mut [i8], text: &str) {
    for (place, byte) in to.iter_mut().zip(text.bytes()) {
        *place = byte as i8;
    }
}

/// Undoes one [`WSAStartup`]; the last one closes every socket: [WSACleanup][ms] (rule 4).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsacleanup
pub unsafe extern "system" fn WSACleanup() -> i32 {
    let one_less = |count: u32| count.checked_sub(1);
    match STARTED.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less) {
        Err(_) => return answer(Err(Code::wsa(WSANOTINITIALISED))),
        Ok(1) => {}
        Ok(_) => return 0,
    }
    for value in TABLE.values() {
        // Handles of other kinds are refused by `close`, and a socket that somebody closes just now
        // is closed.
        let _ = socket::close(value);
    }
    0
}

/// Makes a socket: [socket][ms], capable of overlapped I/O unless SO_OPENTYPE says otherwise.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-socket
pub unsafe extern "system" fn socket(family: i32, kind: i32, protocol: i32) -> SOCKET {
    let flags = if options::opens_overlapped() { WSA_FLAG_OVERLAPPED } else { 0 };
    create(family, kind, protocol, flags)
}

/// Makes a socket, or a second handle to one of this process (`info` from WSADuplicateSocketW):
/// [WSASocketW][ms].
///
/// WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTOTYPE, WSAEPROTONOSUPPORT, WSAEMFILE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw
///
/// # Safety
/// As on Windows: `info` is NULL or a WSAPROTOCOL_INFOW.
pub unsafe extern "system" fn WSASocketW(
    family: i32,
    kind: i32,
    protocol: i32,
    info: *const WSAPROTOCOL_INFOW,
    _group: u32,
    flags: u32,
) -> SOCKET {
    if info.is_null() {
        return create(family, kind, protocol, flags);
    }
    // SAFETY: our caller vouches for the structure.
    let info = unsafe { &*info };
    let asked =
        [(family, info.iAddressFamily), (kind, info.iSocketType), (protocol, info.iProtocol)];
    let [family, kind, protocol] =
        asked.map(|(asked, offered)| if asked == FROM_PROTOCOL_INFO { offered } else { asked });
    match crate::duplicate::claim(info.dwServiceFlags2, info.dwServiceFlags3) {
        Some(Ok(handle)) => handle,
        Some(Err(code)) => fail(code),
        None => create(family, kind, protocol, flags),
    }
}

/// As [`WSASocketW`], with the ANSI structure: [WSASocketA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketa
///
/// # Safety
/// As on Windows: `info` is NULL or a WSAPROTOCOL_INFOA.
pub unsafe extern "system" fn WSASocketA(
    family: i32,
    kind: i32,
    protocol: i32,
    info: *const WSAPROTOCOL_INFOA,
    group: u32,
    flags: u32,
) -> SOCKET {
    // The structures differ in their trailing name only, which is not read.
    // SAFETY: passed on from our caller; every field read lies before the name.
    unsafe { WSASocketW(family, kind, protocol, info.cast(), group, flags) }
}

fn fail(code: Code) -> SOCKET {
    error::set_last(code);
    INVALID_SOCKET
}

fn create(family: i32, kind: i32, protocol: i32, flags: u32) -> SOCKET {
    let made = form(family, kind, protocol, flags).and_then(|form| {
        if !started() {
            return Err(Code::wsa(WSANOTINITIALISED));
        }
        socket::open(form)
    });
    made.unwrap_or_else(fail)
}

/// What the three numbers mean. A 0 stands for what the others imply.
fn form(family: i32, kind: i32, protocol: i32, flags: u32) -> Result<Form, Code> {
    const UNSPEC: i32 = AF_UNSPEC as i32;
    const INET: i32 = AF_INET as i32;
    const INET6: i32 = AF_INET6 as i32;
    let family = match family {
        INET => libc::AF_INET,
        INET6 => libc::AF_INET6,
        UNSPEC if kind == 0 && protocol == 0 => return Err(Code::wsa(WSAEINVAL)),
        UNSPEC => libc::AF_INET,
        _ => return Err(Code::wsa(WSAEAFNOSUPPORT)),
    };
    let kind = match (kind, protocol) {
        (0, IPPROTO_TCP) => SOCK_STREAM,
        (0, IPPROTO_UDP) => SOCK_DGRAM,
        (0, 0) => SOCK_STREAM,
        (kind, _) => kind,
    };
    let overlapped = flags & WSA_FLAG_OVERLAPPED != 0;
    let form = |kind, protocol| Ok(Form { family, kind, protocol, overlapped });
    match (kind, protocol) {
        (SOCK_STREAM, 0 | IPPROTO_TCP) => form(libc::SOCK_STREAM, libc::IPPROTO_TCP),
        (SOCK_DGRAM, 0 | IPPROTO_UDP) => form(libc::SOCK_DGRAM, libc::IPPROTO_UDP),
        (SOCK_STREAM, IPPROTO_UDP) | (SOCK_DGRAM, IPPROTO_TCP) => Err(Code::wsa(WSAEPROTOTYPE)),
        (SOCK_STREAM | SOCK_DGRAM, _) => Err(Code::wsa(WSAEPROTONOSUPPORT)),
        _ => Err(Code::wsa(WSAESOCKTNOSUPPORT)),
    }
}

/// Closes a socket: [closesocket][ms]. Pending operations complete as aborted (rules 34, 35); what
/// was sent still goes out. WSAENOTSOCK.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-closesocket
pub unsafe extern "system" fn closesocket(s: SOCKET) -> i32 {
    if !started() {
        return answer(Err(Code::wsa(WSANOTINITIALISED)));
    }
    answer(socket::close(s))
}
