//! Doing something once (rule 168).
//!
//! The pointer of the structure says in its two lowest bits how far it is. Once done, the others
//! are the program's context. While one thread is at it, another bit says that others sleep for it.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, ERROR_INVALID_PARAMETER, FALSE, TRUE, WIN32_ERROR,
};
use windows_sys::Win32::System::Threading::{
    INIT_ONCE, INIT_ONCE_ASYNC, INIT_ONCE_CHECK_ONLY, INIT_ONCE_CTX_RESERVED_BITS,
    INIT_ONCE_INIT_FAILED, PINIT_ONCE_FN,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::sys::{ALL, ANYBODY, sleep_on, wake_on_of};

const STAGE: usize = (1 << INIT_ONCE_CTX_RESERVED_BITS) - 1;
/// One thread is at it.
const BUSY: usize = 1;
const DONE: usize = 2;
/// Any number of threads are at it, and the first to complete wins.
const RACING: usize = 3;
/// Beside `BUSY`: others sleep until it is done.
const AWAITED: usize = 4;

struct Once<'a>(&'a AtomicUsize);

impl Once<'_> {
    /// # Safety
    /// `once` is valid as long as the result is used.
    unsafe fn of<'a>(once: *mut INIT_ONCE) -> Once<'a> {
        // SAFETY: our caller vouches for it; it is a pointer.
        Once(unsafe { &*once.cast() })
    }

    /// The context if it is done; `None` if it is up to the caller.
    fn begin(&self, flags: u32) -> Result<Option<usize>, WIN32_ERROR> {
        let start = match flags {
            0 | INIT_ONCE_CHECK_ONLY => BUSY,
            INIT_ONCE_ASYNC => RACING,
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        let mut state = self.0.load(Ordering::Acquire);
        loop {
            match state & STAGE {
                DONE => return Ok(Some(state & !STAGE)),
                _ if flags == INIT_ONCE_CHECK_ONLY => return Err(ERROR_GEN_FAILURE),
                0 => match self.step(state, start) {
                    Ok(_) => return Ok(None),
                    Err(now) => state = now,
                },
                stage if stage != start => return Err(ERROR_INVALID_PARAMETER),
                RACING => return Ok(None),
                _ => {
                    self.await_change(state);
                    state = self.0.load(Ordering::Acquire);
                }
            }
        }
    }

    fn await_change(&self, busy: usize) {
        if busy == BUSY | AWAITED || self.step(busy, BUSY | AWAITED).is_ok() {
            // SAFETY: the lower half of the word, which has the stage.
            let word = unsafe { &*self.0.as_ptr().cast::<AtomicU32>() };
            sleep_on(word, (BUSY | AWAITED) as u32, None, libc::CLOCK_MONOTONIC);
        }
    }

    fn complete(&self, flags: u32, context: usize) -> Result<(), WIN32_ERROR> {
        let (from, to) = match flags {
            0 => (BUSY, context | DONE),
            INIT_ONCE_ASYNC => (RACING, context | DONE),
            INIT_ONCE_INIT_FAILED if context == 0 => (BUSY, 0),
            _ => return Err(ERROR_INVALID_PARAMETER),
        };
        if context & STAGE != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let word = self.0.as_ptr();
        let mut state = self.0.load(Ordering::Acquire);
        loop {
            match state & STAGE {
                stage if stage == from => match self.step(state, to) {
                    Ok(_) => break,
                    Err(now) => state = now,
                },
                // Somebody else was first, or nobody has begun.
                DONE | 0 => return Err(ERROR_GEN_FAILURE),
                _ => return Err(ERROR_INVALID_PARAMETER),
            }
        }
        if state == BUSY | AWAITED {
            wake_on_of(ANYBODY, word.cast(), ALL);
        }
        Ok(())
    }

    fn step(&self, from: usize, to: usize) -> Result<usize, usize> {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire)
    }
}

fn answer(result: Result<(), WIN32_ERROR>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(error) => {
            error::set_last(Code(error));
            FALSE
        }
    }
}

/// Writes to a place, if there is one.
///
/// # Safety
/// `place` is NULL or valid.
unsafe fn tell<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: our caller vouches for it.
        unsafe { place.write(value) };
    }
}

/// Makes a structure of which nothing has begun: [InitOnceInitialize][ms] (rule 168).
/// INIT_ONCE_STATIC_INIT is the same.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initonceinitialize
///
/// # Safety
/// As on Windows: `once` is a place for it.
pub unsafe extern "system" fn InitOnceInitialize(once: *mut INIT_ONCE) {
    // SAFETY: our caller vouches for the place.
    unsafe { (*once).Ptr = ptr::null_mut() };
}

/// Begins what is to be done once, or answers what came of it: [InitOnceBeginInitialize][ms]. While
/// another thread is at it, waits; with INIT_ONCE_ASYNC all who ask may do it.
///
/// ERROR_GEN_FAILURE if INIT_ONCE_CHECK_ONLY finds that it is not done, ERROR_INVALID_PARAMETER for
/// other flags than it was begun with.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initoncebegininitialize
///
/// # Safety
/// As on Windows: `once` is initialized; the places are valid, `context` may be NULL.
pub unsafe extern "system" fn InitOnceBeginInitialize(
    once: *mut INIT_ONCE,
    flags: u32,
    pending: *mut BOOL,
    context: *mut *mut c_void,
) -> BOOL {
    // SAFETY: our caller vouches for it.
    let begun = unsafe { Once::of(once) }.begin(flags);
    answer(begun.map(|done| {
        // SAFETY: our caller vouches for the places.
        unsafe { tell(pending, done.is_none().into()) };
        if let Some(done) = done {
            // SAFETY: as above.
            unsafe { tell(context, ptr::with_exposed_provenance_mut(done)) };
        }
    }))
}

/// Says that it is done, with what result, or that it failed and may be tried again:
/// [InitOnceComplete][ms].
///
/// ERROR_GEN_FAILURE if another thread was first, or nobody has begun. ERROR_INVALID_PARAMETER for
/// a context whose two lowest bits are not zero, and for flags that do not fit the beginning.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initoncecomplete
///
/// # Safety
/// As on Windows: `once` is initialized.
pub unsafe extern "system" fn InitOnceComplete(
    once: *mut INIT_ONCE,
    flags: u32,
    context: *const c_void,
) -> BOOL {
    // SAFETY: our caller vouches for it.
    answer(unsafe { Once::of(once) }.complete(flags, context.expose_provenance()))
}

/// Calls a function, unless that has been done with success: [InitOnceExecuteOnce][ms]. Meanwhile
/// other threads that want the same wait. FALSE if the function answers FALSE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initonceexecuteonce
///
/// # Safety
/// As on Windows: `once` is initialized, `context` is NULL or valid, and the function may be called
/// with these.
pub unsafe extern "system" fn InitOnceExecuteOnce(
    once: *mut INIT_ONCE,
    function: PINIT_ONCE_FN,
    parameter: *mut c_void,
    context: *mut *mut c_void,
) -> BOOL {
    let Some(function) = function else {
        return answer(Err(ERROR_INVALID_PARAMETER));
    };
    // SAFETY: our caller vouches for it.
    let own = unsafe { Once::of(once) };
    let done = match own.begin(0) {
        Ok(Some(done)) => done,
        Ok(None) => {
            let mut made = ptr::null_mut();
            // SAFETY: our caller vouches for the function; no lock is held.
            if unsafe { function(once, parameter, &raw mut made) } == FALSE {
                let _ = own.complete(INIT_ONCE_INIT_FAILED, 0);
                return FALSE; // With the function's own last error.
            }
            let made = made.expose_provenance();
            if let Err(error) = own.complete(0, made) {
                let _ = own.complete(INIT_ONCE_INIT_FAILED, 0);
                return answer(Err(error));
            }
            made
        }
        Err(error) => return answer(Err(error)),
    };
    // SAFETY: our caller vouches for the place.
    unsafe { tell(context, ptr::with_exposed_provenance_mut(done)) };
    TRUE
}
