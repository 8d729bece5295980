//! Random bytes by the older of two ways.

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, NTE_BAD_FLAGS, NTE_BAD_KEYSET, NTE_BAD_PROV_TYPE,
};
use windows_sys::core::BOOL;

use crate::last::{Code, answer};
use crate::system::fill;
use crate::text::{self, Unit, in_three_texts};

/// The providers that have been acquired, and the number of the last.
static ACQUIRED: Mutex<(usize, BTreeSet<usize>)> = Mutex::new((0, BTreeSet::new()));

fn acquired() -> MutexGuard<'static, (usize, BTreeSet<usize>)> {
    ACQUIRED.lock().unwrap_or_else(PoisonError::into_inner)
}

in_three_texts! {
    /// Makes a provider of random bytes: [CryptAcquireContextA][ms].
    ///
    /// DIFFERS: there are no containers of keys (NTE_BAD_KEYSET): CRYPT_VERIFYCONTEXT
    /// only, without a container's name. The provider's name is not looked at.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontexta
    ///
    /// # Safety
    /// As on Windows: `provider` is NULL or a place for it, the names are NULL or end in a NUL.
    CryptAcquireContextA CryptAcquireContextW = acquire(
        provider: *mut usize,
        container: *const U,
        name: *const U,
        kind: u32,
        flags: u32
    ) -> BOOL;
}

/// # Safety
/// As [`ansi::CryptAcquireContextA`].
unsafe fn acquire<U: Unit>(
    provider: *mut usize,
    container: *const U,
    _name: *const U,
    kind: u32,
    flags: u32,
) -> BOOL {
    const VERIFY_CONTEXT: u32 = 0xf000_0000;
    const SILENT: u32 = 0x40;
    const MACHINE_KEYSET: u32 = 0x20;
    const KINDS: std::ops::RangeInclusive<u32> = 1..=24;
    // SAFETY: passed on from our caller.
    let container = unsafe { text::read(container) };
    answer(match flags & !(SILENT | MACHINE_KEYSET) {
        _ if provider.is_null() => Err(Code(ERROR_INVALID_PARAMETER)),
        _ if !KINDS.contains(&kind) => Err(Code(NTE_BAD_PROV_TYPE as u32)),
        VERIFY_CONTEXT if container.is_none_or(|name| name.is_empty()) => {
            let mut acquired = acquired();
            acquired.0 += 1;
            let number = acquired.0;
            acquired.1.insert(number);
            // SAFETY: our caller vouches for the place.
            unsafe { provider.write(number) };
            Ok(())
        }
        0 => Err(Code(NTE_BAD_KEYSET as u32)),
        _ => Err(Code(NTE_BAD_FLAGS as u32)),
    })
}

/// Fills a buffer with random bytes: [CryptGenRandom][ms]. ERROR_INVALID_PARAMETER for a provider
/// that has not been acquired, or NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/wincrypt/nf-wincrypt-cryptgenrandom
///
/// # Safety
/// As on Windows: `buffer` is writable for `length` bytes.
pub unsafe extern "C" fn CryptGenRandom(provider: usize, length: u32, buffer: *mut c_void) -> BOOL {
    if !acquired().1.contains(&provider) || buffer.is_null() && length > 0 {
        return answer(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    // SAFETY: our caller vouches for the buffer.
    unsafe { fill(buffer.cast(), length as usize) };
    answer(Ok(()))
}

/// Gives a provider back: [CryptReleaseContext][ms]. ERROR_INVALID_PARAMETER for one that has not
/// been acquired, NTE_BAD_FLAGS for flags.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/wincrypt/nf-wincrypt-cryptreleasecontext
pub unsafe extern "C" fn CryptReleaseContext(provider: usize, flags: u32) -> BOOL {
    answer(match acquired().1.remove(&provider) {
        false => Err(Code(ERROR_INVALID_PARAMETER)),
        true if flags != 0 => Err(Code(NTE_BAD_FLAGS as u32)), // It is given back all the same.
        true => Ok(()),
    })
}
