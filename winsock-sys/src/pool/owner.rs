//! What an item waits for: an object, by a [`Watch`], or a mutex, which needs a thread to own it.

use std::sync::Arc;

use windows_sys::Win32::Foundation::ERROR_NOT_ENOUGH_MEMORY;

use super::item::{CallKind, Desk, Item, Task};
use super::waiting::{Again, Timeout, Watch};
use crate::dispatch::{Waited, Wanted};
use crate::error::Code;
use crate::event::Signal;
use crate::handle::Ref;
use crate::mutex::Mutant;
use crate::object::{Object, WAITS};
use crate::thread::{self, Alertable};
use crate::wait::Deadline;
use crate::waits;

/// One wait, until it is replaced or unregistered.
pub enum Vigil {
    Watch(Arc<Watch>),
    Owner(Arc<Owner>),
}

/// A thread that waits for a mutex, and calls when it owns it.
pub struct Owner {
    stop: Signal,
    mutex: Ref<Object>,
    again: Again,
    timeout: Option<Timeout>,
}

impl Vigil {
    /// Waits for an object that can be waited for, from the call of [`Vigil::begin`] on.
    pub fn new(
        item: &Arc<Item>,
        object: Ref<Object>,
        again: Again,
        timeout: Option<Timeout>,
    ) -> Arc<Vigil> {
        Arc::new(match waits::mutant_of(&object) {
            None => Vigil::Watch(Watch::new(item, object, again, timeout)),
            Some(_) => {
                let stop = Signal::new(false, false);
                Vigil::Owner(Arc::new(Owner { stop, mutex: object, again, timeout }))
            }
        })
    }

    pub fn begin(&self, item: &Arc<Item>) -> Result<(), Code> {
        match self {
            Vigil::Watch(watch) => watch.begin(),
            Vigil::Owner(owner) => {
                let (owner, item) = (owner.clone(), item.clone());
                let builder = std::thread::Builder::new().name("winsock-wait".into());
                let begun = builder.spawn(move || owner.run(&item));
                begun.map(drop).map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))
            }
        }
    }

    /// The callback has returned.
    pub fn call_has_ended(&self) {
        match self {
            Vigil::Watch(watch) => watch.call_has_ended(),
            Vigil::Owner(_) => {} // It has called it itself.
        }
    }

    /// Ends it: a signal that has been taken is still told, and none is taken any more. Whether it
    /// was still waiting.
    pub fn end(&self) -> bool {
        match self {
            Vigil::Watch(watch) => watch.end(),
            Vigil::Owner(owner) => {
                owner.stop.set(&WAITS);
                true
            }
        }
    }
}

impl Owner {
    /// The thread, from beginning to end.
    fn run(&self, item: &Arc<Item>) {
        let desk = Desk::default();
        thread::run_to_exit(|| self.stand_by(item, &desk));
        desk.clear();
    }

    fn stand_by(&self, item: &Arc<Item>, desk: &Desk) {
        let Some(mutant) = waits::mutant_of(&self.mutex) else { return };
        loop {
            let deadline = match self.timeout {
                None => Deadline::Never,
                Some(Timeout::AfterMs(ms)) => Deadline::after_ms(ms),
                Some(Timeout::At(due)) => due.deadline(),
            };
            let Some(timed_out) = self.wait(mutant, deadline) else { return };
            item.begin_here();
            desk.call(Task { item: item.clone(), call: CallKind::Waited { timed_out } });
            if self.again == Again::Never {
                // It owns the mutex until it is told to go, unless the callback has released it.
                self.wait_for_stop();
                return;
            }
        }
    }

    /// Whether the time was up; `None` if it shall stop.
    fn wait(&self, mutant: &Mutant, deadline: Deadline) -> Option<bool> {
        let waited = thread::on_current(|thread| {
            let signals = [&self.stop, &mutant.signal];
            let mutants = [None, Some(mutant)];
            let (signals, mutants) = (&signals[..], &mutants[..]);
            let (all, alertable) = (false, Alertable::Never);
            let wanted = Wanted { thread, signals, mutants, all, alertable, is_there: |_| true };
            match WAITS.take(&wanted) {
                Ok(Some(waited)) => Ok(waited),
                Ok(None) => WAITS.sleep(&wanted, deadline),
                Err(gone) => Err(gone),
            }
        });
        match waited.expect("signals that are borrowed stay where they are") {
            Waited::Signal(0) | Waited::Apc => None,
            Waited::Signal(_) | Waited::Abandoned(_) => Some(false),
            Waited::TimedOut => Some(true),
        }
    }

    fn wait_for_stop(&self) {
        thread::on_current(|thread| {
            WAITS.wait(thread, &[&self.stop], false, Deadline::Never, Alertable::Never);
        });
    }
}
