//! One attempt to receive or to send: what the kernel says, in Windows' words.

use std::os::fd::RawFd;

use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_BUFFER_OVERFLOW, STATUS_CONNECTION_RESET, STATUS_INVALID_CONNECTION,
    STATUS_INVALID_PARAMETER, STATUS_PIPE_BROKEN, STATUS_PIPE_CLOSING, STATUS_PIPE_DISCONNECTED,
    STATUS_PORT_UNREACHABLE, STATUS_SUCCESS,
};
use windows_sys::Win32::Networking::WinSock::{
    MSG_BCAST, MSG_CTRUNC, MSG_MCAST, MSG_TRUNC, WSAMSG,
};

use crate::address::{self, Address};
use crate::ancillary;
use crate::connect;
use crate::error;
use crate::op::{Buffers, Message, Sender, Step};
use crate::socket::{Form, State};
use crate::sys::{self, Errno};

/// Receives what is there, `done` bytes into the buffers.
pub fn recv_step(
    form: Form,
    state: &mut State,
    buffers: &Buffers,
    flags: i32,
    from: Sender,
    done: &mut u32,
) -> Step {
    let fd = match may_recv(form, state) {
        Ok(fd) => fd,
        Err(STATUS_CONNECTION_RESET) if form.is_pipe() => {
            return Step::Done(STATUS_PIPE_BROKEN, 0);
        }
        Err(status) => return Step::Done(status, 0),
    };
    match form.is_stream() {
        true if form.is_pipe() => match recv_stream(state, fd, buffers, flags, done) {
            Step::Done(STATUS_SUCCESS, 0) if buffers.total() > 0 => {
                Step::Done(STATUS_PIPE_BROKEN, 0)
            }
            Step::Done(STATUS_CONNECTION_RESET, _) => Step::Done(STATUS_PIPE_BROKEN, 0),
            step => step,
        },
        true => recv_stream(state, fd, buffers, flags, done),
        false => recv_datagram(state, fd, buffers, flags, from, done),
    }
}

fn may_recv(form: Form, state: &mut State) -> Result<RawFd, NTSTATUS> {
    if form.is_stream() {
        connect::settle(state);
        if !state.connected {
            return Err(STATUS_INVALID_CONNECTION);
        }
    }
    if state.recv_shut {
        return Err(STATUS_PIPE_DISCONNECTED); // Rule 10.
    }
    if state.reset {
        return Err(STATUS_CONNECTION_RESET);
    }
    // A datagram socket without a name has nothing to receive under.
    state.fd.filter(|_| form.is_stream() || state.bound).ok_or(STATUS_INVALID_PARAMETER)
}

fn recv_stream(
    state: &mut State,
    fd: RawFd,
    buffers: &Buffers,
    flags: i32,
    done: &mut u32,
) -> Step {
    let total = buffers.total();
    if total == 0 {
        return peek(state, fd);
    }
    loop {
        let mut room = 0;
        let received = buffers.remaining(*done as usize, |vectors| {
            room = vectors.iter().map(|vector| vector.iov_len).sum();
            // SAFETY: the buffers are the program's, lent until the operation completes, and it has
            // not completed.
            unsafe { sys::recv_stream(fd, vectors, flags) }
        });
        match received {
            Ok(0) => return Step::Done(STATUS_SUCCESS, *done), // The peer's end (rule 30).
            Ok(bytes) => {
                *done += bytes as u32;
                state.note_received();
                if flags & libc::MSG_PEEK != 0 {
                    state.readable = true; // What was looked at is still there.
                } else if bytes < room && flags & libc::MSG_OOB == 0 {
                    state.note_drained();
                }
                let fill = flags & libc::MSG_WAITALL != 0;
                let full = *done as usize == total || flags & libc::MSG_PEEK != 0;
                if full || bytes < room && !fill {
                    return Step::Done(STATUS_SUCCESS, *done);
                }
            }
            Err(errno) => return failed_recv(state, errno),
        }
    }
}

/// A receive without room: done as soon as there is something, which stays (rule 60).
fn peek(state: &mut State, fd: RawFd) -> Step {
    if state.has_news {
        return Step::Done(STATUS_SUCCESS, 0); // The kernel has just said so.
    }
    let mut byte = 0u8;
    let vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    // SAFETY: the vector describes `byte`.
    match unsafe { sys::recv_stream(fd, &[vector], libc::MSG_PEEK) } {
        Ok(_) => {
            state.readable = true; // What was looked at is still there.
            Step::Done(STATUS_SUCCESS, 0)
        }
        Err(errno) => failed_recv(state, errno),
    }
}

fn recv_datagram(
    state: &mut State,
    fd: RawFd,
    buffers: &Buffers,
    flags: i32,
    from: Sender,
    done: &mut u32,
) -> Step {
    if std::mem::take(&mut state.unreachable) {
        return Step::Done(STATUS_PORT_UNREACHABLE, 0);
    }
    let mut sender = Address::empty();
    let mut control = [0; ancillary::ROOM];
    let room = match from {
        Sender::Message(_) => control.len(),
        Sender::Untold | Sender::Address(..) => 0,
    };
    let received = loop {
        let received = buffers.remaining(0, |vectors| {
            let (flags, control) = (flags & !libc::MSG_WAITALL, &mut control[..room]);
            // SAFETY: the buffers are the program's, lent until the operation completes.
            unsafe { sys::recv_message(fd, vectors, flags, Some(&mut sender), control) }
        });
        match received {
            Err(errno) if is_told_by_icmp(errno) => {
                sys::drain_errors(fd);
                if errno.0 == libc::ECONNREFUSED && state.reports_unreachable() {
                    return Step::Done(STATUS_PORT_UNREACHABLE, 0); // Rule 65.
                }
            }
            other => break other,
        }
    };
    match received {
        Ok((received, found)) => {
            state.note_received();
            match from {
                Sender::Untold => {}
                // SAFETY: name and length are the program's, lent like the buffers. Too little room
                // was refused when the operation was issued.
                Sender::Address(name, len) => drop(unsafe { address::write(&sender, name, len) }),
                Sender::Message(message) => {
                    let (told, cut) = (&control[..found.bytes], found.truncated);
                    // SAFETY: the message is the program's, lent like the buffers.
                    unsafe { tell(message, &sender, told, cut, received.truncated) };
                }
            }
            *done = received.bytes as u32;
            let status = match received.truncated {
                true => STATUS_BUFFER_OVERFLOW, // Rule 64.
                false => STATUS_SUCCESS,
            };
            Step::Done(status, *done)
        }
        Err(errno) => failed_recv(state, errno),
    }
}

/// Fills in the message of a WSARecvMsg.
///
/// # Safety
/// The message is valid, its name and its control buffer NULL or as long as it says.
unsafe fn tell(message: *mut WSAMSG, sender: &Address, control: &[u8], cut: bool, short: bool) {
    // SAFETY: our caller vouches for the message.
    let message = unsafe { &mut *message };
    if !message.name.is_null() {
        // SAFETY: our caller vouches for the room.
        let _ = unsafe { address::write(sender, message.name, &raw mut message.namelen) };
    }
    let room = if message.Control.buf.is_null() { 0 } else { message.Control.len as usize };
    let (control, left_out) = ancillary::to_windows(control, room);
    if !control.is_empty() {
        // SAFETY: it fits, and our caller vouches for the room.
        unsafe { control.as_ptr().copy_to_nonoverlapping(message.Control.buf, control.len()) };
    }
    message.Control.len = control.len() as u32;
    let came_to = ancillary::destination(&control);
    let flags = [
        (short, MSG_TRUNC),
        (cut || left_out, MSG_CTRUNC),
        (came_to == Some([255; 4]), MSG_BCAST),
        (came_to.is_some_and(|host| host[0] & 0xf0 == 0xe0), MSG_MCAST),
    ];
    message.dwFlags = flags.iter().filter(|(holds, _)| *holds).map(|(_, flag)| flag).sum();
}

/// What a datagram socket is told by ICMP about something it has sent. Windows passes on closed
/// ports only (rule 65).
fn is_told_by_icmp(errno: Errno) -> bool {
    matches!(
        errno.0,
        libc::ECONNREFUSED
            | libc::EHOSTUNREACH
            | libc::ENETUNREACH
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::ENOPROTOOPT
            | libc::EPROTO
            | libc::EMSGSIZE
            | libc::EOPNOTSUPP
            | libc::EACCES
    )
}

/// Keeps what ICMP has told a datagram socket for the next receive to tell, so that the kernel need
/// not show it any more.
pub fn keep_report(state: &mut State, fd: RawFd) {
    let error = sys::option(fd, libc::SOL_SOCKET, libc::SO_ERROR, 0i32);
    sys::drain_errors(fd);
    state.unreachable |= error == Ok(libc::ECONNREFUSED) && state.reports_unreachable();
}

pub fn failed_recv(state: &mut State, errno: Errno) -> Step {
    match errno.0 {
        libc::EAGAIN => {
            state.note_drained();
            Step::Wait
        }
        libc::ECONNRESET | libc::EPIPE => {
            state.reset = true;
            Step::Done(STATUS_CONNECTION_RESET, 0)
        }
        other => {
            // Linux tells once why a connection is dead and calls it the end from then on.
            state.reset = state.connected && other == libc::ETIMEDOUT;
            Step::Done(error::status_of_errno(other), 0)
        }
    }
}

/// Sends a datagram with control data.
pub fn send_message_step(form: Form, state: &mut State, message: &Message) -> Step {
    let Message { buffers, flags, to, control } = message;
    let mut done = 0;
    send_with(form, state, buffers, &mut done, |fd, vectors| {
        // SAFETY: the buffers are the program's, lent until the operation completes.
        unsafe { sys::send_message(fd, vectors, *flags, to.as_ref(), control) }
    })
}

/// Sends from `done` bytes into the buffers as far as the kernel takes it. A stream is not done
/// before all has been taken (rule 63).
pub fn send_step(
    form: Form,
    state: &mut State,
    buffers: &Buffers,
    flags: i32,
    to: Option<&Address>,
    done: &mut u32,
) -> Step {
    send_with(form, state, buffers, done, |fd, vectors| {
        // SAFETY: the buffers are the program's, lent until the operation completes.
        unsafe { sys::send(fd, vectors, flags, to) }
    })
}

fn send_with(
    form: Form,
    state: &mut State,
    buffers: &Buffers,
    done: &mut u32,
    send: impl Fn(RawFd, &[libc::iovec]) -> sys::Result<usize>,
) -> Step {
    let fd = match may_send(form, state) {
        Ok(fd) => fd,
        Err(STATUS_CONNECTION_RESET) if form.is_pipe() => {
            return Step::Done(STATUS_PIPE_CLOSING, 0);
        }
        Err(status) => return Step::Done(status, 0),
    };
    let total = buffers.total();
    let mut told = false;
    loop {
        let sent = buffers.remaining(*done as usize, |vectors| send(fd, vectors));
        match sent {
            Ok(bytes) => {
                *done += bytes as u32;
                if !form.is_stream() {
                    state.bound = true; // The kernel has bound it, if it was not.
                }
                if *done as usize >= total || !form.is_stream() {
                    return Step::Done(STATUS_SUCCESS, *done);
                }
            }
            Err(Errno(libc::EAGAIN)) => {
                state.writable = false;
                return Step::Wait;
            }
            Err(errno) if !form.is_stream() && is_told_by_icmp(errno) && !told => {
                // The report belongs to an earlier datagram, and on Windows to a receive.
                told = true;
                sys::drain_errors(fd);
                state.unreachable |= errno.0 == libc::ECONNREFUSED && state.reports_unreachable();
                state.stir(); // Whoever waits for the kernel to show it waits in vain.
            }
            Err(Errno(libc::ECONNRESET | libc::EPIPE)) => {
                state.reset = true;
                return Step::Done(
                    match form.is_pipe() {
                        true => STATUS_PIPE_CLOSING,
                        false => STATUS_CONNECTION_RESET,
                    },
                    0,
                );
            }
            Err(errno) => return Step::Done(error::status_of_errno(errno.0), 0),
        }
    }
}

fn may_send(form: Form, state: &mut State) -> Result<RawFd, NTSTATUS> {
    if state.send_shut && !state.fin_due {
        return Err(STATUS_PIPE_DISCONNECTED); // Rule 10.
    }
    if form.is_stream() {
        connect::settle(state);
        if !state.connected {
            return Err(STATUS_INVALID_CONNECTION);
        }
        if state.reset {
            return Err(STATUS_CONNECTION_RESET);
        }
    }
    state.fd.ok_or(STATUS_INVALID_CONNECTION)
}
