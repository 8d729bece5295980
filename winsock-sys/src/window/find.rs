//! Looking for windows, and what they are to each other.

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, HWND};
use windows_sys::Win32::UI::WindowsAndMessaging::{WS_CHILD, WS_POPUP, WS_VISIBLE};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use super::class::Name;
use super::{Encoding, MESSAGE_ONLY, WINDOWS, all, atoms, handle_of, is_within, open, open_value};
use crate::error::{self, Code};
use crate::sync::atomic::Ordering;
use crate::sync::lock;
use crate::text::{self, Unit};

/// Passes a result on, or sets the last error and gives `otherwise`.
fn or<T>(result: Result<T, Code>, otherwise: T) -> T {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        otherwise
    })
}

/// The topmost window of that class and title, either of which may be NULL: [FindWindowW][ms].
/// Message-only windows count, after the others.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-findwindoww
///
/// # Safety
/// As on Windows: the class is NULL, a string or an atom, the title NULL or a string.
pub unsafe extern "system" fn FindWindowW(class: PCWSTR, title: PCWSTR) -> HWND {
    // SAFETY: passed on from our caller.
    unsafe { find(std::ptr::null_mut(), std::ptr::null_mut(), class, title) }
}

/// As [`FindWindowW`], for ANSI: [FindWindowA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-findwindowa
///
/// # Safety
/// As [`FindWindowW`].
pub unsafe extern "system" fn FindWindowA(class: PCSTR, title: PCSTR) -> HWND {
    // SAFETY: passed on from our caller.
    unsafe { find(std::ptr::null_mut(), std::ptr::null_mut(), class, title) }
}

/// As [`FindWindowW`], among the children of `parent` that come after `after`: [FindWindowExW][ms].
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// The parent NULL stands for the top-level windows, HWND_MESSAGE for the message-only ones; both
/// are searched when `after` is NULL too.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-findwindowexw
///
/// # Safety
/// As [`FindWindowW`].
pub unsafe extern "system" fn FindWindowExW(
    parent: HWND,
    after: HWND,
    class: PCWSTR,
    title: PCWSTR,
) -> HWND {
    // SAFETY: passed on from our caller.
    unsafe { find(parent, after, class, title) }
}

/// As [`FindWindowExW`], for ANSI: [FindWindowExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-findwindowexa
///
/// # Safety
/// As [`FindWindowW`].
pub unsafe extern "system" fn FindWindowExA(
    parent: HWND,
    after: HWND,
    class: PCSTR,
    title: PCSTR,
) -> HWND {
    // SAFETY: passed on from our caller.
    unsafe { find(parent, after, class, title) }
}

/// # Safety
/// As [`FindWindowW`].
unsafe fn find<U: Unit>(parent: HWND, after: HWND, class: *const U, title: *const U) -> HWND {
    // SAFETY: passed on from our caller.
    let (class, title) = unsafe { (Name::read(class), text::read(title)) };
    let known = match parent.addr() {
        0 | MESSAGE_ONLY => Ok(()),
        _ => open(parent).map(|_| ()),
    };
    let known = known.and_then(|()| match after.is_null() {
        true => Ok(()),
        false => open(after).map(|_| ()),
    });
    if let Err(code) = known {
        error::set_last(code);
        return std::ptr::null_mut();
    }
    let parents: &[usize] = match (parent.addr(), after.is_null()) {
        (0, true) => &[0, MESSAGE_ONLY],
        (parent, _) => &[parent],
    };
    for &parent in parents {
        let mut siblings = all(|window| window.parent() == parent).into_iter();
        if !after.is_null() {
            siblings.find(|&sibling| sibling == after.addr());
        }
        let matches = |&hwnd: &usize| {
            open_value(hwnd).is_some_and(|window| {
                class.as_ref().is_none_or(|class| class.names(&window.class))
                    && title
                        .as_ref()
                        .is_none_or(|title| atoms::same(&lock(&window.state).text, title))
            })
        };
        if let Some(found) = siblings.find(matches) {
            return handle_of(found);
        }
    }
    std::ptr::null_mut()
}

/// Whether it is a window: [IsWindow][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-iswindow
pub unsafe extern "system" fn IsWindow(hwnd: HWND) -> BOOL {
    or(open(hwnd).map(|_| true), false).into()
}

/// Whether text goes to its procedure as Unicode: [IsWindowUnicode][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-iswindowunicode
pub unsafe extern "system" fn IsWindowUnicode(hwnd: HWND) -> BOOL {
    let speaks = |encoding| encoding == Encoding::Unicode;
    or(open(hwnd).map(|window| speaks(window.procedure().encoding())), false).into()
}

/// Whether it and its parents have the style WS_VISIBLE: [IsWindowVisible][ms]. A message-only
/// window never counts as visible.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-iswindowvisible
pub unsafe extern "system" fn IsWindowVisible(hwnd: HWND) -> BOOL {
    let mut at = hwnd.addr();
    if let Err(code) = open(hwnd) {
        error::set_last(code);
        return FALSE;
    }
    while at != 0 {
        match open_value(at) {
            Some(window) if lock(&window.state).style & WS_VISIBLE != 0 => at = window.parent(),
            _ => return FALSE,
        }
    }
    true.into()
}

/// The number of the thread that made it, and of the process: [GetWindowThreadProcessId][ms].
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowthreadprocessid
///
/// # Safety
/// As on Windows: `process` is NULL or a place for the number.
pub unsafe extern "system" fn GetWindowThreadProcessId(hwnd: HWND, process: *mut u32) -> u32 {
    let thread = open(hwnd).map(|window| {
        if !process.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *process = std::process::id() };
        }
        window.queue.tid()
    });
    or(thread, 0)
}

/// A child's parent, or the window that a pop-up window goes with; NULL for others:
/// [GetParent][ms]. ERROR_INVALID_WINDOW_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getparent
pub unsafe extern "system" fn GetParent(hwnd: HWND) -> HWND {
    let parent = open(hwnd).map(|window| match lock(&window.state).style {
        style if style & WS_POPUP != 0 => window.owner.load(Ordering::Acquire),
        style if style & WS_CHILD != 0 && window.parent() != MESSAGE_ONLY => window.parent(),
        _ => 0,
    });
    handle_of(or(parent, 0))
}

/// Whether `hwnd` is a child of `parent`, or of a child of it: [IsChild][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-ischild
pub unsafe extern "system" fn IsChild(parent: HWND, hwnd: HWND) -> BOOL {
    let above = open(hwnd).map(|window| window.parent());
    or(above.map(|above| exists_and_holds(parent, above)), false).into()
}

fn exists_and_holds(parent: HWND, hwnd: usize) -> bool {
    open(parent).is_ok() && is_within(hwnd, parent.addr())
}

/// Gives a window another parent; its former one, or NULL: [SetParent][ms].
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// The parent NULL makes it a top-level window, HWND_MESSAGE a message-only one.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setparent
pub unsafe extern "system" fn SetParent(hwnd: HWND, parent: HWND) -> HWND {
    handle_of(or(adopt(hwnd, parent), 0))
}

/// Gives a window another parent; its former one.
pub fn adopt(hwnd: HWND, parent: HWND) -> Result<usize, Code> {
    let window = open(hwnd)?;
    if !matches!(parent.addr(), 0 | MESSAGE_ONLY) {
        open(parent)?;
    }
    // One at a time, so that two threads cannot make a circle of parents.
    let _windows = lock(&WINDOWS);
    if is_within(parent.addr(), hwnd.addr()) {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    Ok(window.parent.swap(parent.addr(), Ordering::AcqRel))
}
