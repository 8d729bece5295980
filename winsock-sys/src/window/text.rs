//! A window's text: what its title bar would show.

use windows_sys::Win32::Foundation::{HWND, LPARAM, TRUE};
use windows_sys::Win32::UI::WindowsAndMessaging::{WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT};
use windows_sys::core::{BOOL, PCSTR, PCWSTR, PSTR, PWSTR};

use super::procedure::Encoding;
use super::send;
use crate::error::{self, Code};
use crate::queue::Call;

/// Sets a window's text by sending it WM_SETTEXT: [SetWindowTextW][ms].
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowtextw
///
/// # Safety
/// As on Windows: `text` is NULL or a string.
pub unsafe extern "system" fn SetWindowTextW(hwnd: HWND, text: PCWSTR) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { set(hwnd, text.expose_provenance(), Encoding::Unicode) }
}

/// As [`SetWindowTextW`], for ANSI: [SetWindowTextA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowtexta
///
/// # Safety
/// As [`SetWindowTextW`].
pub unsafe extern "system" fn SetWindowTextA(hwnd: HWND, text: PCSTR) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { set(hwnd, text.expose_provenance(), Encoding::Ansi) }
}

/// # Safety
/// As [`SetWindowTextW`].
unsafe fn set(hwnd: HWND, text: usize, encoding: Encoding) -> BOOL {
    let call = Call::new(hwnd, WM_SETTEXT, 0, text as LPARAM, encoding);
    // SAFETY: passed on from our caller.
    match unsafe { send::send(&call) } {
        Ok(0) => 0,
        Ok(_) => TRUE,
        Err(code) => fail(code),
    }
}

fn fail(code: Code) -> i32 {
    error::set_last(code);
    0
}

/// Copies as much of a window's text as fits, by sending it WM_GETTEXT; the units before the NUL:
/// [GetWindowTextW][ms]. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowtextw
///
/// # Safety
/// As on Windows: `text` has room for `room` units.
pub unsafe extern "system" fn GetWindowTextW(hwnd: HWND, text: PWSTR, room: i32) -> i32 {
    // SAFETY: passed on from our caller; the buffer holds a string at once, whatever the window
    // does.
    unsafe {
        if room > 0 && !text.is_null() {
            *text = 0;
        }
        get(hwnd, text.expose_provenance(), room, Encoding::Unicode)
    }
}

/// As [`GetWindowTextW`], for ANSI: [GetWindowTextA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowtexta
///
/// # Safety
/// As [`GetWindowTextW`].
pub unsafe extern "system" fn GetWindowTextA(hwnd: HWND, text: PSTR, room: i32) -> i32 {
    // SAFETY: as above.
    unsafe {
        if room > 0 && !text.is_null() {
            *text = 0;
        }
        get(hwnd, text.expose_provenance(), room, Encoding::Ansi)
    }
}

/// # Safety
/// As [`GetWindowTextW`].
unsafe fn get(hwnd: HWND, text: usize, room: i32, encoding: Encoding) -> i32 {
    let room = if text == 0 { 0 } else { room.max(0) as usize };
    let call = Call::new(hwnd, WM_GETTEXT, room, text as LPARAM, encoding);
    // SAFETY: passed on from our caller.
    unsafe { send::send(&call) }.map_or_else(fail, |units| units as i32)
}

/// The units of a window's text: [GetWindowTextLengthW][ms]. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowtextlengthw
pub unsafe extern "system" fn GetWindowTextLengthW(hwnd: HWND) -> i32 {
    length(hwnd, Encoding::Unicode)
}

/// As [`GetWindowTextLengthW`], for ANSI: [GetWindowTextLengthA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowtextlengtha
pub unsafe extern "system" fn GetWindowTextLengthA(hwnd: HWND) -> i32 {
    length(hwnd, Encoding::Ansi)
}

fn length(hwnd: HWND, encoding: Encoding) -> i32 {
    let call = Call::new(hwnd, WM_GETTEXTLENGTH, 0, 0, encoding);
    // SAFETY: the message refers to no memory.
    unsafe { send::send(&call) }.map_or_else(fail, |units| units as i32)
}
