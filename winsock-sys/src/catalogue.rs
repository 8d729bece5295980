//! The protocols that sockets can be made of: `WSAEnumProtocols`.

use windows_sys::Win32::Networking::WinSock::{
    SOCKET_ERROR, WSAEFAULT, WSAENOBUFS, WSANOTINITIALISED, WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW,
};

use crate::duplicate;
use crate::error::{self, Code};
use crate::options;
use crate::socket::Form;
use crate::start;

/// Lists the protocols that sockets can be made of, all or those asked for:
/// [WSAEnumProtocolsW][ms]. How many, or SOCKET_ERROR with WSAENOBUFS, and the room it takes in
/// `*room`.
///
/// TCP and UDP over IPv4 and IPv6: what Windows' catalogue has of them.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaenumprotocolsw
///
/// # Safety
/// As on Windows: `wanted` is NULL or ends in 0; `to` is NULL or writable for `*room` bytes.
pub unsafe extern "system" fn WSAEnumProtocolsW(
    wanted: *const i32,
    to: *mut WSAPROTOCOL_INFOW,
    room: *mut u32,
) -> i32 {
    // SAFETY: passed on from our caller.
    answer(unsafe { list(wanted, to, room, duplicate::protocol_info) })
}

/// As [`WSAEnumProtocolsW`]: [WSAEnumProtocolsA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaenumprotocolsa
///
/// # Safety
/// As there.
pub unsafe extern "system" fn WSAEnumProtocolsA(
    wanted: *const i32,
    to: *mut WSAPROTOCOL_INFOA,
    room: *mut u32,
) -> i32 {
    // SAFETY: passed on from our caller.
    answer(unsafe { list(wanted, to, room, options::protocol_info_a) })
}

fn answer(listed: Result<i32, Code>) -> i32 {
    listed.unwrap_or_else(|code| {
        error::set_last(code);
        SOCKET_ERROR
    })
}

/// # Safety
/// As [`WSAEnumProtocolsW`].
unsafe fn list<T>(
    wanted: *const i32,
    to: *mut T,
    room: *mut u32,
    describe: fn(Form) -> T,
) -> Result<i32, Code> {
    if !start::started() {
        return Err(Code::wsa(WSANOTINITIALISED));
    }
    if room.is_null() {
        return Err(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller promises that the numbers end in 0.
    let wanted = unsafe { numbers(wanted) };
    let fits = |form: &Form| wanted.as_ref().is_none_or(|all| all.contains(&form.protocol));
    let forms: Vec<Form> = FORMS.into_iter().filter(fits).collect();
    let needed = (forms.len() * size_of::<T>()) as u32;
    // SAFETY: our caller vouches for it.
    let given = unsafe { std::mem::replace(&mut *room, needed) };
    if given < needed || to.is_null() {
        return Err(Code::wsa(WSAENOBUFS));
    }
    for (nth, form) in forms.iter().enumerate() {
        // SAFETY: there is room for all of them, as our caller promises; it need not be aligned.
        unsafe { to.add(nth).write_unaligned(describe(*form)) };
    }
    Ok(forms.len() as i32)
}

/// # Safety
/// `from` is NULL or ends in 0.
unsafe fn numbers(mut from: *const i32) -> Option<Vec<i32>> {
    if from.is_null() {
        return None;
    }
    let mut all = Vec::new();
    loop {
        // SAFETY: our caller promises a 0 at the end, which has not been met yet.
        let number = unsafe { *from };
        if number == 0 {
            return Some(all);
        }
        all.push(number);
        from = from.wrapping_add(1);
    }
}

/// In the order of the catalogue. Linux' numbers of TCP and UDP are Windows'.
const FORMS: [Form; 4] = [
    form(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_TCP),
    form(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP),
    form(libc::AF_INET6, libc::SOCK_STREAM, libc::IPPROTO_TCP),
    form(libc::AF_INET6, libc::SOCK_DGRAM, libc::IPPROTO_UDP),
];

const fn form(family: i32, kind: i32, protocol: i32) -> Form {
    Form { family, kind, protocol, overlapped: true }
}
