//! Waiting until a variable changes (rule 170).
//!
//! The variable is the program's, of up to eight bytes; who waits for it stands in a queue that is
//! found from its address, and sleeps on a word of its own. A thread looks at the variable under
//! the queue's lock, which whoever changed it takes to wake others: so it sees either the change or
//! the wake.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, ERROR_TIMEOUT, FALSE, TRUE};
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::sys::{now_ns, sleep_on, wake_on};

/// One thread that waits for one variable.
struct Waiter {
    address: usize,
    /// Set to one by whoever takes it out of its queue.
    woken: AtomicU32,
}

/// First come, first woken.
type Queue = VecDeque<Arc<Waiter>>;

/// Addresses that share a queue only share its lock.
const QUEUES: usize = 64;

static WAITERS: [Mutex<Queue>; QUEUES] = [const { Mutex::new(Queue::new()) }; QUEUES];

/// Runs `f` with the queue of an address.
fn with_queue<R>(address: usize, f: impl FnOnce(&mut Queue) -> R) -> R {
    // Neighbours in an array should not meet.
    let place = (address >> 3 ^ address >> 9 ^ address >> 15) % QUEUES;
    f(&mut WAITERS[place].lock().unwrap_or_else(PoisonError::into_inner))
}

/// # Safety
/// There is an aligned variable of this size at `address`, which other threads may change.
unsafe fn read_shared(address: *const c_void, size: usize) -> u64 {
    // SAFETY: our caller vouches for it; nothing is written.
    unsafe {
        match size {
            1 => (*address.cast::<AtomicU8>()).load(Ordering::SeqCst).into(),
            2 => (*address.cast::<AtomicU16>()).load(Ordering::SeqCst).into(),
            4 => (*address.cast::<AtomicU32>()).load(Ordering::SeqCst).into(),
            _ => (*address.cast::<AtomicU64>()).load(Ordering::SeqCst),
        }
    }
}

/// # Safety
/// There are as many bytes, which nobody changes.
unsafe fn read(bytes: *const c_void, size: usize) -> u64 {
    let mut value = [0; 8];
    // SAFETY: our caller vouches for the bytes; there are eight at most.
    unsafe { value.as_mut_ptr().copy_from_nonoverlapping(bytes.cast(), size) };
    u64::from_le_bytes(value)
}

/// Waits until woken, if the variable has the value that is to compare: [WaitOnAddress][ms]
/// (rule 170). May return early, as on Windows. FALSE and ERROR_TIMEOUT if nobody woke it in time.
///
/// ERROR_INVALID_PARAMETER for a size that is not 1, 2, 4 or 8, and for an address that does not
/// fit it.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-waitonaddress
///
/// # Safety
/// As on Windows: both are valid for the size.
pub unsafe extern "system" fn WaitOnAddress(
    address: *const c_void,
    compare: *const c_void,
    size: usize,
    timeout_ms: u32,
) -> BOOL {
    if !matches!(size, 1 | 2 | 4 | 8) || !address.addr().is_multiple_of(size) {
        error::set_last(Code(ERROR_INVALID_PARAMETER));
        return FALSE;
    }
    let until = (timeout_ms != INFINITE)
        .then(|| now_ns(libc::CLOCK_MONOTONIC) + u64::from(timeout_ms) * 1_000_000);
    // SAFETY: our caller vouches for it.
    let unwanted = unsafe { read(compare, size) };
    let waiter = Arc::new(Waiter { address: address.addr(), woken: AtomicU32::new(0) });
    let waits = with_queue(waiter.address, |queue| {
        // SAFETY: as above; the address is aligned.
        let waits = unsafe { read_shared(address, size) } == unwanted;
        if waits {
            queue.push_back(waiter.clone());
        }
        waits
    });
    if !waits {
        return TRUE;
    }
    while waiter.woken.load(Ordering::Acquire) == 0 {
        if until.is_some_and(|until| now_ns(libc::CLOCK_MONOTONIC) >= until) {
            return give_up(&waiter);
        }
        sleep_on(&waiter.woken, 0, until, libc::CLOCK_MONOTONIC);
    }
    TRUE
}

fn give_up(waiter: &Arc<Waiter>) -> BOOL {
    let waited = with_queue(waiter.address, |queue| {
        let before = queue.len();
        queue.retain(|other| !Arc::ptr_eq(other, waiter));
        queue.len() < before
    });
    if !waited {
        return TRUE; // Somebody was about to wake it.
    }
    error::set_last(Code(ERROR_TIMEOUT));
    FALSE
}

fn wake(address: usize, most: usize) {
    let mut woken = Vec::new();
    with_queue(address, |queue| {
        queue.retain(|waiter| {
            let takes = waiter.address == address && woken.len() < most;
            if takes {
                woken.push(waiter.clone());
            }
            !takes
        });
    });
    for waiter in woken {
        waiter.woken.store(1, Ordering::Release);
        wake_on(&waiter.woken);
    }
}

/// Wakes the thread that has waited longest for a variable: [WakeByAddressSingle][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-wakebyaddresssingle
///
/// # Safety
/// The address is not followed.
pub unsafe extern "system" fn WakeByAddressSingle(address: *const c_void) {
    wake(address.addr(), 1);
}

/// Wakes all threads that wait for a variable: [WakeByAddressAll][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-wakebyaddressall
///
/// # Safety
/// The address is not followed.
pub unsafe extern "system" fn WakeByAddressAll(address: *const c_void) {
    wake(address.addr(), usize::MAX);
}
