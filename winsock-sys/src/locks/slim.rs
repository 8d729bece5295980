//! Slim reader/writer locks (rule 165).
//!
//! One word says who is inside and who waits; readers and writers sleep on it as two groups. While
//! a writer waits no new reader comes in, so that it gets its turn. A lock that nobody holds has no
//! mark of a waiting writer: who gives it back takes the mark off and wakes one, which sets it
//! again as soon as it finds the lock held, or has got it: others may sleep still.

use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::System::Threading::SRWLOCK;

use crate::sys::{ALL, sleep_on_as, wake_on_of};

/// A writer is inside.
const WRITER: u32 = 1 << 31;
/// A writer may sleep. Only while the lock is held.
const WRITERS_WAIT: u32 = 1 << 30;
/// A reader may sleep.
const READERS_WAIT: u32 = 1 << 29;
/// How many readers are inside.
const READERS: u32 = READERS_WAIT - 1;

/// The two groups of sleepers.
const AS_WRITER: u32 = 1;
const AS_READER: u32 = 2;

/// How often to look before sleeping.
const SPINS: u32 = 100;

fn sleep_as(group: u32, word: &AtomicU32, expected: u32) {
    sleep_on_as(group, word, expected, None, libc::CLOCK_MONOTONIC);
}

pub struct Slim<'a>(pub &'a AtomicU32);

impl Slim<'_> {
    /// # Safety
    /// `lock` is valid as long as the result is used.
    pub unsafe fn of<'a>(lock: *mut SRWLOCK) -> Slim<'a> {
        // SAFETY: our caller vouches for it; the first half of the pointer is the word.
        Slim(unsafe { &*lock.cast() })
    }

    pub fn try_exclusive(&self) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while state & (WRITER | READERS) == 0 {
            match self.step(state, state | WRITER) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    pub fn exclusive(&self) {
        if self.step(0, WRITER).is_ok() {
            return;
        }
        let mut spins = SPINS;
        let mut slept = 0;
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            if state & (WRITER | READERS) == 0 {
                match self.step(state, state | WRITER | slept) {
                    Ok(_) => return,
                    Err(now) => state = now,
                }
                continue;
            }
            if spins > 0 && state & WRITERS_WAIT == 0 {
                spins -= 1;
                std::hint::spin_loop();
                state = self.0.load(Ordering::Relaxed);
                continue;
            }
            if let Err(now) = self.step(state, state | WRITERS_WAIT) {
                state = now;
                continue;
            }
            sleep_as(AS_WRITER, self.0, state | WRITERS_WAIT);
            slept = WRITERS_WAIT;
            state = self.0.load(Ordering::Relaxed);
        }
    }

    pub fn leave_exclusive(&self) {
        if self.step_back(WRITER, 0).is_err() {
            self.open(WRITER);
        }
    }

    pub fn try_shared(&self) -> bool {
        let mut state = self.0.load(Ordering::Relaxed);
        while Slim::lets_in_readers(state) {
            match self.step(state, state + 1) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    fn lets_in_readers(state: u32) -> bool {
        state & (WRITER | WRITERS_WAIT) == 0 && state & READERS != READERS
    }

    pub fn shared(&self) {
        let mut spins = SPINS;
        while !self.try_shared() {
            let state = self.0.load(Ordering::Relaxed);
            if Slim::lets_in_readers(state) {
                continue;
            }
            if spins > 0 && state & (WRITERS_WAIT | READERS_WAIT) == 0 {
                spins -= 1;
                std::hint::spin_loop();
                continue;
            }
            if self.step(state, state | READERS_WAIT).is_ok() {
                sleep_as(AS_READER, self.0, state | READERS_WAIT);
            }
        }
    }

    pub fn leave_shared(&self) {
        self.open(1);
    }

    /// Takes off what the caller held, and wakes whose turn it is if nobody else is inside.
    fn open(&self, held: u32) {
        let word = self.0.as_ptr();
        let mut state = self.0.load(Ordering::Relaxed);
        let waiting = loop {
            let inside = state & (WRITER | READERS);
            let is_held = match held {
                WRITER => inside == WRITER,
                _ => (1..=READERS).contains(&inside),
            };
            if !is_held {
                return; // It was not held so: nothing to give back.
            }
            let waiting = match inside == held {
                true => state & (WRITERS_WAIT | READERS_WAIT),
                false => 0,
            };
            // Readers stay asleep while a writer has its turn.
            let taken_off = match waiting & WRITERS_WAIT {
                0 => waiting,
                writers => writers,
            };
            match self.step_back(state, state - held - taken_off) {
                Ok(_) => break waiting,
                Err(now) => state = now,
            }
        };
        if waiting & WRITERS_WAIT != 0 && wake_on_of(AS_WRITER, word, 1) > 0 {
            return;
        }
        // If no writer slept, none might come to wake the readers. Their mark stays when it should
        // have gone: the lock may not be touched any more.
        if waiting & READERS_WAIT != 0 {
            wake_on_of(AS_READER, word, ALL);
        }
    }

    fn step(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Acquire, Ordering::Relaxed)
    }

    fn step_back(&self, from: u32, to: u32) -> Result<u32, u32> {
        self.0.compare_exchange(from, to, Ordering::Release, Ordering::Relaxed)
    }
}

/// Makes a lock that nobody holds: [InitializeSRWLock][ms] (rule 165). SRWLOCK_INIT is the same.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializesrwlock
///
/// # Safety
/// As on Windows: `lock` is a place for it.
pub unsafe extern "system" fn InitializeSRWLock(lock: *mut SRWLOCK) {
    // SAFETY: our caller vouches for the place.
    unsafe { (*lock).Ptr = std::ptr::null_mut() };
}

/// Takes a lock alone: [AcquireSRWLockExclusive][ms]. Its thread may not take it again.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockexclusive
///
/// # Safety
/// As on Windows: `lock` is initialized and stays where it is.
pub unsafe extern "system" fn AcquireSRWLockExclusive(lock: *mut SRWLOCK) {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.exclusive();
}

/// Takes a lock together with others that only read: [AcquireSRWLockShared][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-acquiresrwlockshared
///
/// # Safety
/// As [`AcquireSRWLockExclusive`].
pub unsafe extern "system" fn AcquireSRWLockShared(lock: *mut SRWLOCK) {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.shared();
}

/// As [`AcquireSRWLockExclusive`], if that need not wait: [TryAcquireSRWLockExclusive][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockexclusive
///
/// # Safety
/// As [`AcquireSRWLockExclusive`].
pub unsafe extern "system" fn TryAcquireSRWLockExclusive(lock: *mut SRWLOCK) -> bool {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.try_exclusive()
}

/// As [`AcquireSRWLockShared`], if that need not wait: [TryAcquireSRWLockShared][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-tryacquiresrwlockshared
///
/// # Safety
/// As [`AcquireSRWLockExclusive`].
pub unsafe extern "system" fn TryAcquireSRWLockShared(lock: *mut SRWLOCK) -> bool {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.try_shared()
}

/// Gives back a lock that was taken alone: [ReleaseSRWLockExclusive][ms]. One that was not stays as
/// it is, where Windows raises an exception.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-releasesrwlockexclusive
///
/// # Safety
/// As [`AcquireSRWLockExclusive`].
pub unsafe extern "system" fn ReleaseSRWLockExclusive(lock: *mut SRWLOCK) {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.leave_exclusive();
}

/// Gives back a lock that was shared: [ReleaseSRWLockShared][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-releasesrwlockshared
///
/// # Safety
/// As [`AcquireSRWLockExclusive`].
pub unsafe extern "system" fn ReleaseSRWLockShared(lock: *mut SRWLOCK) {
    // SAFETY: our caller vouches for it.
    unsafe { Slim::of(lock) }.leave_shared();
}
