//! The process: its environment, command line, name; its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_ENVVAR_NOT_FOUND, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    HANDLE,
};
use windows_sys::core::BOOL;

use crate::last::{Code, answer, or_zero};
use crate::paths::reply;
use crate::text::{self, Unit, in_three_texts};

in_three_texts! {
    /// A variable of the environment: [GetEnvironmentVariableA][ms]. 0 and ERROR_ENVVAR_NOT_FOUND.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getenvironmentvariable
    ///
    /// # Safety
    /// As on Windows: `to` has room for `room` characters.
    GetEnvironmentVariableA GetEnvironmentVariableW =
        variable(name: *const U, to: *mut U, room: u32) -> u32;

    /// Sets a variable, or with NULL removes it: [SetEnvironmentVariableA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setenvironmentvariable
    ///
    /// # Safety
    /// As on Windows, and as setenv on Linux: no other thread reads the environment just now.
    SetEnvironmentVariableA SetEnvironmentVariableW =
        set_variable(name: *const U, value: *const U) -> BOOL;

    /// The computer's name: [GetComputerNameA][ms]. ERROR_BUFFER_OVERFLOW.
    ///
    /// DIFFERS: it may be longer than 15 characters.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getcomputernamea
    ///
    /// # Safety
    /// As on Windows: `to` has room for `*room` characters.
    GetComputerNameA GetComputerNameW = computer_name(to: *mut U, room: *mut u32) -> BOOL;
}

/// # Safety
/// `name` ends in a NUL, `to` has room for `room` units.
unsafe fn variable<U: Unit>(name: *const U, to: *mut U, room: u32) -> u32 {
    // SAFETY: passed on from our caller.
    let name = unsafe { text::read(name) };
    let value = name.and_then(|name| std::env::var_os(&*name));
    let value = value.ok_or(Code(ERROR_ENVVAR_NOT_FOUND));
    // SAFETY: passed on from our caller.
    or_zero(value.map(|value| unsafe { reply(&value.to_string_lossy(), to, room) }))
}

/// # Safety
/// The texts are NULL or end in a NUL; nobody reads the environment just now.
unsafe fn set_variable<U: Unit>(name: *const U, value: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    let (name, value) = unsafe { (text::read(name), text::read(value)) };
    answer(match name {
        Some(name) if !name.is_empty() && !name.contains('=') => {
            match value {
                // SAFETY: our caller vouches for the environment.
                Some(value) => unsafe { std::env::set_var(&*name, &*value) },
                // SAFETY: as above.
                None => unsafe { std::env::remove_var(&*name) },
            }
            Ok(())
        }
        _ => Err(Code(ERROR_INVALID_PARAMETER)),
    })
}

/// # Safety
/// `to` has room for `*room` units.
unsafe fn computer_name<U: Unit>(to: *mut U, room: *mut u32) -> BOOL {
    let mut name = [0u8; 256];
    // SAFETY: the buffer is as long as said; our caller vouches for the others.
    answer(unsafe {
        libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1);
        let name = text::read(name.as_ptr()).unwrap_or_default();
        match text::write(&name, to, *room as usize) {
            Ok(len) => {
                *room = len as u32;
                Ok(())
            }
            Err(needed) => {
                *room = needed as u32;
                Err(Code(ERROR_BUFFER_OVERFLOW))
            }
        }
    })
}

/// The program's arguments as one text, as Windows has them: those with blanks in quotes.
pub fn command_line() -> String {
    let all = std::env::args_os().map(|argument| {
        let argument = argument.to_string_lossy().into_owned();
        match argument.is_empty() || argument.contains([' ', '\t', '"']) {
            true => format!("\"{}\"", argument.replace('"', "\\\"")),
            false => argument,
        }
    });
    all.collect::<Vec<_>>().join(" ")
}

/// The command line: [GetCommandLineA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processenv/nf-processenv-getcommandlinea
pub unsafe extern "C" fn GetCommandLineA() -> *const u8 {
    static LINE: OnceLock<Vec<u8>> = OnceLock::new();
    LINE.get_or_init(|| text::terminated(&command_line())).as_ptr()
}

/// As [`GetCommandLineA`]: [GetCommandLineW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processenv/nf-processenv-getcommandlinew
pub unsafe extern "C" fn GetCommandLineW() -> *const u16 {
    static LINE: OnceLock<Vec<u16>> = OnceLock::new();
    LINE.get_or_init(|| text::terminated(&command_line())).as_ptr()
}

/// The functions above where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::GetCommandLineW`].
    pub unsafe extern "C" fn GetCommandLineW() -> *const u32 {
        static LINE: OnceLock<Vec<u32>> = OnceLock::new();
        LINE.get_or_init(|| text::terminated(&command_line())).as_ptr()
    }
}

/// The boxes that the system may show; it shows none.
static ERROR_MODE: AtomicU32 = AtomicU32::new(0);

/// Which boxes the program wants not to be shown: [GetErrorMode][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-geterrormode
pub unsafe extern "C" fn GetErrorMode() -> u32 {
    ERROR_MODE.load(Ordering::Relaxed)
}

/// Says so, and answers what was said before: [SetErrorMode][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-seterrormode
pub unsafe extern "C" fn SetErrorMode(mode: u32) -> u32 {
    ERROR_MODE.swap(mode, Ordering::Relaxed)
}

/// Ends the process, after what atexit has registered: [ExitProcess][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitprocess
pub unsafe extern "C" fn ExitProcess(code: u32) {
    std::process::exit(code as i32);
}

/// Ends a process at once: [TerminateProcess][ms].
///
/// DIFFERS: this process only. ERROR_INVALID_HANDLE for another handle.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess
pub unsafe extern "C" fn TerminateProcess(process: HANDLE, code: u32) -> BOOL {
    // SAFETY: it takes nothing.
    if process != unsafe { winsock_sys::Win32::System::Threading::GetCurrentProcess() } {
        return answer(Err(Code(ERROR_INVALID_HANDLE)));
    }
    // SAFETY: the process asks for its end.
    unsafe { libc::_exit(code as i32) }
}
