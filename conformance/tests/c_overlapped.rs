//! Section C: overlapped receives and sends, reported through events or the socket handle.

use std::ptr::null_mut;
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_NETNAME_DELETED, HANDLE, STATUS_CONNECTION_RESET, STATUS_PENDING,
    WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::*;

/// `WSARecv` without OVERLAPPED and routine, into one buffer of 64 bytes.
fn plain_recv(socket: &Socket, flags: u32) -> Result<Vec<u8>, i32> {
    let mut data = vec![0; 64];
    let buffer = WSABUF { len: data.len() as u32, buf: data.as_mut_ptr() };
    let (mut bytes, mut flags) = (0xdead, flags);
    // SAFETY: without OVERLAPPED nothing outlives the call.
    let rc =
        unsafe { WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, null_mut(), None) };
    if rc != 0 {
        return Err(last_wsa_error());
    }
    data.truncate(bytes as usize);
    Ok(data)
}

/// `WSASend` of one buffer without OVERLAPPED and routine.
fn plain_send(socket: &Socket, data: &[u8]) -> Result<u32, i32> {
    let buffer = WSABUF { len: data.len() as u32, buf: data.as_ptr().cast_mut() };
    let mut bytes = 0xdead;
    // SAFETY: without OVERLAPPED nothing outlives the call, and a send only reads.
    let rc = unsafe { WSASend(**socket, &buffer, 1, &raw mut bytes, 0, null_mut(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// A TCP socket made by WSASocketW without WSA_FLAG_OVERLAPPED, connected, and its peer.
fn synchronous_pair() -> (Socket, Socket) {
    let (listener, addr) = listener();
    // SAFETY: no protocol info is passed.
    let raw =
        unsafe { WSASocketW(i32::from(AF_INET), SOCK_STREAM, IPPROTO_TCP, std::ptr::null(), 0, 0) };
    let client = Socket::own(raw);
    // SAFETY: `addr` is a full socket address of `len` bytes.
    let rc = unsafe { connect(*client, addr.as_ptr(), addr.len) };
    assert_eq!(rc, 0, "connect: {}", last_wsa_error());
    let server = accept_one(&listener);
    (client, server)
}

#[test]
fn r050_without_overlapped_a_non_blocking_receive_would_block() {
    let (a, b) = tcp_pair();
    non_blocking(&a, true);
    assert_eq!(plain_recv(&a, 0), Err(WSAEWOULDBLOCK));
    send_all(&b, b"now");
    assert!(wait_readable(&a));
    assert_eq!(plain_recv(&a, 0), Ok(b"now".to_vec()));
    assert_eq!(plain_recv(&a, 0), Err(WSAEWOULDBLOCK));
    assert_eq!(b.close(), Ok(()));
    assert!(wait_readable(&a));
    assert_eq!(plain_recv(&a, 0), Ok(vec![]));
}

/// Whether `socket` has something to receive (or an end) soon, asked by receives that only look.
fn wait_readable(socket: &Socket) -> bool {
    for _ in 0..SOON {
        match plain_recv(socket, MSG_PEEK as u32) {
            Ok(_) => return true,
            Err(WSAEWOULDBLOCK) => thread::sleep(Duration::from_millis(1)),
            Err(other) => panic!("peek: {other}"),
        }
    }
    false
}

#[test]
fn r050_without_overlapped_a_blocking_receive_waits() {
    let (a, b) = tcp_pair();
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        send_all(&b, b"late");
        b
    });
    assert_eq!(plain_recv(&a, 0), Ok(b"late".to_vec()));
    drop(sender.join().unwrap());
    assert_eq!(plain_recv(&a, 0), Ok(vec![]));
}

#[test]
fn r050_without_overlapped_a_peek_leaves_the_data() {
    let (a, b) = tcp_pair();
    send_all(&b, b"look");
    assert_eq!(plain_recv(&a, MSG_PEEK as u32), Ok(b"look".to_vec()));
    assert_eq!(plain_recv(&a, 0), Ok(b"look".to_vec()));
}

#[test]
fn r050_without_overlapped_a_non_blocking_send_stops_when_full() {
    let (a, b) = tcp_pair();
    non_blocking(&a, true);
    let chunk = pattern(65_536);
    let mut sent = 0_usize;
    let full = loop {
        assert!(sent < 1 << 30, "a send without a reader never stopped");
        match plain_send(&a, &chunk) {
            Ok(bytes) => sent += bytes as usize,
            Err(error) => break error,
        }
    };
    assert_eq!(full, WSAEWOULDBLOCK);
    assert_eq!(recv_exactly(&b, sent).len(), sent);
}

#[test]
fn r050_without_overlapped_no_event_and_no_packet_is_involved() {
    let (a, b) = tcp_pair();
    let port = port();
    associate(&a, &port, 1);
    send_all(&b, b"x");
    assert_eq!(plain_recv(&a, 0), Ok(b"x".to_vec()));
    assert_eq!(plain_send(&a, b"y"), Ok(1));
    assert_eq!(dequeue(*port, NEVER).error, WAIT_TIMEOUT);
}

#[test]
fn r051_a_non_blocking_socket_still_answers_io_pending() {
    let (a, b) = tcp_pair();
    non_blocking(&a, true);
    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    assert_eq!(op.status(), STATUS_PENDING);
    send_all(&b, b"data");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false), Ok((4, 0)));
    assert_eq!(&op.data()[..4], b"data");
}

#[test]
fn r052_without_the_overlapped_flag_a_receive_blocks_until_done() {
    for non_blocking_mode in [false, true] {
        let (a, b) = synchronous_pair();
        non_blocking(&a, non_blocking_mode);
        let sender = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            send_all(&b, b"awaited");
            b
        });
        let op = Op::new(16);
        assert_eq!(post_recv(&a, &op), Ok(7), "non-blocking {non_blocking_mode}");
        assert_eq!(&op.data()[..7], b"awaited");
        drop(sender.join().unwrap());
    }
}

#[test]
fn r053_a_pending_receive_marks_its_overlapped_and_resets_its_event() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    event.set();
    let op = Op::with_event(8, &event);
    op.set_status(0x1234_5678);
    op.set_bytes(0xfeed);

    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0xdead, 0);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc = unsafe { WSARecv(*a, &buffer, 1, &raw mut bytes, &raw mut flags, op.ptr(), None) };
    assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSA_IO_PENDING));
    assert_eq!(bytes, 0xdead, "the byte count is not touched while pending");
    assert_eq!(op.status(), STATUS_PENDING);
    assert_eq!(op.bytes(), 0xfeed, "InternalHigh is not touched while pending");
    assert!(!event.is_set(), "the event is reset at the start");

    send_all(&b, b"12345");
    assert!(event.is_set_within(SOON));
    assert_eq!((op.status(), op.bytes()), (0, 5));
    assert_eq!(bytes, 0xdead, "nor when it completes later");
    assert_eq!(&op.data()[..5], b"12345");
    assert!(event.is_set(), "a manual-reset event stays set");
}

#[test]
fn r053_an_immediate_success_sets_the_event_too() {
    let (a, b) = tcp_pair();
    send_all(&b, b"ready");
    assert_eq!(plain_recv(&a, MSG_PEEK as u32), Ok(b"ready".to_vec()));
    let event = Event::manual_reset();
    let op = Op::with_event(5, &event);
    assert_eq!(post_recv(&a, &op), Ok(5));
    assert!(event.is_set());
    assert_eq!((op.status(), op.bytes()), (0, 5));
    assert_eq!(op.data(), b"ready");
    let sent = Op::with_event(5, &event);
    event.reset();
    assert_eq!(post_send(&a, &sent), Ok(5));
    assert!(event.is_set());
}

#[test]
fn r053_each_operation_sets_its_own_event() {
    let (a, b) = tcp_pair();
    let events: Vec<Event> = (0..3).map(|_| Event::auto_reset()).collect();
    let ops: Vec<Op> = events.iter().map(|event| Op::with_event(1, event)).collect();
    for op in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    for (event, byte) in events.iter().zip(b"abc") {
        send_all(&b, &[*byte]);
        assert!(event.is_set_within(SOON));
        assert!(events.iter().all(|other| !other.is_set()), "one byte, one event");
    }
    assert_eq!([ops[0].data(), ops[1].data(), ops[2].data()].concat(), b"abc");
}

#[test]
fn r054_without_event_and_port_the_socket_handle_is_signalled() {
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    assert_eq!(wait(*a as HANDLE, NEVER), WAIT_TIMEOUT);
    send_all(&b, b"four");
    assert_eq!(wait(*a as HANDLE, SOON), WAIT_OBJECT_0);
    assert_eq!(win32_result(&a, &op, false), Ok(4));
    assert_eq!(op.data(), b"four");

    let next = Op::new(4);
    assert_eq!(post_recv(&a, &next), Err(WSA_IO_PENDING));
    assert_eq!(wait(*a as HANDLE, NEVER), WAIT_TIMEOUT, "a new operation resets it");
    send_all(&b, b"more");
    assert_eq!(win32_result(&a, &next, true), Ok(4), "bWait waits for the socket handle");
    assert_eq!(next.data(), b"more");
}

#[test]
fn r062_a_pending_operation_is_io_incomplete_and_the_count_untouched() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    let (mut bytes, mut flags) = (0xdead, 0xbeef);
    // SAFETY: the outputs outlive the call, the op its OVERLAPPED.
    let done = unsafe { WSAGetOverlappedResult(*a, op.ptr(), &raw mut bytes, 0, &raw mut flags) };
    assert_eq!((done, last_wsa_error()), (0, WSA_IO_INCOMPLETE));
    assert_eq!(bytes, 0xdead);
    assert_eq!(win32_result(&a, &op, false), Err(ERROR_IO_INCOMPLETE));
    send_all(&b, b"end");
    assert_eq!(wsa_result(&a, &op, true), Ok((3, 0)));
}

#[test]
fn r062_waiting_for_the_result_blocks_until_the_event_is_set() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    let sender = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        send_all(&b, b"late");
        b
    });
    assert_eq!(wsa_result(&a, &op, true), Ok((4, 0)));
    assert_eq!(op.data(), b"late");
    assert_eq!(wsa_result(&a, &op, true), Ok((4, 0)), "asking again gives the same answer");
    drop(sender.join().unwrap());
}

#[test]
fn r062_the_result_of_a_bad_socket_is_not_a_socket() {
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    send_all(&b, b"here");
    assert_eq!(plain_recv(&a, MSG_PEEK as u32), Ok(b"here".to_vec()));
    assert_eq!(post_recv(&a, &op), Ok(4));
    assert_eq!(wsa_result(&Socket::own(0xabcd_ef00), &op, false), Err(WSAENOTSOCK));
    assert_eq!(wsa_result(&a, &op, false), Ok((4, 0)));
}

#[test]
fn r066_a_reset_ends_a_pending_receive_with_netname_deleted() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    assert_eq!(op.status(), STATUS_CONNECTION_RESET);
    assert_eq!(win32_result(&a, &op, false), Err(ERROR_NETNAME_DELETED));
    assert_eq!(wsa_result(&a, &op, false), Err(WSAECONNRESET));
    assert_eq!(op.bytes(), 0);
}

#[test]
fn r066_a_reset_ends_every_pending_receive() {
    let (a, b) = tcp_pair();
    let events: Vec<Event> = (0..4).map(|_| Event::manual_reset()).collect();
    let ops: Vec<Op> = events.iter().map(|event| Op::with_event(4, event)).collect();
    for op in &ops {
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    b.reset();
    for (event, op) in events.iter().zip(&ops) {
        assert!(event.is_set_within(SOON));
        let result = win32_result(&a, op, false);
        assert_eq!(result, Err(ERROR_NETNAME_DELETED));
    }
}

#[test]
fn r066_a_graceful_close_ends_it_with_no_bytes_instead() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*b, SD_SEND) }, 0);
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false), Ok((0, 0)));
    send_all(&a, b"the other half still works");
    assert_eq!(recv_exactly(&b, 26), b"the other half still works");
}
