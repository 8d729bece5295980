//! The epoll backend: every socket registered once, edge-triggered, never modified.
//!
//! There is no thread of our own on the hot path. Of the threads that wait in the library one is
//! the leader: it sits in `epoll_wait`, finishes what became ready, and leaves to run its own code
//! when something of it was for itself. Nobody is woken to take its place: the thread that comes
//! back to wait next will lead. If none comes, the watch ([`super::watch`]) notices within
//! milliseconds.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::uring::{Brought, Landing, Ring};
use super::watch::Watch;
use super::{Choice, Nap};
use crate::park::Bed;
use crate::socket;
use crate::sync::{Mutex, lock};
use crate::sys::{self, Errno, Poller, Readiness, Room};
use crate::thread::{self, Thread};

/// The process's readiness driver.
pub struct Driver {
    poller: Poller,
    /// Where the leader waits, if there is one; it polls the poller.
    ring: Option<Ring>,
    /// A thread is in `epoll_wait` or handing out what it brought.
    led: AtomicBool,
    /// What the kernel reported and the leaders have not handed out yet; only the leader takes it.
    batch: Mutex<Batch>,
    /// Whether there are any such, for a look without the lock.
    behind: AtomicBool,
    /// Counts the times a thread became leader: the watch compares it over time.
    term: AtomicU32,
    /// Some socket has been registered: reports may come, and operations wait for them.
    in_use: AtomicBool,
    /// Coarse time of the last reaping: see [`Driver::reaped_at`].
    reaped_at: AtomicU32,
    /// Counts the times that the kernel was asked for reports: see [`Driver::round`].
    round: AtomicU32,
    /// See [`Driver::note_served`].
    served: AtomicU32,
    /// The watch leads because nobody else waited.
    stood_in: AtomicBool,
    /// Threads that sleep on their futex and could lead.
    followers: Mutex<Vec<Arc<Thread>>>,
    pub(super) watch: Watch,
}

/// Reports of the kernel, in order.
struct Batch {
    room: Box<Room>,
    next: usize,
    count: usize,
    /// What has landed, the last first.
    landings: Vec<Landing>,
}

/// One thing that the kernel has told.
enum Report {
    Ready(Readiness),
    Landed(Landing),
}

impl Batch {
    fn new() -> Batch {
        Batch { room: Box::new(sys::room()), next: 0, count: 0, landings: Vec::new() }
    }

    fn has_more(&self) -> bool {
        self.next < self.count || !self.landings.is_empty()
    }

    fn fill(&mut self, poller: &Poller, ring: Option<&Ring>, timeout_ns: Option<u64>) {
        let Some(ring) = ring else { return self.fill_from(poller, timeout_ns) };
        let brought = ring.wait(poller.descriptor(), timeout_ns, &mut self.landings);
        self.landings.reverse();
        match brought {
            Brought::Reports => self.fill_from(poller, Some(0)),
            Brought::Landings => {}
        }
    }

    fn fill_from(&mut self, poller: &Poller, timeout_ns: Option<u64>) {
        (self.next, self.count) = (0, poller.wait(timeout_ns, &mut self.room));
    }

    fn next(&mut self) -> Option<Report> {
        if let Some(landing) = self.landings.pop() {
            return Some(Report::Landed(landing));
        }
        let at = self.next;
        (at < self.count).then(|| {
            self.next += 1;
            // SAFETY: the kernel filled the first `count` reports.
            Report::Ready(unsafe { self.room[at].assume_init() })
        })
    }
}

impl Driver {
    pub(super) fn new() -> Result<Driver, Errno> {
        let ring = match super::choice() {
            Ok(Choice::Uring) => Some(asked_for_ring()?),
            Ok(Choice::Epoll | Choice::Fake { .. }) | Err(_) => None,
        };
        Ok(Driver {
            poller: Poller::new()?,
            ring,
            led: AtomicBool::new(false),
            batch: Mutex::new(Batch::new()),
            behind: AtomicBool::new(false),
            term: AtomicU32::new(0),
            in_use: AtomicBool::new(false),
            reaped_at: AtomicU32::new(0),
            round: AtomicU32::new(0),
            served: AtomicU32::new(0),
            stood_in: AtomicBool::new(false),
            followers: Mutex::new(Vec::new()),
            watch: Watch::new(),
        })
    }

    /// Whether this machine has a ring that works; or why not.
    pub(super) fn probe_ring() -> std::io::Result<()> {
        Ring::new().map(drop)
    }

    /// Registers a socket's descriptor; what is ready already is reported too.
    pub fn register(&self, fd: RawFd, token: usize) -> Result<(), Errno> {
        self.in_use.store(true, Ordering::SeqCst);
        self.poller.add(fd, token as u64)
    }

    /// Makes the leader return from its wait.
    pub fn kick(&self) {
        match &self.ring {
            Some(ring) => ring.kick(),
            None => self.poller.kick(),
        }
    }

    pub fn carries_receives(&self) -> bool {
        self.ring.is_some()
    }

    /// Lends memory to the kernel until it has received into it; the word comes back once, with the
    /// outcome.
    pub fn launch(&self, word: u64, fd: RawFd, base: *mut u8, len: u32) {
        if !self.in_use.load(Ordering::Relaxed) {
            self.in_use.store(true, Ordering::SeqCst);
        }
        if let Some(ring) = &self.ring {
            ring.launch(word, fd, base, len);
        }
    }

    /// Makes a launch land soon.
    pub fn recall(&self, word: u64) {
        if let Some(ring) = &self.ring {
            ring.recall(word);
        }
    }

    /// Tells the kernel of all that has been launched.
    pub fn flush(&self) {
        if let Some(ring) = &self.ring {
            ring.submit();
        }
    }

    pub fn overflows(&self) -> u64 {
        self.ring.as_ref().map_or(0, Ring::overflows)
    }

    /// Waits until unparked, or until the time is up, and drives meanwhile; may return early.
    /// A driving thread that is unparked stops after `appetite` reports.
    ///
    /// True if it drove, and what it handed out was for others: they are the ones that work, so
    /// they should drive when they come back, and cost no wake-up for each message. The main
    /// thread, which waits for the workers to end, would otherwise be their waker for ever.
    pub fn sleep(&self, thread: &Arc<Thread>, nap: Nap) -> bool {
        // Whoever was woken to lead does so even if it would rather stand by.
        let may_lead = thread.take_promotion() || nap.may_lead;
        if may_lead && self.try_lead() {
            let served = self.lead(thread, nap);
            self.resign();
            return served;
        }
        if nap.timeout_ns == Some(0) {
            self.relieve(); // Another thread is at it; should it be the watch, we are back.
            return false;
        }
        lock(&self.followers).push(thread.clone());
        if may_lead {
            self.relieve();
        }
        // The leader may have left between our attempt and our enlisting; then nobody drives until
        // the watch looks, so look ourselves.
        if !may_lead || self.led.load(Ordering::SeqCst) {
            thread.parker.park(nap.timeout_ns);
        }
        lock(&self.followers).retain(|follower| !Arc::ptr_eq(follower, thread));
        false
    }

    /// Hands out one of the reports that the last leader left over, without asking the kernel.
    /// False if there is none, or another thread is at it.
    pub fn hand_out(&self, thread: &Arc<Thread>) -> bool {
        if !self.behind.load(Ordering::Relaxed) || !self.try_lead() {
            return false;
        }
        let behind = lock(&self.batch).has_more();
        if behind {
            self.lead(thread, Nap { timeout_ns: Some(0), may_lead: true, appetite: 1 });
        }
        self.resign();
        behind
    }

    /// The coarse clock when the backend last handed out reports: when a socket was found empty.
    pub fn reaped_at(&self) -> u32 {
        self.reaped_at.load(Ordering::Relaxed)
    }

    /// The number of the latest question to the kernel. A report of one round is younger than
    /// whatever happened in the rounds before it.
    pub fn round(&self) -> u32 {
        self.round.load(Ordering::Relaxed)
    }

    /// An operation waits from now on. Perhaps no thread waits for it: it shall make progress all
    /// the same.
    pub fn note_parked(&self) {
        if !self.led.load(Ordering::SeqCst) {
            self.watch.arm();
        }
    }

    /// A thread has been woken, or has more to do when it comes back; perhaps by what the leader
    /// hands out.
    pub fn note_served(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes the watch give up the lead, if it stood in for the program's threads.
    fn relieve(&self) {
        if self.stood_in.swap(false, Ordering::SeqCst) {
            self.kick();
        }
    }

    fn try_lead(&self) -> bool {
        !self.led.swap(true, Ordering::SeqCst)
    }

    fn resign(&self) {
        let behind = lock(&self.batch).has_more();
        self.behind.store(behind, Ordering::Relaxed);
        self.led.store(false, Ordering::SeqCst);
        // What was reported and not handed out yet is work for others who wait.
        if behind {
            self.promote();
        }
        if self.has_work() {
            self.watch.arm();
        }
    }

    /// Hands out what the kernel reported, asking it first if nothing is left over from last time.
    ///
    /// A thread that has got what it waited for leaves the rest for later, so that it handles one
    /// message while its socket is still in the cache, as a hand-written loop would.
    /// True if that was for threads that will come back.
    fn lead(&self, thread: &Thread, nap: Nap) -> bool {
        let mut batch = lock(&self.batch);
        self.term.fetch_add(1, Ordering::Relaxed);
        if !batch.has_more() {
            if nap.timeout_ns != Some(0) && !thread.parker.enter(Bed::Leader) {
                return false;
            }
            self.round.fetch_add(1, Ordering::SeqCst);
            batch.fill(&self.poller, self.ring.as_ref(), nap.timeout_ns);
            thread.parker.leave();
        }
        self.reaped_at.store(sys::coarse_ms(), Ordering::Relaxed);
        let served = self.served.load(Ordering::Relaxed);
        let mut handed_out = 0;
        while let Some(report) = batch.next() {
            match report {
                Report::Ready(report) => socket::on_ready(report.token as usize, report.events),
                // SAFETY: the kernel lands each launch once, and the ring tells each landing once.
                Report::Landed(landing) => unsafe {
                    socket::on_landing(landing.word, landing.result);
                },
            }
            handed_out += 1;
            let looks_only = nap.timeout_ns == Some(0);
            if handed_out >= nap.appetite && (looks_only || thread.parker.is_notified()) {
                break;
            }
        }
        self.served.load(Ordering::Relaxed) != served
    }

    pub(super) fn has_work(&self) -> bool {
        self.in_use.load(Ordering::SeqCst)
    }

    /// For the watch: whether a thread leads, and since which term.
    pub(super) fn leadership(&self) -> (bool, u32) {
        (self.led.load(Ordering::SeqCst), self.term.load(Ordering::Relaxed))
    }

    /// Wakes a thread to lead. False when none sleeps that is not on its way out already.
    pub(super) fn promote(&self) -> bool {
        let follower = {
            let mut followers = lock(&self.followers);
            let asleep = followers.iter().rposition(|follower| !follower.parker.is_notified());
            asleep.map(|at| followers.swap_remove(at))
        };
        follower.is_some_and(|follower| {
            follower.promote();
            true
        })
    }

    /// For the watch: leads until a thread of the program is back and relieves it.
    pub(super) fn stand_in(&self) {
        self.stood_in.store(true, Ordering::SeqCst);
        let nap = Nap { timeout_ns: None, may_lead: true, appetite: usize::MAX };
        while !self.promote() && self.has_work() && self.try_lead() {
            thread::on_current(|thread| self.lead(thread, nap));
            self.resign();
            if !self.stood_in.load(Ordering::SeqCst) {
                self.promote();
                return;
            }
        }
        self.stood_in.store(false, Ordering::SeqCst);
    }
}

/// The ring that `WINSOCK_BACKEND` asks for; why there is none is said once, on standard error.
fn asked_for_ring() -> Result<Ring, Errno> {
    Ring::new().map_err(|error| {
        eprintln!("winsock: WINSOCK_BACKEND=uring, but io_uring is not to be had here: {error}");
        Errno(error.raw_os_error().unwrap_or(libc::ENOSYS))
    })
}
