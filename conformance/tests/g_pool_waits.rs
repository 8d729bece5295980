//! Section G, thread pools: what calls by itself. Timers and waits of a pool, registered waits,
//! timer queues.

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FILETIME, HANDLE, INVALID_HANDLE_VALUE,
    WAIT_ABANDONED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{
    ChangeTimerQueueTimer, CloseThreadpoolTimer, CloseThreadpoolWait, CreateMutexW,
    CreateThreadpoolTimer, CreateThreadpoolWait, CreateTimerQueue, CreateTimerQueueTimer,
    DeleteTimerQueueEx, DeleteTimerQueueTimer, ExitThread, INFINITE, IsThreadpoolTimerSet,
    PTP_CALLBACK_INSTANCE, PTP_TIMER, PTP_WAIT, RegisterWaitForSingleObject, SetThreadpoolTimer,
    SetThreadpoolWait, UnregisterWait, UnregisterWaitEx, WORKER_THREAD_FLAGS, WT_EXECUTEDEFAULT,
    WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE, WaitForThreadpoolTimerCallbacks,
    WaitForThreadpoolWaitCallbacks,
};

/// What callbacks count, at a place that does not move.
#[derive(Default)]
struct Count {
    signalled: AtomicU32,
    timed_out: AtomicU32,
}

impl Count {
    /// Never freed: a callback that comes too late fails its test and harms nothing else.
    fn new() -> &'static Count {
        static ALL: Mutex<Vec<&Count>> = Mutex::new(Vec::new());
        init();
        let count: &Count = Box::leak(Box::default());
        ALL.lock().unwrap().push(count); // What is within reach is no leak.
        count
    }

    fn context(&'static self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    fn note(context: *mut c_void, timed_out: bool) {
        // SAFETY: `context` is that of a Count, none of which is ever freed.
        let count = unsafe { &*context.cast::<Count>() };
        let counter = if timed_out { &count.timed_out } else { &count.signalled };
        counter.fetch_add(1, Ordering::SeqCst);
    }

    fn signalled(&self) -> u32 {
        self.signalled.load(Ordering::SeqCst)
    }

    fn timed_out(&self) -> u32 {
        self.timed_out.load(Ordering::SeqCst)
    }
}

unsafe extern "system" fn on_timer(_: PTP_CALLBACK_INSTANCE, context: *mut c_void, _: PTP_TIMER) {
    Count::note(context, true);
}

unsafe extern "system" fn on_wait(
    _: PTP_CALLBACK_INSTANCE,
    context: *mut c_void,
    _: PTP_WAIT,
    result: u32,
) {
    assert!(result == WAIT_OBJECT_0 || result == WAIT_TIMEOUT);
    Count::note(context, result == WAIT_TIMEOUT);
}

unsafe extern "system" fn on_registered(context: *mut c_void, timed_out: bool) {
    Count::note(context, timed_out);
}

/// So many milliseconds from now, as a FILETIME.
fn from_now(ms: i64) -> FILETIME {
    let ticks = -ms * 10_000;
    FILETIME { dwLowDateTime: ticks as u32, dwHighDateTime: (ticks >> 32) as u32 }
}

fn pool_timer(count: &'static Count) -> PTP_TIMER {
    // SAFETY: the context is never freed.
    let timer = unsafe { CreateThreadpoolTimer(Some(on_timer), count.context(), null()) };
    assert_ne!(timer, 0);
    timer
}

fn pool_wait(count: &'static Count) -> PTP_WAIT {
    // SAFETY: the context is never freed.
    let wait = unsafe { CreateThreadpoolWait(Some(on_wait), count.context(), null()) };
    assert_ne!(wait, 0);
    wait
}

#[test]
fn r158_a_timer_calls_once_when_it_is_due() {
    let count = Count::new();
    let timer = pool_timer(count);
    // SAFETY: the time lives through the call.
    unsafe {
        assert_eq!(IsThreadpoolTimerSet(timer), 0);
        SetThreadpoolTimer(timer, &from_now(1), 0, 0);
        assert!(comes_true(|| count.timed_out() == 1));
        pause();
        assert_eq!(count.timed_out(), 1);
        WaitForThreadpoolTimerCallbacks(timer, 0);
        CloseThreadpoolTimer(timer);
    }
}

#[test]
fn r158_a_timer_with_a_period_calls_until_it_is_stopped() {
    let count = Count::new();
    let timer = pool_timer(count);
    // SAFETY: the time lives through the call.
    unsafe {
        SetThreadpoolTimer(timer, &from_now(0), 1, 0);
        assert_ne!(IsThreadpoolTimerSet(timer), 0);
        assert!(comes_true(|| count.timed_out() >= 5));
        SetThreadpoolTimer(timer, null(), 0, 0);
        assert_eq!(IsThreadpoolTimerSet(timer), 0);
        WaitForThreadpoolTimerCallbacks(timer, 1);
        let so_far = count.timed_out();
        pause();
        assert_eq!(count.timed_out(), so_far);
        CloseThreadpoolTimer(timer);
    }
}

#[test]
fn r158_a_timer_set_anew_forgets_what_it_was_set_to() {
    let count = Count::new();
    let timer = pool_timer(count);
    // SAFETY: the times live through the calls.
    unsafe {
        SetThreadpoolTimer(timer, &from_now(3_600_000), 0, 0);
        SetThreadpoolTimer(timer, &from_now(1), 0, 0);
        assert!(comes_true(|| count.timed_out() == 1));
        SetThreadpoolTimer(timer, &from_now(3_600_000), 0, 0);
        SetThreadpoolTimer(timer, null(), 0, 0);
        WaitForThreadpoolTimerCallbacks(timer, 1);
        CloseThreadpoolTimer(timer);
        assert_eq!(count.timed_out(), 1);
    }
}

#[test]
fn r159_a_wait_calls_once_and_takes_its_object() {
    let count = Count::new();
    let (wait_object, event) = (pool_wait(count), Event::auto_reset());
    // SAFETY: no memory is passed.
    unsafe { SetThreadpoolWait(wait_object, *event, null()) };
    event.set();
    assert!(comes_true(|| count.signalled() == 1));
    assert!(!event.is_set(), "taken");
    event.set();
    pause();
    assert_eq!((count.signalled(), count.timed_out()), (1, 0), "it has to be set again");
    // SAFETY: no memory is passed.
    unsafe {
        SetThreadpoolWait(wait_object, *event, null());
        assert!(comes_true(|| count.signalled() == 2));
        WaitForThreadpoolWaitCallbacks(wait_object, 0);
        CloseThreadpoolWait(wait_object);
    }
}

#[test]
fn r159_a_wait_calls_when_its_time_is_up() {
    let count = Count::new();
    let (wait_object, event) = (pool_wait(count), Event::auto_reset());
    // SAFETY: the time lives through the call.
    unsafe {
        SetThreadpoolWait(wait_object, *event, &from_now(1));
        assert!(comes_true(|| count.timed_out() == 1));
        event.set();
        pause();
        assert_eq!((count.signalled(), count.timed_out()), (0, 1));
        WaitForThreadpoolWaitCallbacks(wait_object, 0);
        CloseThreadpoolWait(wait_object);
    }
}

#[test]
fn r159_a_wait_that_is_ended_takes_nothing() {
    let count = Count::new();
    let (wait_object, event) = (pool_wait(count), Event::auto_reset());
    // SAFETY: NULL ends the wait.
    unsafe {
        SetThreadpoolWait(wait_object, *event, null());
        SetThreadpoolWait(wait_object, null_mut(), null());
        event.set();
        pause();
        assert!(event.is_set());
        WaitForThreadpoolWaitCallbacks(wait_object, 1);
        CloseThreadpoolWait(wait_object);
    }
    assert_eq!(count.signalled(), 0);
}

/// One wait thread has room for 63: these need several.
#[test]
fn r159_many_waits_each_hear_of_their_own() {
    let counts: Vec<_> = (0..150).map(|_| Count::new()).collect();
    let events: Vec<_> = (0..150).map(|_| Event::auto_reset()).collect();
    let waits: Vec<_> = counts.iter().map(|count| pool_wait(count)).collect();
    for (wait_object, event) in waits.iter().zip(&events) {
        // SAFETY: no memory is passed.
        unsafe { SetThreadpoolWait(*wait_object, **event, null()) };
    }
    for event in events.iter().step_by(3) {
        event.set();
    }
    let due = |number: usize| u32::from(number.is_multiple_of(3));
    assert!(comes_true(|| counts.iter().step_by(3).all(|count| count.signalled() == 1)));
    for (number, wait_object) in waits.into_iter().enumerate() {
        // SAFETY: NULL ends the wait.
        unsafe {
            SetThreadpoolWait(wait_object, null_mut(), null());
            WaitForThreadpoolWaitCallbacks(wait_object, 1);
            CloseThreadpoolWait(wait_object);
        }
        assert_eq!(counts[number].signalled(), due(number));
    }
}

fn register(
    count: &'static Count,
    object: HANDLE,
    timeout_ms: u32,
    flags: WORKER_THREAD_FLAGS,
) -> Result<HANDLE, u32> {
    let mut registered = null_mut();
    let context = count.context();
    // SAFETY: the place lives through the call, the context for ever.
    let done = unsafe {
        RegisterWaitForSingleObject(
            &mut registered,
            object,
            Some(on_registered),
            context,
            timeout_ms,
            flags,
        )
    };
    if done == 0 { Err(last_error()) } else { Ok(registered) }
}

/// Ends a registered wait and waits for its callbacks.
fn unregister(registered: HANDLE) {
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { UnregisterWaitEx(registered, INVALID_HANDLE_VALUE) }, 0);
}

#[test]
fn r162_it_calls_each_time() {
    for flags in [WT_EXECUTEDEFAULT, WT_EXECUTEINWAITTHREAD] {
        let (count, event) = (Count::new(), Event::auto_reset());
        let registered = register(count, *event, INFINITE, flags).unwrap();
        for calls in 1..=3 {
            event.set();
            assert!(comes_true(|| count.signalled() == calls));
        }
        unregister(registered);
        event.set();
        pause();
        assert_eq!((count.signalled(), count.timed_out()), (3, 0));
        assert!(event.is_set());
    }
}

/// Whoever waits for a mutex has a thread of its own, and that ends.
#[test]
#[cfg_attr(windows, ignore = "Windows forbids it")]
fn r162_exitthread_in_a_callback_that_owns_a_mutex() {
    unsafe extern "system" fn exit(context: *mut c_void, timed_out: bool) {
        Count::note(context, timed_out);
        // SAFETY: the frames between own nothing.
        unsafe { ExitThread(0) };
    }

    let count = Count::new();
    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 0, null()) });
    let mut registered = null_mut();
    let (context, flags) = (count.context(), WT_EXECUTEONLYONCE);
    // SAFETY: the place lives through the call, the context for ever.
    let done = unsafe {
        let (mutex, routine) = (*mutex, Some(exit as _));
        RegisterWaitForSingleObject(&mut registered, mutex, routine, context, INFINITE, flags)
    };
    assert_ne!(done, 0);
    assert!(comes_true(|| count.signalled() == 1));
    assert_eq!(wait(*mutex, SOON), WAIT_ABANDONED);
    unregister(registered);
}

#[test]
fn r162_it_calls_once_if_asked() {
    let (count, event) = (Count::new(), Event::manual_reset());
    event.set();
    let registered = register(count, *event, INFINITE, WT_EXECUTEONLYONCE).unwrap();
    assert!(comes_true(|| count.signalled() == 1));
    pause();
    assert_eq!(count.signalled(), 1);
    unregister(registered);
}

#[test]
fn r162_it_calls_whenever_its_time_is_up() {
    let (count, event) = (Count::new(), Event::manual_reset());
    let registered = register(count, *event, 1, WT_EXECUTEDEFAULT).unwrap();
    assert!(comes_true(|| count.timed_out() >= 3));
    unregister(registered);
    let so_far = count.timed_out();
    pause();
    assert_eq!((count.signalled(), count.timed_out()), (0, so_far));
}

#[test]
fn r162_unregistering_can_set_an_event() {
    let (count, event, over) = (Count::new(), Event::auto_reset(), Event::manual_reset());
    let registered = register(count, *event, INFINITE, WT_EXECUTEDEFAULT).unwrap();
    // SAFETY: no memory is passed. Whether it is over already is of no account.
    unsafe { UnregisterWaitEx(registered, *over) };
    assert!(over.is_set_within(SOON));
    let registered = register(count, *event, INFINITE, WT_EXECUTEDEFAULT).unwrap();
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { UnregisterWait(registered) }, 0);
    assert_eq!(count.signalled(), 0);
}

#[test]
fn r162_bad_handles_are_refused() {
    let count = Count::new();
    // Wine 8.0 finds out later, on the thread that is to wait.
    differs_on_wine(|| {
        let registered = register(count, null_mut(), 0, WT_EXECUTEDEFAULT);
        assert_eq!(registered, Err(ERROR_INVALID_HANDLE));
    });
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { UnregisterWait(null_mut()) }, 0);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
}

fn queue_timer(queue: HANDLE, count: &'static Count, due_ms: u32, period_ms: u32) -> HANDLE {
    let mut timer = null_mut();
    let context = count.context();
    // SAFETY: the place lives through the call, the context for ever.
    let made = unsafe {
        CreateTimerQueueTimer(
            &mut timer,
            queue,
            Some(on_registered),
            context,
            due_ms,
            period_ms,
            WT_EXECUTEDEFAULT,
        )
    };
    assert_ne!(made, 0, "{}", last_error());
    timer
}

fn delete_timer(queue: HANDLE, timer: HANDLE) {
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { DeleteTimerQueueTimer(queue, timer, INVALID_HANDLE_VALUE) }, 0);
}

#[test]
fn r163_timers_call_once_or_again_and_again() {
    let (once, often) = (Count::new(), Count::new());
    // SAFETY: no memory is passed.
    let queue = unsafe { CreateTimerQueue() };
    assert!(!queue.is_null());
    let first = queue_timer(queue, once, 1, 0);
    let second = queue_timer(queue, often, 0, 1);
    assert!(comes_true(|| once.timed_out() == 1 && often.timed_out() >= 5));
    delete_timer(queue, second);
    let so_far = often.timed_out();
    pause();
    assert_eq!((once.timed_out(), often.timed_out()), (1, so_far));
    delete_timer(queue, first);
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE) }, 0);
}

#[test]
fn r163_the_queue_takes_its_timers_with_it() {
    let count = Count::new();
    // SAFETY: no memory is passed.
    let queue = unsafe { CreateTimerQueue() };
    for _ in 0..20 {
        queue_timer(queue, count, 0, 1);
    }
    assert!(comes_true(|| count.timed_out() >= 20));
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { DeleteTimerQueueEx(queue, INVALID_HANDLE_VALUE) }, 0);
    let so_far = count.timed_out();
    pause();
    assert_eq!(count.timed_out(), so_far);
}

#[test]
fn r163_a_timer_of_the_default_queue_can_be_changed() {
    let count = Count::new();
    let timer = queue_timer(null_mut(), count, 3_600_000, 0);
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { ChangeTimerQueueTimer(null_mut(), timer, 1, 0) }, 0);
    assert!(comes_true(|| count.timed_out() == 1));
    delete_timer(null_mut(), timer);
}

#[test]
fn r163_no_timer_cannot_be_deleted() {
    init();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { DeleteTimerQueueTimer(null_mut(), null_mut(), null_mut()) }, 0);
    assert!([ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER].contains(&last_error()));
}
