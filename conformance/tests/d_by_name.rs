//! Section D, connecting by name and by list, and the protocols there are.

use std::ptr::{null, null_mut};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::core::BOOL;

/// An answer, or the WSA error.
fn result(answer: BOOL) -> Result<(), i32> {
    if answer == 0 { Err(last_wsa_error()) } else { Ok(()) }
}

/// `WSAConnectByNameA` without a time-out: the addresses of both ends.
fn by_name(socket: SOCKET, node: &str, service: &str) -> Result<(SOCKADDR_IN, SOCKADDR_IN), i32> {
    let (node, service) = (format!("{node}\0"), format!("{service}\0"));
    let (mut local, mut remote) = (SOCKADDR_IN::default(), SOCKADDR_IN::default());
    let (mut local_len, mut remote_len) = (16, 16);
    // SAFETY: texts end in NUL; rooms are as long as is said.
    let answer = unsafe {
        let (local, remote) = ((&raw mut local).cast(), (&raw mut remote).cast());
        let (node, service) = (node.as_ptr(), service.as_ptr());
        let lengths = (&raw mut local_len, &raw mut remote_len);
        let none = null();
        WSAConnectByNameA(socket, node, service, lengths.0, local, lengths.1, remote, none, null())
    };
    result(answer).map(|()| (local, remote))
}

/// `WSAConnectByList` to addresses of IPv4.
fn by_list(socket: SOCKET, addresses: &[&Addr]) -> Result<(), i32> {
    #[repr(C)]
    struct List {
        count: i32,
        entries: [SOCKET_ADDRESS; 4],
    }
    let mut list = List { count: addresses.len() as i32, entries: [SOCKET_ADDRESS::default(); 4] };
    for (entry, address) in list.entries.iter_mut().zip(addresses) {
        entry.lpSockaddr = address.as_ptr().cast_mut();
        entry.iSockaddrLength = address.len;
    }
    let (list, none) = ((&raw const list).cast(), null_mut());
    // SAFETY: the list is as long as it says; nothing else is given.
    result(unsafe {
        WSAConnectByList(socket, list, none, null_mut(), null_mut(), null_mut(), null(), null())
    })
}

#[test]
fn r172_a_name_is_connected_to() {
    let (listener, address) = listener();
    let socket = tcp_socket();
    let port = address.port().to_string();
    let ends = by_name(*socket, "127.0.0.1", &port);
    let peer = accept_one(&listener);
    send_all(&peer, b"abc");
    assert_eq!(recv_exactly(&socket, 3), b"abc");
    let (local, remote) = ends.expect("a connection");
    assert_eq!(u16::from_be(remote.sin_port), address.port());
    assert_eq!(local.sin_family, AF_INET);
    assert_eq!(update_connected(&socket), Ok(()));
    assert!(peer_addr(*socket).is_ok());
}

#[test]
fn r172_the_first_that_answers_is_taken() {
    if is_wine() {
        return; // Wine 8.0 ends a program that calls WSAConnectByList.
    }
    let (listener, address) = listener();
    let (unused, nobody) = udp_bound(); // Its port has no listener of TCP.
    drop(unused);
    let socket = tcp_socket();
    assert_eq!(by_list(*socket, &[&nobody, &address]), Ok(()));
    let peer = accept_one(&listener);
    send_all(&peer, b"abc");
    assert_eq!(recv_exactly(&socket, 3), b"abc");
    let refused = by_list(*tcp_socket(), &[&nobody, &nobody]);
    assert_eq!(refused, Err(WSAECONNREFUSED));
    assert!(by_list(*tcp_socket(), &[]).is_err());
}

#[test]
fn r172_only_fresh_sockets_of_tcp_connect_by_name() {
    let (_listener, address) = listener();
    let port = address.port().to_string();
    let bound = tcp_socket();
    bind_to(&bound, &sockaddr_v4(0));
    let no_socket: SOCKET = 0x7fff_fff1;
    may_differ_on_wine(|| {
        assert_eq!(by_name(*bound, "127.0.0.1", &port).err(), Some(WSAEINVAL));
        assert_eq!(by_name(*udp_socket(), "127.0.0.1", &port).err(), Some(WSAEINVAL));
        assert_eq!(by_name(no_socket, "127.0.0.1", &port).err(), Some(WSAENOTSOCK));
    });
}

#[test]
fn r173_the_catalogue_has_tcp_and_udp() {
    init();
    let mut room = 0;
    // SAFETY: a length and no memory.
    let asked = unsafe { WSAEnumProtocolsW(null(), null_mut(), &mut room) };
    assert_eq!((asked, last_wsa_error()), (SOCKET_ERROR, WSAENOBUFS));
    let mut all =
        vec![WSAPROTOCOL_INFOW::default(); room as usize / size_of::<WSAPROTOCOL_INFOW>()];
    // SAFETY: the memory is as long as is said.
    let count = unsafe { WSAEnumProtocolsW(null(), all.as_mut_ptr(), &mut room) };
    assert_eq!(count as usize, all.len());
    for (kind, protocol) in [(SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP)] {
        let fits = |info: &&WSAPROTOCOL_INFOW| {
            (info.iAddressFamily, info.iSocketType, info.iProtocol)
                == (i32::from(AF_INET), kind, protocol)
        };
        let info = all.iter().find(fits).expect("in the catalogue");
        assert_eq!((info.iVersion, info.iMaxSockAddr), (2, 16));
        assert_ne!((info.dwCatalogEntryId, info.szProtocol[0]), (0, 0));
        // SAFETY: the structure is valid.
        let socket = unsafe {
            let any = FROM_PROTOCOL_INFO;
            Socket::own(WSASocketW(any, any, any, info, 0, WSA_FLAG_OVERLAPPED))
        };
        assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_TYPE), Ok(kind));
    }
}

#[test]
fn r173_the_catalogue_can_be_asked_for_one() {
    init();
    let mut all = vec![WSAPROTOCOL_INFOA::default(); 32];
    let mut room = (all.len() * size_of::<WSAPROTOCOL_INFOA>()) as u32;
    let wanted = [IPPROTO_UDP, 0];
    // SAFETY: the numbers end in 0, the memory is as long as is said.
    let count = unsafe { WSAEnumProtocolsA(wanted.as_ptr(), all.as_mut_ptr(), &mut room) };
    assert!(count > 0, "{}", last_wsa_error());
    let found = &all[..count as usize];
    assert!(found.iter().all(|info| info.iProtocol == IPPROTO_UDP && info.szProtocol[0] != 0));
    if is_wine() {
        return; // Wine 8.0 writes the length to NULL.
    }
    // SAFETY: NULL is answered.
    let refused = unsafe { WSAEnumProtocolsA(null(), null_mut(), null_mut()) };
    assert_eq!((refused, last_wsa_error()), (SOCKET_ERROR, WSAEFAULT));
}
