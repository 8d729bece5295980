//! One echo server for both systems, on Windows' names alone: a completion port on one thread.
//!
//! Built for Linux it runs on winsock-sys; built for Windows on Winsock, or on Wine's. It is what
//! the native library is held against Wine with, so it is written as one would write it for
//! Windows: AcceptEx kept posted, packets taken in batches, one operation under way on each
//! connection, which a send follows a receive and a receive a send.

use std::error::Error;
use std::io;
use std::mem;
use std::net::SocketAddrV4;
use std::ptr;

use winsock_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use winsock_sys::Win32::Networking::WinSock::{
    ADDRESS_FAMILY, AF_INET, AcceptEx, IN_ADDR, IN_ADDR_0, INVALID_SOCKET, IPPROTO_TCP,
    LPFN_ACCEPTEX, SIO_GET_EXTENSION_FUNCTION_POINTER, SO_UPDATE_ACCEPT_CONTEXT, SOCK_STREAM,
    SOCKADDR_IN, SOCKET, SOL_SOCKET, TCP_NODELAY, WSA_FLAG_OVERLAPPED, WSA_IO_PENDING, WSABUF,
    WSADATA, WSAGetLastError, WSAID_ACCEPTEX, WSAIoctl, WSARecv, WSASend, WSASocketW, WSAStartup,
    bind, closesocket, getsockname, listen, setsockopt,
};
use winsock_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY,
};
use winsock_sys::Win32::System::Threading::INFINITE;

const BUFFER: usize = 4096;
const BATCH: usize = 64;
const ACCEPTS: usize = 64;
/// winsock2.h's SOMAXCONN: as long a backlog as the system gives.
const BACKLOG: i32 = i32::MAX;
const ADDRESS: usize = size_of::<SOCKADDR_IN>() + 16;

/// The key of a packet says what its OVERLAPPED is the beginning of.
const ACCEPT: usize = 1;
const CONNECTION: usize = 2;

#[repr(C)]
struct Accept {
    overlapped: OVERLAPPED,
    socket: SOCKET,
    addresses: [u8; 2 * ADDRESS],
}

enum Under {
    Receive,
    Send,
}

#[repr(C)]
struct Connection {
    overlapped: OVERLAPPED,
    socket: SOCKET,
    under: Under,
    buffer: [u8; BUFFER],
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let at: SocketAddrV4 = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--bind"), Some(at)) => at.parse()?,
        _ => return Err("usage: sys-echo --bind ADDR".into()),
    };
    // SAFETY: an all-zero WSADATA is valid storage, and it lives through the call.
    let code = unsafe { WSAStartup(0x0202, &mut mem::zeroed::<WSADATA>()) };
    if code != 0 {
        return Err(io::Error::from_raw_os_error(code).into());
    }
    let server = Server::new(at)?;
    let backend = if cfg!(windows) { "winsock" } else { "winsock-sys" };
    println!("listening on {} model=completion-port backend={backend} threads=1", server.at()?);
    server.run()?;
    Ok(())
}

struct Server {
    port: HANDLE,
    listener: SOCKET,
    accept_ex: LPFN_ACCEPTEX,
}

impl Server {
    fn new(at: SocketAddrV4) -> io::Result<Server> {
        let listener = stream_socket()?;
        let address = SOCKADDR_IN {
            sin_family: AF_INET as ADDRESS_FAMILY,
            sin_port: at.port().to_be(),
            sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: at.ip().to_bits().to_be() } },
            sin_zero: [0; 8],
        };
        let length = size_of_val(&address) as i32;
        // SAFETY: the address lives through the call, and its length is its own.
        checked(unsafe { bind(listener, (&raw const address).cast(), length) })?;
        // SAFETY: no pointers are passed.
        checked(unsafe { listen(listener, BACKLOG) })?;
        // SAFETY: no pointers of ours are passed.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, ptr::null_mut(), 0, 1) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        let server = Server { port, listener, accept_ex: accept_ex(listener)? };
        server.tie(listener, ACCEPT)?;
        for _ in 0..ACCEPTS {
            // SAFETY: all-zero is a valid Accept; it stays until its packet comes back, and is
            // then used again: it is never freed.
            server.post_accept(Box::leak(Box::new(unsafe { mem::zeroed::<Accept>() })))?;
        }
        Ok(server)
    }

    fn at(&self) -> io::Result<SocketAddrV4> {
        let mut address = SOCKADDR_IN::default();
        let mut length = size_of_val(&address) as i32;
        // SAFETY: both live through the call.
        checked(unsafe { getsockname(self.listener, (&raw mut address).cast(), &mut length) })?;
        // SAFETY: every view of the address is made of plain bytes.
        let ip = unsafe { address.sin_addr.S_un.S_addr };
        Ok(SocketAddrV4::new(u32::from_be(ip).into(), u16::from_be(address.sin_port)))
    }

    fn tie(&self, socket: SOCKET, key: usize) -> io::Result<()> {
        // SAFETY: no pointers of ours are passed.
        let port = unsafe { CreateIoCompletionPort(socket as HANDLE, self.port, key, 0) };
        if port.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn run(&self) -> io::Result<()> {
        let mut entries = [OVERLAPPED_ENTRY::default(); BATCH];
        loop {
            let mut count = 0;
            let room = BATCH as u32;
            // SAFETY: `entries` has room for BATCH packets; `count` lives through the call.
            let taken = unsafe {
                GetQueuedCompletionStatusEx(
                    self.port,
                    entries.as_mut_ptr(),
                    room,
                    &mut count,
                    INFINITE,
                    0,
                )
            };
            if taken == 0 {
                return Err(io::Error::last_os_error());
            }
            for entry in &entries[..count as usize] {
                let failed = (entry.Internal as i32) < 0;
                if entry.lpCompletionKey == ACCEPT {
                    // SAFETY: this key belongs to the listener, whose operations are all Accepts,
                    // and the packet gives this one back to us.
                    self.accepted(unsafe { &mut *entry.lpOverlapped.cast() }, failed)?;
                } else {
                    let connection = entry.lpOverlapped.cast::<Connection>();
                    let bytes = if failed { 0 } else { entry.dwNumberOfBytesTransferred };
                    // SAFETY: this key belongs to connections, and the packet gives this one back.
                    if !turn(unsafe { &mut *connection }, bytes) {
                        // SAFETY: it came from Box::into_raw, and nothing is under way on it.
                        close(unsafe { Box::from_raw(connection) });
                    }
                }
            }
        }
    }

    fn post_accept(&self, accept: &'static mut Accept) -> io::Result<()> {
        let accept_ex = self.accept_ex.unwrap_or(AcceptEx);
        accept.socket = stream_socket()?;
        accept.overlapped = OVERLAPPED::default();
        let mut bytes = 0;
        let length = ADDRESS as u32;
        // SAFETY: the accept is leaked, so its addresses and OVERLAPPED outlive the operation.
        let done = unsafe {
            accept_ex(
                self.listener,
                accept.socket,
                accept.addresses.as_mut_ptr().cast(),
                0,
                length,
                length,
                &mut bytes,
                &mut accept.overlapped,
            )
        };
        if done == 0 { pending() } else { Ok(()) }
    }

    fn accepted(&self, accept: &'static mut Accept, failed: bool) -> io::Result<()> {
        let socket = accept.socket;
        if failed || self.open(socket).is_err() {
            // SAFETY: the socket is ours, and no operation is under way on it.
            unsafe { closesocket(socket) };
        }
        self.post_accept(accept)
    }

    fn open(&self, socket: SOCKET) -> io::Result<()> {
        set_option(socket, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, &self.listener)?;
        set_option(socket, IPPROTO_TCP, TCP_NODELAY, &1_i32)?;
        self.tie(socket, CONNECTION)?;
        let connection = Box::into_raw(Box::new(Connection {
            overlapped: OVERLAPPED::default(),
            socket,
            under: Under::Receive,
            buffer: [0; BUFFER],
        }));
        // SAFETY: just made, and nothing is under way on it.
        if receive(unsafe { &mut *connection }) {
            return Ok(());
        }
        // SAFETY: it came from Box::into_raw, and no operation was begun.
        drop(unsafe { Box::from_raw(connection) });
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

/// The connection's operation is done; begins the next, or says that there is none.
fn turn(connection: &mut Connection, bytes: u32) -> bool {
    match connection.under {
        _ if bytes == 0 => false,
        Under::Receive => send(connection, bytes),
        Under::Send => receive(connection),
    }
}

fn receive(connection: &mut Connection) -> bool {
    connection.under = Under::Receive;
    connection.overlapped = OVERLAPPED::default();
    let buffer = WSABUF { len: BUFFER as u32, buf: connection.buffer.as_mut_ptr() };
    let mut flags = 0;
    // SAFETY: the WSABUF is captured by the call; the connection stays where it is until the
    // operation's packet came back.
    let result = unsafe {
        WSARecv(
            connection.socket,
            &buffer,
            1,
            ptr::null_mut(),
            &mut flags,
            &mut connection.overlapped,
            None,
        )
    };
    result == 0 || pending().is_ok()
}

fn send(connection: &mut Connection, bytes: u32) -> bool {
    connection.under = Under::Send;
    connection.overlapped = OVERLAPPED::default();
    let buffer = WSABUF { len: bytes, buf: connection.buffer.as_mut_ptr() };
    // SAFETY: as in `receive`.
    let result = unsafe {
        WSASend(connection.socket, &buffer, 1, ptr::null_mut(), 0, &mut connection.overlapped, None)
    };
    result == 0 || pending().is_ok()
}

fn close(connection: Box<Connection>) {
    // SAFETY: the socket is the connection's own, which ends here.
    unsafe { closesocket(connection.socket) };
}

fn stream_socket() -> io::Result<SOCKET> {
    let flags = WSA_FLAG_OVERLAPPED;
    // SAFETY: no protocol description is passed.
    let socket =
        unsafe { WSASocketW(AF_INET.into(), SOCK_STREAM, IPPROTO_TCP, ptr::null(), 0, flags) };
    if socket == INVALID_SOCKET { Err(last_error()) } else { Ok(socket) }
}

/// Asked for once, as the page of AcceptEx advises: the exported name asks at every call.
fn accept_ex(listener: SOCKET) -> io::Result<LPFN_ACCEPTEX> {
    let id = WSAID_ACCEPTEX;
    let mut function: LPFN_ACCEPTEX = None;
    let mut bytes = 0;
    // SAFETY: all pointers are to values of the lengths given, which live through the call.
    checked(unsafe {
        WSAIoctl(
            listener,
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const id).cast(),
            size_of_val(&id) as u32,
            (&raw mut function).cast(),
            size_of_val(&function) as u32,
            &mut bytes,
            ptr::null_mut(),
            None,
        )
    })?;
    Ok(function)
}

fn set_option<T>(socket: SOCKET, level: i32, name: i32, value: &T) -> io::Result<()> {
    let length = size_of::<T>() as i32;
    // SAFETY: pointer and length are those of `value`.
    checked(unsafe { setsockopt(socket, level, name, ptr::from_ref(value).cast(), length) })
}

fn checked(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// Whether a call that did not finish at once goes on in the background.
fn pending() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    match unsafe { WSAGetLastError() } {
        WSA_IO_PENDING => Ok(()),
        code => Err(io::Error::other(format!("Winsock error {code}"))),
    }
}

fn last_error() -> io::Error {
    // SAFETY: no pointers are passed.
    let code = unsafe { WSAGetLastError() };
    io::Error::other(format!("Winsock error {code}"))
}
