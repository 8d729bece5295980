//! What the tests share. Everything is on loopback, and no wait is for ever.

#![allow(dead_code, unused_imports, unused_macros)] // No test file uses all of it.

pub mod sets;

use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use winsock::{
    Buffer, Completion, Listener, Operations, OverlappedSet, Port, Result, Routines, TcpSocket,
};

/// What must come has come within this time, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(60);

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

/// A model that completes, whichever it is.
pub trait Served<T, B: Buffer = Vec<u8>>: Operations<T, B> {
    fn take(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>>;

    /// To complete as [`Completion::Post`].
    fn hand_over(&self, token: T);
}

impl<T, B: Buffer> Served<T, B> for Port<T, B> {
    fn take(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        self.wait_one(timeout)
    }

    fn hand_over(&self, token: T) {
        self.post(token);
    }
}

impl<T, B: Buffer> Served<T, B> for OverlappedSet<T, B> {
    fn take(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        self.next(timeout)
    }

    fn hand_over(&self, token: T) {
        assert!(self.poster().post(token).is_ok());
    }
}

impl<T, B: Buffer> Served<T, B> for Routines<T, B> {
    fn take(&self, timeout: Option<Duration>) -> Result<Option<Completion<T, B>>> {
        self.next(timeout)
    }

    fn hand_over(&self, token: T) {
        assert!(self.poster().post(token).is_ok());
    }
}

/// Runs the tests of these names, which take the model, once with each.
macro_rules! for_each_model {
    ($($test:ident)*) => {
        mod port {
            $(#[test]
            fn $test() {
                super::$test(winsock::Port::new().unwrap());
            })*
        }

        mod overlapped_set {
            $(#[test]
            fn $test() {
                super::$test(winsock::OverlappedSet::new().unwrap());
            })*
        }

        mod routines {
            $(#[test]
            fn $test() {
                super::$test(winsock::Routines::new().unwrap());
            })*
        }
    };
}
pub(crate) use for_each_model;

/// The next completion, which must come.
#[track_caller]
pub fn next<T, B: Buffer>(model: &impl Served<T, B>) -> Completion<T, B> {
    model.take(Some(SOON)).expect("the model works").expect("a completion in time")
}

/// That nothing more comes.
#[track_caller]
pub fn silent<T, B: Buffer>(model: &impl Served<T, B>) {
    assert!(model.take(Some(NEVER)).unwrap().is_none(), "nothing more was to complete");
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
