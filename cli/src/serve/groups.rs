//! Serving by the models that are bound to a thread: threads with a part of the clients each, to
//! whom another one deals those that it accepts.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use winsock::{Groups, Member, TcpSocket};

use super::Service;
use super::acceptor::{Acceptor, Undealt};
use super::crowd::{Crowd, Guest};
use super::tally::Tally;
use super::watch::Warning;
use crate::failure::Failure;
use crate::os;

/// How often a thread that was told to stop looks whether it is to stop at once.
pub const LOOK: Duration = Duration::from_millis(50);

/// What is dealt to a thread.
pub struct Arrival {
    pub socket: TcpSocket,
    pub guest: Guest,
}

/// What each thread of a model does.
pub type Work = fn(&Hall, Member<Arrival>);

/// Who gets the next client.
#[derive(Clone, Copy)]
pub enum Deals {
    /// The first thread that does not have so many yet.
    Filling(usize),
    /// Of so many threads the one with the fewest.
    Evenly(usize),
}

/// What the threads share.
pub struct Hall {
    pub greeting: Arc<[u8]>,
    warning: Warning,
    cutting: AtomicBool,
    tally: Mutex<Tally>,
}

impl Hall {
    /// Whether connections that do not end by themselves are to end now.
    pub fn is_cutting(&self) -> bool {
        self.cutting.load(Ordering::Relaxed)
    }

    /// What a thread did, at its end.
    pub fn add(&self, tally: Tally) {
        let mut sum = self.tally();
        *sum = [*sum, tally].into_iter().sum();
    }

    /// A thread that cannot serve says why. Its clients wait.
    #[cold]
    pub fn complain(&self, error: impl std::fmt::Display) {
        self.warning.give(format_args!("a thread cannot serve: {error}"));
    }

    /// A panic under the lock leaves nothing half done.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn serve(
    service: Service,
    work: Work,
    deals: Deals,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, limit, watch, threads: _ } = service;
    let (cutting, tally) = (AtomicBool::new(false), Mutex::default());
    let hall = Arc::new(Hall { greeting, warning: Warning::default(), cutting, tally });
    let groups = start(Arc::clone(&hall), work, deals);
    let groups = groups.map_err(|error| Failure::of("cannot start a thread", error))?;
    let groups = Arc::new(Mutex::new(Some(groups)));
    let dealing = Arc::clone(&groups);
    let crowd = Arc::new(Crowd::new(watch.notify.clone(), limit.crowd()));
    let deal = move |socket, guest| deal(&dealing, Arrival { socket, guest });
    let acceptor = Acceptor::start(listener, Arc::clone(&crowd), limit, deal)?;
    let announced = ready();
    if announced.is_ok() {
        // The acceptor notices by itself when there are no descriptors left.
        watch.until_signal(|| false);
    }
    let accepted = acceptor.end();
    crowd.close();
    let groups = lock(&groups).take();
    thread::scope(|scope| {
        // All threads are told to stop, and waited for.
        scope.spawn(|| groups.map(Groups::end));
        if !watch.until_empty() {
            hall.cutting.store(true, Ordering::Relaxed);
        }
    });
    let served = *hall.tally();
    announced.map(|()| [accepted, served].into_iter().sum())
}

fn start(hall: Arc<Hall>, work: Work, deals: Deals) -> io::Result<Groups<Arrival>> {
    let work = move |member| work(&hall, member);
    match deals {
        Deals::Filling(room) => Ok(Groups::filled(room, work)),
        Deals::Evenly(threads) => Groups::spread(threads, work),
    }
}

fn deal(groups: &Mutex<Option<Groups<Arrival>>>, arrival: Arrival) -> Result<(), Undealt> {
    let groups = lock(groups);
    let undealt = |arrival: Arrival, why| Err(Undealt { client: arrival.socket, why });
    let Some(groups) = &*groups else { return undealt(arrival, "the server stops".into()) };
    let most = os::most_threads();
    if groups.threads() >= most {
        return undealt(arrival, format!("there are {most} threads, no more can be had"));
    }
    groups.deal(arrival).or_else(|back| {
        let why = back.to_string();
        undealt(back.value, why)
    })
}

/// A panic under the lock leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
