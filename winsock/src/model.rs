//! What a model of completion is made of: the records of its operations, and the walk that each of
//! them takes. Lent, begun or refused; and, when the model has heard of its end, taken back.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use winsock_sys::Win32::Foundation::HANDLE;
use winsock_sys::Win32::Networking::WinSock as ws;

use crate::buffer::Buffer;
use crate::completion::{Accepted, Completion};
use crate::error::{Error, Result, winsock};
use crate::extension::AddressBlock;
use crate::loan::Loan;
use crate::operations::Ticket;
use crate::pool::Pool;
use crate::record::{Ended, Lent, Op, Work};
use crate::socket::{self, CONNECTED, Socket};
use crate::tcp::TcpSocket;

/// How the system is to report the end of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Report {
    /// For the OVERLAPPED. To a routine it is a pointer that we find there again (rule 55).
    pub event: HANDLE,
    pub routine: ws::LPWSAOVERLAPPED_COMPLETION_ROUTINE,
}

impl Report {
    /// By a packet, where the socket is tied to a port.
    pub const PACKET: Report = Report { event: ptr::null_mut(), routine: None };
}

/// Which ways there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The call takes a completion routine.
    Routine,
    /// It does not.
    Event,
}

/// When an operation that was accepted ends. Both report it (rules 21 and 56).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    AtOnce,
    Later,
}

/// What an operation needs before it can be started.
pub(crate) struct Place<T, B> {
    /// Idle, and ours.
    op: Op<T, B>,
    socket: ws::SOCKET,
    report: Report,
    /// Why it cannot be, perhaps.
    ready: Result<()>,
}

impl<T, B> Place<T, B> {
    /// Something else that has to have gone well.
    #[inline]
    pub fn demand(&mut self, done: Result<()>) {
        self.ready = self.ready.and(done);
    }
}

/// What one model does differently from the others. All of it happens where the operation is
/// started; how a model hears of ends is its own affair.
pub(crate) trait Model<T, B: Buffer> {
    fn records(&self) -> &Records<T, B>;

    /// Makes sure that operations on the socket are reported here.
    fn tie(&self, socket: &Socket) -> Result<()>;

    /// How the next operation is to be reported. An error refuses it.
    fn report(&self, way: Way) -> Result<Report>;

    /// The system has accepted an operation. It may have been handed out already.
    fn begun(&self, op: Op<T, B>, report: Report, when: When);

    /// The system has not accepted an operation. The record says so; hands it out in its turn.
    ///
    /// # Safety
    /// The record is in flight for us, but not for the system, and the caller's.
    unsafe fn refused(&self, op: Op<T, B>, report: Report);

    /// Prepares for an operation on `socket`.
    #[inline]
    fn place(&self, socket: &Socket, way: Way) -> Place<T, B> {
        self.place_for(socket.raw(), self.tie(socket), way)
    }

    #[inline]
    fn place_for(&self, socket: ws::SOCKET, ready: Result<()>, way: Way) -> Place<T, B> {
        let report = ready.and_then(|()| self.report(way));
        let (report, ready) = match report {
            Ok(report) => (report, Ok(())),
            Err(error) => (Report::PACKET, Err(error)),
        };
        Place { op: self.records().pool.take(), socket, report, ready }
    }

    /// Lends the work to the system with `call`, or reports why not.
    //
    // The place is there before the work is: so the compiler writes the work where it is to be,
    // instead of moving it there.
    #[inline]
    fn start(
        &self,
        place: Place<T, B>,
        work: Work<T, B>,
        call: impl FnOnce(Lent) -> Result<When>,
    ) -> Ticket {
        let Place { op, socket, report, ready } = place;
        // SAFETY: the pool gave us an idle record.
        let (lent, phase) = unsafe { op.lend(socket, report, work) };
        let ticket = Ticket { model: self.records().number, record: op.name(), phase };
        // If the call succeeds the record may be handed out, on another thread, before it returns.
        match ready.and_then(|()| call(lent)) {
            Ok(when) => self.begun(op, report, when),
            Err(error) => self.refuse(op, phase, report, error),
        }
        ticket
    }

    /// Completes an operation that the system has not accepted.
    #[cold]
    fn refuse(&self, op: Op<T, B>, phase: u64, report: Report, error: Error) {
        // SAFETY: the record is ours, or was lent in this phase by us.
        if error == Error::MESSAGE_TOO_LONG && unsafe { op.was_cut_off(phase) } {
            return self.begun(op, report, When::AtOnce);
        }
        // SAFETY: the system reports nothing, so the record is still ours.
        unsafe {
            op.refuse(error);
            self.refused(op, report);
        }
    }
}

/// The records of one model, and what goes with them.
pub(crate) struct Records<T, B> {
    /// Which model a socket is tied to, and a ticket is of. Never used twice.
    pub number: u32,
    pub pool: Pool<T, B>,
    /// Blocks for accepts, to be used again.
    spare: Mutex<Vec<AddressBlock>>,
}

impl<T, B: Buffer> Records<T, B> {
    pub fn new() -> Result<Records<T, B>> {
        Ok(Records { number: number()?, pool: Pool::new(), spare: Mutex::new(Vec::new()) })
    }

    pub fn block(&self) -> AddressBlock {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(AddressBlock::new)
    }

    /// Cancels one operation; `false` if it has ended, or was never of these.
    pub fn cancel(&self, ticket: Ticket) -> bool {
        // SAFETY: the record is one of these, and so still exists.
        ticket.model == self.number
            && unsafe { Op::<T, B>::from_name(ticket.record).cancel(ticket.phase) }
    }

    /// Makes a completion of a landed record, and the record idle.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    #[inline]
    pub unsafe fn finish(&self, op: Op<T, B>) -> Completion<T, B> {
        // SAFETY: the caller's.
        self.complete(unsafe { self.take_back(op) })
    }

    /// Drops what is in a landed record, and makes the record idle.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    pub unsafe fn discard(&self, op: Op<T, B>) {
        // SAFETY: the caller's.
        drop(unsafe { self.take_back(op) });
    }

    /// # Safety
    /// The record has landed and is the caller's.
    #[inline]
    unsafe fn take_back(&self, op: Op<T, B>) -> Ended<T, B> {
        // SAFETY: the caller's; what was taken back is idle, and still ours until it is given away.
        unsafe {
            let ended = op.take_back();
            self.pool.give(op);
            ended
        }
    }

    #[inline]
    fn complete(&self, ended: Ended<T, B>) -> Completion<T, B> {
        let Ended { socket, work, address, result, bytes } = ended;
        match work {
            Work::Idle { .. } => unreachable!("a record in flight has work"),
            Work::Accept { token, socket: new, block } => {
                let result = result.and(new.ok_or(Error::INVALID));
                let result = result.and_then(|new| welcome(new, socket, &block));
                self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(block);
                Completion::Accept { token, result }
            }
            Work::Connect { token, socket, .. } => {
                let result = result.and(socket.ok_or(Error::INVALID)).and_then(connected);
                Completion::Connect { token, result }
            }
            Work::Disconnect { token, socket } => {
                Completion::Disconnect { token, result: result.map(|_| socket) }
            }
            Work::Recv { token, mut buf } => {
                // SAFETY: the system has written that many bytes to the room.
                unsafe { buf.fill(bytes) };
                Completion::Recv { token, buf, result }
            }
            Work::RecvLent { token } => {
                let lend = || Loan::filled(|room| socket::recv(socket, room));
                Completion::RecvLent { token, result: result.and_then(|_| lend()) }
            }
            Work::Send { token, buf } => Completion::Send { token, buf, result },
            Work::RecvFrom { token, mut buf } => {
                // SAFETY: the system has written that many bytes to the room.
                unsafe { buf.fill(bytes) };
                // SAFETY: it was written before the receive was started.
                let from = |got| Ok((got, unsafe { address.assume_init() }.to_socket_addr()?));
                Completion::RecvFrom { token, buf, result: result.and_then(from) }
            }
            Work::SendTo { token, buf } => Completion::SendTo { token, buf, result },
            Work::Transmit { token, file } => Completion::Transmit { token, file, result },
            Work::Post { token } => Completion::Post { token },
        }
    }
}

/// A number that no other model has, or had.
fn number() -> Result<u32> {
    static NUMBERS: AtomicU32 = AtomicU32::new(1);
    let next = |number: u32| number.checked_add(1);
    NUMBERS
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
        .map_err(|_| Error::TOO_MANY_SOCKETS)
}

/// Gives an accepted socket the properties of its listener, and finds out who it is (rule 73).
fn welcome(socket: TcpSocket, listener: ws::SOCKET, block: &AddressBlock) -> Result<Accepted> {
    socket.socket.set_option(ws::SOL_SOCKET, ws::SO_UPDATE_ACCEPT_CONTEXT, listener)?;
    socket.socket.mark(CONNECTED);
    let (local, peer) = block.read(&socket.socket)?;
    Ok(Accepted { socket, local, peer })
}

/// Makes the functions that want a connected socket work (rule 76).
fn connected(socket: TcpSocket) -> Result<TcpSocket> {
    let raw = socket.raw();
    // SAFETY: the option has no value.
    winsock(unsafe {
        ws::setsockopt(raw, ws::SOL_SOCKET, ws::SO_UPDATE_CONNECT_CONTEXT, ptr::null(), 0)
    })?;
    socket.socket.mark(CONNECTED);
    Ok(socket)
}
