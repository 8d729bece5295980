//! The thread that accepts clients, with a blocking call, and deals them out to the threads that
//! serve them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use winsock::{Error, Listener, TcpSocket};

use super::crowd::{Crowd, Guest};
use super::tally::Tally;
use super::watch::{Limit, Warning};
use crate::failure::Failure;

/// How long the thread may take to end. One that does not accepts nobody any more.
const ENDING: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(2);

/// A client for whom there is no thread, and why.
pub struct Undealt {
    pub client: TcpSocket,
    pub why: String,
}

pub struct Acceptor {
    thread: JoinHandle<()>,
    at: SocketAddr,
    /// Keeps a descriptor, so that there is one to knock with.
    spare: Option<UdpSocket>,
    shared: Arc<Shared>,
}

struct Shared {
    crowd: Arc<Crowd>,
    limit: Limit,
    warning: Warning,
    connections: AtomicU64,
    errors: AtomicU64,
}

impl Acceptor {
    /// `deal` has a client served.
    pub fn start(
        listener: Listener,
        crowd: Arc<Crowd>,
        limit: Limit,
        deal: impl FnMut(TcpSocket, Guest) -> Result<(), Undealt> + Send + 'static,
    ) -> Result<Acceptor, Failure> {
        let at = listener.local_addr().map_err(|error| Failure::of("cannot listen", error))?;
        let (connections, errors) = (AtomicU64::new(0), AtomicU64::new(0));
        let warning = Warning::default();
        let shared = Arc::new(Shared { crowd, limit, warning, connections, errors });
        let accepting = Arc::clone(&shared);
        let thread = thread::Builder::new().spawn(move || accepting.accept_all(listener, deal));
        let thread = thread.map_err(|error| Failure::of("cannot start a thread", error))?;
        let spare = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok();
        Ok(Acceptor { thread, at, spare, shared })
    }

    /// Wakes the thread out of its blocking call, and waits until it has closed the listener.
    pub fn end(self) -> Tally {
        let Shared { crowd, connections, errors, .. } = &*self.shared;
        crowd.shut();
        drop(self.spare);
        let ip = match self.at.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        let at = SocketAddr::new(ip, self.at.port());
        let begun = Instant::now();
        let mut heard = false;
        while !self.thread.is_finished() && begun.elapsed() < ENDING {
            heard = heard || TcpStream::connect_timeout(&at, ENDING).is_ok();
            thread::sleep(PAUSE);
        }
        let (connections, errors) =
            (connections.load(Ordering::Relaxed), errors.load(Ordering::Relaxed));
        Tally { connections, errors, ..Tally::default() }
    }
}

impl Shared {
    fn accept_all(
        &self,
        listener: Listener,
        mut deal: impl FnMut(TcpSocket, Guest) -> Result<(), Undealt>,
    ) {
        loop {
            let accepted = listener.accept();
            if self.crowd.is_shut() {
                // The last one was to wake us. Whoever sees the end of its stream shall find that
                // nobody listens.
                drop(listener);
                return;
            }
            match accepted {
                Ok((client, _)) => {
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    if let Some(late) = self.have_served(client, &mut deal) {
                        drop(listener);
                        drop(late);
                        return;
                    }
                }
                // The client has gone already.
                Err(Error::CONNECTION_RESET | Error::CONNECTION_ABORTED) => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    tracing::debug!("an accept failed: {error}");
                    self.warning.give(self.limit);
                    self.crowd.wait_for_room();
                }
            }
        }
    }

    /// A client for whom there is no thread waits, and so do those behind it. It comes back if the
    /// server stops meanwhile.
    fn have_served(
        &self,
        mut client: TcpSocket,
        deal: &mut impl FnMut(TcpSocket, Guest) -> Result<(), Undealt>,
    ) -> Option<TcpSocket> {
        loop {
            let Err(undealt) = deal(client, self.crowd.enter()) else { return None };
            self.warning.give(undealt.why);
            client = undealt.client;
            if !self.crowd.wait_for_room() {
                return Some(client);
            }
        }
    }
}
