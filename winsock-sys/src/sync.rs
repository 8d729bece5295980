//! The synchronisation primitives of the crate: std's, or loom's when the models run.
//!
//! Everything that the loom models explore (handle table, parker, events, port) takes its atomics
//! and locks from here and from nowhere else.

#[cfg(loom)]
pub use loom::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub use std::sync::{Mutex, MutexGuard, atomic};

/// Locks, whatever happened to the last holder: no code of the caller runs under our locks, so a
/// panic there is a bug of ours that the poisoned state would only hide.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
