//! What a socket is, and which events it shows.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use libc::c_int;

use super::Net;
use super::datagram::Datagrams;
use super::names;
use super::options::Options;
use super::stream::{Phase, Stream};
use crate::address::Address;
use crate::sys::{Errno, Result};

/// Names a socket for ever, its descriptor or the want of one notwithstanding: connections live in
/// a backlog before they have a descriptor.
pub type Id = u64;

pub struct Socket {
    pub family: c_int,
    pub kind: Kind,
    pub options: Options,
    /// Port 0: it has no name yet.
    pub local: SocketAddr,
    /// What of the name the program chose itself; the rest it loses when it disconnects.
    pub fixed_ip: bool,
    pub fixed_port: bool,
    /// Where it is connected to, or wants to be.
    pub peer: Option<SocketAddr>,
    /// What happened to it and nobody has been told: the next call tells, and so does SO_ERROR.
    pub error: Option<Errno>,
    /// Nothing more is received, or sent.
    pub shut_in: bool,
    pub shut_out: bool,
    /// The token under which the readiness queue reports it.
    pub token: Option<u64>,
    /// It is in the list of those that a wait looks at.
    pub queued: bool,
    /// Somebody found no room: he is to hear when there is some.
    pub starved: bool,
    /// What is under way to it, in order.
    pub flights: VecDeque<Flight>,
}

pub enum Kind {
    Stream(Stream),
    Datagram(Datagrams),
}

/// One arrival to be.
pub struct Flight {
    pub what: Arrival,
    /// The tick of the clock from which on it may arrive.
    pub due: u64,
    pub sent: Instant,
}

pub enum Arrival {
    Bytes(Vec<u8>),
    Urgent(u8),
    /// The peer sends no more.
    Fin,
    /// The connection is gone; or never came about, if it was still being made.
    Reset,
    /// The peer has answered: the connection stands.
    Connected,
    /// For a listener: a connection that can be accepted.
    Connection(Id),
    Datagram {
        from: SocketAddr,
        bytes: Vec<u8>,
    },
    /// Nobody took an earlier datagram.
    Unreachable,
}

impl Kind {
    pub fn stream() -> Kind {
        Kind::Stream(Stream::default())
    }

    pub fn datagram() -> Kind {
        Kind::Datagram(Datagrams::default())
    }
}

impl Socket {
    pub fn new(family: c_int, kind: Kind) -> Socket {
        Socket {
            family,
            kind,
            options: Options::new(),
            local: names::nowhere(family),
            fixed_ip: false,
            fixed_port: false,
            peer: None,
            error: None,
            shut_in: false,
            shut_out: false,
            token: None,
            queued: false,
            starved: false,
            flights: VecDeque::new(),
        }
    }

    pub fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream(_))
    }

    pub fn is_listening(&self) -> bool {
        matches!(&self.kind, Kind::Stream(Stream { phase: Phase::Listening(_), .. }))
    }

    /// Never connected, nor listening.
    pub fn is_fresh(&self) -> bool {
        match &self.kind {
            Kind::Stream(stream) => matches!(stream.phase, Phase::Fresh),
            Kind::Datagram(_) => self.peer.is_none(),
        }
    }

    pub fn stream(&self) -> &Stream {
        match &self.kind {
            Kind::Stream(stream) => stream,
            Kind::Datagram(_) => unreachable!("asked for as a stream"),
        }
    }

    pub fn stream_mut(&mut self) -> &mut Stream {
        match &mut self.kind {
            Kind::Stream(stream) => stream,
            Kind::Datagram(_) => unreachable!("asked for as a stream"),
        }
    }

    pub fn datagrams_mut(&mut self) -> &mut Datagrams {
        match &mut self.kind {
            Kind::Datagram(datagrams) => datagrams,
            Kind::Stream(_) => unreachable!("asked for as datagrams"),
        }
    }

    /// Tells what happened, once.
    pub fn tell_error(&mut self) -> Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    pub fn local_address(&self) -> Address {
        names::write(self.local, self.family)
    }

    pub fn peer_address(&self) -> Result<Address> {
        let connected = match &self.kind {
            Kind::Stream(stream) => matches!(stream.phase, Phase::Connected),
            Kind::Datagram(_) => true,
        };
        let peer = self.peer.filter(|_| connected).ok_or(Errno(libc::ENOTCONN))?;
        Ok(names::write(peer, self.family))
    }
}

impl Net {
    /// The EPOLL bits that hold now: tcp_poll and udp_poll as observed.
    pub fn events(&self, id: Id) -> u32 {
        let socket = self.socket(id);
        let mut events = 0;
        let mut show = |holds: bool, bits: c_int| events |= if holds { bits as u32 } else { 0 };
        show(socket.error.is_some(), libc::EPOLLERR);
        match &socket.kind {
            Kind::Datagram(datagrams) => {
                show(socket.shut_in && socket.shut_out, libc::EPOLLHUP);
                show(socket.shut_in, libc::EPOLLIN | libc::EPOLLRDHUP);
                show(!datagrams.is_empty(), libc::EPOLLIN);
                show(true, libc::EPOLLOUT);
            }
            Kind::Stream(stream) => match &stream.phase {
                Phase::Listening(backlog) => show(!backlog.queue.is_empty(), libc::EPOLLIN),
                Phase::Connecting => {}
                Phase::Fresh | Phase::Connected | Phase::Ended => {
                    let ended_in = socket.shut_in || stream.fin;
                    let is_open = matches!(stream.phase, Phase::Connected);
                    show(!is_open || ended_in && socket.shut_out, libc::EPOLLHUP);
                    show(ended_in, libc::EPOLLIN | libc::EPOLLRDHUP);
                    show(!stream.inbox.is_empty(), libc::EPOLLIN);
                    show(stream.urgent.is_some(), libc::EPOLLPRI);
                    show(socket.shut_out || self.is_roomy(id), libc::EPOLLOUT);
                }
            },
        }
        events
    }

    /// Sends something on its way.
    pub fn fly(&mut self, to: Id, what: Arrival) {
        let due = self.clock + self.dice.delay(self.temper.delay);
        let Some(socket) = self.sockets.get_mut(&to) else { return };
        // The first may hold up the others: order within a socket is never lost.
        socket.flights.push_back(Flight { what, due, sent: Instant::now() });
        self.travelling.insert(to);
        // A sleeper has to notice that time must pass.
        self.stir = true;
    }

    /// Lets arrive what is due, and the answers to it.
    pub fn deliver(&mut self) {
        let mut arrived = !self.travelling.is_empty();
        while std::mem::take(&mut arrived) {
            let travelling: Vec<Id> = self.travelling.iter().copied().collect();
            for id in travelling {
                while let Some(what) = self.take_due(id) {
                    self.arrive(id, what);
                    arrived = true;
                }
            }
        }
    }

    fn take_due(&mut self, id: Id) -> Option<Arrival> {
        let Some(socket) = self.sockets.get_mut(&id) else {
            self.travelling.remove(&id); // Closed, by an arrival of this very round.
            return None;
        };
        let Some(first) = socket.flights.front() else {
            self.travelling.remove(&id);
            return None;
        };
        if first.due > self.clock && first.sent.elapsed() < self.temper.patience {
            return None;
        }
        socket.flights.pop_front().map(|flight| flight.what)
    }

    fn arrive(&mut self, id: Id, what: Arrival) {
        match what {
            Arrival::Bytes(bytes) => self.bytes_arrive(id, bytes),
            Arrival::Urgent(byte) => self.urgent_arrives(id, byte),
            Arrival::Fin => self.fin_arrives(id),
            Arrival::Reset => self.reset_arrives(id),
            Arrival::Connected => self.socket_mut(id).stream_mut().phase = Phase::Connected,
            Arrival::Connection(connection) => self.connection_arrives(id, connection),
            Arrival::Datagram { from, bytes } => self.datagram_arrives(id, from, bytes),
            Arrival::Unreachable => self.socket_mut(id).error = Some(Errno(libc::ECONNREFUSED)),
        }
        self.raise(id);
    }
}
