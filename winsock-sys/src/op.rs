//! One operation in flight, and how it completes.
//!
//! An operation is plain data. It is tried at once on the caller's stack; only one that has to wait
//! moves to the heap, into its socket's queue, and the box is used again for the next one. Whatever
//! ends it — the kernel, a cancel, a close — ends it through [`Op::complete`], the only writer of a
//! caller's OVERLAPPED after submission.

use std::collections::VecDeque;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::iovec;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_PENDING};
use windows_sys::Win32::Networking::WinSock::{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKADDR, SOCKET, WSABUF, WSAMSG,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::address::Address;
use crate::error;
use crate::handle::Ref;
use crate::object::{EventRef, Object, WAITS};
use crate::port::Packet;
use crate::port::Port;
use crate::thread::{Apc, Thread};

/// An overlapped operation.
pub struct Op {
    pub kind: Kind,
    pub overlapped: *mut OVERLAPPED,
    /// `hEvent` without its low bit; held so that closing the event early harms nobody.
    event: Option<EventRef>,
    /// The low bit of `hEvent`: nothing goes to the port (rule 25).
    off_port: bool,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    /// The issuing thread, where a routine runs.
    thread: Option<Arc<Thread>>,
    /// The issuing thread's number, for CancelIo and thread exit.
    pub issuer: u32,
    /// Bytes moved so far.
    pub done: u32,
    /// Cancelled while the kernel has it, or behind such a one: it ends like this as soon as the
    /// kernel has given it back.
    pub doom: Option<NTSTATUS>,
}

// SAFETY: the pointers belong to memory that the program lends until the operation completes; it is
// used under the socket's lock, by one thread at a time.
unsafe impl Send for Op {}

/// What an operation does.
pub enum Kind {
    Recv {
        buffers: Buffers,
        flags: i32,
        from: Sender,
    },
    Send {
        buffers: Buffers,
        flags: i32,
        to: Option<Address>,
    },
    /// A datagram with control data.
    SendMessage(Box<Message>),
    Accept(Accept),
    /// The second half of an AcceptEx that wants data: it waits on the accepted socket, and reports
    /// where the listener would.
    AcceptData {
        buffers: Buffers,
        listener: SOCKET,
        report: Report,
    },
    Connect {
        data: Buffers,
        connected: bool,
    },
    Disconnect {
        reuse: bool,
    },
    Transmit(Box<Transmit>),
}

impl Kind {
    /// Whether its end leaves a socket without its connection (TF_REUSE_SOCKET).
    pub fn starts_over(&self) -> bool {
        match self {
            Kind::Disconnect { reuse } => *reuse,
            Kind::Transmit(transmit) => transmit.reuse,
            Kind::Recv { .. }
            | Kind::Send { .. }
            | Kind::SendMessage(_)
            | Kind::Accept(_)
            | Kind::AcceptData { .. }
            | Kind::Connect { .. } => false,
        }
    }

    /// For an operation that has nothing left to do but to be reported.
    pub const NOTHING: Kind = Kind::Recv { buffers: Buffers::NONE, flags: 0, from: Sender::Untold };
}

/// Where a receive tells what it knows besides the data: the program's memory, lent like the
/// buffers.
#[derive(Clone, Copy)]
pub enum Sender {
    Untold,
    Address(*mut SOCKADDR, *mut i32),
    Message(*mut WSAMSG),
}

/// What WSASendMsg sends when there is control data, in Linux' words.
pub struct Message {
    pub buffers: Buffers,
    pub flags: i32,
    pub to: Option<Address>,
    pub control: Vec<u8>,
}

/// AcceptEx: the socket to fill, and the caller's output block.
pub struct Accept {
    pub target: Ref<Object>,
    pub output: *mut u8,
    pub data_len: u32,
    pub local_len: u32,
    pub remote_len: u32,
}

/// TransmitFile: head, file, tail, in this order.
pub struct Transmit {
    pub head: Buffers,
    pub file: Option<FilePart>,
    pub tail: Buffers,
    /// How many bytes of `head` have gone.
    pub head_done: u32,
    /// How many bytes of `tail` have gone.
    pub tail_done: u32,
    /// What to do with the connection at the end: TF_DISCONNECT, TF_REUSE_SOCKET.
    pub disconnect: bool,
    pub reuse: bool,
}

/// A stretch of a file.
pub struct FilePart {
    pub fd: RawFd,
    /// Keeps the descriptor open.
    pub file: Ref<Object>,
    pub offset: i64,
    /// `None`: to the end.
    pub left: Option<u64>,
    /// The file's own position follows: the call had no OVERLAPPED.
    pub moves: bool,
}

/// What a backend's attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Done(NTSTATUS, u32),
    /// The kernel would block.
    Wait,
}

/// The WSABUF array of a call, captured before the call returns (rule 59).
pub struct Buffers {
    first: iovec,
    rest: Option<Box<[iovec]>>,
}

impl Buffers {
    pub const NONE: Buffers =
        Buffers { first: iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }, rest: None };

    pub fn one(base: *mut u8, len: u32) -> Buffers {
        Buffers { first: iovec { iov_base: base.cast(), iov_len: len as usize }, rest: None }
    }

    /// # Safety
    /// `buffers` points to `count` WSABUFs, `count` at least 1.
    pub unsafe fn capture(buffers: *const WSABUF, count: u32) -> Buffers {
        // SAFETY: our caller vouches for the array.
        let array = unsafe { std::slice::from_raw_parts(buffers, count as usize) };
        let vector =
            |buffer: &WSABUF| iovec { iov_base: buffer.buf.cast(), iov_len: buffer.len as usize };
        let rest = (count > 1).then(|| array[1..].iter().map(vector).collect());
        Buffers { first: vector(&array[0]), rest }
    }

    /// The only buffer, if there is one only.
    pub fn single(&self) -> Option<iovec> {
        self.rest.is_none().then_some(self.first)
    }

    pub fn total(&self) -> usize {
        let rest: usize = self.rest.iter().flatten().map(|vector| vector.iov_len).sum();
        self.first.iov_len + rest
    }

    /// Calls `f` with what remains after `done` bytes.
    pub fn remaining<R>(&self, done: usize, f: impl FnOnce(&[iovec]) -> R) -> R {
        let Some(rest) = &self.rest else { return f(&[advance(self.first, done)]) };
        /// The kernel takes no more in one call; what is left over follows in the next.
        const MOST: usize = 64;
        let mut vectors = [iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST];
        let mut count = 0;
        let mut skip = done;
        for &vector in std::iter::once(&self.first).chain(rest) {
            if skip >= vector.iov_len {
                skip -= vector.iov_len; // Done with, or empty from the start.
                continue;
            }
            if count == MOST {
                break;
            }
            vectors[count] = advance(vector, skip);
            skip = 0;
            count += 1;
        }
        f(&vectors[..count])
    }
}

fn advance(vector: iovec, by: usize) -> iovec {
    iovec { iov_base: vector.iov_base.wrapping_byte_add(by), iov_len: vector.iov_len - by }
}

/// Where a socket's completions go when the operation itself does not say.
#[derive(Clone, Default)]
pub struct Report {
    pub port: Option<Arc<Port>>,
    pub key: usize,
    /// FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: immediate success posts nothing (rule 22).
    pub skip_port: bool,
    /// FILE_SKIP_SET_EVENT_ON_HANDLE: the socket itself is not signalled (rule 23).
    pub skip_signal: bool,
}

/// Whether the call that issued the operation is still running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call itself will report success.
    AtOnce,
    Later,
}

impl Op {
    /// # Safety
    /// `overlapped` points to an OVERLAPPED that the program lends until the operation completes.
    pub unsafe fn new(
        kind: Kind,
        overlapped: *mut OVERLAPPED,
        routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> Op {
        // SAFETY: our caller vouches for the OVERLAPPED.
        let h_event = unsafe { (*overlapped).hEvent }.addr();
        // With a routine, hEvent is the program's own (rule 55).
        let event = match routine {
            Some(_) => None,
            None => crate::object::event(h_event & !1),
        };
        if let Some(event) = &event {
            event.reset(); // Rule 53.
        }
        let thread = routine.is_some().then(crate::thread::current);
        let issuer = crate::thread::current_id();
        let off_port = routine.is_none() && h_event & 1 != 0;
        Op { kind, overlapped, event, off_port, routine, thread, issuer, done: 0, doom: None }
    }

    /// A box's content between two operations.
    pub const EMPTY: Op = Op {
        kind: Kind::NOTHING,
        overlapped: std::ptr::null_mut(),
        event: None,
        off_port: false,
        routine: None,
        thread: None,
        issuer: 0,
        done: 0,
        doom: None,
    };

    /// Marks the OVERLAPPED as pending: from here on the kernel's side owns it.
    pub fn lend(&self) {
        // SAFETY: lent by the program, see `new`; nothing has completed the operation yet.
        unsafe { write_status(self.overlapped, STATUS_PENDING) };
    }

    pub fn has_event(&self) -> bool {
        self.event.is_some()
    }

    /// The event that its completion sets.
    pub fn event(&self) -> Option<EventRef> {
        self.event.clone()
    }

    /// Whether the issuing thread's exit cancels it (rule 48).
    pub fn dies_with_thread(&self, has_port: bool) -> bool {
        let has_port = match &self.kind {
            Kind::AcceptData { report, .. } => report.port.is_some(),
            _ => has_port,
        };
        !has_port || self.event.is_some() || self.routine.is_some()
    }

    /// Whether it is the second half of an AcceptEx of this listener.
    pub fn is_accept_data_of(&self, handle: SOCKET) -> bool {
        matches!(self.kind, Kind::AcceptData { listener, .. } if listener == handle)
    }

    /// The operation's own event, where the program gave none.
    pub fn set_event(&mut self, event: EventRef) {
        self.event = Some(event);
    }

    /// Whether completions of this operation are fetched from a queue, so that it makes no
    /// difference to the program if a success comes at once or a moment later.
    pub fn is_queued(&self, report: &Report) -> bool {
        self.event.is_none()
            && (self.routine.is_some() || report.port.is_some() && !report.skip_port)
    }

    /// Lets go of everything it refers to; what is left is a box to be used again.
    pub fn clear(&mut self) {
        self.kind = Kind::NOTHING;
        self.event = None;
        self.thread = None;
        self.doom = None;
    }

    /// Ends the operation: the result first, then the status, then the news. After the status is
    /// written the program may reuse the OVERLAPPED, so nothing here touches it again.
    pub fn complete(
        &mut self,
        report: &Report,
        signal: &crate::event::Signal,
        status: NTSTATUS,
        bytes: u32,
        when: When,
    ) {
        // SAFETY: lent by the program until this very moment, see `new`.
        unsafe {
            (*self.overlapped).InternalHigh = bytes as usize;
            write_status(self.overlapped, status);
        }
        if let Some(thread) = self.thread.take() {
            thread.queue(Apc::Routine {
                routine: self.routine,
                error: error::wsa_of_status(status).0,
                bytes,
                overlapped: self.overlapped,
            });
            return;
        }
        match self.event.take() {
            Some(event) => event.set(&WAITS),
            None if report.port.is_none() && !report.skip_signal => signal.set(&WAITS),
            None => {}
        }
        let Some(port) = &report.port else { return };
        let skipped = report.skip_port && when == When::AtOnce && status == 0;
        if !self.off_port && !skipped {
            port.post(Packet { key: report.key, overlapped: self.overlapped, bytes, status });
        }
    }
}

/// # Safety
/// `overlapped` is valid, and only its current owner writes it.
unsafe fn write_status(overlapped: *mut OVERLAPPED, status: NTSTATUS) {
    // Programs poll Internal from any thread (HasOverlappedIoCompleted): it is released last.
    // SAFETY: Internal is an aligned usize inside the OVERLAPPED.
    let internal = unsafe { AtomicUsize::from_ptr(&raw mut (*overlapped).Internal) };
    internal.store(status as u32 as usize, Ordering::Release);
}

/// The operations that wait in one direction of one socket, in posting order (invariant h). Nearly
/// always there is none or one, so one costs no more than its box.
#[derive(Default)]
pub struct Queue {
    first: Option<Box<Op>>,
    // Boxed twice so that an idle socket pays one word for it, and an operation moves as a pointer.
    #[allow(clippy::box_collection)]
    more: Option<Box<VecDeque<Box<Op>>>>,
}

impl Queue {
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub fn push(&mut self, op: Box<Op>) {
        match self.first {
            None => self.first = Some(op),
            Some(_) => self.more.get_or_insert_default().push_back(op),
        }
    }

    /// Puts back what was popped last.
    pub fn unpop(&mut self, op: Box<Op>) {
        if let Some(second) = self.first.replace(op) {
            self.more.get_or_insert_default().push_front(second);
        }
    }

    pub fn pop(&mut self) -> Option<Box<Op>> {
        let next = self.more.as_mut().and_then(|more| more.pop_front());
        std::mem::replace(&mut self.first, next)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Op> {
        let more = self.more.iter().flat_map(|more| more.iter());
        self.first.iter().chain(more).map(|op| &**op)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Op> {
        let more = self.more.iter_mut().flat_map(|more| more.iter_mut());
        self.first.iter_mut().chain(more).map(|op| &mut **op)
    }

    pub fn first(&self) -> Option<&Op> {
        self.first.as_deref()
    }

    /// Takes out those that `choose` picks, in order.
    #[allow(clippy::vec_box)] // As the queue holds them.
    pub fn extract(&mut self, choose: &dyn Fn(&Op) -> bool) -> Vec<Box<Op>> {
        if !self.iter().any(choose) {
            return Vec::new();
        }
        let mut all = Vec::new();
        while let Some(op) = self.pop() {
            all.push(op);
        }
        let (chosen, kept) = all.into_iter().partition(|op| choose(op));
        let kept: Vec<_> = kept;
        kept.into_iter().for_each(|op| self.push(op));
        chosen
    }
}
