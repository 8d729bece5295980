//! From addresses to names: getnameinfo and GetNameInfoW.

use std::ffi::CStr;
use std::ptr::null_mut;

use windows_sys::Win32::Networking::WinSock::{
    NI_DGRAM, NI_NAMEREQD, NI_NOFQDN, NI_NUMERICHOST, NI_NUMERICSERV, SOCKADDR, WSAEFAULT,
    WSAEINVAL, WSAHOST_NOT_FOUND, socklen_t,
};
use windows_sys::core::{PSTR, PWSTR};

use crate::address::{self, Address};
use crate::convert::format;
use crate::error::Code;
use crate::text::{self, Unit};

use super::database::{self, Key};
use super::info::returned;
use super::lookup::code_of_eai;
use super::{local, ready};

/// The name of the host at an address, by /etc/hosts and DNS; WSAHOST_NOT_FOUND if it has none.
pub fn host_name(address: &Address) -> Result<String, Code> {
    // NI_MAXHOST: no name is longer.
    let mut buffer = [0_u8; 1025];
    // SAFETY: the address and the buffer are as long as said and outlive the call.
    let result = unsafe {
        libc::getnameinfo(
            address.as_ptr(),
            address.len(),
            buffer.as_mut_ptr().cast(),
            buffer.len() as libc::socklen_t,
            null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    match (result, CStr::from_bytes_until_nul(&buffer)) {
        (0, Ok(name)) => Ok(name.to_string_lossy().into_owned()),
        (0, Err(_)) => Err(Code::wsa(WSAHOST_NOT_FOUND)),
        (error, _) => Err(code_of_eai(error)),
    }
}

/// The host as the flags want it. A host without a name is written as numbers, unless a name is
/// required.
fn host(address: &Address, flags: u32) -> Result<String, Code> {
    if flags & NI_NUMERICHOST != 0 {
        return match flags & NI_NAMEREQD {
            0 => Ok(format::host(address)),
            _ => Err(Code::wsa(WSAHOST_NOT_FOUND)),
        };
    }
    match host_name(address) {
        Ok(name) if flags & NI_NOFQDN != 0 => Ok(relative(&name)),
        Err(_) if flags & NI_NAMEREQD == 0 => Ok(format::host(address)),
        found => found,
    }
}

/// The name of a host of our own domain without the domain.
fn relative(name: &str) -> String {
    let own = local::name().unwrap_or_default();
    let domain = own.split_once('.').map_or("", |(_, domain)| domain);
    match name.split_once('.') {
        Some((host, rest)) if rest == domain => host.into(),
        _ => name.into(),
    }
}

fn service(address: &Address, flags: u32) -> String {
    let protocol = if flags & NI_DGRAM == 0 { "tcp" } else { "udp" };
    let named = match flags & NI_NUMERICSERV {
        0 => database::service(Key::Number(address.port()), Some(protocol)),
        _ => None,
    };
    named.map_or_else(|| address.port().to_string(), |entry| entry.name)
}

/// # Safety
/// `name` is NULL or readable for `len` bytes; each buffer is NULL or writable for its room.
unsafe fn lookup<U: Unit>(
    name: *const SOCKADDR,
    len: socklen_t,
    (node, node_room): (*mut U, u32),
    (service_buffer, service_room): (*mut U, u32),
    flags: i32,
) -> Result<(), Code> {
    ready()?;
    // SAFETY: the caller promises `len` bytes.
    let address = unsafe { address::read(name, len) }?;
    if node.is_null() && service_buffer.is_null() {
        return Err(Code::wsa(WSAHOST_NOT_FOUND));
    }
    let no_room = |buffer: *mut U, room| !buffer.is_null() && room == 0;
    if no_room(node, node_room) || no_room(service_buffer, service_room) {
        return Err(Code::wsa(WSAEINVAL));
    }
    let flags = flags as u32;
    let write = |text: String, buffer, room: u32| {
        // SAFETY: the caller promises the room.
        let written = unsafe { text::write(&text, buffer, room as usize) };
        written.map(drop).map_err(|_needed| Code::wsa(WSAEFAULT))
    };
    if !node.is_null() {
        write(host(&address, flags)?, node, node_room)?;
    }
    if !service_buffer.is_null() {
        write(service(&address, flags), service_buffer, service_room)?;
    }
    Ok(())
}

fn result(outcome: Result<(), Code>) -> i32 {
    returned(outcome.err().unwrap_or(Code(0)))
}

/// Looks up the names of an address and its port. A host or port without a name is written as
/// numbers. A buffer that is NULL asks for nothing; sizes are in bytes.
///
/// 0, or the error: WSANOTINITIALISED, WSAEFAULT (no address, or too short for its family, or a
/// buffer too small), WSAEAFNOSUPPORT, WSAEINVAL (a buffer of size 0), WSAHOST_NOT_FOUND (no
/// buffers, or NI_NAMEREQD and no name), WSATRY_AGAIN, WSANO_RECOVERY.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfo
///
/// # Safety
/// `psockaddr` is NULL or readable for `sockaddrlength` bytes; each buffer is NULL or writable for
/// its size.
pub unsafe extern "system" fn getnameinfo(
    psockaddr: *const SOCKADDR,
    sockaddrlength: socklen_t,
    pnodebuffer: PSTR,
    nodebuffersize: u32,
    pservicebuffer: PSTR,
    servicebuffersize: u32,
    flags: i32,
) -> i32 {
    let (node, service) = ((pnodebuffer, nodebuffersize), (pservicebuffer, servicebuffersize));
    // SAFETY: our caller's promise is the same.
    result(unsafe { lookup(psockaddr, sockaddrlength, node, service, flags) })
}

/// [`getnameinfo`] for wide strings; sizes are in WCHARs.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-getnameinfow
///
/// # Safety
/// As for [`getnameinfo`].
pub unsafe extern "system" fn GetNameInfoW(
    psockaddr: *const SOCKADDR,
    sockaddrlength: socklen_t,
    pnodebuffer: PWSTR,
    nodebuffersize: u32,
    pservicebuffer: PWSTR,
    servicebuffersize: u32,
    flags: i32,
) -> i32 {
    let (node, service) = ((pnodebuffer, nodebuffersize), (pservicebuffer, servicebuffersize));
    // SAFETY: our caller's promise is the same.
    result(unsafe { lookup(psockaddr, sockaddrlength, node, service, flags) })
}
