//! Processors: on which of them threads run, and for how long they have.

use std::fs;

use windows_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FILETIME, HANDLE,
};
use windows_sys::core::BOOL;
use winsock_sys::Win32::System::Threading::{GetCurrentProcess, GetThreadId};

use crate::last::{Code, answer, or_zero};
use crate::system::{file_time, now};
use crate::text::{self, Unit};

/// A clock tick of the kernel is 10 ms to programs, and a step of a FILETIME 100 ns.
const STEPS_PER_TICK: u64 = 100_000;

/// What the fields of a `stat` file say of a process or a thread, in steps.
struct Times {
    created: i64,
    kernel: u64,
    user: u64,
}

fn times_of(file: &str) -> Result<Times, Code> {
    let stat = fs::read_to_string(file)?;
    // The name before the last parenthesis may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let field = |at: usize| fields.split_whitespace().nth(at).and_then(|n| n.parse::<u64>().ok());
    // In proc(5)'s count these are 14, 15 and 22, and the first one here is the third.
    let (user, kernel, start) = (field(11), field(12), field(19));
    let failed = Code(ERROR_GEN_FAILURE);
    let up = clock_ns(libc::CLOCK_BOOTTIME) / 100;
    let start = start.ok_or(failed)? * STEPS_PER_TICK;
    Ok(Times {
        created: now() - (up as i64 - start as i64).max(0),
        kernel: kernel.ok_or(failed)? * STEPS_PER_TICK,
        user: user.ok_or(failed)? * STEPS_PER_TICK,
    })
}

fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for the time; the clock exists.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// # Safety
/// The four are places for a time.
unsafe fn answer_times(times: Result<Times, Code>, to: [*mut FILETIME; 4]) -> BOOL {
    answer(times.map(|times| {
        let said = [times.created, 0, times.kernel as i64, times.user as i64];
        for (to, said) in to.into_iter().zip(said) {
            // SAFETY: our caller vouches for the places.
            unsafe { to.write(file_time(said)) };
        }
    }))
}

/// Whether it is the handle of this process.
pub fn is_this_process(process: HANDLE) -> Result<(), Code> {
    // SAFETY: it takes nothing.
    let own = unsafe { GetCurrentProcess() };
    if process == own { Ok(()) } else { Err(Code(ERROR_INVALID_HANDLE)) }
}

/// The kernel's number of a thread.
fn number_of(thread: HANDLE) -> Result<libc::pid_t, Code> {
    // SAFETY: a handle is only looked up.
    match unsafe { GetThreadId(thread) } {
        0 => Err(Code(ERROR_INVALID_HANDLE)),
        number => Ok(number as libc::pid_t),
    }
}

/// When the process began, and for how long it has run: [GetProcessTimes][ms].
///
/// DIFFERS: this process only. ERROR_INVALID_HANDLE for another handle.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes
///
/// # Safety
/// As on Windows: the four are places for a time.
pub unsafe extern "C" fn GetProcessTimes(
    process: HANDLE,
    created: *mut FILETIME,
    ended: *mut FILETIME,
    kernel: *mut FILETIME,
    user: *mut FILETIME,
) -> BOOL {
    let times = is_this_process(process).and_then(|()| times_of("/proc/self/stat"));
    // SAFETY: passed on from our caller.
    unsafe { answer_times(times, [created, ended, kernel, user]) }
}

/// When a thread began, and for how long it has run: [GetThreadTimes][ms].
///
/// DIFFERS: a thread that has ended is not known any more (ERROR_INVALID_HANDLE).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadtimes
///
/// # Safety
/// As on Windows: the four are places for a time.
pub unsafe extern "C" fn GetThreadTimes(
    thread: HANDLE,
    created: *mut FILETIME,
    ended: *mut FILETIME,
    kernel: *mut FILETIME,
    user: *mut FILETIME,
) -> BOOL {
    let times = number_of(thread).and_then(|number| {
        let file = format!("/proc/self/task/{number}/stat");
        times_of(&file).map_err(|_| Code(ERROR_INVALID_HANDLE))
    });
    // SAFETY: passed on from our caller.
    unsafe { answer_times(times, [created, ended, kernel, user]) }
}

/// For how long all processors together have been idle, in the kernel (idle included) and in
/// programs: [GetSystemTimes][ms]. Each of the three may be NULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getsystemtimes
///
/// # Safety
/// As on Windows: each is NULL or a place for a time.
pub unsafe extern "C" fn GetSystemTimes(
    idle: *mut FILETIME,
    kernel: *mut FILETIME,
    user: *mut FILETIME,
) -> BOOL {
    answer(system_times().map(|times| {
        for (to, ticks) in [idle, kernel, user].into_iter().zip(times) {
            if !to.is_null() {
                // SAFETY: our caller vouches for the place.
                unsafe { to.write(file_time((ticks * STEPS_PER_TICK) as i64)) };
            }
        }
    }))
}

/// Idle, kernel and user ticks.
fn system_times() -> Result<[u64; 3], Code> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line.split_whitespace().skip(1).flat_map(str::parse).collect();
    let [user, nice, system, idle, io_wait, interrupt, soft, ..] = ticks[..] else {
        return Err(Code(ERROR_GEN_FAILURE));
    };
    let idle = idle + io_wait;
    Ok([idle, idle + system + interrupt + soft, user + nice])
}

/// The first 64 processors on which a thread may run; 0 is the calling one.
fn affinity(number: libc::pid_t) -> Result<usize, Code> {
    // SAFETY: all zeroes is a set without processors.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: a place for a set, of that size.
    match unsafe { libc::sched_getaffinity(number, size_of_val(&set), &mut set) } {
        // SAFETY: the set is valid, and has more than 64.
        0 => Ok((0..64).filter(|&at| unsafe { libc::CPU_ISSET(at, &set) }).map(|at| 1 << at).sum()),
        _ => Err(Code::from(std::io::Error::last_os_error())),
    }
}

fn set_affinity(number: libc::pid_t, mask: usize) -> Result<(), Code> {
    // SAFETY: all zeroes is a set without processors.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for at in (0..64).filter(|at| mask >> at & 1 == 1) {
        // SAFETY: the set has more than 64.
        unsafe { libc::CPU_SET(at, &mut set) };
    }
    // SAFETY: a set, of that size.
    match unsafe { libc::sched_setaffinity(number, size_of_val(&set), &set) } {
        0 => Ok(()),
        _ => Err(Code::from(std::io::Error::last_os_error())),
    }
}

/// The processors on which the process may run, of the first 64.
fn process_affinity() -> Result<usize, Code> {
    affinity(std::process::id() as libc::pid_t)
}

/// On which processors a thread may run, a bit each: [SetThreadAffinityMask][ms]. The mask before;
/// 0 on failure: ERROR_INVALID_PARAMETER for one on which the process may not.
///
/// DIFFERS: the process may run where its main thread may.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setthreadaffinitymask
pub unsafe extern "C" fn SetThreadAffinityMask(thread: HANDLE, mask: usize) -> usize {
    or_zero(number_of(thread).and_then(|number| {
        let before = affinity(number)?;
        if mask == 0 || mask & !configured() != 0 {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        set_affinity(number, mask)?;
        Ok(before)
    }))
}

/// The processors that the system has, of the first 64.
fn configured() -> usize {
    // SAFETY: it takes a number.
    match unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) } {
        count @ 1..64 => (1 << count) - 1,
        _ => usize::MAX,
    }
}

/// On which processors the process may run, and which the system has, a bit each:
/// [GetProcessAffinityMask][ms].
///
/// DIFFERS: this process only (ERROR_INVALID_HANDLE). It may run where its main thread may.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getprocessaffinitymask
///
/// # Safety
/// As on Windows: the two are places for a mask.
pub unsafe extern "C" fn GetProcessAffinityMask(
    process: HANDLE,
    of_process: *mut usize,
    of_system: *mut usize,
) -> BOOL {
    let masks = is_this_process(process).and_then(|()| process_affinity());
    answer(masks.map(|mask| {
        // SAFETY: our caller vouches for the places.
        unsafe {
            of_process.write(mask);
            of_system.write(configured() | mask);
        }
    }))
}

/// The processor on which the calling thread runs just now: [GetCurrentProcessorNumber][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessornumber
pub unsafe extern "C" fn GetCurrentProcessorNumber() -> u32 {
    // SAFETY: it takes nothing.
    u32::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0)
}

/// Gives a thread a name, which debuggers show: [SetThreadDescription][ms]. An HRESULT.
///
/// DIFFERS: the kernel keeps 15 bytes.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreaddescription
///
/// # Safety
/// As on Windows: the name ends in a NUL.
pub unsafe extern "C" fn SetThreadDescription(thread: HANDLE, name: *const u16) -> i32 {
    // SAFETY: passed on from our caller.
    unsafe { describe(thread, name) }
}

/// The function above where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::SetThreadDescription`].
    ///
    /// # Safety
    /// As there.
    pub unsafe extern "C" fn SetThreadDescription(thread: HANDLE, name: *const u32) -> i32 {
        // SAFETY: passed on from our caller.
        unsafe { describe(thread, name) }
    }
}

/// # Safety
/// The name is NULL or ends in a NUL.
unsafe fn describe<U: Unit>(thread: HANDLE, name: *const U) -> i32 {
    const MOST: usize = 15;
    // SAFETY: passed on from our caller.
    let name = unsafe { text::read(name) }.unwrap_or_default();
    let cut = (0..=MOST.min(name.len())).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    let named = number_of(thread).and_then(|number| {
        let file = format!("/proc/self/task/{number}/comm");
        fs::write(file, &name[..cut]).map_err(|_| Code(ERROR_INVALID_HANDLE))
    });
    /// FACILITY_WIN32, and that it is an error.
    const FAILED: u32 = 0x8007_0000;
    named.map_or_else(|code| (FAILED | code.0) as i32, |()| 0)
}
