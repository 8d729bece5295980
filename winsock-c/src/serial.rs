//! Serial ports, as far as termios has them: speed, frame, flow control, and how long a read waits.

use std::fs::File;
use std::os::fd::AsRawFd;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE,
};
use windows_sys::core::BOOL;

use crate::last::{Code, answer};

/// DCB. Its first bit-fields are one word.
#[repr(C)]
pub struct Settings {
    size: u32,
    speed: u32,
    flags: u32,
    reserved: u16,
    xon_limit: u16,
    xoff_limit: u16,
    byte_size: u8,
    parity: u8,
    stop_bits: u8,
    xon: u8,
    xoff: u8,
    error: u8,
    end: u8,
    event: u8,
    reserved1: u16,
}

/// COMMTIMEOUTS.
#[repr(C)]
pub struct Timeouts {
    read_interval: u32,
    read_total_multiplier: u32,
    read_total_constant: u32,
    write_total_multiplier: u32,
    write_total_constant: u32,
}

const BINARY: u32 = 1;
const PARITY: u32 = 1 << 1;
const OUT_CTS_FLOW: u32 = 1 << 2;
const DTR_ENABLE: u32 = 1 << 4;
const OUT_X: u32 = 1 << 8;
const IN_X: u32 = 1 << 9;
const RTS_ENABLE: u32 = 1 << 12;
const RTS_HANDSHAKE: u32 = 2 << 12;

const NO_PARITY: u8 = 0;
const ODD_PARITY: u8 = 1;
const EVEN_PARITY: u8 = 2;
const ONE_STOP_BIT: u8 = 0;
const TWO_STOP_BITS: u8 = 2;

/// A terminal's settings. ERROR_INVALID_FUNCTION for another file, ERROR_INVALID_HANDLE.
///
/// The kernel is asked itself: its numbers for speeds are speeds, those of glibc's versions differ.
fn terminal(handle: HANDLE) -> Result<(File, libc::termios2), Code> {
    let file = winsock_sys::linux::file_of(handle).ok_or(Code(ERROR_INVALID_HANDLE))?;
    // SAFETY: a termios2 is plain data, and the kernel fills it.
    let (failed, settings) = unsafe {
        let mut settings: libc::termios2 = std::mem::zeroed();
        (libc::ioctl(file.as_raw_fd(), libc::TCGETS2, &raw mut settings) != 0, settings)
    };
    if failed { Err(Code(ERROR_INVALID_FUNCTION)) } else { Ok((file, settings)) }
}

fn set(file: &File, settings: &libc::termios2) -> Result<(), Code> {
    // SAFETY: the descriptor is open and the settings are this frame's.
    match unsafe { libc::ioctl(file.as_raw_fd(), libc::TCSETS2, &raw const *settings) } {
        0 => Ok(()),
        _ => Err(Code(ERROR_INVALID_PARAMETER)),
    }
}

/// The settings of a serial port: [GetCommState][ms]. ERROR_INVALID_FUNCTION for what is none.
///
/// DIFFERS: the port is a Linux device, as `/dev/ttyUSB0`.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getcommstate
///
/// # Safety
/// As on Windows: `settings` is a place for a DCB.
pub unsafe extern "C" fn GetCommState(port: HANDLE, settings: *mut Settings) -> BOOL {
    answer(terminal(port).map(|(_, terminal)| {
        // SAFETY: our caller vouches for the place.
        unsafe { settings.write(read(&terminal)) };
    }))
}

fn read(terminal: &libc::termios2) -> Settings {
    let has = |flags: libc::tcflag_t, flag| flags & flag != 0;
    let mut flags = BINARY | DTR_ENABLE;
    let hardware = has(terminal.c_cflag, libc::CRTSCTS);
    flags |= if hardware { OUT_CTS_FLOW | RTS_HANDSHAKE } else { RTS_ENABLE };
    flags |= if has(terminal.c_iflag, libc::IXON) { OUT_X } else { 0 };
    flags |= if has(terminal.c_iflag, libc::IXOFF) { IN_X } else { 0 };
    let parity = match (has(terminal.c_cflag, libc::PARENB), has(terminal.c_cflag, libc::PARODD)) {
        (false, _) => NO_PARITY,
        (true, true) => ODD_PARITY,
        (true, false) => EVEN_PARITY,
    };
    flags |= if parity != NO_PARITY { PARITY } else { 0 };
    Settings {
        size: size_of::<Settings>() as u32,
        speed: terminal.c_ospeed,
        flags,
        reserved: 0,
        xon_limit: 2048,
        xoff_limit: 512,
        byte_size: match terminal.c_cflag & libc::CSIZE {
            libc::CS5 => 5,
            libc::CS6 => 6,
            libc::CS7 => 7,
            _ => 8,
        },
        parity,
        stop_bits: match has(terminal.c_cflag, libc::CSTOPB) {
            true => TWO_STOP_BITS,
            false => ONE_STOP_BIT,
        },
        xon: terminal.c_cc[libc::VSTART],
        xoff: terminal.c_cc[libc::VSTOP],
        error: 0,
        end: 0,
        event: 0,
        reserved1: 0,
    }
}

/// Sets up a serial port: [SetCommState][ms]. ERROR_INVALID_PARAMETER for what it cannot do,
/// ERROR_INVALID_FUNCTION for what is no serial port.
///
/// DIFFERS: mark and space parity and one and a half stop bits are refused; the lines of DTR and
/// DSR stay as they are.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setcommstate
///
/// # Safety
/// As on Windows: `settings` is a DCB.
pub unsafe extern "C" fn SetCommState(port: HANDLE, settings: *const Settings) -> BOOL {
    // SAFETY: our caller vouches for it.
    let settings = unsafe { &*settings };
    answer(terminal(port).and_then(|(file, mut terminal)| {
        write(settings, &mut terminal)?;
        set(&file, &terminal)
    }))
}

fn write(settings: &Settings, terminal: &mut libc::termios2) -> Result<(), Code> {
    let refused = Code(ERROR_INVALID_PARAMETER);
    if settings.speed == 0 {
        return Err(refused); // Linux would hang up.
    }
    let size = match settings.byte_size {
        5 => libc::CS5,
        6 => libc::CS6,
        7 => libc::CS7,
        8 => libc::CS8,
        _ => return Err(refused),
    };
    let parity = match settings.parity {
        NO_PARITY => 0,
        ODD_PARITY => libc::PARENB | libc::PARODD,
        EVEN_PARITY => libc::PARENB,
        _ => return Err(refused),
    };
    let stop = match settings.stop_bits {
        ONE_STOP_BIT => 0,
        TWO_STOP_BITS => libc::CSTOPB,
        _ => return Err(refused),
    };
    let with = |flag: u32, bits: libc::tcflag_t| if settings.flags & flag != 0 { bits } else { 0 };
    // Nothing but what is asked for: a port of Windows' changes no byte and echoes none.
    terminal.c_cflag = libc::BOTHER | size | parity | stop | libc::CREAD | libc::CLOCAL;
    terminal.c_cflag |= with(OUT_CTS_FLOW, libc::CRTSCTS);
    terminal.c_iflag = with(OUT_X, libc::IXON) | with(IN_X, libc::IXOFF);
    terminal.c_iflag |= with(PARITY, libc::INPCK);
    (terminal.c_oflag, terminal.c_lflag) = (0, 0);
    (terminal.c_ispeed, terminal.c_ospeed) = (settings.speed, settings.speed);
    for (place, byte) in [(libc::VSTART, settings.xon), (libc::VSTOP, settings.xoff)] {
        if byte != 0 {
            terminal.c_cc[place] = byte;
        }
    }
    Ok(())
}

/// How long a read waits: [SetCommTimeouts][ms]. ERROR_INVALID_FUNCTION for what is no serial port.
///
/// DIFFERS: a read returns with what has come, however long it waited for that; times are rounded
/// up to tenths of a second; writes wait as long as they must.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setcommtimeouts
///
/// # Safety
/// As on Windows: `timeouts` is a COMMTIMEOUTS.
pub unsafe extern "C" fn SetCommTimeouts(port: HANDLE, timeouts: *const Timeouts) -> BOOL {
    // SAFETY: our caller vouches for it.
    let timeouts = unsafe { &*timeouts };
    let total = timeouts.read_total_constant;
    // To wait for a byte, for some time, or not at all.
    let (least, tenths) = match (timeouts.read_interval, total) {
        (u32::MAX, 0) if timeouts.read_total_multiplier == 0 => (0, 0),
        (_, 0) => (1, 0),
        (_, total) => (0, total.div_ceil(100).min(255) as u8),
    };
    answer(terminal(port).and_then(|(file, mut terminal)| {
        terminal.c_cc[libc::VMIN] = least;
        terminal.c_cc[libc::VTIME] = tenths;
        set(&file, &terminal)
    }))
}
