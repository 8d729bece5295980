//! The yardstick: an echo server as a tight edge-triggered epoll loop, on one thread, on libc
//! alone.
//!
//! Every descriptor is registered once. A receive that does not fill the buffer has drained the
//! socket, so no second one is made to see EAGAIN; with a hang-up in the same event there is no
//! need to receive the end of the stream either. What one send does not take waits in the
//! connection, which reads no further until it is gone.

use std::io::{self, Write};
use std::mem;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::process::ExitCode;
use std::ptr;

use libc::{EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLET, EPOLLIN, EPOLLOUT, EPOLLRDHUP, c_int};

const BUFFER: usize = 16 * 1024;
const EVENTS: usize = 512;
const READ: u32 = (EPOLLIN | EPOLLRDHUP | EPOLLET) as u32;
const READ_WRITE: u32 = READ | EPOLLOUT as u32;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("epoll-echo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    raise_descriptor_limit()?;
    let listener = TcpListener::bind(address()?)?;
    // The standard library listens with a backlog of 128; bursts of churn need more.
    // SAFETY: plain values; `listener` keeps the descriptor open.
    checked(unsafe { libc::listen(listener.as_raw_fd(), 4096) })?;
    listener.set_nonblocking(true)?;
    // Accepted sockets inherit it, at no call each.
    set_option(listener.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;

    let mut server = Server::new(listener.as_raw_fd())?;
    let mut out = io::stdout();
    let at = listener.local_addr()?;
    writeln!(out, "listening on {at} model=epoll-loop backend=epoll threads=1")?;
    server.run()?;
    let Tally { connections, messages, bytes, errors } = server.tally;
    writeln!(
        out,
        "served connections={connections} messages={messages} bytes={bytes} errors={errors}"
    )
}

fn address() -> io::Result<SocketAddr> {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => Ok(SocketAddr::from(([127, 0, 0, 1], 5150))),
        (Some("--bind"), Some(at), None) => at.parse().map_err(io::Error::other),
        _ => Err(io::Error::other("usage: epoll-echo [--bind ADDR]")),
    }
}

#[derive(Default)]
struct Tally {
    connections: u64,
    messages: u64,
    bytes: u64,
    errors: u64,
}

enum Next {
    Wait,
    Close,
}

struct Server {
    epoll: c_int,
    listener: RawFd,
    signals: c_int,
    /// By descriptor: what a send did not take.
    unsent: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    /// No descriptor was left for a connection; the next close makes room.
    starved: bool,
    tally: Tally,
}

impl Server {
    fn new(listener: RawFd) -> io::Result<Server> {
        // SAFETY: no pointers are passed.
        let epoll = checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let server = Server {
            epoll,
            listener,
            signals: signals()?,
            unsent: Vec::new(),
            buffer: vec![0; BUFFER],
            starved: false,
            tally: Tally::default(),
        };
        server.register(EPOLL_CTL_ADD, listener, (EPOLLIN | EPOLLET) as u32)?;
        server.register(EPOLL_CTL_ADD, server.signals, EPOLLIN as u32)?;
        Ok(server)
    }

    /// Until a signal asks to stop.
    fn run(&mut self) -> io::Result<()> {
        let mut events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        loop {
            // SAFETY: `events` has room for EVENTS entries.
            let ready =
                unsafe { libc::epoll_wait(self.epoll, events.as_mut_ptr(), EVENTS as c_int, -1) };
            let ready = match checked(ready) {
                Ok(ready) => ready as usize,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            for event in &events[..ready] {
                let fd = event.u64 as RawFd;
                if fd == self.listener {
                    self.accept()?;
                } else if fd == self.signals {
                    return Ok(());
                } else if let Next::Close = self.turn(fd, event.events) {
                    self.close(fd)?;
                }
            }
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
            // SAFETY: no address is asked for, so the pointers may be null.
            let fd =
                unsafe { libc::accept4(self.listener, ptr::null_mut(), ptr::null_mut(), flags) };
            match checked(fd) {
                Ok(fd) => {
                    self.tally.connections += 1;
                    if self.unsent.len() <= fd as usize {
                        self.unsent.resize_with(fd as usize + 1, Vec::new);
                    }
                    self.register(EPOLL_CTL_ADD, fd, READ)?;
                }
                Err(error) => match error.raw_os_error() {
                    Some(libc::EAGAIN) => return Ok(()),
                    Some(libc::EMFILE | libc::ENFILE) => {
                        self.starved = true;
                        return Ok(());
                    }
                    // The peer gave up while it waited in the backlog.
                    Some(libc::ECONNABORTED | libc::EINTR) => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// One connection's turn: echo until the socket is drained or takes no more.
    #[inline]
    fn turn(&mut self, fd: RawFd, events: u32) -> Next {
        if !self.unsent[fd as usize].is_empty() {
            match self.flush(fd) {
                Ok(true) => {}
                Ok(false) => return Next::Wait,
                Err(_) => return self.failed(),
            }
        }
        loop {
            // SAFETY: the buffer is BUFFER bytes long.
            let got = unsafe { libc::recv(fd, self.buffer.as_mut_ptr().cast(), BUFFER, 0) };
            let got = match got {
                0 => return Next::Close,
                1.. => got as usize,
                _ => match io::Error::last_os_error().raw_os_error() {
                    Some(libc::EAGAIN) => return Next::Wait,
                    Some(libc::EINTR) => continue,
                    _ => return self.failed(),
                },
            };
            self.tally.messages += 1;
            self.tally.bytes += got as u64;
            let sent = match send(fd, &self.buffer[..got]) {
                Ok(sent) => sent,
                Err(_) => return self.failed(),
            };
            if sent < got {
                self.unsent[fd as usize].extend_from_slice(&self.buffer[sent..got]);
                return match self.register(EPOLL_CTL_MOD, fd, READ_WRITE) {
                    Ok(()) => Next::Wait,
                    Err(_) => self.failed(),
                };
            }
            if got < BUFFER {
                // The hang-up was there before the receive, which therefore took all there was.
                let over = events & EPOLLRDHUP as u32 != 0;
                return if over { Next::Close } else { Next::Wait };
            }
        }
    }

    /// Whether nothing is left to send.
    #[cold]
    fn flush(&mut self, fd: RawFd) -> io::Result<bool> {
        let unsent = &mut self.unsent[fd as usize];
        let sent = send(fd, unsent)?;
        unsent.drain(..sent);
        Ok(unsent.is_empty())
    }

    #[cold]
    fn failed(&mut self) -> Next {
        self.tally.errors += 1;
        Next::Close
    }

    fn close(&mut self, fd: RawFd) -> io::Result<()> {
        self.unsent[fd as usize] = Vec::new();
        // SAFETY: the loop owns every descriptor it accepted and closes it once.
        unsafe { libc::close(fd) };
        if mem::take(&mut self.starved) { self.accept() } else { Ok(()) }
    }

    fn register(&self, how: c_int, fd: RawFd, events: u32) -> io::Result<()> {
        let mut event = libc::epoll_event { events, u64: fd as u64 };
        // SAFETY: `event` lives through the call.
        checked(unsafe { libc::epoll_ctl(self.epoll, how, fd, &mut event) }).map(drop)
    }
}

/// Takes as many bytes as the socket does; none is no error.
#[inline]
fn send(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        let flags = libc::MSG_NOSIGNAL;
        // SAFETY: pointer and length are those of `bytes`.
        let sent = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) };
        if sent >= 0 {
            return Ok(sent as usize);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN) => return Ok(0),
            Some(libc::EINTR) => {}
            _ => return Err(error),
        }
    }
}

/// A descriptor that becomes readable when SIGINT or SIGTERM arrives.
fn signals() -> io::Result<c_int> {
    // SAFETY: an all-zero set is valid storage, and sigemptyset fills it.
    let mut set: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: `set` lives through the calls; blocking signals touches no memory of ours.
    unsafe {
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGINT);
        libc::sigaddset(&mut set, libc::SIGTERM);
        libc::sigprocmask(libc::SIG_BLOCK, &set, ptr::null_mut());
        checked(libc::signalfd(-1, &set, libc::SFD_CLOEXEC))
    }
}

fn raise_descriptor_limit() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives through both calls.
    unsafe {
        checked(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit))?;
        limit.rlim_cur = limit.rlim_max;
        checked(libc::setrlimit(libc::RLIMIT_NOFILE, &limit)).map(drop)
    }
}

fn set_option(fd: RawFd, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: pointer and length are those of `value`.
    checked(unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) })
        .map(drop)
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
