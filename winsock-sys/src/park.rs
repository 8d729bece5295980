//! How one thread sleeps and how others wake it.
//!
//! A thread of the library sleeps in one of three places, and each is left in its own way: on its
//! futex word, in `epoll_wait` as the leader (an eventfd wakes it), or in `ppoll` inside a blocking
//! call (a signal wakes it). [`Parker`] remembers which, so that waking a thread costs a
//! system call only when it really sleeps, and the right one.

use crate::sync::atomic::{AtomicU32, Ordering};

/// Where the thread is.
const AWAKE: u32 = 0;
/// Awake or about to be, and it must not go to sleep before it has looked around once more.
const NOTIFIED: u32 = 1;
const PARKED: u32 = 2;
const LEADING: u32 = 3;
const BLOCKED: u32 = 4;

/// A place to sleep other than the futex word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bed {
    /// In the driver's `epoll_wait`.
    Leader,
    /// In `ppoll` inside a blocking call.
    Blocked,
}

/// What is left to do so that a thread that has been notified wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Rouse {
    /// The thread is awake.
    Nothing,
    /// It is parked: [`Parker::wake`] it.
    Parked,
    /// It leads: make `epoll_wait` return.
    Leader,
    /// It sits in a blocking call: send it the alert signal.
    Blocked,
}

/// The sleep state of one thread: only that thread parks, any thread notifies it.
#[derive(Debug)]
pub struct Parker {
    state: AtomicU32,
    #[cfg(loom)]
    lock: loom::sync::Mutex<()>,
    #[cfg(loom)]
    woken: loom::sync::Condvar,
}

impl Parker {
    pub fn new() -> Parker {
        Parker {
            state: AtomicU32::new(AWAKE),
            #[cfg(loom)]
            lock: loom::sync::Mutex::new(()),
            #[cfg(loom)]
            woken: loom::sync::Condvar::new(),
        }
    }

    /// Sleeps until notified or until `timeout_ns` has passed (`None`: for ever). Returns at once,
    /// and consumes the notification, when one came first. May return early.
    pub fn park(&self, timeout_ns: Option<u64>) {
        if self.state.compare_exchange(AWAKE, PARKED, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.sleep(timeout_ns);
        }
        self.state.swap(AWAKE, Ordering::Acquire);
    }

    /// Lies down in another bed. False, with the notification consumed, when one came first.
    pub fn enter(&self, bed: Bed) -> bool {
        let state = match bed {
            Bed::Leader => LEADING,
            Bed::Blocked => BLOCKED,
        };
        if self.state.compare_exchange(AWAKE, state, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            return true;
        }
        // Not a mere store: a second one may come between, and what it was for must be seen.
        self.state.swap(AWAKE, Ordering::Acquire);
        false
    }

    /// Gets up from the other bed. True when it was notified meanwhile.
    pub fn leave(&self) -> bool {
        self.state.swap(AWAKE, Ordering::AcqRel) == NOTIFIED
    }

    /// Whether it was notified since the thread got up.
    pub fn is_notified(&self) -> bool {
        self.state.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Keeps the thread from its next sleep; one that sleeps already has to be roused, now or when
    /// locks are released.
    pub fn notify(&self) -> Rouse {
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => Rouse::Parked,
            LEADING => Rouse::Leader,
            BLOCKED => Rouse::Blocked,
            AWAKE | NOTIFIED => Rouse::Nothing,
            other => unreachable!("parker state {other}"),
        }
    }
}

#[cfg(not(loom))]
impl Parker {
    fn sleep(&self, timeout_ns: Option<u64>) {
        futex_wait(&self.state, PARKED, timeout_ns);
    }

    /// Wakes the thread from its futex.
    pub fn wake(&self) {
        futex_wake(&self.state);
    }
}

#[cfg(loom)]
impl Parker {
    fn sleep(&self, timeout_ns: Option<u64>) {
        if timeout_ns.is_some() {
            return loom::thread::yield_now(); // The time is up whenever the scheduler says so.
        }
        let mut guard = self.lock.lock().unwrap();
        while self.state.load(Ordering::Acquire) == PARKED {
            guard = self.woken.wait(guard).unwrap();
        }
    }

    pub fn wake(&self) {
        let _guard = self.lock.lock().unwrap();
        self.woken.notify_one();
    }
}

/// Sleeps while `word` holds `expected`. May return early: callers look again.
#[cfg(not(loom))]
pub fn futex_wait(word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) {
    let timeout = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word and the timeout outlive the call; the kernel only reads both.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
            expected,
            timeout,
        );
    }
}

/// Wakes one thread that sleeps on `word`.
#[cfg(not(loom))]
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: the kernel only uses the word's address as a key.
    unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            1,
        );
    }
}
