//! Sockets whose operations a pool reports.

use std::ffi::c_void;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, HANDLE};
use windows_sys::Win32::System::IO::LPOVERLAPPED_COMPLETION_ROUTINE;
use windows_sys::Win32::System::Threading::{
    PTP_IO, PTP_WIN32_IO_CALLBACK, TP_CALLBACK_ENVIRON_V3,
};
use windows_sys::core::BOOL;

use super::{handle_or_null, item_of, terms};
use crate::error::{self, Code};
use crate::pool::item::{Callback, Item};
use crate::pool::{self, Pool};
use crate::ports;

fn is_io(callback: &Callback) -> bool {
    matches!(callback, Callback::Io(_))
}

/// Has a function called when an operation on a socket completes: [BindIoCompletionCallback][ms]
/// (rule 160), with its Win32 error, its count and its OVERLAPPED, on a thread of the process's
/// pool.
///
/// ERROR_INVALID_PARAMETER without a function, or if the socket is tied to a port already;
/// ERROR_INVALID_HANDLE. The flags are not used.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-bindiocompletioncallback
///
/// # Safety
/// As on Windows: the function may be called with what the operations on the socket say.
pub unsafe extern "system" fn BindIoCompletionCallback(
    file: HANDLE,
    function: LPOVERLAPPED_COMPLETION_ROUTINE,
    _flags: u32,
) -> BOOL {
    error::truth(function.ok_or(Code(ERROR_INVALID_PARAMETER)).and_then(|function| {
        ports::tie(file, Pool::default().port().clone(), pool::key_of_routine(function))
    }))
}

/// Makes an I/O object of a socket: [CreateThreadpoolIo][ms] (rule 160). NULL on failure, as
/// [`BindIoCompletionCallback`].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-createthreadpoolio
///
/// # Safety
/// As on Windows: the callback may be called with the context; the environment is NULL or valid.
pub unsafe extern "system" fn CreateThreadpoolIo(
    file: HANDLE,
    callback: PTP_WIN32_IO_CALLBACK,
    context: *mut c_void,
    environment: *const TP_CALLBACK_ENVIRON_V3,
) -> PTP_IO {
    // SAFETY: passed on from our caller.
    let terms = unsafe { terms(environment) };
    handle_or_null(terms.and_then(|terms| {
        callback.ok_or(Code(ERROR_INVALID_PARAMETER))?;
        let port = terms.pool.port().clone();
        let item = Item::new(terms, Callback::Io(callback), context);
        let handle = item.open()?;
        if let Err(code) = ports::tie(file, port, pool::key_of_io(handle)) {
            pool::close(handle);
            item.close();
            return Err(code);
        }
        Ok(handle)
    }))
}

/// An operation on the socket is about to be issued, and will be reported: [StartThreadpoolIo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-startthreadpoolio
pub unsafe extern "system" fn StartThreadpoolIo(io: PTP_IO) {
    if let Some(item) = item_of(io, is_io)
        && let Some(thing) = pool::hold(io)
    {
        item.start_io(&thing);
    }
}

/// An announced operation was not issued, or succeeded without a report:
/// [CancelThreadpoolIo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-cancelthreadpoolio
pub unsafe extern "system" fn CancelThreadpoolIo(io: PTP_IO) {
    if let Some(item) = item_of(io, is_io) {
        item.cancel_io();
    }
}

/// Waits until all announced operations have completed and their callbacks returned:
/// [WaitForThreadpoolIoCallbacks][ms]. With `cancel`, callbacks that have not begun never do, and
/// nobody waits for the operations.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-waitforthreadpooliocallbacks
pub unsafe extern "system" fn WaitForThreadpoolIoCallbacks(io: PTP_IO, cancel: BOOL) {
    if let Some(item) = item_of(io, is_io) {
        if cancel != FALSE {
            item.cancel();
        }
        item.await_calm();
    }
}

/// Lets go of an I/O object: [CloseThreadpoolIo][ms]. Operations that are announced are still
/// reported.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/threadpoolapiset/nf-threadpoolapiset-closethreadpoolio
pub unsafe extern "system" fn CloseThreadpoolIo(io: PTP_IO) {
    if let Some(item) = item_of(io, is_io)
        && pool::close(io)
    {
        item.close();
    }
}
