//! The parker: whoever is told to wake up does, wherever it is on its way to sleep.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;

use super::{explore, join};
use crate::park::{Bed, Parker, Rouse};

/// A thread that waits for two words from others.
struct Sleeper {
    parker: Parker,
    told: [AtomicBool; 2],
    kicks: Kicks,
}

/// What an eventfd is to the leader and a pending signal to a blocked thread: it stays until it is
/// noticed.
struct Kicks {
    pending: Mutex<bool>,
    came: Condvar,
}

impl Kicks {
    fn new() -> Kicks {
        Kicks { pending: Mutex::new(false), came: Condvar::new() }
    }

    fn kick(&self) {
        *self.pending.lock().unwrap() = true;
        self.came.notify_one();
    }

    fn wait(&self) {
        let mut pending = self.pending.lock().unwrap();
        while !std::mem::take(&mut *pending) {
            pending = self.came.wait(pending).unwrap();
        }
    }
}

impl Sleeper {
    fn new() -> Arc<Sleeper> {
        Arc::new(Sleeper {
            parker: Parker::new(),
            told: [AtomicBool::new(false), AtomicBool::new(false)],
            kicks: Kicks::new(),
        })
    }

    fn is_told(&self, words: usize) -> bool {
        self.told[..words].iter().all(|told| told.load(Ordering::Relaxed))
    }

    /// Tells it one word, as `Thread::unpark` wakes it.
    fn tell(self: &Arc<Sleeper>, word: usize, bed: Option<Bed>) -> thread::JoinHandle<()> {
        let sleeper = self.clone();
        thread::spawn(move || {
            // Relaxed: the parker alone has to make it visible.
            sleeper.told[word].store(true, Ordering::Relaxed);
            match sleeper.parker.notify() {
                Rouse::Nothing => {}
                Rouse::Parked => sleeper.parker.wake(),
                Rouse::Leader => {
                    assert_eq!(bed, Some(Bed::Leader));
                    sleeper.kicks.kick();
                }
                Rouse::Blocked => {
                    assert_eq!(bed, Some(Bed::Blocked));
                    sleeper.kicks.kick();
                }
            }
        })
    }
}

#[test]
fn two_unparks_are_not_lost_on_a_parking_thread() {
    explore(|| {
        let sleeper = Sleeper::new();
        let tellers = [sleeper.tell(0, None), sleeper.tell(1, None)];
        while !sleeper.is_told(2) {
            sleeper.parker.park(None);
        }
        join(tellers);
    });
}

#[test]
fn a_park_whose_time_is_up_leaves_nothing_behind_that_harms() {
    explore(|| {
        let sleeper = Sleeper::new();
        let tellers = [sleeper.tell(0, None), sleeper.tell(1, None)];
        sleeper.parker.park(Some(1));
        while !sleeper.is_told(2) {
            sleeper.parker.park(None);
        }
        join(tellers);
    });
}

#[test]
fn an_unpark_reaches_the_leader_and_the_blocked() {
    for bed in [Bed::Leader, Bed::Blocked] {
        explore(move || {
            let sleeper = Sleeper::new();
            let tellers = [sleeper.tell(0, Some(bed)), sleeper.tell(1, Some(bed))];
            while !sleeper.is_told(2) {
                if sleeper.parker.enter(bed) {
                    sleeper.kicks.wait();
                    sleeper.parker.leave();
                }
            }
            join(tellers);
        });
    }
}

/// The leader decides by `is_notified` whether something of what it hands out was for itself.
#[test]
fn a_word_told_while_awake_is_noticed() {
    explore(|| {
        let sleeper = Sleeper::new();
        let teller = sleeper.tell(0, None);
        if sleeper.parker.is_notified() {
            sleeper.parker.park(None);
            assert!(sleeper.is_told(1));
        }
        teller.join().unwrap();
        assert!(sleeper.is_told(1));
    });
}
