//! Section G, waitable timers, and the time.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FILETIME, HANDLE, WAIT_IO_COMPLETION,
    WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};
use winsock_sys::Win32::System::SystemInformation::{
    GetSystemTimeAsFileTime, GetTickCount, GetTickCount64,
};
use winsock_sys::Win32::System::Threading::{
    CREATE_WAITABLE_TIMER_MANUAL_RESET, CancelWaitableTimer, CreateWaitableTimerExW,
    CreateWaitableTimerW, PTIMERAPCROUTINE, SetWaitableTimer, SetWaitableTimerEx, SleepEx,
    TIMER_ALL_ACCESS, WaitForSingleObjectEx,
};

/// Windows' unit, 100 ns, in a millisecond.
const MS: i64 = 10_000;

fn timer(manual_reset: bool) -> Handle {
    // SAFETY: no memory is passed.
    Handle::of(unsafe { CreateWaitableTimerW(null(), manual_reset.into(), null()) })
}

fn set(timer: HANDLE, due: i64, period_ms: i32) -> Result<(), u32> {
    // SAFETY: the time outlives the call.
    bool_result(|| unsafe { SetWaitableTimer(timer, &due, period_ms, None, null(), 0) })
}

fn set_with(timer: HANDLE, due: i64, period_ms: i32, argument: usize) {
    let routine: PTIMERAPCROUTINE = Some(note);
    let argument = argument as *const c_void;
    // SAFETY: `note` may be called with any argument.
    let set = unsafe { SetWaitableTimer(timer, &due, period_ms, routine, argument, 0) };
    assert_ne!(set, 0, "SetWaitableTimer: {}", last_error());
}

fn cancel(timer: HANDLE) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    bool_result(|| unsafe { CancelWaitableTimer(timer) })
}

thread_local! {
    /// What `note` was called with on this thread.
    static NOTED: RefCell<Vec<(usize, u64)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "system" fn note(argument: *const c_void, low: u32, high: u32) {
    let time = u64::from(high) << 32 | u64::from(low);
    NOTED.with_borrow_mut(|noted| noted.push((argument as usize, time)));
}

/// The arguments of the calls so far.
fn noted() -> Vec<usize> {
    NOTED.with_borrow(|noted| noted.iter().map(|(argument, _)| *argument).collect())
}

fn file_time() -> i64 {
    let mut time = FILETIME::default();
    // SAFETY: the place outlives the call.
    unsafe { GetSystemTimeAsFileTime(&mut time) };
    i64::from(time.dwHighDateTime) << 32 | i64::from(time.dwLowDateTime)
}

fn sleep_alertably(ms: u32) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SleepEx(ms, 1) }
}

#[test]
fn r152_a_timer_is_not_set_until_it_is_due() {
    let timer = timer(false);
    assert_eq!(wait(*timer, 0), WAIT_TIMEOUT);
    let start = Instant::now();
    assert_eq!(set(*timer, -1500 * MS, 0), Ok(()));
    assert_eq!(wait(*timer, 0), WAIT_TIMEOUT);
    assert_eq!(wait(*timer, SOON), 0);
    assert!(start.elapsed() >= Duration::from_millis(1480), "{:?}", start.elapsed());
    // Once, and one wait has taken it.
    assert_eq!(wait(*timer, NEVER), WAIT_TIMEOUT);
}

#[test]
fn r152_a_manual_reset_timer_stays_set_until_it_is_set_again() {
    // SAFETY: no memory is passed.
    let timer = Handle::of(unsafe {
        CreateWaitableTimerExW(null(), null(), CREATE_WAITABLE_TIMER_MANUAL_RESET, TIMER_ALL_ACCESS)
    });
    assert_eq!(set(*timer, -MS, 0), Ok(()));
    assert_eq!((wait(*timer, SOON), wait(*timer, 0)), (0, 0));
    assert_eq!(cancel(*timer), Ok(()));
    assert_eq!(wait(*timer, 0), 0);
    assert_eq!(set(*timer, -10_000 * MS, 0), Ok(()));
    assert_eq!(wait(*timer, 0), WAIT_TIMEOUT);
}

#[test]
fn r152_a_due_time_may_be_a_time_of_day() {
    let timer = timer(true);
    let start = Instant::now();
    assert_eq!(set(*timer, file_time() + 1500 * MS, 0), Ok(()));
    assert_eq!(wait(*timer, 0), WAIT_TIMEOUT);
    assert_eq!(wait(*timer, SOON), 0);
    assert!(start.elapsed() >= Duration::from_millis(1450), "{:?}", start.elapsed());
    // One that has passed is due at once; so is none.
    for due in [file_time() - 10_000 * MS, 1, 0, -1] {
        assert_eq!(set(*timer, due, 0), Ok(()));
        assert_eq!(wait(*timer, SOON), 0, "{due}");
    }
}

#[test]
fn r152_a_period_repeats() {
    let timer = timer(false);
    assert_eq!(set(*timer, -20 * MS, 20), Ok(()));
    for _ in 0..4 {
        assert_eq!(wait(*timer, SOON), 0);
    }
    assert_eq!(cancel(*timer), Ok(()));
    wait(*timer, 0);
    assert_eq!(wait(*timer, NEVER), WAIT_TIMEOUT);
}

#[test]
fn r152_periods_keep_step() {
    let timer = timer(false);
    let start = Instant::now();
    assert_eq!(set(*timer, -50 * MS, 50), Ok(()));
    for _ in 0..10 {
        assert_eq!(wait(*timer, SOON), 0);
        thread::sleep(Duration::from_millis(20));
    }
    // Ten steps of 50 ms, whatever their receiver does in between; Windows rounds to its ticks.
    assert!(start.elapsed() >= Duration::from_millis(450), "{:?}", start.elapsed());
}

#[test]
fn r152_cancelling_stops_it_before_it_is_due() {
    let timer = timer(false);
    assert_eq!(cancel(*timer), Ok(()));
    assert_eq!(set(*timer, -1500 * MS, 0), Ok(()));
    assert_eq!(cancel(*timer), Ok(()));
    assert_eq!(wait(*timer, 1700), WAIT_TIMEOUT);
}

#[test]
fn r152_setting_it_again_starts_over() {
    let timer = timer(false);
    assert_eq!(set(*timer, -50 * MS, 0), Ok(()));
    assert_eq!(set(*timer, -100_000 * MS, 0), Ok(()));
    assert_eq!(wait(*timer, 300), WAIT_TIMEOUT);
    assert_eq!(set(*timer, -50 * MS, 0), Ok(()));
    assert_eq!(wait(*timer, SOON), 0);
}

#[test]
fn r152_what_makes_no_sense_is_refused() {
    let (timer, event) = (timer(false), Event::auto_reset());
    differs_on_wine(|| {
        assert_eq!(set(*timer, -MS, -1), Err(ERROR_INVALID_PARAMETER));
        assert_eq!(wait(*timer, NEVER), WAIT_TIMEOUT);
    });
    assert_eq!(set(*event, -MS, 0), Err(ERROR_INVALID_HANDLE));
    assert_eq!(cancel(*event), Err(ERROR_INVALID_HANDLE));
}

#[test]
fn r152_several_wait_for_one_timer() {
    for (manual_reset, released) in [(true, 3), (false, 1)] {
        let (timer, count) = (timer(manual_reset), AtomicUsize::new(0));
        let set_until = |wanted| {
            assert_eq!(set(*timer, -MS, 0), Ok(()));
            comes_true(|| count.load(Ordering::SeqCst) >= wanted)
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    assert_eq!(wait(*timer, SOON), 0);
                    count.fetch_add(1, Ordering::SeqCst);
                });
            }
            pause();
            assert!(set_until(released));
            pause();
            let at_once = count.load(Ordering::SeqCst);
            // Nobody is left behind.
            assert!((at_once + 1..=3).all(set_until));
            assert_eq!(at_once, released, "manual reset: {manual_reset}");
        });
    }
}

#[test]
fn r152_a_timer_goes_with_other_objects() {
    let (timer, event) = (timer(true), Event::manual_reset());
    assert_eq!(set(*timer, -MS, 0), Ok(()));
    assert_eq!(wait_any(&[*event, *timer], SOON), 1);
    assert_eq!(wait_all(&[*event, *timer], NEVER), WAIT_TIMEOUT);
    event.set();
    assert_eq!(wait_all(&[*event, *timer], SOON), 0);
}

// Its routine.

#[test]
fn r152_the_routine_runs_on_the_thread_that_set_it_when_that_is_alertable() {
    let timer = timer(true);
    let before = file_time();
    set_with(*timer, -20 * MS, 0, 7);
    assert_eq!(wait(*timer, SOON), 0);
    assert_eq!(noted(), []);
    assert_eq!(sleep_alertably(SOON), WAIT_IO_COMPLETION);
    assert_eq!(noted(), [7]);
    // When it was signalled.
    let time = NOTED.with_borrow(|noted| noted[0].1 as i64);
    differs_on_wine(|| assert!((before..=file_time()).contains(&time), "{before} {time}"));
    assert_eq!(sleep_alertably(NEVER), 0);
}

#[test]
fn r152_a_routine_ends_an_alertable_wait() {
    let (timer, never) = (timer(false), Event::auto_reset());
    set_with(*timer, -20 * MS, 0, 1);
    // SAFETY: no memory is passed.
    let waited = unsafe { WaitForSingleObjectEx(*never, SOON, 1) };
    assert_eq!((waited, noted()), (WAIT_IO_COMPLETION, vec![1]));
}

#[test]
fn r152_a_period_calls_again_and_again_but_queues_once() {
    let timer = timer(false);
    set_with(*timer, -10 * MS, 10, 3);
    // Many periods pass, and one call waits; while it runs another may be queued.
    let periods = 40;
    thread::sleep(Duration::from_millis(10 * periods));
    assert_eq!(sleep_alertably(0), WAIT_IO_COMPLETION);
    let calls = noted().len();
    assert!((1..periods as usize / 2).contains(&calls), "{calls}");
    while noted().len() < calls + 3 {
        assert_eq!(sleep_alertably(SOON), WAIT_IO_COMPLETION);
    }
    assert_eq!(cancel(*timer), Ok(()));
    let calls = noted().len();
    assert_eq!(sleep_alertably(NEVER), 0);
    assert_eq!(noted().len(), calls);
}

#[test]
fn r152_cancelling_and_setting_take_back_a_queued_call() {
    let timer = timer(true);
    for again in [false, true] {
        set_with(*timer, -MS, 0, 1);
        assert_eq!(wait(*timer, SOON), 0);
        pause();
        match again {
            false => assert_eq!(cancel(*timer), Ok(())),
            true => assert_eq!(set(*timer, -100_000 * MS, 0), Ok(())),
        }
        assert_eq!(sleep_alertably(0), 0);
        assert_eq!(noted(), []);
    }
}

#[test]
fn r152_the_end_of_its_thread_cancels_a_timer_with_a_routine() {
    for (with_routine, ms, waited) in [(true, 2500, WAIT_TIMEOUT), (false, SOON, 0)] {
        let timer = timer(true);
        thread::scope(|scope| {
            let setter = scope.spawn(|| match with_routine {
                true => set_with(*timer, -2000 * MS, 0, 1),
                false => assert_eq!(set(*timer, -2000 * MS, 0), Ok(())),
            });
            setter.join().expect("no panic");
        });
        let check = || assert_eq!(wait(*timer, ms), waited, "with a routine: {with_routine}");
        if with_routine { differs_on_wine(check) } else { check() }
    }
}

#[test]
fn r152_setwaitabletimerex_does_as_setwaitabletimer() {
    let timer = timer(false);
    let due = -10 * MS;
    // SAFETY: the time outlives the call; NULL is no context.
    let set = unsafe { SetWaitableTimerEx(*timer, &due, 0, Some(note), null(), null(), 100) };
    assert_ne!(set, 0);
    assert_eq!(sleep_alertably(SOON), WAIT_IO_COMPLETION);
    assert_eq!(wait(*timer, SOON), 0);
}

#[test]
fn r152_a_closed_timer_is_not_heard_of() {
    let mine = timer(true);
    set_with(*mine, -1000 * MS, 0, 1);
    mine.close();
    assert_eq!(sleep_alertably(1200), 0);
    assert_eq!(noted(), []);
}

/// Setting, cancelling and closing while it is due all the time.
#[test]
fn r152_timers_are_closed_while_they_ring() {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let timer = timer(false);
                    for _ in 0..10 {
                        set_with(*timer, -1, 1, 5);
                        sleep_alertably(0);
                    }
                    assert_eq!(wait(*timer, SOON), 0);
                    cancel(*timer).expect("it is there");
                }
            });
        }
        thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
    });
}

// The time.

#[test]
fn r152_ticks_are_milliseconds_and_the_counter_counts() {
    let (mut first, mut second, mut frequency) = (0, 0, 0);
    // SAFETY: the places outlive the calls.
    let (ticks, ticks_after) = unsafe {
        assert_ne!(QueryPerformanceFrequency(&mut frequency), 0);
        assert_ne!(QueryPerformanceCounter(&mut first), 0);
        let ticks = GetTickCount64();
        assert!((ticks as u32).abs_diff(GetTickCount()) < 10_000);
        thread::sleep(Duration::from_millis(100));
        assert_ne!(QueryPerformanceCounter(&mut second), 0);
        (ticks, GetTickCount64())
    };
    assert!((80..10_000).contains(&(ticks_after - ticks)), "{}", ticks_after - ticks);
    let ms = (second - first) * 1000 / frequency;
    assert!((80..10_000).contains(&ms), "{ms}");
}
