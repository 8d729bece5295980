//! A socket: its descriptor, what Windows knows of it and Linux does not, and the operations that
//! wait on it.
//!
//! Everything mutable is behind one lock, under which operations are tried, parked and completed.
//! That lock is what makes completions of one direction leave in posting order (invariant h), and a
//! cancel or a close meet an operation either before it finished or after, never in between.
//! Lock order: listener before the socket it accepts into; socket before port, signals and APC
//! queues.

mod ending;
mod flight;
mod handles;

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use windows_sys::Win32::Foundation::{
    NTSTATUS, STATUS_CANCELLED, STATUS_INVALID_HANDLE, STATUS_PIPE_DISCONNECTED,
};
use windows_sys::Win32::Networking::WinSock::SOCKET;

use crate::address::Address;
use crate::error::{self, Code};
use crate::event::Signal;
use crate::handle::Ref;
use crate::notify::Registered;
use crate::object::{Object, SocketRef, TABLE};
use crate::op::{Buffers, Kind, Op, Queue, Report, Sender, Step, When};
use crate::options::Journal;
use crate::readiness::{Ledger, Need};
use crate::sync::{Mutex, MutexGuard, lock};
use crate::sys::{self, Errno};
use crate::thread::{self, Thread};
use crate::{accept, backend, connect, transfer, transmit};
pub use ending::{cancel_of_thread, has_pending_of};
#[cfg(not(loom))]
pub use flight::on_landing;
pub use handles::{close, close_handle, open};

/// What a socket was created as. Family, type and protocol are Linux's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub family: i32,
    pub kind: i32,
    pub protocol: i32,
    /// Created with WSA_FLAG_OVERLAPPED, as `socket` always does (rule 52).
    pub overlapped: bool,
}

impl Form {
    /// An end of a pipe with a name, which is a socket inside.
    pub const PIPE: Form =
        Form { family: libc::AF_UNIX, kind: libc::SOCK_STREAM, protocol: 0, overlapped: false };

    pub fn is_pipe(self) -> bool {
        self.family == libc::AF_UNIX
    }

    pub fn is_stream(self) -> bool {
        self.kind == libc::SOCK_STREAM
    }
}

/// A socket. It begins with a cache line, so that its hot part takes no more lines than it must.
#[repr(C, align(64))]
pub struct Socket {
    state: Mutex<State>,
    pub form: Form,
    /// The socket as a thing to wait for (rule 54).
    pub signal: Signal,
}

/// Which queue an operation waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Waits for the socket to be readable: receives and accepts.
    In,
    /// Waits for it to be writable: sends, connects, files.
    Out,
}

/// What is behind the lock. Laid out by heat: what an operation touches comes first, in two cache
/// lines with the lock.
#[repr(C)]
pub struct State {
    /// `None` until a call needs it: a socket made for AcceptEx never gets one of its own.
    pub fd: Option<RawFd>,
    pub closed: bool,
    /// A non-blocking connect or a ConnectEx is under way.
    pub connecting: bool,
    pub connected: bool,
    /// The peer has reset the connection; Linux reports that once, Windows from then on.
    pub reset: bool,
    pub send_shut: bool,
    /// Shut while sends were pending: the FIN follows the last of them.
    pub fin_due: bool,
    pub recv_shut: bool,
    /// FIONBIO, as the program sees it: descriptors are non-blocking always.
    pub nonblocking: bool,
    /// Registered with the backend.
    registered: bool,
    /// The kernel may have something to read, or room to write.
    pub readable: bool,
    pub writable: bool,
    /// The peer's end or an error was reported: no further edge will come, so always try.
    pub hangup: bool,
    /// A report that there is something to read is being handed out, and it is true.
    pub has_news: bool,
    /// Tied to a port once; the report's port alone does not tell after the port has closed.
    pub associated: bool,
    pub bound: bool,
    /// An ICMP report came in answer to a datagram; the next receive tells (rule 65).
    pub unreachable: bool,
    /// It has a ledger of network events.
    pub selected: bool,
    /// It is registered with a port, or has been: see `notify`.
    pub noticed: bool,
    /// Something has been received, or sought in vain, since its port was last told of input.
    pub received_since: bool,
    /// The backend's round in which the program last received something, or found nothing: a report
    /// of that round may be of what is gone.
    received_round: u32,
    /// The coarse millisecond of the reaping after which it was last found empty; see
    /// `worth_trying`.
    drained_at: Option<u32>,
    /// The first receive is in the kernel's hands, under this word: see `flight`.
    aloft: Option<u64>,
    recv: Queue,
    send: Queue,
    /// A box that an operation has left, for the next one.
    spare: Option<Box<Op>>,
    pub report: Report,
    extra: Option<Box<Extra>>,
    /// The handle under which the backend knows it.
    pub handle: SOCKET,

    /// Apart from the rest of what few sockets need: many have TCP_NODELAY set and nothing else.
    options: Option<Box<Journal>>,
    /// The listener whose AcceptEx will fill this socket.
    pub acceptor: Option<SOCKET>,
    /// Open handles to it: more than one after WSADuplicateSocket (rule 18).
    pub handles: u32,
    pub connected_at: u32,
    /// The errno of the last connect, if that failed.
    pub failure: i32,
    /// SO_ERROR has told the failure, as it does once (rule 130).
    pub failure_told: bool,
    pub listening: bool,
    /// It is we who have called: the connection was not accepted.
    pub called: bool,
    /// Connected by AcceptEx or ConnectEx and not yet updated (rules 73 and 76).
    pub needs_context: bool,
    /// Given back by TF_REUSE_SOCKET: it serves AcceptEx like a new socket, and ConnectEx like a
    /// bound one.
    pub reused: bool,
    /// Used up by DisconnectEx: sends and connects are refused in Windows' way (rule 78).
    pub disconnected: bool,
}

/// What few sockets need.
#[derive(Default)]
pub struct Extra {
    /// Threads inside blocking calls on this socket.
    pub blocked: Vec<Arc<Thread>>,
    /// Connections taken from the backlog and given back (rule 69).
    pub stash: VecDeque<(RawFd, Address)>,
    /// AcceptEx operations that wait for first data on their accepted sockets.
    pub accepting: Vec<Ref<Object>>,
    /// The peer's address, noted when the connection ends on our side.
    pub peer: Option<Address>,
    /// A listener's own address, once asked for.
    pub local: Option<Option<Address>>,
    /// What WSAEventSelect and WSAAsyncSelect tell of.
    ledger: Option<Ledger>,
    /// Its registration with a port.
    pub registered: Option<Registered>,
}

/// What became of a submitted operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Finished already, and reported like any other (rule 21); a success or a warning.
    Done(NTSTATUS, u32),
    Pending,
    /// Refused; nothing is reported but the error (rule 24).
    Failed(NTSTATUS),
}

impl Socket {
    pub fn new(form: Form) -> Socket {
        handles::SOCKETS.fetch_add(1, Ordering::Relaxed);
        Socket { form, signal: Signal::new(false, false), state: Mutex::new(State::new()) }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// The descriptor, made now if there is none yet.
    pub fn descriptor(&self, state: &mut State) -> Result<RawFd, Errno> {
        if state.closed {
            return Err(Errno(libc::EBADF));
        }
        if let Some(fd) = state.fd {
            return Ok(fd);
        }
        let fd = sys::socket(self.form.family, self.form.kind, self.form.protocol)?;
        if let Err(errno) = crate::options::prepare(fd, self.form, state.options()) {
            sys::close(fd);
            return Err(errno);
        }
        state.fd = Some(fd);
        Ok(fd)
    }

    /// Carries out an operation, now or later.
    pub fn submit(&self, direction: Direction, op: &mut Op) -> Submitted {
        let mut state = self.lock();
        if state.closed {
            return Submitted::Failed(STATUS_INVALID_HANDLE);
        }
        if direction == Direction::Out && state.fin_due {
            return Submitted::Failed(STATUS_PIPE_DISCONNECTED);
        }
        self.begin(&state, op);
        let step = match state.is_idle(direction) && state.worth_trying(direction, op) {
            true => self.attempt(&mut state, op),
            false => Step::Wait,
        };
        if state.selected && direction == Direction::In {
            self.note_call(&mut state, Need::Input, &step);
        }
        match step {
            Step::Done(status, bytes) if is_error(status) => {
                let _ = bytes; // An operation that fails at once has moved nothing.
                return Submitted::Failed(status);
            }
            Step::Done(status, bytes) => {
                op.complete(&state.report, &self.signal, status, bytes, When::AtOnce);
                return Submitted::Done(status, bytes);
            }
            Step::Wait => {}
        }
        match self.park(&mut state, direction, op) {
            Ok(()) => Submitted::Pending,
            Err(errno) => Submitted::Failed(error::status_of_errno(errno.0)),
        }
    }

    /// An operation starts: its OVERLAPPED is lent, and what its end will set is reset (rule 53).
    pub fn begin(&self, state: &State, op: &Op) {
        op.lend();
        if state.report.port.is_none() && !op.has_event() {
            self.signal.reset();
        }
    }

    /// Carries out an operation that answers "pending" also when it can be done at once: AcceptEx,
    /// DisconnectEx, TransmitFile.
    pub fn submit_pending(&self, direction: Direction, mut op: Op) -> Result<(), Errno> {
        let mut state = self.lock();
        self.begin(&state, &op);
        let idle = state.is_idle(direction);
        self.park(&mut state, direction, &mut op)?;
        if idle && (direction == Direction::Out || state.readable || state.has_stash()) {
            self.advance(&mut state, direction);
        }
        if state.selected && direction == Direction::In {
            self.note_accept_call(&mut state);
        }
        Ok(())
    }

    /// Reports an operation that the call itself has carried out.
    pub fn report(&self, state: &State, mut op: Op, status: NTSTATUS, bytes: u32, when: When) {
        op.lend();
        op.complete(&state.report, &self.signal, status, bytes, when);
    }

    /// Makes the backend report on the socket. EBADF when it has been closed: nothing may wait on
    /// it.
    fn enroll(&self, state: &mut State) -> Result<(), Errno> {
        let fd = self.descriptor(state)?;
        if !state.registered {
            backend::register(fd, state.handle)?;
            state.registered = true;
        }
        Ok(())
    }

    /// Makes the backend report on the socket also when no operation waits. Whether it did not
    /// before.
    pub fn follow(&self, state: &mut State) -> Result<bool, Code> {
        let is_new = !state.registered;
        self.enroll(state).map_err(|errno| error::wsa_of_errno(errno.0))?;
        backend::note_parked();
        Ok(is_new)
    }

    /// Puts an operation into its queue, to be finished by the backend. What is left in its place
    /// means nothing.
    pub fn park(&self, state: &mut State, direction: Direction, op: &mut Op) -> Result<(), Errno> {
        if !self.can_fly(state, direction, op) {
            self.enroll(state)?;
        }
        let mut boxed = state.spare.take().unwrap_or_else(|| Box::new(Op::EMPTY));
        std::mem::swap(&mut *boxed, op);
        state.queue(direction).push(boxed);
        if !state.registered
            && let Err(errno) = self.launch(state, direction)
        {
            // Nothing was in flight, so nothing else waits on a socket without reports.
            if let Some(mut refused) = state.queue(direction).pop() {
                std::mem::swap(&mut *refused, op);
            }
            return Err(errno);
        }
        backend::note_parked();
        thread::note_issued();
        Ok(())
    }

    /// Tries an operation once, without waiting.
    fn attempt(&self, state: &mut State, op: &mut Op) -> Step {
        match &mut op.kind {
            Kind::Recv { buffers, flags, from } => {
                transfer::recv_step(self.form, state, buffers, *flags, *from, &mut op.done)
            }
            Kind::Send { buffers, flags, to } => {
                transfer::send_step(self.form, state, buffers, *flags, to.as_ref(), &mut op.done)
            }
            Kind::SendMessage(message) => transfer::send_message_step(self.form, state, message),
            Kind::Accept(request) => accept::step(state, request),
            Kind::AcceptData { buffers, .. } => {
                transfer::recv_step(self.form, state, buffers, 0, Sender::Untold, &mut op.done)
            }
            Kind::Connect { data, connected } => {
                connect::step(self.form, state, data, connected, &mut op.done)
            }
            Kind::Disconnect { reuse } => connect::disconnect_step(state, *reuse),
            Kind::Transmit(transmit) => transmit::step(self, state, transmit, &mut op.done),
        }
    }

    /// Goes on with a queue as far as the kernel lets it.
    pub fn advance(&self, state: &mut State, direction: Direction) {
        if state.is_aloft(direction) {
            return; // The kernel is at it.
        }
        while let Some(mut op) = state.queue(direction).pop() {
            match self.attempt(state, &mut op) {
                Step::Wait => {
                    state.queue(direction).unpop(op);
                    if !state.registered
                        && let Err(errno) = self.launch(state, direction)
                    {
                        self.fail_first(state, direction, errno);
                        continue;
                    }
                    return;
                }
                Step::Done(status, bytes) => self.finish(state, op, status, bytes),
            }
        }
        if direction == Direction::Out && std::mem::take(&mut state.fin_due) {
            connect::send_fin(state);
        }
    }

    /// Completes an operation that has waited.
    fn finish(&self, state: &mut State, mut op: Box<Op>, status: NTSTATUS, bytes: u32) {
        if let Kind::Accept(request) = &op.kind {
            match accept::finish(request, status) {
                accept::Next::Complete => {}
                accept::Next::AwaitData { target, buffers } => {
                    return self.hand_over(state, &target, buffers, *op);
                }
            }
        }
        self.sever(state, op.kind.starts_over() && !is_error(status));
        self.tell(state, &mut op, status, bytes);
        op.clear();
        state.spare = Some(op);
    }

    fn tell(&self, state: &State, op: &mut Op, status: NTSTATUS, bytes: u32) {
        let Kind::AcceptData { listener, report, .. } = &op.kind else {
            return op.complete(&state.report, &self.signal, status, bytes, When::Later);
        };
        // It is the listener's, wherever it waits.
        let (listener, report) = (TABLE.live(*listener).and_then(SocketRef::of), report.clone());
        let signal = listener.as_ref().map_or(&self.signal, |listener| &listener.signal);
        op.complete(&report, signal, status, bytes, When::Later);
    }

    /// An AcceptEx that wants data has its connection: from now on it waits there (rule 71).
    fn hand_over(&self, state: &mut State, target: &SocketRef, buffers: Buffers, mut op: Op) {
        let (listener, report) = (state.handle, state.report.clone());
        op.kind = Kind::AcceptData { buffers, listener, report };
        let accepted = target.clone().into_object();
        let accepting = &mut state.extra().accepting;
        if accepting.len() == accepting.capacity() {
            // Before it grows: those that have their data need not be remembered.
            accepting.retain(|other| {
                SocketRef::of(other.clone()).is_some_and(|socket| socket.lock().awaits_first_data())
            });
        }
        accepting.push(accepted);
        let parked = target.park(&mut target.lock(), Direction::In, &mut op);
        if let Err(errno) = parked {
            let status = match errno.0 {
                libc::EBADF => STATUS_CANCELLED, // Closed in this very moment (rule 37).
                other => error::status_of_errno(other),
            };
            self.tell(state, &mut op, status, 0);
        }
    }

    /// What the backend reports. Runs on whichever thread drives it, and runs no user code.
    fn on_ready(&self, events: u32) {
        let events = events as i32;
        let mut state = self.lock();
        if state.closed {
            return;
        }
        let ended = events & (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) != 0;
        // A listener or an unconnected socket may report HUP and recover from it.
        state.hangup |= ended && self.form.is_stream() && (state.connected || state.connecting);
        let had_receives = !state.is_idle(Direction::In);
        let had_room = state.writable;
        if ended || events & (libc::EPOLLIN | libc::EPOLLPRI) != 0 {
            state.readable = true;
            // Data came after the last receive, as long as that was in an earlier round.
            state.has_news = !ended && !state.has_received_this_round();
            self.advance(&mut state, Direction::In);
        }
        if ended || events & libc::EPOLLOUT != 0 {
            state.writable = true;
            self.advance(&mut state, Direction::Out);
        }
        if state.selected {
            self.note_report(&mut state, events, had_receives);
        }
        if state.noticed {
            self.tell_report(&mut state, events, had_room);
        }
        state.has_news = false;
    }

    /// The sockets on which its AcceptEx operations wait for first data.
    pub fn accepting(&self) -> Vec<SocketRef> {
        let extra = &self.lock().extra;
        let accepting = extra.iter().flat_map(|extra| extra.accepting.iter().cloned());
        accepting.filter_map(SocketRef::of).collect()
    }

    /// Tries a listener's operations again, or a socket's, outside the backend's reports.
    pub fn retry(&self, direction: Direction) {
        let mut state = self.lock();
        if !state.closed {
            self.advance(&mut state, direction);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        handles::SOCKETS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl State {
    fn new() -> State {
        State {
            fd: None,
            handle: 0,
            handles: 1,
            closed: false,
            bound: false,
            listening: false,
            called: false,
            connecting: false,
            connected: false,
            needs_context: false,
            reset: false,
            send_shut: false,
            fin_due: false,
            reused: false,
            recv_shut: false,
            disconnected: false,
            nonblocking: false,
            unreachable: false,
            selected: false,
            noticed: false,
            received_since: false,
            registered: false,
            readable: true,
            writable: true,
            hangup: false,
            has_news: false,
            received_round: 0,
            drained_at: None,
            aloft: None,
            acceptor: None,
            connected_at: 0,
            failure: 0,
            failure_told: false,
            recv: Queue::default(),
            send: Queue::default(),
            spare: None,
            report: Report::default(),
            associated: false,
            options: None,
            extra: None,
        }
    }

    /// Takes over a connected descriptor.
    pub fn connect_to(&mut self, fd: RawFd) {
        self.ground();
        if let Some(own) = self.fd.replace(fd) {
            sys::close(own);
        }
        self.registered = false;
        (self.readable, self.writable, self.hangup) = (true, true, false);
        self.bound = true;
        self.connecting = false;
        self.connected = true;
        self.connected_at = sys::coarse_ms();
        self.stir();
    }

    /// Lets the threads that wait for the socket look again: what they sleep on does not tell.
    pub fn stir(&self) {
        if let Some(extra) = &self.extra {
            extra.blocked.iter().for_each(|thread| thread.unpark());
        }
    }

    /// Back to the socket it was when created, but for its options and its port (TF_REUSE_SOCKET).
    pub fn start_over(&mut self) {
        self.ground();
        if let Some(fd) = self.fd.take() {
            // The peer has been told; a linger time would make the kernel wait, and us with it.
            let no_linger = libc::linger { l_onoff: 0, l_linger: 0 };
            let _ = sys::set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, no_linger);
            sys::close(fd);
        }
        if let Some(extra) = &mut self.extra {
            extra.peer = None;
            if let Some(ledger) = &mut extra.ledger {
                ledger.start_over();
            }
        }
        self.forget_held();
        self.called = false;
        self.stir();
        self.registered = false;
        (self.readable, self.writable, self.hangup) = (true, true, false);
        (self.connecting, self.connected, self.needs_context) = (false, false, false);
        (self.reset, self.send_shut, self.recv_shut) = (false, false, false);
        (self.disconnected, self.fin_due) = (false, false);
        (self.bound, self.reused) = (false, true);
    }

    /// The peer's address. Linux forgets it when both sides have ended, Windows does not (rule
    /// 128).
    pub fn peer(&mut self, fd: RawFd) -> Result<Address, Code> {
        match sys::peer_address(fd) {
            Ok(address) => Ok(address),
            Err(errno) => {
                let known = self.extra.as_ref().and_then(|extra| extra.peer);
                known.ok_or(error::wsa_of_errno(errno.0))
            }
        }
    }

    pub fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub fn extra_if_any(&mut self) -> Option<&mut Extra> {
        self.extra.as_deref_mut()
    }

    /// The threads inside blocking calls on this socket, if there have ever been any.
    pub fn blocked(&mut self) -> Option<&mut Vec<Arc<Thread>>> {
        Some(&mut self.extra_if_any()?.blocked)
    }

    /// The socket's network events, if it has been selected.
    pub fn ledger(&mut self) -> Option<&mut Ledger> {
        self.extra_if_any()?.ledger.as_mut()
    }

    pub fn open_ledger(&mut self, ledger: Ledger) {
        self.extra().ledger = Some(ledger);
        self.selected = true;
    }

    pub fn options(&self) -> Option<&Journal> {
        self.options.as_deref()
    }

    pub fn options_mut(&mut self) -> &mut Journal {
        self.options.get_or_insert_default()
    }

    /// Whether a receive tells that a datagram met a closed port (rule 65).
    pub fn reports_unreachable(&self) -> bool {
        self.options().is_none_or(|options| !options.ignores_unreachable)
    }

    pub fn has_stash(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| !extra.stash.is_empty())
    }

    fn queue(&mut self, direction: Direction) -> &mut Queue {
        match direction {
            Direction::In => &mut self.recv,
            Direction::Out => &mut self.send,
        }
    }

    pub fn is_idle(&mut self, direction: Direction) -> bool {
        self.queue(direction).is_empty()
    }

    pub fn has_op(&self, choose: &dyn Fn(&Op) -> bool) -> bool {
        self.recv.iter().chain(self.send.iter()).any(choose)
    }

    fn awaits_first_data(&self) -> bool {
        self.recv.iter().any(|op| matches!(op.kind, Kind::AcceptData { .. }))
    }

    /// Something has been received.
    pub fn note_received(&mut self) {
        self.received_round = backend::round();
        self.received_since = true;
    }

    /// Whether what the backend reports may be of what is gone.
    pub fn has_received_this_round(&self) -> bool {
        self.received_round == backend::round()
    }

    /// There is no more to read: what comes next raises a new edge, unless no edge can come.
    pub fn note_drained(&mut self) {
        self.readable = self.hangup;
        self.has_news = false;
        self.note_received();
        self.drained_at = Some(backend::reaped_at());
    }

    /// Whether to ask the kernel at once. A receive need not when the socket has been found empty a
    /// moment ago and its completion is fetched from a queue anyway: the kernel reports
    /// what has come since, and the echo server's next receive costs no system call.
    fn worth_trying(&self, direction: Direction, op: &Op) -> bool {
        match direction {
            Direction::Out => true,
            Direction::In => {
                self.readable
                    || self.recv_shut
                    || self.reset
                    || !op.is_queued(&self.report)
                    || !self.was_drained_just_now()
            }
        }
    }

    fn was_drained_just_now(&self) -> bool {
        const A_MOMENT_MS: u32 = 4; // A tick of the coarse clock, on most kernels.
        self.drained_at.is_some_and(|at| sys::coarse_ms().wrapping_sub(at) <= A_MOMENT_MS)
    }
}

/// NT_ERROR: the two top bits set. Warnings carry results and are reported like successes.
pub fn is_error(status: NTSTATUS) -> bool {
    (status as u32) >> 30 == 3
}

/// The backend's report for a handle. One whose socket has gone meanwhile means nothing.
pub fn on_ready(token: usize, events: u32) {
    if let Some(object) = TABLE.live(token)
        && let Object::Socket(socket) = &*object
    {
        socket.on_ready(events);
    }
}
