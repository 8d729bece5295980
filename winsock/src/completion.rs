//! What a port hands out.

use std::fmt;
use std::net::SocketAddr;
use std::slice;
use std::sync::Arc;

use winsock_sys::Win32::System::IO::OVERLAPPED_ENTRY;

use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::file::File;
use crate::loan::Loan;
use crate::port::Port;
use crate::record::Op;
use crate::tcp::TcpSocket;

/// The end of an operation: what it was, its token, its buffer and its result.
///
/// The buffer is here whatever the result is. Nothing is lost by not looking: dropping a completion
/// drops what is in it, and a connection among that is closed.
///
/// In every variant `token` and `buf` are what the operation was started with, and `result` is how
/// it went.
#[derive(Debug)]
#[expect(missing_docs, reason = "the fields are the same everywhere, and said above")]
pub enum Completion<T, B = Vec<u8>> {
    /// [`Operations::accept`](crate::Operations::accept) has a connection.
    Accept { token: T, result: Result<Accepted> },
    /// [`Operations::connect`](crate::Operations::connect) is connected, or has failed and closed
    /// the socket.
    Connect { token: T, result: Result<TcpSocket> },
    /// [`Operations::disconnect`](crate::Operations::disconnect) is done; the socket is ready to be
    /// connected again.
    Disconnect { token: T, result: Result<TcpSocket> },
    /// [`Operations::recv`](crate::Operations::recv) has received that many bytes, 0 at the end of
    /// the stream.
    Recv { token: T, buf: B, result: Result<usize> },
    /// [`Operations::recv_lent`](crate::Operations::recv_lent) has received something; empty at the
    /// end of the stream.
    RecvLent { token: T, result: Result<Loan> },
    /// [`Operations::send`](crate::Operations::send) has sent that many bytes, which is all of
    /// them.
    Send { token: T, buf: B, result: Result<usize> },
    /// [`Operations::recv_from`](crate::Operations::recv_from) has received a datagram.
    RecvFrom { token: T, buf: B, result: Result<(usize, SocketAddr)> },
    /// [`Operations::send_to`](crate::Operations::send_to) has sent a datagram.
    SendTo { token: T, buf: B, result: Result<usize> },
    /// [`Operations::transmit`](crate::Operations::transmit) has sent that many bytes of the file.
    Transmit { token: T, file: Arc<File>, result: Result<usize> },
    /// [`Port::post`].
    Post { token: T },
}

/// A new connection.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub socket: TcpSocket,
    /// Its address on this machine.
    pub local: SocketAddr,
    /// Its other end.
    pub peer: SocketAddr,
}

impl<T, B> Completion<T, B> {
    /// The token that was given to the operation.
    pub fn token(&self) -> &T {
        match self {
            Completion::Accept { token, .. }
            | Completion::Connect { token, .. }
            | Completion::Disconnect { token, .. }
            | Completion::Recv { token, .. }
            | Completion::RecvLent { token, .. }
            | Completion::Send { token, .. }
            | Completion::RecvFrom { token, .. }
            | Completion::SendTo { token, .. }
            | Completion::Transmit { token, .. }
            | Completion::Post { token } => token,
        }
    }

    /// Why the operation failed, if it did.
    pub fn error(&self) -> Option<Error> {
        match self {
            Completion::Accept { result, .. } => result.as_ref().err().copied(),
            Completion::Connect { result, .. } | Completion::Disconnect { result, .. } => {
                result.as_ref().err().copied()
            }
            Completion::Recv { result, .. }
            | Completion::Send { result, .. }
            | Completion::SendTo { result, .. }
            | Completion::Transmit { result, .. } => result.err(),
            Completion::RecvLent { result, .. } => result.as_ref().err().copied(),
            Completion::RecvFrom { result, .. } => result.err(),
            Completion::Post { .. } => None,
        }
    }
}

/// Room for the packets of one [`Port::wait`]; make one per thread, before the loop.
pub struct Batch {
    pub(crate) entries: Box<[OVERLAPPED_ENTRY]>,
}

// SAFETY: the pointers in the entries are followed only between a wait and the end of what it
// returned, which borrows the batch.
unsafe impl Send for Batch {}
// SAFETY: as above; a shared batch can do nothing.
unsafe impl Sync for Batch {}

impl Batch {
    /// Room for up to `capacity` packets, at least one. More than some dozens save nothing, and
    /// while one thread works through them the others cannot help.
    pub fn new(capacity: usize) -> Batch {
        Batch { entries: vec![OVERLAPPED_ENTRY::default(); capacity.max(1)].into() }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("capacity", &self.entries.len()).finish()
    }
}

impl Default for Batch {
    /// Room for 64 packets.
    fn default() -> Batch {
        Batch::new(64)
    }
}

/// The completions of one [`Port::wait`], oldest first.
///
/// Those that are not taken, because the loop was left early, go to the end of the port's queue,
/// for whoever waits next.
pub struct Completions<'a, T, B: Buffer> {
    port: &'a Port<T, B>,
    /// Their records have landed and are ours.
    entries: slice::Iter<'a, OVERLAPPED_ENTRY>,
}

impl<'a, T, B: Buffer> Completions<'a, T, B> {
    /// # Safety
    /// The entries are packets of the port whose records have landed, and which nobody else takes.
    pub(crate) unsafe fn new(
        port: &'a Port<T, B>,
        entries: &'a [OVERLAPPED_ENTRY],
    ) -> Completions<'a, T, B> {
        Completions { port, entries: entries.iter() }
    }
}

impl<T, B: Buffer> Iterator for Completions<'_, T, B> {
    type Item = Completion<T, B>;

    #[inline]
    fn next(&mut self) -> Option<Completion<T, B>> {
        let entry = self.entries.next()?;
        // SAFETY: promised to `new`; each entry is passed by once.
        Some(unsafe { self.port.finish(Op::from_overlapped(entry.lpOverlapped)) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

impl<T, B: Buffer> ExactSizeIterator for Completions<'_, T, B> {}

impl<T, B: Buffer> Drop for Completions<'_, T, B> {
    fn drop(&mut self) {
        for entry in &mut self.entries {
            // SAFETY: promised to `new`; each entry is passed by once.
            unsafe { self.port.requeue(Op::from_overlapped(entry.lpOverlapped)) };
        }
    }
}
