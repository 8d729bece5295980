//! The one loop in which a thread of the library waits, whatever it waits for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::{self, Nap};
use crate::thread::{Alertable, Thread};

/// When a wait gives up.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// Look, and do not wait.
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// From a Windows time-out: milliseconds, of which `INFINITE` is for ever (rule 110).
    pub fn after_ms(ms: u32) -> Deadline {
        match ms {
            0 => Deadline::Now,
            u32::MAX => Deadline::Never,
            ms => Deadline::after(Duration::from_millis(ms.into())),
        }
    }

    /// So long from now.
    pub fn after(time: Duration) -> Deadline {
        match time.is_zero() {
            true => Deadline::Now,
            false => Instant::now().checked_add(time).map_or(Deadline::Never, Deadline::At),
        }
    }

    /// This one, or `ms` milliseconds from now if that is sooner.
    pub fn or_after_ms(self, ms: u32) -> Deadline {
        let soon = Instant::now() + Duration::from_millis(ms.into());
        match self {
            Deadline::Now => Deadline::Now,
            Deadline::Never => Deadline::At(soon),
            Deadline::At(instant) => Deadline::At(instant.min(soon)),
        }
    }

    /// This one, or `instant` if there is one and it is sooner.
    pub fn or_at(self, instant: Option<Instant>) -> Deadline {
        match (self, instant) {
            (Deadline::At(own), Some(instant)) => Deadline::At(own.min(instant)),
            (Deadline::Never, Some(instant)) => Deadline::At(instant),
            (own, _) => own,
        }
    }

    /// What is left: `None` when the time is up, `Some(None)` when there is no limit.
    pub fn left_ns(self) -> Option<Option<u64>> {
        match self {
            Deadline::Now => None,
            Deadline::Never => Some(None),
            Deadline::At(instant) => {
                let left = instant.saturating_duration_since(Instant::now());
                (!left.is_zero()).then_some(Some(left.as_nanos() as u64))
            }
        }
    }
}

/// What a waiting thread sees when it looks around.
pub enum Look<T> {
    Ready(T),
    /// Nothing yet; it may drive the backend while it waits.
    Wait,
    /// Nothing yet, and it should leave driving to the thread that it has just served.
    StandBy,
}

/// How a wait ended.
pub enum Outcome<T> {
    Ready(T),
    TimedOut,
    /// The thread is called: the caller withdraws from what it waited for, then runs APCs.
    Apc,
}

/// Waits until `look` is satisfied. `look` is called again after every wake-up, with nothing
/// locked. `appetite`: how many completions the caller takes at a time.
pub fn wait<T>(
    thread: &Arc<Thread>,
    deadline: Deadline,
    alertable: Alertable,
    appetite: usize,
    mut look: impl FnMut() -> Look<T>,
) -> Outcome<T> {
    if let Deadline::Now = deadline {
        // A program that only polls still sees what the kernel has finished.
        backend::look(thread, appetite);
    }
    let mut served_others = false;
    loop {
        let may_lead = match look() {
            Look::Ready(value) => return Outcome::Ready(value),
            Look::Wait => !served_others,
            Look::StandBy => false,
        };
        if thread.is_called(alertable) {
            return Outcome::Apc;
        }
        match deadline.left_ns() {
            None => return Outcome::TimedOut,
            Some(timeout_ns) => {
                served_others = backend::sleep(thread, Nap { timeout_ns, may_lead, appetite });
            }
        }
    }
}
