//! Section A, rules 9 to 11 and 14: error codes, shutdown, signals and the width of integers.

use std::mem::{offset_of, size_of};
use std::ptr::null;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Foundation::WIN32_ERROR;
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_ENTRY};

/// Not a SOCKET that anybody has.
const NOBODY: SOCKET = 0xdead_bee0;

/// The WSA error behind a call that returned `rc`.
#[track_caller]
fn failure(rc: i32) -> i32 {
    assert_eq!(rc, SOCKET_ERROR);
    last_wsa_error()
}

/// The WSA error of a `connect` that must fail.
#[track_caller]
fn connect_failure(socket: &Socket, addr: &Addr) -> i32 {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    failure(unsafe { connect(**socket, addr.as_ptr(), addr.len) })
}

/// The WSA error of a `send` of one byte that must fail.
#[track_caller]
fn send_failure(socket: &Socket) -> i32 {
    // SAFETY: one byte is readable.
    failure(unsafe { send(**socket, b"x".as_ptr(), 1, 0) })
}

/// A socket bound to an address at which nobody listens, and the address.
fn deaf() -> (Socket, Addr) {
    let socket = tcp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    let addr = local_addr(*socket);
    (socket, addr)
}

#[test]
fn r009_a_closed_or_unknown_socket_is_not_a_socket() {
    init();
    // SAFETY: closesocket takes any value.
    assert_eq!(failure(unsafe { closesocket(NOBODY) }), WSAENOTSOCK);
    // SAFETY: as above.
    assert_eq!(failure(unsafe { closesocket(INVALID_SOCKET) }), WSAENOTSOCK);
    // SAFETY: listen takes any value.
    assert_eq!(failure(unsafe { listen(NOBODY, 1) }), WSAENOTSOCK);
    assert_eq!(option::<i32>(NOBODY, SOL_SOCKET, SO_TYPE), Err(WSAENOTSOCK));
    assert_eq!(peer_addr(NOBODY).err(), Some(WSAENOTSOCK));
}

#[test]
fn r009_nothing_to_receive_would_block() {
    let (a, _b) = tcp_pair();
    non_blocking(&a, true);
    assert_eq!(recv_some(&a), Err(WSAEWOULDBLOCK));
    let (udp, _) = udp_bound();
    non_blocking(&udp, true);
    assert_eq!(recv_some(&udp), Err(WSAEWOULDBLOCK));
}

#[test]
fn r009_a_non_blocking_connect_would_block() {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(connect_failure(&socket, &addr), WSAEWOULDBLOCK);
}

#[test]
fn r009_nobody_listens_is_refused() {
    let (_deaf, addr) = deaf();
    assert_eq!(connect_failure(&tcp_socket(), &addr), WSAECONNREFUSED);
}

/// A socket whose peer has reset the connection, as a receive has already reported.
fn reset_by_peer() -> Socket {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    a
}

#[test]
fn r009_send_after_a_reset_is_a_reset() {
    let a = reset_by_peer();
    assert_eq!(send_failure(&a), WSAECONNRESET);
    assert_eq!(send_failure(&a), WSAECONNRESET);
}

#[test]
fn r009_recv_after_a_reset_is_a_reset() {
    differs_on_wine(|| {
        let (a, b) = tcp_pair();
        b.reset();
        assert_eq!(recv_some(&a), Err(WSAECONNRESET));
    });
}

#[test]
fn r009_connection_state() {
    let (a, _b) = tcp_pair();
    let (_listener, addr) = listener();
    assert_eq!(connect_failure(&a, &addr), WSAEISCONN);
    let fresh = tcp_socket();
    assert_eq!(recv_some(&fresh), Err(WSAENOTCONN));
    assert_eq!(peer_addr(*fresh).err(), Some(WSAENOTCONN));
    // SAFETY: shutdown takes any value.
    assert_eq!(failure(unsafe { shutdown(*fresh, SD_SEND) }), WSAENOTCONN);
}

#[test]
fn r009_send_without_a_connection() {
    differs_on_wine(|| assert_eq!(send_failure(&tcp_socket()), WSAENOTCONN));
}

#[test]
fn r009_addresses() {
    let (taken, addr) = deaf();
    let second = tcp_socket();
    // SAFETY: `addr` is a full socket address of `len` bytes.
    assert_eq!(failure(unsafe { bind(*second, addr.as_ptr(), addr.len) }), WSAEADDRINUSE);
    // SAFETY: as above.
    assert_eq!(failure(unsafe { bind(*taken, addr.as_ptr(), addr.len) }), WSAEINVAL);
    // SAFETY: as above, with one byte too few.
    let short = unsafe { bind(*second, addr.as_ptr(), addr.len - 1) };
    assert_eq!(failure(short), WSAEFAULT);
    // SAFETY: the null pointer is refused, not followed.
    assert_eq!(failure(unsafe { bind(*second, null(), addr.len) }), WSAEFAULT);
}

#[test]
fn r009_broadcast_without_leave_is_denied() {
    let socket = udp_socket();
    let SOCKADDR_IN { sin_family, sin_zero, .. } = SOCKADDR_IN::default();
    let everybody_here = SOCKADDR_IN {
        sin_family: sin_family | AF_INET,
        sin_port: 9_u16.to_be(),
        sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes([127, 255, 255, 255]) } },
        sin_zero,
    };
    let len = size_of::<SOCKADDR_IN>() as i32;
    // SAFETY: the address outlives the call, one byte is readable.
    let rc =
        unsafe { sendto(*socket, b"x".as_ptr(), 1, 0, (&raw const everybody_here).cast(), len) };
    assert_eq!(failure(rc), WSAEACCES);
}

#[test]
fn r009_unknown_kinds() {
    init();
    let refused = |family: u16, kind, protocol| {
        // SAFETY: no memory is passed.
        let raw = unsafe { socket(i32::from(family), kind, protocol) };
        assert_eq!(raw, INVALID_SOCKET);
        last_wsa_error()
    };
    assert_eq!(refused(0xfff, SOCK_STREAM, 0), WSAEAFNOSUPPORT);
    let s = tcp_socket();
    assert_eq!(option::<i32>(*s, SOL_SOCKET, 0x7777), Err(WSAENOPROTOOPT));
    assert_eq!(set_option(*s, SOL_SOCKET, 0x7777, 1_i32), Err(WSAENOPROTOOPT));
    // SAFETY: the null pointer is refused, not followed.
    assert_eq!(failure(unsafe { setsockopt(*s, SOL_SOCKET, SO_KEEPALIVE, null(), 4) }), WSAEFAULT);
}

/// Windows has no such limit to run into.
#[cfg(target_os = "linux")]
#[test]
fn r009_no_descriptor_left() {
    alone("r009_no_descriptor_left", || {
        let limit = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
        // SAFETY: `limit` outlives the call; this process runs nothing but this test.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
        init();
        let mut sockets = Vec::new();
        // Bound, because a socket needs no descriptor before that.
        let error = loop {
            // SAFETY: no memory is passed.
            let raw = unsafe { socket(i32::from(AF_INET), SOCK_STREAM, 0) };
            if raw == INVALID_SOCKET {
                break last_wsa_error();
            }
            let (socket, addr) = (Socket::own(raw), sockaddr_v4(0));
            // SAFETY: `addr` is a full socket address of `len` bytes.
            if unsafe { bind(*socket, addr.as_ptr(), addr.len) } != 0 {
                break last_wsa_error();
            }
            sockets.push(socket);
            assert!(sockets.len() < 64);
        };
        assert_eq!(error, WSAEMFILE);
    });
}

#[test]
fn r010_send_after_a_local_shutdown() {
    let (a, b) = tcp_pair();
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(*a, SD_SEND) }, 0);
    assert_eq!(send_failure(&a), WSAESHUTDOWN);
    assert_eq!(post_send(&a, &Op::sending(b"x")), Err(WSAESHUTDOWN));
    send_all(&b, b"other way");
    assert_eq!(recv_some(&a), Ok(b"other way".to_vec()));
}

#[test]
fn r010_recv_after_a_local_shutdown() {
    let (a, b) = tcp_pair();
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(*a, SD_RECEIVE) }, 0);
    assert_eq!(recv_some(&a), Err(WSAESHUTDOWN));
    assert_eq!(post_recv(&a, &Op::new(8)), Err(WSAESHUTDOWN));
    send_all(&a, b"other way");
    assert_eq!(recv_some(&b), Ok(b"other way".to_vec()));
}

#[test]
fn r010_both_after_a_local_shutdown() {
    let (a, b) = tcp_pair();
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(*a, SD_BOTH) }, 0);
    assert_eq!(send_failure(&a), WSAESHUTDOWN);
    assert_eq!(recv_some(&a), Err(WSAESHUTDOWN));
    assert_eq!(recv_some(&b), Ok(vec![]));
}

#[test]
fn r010_no_signal_comes_of_it() {
    alone("r010_no_signal_comes_of_it", || {
        // Rust programs ignore SIGPIPE; a C program that does not must survive as well.
        #[cfg(target_os = "linux")]
        // SAFETY: this process runs nothing but this test.
        unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL)
        };
        let (a, _b) = tcp_pair();
        // SAFETY: shutdown takes any value.
        assert_eq!(unsafe { shutdown(*a, SD_SEND) }, 0);
        assert_eq!(send_failure(&a), WSAESHUTDOWN);
        let a = reset_by_peer();
        for _ in 0..3 {
            assert_eq!(send_failure(&a), WSAECONNRESET);
            assert_eq!(post_send(&a, &Op::sending(b"x")), Err(WSAECONNRESET));
        }
    });
}

/// Interrupts a thread's system calls: a signal without SA_RESTART.
#[cfg(target_os = "linux")]
mod interruption {
    extern "C" fn ignore(_: libc::c_int) {}

    #[derive(Clone, Copy)]
    pub struct Target(libc::pthread_t);

    pub fn this_thread() -> Target {
        // SAFETY: a zeroed sigaction is valid, and the handler does nothing.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = ignore as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
            Target(libc::pthread_self())
        }
    }

    pub fn interrupt(target: Target) {
        // SAFETY: the caller joins the thread only after its last interruption.
        assert_eq!(unsafe { libc::pthread_kill(target.0, libc::SIGUSR1) }, 0);
    }
}

/// Windows has no signals; the nearest thing to one is an APC.
#[cfg(windows)]
mod interruption {
    use winsock_sys::Win32::Foundation::{DUPLICATE_SAME_ACCESS, DuplicateHandle};
    use winsock_sys::Win32::System::Threading::{
        GetCurrentProcess, GetCurrentThread, QueueUserAPC,
    };

    unsafe extern "system" fn ignore(_: usize) {}

    #[derive(Clone, Copy)]
    pub struct Target(usize);

    pub fn this_thread() -> Target {
        let mut handle = std::ptr::null_mut();
        // SAFETY: `handle` outlives the call; the other handles are constants.
        let rc = unsafe {
            let process = GetCurrentProcess();
            let thread = GetCurrentThread();
            DuplicateHandle(process, thread, process, &mut handle, 0, 0, DUPLICATE_SAME_ACCESS)
        };
        assert_ne!(rc, 0);
        Target(handle as usize)
    }

    pub fn interrupt(target: Target) {
        // SAFETY: the handle is never closed, and the routine does nothing.
        assert_ne!(unsafe { QueueUserAPC(Some(ignore), target.0 as _, 0) }, 0);
    }
}

/// What `call` returns on a thread that is interrupted again and again, until `release`.
fn interrupted<T: Send>(call: impl FnOnce() -> T + Send, release: impl FnOnce()) -> T {
    thread::scope(|scope| {
        let (told, hear) = mpsc::channel();
        let caller = scope.spawn(move || {
            told.send(interruption::this_thread()).expect("somebody listens");
            call()
        });
        let target = hear.recv().expect("the thread tells");
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(10));
            interruption::interrupt(target);
        }
        assert!(!caller.is_finished(), "cut short");
        release();
        caller.join().expect("no panic")
    })
}

#[test]
fn r011_a_blocking_recv_goes_on_after_a_signal() {
    let (a, b) = tcp_pair();
    let got = interrupted(|| recv_some(&a), || send_all(&b, b"late"));
    assert_eq!(got, Ok(b"late".to_vec()));
}

#[test]
fn r011_a_blocking_accept_goes_on_after_a_signal() {
    let (listener, addr) = listener();
    let mut client = None;
    let accepted = interrupted(|| accept_one(&listener), || client = Some(connect_to(&addr)));
    assert!(peer_addr(*accepted).is_ok());
}

#[test]
fn r011_a_wait_goes_on_after_a_signal() {
    let event = Event::manual_reset();
    assert!(interrupted(|| event.is_set_within(SOON), || event.set()));
}

#[test]
fn r011_a_wait_at_a_port_goes_on_after_a_signal() {
    let (port, (a, b)) = (port(), tcp_pair());
    associate(&a, &port, 7);
    let op = Op::new(8);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    let key = interrupted(|| dequeue(*port, SOON).key, || send_all(&b, b"late"));
    assert_eq!((key, op.status()), (7, 0));
}

#[test]
fn r014_counts_and_lengths_have_32_bits() {
    assert_eq!(size_of::<WSABUF>(), 16);
    assert_eq!((offset_of!(WSABUF, len), offset_of!(WSABUF, buf)), (0, 8));
    assert_eq!(size_of::<OVERLAPPED>(), 32);
    assert_eq!(size_of::<OVERLAPPED_ENTRY>(), 32);
    assert_eq!(size_of::<WSADATA>(), 408);
    assert_eq!(size_of::<LINGER>(), 4);
    assert_eq!(size_of::<WIN32_ERROR>(), 4);
}

#[test]
fn r014_fionbio_and_fionread_use_32_bits() {
    let (a, b) = tcp_pair();
    let mut value = [1_u32, 0xdead_beef];
    // SAFETY: the first u32 is what FIONBIO reads.
    assert_eq!(unsafe { ioctlsocket(*a, FIONBIO, value.as_mut_ptr()) }, 0);
    assert_eq!(recv_some(&a), Err(WSAEWOULDBLOCK));
    assert_eq!(value, [1, 0xdead_beef]);
    send_all(&b, b"abc");
    let mut looks = 0..SOON;
    while value[0] != 3 && looks.next().is_some() {
        thread::sleep(Duration::from_millis(1));
        // SAFETY: the first u32 is what FIONREAD writes.
        assert_eq!(unsafe { ioctlsocket(*a, FIONREAD, value.as_mut_ptr()) }, 0);
    }
    assert_eq!(value, [3, 0xdead_beef]);
}
