//! The completion port's functions, under their own names.

use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_ABANDONED_WAIT_0, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, FALSE, HANDLE,
    INVALID_HANDLE_VALUE, STATUS_SUCCESS, TRUE, WAIT_IO_COMPLETION, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};
use windows_sys::Win32::System::WindowsProgramming::{
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
};
use windows_sys::core::BOOL;

use crate::error::{self, Code};
use crate::files::OpenFile;
use crate::object::{self, Object, SocketRef};
use crate::op::Report;
use crate::port::{Empty, Packet, Port};
use crate::sync::lock;
use crate::thread::{self, Alertable};
use crate::wait::Deadline;

/// Makes a completion port, or ties a socket or a file to one: [CreateIoCompletionPort][ms].
///
/// With INVALID_HANDLE_VALUE: a new port, on which at most `concurrency` threads run at a time (0:
/// as many as there are processors; rules 15 and 16). With a socket, or a file opened with
/// FILE_FLAG_OVERLAPPED: the port's own handle; either is tied once, ERROR_INVALID_PARAMETER after
/// that (rule 17). NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-createiocompletionport
pub unsafe extern "system" fn CreateIoCompletionPort(
    file: HANDLE,
    existing: HANDLE,
    key: usize,
    concurrency: u32,
) -> HANDLE {
    create(file, existing, key, concurrency).unwrap_or_else(|code| {
        error::set_last(code);
        std::ptr::null_mut()
    })
}

fn create(file: HANDLE, existing: HANDLE, key: usize, concurrency: u32) -> Result<HANDLE, Code> {
    let new = || object::insert(Object::Port(Port::new(concurrency).into()));
    if file == INVALID_HANDLE_VALUE {
        return match existing.is_null() {
            true => new(),
            false => Err(Code(ERROR_INVALID_PARAMETER)),
        };
    }
    let object = object::open(file)?;
    if let Object::File(file) = &*object {
        return tie_file(file, existing, key, new);
    }
    let socket = SocketRef::of(object).ok_or(Code(ERROR_INVALID_HANDLE))?;
    if socket.lock().associated {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    let handle = if existing.is_null() { new()? } else { existing };
    tie(file, object::port(handle)?, key)?;
    Ok(handle)
}

/// Ties a socket to a port. ERROR_INVALID_PARAMETER if it is tied already (rule 17).
pub fn tie(file: HANDLE, port: Arc<Port>, key: usize) -> Result<(), Code> {
    let socket = object::open(file).ok().and_then(SocketRef::of);
    let socket = socket.ok_or(Code(ERROR_INVALID_HANDLE))?;
    let mut state = socket.lock();
    if std::mem::replace(&mut state.associated, true) {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    state.report.port = Some(port);
    state.report.key = key;
    Ok(())
}

fn tie_file(
    file: &OpenFile,
    existing: HANDLE,
    key: usize,
    new: impl FnOnce() -> Result<HANDLE, Code>,
) -> Result<HANDLE, Code> {
    let mut report = lock(&file.report);
    if !file.overlapped || report.port.is_some() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    let handle = if existing.is_null() { new()? } else { existing };
    report.port = Some(object::port(handle)?);
    report.key = key;
    Ok(handle)
}

pub fn code_of(empty: Empty) -> Code {
    match empty {
        Empty::TimedOut => Code(WAIT_TIMEOUT),
        Empty::Closed => Code(ERROR_ABANDONED_WAIT_0),
        Empty::Apc if thread::on_current(|thread| thread.is_condemned()) => Code::THREAD_ENDS,
        Empty::Apc => Code(WAIT_IO_COMPLETION),
    }
}

fn no(code: Code) -> BOOL {
    error::set_last(code);
    FALSE
}

/// Takes one packet: [GetQueuedCompletionStatus][ms].
///
/// FALSE with `*overlapped` not NULL: that operation failed, and the last error says how. FALSE
/// with NULL: nothing was taken: WAIT_TIMEOUT, ERROR_ABANDONED_WAIT_0 (the port was closed),
/// ERROR_INVALID_HANDLE; count and key are untouched then (rules 28 and 29).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus
///
/// # Safety
/// As on Windows: the three pointers are places for the results.
pub unsafe extern "system" fn GetQueuedCompletionStatus(
    port: HANDLE,
    bytes: *mut u32,
    key: *mut usize,
    overlapped: *mut *mut OVERLAPPED,
    timeout_ms: u32,
) -> BOOL {
    let mut status = STATUS_SUCCESS;
    let taken = object::port(port).and_then(|port| {
        take(&port, 1, timeout_ms, FALSE, |packet| {
            // SAFETY: our caller vouches for the places.
            unsafe { (*bytes, *key, *overlapped) = (packet.bytes, packet.key, packet.overlapped) };
            status = packet.status;
        })
        .map_err(code_of)
    });
    match taken {
        Ok(_) if status < 0 => no(error::win32_of_status(status)),
        Ok(_) => TRUE,
        Err(code) => {
            if !overlapped.is_null() {
                // SAFETY: our caller vouches for the place.
                unsafe { *overlapped = std::ptr::null_mut() };
            }
            no(code)
        }
    }
}

/// Takes up to `count` packets: [GetQueuedCompletionStatusEx][ms].
///
/// TRUE with at least one; each entry's status is in its Internal. When nothing came, `*removed` is
/// 1 all the same, as on Windows (rule 45). Packets win over APCs (rule 46).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatusex
///
/// # Safety
/// As on Windows: `entries` has room for `count` entries, `removed` for their number.
pub unsafe extern "system" fn GetQueuedCompletionStatusEx(
    port: HANDLE,
    entries: *mut OVERLAPPED_ENTRY,
    count: u32,
    removed: *mut u32,
    timeout_ms: u32,
    alertable: BOOL,
) -> BOOL {
    let port = match object::port(port) {
        Ok(port) => port,
        Err(code) => return no(code),
    };
    if count == 0 || entries.is_null() || removed.is_null() {
        return no(Code(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: our caller vouches for the room.
    let taken = unsafe { take_entries(&port, entries, count, timeout_ms, alertable) };
    // SAFETY: our caller vouches for the place.
    unsafe { *removed = *taken.as_ref().unwrap_or(&1) as u32 };
    match taken {
        Ok(_) => TRUE,
        Err(empty) => {
            drop(port);
            let code = code_of(empty);
            if code == Code(WAIT_IO_COMPLETION) {
                thread::on_current(|thread| thread.run_apcs());
            }
            no(code)
        }
    }
}

/// Takes up to `count` packets.
///
/// # Safety
/// `entries` has room for `count` entries.
pub unsafe fn take_entries(
    port: &Arc<Port>,
    entries: *mut OVERLAPPED_ENTRY,
    count: u32,
    timeout_ms: u32,
    alertable: BOOL,
) -> Result<usize, Empty> {
    let mut next = entries;
    take(port, count as usize, timeout_ms, alertable, |packet| {
        let entry = OVERLAPPED_ENTRY {
            lpCompletionKey: packet.key,
            lpOverlapped: packet.overlapped,
            Internal: packet.status as u32 as usize,
            dwNumberOfBytesTransferred: packet.bytes,
        };
        // SAFETY: at most `count` packets are passed, and our caller vouches for the room.
        unsafe {
            next.write(entry);
            next = next.add(1);
        }
    })
}

fn take(
    port: &Arc<Port>,
    max: usize,
    timeout_ms: u32,
    alertable: BOOL,
    take: impl FnMut(Packet),
) -> Result<usize, Empty> {
    thread::work_for(port);
    let deadline = Deadline::after_ms(timeout_ms);
    let alertable = Alertable::by(alertable != FALSE);
    thread::on_current(|thread| {
        if thread.is_called(Alertable::ToEnd) {
            return Err(Empty::Apc);
        }
        port.take(thread, max, deadline, alertable, take)
    })
}

/// Queues a packet of the program's own: [PostQueuedCompletionStatus][ms]. All three values are
/// passed through unread (rule 44).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-postqueuedcompletionstatus
///
/// # Safety
/// None: the pointer is not followed.
pub unsafe extern "system" fn PostQueuedCompletionStatus(
    port: HANDLE,
    bytes: u32,
    key: usize,
    overlapped: *const OVERLAPPED,
) -> BOOL {
    match object::port(port) {
        Ok(port) => {
            let overlapped = overlapped.cast_mut();
            port.post(Packet { key, overlapped, bytes, status: STATUS_SUCCESS });
            TRUE
        }
        Err(code) => no(code),
    }
}

/// Chooses what is not reported: [SetFileCompletionNotificationModes][ms].
///
/// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS and FILE_SKIP_SET_EVENT_ON_HANDLE can be added and never
/// taken back (rules 22 and 23). ERROR_INVALID_PARAMETER for other bits.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes
pub unsafe extern "system" fn SetFileCompletionNotificationModes(file: HANDLE, flags: u8) -> BOOL {
    let known = (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE) as u8;
    if flags & !known != 0 {
        return no(Code(ERROR_INVALID_PARAMETER));
    }
    let add = |report: &mut Report| {
        report.skip_port |= flags & FILE_SKIP_COMPLETION_PORT_ON_SUCCESS as u8 != 0;
        report.skip_signal |= flags & FILE_SKIP_SET_EVENT_ON_HANDLE as u8 != 0;
    };
    let Ok(object) = object::open(file) else { return no(Code(ERROR_INVALID_HANDLE)) };
    if let Object::File(file) = &*object {
        add(&mut lock(&file.report));
        return TRUE;
    }
    match SocketRef::of(object) {
        Some(socket) => add(&mut socket.lock().report),
        None => return no(Code(ERROR_INVALID_HANDLE)),
    }
    TRUE
}
