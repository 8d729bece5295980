//! Section G, thread pools: operations on sockets that are bound to one.

mod pool;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NETNAME_DELETED, HANDLE,
    INVALID_HANDLE_VALUE, STATUS_PENDING,
};
use winsock_sys::Win32::System::IO::{BindIoCompletionCallback, CancelIoEx, OVERLAPPED};
use winsock_sys::Win32::System::Threading::{
    CancelThreadpoolIo, CloseThreadpoolIo, CreateThreadpoolIo, PTP_CALLBACK_INSTANCE, PTP_IO,
    SetEvent, StartThreadpoolIo, WaitForThreadpoolIoCallbacks,
};

use pool::*;

/// What the callbacks were told: error, bytes, and whether the OVERLAPPED was the expected one.
static TOLD: Mutex<Vec<(usize, u32, usize)>> = Mutex::new(Vec::new());

fn told(overlapped: *mut OVERLAPPED) -> Option<(u32, usize)> {
    let told = TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let of_mine = told.iter().find(|(other, ..)| *other == overlapped as usize);
    of_mine.map(|&(_, error, bytes)| (error, bytes))
}

/// An operation of which nothing has been told, though its memory may have been another's.
fn op(len: usize) -> Op {
    let op = Op::new(len);
    forget(&op);
    op
}

fn forget(op: &Op) {
    let mut told = TOLD.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    told.retain(|(other, ..)| *other != op.ptr() as usize);
}

unsafe extern "system" fn bound(error: u32, bytes: u32, overlapped: *mut OVERLAPPED) {
    TOLD.lock().unwrap().push((overlapped as usize, error, bytes as usize));
}

unsafe extern "system" fn io(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    overlapped: *mut c_void,
    result: u32,
    bytes: usize,
    _: PTP_IO,
) {
    TOLD.lock().unwrap().push((overlapped as usize, result, bytes));
    // SAFETY: the tests keep their stages.
    unsafe { Stage::of(context) }.act(false);
}

fn bind(socket: &Socket) -> Result<(), u32> {
    // SAFETY: `bound` takes whatever the operations say.
    bool_result(|| unsafe { BindIoCompletionCallback(**socket as HANDLE, Some(bound), 0) })
}

#[test]
fn r160_a_bound_sockets_operations_call_the_function() {
    let (a, b) = tcp_pair();
    assert_eq!(bind(&a), Ok(()));
    assert_eq!(bind(&a), Err(ERROR_INVALID_PARAMETER));
    let (first, second) = (op(16), op(16));
    assert_eq!(post_recv(&a, &first), Err(WSA_IO_PENDING));
    send_all(&b, b"hello");
    assert!(comes_true(|| told(first.ptr()).is_some()));
    assert_eq!(told(first.ptr()), Some((0, 5)));
    assert_eq!(&first.data()[..5], b"hello");
    // An immediate success too.
    send_all(&b, b"at once");
    pause();
    let _ = post_recv(&a, &second);
    assert!(comes_true(|| told(second.ptr()).is_some()));
    assert_eq!(told(second.ptr()), Some((0, 7)));
    let third = op(16);
    assert_eq!(post_recv(&a, &third), Err(WSA_IO_PENDING));
    b.reset();
    assert!(comes_true(|| told(third.ptr()).is_some()));
    assert_eq!(told(third.ptr()), Some((ERROR_NETNAME_DELETED, 0)));
}

#[test]
fn r160_what_is_no_socket_is_not_bound() {
    init();
    // SAFETY: no memory is passed.
    let refusal = |file| bool_result(|| unsafe { BindIoCompletionCallback(file, Some(bound), 0) });
    assert_eq!(refusal(INVALID_HANDLE_VALUE), Err(ERROR_INVALID_HANDLE));
    assert_eq!(refusal(null_mut()), Err(ERROR_INVALID_HANDLE));
}

fn make_io(socket: &Socket, stage: &Stage) -> PTP_IO {
    let file = **socket as HANDLE;
    // SAFETY: `io` may be called with a stage.
    let made = unsafe { CreateThreadpoolIo(file, Some(io), stage.context(), null()) };
    assert_ne!(made, 0, "no I/O object: {}", last_error());
    made
}

#[test]
fn r160_an_io_object_calls_for_each_operation() {
    let (a, b) = tcp_pair();
    let stage = Stage::new();
    let object = make_io(&a, &stage);
    // SAFETY: as above.
    let again = unsafe { CreateThreadpoolIo(*a as HANDLE, Some(io), stage.context(), null()) };
    assert_eq!((again, last_error()), (0, ERROR_INVALID_PARAMETER));
    let ops: [_; 3] = std::array::from_fn(|_| op(4));
    for op in &ops {
        // SAFETY: no memory is passed.
        unsafe { StartThreadpoolIo(object) };
        assert_eq!(post_recv(&a, op), Err(WSA_IO_PENDING));
    }
    std::thread::scope(|scope| {
        // It waits for what has been announced.
        // SAFETY: no memory is passed.
        let waiter = scope.spawn(move || unsafe { WaitForThreadpoolIoCallbacks(object, 0) });
        send_all(&b, b"12345678");
        assert!(comes_true(|| stage.calls() == 2));
        pause();
        assert!(!waiter.is_finished());
        send_all(&b, b"9");
    });
    assert_eq!(stage.calls(), 3);
    assert_eq!(ops.each_ref().map(|op| told(op.ptr())), [4, 4, 1].map(|count| Some((0, count))));
    // SAFETY: no memory is passed.
    unsafe { CloseThreadpoolIo(object) };
}

#[test]
fn r160_an_operation_that_was_not_issued_is_taken_back() {
    let (a, b) = tcp_pair();
    let stage = Stage::new();
    let object = make_io(&a, &stage);
    // SAFETY: no memory is passed.
    unsafe {
        StartThreadpoolIo(object);
        CancelThreadpoolIo(object);
        WaitForThreadpoolIoCallbacks(object, 0);
        StartThreadpoolIo(object);
    }
    let op = self::op(4);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"1");
    // SAFETY: no memory is passed.
    unsafe {
        WaitForThreadpoolIoCallbacks(object, 0);
        CloseThreadpoolIo(object);
    }
    assert_eq!(stage.calls(), 1);
}

#[test]
fn r160_cancelling_the_callbacks_does_not_wait_for_the_operations() {
    let (a, b) = tcp_pair();
    let stage = Stage::new();
    let object = make_io(&a, &stage);
    let (first, second) = (op(4), op(4));
    // SAFETY: no memory is passed.
    unsafe { StartThreadpoolIo(object) };
    assert_eq!(post_recv(&a, &first), Err(WSA_IO_PENDING));
    // SAFETY: no memory is passed.
    unsafe { WaitForThreadpoolIoCallbacks(object, 1) };
    send_all(&b, b"1");
    assert!(comes_true(|| first.status() != STATUS_PENDING));
    pause();
    assert_eq!(stage.calls(), 0);
    // The next one is called for.
    // SAFETY: no memory is passed.
    unsafe { StartThreadpoolIo(object) };
    let _ = post_recv(&a, &second);
    send_all(&b, b"2");
    // SAFETY: no memory is passed.
    unsafe {
        WaitForThreadpoolIoCallbacks(object, 0);
        CloseThreadpoolIo(object);
    }
    assert_eq!((stage.calls(), told(first.ptr()), told(second.ptr())), (1, None, Some((0, 1))));
}

/// The way to end: cancel the operations, wait for their callbacks, close.
#[test]
fn r160_cancelled_operations_call_too() {
    let (a, _b) = tcp_pair();
    let stage = Stage::new();
    let object = make_io(&a, &stage);
    let op = self::op(4);
    // SAFETY: no memory is passed.
    unsafe { StartThreadpoolIo(object) };
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    // SAFETY: NULL: all of them.
    assert_ne!(unsafe { CancelIoEx(*a as HANDLE, null()) }, 0);
    // SAFETY: no memory is passed.
    unsafe {
        WaitForThreadpoolIoCallbacks(object, 0);
        CloseThreadpoolIo(object);
    }
    assert_eq!((stage.calls(), told(op.ptr())), (1, Some((995, 0))));
}

/// An echo server that has nothing but callbacks.
#[test]
fn r160_an_io_object_serves() {
    let (a, b) = tcp_pair();
    let stage = Stage::new();
    let object = make_io(&a, &stage);
    for round in 0..200u32 {
        let op = self::op(8);
        // SAFETY: no memory is passed.
        unsafe { StartThreadpoolIo(object) };
        let _ = post_recv(&a, &op);
        send_all(&b, &round.to_le_bytes());
        assert!(comes_true(|| told(op.ptr()) == Some((0, 4))));
        assert_eq!(&op.data()[..4], round.to_le_bytes());
    }
    // SAFETY: no memory is passed.
    unsafe {
        WaitForThreadpoolIoCallbacks(object, 0);
        CloseThreadpoolIo(object);
        SetEvent(*stage.gate);
    }
    assert_eq!(stage.calls(), 200);
}
