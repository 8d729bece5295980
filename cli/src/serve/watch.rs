//! What the main thread does while others serve: it waits for signals, and speaks up when the
//! descriptor limit keeps clients waiting.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::DEADLINE;
use crate::failure::Failure;

/// How often a crowded server looks whether it can still accept.
const LOOK: Duration = Duration::from_millis(500);

/// How long connections that were cut may take to be seen as ended.
const CUT: Duration = Duration::from_secs(1);

pub enum Notice {
    /// SIGINT or SIGTERM.
    Signal,
    /// The number of connections comes near the descriptor limit.
    Crowded,
    /// No more connections may come, and none are left.
    Empty,
}

pub struct Watch {
    notices: Receiver<Notice>,
    pub notify: Sender<Notice>,
    limit: u64,
}

impl Watch {
    /// From now on signals no longer end the process. `limit`: of descriptors.
    pub fn start(limit: u64) -> Result<Watch, Failure> {
        let (notify, notices) = channel();
        let signals = notify.clone();
        ctrlc::set_handler(move || {
            // Nobody listens any more only when the server is over.
            let _ = signals.send(Notice::Signal);
        })
        .map_err(|error| Failure::of("cannot handle signals", error))?;
        Ok(Watch { notices, notify, limit })
    }

    /// From how many connections on the descriptor limit is worth a look.
    pub fn crowd(&self) -> usize {
        usize::try_from(self.limit / 4 * 3).unwrap_or(usize::MAX)
    }

    /// Until a signal arrives. In a crowd, `is_starved` is asked now and then; otherwise nothing
    /// wakes up.
    pub fn until_signal(&self, is_crowded: impl Fn() -> bool, is_starved: impl Fn() -> bool) {
        let mut warned = false;
        loop {
            match self.notices.recv() {
                Ok(Notice::Signal) | Err(_) => return,
                Ok(Notice::Empty) => {}
                Ok(Notice::Crowded) => {
                    while is_crowded() {
                        if !is_starved() {
                            warned = false;
                        } else if !warned {
                            warn(self.limit);
                            warned = true;
                        }
                        if let Ok(Notice::Signal) = self.notices.recv_timeout(LOOK) {
                            return;
                        }
                    }
                }
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
                Ok(Notice::Crowded) => {}
                Ok(Notice::Signal) => return false,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// Says that the descriptor limit keeps clients waiting.
pub fn warn(limit: u64) {
    tracing::warn!(
        "the limit of {limit} descriptors is reached: new clients wait until others leave"
    );
}
