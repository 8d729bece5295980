//! The machine, the clock, and random bytes, which are the kernel's.

use std::ffi::c_void;
use std::mem;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, FILETIME, NTSTATUS, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS, SYSTEMTIME, TRUE,
};
use windows_sys::Win32::System::SystemInformation::{
    MEMORYSTATUSEX, PROCESSOR_ARCHITECTURE_AMD64, PROCESSOR_ARCHITECTURE_ARM64, SYSTEM_INFO,
    SYSTEM_INFO_0_0,
};
use windows_sys::core::BOOL;

use crate::last::{self, Code};

/// A clock's time in nanoseconds.
fn clock(clock: libc::clockid_t) -> i128 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the timespec; the clocks named here exist.
    unsafe { libc::clock_gettime(clock, &mut time) };
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// Asks for fine time steps, which there are anyway: [timeBeginPeriod][ms]. TIMERR_NOCANDO (97) for
/// none.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/timeapi/nf-timeapi-timebeginperiod
pub unsafe extern "C" fn timeBeginPeriod(period: u32) -> u32 {
    if period == 0 { 97 } else { 0 }
}

/// Undoes [`timeBeginPeriod`]: [timeEndPeriod][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/timeapi/nf-timeapi-timeendperiod
pub unsafe extern "C" fn timeEndPeriod(period: u32) -> u32 {
    if period == 0 { 97 } else { 0 }
}

/// Steps of 100 ns a second.
const FREQUENCY: i64 = 10_000_000;

/// Between 1601, where FILETIMEs begin, and 1970, where Linux' clock does; in 100 ns.
const UNIX_EPOCH: i64 = 116_444_736_000_000_000;

pub fn file_time(steps: i64) -> FILETIME {
    FILETIME { dwLowDateTime: steps as u32, dwHighDateTime: (steps >> 32) as u32 }
}

fn steps(time: FILETIME) -> i64 {
    i64::from(time.dwHighDateTime) << 32 | i64::from(time.dwLowDateTime)
}

pub fn now() -> i64 {
    (clock(libc::CLOCK_REALTIME) / 100) as i64 + UNIX_EPOCH
}

/// The calendar's view of a point of time; `local` moves it to the time zone.
fn calendar(steps: i64, local: bool) -> SYSTEMTIME {
    let since_1970 = steps - UNIX_EPOCH;
    let seconds = since_1970.div_euclid(FREQUENCY);
    // SAFETY: a tm is plain data, and the functions fill it.
    let tm = unsafe {
        let mut tm: libc::tm = mem::zeroed();
        match local {
            true => libc::localtime_r(&seconds, &mut tm),
            false => libc::gmtime_r(&seconds, &mut tm),
        };
        tm
    };
    SYSTEMTIME {
        wYear: (tm.tm_year + 1900) as u16,
        wMonth: (tm.tm_mon + 1) as u16,
        wDayOfWeek: tm.tm_wday as u16,
        wDay: tm.tm_mday as u16,
        wHour: tm.tm_hour as u16,
        wMinute: tm.tm_min as u16,
        wSecond: tm.tm_sec as u16,
        wMilliseconds: (since_1970.rem_euclid(FREQUENCY) / 10_000) as u16,
    }
}

/// The time and date in Greenwich: [GetSystemTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtime
///
/// # Safety
/// As on Windows: `time` is a place for it.
pub unsafe extern "C" fn GetSystemTime(time: *mut SYSTEMTIME) {
    // SAFETY: our caller vouches for the place.
    unsafe { time.write(calendar(now(), false)) };
}

/// The time and date here: [GetLocalTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getlocaltime
///
/// # Safety
/// As on Windows: `time` is a place for it.
pub unsafe extern "C" fn GetLocalTime(time: *mut SYSTEMTIME) {
    // SAFETY: our caller vouches for the place.
    unsafe { time.write(calendar(now(), true)) };
}

/// A point of time as a date: [FileTimeToSystemTime][ms]. ERROR_INVALID_PARAMETER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/timezoneapi/nf-timezoneapi-filetimetosystemtime
///
/// # Safety
/// As on Windows: `from` is a FILETIME, `to` a place for a SYSTEMTIME.
pub unsafe extern "C" fn FileTimeToSystemTime(from: *const FILETIME, to: *mut SYSTEMTIME) -> BOOL {
    // SAFETY: our caller vouches for both.
    unsafe {
        let steps = steps(*from);
        if steps < 0 {
            return last::answer(Err(Code(ERROR_INVALID_PARAMETER)));
        }
        to.write(calendar(steps, false));
    }
    TRUE
}

/// A date as a point of time: [SystemTimeToFileTime][ms]. ERROR_INVALID_PARAMETER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/timezoneapi/nf-timezoneapi-systemtimetofiletime
///
/// # Safety
/// As on Windows: `from` is a SYSTEMTIME, `to` a place for a FILETIME.
pub unsafe extern "C" fn SystemTimeToFileTime(from: *const SYSTEMTIME, to: *mut FILETIME) -> BOOL {
    // SAFETY: our caller vouches for it.
    let date = unsafe { *from };
    let fits = (1..=12).contains(&date.wMonth)
        && (1..=31).contains(&date.wDay)
        && date.wHour < 24
        && date.wMinute < 60
        && date.wSecond < 60
        && date.wMilliseconds < 1000
        && date.wYear >= 1601;
    if !fits {
        return last::answer(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    // SAFETY: a tm is plain data; timegm reads it, and writes what is out of range.
    let (seconds, day) = unsafe {
        let mut tm: libc::tm = mem::zeroed();
        tm.tm_year = i32::from(date.wYear) - 1900;
        tm.tm_mon = i32::from(date.wMonth) - 1;
        tm.tm_mday = date.wDay.into();
        tm.tm_hour = date.wHour.into();
        tm.tm_min = date.wMinute.into();
        tm.tm_sec = date.wSecond.into();
        (libc::timegm(&mut tm), tm.tm_mday)
    };
    if day != i32::from(date.wDay) {
        return last::answer(Err(Code(ERROR_INVALID_PARAMETER))); // The 31st of a short month.
    }
    let steps = seconds * FREQUENCY + i64::from(date.wMilliseconds) * 10_000 + UNIX_EPOCH;
    // SAFETY: our caller vouches for the place.
    unsafe { to.write(file_time(steps)) };
    TRUE
}

/// A point of time moved to the time zone: [FileTimeToLocalFileTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-filetimetolocalfiletime
///
/// # Safety
/// As on Windows: `from` is a FILETIME, `to` a place for one.
pub unsafe extern "C" fn FileTimeToLocalFileTime(from: *const FILETIME, to: *mut FILETIME) -> BOOL {
    // SAFETY: our caller vouches for both; localtime_r fills the tm.
    unsafe {
        let steps = steps(*from);
        let seconds = (steps - UNIX_EPOCH).div_euclid(FREQUENCY);
        let mut tm: libc::tm = mem::zeroed();
        libc::localtime_r(&seconds, &mut tm);
        to.write(file_time(steps + tm.tm_gmtoff * FREQUENCY));
    }
    TRUE
}

/// -1, 0 or 1: [CompareFileTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-comparefiletime
///
/// # Safety
/// As on Windows: both are FILETIMEs.
pub unsafe extern "C" fn CompareFileTime(a: *const FILETIME, b: *const FILETIME) -> i32 {
    // SAFETY: our caller vouches for both.
    let (a, b) = unsafe { (steps(*a) as u64, steps(*b) as u64) };
    a.cmp(&b) as i32
}

/// Processors and pages: [GetSystemInfo][ms]. The processors are those that this process may use.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsysteminfo
///
/// # Safety
/// As on Windows: `info` is a place for it.
pub unsafe extern "C" fn GetSystemInfo(info: *mut SYSTEM_INFO) {
    let count = std::thread::available_parallelism().map_or(1, |count| count.get());
    // SAFETY: sysconf takes a number.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u32;
    let (architecture, kind) = match cfg!(target_arch = "aarch64") {
        true => (PROCESSOR_ARCHITECTURE_ARM64, 0),
        false => (PROCESSOR_ARCHITECTURE_AMD64, 8664),
    };
    let mut filled = SYSTEM_INFO {
        dwPageSize: page,
        lpMinimumApplicationAddress: std::ptr::without_provenance_mut(0x10000),
        lpMaximumApplicationAddress: std::ptr::without_provenance_mut(0x7fff_fffe_ffff),
        dwActiveProcessorMask: usize::MAX >> (usize::BITS as usize - count.min(64)),
        dwNumberOfProcessors: count as u32,
        dwProcessorType: kind,
        dwAllocationGranularity: 0x10000,
        wProcessorLevel: 6,
        ..SYSTEM_INFO::default()
    };
    filled.Anonymous.Anonymous =
        SYSTEM_INFO_0_0 { wProcessorArchitecture: architecture, wReserved: 0 };
    // SAFETY: our caller vouches for the place.
    unsafe { info.write(filled) };
}

/// How much memory there is: [GlobalMemoryStatusEx][ms]. ERROR_INVALID_PARAMETER for a wrong
/// dwLength.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-globalmemorystatusex
///
/// # Safety
/// As on Windows: `status` is a MEMORYSTATUSEX.
pub unsafe extern "C" fn GlobalMemoryStatusEx(status: *mut MEMORYSTATUSEX) -> BOOL {
    const LENGTH: u32 = size_of::<MEMORYSTATUSEX>() as u32;
    // SAFETY: our caller vouches for the structure.
    if unsafe { (*status).dwLength } != LENGTH {
        return last::answer(Err(Code(ERROR_INVALID_PARAMETER)));
    }
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) * 1024
    };
    let (total, available) = (bytes("MemTotal:"), bytes("MemAvailable:"));
    let swap = (bytes("SwapTotal:"), bytes("SwapFree:"));
    let filled = MEMORYSTATUSEX {
        dwLength: LENGTH,
        dwMemoryLoad: (total.saturating_sub(available) * 100).checked_div(total).unwrap_or(0)
            as u32,
        ullTotalPhys: total,
        ullAvailPhys: available,
        ullTotalPageFile: total + swap.0,
        ullAvailPageFile: available + swap.1,
        ullTotalVirtual: 0x7fff_fffe_0000,
        ullAvailVirtual: 0x7fff_fffe_0000,
        ullAvailExtendedVirtual: 0,
    };
    // SAFETY: our caller vouches for the structure.
    unsafe { status.write(filled) };
    TRUE
}

/// Fills memory with random bytes. The kernel has as many as are asked for.
///
/// # Safety
/// `to` is writable for `length` bytes.
pub unsafe fn fill(to: *mut u8, length: usize) {
    let mut done = 0;
    while done < length {
        // SAFETY: the caller's promise. A signal may have cut it short.
        let got = unsafe { libc::getrandom(to.add(done).cast(), length - done, 0) };
        done += usize::try_from(got).unwrap_or(0);
    }
}

/// Fills a buffer with random bytes: [BCryptGenRandom][ms]. STATUS_INVALID_HANDLE without the flag
/// BCRYPT_USE_SYSTEM_PREFERRED_RNG or BCRYPT_RNG_ALG_HANDLE, STATUS_INVALID_PARAMETER for NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/bcrypt/nf-bcrypt-bcryptgenrandom
///
/// # Safety
/// As on Windows: `buffer` is writable for `length` bytes.
pub unsafe extern "C" fn BCryptGenRandom(
    algorithm: *mut c_void,
    buffer: *mut u8,
    length: u32,
    flags: u32,
) -> NTSTATUS {
    const USE_SYSTEM_PREFERRED_RNG: u32 = 2;
    const RNG_ALG_HANDLE: usize = 0x81;
    match algorithm.addr() {
        RNG_ALG_HANDLE => {}
        0 if flags & USE_SYSTEM_PREFERRED_RNG != 0 => {}
        _ => return STATUS_INVALID_HANDLE,
    }
    if buffer.is_null() {
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: our caller vouches for the buffer.
    unsafe { fill(buffer, length as usize) };
    STATUS_SUCCESS
}
