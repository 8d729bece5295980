//! Modules, as far as windows belong to them: there is the program, and nothing else is loaded.

use windows_sys::Win32::Foundation::{ERROR_MOD_NOT_FOUND, HMODULE};
use windows_sys::core::{PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::text::{self, Unit};

/// The program's own module: a name, never an address. It is where Windows' linkers used to put
/// programs.
pub const MAIN: usize = 0x40_0000;

/// The program's own module, for NULL or the program's name: [GetModuleHandleW][ms]. NULL for
/// others: ERROR_MOD_NOT_FOUND, as no DLL of Windows is here.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlew
///
/// # Safety
/// As on Windows: `name` is NULL or a string.
pub unsafe extern "system" fn GetModuleHandleW(name: PCWSTR) -> HMODULE {
    // SAFETY: passed on from our caller.
    unsafe { find(name) }
}

/// As [`GetModuleHandleW`], for ANSI: [GetModuleHandleA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlea
///
/// # Safety
/// As [`GetModuleHandleW`].
pub unsafe extern "system" fn GetModuleHandleA(name: PCSTR) -> HMODULE {
    // SAFETY: passed on from our caller.
    unsafe { find(name) }
}

/// # Safety
/// `name` is NULL or a string.
unsafe fn find<U: Unit>(name: *const U) -> HMODULE {
    // SAFETY: passed on from our caller.
    let is_program = match unsafe { text::read(name) } {
        None => true,
        Some(name) => std::env::current_exe().is_ok_and(|path| {
            path.as_os_str().to_str() == Some(&name)
                || path.file_name().and_then(|own| own.to_str()) == Some(&name)
        }),
    };
    if !is_program {
        error::set_last(Code(ERROR_MOD_NOT_FOUND));
        return std::ptr::null_mut();
    }
    std::ptr::without_provenance_mut(MAIN)
}
