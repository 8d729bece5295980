//! The completion port: where operations are started and where their ends are heard of.

use std::net::SocketAddr;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_0_0,
    OVERLAPPED_ENTRY, PostQueuedCompletionStatus,
};

use crate::address::Address;
use crate::buffer::Buffer;
use crate::completion::{Accepted, Batch, Completion, Completions};
use crate::error::{Error, Result};
use crate::extension::{AddressBlock, accept_ex, connect_ex, disconnect_ex, transmit_file};
use crate::file::File;
use crate::listener::Listener;
use crate::pool::Pool;
use crate::record::{Ended, Lent, Op, Work};
use crate::socket::{Socket, millis, start};
use crate::tcp::TcpSocket;
use crate::udp::UdpSocket;

/// A completion port, with `T` for tokens and `B` for buffers.
///
/// Every thread may start operations and every thread may wait for their ends. Both go through
/// `&self`: share the port by reference (scoped threads) or in an [`Arc`](std::sync::Arc).
///
/// Starting never fails and never blocks. An operation that the system refuses at once, because the
/// socket is not connected, say, completes like all others, with that error: there is one place to
/// handle errors, and the buffer comes back there.
///
/// The first operation on a socket ties the socket to the port, for good (rule 17). Operations on a
/// socket that is tied to another port complete with `ERROR_INVALID_PARAMETER`.
///
/// Dropping the port cancels what is in flight and waits until the system has let go of it, so that
/// all tokens and buffers are dropped before `drop` returns; it does not matter whether sockets
/// still exist. The only way to leak is a token that owns the port.
///
/// [I/O completion ports](https://learn.microsoft.com/windows/win32/fileio/i-o-completion-ports)
///
/// # Panics
/// Starting an operation panics if the system refuses it and cannot even queue a packet to say so,
/// which is to be out of memory.
pub struct Port<T, B: Buffer = Vec<u8>> {
    raw: HANDLE,
    /// Which port a socket is tied to, and a ticket is of. Never used twice.
    number: u64,
    pool: Pool<T, B>,
    /// Only one thread at a time ties a socket, so that the second sees that it is done.
    tying: Mutex<()>,
    /// Blocks for accepts, to be used again.
    spare: Mutex<Vec<AddressBlock>>,
}

// SAFETY: the handle may be used from any thread; the records are as said at `Pool`.
unsafe impl<T: Send, B: Buffer + Send> Send for Port<T, B> {}
// SAFETY: as above.
unsafe impl<T: Send, B: Buffer + Send> Sync for Port<T, B> {}

/// Names one operation, for [`Port::cancel`].
///
/// It may be kept for ever: after the operation has ended it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    port: u64,
    record: *mut (),
    phase: u64,
}

// SAFETY: the pointer is followed by the port only, which knows its own tickets.
unsafe impl Send for Ticket {}
// SAFETY: as above.
unsafe impl Sync for Ticket {}

/// What an operation needs before it can be started.
struct Place<T, B> {
    /// Idle, and ours.
    op: Op<T, B>,
    socket: ws::SOCKET,
    /// Why it cannot be, perhaps.
    ready: Result<()>,
}

impl<T, B: Buffer> Port<T, B> {
    /// A port that lets as many threads run at a time as there are processors.
    pub fn new() -> Result<Port<T, B>> {
        Port::with_concurrency(0)
    }

    /// A port that lets `threads` of the threads that wait on it run at a time, 0 meaning the
    /// number of processors. More may wait: when one that runs is blocked elsewhere, another is
    /// released.
    ///
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/windows/win32/fileio/createiocompletionport)
    pub fn with_concurrency(threads: u32) -> Result<Port<T, B>> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        start()?;
        // SAFETY: no memory is passed.
        let raw =
            unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, threads) };
        if raw.is_null() {
            return Err(Error::last_win32());
        }
        Ok(Port {
            raw,
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            pool: Pool::new(),
            tying: Mutex::new(()),
            spare: Mutex::new(Vec::new()),
        })
    }

    /// Waits until something has ended, and hands out as much as there is room for in `batch`.
    /// Nothing at all if the time is up first; `None` waits for ever.
    ///
    /// [`GetQueuedCompletionStatusEx`](https://learn.microsoft.com/windows/win32/fileio/getqueuedcompletionstatusex-func)
    pub fn wait<'a>(
        &'a self,
        batch: &'a mut Batch,
        timeout: Option<Duration>,
    ) -> Result<Completions<'a, T, B>> {
        let count = self.dequeue(&mut batch.entries, timeout)?;
        // SAFETY: `dequeue` has landed the records of exactly these.
        Ok(unsafe { Completions::new(self, &batch.entries[..count]) })
    }

    /// Waits until something has ended, and hands out that. For threads that should not take more
    /// than they are about to handle.
    pub fn wait_one(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        let mut entry = [OVERLAPPED_ENTRY::default()];
        Ok(match self.dequeue(&mut entry, timeout)? {
            0 => None,
            // SAFETY: `dequeue` has landed the record.
            _ => Some(unsafe { self.finish(Op::from_overlapped(entry[0].lpOverlapped)) }),
        })
    }

    /// Hands `token` to a waiting thread, as [`Completion::Post`].
    ///
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/windows/win32/fileio/postqueuedcompletionstatus)
    pub fn post(&self, token: T) {
        self.start(self.place_for(ws::INVALID_SOCKET, Ok(())), Work::Post { token }, |lent| {
            self.queue(lent.overlapped)
        });
    }

    /// Receives into `buf` what comes next on a connection, at least one byte; 0 is the end of the
    /// stream. Completes as [`Completion::Recv`].
    ///
    /// Several receives fill their buffers in the order in which they were started (rule 58). One
    /// with an empty buffer completes when there is something to receive, and leaves it there
    /// (rule 60): so a thousand idle connections need not hold a thousand buffers.
    ///
    /// [`WSARecv`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv)
    pub fn recv(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket {
        let raw = socket.socket.raw();
        self.start(self.place(&socket.socket), Work::Recv { token, buf }, |lent| {
            let (buffer, mut flags) = (receiving(&lent), 0);
            // SAFETY: the record keeps buffer and OVERLAPPED where they are until the packet comes;
            // the rest is captured before the call returns.
            accepted(unsafe {
                ws::WSARecv(raw, &buffer, 1, ptr::null_mut(), &mut flags, lent.overlapped, None)
            })
        })
    }

    /// Sends all of `buf` on a connection. Completes as [`Completion::Send`].
    ///
    /// Several sends go out in the order in which they were started.
    ///
    /// [`WSASend`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasend)
    pub fn send(&self, socket: &TcpSocket, buf: B, token: T) -> Ticket {
        let raw = socket.socket.raw();
        self.start(self.place(&socket.socket), Work::Send { token, buf }, |lent| {
            let buffer = sending(&lent)?;
            // SAFETY: as in `recv`.
            accepted(unsafe {
                ws::WSASend(raw, &buffer, 1, ptr::null_mut(), 0, lent.overlapped, None)
            })
        })
    }

    /// Receives a datagram. Completes as [`Completion::RecvFrom`]; one that is longer than `buf` is
    /// cut off, which is the error [`Error::MESSAGE_TOO_LONG`] with the buffer full (rule 64).
    ///
    /// [`WSARecvFrom`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom)
    pub fn recv_from(&self, socket: &UdpSocket, buf: B, token: T) -> Ticket {
        let raw = socket.socket.raw();
        self.start(self.place(&socket.socket), Work::RecvFrom { token, buf }, |lent| {
            let (buffer, mut flags) = (receiving(&lent), 0);
            // SAFETY: as in `recv`; the record keeps the address and its length in place, too.
            accepted(unsafe {
                lent.address.write(Address::empty());
                let (name, len) = ((*lent.address).as_mut_ptr(), (*lent.address).len_mut());
                let count = ptr::null_mut();
                ws::WSARecvFrom(
                    raw,
                    &buffer,
                    1,
                    count,
                    &mut flags,
                    name,
                    len,
                    lent.overlapped,
                    None,
                )
            })
        })
    }

    /// Sends `buf` as one datagram. Completes as [`Completion::SendTo`].
    ///
    /// [`WSASendTo`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendto)
    pub fn send_to(&self, socket: &UdpSocket, buf: B, to: SocketAddr, token: T) -> Ticket {
        let raw = socket.socket.raw();
        self.start(self.place(&socket.socket), Work::SendTo { token, buf }, |lent| {
            let buffer = sending(&lent)?;
            // SAFETY: as in `recv`; the record keeps the address in place, too.
            accepted(unsafe {
                lent.address.write(to.into());
                let (name, len) = ((*lent.address).as_ptr(), (*lent.address).len());
                let count = ptr::null_mut();
                ws::WSASendTo(raw, &buffer, 1, count, 0, name, len, lent.overlapped, None)
            })
        })
    }

    /// Takes the next connection. Completes as [`Completion::Accept`].
    ///
    /// A server keeps some accepts posted and starts one for each that completes; with none posted,
    /// connections wait in the backlog.
    ///
    /// [`AcceptEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-acceptex)
    pub fn accept(&self, listener: &Listener, token: T) -> Ticket {
        let socket = Socket::stream(listener.family());
        self.accept_with(listener, socket.map(|socket| TcpSocket { socket }), token)
    }

    /// Like [`accept`](Port::accept), with a socket that is not connected: one with options set, or
    /// one from [`Completion::Disconnect`].
    pub fn accept_into(&self, listener: &Listener, socket: TcpSocket, token: T) -> Ticket {
        self.accept_with(listener, Ok(socket), token)
    }

    fn accept_with(&self, listener: &Listener, socket: Result<TcpSocket>, token: T) -> Ticket {
        let raw = listener.socket.raw();
        let (socket, made) = split(socket);
        let into = socket.as_ref().map_or(ws::INVALID_SOCKET, TcpSocket::raw);
        let block = self.block();
        let addresses = block.as_ptr();
        let work = Work::Accept { token, socket, block };
        let ready = made.and_then(|()| self.tie(&listener.socket));
        self.start(self.place_for(raw, ready), work, |lent| {
            let accept_ex = accept_ex(&listener.socket)?;
            let (room, mut received) = (AddressBlock::ROOM, 0);
            // SAFETY: the record keeps the block and the OVERLAPPED where they are, and the socket
            // open, until the packet comes.
            accepted_bool(unsafe {
                accept_ex(raw, into, addresses, 0, room, room, &mut received, lent.overlapped)
            })
        })
    }

    /// Connects a new socket. Completes as [`Completion::Connect`].
    ///
    /// [`ConnectEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex)
    pub fn connect(&self, to: SocketAddr, token: T) -> Ticket {
        self.connect_with(TcpSocket::for_address(to), to, token)
    }

    /// Like [`connect`](Port::connect), with a socket that is not connected: one with options set
    /// or bound to an address, or one from [`Completion::Disconnect`].
    pub fn connect_from(&self, socket: TcpSocket, to: SocketAddr, token: T) -> Ticket {
        self.connect_with(Ok(socket), to, token)
    }

    fn connect_with(&self, socket: Result<TcpSocket>, to: SocketAddr, token: T) -> Ticket {
        let (socket, made) = split(socket);
        let raw = socket.as_ref().map_or(ws::INVALID_SOCKET, TcpSocket::raw);
        let found = made.and(socket.as_ref().map_or(Err(Error::INVALID), |socket| {
            self.tie(&socket.socket)?;
            bind_if_unbound(socket, to)?;
            connect_ex(&socket.socket)
        }));
        let work = Work::Connect { token, socket };
        self.start(self.place_for(raw, found.map(drop)), work, |lent| {
            let connect_ex = found?;
            let mut sent = 0;
            // SAFETY: the record keeps the address and the OVERLAPPED where they are, and the
            // socket open, until the packet comes; no data is sent along.
            accepted_bool(unsafe {
                lent.address.write(to.into());
                let (name, len) = ((*lent.address).as_ptr(), (*lent.address).len());
                connect_ex(raw, name, len, ptr::null(), 0, &mut sent, lent.overlapped)
            })
        })
    }

    /// Ends a connection gracefully and makes its socket fit for another. Completes as
    /// [`Completion::Disconnect`].
    ///
    /// [`DisconnectEx`](https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex)
    pub fn disconnect(&self, socket: TcpSocket, token: T) -> Ticket {
        let raw = socket.raw();
        let found = self.tie(&socket.socket).and_then(|()| disconnect_ex(&socket.socket));
        let work = Work::Disconnect { token, socket };
        self.start(self.place_for(raw, found.map(drop)), work, |lent| {
            let disconnect_ex = found?;
            // SAFETY: the record keeps the OVERLAPPED where it is, and the socket open.
            accepted_bool(unsafe { disconnect_ex(raw, lent.overlapped, ws::TF_REUSE_SOCKET, 0) })
        })
    }

    /// Sends a part of a file on a connection. Completes as [`Completion::Transmit`].
    ///
    /// The part must not be empty, and not longer than 2,147,483,646 bytes.
    ///
    /// [`TransmitFile`](https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-transmitfile)
    pub fn transmit(
        &self,
        socket: &TcpSocket,
        file: Arc<File>,
        part: Range<u64>,
        token: T,
    ) -> Ticket {
        let (raw, handle) = (socket.raw(), file.raw());
        let work = Work::Transmit { token, file };
        self.start(self.place(&socket.socket), work, |lent| {
            let transmit_file = transmit_file(&socket.socket)?;
            let len = transmittable(&part)?;
            // SAFETY: the record keeps the OVERLAPPED where it is, and the file open.
            accepted_bool(unsafe {
                (*lent.overlapped).Anonymous.Anonymous = OVERLAPPED_0_0 {
                    Offset: part.start as u32,
                    OffsetHigh: (part.start >> 32) as u32,
                };
                transmit_file(raw, handle, len, 0, lent.overlapped, ptr::null_mut(), 0)
            })
        })
    }

    /// Cancels one operation; `false` if it has ended, or was never this port's.
    ///
    /// It still completes: with [`Error::OPERATION_ABORTED`], unless it was quicker.
    ///
    /// [`CancelIoEx`](https://learn.microsoft.com/windows/win32/fileio/cancelioex-func)
    pub fn cancel(&self, ticket: Ticket) -> bool {
        // SAFETY: the record is this port's, and so still exists.
        ticket.port == self.number
            && unsafe { Op::<T, B>::from_name(ticket.record).cancel(ticket.phase) }
    }

    /// How many operations were started and have not been handed out. Looks at every record: for
    /// shutting down, and for statistics.
    pub fn in_flight(&self) -> usize {
        self.pool.in_flight()
    }
}

/// The walk of an operation: lent, accepted or refused, dequeued, taken back.
impl<T, B: Buffer> Port<T, B> {
    /// Prepares for an operation on `socket`.
    #[inline]
    fn place(&self, socket: &Socket) -> Place<T, B> {
        self.place_for(socket.raw(), self.tie(socket))
    }

    #[inline]
    fn place_for(&self, socket: ws::SOCKET, ready: Result<()>) -> Place<T, B> {
        Place { op: self.pool.take(), socket, ready }
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
        call: impl FnOnce(Lent) -> Result<()>,
    ) -> Ticket {
        let Place { op, socket, ready } = place;
        // SAFETY: the pool gave us an idle record.
        let (lent, phase) = unsafe { op.lend(socket, work) };
        let ticket = Ticket { port: self.number, record: op.name(), phase };
        // If the call succeeds the record may be handed out, on another thread, before it returns.
        if let Err(error) = ready.and_then(|()| call(lent)) {
            self.refuse(op, phase, error);
        }
        ticket
    }

    /// Completes an operation that the system has not accepted.
    #[cold]
    fn refuse(&self, op: Op<T, B>, phase: u64, error: Error) {
        // SAFETY: the record is ours, or was lent in this phase by us.
        if error == Error::MESSAGE_TOO_LONG && unsafe { op.was_cut_off(phase) } {
            return;
        }
        // SAFETY: no packet is on its way, so the record is still ours.
        unsafe { op.refuse(error) };
        if let Err(error) = self.queue(op.overlapped()) {
            // SAFETY: as above. The port must not wait for this one when it is dropped.
            unsafe {
                op.land();
                self.discard(op);
            }
            panic!("the system cannot even queue a packet: {error}");
        }
    }

    fn queue(&self, overlapped: *mut OVERLAPPED) -> Result<()> {
        // SAFETY: the pointer is passed through unread.
        match unsafe { PostQueuedCompletionStatus(self.raw, 0, 0, overlapped) } {
            0 => Err(Error::last_win32()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn tie(&self, socket: &Socket) -> Result<()> {
        if socket.port() == self.number { Ok(()) } else { self.tie_first(socket) }
    }

    #[cold]
    fn tie_first(&self, socket: &Socket) -> Result<()> {
        let _one_at_a_time = self.tying.lock().unwrap_or_else(PoisonError::into_inner);
        if socket.port() == self.number {
            return Ok(());
        }
        // SAFETY: no memory is passed; both handles are open.
        let tied = unsafe { CreateIoCompletionPort(socket.raw() as HANDLE, self.raw, 0, 0) };
        if tied.is_null() {
            return Err(Error::last_win32());
        }
        socket.set_port(self.number);
        Ok(())
    }

    /// Takes packets off the queue and lands their records.
    fn dequeue(
        &self,
        entries: &mut [OVERLAPPED_ENTRY],
        timeout: Option<Duration>,
    ) -> Result<usize> {
        let ms = timeout.map_or(u32::MAX, millis);
        let room = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let mut count = 0;
        // SAFETY: pointer and length are those of `entries`; the count outlives the call.
        let ok = unsafe {
            let entries = entries.as_mut_ptr();
            GetQueuedCompletionStatusEx(self.raw, entries, room, &mut count, ms, 0)
        };
        if ok == 0 {
            return match Error::last_win32() {
                error if error.code() == WAIT_TIMEOUT as i32 => Ok(0),
                error => Err(error),
            };
        }
        for entry in &entries[..count as usize] {
            // SAFETY: all packets of this port are of its records, and each comes once.
            unsafe { Op::<T, B>::from_overlapped(entry.lpOverlapped).land() };
        }
        Ok(count as usize)
    }

    /// Makes a completion of a landed record, and the record idle.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    #[inline]
    pub(crate) unsafe fn finish(&self, op: Op<T, B>) -> Completion<T, B> {
        // SAFETY: the caller's; what was taken back is idle, and still ours until it is given away.
        let ended = unsafe {
            let ended = op.take_back();
            self.pool.give(op);
            ended
        };
        self.complete(ended)
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

    /// Puts a packet that was dequeued back into the queue. How the operation ended is in its
    /// record, not in the packet.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    #[cold]
    pub(crate) unsafe fn requeue(&self, op: Op<T, B>) {
        // SAFETY: the caller's; if it cannot be posted nobody else will ever see it.
        unsafe {
            op.relaunch();
            if self.queue(op.overlapped()).is_err() {
                op.land();
                self.discard(op);
            }
        }
    }

    /// Drops what is in a landed record, and makes the record idle.
    ///
    /// # Safety
    /// The record has landed and is the caller's.
    unsafe fn discard(&self, op: Op<T, B>) {
        // SAFETY: the caller's; then it is idle, and still ours.
        let ended = unsafe {
            let ended = op.take_back();
            self.pool.give(op);
            ended
        };
        drop(ended);
    }

    fn block(&self) -> AddressBlock {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(AddressBlock::new)
    }
}

impl<T, B: Buffer> Drop for Port<T, B> {
    fn drop(&mut self) {
        let mut left = 0;
        self.pool.each_in_flight(|op| {
            // SAFETY: in flight; we have the port to ourselves.
            unsafe { op.abandon() };
            left += 1;
        });
        let mut entries = [OVERLAPPED_ENTRY::default(); 64];
        while left > 0 {
            // If that fails the system keeps what it has: leaking is safe, freeing would not be.
            let Ok(count) = self.dequeue(&mut entries, None) else { return };
            for entry in &entries[..count] {
                // SAFETY: `dequeue` has landed it.
                unsafe { self.discard(Op::from_overlapped(entry.lpOverlapped)) };
            }
            left -= count;
        }
        // SAFETY: the handle is ours and not used afterwards; no record is in flight.
        unsafe {
            CloseHandle(self.raw);
            self.pool.free();
        }
    }
}

impl<T, B: Buffer> std::fmt::Debug for Port<T, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").field("number", &self.number).finish_non_exhaustive()
    }
}

/// What a call that starts an operation says: done, or under way, which is all the same to a port,
/// because both queue a packet (rule 21); or refused, which does not (rule 24).
fn accepted(result: i32) -> Result<()> {
    if result == 0 {
        return Ok(());
    }
    match Error::last() {
        error if error.code() == ws::WSA_IO_PENDING => Ok(()),
        error => Err(error),
    }
}

/// The same for calls that return a BOOL.
fn accepted_bool(result: i32) -> Result<()> {
    accepted(i32::from(result == 0))
}

fn receiving(lent: &Lent) -> ws::WSABUF {
    ws::WSABUF { len: u32::try_from(lent.len).unwrap_or(u32::MAX), buf: lent.data }
}

/// Unlike a receive, a send must take all there is (rule 14 limits it to 32 bits).
fn sending(lent: &Lent) -> Result<ws::WSABUF> {
    match u32::try_from(lent.len) {
        Ok(len) => Ok(ws::WSABUF { len, buf: lent.data }),
        Err(_) => Err(Error::MESSAGE_TOO_LONG),
    }
}

/// How many bytes of a file one call is to send: 0 would mean all, and there is a limit.
fn transmittable(part: &Range<u64>) -> Result<u32> {
    const MOST: u64 = i32::MAX as u64 - 1;
    match part.end.checked_sub(part.start) {
        None | Some(0) => Err(Error::INVALID),
        Some(len) if len > MOST => Err(Error::MESSAGE_TOO_LONG),
        Some(len) => Ok(len as u32),
    }
}

fn split(socket: Result<TcpSocket>) -> (Option<TcpSocket>, Result<()>) {
    match socket {
        Ok(socket) => (Some(socket), Ok(())),
        Err(error) => (None, Err(error)),
    }
}

/// ConnectEx wants a bound socket (rule 76).
fn bind_if_unbound(socket: &TcpSocket, to: SocketAddr) -> Result<()> {
    if socket.local_addr().is_ok() {
        return Ok(());
    }
    match to {
        SocketAddr::V4(_) => socket.bind(SocketAddr::from(([0; 4], 0))),
        SocketAddr::V6(_) => socket.bind(SocketAddr::from(([0u8; 16], 0))),
    }
}

/// Gives an accepted socket the properties of its listener, and finds out who it is (rule 73).
fn welcome(socket: TcpSocket, listener: ws::SOCKET, block: &AddressBlock) -> Result<Accepted> {
    socket.socket.set_option(ws::SOL_SOCKET, ws::SO_UPDATE_ACCEPT_CONTEXT, listener)?;
    let (local, peer) = block.read(&socket.socket)?;
    Ok(Accepted { socket, local, peer })
}

/// Makes the functions that want a connected socket work (rule 76).
fn connected(socket: TcpSocket) -> Result<TcpSocket> {
    let raw = socket.raw();
    // SAFETY: the option has no value.
    crate::error::winsock(unsafe {
        ws::setsockopt(raw, ws::SOL_SOCKET, ws::SO_UPDATE_CONNECT_CONTEXT, ptr::null(), 0)
    })?;
    Ok(socket)
}
