//! Addresses and their text: inet_pton and its kin.

pub mod format;
pub mod parse;

use std::cell::UnsafeCell;
use std::ffi::c_void;

use windows_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IN_ADDR, INADDR_NONE, SOCKADDR, WSAEAFNOSUPPORT, WSAEFAULT, WSAEINVAL,
    WSANOTINITIALISED, WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW,
};
use windows_sys::core::{PCSTR, PCWSTR, PSTR, PWSTR};

use crate::address::{self, Address};
use crate::error::{self, Code};
use crate::start;
use crate::text::{self, Unit};

/// Parses an address without a port: 1 and the bytes, 0 if it is none, -1 and the last error.
///
/// # Safety
/// `text` is NULL or ends in NUL; `to` is NULL or writable for 4 bytes (AF_INET) or 16 (AF_INET6).
unsafe fn pton<U: Unit>(family: i32, text: *const U, to: *mut c_void) -> i32 {
    let parse = || {
        // SAFETY: the caller promises a NUL.
        let text = unsafe { text::read(text) }.ok_or(Code::wsa(WSAEFAULT));
        if to.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let store = |bytes: &[u8]| {
            // SAFETY: the caller promises room for an address of the family.
            unsafe { bytes.as_ptr().copy_to_nonoverlapping(to.cast(), bytes.len()) };
        };
        match u16::try_from(family) {
            Ok(AF_INET) => Ok(parse::v4(&text?).map(|host| store(&host))),
            Ok(AF_INET6) => Ok(parse::v6(&text?).map(|host| store(&host))),
            _ => Err(Code::wsa(WSAEAFNOSUPPORT)),
        }
    };
    match parse() {
        Ok(Some(())) => 1,
        Ok(None) => 0,
        Err(code) => {
            error::set_last(code);
            -1
        }
    }
}

/// Converts the text of an IPv4 or IPv6 address into its bytes in network order.
///
/// 1; 0 if the text is no address of the family (four decimal numbers, or RFC 4291's notation,
/// without port, scope or blanks); -1 with WSAEAFNOSUPPORT or WSAEFAULT (a pointer is NULL).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_pton
///
/// # Safety
/// `pszaddrstring` is NULL or ends in NUL; `paddrbuf` is NULL or holds an address of the family.
pub unsafe extern "system" fn inet_pton(
    family: i32,
    pszaddrstring: PCSTR,
    paddrbuf: *mut c_void,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { pton(family, pszaddrstring, paddrbuf) }
}

/// [`inet_pton`] for wide text; sets WSAEINVAL where it returns 0.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-inetptonw
///
/// # Safety
/// As for [`inet_pton`].
pub unsafe extern "system" fn InetPtonW(
    family: i32,
    pszaddrstring: PCWSTR,
    paddrbuf: *mut c_void,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    let result = unsafe { pton(family, pszaddrstring, paddrbuf) };
    if result == 0 {
        error::set_last(Code::wsa(WSAEINVAL));
    }
    result
}

/// Writes an address without a port: `to`, or NULL and the last error.
///
/// # Safety
/// `host` is NULL or an address of the family; `to` is NULL or writable for `room` units.
unsafe fn ntop<U: Unit>(family: i32, host: *const c_void, to: *mut U, room: usize) -> *const U {
    let format = || {
        let invalid = Code(ERROR_INVALID_PARAMETER);
        if host.is_null() {
            return Err(invalid);
        }
        let text = match u16::try_from(family) {
            // SAFETY: the caller promises 4 bytes for this family.
            Ok(AF_INET) => format::v4(unsafe { host.cast::<[u8; 4]>().read() }),
            // SAFETY: the caller promises 16 bytes for this family.
            Ok(AF_INET6) => format::v6(unsafe { host.cast::<[u8; 16]>().read() }),
            _ => return Err(Code::wsa(WSAEAFNOSUPPORT)),
        };
        // SAFETY: the caller promises the room.
        unsafe { text::write(&text, to, room) }.map_err(|_needed| invalid)
    };
    match format() {
        Ok(_written) => to,
        Err(code) => {
            error::set_last(code);
            std::ptr::null()
        }
    }
}

/// Converts an IPv4 or IPv6 address in network order into text, in a buffer of `stringbufsize`
/// bytes (16 always hold an IPv4 address, 46 an IPv6 address).
///
/// `pstringbuf`, or NULL with WSAEAFNOSUPPORT or ERROR_INVALID_PARAMETER (a pointer is NULL, or the
/// buffer too small).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-inet_ntop
///
/// # Safety
/// `paddr` is NULL or an address of the family; `pstringbuf` is NULL or writable for
/// `stringbufsize` bytes.
pub unsafe extern "system" fn inet_ntop(
    family: i32,
    paddr: *const c_void,
    pstringbuf: PSTR,
    stringbufsize: usize,
) -> PCSTR {
    // SAFETY: our caller's promise is the same.
    unsafe { ntop(family, paddr, pstringbuf, stringbufsize) }
}

/// [`inet_ntop`] for wide text; `stringbufsize` counts WCHARs.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-inetntopw
///
/// # Safety
/// As for [`inet_ntop`].
pub unsafe extern "system" fn InetNtopW(
    family: i32,
    paddr: *const c_void,
    pstringbuf: PWSTR,
    stringbufsize: usize,
) -> PCWSTR {
    // SAFETY: our caller's promise is the same.
    unsafe { ntop(family, paddr, pstringbuf, stringbufsize) }
}

/// Converts the text of an IPv4 address, of one to four numbers in C's notation, into the address
/// in network order. What follows a blank is not read, and a single blank is 0.
///
/// INADDR_NONE for anything else, with WSAEFAULT for NULL.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-inet_addr
///
/// # Safety
/// `cp` is NULL or ends in NUL.
pub unsafe extern "system" fn inet_addr(cp: PCSTR) -> u32 {
    // SAFETY: our caller promises the NUL.
    let Some(text) = (unsafe { text::read(cp) }) else {
        error::set_last(Code::wsa(WSAEFAULT));
        return INADDR_NONE;
    };
    if text == " " {
        return 0;
    }
    let blank = |character: char| matches!(character, ' ' | '\t'..='\r');
    let address = text.split(blank).next().and_then(parse::v4_by_parts);
    address.map_or(INADDR_NONE, u32::from_ne_bytes)
}

/// Converts an IPv4 address into text, in a buffer of the calling thread that its next call
/// overwrites.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-inet_ntoa
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn inet_ntoa(r#in: IN_ADDR) -> PSTR {
    const ROOM: usize = "255.255.255.255\0".len();
    thread_local! {
        static BUFFER: UnsafeCell<[u8; ROOM]> = const { UnsafeCell::new([0; ROOM]) };
    }
    // SAFETY: every view of the union is made of plain bytes.
    let host = unsafe { r#in.S_un.S_addr }.to_ne_bytes();
    let buffer = BUFFER.with(UnsafeCell::get).cast();
    // SAFETY: only this thread reaches the buffer, and nobody holds a reference into it.
    match unsafe { text::write(&format::v4(host), buffer, ROOM) } {
        Ok(_written) => buffer,
        Err(_needed) => unreachable!("the longest address fits"),
    }
}

/// Writes an address with its port: 0, or SOCKET_ERROR and the last error.
///
/// # Safety
/// `name` is NULL or readable for `len` bytes; `room` is NULL or valid; `to` is NULL or writable
/// for `*room` units.
unsafe fn to_string<U: Unit>(name: *const SOCKADDR, len: u32, to: *mut U, room: *mut u32) -> i32 {
    let format = || {
        if !start::started() {
            return Err(Code::wsa(WSANOTINITIALISED));
        }
        if name.is_null() || len == 0 || room.is_null() {
            return Err(Code::wsa(WSAEINVAL));
        }
        let len = i32::try_from(len).unwrap_or(i32::MAX);
        // SAFETY: the caller promises `len` bytes.
        let address = unsafe { address::read(name, len) }.map_err(|code| match code.as_wsa() {
            WSAEAFNOSUPPORT => Code::wsa(WSAEINVAL),
            _ => code,
        })?;
        // SAFETY: the caller promises that `room` is valid and `to` has that room.
        unsafe {
            let written = text::write(&format::endpoint(&address), to, *room as usize);
            *room = written.unwrap_or_else(|needed| needed) as u32;
            written.map(drop).map_err(|_needed| Code::wsa(WSAEFAULT))
        }
    };
    start::answer(format())
}

/// Converts a socket address into text: `a.b.c.d:port` or `[address%scope]:port`, without what is
/// 0. `*lpdwaddressstringlength` is the buffer's length and becomes the text's, both with the NUL.
///
/// 0, or SOCKET_ERROR with WSANOTINITIALISED, WSAEFAULT (the buffer is too small, and the length
/// needed is stored; or the address too short for its family) or WSAEINVAL (a pointer is NULL, the
/// family unknown). There is one provider a family, so `lpprotocolinfo` is not read.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaaddresstostringa
///
/// # Safety
/// `lpsaaddress` is NULL or readable for `dwaddresslength` bytes; `lpdwaddressstringlength` is NULL
/// or valid; `lpszaddressstring` is NULL or writable for as much.
pub unsafe extern "system" fn WSAAddressToStringA(
    lpsaaddress: *const SOCKADDR,
    dwaddresslength: u32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOA,
    lpszaddressstring: PSTR,
    lpdwaddressstringlength: *mut u32,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { to_string(lpsaaddress, dwaddresslength, lpszaddressstring, lpdwaddressstringlength) }
}

/// [`WSAAddressToStringA`] for wide text; the length counts WCHARs.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaaddresstostringw
///
/// # Safety
/// As for [`WSAAddressToStringA`].
pub unsafe extern "system" fn WSAAddressToStringW(
    lpsaaddress: *const SOCKADDR,
    dwaddresslength: u32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOW,
    lpszaddressstring: PWSTR,
    lpdwaddressstringlength: *mut u32,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { to_string(lpsaaddress, dwaddresslength, lpszaddressstring, lpdwaddressstringlength) }
}

/// Parses an address that may have a port: 0, or SOCKET_ERROR and the last error.
///
/// # Safety
/// `text` is NULL or ends in NUL; `len` is NULL or valid; `to` is NULL or writable for `*len`
/// bytes.
unsafe fn from_string<U: Unit>(
    text: *const U,
    family: i32,
    to: *mut SOCKADDR,
    len: *mut i32,
) -> i32 {
    let parse = || {
        if !start::started() {
            return Err(Code::wsa(WSANOTINITIALISED));
        }
        if to.is_null() || len.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let invalid = Code::wsa(WSAEINVAL);
        // SAFETY: the caller promises a NUL.
        let text = unsafe { text::read(text) }.ok_or(invalid)?;
        let address: Option<Address> = match u16::try_from(family) {
            Ok(AF_INET) => parse::endpoint_v4(&text),
            Ok(AF_INET6) => parse::endpoint_v6(&text),
            _ => None,
        };
        let address = address.ok_or(invalid)?;
        // SAFETY: the caller promises that `len` is valid and `to` has that room.
        unsafe {
            let written = address::write(&address, to, len);
            if written.is_err() {
                *len = address.windows_len() as i32;
            }
            written
        }
    };
    start::answer(parse())
}

/// Converts text into a socket address: an IPv4 address as [`inet_addr`] takes it, or an IPv6
/// address with or without scope, and a port or none (`1.2.3.4:80`, `[::1%2]:80`). The sockaddr's
/// length is taken from and stored to `*lpaddresslength`.
///
/// 0, or SOCKET_ERROR with WSANOTINITIALISED, WSAEINVAL (no address of that family) or WSAEFAULT
/// (NULL, or `*lpaddresslength` too small, and the length needed is stored). There is one provider
/// a family, so `lpprotocolinfo` is not read.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsastringtoaddressa
///
/// # Safety
/// `addressstring` is NULL or ends in NUL; `lpaddresslength` is NULL or valid; `lpaddress` is NULL
/// or writable for as much.
pub unsafe extern "system" fn WSAStringToAddressA(
    addressstring: PCSTR,
    addressfamily: i32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOA,
    lpaddress: *mut SOCKADDR,
    lpaddresslength: *mut i32,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { from_string(addressstring, addressfamily, lpaddress, lpaddresslength) }
}

/// [`WSAStringToAddressA`] for wide text.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsastringtoaddressw
///
/// # Safety
/// As for [`WSAStringToAddressA`].
pub unsafe extern "system" fn WSAStringToAddressW(
    addressstring: PCWSTR,
    addressfamily: i32,
    _lpprotocolinfo: *const WSAPROTOCOL_INFOW,
    lpaddress: *mut SOCKADDR,
    lpaddresslength: *mut i32,
) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { from_string(addressstring, addressfamily, lpaddress, lpaddresslength) }
}
