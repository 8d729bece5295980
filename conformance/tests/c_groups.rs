//! Section C at large: more sockets with events than one wait takes, by groups of threads; and
//! completion routines among many sockets, and when their thread ends.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    HANDLE, STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS, WAIT_IO_COMPLETION,
};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::OVERLAPPED;
use winsock_sys::Win32::System::Threading::SleepEx;

fn wait_any(events: &[HANDLE], ms: u32) -> u32 {
    // SAFETY: `events` is readable for its length.
    unsafe { WSAWaitForMultipleEvents(events.len() as u32, events.as_ptr(), 0, ms, 0) }
}

// Groups.

/// One client of a group: its receive is always pending.
struct Client {
    socket: Socket,
    event: Event,
    op: Op,
}

impl Client {
    /// Posts the receive. If it succeeds at once its event is set all the same, and the group finds
    /// it as any other.
    fn receive(&self) {
        let posted = post_recv(&self.socket, &self.op);
        assert!(matches!(posted, Ok(_) | Err(WSA_IO_PENDING)), "{posted:?}");
    }

    /// The receive has ended: sends back what it got, and posts the next; `false` at the end.
    fn echo(&self) -> bool {
        let (bytes, _) = wsa_result(&self.socket, &self.op, false).expect("a receive that ended");
        if bytes == 0 {
            return false;
        }
        send_all(&self.socket, &self.op.data()[..bytes as usize]);
        self.receive();
        true
    }
}

/// A thread that waits for its clients' events and for one that says that there are newcomers, or
/// that all is over.
fn group(newcomers: &Receiver<Socket>, called: &Event, over: &AtomicBool, gone: &AtomicUsize) {
    let mut clients: Vec<Client> = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let mut events = vec![**called];
        events.extend(clients.iter().map(|client| *client.event));
        let first = wait_any(&events, SOON) as usize;
        assert!(first < events.len(), "{first:#x} of {} events", events.len());
        let Some(at) = first.checked_sub(1) else {
            for socket in newcomers.try_iter() {
                let event = Event::auto_reset();
                let op = Op::with_event(512, &event);
                clients.push(Client { socket, event, op });
                clients.last().expect("the newcomer").receive();
            }
            continue;
        };
        // The lowest event is the one that the wait has taken: those behind get their turn too.
        for at in at..clients.len() {
            if at + 1 != first && !clients[at].event.is_set() {
                continue;
            }
            if !clients[at].echo() {
                drop(clients.swap_remove(at));
                gone.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
    }
}

/// 150 clients with three threads of 63 events each and one to call them by.
#[test]
fn r103_more_sockets_than_a_wait_takes_are_served_by_groups_of_threads() {
    const CLIENTS: usize = 150;
    const IN_GROUP: usize = WSA_MAXIMUM_WAIT_EVENTS as usize - 1;
    let (listener, addr) = listener();
    let (over, gone) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let mut senders: Vec<(Sender<Socket>, Arc<Event>)> = Vec::new();
        for _ in 0..CLIENTS.div_ceil(IN_GROUP) {
            let (sender, newcomers) = mpsc::channel();
            let called = Arc::new(Event::auto_reset());
            let (of_group, over, gone) = (called.clone(), &over, &gone);
            scope.spawn(move || group(&newcomers, &of_group, over, gone));
            senders.push((sender, called));
        }
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| drive(&addr))).collect();
        for at in 0..CLIENTS {
            let (sender, called) = &senders[at / IN_GROUP];
            sender.send(accept_one(&listener)).expect("a group");
            called.set();
        }
        clients.into_iter().for_each(|client| client.join().expect("no panic"));
        assert!(comes_true(|| gone.load(Ordering::SeqCst) == CLIENTS));
        over.store(true, Ordering::SeqCst);
        senders.iter().for_each(|(_, called)| called.set());
    });
}

/// Sends and gets back, a few pieces of unequal length.
fn drive(addr: &Addr) {
    let client = connect_to(addr);
    let sent = pattern(5_000);
    for piece in sent.chunks(1_111) {
        send_all(&client, piece);
        assert_eq!(recv_exactly(&client, piece.len()), piece);
    }
}

#[test]
fn r053_the_last_of_64_events_wakes_its_thread() {
    let pairs: Vec<(Socket, Socket)> = (0..64).map(|_| tcp_pair()).collect();
    let events: Vec<Event> = pairs.iter().map(|_| Event::auto_reset()).collect();
    let wait = || wait_any(&events.iter().map(|event| **event).collect::<Vec<HANDLE>>(), SOON);
    let ops: Vec<Op> = events.iter().map(|event| Op::with_event(1, event)).collect();
    for round in 0..3 {
        for ((socket, _), op) in pairs.iter().zip(&ops) {
            assert_eq!(post_recv(socket, op), Err(WSA_IO_PENDING));
        }
        // Downwards, so that the lowest set event is the last one told.
        for at in (0..64).rev() {
            thread::scope(|scope| {
                let waiter = scope.spawn(wait);
                if at % 16 == 15 {
                    pause();
                }
                send_all(&pairs[at].1, &[at as u8]);
                assert_eq!(waiter.join().expect("no panic"), at as u32, "round {round}");
            });
            assert_eq!((ops[at].status(), ops[at].data()), (STATUS_SUCCESS, &[at as u8][..]));
        }
    }
}

#[test]
fn r053_many_that_complete_at_once_are_found_one_after_the_other() {
    let pairs: Vec<(Socket, Socket)> = (0..64).map(|_| tcp_pair()).collect();
    let events: Vec<Event> = pairs.iter().map(|_| Event::auto_reset()).collect();
    let wait = || wait_any(&events.iter().map(|event| **event).collect::<Vec<HANDLE>>(), SOON);
    let ops: Vec<Op> = events.iter().map(|event| Op::with_event(1, event)).collect();
    for ((socket, _), op) in pairs.iter().zip(&ops) {
        assert_eq!(post_recv(socket, op), Err(WSA_IO_PENDING));
    }
    pairs.iter().for_each(|(_, peer)| send_all(peer, b"a"));
    let mut found = [false; 64];
    for _ in 0..64 {
        let at = wait() as usize;
        assert!(at < 64, "{at:#x}");
        assert!(!std::mem::replace(&mut found[at], true), "{at} twice");
        assert_eq!(wsa_result(&pairs[at].0, &ops[at], false), Ok((1, 0)));
    }
}

/// The thread that posts is not the one that waits; both live.
#[test]
fn r053_an_event_may_be_waited_for_by_another_thread() {
    let (socket, peer) = tcp_pair();
    let event = Event::auto_reset();
    let op = Op::with_event(4, &event);
    for _ in 0..100 {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| event.is_set_within(SOON));
            assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
            send_all(&peer, b"abcd");
            assert!(waiter.join().expect("no panic"));
        });
        assert_eq!(wsa_result(&socket, &op, false), Ok((4, 0)));
    }
}

// Routines.

thread_local! {
    /// The OVERLAPPED of each call of the routine on this thread.
    static CALLS: RefCell<Vec<*mut OVERLAPPED>> = const { RefCell::new(Vec::new()) };
}

/// The calls of the routine on any thread.
static CALLED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn record(_: u32, _: u32, overlapped: *mut OVERLAPPED, _: u32) {
    CALLS.with_borrow_mut(|calls| calls.push(overlapped));
}

unsafe extern "system" fn count(_: u32, _: u32, _: *mut OVERLAPPED, _: u32) {
    CALLED.fetch_add(1, Ordering::SeqCst);
}

type Routine = unsafe extern "system" fn(u32, u32, *mut OVERLAPPED, u32);

/// `WSARecv` into the op's buffer with a completion routine.
fn recv_with(socket: &Socket, op: &Op, routine: Routine) -> Result<u32, i32> {
    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0, 0);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc = unsafe {
        WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, op.ptr(), Some(routine))
    };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

fn sleep_ex(ms: u32) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SleepEx(ms, 1) }
}

#[test]
fn r057_routines_of_many_sockets_run_in_completion_order() {
    let pairs: Vec<(Socket, Socket)> = (0..20).map(|_| tcp_pair()).collect();
    let ops: Vec<Op> = pairs.iter().map(|_| Op::new(1)).collect();
    for ((socket, _), op) in pairs.iter().zip(&ops) {
        assert_eq!(recv_with(socket, op, record), Err(WSA_IO_PENDING));
    }
    let order: Vec<usize> = (0..20).map(|i| i * 7 % 20).collect();
    for &at in &order {
        send_all(&pairs[at].1, b"a");
        assert!(comes_true(|| ops[at].status() != STATUS_PENDING));
    }
    assert_eq!(CALLS.take(), [], "outside of an alertable wait");
    assert_eq!(sleep_ex(SOON), WAIT_IO_COMPLETION);
    let expected: Vec<_> = order.iter().map(|&at| ops[at].ptr()).collect();
    assert_eq!(CALLS.take(), expected);
}

#[test]
fn r057_routines_and_apcs_share_one_queue() {
    let (socket, peer) = tcp_pair();
    let [first, second] = [Op::new(1), Op::new(1)];
    let marker = 0x1234_usize as *mut OVERLAPPED;
    let mark = |value: usize| {
        let call = move || CALLS.with_borrow_mut(|calls| calls.push(value as *mut OVERLAPPED));
        assert_eq!(queue_apc(this_thread(), call), Ok(()));
    };
    assert_eq!(recv_with(&socket, &first, record), Err(WSA_IO_PENDING));
    assert_eq!(recv_with(&socket, &second, record), Err(WSA_IO_PENDING));
    send_all(&peer, b"a");
    assert!(comes_true(|| first.status() != STATUS_PENDING));
    mark(marker as usize);
    send_all(&peer, b"b");
    assert!(comes_true(|| second.status() != STATUS_PENDING));
    while CALLS.with_borrow(Vec::len) < 3 {
        assert_eq!(sleep_ex(SOON), WAIT_IO_COMPLETION);
    }
    assert_eq!(CALLS.take(), [first.ptr(), marker, second.ptr()]);
}

#[test]
fn r057_a_routine_of_an_ended_thread_never_runs() {
    let (socket, peer) = tcp_pair();
    let socket = Arc::new(socket);
    let op = Arc::new(Op::new(1));
    let (of_thread, socket_of_thread) = (op.clone(), socket.clone());
    let before = CALLED.load(Ordering::SeqCst);
    let ended = Thread::start(move || {
        let posted = recv_with(&socket_of_thread, &of_thread, count);
        assert_eq!(posted, Err(WSA_IO_PENDING));
    });
    ended.join();
    assert!(comes_true(|| op.status() != STATUS_PENDING));
    assert_eq!(op.status(), STATUS_CANCELLED);
    send_all(&peer, b"a");
    assert_eq!(sleep_ex(NEVER), 0);
    assert_eq!(CALLED.load(Ordering::SeqCst), before);
    // What it would have taken is there for others.
    assert_eq!(recv_exactly(&socket, 1), b"a");
}

#[test]
fn r057_a_routine_that_is_queued_is_lost_with_its_thread() {
    let (socket, peer) = tcp_pair();
    let op = Arc::new(Op::new(1));
    let of_thread = op.clone();
    let ended = Thread::start(move || {
        assert_eq!(recv_with(&socket, &of_thread, record), Err(WSA_IO_PENDING));
        send_all(&peer, b"a");
        assert!(comes_true(|| of_thread.status() != STATUS_PENDING));
        assert_eq!(CALLS.take(), []);
    });
    ended.join();
    assert_eq!((op.status(), op.bytes(), op.data()), (STATUS_SUCCESS, 1, &b"a"[..]));
}

#[test]
fn r135_routines_run_inside_a_select_that_waits() {
    let ((busy, peer), (quiet, quiet_peer)) = (tcp_pair(), tcp_pair());
    let op = Op::new(1);
    assert_eq!(recv_with(&busy, &op, record), Err(WSA_IO_PENDING));
    let waited = thread::scope(|scope| {
        scope.spawn(|| {
            pause();
            send_all(&peer, b"a");
            assert!(comes_true(|| op.status() != STATUS_PENDING));
            pause();
            send_all(&quiet_peer, b"b");
        });
        select_from(&[*quiet], &[], &[], SOON).map(|ready| ready.count)
    });
    assert_eq!((waited, CALLS.take()), (Ok(1), vec![op.ptr()]));
}

/// The model that completion routines are for: one thread, no other wait than an alertable one.
#[test]
fn r057_an_echo_server_of_routines_loses_no_byte() {
    const CLIENTS: usize = 100;
    let (listener, addr) = listener();
    let server = thread::spawn(move || {
        for _ in 0..CLIENTS {
            routines::serve(accept_one(&listener));
            while sleep_ex(0) == WAIT_IO_COMPLETION {}
        }
        while routines::left() > 0 {
            assert_eq!(sleep_ex(SOON), WAIT_IO_COMPLETION, "{} clients left", routines::left());
        }
    });
    let clients: Vec<_> = (0..CLIENTS).map(|_| thread::spawn(move || drive(&addr))).collect();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    server.join().expect("no panic");
}

/// Clients served by routines that post the next operation.
mod routines {
    use std::cell::Cell;
    use std::ptr::null_mut;

    use super::*;

    thread_local! {
        static LEFT: Cell<usize> = const { Cell::new(0) };
    }

    /// The clients of this thread that have not gone.
    pub fn left() -> usize {
        LEFT.get()
    }

    /// Starts with the OVERLAPPED, by which the routines find the rest.
    #[repr(C)]
    struct Session {
        overlapped: OVERLAPPED,
        socket: Socket,
        buffer: [u8; 700],
    }

    pub fn serve(socket: Socket) {
        LEFT.set(LEFT.get() + 1);
        let overlapped = OVERLAPPED::default();
        let session = Box::new(Session { overlapped, socket, buffer: [0; 700] });
        post_receive(Box::into_raw(session));
    }

    fn post_receive(session: *mut Session) {
        // SAFETY: the session is not freed before its operation has ended, and has one at a time.
        let rc = unsafe {
            let buffer = WSABUF { len: 700, buf: (&raw mut (*session).buffer).cast() };
            let mut flags = 0;
            let overlapped = session.cast();
            let socket = *(*session).socket;
            WSARecv(socket, &buffer, 1, null_mut(), &raw mut flags, overlapped, Some(received))
        };
        assert!(rc == 0 || last_wsa_error() == WSA_IO_PENDING, "{}", last_wsa_error());
    }

    unsafe extern "system" fn received(error: u32, bytes: u32, at: *mut OVERLAPPED, _: u32) {
        let session = at.cast::<Session>();
        assert_eq!(error, 0);
        if bytes == 0 {
            // SAFETY: the session came from a box, and nothing of it is pending.
            drop(unsafe { Box::from_raw(session) });
            return LEFT.set(LEFT.get() - 1);
        }
        // SAFETY: as above.
        let rc = unsafe {
            let buffer = WSABUF { len: bytes, buf: (&raw mut (*session).buffer).cast() };
            WSASend(*(*session).socket, &buffer, 1, null_mut(), 0, at, Some(sent))
        };
        assert!(rc == 0 || last_wsa_error() == WSA_IO_PENDING, "{}", last_wsa_error());
    }

    unsafe extern "system" fn sent(error: u32, _: u32, at: *mut OVERLAPPED, _: u32) {
        assert_eq!(error, 0);
        post_receive(at.cast());
    }
}
