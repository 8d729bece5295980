//! The echo through a completion port: a few threads for any number of clients.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, ScopedJoinHandle};

use winsock::{Batch, Completion, Error, Listener, Operations, Order, Port};

use super::Service;
use super::completion::{Echo, Token, Turn};
use super::crowd::Crowd;
use super::tally::Tally;
use super::watch::Warning;
use crate::failure::Failure;
use crate::os;

/// Accepts that wait for clients: a burst of so many is taken without going back to the kernel for
/// more.
const ACCEPTS: usize = 64;

struct Server {
    port: Port<Token>,
    /// Gone once the server stops.
    listener: RwLock<Option<Listener>>,
    echo: Echo,
    crowd: Arc<Crowd>,
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
        echo: Echo::new(greeting),
        crowd: Arc::new(Crowd::new(watch.notify.clone(), limit.crowd())),
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
                server.crowd.is_crowded() || server.is_starved()
            });
        }
        server.stop();
        if !watch.until_empty() {
            server.echo.cut();
            watch.until_cut();
        }
        server.post_end();
        let join = |worker: ScopedJoinHandle<_>| worker.join().unwrap_or_else(|e| resume_unwind(e));
        let tally = workers.into_iter().map(join).sum();
        announced.map(|()| tally)
    })
}

impl Server {
    /// One thread's work, until a post ends it.
    fn work(&self) -> Tally {
        let mut tally = Tally::default();
        let mut batch = Batch::default();
        loop {
            let completions = self.port.wait(&mut batch, None);
            for completion in completions.expect("the port is open") {
                match self.echo.turn(&self.port, completion, &mut tally) {
                    Turn::Done => {}
                    Turn::Ended => {
                        if self.owed.load(Ordering::Relaxed) > 0 {
                            self.accept_owed();
                        }
                    }
                    Turn::Other(Completion::Accept { result, .. }) => match result {
                        Ok(accepted) => {
                            tally.connections += 1;
                            self.accept();
                            let guest = self.crowd.enter();
                            self.echo.begin(&self.port, accepted.socket, guest);
                        }
                        Err(error) => self.not_accepted(error, &mut tally),
                    },
                    Turn::Other(Completion::Post { .. }) => {
                        // The other threads are to end, too.
                        self.post_end();
                        return tally;
                    }
                    Turn::Other(_) => unreachable!("no such operation was started"),
                }
            }
        }
    }

    fn post_end(&self) {
        self.port.post(Token::Order(Order::Stop));
    }

    fn accept(&self) {
        let listener = self.listener.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = &*listener {
            self.port.accept(listener, Token::Accept);
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
                self.crowd.alert();
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

    /// No more accepts, and connections end as soon as they would wait for their client.
    fn stop(&self) {
        // First of all: whoever sees the end of its stream shall find that nobody listens.
        let listener = self.listener.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(listener);
        // An accept that has ended before is still to be handled: its client finds the server
        // stopping.
        self.echo.stop(&self.port);
        self.crowd.close();
    }
}
