//! Threads under their Windows names: making them, asking after them, queueing calls to them.

use std::ffi::c_void;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_GEN_FAILURE, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED, ERROR_SIGNAL_REFUSED,
    ERROR_THREAD_MODE_ALREADY_BACKGROUND, ERROR_THREAD_MODE_NOT_BACKGROUND, FALSE, HANDLE,
    PAPCFUNC, TRUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, LPTHREAD_START_ROUTINE, THREAD_ACCESS_RIGHTS, THREAD_CREATION_FLAGS,
    THREAD_MODE_BACKGROUND_BEGIN, THREAD_MODE_BACKGROUND_END, THREAD_PRIORITY,
    THREAD_PRIORITY_HIGHEST, THREAD_PRIORITY_IDLE, THREAD_PRIORITY_LOWEST,
    THREAD_PRIORITY_TIME_CRITICAL,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::object::{self, Object};
use crate::thread::{self, Apc, Thread, Unsuspended};
use crate::{roll, sys};

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
        let begins = thread::on_current(|thread| {
            thread.hold_back(suspended.into());
            // Whoever made us waits for this, so it cannot fail.
            let _ = introduce.send(thread.clone());
            thread.begin()
        });
        thread::run_to_exit(|| {
            if !begins {
                thread::end_condemned();
            }
            thread::on_current(|thread| {
                thread.run_apcs(); // What was queued before it began.
                // SAFETY: the program passed the routine to be called here, with this parameter.
                thread.set_exit_code(unsafe { (start.routine)(start.parameter) });
            });
        });
    };
    let builder = std::thread::Builder::new();
    let builder = if stack_size == 0 { builder } else { builder.stack_size(stack_size) };
    builder.spawn(body).map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))?;
    introduction.recv().map_err(|_| Code(ERROR_NOT_ENOUGH_MEMORY))
}

/// Ends the calling thread: [ExitThread][ms] (rule 156). Its operations are cancelled (rule 48),
/// its mutexes abandoned, its APCs and thread-locals dropped, and its handle signalled.
///
/// DIFFERS: in a thread that CreateThread has not started, the stack and thread-locals stay behind.
/// The main thread then lets the process end when only the library's own threads are left.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitthread
///
/// # Safety
/// No destructor of the frames between here and the thread's routine runs, and their memory is used
/// again: nothing may refer to it any more, nor rely on those destructors. Frames of C, or of
/// functions that own nothing, are no problem.
pub unsafe extern "system" fn ExitThread(code: u32) -> ! {
    // SAFETY: our caller vouches for the frames.
    unsafe { thread::exit(code) }
}

/// Ends a thread, with that exit code: [TerminateThread][ms] (rule 176). Its operations are
/// cancelled and its mutexes abandoned, and its handle is signalled, as with [`ExitThread`].
///
/// One that has ended already keeps its exit code.
///
/// DIFFERS: the thread ends where it waits, or where it next waits, in a function of the library
/// that takes a time-out, receives, sends, accepts, connects or gets a message; not amid its own
/// code, nor in a wait for a critical section or another lock that is no handle.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminatethread
///
/// # Safety
/// As [`ExitThread`], for the frames of the thread wherever it may wait.
pub unsafe extern "system" fn TerminateThread(thread: HANDLE, code: u32) -> BOOL {
    error::truth(target_thread(thread).and_then(|thread| {
        thread.condemn(code);
        match thread.id == thread::current_id() {
            true => Err(Code::THREAD_ENDS),
            false => Ok(()),
        }
    }))
}

fn count_or_failure(result: Result<u32, Code>) -> u32 {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        u32::MAX
    })
}

/// Lets a suspended thread run on, if this undoes the last suspension: [ResumeThread][ms]. Returns
/// how often it was suspended before: 0 if it ran already; -1 on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread
pub unsafe extern "system" fn ResumeThread(thread: HANDLE) -> u32 {
    count_or_failure(target_thread(thread).map(|thread| thread.resume()))
}

/// Suspends the calling thread, or once more one that was created suspended and has not begun:
/// [SuspendThread][ms]. Returns how often it was suspended before; -1 on failure:
/// ERROR_SIGNAL_REFUSED after 127 times, ERROR_ACCESS_DENIED if it has ended.
///
/// DIFFERS: a thread that runs cannot be stopped from outside (ERROR_NOT_SUPPORTED): it might be
/// holding a lock of the library, which on Windows no thread can be stopped with.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-suspendthread
pub unsafe extern "system" fn SuspendThread(thread: HANDLE) -> u32 {
    count_or_failure(target_thread(thread).and_then(|thread| {
        if thread.is_dead() {
            return Err(Code(ERROR_ACCESS_DENIED));
        }
        let by_itself = thread.id == thread::current_id();
        let before = thread.suspend(by_itself).map_err(|why| match why {
            Unsuspended::Runs => Code(ERROR_NOT_SUPPORTED),
            Unsuspended::TooOften => Code(ERROR_SIGNAL_REFUSED),
        })?;
        if by_itself {
            thread.await_release();
            if thread.is_condemned() {
                return Err(Code::THREAD_ENDS);
            }
        }
        Ok(before)
    }))
}

/// A thread's number: [GetThreadId][ms]. 0 on failure: ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadid
pub unsafe extern "system" fn GetThreadId(thread: HANDLE) -> u32 {
    target_thread(thread).map_or_else(
        |code| {
            error::set_last(code);
            0
        },
        |thread| thread.tid as u32,
    )
}

/// A handle to the thread of that number: [OpenThread][ms]. NULL on failure:
/// ERROR_INVALID_PARAMETER if there is none.
///
/// A thread has a number, as far as the library knows, when it has called one of its functions.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread
pub unsafe extern "system" fn OpenThread(
    _access: THREAD_ACCESS_RIGHTS,
    _inherit: BOOL,
    thread_id: u32,
) -> HANDLE {
    let thread = roll::find(thread_id as i32).ok_or(Code(ERROR_INVALID_PARAMETER));
    error::handle_of(thread.and_then(|thread| object::insert(Object::Thread(thread))))
}

/// Sets a thread's priority: [SetThreadPriority][ms]. It is remembered, and changes nothing.
///
/// ERROR_INVALID_PARAMETER for a number that is no priority, ERROR_THREAD_MODE_ALREADY_BACKGROUND
/// and ERROR_THREAD_MODE_NOT_BACKGROUND for the two that begin and end the background mode.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadpriority
pub unsafe extern "system" fn SetThreadPriority(thread: HANDLE, priority: THREAD_PRIORITY) -> BOOL {
    error::truth(target_thread(thread).and_then(|thread| {
        let background = match priority {
            THREAD_PRIORITY_IDLE
            | THREAD_PRIORITY_LOWEST..=THREAD_PRIORITY_HIGHEST
            | THREAD_PRIORITY_TIME_CRITICAL => {
                thread.priority.store(priority, Ordering::Relaxed);
                return Ok(());
            }
            THREAD_MODE_BACKGROUND_BEGIN => true,
            THREAD_MODE_BACKGROUND_END => false,
            _ => return Err(Code(ERROR_INVALID_PARAMETER)),
        };
        if thread.id != thread::current_id() {
            return Err(Code(ERROR_INVALID_HANDLE)); // These two are for the thread itself.
        }
        match (thread.in_background.swap(background, Ordering::Relaxed), background) {
            (true, true) => Err(Code(ERROR_THREAD_MODE_ALREADY_BACKGROUND)),
            (false, false) => Err(Code(ERROR_THREAD_MODE_NOT_BACKGROUND)),
            (true, false) | (false, true) => Ok(()),
        }
    }))
}

/// The priority that [`SetThreadPriority`] has set: [GetThreadPriority][ms].
/// THREAD_PRIORITY_ERROR_RETURN on failure: ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadpriority
pub unsafe extern "system" fn GetThreadPriority(thread: HANDLE) -> i32 {
    const THREAD_PRIORITY_ERROR_RETURN: i32 = i32::MAX;
    match target_thread(thread) {
        Ok(thread) => thread.priority.load(Ordering::Relaxed),
        Err(code) => {
            error::set_last(code);
            THREAD_PRIORITY_ERROR_RETURN
        }
    }
}

/// Lets another thread run: [SwitchToThread][ms]. Whether one did.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-switchtothread
pub unsafe extern "system" fn SwitchToThread() -> BOOL {
    let before = sys::switches();
    std::thread::yield_now();
    (sys::switches() != before).into()
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
