//! What the two models of completion that are bound to a thread have in common.
//!
//! Both hold what has ended in a queue of their own, and hand it out from there, one at a time: the
//! program may start operations, cancel them and wait again whenever it likes. They differ in how
//! an operation gets into that queue, which is all in
//! [`Model::report`](crate::model::Model::report) and in the wait.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use crate::buffer::Buffer;
use crate::completion::Completion;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::event::{Woken, wait_for};
use crate::mailbox::{Bell, Mailbox};
use crate::model::{Records, Report, When};
use crate::record::Op;
use crate::slots::Slots;
use crate::socket::start;

/// Records that have landed, oldest first. A completion routine finds it by its address.
pub(crate) type Landed<T, B> = RefCell<VecDeque<Op<T, B>>>;

/// So often in a row may operations that end at once keep the system from being asked for others.
pub(crate) const PATIENCE: u32 = 16;

pub(crate) struct Local<T, B: Buffer> {
    pub records: Records<T, B>,
    pub landed: Rc<Landed<T, B>>,
    /// Never borrowed across a wait, or where code of the program might run.
    pub slots: RefCell<Slots<T, B>>,
    pub mailbox: Arc<Mailbox<T>>,
    /// The system ends a thread's operations with the thread (rule 48).
    _bound_to_thread: PhantomData<*const ()>,
}

impl<T, B: Buffer> Local<T, B> {
    pub fn new(bell: impl FnOnce() -> Result<Bell>) -> Result<Local<T, B>> {
        start()?;
        let bell = bell()?;
        let guest = match &bell {
            Bell::Event(event) => Some(event),
            Bell::Thread(_) | Bell::Socket(_) | Bell::Window(_) => None,
        };
        let slots = RefCell::new(Slots::new(guest));
        Ok(Local {
            records: Records::new()?,
            landed: Rc::default(),
            slots,
            mailbox: Mailbox::new(bell),
            _bound_to_thread: PhantomData,
        })
    }

    /// An event of its own for the next operation. The low bit keeps the packet away from a port
    /// that the socket may be tied to (rule 25).
    pub fn report_by_event(&self) -> Result<Report> {
        let event = self.slots.borrow_mut().event()?;
        Ok(Report { event: event.map_addr(|address| address | 1), routine: None })
    }

    /// An operation with an event has begun.
    pub fn begun(&self, op: Op<T, B>, report: Report, when: When) {
        let event = report.event.map_addr(|address| address & !1);
        self.slots.borrow_mut().add(op, event, when == When::AtOnce);
    }

    /// An operation was refused. If it has an event it waits for its turn, behind those that were
    /// started before.
    ///
    /// # Safety
    /// The record is in flight for us, but not for the system, and the caller's.
    pub unsafe fn refused(&self, op: Op<T, B>, report: Report) {
        if report.event.is_null() {
            // SAFETY: the caller's.
            unsafe { self.land(op) };
        } else {
            self.begun(op, report, When::AtOnce);
        }
    }

    /// # Safety
    /// The record is in flight, and its end is known, and the caller's.
    pub unsafe fn land(&self, op: Op<T, B>) {
        // SAFETY: the caller's.
        unsafe { op.land() };
        self.landed.borrow_mut().push_back(op);
    }

    /// The next completion; `None` if the time is up first. `wait` waits until something may have
    /// ended, for so many milliseconds.
    pub fn next(
        &self,
        deadline: Deadline,
        mut wait: impl FnMut(u32) -> Result<()>,
    ) -> Result<Option<Completion<T, B>>> {
        let mut waited = false;
        loop {
            if let Some(op) = self.landed_first() {
                // SAFETY: it has landed, and nobody else takes it.
                return Ok(Some(unsafe { self.records.finish(op) }));
            }
            if let Some(token) = self.mailbox.take() {
                return Ok(Some(Completion::Post { token }));
            }
            if waited && deadline.is_over() {
                return Ok(None);
            }
            wait(deadline.ms())?;
            waited = true;
        }
    }

    #[inline]
    fn landed_first(&self) -> Option<Op<T, B>> {
        self.landed.borrow_mut().pop_front()
    }

    /// Waits for the events of what is in flight, and collects what has ended.
    pub fn wait_for_events(&self, ms: u32, alertable: bool) -> Result<()> {
        if self.slots.borrow().is_due() {
            // What has ended already must not end the wait for the others.
            self.collect();
            return if ms == 0 { self.wait_for_others(0, alertable) } else { Ok(()) };
        }
        self.wait_for_others(ms, alertable)
    }

    fn wait_for_others(&self, ms: u32, alertable: bool) -> Result<()> {
        let (handles, count) = self.slots.borrow().handles();
        if count == 0 {
            return Ok(());
        }
        let woken = wait_for(&handles[..count], false, ms, alertable)?;
        if let (false, Woken::Event(index)) = (self.collect(), woken) {
            self.slots.borrow().calm(handles[index]);
            // It may have ended just now, and set its event before we reset it.
            self.collect();
        }
        Ok(())
    }

    /// Moves what has ended by its event to where it is handed out; whether there was anything.
    pub fn collect(&self) -> bool {
        // SAFETY: the operations are of these records.
        unsafe { self.slots.borrow_mut().collect(&mut self.landed.borrow_mut()) }
    }

    /// The end: cancels what is in flight, waits until the system has let go of all of it, and
    /// drops it.
    pub fn close(&mut self, mut wait: impl FnMut(&Self) -> Result<()>) {
        drop(self.mailbox.close());
        self.discard_landed();
        let mut left = 0;
        self.records.pool.each_in_flight(|op| {
            // SAFETY: in flight; nobody else cancels, and only this thread lands records.
            unsafe { op.abandon() };
            left += 1;
        });
        while left > 0 {
            // If that fails the system keeps what it has: leaking is safe, freeing would not be.
            if wait(self).is_err() {
                return;
            }
            left -= self.discard_landed();
        }
        // SAFETY: no record is in flight, and none is used afterwards.
        unsafe { self.records.pool.free() };
    }

    fn discard_landed(&self) -> usize {
        let mut count = 0;
        while let Some(op) = self.landed_first() {
            // SAFETY: it has landed, and nobody else takes it.
            unsafe { self.records.discard(op) };
            count += 1;
        }
        count
    }
}
