//! The network adapters: GetAdaptersAddresses and its kin of iphlpapi.
//!
//! | module | what it holds |
//! |---|---|
//! | `read` | what the kernel and its files tell of the adapters |
//! | `list`, `info` | GetAdaptersAddresses' and GetAdaptersInfo's lists in the caller's memory |
//! | `block` | memory of the caller that is filled from front to back |

mod block;
mod info;
mod list;
mod read;

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_INVALID_PARAMETER, ERROR_NETWORK_UNREACHABLE, ERROR_NO_DATA,
    ERROR_SUCCESS,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_INFO};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6, AF_UNSPEC, SOCKADDR};
use windows_sys::core::{PCSTR, PSTR};

use crate::address::{self, Address};
use crate::sys;

use self::block::Block;
use self::read::Adapter;

/// NDIS_IF_MAX_STRING_SIZE and a NUL: what if_indextoname may write.
const NAME_ROOM: usize = 257;

/// The adapters of this computer with their addresses: [GetAdaptersAddresses][ms], a list in the
/// caller's memory.
///
/// ERROR_BUFFER_OVERFLOW with the size that would do, ERROR_INVALID_PARAMETER for another family or
/// without a size.
///
/// DIFFERS: adapters have Linux' names, in FriendlyName and Description; AdapterName and
/// NetworkGuid are made from them. Anycast addresses, WINS servers and DHCP servers are not listed;
/// every adapter has the DNS servers of /etc/resolv.conf.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses
///
/// # Safety
/// As on Windows: `size` is NULL or valid, `to` is NULL or writable for `*size` bytes.
pub unsafe extern "system" fn GetAdaptersAddresses(
    family: u32,
    flags: u32,
    _reserved: *const c_void,
    to: *mut IP_ADAPTER_ADDRESSES_LH,
    size: *mut u32,
) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { adapters_addresses(family, flags, to.cast(), size, list::Wide::Utf16) }
}

/// [`GetAdaptersAddresses`] with wide strings in units of four bytes.
///
/// # Safety
/// As there.
pub unsafe fn adapters_addresses_utf32(
    family: u32,
    flags: u32,
    to: *mut u8,
    size: *mut u32,
) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { adapters_addresses(family, flags, to, size, list::Wide::Utf32) }
}

/// # Safety
/// As [`GetAdaptersAddresses`].
unsafe fn adapters_addresses(
    family: u32,
    flags: u32,
    to: *mut u8,
    size: *mut u32,
    wide: list::Wide,
) -> u32 {
    const UNSPEC: u32 = AF_UNSPEC as u32;
    const V4: u32 = AF_INET as u32;
    const V6: u32 = AF_INET6 as u32;
    let families: &[i32] = match family {
        UNSPEC => &[libc::AF_INET, libc::AF_INET6],
        V4 => &[libc::AF_INET],
        V6 => &[libc::AF_INET6],
        _ => return ERROR_INVALID_PARAMETER,
    };
    if size.is_null() {
        return ERROR_INVALID_PARAMETER;
    }
    let adapters = Adapter::all();
    if adapters.is_empty() {
        return ERROR_NO_DATA;
    }
    let mut block = Block::at(to);
    list::write(&mut block, &adapters, families, flags, wide);
    // SAFETY: passed on from our caller.
    unsafe { hand_out(&block, size) }
}

/// Copies a finished block into the caller's memory, if it fits.
///
/// # Safety
/// `size` is valid, and the block's place is NULL or writable for `*size` bytes.
unsafe fn hand_out(block: &Block, size: *mut u32) -> u32 {
    // SAFETY: our caller vouches for both.
    unsafe {
        let room = std::mem::replace(&mut *size, block.len() as u32);
        match block.copy_into(room as usize) {
            true => ERROR_SUCCESS,
            false => ERROR_BUFFER_OVERFLOW,
        }
    }
}

/// The adapters that have IPv4, the loopback left out: [GetAdaptersInfo][ms], a list in the
/// caller's memory with addresses as text.
///
/// ERROR_BUFFER_OVERFLOW with the size that would do, ERROR_NO_DATA when there is none,
/// ERROR_INVALID_PARAMETER without a size.
///
/// DIFFERS: adapters have Linux' names; nothing is known of DHCP and WINS.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersinfo
///
/// # Safety
/// As on Windows: `size` is NULL or valid, `to` is NULL or writable for `*size` bytes.
pub unsafe extern "system" fn GetAdaptersInfo(to: *mut IP_ADAPTER_INFO, size: *mut u32) -> u32 {
    if size.is_null() {
        return ERROR_INVALID_PARAMETER;
    }
    let mut adapters = Adapter::all();
    adapters.retain(|adapter| !adapter.is_loopback());
    if adapters.is_empty() {
        return ERROR_NO_DATA;
    }
    let mut block = Block::at(to.cast());
    info::write(&mut block, &adapters);
    // SAFETY: passed on from our caller.
    unsafe { hand_out(&block, size) }
}

/// The index of the adapter that leads to an IPv4 address, given in network order:
/// [GetBestInterface][ms].
///
/// ERROR_INVALID_PARAMETER without a place for it, ERROR_NETWORK_UNREACHABLE without a way there.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterface
///
/// # Safety
/// As on Windows: `index` is NULL or valid.
pub unsafe extern "system" fn GetBestInterface(to: u32, index: *mut u32) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { best(&Address::v4(to.to_ne_bytes(), 0), index) }
}

/// As [`GetBestInterface`], for an address of either family: [GetBestInterfaceEx][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/nf-iphlpapi-getbestinterfaceex
///
/// # Safety
/// As on Windows: `to` is NULL or an address as long as its family says, `index` NULL or valid.
pub unsafe extern "system" fn GetBestInterfaceEx(to: *const SOCKADDR, index: *mut u32) -> u32 {
    if to.is_null() {
        return ERROR_INVALID_PARAMETER;
    }
    // SAFETY: every address starts with its family, and is as long as that says.
    let address = unsafe {
        let len = if (*to).sa_family == AF_INET6 { 28 } else { 16 };
        address::read(to, len)
    };
    match address {
        // SAFETY: passed on from our caller.
        Ok(address) => unsafe { best(&address, index) },
        Err(_) => ERROR_INVALID_PARAMETER,
    }
}

/// # Safety
/// `index` is NULL or valid.
unsafe fn best(to: &Address, index: *mut u32) -> u32 {
    if index.is_null() {
        return ERROR_INVALID_PARAMETER;
    }
    let Some(own) = sys::source_of(to) else { return ERROR_NETWORK_UNREACHABLE };
    let has = |adapter: &&Adapter| adapter.addresses.iter().any(|one| one.is(&own));
    let adapters = Adapter::all();
    // All of 127.0.0.0/8 is the loopback's, with an address of its own or not.
    let found = adapters.iter().find(has).or(adapters.iter().find(|one| one.is_loopback()));
    match found {
        Some(adapter) => {
            // SAFETY: our caller vouches for it.
            unsafe { *index = adapter.index };
            ERROR_SUCCESS
        }
        None => ERROR_NETWORK_UNREACHABLE,
    }
}

/// The index of the adapter with that name: [if_nametoindex][ms]; 0 if there is none.
///
/// DIFFERS: adapters have Linux' names.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/netioapi/nf-netioapi-if_nametoindex
///
/// # Safety
/// As on Windows: `name` is NULL or ends in NUL.
pub unsafe extern "system" fn if_nametoindex(name: PCSTR) -> u32 {
    match name.is_null() {
        true => 0,
        // SAFETY: our caller promises the NUL.
        false => unsafe { libc::if_nametoindex(name.cast()) },
    }
}

/// The name of the adapter with that index: [if_indextoname][ms], in the caller's memory; NULL if
/// there is none.
///
/// DIFFERS: adapters have Linux' names.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/netioapi/nf-netioapi-if_indextoname
///
/// # Safety
/// As on Windows: `name` is NULL or writable for NDIS_IF_MAX_STRING_SIZE + 1 bytes.
pub unsafe extern "system" fn if_indextoname(index: u32, name: PSTR) -> PSTR {
    const { assert!(libc::IF_NAMESIZE < NAME_ROOM) };
    if name.is_null() {
        return null_mut();
    }
    let mut found = [0u8; libc::IF_NAMESIZE];
    // SAFETY: there is room for IF_NAMESIZE bytes, as the call wants it.
    if unsafe { libc::if_indextoname(index, found.as_mut_ptr().cast()) }.is_null() {
        return null_mut();
    }
    let found = CStr::from_bytes_until_nul(&found).unwrap_or_default().to_bytes_with_nul();
    // SAFETY: our caller promises more room than any name of Linux takes.
    unsafe { found.as_ptr().copy_to_nonoverlapping(name, found.len()) };
    name
}
