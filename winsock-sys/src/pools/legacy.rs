//! The pool's older functions: work items and registered waits.

use std::ffi::c_void;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Threading::{
    INFINITE, LPTHREAD_START_ROUTINE, WAITORTIMERCALLBACK, WORKER_THREAD_FLAGS,
    WT_EXECUTEINWAITTHREAD, WT_EXECUTELONGFUNCTION, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

use super::item_of;
use crate::error::{self, Code};
use crate::object;
use crate::pool::item::{CallKind, Callback, Herald, Item, Terms};
use crate::pool::owner::Vigil;
use crate::pool::waiting::{Again, Timeout};
use crate::pool::{self, Pool};
use crate::waits;

/// What flags say of the pool's thread: that a callback may take long, and in the upper half how
/// many threads the pool may have.
pub fn terms(pool: Arc<Pool>, flags: WORKER_THREAD_FLAGS) -> Terms {
    if flags >> 16 != 0 {
        Pool::default().raise_most(flags >> 16);
    }
    Terms { long: flags & WT_EXECUTELONGFUNCTION != 0, ..Terms::of(pool) }
}

/// Has a function called once, soon: [QueueUserWorkItem][ms] (rule 157). ERROR_INVALID_PARAMETER
/// without one.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem
///
/// # Safety
/// As on Windows: the function may be called with the context.
pub unsafe extern "system" fn QueueUserWorkItem(
    function: LPTHREAD_START_ROUTINE,
    context: *const c_void,
    flags: WORKER_THREAD_FLAGS,
) -> BOOL {
    error::truth(function.ok_or(Code(ERROR_INVALID_PARAMETER)).map(|_| {
        let terms = terms(Pool::default(), flags);
        let item = Item::new(terms, Callback::Routine(function), context.cast_mut());
        item.submit(CallKind::Plain);
    }))
}

fn is_registered_wait(callback: &Callback) -> bool {
    matches!(callback, Callback::RegisteredWait(_))
}

/// A handle of the pool as the older functions spell it.
pub fn handle_of(handle: isize) -> HANDLE {
    std::ptr::without_provenance_mut(handle as usize)
}

/// Has a callback called when an object is signalled or a time has passed, and again each time
/// after that unless WT_EXECUTEONLYONCE: [RegisterWaitForSingleObject][ms] (rule 162).
///
/// WT_EXECUTEINWAITTHREAD: in one thread, one callback after another, and the next wait begins when
/// the callback has returned. Otherwise an object that stays signalled (a manual-reset event, a
/// thread) is waited for again when the callback has returned, and others at once. A mutex is owned
/// by a thread of the library, in which the callback is called.
///
/// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER without a callback.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject
///
/// # Safety
/// As on Windows: `wait` is a place for a handle; the callback may be called with the context.
pub unsafe extern "system" fn RegisterWaitForSingleObject(
    wait: *mut HANDLE,
    object: HANDLE,
    callback: WAITORTIMERCALLBACK,
    context: *const c_void,
    timeout_ms: u32,
    flags: WORKER_THREAD_FLAGS,
) -> BOOL {
    error::truth(register(object, callback, context, timeout_ms, flags).map(|handle| {
        // SAFETY: our caller vouches for the place.
        unsafe { *wait = handle_of(handle) };
    }))
}

fn register(
    object: HANDLE,
    callback: WAITORTIMERCALLBACK,
    context: *const c_void,
    timeout_ms: u32,
    flags: WORKER_THREAD_FLAGS,
) -> Result<isize, Code> {
    callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
    let object = waits::waitable(object)?;
    let in_wait_thread = flags & WT_EXECUTEINWAITTHREAD != 0;
    let pool = if in_wait_thread { Pool::waiters() } else { Pool::default() };
    let again = match (flags & WT_EXECUTEONLYONCE != 0, in_wait_thread) {
        (true, _) => Again::Never,
        (false, true) => Again::WhenCalled,
        (false, false) => Again::AtOnce,
    };
    let timeout = (timeout_ms != INFINITE).then_some(Timeout::AfterMs(timeout_ms));
    let callback = Callback::RegisteredWait(callback);
    let item = Item::new(terms(pool, flags), callback, context.cast_mut());
    let handle = item.open()?;
    let vigil = Vigil::new(&item, object, again, timeout);
    item.set_vigil(Some(vigil.clone()));
    if let Err(code) = vigil.begin(&item) {
        pool::close(handle);
        item.close();
        return Err(code);
    }
    Ok(handle)
}

/// Ends a registered wait: [UnregisterWait][ms]. As [`UnregisterWaitEx`] without an event.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-unregisterwait
pub unsafe extern "system" fn UnregisterWait(wait: HANDLE) -> BOOL {
    end(wait, std::ptr::null_mut())
}

/// Ends a registered wait: [UnregisterWaitEx][ms] (rule 162). What is queued still runs.
///
/// With INVALID_HANDLE_VALUE it waits until all callbacks have returned, which the wait's own
/// callback must not. With an event, that is set when they have. FALSE and ERROR_IO_PENDING while
/// there are any; ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex
pub unsafe extern "system" fn UnregisterWaitEx(wait: HANDLE, event: HANDLE) -> BOOL {
    end(wait, event)
}

fn end(wait: HANDLE, event: HANDLE) -> BOOL {
    let handle = wait.addr() as isize;
    let item = item_of(handle, is_registered_wait).filter(|_| pool::close(handle));
    error::truth(item.ok_or(Code(ERROR_INVALID_HANDLE)).and_then(|item| close_all(&[item], event)))
}

/// Closes objects whose handles are closed. `event`: see [`UnregisterWaitEx`].
pub fn close_all(items: &[Arc<Item>], event: HANDLE) -> Result<(), Code> {
    items.iter().for_each(Item::close);
    if event == INVALID_HANDLE_VALUE {
        items.iter().for_each(|item| item.await_calm());
        return Ok(());
    }
    // One more than there are items, so that nobody sets the event before all have been asked.
    let herald = Herald::new(items.len() + 1, object::event(event.addr()));
    for item in items {
        if !item.announce_calm(&herald) {
            herald.tell();
        }
    }
    match herald.tell() {
        true => Ok(()),
        false => Err(Code(ERROR_IO_PENDING)),
    }
}
