//! Section J, rules 135 and 136, for `select` and `WSAPoll`; and how their waits end.

use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// Waits with `select` until `socket` is readable; what the call returned.
fn select_readable(socket: SOCKET, timeout_ms: u32) -> i32 {
    let mut set = FD_SET { fd_count: 1, fd_array: [0; 64] };
    set.fd_array[0] = socket;
    let timeout =
        TIMEVAL { tv_sec: (timeout_ms / 1000) as i32, tv_usec: (timeout_ms % 1000 * 1000) as i32 };
    // SAFETY: the set and the time-out are alive.
    unsafe { select(0, &raw mut set, null_mut(), null_mut(), &raw const timeout) }
}

/// Waits with `WSAPoll` until `socket` is readable; what the call returned.
fn poll_readable(socket: SOCKET, timeout_ms: u32) -> i32 {
    let mut entry = WSAPOLLFD { fd: socket, events: POLLRDNORM, revents: 0 };
    // SAFETY: there is one entry.
    unsafe { WSAPoll(&raw mut entry, 1, timeout_ms as i32) }
}

type Wait = fn(SOCKET, u32) -> i32;
const WAITS: [Wait; 2] = [select_readable, poll_readable];

#[test]
fn r135_a_select_that_waits_runs_apcs() {
    let waited = WAITS.map(|wait| {
        let (a, b) = tcp_pair();
        let called = Arc::new(AtomicBool::new(false));
        let of_apc = called.clone();
        let apc = move || {
            send_all(&b, b"x");
            of_apc.store(true, Ordering::SeqCst);
            b.into_raw();
        };
        assert_eq!(queue_apc(this_thread(), apc), Ok(()));
        let waited = wait(*a, SOON);
        (called.load(Ordering::SeqCst), waited)
    });
    // Both go on waiting behind the APC. With Wine 8.0 `select` does not, and `WSAPoll` runs none.
    assert!(waited[0].0, "select runs it");
    differs_on_wine(|| assert_eq!(waited, [(true, 1); 2]));
}

#[test]
fn r135_an_apc_from_another_thread_runs_in_a_select() {
    let waited = WAITS.map(|wait| {
        let (a, b) = tcp_pair();
        let called = Arc::new(AtomicBool::new(false));
        let waited = Arc::new(AtomicI32::new(-1));
        let of_waiter = waited.clone();
        let waiter = Thread::start(move || of_waiter.store(wait(*a, SOON), Ordering::SeqCst));
        pause();
        let of_apc = called.clone();
        assert_eq!(queue_apc(*waiter, move || of_apc.store(true, Ordering::SeqCst)), Ok(()));
        let ran = comes_true(|| called.load(Ordering::SeqCst));
        send_all(&b, b"x");
        waiter.join();
        (ran, waited.load(Ordering::SeqCst))
    });
    differs_on_wine(|| assert_eq!(waited, [(true, 1); 2]));
}

#[test]
fn r135_a_select_that_need_not_wait_runs_no_apcs() {
    for wait in WAITS {
        let (a, b) = tcp_pair();
        send_all(&b, b"x");
        assert_eq!(wait(*a, SOON), 1);
        let called = Arc::new(AtomicBool::new(false));
        let of_apc = called.clone();
        assert_eq!(queue_apc(this_thread(), move || of_apc.store(true, Ordering::SeqCst)), Ok(()));
        assert_eq!(wait(*a, SOON), 1);
        assert_eq!(wait(*b, 0), 0, "a time-out of 0 is no wait either");
        assert!(!called.load(Ordering::SeqCst));
        // SAFETY: no memory is passed.
        unsafe { winsock_sys::Win32::System::Threading::SleepEx(0, 1) };
        assert!(called.load(Ordering::SeqCst));
    }
}

/// An fd_set in a buffer that ends behind its last socket.
struct Exact(Vec<usize>);

impl Exact {
    fn new(sockets: &[SOCKET]) -> Exact {
        let mut words = Vec::with_capacity(1 + sockets.len());
        words.push(sockets.len()); // The count is the lower half of the first word.
        words.extend(sockets);
        words.shrink_to_fit();
        Exact(words)
    }

    fn at(&mut self) -> *mut FD_SET {
        self.0.as_mut_ptr().cast()
    }

    fn sockets(&self) -> &[SOCKET] {
        &self.0[1..=self.0[0] as u32 as usize]
    }
}

#[test]
fn r136_nothing_behind_the_last_socket_is_touched() {
    let (a, b) = tcp_pair();
    send_all(&b, b"x");
    assert_eq!(select_readable(*a, SOON), 1);
    let (mut read, mut write) = (Exact::new(&[*b, *a]), Exact::new(&[*a]));
    // SAFETY: the sets hold as many sockets as they count.
    assert_eq!(unsafe { select(0, read.at(), write.at(), null_mut(), null()) }, 2);
    assert_eq!((read.sockets(), write.sockets()), (&[*a][..], &[*a][..]));
    // SAFETY: as above.
    assert_ne!(unsafe { __WSAFDIsSet(*a, read.at()) }, 0);
    // SAFETY: as above. The entry that fell out is still there, behind the count.
    assert_eq!(unsafe { __WSAFDIsSet(*b, read.at()) }, 0);
}

#[test]
fn r136_a_set_may_hold_more_than_64_sockets() {
    let quiet: Vec<_> = (0..150).map(|_| udp_bound().0).collect();
    let (a, b) = tcp_pair();
    let mut all: Vec<SOCKET> = quiet.iter().map(|socket| **socket).collect();
    all.push(*a);
    send_all(&b, b"x");
    let mut set = Exact::new(&all);
    // SAFETY: the set holds as many sockets as it counts.
    assert_eq!(unsafe { select(0, set.at(), null_mut(), null_mut(), null()) }, 1);
    assert_eq!(set.sockets(), [*a]);
}

/// Rule 118 in both calls, and for each kind of socket.
#[test]
fn r118_closing_a_socket_ends_every_wait_for_it() {
    for wait in WAITS {
        let (connected, _peer) = tcp_pair();
        for socket in [tcp_socket(), udp_bound().0, listener().0, connected] {
            let socket = socket.into_raw();
            let waited = thread::scope(|scope| {
                let waiter = scope.spawn(|| wait(socket, SOON));
                pause();
                // SAFETY: closesocket takes any value.
                assert_eq!(unsafe { closesocket(socket) }, 0);
                waiter.join().unwrap()
            });
            assert_eq!(waited, 1);
        }
    }
}

/// What a socket becomes while a thread waits for it counts too.
#[test]
fn r111_a_wait_hears_of_what_other_threads_do_to_the_socket() {
    let (_listener, addr) = listener();
    let fresh = tcp_socket();
    let mut entry = WSAPOLLFD { fd: *fresh, events: POLLWRNORM, revents: 0 };
    let polled = thread::scope(|scope| {
        // SAFETY: there is one entry.
        let waiter = scope.spawn(|| unsafe { WSAPoll(&raw mut entry, 1, SOON as i32) });
        pause();
        // SAFETY: `addr` is a full socket address of `len` bytes.
        assert_eq!(unsafe { connect(*fresh, addr.as_ptr(), addr.len) }, 0);
        waiter.join().unwrap()
    });
    assert_eq!((polled, entry.revents), (1, POLLWRNORM));
}

/// Rule 92's sibling: a pending receive owns the data that comes first.
#[test]
fn r117_a_pending_receive_takes_what_a_select_would_report() {
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"1234");
    assert_eq!(wsa_result(&a, &op, true), Ok((4, 0)));
    assert_eq!(select_readable(*a, 0), 0);
    let op = Op::new(4);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"56789");
    assert_eq!(select_readable(*a, SOON), 1, "for the byte that is left");
    assert_eq!(wsa_result(&a, &op, true), Ok((4, 0)));
    assert_eq!(recv_some(&a), Ok(b"9".to_vec()));
}
