//! Text across the border: bytes in UTF-8, wide characters of two bytes in UTF-16, of four in
//! UTF-32.
//!
//! What is no text becomes U+FFFD. A program's own buffers are not touched beyond their NUL.

use std::borrow::Cow;

/// The unit of one of the three kinds of text.
pub trait Unit: Copy + Default + PartialEq + 'static {
    fn decode(units: &[Self]) -> Cow<'_, str>;

    /// Without a final NUL.
    fn encode(text: &str) -> Vec<Self>;
}

impl Unit for u8 {
    fn decode(units: &[u8]) -> Cow<'_, str> {
        String::from_utf8_lossy(units)
    }

    fn encode(text: &str) -> Vec<u8> {
        text.as_bytes().to_vec()
    }
}

impl Unit for u16 {
    fn decode(units: &[u16]) -> Cow<'_, str> {
        String::from_utf16_lossy(units).into()
    }

    fn encode(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }
}

impl Unit for u32 {
    fn decode(units: &[u32]) -> Cow<'_, str> {
        let character = |&unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
        units.iter().map(character).collect::<String>().into()
    }

    fn encode(text: &str) -> Vec<u32> {
        text.chars().map(u32::from).collect()
    }
}

/// How many units stand before the NUL.
///
/// # Safety
/// `text` is readable up to a NUL.
pub unsafe fn length<U: Unit>(text: *const U) -> usize {
    let mut len = 0;
    // SAFETY: the caller promises a NUL, and we do not go past it.
    while unsafe { *text.add(len) } != U::default() {
        len += 1;
    }
    len
}

/// A caller's text before its NUL; `None` for NULL.
///
/// # Safety
/// `text` is NULL or readable up to a NUL, and stays so during `'a`.
pub unsafe fn units<'a, U: Unit>(text: *const U) -> Option<&'a [U]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    Some(unsafe { std::slice::from_raw_parts(text, length(text)) })
}

/// A caller's text; `None` for NULL.
///
/// # Safety
/// As [`units`].
pub unsafe fn read<'a, U: Unit>(text: *const U) -> Option<Cow<'a, str>> {
    // SAFETY: the caller's promise.
    unsafe { units(text) }.map(U::decode)
}

/// A caller's text in other units, with a NUL; NULL stays `None`.
///
/// # Safety
/// As [`units`].
pub unsafe fn convert<From: Unit, To: Unit>(text: *const From) -> Option<Vec<To>> {
    // SAFETY: the caller's promise.
    unsafe { read(text) }.map(|text| terminated(&text))
}

/// The units of a text and a NUL.
pub fn terminated<U: Unit>(text: &str) -> Vec<U> {
    let mut units = U::encode(text);
    units.push(U::default());
    units
}

/// Where a text of [`convert`] is, or NULL.
pub fn pointer<U>(text: &Option<Vec<U>>) -> *const U {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Writes a text and its NUL into `room` units. `Ok`: the units before the NUL. `Err`: the units
/// that it takes with the NUL; nothing is written then.
///
/// # Safety
/// `to` is NULL or writable for `room` units.
pub unsafe fn write<U: Unit>(text: &str, to: *mut U, room: usize) -> Result<usize, usize> {
    let units: Vec<U> = terminated(text);
    if to.is_null() || room < units.len() {
        return Err(units.len());
    }
    // SAFETY: the caller promises the room, which is enough.
    unsafe { units.as_ptr().copy_to_nonoverlapping(to, units.len()) };
    Ok(units.len() - 1)
}

/// Functions with text, each three times: for bytes under its A name, for UTF-16 under its W name,
/// and for UTF-32 under the same name in a module of its own. `U` in their parameters is the unit.
macro_rules! in_three_texts {
    ($(
        $(#[$doc:meta])*
        $ansi:ident $wide:ident = $generic:ident($($name:ident: $type:ty),*) $(-> $result:ty)?;
    )*) => {
        /// The functions with bytes.
        pub mod ansi {
            use super::*;
            type U = u8;
            $($(#[$doc])*
            pub unsafe extern "C" fn $ansi($($name: $type),*) $(-> $result)? {
                // SAFETY: passed on from our caller.
                unsafe { $generic::<U>($($name),*) }
            })*
        }
        /// The functions with UTF-16.
        pub mod utf16 {
            use super::*;
            type U = u16;
            $($(#[$doc])*
            pub unsafe extern "C" fn $wide($($name: $type),*) $(-> $result)? {
                // SAFETY: passed on from our caller.
                unsafe { $generic::<U>($($name),*) }
            })*
        }
        /// The functions with UTF-32.
        pub mod utf32 {
            use super::*;
            type U = u32;
            $($(#[$doc])*
            pub unsafe extern "C" fn $wide($($name: $type),*) $(-> $result)? {
                // SAFETY: passed on from our caller.
                unsafe { $generic::<U>($($name),*) }
            })*
        }
    };
}

pub(crate) use in_three_texts;
