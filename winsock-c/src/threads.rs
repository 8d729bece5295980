//! Threads of the C run-time library, and what kernel32 has for ANSI names alone.

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::core::BOOL;
use winsock_sys::Win32::Foundation::CloseHandle;
use winsock_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateThread, ExitThread, OpenMutexW, OpenSemaphoreW, ResumeThread,
};

use crate::text;

type Start = unsafe extern "C" fn(*mut c_void) -> u32;
type StartWithoutResult = unsafe extern "C" fn(*mut c_void);

fn set_errno(errno: i32) {
    // SAFETY: the thread's own errno.
    unsafe { *libc::__errno_location() = errno };
}

/// Starts a thread: [_beginthreadex][ms]. 0 and errno on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/beginthread-beginthreadex
///
/// # Safety
/// As CreateThread.
pub unsafe extern "C" fn _beginthreadex(
    _security: *mut c_void,
    stack_size: u32,
    start: Option<Start>,
    parameter: *mut c_void,
    flags: u32,
    thread_id: *mut u32,
) -> usize {
    if start.is_none() {
        set_errno(libc::EINVAL);
        return 0;
    }
    // SAFETY: passed on from our caller; on Linux `system` is `C`.
    let thread = unsafe {
        let start = std::mem::transmute::<
            Option<Start>,
            Option<unsafe extern "system" fn(*mut c_void) -> u32>,
        >(start);
        CreateThread(std::ptr::null(), stack_size as usize, start, parameter, flags, thread_id)
    };
    if thread.is_null() {
        set_errno(libc::EAGAIN);
    }
    thread.addr()
}

/// What a thread of [`_beginthread`] is given.
struct Errand {
    start: StartWithoutResult,
    parameter: *mut c_void,
    /// The thread's handle, which closes itself.
    handle: Arc<AtomicPtr<c_void>>,
}

thread_local! {
    static OWN: Cell<HANDLE> = const { Cell::new(std::ptr::null_mut()) };
}

/// Starts a thread whose handle closes itself when it ends: [_beginthread][ms]. -1 and errno on
/// failure.
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/beginthread-beginthreadex
///
/// # Safety
/// As CreateThread.
pub unsafe extern "C" fn _beginthread(
    start: Option<StartWithoutResult>,
    stack_size: u32,
    parameter: *mut c_void,
) -> usize {
    const FAILED: usize = usize::MAX;
    let Some(start) = start else {
        set_errno(libc::EINVAL);
        return FAILED;
    };
    let handle = Arc::new(AtomicPtr::new(std::ptr::null_mut()));
    let errand = Box::into_raw(Box::new(Errand { start, parameter, handle: handle.clone() }));
    let (size, none) = (stack_size as usize, std::ptr::null_mut());
    // SAFETY: the errand is the new thread's, or again ours if there is none.
    unsafe {
        let thread =
            CreateThread(std::ptr::null(), size, Some(run), errand.cast(), CREATE_SUSPENDED, none);
        if thread.is_null() {
            drop(Box::from_raw(errand));
            set_errno(libc::EAGAIN);
            return FAILED;
        }
        handle.store(thread, Ordering::Release);
        ResumeThread(thread);
        thread.addr()
    }
}

unsafe extern "system" fn run(errand: *mut c_void) -> u32 {
    // SAFETY: `_beginthread` made it for this thread.
    let Errand { start, parameter, handle } = *unsafe { Box::from_raw(errand.cast::<Errand>()) };
    OWN.set(handle.load(Ordering::Acquire));
    drop(handle);
    // SAFETY: the program passed the function to be called here, with this parameter.
    unsafe {
        start(parameter);
        CloseHandle(OWN.take());
    }
    0
}

/// Ends a thread of [`_beginthread`]: [_endthread][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/endthread-endthreadex
///
/// # Safety
/// As ExitThread.
pub unsafe extern "C" fn _endthread() {
    let own = OWN.take();
    // SAFETY: the handle is this thread's to close; our caller vouches for the end.
    unsafe {
        if !own.is_null() {
            CloseHandle(own);
        }
        ExitThread(0);
    }
}

/// Ends the thread: [_endthreadex][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/endthread-endthreadex
///
/// # Safety
/// As ExitThread.
pub unsafe extern "C" fn _endthreadex(code: u32) {
    // SAFETY: passed on from our caller.
    unsafe { ExitThread(code) };
}

/// A mutex by its name: [OpenMutexA][ms]. NULL and ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-openmutexw
///
/// # Safety
/// As on Windows: the name ends in a NUL.
pub unsafe extern "C" fn OpenMutexA(access: u32, inherit: BOOL, name: *const u8) -> HANDLE {
    // SAFETY: passed on from our caller.
    unsafe { OpenMutexW(access, inherit, text::pointer(&text::convert(name))) }
}

/// A semaphore by its name: [OpenSemaphoreA][ms]. NULL and ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-opensemaphorew
///
/// # Safety
/// As on Windows: the name ends in a NUL.
pub unsafe extern "C" fn OpenSemaphoreA(access: u32, inherit: BOOL, name: *const u8) -> HANDLE {
    // SAFETY: passed on from our caller.
    unsafe { OpenSemaphoreW(access, inherit, text::pointer(&text::convert(name))) }
}
