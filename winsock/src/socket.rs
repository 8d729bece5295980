//! What every socket is underneath: a handle that closes itself, and the port it is tied to.

use std::mem::ManuallyDrop;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::time::Duration;

use winsock_sys::Win32::Foundation::HANDLE;
use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::IO::CancelIoEx;

use crate::address::Address;
use crate::error::{Error, Result, winsock};

/// Starts Winsock once for the process. It is never stopped: the last `WSACleanup` would pull every
/// socket from under its owner (rule 4).
pub(crate) fn start() -> Result<()> {
    static STARTED: OnceLock<i32> = OnceLock::new();
    let code = *STARTED.get_or_init(|| {
        let mut data = ws::WSADATA::default();
        // SAFETY: `data` lives through the call.
        unsafe { ws::WSAStartup(0x0202, &raw mut data) }
    });
    // WSAStartup returns its error itself (rule 2).
    if code == 0 { Ok(()) } else { Err(Error::from_code(code)) }
}

/// An open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    raw: ws::SOCKET,
    /// The number of the port the socket is tied to, 0 for none. A tie lasts as long as the socket
    /// (rule 17), so that a submission needs only look here.
    port: AtomicU32,
    /// What has been done with the socket, as far as a set that it is in has to know.
    marks: AtomicU8,
}

/// A receive or an accept was called, which enables the event again (rule 82).
pub(crate) const ASKED: u8 = 1;
/// A send found no room: that there is room again will be told (rule 85).
pub(crate) const FULL: u8 = 2;
/// It has network events selected, which connections that are accepted inherit (rule 93).
pub(crate) const SELECTED: u8 = 4;
/// A connect is under way.
pub(crate) const CONNECTING: u8 = 8;
/// It is known to be connected.
pub(crate) const CONNECTED: u8 = 16;
/// Receives are lent, and for that it does not block.
const LENDS: u8 = 32;

impl Socket {
    pub fn stream(family: ws::ADDRESS_FAMILY) -> Result<Socket> {
        Socket::open(family, ws::SOCK_STREAM)
    }

    pub fn datagram(family: ws::ADDRESS_FAMILY) -> Result<Socket> {
        Socket::open(family, ws::SOCK_DGRAM)
    }

    fn open(family: ws::ADDRESS_FAMILY, kind: i32) -> Result<Socket> {
        start()?;
        let flags = ws::WSA_FLAG_OVERLAPPED | ws::WSA_FLAG_NO_HANDLE_INHERIT;
        // SAFETY: no protocol information is passed.
        let raw = unsafe { ws::WSASocketW(family.into(), kind, 0, std::ptr::null(), 0, flags) };
        Socket::adopt(raw)
    }

    /// Takes what a call that makes sockets returned.
    pub fn adopt(raw: ws::SOCKET) -> Result<Socket> {
        if raw == ws::INVALID_SOCKET {
            return Err(Error::last());
        }
        Ok(Socket::from_raw(raw))
    }

    /// `raw` is open, the caller's, and tied to no port.
    pub fn from_raw(raw: ws::SOCKET) -> Socket {
        Socket { raw, port: AtomicU32::new(0), marks: AtomicU8::new(0) }
    }

    pub fn raw(&self) -> ws::SOCKET {
        self.raw
    }

    pub fn into_raw(self) -> ws::SOCKET {
        ManuallyDrop::new(self).raw
    }

    /// The number of the port the socket is tied to.
    pub fn port(&self) -> u32 {
        self.port.load(Ordering::Acquire)
    }

    pub fn set_port(&self, number: u32) {
        self.port.store(number, Ordering::Release);
    }

    /// Whether any of these marks is set.
    pub fn has(&self, marks: u8) -> bool {
        self.marks.load(Ordering::Relaxed) & marks != 0
    }

    pub fn mark(&self, marks: u8) {
        if self.marks.load(Ordering::Relaxed) & marks != marks {
            self.marks.fetch_or(marks, Ordering::Relaxed);
        }
    }

    /// Takes these marks away; whether any of them was set.
    pub fn unmark(&self, marks: u8) -> bool {
        self.has(marks) && self.marks.fetch_and(!marks, Ordering::Relaxed) & marks != 0
    }

    pub fn bind(&self, address: SocketAddr) -> Result<()> {
        let address = Address::from(address);
        // SAFETY: pointer and length are those of `address`.
        winsock(unsafe { ws::bind(self.raw, address.as_ptr(), address.len()) }).map(drop)
    }

    pub fn connect(&self, address: SocketAddr) -> Result<()> {
        let address = Address::from(address);
        // SAFETY: pointer and length are those of `address`.
        let result = winsock(unsafe { ws::connect(self.raw, address.as_ptr(), address.len()) });
        match result {
            Ok(_) => self.mark(CONNECTED),
            Err(Error::WOULD_BLOCK) => self.mark(CONNECTING),
            Err(_) => {}
        }
        result.map(drop)
    }

    /// Takes a connection, and its other end's address.
    pub fn accept(&self) -> Result<(Socket, SocketAddr)> {
        self.mark(ASKED);
        let mut peer = Address::empty();
        let (name, len) = (peer.as_mut_ptr(), peer.len_mut());
        // SAFETY: `peer` has room for the address and for its length.
        let socket = Socket::adopt(unsafe { ws::accept(self.raw, name, len) })?;
        socket.mark(CONNECTED);
        if self.has(SELECTED) {
            socket.deselect()?;
        }
        Ok((socket, peer.to_socket_addr()?))
    }

    /// Lets the system tell no set of the socket any more. It stays non-blocking (rule 79).
    ///
    /// [`WSAEventSelect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaeventselect)
    pub fn deselect(&self) -> Result<()> {
        self.unmark(SELECTED);
        // SAFETY: no event is passed.
        winsock(unsafe { ws::WSAEventSelect(self.raw, 0, 0) }).map(drop)
    }

    pub fn local_addr(&self) -> Result<SocketAddr> {
        // SAFETY: `Address` passes room for the address and for its length.
        Address::from_call(|name, len| unsafe { ws::getsockname(self.raw, name, len) })
    }

    pub fn peer_addr(&self) -> Result<SocketAddr> {
        // SAFETY: `Address` passes room for the address and for its length.
        Address::from_call(|name, len| unsafe { ws::getpeername(self.raw, name, len) })
    }

    pub fn set_nonblocking(&self, on: bool) -> Result<()> {
        let mut on = u32::from(on);
        // SAFETY: the argument of FIONBIO is a u_long, which lives through the call.
        winsock(unsafe { ws::ioctlsocket(self.raw, ws::FIONBIO, &mut on) }).map(drop)
    }

    /// Sees to it that calls on it do not wait: what is lent is received by one.
    #[inline]
    pub fn lend(&self) -> Result<()> {
        if !self.has(LENDS) {
            self.set_nonblocking(true)?;
            self.mark(LENDS);
        }
        Ok(())
    }

    pub fn recv(&self, buf: &mut [u8]) -> Result<usize> {
        self.mark(ASKED);
        recv(self.raw, buf)
    }

    pub fn send(&self, buf: &[u8]) -> Result<usize> {
        // SAFETY: pointer and length are those of `buf`.
        let sent = unsafe { ws::send(self.raw, buf.as_ptr(), call_len(buf.len()), 0) };
        self.sent(sent)
    }

    /// What a send has answered.
    pub fn sent(&self, answer: i32) -> Result<usize> {
        match winsock(answer) {
            Err(Error::WOULD_BLOCK) => {
                self.mark(FULL);
                Err(Error::WOULD_BLOCK)
            }
            result => result.map(|sent| sent as usize),
        }
    }

    /// Whether there was something to cancel.
    pub fn cancel(&self) -> bool {
        // SAFETY: no OVERLAPPED is passed; the socket is open.
        unsafe { CancelIoEx(self.raw as HANDLE, std::ptr::null()) != 0 }
    }

    pub fn set_option<T: Copy>(&self, level: i32, name: i32, value: T) -> Result<()> {
        let len = size_of::<T>() as i32;
        // SAFETY: pointer and length are those of `value`.
        winsock(unsafe { ws::setsockopt(self.raw, level, name, (&raw const value).cast(), len) })
            .map(drop)
    }

    pub fn option<T: Copy + Default>(&self, level: i32, name: i32) -> Result<T> {
        let mut value = T::default();
        let mut len = size_of::<T>() as i32;
        // SAFETY: pointer and length are those of `value`.
        winsock(unsafe {
            ws::getsockopt(self.raw, level, name, (&raw mut value).cast(), &raw mut len)
        })?;
        Ok(value)
    }

    pub fn set_flag(&self, level: i32, name: i32, on: bool) -> Result<()> {
        self.set_option(level, name, i32::from(on))
    }

    /// Some options answer with one byte only (TCP_NODELAY on Windows); the others stay zero.
    pub fn flag(&self, level: i32, name: i32) -> Result<bool> {
        Ok(self.option::<i32>(level, name)? != 0)
    }

    /// Sets a time-out in milliseconds; 0 means none.
    pub fn set_timeout(&self, name: i32, timeout: Option<Duration>) -> Result<()> {
        let ms = match timeout {
            Some(Duration::ZERO) => return Err(Error::INVALID),
            Some(timeout) => millis(timeout),
            None => 0,
        };
        self.set_option(ws::SOL_SOCKET, name, ms)
    }

    pub fn timeout(&self, name: i32) -> Result<Option<Duration>> {
        let ms = self.option::<u32>(ws::SOL_SOCKET, name)?;
        Ok((ms != 0).then(|| Duration::from_millis(ms.into())))
    }

    /// Sends `input` to the socket's driver; nothing comes back.
    pub fn ioctl<T: Copy>(&self, code: u32, input: T) -> Result<()> {
        let mut returned = 0;
        // SAFETY: pointer and length are those of `input`; there is no output; the count outlives
        // the call, which is not overlapped.
        winsock(unsafe {
            ws::WSAIoctl(
                self.raw,
                code,
                (&raw const input).cast(),
                size_of::<T>() as u32,
                std::ptr::null_mut(),
                0,
                &raw mut returned,
                std::ptr::null_mut(),
                None,
            )
        })
        .map(drop)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // What is under way completes as aborted; its memory stays where it is until then.
        // SAFETY: the handle is ours and not used afterwards. There is nobody to tell of a failure.
        unsafe { ws::closesocket(self.raw) };
    }
}

/// Receives from a socket of which the handle is all there is.
#[inline]
pub(crate) fn recv(raw: ws::SOCKET, buf: &mut [u8]) -> Result<usize> {
    // SAFETY: pointer and length are those of `buf`.
    let got = unsafe { ws::recv(raw, buf.as_mut_ptr(), call_len(buf.len()), 0) };
    winsock(got).map(|got| got as usize)
}

/// The length of a blocking call's buffer; what is over is left to the next call.
pub(crate) fn call_len(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

/// Milliseconds as Windows counts them, rounded up so that no wait is shorter than asked for.
pub(crate) fn millis(time: Duration) -> u32 {
    let ms = time.as_nanos().div_ceil(1_000_000);
    // The biggest value means "for ever".
    u32::try_from(ms).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

/// The methods that all three kinds of sockets have. Each has its socket in a field `socket`.
macro_rules! common_methods {
    () => {
        /// The address the socket is bound to.
        ///
        /// [`getsockname`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getsockname)
        pub fn local_addr(&self) -> Result<SocketAddr> {
            self.socket.local_addr()
        }

        /// Whether the socket's own methods fail instead of waiting, with
        /// [`Error::WOULD_BLOCK`](crate::Error::WOULD_BLOCK). Operations of a [`Port`](crate::Port)
        /// are not concerned (rule 51).
        ///
        /// [`ioctlsocket`](https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ioctlsocket)
        pub fn set_nonblocking(&self, on: bool) -> Result<()> {
            self.socket.set_nonblocking(on)
        }

        /// Bytes that the system may hold for the program to receive (`SO_RCVBUF`).
        pub fn recv_buffer(&self) -> Result<usize> {
            self.socket.option::<i32>(ws::SOL_SOCKET, ws::SO_RCVBUF).map(|size| size as usize)
        }

        /// Sets [`recv_buffer`](Self::recv_buffer).
        pub fn set_recv_buffer(&self, bytes: usize) -> Result<()> {
            self.socket.set_option(ws::SOL_SOCKET, ws::SO_RCVBUF, call_len(bytes))
        }

        /// Bytes that the system may hold for the network to take (`SO_SNDBUF`).
        pub fn send_buffer(&self) -> Result<usize> {
            self.socket.option::<i32>(ws::SOL_SOCKET, ws::SO_SNDBUF).map(|size| size as usize)
        }

        /// Sets [`send_buffer`](Self::send_buffer).
        pub fn set_send_buffer(&self, bytes: usize) -> Result<()> {
            self.socket.set_option(ws::SOL_SOCKET, ws::SO_SNDBUF, call_len(bytes))
        }

        /// Lets several sockets bind the same address (`SO_REUSEADDR`, with Windows' meaning: the
        /// address is shared, or stolen). A server that restarts does not need it.
        pub fn set_reuse_address(&self, on: bool) -> Result<()> {
            self.socket.set_flag(ws::SOL_SOCKET, ws::SO_REUSEADDR, on)
        }

        /// Keeps others from sharing the address (`SO_EXCLUSIVEADDRUSE`). Before `bind`.
        pub fn set_exclusive_address(&self, on: bool) -> Result<()> {
            self.socket.set_flag(ws::SOL_SOCKET, ws::SO_EXCLUSIVEADDRUSE, on)
        }

        /// Whether an IPv6 socket keeps to IPv6 (`IPV6_V6ONLY`; on unless switched off, and only
        /// before `bind`).
        pub fn set_only_v6(&self, on: bool) -> Result<()> {
            self.socket.set_flag(ws::IPPROTO_IPV6, ws::IPV6_V6ONLY, on)
        }

        /// The error that the system has noted for the socket since this was last asked
        /// (`SO_ERROR`).
        pub fn take_error(&self) -> Result<Option<Error>> {
            let code = self.socket.option::<i32>(ws::SOL_SOCKET, ws::SO_ERROR)?;
            Ok((code != 0).then(|| Error::from_code(code)))
        }

        /// Cancels everything that is under way on the socket; `false` if there was nothing.
        ///
        /// What was cancelled still completes, with [`Error::OPERATION_ABORTED`] unless it was
        /// finished already, and gives its buffer back. One operation alone:
        /// [`Operations::cancel`](crate::Operations::cancel).
        ///
        /// [`CancelIoEx`](https://learn.microsoft.com/windows/win32/fileio/cancelioex-func)
        pub fn cancel(&self) -> bool {
            self.socket.cancel()
        }

        /// The handle, for calls that are not wrapped here. It stays owned by this object.
        ///
        /// Whoever starts an overlapped operation with it, while the socket belongs to a
        /// [`Port`](crate::Port), breaks that port: every packet must be one of its own.
        pub fn raw(&self) -> ws::SOCKET {
            self.socket.raw()
        }

        /// Gives the handle away; nobody closes it now.
        pub fn into_raw(self) -> ws::SOCKET {
            self.socket.into_raw()
        }
    };
}
pub(crate) use common_methods;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_up_and_stay_finite() {
        assert_eq!(millis(Duration::ZERO), 0);
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::from_micros(2001)), 3);
        assert_eq!(millis(Duration::MAX), u32::MAX - 1);
    }
}
