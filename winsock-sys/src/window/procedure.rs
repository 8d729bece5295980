//! Window procedures, and text on its way from one that speaks ANSI to one that speaks Unicode.

use std::sync::LazyLock;

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTW, WM_CREATE, WM_GETTEXT, WM_GETTEXTLENGTH, WM_NCCREATE, WM_SETTEXT, WNDPROC,
};

use super::default::{DefWindowProcA, DefWindowProcW};
use super::handle_of;
use crate::queue::Call;
use crate::sync::{Mutex, lock};
use crate::text::{self, Unit};

/// What the text of a message is encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Ansi,
    Unicode,
}

impl Encoding {
    /// The bytes of one unit.
    pub fn unit_bytes(self) -> usize {
        match self {
            Encoding::Ansi => 1,
            Encoding::Unicode => 2,
        }
    }

    /// The bytes of a string with its NUL.
    ///
    /// # Safety
    /// `string` is readable up to a NUL of this encoding.
    pub unsafe fn string_bytes(self, string: *const u8) -> usize {
        // SAFETY: passed on from our caller.
        unsafe {
            match self {
                Encoding::Ansi => text::units(string).len() + 1,
                Encoding::Unicode => (text::units(string.cast::<u16>()).len() + 1) * 2,
            }
        }
    }
}

/// The unit of a string, and the encoding of functions that take such strings.
pub trait Spelling: Unit {
    const ENCODING: Encoding;
}

impl Spelling for u8 {
    const ENCODING: Encoding = Encoding::Ansi;
}

impl Spelling for u16 {
    const ENCODING: Encoding = Encoding::Unicode;
}

/// A window procedure and what it speaks, in one word: code has no addresses above half the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Procedure(usize);

const UNICODE: usize = 1 << (usize::BITS - 1);

/// Procedures of the other encoding than that of who asked for them. Their place here, above
/// [`FOREIGN`], is what was answered: CallWindowProc knows it, and translates.
static FOREIGNERS: LazyLock<Mutex<Vec<Procedure>>> = LazyLock::new(Mutex::default);

/// Odd, and above every address.
const FOREIGN: usize = 0x7FFF_0000_0000_0001;
const MOST_FOREIGNERS: usize = 0xFFFF;

impl Procedure {
    /// A procedure as `encoding`'s functions take it: an address, or what [`Procedure::spelled`]
    /// gave. NULL stands for the default procedure.
    pub fn new(procedure: usize, encoding: Encoding) -> Procedure {
        let foreign = procedure.checked_sub(FOREIGN).filter(|at| at % 2 == 0);
        if let Some(at) = foreign
            && let Some(&known) = lock(&FOREIGNERS).get(at / 2)
        {
            return known;
        }
        let flag = if encoding == Encoding::Unicode { UNICODE } else { 0 };
        Procedure(procedure | flag)
    }

    pub fn of(procedure: WNDPROC, encoding: Encoding) -> Procedure {
        Procedure::new(procedure.map_or(0, |procedure| procedure as usize), encoding)
    }

    pub fn pack(self) -> usize {
        self.0
    }

    pub fn unpack(word: usize) -> Procedure {
        Procedure(word)
    }

    pub fn encoding(self) -> Encoding {
        if self.0 & UNICODE == 0 { Encoding::Ansi } else { Encoding::Unicode }
    }

    fn address(self) -> usize {
        self.0 & !UNICODE
    }

    /// The procedure as `encoding`'s functions return it: its address if it speaks that, else a
    /// value that only CallWindowProc and its kin understand.
    pub fn spelled(self, encoding: Encoding) -> usize {
        if self.encoding() == encoding || self.address() == 0 {
            return self.address();
        }
        let mut foreigners = lock(&FOREIGNERS);
        let at = foreigners.iter().position(|&known| known == self).unwrap_or_else(|| {
            foreigners.push(self);
            foreigners.len() - 1
        });
        if at < MOST_FOREIGNERS { FOREIGN + 2 * at } else { self.address() }
    }

    /// As [`Procedure::spelled`], as a pointer to a function.
    pub fn as_wndproc(self, encoding: Encoding) -> WNDPROC {
        // SAFETY: NULL is `None`, and the other values are carried until they come back to us, or
        // are addresses that the program gave as pointers of this type.
        unsafe { std::mem::transmute::<usize, WNDPROC>(self.spelled(encoding)) }
    }

    /// Calls the procedure, its text in the encoding that it speaks.
    ///
    /// # Safety
    /// The parameters are what the message says they are, and the procedure is one.
    pub unsafe fn call(self, call: &Call) -> LRESULT {
        let Call { message, wparam, lparam, encoding, .. } = *call;
        let speaks = self.encoding();
        // SAFETY: passed on from our caller.
        unsafe {
            match speaks {
                _ if speaks == encoding || !carries_text(message) => {
                    self.invoke(call, message, wparam, lparam)
                }
                Encoding::Unicode => self.translate::<u8, u16>(call),
                Encoding::Ansi => self.translate::<u16, u8>(call),
            }
        }
    }

    /// # Safety
    /// As [`Procedure::call`], with text in the procedure's encoding.
    unsafe fn invoke(self, call: &Call, message: u32, wparam: WPARAM, lparam: LPARAM) -> LRESULT {
        let hwnd = handle_of(call.hwnd);
        // SAFETY: our caller vouches for the procedure; NULL is `None`.
        let procedure = unsafe { std::mem::transmute::<usize, WNDPROC>(self.address()) };
        // SAFETY: and for the parameters.
        unsafe {
            match (procedure, self.encoding()) {
                (Some(procedure), _) => procedure(hwnd, message, wparam, lparam),
                (None, Encoding::Ansi) => DefWindowProcA(hwnd, message, wparam, lparam),
                (None, Encoding::Unicode) => DefWindowProcW(hwnd, message, wparam, lparam),
            }
        }
    }

    /// Calls a procedure that speaks `To` on behalf of somebody who speaks `From`.
    ///
    /// # Safety
    /// As [`Procedure::call`].
    unsafe fn translate<From: Unit, To: Unit>(self, call: &Call) -> LRESULT {
        let Call { message, wparam, lparam, .. } = *call;
        let pointer: *mut From = std::ptr::with_exposed_provenance_mut(lparam as usize);
        // SAFETY: our caller vouches for strings, buffers and structures; what we pass on lives
        // until the procedure has returned.
        unsafe {
            match message {
                WM_SETTEXT => {
                    let text = text::read(pointer).map(|text| To::encode(&text));
                    self.invoke(call, message, wparam, address_of(&text))
                }
                WM_GETTEXT => {
                    let text = self.text::<To>(call, wparam);
                    text::write_cut(&text, pointer, wparam) as LRESULT
                }
                WM_GETTEXTLENGTH => {
                    let length = self.invoke(call, message, 0, 0).max(0) as usize;
                    let text = self.text::<To>(call, length + 1);
                    (From::encode(&text).len() - 1) as LRESULT
                }
                WM_NCCREATE | WM_CREATE if !pointer.is_null() => {
                    // The two structures differ in what their strings are made of, not in layout.
                    let mut create = *pointer.cast::<CREATESTRUCTW>();
                    let name = text::read::<From>(create.lpszName.cast());
                    let name = name.map(|text| To::encode(&text));
                    create.lpszName = std::ptr::with_exposed_provenance(address_of(&name) as usize);
                    let mut class = None;
                    if create.lpszClass.addr() > 0xFFFF {
                        class = text::read::<From>(create.lpszClass.cast());
                    }
                    let class = class.map(|text| To::encode(&text));
                    if class.is_some() {
                        create.lpszClass =
                            std::ptr::with_exposed_provenance(address_of(&class) as usize);
                    }
                    let create = (&raw mut create).expose_provenance();
                    self.invoke(call, message, wparam, create as LPARAM)
                }
                _ => self.invoke(call, message, wparam, lparam),
            }
        }
    }

    /// Asks the window, which speaks `To`, for as much of its text as fills `room` of the asker's
    /// units.
    ///
    /// # Safety
    /// As [`Procedure::call`].
    unsafe fn text<To: Unit>(self, call: &Call, room: usize) -> String {
        // One unit of UTF-16 takes up to three of UTF-8.
        let mut buffer = vec![To::default(); room.saturating_mul(3)];
        let pointer = buffer.as_mut_ptr().expose_provenance();
        // SAFETY: the buffer has the room that the message says.
        let length = unsafe { self.invoke(call, WM_GETTEXT, buffer.len(), pointer as LPARAM) };
        To::decode(&buffer[..(length.max(0) as usize).min(buffer.len())])
    }
}

fn carries_text(message: u32) -> bool {
    matches!(message, WM_SETTEXT | WM_GETTEXT | WM_GETTEXTLENGTH | WM_NCCREATE | WM_CREATE)
}

/// Where a translated string is; 0 for NULL.
fn address_of<U>(text: &Option<Vec<U>>) -> LPARAM {
    text.as_ref().map_or(0, |text| text.as_ptr().expose_provenance() as LPARAM)
}

/// Calls a window procedure that a subclass has replaced: [CallWindowProcW][ms].
///
/// Takes what SetWindowLongPtr returned, and translates text if that procedure expects ANSI.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-callwindowprocw
///
/// # Safety
/// As on Windows: the procedure is one, and the parameters are what the message says they are.
pub unsafe extern "system" fn CallWindowProcW(
    procedure: WNDPROC,
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Unicode);
    // SAFETY: passed on from our caller.
    unsafe { Procedure::of(procedure, Encoding::Unicode).call(&call) }
}

/// As [`CallWindowProcW`], for ANSI: [CallWindowProcA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-callwindowproca
///
/// # Safety
/// As [`CallWindowProcW`].
pub unsafe extern "system" fn CallWindowProcA(
    procedure: WNDPROC,
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Ansi);
    // SAFETY: passed on from our caller.
    unsafe { Procedure::of(procedure, Encoding::Ansi).call(&call) }
}
