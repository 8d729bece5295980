//! Waits: who sleeps for which signals, and whom a signal that is set satisfies.
//!
//! A wait for one of several signals that finds one set takes it without a lock
//! ([`Wanted::try_any`]). A thread that has to sleep puts itself into the rings of all its signals,
//! under the one lock of [`Waits`]; from then on whoever sets one of them decides under that lock,
//! in order of arrival, whom it satisfies, and takes the signals on behalf of the sleepers. So an
//! auto-reset event releases exactly one thread, and a wait for all takes all or nothing (rule
//! 105). The [`Link`]s of the rings lie on the sleepers' stacks: waiting allocates nothing.

use std::pin::Pin;
use std::ptr;
use std::sync::{Arc, Weak};

use crate::array::Array;
use crate::backend;
use crate::event::{Kind, Seen, Signal};
use crate::mutex::{Mutant, NotOwner};
use crate::object::WAITS;
use crate::park::Rouse;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Cell, Mutex, lock};
use crate::thread::{Alertable, Thread};
use crate::wait::{Deadline, Look, Outcome, wait};

/// The most signals that one wait takes (MAXIMUM_WAIT_OBJECTS).
pub const MOST: usize = 64;

/// The waits on one world of signals: the program's is [`WAITS`](crate::object::WAITS).
pub struct Waits {
    lock: Mutex<()>,
}

/// One sleeping thread's place in the ring of one signal.
#[derive(Debug)]
pub struct Link {
    signal: Cell<*const Signal>,
    next: Cell<*const Link>,
    previous: Cell<*const Link>,
    block: Cell<*const Block<'static>>,
    /// Which of the thread's signals this is.
    index: usize,
}

/// Who is told that a wait is satisfied.
enum Sleeper<'a> {
    Thread(&'a Arc<Thread>),
    /// Nobody sleeps: see [`Lookout`].
    Listener(Weak<dyn Listener>),
}

/// One wait that lasts.
struct Block<'a> {
    sleeper: Sleeper<'a>,
    signals: &'a [&'a Signal],
    mutants: &'a [Option<&'a Mutant>],
    all: bool,
    /// A signal of a wait for all has gone for good: nothing can satisfy it any more.
    broken: Cell<bool>,
    /// How the wait was satisfied, as [`Waited::code`]; written under the lock.
    satisfied: AtomicU32,
}

const UNSATISFIED: u32 = u32::MAX;

/// A wait.
pub struct Wanted<'a, F> {
    pub thread: &'a Arc<Thread>,
    pub signals: &'a [&'a Signal],
    /// Those of the signals that are mutexes, in the same places; empty if none is.
    pub mutants: &'a [Option<&'a Mutant>],
    /// For all of them at once, or for any.
    pub all: bool,
    pub alertable: Alertable,
    /// Signals in the handle table may come to belong to other objects. This tells whether one, by
    /// its index, is still that of its handle. It is called under the lock of the waits too, which
    /// [`Waits::evict`] needs: a thread that sleeps finds out nothing new.
    pub is_there: F,
}

/// How a wait for signals ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The lowest index that was set; 0 for a wait for all.
    Signal(usize),
    /// As `Signal`, by a mutex (or together with one) that was [abandoned](Mutant::abandon).
    Abandoned(usize),
    TimedOut,
    /// The thread is called, and no APC has run yet.
    Apc,
}

impl Waited {
    const ABANDONED: u32 = 0x80;

    fn by(index: usize, abandoned: bool) -> Waited {
        if abandoned { Waited::Abandoned(index) } else { Waited::Signal(index) }
    }

    /// A number, to be written by one thread for another.
    fn code(index: usize, abandoned: bool) -> u32 {
        index as u32 | if abandoned { Waited::ABANDONED } else { 0 }
    }

    fn decode(code: u32) -> Waited {
        Waited::by((code & !Waited::ABANDONED) as usize, code & Waited::ABANDONED != 0)
    }
}

/// A signal's object was closed before the thread began to wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// What a look at the signals came to.
enum Attempt {
    Satisfied(usize),
    Unsatisfied,
    /// Only the lock can tell.
    Undecided,
}

impl Waits {
    #[cfg(not(loom))]
    pub const fn new() -> Waits {
        Waits { lock: Mutex::new(()) }
    }

    #[cfg(loom)]
    pub fn new() -> Waits {
        Waits { lock: Mutex::new(()) }
    }

    /// Waits until one of the signals, or all of them, are set, and takes them.
    pub fn wait(
        &self,
        thread: &Arc<Thread>,
        signals: &[&Signal],
        all: bool,
        deadline: Deadline,
        alertable: Alertable,
    ) -> Waited {
        let wanted = Wanted { thread, signals, mutants: &[], all, alertable, is_there: |_| true };
        let stay = "signals that are borrowed stay where they are";
        match self.take(&wanted).expect(stay) {
            Some(waited) => waited,
            None => self.sleep(&wanted, deadline).expect(stay),
        }
    }

    /// Takes what satisfies a wait now, if anything does, or is about to: the kernel may have
    /// reported it already, and nobody has handed it out.
    pub fn take(
        &self,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
    ) -> Result<Option<Waited>, Gone> {
        let thread = wanted.thread;
        let may_hand_out = || !thread.is_called(wanted.alertable);
        let mut taken = self.try_take(wanted, false)?;
        while taken.is_none() && may_hand_out() && backend::hand_out(thread) {
            taken = self.try_take(wanted, false)?;
        }
        Ok(taken)
    }

    /// Waits for what could not be had by [`Waits::take`].
    pub fn sleep(
        &self,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
        deadline: Deadline,
    ) -> Result<Waited, Gone> {
        let &Wanted { thread, signals, mutants, all, alertable, .. } = wanted;
        if let Deadline::Now = deadline {
            backend::look(thread, 1);
            return Ok(match self.try_take(wanted, true)? {
                Some(waited) => waited,
                None if thread.is_called(alertable) => Waited::Apc,
                None => Waited::TimedOut,
            });
        }
        let (broken, satisfied) = (Cell::new(false), AtomicU32::new(UNSATISFIED));
        let sleeper = Sleeper::Thread(thread);
        let block = Block { sleeper, signals, mutants, all, broken, satisfied };
        let mut links = Array::<Link, MOST>::new();
        (0..signals.len()).for_each(|index| links.push(Link::new(&block, index)));
        let enlisted = match self.enlist(&links, wanted)? {
            Ok(enlisted) => enlisted,
            Err(waited) => return Ok(waited),
        };
        let outcome = wait(thread, deadline, alertable, 1, || {
            block.outcome().map_or(Look::Wait, Look::Ready)
        });
        drop(enlisted);
        Ok(match (outcome, block.outcome()) {
            (_, Some(waited)) | (Outcome::Ready(waited), None) => waited,
            (Outcome::TimedOut, None) => Waited::TimedOut,
            (Outcome::Apc, None) => Waited::Apc,
        })
    }

    /// `certain`: if it takes nothing, nothing was there to be taken at one moment.
    fn try_take(
        &self,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
        certain: bool,
    ) -> Result<Option<Waited>, Gone> {
        let attempt = match wanted.all {
            false => wanted.try_any(certain),
            true => wanted.try_all(),
        };
        match attempt {
            Attempt::Satisfied(index) => Ok(Some(Waited::Signal(index))),
            Attempt::Unsatisfied => Ok(None),
            Attempt::Undecided => self.locked(|| wanted.take_held()),
        }
    }

    /// Puts the thread into the rings of its signals, unless they satisfy its wait now.
    fn enlist<'a>(
        &'a self,
        links: &'a [Link],
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
    ) -> Result<Result<Enlisted<'a>, Waited>, Gone> {
        self.locked(|| {
            if let Some(waited) = wanted.take_held()? {
                return Ok(Err(waited));
            }
            links.iter().zip(wanted.signals).for_each(|(link, signal)| link.join(signal));
            Ok(Ok(Enlisted { waits: self, links }))
        })
    }

    /// Runs `f` with the lock held.
    pub fn locked<R>(&self, f: impl FnOnce() -> R) -> R {
        let _held = lock(&self.lock);
        f()
    }

    /// Runs `f` with the lock held, then wakes whose waits it ended.
    fn waking<R>(&self, f: impl FnOnce(&mut Woken) -> R) -> R {
        let mut woken = Woken::default();
        let result = self.locked(|| f(&mut woken));
        woken.rouse();
        result
    }

    /// Sets an event that somebody may sleep for.
    pub fn set(&self, signal: &Signal) {
        self.waking(|woken| {
            if serve(signal, 1, woken) > 0 {
                signal.publish_set();
            }
        });
    }

    /// Satisfies who sleeps for an event, and leaves it unset.
    pub fn pulse(&self, signal: &Signal) {
        self.waking(|woken| {
            serve(signal, 1, woken);
            signal.publish_reset();
        });
    }

    /// Adds to a semaphore's count if it fits. The count before, or `None` and nothing done.
    pub fn release(&self, signal: &Signal, count: u32, fits: impl Fn(u64) -> bool) -> Option<u32> {
        self.waking(|woken| {
            let before = signal.count_if(fits)?;
            let left = serve(signal, count, woken);
            signal.publish_release(left);
            Some(before)
        })
    }

    /// The owner releases a mutex once.
    pub fn release_mutant(&self, mutant: &Mutant, thread: &Thread) -> Result<(), NotOwner> {
        self.waking(|woken| {
            if mutant.release(thread)? {
                serve(&mutant.signal, 1, woken);
            }
            Ok(())
        })
    }

    /// The thread ends: what it owns is free, and whoever gets it next is told why.
    pub fn abandon(&self, thread: &Thread) {
        self.waking(|woken| {
            // SAFETY: a mutex leaves its owner's list, under the lock that we hold, before it dies.
            while let Some(mutant) = unsafe { thread.owned.get().as_ref() } {
                mutant.abandon();
                serve(&mutant.signal, 1, woken);
            }
        });
    }

    /// Nobody refers to the signal's object any more, and so nobody can set it: who sleeps for it
    /// goes on sleeping, but not for whatever comes next in its place.
    pub fn evict(&self, signal: &Signal) {
        self.locked(|| {
            while let Some(link) = sleepers(signal).next() {
                link.leave();
                link.block().broken.set(true);
            }
            signal.begin(Kind::Absent);
        });
    }
}

impl<F: Fn(usize) -> bool> Wanted<'_, F> {
    /// Takes the lowest signal that is set, without the lock.
    ///
    /// That it was the lowest at one moment (rule 104) is certain if those below it, seen unset
    /// before it was seen set, have not changed when looked at again: then they were unset when it
    /// was set. And if it has not changed until it is taken, then it may as well have been taken at
    /// that moment.
    fn try_any(&self, certain: bool) -> Attempt {
        let mut below = Array::<Seen, MOST>::new();
        let is_still = |(signal, &seen): (&&Signal, &Seen)| signal.is_still(seen);
        for (index, signal) in self.signals.iter().enumerate() {
            let seen = signal.look();
            if !seen.may_satisfy() {
                below.push(seen);
                continue;
            }
            let is_lowest = self.signals.iter().zip(below.iter()).all(is_still);
            return match is_lowest && (self.is_there)(index) && signal.take_from(seen) {
                true => Attempt::Satisfied(index),
                false => Attempt::Undecided,
            };
        }
        match !certain || self.signals.iter().zip(below.iter()).all(is_still) {
            true => Attempt::Unsatisfied,
            false => Attempt::Undecided,
        }
    }

    fn try_all(&self) -> Attempt {
        match self.signals.iter().all(|signal| signal.look().may_satisfy()) {
            true => Attempt::Undecided,
            false => Attempt::Unsatisfied,
        }
    }

    /// With the lock held: takes what satisfies the wait, if anything does, and marks the signals.
    fn take_held(&self) -> Result<Option<Waited>, Gone> {
        let satisfies = |index| satisfies(self.signals, self.mutants, index, self.thread);
        let take = |index| take(self.signals, self.mutants, index, self.thread);
        for (index, signal) in self.signals.iter().enumerate() {
            // From here on nobody else sets it: those below are unset when one is found to be set.
            let seen = signal.mark(self.all);
            if !(self.is_there)(index) {
                return Err(Gone);
            }
            if !self.all
                && seen.may_satisfy()
                && satisfies(index)
                && let Some(abandoned) = take(index)
            {
                return Ok(Some(Waited::by(index, abandoned)));
            }
        }
        if !self.all || !(0..self.signals.len()).all(satisfies) {
            return Ok(None);
        }
        // Nobody else takes any: one that is unset by now has been reset since we looked, and so
        // could have been after we took it.
        let taken = (0..self.signals.len()).map(take);
        let abandoned = taken.fold(false, |some, one| some | (one == Some(true)));
        Ok(Some(Waited::by(0, abandoned)))
    }
}

/// With the lock held: whether one of the signals is there for the thread.
fn satisfies(
    signals: &[&Signal],
    mutants: &[Option<&Mutant>],
    index: usize,
    thread: &Thread,
) -> bool {
    match mutants.get(index).copied().flatten() {
        Some(mutant) => mutant.satisfies(thread),
        None => signals[index].is_set(),
    }
}

/// With the lock held: takes one that was there for the thread, and tells whether it had been
/// abandoned. `None` if it is there no more.
fn take(
    signals: &[&Signal],
    mutants: &[Option<&Mutant>],
    index: usize,
    thread: &Thread,
) -> Option<bool> {
    match mutants.get(index).copied().flatten() {
        Some(mutant) => Some(mutant.take(thread)),
        None => signals[index].take().then_some(false),
    }
}

/// With the lock held: the links of those who sleep for a signal, in order of arrival. Each may
/// leave the ring when it has been seen.
fn sleepers<'a>(signal: &Signal) -> impl Iterator<Item = &'a Link> + use<'a> {
    let mut next = signal.first.get();
    // SAFETY: a link leaves the ring, under the lock that our caller holds, before it dies.
    let last = unsafe { next.as_ref() }.map_or(ptr::null(), |first| first.previous.get());
    std::iter::from_fn(move || {
        // SAFETY: as above.
        let link = unsafe { next.as_ref() }?;
        next = if ptr::eq(link, last) { ptr::null() } else { link.next.get() };
        Some(link)
    })
}

/// With the lock held: goes through who sleeps for a signal, in order of arrival, and gives it to
/// those that it satisfies, before it shows that it was set: nobody can take it from them. Returns
/// how much of `count` is left.
fn serve(signal: &Signal, mut count: u32, woken: &mut Woken) -> u32 {
    for link in sleepers(signal) {
        if count == 0 {
            break;
        }
        let (block, index) = (link.block(), link.index);
        if block.outcome().is_some() || block.broken.get() && block.all {
            continue; // Satisfied by another signal and not yet awake, or never to be.
        }
        let taken_by_wait = u32::from(signal.is_taken_by_wait());
        let Block { signals, mutants, all, .. } = *block;
        let thread = match &block.sleeper {
            Sleeper::Thread(thread) => thread,
            Sleeper::Listener(listener) => {
                count -= taken_by_wait;
                link.leave();
                block.satisfied.store(Waited::code(0, false), Ordering::Release);
                woken.listeners.extend(listener.upgrade());
                continue;
            }
        };
        let others = || (0..signals.len()).filter(|&other| all && other != index);
        if !others().all(|other| satisfies(signals, mutants, other, thread)) {
            continue;
        }
        let taken = others().filter_map(|other| take(signals, mutants, other, thread));
        let mut abandoned = taken.fold(false, |some, one| some | one);
        if let Some(mutant) = mutants.get(index).copied().flatten() {
            abandoned |= mutant.take(thread);
        }
        count -= taken_by_wait;
        let code = Waited::code(if all { 0 } else { index }, abandoned);
        block.satisfied.store(code, Ordering::Release);
        woken.add(thread);
    }
    count
}

impl Block<'_> {
    fn outcome(&self) -> Option<Waited> {
        let satisfied = self.satisfied.load(Ordering::Acquire);
        (satisfied != UNSATISFIED).then(|| Waited::decode(satisfied))
    }
}

impl Link {
    fn new(block: &Block<'_>, index: usize) -> Link {
        Link {
            signal: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            block: Cell::new(ptr::from_ref(block).cast()),
            index,
        }
    }

    /// With the lock held, and while the link is in a ring.
    fn block<'a>(&self) -> &'a Block<'a> {
        // SAFETY: a thread leaves the rings before its block dies.
        unsafe { &*self.block.get().cast() }
    }

    /// Goes to the end of the ring. With the lock held.
    fn join(&self, signal: &Signal) {
        self.signal.set(signal);
        // SAFETY: a link leaves the ring, under the lock, before it dies.
        match unsafe { signal.first.get().as_ref() } {
            None => {
                self.next.set(self);
                self.previous.set(self);
                signal.first.set(self);
            }
            Some(first) => {
                let last = first.previous.get();
                self.next.set(first);
                self.previous.set(last);
                // SAFETY: as above.
                unsafe { (*last).next.set(self) };
                first.previous.set(self);
            }
        }
    }

    /// Leaves the ring, if it is in one. With the lock held.
    fn leave(&self) {
        let signal = self.signal.replace(ptr::null());
        if signal.is_null() {
            return; // Evicted.
        }
        let (next, previous) = (self.next.get(), self.previous.get());
        let following = if ptr::eq(next, self) { ptr::null() } else { next };
        // SAFETY: the signal lives while it is awaited, and so do those that are in its ring.
        unsafe {
            if ptr::eq((*signal).first.get(), self) {
                (*signal).first.set(following);
            }
            (*next).previous.set(previous);
            (*previous).next.set(next);
        }
    }
}

/// What hears of a wait's end without a thread that sleeps for it.
pub trait Listener: Send + Sync {
    /// The wait is satisfied. Called with no lock held, by whoever set the signal.
    fn hear(self: Arc<Self>);
}

/// A wait for one signal in which no thread sleeps: it takes the signal, and a [`Listener`] hears
/// of that. It is in the signal's ring like any sleeper, in its turn.
pub struct Lookout {
    link: Link,
    block: Block<'static>,
}

// SAFETY: what is not atomic in it is touched under the lock of `WAITS` only.
unsafe impl Send for Lookout {}
// SAFETY: as above.
unsafe impl Sync for Lookout {}

impl Lookout {
    pub fn new(listener: Weak<dyn Listener>) -> Pin<Box<Lookout>> {
        let lookout = Box::new(Lookout {
            link: Link {
                signal: Cell::new(ptr::null()),
                next: Cell::new(ptr::null()),
                previous: Cell::new(ptr::null()),
                block: Cell::new(ptr::null()),
                index: 0,
            },
            block: Block {
                sleeper: Sleeper::Listener(listener),
                signals: &[],
                mutants: &[],
                all: false,
                broken: Cell::new(false),
                satisfied: AtomicU32::new(UNSATISFIED),
            },
        });
        lookout.link.block.set(&lookout.block);
        Box::into_pin(lookout)
    }

    /// Takes the signal if it is set, and says so; else looks out for it. It does not yet.
    ///
    /// # Safety
    /// The signal is no mutex's, and stays where it is until it has been taken or the lookout
    /// [withdrawn](Lookout::withdraw).
    pub unsafe fn begin(self: Pin<&Lookout>, signal: &Signal) -> bool {
        WAITS.locked(|| {
            signal.mark(false);
            let taken = signal.take();
            if !taken {
                self.get_ref().link.join(signal);
            }
            taken
        })
    }

    /// Looks out no longer. Whether it had taken the signal; it is told once.
    pub fn withdraw(&self) -> bool {
        WAITS.locked(|| self.link.leave());
        self.has_taken()
    }

    /// Whether it has taken the signal since it was last asked.
    pub fn has_taken(&self) -> bool {
        self.block.satisfied.swap(UNSATISFIED, Ordering::AcqRel) != UNSATISFIED
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.withdraw();
    }
}

/// While it lives, a thread is in the rings of its signals.
struct Enlisted<'a> {
    waits: &'a Waits,
    links: &'a [Link],
}

impl Drop for Enlisted<'_> {
    fn drop(&mut self) {
        self.waits.locked(|| self.links.iter().for_each(Link::leave));
    }
}

/// Threads whose waits have ended, to be woken when the lock is released.
#[derive(Default)]
struct Woken {
    listeners: Vec<Arc<dyn Listener>>,
    few: Option<(Arc<Thread>, Rouse)>,
    more: Vec<(Arc<Thread>, Rouse)>,
}

impl Woken {
    fn add(&mut self, thread: &Arc<Thread>) {
        let sleeper = match thread.parker.notify() {
            // It is awake; in most cases it is the thread that sets the signal, as it leads.
            Rouse::Nothing => return,
            rouse => (thread.clone(), rouse),
        };
        match self.few {
            None => self.few = Some(sleeper),
            Some(_) => self.more.push(sleeper),
        }
    }

    fn rouse(self) {
        for (thread, rouse) in self.few.into_iter().chain(self.more) {
            thread.rouse(rouse);
        }
        for listener in self.listeners {
            listener.hear();
        }
    }
}
