//! SIO_ADDRESS_LIST_SORT: which of several addresses to try first.

use std::mem::offset_of;
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{
    SOCKET_ADDRESS, SOCKET_ADDRESS_LIST, WSAEFAULT, WSAEINVAL,
};

use super::{Done, Input, Output, Refusal};
use crate::address::{self, Address};
use crate::error::Code;
use crate::sys;

/// Orders a SOCKET_ADDRESS_LIST as RFC 6724 orders destinations: those with a way to them first,
/// then those whose scope is that of our own address, IPv6 before IPv4, the nearer scope before the
/// farther; what is alike keeps its order. Output and input may be one buffer.
///
/// WSAEINVAL for a list that does not hold as many addresses as it says, WSAEFAULT for an output
/// that is shorter than the input.
pub fn sort(input: &Input, output: &Output) -> Result<Done, Refusal> {
    let addresses = read(input)?;
    let entries = offset_of!(SOCKET_ADDRESS_LIST, Address);
    let first_address = entries + addresses.len() * size_of::<SOCKET_ADDRESS>();
    let room: usize = addresses.iter().map(Address::windows_len).sum();
    let total = first_address + room;
    output.wants(total)?;
    let mut sorted = addresses;
    sorted.sort_by_cached_key(rank);
    // SAFETY: there is room for `total` bytes.
    unsafe { ptr::write_unaligned(output.at.cast(), sorted.len() as i32) };
    let mut at = first_address;
    for (nth, address) in sorted.iter().enumerate() {
        let to = output.at.wrapping_add(at);
        let entry = output.at.wrapping_add(entries + nth * size_of::<SOCKET_ADDRESS>());
        // SAFETY: both lie within `total`.
        unsafe {
            let len = address::write_raw(address, to) as i32;
            let value = SOCKET_ADDRESS { lpSockaddr: to.cast(), iSockaddrLength: len };
            ptr::write_unaligned(entry.cast(), value);
        }
        at += address.windows_len();
    }
    Ok(Done::AtOnce(total as u32))
}

fn read(input: &Input) -> Result<Vec<Address>, Refusal> {
    // SAFETY: an integer.
    let count = unsafe { input.read::<i32>() }?;
    let invalid = || Refusal::Wrong(Code::wsa(WSAEINVAL));
    let count = usize::try_from(count).map_err(|_| invalid())?;
    let entries = offset_of!(SOCKET_ADDRESS_LIST, Address);
    let holds = input.len.saturating_sub(entries) / size_of::<SOCKET_ADDRESS>();
    if count > holds {
        return Err(invalid());
    }
    let addresses = (0..count).map(|nth| {
        let entry = input.at.wrapping_add(entries + nth * size_of::<SOCKET_ADDRESS>());
        // SAFETY: the input has room for the entry; its pointer is the program's promise.
        unsafe {
            let entry = entry.cast::<SOCKET_ADDRESS>().read_unaligned();
            if entry.lpSockaddr.is_null() {
                return Err(Refusal::Wrong(Code::wsa(WSAEFAULT)));
            }
            Ok(address::read(entry.lpSockaddr, entry.iSockaddrLength)?)
        }
    });
    addresses.collect()
}

/// The lowest comes first.
fn rank(address: &Address) -> (bool, bool, bool, u8) {
    let source = sys::source_of(address);
    let scope = scope(address);
    let same_scope = source.is_some_and(|own| self::scope(&own) == scope);
    (source.is_none(), !same_scope, address.family() != libc::AF_INET6, scope)
}

/// RFC 6724, 3.1: 2 the link, 5 the site, 14 the world. IPv4's loopback and 169.254 are the link's.
fn scope(address: &Address) -> u8 {
    match *address.host() {
        [127, ..] | [169, 254, _, _] => 2,
        [0xff, flags, ..] if address.family() == libc::AF_INET6 => flags & 0xf,
        [0xfe, second, ..] if address.family() == libc::AF_INET6 => match second & 0xc0 {
            0x80 => 2,
            0xc0 => 5,
            _ => 14,
        },
        ref host if address.family() == libc::AF_INET6 => match host {
            [zeroes @ .., 1] if zeroes.iter().all(|&byte| byte == 0) => 2,
            _ => 14,
        },
        _ => 14,
    }
}
