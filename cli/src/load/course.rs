//! What the threads of one run share: when it starts, how far it is, whether it goes on.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::failure::Failure;

/// One clock for all threads, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(Instant::now())
    }

    #[inline]
    pub fn now(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

/// The measured time, on the course's clock.
#[derive(Clone, Copy)]
pub struct Window {
    pub start: u64,
    pub end: u64,
}

pub struct Course {
    pub clock: Clock,
    /// Connections served so far, while connecting.
    pub established: AtomicU64,
    /// When the last of them was, on the clock.
    pub served_at: AtomicU64,
    /// Connections that are not waited for any more.
    pub given_up: AtomicU64,
    /// Messages echoed within the measured time.
    pub answered: AtomicU64,
    /// Threads that have connections left.
    pub working: AtomicUsize,
    gate: Barrier,
    window: OnceLock<Window>,
    stopped: AtomicBool,
    failure: Mutex<Option<Failure>>,
    /// Why not all connections were served.
    ended: Mutex<Option<String>>,
}

impl Course {
    pub fn new(threads: usize) -> Course {
        Course {
            clock: Clock::start(),
            established: AtomicU64::new(0),
            served_at: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            working: AtomicUsize::new(threads),
            gate: Barrier::new(threads + 1),
            window: OnceLock::new(),
            stopped: AtomicBool::new(false),
            failure: Mutex::new(None),
            ended: Mutex::new(None),
        }
    }

    /// A thread cannot take part; none should start.
    pub fn fail(&self, failure: Failure) {
        self.stopped.store(true, Ordering::Relaxed);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }

    /// Not every connection is served, and so none is to be measured.
    pub fn end(&self, why: String) {
        self.stopped.store(true, Ordering::Relaxed);
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }

    pub fn has_ended(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub fn ended(&self) -> Option<String> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// One more connection is served.
    pub fn serves(&self) {
        self.established.fetch_add(1, Ordering::Relaxed);
        self.served_at.fetch_max(self.clock.now(), Ordering::Relaxed);
    }

    /// A thread is ready, waits for the others, and learns the measured time; `None` if one failed.
    pub fn line_up(&self) -> Option<Window> {
        self.gate.wait();
        self.gate.wait();
        self.window.get().copied()
    }

    /// Waits for every thread to line up.
    pub fn gather(&self) {
        self.gate.wait();
    }

    /// Lets the threads go, for `time` from now if there is to be a run.
    pub fn go(&self, time: Option<Duration>) -> Option<Window> {
        if let Some(time) = time {
            let start = self.clock.now();
            let window = Window { start, end: start + time.as_nanos() as u64 };
            self.window.set(window).ok();
        }
        self.gate.wait();
        self.window.get().copied()
    }
}
