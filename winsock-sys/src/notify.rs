//! `ProcessSocketNotifications`: what a socket shows, told through a completion port.
//!
//! A registration is a [`Notice`], which the socket and the port hold. It has one packet at most in
//! the port's queue: what happens meanwhile joins the events that the packet will show when it is
//! taken. What holds is what WSAPoll would show ([`crate::levels`]). It is looked at under the
//! socket's lock when the registration is enabled, when the backend reports on the socket, and, if
//! it is a level that is told again and again, when its packet has been taken: at once if another
//! thread waits for the port, else when the next one comes.

use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_NOT_FOUND, ERROR_SUCCESS, FALSE, HANDLE, STATUS_SUCCESS, WAIT_TIMEOUT,
};
use windows_sys::Win32::Networking::WinSock::{
    SOCK_NOTIFY_EVENT_ERR, SOCK_NOTIFY_EVENT_HANGUP, SOCK_NOTIFY_EVENT_IN, SOCK_NOTIFY_EVENT_OUT,
    SOCK_NOTIFY_EVENT_REMOVE, SOCK_NOTIFY_OP_DISABLE, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_OP_NONE,
    SOCK_NOTIFY_OP_REMOVE, SOCK_NOTIFY_REGISTRATION, SOCK_NOTIFY_TRIGGER_EDGE,
    SOCK_NOTIFY_TRIGGER_LEVEL, SOCK_NOTIFY_TRIGGER_ONESHOT, SOCK_NOTIFY_TRIGGER_PERSISTENT, SOCKET,
    WSAEINVAL, WSAENOTSOCK, WSANOTINITIALISED,
};
use windows_sys::Win32::System::IO::OVERLAPPED_ENTRY;

use crate::error::{self, Code};
use crate::levels::Level;
use crate::object::{self, SocketRef, TABLE};
use crate::port::{Empty, Packet, Port};
use crate::ports;
use crate::socket::{Socket, State};
use crate::start;
use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sys;

const IN: u32 = SOCK_NOTIFY_EVENT_IN;
const OUT: u32 = SOCK_NOTIFY_EVENT_OUT;
const HANGUP: u32 = SOCK_NOTIFY_EVENT_HANGUP;
const ERR: u32 = SOCK_NOTIFY_EVENT_ERR;
const REMOVE: u32 = SOCK_NOTIFY_EVENT_REMOVE;

/// The bits of a notice's word: the events that its packet will show, and these.
const EVENTS: u32 = 0xff;
/// Its packet is in the port's queue.
const QUEUED: u32 = 1 << 8;
/// What happens is told.
pub const ENABLED: u32 = 1 << 9;
/// Enabled for one packet.
pub const ONE_SHOT: u32 = 1 << 10;
/// Told again as long as it holds.
const LEVEL: u32 = 1 << 11;
/// The program has taken the last packet.
const GONE: u32 = 1 << 12;

/// One registration of a socket with a port.
pub struct Notice {
    port: Arc<Port>,
    key: usize,
    /// The handle under which the socket came into the table.
    socket: SOCKET,
    word: AtomicU32,
}

/// A socket's end of its registration.
pub struct Registered {
    notice: Arc<Notice>,
    /// The events that the program wants.
    filter: u32,
    /// The events that held when last looked at: of an edge only what was not there is told.
    held: u32,
}

impl Notice {
    pub fn new(port: &Arc<Port>, key: usize, socket: SOCKET) -> Arc<Notice> {
        Arc::new(Notice { port: port.clone(), key, socket, word: AtomicU32::new(0) })
    }

    fn has(&self, bits: u32) -> bool {
        self.word.load(Ordering::Acquire) & bits != 0
    }

    /// Replaces how it tells, and leaves what it has to tell.
    pub fn set_mode(&self, mode: u32) {
        let change = |word| Some(word & (EVENTS | QUEUED) | mode);
        let _ = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, change);
    }

    /// Something has happened. Called under the socket's lock.
    pub fn tell(self: &Arc<Notice>, events: u32) {
        let add = |word: u32| (word & ENABLED != 0).then_some(word | events | QUEUED);
        let told = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        if told.is_ok_and(|before| before & QUEUED == 0) {
            self.port.post_notice(self.clone());
        }
    }

    /// The last thing that it tells. Called under the socket's lock.
    fn remove(self: &Arc<Notice>) {
        let last = |word: u32| Some(word & !(ENABLED | LEVEL) | REMOVE | QUEUED);
        let before = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, last);
        if before.is_ok_and(|before| before & QUEUED == 0) {
            self.port.post_notice(self.clone());
        }
    }

    /// Nothing waits for the program, and nothing will.
    fn is_gone(&self) -> bool {
        self.has(GONE) || self.port.is_closed()
    }

    /// The packet leaves the queue: what has happened since it entered it. Called under the port's
    /// lock.
    pub fn deliver(&self) -> Packet {
        let take = |word: u32| {
            let mut left = word & !(EVENTS | QUEUED);
            if word & ONE_SHOT != 0 {
                left &= !ENABLED;
            }
            if word & REMOVE != 0 {
                left |= GONE;
            }
            Some(left)
        };
        let word = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        let bytes = word.unwrap_or_default() & EVENTS;
        Packet { key: self.key, overlapped: std::ptr::null_mut(), bytes, status: STATUS_SUCCESS }
    }

    /// Whether what holds shall be told once more when its packet has been taken.
    pub fn repeats(&self) -> bool {
        let word = self.word.load(Ordering::Acquire);
        word & (ENABLED | LEVEL) == ENABLED | LEVEL
    }

    /// Tells once more what holds. Called without locks.
    pub fn repeat(self: &Arc<Notice>) {
        let Some(socket) = TABLE.live(self.socket).and_then(SocketRef::of) else { return };
        let mut state = socket.lock();
        let is_ours = |registered: &Registered| Arc::ptr_eq(&registered.notice, self);
        if state.registration().is_some_and(|registered| is_ours(registered)) {
            socket.tell_level(&mut state);
        }
    }
}

/// What holds, as WSAPoll shows it; that the peer sends no more can be received, too.
fn events_of(level: &Level) -> u32 {
    let bits = |holds, bits| if holds { bits } else { 0 };
    bits(level.input || level.ended, IN)
        | bits(level.room || level.failed, OUT)
        | bits(level.ended || level.reset || level.failed, HANGUP)
        | bits(level.reset || level.failed, ERR)
}

/// How a registration tells, from its trigger flags. `None` if they make no sense.
fn mode_of(trigger: u32) -> Option<u32> {
    let either = |one, other| match trigger & (one | other) {
        both if both == one | other => None,
        some => Some(some),
    };
    let often = either(SOCK_NOTIFY_TRIGGER_ONESHOT, SOCK_NOTIFY_TRIGGER_PERSISTENT)?;
    let when = either(SOCK_NOTIFY_TRIGGER_LEVEL, SOCK_NOTIFY_TRIGGER_EDGE)?;
    if when == 0 || trigger != often | when {
        return None;
    }
    let one_shot = if often == SOCK_NOTIFY_TRIGGER_ONESHOT { ONE_SHOT } else { 0 };
    let level = if when == SOCK_NOTIFY_TRIGGER_LEVEL { LEVEL } else { 0 };
    Some(ENABLED | one_shot | level)
}

impl Registered {
    /// It is the registration that this port's functions know.
    fn is_at(&self, port: &Arc<Port>) -> bool {
        Arc::ptr_eq(&self.notice.port, port) && !self.notice.is_gone()
    }

    /// Removed, and the program has not heard of it yet.
    fn is_leaving(&self) -> bool {
        self.notice.has(REMOVE)
    }
}

impl Socket {
    /// Carries out one operation on the socket's registration with a port.
    fn register(
        &self,
        port: &Arc<Port>,
        registration: &SOCK_NOTIFY_REGISTRATION,
    ) -> Result<(), Code> {
        let trigger = u32::from(registration.triggerFlags);
        let mut state = self.lock();
        if state.closed {
            return Err(Code::wsa(WSAENOTSOCK));
        }
        match u32::from(registration.operation) {
            SOCK_NOTIFY_OP_NONE => Ok(()),
            SOCK_NOTIFY_OP_ENABLE => {
                let filter = u32::from(registration.eventFilter);
                let mode = mode_of(trigger).filter(|_| filter & !(IN | OUT | HANGUP) == 0);
                let mode = mode.ok_or(Code::wsa(WSAEINVAL))?;
                self.enable(&mut state, port, registration.completionKey.addr(), filter, mode)
            }
            SOCK_NOTIFY_OP_DISABLE => match state.registration() {
                Some(old) if old.is_at(port) && !old.is_leaving() => {
                    old.notice.set_mode(0);
                    Ok(())
                }
                _ => Err(Code(ERROR_NOT_FOUND)),
            },
            SOCK_NOTIFY_OP_REMOVE => match state.registration() {
                Some(old) if old.is_at(port) => {
                    if !old.is_leaving() {
                        old.notice.remove();
                    }
                    Ok(())
                }
                _ => Err(Code(ERROR_NOT_FOUND)),
            },
            _ => Err(Code::wsa(WSAEINVAL)),
        }
    }

    fn enable(
        &self,
        state: &mut State,
        port: &Arc<Port>,
        key: usize,
        filter: u32,
        mode: u32,
    ) -> Result<(), Code> {
        let known = match state.registration() {
            Some(old) if old.notice.is_gone() || old.is_leaving() => false,
            Some(old) if old.is_at(port) => true,
            Some(_) => return Err(Code::wsa(WSAEINVAL)), // It belongs to one port at a time.
            None => false,
        };
        if self.telling_descriptor(state).is_some() {
            self.follow(state)?;
        }
        if !known {
            let notice = Notice::new(port, key, state.handle);
            state.set_registration(Registered { notice, filter, held: 0 });
        }
        state.received_since = false;
        let now = match mode & LEVEL != 0 {
            true => 0,
            false => self.look(state, filter),
        };
        if let Some(registered) = state.registration() {
            (registered.filter, registered.held) = (filter, now);
            registered.notice.set_mode(mode);
        }
        if mode & LEVEL != 0 {
            self.tell_level(state);
        }
        Ok(())
    }

    /// What holds at this moment, as far as it is wanted.
    fn look(&self, state: &mut State, filter: u32) -> u32 {
        let Some(fd) = self.telling_descriptor(state) else {
            return events_of(&self.level(state, 0));
        };
        // The backend will report what changes.
        let may_have_input = state.readable || state.unreachable || state.has_stash();
        let is_drained = !(may_have_input || state.hangup || state.reset);
        match is_drained && filter & OUT == 0 {
            true => 0,
            false => events_of(&self.level(state, sys::shown(fd))),
        }
    }

    /// Tells what holds, if it is to be told.
    pub fn tell_level(&self, state: &mut State) {
        let Some(registered) = state.registration().filter(|old| old.notice.repeats()) else {
            return;
        };
        let wanted = registered.filter | ERR;
        let now = self.look(state, wanted) & wanted;
        if let Some(registered) = state.registration().filter(|_| now != 0) {
            registered.notice.tell(now);
        }
    }

    /// The backend has reported on a socket that is registered. `had_room`: before this report.
    pub fn tell_report(&self, state: &mut State, events: i32, had_room: bool) {
        let tells = |registered: &mut Registered| registered.notice.has(ENABLED);
        if !state.registration().is_some_and(tells) {
            return;
        }
        // What it said may have been received since.
        let is_young = !state.has_received_this_round();
        let bits = match self.telling_descriptor(state) {
            Some(_) if is_young => events as i16,
            Some(fd) => sys::shown(fd),
            None => 0,
        };
        let now = events_of(&self.level(state, bits));
        let received = state.received_since;
        let Some(registered) = state.registration() else { return };
        let mut known = 0;
        if !registered.notice.has(LEVEL) {
            known = std::mem::replace(&mut registered.held, now);
            let over = libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
            if events & (libc::EPOLLIN | over) != 0 && received {
                known &= !IN; // Nothing may have been left.
            }
            if !had_room {
                known &= !OUT;
            }
        }
        let fresh = now & (registered.filter | ERR) & !known;
        if fresh != 0 {
            registered.notice.tell(fresh);
        }
        state.received_since &= fresh & IN == 0;
    }

    /// Something has happened of which the backend does not report.
    pub fn tell_change(&self, state: &mut State) {
        if state.noticed {
            let bits = state.fd.map_or(0, sys::shown);
            self.tell_report(state, bits.into(), true);
        }
    }
}

impl State {
    fn registration(&mut self) -> Option<&mut Registered> {
        self.extra_if_any()?.registered.as_mut()
    }

    fn set_registration(&mut self, registered: Registered) {
        self.extra().registered = Some(registered);
        self.noticed = true;
    }

    /// The socket starts over: nothing holds any more.
    pub fn forget_held(&mut self) {
        if let Some(registered) = self.registration() {
            registered.held = 0;
        }
    }
}

/// Registers sockets with a port, which from then on gets a packet when they can be received from
/// or sent to, or their connection ends; then takes packets from it:
/// [ProcessSocketNotifications][ms] (rules 181 to 185).
///
/// A packet's count of bytes is the mask of what has happened: SOCK_NOTIFY_EVENT_IN, _OUT, _HANGUP,
/// _ERR, _REMOVE. There is one packet for a socket at most, taken here or by
/// GetQueuedCompletionStatus(Ex). Each registration's own result is in `registrationResult`: 0;
/// WSAENOTSOCK; WSAEINVAL for an operation, events or trigger flags that make no sense, or when the
/// socket is registered with another port; ERROR_NOT_FOUND when there is nothing to disable or to
/// remove.
///
/// Returns 0, or WAIT_TIMEOUT when no packet came. Otherwise nothing has been registered: WSAEINVAL
/// for an array that is NULL though its count is not 0, or the other way round;
/// ERROR_INVALID_HANDLE; WSANOTINITIALISED. ERROR_ABANDONED_WAIT_0 when the port is closed
/// meanwhile.
///
/// DIFFERS: an edge is told also when something was received since the last one and not all.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-processsocketnotifications
///
/// # Safety
/// As on Windows: the arrays hold as many elements as is said, and `received` is NULL or a place
/// for a count.
pub unsafe extern "system" fn ProcessSocketNotifications(
    port: HANDLE,
    registration_count: u32,
    registrations: *mut SOCK_NOTIFY_REGISTRATION,
    timeout_ms: u32,
    entry_count: u32,
    entries: *mut OVERLAPPED_ENTRY,
    received: *mut u32,
) -> u32 {
    if !start::started() {
        return WSANOTINITIALISED as u32;
    }
    let wants_none = entry_count == 0;
    if (registration_count == 0) != registrations.is_null()
        || wants_none != entries.is_null()
        || wants_none != received.is_null()
        || wants_none && timeout_ms != 0
    {
        return WSAEINVAL as u32;
    }
    let port = match object::port(port) {
        Ok(port) => port,
        Err(code) => return code.0,
    };
    for at in 0..registration_count as usize {
        // SAFETY: our caller vouches for the array.
        let registration = unsafe { &mut *registrations.add(at) };
        let socket = object::socket(registration.socket);
        let done = socket.and_then(|socket| socket.register(&port, registration));
        registration.registrationResult = done.err().unwrap_or(Code(ERROR_SUCCESS)).0;
    }
    if wants_none {
        return ERROR_SUCCESS;
    }
    // SAFETY: our caller vouches for the room.
    let taken = unsafe { ports::take_entries(&port, entries, entry_count, timeout_ms, FALSE) };
    // SAFETY: our caller vouches for the place.
    unsafe { *received = taken.unwrap_or(0) as u32 };
    match taken {
        Ok(_) => ERROR_SUCCESS,
        Err(Empty::TimedOut) => WAIT_TIMEOUT,
        Err(empty) => {
            let code = ports::code_of(empty);
            error::set_last(code); // A thread that was told to end does so here.
            code.0
        }
    }
}
