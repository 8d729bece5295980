//! Text as kernel32 handles it: bytes to wide characters and back, `lstr*`.

use std::cmp::Ordering;

use windows_sys::Win32::Foundation::{
    ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_FLAGS, ERROR_INVALID_PARAMETER,
    ERROR_NO_UNICODE_TRANSLATION,
};
use windows_sys::Win32::Globalization::{
    CP_ACP, CP_OEMCP, CP_THREAD_ACP, CP_UTF8, MB_ERR_INVALID_CHARS,
};
use windows_sys::core::BOOL;

use crate::last::{Code, or_zero};
use crate::text::{self, Unit, in_three_texts};

/// The system's code page, which is UTF-8: [GetACP][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winnls/nf-winnls-getacp
pub unsafe extern "C" fn GetACP() -> u32 {
    CP_UTF8
}

/// The console's code page, which is UTF-8: [GetOEMCP][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winnls/nf-winnls-getoemcp
pub unsafe extern "C" fn GetOEMCP() -> u32 {
    CP_UTF8
}

fn check_page(page: u32) -> Result<(), Code> {
    match page {
        CP_ACP | CP_OEMCP | CP_THREAD_ACP | CP_UTF8 => Ok(()),
        _ => Err(Code(ERROR_INVALID_PARAMETER)),
    }
}

/// A caller's text of `len` units, or with -1 up to and with its NUL.
///
/// # Safety
/// The text is as long as that.
unsafe fn counted<'a, U: Unit>(text: *const U, len: i32) -> Result<&'a [U], Code> {
    if text.is_null() || len == 0 || len < -1 {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the caller's promise.
    unsafe {
        let len = if len == -1 { text::length(text) + 1 } else { len as usize };
        Ok(std::slice::from_raw_parts(text, len))
    }
}

/// Copies units if there is room, or counts them if none is offered.
///
/// # Safety
/// `to` is writable for `room` units.
unsafe fn deliver<U: Unit>(units: &[U], to: *mut U, room: i32) -> Result<i32, Code> {
    if room < 0 || to.is_null() && room > 0 {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    if room > 0 {
        if units.len() > room as usize {
            return Err(Code(ERROR_INSUFFICIENT_BUFFER));
        }
        // SAFETY: the caller's promise, and it fits.
        unsafe { units.as_ptr().copy_to_nonoverlapping(to, units.len()) };
    }
    Ok(units.len() as i32)
}

/// Bytes to wide characters: [MultiByteToWideChar][ms]. 0 on failure: ERROR_INSUFFICIENT_BUFFER,
/// ERROR_INVALID_PARAMETER, ERROR_NO_UNICODE_TRANSLATION with MB_ERR_INVALID_CHARS.
///
/// DIFFERS: the code pages are CP_UTF8, and CP_ACP and CP_OEMCP, which are UTF-8 too.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/stringapiset/nf-stringapiset-multibytetowidechar
///
/// # Safety
/// As on Windows: the buffers have the sizes given.
pub unsafe extern "C" fn MultiByteToWideChar(
    page: u32,
    flags: u32,
    from: *const u8,
    len: i32,
    to: *mut u16,
    room: i32,
) -> i32 {
    // SAFETY: passed on from our caller.
    or_zero(unsafe { widen(page, flags, from, len, to, room) })
}

/// # Safety
/// As [`MultiByteToWideChar`].
unsafe fn widen<U: Unit>(
    page: u32,
    flags: u32,
    from: *const u8,
    len: i32,
    to: *mut U,
    room: i32,
) -> Result<i32, Code> {
    check_page(page)?;
    // SAFETY: passed on from our caller.
    unsafe {
        let bytes = counted(from, len)?;
        if flags & MB_ERR_INVALID_CHARS != 0 && std::str::from_utf8(bytes).is_err() {
            return Err(Code(ERROR_NO_UNICODE_TRANSLATION));
        }
        deliver(&U::encode(&u8::decode(bytes)), to, room)
    }
}

/// Wide characters to bytes: [WideCharToMultiByte][ms]. As [`MultiByteToWideChar`]; with
/// WC_ERR_INVALID_CHARS ERROR_NO_UNICODE_TRANSLATION.
///
/// DIFFERS: UTF-8 has every character, so the default character is never used.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/stringapiset/nf-stringapiset-widechartomultibyte
///
/// # Safety
/// As [`MultiByteToWideChar`].
pub unsafe extern "C" fn WideCharToMultiByte(
    page: u32,
    flags: u32,
    from: *const u16,
    len: i32,
    to: *mut u8,
    room: i32,
    default: *const u8,
    used_default: *mut BOOL,
) -> i32 {
    // SAFETY: passed on from our caller.
    or_zero(unsafe { narrow(page, flags, (from, len), (to, room), default, used_default) })
}

/// # Safety
/// As [`MultiByteToWideChar`].
unsafe fn narrow<U: Unit>(
    page: u32,
    flags: u32,
    (from, len): (*const U, i32),
    (to, room): (*mut u8, i32),
    default: *const u8,
    used_default: *mut BOOL,
) -> Result<i32, Code> {
    const WC_ERR_INVALID_CHARS: u32 = 0x80;
    check_page(page)?;
    // With UTF-8 itself Windows refuses to be given a default character.
    if page == CP_UTF8 && !(default.is_null() && used_default.is_null()) {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    if flags & !(WC_ERR_INVALID_CHARS | 0x0000_0670) != 0 {
        return Err(Code(ERROR_INVALID_FLAGS));
    }
    if !used_default.is_null() {
        // SAFETY: our caller vouches for the place.
        unsafe { used_default.write(0) };
    }
    // SAFETY: passed on from our caller.
    unsafe {
        let text = U::decode(counted(from, len)?);
        if flags & WC_ERR_INVALID_CHARS != 0 && text.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Code(ERROR_NO_UNICODE_TRANSLATION));
        }
        deliver(text.as_bytes(), to, room)
    }
}

in_three_texts! {
    /// A text's length: [lstrlenA][ms]. 0 for NULL.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrlena
    ///
    /// # Safety
    /// As on Windows: the text is NULL or ends in a NUL.
    lstrlenA lstrlenW = length(text: *const U) -> i32;

    /// Copies a text: [lstrcpyA][ms]. NULL if either is.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrcpya
    ///
    /// # Safety
    /// As on Windows: `to` has the room.
    lstrcpyA lstrcpyW = copy(to: *mut U, from: *const U) -> *mut U;

    /// Copies as much of a text as there is room for: [lstrcpynA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrcpyna
    ///
    /// # Safety
    /// As on Windows: `to` has room for `room` characters.
    lstrcpynA lstrcpynW = copy_some(to: *mut U, from: *const U, room: i32) -> *mut U;

    /// Appends a text: [lstrcatA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrcata
    ///
    /// # Safety
    /// As on Windows: `to` has the room.
    lstrcatA lstrcatW = append(to: *mut U, from: *const U) -> *mut U;

    /// Compares two texts: [lstrcmpA][ms].
    ///
    /// DIFFERS: by the characters' numbers, not by a language's order.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrcmpa
    ///
    /// # Safety
    /// As on Windows: the texts end in a NUL.
    lstrcmpA lstrcmpW = compare(a: *const U, b: *const U) -> i32;

    /// Compares two texts, whatever their case: [lstrcmpiA][ms].
    ///
    /// DIFFERS: by the characters' numbers, not by a language's order.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-lstrcmpia
    ///
    /// # Safety
    /// As on Windows: the texts end in a NUL.
    lstrcmpiA lstrcmpiW = compare_folded(a: *const U, b: *const U) -> i32;
}

/// # Safety
/// The text is NULL or ends in a NUL.
unsafe fn length<U: Unit>(text: *const U) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { text::units(text) }.map_or(0, |units| units.len() as i32)
}

/// # Safety
/// `to` has room for the text.
unsafe fn copy<U: Unit>(to: *mut U, from: *const U) -> *mut U {
    // SAFETY: passed on from our caller.
    unsafe { copy_some(to, from, i32::MAX) }
}

/// # Safety
/// `to` has room for the text, or for `room` units.
unsafe fn copy_some<U: Unit>(to: *mut U, from: *const U, room: i32) -> *mut U {
    // SAFETY: passed on from our caller. The texts may overlap.
    unsafe {
        let Some(from) = text::units(from).filter(|_| !to.is_null() && room > 0) else {
            return std::ptr::null_mut();
        };
        let count = from.len().min(room as usize - 1);
        from.as_ptr().copy_to(to, count);
        to.add(count).write(U::default());
        to
    }
}

/// # Safety
/// `to` is a text with room for the other after it.
unsafe fn append<U: Unit>(to: *mut U, from: *const U) -> *mut U {
    if to.is_null() || from.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: passed on from our caller.
    unsafe { copy(to.add(text::length(to)), from) };
    to
}

/// # Safety
/// The texts are NULL, which comes first, or end in a NUL.
unsafe fn compare<U: Unit>(a: *const U, b: *const U) -> i32 {
    // SAFETY: passed on from our caller.
    let (a, b) = unsafe { (text::read(a), text::read(b)) };
    number(a.cmp(&b))
}

/// # Safety
/// As [`compare`].
unsafe fn compare_folded<U: Unit>(a: *const U, b: *const U) -> i32 {
    // SAFETY: passed on from our caller.
    let (a, b) = unsafe { (text::read(a), text::read(b)) };
    number(a.map(|a| a.to_lowercase()).cmp(&b.map(|b| b.to_lowercase())))
}

fn number(order: Ordering) -> i32 {
    order as i32
}

/// The functions above where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::MultiByteToWideChar`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn MultiByteToWideChar(
        page: u32,
        flags: u32,
        from: *const u8,
        len: i32,
        to: *mut u32,
        room: i32,
    ) -> i32 {
        // SAFETY: passed on from our caller.
        or_zero(unsafe { widen(page, flags, from, len, to, room) })
    }

    /// [`super::WideCharToMultiByte`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn WideCharToMultiByte(
        page: u32,
        flags: u32,
        from: *const u32,
        len: i32,
        to: *mut u8,
        room: i32,
        default: *const u8,
        used_default: *mut BOOL,
    ) -> i32 {
        // SAFETY: passed on from our caller.
        or_zero(unsafe { narrow(page, flags, (from, len), (to, room), default, used_default) })
    }
}
