//! GetAdaptersAddresses' list.

use std::ptr::null_mut;

use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_INCLUDE_GATEWAYS, GAA_FLAG_INCLUDE_PREFIX, GAA_FLAG_SKIP_DNS_SERVER,
    GAA_FLAG_SKIP_FRIENDLY_NAME, GAA_FLAG_SKIP_MULTICAST, GAA_FLAG_SKIP_UNICAST,
    IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_ADDRESSES_LH_0, IP_ADAPTER_ADDRESSES_LH_0_0,
    IP_ADAPTER_ADDRESSES_LH_1, IP_ADAPTER_DNS_SERVER_ADDRESS_XP, IP_ADAPTER_GATEWAY_ADDRESS_LH,
    IP_ADAPTER_MULTICAST_ADDRESS_XP, IP_ADAPTER_PREFIX_XP, IP_ADAPTER_UNICAST_ADDRESS_LH,
};
use windows_sys::Win32::NetworkManagement::Ndis::{
    IfOperStatusDown, IfOperStatusUp, NET_IF_CONNECTION_DEDICATED, NET_LUID_LH,
};
use windows_sys::Win32::Networking::WinSock::{
    IpDadStatePreferred, IpPrefixOriginManual, IpPrefixOriginWellKnown, IpSuffixOriginManual,
    IpSuffixOriginWellKnown, SOCKET_ADDRESS,
};
use windows_sys::core::GUID;

use crate::address::{self, Address};

use super::block::{Block, Spot};
use super::read::{self, Adapter, Assigned};

/// How wide strings are laid out.
#[derive(Clone, Copy)]
pub enum Wide {
    Utf16,
    Utf32,
}

/// Bits of an adapter's Flags.
const NO_MULTICAST: u32 = 0x10;
const IPV4_ENABLED: u32 = 0x80;
const IPV6_ENABLED: u32 = 0x100;

/// Writes the list, whose first entry is at the front of the block.
pub fn write(block: &mut Block, adapters: &[Adapter], families: &[i32], flags: u32, wide: Wide) {
    let spots: Vec<Spot> =
        adapters.iter().map(|_| block.reserve_for::<IP_ADAPTER_ADDRESSES_LH>()).collect();
    let (servers, domain) = read::resolver();
    for (at, adapter) in adapters.iter().enumerate() {
        let next = spots.get(at + 1).map_or(null_mut(), |&next| block.address(next));
        let servers = if adapter.is_loopback() { &[][..] } else { &servers };
        let mut entry = entry(block, adapter, families, flags, servers);
        entry.Next = next;
        let domain = if adapter.is_loopback() { "" } else { &domain };
        let friendly = flags & GAA_FLAG_SKIP_FRIENDLY_NAME == 0;
        entry.DnsSuffix = text(block, domain, wide);
        entry.Description = text(block, &adapter.name, wide);
        if friendly {
            entry.FriendlyName = text(block, &adapter.name, wide);
        }
        block.write(spots[at], entry);
    }
}

fn text(block: &mut Block, text: &str, wide: Wide) -> *mut u16 {
    let bytes: Vec<u8> = match wide {
        Wide::Utf16 => text.encode_utf16().chain([0]).flat_map(u16::to_ne_bytes).collect(),
        Wide::Utf32 => text.chars().map(u32::from).chain([0]).flat_map(u32::to_ne_bytes).collect(),
    };
    let spot = block.put_bytes(&bytes);
    block.address(spot)
}

fn entry(
    block: &mut Block,
    adapter: &Adapter,
    families: &[i32],
    flags: u32,
    servers: &[Address],
) -> IP_ADAPTER_ADDRESSES_LH {
    let has = |flag: u32| flags & flag != 0;
    let of_families = |address: &&Assigned| families.contains(&address.address.family());
    let assigned: Vec<&Assigned> = adapter.addresses.iter().filter(of_families).collect();
    let speaks = |family: i32| {
        families.contains(&family)
            && adapter.addresses.iter().any(|one| one.address.family() == family)
    };
    let guid = guid(&adapter.name);
    let name = block.put_bytes(format!("{{{}}}\0", of_guid(&guid)).as_bytes());
    let mut physical = [0; 8];
    let physical_len = adapter.physical.len().min(physical.len());
    physical[..physical_len].copy_from_slice(&adapter.physical[..physical_len]);
    let kind = adapter.kind();
    let bits = [
        (speaks(libc::AF_INET), IPV4_ENABLED),
        (speaks(libc::AF_INET6), IPV6_ENABLED),
        (!adapter.has_multicast(), NO_MULTICAST),
    ];
    let mut zones = [0; 16];
    zones[1..3].fill(adapter.index); // The scopes that end at the adapter.
    let mut entry = IP_ADAPTER_ADDRESSES_LH {
        Anonymous1: IP_ADAPTER_ADDRESSES_LH_0 {
            Anonymous: IP_ADAPTER_ADDRESSES_LH_0_0 {
                Length: size_of::<IP_ADAPTER_ADDRESSES_LH>() as u32,
                IfIndex: if speaks(libc::AF_INET) { adapter.index } else { 0 },
            },
        },
        AdapterName: block.address(name),
        PhysicalAddress: physical,
        PhysicalAddressLength: if adapter.is_loopback() { 0 } else { physical_len as u32 },
        Anonymous2: IP_ADAPTER_ADDRESSES_LH_1 {
            Flags: bits.iter().filter(|(holds, _)| *holds).map(|(_, bit)| bit).sum(),
        },
        Mtu: adapter.mtu(),
        IfType: kind,
        OperStatus: if adapter.is_up() { IfOperStatusUp } else { IfOperStatusDown },
        Ipv6IfIndex: if speaks(libc::AF_INET6) { adapter.index } else { 0 },
        ZoneIndices: zones,
        TransmitLinkSpeed: adapter.speed(),
        ReceiveLinkSpeed: adapter.speed(),
        Luid: NET_LUID_LH { Value: u64::from(kind) << 48 | u64::from(adapter.index) << 24 },
        CompartmentId: 1,
        NetworkGuid: guid,
        ConnectionType: NET_IF_CONNECTION_DEDICATED,
        ..IP_ADAPTER_ADDRESSES_LH::default()
    };
    if !has(GAA_FLAG_SKIP_UNICAST) {
        entry.FirstUnicastAddress = unicast(block, &assigned);
    }
    if has(GAA_FLAG_INCLUDE_PREFIX) {
        entry.FirstPrefix = prefixes(block, adapter, &assigned);
    }
    if !has(GAA_FLAG_SKIP_MULTICAST) {
        let groups = families.iter().flat_map(|&family| adapter.groups(family));
        let groups: Vec<Address> = groups.collect();
        entry.FirstMulticastAddress = chain(block, &groups, |address, next| {
            let mut item =
                IP_ADAPTER_MULTICAST_ADDRESS_XP { Address: address, ..Default::default() };
            (item.Anonymous.Anonymous.Length, item.Next) = (len_of(&item), next);
            item
        });
    }
    if has(GAA_FLAG_INCLUDE_GATEWAYS) {
        let gateways = families.iter().flat_map(|&family| adapter.gateways(family));
        let gateways: Vec<Address> = gateways.collect();
        entry.FirstGatewayAddress = chain(block, &gateways, |address, next| {
            let mut item = IP_ADAPTER_GATEWAY_ADDRESS_LH { Address: address, ..Default::default() };
            (item.Anonymous.Anonymous.Length, item.Next) = (len_of(&item), next);
            item
        });
    }
    if !has(GAA_FLAG_SKIP_DNS_SERVER) {
        entry.FirstDnsServerAddress = chain(block, servers, |address, next| {
            let mut item =
                IP_ADAPTER_DNS_SERVER_ADDRESS_XP { Address: address, ..Default::default() };
            (item.Anonymous.Anonymous.Length, item.Next) = (len_of(&item), next);
            item
        });
    }
    entry
}

fn len_of<T>(_item: &T) -> u32 {
    size_of::<T>() as u32
}

/// Writes a list of structures, one an address, from its end to its front, and says where it
/// begins.
fn chain<T: Copy>(
    block: &mut Block,
    addresses: &[Address],
    item: impl Fn(SOCKET_ADDRESS, *mut T) -> T,
) -> *mut T {
    let mut next = null_mut();
    for address in addresses.iter().rev() {
        let value = item(place(block, address), next);
        let spot = block.put(value);
        next = block.address(spot);
    }
    next
}

/// Writes an address, and says where.
fn place(block: &mut Block, address: &Address) -> SOCKET_ADDRESS {
    let mut bytes = [0; 28];
    // SAFETY: there is room for the longest address.
    let len = unsafe { address::write_raw(address, bytes.as_mut_ptr()) };
    let spot = block.put_bytes(&bytes[..len]);
    SOCKET_ADDRESS { lpSockaddr: block.address(spot), iSockaddrLength: len as i32 }
}

fn unicast(block: &mut Block, assigned: &[&Assigned]) -> *mut IP_ADAPTER_UNICAST_ADDRESS_LH {
    const FOR_EVER: u32 = u32::MAX;
    let mut next = null_mut();
    for one in assigned.iter().rev() {
        // The loopback's and the link's own are the same on every computer.
        let known = matches!(one.address.host(), [127, ..] | [0xfe, 0x80, ..]);
        let mut item = IP_ADAPTER_UNICAST_ADDRESS_LH {
            Next: next,
            Address: place(block, &one.address),
            PrefixOrigin: if known { IpPrefixOriginWellKnown } else { IpPrefixOriginManual },
            SuffixOrigin: if known { IpSuffixOriginWellKnown } else { IpSuffixOriginManual },
            DadState: IpDadStatePreferred,
            ValidLifetime: FOR_EVER,
            PreferredLifetime: FOR_EVER,
            LeaseLifetime: FOR_EVER,
            OnLinkPrefixLength: one.prefix,
            ..Default::default()
        };
        item.Anonymous.Anonymous.Length = len_of(&item);
        let spot = block.put(item);
        next = block.address(spot);
    }
    next
}

/// For each address its network, itself, and where there is one its broadcast address.
fn prefixes(
    block: &mut Block,
    adapter: &Adapter,
    assigned: &[&Assigned],
) -> *mut IP_ADAPTER_PREFIX_XP {
    let mut all = Vec::new();
    for one in assigned {
        let whole = one.address.host().len() as u8 * 8;
        all.push((read::masked(&one.address, one.prefix, false), one.prefix));
        all.push((read::masked(&one.address, whole, false), whole));
        if one.address.family() == libc::AF_INET && adapter.has_broadcast() && one.prefix < 31 {
            all.push((read::masked(&one.address, one.prefix, true), whole));
        }
    }
    let mut next = null_mut();
    for (address, prefix) in all.iter().rev() {
        let mut item = IP_ADAPTER_PREFIX_XP {
            Next: next,
            Address: place(block, address),
            PrefixLength: (*prefix).into(),
            ..Default::default()
        };
        item.Anonymous.Anonymous.Length = len_of(&item);
        let spot = block.put(item);
        next = block.address(spot);
    }
    next
}

/// A GUID that is always the same for a name (FNV-1a).
pub fn guid(name: &str) -> GUID {
    let hash = |seed: u64| {
        name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    };
    let (high, low) = (hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15));
    GUID::from_u128(u128::from(high) << 64 | u128::from(low))
}

pub fn of_guid(guid: &GUID) -> String {
    let [a, b, rest @ ..] = guid.data4;
    let rest: String = rest.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{:08X}-{:04X}-{:04X}-{a:02X}{b:02X}-{rest}", guid.data1, guid.data2, guid.data3)
}
