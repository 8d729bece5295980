//! Timer queues.

use std::ffi::c_void;
use std::sync::{Arc, LazyLock};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Threading::{
    WAITORTIMERCALLBACK, WORKER_THREAD_FLAGS, WT_EXECUTEINTIMERTHREAD, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

use super::legacy::{close_all, handle_of, terms};
use super::{handle_or_null, item_of};
use crate::clock::Due;
use crate::error::{self, Code};
use crate::pool::item::{Callback, Item};
use crate::pool::{self, Pool, Thing, TimerQueue};
use crate::sync::lock;

/// The queue of timers that name none.
static DEFAULT: LazyLock<Arc<TimerQueue>> = LazyLock::new(Arc::default);

fn is_timer(callback: &Callback) -> bool {
    matches!(callback, Callback::QueuedTimer(_))
}

/// The queue behind a handle; NULL is the default one.
fn queue_of(handle: HANDLE) -> Result<Arc<TimerQueue>, Code> {
    if handle.is_null() {
        return Ok(DEFAULT.clone());
    }
    let queue = pool::find(handle.addr() as isize, |thing| match thing {
        Thing::Queue(queue) => Some(queue.clone()),
        _ => None,
    });
    queue.ok_or(Code(ERROR_INVALID_HANDLE))
}

fn timer_of(handle: HANDLE) -> Result<Arc<Item>, Code> {
    if handle.is_null() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    item_of(handle.addr() as isize, is_timer).ok_or(Code(ERROR_INVALID_HANDLE))
}

/// Makes a timer queue: [CreateTimerQueue][ms] (rule 163). NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueue
pub unsafe extern "system" fn CreateTimerQueue() -> HANDLE {
    handle_of(handle_or_null(pool::insert(Thing::Queue(Arc::default()))))
}

/// Has a callback called after some time, and then again after each period:
/// [CreateTimerQueueTimer][ms] (rule 163). Its second argument is TRUE.
///
/// WT_EXECUTEINTIMERTHREAD: in one thread, one callback after another. ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER without a callback, or for WT_EXECUTEONLYONCE with a period.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-createtimerqueuetimer
///
/// # Safety
/// As on Windows: `timer` is a place for a handle; the callback may be called with the parameter.
pub unsafe extern "system" fn CreateTimerQueueTimer(
    timer: *mut HANDLE,
    queue: HANDLE,
    callback: WAITORTIMERCALLBACK,
    parameter: *const c_void,
    due_ms: u32,
    period_ms: u32,
    flags: WORKER_THREAD_FLAGS,
) -> BOOL {
    error::truth(queue_of(queue).and_then(|queue| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        if flags & WT_EXECUTEONLYONCE != 0 && period_ms != 0 {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        let in_timer_thread = flags & WT_EXECUTEINTIMERTHREAD != 0;
        let pool = if in_timer_thread { Pool::timers() } else { Pool::default() };
        let callback = Callback::QueuedTimer(callback);
        let item = Item::new(terms(pool, flags), callback, parameter.cast_mut());
        let handle = item.open()?;
        // SAFETY: our caller vouches for the place. The callback may use it.
        unsafe { *timer = handle_of(handle) };
        lock(&queue.timers).push(item.clone());
        let set = item.set_timer(Some(Due::after_ms(due_ms.into())), period_ms);
        if set.is_err() && pool::close(handle) {
            forget(&queue, &item);
        }
        set.map(drop)
    }))
}

fn forget(queue: &TimerQueue, item: &Arc<Item>) {
    lock(&queue.timers).retain(|other| !Arc::ptr_eq(other, item));
}

/// Sets a timer anew: [ChangeTimerQueueTimer][ms]. One that has expired for good stays as it is.
/// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-changetimerqueuetimer
pub unsafe extern "system" fn ChangeTimerQueueTimer(
    queue: HANDLE,
    timer: HANDLE,
    due_ms: u32,
    period_ms: u32,
) -> BOOL {
    error::truth(queue_of(queue).and_then(|_| timer_of(timer)).and_then(|item| {
        if !item.is_timer_active() {
            return Ok(());
        }
        item.set_timer(Some(Due::after_ms(due_ms.into())), period_ms).map(drop)
    }))
}

/// Deletes a timer: [DeleteTimerQueueTimer][ms] (rule 163). What is queued still runs.
///
/// With INVALID_HANDLE_VALUE it waits until all callbacks have returned, which the timer's own
/// callback must not. With an event, that is set when they have. FALSE and ERROR_IO_PENDING while
/// there are any; ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueuetimer
pub unsafe extern "system" fn DeleteTimerQueueTimer(
    queue: HANDLE,
    timer: HANDLE,
    event: HANDLE,
) -> BOOL {
    error::truth(queue_of(queue).and_then(|queue| {
        let item = timer_of(timer)?;
        if !pool::close(timer.addr() as isize) {
            return Err(Code(ERROR_INVALID_HANDLE));
        }
        forget(&queue, &item);
        close_all(&[item], event)
    }))
}

/// Deletes a timer queue with its timers: [DeleteTimerQueueEx][ms] (rule 163). As
/// [`DeleteTimerQueueTimer`] for all of them; the default queue cannot be deleted.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueueex
pub unsafe extern "system" fn DeleteTimerQueueEx(queue: HANDLE, event: HANDLE) -> BOOL {
    error::truth(delete(queue, event))
}

/// Deletes a timer queue with its timers: [DeleteTimerQueue][ms], without waiting for callbacks
/// that run.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-deletetimerqueue
pub unsafe extern "system" fn DeleteTimerQueue(queue: HANDLE) -> BOOL {
    error::truth(delete(queue, std::ptr::null_mut()))
}

fn delete(handle: HANDLE, event: HANDLE) -> Result<(), Code> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(Code(ERROR_INVALID_HANDLE));
    }
    let queue = queue_of(handle)?;
    if !pool::close(handle.addr() as isize) {
        return Err(Code(ERROR_INVALID_HANDLE));
    }
    let timers = std::mem::take(&mut *lock(&queue.timers));
    for timer in &timers {
        pool::close(timer.handle());
    }
    close_all(&timers, event)
}
