//! The watch: one thread that sleeps while all goes well.
//!
//! It sees to what nobody else may be there to see to:
//! - operations make progress even if no thread of the program waits in the library (invariant i);
//! - a port whose runners sleep in a place that we cannot see releases other threads (rule 41);
//! - listeners that ran out of descriptors accept again when there are some.
//!
//! While armed it looks every few milliseconds; after a tenth of a second in which nothing needed
//! it, it disarms and sleeps without a time-out, so an idle program costs nothing. Arming an armed
//! watch is one load.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::park::{futex_wait, futex_wake};
use crate::port::Port;
use crate::socket;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, lock};

const TICK_MIN: Duration = Duration::from_millis(1);
const TICK_MAX: Duration = Duration::from_millis(8);
/// Looks in a row that found nothing to do before the watch disarms.
const QUIET_LOOKS: u32 = 16;
/// How often listeners that starve are tried although we saw no descriptor being closed: the
/// program may have closed some of its own.
const STARVED_RETRY: Duration = Duration::from_millis(500);

/// The watch's ears; its thread starts when it is first armed.
pub struct Watch {
    armed: AtomicU32,
    started: AtomicBool,
    ports: Mutex<Vec<Weak<Port>>>,
    starved: Mutex<Vec<usize>>,
    /// Whether `starved` holds any, so that closing a socket need not lock.
    hungry: AtomicBool,
}

impl Watch {
    pub fn new() -> Watch {
        Watch {
            armed: AtomicU32::new(0),
            started: AtomicBool::new(false),
            ports: Mutex::new(Vec::new()),
            starved: Mutex::new(Vec::new()),
            hungry: AtomicBool::new(false),
        }
    }

    /// Makes the watch look for a while.
    pub fn arm(&self) {
        if self.armed.load(Ordering::SeqCst) == 1 || self.armed.swap(1, Ordering::SeqCst) == 1 {
            return;
        }
        if self.started.swap(true, Ordering::SeqCst) {
            futex_wake(&self.armed);
            return;
        }
        let name = "winsock-watch".to_owned();
        let spawned = std::thread::Builder::new().name(name).stack_size(256 << 10).spawn(run);
        if spawned.is_err() {
            // No thread to be had now; the next call tries again.
            self.started.store(false, Ordering::SeqCst);
            self.armed.store(0, Ordering::SeqCst);
        }
    }

    pub fn add_port(&self, port: &Arc<Port>) {
        lock(&self.ports).push(Arc::downgrade(port));
        self.arm();
    }

    pub fn add_starved(&self, token: usize) {
        let mut starved = lock(&self.starved);
        if !starved.contains(&token) {
            starved.push(token);
        }
        self.hungry.store(true, Ordering::Release);
        drop(starved);
        self.arm();
    }

    /// Lets starved listeners try again, on the calling thread.
    pub fn feed(&self) {
        if !self.hungry.load(Ordering::Acquire) {
            return;
        }
        let starved = {
            let mut starved = lock(&self.starved);
            self.hungry.store(false, Ordering::Release);
            std::mem::take(&mut *starved)
        };
        for token in starved {
            socket::on_ready(token, libc::EPOLLIN as u32);
        }
    }

    pub fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Acquire)
    }

    /// True while some port needs looking after.
    fn look_after_ports(&self) -> bool {
        let mut ports = std::mem::take(&mut *lock(&self.ports));
        ports.retain(|port| port.upgrade().is_some_and(|port| port.drop_sleepers(is_asleep)));
        let stalled = !ports.is_empty();
        lock(&self.ports).append(&mut ports);
        stalled
    }

    /// Sleeps until armed; gives up being armed first, unless there is work that nobody leads.
    fn rest(&self) {
        self.armed.store(0, Ordering::SeqCst);
        let driver = super::driver();
        if driver.has_work() && !driver.leadership().0 {
            self.armed.store(1, Ordering::SeqCst);
        }
        while self.armed.load(Ordering::SeqCst) == 0 {
            // Listeners that starve are looked at now and then even when nothing else happens.
            let timeout = self.is_hungry().then_some(STARVED_RETRY.as_nanos() as u64);
            futex_wait(&self.armed, 0, timeout);
            self.feed();
        }
    }
}

/// The watch's thread.
fn run() {
    let driver = super::driver();
    let watch = &driver.watch;
    let mut term = None;
    let mut tick = TICK_MIN;
    let mut quiet = 0;
    let mut fed = Instant::now();
    loop {
        std::thread::sleep(tick);
        if fed.elapsed() > STARVED_RETRY {
            fed = Instant::now();
            watch.feed();
        }
        let stalled = watch.look_after_ports();
        let (led, now) = driver.leadership();
        let unchanged = term.replace(now) == Some(now);
        if stalled {
            (tick, quiet) = (TICK_MIN, 0);
        } else if !led && unchanged && driver.has_work() {
            // A whole tick without a leader: somebody who waits shall lead, or else we do.
            driver.stand_in();
            (tick, quiet) = (TICK_MIN, 0);
        } else {
            tick = (tick * 2).min(TICK_MAX);
            quiet += 1;
            // A leader that sits in its wait will go on doing so; without work nobody is needed.
            if quiet >= QUIET_LOOKS && (unchanged || !driver.has_work()) {
                watch.rest();
                (tick, quiet, term) = (TICK_MIN, 0, None);
            }
        }
    }
}

/// Whether a thread of this process sleeps in the kernel. One that ended does so for good.
fn is_asleep(tid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/self/task/{tid}/stat")) else {
        return true;
    };
    // "tid (name) S …", and the name may hold anything.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state != Some('R')
}
