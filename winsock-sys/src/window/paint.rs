//! What programs call to be seen. There is no screen: what has no effect says that it succeeded.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_WINDOW_HANDLE, FALSE, HINSTANCE, HWND, RECT, TRUE,
};
use windows_sys::Win32::Graphics::Gdi::{GET_STOCK_OBJECT_FLAGS, HDC, HGDIOBJ, PAINTSTRUCT};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    HCURSOR, HICON, SHOW_WINDOW_CMD, SW_HIDE, WM_SHOWWINDOW, WS_VISIBLE,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use super::{Encoding, exists, open, send};
use crate::error::{self, Code};
use crate::queue::Call;
use crate::sync::lock;

/// Notes whether a window is shown, and tells it by WM_SHOWWINDOW if that changes; whether it was
/// shown before: [ShowWindow][ms]. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-showwindow
pub unsafe extern "system" fn ShowWindow(hwnd: HWND, command: SHOW_WINDOW_CMD) -> BOOL {
    let shown = command != SW_HIDE; // A minimised window is shown too, as an icon.
    let change = open(hwnd).map(|window| {
        let mut state = lock(&window.state);
        let was = state.style & WS_VISIBLE != 0;
        state.style = state.style & !WS_VISIBLE | if shown { WS_VISIBLE } else { 0 };
        was
    });
    match change {
        Ok(was) => {
            if was != shown {
                let call = Call::new(hwnd, WM_SHOWWINDOW, shown.into(), 0, Encoding::Unicode);
                // SAFETY: the message refers to no memory. A window that is gone by now is no
                // matter.
                let _ = unsafe { send::send(&call) };
            }
            was.into()
        }
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

fn accept(hwnd: HWND) -> BOOL {
    if exists(hwnd) {
        return TRUE;
    }
    error::set_last(Code(ERROR_INVALID_WINDOW_HANDLE));
    FALSE
}

/// Nothing is ever out of date: [UpdateWindow][ms]. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-updatewindow
pub unsafe extern "system" fn UpdateWindow(hwnd: HWND) -> BOOL {
    accept(hwnd)
}

/// No part of a window is on a screen, so no WM_PAINT follows: [InvalidateRect][ms]. NULL means
/// every window. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-invalidaterect
///
/// # Safety
/// None beyond Windows': the rectangle is not looked at.
pub unsafe extern "system" fn InvalidateRect(hwnd: HWND, _area: *const RECT, _erase: BOOL) -> BOOL {
    if hwnd.is_null() { TRUE } else { accept(hwnd) }
}

/// As [`InvalidateRect`]: [ValidateRect][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-validaterect
///
/// # Safety
/// None beyond Windows': the rectangle is not looked at.
pub unsafe extern "system" fn ValidateRect(hwnd: HWND, _area: *const RECT) -> BOOL {
    if hwnd.is_null() { TRUE } else { accept(hwnd) }
}

/// There is no device to paint on: NULL, and an empty area: [BeginPaint][ms].
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-beginpaint
///
/// # Safety
/// As on Windows: `paint` is a place for the structure.
pub unsafe extern "system" fn BeginPaint(hwnd: HWND, paint: *mut PAINTSTRUCT) -> HDC {
    accept(hwnd);
    // SAFETY: our caller vouches for the place.
    unsafe { *paint = PAINTSTRUCT::default() };
    std::ptr::null_mut()
}

/// Ends what [`BeginPaint`] began: [EndPaint][ms]. Always TRUE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-endpaint
///
/// # Safety
/// None beyond Windows': the structure is not looked at.
pub unsafe extern "system" fn EndPaint(_hwnd: HWND, _paint: *const PAINTSTRUCT) -> BOOL {
    TRUE
}

/// The first values of handles that stand for something nobody will ever look at.
const ICONS: usize = 0x1_0001;
const CURSORS: usize = 0x1_0003;
const STOCK: usize = 0x190_0001;

/// A handle that names a stock brush, pen or font, for a class to carry: [GetStockObject][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/wingdi/nf-wingdi-getstockobject
pub unsafe extern "system" fn GetStockObject(number: GET_STOCK_OBJECT_FLAGS) -> HGDIOBJ {
    std::ptr::without_provenance_mut(STOCK + 2 * number as usize)
}

/// A handle that stands for an icon, for a class to carry: [LoadIconW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-loadiconw
///
/// # Safety
/// None beyond Windows': the name is not looked at.
pub unsafe extern "system" fn LoadIconW(_instance: HINSTANCE, _name: PCWSTR) -> HICON {
    std::ptr::without_provenance_mut(ICONS)
}

/// As [`LoadIconW`]: [LoadIconA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-loadicona
///
/// # Safety
/// As [`LoadIconW`].
pub unsafe extern "system" fn LoadIconA(_instance: HINSTANCE, _name: PCSTR) -> HICON {
    std::ptr::without_provenance_mut(ICONS)
}

/// A handle that stands for a cursor, for a class to carry: [LoadCursorW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-loadcursorw
///
/// # Safety
/// None beyond Windows': the name is not looked at.
pub unsafe extern "system" fn LoadCursorW(_instance: HINSTANCE, _name: PCWSTR) -> HCURSOR {
    std::ptr::without_provenance_mut(CURSORS)
}

/// As [`LoadCursorW`]: [LoadCursorA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-loadcursora
///
/// # Safety
/// As [`LoadCursorW`].
pub unsafe extern "system" fn LoadCursorA(_instance: HINSTANCE, _name: PCSTR) -> HCURSOR {
    std::ptr::without_provenance_mut(CURSORS)
}
