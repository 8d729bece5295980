//! Condition variables (rule 167).
//!
//! The structure is one word of two halves: a number that every wake changes, on which the sleepers
//! sleep, and how many may sleep. Wakes lower the count, and so does a sleeper that gives up before
//! any wake. It is never too low, so a wake that finds zero has nobody to wake; it is too high when
//! a wake met more than it was meant for, which costs a later one a needless system call.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, ERROR_TIMEOUT, FALSE, TRUE};
use windows_sys::Win32::System::Threading::{
    CONDITION_VARIABLE, CONDITION_VARIABLE_LOCKMODE_SHARED, CRITICAL_SECTION, INFINITE, SRWLOCK,
};
use windows_sys::core::BOOL;

use super::critical::Section;
use super::slim::Slim;
use crate::error::{self, Code};
use crate::sys::{ALL, ANYBODY, now_ns, sleep_on, wake_on_of};

const ONE_SLEEPER: u64 = 1 << 32;

struct Condition<'a>(&'a AtomicU64);

impl Condition<'_> {
    /// # Safety
    /// `condition` is valid as long as the result is used.
    unsafe fn of<'a>(condition: *mut CONDITION_VARIABLE) -> Condition<'a> {
        // SAFETY: our caller vouches for it; a pointer has the size and alignment of the word.
        Condition(unsafe { &*condition.cast() })
    }

    /// The half on which the sleepers sleep: the lower one.
    fn number(&self) -> &AtomicU32 {
        // SAFETY: it is the first half of the word. Only the kernel looks at it by itself.
        unsafe { &*self.0.as_ptr().cast() }
    }

    /// Gives the lock back, waits for a wake, and takes the lock. FALSE and ERROR_TIMEOUT if none
    /// came in time.
    fn sleep(&self, timeout_ms: u32, leave: impl FnOnce(), enter: impl FnOnce()) -> BOOL {
        let until = (timeout_ms != INFINITE)
            .then(|| now_ns(libc::CLOCK_MONOTONIC) + u64::from(timeout_ms) * 1_000_000);
        let number = self.0.fetch_add(ONE_SLEEPER, Ordering::Relaxed) as u32;
        leave();
        let woken = loop {
            if self.0.load(Ordering::Acquire) as u32 != number {
                break true;
            }
            if until.is_some_and(|until| now_ns(libc::CLOCK_MONOTONIC) >= until) {
                break !self.give_up(number);
            }
            sleep_on(self.number(), number, until, libc::CLOCK_MONOTONIC);
        };
        enter();
        if woken {
            return TRUE;
        }
        error::set_last(Code(ERROR_TIMEOUT));
        FALSE
    }

    /// Counts a sleeper out, unless there was a wake since it saw `number`.
    fn give_up(&self, number: u32) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while state as u32 == number {
            let next = state - ONE_SLEEPER;
            match self.0.compare_exchange(state, next, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    fn wake(&self, most: u32) {
        let word = self.number().as_ptr();
        let mut state = self.0.load(Ordering::Relaxed);
        while state >= ONE_SLEEPER {
            let left = (state >> 32).saturating_sub(most.into());
            let next = left << 32 | u64::from((state as u32).wrapping_add(1));
            match self.0.compare_exchange(state, next, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => {
                    wake_on_of(ANYBODY, word, most);
                    return;
                }
                Err(now) => state = now,
            }
        }
    }
}

/// Makes a condition variable: [InitializeConditionVariable][ms] (rule 167).
/// CONDITION_VARIABLE_INIT is the same.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializeconditionvariable
///
/// # Safety
/// As on Windows: `condition` is a place for it.
pub unsafe extern "system" fn InitializeConditionVariable(condition: *mut CONDITION_VARIABLE) {
    // SAFETY: our caller vouches for the place.
    unsafe { (*condition).Ptr = std::ptr::null_mut() };
}

/// Leaves a critical section once, waits until woken, and enters it again:
/// [SleepConditionVariableCS][ms]. May return early, as on Windows. FALSE and ERROR_TIMEOUT if
/// nobody woke it in time.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablecs
///
/// # Safety
/// As on Windows: both are initialized, and the thread is inside the section.
pub unsafe extern "system" fn SleepConditionVariableCS(
    condition: *mut CONDITION_VARIABLE,
    section: *mut CRITICAL_SECTION,
    timeout_ms: u32,
) -> BOOL {
    // SAFETY: our caller vouches for both.
    let (condition, section) = unsafe { (Condition::of(condition), Section::of(section)) };
    condition.sleep(timeout_ms, || section.leave(), || section.enter())
}

/// As [`SleepConditionVariableCS`], with a slim lock, which is held alone or shared as `flags`
/// says: [SleepConditionVariableSRW][ms]. ERROR_INVALID_PARAMETER for a flag that is none.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-sleepconditionvariablesrw
///
/// # Safety
/// As on Windows: both are initialized, and the thread holds the lock as it says.
pub unsafe extern "system" fn SleepConditionVariableSRW(
    condition: *mut CONDITION_VARIABLE,
    lock: *mut SRWLOCK,
    timeout_ms: u32,
    flags: u32,
) -> BOOL {
    // SAFETY: our caller vouches for both.
    let (condition, lock) = unsafe { (Condition::of(condition), Slim::of(lock)) };
    match flags {
        0 => condition.sleep(timeout_ms, || lock.leave_exclusive(), || lock.exclusive()),
        CONDITION_VARIABLE_LOCKMODE_SHARED => {
            condition.sleep(timeout_ms, || lock.leave_shared(), || lock.shared())
        }
        _ => {
            error::set_last(Code(ERROR_INVALID_PARAMETER));
            FALSE
        }
    }
}

/// Wakes one thread that sleeps on a condition variable: [WakeConditionVariable][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-wakeconditionvariable
///
/// # Safety
/// As on Windows: it is initialized.
pub unsafe extern "system" fn WakeConditionVariable(condition: *mut CONDITION_VARIABLE) {
    // SAFETY: our caller vouches for it.
    unsafe { Condition::of(condition) }.wake(1);
}

/// Wakes all that sleep on a condition variable: [WakeAllConditionVariable][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-wakeallconditionvariable
///
/// # Safety
/// As [`WakeConditionVariable`].
pub unsafe extern "system" fn WakeAllConditionVariable(condition: *mut CONDITION_VARIABLE) {
    // SAFETY: our caller vouches for it.
    unsafe { Condition::of(condition) }.wake(ALL);
}
