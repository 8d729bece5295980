//! Section J: traps that an emulation built on readiness falls into. Rules 140 and 143, about the
//! threads of a port, are tested beside rules 40 and 41.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::mem::{ManuallyDrop, size_of};
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{HANDLE, STATUS_PENDING, WAIT_TIMEOUT};
use winsock_sys::Win32::Networking::WinSock::{
    FIONBIO, FIONREAD, SD_SEND, SIO_ADDRESS_LIST_QUERY, SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_KEEPALIVE_VALS, SIO_ROUTING_INTERFACE_QUERY, SIO_UDP_CONNRESET, SIOCATMARK, SOCKET,
    WSA_OPERATION_ABORTED, WSAEINTR, WSAEINVAL, WSAENOTSOCK, WSAEOPNOTSUPP, WSAID_CONNECTEX,
    WSAIoctl, WSARecv, send, shutdown, tcp_keepalive,
};
use winsock_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};
use winsock_sys::Win32::System::Threading::SleepEx;
use winsock_sys::core::GUID;

// 133: what a non-blocking send has taken is delivered.

/// What one non-blocking `send` of 16 MiB takes.
fn send_much(socket: &Socket) -> Vec<u8> {
    non_blocking(socket, true);
    let mut bytes = pattern(16 << 20);
    // SAFETY: `bytes` is readable for its length.
    let sent = unsafe { send(**socket, bytes.as_ptr(), bytes.len() as i32, 0) };
    assert!(sent > 0, "send: {}", last_wsa_error());
    bytes.truncate(sent as usize);
    bytes
}

/// Asserts that `peer` receives `sent` and then the end.
fn expect_delivered(peer: &Socket, sent: &[u8]) {
    let received = recv_exactly(peer, sent.len());
    assert_eq!(received.len(), sent.len());
    assert!(received == sent, "bytes out of place");
    assert_eq!(recv_some(peer), Ok(Vec::new()));
}

#[test]
fn r133_a_large_send_is_delivered_after_close() {
    let (socket, peer) = tcp_pair();
    let sent = send_much(&socket);
    assert_eq!(socket.close(), Ok(()));
    pause();
    expect_delivered(&peer, &sent);
}

#[test]
fn r133_a_large_send_is_delivered_after_its_thread_has_ended() {
    let (socket, peer) = tcp_pair();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let of_thread = sent.clone();
    Thread::start(move || {
        *of_thread.lock().expect("no panic") = send_much(&socket);
        drop(socket);
    })
    .join();
    let sent = sent.lock().expect("no panic");
    expect_delivered(&peer, &sent);
}

#[test]
fn r133_a_large_send_is_delivered_after_shutdown() {
    let (socket, peer) = tcp_pair();
    let sent = send_much(&socket);
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*socket, SD_SEND) }, 0);
    expect_delivered(&peer, &sent);
}

// The ways to hear of an end, of which all must tell the same.

/// How a program hears that an operation has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Notice {
    Port,
    Event,
    Routine,
    /// It looks at the OVERLAPPED from time to time.
    Polling,
}

const NOTICES: [Notice; 4] = [Notice::Port, Notice::Event, Notice::Routine, Notice::Polling];

thread_local! {
    /// The operations whose routine has run: every test has its own thread, so its own list.
    static ROUTINES: RefCell<Vec<*mut OVERLAPPED>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn routine(_: u32, _: u32, overlapped: *mut OVERLAPPED, _: u32) {
    ROUTINES.with_borrow_mut(|ended| ended.push(overlapped));
}

/// An operation and whatever tells of its end.
struct Watched {
    notice: Notice,
    port: Port,
    event: Event,
    op: Op,
}

impl Watched {
    fn new(notice: Notice, len: usize) -> Watched {
        let event = Event::auto_reset();
        let op = match notice {
            Notice::Event => Op::with_event(len, &event),
            Notice::Port | Notice::Routine | Notice::Polling => Op::new(len),
        };
        Watched { notice, port: port(), event, op }
    }

    /// Ties `socket` to the port, if that is what tells.
    fn tie(&self, socket: &Socket) {
        if self.notice == Notice::Port {
            associate(socket, &self.port, 0);
        }
    }

    /// The routine to pass to the call, if that is what tells.
    fn routine(&self) -> Option<unsafe extern "system" fn(u32, u32, *mut OVERLAPPED, u32)> {
        (self.notice == Notice::Routine).then_some(routine)
    }

    fn recv(&self, socket: &Socket) -> Result<u32, i32> {
        let (buffer, mut bytes, mut flags) = (self.op.wsabuf(), 0, 0);
        // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
        let rc = unsafe {
            let (bytes, flags) = (&raw mut bytes, &raw mut flags);
            WSARecv(**socket, &buffer, 1, bytes, flags, self.op.ptr(), self.routine())
        };
        if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
    }

    /// Whether the end is told within `ms`; once for each end.
    fn told_within(&self, ms: u32) -> bool {
        match self.notice {
            Notice::Port => dequeue(*self.port, ms).overlapped == self.op.ptr(),
            Notice::Event => self.event.is_set_within(ms),
            Notice::Routine => {
                // SAFETY: no memory is passed.
                unsafe { SleepEx(ms, 1) };
                match ROUTINES.take()[..] {
                    [] => false,
                    [ended] => ended == self.op.ptr(),
                    _ => panic!("told more than once"),
                }
            }
            Notice::Polling => {
                let start = Instant::now();
                while self.op.status() == STATUS_PENDING {
                    if start.elapsed() > Duration::from_millis(ms.into()) {
                        return false;
                    }
                    thread::sleep(Duration::from_millis(1));
                }
                true
            }
        }
    }

    /// Asserts that the end is told, once.
    #[track_caller]
    fn expect_told(&self) {
        assert!(self.told_within(SOON), "{:?}: not told", self.notice);
        assert_ne!(self.op.status(), STATUS_PENDING);
        if self.notice != Notice::Polling {
            assert!(!self.told_within(NEVER), "{:?}: told twice", self.notice);
        }
    }
}

#[test]
fn r134_two_receives_share_one_large_send_in_order() {
    for notice in NOTICES {
        let (socket, peer) = tcp_pair();
        let (first, second) = (Watched::new(notice, 16), Watched::new(notice, 16));
        // Only one of the two ports can be tied; the second packet is looked for there.
        first.tie(&socket);
        assert_eq!(first.recv(&socket), Err(WSA_IO_PENDING));
        assert_eq!(second.recv(&socket), Err(WSA_IO_PENDING));
        let data: Vec<u8> = (0..32).collect();
        send_all(&peer, &data);
        match notice {
            Notice::Port => {
                dequeue(*first.port, SOON).expect_ok(0, &first.op, 16);
                dequeue(*first.port, SOON).expect_ok(0, &second.op, 16);
            }
            Notice::Routine => {
                let both = || ROUTINES.with_borrow(|ended| ended.len() == 2);
                // SAFETY: no memory is passed.
                assert!(comes_true(|| unsafe { SleepEx(1, 1) } == 0 && both()));
                assert_eq!(ROUTINES.take(), [first.op.ptr(), second.op.ptr()]);
            }
            Notice::Event | Notice::Polling => {
                assert!(first.told_within(SOON) && second.told_within(SOON));
            }
        }
        assert_eq!((first.op.bytes(), second.op.bytes()), (16, 16));
        assert_eq!((first.op.data(), second.op.data()), (&data[..16], &data[16..]));
    }
}

// 137: whoever posts, whoever waits.

#[test]
fn r137_io_posted_later_by_another_thread_reaches_the_waiting_one() {
    let port = port();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| dequeue(*port, SOON));
        pause();
        let (socket, peer) = tcp_pair();
        associate(&socket, &port, 1);
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        send_all(&peer, b"abc");
        waiter.join().expect("no panic").expect_ok(1, &op, 3);
    });
}

#[test]
fn r137_so_does_an_accept_and_a_connect() {
    let port = port();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| [dequeue(*port, SOON), dequeue(*port, SOON)]);
        pause();
        let (listener, addr) = listener();
        let (acceptor, client) = (tcp_socket(), tcp_socket());
        associate(&listener, &port, 1);
        associate(&client, &port, 2);
        let (accepted, connected) = (accept_op(0), Op::new(0));
        assert_eq!(post_accept(&listener, &acceptor, &accepted, 0), Err(WSA_IO_PENDING));
        bind_to(&client, &sockaddr_v4(0));
        assert_eq!(post_connect(&client, &addr, &connected), Err(WSA_IO_PENDING));
        let mut packets = waiter.join().expect("no panic");
        packets.sort_by_key(|packet| packet.key);
        packets[0].expect_ok(1, &accepted, 0);
        packets[1].expect_ok(2, &connected, 0);
    });
}

#[test]
fn r137_one_thread_posts_and_another_takes_many_times() {
    const ROUNDS: usize = 500;
    let port = port();
    let (socket, peer) = tcp_pair();
    associate(&socket, &port, 1);
    let taken = Event::auto_reset();
    thread::scope(|scope| {
        let taker = scope.spawn(|| {
            for _ in 0..ROUNDS {
                let packet = dequeue(*port, SOON);
                assert!(packet.ok && packet.bytes == 3, "{packet:?}");
                taken.set();
            }
        });
        for _ in 0..ROUNDS {
            let op = Op::new(8);
            assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
            send_all(&peer, b"abc");
            if !taken.is_set_within(SOON) {
                break; // The taker says why.
            }
        }
        taker.join().expect("no panic");
    });
}

/// Whichever of two waiting threads looks after the sockets for both: when it leaves, the other
/// takes over at once.
#[test]
fn r137_a_thread_that_stays_is_served_when_the_other_leaves() {
    for stayer_first in [false, true] {
        let port = port();
        let (socket, peer) = tcp_pair();
        associate(&socket, &port, 1);
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        let (left, served) = (AtomicBool::new(false), AtomicBool::new(false));
        let leave = || {
            assert!(dequeue(*port, NEVER * 4).is_time_out());
            left.store(true, Ordering::SeqCst);
            // It computes, and helps nobody.
            assert!(spin_until(SOON, || served.load(Ordering::SeqCst)), "nobody was served");
        };
        let stay = || {
            dequeue(*port, SOON).expect_ok(1, &op, 3);
            served.store(true, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            if stayer_first {
                scope.spawn(stay);
                pause();
                scope.spawn(leave);
            } else {
                scope.spawn(leave);
                pause();
                scope.spawn(stay);
            }
            assert!(comes_true(|| left.load(Ordering::SeqCst)));
            pause();
            send_all(&peer, b"abc");
        });
    }
}

#[test]
fn r137_a_thread_at_a_port_and_one_at_an_event_are_both_served() {
    for port_first in [false, true] {
        let (port, event) = (port(), Event::auto_reset());
        let (tied, tied_peer) = tcp_pair();
        let (free, free_peer) = tcp_pair();
        associate(&tied, &port, 1);
        let (tied_op, free_op) = (Op::new(8), Op::with_event(8, &event));
        assert_eq!(post_recv(&tied, &tied_op), Err(WSA_IO_PENDING));
        assert_eq!(post_recv(&free, &free_op), Err(WSA_IO_PENDING));
        thread::scope(|scope| {
            let at_port = || dequeue(*port, SOON).expect_ok(1, &tied_op, 1);
            let at_event = || {
                assert!(event.is_set_within(SOON));
                assert_eq!(free_op.bytes(), 2);
            };
            let (one, other) = if port_first {
                let one = scope.spawn(at_port);
                pause();
                (one, scope.spawn(at_event))
            } else {
                let one = scope.spawn(at_event);
                pause();
                (one, scope.spawn(at_port))
            };
            pause();
            let send_first = |to_port: bool| match to_port {
                true => send_all(&tied_peer, b"1"),
                false => send_all(&free_peer, b"22"),
            };
            // The one that came first is served first, and leaves; the other is served after it.
            send_first(port_first);
            one.join().expect("no panic");
            send_first(!port_first);
            other.join().expect("no panic");
        });
    }
}

// 138: nobody waits for anybody else's wait.

/// Asserts that `short`, a wait of 50 ms, returns in time although `long` waits beside it.
fn expect_in_time(long: impl Fn() + Sync, release: impl Fn(), short: impl Fn()) {
    thread::scope(|scope| {
        scope.spawn(&long);
        pause();
        for _ in 0..3 {
            let start = Instant::now();
            short();
            let took = start.elapsed();
            assert!(took >= Duration::from_millis(30), "too early: {took:?}");
            // The long one takes twice that.
            assert!(took < Duration::from_millis(u64::from(SOON) / 2), "too late: {took:?}");
        }
        release();
    });
}

#[test]
fn r138_a_short_wait_beside_a_long_one_on_the_same_port_ends_in_time() {
    let port = port();
    let release = || post_key(&port, 1);
    let long = || assert!(dequeue(*port, SOON).ok);
    expect_in_time(long, release, || assert!(dequeue(*port, 50).is_time_out()));
    let long_batch = || assert!(dequeue_batch(*port, 4, SOON, true).ok);
    expect_in_time(long_batch, release, || assert!(dequeue(*port, 50).is_time_out()));
    let short_batch = || assert_eq!(dequeue_batch(*port, 4, 50, false).error, WAIT_TIMEOUT);
    expect_in_time(long, release, short_batch);
}

#[test]
fn r138_nor_do_waits_of_different_kinds_hold_each_other_up() {
    let (port, event) = (port(), Event::auto_reset());
    let at_port = || assert!(dequeue(*port, SOON).ok);
    let at_event = || assert!(event.is_set_within(SOON));
    let release_port = || post_key(&port, 1);
    let other = Event::auto_reset();
    expect_in_time(at_port, release_port, || assert!(!other.is_set_within(50)));
    expect_in_time(at_event, || event.set(), || assert!(dequeue(*port, 50).is_time_out()));
    // SAFETY: no memory is passed.
    expect_in_time(at_port, release_port, || assert_eq!(unsafe { SleepEx(50, 1) }, 0));
}

/// A thread that times out over and over beside one that is served all the time.
#[test]
fn r138_a_short_wait_beside_traffic_ends_in_time() {
    let (quiet, busy) = (port(), port());
    let (socket, peer) = tcp_pair();
    associate(&socket, &busy, 1);
    let done = AtomicBool::new(false);
    let traffic = || {
        while !done.load(Ordering::SeqCst) {
            let op = Op::new(8);
            assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
            send_all(&peer, b"abc");
            dequeue(*busy, SOON).expect_ok(1, &op, 3);
        }
    };
    let release = || done.store(true, Ordering::SeqCst);
    expect_in_time(traffic, release, || assert!(dequeue(*quiet, 50).is_time_out()));
}

// 139: ioctls.

/// An ioctl code with its input, and room for its output.
struct Ioctl {
    code: u32,
    input: Vec<u8>,
    output: usize,
}

fn ioctls() -> Vec<Ioctl> {
    let bytes_of = |value: u32| value.to_ne_bytes().to_vec();
    let keepalive = tcp_keepalive { onoff: 1, keepalivetime: 60_000, keepaliveinterval: 1_000 };
    let fields = [keepalive.onoff, keepalive.keepalivetime, keepalive.keepaliveinterval];
    let GUID { data1, data2, data3, data4 } = WSAID_CONNECTEX;
    let guid = [&bytes_of(data1), &data2.to_ne_bytes()[..], &data3.to_ne_bytes(), &data4].concat();
    let loopback = sockaddr_v4(0);
    let loopback_len = loopback.len as usize;
    // SAFETY: an address is readable for its length.
    let loopback = unsafe { slice::from_raw_parts(loopback.as_ptr().cast(), loopback_len) };
    let loopback = loopback.to_vec();
    let ioctl = |code, input, output| Ioctl { code, input, output };
    vec![
        ioctl(FIONBIO as u32, bytes_of(1), 0),
        ioctl(FIONREAD as u32, Vec::new(), 4),
        ioctl(SIOCATMARK as u32, Vec::new(), 4),
        ioctl(SIO_GET_EXTENSION_FUNCTION_POINTER, guid, size_of::<usize>()),
        ioctl(SIO_KEEPALIVE_VALS, fields.map(u32::to_ne_bytes).concat(), 0),
        ioctl(SIO_UDP_CONNRESET, bytes_of(0), 0),
        ioctl(SIO_ADDRESS_LIST_QUERY, Vec::new(), 4_096),
        ioctl(SIO_ROUTING_INTERFACE_QUERY, loopback, 128),
    ]
}

/// `WSAIoctl` with the watched op, its buffer as output: 0, or the WSA error.
fn control(socket: SOCKET, ioctl: &Ioctl, watched: &Watched) -> i32 {
    let (input, input_len) = (ioctl.input.as_ptr().cast(), ioctl.input.len() as u32);
    let (output, output_len) = (watched.op.wsabuf().buf.cast(), ioctl.output as u32);
    let mut bytes = 0;
    // SAFETY: the op keeps OVERLAPPED and buffer in place; the rest outlives the call.
    let rc = unsafe {
        WSAIoctl(
            socket,
            ioctl.code,
            input,
            input_len,
            output,
            output_len,
            &raw mut bytes,
            watched.op.ptr(),
            watched.routine(),
        )
    };
    if rc == 0 { 0 } else { last_wsa_error() }
}

#[test]
fn r139_every_ioctl_completes_through_every_notice() {
    for ioctl in ioctls() {
        for notice in NOTICES {
            let (socket, _peer) = tcp_pair();
            let watched = Watched::new(notice, ioctl.output);
            watched.tie(&socket);
            let error = control(*socket, &ioctl, &watched);
            let told = format!("{:#x} by {notice:?}: {error}", ioctl.code);
            assert!(matches!(error, 0 | WSA_IO_PENDING), "{told}");
            watched.expect_told();
            assert_eq!(watched.op.status(), 0, "{told}");
        }
    }
}

#[test]
fn r139_an_ioctl_that_nobody_knows_is_refused_or_ends_as_refused() {
    let unknown = Ioctl { code: 0x1234_5678, input: Vec::new(), output: 4 };
    for notice in NOTICES {
        let (socket, _peer) = tcp_pair();
        let watched = Watched::new(notice, 4);
        watched.tie(&socket);
        match control(*socket, &unknown, &watched) {
            WSA_IO_PENDING => {
                // Wine 8.0 does not set the event of an ioctl that fails.
                match notice {
                    Notice::Event => differs_on_wine(|| assert!(watched.told_within(2_000))),
                    Notice::Port | Notice::Routine | Notice::Polling => watched.expect_told(),
                }
                assert_eq!(wsa_result(&socket, &watched.op, false), Err(WSAEOPNOTSUPP));
            }
            error => {
                assert_eq!(error, WSAEOPNOTSUPP);
                assert!(notice == Notice::Polling || !watched.told_within(NEVER));
            }
        }
    }
}

// 141: statuses.

/// Every error status there could be, read through WSAGetOverlappedResult: the answers are
/// Winsock's own codes, and there are many of them.
#[test]
fn r141_statuses_become_many_codes_and_all_of_them_winsocks() {
    let socket = tcp_socket();
    let op = Op::new(0);
    let mut codes = BTreeSet::new();
    let mut rows = 0;
    for low in 0..=0xffff_u32 {
        let status = (0xc000_0000 | low) as i32;
        op.set_status(status);
        let code = wsa_result(&socket, &op, false).expect_err("an error status");
        let known = matches!(code, WSA_OPERATION_ABORTED | WSAEINTR..=11_031);
        assert!(known, "{status:#x} is {code}");
        codes.insert(code);
        rows += usize::from(code != WSAEINVAL);
    }
    assert!(rows >= 50 && codes.len() >= 20, "{rows} statuses, {} codes", codes.len());
}

// 142: closing from another thread.

#[test]
fn r142_a_receive_closed_over_by_another_thread_ends_once() {
    for notice in NOTICES {
        let (socket, _peer) = tcp_pair();
        let watched = Watched::new(notice, 8);
        watched.tie(&socket);
        assert_eq!(watched.recv(&socket), Err(WSA_IO_PENDING));
        thread::scope(|scope| {
            scope.spawn(move || {
                pause();
                assert_eq!(socket.close(), Ok(()));
            });
            watched.expect_told();
        });
        assert!(watched.op.status() < 0, "{notice:?}: {:#x}", watched.op.status());
        assert_eq!(watched.op.bytes(), 0);
    }
}

#[test]
fn r142_a_blocking_receive_closed_over_by_another_thread_fails() {
    let (socket, _peer) = tcp_pair();
    let raw = *socket;
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let view = ManuallyDrop::new(Socket::own(raw));
            recv_some(&view)
        });
        pause();
        assert_eq!(socket.close(), Ok(()));
        assert!(reader.join().expect("no panic").is_err());
    });
}

#[test]
fn r142_data_that_meets_a_close_ends_the_receive_once() {
    let port = port();
    for round in 0..300 {
        let (socket, peer) = tcp_pair();
        associate(&socket, &port, round);
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        thread::scope(|scope| {
            // SAFETY: the bytes are readable. Whether they still find anybody is the question.
            scope.spawn(|| unsafe { send(*peer, b"abc".as_ptr(), 3, 0) });
            scope.spawn(move || assert_eq!(socket.close(), Ok(())));
        });
        let packet = dequeue(*port, SOON);
        assert_eq!((packet.key, packet.overlapped), (round, op.ptr()), "{packet:?}");
        let expected = if packet.ok { 3 } else { 0 };
        assert_eq!(packet.bytes, expected);
        assert!(dequeue(*port, 0).is_time_out(), "a second end in round {round}");
    }
}

#[test]
fn r142_a_cancel_that_meets_a_close_ends_the_receive_once() {
    let port = port();
    for round in 0..300 {
        let (socket, _peer) = tcp_pair();
        associate(&socket, &port, round);
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        let raw = *socket;
        thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: the pointer only names an operation.
                unsafe { CancelIoEx(raw as HANDLE, op.ptr()) };
            });
            scope.spawn(move || assert_eq!(socket.close(), Ok(())));
        });
        let packet = dequeue(*port, SOON);
        assert!(!packet.ok && packet.overlapped == op.ptr(), "{packet:?}");
        assert!(dequeue(*port, 0).is_time_out(), "a second end in round {round}");
    }
}

/// Receives posted up to the moment of the close, and after it: what was accepted ends once, what
/// was refused does not.
#[test]
fn r142_posting_that_meets_a_close_ends_what_it_accepted() {
    // In a process of its own: elsewhere the closed SOCKET may soon be another test's.
    alone("r142_posting_that_meets_a_close_ends_what_it_accepted", || {
        let port = port();
        for round in 0..100 {
            let (socket, _peer) = tcp_pair();
            associate(&socket, &port, round);
            let raw = *socket;
            let accepted = thread::scope(|scope| {
                let poster = scope.spawn(move || {
                    let view = ManuallyDrop::new(Socket::own(raw));
                    let mut accepted = Vec::new();
                    loop {
                        let op = Op::new(8);
                        match post_recv(&view, &op) {
                            Err(WSA_IO_PENDING) => accepted.push(op),
                            Ok(bytes) => panic!("{bytes} bytes of nothing"),
                            Err(error) => break (accepted, error),
                        }
                    }
                });
                thread::sleep(Duration::from_micros(300));
                assert_eq!(socket.close(), Ok(()));
                let (accepted, error) = poster.join().expect("no panic");
                // A call that was under way when the socket went may say that instead.
                assert!(matches!(error, WSAENOTSOCK | WSA_OPERATION_ABORTED), "{error}");
                accepted
            });
            let mut left: BTreeSet<_> = accepted.iter().map(Op::ptr).collect();
            while !left.is_empty() {
                let packet = dequeue(*port, SOON);
                assert!(!packet.ok && packet.key == round, "{packet:?}");
                assert!(left.remove(&packet.overlapped), "twice, or never posted: {packet:?}");
            }
            assert!(dequeue(*port, 0).is_time_out());
        }
    });
}
