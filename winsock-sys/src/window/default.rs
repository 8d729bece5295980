//! What a window does with a message that its program leaves alone.

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTW, SC_CLOSE, WM_CLOSE, WM_GETTEXT, WM_GETTEXTLENGTH, WM_NCCREATE,
    WM_QUERYENDSESSION, WM_QUERYOPEN, WM_SETTEXT, WM_SYSCOMMAND,
};

use super::create::DestroyWindow;
use super::procedure::Spelling;
use super::send::SendMessageW;
use super::{WindowRef, open};
use crate::error;
use crate::sync::lock;
use crate::text;

/// The default procedure: [DefWindowProcW][ms].
///
/// WM_NCCREATE is agreed to and gives the window its text, WM_SETTEXT, WM_GETTEXT and
/// WM_GETTEXTLENGTH change and tell it, WM_CLOSE destroys the window. Everything about looks is
/// answered with 0: nothing is drawn.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-defwindowprocw
///
/// # Safety
/// As on Windows: the parameters are what the message says they are.
pub unsafe extern "system" fn DefWindowProcW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: passed on from our caller.
    unsafe { default::<u16>(hwnd, message, wparam, lparam) }
}

/// As [`DefWindowProcW`], for ANSI: [DefWindowProcA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-defwindowproca
///
/// # Safety
/// As [`DefWindowProcW`].
pub unsafe extern "system" fn DefWindowProcA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: passed on from our caller.
    unsafe { default::<u8>(hwnd, message, wparam, lparam) }
}

/// # Safety
/// As [`DefWindowProcW`].
unsafe fn default<U: Spelling>(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let window = match open(hwnd) {
        Ok(window) => window,
        Err(code) => {
            error::set_last(code);
            return 0;
        }
    };
    let pointer: *mut U = std::ptr::with_exposed_provenance_mut(lparam as usize);
    match message {
        WM_NCCREATE if !pointer.is_null() => {
            // SAFETY: our caller vouches for the structure and the strings in it.
            unsafe { set_text::<U>(&window, (*pointer.cast::<CREATESTRUCTW>()).lpszName.cast()) };
            1
        }
        WM_SETTEXT => {
            // SAFETY: our caller vouches for the string.
            unsafe { set_text::<U>(&window, pointer) };
            1
        }
        WM_GETTEXT => {
            // SAFETY: our caller vouches for the buffer.
            unsafe { text::write_cut(&lock(&window.state).text, pointer, wparam) as LRESULT }
        }
        WM_GETTEXTLENGTH => (U::encode(&lock(&window.state).text).len() - 1) as LRESULT,
        WM_CLOSE => {
            drop(window);
            // SAFETY: no memory is passed.
            unsafe { DestroyWindow(hwnd) };
            0
        }
        // The low four bits are the system's own.
        WM_SYSCOMMAND if wparam & 0xFFF0 == SC_CLOSE as usize => {
            drop(window);
            // SAFETY: the message refers to no memory.
            unsafe { SendMessageW(hwnd, WM_CLOSE, 0, 0) }
        }
        WM_QUERYENDSESSION | WM_QUERYOPEN => 1,
        _ => 0,
    }
}

/// # Safety
/// `text` is NULL or a string.
unsafe fn set_text<U: Spelling>(window: &WindowRef, text: *const U) {
    // SAFETY: passed on from our caller.
    let text = unsafe { text::read(text) };
    lock(&window.state).text = text.unwrap_or_default();
}
