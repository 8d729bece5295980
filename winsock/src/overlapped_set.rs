//! Overlapped operations that are reported by events.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use crate::buffer::Buffer;
use crate::completion::Completion;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::event::{Event, WaitSet};
use crate::local::{Local, PATIENCE};
use crate::mailbox::{Bell, Poster};
use crate::model::{Model, Records, Report, Way, When};
use crate::record::Op;
use crate::socket::Socket;

/// Overlapped operations with events, up to 63 in flight at a time, with `T` for tokens and `B` for
/// buffers.
///
/// This is the model in which a program starts operations, each with an event of its own in the
/// `hEvent` of its OVERLAPPED, and waits for up to 64 events at once with
/// [`WSAWaitForMultipleEvents`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents).
/// [Operations](crate::Operations) are started as with a [`Port`](crate::Port), and complete
/// likewise; but here one thread does everything, and it hears of ends from
/// [`next`](OverlappedSet::next):
///
/// ```
/// use winsock::{Completion, Listener, Operations, OverlappedSet, TcpSocket};
///
/// let listener = Listener::bind("127.0.0.1:0")?;
/// let set = OverlappedSet::<&str>::new()?;
/// set.accept(&listener, "server");
/// set.connect(listener.local_addr()?, "client");
/// let mut open = Vec::new();
/// while open.len() < 2 {
///     match set.next(None)? {
///         Some(Completion::Accept { token, result }) => open.push((token, result?.socket)),
///         Some(Completion::Connect { token, result }) => open.push((token, result?)),
///         other => unreachable!("{other:?}"),
///     }
/// }
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// # The traps of this model, and where they have gone
///
/// - **One OVERLAPPED, one event and one buffer for each operation in flight**, none of them to be
///   touched until it has ended: an operation is given its own, and owns them.
/// - **64 events in a wait.** One is the set's own, for its [`Poster`]s, and so 63 operations can
///   be in flight: [`room`](OverlappedSet::room) tells how many more. What is started beyond that
///   completes with [`Error::NO_BUFFER_SPACE`](crate::Error::NO_BUFFER_SPACE), and gives its buffer
///   back. A server with one operation per client at a time therefore serves 63 clients with one
///   set; for more there are [`Groups`](crate::Groups) of threads.
/// - **The lowest event wins** (rule 104): a busy client at the front of the array would starve
///   those behind it. After a wait all that has ended is collected, before the next.
/// - **Order.** The ends of several receives on one socket may be found in any order by a program
///   that looks at its events one after the other; here they come in the order in which they were
///   started (rule 58).
/// - **Events that must be reset, and results that must be fetched**, before the next operation.
/// - **A socket tied to a completion port** reports to the port, too. Here it does not: the low bit
///   of `hEvent` is set (rule 25). One socket may be used with both.
/// - **A thread that ends takes its operations with it** (rule 48): the set cannot leave the thread
///   that made it.
///
/// Dropping the set cancels what is in flight and waits until the system has let go of it, so that
/// all tokens and buffers are dropped before `drop` returns; it does not matter whether sockets
/// still exist.
///
/// [Overlapped I/O and event objects](https://learn.microsoft.com/windows/win32/winsock/overlapped-i-o-and-event-objects-2)
pub struct OverlappedSet<T, B: Buffer = Vec<u8>> {
    local: Local<T, B>,
    /// How often in a row there was something without a wait.
    unwaited: Cell<u32>,
}

impl<T, B: Buffer> OverlappedSet<T, B> {
    /// How many operations can be in flight at a time.
    pub const MAX: usize = WaitSet::MAX - 1;

    /// A set with nothing in flight.
    pub fn new() -> Result<OverlappedSet<T, B>> {
        let local = Local::new(|| Event::auto_reset().map(Bell::Event))?;
        Ok(OverlappedSet { local, unwaited: Cell::new(0) })
    }

    /// Waits until an operation has ended and hands out its completion; or what a [`Poster`] has
    /// posted, as [`Completion::Post`]. `None` if the time is up first; without a time-out it waits
    /// for ever, also if nothing is in flight.
    ///
    /// [`WSAWaitForMultipleEvents`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents)
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        self.local.next(Deadline::after(timeout), |ms| self.wait(ms))
    }

    /// How many more operations can be in flight. One that has ended makes room when it is
    /// collected, which is at the latest when it is handed out.
    pub fn room(&self) -> usize {
        self.local.slots.borrow().room()
    }

    /// What other threads reach this one with.
    pub fn poster(&self) -> Poster<T> {
        self.local.mailbox.poster()
    }

    fn wait(&self, ms: u32) -> Result<()> {
        let is_due = self.local.slots.borrow().is_due();
        let row = if is_due { self.unwaited.get() + 1 } else { 0 };
        self.unwaited.set(row % PATIENCE);
        // With no time to wait the system is asked what else has ended.
        self.local.wait_for_events(if row == PATIENCE { 0 } else { ms }, false)
    }
}

impl<T, B: Buffer> Model<T, B> for OverlappedSet<T, B> {
    #[inline]
    fn records(&self) -> &Records<T, B> {
        &self.local.records
    }

    #[inline]
    fn tie(&self, _socket: &Socket) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn report(&self, _way: Way) -> Result<Report> {
        self.local.report_by_event()
    }

    #[inline]
    fn begun(&self, op: Op<T, B>, report: Report, when: When) {
        self.local.begun(op, report, when);
    }

    unsafe fn refused(&self, op: Op<T, B>, report: Report) {
        // SAFETY: the caller's.
        unsafe { self.local.refused(op, report) };
    }
}

impl<T, B: Buffer> Drop for OverlappedSet<T, B> {
    fn drop(&mut self) {
        self.local.close(|local| local.wait_for_events(u32::MAX, false));
    }
}

impl<T, B: Buffer> fmt::Debug for OverlappedSet<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OverlappedSet").field("room", &self.room()).finish_non_exhaustive()
    }
}
