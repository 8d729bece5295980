//! Section G, threads: how they begin, what they are called, and how they end.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    DuplicateHandle, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NOT_SUPPORTED, ERROR_THREAD_MODE_ALREADY_BACKGROUND, ERROR_THREAD_MODE_NOT_BACKGROUND,
    HANDLE, STILL_ACTIVE, WAIT_ABANDONED, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateMutexW, CreateThread, ExitThread, GetCurrentProcess, GetCurrentThread,
    GetCurrentThreadId, GetExitCodeThread, GetThreadId, GetThreadPriority, LPTHREAD_START_ROUTINE,
    OpenThread, QueueUserAPC, ResumeThread, SetEvent, SetThreadPriority, SleepEx, SuspendThread,
    SwitchToThread, THREAD_ALL_ACCESS, THREAD_MODE_BACKGROUND_BEGIN, THREAD_MODE_BACKGROUND_END,
    THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_IDLE, THREAD_PRIORITY_LOWEST, WaitForSingleObject,
};

type Routine = unsafe extern "system" fn(*mut c_void) -> u32;

/// A thread, and its number.
fn start(routine: Routine, argument: usize, flags: u32) -> (Handle, u32) {
    let (routine, mut id): (LPTHREAD_START_ROUTINE, _) = (Some(routine), 0);
    let argument = argument as *const c_void;
    // SAFETY: the routines of this file may be called with the numbers that they are given.
    let raw = unsafe { CreateThread(null(), 0, routine, argument, flags, &mut id) };
    (Handle::of(raw), id)
}

fn exit_code(thread: HANDLE) -> u32 {
    let mut code = 0;
    // SAFETY: the place outlives the call.
    assert_ne!(unsafe { GetExitCodeThread(thread, &mut code) }, 0);
    code
}

fn resume(thread: HANDLE) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { ResumeThread(thread) }
}

fn suspend(thread: HANDLE) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SuspendThread(thread) }
}

// How they end. The routines own nothing, so that ExitThread may leave them.

#[inline(never)]
fn exit_at_depth(depth: u32, code: u32) -> u32 {
    if depth == 0 {
        // SAFETY: these frames own nothing.
        unsafe { ExitThread(code) };
    }
    std::hint::black_box(exit_at_depth(depth - 1, code)) + 1
}

unsafe extern "system" fn exit_deep(code: *mut c_void) -> u32 {
    exit_at_depth(20, code as u32);
    0xbad
}

unsafe extern "system" fn answer(code: *mut c_void) -> u32 {
    code as u32
}

unsafe extern "system" fn wait_for(event: *mut c_void) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { WaitForSingleObject(event, SOON) }
}

#[test]
fn r156_a_thread_ends_with_what_its_routine_returns_or_says() {
    for routine in [answer as Routine, exit_deep] {
        let (thread, _) = start(routine, 0x1234_5678, 0);
        assert_eq!(wait(*thread, SOON), 0);
        assert_eq!(exit_code(*thread), 0x1234_5678);
        // It has ended for good.
        assert_eq!(wait(*thread, 0), 0);
    }
}

#[test]
fn r156_a_thread_that_runs_is_still_active() {
    let event = Event::auto_reset();
    let (thread, _) = start(wait_for, *event as usize, 0);
    assert_eq!(exit_code(*thread), STILL_ACTIVE as u32);
    assert_eq!(wait(*thread, 0), WAIT_TIMEOUT);
    event.set();
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!(exit_code(*thread), 0);
}

#[test]
fn r156_many_threads_exit_again_and_again() {
    for round in 0..20 {
        let threads: Vec<_> = (0..10).map(|at| start(exit_deep, round * 10 + at + 1, 0)).collect();
        for (at, (thread, _)) in threads.iter().enumerate() {
            assert_eq!(wait(**thread, SOON), 0);
            assert_eq!(exit_code(**thread) as usize, round * 10 + at + 1);
        }
    }
}

#[test]
fn r156_exitthread_drops_the_threads_own_variables() {
    static DROPPED: AtomicU32 = AtomicU32::new(0);
    struct Noisy(Cell<u32>);
    impl Drop for Noisy {
        fn drop(&mut self) {
            DROPPED.fetch_add(self.0.get(), Ordering::SeqCst);
        }
    }
    thread_local! { static NOISY: Noisy = const { Noisy(Cell::new(0)) } }

    unsafe extern "system" fn exit(value: *mut c_void) -> u32 {
        NOISY.with(|noisy| noisy.0.set(value as u32));
        exit_at_depth(3, 0)
    }

    let (thread, _) = start(exit, 42, 0);
    assert_eq!(wait(*thread, SOON), 0);
    assert!(comes_true(|| DROPPED.load(Ordering::SeqCst) == 42));
}

#[test]
fn r156_exitthread_abandons_mutexes() {
    unsafe extern "system" fn take(mutex: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe { WaitForSingleObject(mutex, SOON) };
        exit_at_depth(3, 0)
    }

    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 0, null()) });
    let (thread, _) = start(take, *mutex as usize, 0);
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!(wait(*mutex, 0), WAIT_ABANDONED);
}

#[test]
fn r048_exitthread_cancels_what_the_thread_has_issued() {
    static SOCKET: AtomicUsize = AtomicUsize::new(0);
    unsafe extern "system" fn receive(op: *mut c_void) -> u32 {
        // SAFETY: the test passes an operation that it keeps.
        let op = unsafe { &*op.cast::<Op>() };
        let socket = std::mem::ManuallyDrop::new(Socket::own(SOCKET.load(Ordering::SeqCst)));
        assert_eq!(post_recv(&socket, op), Err(WSA_IO_PENDING));
        exit_at_depth(3, 0)
    }

    let (a, _b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    SOCKET.store(*a, Ordering::SeqCst);
    let (thread, _) = start(receive, (&raw const op).expose_provenance(), 0);
    assert_eq!(wait(*thread, SOON), 0);
    assert!(event.is_set_within(SOON));
    assert!(win32_result(&a, &op, false).is_err());
}

#[test]
fn r156_exitthread_from_an_apc_ends_the_thread() {
    unsafe extern "system" fn sleep(_argument: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        while unsafe { SleepEx(SOON, 1) } != 0 {}
        0xbad
    }
    unsafe extern "system" fn exit(code: usize) {
        exit_at_depth(0, code as u32);
    }

    let (thread, _) = start(sleep, 0, 0);
    // SAFETY: `exit` may be called with any number.
    assert_ne!(unsafe { QueueUserAPC(Some(exit), *thread, 77) }, 0);
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!(exit_code(*thread), 77);
}

// How they begin.

unsafe extern "system" fn set_and_answer(event: *mut c_void) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SetEvent(event) };
    5
}

#[test]
fn r156_a_suspended_thread_begins_when_it_is_resumed() {
    let event = Event::manual_reset();
    let (thread, _) = start(set_and_answer, *event as usize, CREATE_SUSPENDED);
    assert!(!event.is_set_within(NEVER));
    assert_eq!(exit_code(*thread), STILL_ACTIVE as u32);
    assert_eq!(resume(*thread), 1);
    assert_eq!(wait(*thread, SOON), 0);
    assert!(event.is_set());
    assert_eq!(resume(*thread), 0);
}

#[test]
fn r156_suspensions_are_counted() {
    let event = Event::manual_reset();
    let (thread, _) = start(set_and_answer, *event as usize, CREATE_SUSPENDED);
    assert_eq!(suspend(*thread), 1);
    assert_eq!(suspend(*thread), 2);
    assert_eq!((resume(*thread), resume(*thread)), (3, 2));
    assert!(!event.is_set_within(NEVER));
    assert_eq!(resume(*thread), 1);
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!((exit_code(*thread), resume(*thread)), (5, 0));
    assert_eq!((suspend(*thread), last_error()), (u32::MAX, ERROR_ACCESS_DENIED));
}

#[test]
fn r156_a_thread_suspends_itself() {
    unsafe extern "system" fn suspend_twice(event: *mut c_void) -> u32 {
        // SAFETY: no memory is passed.
        unsafe {
            let first = SuspendThread(GetCurrentThread());
            SetEvent(event);
            first + SuspendThread(GetCurrentThread())
        }
    }

    let event = Event::manual_reset();
    let (thread, _) = start(suspend_twice, *event as usize, 0);
    assert!(!event.is_set_within(NEVER));
    assert!(comes_true(|| resume(*thread) == 1));
    assert!(event.is_set_within(SOON));
    assert!(comes_true(|| resume(*thread) == 1));
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!(exit_code(*thread), 0);
}

/// The one thing that Windows does to a running thread and this library does not.
#[test]
#[cfg_attr(windows, ignore = "Windows does it")]
fn r156_a_running_thread_is_not_stopped_from_outside() {
    let event = Event::auto_reset();
    let (thread, _) = start(wait_for, *event as usize, 0);
    pause();
    assert_eq!((suspend(*thread), last_error()), (u32::MAX, ERROR_NOT_SUPPORTED));
    event.set();
    assert_eq!(wait(*thread, SOON), 0);
}

#[test]
fn r156_calls_queued_before_it_begins_come_first() {
    static STEPS: AtomicU32 = AtomicU32::new(0);
    unsafe extern "system" fn note(_argument: *mut c_void) -> u32 {
        STEPS.swap(STEPS.load(Ordering::SeqCst) * 10 + 3, Ordering::SeqCst)
    }

    let (thread, _) = start(note, 0, CREATE_SUSPENDED);
    for step in [1, 2] {
        let call = move || {
            STEPS.store(STEPS.load(Ordering::SeqCst) * 10 + step, Ordering::SeqCst);
        };
        queue_apc(*thread, call).expect("it has not ended");
    }
    assert_eq!(STEPS.load(Ordering::SeqCst), 0);
    assert_eq!(resume(*thread), 1);
    assert_eq!(wait(*thread, SOON), 0);
    assert_eq!(STEPS.load(Ordering::SeqCst), 123);
}

// What they are called.

unsafe extern "system" fn own_number(_argument: *mut c_void) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { GetCurrentThreadId() }
}

#[test]
fn r156_a_thread_has_a_number() {
    let (thread, id) = start(own_number, 0, 0);
    assert_eq!(wait(*thread, SOON), 0);
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!((exit_code(*thread), GetThreadId(*thread)), (id, id));
        assert_eq!(GetThreadId(GetCurrentThread()), GetCurrentThreadId());
        assert_eq!((GetThreadId(null_mut()), last_error()), (0, ERROR_INVALID_HANDLE));
    }
    let event = Event::auto_reset();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { GetThreadId(*event) }, 0);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
}

#[test]
fn r156_a_thread_is_opened_by_its_number() {
    let event = Event::auto_reset();
    let (thread, id) = start(wait_for, *event as usize, 0);
    // SAFETY: no memory is passed.
    let second = Handle::of(unsafe { OpenThread(THREAD_ALL_ACCESS, 0, id) });
    thread.close();
    assert_eq!(wait(*second, 0), WAIT_TIMEOUT);
    event.set();
    assert_eq!(wait(*second, SOON), 0);
    assert_eq!(exit_code(*second), 0);
    // SAFETY: no memory is passed.
    let error = refused(|| unsafe { OpenThread(THREAD_ALL_ACCESS, 0, 0xffff_fff0) });
    assert_eq!(error, ERROR_INVALID_PARAMETER);
}

#[test]
fn r156_a_copy_of_the_pseudo_handle_is_a_handle_of_the_thread() {
    let mut raw = null_mut();
    let id = std::thread::scope(|scope| {
        let copier = scope.spawn(|| {
            let mut copy = null_mut();
            // SAFETY: the place outlives the call; 2: the same access.
            unsafe {
                let (process, thread) = (GetCurrentProcess(), GetCurrentThread());
                assert_ne!(DuplicateHandle(process, thread, process, &mut copy, 0, 0, 2), 0);
                (copy as usize, GetCurrentThreadId())
            }
        });
        let (copy, id) = copier.join().expect("no panic");
        raw = copy as HANDLE;
        id
    });
    let copy = Handle::of(raw);
    assert_eq!(wait(*copy, SOON), 0);
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { GetThreadId(*copy) }, id);
}

#[test]
fn r156_the_pseudo_handles_can_be_waited_for() {
    // SAFETY: no memory is passed.
    let (thread, process) = unsafe { (GetCurrentThread(), GetCurrentProcess()) };
    assert_eq!((wait(thread, 0), wait(process, 0)), (WAIT_TIMEOUT, WAIT_TIMEOUT));
    let event = Event::manual_reset();
    event.set();
    assert_eq!(wait_any(&[thread, process, *event], 0), 2);
}

#[test]
fn r156_priorities_are_remembered() {
    let event = Event::auto_reset();
    let (thread, _) = start(wait_for, *event as usize, 0);
    // SAFETY: no memory is passed.
    let set = |priority| bool_result(|| unsafe { SetThreadPriority(*thread, priority) });
    // SAFETY: as above.
    let get = || unsafe { GetThreadPriority(*thread) };
    assert_eq!(get(), 0);
    for priority in [THREAD_PRIORITY_LOWEST, THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_IDLE, 0] {
        assert_eq!((set(priority), get()), (Ok(()), priority));
    }
    assert_eq!(set(100), Err(ERROR_INVALID_PARAMETER));
    event.set();
    assert_eq!(wait(*thread, SOON), 0);
    // SAFETY: as above.
    assert_eq!(unsafe { GetThreadPriority(*event) }, i32::MAX);
}

#[test]
fn r156_the_background_mode_begins_and_ends_once() {
    // SAFETY: no memory is passed.
    let set = |mode| bool_result(|| unsafe { SetThreadPriority(GetCurrentThread(), mode) });
    differs_on_wine(|| {
        let not_yet = set(THREAD_MODE_BACKGROUND_END);
        assert_eq!(not_yet, Err(ERROR_THREAD_MODE_NOT_BACKGROUND));
        assert_eq!(set(THREAD_MODE_BACKGROUND_BEGIN), Ok(()));
        let already = set(THREAD_MODE_BACKGROUND_BEGIN);
        assert_eq!(already, Err(ERROR_THREAD_MODE_ALREADY_BACKGROUND));
        assert_eq!(set(THREAD_MODE_BACKGROUND_END), Ok(()));
    });
}

#[test]
fn r156_switchtothread_comes_back() {
    for _ in 0..10 {
        // SAFETY: no memory is passed.
        let switched = unsafe { SwitchToThread() };
        assert!(switched == 0 || switched == 1);
    }
}
