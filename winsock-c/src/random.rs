//! Random bytes, which are the kernel's.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};

/// Fills memory with random bytes. The kernel has as many as are asked for.
///
/// # Safety
/// `to` is writable for `length` bytes.
unsafe fn fill(to: *mut u8, length: usize) {
    let mut done = 0;
    while done < length {
        // SAFETY: the caller's promise. A signal may have cut it short.
        let got = unsafe { libc::getrandom(to.add(done).cast(), length - done, 0) };
        done += usize::try_from(got).unwrap_or(0);
    }
}

/// Fills a buffer with random bytes: [BCryptGenRandom][ms]. STATUS_INVALID_HANDLE without the flag
/// BCRYPT_USE_SYSTEM_PREFERRED_RNG or BCRYPT_RNG_ALG_HANDLE, STATUS_INVALID_PARAMETER for NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom
///
/// # Safety
/// As on Windows: `buffer` is writable for `length` bytes.
pub unsafe extern "C" fn BCryptGenRandom(
    algorithm: *mut c_void,
    buffer: *mut u8,
    length: u32,
    flags: u32,
) -> NTSTATUS {
    const USE_SYSTEM_PREFERRED_RNG: u32 = 2;
    const RNG_ALG_HANDLE: usize = 0x81;
    match algorithm.addr() {
        RNG_ALG_HANDLE => {}
        0 if flags & USE_SYSTEM_PREFERRED_RNG != 0 => {}
        _ => return STATUS_INVALID_HANDLE,
    }
    if buffer.is_null() {
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: our caller vouches for the buffer.
    unsafe { fill(buffer, length as usize) };
    STATUS_SUCCESS
}
