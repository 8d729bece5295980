//! Locales under the names that Windows has for them.
//!
//! Text is UTF-8 here in every locale, so one that the system does not have is stood in for by
//! `C.UTF-8`.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr;
use std::sync::{Mutex, PoisonError};

use crate::text::{self, Unit};

/// Windows' names of languages, and what the system calls the locale.
const LANGUAGES: [(&str, &str); 36] = [
    ("american", "en_US"),
    ("chinese", "zh_CN"),
    ("chinese-simplified", "zh_CN"),
    ("chinese-traditional", "zh_TW"),
    ("chs", "zh_CN"),
    ("cht", "zh_TW"),
    ("czech", "cs_CZ"),
    ("danish", "da_DK"),
    ("deu", "de_DE"),
    ("dutch", "nl_NL"),
    ("eng", "en_GB"),
    ("english", "en_US"),
    ("english-american", "en_US"),
    ("english-uk", "en_GB"),
    ("english-us", "en_US"),
    ("enu", "en_US"),
    ("finnish", "fi_FI"),
    ("fra", "fr_FR"),
    ("french", "fr_FR"),
    ("german", "de_DE"),
    ("greek", "el_GR"),
    ("hungarian", "hu_HU"),
    ("italian", "it_IT"),
    ("japanese", "ja_JP"),
    ("jpn", "ja_JP"),
    ("kor", "ko_KR"),
    ("korean", "ko_KR"),
    ("norwegian", "nb_NO"),
    ("polish", "pl_PL"),
    ("portuguese", "pt_PT"),
    ("rus", "ru_RU"),
    ("russian", "ru_RU"),
    ("spanish", "es_ES"),
    ("swedish", "sv_SE"),
    ("turkish", "tr_TR"),
    ("vietnamese", "vi_VN"),
];

/// What was set by a name of Windows', for who asks; empty if it was one of the system's.
static NAMED: Mutex<Option<CString>> = Mutex::new(None);

/// The system's locale for a name of Windows'; `None` if it is no name of a locale.
fn meant(name: &str) -> Option<Cow<'static, str>> {
    let lower = name.to_ascii_lowercase();
    let (place, _code_page) = lower.split_once('.').unwrap_or((&lower, ""));
    let language = place.split('_').next().unwrap_or_default();
    if let Some((_, system)) = LANGUAGES.iter().find(|(windows, _)| *windows == language) {
        return Some(format!("{system}.UTF-8").into());
    }
    // The system's own default, a code page alone, and "ko-KR" or "ko_KR".
    let is_tag =
        |part: &str| (2..=4).contains(&part.len()) && part.chars().all(char::is_alphabetic);
    let parts: Vec<&str> = place.split(['-', '_']).collect();
    if place.is_empty() {
        return Some("C.UTF-8".into());
    }
    let tag = parts.len() > 1 && parts.len() < 4 && parts.iter().all(|part| is_tag(part));
    tag.then(|| {
        let country = parts[parts.len() - 1].to_uppercase();
        format!("{}_{country}.UTF-8", parts[0]).into()
    })
}

/// What is tried in turn.
fn candidates(name: &CStr) -> Vec<CString> {
    let meant = name.to_str().ok().and_then(meant);
    let mut all = vec![name.to_owned()];
    if let Some(meant) = meant {
        all.extend(CString::new(&*meant));
        all.extend([c"C.UTF-8".to_owned(), c"C".to_owned()]);
    }
    all
}

/// Sets or tells the program's locale: [setlocale][ms]. NULL for what is no locale's name.
///
/// DIFFERS: the answer is the name that was given, not Windows' own of it; what stands for a locale
/// that the system does not have is its `C.UTF-8`.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/setlocale-wsetlocale
///
/// # Safety
/// As on Windows: the name is NULL or ends in a NUL, and no other thread sets the locale.
pub unsafe extern "C" fn setlocale(category: c_int, name: *const c_char) -> *mut c_char {
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner);
    if name.is_null() {
        // SAFETY: it only tells.
        let system = unsafe { libc::setlocale(category, ptr::null()) };
        return named.as_ref().map_or(system, |name| name.as_ptr().cast_mut());
    }
    // SAFETY: our caller promises a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    for (at, candidate) in candidates(name).iter().enumerate() {
        // SAFETY: passed on from our caller.
        let set = unsafe { libc::setlocale(category, candidate.as_ptr()) };
        if set.is_null() {
            continue;
        }
        if at == 0 || name.is_empty() {
            *named = None;
            return set;
        }
        let name = named.insert(name.to_owned());
        return name.as_ptr().cast_mut();
    }
    ptr::null_mut()
}

/// A locale for C++'s `std::locale`, under the names that [`setlocale`] takes; else as
/// [newlocale][man].
///
/// [man]: https://man7.org/linux/man-pages/man3/newlocale.3.html
///
/// # Safety
/// As that function's: the name ends in a NUL, `base` is 0 or a locale that is given up.
pub unsafe extern "C" fn winsock_newlocale(
    categories: c_int,
    name: *const c_char,
    base: libc::locale_t,
) -> libc::locale_t {
    if name.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: our caller promises a NUL.
    let name = unsafe { CStr::from_ptr(name) };
    let all = candidates(name);
    // SAFETY: passed on from our caller; one that fails leaves the base alone.
    let mut made =
        all.iter().map(|name| unsafe { libc::newlocale(categories, name.as_ptr(), base) });
    made.find(|locale| !locale.is_null()).unwrap_or(ptr::null_mut())
}

/// The last answer, in the program's units.
///
/// # Safety
/// As [`setlocale`].
unsafe fn set_wide<U: Unit>(category: c_int, name: *const U) -> *mut U {
    // SAFETY: passed on from our caller.
    let narrow = unsafe { text::convert::<U, u8>(name) };
    // SAFETY: as above; the answer ends in a NUL.
    unsafe {
        let said = setlocale(category, text::pointer(&narrow).cast());
        let wide = text::convert::<u8, U>(said.cast_const().cast());
        // It stays the program's for good, and a program sets few.
        wide.map_or(ptr::null_mut(), |wide| wide.leak().as_mut_ptr())
    }
}

/// The functions with UTF-16.
pub mod utf16 {
    use super::*;

    /// As setlocale with wide text: [_wsetlocale][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/setlocale-wsetlocale
    ///
    /// # Safety
    /// As [`setlocale`].
    pub unsafe extern "C" fn _wsetlocale(category: c_int, name: *const u16) -> *mut u16 {
        // SAFETY: passed on from our caller.
        unsafe { set_wide(category, name) }
    }
}

/// The functions with UTF-32.
pub mod utf32 {
    use super::*;

    /// As setlocale with wide text: [_wsetlocale][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/setlocale-wsetlocale
    ///
    /// # Safety
    /// As [`setlocale`].
    pub unsafe extern "C" fn _wsetlocale(category: c_int, name: *const u32) -> *mut u32 {
        // SAFETY: passed on from our caller.
        unsafe { set_wide(category, name) }
    }
}
