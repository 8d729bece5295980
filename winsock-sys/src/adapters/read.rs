//! What the kernel tells of the adapters, by getifaddrs and by its files.

use std::ffi::CStr;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use windows_sys::Win32::NetworkManagement::IpHelper::{
    IF_TYPE_ETHERNET_CSMACD, IF_TYPE_IEEE80211, IF_TYPE_OTHER, IF_TYPE_PPP,
    IF_TYPE_SOFTWARE_LOOPBACK, IF_TYPE_TUNNEL,
};

use crate::address::Address;

/// An adapter.
pub struct Adapter {
    pub name: String,
    pub index: u32,
    /// Linux' flags.
    flags: u32,
    /// Linux' number of its kind.
    hardware: u16,
    pub physical: Vec<u8>,
    pub addresses: Vec<Assigned>,
}

/// An address of an adapter.
pub struct Assigned {
    pub address: Address,
    pub prefix: u8,
}

impl Assigned {
    /// Whether it is this one, whatever the port.
    pub fn is(&self, other: &Address) -> bool {
        self.address.host() == other.host()
    }
}

impl Adapter {
    /// All of them, up or not, in the order of their indexes.
    pub fn all() -> Vec<Adapter> {
        let mut adapters: Vec<Adapter> = Vec::new();
        let mut list = null_mut();
        // SAFETY: `list` is where the call stores the head of the list.
        if unsafe { libc::getifaddrs(&mut list) } != 0 {
            return adapters;
        }
        let mut next = list;
        // SAFETY: the list is ours until it is freed, and ends in NULL.
        while let Some(entry) = unsafe { next.as_ref() } {
            // SAFETY: an entry of the list.
            unsafe { take(&mut adapters, entry) };
            next = entry.ifa_next;
        }
        // SAFETY: the list came from getifaddrs and nothing points into it any more.
        unsafe { libc::freeifaddrs(list) };
        adapters.sort_by_key(|adapter| adapter.index);
        adapters
    }

    fn has(&self, flag: i32) -> bool {
        self.flags & flag as u32 != 0
    }

    pub fn is_loopback(&self) -> bool {
        self.has(libc::IFF_LOOPBACK)
    }

    pub fn is_up(&self) -> bool {
        self.has(libc::IFF_UP) && self.has(libc::IFF_RUNNING)
    }

    pub fn has_broadcast(&self) -> bool {
        self.has(libc::IFF_BROADCAST)
    }

    pub fn has_multicast(&self) -> bool {
        self.has(libc::IFF_MULTICAST)
    }

    /// IANA's number of its kind.
    pub fn kind(&self) -> u32 {
        if self.is_loopback() {
            return IF_TYPE_SOFTWARE_LOOPBACK;
        }
        match self.hardware {
            libc::ARPHRD_ETHER if self.file("phy80211/name").is_some() => IF_TYPE_IEEE80211,
            libc::ARPHRD_ETHER => IF_TYPE_ETHERNET_CSMACD,
            libc::ARPHRD_PPP => IF_TYPE_PPP,
            libc::ARPHRD_TUNNEL | libc::ARPHRD_TUNNEL6 | libc::ARPHRD_SIT | libc::ARPHRD_IPGRE => {
                IF_TYPE_TUNNEL
            }
            _ if self.has(libc::IFF_POINTOPOINT) => IF_TYPE_TUNNEL,
            _ => IF_TYPE_OTHER,
        }
    }

    fn file(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(format!("/sys/class/net/{}/{name}", self.name)).ok()?;
        Some(text.trim().to_owned())
    }

    /// The longest packet; what its kind has as a rule if the kernel does not tell.
    pub fn mtu(&self) -> u32 {
        let usual = if self.is_loopback() { 65536 } else { 1500 };
        self.file("mtu").and_then(|text| text.parse().ok()).unwrap_or(usual)
    }

    /// Bits a second; all ones when nobody knows.
    pub fn speed(&self) -> u64 {
        let megabits: Option<u64> = self.file("speed").and_then(|text| text.parse().ok());
        megabits.map_or(u64::MAX, |megabits| megabits * 1_000_000)
    }

    /// The routers through which everything else is reached.
    pub fn gateways(&self, family: i32) -> Vec<Address> {
        let is_v4 = family == libc::AF_INET;
        let path = if is_v4 { "/proc/net/route" } else { "/proc/net/ipv6_route" };
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ours = lines.filter(|words| words.contains(&self.name.as_str()));
        ours.filter_map(|words| if is_v4 { gateway_v4(&words) } else { gateway_v6(&words) })
            .collect()
    }

    /// The groups that somebody on this computer has joined there.
    pub fn groups(&self, family: i32) -> Vec<Address> {
        match family {
            libc::AF_INET => self.groups_v4().unwrap_or_default(),
            _ => {
                let text = fs::read_to_string("/proc/net/igmp6").unwrap_or_default();
                let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
                let ours = lines.filter(|words| words.get(1) == Some(&self.name.as_str()));
                ours.filter_map(|words| host_v6(words.get(2)?)).collect()
            }
        }
    }

    /// A line for each adapter, and after it one for each of its groups, which begins with blanks.
    fn groups_v4(&self) -> Option<Vec<Address>> {
        let text = fs::read_to_string("/proc/net/igmp").ok()?;
        let mut lines = text.lines();
        lines.find(|line| line.split_whitespace().nth(1) == Some(self.name.as_str()))?;
        let own = lines.take_while(|line| line.starts_with(char::is_whitespace));
        Some(own.filter_map(|line| host_v4(line.split_whitespace().next()?)).collect())
    }
}

/// # Safety
/// The entry comes from getifaddrs.
unsafe fn take(adapters: &mut Vec<Adapter>, entry: &libc::ifaddrs) {
    // SAFETY: every entry has a name, which is valid as long as the list.
    let name = unsafe { CStr::from_ptr(entry.ifa_name) };
    let text = name.to_string_lossy();
    let at = adapters.iter().position(|adapter| adapter.name == text).unwrap_or_else(|| {
        // SAFETY: a name that ends in NUL.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        adapters.push(Adapter {
            name: text.into_owned(),
            index,
            flags: entry.ifa_flags,
            hardware: 0,
            physical: Vec::new(),
            addresses: Vec::new(),
        });
        adapters.len() - 1
    });
    let adapter = &mut adapters[at];
    if entry.ifa_addr.is_null() {
        return;
    }
    // SAFETY: the kernel's addresses and masks are as long as their family says.
    unsafe {
        if i32::from((*entry.ifa_addr).sa_family) == libc::AF_PACKET {
            let link = entry.ifa_addr.cast::<libc::sockaddr_ll>().read_unaligned();
            adapter.hardware = link.sll_hatype;
            let len = usize::from(link.sll_halen).min(link.sll_addr.len());
            adapter.physical = link.sll_addr[..len].to_vec();
        } else if let Some(address) = Address::of_kernel(entry.ifa_addr) {
            let mask = entry.ifa_netmask.as_ref().and_then(|mask| Address::of_kernel(mask));
            let bits = mask.map(|mask| mask.host().iter().map(|byte| byte.count_ones()).sum());
            let most = address.host().len() as u32 * 8;
            adapter.addresses.push(Assigned { address, prefix: bits.unwrap_or(most) as u8 });
        }
    }
}

/// Iface Destination Gateway Flags ..., numbers in the computer's own byte order.
fn gateway_v4(words: &[&str]) -> Option<Address> {
    let [_, "00000000", gateway, ..] = words else { return None };
    (*gateway != "00000000").then(|| host_v4(gateway))?
}

/// Destination, its length, source, its length, next hop, ..., adapter.
fn gateway_v6(words: &[&str]) -> Option<Address> {
    let [destination, "00", _, _, gateway, ..] = words else { return None };
    let none = |hexadecimal: &str| hexadecimal.bytes().all(|byte| byte == b'0');
    (none(destination) && !none(gateway)).then(|| host_v6(gateway))?
}

fn host_v4(hexadecimal: &str) -> Option<Address> {
    let word = u32::from_str_radix(hexadecimal, 16).ok()?;
    Some(Address::v4(word.to_ne_bytes(), 0))
}

fn host_v6(hexadecimal: &str) -> Option<Address> {
    let word = u128::from_str_radix(hexadecimal, 16).ok()?;
    Some(Address::v6(word.to_be_bytes(), 0, 0))
}

/// The name servers and the first domain that names are looked up in: /etc/resolv.conf.
pub fn resolver() -> (Vec<Address>, String) {
    let text = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let (mut servers, mut domain) = (Vec::new(), String::new());
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("nameserver"), Some(server)) => {
                let address = server.split('%').next().and_then(|text| text.parse().ok());
                servers.extend(address.map(of_ip));
            }
            (Some("search" | "domain"), Some(name)) if domain.is_empty() => domain = name.into(),
            _ => {}
        }
    }
    (servers, domain)
}

pub fn of_ip(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(v4) => Address::v4(v4.octets(), 0),
        IpAddr::V6(v6) => Address::v6(v6.octets(), 0, 0),
    }
}

/// An address with the bits behind its prefix cleared, or set.
pub fn masked(address: &Address, prefix: u8, set: bool) -> Address {
    let fill = |word: u128, bits: u32| {
        let behind = bits.saturating_sub(prefix.into());
        let rest = if behind == 0 { 0 } else { u128::MAX >> (128 - behind) };
        if set { word | rest } else { word & !rest }
    };
    match *address.host() {
        [a, b, c, d] => {
            let word = u32::from_be_bytes([a, b, c, d]);
            of_ip(Ipv4Addr::from(fill(word.into(), 32) as u32).into())
        }
        ref host => {
            let octets: [u8; 16] = host.try_into().unwrap_or_default();
            of_ip(Ipv6Addr::from(fill(u128::from_be_bytes(octets), 128)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let address = Address::v4([10, 1, 2, 3], 0);
        assert_eq!(masked(&address, 8, false), Address::v4([10, 0, 0, 0], 0));
        assert_eq!(masked(&address, 24, true), Address::v4([10, 1, 2, 255], 0));
        assert_eq!(masked(&address, 32, true), address);
        let v6 = Address::loopback(libc::AF_INET6, 0);
        assert_eq!(masked(&v6, 128, false), v6);
        assert!(masked(&v6, 64, false).is_unspecified());
    }

    #[test]
    fn lines_of_the_kernel() {
        let words = ["eth0", "00000000", "0102A8C0", "0003"];
        let little = cfg!(target_endian = "little");
        assert!(!little || gateway_v4(&words) == Some(Address::v4([192, 168, 2, 1], 0)));
        assert_eq!(gateway_v4(&["eth0", "0002A8C0", "00000000", "0001"]), None);
        assert_eq!(
            host_v6("00000000000000000000000000000001"),
            Some(of_ip("::1".parse().unwrap()))
        );
        assert!(Adapter::all().iter().any(Adapter::is_loopback));
    }
}
