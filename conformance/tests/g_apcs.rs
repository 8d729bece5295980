//! Section G, asynchronous procedure calls and the alertable waits that run them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::WSAWaitForMultipleEvents;
use winsock_sys::Win32::System::Threading::{
    INFINITE, Sleep, SleepEx, WaitForMultipleObjects, WaitForMultipleObjectsEx,
    WaitForSingleObjectEx,
};

/// What ran, in its order.
type Log = Arc<Mutex<Vec<usize>>>;

fn ran(log: &Log) -> Vec<usize> {
    log.lock().expect("no panic").clone()
}

/// Queues an APC to the calling thread that writes `entry` into `log`.
fn queue_entry(log: &Log, entry: usize) {
    let log = log.clone();
    let call = move || log.lock().expect("no panic").push(entry);
    assert_eq!(queue_apc(this_thread(), call), Ok(()));
}

/// A wait for one event, of so many milliseconds.
type Wait = fn(&Event, u32) -> u32;

const ALERTABLE: [Wait; 4] = [
    // SAFETY: no memory is passed.
    |_, ms| unsafe { SleepEx(ms, 1) },
    // SAFETY: no memory is passed.
    |event, ms| unsafe { WaitForSingleObjectEx(**event, ms, 1) },
    // SAFETY: the one handle is readable.
    |event, ms| unsafe { WaitForMultipleObjectsEx(1, &**event, 0, ms, 1) },
    // SAFETY: the one handle is readable.
    |event, ms| unsafe { WSAWaitForMultipleEvents(1, &**event, 0, ms, 1) },
];

/// The alertable waits that have an event to wait for.
const ALERTABLE_FOR_EVENTS: &[Wait] = ALERTABLE.split_first().expect("four waits").1;

const NOT_ALERTABLE: [Wait; 7] = [
    |_, ms| {
        // SAFETY: no memory is passed.
        unsafe { Sleep(ms) };
        WAIT_TIMEOUT
    },
    |_, ms| {
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { SleepEx(ms, 0) }, 0);
        WAIT_TIMEOUT
    },
    |event, ms| wait(**event, ms),
    // SAFETY: no memory is passed.
    |event, ms| unsafe { WaitForSingleObjectEx(**event, ms, 0) },
    // SAFETY: the one handle is readable.
    |event, ms| unsafe { WaitForMultipleObjects(1, &**event, 0, ms) },
    // SAFETY: the one handle is readable.
    |event, ms| unsafe { WaitForMultipleObjectsEx(1, &**event, 0, ms, 0) },
    // SAFETY: the one handle is readable.
    |event, ms| unsafe { WSAWaitForMultipleEvents(1, &**event, 0, ms, 0) },
];

#[test]
fn r107_an_alertable_wait_runs_all_queued_apcs_in_order() {
    let event = Event::auto_reset();
    for wait in ALERTABLE {
        for ms in [0, SOON, INFINITE] {
            let log = Log::default();
            (0..100).for_each(|entry| queue_entry(&log, entry));
            assert!(ran(&log).is_empty());
            assert_eq!(wait(&event, ms), WAIT_IO_COMPLETION);
            assert!(ran(&log).into_iter().eq(0..100));
            // All of them: none is left for the next wait.
            assert_ne!(wait(&event, 0), WAIT_IO_COMPLETION);
        }
    }
}

#[test]
fn r107_a_wait_that_is_not_alertable_runs_none() {
    let event = Event::auto_reset();
    for wait in NOT_ALERTABLE {
        let log = Log::default();
        queue_entry(&log, 1);
        for ms in [0, 10] {
            assert_eq!(wait(&event, ms), WAIT_TIMEOUT);
        }
        assert!(ran(&log).is_empty());
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { SleepEx(0, 1) }, WAIT_IO_COMPLETION);
        assert_eq!(ran(&log), [1]);
    }
}

#[test]
fn r107_an_alertable_wait_without_apcs_times_out() {
    let event = Event::auto_reset();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { SleepEx(10, 1) }, 0);
    for wait in ALERTABLE_FOR_EVENTS {
        assert_eq!(wait(&event, 0), WAIT_TIMEOUT);
        assert_eq!(wait(&event, 10), WAIT_TIMEOUT);
        event.set();
        assert_eq!(wait(&event, 10), WAIT_OBJECT_0);
    }
}

#[test]
fn r107_an_apc_ends_a_wait_that_has_begun() {
    for wait in ALERTABLE {
        let outcome = Arc::new(AtomicUsize::new(0));
        let of_thread = outcome.clone();
        let waiter = Thread::start(move || {
            let event = Event::auto_reset();
            of_thread.store(wait(&event, INFINITE) as usize, Ordering::SeqCst);
        });
        pause();
        let log = Log::default();
        let logged = log.clone();
        let call = move || logged.lock().expect("no panic").push(1);
        assert_eq!(queue_apc(*waiter, call), Ok(()));
        waiter.join();
        assert_eq!(ran(&log), [1]);
        assert_eq!(outcome.load(Ordering::SeqCst), WAIT_IO_COMPLETION as usize);
    }
}

#[test]
fn r107_an_event_set_by_an_apc_is_taken_by_the_next_call() {
    for wait in ALERTABLE_FOR_EVENTS {
        let event = Arc::new(Event::auto_reset());
        let of_apc = event.clone();
        assert_eq!(queue_apc(this_thread(), move || of_apc.set()), Ok(()));
        assert_eq!(wait(&event, SOON), WAIT_IO_COMPLETION);
        assert_eq!(wait(&event, 0), WAIT_OBJECT_0);
        assert_eq!(wait(&event, 0), WAIT_TIMEOUT);
    }
}

/// With both at hand, one call reports the one and the next the other; neither is lost, and no call
/// takes the event while it reports APCs.
#[test]
fn r107_a_set_event_and_an_apc_are_reported_one_by_one() {
    for wait in ALERTABLE_FOR_EVENTS {
        let (event, log) = (Event::auto_reset(), Log::default());
        event.set();
        queue_entry(&log, 1);
        let mut codes = [0; 2];
        for code in &mut codes {
            let ran_before = ran(&log).len();
            *code = wait(&event, 0);
            let ran_now = ran(&log).len() > ran_before;
            assert_eq!(ran_now, *code == WAIT_IO_COMPLETION);
        }
        codes.sort_unstable();
        assert_eq!(codes, [WAIT_OBJECT_0, WAIT_IO_COMPLETION]);
        assert_eq!(wait(&event, 0), WAIT_TIMEOUT);
    }
}

#[test]
fn r107_apcs_that_queue_apcs_are_followed_by_them() {
    for wait in ALERTABLE {
        let (event, log) = (Event::auto_reset(), Log::default());
        let inner = log.clone();
        assert_eq!(
            queue_apc(this_thread(), move || {
                inner.lock().expect("no panic").push(1);
                queue_entry(&inner, 3);
            }),
            Ok(())
        );
        queue_entry(&log, 2);
        assert_eq!(wait(&event, SOON), WAIT_IO_COMPLETION);
        assert_eq!(ran(&log), [1, 2, 3]);
    }
}

#[test]
fn r107_a_wait_inside_an_apc_runs_the_rest() {
    for wait in ALERTABLE {
        let log = Log::default();
        let inner = log.clone();
        assert_eq!(
            queue_apc(this_thread(), move || {
                let code = wait(&Event::auto_reset(), SOON);
                inner.lock().expect("no panic").extend([code as usize, 1]);
            }),
            Ok(())
        );
        queue_entry(&log, 2);
        queue_entry(&log, 3);
        assert_eq!(wait(&Event::auto_reset(), SOON), WAIT_IO_COMPLETION);
        assert_eq!(ran(&log), [2, 3, WAIT_IO_COMPLETION as usize, 1]);
    }
}

#[test]
fn r107_waiting_for_all_is_alertable_too_and_takes_nothing_then() {
    let (a, b) = (Event::auto_reset(), Event::auto_reset());
    let log = Log::default();
    a.set();
    queue_entry(&log, 1);
    // SAFETY: the two handles are readable.
    let both = |ms| unsafe { WSAWaitForMultipleEvents(2, [*a, *b].as_ptr(), 1, ms, 1) };
    assert_eq!(both(SOON), WAIT_IO_COMPLETION);
    assert_eq!(ran(&log), [1]);
    assert_eq!(both(0), WAIT_TIMEOUT);
    b.set();
    assert!(both(SOON) < 2);
    assert!(!a.is_set() && !b.is_set());
}

/// Many threads send calls to one that waits with short time-outs, long ones, or not at all: each
/// runs once, on that thread, and those of one sender in their order.
#[test]
fn r107_calls_from_many_threads_all_run_once_and_in_order() {
    const EACH: usize = 500;
    const SENDERS: usize = 3;
    let log = Log::default();
    let done = Arc::new(AtomicBool::new(false));
    let target = {
        let done = done.clone();
        Thread::start(move || {
            let event = Event::auto_reset();
            for wait in ALERTABLE.iter().cycle() {
                for ms in [0, 1, 20] {
                    wait(&event, ms);
                }
                if done.load(Ordering::SeqCst) {
                    break;
                }
            }
        })
    };
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (target, log) = (&target, &log);
            scope.spawn(move || {
                for n in 0..EACH {
                    let log = log.clone();
                    let call = move || log.lock().expect("no panic").push(sender * EACH + n);
                    assert_eq!(queue_apc(**target, call), Ok(()));
                }
            });
        }
    });
    assert!(comes_true(|| ran(&log).len() == SENDERS * EACH));
    done.store(true, Ordering::SeqCst);
    target.join();
    let mut all = ran(&log);
    for sender in 0..SENDERS {
        assert!(all.iter().filter(|entry| **entry / EACH == sender).is_sorted());
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..SENDERS * EACH));
}

/// A call that meets the end of a wait runs in that wait or in the next one.
#[test]
fn r107_a_call_that_meets_a_time_out_is_not_lost() {
    let runs = Arc::new(AtomicUsize::new(0));
    let (rounds, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let target = {
        let (runs, rounds, done) = (runs.clone(), rounds.clone(), done.clone());
        Thread::start(move || {
            while !done.load(Ordering::SeqCst) {
                let before = runs.load(Ordering::SeqCst);
                // SAFETY: no memory is passed.
                let code = unsafe { SleepEx(1, 1) };
                let ran = runs.load(Ordering::SeqCst) != before;
                if ran != (code == WAIT_IO_COMPLETION) {
                    rounds.store(usize::MAX, Ordering::SeqCst);
                }
            }
        })
    };
    for count in 1..=200 {
        let counted = runs.clone();
        let call = move || {
            counted.fetch_add(1, Ordering::SeqCst);
        };
        assert_eq!(queue_apc(*target, call), Ok(()));
        assert!(comes_true(|| runs.load(Ordering::SeqCst) == count));
        thread::sleep(Duration::from_micros(900 + count as u64));
    }
    done.store(true, Ordering::SeqCst);
    target.join();
    assert_eq!(rounds.load(Ordering::SeqCst), 0, "a wait did not report what it ran");
}

// Blocking Winsock calls.

#[test]
fn r108_a_receive_that_has_data_runs_no_apc() {
    let (socket, peer) = tcp_pair();
    let log = Log::default();
    queue_entry(&log, 1);
    send_all(&peer, b"abc");
    pause();
    assert_eq!(recv_some(&socket).as_deref(), Ok(&b"abc"[..]));
    assert!(ran(&log).is_empty());
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { SleepEx(0, 1) }, WAIT_IO_COMPLETION);
}

#[test]
fn r108_a_receive_that_waits_runs_apcs_and_waits_on() {
    let (socket, peer) = tcp_pair();
    let log = Log::default();
    queue_entry(&log, 1);
    queue_entry(&log, 2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let both_ran = comes_true(|| ran(&log).len() == 2);
            send_all(&peer, b"abc");
            assert!(both_ran);
        });
        assert_eq!(recv_some(&socket).as_deref(), Ok(&b"abc"[..]));
    });
    assert_eq!(ran(&log), [1, 2]);
}

#[test]
fn r108_an_apc_reaches_a_receive_that_waits_already() {
    let (socket, peer) = tcp_pair();
    let received = Arc::new(Mutex::new(None));
    let of_thread = received.clone();
    let reader = Thread::start(move || {
        *of_thread.lock().expect("no panic") = Some(recv_some(&socket));
    });
    pause();
    let log = Log::default();
    let logged = log.clone();
    let call = move || logged.lock().expect("no panic").push(1);
    assert_eq!(queue_apc(*reader, call), Ok(()));
    assert!(comes_true(|| ran(&log) == [1]));
    send_all(&peer, b"abc");
    reader.join();
    assert_eq!(received.lock().expect("no panic").take(), Some(Ok(b"abc".to_vec())));
}

#[test]
fn r108_an_accept_that_waits_runs_apcs_and_waits_on() {
    let (listener, addr) = listener();
    let called = Arc::new(Event::manual_reset());
    let of_apc = called.clone();
    assert_eq!(queue_apc(this_thread(), move || of_apc.set()), Ok(()));
    let ran = thread::scope(|scope| {
        let client = scope.spawn(|| {
            let ran = called.is_set_within(2_000);
            (ran, connect_to(&addr))
        });
        drop(accept_one(&listener));
        client.join().expect("no panic").0
    });
    // Wine 8.0 runs it at the next alertable wait.
    differs_on_wine(|| assert!(ran));
}

#[test]
fn r108_an_accept_with_a_connection_waiting_runs_no_apc() {
    let (listener, addr) = listener();
    let _client = connect_to(&addr);
    pause();
    let log = Log::default();
    queue_entry(&log, 1);
    drop(accept_one(&listener));
    assert!(ran(&log).is_empty());
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { SleepEx(0, 1) }, WAIT_IO_COMPLETION);
}

// Threads that have ended.

#[test]
fn r109_a_thread_that_has_ended_takes_no_apc() {
    let ended = Thread::start(|| ());
    ended.join();
    let log = Log::default();
    let logged = log.clone();
    let call = move || logged.lock().expect("no panic").push(1);
    assert_eq!(queue_apc(*ended, call), Err(ERROR_GEN_FAILURE));
    assert!(ran(&log).is_empty());
}

#[test]
fn r109_apcs_of_a_thread_that_ends_without_waiting_are_lost() {
    let log = Log::default();
    let logged = log.clone();
    let ended = Thread::start(move || queue_entry(&logged, 1));
    ended.join();
    assert!(ran(&log).is_empty());
}
