//! TCP connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use winsock_sys::Win32::Networking::WinSock as ws;

use crate::error::{Error, Result, winsock};
use crate::listener::Listener;
use crate::socket::{Socket, call_len, common_methods};

/// A TCP socket: a connection, or what becomes one.
///
/// Its own methods block, and it reads and writes like [`std::net::TcpStream`]: that is the
/// thread-per-client model. Operations that do not block are a [`Port`](crate::Port)'s. Both may be
/// used on the same socket, from any thread.
///
/// ```no_run
/// use std::io::{Read, Write};
/// use winsock::TcpSocket;
///
/// let mut socket = TcpSocket::connect("127.0.0.1:5150")?;
/// socket.write_all(b"hello")?;
/// let mut answer = [0; 5];
/// socket.read_exact(&mut answer)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Dropping the socket closes it. The connection ends gracefully, what was sent is still delivered
/// ([`set_linger`](TcpSocket::set_linger) changes that), and operations under way complete as
/// aborted.
#[derive(Debug)]
pub struct TcpSocket {
    pub(crate) socket: Socket,
}

impl TcpSocket {
    /// Connects to the first of `address` that answers, waiting for it.
    ///
    /// [`connect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect)
    pub fn connect(address: impl ToSocketAddrs) -> Result<TcpSocket> {
        first(address, |address| {
            let socket = TcpSocket::for_address(address)?;
            socket.connect_to(address)?;
            Ok(socket)
        })
    }

    /// A socket that is neither bound nor connected, for IPv4.
    pub fn new_v4() -> Result<TcpSocket> {
        Ok(TcpSocket { socket: Socket::stream(ws::AF_INET)? })
    }

    /// A socket that is neither bound nor connected, for IPv6.
    pub fn new_v6() -> Result<TcpSocket> {
        Ok(TcpSocket { socket: Socket::stream(ws::AF_INET6)? })
    }

    /// A socket that is neither bound nor connected, for addresses like this one.
    pub fn for_address(address: SocketAddr) -> Result<TcpSocket> {
        if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
    }

    /// Takes over a socket handle.
    ///
    /// # Safety
    /// `raw` is an open TCP socket made with `WSA_FLAG_OVERLAPPED`, which nobody else closes and
    /// which is not tied to a completion port.
    pub unsafe fn from_raw(raw: ws::SOCKET) -> TcpSocket {
        TcpSocket { socket: Socket::from_raw(raw) }
    }

    /// Binds the socket to an address of this machine; port 0 lets the system choose one.
    ///
    /// [`bind`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-bind)
    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        self.socket.bind(address)
    }

    /// A non-blocking socket that is being connected to `address`. Once it is, a set that has it
    /// tells that it is writable; or that it has failed.
    ///
    /// [`connect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect)
    pub fn start_connect(address: SocketAddr) -> Result<TcpSocket> {
        let socket = TcpSocket::for_address(address)?;
        socket.set_nonblocking(true)?;
        match socket.connect_to(address) {
            Ok(()) | Err(Error::WOULD_BLOCK) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    /// Connects, waiting for it unless the socket is
    /// [non-blocking](TcpSocket::set_nonblocking): then the error is [`Error::WOULD_BLOCK`], and
    /// the connect goes on.
    ///
    /// [`connect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect)
    pub fn connect_to(&self, address: SocketAddr) -> Result<()> {
        self.socket.connect(address)
    }

    /// Makes a bound socket a listener; see [`Listener::bind`].
    pub fn listen(self, backlog: u32) -> Result<Listener> {
        Listener::from_bound(self.socket, backlog)
    }

    /// Receives what has come, waiting for the first byte; 0 at the end of the stream.
    ///
    /// [`recv`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-recv)
    pub fn recv(&self, buf: &mut [u8]) -> Result<usize> {
        self.socket.recv(buf)
    }

    /// Sends, waiting until the system has taken all of `buf` (rule 63).
    ///
    /// [`send`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-send)
    pub fn send(&self, buf: &[u8]) -> Result<usize> {
        self.socket.send(buf)
    }

    /// Ends one or both directions of the connection. After the sending one is ended, the peer
    /// receives the end of the stream.
    ///
    /// [`shutdown`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-shutdown)
    pub fn shutdown(&self, how: Shutdown) -> Result<()> {
        let how = match how {
            Shutdown::Read => ws::SD_RECEIVE,
            Shutdown::Write => ws::SD_SEND,
            Shutdown::Both => ws::SD_BOTH,
        };
        // SAFETY: no memory is passed.
        winsock(unsafe { ws::shutdown(self.socket.raw(), how) }).map(drop)
    }

    /// Whom the socket is connected to.
    pub fn peer_addr(&self) -> Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Whether small sends go out at once (`TCP_NODELAY`).
    pub fn nodelay(&self) -> Result<bool> {
        self.socket.flag(ws::IPPROTO_TCP, ws::TCP_NODELAY)
    }

    /// Sets [`nodelay`](TcpSocket::nodelay).
    pub fn set_nodelay(&self, on: bool) -> Result<()> {
        self.socket.set_flag(ws::IPPROTO_TCP, ws::TCP_NODELAY, on)
    }

    /// Whether an idle connection is probed now and then (`SO_KEEPALIVE`).
    pub fn keepalive(&self) -> Result<bool> {
        self.socket.flag(ws::SOL_SOCKET, ws::SO_KEEPALIVE)
    }

    /// Sets [`keepalive`](TcpSocket::keepalive), with the system's times.
    pub fn set_keepalive(&self, on: bool) -> Result<()> {
        self.socket.set_flag(ws::SOL_SOCKET, ws::SO_KEEPALIVE, on)
    }

    /// Probes the connection after `idle`, then every `interval` until the peer answers
    /// ([`SIO_KEEPALIVE_VALS`](https://learn.microsoft.com/windows/win32/winsock/sio-keepalive-vals)).
    pub fn set_keepalive_times(&self, idle: Duration, interval: Duration) -> Result<()> {
        let times = ws::tcp_keepalive {
            onoff: 1,
            keepalivetime: crate::socket::millis(idle),
            keepaliveinterval: crate::socket::millis(interval),
        };
        self.socket.ioctl(ws::SIO_KEEPALIVE_VALS, times)
    }

    /// How long closing may take to deliver what was sent; `None` is the graceful close in the
    /// background. In whole seconds, at most 65,535.
    pub fn linger(&self) -> Result<Option<Duration>> {
        let linger = self.socket.option::<ws::LINGER>(ws::SOL_SOCKET, ws::SO_LINGER)?;
        Ok((linger.l_onoff != 0).then(|| Duration::from_secs(linger.l_linger.into())))
    }

    /// Sets [`linger`](TcpSocket::linger); zero makes closing reset the connection.
    pub fn set_linger(&self, linger: Option<Duration>) -> Result<()> {
        let seconds = linger.unwrap_or_default().as_secs();
        let linger = ws::LINGER {
            l_onoff: linger.is_some().into(),
            l_linger: u16::try_from(seconds).unwrap_or(u16::MAX),
        };
        self.socket.set_option(ws::SOL_SOCKET, ws::SO_LINGER, linger)
    }

    /// How long a blocking receive waits before it fails with [`Error::TIMED_OUT`]; `None` is for
    /// ever. A port's operations have no time-out (rule 61).
    pub fn read_timeout(&self) -> Result<Option<Duration>> {
        self.socket.timeout(ws::SO_RCVTIMEO)
    }

    /// Sets [`read_timeout`](TcpSocket::read_timeout); it must not be zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_timeout(ws::SO_RCVTIMEO, timeout)
    }

    /// How long a blocking send waits; see [`read_timeout`](TcpSocket::read_timeout).
    pub fn write_timeout(&self) -> Result<Option<Duration>> {
        self.socket.timeout(ws::SO_SNDTIMEO)
    }

    /// Sets [`write_timeout`](TcpSocket::write_timeout); it must not be zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> Result<()> {
        self.socket.set_timeout(ws::SO_SNDTIMEO, timeout)
    }

    common_methods!();
}

impl Read for &TcpSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv(buf)?)
    }
}

impl Write for &TcpSocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(self.send(buf)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // Nothing is held back here.
    }
}

impl Read for TcpSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Write for TcpSocket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

/// Tries the addresses in turn; the last failure counts.
pub(crate) fn first<T>(
    addresses: impl ToSocketAddrs,
    mut attempt: impl FnMut(SocketAddr) -> Result<T>,
) -> Result<T> {
    let addresses = addresses.to_socket_addrs().map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::INVALID,
        _ => Error::from_code(ws::WSAHOST_NOT_FOUND),
    })?;
    let mut failure = Error::from_code(ws::WSAHOST_NOT_FOUND);
    for address in addresses {
        match attempt(address) {
            Ok(done) => return Ok(done),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
