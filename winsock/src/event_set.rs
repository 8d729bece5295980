//! Network events that are reported by event objects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use winsock_sys::Win32::Foundation::HANDLE;
use winsock_sys::Win32::Networking::WinSock as ws;

use crate::deadline::Deadline;
use crate::error::{Error, Result, winsock};
use crate::event::{Event, WaitSet, Woken, wait_for};
use crate::ledger::{Ledger, selection};
use crate::mailbox::{Bell, Mailbox, Poster};
use crate::ready::{AnySocket, Interest, Key, Notice, Rejected};
use crate::sets::sets;
use crate::socket::SELECTED;

/// Up to 63 sockets that report network events by event objects, with `T` for tokens and `M` for
/// what other threads post.
///
/// This is the model of
/// [`WSAEventSelect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect):
/// each socket has an event object, which the system sets when something has happened to the
/// socket, and a thread waits for up to 64 of them. The program then makes the call that the socket
/// is ready for, which does not wait. Here the set owns sockets and event objects, and
/// [`next`](EventSet::next) tells who is ready:
///
/// ```
/// use winsock::{AnySocket, EventSet, Interest, Listener, Notice, TcpSocket};
///
/// let listener = Listener::bind("127.0.0.1:0")?;
/// let client = TcpSocket::connect(listener.local_addr()?)?;
/// client.send(b"hello")?;
///
/// let mut set: EventSet<()> = EventSet::new()?;
/// set.insert(listener, (), Interest::READ)?;
/// let mut buf = [0; 16];
/// let count = loop {
///     let Some(Notice::Ready(ready)) = set.next(None)? else { continue };
///     match set.get(ready.key) {
///         Some((AnySocket::Listener(listener), _)) => {
///             let (accepted, _) = listener.accept()?;
///             set.insert(accepted, (), Interest::READ)?;
///         }
///         Some((AnySocket::Tcp(socket), _)) => break socket.recv(&mut buf)?,
///         _ => unreachable!(),
///     }
/// };
/// assert_eq!(buf[..count], *b"hello");
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// # The traps of this model, and where they have gone
///
/// - **64 events in a wait.** One is the set's own, for its [`Poster`]s. The 64th socket is
///   [rejected](Rejected): it comes back with its token, for another set. For more there are
///   [`Groups`](crate::Groups) of threads.
/// - **An event is told once, and again only after the call that enables it** (rule 82). A program
///   that does not receive when it is told would never be told again. Here it is, at once, and so
///   is one that becomes [interested](EventSet::set_interest) later.
/// - **`FD_WRITE` comes only after a send has found no room** (rule 85); who waits for it before
///   sending waits in vain. Here a socket is writable until then.
/// - **`FD_CLOSE` comes once, and may come before the data that is left** (rule 88); a program that
///   closes the socket when it is told loses that. Here it is told as
///   [readable](crate::Ready::readable), as often as it takes: what is left is received first, and
///   then the end, or why the connection failed.
/// - **The lowest event wins** (rule 104): a busy client at the front of the array would starve
///   those behind it. Here they take turns.
/// - **An accepted connection inherits its listener's event** (rule 93), and would report there.
///   [`Listener::accept`](crate::Listener::accept) undoes that.
/// - **The socket becomes non-blocking, and stays so** (rule 79), also after it has been removed.
/// - **A socket that is closed while its events are waited for**: the set owns it.
///
/// The interest is the set's own business and costs no call.
pub struct EventSet<T, M = ()> {
    ledger: Ledger<T>,
    /// Each with the event of its own; a socket's [`place`](crate::ledger::Entry) is here.
    members: Vec<Member>,
    /// Who has the first turn at the next wait.
    first: usize,
    /// Events for sockets to come.
    spare: Vec<Event>,
    mailbox: Arc<Mailbox<M>>,
}

struct Member {
    key: Key,
    socket: ws::SOCKET,
    event: Event,
}

impl<T, M> EventSet<T, M> {
    /// How many sockets a set can have.
    pub const MAX: usize = WaitSet::MAX - 1;

    /// An empty set.
    pub fn new() -> Result<EventSet<T, M>> {
        Ok(EventSet {
            ledger: Ledger::new(),
            members: Vec::new(),
            first: 0,
            spare: Vec::new(),
            mailbox: Mailbox::new(Bell::Event(Event::auto_reset()?)),
        })
    }

    /// Takes in a socket. What it is ready for already is told at the next wait (rule 90).
    ///
    /// [`WSAEventSelect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect)
    pub fn insert(
        &mut self,
        socket: impl Into<AnySocket>,
        token: T,
        interest: Interest,
    ) -> std::result::Result<Key, Rejected<T>> {
        let socket = socket.into();
        let event = match self.select(&socket) {
            Ok(event) => event,
            Err(error) => return Err(Rejected { socket, token, error }),
        };
        let raw = socket.socket().raw();
        let key = self.ledger.insert(socket, token, interest, self.members.len());
        self.members.push(Member { key, socket: raw, event });
        Ok(key)
    }

    fn select(&mut self, socket: &AnySocket) -> Result<Event> {
        if self.members.len() == Self::MAX {
            return Err(Error::NO_BUFFER_SPACE);
        }
        let event = self.spare.pop().map_or_else(Event::auto_reset, Ok)?;
        let (raw, handle) = (socket.socket().raw(), event.raw() as ws::WSAEVENT);
        // SAFETY: both handles are open.
        winsock(unsafe { ws::WSAEventSelect(raw, handle, selection(socket)) })?;
        socket.socket().mark(SELECTED);
        Ok(event)
    }

    /// Gives a socket back, with its token. It is non-blocking now.
    pub fn remove(&mut self, key: Key) -> Option<(AnySocket, T)> {
        let entry = self.ledger.remove(key)?;
        // If that fails nobody minds: the event is not waited for any more.
        let _ = entry.socket.socket().deselect();
        let Member { event, .. } = self.members.swap_remove(entry.place);
        if let Some(moved) = self.members.get(entry.place)
            && let Some(moved) = self.ledger.get_mut(moved.key)
        {
            moved.place = entry.place;
        }
        event.reset();
        self.spare.push(event);
        Some((entry.socket, entry.token))
    }

    /// Changes what is of interest; `false` if there is no such socket.
    pub fn set_interest(&mut self, key: Key, interest: Interest) -> bool {
        self.ledger.set_interest(key, interest)
    }

    /// Waits until a socket is ready for what is of interest, or a [`Poster`] has posted something.
    /// `None` if the time is up first; without a time-out it waits for ever, also if the set is
    /// empty.
    ///
    /// [`WSAWaitForMultipleEvents`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsawaitformultipleevents),
    /// [`WSAEnumNetworkEvents`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaenumnetworkevents)
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Notice<M>>> {
        let deadline = Deadline::after(timeout);
        let mut waited = false;
        loop {
            if let Some(ready) = self.ledger.tell() {
                return Ok(Some(Notice::Ready(ready)));
            }
            if let Some(post) = self.mailbox.take() {
                return Ok(Some(Notice::Post(post)));
            }
            let is_due = self.ledger.settle();
            if waited && !is_due && deadline.is_over() {
                return Ok(None);
            }
            self.wait(if is_due { 0 } else { deadline.ms() })?;
            waited = true;
        }
    }

    /// Waits for all events, those that had no turn for longest first.
    fn wait(&mut self, ms: u32) -> Result<()> {
        let (head, tail) = self.members.split_at(self.first.min(self.members.len()));
        let bell = match &self.mailbox.bell {
            Bell::Event(event) => event.raw(),
            Bell::Thread(_) | Bell::Socket(_) | Bell::Window(_) => {
                unreachable!("made with an event")
            }
        };
        let mut handles: [HANDLE; WaitSet::MAX] = [bell; WaitSet::MAX];
        let mut count = 1;
        for member in tail.iter().chain(head) {
            handles[count] = member.event.raw();
            count += 1;
        }
        match wait_for(&handles[..count], false, ms, false)? {
            Woken::Event(index @ 1..) => {
                let at = (self.first.min(self.members.len()) + index - 1) % self.members.len();
                self.first = at + 1;
                self.take_record(at)
            }
            // The bell: what it has rung for is in the mailbox.
            Woken::Event(0) | Woken::TimedOut | Woken::ByRoutines => Ok(()),
        }
    }

    /// Fetches what has happened to the socket whose event was set, and now is not.
    fn take_record(&mut self, at: usize) -> Result<()> {
        let Member { key, socket, .. } = self.members[at];
        let mut events = ws::WSANETWORKEVENTS::default();
        // SAFETY: the structure outlives the call; the set keeps the socket open.
        winsock(unsafe { ws::WSAEnumNetworkEvents(socket, 0, &mut events) })?;
        self.ledger.note(key, events.lNetworkEvents as u32, |event| {
            events.iErrorCode[event.trailing_zeros() as usize]
        });
        Ok(())
    }
}

impl<T, M> Drop for EventSet<T, M> {
    fn drop(&mut self) {
        drop(self.mailbox.close());
    }
}

sets!(EventSet);
