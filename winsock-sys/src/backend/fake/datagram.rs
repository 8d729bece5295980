//! Datagrams: UDP on one machine, where a full queue is the only place to lose one.

use std::collections::VecDeque;
use std::net::SocketAddr;

use libc::c_int;

use super::socket::{Arrival, Id};
use super::{Lent, Net, names};
use crate::address::Address;
use crate::sys::{Errno, Received, Result};

/// What has arrived and was not yet received.
#[derive(Default)]
pub struct Datagrams {
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    /// What SO_RCVBUF counts of them.
    charge: usize,
}

/// What Linux counts for a datagram besides its bytes, more or less.
const OVERHEAD: usize = 512;

/// The longest datagram: what 16 bits of length leave after the headers.
const V4_MAX: usize = 65_507;
const V6_MAX: usize = 65_527;

impl Datagrams {
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// FIONREAD: the bytes of the next one alone.
    pub fn next_len(&self) -> usize {
        self.queue.front().map_or(0, |(_, bytes)| bytes.len())
    }

    fn push(&mut self, from: SocketAddr, bytes: Vec<u8>, capacity: usize) {
        let charge = self.charge + bytes.len() + OVERHEAD;
        if charge <= capacity {
            self.charge = charge;
            self.queue.push_back((from, bytes));
        }
    }

    fn pop(&mut self) {
        if let Some((_, bytes)) = self.queue.pop_front() {
            self.charge -= bytes.len() + OVERHEAD;
        }
    }
}

impl Net {
    pub fn connect_datagram(&mut self, id: Id, target: SocketAddr) -> Result<()> {
        let target = self.resolve(id, target)?;
        self.settle_name(id, target)
    }

    /// The port goes too, unless the program chose it: Linux forgets one that bind picked.
    pub fn disconnect_datagram(&mut self, id: Id) {
        self.socket_mut(id).peer = None;
        self.forget_name(id);
    }

    pub fn shut_datagram(&mut self, id: Id, input: bool, output: bool) -> Result<()> {
        let socket = self.socket_mut(id);
        socket.shut_in |= input;
        socket.shut_out |= output;
        let connected = socket.peer.is_some();
        self.raise(id);
        // Linux marks the socket either way.
        if connected { Ok(()) } else { Err(Errno(libc::ENOTCONN)) }
    }

    pub fn send_datagram(
        &mut self,
        id: Id,
        lent: &Lent<'_>,
        to: Option<&Address>,
    ) -> Result<usize> {
        let socket = self.socket(id);
        let target = match to {
            Some(address) => names::read(socket, address)?,
            None => socket.peer.ok_or(Errno(libc::EDESTADDRREQ))?,
        };
        if target.port() == 0 {
            return Err(Errno(libc::EINVAL));
        }
        let target = self.resolve(id, target)?;
        let most = if target.is_ipv4() { V4_MAX } else { V6_MAX };
        if lent.len() > most {
            return Err(Errno(libc::EMSGSIZE));
        }
        self.autobind(id)?;
        let socket = self.socket_mut(id);
        if names::is_broadcast(target.ip()) && !socket.flag(libc::SOL_SOCKET, libc::SO_BROADCAST) {
            return Err(Errno(libc::EACCES));
        }
        socket.tell_error()?;
        if socket.shut_out {
            return Err(Errno(libc::EPIPE));
        }
        self.post(id, target, lent.read(lent.len()));
        Ok(lent.len())
    }

    /// Sends it on its way, if there is one: what leaves this machine is never heard of again.
    fn post(&mut self, id: Id, target: SocketAddr, bytes: Vec<u8>) {
        let socket = self.socket(id);
        let mut from = socket.local;
        if from.ip().is_unspecified() {
            from.set_ip(names::loopback(target.ip()));
        }
        let hears_of_it = socket.peer.is_some()
            || socket.flag(libc::IPPROTO_IP, libc::IP_RECVERR)
            || socket.flag(libc::IPPROTO_IPV6, libc::IPV6_RECVERR);
        match self.receiver_at(target, from) {
            Some(receiver) => self.fly(receiver, Arrival::Datagram { from, bytes }),
            None if hears_of_it && names::is_here(target.ip()) => {
                self.fly(id, Arrival::Unreachable)
            }
            None => {}
        }
    }

    pub fn datagram_arrives(&mut self, id: Id, from: SocketAddr, bytes: Vec<u8>) {
        let socket = self.socket_mut(id);
        let capacity = socket.recv_capacity();
        socket.datagrams_mut().push(from, bytes, capacity);
    }

    pub fn recv_datagram(
        &mut self,
        id: Id,
        lent: &mut Lent<'_>,
        flags: c_int,
        from: Option<&mut Address>,
    ) -> Result<Received> {
        let socket = self.socket_mut(id);
        socket.tell_error()?;
        let family = socket.family;
        let datagrams = socket.datagrams_mut();
        let (sender, bytes) = datagrams.queue.front().ok_or(Errno(libc::EAGAIN))?;
        let taken = lent.write(0, bytes);
        let truncated = taken < bytes.len();
        if let Some(from) = from {
            *from = names::write(*sender, family);
        }
        if flags & libc::MSG_PEEK == 0 {
            datagrams.pop();
        }
        Ok(Received { bytes: taken, truncated })
    }
}
