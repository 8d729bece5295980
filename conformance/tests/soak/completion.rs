//! The echo servers that are told what is done: by event, by completion routine, by port.

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Foundation::{HANDLE, WAIT_IO_COMPLETION};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::OVERLAPPED;

use crate::{Progress, Run, gone_or_blocked};

const ROOM: usize = 8_192;

/// One client, which has one operation pending at a time. It starts with the OVERLAPPED, by which
/// it is found when that completes.
#[repr(C)]
struct Session {
    overlapped: OVERLAPPED,
    socket: Socket,
    buffer: [u8; ROOM],
    /// What is pending is a send.
    sends: bool,
}

type Routine = Option<unsafe extern "system" fn(u32, u32, *mut OVERLAPPED, u32)>;

impl Session {
    /// Leaked; [`Session::end`] takes it back.
    fn start(socket: Socket, event: HANDLE) -> *mut Session {
        let overlapped = OVERLAPPED { hEvent: event, ..OVERLAPPED::default() };
        Box::into_raw(Box::new(Session { overlapped, socket, buffer: [0; ROOM], sends: false }))
    }

    /// # Safety
    /// `session` came from [`Session::start`], and nothing of it is pending.
    unsafe fn end(session: *mut Session) {
        // SAFETY: as above.
        drop(unsafe { Box::from_raw(session) });
    }

    /// Posts a receive; the client is gone if there can be none.
    ///
    /// # Safety
    /// As for [`Session::end`].
    unsafe fn receive(session: *mut Session, routine: Routine) -> Progress {
        let mut flags = 0;
        // SAFETY: the session is not freed before its operation has ended.
        let rc = unsafe {
            (*session).sends = false;
            let buffer = WSABUF { len: ROOM as u32, buf: (&raw mut (*session).buffer).cast() };
            let (socket, overlapped) = (*(*session).socket, session.cast());
            WSARecv(socket, &buffer, 1, null_mut(), &raw mut flags, overlapped, routine)
        };
        posted(rc)
    }

    /// What has ended was a receive or a send: posts what comes next.
    ///
    /// # Safety
    /// As for [`Session::end`].
    unsafe fn go_on(
        session: *mut Session,
        result: Result<u32, i32>,
        run: &Run,
        routine: Routine,
    ) -> Progress {
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(error) => {
                assert_eq!(gone_or_blocked(error), Progress::Gone);
                return Progress::Gone;
            }
        };
        // SAFETY: passed on from our caller; the session is not freed before its operation has
        // ended.
        unsafe {
            if (*session).sends {
                return Session::receive(session, routine);
            }
            if bytes == 0 {
                return Progress::Gone;
            }
            run.count_bytes(bytes as usize);
            (*session).sends = true;
            let buffer = WSABUF { len: bytes, buf: (&raw mut (*session).buffer).cast() };
            let (socket, overlapped) = (*(*session).socket, session.cast());
            posted(WSASend(socket, &buffer, 1, null_mut(), 0, overlapped, routine))
        }
    }

    /// The result of the operation that has ended.
    ///
    /// # Safety
    /// As for [`Session::end`].
    unsafe fn result(session: *mut Session) -> Result<u32, i32> {
        let (mut bytes, mut flags) = (0, 0);
        // SAFETY: the session is there, and the outputs outlive the call.
        let ok = unsafe {
            let (socket, overlapped) = (*(*session).socket, session.cast());
            WSAGetOverlappedResult(socket, overlapped, &raw mut bytes, 0, &raw mut flags)
        };
        if ok != 0 { Ok(bytes) } else { Err(last_wsa_error()) }
    }
}

/// Success is told of in the same way as what is pending.
fn posted(rc: i32) -> Progress {
    match rc {
        0 => Progress::Blocked,
        _ if last_wsa_error() == WSA_IO_PENDING => Progress::Blocked,
        _ => {
            assert_eq!(gone_or_blocked(last_wsa_error()), Progress::Gone);
            Progress::Gone
        }
    }
}

/// The next client, if there is one.
fn accept_next(listener: &Socket) -> Option<Socket> {
    // SAFETY: no address is asked for.
    let raw = unsafe { accept(**listener, null_mut(), null_mut()) };
    if raw == INVALID_SOCKET {
        assert!(matches!(last_wsa_error(), WSAEWOULDBLOCK | WSAECONNRESET));
        return None;
    }
    let socket = Socket::own(raw);
    assert_eq!(event_deselect(&socket), Ok(())); // Inherited from the listener (rule 93).
    Some(socket)
}

pub fn by_event(listener: &Socket, run: &Run) {
    let listening = ByEvent::of(listener, FD_ACCEPT);
    let mut events: Vec<Event> = Vec::new();
    let mut sessions: Vec<*mut Session> = Vec::new();
    let mut waits_for_room = false;
    while !run.is_over() || !sessions.is_empty() {
        let mut handles = vec![*listening.event];
        handles.extend(events.iter().map(|event| **event));
        let count = handles.len() as u32;
        // SAFETY: `handles` is readable for its length.
        let first = unsafe { WSAWaitForMultipleEvents(count, handles.as_ptr(), 0, 60_000, 0) };
        assert!(first < count, "overlapped-event: {first:#x} of {count}");
        match (first as usize).checked_sub(1) {
            None => waits_for_room |= !listening.news(listener, 0).is_empty(),
            Some(at) => {
                events[at].reset();
                // SAFETY: its event says that its operation has ended.
                unsafe {
                    let result = Session::result(sessions[at]);
                    if Session::go_on(sessions[at], result, run, None) == Progress::Gone {
                        Session::end(sessions.swap_remove(at));
                        events.swap_remove(at);
                    }
                }
            }
        }
        while waits_for_room && events.len() + 1 < WSA_MAXIMUM_WAIT_EVENTS as usize {
            let Some(socket) = accept_next(listener) else {
                waits_for_room = false;
                break;
            };
            run.count_client();
            let event = Event::manual_reset();
            let session = Session::start(socket, *event);
            // SAFETY: it has just been made.
            match unsafe { Session::receive(session, None) } {
                Progress::Blocked => {
                    events.push(event);
                    sessions.push(session);
                }
                // SAFETY: nothing has been posted.
                Progress::Gone => unsafe { Session::end(session) },
            }
        }
    }
}

thread_local! {
    /// The clients of this thread that routines serve.
    static CLIENTS: Cell<usize> = const { Cell::new(0) };
    /// The run of this thread.
    static RUN: RefCell<Option<&'static Run>> = const { RefCell::new(None) };
}

unsafe extern "system" fn completed(error: u32, bytes: u32, at: *mut OVERLAPPED, _flags: u32) {
    let session = at.cast::<Session>();
    let result = if error == 0 { Ok(bytes) } else { Err(error as i32) };
    let run = RUN.with_borrow(|run| run.expect("a run"));
    // SAFETY: the routine is called when the session's operation has ended.
    unsafe {
        if Session::go_on(session, result, run, Some(completed)) == Progress::Gone {
            Session::end(session);
            CLIENTS.set(CLIENTS.get() - 1);
        }
    }
}

pub fn by_routine(listener: &Socket, run: &Run) {
    // SAFETY: routines of this thread run inside this function only, which borrows the run.
    RUN.set(Some(unsafe { &*std::ptr::from_ref(run) }));
    let listening = ByEvent::of(listener, FD_ACCEPT);
    while !run.is_over() || CLIENTS.get() > 0 {
        let event = *listening.event;
        // SAFETY: the one handle is readable.
        let woken = unsafe { WSAWaitForMultipleEvents(1, &event, 0, 60_000, 1) };
        assert!(matches!(woken, 0 | WAIT_IO_COMPLETION), "completion-routine: {woken:#x}");
        if woken == WAIT_IO_COMPLETION || listening.news(listener, 0).is_empty() {
            continue;
        }
        while let Some(socket) = accept_next(listener) {
            run.count_client();
            let session = Session::start(socket, null_mut());
            // SAFETY: it has just been made.
            match unsafe { Session::receive(session, Some(completed)) } {
                Progress::Blocked => CLIENTS.set(CLIENTS.get() + 1),
                // SAFETY: nothing has been posted.
                Progress::Gone => unsafe { Session::end(session) },
            }
        }
    }
    RUN.set(None);
}

/// Two threads, and AcceptEx.
pub fn by_port(listener: &Socket, run: &Run) {
    let port = port();
    associate(listener, &port, ACCEPTS);
    let served = PortServer { port: &port, listener, run, clients: Default::default() };
    served.accept();
    std::thread::scope(|scope| {
        scope.spawn(|| served.work());
        served.work();
    });
    // The accept that waits for the next client, unless that has just come.
    // SAFETY: no memory is passed.
    unsafe { winsock_sys::Win32::System::IO::CancelIoEx(**listener as HANDLE, null_mut()) };
    let mut last = dequeue(*port, SOON);
    while last.key == LEAVE {
        last = dequeue(*port, SOON);
    }
    assert_eq!(last.key, ACCEPTS, "{last:?}");
    // SAFETY: its packet has come.
    drop(unsafe { Box::from_raw(last.overlapped.cast::<Accept>()) });
}

/// The keys of the port.
const ACCEPTS: usize = 1;
const CLIENT: usize = 2;
const LEAVE: usize = 3;

/// An AcceptEx; starts with the OVERLAPPED too.
#[repr(C)]
struct Accept {
    overlapped: OVERLAPPED,
    acceptor: Socket,
    addresses: [u8; 2 * ADDRESS_ROOM as usize],
}

struct PortServer<'a> {
    port: &'a Port,
    listener: &'a Socket,
    run: &'a Run,
    clients: std::sync::atomic::AtomicUsize,
}

impl PortServer<'_> {
    fn accept(&self) {
        let accept = Accept {
            overlapped: OVERLAPPED::default(),
            acceptor: tcp_socket(),
            addresses: [0; 2 * ADDRESS_ROOM as usize],
        };
        let accept = Box::into_raw(Box::new(accept));
        let mut bytes = 0;
        // SAFETY: the record stays where it is until its packet has come.
        let ok = unsafe {
            let (listener, acceptor) = (**self.listener, *(*accept).acceptor);
            let addresses = (&raw mut (*accept).addresses).cast();
            let room = ADDRESS_ROOM;
            AcceptEx(listener, acceptor, addresses, 0, room, room, &raw mut bytes, accept.cast())
        };
        assert!(ok != 0 || last_wsa_error() == WSA_IO_PENDING, "{}", last_wsa_error());
    }

    fn work(&self) {
        use std::sync::atomic::Ordering::SeqCst;

        loop {
            if self.run.is_over() && self.clients.load(SeqCst) == 0 {
                return post_key(self.port, LEAVE);
            }
            let packet = dequeue(**self.port, 60_000);
            match packet.key {
                LEAVE if self.clients.load(SeqCst) == 0 => return post_key(self.port, LEAVE),
                LEAVE => {} // One has come in the last moment.
                ACCEPTS => {
                    // SAFETY: this was its packet.
                    let accept = unsafe { Box::from_raw(packet.overlapped.cast::<Accept>()) };
                    self.accept();
                    // A client may have gone while it waited.
                    if packet.ok {
                        self.welcome(accept.acceptor);
                    }
                }
                CLIENT => {
                    let session = packet.overlapped.cast::<Session>();
                    // SAFETY: this was the packet of the session's operation.
                    unsafe {
                        let result = Session::result(session);
                        if Session::go_on(session, result, self.run, None) == Progress::Gone {
                            Session::end(session);
                            self.clients.fetch_sub(1, SeqCst);
                        }
                    }
                }
                _ => panic!("completion-port: {packet:?}"),
            }
        }
    }

    fn welcome(&self, socket: Socket) {
        self.run.count_client();
        self.clients.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(update_accepted(&socket, self.listener), Ok(()));
        associate(&socket, self.port, CLIENT);
        let session = Session::start(socket, null_mut());
        // SAFETY: it has just been made.
        if unsafe { Session::receive(session, None) } == Progress::Gone {
            // SAFETY: nothing has been posted.
            unsafe { Session::end(session) };
            self.clients.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
}
