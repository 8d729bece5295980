//! The network adapters: iphlpapi.

use std::ffi::CStr;
use std::ptr::{null, null_mut};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_INVALID_PARAMETER, ERROR_NO_DATA, ERROR_SUCCESS,
};
use winsock_sys::Win32::NetworkManagement::IpHelper::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// GetAdaptersAddresses' list in memory of its own, and how long it is.
fn adapters(family: u16, flags: u32) -> (Vec<u64>, u32) {
    let mut size = 0;
    let family = family.into();
    // SAFETY: a size and no memory.
    let asked = unsafe { GetAdaptersAddresses(family, flags, null(), null_mut(), &mut size) };
    assert_eq!(asked, ERROR_BUFFER_OVERFLOW);
    assert!(size > 0);
    let mut memory = vec![0u64; (size as usize).div_ceil(8) + 512];
    let mut room = (memory.len() * 8) as u32;
    let to = memory.as_mut_ptr().cast();
    // SAFETY: the memory is as long as is said.
    let told = unsafe { GetAdaptersAddresses(family, flags, null(), to, &mut room) };
    assert_eq!(told, ERROR_SUCCESS);
    (memory, size)
}

/// The entries of a list.
fn entries(memory: &[u64]) -> Vec<&IP_ADAPTER_ADDRESSES_LH> {
    let mut next = memory.as_ptr().cast::<IP_ADAPTER_ADDRESSES_LH>();
    let mut found = Vec::new();
    // SAFETY: the list ends in NULL and lies in the memory, which the entries borrow.
    while let Some(entry) = unsafe { next.as_ref() } {
        found.push(entry);
        next = entry.Next;
    }
    found
}

fn unicast(adapter: &IP_ADAPTER_ADDRESSES_LH) -> Vec<(Addr, u8)> {
    let mut next = adapter.FirstUnicastAddress.cast_const();
    let mut found = Vec::new();
    // SAFETY: as above.
    while let Some(entry) = unsafe { next.as_ref() } {
        let address = entry.Address;
        // SAFETY: the entry's address lies in the list.
        let addr = unsafe { Addr::copied_from(address.lpSockaddr, address.iSockaddrLength) };
        found.push((addr, entry.OnLinkPrefixLength));
        next = entry.Next;
    }
    found
}

fn loopback<'a>(all: &[&'a IP_ADAPTER_ADDRESSES_LH]) -> &'a IP_ADAPTER_ADDRESSES_LH {
    let found = all.iter().find(|adapter| adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK);
    found.expect("a loopback adapter")
}

#[test]
fn the_loopback_is_an_adapter() {
    let (memory, _) = adapters(AF_UNSPEC, 0);
    let all = entries(&memory);
    let adapter = loopback(&all);
    assert_eq!((adapter.OperStatus, adapter.PhysicalAddressLength), (1, 0));
    let local = format!("{:?}", sockaddr_v4(0));
    let addresses = unicast(adapter);
    assert!(addresses.iter().any(|(address, _)| format!("{address:?}") == local));
    // SAFETY: every adapter has both texts.
    unsafe {
        assert!(!CStr::from_ptr(adapter.AdapterName.cast()).is_empty());
        assert_ne!(*adapter.FriendlyName, 0);
    }
}

#[test]
fn only_what_is_asked_for_is_listed() {
    let (memory, _) = adapters(AF_INET, GAA_FLAG_SKIP_FRIENDLY_NAME);
    for adapter in entries(&memory) {
        for (address, prefix) in unicast(adapter) {
            assert_eq!(address.family(), AF_INET);
            // Wine 8.0 has prefixes that are no IPv4's at times.
            may_differ_on_wine(|| assert!(prefix <= 32));
        }
        assert!(adapter.FriendlyName.is_null() || is_wine());
        assert!(adapter.FirstPrefix.is_null() && adapter.FirstGatewayAddress.is_null());
    }
    let (memory, _) = adapters(AF_UNSPEC, GAA_FLAG_SKIP_UNICAST | GAA_FLAG_INCLUDE_PREFIX);
    let all = entries(&memory);
    assert!(all.iter().all(|adapter| adapter.FirstUnicastAddress.is_null()));
    let adapter = loopback(&all);
    let mut next = adapter.FirstPrefix.cast_const();
    let mut prefixes = Vec::new();
    // SAFETY: the list ends in NULL and lies in the memory.
    while let Some(prefix) = unsafe { next.as_ref() } {
        let address = prefix.Address;
        // SAFETY: the entry's address lies in the list.
        let addr = unsafe { Addr::copied_from(address.lpSockaddr, address.iSockaddrLength) };
        prefixes.push((addr.family(), prefix.PrefixLength));
        next = prefix.Next;
    }
    // Wine 8.0 has none for the loopback.
    may_differ_on_wine(|| assert!(prefixes.contains(&(AF_INET, 8)), "{prefixes:?}"));
}

#[test]
fn too_little_room_says_how_much_it_takes() {
    let (_, needed) = adapters(AF_UNSPEC, 0);
    let mut memory = [0u64; 4];
    let mut room = size_of_val(&memory) as u32;
    let unspec = AF_UNSPEC.into();
    let to = memory.as_mut_ptr().cast();
    // SAFETY: the memory is as long as is said.
    let told = unsafe { GetAdaptersAddresses(unspec, 0, null(), to, &mut room) };
    assert_eq!((told, room, memory), (ERROR_BUFFER_OVERFLOW, needed, [0; 4]));
    // SAFETY: NULL is answered, and so is a family that there is not.
    unsafe {
        let told = GetAdaptersAddresses(unspec, 0, null(), null_mut(), null_mut());
        assert_eq!(told, ERROR_INVALID_PARAMETER);
        let told = GetAdaptersAddresses(77, 0, null(), null_mut(), &mut room);
        // Wine 8.0 knows no bad families.
        may_differ_on_wine(|| assert_eq!(told, ERROR_INVALID_PARAMETER));
    }
}

#[test]
fn the_older_list_has_text() {
    let mut size = 0;
    // SAFETY: NULL is answered; a size and no memory.
    unsafe {
        assert_eq!(GetAdaptersInfo(null_mut(), null_mut()), ERROR_INVALID_PARAMETER);
        match GetAdaptersInfo(null_mut(), &mut size) {
            ERROR_NO_DATA => return, // The loopback is all there is.
            told => assert_eq!(told, ERROR_BUFFER_OVERFLOW),
        }
    }
    let mut memory = vec![0u64; (size as usize).div_ceil(8) + 512];
    let mut room = (memory.len() * 8) as u32;
    // SAFETY: the memory is as long as is said.
    let told = unsafe { GetAdaptersInfo(memory.as_mut_ptr().cast(), &mut room) };
    assert_eq!(told, ERROR_SUCCESS);
    let mut next = memory.as_ptr().cast::<IP_ADAPTER_INFO>();
    // SAFETY: the list ends in NULL and lies in the memory.
    while let Some(adapter) = unsafe { next.as_ref() } {
        // SAFETY: an array of characters that ends in NUL.
        let text =
            unsafe { CStr::from_ptr(adapter.IpAddressList.IpAddress.String.as_ptr().cast()) };
        let text = text.to_str().expect("ASCII");
        assert!(text.parse::<std::net::Ipv4Addr>().is_ok(), "{text:?}");
        assert_ne!((adapter.Index, adapter.Type), (0, IF_TYPE_SOFTWARE_LOOPBACK));
        next = adapter.Next;
    }
}

#[test]
fn an_address_leads_to_its_adapter() {
    let (memory, _) = adapters(AF_INET, 0);
    let all = entries(&memory);
    // SAFETY: plain data.
    let index = unsafe { loopback(&all).Anonymous1.Anonymous.IfIndex };
    let to = sockaddr_v4(80);
    let (mut best, mut best_ex) = (0, 0);
    init();
    // SAFETY: addresses and indexes are valid, or NULL, which is answered.
    unsafe {
        let host = u32::from_ne_bytes([127, 0, 0, 1]);
        assert_eq!(GetBestInterface(host, &mut best), ERROR_SUCCESS);
        assert_eq!(GetBestInterfaceEx(to.as_ptr(), &mut best_ex), ERROR_SUCCESS);
        assert_eq!(GetBestInterface(host, null_mut()), ERROR_INVALID_PARAMETER);
    }
    // Wine 8.0 takes the way to everywhere.
    may_differ_on_wine(|| assert_eq!((best, best_ex), (index, index)));
}

#[test]
fn names_and_indexes_go_there_and_back() {
    let (memory, _) = adapters(AF_INET, 0);
    let all = entries(&memory);
    // SAFETY: plain data.
    let index = unsafe { loopback(&all).Anonymous1.Anonymous.IfIndex };
    let mut name = [0u8; 257];
    // SAFETY: the name has the room that the page asks for; texts end in NUL.
    unsafe {
        assert_eq!(if_indextoname(index, name.as_mut_ptr()), name.as_mut_ptr());
        assert_eq!(if_nametoindex(name.as_ptr()), index);
        assert_eq!(if_nametoindex(c"no such adapter".as_ptr().cast()), 0);
        assert!(if_indextoname(0x7fff_fff0, name.as_mut_ptr()).is_null());
    }
}
