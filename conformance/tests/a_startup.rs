//! Section A, rules 1 to 6 and 8: start-up, clean-up, handles and the last error.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_FAILED};
use winsock_sys::Win32::Networking::WinSock::*;

const fn version(major: u8, minor: u8) -> u16 {
    u16::from_le_bytes([major, minor])
}

/// What a start-up with this version returned and filled in, balanced by a clean-up if need be.
fn start(wanted: u16) -> (i32, WSADATA) {
    let mut data = WSADATA { wVersion: 0xdead, wHighVersion: 0xdead, ..WSADATA::default() };
    // SAFETY: `data` is a WSADATA that outlives the call.
    let error = unsafe { WSAStartup(wanted, &raw mut data) };
    if error == 0 {
        // SAFETY: undoes the start-up above; the one made by `init` remains.
        assert_eq!(unsafe { WSACleanup() }, 0);
    }
    (error, data)
}

#[test]
fn r001_start_up_negotiates_the_version() {
    init();
    for (wanted, given) in [
        (version(1, 0), version(1, 0)),
        (version(1, 1), version(1, 1)),
        (version(1, 2), version(1, 1)),
        (version(1, 255), version(1, 1)),
        (version(2, 0), version(2, 0)),
        (version(2, 1), version(2, 1)),
        (version(2, 2), version(2, 2)),
        (version(2, 3), version(2, 2)),
        (version(3, 0), version(2, 2)),
        (version(255, 255), version(2, 2)),
    ] {
        let (error, data) = start(wanted);
        assert_eq!(error, 0, "{wanted:#06x}");
        assert_eq!(data.wVersion, given, "{wanted:#06x}");
        assert_eq!(data.wHighVersion, version(2, 2), "{wanted:#06x}");
    }
}

#[test]
fn r001_major_version_0_is_refused_and_the_data_filled_all_the_same() {
    init();
    for minor in [0, 9] {
        let (error, data) = start(version(0, minor));
        assert_eq!(error, WSAVERNOTSUPPORTED);
        assert_eq!((data.wVersion, data.wHighVersion), (version(2, 2), version(2, 2)));
    }
}

#[test]
fn r002_start_up_returns_its_error_and_checks_the_version_first() {
    init();
    // SAFETY: a null pointer is refused, not followed.
    let refused = |wanted| unsafe { WSAStartup(wanted, null_mut()) };
    assert_eq!(refused(version(2, 2)), WSAEFAULT);
    assert_eq!(refused(version(1, 1)), WSAEFAULT);
    assert_eq!(refused(version(0, 1)), WSAVERNOTSUPPORTED);
}

#[test]
fn r003_limits_are_told_to_version_1_callers_only() {
    init();
    for (wanted, limits) in [
        (version(1, 0), (32_767, 65_467)),
        (version(1, 1), (32_767, 65_467)),
        (version(2, 0), (0, 0)),
        (version(2, 2), (0, 0)),
    ] {
        let (_, data) = start(wanted);
        assert_eq!((data.iMaxSockets, data.iMaxUdpDg), limits, "{wanted:#06x}");
    }
}

fn start_up() {
    let mut data = WSADATA::default();
    // SAFETY: `data` is a WSADATA that outlives the call.
    assert_eq!(unsafe { WSAStartup(version(2, 2), &raw mut data) }, 0);
}

/// 0, or the WSA error of WSACleanup. For processes that have no other user of Winsock.
fn clean_up() -> i32 {
    // SAFETY: no memory is passed.
    failure(unsafe { WSACleanup() })
}

/// A socket by plain `socket`, or the WSA error.
fn make() -> Result<SOCKET, i32> {
    // SAFETY: no memory is passed.
    match unsafe { socket(i32::from(AF_INET), SOCK_STREAM, IPPROTO_TCP) } {
        INVALID_SOCKET => Err(last_wsa_error()),
        made => Ok(made),
    }
}

/// The WSA error behind a call that returned `rc`, or 0.
fn failure(rc: i32) -> i32 {
    if rc == SOCKET_ERROR { last_wsa_error() } else { 0 }
}

#[test]
fn r004_only_the_last_clean_up_closes_the_sockets() {
    alone("r004_only_the_last_clean_up_closes_the_sockets", || {
        let kind = |raw| option::<i32>(raw, SOL_SOCKET, SO_TYPE);
        start_up();
        start_up();
        let raw = make().expect("started");
        assert_eq!(clean_up(), 0);
        assert_eq!(kind(raw), Ok(SOCK_STREAM), "one start-up is left");
        assert_eq!(clean_up(), 0);
        start_up();
        assert_eq!(kind(raw), Err(WSAENOTSOCK), "the last clean-up closed it");
    });
}

#[test]
fn r004_the_last_clean_up_ends_connections() {
    alone("r004_the_last_clean_up_ends_connections", || {
        let (a, b) = tcp_pair();
        let (a, b) = (a.into_raw(), b.into_raw());
        assert_eq!(clean_up(), 0);
        start_up();
        for raw in [a, b] {
            // SAFETY: closesocket takes any value.
            assert_eq!(failure(unsafe { closesocket(raw) }), WSAENOTSOCK);
        }
    });
}

#[test]
fn r005_no_socket_without_start_up() {
    alone("r005_no_socket_without_start_up", || {
        assert_eq!(make(), Err(WSANOTINITIALISED));
        assert_eq!(clean_up(), WSANOTINITIALISED);
        start_up();
        assert_eq!(clean_up(), 0);
        assert_eq!(make(), Err(WSANOTINITIALISED), "nor after the last clean-up");
        assert_eq!(clean_up(), WSANOTINITIALISED);
    });
}

#[test]
fn r005_calls_without_start_up_say_so_whatever_the_socket() {
    alone("r005_calls_without_start_up_say_so_whatever_the_socket", || {
        differs_on_wine(|| {
            for (name, error) in calls_on(0xdead_bee0) {
                assert_eq!(error, WSANOTINITIALISED, "{name}");
            }
        });
    });
}

/// What each call on the non-socket `raw` fails with.
fn calls_on(raw: SOCKET) -> [(&'static str, i32); 9] {
    let addr = sockaddr_v4(1);
    let mut byte = 0_u8;
    let buffer = WSABUF { len: 1, buf: &raw mut byte };
    let (mut count, mut flags) = (0, 0);
    // SAFETY: every pointer is to a local that outlives its call.
    unsafe {
        [
            ("bind", failure(bind(raw, addr.as_ptr(), addr.len))),
            ("connect", failure(connect(raw, addr.as_ptr(), addr.len))),
            ("listen", failure(listen(raw, 1))),
            ("recv", failure(recv(raw, &raw mut byte, 1, 0))),
            ("send", failure(send(raw, &raw const byte, 1, 0))),
            ("shutdown", failure(shutdown(raw, SD_BOTH))),
            ("ioctlsocket", failure(ioctlsocket(raw, FIONBIO, &raw mut flags))),
            ("WSASend", failure(WSASend(raw, &buffer, 1, &raw mut count, 0, null_mut(), None))),
            ("closesocket", failure(closesocket(raw))),
        ]
    }
}

#[test]
fn r006_socket_is_an_unsigned_handle() {
    assert_eq!(size_of::<SOCKET>(), size_of::<*const c_void>());
    assert_eq!(INVALID_SOCKET, SOCKET::MAX);
    assert_ne!(*tcp_socket(), INVALID_SOCKET);
}

#[test]
fn r006_handle_functions_take_a_socket() {
    // Alone, because the value may go to another test's socket once CloseHandle has freed it.
    alone("r006_handle_functions_take_a_socket", || {
        let (a, b) = tcp_pair();
        let handle = *a as HANDLE;
        assert_ne!(wait(handle, 0), WAIT_FAILED);
        associate(&a, &port(), 0);
        // SAFETY: no memory is passed; the socket is not used again but to see that it is gone.
        assert_ne!(unsafe { CloseHandle(handle) }, 0);
        assert_eq!(recv_some(&b), Ok(vec![]), "the peer sees the end of the connection");
        assert_eq!(recv_some(&a), Err(WSAENOTSOCK));
    });
}

#[test]
fn r008_the_last_error_belongs_to_the_thread() {
    init();
    // Only atomics between the two looks at it: anything else may set the last error on Windows.
    static STAGE: AtomicU32 = AtomicU32::new(0);
    let reach = |stage| {
        while STAGE.load(Ordering::Acquire) != stage {
            thread::yield_now();
        }
    };
    let elsewhere = thread::spawn(move || {
        reach(1);
        // SAFETY: closesocket takes any value.
        let closed = unsafe { closesocket(0xdead_bee0) };
        let error = last_wsa_error();
        STAGE.store(2, Ordering::Release);
        (closed, error)
    });
    // SAFETY: sets a thread-local value.
    unsafe { WSASetLastError(WSAEINTR) };
    STAGE.store(1, Ordering::Release);
    reach(2);
    assert_eq!(last_wsa_error(), WSAEINTR);
    assert_eq!(elsewhere.join().expect("no panic"), (SOCKET_ERROR, WSAENOTSOCK));
}
