//! The echo through a completion port: a few threads for any number of clients.
//!
//! Each connection has one operation under way, and travels with it: whichever thread takes the
//! completion has the connection. Nearly always that operation is a receive without room, which
//! completes when there is something to receive and leaves it there (rule 60). So a connection
//! holds no buffer while it is silent; what has come goes through the buffer of the thread, which
//! is warm, and only what the client does not take at once is given to a send.

use std::net::Shutdown;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, ScopedJoinHandle};

use winsock::{Accepted, Batch, Completion, Error, Listener, Operations, Port, TcpSocket, Ticket};

use super::registry::Registry;
use super::tally::Tally;
use super::watch::Warning;
use super::{BUFFER, Service};
use crate::failure::Failure;
use crate::os;

/// Accepts that wait for clients: a burst of so many is taken without going back to the kernel for
/// more.
const ACCEPTS: usize = 64;

struct Connection {
    socket: TcpSocket,
    place: usize,
    /// The last receive, for stopping to cancel. Locked while it is started, so that no other
    /// thread gets ahead and is then overwritten.
    receiving: Mutex<Option<Ticket>>,
    /// Our side is shut down, and we wait for the client to end its own.
    parted: AtomicBool,
}

/// What one thread works with.
struct Worker {
    buffer: Vec<u8>,
    tally: Tally,
}

/// Accepts and posts have none.
type Token = Option<Arc<Connection>>;

struct Server {
    port: Port<Token>,
    /// Gone once the server stops.
    listener: RwLock<Option<Listener>>,
    connections: Registry<Arc<Connection>>,
    greeting: Vec<u8>,
    stopping: AtomicBool,
    cutting: AtomicBool,
    /// Accepts that could not be posted for want of descriptors.
    owed: AtomicUsize,
}

pub fn serve(
    service: Service,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, threads, limit, watch } = service;
    let port = Port::with_concurrency(threads)
        .map_err(|error| Failure::of("cannot make a completion port", error))?;
    let server = Server {
        port,
        listener: RwLock::new(Some(listener)),
        connections: Registry::new(watch.notify.clone(), limit.crowd()),
        greeting,
        stopping: AtomicBool::new(false),
        cutting: AtomicBool::new(false),
        owed: AtomicUsize::new(0),
    };
    for _ in 0..ACCEPTS {
        server.accept();
    }
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| server.work())).collect();
        let announced = ready();
        if announced.is_ok() {
            let warning = Warning::default();
            watch.until_signal(|| {
                if server.is_starved() {
                    warning.give(limit);
                    server.accept_owed();
                }
                server.connections.is_crowded() || server.is_starved()
            });
        }
        server.stop();
        if !watch.until_empty() {
            server.cut();
            watch.until_cut();
        }
        server.port.post(None);
        let join = |worker: ScopedJoinHandle<_>| worker.join().unwrap_or_else(|e| resume_unwind(e));
        let tally = workers.into_iter().map(join).sum();
        announced.map(|()| tally)
    })
}

impl Server {
    /// One thread's work, until a post ends it.
    fn work(&self) -> Tally {
        let mut worker = Worker { buffer: vec![0; BUFFER], tally: Tally::default() };
        let mut batch = Batch::default();
        loop {
            let completions = self.port.wait(&mut batch, None);
            for completion in completions.expect("the port is open") {
                if !self.handle(completion, &mut worker) {
                    return worker.tally;
                }
            }
        }
    }

    /// Takes the next step after an operation has ended; `false` when the thread is to end.
    #[inline]
    fn handle(&self, completion: Completion<Token>, worker: &mut Worker) -> bool {
        let tally = &mut worker.tally;
        match completion {
            Completion::Recv { token: Some(connection), result, .. } => match result {
                Ok(_) => self.turn(connection, worker),
                Err(Error::OPERATION_ABORTED) => self.part(connection),
                Err(error) => self.failed(connection, error, tally),
            },
            Completion::Send { token: Some(connection), result, .. } => match result {
                Ok(_) => self.receive(&connection),
                Err(error) => self.failed(connection, error, tally),
            },
            Completion::Accept { result, .. } => match result {
                Ok(accepted) => {
                    tally.connections += 1;
                    self.accept();
                    self.begin(accepted);
                }
                Err(error) => self.not_accepted(error, tally),
            },
            Completion::Post { .. } => {
                // The other threads are to end, too.
                self.port.post(None);
                return false;
            }
            Completion::Recv { token: None, .. }
            | Completion::Send { token: None, .. }
            | Completion::Connect { .. }
            | Completion::Disconnect { .. }
            | Completion::RecvFrom { .. }
            | Completion::SendTo { .. }
            | Completion::Transmit { .. } => unreachable!("no such operation was started"),
        }
        true
    }

    fn accept(&self) {
        let listener = self.listener.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &*listener {
            self.port.accept(listener, None);
        }
    }

    fn begin(&self, accepted: Accepted) {
        let socket = accepted.socket;
        // What has come is taken, and sent back, without waiting.
        if let Err(error) = socket.set_nonblocking(true) {
            return tracing::debug!("a connection failed: {error}");
        }
        let connection = self.connections.enter(|place| {
            let (receiving, parted) = (Mutex::new(None), AtomicBool::new(false));
            Arc::new(Connection { socket, place, receiving, parted })
        });
        if self.greeting.is_empty() {
            self.receive(&connection);
        } else {
            self.send(&connection, self.greeting.clone());
        }
    }

    /// Takes what has come, and sends it back.
    #[inline]
    fn turn(&self, connection: Arc<Connection>, worker: &mut Worker) {
        let Worker { buffer, tally } = worker;
        let message = match connection.socket.recv(buffer) {
            Ok(0) => return self.end(connection),
            Ok(bytes) => &buffer[..bytes],
            Err(Error::WOULD_BLOCK) => &[],
            Err(error) => return self.failed(connection, error, tally),
        };
        // What comes after our end is too late: the client has the end of our stream, or soon.
        if message.is_empty() || connection.parted.load(Ordering::Relaxed) {
            return self.receive(&connection);
        }
        tally.messages += 1;
        tally.bytes += message.len() as u64;
        match connection.socket.send(message) {
            Ok(sent) if sent == message.len() => self.receive(&connection),
            Ok(sent) => self.send(&connection, message[sent..].to_vec()),
            Err(Error::WOULD_BLOCK) => self.send(&connection, message.to_vec()),
            Err(error) => self.failed(connection, error, tally),
        }
    }

    /// Waits for something to receive.
    #[inline]
    fn receive(&self, connection: &Arc<Connection>) {
        let token = Some(Arc::clone(connection));
        let mut receiving = connection.receiving.lock().unwrap_or_else(PoisonError::into_inner);
        let ticket = self.port.recv(&connection.socket, Vec::new(), token);
        *receiving = Some(ticket);
        drop(receiving);
        // What came before is still taken: cancelling ends a receive only if it has to wait.
        if self.stopping.load(Ordering::Relaxed) && !connection.parted.load(Ordering::Relaxed) {
            self.port.cancel(ticket);
        }
    }

    fn send(&self, connection: &Arc<Connection>, buf: Vec<u8>) {
        self.port.send(&connection.socket, buf, Some(Arc::clone(connection)));
    }

    /// A receive was cancelled, because the server stops: ends our side of the connection, and
    /// waits for the client to end its own. Closing at once would reset a connection on which
    /// something is still arriving, and might take from the client what it has not read yet.
    #[cold]
    fn part(&self, connection: Arc<Connection>) {
        if self.cutting.load(Ordering::Relaxed)
            || connection.socket.shutdown(Shutdown::Write).is_err()
        {
            return self.end(connection);
        }
        connection.parted.store(true, Ordering::Relaxed);
        self.receive(&connection);
    }

    #[cold]
    fn failed(&self, connection: Arc<Connection>, error: Error, tally: &mut Tally) {
        if !self.stopping.load(Ordering::Relaxed) {
            tally.errors += 1;
            tracing::debug!("a connection failed: {error}");
        }
        self.end(connection);
    }

    /// Forgets the connection, which closes its socket.
    fn end(&self, connection: Arc<Connection>) {
        let place = connection.place;
        drop(connection);
        self.connections.leave(place);
        if self.owed.load(Ordering::Relaxed) > 0 {
            self.accept_owed();
        }
    }

    #[cold]
    fn not_accepted(&self, error: Error, tally: &mut Tally) {
        if self.listener.read().unwrap_or_else(PoisonError::into_inner).is_none() {
            return;
        }
        tracing::debug!("an accept failed: {error}");
        match error {
            // The client has gone already; the next accept is as good as this one.
            Error::CONNECTION_RESET | Error::CONNECTION_ABORTED => {
                tally.errors += 1;
                self.accept();
            }
            // The next would fail as well. It is made good when somebody leaves, or after a while.
            _ => {
                self.owed.fetch_add(1, Ordering::Relaxed);
                self.connections.alert();
            }
        }
    }

    #[cold]
    fn accept_owed(&self) {
        let one_less = |owed: usize| owed.checked_sub(1);
        if self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            self.accept();
        }
    }

    /// Whether clients wait for want of descriptors.
    fn is_starved(&self) -> bool {
        os::accepts_are_starved() || self.owed.load(Ordering::Relaxed) > 0
    }

    /// No more accepts, and connections end as soon as they would wait for their client. What is
    /// being sent is sent, and what has been received already is sent back.
    fn stop(&self) {
        // First of all: whoever sees the end of its stream shall find that nobody listens.
        let listener = self.listener.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(listener);
        self.stopping.store(true, Ordering::Relaxed);
        self.connections.close();
        for connection in self.connections.all() {
            // The lock orders this after the store above for whoever receives from now on.
            let receiving = connection.receiving.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(ticket) = *receiving {
                self.port.cancel(ticket);
            }
        }
    }

    /// Ends what stopping could not: connections whose clients do not end them, or do not read.
    fn cut(&self) {
        self.cutting.store(true, Ordering::Relaxed);
        for connection in self.connections.all() {
            connection.socket.cancel();
        }
    }
}
