//! What the process holds: memory, descriptors, threads.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use conformance::comes_true;

/// The system's allocator, counted.
struct Counted;

static HELD: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: passed on from our caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: passed on from our caller.
        unsafe { System.dealloc(at, layout) }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Resources {
    /// Bytes.
    memory: isize,
    descriptors: usize,
    threads: usize,
}

/// What a round may leave behind: tables that have grown for a few clients more than in the last.
const SLACK: isize = 256 * 1024;

impl Resources {
    fn now() -> Resources {
        Resources {
            memory: HELD.load(Ordering::Relaxed),
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
        }
    }

    /// What there is when all that was ending has ended.
    pub fn settled() -> Resources {
        let mut last = Resources::now();
        loop {
            conformance::pause();
            let now = Resources::now();
            if (now.threads, now.descriptors) == (last.threads, last.descriptors) {
                return now;
            }
            last = now;
        }
    }

    /// Asserts that there is soon no more than this.
    pub fn expect_again(&self) {
        let is_again = || {
            let now = Resources::now();
            now.memory <= self.memory + SLACK
                && now.descriptors <= self.descriptors
                && now.threads <= self.threads
        };
        assert!(comes_true(is_again), "{self:?} has become {:?}", Resources::now());
    }
}

/// How many entries a folder has; 0 where there is no such thing.
fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| entries.count())
}
