//! What became of an overlapped operation, and cancelling one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_IO_INCOMPLETE, ERROR_NOT_FOUND, FALSE, HANDLE, NTSTATUS,
    STATUS_PENDING, TRUE, WAIT_IO_COMPLETION, WAIT_TIMEOUT,
};
use windows_sys::Win32::Networking::WinSock::{SOCKET, WSA_IO_INCOMPLETE, WSAEFAULT};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::core::BOOL;

use crate::dispatch::Waited;
use crate::error::{self, Code};
use crate::event::Signal;
use crate::handle::Ref;
use crate::object::{self, Object, SocketRef, WAITS};
use crate::op::{Kind, Op};
use crate::thread::{self, Alertable, Thread, Waiting};
use crate::wait::Deadline;

fn answer(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// The status that the completing thread releases last.
///
/// # Safety
/// `overlapped` is valid.
pub unsafe fn status_of(overlapped: *const OVERLAPPED) -> NTSTATUS {
    // SAFETY: Internal is an aligned usize; the completing thread writes it atomically.
    let internal = unsafe { AtomicUsize::from_ptr((&raw const (*overlapped).Internal).cast_mut()) };
    internal.load(Ordering::Acquire) as u32 as NTSTATUS
}

/// The result of an overlapped operation in Winsock's codes: [WSAGetOverlappedResult][ms].
///
/// WSA_IO_INCOMPLETE while it is pending and `wait` is FALSE; the count is untouched then (rule
/// 62).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsagetoverlappedresult
///
/// # Safety
/// As on Windows: the OVERLAPPED is the one passed to the operation.
pub unsafe extern "system" fn WSAGetOverlappedResult(
    s: SOCKET,
    overlapped: *const OVERLAPPED,
    bytes: *mut u32,
    wait: BOOL,
    flags: *mut u32,
) -> BOOL {
    answer(object::registered_socket(s).and_then(|socket| {
        if overlapped.is_null() || bytes.is_null() || flags.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let timeout = if wait == FALSE { 0 } else { INFINITE };
        // SAFETY: passed on from our caller.
        let waited = unsafe { await_result(&socket.signal, overlapped, timeout, Alertable::ToEnd) };
        let status = match waited {
            Ok(status) => status,
            Err(Code::THREAD_ENDS) => return Err(Code::THREAD_ENDS),
            Err(_) => return Err(Code::wsa(WSA_IO_INCOMPLETE)),
        };
        // SAFETY: checked not to be NULL, and the program's.
        unsafe { (*bytes, *flags) = ((*overlapped).InternalHigh as u32, 0) };
        match status < 0 {
            true => Err(error::wsa_of_status(status)),
            false => {
                error::set_last(error::win32_of_status(status)); // Rule 13.
                Ok(())
            }
        }
    }))
}

/// The result of an overlapped operation in Win32's codes: [GetOverlappedResult][ms].
///
/// ERROR_IO_INCOMPLETE while it is pending and `wait` is FALSE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult
///
/// # Safety
/// As on Windows: the OVERLAPPED is the one passed to the operation, `bytes` a place for its count.
pub unsafe extern "system" fn GetOverlappedResult(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    bytes: *mut u32,
    wait: BOOL,
) -> BOOL {
    let timeout = if wait == FALSE { 0 } else { INFINITE };
    // SAFETY: passed on from our caller.
    unsafe { GetOverlappedResultEx(handle, overlapped, bytes, timeout, FALSE) }
}

/// As [`GetOverlappedResult`], with a time-out and alertable: [GetOverlappedResultEx][ms].
///
/// ERROR_IO_INCOMPLETE for a time-out of 0, WAIT_TIMEOUT, WAIT_IO_COMPLETION when APCs ran.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresultex
///
/// # Safety
/// As [`GetOverlappedResult`].
pub unsafe extern "system" fn GetOverlappedResultEx(
    handle: HANDLE,
    overlapped: *const OVERLAPPED,
    bytes: *mut u32,
    timeout_ms: u32,
    alertable: BOOL,
) -> BOOL {
    let socket = object::open(handle).ok().and_then(SocketRef::of);
    let never = Signal::new(false, false);
    let signal = socket.as_ref().map_or(&never, |socket| &socket.signal);
    // SAFETY: passed on from our caller.
    let waited =
        unsafe { await_result(signal, overlapped, timeout_ms, Alertable::by(alertable != FALSE)) };
    drop(socket);
    answer(waited.and_then(|status| {
        // SAFETY: passed on from our caller.
        unsafe { *bytes = (*overlapped).InternalHigh as u32 };
        match status < 0 {
            true => Err(error::win32_of_status(status)),
            false => Ok(()),
        }
    }))
}

/// Waits until the operation is no longer pending, by its event or by its socket's signal.
///
/// # Safety
/// The OVERLAPPED is valid.
unsafe fn await_result(
    socket: &Signal,
    overlapped: *const OVERLAPPED,
    timeout_ms: u32,
    alertable: Alertable,
) -> Result<NTSTATUS, Code> {
    let deadline = Deadline::after_ms(timeout_ms);
    if let Deadline::Now = deadline {
        thread::on_current(crate::backend::poll);
    }
    // SAFETY: our caller vouches for the OVERLAPPED.
    let event = object::event(unsafe { (*overlapped).hEvent }.addr() & !1);
    loop {
        // SAFETY: our caller vouches for the OVERLAPPED.
        let status = unsafe { status_of(overlapped) };
        if status != STATUS_PENDING {
            return Ok(status);
        }
        if let Deadline::Now = deadline {
            return Err(Code(ERROR_IO_INCOMPLETE));
        }
        match thread::on_current(|thread| {
            wait_a_while(thread, event.as_deref(), socket, deadline, alertable)
        }) {
            Waited::Signal(_) | Waited::Abandoned(_) => {}
            Waited::TimedOut if deadline.left_ns().is_some() => {}
            Waited::TimedOut => return Err(Code(WAIT_TIMEOUT)),
            Waited::Apc if thread::on_current(|thread| thread.is_condemned()) => {
                return Err(Code::THREAD_ENDS);
            }
            Waited::Apc => {
                thread::on_current(|thread| thread.run_apcs());
                return Err(Code(WAIT_IO_COMPLETION));
            }
        }
    }
}

/// Waits for the operation's event. The socket's signal is no more than a hint: other operations
/// set it too, and those of a port-bound socket do not; so without an event the caller looks now
/// and then.
fn wait_a_while(
    thread: &Arc<Thread>,
    own: Option<&Signal>,
    socket: &Signal,
    deadline: Deadline,
    alertable: Alertable,
) -> Waited {
    const A_WHILE_MS: u32 = 5;
    let _waiting = Waiting::begin();
    match own {
        Some(event) => WAITS.wait(thread, &[event], false, deadline, alertable),
        None => {
            let never = Signal::new(false, false);
            let hint = if socket.is_set() { &never } else { socket };
            let a_while = deadline.or_after_ms(A_WHILE_MS);
            WAITS.wait(thread, &[hint], false, a_while, alertable)
        }
    }
}

/// Cancels one operation of a handle, or all: [CancelIoEx][ms]. ERROR_NOT_FOUND when there is none
/// (rule 36). What it cancels is still reported.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-cancelioex
///
/// # Safety
/// None beyond Windows': the OVERLAPPED is compared, not followed.
pub unsafe extern "system" fn CancelIoEx(handle: HANDLE, overlapped: *const OVERLAPPED) -> BOOL {
    let chosen = |op: &Op| overlapped.is_null() || std::ptr::eq(op.overlapped, overlapped);
    answer(object::open(handle).and_then(|object| match cancel(object, &chosen)? {
        0 => Err(Code(ERROR_NOT_FOUND)),
        _ => Ok(()),
    }))
}

/// Cancels the operations that the calling thread has issued on a handle: [CancelIo][ms] (rule 36).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-cancelio
pub unsafe extern "system" fn CancelIo(handle: HANDLE) -> BOOL {
    let issuer = thread::current_id();
    let chosen = |op: &Op| op.issuer == issuer;
    answer(object::open(handle).and_then(|object| cancel(object, &chosen).map(drop)))
}

fn cancel(object: Ref<Object>, chosen: &dyn Fn(&Op) -> bool) -> Result<usize, Code> {
    if let Object::File(_) = &*object {
        return Ok(0); // Its operations are over when their calls return.
    }
    let Some(socket) = SocketRef::of(object) else { return Err(Code(ERROR_INVALID_HANDLE)) };
    // An AcceptEx belongs to its listener, also while it waits on the accepted socket (rule 37).
    let own = |op: &Op| !matches!(op.kind, Kind::AcceptData { .. }) && chosen(op);
    let handle = socket.lock().handle;
    let accepted = |op: &Op| op.is_accept_data_of(handle) && chosen(op);
    // In this order: an operation moves from the listener to an accepted socket and never back.
    let here = socket.cancel(&own);
    let elsewhere: usize = socket.accepting().iter().map(|target| target.cancel(&accepted)).sum();
    Ok(here + elsewhere)
}
