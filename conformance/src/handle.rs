//! Handles of any kind, and several at a time.

use std::ops::Deref;

use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, SetLastError};
use winsock_sys::Win32::System::Threading::WaitForMultipleObjects;

use crate::last_error;

/// A handle of any kind, closed when dropped.
#[derive(Debug)]
pub struct Handle(HANDLE);

// SAFETY: a HANDLE is a name, not memory; every function that takes one may be called anywhere.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// What a CreateXxx or OpenXxx has just answered; NULL is a failure of the test.
    #[track_caller]
    pub fn of(raw: HANDLE) -> Handle {
        assert!(!raw.is_null(), "no handle: {}", last_error());
        Handle(raw)
    }

    /// Closes it now.
    #[track_caller]
    pub fn close(self) {
        // SAFETY: no memory is passed.
        assert_ne!(unsafe { CloseHandle(self.0) }, 0, "CloseHandle: {}", last_error());
        std::mem::forget(self);
    }
}

impl Deref for Handle {
    type Target = HANDLE;

    fn deref(&self) -> &HANDLE {
        &self.0
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: CloseHandle takes any value.
        unsafe { CloseHandle(self.0) };
    }
}

/// Whether a BOOL function succeeded, or its error.
pub fn bool_result(call: impl FnOnce() -> i32) -> Result<(), u32> {
    match call() {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// The error of a call that must answer NULL.
#[track_caller]
pub fn refused(call: impl FnOnce() -> HANDLE) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { SetLastError(0xdead_beef) };
    let raw = call();
    assert!(raw.is_null(), "a handle where there should be none");
    last_error()
}

/// Waits for one of the handles.
pub fn wait_any(handles: &[HANDLE], ms: u32) -> u32 {
    // SAFETY: the array is readable for its length.
    unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, ms) }
}

/// Waits for all of the handles.
pub fn wait_all(handles: &[HANDLE], ms: u32) -> u32 {
    // SAFETY: the array is readable for its length.
    unsafe { WaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 1, ms) }
}
