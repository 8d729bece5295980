//! Waits of a pool: callbacks that are called when an object is signalled.
//!
//! No thread sleeps for them: a [`Lookout`] stands in the object's ring, and whoever signals the
//! object queues the call; the clock does it when the time is up. Mutexes alone need a thread each,
//! to own them.

use std::pin::Pin;
use std::sync::{Arc, Weak};

use super::item::{CallKind, Item};
use crate::clock::{self, Alarm, Due, Job};
use crate::dispatch::{Listener, Lookout};
use crate::error::Code;
use crate::event::Signal;
use crate::handle::Ref;
use crate::object::Object;
use crate::sync::{Mutex, lock};
use crate::waits;

/// One wait, until it is replaced or unregistered.
pub struct Watch {
    /// Before the object: it goes first.
    lookout: Pin<Box<Lookout>>,
    /// Kept from dying, and with it its signal.
    object: Ref<Object>,
    item: Weak<Item>,
    again: Again,
    /// From the beginning of each wait.
    timeout: Option<Timeout>,
    state: Mutex<State>,
}

/// What follows a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Never,
    /// The next wait, at once.
    AtOnce,
    /// The next wait, when the callback has returned.
    WhenCalled,
}

/// When a wait is over in vain.
#[derive(Clone, Copy)]
pub enum Timeout {
    AfterMs(u32),
    At(Due),
}

#[derive(Default)]
struct State {
    waiting: bool,
    ended: bool,
    alarm: Option<Alarm>,
    /// Counts the waits: the alarm of an earlier one is void.
    round: u64,
}

impl Watch {
    /// Waits for an object that can be waited for and is no mutex.
    pub fn new(
        item: &Arc<Item>,
        object: Ref<Object>,
        again: Again,
        timeout: Option<Timeout>,
    ) -> Arc<Watch> {
        // A signal that stays set would be found again and again, and so would the end of no time.
        let stays = waits::signal_of(&object).is_some_and(|signal| !signal.is_taken_by_wait());
        let at_once = matches!(timeout, Some(Timeout::AfterMs(0)));
        let again =
            if again == Again::AtOnce && (stays || at_once) { Again::WhenCalled } else { again };
        let item = Arc::downgrade(item);
        Arc::new_cyclic(|watch: &Weak<Watch>| Watch {
            lookout: Lookout::new(watch.clone()),
            object,
            item,
            again,
            timeout,
            state: Mutex::new(State::default()),
        })
    }

    fn signal(&self) -> &Signal {
        waits::signal_of(&self.object).expect("it was chosen for its signal")
    }

    /// Begins to wait, or calls at once.
    pub fn begin(self: &Arc<Watch>) -> Result<(), Code> {
        let mut state = lock(&self.state);
        self.begin_round(&mut state)
    }

    fn begin_round(self: &Arc<Watch>, state: &mut State) -> Result<(), Code> {
        loop {
            if state.ended {
                return Ok(());
            }
            state.round += 1;
            // SAFETY: the object is referred to for as long as the watch lives, whose lookout ends
            // before that does; no mutex gets here.
            if !unsafe { self.lookout.as_ref().begin(self.signal()) } {
                break;
            }
            self.call(false);
            if self.again != Again::AtOnce {
                return Ok(());
            }
        }
        state.waiting = true;
        let due = match self.timeout {
            None => return Ok(()),
            Some(Timeout::AfterMs(ms)) => Due::after_ms(ms.into()),
            Some(Timeout::At(due)) => due,
        };
        let job = Job::Watch { watch: Arc::downgrade(self), round: state.round };
        state.alarm = Some(clock::set(due, job)?);
        Ok(())
    }

    /// The lookout has taken the signal, perhaps.
    fn collect(self: &Arc<Watch>, state: &mut State) {
        if !state.waiting || !self.lookout.has_taken() {
            return; // Somebody else saw to it.
        }
        self.finish_round(state, false);
    }

    fn finish_round(self: &Arc<Watch>, state: &mut State, timed_out: bool) {
        state.waiting = false;
        if let Some(alarm) = state.alarm.take() {
            alarm.cancel();
        }
        self.call(timed_out);
        if self.again == Again::AtOnce {
            // Without a thread for the clock there is no time-out; it ran when this was made.
            let _ = self.begin_round(state);
        }
    }

    fn call(&self, timed_out: bool) {
        if let Some(item) = self.item.upgrade() {
            item.submit(CallKind::Waited { timed_out });
        }
    }

    /// The callback has returned: perhaps the next wait begins.
    pub fn call_has_ended(self: &Arc<Watch>) {
        let mut state = lock(&self.state);
        if self.again == Again::WhenCalled && !state.waiting {
            let _ = self.begin_round(&mut state); // As above.
        }
    }

    /// The time is up.
    fn ring(self: &Arc<Watch>, round: u64) {
        let mut state = lock(&self.state);
        if !state.waiting || state.round != round {
            return;
        }
        let taken = self.lookout.withdraw();
        self.finish_round(&mut state, !taken);
    }

    /// Ends it: a signal that has been taken is still told, and none is taken any more. Whether it
    /// was still waiting.
    pub fn end(self: &Arc<Watch>) -> bool {
        let mut state = lock(&self.state);
        state.ended = true;
        if let Some(alarm) = state.alarm.take() {
            alarm.cancel();
        }
        if !std::mem::take(&mut state.waiting) {
            return false;
        }
        let taken = self.lookout.withdraw();
        if taken {
            self.call(false);
        }
        !taken
    }
}

impl Listener for Watch {
    fn hear(self: Arc<Watch>) {
        let mut state = lock(&self.state);
        self.collect(&mut state);
    }
}

/// The clock says that a wait is over in vain.
pub fn ring(watch: &Weak<Watch>, round: u64) {
    if let Some(watch) = watch.upgrade() {
        watch.ring(round);
    }
}
