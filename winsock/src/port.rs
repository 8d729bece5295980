//! The completion port: where operations are started and where their ends are heard of.

use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY,
    PostQueuedCompletionStatus,
};

use crate::buffer::Buffer;
use crate::completion::{Batch, Completion, Completions};
use crate::error::{Error, Result};
use crate::model::{Model, Records, Report, Way, When};
use crate::record::{Op, Work};
use crate::socket::{Socket, millis, start};

/// A completion port, with `T` for tokens and `B` for buffers.
///
/// Every thread may start [operations](crate::Operations) and every thread may wait for their ends.
/// Both go through `&self`: share the port by reference (scoped threads) or in an
/// [`Arc`](std::sync::Arc).
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
    records: Records<T, B>,
    /// Only one thread at a time ties a socket, so that the second sees that it is done.
    tying: Mutex<()>,
}

// SAFETY: the handle may be used from any thread; the records are as said at `Pool`.
unsafe impl<T: Send, B: Buffer + Send> Send for Port<T, B> {}
// SAFETY: as above.
unsafe impl<T: Send, B: Buffer + Send> Sync for Port<T, B> {}

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
        start()?;
        let records = Records::new()?;
        // SAFETY: no memory is passed.
        let raw =
            unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, threads) };
        if raw.is_null() {
            return Err(Error::last_win32());
        }
        Ok(Port { raw, records, tying: Mutex::new(()) })
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
        let place = self.place_for(ws::INVALID_SOCKET, Ok(()), Way::Event);
        self.start(place, Work::Post { token }, |lent| {
            self.queue(lent.overlapped).map(|()| When::Later)
        });
    }
}

/// The walk of an operation: lent, accepted or refused, dequeued, taken back.
impl<T, B: Buffer> Port<T, B> {
    fn queue(&self, overlapped: *mut OVERLAPPED) -> Result<()> {
        // SAFETY: the pointer is passed through unread.
        match unsafe { PostQueuedCompletionStatus(self.raw, 0, 0, overlapped) } {
            0 => Err(Error::last_win32()),
            _ => Ok(()),
        }
    }

    #[cold]
    fn tie_first(&self, socket: &Socket) -> Result<()> {
        let _one_at_a_time = self.tying.lock().unwrap_or_else(PoisonError::into_inner);
        if socket.port() == self.records.number {
            return Ok(());
        }
        // SAFETY: no memory is passed; both handles are open.
        let tied = unsafe { CreateIoCompletionPort(socket.raw() as HANDLE, self.raw, 0, 0) };
        if tied.is_null() {
            return Err(Error::last_win32());
        }
        socket.set_port(self.records.number);
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
        // SAFETY: the caller's.
        unsafe { self.records.finish(op) }
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
                self.records.discard(op);
            }
        }
    }
}

impl<T, B: Buffer> Model<T, B> for Port<T, B> {
    #[inline]
    fn records(&self) -> &Records<T, B> {
        &self.records
    }

    #[inline]
    fn tie(&self, socket: &Socket) -> Result<()> {
        if socket.port() == self.records.number { Ok(()) } else { self.tie_first(socket) }
    }

    #[inline]
    fn report(&self, _way: Way) -> Result<Report> {
        Ok(Report::PACKET)
    }

    #[inline]
    fn begun(&self, _op: Op<T, B>, _report: Report, _when: When) {}

    unsafe fn refused(&self, op: Op<T, B>, _report: Report) {
        if let Err(error) = self.queue(op.overlapped()) {
            // SAFETY: the caller's. The port must not wait for this one when it is dropped.
            unsafe {
                op.land();
                self.records.discard(op);
            }
            panic!("the system cannot even queue a packet: {error}");
        }
    }
}

impl<T, B: Buffer> Drop for Port<T, B> {
    fn drop(&mut self) {
        let mut left = 0;
        self.records.pool.each_in_flight(|op| {
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
                unsafe { self.records.discard(Op::from_overlapped(entry.lpOverlapped)) };
            }
            left -= count;
        }
        // SAFETY: the handle is ours and not used afterwards; no record is in flight.
        unsafe {
            CloseHandle(self.raw);
            self.records.pool.free();
        }
    }
}

impl<T, B: Buffer> std::fmt::Debug for Port<T, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Port").field("number", &self.records.number).finish_non_exhaustive()
    }
}
