//! Section G, events and the waits for them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, WAIT_FAILED, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::{
    WSA_INVALID_EVENT, WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER, WSA_MAXIMUM_WAIT_EVENTS,
    WSACloseEvent, WSACreateEvent, WSAResetEvent, WSASetEvent, WSAWaitForMultipleEvents,
};
use winsock_sys::Win32::System::Threading::{
    INFINITE, ResetEvent, SetEvent, WaitForMultipleObjects, WaitForMultipleObjectsEx,
    WaitForSingleObjectEx,
};

/// A wait for several handles: handles, all of them?, milliseconds.
type Wait = fn(&[HANDLE], bool, u32) -> u32;

/// Every way to wait for several handles.
const WAITS: [Wait; 3] = [
    |handles, all, ms| {
        let (count, all) = (handles.len() as u32, i32::from(all));
        // SAFETY: `handles` is readable for its length.
        unsafe { WSAWaitForMultipleEvents(count, handles.as_ptr(), all, ms, 0) }
    },
    |handles, all, ms| {
        let (count, all) = (handles.len() as u32, i32::from(all));
        // SAFETY: `handles` is readable for its length.
        unsafe { WaitForMultipleObjects(count, handles.as_ptr(), all, ms) }
    },
    |handles, all, ms| {
        let (count, all) = (handles.len() as u32, i32::from(all));
        // SAFETY: `handles` is readable for its length.
        unsafe { WaitForMultipleObjectsEx(count, handles.as_ptr(), all, ms, 1) }
    },
];

fn handles_of(events: &[Event]) -> Vec<HANDLE> {
    events.iter().map(|event| **event).collect()
}

fn auto_reset_events<const N: usize>() -> [Event; N] {
    std::array::from_fn(|_| Event::auto_reset())
}

fn manual_reset_events<const N: usize>() -> [Event; N] {
    std::array::from_fn(|_| Event::manual_reset())
}

// How many, and which.

#[test]
fn r103_no_handle_and_more_than_64_are_refused() {
    assert_eq!(WSA_MAXIMUM_WAIT_EVENTS, 64);
    let events = manual_reset_events::<65>();
    let handles = handles_of(&events);
    for wait in WAITS {
        for (handles, all) in [(&handles[..0], false), (&handles[..], false), (&handles[..], true)]
        {
            assert_eq!(wait(handles, all, 0), WAIT_FAILED);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
            assert_eq!(last_wsa_error(), WSA_INVALID_PARAMETER);
        }
    }
}

#[test]
fn r103_sixty_four_handles_can_be_waited_for() {
    let events = manual_reset_events::<64>();
    let handles = handles_of(&events);
    for wait in WAITS {
        assert_eq!(wait(&handles, false, 0), WAIT_TIMEOUT);
        events[63].set();
        assert_eq!(wait(&handles, false, SOON), 63);
        assert_eq!(wait(&handles, true, 0), WAIT_TIMEOUT);
        events.iter().for_each(Event::set);
        assert!(wait(&handles, true, SOON) < 64);
        events.iter().for_each(Event::reset);
    }
}

#[test]
fn r103_sixty_four_handles_wake_a_waiting_thread() {
    for wait in WAITS {
        for last in [0, 31, 63] {
            let events = auto_reset_events::<64>();
            thread::scope(|scope| {
                let any = scope.spawn(|| wait(&handles_of(&events), false, SOON));
                pause();
                events[last].set();
                assert_eq!(any.join().expect("no panic"), last as u32);
                let all = scope.spawn(|| wait(&handles_of(&events), true, SOON));
                pause();
                events.iter().for_each(Event::set);
                assert!(all.join().expect("no panic") < 64);
            });
            assert_eq!(wait(&handles_of(&events), false, 0), WAIT_TIMEOUT);
        }
    }
}

#[test]
fn r103_a_handle_may_not_be_listed_twice_when_waiting_for_all() {
    let [a, b] = manual_reset_events();
    for wait in WAITS {
        a.set();
        b.set();
        // Wine 8.0 does not mind.
        differs_on_wine(|| {
            assert_eq!(wait(&[*a, *b, *a], true, 0), WAIT_FAILED);
            assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        });
        // Waiting for any, it may.
        b.reset();
        assert_eq!(wait(&[*b, *a, *a], false, 0), 1);
    }
}

#[test]
fn r103_what_is_no_handle_is_refused() {
    let event = Event::auto_reset();
    event.set();
    for wait in WAITS {
        for all in [false, true] {
            let bad = [*event, std::ptr::null_mut()];
            assert_eq!(wait(&bad, all, 0), WAIT_FAILED);
            assert_eq!(last_error(), ERROR_INVALID_HANDLE);
            assert_eq!(last_wsa_error(), WSA_INVALID_HANDLE);
        }
    }
    // Nothing was taken by the waits that failed.
    assert!(event.is_set());
}

#[test]
fn r103_a_closed_event_is_an_invalid_handle() {
    // In a process of its own: elsewhere the handle's value may soon be another test's event.
    alone("r103_a_closed_event_is_an_invalid_handle", || {
        init();
        pause(); // Until the test harness, too, opens no more handles.
        // SAFETY: no memory is passed.
        unsafe {
            let event = WSACreateEvent();
            assert_eq!(WSACloseEvent(event), 1);
            assert_eq!(WSASetEvent(event), 0);
            assert_eq!(last_wsa_error(), WSA_INVALID_HANDLE);
            assert_eq!(WSAResetEvent(event), 0);
            assert_eq!(last_wsa_error(), WSA_INVALID_HANDLE);
            assert_eq!(WSACloseEvent(event), 0);
            assert_eq!(last_wsa_error(), WSA_INVALID_HANDLE);
            for wait in WAITS {
                assert_eq!(wait(&[event as HANDLE], false, 0), WAIT_FAILED);
                assert_eq!(last_wsa_error(), WSA_INVALID_HANDLE);
            }
        }
    });
}

#[test]
fn r103_sockets_and_events_may_be_mixed() {
    let (socket, peer) = tcp_pair();
    let event = Event::auto_reset();
    let handles = [*event, *socket as HANDLE];
    for wait in WAITS {
        let op = Op::new(8);
        assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
        assert_eq!(wait(&handles, false, 0), WAIT_TIMEOUT);
        send_all(&peer, b"abc");
        assert_eq!(wait(&handles, false, SOON), 1);
        assert_eq!(wait(&handles, true, 0), WAIT_TIMEOUT);
        event.set();
        assert!(wait(&handles, true, SOON) < 2);
        assert_eq!(op.bytes(), 3);
    }
}

// Any of them.

#[test]
fn r104_the_lowest_set_event_is_reported_and_it_alone_is_taken() {
    let events = auto_reset_events::<4>();
    let handles = handles_of(&events);
    for wait in WAITS {
        for i in [3, 1, 2] {
            events[i].set();
        }
        for expected in [1, 2, 3, WAIT_TIMEOUT] {
            assert_eq!(wait(&handles, false, 0), expected);
        }
    }
}

#[test]
fn r104_a_manual_reset_event_is_not_taken() {
    let (manual, auto) = (Event::manual_reset(), Event::auto_reset());
    let handles = [*manual, *auto];
    for wait in WAITS {
        manual.set();
        auto.set();
        assert_eq!(wait(&handles, false, 0), 0);
        assert_eq!(wait(&handles, false, 0), 0);
        manual.reset();
        assert_eq!(wait(&handles, false, 0), 1);
        assert_eq!(wait(&handles, false, 0), WAIT_TIMEOUT);
    }
}

#[test]
fn r104_a_woken_thread_takes_one_event_only() {
    for wait in WAITS {
        let [a, b] = auto_reset_events();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&[*a, *b], false, SOON));
            pause();
            b.set();
            assert_eq!(waiter.join().expect("no panic"), 1);
            a.set();
            b.set();
            assert_eq!((a.is_set(), b.is_set()), (true, true));
        });
    }
}

#[test]
fn r104_setting_an_auto_reset_event_releases_one_thread_each_time() {
    let event = Event::auto_reset();
    let released = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert!(event.is_set_within(SOON));
                released.fetch_add(1, Ordering::SeqCst);
            });
        }
        pause();
        assert_eq!(released.load(Ordering::SeqCst), 0);
        for count in 1..=4 {
            event.set();
            assert!(comes_true(|| released.load(Ordering::SeqCst) == count));
            thread::sleep(Duration::from_millis(20));
            assert_eq!(released.load(Ordering::SeqCst), count);
        }
    });
    assert!(!event.is_set());
}

#[test]
fn r104_setting_a_manual_reset_event_releases_every_thread() {
    let event = Event::manual_reset();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(event.is_set_within(SOON)));
        }
        pause();
        event.set();
    });
    assert!(event.is_set());
}

#[test]
fn r104_setting_twice_counts_once() {
    let event = Event::auto_reset();
    event.set();
    event.set();
    assert!(event.is_set());
    assert!(!event.is_set());
    event.reset();
    event.reset();
    assert!(!event.is_set());
}

/// A set that meets a time-out: either the wait has taken it or it is still there.
#[test]
fn r104_a_set_that_meets_a_time_out_is_not_lost() {
    let [a, b] = auto_reset_events();
    for round in 0..200 {
        let taken = thread::scope(|scope| {
            let waiter = scope.spawn(|| WAITS[round % 3](&[*a, *b], false, 2));
            thread::sleep(Duration::from_micros(1_500 + 10 * (round as u64 % 100)));
            b.set();
            waiter.join().expect("no panic")
        });
        match taken {
            1 => assert!(!b.is_set(), "round {round}: taken and still there"),
            WAIT_TIMEOUT => assert!(b.is_set(), "round {round}: lost"),
            other => panic!("round {round}: {other:#x}"),
        }
    }
}

#[test]
fn r104_two_threads_hand_over_to_each_other_many_times() {
    const ROUNDS: usize = 2_000;
    let [ping, pong] = auto_reset_events();
    let turn = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                assert!(ping.is_set_within(SOON));
                assert_eq!(turn.swap(2 * round + 2, Ordering::SeqCst), 2 * round + 1);
                pong.set();
            }
        });
        for round in 0..ROUNDS {
            assert_eq!(turn.swap(2 * round + 1, Ordering::SeqCst), 2 * round);
            ping.set();
            assert!(pong.is_set_within(SOON));
        }
    });
    assert!(!ping.is_set() && !pong.is_set());
}

// All of them.

#[test]
fn r105_waiting_for_all_takes_nothing_until_all_are_set() {
    let [a, b] = auto_reset_events();
    for wait in WAITS {
        a.set();
        for ms in [0, 20] {
            assert_eq!(wait(&[*a, *b], true, ms), WAIT_TIMEOUT);
        }
        assert!(a.is_set(), "taken by a wait that failed");
        a.set();
        b.set();
        assert!(wait(&[*a, *b], true, 0) < 2);
        assert!(!a.is_set() && !b.is_set());
    }
}

#[test]
fn r105_a_thread_waiting_for_all_leaves_single_events_to_others() {
    for wait in WAITS {
        let [a, b] = auto_reset_events();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&[*a, *b], true, SOON));
            pause();
            a.set();
            pause();
            assert!(a.is_set(), "the waiting thread has kept the event");
            b.set();
            pause();
            assert!(!waiter.is_finished(), "released by events that were never set together");
            assert!(b.is_set());
            // Set together in either order, they release it.
            b.set();
            a.set();
            assert!(waiter.join().expect("no panic") < 2);
            assert!(!a.is_set() && !b.is_set());
        });
    }
}

#[test]
fn r105_an_event_reset_again_does_not_count() {
    let [a, b] = manual_reset_events();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| WAITS[0](&[*a, *b], true, SOON));
        pause();
        a.set();
        a.reset();
        b.set();
        pause();
        assert!(!waiter.is_finished());
        a.set();
        assert!(waiter.join().expect("no panic") < 2);
    });
    assert!(a.is_set() && b.is_set());
}

/// Threads want the same events in different orders; each round sets all of them once.
#[test]
fn r105_of_many_threads_one_gets_all_each_round() {
    const ROUNDS: usize = 300;
    let events = auto_reset_events::<3>();
    let (wins, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]];
    thread::scope(|scope| {
        for (order, wait) in orders.iter().zip(WAITS.iter().cycle()) {
            let (events, wins, done) = (&events, &wins, &done);
            scope.spawn(move || {
                let handles = order.map(|i| *events[i]);
                while !done.load(Ordering::SeqCst) {
                    match wait(&handles, true, 5) {
                        0..3 => wins.fetch_add(1, Ordering::SeqCst),
                        code => {
                            assert_eq!(code, WAIT_TIMEOUT);
                            continue;
                        }
                    };
                }
            });
        }
        for round in 1..=ROUNDS {
            for i in orders[round % orders.len()] {
                events[i].set();
            }
            let won = comes_true(|| wins.load(Ordering::SeqCst) == round);
            if !won {
                done.store(true, Ordering::SeqCst);
            }
            assert!(won, "round {round}: {} winners", wins.load(Ordering::SeqCst));
        }
        done.store(true, Ordering::SeqCst);
    });
    assert_eq!(wins.load(Ordering::SeqCst), ROUNDS);
    assert!(events.iter().all(|event| !event.is_set()));
}

/// One thread wants both events, another takes and returns one of them all the time. The first must
/// neither hold that one back nor be passed over for ever.
#[test]
fn r105_waiting_for_all_neither_holds_nor_starves() {
    let [busy, rare] = auto_reset_events();
    busy.set();
    thread::scope(|scope| {
        let both = scope.spawn(|| WAITS[0](&[*busy, *rare], true, SOON));
        for _ in 0..500 {
            assert!(busy.is_set_within(SOON), "held back by the thread that waits for both");
            thread::yield_now();
            busy.set();
        }
        assert!(!both.is_finished());
        rare.set();
        while !both.is_finished() && busy.is_set_within(5) {
            busy.set();
            thread::sleep(Duration::from_millis(1));
        }
        assert!(both.join().expect("no panic") < 2);
    });
    assert!(!busy.is_set() && !rare.is_set());
}

/// Any and all at once, over the same events, with every set answered by exactly one taker.
#[test]
fn r105_sets_are_neither_lost_nor_doubled_between_any_and_all() {
    const SETS: usize = 400;
    let [a, b] = auto_reset_events();
    let (taken, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for (all, wait) in [(false, WAITS[0]), (true, WAITS[1]), (true, WAITS[2])] {
            let (a, b, taken, done) = (&a, &b, &taken, &done);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    if wait(&[**a, **b], all, 5) < 2 {
                        taken.fetch_add(if all { 2 } else { 1 }, Ordering::SeqCst);
                    }
                }
            });
        }
        for count in (2..=2 * SETS).step_by(2) {
            a.set();
            b.set();
            let answered = comes_true(|| taken.load(Ordering::SeqCst) == count);
            if !answered {
                done.store(true, Ordering::SeqCst);
            }
            assert!(answered, "{count} set, {} taken", taken.load(Ordering::SeqCst));
        }
        done.store(true, Ordering::SeqCst);
    });
    assert!(!a.is_set() && !b.is_set());
}

// What an event is.

#[test]
fn r106_a_winsock_event_is_manual_reset_and_not_set() {
    init();
    // SAFETY: no memory is passed; `event` is closed once.
    unsafe {
        let event = WSACreateEvent();
        assert_ne!(event, WSA_INVALID_EVENT);
        let handle = event as HANDLE;
        assert_eq!(wait(handle, 0), WAIT_TIMEOUT);
        assert_eq!(WSASetEvent(event), 1);
        assert_eq!((wait(handle, 0), wait(handle, 0)), (0, 0));
        assert_eq!(WSAResetEvent(event), 1);
        assert_eq!(wait(handle, 0), WAIT_TIMEOUT);
        // It is an event like any other.
        assert_ne!(SetEvent(handle), 0);
        assert_eq!(wait(handle, 0), 0);
        assert_ne!(ResetEvent(handle), 0);
        assert_eq!(WSACloseEvent(event), 1);
    }
}

// How long.

#[test]
fn r110_zero_milliseconds_poll() {
    let event = Event::auto_reset();
    let start = Instant::now();
    for wait in WAITS {
        assert_eq!(wait(&[*event], false, 0), WAIT_TIMEOUT);
        event.set();
        assert_eq!(wait(&[*event], true, 0), 0);
    }
    assert!(start.elapsed() < Duration::from_millis(SOON.into()));
}

#[test]
fn r110_a_time_out_takes_its_time() {
    let event = Event::auto_reset();
    for wait in WAITS {
        let start = Instant::now();
        assert_eq!(wait(&[*event], false, 60), WAIT_TIMEOUT);
        // Windows counts in ticks of up to 15.6 ms and may round down.
        assert!(start.elapsed() >= Duration::from_millis(40), "{:?}", start.elapsed());
        assert!(start.elapsed() < Duration::from_millis(SOON.into()), "{:?}", start.elapsed());
    }
}

#[test]
fn r110_infinite_is_all_ones_and_never_ends() {
    assert_eq!(INFINITE, 0xffff_ffff);
    for wait in WAITS {
        let event = Event::auto_reset();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&[*event], false, INFINITE));
            pause();
            assert!(!waiter.is_finished());
            event.set();
            assert_eq!(waiter.join().expect("no panic"), 0);
        });
    }
    // SAFETY: no memory is passed.
    let single = |event: &Event| unsafe { WaitForSingleObjectEx(**event, INFINITE, 1) };
    let event = Event::auto_reset();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| single(&event));
        pause();
        event.set();
        assert_eq!(waiter.join().expect("no panic"), 0);
    });
}

#[test]
fn r110_the_largest_finite_time_out_waits() {
    for wait in WAITS {
        let event = Event::auto_reset();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| wait(&[*event], false, INFINITE - 1));
            pause();
            assert!(!waiter.is_finished());
            event.set();
            assert_eq!(waiter.join().expect("no panic"), 0);
        });
    }
}
