//! Signals: what threads wait for.
//!
//! A [`Signal`] is the heart of an event, a semaphore, a mutex, a timer, a socket (rule 54), a
//! thread. Its word holds how many waits it can satisfy. While nobody waits, setting, resetting and
//! taking it are one atomic operation each and no system call; as soon as somebody sleeps for it,
//! setting it goes through the lock of [`Waits`], which decides whom that satisfies.

use std::ptr;

use crate::dispatch::{Link, Waits};
use crate::sync::Cell;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Somebody sleeps for it, or did: setting it needs the lock. Taken back by the next who sets it
/// and finds that nobody does: a thread that waits for the same signals again and again would
/// otherwise mark and unmark them each time.
const AWAITED: u64 = 1;
/// One of the sleepers wants it together with others: taking it needs the lock too.
const HELD: u64 = 2;
/// A satisfied wait takes one of its counts; else (a manual-reset event) it leaves it set.
const TAKEN: u64 = 4;
/// A mutex: whether it satisfies a wait depends on who waits, and is not in the word.
const OWNED: u64 = 8;
/// No signal lives here: the slot's object keeps one elsewhere, or is nothing to wait for.
const ABSENT: u64 = 16;
/// How many waits it can satisfy: 31 bits, a semaphore's LONG. An event has 0 or 1.
const ONE: u64 = 32;
const COUNT: u64 = MOST_COUNT as u64 * ONE;
/// The rest counts the changes, so that who reads the same word twice knows that there was none in
/// between.
const CHANGE: u64 = 1 << 36;

/// The highest count.
pub const MOST_COUNT: u32 = i32::MAX as u32;

/// A thing that is set or not.
///
/// A signal in a slot of the handle table outlives its object, and then belongs to the next one.
#[derive(Debug)]
pub struct Signal {
    word: AtomicU64,
    /// The link of the sleeper that came first, in a ring of all. Touched under the lock only.
    pub first: Cell<*const Link>,
}

// SAFETY: `first` is touched under the lock of `Waits` only.
unsafe impl Send for Signal {}
// SAFETY: as above.
unsafe impl Sync for Signal {}

/// What a signal starts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See [`Signal::is_present`].
    Absent,
    Event {
        manual_reset: bool,
        set: bool,
    },
    /// A semaphore.
    Counted(u32),
    /// A mutex.
    Owned,
}

impl Kind {
    fn word(self) -> u64 {
        match self {
            Kind::Absent => ABSENT,
            Kind::Event { manual_reset: true, set } => u64::from(set) * ONE,
            Kind::Event { manual_reset: false, set } => TAKEN | (u64::from(set) * ONE),
            Kind::Counted(count) => TAKEN | (u64::from(count) * ONE),
            Kind::Owned => TAKEN | OWNED,
        }
    }
}

/// What a look at a signal showed.
#[derive(Clone, Copy)]
pub struct Seen(u64);

impl Seen {
    /// Whether it satisfies a wait now; a mutex may.
    pub fn may_satisfy(self) -> bool {
        self.0 & (COUNT | OWNED) != 0
    }

    fn is_set(self) -> bool {
        self.0 & COUNT != 0
    }

    fn count(self) -> u32 {
        ((self.0 & COUNT) / ONE) as u32
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
        self.change(|word| word & !(CHANGE - 1) | kind.word());
    }

    /// Whether the object of this slot has its signal here.
    pub fn is_present(&self) -> bool {
        self.look().0 & ABSENT == 0
    }

    pub fn is_set(&self) -> bool {
        self.look().is_set()
    }

    /// Sets it and satisfies whom that satisfies.
    pub fn set(&self, waits: &Waits) {
        let alone = |word| (word & AWAITED == 0).then_some(word & !COUNT | ONE);
        if self.change_if(alone).is_err() {
            waits.set(self);
        }
    }

    pub fn reset(&self) {
        // A reset satisfies nobody, so it needs no lock: against a wait for all that is being
        // satisfied it comes before the look at this signal, or counts as coming after the taking.
        self.change(|word| word & !COUNT);
    }

    /// Adds to a semaphore's count, and gives the count before. `None`, and nothing done, if it
    /// would come to more than `most`.
    pub fn release(&self, waits: &Waits, count: u32, most: u32) -> Option<u32> {
        let fits = |word| Seen(word).count().checked_add(count).is_some_and(|sum| sum <= most);
        let alone =
            |word| (word & AWAITED == 0 && fits(word)).then(|| word + u64::from(count) * ONE);
        match self.change_if(alone) {
            Ok(before) => Some(Seen(before).count()),
            Err(word) if word & AWAITED != 0 => waits.release(self, count, fits),
            Err(_) => None,
        }
    }

    pub fn look(&self) -> Seen {
        Seen(self.word.load(Ordering::Acquire))
    }

    /// Whether nothing has changed since then.
    pub fn is_still(&self, seen: Seen) -> bool {
        (self.look().0 ^ seen.0) & !(AWAITED | HELD) == 0
    }

    /// Takes it for one wait, without the lock, if nothing has changed since then. False also if
    /// only the lock can tell.
    pub fn take_from(&self, seen: Seen) -> bool {
        match seen.0 & (TAKEN | HELD | OWNED) {
            0 | HELD => true,
            TAKEN => {
                let taken = (seen.0 - ONE).wrapping_add(CHANGE);
                let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
                self.word.compare_exchange(seen.0, taken, success, failure).is_ok()
            }
            _ => false,
        }
    }

    /// Whether a satisfied wait takes one of its counts.
    pub fn is_taken_by_wait(&self) -> bool {
        self.word.load(Ordering::Relaxed) & TAKEN != 0
    }

    // What follows is called with the lock of the waits held.

    /// Lets nobody set it without the lock from now on, and if it is wanted together with `others`,
    /// nobody take it either.
    pub fn mark(&self, others: bool) -> Seen {
        let flags = if others { AWAITED | HELD } else { AWAITED };
        let word = self.word.load(Ordering::Acquire);
        // Flags are set and unset under the lock, so those that are seen are there.
        match word & flags == flags {
            true => Seen(word),
            false => Seen(self.word.fetch_or(flags, Ordering::AcqRel)),
        }
    }

    /// Takes it for one wait. False when it is not set, or was taken or reset just now.
    pub fn take(&self) -> bool {
        match self.is_taken_by_wait() {
            true => self.change_if(|word| (word & COUNT != 0).then(|| word - ONE)).is_ok(),
            false => self.is_set(),
        }
    }

    /// Shows what is left of a set when all who slept for it have been served.
    pub fn publish_set(&self) {
        let unawaited = self.unawaited();
        self.change(|word| word & !(COUNT | unawaited) | ONE);
    }

    /// Shows that it is not set.
    pub fn publish_reset(&self) {
        let unawaited = self.unawaited();
        self.change(|word| word & !(COUNT | unawaited));
    }

    /// Shows what is left of a release when all who slept for it have been served.
    pub fn publish_release(&self, count: u32) {
        let unawaited = self.unawaited();
        self.change(|word| (word & !unawaited) + u64::from(count) * ONE);
    }

    /// If the count allows a release, the count.
    pub fn count_if(&self, fits: impl Fn(u64) -> bool) -> Option<u32> {
        let seen = self.look();
        fits(seen.0).then(|| seen.count())
    }

    /// The marks, if nobody sleeps for it any more.
    fn unawaited(&self) -> u64 {
        if self.first.get().is_null() { AWAITED | HELD } else { 0 }
    }

    /// Replaces the word by what `f` makes of it, and counts the change.
    fn change(&self, f: impl Fn(u64) -> u64) {
        self.change_if(|word| Some(f(word))).expect("it always changes");
    }

    /// As [`Signal::change`], unless `f` makes nothing of it; the word before either way.
    fn change_if(&self, f: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
        let counted = |word| f(word).map(|word| word.wrapping_add(CHANGE));
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, counted)
    }
}
