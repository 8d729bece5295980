//! The echo with blocking calls: a thread for every client, and one that accepts.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use winsock::{Error, Listener, TcpSocket};

use super::registry::Registry;
use super::tally::Tally;
use super::{BUFFER, Service, watch};
use crate::failure::Failure;

/// A client's thread calls few functions, none with much on its stack.
const STACK: usize = 128 * 1024;
/// How long the wake-up call to our own listener may take.
const KNOCK: Duration = Duration::from_millis(500);

struct Server {
    clients: Registry<Arc<Client>>,
    greeting: Vec<u8>,
    limit: u64,
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
        clients: Registry::new(watch.notify.clone(), usize::MAX),
        greeting,
        limit,
        stopping: AtomicBool::new(false),
        tally: Mutex::default(),
    });
    let acceptor = Arc::clone(&server);
    let start = thread::Builder::new().spawn(move || acceptor.accept_all(listener));
    start.map_err(|error| Failure::of("cannot start a thread", error))?;
    ready()?;
    // The acceptor notices by itself when there are no descriptors left.
    watch.until_signal(|| false, || false);
    server.stop();
    knock(at);
    watch.until_empty();
    let left = server.clients.all();
    let tallies = left.iter().map(|client| client.tally()).chain([*server.tally()]);
    Ok(tallies.sum())
}

impl Server {
    fn accept_all(self: Arc<Server>, listener: Listener) {
        let mut warned = false;
        loop {
            let accepted = listener.accept();
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            match accepted {
                Ok((socket, _)) => {
                    warned = false;
                    self.begin(socket);
                }
                // The client has gone already.
                Err(Error::CONNECTION_RESET | Error::CONNECTION_ABORTED) => {
                    self.tally().errors += 1;
                }
                Err(error) => {
                    tracing::debug!("an accept failed: {error}");
                    if !warned {
                        watch::warn(self.limit);
                        warned = true;
                    }
                    self.clients.wait_for_room();
                }
            }
        }
    }

    fn begin(self: &Arc<Server>, socket: TcpSocket) {
        self.tally().connections += 1;
        let client = self.clients.enter(|place| Arc::new(Client::new(socket, place)));
        let mut warned = false;
        loop {
            let (server, client) = (Arc::clone(self), Arc::clone(&client));
            let thread = thread::Builder::new().stack_size(STACK);
            match thread.spawn(move || server.attend(client)) {
                Ok(_) => return,
                Err(error) if !warned => {
                    tracing::warn!(
                        "no thread for a client, which waits until others leave: {error}"
                    );
                    warned = true;
                }
                Err(_) => {}
            }
            if !self.clients.wait_for_room() {
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
    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.clients.close();
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

/// Wakes the acceptor out of its blocking call.
fn knock(at: SocketAddr) {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    // Whether it was heard is seen by the acceptor's end.
    let _ = TcpStream::connect_timeout(&SocketAddr::new(ip, at.port()), KNOCK);
}
