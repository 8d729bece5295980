//! The echo with blocking calls: a thread for every client, and one that accepts.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use winsock::{Error, Listener, TcpSocket};

use super::crowd::Crowd;
use super::registry::Registry;
use super::tally::Tally;
use super::watch::{Limit, Warning};
use super::{BUFFER, Service};
use crate::failure::Failure;
use crate::os;

/// A client's thread calls few functions, none with much on its stack.
const STACK: usize = 128 * 1024;
/// How long the acceptor may take to end. If there is no descriptor to knock with, it waits for one
/// as well, and does no harm.
const ENDING: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

struct Server {
    clients: Registry<Arc<Client>>,
    crowd: Crowd,
    greeting: Arc<[u8]>,
    limit: Limit,
    /// Threads that can be had.
    most: usize,
    warning: Warning,
    /// The acceptor is to end. Before anybody parts: whoever sees the end of its stream shall find
    /// that nobody listens.
    closing: AtomicBool,
    stopping: AtomicBool,
    /// Of the clients that have left.
    tally: Mutex<Tally>,
}

struct Client {
    socket: TcpSocket,
    place: usize,
    /// Written by the client's thread alone.
    messages: AtomicU64,
    bytes: AtomicU64,
    /// Our side is shut down, and we wait for the client to end its own. Locked while something is
    /// sent, which the shutdown must not cut off.
    parted: Mutex<bool>,
}

/// A thread that blocks in a receive is woken by its client alone. So the threads are left to
/// themselves: what the process waits for at its end is that the registry is empty.
pub fn serve(
    service: Service,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, threads: _, limit, watch } = service;
    let at = listener.local_addr().map_err(|error| Failure::of("cannot listen", error))?;
    let server = Arc::new(Server {
        clients: Registry::new(),
        crowd: Crowd::new(watch.notify.clone(), limit.crowd()),
        greeting,
        limit,
        most: os::most_threads(),
        warning: Warning::default(),
        closing: AtomicBool::new(false),
        stopping: AtomicBool::new(false),
        tally: Mutex::default(),
    });
    let accepting = Arc::clone(&server);
    let acceptor = thread::Builder::new().spawn(move || accepting.accept_all(listener));
    let acceptor = acceptor.map_err(|error| Failure::of("cannot start a thread", error))?;
    ready()?;
    // The acceptor notices by itself when there are no descriptors left.
    watch.until_signal(|| false);
    server.closing.store(true, Ordering::SeqCst);
    end_acceptor(&acceptor, at);
    server.stopping.store(true, Ordering::SeqCst);
    server.part_all();
    watch.until_empty();
    let left = server.clients.all();
    let tallies = left.iter().map(|client| client.tally()).chain([*server.tally()]);
    Ok(tallies.sum())
}

impl Server {
    fn accept_all(self: Arc<Server>, listener: Listener) {
        loop {
            while self.crowd.live() >= self.most {
                self.warning
                    .give(format_args!("there are {} threads, no more can be had", self.most));
                if !self.crowd.wait_for_room() {
                    return;
                }
            }
            let accepted = listener.accept();
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            match accepted {
                Ok((socket, _)) => self.begin(socket),
                // The client has gone already.
                Err(Error::CONNECTION_RESET | Error::CONNECTION_ABORTED) => {
                    self.tally().errors += 1;
                }
                Err(error) => {
                    tracing::debug!("an accept failed: {error}");
                    self.warning.give(self.limit);
                    self.crowd.wait_for_room();
                }
            }
        }
    }

    fn begin(self: &Arc<Server>, socket: TcpSocket) {
        self.tally().connections += 1;
        self.crowd.enter();
        let client = self.clients.enter(|place| Arc::new(Client::new(socket, place)));
        loop {
            let (server, client) = (Arc::clone(self), Arc::clone(&client));
            let thread = thread::Builder::new().stack_size(STACK);
            match thread.spawn(move || server.attend(client)) {
                Ok(_) => return,
                Err(error) => self.warning.give(format_args!("no thread for a client: {error}")),
            }
            if !self.crowd.wait_for_room() {
                return;
            }
        }
    }

    /// A client's thread.
    fn attend(&self, client: Arc<Client>) {
        let done = self.echo(&client);
        let failed = done.is_err() && !self.stopping.load(Ordering::SeqCst);
        if let Err(error) = done {
            tracing::debug!("a connection failed: {error}");
        }
        let (place, tally) = (client.place, client.tally());
        drop(client);
        {
            let mut sum = self.tally();
            let errors = u64::from(failed);
            *sum = [*sum, tally, Tally { errors, ..Tally::default() }].into_iter().sum();
        }
        self.clients.leave(place);
        self.crowd.leave();
    }

    /// Until the client ends the connection.
    fn echo(&self, client: &Client) -> io::Result<()> {
        let mut buf = vec![0; BUFFER];
        client.send(&self.greeting)?;
        loop {
            if self.stopping.load(Ordering::SeqCst) {
                client.part(&mut client.parted());
            }
            match client.socket.recv(&mut buf)? {
                0 => return Ok(()),
                bytes => {
                    client.messages.fetch_add(1, Ordering::Relaxed);
                    client.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                    client.send(&buf[..bytes])?;
                }
            }
        }
    }

    /// No more clients, and those that are there are told that we have ended. One to which
    /// something is being sent is told by its thread, afterwards.
    fn part_all(&self) {
        self.crowd.close();
        for client in self.clients.all() {
            if let Ok(mut parted) = client.parted.try_lock() {
                client.part(&mut parted);
            }
        }
    }

    /// A panic under the lock leaves nothing half done.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn new(socket: TcpSocket, place: usize) -> Client {
        let (messages, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Client { socket, place, messages, bytes, parted: Mutex::new(false) }
    }

    /// Sends all of it, unless it comes too late.
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let parted = self.parted();
        if *parted { Ok(()) } else { (&self.socket).write_all(bytes) }
    }

    fn part(&self, parted: &mut bool) {
        if !*parted {
            *parted = true;
            // If it fails, the connection has ended already.
            let _ = self.socket.shutdown(Shutdown::Write);
        }
    }

    fn tally(&self) -> Tally {
        let (messages, bytes) =
            (self.messages.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        Tally { messages, bytes, ..Tally::default() }
    }

    fn parted(&self) -> MutexGuard<'_, bool> {
        self.parted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the acceptor out of its blocking call, and waits until it has closed the listener.
fn end_acceptor(acceptor: &JoinHandle<()>, at: SocketAddr) {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let knock = || TcpStream::connect_timeout(&SocketAddr::new(ip, at.port()), ENDING).is_ok();
    let begun = Instant::now();
    let mut heard = false;
    while !acceptor.is_finished() && begun.elapsed() < ENDING {
        heard = heard || knock();
        thread::sleep(PAUSE);
    }
}
