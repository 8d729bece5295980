//! Joining and leaving multicast groups: options that can be set only and leave no value behind.

use std::ptr;

use libc::c_int;
use windows_sys::Win32::Networking::WinSock::{
    IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_BLOCK_SOURCE, IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP, IP_UNBLOCK_SOURCE, IPPROTO_IP, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP, MCAST_BLOCK_SOURCE, MCAST_JOIN_GROUP, MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP, MCAST_LEAVE_SOURCE_GROUP, MCAST_UNBLOCK_SOURCE, WSAEINVAL, WSAENOPROTOOPT,
};

use super::table::interface;
use super::value::{Given, Plain};
use super::{code, has_level};
use crate::address::{self, Address};
use crate::error::Code;
use crate::socket::Socket;
use crate::sys;

/// A change of memberships.
pub struct Change {
    level: i32,
    /// Linux' name for it.
    name: c_int,
    shape: Shape,
}

/// What the caller passes.
#[derive(Clone, Copy)]
enum Shape {
    /// IP_MREQ: group and interface.
    Group4,
    /// IP_MREQ_SOURCE: group, source and interface.
    Source4,
    /// IPV6_MREQ: group and interface's index.
    Group6,
    /// GROUP_REQ: interface's index and group, of either family.
    Group,
    /// GROUP_SOURCE_REQ: interface's index, group and source.
    Source,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Words<const N: usize>([u32; N]);
// SAFETY: an array of integers.
unsafe impl<const N: usize> Plain for Words<N> {}

/// As Linux lays out group_req, with one address, and group_source_req, with two.
#[derive(Clone, Copy)]
#[repr(C)]
struct Request<const N: usize> {
    interface: u32,
    /// Up to the alignment of an address: no byte of a value may be left undefined.
    zero: u32,
    addresses: [libc::sockaddr_storage; N],
}

/// What an option changes, if it is one of these.
pub fn find(level: i32, name: i32) -> Option<Change> {
    use Shape::{Group, Group4, Group6, Source, Source4};
    let (name, shape) = match (level, name) {
        (IPPROTO_IP, IP_ADD_MEMBERSHIP) => (libc::IP_ADD_MEMBERSHIP, Group4),
        (IPPROTO_IP, IP_DROP_MEMBERSHIP) => (libc::IP_DROP_MEMBERSHIP, Group4),
        (IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP) => (libc::IP_ADD_SOURCE_MEMBERSHIP, Source4),
        (IPPROTO_IP, IP_DROP_SOURCE_MEMBERSHIP) => (libc::IP_DROP_SOURCE_MEMBERSHIP, Source4),
        (IPPROTO_IP, IP_BLOCK_SOURCE) => (libc::IP_BLOCK_SOURCE, Source4),
        (IPPROTO_IP, IP_UNBLOCK_SOURCE) => (libc::IP_UNBLOCK_SOURCE, Source4),
        (IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP) => (libc::IPV6_ADD_MEMBERSHIP, Group6),
        (IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP) => (libc::IPV6_DROP_MEMBERSHIP, Group6),
        (IPPROTO_IP | IPPROTO_IPV6, name) => match name as u32 {
            MCAST_JOIN_GROUP => (libc::MCAST_JOIN_GROUP, Group),
            MCAST_LEAVE_GROUP => (libc::MCAST_LEAVE_GROUP, Group),
            MCAST_BLOCK_SOURCE => (libc::MCAST_BLOCK_SOURCE, Source),
            MCAST_UNBLOCK_SOURCE => (libc::MCAST_UNBLOCK_SOURCE, Source),
            MCAST_JOIN_SOURCE_GROUP => (libc::MCAST_JOIN_SOURCE_GROUP, Source),
            MCAST_LEAVE_SOURCE_GROUP => (libc::MCAST_LEAVE_SOURCE_GROUP, Source),
            _ => return None,
        },
        _ => return None,
    };
    Some(Change { level, name, shape })
}

impl Change {
    /// WSAEINVAL on a stream, WSAENOPROTOOPT for the wrong family, WSAEFAULT for a value too short,
    /// and what the kernel says: WSAEADDRNOTAVAIL without such an interface or membership.
    pub fn carry_out(&self, socket: &Socket, given: &Given) -> Result<(), Code> {
        if socket.form.is_stream() {
            return Err(Code::wsa(WSAEINVAL));
        }
        if !has_level(socket.form, self.level) {
            return Err(Code::wsa(WSAENOPROTOOPT));
        }
        match self.shape {
            Shape::Group4 => {
                let Words([group, place]) = given.plain()?;
                self.set(socket, libc::ip_mreqn { imr_multiaddr: host(group), ..interface(place) })
            }
            Shape::Source4 => {
                let Words([group, source, place]) = given.plain()?;
                let request = libc::ip_mreq_source {
                    imr_multiaddr: host(group),
                    imr_interface: host(place),
                    imr_sourceaddr: host(source),
                };
                self.set(socket, request)
            }
            // The two systems agree on this one.
            Shape::Group6 => self.set(socket, given.plain::<Words<5>>()?),
            Shape::Group => self.set(socket, request::<1>(given)?),
            Shape::Source => self.set(socket, request::<2>(given)?),
        }
    }

    fn set<T: Copy>(&self, socket: &Socket, request: T) -> Result<(), Code> {
        let level = match self.level {
            IPPROTO_IP => libc::IPPROTO_IP,
            _ => libc::IPPROTO_IPV6,
        };
        let fd = socket.descriptor(&mut socket.lock()).map_err(code)?;
        sys::set_option(fd, level, self.name, request).map_err(code)
    }
}

fn host(s_addr: u32) -> libc::in_addr {
    libc::in_addr { s_addr }
}

/// A GROUP_REQ or GROUP_SOURCE_REQ: as Linux' but for the family's number.
fn request<const N: usize>(given: &Given) -> Result<Request<N>, Code> {
    const STORAGE: usize = size_of::<libc::sockaddr_storage>();
    // SAFETY: all zeroes is a valid sockaddr_storage.
    let nothing: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let Words([interface]) = given.plain()?;
    let mut request = Request { interface, zero: 0, addresses: [nothing; N] };
    for (nth, storage) in request.addresses.iter_mut().enumerate() {
        let (at, len) = given.rest(std::mem::offset_of!(Request<1>, addresses) + nth * STORAGE);
        // SAFETY: `rest` gives what is readable.
        let address: Address = unsafe { address::read(at.cast(), len.min(STORAGE) as i32) }?;
        // SAFETY: every address fits a sockaddr_storage.
        unsafe {
            let to = ptr::from_mut(storage).cast::<u8>();
            ptr::copy_nonoverlapping(address.as_ptr().cast(), to, address.len() as usize);
        }
    }
    Ok(request)
}
