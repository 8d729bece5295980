//! Section C: completion routines, and the alertable waits that run them.

use std::cell::RefCell;
use std::ptr::null_mut;
use std::sync::mpsc;
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{HANDLE, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::{GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY};
use winsock_sys::Win32::System::Threading::{
    SetEvent, SleepEx, WaitForMultipleObjectsEx, WaitForSingleObjectEx,
};

const TRUE: i32 = 1;
const FALSE: i32 = 0;

/// What one call of the routine was told.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Call {
    error: u32,
    bytes: u32,
    overlapped: *mut OVERLAPPED,
    flags: u32,
}

thread_local! {
    /// The routine's calls on this thread: every test has its own thread, so its own list.
    static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn record(error: u32, bytes: u32, overlapped: *mut OVERLAPPED, flags: u32) {
    CALLS.with_borrow_mut(|calls| calls.push(Call { error, bytes, overlapped, flags }));
}

/// The calls since the last time this was asked.
fn calls() -> Vec<Call> {
    CALLS.take()
}

fn succeeded(op: &Op, bytes: u32) -> Call {
    Call { error: 0, bytes, overlapped: op.ptr(), flags: 0 }
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

/// `WSARecv` into the op's buffer with `record` as its routine.
fn routine_recv(socket: &Socket, op: &Op) -> Result<u32, i32> {
    recv_with(socket, op, record)
}

/// `WSASend` of the op's buffer with `record` as its routine.
fn routine_send(socket: &Socket, op: &Op) -> Result<u32, i32> {
    let (buffer, mut bytes) = (op.wsabuf(), 0);
    // SAFETY: as for `recv_with`.
    let rc = unsafe { WSASend(**socket, &buffer, 1, &raw mut bytes, 0, op.ptr(), Some(record)) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

fn sleep_ex(ms: u32, alertable: i32) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SleepEx(ms, alertable) }
}

fn wait_events(events: &[HANDLE], all: i32, ms: u32, alertable: i32) -> u32 {
    // SAFETY: `events` is readable for its length.
    unsafe { WSAWaitForMultipleEvents(events.len() as u32, events.as_ptr(), all, ms, alertable) }
}

/// Whether `op` has left its pending state soon; it does so with or without an alertable wait.
fn ended_soon(op: &Op) -> bool {
    for _ in 0..SOON {
        if op.status() != winsock_sys::Win32::Foundation::STATUS_PENDING {
            return true;
        }
        thread::sleep(std::time::Duration::from_millis(1));
    }
    false
}

#[test]
fn r055_with_a_routine_the_event_field_is_the_callers_own() {
    let (a, b) = tcp_pair();
    let mine = 0xdead_beef_usize as HANDLE;
    let op = Op::with_event_handle(8, mine);
    assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"hi");
    assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 2)]);
    // SAFETY: the operation has ended; the OVERLAPPED is the caller's again.
    assert_eq!(unsafe { (*op.ptr()).hEvent }, mine);
    assert_eq!(&op.data()[..2], b"hi");
}

#[test]
fn r055_with_a_routine_a_real_event_is_neither_reset_nor_set() {
    let (a, b) = tcp_pair();
    let (set, unset) = (Event::manual_reset(), Event::manual_reset());
    set.set();
    let (first, second) = (Op::with_event(1, &set), Op::with_event(1, &unset));
    assert_eq!(routine_recv(&a, &first), Err(WSA_IO_PENDING));
    assert_eq!(routine_recv(&a, &second), Err(WSA_IO_PENDING));
    assert!(set.is_set());
    send_all(&b, b"ab");
    while CALLS.with_borrow(Vec::len) < 2 {
        assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    }
    assert!(set.is_set());
    assert!(!unset.is_set());
}

#[test]
fn r056_an_immediate_success_queues_the_routine_all_the_same() {
    let (a, b) = tcp_pair();
    send_all(&b, b"waiting");
    let look = Op::new(7);
    assert_eq!(post_recv_peek(&a, &look), Ok(7));

    let op = Op::new(7);
    assert_eq!(routine_recv(&a, &op), Ok(7));
    assert_eq!(op.data(), b"waiting");
    assert_eq!(calls(), [], "not inside the call");
    assert_eq!(sleep_ex(0, FALSE), 0);
    assert_eq!(calls(), [], "nor in a wait that is not alertable");
    assert_eq!(sleep_ex(0, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 7)]);
    assert_eq!(sleep_ex(0, TRUE), 0, "once");
    assert_eq!(calls(), []);
}

/// A blocking receive that leaves the data where it is: returns when it is there.
fn post_recv_peek(socket: &Socket, op: &Op) -> Result<u32, i32> {
    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0, MSG_PEEK as u32);
    // SAFETY: without OVERLAPPED nothing outlives the call.
    let rc =
        unsafe { WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, null_mut(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

#[test]
fn r056_an_immediate_send_queues_its_routine() {
    let (a, b) = tcp_pair();
    let op = Op::sending(b"out");
    assert_eq!(routine_send(&a, &op), Ok(3));
    assert_eq!(calls(), []);
    assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 3)]);
    assert_eq!(recv_exactly(&b, 3), b"out");
}

#[test]
fn r056_an_immediate_failure_queues_nothing() {
    let socket = tcp_socket();
    let op = Op::new(4);
    assert_eq!(routine_recv(&socket, &op), Err(WSAENOTCONN));
    assert_eq!(sleep_ex(NEVER, TRUE), 0);
    assert_eq!(calls(), []);
}

#[test]
fn r057_every_alertable_wait_runs_the_routine() {
    let unset = Event::manual_reset();
    let port = port();
    let waits: [(&str, &dyn Fn() -> u32); 5] = [
        ("SleepEx", &|| sleep_ex(SOON, TRUE)),
        ("WSAWaitForMultipleEvents", &|| wait_events(&[*unset], FALSE, SOON, TRUE)),
        // SAFETY: no memory is passed.
        ("WaitForSingleObjectEx", &|| unsafe { WaitForSingleObjectEx(*unset, SOON, TRUE) }),
        ("WaitForMultipleObjectsEx", &|| {
            // SAFETY: the array holds the one handle counted.
            unsafe { WaitForMultipleObjectsEx(1, &*unset, FALSE, SOON, TRUE) }
        }),
        ("GetQueuedCompletionStatusEx", &|| dequeue_ex(*port, SOON, TRUE)),
    ];
    let (a, b) = tcp_pair();
    for (name, wait) in waits {
        let op = Op::new(4);
        assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING), "{name}");
        send_all(&b, b"wake");
        assert_eq!(wait(), WAIT_IO_COMPLETION, "{name}");
        assert_eq!(calls(), [succeeded(&op, 4)], "{name}");
    }
}

/// `GetQueuedCompletionStatusEx` for one entry: the last error, 0 for a packet.
fn dequeue_ex(port: HANDLE, ms: u32, alertable: i32) -> u32 {
    let mut entry = OVERLAPPED_ENTRY::default();
    let mut taken = 0;
    // SAFETY: the outputs outlive the call; there is room for the one entry asked for.
    let ok = unsafe {
        GetQueuedCompletionStatusEx(port, &raw mut entry, 1, &raw mut taken, ms, alertable)
    };
    if ok != 0 { 0 } else { last_error() }
}

#[test]
fn r057_waits_that_are_not_alertable_do_not_run_it() {
    let unset = Event::manual_reset();
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"soon");
    assert!(ended_soon(&op));
    assert_eq!(sleep_ex(1, FALSE), 0);
    assert_eq!(wait(*unset, 1), WAIT_TIMEOUT);
    assert_eq!(wait_events(&[*unset], FALSE, 1, FALSE), WAIT_TIMEOUT);
    assert_eq!(dequeue_ex(*port(), 1, FALSE), WAIT_TIMEOUT);
    assert_eq!(calls(), []);
    assert_eq!(sleep_ex(0, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 4)]);
}

#[test]
fn r057_routines_run_in_completion_order() {
    const COUNT: usize = 32;
    let (a, b) = tcp_pair();
    let ops: Vec<Op> = (0..COUNT).map(|_| Op::new(1)).collect();
    for op in &ops {
        assert_eq!(routine_recv(&a, op), Err(WSA_IO_PENDING));
    }
    send_all(&b, &pattern(COUNT));
    while CALLS.with_borrow(Vec::len) < COUNT {
        assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    }
    let expected: Vec<Call> = ops.iter().map(|op| succeeded(op, 1)).collect();
    assert_eq!(calls(), expected);
    let received: Vec<u8> = ops.iter().flat_map(|op| op.data().to_vec()).collect();
    assert_eq!(received, pattern(COUNT));
}

#[test]
fn r057_one_alertable_wait_runs_all_that_are_queued() {
    let (a, b) = tcp_pair();
    let ops = [Op::new(1), Op::new(1), Op::new(1)];
    for op in &ops {
        assert_eq!(routine_recv(&a, op), Err(WSA_IO_PENDING));
    }
    send_all(&b, b"abc");
    assert!(ops.iter().all(ended_soon));
    assert_eq!(sleep_ex(0, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&ops[0], 1), succeeded(&ops[1], 1), succeeded(&ops[2], 1)]);
    assert_eq!(sleep_ex(0, TRUE), 0);
}

#[test]
fn r057_routines_run_on_the_issuing_thread_only() {
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING));
    let other = thread::spawn(move || {
        send_all(&b, b"mine");
        let woken = sleep_ex(NEVER, TRUE);
        (woken, calls().len(), b)
    });
    let (woken, count, _b) = other.join().unwrap();
    assert_eq!((woken, count), (0, 0));
    assert_eq!(calls(), []);
    assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 4)]);
}

/// Records its call and sets the event in `hEvent`, which is the caller's own (rule 55).
unsafe extern "system" fn record_and_set(
    error: u32,
    bytes: u32,
    overlapped: *mut OVERLAPPED,
    flags: u32,
) {
    // SAFETY: the test keeps the OVERLAPPED, and the event named in it, until it has been called.
    unsafe {
        record(error, bytes, overlapped, flags);
        SetEvent((*overlapped).hEvent);
    }
}

#[test]
fn r057_the_wait_reports_the_routine_even_if_its_event_was_set_too() {
    let (a, b) = tcp_pair();
    let event = Event::auto_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(recv_with(&a, &op, record_and_set), Err(WSA_IO_PENDING));
    send_all(&b, b"both");
    assert_eq!(wait_events(&[*event], FALSE, SOON, TRUE), WAIT_IO_COMPLETION);
    assert_eq!(calls(), [succeeded(&op, 4)]);
    assert_eq!(wait_events(&[*event], FALSE, 0, TRUE), WAIT_OBJECT_0, "taken by the next call");
    assert!(!event.is_set());
}

#[test]
fn r057_a_routine_wakes_a_thread_that_waits_already() {
    let (a, b) = tcp_pair();
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let op = Op::new(4);
        assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING));
        sender.send(()).unwrap();
        let unset = Event::manual_reset();
        let woken = wait_events(&[*unset], FALSE, SOON, TRUE);
        assert_eq!(calls(), [succeeded(&op, 4)]);
        woken
    });
    receiver.recv().unwrap();
    thread::sleep(std::time::Duration::from_millis(50));
    send_all(&b, b"wake");
    assert_eq!(waiter.join().unwrap(), WAIT_IO_COMPLETION);
}

/// Receives one byte at a time, each time posting the next receive from inside the routine.
struct Chain {
    socket: SOCKET,
    buffer: [u8; 1],
    received: Vec<u8>,
    /// How many routines are on the stack; they must never nest.
    depth: u32,
}

thread_local! {
    static CHAIN: RefCell<Option<Chain>> = const { RefCell::new(None) };
}

unsafe extern "system" fn link(error: u32, bytes: u32, overlapped: *mut OVERLAPPED, _flags: u32) {
    let (socket, buffer) = CHAIN.with_borrow_mut(|chain| {
        let chain = chain.as_mut().unwrap();
        assert_eq!((error, chain.depth), (0, 0));
        chain.depth += 1;
        if bytes == 1 {
            chain.received.push(chain.buffer[0]);
        }
        (chain.socket, chain.buffer.as_mut_ptr())
    });
    if bytes == 1 {
        let (wsabuf, mut flags) = (WSABUF { len: 1, buf: buffer }, 0);
        // SAFETY: CHAIN's buffer stays in the thread-local, the OVERLAPPED in the test's op.
        unsafe { WSARecv(socket, &wsabuf, 1, null_mut(), &raw mut flags, overlapped, Some(link)) };
    }
    CHAIN.with_borrow_mut(|chain| chain.as_mut().unwrap().depth -= 1);
}

#[test]
fn r057_a_routine_may_post_the_next_receive_and_is_not_nested() {
    const COUNT: usize = 200;
    let (a, b) = tcp_pair();
    let op = Op::new(0);
    CHAIN.set(Some(Chain { socket: *a, buffer: [0], received: Vec::new(), depth: 0 }));
    let buffer = CHAIN.with_borrow_mut(|chain| chain.as_mut().unwrap().buffer.as_mut_ptr());
    let (wsabuf, mut flags) = (WSABUF { len: 1, buf: buffer }, 0);
    // SAFETY: as in `link`.
    let rc = unsafe { WSARecv(*a, &wsabuf, 1, null_mut(), &raw mut flags, op.ptr(), Some(link)) };
    assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSA_IO_PENDING));
    send_all(&b, &pattern(COUNT));
    while CHAIN.with_borrow(|chain| chain.as_ref().unwrap().received.len()) < COUNT {
        assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    }
    assert_eq!(b.close(), Ok(()));
    assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION, "the end comes as a call too");
    assert_eq!(CHAIN.take().unwrap().received, pattern(COUNT));
}

#[test]
fn r057_a_routine_is_told_of_the_reset_in_winsocks_code() {
    let (a, b) = tcp_pair();
    let op = Op::new(4);
    assert_eq!(routine_recv(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert_eq!(sleep_ex(SOON, TRUE), WAIT_IO_COMPLETION);
    let reset = Call { error: WSAECONNRESET as u32, bytes: 0, overlapped: op.ptr(), flags: 0 };
    assert_eq!(calls(), [reset]);
}
