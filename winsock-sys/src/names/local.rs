//! The computer itself: its name and its addresses.

use std::ptr::null_mut;

use libc::{AF_INET, AF_INET6, c_int};

use crate::address::Address;
use crate::error::{self, Code};

/// The name of this computer.
pub fn name() -> Result<String, Code> {
    // Longer than any name that Linux keeps.
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is as long as said; the last byte, which stays 0, is kept from the call.
    let result = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    if result != 0 {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        return Err(error::wsa_of_errno(errno));
    }
    let name = buffer.split(|&byte| byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// The unicast addresses of the interfaces that are up.
#[derive(Default, Debug)]
pub struct Interfaces {
    pub loopback: Vec<Address>,
    /// Those that others can reach, link-local ones of IPv6 included.
    pub outside: Vec<Address>,
}

impl Interfaces {
    /// Asks the kernel. If it does not tell, there is the IPv4 loopback: without that nothing runs.
    pub fn read() -> Interfaces {
        let mut found = Interfaces::default();
        let mut list = null_mut();
        // SAFETY: `list` is where the call stores the head of the list.
        if unsafe { libc::getifaddrs(&mut list) } == 0 {
            let mut next = list;
            // SAFETY: the list is ours until it is freed, and ends in NULL.
            while let Some(interface) = unsafe { next.as_ref() } {
                found.add(interface);
                next = interface.ifa_next;
            }
            // SAFETY: the list came from getifaddrs and nothing points into it any more.
            unsafe { libc::freeifaddrs(list) };
        }
        if found.loopback.is_empty() {
            found.loopback.push(Address::loopback(AF_INET, 0));
        }
        found.order();
        found
    }

    fn add(&mut self, interface: &libc::ifaddrs) {
        if interface.ifa_addr.is_null() || interface.ifa_flags & libc::IFF_UP as u32 == 0 {
            return;
        }
        // SAFETY: the kernel's addresses are as long as their family says.
        let Some(address) = (unsafe { Address::of_kernel(interface.ifa_addr) }) else { return };
        match interface.ifa_flags & libc::IFF_LOOPBACK as u32 {
            0 => self.outside.push(address),
            _ => self.loopback.push(address),
        }
    }

    /// IPv6 before IPv4, and the nearer scope first, as RFC 6724 orders destinations.
    fn order(&mut self) {
        let rank = |address: &Address| (address.family() != AF_INET6, address.scope() == 0);
        self.loopback.sort_by_key(rank);
        self.outside.sort_by_key(rank);
    }

    /// The loopback addresses as such: 127.0.0.1 and `::1`, those of the two that the computer has.
    pub fn localhost(&self) -> Vec<Address> {
        let loopbacks = [AF_INET6, AF_INET].map(|family| Address::loopback(family, 0));
        loopbacks.into_iter().filter(|address| self.loopback.contains(address)).collect()
    }

    /// What the computer is known by: its outside addresses, or its loopback if there are none.
    pub fn registered(&self) -> Vec<Address> {
        if self.outside.is_empty() { self.localhost() } else { self.outside.clone() }
    }

    /// Whether the computer speaks a family at all.
    pub fn speak(&self, family: c_int) -> bool {
        let mut all = self.loopback.iter().chain(&self.outside);
        all.any(|address| address.family() == family)
    }

    /// Whether an address of that family is configured, loopback not counted (AI_ADDRCONFIG).
    pub fn reach(&self, family: c_int) -> bool {
        self.outside.iter().any(|address| address.family() == family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_loopback() {
        let interfaces = Interfaces::read();
        assert!(interfaces.localhost().contains(&Address::loopback(AF_INET, 0)));
        assert!(interfaces.speak(AF_INET) && !interfaces.registered().is_empty());
        assert!(!name().unwrap().is_empty());
    }
}
