//! The timers of one queue.
//!
//! A timer that is due makes no message until the thread looks and finds nothing better, so it is
//! never in the queue twice however long the thread was away.

use std::time::{Duration, Instant};

use windows_sys::Win32::UI::WindowsAndMessaging::WM_TIMER;

use super::{Filter, Message};

/// The first number that SetTimer without a window gives; they descend, as programs count their
/// own upwards.
const FIRST_OWN: usize = 0x7FFF;

/// One timer.
#[derive(Debug)]
pub struct Timer {
    /// 0 for a timer without a window.
    pub hwnd: usize,
    pub id: usize,
    /// The TIMERPROC, or 0.
    pub procedure: isize,
    pub period: Duration,
    pub due: Instant,
    /// That it is due is no news any more.
    pub noted: bool,
}

#[derive(Debug)]
pub struct Timers {
    all: Vec<Timer>,
    next_own: usize,
}

impl Timers {
    pub fn new() -> Timers {
        Timers { all: Vec::new(), next_own: FIRST_OWN }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Adds a timer or replaces the one of the same window and number; its number.
    pub fn set(&mut self, mut timer: Timer) -> usize {
        match self.position(timer.hwnd, timer.id) {
            Some(at) => {
                let id = timer.id;
                self.all[at] = timer;
                id
            }
            None => {
                if timer.hwnd == 0 {
                    timer.id = self.unused_id();
                }
                self.all.push(timer);
                self.all.last().map_or(0, |timer| timer.id)
            }
        }
    }

    fn unused_id(&mut self) -> usize {
        loop {
            let id = self.next_own;
            self.next_own = if id == 1 { FIRST_OWN } else { id - 1 };
            if self.position(0, id).is_none() {
                return id;
            }
        }
    }

    fn position(&self, hwnd: usize, id: usize) -> Option<usize> {
        self.all.iter().position(|timer| timer.hwnd == hwnd && timer.id == id)
    }

    pub fn kill(&mut self, hwnd: usize, id: usize) -> bool {
        self.position(hwnd, id).map(|at| self.all.remove(at)).is_some()
    }

    /// Kills the timers of a window.
    pub fn forget(&mut self, hwnd: usize) {
        self.all.retain(|timer| timer.hwnd != hwnd);
    }

    /// Whether some timer calls `procedure`.
    pub fn call(&self, procedure: isize) -> bool {
        self.all.iter().any(|timer| timer.procedure == procedure)
    }

    /// When the first timer that the filter admits is due.
    pub fn next(&self, filter: &Filter) -> Option<Instant> {
        let admitted = self.all.iter().filter(|timer| filter.admits(timer.hwnd, WM_TIMER));
        admitted.map(|timer| timer.due).min()
    }

    /// The message of the timer that has been due longest. `remove`: its next period begins.
    pub fn take(&mut self, filter: &Filter, remove: bool) -> Option<Message> {
        let now = Instant::now();
        let mut first: Option<&mut Timer> = None;
        for timer in self.all.iter_mut().filter(|timer| timer.due <= now) {
            timer.noted = true;
            let sooner = first.as_ref().is_none_or(|first| timer.due < first.due);
            if sooner && filter.admits(timer.hwnd, WM_TIMER) {
                first = Some(timer);
            }
        }
        let timer = first?;
        if remove {
            timer.noted = false;
            timer.due += timer.period;
            if timer.due <= now {
                timer.due = now + timer.period; // What was missed is not made up for.
            }
        }
        let hwnd = std::ptr::without_provenance_mut(timer.hwnd);
        Some(Message::new(hwnd, WM_TIMER, timer.id, timer.procedure))
    }

    pub fn are_due(&self) -> bool {
        !self.all.is_empty() && {
            let now = Instant::now();
            self.all.iter().any(|timer| timer.due <= now)
        }
    }

    /// Notes which timers are due; whether any is that was not noted before.
    pub fn note(&mut self) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let now = Instant::now();
        let mut news = false;
        for timer in self.all.iter_mut().filter(|timer| timer.due <= now) {
            news |= !std::mem::replace(&mut timer.noted, true);
        }
        news
    }

    /// When the next timer becomes due that has not been noted.
    pub fn next_news(&self) -> Option<Instant> {
        self.all.iter().filter(|timer| !timer.noted).map(|timer| timer.due).min()
    }
}
