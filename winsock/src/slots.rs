//! Operations that are reported by events: each in flight has an event of its own, and one wait
//! takes them all, up to 64.
//!
//! That an operation has ended is read from its OVERLAPPED, as `HasOverlappedIoCompleted` does: so
//! after a wait, which tells of one event only, a look at the others costs no call. The events wake
//! the wait, and need no resetting: starting an operation resets its event (rule 53).

use std::collections::VecDeque;

use winsock_sys::Win32::Foundation::HANDLE;

use crate::error::{Error, Result};
use crate::event::{Event, WaitSet};
use crate::record::Op;

pub(crate) struct Slots<T, B> {
    /// What a wait takes: first an event of somebody else's, if there is one; then those of `ops`.
    handles: [HANDLE; WaitSet::MAX],
    /// How many of the handles are somebody else's.
    guests: usize,
    /// In flight, in the order in which they were started.
    ops: Vec<Op<T, B>>,
    /// Those of `ops` that need not be looked at: the system ended them at once, or refused them.
    ended: u64,
    /// All that were made, with some of them idle.
    events: Vec<Event>,
    idle: Vec<HANDLE>,
}

impl<T, B> Slots<T, B> {
    /// A wait also takes `guest`.
    pub fn new(guest: Option<&Event>) -> Slots<T, B> {
        let mut handles = [std::ptr::null_mut(); WaitSet::MAX];
        if let Some(event) = guest {
            handles[0] = event.raw();
        }
        Slots {
            handles,
            guests: guest.is_some().into(),
            ops: Vec::new(),
            ended: 0,
            events: Vec::new(),
            idle: Vec::new(),
        }
    }

    /// How many more operations can be in flight.
    pub fn room(&self) -> usize {
        self.handles.len() - self.guests - self.ops.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// An event for an operation that is about to be started.
    pub fn event(&mut self) -> Result<HANDLE> {
        if self.room() == 0 {
            return Err(Error::NO_BUFFER_SPACE);
        }
        match self.idle.pop() {
            Some(event) => Ok(event),
            None => {
                let event = Event::manual_reset()?;
                let raw = event.raw();
                self.events.push(event);
                Ok(raw)
            }
        }
    }

    /// An operation has been started with `event`, or refused after it had been taken.
    pub fn add(&mut self, op: Op<T, B>, event: HANDLE, ended: bool) {
        let at = self.ops.len();
        self.handles[self.guests + at] = event;
        self.ended |= u64::from(ended) << at;
        self.ops.push(op);
    }

    /// Whether a wait would be in vain, since something has ended already.
    pub fn is_due(&self) -> bool {
        self.ended != 0
    }

    /// What a wait is to take, and how many of it. A copy: operations may be started by what runs
    /// during an alertable wait.
    pub fn handles(&self) -> ([HANDLE; WaitSet::MAX], usize) {
        (self.handles, self.guests + self.ops.len())
    }

    /// Moves those that have ended to the end of `landed`; whether there were any.
    ///
    /// # Safety
    /// The operations are the caller's; their model still exists.
    pub unsafe fn collect(&mut self, landed: &mut VecDeque<Op<T, B>>) -> bool {
        let ended = self.look();
        if ended == 0 {
            return false;
        }
        self.ended = 0;
        let mut kept = 0;
        for at in 0..self.ops.len() {
            let (op, event) = (self.ops[at], self.handles[self.guests + at]);
            if ended >> at & 1 != 0 {
                // SAFETY: the caller's; it was in flight and its end is known, now.
                unsafe { op.land() };
                landed.push_back(op);
                self.idle.push(event);
            } else {
                self.ops[kept] = op;
                self.handles[self.guests + kept] = event;
                kept += 1;
            }
        }
        self.ops.truncate(kept);
        true
    }

    /// Which have ended, as bits.
    ///
    /// Receives of one socket end in the order in which they were started, and must be handed out
    /// so. The last one is looked at first: if it has ended so have those before it, which are
    /// looked at later.
    fn look(&self) -> u64 {
        let mut ended = self.ended;
        for at in (0..self.ops.len()).rev() {
            // SAFETY: in flight, or known to have ended; records live as long as their model.
            if ended >> at & 1 == 0 && unsafe { self.ops[at].has_ended() } {
                ended |= 1 << at;
            }
        }
        ended
    }

    /// A wait has named `event`, but nothing has ended: the event was set late, for the operation
    /// that had it before.
    pub fn calm(&self, event: HANDLE) {
        if let Some(event) = self.events.iter().find(|own| own.raw() == event) {
            event.reset();
        }
    }
}
