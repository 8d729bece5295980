//! Strings across the border: ANSI and wide outside, `str` inside.
//!
//! An ANSI string is UTF-8 here, as everywhere on Linux. A wide string is UTF-16.

/// The unit of one of the two kinds of string.
pub trait Unit: Copy + Default + PartialEq + 'static {
    /// The text of the units; what is no text becomes U+FFFD.
    fn decode(units: &[Self]) -> String;

    /// The units of the text and a final NUL.
    fn encode(text: &str) -> Vec<Self>;
}

impl Unit for u8 {
    fn decode(units: &[u8]) -> String {
        String::from_utf8_lossy(units).into_owned()
    }

    fn encode(text: &str) -> Vec<u8> {
        text.bytes().chain([0]).collect()
    }
}

impl Unit for u16 {
    fn decode(units: &[u16]) -> String {
        String::from_utf16_lossy(units)
    }

    fn encode(text: &str) -> Vec<u16> {
        text.encode_utf16().chain([0]).collect()
    }
}

/// Reads a caller's string; `None` for NULL.
///
/// # Safety
/// `text` is NULL or readable up to a NUL.
pub unsafe fn read<U: Unit>(text: *const U) -> Option<String> {
    // SAFETY: passed on from our caller.
    (!text.is_null()).then(|| U::decode(unsafe { units(text) }))
}

/// The units of a caller's string, without its NUL.
///
/// # Safety
/// `text` is readable up to a NUL, and stays so.
pub unsafe fn units<'a, U: Unit>(text: *const U) -> &'a [U] {
    let mut len = 0;
    // SAFETY: the caller promises a NUL at the end, and we do not go past it.
    unsafe {
        while *text.add(len) != U::default() {
            len += 1;
        }
        std::slice::from_raw_parts(text, len)
    }
}

/// Writes a string and its NUL into a caller's buffer of `room` units; the units written, or the
/// units needed if there is no buffer or too little room, in which case nothing is written.
///
/// # Safety
/// `to` is NULL or writable for `room` units.
pub unsafe fn write<U: Unit>(text: &str, to: *mut U, room: usize) -> Result<usize, usize> {
    let units = U::encode(text);
    if to.is_null() || room < units.len() {
        return Err(units.len());
    }
    // SAFETY: the caller promises `room` units, which are enough.
    unsafe { units.as_ptr().copy_to_nonoverlapping(to, units.len()) };
    Ok(units.len())
}

/// Writes as much of a string as fits, between characters, and a NUL; the units written before it.
///
/// # Safety
/// `to` is NULL or writable for `room` units.
pub unsafe fn write_cut<U: Unit>(text: &str, to: *mut U, room: usize) -> usize {
    if to.is_null() || room == 0 {
        return 0;
    }
    let mut fits = 0;
    let mut end = 0;
    for (at, character) in text.char_indices() {
        let next = at + character.len_utf8();
        let units = U::encode(&text[at..next]).len() - 1;
        if fits + units >= room {
            break;
        }
        (fits, end) = (fits + units, next);
    }
    // SAFETY: passed on from our caller; what is written fits.
    let _ = unsafe { write(&text[..end], to, room) };
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<U: Unit>(text: &str) {
        let mut buffer = [U::default(); 16];
        // SAFETY: the buffer has the room it is said to have.
        let written = unsafe { write(text, buffer.as_mut_ptr(), buffer.len()) };
        assert_eq!(written, Ok(U::encode(text).len()));
        // SAFETY: `write` ended the string.
        assert_eq!(unsafe { read(buffer.as_ptr()) }.as_deref(), Some(text));
    }

    #[test]
    fn both_kinds_of_string() {
        for text in ["", "localhost", "zürich", "𝄞.example"] {
            there_and_back::<u8>(text);
            there_and_back::<u16>(text);
        }
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { read::<u16>(std::ptr::null()) }, None);
    }

    #[test]
    fn a_cut_falls_between_characters() {
        for (room, narrow, wide) in [(1, "", ""), (2, "a", "a"), (3, "a", "aü"), (4, "aü", "aüb")]
        {
            let mut bytes = [b'x'; 8];
            let mut units = [b'x'.into(); 8];
            // SAFETY: the buffers have at least the room they are said to have.
            unsafe {
                assert_eq!(write_cut("aüb", bytes.as_mut_ptr(), room), narrow.len());
                assert_eq!(read(bytes.as_ptr()).as_deref(), Some(narrow));
                assert_eq!(write_cut("aüb", units.as_mut_ptr(), room), wide.chars().count());
                assert_eq!(read::<u16>(units.as_ptr()).as_deref(), Some(wide));
            }
        }
    }

    #[test]
    fn too_little_room_writes_nothing() {
        let mut buffer = *b"before";
        // SAFETY: the buffer has at least the room it is said to have.
        unsafe {
            assert_eq!(write("abcdef", buffer.as_mut_ptr(), 6), Err(7));
            assert_eq!(write("abc", std::ptr::null_mut::<u8>(), 6), Err(4));
        }
        assert_eq!(&buffer, b"before");
    }
}
