//! Sockets: whoever else is at them (the kernel's report, a cancel, a close, the end of the issuing
//! thread), each operation completes once, and what its packet or event says is what has happened.
//!
//! The models call the functions that programs call. The kernel is the real one, on a socket pair;
//! its report is a call of [`crate::socket::on_ready`].

use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::{EPOLLIN, MSG_NOSIGNAL};
use loom::thread::JoinHandle;

use super::{explore_within, join};
use crate::HasOverlappedIoCompleted;
use crate::Win32::Foundation::*;
use crate::Win32::Networking::WinSock::*;
use crate::Win32::System::IO::*;
use crate::Win32::System::Threading::*;
use crate::object;
use crate::socket::{self, Form};
use crate::thread;

const STREAM: Form = Form {
    family: libc::AF_INET,
    kind: libc::SOCK_STREAM,
    protocol: libc::IPPROTO_TCP,
    overlapped: true,
};

/// Runs a program in every order. It has a first thread of its own, since loom's outlives the
/// handle table.
pub(super) fn program(body: impl Fn() + Clone + Send + Sync + 'static) {
    program_within(3, body);
}

pub(super) fn program_within(preemptions: usize, body: impl Fn() + Clone + Send + Sync + 'static) {
    // SAFETY: a WSADATA is plain data.
    assert_eq!(unsafe { WSAStartup(0x202, &mut WSADATA::default()) }, 0);
    explore_within(preemptions, move || spawn(body.clone()).join().unwrap());
}

/// Starts a thread of the program, whose end the library notices.
pub(super) fn spawn<R: 'static>(f: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    loom::thread::spawn(move || {
        let result = f();
        thread::end_current();
        result
    })
}

/// A connected socket and the peer's descriptor.
#[derive(Clone, Copy)]
pub(super) struct Connection {
    pub(super) socket: SOCKET,
    pub(super) peer: RawFd,
}

impl Connection {
    pub(super) fn new() -> Connection {
        let mut ends = [0; 2];
        let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
        // SAFETY: room for two descriptors.
        assert_eq!(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) }, 0);
        let socket = socket::open(STREAM).unwrap();
        object::socket(socket).unwrap().lock().connect_to(ends[0]);
        Connection { socket, peer: ends[1] }
    }

    fn handle(self) -> HANDLE {
        ptr::without_provenance_mut(self.socket)
    }

    /// Ties it to a new port, which serves two threads at a time.
    fn port(self) -> Port {
        // SAFETY: no memory is passed.
        let port = unsafe { CreateIoCompletionPort(self.handle(), ptr::null_mut(), KEY, 2) };
        assert!(!port.is_null());
        Port(port.addr())
    }

    /// Has the peer send, and the kernel report it.
    pub(super) fn arrive(self, bytes: &'static [u8]) -> JoinHandle<()> {
        spawn(move || {
            // SAFETY: pointer and length are those of the bytes.
            // It fails when the socket has been closed already.
            unsafe { libc::send(self.peer, bytes.as_ptr().cast(), bytes.len(), MSG_NOSIGNAL) };
            socket::on_ready(self.socket, EPOLLIN as u32);
        })
    }

    fn cancel(self, lent: Lent) -> JoinHandle<bool> {
        // SAFETY: the OVERLAPPED is only compared.
        spawn(move || unsafe { CancelIoEx(self.handle(), lent.overlapped) } == TRUE)
    }

    pub(super) fn close(self) -> JoinHandle<bool> {
        // SAFETY: no memory is passed.
        spawn(move || unsafe { closesocket(self.socket) } == 0)
    }

    /// Issues a receive of one byte. Whether it has completed already.
    fn recv(self, lent: Lent, routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE) -> Result<bool, i32> {
        let buffer = WSABUF { len: 1, buf: lent.byte };
        let mut flags = 0;
        // SAFETY: byte and OVERLAPPED live until the program's end.
        let result = unsafe {
            let (count, overlapped) = (ptr::null_mut(), lent.overlapped);
            WSARecv(self.socket, &buffer, 1, count, &mut flags, overlapped, routine)
        };
        // SAFETY: no memory is passed.
        match (result, unsafe { WSAGetLastError() }) {
            (0, _) => Ok(true),
            (_, WSA_IO_PENDING) => Ok(false),
            (_, error) => Err(error),
        }
    }

    pub(super) fn end(self) {
        // SAFETY: the descriptor is ours; a socket that is closed already stays so.
        unsafe {
            libc::close(self.peer);
            closesocket(self.socket);
        }
    }
}

const KEY: usize = 77;

/// The memory that an operation borrows.
#[derive(Clone, Copy)]
struct Lent {
    overlapped: *mut OVERLAPPED,
    byte: *mut u8,
}

// SAFETY: it is used as programs use it: by the library until the operation has completed.
unsafe impl Send for Lent {}

impl Lent {
    fn new(event: HANDLE) -> Lent {
        let overlapped = OVERLAPPED { hEvent: event, ..Default::default() };
        Lent { overlapped: Box::into_raw(overlapped.into()), byte: Box::into_raw(b'-'.into()) }
    }

    fn is_complete(self) -> bool {
        // SAFETY: it lives until `take_back`.
        unsafe { HasOverlappedIoCompleted(self.overlapped) }
    }

    fn status(self) -> NTSTATUS {
        // SAFETY: the operation has completed.
        unsafe { (*self.overlapped).Internal as NTSTATUS }
    }

    /// Gives the memory back, and says what came.
    fn take_back(self) -> u8 {
        assert!(self.is_complete());
        // SAFETY: it came from two boxes, and nobody borrows it any more.
        unsafe {
            drop(Box::from_raw(self.overlapped));
            *Box::from_raw(self.byte)
        }
    }

    /// Its receive got a byte or was cut off: with this status.
    fn check(self, status: NTSTATUS, bytes: u32, cut_off: NTSTATUS) {
        assert_eq!(self.status(), status);
        let expected = if status == STATUS_SUCCESS { (1, b'x') } else { (0, b'-') };
        assert!(status == STATUS_SUCCESS || status == cut_off, "{status:#x}");
        assert_eq!((bytes, self.take_back()), expected);
    }
}

/// A completion port's handle.
#[derive(Clone, Copy)]
struct Port(usize);

impl Port {
    /// The next packet: whose it is, its status and its bytes.
    fn fetch(self, timeout_ms: u32) -> Option<(*mut OVERLAPPED, NTSTATUS, u32)> {
        let port = ptr::without_provenance_mut(self.0);
        let mut entry = OVERLAPPED_ENTRY::default();
        let mut count = 0;
        // SAFETY: there is room for one entry.
        let fetched = unsafe {
            GetQueuedCompletionStatusEx(port, &mut entry, 1, &mut count, timeout_ms, FALSE)
        };
        (fetched == TRUE).then(|| {
            assert_eq!((count, entry.lpCompletionKey), (1, KEY));
            (entry.lpOverlapped, entry.Internal as NTSTATUS, entry.dwNumberOfBytesTransferred)
        })
    }

    /// The one packet that there is.
    fn fetch_only(self) -> (*mut OVERLAPPED, NTSTATUS, u32) {
        self.fetch(INFINITE).expect("the port is open")
    }

    fn end(self) {
        assert!(self.fetch(0).is_none());
        // SAFETY: no memory is passed.
        unsafe { CloseHandle(ptr::without_provenance_mut(self.0)) };
    }
}

pub(super) fn event() -> HANDLE {
    // SAFETY: NULL stands for defaults.
    unsafe { CreateEventW(ptr::null(), TRUE, FALSE, ptr::null()) }
}

/// Rule 36: whoever comes first, one packet tells it, and the cancel says whether it did something.
#[test]
fn a_cancel_meets_a_completion() {
    program(|| {
        let connection = Connection::new();
        let port = connection.port();
        let lent = Lent::new(ptr::null_mut());
        assert_eq!(connection.recv(lent, None), Ok(false));
        let kernel = connection.arrive(b"x");
        let canceller = connection.cancel(lent);
        let (overlapped, status, bytes) = port.fetch_only();
        assert_eq!(overlapped, lent.overlapped);
        assert_eq!(canceller.join().unwrap(), status == STATUS_CANCELLED);
        kernel.join().unwrap();
        lent.check(status, bytes, STATUS_CANCELLED);
        port.end();
        connection.end();
    });
}

/// Rules 34 and 142: the packet of a receive tells of the data or of the close.
#[test]
fn a_close_meets_a_completion() {
    program(|| {
        let connection = Connection::new();
        let port = connection.port();
        let lent = Lent::new(ptr::null_mut());
        assert_eq!(connection.recv(lent, None), Ok(false));
        let kernel = connection.arrive(b"x");
        let closer = connection.close();
        let (_, status, bytes) = port.fetch_only();
        lent.check(status, bytes, STATUS_CONNECTION_ABORTED);
        assert!(closer.join().unwrap());
        kernel.join().unwrap();
        port.end();
        connection.end();
    });
}

/// Of two closers and a canceller, one closer succeeds and one of the three ends the operation.
#[test]
fn two_closes_meet_a_cancel() {
    program_within(2, || {
        let connection = Connection::new();
        let port = connection.port();
        let lent = Lent::new(ptr::null_mut());
        assert_eq!(connection.recv(lent, None), Ok(false));
        let closers = [connection.close(), connection.close()];
        let cancelled = connection.cancel(lent).join().unwrap();
        let (_, status, bytes) = port.fetch_only();
        let expected = if cancelled { STATUS_CANCELLED } else { STATUS_CONNECTION_ABORTED };
        lent.check(status, bytes, expected);
        assert_eq!(join(closers).iter().filter(|&&won| won).count(), 1);
        port.end();
        connection.end();
    });
}

/// The same on an event, which a cancel's or a kernel's thread sets while another waits for it.
#[test]
fn an_event_is_set_when_all_has_been_written() {
    program_within(2, || {
        let connection = Connection::new();
        let event = event();
        let lent = Lent::new(event);
        assert_eq!(connection.recv(lent, None), Ok(false));
        let kernel = connection.arrive(b"x");
        let canceller = connection.cancel(lent);
        let (mut bytes, mut flags) = (9, 0);
        // SAFETY: the places and the OVERLAPPED are alive.
        let result = unsafe {
            WSAGetOverlappedResult(connection.socket, lent.overlapped, &mut bytes, TRUE, &mut flags)
        };
        let status = lent.status();
        assert_eq!(result == TRUE, status == STATUS_SUCCESS);
        assert_eq!(canceller.join().unwrap(), status == STATUS_CANCELLED);
        kernel.join().unwrap();
        // SAFETY: no memory is passed.
        unsafe {
            assert_eq!(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
            CloseHandle(event);
        }
        lent.check(status, bytes, STATUS_CANCELLED);
        connection.end();
    });
}

/// A program may close the event of an operation at any time; the operation completes all the same.
#[test]
fn an_event_closed_early_harms_nobody() {
    program(|| {
        let connection = Connection::new();
        let event = event();
        let lent = Lent::new(event);
        assert_eq!(connection.recv(lent, None), Ok(false));
        let kernel = connection.arrive(b"x");
        // SAFETY: no memory is passed.
        unsafe { CloseHandle(event) };
        kernel.join().unwrap();
        lent.check(STATUS_SUCCESS, 1, STATUS_SUCCESS);
        connection.end();
    });
}

static RUNS: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn count_run(_: u32, _: u32, _: *mut OVERLAPPED, _: u32) {
    RUNS.fetch_add(1, Ordering::Relaxed);
}

/// Rule 57: the routine runs once, on this thread, inside the wait.
#[test]
fn a_routine_runs_once() {
    program(|| {
        RUNS.store(0, Ordering::Relaxed);
        let connection = Connection::new();
        let lent = Lent::new(ptr::null_mut());
        assert_eq!(connection.recv(lent, Some(count_run)), Ok(false));
        let kernel = connection.arrive(b"x");
        let canceller = connection.cancel(lent);
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { SleepEx(INFINITE, TRUE) }, WAIT_IO_COMPLETION);
        assert_eq!(RUNS.load(Ordering::Relaxed), 1);
        let status = lent.status();
        assert_eq!(canceller.join().unwrap(), status == STATUS_CANCELLED);
        kernel.join().unwrap();
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { SleepEx(0, TRUE) }, 0);
        lent.check(status, (status == STATUS_SUCCESS).into(), STATUS_CANCELLED);
        connection.end();
    });
}

/// Invariant h, with two reports at once.
#[test]
fn receives_complete_in_posting_order() {
    program(|| {
        let connection = Connection::new();
        let port = connection.port();
        let lent = [Lent::new(ptr::null_mut()), Lent::new(ptr::null_mut())];
        for lent in lent {
            assert_eq!(connection.recv(lent, None), Ok(false));
        }
        let kernel = [connection.arrive(b"x"), connection.arrive(b"x")];
        for lent in lent {
            let (overlapped, status, bytes) = port.fetch_only();
            assert_eq!(overlapped, lent.overlapped);
            lent.check(status, bytes, STATUS_SUCCESS);
        }
        join(kernel);
        port.end();
        connection.end();
    });
}

/// No report is lost on a receive that is just being issued; another closes the socket meanwhile.
#[test]
fn a_receive_is_issued_while_data_arrives() {
    program_within(2, || {
        let connection = Connection::new();
        let port = connection.port();
        let lent = Lent::new(ptr::null_mut());
        let kernel = connection.arrive(b"x");
        let closer = connection.close();
        match connection.recv(lent, None) {
            Ok(_) => {
                let (_, status, bytes) = port.fetch_only();
                lent.check(status, bytes, STATUS_CONNECTION_ABORTED);
            }
            Err(error) => assert_eq!(error, WSAENOTSOCK),
        }
        kernel.join().unwrap();
        assert!(closer.join().unwrap());
        port.end();
        connection.end();
    });
}

/// Rule 48: the end of the issuing thread cancels what it left on an event, unless it is done.
#[test]
fn the_issuers_end_meets_a_completion() {
    program_within(2, || {
        let connection = Connection::new();
        let event = event();
        let lent = Lent::new(event);
        let issuer = spawn(move || assert!(connection.recv(lent, None).is_ok()));
        let kernel = connection.arrive(b"x");
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { WaitForSingleObject(event, INFINITE) }, WAIT_OBJECT_0);
        let status = lent.status();
        lent.check(status, (status == STATUS_SUCCESS).into(), STATUS_CANCELLED);
        issuer.join().unwrap();
        kernel.join().unwrap();
        // SAFETY: no memory is passed.
        unsafe { CloseHandle(event) };
        connection.end();
    });
}
