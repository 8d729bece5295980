//! Section B, which operations queue a packet, and what it says.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_CONNECTION_REFUSED, ERROR_INVALID_PARAMETER, ERROR_NETNAME_DELETED,
    ERROR_OPERATION_ABORTED, HANDLE, STATUS_CONNECTION_REFUSED, STATUS_CONNECTION_RESET,
    STATUS_PENDING, STATUS_SUCCESS, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::{
    FIONBIO, FROM_PROTOCOL_INFO, SD_BOTH, SD_SEND, SO_ERROR, SOL_SOCKET, WSA_FLAG_OVERLAPPED,
    WSABUF, WSADuplicateSocketW, WSAECONNRESET, WSAEINVAL, WSAENOTCONN, WSAESHUTDOWN, WSAIoctl,
    WSAPROTOCOL_INFOW, WSARecv, WSARecvDisconnect, WSASend, WSASendDisconnect, WSASendTo,
    WSASocketW, accept, connect, shutdown,
};
use winsock_sys::Win32::Storage::FileSystem::SetFileCompletionNotificationModes;
use winsock_sys::Win32::System::IO::{CancelIoEx, CreateIoCompletionPort, OVERLAPPED};
use winsock_sys::Win32::System::Threading::SleepEx;
use winsock_sys::Win32::System::WindowsProgramming::{
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
};

const UNTOUCHED: u32 = 0xdead_beef;

/// A connected pair of which the first is tied to the port under key 1.
fn tied_pair() -> (Port, Socket, Socket) {
    let port = port();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 1);
    (port, socket, peer)
}

/// A second SOCKET for the same socket, made in the same process.
fn duplicate(socket: &Socket) -> Socket {
    let mut info = WSAPROTOCOL_INFOW::default();
    let process = std::process::id();
    // SAFETY: `info` outlives both calls.
    unsafe {
        let rc = WSADuplicateSocketW(**socket, process, &raw mut info);
        assert_eq!(rc, 0, "WSADuplicateSocketW: {}", last_wsa_error());
        let any = FROM_PROTOCOL_INFO;
        Socket::own(WSASocketW(any, any, any, &raw const info, 0, WSA_FLAG_OVERLAPPED))
    }
}

fn skip(socket: &Socket, modes: u32) {
    // SAFETY: no memory is passed.
    let ok = unsafe { SetFileCompletionNotificationModes(**socket as HANDLE, modes as u8) };
    assert_ne!(ok, 0, "SetFileCompletionNotificationModes: {}", last_error());
}

/// Waits until bytes (or the end) of the peer can be received on `socket`, taking nothing.
fn wait_readable(socket: &Socket) {
    let event = Event::manual_reset();
    let op = quiet_op(0, &event);
    match post_recv(socket, &op) {
        Ok(_) | Err(WSA_IO_PENDING) => assert!(event.is_set_within(SOON)),
        Err(_) => {}
    }
}

// The association belongs to the socket, not to the handle.

#[test]
fn r018_a_duplicate_posts_to_the_port_of_the_original() {
    let (port, socket, peer) = tied_pair();
    let copy = duplicate(&socket);
    let op = Op::new(8);
    assert_eq!(post_recv(&copy, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"one");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
    let op = Op::sending(b"three");
    assert_eq!(post_send(&copy, &op), Ok(5));
    dequeue(*port, SOON).expect_ok(1, &op, 5);
}

#[test]
fn r018_a_duplicate_made_before_the_association_posts_too() {
    let port = port();
    let (socket, peer) = tcp_pair();
    let copy = duplicate(&socket);
    associate(&socket, &port, 1);
    let op = Op::new(8);
    assert_eq!(post_recv(&copy, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"one");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
    // SAFETY: no memory is passed.
    let again = unsafe { CreateIoCompletionPort(*copy as HANDLE, *port, 2, 0) };
    assert!(again.is_null());
    assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
}

/// A receive is pending through one of two handles; closes the one or the other.
fn expect_nothing_aborted(close_the_issuing_one: bool) {
    let (port, socket, peer) = tied_pair();
    let copy = duplicate(&socket);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    let (first, _second) = if close_the_issuing_one { (socket, copy) } else { (copy, socket) };
    assert_eq!(first.close(), Ok(()));
    expect_no_packet(&port);
    send_all(&peer, b"one");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
}

#[test]
fn r018_closing_one_of_two_handles_aborts_nothing() {
    expect_nothing_aborted(false);
    // Wine 8.0 fails the receive with ERROR_INVALID_HANDLE when the data comes.
    differs_on_wine(|| expect_nothing_aborted(true));
}

#[test]
fn r018_closing_the_last_handle_aborts() {
    for close_the_original_first in [true, false] {
        let (port, socket, peer) = tied_pair();
        let copy = duplicate(&socket);
        let op = Op::new(8);
        assert_eq!(post_recv(&copy, &op), Err(WSA_IO_PENDING));
        let (first, second) =
            if close_the_original_first { (socket, copy) } else { (copy, socket) };
        assert_eq!(first.close(), Ok(()));
        expect_no_packet(&port);
        assert_eq!(second.close(), Ok(()));
        let packet = dequeue(*port, SOON);
        assert!(!packet.ok && packet.overlapped == op.ptr(), "{packet:?}");
        assert_eq!((packet.key, packet.bytes), (1, 0));
        expect_no_packet(&port);
        drop(peer);
    }
}

#[test]
fn r018_a_listener_keeps_accepting_until_its_last_handle_is_closed() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 6);
    let copy = duplicate(&listener);
    let (first, second) = (tcp_socket(), tcp_socket());
    let ops = [accept_op(0), accept_op(0)];
    assert_eq!(post_accept(&listener, &first, &ops[0], 0), Err(WSA_IO_PENDING));
    assert_eq!(post_accept(&listener, &second, &ops[1], 0), Err(WSA_IO_PENDING));
    assert_eq!(listener.close(), Ok(()));
    expect_no_packet(&port);
    let _client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(6, &ops[0], 0);
    assert_eq!(copy.close(), Ok(()));
    dequeue(*port, SOON).expect_failed(6, &ops[1], ERROR_OPERATION_ABORTED);
    expect_no_packet(&port);
}

#[test]
fn r019_an_accept_started_before_the_association_posts() {
    let port = port();
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let op = accept_op(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    associate(&listener, &port, 8);
    let _client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(8, &op, 0);
    expect_no_packet(&port);
}

#[test]
fn r019_a_receive_started_before_the_association_posts() {
    let port = port();
    let event = Event::manual_reset();
    let (socket, peer) = tcp_pair();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    associate(&socket, &port, 8);
    send_all(&peer, b"abc");
    dequeue(*port, SOON).expect_ok(8, &op, 3);
    assert!(event.is_set());
    expect_no_packet(&port);
}

// Success that comes at once.

#[test]
fn r021_immediate_success_still_queues_a_packet() {
    let (port, socket, peer) = tied_pair();
    let sent = Op::sending(b"hello");
    assert_eq!(post_send(&socket, &sent), Ok(5));
    dequeue(*port, SOON).expect_ok(1, &sent, 5);
    send_all(&peer, b"abc");
    wait_readable(&socket);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Ok(3));
    dequeue(*port, SOON).expect_ok(1, &op, 3);
    assert_eq!(&op.data()[..3], b"abc");
    expect_no_packet(&port);
}

#[test]
fn r021_a_hundred_immediate_sends_queue_a_hundred_packets_in_order() {
    let (port, socket, _peer) = tied_pair();
    let ops: Vec<Op> = (1..=100).map(|len| Op::sending(&vec![7; len])).collect();
    for (op, len) in ops.iter().zip(1..) {
        assert_eq!(post_send(&socket, op), Ok(len));
    }
    for (op, len) in ops.iter().zip(1..) {
        dequeue(*port, SOON).expect_ok(1, op, len);
    }
    expect_no_packet(&port);
}

#[test]
fn r021_datagrams_and_empty_sends_queue_packets_too() {
    let port = port();
    let (receiver, addr) = udp_bound();
    let sender = udp_socket();
    associate(&sender, &port, 9);
    for len in [4, 0] {
        let op = Op::new(len);
        let (buffer, mut bytes) = (op.wsabuf(), 0);
        let (to, to_len) = (addr.as_ptr(), addr.len);
        // SAFETY: the op keeps OVERLAPPED and buffer in place; the rest outlives the call.
        let rc = unsafe {
            WSASendTo(*sender, &buffer, 1, &raw mut bytes, 0, to, to_len, op.ptr(), None)
        };
        assert_eq!((rc, bytes), (0, len as u32));
        dequeue(*port, SOON).expect_ok(9, &op, len as u32);
        assert_eq!(recv_some(&receiver), Ok(vec![0; len]));
    }
    expect_no_packet(&port);
}

#[test]
fn r021_an_accept_of_a_waiting_connection_queues_one_packet() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 2);
    let _client = connect_to(&addr);
    let acceptor = tcp_socket();
    let op = accept_op(0);
    assert!(matches!(post_accept(&listener, &acceptor, &op, 0), Ok(0) | Err(WSA_IO_PENDING)));
    dequeue(*port, SOON).expect_ok(2, &op, 0);
    expect_no_packet(&port);
}

#[test]
fn r022_the_skip_flag_suppresses_immediate_success_only() {
    let (port, socket, peer) = tied_pair();
    skip(&socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    let op = Op::sending(b"hello");
    assert_eq!(post_send(&socket, &op), Ok(5));
    assert_eq!((op.status(), op.bytes()), (STATUS_SUCCESS, 5));
    send_all(&peer, b"abc");
    wait_readable(&socket);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Ok(3));
    assert_eq!((op.status(), op.bytes()), (STATUS_SUCCESS, 3));
    expect_no_packet(&port);

    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"late");
    dequeue(*port, SOON).expect_ok(1, &op, 4);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    peer.reset();
    dequeue(*port, SOON).expect_failed(1, &op, ERROR_NETNAME_DELETED);
    expect_no_packet(&port);
}

#[test]
fn r022_with_the_skip_flag_an_event_is_still_set() {
    let (port, socket, _peer) = tied_pair();
    skip(&socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    let event = Event::manual_reset();
    let op = Op::with_event(5, &event);
    assert_eq!(post_send(&socket, &op), Ok(5));
    assert!(event.is_set());
    expect_no_packet(&port);
}

#[test]
fn r022_with_the_skip_flag_a_pending_accept_and_connect_post() {
    let port = port();
    let (listener, addr) = listener();
    let (acceptor, client) = (tcp_socket(), tcp_socket());
    for (socket, key) in [(&listener, 1), (&client, 2)] {
        associate(socket, &port, key);
        skip(socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    }
    let (accepted, connected) = (accept_op(0), Op::new(0));
    assert_eq!(post_accept(&listener, &acceptor, &accepted, 0), Err(WSA_IO_PENDING));
    bind_to(&client, &sockaddr_v4(0));
    assert_eq!(post_connect(&client, &addr, &connected), Err(WSA_IO_PENDING));
    let mut packets = [dequeue(*port, SOON), dequeue(*port, SOON)];
    packets.sort_by_key(|packet| packet.key);
    packets[0].expect_ok(1, &accepted, 0);
    packets[1].expect_ok(2, &connected, 0);
    expect_no_packet(&port);
}

#[test]
fn r022_with_the_skip_flag_a_cancelled_operation_posts() {
    let (port, socket, _peer) = tied_pair();
    skip(&socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    // SAFETY: the pointer only names an operation.
    assert_ne!(unsafe { CancelIoEx(*socket as HANDLE, op.ptr()) }, 0);
    dequeue(*port, SOON).expect_failed(1, &op, ERROR_OPERATION_ABORTED);
    expect_no_packet(&port);
}

#[test]
fn r022_with_the_skip_flag_a_disconnect_posts() {
    let (port, socket, _peer) = tied_pair();
    skip(&socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    let op = Op::new(0);
    differs_on_wine(|| {
        assert_eq!(post_disconnect(&socket, Some(&op), 0), Err(WSA_IO_PENDING));
        dequeue(*port, 2_000).expect_ok(1, &op, 0);
    });
    expect_no_packet(&port);
}

#[test]
fn r023_a_notification_mode_cannot_be_removed() {
    let (port, socket, peer) = tied_pair();
    skip(&socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS);
    skip(&socket, 0);
    skip(&socket, FILE_SKIP_SET_EVENT_ON_HANDLE);
    let op = Op::sending(b"hello");
    assert_eq!(post_send(&socket, &op), Ok(5));
    expect_no_packet(&port);
    drop(peer);
}

#[test]
fn r023_the_handle_is_signalled_unless_that_is_skipped() {
    for skipped in [false, true] {
        let (socket, peer) = tcp_pair();
        let handle = *socket as HANDLE;
        if skipped {
            skip(&socket, FILE_SKIP_SET_EVENT_ON_HANDLE);
        }
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        assert_eq!(wait(handle, 0), WAIT_TIMEOUT);
        send_all(&peer, b"abc");
        wait_ended(&op);
        let expected = if skipped { WAIT_TIMEOUT } else { WAIT_OBJECT_0 };
        assert_eq!(wait(handle, NEVER), expected, "skipped: {skipped}");
        assert_eq!(op.bytes(), 3);
    }
}

/// Polls until `op` is not pending any more.
fn wait_ended(op: &Op) {
    for _ in 0..SOON {
        if op.status() != STATUS_PENDING {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("still pending");
}

#[test]
fn r023_an_explicit_event_is_set_all_the_same() {
    let (socket, peer) = tcp_pair();
    skip(&socket, FILE_SKIP_SET_EVENT_ON_HANDLE);
    let event = Event::manual_reset();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set());
    send_all(&peer, b"abc");
    assert!(event.is_set_within(SOON));
}

// Failure that comes at once.

type Transfer = fn(&Socket, &Op, &mut u32) -> i32;

fn raw_recv(socket: &Socket, op: &Op, bytes: &mut u32) -> i32 {
    let (buffer, mut flags) = (op.wsabuf(), 0);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    match unsafe { WSARecv(**socket, &buffer, 1, bytes, &raw mut flags, op.ptr(), None) } {
        0 => 0,
        _ => last_wsa_error(),
    }
}

fn raw_send(socket: &Socket, op: &Op, bytes: &mut u32) -> i32 {
    let buffer = op.wsabuf();
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    match unsafe { WSASend(**socket, &buffer, 1, bytes, 0, op.ptr(), None) } {
        0 => 0,
        _ => last_wsa_error(),
    }
}

/// Asserts that `transfer` on `socket`, which is tied to `port`, fails at once and queues nothing.
fn expect_refused(port: &Port, socket: &Socket, transfer: Transfer, error: i32) {
    let (op, mut bytes) = (Op::new(8), UNTOUCHED);
    assert_eq!(transfer(socket, &op, &mut bytes), error);
    assert_eq!(bytes, UNTOUCHED);
    expect_no_packet(port);
}

#[test]
fn r024_transfers_on_an_unconnected_socket_fail_and_queue_nothing() {
    let port = port();
    let socket = tcp_socket();
    associate(&socket, &port, 1);
    expect_refused(&port, &socket, raw_recv, WSAENOTCONN);
    // Wine 8.0 answers WSAECONNRESET.
    differs_on_wine(|| expect_refused(&port, &socket, raw_send, WSAENOTCONN));
}

#[test]
fn r024_a_send_after_a_reset_fails_and_queues_nothing() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    peer.reset();
    dequeue(*port, SOON).expect_failed(1, &op, ERROR_NETNAME_DELETED);
    expect_refused(&port, &socket, raw_send, WSAECONNRESET);
}

#[test]
fn r024_a_send_after_shutdown_fails_and_queues_nothing() {
    let (port, socket, _peer) = tied_pair();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*socket, SD_SEND) }, 0);
    expect_refused(&port, &socket, raw_send, WSAESHUTDOWN);
}

#[test]
fn r024_an_accept_on_a_socket_that_does_not_listen_queues_nothing() {
    let port = port();
    let (socket, acceptor) = (tcp_socket(), tcp_socket());
    associate(&socket, &port, 1);
    bind_to(&socket, &sockaddr_v4(0));
    // Wine 8.0 leaves it pending.
    differs_on_wine(|| {
        assert_eq!(post_accept(&socket, &acceptor, &accept_op(0), 0), Err(WSAEINVAL));
        expect_no_packet(&port);
    });
}

// An event with its low bit set keeps the packet away.

/// An op whose event is tagged so that nothing goes to the port.
fn quiet_op(len: usize, event: &Event) -> Op {
    Op::with_event_handle(len, (**event as usize | 1) as HANDLE)
}

#[test]
fn r025_a_tagged_event_is_set_and_nothing_queued() {
    let (port, socket, peer) = tied_pair();
    let event = Event::manual_reset();
    let op = quiet_op(8, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set());
    send_all(&peer, b"abc");
    assert!(event.is_set_within(SOON));
    assert_eq!((op.status(), op.bytes()), (STATUS_SUCCESS, 3));
    event.reset();
    let op = quiet_op(8, &event);
    assert_eq!(post_send(&socket, &op), Ok(8));
    assert!(event.is_set());
    expect_no_packet(&port);
}

#[test]
fn r025_a_tagged_event_hears_of_failure_too() {
    let (port, socket, peer) = tied_pair();
    let event = Event::auto_reset();
    let op = quiet_op(8, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    peer.reset();
    assert!(event.is_set_within(SOON));
    assert_eq!(op.status(), STATUS_CONNECTION_RESET);
    expect_no_packet(&port);
}

#[test]
fn r025_a_tagged_event_hears_of_cancel_and_close() {
    for close in [false, true] {
        let (port, socket, _peer) = tied_pair();
        let event = Event::auto_reset();
        let op = quiet_op(8, &event);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        if close {
            assert_eq!(socket.close(), Ok(()));
        } else {
            // SAFETY: the pointer only names an operation.
            assert_ne!(unsafe { CancelIoEx(*socket as HANDLE, op.ptr()) }, 0);
        }
        assert!(event.is_set_within(SOON));
        assert!(op.status() < 0, "{:#x}", op.status());
        assert!(!event.is_set());
        expect_no_packet(&port);
    }
}

#[test]
fn r025_a_tagged_event_hears_of_accept_connect_and_disconnect() {
    let port = port();
    let (listener, addr) = listener();
    let (acceptor, client) = (tcp_socket(), tcp_socket());
    associate(&listener, &port, 1);
    associate(&client, &port, 2);
    let (accept_event, connect_event) = (Event::manual_reset(), Event::manual_reset());
    let accepted = quiet_op(2 * ADDRESS_ROOM as usize, &accept_event);
    let connected = quiet_op(0, &connect_event);
    assert_eq!(post_accept(&listener, &acceptor, &accepted, 0), Err(WSA_IO_PENDING));
    bind_to(&client, &sockaddr_v4(0));
    assert_eq!(post_connect(&client, &addr, &connected), Err(WSA_IO_PENDING));
    assert!(accept_event.is_set_within(SOON) && connect_event.is_set_within(SOON));
    assert_eq!((accepted.status(), connected.status()), (STATUS_SUCCESS, STATUS_SUCCESS));
    assert_eq!(update_connected(&client), Ok(()));
    connect_event.reset();
    let disconnected = quiet_op(0, &connect_event);
    assert!(matches!(
        post_disconnect(&client, Some(&disconnected), 0),
        Ok(()) | Err(WSA_IO_PENDING)
    ));
    assert!(connect_event.is_set_within(SOON));
    expect_no_packet(&port);
}

// What does not use the port at all.

#[test]
fn r026_without_overlapped_a_transfer_is_synchronous_and_queues_nothing() {
    let (port, socket, peer) = tied_pair();
    let mut data = *b"hello";
    let buffer = WSABUF { len: 5, buf: data.as_mut_ptr() };
    let (mut bytes, mut flags) = (0, 0);
    // SAFETY: everything passed outlives the calls, which are synchronous.
    unsafe {
        assert_eq!(WSASend(*socket, &buffer, 1, &raw mut bytes, 0, null_mut(), None), 0);
        assert_eq!(bytes, 5);
        send_all(&peer, b"abc");
        let rc = WSARecv(*socket, &buffer, 1, &raw mut bytes, &raw mut flags, null_mut(), None);
        assert_eq!((rc, bytes), (0, 3));
    }
    assert_eq!(&data[..3], b"abc");
    expect_no_packet(&port);
}

#[test]
fn r026_without_overlapped_a_disconnect_queues_nothing() {
    let (port, socket, peer) = tied_pair();
    assert_eq!(post_disconnect(&socket, None, 0), Ok(()));
    assert_eq!(recv_some(&peer), Ok(Vec::new()));
    expect_no_packet(&port);
}

#[test]
fn r027_a_routine_on_a_tied_socket_is_refused() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "system" fn routine(_: u32, _: u32, _: *mut OVERLAPPED, _: u32) {
        RUNS.fetch_add(1, Ordering::SeqCst);
    }

    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0, 0);
    for _ in 0..2 {
        // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
        unsafe {
            let (bytes, flags) = (&raw mut bytes, &raw mut flags);
            let rc = WSARecv(*socket, &buffer, 1, bytes, flags, op.ptr(), Some(routine));
            assert_eq!((rc, last_wsa_error()), (-1, WSAEINVAL));
            let rc = WSASend(*socket, &buffer, 1, bytes, 0, op.ptr(), Some(routine));
            assert_eq!((rc, last_wsa_error()), (-1, WSAEINVAL));
        }
        // Refused with data at hand, too.
        send_all(&peer, b"abc");
        wait_readable(&socket);
    }
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { SleepEx(NEVER, 1) }, 0);
    assert_eq!(RUNS.load(Ordering::SeqCst), 0);
    expect_no_packet(&port);
    assert_eq!(recv_some(&socket).as_deref(), Ok(&b"abcabc"[..]));
}

// What the peer does.

#[test]
fn r030_a_graceful_close_is_success_with_no_bytes() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    assert_eq!(peer.close(), Ok(()));
    dequeue(*port, SOON).expect_ok(1, &op, 0);
    // And so for every receive after it, which now answers at once.
    for _ in 0..3 {
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Ok(0));
        dequeue(*port, SOON).expect_ok(1, &op, 0);
    }
    expect_no_packet(&port);
}

#[test]
fn r030_a_half_close_ends_every_pending_receive() {
    let (port, socket, peer) = tied_pair();
    let ops: Vec<Op> = (0..4).map(|_| Op::new(8)).collect();
    for op in &ops {
        assert_eq!(post_recv(&socket, op), Err(WSA_IO_PENDING));
    }
    send_all(&peer, b"last");
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*peer, SD_SEND) }, 0);
    for (op, bytes) in ops.iter().zip([4, 0, 0, 0]) {
        dequeue(*port, SOON).expect_ok(1, op, bytes);
    }
    // The other direction lives on.
    let op = Op::sending(b"back");
    assert_eq!(post_send(&socket, &op), Ok(4));
    dequeue(*port, SOON).expect_ok(1, &op, 4);
    assert_eq!(recv_some(&peer).as_deref(), Ok(&b"back"[..]));
}

#[test]
fn r031_a_reset_fails_a_pending_receive() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    peer.reset();
    dequeue(*port, SOON).expect_failed(1, &op, ERROR_NETNAME_DELETED);
    assert_eq!((op.status(), op.bytes()), (STATUS_CONNECTION_RESET, 0));
    assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ERROR), Ok(0));
    expect_no_packet(&port);
}

#[test]
fn r032_a_reset_before_the_call_fails_it_at_once() {
    let (port, socket, peer) = tied_pair();
    peer.reset();
    pause();
    differs_on_wine(|| {
        let (op, mut bytes) = (Op::new(8), UNTOUCHED);
        assert_eq!(raw_recv(&socket, &op, &mut bytes), WSAECONNRESET);
        assert_eq!(bytes, UNTOUCHED);
        expect_no_packet(&port);
    });
}

#[test]
fn r033_a_refused_connect_posts_its_failure() {
    let port = port();
    let deaf = tcp_socket();
    bind_to(&deaf, &sockaddr_v4(0));
    let client = tcp_socket();
    bind_to(&client, &sockaddr_v4(0));
    associate(&client, &port, 3);
    let op = Op::new(0);
    assert_eq!(post_connect(&client, &local_addr(*deaf), &op), Err(WSA_IO_PENDING));
    dequeue(*port, SOON).expect_failed(3, &op, ERROR_CONNECTION_REFUSED);
    assert_eq!(op.status(), STATUS_CONNECTION_REFUSED);
    expect_no_packet(&port);
}

#[test]
fn r039_once_dequeued_the_overlapped_is_final() {
    let (port, socket, peer) = tied_pair();
    for round in 0..100 {
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        send_all(&peer, &[round; 5]);
        dequeue(*port, SOON).expect_ok(1, &op, 5);
        assert_eq!((op.status(), op.bytes()), (STATUS_SUCCESS, 5));
        assert_eq!(wsa_result(&socket, &op, false), Ok((5, 0)));
        assert_eq!(win32_result(&socket, &op, false), Ok(5));
        assert_eq!(op.data()[..5], [round; 5]);
    }
}

#[test]
fn r047_shutdown_and_its_kind_post_nothing() {
    let (port, socket, peer) = tied_pair();
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(WSASendDisconnect(*socket, null()), 0);
        assert_eq!(WSARecvDisconnect(*socket, null()), 0);
        assert_eq!(shutdown(*socket, SD_BOTH), 0);
    }
    expect_no_packet(&port);
    drop(peer);
}

#[test]
fn r047_plain_connect_and_accept_post_nothing() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 1);
    let client = tcp_socket();
    associate(&client, &port, 2);
    // SAFETY: `addr` outlives the call; accept is asked for no address.
    let accepted = unsafe {
        assert_eq!(connect(*client, addr.as_ptr(), addr.len), 0);
        Socket::own(accept(*listener, null_mut(), null_mut()))
    };
    send_all(&client, b"hi");
    assert_eq!(recv_some(&accepted).as_deref(), Ok(&b"hi"[..]));
    expect_no_packet(&port);
}

#[test]
fn r047_a_disconnect_with_overlapped_posts() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(0);
    let started = post_disconnect(&socket, Some(&op), 0);
    assert!(matches!(started, Ok(()) | Err(WSA_IO_PENDING)), "{started:?}");
    dequeue(*port, SOON).expect_ok(1, &op, 0);
    assert_eq!(recv_some(&peer), Ok(Vec::new()));
    expect_no_packet(&port);
}

#[test]
fn r047_an_ioctl_with_overlapped_posts() {
    let (port, socket, _peer) = tied_pair();
    let op = Op::new(0);
    let (on, mut bytes) = (1_u32, UNTOUCHED);
    // SAFETY: the op keeps the OVERLAPPED in place; the rest outlives the call.
    let rc = unsafe {
        let input = (&raw const on).cast();
        let (none, bytes) = (null_mut(), &raw mut bytes);
        WSAIoctl(*socket, FIONBIO as u32, input, 4, none, 0, bytes, op.ptr(), None)
    };
    assert!(rc == 0 || last_wsa_error() == WSA_IO_PENDING);
    dequeue(*port, SOON).expect_ok(1, &op, 0);
    expect_no_packet(&port);
}
