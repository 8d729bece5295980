//! Readiness by `select`.

use std::fmt;
use std::mem::offset_of;
use std::net::Ipv4Addr;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::Threading::INFINITE;

use crate::deadline::Deadline;
use crate::error::{Result, winsock};
use crate::ledger::Ledger;
use crate::mailbox::{Bell, Mailbox, Poster};
use crate::ready::{AnySocket, Interest, Key, Notice, Rejected};
use crate::sets::sets;
use crate::socket::{CONNECTED, CONNECTING};
use crate::udp::UdpSocket;

/// Any number of sockets, asked by `select` whether they are ready, with `T` for tokens and `M` for
/// what other threads post.
///
/// This is the oldest model:
/// [`select`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select) is passed
/// all sockets of interest, each time, and waits until one of them is ready. The program then makes
/// the call that the socket is ready for, which does not wait. Here the set owns the sockets, and
/// [`next`](ReadySet::next) tells who is ready:
///
/// ```
/// use winsock::{AnySocket, Interest, Notice, ReadySet, UdpSocket};
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let address = socket.local_addr()?;
/// let mut set: ReadySet<&str> = ReadySet::new()?;
/// let key = set.insert(socket, "the only one", Interest::READ)?;
///
/// UdpSocket::bind("127.0.0.1:0")?.send_to(b"hello", address)?;
/// let Some(Notice::Ready(ready)) = set.next(None)? else { unreachable!() };
/// assert!(ready.key == key && ready.readable);
/// let Some((AnySocket::Udp(socket), _)) = set.get(key) else { unreachable!() };
/// assert_eq!(socket.recv(&mut [0; 16]), Ok(5));
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// What a wait costs grows with the number of sockets, ready or not. For a few dozen, in a program
/// that is to be simple, that is no matter.
///
/// # The traps of this model, and where they have gone
///
/// - **An `fd_set` has room for 64**, and what is over is dropped without a word (rule 112). Here
///   it is as large as it has to be (rule 111).
/// - **The sets are overwritten by the answer** (rule 112), and must be filled again for each call.
/// - **Nothing to wait for is an error** (rule 113), not a sleep. Here a socket of the set's own,
///   for its [`Poster`]s, is always among them.
/// - **A failed connect is an exception** (rule 116): it makes the socket neither readable nor
///   writable, and the reason is elsewhere. Here it is told as [failed](crate::Ready::failed), with
///   the reason, whatever the interest is.
/// - **A socket that is closed while `select` waits for it**, or whose handle has become somebody
///   else's: the set owns it.
/// - **A socket that blocks although it was ready**, because another call was quicker, holds all
///   the others up. The set makes its sockets non-blocking; they stay so when they are removed.
pub struct ReadySet<T, M = ()> {
    ledger: Ledger<T>,
    /// What `select` is passed, in this order: to be read, to be written, failing.
    lists: [List; 3],
    /// The lists are not those of the ledger any more.
    is_stale: bool,
    /// TCP sockets that may yet be connected.
    fresh: Vec<Key>,
    mailbox: Arc<Mailbox<M>>,
}

/// One `fd_set`.
#[derive(Default)]
struct List {
    /// As an `fd_set` is laid out: the count first, in the place of one handle.
    sockets: Vec<ws::SOCKET>,
    /// A copy, for the answer.
    answer: Vec<ws::SOCKET>,
    /// Whose they are; nobody's, for the set's own.
    keys: Vec<Key>,
}

const _: () = assert!(offset_of!(ws::FD_SET, fd_array) == size_of::<ws::SOCKET>());

impl List {
    fn clear(&mut self) {
        self.keys.clear();
        self.sockets.clear();
        self.sockets.push(0);
    }

    fn push(&mut self, key: Key, socket: ws::SOCKET) {
        self.keys.push(key);
        self.sockets.push(socket);
    }

    /// The set to pass, NULL for an empty one.
    fn ask(&mut self) -> *mut ws::FD_SET {
        self.answer.clone_from(&self.sockets);
        let count = self.answer.len() - 1;
        if count == 0 {
            return ptr::null_mut();
        }
        let set = self.answer.as_mut_ptr().cast::<ws::FD_SET>();
        // SAFETY: the count lies in the first element.
        unsafe { (&raw mut (*set).fd_count).write(count as u32) };
        set
    }

    /// Whose sockets are in the answer.
    fn answered(&self) -> impl Iterator<Item = Key> {
        // SAFETY: as in `ask`; an empty set was not passed, and its count is 0.
        let count = unsafe { self.answer.as_ptr().cast::<u32>().read() } as usize;
        let mut ready = self.answer[1..=count].iter();
        let mut wanted = ready.next();
        // The answer keeps the order (rule 112).
        self.sockets[1..].iter().zip(&self.keys).filter_map(move |(socket, key)| {
            let found = wanted == Some(socket);
            if found {
                wanted = ready.next();
            }
            found.then_some(*key)
        })
    }
}

impl<T, M> ReadySet<T, M> {
    /// An empty set.
    pub fn new() -> Result<ReadySet<T, M>> {
        let bell = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        bell.connect(bell.local_addr()?)?;
        bell.set_nonblocking(true)?;
        Ok(ReadySet {
            ledger: Ledger::new(),
            lists: Default::default(),
            is_stale: true,
            fresh: Vec::new(),
            mailbox: Mailbox::new(Bell::Socket(bell)),
        })
    }

    /// Takes in a socket, and makes it non-blocking.
    ///
    /// [`ioctlsocket`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ioctlsocket)
    pub fn insert(
        &mut self,
        socket: impl Into<AnySocket>,
        token: T,
        interest: Interest,
    ) -> std::result::Result<Key, Rejected<T>> {
        let socket = socket.into();
        if let Err(error) = socket.socket().set_nonblocking(true) {
            return Err(Rejected { socket, token, error });
        }
        self.is_stale = true;
        Ok(self.ledger.insert(socket, token, interest, 0))
    }

    /// Gives a socket back, with its token. It is non-blocking now.
    pub fn remove(&mut self, key: Key) -> Option<(AnySocket, T)> {
        let entry = self.ledger.remove(key)?;
        self.is_stale = true;
        Some((entry.socket, entry.token))
    }

    /// Changes what is of interest; `false` if there is no such socket.
    pub fn set_interest(&mut self, key: Key, interest: Interest) -> bool {
        self.is_stale |= self.interest(key) != Some(interest);
        self.ledger.set_interest(key, interest)
    }

    /// Waits until a socket is ready for what is of interest, or a [`Poster`] has posted something.
    /// `None` if the time is up first; without a time-out it waits for ever, also if the set is
    /// empty.
    ///
    /// [`select`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-select)
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
            self.ledger.forget();
            if waited && deadline.is_over() {
                return Ok(None);
            }
            self.select(deadline.ms())?;
            waited = true;
        }
    }

    fn select(&mut self, ms: u32) -> Result<()> {
        let is_connecting = |key: &Key| {
            self.ledger.get(*key).is_some_and(|entry| entry.socket.socket().has(CONNECTING))
        };
        if self.is_stale || self.fresh.iter().any(is_connecting) {
            self.refresh();
        }
        let time = ws::TIMEVAL { tv_sec: (ms / 1000) as i32, tv_usec: (ms % 1000 * 1000) as i32 };
        let time = if ms == INFINITE { ptr::null() } else { &raw const time };
        let [read, write, fail] = self.lists.each_mut().map(List::ask);
        // SAFETY: the sets are as large as their counts say, and outlive the call, as the time
        // does.
        winsock(unsafe { ws::select(0, read, write, fail, time) })?;
        self.note();
        Ok(())
    }

    /// Notes the answer.
    fn note(&mut self) {
        let [read, write, fail] = &self.lists;
        for key in read.answered() {
            match key == Key::default() {
                // What it has rung for is in the mailbox.
                true => while self.bell().recv(&mut [0; 16]).is_ok() {},
                false => self.ledger.note(key, ws::FD_READ, |_| 0),
            }
        }
        for key in write.answered() {
            let is_connecting =
                self.ledger.get(key).is_some_and(|entry| entry.socket.socket().has(CONNECTING));
            self.ledger.note(key, ws::FD_WRITE, |_| 0);
            if is_connecting {
                self.ledger.note(key, ws::FD_CONNECT, |_| 0);
                self.is_stale = true;
            }
        }
        for key in fail.answered() {
            let Some(entry) = self.ledger.get(key) else { continue };
            let why = entry.socket.socket().option(ws::SOL_SOCKET, ws::SO_ERROR);
            let code = why.ok().filter(|code| *code != 0).unwrap_or(ws::WSAECONNREFUSED);
            self.ledger.note(key, ws::FD_CONNECT, |_| code);
            self.is_stale = true;
        }
    }

    fn bell(&self) -> &UdpSocket {
        match &self.mailbox.bell {
            Bell::Socket(socket) => socket,
            Bell::Event(_) | Bell::Thread(_) | Bell::Window(_) => {
                unreachable!("made with a socket")
            }
        }
    }

    /// Makes the lists anew.
    fn refresh(&mut self) {
        let bell = self.bell().raw();
        self.is_stale = false;
        self.fresh.clear();
        self.lists.iter_mut().for_each(List::clear);
        let [read, write, fail] = &mut self.lists;
        read.push(Key::default(), bell);
        for (key, entry) in self.ledger.iter() {
            let socket = entry.socket.socket();
            let is_connecting = socket.has(CONNECTING);
            if entry.interest.contains(Interest::READ) {
                read.push(key, socket.raw());
            }
            if entry.interest.contains(Interest::WRITE) || is_connecting {
                write.push(key, socket.raw());
            }
            if is_connecting {
                fail.push(key, socket.raw());
            } else if matches!(entry.socket, AnySocket::Tcp(_)) && !socket.has(CONNECTED) {
                self.fresh.push(key);
            }
        }
    }
}

impl<T, M> Drop for ReadySet<T, M> {
    fn drop(&mut self) {
        drop(self.mailbox.close());
    }
}

sets!(ReadySet);
