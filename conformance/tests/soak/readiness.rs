//! The echo servers that are told what is ready: by `select`, by message, by event object.

use std::collections::HashMap;

use conformance::*;
use winsock_sys::Win32::Foundation::HANDLE;
use winsock_sys::Win32::Networking::WinSock::*;

use crate::{Progress, Run, gone_or_blocked};

/// One client, whose socket does not block.
struct Session {
    socket: Socket,
    /// What has been received and not been sent yet.
    waiting: Vec<u8>,
    /// The most receives in answer to one report; some rely on being told again.
    receives: usize,
}

impl Session {
    fn new(socket: Socket, number: usize) -> Session {
        let receives = if number.is_multiple_of(2) { 1 } else { usize::MAX };
        Session { socket, waiting: Vec::new(), receives }
    }

    /// Sends what waits, then receives and sends in turn.
    fn pump(&mut self, run: &Run) -> Progress {
        let mut received = 0;
        loop {
            if let Err(error) = self.send_waiting() {
                return gone_or_blocked(error);
            }
            if received == self.receives {
                return Progress::Blocked; // There may be more: that is told again.
            }
            match self.receive() {
                Ok(0) => return Progress::Gone,
                Ok(bytes) => run.count_bytes(bytes),
                Err(error) => return gone_or_blocked(error),
            }
            received += 1;
        }
    }

    /// WSAEWOULDBLOCK if not all of it has gone.
    fn send_waiting(&mut self) -> Result<(), i32> {
        while !self.waiting.is_empty() {
            let (bytes, len) = (self.waiting.as_ptr(), self.waiting.len() as i32);
            // SAFETY: what waits is readable for its length.
            match unsafe { send(*self.socket, bytes, len, 0) } {
                SOCKET_ERROR => return Err(last_wsa_error()),
                sent => drop(self.waiting.drain(..sent as usize)),
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<usize, i32> {
        let mut buffer = [0; 8_192];
        // SAFETY: `buffer` is writable for its length.
        match unsafe { recv(*self.socket, buffer.as_mut_ptr(), buffer.len() as i32, 0) } {
            SOCKET_ERROR => Err(last_wsa_error()),
            got => {
                self.waiting.extend_from_slice(&buffer[..got as usize]);
                Ok(got as usize)
            }
        }
    }

    /// What to do about these network events.
    fn hear(&mut self, run: &Run, events: u32) -> Progress {
        if events & FD_CLOSE != 0 {
            // That is told once, whatever there is before it (rule 88).
            self.receives = usize::MAX;
        }
        self.pump(run)
    }
}

/// The next client, if there is one.
fn accept_next(listener: &Socket) -> Option<Socket> {
    // SAFETY: no address is asked for.
    match unsafe { accept(**listener, std::ptr::null_mut(), std::ptr::null_mut()) } {
        INVALID_SOCKET => {
            // A client may have reset its connection while it waited.
            assert!(matches!(last_wsa_error(), WSAEWOULDBLOCK | WSAECONNRESET));
            None
        }
        raw => Some(Socket::own(raw)),
    }
}

pub fn by_select(listener: &Socket, run: &Run) {
    non_blocking(listener, true);
    let mut sessions: HashMap<SOCKET, Session> = HashMap::new();
    while !run.is_over() || !sessions.is_empty() {
        let is_full = |session: &&Session| !session.waiting.is_empty();
        let (full, empty): (Vec<&Session>, Vec<&Session>) = sessions.values().partition(is_full);
        let raw =
            |sessions: Vec<&Session>| sessions.iter().map(|session| *session.socket).collect();
        let (mut reading, writing): (Vec<SOCKET>, Vec<SOCKET>) = (raw(empty), raw(full));
        reading.push(**listener);
        let ready = select_from(&reading, &writing, &[], 60_000).expect("sockets");
        assert_ne!(ready.count, 0, "select: nobody has come");
        for raw in ready.read.into_iter().chain(ready.write) {
            if raw == **listener {
                if let Some(socket) = accept_next(listener) {
                    non_blocking(&socket, true);
                    sessions.insert(*socket, Session::new(socket, run.count_client()));
                }
                continue;
            }
            let session = sessions.get_mut(&raw).expect("a session");
            if session.pump(run) == Progress::Gone {
                sessions.remove(&raw);
            }
        }
    }
}

const EVENTS: u32 = FD_READ | FD_WRITE | FD_CLOSE;

pub fn by_message(listener: &Socket, run: &Run) {
    let window = Window::new();
    let select = |socket: &Socket, mask| {
        assert_eq!(async_select(socket, *window, WM_NEWS, mask), Ok(()));
    };
    select(listener, FD_ACCEPT);
    let mut sessions: HashMap<SOCKET, Session> = HashMap::new();
    while !run.is_over() || !sessions.is_empty() {
        let message = next_message(60_000).expect("async-select: nobody has come");
        if message.message != WM_NEWS {
            dispatch(&message);
            continue;
        }
        let (event, _) = news_of(&message);
        if message.wParam == **listener {
            if let Some(socket) = accept_next(listener) {
                select(&socket, EVENTS);
                sessions.insert(*socket, Session::new(socket, run.count_client()));
            }
            continue;
        }
        // It may be gone, and the message left from then (rule 99). If its handle is another's by
        // now, that one is looked at for nothing.
        let Some(session) = sessions.get_mut(&message.wParam) else { continue };
        if session.hear(run, event) == Progress::Gone {
            sessions.remove(&message.wParam);
        }
    }
}

pub fn by_event(listener: &Socket, run: &Run) {
    let mut watches = vec![ByEvent::of(listener, FD_ACCEPT)];
    // One less than there are events.
    let mut sessions: Vec<Session> = Vec::new();
    let mut waits_for_room = false;
    while !run.is_over() || !sessions.is_empty() {
        let events: Vec<HANDLE> = watches.iter().map(|watch| *watch.event).collect();
        let count = events.len() as u32;
        // SAFETY: `events` is readable for its length.
        let first = unsafe { WSAWaitForMultipleEvents(count, events.as_ptr(), 0, 60_000, 0) };
        assert!(first < count, "event-select: {first:#x} of {count}");
        // Those behind the first get their turn too, from the last on: so nobody moves up unseen.
        for at in (first as usize..watches.len()).rev() {
            let Some(number) = at.checked_sub(1) else {
                waits_for_room |= !watches[0].news(listener, 0).is_empty();
                continue;
            };
            let news = watches[at].news(&sessions[number].socket, 0);
            let events = news.into_iter().fold(0, |events, (event, _)| events | event);
            if events != 0 && sessions[number].hear(run, events) == Progress::Gone {
                drop((watches.swap_remove(at), sessions.swap_remove(number)));
            }
        }
        while waits_for_room && watches.len() < WSA_MAXIMUM_WAIT_EVENTS as usize {
            let Some(socket) = accept_next(listener) else {
                waits_for_room = false;
                break;
            };
            watches.push(ByEvent::of(&socket, EVENTS));
            sessions.push(Session::new(socket, run.count_client()));
        }
    }
}
