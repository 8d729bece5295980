//! Values local to a thread, by index (rule 166).
//!
//! An index has a generation, odd while it is allocated. A value carries the generation in which it
//! was set and is NULL in every other, so that TlsAlloc and TlsFree need not visit the threads.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_NO_MORE_ITEMS, ERROR_SUCCESS, FALSE, TRUE,
};
use windows_sys::Win32::System::Threading::TLS_OUT_OF_INDEXES;
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::thread;

/// As many as Windows has.
const INDEXES: usize = 1088;

/// The generation of each index.
static GENERATIONS: [AtomicU32; INDEXES] = [const { AtomicU32::new(0) }; INDEXES];

type Values = [Value; INDEXES];

struct Value {
    generation: u32,
    value: *mut c_void,
}

std::thread_local! {
    /// Null until the thread sets one. It has no destructor: destructors of the program may read.
    static VALUES: Cell<*mut Values> = const { Cell::new(ptr::null_mut()) };
}

fn is_allocated(generation: u32) -> bool {
    generation % 2 == 1
}

/// The calling thread ends: nobody reads its values any more.
pub fn end() {
    let values = VALUES.replace(ptr::null_mut());
    if !values.is_null() {
        // SAFETY: `own` made the box, and only this thread knows it.
        drop(unsafe { Box::from_raw(values) });
    }
}

/// The calling thread's values, which it has from now on.
fn own() -> *mut Values {
    if VALUES.get().is_null() {
        // From now on the thread's end is noticed.
        thread::on_current(|_| ());
        // SAFETY: all zeroes is a valid array of values: none has an allocated generation.
        VALUES.set(Box::into_raw(unsafe { Box::<Values>::new_zeroed().assume_init() }));
    }
    VALUES.get()
}

/// Allocates an index, at which every thread has NULL: [TlsAlloc][ms] (rule 166).
///
/// TLS_OUT_OF_INDEXES and ERROR_NO_MORE_ITEMS if all 1088 are taken.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsalloc
pub unsafe extern "system" fn TlsAlloc() -> u32 {
    for (index, generation) in GENERATIONS.iter().enumerate() {
        let free = generation.load(Ordering::Relaxed);
        let taken = !is_allocated(free)
            && generation
                .compare_exchange(free, free + 1, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if taken {
            return index as u32;
        }
    }
    error::set_last(Code(ERROR_NO_MORE_ITEMS));
    TLS_OUT_OF_INDEXES
}

/// Gives an index back: [TlsFree][ms]. ERROR_INVALID_PARAMETER if it is not allocated.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsfree
pub unsafe extern "system" fn TlsFree(index: u32) -> BOOL {
    let freed = GENERATIONS.get(index as usize).is_some_and(|generation| {
        let allocated = generation.load(Ordering::Relaxed);
        is_allocated(allocated)
            && generation
                .compare_exchange(
                    allocated,
                    allocated.wrapping_add(1),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    });
    if freed {
        return TRUE;
    }
    error::set_last(Code(ERROR_INVALID_PARAMETER));
    FALSE
}

/// The calling thread's value: [TlsGetValue][ms]. On success the last error is zero, so that a
/// value of NULL can be told from a failure.
///
/// ERROR_INVALID_PARAMETER for an index that cannot be; one that is not allocated has NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsgetvalue
pub unsafe extern "system" fn TlsGetValue(index: u32) -> *mut c_void {
    let Some(generation) = GENERATIONS.get(index as usize) else {
        error::set_last(Code(ERROR_INVALID_PARAMETER));
        return ptr::null_mut();
    };
    error::set_last(Code(ERROR_SUCCESS));
    let values = VALUES.get();
    if values.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the array lives until the thread ends, and no other thread uses it.
    let held = unsafe { &(&*values)[index as usize] };
    match held.generation == generation.load(Ordering::Relaxed) {
        true => held.value,
        false => ptr::null_mut(),
    }
}

/// Sets the calling thread's value: [TlsSetValue][ms]. ERROR_INVALID_PARAMETER for an index that
/// cannot be.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlssetvalue
///
/// # Safety
/// The value is only kept.
pub unsafe extern "system" fn TlsSetValue(index: u32, value: *const c_void) -> BOOL {
    let Some(generation) = GENERATIONS.get(index as usize) else {
        error::set_last(Code(ERROR_INVALID_PARAMETER));
        return FALSE;
    };
    let generation = generation.load(Ordering::Relaxed);
    // SAFETY: the array lives until the thread ends, and no other thread uses it.
    unsafe { (&mut *own())[index as usize] = Value { generation, value: value.cast_mut() } };
    TRUE
}
