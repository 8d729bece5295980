//! Section G, threads that others end.

use std::ffi::c_void;
use std::mem::zeroed;
use std::ptr::{null, null_mut, without_provenance};
use std::sync::atomic::{AtomicBool, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_OPERATION_ABORTED, HANDLE, WAIT_ABANDONED, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::{
    FD_SET, SOCKET, WSA_IO_PENDING, WSA_WAIT_TIMEOUT, WSAWaitForMultipleEvents, accept, recv,
    select,
};
use winsock_sys::Win32::System::IO::{GetQueuedCompletionStatus, GetQueuedCompletionStatusEx};
use winsock_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateMutexW, CreateThread, FlsAlloc, FlsSetValue, GetCurrentThread,
    GetExitCodeThread, INFINITE, ResumeThread, Sleep, SleepEx, TerminateThread,
    WaitForMultipleObjects, WaitForSingleObject,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::{GetMessageW, MsgWaitForMultipleObjects};

type Routine = unsafe extern "system" fn(*mut c_void) -> u32;

/// What the routines return, none of which should.
const WENT_ON: u32 = 0xbad;

/// The routines own nothing, so that they may be left anywhere.
fn start(routine: Routine, argument: usize, flags: u32) -> Handle {
    let argument = without_provenance(argument);
    // SAFETY: the routines of this file may be called with the numbers that they are given.
    Handle::of(unsafe { CreateThread(null(), 0, Some(routine), argument, flags, null_mut()) })
}

fn terminate(thread: HANDLE, code: u32) -> Result<(), u32> {
    // SAFETY: the routines of this file own nothing.
    bool_result(|| unsafe { TerminateThread(thread, code) })
}

#[track_caller]
fn expect_end(thread: &Handle, code: u32) {
    assert_eq!(wait(**thread, SOON), 0, "the thread has not ended");
    let mut exit_code = 0;
    // SAFETY: the place outlives the call.
    assert_ne!(unsafe { GetExitCodeThread(**thread, &mut exit_code) }, 0);
    assert_eq!(exit_code, code);
}

#[track_caller]
fn expect_end_in(routine: Routine, argument: usize) {
    let thread = start(routine, argument, 0);
    pause();
    assert_eq!(wait(*thread, 0), WAIT_TIMEOUT);
    assert_eq!(terminate(*thread, 7), Ok(()));
    expect_end(&thread, 7);
}

#[test]
fn r176_a_thread_ends_where_it_sleeps() {
    unsafe extern "system" fn sleep(_: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe { Sleep(INFINITE) };
        WENT_ON
    }
    unsafe extern "system" fn sleep_alertably(_: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe { SleepEx(INFINITE, 1) };
        WENT_ON
    }
    expect_end_in(sleep, 0);
    expect_end_in(sleep_alertably, 0);
}

#[test]
fn r176_a_thread_ends_where_it_waits_for_events() {
    unsafe extern "system" fn wait_for_one(event: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe { WaitForSingleObject(event, INFINITE) };
        WENT_ON
    }
    unsafe extern "system" fn wait_for_all(event: *mut c_void) -> u32 {
        // SAFETY: the array outlives the call; the pseudo-handle will not be set while it waits.
        unsafe { WaitForMultipleObjects(2, [event, GetCurrentThread()].as_ptr(), 1, INFINITE) };
        WENT_ON
    }
    unsafe extern "system" fn wait_for_wsa(event: *mut c_void) -> u32 {
        // SAFETY: the array outlives the call.
        let waited = unsafe { WSAWaitForMultipleEvents(1, &event, 0, INFINITE, 0) };
        if waited == WSA_WAIT_TIMEOUT { 1 } else { WENT_ON }
    }
    unsafe extern "system" fn wait_for_messages(event: *mut c_void) -> u32 {
        // SAFETY: the array outlives the call.
        unsafe { MsgWaitForMultipleObjects(1, &event, 0, INFINITE, 0xff) };
        WENT_ON
    }
    let event = Event::auto_reset();
    for routine in [wait_for_one as Routine, wait_for_all, wait_for_wsa, wait_for_messages] {
        expect_end_in(routine, event.addr());
    }
    event.set();
    assert!(event.is_set(), "nobody waits for it any more");
}

#[test]
fn r176_a_thread_ends_where_it_waits_for_packets() {
    unsafe extern "system" fn take_one(port: *mut c_void) -> u32 {
        let (mut bytes, mut key, mut overlapped) = (0, 0, null_mut());
        // SAFETY: the places outlive the call.
        unsafe {
            GetQueuedCompletionStatus(port, &mut bytes, &mut key, &mut overlapped, INFINITE);
        }
        WENT_ON
    }
    unsafe extern "system" fn take_some(port: *mut c_void) -> u32 {
        // SAFETY: all zeroes is a valid entry; the places outlive the call.
        unsafe {
            let (mut entries, mut removed) = ([zeroed(); 4], 0);
            let at = entries.as_mut_ptr();
            GetQueuedCompletionStatusEx(port, at, 4, &mut removed, INFINITE, 1);
        }
        WENT_ON
    }
    let port = port();
    expect_end_in(take_one, port.addr());
    expect_end_in(take_some, port.addr());
    post_key(&port, 5);
    assert_eq!(dequeue(*port, 0).key, 5, "nobody has taken it to the grave");
}

#[test]
fn r176_a_thread_ends_in_a_blocking_call_and_its_socket_is_free() {
    unsafe extern "system" fn take_client(listener: *mut c_void) -> u32 {
        // SAFETY: no address is asked for.
        unsafe { accept(listener.addr() as SOCKET, null_mut(), null_mut()) };
        WENT_ON
    }
    unsafe extern "system" fn receive(socket: *mut c_void) -> u32 {
        let mut byte = 0u8;
        // SAFETY: the byte outlives the call.
        unsafe { recv(socket.addr() as SOCKET, &mut byte, 1, 0) };
        WENT_ON
    }
    unsafe extern "system" fn choose(socket: *mut c_void) -> u32 {
        let mut set = FD_SET { fd_count: 1, fd_array: [socket.addr() as SOCKET; 64] };
        // SAFETY: the set outlives the call.
        unsafe { select(0, &mut set, null_mut(), null_mut(), null()) };
        WENT_ON
    }
    init();
    let (listener, addr) = listener();
    expect_end_in(take_client, *listener);
    let client = connect_to(&addr);
    let server = accept_one(&listener);
    expect_end_in(receive, *server);
    expect_end_in(choose, *server);
    send_all(&client, b"still here");
    assert_eq!(recv_exactly(&server, 10), b"still here");
    server.close().unwrap();
    assert_eq!(recv_some(&client), Ok(Vec::new()), "nobody holds the connection");
    listener.close().unwrap();
    bind_to(&tcp_socket(), &addr);
}

#[test]
fn r176_a_thread_ends_where_it_waits_for_a_message() {
    unsafe extern "system" fn get_message(_: *mut c_void) -> u32 {
        // SAFETY: all zeroes is a valid MSG; the place outlives the call.
        unsafe { GetMessageW(&mut zeroed(), null_mut(), 0, 0) };
        WENT_ON
    }
    expect_end_in(get_message, 0);
}

#[test]
fn r176_a_thread_that_was_never_resumed_does_not_begin() {
    unsafe extern "system" fn set(event: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe { winsock_sys::Win32::System::Threading::SetEvent(event) };
        WENT_ON
    }
    let event = Event::auto_reset();
    let thread = start(set, event.addr(), CREATE_SUSPENDED);
    assert_eq!(terminate(*thread, 3), Ok(()));
    // SAFETY: no memory is passed.
    unsafe { ResumeThread(*thread) };
    expect_end(&thread, 3);
    assert!(!event.is_set());
}

#[test]
fn r176_a_thread_may_end_itself() {
    unsafe extern "system" fn end(_: *mut c_void) -> u32 {
        // SAFETY: the frame owns nothing.
        unsafe { TerminateThread(GetCurrentThread(), 11) };
        WENT_ON
    }
    expect_end(&start(end, 0, 0), 11);
}

#[test]
fn r176_its_mutexes_are_abandoned_and_its_operations_cancelled() {
    struct Legacy {
        mutex: HANDLE,
        socket: SOCKET,
        op: Op,
        ready: Event,
    }
    unsafe extern "system" fn leave(legacy: *mut c_void) -> u32 {
        // SAFETY: the test passes a Legacy and keeps it until the thread has ended.
        let legacy = unsafe { &*legacy.cast::<Legacy>() };
        assert_eq!(wait(legacy.mutex, SOON), 0);
        let socket = std::mem::ManuallyDrop::new(Socket::own(legacy.socket));
        assert_eq!(post_recv(&socket, &legacy.op), Err(WSA_IO_PENDING));
        legacy.ready.set();
        // SAFETY: no memory is passed.
        unsafe { Sleep(INFINITE) };
        WENT_ON
    }
    let (socket, _peer) = tcp_pair();
    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 0, null()) });
    let event = Event::manual_reset();
    let (op, ready) = (Op::with_event(16, &event), Event::manual_reset());
    let legacy = Legacy { mutex: *mutex, socket: *socket, op, ready };
    // SAFETY: the thread ends before `legacy` does.
    let thread = Handle::of(unsafe {
        CreateThread(null(), 0, Some(leave), (&raw const legacy).cast(), 0, null_mut())
    });
    assert!(legacy.ready.is_set_within(SOON));
    assert_eq!(terminate(*thread, 1), Ok(()));
    expect_end(&thread, 1);
    assert_eq!(wait(*mutex, SOON), WAIT_ABANDONED);
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&socket, &legacy.op, false), Err(ERROR_OPERATION_ABORTED));
}

#[test]
fn r176_what_is_called_as_the_thread_ends_may_wait() {
    static CALLED: AtomicBool = AtomicBool::new(false);
    unsafe extern "system" fn call(_: *const c_void) {
        // SAFETY: no memory is passed.
        unsafe { Sleep(1) };
        CALLED.store(true, Ordering::SeqCst);
    }
    unsafe extern "system" fn sleep(index: *mut c_void) -> u32 {
        // SAFETY: the callback does not follow the value.
        unsafe {
            FlsSetValue(index.addr() as u32, without_provenance(1));
            Sleep(INFINITE);
        }
        WENT_ON
    }
    // SAFETY: the callback takes any value.
    let index = unsafe { FlsAlloc(Some(call)) };
    expect_end_in(sleep, index as usize);
    // Windows calls nothing then.
    assert_eq!(CALLED.load(Ordering::SeqCst), cfg!(target_os = "linux"));
}

#[test]
fn r176_a_thread_that_has_ended_is_left_alone() {
    unsafe extern "system" fn answer(_: *mut c_void) -> u32 {
        42
    }
    let thread = start(answer, 0, 0);
    expect_end(&thread, 42);
    assert_eq!(terminate(*thread, 1), Ok(()));
    // Wine writes the new code over the old one.
    may_differ_on_wine(|| expect_end(&thread, 42));
    assert_eq!(terminate(null_mut(), 1), Err(ERROR_INVALID_HANDLE));
    assert_eq!(terminate(*Event::auto_reset(), 1), Err(ERROR_INVALID_HANDLE));
}

#[test]
fn r176_many_threads_end_at_whatever_they_are() {
    unsafe extern "system" fn wait_and_wait(event: *mut c_void) -> u32 {
        loop {
            // SAFETY: no memory is passed.
            unsafe { WaitForSingleObject(event, 1) };
        }
    }
    if !cfg!(target_os = "linux") {
        return; // Windows ends a thread amid its code, with the heap's lock in its hands.
    }
    let event = Event::auto_reset();
    for _ in 0..20 {
        let threads = [0; 8].map(|_| start(wait_and_wait, event.addr(), 0));
        event.set();
        for thread in &threads {
            assert_eq!(terminate(**thread, 9), Ok(()));
            event.set();
        }
        threads.iter().for_each(|thread| expect_end(thread, 9));
    }
}
