//! What the tests share. Everything is on loopback, and no wait is for ever.

#![allow(dead_code)] // No test file uses all of it.

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use winsock::{Buffer, Completion, Listener, Port, TcpSocket};

/// What must come has come within this time, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(20);

/// What must not happen is taken not to happen after this time.
pub const NEVER: Duration = Duration::from_millis(100);

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub fn listener() -> (Listener, SocketAddr) {
    let listener = Listener::bind(loopback()).expect("a listener");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// Two ends of a connection.
pub fn pair() -> (TcpSocket, TcpSocket) {
    let (listener, address) = listener();
    let near = TcpSocket::connect(address).expect("connected");
    let (far, peer) = listener.accept().expect("accepted");
    assert_eq!(peer, near.local_addr().unwrap());
    for socket in [&near, &far] {
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
    }
    (near, far)
}

/// The next completion, which must come.
#[track_caller]
pub fn next<T, B: Buffer>(port: &Port<T, B>) -> Completion<T, B> {
    port.wait_one(SOON.into()).expect("the port works").expect("a completion in time")
}

/// That nothing more comes.
#[track_caller]
pub fn silent<T, B: Buffer>(port: &Port<T, B>) {
    assert!(port.wait_one(Some(NEVER)).unwrap().is_none(), "nothing more was to complete");
}

/// Receives exactly that many bytes, blocking.
#[track_caller]
pub fn receive(socket: &TcpSocket, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    std::io::Read::read_exact(&mut &*socket, &mut bytes).expect("all of it");
    bytes
}

/// Counts what is alive of it.
#[derive(Debug, Default)]
pub struct Census(Arc<AtomicUsize>);

impl Census {
    pub fn alive(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    pub fn member(&self) -> Member {
        self.0.fetch_add(1, Ordering::SeqCst);
        Member(self.0.clone())
    }

    /// A buffer that is counted.
    pub fn buffer(&self, bytes: impl Into<Vec<u8>>) -> Counted {
        Counted { bytes: bytes.into(), _member: self.member() }
    }
}

#[derive(Debug)]
pub struct Member(Arc<AtomicUsize>);

impl Drop for Member {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub struct Counted {
    pub bytes: Vec<u8>,
    _member: Member,
}

// SAFETY: that of `Vec<u8>`.
unsafe impl Buffer for Counted {
    fn bytes(&self) -> &[u8] {
        self.bytes.bytes()
    }

    fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        self.bytes.room()
    }

    unsafe fn fill(&mut self, count: usize) {
        // SAFETY: the caller's.
        unsafe { self.bytes.fill(count) };
    }
}
