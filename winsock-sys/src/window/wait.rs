//! Waiting for objects and for messages at once.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, FALSE, HANDLE, WAIT_ABANDONED_0, WAIT_EVENT, WAIT_FAILED,
    WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS, MWMO_ALERTABLE, MWMO_INPUTAVAILABLE, MWMO_WAITALL,
    QUEUE_STATUS_FLAGS,
};
use windows_sys::core::BOOL;

use crate::dispatch::{MOST, Waited};
use crate::error::{self, Code};
use crate::queue::Own;
use crate::thread::{Alertable, on_own};
use crate::wait::Deadline;
use crate::waits;

/// Waits for one of up to 63 objects, or all, or for a message: [MsgWaitForMultipleObjects][ms].
/// See [`MsgWaitForMultipleObjectsEx`].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjects
///
/// # Safety
/// As on Windows: `handles` points to `count` handles.
pub unsafe extern "system" fn MsgWaitForMultipleObjects(
    count: u32,
    handles: *const HANDLE,
    all: BOOL,
    timeout_ms: u32,
    kinds: QUEUE_STATUS_FLAGS,
) -> WAIT_EVENT {
    let flags = if all == FALSE { 0 } else { MWMO_WAITALL };
    // SAFETY: passed on from our caller.
    unsafe { MsgWaitForMultipleObjectsEx(count, handles, timeout_ms, kinds, flags) }
}

/// Waits for one of up to 63 objects, or all, and for messages of some kinds:
/// [MsgWaitForMultipleObjectsEx][ms]. The lowest index that is set, `count` for messages;
/// WAIT_TIMEOUT, WAIT_IO_COMPLETION, WAIT_FAILED: ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE.
///
/// Messages count when they are new: since the thread looked last, by any of the functions that
/// look at the queue. MWMO_INPUTAVAILABLE: those that it saw and left count too. MWMO_WAITALL:
/// waits for all objects and a message, at one moment. MWMO_ALERTABLE: APCs end the wait.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex
///
/// # Safety
/// As [`MsgWaitForMultipleObjects`].
pub unsafe extern "system" fn MsgWaitForMultipleObjectsEx(
    count: u32,
    handles: *const HANDLE,
    timeout_ms: u32,
    kinds: QUEUE_STATUS_FLAGS,
    flags: MSG_WAIT_FOR_MULTIPLE_OBJECTS_EX_FLAGS,
) -> WAIT_EVENT {
    let known = MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE;
    let bad_handles = count as usize >= MOST || count > 0 && handles.is_null();
    let waited = if bad_handles || flags & !known != 0 {
        Err(Code(ERROR_INVALID_PARAMETER))
    } else {
        let handles = match count {
            0 => &[],
            // SAFETY: our caller vouches for the array.
            _ => unsafe { std::slice::from_raw_parts(handles, count as usize) },
        };
        on_own(|own| wait(own, handles, Deadline::after_ms(timeout_ms), kinds, flags))
    };
    waited.unwrap_or_else(|code| {
        error::set_last(code);
        WAIT_FAILED
    })
}

fn wait(
    own: &Own,
    handles: &[HANDLE],
    deadline: Deadline,
    kinds: u32,
    flags: u32,
) -> Result<WAIT_EVENT, Code> {
    let all = flags & MWMO_WAITALL != 0;
    if all && (1..handles.len()).any(|at| handles[..at].contains(&handles[at])) {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    let queue = &own.queue;
    let alertable = Alertable::by(flags & MWMO_ALERTABLE != 0);
    let waited = loop {
        let timer = queue.watch(kinds, flags & MWMO_INPUTAVAILABLE != 0);
        let until = deadline.or_at(timer);
        let input = Some(&queue.input);
        let waited = waits::wait_by(&queue.thread, handles, input, all, until, alertable);
        if matches!(waited, Ok(Waited::TimedOut)) && deadline.left_ns().is_some() {
            continue; // A timer is due, which may be what is waited for.
        }
        break waited;
    };
    queue.unwatch();
    Ok(match waited? {
        Waited::Signal(index) => WAIT_OBJECT_0 + index as u32,
        Waited::Abandoned(index) => WAIT_ABANDONED_0 + index as u32,
        Waited::TimedOut => WAIT_TIMEOUT,
        Waited::Apc if queue.thread.is_condemned() => return Err(Code::THREAD_ENDS),
        Waited::Apc => {
            queue.thread.run_apcs();
            WAIT_IO_COMPLETION
        }
    })
}
