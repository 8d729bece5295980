//! Section D: ConnectEx, and connects on top of each other.

use std::mem::transmute;
use std::ptr::{null, null_mut};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_CONNECTION_REFUSED, ERROR_INVALID_PARAMETER, ERROR_OPERATION_ABORTED, STATUS_CANCELLED,
    STATUS_PENDING, WAIT_TIMEOUT,
};
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

/// A TCP socket bound to a free port of 127.0.0.1.
fn bound() -> Socket {
    let socket = tcp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    socket
}

fn with_event(data: &[u8]) -> (Op, Event) {
    let event = Event::manual_reset();
    let op = Op::sending(data);
    // SAFETY: no operation uses the OVERLAPPED yet.
    unsafe { (*op.ptr()).hEvent = *event };
    (op, event)
}

/// What a ConnectEx without data says at once.
fn try_connect(socket: &Socket, addr: &Addr) -> Result<u32, i32> {
    let op = Op::new(0);
    let posted = post_connect(socket, addr, &op);
    if posted != Err(WSA_IO_PENDING) {
        // A refused call leaves STATUS_PENDING behind, but nothing is pending.
        op.set_status(0);
    }
    posted
}

/// Connects by ConnectEx and waits for it: the bytes sent, or the WSA error of the completion.
#[track_caller]
fn connect_and_wait(socket: &Socket, addr: &Addr, data: &[u8]) -> Result<u32, i32> {
    let (op, event) = with_event(data);
    let posted = post_connect(socket, addr, &op);
    assert!(matches!(posted, Ok(_) | Err(WSA_IO_PENDING)), "{posted:?}");
    assert!(event.is_set_within(SOON));
    wsa_result(socket, &op, false).map(|(bytes, _)| bytes)
}

/// Plain `connect`, with the WSA error on failure.
fn plain_connect(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { connect(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// A place where a connect stays under way: a listener whose short queue is full.
struct Crowded {
    addr: Addr,
    _listener: Socket,
    _queue: Vec<Socket>,
}

impl Crowded {
    fn new() -> Crowded {
        let listener = bound();
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { listen(*listener, 1) }, 0);
        let addr = local_addr(*listener);
        let queue = (0..6).map(|_| {
            let socket = tcp_socket();
            non_blocking(&socket, true);
            assert_eq!(plain_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
            socket
        });
        let queue = queue.collect();
        Crowded { addr, _listener: listener, _queue: queue }
    }
}

#[test]
fn r076_an_unbound_socket_is_invalid() {
    let (_listener, addr) = listener();
    assert_eq!(try_connect(&tcp_socket(), &addr), Err(WSAEINVAL));
}

#[test]
fn r076_a_listening_socket_is_invalid() {
    let (other, _) = listener();
    let (_listener, addr) = listener();
    assert_eq!(try_connect(&other, &addr), Err(WSAEINVAL));
}

#[test]
fn r076_a_connected_socket_is_connected() {
    let (_listener, addr) = listener();
    let (a, _b) = tcp_pair();
    assert_eq!(try_connect(&a, &addr), Err(WSAEISCONN));
    let by_connect_ex = bound();
    assert_eq!(connect_and_wait(&by_connect_ex, &addr, b""), Ok(0));
    assert_eq!(try_connect(&by_connect_ex, &addr), Err(WSAEISCONN));
}

#[test]
fn r076_a_bad_socket_is_not_a_socket() {
    let (_listener, addr) = listener();
    let bad = Socket::own(0xabcd_ef00);
    assert_eq!(try_connect(&bad, &addr), Err(WSAENOTSOCK));
}

/// `ConnectEx` with every argument as given: the WSA error, 0 for an immediate success.
fn connect_ex(socket: &Socket, addr: &Addr, data: (*const u8, u32), to: *mut OVERLAPPED) -> i32 {
    let pointer = extension_pointer(**socket, WSAID_CONNECTEX).unwrap();
    // SAFETY: the pointer is that of ConnectEx.
    let connect_ex: LPFN_CONNECTEX = unsafe { transmute(pointer) };
    let (start, len) = data;
    // SAFETY: callers keep data and OVERLAPPED until the operation has ended.
    let ok = unsafe {
        let addr_ptr = addr.as_ptr();
        connect_ex.unwrap()(**socket, addr_ptr, addr.len, start.cast(), len, null_mut(), to)
    };
    if ok != 0 { 0 } else { last_wsa_error() }
}

#[test]
fn r076_no_overlapped_is_an_invalid_parameter() {
    let (_listener, addr) = listener();
    let error = connect_ex(&bound(), &addr, (null(), 0), null_mut());
    assert_eq!(error as u32, ERROR_INVALID_PARAMETER);
}

#[test]
fn r076_the_length_of_no_data_is_ignored() {
    if is_wine() {
        return; // it reads the NULL buffer and the process ends
    }
    let (listener, addr) = listener();
    let socket = bound();
    let (op, event) = with_event(b"");
    let error = connect_ex(&socket, &addr, (null(), 55), op.ptr());
    assert!(matches!(error, 0 | WSA_IO_PENDING), "{error}");
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&socket, &op, false), Ok((0, 0)));
    drop(accept_one(&listener));
}

#[test]
fn r076_the_unspecified_address_is_not_available() {
    let (_listener, mut addr) = listener();
    // SAFETY: an IPv4 address was made, and all its fields are plain integers.
    unsafe { (*addr.as_mut_ptr().cast::<SOCKADDR_IN>()).sin_addr.S_un.S_addr = 0 };
    differs_on_wine(|| assert_eq!(try_connect(&bound(), &addr), Err(WSAEADDRNOTAVAIL)));
}

#[test]
fn r076_a_short_address_is_a_fault() {
    let (_listener, mut addr) = listener();
    addr.len = 8;
    differs_on_wine(|| assert_eq!(try_connect(&bound(), &addr), Err(WSAEFAULT)));
}

#[test]
fn r076_an_address_of_another_family_is_not_supported() {
    let (_listener, addr) = listener();
    let six = sockaddr_v6(addr.port());
    differs_on_wine(|| assert_eq!(try_connect(&bound(), &six), Err(WSAEAFNOSUPPORT)));
}

#[test]
fn r076_it_connects_without_data() {
    let (listener, addr) = listener();
    let socket = bound();
    assert_eq!(connect_and_wait(&socket, &addr, b""), Ok(0));
    let peer = accept_one(&listener);
    send_all(&socket, b"there");
    assert_eq!(recv_exactly(&peer, 5), b"there");
    send_all(&peer, b"and back");
    assert_eq!(recv_exactly(&socket, 8), b"and back");
}

#[test]
fn r076_the_bytes_are_those_of_the_data_sent_with_it() {
    let (listener, addr) = listener();
    let socket = bound();
    assert_eq!(connect_and_wait(&socket, &addr, b"first words"), Ok(11));
    assert_eq!(recv_exactly(&accept_one(&listener), 11), b"first words");
}

#[test]
fn r076_a_port_hears_of_the_connect_with_its_bytes() {
    let (listener, addr) = listener();
    let (socket, port) = (bound(), port());
    associate(&socket, &port, 8);
    let op = Op::sending(b"hello");
    assert_eq!(post_connect(&socket, &addr, &op), Err(WSA_IO_PENDING));
    let packet = dequeue(*port, SOON);
    assert!(packet.ok, "{packet:?}");
    assert_eq!((packet.key, packet.overlapped, packet.bytes), (8, op.ptr(), 5));
    assert_eq!(recv_exactly(&accept_one(&listener), 5), b"hello");
    assert_eq!(dequeue(*port, NEVER).error, WAIT_TIMEOUT, "one packet for both");
}

/// Up to `len` bytes, until none has come for a second.
fn recv_while_it_comes(socket: &Socket, len: usize) -> Vec<u8> {
    assert_eq!(set_option(**socket, SOL_SOCKET, SO_RCVTIMEO, 1000_u32), Ok(()));
    let mut all = Vec::new();
    while all.len() < len {
        match recv_some(socket) {
            Ok(some) if !some.is_empty() => all.extend(some),
            Ok(_) | Err(_) => break,
        }
    }
    all
}

/// Wine sends what fits at first and leaves the rest.
#[test]
fn r076_much_data_is_all_sent_before_it_completes() {
    const MANY: usize = 20 << 20;
    let (listener, addr) = listener();
    let socket = bound();
    let data = pattern(MANY);
    let (op, event) = with_event(&data);
    assert_eq!(post_connect(&socket, &addr, &op), Err(WSA_IO_PENDING));
    let peer = accept_one(&listener);
    assert!(!event.is_set_within(NEVER), "no short success");
    differs_on_wine(|| {
        assert!(recv_while_it_comes(&peer, MANY) == data, "a byte is out of place");
        assert!(event.is_set_within(SOON));
        assert_eq!(wsa_result(&socket, &op, false), Ok((MANY as u32, 0)));
    });
}

#[test]
fn r076_it_connects_over_ipv6() {
    let (listener, addr) = listener_v6();
    let socket = tcp_socket_v6();
    bind_to(&socket, &sockaddr_v6(0));
    assert_eq!(connect_and_wait(&socket, &addr, b"six"), Ok(3));
    let peer = accept_one(&listener);
    assert_eq!(recv_exactly(&peer, 3), b"six");
    assert_eq!(update_connected(&socket), Ok(()));
    assert_eq!(peer_addr(*socket).unwrap().port(), addr.port());
}

#[test]
fn r076_a_socket_bound_to_any_address_connects() {
    let (listener, addr) = listener();
    let mut any = sockaddr_v4(0);
    // SAFETY: an IPv4 address was made, and all its fields are plain integers.
    unsafe { (*any.as_mut_ptr().cast::<SOCKADDR_IN>()).sin_addr.S_un.S_addr = 0 };
    let socket = tcp_socket();
    bind_to(&socket, &any);
    let port = local_addr(*socket).port();
    assert_ne!(port, 0);
    assert_eq!(connect_and_wait(&socket, &addr, b""), Ok(0));
    let peer = accept_one(&listener);
    assert_eq!(peer_addr(*peer).unwrap().port(), port);
}

#[test]
fn r076_nobody_there_completes_as_refused() {
    let socket = bound();
    let (op, event) = with_event(b"unsent");
    assert_eq!(post_connect(&socket, &nobody(), &op), Err(WSA_IO_PENDING));
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&socket, &op, false), Err(ERROR_CONNECTION_REFUSED));
    assert_eq!(wsa_result(&socket, &op, false), Err(WSAECONNREFUSED));
    assert_eq!(op.bytes(), 0);
}

#[test]
fn r076_after_a_refusal_the_same_socket_may_try_again() {
    let (listener, addr) = listener();
    let socket = bound();
    assert_eq!(connect_and_wait(&socket, &nobody(), b""), Err(WSAECONNREFUSED));
    differs_on_wine(|| {
        assert_eq!(connect_and_wait(&socket, &addr, b"again"), Ok(5));
        assert_eq!(recv_exactly(&accept_one(&listener), 5), b"again");
    });
}

/// Wine updates every connected socket by itself, so it cannot show the state before.
#[test]
fn r076_until_updated_it_has_no_peer_and_cannot_be_shut_down() {
    let (_listener, addr) = listener();
    let socket = bound();
    assert_eq!(connect_and_wait(&socket, &addr, b""), Ok(0));
    differs_on_wine(|| assert_eq!(peer_addr(*socket).map(|addr| addr.port()), Err(WSAENOTCONN)));
    differs_on_wine(|| {
        // SAFETY: no memory is passed.
        let rc = unsafe { shutdown(*socket, SD_SEND) };
        assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAENOTCONN));
    });
}

#[test]
fn r076_the_update_brings_the_peer_and_shutdown() {
    let (listener, addr) = listener();
    let socket = bound();
    assert_eq!(connect_and_wait(&socket, &addr, b""), Ok(0));
    assert_eq!(update_connected(&socket), Ok(()));
    assert_eq!(peer_addr(*socket).unwrap().port(), addr.port());
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { shutdown(*socket, SD_SEND) }, 0);
    assert_eq!(recv_some(&accept_one(&listener)), Ok(vec![]));
}

#[test]
fn r076_connect_time_tells_a_connect_under_way_from_a_connection() {
    let crowded = Crowded::new();
    let socket = bound();
    let (op, event) = with_event(b"");
    assert_eq!(post_connect(&socket, &crowded.addr, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set());
    assert_eq!(option::<u32>(*socket, SOL_SOCKET, SO_CONNECT_TIME), Ok(u32::MAX));
    let (_listener, addr) = listener();
    let other = bound();
    assert_eq!(connect_and_wait(&other, &addr, b""), Ok(0));
    assert!(option::<u32>(*other, SOL_SOCKET, SO_CONNECT_TIME).unwrap() < 60);
}

#[test]
fn r076_a_cancelled_connect_is_aborted() {
    let crowded = Crowded::new();
    let socket = bound();
    let (op, event) = with_event(b"");
    assert_eq!(post_connect(&socket, &crowded.addr, &op), Err(WSA_IO_PENDING));
    assert!(!event.is_set_within(NEVER));
    // SAFETY: the op is alive.
    assert_ne!(unsafe { CancelIoEx(*socket as _, op.ptr()) }, 0);
    assert!(event.is_set_within(SOON));
    assert_eq!(win32_result(&socket, &op, false), Err(ERROR_OPERATION_ABORTED));
}

#[test]
fn r076_closing_the_socket_aborts_the_connect() {
    let crowded = Crowded::new();
    let socket = bound();
    let (op, event) = with_event(b"");
    assert_eq!(post_connect(&socket, &crowded.addr, &op), Err(WSA_IO_PENDING));
    assert_eq!(socket.close(), Ok(()));
    assert!(event.is_set_within(SOON));
    assert_eq!(op.status(), STATUS_CANCELLED);
}

#[test]
fn r077_a_second_connect_of_a_non_blocking_socket_is_already() {
    let crowded = Crowded::new();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(plain_connect(&socket, &crowded.addr), Err(WSAEWOULDBLOCK));
    assert_eq!(plain_connect(&socket, &crowded.addr), Err(WSAEALREADY));
    let (_listener, elsewhere) = listener();
    assert_eq!(plain_connect(&socket, &elsewhere), Err(WSAEALREADY));
}

#[test]
fn r077_a_connect_during_connectex_is_invalid() {
    let crowded = Crowded::new();
    let socket = bound();
    let (op, event) = with_event(b"");
    assert_eq!(post_connect(&socket, &crowded.addr, &op), Err(WSA_IO_PENDING));
    for mode in [false, true] {
        non_blocking(&socket, mode);
        assert_eq!(plain_connect(&socket, &crowded.addr), Err(WSAEINVAL));
    }
    assert!(!event.is_set());
    assert_eq!(op.status(), STATUS_PENDING);
}

#[test]
fn r077_a_connect_after_the_first_succeeded_is_connected() {
    let (listener, addr) = listener();
    let socket = tcp_socket();
    assert_eq!(plain_connect(&socket, &addr), Ok(()));
    assert_eq!(plain_connect(&socket, &addr), Err(WSAEISCONN));
    drop(accept_one(&listener));
}
