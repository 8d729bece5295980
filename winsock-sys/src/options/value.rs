//! A caller's `optval` and `optlen`, going in and coming out.

use std::ptr;

use windows_sys::Win32::Networking::WinSock::WSAEFAULT;

use crate::error::Code;

const FAULT: Code = Code::wsa(WSAEFAULT);

/// A value that the caller has given.
pub struct Given {
    at: *const u8,
    len: usize,
}

impl Given {
    /// WSAEFAULT for NULL, and for a length that leaves nothing to read.
    ///
    /// # Safety
    /// `at` is NULL or readable for `len` bytes as long as this lives.
    pub unsafe fn new(at: *const u8, len: i32) -> Result<Given, Code> {
        match usize::try_from(len) {
            Ok(len) if len > 0 && !at.is_null() => Ok(Given { at, len }),
            _ => Err(FAULT),
        }
    }

    /// Plain data. WSAEFAULT if the value is shorter.
    pub fn plain<T: Plain>(&self) -> Result<T, Code> {
        if self.len < size_of::<T>() {
            return Err(FAULT);
        }
        // SAFETY: `new` was promised `len` readable bytes, and any bytes are a valid T.
        Ok(unsafe { ptr::read_unaligned(self.at.cast()) })
    }

    /// A number of which the caller may give the first byte alone.
    pub fn number(&self) -> u32 {
        match self.plain() {
            Ok(number) => number,
            // SAFETY: `new` was promised at least one readable byte.
            Err(_) => u32::from(unsafe { *self.at }),
        }
    }

    /// The bytes that lie `from` bytes into the value, and how many there are.
    pub fn rest(&self, from: usize) -> (*const u8, usize) {
        let skipped = from.min(self.len);
        (self.at.wrapping_add(skipped), self.len - skipped)
    }
}

/// A type of which any bytes are a valid value.
///
/// # Safety
/// The type holds integers, or arrays and unions of them, and nothing else.
pub unsafe trait Plain: Copy {}

// SAFETY: an integer.
unsafe impl Plain for u32 {}
// SAFETY: an integer.
unsafe impl Plain for usize {}

/// Room that the caller has for a value.
pub struct Room {
    at: *mut u8,
    len: usize,
    written: *mut i32,
}

impl Room {
    /// WSAEFAULT for NULL, and for no room at all.
    ///
    /// # Safety
    /// `len` is NULL or valid; `at` is NULL or writable for `*len` bytes as long as this lives.
    pub unsafe fn new(at: *mut u8, len: *mut i32) -> Result<Room, Code> {
        if at.is_null() || len.is_null() {
            return Err(FAULT);
        }
        // SAFETY: our caller vouches for the length.
        match usize::try_from(unsafe { *len }) {
            Ok(room) if room > 0 => Ok(Room { at, len: room, written: len }),
            _ => Err(FAULT),
        }
    }

    /// WSAEFAULT if there is too little room for a T.
    pub fn fits<T>(&self) -> Result<(), Code> {
        if size_of::<T>() <= self.len { Ok(()) } else { Err(FAULT) }
    }

    /// Writes plain data and its length. WSAEFAULT if there is too little room.
    pub fn put<T: Copy>(&self, value: T) -> Result<(), Code> {
        self.fits::<T>()?;
        // SAFETY: `new` was promised `len` writable bytes.
        unsafe { ptr::write_unaligned(self.at.cast(), value) };
        self.say(size_of::<T>());
        Ok(())
    }

    /// As `put`; if there is too little room, the length says how much would do.
    pub fn put_long<T: Copy>(&self, value: T) -> Result<(), Code> {
        self.put(value).inspect_err(|_| self.say(size_of::<T>()))
    }

    /// Writes a number, or its first byte if there is room for no more.
    pub fn put_number(&self, value: u32) {
        if self.put(value).is_err() {
            self.put_byte(value as u8);
        }
    }

    pub fn put_byte(&self, value: u8) {
        // SAFETY: `new` was promised at least one writable byte.
        unsafe { *self.at = value };
        self.say(1);
    }

    /// Where the value goes.
    pub fn at(&self) -> *mut u8 {
        self.at
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Tells the caller the length.
    pub fn say(&self, len: usize) {
        // SAFETY: `new` was promised that the length is valid.
        unsafe { *self.written = len as i32 };
    }
}
