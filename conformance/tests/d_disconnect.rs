//! Section D: DisconnectEx, and sockets used again after it.

use std::mem::transmute;
use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Foundation::WAIT_TIMEOUT;
use winsock_sys::Win32::Networking::WinSock::*;

/// Milliseconds that are ample for what takes none, where Wine lets us wait in vain.
const A_WHILE: u32 = if cfg!(windows) { 1000 } else { SOON };

/// Disconnects with an event and waits for it: the WSA error of call or completion.
fn disconnect(socket: &Socket, flags: u32) -> Result<u32, i32> {
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    match post_disconnect(socket, Some(&op), flags) {
        Ok(()) | Err(WSA_IO_PENDING) => {
            assert!(event.is_set_within(SOON));
            wsa_result(socket, &op, false).map(|(bytes, _)| bytes)
        }
        Err(refused) => {
            op.set_status(0);
            Err(refused)
        }
    }
}

fn plain_connect(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { connect(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

fn plain_send(socket: &Socket, data: &[u8]) -> Result<i32, i32> {
    // SAFETY: `data` is readable for its length.
    let sent = unsafe { send(**socket, data.as_ptr(), data.len() as i32, 0) };
    if sent >= 0 { Ok(sent) } else { Err(last_wsa_error()) }
}

#[test]
fn r078_a_socket_without_a_connection_is_not_connected() {
    let bound = tcp_socket();
    bind_to(&bound, &sockaddr_v4(0));
    for socket in [tcp_socket(), bound, listener().0] {
        assert_eq!(disconnect(&socket, 0), Err(WSAENOTCONN));
        assert_eq!(disconnect(&socket, TF_REUSE_SOCKET), Err(WSAENOTCONN));
    }
}

#[test]
fn r078_a_bad_socket_is_not_a_socket() {
    assert_eq!(disconnect(&Socket::own(0xabcd_ef00), 0), Err(WSAENOTSOCK));
}

#[test]
fn r078_unknown_flags_are_invalid() {
    let (a, _b) = tcp_pair();
    differs_on_wine(|| assert_eq!(disconnect(&a, 0x40), Err(WSAEINVAL)));
}

#[test]
fn r078_the_reserved_argument_must_be_zero() {
    let (a, _b) = tcp_pair();
    let pointer = extension_pointer(*a, WSAID_DISCONNECTEX).unwrap();
    // SAFETY: the pointer is that of DisconnectEx.
    let disconnect_ex: LPFN_DISCONNECTEX = unsafe { transmute(pointer) };
    differs_on_wine(|| {
        // SAFETY: without OVERLAPPED nothing outlives the call.
        let ok = unsafe { disconnect_ex.unwrap()(*a, null_mut(), 0, 1) };
        assert_eq!((ok, last_wsa_error()), (0, WSAEINVAL));
    });
}

#[test]
fn r078_it_is_pending_and_then_succeeds_with_no_bytes() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    op.set_bytes(0xfeed);
    assert_eq!(post_disconnect(&a, Some(&op), 0), Err(WSA_IO_PENDING));
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false), Ok((0, 0)));
    assert_eq!((op.status(), op.bytes()), (0, 0));
    assert_eq!(recv_some(&b), Ok(vec![]), "the peer hears the end");
}

#[test]
fn r078_a_port_hears_of_it() {
    let (a, _b) = tcp_pair();
    let port = port();
    associate(&a, &port, 6);
    let op = Op::new(0);
    assert_eq!(post_disconnect(&a, Some(&op), 0), Err(WSA_IO_PENDING));
    let packet = dequeue(*port, SOON);
    assert!(packet.ok, "{packet:?}");
    assert_eq!((packet.key, packet.overlapped, packet.bytes), (6, op.ptr(), 0));
    assert_eq!(dequeue(*port, NEVER).error, WAIT_TIMEOUT);
}

#[test]
fn r078_without_overlapped_it_waits_for_the_end() {
    let (a, b) = tcp_pair();
    assert_eq!(post_disconnect(&a, None, 0), Ok(()));
    assert_eq!(recv_some(&b), Ok(vec![]));
}

#[test]
fn r078_afterwards_only_receiving_works() {
    let (a, b) = tcp_pair();
    let addr = peer_addr(*a).unwrap();
    assert_eq!(disconnect(&a, 0), Ok(0));
    assert_eq!(plain_send(&a, b"x"), Err(WSAESHUTDOWN));
    let op = Op::sending(b"x");
    assert_eq!(post_send(&a, &op), Err(WSAESHUTDOWN));
    send_all(&b, b"a last word");
    assert_eq!(recv_exactly(&a, 11), b"a last word");
    assert_eq!(plain_connect(&a, &addr), Err(WSAEISCONN));
    assert_eq!(b.close(), Ok(()));
    assert_eq!(recv_some(&a), Ok(vec![]));
}

#[test]
fn r078_twice_is_fine() {
    let (a, b) = tcp_pair();
    assert_eq!(disconnect(&a, 0), Ok(0));
    assert_eq!(disconnect(&a, 0), Ok(0));
    send_all(&b, b"still open this way");
    assert_eq!(recv_exactly(&a, 19), b"still open this way");
}

#[test]
fn r078_what_was_sent_before_arrives_before_the_end() {
    const MANY: usize = 20 << 20;
    let (a, b) = tcp_pair();
    let data = pattern(MANY);
    let send_event = Event::manual_reset();
    let sent = Op::sending(&data);
    // SAFETY: no operation uses the OVERLAPPED yet.
    unsafe { (*sent.ptr()).hEvent = *send_event };
    assert_eq!(post_send(&a, &sent), Err(WSA_IO_PENDING));
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    assert_eq!(post_disconnect(&a, Some(&op), 0), Err(WSA_IO_PENDING));
    assert!(recv_exactly(&b, MANY + 1) == data, "all that was accepted, then the end");
    assert!(send_event.is_set_within(SOON));
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false), Ok((0, 0)));
}

/// Lets `acceptor` take a client, with a word each way.
fn serve_one(listener: &Socket, addr: &Addr, acceptor: &Socket) -> Socket {
    let event = Event::manual_reset();
    let op = accept_op(16);
    // SAFETY: no operation uses the OVERLAPPED yet.
    unsafe { (*op.ptr()).hEvent = *event };
    let posted = post_accept(listener, acceptor, &op, 16);
    assert_eq!(posted, Err(WSA_IO_PENDING));
    let client = connect_to(addr);
    send_all(&client, b"hello");
    assert!(event.is_set_within(A_WHILE));
    assert_eq!(wsa_result(listener, &op, false), Ok((5, 0)));
    assert_eq!(&op.data()[..5], b"hello");
    let remote = accepted_addresses(&op, 16).1;
    assert_eq!(remote.port(), local_addr(*client).port());
    assert_eq!(update_accepted(acceptor, listener), Ok(()));
    assert_eq!(peer_addr(**acceptor).unwrap().port(), remote.port());
    assert_eq!(plain_send(acceptor, b"you too"), Ok(7));
    assert_eq!(recv_exactly(&client, 7), b"you too");
    client
}

/// Wine disconnects, but leaves the socket as it is.
#[test]
fn r078_a_reused_socket_accepts_again_and_again() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let first = serve_one(&listener, &addr, &acceptor);
    assert_eq!(first.close(), Ok(()));
    assert_eq!(recv_some(&acceptor), Ok(vec![]));
    assert_eq!(disconnect(&acceptor, TF_REUSE_SOCKET), Ok(0));
    differs_on_wine(|| {
        for _ in 0..3 {
            let client = serve_one(&listener, &addr, &acceptor);
            assert_eq!(client.close(), Ok(()));
            assert_eq!(recv_some(&acceptor), Ok(vec![]));
            assert_eq!(disconnect(&acceptor, TF_REUSE_SOCKET), Ok(0));
        }
    });
}

#[test]
fn r078_a_socket_disconnected_first_and_reused_later_accepts_again() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let first = serve_one(&listener, &addr, &acceptor);
    assert_eq!(disconnect(&acceptor, 0), Ok(0));
    assert_eq!(first.close(), Ok(()));
    assert_eq!(recv_some(&acceptor), Ok(vec![]));
    assert_eq!(disconnect(&acceptor, TF_REUSE_SOCKET), Ok(0));
    differs_on_wine(|| drop(serve_one(&listener, &addr, &acceptor)));
}

#[test]
fn r078_a_reused_socket_keeps_its_port_association() {
    let (listener, addr) = listener();
    let (acceptor, port) = (tcp_socket(), port());
    associate(&acceptor, &port, 21);
    let first = serve_one(&listener, &addr, &acceptor);
    assert_eq!(first.close(), Ok(()));
    let gone = Op::new(0);
    assert_eq!(post_disconnect(&acceptor, Some(&gone), TF_REUSE_SOCKET), Err(WSA_IO_PENDING));
    let packet = dequeue(*port, SOON);
    assert!(packet.ok && packet.overlapped == gone.ptr(), "{packet:?}");
    differs_on_wine(|| {
        let client = serve_one(&listener, &addr, &acceptor);
        let op = Op::new(4);
        assert_eq!(post_recv(&acceptor, &op), Err(WSA_IO_PENDING));
        send_all(&client, b"four");
        let packet = dequeue(*port, A_WHILE);
        assert!(packet.ok, "{packet:?}");
        assert_eq!((packet.key, packet.overlapped, packet.bytes), (21, op.ptr(), 4));
    });
}

#[test]
fn r078_a_reused_socket_is_not_connected() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let client = serve_one(&listener, &addr, &acceptor);
    assert_eq!(client.close(), Ok(()));
    assert_eq!(recv_some(&acceptor), Ok(vec![]));
    assert_eq!(disconnect(&acceptor, TF_REUSE_SOCKET), Ok(0));
    assert_eq!(peer_addr(*acceptor).map(|addr| addr.port()), Err(WSAENOTCONN));
    differs_on_wine(|| {
        let seconds = option::<u32>(*acceptor, SOL_SOCKET, SO_CONNECT_TIME);
        assert_eq!(seconds, Ok(u32::MAX));
    });
    differs_on_wine(|| assert_eq!(plain_send(&acceptor, b"x"), Err(WSAENOTCONN)));
}

#[test]
fn r078_a_socket_that_connected_connects_again() {
    let socket = tcp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    let connect_once = |word: &[u8]| {
        // A new listener each time: the same pair of addresses may still be in TIME_WAIT.
        let (listener, addr) = listener();
        let event = Event::manual_reset();
        let op = Op::sending(word);
        // SAFETY: no operation uses the OVERLAPPED yet.
        unsafe { (*op.ptr()).hEvent = *event };
        assert_eq!(post_connect(&socket, &addr, &op), Err(WSA_IO_PENDING));
        assert!(event.is_set_within(A_WHILE));
        assert_eq!(wsa_result(&socket, &op, false), Ok((word.len() as u32, 0)));
        let peer = accept_one(&listener);
        assert_eq!(recv_exactly(&peer, word.len()), word);
        assert_eq!(peer.close(), Ok(()));
        assert_eq!(recv_some(&socket), Ok(vec![]));
        assert_eq!(disconnect(&socket, TF_REUSE_SOCKET), Ok(0));
    };
    connect_once(b"once");
    differs_on_wine(|| {
        connect_once(b"twice");
        connect_once(b"three times");
    });
}
