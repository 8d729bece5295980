//! The echo with blocking calls: a thread for every client, and one that accepts.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::Duration;

use winsock::{Error, Listener, TcpSocket};

use super::registry::Registry;
use super::tally::Tally;
use super::{BUFFER, Service, watch};
use crate::failure::Failure;

/// A client's thread calls few functions, none with much on its stack.
const STACK: usize = 128 * 1024;
/// How long the wake-up call to our own listener may take, and the pause before the next.
const KNOCK: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(20);

struct Server {
    clients: Registry<Arc<Client>>,
    greeting: Vec<u8>,
    limit: u64,
    stopping: AtomicBool,
    tally: Mutex<Tally>,
}

struct Client {
    socket: TcpSocket,
    place: usize,
}

pub fn serve(
    service: Service,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, threads: _, limit, watch } = service;
    let at = listener.local_addr().map_err(|error| Failure::of("cannot listen", error))?;
    let server = Server {
        clients: Registry::new(watch.notify.clone(), usize::MAX),
        greeting,
        limit,
        stopping: AtomicBool::new(false),
        tally: Mutex::default(),
    };
    let shared = &server;
    thread::scope(|scope| {
        let acceptor = scope.spawn(move || shared.accept_all(listener, scope));
        let announced = ready();
        if announced.is_ok() {
            // The acceptor notices by itself when there are no descriptors left.
            watch.until_signal(|| false, || false);
        }
        server.stop();
        knock(at);
        if !watch.until_empty() {
            server.shut(Shutdown::Both);
        }
        // It takes a descriptor to knock, and now there are some.
        while !acceptor.is_finished() {
            knock(at);
            thread::sleep(PAUSE);
        }
        announced
    })?;
    Ok(*server.tally())
}

impl Server {
    fn accept_all<'scope>(&'scope self, listener: Listener, scope: &'scope Scope<'scope, '_>) {
        let mut warned = false;
        loop {
            let accepted = listener.accept();
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            match accepted {
                Ok((socket, _)) => {
                    warned = false;
                    self.begin(socket, scope);
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

    fn begin<'scope>(&'scope self, socket: TcpSocket, scope: &'scope Scope<'scope, '_>) {
        self.tally().connections += 1;
        let client = self.clients.enter(|place| Arc::new(Client { socket, place }));
        let place = client.place;
        let mut warned = false;
        loop {
            let client = Arc::clone(&client);
            let thread = thread::Builder::new().stack_size(STACK);
            match thread.spawn_scoped(scope, move || self.attend(client)) {
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
                return self.clients.leave(place);
            }
        }
    }

    fn attend(&self, client: Arc<Client>) {
        let tally = self.echo(&client.socket);
        let place = client.place;
        drop(client);
        {
            let mut sum = self.tally();
            *sum = [*sum, tally].into_iter().sum();
        }
        self.clients.leave(place);
    }

    /// Until the client has enough, or we.
    fn echo(&self, mut socket: &TcpSocket) -> Tally {
        let mut tally = Tally::default();
        let mut buf = vec![0; BUFFER];
        let mut done = socket.write_all(&self.greeting);
        while done.is_ok() && !self.stopping.load(Ordering::Relaxed) {
            done = match socket.recv(&mut buf) {
                Ok(0) => return tally,
                Ok(bytes) => {
                    tally.messages += 1;
                    tally.bytes += bytes as u64;
                    socket.write_all(&buf[..bytes])
                }
                Err(error) => Err(error.into()),
            };
        }
        if let Err(error) = done
            && !self.stopping.load(Ordering::Relaxed)
        {
            tally.errors += 1;
            tracing::debug!("a connection failed: {error}");
        }
        tally
    }

    /// No more clients, and those that are there end once they would be waited for.
    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.clients.close();
        self.shut(Shutdown::Read);
    }

    fn shut(&self, how: Shutdown) {
        for client in self.clients.all() {
            // One that has gone meanwhile needs no ending.
            let _ = client.socket.shutdown(how);
        }
    }

    /// A panic under the lock leaves nothing half done.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
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
