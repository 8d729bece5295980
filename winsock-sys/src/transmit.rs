//! `TransmitFile`: head, file and tail over a connection, the file by `sendfile`.

use std::ffi::c_void;
use std::os::fd::AsRawFd;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, HANDLE, INVALID_HANDLE_VALUE, STATUS_CONNECTION_RESET,
    STATUS_INVALID_CONNECTION, STATUS_PIPE_DISCONNECTED, STATUS_SUCCESS,
};
use windows_sys::Win32::Networking::WinSock::{
    SOCKET, TF_DISCONNECT, TF_REUSE_SOCKET, TF_USE_KERNEL_APC, TF_USE_SYSTEM_THREAD,
    TF_WRITE_BEHIND, TRANSMIT_FILE_BUFFERS, WSAEINVAL, WSAENOTCONN, WSAESHUTDOWN,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::BOOL;

use crate::connect::{answer_bool, disconnect_step};
use crate::error::{self, Code};
use crate::files;
use crate::object::{self, Object, SocketRef};
use crate::op::{Buffers, FilePart, Kind, Op, Step, Transmit};
use crate::socket::{Direction, Socket, State, Submitted};
use crate::sys::{self, Errno};
use crate::transfer;

/// Sends a file between two buffers: [TransmitFile][ms].
///
/// `file` NULL sends the buffers alone; `count` 0 sends the file to its end. It starts at the
/// OVERLAPPED's offset, or without one at the file's position. TF_DISCONNECT and TF_REUSE_SOCKET
/// end the connection when all has been taken. WSAENOTCONN, ERROR_INVALID_HANDLE, WSAEINVAL.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-transmitfile
///
/// # Safety
/// As on Windows: buffers and OVERLAPPED are lent until the operation completes.
pub unsafe extern "system" fn TransmitFile(
    s: SOCKET,
    file: HANDLE,
    count: u32,
    _bytes_per_send: u32,
    overlapped: *mut OVERLAPPED,
    buffers: *const TRANSMIT_FILE_BUFFERS,
    flags: u32,
) -> BOOL {
    let result = object::socket(s).and_then(|socket| {
        if !socket.form.is_stream() {
            return Err(Code::wsa(WSAEINVAL));
        }
        {
            let state = socket.lock();
            if !state.connected {
                return Err(Code::wsa(WSAENOTCONN));
            }
            if state.send_shut {
                return Err(Code::wsa(WSAESHUTDOWN));
            }
        }
        // SAFETY: our caller vouches for the OVERLAPPED and the buffers.
        let transmit = unsafe { plan(file, count, overlapped, buffers, flags) }?;
        if overlapped.is_null() {
            return transmit_now(&socket, transmit);
        }
        // SAFETY: passed on from our caller.
        let op = unsafe { Op::new(Kind::Transmit(Box::new(transmit)), overlapped, None) };
        socket.submit_pending(Direction::Out, op).map_err(|errno| error::wsa_of_errno(errno.0))?;
        Ok(Submitted::Pending)
    });
    answer_bool(result, std::ptr::null_mut())
}

/// # Safety
/// As [`TransmitFile`].
unsafe fn plan(
    file: HANDLE,
    count: u32,
    overlapped: *mut OVERLAPPED,
    buffers: *const TRANSMIT_FILE_BUFFERS,
    flags: u32,
) -> Result<Transmit, Code> {
    /// As many bytes as one call can be asked to send.
    const MOST: u32 = 0x7fff_fffe;
    const HINTS: u32 = TF_WRITE_BEHIND | TF_USE_SYSTEM_THREAD | TF_USE_KERNEL_APC;
    const ENDS: u32 = TF_DISCONNECT | TF_REUSE_SOCKET;
    let reuse_alone = flags & ENDS == TF_REUSE_SOCKET;
    if flags & !(ENDS | HINTS) != 0 || reuse_alone || count > MOST {
        return Err(Code::wsa(WSAEINVAL));
    }
    let part = |base: *mut c_void, len: u32| match len {
        0 => Buffers::NONE,
        len => Buffers::one(base.cast(), len),
    };
    let (head, tail) = match buffers.is_null() {
        true => (Buffers::NONE, Buffers::NONE),
        false => {
            // SAFETY: our caller vouches for the structure.
            let buffers = unsafe { &*buffers };
            (part(buffers.Head, buffers.HeadLength), part(buffers.Tail, buffers.TailLength))
        }
    };
    let offset = match overlapped.is_null() {
        true => None,
        false => {
            // SAFETY: our caller vouches for the OVERLAPPED; Offset and OffsetHigh are its input.
            let offset = unsafe { (*overlapped).Anonymous.Anonymous };
            Some(i64::from(offset.OffsetHigh) << 32 | i64::from(offset.Offset))
        }
    };
    let file = match file.is_null() || file == INVALID_HANDLE_VALUE {
        true => None,
        false => Some(file_part(file, count, offset)?),
    };
    let reuse = flags & TF_REUSE_SOCKET != 0;
    let disconnect = flags & TF_DISCONNECT != 0;
    Ok(Transmit { head, file, tail, head_done: 0, tail_done: 0, disconnect, reuse })
}

fn file_part(handle: HANDLE, count: u32, offset: Option<i64>) -> Result<FilePart, Code> {
    let object = object::open(handle)?;
    let Object::File(file) = &*object else { return Err(Code(ERROR_INVALID_HANDLE)) };
    let fd = file.as_raw_fd();
    let (offset, moves) = match offset {
        Some(offset) => (offset, false),
        None => (files::position(file)?, true),
    };
    if offset > files::size(file)? {
        return Err(Code::wsa(WSAEINVAL));
    }
    let left = (count != 0).then_some(count.into());
    Ok(FilePart { fd, file: object, offset, left, moves })
}

/// Without an OVERLAPPED the call lasts until all is sent: it waits for an operation of its own.
fn transmit_now(socket: &SocketRef, transmit: Transmit) -> Result<Submitted, Code> {
    let mut transmit = transmit;
    let mut done = 0;
    let bytes = crate::data::block(socket, Direction::Out, |state| {
        let step = step(socket, state, &mut transmit, &mut done);
        socket.sever(state, transmit.reuse && matches!(step, Step::Done(STATUS_SUCCESS, _)));
        step
    })?;
    Ok(Submitted::Done(STATUS_SUCCESS, bytes))
}

/// One attempt: as far as the kernel takes it.
pub fn step(socket: &Socket, state: &mut State, transmit: &mut Transmit, done: &mut u32) -> Step {
    if transmit.head.total() > transmit.head_done as usize {
        let more_follows = transmit.file.is_some() || transmit.tail.total() > 0;
        let flags = if more_follows { libc::MSG_MORE } else { 0 };
        let before = transmit.head_done;
        let head_done = &mut transmit.head_done;
        let step = transfer::send_step(socket.form, state, &transmit.head, flags, None, head_done);
        *done += transmit.head_done - before;
        match step {
            Step::Done(STATUS_SUCCESS, _) => {}
            other => return other,
        }
    }
    if let Some(file) = &mut transmit.file {
        match send_file(state, file, done) {
            Step::Done(STATUS_SUCCESS, _) => {}
            other => return other,
        }
    }
    if transmit.tail.total() > 0 {
        let before = transmit.tail_done;
        let tail_done = &mut transmit.tail_done;
        let step = transfer::send_step(socket.form, state, &transmit.tail, 0, None, tail_done);
        *done += transmit.tail_done - before;
        match step {
            Step::Done(STATUS_SUCCESS, _) => {}
            other => return other,
        }
    }
    if transmit.disconnect || transmit.reuse {
        disconnect_step(state, transmit.reuse);
    }
    Step::Done(STATUS_SUCCESS, *done)
}

fn send_file(state: &mut State, file: &mut FilePart, done: &mut u32) -> Step {
    if state.send_shut && !state.fin_due {
        return Step::Done(STATUS_PIPE_DISCONNECTED, 0);
    }
    let Some(fd) = state.fd else { return Step::Done(STATUS_INVALID_CONNECTION, 0) };
    /// What one call to the kernel may take.
    const MOST: u64 = 1 << 20;
    while file.left != Some(0) {
        let count = file.left.unwrap_or(MOST).min(MOST) as usize;
        match sys::send_file(fd, file.fd, &mut file.offset, count) {
            Ok(0) => break, // The file's end.
            Ok(bytes) => {
                *done += bytes as u32;
                file.left = file.left.map(|left| left - bytes as u64);
            }
            Err(Errno(libc::EAGAIN)) => {
                state.writable = false;
                return Step::Wait;
            }
            Err(Errno(libc::ECONNRESET | libc::EPIPE)) => {
                state.reset = true;

                return Step::Done(STATUS_CONNECTION_RESET, 0);
            }
            Err(errno) => return Step::Done(error::status_of_errno(errno.0), 0),
        }
    }
    file.left = Some(0); // The file has ended: a retry for the tail goes on behind it.
    if file.moves
        && let Object::File(handle) = &*file.file
    {
        files::move_to(handle, file.offset);
    }
    Step::Done(STATUS_SUCCESS, *done)
}
