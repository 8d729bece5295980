//! An echo server on mio: edge-triggered readiness, one buffer for all connections, one thread.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use peers::{Arguments, BUFFER, announce, listen};

const LISTENER: Token = Token(usize::MAX - 1);

struct Connection {
    stream: TcpStream,
    /// What the client has not taken yet; nothing more is received meanwhile.
    unsent: VecDeque<u8>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::read()?;
    let listener = listen(arguments.bind)?;
    announce(&listener, "mio", 1)?;
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(512);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut free = Vec::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                accept(&poll, &listener, &mut connections, &mut free)?;
                continue;
            }
            let at = event.token().0;
            let Some(connection) = &mut connections[at] else { continue };
            if connection.turn(event, &mut buffer).is_err() {
                connections[at] = None;
                free.push(at);
            }
        }
    }
}

fn accept(
    poll: &Poll,
    listener: &TcpListener,
    connections: &mut Vec<Option<Connection>>,
    free: &mut Vec<usize>,
) -> io::Result<()> {
    loop {
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        let at = free.pop().unwrap_or_else(|| {
            connections.push(None);
            connections.len() - 1
        });
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(at), interest)?;
        connections[at] = Some(Connection { stream, unsent: VecDeque::new() });
    }
}

impl Connection {
    /// An error ends the connection, as the end of its stream does.
    fn turn(&mut self, event: &Event, buffer: &mut [u8]) -> io::Result<()> {
        if !self.flush()? {
            return Ok(());
        }
        if !event.is_readable() && !event.is_writable() {
            return Ok(());
        }
        loop {
            let len = match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let sent = match self.stream.write(&buffer[..len]) {
                Ok(sent) => sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(error) => return Err(error),
            };
            if sent < len {
                self.unsent.extend(&buffer[sent..len]);
                return Ok(());
            }
            // A receive that was not filled has drained the socket; but for the end of the stream,
            // which comes with an event of its own.
            if len < buffer.len() && !event.is_read_closed() {
                return Ok(());
            }
        }
    }

    /// Whether nothing is left to be sent.
    fn flush(&mut self) -> io::Result<bool> {
        while !self.unsent.is_empty() {
            let (first, _) = self.unsent.as_slices();
            match self.stream.write(first) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}
