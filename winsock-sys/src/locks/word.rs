//! A lock of one word.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::{ANYBODY, sleep_on, wake_on_of};

/// Nobody holds the word while it is `FREE`. It is `CROWDED` while somebody may sleep for it.
pub struct Word<'a, const FREE: u32, const HELD: u32, const CROWDED: u32>(pub &'a AtomicU32);

impl<const FREE: u32, const HELD: u32, const CROWDED: u32> Word<'_, FREE, HELD, CROWDED> {
    #[inline]
    pub fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes it; looks `spins` times before it sleeps.
    #[inline]
    pub fn lock(&self, spins: u32) {
        if !self.try_lock() {
            self.lock_late(spins);
        }
    }

    #[cold]
    fn lock_late(&self, spins: u32) {
        for _ in 0..spins {
            if self.0.load(Ordering::Relaxed) == FREE && self.try_lock() {
                return;
            }
            std::hint::spin_loop();
        }
        // Others may still sleep when this thread has got it, so it stays crowded.
        while self.0.swap(CROWDED, Ordering::Acquire) != FREE {
            sleep_on(self.0, CROWDED, None, libc::CLOCK_MONOTONIC);
        }
    }

    #[inline]
    pub fn unlock(&self) {
        let word = self.0.as_ptr();
        if self.0.swap(FREE, Ordering::Release) == CROWDED {
            wake_on_of(ANYBODY, word, 1);
        }
    }
}
