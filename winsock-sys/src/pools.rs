//! Thread pools under their Windows names: pools, callback environments, cleanup groups, and what a
//! callback may ask for.
//!
//! Their handles are values of a table, so that one that has been closed is refused: the functions
//! without a result do nothing then, where Windows raises an exception.

mod io;
mod legacy;
mod timer;
mod timer_queue;
mod wait;
mod work;

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, HANDLE, TRUE};
use windows_sys::Win32::System::Threading::{
    CRITICAL_SECTION, PTP_CALLBACK_INSTANCE, PTP_CLEANUP_GROUP, PTP_POOL, TP_CALLBACK_ENVIRON_V3,
    TP_CALLBACK_PRIORITY_NORMAL, TP_POOL_STACK_INFORMATION,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::object;
use crate::pool::group::Group;
use crate::pool::item::{Callback, Instance, Item, Terms};
use crate::pool::{self, Pool, Thing};
use crate::semaphores;
use std::sync::Arc;

pub use io::{
    BindIoCompletionCallback, CancelThreadpoolIo, CloseThreadpoolIo, CreateThreadpoolIo,
    StartThreadpoolIo, WaitForThreadpoolIoCallbacks,
};
pub use legacy::{
    QueueUserWorkItem, RegisterWaitForSingleObject, UnregisterWait, UnregisterWaitEx,
};
pub use timer::{
    CloseThreadpoolTimer, CreateThreadpoolTimer, IsThreadpoolTimerSet, SetThreadpoolTimer,
    SetThreadpoolTimerEx, WaitForThreadpoolTimerCallbacks,
};
pub use timer_queue::{
    ChangeTimerQueueTimer, CreateTimerQueue, CreateTimerQueueTimer, DeleteTimerQueue,
    DeleteTimerQueueEx, DeleteTimerQueueTimer,
};
pub use wait::{
    CloseThreadpoolWait, CreateThreadpoolWait, SetThreadpoolWait, SetThreadpoolWaitEx,
    WaitForThreadpoolWaitCallbacks,
};
pub use work::{
    CloseThreadpoolWork, CreateThreadpoolWork, SubmitThreadpoolWork, TrySubmitThreadpoolCallback,
    WaitForThreadpoolWorkCallbacks,
};

/// What the functions with a handle of the pool answer: it, or NULL and the last error.
fn handle_or_null(result: Result<isize, Code>) -> isize {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

fn pool_of(handle: PTP_POOL) -> Option<Arc<Pool>> {
    pool::find(handle, |thing| match thing {
        Thing::Pool(pool) => Some(pool.clone()),
        _ => None,
    })
}

fn group_of(handle: PTP_CLEANUP_GROUP) -> Option<Arc<Group>> {
    pool::find(handle, |thing| match thing {
        Thing::Group(group) => Some(group.clone()),
        _ => None,
    })
}

/// The object behind a handle, if it is of that kind.
fn item_of(handle: isize, kind: fn(&Callback) -> bool) -> Option<Arc<Item>> {
    pool::find(handle, |thing| match thing {
        Thing::Item(item) if item.is(kind) => Some(item.clone()),
        _ => None,
    })
}

/// The terms of a callback environment, or of none. ERROR_INVALID_PARAMETER for one that names no
/// pool or group.
///
/// # Safety
/// `environment` is NULL or valid.
unsafe fn terms(environment: *const TP_CALLBACK_ENVIRON_V3) -> Result<Terms, Code> {
    if environment.is_null() {
        return Ok(Terms::of(Pool::default()));
    }
    let invalid = Code(ERROR_INVALID_PARAMETER);
    // SAFETY: our caller vouches for it; one of an older version is read as far as it goes.
    let (version, pool, group) =
        unsafe { ((*environment).Version, (*environment).Pool, (*environment).CleanupGroup) };
    let pool = if pool == 0 { Pool::default() } else { pool_of(pool).ok_or(invalid)? };
    let mut terms = Terms::of(pool);
    if group != 0 {
        terms.group = Some(group_of(group).ok_or(invalid)?);
    }
    /// In the flags: it may take long.
    const LONG_FUNCTION: u32 = 1;
    // SAFETY: as above; a flag word is a number however it is spelled.
    unsafe {
        terms.on_cancel = (*environment).CleanupGroupCancelCallback;
        terms.finally = (*environment).FinalizationCallback;
        terms.long = (*environment).u.Flags & LONG_FUNCTION != 0;
    }
    let priority = match version {
        // SAFETY: as above: version 3 has it.
        3.. => unsafe { (*environment).CallbackPriority },
        _ => TP_CALLBACK_PRIORITY_NORMAL,
    };
    terms.priority = usize::try_from(priority).ok().filter(|&at| at < 3).ok_or(invalid)?;
    Ok(terms)
}

/// Makes a pool of its own: [CreateThreadpool][ms] (rule 157). NULL on failure.
///
/// It has no thread until there is something to call, at most 500, and lets those go that have had
/// nothing to do for 20 seconds.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpool
///
/// # Safety
/// None beyond Windows': the reserved pointer is not followed.
pub unsafe extern "system" fn CreateThreadpool(_reserved: *const c_void) -> PTP_POOL {
    handle_or_null(pool::insert(Thing::Pool(Pool::of_its_own())))
}

/// Lets go of a pool: [CloseThreadpool][ms]. It goes when its last object does.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpool
pub unsafe extern "system" fn CloseThreadpool(pool: PTP_POOL) {
    if pool_of(pool).is_some() {
        pool::close(pool);
    }
}

/// How many threads a pool may have: [SetThreadpoolThreadMaximum][ms]; at least one.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadmaximum
pub unsafe extern "system" fn SetThreadpoolThreadMaximum(pool: PTP_POOL, most: u32) {
    if let Some(pool) = pool_of(pool) {
        pool.set_most(most);
    }
}

/// How many threads a pool makes now and keeps: [SetThreadpoolThreadMinimum][ms].
///
/// ERROR_NOT_ENOUGH_MEMORY if they are not to be had.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolthreadminimum
pub unsafe extern "system" fn SetThreadpoolThreadMinimum(pool: PTP_POOL, least: u32) -> BOOL {
    let pool = pool_of(pool).ok_or(Code(ERROR_INVALID_PARAMETER));
    error::truth(pool.and_then(|pool| pool.set_least(least)))
}

/// The stacks of the threads that a pool makes from now on: [SetThreadpoolStackInformation][ms].
/// The larger of the two sizes counts.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-setthreadpoolstackinformation
///
/// # Safety
/// As on Windows: `stack` is valid.
pub unsafe extern "system" fn SetThreadpoolStackInformation(
    pool: PTP_POOL,
    stack: *const TP_POOL_STACK_INFORMATION,
) -> BOOL {
    error::truth(pool_of(pool).ok_or(Code(ERROR_INVALID_PARAMETER)).map(|pool| {
        // SAFETY: our caller vouches for it.
        let stack = unsafe { *stack };
        pool.set_stack_size(stack.StackReserve.max(stack.StackCommit));
    }))
}

/// What [`SetThreadpoolStackInformation`] has set, or 0: [QueryThreadpoolStackInformation][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-querythreadpoolstackinformation
///
/// # Safety
/// As on Windows: `stack` is a place for it.
pub unsafe extern "system" fn QueryThreadpoolStackInformation(
    pool: PTP_POOL,
    stack: *mut TP_POOL_STACK_INFORMATION,
) -> BOOL {
    error::truth(pool_of(pool).ok_or(Code(ERROR_INVALID_PARAMETER)).map(|pool| {
        let size = pool.stack_size();
        // SAFETY: our caller vouches for the place.
        unsafe { *stack = TP_POOL_STACK_INFORMATION { StackReserve: size, StackCommit: size } };
    }))
}

/// Makes a cleanup group: [CreateThreadpoolCleanupGroup][ms] (rule 161). NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolcleanupgroup
pub unsafe extern "system" fn CreateThreadpoolCleanupGroup() -> PTP_CLEANUP_GROUP {
    handle_or_null(pool::insert(Thing::Group(Arc::default())))
}

/// Closes the objects of a group and waits until none of their callbacks runs:
/// [CloseThreadpoolCleanupGroupMembers][ms] (rule 161). With `cancel`, callbacks that have not
/// begun never do, and then the cancel callback is called for each object; else they run first.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroupmembers
///
/// # Safety
/// As on Windows: the cancel callbacks may be called with `context`.
pub unsafe extern "system" fn CloseThreadpoolCleanupGroupMembers(
    group: PTP_CLEANUP_GROUP,
    cancel: BOOL,
    context: *mut c_void,
) {
    if let Some(group) = group_of(group) {
        group.close_members(cancel != FALSE, context);
    }
}

/// Lets go of a cleanup group: [CloseThreadpoolCleanupGroup][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolcleanupgroup
pub unsafe extern "system" fn CloseThreadpoolCleanupGroup(group: PTP_CLEANUP_GROUP) {
    if group_of(group).is_some() {
        pool::close(group);
    }
}

/// The callback will take long: [CallbackMayRunLong][ms]. Another thread may run in its place;
/// FALSE if the pool has none and may not make one.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-callbackmayrunlong
///
/// # Safety
/// As on Windows: the instance is that of the callback that calls this.
pub unsafe extern "system" fn CallbackMayRunLong(instance: PTP_CALLBACK_INSTANCE) -> BOOL {
    // SAFETY: our caller vouches for it.
    match unsafe { Instance::of(instance) }.may_run_long() {
        true => TRUE,
        false => FALSE,
    }
}

/// The callback does not count for its object any more:
/// [DisassociateCurrentThreadFromCallback][ms]. Who waits for the object's callbacks goes on; its
/// group still waits.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-disassociatecurrentthreadfromcallback
///
/// # Safety
/// As [`CallbackMayRunLong`].
pub unsafe extern "system" fn DisassociateCurrentThreadFromCallback(
    instance: PTP_CALLBACK_INSTANCE,
) {
    // SAFETY: our caller vouches for it.
    unsafe { Instance::of(instance) }.disassociate();
}

/// Sets an event when the callback returns: [SetEventWhenCallbackReturns][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-seteventwhencallbackreturns
///
/// # Safety
/// As [`CallbackMayRunLong`].
pub unsafe extern "system" fn SetEventWhenCallbackReturns(
    instance: PTP_CALLBACK_INSTANCE,
    event: HANDLE,
) {
    // SAFETY: our caller vouches for it.
    let instance = unsafe { Instance::of(instance) };
    instance.on_return.borrow_mut().event = object::event(event.addr());
}

/// Adds to a semaphore's count when the callback returns:
/// [ReleaseSemaphoreWhenCallbackReturns][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasesemaphorewhencallbackreturns
///
/// # Safety
/// As [`CallbackMayRunLong`].
pub unsafe extern "system" fn ReleaseSemaphoreWhenCallbackReturns(
    instance: PTP_CALLBACK_INSTANCE,
    semaphore: HANDLE,
    count: u32,
) {
    // SAFETY: our caller vouches for it.
    let instance = unsafe { Instance::of(instance) };
    let semaphore = semaphores::open(semaphore).ok();
    instance.on_return.borrow_mut().semaphore = semaphore.map(|semaphore| (semaphore, count));
}

/// Releases a mutex, which the callback's thread owns, when the callback returns:
/// [ReleaseMutexWhenCallbackReturns][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-releasemutexwhencallbackreturns
///
/// # Safety
/// As [`CallbackMayRunLong`].
pub unsafe extern "system" fn ReleaseMutexWhenCallbackReturns(
    instance: PTP_CALLBACK_INSTANCE,
    mutex: HANDLE,
) {
    // SAFETY: our caller vouches for it.
    let instance = unsafe { Instance::of(instance) };
    instance.on_return.borrow_mut().mutex = object::original(mutex).ok();
}

/// Leaves a critical section, which the callback's thread owns, when the callback returns:
/// [LeaveCriticalSectionWhenCallbackReturns][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-leavecriticalsectionwhencallbackreturns
///
/// # Safety
/// As [`CallbackMayRunLong`]; the section is initialized and stays until then.
pub unsafe extern "system" fn LeaveCriticalSectionWhenCallbackReturns(
    instance: PTP_CALLBACK_INSTANCE,
    section: *mut CRITICAL_SECTION,
) {
    // SAFETY: our caller vouches for it.
    let instance = unsafe { Instance::of(instance) };
    instance.on_return.borrow_mut().section = Some(section);
}
