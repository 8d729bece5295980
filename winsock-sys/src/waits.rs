//! The functions that wait.

use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FALSE, HANDLE, WAIT_ABANDONED_0, WAIT_EVENT,
    WAIT_FAILED, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::core::BOOL;

use crate::array::Array;
use crate::dispatch::{Gone, MOST, Waited, Wanted};
use crate::error::{self, Code};
use crate::event::Signal;
use crate::handle::Ref;
use crate::mutex::Mutant;
use crate::object::{self, Object, TABLE, WAITS};
use crate::thread::{self, Alertable, Thread, Waiting};
use crate::threads::{CURRENT_PROCESS, CURRENT_THREAD};
use crate::wait::{self, Deadline, Look, Outcome};
use crate::{mutexes, semaphores};

/// The signal of an object that can be waited for.
pub fn signal_of(object: &Ref<Object>) -> Option<&Signal> {
    match &**object {
        Object::Event | Object::Semaphore(_) | Object::File(_) => Some(object.signal()),
        Object::Mutex(mutant) => Some(&mutant.signal),
        Object::Timer(timer) => Some(&timer.signal),
        Object::Socket(socket) => Some(&socket.signal),
        Object::Alias(alias) => signal_of(&alias.target),
        Object::Thread(thread) => Some(&thread.ended),
        Object::Port(_) | Object::Window(_) => None,
    }
}

/// The object behind a HANDLE, if it can be waited for.
pub fn waitable(handle: HANDLE) -> Result<Ref<Object>, Code> {
    let object = object::open(handle)?;
    let waitable = signal_of(&object).is_some();
    waitable.then_some(object).ok_or(Code(ERROR_INVALID_HANDLE))
}

/// The mutex that an object is.
pub fn mutant_of(object: &Object) -> Option<&Mutant> {
    match object {
        Object::Mutex(mutant) => Some(mutant),
        Object::Alias(alias) => mutant_of(&alias.target),
        _ => None,
    }
}

/// # Safety
/// `handles` points to `count` handles.
unsafe fn wait_for(
    count: u32,
    handles: *const HANDLE,
    all: bool,
    timeout_ms: u32,
    alertable: BOOL,
) -> Result<WAIT_EVENT, Code> {
    if count == 0 || count as usize > MOST || handles.is_null() {
        return Err(Code(ERROR_INVALID_PARAMETER)); // Rule 103.
    }
    // SAFETY: our caller vouches for the array.
    let handles = unsafe { std::slice::from_raw_parts(handles, count as usize) };
    thread::on_current(|thread| {
        let deadline = Deadline::after_ms(timeout_ms);
        let alertable = Alertable::by(alertable != FALSE);
        Ok(match wait_by(thread, handles, None, all, deadline, alertable)? {
            Waited::Signal(index) => WAIT_OBJECT_0 + index as u32,
            Waited::Abandoned(index) => WAIT_ABANDONED_0 + index as u32,
            Waited::TimedOut => WAIT_TIMEOUT,
            Waited::Apc if thread.is_condemned() => return Err(Code::THREAD_ENDS),
            Waited::Apc => {
                thread.run_apcs();
                WAIT_IO_COMPLETION
            }
        })
    })
}

/// Waits for handles, and for `extra` after them.
pub fn wait_by(
    thread: &Arc<Thread>,
    handles: &[HANDLE],
    extra: Option<&Signal>,
    all: bool,
    deadline: Deadline,
    alertable: Alertable,
) -> Result<Waited, Code> {
    let mut signals = Array::<&Signal, MOST>::new();
    for handle in handles {
        match TABLE.peek(handle.addr()) {
            Some(signal) if signal.is_present() => signals.push(signal),
            _ => return wait_by_reference(thread, handles, extra, all, deadline, alertable),
        }
    }
    extra.into_iter().for_each(|signal| signals.push(signal));
    let is_there =
        |index: usize| handles.get(index).is_none_or(|handle| TABLE.is_open(handle.addr()));
    let signals = &signals[..];
    let wanted = Wanted { thread, signals, mutants: &[], all, alertable, is_there };
    wait_until(&wanted, deadline)
}

/// As [`wait_by`], for objects whose signals are not all in their slots: we refer to them while we
/// wait.
#[cold]
fn wait_by_reference(
    thread: &Arc<Thread>,
    handles: &[HANDLE],
    extra: Option<&Signal>,
    all: bool,
    deadline: Deadline,
    alertable: Alertable,
) -> Result<Waited, Code> {
    let mut objects = Array::<Waitable, MOST>::new();
    for &handle in handles {
        objects.push(Waitable::open(thread, handle)?);
    }
    let mut signals = Array::<&Signal, MOST>::new();
    let mut mutants = Array::<Option<&Mutant>, MOST>::new();
    for object in objects.iter() {
        signals.push(object.signal().ok_or(Code(ERROR_INVALID_HANDLE))?);
        mutants.push(object.mutant());
    }
    extra.into_iter().for_each(|signal| signals.push(signal));
    let (signals, mutants) = (&signals[..], &mutants[..]);
    let wanted = Wanted { thread, signals, mutants, all, alertable, is_there: |_| true };
    wait_until(&wanted, deadline)
}

/// What a handle denotes, to be waited for.
enum Waitable<'a> {
    Object(Ref<Object>),
    /// The pseudo-handle of the thread.
    Thread(&'a Thread),
    /// The pseudo-handle of the process, which will not see its own end.
    Process(Signal),
}

impl Waitable<'_> {
    fn open(thread: &Thread, handle: HANDLE) -> Result<Waitable<'_>, Code> {
        match handle {
            CURRENT_THREAD => Ok(Waitable::Thread(thread)),
            CURRENT_PROCESS => Ok(Waitable::Process(Signal::new(false, false))),
            handle => object::open(handle).map(Waitable::Object),
        }
    }

    fn signal(&self) -> Option<&Signal> {
        match self {
            Waitable::Object(object) => signal_of(object),
            Waitable::Thread(thread) => Some(&thread.ended),
            Waitable::Process(never) => Some(never),
        }
    }

    fn mutant(&self) -> Option<&Mutant> {
        match self {
            Waitable::Object(object) => mutant_of(object),
            Waitable::Thread(_) | Waitable::Process(_) => None,
        }
    }
}

fn wait_until(
    wanted: &Wanted<'_, impl Fn(usize) -> bool>,
    deadline: Deadline,
) -> Result<Waited, Code> {
    let signals = wanted.signals;
    let is_double = |at: usize| signals[..at].iter().any(|other| ptr::eq(*other, signals[at]));
    if wanted.all && (1..signals.len()).any(is_double) {
        return Err(Code(ERROR_INVALID_PARAMETER)); // Rule 103.
    }
    if wanted.thread.is_called(wanted.alertable) {
        return Ok(Waited::Apc); // Rule 107: a ready event is for the next call.
    }
    let gone = |Gone| Code(ERROR_INVALID_HANDLE);
    if let Some(waited) = WAITS.take(wanted).map_err(gone)? {
        return Ok(waited);
    }
    let _waiting = Waiting::begin();
    WAITS.sleep(wanted, deadline).map_err(gone)
}

fn waited(result: Result<WAIT_EVENT, Code>) -> WAIT_EVENT {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        WAIT_FAILED
    })
}

/// Waits for one object: [WaitForSingleObject][ms]. WAIT_OBJECT_0, WAIT_TIMEOUT, WAIT_FAILED, and
/// WAIT_ABANDONED for a mutex whose owner has ended.
///
/// Waitable are events, mutexes, semaphores, timers, threads, and sockets (an operation without an
/// event signals its socket, rule 54).
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject
pub unsafe extern "system" fn WaitForSingleObject(handle: HANDLE, timeout_ms: u32) -> WAIT_EVENT {
    // SAFETY: the one handle is ours.
    waited(unsafe { wait_for(1, &handle, false, timeout_ms, FALSE) })
}

/// As [`WaitForSingleObject`], alertable: [WaitForSingleObjectEx][ms]. WAIT_IO_COMPLETION when APCs
/// ran.
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex
pub unsafe extern "system" fn WaitForSingleObjectEx(
    handle: HANDLE,
    timeout_ms: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    // SAFETY: the one handle is ours.
    waited(unsafe { wait_for(1, &handle, false, timeout_ms, alertable) })
}

/// Waits for one of 1 to 64 objects, or for all: [WaitForMultipleObjects][ms]. The lowest index
/// that is set (rule 104), or all in one step (rule 105). ERROR_INVALID_PARAMETER for a bad count
/// or a duplicate in a wait for all.
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects
///
/// # Safety
/// As on Windows: `handles` points to `count` handles.
pub unsafe extern "system" fn WaitForMultipleObjects(
    count: u32,
    handles: *const HANDLE,
    all: BOOL,
    timeout_ms: u32,
) -> WAIT_EVENT {
    // SAFETY: passed on from our caller.
    waited(unsafe { wait_for(count, handles, all != FALSE, timeout_ms, FALSE) })
}

/// As [`WaitForMultipleObjects`], alertable: [WaitForMultipleObjectsEx][ms].
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex
///
/// # Safety
/// As [`WaitForMultipleObjects`].
pub unsafe extern "system" fn WaitForMultipleObjectsEx(
    count: u32,
    handles: *const HANDLE,
    all: BOOL,
    timeout_ms: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    // SAFETY: passed on from our caller.
    waited(unsafe { wait_for(count, handles, all != FALSE, timeout_ms, alertable) })
}

/// As [`WaitForMultipleObjectsEx`]: [WSAWaitForMultipleEvents][ms] (rule 103).
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents
///
/// # Safety
/// As [`WaitForMultipleObjects`].
pub unsafe extern "system" fn WSAWaitForMultipleEvents(
    count: u32,
    events: *const HANDLE,
    all: BOOL,
    timeout_ms: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    // SAFETY: passed on from our caller.
    waited(unsafe { wait_for(count, events, all != FALSE, timeout_ms, alertable) })
}

/// Signals one object and waits for another: [SignalObjectAndWait][ms] (rule 153). What is
/// signalled is an event, a mutex that the thread owns, or a semaphore, which gains one.
///
/// WAIT_FAILED: ERROR_INVALID_HANDLE, ERROR_NOT_OWNER, ERROR_TOO_MANY_POSTS. Otherwise as
/// [`WaitForSingleObjectEx`].
///
/// [ms]:
/// https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait
pub unsafe extern "system" fn SignalObjectAndWait(
    signal: HANDLE,
    wait: HANDLE,
    timeout_ms: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    let signalled = is_waitable(wait).and_then(|()| {
        let object = object::original(signal)?;
        match &*object {
            Object::Event => {
                object.signal().set(&WAITS);
                Ok(())
            }
            Object::Semaphore(_) => semaphores::release(&object, 1).map(drop),
            _ => mutexes::release(&object),
        }
    });
    waited(signalled.and_then(|()| {
        // SAFETY: the one handle is ours.
        unsafe { wait_for(1, &wait, false, timeout_ms, alertable) }
    }))
}

fn is_waitable(handle: HANDLE) -> Result<(), Code> {
    let invalid = Code(ERROR_INVALID_HANDLE);
    thread::on_current(|thread| Waitable::open(thread, handle)?.signal().map(drop).ok_or(invalid))
}

/// Sleeps: [Sleep][ms]. The thread's port may release another meanwhile (rule 143).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleep
pub unsafe extern "system" fn Sleep(ms: u32) {
    sleep(ms, Alertable::ToEnd);
}

/// Sleeps, and runs APCs if alertable: [SleepEx][ms]. WAIT_IO_COMPLETION when any ran, else 0.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleepex
pub unsafe extern "system" fn SleepEx(ms: u32, alertable: BOOL) -> u32 {
    sleep(ms, Alertable::by(alertable != FALSE))
}

fn sleep(ms: u32, alertable: Alertable) -> u32 {
    let called = thread::on_current(|thread| {
        if alertable == Alertable::Fully && ms == 0 {
            crate::backend::poll(thread); // Routines of what the kernel has finished run now.
        }
        if thread.is_called(alertable) {
            return true;
        }
        if ms == 0 {
            std::thread::yield_now();
            return false;
        }
        let _waiting = Waiting::begin();
        let asleep = || Look::<()>::Wait;
        let outcome = wait::wait(thread, Deadline::after_ms(ms), alertable, usize::MAX, asleep);
        matches!(outcome, Outcome::Apc)
    });
    if !called {
        return 0;
    }
    thread::end_condemned();
    thread::on_current(|thread| thread.run_apcs());
    WAIT_IO_COMPLETION
}
