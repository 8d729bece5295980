//! Socket addresses, built and read.

use std::fmt;
use std::mem::size_of;

use winsock_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, SOCKADDR, SOCKADDR_IN,
    SOCKADDR_IN6, SOCKADDR_STORAGE, SOCKET, getpeername, getsockname,
};

use crate::last_wsa_error;

/// A socket address with its length, as the calls take it.
#[derive(Clone, Copy)]
pub struct Addr {
    storage: SOCKADDR_STORAGE,
    /// Bytes of `storage` in use.
    pub len: i32,
}

impl Addr {
    /// Room for any address, for a call that fills one in.
    pub fn empty() -> Addr {
        Addr { storage: SOCKADDR_STORAGE::default(), len: size_of::<SOCKADDR_STORAGE>() as i32 }
    }

    /// A copy of the `len` bytes at `from`.
    ///
    /// # Safety
    /// `from` must be readable for `len` bytes.
    #[track_caller]
    pub unsafe fn copied_from(from: *const SOCKADDR, len: i32) -> Addr {
        let mut addr = Addr::empty();
        assert!((0..=addr.len).contains(&len), "an address of {len} bytes");
        addr.len = len;
        // SAFETY: the caller vouches for `from`; the length fits by the assertion.
        unsafe { addr.as_mut_ptr().cast::<u8>().copy_from(from.cast(), len as usize) };
        addr
    }

    pub fn as_ptr(&self) -> *const SOCKADDR {
        (&raw const self.storage).cast()
    }

    pub fn as_mut_ptr(&mut self) -> *mut SOCKADDR {
        (&raw mut self.storage).cast()
    }

    pub fn family(&self) -> u16 {
        self.storage.ss_family
    }

    /// The port in host order; it sits at the same offset in both families.
    pub fn port(&self) -> u16 {
        // SAFETY: `storage` is larger and at least as aligned as SOCKADDR_IN, all bit patterns of
        // which are valid.
        u16::from_be(unsafe { (*self.as_ptr().cast::<SOCKADDR_IN>()).sin_port })
    }

    fn from_bytes_of<T: Copy>(value: T) -> Addr {
        let mut addr = Addr::empty();
        addr.len = size_of::<T>() as i32;
        // SAFETY: `T` is one of the sockaddr types, which SOCKADDR_STORAGE is made to hold.
        unsafe { addr.as_mut_ptr().cast::<T>().write(value) };
        addr
    }
}

impl fmt::Debug for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "family {} port {} len {}", self.family(), self.port(), self.len)
    }
}

/// 127.0.0.1 with `port` (0 lets the system choose).
pub fn sockaddr_v4(port: u16) -> Addr {
    Addr::from_bytes_of(SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: port.to_be(),
        sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes([127, 0, 0, 1]) } },
        sin_zero: [0; 8],
    })
}

/// `[::1]` with `port` (0 lets the system choose).
pub fn sockaddr_v6(port: u16) -> Addr {
    let mut loopback = [0; 16];
    loopback[15] = 1;
    Addr::from_bytes_of(SOCKADDR_IN6 {
        sin6_family: AF_INET6,
        sin6_port: port.to_be(),
        sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: loopback } },
        ..SOCKADDR_IN6::default()
    })
}

/// Where `socket` is bound.
#[track_caller]
pub fn local_addr(socket: SOCKET) -> Addr {
    let mut addr = Addr::empty();
    // SAFETY: `addr` outlives the call and `len` is its room.
    let rc = unsafe { getsockname(socket, addr.as_mut_ptr(), &raw mut addr.len) };
    assert_eq!(rc, 0, "getsockname: {}", last_wsa_error());
    addr
}

/// Who is at the other end of `socket`, or the WSA error.
pub fn peer_addr(socket: SOCKET) -> Result<Addr, i32> {
    let mut addr = Addr::empty();
    // SAFETY: `addr` outlives the call and `len` is its room.
    match unsafe { getpeername(socket, addr.as_mut_ptr(), &raw mut addr.len) } {
        0 => Ok(addr),
        _ => Err(last_wsa_error()),
    }
}
