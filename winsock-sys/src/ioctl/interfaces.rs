//! The network interfaces: SIO_GET_INTERFACE_LIST and SIO_ADDRESS_LIST_QUERY.

use std::io::Error;
use std::mem::offset_of;
use std::ptr;

use libc::{c_uint, ifaddrs, sockaddr};
use windows_sys::Win32::Networking::WinSock::{
    IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST, IFF_POINTTOPOINT, IFF_UP, INTERFACE_INFO,
    SOCKET_ADDRESS, SOCKET_ADDRESS_LIST, WSAEFAULT, WSAEINVAL, sockaddr_gen,
};

use super::{Done, Output, Refusal};
use crate::address::{self, Address};
use crate::error::Code;
use crate::sys::Errno;

/// One address of an interface.
struct Interface {
    /// Linux' flags.
    flags: c_uint,
    address: Address,
    netmask: Option<Address>,
}

/// SIO_GET_INTERFACE_LIST: an array of INTERFACE_INFO, IPv4 only (WSAEINVAL for others). WSAEFAULT
/// when there is too little room.
pub fn list(family: i32, output: &Output) -> Result<Done, Refusal> {
    if family != libc::AF_INET {
        return Err(Refusal::Wrong(Code::wsa(WSAEINVAL)));
    }
    let interfaces = up(family)?;
    let total = interfaces.len() * size_of::<INTERFACE_INFO>();
    if output.len < total {
        return Err(Refusal::Wrong(Code::wsa(WSAEFAULT)));
    }
    for (nth, interface) in interfaces.iter().enumerate() {
        let to = output.at.wrapping_add(nth * size_of::<INTERFACE_INFO>());
        // SAFETY: there is room for `total` bytes, and the program's array need not be aligned.
        unsafe { ptr::write_unaligned(to.cast(), info(interface)) };
    }
    Ok(Done::Later(total as u32))
}

fn info(interface: &Interface) -> INTERFACE_INFO {
    const FLAGS: [(i32, u32); 5] = [
        (libc::IFF_UP, IFF_UP),
        (libc::IFF_BROADCAST, IFF_BROADCAST),
        (libc::IFF_LOOPBACK, IFF_LOOPBACK),
        (libc::IFF_POINTOPOINT, IFF_POINTTOPOINT),
        (libc::IFF_MULTICAST, IFF_MULTICAST),
    ];
    let has = |linux: i32| interface.flags & linux as c_uint != 0;
    let flags = FLAGS.iter().filter(|(linux, _)| has(*linux)).map(|(_, windows)| windows);
    INTERFACE_INFO {
        iiFlags: flags.sum(),
        iiAddress: windows_address(&interface.address),
        iiBroadcastAddress: windows_address(&Address::v4([255; 4], 0)),
        iiNetmask: windows_address(&interface.netmask.unwrap_or(Address::any(libc::AF_INET))),
    }
}

fn windows_address(address: &Address) -> sockaddr_gen {
    let mut written = sockaddr_gen::default();
    if address.windows_len() <= size_of::<sockaddr_gen>() {
        // SAFETY: it has just been seen to fit.
        unsafe { address::write_raw(address, (&raw mut written).cast()) };
    }
    written
}

/// SIO_ADDRESS_LIST_QUERY: a SOCKET_ADDRESS_LIST of the addresses that a socket of this family can
/// bind to, loopback only if there are no others. When there is too little room the count says how
/// much it takes.
pub fn list_addresses(family: i32, output: &Output) -> Result<Done, Refusal> {
    let mut interfaces = up(family)?;
    let is_loopback = |interface: &Interface| interface.flags & libc::IFF_LOOPBACK as c_uint != 0;
    if !interfaces.iter().all(is_loopback) {
        interfaces.retain(|interface| !is_loopback(interface));
    }
    let entries = offset_of!(SOCKET_ADDRESS_LIST, Address);
    let first_address = entries + interfaces.len() * size_of::<SOCKET_ADDRESS>();
    let room_each = Address::any(family).windows_len();
    let total = first_address + interfaces.len() * room_each;
    output.wants(total)?;
    // SAFETY: there is room for `total` bytes.
    unsafe { ptr::write_unaligned(output.at.cast(), interfaces.len() as i32) };
    for (nth, interface) in interfaces.iter().enumerate() {
        let to = output.at.wrapping_add(first_address + nth * room_each);
        let entry = output.at.wrapping_add(entries + nth * size_of::<SOCKET_ADDRESS>());
        // SAFETY: both lie within `total`.
        unsafe {
            let len = address::write_raw(&interface.address, to) as i32;
            let value = SOCKET_ADDRESS { lpSockaddr: to.cast(), iSockaddrLength: len };
            ptr::write_unaligned(entry.cast(), value);
        }
    }
    Ok(Done::AtOnce(total as u32))
}

/// The addresses of the interfaces that are up.
fn up(family: i32) -> Result<Vec<Interface>, Errno> {
    let mut first: *mut ifaddrs = ptr::null_mut();
    // SAFETY: the call fills in the pointer to a list, which is freed below.
    if unsafe { libc::getifaddrs(&mut first) } != 0 {
        return Err(Errno(Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)));
    }
    let mut found = Vec::new();
    let mut next = first;
    // SAFETY: the list's entries and what they point to are valid until it is freed.
    while let Some(entry) = unsafe { next.as_ref() } {
        // SAFETY: as above.
        found.extend(unsafe { interface(entry, family) });
        next = entry.ifa_next;
    }
    // SAFETY: the list came from getifaddrs and nothing refers to it any more.
    unsafe { libc::freeifaddrs(first) };
    Ok(found)
}

/// # Safety
/// The entry comes from getifaddrs.
unsafe fn interface(entry: &ifaddrs, family: i32) -> Option<Interface> {
    let is_up = entry.ifa_flags & libc::IFF_UP as c_uint != 0;
    // SAFETY: our caller vouches for the pointers.
    let (address, netmask) =
        unsafe { (read(entry.ifa_addr, family), read(entry.ifa_netmask, family)) };
    let interface = Interface { flags: entry.ifa_flags, address: address?, netmask };
    is_up.then_some(interface)
}

/// # Safety
/// `from` is NULL or an address of the kernel's, as long as its family is.
unsafe fn read(from: *const sockaddr, family: i32) -> Option<Address> {
    // SAFETY: our caller vouches for the address.
    let of_family =
        unsafe { from.as_ref() }.is_some_and(|from| i32::from(from.sa_family) == family);
    if !of_family {
        return None;
    }
    let mut address = Address::any(family);
    // SAFETY: both are addresses of the same family.
    unsafe {
        let to = address.as_mut_ptr().cast::<u8>();
        ptr::copy_nonoverlapping(from.cast::<u8>(), to, address.len() as usize);
    }
    Some(address)
}
