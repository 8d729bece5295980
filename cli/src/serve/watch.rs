//! What the main thread does while others serve: it waits for signals, and speaks up when the
//! descriptor limit keeps clients waiting.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::DEADLINE;
use crate::failure::Failure;
use crate::os;

/// How often a crowded server looks whether it can still accept.
const LOOK: Duration = Duration::from_millis(500);

/// How long connections that were cut may take to be seen as ended.
const CUT: Duration = Duration::from_secs(1);

/// How long a warning is good for.
const WHILE: Duration = Duration::from_secs(60);

pub enum Notice {
    /// SIGINT or SIGTERM.
    Signal,
    /// The number of connections comes near the descriptor limit, or accepts fail.
    Crowded,
    /// Most connections of a crowd have left.
    Thinned,
    /// No more connections may come, and none are left.
    Empty,
}

pub struct Watch {
    notices: Receiver<Notice>,
    pub notify: Sender<Notice>,
}

impl Watch {
    /// From now on signals no longer end the process.
    pub fn start() -> Result<Watch, Failure> {
        let (notify, notices) = channel();
        let signals = notify.clone();
        ctrlc::set_handler(move || {
            // Only a server that is over has nobody listening.
            let _ = signals.send(Notice::Signal);
        })
        .map_err(|error| Failure::of("cannot handle signals", error))?;
        Ok(Watch { notices, notify })
    }

    /// Until a signal arrives. In a crowd, `look` is called now and then, as long as it says that
    /// there is something to look at; otherwise nothing wakes up.
    pub fn until_signal(&self, look: impl Fn() -> bool) {
        loop {
            match self.notices.recv() {
                Ok(Notice::Signal) | Err(_) => return,
                Ok(Notice::Empty) => {}
                Ok(Notice::Thinned) => os::give_memory_back(),
                Ok(Notice::Crowded) => {
                    while look() {
                        if self.pause() {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// Waits out the time between two looks, whatever else is said meanwhile: a look that finds
    /// nothing better may say so itself. `true` if a signal arrives.
    fn pause(&self) -> bool {
        let deadline = Instant::now() + LOOK;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notices.recv_timeout(left) {
                Ok(Notice::Signal) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(Notice::Thinned) => os::give_memory_back(),
                Ok(Notice::Empty | Notice::Crowded) => {}
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// After a signal: whether all connections ended before the deadline and the next signal.
    pub fn until_empty(&self) -> bool {
        self.empty_by(Instant::now() + DEADLINE)
    }

    /// After they were cut: they end as soon as their threads see it.
    pub fn until_cut(&self) {
        self.empty_by(Instant::now() + CUT);
    }

    fn empty_by(&self, deadline: Instant) -> bool {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.notices.recv_timeout(left) {
                Ok(Notice::Empty) => return true,
                Ok(Notice::Crowded | Notice::Thinned) => {}
                Ok(Notice::Signal) => return false,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// Says that a limit keeps clients waiting. At a limit there is room and none by turns: saying so
/// once in a while is enough.
#[derive(Default)]
pub struct Warning {
    last: Mutex<Option<Instant>>,
}

impl Warning {
    pub fn give(&self, what: impl fmt::Display) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= WHILE) {
            *last = Some(Instant::now());
            tracing::warn!("{what}: new clients wait until others leave");
        }
    }
}

/// Of descriptors, raised as far as it goes.
#[derive(Clone, Copy)]
pub struct Limit(pub u64);

impl Limit {
    /// From how many connections on it may be met.
    pub fn crowd(self) -> usize {
        usize::try_from(self.0 / 4 * 3).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit of {} descriptors is reached", self.0)
    }
}
