//! Threads under their Windows names: making them, asking after them, queueing calls to them.

use std::ffi::c_void;
use std::sync::{Arc, mpsc};

use windows_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY,
    FALSE, HANDLE, PAPCFUNC, TRUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, LPTHREAD_START_ROUTINE, THREAD_CREATION_FLAGS,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::object::{self, Object, WAITS};
use crate::thread::{self, Apc, Thread};
use crate::wait::Deadline;

/// What crosses into a new thread.
struct Start {
    routine: unsafe extern "system" fn(*mut c_void) -> u32,
    parameter: *mut c_void,
}

// SAFETY: the program passes the parameter to be used in the new thread.
unsafe impl Send for Start {}

/// Starts a thread: [CreateThread][ms]. NULL on failure.
///
/// Flags: 0 or CREATE_SUSPENDED, with or without STACK_SIZE_PARAM_IS_A_RESERVATION.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-createthread
///
/// # Safety
/// As on Windows: the routine may be called in another thread, `thread_id` is NULL or a place for
/// it.
pub unsafe extern "system" fn CreateThread(
    _attributes: *const SECURITY_ATTRIBUTES,
    stack_size: usize,
    start: LPTHREAD_START_ROUTINE,
    parameter: *const c_void,
    flags: THREAD_CREATION_FLAGS,
    thread_id: *mut u32,
) -> HANDLE {
    let suspended = flags & CREATE_SUSPENDED != 0;
    let started = start.ok_or(Code(ERROR_INVALID_PARAMETER)).and_then(|routine| {
        let start = Start { routine, parameter: parameter.cast_mut() };
        spawn(start, stack_size, suspended)
    });
    let opened = started.and_then(|thread| {
        if !thread_id.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *thread_id = thread.tid as u32 };
        }
        object::insert(Object::Thread(thread))
    });
    opened.unwrap_or_else(|code| {
        error::set_last(code);
        std::ptr::null_mut()
    })
}

fn spawn(start: Start, stack_size: usize, suspended: bool) -> Result<Arc<Thread>, Code> {
    let (introduce, introduction) = mpsc::sync_channel(1);
    let body = move || {
        let start = start; // The whole, which may cross, not its parts.
        let thread = thread::current();
        if !suspended {
            thread.released.set(&WAITS);
        }
        // Whoever made us waits for this, so it cannot fail.
        let _ = introduce.send(thread.clone());
        WAITS.wait(&thread, &[&thread.released], false, Deadline::Never, false);
        // SAFETY: the program passed the routine to be called here, with this parameter.
        let code = unsafe { (start.routine)(start.parameter) };
        thread.set_exit_code(code);
    };
    let builder = std::thread::Builder::new();
    let builder = if stack_size == 0 { builder } else { builder.stack_size(stack_size) };
    builder.spawn(body).map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))?;
    introduction.recv().map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))
}

/// Lets a thread that was created suspended run: [ResumeThread][ms]. Returns 1 if it was suspended,
/// 0 if it ran already, -1 on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread
pub unsafe extern "system" fn ResumeThread(thread: HANDLE) -> u32 {
    match target_thread(thread) {
        Ok(thread) => {
            let suspended = !thread.released.is_set();
            thread.released.set(&WAITS);
            suspended.into()
        }
        Err(code) => {
            error::set_last(code);
            u32::MAX
        }
    }
}

/// What a thread returned, or STILL_ACTIVE (259): [GetExitCodeThread][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodethread
///
/// # Safety
/// As on Windows: `code` is a place for the code.
pub unsafe extern "system" fn GetExitCodeThread(thread: HANDLE, code: *mut u32) -> BOOL {
    match target_thread(thread) {
        Ok(thread) => {
            // SAFETY: our caller vouches for the place.
            unsafe { *code = thread.exit_code() };
            TRUE
        }
        Err(failure) => {
            error::set_last(failure);
            FALSE
        }
    }
}

/// Queues a call to a thread: [QueueUserAPC][ms]. It runs when that thread waits alertably.
///
/// ERROR_GEN_FAILURE when the thread has ended (rule 109).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc
pub unsafe extern "system" fn QueueUserAPC(apc: PAPCFUNC, thread: HANDLE, data: usize) -> u32 {
    let queued = target_thread(thread).and_then(|thread| {
        let function = apc.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        match thread.queue(Apc::User { function, data }) {
            true => Ok(()),
            false => Err(Code(ERROR_GEN_FAILURE)),
        }
    });
    match queued {
        Ok(()) => 1,
        Err(code) => {
            error::set_last(code);
            0
        }
    }
}

fn target_thread(handle: HANDLE) -> Result<Arc<Thread>, Code> {
    if handle == CURRENT_THREAD {
        return Ok(thread::current());
    }
    match &*object::open(handle)? {
        Object::Thread(thread) => Ok(thread.clone()),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

/// The pseudo-handle of whichever thread uses it.
pub const CURRENT_THREAD: HANDLE = std::ptr::without_provenance_mut(usize::MAX - 1);

/// The pseudo-handle of the process.
pub const CURRENT_PROCESS: HANDLE = std::ptr::without_provenance_mut(usize::MAX);

/// The calling thread's pseudo-handle: [GetCurrentThread][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthread
pub unsafe extern "system" fn GetCurrentThread() -> HANDLE {
    CURRENT_THREAD
}

/// The calling thread's number: [GetCurrentThreadId][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid
pub unsafe extern "system" fn GetCurrentThreadId() -> u32 {
    thread::on_current(|thread| thread.tid as u32)
}

/// The process's pseudo-handle: [GetCurrentProcess][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess
pub unsafe extern "system" fn GetCurrentProcess() -> HANDLE {
    CURRENT_PROCESS
}

/// The process's number: [GetCurrentProcessId][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid
pub unsafe extern "system" fn GetCurrentProcessId() -> u32 {
    std::process::id()
}
