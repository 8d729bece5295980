//! The look-ups of Winsock 1.1, whose answers are records of the calling thread.

use std::ptr::null_mut;

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AI_CANONNAME, HOSTENT, PROTOENT, SERVENT, WSAEAFNOSUPPORT, WSAEFAULT,
    WSAEINVAL, WSANO_DATA,
};
use windows_sys::core::{PCSTR, PSTR, PWSTR};

use crate::address::Address;
use crate::convert::parse;
use crate::error::{self, Code};
use crate::start;
use crate::text::{self, Unit};

use super::database::{self, Key};
use super::lookup::{self, Question};
use super::reverse::host_name;
use super::{local, ready, record};

/// What the functions with a record return: it, or NULL and the last error.
fn record_or_null<T>(found: Result<*mut T, Code>) -> *mut T {
    found.unwrap_or_else(|code| {
        error::set_last(code);
        null_mut()
    })
}

/// # Safety
/// `name` is NULL or writable for `room` units.
unsafe fn own_name<U: Unit>(name: *mut U, room: i32) -> i32 {
    let write = || {
        ready()?;
        let room = usize::try_from(room).unwrap_or(0);
        // SAFETY: the caller promises the room.
        let written = unsafe { text::write(&local::name()?, name, room) };
        written.map(drop).map_err(|_needed| Code::wsa(WSAEFAULT))
    };
    start::answer(write())
}

/// The name of this computer, in a buffer of `namelen` bytes (256 are always enough).
///
/// 0, or SOCKET_ERROR with WSANOTINITIALISED or WSAEFAULT (NULL, or too small for name and NUL).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-gethostname
///
/// # Safety
/// `name` is NULL or writable for `namelen` bytes.
pub unsafe extern "system" fn gethostname(name: PSTR, namelen: i32) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { own_name(name, namelen) }
}

/// [`gethostname`] for wide strings; `namelen` counts WCHARs.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-gethostnamew
///
/// # Safety
/// `name` is NULL or writable for `namelen` WCHARs.
pub unsafe extern "system" fn GetHostNameW(name: PWSTR, namelen: i32) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { own_name(name, namelen) }
}

/// The IPv4 addresses of a host. NULL and "" are this computer.
///
/// A record of the calling thread, which its next call of this or [`gethostbyaddr`] overwrites, or
/// NULL with WSANOTINITIALISED, WSANO_DATA (also for an IPv6 literal and for
/// numbers that are no IPv4 address), WSATRY_AGAIN or WSANO_RECOVERY.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-gethostbyname
///
/// # Safety
/// `name` is NULL or ends in NUL.
pub unsafe extern "system" fn gethostbyname(name: PCSTR) -> *mut HOSTENT {
    // SAFETY: our caller promises the NUL.
    let name = unsafe { text::read(name) }.unwrap_or_default();
    record_or_null(ready().and_then(|()| host_by_name(&name)))
}

fn host_by_name(name: &str) -> Result<*mut HOSTENT, Code> {
    let numbers = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let bad_v4 = !name.is_empty() && numbers && parse::v4_by_parts(name).is_none();
    if bad_v4 || parse::v6_host(name).is_some() {
        return Err(Code::wsa(WSANO_DATA));
    }
    let answer = lookup::resolve(&Question {
        node: Some(name.into()),
        flags: AI_CANONNAME,
        family: i32::from(AF_INET),
        ..Question::default()
    })?;
    let official = answer.canonical.unwrap_or_else(|| name.into());
    let is_alias = !name.is_empty() && !name.eq_ignore_ascii_case(&official);
    let aliases = if is_alias { vec![name.into()] } else { Vec::new() };
    Ok(record::host(&official, &aliases, &answer.addresses))
}

/// The name of the host with an address of `len` bytes in network order.
///
/// A record as [`gethostbyname`] returns, or NULL with WSANOTINITIALISED, WSAEAFNOSUPPORT (neither
/// AF_INET nor AF_INET6), WSAEFAULT (NULL, or fewer than 4 bytes of IPv4), WSAEINVAL (not 16 bytes
/// of IPv6), WSATRY_AGAIN or WSANO_RECOVERY.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-gethostbyaddr
///
/// # Safety
/// `addr` is NULL or readable for `len` bytes.
pub unsafe extern "system" fn gethostbyaddr(addr: PCSTR, len: i32, r#type: i32) -> *mut HOSTENT {
    let find = || {
        ready()?;
        // SAFETY: our caller's promise is the same.
        let address = unsafe { bare_address(addr, len, r#type) }?;
        Ok(record::host(&host_name(&address)?, &[], &[address]))
    };
    record_or_null(find())
}

/// # Safety
/// `addr` is NULL or readable for `len` bytes.
unsafe fn bare_address(addr: PCSTR, len: i32, family: i32) -> Result<Address, Code> {
    let len = usize::try_from(len).unwrap_or(0);
    let refuse = |code| Err(Code::wsa(code));
    match u16::try_from(family) {
        Ok(AF_INET) if addr.is_null() || len < size_of::<[u8; 4]>() => refuse(WSAEFAULT),
        Ok(AF_INET6) if addr.is_null() => refuse(WSAEFAULT),
        Ok(AF_INET6) if len != size_of::<[u8; 16]>() => refuse(WSAEINVAL),
        // SAFETY: the caller promises `len` bytes, which are at least 4.
        Ok(AF_INET) => Ok(Address::v4(unsafe { addr.cast::<[u8; 4]>().read() }, 0)),
        // SAFETY: the caller promises `len` bytes, which are 16.
        Ok(AF_INET6) => Ok(Address::v6(unsafe { addr.cast::<[u8; 16]>().read() }, 0, 0)),
        _ => refuse(WSAEAFNOSUPPORT),
    }
}

/// The service of that name, or with that alias, over a protocol, or over any for NULL.
///
/// A record of the calling thread, which its next call of this or [`getservbyport`] overwrites, or
/// NULL with WSANOTINITIALISED, WSAEFAULT (`name` is NULL) or WSANO_DATA (there is none).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getservbyname
///
/// # Safety
/// The strings are NULL or end in NUL.
pub unsafe extern "system" fn getservbyname(name: PCSTR, proto: PCSTR) -> *mut SERVENT {
    let find = || {
        ready()?;
        // SAFETY: our caller promises the NUL.
        let name = unsafe { text::read(name) }.ok_or(Code::wsa(WSAEFAULT))?;
        // SAFETY: our caller promises the NUL.
        service(Key::Name(&name), unsafe { text::read(proto) })
    };
    record_or_null(find())
}

/// The service at a port, given in network order, over a protocol, or over any for NULL. A record
/// as [`getservbyname`] returns, or NULL with WSANOTINITIALISED or WSANO_DATA.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getservbyport
///
/// # Safety
/// `proto` is NULL or ends in NUL.
pub unsafe extern "system" fn getservbyport(port: i32, proto: PCSTR) -> *mut SERVENT {
    // The port is a u_short in an int: its upper half says nothing.
    let port = u16::from_be(port as u16);
    // SAFETY: our caller promises the NUL.
    let proto = unsafe { text::read(proto) };
    record_or_null(ready().and_then(|()| service(Key::Number(port), proto)))
}

fn service(key: Key, protocol: Option<String>) -> Result<*mut SERVENT, Code> {
    let entry = database::service(key, protocol.as_deref()).ok_or(Code::wsa(WSANO_DATA))?;
    Ok(record::service(&entry))
}

/// The protocol of that name, or with that alias.
///
/// A record of the calling thread, which its next call of this or [`getprotobynumber`] overwrites,
/// or NULL with WSANOTINITIALISED, WSAEFAULT (`name` is NULL) or WSANO_DATA (there is none).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getprotobyname
///
/// # Safety
/// `name` is NULL or ends in NUL.
pub unsafe extern "system" fn getprotobyname(name: PCSTR) -> *mut PROTOENT {
    let find = || {
        ready()?;
        // SAFETY: our caller promises the NUL.
        let name = unsafe { text::read(name) }.ok_or(Code::wsa(WSAEFAULT))?;
        protocol(Key::Name(&name))
    };
    record_or_null(find())
}

/// The protocol with that number. A record as [`getprotobyname`] returns, or NULL with
/// WSANOTINITIALISED or WSANO_DATA.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-getprotobynumber
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn getprotobynumber(number: i32) -> *mut PROTOENT {
    let number = u16::try_from(number).map_err(|_| Code::wsa(WSANO_DATA));
    record_or_null(ready().and_then(|()| protocol(Key::Number(number?))))
}

fn protocol(key: Key) -> Result<*mut PROTOENT, Code> {
    let entry = database::protocol(key).ok_or(Code::wsa(WSANO_DATA))?;
    Ok(record::protocol(&entry))
}
