//! The keyboard, key by key: `_kbhit`, `_getch`.
//!
//! While one of them looks, the terminal gives keys at once and does not echo them; before and
//! after it is as it was. If standard input is no terminal, its bytes are the keys.

/// Standard input.
const INPUT: i32 = 0;

/// While it lives, the terminal gives single keys.
struct Raw(Option<libc::termios>);

impl Raw {
    fn begin() -> Raw {
        // SAFETY: a termios is plain data, which the call fills; what is no terminal is refused.
        unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(INPUT, &mut before) != 0 {
                return Raw(None);
            }
            let mut raw = before;
            raw.c_lflag &= !(libc::ICANON | libc::ECHO);
            raw.c_iflag &= !libc::ICRNL; // Enter is '\r', as on Windows.
            raw.c_cc[libc::VMIN] = 1;
            raw.c_cc[libc::VTIME] = 0;
            libc::tcsetattr(INPUT, libc::TCSANOW, &raw);
            Raw(Some(before))
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // SAFETY: the settings are the terminal's own.
            unsafe { libc::tcsetattr(INPUT, libc::TCSANOW, before) };
        }
    }
}

/// Whether a key waits: [_kbhit][ms]. Never at the end of standard input.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/kbhit
pub unsafe extern "C" fn _kbhit() -> i32 {
    let _raw = Raw::begin();
    let mut waiting: libc::c_int = 0;
    // SAFETY: the kernel writes one int.
    let asked = unsafe { libc::ioctl(INPUT, libc::FIONREAD, &mut waiting) };
    (asked == 0 && waiting > 0).into()
}

/// The next key, not echoed: [_getch][ms]. -1 at the end of standard input.
///
/// DIFFERS: a key with a number of bytes (an arrow) comes as the bytes that the terminal sends.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/getch-getwch
pub unsafe extern "C" fn _getch() -> i32 {
    let _raw = Raw::begin();
    let mut key = 0u8;
    loop {
        // SAFETY: the buffer is the one byte.
        match unsafe { libc::read(INPUT, (&raw mut key).cast(), 1) } {
            1 => return key.into(),
            -1 if std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted => {}
            _ => return -1,
        }
    }
}

/// The next key, echoed: [_getche][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/getch-getwch
pub unsafe extern "C" fn _getche() -> i32 {
    // SAFETY: they take numbers.
    unsafe {
        let key = _getch();
        if key >= 0 {
            _putch(key);
        }
        key
    }
}

/// Writes a character: [_putch][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/putch-putwch
pub unsafe extern "C" fn _putch(c: i32) -> i32 {
    unsafe extern "C" {
        fn putchar(c: i32) -> i32;
        fn fflush(stream: *mut libc::FILE) -> i32;
        static stdout: *mut libc::FILE;
    }
    // SAFETY: the program's own standard output, so that it keeps its order with printf's.
    unsafe {
        let written = putchar(c);
        fflush(stdout);
        written
    }
}
