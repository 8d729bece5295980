//! What a socket shows at this moment, in Windows' words.
//!
//! Linux speaks of a descriptor and Windows of a socket, which may have no descriptor yet, or one
//! that Linux calls hung up because it has never been connected. A failed connect makes a Linux
//! descriptor writable and a Windows socket exceptional; a connection that was given back is in
//! nobody's backlog; and what operations in the queue will take is not there for others.

use std::os::fd::RawFd;

use windows_sys::Win32::Networking::WinSock::SO_OOBINLINE;

use crate::connect;
use crate::op::Kind;
use crate::socket::{Direction, Socket, State};
use crate::sys;
use crate::transfer;

/// What holds for a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// There is something to receive, or a connection to accept.
    pub input: bool,
    /// The peer sends no more.
    pub ended: bool,
    /// The connection is gone.
    pub reset: bool,
    /// A send would find room.
    pub room: bool,
    /// Urgent data has come, and is received apart from the rest.
    pub urgent: bool,
    /// The last attempt to connect has failed.
    pub failed: bool,
    /// The program has closed it.
    pub closed: bool,
}

impl Socket {
    /// The descriptor whose events say something about the socket. A stream has none before it
    /// connects or listens.
    pub fn telling_descriptor(&self, state: &mut State) -> Option<RawFd> {
        match self.form.is_stream() {
            true => state.fd.filter(|_| state.connected || state.connecting || state.listening),
            false => self.descriptor(state).ok(),
        }
    }

    /// What holds, if `bits` are the POLL bits that the kernel has just shown. Operations that wait
    /// for those are served first. Without any bits: what the state alone tells.
    pub fn level(&self, state: &mut State, bits: i16) -> Level {
        if state.closed {
            return Level { closed: true, ..Level::default() };
        }
        let bits = self.serve_operations(state, bits);
        if !self.form.is_stream() {
            return self.level_of_datagrams(state, bits);
        }
        if bits != 0 {
            connect::settle(state);
        }
        if state.listening {
            let waiting = bits & libc::POLLIN != 0 || state.has_stash();
            let input = waiting && state.is_idle(Direction::In);
            return Level { input, ..Level::default() };
        }
        match state.connected {
            true => level_of_connection(state, bits),
            false => {
                let failed = state.failure != 0 && !state.connecting;
                Level { failed, ..Level::default() }
            }
        }
    }

    /// Lets the operations that wait on the socket take what is there (rules 72 and 92). Returns
    /// what the kernel shows then, but for what the remaining ones have a right to.
    fn serve_operations(&self, state: &mut State, bits: i16) -> i16 {
        let over = libc::POLLERR | libc::POLLHUP;
        let mut served = false;
        for (direction, waking) in [
            (Direction::In, libc::POLLIN | libc::POLLPRI | libc::POLLRDHUP | over),
            (Direction::Out, libc::POLLOUT | over),
        ] {
            if bits & waking != 0 && !state.is_idle(direction) {
                self.advance(state, direction);
                served = true;
            }
        }
        let mut bits = match (served, state.fd) {
            (true, Some(fd)) => sys::shown(fd),
            (true, None) => 0,
            (false, _) => bits,
        };
        if !state.is_idle(Direction::In) {
            bits &= !libc::POLLIN;
        }
        if !state.is_idle(Direction::Out) {
            bits &= !libc::POLLOUT;
        }
        bits
    }

    fn level_of_datagrams(&self, state: &mut State, bits: i16) -> Level {
        if bits & libc::POLLERR != 0
            && let Some(fd) = state.fd
        {
            transfer::keep_report(state, fd);
        }
        // A closed port that answered is for the next receive to tell (rule 65).
        let input = bits & libc::POLLIN != 0 || state.unreachable;
        Level { input, room: bits & libc::POLLOUT != 0, ..Level::default() }
    }
}

fn level_of_connection(state: &State, bits: i16) -> Level {
    let reset = state.reset || bits & libc::POLLERR != 0;
    Level {
        input: !reset && has_unread(state, bits),
        ended: has_ended(bits),
        reset,
        room: reset || bits & libc::POLLOUT != 0,
        urgent: bits & libc::POLLPRI != 0 && state.has_urgent_apart(),
        ..Level::default()
    }
}

/// Whether a stream that shows `bits` holds bytes that the program has not received.
pub fn has_unread(state: &State, bits: i16) -> bool {
    // The end alone makes a descriptor readable too.
    bits & libc::POLLIN != 0 && (!has_ended(bits) || unread(state) > 0)
}

fn has_ended(bits: i16) -> bool {
    bits & (libc::POLLRDHUP | libc::POLLHUP) != 0
}

/// How many bytes a stream holds that the program has not received, up to urgent data.
pub fn unread(state: &State) -> u32 {
    let bytes = state.fd.map(|fd| sys::query(fd, libc::FIONREAD));
    bytes.map_or(0, |bytes| bytes.unwrap_or(0) as u32)
}

impl State {
    /// Whether urgent data is received apart from the rest (SO_OOBINLINE is off).
    pub fn has_urgent_apart(&self) -> bool {
        self.options().is_none_or(|options| !options.is_on(SO_OOBINLINE))
    }

    /// Whether an operation of the backend's finds out how the connect goes.
    pub fn has_connect_op(&self) -> bool {
        self.has_op(&|op| matches!(op.kind, Kind::Connect { .. }))
    }
}
