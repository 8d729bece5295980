//! One connection: dialled, greeted, then a stream out and the same stream back.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, Socket, Type};

use super::payload::Payload;
use crate::os;

const ROOM: usize = 64 * 1024;

/// Connects, from several loopback addresses when one has too few ports for what is asked.
pub struct Dialer {
    target: SocketAddr,
    sources: u8,
    next: u8,
}

impl Dialer {
    /// `sources`: how many source addresses to use, if the target is on 127.0.0.0/8.
    pub fn new(target: SocketAddr, sources: u8) -> Dialer {
        let local = matches!(target.ip(), IpAddr::V4(ip) if ip.is_loopback());
        Dialer { target, sources: if local { sources } else { 1 }, next: 0 }
    }

    fn dial(&mut self) -> io::Result<TcpStream> {
        let domain = Domain::for_address(self.target);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if self.sources > 1 {
            os::choose_port_late(&socket)?;
            self.next = self.next % self.sources + 1;
            let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, self.next), 0));
            socket.bind(&source.into())?;
        }
        match socket.connect(&self.target.into()) {
            Err(error) if !os::is_connecting(&error) => Err(error),
            Ok(()) | Err(_) => Ok(TcpStream::from_std(socket.into())),
        }
    }
}

/// Why a connection is over before its time.
#[derive(Debug)]
pub enum Lost {
    Refused(io::Error),
    Broken(io::Error),
    Closed { sent: u64, received: u64 },
    Wrong { offset: u64 },
    Extra { sent: u64 },
    Greeting,
    Unserved,
    Unanswered { owed: u64 },
    Unended,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Refused(error) => write!(f, "cannot connect: {error}"),
            Lost::Broken(error) => write!(f, "connection broken: {error}"),
            Lost::Closed { sent, received } => {
                write!(
                    f,
                    "the server closed the connection after echoing {received} of {sent} bytes"
                )
            }
            Lost::Wrong { offset } => {
                write!(f, "the echo differs from what was sent at byte {offset}")
            }
            Lost::Extra { sent } => {
                write!(f, "the server sent more than the {sent} bytes it was to echo")
            }
            Lost::Greeting => write!(f, "the greeting is not the one expected"),
            Lost::Unserved => write!(f, "the server did not serve the connection in time"),
            Lost::Unanswered { owed } => write!(f, "{owed} bytes did not come back in time"),
            Lost::Unended => write!(f, "the server did not close the connection after we had"),
        }
    }
}

/// What every connection of a thread uses in turn.
pub struct Gear {
    greeting: Vec<u8>,
    inward: Vec<u8>,
    outward: Vec<u8>,
}

impl Gear {
    pub fn new(greeting: &[u8]) -> Gear {
        Gear { greeting: greeting.to_vec(), inward: vec![0; ROOM], outward: vec![0; ROOM] }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// So many bytes of the greeting came in.
    Greeting(usize),
    Open,
    /// Our side is shut down; the server's end of stream is to come.
    Finishing,
    Finished,
}

pub struct Link {
    stream: TcpStream,
    payload: Payload,
    stage: Stage,
    /// The socket takes nothing more until an event says so.
    full: bool,
    /// Bytes of the stream that were asked to be sent, were sent, came back.
    wanted: u64,
    sent: u64,
    received: u64,
}

impl Link {
    /// Starts connecting. `number` is the connection's own: no two send the same stream.
    pub fn dial(
        dialer: &mut Dialer,
        number: u64,
        registry: &Registry,
        token: Token,
    ) -> Result<Link, Lost> {
        let mut stream = dialer.dial().map_err(Lost::Refused)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, token, interest).map_err(Lost::Refused)?;
        Ok(Link {
            stream,
            payload: Payload::of(number),
            stage: Stage::Connecting,
            full: false,
            wanted: 0,
            sent: 0,
            received: 0,
        })
    }

    pub fn received(&self) -> u64 {
        self.received
    }

    /// Bytes wanted that have not come back yet.
    pub fn owed(&self) -> u64 {
        self.wanted - self.received
    }

    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Finished
    }

    /// So many more bytes are to go out and come back.
    #[inline]
    pub fn ask(&mut self, bytes: u64, gear: &mut Gear) -> Result<(), Lost> {
        self.wanted += bytes;
        match self.stage {
            Stage::Open => self.flush(gear),
            // They go out once the connection is open.
            Stage::Connecting | Stage::Greeting(_) => Ok(()),
            Stage::Finishing | Stage::Finished => unreachable!("asked after finish"),
        }
    }

    /// Nothing more will be asked: ends our side and waits for the server to end its own.
    pub fn finish(&mut self) -> Result<(), Lost> {
        if self.stage != Stage::Open {
            return Ok(());
        }
        self.stage = Stage::Finishing;
        self.stream.shutdown(Shutdown::Write).map_err(Lost::Broken)
    }

    /// Does what an event allows.
    #[inline]
    pub fn turn(&mut self, event: &Event, gear: &mut Gear) -> Result<(), Lost> {
        if self.stage == Stage::Connecting {
            if event.is_error() {
                return Err(Lost::Refused(self.error()));
            }
            if !event.is_writable() {
                return Ok(());
            }
            self.stage = if gear.greeting.is_empty() { Stage::Open } else { Stage::Greeting(0) };
        }
        self.full &= !event.is_writable();
        if event.is_readable() {
            self.read(event.is_read_closed(), gear)?;
        }
        self.flush(gear)
    }

    fn error(&self) -> io::Error {
        match self.stream.take_error() {
            Ok(Some(error)) | Err(error) => error,
            Ok(None) => ErrorKind::ConnectionRefused.into(),
        }
    }

    #[inline]
    fn flush(&mut self, gear: &mut Gear) -> Result<(), Lost> {
        if self.stage != Stage::Open || self.full {
            return Ok(());
        }
        while self.sent < self.wanted {
            let length = (self.wanted - self.sent).min(ROOM as u64) as usize;
            let bytes = &mut gear.outward[..length];
            self.payload.fill(self.sent, bytes);
            match self.stream.write(bytes) {
                Ok(written) => self.sent += written as u64,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        self.full = true;
                        return Ok(());
                    }
                    ErrorKind::Interrupted => {}
                    _ => return Err(Lost::Broken(error)),
                },
            }
        }
        Ok(())
    }

    /// Receives until the socket is drained, which a receive that leaves room in the buffer shows;
    /// but an end of stream seen by the event is read, too.
    #[inline]
    fn read(&mut self, ended: bool, gear: &mut Gear) -> Result<(), Lost> {
        loop {
            match self.stream.read(&mut gear.inward) {
                Ok(0) => return self.end(),
                Ok(count) => {
                    self.take(count, gear)?;
                    if count < ROOM && !ended {
                        return Ok(());
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return Ok(()),
                    ErrorKind::Interrupted => {}
                    _ => return Err(Lost::Broken(error)),
                },
            }
        }
    }

    fn end(&mut self) -> Result<(), Lost> {
        match self.stage {
            Stage::Finishing if self.received == self.sent => {
                self.stage = Stage::Finished;
                Ok(())
            }
            Stage::Finished => Ok(()),
            Stage::Connecting | Stage::Greeting(_) | Stage::Open | Stage::Finishing => {
                Err(Lost::Closed { sent: self.sent, received: self.received })
            }
        }
    }

    #[inline]
    fn take(&mut self, count: usize, gear: &mut Gear) -> Result<(), Lost> {
        let Gear { greeting, inward, outward } = gear;
        let mut bytes = &inward[..count];
        if let Stage::Greeting(seen) = self.stage {
            let (head, rest) = bytes.split_at(bytes.len().min(greeting.len() - seen));
            if head != &greeting[seen..seen + head.len()] {
                return Err(Lost::Greeting);
            }
            let seen = seen + head.len();
            let over = seen == greeting.len();
            self.stage = if over { Stage::Open } else { Stage::Greeting(seen) };
            bytes = rest;
        }
        if bytes.len() as u64 > self.sent - self.received {
            return Err(Lost::Extra { sent: self.sent });
        }
        if let Some(offset) = self.payload.first_wrong(self.received, bytes, outward) {
            return Err(Lost::Wrong { offset });
        }
        self.received += bytes.len() as u64;
        Ok(())
    }
}
