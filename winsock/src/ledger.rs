//! What a set knows of its sockets, and what of that it has yet to tell.
//!
//! The system tells of an event once, and again only after the call that enables it (rule 82). A
//! program that does not make that call, or is not interested yet, would never hear again. So the
//! ledger keeps what it was told, and forgets it when the socket says that it is no longer so: that
//! a receive was called, after which the system tells of what is left (rule 83), or that a send
//! found no room (rule 85). To the program this looks like a level: whatever still holds is told
//! again.

use std::collections::VecDeque;

use slotmap::SlotMap;
use winsock_sys::Win32::Networking::WinSock as ws;

use crate::error::Error;
use crate::ready::{AnySocket, Interest, Key, Ready};
use crate::socket::{ASKED, CONNECTED, CONNECTING, FULL};

/// One socket of a set.
pub(crate) struct Entry<T> {
    pub socket: AnySocket,
    pub token: T,
    pub interest: Interest,
    /// Where the set keeps what else belongs to the socket.
    pub place: usize,
    /// What the system has told, and still holds.
    readable: bool,
    writable: bool,
    /// The stream has ended: a receive says so for ever, after what is left to be received.
    closing: bool,
    failed: Option<Error>,
    /// The connect has failed, and that may be told twice: by an event, and by the socket.
    has_failed: bool,
    /// In [`Ledger::due`].
    is_due: bool,
}

pub(crate) struct Ledger<T> {
    entries: SlotMap<Key, Entry<T>>,
    /// Of whom there may be something to tell, oldest first.
    due: VecDeque<Key>,
    /// Who was told of since the system was last asked.
    told: Vec<Key>,
}

/// The events that are selected for a socket, of whatever interest. What is not of interest now is
/// kept until it is.
pub(crate) fn selection(socket: &AnySocket) -> i32 {
    let events = match socket {
        AnySocket::Tcp(_) => ws::FD_READ | ws::FD_WRITE | ws::FD_CONNECT | ws::FD_CLOSE,
        AnySocket::Udp(_) => ws::FD_READ | ws::FD_WRITE,
        AnySocket::Listener(_) => ws::FD_ACCEPT,
    };
    events as i32
}

impl<T> Entry<T> {
    fn is_readable(&self) -> bool {
        (self.readable || self.closing) && self.interest.contains(Interest::READ)
    }

    fn is_writable(&self) -> bool {
        self.writable && self.interest.contains(Interest::WRITE) && !self.socket.socket().has(FULL)
    }

    fn is_ready(&self) -> bool {
        self.failed.is_some() || self.is_readable() || self.is_writable()
    }

    /// Forgets what a receive has found out meanwhile.
    fn settle(&mut self) {
        if self.socket.socket().unmark(ASKED) {
            self.readable = false;
        }
    }

    /// The system has told of one event.
    fn note(&mut self, event: u32, error: i32) {
        let socket = self.socket.socket();
        match event {
            ws::FD_READ | ws::FD_ACCEPT => self.readable = true,
            ws::FD_CLOSE => self.closing = true,
            ws::FD_CONNECT => {
                let is_news = socket.unmark(CONNECTING) || !self.has_failed;
                match error {
                    0 => socket.mark(CONNECTED),
                    code if is_news => {
                        self.failed = Some(Error::from_code(code));
                        self.has_failed = true;
                    }
                    _ => {}
                }
            }
            ws::FD_WRITE => {
                self.writable = true;
                socket.unmark(FULL);
            }
            // Nothing else is selected.
            _ => {}
        }
    }
}

impl<T> Ledger<T> {
    pub fn new() -> Ledger<T> {
        Ledger { entries: SlotMap::with_key(), due: VecDeque::new(), told: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn insert(&mut self, socket: AnySocket, token: T, interest: Interest, place: usize) -> Key {
        // What was asked before is no news.
        socket.socket().unmark(ASKED | FULL);
        self.entries.insert(Entry {
            socket,
            token,
            interest,
            place,
            readable: false,
            writable: false,
            closing: false,
            failed: None,
            has_failed: false,
            is_due: false,
        })
    }

    pub fn remove(&mut self, key: Key) -> Option<Entry<T>> {
        self.entries.remove(key)
    }

    pub fn get(&self, key: Key) -> Option<&Entry<T>> {
        self.entries.get(key)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut Entry<T>> {
        self.entries.get_mut(key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &Entry<T>)> {
        self.entries.iter()
    }

    /// What was known and not of interest may now be.
    pub fn set_interest(&mut self, key: Key, interest: Interest) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        entry.interest = interest;
        if entry.is_ready() && !entry.is_due {
            entry.is_due = true;
            self.due.push_back(key);
        }
        true
    }

    /// The system has told of these events of one socket; `error` has the code of each.
    pub fn note(&mut self, key: Key, events: u32, error: impl Fn(u32) -> i32) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        // What was asked before is older than this.
        entry.settle();
        let mut left = events;
        while left != 0 {
            let event = left & left.wrapping_neg();
            left &= !event;
            entry.note(event, error(event));
        }
        if entry.is_ready() && !entry.is_due {
            entry.is_due = true;
            self.due.push_back(key);
        }
    }

    /// The next to be told of.
    pub fn tell(&mut self) -> Option<Ready> {
        loop {
            let key = self.due.pop_front()?;
            // It may have been removed, or asked, meanwhile.
            let Some(entry) = self.entries.get_mut(key) else { continue };
            entry.is_due = false;
            entry.settle();
            if entry.is_ready() {
                self.told.push(key);
                let (readable, writable) = (entry.is_readable(), entry.is_writable());
                return Some(Ready { key, readable, writable, failed: entry.failed.take() });
            }
        }
    }

    /// Before the system is asked: those that were told of and have not been served are due again;
    /// whether there are any.
    pub fn settle(&mut self) -> bool {
        for key in self.told.drain(..) {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            entry.settle();
            if entry.is_ready() && !entry.is_due {
                entry.is_due = true;
                self.due.push_back(key);
            }
        }
        !self.due.is_empty()
    }

    /// Before the system is asked, where it tells levels itself: what was told is forgotten.
    pub fn forget(&mut self) {
        for key in self.told.drain(..) {
            if let Some(entry) = self.entries.get_mut(key) {
                (entry.readable, entry.writable) = (false, false);
            }
        }
    }

    /// Asks a socket whether its connect has failed.
    pub fn ask_whether_failed(&mut self, key: Key) {
        let Some(entry) = self.entries.get(key) else { return };
        let socket = entry.socket.socket();
        if socket.has(CONNECTING) {
            let code = socket.option(ws::SOL_SOCKET, ws::SO_ERROR).unwrap_or_default();
            if code != 0 {
                self.note(key, ws::FD_CONNECT, |_| code);
            }
        }
    }
}
