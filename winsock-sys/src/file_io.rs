//! Reading and writing through HANDLEs: `ReadFile`, `WriteFile` and their Ex forms.
//!
//! A file's operation is over before the call returns: Linux has no way to wait for a disk that is
//! better than to wait. Windows may do the same (data in its cache), and programs must expect it:
//! the call answers TRUE, and the completion is reported through event, port or routine as always.
//!
//! A socket's HANDLE is read and written as by WSARecv and WSASend.

use std::fs::File;
use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_CONNECTION_ABORTED, ERROR_HANDLE_EOF, ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER, ERROR_NETNAME_DELETED, ERROR_NO_DATA, HANDLE, STATUS_END_OF_FILE,
    STATUS_SUCCESS,
};
use windows_sys::Win32::Networking::WinSock::{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE, WSABUF, WSAECONNABORTED, WSAECONNRESET, WSAEFAULT,
    WSAEINVAL, WSAENOTSOCK,
};
use windows_sys::Win32::System::IO::{LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED};
use windows_sys::core::BOOL;

use crate::data;
use crate::error::Code;
use crate::event::Signal;
use crate::files::{self, OpenFile, answer, code_of};
use crate::handle::Ref;
use crate::object::{self, Object, SocketRef};
use crate::op::{Kind, Op, When};
use crate::sync::lock;
use crate::thread::Waiting;

/// Which way the bytes go, and where they lie.
#[derive(Clone, Copy)]
enum Span {
    Read(*mut u8, usize),
    Write(*const u8, usize),
}

/// Reads from a file, a pipe or a socket: [ReadFile][ms].
///
/// FALSE with ERROR_HANDLE_EOF at a file's end if there is an OVERLAPPED, TRUE and 0 bytes if not;
/// ERROR_BROKEN_PIPE at a pipe's; ERROR_IO_PENDING for a socket's overlapped read that waits;
/// ERROR_INVALID_PARAMETER without an OVERLAPPED on a handle of FILE_FLAG_OVERLAPPED.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile
///
/// # Safety
/// As on Windows: `buffer` is writable for `len` bytes; with an OVERLAPPED both are lent until the
/// operation completes.
pub unsafe extern "system" fn ReadFile(
    file: HANDLE,
    buffer: *mut u8,
    len: u32,
    read: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    // SAFETY: passed on from our caller.
    answer(unsafe { transfer(file, Span::Read(buffer, len as usize), read, overlapped, None) })
}

/// Writes to a file, a pipe or a socket: [WriteFile][ms]. As [`ReadFile`]; ERROR_NO_DATA on a pipe
/// that nobody reads, ERROR_DISK_FULL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile
///
/// # Safety
/// As [`ReadFile`]; `buffer` is only read.
pub unsafe extern "system" fn WriteFile(
    file: HANDLE,
    buffer: *const u8,
    len: u32,
    written: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let span = Span::Write(buffer, len as usize);
    // SAFETY: passed on from our caller.
    answer(unsafe { transfer(file, span, written, overlapped, None) })
}

/// Reads, and queues a routine to the calling thread: [ReadFileEx][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfileex
///
/// # Safety
/// As [`ReadFile`].
pub unsafe extern "system" fn ReadFileEx(
    file: HANDLE,
    buffer: *mut u8,
    len: u32,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let span = Span::Read(buffer, len as usize);
    // SAFETY: passed on from our caller.
    answer(unsafe { transfer_ex(file, span, overlapped, routine) })
}

/// Writes, and queues a routine to the calling thread: [WriteFileEx][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefileex
///
/// # Safety
/// As [`WriteFile`].
pub unsafe extern "system" fn WriteFileEx(
    file: HANDLE,
    buffer: *const u8,
    len: u32,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> BOOL {
    let span = Span::Write(buffer, len as usize);
    // SAFETY: passed on from our caller.
    answer(unsafe { transfer_ex(file, span, overlapped, routine) })
}

/// # Safety
/// As [`ReadFile`].
unsafe fn transfer_ex(
    handle: HANDLE,
    span: Span,
    overlapped: *mut OVERLAPPED,
    routine: LPOVERLAPPED_COMPLETION_ROUTINE,
) -> Result<(), Code> {
    if overlapped.is_null() || routine.is_none() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    // SAFETY: the routine has Winsock's parameters but the last, which it does not look for.
    let routine = unsafe {
        mem::transmute::<LPOVERLAPPED_COMPLETION_ROUTINE, LPWSAOVERLAPPED_COMPLETION_ROUTINE>(
            routine,
        )
    };
    let mut count = 0;
    // SAFETY: passed on from our caller.
    match unsafe { transfer(handle, span, &mut count, overlapped, routine) } {
        Err(Code(windows_sys::Win32::Foundation::ERROR_IO_PENDING)) => Ok(()),
        other => other,
    }
}

/// # Safety
/// As [`ReadFile`].
unsafe fn transfer(
    handle: HANDLE,
    span: Span,
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> Result<(), Code> {
    let object = object::open(handle)?;
    if count.is_null() && overlapped.is_null() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    if !count.is_null() {
        // SAFETY: our caller vouches for the place.
        unsafe { *count = 0 };
    }
    let moved = match &*object {
        // SAFETY: passed on from our caller.
        Object::File(file) => unsafe { on_file(file, object.signal(), span, overlapped, routine) },
        // SAFETY: passed on from our caller.
        _ => return unsafe { on_socket(handle, object, span, count, overlapped, routine) },
    };
    moved.map(|bytes| {
        if !count.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *count = bytes };
        }
    })
}

/// # Safety
/// As [`ReadFile`].
unsafe fn on_socket(
    handle: HANDLE,
    object: Ref<Object>,
    span: Span,
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> Result<(), Code> {
    let socket = SocketRef::of(object).ok_or(Code(ERROR_INVALID_HANDLE))?;
    // Windows makes a thread wait for its pipe, though it should have brought an OVERLAPPED.
    if overlapped.is_null() && socket.form.overlapped && !socket.form.is_pipe() {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    let (mut flags, none) = (0, (std::ptr::null_mut(), std::ptr::null_mut()));
    let (Span::Read(_, len) | Span::Write(_, len)) = span;
    let start = match span {
        Span::Read(start, _) => start,
        Span::Write(start, _) => start.cast_mut(),
    };
    let buffer = (&WSABUF { len: len as u32, buf: start } as *const WSABUF, 1);
    if !socket.form.is_pipe() {
        object::socket(handle.addr())?;
    }
    // SAFETY: passed on from our caller.
    let done = unsafe {
        match span {
            Span::Read(..) => {
                data::recv_on(&socket, buffer, count, &mut flags, none, overlapped, routine)
            }
            Span::Write(..) => data::send_on(&socket, buffer, count, 0, None, overlapped, routine),
        }
    };
    done.map_err(|code| match code.as_wsa() {
        WSAECONNRESET => Code(ERROR_NETNAME_DELETED),
        WSAECONNABORTED => Code(ERROR_CONNECTION_ABORTED),
        WSAENOTSOCK => Code(ERROR_INVALID_HANDLE),
        // Winsock has no word of its own for a pipe whose other end is closed.
        WSAEINVAL if socket.form.is_pipe() => Code(match span {
            Span::Read(..) => ERROR_BROKEN_PIPE,
            Span::Write(..) => ERROR_NO_DATA,
        }),
        WSAEINVAL | WSAEFAULT => Code(ERROR_INVALID_PARAMETER),
        _ => code,
    })
}

/// # Safety
/// As [`ReadFile`].
unsafe fn on_file(
    file: &OpenFile,
    signal: &Signal,
    span: Span,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> Result<u32, Code> {
    let kind = file.metadata().map_err(|error| code_of(&error))?.file_type();
    let has_places = kind.is_file() || kind.is_block_device();
    if overlapped.is_null() {
        if file.overlapped {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        // SAFETY: our caller vouches for the memory.
        let moved = unsafe { on_stream(file, span, file.appends, kind.is_fifo()) }?;
        return match span {
            Span::Read(_, 1..) if moved == 0 && kind.is_fifo() => Err(Code(ERROR_BROKEN_PIPE)),
            Span::Read(..) | Span::Write(..) => Ok(moved),
        };
    }
    if routine.is_some() && lock(&file.report).port.is_some() {
        return Err(Code(ERROR_INVALID_PARAMETER)); // Rule 27.
    }
    // SAFETY: our caller vouches for the OVERLAPPED, whose offset is its input.
    let (mut op, offset) = unsafe {
        let offset = (*overlapped).Anonymous.Anonymous;
        let offset = u64::from(offset.OffsetHigh) << 32 | u64::from(offset.Offset);
        (Op::new(Kind::NOTHING, overlapped, routine), offset)
    };
    signal.reset();
    let appends = file.appends || offset == u64::MAX;
    // SAFETY: our caller vouches for the memory.
    let moved = unsafe {
        match has_places && !appends {
            true => at(file, span, offset)?,
            false => on_stream(file, span, appends, kind.is_fifo())?,
        }
    };
    if let Span::Read(_, 1..) = span
        && moved == 0
    {
        // SAFETY: our caller vouches for the OVERLAPPED; nothing was started.
        unsafe { (*overlapped).Internal = STATUS_END_OF_FILE as u32 as usize };
        return Err(Code(if kind.is_fifo() { ERROR_BROKEN_PIPE } else { ERROR_HANDLE_EOF }));
    }
    if !file.overlapped && has_places && !appends {
        files::move_to(file, offset as i64 + i64::from(moved));
    }
    let report = lock(&file.report).clone();
    op.complete(&report, signal, STATUS_SUCCESS, moved, When::AtOnce);
    Ok(moved)
}

/// Moves bytes at a place of the file.
///
/// # Safety
/// The span is memory that may be used so.
unsafe fn at(file: &File, span: Span, offset: u64) -> Result<u32, Code> {
    if offset > i64::MAX as u64 {
        return Err(Code(ERROR_INVALID_PARAMETER));
    }
    let mut done = 0;
    loop {
        let fd = file.as_raw_fd();
        let place = offset as i64 + done as i64;
        // SAFETY: the caller's promise.
        let moved = retry(|| unsafe {
            match span {
                Span::Read(start, len) => {
                    libc::pread64(fd, start.add(done).cast(), len - done, place)
                }
                Span::Write(start, len) => {
                    libc::pwrite64(fd, start.add(done).cast(), len - done, place)
                }
            }
        });
        let (Span::Read(_, len) | Span::Write(_, len)) = span;
        match moved {
            Err(error) if done == 0 => return Err(code_of(&error)),
            Err(_) | Ok(0) => return Ok(done as u32),
            Ok(bytes) => done += bytes,
        }
        if done == len {
            return Ok(done as u32);
        }
    }
}

/// Moves bytes where the file stands: a pipe or a terminal may make the caller wait.
///
/// # Safety
/// The span is memory that may be used so.
unsafe fn on_stream(file: &File, span: Span, appends: bool, pipe: bool) -> Result<u32, Code> {
    let fd = file.as_raw_fd();
    let _waiting = Waiting::begin();
    match span {
        Span::Read(start, len) => {
            // SAFETY: the caller's promise.
            let read = retry(|| unsafe { libc::read(fd, start.cast(), len) });
            read.map(|bytes| bytes as u32).map_err(|error| code_of(&error))
        }
        Span::Write(start, len) => {
            let _quiet = pipe.then(Quiet::begin);
            let mut done = 0;
            while done < len {
                // SAFETY: the caller's promise.
                let written = retry(|| unsafe {
                    let (start, len) = (start.add(done).cast(), len - done);
                    match appends {
                        true => {
                            let vector = libc::iovec { iov_base: start as *mut _, iov_len: len };
                            libc::pwritev2(fd, &vector, 1, -1, libc::RWF_APPEND)
                        }
                        false => libc::write(fd, start, len),
                    }
                });
                done += written.map_err(|error| code_of(&error))?;
            }
            Ok(done as u32)
        }
    }
}

fn retry(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result as usize);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// While it lives, writing to a pipe that nobody reads raises no SIGPIPE in this thread.
struct Quiet {
    before: libc::sigset_t,
    was_pending: bool,
}

impl Quiet {
    fn begin() -> Quiet {
        // SAFETY: the sets are initialized before they are used, and are this thread's.
        unsafe {
            let (mut pipe, mut before, mut pending) = mem::zeroed();
            libc::sigemptyset(&mut pipe);
            libc::sigaddset(&mut pipe, libc::SIGPIPE);
            libc::sigpending(&mut pending);
            libc::pthread_sigmask(libc::SIG_BLOCK, &pipe, &mut before);
            Quiet { before, was_pending: libc::sigismember(&pending, libc::SIGPIPE) == 1 }
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: as in `begin`.
        unsafe {
            let mut pipe = mem::zeroed();
            libc::sigemptyset(&mut pipe);
            libc::sigaddset(&mut pipe, libc::SIGPIPE);
            if !self.was_pending {
                let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
                // Nothing to take if nothing was raised.
                let _ = libc::sigtimedwait(&pipe, std::ptr::null_mut(), &now);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}
