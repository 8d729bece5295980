//! The thread that accepts clients and deals them out to the threads that serve them.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use winsock::{Completion, Error, Listener, Operations, OverlappedSet, Poster, TcpSocket};

use super::crowd::Crowd;
use super::groups::Groups;
use super::tally::Tally;
use super::watch::{Limit, Warning};
use crate::failure::Failure;
use crate::os;

/// Accepts that wait for clients: a burst of so many is taken without going back to the kernel for
/// more.
const ACCEPTS: usize = 32;
/// When an accept that failed is tried again, if nobody leaves before.
const AGAIN: Duration = Duration::from_millis(500);

/// Accepts have nothing to tell, and what is posted is that the thread is to end.
type Token = ();

pub struct Acceptor {
    thread: JoinHandle<(Groups, Tally)>,
    poster: Poster<Token>,
    shared: Arc<Shared>,
}

struct Shared {
    crowd: Arc<Crowd>,
    closing: AtomicBool,
    /// Accepts that could not be posted for want of descriptors.
    owed: AtomicUsize,
    warning: Warning,
    limit: Limit,
}

impl Acceptor {
    pub fn start(
        listener: Listener,
        groups: Groups,
        crowd: Arc<Crowd>,
        limit: Limit,
    ) -> Result<Acceptor, Failure> {
        let (closing, owed) = (AtomicBool::new(false), AtomicUsize::new(0));
        let shared = Arc::new(Shared { crowd, closing, owed, warning: Warning::default(), limit });
        let (ready, starts) = channel();
        let accepting = Arc::clone(&shared);
        let thread = thread::Builder::new().spawn(move || accepting.run(listener, groups, ready));
        let thread = thread.map_err(|error| Failure::of("cannot start a thread", error))?;
        let poster = match starts.recv() {
            Ok(Ok(poster)) => poster,
            Ok(Err(error)) => return Err(Failure::of("cannot accept", error)),
            Err(_) => return Err(Failure::Failed("the thread that accepts has failed".into())),
        };
        Ok(Acceptor { thread, poster, shared })
    }

    /// Speaks up when clients wait for want of descriptors; whether there is something to look
    /// after.
    pub fn look(&self) -> bool {
        let starved = os::accepts_are_starved() || self.shared.owed.load(Ordering::Relaxed) > 0;
        if starved {
            self.shared.warning.give(self.shared.limit);
        }
        starved || self.shared.crowd.is_crowded()
    }

    /// Closes the listener, and gives what has served.
    pub fn end(self) -> (Groups, Tally) {
        self.shared.closing.store(true, Ordering::Relaxed);
        // If it has ended already, joining it tells why.
        let _ = self.poster.post(());
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Shared {
    fn run(
        &self,
        listener: Listener,
        mut groups: Groups,
        ready: Sender<winsock::Result<Poster<Token>>>,
    ) -> (Groups, Tally) {
        let mut tally = Tally::default();
        let set = match OverlappedSet::new() {
            Ok(set) => set,
            Err(error) => {
                // Whoever started us waits for this, and for what follows.
                let _ = ready.send(Err(error));
                return (groups, tally);
            }
        };
        let _ = ready.send(Ok(set.poster()));
        let late = self.accept_all(&set, &listener, &mut groups, &mut tally);
        // In this order: whoever sees the end of its stream shall find that nobody listens.
        drop(listener);
        drop((late, set));
        (groups, tally)
    }

    /// Until it is told to end; a client that has come too late to be served comes back.
    fn accept_all(
        &self,
        set: &OverlappedSet<Token>,
        listener: &Listener,
        groups: &mut Groups,
        tally: &mut Tally,
    ) -> Option<TcpSocket> {
        self.owed.store(ACCEPTS, Ordering::Relaxed);
        let mut again = Instant::now();
        loop {
            let now = Instant::now();
            if now >= again {
                for _ in 0..self.owed.swap(0, Ordering::Relaxed) {
                    set.accept(listener, ());
                }
            }
            let owed = self.owed.load(Ordering::Relaxed) > 0;
            let time = owed.then(|| again.saturating_duration_since(now));
            match set.next(time).expect("the set can wait") {
                Some(Completion::Accept { result: Ok(accepted), .. }) => {
                    tally.connections += 1;
                    set.accept(listener, ());
                    let late = self.deal(groups, accepted.socket);
                    if late.is_some() {
                        return late;
                    }
                }
                Some(Completion::Accept { result: Err(error), .. }) => match error {
                    // The client has gone already; the next accept is as good as this one.
                    Error::CONNECTION_RESET | Error::CONNECTION_ABORTED => {
                        tally.errors += 1;
                        set.accept(listener, ());
                    }
                    // The next would fail as well. It is made good after a while.
                    error => {
                        tracing::debug!("an accept failed: {error}");
                        if self.owed.fetch_add(1, Ordering::Relaxed) == 0 {
                            again = now + AGAIN;
                        }
                        self.crowd.alert();
                    }
                },
                Some(Completion::Post { .. }) => return None,
                Some(_) => unreachable!("no such operation was started"),
                // Some accepts are owed, and it is time.
                None => {}
            }
        }
    }

    /// Has the client served. A client for whom there is no thread waits, as do those behind it;
    /// it comes back if the server stops meanwhile.
    fn deal(&self, groups: &mut Groups, mut client: TcpSocket) -> Option<TcpSocket> {
        loop {
            match groups.deal(client) {
                Ok(()) => return None,
                Err((back, why)) => {
                    self.warning.give(why);
                    client = back;
                }
            }
            if self.closing.load(Ordering::Relaxed) {
                return Some(client);
            }
            self.crowd.wait_for_room();
        }
    }
}
