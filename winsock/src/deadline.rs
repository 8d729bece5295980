//! When a wait is over.

use std::time::{Duration, Instant};

use winsock_sys::Win32::System::Threading::INFINITE;

use crate::socket::millis;

#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    /// Look, and do not wait.
    Now,
    At(Instant),
    Never,
}

impl Deadline {
    /// `None` is for ever, and so is what no clock reaches.
    pub fn after(timeout: Option<Duration>) -> Deadline {
        match timeout {
            None => Deadline::Never,
            Some(Duration::ZERO) => Deadline::Now,
            Some(time) => Instant::now().checked_add(time).map_or(Deadline::Never, Deadline::At),
        }
    }

    /// What is left, as Windows counts it.
    pub fn ms(self) -> u32 {
        match self {
            Deadline::Now => 0,
            Deadline::At(instant) => millis(instant.saturating_duration_since(Instant::now())),
            Deadline::Never => INFINITE,
        }
    }

    /// Whether a wait that ended with nothing was the last one.
    pub fn is_over(self) -> bool {
        match self {
            Deadline::Now => true,
            Deadline::At(instant) => instant <= Instant::now(),
            Deadline::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_time_outs() {
        let (now, never) = (Deadline::after(Some(Duration::ZERO)), Deadline::after(None));
        assert_eq!((now.ms(), now.is_over()), (0, true));
        assert_eq!((never.ms(), never.is_over()), (INFINITE, false));
        let endless = Deadline::after(Some(Duration::MAX));
        assert_eq!((endless.ms(), endless.is_over()), (INFINITE, false));
        let hour = Deadline::after(Some(Duration::from_secs(3600)));
        assert!(hour.ms() <= 3_600_000 && hour.ms() > 3_000_000 && !hour.is_over());
    }
}
