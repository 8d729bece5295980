//! What the library knows of each thread: its bed, its APC queue, the port it works for.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as PlainU32, Ordering::Relaxed};

use windows_sys::Win32::Foundation::{FILETIME, STILL_ACTIVE};
use windows_sys::Win32::Networking::WinSock::LPWSAOVERLAPPED_COMPLETION_ROUTINE;
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::backend;
use crate::event::Signal;
use crate::fiber_locals;
use crate::jump::{self, Place};
use crate::locals;
use crate::mutex::Owned;
use crate::object::WAITS;
use crate::park::{Parker, Rouse};
use crate::port::Port;
use crate::queue;
use crate::roll;
use crate::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use crate::sync::{Mutex, lock, thread_local};
use crate::timer::Routine;
use crate::wait::Deadline;

/// One call that waits for its thread to become alertable.
pub enum Apc {
    /// A completion routine with its four arguments (rule 57).
    Routine {
        routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
        error: u32,
        bytes: u32,
        overlapped: *mut OVERLAPPED,
    },
    /// `QueueUserAPC`.
    User { function: unsafe extern "system" fn(usize), data: usize },
    /// A waitable timer's completion routine, with the time when it was signalled. `value`: the
    /// timer's place in the handle table.
    Timer { routine: Routine, argument: *const c_void, time: FILETIME, value: usize },
}

/// What ends a thread's wait before its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alertable {
    /// Nothing: the library waits for what has to come.
    Never,
    /// `TerminateThread`: the program waits.
    ToEnd,
    /// APCs, too.
    Fully,
}

impl Alertable {
    /// A wait of the program's, alertable or not.
    pub fn by(flag: bool) -> Alertable {
        if flag { Alertable::Fully } else { Alertable::ToEnd }
    }
}

/// One thread, as the others see it.
pub struct Thread {
    /// Ours, never used twice; names the issuer of an operation.
    pub id: u32,
    /// The kernel's, to ask whether the thread runs and to send it the alert signal.
    pub tid: i32,
    pub parker: Parker,
    apcs: Mutex<VecDeque<Apc>>,
    /// How many APCs are queued, so that nobody takes the lock to find none. The order to end
    /// counts as one.
    queued: AtomicU32,
    dead: AtomicBool,
    /// It has been told to end, with its exit code.
    condemned: AtomicBool,
    sentence: AtomicU32,
    /// Woken to lead the backend; it has not looked at that yet.
    promoted: AtomicBool,
    /// The thread as a thing to wait for: set when it has ended.
    pub ended: Signal,
    suspension: Mutex<Suspension>,
    /// Set while it is not suspended.
    released: Signal,
    exit_code: AtomicU32,
    /// What SetThreadPriority said: it is remembered, and that is all.
    pub priority: AtomicI32,
    /// As above: it is in background mode.
    pub in_background: AtomicBool,
    /// Its mutexes.
    pub owned: Owned,
}

struct Suspension {
    count: u32,
    /// Its routine has begun, so that it can stop itself only.
    started: bool,
}

const MOST_SUSPENSIONS: u32 = 127;

/// Why a thread was not suspended.
#[derive(Debug)]
pub enum Unsuspended {
    /// It runs, perhaps with locks of ours.
    Runs,
    TooOften,
}

// SAFETY: the pointers in an `Apc` are only carried; the issuing thread alone hands them to user
// code. `owned` is touched under the lock of the waits only.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

impl Thread {
    pub fn new(tid: i32) -> Thread {
        static NEXT: PlainU32 = PlainU32::new(1);
        Thread {
            id: NEXT.fetch_add(1, Relaxed),
            tid,
            parker: Parker::new(),
            apcs: Mutex::new(VecDeque::new()),
            queued: AtomicU32::new(0),
            dead: AtomicBool::new(false),
            condemned: AtomicBool::new(false),
            sentence: AtomicU32::new(0),
            promoted: AtomicBool::new(false),
            ended: Signal::new(false, false),
            suspension: Mutex::new(Suspension { count: 0, started: true }),
            released: Signal::new(false, true),
            priority: AtomicI32::new(0),
            in_background: AtomicBool::new(false),
            exit_code: AtomicU32::new(STILL_ACTIVE as u32),
            owned: Owned::new(ptr::null()),
        }
    }

    /// It has been made for a routine, which shall not begin before it is resumed as often as this
    /// says.
    pub fn hold_back(&self, count: u32) {
        *lock(&self.suspension) = Suspension { count, started: false };
        if count > 0 {
            self.released.reset();
        }
    }

    /// Waits until nobody holds it back any more, and the routine shall begin. False if it never
    /// shall.
    pub fn begin(self: &Arc<Thread>) -> bool {
        loop {
            self.await_release();
            let mut suspension = lock(&self.suspension);
            if self.is_condemned() {
                return false;
            }
            if suspension.count == 0 {
                suspension.started = true;
                return true;
            }
        }
    }

    /// Waits until it is not suspended any more, or has been told to end.
    pub fn await_release(self: &Arc<Thread>) {
        WAITS.wait(self, &[&self.released], false, Deadline::Never, Alertable::ToEnd);
    }

    /// Counts one more suspension; the count before.
    pub fn suspend(&self, by_itself: bool) -> Result<u32, Unsuspended> {
        let mut suspension = lock(&self.suspension);
        if suspension.count == MOST_SUSPENSIONS {
            return Err(Unsuspended::TooOften);
        }
        if suspension.started && !by_itself {
            return Err(Unsuspended::Runs);
        }
        self.released.reset();
        suspension.count += 1;
        Ok(suspension.count - 1)
    }

    /// Counts one suspension less, if there is one, and lets the thread go on if that was the last;
    /// the count before.
    pub fn resume(&self) -> u32 {
        let mut suspension = lock(&self.suspension);
        let before = suspension.count;
        suspension.count = before.saturating_sub(1);
        if before == 1 {
            self.released.set(&WAITS);
        }
        before
    }

    /// Wakes the thread to lead the backend.
    pub fn promote(&self) {
        self.promoted.store(true, Ordering::Release);
        self.unpark();
    }

    /// Whether it has been woken to lead since it was last asked.
    pub fn take_promotion(&self) -> bool {
        self.promoted.load(Ordering::Relaxed) && self.promoted.swap(false, Ordering::Acquire)
    }

    /// What the thread returned, or STILL_ACTIVE.
    pub fn exit_code(&self) -> u32 {
        self.exit_code.load(Ordering::Acquire)
    }

    pub fn set_exit_code(&self, code: u32) {
        self.exit_code.store(code, Ordering::Release);
    }

    /// Wakes the thread wherever it sleeps.
    pub fn unpark(&self) {
        self.rouse(self.parker.notify());
    }

    /// Finishes waking a thread that has been notified.
    pub fn rouse(&self, rouse: Rouse) {
        match rouse {
            Rouse::Nothing => {}
            Rouse::Parked => {
                self.parker.wake();
                backend::note_served();
            }
            Rouse::Leader => backend::kick(),
            Rouse::Blocked => crate::blocking::alert(self.tid),
        }
    }

    /// Queues a call and wakes the thread, which runs it if it waits alertably. False when the
    /// thread has ended (rule 109).
    pub fn queue(&self, apc: Apc) -> bool {
        {
            let mut apcs = lock(&self.apcs);
            if self.dead.load(Ordering::Relaxed) {
                return false;
            }
            apcs.push_back(apc);
            self.queued.fetch_add(1, Ordering::Release);
        }
        self.unpark();
        true
    }

    /// As [`Thread::queue`], unless the timer's last call is still queued.
    pub fn queue_timer(&self, apc: Apc) {
        let of_same = |other: &Apc| match (&apc, other) {
            (Apc::Timer { value, .. }, Apc::Timer { value: other, .. }) => value == other,
            _ => false,
        };
        // Only the clock queues for timers, so no other comes in between.
        if !lock(&self.apcs).iter().any(of_same) {
            self.queue(apc);
        }
    }

    /// Takes back what is queued for a timer.
    pub fn unqueue_timer(&self, timer: usize) {
        let mut apcs = lock(&self.apcs);
        let queued = apcs.len();
        apcs.retain(|apc| !matches!(apc, Apc::Timer { value, .. } if *value == timer));
        self.queued.fetch_sub((queued - apcs.len()) as u32, Ordering::Relaxed);
    }

    /// Tells the thread to end with that exit code, now if it waits, else when it next does. What
    /// it was told first holds.
    pub fn condemn(&self, code: u32) {
        {
            let _apcs = lock(&self.apcs);
            if self.dead.load(Ordering::Relaxed) || self.is_condemned() {
                return;
            }
            self.sentence.store(code, Ordering::Relaxed);
            self.condemned.store(true, Ordering::Release);
            self.queued.fetch_add(1, Ordering::Release);
        }
        self.unpark();
    }

    /// Whether it has been told to end. It [does](end_condemned) when it holds nothing of ours.
    pub fn is_condemned(&self) -> bool {
        self.condemned.load(Ordering::Acquire)
    }

    /// Whether it has ended.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub fn has_apcs(&self) -> bool {
        self.queued.load(Ordering::Acquire) != 0
    }

    /// Whether a wait has to end for what others ask of the thread.
    pub fn is_called(&self, alertable: Alertable) -> bool {
        self.has_apcs()
            && match alertable {
                Alertable::Never => false,
                Alertable::ToEnd => self.is_condemned(),
                Alertable::Fully => true,
            }
    }

    /// Runs what is queued, in order, and what those calls queue in turn (rule 107). Only the
    /// thread itself calls this, with no lock held. True when anything ran.
    pub fn run_apcs(&self) -> bool {
        let mut ran = false;
        while self.has_apcs() {
            let apc = {
                let mut apcs = lock(&self.apcs);
                let Some(apc) = apcs.pop_front() else { break };
                self.queued.fetch_sub(1, Ordering::Relaxed);
                apc
            };
            apc.run();
            ran = true;
        }
        ran
    }

    fn end(&self) {
        {
            let mut apcs = lock(&self.apcs);
            self.dead.store(true, Ordering::Relaxed);
            apcs.clear();
        }
        WAITS.abandon(self);
        self.ended.set(&WAITS);
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        roll::leave(self);
    }
}

impl Apc {
    fn run(self) {
        match self {
            Apc::Routine { routine: Some(routine), error, bytes, overlapped } => {
                // SAFETY: the program passed this routine and this OVERLAPPED to the call that is
                // now complete, and promised that both stay valid until the routine has run.
                unsafe { routine(error, bytes, overlapped, 0) };
            }
            Apc::Routine { routine: None, .. } => {} // Never queued: no routine, no APC.
            Apc::User { function, data } => {
                // SAFETY: the program passed this function to QueueUserAPC to be called here.
                unsafe { function(data) };
            }
            Apc::Timer { routine, argument, time, .. } => {
                // SAFETY: the program passed routine and argument to SetWaitableTimer, to be called
                // by this thread.
                unsafe { routine(argument, time.dwLowDateTime, time.dwHighDateTime) };
            }
        }
    }
}

/// What only the thread itself may touch.
struct Local {
    thread: Arc<Thread>,
    /// The port whose packet the thread took last, and for which it counts as running (rule 43).
    port: RefCell<Option<Arc<Port>>>,
    /// The message queue, from the thread's first call that needs one.
    own: OnceCell<queue::Own>,
    /// Where its routine was called, as long as that runs.
    bottom: Cell<Place>,
}

// In the models a thread says itself that it ends: loom drops its thread-locals too late.
#[cfg(not(loom))]
impl Drop for Local {
    fn drop(&mut self) {
        self.end();
    }
}

impl Local {
    fn end(&self) {
        // A thread that neither our routine nor ExitThread has brought here.
        fiber_locals::end();
        // Whoever waits for the thread's end finds its operations ended.
        if ISSUED.with(Cell::get) {
            crate::socket::cancel_of_thread(self.thread.id);
        }
        if let Some(own) = self.own.get() {
            own.end();
        }
        if let Some(port) = self.port.take() {
            port.retire(&self.thread);
        }
        locals::end();
        self.thread.end();
    }

    fn new() -> Local {
        // SAFETY: gettid cannot fail and touches no memory.
        let tid = unsafe { libc::gettid() };
        let thread = Arc::new(Thread::new(tid));
        ID.with(|id| id.set(thread.id));
        roll::enter(&thread);
        let (port, own) = (RefCell::new(None), OnceCell::new());
        Local { thread, port, own, bottom: Cell::new(ptr::null_mut()) }
    }
}

thread_local! {
    /// The thread's number once it has one, for a look without ceremony.
    static ID: Cell<u32> = const { Cell::new(0) };
    /// It has parked an operation that its exit may have to cancel (rule 48).
    static ISSUED: Cell<bool> = const { Cell::new(false) };
    static LOCAL: Local = Local::new();
}

/// Calls `f` with the calling thread. A thread that is already tearing down its thread-locals gets
/// a record for this one call.
fn with<R>(f: impl FnOnce(&Local) -> R) -> R {
    let mut f = Some(f);
    let mut call = |local: &Local| f.take().expect("called once")(local);
    match LOCAL.try_with(&mut call) {
        Ok(result) => result,
        Err(_) => call(&Local::new()),
    }
}

/// The calling thread.
pub fn current() -> Arc<Thread> {
    with(|local| local.thread.clone())
}

/// The calling thread ends, but for its own frames.
#[cfg(loom)]
pub fn end_current() {
    with(|local| local.end());
}

/// Runs `f`, and returns when that returns or when it calls [`exit`].
pub fn run_to_exit<F: FnOnce()>(f: F) {
    unsafe extern "C" fn run<F: FnOnce()>(f: *mut c_void) {
        // SAFETY: passed below, once.
        if let Some(f) = unsafe { &mut *f.cast::<Option<F>>() }.take() {
            f();
        }
    }
    let mut f = Some(f);
    with(|local| {
        let f = (&raw mut f).cast();
        // SAFETY: the place is the thread's own; `run` may be called with this.
        unsafe { jump::call(local.bottom.as_ptr(), run::<F>, f) };
        local.bottom.set(ptr::null_mut());
    });
    // Here and not at the thread's very end, so that the callbacks find all of it still there.
    fiber_locals::end();
}

/// Ends the calling thread, without going back through its frames.
///
/// # Safety
/// As [`jump::leave`].
pub unsafe fn exit(code: u32) -> ! {
    let bottom = with(|local| {
        local.thread.set_exit_code(code);
        local.bottom.get()
    });
    if !bottom.is_null() {
        // SAFETY: the call is the one in `run_to_exit`, which has not returned; the rest is our
        // caller's word.
        unsafe { jump::leave(bottom) };
    }
    fiber_locals::end();
    with(Local::end);
    roll::vanish(code)
}

/// Ends the calling thread if it has been told to (`TerminateThread`). Called where nothing of ours
/// is held: no lock, no reference, no wait.
#[cold]
pub fn end_condemned() {
    let sentence = with(|local| {
        let thread = &local.thread;
        // Once: what is called as the thread ends may wait.
        thread.condemned.swap(false, Ordering::Acquire).then(|| {
            thread.queued.fetch_sub(1, Ordering::Relaxed);
            thread.sentence.load(Ordering::Relaxed)
        })
    });
    if let Some(code) = sentence {
        // SAFETY: whoever called TerminateThread vouches for the program's frames; ours own
        // nothing.
        unsafe { exit(code) }
    }
}

/// The calling thread's number.
pub fn current_id() -> u32 {
    match ID.with(Cell::get) {
        0 => with(|local| local.thread.id),
        id => id,
    }
}

/// Runs `f` with the calling thread, without counting a reference.
pub fn on_current<R>(f: impl FnOnce(&Arc<Thread>) -> R) -> R {
    with(|local| f(&local.thread))
}

/// Runs `f` with the calling thread's message queue, which it has from now on.
pub fn on_own<R>(f: impl FnOnce(&queue::Own) -> R) -> R {
    with(|local| f(local.own.get_or_init(|| queue::Own::new(local.thread.clone()))))
}

/// Notes that the calling thread has left an operation pending.
pub fn note_issued() {
    if !ISSUED.with(Cell::get) {
        // `with`, so that from now on the thread's end is noticed.
        with(|_| ISSUED.with(|issued| issued.set(true)));
    }
}

/// Whether it ever has.
pub fn has_issued() -> bool {
    ISSUED.with(Cell::get)
}

/// Ties the calling thread to `port`, off the one it worked for before (rule 43).
pub fn work_for(port: &Arc<Port>) {
    with(|local| {
        let mut current = local.port.borrow_mut();
        if current.as_ref().is_some_and(|held| Arc::ptr_eq(held, port)) {
            return;
        }
        if let Some(previous) = current.replace(port.clone()) {
            previous.retire(&local.thread);
        }
    });
}

/// While it lives, the calling thread counts as waiting elsewhere: its port may release another
/// thread in its place (rules 41 and 143).
pub struct Waiting {
    stepped_off: Option<Arc<Port>>,
}

impl Waiting {
    pub fn begin() -> Waiting {
        let port = with(|local| local.port.borrow().clone());
        let stepped_off = port.filter(|port| on_current(|thread| port.retire(thread)));
        Waiting { stepped_off }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(port) = self.stepped_off.take() {
            on_current(|thread| port.resume(thread));
        }
    }
}
