//! The words of a window: style, procedure, the program's own data.

use windows_sys::Win32::Foundation::{ERROR_INVALID_INDEX, HWND};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GWL_EXSTYLE, GWL_STYLE, GWLP_HINSTANCE, GWLP_HWNDPARENT, GWLP_ID, GWLP_USERDATA, GWLP_WNDPROC,
    STYLESTRUCT, WINDOW_LONG_PTR_INDEX, WM_STYLECHANGED, WM_STYLECHANGING, WS_CHILD,
};

use super::procedure::{Encoding, Procedure};
use super::{Window, find, handle_of, open, send};
use crate::error::{self, Code};
use crate::queue::Call;
use crate::sync::atomic::Ordering;
use crate::sync::lock;

/// How wide a value the caller means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// 32 bits: the Long functions.
    Long,
    /// As wide as a pointer: the LongPtr functions.
    Pointer,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Width::Long => size_of::<i32>(),
            Width::Pointer => size_of::<isize>(),
        }
    }
}

/// A word of a window, or of the class's cbWndExtra bytes: [GetWindowLongPtrW][ms].
/// ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_INDEX.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowlongptrw
pub unsafe extern "system" fn GetWindowLongPtrW(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX) -> isize {
    or_0(get(hwnd, index, Width::Pointer, Encoding::Unicode))
}

/// As [`GetWindowLongPtrW`], for ANSI: [GetWindowLongPtrA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowlongptra
pub unsafe extern "system" fn GetWindowLongPtrA(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX) -> isize {
    or_0(get(hwnd, index, Width::Pointer, Encoding::Ansi))
}

/// As [`GetWindowLongPtrW`], for words of 32 bits: [GetWindowLongW][ms]. ERROR_INVALID_INDEX for
/// one that does not fit.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowlongw
pub unsafe extern "system" fn GetWindowLongW(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX) -> i32 {
    or_0(get(hwnd, index, Width::Long, Encoding::Unicode)) as i32
}

/// As [`GetWindowLongW`], for ANSI: [GetWindowLongA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getwindowlonga
pub unsafe extern "system" fn GetWindowLongA(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX) -> i32 {
    or_0(get(hwnd, index, Width::Long, Encoding::Ansi)) as i32
}

/// Changes a word of a window, or of the class's cbWndExtra bytes; the one before:
/// [SetWindowLongPtrW][ms]. ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_INDEX.
///
/// A new style is announced by WM_STYLECHANGING and WM_STYLECHANGED. A new procedure gets its text
/// as the function of this name says: Unicode here, ANSI from the other.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowlongptrw
///
/// # Safety
/// As on Windows: what is set as GWLP_WNDPROC is a window procedure.
pub unsafe extern "system" fn SetWindowLongPtrW(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    value: isize,
) -> isize {
    or_0(set(hwnd, index, value, Width::Pointer, Encoding::Unicode))
}

/// As [`SetWindowLongPtrW`], for ANSI: [SetWindowLongPtrA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowlongptra
///
/// # Safety
/// As [`SetWindowLongPtrW`].
pub unsafe extern "system" fn SetWindowLongPtrA(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    value: isize,
) -> isize {
    or_0(set(hwnd, index, value, Width::Pointer, Encoding::Ansi))
}

/// As [`SetWindowLongPtrW`], for words of 32 bits: [SetWindowLongW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowlongw
pub unsafe extern "system" fn SetWindowLongW(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    value: i32,
) -> i32 {
    or_0(set(hwnd, index, value as isize, Width::Long, Encoding::Unicode)) as i32
}

/// As [`SetWindowLongW`], for ANSI: [SetWindowLongA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setwindowlonga
pub unsafe extern "system" fn SetWindowLongA(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    value: i32,
) -> i32 {
    or_0(set(hwnd, index, value as isize, Width::Long, Encoding::Ansi)) as i32
}

fn or_0(result: Result<isize, Code>) -> isize {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

const BAD_INDEX: Code = Code(ERROR_INVALID_INDEX);

/// Whether the word has that width: those that hold a pointer are not for the Long functions, but
/// for the program's own, which they may cut.
fn fits(index: WINDOW_LONG_PTR_INDEX, width: Width) -> bool {
    width == Width::Pointer || !matches!(index, GWLP_WNDPROC | GWLP_HINSTANCE | GWLP_HWNDPARENT)
}

fn get(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    width: Width,
    encoding: Encoding,
) -> Result<isize, Code> {
    let window = open(hwnd)?;
    if !fits(index, width) {
        return Err(BAD_INDEX);
    }
    let state = lock(&window.state);
    Ok(match index {
        GWLP_USERDATA => window.user_data.load(Ordering::Acquire),
        GWLP_WNDPROC => window.procedure().spelled(encoding) as isize,
        GWLP_HWNDPARENT => parent_or_owner(&window),
        GWLP_HINSTANCE => state.instance,
        GWLP_ID => state.id,
        GWL_STYLE => state.style as isize,
        GWL_EXSTYLE => state.extended_style as isize,
        0.. => extra(&state.extra, index as usize, width)?,
        _ => return Err(BAD_INDEX),
    })
}

fn parent_or_owner(window: &Window) -> isize {
    match window.parent() {
        0 => window.owner.load(Ordering::Acquire) as isize,
        parent => handle_of(parent).addr() as isize,
    }
}

fn set(
    hwnd: HWND,
    index: WINDOW_LONG_PTR_INDEX,
    value: isize,
    width: Width,
    encoding: Encoding,
) -> Result<isize, Code> {
    if matches!(index, GWL_STYLE | GWL_EXSTYLE) {
        return restyle(hwnd, index, value as u32).map(|old| old as isize);
    }
    let window = open(hwnd)?;
    if !fits(index, width) {
        return Err(BAD_INDEX);
    }
    let mut state = lock(&window.state);
    Ok(match index {
        GWLP_USERDATA => window.user_data.swap(value, Ordering::AcqRel),
        GWLP_WNDPROC => {
            let new = Procedure::new(value as usize, encoding);
            let old = window.procedure.swap(new.pack(), Ordering::AcqRel);
            Procedure::unpack(old).spelled(encoding) as isize
        }
        GWLP_HWNDPARENT if state.style & WS_CHILD != 0 => {
            drop(state);
            find::adopt(hwnd, handle_of(value as usize))? as isize
        }
        GWLP_HWNDPARENT => window.owner.swap(value as usize, Ordering::AcqRel) as isize,
        GWLP_HINSTANCE => std::mem::replace(&mut state.instance, value),
        GWLP_ID => std::mem::replace(&mut state.id, value),
        0.. => {
            let old = extra(&state.extra, index as usize, width)?;
            let bytes = value.to_le_bytes();
            let at = index as usize;
            state.extra[at..at + width.bytes()].copy_from_slice(&bytes[..width.bytes()]);
            old
        }
        _ => return Err(BAD_INDEX),
    })
}

/// A word of the extra bytes.
fn extra(bytes: &[u8], at: usize, width: Width) -> Result<isize, Code> {
    let end = at.checked_add(width.bytes());
    let word = end.and_then(|end| bytes.get(at..end)).ok_or(BAD_INDEX)?;
    let mut wide = [0; size_of::<isize>()];
    wide[..word.len()].copy_from_slice(word);
    let value = isize::from_le_bytes(wide);
    Ok(if width == Width::Long { value as i32 as isize } else { value })
}

/// Changes a style, of which the window is told before, so that it may change the change, and
/// after.
fn restyle(hwnd: HWND, index: WINDOW_LONG_PTR_INDEX, new: u32) -> Result<u32, Code> {
    let style = |window: &Window| {
        let state = lock(&window.state);
        if index == GWL_STYLE { state.style } else { state.extended_style }
    };
    let old = style(&*open(hwnd)?);
    let mut change = STYLESTRUCT { styleOld: old, styleNew: new };
    let place = (&raw mut change).expose_provenance();
    let tell = |message| {
        let which = index as isize as usize;
        let call = Call::new(hwnd, message, which, place as isize, Encoding::Unicode);
        // SAFETY: the structure lives until the answer has come, which has no limit in time.
        let told = unsafe { send::send(&call) };
        told.map(|_| ())
    };
    tell(WM_STYLECHANGING)?;
    {
        let window = open(hwnd)?;
        let mut state = lock(&window.state);
        let place = if index == GWL_STYLE { &mut state.style } else { &mut state.extended_style };
        *place = change.styleNew;
    }
    tell(WM_STYLECHANGED)?;
    Ok(old)
}
