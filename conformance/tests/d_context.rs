//! Section D: what an accepted socket knows and inherits, before and after the update.

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// A listener, the socket of a completed AcceptEx on it, and the client.
fn accepted_at(listener: &Socket, addr: &Addr, acceptor: Socket) -> (Socket, Socket) {
    let op = accept_op(0);
    let port = port();
    associate(listener, &port, 0);
    assert_eq!(post_accept(listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let client = connect_to(addr);
    assert!(dequeue(*port, SOON).ok);
    (acceptor, client)
}

/// `getsockname`, with the WSA error on failure.
fn name(socket: &Socket) -> Result<Addr, i32> {
    let mut addr = Addr::empty();
    // SAFETY: `addr` outlives the call and `len` is its room.
    match unsafe { getsockname(**socket, addr.as_mut_ptr(), &raw mut addr.len) } {
        0 => Ok(addr),
        _ => Err(last_wsa_error()),
    }
}

fn shut_down(socket: &Socket, how: i32) -> Result<(), i32> {
    // SAFETY: no memory is passed.
    match unsafe { shutdown(**socket, how) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// Wine updates every accepted socket by itself, so it cannot show the state before.
#[test]
fn r073_until_updated_it_has_no_names_and_cannot_be_shut_down() {
    let (listener, addr) = listener();
    let (acceptor, _client) = accepted_at(&listener, &addr, tcp_socket());
    differs_on_wine(|| assert_eq!(name(&acceptor).map(|addr| addr.port()), Err(WSAENOTCONN)));
    differs_on_wine(|| assert_eq!(peer_addr(*acceptor).map(|addr| addr.port()), Err(WSAENOTCONN)));
    differs_on_wine(|| assert_eq!(shut_down(&acceptor, SD_SEND), Err(WSAENOTCONN)));
}

#[test]
fn r073_data_flows_before_the_update() {
    let (listener, addr) = listener();
    let (acceptor, client) = accepted_at(&listener, &addr, tcp_socket());
    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    assert_eq!(post_recv(&acceptor, &op), Err(WSA_IO_PENDING));
    send_all(&client, b"overlapped");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&acceptor, &op, false), Ok((10, 0)));
    send_all(&acceptor, b"and plain");
    assert_eq!(recv_exactly(&client, 9), b"and plain");
    send_all(&client, b"too");
    assert_eq!(recv_exactly(&acceptor, 3), b"too");
}

#[test]
fn r073_the_update_brings_the_names_and_shutdown() {
    let (listener, addr) = listener();
    let (acceptor, client) = accepted_at(&listener, &addr, tcp_socket());
    assert_eq!(update_accepted(&acceptor, &listener), Ok(()));
    assert_eq!(name(&acceptor).unwrap().port(), addr.port());
    assert_eq!(peer_addr(*acceptor).unwrap().port(), local_addr(*client).port());
    assert_eq!(shut_down(&acceptor, SD_SEND), Ok(()));
    assert_eq!(recv_some(&client), Ok(vec![]));
    send_all(&client, b"half");
    assert_eq!(recv_exactly(&acceptor, 4), b"half");
}

#[test]
fn r073_closing_without_the_update_ends_the_connection() {
    let (listener, addr) = listener();
    let (acceptor, client) = accepted_at(&listener, &addr, tcp_socket());
    assert_eq!(acceptor.close(), Ok(()));
    assert_eq!(recv_some(&client), Ok(vec![]));
}

#[test]
fn r073_nothing_is_inherited_before_the_update() {
    let (listener, addr) = listener();
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_KEEPALIVE, 1_u32), Ok(()));
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_RCVTIMEO, 4321_u32), Ok(()));
    let (acceptor, _client) = accepted_at(&listener, &addr, tcp_socket());
    assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_RCVTIMEO), Ok(0));
    differs_on_wine(|| assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_KEEPALIVE), Ok(0)));
}

#[test]
fn r073_the_update_brings_the_listeners_options() {
    let linger = |l_onoff, l_linger| LINGER { l_onoff, l_linger };
    let (listener, addr) = listener();
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_KEEPALIVE, 1_u32), Ok(()));
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_OOBINLINE, 1_u32), Ok(()));
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_LINGER, linger(1, 9)), Ok(()));
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_RCVTIMEO, 4321_u32), Ok(()));
    assert_eq!(set_option(*listener, IPPROTO_TCP, TCP_NODELAY, 1_u32), Ok(()));
    let (acceptor, _client) = accepted_at(&listener, &addr, tcp_socket());
    assert_eq!(update_accepted(&acceptor, &listener), Ok(()));
    assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_KEEPALIVE), Ok(1));
    assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_OOBINLINE), Ok(1));
    let inherited = option::<LINGER>(*acceptor, SOL_SOCKET, SO_LINGER).unwrap();
    assert_eq!((inherited.l_onoff, inherited.l_linger), (1, 9));
    assert_eq!(option::<u32>(*acceptor, IPPROTO_TCP, TCP_NODELAY), Ok(1));
    differs_on_wine(|| assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_RCVTIMEO), Ok(4321)));
}

#[test]
fn r073_what_was_set_on_the_accept_socket_before_still_holds() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    assert_eq!(set_option(*acceptor, SOL_SOCKET, SO_SNDTIMEO, 888_u32), Ok(()));
    assert_eq!(set_option(*acceptor, SOL_SOCKET, SO_SNDBUF, 23_456_u32), Ok(()));
    non_blocking(&acceptor, true);
    let (acceptor, client) = accepted_at(&listener, &addr, acceptor);
    assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_SNDTIMEO), Ok(888));
    assert_eq!(option::<u32>(*acceptor, SOL_SOCKET, SO_SNDBUF), Ok(23_456));
    assert_eq!(recv_some(&acceptor), Err(WSAEWOULDBLOCK), "non-blocking mode too");
    send_all(&acceptor, b"x");
    assert_eq!(recv_exactly(&client, 1), b"x");
}

#[test]
fn r073_a_port_tied_to_the_accept_socket_before_still_holds() {
    let (listener, addr) = listener();
    let (acceptor, port) = (tcp_socket(), port());
    associate(&acceptor, &port, 77);
    let (acceptor, client) = accepted_at(&listener, &addr, acceptor);
    let op = Op::new(4);
    assert_eq!(post_recv(&acceptor, &op), Err(WSA_IO_PENDING));
    send_all(&client, b"four");
    let packet = dequeue(*port, SOON);
    assert!(packet.ok, "{packet:?}");
    assert_eq!((packet.key, packet.overlapped, packet.bytes), (77, op.ptr(), 4));
}

/// A listener with this option set, and a socket it has accepted with plain `accept`.
fn accepted_with<T: Copy>(level: i32, name: i32, value: T) -> (Socket, Socket) {
    let (listener, addr) = listener();
    assert_eq!(set_option(*listener, level, name, value), Ok(()));
    let _client = connect_to(&addr);
    let accepted = accept_one(&listener);
    (listener, accepted)
}

#[test]
fn r074_plain_accept_copies_the_flags() {
    let flags =
        [(SOL_SOCKET, SO_KEEPALIVE), (SOL_SOCKET, SO_OOBINLINE), (IPPROTO_TCP, TCP_NODELAY)];
    for (level, name) in flags {
        for value in [1_u32, 0] {
            let (_listener, accepted) = accepted_with(level, name, value);
            assert_eq!(option::<u32>(*accepted, level, name), Ok(value), "{level:x} {name:x}");
        }
    }
}

#[test]
fn r074_plain_accept_copies_address_reuse() {
    let socket = tcp_socket();
    assert_eq!(set_option(*socket, SOL_SOCKET, SO_REUSEADDR, 1_u32), Ok(()));
    bind_to(&socket, &sockaddr_v4(0));
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { listen(*socket, 5) }, 0);
    let _client = connect_to(&local_addr(*socket));
    let accepted = accept_one(&socket);
    assert_eq!(option::<u32>(*accepted, SOL_SOCKET, SO_REUSEADDR), Ok(1));
}

#[test]
fn r074_plain_accept_copies_the_time_outs() {
    for name in [SO_RCVTIMEO, SO_SNDTIMEO] {
        let (_listener, accepted) = accepted_with(SOL_SOCKET, name, 4321_u32);
        assert_eq!(option::<u32>(*accepted, SOL_SOCKET, name), Ok(4321), "{name:x}");
    }
}

#[test]
fn r074_a_copied_receive_time_out_is_in_force() {
    let (listener, addr) = listener();
    assert_eq!(set_option(*listener, SOL_SOCKET, SO_RCVTIMEO, 100_u32), Ok(()));
    let _client = connect_to(&addr);
    let accepted = accept_one(&listener);
    assert_eq!(recv_some(&accepted), Err(WSAETIMEDOUT));
}

#[test]
fn r074_plain_accept_copies_the_buffer_sizes() {
    for name in [SO_SNDBUF, SO_RCVBUF] {
        let (_listener, accepted) = accepted_with(SOL_SOCKET, name, 54_321_u32);
        assert_eq!(option::<u32>(*accepted, SOL_SOCKET, name), Ok(54_321), "{name:x}");
    }
}

#[test]
fn r074_plain_accept_copies_linger() {
    let value = LINGER { l_onoff: 1, l_linger: 5 };
    let (_listener, accepted) = accepted_with(SOL_SOCKET, SO_LINGER, value);
    let inherited = option::<LINGER>(*accepted, SOL_SOCKET, SO_LINGER).unwrap();
    assert_eq!((inherited.l_onoff, inherited.l_linger), (1, 5));
}

#[test]
fn r074_plain_accept_copies_the_blocking_mode() {
    let (listener, addr) = listener();
    let _first = connect_to(&addr);
    let blocking = accept_one(&listener);
    let _second = connect_to(&addr);
    non_blocking(&listener, true);
    let never_blocking = accept_one(&listener);
    assert_eq!(recv_some(&never_blocking), Err(WSAEWOULDBLOCK));
    assert_eq!(set_option(*blocking, SOL_SOCKET, SO_RCVTIMEO, 50_u32), Ok(()));
    assert_eq!(recv_some(&blocking), Err(WSAETIMEDOUT));
}

#[test]
fn r074_the_copy_is_the_accepted_sockets_own() {
    let (listener, accepted) = accepted_with(SOL_SOCKET, SO_KEEPALIVE, 1_u32);
    assert_eq!(set_option(*accepted, SOL_SOCKET, SO_KEEPALIVE, 0_u32), Ok(()));
    assert_eq!(option::<u32>(*listener, SOL_SOCKET, SO_KEEPALIVE), Ok(1));
}
