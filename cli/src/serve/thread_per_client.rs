//! The echo with blocking calls: a thread for every client, and one that accepts.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use winsock::TcpSocket;

use super::acceptor::{Acceptor, Undealt};
use super::crowd::{Crowd, Guest};
use super::registry::Registry;
use super::tally::Tally;
use super::{BUFFER, Service};
use crate::failure::Failure;
use crate::os;

/// A client's thread calls few functions, none with much on its stack.
const STACK: usize = 128 * 1024;

struct Server {
    clients: Registry<Arc<Client>>,
    crowd: Arc<Crowd>,
    greeting: Arc<[u8]>,
    /// Threads that can be had.
    most: usize,
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
    _guest: Guest,
}

/// A thread that blocks in a receive is woken by its client alone. So the threads are left to
/// themselves: what the process waits for at its end is that the registry is empty.
pub fn serve(
    service: Service,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, threads: _, limit, watch } = service;
    let crowd = Arc::new(Crowd::new(watch.notify.clone(), limit.crowd()));
    let server = Arc::new(Server {
        clients: Registry::new(),
        crowd: Arc::clone(&crowd),
        greeting,
        most: os::most_threads(),
        stopping: AtomicBool::new(false),
        tally: Mutex::default(),
    });
    let dealing = Arc::clone(&server);
    let deal = move |client, guest| dealing.begin(client, guest);
    let acceptor = Acceptor::start(listener, Arc::clone(&crowd), limit, deal)?;
    let announced = ready();
    if announced.is_ok() {
        // The acceptor notices by itself when there are no descriptors left.
        watch.until_signal(|| false);
    }
    let accepted = acceptor.end();
    server.stopping.store(true, Ordering::SeqCst);
    crowd.close();
    server.part_all();
    watch.until_empty();
    let left = server.clients.all();
    let tallies = left.iter().map(|client| client.tally()).chain([accepted, *server.tally()]);
    let tally = tallies.sum();
    announced.map(|()| tally)
}

impl Server {
    /// Starts a client's thread.
    fn begin(self: &Arc<Server>, socket: TcpSocket, guest: Guest) -> Result<(), Undealt> {
        if self.crowd.live() > self.most {
            let why = format!("there are {} threads, no more can be had", self.most);
            return Err(Undealt { client: socket, why });
        }
        let client = self.clients.enter(|place| Arc::new(Client::new(socket, place, guest)));
        let (server, attended) = (Arc::clone(self), Arc::clone(&client));
        let thread = thread::Builder::new().stack_size(STACK);
        match thread.spawn(move || server.attend(attended)) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.clients.leave(client.place);
                // Nobody else has it any more: the thread's part went with the thread.
                let client = Arc::into_inner(client).expect("the last one").socket;
                Err(Undealt { client, why: format!("no thread for a client: {error}") })
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

    /// Those that are there are told that we have ended. One to which
    /// something is being sent is told by its thread, afterwards.
    fn part_all(&self) {
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
    fn new(socket: TcpSocket, place: usize, guest: Guest) -> Client {
        let (messages, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        Client { socket, place, messages, bytes, parted: Mutex::new(false), _guest: guest }
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
