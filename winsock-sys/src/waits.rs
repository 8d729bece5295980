//! Event objects and the functions that wait.

use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FALSE, HANDLE, TRUE, WAIT_EVENT, WAIT_FAILED,
    WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::Networking::WinSock::WSAEVENT;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::array::Array;
use crate::error::{self, Code};
use crate::event::{Gone, Kind, MOST, Signal, Waited, Wanted};
use crate::handle::Ref;
use crate::object::{self, Object, TABLE, WAITS};
use crate::thread::{self, Thread, Waiting};
use crate::wait::{self, Deadline, Look, Outcome};

fn yes_or(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// Makes an event: [CreateEventW][ms]. NULL on failure.
///
/// DIFFERS: a name is accepted and ignored: each call makes an event of its own.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventw
///
/// # Safety
/// None beyond Windows': the pointers are not followed.
pub unsafe extern "system" fn CreateEventW(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    initial_state: BOOL,
    _name: PCWSTR,
) -> HANDLE {
    create_event(manual_reset != FALSE, initial_state != FALSE)
}

/// As [`CreateEventW`]: [CreateEventA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventa
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn CreateEventA(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    initial_state: BOOL,
    _name: PCSTR,
) -> HANDLE {
    create_event(manual_reset != FALSE, initial_state != FALSE)
}

fn create_event(manual_reset: bool, set: bool) -> HANDLE {
    object::insert_event(Kind::Event { manual_reset, set }).unwrap_or_else(|code| {
        error::set_last(code);
        std::ptr::null_mut()
    })
}

/// Makes a manual-reset event that is not set (rule 106): [WSACreateEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsacreateevent
pub unsafe extern "system" fn WSACreateEvent() -> WSAEVENT {
    let event = create_event(true, false);
    // WSA_INVALID_EVENT is 0, like the NULL of a failure.
    event.addr() as WSAEVENT
}

/// windows-sys spells a WSAEVENT as a number and a HANDLE as a pointer.
fn handle_of(event: WSAEVENT) -> HANDLE {
    std::ptr::without_provenance_mut(event as usize)
}

fn with_event(event: HANDLE, f: impl FnOnce(&Signal)) -> BOOL {
    yes_or(match object::event(event.addr()) {
        Some(event) => {
            f(&event);
            Ok(())
        }
        None => Err(Code(ERROR_INVALID_HANDLE)),
    })
}

/// Sets an event: [SetEvent][ms]. No system call unless somebody waits. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setevent
pub unsafe extern "system" fn SetEvent(event: HANDLE) -> BOOL {
    with_event(event, |signal| signal.set(&WAITS))
}

/// Resets an event: [ResetEvent][ms]. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-resetevent
pub unsafe extern "system" fn ResetEvent(event: HANDLE) -> BOOL {
    with_event(event, Signal::reset)
}

/// As [`SetEvent`]: [WSASetEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasetevent
pub unsafe extern "system" fn WSASetEvent(event: WSAEVENT) -> BOOL {
    with_event(handle_of(event), |signal| signal.set(&WAITS))
}

/// As [`ResetEvent`]: [WSAResetEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaresetevent
pub unsafe extern "system" fn WSAResetEvent(event: WSAEVENT) -> BOOL {
    with_event(handle_of(event), Signal::reset)
}

/// Closes an event: [WSACloseEvent][ms]. Operations that will set it still may.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsacloseevent
pub unsafe extern "system" fn WSACloseEvent(event: WSAEVENT) -> BOOL {
    // SAFETY: closing a handle touches no memory of the caller.
    unsafe { crate::handles::CloseHandle(handle_of(event)) }
}

/// The signal of an object that can be waited for.
fn signal_of(object: &Ref<Object>) -> Option<&Signal> {
    match &**object {
        Object::Event => Some(object.signal()),
        Object::Socket(socket) => Some(&socket.signal),
        Object::Alias(alias) => signal_of(&alias.target),
        Object::Thread(thread) => Some(&thread.ended),
        Object::Port(_) | Object::File(_) | Object::Window(_) => None,
    }
}

/// # Safety
/// `handles` points to `count` handles.
unsafe fn wait_for(
    count: u32,
    handles: *const HANDLE,
    all: bool,
    timeout_ms: u32,
    alertable: bool,
) -> Result<WAIT_EVENT, Code> {
    if count == 0 || count as usize > MOST || handles.is_null() {
        return Err(Code(ERROR_INVALID_PARAMETER)); // Rule 103.
    }
    // SAFETY: our caller vouches for the array.
    let handles = unsafe { std::slice::from_raw_parts(handles, count as usize) };
    if all && (1..handles.len()).any(|at| handles[..at].contains(&handles[at])) {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    thread::on_current(|thread| {
        let deadline = Deadline::after_ms(timeout_ms);
        let waited = wait_by(thread, handles, None, all, deadline, alertable)?;
        Ok(match waited {
            Waited::Signal(index) => WAIT_OBJECT_0 + index as u32,
            Waited::TimedOut => WAIT_TIMEOUT,
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
    alertable: bool,
) -> Result<Waited, Code> {
    let mut signals = Array::<&Signal, MOST>::new();
    for handle in handles {
        let signal = TABLE.peek(handle.addr()).ok_or(Code(ERROR_INVALID_HANDLE))?;
        if !signal.is_present() {
            return wait_by_reference(thread, handles, extra, all, deadline, alertable);
        }
        signals.push(signal);
    }
    extra.into_iter().for_each(|signal| signals.push(signal));
    let is_there =
        |index: usize| handles.get(index).is_none_or(|handle| TABLE.is_open(handle.addr()));
    wait_until(thread, &Wanted { signals: &signals, all, is_there }, deadline, alertable)
}

/// As [`wait_by`], for objects whose signals are not all in their slots.
fn wait_by_reference(
    thread: &Arc<Thread>,
    handles: &[HANDLE],
    extra: Option<&Signal>,
    all: bool,
    deadline: Deadline,
    alertable: bool,
) -> Result<Waited, Code> {
    let mut objects = Array::<Ref<Object>, MOST>::new();
    for &handle in handles {
        objects.push(object::open(handle)?);
    }
    let mut signals = Array::<&Signal, MOST>::new();
    for object in objects.iter() {
        signals.push(signal_of(object).ok_or(Code(ERROR_INVALID_HANDLE))?);
    }
    extra.into_iter().for_each(|signal| signals.push(signal));
    let is_there = |_| true; // We refer to them.
    wait_until(thread, &Wanted { signals: &signals, all, is_there }, deadline, alertable)
}

fn wait_until(
    thread: &Arc<Thread>,
    wanted: &Wanted<'_, impl Fn(usize) -> bool>,
    deadline: Deadline,
    alertable: bool,
) -> Result<Waited, Code> {
    if alertable && thread.has_apcs() {
        return Ok(Waited::Apc); // Rule 107: a ready event is for the next call.
    }
    let gone = |Gone| Code(ERROR_INVALID_HANDLE);
    if let Some(index) = WAITS.take(thread, wanted, alertable).map_err(gone)? {
        return Ok(Waited::Signal(index));
    }
    let _waiting = Waiting::begin();
    WAITS.sleep(thread, wanted, deadline, alertable).map_err(gone)
}

fn waited(result: Result<WAIT_EVENT, Code>) -> WAIT_EVENT {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        WAIT_FAILED
    })
}

/// Waits for one object: [WaitForSingleObject][ms]. WAIT_OBJECT_0, WAIT_TIMEOUT, WAIT_FAILED.
///
/// Waitable are events and sockets (an operation without an event signals its socket, rule 54).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject
pub unsafe extern "system" fn WaitForSingleObject(handle: HANDLE, timeout_ms: u32) -> WAIT_EVENT {
    // SAFETY: the one handle is ours.
    waited(unsafe { wait_for(1, &handle, false, timeout_ms, false) })
}

/// As [`WaitForSingleObject`], alertable: [WaitForSingleObjectEx][ms]. WAIT_IO_COMPLETION when APCs
/// ran.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex
pub unsafe extern "system" fn WaitForSingleObjectEx(
    handle: HANDLE,
    timeout_ms: u32,
    alertable: BOOL,
) -> WAIT_EVENT {
    // SAFETY: the one handle is ours.
    waited(unsafe { wait_for(1, &handle, false, timeout_ms, alertable != FALSE) })
}

/// Waits for one of 1 to 64 objects, or for all: [WaitForMultipleObjects][ms]. The lowest index
/// that is set (rule 104), or all in one step (rule 105). ERROR_INVALID_PARAMETER for a bad count
/// or a duplicate in a wait for all.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects
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
    waited(unsafe { wait_for(count, handles, all != FALSE, timeout_ms, false) })
}

/// As [`WaitForMultipleObjects`], alertable: [WaitForMultipleObjectsEx][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex
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
    waited(unsafe { wait_for(count, handles, all != FALSE, timeout_ms, alertable != FALSE) })
}

/// As [`WaitForMultipleObjectsEx`]: [WSAWaitForMultipleEvents][ms] (rule 103).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents
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
    waited(unsafe { wait_for(count, events, all != FALSE, timeout_ms, alertable != FALSE) })
}

/// Sleeps: [Sleep][ms]. The thread's port may release another meanwhile (rule 143).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleep
pub unsafe extern "system" fn Sleep(ms: u32) {
    sleep(ms, false);
}

/// Sleeps, and runs APCs if alertable: [SleepEx][ms]. WAIT_IO_COMPLETION when any ran, else 0.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleepex
pub unsafe extern "system" fn SleepEx(ms: u32, alertable: BOOL) -> u32 {
    sleep(ms, alertable != FALSE)
}

fn sleep(ms: u32, alertable: bool) -> u32 {
    let thread = thread::current();
    if alertable {
        if ms == 0 {
            crate::backend::poll(&thread); // Routines of what the kernel has finished run now.
        }
        if thread.run_apcs() {
            return WAIT_IO_COMPLETION;
        }
    }
    if ms == 0 {
        std::thread::yield_now();
        return 0;
    }
    let _waiting = Waiting::begin();
    let asleep = || Look::<()>::Wait;
    match wait::wait(&thread, Deadline::after_ms(ms), alertable, usize::MAX, asleep) {
        Outcome::Ready(()) | Outcome::TimedOut => 0,
        Outcome::Apc => {
            thread.run_apcs();
            WAIT_IO_COMPLETION
        }
    }
}
