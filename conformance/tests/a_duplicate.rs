//! Section A, rule 7: a second handle of one socket.

use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Foundation::{CloseHandle, DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::Threading::GetCurrentProcess;

/// A second handle of `socket`, of which Winsock is told nothing.
#[track_caller]
fn duplicate(socket: &Socket) -> Socket {
    let mut copy: HANDLE = null_mut();
    // SAFETY: `copy` outlives the call; GetCurrentProcess gives a constant.
    let rc = unsafe {
        let process = GetCurrentProcess();
        let (from, to) = (**socket as HANDLE, &raw mut copy);
        DuplicateHandle(process, from, process, to, 0, 0, DUPLICATE_SAME_ACCESS)
    };
    assert_ne!(rc, 0, "DuplicateHandle: {}", last_error());
    Socket::own(copy as SOCKET)
}

/// Closes a second handle as the handle that it is.
fn close_handle(copy: Socket) {
    // SAFETY: no memory is passed; nobody uses the handle afterwards.
    assert_ne!(unsafe { CloseHandle(copy.into_raw() as HANDLE) }, 0);
}

#[test]
fn r007_a_second_handle_receives() {
    let (a, b) = tcp_pair();
    let copy = duplicate(&a);
    send_all(&b, b"hello");
    assert_eq!(recv_some(&copy), Ok(b"hello".to_vec()));
    let op = Op::new(16);
    assert_eq!(post_recv(&copy, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"again");
    assert_eq!(win32_result(&copy, &op, true), Ok(5));
    close_handle(copy);
    send_all(&b, b"alive");
    assert_eq!(recv_some(&a), Ok(b"alive".to_vec()));
}

#[test]
fn r007_a_second_handle_sends() {
    differs_on_wine(|| {
        let (a, b) = tcp_pair();
        let copy = duplicate(&a);
        send_all(&copy, b"hello");
        assert_eq!(recv_some(&b), Ok(b"hello".to_vec()));
        close_handle(copy);
    });
}

#[test]
fn r007_wsa_get_overlapped_result_does_not_know_a_second_handle() {
    let (a, b) = tcp_pair();
    let copy = duplicate(&a);
    let op = Op::new(16);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    send_all(&b, b"hello");
    assert_eq!(wsa_result(&copy, &op, false), Err(WSAENOTSOCK));
    assert_eq!(wsa_result(&a, &op, true), Ok((5, 0)));
    close_handle(copy);
}
