//! Section B, the port itself: making one, tying handles to it, taking packets from it.

use std::mem::ManuallyDrop;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NETNAME_DELETED, HANDLE, INVALID_HANDLE_VALUE, STATUS_CONNECTION_RESET, STATUS_SUCCESS,
    WAIT_IO_COMPLETION, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::IO::{CreateIoCompletionPort, OVERLAPPED};
use winsock_sys::Win32::System::Threading::INFINITE;

const UNTOUCHED: u32 = 0xdead_beef;

/// `CreateIoCompletionPort`, with the Win32 error when it returns null.
fn create(file: HANDLE, port: HANDLE, key: usize, threads: u32) -> Result<HANDLE, u32> {
    // SAFETY: no memory is passed.
    let made = unsafe { CreateIoCompletionPort(file, port, key, threads) };
    if made.is_null() { Err(last_error()) } else { Ok(made) }
}

fn close(handle: HANDLE) -> bool {
    // SAFETY: CloseHandle takes any value; the callers close what they opened.
    unsafe { CloseHandle(handle) != 0 }
}

#[test]
fn r015_a_port_alone_ignores_the_key() {
    init();
    let port = create(INVALID_HANDLE_VALUE, null_mut(), 99, 0).expect("a port");
    assert_ne!(port, INVALID_HANDLE_VALUE);
    assert!(dequeue(port, 0).is_time_out());
    assert_eq!(post(port, 1, 2, null_mut()), Ok(()));
    assert_eq!(dequeue(port, 0).key, 2);
    assert!(close(port));
}

#[test]
fn r015_failure_is_null_with_the_reason() {
    let port = port();
    let event = Event::manual_reset();
    let (socket, _peer) = tcp_pair();
    let file = *socket as HANDLE;
    let no_file_to_tie = create(INVALID_HANDLE_VALUE, *port, 0, 0);
    assert_eq!(no_file_to_tie, Err(ERROR_INVALID_PARAMETER));
    assert_eq!(create(null_mut(), *port, 0, 0), Err(ERROR_INVALID_HANDLE));
    assert_eq!(create(*event, *port, 0, 0), Err(ERROR_INVALID_HANDLE));
    assert_eq!(create(file, *event, 0, 0), Err(ERROR_INVALID_HANDLE));
    assert_eq!(create(file, file, 0, 0), Err(ERROR_INVALID_HANDLE));
    // None of this tied the socket to anything.
    associate(&socket, &port, 1);
}

#[test]
fn r015_port_and_association_may_be_made_in_one_call() {
    let (socket, peer) = tcp_pair();
    let port = create(*socket as HANDLE, null_mut(), 5, 0).expect("a port with a socket");
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"one");
    dequeue(port, SOON).expect_ok(5, &op, 3);
    assert!(close(port));
}

#[test]
fn r016_association_returns_the_same_port_for_every_socket() {
    let port = port_for(3);
    let sockets: Vec<Socket> = (0..10).map(|_| tcp_socket()).collect();
    for (key, socket) in sockets.iter().enumerate() {
        assert_eq!(create(**socket as HANDLE, *port, key, 1), Ok(*port));
    }
}

#[test]
fn r017_a_second_association_is_refused_and_changes_nothing() {
    let (first, second) = (port(), port());
    let (socket, peer) = tcp_pair();
    associate(&socket, &first, 1);
    for port in [&first, &second] {
        assert_eq!(create(*socket as HANDLE, **port, 2, 0), Err(ERROR_INVALID_PARAMETER));
    }
    assert_eq!(create(*socket as HANDLE, null_mut(), 2, 0), Err(ERROR_INVALID_PARAMETER));
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"x");
    dequeue(*first, SOON).expect_ok(1, &op, 1);
    expect_no_packet(&second);
}

#[test]
fn r017_of_two_threads_that_associate_at_once_one_wins() {
    for _ in 0..50 {
        let ports = [port(), port()];
        let (socket, peer) = tcp_pair();
        let tied: Vec<bool> = thread::scope(|scope| {
            let racers = [0, 1].map(|i| {
                let (port, socket) = (&ports[i], &socket);
                scope.spawn(move || create(**socket as HANDLE, **port, i, 0).is_ok())
            });
            racers.into_iter().map(|racer| racer.join().expect("no panic")).collect()
        });
        assert_eq!(tied.iter().filter(|won| **won).count(), 1, "{tied:?}");
        let winner = usize::from(tied[1]);
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        send_all(&peer, b"x");
        dequeue(*ports[winner], SOON).expect_ok(winner, &op, 1);
        assert!(dequeue(*ports[1 - winner], 0).is_time_out());
    }
}

#[test]
fn r020_queued_completions_outlive_their_socket() {
    let port = port();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 3);
    let ops: Vec<Op> = (0..5).map(|_| Op::sending(b"four")).collect();
    for op in &ops {
        assert_eq!(post_send(&socket, op), Ok(4));
    }
    assert_eq!(socket.close(), Ok(()));
    drop(peer);
    for op in &ops {
        dequeue(*port, SOON).expect_ok(3, op, 4);
    }
    expect_no_packet(&port);
}

#[test]
fn r020_a_socket_outlives_its_port() {
    let port = port();
    let event = Event::manual_reset();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 3);
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    drop(port);
    send_all(&peer, b"abc");
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&socket, &op, true), Ok(3));
    // It stays tied to what it was tied to.
    let other = conformance::port();
    assert_eq!(create(*socket as HANDLE, *other, 0, 0), Err(ERROR_INVALID_PARAMETER));
}

#[test]
fn r028_success_leaves_the_last_error_alone() {
    let port = port();
    let mut overlapped = OVERLAPPED::default();
    assert_eq!(post(*port, 11, 22, &raw mut overlapped), Ok(()));
    let expected =
        Packet { ok: true, bytes: 11, key: 22, overlapped: &raw mut overlapped, error: UNTOUCHED };
    assert_eq!(dequeue(*port, 0), expected);
}

#[test]
fn r028_failed_io_is_false_with_a_packet() {
    let port = port();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 4);
    let op = Op::new(8);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    peer.reset();
    dequeue(*port, SOON).expect_failed(4, &op, ERROR_NETNAME_DELETED);
}

#[test]
fn r028_nothing_dequeued_leaves_bytes_and_key_alone() {
    let nothing = |error| Packet {
        ok: false,
        bytes: UNTOUCHED,
        key: UNTOUCHED as usize,
        overlapped: null_mut(),
        error,
    };
    let (port, event) = (port(), Event::manual_reset());
    for ms in [0, 1, 20] {
        assert_eq!(dequeue(*port, ms), nothing(WAIT_TIMEOUT));
    }
    for handle in [null_mut(), *event] {
        assert_eq!(dequeue(handle, 0), nothing(ERROR_INVALID_HANDLE));
    }
}

/// Lets `threads` threads `wait` on a fresh port, closes it, and returns what the waits returned.
fn close_under<T: Send>(threads: usize, wait: impl Fn(&Port) -> T + Sync) -> Vec<T> {
    // Not closed twice: the handle's value may be somebody else's by then.
    let port = ManuallyDrop::new(port());
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..threads).map(|_| scope.spawn(|| wait(&port))).collect();
        pause();
        assert!(close(**port));
        waiters.into_iter().map(|waiter| waiter.join().expect("no panic")).collect()
    })
}

#[test]
fn r029_closing_the_port_ends_every_wait() {
    // Wine 8.0 lets the threads wait until their time is up.
    differs_on_wine(|| {
        for packet in close_under(3, |port| dequeue(**port, 2_000)) {
            assert!(!packet.ok && packet.overlapped.is_null(), "{packet:?}");
            assert_eq!(packet.error, ERROR_ABANDONED_WAIT_0);
        }
    });
}

#[test]
fn r029_closing_the_port_ends_every_wait_for_a_batch() {
    for alertable in [false, true] {
        differs_on_wine(|| {
            for batch in close_under(2, |port| dequeue_batch(**port, 4, 2_000, alertable)) {
                assert!(!batch.ok);
                assert_eq!(batch.error, ERROR_ABANDONED_WAIT_0);
            }
        });
    }
}

#[test]
fn r029_a_port_may_close_while_others_post() {
    alone("r029_a_port_may_close_while_others_post", || {
        for _ in 0..20 {
            let port = ManuallyDrop::new(port());
            let closed = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while post(**port, 0, 1, null_mut()).is_ok() {}
                        assert_eq!(post(**port, 0, 1, null_mut()), Err(ERROR_INVALID_HANDLE));
                        assert!(closed.load(Ordering::SeqCst), "refused while still open");
                    });
                }
                scope.spawn(|| while dequeue(**port, SOON).ok {});
                thread::yield_now();
                closed.store(true, Ordering::SeqCst);
                assert!(close(**port));
            });
        }
    });
}

#[test]
fn r029_a_closed_port_is_an_invalid_handle() {
    // In a process of its own: elsewhere the handle's value may soon be another test's port.
    alone("r029_a_closed_port_is_an_invalid_handle", || {
        let socket = tcp_socket();
        pause(); // Until the test harness, too, opens no more handles.
        let port = ManuallyDrop::new(port());
        post_key(&port, 1);
        assert!(close(**port));
        let packet = dequeue(**port, 0);
        assert_eq!((packet.ok, packet.error), (false, ERROR_INVALID_HANDLE));
        assert!(packet.overlapped.is_null());
        let batch = dequeue_batch(**port, 1, 0, false);
        assert_eq!((batch.ok, batch.error), (false, ERROR_INVALID_HANDLE));
        assert_eq!(post(**port, 0, 0, null_mut()), Err(ERROR_INVALID_HANDLE));
        assert_eq!(create(*socket as HANDLE, **port, 0, 0), Err(ERROR_INVALID_HANDLE));
        assert!(!close(**port));
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    });
}

#[test]
fn r044_a_posted_packet_passes_through_unread() {
    let port = port();
    let wild = without_provenance_mut;
    let cases = [(0, 0, null_mut()), (u32::MAX, usize::MAX, wild(usize::MAX)), (1, 2, wild(3))];
    for (bytes, key, overlapped) in cases {
        assert_eq!(post(*port, bytes, key, overlapped), Ok(()));
        let expected = Packet { ok: true, bytes, key, overlapped, error: UNTOUCHED };
        assert_eq!(dequeue(*port, 0), expected);
    }
}

#[test]
fn r044_a_posted_overlapped_is_not_looked_at() {
    let port = port();
    let op = Op::new(0);
    op.set_status(STATUS_CONNECTION_RESET);
    op.set_bytes(77);
    assert_eq!(post(*port, 5, 6, op.ptr()), Ok(()));
    dequeue(*port, 0).expect_ok(6, &op, 5);
    assert_eq!((op.status(), op.bytes()), (STATUS_CONNECTION_RESET, 77));
}

#[test]
fn r044_posting_wakes_a_waiting_thread() {
    let port = port();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| dequeue(*port, SOON).key);
        pause();
        post_key(&port, 17);
        assert_eq!(waiter.join().expect("no panic"), 17);
    });
}

#[test]
fn r045_a_batch_takes_what_is_there_oldest_first() {
    let port = port();
    (0..10).for_each(|key| post_key(&port, key));
    let batch = dequeue_batch(*port, 4, SOON, false);
    assert!(batch.ok);
    assert_eq!((batch.removed, batch.error), (4, UNTOUCHED));
    assert_eq!(batch.keys(), [0, 1, 2, 3]);
    let batch = dequeue_batch(*port, 64, SOON, false);
    assert_eq!(batch.keys(), [4, 5, 6, 7, 8, 9]);
    expect_no_packet(&port);
}

#[test]
fn r045_a_time_out_reports_one_entry_removed() {
    let port = port();
    for ms in [0, 1, 20] {
        let batch = dequeue_batch(*port, 4, ms, false);
        assert_eq!((batch.ok, batch.error, batch.removed), (false, WAIT_TIMEOUT, 1));
    }
}

#[test]
fn r045_each_entry_has_its_own_status() {
    let port = port();
    let pairs: Vec<_> = (0..3).map(|_| tcp_pair()).collect();
    let ops: Vec<Op> = (0..3).map(|_| Op::new(8)).collect();
    for (key, ((socket, _), op)) in pairs.iter().zip(&ops).enumerate() {
        associate(socket, &port, key);
        assert_eq!(post_recv(socket, op), Err(WSA_IO_PENDING));
    }
    let mut peers: Vec<Socket> = Vec::new();
    let mut sockets: Vec<Socket> = Vec::new();
    for (socket, peer) in pairs {
        sockets.push(socket);
        peers.push(peer);
    }
    send_all(&peers[0], b"abcde");
    let last = peers.pop().expect("three peers");
    last.reset();
    assert_eq!(post(*port, 9, 99, null_mut()), Ok(()));

    let mut seen = Vec::new();
    while seen.len() < 3 {
        let batch = dequeue_batch(*port, 8, SOON, false);
        // A failed operation in it does not make the call fail.
        assert!(batch.ok);
        assert_eq!((batch.removed as usize, batch.error), (batch.entries.len(), UNTOUCHED));
        seen.extend(batch.entries);
    }
    seen.sort_by_key(|entry| entry.lpCompletionKey);
    let told: Vec<_> = seen
        .iter()
        .map(|entry| {
            let status = entry.Internal as i32;
            (entry.lpCompletionKey, status, entry.dwNumberOfBytesTransferred, entry.lpOverlapped)
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, STATUS_SUCCESS, 5, ops[0].ptr()),
            (2, STATUS_CONNECTION_RESET, 0, ops[2].ptr()),
            (99, STATUS_SUCCESS, 9, null_mut()),
        ]
    );
}

#[test]
fn r045_a_waiting_batch_wakes_for_the_first_packet() {
    let port = port();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| dequeue_batch(*port, 16, SOON, false).keys());
        pause();
        post_key(&port, 1);
        assert_eq!(waiter.join().expect("no panic"), [1]);
    });
}

/// Queues an APC to the calling thread that counts its runs.
fn queue_counting_apc() -> Arc<AtomicUsize> {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let queued = queue_apc(this_thread(), move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(queued, Ok(()));
    runs
}

#[test]
fn r046_queued_packets_go_before_apcs() {
    let port = port();
    let runs = queue_counting_apc();
    post_key(&port, 1);
    for ms in [0, SOON] {
        let batch = dequeue_batch(*port, 4, ms, true);
        assert!(batch.ok);
        assert_eq!(batch.keys(), [1]);
        assert_eq!(runs.load(Ordering::SeqCst), 0);
        post_key(&port, 1);
    }
    assert_eq!(dequeue(*port, 0).key, 1);
    // The APC is still there for the next alertable wait.
    assert_eq!(dequeue_batch(*port, 4, 0, true).error, WAIT_IO_COMPLETION);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn r046_without_packets_apcs_run_and_end_the_wait() {
    let port = port();
    for ms in [0, SOON, INFINITE] {
        let (first, second) = (queue_counting_apc(), queue_counting_apc());
        let batch = dequeue_batch(*port, 4, ms, true);
        assert_eq!((batch.ok, batch.error), (false, WAIT_IO_COMPLETION));
        assert_eq!((first.load(Ordering::SeqCst), second.load(Ordering::SeqCst)), (1, 1));
    }
    assert_eq!(dequeue_batch(*port, 4, 0, true).error, WAIT_TIMEOUT);
}

#[test]
fn r046_an_apc_ends_a_wait_that_has_begun() {
    let port = Arc::new(port());
    let runs = Arc::new(AtomicUsize::new(0));
    let outcome = Arc::new(AtomicUsize::new(0));
    let waiter = {
        let (port, outcome) = (port.clone(), outcome.clone());
        Thread::start(move || {
            let batch = dequeue_batch(**port, 4, SOON, true);
            outcome.store(batch.error as usize, Ordering::SeqCst);
        })
    };
    pause();
    let counted = runs.clone();
    let queued = queue_apc(*waiter, move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(queued, Ok(()));
    waiter.join();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(outcome.load(Ordering::SeqCst), WAIT_IO_COMPLETION as usize);
    // The thread that left has not taken a place with it.
    post_key(&port, 8);
    assert_eq!(dequeue(**port, SOON).key, 8);
}

#[test]
fn r046_a_wait_that_is_not_alertable_runs_no_apc() {
    let port = port();
    let runs = queue_counting_apc();
    assert_eq!(dequeue_batch(*port, 4, NEVER, false).error, WAIT_TIMEOUT);
    assert!(dequeue(*port, NEVER).is_time_out());
    assert_eq!(runs.load(Ordering::SeqCst), 0);
    assert_eq!(dequeue_batch(*port, 4, 0, true).error, WAIT_IO_COMPLETION);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[test]
fn r046_an_apc_may_post_to_the_port_its_thread_waits_on() {
    let port = Arc::new(port());
    let posted = port.clone();
    assert_eq!(queue_apc(this_thread(), move || post_key(&posted, 3)), Ok(()));
    let batch = dequeue_batch(**port, 4, SOON, true);
    assert_eq!((batch.ok, batch.error), (false, WAIT_IO_COMPLETION));
    assert_eq!(dequeue_batch(**port, 4, SOON, true).keys(), [3]);
}
