//! The synchronisation primitives of the crate: std's, or loom's when the models run.
//!
//! Everything that the loom models explore (handle table, parker, events, port, sockets) takes its
//! atomics, locks, cells and thread-locals from here and from nowhere else.

#[cfg(not(loom))]
pub use std::cell::Cell;
#[cfg(not(loom))]
pub use std::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub use std::thread_local;

#[cfg(loom)]
pub use loom::cell::{Cell, UnsafeCell};
#[cfg(loom)]
pub use loom::sync::{Mutex, MutexGuard, atomic};

/// `std::cell::UnsafeCell` with the doors of loom's, which watches who is inside.
#[cfg(not(loom))]
pub struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// `std::thread_local` by way of loom's, which is too old to read a `const` block.
#[cfg(loom)]
macro_rules! models_thread_local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = $init:expr;)*) => {
        $(loom::thread_local! { $(#[$attribute])* static $name: $type = $init })*
    };
}
#[cfg(loom)]
pub(crate) use models_thread_local as thread_local;

/// Locks, whatever happened to the last holder: no code of the caller runs under our locks, so a
/// panic there is a bug of ours that the poisoned state would only hide.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
