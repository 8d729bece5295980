//! Seam B: what carries operations out.
//!
//! A backend supplies, and the rest of the crate relies on:
//! - [`register`]: from now on the socket's pending operations are finished when the kernel can;
//! - [`sleep`]: the calling thread waits, and drives the backend if no other thread does;
//! - [`poll`]: what the kernel has finished is reported, without waiting;
//! - [`kick`]: the driving thread returns from its wait.
//!
//! and one that [carries receives](carries_receives) besides:
//! - [`launch`]: the kernel fills a receive's buffer, and [`crate::socket::on_landing`] is told;
//! - [`recall`]: what was launched lands soon;
//! - [`await_landing`]: the calling thread sees to it that it does.
//!
//! It may rely on: tokens are handle values; no lock is held when it is called, but for `register`,
//! `launch` and `recall` (the socket's); reports go to [`crate::socket::Socket::on_ready`], which
//! runs no user code.
//!
//! The choice is made once per process: `WINSOCK_BACKEND=auto|epoll|uring|fake[:SEED]`. A backend
//! that is forced and missing is an error at start-up, never replaced by another.

#[cfg(not(loom))]
mod epoll;
pub mod fake;
#[cfg(not(loom))]
mod uring;
#[cfg(not(loom))]
mod watch;

use std::os::fd::RawFd;
use std::sync::{Arc, LazyLock};

#[cfg(loom)]
use crate::loom_models::Driver;
use crate::port::Port;
use crate::sys::Errno;
use crate::thread::Thread;
#[cfg(not(loom))]
use epoll::Driver;

/// What `WINSOCK_BACKEND` asked for, or the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Epoll,
    /// Epoll with a ring: [`uring`].
    Uring,
    Fake {
        seed: u64,
    },
}

impl Choice {
    /// The name that `winsock probe` and the server's first line show.
    pub fn name(self) -> &'static str {
        match self {
            Choice::Epoll => "epoll",
            Choice::Uring => "uring",
            Choice::Fake { .. } => "fake",
        }
    }

    fn parse(text: &str) -> Option<Choice> {
        match text.split_once(':') {
            None => match text {
                "" | "auto" | "epoll" => Some(Choice::Epoll),
                "uring" => Some(Choice::Uring),
                "fake" => Some(Choice::Fake { seed: 1 }),
                _ => None,
            },
            Some(("fake", seed)) => seed.parse().ok().map(|seed| Choice::Fake { seed }),
            Some(_) => None,
        }
    }
}

/// The backend of this process; `Err` holds the text of `WINSOCK_BACKEND` that names none.
pub fn choice() -> Result<Choice, &'static str> {
    static CHOICE: LazyLock<Result<Choice, String>> = LazyLock::new(|| {
        let text = std::env::var("WINSOCK_BACKEND").unwrap_or_default();
        Choice::parse(&text).ok_or(text)
    });
    CHOICE.as_ref().copied().map_err(String::as_str)
}

static DRIVER: LazyLock<Result<Driver, Errno>> = LazyLock::new(Driver::new);

/// Starts the backend; WSAStartup reports its failure.
pub fn start() -> Result<(), Errno> {
    DRIVER.as_ref().map(|_| ()).map_err(|errno| *errno)
}

fn driver() -> &'static Driver {
    DRIVER.as_ref().expect("WSAStartup has started the backend")
}

/// See [`Driver::register`].
pub fn register(fd: RawFd, token: usize) -> Result<(), Errno> {
    driver().register(fd, token)
}

/// How a thread wants to wait.
#[derive(Clone, Copy, Debug)]
pub struct Nap {
    /// `None`: no limit. 0: look, and do not wait.
    pub timeout_ns: Option<u64>,
    /// It may drive the backend meanwhile.
    pub may_lead: bool,
    /// How many completions it can take at a time: it stops driving when it has some.
    pub appetite: usize,
}

/// See [`Driver::sleep`].
pub fn sleep(thread: &Arc<Thread>, nap: Nap) -> bool {
    match &*DRIVER {
        Ok(driver) => driver.sleep(thread, nap),
        Err(_) => {
            thread.parker.park(nap.timeout_ns); // Events work without sockets.
            false
        }
    }
}

/// Reports what the kernel has finished, unless another thread is about to.
pub fn poll(thread: &Arc<Thread>) {
    look(thread, usize::MAX);
}

/// As [`poll`], for a portion.
pub fn look(thread: &Arc<Thread>, appetite: usize) {
    sleep(thread, Nap { timeout_ns: Some(0), may_lead: true, appetite });
}

/// See [`Driver::hand_out`].
pub fn hand_out(thread: &Arc<Thread>) -> bool {
    DRIVER.as_ref().is_ok_and(|driver| driver.hand_out(thread))
}

/// Whether the kernel may be given receives whole.
pub fn carries_receives() -> bool {
    DRIVER.as_ref().is_ok_and(Driver::carries_receives)
}

/// See [`Driver::launch`].
pub fn launch(word: u64, fd: RawFd, base: *mut u8, len: u32) {
    driver().launch(word, fd, base, len);
}

/// See [`Driver::recall`].
pub fn recall(word: u64) {
    driver().recall(word);
}

/// Tells the kernel of all that has been launched.
pub fn flush() {
    driver().flush();
}

/// Drives the backend, or lets others drive it, as long as `is_aloft` says that a recalled receive
/// has not landed. Gives up after a second or so: it lands when the kernel lets it.
pub fn await_landing(is_aloft: impl Fn() -> bool) {
    for turn in 0..1000 {
        crate::thread::on_current(poll);
        if !is_aloft() {
            return;
        }
        match turn {
            0..100 => std::thread::yield_now(),
            _ => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
}

/// How often the ring's queue of completions was too small.
pub fn overflows() -> u64 {
    DRIVER.as_ref().map_or(0, Driver::overflows)
}

/// Whether this machine has a ring that works; or why not.
pub fn probe_ring() -> std::io::Result<()> {
    Driver::probe_ring()
}

/// See [`Driver::kick`].
pub fn kick() {
    driver().kick();
}

/// Looks after a port whose packets wait while its threads may not run.
pub fn watch_port(port: &Arc<Port>) {
    if let Ok(driver) = &*DRIVER {
        driver.watch.add_port(port);
    }
}

/// The coarse clock when the backend last handed out reports.
pub fn reaped_at() -> u32 {
    driver().reaped_at()
}

/// The number of the backend's latest question to the kernel.
pub fn round() -> u32 {
    driver().round()
}

/// An operation waits in a socket's queue.
pub fn note_parked() {
    driver().note_parked();
}

/// A thread has been woken from its futex, or has more to do when it comes back.
pub fn note_served() {
    if let Ok(driver) = &*DRIVER {
        driver.note_served();
    }
}

/// A listener could not accept for want of descriptors: it is tried again when one is closed.
pub fn starve(token: usize) {
    driver().watch.add_starved(token);
}

/// A descriptor has been closed: listeners that wait for one may accept again.
pub fn feed() {
    if let Ok(driver) = &*DRIVER {
        driver.watch.feed();
    }
}

/// Whether a listener waits for a free descriptor.
pub fn is_starved() -> bool {
    DRIVER.as_ref().is_ok_and(|driver| driver.watch.is_hungry())
}
