//! The ledger of network events: what WSAEventSelect and WSAAsyncSelect tell of.
//!
//! A socket gets its ledger when it is first selected, and keeps it. From then on everything that
//! happens to it is recorded, whether selected or not: by the backend's reports, by connects that
//! succeed or fail, and by the calls that enable an event again and find that its condition still
//! holds. [`Ledger::note`] is the one entry. There the two ways of hearing part: an event object is
//! set, at every occurrence, and WSAEnumNetworkEvents takes what has been recorded; a message is
//! posted once, and again only when a call has enabled the event (rules 82 to 84, 97).
//!
//! The backend's reports are edges, so an arrival needs no question to the kernel. What would need
//! one is whether the condition still holds after a call; that is asked only if the state does not
//! tell: a short receive has drained the socket. Thus "wait, WSAEnumNetworkEvents, recv, send"
//! costs three system calls.
//!
//! All of it is behind the socket's lock. Nothing here runs code of the program: a signal is set,
//! or a message queued.

#[cfg(all(test, not(loom)))]
mod tests;

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::Networking::WinSock::{
    FD_ACCEPT, FD_CLOSE, FD_CONNECT, FD_OOB, FD_READ, FD_WRITE, SOCKET, WSAECONNABORTED,
    WSAENOTSOCK,
};

use crate::backend;
use crate::connect;
use crate::error::{self, Code};
use crate::levels;
use crate::object::{EventRef, WAITS};
use crate::op::Step;
use crate::socket::{Direction, Socket, State};
use crate::sys;
use crate::window;

/// Every event that can be selected. FD_QOS, FD_GROUP_QOS, FD_ROUTING_INTERFACE_CHANGE and
/// FD_ADDRESS_LIST_CHANGE never happen: nobody can ask for them by WSAIoctl either.
pub const ALL_EVENTS: u32 = 0x3ff;

/// What a program has asked to hear about a socket, and how.
#[derive(Clone)]
pub struct Selection {
    pub sink: Sink,
    pub mask: u32,
}

/// Where news goes.
#[derive(Clone)]
pub enum Sink {
    Nowhere,
    /// An event object; held so that closing it early harms nobody.
    Event(EventRef),
    Window(Target),
}

/// A window, and what its messages say.
#[derive(Clone, Copy)]
pub struct Target {
    pub hwnd: HWND,
    pub message: u32,
    pub socket: SOCKET,
}

// SAFETY: an HWND is a name, not memory.
unsafe impl Send for Target {}

/// One socket's network events.
pub struct Ledger {
    selection: Selection,
    /// What has happened and has not been taken by WSAEnumNetworkEvents.
    record: u32,
    /// What has been taken, or posted, and has not been enabled again.
    told: u32,
    /// What came with FD_CONNECT and FD_CLOSE; the others bring no errors.
    connect_error: Code,
    close_error: Code,
    /// A send has found no room: the next report of room is news (rule 85).
    starved: bool,
    /// The backend's round in which it did.
    starved_round: u32,
    /// Registered with the backend, and not reported yet: the first report says what holds, which
    /// may have been seen already.
    fresh: bool,
    /// The last report was not of input alone, and input that came just then is reported twice: so
    /// much was unread.
    doubt: Option<u32>,
}

/// What WSAEnumNetworkEvents takes.
pub struct Taken {
    pub events: u32,
    pub connect_error: Code,
    pub close_error: Code,
}

/// Which event a call enables, by what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Input,
    /// Urgent data, received apart.
    Urgent,
    Room,
}

impl Ledger {
    fn new(selection: Selection) -> Ledger {
        Ledger {
            selection,
            record: 0,
            told: 0,
            connect_error: Code(0),
            close_error: Code(0),
            starved: false,
            starved_round: 0,
            fresh: false,
            doubt: None,
        }
    }

    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Selects anew. Events that were recorded while nobody wanted them are told now (rule 91).
    fn select(&mut self, selection: Selection) {
        self.selection = selection;
        match &self.selection.sink {
            Sink::Event(event) if self.record & self.selection.mask != 0 => {
                event.set(&WAITS);
            }
            Sink::Event(_) | Sink::Nowhere => {}
            // Whatever holds is posted again (rule 98).
            Sink::Window(_) => self.told = 0,
        }
    }

    /// An event has happened, or its condition still holds after a call that enables it.
    fn note(&mut self, event: u32, error: Code) {
        self.record |= event;
        match event {
            FD_CONNECT => self.connect_error = error,
            FD_CLOSE => self.close_error = error,
            _ => {}
        }
        if self.selection.mask & event == 0 {
            return; // It stays recorded, should it be selected later.
        }
        match &self.selection.sink {
            Sink::Event(event) => event.set(&WAITS),
            Sink::Window(target) if self.told & event == 0 => {
                self.record &= !event;
                self.told |= event;
                target.post(event, error);
            }
            // Posted and not enabled since.
            Sink::Window(_) => {}
            Sink::Nowhere => {}
        }
    }

    /// Whether the program has been told, or will be when it asks.
    fn knows(&self, event: u32) -> bool {
        (self.record | self.told) & event != 0
    }

    fn enable(&mut self, event: u32) {
        self.record &= !event;
        self.told &= !event;
    }

    /// Takes what is recorded and selected (rule 94).
    pub fn take(&mut self) -> Taken {
        let events = match self.selection.sink {
            Sink::Event(_) => self.record & self.selection.mask,
            Sink::Window(_) | Sink::Nowhere => 0,
        };
        self.record &= !events;
        self.told |= events;
        Taken { events, connect_error: self.connect_error, close_error: self.close_error }
    }

    /// The socket is as new, but for being selected.
    pub fn start_over(&mut self) {
        *self = Ledger::new(self.selection.clone());
    }

    /// CloseHandle on a socket tells its window, closesocket does not (rule 101).
    pub fn note_handle_closed(&self) {
        if let Sink::Window(target) = &self.selection.sink
            && self.selection.mask & FD_CLOSE != 0
        {
            target.post(FD_CLOSE, Code(0));
        }
    }
}

impl Target {
    /// Queues a message: MAKELONG(event, error) (rule 97). A window that is gone hears nothing.
    fn post(&self, event: u32, error: Code) {
        let lparam = (event | error.0 << 16) as isize;
        window::post(self.hwnd, self.message, self.socket, lparam);
    }
}

impl State {
    /// Notes an event of a socket that has a ledger.
    fn note(&mut self, event: u32, error: Code) {
        if let Some(ledger) = self.ledger() {
            ledger.note(event, error);
        }
    }

    /// A connect has been called: how the last one went is no longer in the way.
    pub fn note_attempt(&mut self) {
        if self.selected
            && let Some(ledger) = self.ledger()
        {
            ledger.enable(FD_CONNECT | FD_WRITE | FD_CLOSE);
        }
    }

    /// A connect of ours has come about. A stream can be sent to from now on (rule 100).
    pub fn note_connected(&mut self, is_stream: bool) {
        if self.selected {
            self.note(FD_CONNECT, Code(0));
        }
        if self.selected && is_stream {
            self.note(FD_WRITE, Code(0));
        }
    }

    /// A connect of ours has failed.
    pub fn note_connect_failed(&mut self) {
        if self.selected {
            self.note(FD_CONNECT, error::wsa_of_errno(self.failure));
        }
    }

    /// The socket has been given a connection that was accepted.
    fn note_accepted(&mut self) {
        self.note(FD_WRITE, Code(0));
    }

    fn knows(&mut self, event: u32) -> bool {
        self.ledger().is_some_and(|ledger| ledger.knows(event))
    }

    /// Whether a receive would find something, if nothing but the kernel knows.
    fn has_input(&mut self, is_stream: bool) -> bool {
        let has_input = match (is_stream && !self.listening, self.fd) {
            (true, Some(fd)) => levels::has_unread(self, sys::shown(fd)), // Not its end (rule 87).
            (false, Some(fd)) => {
                self.has_stash() || self.unreachable || sys::shown(fd) & libc::POLLIN != 0
            }
            (_, None) => false,
        };
        if !has_input {
            self.note_drained();
        }
        has_input
    }
}

impl Socket {
    /// WSAEventSelect and WSAAsyncSelect: replaces what was selected before (rules 81 and 99), and
    /// tells at once of what holds already (rule 90). The socket is non-blocking from now on (rule
    /// 79).
    pub fn select(&self, selection: Selection) -> Result<(), Code> {
        let mut state = self.lock();
        if state.closed {
            return Err(Code::wsa(WSAENOTSOCK));
        }
        state.nonblocking = true;
        if selection.mask == 0 && !state.selected {
            return Ok(());
        }
        let is_new = self.telling_descriptor(&mut state).is_some() && self.follow(&mut state)?;
        let by_message = matches!(selection.sink, Sink::Window(_));
        let first = !state.selected;
        match state.ledger() {
            Some(ledger) => ledger.select(selection),
            None => self.open_ledger(&mut state, selection),
        }
        if let Some(ledger) = state.ledger() {
            ledger.fresh |= is_new;
        }
        self.note_level(&mut state, by_message, first);
        Ok(())
    }

    /// The ledger of a socket that has had a life without one: how its connect went is history, of
    /// which events tell and messages do not (rule 86).
    fn open_ledger(&self, state: &mut State, selection: Selection) {
        let by_message = matches!(selection.sink, Sink::Window(_));
        connect::settle(state);
        state.open_ledger(Ledger::new(selection));
        match (state.connected && state.called, state.connecting, state.failure) {
            _ if by_message => {}
            (true, _, _) => state.note(FD_CONNECT, Code(0)),
            (false, false, failure) if failure != 0 => state.note_connect_failed(),
            (false, _, _) => {} // Nothing has been tried, or it goes on.
        }
    }

    /// Notes what holds and has not been told. A message is posted again in any case (rule 98), and
    /// room is no news to an event's ledger but the first time.
    fn note_level(&self, state: &mut State, by_message: bool, first: bool) {
        let Some(fd) = self.telling_descriptor(state) else { return };
        let level = self.level(state, sys::shown(fd));
        let gone = if level.reset { Code::wsa(WSAECONNABORTED) } else { Code(0) };
        let none = Code(0);
        let input = if state.listening { FD_ACCEPT } else { FD_READ };
        for (event, holds, error) in [
            (input, level.input, none),
            (FD_OOB, level.urgent, none),
            (FD_WRITE, level.room && !level.reset && (first || by_message), none),
            (FD_CLOSE, level.ended || level.reset, gone),
        ] {
            if holds && (by_message || !state.knows(event)) {
                state.note(event, error);
            }
        }
        if level.room
            && let Some(ledger) = state.ledger()
        {
            ledger.starved &= !by_message;
        }
    }

    /// Lets the backend's reports reach ledger and port from now on: a connect has begun, the
    /// socket listens. What cannot be watched has no news, as on Windows when memory is short.
    pub fn follow_if_selected(&self, state: &mut State) {
        if !(state.selected || state.noticed) {
            return;
        }
        let is_new = self.follow(state).unwrap_or(false);
        if let Some(ledger) = state.ledger() {
            ledger.fresh |= is_new;
        }
    }

    /// An accepted connection is on this socket now, by accept or by AcceptEx.
    pub fn join_if_selected(&self, state: &mut State) {
        if state.selected {
            state.note_accepted();
        }
        self.follow_if_selected(state);
    }

    /// An accepted socket hears of the same events in the same way (rule 93).
    pub fn inherit(&self, state: &mut State, mut selection: Selection) {
        if let Sink::Window(target) = &mut selection.sink {
            target.socket = state.handle;
        }
        state.open_ledger(Ledger::new(selection));
        self.join_if_selected(state);
    }

    /// What a report of the backend's means, after operations have taken what is theirs.
    pub fn note_report(&self, state: &mut State, events: i32, had_receives: bool) {
        connect::settle(state); // And notes how that went.
        if !(state.connected || state.listening || !self.form.is_stream()) {
            return; // An unconnected stream shows nothing that Windows would show.
        }
        let over = libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
        let ended = self.form.is_stream() && state.connected && events & over != 0;
        let reset = ended && (state.reset || events & libc::EPOLLERR != 0);
        if !self.form.is_stream()
            && events & libc::EPOLLERR != 0
            && let Some(fd) = state.fd
        {
            crate::transfer::keep_report(state, fd);
        }
        let Some(ledger) = state.ledger() else { return };
        let (fresh, doubt) = (std::mem::take(&mut ledger.fresh), ledger.doubt.take());
        let has_room = events & libc::EPOLLOUT != 0 && ledger.starved;
        let urgent = events & libc::EPOLLPRI != 0;
        let (input, wanted) = match state.listening {
            true => (FD_ACCEPT, events & libc::EPOLLIN != 0),
            false => (FD_READ, events & (libc::EPOLLIN | libc::EPOLLERR) != 0 && !reset),
        };
        // Input that is known may be in the report only because of something else.
        let with_others = fresh || has_room || urgent;
        let is_known = state.knows(input);
        let is_old = is_known && (with_others || ended || is_repeated(state, doubt));
        if wanted && !is_old && state.is_idle(Direction::In) {
            let is_news = state.has_news && !had_receives;
            if is_news || state.readable && state.has_input(self.form.is_stream()) {
                state.note(input, Code(0));
            }
            let countable = self.form.is_stream() && !state.listening;
            let unread = (with_others && countable).then(|| levels::unread(state));
            if let Some(ledger) = state.ledger() {
                ledger.doubt = unread;
            }
        }
        if urgent && !state.knows(FD_OOB) {
            self.note_urgent(state);
        }
        if has_room {
            self.note_room(state);
        }
        // A report that was underway while the socket connected anew tells of the last attempt.
        let is_over = |fd| i32::from(sys::shown(fd)) & over != 0;
        if ended && !state.knows(FD_CLOSE) && state.fd.is_some_and(is_over) {
            // As observed; the page has WSAECONNRESET (rule 89).
            let error = if reset { Code::wsa(WSAECONNABORTED) } else { Code(0) };
            state.note(FD_CLOSE, error);
        }
    }

    fn note_urgent(&self, state: &mut State) {
        let shows_some = |fd| sys::shown(fd) & libc::POLLPRI != 0;
        if state.has_urgent_apart() && state.connected && state.fd.is_some_and(shows_some) {
            state.note(FD_OOB, Code(0));
        }
    }

    /// There is room again, unless that was reported before a send found none.
    fn note_room(&self, state: &mut State) {
        let Some(fd) = state.fd.filter(|_| state.writable && state.is_idle(Direction::Out)) else {
            return;
        };
        let Some(ledger) = state.ledger() else { return };
        let is_news = ledger.starved_round != backend::round();
        if is_news || sys::shown(fd) & libc::POLLOUT != 0 {
            ledger.starved = false;
            ledger.note(FD_WRITE, Code(0));
        }
    }

    /// A call has been made that enables an event, and this has come of it (rules 82, 83 and 85).
    pub fn note_call(&self, state: &mut State, need: Need, step: &Step) {
        let Some(ledger) = state.ledger() else { return };
        match (need, step) {
            (Need::Input, step) => {
                ledger.enable(FD_READ);
                let may_have_more = *step != Step::Wait && state.readable;
                let is_open = state.connected || !self.form.is_stream();
                if may_have_more
                    && is_open
                    && !state.reset
                    && state.has_input(self.form.is_stream())
                {
                    state.note(FD_READ, Code(0));
                }
            }
            (Need::Urgent, _) => {
                ledger.enable(FD_OOB);
                self.note_urgent(state);
            }
            (Need::Room, Step::Wait) => {
                ledger.enable(FD_WRITE);
                (ledger.starved, ledger.starved_round) = (true, backend::round());
            }
            // A send that succeeds changes nothing.
            (Need::Room, Step::Done(..)) => {}
        }
    }

    /// A connection has been accepted, or tried to be (rule 83).
    pub fn note_accept_call(&self, state: &mut State) {
        let Some(ledger) = state.ledger() else { return };
        ledger.enable(FD_ACCEPT);
        if state.listening && state.is_idle(Direction::In) && state.has_input(true) {
            state.note(FD_ACCEPT, Code(0));
        }
    }
}

/// Whether a report of known input is the second one of what was there at the first. (While epoll
/// hands out a socket for another reason, data that arrives is in that report, and raises an edge
/// as well.)
fn is_repeated(state: &State, doubt: Option<u32>) -> bool {
    doubt.is_some_and(|unread| levels::unread(state) <= unread)
}
