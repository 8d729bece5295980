//! Wait objects of a pool.

use std::ffi::c_void;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, FILETIME, HANDLE};
use windows_sys::Win32::System::Threading::{PTP_WAIT, PTP_WAIT_CALLBACK, TP_CALLBACK_ENVIRON_V3};
use windows_sys::core::BOOL;

use super::timer::due;
use super::{handle_or_null, item_of, terms};
use crate::error::Code;
use crate::pool;
use crate::pool::item::{Callback, Item};
use crate::pool::owner::Vigil;
use crate::pool::waiting::{Again, Timeout};
use crate::waits;

fn is_wait(callback: &Callback) -> bool {
    matches!(callback, Callback::Wait(_))
}

/// Makes a wait object: [CreateThreadpoolWait][ms] (rule 159). NULL on failure:
/// ERROR_INVALID_PARAMETER without a callback, or for a bad environment.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolwait
///
/// # Safety
/// As on Windows: the callback may be called with the context; the environment is NULL or valid.
pub unsafe extern "system" fn CreateThreadpoolWait(
    callback: PTP_WAIT_CALLBACK,
    context: *mut c_void,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_WAIT {
    // SAFETY: passed on from our caller.
    let terms = unsafe { terms(environment) };
    handle_or_null(terms.and_then(|terms| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        Item::new(terms, Callback::Wait(callback), context).open()
    }))
}

/// Has the callback called once, when an object is signalled or a time has come:
/// [SetThreadpoolWait][ms] (rule 159). An earlier setting is void, but what it has queued still
/// runs. NULL: never.
///
/// A mutex is owned by a thread of the library, in which the callback is called.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwait
///
/// # Safety
/// As on Windows: the time is NULL or valid.
pub unsafe extern "system" fn SetThreadpoolWait(
    wait: PTP_WAIT,
    handle: HANDLE,
    timeout: *const FILETIME,
) {
    // SAFETY: passed on from our caller.
    unsafe { SetThreadpoolWaitEx(wait, handle, timeout, std::ptr::null()) };
}

/// As [`SetThreadpoolWait`]: [SetThreadpoolWaitEx][ms]. Whether it was waiting before.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolwaitex
///
/// # Safety
/// As [`SetThreadpoolWait`].
pub unsafe extern "system" fn SetThreadpoolWaitEx(
    wait: PTP_WAIT,
    handle: HANDLE,
    timeout: *const FILETIME,
    _reserved: *const c_void,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let timeout = unsafe { due(timeout) }.map(Timeout::At);
    let Some(item) = item_of(wait, is_wait) else { return FALSE };
    let vigil =
        waits::waitable(handle).ok().map(|object| Vigil::new(&item, object, Again::Never, timeout));
    replace(&item, vigil).into()
}

/// Ends what an item waits for, and begins to wait for something else. Whether it waited.
fn replace(item: &Arc<Item>, vigil: Option<Arc<Vigil>>) -> bool {
    let waited = item.set_vigil(vigil.clone()).is_some_and(|former| former.end());
    if let Some(vigil) = vigil {
        // A clock or thread that cannot be had fails like a time that never comes.
        let _ = vigil.begin(item);
    }
    waited
}

/// Waits until none of the callbacks is queued or runs: [WaitForThreadpoolWaitCallbacks][ms]. With
/// `cancel`, those that have not begun never do.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpoolwaitcallbacks
pub unsafe extern "system" fn WaitForThreadpoolWaitCallbacks(wait: PTP_WAIT, cancel: BOOL) {
    if let Some(item) = item_of(wait, is_wait) {
        if cancel != FALSE {
            item.cancel();
        }
        item.await_calm();
    }
}

/// Lets go of a wait object: [CloseThreadpoolWait][ms]. What is queued still runs.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolwait
pub unsafe extern "system" fn CloseThreadpoolWait(wait: PTP_WAIT) {
    if let Some(item) = item_of(wait, is_wait)
        && pool::close(wait)
    {
        item.close();
    }
}
