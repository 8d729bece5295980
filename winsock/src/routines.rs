//! Overlapped operations that are reported by completion routines.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use winsock_sys::Win32::System::IO::OVERLAPPED;
use winsock_sys::Win32::System::Threading::{GetCurrentThread, QueueUserAPC, SleepEx};

use crate::buffer::Buffer;
use crate::completion::Completion;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::local::{Landed, Local, PATIENCE};
use crate::mailbox::{Bell, Poster, ThreadHandle};
use crate::model::{Model, Records, Report, Way, When};
use crate::record::Op;
use crate::socket::Socket;

/// Overlapped operations with completion routines, any number of them in flight, with `T` for
/// tokens and `B` for buffers.
///
/// This is the model in which a program passes a function to each operation, and the system calls
/// that function when the operation has ended: on the thread that has started it, while that thread
/// waits and says that it may be interrupted, in an
/// [alertable wait](https://learn.microsoft.com/windows/win32/fileio/alertable-i-o). Here
/// [`next`](Routines::next) is the alertable wait, and the routines, all of which are ours, note
/// what has ended, to be handed out. So [operations](crate::Operations) are started as with a
/// [`Port`](crate::Port), and complete likewise:
///
/// ```
/// use winsock::{Completion, Listener, Operations, Routines, TcpSocket};
///
/// let listener = Listener::bind("127.0.0.1:0")?;
/// let client = TcpSocket::connect(listener.local_addr()?)?;
/// let (server, _) = listener.accept()?;
///
/// let routines = Routines::new()?;
/// routines.recv(&server, Vec::with_capacity(64), "in");
/// routines.send(&client, b"hello".to_vec(), "out");
/// for _ in 0..2 {
///     match routines.next(None)? {
///         Some(Completion::Recv { token: "in", buf, .. }) => assert_eq!(buf, b"hello"),
///         Some(Completion::Send { token: "out", result, .. }) => assert_eq!(result, Ok(5)),
///         other => unreachable!("{other:?}"),
///     }
/// }
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// No handle has to be waited for, and nothing is limited to 64: of the models that are bound to a
/// thread this one is the cheapest.
///
/// # The traps of this model, and where they have gone
///
/// - **A routine runs at any alertable wait of its thread**, also at one that is hidden in a
///   library, or in a blocking call (rule 108), with whatever the program is in the middle of. Ours
///   only note the end; your code runs when you ask for the next completion.
/// - **A routine never runs if its thread never waits alertably**, or ends. Then nothing is handed
///   out either, but nothing is lost: the memory stays the operation's. The object cannot leave the
///   thread that made it, since the operations cannot.
/// - **Not all operations take a routine**: those that accept, connect, disconnect and transmit
///   files do not. They are given an event, as in an [`OverlappedSet`](crate::OverlappedSet), and
///   the wait takes both; so 64 of these can be in flight at a time, and what is started beyond
///   that completes with [`Error::NO_BUFFER_SPACE`](crate::Error::NO_BUFFER_SPACE).
/// - **A socket tied to a completion port takes no routine** (rule 27): receives and sends on it
///   complete with [`Error::INVALID`](crate::Error::INVALID).
/// - **Waking the thread** takes a call queued to it, an
///   [APC](https://learn.microsoft.com/windows/win32/sync/asynchronous-procedure-calls): a
///   [`Poster`] does that.
///
/// Dropping the object cancels what is in flight and waits alertably until all routines have run,
/// so that all tokens and buffers are dropped before `drop` returns; it does not matter whether
/// sockets still exist.
pub struct Routines<T, B: Buffer = Vec<u8>> {
    local: Local<T, B>,
    /// A routine is queued, so that the next wait will not wait: its operation has ended at once.
    is_due: Cell<bool>,
    /// How often in a row that was so.
    unwaited: Cell<u32>,
}

impl<T, B: Buffer> Routines<T, B> {
    /// Nothing in flight, for the calling thread.
    pub fn new() -> Result<Routines<T, B>> {
        let local = Local::new(|| ThreadHandle::current().map(Bell::Thread))?;
        Ok(Routines { local, is_due: Cell::new(false), unwaited: Cell::new(0) })
    }

    /// Waits alertably until an operation has ended and hands out its completion; or what a
    /// [`Poster`] has posted, as [`Completion::Post`]. `None` if the time is up first; without a
    /// time-out it waits for ever, also if nothing is in flight.
    ///
    /// [`SleepEx`](https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepex)
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        self.local.next(Deadline::after(timeout), |ms| self.wait(ms))
    }

    /// What other threads reach this one with.
    pub fn poster(&self) -> Poster<T> {
        self.local.mailbox.poster()
    }

    fn wait(&self, ms: u32) -> Result<()> {
        let row = if self.is_due.replace(false) { self.unwaited.get() + 1 } else { 0 };
        self.unwaited.set(row % PATIENCE);
        // With no time to wait the system is asked what else has ended.
        wait_alertably(&self.local, if row == PATIENCE { 0 } else { ms })
    }
}

/// Runs the routines that are queued. If there are none it waits until one is, or until an
/// operation has ended by its event.
fn wait_alertably<T, B: Buffer>(local: &Local<T, B>, ms: u32) -> Result<()> {
    if local.slots.borrow().is_empty() {
        // SAFETY: what is queued by us may run here: no landed records are borrowed.
        unsafe { SleepEx(ms, 1) };
        return Ok(());
    }
    local.wait_for_events(ms, true)
}

/// The completion routine of all operations of this kind.
///
/// # Safety
/// The OVERLAPPED is that of an operation that [`Routines`] has started with
/// [`Way::Routine`], and the system is done with it.
unsafe extern "system" fn routine<T, B: Buffer>(
    _error: u32,
    _bytes: u32,
    overlapped: *mut OVERLAPPED,
    _flags: u32,
) {
    // SAFETY: the caller's: records with an operation in flight exist, and what they point to does,
    // since it is freed after them.
    unsafe {
        let landed = (*overlapped).hEvent.cast::<Landed<T, B>>();
        let op = Op::<T, B>::from_overlapped(overlapped);
        op.land();
        (*landed).borrow_mut().push_back(op);
    }
}

/// Stands in for [`routine`] where the system has refused an operation, and so will not call it.
///
/// # Safety
/// As [`routine`]; `data` is the exposed address of the OVERLAPPED.
unsafe extern "system" fn refusal<T, B: Buffer>(data: usize) {
    // SAFETY: the caller's.
    unsafe { routine::<T, B>(0, 0, std::ptr::with_exposed_provenance_mut(data), 0) };
}

impl<T, B: Buffer> Model<T, B> for Routines<T, B> {
    #[inline]
    fn records(&self) -> &Records<T, B> {
        &self.local.records
    }

    #[inline]
    fn tie(&self, _socket: &Socket) -> Result<()> {
        Ok(())
    }

    #[inline]
    fn report(&self, way: Way) -> Result<Report> {
        match way {
            Way::Routine => Ok(Report {
                event: Rc::as_ptr(&self.local.landed).cast_mut().cast(),
                routine: Some(routine::<T, B>),
            }),
            Way::Event => self.local.report_by_event(),
        }
    }

    #[inline]
    fn begun(&self, op: Op<T, B>, report: Report, when: When) {
        if when == When::AtOnce {
            self.is_due.set(true);
        }
        if report.routine.is_none() {
            self.local.begun(op, report, when);
        }
    }

    /// What was started before has ended before, and its routine may not have run: so this one
    /// queues, too.
    unsafe fn refused(&self, op: Op<T, B>, report: Report) {
        if report.routine.is_some() {
            let data = op.overlapped().expose_provenance();
            // SAFETY: the record stays where it is until it has landed, which this does.
            let queued =
                unsafe { QueueUserAPC(Some(refusal::<T, B>), GetCurrentThread(), data) != 0 };
            if queued {
                return self.is_due.set(true);
            }
            // SAFETY: the caller's. Out of turn is better than not at all.
            return unsafe { self.local.land(op) };
        }
        // SAFETY: the caller's.
        unsafe { self.local.refused(op, report) };
    }
}

impl<T, B: Buffer> Drop for Routines<T, B> {
    fn drop(&mut self) {
        self.local.close(|local| wait_alertably(local, u32::MAX));
    }
}

impl<T, B: Buffer> fmt::Debug for Routines<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routines").finish_non_exhaustive()
    }
}
