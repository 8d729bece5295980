//! `wsprintf`: numbers and text into a buffer of 1024 characters.
//!
//! Its formats are a subset of printf's with Microsoft's sizes: `%I64d`, `%Iu`, `%hs`, `%ls`, `%S`;
//! there are no floating-point numbers.

use std::fmt::Write as _;

use crate::text::{self, Unit};
use crate::va::{VaList, variadic};

/// The most that wsprintf writes, with the NUL.
const ROOM: usize = 1024;

/// Formats: [wvsprintfA][ms]. The characters written without the NUL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-wvsprintfa
///
/// # Safety
/// As on Windows: `to` has room for 1024 characters, the arguments are what the format says.
pub unsafe extern "C" fn wvsprintfA(to: *mut u8, format: *const u8, list: *mut VaList) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { print::<u8, u16>(to, format, list) }
}

/// As [`wvsprintfA`] for wide text: [wvsprintfW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-wvsprintfw
///
/// # Safety
/// As [`wvsprintfA`].
pub unsafe extern "C" fn wvsprintfW(to: *mut u16, format: *const u16, list: *mut VaList) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { print::<u16, u16>(to, format, list) }
}

variadic! {
    /// Formats: [wsprintfA][ms]. See [`wvsprintfA`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-wsprintfa
    wsprintfA(2) => wvsprintfA;

    /// Formats wide text: [wsprintfW][ms]. See [`wvsprintfW`].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-wsprintfw
    wsprintfW(2) => wvsprintfW;
}

/// The same where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::wvsprintfA`], whose `%S` is wide text.
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn wvsprintfA(to: *mut u8, format: *const u8, list: *mut VaList) -> i32 {
        // SAFETY: passed on from our caller.
        unsafe { print::<u8, u32>(to, format, list) }
    }

    /// [`super::wvsprintfW`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn wvsprintfW(
        to: *mut u32,
        format: *const u32,
        list: *mut VaList,
    ) -> i32 {
        // SAFETY: passed on from our caller.
        unsafe { print::<u32, u32>(to, format, list) }
    }

    variadic! {
        /// [`super::wsprintfA`].
        wsprintfA(2) => wvsprintfA;

        /// [`super::wsprintfW`].
        wsprintfW(2) => wvsprintfW;
    }
}

/// # Safety
/// As [`wvsprintfA`].
unsafe fn print<U: Unit, Wide: Unit>(to: *mut U, format: *const U, list: *mut VaList) -> i32 {
    // SAFETY: our caller vouches for the format and the arguments.
    let printed = unsafe {
        let Some(format) = text::read(format) else { return 0 };
        render::<Wide>(&format, size_of::<U>() > 1, &mut || (*list).next())
    };
    let mut units = U::encode(&printed);
    units.truncate(ROOM - 1);
    let len = units.len();
    units.push(U::default());
    // SAFETY: our caller promises room for 1024.
    unsafe { units.as_ptr().copy_to_nonoverlapping(to, units.len()) };
    len as i32
}

/// One `%` and what follows it.
#[derive(Default)]
struct Spec {
    left: bool,
    zeros: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    size: Size,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Size {
    #[default]
    Int,
    Short,
    /// `l` and `w`: 32 bits if it is a number, wide if it is text.
    Long,
    /// `I64`, `ll` and, here, `I`.
    Wide,
}

/// Fills a format's places with the arguments, which `next` takes one by one.
///
/// # Safety
/// The arguments are what the format says: text is NULL or ends in a NUL.
pub unsafe fn render<Wide: Unit>(
    format: &str,
    is_wide: bool,
    next: &mut impl FnMut() -> u64,
) -> String {
    let mut out = String::new();
    let mut rest = format.chars().peekable();
    while let Some(char) = rest.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let spec = parse(&mut rest, next);
        let Some(kind) = rest.next() else { break };
        let number = match spec.size {
            Size::Wide => |value: u64| (value as i64, value),
            Size::Short => |value: u64| ((value as i16).into(), (value as u16).into()),
            Size::Int | Size::Long => |value: u64| ((value as i32).into(), (value as u32).into()),
        };
        match kind {
            'd' | 'i' => {
                let (signed, _) = number(next());
                let sign = if signed < 0 { "-" } else { "" };
                spec.put(&mut out, sign, &signed.unsigned_abs().to_string());
            }
            'u' => spec.put(&mut out, "", &number(next()).1.to_string()),
            'x' => {
                let mark = if spec.alternate { "0x" } else { "" };
                spec.put(&mut out, mark, &format!("{:x}", number(next()).1));
            }
            'X' => {
                let mark = if spec.alternate { "0X" } else { "" };
                spec.put(&mut out, mark, &format!("{:X}", number(next()).1));
            }
            'p' => {
                let _ = write!(out, "{:016X}", next());
            }
            'c' | 'C' => {
                let char = char::from_u32(next() as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                spec.put_text(&mut out, char.encode_utf8(&mut [0; 4]));
            }
            's' | 'S' => {
                let wide = match spec.size {
                    Size::Short => false,
                    Size::Long | Size::Wide => true,
                    Size::Int => is_wide == (kind == 's'),
                };
                let at = std::ptr::with_exposed_provenance::<u8>(next() as usize);
                // SAFETY: our caller vouches for the text.
                unsafe {
                    let text = if wide { text::read(at.cast::<Wide>()) } else { text::read(at) };
                    spec.put_text(&mut out, text.as_deref().unwrap_or("(null)"));
                }
            }
            // A percent sign, or what Windows prints as it stands.
            other => out.push(other),
        }
    }
    out
}

fn parse(rest: &mut std::iter::Peekable<std::str::Chars>, next: &mut impl FnMut() -> u64) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = rest.next_if(|char| "-0#+ ".contains(*char)) {
        match flag {
            '-' => spec.left = true,
            '0' => spec.zeros = true,
            '#' => spec.alternate = true,
            _ => {}
        }
    }
    let mut count = |rest: &mut std::iter::Peekable<std::str::Chars>| {
        if rest.next_if_eq(&'*').is_some() {
            return next() as i32 as usize;
        }
        let mut number = 0usize;
        while let Some(digit) = rest.next_if(char::is_ascii_digit) {
            number = (number * 10 + digit as usize - '0' as usize).min(ROOM);
        }
        number
    };
    spec.width = count(rest).min(ROOM);
    if rest.next_if_eq(&'.').is_some() {
        spec.precision = Some(count(rest));
    }
    while let Some(size) = rest.next_if(|char| "hlwI".contains(*char)) {
        spec.size = match size {
            'h' => Size::Short,
            'l' if spec.size == Size::Long => Size::Wide,
            'l' | 'w' => Size::Long,
            _ => {
                let mut ahead = rest.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('6'), Some('4')) => {
                        *rest = ahead;
                        Size::Wide
                    }
                    (Some('3'), Some('2')) => {
                        *rest = ahead;
                        Size::Int
                    }
                    _ => Size::Wide, // I alone: as wide as a pointer.
                }
            }
        };
    }
    spec
}

impl Spec {
    /// A number with what stands before its digits.
    fn put(&self, out: &mut String, sign: &str, digits: &str) {
        let least = self.precision.unwrap_or(0);
        let mut zeros = least.saturating_sub(digits.len());
        let len = sign.len() + zeros + digits.len();
        let mut blanks = self.width.saturating_sub(len);
        if self.zeros && !self.left && self.precision.is_none() {
            zeros += std::mem::take(&mut blanks);
        }
        let before = if self.left { 0 } else { blanks };
        let _ = write!(out, "{:before$}{sign}{:0<zeros$}{digits}", "", "");
        let _ = write!(out, "{:1$}", "", blanks - before);
    }

    fn put_text(&self, out: &mut String, text: &str) {
        let most = self.precision.unwrap_or(usize::MAX);
        let text: String = text.chars().take(most).collect();
        let _ = match self.left {
            true => write!(out, "{text:<0$}", self.width),
            false => write!(out, "{text:>0$}", self.width),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::render;

    fn rendered(format: &str, arguments: &[u64]) -> String {
        let mut arguments = arguments.iter().copied();
        // SAFETY: the tests' arguments fit their formats.
        unsafe { render::<u16>(format, false, &mut || arguments.next().unwrap()) }
    }

    #[test]
    fn numbers() {
        assert_eq!(rendered("%d %u %x", &[-5i64 as u64, 7, 0xbeef]), "-5 7 beef");
        assert_eq!(rendered("[%5d|%-5d|%05d]", &[42, 42, -42i64 as u64]), "[   42|42   |-0042]");
        assert_eq!(rendered("%I64d %I64u", &[-1i64 as u64, u64::MAX]), "-1 18446744073709551615");
        assert_eq!(rendered("%ld %lu", &[0xffff_ffff, 0xffff_ffff]), "-1 4294967295");
        assert_eq!(rendered("%#x %.4d %%", &[255, 7]), "0xff 0007 %");
    }

    #[test]
    fn texts() {
        let narrow = c"port".as_ptr().expose_provenance() as u64;
        let wide: Vec<u16> = "weit\0".encode_utf16().collect();
        let at = wide.as_ptr().expose_provenance() as u64;
        assert_eq!(rendered("%s/%S/%ls/%hs", &[narrow, at, at, narrow]), "port/weit/weit/port");
        assert_eq!(rendered("[%6s|%-6.2s|%c]", &[narrow, narrow, 'x'.into()]), "[  port|po    |x]");
        assert_eq!(rendered("%s", &[0]), "(null)");
    }
}
