//! Receives in flight: given to the kernel whole, where the backend can do that.
//!
//! At most one operation of a socket is in flight, the first of its receives, so that posting order
//! is kept without more ado. It stays in its queue, and `State::aloft` says that nobody may touch
//! its buffer. What would end it meanwhile (a cancel, a close) marks it and asks the kernel for it;
//! it ends when it lands, and not before: until then the kernel may write (invariant g).

use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_PIPE_DISCONNECTED, STATUS_SUCCESS};

use super::{Direction, Socket, State};
use crate::backend;
use crate::error;
use crate::object::{Object, TABLE};
use crate::op::{Kind, Op, Sender, Step};
use crate::sys::Errno;
use crate::transfer;

/// The memory that a receive fills, if the kernel can do all of it by itself.
fn memory_of(op: &Op) -> Option<(*mut u8, u32)> {
    let buffers = match &op.kind {
        Kind::Recv { buffers, flags: 0, from: Sender::Untold }
        | Kind::AcceptData { buffers, .. } => buffers,
        Kind::Recv { .. }
        | Kind::Send { .. }
        | Kind::SendMessage(_)
        | Kind::Accept(_)
        | Kind::Connect { .. }
        | Kind::Disconnect { .. }
        | Kind::Transmit(_) => return None,
    };
    // One without room waits for readiness (rule 60).
    let only = buffers.single().filter(|buffer| buffer.iov_len > 0 && op.done == 0)?;
    Some((only.iov_base.cast(), only.iov_len as u32))
}

impl Socket {
    /// Whether the kernel can have this operation whole. Not on a socket that the backend reports
    /// on: it would be told of everything twice.
    pub(super) fn can_fly(&self, state: &State, direction: Direction, op: &Op) -> bool {
        direction == Direction::In
            && backend::carries_receives()
            && self.form.is_stream()
            && !self.form.is_pipe()
            && state.connected
            && !state.registered
            && memory_of(op).is_some()
    }

    /// Gives the first receive to the kernel, or has the backend report when it can be tried.
    pub(super) fn launch(&self, state: &mut State, direction: Direction) -> Result<(), Errno> {
        if state.is_aloft(direction) {
            return Ok(());
        }
        let Some(first) = state.queue(direction).first() else { return Ok(()) };
        let flies = memory_of(first);
        match (flies, state.fd) {
            (Some((base, len)), Some(fd)) if state.can_fly_first(self, direction) => {
                // The kernel's reference: the socket stays until its receive has landed.
                let Some(own) = TABLE.live(state.handle) else { return Err(Errno(libc::EBADF)) };
                let word = own.lend();
                state.aloft = Some(word);
                backend::launch(word, fd, base, len);
                Ok(())
            }
            _ => self.enroll(state),
        }
    }

    /// What is in flight shall end with this status; so shall what is behind it and chosen.
    pub(super) fn doom(
        &self,
        state: &mut State,
        choose: &dyn Fn(&Op) -> bool,
        status: &dyn Fn(&Op) -> NTSTATUS,
    ) -> usize {
        let Some(word) = state.aloft else { return 0 };
        if !state.recv.first().is_some_and(choose) {
            return 0;
        }
        let mut count = 0;
        for op in state.recv.iter_mut() {
            if choose(op) {
                count += usize::from(op.doom.is_none());
                op.doom = op.doom.or(Some(status(op)));
            }
        }
        backend::recall(word);
        count
    }

    /// Waits until nothing is in flight that somebody has asked back. Called without locks, by a
    /// thread that does not drive the backend.
    pub(super) fn settle(&self) {
        let doomed = || {
            let state = self.lock();
            state.aloft.is_some() && state.recv.first().is_some_and(|op| op.doom.is_some())
        };
        if doomed() {
            backend::await_landing(doomed);
        }
    }

    /// The kernel is done with the receive in flight.
    pub fn on_landing(&self, result: i32) {
        let mut state = self.lock();
        state.aloft = None;
        let Some(mut op) = state.recv.pop() else { return };
        let room = memory_of(&op).map_or(0, |(_, len)| len);
        let step = match result {
            0.. => {
                op.done += result as u32;
                match (1..room).contains(&(result as u32)) {
                    true => state.note_drained(),
                    false => state.readable = true, // There may be more; the end stays.
                }
                match state.recv_shut {
                    true => Step::Done(STATUS_PIPE_DISCONNECTED, 0), // Rule 10.
                    false => Step::Done(STATUS_SUCCESS, op.done),
                }
            }
            // Recalled, or the thread that submitted it has ended; a bad buffer is found out by the
            // next attempt. Nothing has been received.
            _ if matches!(
                -result,
                libc::ECANCELED | libc::EFAULT | libc::EINTR | libc::EAGAIN | libc::ENOMEM
            ) =>
            {
                match op.doom {
                    Some(status) => Step::Done(status, op.done),
                    None => Step::Wait,
                }
            }
            errno => {
                state.readable = true;
                transfer::failed_recv(&mut state, Errno(-errno))
            }
        };
        match (step, op.doom) {
            (Step::Done(status, bytes), _) => self.finish(&mut state, op, status, bytes),
            (Step::Wait, Some(status)) => self.finish(&mut state, op, status, 0),
            (Step::Wait, None) => state.recv.unpop(op),
        }
        while let Some(status) = state.recv.first().and_then(|op| op.doom)
            && let Some(next) = state.recv.pop()
        {
            self.finish(&mut state, next, status, 0);
        }
        if state.closed {
            return;
        }
        if !state.recv.is_empty() {
            self.advance(&mut state, Direction::In);
        }
        if state.selected {
            self.note_report(&mut state, libc::EPOLLIN, true);
        }
        self.tell_change(&mut state);
    }

    /// An operation cannot wait: it ends here.
    pub(super) fn fail_first(&self, state: &mut State, direction: Direction, errno: Errno) {
        if let Some(op) = state.queue(direction).pop() {
            self.finish(state, op, error::status_of_errno(errno.0), 0);
        }
    }
}

impl State {
    /// Whether the first operation of this direction is in the kernel's hands.
    pub(super) fn is_aloft(&self, direction: Direction) -> bool {
        direction == Direction::In && self.aloft.is_some()
    }

    fn can_fly_first(&self, socket: &Socket, direction: Direction) -> bool {
        self.recv.first().is_some_and(|op| socket.can_fly(self, direction, op))
    }

    /// The descriptor is about to be closed or replaced: no launch may be queued that names it.
    pub(super) fn ground(&self) {
        if self.aloft.is_some() {
            backend::flush();
        }
    }
}

/// The backend's landing: `word` is what [`backend::launch`] was given.
///
/// # Safety
/// Each launch lands once.
pub unsafe fn on_landing(word: u64, result: i32) {
    // SAFETY: `launch` lent this reference, and our caller vouches for the rest.
    let object = unsafe { TABLE.take_back(word) };
    if let Object::Socket(socket) = &*object {
        socket.on_landing(result);
    }
}
