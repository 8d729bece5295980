//! Signals and waits: a set releases whom it should, once, and a wait for all takes all or nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::cell::UnsafeCell;
use loom::thread;

use super::{explore, join};
use crate::dispatch::{Waited, Waits};
use crate::event::Signal;
use crate::thread::{Alertable, Apc};
use crate::wait::Deadline;

/// Two signals, the waits on them, and something that only one thread may touch at a time.
struct Room {
    waits: Waits,
    a: Signal,
    b: Signal,
    visits: UnsafeCell<usize>,
}

// SAFETY: the cell is loom's, which finds out whether two threads meet in it.
unsafe impl Send for Room {}
// SAFETY: as above.
unsafe impl Sync for Room {}

impl Room {
    fn new(taken_by_wait: bool) -> Arc<Room> {
        Arc::new(Room {
            waits: Waits::new(),
            a: Signal::new(taken_by_wait, false),
            b: Signal::new(taken_by_wait, false),
            visits: UnsafeCell::new(0),
        })
    }

    fn wait(&self, signals: &[&Signal], all: bool, deadline: Deadline) -> Waited {
        self.waits.wait(&super::thread(), signals, all, deadline, Alertable::Never)
    }

    fn visit(&self) {
        // SAFETY: loom panics here if anybody else is inside, or was without our having seen it.
        self.visits.with_mut(|visits| unsafe { *visits += 1 });
    }

    fn visits(&self) -> usize {
        // SAFETY: as above.
        self.visits.with(|visits| unsafe { *visits })
    }

    fn spawn<R: 'static>(
        self: &Arc<Room>,
        f: impl FnOnce(&Room) -> R + 'static,
    ) -> thread::JoinHandle<R> {
        let room = self.clone();
        thread::spawn(move || f(&room))
    }
}

/// An auto-reset event as a lock: each set releases one waiter, and what one did before setting it
/// the next one sees.
#[test]
fn an_auto_reset_signal_lets_in_one_at_a_time() {
    explore(|| {
        let room = Room::new(true);
        let visit = |room: &Room| {
            assert_eq!(room.wait(&[&room.a], false, Deadline::Never), Waited::Signal(0));
            room.visit();
            room.a.set(&room.waits);
        };
        let visitors = [room.spawn(visit), room.spawn(visit)];
        room.a.set(&room.waits);
        join(visitors);
        assert!(room.a.is_set());
        assert_eq!(room.visits(), 2);
    });
}

/// Rule 105, in the order that deadlocks whoever takes one and then the other.
#[test]
fn two_waits_for_all_never_split_the_signals() {
    explore(|| {
        let room = Room::new(true);
        let visit = |room: &Room, signals: [&Signal; 2]| {
            assert_eq!(room.wait(&signals, true, Deadline::Never), Waited::Signal(0));
            room.visit();
            signals.iter().for_each(|signal| signal.set(&room.waits));
        };
        let visitors = [
            room.spawn(move |room| visit(room, [&room.a, &room.b])),
            room.spawn(move |room| visit(room, [&room.b, &room.a])),
        ];
        room.a.set(&room.waits);
        room.b.set(&room.waits);
        join(visitors);
        assert!(room.a.is_set() && room.b.is_set());
        assert_eq!(room.visits(), 2);
    });
}

/// While a wait for both still lacks one, the other is there for whoever wants it alone.
#[test]
fn an_unsatisfied_wait_for_all_holds_nothing_back() {
    explore(|| {
        let room = Room::new(true);
        let both = room.spawn(|room| {
            let waited = room.wait(&[&room.a, &room.b], true, Deadline::Never);
            assert_eq!(waited, Waited::Signal(0));
        });
        let one = room.spawn(|room| {
            assert_eq!(room.wait(&[&room.a], false, Deadline::Never), Waited::Signal(0));
            room.a.set(&room.waits);
            room.b.set(&room.waits);
        });
        room.a.set(&room.waits);
        both.join().unwrap();
        one.join().unwrap();
        assert!(!room.a.is_set() && !room.b.is_set());
    });
}

/// A wait that gives up at the moment of the set either has the signal or has left it.
#[test]
fn a_wait_that_gives_up_loses_no_signal() {
    for all in [false, true] {
        explore(move || {
            let room = Room::new(true);
            room.b.set(&room.waits);
            let setter = room.spawn(|room| room.a.set(&room.waits));
            let waiter = room.spawn(move |room| match all {
                false => room.wait(&[&room.a], false, Deadline::Now),
                true => room.wait(&[&room.a, &room.b], true, Deadline::Now),
            });
            setter.join().unwrap();
            let waited = waiter.join().unwrap();
            let taken = waited == Waited::Signal(0);
            assert_eq!(room.a.is_set(), !taken, "{waited:?}");
            assert_eq!(room.b.is_set(), !(all && taken), "{waited:?}");
        });
    }
}

/// With a time-out that lies far off: the sleep ends again and again, the wait does not.
#[test]
fn a_wait_that_wakes_early_sleeps_on() {
    explore(|| {
        let room = Room::new(true);
        let setter = room.spawn(|room| room.a.set(&room.waits));
        let far = Deadline::after_ms(u32::MAX - 1);
        assert_eq!(room.wait(&[&room.b, &room.a], false, far), Waited::Signal(1));
        setter.join().unwrap();
        assert!(!room.a.is_set());
    });
}

/// Rule 104: `a` is set first and `b` after it, so nobody can come to see `b` alone.
#[test]
fn a_wait_for_any_takes_the_lowest_and_leaves_the_rest() {
    explore(|| {
        let room = Room::new(true);
        let setter = room.spawn(|room| {
            room.a.set(&room.waits);
            room.b.set(&room.waits);
        });
        let waited = room.wait(&[&room.a, &room.b], false, Deadline::Never);
        assert_eq!(waited, Waited::Signal(0));
        setter.join().unwrap();
        assert!(!room.a.is_set() && room.b.is_set());
    });
}

#[test]
fn a_manual_reset_signal_releases_all_who_wait() {
    explore(|| {
        let room = Room::new(false);
        let wait = |room: &Room| {
            assert_eq!(room.wait(&[&room.a], false, Deadline::Never), Waited::Signal(0));
        };
        let waiters = [room.spawn(wait), room.spawn(wait)];
        room.a.set(&room.waits);
        join(waiters);
        assert!(room.a.is_set());
    });
}

/// A reset between two sets takes the first one back or comes too late; the second one counts.
#[test]
fn a_reset_undoes_no_later_set() {
    explore(|| {
        let room = Room::new(false);
        let waiter = room.spawn(|room| {
            let waited = room.wait(&[&room.a, &room.b], true, Deadline::Never);
            assert_eq!(waited, Waited::Signal(0));
        });
        let other = room.spawn(|room| room.b.set(&room.waits));
        room.a.set(&room.waits);
        room.a.reset();
        room.a.set(&room.waits);
        waiter.join().unwrap();
        other.join().unwrap();
        assert!(room.a.is_set() && room.b.is_set());
    });
}

/// Rule 107: the APC ends one wait, the signal the next, in whichever order they come.
#[test]
fn an_apc_and_a_signal_end_one_wait_each() {
    unsafe extern "system" fn count(counter: usize) {
        // SAFETY: the model passes a counter that outlives the execution.
        unsafe { &*std::ptr::with_exposed_provenance::<AtomicUsize>(counter) }
            .fetch_add(1, Ordering::Relaxed);
    }
    explore(|| {
        let room = Room::new(true);
        let target = super::thread();
        let runs = Arc::new(AtomicUsize::new(0));
        let data = Arc::as_ptr(&runs).expose_provenance();
        let caller = {
            let target = target.clone();
            room.spawn(move |_| assert!(target.queue(Apc::User { function: count, data })))
        };
        let setter = room.spawn(|room| room.a.set(&room.waits));
        let mut taken = 0;
        while taken == 0 || runs.load(Ordering::Relaxed) == 0 {
            match room.waits.wait(&target, &[&room.a], false, Deadline::Never, Alertable::Fully) {
                Waited::Signal(0) => taken += 1,
                Waited::Apc => assert!(target.run_apcs()),
                other => panic!("{other:?}"),
            }
        }
        caller.join().unwrap();
        setter.join().unwrap();
        assert_eq!((taken, runs.load(Ordering::Relaxed)), (1, 1));
        assert!(!room.a.is_set());
    });
}

/// Of two that look at once, without ever sleeping, one takes it.
#[test]
fn an_auto_reset_signal_that_is_set_goes_to_one() {
    explore(|| {
        let room = Room::new(true);
        room.a.set(&room.waits);
        let look = |room: &Room| {
            let taken = room.wait(&[&room.a], false, Deadline::Now) == Waited::Signal(0);
            if taken {
                room.visit();
            }
            taken
        };
        let lookers = [room.spawn(look), room.spawn(look)];
        let taken = join(lookers);
        assert!(taken[0] != taken[1], "{taken:?}");
        assert!(!room.a.is_set());
    });
}

/// Rule 104 without the lock: whoever takes `b`, which is there all the time, did so before `a` was
/// set; so the set of `b` that follows finds it taken, and is not lost.
#[test]
fn a_look_takes_the_lowest_at_one_moment() {
    for taken_by_wait in [false, true] {
        explore(move || {
            let room = Room::new(taken_by_wait);
            room.b.set(&room.waits);
            let setter = room.spawn(|room| {
                room.a.set(&room.waits);
                room.b.set(&room.waits);
            });
            let looker = room.spawn(|room| room.wait(&[&room.a, &room.b], false, Deadline::Now));
            let waited = looker.join().unwrap();
            setter.join().unwrap();
            assert!(room.b.is_set(), "{waited:?}");
            let took_a = waited == Waited::Signal(0);
            assert_eq!(room.a.is_set(), !(taken_by_wait && took_a), "{waited:?}");
            assert!(took_a || waited == Waited::Signal(1), "{waited:?}");
        });
    }
}

/// `a` is unset only while `b` is set, and `b` only while `a` is: a look never finds both unset.
#[test]
fn a_look_that_a_reset_meets_sees_one_moment() {
    explore(|| {
        let room = Room::new(false);
        room.a.set(&room.waits);
        let changer = room.spawn(|room| {
            for _ in 0..2 {
                room.b.set(&room.waits);
                room.a.reset();
                room.a.set(&room.waits);
                room.b.reset();
            }
        });
        let looker = room.spawn(|room| room.wait(&[&room.a, &room.b], false, Deadline::Now));
        changer.join().unwrap();
        let waited = looker.join().unwrap();
        assert!(matches!(waited, Waited::Signal(_)), "{waited:?}");
    });
}

/// A setter that finds nobody asleep goes without the lock again, and the next sleeper is not lost.
#[test]
fn a_signal_that_was_awaited_once_is_set_for_the_next() {
    explore(|| {
        let room = Room::new(true);
        let wait = |room: &Room| {
            assert_eq!(room.wait(&[&room.a], false, Deadline::Never), Waited::Signal(0));
        };
        let setter = room.spawn(|room| room.a.set(&room.waits));
        wait(&room);
        setter.join().unwrap();
        let setter = room.spawn(|room| {
            room.a.set(&room.waits);
            assert_eq!(room.wait(&[&room.b], false, Deadline::Never), Waited::Signal(0));
            room.a.set(&room.waits);
        });
        wait(&room);
        room.b.set(&room.waits);
        wait(&room);
        setter.join().unwrap();
        assert!(!room.a.is_set() && !room.b.is_set());
    });
}
