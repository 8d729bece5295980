//! Waitable timers, and what time it is, under their Windows names.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_NOT_SUPPORTED, FALSE,
    FILETIME, HANDLE, TRUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, CREATE_WAITABLE_TIMER_MANUAL_RESET, PTIMERAPCROUTINE,
    REASON_CONTEXT, SYNCHRONIZATION_ACCESS_RIGHTS,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::clock::{self, Due};
use crate::error::{self, Code};
use crate::handle::Ref;
use crate::named;
use crate::object::{self, Object};
use crate::sys;
use crate::thread;
use crate::timer::{Call, Timer};

/// Makes a timer, or opens the one of that name: [CreateWaitableTimerW][ms] (rules 152 and 155).
/// NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerw
///
/// # Safety
/// As on Windows: `name` is NULL or ends in NUL. The attributes are not read.
pub unsafe extern "system" fn CreateWaitableTimerW(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(manual_reset != FALSE, unsafe { named::read(name) })
}

/// As [`CreateWaitableTimerW`]: [CreateWaitableTimerA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createwaitabletimera
///
/// # Safety
/// As [`CreateWaitableTimerW`].
pub unsafe extern "system" fn CreateWaitableTimerA(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(manual_reset != FALSE, unsafe { named::read(name) })
}

/// As [`CreateWaitableTimerW`]: [CreateWaitableTimerExW][ms]. `flags`:
/// CREATE_WAITABLE_TIMER_MANUAL_RESET, and CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, which every timer
/// has here; every handle has every access.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerexw
///
/// # Safety
/// As [`CreateWaitableTimerW`].
pub unsafe extern "system" fn CreateWaitableTimerExW(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCWSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

/// As [`CreateWaitableTimerExW`]: [CreateWaitableTimerExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createwaitabletimerexa
///
/// # Safety
/// As [`CreateWaitableTimerW`].
pub unsafe extern "system" fn CreateWaitableTimerExA(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

fn create_by_flags(flags: u32, name: impl FnOnce() -> Result<Option<String>, Code>) -> HANDLE {
    let known = CREATE_WAITABLE_TIMER_MANUAL_RESET | CREATE_WAITABLE_TIMER_HIGH_RESOLUTION;
    let name = error::no_flags(flags & !known).and_then(|()| name());
    create(flags & CREATE_WAITABLE_TIMER_MANUAL_RESET != 0, name)
}

fn create(manual_reset: bool, name: Result<Option<String>, Code>) -> HANDLE {
    named::create(name, named::Kind::Timer, || {
        object::insert(Object::Timer(Box::new(Timer::new(manual_reset))))
    })
}

/// Opens the timer of that name: [OpenWaitableTimerW][ms] (rule 155). NULL on failure:
/// ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-openwaitabletimerw
///
/// # Safety
/// As [`CreateWaitableTimerW`].
pub unsafe extern "system" fn OpenWaitableTimerW(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Timer)
}

/// As [`OpenWaitableTimerW`]: [OpenWaitableTimerA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-openwaitabletimera
///
/// # Safety
/// As [`CreateWaitableTimerW`].
pub unsafe extern "system" fn OpenWaitableTimerA(
    _access: u32,
    _inherit: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Timer)
}

/// Activates a timer: [SetWaitableTimer][ms] (rule 152). `due`: 100 ns each, negative from now on,
/// otherwise since 1601. When it comes the timer is signalled, the routine queued as an APC to the
/// calling thread, and if there is a period, it begins.
///
/// ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER for a negative period. With `resume`: success, and
/// ERROR_NOT_SUPPORTED as last error.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer
///
/// # Safety
/// As on Windows: `due` is a time; the routine may be called with the argument by this thread.
pub unsafe extern "system" fn SetWaitableTimer(
    timer: HANDLE,
    due: *const i64,
    period_ms: i32,
    routine: PTIMERAPCROUTINE,
    argument: *const c_void,
    resume: BOOL,
) -> BOOL {
    // SAFETY: passed on from our caller.
    let set = unsafe { set(timer, due, period_ms, routine, argument) };
    if set != FALSE && resume != FALSE {
        error::set_last(Code(ERROR_NOT_SUPPORTED));
    }
    set
}

/// As [`SetWaitableTimer`]: [SetWaitableTimerEx][ms]. The context is not read, and the tolerable
/// delay not used.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setwaitabletimerex
///
/// # Safety
/// As [`SetWaitableTimer`].
pub unsafe extern "system" fn SetWaitableTimerEx(
    timer: HANDLE,
    due: *const i64,
    period_ms: i32,
    routine: PTIMERAPCROUTINE,
    argument: *const c_void,
    _context: *const REASON_CONTEXT,
    _tolerable_delay: u32,
) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { set(timer, due, period_ms, routine, argument) }
}

/// # Safety
/// As [`SetWaitableTimer`].
unsafe fn set(
    timer: HANDLE,
    due: *const i64,
    period_ms: i32,
    routine: PTIMERAPCROUTINE,
    argument: *const c_void,
) -> BOOL {
    error::truth(open(timer).and_then(|object| {
        let Object::Timer(timer) = &*object else { return Err(Code(ERROR_INVALID_HANDLE)) };
        let period_ms = period_ms.try_into().map_err(|_| Code(ERROR_INVALID_PARAMETER))?;
        if due.is_null() {
            return Err(Code(ERROR_NOACCESS));
        }
        // SAFETY: our caller vouches for the time.
        let due = Due::from_windows(unsafe { *due });
        let call = routine.map(|routine| Call { routine, argument, thread: thread::current() });
        timer.set(object.value(), due, period_ms, call)
    }))
}

/// Stops a timer before it is signalled, and takes back its APC: [CancelWaitableTimer][ms] (rule
/// 152). A timer that is signalled stays so. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-cancelwaitabletimer
pub unsafe extern "system" fn CancelWaitableTimer(timer: HANDLE) -> BOOL {
    error::truth(open(timer).map(|object| {
        if let Object::Timer(timer) = &*object {
            timer.cancel(object.value());
        }
    }))
}

/// The timer behind a HANDLE.
fn open(handle: HANDLE) -> Result<Ref<Object>, Code> {
    let object = object::original(handle)?;
    match *object {
        Object::Timer(_) => Ok(object),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

/// Milliseconds since the system started, wrapping after 49.7 days: [GetTickCount][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount
pub unsafe extern "system" fn GetTickCount() -> u32 {
    ticks() as u32
}

/// Milliseconds since the system started: [GetTickCount64][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount64
pub unsafe extern "system" fn GetTickCount64() -> u64 {
    ticks()
}

fn ticks() -> u64 {
    sys::now_ns(libc::CLOCK_MONOTONIC) / 1_000_000
}

/// A counter for measuring: [QueryPerformanceCounter][ms]. It counts 100 ns.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/profileapi/nf-profileapi-queryperformancecounter
///
/// # Safety
/// As on Windows: `count` is a place for it.
pub unsafe extern "system" fn QueryPerformanceCounter(count: *mut i64) -> BOOL {
    // SAFETY: our caller vouches for the place.
    unsafe { *count = (sys::now_ns(libc::CLOCK_MONOTONIC) / 100) as i64 };
    TRUE
}

/// How often [`QueryPerformanceCounter`] counts in a second: [QueryPerformanceFrequency][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/profileapi/nf-profileapi-queryperformancefrequency
///
/// # Safety
/// As on Windows: `frequency` is a place for it.
pub unsafe extern "system" fn QueryPerformanceFrequency(frequency: *mut i64) -> BOOL {
    // SAFETY: our caller vouches for the place.
    unsafe { *frequency = 10_000_000 };
    TRUE
}

/// The time of day: [GetSystemTimeAsFileTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimeasfiletime
///
/// # Safety
/// As on Windows: `time` is a place for it.
pub unsafe extern "system" fn GetSystemTimeAsFileTime(time: *mut FILETIME) {
    // SAFETY: our caller vouches for the place.
    unsafe { *time = clock::file_time() };
}

/// As [`GetSystemTimeAsFileTime`], which is precise too: [GetSystemTimePreciseAsFileTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemtimepreciseasfiletime
///
/// # Safety
/// As [`GetSystemTimeAsFileTime`].
pub unsafe extern "system" fn GetSystemTimePreciseAsFileTime(time: *mut FILETIME) {
    // SAFETY: our caller vouches for the place.
    unsafe { *time = clock::file_time() };
}
