//! The clocks: what shall happen at a given time.
//!
//! There are two, since a time of day moves when somebody sets the clock and a span of time does
//! not. Each has a thread that starts with its first alarm and sleeps until the next one is due; if
//! there is none, for ever: an idle program costs nothing. An alarm runs no code of the program.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use windows_sys::Win32::Foundation::{ERROR_NOT_ENOUGH_MEMORY, FILETIME};

use crate::error::Code;
use crate::pool::item::{self, Item};
use crate::pool::waiting::{self, Watch};
use crate::sys::{self, now_ns};
use crate::timer;
use crate::wait::Deadline;

/// What an alarm does, on the clock's thread and with no lock held.
pub enum Job {
    /// A waitable timer is due: the handle table's value, and which setting of the timer it was.
    Timer { value: usize, setting: u64 },
    /// A timer of a pool is due.
    Item { item: Weak<Item>, setting: u64 },
    /// A wait of a pool has lasted long enough.
    Watch { watch: Weak<Watch>, round: u64 },
}

impl Job {
    fn run(self) {
        match self {
            Job::Timer { value, setting } => timer::ring(value, setting),
            Job::Item { item, setting } => item::ring(&item, setting),
            Job::Watch { watch, round } => waiting::ring(&watch, round),
        }
    }
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nanoseconds of the clock that only goes forwards.
    Span(u64),
    /// Nanoseconds since 1970.
    Day(u64),
}

impl Due {
    /// From Windows: 100 ns each; a negative number is a span from now, any other a time since
    /// 1601.
    pub fn from_windows(time: i64) -> Due {
        match time {
            ..0 => {
                Due::Span(now_ns(libc::CLOCK_MONOTONIC) + time.unsigned_abs().saturating_mul(100))
            }
            0.. => Due::Day((time as u64).saturating_sub(EPOCH_1970).saturating_mul(100)),
        }
    }

    pub fn after_ms(ms: u64) -> Due {
        Due::Span(now_ns(libc::CLOCK_MONOTONIC) + ms * 1_000_000)
    }

    /// For a wait.
    pub fn deadline(self) -> Deadline {
        let left = match self {
            Due::Span(at) => at.saturating_sub(now_ns(libc::CLOCK_MONOTONIC)),
            Due::Day(at) => at.saturating_sub(now_ns(libc::CLOCK_REALTIME)),
        };
        Deadline::At(Instant::now() + Duration::from_nanos(left))
    }

    /// The first time in steps of `period_ms` after a time that has come which is still to come,
    /// counted as a span: a period does not move when the clock is set.
    pub fn next(self, period_ms: u64) -> Due {
        let now = now_ns(libc::CLOCK_MONOTONIC);
        let (last, period) = match self {
            Due::Span(at) => (at.min(now), period_ms * 1_000_000),
            Due::Day(_) => (now, period_ms * 1_000_000),
        };
        Due::Span(last + ((now - last) / period + 1) * period)
    }
}

/// 1970 in 100 ns since 1601.
const EPOCH_1970: u64 = 116_444_736_000_000_000;

/// The time of day as Windows counts it.
pub fn file_time() -> FILETIME {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let ticks = EPOCH_1970 + (since_1970.as_nanos() / 100) as u64;
    FILETIME { dwLowDateTime: ticks as u32, dwHighDateTime: (ticks >> 32) as u32 }
}

/// An alarm that has been set.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    due: Due,
    number: u64,
}

impl Alarm {
    pub fn due(self) -> Due {
        self.due
    }

    /// Takes it back. False if it has run or is about to.
    pub fn cancel(self) -> bool {
        let (clock, at) = Clock::of(self.due);
        clock.lock().jobs.remove(&(at, self.number)).is_some()
    }
}

/// Sets an alarm. Fails only when the clock's thread cannot be started.
pub fn set(due: Due, job: Job) -> Result<Alarm, Code> {
    let (clock, at) = Clock::of(due);
    clock.set(at, job).map(|number| Alarm { due, number })
}

struct Clock {
    id: libc::clockid_t,
    alarms: Mutex<Alarms>,
    /// Counts the alarms that became the first: the thread sleeps on it.
    changes: AtomicU32,
}

struct Alarms {
    /// By time, then in the order they were set.
    jobs: BTreeMap<(u64, u64), Job>,
    numbers: u64,
    started: bool,
}

static SPANS: Clock = Clock::new(libc::CLOCK_MONOTONIC);
static DAYS: Clock = Clock::new(libc::CLOCK_REALTIME);

impl Clock {
    const fn new(id: libc::clockid_t) -> Clock {
        let alarms = Alarms { jobs: BTreeMap::new(), numbers: 0, started: false };
        Clock { id, alarms: Mutex::new(alarms), changes: AtomicU32::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(due: Due) -> (&'static Clock, u64) {
        match due {
            Due::Span(at) => (&SPANS, at),
            Due::Day(at) => (&DAYS, at),
        }
    }

    fn set(&'static self, at: u64, job: Job) -> Result<u64, Code> {
        let mut alarms = self.lock();
        if !alarms.started {
            let builder = std::thread::Builder::new().name("winsock-clock".into());
            let started = builder.stack_size(256 << 10).spawn(|| self.run());
            started.map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))?;
            alarms.started = true;
        }
        alarms.numbers += 1;
        let key = (at, alarms.numbers);
        alarms.jobs.insert(key, job);
        let is_first = alarms.jobs.first_key_value().is_some_and(|(first, _)| *first == key);
        drop(alarms);
        if is_first {
            self.changes.fetch_add(1, Ordering::Release);
            sys::wake_on(&self.changes);
        }
        Ok(key.1)
    }

    fn run(&self) {
        loop {
            // Read before the look: an alarm set after it changes the word again.
            let changes = self.changes.load(Ordering::Acquire);
            match self.take() {
                Ok(job) => job.run(),
                Err(next) => sys::sleep_on(&self.changes, changes, next, self.id),
            }
        }
    }

    /// The job that is due, or else when the next one is.
    fn take(&self) -> Result<Job, Option<u64>> {
        let mut alarms = self.lock();
        match alarms.jobs.first_entry() {
            None => Err(None),
            Some(first) if first.key().0 > now_ns(self.id) => Err(Some(first.key().0)),
            Some(first) => Ok(first.remove()),
        }
    }
}
