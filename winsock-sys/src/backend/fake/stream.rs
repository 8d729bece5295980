//! Streams: TCP as a program on one machine sees it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use libc::c_int;

use super::socket::{Arrival, Id, Kind, Socket};
use super::urgent::Urgent;
use super::{Lent, Net, names};
use crate::sys::{Errno, Result};

#[derive(Default)]
pub struct Stream {
    pub phase: Phase,
    /// `connect` has been called and has not yet told how that ended.
    untold: bool,
    /// The listener whose backlog had no room.
    knocks_at: Option<Id>,
    /// The other end of the connection; it may have been closed.
    other: Option<Id>,
    /// What has arrived and was not yet received.
    pub inbox: VecDeque<Segment>,
    /// The urgent byte, if one has arrived.
    pub urgent: Option<Urgent>,
    /// The bytes that have arrived or are under way: what the sender's buffer still answers for.
    pub unread: usize,
    /// Bytes for an end that is gone: nobody will ever receive them, so they fill the sender's
    /// buffer until the reset is there.
    lost: usize,
    /// The peer has sent its last.
    pub fin: bool,
}

#[derive(Default)]
pub enum Phase {
    #[default]
    Fresh,
    Listening(Backlog),
    Connecting,
    Connected,
    /// Both ends are done, or it was reset, or refused.
    Ended,
}

/// The connections of a listener that nobody has accepted.
#[derive(Default)]
pub struct Backlog {
    /// How many there may be.
    limit: usize,
    /// On their way into the queue.
    coming: usize,
    pub queue: VecDeque<Id>,
    /// Those for which there was no room. They knock until there is, or until they are called off.
    waiting: VecDeque<Id>,
}

/// Bytes that arrived together, and how many of them were received.
pub struct Segment {
    bytes: Vec<u8>,
    done: usize,
}

/// The longest backlog: net.core.somaxconn.
const BACKLOG_MAX: u32 = 4096;

impl Segment {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.done..]
    }
}

impl Stream {
    /// FIONREAD.
    pub fn waiting_bytes(&self) -> Result<usize> {
        match self.phase {
            Phase::Listening(_) => Err(Errno(libc::EINVAL)),
            Phase::Fresh | Phase::Connecting | Phase::Connected | Phase::Ended => Ok(self.there()),
        }
    }

    pub fn there(&self) -> usize {
        self.inbox.iter().map(|segment| segment.rest().len()).sum()
    }

    /// Receives up to `limit` bytes that are known to be there.
    fn read(&mut self, lent: &mut Lent<'_>, limit: usize, peek: bool) {
        let mut done = 0;
        for segment in &mut self.inbox {
            let rest = segment.rest();
            let taken = lent.write(done, &rest[..rest.len().min(limit - done)]);
            done += taken;
            if !peek {
                segment.done += taken;
                self.unread -= taken;
            }
        }
        while self.inbox.front().is_some_and(|first| first.rest().is_empty()) {
            self.inbox.pop_front();
        }
    }

    fn backlog(&mut self) -> &mut Backlog {
        match &mut self.phase {
            Phase::Listening(backlog) => backlog,
            _ => unreachable!("asked for as a listener"),
        }
    }
}

impl Backlog {
    fn has_room(&self) -> bool {
        self.queue.len() + self.coming < self.limit
    }
}

/// Making connections.
impl Net {
    pub fn listen(&mut self, id: Id, backlog: c_int) -> Result<()> {
        // A negative backlog is a very large one; and one more than asked for has room.
        let limit = (backlog as u32).min(BACKLOG_MAX) as usize + 1;
        match &mut self.socket_mut(id).kind {
            Kind::Datagram(_) => return Err(Errno(libc::EOPNOTSUPP)),
            Kind::Stream(stream) => match &mut stream.phase {
                Phase::Fresh => {}
                Phase::Listening(backlog) => {
                    backlog.limit = limit;
                    return Ok(());
                }
                Phase::Connecting | Phase::Connected | Phase::Ended => {
                    return Err(Errno(libc::EINVAL));
                }
            },
        }
        self.autobind(id)?;
        let backlog = Backlog { limit, ..Backlog::default() };
        self.socket_mut(id).stream_mut().phase = Phase::Listening(backlog);
        if self.is_taken(id) {
            // Sharing the name was allowed as long as nobody listened.
            self.socket_mut(id).stream_mut().phase = Phase::Fresh;
            return Err(Errno(libc::EADDRINUSE));
        }
        Ok(())
    }

    /// Takes a connection from the queue; it has no descriptor yet.
    pub fn accept(&mut self, id: Id) -> Result<Id> {
        match &self.socket(id).kind {
            Kind::Datagram(_) => return Err(Errno(libc::EOPNOTSUPP)),
            Kind::Stream(stream) if matches!(stream.phase, Phase::Listening(_)) => {}
            Kind::Stream(_) => return Err(Errno(libc::EINVAL)),
        }
        if self.dice.one_in(self.temper.given_up) {
            return Err(Errno(libc::ECONNABORTED)); // A stranger's, who thought better of it.
        }
        let backlog = self.socket_mut(id).stream_mut().backlog();
        let accepted = backlog.queue.pop_front().ok_or(Errno(libc::EAGAIN))?;
        self.admit(id);
        Ok(accepted)
    }

    /// Lets those in who wait for room in the backlog.
    fn admit(&mut self, listener: Id) {
        loop {
            let backlog = self.socket_mut(listener).stream_mut().backlog();
            if !backlog.has_room() {
                return;
            }
            let Some(client) = backlog.waiting.pop_front() else { return };
            if self.is_knocking(client, listener) {
                self.establish(client, listener);
            }
        }
    }

    /// Whether a client still waits for room: it may have been closed, or have thought better of
    /// it.
    fn is_knocking(&self, client: Id, listener: Id) -> bool {
        let client = self.sockets.get(&client);
        client.is_some_and(|client| client.stream().knocks_at == Some(listener))
    }

    pub fn connect_stream(&mut self, id: Id, target: SocketAddr) -> Result<()> {
        let socket = self.socket_mut(id);
        let stream = socket.stream_mut();
        match stream.phase {
            Phase::Fresh => {}
            Phase::Connecting => return Err(Errno(libc::EALREADY)),
            Phase::Connected | Phase::Ended | Phase::Listening(_) if !stream.untold => {
                return Err(Errno(libc::EISCONN));
            }
            Phase::Connected | Phase::Listening(_) => {
                stream.untold = false;
                return Ok(());
            }
            Phase::Ended => {
                // Linux' way: whoever has read SO_ERROR first is told ECONNABORTED here, once.
                let errno = socket.error.take().unwrap_or(Errno(libc::ECONNABORTED));
                self.start_over(id);
                return Err(errno);
            }
        }
        let target = self.resolve(id, target)?;
        if target.ip().is_multicast() || names::is_broadcast(target.ip()) {
            return Err(Errno(libc::ENETUNREACH));
        }
        self.settle_name(id, target)?;
        if self.is_doubled(id) {
            self.start_over(id);
            return Err(Errno(libc::EADDRNOTAVAIL));
        }
        let socket = self.socket_mut(id);
        socket.error = None; // A new connection knows nothing of the old.
        let stream = socket.stream_mut();
        (stream.phase, stream.untold) = (Phase::Connecting, true);
        self.knock(id, target);
        Err(Errno(libc::EINPROGRESS))
    }

    fn knock(&mut self, client: Id, target: SocketAddr) {
        if !names::is_here(target.ip()) {
            return; // Beyond this machine nobody ever answers.
        }
        let Some(listener) = self.listener_at(target) else {
            return self.fly(client, Arrival::Reset);
        };
        let backlog = self.socket_mut(listener).stream_mut().backlog();
        if backlog.has_room() {
            self.establish(client, listener);
        } else {
            backlog.waiting.push_back(client);
            self.socket_mut(client).stream_mut().knocks_at = Some(listener);
        }
    }

    /// Makes the other end, and sends the listener the news.
    fn establish(&mut self, client: Id, listener: Id) {
        let (caller, called) = {
            let client = self.socket(client);
            (client.local, client.peer.expect("a client knows where it wants to"))
        };
        let parent = self.socket_mut(listener);
        parent.stream_mut().backlog().coming += 1;
        let mut end = Socket::new(parent.family, Kind::stream());
        end.options = parent.options.clone(); // As Linux clones the listener.
        (end.local, end.peer) = (called, Some(caller));
        let stream = end.stream_mut();
        stream.phase = Phase::Connected;
        stream.other = Some(client);
        let end = self.add(end);
        self.hold_port(end);
        let stream = self.socket_mut(client).stream_mut();
        (stream.knocks_at, stream.other) = (None, Some(end));
        self.fly(listener, Arrival::Connection(end));
    }

    pub fn connection_arrives(&mut self, listener: Id, connection: Id) {
        let backlog = self.socket_mut(listener).stream_mut().backlog();
        backlog.coming -= 1;
        backlog.queue.push_back(connection);
        // The client hears of it only now: who has seen it connect may accept without waiting, as
        // programs do that play both parts.
        if let Some(client) = self.other_end(connection) {
            self.fly(client, Arrival::Connected);
        }
    }
}

/// Moving bytes.
impl Net {
    pub fn send_stream(&mut self, id: Id, lent: &Lent<'_>, flags: c_int) -> Result<usize> {
        let socket = self.socket_mut(id);
        if matches!(socket.stream().phase, Phase::Connecting) {
            socket.starved = true;
            return Err(Errno(libc::EAGAIN));
        }
        socket.tell_error()?;
        if socket.shut_out || !matches!(socket.stream().phase, Phase::Connected) {
            return Err(Errno(libc::EPIPE));
        }
        let total = lent.len();
        if total == 0 {
            return Ok(0);
        }
        let room = self.room(id);
        if room == 0 {
            self.socket_mut(id).starved = true;
            return Err(Errno(libc::EAGAIN));
        }
        let taken = self.cut_send(total.min(room));
        if taken < total.min(room) {
            self.raise(id); // Room is left: whoever waits for some must hear of it.
        } else if taken < total {
            self.socket_mut(id).starved = true;
        }
        let Some(other) = self.other_end(id) else {
            // It was closed, and answers bytes with a reset.
            self.socket_mut(id).stream_mut().lost += taken;
            self.fly(id, Arrival::Reset);
            return Ok(taken);
        };
        self.socket_mut(other).stream_mut().unread += taken;
        let mut bytes = lent.read(taken);
        let is_whole = taken == total;
        let urgent = if flags & libc::MSG_OOB != 0 && is_whole { bytes.pop() } else { None };
        for segment in bytes.chunks(self.temper.segment) {
            self.fly(other, Arrival::Bytes(segment.to_vec()));
        }
        urgent.into_iter().for_each(|byte| self.fly(other, Arrival::Urgent(byte)));
        Ok(taken)
    }

    /// How much of a send the kernel takes, of what it could.
    fn cut_send(&mut self, possible: usize) -> usize {
        let segments = possible.div_ceil(self.temper.segment);
        if segments < 2 || !self.dice.one_in(self.temper.split) {
            return possible;
        }
        self.dice.some_of(segments) * self.temper.segment
    }

    /// The other end of a stream, as long as it is that.
    fn other_end(&self, id: Id) -> Option<Id> {
        let other = self.sockets.get(&id)?.stream().other?;
        // It may have been closed, or have started over as something else.
        let back = self.sockets.get(&other)?.stream().other;
        (back == Some(id)).then_some(other)
    }

    /// How much more the stream takes.
    fn room(&self, id: Id) -> usize {
        let socket = self.socket(id);
        let pending = match self.other_end(id) {
            Some(other) => self.socket(other).stream().unread,
            None => socket.stream().lost,
        };
        socket.send_capacity().saturating_sub(pending)
    }

    /// Linux calls a stream writable when a third of its buffer is free, not before.
    pub fn is_roomy(&self, id: Id) -> bool {
        self.room(id) >= self.socket(id).send_capacity() / 3
    }

    pub fn recv_stream(&mut self, id: Id, lent: &mut Lent<'_>, flags: c_int) -> Result<usize> {
        let peek = flags & libc::MSG_PEEK != 0;
        let most = self.bytes_before_urgent(id, peek);
        let stream = self.socket(id).stream();
        if stream.inbox.is_empty() {
            return self.recv_nothing(id).map(|()| 0);
        }
        let possible = stream.there().min(lent.len()).min(most);
        let whole = flags & libc::MSG_WAITALL != 0;
        let taken = if whole { possible } else { self.cut_recv(id, possible) };
        let stream = self.socket_mut(id).stream_mut();
        stream.read(lent, taken, peek);
        if !peek {
            self.move_towards_urgent(id, taken);
        }
        if taken < possible {
            // A caller that takes a short receive for the last waits for an edge: here it comes,
            // just as if the rest had arrived a moment later.
            self.raise(id);
        }
        if let Some(other) = self.other_end(id) {
            self.feed(other);
        }
        Ok(taken)
    }

    /// How much of a receive the kernel gives, of what it could.
    fn cut_recv(&mut self, id: Id, possible: usize) -> usize {
        let segments = self.socket(id).stream().inbox.len();
        if segments < 2 || !self.dice.one_in(self.temper.split) {
            return possible;
        }
        let some = self.dice.some_of(segments);
        let inbox = self.socket(id).stream().inbox.iter();
        inbox.take(some).map(|segment| segment.rest().len()).sum::<usize>().min(possible)
    }

    /// Why there is nothing to receive: `Ok` is the end.
    fn recv_nothing(&mut self, id: Id) -> Result<()> {
        let socket = self.socket_mut(id);
        if socket.stream().fin {
            return Ok(());
        }
        socket.tell_error()?;
        match socket.stream().phase {
            Phase::Listening(_) => Err(Errno(libc::ENOTCONN)),
            _ if socket.shut_in => Ok(()),
            Phase::Fresh | Phase::Ended => Err(Errno(libc::ENOTCONN)),
            Phase::Connecting | Phase::Connected => Err(Errno(libc::EAGAIN)),
        }
    }

    /// Its peer has received: a sender that found no room hears when there is enough of it.
    fn feed(&mut self, id: Id) {
        if self.socket(id).starved && self.is_roomy(id) {
            self.socket_mut(id).starved = false;
            self.raise(id);
        }
    }

    pub fn bytes_arrive(&mut self, id: Id, bytes: Vec<u8>) {
        let segment = self.temper.segment;
        let socket = self.socket(id);
        if socket.shut_in && socket.shut_out {
            // Nobody will ever receive them, and the sender is told so.
            let other = self.other_end(id);
            self.reset_arrives(id);
            other.into_iter().for_each(|other| self.fly(other, Arrival::Reset));
            return;
        }
        let inbox = &mut self.socket_mut(id).stream_mut().inbox;
        match inbox.back_mut() {
            // Small ones grow together, as in Linux.
            Some(last) if last.bytes.len() + bytes.len() <= segment => last.bytes.extend(bytes),
            _ => inbox.push_back(Segment { bytes, done: 0 }),
        }
    }
}

/// Ending connections.
impl Net {
    pub fn fin_arrives(&mut self, id: Id) {
        let socket = self.socket_mut(id);
        socket.stream_mut().fin = true;
        if socket.shut_out {
            end(socket);
        }
    }

    pub fn reset_arrives(&mut self, id: Id) {
        let socket = self.socket_mut(id);
        let errno = match socket.stream().phase {
            Phase::Connecting => libc::ECONNREFUSED,
            Phase::Connected if socket.stream().fin => libc::EPIPE,
            Phase::Connected => libc::ECONNRESET,
            Phase::Fresh | Phase::Listening(_) | Phase::Ended => return, // Too late to matter.
        };
        socket.error = Some(Errno(errno));
        end(socket);
    }

    #[cfg(test)]
    pub fn reset_from_outside(&mut self, id: Id) {
        self.fly(id, Arrival::Reset);
    }

    pub fn shut_stream(&mut self, id: Id, input: bool, output: bool) -> Result<()> {
        let other = self.other_end(id);
        let socket = self.socket_mut(id);
        let answer = match socket.stream().phase {
            Phase::Listening(_) if input => {
                self.stop_listening(id);
                Ok(())
            }
            Phase::Listening(_) => Ok(()),
            Phase::Connecting => {
                self.disconnect_stream(id);
                Ok(())
            }
            Phase::Connected => {
                let first = output && !socket.shut_out;
                socket.shut_in |= input;
                socket.shut_out |= output;
                let other = other.filter(|_| first);
                if socket.shut_out && socket.stream().fin {
                    end(socket);
                }
                other.into_iter().for_each(|other| self.fly(other, Arrival::Fin));
                Ok(())
            }
            // The marks are set all the same, as Linux does it.
            Phase::Fresh | Phase::Ended => {
                socket.shut_in |= input;
                socket.shut_out |= output;
                Err(Errno(libc::ENOTCONN))
            }
        };
        self.raise(id);
        answer
    }

    /// What the peer hears when the descriptor is closed; the socket itself then goes.
    pub fn close_stream(&mut self, id: Id) {
        let socket = self.socket(id);
        if socket.is_listening() {
            return self.stop_listening(id);
        }
        let unread = socket.stream().unread;
        let last_words = match (socket.aborts_on_close() || unread > 0, socket.shut_out) {
            (true, _) => Some(Arrival::Reset),
            (false, false) => Some(Arrival::Fin),
            (false, true) => None, // It has said so before.
        };
        let Some(other) = self.other_end(id) else { return };
        self.socket_mut(other).stream_mut().lost = unread;
        last_words.into_iter().for_each(|what| self.fly(other, what));
    }

    /// connect(AF_UNSPEC): back to a socket without connection, the peer being told by a reset.
    pub fn disconnect_stream(&mut self, id: Id) {
        let other = self.other_end(id);
        let socket = self.socket_mut(id);
        match socket.stream().phase {
            Phase::Fresh | Phase::Ended => {}
            Phase::Listening(_) => self.stop_listening(id),
            Phase::Connecting | Phase::Connected => {
                socket.error = Some(Errno(libc::ECONNRESET));
                other.into_iter().for_each(|other| self.fly(other, Arrival::Reset));
            }
        }
        self.start_over(id);
        self.raise(id);
    }

    fn start_over(&mut self, id: Id) {
        self.forget_name(id);
        let socket = self.socket_mut(id);
        *socket.stream_mut() = Stream::default();
        (socket.shut_in, socket.shut_out) = (false, false);
        socket.peer = None;
        socket.flights.clear();
    }

    /// Resets the connections that nobody accepted, and those that only knocked.
    fn stop_listening(&mut self, id: Id) {
        let socket = self.socket_mut(id);
        let phase = std::mem::take(&mut socket.stream_mut().phase);
        let coming = std::mem::take(&mut socket.flights);
        let Phase::Listening(backlog) = phase else { return };
        let coming = coming.into_iter().filter_map(|flight| match flight.what {
            Arrival::Connection(connection) => Some(connection),
            _ => None,
        });
        for connection in backlog.queue.into_iter().chain(coming) {
            if let Some(client) = self.other_end(connection) {
                self.fly(client, Arrival::Reset);
            }
            self.remove(connection);
        }
        for client in backlog.waiting {
            if self.is_knocking(client, id) {
                self.fly(client, Arrival::Reset);
            }
        }
    }
}

/// TCP_CLOSE: nothing goes in or out any more. What has arrived can still be received.
fn end(socket: &mut Socket) {
    (socket.shut_in, socket.shut_out) = (true, true);
    socket.flights.clear();
    let stream = socket.stream_mut();
    stream.phase = Phase::Ended;
    stream.other = None;
}

impl Socket {
    /// The peer's address as accept tells it: even of a connection that has gone again.
    pub fn caller(&self) -> crate::address::Address {
        let peer = self.peer.expect("a connection has two ends");
        names::write(peer, self.family)
    }
}
