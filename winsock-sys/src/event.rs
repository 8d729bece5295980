//! Signals, and the waits on them.
//!
//! A [`Signal`] is what a thread can wait for: the heart of an event object, and of a socket (rule
//! 54). Its word says whether it is set and whether anybody waits. While nobody does, setting,
//! resetting and taking it are one atomic operation each and no system call. As soon as somebody
//! waits, every change goes through the one lock of [`Waits`], which is what makes wait-all atomic
//! (rule 105) and a wait-any take one signal only (rule 104).

use std::collections::HashMap;
use std::sync::Arc;

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Cell, Mutex, MutexGuard, lock};
use crate::thread::Thread;
use crate::wait::{Deadline, Look, Outcome, wait};

const SET: u32 = 1;
/// Somebody waits: changes need the lock.
const AWAITED: u32 = 2;

/// A thing that is set or not.
#[derive(Debug)]
pub struct Signal {
    word: AtomicU32,
    /// A satisfied wait takes it (an auto-reset event), or leaves it set.
    taken_by_wait: bool,
}

/// The waits of one table of signals: the program's is [`WAITS`].
pub struct Waits {
    blocks: Mutex<Blocks>,
}

/// Who waits for each signal, in order of arrival. Keyed by address: a waiter refers to its
/// signals.
type Blocks = HashMap<usize, Vec<*const Block<'static>>>;

// SAFETY: the pointers are followed under the lock only, and a block leaves the map before it dies.
unsafe impl Send for Waits {}
// SAFETY: as above.
unsafe impl Sync for Waits {}

/// One waiting thread.
struct Block<'a> {
    thread: &'a Arc<Thread>,
    signals: &'a [&'a Signal],
    all: bool,
    /// The index that satisfied the wait; written under the lock.
    satisfied: Cell<Option<usize>>,
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

impl Signal {
    pub fn new(taken_by_wait: bool, set: bool) -> Signal {
        Signal { word: AtomicU32::new(if set { SET } else { 0 }), taken_by_wait }
    }

    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) & SET != 0
    }

    /// Sets it and satisfies whom that satisfies.
    pub fn set(&self, waits: &Waits) {
        let alone = |word| (word & AWAITED == 0).then_some(word | SET);
        if self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, alone).is_err() {
            waits.set(self);
        }
    }

    pub fn reset(&self) {
        // A reset satisfies nobody, so it needs no lock: against a wait-all in progress it comes
        // either before the check or after the taking, which hold the signal by `take_held`.
        self.word.fetch_and(!SET, Ordering::AcqRel);
    }

    /// Takes it if it is set and that needs no lock: nobody waits for it, or nothing is taken away.
    fn try_take(&self) -> bool {
        if !self.taken_by_wait {
            return self.is_set();
        }
        // Set but spoken for, perhaps, if somebody waits.
        self.word.compare_exchange(SET, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Takes it with the lock held.
    fn take_held(&self) {
        if self.taken_by_wait {
            self.word.fetch_and(!SET, Ordering::AcqRel);
        }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

impl Waits {
    pub fn new() -> Waits {
        Waits { blocks: Mutex::new(Blocks::new()) }
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
        // Of several only the first may be taken in passing: that none below a later one was set at
        // that moment, the lock alone can tell.
        if !all && signals[0].try_take() {
            return Waited::Signal(0);
        }
        let block = Block { thread, signals, all, satisfied: Cell::new(None) };
        if let Some(index) = self.enlist(&block) {
            return Waited::Signal(index);
        }
        let outcome = wait(thread, deadline, alertable, 1, || {
            let _blocks = lock(&self.blocks);
            block.satisfied.get().map_or(Look::Wait, Look::Ready)
        });
        match (outcome, self.discharge(&block)) {
            (_, Some(index)) | (Outcome::Ready(index), None) => Waited::Signal(index),
            (Outcome::TimedOut, None) => Waited::TimedOut,
            (Outcome::Apc, None) => Waited::Apc,
        }
    }

    /// Marks the signals as awaited and looks once more; if they do not satisfy the wait now, the
    /// block stays enlisted.
    fn enlist(&self, block: &Block<'_>) -> Option<usize> {
        let mut blocks = lock(&self.blocks);
        for signal in block.signals {
            signal.word.fetch_or(AWAITED, Ordering::AcqRel);
        }
        if let Some(index) = block.satisfied_now() {
            block.take(index);
            forget_unawaited(&blocks, block.signals);
            return Some(index);
        }
        let pointer = std::ptr::from_ref(block).cast::<Block<'static>>();
        for signal in block.signals {
            let waiting = blocks.entry(signal.key()).or_default();
            // A signal may stand twice in a wait-any; one entry is enough to be found.
            if waiting.last() != Some(&pointer) {
                waiting.push(pointer);
            }
        }
        None
    }

    /// Takes the block out and says whether it was satisfied.
    fn discharge(&self, block: &Block<'_>) -> Option<usize> {
        let mut blocks = lock(&self.blocks);
        let pointer = std::ptr::from_ref(block).cast::<Block<'static>>();
        for signal in block.signals {
            if let Some(waiting) = blocks.get_mut(&signal.key()) {
                waiting.retain(|&other| other != pointer);
                if waiting.is_empty() {
                    blocks.remove(&signal.key());
                }
            }
        }
        forget_unawaited(&blocks, block.signals);
        block.satisfied.get()
    }

    fn set(&self, signal: &Signal) {
        let blocks = lock(&self.blocks);
        signal.word.fetch_or(SET, Ordering::AcqRel);
        satisfy(blocks, signal);
    }
}

/// Goes through who waits for a signal that has just been set, in order of arrival, and wakes those
/// that it satisfies.
fn satisfy(blocks: MutexGuard<'_, Blocks>, signal: &Signal) {
    let mut woken = Vec::new();
    for &pointer in blocks.get(&signal.key()).into_iter().flatten() {
        // SAFETY: a block leaves the map, under the lock that we hold, before it dies.
        let block = unsafe { &*pointer };
        if block.satisfied.get().is_some() {
            continue; // Satisfied by another signal and not yet awake.
        }
        if let Some(index) = block.satisfied_now() {
            block.take(index);
            block.satisfied.set(Some(index));
            woken.push(block.thread.clone());
        }
        if !signal.is_set() {
            break;
        }
    }
    drop(blocks);
    for thread in woken {
        thread.unpark();
    }
}

/// Lets signals that nobody waits for any more be changed without the lock again.
fn forget_unawaited(blocks: &Blocks, signals: &[&Signal]) {
    for signal in signals {
        if !blocks.contains_key(&signal.key()) {
            signal.word.fetch_and(!AWAITED, Ordering::AcqRel);
        }
    }
}

impl Block<'_> {
    /// With the lock held: the index that satisfies the wait, if any.
    fn satisfied_now(&self) -> Option<usize> {
        if self.all {
            return self.signals.iter().all(|signal| signal.is_set()).then_some(0);
        }
        self.signals.iter().position(|signal| signal.is_set())
    }

    fn take(&self, index: usize) {
        if self.all {
            self.signals.iter().for_each(|signal| signal.take_held());
        } else {
            self.signals[index].take_held();
        }
    }
}
