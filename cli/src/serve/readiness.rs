//! The echo by readiness: what the three models have in common that hear when a call would not
//! wait. Each thread has a set of sockets, and one buffer for all of them.

use std::net::Shutdown;
use std::time::Duration;

use winsock::{
    AnySocket, Error, EventSet, Interest, Key, Member, Message, MessageLoop, Notice, Order, Poster,
    Ready, ReadySet, Rejected, Result, TcpSocket,
};

use super::BUFFER;
use super::crowd::Guest;
use super::groups::{Arrival, Hall, LOOK};
use super::tally::Tally;

/// What a set keeps of a client.
pub struct Client {
    /// What the socket had no room for, from `sent` on. Nothing is received until it has gone out.
    rest: Vec<u8>,
    sent: usize,
    /// Our side is shut down, and we wait for the client to end its own.
    parted: bool,
    _guest: Guest,
}

/// What other threads post.
type Post = Order<Arrival>;

/// A model of readiness.
pub trait Set: Sized {
    fn new() -> Result<Self>;
    fn poster(&self) -> Poster<Post>;
    fn insert(
        &mut self,
        socket: TcpSocket,
        client: Client,
    ) -> std::result::Result<Key, Rejected<Client>>;
    fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut Client)>;
    fn remove(&mut self, key: Key);
    fn set_interest(&mut self, key: Key, interest: Interest);
    fn keys(&self) -> Vec<Key>;
    fn is_empty(&self) -> bool;
    fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Notice<Post>>>;
}

macro_rules! set {
    ($set:ident, $next:expr) => {
        impl Set for $set<Client, Post> {
            fn new() -> Result<Self> {
                $set::new()
            }

            fn poster(&self) -> Poster<Post> {
                $set::poster(self)
            }

            fn insert(
                &mut self,
                socket: TcpSocket,
                client: Client,
            ) -> std::result::Result<Key, Rejected<Client>> {
                $set::insert(self, socket, client, Interest::READ)
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

            fn is_empty(&self) -> bool {
                $set::is_empty(self)
            }

            #[inline]
            fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Notice<Post>>> {
                $set::next(self, timeout).map(|next| next.map($next))
            }
        }
    };
}

set!(ReadySet, |notice| notice);
set!(EventSet, |notice| notice);
set!(MessageLoop, |message| match message {
    Message::Ready(ready) => Notice::Ready(ready),
    Message::Post(post) => Notice::Post(post),
    Message::Timer(_) | Message::Quit(_) => unreachable!("there is no timer, and nobody quits"),
});

/// What each thread does.
pub fn work<S: Set>(hall: &Hall, member: Member<Arrival>) {
    let set = match S::new() {
        Ok(set) => set,
        Err(error) => return hall.complain(error),
    };
    member.ready(set.poster());
    let (buf, tally) = (vec![0; BUFFER], Tally::default());
    let mut echo = Echo { set, hall, buf, tally, stopping: false };
    while !echo.stopping || !echo.set.is_empty() {
        if echo.stopping && hall.is_cutting() {
            echo.cut();
        }
        match echo.set.next(echo.stopping.then_some(LOOK)).expect("the set can wait") {
            Some(Notice::Ready(ready)) => echo.turn(ready),
            Some(Notice::Post(Order::Serve(arrival, seat))) => {
                echo.begin(arrival.socket, arrival.guest.seated(seat));
            }
            Some(Notice::Post(Order::Stop)) => echo.stop(),
            None => {}
        }
    }
    hall.add(echo.tally);
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
    set: S,
    hall: &'a Hall,
    buf: Vec<u8>,
    tally: Tally,
    stopping: bool,
}

impl<S: Set> Echo<'_, S> {
    fn begin(&mut self, socket: TcpSocket, guest: Guest) {
        let client = Client { rest: Vec::new(), sent: 0, parted: false, _guest: guest };
        match self.set.insert(socket, client) {
            Ok(key) => {
                let greeting = &self.hall.greeting;
                if !greeting.is_empty()
                    && let Some((socket, client)) = self.set.get_mut(key)
                {
                    let done = client.send(tcp(socket), greeting);
                    self.settle(key, done);
                }
            }
            Err(rejected) => {
                self.tally.errors += 1;
                self.hall.complain(&rejected);
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
            if self.hall.is_cutting() {
                return self.end(key);
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
