//! How operations end before their time: cancelled, with their thread, with their connection, with
//! the socket.

use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_CANCELLED, STATUS_CONNECTION_ABORTED};

use super::{Socket, State};
use crate::accept;
use crate::backend;
use crate::object::{SocketRef, TABLE};
use crate::op::{Kind, Op};
use crate::sys;

impl Socket {
    /// Cancels the operations that `choose` picks. Returns how many there were (rule 36).
    pub fn cancel(&self, choose: &dyn Fn(&Op) -> bool) -> usize {
        let (count, is_aloft) = {
            let mut state = self.lock();
            (self.abort(&mut state, choose, |_| STATUS_CANCELLED), state.aloft.is_some())
        };
        if is_aloft {
            self.settle();
        }
        count
    }

    /// Ends what waits for a connection that is no more.
    pub fn sever(&self, state: &mut State, started_over: bool) {
        if started_over {
            self.abort(state, &|_| true, |_| STATUS_CONNECTION_ABORTED);
        }
    }

    fn abort(
        &self,
        state: &mut State,
        choose: &dyn Fn(&Op) -> bool,
        status: impl Fn(&Op) -> NTSTATUS,
    ) -> usize {
        let doomed = self.doom(state, choose, &status);
        let mut chosen = state.recv.extract(&|op| op.doom.is_none() && choose(op));
        chosen.extend(state.send.extract(choose));
        let count = doomed + chosen.len();
        for mut op in chosen {
            if let Kind::Accept(request) = &op.kind {
                accept::release(request);
            }
            let status = status(&op);
            let done = op.done;
            self.tell(state, &mut op, status, done);
        }
        count
    }

    /// The last handle is gone: ends what is pending, then gives up the descriptor.
    pub fn shut(&self) {
        let mut state = self.lock();
        state.closed = true;
        let severed = self.form.is_stream() && state.connected;
        self.abort(&mut state, &|_| true, |op| match op.kind {
            // Rules 34 and 35.
            Kind::Recv { .. } | Kind::Send { .. } | Kind::Transmit(_) if severed => {
                STATUS_CONNECTION_ABORTED
            }
            _ => STATUS_CANCELLED,
        });
        if state.aloft.is_some() {
            drop(state);
            self.settle();
            state = self.lock();
        }
        let fd = state.fd.take();
        let acceptor = state.acceptor.take();
        let extra = state.extra.take().unwrap_or_default();
        let (listening, handle) = (state.listening, state.handle);
        drop(state);

        if let (Some(fd), true) = (fd, listening && !extra.blocked.is_empty()) {
            // A thread still in `ppoll` keeps the listener alive for a moment; its port is free
            // now.
            let _ = sys::shutdown(fd, libc::SHUT_RDWR);
        }
        extra.blocked.iter().for_each(|thread| thread.unpark());
        if let Some(listener) = acceptor.and_then(|s| TABLE.live(s)).and_then(SocketRef::of) {
            listener.cancel(&|op| accept::is_for(op, self)); // Rule 37.
        }
        for accepted in extra.accepting.into_iter().filter_map(SocketRef::of) {
            accepted.cancel(&|op| op.is_accept_data_of(handle));
        }
        for fd in fd.into_iter().chain(extra.stash.into_iter().map(|(fd, _)| fd)) {
            sys::close(fd);
        }
        backend::feed();
    }
}

/// Cancels what a thread that ends has left behind (rule 48).
pub fn cancel_of_thread(issuer: u32) {
    for value in TABLE.values() {
        if let Some(socket) = TABLE.open(value).and_then(SocketRef::of) {
            let has_port = socket.lock().report.port.is_some();
            socket.cancel(&|op| op.issuer == issuer && op.dies_with_thread(has_port));
        }
    }
}

/// Whether the exit of a thread would cancel something (rule 48).
pub fn has_pending_of(issuer: u32) -> bool {
    TABLE.values().into_iter().filter_map(|value| TABLE.open(value).and_then(SocketRef::of)).any(
        |socket| {
            let state = socket.lock();
            let has_port = state.report.port.is_some();
            state.has_op(&|op| op.issuer == issuer && op.dies_with_thread(has_port))
        },
    )
}
