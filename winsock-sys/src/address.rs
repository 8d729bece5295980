//! Socket addresses across the border: Windows' layout outside, Linux' inside.
//!
//! The two layouts agree byte for byte; only the number of IPv6's family differs. An [`Address`]
//! therefore holds the bytes, with Linux' family.

use std::mem::{offset_of, size_of};

use libc::{AF_INET, AF_INET6, AF_UNSPEC, c_int, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};
use windows_sys::Win32::Networking::WinSock::{
    self, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6, WSAEAFNOSUPPORT, WSAEFAULT,
};

use crate::error::Code;

const V4_LEN: usize = size_of::<sockaddr_in>();
const V6_LEN: usize = size_of::<sockaddr_in6>();
/// Where both families keep the family, the port, and where each keeps the address.
const FAMILY: usize = offset_of!(sockaddr_in, sin_family);
const PORT: usize = offset_of!(sockaddr_in, sin_port);
const V4_HOST: usize = offset_of!(sockaddr_in, sin_addr);
const V6_HOST: usize = offset_of!(sockaddr_in6, sin6_addr);
const V6_SCOPE: usize = offset_of!(sockaddr_in6, sin6_scope_id);

const _: () = {
    assert!(V4_LEN == size_of::<SOCKADDR_IN>() && V6_LEN == size_of::<SOCKADDR_IN6>());
    assert!(FAMILY == offset_of!(SOCKADDR_IN6, sin6_family));
    assert!(PORT == offset_of!(SOCKADDR_IN, sin_port));
    assert!(PORT == offset_of!(SOCKADDR_IN6, sin6_port));
    assert!(PORT == offset_of!(sockaddr_in6, sin6_port));
    assert!(V4_HOST == offset_of!(SOCKADDR_IN, sin_addr));
    assert!(V6_HOST == offset_of!(SOCKADDR_IN6, sin6_addr));
    assert!(V6_SCOPE == offset_of!(SOCKADDR_IN6, Anonymous));
};

/// An IPv4 or IPv6 address with its port, as Linux lays it out, or nothing yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(4))]
pub struct Address {
    bytes: [u8; V6_LEN],
    /// Bytes in use; the kernel may set it.
    len: socklen_t,
}

impl Address {
    /// Room for any address, for the kernel to fill in; its family is AF_UNSPEC until then.
    pub const fn empty() -> Address {
        Address { bytes: [0; V6_LEN], len: V6_LEN as socklen_t }
    }

    /// The unspecified address of a Linux family, port 0.
    pub fn any(family: c_int) -> Address {
        let mut address = Address::empty();
        address.bytes[FAMILY..PORT].copy_from_slice(&(family as u16).to_ne_bytes());
        address.len = address.windows_len() as socklen_t;
        address
    }

    /// An IPv4 address with `port` in host order.
    pub fn v4(host: [u8; 4], port: u16) -> Address {
        let mut address = Address::any(AF_INET);
        address.bytes[V4_HOST..][..4].copy_from_slice(&host);
        address.set_port(port);
        address
    }

    /// An IPv6 address with `port` in host order and its scope.
    pub fn v6(host: [u8; 16], port: u16, scope: u32) -> Address {
        let mut address = Address::any(AF_INET6);
        address.bytes[V6_HOST..][..16].copy_from_slice(&host);
        address.bytes[V6_SCOPE..].copy_from_slice(&scope.to_ne_bytes());
        address.set_port(port);
        address
    }

    /// The loopback address of a Linux family, with `port` in host order.
    pub fn loopback(family: c_int, port: u16) -> Address {
        match family {
            AF_INET6 => Address::v6(std::net::Ipv6Addr::LOCALHOST.octets(), port, 0),
            _ => Address::v4([127, 0, 0, 1], port),
        }
    }

    /// An address that the kernel or the C library holds; `None` if it is neither IPv4 nor IPv6.
    ///
    /// # Safety
    /// `name` is a sockaddr, as long as its family says.
    pub unsafe fn of_kernel(name: *const sockaddr) -> Option<Address> {
        // SAFETY: every sockaddr starts with its family.
        let family = c_int::from(unsafe { (*name).sa_family });
        if family != AF_INET && family != AF_INET6 {
            return None;
        }
        let mut address = Address::any(family);
        // SAFETY: the caller promises the length of the family; the two do not overlap.
        unsafe {
            let bytes = address.bytes.as_mut_ptr();
            name.cast::<u8>().copy_to_nonoverlapping(bytes, address.windows_len());
        }
        Some(address)
    }

    /// The IPv4-mapped IPv6 address of an IPv4 address.
    pub fn mapped(&self) -> Option<Address> {
        let [a, b, c, d] = self.host().try_into().ok()?;
        let host = std::net::Ipv4Addr::new(a, b, c, d).to_ipv6_mapped();
        Some(Address::v6(host.octets(), self.port(), 0))
    }

    /// What system calls take.
    pub fn as_ptr(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }

    /// What system calls fill in, up to the length of [`Address::empty`].
    pub fn as_mut_ptr(&mut self) -> *mut sockaddr {
        self.bytes.as_mut_ptr().cast()
    }

    /// Bytes in use.
    pub fn len(&self) -> socklen_t {
        self.len
    }

    /// Takes the length that a system call reported; an address longer than IPv6's is cut there.
    pub fn set_len(&mut self, len: socklen_t) {
        self.len = len.min(V6_LEN as socklen_t);
    }

    /// Linux' number of the family; AF_UNSPEC if nothing was filled in.
    pub fn family(&self) -> c_int {
        c_int::from(u16::from_ne_bytes([self.bytes[FAMILY], self.bytes[FAMILY + 1]]))
    }

    /// The port in host order.
    pub fn port(&self) -> u16 {
        u16::from_be_bytes([self.bytes[PORT], self.bytes[PORT + 1]])
    }

    /// Changes the port, given in host order.
    pub fn set_port(&mut self, port: u16) {
        self.bytes[PORT..PORT + 2].copy_from_slice(&port.to_be_bytes());
    }

    /// The scope of an IPv6 address (0: none); 0 for IPv4.
    pub fn scope(&self) -> u32 {
        match self.family() {
            AF_INET6 => u32::from_ne_bytes(std::array::from_fn(|at| self.bytes[V6_SCOPE + at])),
            _ => 0,
        }
    }

    /// The address proper, in network order: 4 bytes, 16, or none.
    pub fn host(&self) -> &[u8] {
        match self.family() {
            AF_INET => &self.bytes[V4_HOST..V4_HOST + 4],
            AF_INET6 => &self.bytes[V6_HOST..V6_HOST + 16],
            _ => &[],
        }
    }

    /// Whether it is 0.0.0.0 or `::`.
    pub fn is_unspecified(&self) -> bool {
        self.host().iter().all(|&byte| byte == 0)
    }

    /// Bytes of its sockaddr on Windows: 16 for IPv4, 28 for IPv6, 0 for nothing.
    pub fn windows_len(&self) -> usize {
        match self.family() {
            AF_INET => V4_LEN,
            AF_INET6 => V6_LEN,
            _ => 0,
        }
    }

    /// The bytes of its sockaddr on Windows.
    fn windows_bytes(&self) -> [u8; V6_LEN] {
        let mut bytes = self.bytes;
        bytes[FAMILY..PORT].copy_from_slice(&family_from_linux(self.family()).to_ne_bytes());
        bytes
    }
}

/// Windows' family number as Linux has it; `None` for a family that only one of the two knows.
pub fn family_to_linux(family: c_int) -> Option<c_int> {
    match u16::try_from(family).ok()? {
        WinSock::AF_UNSPEC => Some(AF_UNSPEC),
        WinSock::AF_INET => Some(AF_INET),
        WinSock::AF_INET6 => Some(AF_INET6),
        _ => None,
    }
}

/// Linux' family number as Windows has it; families other than IP's are none to us: AF_UNSPEC.
pub fn family_from_linux(family: c_int) -> u16 {
    match family {
        AF_INET => WinSock::AF_INET,
        AF_INET6 => WinSock::AF_INET6,
        _ => WinSock::AF_UNSPEC,
    }
}

/// Reads a caller's address, as `bind`, `connect` and `sendto` take it.
///
/// WSAEFAULT if `name` is NULL or `len` too short for its family; WSAEAFNOSUPPORT if the family is
/// neither AF_INET nor AF_INET6.
///
/// # Safety
/// `name` is NULL or readable for `len` bytes.
pub unsafe fn read(name: *const SOCKADDR, len: i32) -> Result<Address, Code> {
    let fault = Code::wsa(WSAEFAULT);
    let len = usize::try_from(len).map_err(|_| fault)?;
    if name.is_null() || len < PORT {
        return Err(fault);
    }
    let name: *const u8 = name.cast();
    // SAFETY: the caller promises `len` bytes, and the family takes the first two of them.
    let family = unsafe { name.add(FAMILY).cast::<u16>().read_unaligned() };
    let mut address = match family_to_linux(c_int::from(family)) {
        Some(family @ (AF_INET | AF_INET6)) => Address::any(family),
        _ => return Err(Code::wsa(WSAEAFNOSUPPORT)),
    };
    let needed = address.windows_len();
    if len < needed {
        return Err(fault);
    }
    // SAFETY: the caller promises `len` bytes, which are at least `needed`; `bytes` holds the
    // longest address, and the two do not overlap.
    unsafe {
        let rest = address.bytes.as_mut_ptr().add(PORT);
        name.add(PORT).copy_to_nonoverlapping(rest, needed - PORT);
    }
    Ok(address)
}

/// Writes an address into a caller's memory, as `getsockname`, `accept` and `recvfrom` do, and sets
/// `*len` to its length.
///
/// WSAEFAULT if a pointer is NULL or `*len` too small; nothing is written then.
///
/// # Safety
/// `len` is NULL or valid for reads and writes; `name` is NULL or writable for `*len` bytes.
pub unsafe fn write(address: &Address, name: *mut SOCKADDR, len: *mut i32) -> Result<(), Code> {
    let fault = Code::wsa(WSAEFAULT);
    if name.is_null() || len.is_null() {
        return Err(fault);
    }
    let needed = address.windows_len();
    // SAFETY: the caller promises that `len` is valid, and as much room as it says.
    unsafe {
        if usize::try_from(len.read_unaligned()).map_err(|_| fault)? < needed {
            return Err(fault);
        }
        len.write_unaligned(needed as i32);
        write_raw(address, name.cast());
    }
    Ok(())
}

/// Writes an address in Windows' layout and returns its length, for AcceptEx' blocks.
///
/// # Safety
/// `to` is writable for [`Address::windows_len`] bytes.
pub unsafe fn write_raw(address: &Address, to: *mut u8) -> usize {
    let (bytes, len) = (address.windows_bytes(), address.windows_len());
    // SAFETY: the caller promises the room; `bytes` has room for the longest address.
    unsafe { bytes.as_ptr().copy_to_nonoverlapping(to, len) };
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(address: &Address) -> (SOCKADDR_IN6, i32) {
        let (mut name, mut len) = (SOCKADDR_IN6::default(), size_of::<SOCKADDR_IN6>() as i32);
        // SAFETY: `name` has the room that `len` says.
        unsafe { write(address, (&raw mut name).cast(), &raw mut len) }.unwrap();
        (name, len)
    }

    #[test]
    fn both_families_go_there_and_back() {
        let v6 = Address::v6(std::array::from_fn(|at| at as u8), 0x1234, 7);
        for (address, family, len) in [
            (Address::v4([10, 1, 2, 3], 80), WinSock::AF_INET, 16),
            (v6, WinSock::AF_INET6, 28),
            (Address::loopback(AF_INET, 1), WinSock::AF_INET, 16),
            (Address::loopback(AF_INET6, 2), WinSock::AF_INET6, 28),
        ] {
            let (name, written) = windows(&address);
            assert_eq!((name.sin6_family, written), (family, len));
            assert_eq!(name.sin6_port, address.port().to_be());
            // SAFETY: `name` is as long as any address.
            let back = unsafe { read((&raw const name).cast(), written) };
            assert_eq!(back, Ok(address));
        }
        assert_eq!((v6.scope(), v6.port(), v6.host().len()), (7, 0x1234, 16));
    }

    #[test]
    fn unspecified() {
        assert!(Address::any(AF_INET).is_unspecified() && Address::any(AF_INET6).is_unspecified());
        assert!(!Address::loopback(AF_INET6, 0).is_unspecified());
        assert_eq!((Address::empty().family(), Address::empty().windows_len()), (AF_UNSPEC, 0));
    }

    #[test]
    fn bad_addresses_are_refused() {
        let fault = Err(Code::wsa(WSAEFAULT));
        let unknown = Err(Code::wsa(WSAEAFNOSUPPORT));
        let mut name = windows(&Address::loopback(AF_INET6, 9)).0;
        let at = (&raw const name).cast::<SOCKADDR>();
        // SAFETY: `name` is as long as any length that is passed.
        unsafe {
            assert_eq!(read(std::ptr::null(), 28), fault);
            for len in [-1, 0, 1, 2, 16, 27] {
                assert_eq!(read(at, len), fault, "len {len}");
            }
            assert!(read(at, 28).is_ok());
        }
        for family in [0, 1, 10, 99] {
            name.sin6_family = family;
            // SAFETY: as above.
            assert_eq!(unsafe { read((&raw const name).cast(), 28) }, unknown, "family {family}");
        }
    }

    #[test]
    fn too_little_room_writes_nothing() {
        let address = Address::loopback(AF_INET, 9);
        let (mut name, fault) = (SOCKADDR_IN::default(), Err(Code::wsa(WSAEFAULT)));
        for mut len in [-1, 0, 15] {
            let before = len;
            // SAFETY: `name` has at least the room that `len` says.
            let result = unsafe { write(&address, (&raw mut name).cast(), &raw mut len) };
            assert_eq!((result, len, name.sin_family), (fault, before, 0));
        }
    }
}
