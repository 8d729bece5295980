//! Waitable timers.
//!
//! Lock order: a timer, then the clock, signals, APC queues.

use std::ffi::c_void;
use std::sync::Arc;

use crate::clock::{self, Alarm, Due, Job};
use crate::error::Code;
use crate::event::{Kind, Signal};
use crate::object::{Object, TABLE, WAITS};
use crate::sync::{Mutex, lock};
use crate::thread::{Apc, Thread};

/// A timer.
pub struct Timer {
    pub signal: Signal,
    state: Mutex<State>,
}

struct State {
    /// `None` while it is inactive.
    alarm: Option<Alarm>,
    /// 0 for once.
    period_ms: u32,
    call: Option<Call>,
    /// Counts how often it was set or cancelled: what an earlier setting still does is void.
    setting: u64,
}

/// The completion routine, and the thread that set the timer.
pub struct Call {
    pub routine: Routine,
    pub argument: *const c_void,
    pub thread: Arc<Thread>,
}

pub type Routine = unsafe extern "system" fn(*const c_void, u32, u32);

// SAFETY: the argument is only carried to the thread that set it.
unsafe impl Send for Call {}

impl Timer {
    pub fn new(manual_reset: bool) -> Timer {
        let state = State { alarm: None, period_ms: 0, call: None, setting: 0 };
        let signal = Signal::of(Kind::Event { manual_reset, set: false });
        Timer { signal, state: Mutex::new(state) }
    }

    /// Stops it if it is active, and activates it. `value`: its place in the handle table.
    pub fn set(
        &self,
        value: usize,
        due: Due,
        period_ms: u32,
        call: Option<Call>,
    ) -> Result<(), Code> {
        let mut state = lock(&self.state);
        state.stop(value);
        self.signal.reset();
        let job = Job::Timer { value, setting: state.setting };
        state.alarm = Some(clock::set(due, job)?);
        (state.period_ms, state.call) = (period_ms, call);
        Ok(())
    }

    /// Stops it. Whether it is signalled remains as it is.
    pub fn cancel(&self, value: usize) {
        lock(&self.state).stop(value);
    }

    fn ring(&self, value: usize, setting: u64) {
        let mut state = lock(&self.state);
        if state.setting != setting {
            return; // It was stopped at the last moment.
        }
        let alarm = state.alarm.take().expect("it rings while it is active");
        if state.call.as_ref().is_some_and(|call| call.thread.is_dead()) {
            return; // Its thread's end has cancelled it.
        }
        if state.period_ms != 0 {
            let due = alarm.due().next(state.period_ms.into());
            // The clock runs, as it has just called us, so this cannot fail.
            state.alarm = clock::set(due, Job::Timer { value, setting }).ok();
        }
        self.signal.set(&WAITS);
        if let Some(Call { routine, argument, thread }) = &state.call {
            let (routine, argument, time) = (*routine, *argument, clock::file_time());
            thread.queue_timer(Apc::Timer { routine, argument, time, value });
        }
    }
}

impl State {
    fn stop(&mut self, value: usize) {
        self.setting += 1;
        if let Some(alarm) = self.alarm.take() {
            alarm.cancel();
        }
        if let Some(call) = self.call.take() {
            call.thread.unqueue_timer(value);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // Nobody refers to it any more; an APC that is queued runs, or dies with its thread.
        if let Some(alarm) = lock(&self.state).alarm.take() {
            alarm.cancel();
        }
    }
}

/// The clock says that a timer is due.
pub fn ring(value: usize, setting: u64) {
    if let Some(object) = TABLE.live(value)
        && let Object::Timer(timer) = &*object
    {
        timer.ring(value, setting);
    }
}
