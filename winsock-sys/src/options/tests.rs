//! What the conformance suite cannot see: what reaches the kernel, and when.

use std::os::fd::RawFd;
use std::ptr;

use windows_sys::Win32::Networking::WinSock::*;

// Named one by one: windows-sys declares functions of these names too.
use super::*;
use super::{getsockopt, setsockopt};
use crate::start::{self, WSAStartup, closesocket};

/// A SOCKET that closes itself.
struct Own(SOCKET);

impl Own {
    fn new(family: u16, kind: i32) -> Own {
        // SAFETY: the structure outlives the call.
        assert_eq!(unsafe { WSAStartup(0x0202, &mut WSADATA::default()) }, 0);
        // SAFETY: no memory is passed.
        Own(unsafe { start::socket(family.into(), kind, 0) })
    }

    fn stream() -> Own {
        Own::new(AF_INET, SOCK_STREAM)
    }

    fn datagrams() -> Own {
        Own::new(AF_INET, SOCK_DGRAM)
    }

    fn set<T>(&self, level: i32, name: i32, value: T) -> i32 {
        let len = size_of::<T>() as i32;
        // SAFETY: pointer and length describe `value`.
        match unsafe { setsockopt(self.0, level, name, (&raw const value).cast(), len) } {
            0 => 0,
            _ => error::last() as i32,
        }
    }

    fn get<T: Default>(&self, level: i32, name: i32) -> Result<(T, i32), i32> {
        let (mut value, mut len) = (T::default(), size_of::<T>() as i32);
        // SAFETY: pointer and length describe `value`.
        match unsafe { getsockopt(self.0, level, name, (&raw mut value).cast(), &mut len) } {
            0 => Ok((value, len)),
            _ => Err(error::last() as i32),
        }
    }

    fn fd(&self) -> Option<RawFd> {
        object::socket(self.0).unwrap().lock().fd
    }

    /// Gives it a descriptor.
    fn equip(&self) -> RawFd {
        let socket = object::socket(self.0).unwrap();
        socket.descriptor(&mut socket.lock()).unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // SAFETY: no memory is passed.
        unsafe { closesocket(self.0) };
    }
}

fn kernel(fd: RawFd, level: i32, name: i32) -> i32 {
    sys::option(fd, level, name, 0i32).unwrap()
}

fn journal(entries: &[(i32, i32, u32)]) -> Journal {
    let mut journal = Journal::default();
    for &(level, name, value) in entries {
        journal.put(Entry { row: table::find(level, name).unwrap(), value });
    }
    journal
}

#[test]
fn every_default_can_be_set() {
    for row in ROWS {
        // An index goes in the other way round; 0 is 0 either way.
        let value = row.default.to_ne_bytes();
        // SAFETY: four bytes are readable.
        let given = unsafe { Given::new(value.as_ptr(), 4) }.unwrap();
        assert_eq!(row.read(&given), Ok(row.default), "{} {}", row.level, row.name);
        let first = ROWS.iter().position(|other| other.is(row.level, row.name));
        assert!(first.is_some_and(|first| ptr::eq(&ROWS[first], row)), "listed twice");
    }
}

#[test]
fn merging_takes_the_others_values() {
    let mut ours = journal(&[(SOL_SOCKET, SO_RCVTIMEO, 1), (SOL_SOCKET, SO_SNDTIMEO, 2)]);
    ours.merge(journal(&[(SOL_SOCKET, SO_SNDTIMEO, 3), (SOL_SOCKET, SO_REUSEADDR, 1)]));
    assert_eq!((ours.recv_timeout_ms(), ours.send_timeout_ms()), (1, 3));
    assert!(ours.reuse_address());
}

#[test]
fn a_stream_remembers_until_it_has_a_descriptor() {
    let socket = Own::stream();
    assert_eq!(socket.set(IPPROTO_TCP, TCP_NODELAY, 1_i32), 0);
    assert_eq!(socket.set(IPPROTO_TCP, TCP_KEEPIDLE, 77_u32), 0);
    assert_eq!(socket.set(SOL_SOCKET, SO_LINGER, LINGER { l_onoff: 9, l_linger: 5 }), 0);
    assert_eq!(socket.fd(), None);
    assert_eq!(socket.get::<u32>(IPPROTO_TCP, TCP_KEEPIDLE), Ok((77, 4)));
    let fd = socket.equip();
    assert_eq!(kernel(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY), 1);
    assert_eq!(kernel(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), 77);
    let none = libc::linger { l_onoff: 0, l_linger: 0 };
    let linger = sys::option(fd, libc::SOL_SOCKET, libc::SO_LINGER, none).unwrap();
    assert_eq!((linger.l_onoff, linger.l_linger), (1, 5));
}

#[test]
fn keep_alive_brings_windows_times() {
    let socket = Own::stream();
    let fd = socket.equip();
    let times = || [libc::TCP_KEEPINTVL, libc::TCP_KEEPCNT].map(|name| kernel(fd, 6, name));
    assert_eq!(socket.set(SOL_SOCKET, SO_KEEPALIVE, 1_u8), 0);
    assert_eq!(times(), [1, 10]);
    assert_eq!(socket.set(IPPROTO_TCP, TCP_KEEPINTVL, 30_u32), 0);
    assert_eq!(socket.set(SOL_SOCKET, SO_KEEPALIVE, 1_u8), 0);
    assert_eq!(times(), [30, 10]);
    let values = tcp_keepalive { onoff: 1, keepalivetime: 1500, keepaliveinterval: 0 };
    set_keep_alive(&object::socket(socket.0).unwrap(), values).unwrap();
    assert_eq!(kernel(fd, 6, libc::TCP_KEEPIDLE), 2);
    assert_eq!(times(), [1, 10]);
    assert_eq!(socket.get::<u8>(SOL_SOCKET, SO_KEEPALIVE), Ok((1, 1)));
}

#[test]
fn an_accepted_descriptor_keeps_nothing_of_its_listener() {
    let accepted = Own::stream();
    let fd = accepted.equip();
    let of_listener = journal(&[
        (IPPROTO_TCP, TCP_NODELAY, 1),
        (SOL_SOCKET, SO_KEEPALIVE, 1),
        (SOL_SOCKET, SO_OOBINLINE, 1),
        (SOL_SOCKET, SO_REUSEADDR, 1),
    ]);
    apply(fd, &of_listener);
    let own = journal(&[(SOL_SOCKET, SO_OOBINLINE, 1), (IPPROTO_IP, IP_TTL, 33)]);
    carry_over(fd, Some(&of_listener), Some(&own));
    assert_eq!(kernel(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY), 0);
    assert_eq!(kernel(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE), 0);
    assert_eq!(kernel(fd, libc::SOL_SOCKET, libc::SO_OOBINLINE), 1);
    assert_eq!(kernel(fd, libc::IPPROTO_IP, libc::IP_TTL), 33);
}

#[test]
fn datagram_sockets_hear_of_closed_ports_unless_told_otherwise() {
    let socket = Own::datagrams();
    let fd = socket.equip();
    assert_eq!(kernel(fd, libc::IPPROTO_IP, libc::IP_RECVERR), 1);
    report_unreachable(&object::socket(socket.0).unwrap(), false).unwrap();
    assert_eq!(kernel(fd, libc::IPPROTO_IP, libc::IP_RECVERR), 0);
    assert!(!object::socket(socket.0).unwrap().lock().reports_unreachable());
}

#[test]
fn groups_are_joined_by_address_and_by_index() {
    let socket = Own::datagrams();
    let group = u32::from_ne_bytes([239, 255, 77, 1]);
    for place in [[127, 0, 0, 1], [0, 0, 0, 1]].map(u32::from_ne_bytes) {
        let request = [group, place];
        assert_eq!(socket.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, request), 0);
        assert_eq!(socket.set(IPPROTO_IP, IP_DROP_MEMBERSHIP, request), 0);
    }
    let mut address = SOCKADDR_IN { sin_family: AF_INET, ..SOCKADDR_IN::default() };
    address.sin_addr.S_un.S_addr = group;
    let mut request = GROUP_REQ { gr_interface: 1, ..GROUP_REQ::default() };
    // SAFETY: a SOCKADDR_STORAGE has room for any sockaddr.
    unsafe { ptr::write((&raw mut request.gr_group).cast(), address) };
    assert_eq!(socket.set(IPPROTO_IP, MCAST_JOIN_GROUP as i32, request), 0);
    assert_eq!(socket.set(IPPROTO_IP, MCAST_LEAVE_GROUP as i32, request), 0);
    assert_eq!(socket.set(IPPROTO_IP, IP_DROP_MEMBERSHIP, [group, 0]), WSAEADDRNOTAVAIL);
    assert_eq!(Own::stream().set(IPPROTO_IP, IP_ADD_MEMBERSHIP, [group, 0]), WSAEINVAL);
    assert_eq!(socket.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, group), WSAEFAULT);
}

#[test]
fn lengths_are_windows_own() {
    let socket = Own::stream();
    assert_eq!(socket.get::<[u8; 8]>(IPPROTO_TCP, TCP_NODELAY).unwrap().1, 1);
    assert_eq!(socket.get::<[u8; 8]>(SOL_SOCKET, SO_REUSEADDR).unwrap().1, 4);
    assert_eq!(socket.get::<u8>(SOL_SOCKET, SO_REUSEADDR), Ok((0, 1)));
    assert_eq!(socket.get::<u16>(SOL_SOCKET, SO_RCVTIMEO), Err(WSAEFAULT));
    assert_eq!(socket.get::<u16>(SOL_SOCKET, SO_TYPE), Err(WSAEFAULT));
    assert_eq!(socket.set(SOL_SOCKET, SO_RCVTIMEO, 1_u16), WSAEFAULT);
    assert_eq!(socket.set(SOL_SOCKET, SO_BROADCAST, 1_u8), 0);
    assert_eq!(socket.get::<u32>(SOL_SOCKET, SO_BROADCAST), Ok((1, 4)));
}

#[test]
fn the_unknown_the_foreign_and_the_impossible() {
    let (stream, datagrams) = (Own::stream(), Own::datagrams());
    for (socket, level, name, set, get) in [
        (&stream, SOL_SOCKET, 0x1234, WSAENOPROTOOPT, WSAENOPROTOOPT),
        (&stream, 77, 1, WSAEINVAL, WSAEINVAL),
        (&stream, SOL_SOCKET, SO_RCVLOWAT, WSAEINVAL, WSAEINVAL),
        (&stream, IPPROTO_UDP, UDP_NOCHECKSUM, WSAENOPROTOOPT, WSAENOPROTOOPT),
        (&datagrams, IPPROTO_TCP, TCP_NODELAY, WSAENOPROTOOPT, WSAENOPROTOOPT),
        (&datagrams, IPPROTO_IPV6, IPV6_UNICAST_HOPS, WSAENOPROTOOPT, WSAENOPROTOOPT),
        (&stream, IPPROTO_IP, IP_MULTICAST_TTL, WSAEINVAL, WSAEINVAL),
        (&stream, IPPROTO_IP, IP_MTU, WSAENOPROTOOPT, WSAENOTCONN),
        (&datagrams, SOL_SOCKET, SO_LINGER, 0, WSAENOPROTOOPT),
        (&stream, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, WSAENOTCONN, WSAENOPROTOOPT),
    ] {
        assert_eq!(socket.set(level, name, 1_u32), set, "set {level} {name:#x}");
        assert_eq!(socket.get::<u32>(level, name), Err(get), "get {level} {name:#x}");
    }
    assert_eq!(stream.set(IPPROTO_IP, IP_TTL, 300_u32), WSAEINVAL);
    assert_eq!(stream.set(IPPROTO_IP, IP_TTL, -1_i32), 0);
    assert_eq!(stream.get::<u32>(IPPROTO_IP, IP_TTL), Ok((64, 4)));
}

#[test]
fn a_sockets_ends_are_within_the_callers_room() {
    let socket = Own::datagrams();
    let address = crate::address::Address::loopback(libc::AF_INET, 0);
    sys::bind(socket.equip(), &address).unwrap();
    object::socket(socket.0).unwrap().lock().bound = true;
    let mut room = [0usize; 8];
    let mut len = 55;
    let mut get = |len: &mut i32| {
        // SAFETY: the room is longer than `len`.
        let rc = unsafe {
            getsockopt(socket.0, SOL_SOCKET, SO_BSP_STATE, room.as_mut_ptr().cast(), len)
        };
        // SAFETY: a CSADDR_INFO holds integers and pointers that are not followed yet.
        (rc, unsafe { ptr::read(room.as_ptr().cast::<CSADDR_INFO>()) })
    };
    assert_eq!(get(&mut len).0, SOCKET_ERROR);
    len = 64;
    let (rc, info) = get(&mut len);
    assert_eq!((rc, len), (0, 56));
    assert_eq!((info.iSocketType, info.iProtocol), (SOCK_DGRAM, IPPROTO_UDP));
    assert_eq!((info.LocalAddr.iSockaddrLength, info.RemoteAddr.iSockaddrLength), (16, 0));
    assert!(info.RemoteAddr.lpSockaddr.is_null());
    // SAFETY: the local address has just been written there.
    let local = unsafe { ptr::read_unaligned(info.LocalAddr.lpSockaddr.cast::<SOCKADDR_IN>()) };
    assert!(local.sin_family == AF_INET && local.sin_port != 0);
}

#[test]
fn protocol_information_in_both_spellings() {
    let socket = Own::new(AF_INET6, SOCK_DGRAM);
    let (narrow, len) = socket.get::<WSAPROTOCOL_INFOA>(SOL_SOCKET, SO_PROTOCOL_INFOA).unwrap();
    assert_eq!((len, narrow.iAddressFamily, narrow.iProtocol), (372, AF_INET6.into(), IPPROTO_UDP));
    assert_eq!(narrow.szProtocol[..5], b"MSAFD".map(|byte| byte as i8));
    let (wide, len) = socket.get::<WSAPROTOCOL_INFOW>(SOL_SOCKET, SO_PROTOCOL_INFOW).unwrap();
    assert_eq!((len, wide.iSocketType, wide.dwServiceFlags1), (628, SOCK_DGRAM, 0x20609));
}
