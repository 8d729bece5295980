//! What the echo servers here have in common: arguments, the listener and the first line.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// What a connection receives into: as much as the hand-written loops do.
pub const BUFFER: usize = 16 * 1024;

/// `--bind ADDR [--threads N]`
pub struct Arguments {
    pub bind: SocketAddr,
    pub threads: usize,
}

impl Arguments {
    pub fn read() -> io::Result<Arguments> {
        let mut arguments = std::env::args().skip(1);
        let mut read = Arguments { bind: SocketAddr::from(([127, 0, 0, 1], 5150)), threads: 1 };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(usage)?;
            match name.as_str() {
                "--bind" => read.bind = value.parse().map_err(|_| usage())?,
                "--threads" => read.threads = value.parse().map_err(|_| usage())?,
                _ => return Err(usage()),
            }
        }
        Ok(read)
    }
}

fn usage() -> io::Error {
    io::Error::other("usage: [--bind ADDR] [--threads N]")
}

/// A non-blocking listener with a backlog for bursts. Accepted sockets inherit TCP_NODELAY.
pub fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.bind(&at.into())?;
    socket.listen(4096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Tells whoever started us where we listen, and raises the limit of descriptors.
pub fn announce(listener: &TcpListener, name: &str, threads: usize) -> io::Result<()> {
    raise_descriptor_limit()?;
    let at = listener.local_addr()?;
    let mut out = io::stdout();
    writeln!(out, "listening on {at} peer={name} threads={threads}")?;
    out.flush()
}

fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit lives through both calls.
    let result = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
