//! What a pool calls, and how often: work, timers, waits, I/O, and their forerunners.
//!
//! An [`Item`] counts its calls: those that are queued and those that run. Whoever waits for them
//! waits for a signal that is set while there are none. A call that is cancelled stays in the
//! pool's queue, and is skipped when its turn comes.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::ffi::c_void;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use windows_sys::Win32::Foundation::{HMODULE, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::{
    CRITICAL_SECTION, LPTHREAD_START_ROUTINE, PTP_CALLBACK_INSTANCE,
    PTP_CLEANUP_GROUP_CANCEL_CALLBACK, PTP_SIMPLE_CALLBACK, PTP_TIMER_CALLBACK, PTP_WAIT_CALLBACK,
    PTP_WIN32_IO_CALLBACK, PTP_WORK_CALLBACK, WAITORTIMERCALLBACK,
};
use windows_sys::core::BOOL;

use super::group::Group;
use super::owner::Vigil;
use super::{Pool, Thing};
use crate::clock::{self, Alarm, Due, Job};
use crate::error::Code;
use crate::event::Signal;
use crate::handle::Ref;
use crate::locks::critical::LeaveCriticalSection;
use crate::object::{EventRef, Object, WAITS};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::thread::{self, Alertable, Waiting};
use crate::wait::Deadline;
use crate::{mutexes, semaphores};

/// The function to call.
#[derive(Clone, Copy)]
pub enum Callback {
    Simple(PTP_SIMPLE_CALLBACK),
    Work(PTP_WORK_CALLBACK),
    Timer(PTP_TIMER_CALLBACK),
    Wait(PTP_WAIT_CALLBACK),
    Io(PTP_WIN32_IO_CALLBACK),
    /// QueueUserWorkItem.
    Routine(LPTHREAD_START_ROUTINE),
    RegisteredWait(WAITORTIMERCALLBACK),
    /// CreateTimerQueueTimer.
    QueuedTimer(WAITORTIMERCALLBACK),
}

/// What one call is told.
#[derive(Clone, Copy)]
pub enum CallKind {
    Plain,
    /// By a wait or a legacy timer.
    Waited {
        timed_out: bool,
    },
    Io {
        overlapped: *mut OVERLAPPED,
        result: u32,
        bytes: u32,
    },
}

/// One call that waits for a thread.
pub struct Task {
    pub item: Arc<Item>,
    pub call: CallKind,
}

// SAFETY: the OVERLAPPED is the program's, lent to the operation that is over, and only handed
// back.
unsafe impl Send for Task {}

/// A callback object.
pub struct Item {
    pub terms: Terms,
    callback: Callback,
    context: *mut c_void,
    /// Its handle, if it has one.
    handle: AtomicIsize,
    state: Mutex<State>,
    /// Set while no call is queued or runs.
    calm: Signal,
    /// Set while, besides, no thread is in a callback, associated or not.
    deserted: Signal,
}

// SAFETY: context and functions are the program's promise, to be used on the pool's threads.
unsafe impl Send for Item {}
// SAFETY: as above.
unsafe impl Sync for Item {}

/// On what terms it is called: the callback environment.
#[derive(Clone)]
pub struct Terms {
    pub pool: Arc<Pool>,
    pub group: Option<Arc<Group>>,
    pub on_cancel: PTP_CLEANUP_GROUP_CANCEL_CALLBACK,
    pub finally: PTP_SIMPLE_CALLBACK,
    pub long: bool,
    /// 0 is the highest, 2 the lowest.
    pub priority: usize,
}

impl Terms {
    /// Those of a pool, with nothing said.
    pub fn of(pool: Arc<Pool>) -> Terms {
        Terms { pool, group: None, on_cancel: None, finally: None, long: false, priority: 1 }
    }
}

#[derive(Default)]
struct State {
    queued: u32,
    /// Cancelled calls that are still in the pool's queue, before those that count.
    void: u32,
    running: u32,
    /// As `running`, with those that have been disassociated.
    inside: u32,
    /// It is being closed: it gets nothing new to wait for.
    closing: bool,
    /// What is queued still runs, and nothing more is queued.
    closed: bool,
    /// To be told when it is calm.
    heralds: Vec<Arc<Herald>>,
    timer: Timer,
    vigil: Option<Arc<Vigil>>,
    io: Io,
}

#[derive(Default)]
struct Timer {
    alarm: Option<Alarm>,
    period_ms: u32,
    /// What IsThreadpoolTimerSet says: also when a timer without a period has expired.
    set: bool,
    /// Counts the settings: what an earlier one still does is void.
    setting: u64,
}

#[derive(Default)]
struct Io {
    /// Operations that have been announced and not completed.
    started: u32,
    /// Those of them whose callbacks have been cancelled: the first to complete.
    void: u32,
    /// Keeps the object while there are any.
    keep: Option<Ref<Thing>>,
}

/// Sets an event when the last of several items is calm.
pub struct Herald {
    left: AtomicUsize,
    event: Option<EventRef>,
}

impl Herald {
    /// `left`: one more than will be told of it.
    pub fn new(left: usize, event: Option<EventRef>) -> Arc<Herald> {
        Arc::new(Herald { left: AtomicUsize::new(left), event })
    }

    /// One item less. True if it was the last.
    pub fn tell(&self) -> bool {
        let last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        if last && let Some(event) = &self.event {
            event.set(&WAITS);
        }
        last
    }
}

impl Item {
    pub fn new(terms: Terms, callback: Callback, context: *mut c_void) -> Arc<Item> {
        let item = Arc::new(Item {
            terms,
            callback,
            context,
            handle: AtomicIsize::new(0),
            state: Mutex::new(State::default()),
            calm: Signal::new(false, true),
            deserted: Signal::new(false, true),
        });
        if let Some(group) = &item.terms.group {
            group.join(&item);
        }
        item
    }

    /// Opens its handle.
    pub fn open(self: &Arc<Item>) -> Result<isize, Code> {
        let opened = super::insert(Thing::Item(self.clone()));
        match opened {
            Ok(handle) => self.handle.store(handle, Ordering::Release),
            Err(_) => self.leave_group(),
        }
        opened
    }

    pub fn handle(&self) -> isize {
        self.handle.load(Ordering::Acquire)
    }

    pub fn is(&self, kind: fn(&Callback) -> bool) -> bool {
        kind(&self.callback)
    }

    pub fn is_long(&self) -> bool {
        self.terms.long
    }

    /// A call begins at once, on a thread that is not the pool's.
    pub fn begin_here(&self) {
        let mut state = lock(&self.state);
        self.stir();
        state.running += 1;
        state.inside += 1;
    }

    /// Queues a call.
    pub fn submit(self: &Arc<Item>, call: CallKind) {
        self.enqueue(&mut lock(&self.state), call);
    }

    fn enqueue(self: &Arc<Item>, state: &mut State, call: CallKind) {
        if state.closed {
            return;
        }
        state.queued += 1;
        self.stir();
        self.terms.pool.submit(Task { item: self.clone(), call }, self.terms.priority);
    }

    /// A call is on its way.
    fn stir(&self) {
        self.calm.reset();
        self.deserted.reset();
    }

    /// Its turn has come. False if it has been cancelled.
    pub fn begin_call(&self, call: &CallKind) -> bool {
        let mut state = lock(&self.state);
        let mut kept = None;
        let counters = match call {
            CallKind::Io { .. } => {
                let io = &mut state.io;
                if io.started == 1 {
                    kept = io.keep.take();
                }
                // A completion that nobody announced is ignored.
                let expected = io.started > 0;
                io.started = io.started.saturating_sub(1);
                let cancelled = io.void > 0;
                io.void = io.void.saturating_sub(1);
                expected && !cancelled
            }
            CallKind::Plain | CallKind::Waited { .. } if state.void > 0 => {
                state.void -= 1;
                false
            }
            CallKind::Plain | CallKind::Waited { .. } => {
                state.queued -= 1;
                true
            }
        };
        if counters {
            state.running += 1;
            state.inside += 1;
        }
        self.settle(state);
        drop(kept);
        counters
    }

    /// The callback has returned, or its thread has ended in it.
    pub fn end_call(self: &Arc<Item>, associated: bool) {
        let mut state = lock(&self.state);
        state.running -= u32::from(associated);
        state.inside -= 1;
        let vigil = state.vigil.clone();
        self.settle(state);
        if let Some(vigil) = vigil {
            vigil.call_has_ended();
        }
    }

    /// The callback goes on, and nobody who waits for the item waits for that any more.
    fn disassociate(&self) {
        let mut state = lock(&self.state);
        state.running -= 1;
        self.settle(state);
    }

    /// Tells whom it concerns if there is nothing to be called any more.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let mut heralds = Vec::new();
        let (calm, deserted) = (state.is_calm(), state.is_calm() && state.inside == 0);
        if calm {
            self.calm.set(&WAITS);
            heralds = std::mem::take(&mut state.heralds);
        }
        if deserted {
            self.deserted.set(&WAITS);
        }
        let leaves = deserted && (state.closed || self.is_transient());
        drop(state);
        for herald in heralds {
            herald.tell();
        }
        if leaves {
            self.leave_group();
        }
    }

    /// It has no handle: it is made for one call.
    fn is_transient(&self) -> bool {
        matches!(self.callback, Callback::Simple(_) | Callback::Routine(_))
    }

    fn leave_group(&self) {
        if let Some(group) = &self.terms.group {
            group.leave(self);
        }
    }

    /// Takes back the calls that have not begun.
    pub fn cancel(&self) {
        let mut state = lock(&self.state);
        state.void += std::mem::take(&mut state.queued);
        state.io.void = state.io.started;
        self.settle(state);
    }

    /// Waits until no call is queued or runs.
    pub fn await_calm(&self) {
        self.await_signal(&self.calm);
    }

    /// Waits until, besides, no thread is in the callback.
    pub fn await_desertion(&self) {
        self.await_signal(&self.deserted);
    }

    fn await_signal(&self, signal: &Signal) {
        let _waiting = Waiting::begin();
        thread::on_current(|thread| {
            WAITS.wait(thread, &[signal], false, Deadline::Never, Alertable::Never)
        });
    }

    /// Whether a call is queued or runs; if so, the herald is told when none does.
    pub fn announce_calm(&self, herald: &Arc<Herald>) -> bool {
        let mut state = lock(&self.state);
        let calm = state.is_calm();
        if !calm {
            state.heralds.push(herald.clone());
        }
        !calm
    }

    /// Nothing new is called; what is queued still runs, unless it is cancelled besides.
    pub fn close(self: &Arc<Item>) {
        let mut state = lock(&self.state);
        state.closing = true;
        state.timer.stop();
        let vigil = state.vigil.take();
        drop(state);
        if let Some(vigil) = vigil {
            vigil.end();
        }
        let mut state = lock(&self.state);
        state.closed = true;
        self.settle(state);
    }

    /// What its group has it tell when it is cancelled with the group.
    pub fn tell_cancelled(&self, group_context: *mut c_void) {
        if let Some(on_cancel) = self.terms.on_cancel {
            // SAFETY: the program passed it in the callback environment, to be called with the
            // object's context and that of the cleanup.
            unsafe { on_cancel(self.context, group_context) };
        }
    }

    // Timers.

    /// Sets the timer anew, or stops it. Whether it was set.
    pub fn set_timer(self: &Arc<Item>, due: Option<Due>, period_ms: u32) -> Result<bool, Code> {
        let mut state = lock(&self.state);
        let was_set = state.timer.stop();
        if let Some(due) = due.filter(|_| !state.closing) {
            self.arm(&mut state, due)?;
            state.timer.set = true;
            state.timer.period_ms = period_ms;
        }
        Ok(was_set)
    }

    pub fn is_timer_set(&self) -> bool {
        lock(&self.state).timer.set
    }

    /// Whether it will expire, or has a period and goes on doing so.
    pub fn is_timer_active(&self) -> bool {
        lock(&self.state).timer.alarm.is_some()
    }

    fn arm(self: &Arc<Item>, state: &mut State, due: Due) -> Result<(), Code> {
        let job = Job::Item { item: Arc::downgrade(self), setting: state.timer.setting };
        state.timer.alarm = Some(clock::set(due, job)?);
        Ok(())
    }

    fn ring(self: &Arc<Item>, setting: u64) {
        let mut state = lock(&self.state);
        if state.timer.setting != setting {
            return; // It was stopped at the last moment.
        }
        let alarm = state.timer.alarm.take();
        if let (Some(alarm), true) = (alarm, state.timer.period_ms > 0) {
            let due = alarm.due().next(state.timer.period_ms.into());
            // The clock runs, as it has just called us, so this cannot fail.
            let _ = self.arm(&mut state, due);
        }
        let call = match self.callback {
            Callback::QueuedTimer(_) => CallKind::Waited { timed_out: true },
            _ => CallKind::Plain,
        };
        self.enqueue(&mut state, call);
    }

    // Waits.

    /// Replaces what it waits for.
    pub fn set_vigil(self: &Arc<Item>, vigil: Option<Arc<Vigil>>) -> Option<Arc<Vigil>> {
        let mut state = lock(&self.state);
        if state.closing {
            return vigil;
        }
        std::mem::replace(&mut state.vigil, vigil)
    }

    // I/O.

    /// An operation is about to be issued. `thing`: its own place in the table.
    pub fn start_io(&self, thing: &Ref<Thing>) {
        let mut state = lock(&self.state);
        state.io.started += 1;
        state.io.keep.get_or_insert_with(|| thing.clone());
        self.stir();
    }

    /// The operation was not issued, or will not be reported.
    pub fn cancel_io(&self) {
        let mut state = lock(&self.state);
        let kept = if state.io.started == 1 { state.io.keep.take() } else { None };
        state.io.started = state.io.started.saturating_sub(1);
        self.settle(state);
        drop(kept);
    }
}

impl State {
    fn is_calm(&self) -> bool {
        self.queued == 0 && self.running == 0 && self.io.started == self.io.void
    }
}

impl Timer {
    /// Whether it was set.
    fn stop(&mut self) -> bool {
        self.setting += 1;
        self.period_ms = 0;
        if let Some(alarm) = self.alarm.take() {
            alarm.cancel();
        }
        std::mem::take(&mut self.set)
    }
}

/// The clock says that a timer is due.
pub fn ring(item: &Weak<Item>, setting: u64) {
    if let Some(item) = item.upgrade() {
        item.ring(setting);
    }
}

/// One callback that runs: what a TP_CALLBACK_INSTANCE points to.
pub struct Instance {
    task: Task,
    /// It still counts for its object.
    associated: Cell<bool>,
    long: Cell<bool>,
    /// What is to be done when it returns.
    pub on_return: RefCell<OnReturn>,
}

/// Where a thread keeps the callback that it is at: below the callback's frames, which ExitThread
/// may leave for good and which therefore own nothing.
#[derive(Default)]
pub struct Desk {
    instance: UnsafeCell<Option<Instance>>,
}

#[derive(Default)]
pub struct OnReturn {
    pub event: Option<EventRef>,
    pub mutex: Option<Ref<Object>>,
    pub semaphore: Option<(Ref<Object>, u32)>,
    pub section: Option<*mut CRITICAL_SECTION>,
    /// What gives a library back, and the library.
    pub library: Option<(Release, HMODULE)>,
}

/// FreeLibrary, which is the C library's.
pub type Release = unsafe extern "C" fn(HMODULE) -> BOOL;

impl Desk {
    /// Calls what a task says, with no lock held.
    pub fn call(&self, task: Task) {
        let instance = Instance {
            associated: Cell::new(true),
            long: Cell::new(task.item.is_long()),
            on_return: RefCell::default(),
            task,
        };
        // SAFETY: a desk is one thread's, which is at one callback at a time; nothing refers to the
        // last one.
        let instance = unsafe { &*(*self.instance.get()).insert(instance) };
        instance.run();
        self.clear();
    }

    /// Ends the callback, if there is one: it has returned, or called ExitThread.
    pub fn clear(&self) {
        // SAFETY: as in `call`; the callback's frames are gone.
        let instance = unsafe { (*self.instance.get()).take() };
        if let Some(Instance { task, associated, .. }) = instance {
            task.item.end_call(associated.get());
        }
    }
}

impl Instance {
    /// # Safety
    /// It is what a callback was given, and the callback has not returned.
    pub unsafe fn of<'a>(instance: PTP_CALLBACK_INSTANCE) -> &'a Instance {
        // SAFETY: our caller vouches for it.
        unsafe { &*std::ptr::with_exposed_provenance(instance as usize) }
    }

    pub fn disassociate(&self) {
        if self.associated.replace(false) {
            self.task.item.disassociate();
        }
    }

    /// It will take long. Whether the pool has a thread for others.
    pub fn may_run_long(&self) -> bool {
        let pool = &self.task.item.terms.pool;
        if !self.long.replace(true) {
            pool.core.lend();
        }
        pool.has_others()
    }

    fn run(&self) {
        let Task { item, call } = &self.task;
        if self.long.get() {
            item.terms.pool.core.lend();
        }
        let this = std::ptr::from_ref(self).expose_provenance() as PTP_CALLBACK_INSTANCE;
        let (context, handle) = (item.context, item.handle());
        let timed_out = matches!(call, CallKind::Waited { timed_out: true });
        // SAFETY: the program passed function and context to be called like this.
        unsafe {
            match item.callback {
                Callback::Simple(Some(simple)) => simple(this, context),
                Callback::Work(Some(work)) => work(this, context, handle),
                Callback::Timer(Some(timer)) => timer(this, context, handle),
                Callback::Wait(Some(wait)) => {
                    let result = if timed_out { WAIT_TIMEOUT } else { WAIT_OBJECT_0 };
                    wait(this, context, handle, result);
                }
                Callback::Io(Some(io)) => {
                    if let CallKind::Io { overlapped, result, bytes } = *call {
                        io(this, context, overlapped.cast(), result, bytes as usize, handle);
                    }
                }
                Callback::Routine(Some(routine)) => {
                    routine(context);
                }
                Callback::RegisteredWait(Some(wait)) | Callback::QueuedTimer(Some(wait)) => {
                    wait(context, timed_out);
                }
                // Refused where it is passed.
                Callback::Simple(None)
                | Callback::Work(None)
                | Callback::Timer(None)
                | Callback::Wait(None)
                | Callback::Io(None)
                | Callback::Routine(None)
                | Callback::RegisteredWait(None)
                | Callback::QueuedTimer(None) => {}
            }
            self.on_return.take().run();
            if let Some(finally) = item.terms.finally {
                finally(this, context);
            }
        }
    }
}

impl OnReturn {
    fn run(self) {
        if let Some((semaphore, count)) = self.semaphore {
            let _ = semaphores::release(&semaphore, count); // Too many posts: nobody to tell.
        }
        if let Some(mutex) = self.mutex {
            let _ = mutexes::release(&mutex); // Not the owner: nobody to tell.
        }
        if let Some(section) = self.section {
            // SAFETY: the callback, which owns it, has said that it be left here.
            unsafe { LeaveCriticalSection(section) };
        }
        if let Some(event) = self.event {
            event.set(&WAITS);
        }
        if let Some((release, library)) = self.library {
            // SAFETY: as above; the callback, which may have come from there, has returned.
            unsafe { release(library) };
        }
    }
}
