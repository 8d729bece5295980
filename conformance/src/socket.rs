//! Sockets that close themselves, and the usual ways to come by them.

use std::env;
use std::mem::{ManuallyDrop, size_of};
use std::ops::Deref;
use std::ptr::null;
use std::sync::{Once, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use winsock_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, FIONBIO, INVALID_SOCKET, IPPROTO_TCP, IPPROTO_UDP, LINGER, MSG_OOB,
    SO_LINGER, SO_RCVTIMEO, SOCK_DGRAM, SOCK_STREAM, SOCKET, SOL_SOCKET, WSA_FLAG_OVERLAPPED,
    WSADATA, WSAEOPNOTSUPP, WSASocketW, WSAStartup, accept, bind, closesocket, connect, getsockopt,
    ioctlsocket, listen, recv, send, setsockopt,
};

use crate::{Addr, SOON, last_wsa_error, local_addr, sockaddr_v4, sockaddr_v6};

/// Starts Winsock 2.2 once per process and never stops it: tests run side by side.
pub fn init() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let mut data = WSADATA::default();
        // SAFETY: `data` is a WSADATA that outlives the call.
        assert_eq!(unsafe { WSAStartup(0x0202, &raw mut data) }, 0);
        // Back only when that thread runs: what it opens on its way must not get in between a
        // test's closing a handle and looking at the closed one.
        let (tell, started) = mpsc::channel::<()>();
        thread::spawn(move || {
            drop(tell);
            watch();
        });
        assert!(started.recv().is_err());
    });
}

/// Ends a process in which a test hangs: libtest would wait for it for ever. A soak may last as
/// long as it was told to.
fn watch() {
    let soak = env::var("WINSOCK_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    thread::sleep(Duration::from_secs(600 + soak.unwrap_or(0)));
    eprintln!("a test has hung; libtest has named it above");
    std::process::abort();
}

/// A SOCKET, closed when dropped.
#[derive(Debug)]
pub struct Socket(SOCKET);

impl Socket {
    /// Takes charge of what a socket call returned.
    #[track_caller]
    pub fn own(raw: SOCKET) -> Socket {
        assert_ne!(raw, INVALID_SOCKET, "no socket: {}", last_wsa_error());
        Socket(raw)
    }

    /// Closes now; the WSA error if `closesocket` refuses (the socket is then still open).
    pub fn close(self) -> Result<(), i32> {
        let socket = ManuallyDrop::new(self);
        // SAFETY: closesocket takes any value.
        match unsafe { closesocket(socket.0) } {
            0 => Ok(()),
            _ => Err(last_wsa_error()),
        }
    }

    /// Closes at once with a reset (RST) to the peer: SO_LINGER on, zero seconds.
    #[track_caller]
    pub fn reset(self) {
        let abort = LINGER { l_onoff: 1, l_linger: 0 };
        assert_eq!(set_option(self.0, SOL_SOCKET, SO_LINGER, abort), Ok(()));
        assert_eq!(self.close(), Ok(()));
    }

    /// Gives the SOCKET up without closing it.
    pub fn into_raw(self) -> SOCKET {
        ManuallyDrop::new(self).0
    }
}

impl Deref for Socket {
    type Target = SOCKET;

    fn deref(&self) -> &SOCKET {
        &self.0
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // SAFETY: closesocket takes any value; a socket the test closed already is just refused.
        unsafe { closesocket(self.0) };
    }
}

fn overlapped_socket(family: u16, kind: i32, protocol: i32) -> Socket {
    init();
    // SAFETY: no protocol info is passed, so no memory is lent.
    let raw =
        unsafe { WSASocketW(i32::from(family), kind, protocol, null(), 0, WSA_FLAG_OVERLAPPED) };
    Socket::own(raw)
}

/// A fresh overlapped TCP socket over IPv4, neither bound nor connected.
pub fn tcp_socket() -> Socket {
    overlapped_socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
}

/// A fresh overlapped TCP socket over IPv6, neither bound nor connected.
pub fn tcp_socket_v6() -> Socket {
    overlapped_socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP)
}

/// A fresh overlapped UDP socket over IPv4, not bound.
pub fn udp_socket() -> Socket {
    overlapped_socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
}

/// A UDP socket bound to a free port of 127.0.0.1, and its address.
#[track_caller]
pub fn udp_bound() -> (Socket, Addr) {
    let socket = udp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    let addr = local_addr(*socket);
    (socket, addr)
}

/// Binds `socket` to `addr`.
#[track_caller]
pub fn bind_to(socket: &Socket, addr: &Addr) {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    let rc = unsafe { bind(**socket, addr.as_ptr(), addr.len) };
    assert_eq!(rc, 0, "bind: {}", last_wsa_error());
}

#[track_caller]
fn listening(socket: Socket, addr: &Addr) -> (Socket, Addr) {
    bind_to(&socket, addr);
    // SAFETY: listen takes any value.
    let rc = unsafe { listen(*socket, 64) };
    assert_eq!(rc, 0, "listen: {}", last_wsa_error());
    let addr = local_addr(*socket);
    (socket, addr)
}

/// A TCP listener on a free port of 127.0.0.1, and its address.
#[track_caller]
pub fn listener() -> (Socket, Addr) {
    listening(tcp_socket(), &sockaddr_v4(0))
}

/// A TCP listener on a free port of `[::1]`, and its address.
#[track_caller]
pub fn listener_v6() -> (Socket, Addr) {
    listening(tcp_socket_v6(), &sockaddr_v6(0))
}

/// A TCP socket connected to `addr` with plain `connect`.
#[track_caller]
pub fn connect_to(addr: &Addr) -> Socket {
    let socket = overlapped_socket(addr.family(), SOCK_STREAM, IPPROTO_TCP);
    // SAFETY: `addr` is a full socket address of `len` bytes.
    let rc = unsafe { connect(*socket, addr.as_ptr(), addr.len) };
    assert_eq!(rc, 0, "connect: {}", last_wsa_error());
    socket
}

/// The next connection waiting at `listener`, by plain `accept`.
#[track_caller]
pub fn accept_one(listener: &Socket) -> Socket {
    // SAFETY: no address is asked for, so no memory is lent.
    Socket::own(unsafe { accept(**listener, std::ptr::null_mut(), std::ptr::null_mut()) })
}

/// Two connected, blocking, overlapped TCP sockets: the connecting side, the accepted side.
#[track_caller]
pub fn tcp_pair() -> (Socket, Socket) {
    let (listener, addr) = listener();
    let client = connect_to(&addr);
    let server = accept_one(&listener);
    (client, server)
}

/// Sends all of `bytes` with plain `send`.
#[track_caller]
pub fn send_all(socket: &Socket, bytes: &[u8]) {
    // SAFETY: `bytes` is readable for its length.
    let sent = unsafe { send(**socket, bytes.as_ptr(), bytes.len() as i32, 0) };
    assert_eq!(sent, bytes.len() as i32, "send: {}", last_wsa_error());
}

/// Sends `byte` out of band. `false` where there is no such thing: the scripted kernel has none.
#[track_caller]
pub fn send_urgent(socket: &Socket, byte: u8) -> bool {
    // SAFETY: the one byte is readable.
    let sent = unsafe { send(**socket, &raw const byte, 1, MSG_OOB) };
    let scripted = || env::var("WINSOCK_BACKEND").is_ok_and(|backend| backend.starts_with("fake"));
    match sent {
        1 => true,
        _ if last_wsa_error() == WSAEOPNOTSUPP && scripted() => false,
        _ => panic!("send out of band: {}", last_wsa_error()),
    }
}

/// What one plain `recv` into a buffer of 64 KiB returns, or the WSA error.
pub fn recv_some(socket: &Socket) -> Result<Vec<u8>, i32> {
    let mut buffer = vec![0; 65_536];
    // SAFETY: `buffer` is writable for its length.
    let got = unsafe { recv(**socket, buffer.as_mut_ptr(), buffer.len() as i32, 0) };
    let got = usize::try_from(got).map_err(|_| last_wsa_error())?;
    buffer.truncate(got);
    Ok(buffer)
}

/// An address at which nobody listens. A socket keeps it to the end: a port that was given back
/// may be another test's already.
pub fn nobody() -> Addr {
    static DEAF: OnceLock<(Socket, Addr)> = OnceLock::new();
    let deaf = || {
        let socket = tcp_socket();
        bind_to(&socket, &sockaddr_v4(0));
        let addr = local_addr(*socket);
        (socket, addr)
    };
    DEAF.get_or_init(deaf).1
}

/// Receives until `len` bytes are there or the peer has closed. Gives up after [`SOON`] without
/// any, so that a byte that never comes fails a test instead of stopping it.
#[track_caller]
pub fn recv_exactly(socket: &Socket, len: usize) -> Vec<u8> {
    assert_eq!(set_option(**socket, SOL_SOCKET, SO_RCVTIMEO, SOON), Ok(()));
    let mut all = vec![0; len];
    let mut filled = 0;
    while filled < len {
        let rest = &mut all[filled..];
        // SAFETY: `rest` is writable for its length.
        let got = unsafe { recv(**socket, rest.as_mut_ptr(), rest.len() as i32, 0) };
        match got {
            0 => break,
            1.. => filled += got as usize,
            _ => panic!("recv after {filled} of {len} bytes: {}", last_wsa_error()),
        }
    }
    all.truncate(filled);
    all
}

/// `len` bytes in which a byte out of place is seen: noise that repeats after a prime length only,
/// which no buffer size divides.
pub fn pattern(len: usize) -> Vec<u8> {
    const PERIOD: usize = 65_521;
    let mut state = 0x9e37_79b9_u32;
    let block: [u8; PERIOD] = std::array::from_fn(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let mut bytes = block.repeat(len.div_ceil(PERIOD));
    bytes.truncate(len);
    bytes
}

/// Sets (or clears) non-blocking mode with FIONBIO.
#[track_caller]
pub fn non_blocking(socket: &Socket, on: bool) {
    let mut value = u32::from(on);
    // SAFETY: FIONBIO reads one u32.
    let rc = unsafe { ioctlsocket(**socket, FIONBIO, &raw mut value) };
    assert_eq!(rc, 0, "FIONBIO: {}", last_wsa_error());
}

/// Sets a socket option of type `T`; the WSA error on refusal.
pub fn set_option<T: Copy>(socket: SOCKET, level: i32, name: i32, value: T) -> Result<(), i32> {
    let value = (&raw const value).cast();
    // SAFETY: `value` is readable for the size of `T`.
    match unsafe { setsockopt(socket, level, name, value, size_of::<T>() as i32) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// Reads a socket option of type `T`; the WSA error on refusal.
pub fn option<T: Copy + Default>(socket: SOCKET, level: i32, name: i32) -> Result<T, i32> {
    let mut value = T::default();
    let mut len = size_of::<T>() as i32;
    // SAFETY: `value` is writable for the size of `T`; callers pass plain integers and LINGER.
    match unsafe { getsockopt(socket, level, name, (&raw mut value).cast(), &raw mut len) } {
        0 => Ok(value),
        _ => Err(last_wsa_error()),
    }
}
