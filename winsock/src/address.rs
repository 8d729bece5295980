//! `SOCKADDR` on one side, [`std::net::SocketAddr`] on the other.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use winsock_sys::Win32::Networking::WinSock::{
    ADDRESS_FAMILY, AF_INET, AF_INET6, IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, SOCKADDR,
    SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_IN6_0, SOCKADDR_INET,
};

use crate::error::{Error, Result, winsock};

/// Room for an IPv4 or IPv6 address and its length, in the form that Winsock reads and writes.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Address {
    inet: SOCKADDR_INET,
    len: i32,
}

impl Address {
    /// How many bytes an address can have.
    pub const ROOM: i32 = size_of::<SOCKADDR_INET>() as i32;

    /// For a call to fill.
    pub fn empty() -> Address {
        Address { inet: SOCKADDR_INET::default(), len: Address::ROOM }
    }

    pub fn as_ptr(&self) -> *const SOCKADDR {
        (&raw const self.inet).cast()
    }

    pub fn as_mut_ptr(&mut self) -> *mut SOCKADDR {
        (&raw mut self.inet).cast()
    }

    pub fn len(&self) -> i32 {
        self.len
    }

    pub fn len_mut(&mut self) -> *mut i32 {
        &raw mut self.len
    }

    /// Lets `call` fill an address.
    pub fn from_call(call: impl FnOnce(*mut SOCKADDR, *mut i32) -> i32) -> Result<SocketAddr> {
        let mut address = Address::empty();
        let len = &raw mut address.len;
        winsock(call(address.as_mut_ptr(), len))?;
        address.to_socket_addr()
    }

    pub fn to_socket_addr(self) -> Result<SocketAddr> {
        // SAFETY: `inet` is at least as big as each of its variants.
        unsafe { read(self.as_ptr()) }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        match address {
            SocketAddr::V4(v4) => Address {
                inet: SOCKADDR_INET {
                    Ipv4: SOCKADDR_IN {
                        sin_family: AF_INET,
                        sin_port: v4.port().to_be(),
                        sin_addr: IN_ADDR {
                            S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(v4.ip().octets()) },
                        },
                        sin_zero: [0; 8],
                    },
                },
                len: size_of::<SOCKADDR_IN>() as i32,
            },
            SocketAddr::V6(v6) => Address {
                inet: SOCKADDR_INET {
                    Ipv6: SOCKADDR_IN6 {
                        sin6_family: AF_INET6,
                        sin6_port: v6.port().to_be(),
                        sin6_flowinfo: v6.flowinfo(),
                        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: v6.ip().octets() } },
                        Anonymous: SOCKADDR_IN6_0 { sin6_scope_id: v6.scope_id() },
                    },
                },
                len: size_of::<SOCKADDR_IN6>() as i32,
            },
        }
    }
}

/// The address family of `address`.
pub(crate) fn family(address: &SocketAddr) -> ADDRESS_FAMILY {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// # Safety
/// `address` points to a SOCKADDR with as many bytes as its family has.
pub(crate) unsafe fn read(address: *const SOCKADDR) -> Result<SocketAddr> {
    // SAFETY: the caller's; blocks that AcceptEx fills need not be aligned.
    match unsafe { (&raw const (*address).sa_family).read_unaligned() } {
        AF_INET => {
            // SAFETY: the caller's: the family says that it is a SOCKADDR_IN.
            let v4 = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned() };
            // SAFETY: every bit pattern is a valid u32.
            let ip = unsafe { v4.sin_addr.S_un.S_addr }.to_ne_bytes();
            Ok(SocketAddrV4::new(ip.into(), u16::from_be(v4.sin_port)).into())
        }
        AF_INET6 => {
            // SAFETY: the caller's: the family says that it is a SOCKADDR_IN6.
            let v6 = unsafe { address.cast::<SOCKADDR_IN6>().read_unaligned() };
            // SAFETY: every bit pattern is a valid byte array and a valid u32.
            let (ip, scope) = unsafe { (v6.sin6_addr.u.Byte, v6.Anonymous.sin6_scope_id) };
            let port = u16::from_be(v6.sin6_port);
            Ok(SocketAddrV6::new(Ipv6Addr::from(ip), port, v6.sin6_flowinfo, scope).into())
        }
        _ => Err(Error::INVALID),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in ["127.0.0.1:5150", "0.0.0.0:0", "[::1]:65535", "[fe80::1%7]:80"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Address::from(address).to_socket_addr(), Ok(address));
        }
    }

    #[test]
    fn no_address_is_an_error() {
        assert_eq!(Address::empty().to_socket_addr(), Err(Error::INVALID));
    }
}
