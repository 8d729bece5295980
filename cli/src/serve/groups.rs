//! Threads that serve a part of the clients each, for the models that are bound to a thread. They
//! are started as they are needed.

use std::mem;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use winsock::TcpSocket;

use super::Service;
use super::acceptor::{Acceptor, Undealt};
use super::crowd::Crowd;
use super::tally::Tally;
use crate::failure::Failure;
use crate::os;

pub fn serve(
    service: Service,
    kind: Kind,
    ready: impl FnOnce() -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let Service { listener, greeting, limit, watch, threads: _ } = service;
    let crowd = Arc::new(Crowd::new(watch.notify.clone(), limit.crowd()));
    let groups = Groups::start(kind, Arc::clone(&crowd), greeting).map_err(Failure::Failed)?;
    let groups = Arc::new(Mutex::new(groups));
    let dealing = Arc::clone(&groups);
    let deal = move |client| lock(&dealing).deal(client);
    let acceptor = Acceptor::start(listener, Arc::clone(&crowd), limit, deal)?;
    let announced = ready();
    if announced.is_ok() {
        // The acceptor notices by itself when there are no descriptors left.
        watch.until_signal(|| false);
    }
    let accepted = acceptor.end();
    crowd.close();
    lock(&groups).order(|| Order::Stop);
    if !watch.until_empty() {
        lock(&groups).order(|| Order::Cut);
        watch.until_cut();
    }
    let served = lock(&groups).end();
    announced.map(|()| [accepted, served].into_iter().sum())
}

/// A panic under the lock leaves nothing half done.
fn lock(groups: &Mutex<Groups>) -> MutexGuard<'_, Groups> {
    groups.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a thread is told.
pub enum Order {
    Serve(TcpSocket),
    /// Every connection is to end as soon as it would wait for its client.
    Stop,
    /// Every connection is to end now.
    Cut,
    /// The thread is to end.
    End,
}

/// Gives a thread its orders; `false` if it has ended.
pub type Orders = Box<dyn Fn(Order) -> bool + Send>;

/// What a thread serves with.
pub struct Member {
    crowd: Arc<Crowd>,
    pub greeting: Arc<[u8]>,
    /// Clients that it has, or that are on their way to it.
    clients: Arc<AtomicUsize>,
    ready: Sender<winsock::Result<Orders>>,
}

impl Member {
    /// From now on it takes orders; or it cannot.
    pub fn take_orders(&self, orders: winsock::Result<Orders>) {
        // Whoever started the thread waits for this.
        let _ = self.ready.send(orders);
    }

    /// A client is gone, and its socket closed.
    pub fn leave(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
        self.crowd.leave();
    }
}

/// How a model serves: what each of its threads runs, and how many clients it has room for.
#[derive(Clone, Copy)]
pub struct Kind {
    pub work: fn(Member) -> Tally,
    pub room: usize,
    /// Threads from the start, which share the clients evenly.
    pub threads: usize,
}

struct Group {
    orders: Orders,
    clients: Arc<AtomicUsize>,
    thread: JoinHandle<Tally>,
}

struct Groups {
    kind: Kind,
    crowd: Arc<Crowd>,
    greeting: Arc<[u8]>,
    groups: Vec<Group>,
    /// The most threads that can be had.
    most: usize,
}

impl Groups {
    fn start(kind: Kind, crowd: Arc<Crowd>, greeting: Arc<[u8]>) -> Result<Groups, String> {
        let most = os::most_threads();
        let mut groups = Groups { kind, crowd, greeting, groups: Vec::new(), most };
        for _ in 0..kind.threads {
            groups.add()?;
        }
        Ok(groups)
    }

    /// Passes a client on to a thread with room for it.
    fn deal(&mut self, client: TcpSocket) -> Result<(), Undealt> {
        let group = match self.roomy() {
            Some(group) => group,
            None => match self.add() {
                Ok(()) => &self.groups[self.groups.len() - 1],
                Err(why) => return Err(Undealt { client, why }),
            },
        };
        group.clients.fetch_add(1, Ordering::Relaxed);
        if !(group.orders)(Order::Serve(client)) {
            // Only a thread that has panicked does not serve.
            group.clients.fetch_sub(1, Ordering::Relaxed);
            self.crowd.leave();
        }
        Ok(())
    }

    /// The thread with the fewest clients; but of threads that have little room, one after the
    /// other is filled.
    fn roomy(&self) -> Option<&Group> {
        let clients = |group: &Group| group.clients.load(Ordering::Relaxed);
        let mut roomy = self.groups.iter().filter(|group| clients(group) < self.kind.room);
        if self.kind.threads > 1 { roomy.min_by_key(|group| clients(group)) } else { roomy.next() }
    }

    fn add(&mut self) -> Result<(), String> {
        if self.groups.len() >= self.most {
            return Err(format!("there are {} threads, no more can be had", self.most));
        }
        let (ready, starts) = channel();
        let clients = Arc::new(AtomicUsize::new(0));
        let (crowd, greeting) = (Arc::clone(&self.crowd), Arc::clone(&self.greeting));
        let member = Member { crowd, greeting, clients: Arc::clone(&clients), ready };
        let work = self.kind.work;
        let thread = thread::Builder::new().spawn(move || work(member));
        let thread = thread.map_err(|error| format!("no thread for more clients: {error}"))?;
        match starts.recv() {
            Ok(Ok(orders)) => self.groups.push(Group { orders, clients, thread }),
            Ok(Err(error)) => return Err(format!("no thread for more clients: {error}")),
            Err(_) => return Err("a thread for more clients has failed".into()),
        }
        Ok(())
    }

    /// Gives an order to all threads.
    fn order(&self, order: fn() -> Order) {
        for group in &self.groups {
            // A thread that has ended needs no orders.
            let _ = (group.orders)(order());
        }
    }

    /// Ends the threads, and sums up what they did.
    fn end(&mut self) -> Tally {
        self.order(|| Order::End);
        let threads = mem::take(&mut self.groups).into_iter().map(|group| group.thread);
        threads.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).sum()
    }
}
