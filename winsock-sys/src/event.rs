//! Signals, and the waits on them.
//!
//! A [`Signal`] is what a thread can wait for: the heart of an event, a semaphore, a socket (rule
//! 54), a thread. Its word holds how many waits it can satisfy. While nobody waits, setting,
//! resetting and taking it are one atomic operation each and no system call. A wait for one of
//! several that finds one set takes no lock either (`Wanted::try_any`).
//!
//! As soon as somebody sleeps for a signal, setting it goes through the one lock of [`Waits`],
//! under which the setter decides, in order of arrival, whom that satisfies, and takes the signals
//! on behalf of the sleepers: so an auto-reset event releases exactly one thread, and a wait for
//! all takes all or nothing (rule 105). The sleepers of a signal are a ring of [`Link`]s, which lie
//! on their stacks: waiting allocates nothing.

use std::ptr;
use std::sync::Arc;

use crate::array::Array;
use crate::backend;
use crate::park::Rouse;
use crate::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use crate::sync::{Cell, Mutex, lock};
use crate::thread::Thread;
use crate::wait::{Deadline, Look, Outcome, wait};

/// The most signals that one wait takes (MAXIMUM_WAIT_OBJECTS).
pub const MOST: usize = 64;

/// Somebody sleeps for it, or did: setting it needs the lock. Taken back by the next who sets it
/// and finds that nobody does: a thread that waits for the same signals again and again would
/// otherwise mark and unmark them each time.
const AWAITED: u64 = 1;
/// One of the sleepers wants it together with others: taking it needs the lock too.
const HELD: u64 = 2;
/// A satisfied wait takes one of its counts; else (a manual-reset event) it leaves it set.
const TAKEN: u64 = 4;
/// No signal lives here: the slot's object keeps one elsewhere, or is nothing to wait for.
const ABSENT: u64 = 8;
/// How many waits it can satisfy: 31 bits, a semaphore's LONG. An event has 0 or 1.
const ONE: u64 = 16;
const COUNT: u64 = 0x7fff_ffff * ONE;
/// The rest counts the changes, so that who reads the same word twice knows that there was none in
/// between.
const CHANGE: u64 = 1 << 35;

/// A thing that is set or not.
///
/// A signal in a slot of the handle table outlives its object, and then belongs to the next one.
#[derive(Debug)]
pub struct Signal {
    word: AtomicU64,
    /// The link of the sleeper that came first, in a ring of all. Touched under the lock only.
    first: Cell<*const Link>,
}

// SAFETY: `first` is touched under the lock of `Waits` only.
unsafe impl Send for Signal {}
// SAFETY: as above.
unsafe impl Sync for Signal {}

/// What a signal starts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`ABSENT`].
    Absent,
    Event {
        manual_reset: bool,
        set: bool,
    },
}

impl Kind {
    fn word(self) -> u64 {
        match self {
            Kind::Absent => ABSENT,
            Kind::Event { manual_reset, set } => {
                (if manual_reset { 0 } else { TAKEN }) | if set { ONE } else { 0 }
            }
        }
    }
}

impl Signal {
    pub fn new(taken_by_wait: bool, set: bool) -> Signal {
        Signal::of(Kind::Event { manual_reset: !taken_by_wait, set })
    }

    pub fn of(kind: Kind) -> Signal {
        Signal { word: AtomicU64::new(kind.word()), first: Cell::new(ptr::null()) }
    }

    /// Begins anew, for the next object of a slot. Nobody sleeps for it: see [`Waits::evict`].
    pub fn begin(&self, kind: Kind) {
        self.change(|word| Some(word & !(CHANGE - 1) | kind.word())).expect("it always changes");
    }

    /// Whether the object of this slot has its signal here.
    pub fn is_present(&self) -> bool {
        self.word.load(Ordering::Acquire) & ABSENT == 0
    }

    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) & COUNT != 0
    }

    /// Sets it and satisfies whom that satisfies.
    pub fn set(&self, waits: &Waits) {
        if self.change(|word| (word & AWAITED == 0).then_some(word & !COUNT | ONE)).is_err() {
            waits.set(self);
        }
    }

    pub fn reset(&self) {
        // A reset satisfies nobody, so it needs no lock: against a wait for all that is being
        // satisfied it comes before the look at this signal, or counts as coming after the taking.
        self.change(|word| Some(word & !COUNT)).expect("it always changes");
    }

    /// Replaces the word by what `f` makes of it, and counts the change; gives the word before.
    fn change(&self, f: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
        let counted = |word| f(word).map(|word| word.wrapping_add(CHANGE));
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, counted)
    }

    /// Sets flags, and says whether the signal is set then. With the lock held.
    fn mark(&self, flags: u64) -> bool {
        let mut word = self.word.load(Ordering::Acquire);
        // Flags are set and unset under the lock that we hold, so those that are seen are there.
        if word & flags != flags {
            word = self.word.fetch_or(flags, Ordering::AcqRel);
        }
        word & COUNT != 0
    }

    fn is_taken_by_wait(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TAKEN != 0
    }

    /// Takes it for one wait, with the lock held. False when somebody took or reset it just now.
    fn take(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        match word & TAKEN {
            0 => word & COUNT != 0,
            _ => self.change(|word| (word & COUNT != 0).then(|| word - ONE)).is_ok(),
        }
    }

    /// Takes it for one wait, without the lock. False when it is not in the state `word` any more,
    /// or needs the lock.
    fn take_from(&self, word: u64) -> bool {
        match word & (TAKEN | HELD) {
            0 | HELD => true,
            TAKEN => {
                let taken = (word - ONE).wrapping_add(CHANGE);
                let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
                self.word.compare_exchange(word, taken, success, failure).is_ok()
            }
            _ => false,
        }
    }

    fn is_awaited(&self) -> bool {
        !self.first.get().is_null()
    }

    /// The links of its sleepers, in order of arrival. With the lock held.
    fn sleepers<'a>(&self) -> impl Iterator<Item = &'a Link> + use<'a> {
        let first = self.first.get();
        let mut next = first;
        std::iter::from_fn(move || {
            // SAFETY: a link leaves the ring, under the lock that our caller holds, before it dies.
            let link = unsafe { next.as_ref() }?;
            next = if ptr::eq(link.next.get(), first) { ptr::null() } else { link.next.get() };
            Some(link)
        })
    }
}

/// The waits on one world of signals: the program's is [`WAITS`](crate::object::WAITS).
pub struct Waits {
    lock: Mutex<()>,
}

/// One sleeping thread's place in the ring of one signal.
struct Link {
    signal: Cell<*const Signal>,
    next: Cell<*const Link>,
    previous: Cell<*const Link>,
    block: *const Block<'static>,
    /// Which of the thread's signals this is.
    index: usize,
}

/// One sleeping thread.
struct Block<'a> {
    thread: &'a Arc<Thread>,
    signals: &'a [&'a Signal],
    all: bool,
    /// A signal of a wait for all has gone for good: nothing can satisfy it any more.
    broken: Cell<bool>,
    /// The index that satisfied the wait, or [`UNSATISFIED`]; written under the lock.
    satisfied: AtomicU32,
}

const UNSATISFIED: u32 = u32::MAX;

/// What a wait is for.
pub struct Wanted<'a, F> {
    pub signals: &'a [&'a Signal],
    /// All of them at once, or any.
    pub all: bool,
    /// Signals in the handle table may come to belong to other objects. This tells whether one, by
    /// its index, is still that of its handle. It is called under the lock of the waits too, which
    /// [`Waits::evict`] needs: a thread that sleeps finds out nothing new.
    pub is_there: F,
}

/// How a wait for signals ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The lowest index that was set; 0 for wait-all.
    Signal(usize),
    TimedOut,
    /// APCs are queued and none has run yet.
    Apc,
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
        alertable: bool,
    ) -> Waited {
        let wanted = Wanted { signals, all, is_there: |_| true };
        let stay = "signals that are borrowed stay where they are";
        match self.take(thread, &wanted, alertable).expect(stay) {
            Some(index) => Waited::Signal(index),
            None => self.sleep(thread, &wanted, deadline, alertable).expect(stay),
        }
    }

    /// Takes what satisfies a wait now, if anything does, or is about to: the kernel may have
    /// reported it already, and nobody has handed it out.
    pub fn take(
        &self,
        thread: &Arc<Thread>,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
        alertable: bool,
    ) -> Result<Option<usize>, Gone> {
        let mut taken = self.try_take(wanted, false)?;
        while taken.is_none() && !(alertable && thread.has_apcs()) && backend::hand_out(thread) {
            taken = self.try_take(wanted, false)?;
        }
        Ok(taken)
    }

    /// Waits for what could not be had by [`Waits::take`].
    pub fn sleep(
        &self,
        thread: &Arc<Thread>,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
        deadline: Deadline,
        alertable: bool,
    ) -> Result<Waited, Gone> {
        if let Deadline::Now = deadline {
            backend::look(thread, 1);
            return Ok(match self.try_take(wanted, true)? {
                Some(index) => Waited::Signal(index),
                None if alertable && thread.has_apcs() => Waited::Apc,
                None => Waited::TimedOut,
            });
        }
        let (broken, satisfied) = (Cell::new(false), AtomicU32::new(UNSATISFIED));
        let block = Block { thread, signals: wanted.signals, all: wanted.all, broken, satisfied };
        let mut links = Array::<Link, MOST>::new();
        (0..wanted.signals.len()).for_each(|index| links.push(Link::new(&block, index)));
        let enlisted = match self.enlist(&links, wanted)? {
            Ok(enlisted) => enlisted,
            Err(index) => return Ok(Waited::Signal(index)),
        };
        let outcome = wait(thread, deadline, alertable, 1, || {
            block.outcome().map_or(Look::Wait, Look::Ready)
        });
        drop(enlisted);
        Ok(match (outcome, block.outcome()) {
            (_, Some(index)) | (Outcome::Ready(index), None) => Waited::Signal(index),
            (Outcome::TimedOut, None) => Waited::TimedOut,
            (Outcome::Apc, None) => Waited::Apc,
        })
    }

    /// `certain`: if it takes nothing, nothing was there to be taken at one moment.
    fn try_take(
        &self,
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
        certain: bool,
    ) -> Result<Option<usize>, Gone> {
        let attempt = match wanted.all {
            false => wanted.try_any(certain),
            true if wanted.signals.iter().all(|signal| signal.is_set()) => Attempt::Undecided,
            true => Attempt::Unsatisfied,
        };
        match attempt {
            Attempt::Satisfied(index) => Ok(Some(index)),
            Attempt::Unsatisfied => Ok(None),
            Attempt::Undecided => {
                let _held = lock(&self.lock);
                wanted.take_held()
            }
        }
    }

    /// Puts the thread into the rings of its signals, unless they satisfy its wait now.
    fn enlist<'a>(
        &'a self,
        links: &'a [Link],
        wanted: &Wanted<'_, impl Fn(usize) -> bool>,
    ) -> Result<Result<Enlisted<'a>, usize>, Gone> {
        let held = lock(&self.lock);
        if let Some(index) = wanted.take_held()? {
            return Ok(Err(index));
        }
        links.iter().zip(wanted.signals).for_each(|(link, signal)| link.join(signal));
        drop(held);
        Ok(Ok(Enlisted { waits: self, links }))
    }

    fn set(&self, signal: &Signal) {
        let mut woken = Woken::default();
        {
            let _held = lock(&self.lock);
            if serve(signal, 1, &mut woken) > 0 {
                // If nobody sleeps for it any more, it can be set without the lock again.
                let unawaited = if signal.is_awaited() { 0 } else { AWAITED | HELD };
                let set = |word| Some(word & !(COUNT | unawaited) | ONE);
                signal.change(set).expect("it always changes");
            }
        }
        woken.rouse();
    }

    /// Nobody refers to the signal's object any more, and so nobody can set it: who sleeps for it
    /// goes on sleeping, but not for whatever comes next in its place.
    pub fn evict(&self, signal: &Signal) {
        let _held = lock(&self.lock);
        while let Some(link) = signal.sleepers().next() {
            link.leave();
            link.block().broken.set(true);
        }
        signal.begin(Kind::Absent);
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
        let mut seen = Array::<u64, MOST>::new();
        let is_unchanged = |(signal, word): (&&Signal, &u64)| {
            (signal.word.load(Ordering::Acquire) ^ word) & !(AWAITED | HELD) == 0
        };
        for (index, signal) in self.signals.iter().enumerate() {
            let word = signal.word.load(Ordering::Acquire);
            if word & COUNT == 0 {
                seen.push(word);
                continue;
            }
            let is_lowest = self.signals.iter().zip(seen.iter()).all(is_unchanged);
            return match is_lowest && (self.is_there)(index) && signal.take_from(word) {
                true => Attempt::Satisfied(index),
                false => Attempt::Undecided,
            };
        }
        match !certain || self.signals.iter().zip(seen.iter()).all(is_unchanged) {
            true => Attempt::Unsatisfied,
            false => Attempt::Undecided,
        }
    }

    /// With the lock held: takes what satisfies the wait, if anything does, and marks the signals.
    fn take_held(&self) -> Result<Option<usize>, Gone> {
        for (index, signal) in self.signals.iter().enumerate() {
            // From here on nobody else sets it: those below are unset when one is found to be set.
            let set = signal.mark(if self.all { AWAITED | HELD } else { AWAITED });
            if !(self.is_there)(index) {
                return Err(Gone);
            }
            if !self.all && set && signal.take() {
                return Ok(Some(index));
            }
        }
        if !self.all || !self.signals.iter().all(|signal| signal.is_set()) {
            return Ok(None);
        }
        // Nobody else takes any: one that is unset by now has been reset since we looked, and so
        // could have been after we took it.
        for signal in self.signals {
            signal.take();
        }
        Ok(Some(0))
    }
}

/// With the lock held: goes through who sleeps for a signal, in order of arrival, and gives it to
/// those that it satisfies, before it shows that it was set: nobody can take it from them. Returns
/// how much of `count` is left.
fn serve(signal: &Signal, mut count: u32, woken: &mut Woken) -> u32 {
    for link in signal.sleepers() {
        if count == 0 {
            break;
        }
        let block = link.block();
        if block.outcome().is_some() {
            continue; // Satisfied by another signal and not yet awake.
        }
        let others = || block.signals.iter().filter(|other| !ptr::eq(**other, signal));
        if block.all {
            if block.broken.get() || !others().all(|other| other.is_set()) {
                continue;
            }
            others().for_each(|other| {
                other.take();
            });
        }
        if signal.is_taken_by_wait() {
            count -= 1;
        }
        block.satisfy(link.index, woken);
    }
    count
}

impl Block<'_> {
    fn outcome(&self) -> Option<usize> {
        let satisfied = self.satisfied.load(Ordering::Acquire);
        (satisfied != UNSATISFIED).then_some(satisfied as usize)
    }

    /// With the lock held: ends the wait.
    fn satisfy(&self, index: usize, woken: &mut Woken) {
        let index = if self.all { 0 } else { index as u32 };
        self.satisfied.store(index, Ordering::Release);
        woken.add(self.thread);
    }
}

impl Link {
    fn new(block: &Block<'_>, index: usize) -> Link {
        Link {
            signal: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            block: ptr::from_ref(block).cast(),
            index,
        }
    }

    /// With the lock held, and while the link is in a ring.
    fn block<'a>(&self) -> &'a Block<'a> {
        // SAFETY: a thread leaves the rings before its block dies.
        unsafe { &*self.block.cast() }
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

/// While it lives, a thread is in the rings of its signals.
struct Enlisted<'a> {
    waits: &'a Waits,
    links: &'a [Link],
}

impl Drop for Enlisted<'_> {
    fn drop(&mut self) {
        let _held = lock(&self.waits.lock);
        self.links.iter().for_each(Link::leave);
    }
}

/// Threads whose waits have ended, to be woken when the lock is released.
#[derive(Default)]
struct Woken {
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
    }
}
