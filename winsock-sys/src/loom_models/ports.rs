//! The port: every packet reaches one thread, in order, and no more threads run than may.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use super::{explore, join};
use crate::dispatch::{Waited, Waits};
use crate::event::Signal;
use crate::notify::{ENABLED, Notice, ONE_SHOT};
use crate::port::{Empty, Packet, Port};
use crate::thread::{Alertable, Apc, Thread};
use crate::wait::Deadline;

fn packet(key: usize) -> Packet {
    Packet { key, overlapped: std::ptr::null_mut(), bytes: 0, status: 0 }
}

fn post(port: &Arc<Port>, keys: &'static [usize]) -> thread::JoinHandle<()> {
    let port = port.clone();
    thread::spawn(move || keys.iter().for_each(|&key| port.post(packet(key))))
}

/// The keys that one call brings.
fn take_some(
    port: &Arc<Port>,
    thread: &Arc<Thread>,
    max: usize,
    deadline: Deadline,
) -> Result<Vec<usize>, Empty> {
    let mut keys = Vec::new();
    let taken =
        port.take(thread, max, deadline, Alertable::Never, |packet| keys.push(packet.key))?;
    assert_eq!(taken, keys.len());
    Ok(keys)
}

fn take(port: &Arc<Port>, thread: &Arc<Thread>) -> usize {
    take_some(port, thread, 1, Deadline::Never).unwrap()[0]
}

fn is_empty(port: &Arc<Port>) -> bool {
    take_some(port, &super::thread(), 1, Deadline::Now) == Err(Empty::TimedOut)
}

#[test]
fn two_posters_reach_two_takers() {
    explore(|| {
        let port = Arc::new(Port::new(2));
        let posters = [post(&port, &[1]), post(&port, &[2])];
        let taker = {
            let port = port.clone();
            thread::spawn(move || take(&port, &super::thread()))
        };
        let mut keys = [take(&port, &super::thread()), taker.join().unwrap()];
        keys.sort_unstable();
        assert_eq!(keys, [1, 2]);
        join(posters);
        assert!(is_empty(&port));
    });
}

/// Rule 40: what one thread has posted is taken in that order, whatever another one posts.
#[test]
fn packets_leave_in_the_order_they_came() {
    explore(|| {
        let port = Arc::new(Port::new(1));
        let posters = [post(&port, &[1, 2]), post(&port, &[7])];
        let thread = super::thread();
        let mut keys = vec![];
        while keys.len() < 3 {
            keys.extend(take_some(&port, &thread, 2, Deadline::Never).unwrap());
        }
        keys.retain(|&key| key != 7);
        assert_eq!(keys, [1, 2]);
        join(posters);
        port.retire(&thread);
        assert!(is_empty(&port));
    });
}

/// A cell that two threads may not be in at once.
struct Alone(UnsafeCell<usize>);

// SAFETY: the cell is loom's, which finds out whether two threads meet in it.
unsafe impl Send for Alone {}
// SAFETY: as above.
unsafe impl Sync for Alone {}

impl Alone {
    fn visit(&self) {
        // SAFETY: loom panics here if anybody else is inside, or was without our having seen it.
        self.0.with_mut(|visits| unsafe { *visits += 1 });
    }
}

/// Rules 41 and 143: with value 1 the second packet waits until whoever has the first is done, be
/// it by coming back or by going to wait elsewhere.
#[test]
fn with_concurrency_one_one_thread_works_at_a_time() {
    explore(|| {
        let port = Arc::new(Port::new(1));
        let alone = Arc::new(Alone(UnsafeCell::new(0)));
        let work = |leave: fn(&Arc<Port>, &Arc<Thread>)| {
            let (port, alone) = (port.clone(), alone.clone());
            thread::spawn(move || {
                let thread = super::thread();
                take(&port, &thread);
                alone.visit();
                leave(&port, &thread);
            })
        };
        let workers = [
            work(|port, thread| assert!(port.retire(thread))),
            work(|port, thread| {
                if take_some(port, thread, 1, Deadline::Now).is_ok() {
                    port.post(packet(3)); // It was the other's.
                    port.retire(thread);
                }
            }),
        ];
        let poster = post(&port, &[1, 2]);
        poster.join().unwrap();
        join(workers);
        assert!(is_empty(&port));
    });
}

/// Rule 143: a thread that took a packet waits for a second thread, which needs one too.
#[test]
fn a_runner_that_waits_elsewhere_lets_another_run() {
    explore(|| {
        let port = Arc::new(Port::new(1));
        let waits = Arc::new((Waits::new(), Signal::new(true, false)));
        let work = |second: bool| {
            let (port, waits) = (port.clone(), waits.clone());
            thread::spawn(move || {
                let thread = super::thread();
                let key = take(&port, &thread);
                let (waits, signal) = &*waits;
                if key == 2 {
                    signal.set(waits);
                } else {
                    assert!(port.retire(&thread), "second: {second}");
                    let waited =
                        waits.wait(&thread, &[signal], false, Deadline::Never, Alertable::Never);
                    assert_eq!(waited, Waited::Signal(0));
                    port.resume(&thread);
                }
                port.retire(&thread);
            })
        };
        let workers = [work(false), work(true)];
        port.post(packet(1));
        port.post(packet(2));
        join(workers);
        assert!(is_empty(&port));
    });
}

/// A thread that gives up at the moment of the post has the packet or has left it.
#[test]
fn a_take_that_gives_up_loses_no_packet() {
    explore(|| {
        let port = Arc::new(Port::new(2));
        let poster = post(&port, &[1]);
        let thread = super::thread();
        let taken = take_some(&port, &thread, 1, Deadline::Now);
        poster.join().unwrap();
        port.retire(&thread);
        let left = take_some(&port, &super::thread(), 1, Deadline::Now);
        match taken {
            Ok(keys) => assert_eq!((keys, left), (vec![1], Err(Empty::TimedOut))),
            Err(empty) => assert_eq!((empty, left), (Empty::TimedOut, Ok(vec![1]))),
        }
    });
}

/// One of two waiting threads gives up, from wherever in the stack it stands.
#[test]
fn who_gives_up_does_not_take_another_waiter_along() {
    explore(|| {
        let port = Arc::new(Port::new(2));
        let stayer = {
            let port = port.clone();
            thread::spawn(move || take(&port, &super::thread()))
        };
        let poster = post(&port, &[1]);
        let thread = super::thread();
        if let Ok(keys) = take_some(&port, &thread, 1, Deadline::Now) {
            assert_eq!(keys, [1]);
            port.post(packet(2)); // The stayer's turn.
        }
        assert!(matches!(stayer.join().unwrap(), 1 | 2));
        poster.join().unwrap();
        port.retire(&thread);
        assert!(is_empty(&port));
    });
}

/// Rule 29, with a packet on its way: each waiter gets it or hears of the end.
#[test]
fn closing_tells_everyone_who_waits() {
    explore(|| {
        let port = Arc::new(Port::new(2));
        let wait = || {
            let port = port.clone();
            thread::spawn(move || take_some(&port, &super::thread(), 1, Deadline::Never))
        };
        let waiters = [wait(), wait()];
        let poster = post(&port, &[1]);
        port.close();
        let outcomes = join(waiters);
        poster.join().unwrap();
        let served = outcomes.iter().filter(|outcome| **outcome == Ok(vec![1])).count();
        let told = outcomes.iter().filter(|outcome| **outcome == Err(Empty::Closed)).count();
        assert!(served <= 1 && served + told == 2, "{outcomes:?}");
    });
}

/// Rule 46: packet and APC come at once, and neither is lost to the other.
#[test]
fn an_apc_costs_no_packet() {
    unsafe extern "system" fn nothing(_data: usize) {}
    explore(|| {
        let port = Arc::new(Port::new(1));
        let thread = super::thread();
        let caller = {
            let thread = thread.clone();
            thread::spawn(move || assert!(thread.queue(Apc::User { function: nothing, data: 0 })))
        };
        let poster = post(&port, &[1]);
        let mut keys = vec![];
        let mut apcs = 0;
        while keys.is_empty() || apcs == 0 {
            match port
                .take(&thread, 1, Deadline::Never, Alertable::Fully, |packet| keys.push(packet.key))
            {
                Ok(taken) => assert_eq!(taken, 1),
                Err(Empty::Apc) => {
                    assert!(thread.run_apcs());
                    apcs += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        caller.join().unwrap();
        poster.join().unwrap();
        assert_eq!((keys, apcs), (vec![1], 1));
        port.retire(&thread);
        assert!(is_empty(&port));
    });
}

/// Rules 182 and 185: what is told while the packet is taken is in that packet or in the next one.
#[test]
fn no_event_of_a_notice_is_lost() {
    explore(|| {
        let port = Arc::new(Port::new(1));
        let notice = Notice::new(&port, 1, 0);
        notice.set_mode(ENABLED);
        let teller = {
            let notice = notice.clone();
            thread::spawn(move || [1, 2].iter().for_each(|&event| notice.tell(event)))
        };
        let (thread, mut seen) = (super::thread(), 0);
        while seen != 3 {
            let taken = |packet: Packet| {
                assert_ne!(packet.bytes & !seen, 0, "a packet that tells nothing");
                seen |= packet.bytes;
            };
            port.take(&thread, 1, Deadline::Never, Alertable::Never, taken).unwrap();
        }
        teller.join().unwrap();
        assert!(is_empty(&port));
    });
}

/// Rule 184: one packet, whatever happens while it is taken.
#[test]
fn a_one_shot_notice_has_one_packet() {
    explore(|| {
        let port = Arc::new(Port::new(2));
        let notice = Notice::new(&port, 1, 0);
        notice.set_mode(ENABLED | ONE_SHOT);
        let tellers = [1, 2].map(|event| {
            let notice = notice.clone();
            thread::spawn(move || notice.tell(event))
        });
        assert_eq!(take(&port, &super::thread()), 1);
        join(tellers);
        assert!(is_empty(&port));
    });
}
