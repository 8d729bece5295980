//! The words of a class, by way of one of its windows.

use windows_sys::Win32::Foundation::{ERROR_INVALID_INDEX, HWND};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    GCL_CBCLSEXTRA, GCL_CBWNDEXTRA, GCL_STYLE, GCLP_HBRBACKGROUND, GCLP_HCURSOR, GCLP_HICON,
    GCLP_HICONSM, GCLP_HMODULE, GCLP_MENUNAME, GCLP_WNDPROC, GCW_ATOM, GET_CLASS_LONG_INDEX,
};

use super::open;
use super::procedure::{Encoding, Procedure};
use crate::error::{self, Code};
use crate::sync::lock;

/// A word of a window's class, or of its cbClsExtra bytes: [GetClassLongPtrW][ms].
/// ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_INDEX.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclasslongptrw
pub unsafe extern "system" fn GetClassLongPtrW(hwnd: HWND, index: GET_CLASS_LONG_INDEX) -> usize {
    or_0(get(hwnd, index, size_of::<usize>(), Encoding::Unicode))
}

/// As [`GetClassLongPtrW`], for ANSI: [GetClassLongPtrA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclasslongptra
pub unsafe extern "system" fn GetClassLongPtrA(hwnd: HWND, index: GET_CLASS_LONG_INDEX) -> usize {
    or_0(get(hwnd, index, size_of::<usize>(), Encoding::Ansi))
}

/// As [`GetClassLongPtrW`], for words of 32 bits: [GetClassLongW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclasslongw
pub unsafe extern "system" fn GetClassLongW(hwnd: HWND, index: GET_CLASS_LONG_INDEX) -> u32 {
    or_0(get(hwnd, index, size_of::<u32>(), Encoding::Unicode)) as u32
}

/// As [`GetClassLongW`], for ANSI: [GetClassLongA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getclasslonga
pub unsafe extern "system" fn GetClassLongA(hwnd: HWND, index: GET_CLASS_LONG_INDEX) -> u32 {
    or_0(get(hwnd, index, size_of::<u32>(), Encoding::Ansi)) as u32
}

/// Changes a word of a window's class, or of its cbClsExtra bytes; the one before:
/// [SetClassLongPtrW][ms]. ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_INDEX.
///
/// A new procedure is for windows made from now on.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setclasslongptrw
///
/// # Safety
/// As on Windows: what is set as GCLP_WNDPROC is a window procedure.
pub unsafe extern "system" fn SetClassLongPtrW(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    value: isize,
) -> usize {
    or_0(set(hwnd, index, value as usize, size_of::<usize>(), Encoding::Unicode))
}

/// As [`SetClassLongPtrW`], for ANSI: [SetClassLongPtrA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setclasslongptra
///
/// # Safety
/// As [`SetClassLongPtrW`].
pub unsafe extern "system" fn SetClassLongPtrA(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    value: isize,
) -> usize {
    or_0(set(hwnd, index, value as usize, size_of::<usize>(), Encoding::Ansi))
}

/// As [`SetClassLongPtrW`], for words of 32 bits: [SetClassLongW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setclasslongw
pub unsafe extern "system" fn SetClassLongW(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    value: i32,
) -> u32 {
    or_0(set(hwnd, index, value as u32 as usize, size_of::<u32>(), Encoding::Unicode)) as u32
}

/// As [`SetClassLongW`], for ANSI: [SetClassLongA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setclasslonga
pub unsafe extern "system" fn SetClassLongA(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    value: i32,
) -> u32 {
    or_0(set(hwnd, index, value as u32 as usize, size_of::<u32>(), Encoding::Ansi)) as u32
}

fn or_0(result: Result<usize, Code>) -> usize {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

const BAD_INDEX: Code = Code(ERROR_INVALID_INDEX);

/// Whether a value of `width` bytes can be meant by a word that holds a pointer.
fn fits(index: GET_CLASS_LONG_INDEX, width: usize) -> bool {
    let holds_pointer = matches!(index, GCLP_WNDPROC | GCLP_HMODULE | GCLP_MENUNAME);
    width == size_of::<usize>() || !holds_pointer
}

fn get(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    width: usize,
    encoding: Encoding,
) -> Result<usize, Code> {
    let window = open(hwnd)?;
    let class = &window.class;
    let details = lock(&class.details);
    if !fits(index, width) {
        return Err(BAD_INDEX);
    }
    Ok(match index {
        GCL_STYLE => details.style as usize,
        GCL_CBCLSEXTRA => details.extra.len(),
        GCL_CBWNDEXTRA => details.window_extra as usize,
        GCW_ATOM => class.atom.into(),
        GCLP_HMODULE => class.instance,
        GCLP_WNDPROC => details.procedure.spelled(encoding),
        GCLP_MENUNAME => details.menu,
        GCLP_HBRBACKGROUND => details.brush,
        GCLP_HCURSOR => details.cursor,
        GCLP_HICON => details.icon,
        GCLP_HICONSM => details.small_icon,
        0.. => extra(&details.extra, index as usize, width)?,
        _ => return Err(BAD_INDEX),
    })
}

fn set(
    hwnd: HWND,
    index: GET_CLASS_LONG_INDEX,
    value: usize,
    width: usize,
    encoding: Encoding,
) -> Result<usize, Code> {
    let window = open(hwnd)?;
    let mut details = lock(&window.class.details);
    if !fits(index, width) {
        return Err(BAD_INDEX);
    }
    let place = match index {
        GCL_STYLE => return Ok(std::mem::replace(&mut details.style, value as u32) as usize),
        GCL_CBWNDEXTRA => {
            let bytes = i32::try_from(value).map_err(|_| BAD_INDEX)?;
            return Ok(std::mem::replace(&mut details.window_extra, bytes) as usize);
        }
        GCLP_WNDPROC => {
            let new = Procedure::new(value, encoding);
            return Ok(std::mem::replace(&mut details.procedure, new).spelled(encoding));
        }
        GCLP_MENUNAME => &mut details.menu,
        GCLP_HBRBACKGROUND => &mut details.brush,
        GCLP_HCURSOR => &mut details.cursor,
        GCLP_HICON => &mut details.icon,
        GCLP_HICONSM => &mut details.small_icon,
        0.. => {
            let old = extra(&details.extra, index as usize, width)?;
            let at = index as usize;
            details.extra[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            return Ok(old);
        }
        _ => return Err(BAD_INDEX), // The atom, the module and how many bytes there are stay.
    };
    Ok(std::mem::replace(place, value))
}

/// A word of the extra bytes.
fn extra(bytes: &[u8], at: usize, width: usize) -> Result<usize, Code> {
    let end = at.checked_add(width);
    let word = end.and_then(|end| bytes.get(at..end)).ok_or(BAD_INDEX)?;
    let mut wide = [0; size_of::<usize>()];
    wide[..word.len()].copy_from_slice(word);
    Ok(usize::from_le_bytes(wide))
}
