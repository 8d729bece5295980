//! `FormatMessage` and the words to a user: message boxes, the debugger's strings.

mod texts;

use std::ffi::c_void;
use std::io::Write as _;

use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND,
    ERROR_NOT_ENOUGH_MEMORY,
};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_ALLOCATE_BUFFER, FORMAT_MESSAGE_ARGUMENT_ARRAY, FORMAT_MESSAGE_FROM_STRING,
    FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    IDABORT, IDOK, IDRETRY, IDYES, MB_ABORTRETRYIGNORE, MB_RETRYCANCEL, MB_YESNO, MB_YESNOCANCEL,
};

use crate::format;
use crate::heap;
use crate::last::{Code, or_zero};
use crate::text::{self, Unit};
use crate::va::VaList;

/// The flags' part that says how wide lines are; all of it: line ends are blanks.
const FORMAT_MESSAGE_MAX_WIDTH_MASK: u32 = 0xff;

/// Most inserts that a message has.
const INSERTS: usize = 99;

/// The text of an error code, or of a message with inserts: [FormatMessageA][ms].
///
/// DIFFERS: texts are English; those of Winsock and the frequent ones of the system are there,
/// others are ERROR_MR_MID_NOT_FOUND, as are the message tables of modules.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-formatmessagea
///
/// # Safety
/// As on Windows: `to` is a buffer of `size` characters or the place of a pointer, as the flags
/// say; the arguments are what the message asks for.
pub unsafe extern "C" fn FormatMessageA(
    flags: u32,
    source: *const c_void,
    id: u32,
    _language: u32,
    to: *mut u8,
    size: u32,
    arguments: *mut VaList,
) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { format::<u8, u16>(flags, source, id, to, size, arguments) }
}

/// As [`FormatMessageA`] for wide text: [FormatMessageW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-formatmessagew
///
/// # Safety
/// As [`FormatMessageA`].
pub unsafe extern "C" fn FormatMessageW(
    flags: u32,
    source: *const c_void,
    id: u32,
    _language: u32,
    to: *mut u16,
    size: u32,
    arguments: *mut VaList,
) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { format::<u16, u16>(flags, source, id, to, size, arguments) }
}

/// # Safety
/// As [`FormatMessageA`].
unsafe fn format<U: Unit, Wide: Unit>(
    flags: u32,
    source: *const c_void,
    id: u32,
    to: *mut U,
    size: u32,
    arguments: *mut VaList,
) -> u32 {
    let formatted = || -> Result<u32, Code> {
        if to.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        // SAFETY: passed on from our caller.
        let message = unsafe {
            let message = message::<U>(flags, source, id)?;
            match flags & FORMAT_MESSAGE_IGNORE_INSERTS != 0 {
                true => message,
                false => fill::<U, Wide>(&message, flags, arguments),
            }
        };
        let message = match flags & FORMAT_MESSAGE_MAX_WIDTH_MASK {
            FORMAT_MESSAGE_MAX_WIDTH_MASK => message.replace("\r\n", " ").replace('\n', " "),
            _ => message,
        };
        let units: Vec<U> = text::terminated(&message);
        // SAFETY: our caller vouches for the buffer, or for the place of a pointer.
        unsafe { hand_over(&units, flags, to, size) }?;
        Ok(units.len() as u32 - 1)
    };
    or_zero(formatted())
}

/// The message before its inserts are filled.
///
/// # Safety
/// `source` is text if the flags say so.
unsafe fn message<U: Unit>(flags: u32, source: *const c_void, id: u32) -> Result<String, Code> {
    if flags & FORMAT_MESSAGE_FROM_STRING != 0 {
        // SAFETY: the caller's promise.
        let text = unsafe { text::read(source.cast::<U>()) };
        return Ok(text.ok_or(Code(ERROR_INVALID_PARAMETER))?.into_owned());
    }
    if flags & FORMAT_MESSAGE_FROM_SYSTEM == 0 {
        return Err(Code(ERROR_MR_MID_NOT_FOUND));
    }
    // An HRESULT that was made of a Win32 code.
    let code = if id >> 16 == 0x8007 { id & 0xffff } else { id };
    let text = texts::of(code).ok_or(Code(ERROR_MR_MID_NOT_FOUND))?;
    Ok(format!("{text}\r\n"))
}

/// Puts the arguments in the places of their inserts: `%1`, `%2!u!`; and what `%n` and its like
/// stand for.
///
/// # Safety
/// The arguments are what the message asks for.
unsafe fn fill<U: Unit, Wide: Unit>(message: &str, flags: u32, list: *mut VaList) -> String {
    let mut taken: Vec<u64> = Vec::new();
    let mut argument = |number: usize| -> u64 {
        while taken.len() < number {
            // SAFETY: the message has at least so many arguments, in a list or in an array.
            taken.push(unsafe {
                match flags & FORMAT_MESSAGE_ARGUMENT_ARRAY != 0 {
                    true => list.cast::<u64>().add(taken.len()).read(),
                    false => (*list).next(),
                }
            });
        }
        taken[number - 1]
    };
    let mut out = String::new();
    let mut rest = message;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        match rest[..digits].parse() {
            Ok(0) => return out, // %0 ends a message without a line end.
            Ok(number @ 1..=INSERTS) => {
                rest = &rest[digits..];
                let mut kind = "s";
                if let Some((inner, after)) =
                    rest.strip_prefix('!').and_then(|inner| inner.split_once('!'))
                {
                    (kind, rest) = (inner, after);
                }
                if list.is_null() {
                    out.push_str(&format!("%{number}"));
                    continue;
                }
                let value = argument(number);
                let spec = format!("%{kind}");
                // SAFETY: the argument is what the insert says.
                out.push_str(&unsafe {
                    format::render::<Wide>(&spec, size_of::<U>() > 1, &mut || value)
                });
            }
            _ => {
                let mut chars = rest.chars();
                match chars.next() {
                    Some('n') => out.push_str("\r\n"),
                    Some('r') => out.push('\r'),
                    Some('t') => out.push('\t'),
                    Some('b') => out.push(' '),
                    Some(other) => out.push(other),
                    None => {}
                }
                rest = chars.as_str();
            }
        }
    }
    out + rest
}

/// # Safety
/// `to` is writable for `size` units, or with ALLOCATE_BUFFER the place of a pointer.
unsafe fn hand_over<U: Unit>(units: &[U], flags: u32, to: *mut U, size: u32) -> Result<(), Code> {
    let to = if flags & FORMAT_MESSAGE_ALLOCATE_BUFFER == 0 {
        if (size as usize) < units.len() {
            return Err(Code(ERROR_INSUFFICIENT_BUFFER));
        }
        to
    } else {
        let room = units.len().max(size as usize) * size_of::<U>();
        let buffer: *mut U = heap::allocate(room, true).cast();
        if buffer.is_null() {
            return Err(Code(ERROR_NOT_ENOUGH_MEMORY));
        }
        // SAFETY: the caller's promise.
        unsafe { to.cast::<*mut U>().write_unaligned(buffer) };
        buffer
    };
    // SAFETY: there is room, as just seen to.
    unsafe { units.as_ptr().copy_to_nonoverlapping(to, units.len()) };
    Ok(())
}

/// Shows a message: [MessageBoxA][ms]. Answers with the button that says yes.
///
/// DIFFERS: the message goes to stderr, and nobody is asked: IDOK, IDYES, IDRETRY, or for
/// MB_ABORTRETRYIGNORE IDABORT.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-messageboxa
///
/// # Safety
/// As on Windows: the texts are NULL or end in a NUL.
pub unsafe extern "C" fn MessageBoxA(
    _window: *mut c_void,
    text: *const u8,
    caption: *const u8,
    kind: u32,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { message_box(text, caption, kind) }
}

/// As [`MessageBoxA`]: [MessageBoxW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-messageboxw
///
/// # Safety
/// As [`MessageBoxA`].
pub unsafe extern "C" fn MessageBoxW(
    _window: *mut c_void,
    text: *const u16,
    caption: *const u16,
    kind: u32,
) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { message_box(text, caption, kind) }
}

/// # Safety
/// As [`MessageBoxA`].
unsafe fn message_box<U: Unit>(text: *const U, caption: *const U, kind: u32) -> i32 {
    // SAFETY: our caller vouches for the texts.
    let (text, caption) = unsafe { (text::read(text), text::read(caption)) };
    let (text, caption) = (text.unwrap_or_default(), caption.unwrap_or("Error".into()));
    say(&format!("{caption}: {text}\n"));
    match kind & 0xf {
        MB_YESNO | MB_YESNOCANCEL => IDYES,
        MB_ABORTRETRYIGNORE => IDABORT,
        MB_RETRYCANCEL => IDRETRY,
        _ => IDOK,
    }
}

/// Beeps: [MessageBeep][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-messagebeep
pub unsafe extern "C" fn MessageBeep(_kind: u32) -> i32 {
    say("\x07");
    1
}

/// Says something to a debugger: [OutputDebugStringA][ms].
///
/// DIFFERS: it goes to stderr.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/debugapi/nf-debugapi-outputdebugstringa
///
/// # Safety
/// As on Windows: the text is NULL or ends in a NUL.
pub unsafe extern "C" fn OutputDebugStringA(text: *const u8) {
    // SAFETY: passed on from our caller.
    say(&unsafe { text::read(text) }.unwrap_or_default());
}

/// As [`OutputDebugStringA`]: [OutputDebugStringW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/debugapi/nf-debugapi-outputdebugstringw
///
/// # Safety
/// As [`OutputDebugStringA`].
pub unsafe extern "C" fn OutputDebugStringW(text: *const u16) {
    // SAFETY: passed on from our caller.
    say(&unsafe { text::read(text) }.unwrap_or_default());
}

fn say(text: &str) {
    // Who closed stderr does not want to hear.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Whether a debugger watches the process: [IsDebuggerPresent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/debugapi/nf-debugapi-isdebuggerpresent
pub unsafe extern "C" fn IsDebuggerPresent() -> i32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|pid| pid.trim() != "0").into()
}

/// Stops for a debugger; without one the process ends: [DebugBreak][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/debugapi/nf-debugapi-debugbreak
pub unsafe extern "C" fn DebugBreak() {
    // SAFETY: raise touches no memory of ours.
    unsafe { libc::raise(libc::SIGTRAP) };
}

/// The texts of getaddrinfo's errors.
pub fn of_error(code: u32) -> &'static str {
    texts::of(code).unwrap_or("Unknown error.")
}

/// The functions with text where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::FormatMessageW`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn FormatMessageW(
        flags: u32,
        source: *const c_void,
        id: u32,
        _language: u32,
        to: *mut u32,
        size: u32,
        arguments: *mut VaList,
    ) -> u32 {
        // SAFETY: passed on from our caller.
        unsafe { super::format::<u32, u32>(flags, source, id, to, size, arguments) }
    }

    /// [`super::MessageBoxW`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn MessageBoxW(
        _window: *mut c_void,
        text: *const u32,
        caption: *const u32,
        kind: u32,
    ) -> i32 {
        // SAFETY: passed on from our caller.
        unsafe { message_box(text, caption, kind) }
    }

    /// [`super::OutputDebugStringW`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn OutputDebugStringW(text: *const u32) {
        // SAFETY: passed on from our caller.
        say(&unsafe { text::read(text) }.unwrap_or_default());
    }
}
