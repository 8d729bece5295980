//! GetAdaptersInfo's list.

use std::ptr::null_mut;

use windows_sys::Win32::NetworkManagement::IpHelper::{
    IP_ADAPTER_INFO, IP_ADDR_STRING, IP_ADDRESS_STRING,
};

use crate::address::Address;
use crate::convert::format;

use super::block::{Block, Spot};
use super::list::{guid, of_guid};
use super::read::{Adapter, masked};

/// Writes the list, whose first entry is at the front of the block.
pub fn write(block: &mut Block, adapters: &[Adapter]) {
    let spots: Vec<Spot> =
        adapters.iter().map(|_| block.reserve_for::<IP_ADAPTER_INFO>()).collect();
    for (at, adapter) in adapters.iter().enumerate() {
        let own = adapter.addresses.iter().filter(|one| one.address.family() == libc::AF_INET);
        let ones = Address::v4([255; 4], 0);
        let own: Vec<_> = own.map(|one| (one.address, masked(&ones, one.prefix, false))).collect();
        let zero = Address::v4([0; 4], 0);
        let gateways = adapter.gateways(libc::AF_INET).into_iter();
        let gateways: Vec<_> = gateways.map(|gateway| (gateway, ones)).collect();
        let mut entry = IP_ADAPTER_INFO {
            Next: spots.get(at + 1).map_or(null_mut(), |&next| block.address(next)),
            ComboIndex: adapter.index,
            Index: adapter.index,
            Type: adapter.kind(),
            IpAddressList: list(block, &own, zero),
            GatewayList: list(block, &gateways, zero),
            DhcpServer: list(block, &[], zero),
            ..IP_ADAPTER_INFO::default()
        };
        write_text(&mut entry.AdapterName, &format!("{{{}}}", of_guid(&guid(&adapter.name))));
        write_text(&mut entry.Description, &adapter.name);
        let len = adapter.physical.len().min(entry.Address.len());
        entry.Address[..len].copy_from_slice(&adapter.physical[..len]);
        entry.AddressLength = len as u32;
        block.write(spots[at], entry);
    }
}

/// The first of a list; the others follow it. 0.0.0.0 when there is none.
fn list(block: &mut Block, addresses: &[(Address, Address)], none: Address) -> IP_ADDR_STRING {
    let mut next: *mut IP_ADDR_STRING = null_mut();
    for pair in addresses.iter().skip(1).rev() {
        let spot = block.put(item(pair, next));
        next = block.address(spot);
    }
    item(addresses.first().unwrap_or(&(none, none)), next)
}

fn item((address, mask): &(Address, Address), next: *mut IP_ADDR_STRING) -> IP_ADDR_STRING {
    let text = |address: &Address| {
        let mut text = IP_ADDRESS_STRING::default();
        write_text(&mut text.String, &format::host(address));
        text
    };
    IP_ADDR_STRING { Next: next, IpAddress: text(address), IpMask: text(mask), Context: 0 }
}

/// Up to the last place, which stays 0.
fn write_text(to: &mut [i8], text: &str) {
    let room = to.len() - 1;
    for (place, byte) in to[..room].iter_mut().zip(text.bytes()) {
        *place = byte as i8;
    }
}
