//! Names that have numbers: window classes and registered messages share one table of them.

use std::sync::LazyLock;

use windows_sys::Win32::Foundation::{ERROR_INVALID_NAME, ERROR_NOT_ENOUGH_MEMORY};
use windows_sys::core::{PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::sync::{Mutex, lock};
use crate::text::{self, Unit};

/// The numbers of names; those below are the program's own.
const FIRST: u16 = 0xC000;
/// The longest name.
const LONGEST: usize = 255;

struct Atom {
    name: String,
    /// Classes of this name, and one for ever if it is a message.
    uses: u32,
    is_message: bool,
}

/// By number, from [`FIRST`] on.
static ATOMS: LazyLock<Mutex<Vec<Atom>>> = LazyLock::new(Mutex::default);

/// The number of a name, given to it now if it has none. ERROR_INVALID_NAME,
/// ERROR_NOT_ENOUGH_MEMORY when there are none left.
pub fn add(name: &str) -> Result<u16, Code> {
    insert(name, false)
}

fn insert(name: &str, is_message: bool) -> Result<u16, Code> {
    if name.is_empty() || name.encode_utf16().count() > LONGEST {
        return Err(Code(ERROR_INVALID_NAME));
    }
    let mut atoms = lock(&ATOMS);
    let used = |atom: &Atom| atom.uses > 0 && same(&atom.name, name);
    if let Some(at) = atoms.iter().position(used) {
        let atom = &mut atoms[at];
        if !is_message || !atom.is_message {
            atom.uses += 1;
        }
        atom.is_message |= is_message;
        return Ok(FIRST + at as u16);
    }
    let fresh = Atom { name: name.to_owned(), uses: 1, is_message };
    let at = match atoms.iter().position(|atom| atom.uses == 0) {
        Some(at) => {
            atoms[at] = fresh;
            at
        }
        None => {
            atoms.push(fresh);
            atoms.len() - 1
        }
    };
    if at > usize::from(u16::MAX - FIRST) {
        atoms.pop();
        return Err(Code(ERROR_NOT_ENOUGH_MEMORY));
    }
    Ok(FIRST + at as u16)
}

/// The name that has this number.
pub fn name(atom: u16) -> Option<String> {
    let atoms = lock(&ATOMS);
    let atom = atoms.get(usize::from(atom.checked_sub(FIRST)?))?;
    (atom.uses > 0).then(|| atom.name.clone())
}

/// One use of the number less.
pub fn release(atom: u16) {
    if let Some(atom) = lock(&ATOMS).get_mut(usize::from(atom.wrapping_sub(FIRST))) {
        atom.uses = atom.uses.saturating_sub(1);
    }
}

/// Names do not depend on case.
pub fn same(a: &str, b: &str) -> bool {
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

/// The number of a message that is known by name, the same for every caller:
/// [RegisterWindowMessageW][ms]. 0 for a bad name: ERROR_INVALID_NAME.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerwindowmessagew
///
/// # Safety
/// As on Windows: `name` is a string.
pub unsafe extern "system" fn RegisterWindowMessageW(name: PCWSTR) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { register(name) }
}

/// As [`RegisterWindowMessageW`], for ANSI: [RegisterWindowMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-registerwindowmessagea
///
/// # Safety
/// As [`RegisterWindowMessageW`].
pub unsafe extern "system" fn RegisterWindowMessageA(name: PCSTR) -> u32 {
    // SAFETY: passed on from our caller.
    unsafe { register(name) }
}

/// # Safety
/// `name` is NULL or a string.
unsafe fn register<U: Unit>(name: *const U) -> u32 {
    // SAFETY: passed on from our caller.
    let name = unsafe { text::read(name) };
    match name.ok_or(Code(ERROR_INVALID_NAME)).and_then(|name| insert(&name, true)) {
        Ok(atom) => atom.into(),
        Err(code) => {
            error::set_last(code);
            0
        }
    }
}
