//! The ledger of network events: whoever else is at the socket (the kernel's report, a receive, a
//! new selection, a close), no event is lost, none is told after the selection has ended, and what
//! is told once stays told.

use std::ptr;

use super::join;
use super::sockets::{Connection, event, program, program_within, spawn};
use crate::Win32::Foundation::*;
use crate::Win32::Networking::WinSock::*;
use crate::Win32::System::Threading::*;

fn select(connection: Connection, event: HANDLE, mask: u32) -> i32 {
    // SAFETY: no memory is passed.
    unsafe { WSAEventSelect(connection.socket, event.addr() as WSAEVENT, mask as i32) }
}

/// What has been recorded; the event is reset.
fn take(connection: Connection, event: HANDLE) -> u32 {
    let mut events = WSANETWORKEVENTS::default();
    // SAFETY: the structure is alive.
    let result =
        unsafe { WSAEnumNetworkEvents(connection.socket, event.addr() as WSAEVENT, &mut events) };
    assert_eq!(result, 0);
    events.lNetworkEvents as u32
}

fn recv_one(connection: Connection) -> Result<u8, WSA_ERROR> {
    let mut byte = 0;
    // SAFETY: there is room for one byte.
    match unsafe { recv(connection.socket, &mut byte, 1, 0) } {
        1 => Ok(byte),
        // SAFETY: no memory is passed.
        _ => Err(unsafe { WSAGetLastError() }),
    }
}

fn is_set(event: HANDLE) -> bool {
    // SAFETY: no memory is passed.
    unsafe { WaitForSingleObject(event, 0) == WAIT_OBJECT_0 }
}

fn end(connection: Connection, event: HANDLE) {
    connection.end();
    // SAFETY: no memory is passed.
    unsafe { CloseHandle(event) };
}

/// Bytes that a program has not received are told of, whether none was there yet when it tried or
/// some are left (rules 82 and 83).
#[test]
fn a_receive_meets_an_arrival() {
    program(|| {
        let connection = Connection::new();
        let event = event();
        assert_eq!(select(connection, event, FD_READ), 0);
        let kernel = connection.arrive(b"xx");
        let received = recv_one(connection);
        assert!(received == Ok(b'x') || received == Err(WSAEWOULDBLOCK), "{received:?}");
        kernel.join().unwrap();
        assert!(is_set(event));
        assert_eq!(take(connection, event), FD_READ);
        assert_eq!(recv_one(connection), Ok(b'x'));
        end(connection, event);
    });
}

/// Taking the record and resetting the event are one step (rule 94): what comes between is told.
#[test]
fn a_taking_meets_an_arrival() {
    program(|| {
        let connection = Connection::new();
        let event = event();
        assert_eq!(select(connection, event, FD_READ), 0);
        let kernel = connection.arrive(b"x");
        let early = take(connection, event);
        kernel.join().unwrap();
        assert_eq!(is_set(event), early == 0);
        let late = take(connection, event);
        assert_eq!((early | late, early & late), (FD_READ, 0));
        end(connection, event);
    });
}

/// A waiter is woken by whichever of two reports comes first, and hears of both.
#[test]
fn two_events_meet_a_wait() {
    program_within(2, || {
        let connection = Connection::new();
        let event = event();
        assert_eq!(select(connection, event, FD_READ | FD_CLOSE), 0);
        // SAFETY: pointer and length are those of the byte.
        unsafe { libc::send(connection.peer, b"x".as_ptr().cast(), 1, libc::MSG_NOSIGNAL) };
        let kernel =
            spawn(move || crate::socket::on_ready(connection.socket, libc::EPOLLIN as u32));
        let closer = spawn(move || {
            // SAFETY: the descriptor is open.
            unsafe { libc::shutdown(connection.peer, libc::SHUT_WR) };
            let events = (libc::EPOLLIN | libc::EPOLLRDHUP) as u32;
            crate::socket::on_ready(connection.socket, events);
        });
        let mut heard = 0;
        while heard != FD_READ | FD_CLOSE {
            // SAFETY: no memory is passed.
            assert_eq!(unsafe { WaitForSingleObject(event, INFINITE) }, WAIT_OBJECT_0);
            heard |= take(connection, event);
        }
        kernel.join().unwrap();
        closer.join().unwrap();
        assert_eq!(take(connection, event) & FD_CLOSE, 0, "once (rule 87)");
        end(connection, event);
    });
}

/// Once a selection has ended, nothing sets its event (rules 81 and 96).
#[test]
fn the_end_of_a_selection_meets_an_arrival() {
    for by_close in [false, true] {
        program(move || {
            let connection = Connection::new();
            let event = event();
            assert_eq!(select(connection, event, FD_READ | FD_CLOSE), 0);
            let kernel = connection.arrive(b"x");
            match by_close {
                // SAFETY: no memory is passed.
                true => assert_eq!(unsafe { closesocket(connection.socket) }, 0),
                false => assert_eq!(select(connection, ptr::null_mut(), 0), 0),
            }
            // SAFETY: no memory is passed.
            unsafe { ResetEvent(event) };
            kernel.join().unwrap();
            assert!(!is_set(event));
            end(connection, event);
        });
    }
}

/// Two selections at once: one wins, and its event hears of what has come (rule 91).
#[test]
fn two_selections_meet_an_arrival() {
    program_within(2, || {
        let connection = Connection::new();
        let events = [event(), event()].map(|event| event.addr());
        let handle = |at: usize| ptr::without_provenance_mut(events[at]);
        let selectors = [0, 1].map(|at: usize| {
            let event = events[at];
            spawn(move || {
                let event = ptr::without_provenance_mut(event);
                assert_eq!(select(connection, event, FD_READ), 0);
            })
        });
        let kernel = connection.arrive(b"x");
        kernel.join().unwrap();
        join(selectors);
        assert!(is_set(handle(0)) || is_set(handle(1)));
        assert_eq!(take(connection, ptr::null_mut()), FD_READ);
        end(connection, handle(0));
        // SAFETY: no memory is passed.
        unsafe { CloseHandle(handle(1)) };
    });
}
