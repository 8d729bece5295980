//! Section B, operations that do not get to their natural end: cancelled, closed over, abandoned by
//! their thread.

use std::sync::Arc;
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_CONNECTION_ABORTED, ERROR_NOT_FOUND, ERROR_OPERATION_ABORTED, HANDLE, STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED, STATUS_PENDING, STATUS_SUCCESS,
};
use winsock_sys::Win32::System::IO::{CancelIo, CancelIoEx, OVERLAPPED};

/// A connected pair of which the first is tied to the port under key 1.
fn tied_pair() -> (Port, Socket, Socket) {
    let port = port();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 1);
    (port, socket, peer)
}

/// `CancelIoEx` of one operation, or of all with null; the Win32 error on refusal.
fn cancel(socket: &Socket, which: *const OVERLAPPED) -> Result<(), u32> {
    // SAFETY: the pointer only names an operation.
    match unsafe { CancelIoEx(**socket as HANDLE, which) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

fn cancel_all(socket: &Socket) -> Result<(), u32> {
    cancel(socket, std::ptr::null())
}

/// `CancelIo`: what the calling thread issued on `socket`.
fn cancel_mine(socket: &Socket) {
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { CancelIo(**socket as HANDLE) }, 0, "CancelIo: {}", last_error());
}

/// Posts `count` receives that stay pending.
fn pending_receives(socket: &Socket, count: usize) -> Vec<Op> {
    let ops: Vec<Op> = (0..count).map(|_| Op::new(8)).collect();
    for op in &ops {
        assert_eq!(post_recv(socket, op), Err(WSA_IO_PENDING));
    }
    ops
}

/// Asserts that each of `ops` comes back once, failed, in any order; the errors in that order.
fn expect_all_fail(port: &Port, ops: &[Op]) -> Vec<u32> {
    let mut left: Vec<_> = ops.iter().map(Op::ptr).collect();
    let mut errors = Vec::new();
    while !left.is_empty() {
        let packet = dequeue(**port, SOON);
        let at = left.iter().position(|op| *op == packet.overlapped);
        assert!(!packet.ok && packet.bytes == 0, "{packet:?}");
        left.swap_remove(at.expect("a packet of one of the operations, once"));
        errors.push(packet.error);
    }
    expect_no_packet(port);
    errors
}

// Closing.

#[test]
fn r034_closing_a_connected_socket_aborts_its_receive_as_connection_aborted() {
    let (port, socket, _peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    assert_eq!(socket.close(), Ok(()));
    let packet = dequeue(*port, SOON);
    differs_on_wine(|| {
        packet.expect_failed(1, &op, ERROR_CONNECTION_ABORTED);
        assert_eq!(op.status(), STATUS_CONNECTION_ABORTED);
    });
}

#[test]
fn r034_closing_a_socket_ends_each_of_its_receives_once() {
    let (port, socket, peer) = tied_pair();
    let ops = pending_receives(&socket, 5);
    assert_eq!(socket.close(), Ok(()));
    expect_all_fail(&port, &ops);
    // The peer sees an end, not a wait.
    assert!(matches!(recv_some(&peer).as_deref(), Ok([]) | Err(_)));
}

#[test]
fn r035_closing_a_listener_aborts_its_accepts() {
    let port = port();
    let (listener, _addr) = listener();
    associate(&listener, &port, 4);
    let acceptors: Vec<Socket> = (0..3).map(|_| tcp_socket()).collect();
    let ops: Vec<Op> = acceptors.iter().map(|_| accept_op(0)).collect();
    for (acceptor, op) in acceptors.iter().zip(&ops) {
        assert_eq!(post_accept(&listener, acceptor, op, 0), Err(WSA_IO_PENDING));
    }
    assert_eq!(listener.close(), Ok(()));
    assert_eq!(expect_all_fail(&port, &ops), [ERROR_OPERATION_ABORTED; 3]);
    for op in &ops {
        assert_eq!(op.status(), STATUS_CANCELLED);
    }
}

#[test]
fn r035_an_acceptor_whose_accept_was_aborted_serves_another() {
    let port = port();
    let (first, _) = listener();
    let (second, addr) = listener();
    associate(&first, &port, 1);
    associate(&second, &port, 2);
    let acceptor = tcp_socket();
    let (aborted, op) = (accept_op(0), accept_op(0));
    assert_eq!(post_accept(&first, &acceptor, &aborted, 0), Err(WSA_IO_PENDING));
    assert_eq!(first.close(), Ok(()));
    dequeue(*port, SOON).expect_failed(1, &aborted, ERROR_OPERATION_ABORTED);
    assert_eq!(post_accept(&second, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(2, &op, 0);
    assert_eq!(update_accepted(&acceptor, &second), Ok(()));
    send_all(&client, b"hi");
    assert_eq!(recv_some(&acceptor).as_deref(), Ok(&b"hi"[..]));
}

#[test]
fn r049_closing_a_socket_with_nothing_pending_posts_nothing() {
    let port = port();
    let (listener, addr) = listener();
    let (client, unused) = (connect_to(&addr), tcp_socket());
    let server = accept_one(&listener);
    let (datagrams, _) = udp_bound();
    for socket in [&listener, &client, &unused, &server, &datagrams] {
        associate(socket, &port, 1);
    }
    for socket in [listener, client, unused, server, datagrams] {
        assert_eq!(socket.close(), Ok(()));
    }
    expect_no_packet(&port);
}

// Cancelling.

#[test]
fn r036_a_cancelled_operation_posts_its_packet() {
    let (port, socket, peer) = tied_pair();
    let ops = pending_receives(&socket, 3);
    assert_eq!(cancel(&socket, ops[1].ptr()), Ok(()));
    dequeue(*port, SOON).expect_failed(1, &ops[1], ERROR_OPERATION_ABORTED);
    assert_eq!((ops[1].status(), ops[1].bytes()), (STATUS_CANCELLED, 0));
    // The others go on, in their order.
    expect_no_packet(&port);
    send_all(&peer, b"12345678abc");
    dequeue(*port, SOON).expect_ok(1, &ops[0], 8);
    dequeue(*port, SOON).expect_ok(1, &ops[2], 3);
    assert_eq!((ops[0].data(), &ops[2].data()[..3]), (&b"12345678"[..], &b"abc"[..]));
}

#[test]
fn r036_without_an_operation_all_are_cancelled() {
    let (port, socket, peer) = tied_pair();
    let ops = pending_receives(&socket, 4);
    assert_eq!(cancel_all(&socket), Ok(()));
    assert_eq!(expect_all_fail(&port, &ops), [ERROR_OPERATION_ABORTED; 4]);
    // The socket itself is as good as before.
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"abc");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
}

#[test]
fn r036_nothing_to_cancel_is_not_found() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(cancel(&socket, op.ptr()), Err(ERROR_NOT_FOUND));
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    let other = Op::new(8);
    assert_eq!(cancel(&socket, other.ptr()), Err(ERROR_NOT_FOUND));
    assert_eq!(cancel(&peer, op.ptr()), Err(ERROR_NOT_FOUND));
    send_all(&peer, b"abc");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
    // Completed is not there any more.
    assert_eq!(cancel(&socket, op.ptr()), Err(ERROR_NOT_FOUND));
}

#[test]
fn r036_nothing_at_all_to_cancel_is_not_found() {
    let (port, socket, peer) = tied_pair();
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"abc");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
    for socket in [socket, peer, tcp_socket()] {
        // Wine 8.0 calls it a success.
        differs_on_wine(|| assert_eq!(cancel_all(&socket), Err(ERROR_NOT_FOUND)));
    }
}

#[test]
fn r036_cancel_io_succeeds_with_nothing_to_cancel() {
    let (port, socket, _peer) = tied_pair();
    cancel_mine(&socket);
    expect_no_packet(&port);
}

#[test]
fn r036_cancel_io_touches_the_calling_threads_operations_only() {
    let (port, socket, peer) = tied_pair();
    let (mine, others) = (Op::new(8), Op::new(8));
    // The other thread stays while its operation is looked at.
    let (posted, done) = (Event::manual_reset(), Event::manual_reset());
    thread::scope(|scope| {
        scope.spawn(|| {
            let started = post_recv(&socket, &others);
            posted.set();
            assert_eq!(started, Err(WSA_IO_PENDING));
            assert!(done.is_set_within(SOON));
        });
        assert!(posted.is_set_within(SOON));
        assert_eq!(post_recv(&socket, &mine), Err(WSA_IO_PENDING));
        cancel_mine(&socket);
        dequeue(*port, SOON).expect_failed(1, &mine, ERROR_OPERATION_ABORTED);
        expect_no_packet(&port);
        send_all(&peer, b"abc");
        dequeue(*port, SOON).expect_ok(1, &others, 3);
        done.set();
    });
}

#[test]
fn r036_cancel_io_ex_reaches_other_threads_operations() {
    let (port, socket, _peer) = tied_pair();
    let ops = pending_receives(&socket, 1);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(cancel(&socket, ops[0].ptr()), Ok(())));
    });
    assert_eq!(expect_all_fail(&port, &ops), [ERROR_OPERATION_ABORTED]);
}

#[test]
fn r036_accept_and_datagram_receive_can_be_cancelled() {
    let port = port();
    let (listener, addr) = listener();
    let (datagrams, _) = udp_bound();
    let acceptor = tcp_socket();
    associate(&listener, &port, 1);
    associate(&datagrams, &port, 2);
    let (accepted, received) = (accept_op(0), Op::new(8));
    assert_eq!(post_accept(&listener, &acceptor, &accepted, 0), Err(WSA_IO_PENDING));
    assert_eq!(post_recv(&datagrams, &received), Err(WSA_IO_PENDING));
    assert_eq!(cancel_all(&listener), Ok(()));
    dequeue(*port, SOON).expect_failed(1, &accepted, ERROR_OPERATION_ABORTED);
    assert_eq!(cancel_all(&datagrams), Ok(()));
    dequeue(*port, SOON).expect_failed(2, &received, ERROR_OPERATION_ABORTED);
    // The listener still listens, and the acceptor still serves.
    let op = accept_op(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let _client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(1, &op, 0);
}

/// Data and cancellation meet: the receive ends once, either with the data or without having taken
/// any of it.
#[test]
fn r036_cancelling_races_with_completion_and_no_byte_is_lost() {
    let (port, socket, peer) = tied_pair();
    let (mut completed, mut cancelled) = (0, 0);
    for round in 0..300_u32 {
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        thread::scope(|scope| {
            scope.spawn(|| send_all(&peer, &round.to_le_bytes()));
            scope.spawn(|| {
                let found = cancel(&socket, op.ptr());
                assert!(matches!(found, Ok(()) | Err(ERROR_NOT_FOUND)), "{found:?}");
            });
        });
        let packet = dequeue(*port, SOON);
        if packet.ok {
            packet.expect_ok(1, &op, 4);
            assert_eq!(op.data()[..4], round.to_le_bytes());
            completed += 1;
        } else {
            packet.expect_failed(1, &op, ERROR_OPERATION_ABORTED);
            assert_eq!(recv_some(&socket).as_deref(), Ok(&round.to_le_bytes()[..]));
            cancelled += 1;
        }
        assert!(dequeue(*port, 0).is_time_out(), "a second end in round {round}");
    }
    assert_eq!(completed + cancelled, 300);
}

#[test]
fn r037_an_accept_belongs_to_its_listener() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 1);
    let acceptor = tcp_socket();
    let op = accept_op(0);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    assert_eq!(cancel(&acceptor, op.ptr()), Err(ERROR_NOT_FOUND));
    differs_on_wine(|| assert_eq!(cancel_all(&acceptor), Err(ERROR_NOT_FOUND)));
    cancel_mine(&acceptor);
    expect_no_packet(&port);
    assert_eq!(op.status(), STATUS_PENDING);
    let _client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(1, &op, 0);
}

#[test]
fn r037_closing_the_acceptor_aborts_the_accept() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 1);
    let (closed, kept) = (tcp_socket(), tcp_socket());
    let (aborted, op) = (accept_op(0), accept_op(0));
    assert_eq!(post_accept(&listener, &closed, &aborted, 0), Err(WSA_IO_PENDING));
    assert_eq!(post_accept(&listener, &kept, &op, 0), Err(WSA_IO_PENDING));
    assert_eq!(closed.close(), Ok(()));
    dequeue(*port, SOON).expect_failed(1, &aborted, ERROR_OPERATION_ABORTED);
    // The next client goes to the next accept.
    let client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(1, &op, 0);
    send_all(&client, b"hi");
    assert_eq!(recv_some(&kept).as_deref(), Ok(&b"hi"[..]));
    expect_no_packet(&port);
}

#[test]
fn r038_each_operation_of_many_closed_sockets_comes_back_once() {
    let port = port();
    let pairs: Vec<_> = (0..8).map(|_| tcp_pair()).collect();
    let (sockets, _peers): (Vec<Socket>, Vec<Socket>) = pairs.into_iter().unzip();
    let mut ops = Vec::new();
    for (key, socket) in sockets.iter().enumerate() {
        associate(socket, &port, key);
        ops.extend(pending_receives(socket, 8));
    }
    for socket in sockets {
        assert_eq!(socket.close(), Ok(()));
    }
    expect_all_fail(&port, &ops);
    // From here on the memory is ours again: what we write stays.
    let pattern = i32::MIN + 7;
    ops.iter().for_each(|op| op.set_status(pattern));
    pause();
    assert!(ops.iter().all(|op| op.status() == pattern && op.data() == [0; 8]));
}

// The end of the issuing thread.

/// Lets `start` run on a thread that ends right after it.
fn on_a_thread_that_ends(start: impl FnOnce() + Send + 'static) {
    Thread::start(start).join();
}

#[test]
fn r048_io_without_event_on_a_tied_socket_survives_its_thread() {
    let (port, socket, peer) = tied_pair();
    let (socket, op) = (Arc::new(socket), Arc::new(Op::new(8)));
    let (of_thread, posted) = (socket.clone(), op.clone());
    on_a_thread_that_ends(move || {
        let _ = post_recv(&of_thread, &posted);
    });
    expect_no_packet(&port);
    assert_eq!(op.status(), STATUS_PENDING);
    send_all(&peer, b"abc");
    dequeue(*port, SOON).expect_ok(1, &op, 3);
}

#[test]
fn r048_an_accept_on_a_tied_listener_survives_its_thread() {
    let port = port();
    let (listener, addr) = listener();
    associate(&listener, &port, 1);
    let (listener, acceptor) = (Arc::new(listener), Arc::new(tcp_socket()));
    let op = Arc::new(accept_op(0));
    let (of_thread, with, posted) = (listener.clone(), acceptor.clone(), op.clone());
    on_a_thread_that_ends(move || {
        let _ = post_accept(&of_thread, &with, &posted, 0);
    });
    expect_no_packet(&port);
    let _client = connect_to(&addr);
    dequeue(*port, SOON).expect_ok(1, &op, 0);
}

#[test]
fn r048_io_on_an_untied_socket_is_cancelled_with_its_thread() {
    let (socket, peer) = tcp_pair();
    let event = Event::manual_reset();
    let (socket, op) = (Arc::new(socket), Arc::new(Op::with_event(8, &event)));
    let (of_thread, posted) = (socket.clone(), op.clone());
    on_a_thread_that_ends(move || {
        let _ = post_recv(&of_thread, &posted);
    });
    assert!(event.is_set_within(SOON));
    assert_eq!(op.status(), STATUS_CANCELLED);
    assert_eq!(win32_result(&socket, &op, false), Err(ERROR_OPERATION_ABORTED));
    // It took none of the data that comes later.
    send_all(&peer, b"abc");
    assert_eq!(recv_some(&socket).as_deref(), Ok(&b"abc"[..]));
}

#[test]
fn r048_io_with_event_on_a_tied_socket_is_cancelled_with_its_thread() {
    let (port, socket, _peer) = tied_pair();
    let event = Event::manual_reset();
    let (socket, op) = (Arc::new(socket), Arc::new(Op::with_event(8, &event)));
    let (of_thread, posted) = (socket.clone(), op.clone());
    on_a_thread_that_ends(move || {
        let _ = post_recv(&of_thread, &posted);
    });
    assert!(event.is_set_within(SOON));
    dequeue(*port, SOON).expect_failed(1, &op, ERROR_OPERATION_ABORTED);
}

#[test]
fn r048_other_threads_operations_are_left_alone() {
    let (socket, peer) = tcp_pair();
    let event = Event::manual_reset();
    let mine = Op::with_event(8, &event);
    assert_eq!(post_recv(&socket, &mine), Err(WSA_IO_PENDING));
    let (socket, op) = (Arc::new(socket), Arc::new(Op::new(8)));
    let (of_thread, posted) = (socket.clone(), op.clone());
    on_a_thread_that_ends(move || {
        let _ = post_recv(&of_thread, &posted);
    });
    assert!(!event.is_set_within(NEVER));
    send_all(&peer, b"abc");
    assert!(event.is_set_within(SOON));
    assert_eq!((mine.status(), mine.bytes()), (STATUS_SUCCESS, 3));
}
