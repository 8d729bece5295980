//! The echo by readiness: what the three models have in common that hear when a call would not
//! wait. Each thread has a set of sockets, and one buffer for all of them.

use std::net::Shutdown;

use winsock::{
    AnySocket, Error, EventSet, Interest, Key, Message, MessageLoop, Notice, Poster, Ready,
    ReadySet, Rejected, Result, TcpSocket,
};

use super::BUFFER;
use super::groups::{Member, Order};
use super::tally::Tally;

/// What a set keeps of a client.
#[derive(Default)]
pub struct Client {
    /// What the socket had no room for, from `sent` on. Nothing is received until it has gone out.
    rest: Vec<u8>,
    sent: usize,
    /// Our side is shut down, and we wait for the client to end its own.
    parted: bool,
}

/// A model of readiness.
pub trait Set: Sized {
    fn new() -> Result<Self>;
    fn poster(&self) -> Poster<Order>;
    fn insert(&mut self, socket: TcpSocket) -> std::result::Result<Key, Rejected<Client>>;
    fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut Client)>;
    fn remove(&mut self, key: Key);
    fn set_interest(&mut self, key: Key, interest: Interest);
    fn keys(&self) -> Vec<Key>;
    fn next(&mut self) -> Result<Notice<Order>>;
}

macro_rules! set {
    ($set:ident, $next:expr) => {
        impl Set for $set<Client, Order> {
            fn new() -> Result<Self> {
                $set::new()
            }

            fn poster(&self) -> Poster<Order> {
                $set::poster(self)
            }

            fn insert(&mut self, socket: TcpSocket) -> std::result::Result<Key, Rejected<Client>> {
                $set::insert(self, socket, Client::default(), Interest::READ)
            }

            #[inline]
            fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut Client)> {
                $set::get_mut(self, key)
            }

            fn remove(&mut self, key: Key) {
                drop($set::remove(self, key));
            }

            fn set_interest(&mut self, key: Key, interest: Interest) {
                $set::set_interest(self, key, interest);
            }

            fn keys(&self) -> Vec<Key> {
                self.iter().map(|(key, _, _)| key).collect()
            }

            #[inline]
            fn next(&mut self) -> Result<Notice<Order>> {
                $set::next(self, None).map(|next| $next(next.expect("there is no time-out")))
            }
        }
    };
}

set!(ReadySet, |notice| notice);
set!(EventSet, |notice| notice);
set!(MessageLoop, |message| match message {
    Message::Ready(ready) => Notice::Ready(ready),
    Message::Post(order) => Notice::Post(order),
    Message::Timer(_) | Message::Quit(_) => unreachable!("there is no timer, and nobody quits"),
});

/// What each thread does.
pub fn work<S: Set>(member: Member) -> Tally {
    let mut set = match S::new() {
        Ok(set) => set,
        Err(error) => {
            member.take_orders(Err(error));
            return Tally::default();
        }
    };
    let poster = set.poster();
    member.take_orders(Ok(Box::new(move |order| poster.post(order).is_ok())));
    let (buf, tally) = (vec![0; BUFFER], Tally::default());
    let mut echo = Echo { set: &mut set, member: &member, buf, tally, stopping: false };
    loop {
        match echo.set.next().expect("the set can wait") {
            Notice::Ready(ready) => echo.turn(ready),
            Notice::Post(Order::Serve(socket)) => echo.begin(socket),
            Notice::Post(Order::Stop) => echo.stop(),
            Notice::Post(Order::Cut) => echo.cut(),
            Notice::Post(Order::End) => return echo.tally,
        }
    }
}

/// How it stands with a client.
enum Step {
    /// It is told of again when there is something to do.
    Waits,
    /// The socket is full: what is left goes out when there is room.
    Full,
    /// What was left has gone out.
    Drained,
    Ended,
}

struct Echo<'a, S> {
    set: &'a mut S,
    member: &'a Member,
    buf: Vec<u8>,
    tally: Tally,
    stopping: bool,
}

impl<S: Set> Echo<'_, S> {
    fn begin(&mut self, socket: TcpSocket) {
        match self.set.insert(socket) {
            Ok(key) => {
                let greeting = &self.member.greeting;
                if !greeting.is_empty()
                    && let Some((socket, client)) = self.set.get_mut(key)
                {
                    let done = client.send(tcp(socket), greeting);
                    self.settle(key, done);
                }
            }
            Err(rejected) => {
                self.tally.errors += 1;
                tracing::debug!("a connection was not taken in: {}", rejected.error);
                drop(rejected);
                self.member.leave();
            }
        }
    }

    #[inline]
    fn turn(&mut self, ready: Ready) {
        let Some((socket, client)) = self.set.get_mut(ready.key) else { return };
        let socket = tcp(socket);
        let done = if !client.rest.is_empty() {
            client.go_on(socket)
        } else {
            client.echo(socket, &mut self.buf, &mut self.tally)
        };
        self.settle(ready.key, done);
    }

    #[inline]
    fn settle(&mut self, key: Key, done: Result<Step>) {
        match done {
            Ok(Step::Waits) if self.stopping => self.finish(key),
            Ok(Step::Waits) => {}
            Ok(Step::Full) => self.set.set_interest(key, Interest::WRITE),
            Ok(Step::Drained) => {
                self.set.set_interest(key, Interest::READ);
                if self.stopping {
                    self.finish(key);
                }
            }
            Ok(Step::Ended) => self.end(key),
            Err(error) => self.failed(key, error),
        }
    }

    #[cold]
    fn failed(&mut self, key: Key, error: Error) {
        if !self.stopping {
            self.tally.errors += 1;
            tracing::debug!("a connection failed: {error}");
        }
        self.end(key);
    }

    /// Closes the socket.
    fn end(&mut self, key: Key) {
        self.set.remove(key);
        self.member.leave();
    }

    fn stop(&mut self) {
        self.stopping = true;
        for key in self.set.keys() {
            self.finish(key);
        }
    }

    /// The server stops: what the client has sent already is sent back, then our side ends.
    #[cold]
    fn finish(&mut self, key: Key) {
        loop {
            let Some((socket, client)) = self.set.get_mut(key) else { return };
            if client.parted || !client.rest.is_empty() {
                return;
            }
            let before = self.tally.messages;
            match client.echo(tcp(socket), &mut self.buf, &mut self.tally) {
                Ok(Step::Waits) if self.tally.messages > before => {}
                // There is nothing left.
                Ok(Step::Waits) => return self.part(key),
                done => return self.settle(key, done),
            }
        }
    }

    /// Ends our side of the connection, and waits for the client to end its own. Closing at once
    /// would reset a connection on which something is still arriving, and might take from the
    /// client what it has not read yet.
    fn part(&mut self, key: Key) {
        let Some((socket, client)) = self.set.get_mut(key) else { return };
        client.parted = true;
        if tcp(socket).shutdown(Shutdown::Write).is_err() {
            self.end(key);
        }
    }

    /// Ends what stopping could not: connections whose clients do not end them, or do not read.
    fn cut(&mut self) {
        for key in self.set.keys() {
            self.end(key);
        }
    }
}

impl Client {
    /// Takes what is there, once, and sends it back.
    #[inline]
    fn echo(&mut self, socket: &TcpSocket, buf: &mut [u8], tally: &mut Tally) -> Result<Step> {
        match socket.recv(buf) {
            Ok(0) => Ok(Step::Ended),
            Ok(bytes) => {
                tally.messages += 1;
                tally.bytes += bytes as u64;
                // What comes after we have ended our side comes too late.
                if self.parted { Ok(Step::Waits) } else { self.send(socket, &buf[..bytes]) }
            }
            Err(Error::WOULD_BLOCK) => Ok(Step::Waits),
            Err(error) => Err(error),
        }
    }

    #[inline]
    fn send(&mut self, socket: &TcpSocket, bytes: &[u8]) -> Result<Step> {
        match send_all(socket, bytes)? {
            sent if sent == bytes.len() => Ok(Step::Waits),
            sent => {
                self.rest.extend_from_slice(&bytes[sent..]);
                Ok(Step::Full)
            }
        }
    }

    /// Sends the rest, as far as it goes.
    #[cold]
    fn go_on(&mut self, socket: &TcpSocket) -> Result<Step> {
        self.sent += send_all(socket, &self.rest[self.sent..])?;
        if self.sent < self.rest.len() {
            return Ok(Step::Full);
        }
        // Few clients ever fill their socket: those that did need not keep the room.
        (self.rest, self.sent) = (Vec::new(), 0);
        Ok(Step::Drained)
    }
}

/// How much of it the socket had room for.
#[inline]
fn send_all(socket: &TcpSocket, bytes: &[u8]) -> Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match socket.send(&bytes[sent..]) {
            Ok(count) => sent += count,
            Err(Error::WOULD_BLOCK) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
}

fn tcp(socket: &AnySocket) -> &TcpSocket {
    match socket {
        AnySocket::Tcp(socket) => socket,
        AnySocket::Udp(_) | AnySocket::Listener(_) => unreachable!("clients alone are in a set"),
    }
}
