//! Timer objects of a pool.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, FILETIME};
use windows_sys::Win32::System::Threading::{
    PTP_TIMER, PTP_TIMER_CALLBACK, TP_CALLBACK_ENVIRON_V3,
};
use windows_sys::core::BOOL;

use super::{handle_or_null, item_of, terms};
use crate::clock::Due;
use crate::error::Code;
use crate::pool;
use crate::pool::item::{Callback, Item};

fn is_timer(callback: &Callback) -> bool {
    matches!(callback, Callback::Timer(_))
}

/// A time of Windows' in its two halves; `None` for NULL.
///
/// # Safety
/// `time` is NULL or valid.
pub unsafe fn due(time: *const FILETIME) -> Option<Due> {
    // SAFETY: our caller vouches for it.
    let time = unsafe { time.as_ref() }?;
    let ticks = i64::from(time.dwHighDateTime) << 32 | i64::from(time.dwLowDateTime);
    Some(Due::from_windows(ticks))
}

/// Makes a timer object: [CreateThreadpoolTimer][ms] (rule 158). NULL on failure:
/// ERROR_INVALID_PARAMETER without a callback, or for a bad environment.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpooltimer
///
/// # Safety
/// As on Windows: the callback may be called with the context; the environment is NULL or valid.
pub unsafe extern "system" fn CreateThreadpoolTimer(
    callback: PTP_TIMER_CALLBACK,
    context: *mut c_void,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_TIMER {
    // SAFETY: passed on from our caller.
    let terms = unsafe { terms(environment) };
    handle_or_null(terms.and_then(|terms| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        Item::new(terms, Callback::Timer(callback), context).open()
    }))
}

/// Has the callback called at a time, and then again after each period: [SetThreadpoolTimer][ms]
/// (rule 158). An earlier setting is void, but what it has queued still runs. NULL: never.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimer
///
/// # Safety
/// As on Windows: the time is NULL or valid.
pub unsafe extern "system" fn SetThreadpoolTimer(
    timer: PTP_TIMER,
    due_time: *const FILETIME,
    period_ms: u32,
    window_ms: u32,
) {
    // SAFETY: passed on from our caller.
    unsafe { SetThreadpoolTimerEx(timer, due_time, period_ms, window_ms) };
}

/// As [`SetThreadpoolTimer`]: [SetThreadpoolTimerEx][ms]. Whether the timer was set before.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpooltimerex
///
/// # Safety
/// As [`SetThreadpoolTimer`].
pub unsafe extern "system" fn SetThreadpoolTimerEx(
    timer: PTP_TIMER,
    due_time: *const FILETIME,
    period_ms: u32,
    _window_ms: u32,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let due = unsafe { due(due_time) };
    let was_set = item_of(timer, is_timer).map(|item| item.set_timer(due, period_ms));
    // A clock that cannot be started fails like a timer that never comes.
    matches!(was_set, Some(Ok(true))).into()
}

/// Whether a timer has been set, and not to never: [IsThreadpoolTimerSet][ms]. That it has expired
/// does not count.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-isthreadpooltimerset
pub unsafe extern "system" fn IsThreadpoolTimerSet(timer: PTP_TIMER) -> BOOL {
    item_of(timer, is_timer).is_some_and(|item| item.is_timer_set()).into()
}

/// Waits until none of the callbacks is queued or runs: [WaitForThreadpoolTimerCallbacks][ms]. With
/// `cancel`, those that have not begun never do.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpooltimercallbacks
pub unsafe extern "system" fn WaitForThreadpoolTimerCallbacks(timer: PTP_TIMER, cancel: BOOL) {
    if let Some(item) = item_of(timer, is_timer) {
        if cancel != FALSE {
            item.cancel();
        }
        item.await_calm();
    }
}

/// Lets go of a timer object: [CloseThreadpoolTimer][ms]. What is queued still runs.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpooltimer
pub unsafe extern "system" fn CloseThreadpoolTimer(timer: PTP_TIMER) {
    if let Some(item) = item_of(timer, is_timer)
        && pool::close(timer)
    {
        item.close();
    }
}
