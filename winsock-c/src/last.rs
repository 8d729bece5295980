//! The thread's last error, and answers that set it.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_DIR_NOT_EMPTY, ERROR_DIRECTORY,
    ERROR_DISK_FULL, ERROR_FILE_NOT_FOUND, ERROR_FILENAME_EXCED_RANGE, ERROR_GEN_FAILURE,
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SAME_DEVICE,
    ERROR_TOO_MANY_OPEN_FILES, FALSE, TRUE, WIN32_ERROR,
};
use windows_sys::core::BOOL;

/// A Win32 error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub WIN32_ERROR);

impl From<io::Error> for Code {
    fn from(error: io::Error) -> Code {
        Code(match error.raw_os_error() {
            Some(libc::ENOENT) => ERROR_FILE_NOT_FOUND,
            Some(libc::EACCES | libc::EPERM | libc::EROFS | libc::EISDIR) => ERROR_ACCESS_DENIED,
            Some(libc::EEXIST) => ERROR_ALREADY_EXISTS,
            Some(libc::ENOTEMPTY) => ERROR_DIR_NOT_EMPTY,
            Some(libc::ENOTDIR) => ERROR_DIRECTORY,
            Some(libc::ENOSPC | libc::EDQUOT) => ERROR_DISK_FULL,
            Some(libc::ENAMETOOLONG) => ERROR_FILENAME_EXCED_RANGE,
            Some(libc::ENOMEM) => ERROR_NOT_ENOUGH_MEMORY,
            Some(libc::EXDEV) => ERROR_NOT_SAME_DEVICE,
            Some(libc::EMFILE | libc::ENFILE) => ERROR_TOO_MANY_OPEN_FILES,
            Some(libc::EBADF) => ERROR_INVALID_HANDLE,
            Some(libc::EINVAL) => ERROR_INVALID_PARAMETER,
            _ => ERROR_GEN_FAILURE,
        })
    }
}

/// Sets the thread's last error.
pub fn set(code: Code) {
    // SAFETY: it takes a number.
    unsafe { winsock_sys::Win32::Foundation::SetLastError(code.0) };
}

/// TRUE, or FALSE and the last error.
pub fn answer(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            set(code);
            FALSE
        }
    }
}

/// The number, or 0 and the last error.
pub fn or_zero<T: Default>(result: Result<T, Code>) -> T {
    result.unwrap_or_else(|code| {
        set(code);
        T::default()
    })
}

/// The pointer or handle, or NULL and the last error.
pub fn or_null<T>(result: Result<*mut T, Code>) -> *mut T {
    result.unwrap_or_else(|code| {
        set(code);
        std::ptr::null_mut()
    })
}
