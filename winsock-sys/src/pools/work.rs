//! Work objects, and callbacks without one.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE};
use windows_sys::Win32::System::Threading::{
    PTP_SIMPLE_CALLBACK, PTP_WORK, PTP_WORK_CALLBACK, TP_CALLBACK_ENVIRON_V3,
};
use windows_sys::core::BOOL;

use super::{handle_or_null, item_of, terms};
use crate::error::{self, Code};
use crate::pool;
use crate::pool::item::{CallKind, Callback, Item};

fn is_work(callback: &Callback) -> bool {
    matches!(callback, Callback::Work(_))
}

/// Has a callback called once, soon: [TrySubmitThreadpoolCallback][ms] (rule 157).
/// ERROR_INVALID_PARAMETER without one, or for a bad environment.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-trysubmitthreadpoolcallback
///
/// # Safety
/// As on Windows: the callback may be called with the context; the environment is NULL or valid.
pub unsafe extern "system" fn TrySubmitThreadpoolCallback(
    callback: PTP_SIMPLE_CALLBACK,
    context: *mut c_void,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let terms = unsafe { terms(environment) };
    error::truth(terms.and_then(|terms| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        Item::new(terms, Callback::Simple(callback), context).submit(CallKind::Plain);
        Ok(())
    }))
}

/// Makes a work object: [CreateThreadpoolWork][ms] (rule 157). NULL on failure:
/// ERROR_INVALID_PARAMETER without a callback, or for a bad environment.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwork
///
/// # Safety
/// As [`TrySubmitThreadpoolCallback`].
pub unsafe extern "system" fn CreateThreadpoolWork(
    callback: PTP_WORK_CALLBACK,
    context: *mut c_void,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_WORK {
    // SAFETY: passed on from our caller.
    let terms = unsafe { terms(environment) };
    handle_or_null(terms.and_then(|terms| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        Item::new(terms, Callback::Work(callback), context).open()
    }))
}

/// Has the callback called once more: [SubmitThreadpoolWork][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-submitthreadpoolwork
pub unsafe extern "system" fn SubmitThreadpoolWork(work: PTP_WORK) {
    if let Some(item) = item_of(work, is_work) {
        item.submit(CallKind::Plain);
    }
}

/// Waits until none of the callbacks is queued or runs: [WaitForThreadpoolWorkCallbacks][ms]. With
/// `cancel`, those that have not begun never do.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolworkcallbacks
pub unsafe extern "system" fn WaitForThreadpoolWorkCallbacks(work: PTP_WORK, cancel: BOOL) {
    if let Some(item) = item_of(work, is_work) {
        if cancel != FALSE {
            item.cancel();
        }
        item.await_calm();
    }
}

/// Lets go of a work object: [CloseThreadpoolWork][ms]. What is queued still runs.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolwork
pub unsafe extern "system" fn CloseThreadpoolWork(work: PTP_WORK) {
    if let Some(item) = item_of(work, is_work)
        && pool::close(work)
    {
        item.close();
    }
}
