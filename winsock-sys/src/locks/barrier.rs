//! Synchronization barriers (rule 175).
//!
//! One word of 64 bits counts the rounds in its upper half and who has come in its lower: who comes
//! last begins the next round, and the others sleep on the upper half until it has changed. Another
//! word counts who is inside, so that a barrier is not deleted under one who is still to leave.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, TRUE};
use windows_sys::Win32::System::Threading::{
    SYNCHRONIZATION_BARRIER, SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY,
    SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::sys::{ALL, ANYBODY, sleep_on, wake_on_of};
use crate::thread::Waiting;

/// What the page says -1 stands for.
const SPINS: u32 = 2000;

/// What an SYNCHRONIZATION_BARRIER holds.
#[repr(C)]
struct Barrier {
    total: AtomicU32,
    spins: AtomicU32,
    /// The round in the upper half, who has come in the lower.
    state: AtomicU64,
    unused: usize,
    inside: AtomicU32,
}

const _: () = assert!(size_of::<Barrier>() == size_of::<SYNCHRONIZATION_BARRIER>());

fn round_of(state: u64) -> u32 {
    (state >> 32) as u32
}

impl Barrier {
    /// # Safety
    /// `barrier` is valid as long as the result is used.
    unsafe fn of<'a>(barrier: *mut SYNCHRONIZATION_BARRIER) -> &'a Barrier {
        // SAFETY: our caller vouches for it; it has the size, and at least the alignment.
        unsafe { &*barrier.cast() }
    }

    /// The upper half of the state, to sleep on.
    fn round(&self) -> &AtomicU32 {
        let halves: *mut AtomicU32 = self.state.as_ptr().cast();
        // SAFETY: the second half of an integer whose bytes go from the lowest up, as on every
        // processor that this is built for.
        unsafe { &*halves.add(1) }
    }

    /// Comes in. Whether it is the last of its round; else the round to be waited out.
    fn arrive(&self) -> Result<(), u32> {
        let total = self.total.load(Ordering::Relaxed);
        let step = |state: u64| match state as u32 + 1 {
            last if last >= total => u64::from(round_of(state).wrapping_add(1)) << 32,
            _ => state + 1,
        };
        let (to, from) = (Ordering::AcqRel, Ordering::Acquire);
        let before = self.state.fetch_update(to, from, |state| Some(step(state))).unwrap_or(0);
        match round_of(step(before)) == round_of(before) {
            true => Err(round_of(before)),
            false => Ok(()),
        }
    }

    fn is_over(&self, round: u32) -> bool {
        round_of(self.state.load(Ordering::Acquire)) != round
    }

    fn wait_out(&self, round: u32, flags: u32) {
        let spins = match flags {
            flags if flags & SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY != 0 => 0,
            _ => self.spins.load(Ordering::Relaxed),
        };
        for _ in 0..spins {
            if self.is_over(round) {
                return;
            }
            std::hint::spin_loop();
        }
        let _waiting = Waiting::begin();
        while !self.is_over(round) {
            match flags & SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY != 0 {
                // On a processor that the others need the last one would never come.
                true => std::thread::yield_now(),
                false => sleep_on(self.round(), round, None, libc::CLOCK_MONOTONIC),
            }
        }
    }
}

/// Makes a barrier for so many threads: [InitializeSynchronizationBarrier][ms] (rule 175). They
/// look `spins` times before they sleep, or with -1, 2000 times.
///
/// ERROR_INVALID_PARAMETER for less than one thread, or less than -1.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-initializesynchronizationbarrier
///
/// # Safety
/// As on Windows: `barrier` is a place for it, which stays where it is.
pub unsafe extern "system" fn InitializeSynchronizationBarrier(
    barrier: *mut SYNCHRONIZATION_BARRIER,
    total: i32,
    spins: i32,
) -> BOOL {
    if total < 1 || spins < -1 {
        return error::truth(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    let made = Barrier {
        total: AtomicU32::new(total as u32),
        spins: AtomicU32::new(u32::try_from(spins).unwrap_or(SPINS)),
        state: AtomicU64::new(0),
        unused: 0,
        inside: AtomicU32::new(0),
    };
    // SAFETY: our caller vouches for the place; nobody uses it yet.
    unsafe { barrier.cast::<Barrier>().write(made) };
    TRUE
}

/// Waits until as many threads have come as the barrier is for: [EnterSynchronizationBarrier][ms].
/// TRUE for the one that came last. Then the barrier is ready for the next round.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-entersynchronizationbarrier
///
/// # Safety
/// As on Windows: the barrier is initialized.
pub unsafe extern "system" fn EnterSynchronizationBarrier(
    barrier: *mut SYNCHRONIZATION_BARRIER,
    flags: u32,
) -> BOOL {
    // SAFETY: our caller vouches for it, and it stays until the last one inside has left.
    let barrier = unsafe { Barrier::of(barrier) };
    barrier.inside.fetch_add(1, Ordering::AcqRel);
    let last = barrier.arrive();
    match last {
        Ok(()) => {
            wake_on_of(ANYBODY, barrier.round().as_ptr(), ALL);
        }
        Err(round) => barrier.wait_out(round, flags),
    }
    let inside = barrier.inside.as_ptr();
    if barrier.inside.fetch_sub(1, Ordering::AcqRel) == 1 {
        wake_on_of(ANYBODY, inside, ALL);
    }
    last.is_ok().into()
}

/// Ends a barrier, as soon as every thread that has been let through has left it:
/// [DeleteSynchronizationBarrier][ms]. TRUE always.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-deletesynchronizationbarrier
///
/// # Safety
/// As [`EnterSynchronizationBarrier`].
pub unsafe extern "system" fn DeleteSynchronizationBarrier(
    barrier: *mut SYNCHRONIZATION_BARRIER,
) -> BOOL {
    // SAFETY: our caller vouches for it.
    let barrier = unsafe { Barrier::of(barrier) };
    loop {
        match barrier.inside.load(Ordering::Acquire) {
            0 => return TRUE,
            inside => sleep_on(&barrier.inside, inside, None, libc::CLOCK_MONOTONIC),
        }
    }
}
