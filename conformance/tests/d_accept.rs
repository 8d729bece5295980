//! Section D: AcceptEx, what it takes and when it completes.

use std::ptr::null_mut;
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, ERROR_NETNAME_DELETED,
    ERROR_OPERATION_ABORTED, STATUS_PENDING, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

/// An AcceptEx with an event, for so many bytes of first data.
fn accept_with_event(data: u32) -> (Op, Event) {
    let event = Event::manual_reset();
    let op = accept_op(data);
    // SAFETY: no operation uses the OVERLAPPED yet.
    unsafe { (*op.ptr()).hEvent = *event };
    (op, event)
}

/// `AcceptEx` with every argument as given: the WSA error, 0 for an immediate success.
fn accept_ex(
    listener: SOCKET,
    acceptor: SOCKET,
    buffer: *mut u8,
    lens: [u32; 3],
    overlapped: *mut OVERLAPPED,
) -> i32 {
    let mut bytes = 0;
    let [data, local, remote] = lens;
    // SAFETY: callers pass a buffer for these lengths, or arguments that are refused unread.
    let ok = unsafe {
        let buffer = buffer.cast();
        AcceptEx(listener, acceptor, buffer, data, local, remote, &raw mut bytes, overlapped)
    };
    if ok != 0 { 0 } else { last_wsa_error() }
}

const ROOM: u32 = ADDRESS_ROOM;

/// Milliseconds that are ample for what takes none, where Wine lets us wait in vain.
const A_WHILE: u32 = if cfg!(windows) { 1000 } else { SOON };

/// What an AcceptEx without data says at once.
fn try_accept(listener: &Socket, acceptor: &Socket) -> Result<u32, i32> {
    let op = accept_op(0);
    let posted = post_accept(listener, acceptor, &op, 0);
    if posted != Err(WSA_IO_PENDING) {
        // Refused calls leave STATUS_PENDING behind (rule 68), but nothing is pending.
        op.set_status(0);
    }
    posted
}

/// Asserts that a refused call has left STATUS_PENDING behind, and takes it away.
#[track_caller]
fn assert_marked(op: &Op) {
    assert_eq!(op.status(), STATUS_PENDING);
    op.set_status(0);
}

#[test]
fn r067_a_bound_accept_socket_is_invalid() {
    let (listener, _) = listener();
    let bound = tcp_socket();
    bind_to(&bound, &sockaddr_v4(0));
    differs_on_wine(|| {
        assert_eq!(try_accept(&listener, &bound), Err(WSAEINVAL));
    });
}

#[test]
fn r067_a_connected_accept_socket_is_invalid() {
    let (listener, _) = listener();
    let (connected, _peer) = tcp_pair();
    differs_on_wine(|| {
        assert_eq!(try_accept(&listener, &connected), Err(WSAEINVAL));
    });
}

#[test]
fn r067_a_listening_accept_socket_is_invalid() {
    let (listener, _) = listener();
    let (other, _) = conformance::listener();
    differs_on_wine(|| {
        assert_eq!(try_accept(&listener, &other), Err(WSAEINVAL));
    });
}

#[test]
fn r067_a_datagram_accept_socket_is_invalid() {
    let (listener, _) = listener();
    let datagram = udp_socket();
    differs_on_wine(|| {
        assert_eq!(try_accept(&listener, &datagram), Err(WSAEINVAL));
    });
}

#[test]
fn r067_one_socket_cannot_be_in_two_pending_accepts() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (first, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &first, 0), Err(WSA_IO_PENDING));
    assert_eq!(try_accept(&listener, &acceptor), Err(WSAEINVAL));
    let (other, _) = conformance::listener();
    assert_eq!(try_accept(&other, &acceptor), Err(WSAEINVAL));
    let client = connect_to(&addr);
    assert!(event.is_set_within(SOON), "the first is not disturbed");
    send_all(&client, b"x");
    assert_eq!(recv_exactly(&acceptor, 1), b"x");
}

#[test]
fn r067_a_socket_in_a_pending_accept_cannot_connect() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    // SAFETY: `addr` is a full socket address of `len` bytes.
    let rc = unsafe { connect(*acceptor, addr.as_ptr(), addr.len) };
    assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAEINVAL));
    let connect_op = Op::new(0);
    assert_eq!(post_connect(&acceptor, &addr, &connect_op), Err(WSAEINVAL));
    connect_op.set_status(0);
    assert!(!event.is_set());
}

#[test]
fn r068_no_overlapped_is_an_invalid_parameter() {
    let (listener, _) = listener();
    let (acceptor, op) = (tcp_socket(), accept_op(0));
    let buffer = op.wsabuf().buf;
    let error = accept_ex(*listener, *acceptor, buffer, [0, ROOM, ROOM], null_mut());
    assert_eq!(error as u32, ERROR_INVALID_PARAMETER);
}

#[test]
fn r068_no_buffer_is_a_fault() {
    let (listener, _) = listener();
    let (acceptor, op) = (tcp_socket(), Op::new(0));
    differs_on_wine(|| {
        let error = accept_ex(*listener, *acceptor, null_mut(), [0, ROOM, ROOM], op.ptr());
        assert_eq!(error, WSAEFAULT);
        assert_marked(&op);
    });
}

#[test]
fn r068_no_room_for_the_remote_address_is_a_fault() {
    let (listener, _) = listener();
    let (acceptor, op) = (tcp_socket(), accept_op(0));
    let buffer = op.wsabuf().buf;
    let error = accept_ex(*listener, *acceptor, buffer, [0, ROOM, 0], op.ptr());
    assert_eq!(error, WSAEFAULT);
    assert_marked(&op);
}

/// Wine leaves the AcceptEx pending for good.
#[test]
fn r068_a_socket_that_does_not_listen_is_invalid() {
    let (unbound, bound) = (tcp_socket(), tcp_socket());
    bind_to(&bound, &sockaddr_v4(0));
    let (connected, _peer) = tcp_pair();
    for socket in [unbound, bound, connected] {
        differs_on_wine(|| {
            let op = accept_op(0);
            assert_eq!(post_accept(&socket, &tcp_socket(), &op, 0), Err(WSAEINVAL));
            assert_marked(&op);
        });
    }
}

#[test]
fn r068_bad_handles_are_not_sockets() {
    let (listener, _) = listener();
    let acceptor = tcp_socket();
    for bad in [INVALID_SOCKET, 0xabcd_ef00] {
        for (listener, acceptor) in [(bad, *acceptor), (*listener, bad)] {
            let op = accept_op(0);
            let buffer = op.wsabuf().buf;
            let error = accept_ex(listener, acceptor, buffer, [0, ROOM, ROOM], op.ptr());
            assert_eq!(error, WSAENOTSOCK, "{listener:x} {acceptor:x}");
            assert_marked(&op);
        }
    }
}

#[test]
fn r068_a_refused_accept_leaves_both_sockets_usable() {
    let (listener, addr) = listener();
    let (acceptor, refused) = (tcp_socket(), accept_op(0));
    let buffer = refused.wsabuf().buf;
    let error = accept_ex(*listener, *acceptor, buffer, [0, ROOM, 0], refused.ptr());
    assert_eq!(error, WSAEFAULT);
    assert_marked(&refused);
    let (op, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let _client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
}

/// An AcceptEx with so little room for the local address, and a client for it to fail on.
fn accept_into_too_little(listener: &Socket, addr: &Addr, local: u32) -> (Op, Event, Socket) {
    let (op, event) = accept_with_event(0);
    let (acceptor, buffer) = (tcp_socket(), op.wsabuf().buf);
    let error = accept_ex(**listener, *acceptor, buffer, [0, local, ROOM], op.ptr());
    assert_eq!(error as u32, ERROR_IO_PENDING, "accepted at call time");
    let client = connect_to(addr);
    assert!(event.is_set_within(SOON));
    (op, event, client)
}

#[test]
fn r069_too_little_local_room_fails_at_completion() {
    let (listener, addr) = listener();
    let (op, ..) = accept_into_too_little(&listener, &addr, 3);
    assert_eq!(win32_result(&listener, &op, false), Err(ERROR_INSUFFICIENT_BUFFER));
    assert_eq!(wsa_result(&listener, &op, false), Err(WSAEFAULT));
}

#[test]
fn r069_room_for_the_bare_address_is_too_little() {
    let (listener, addr) = listener();
    for local in [16, 31] {
        let (op, ..) = accept_into_too_little(&listener, &addr, local);
        differs_on_wine(|| {
            assert_eq!(win32_result(&listener, &op, false), Err(ERROR_INSUFFICIENT_BUFFER));
            assert_eq!(wsa_result(&listener, &op, false), Err(WSAEFAULT));
        });
    }
}

#[test]
fn r069_the_connection_stays_acceptable_for_a_plain_accept() {
    let (listener, addr) = listener();
    let (_op, _event, client) = accept_into_too_little(&listener, &addr, 3);
    non_blocking(&listener, true);
    differs_on_wine(|| {
        let server = accept_soon(&listener);
        non_blocking(&server, false);
        send_all(&client, b"still here");
        assert_eq!(recv_exactly(&server, 10), b"still here");
    });
}

#[test]
fn r069_the_connection_stays_acceptable_for_another_acceptex() {
    let (listener, addr) = listener();
    let (_op, _event, client) = accept_into_too_little(&listener, &addr, 3);
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    let posted = post_accept(&listener, &acceptor, &op, 0);
    assert!(matches!(posted, Ok(0) | Err(WSA_IO_PENDING)), "{posted:?}");
    differs_on_wine(|| {
        assert!(event.is_set_within(A_WHILE));
        assert_eq!(wsa_result(&listener, &op, false), Ok((0, 0)));
        let port = local_addr(*client).port();
        assert_eq!(accepted_addresses(&op, 0).1.port(), port);
    });
}

#[test]
fn r070_the_data_comes_first_and_then_the_addresses() {
    const DATA: u32 = 64;
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(DATA);
    assert_eq!(post_accept(&listener, &acceptor, &op, DATA), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    send_all(&client, b"first words");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((11, 0)), "data only, not the addresses");
    assert_eq!(&op.data()[..11], b"first words");
    let (local, remote) = accepted_addresses(&op, DATA);
    assert_eq!((local.family(), local.port(), local.len), (AF_INET, addr.port(), 16));
    let client_port = local_addr(*client).port();
    assert_eq!((remote.family(), remote.port(), remote.len), (AF_INET, client_port, 16));
}

#[test]
fn r070_the_decoded_addresses_lie_in_their_own_blocks() {
    const DATA: u32 = 10;
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(DATA);
    assert_eq!(post_accept(&listener, &acceptor, &op, DATA), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    send_all(&client, b"0123456789");
    assert!(event.is_set_within(SOON));
    let (mut local, mut local_len) = (null_mut(), 0);
    let (mut remote, mut remote_len) = (null_mut(), 0);
    let start = op.wsabuf().buf;
    // SAFETY: the lengths are those of the AcceptEx; the outputs outlive the call.
    unsafe {
        GetAcceptExSockaddrs(
            start.cast(),
            DATA,
            ROOM,
            ROOM,
            &raw mut local,
            &raw mut local_len,
            &raw mut remote,
            &raw mut remote_len,
        );
    }
    let offset = |address: *mut SOCKADDR| address as usize - start as usize;
    let local_block = DATA as usize..(DATA + ROOM) as usize;
    let remote_block = local_block.end..(DATA + 2 * ROOM) as usize;
    assert!(local_block.contains(&offset(local)), "{}", offset(local));
    assert!(offset(local) + local_len as usize <= local_block.end);
    assert!(remote_block.contains(&offset(remote)), "{}", offset(remote));
    assert!(offset(remote) + remote_len as usize <= remote_block.end);
}

#[test]
fn r070_the_smallest_room_for_ipv4_addresses_is_enough() {
    const SMALL: u32 = 32;
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let event = Event::manual_reset();
    let op = Op::with_event(2 * SMALL as usize + 8, &event);
    let buffer = op.wsabuf().buf;
    let error = accept_ex(*listener, *acceptor, buffer, [0, SMALL, SMALL], op.ptr());
    assert_eq!(error, WSA_IO_PENDING);
    let _client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((0, 0)));
    assert_eq!(op.data()[2 * SMALL as usize..], [0; 8], "nothing is written behind the blocks");
}

#[test]
fn r070_ipv6_addresses_and_data() {
    const DATA: u32 = 32;
    let (listener, addr) = listener_v6();
    let acceptor = tcp_socket_v6();
    let (op, event) = accept_with_event(DATA);
    assert_eq!(post_accept(&listener, &acceptor, &op, DATA), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    send_all(&client, b"over six");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((8, 0)));
    assert_eq!(&op.data()[..8], b"over six");
    let (local, remote) = accepted_addresses(&op, DATA);
    assert_eq!((local.family(), local.port(), local.len), (AF_INET6, addr.port(), 28));
    let client_port = local_addr(*client).port();
    assert_eq!((remote.family(), remote.port(), remote.len), (AF_INET6, client_port, 28));
    assert_eq!(update_accepted(&acceptor, &listener), Ok(()));
    assert_eq!(peer_addr(*acceptor).unwrap().port(), client_port);
}

#[test]
fn r071_without_room_for_data_it_completes_on_connect() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(NEVER));
    let client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((0, 0)));
    send_all(&client, b"afterwards");
    assert_eq!(recv_exactly(&acceptor, 10), b"afterwards");
    send_all(&acceptor, b"and back");
    assert_eq!(recv_exactly(&client, 8), b"and back");
}

#[test]
fn r071_a_client_that_waits_already_is_taken_too() {
    let (listener, addr) = listener();
    let client = connect_to(&addr);
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    let posted = post_accept(&listener, &acceptor, &op, 0);
    assert!(matches!(posted, Ok(0) | Err(WSA_IO_PENDING)), "{posted:?}");
    assert!(event.is_set_within(SOON));
    send_all(&acceptor, b"hello");
    assert_eq!(recv_exactly(&client, 5), b"hello");
}

#[test]
fn r071_with_room_for_data_it_waits_for_the_first_byte() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    assert!(!event.is_set_within(NEVER), "the connection alone is not enough");
    send_all(&client, b"1");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((1, 0)));
    assert_eq!(op.data()[0], b'1');
}

#[test]
fn r071_more_first_data_than_room_stays_for_the_next_receive() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(4);
    let client = connect_to(&addr);
    send_all(&client, b"more than four");
    let posted = post_accept(&listener, &acceptor, &op, 4);
    assert!(matches!(posted, Ok(4) | Err(WSA_IO_PENDING)), "{posted:?}");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((4, 0)));
    assert_eq!(&op.data()[..4], b"more");
    assert_eq!(recv_exactly(&acceptor, 10), b" than four");
}

#[test]
fn r071_a_client_that_closes_before_sending_completes_it_with_nothing() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    let port = local_addr(*client).port();
    assert_eq!(client.close(), Ok(()));
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((0, 0)));
    assert_eq!(recv_some(&acceptor), Ok(vec![]));
    differs_on_wine(|| assert_eq!(accepted_addresses(&op, 64).1.port(), port));
}

#[test]
fn r071_a_client_that_half_closes_can_still_be_answered() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*client, SD_SEND) }, 0);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &op, false), Ok((0, 0)));
    send_all(&acceptor, b"answer");
    assert_eq!(recv_exactly(&client, 6), b"answer");
}

#[test]
fn r071_a_client_that_resets_before_sending_ends_it_with_an_error() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    assert!(!event.is_set_within(NEVER));
    client.reset();
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&listener, &op, false), Err(ERROR_NETNAME_DELETED));
    assert_eq!(wsa_result(&listener, &op, false), Err(WSAECONNRESET));
}

/// SO_CONNECT_TIME: the seconds a socket has been connected.
fn connect_time(socket: &Socket) -> u32 {
    option(**socket, SOL_SOCKET, SO_CONNECT_TIME).expect("SO_CONNECT_TIME")
}

#[test]
fn r071_connect_time_tells_the_silent_client_from_none() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    assert_eq!(connect_time(&acceptor), u32::MAX);
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    assert_eq!(connect_time(&acceptor), u32::MAX, "nobody has come");
    let client = connect_to(&addr);
    assert!(!event.is_set_within(NEVER));
    let seconds = connect_time(&acceptor);
    assert!(seconds < 60, "connected, silent: {seconds}");
    send_all(&client, b"x");
    assert!(event.is_set_within(SOON));
    assert!(connect_time(&acceptor) < 60);
}

#[test]
fn r071_connect_time_counts_seconds() {
    let (a, b) = tcp_pair();
    thread::sleep(Duration::from_millis(2100));
    for socket in [a, b] {
        assert!((2..60).contains(&connect_time(&socket)), "{}", connect_time(&socket));
    }
}

#[test]
fn r071_closing_the_accept_socket_of_a_silent_client_ends_both() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(64);
    assert_eq!(post_accept(&listener, &acceptor, &op, 64), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    assert!(!event.is_set_within(NEVER));
    assert_eq!(acceptor.close(), Ok(()));
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&listener, &op, false), Err(ERROR_OPERATION_ABORTED));
    let end = recv_some(&client);
    assert!(matches!(end, Ok(ref none) if none.is_empty()) || end == Err(WSAECONNRESET), "{end:?}");
}

#[test]
fn r071_a_silent_client_does_not_hold_up_the_next_one() {
    let (listener, addr) = listener();
    let acceptors = [tcp_socket(), tcp_socket()];
    let accepts = [accept_with_event(16), accept_with_event(16)];
    for (acceptor, (op, _)) in acceptors.iter().zip(&accepts) {
        assert_eq!(post_accept(&listener, acceptor, op, 16), Err(WSA_IO_PENDING));
    }
    let _silent = connect_to(&addr);
    let talker = connect_to(&addr);
    send_all(&talker, b"me first");
    let events = [*accepts[0].1, *accepts[1].1];
    // SAFETY: the array holds the two handles counted.
    let first = unsafe { WSAWaitForMultipleEvents(2, events.as_ptr(), 0, SOON, 0) } as usize;
    assert!(first < 2, "{first}");
    let op = &accepts[first].0;
    assert_eq!(wsa_result(&listener, op, false), Ok((8, 0)));
    assert_eq!(&op.data()[..8], b"me first");
    assert!(!accepts[1 - first].1.is_set_within(NEVER));
}

#[test]
fn r071_many_posted_accepts_take_one_client_each() {
    const COUNT: usize = 100;
    let (listener, addr) = listener();
    let port = port();
    associate(&listener, &port, 4);
    let ops: Vec<Op> = (0..COUNT).map(|_| accept_op(8)).collect();
    let acceptors: Vec<Socket> = (0..COUNT).map(|_| tcp_socket()).collect();
    for (acceptor, op) in acceptors.iter().zip(&ops) {
        assert_eq!(post_accept(&listener, acceptor, op, 8), Err(WSA_IO_PENDING));
    }
    let clients: Vec<Socket> = (0..COUNT).map(|_| connect_to(&addr)).collect();
    for (number, client) in clients.iter().enumerate() {
        send_all(client, &(number as u64).to_le_bytes());
    }
    let mut seen = [false; COUNT];
    for _ in 0..COUNT {
        let packet = dequeue(*port, SOON);
        assert!(packet.ok, "{packet:?}");
        assert_eq!((packet.key, packet.bytes), (4, 8));
        let index = ops.iter().position(|op| op.ptr() == packet.overlapped).unwrap();
        let number = usize::from_le_bytes(ops[index].data()[..8].try_into().unwrap());
        assert!(!std::mem::replace(&mut seen[number], true), "client {number} came twice");
        let remote = accepted_addresses(&ops[index], 8).1;
        assert_eq!(remote.port(), local_addr(*clients[number]).port());
        send_all(&acceptors[index], &[number as u8]);
        assert_eq!(recv_exactly(&clients[number], 1), [number as u8]);
    }
    assert_eq!(dequeue(*port, 0).error, WAIT_TIMEOUT);
}

#[test]
fn r071_a_client_reset_while_it_waits_does_not_spoil_the_next() {
    let (listener, addr) = listener();
    connect_to(&addr).reset();
    let healthy = connect_to(&addr);
    send_all(&healthy, b"well");
    let port = port();
    associate(&listener, &port, 0);
    let acceptors = [tcp_socket(), tcp_socket()];
    let ops = [accept_op(16), accept_op(16)];
    for (acceptor, op) in acceptors.iter().zip(&ops) {
        let posted = post_accept(&listener, acceptor, op, 16);
        // An immediate failure is the reset client's, and queues nothing.
        assert!(matches!(posted, Ok(_) | Err(WSA_IO_PENDING | WSAECONNRESET)), "{posted:?}");
    }
    let served = (0..2).map(|_| dequeue(*port, SOON)).find(|packet| packet.bytes == 4).unwrap();
    assert!(served.ok, "{served:?}");
    let op = ops.iter().find(|op| op.ptr() == served.overlapped).unwrap();
    assert_eq!(&op.data()[..4], b"well");
}

#[test]
fn r071_threads_may_post_accepts_while_clients_come_and_go() {
    const EACH: usize = 50;
    let (listener, addr) = listener();
    let serve = || {
        for _ in 0..EACH {
            let acceptor = tcp_socket();
            let (op, event) = accept_with_event(1);
            let posted = post_accept(&listener, &acceptor, &op, 1);
            assert!(matches!(posted, Ok(1) | Err(WSA_IO_PENDING)), "{posted:?}");
            assert!(event.is_set_within(SOON));
            assert_eq!(wsa_result(&listener, &op, false), Ok((1, 0)));
            send_all(&acceptor, op.data().split_at(1).0);
            assert_eq!(recv_exactly(&acceptor, 1), [], "the client closes first");
        }
    };
    let visit = |number: usize| {
        for _ in 0..EACH {
            let client = connect_to(&addr);
            send_all(&client, &[number as u8]);
            assert_eq!(recv_exactly(&client, 1), [number as u8]);
        }
    };
    thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(serve);
            scope.spawn(move || visit(number));
        }
    });
}

#[test]
fn r071_a_cancelled_accept_leaves_the_listener_working() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    // SAFETY: the op is alive.
    assert_ne!(unsafe { CancelIoEx(*listener as _, op.ptr()) }, 0);
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&listener, &op, false), Err(ERROR_OPERATION_ABORTED));
    let (again, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &again, 0), Err(WSA_IO_PENDING));
    let _client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&listener, &again, false), Ok((0, 0)));
}

#[test]
fn r072_a_pending_accept_takes_the_connection_before_a_plain_accept() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let (op, event) = accept_with_event(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    non_blocking(&listener, true);
    let first = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    // SAFETY: no address is asked for.
    let none = unsafe { accept(*listener, null_mut(), null_mut()) };
    assert_eq!((none, last_wsa_error()), (INVALID_SOCKET, WSAEWOULDBLOCK));
    let second = connect_to(&addr);
    let plain = accept_soon(&listener);
    send_all(&first, b"1");
    send_all(&second, b"2");
    assert_eq!(recv_exactly(&acceptor, 1), b"1");
    non_blocking(&plain, false);
    assert_eq!(recv_exactly(&plain, 1), b"2");
}

/// The connection that a non-blocking listener has within a while.
fn accept_soon(listener: &Socket) -> Socket {
    for _ in 0..A_WHILE {
        // SAFETY: no address is asked for.
        let raw = unsafe { accept(**listener, null_mut(), null_mut()) };
        if raw != INVALID_SOCKET {
            return Socket::own(raw);
        }
        assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
        thread::sleep(Duration::from_millis(1));
    }
    panic!("nobody came");
}
