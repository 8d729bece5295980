//! The epoll backend: every socket registered once, edge-triggered, never modified.
//!
//! There is no thread of our own on the hot path. Of the threads that wait in the library one is the
//! leader: it sits in `epoll_wait`, finishes what became ready, and leaves to run its own code when
//! something of it was for itself. Nobody is woken to take its place: the thread that comes back to
//! wait next will lead. If none comes, the watch ([`super::watch`]) notices within milliseconds.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, Ordering};

use super::watch::Watch;
use crate::park::Bed;
use crate::socket;
use crate::sync::{Mutex, lock};
use crate::sys::{self, Errno, Poller};
use crate::thread::{self, Thread};

/// The process's readiness driver.
pub struct Driver {
    poller: Poller,
    /// A thread is in `epoll_wait` or handing out what it brought.
    led: AtomicBool,
    /// Counts the times a thread became leader: the watch compares it over time.
    term: AtomicU32,
    /// Operations that wait in the sockets' queues.
    parked: AtomicIsize,
    /// Coarse time of the last reaping: see [`Driver::reaped_at`].
    reaped_at: AtomicU32,
    /// Threads that sleep on their futex and could lead.
    followers: Mutex<Vec<Arc<Thread>>>,
    pub(super) watch: Watch,
}

impl Driver {
    pub(super) fn new() -> Result<Driver, Errno> {
        Ok(Driver {
            poller: Poller::new()?,
            led: AtomicBool::new(false),
            term: AtomicU32::new(0),
            parked: AtomicIsize::new(0),
            reaped_at: AtomicU32::new(0),
            followers: Mutex::new(Vec::new()),
            watch: Watch::new(),
        })
    }

    /// Registers a socket's descriptor; what is ready already is reported too.
    pub fn register(&self, fd: RawFd, token: usize) -> Result<(), Errno> {
        self.poller.add(fd, token as u64)
    }

    /// Makes the leader return from its wait.
    pub fn kick(&self) {
        self.poller.kick();
    }

    /// Waits until unparked, driven events arrive, or the time is up; may return early.
    pub fn sleep(&self, thread: &Arc<Thread>, timeout_ns: Option<u64>, may_lead: bool) {
        if may_lead && self.try_lead() {
            if thread.parker.enter(Bed::Leader) {
                self.reap(timeout_ns, || {
                    thread.parker.leave();
                });
            }
            self.resign();
            return;
        }
        lock(&self.followers).push(thread.clone());
        // The leader may have left between our attempt and our enlisting; then nobody drives until
        // the watch looks, so look ourselves.
        if !may_lead || self.led.load(Ordering::SeqCst) {
            thread.parker.park(timeout_ns);
        }
        lock(&self.followers).retain(|follower| !Arc::ptr_eq(follower, thread));
    }

    /// Reports what the kernel has finished, if no other thread is about to.
    pub fn poll(&self) {
        if self.try_lead() {
            self.reap(Some(0), || ());
            self.resign();
        }
    }

    /// The coarse clock when the backend last asked the kernel. A socket found empty in this very
    /// tick need not be asked again: what has come since is reported by the next wait.
    pub fn reaped_at(&self) -> u32 {
        self.reaped_at.load(Ordering::Relaxed)
    }

    pub fn note_parked(&self, change: isize) {
        if self.parked.fetch_add(change, Ordering::SeqCst) == 0 && !self.led.load(Ordering::SeqCst) {
            // Perhaps the first, and perhaps nobody waits: it shall make progress all the same.
            self.watch.arm();
        }
    }

    fn try_lead(&self) -> bool {
        !self.led.swap(true, Ordering::SeqCst)
    }

    fn resign(&self) {
        self.led.store(false, Ordering::SeqCst);
        if self.has_work() {
            self.watch.arm();
        }
    }

    /// Asks the kernel, calls `awake` when it has answered, then hands out the answers.
    fn reap(&self, timeout_ns: Option<u64>, awake: impl FnOnce()) {
        self.term.fetch_add(1, Ordering::Relaxed);
        let mut room = sys::room();
        let reports = self.poller.wait(timeout_ns, &mut room);
        awake();
        self.reaped_at.store(sys::coarse_ms(), Ordering::Relaxed);
        for report in reports {
            socket::on_ready(report.token as usize, report.events);
        }
    }

    pub(super) fn has_work(&self) -> bool {
        self.parked.load(Ordering::SeqCst) > 0
    }

    /// For the watch: whether a thread leads, and since which term.
    pub(super) fn leadership(&self) -> (bool, u32) {
        (self.led.load(Ordering::SeqCst), self.term.load(Ordering::Relaxed))
    }

    /// For the watch: wakes a thread that can lead. False when there is none.
    pub(super) fn promote(&self) -> bool {
        let follower = lock(&self.followers).pop();
        follower.is_some_and(|follower| {
            follower.unpark();
            true
        })
    }

    /// For the watch: leads until something happened.
    pub(super) fn lead_once(&self) {
        thread::on_current(|thread| self.sleep(thread, None, true));
    }
}
