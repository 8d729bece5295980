//! Values local to a fiber, by index (rule 174). There are no fibers, so a thread is one.
//!
//! Other than thread-locals these have a callback for what is left in them, when the thread ends or
//! the index is freed. FlsFree finds the values of every thread, so each thread's are on a list.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, ERROR_NO_MORE_ITEMS, ERROR_SUCCESS};
use windows_sys::Win32::System::Threading::{FLS_OUT_OF_INDEXES, PFLS_CALLBACK_FUNCTION};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::thread;

/// FLS_MAXIMUM_AVAILABLE. Index 0 is never given out.
const INDEXES: usize = 4080;

const NONE: *mut c_void = ptr::null_mut();

type Values = [AtomicPtr<c_void>; INDEXES];

struct Register {
    /// The callback of each index that is allocated.
    callbacks: [Option<PFLS_CALLBACK_FUNCTION>; INDEXES],
    /// The values of each thread that has set one.
    threads: Vec<Arc<Values>>,
}

static REGISTER: Mutex<Register> =
    Mutex::new(Register { callbacks: [None; INDEXES], threads: Vec::new() });

fn register() -> MutexGuard<'static, Register> {
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

std::thread_local! {
    /// One count of the thread's values; null until it sets one. It has no destructor: destructors
    /// of the program may read.
    static VALUES: Cell<*const Values> = const { Cell::new(ptr::null()) };
    /// The callbacks are called: what they call may come by here again.
    static ENDING: Cell<bool> = const { Cell::new(false) };
}

/// The calling thread's values, if it has set one.
fn own() -> Option<&'static Values> {
    // SAFETY: the count in VALUES holds them until `end`, and no caller keeps them for longer.
    unsafe { VALUES.get().as_ref() }
}

/// The calling thread's values, which it has from now on.
fn own_from_now_on() -> &'static Values {
    own().unwrap_or_else(|| {
        // From now on the thread's end is noticed.
        thread::on_current(|_| ());
        let values = Arc::new([const { AtomicPtr::new(NONE) }; INDEXES]);
        register().threads.push(values.clone());
        VALUES.set(Arc::into_raw(values));
        // SAFETY: as in `own`.
        unsafe { &*VALUES.get() }
    })
}

/// The calling thread ends: the callbacks hear of what it leaves behind.
pub fn end() {
    let Some(values) = own().filter(|_| !ENDING.replace(true)) else { return };
    for (index, value) in values.iter().enumerate() {
        if value.load(Ordering::Relaxed).is_null() {
            continue;
        }
        let callback = register().callbacks[index].flatten();
        let left = value.swap(NONE, Ordering::AcqRel);
        if !left.is_null() {
            call(callback, left);
        }
    }
    register().threads.retain(|other| !ptr::eq(&**other, values));
    // SAFETY: the count that `own_from_now_on` put there, and nobody uses the values any more.
    drop(unsafe { Arc::from_raw(VALUES.replace(ptr::null())) });
    ENDING.set(false);
}

/// Calls an index's callback with no lock held.
fn call(callback: PFLS_CALLBACK_FUNCTION, value: *mut c_void) {
    if let Some(callback) = callback {
        // SAFETY: the program passed it to be called with the values set at its index.
        unsafe { callback(value) };
    }
}

/// Allocates an index, at which every thread has NULL: [FlsAlloc][ms] (rule 174). `callback` is
/// called with what a thread leaves there when it ends, and with every thread's value when the
/// index is freed.
///
/// FLS_OUT_OF_INDEXES and ERROR_NO_MORE_ITEMS if all 4079 are taken.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fibersapi/nf-fibersapi-flsalloc
///
/// # Safety
/// As on Windows: the callback may be called with each value that is set.
pub unsafe extern "system" fn FlsAlloc(callback: PFLS_CALLBACK_FUNCTION) -> u32 {
    let mut register = register();
    let free = (1..INDEXES).find(|&index| register.callbacks[index].is_none());
    let Some(index) = free else {
        error::set_last(Code(ERROR_NO_MORE_ITEMS));
        return FLS_OUT_OF_INDEXES;
    };
    register.callbacks[index] = Some(callback);
    index as u32
}

/// Gives an index back: [FlsFree][ms]. Its callback is called here with each thread's value that is
/// not NULL. ERROR_INVALID_PARAMETER if the index is not allocated.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fibersapi/nf-fibersapi-flsfree
pub unsafe extern "system" fn FlsFree(index: u32) -> BOOL {
    let index = index as usize;
    let mut register = register();
    let taken = register.callbacks.get_mut(index).and_then(Option::take);
    let values: Vec<_> = match taken {
        Some(_) => register
            .threads
            .iter()
            .map(|values| values[index].swap(NONE, Ordering::AcqRel))
            .collect(),
        None => Vec::new(),
    };
    drop(register);
    for value in values.into_iter().filter(|value| !value.is_null()) {
        call(taken.flatten(), value);
    }
    error::truth(taken.map(drop).ok_or(Code(ERROR_INVALID_PARAMETER)))
}

fn is_allocated(index: u32) -> bool {
    register().callbacks.get(index as usize).is_some_and(Option::is_some)
}

/// The calling thread's value: [FlsGetValue][ms]. On success the last error is zero, so that a
/// value of NULL can be told from a failure: ERROR_INVALID_PARAMETER for an index that cannot be.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fibersapi/nf-fibersapi-flsgetvalue
pub unsafe extern "system" fn FlsGetValue(index: u32) -> *mut c_void {
    if index == 0 || index as usize >= INDEXES {
        error::set_last(Code(ERROR_INVALID_PARAMETER));
        return NONE;
    }
    error::set_last(Code(ERROR_SUCCESS));
    own().map_or(NONE, |values| values[index as usize].load(Ordering::Relaxed))
}

/// Sets the calling thread's value: [FlsSetValue][ms]. ERROR_INVALID_PARAMETER for an index that is
/// not allocated.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fibersapi/nf-fibersapi-flssetvalue
///
/// # Safety
/// The value is kept, and handed to the index's callback.
pub unsafe extern "system" fn FlsSetValue(index: u32, value: *const c_void) -> BOOL {
    let allocated = is_allocated(index);
    if allocated {
        own_from_now_on()[index as usize].store(value.cast_mut(), Ordering::Release);
    }
    error::truth(allocated.then_some(()).ok_or(Code(ERROR_INVALID_PARAMETER)))
}
