//! Mutexes: a thread owns one, as often as it has waited for it, until it releases it or ends.
//!
//! All of it happens under the lock of the waits. A thread keeps a list of what it owns, so that
//! its end can abandon that; the list runs through the mutexes themselves.

use std::ptr;

use crate::event::{Kind, Signal};
use crate::object::WAITS;
use crate::sync::Cell;
use crate::thread::Thread;

/// A mutex as the program knows it; NT calls it so too, and the name is free.
pub struct Mutant {
    pub signal: Signal,
    /// NULL while it is free. A thread ends only after it has abandoned what it owns.
    owner: Cell<*const Thread>,
    /// How often the owner has to release it.
    depth: Cell<u32>,
    /// Its last owner ended without releasing it, and nobody has been told yet.
    abandoned: Cell<bool>,
    /// The others that its owner owns.
    next: Cell<*const Mutant>,
    previous: Cell<*const Mutant>,
}

// SAFETY: everything in it but the signal is touched under the lock of `WAITS` only.
unsafe impl Send for Mutant {}
// SAFETY: as above.
unsafe impl Sync for Mutant {}

/// What a thread owns: the first of a list of mutexes, touched under the lock of the waits only.
pub type Owned = Cell<*const Mutant>;

/// The thread does not own the mutex.
#[derive(Debug)]
pub struct NotOwner;

impl Mutant {
    pub fn new() -> Mutant {
        Mutant {
            signal: Signal::of(Kind::Owned),
            owner: Cell::new(ptr::null()),
            depth: Cell::new(0),
            abandoned: Cell::new(false),
            next: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
        }
    }

    // What follows is called with the lock of the waits held.

    /// Whether a wait of this thread is satisfied.
    pub fn satisfies(&self, thread: &Thread) -> bool {
        self.owner.get().is_null() || ptr::eq(self.owner.get(), thread)
    }

    /// The wait of a thread that it [satisfies](Mutant::satisfies) takes it. True if the last owner
    /// abandoned it, and this is the first to hear of that.
    pub fn take(&self, thread: &Thread) -> bool {
        self.depth.set(self.depth.get() + 1);
        if self.owner.get().is_null() {
            self.owner.set(thread);
            let next = thread.owned.replace(self);
            self.next.set(next);
            self.previous.set(ptr::null());
            // SAFETY: a mutex leaves the list before it dies.
            if let Some(next) = unsafe { next.as_ref() } {
                next.previous.set(self);
            }
        }
        self.abandoned.replace(false)
    }

    /// Undoes one [`Mutant::take`]. True if that sets it free.
    pub fn release(&self, thread: &Thread) -> Result<bool, NotOwner> {
        if !ptr::eq(self.owner.get(), thread) {
            return Err(NotOwner);
        }
        self.depth.set(self.depth.get() - 1);
        let free = self.depth.get() == 0;
        if free {
            self.disown();
        }
        Ok(free)
    }

    /// Sets it free because its owner ends.
    pub fn abandon(&self) {
        self.depth.set(0);
        self.abandoned.set(true);
        self.disown();
    }

    /// Takes it off its owner's list.
    fn disown(&self) {
        let owner = self.owner.replace(ptr::null());
        let (next, previous) = (self.next.get(), self.previous.get());
        // SAFETY: the owner has not ended, since it would have abandoned this; the neighbours leave
        // the list before they die.
        unsafe {
            match previous.as_ref() {
                Some(previous) => previous.next.set(next),
                None => (*owner).owned.set(next),
            }
            if let Some(next) = next.as_ref() {
                next.previous.set(previous);
            }
        }
    }
}

impl Drop for Mutant {
    fn drop(&mut self) {
        WAITS.locked(|| {
            if !self.owner.get().is_null() {
                self.disown();
            }
        });
    }
}
