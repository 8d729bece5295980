//! The completion port: a queue of packets and a stack of threads.
//!
//! Packets leave in the order they came (rule 40). Of the threads that wait, the one that came last
//! is served first, so that a busy server works with few, warm threads; at most `concurrency`
//! threads that took packets run at a time (rules 41 and 143).
//!
//! A packet for which a thread waits never enters the queue: it is put into that thread's hand
//! under the port's lock. The queue is therefore non-empty only while nobody may take from it, and
//! a thread woken for a packet always has one.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use windows_sys::Win32::Foundation::NTSTATUS;
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::backend;
use crate::notify::Notice;
use crate::sync::{Mutex, MutexGuard, UnsafeCell, lock};
use crate::thread::{Alertable, Thread};
use crate::wait::{Deadline, Look, Outcome, wait};

/// What one completion says. The pointer is carried, never followed: PostQueuedCompletionStatus may
/// pass any value (rule 44).
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub key: usize,
    pub overlapped: *mut OVERLAPPED,
    pub bytes: u32,
    pub status: NTSTATUS,
}

// SAFETY: see above: nobody follows the pointer.
unsafe impl Send for Packet {}

/// What waits in a port's queue.
enum Item {
    Packet(Packet),
    /// What a socket shows, which is known when it is taken.
    Notice(Arc<Notice>),
}

/// Why a thread left the port without a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    TimedOut,
    /// The port was closed (rule 29).
    Closed,
    /// APCs are queued and none has run yet (rule 46).
    Apc,
}

/// How many completions a thread has prepared at a time, however many it could take: more would
/// push the first ones out of the cache before they are handled.
const LOCALITY: usize = 16;

/// How many packets may come from the queue in a row before the backend is asked.
const PATIENCE: usize = 128;

/// A completion port.
pub struct Port {
    state: Mutex<State>,
    concurrency: usize,
    /// Who supplies threads when there are too few.
    staff: Option<Weak<dyn Staff>>,
}

/// A pool of threads that serves a port.
pub trait Staff: Send + Sync {
    /// Packets wait, no thread does, and only `running` ones run, fewer than may. Called without
    /// the port's lock.
    fn is_short(self: Arc<Self>, running: usize);
}

struct State {
    queue: VecDeque<Item>,
    /// Notices that have been taken, and are to be told again if what they tell of still holds.
    repeats: Vec<Arc<Notice>>,
    /// The most recent last.
    waiters: Vec<Waiter>,
    /// The threads that took a packet and have neither come back nor gone to wait elsewhere.
    runners: Vec<Runner>,
    /// Packets taken from the queue since the backend was last asked.
    unlooked: usize,
    /// Counts packets put into a waiter's hand.
    handed: u64,
    /// Open handles: DuplicateHandle makes more.
    handles: u32,
    closed: bool,
    /// The watch has been asked to look after this port.
    watched: bool,
}

struct Runner {
    id: u32,
    tid: i32,
}

struct Waiter {
    thread: Arc<Thread>,
    hand: *const UnsafeCell<Hand>,
}

// SAFETY: `hand` points into the waiting thread's stack and is followed only under the port's lock,
// by whoever takes the waiter off the stack; that thread does not leave before its waiter has.
unsafe impl Send for Waiter {}

/// Where a waiting thread receives.
enum Hand {
    Empty,
    Item(Item),
    Closed,
}

impl Port {
    /// `concurrency` 0 means the number of processors (rule 16).
    pub fn new(concurrency: u32) -> Port {
        Port::with_staff(concurrency, None)
    }

    pub fn with_staff(concurrency: u32, staff: Option<Weak<dyn Staff>>) -> Port {
        let concurrency = match concurrency {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
            n => n as usize,
        };
        Port {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                repeats: Vec::new(),
                waiters: Vec::new(),
                runners: Vec::new(),
                unlooked: 0,
                handed: 0,
                handles: 1,
                closed: false,
                watched: false,
            }),
            concurrency,
            staff,
        }
    }

    /// Whether a thread waits for a packet.
    pub fn has_waiters(&self) -> bool {
        !lock(&self.state).waiters.is_empty()
    }

    /// How many threads may run.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// Gives the packet to the thread that came last, or queues it.
    pub fn post(self: &Arc<Port>, packet: Packet) {
        self.post_item(Item::Packet(packet));
    }

    /// As [`Port::post`], for a packet whose content is known when it is taken.
    pub fn post_notice(self: &Arc<Port>, notice: Arc<Notice>) {
        self.post_item(Item::Notice(notice));
    }

    fn post_item(self: &Arc<Port>, item: Item) {
        let mut state = lock(&self.state);
        if state.closed {
            return; // Nobody can ever take it: the handle is gone.
        }
        state.queue.push_back(item);
        self.release(state);
    }

    pub fn is_closed(&self) -> bool {
        lock(&self.state).closed
    }

    /// Takes up to `max` packets, oldest first, waiting for the first one. Returns how many were
    /// passed to `take`.
    pub fn take(
        self: &Arc<Port>,
        thread: &Arc<Thread>,
        max: usize,
        deadline: Deadline,
        alertable: Alertable,
        mut take: impl FnMut(Packet),
    ) -> Result<usize, Empty> {
        let mut state = lock(&self.state);
        // Whoever comes back does not run any more, and is first in line for what is queued (rule
        // 42).
        state.retire(thread);
        if !state.repeats.is_empty() {
            state = self.repeat(state);
        }
        if state.closed {
            return Err(Empty::Closed);
        }
        if state.runners.len() < self.concurrency && !state.queue.is_empty() {
            state.run(thread);
            let taken = state.drain(max, &mut take);
            let due = state.is_due_to_look(taken);
            if state.others_wait_for_repeats() {
                state = self.repeat(state);
            }
            if self.staff.is_some() {
                self.release(state); // There may be work for more threads than there are.
            } else {
                drop(state);
            }
            if due {
                backend::look(thread, LOCALITY);
            }
            return Ok(taken);
        }
        let hand = UnsafeCell::new(Hand::Empty);
        state.unlooked = 0;
        state.waiters.push(Waiter { thread: thread.clone(), hand: &hand });
        let mut handed = state.handed;
        let mut others_wait = false;
        self.release(state);

        let outcome = wait(thread, deadline, alertable, max.min(LOCALITY), || {
            let mut state = lock(&self.state);
            // SAFETY: the hand is ours and others touch it under the lock only.
            match hand.with_mut(|hand| unsafe { std::mem::replace(&mut *hand, Hand::Empty) }) {
                Hand::Empty if state.handed == handed => Look::Wait,
                Hand::Empty => {
                    // What came went to a thread that waits above us: it is the one that works now,
                    // so let it drive too when it comes back, and cost no second wake-up each time.
                    handed = state.handed;
                    Look::StandBy
                }
                Hand::Closed => Look::Ready(Err(Empty::Closed)),
                Hand::Item(item) => {
                    take(state.deliver(item));
                    let drained = state.drain(max - 1, &mut take);
                    others_wait = state.others_wait_for_repeats();
                    Look::Ready(Ok(1 + drained))
                }
            }
        });
        if others_wait {
            drop(self.repeat(lock(&self.state)));
        }
        match outcome {
            Outcome::Ready(result) => result,
            Outcome::TimedOut => self.withdraw(&hand, Empty::TimedOut, take),
            Outcome::Apc => self.withdraw(&hand, Empty::Apc, take),
        }
    }

    /// Ends a wait that was in vain, unless something came in the last moment.
    fn withdraw(
        &self,
        hand: &UnsafeCell<Hand>,
        empty: Empty,
        mut take: impl FnMut(Packet),
    ) -> Result<usize, Empty> {
        let mut state = lock(&self.state);
        // SAFETY: the hand is our caller's and others touch it under the lock only.
        match hand.with_mut(|hand| unsafe { std::mem::replace(&mut *hand, Hand::Empty) }) {
            Hand::Item(item) => {
                take(state.deliver(item));
                Ok(1)
            }
            Hand::Closed => Err(Empty::Closed),
            Hand::Empty => {
                state.waiters.retain(|waiter| !std::ptr::eq(waiter.hand, hand));
                Err(empty)
            }
        }
    }

    /// The thread does not run for this port any more (it waits elsewhere, works for another port
    /// or ends); another is released in its place. False when it did not run before.
    pub fn retire(self: &Arc<Port>, thread: &Thread) -> bool {
        let mut state = lock(&self.state);
        let ran = state.retire(thread);
        if ran {
            self.release(state);
        }
        ran
    }

    /// The thread runs again; the limit may be exceeded by that for a while (rule 41).
    pub fn resume(&self, thread: &Thread) {
        lock(&self.state).run(thread);
    }

    /// One more handle to the port.
    pub fn hold(&self) {
        lock(&self.state).handles += 1;
    }

    /// One handle less. True when it was the last.
    pub fn let_go(&self) -> bool {
        let mut state = lock(&self.state);
        state.handles -= 1;
        state.handles == 0
    }

    /// Closes the port: nobody can take from it any more, and who waits is told so.
    pub fn close(&self) {
        let waiters = {
            let mut state = lock(&self.state);
            state.closed = true;
            state.queue.clear();
            state.repeats.clear();
            for waiter in &state.waiters {
                // SAFETY: under the lock, as `Waiter` demands.
                unsafe { (*waiter.hand).with_mut(|hand| *hand = Hand::Closed) };
            }
            std::mem::take(&mut state.waiters)
        };
        for waiter in waiters {
            waiter.thread.unpark();
        }
    }

    /// Drops runners that the kernel says are asleep: they wait in a place that we cannot see (a
    /// lock, a file, another library), and Windows would release another thread (rule 41). True
    /// while the port needs looking after.
    pub fn drop_sleepers(self: &Arc<Port>, asleep: impl Fn(i32) -> bool) -> bool {
        let tids: Vec<i32> = {
            let mut state = lock(&self.state);
            if !self.is_stalled(&state) {
                state.watched = false;
                return false;
            }
            state.runners.iter().map(|runner| runner.tid).collect()
        };
        // Asking takes a while: posts and takes go on meanwhile.
        let asleep: Vec<i32> = tids.into_iter().filter(|&tid| asleep(tid)).collect();
        let mut state = lock(&self.state);
        state.runners.retain(|runner| !asleep.contains(&runner.tid));
        self.release(state);
        true
    }

    /// Has the notices that were taken look again: what still holds is queued once more. Without
    /// the lock, since they look at sockets.
    fn repeat<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let notices = std::mem::take(&mut state.repeats);
        drop(state);
        notices.iter().for_each(Notice::repeat);
        lock(&self.state)
    }

    /// Hands out queued packets as long as threads wait and the limit allows.
    fn release<'a>(self: &'a Arc<Port>, mut state: MutexGuard<'a, State>) {
        while state.runners.len() < self.concurrency
            && !state.queue.is_empty()
            && let Some(waiter) = state.waiters.pop()
        {
            let item = state.queue.pop_front().expect("the queue is not empty");
            state.run(&waiter.thread);
            state.handed += 1;
            // SAFETY: under the lock, as `Waiter` demands.
            unsafe { (*waiter.hand).with_mut(|hand| *hand = Hand::Item(item)) };
            drop(state);
            waiter.thread.unpark();
            state = lock(&self.state);
        }
        if !state.queue.is_empty() && !state.runners.is_empty() {
            backend::note_served();
        }
        if self.is_stalled(&state) {
            if !std::mem::replace(&mut state.watched, true) {
                drop(state);
                backend::watch_port(self);
            }
        } else if !state.queue.is_empty()
            && let Some(staff) = self.staff.as_ref().and_then(Weak::upgrade)
        {
            let running = state.runners.len();
            drop(state);
            staff.is_short(running);
        }
    }

    /// Packets wait, threads wait or could be made, and only the limit keeps them apart.
    fn is_stalled(&self, state: &State) -> bool {
        !state.queue.is_empty()
            && state.runners.len() >= self.concurrency
            && (!state.waiters.is_empty() || self.staff.is_some())
    }
}

impl State {
    fn retire(&mut self, thread: &Thread) -> bool {
        let position = self.runners.iter().position(|runner| runner.id == thread.id);
        position.map(|at| self.runners.swap_remove(at)).is_some()
    }

    fn run(&mut self, thread: &Thread) {
        self.retire(thread); // It may have run already, in an APC inside a wait.
        self.runners.push(Runner { id: thread.id, tid: thread.tid });
    }

    fn drain(&mut self, max: usize, take: &mut impl FnMut(Packet)) -> usize {
        let count = max.min(self.queue.len());
        for _ in 0..count {
            let item = self.queue.pop_front().expect("there are so many");
            take(self.deliver(item));
        }
        count
    }

    /// What an item says at the moment when it is taken.
    fn deliver(&mut self, item: Item) -> Packet {
        match item {
            Item::Packet(packet) => packet,
            Item::Notice(notice) => {
                let packet = notice.deliver();
                if notice.repeats() {
                    self.repeats.push(notice);
                }
                packet
            }
        }
    }

    /// Threads that wait shall hear again of what the one that leaves has been told.
    fn others_wait_for_repeats(&self) -> bool {
        !self.repeats.is_empty() && !self.waiters.is_empty()
    }

    /// Whether so many packets came from the queue that it is time to ask the backend: a port that
    /// its own threads keep filling must not shut out the rest of the world.
    fn is_due_to_look(&mut self, taken: usize) -> bool {
        self.unlooked += taken;
        let due = self.unlooked >= PATIENCE;
        if due {
            self.unlooked = 0;
        }
        due
    }
}
