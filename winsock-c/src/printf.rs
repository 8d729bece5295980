//! `printf` and its family with Microsoft's formats: `%I64d`, `%Iu`, `%hs`, `%S`, and in wide
//! formats a `%s` that is wide.
//!
//! Text of every kind goes to a stream as bytes, wide text as UTF-8, so that `printf` and `wprintf`
//! may write to one stream, as on Windows. Text in bytes is not looked into.
//!
//! DIFFERS: a `long` of Windows has 32 bits. `%ld` prints the lower 32 bits of its argument, unless
//! the upper ones say that it is a larger number: it is an `int` in the sources (LONG, DWORD), or
//! one of Linux' own.

use std::any::TypeId;
use std::ffi::{c_char, c_int};

use crate::text::{self, Unit};
use crate::va::{VaList, variadic};

unsafe extern "C" {
    static stdout: *mut libc::FILE;

    #[link_name = "vsnprintf"]
    fn print(to: *mut c_char, room: usize, format: *const c_char, list: *mut VaList) -> c_int;
}

/// A width or precision beyond this is a mistake, and the call fails.
const MOST: usize = 1 << 24;

/// One `%` and what follows it.
#[derive(Default)]
struct Spec {
    /// Of `-+ #0`.
    flags: String,
    width: Option<usize>,
    precision: Option<usize>,
    size: Size,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Size {
    #[default]
    Int,
    Char,
    /// `h`: 16 bits of a number; text in bytes.
    Short,
    /// `l` and `w`: a Windows `long`; wide text.
    Long,
    /// `ll`, `I64`, `j`, and `I`, `z`, `t`.
    Wide,
    /// `L`, of floating-point numbers.
    LongDouble,
}

/// Fills a format's places with the arguments; `None` if the format cannot be followed. `Wide` is
/// the program's wide character.
///
/// # Safety
/// The arguments are what the format says: text is NULL or ends in a NUL, or at its precision.
unsafe fn render<U: Unit + Into<u32>, Wide: Unit + Into<u32>>(
    format: &[U],
    list: &mut VaList,
) -> Option<Vec<U>> {
    let mut out = Vec::new();
    let mut rest = format;
    while let Some((&unit, after)) = rest.split_first() {
        rest = after;
        if unit.into() != '%'.into() {
            out.push(unit);
            continue;
        }
        // SAFETY: our caller vouches for the arguments.
        unsafe {
            let spec = parse(&mut rest, list)?;
            let (&kind, after) = rest.split_first()?;
            rest = after;
            match char::from_u32(kind.into()).unwrap_or_default() {
                kind @ ('d' | 'i' | 'o' | 'u' | 'x' | 'X') => {
                    out.append(&mut U::encode(&spec.number(kind, list.next())));
                }
                kind @ ('a' | 'A' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G') => {
                    out.append(&mut U::encode(&spec.float(kind, list)));
                }
                'p' => spec.put(&mut out, U::encode(&format!("{:016X}", list.next()))),
                kind @ ('c' | 'C') => {
                    let character = list.next();
                    match spec.is_wide::<U>(kind == 'c') {
                        true => spec.put(&mut out, spelled::<U>(character as u32)),
                        false => spec.put(&mut out, of_bytes(&[character as u8])),
                    }
                }
                kind @ ('s' | 'S') => {
                    let at = std::ptr::with_exposed_provenance::<u8>(list.next() as usize);
                    let units = match spec.is_wide::<U>(kind == 's') {
                        true => converted(spec.text(at.cast::<Wide>())),
                        false => converted(spec.text(at)),
                    };
                    spec.put(&mut out, units.unwrap_or_else(|| U::encode("(null)")));
                }
                // Written through a pointer: refused, as on Windows.
                'n' => return None,
                // A percent sign, or what Windows prints as it stands.
                _ => out.push(kind),
            }
        }
    }
    Some(out)
}

/// A character in the units of the output.
fn spelled<U: Unit>(code: u32) -> Vec<U> {
    match char::from_u32(code) {
        Some(char) => U::encode(char.encode_utf8(&mut [0; 4])),
        None => converted(Some(&[code])).unwrap_or_default(),
    }
}

fn of_bytes<U: Unit>(bytes: &[u8]) -> Vec<U> {
    converted(Some(bytes)).unwrap_or_default()
}

/// Text in other units. Of the same units it is not looked into: bytes need not be UTF-8.
fn converted<From: Unit, To: Unit>(units: Option<&[From]>) -> Option<Vec<To>> {
    let units = units?;
    if TypeId::of::<From>() == TypeId::of::<To>() {
        // SAFETY: it is the same type.
        let same = unsafe { std::slice::from_raw_parts(units.as_ptr().cast::<To>(), units.len()) };
        return Some(same.to_vec());
    }
    Some(To::encode(&From::decode(units)))
}

fn digit<U: Unit + Into<u32>>(unit: U) -> Option<usize> {
    char::from_u32(unit.into())?.to_digit(10).map(|digit| digit as usize)
}

/// Takes what stands between the `%` and the kind.
///
/// # Safety
/// As [`render`].
unsafe fn parse<U: Unit + Into<u32>>(rest: &mut &[U], list: &mut VaList) -> Option<Spec> {
    let is = |unit: &U, char: char| (*unit).into() == char.into();
    let mut spec = Spec::default();
    while let Some((unit, after)) = rest.split_first()
        && let Some(flag) = "-+ #0".chars().find(|flag| is(unit, *flag))
    {
        spec.flags.push(flag);
        *rest = after;
    }
    let mut count = |rest: &mut &[U]| {
        if let Some((star, after)) = rest.split_first()
            && is(star, '*')
        {
            *rest = after;
            // SAFETY: our caller vouches for the arguments.
            return unsafe { list.next() } as i32 as isize;
        }
        let mut number = 0usize;
        while let Some((&unit, after)) = rest.split_first()
            && let Some(digit) = digit(unit)
        {
            number = (number * 10 + digit).min(MOST + 1);
            *rest = after;
        }
        number as isize
    };
    let width = count(rest);
    if width < 0 {
        spec.flags.push('-');
    }
    spec.width = Some(width.unsigned_abs()).filter(|width| *width > 0);
    if let Some((dot, after)) = rest.split_first()
        && is(dot, '.')
    {
        *rest = after;
        spec.precision = usize::try_from(count(rest)).ok();
    }
    if spec.width.max(spec.precision).is_some_and(|most| most > MOST) {
        return None;
    }
    spec.size = size(rest);
    Some(spec)
}

fn size<U: Unit + Into<u32>>(rest: &mut &[U]) -> Size {
    const SIZES: [(&str, Size); 12] = [
        ("I64", Size::Wide),
        ("I32", Size::Int),
        ("I", Size::Wide),
        ("ll", Size::Wide),
        ("l", Size::Long),
        ("w", Size::Long),
        ("hh", Size::Char),
        ("h", Size::Short),
        ("j", Size::Wide),
        ("z", Size::Wide),
        ("t", Size::Wide),
        ("L", Size::LongDouble),
    ];
    for (word, size) in SIZES {
        let len = word.len();
        if rest.len() >= len && word.chars().zip(*rest).all(|(a, b)| (*b).into() == a.into()) {
            *rest = &rest[len..];
            return size;
        }
    }
    Size::Int
}

impl Spec {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    /// Whether text or a character is wide; `plain` if the letter is a small one.
    fn is_wide<U: Unit>(&self, plain: bool) -> bool {
        match self.size {
            Size::Char | Size::Short => false,
            Size::Long | Size::Wide | Size::LongDouble => true,
            Size::Int => (size_of::<U>() > 1) == plain,
        }
    }

    /// An argument's text before its NUL and within the precision.
    ///
    /// # Safety
    /// As [`render`].
    unsafe fn text<'a, U: Unit>(&self, at: *const U) -> Option<&'a [U]> {
        let Some(most) = self.precision else {
            // SAFETY: passed on from our caller.
            return unsafe { text::units(at) };
        };
        if at.is_null() {
            return None;
        }
        let mut len = 0;
        // SAFETY: our caller vouches for so many units, or a NUL before.
        unsafe {
            while len < most && *at.add(len) != U::default() {
                len += 1;
            }
            Some(std::slice::from_raw_parts(at, len))
        }
    }

    /// The directive as the C library understands it.
    fn directive(&self, size: &str, kind: char) -> Vec<u8> {
        let width = self.width.map_or(String::new(), |width| width.to_string());
        let precision = self.precision.map_or(String::new(), |number| format!(".{number}"));
        format!("%{}{width}{precision}{size}{kind}\0", self.flags).into_bytes()
    }

    fn number(&self, kind: char, argument: u64) -> String {
        let signed = matches!(kind, 'd' | 'i');
        let value = match (self.size, signed) {
            (Size::Char, true) => argument as i8 as u64,
            (Size::Char, false) => (argument as u8).into(),
            (Size::Short, true) => argument as i16 as u64,
            (Size::Short, false) => (argument as u16).into(),
            (Size::Int, true) => argument as i32 as u64,
            (Size::Int, false) => (argument as u32).into(),
            (Size::Long, true) if argument >> 32 == 0 => argument as i32 as u64,
            (Size::Long, false) if argument as i32 as u64 == argument => (argument as u32).into(),
            (Size::Long | Size::Wide | Size::LongDouble, _) => argument,
        };
        let directive = self.directive("ll", kind);
        // SAFETY: the directive takes one number of 64 bits.
        said(|to, room| unsafe { libc::snprintf(to, room, directive.as_ptr().cast(), value) })
    }

    /// # Safety
    /// The next argument is a `double`, or a `long double` after `%L`.
    unsafe fn float(&self, kind: char, list: &mut VaList) -> String {
        let is_long = self.size == Size::LongDouble;
        let directive = self.directive(if is_long { "L" } else { "" }, kind);
        // SAFETY: our caller vouches for the argument, which each call finds in a list of its own.
        unsafe {
            let text =
                said(|to, room| print(to, room, directive.as_ptr().cast(), &mut list.clone()));
            list.skip_float(is_long);
            text
        }
    }

    /// Text, filled up to the width.
    fn put<U: Unit>(&self, out: &mut Vec<U>, mut text: Vec<U>) {
        let filler = if self.has('0') && !self.has('-') { "0" } else { " " };
        let missing = self.width.unwrap_or(0).saturating_sub(text.len());
        let mut padding = U::encode(&filler.repeat(missing));
        if self.has('-') {
            out.append(&mut text);
            out.append(&mut padding);
        } else {
            out.append(&mut padding);
            out.append(&mut text);
        }
    }
}

/// What a function of the C library prints, however long it is.
fn said(print: impl Fn(*mut c_char, usize) -> c_int) -> String {
    let mut buffer = vec![0u8; 128];
    loop {
        let len = usize::try_from(print(buffer.as_mut_ptr().cast(), buffer.len())).unwrap_or(0);
        if len < buffer.len() {
            buffer.truncate(len);
            return String::from_utf8_lossy(&buffer).into_owned();
        }
        buffer.resize(len + 1, 0);
    }
}

/// # Safety
/// As [`render`]; `format` is NULL or ends in a NUL.
unsafe fn rendered<U: Unit + Into<u32>, Wide: Unit + Into<u32>>(
    format: *const U,
    list: *mut VaList,
) -> Option<Vec<U>> {
    // SAFETY: passed on from our caller; a va_list of C is no NULL.
    let out = unsafe { text::units(format).and_then(|it| render::<U, Wide>(it, &mut *list)) };
    if out.is_none() {
        // SAFETY: the thread's own errno.
        unsafe { *libc::__errno_location() = libc::EINVAL };
    }
    out
}

/// Writes units to a stream, wide ones as UTF-8; -1 if it fails.
///
/// # Safety
/// `stream` is a stream of the C library.
unsafe fn write<U: Unit>(stream: *mut libc::FILE, units: &[U]) -> c_int {
    let bytes: Vec<u8> = converted(Some(units)).unwrap_or_default();
    // SAFETY: passed on from our caller.
    match unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), stream) } {
        written if written == bytes.len() => units.len() as c_int,
        _ => -1,
    }
}

/// # Safety
/// As [`rendered`] and [`write`].
unsafe fn to_stream<U: Unit + Into<u32>, Wide: Unit + Into<u32>>(
    stream: *mut libc::FILE,
    format: *const U,
    list: *mut VaList,
) -> c_int {
    // SAFETY: passed on from our caller.
    unsafe { rendered::<U, Wide>(format, list).map_or(-1, |units| write(stream, &units)) }
}

/// What becomes of text that is longer than its room.
#[derive(Clone, Copy, PartialEq)]
enum Long {
    /// Cut before a NUL, and its length is the answer.
    Told,
    /// Cut before a NUL, and the answer is -1.
    Cut,
    /// Cut without a NUL, and the answer is -1.
    Open,
}

/// # Safety
/// As [`rendered`]; `to` has room for `room` units.
unsafe fn to_buffer<U: Unit + Into<u32>, Wide: Unit + Into<u32>>(
    to: *mut U,
    room: usize,
    format: *const U,
    list: *mut VaList,
    long: Long,
) -> c_int {
    // SAFETY: passed on from our caller.
    let Some(mut units) = (unsafe { rendered::<U, Wide>(format, list) }) else { return -1 };
    let len = units.len();
    // `Open` does without the NUL if the text itself has room.
    let fits = len < room || (long == Long::Open && len == room);
    units.push(U::default());
    if to.is_null() {
        return if long == Long::Cut || room > 0 { -1 } else { len as c_int };
    }
    let copied = units.len().min(room);
    if !fits && long != Long::Open && copied > 0 {
        units[copied - 1] = U::default();
    }
    // SAFETY: our caller promises the room.
    unsafe { units.as_ptr().copy_to_nonoverlapping(to, copied) };
    if fits || long == Long::Told { len as c_int } else { -1 }
}

/// The functions for one of the two kinds of wide characters.
macro_rules! family {
    ($($(#[$doc:meta])* $module:ident of $wide:ty;)*) => {$(
        $(#[$doc])*
        pub mod $module {
            use super::*;

            type Wide = $wide;

            include!("printf/family.rs");
        }
    )*};
}

family! {
    /// Where a wide character has two bytes.
    utf16 of u16;
    /// Where a wide character has four bytes.
    utf32 of u32;
}
