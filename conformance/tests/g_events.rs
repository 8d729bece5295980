//! Section G, events by their other functions, and names.

use std::ptr::null;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NOT_OWNER, ERROR_PATH_NOT_FOUND, ERROR_TOO_MANY_POSTS, HANDLE, SetLastError, WAIT_FAILED,
    WAIT_IO_COMPLETION, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{
    CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET, CreateEventA, CreateEventExA,
    CreateEventExW, CreateEventW, CreateMutexW, CreateSemaphoreW, CreateWaitableTimerW,
    EVENT_ALL_ACCESS, INFINITE, OpenEventA, OpenEventW, OpenMutexW, OpenSemaphoreW,
    OpenWaitableTimerW, PulseEvent, ReleaseMutex, ReleaseSemaphore, SYNCHRONIZATION_SYNCHRONIZE,
    SetEvent, SignalObjectAndWait,
};

fn pulse(event: HANDLE) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    bool_result(|| unsafe { PulseEvent(event) })
}

#[test]
fn r106_createeventex_takes_flags() {
    let create = |flags| {
        // SAFETY: no memory is passed.
        Handle::of(unsafe { CreateEventExW(null(), null(), flags, EVENT_ALL_ACCESS) })
    };
    let twice = |event: Handle| [wait(*event, 0), wait(*event, 0)];
    assert_eq!(twice(create(0)), [WAIT_TIMEOUT; 2]);
    assert_eq!(twice(create(CREATE_EVENT_MANUAL_RESET)), [WAIT_TIMEOUT; 2]);
    assert_eq!(twice(create(CREATE_EVENT_INITIAL_SET)), [0, WAIT_TIMEOUT]);
    assert_eq!(twice(create(CREATE_EVENT_INITIAL_SET | CREATE_EVENT_MANUAL_RESET)), [0, 0]);
    // SAFETY: no memory is passed.
    let ansi =
        unsafe { CreateEventExA(null(), null(), CREATE_EVENT_INITIAL_SET, EVENT_ALL_ACCESS) };
    assert_eq!(twice(Handle::of(ansi)), [0, WAIT_TIMEOUT]);
}

// PulseEvent.

#[test]
fn r154_a_pulse_of_a_manual_reset_event_releases_all_who_wait() {
    let event = Event::manual_reset();
    thread::scope(|scope| {
        let waiters: [_; 3] = std::array::from_fn(|_| scope.spawn(|| wait(*event, SOON)));
        pause();
        assert_eq!(pulse(*event), Ok(()));
        for waiter in waiters {
            assert_eq!(waiter.join().expect("no panic"), 0);
        }
    });
    assert!(!event.is_set());
}

#[test]
fn r154_a_pulse_of_an_auto_reset_event_releases_one() {
    let event = Event::auto_reset();
    let released = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                assert_eq!(wait(*event, SOON), 0);
                released.fetch_add(1, Ordering::SeqCst);
            });
        }
        pause();
        for expected in 1..=3 {
            assert_eq!(pulse(*event), Ok(()));
            assert!(comes_true(|| released.load(Ordering::SeqCst) == expected));
            pause();
            assert_eq!(released.load(Ordering::SeqCst), expected);
        }
    });
    assert!(!event.is_set());
}

#[test]
fn r154_a_pulse_that_meets_nobody_is_lost() {
    for event in [Event::manual_reset(), Event::auto_reset()] {
        assert_eq!(pulse(*event), Ok(()));
        assert!(!event.is_set());
        event.set();
        assert_eq!(pulse(*event), Ok(()));
        assert!(!event.is_set());
    }
}

#[test]
fn r154_a_pulse_satisfies_a_wait_for_all_that_lacks_nothing_else() {
    let (event, other) = (Event::manual_reset(), Event::auto_reset());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_all(&[*other, *event], SOON));
        pause();
        assert_eq!(pulse(*event), Ok(()));
        other.set();
        pause();
        assert!(!waiter.is_finished());
        assert_eq!(pulse(*event), Ok(()));
        assert_eq!(waiter.join().expect("no panic"), 0);
    });
    assert!(!other.is_set());
}

#[test]
fn r154_only_events_pulse() {
    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 0, null()) });
    assert_eq!(pulse(*mutex), Err(ERROR_INVALID_HANDLE));
}

// SignalObjectAndWait.

fn signal_and_wait(signal: HANDLE, wait: HANDLE, ms: u32, alertable: bool) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SignalObjectAndWait(signal, wait, ms, alertable.into()) }
}

#[test]
fn r153_two_threads_pass_the_turn() {
    let (ping, pong) = (Event::auto_reset(), Event::auto_reset());
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(wait(*ping, SOON), 0);
            for _ in 0..500 {
                assert_eq!(signal_and_wait(*pong, *ping, SOON, false), 0);
            }
            pong.set();
        });
        for _ in 0..501 {
            assert_eq!(signal_and_wait(*ping, *pong, SOON, false), 0);
        }
    });
    assert!(!ping.is_set() && !pong.is_set());
}

#[test]
fn r153_semaphores_and_mutexes_are_signalled_too() {
    let event = Event::manual_reset();
    // SAFETY: no memory is passed.
    let semaphore = Handle::of(unsafe { CreateSemaphoreW(null(), 0, 1, null()) });
    assert_eq!(signal_and_wait(*semaphore, *event, 0, false), WAIT_TIMEOUT);
    assert_eq!(signal_and_wait(*semaphore, *event, 0, false), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_TOO_MANY_POSTS);
    assert_eq!(wait(*semaphore, 0), 0);
    // SAFETY: no memory is passed.
    let mutex = Handle::of(unsafe { CreateMutexW(null(), 1, null()) });
    assert_eq!(signal_and_wait(*mutex, *event, 0, false), WAIT_TIMEOUT);
    assert_eq!(signal_and_wait(*mutex, *event, 0, false), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_NOT_OWNER);
    // On itself: released, and taken again.
    assert_eq!(wait(*mutex, 0), 0);
    assert_eq!(signal_and_wait(*mutex, *mutex, 0, false), 0);
    // SAFETY: no memory is passed.
    assert_eq!(bool_result(|| unsafe { ReleaseMutex(*mutex) }), Ok(()));
}

#[test]
fn r153_handles_of_other_kinds_are_refused_and_nothing_is_signalled() {
    let event = Event::manual_reset();
    let thread = Thread::start(|| {});
    assert_eq!(signal_and_wait(*thread, *event, 0, false), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    assert_eq!(signal_and_wait(*event, std::ptr::null_mut(), 0, false), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    assert!(!event.is_set());
}

#[test]
fn r153_an_alertable_wait_runs_apcs() {
    let (event, never) = (Event::manual_reset(), Event::manual_reset());
    queue_apc(this_thread(), || {}).expect("this thread lives");
    assert_eq!(signal_and_wait(*event, *never, NEVER, false), WAIT_TIMEOUT);
    assert!(event.is_set());
    event.reset();
    assert_eq!(signal_and_wait(*event, *never, SOON, true), WAIT_IO_COMPLETION);
    assert!(event.is_set());
}

// Names.

/// A CreateXxx or OpenXxx by name, with the last error that it leaves.
fn named(call: impl FnOnce(*const u16) -> HANDLE, name: &str) -> (Option<Handle>, u32) {
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    // SAFETY: no memory is passed.
    unsafe { SetLastError(0xdead_beef) };
    let raw = call(name.as_ptr());
    let error = last_error();
    ((!raw.is_null()).then(|| Handle::of(raw)), error)
}

// SAFETY (all of them): the name is a string that ends in NUL.
fn create_event(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { CreateEventW(null(), 1, 0, name) }
}

fn create_mutex(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { CreateMutexW(null(), 0, name) }
}

fn create_semaphore(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { CreateSemaphoreW(null(), 1, 2, name) }
}

fn create_timer(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { CreateWaitableTimerW(null(), 1, name) }
}

fn open_event(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { OpenEventW(EVENT_ALL_ACCESS, 0, name) }
}

fn open_mutex(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { OpenMutexW(SYNCHRONIZATION_SYNCHRONIZE, 0, name) }
}

fn open_semaphore(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { OpenSemaphoreW(SYNCHRONIZATION_SYNCHRONIZE | 2, 0, name) }
}

fn open_timer(name: *const u16) -> HANDLE {
    // SAFETY: as above.
    unsafe { OpenWaitableTimerW(SYNCHRONIZATION_SYNCHRONIZE, 0, name) }
}

type Call = fn(*const u16) -> HANDLE;

const KINDS: [(Call, Call); 4] = [
    (create_event, open_event),
    (create_mutex, open_mutex),
    (create_semaphore, open_semaphore),
    (create_timer, open_timer),
];

#[test]
fn r155_creating_a_name_again_opens_the_object() {
    for (number, (create, open)) in KINDS.into_iter().enumerate() {
        let name = format!("r155 again {number}");
        assert_eq!(named(open, &name).1, ERROR_FILE_NOT_FOUND);
        let (first, error) = named(create, &name);
        assert!(first.is_some());
        assert_eq!(error, 0);
        let (second, error) = named(create, &name);
        assert_eq!(error, ERROR_ALREADY_EXISTS);
        assert_ne!(first.as_deref(), second.as_deref(), "a handle of its own");
        let (third, _) = named(open, &name);
        // It lives, by its name, as long as any handle does.
        drop((first, third));
        assert!(named(open, &name).0.is_some());
        drop(second);
        assert_eq!(named(open, &name).1, ERROR_FILE_NOT_FOUND);
        assert_eq!(named(create, &name).1, 0);
    }
}

#[test]
fn r155_the_handles_are_of_one_object() {
    let (first, _) = named(create_event, "r155 one event");
    let (second, _) = named(open_event, "r155 one event");
    let (first, second) = (first.expect("made"), second.expect("opened"));
    // SAFETY: no memory is passed.
    unsafe { SetEvent(*second) };
    assert_eq!(wait(*first, 0), 0);
    thread::scope(|scope| {
        // The other handle may be closed while somebody waits by this one.
        let (third, _) = named(create_event, "r155 another event");
        let third = third.expect("made");
        let (fourth, _) = named(open_event, "r155 another event");
        let waiter = scope.spawn(move || wait(*third, SOON));
        pause();
        // SAFETY: no memory is passed.
        unsafe { SetEvent(*fourth.expect("opened")) };
        assert_eq!(waiter.join().expect("no panic"), 0);
    });

    let (first, _) = named(create_semaphore, "r155 one semaphore");
    let (second, _) = named(create_semaphore, "r155 one semaphore");
    let (first, second) = (first.expect("made"), second.expect("opened"));
    assert_eq!(wait(*first, 0), 0);
    assert_eq!(wait(*second, 0), WAIT_TIMEOUT);
    let mut before = 7;
    // SAFETY: the place outlives the call.
    unsafe { ReleaseSemaphore(*second, 2, &mut before) };
    assert_eq!((before, wait(*first, 0)), (0, 0));

    let (first, _) = named(create_mutex, "r155 one mutex");
    let (second, _) = named(open_mutex, "r155 one mutex");
    let (first, second) = (first.expect("made"), second.expect("opened"));
    assert_eq!(wait(*second, 0), 0);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(wait(*first, 0), WAIT_TIMEOUT));
    });
    // SAFETY: no memory is passed.
    assert_eq!(bool_result(|| unsafe { ReleaseMutex(*first) }), Ok(()));
}

#[test]
fn r155_a_name_of_another_kind_is_refused() {
    for (at, (create, _)) in KINDS.into_iter().enumerate() {
        let name = format!("r155 kinds {at}");
        let (_held, error) = named(create, &name);
        assert_eq!(error, 0);
        for (other, (create, open)) in KINDS.into_iter().enumerate() {
            if other != at {
                assert_eq!(named(create, &name).1, ERROR_INVALID_HANDLE, "{other} over {at}");
                assert_eq!(named(open, &name).1, ERROR_INVALID_HANDLE, "{other} over {at}");
            }
        }
    }
}

#[test]
fn r155_case_counts_and_local_is_no_name() {
    let (_held, _) = named(create_event, "r155 Case");
    assert_eq!(named(open_event, "r155 case").1, ERROR_FILE_NOT_FOUND);
    assert!(named(open_event, "Local\\r155 Case").0.is_some());
    assert!(named(open_event, "r155 Case").0.is_some());
    let (_global, error) = named(create_event, "Global\\r155 Global");
    assert_eq!(error, 0);
    assert!(named(open_event, "Global\\r155 Global").0.is_some());
}

#[test]
fn r155_a_backslash_is_a_path_that_is_not_there() {
    assert_eq!(named(create_event, "r155\\path").1, ERROR_PATH_NOT_FOUND);
    assert_eq!(named(open_mutex, "Local\\r155\\path").1, ERROR_PATH_NOT_FOUND);
}

#[test]
fn r155_no_name_is_no_name() {
    let (first, error) = named(create_event, "");
    assert_eq!(error, 0);
    let (second, error) = named(create_event, "");
    assert_eq!(error, 0);
    // SAFETY: no memory is passed.
    unsafe { SetEvent(*first.expect("made")) };
    assert_eq!(wait(*second.expect("made"), 0), WAIT_TIMEOUT);
    // SAFETY: NULL is no name.
    let error = refused(|| unsafe { OpenEventW(EVENT_ALL_ACCESS, 0, null()) });
    assert_eq!(error, ERROR_INVALID_PARAMETER);
}

#[test]
fn r155_ansi_and_wide_names_are_the_same() {
    let name = c"r155 ansi".as_ptr().cast();
    // SAFETY: the name ends in NUL.
    let _held = Handle::of(unsafe { CreateEventA(null(), 0, 0, name) });
    assert!(named(open_event, "r155 ansi").0.is_some());
    // SAFETY: the name ends in NUL.
    drop(Handle::of(unsafe { OpenEventA(EVENT_ALL_ACCESS, 0, name) }));
}

/// Many threads make and close objects of one name: each gets one that works.
#[test]
fn r155_opening_meets_closing() {
    let counter = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let (mutex, error) = named(create_mutex, "r155 race");
                    let mutex = mutex.expect("made or opened");
                    assert!(error == 0 || error == ERROR_ALREADY_EXISTS, "{error}");
                    assert_eq!(wait(*mutex, INFINITE), 0);
                    counter.fetch_add(1, Ordering::SeqCst);
                    // SAFETY: no memory is passed.
                    assert_eq!(bool_result(|| unsafe { ReleaseMutex(*mutex) }), Ok(()));
                }
            });
        }
    });
    assert_eq!(counter.load(Ordering::SeqCst), 2000);
}
