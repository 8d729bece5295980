//! Clients that are dealt to groups, each with a thread of its own.

use std::any::Any;
use std::fmt;
use std::io;
use std::mem::take;
use std::panic::resume_unwind;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::mailbox::Poster;

/// Groups of clients, each served by a thread of its own, for the models that are bound to a thread
/// or have room for 64; with `T` for what is dealt to them, usually connections.
///
/// A thread makes its set, says that it is [ready](Member::ready), and is then posted its clients,
/// each with a [`Seat`]. A client has left when its seat is dropped, so the seat belongs into the
/// token, beside whatever else there is of the client.
///
/// ```
/// use winsock::{AnySocket, EventSet, Groups, Interest, Listener, Member, Notice, Order, Seat};
/// use winsock::{Result, TcpSocket};
///
/// /// Serves one group of clients: takes what they send.
/// fn serve(member: Member<TcpSocket>) -> Result<()> {
///     let mut set: EventSet<Seat, Order<TcpSocket>> = EventSet::new()?;
///     member.ready(set.poster());
///     let mut buf = [0; 1024];
///     loop {
///         match set.next(None)? {
///             Some(Notice::Post(Order::Serve(client, seat))) => {
///                 set.insert(client, seat, Interest::READ)?;
///             }
///             Some(Notice::Post(Order::Stop)) => return Ok(()),
///             Some(Notice::Ready(ready)) => {
///                 let Some((AnySocket::Tcp(client), _)) = set.get(ready.key) else { continue };
///                 if matches!(client.recv(&mut buf), Ok(0) | Err(_)) {
///                     set.remove(ready.key); // Drops the socket and its seat.
///                 }
///             }
///             None => {}
///         }
///     }
/// }
///
/// let groups = Groups::filled(EventSet::<()>::MAX, |member| serve(member).expect("a set"));
/// let listener = Listener::bind("127.0.0.1:0")?;
/// let clients: Vec<_> = (0..100)
///     .map(|_| TcpSocket::connect(listener.local_addr()?))
///     .collect::<Result<_>>()?;
/// for _ in &clients {
///     groups.deal(listener.accept()?.0)?;
/// }
/// assert_eq!((groups.clients(), groups.threads()), (100, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A thread without clients waits, which costs no CPU; of several such threads all but one end.
///
/// Dropping the groups orders all threads to stop, and waits until they have.
pub struct Groups<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    work: Arc<Work<T>>,
}

type Panic = Box<dyn Any + Send>;

type Work<T> = dyn Fn(Member<T>) + Send + Sync;

/// Who gets the next client.
#[derive(Clone, Copy)]
enum Deals {
    /// The first thread that has not so many yet.
    Filling(usize),
    /// The thread with the fewest.
    Evenly,
}

/// What a thread is told.
pub enum Order<T> {
    /// To serve this client, until the seat is dropped.
    Serve(T, Seat),
    /// To return.
    Stop,
}

/// What a thread of [`Groups`] begins with.
pub struct Member<T> {
    ready: SyncSender<Orders<T>>,
}

/// Gives a thread an order; gives it back if the thread takes none any more.
type Orders<T> = Box<dyn Fn(Order<T>) -> std::result::Result<(), Order<T>> + Send>;

impl<T> Member<T> {
    /// From now on the thread takes orders, with the set that the poster is of. Whoever deals the
    /// first client waits for this. If it is not called, since no set could be made, say, then no
    /// client is dealt to the thread.
    ///
    /// If the set's tokens are of another type, an order is made into one of them.
    pub fn ready<U: From<Order<T>> + Send + 'static>(self, poster: Poster<U>) {
        // Whoever made us waits for it.
        let _ = self.ready.send(Box::new(move |order| poster.post_from(order)));
    }
}

/// The place of a client in a group. Dropping it makes room for another.
pub struct Seat {
    group: u64,
    shared: Arc<dyn Leave>,
}

/// Something that was not dealt, and why.
pub struct Undealt<T> {
    /// It.
    pub value: T,
    /// Why no thread serves it.
    pub error: io::Error,
}

struct Group<T> {
    number: u64,
    clients: usize,
    orders: Orders<T>,
    thread: JoinHandle<()>,
}

struct State<T> {
    groups: Vec<Group<T>>,
    /// Threads that were told to stop.
    stopped: Vec<JoinHandle<()>>,
    /// What threads have panicked with.
    panics: Vec<Panic>,
    /// The next group's number; never used twice.
    next: u64,
}

struct Shared<T> {
    deals: Deals,
    state: Mutex<State<T>>,
}

/// What a seat knows of its groups.
trait Leave: Send + Sync {
    fn leave(&self, group: u64);
}

impl<T: Send + 'static> Groups<T> {
    /// Groups of up to `room` clients each. A new one is made when all are full.
    pub fn filled(room: usize, work: impl Fn(Member<T>) + Send + Sync + 'static) -> Groups<T> {
        Groups::new(Deals::Filling(room.max(1)), work)
    }

    /// Groups of any size, over which clients are spread evenly, by as many threads as are named.
    /// They are started at once.
    pub fn spread(
        threads: usize,
        work: impl Fn(Member<T>) + Send + Sync + 'static,
    ) -> io::Result<Groups<T>> {
        let groups = Groups::new(Deals::Evenly, work);
        for _ in 0..threads.max(1) {
            groups.add(&mut groups.shared.lock())?;
        }
        Ok(groups)
    }

    fn new(deals: Deals, work: impl Fn(Member<T>) + Send + Sync + 'static) -> Groups<T> {
        let state = State { groups: Vec::new(), stopped: Vec::new(), panics: Vec::new(), next: 0 };
        let shared = Arc::new(Shared { deals, state: Mutex::new(state) });
        Groups { shared, work: Arc::new(work) }
    }

    /// Hands a client to a group with room for it, which is made if there is none. Nobody is lost:
    /// if no thread can be had, the client comes back.
    pub fn deal(&self, client: T) -> Result<(), Undealt<T>> {
        let mut client = client;
        loop {
            let mut state = self.shared.lock();
            let at = match state.roomy(self.shared.deals) {
                Some(at) => at,
                None => match self.add(&mut state) {
                    Ok(at) => at,
                    Err(error) => return Err(Undealt { value: client, error }),
                },
            };
            let group = &mut state.groups[at];
            let seat = Seat { group: group.number, shared: self.shared.clone() };
            let Err(order) = (group.orders)(Order::Serve(client, seat)) else {
                group.clients += 1;
                return Ok(());
            };
            // The thread has ended by itself. It was not told to: so it has panicked, or failed.
            let group = state.groups.remove(at);
            state.stopped.push(group.thread);
            // Not under the lock, since the seat drops there.
            drop(state);
            let Order::Serve(again, _) = order else { unreachable!("what was posted comes back") };
            client = again;
        }
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.shared.lock().groups.iter().map(|group| group.clients).sum()
    }

    /// How many threads serve, or wait for clients.
    pub fn threads(&self) -> usize {
        self.shared.lock().groups.len()
    }

    /// Orders all threads to stop, and waits until they have. If one of them has panicked, so does
    /// this.
    pub fn end(self) {
        self.stop(|panic| resume_unwind(panic));
    }

    fn stop(&self, panicked: impl Fn(Panic)) {
        let mut state = self.shared.lock();
        let stopped = take(&mut state.stopped);
        let groups = take(&mut state.groups);
        let mut panics = take(&mut state.panics);
        drop(state);
        for group in &groups {
            // A thread that has ended needs no order.
            let _ = (group.orders)(Order::Stop);
        }
        let threads = stopped.into_iter().chain(groups.into_iter().map(|group| group.thread));
        panics.extend(threads.filter_map(|thread| thread.join().err()));
        panics.into_iter().for_each(panicked);
    }

    /// Starts a thread, and waits until it is ready.
    fn add(&self, state: &mut State<T>) -> io::Result<usize> {
        state.reap();
        let (ready, orders) = sync_channel(1);
        let work = self.work.clone();
        let thread = thread::Builder::new().spawn(move || work(Member { ready }))?;
        match orders.recv() {
            Ok(orders) => {
                let number = state.next;
                state.next += 1;
                state.groups.push(Group { number, clients: 0, orders, thread });
                Ok(state.groups.len() - 1)
            }
            Err(_) => {
                state.stopped.push(thread);
                Err(io::Error::other("the thread for more clients has ended at once"))
            }
        }
    }
}

impl<T> State<T> {
    /// Does away with threads that have ended.
    fn reap(&mut self) {
        for thread in self.stopped.extract_if(.., |thread| thread.is_finished()) {
            self.panics.extend(thread.join().err());
        }
    }

    fn roomy(&self, deals: Deals) -> Option<usize> {
        let mut groups = self.groups.iter().enumerate();
        let found = match deals {
            Deals::Filling(room) => groups.find(|(_, group)| group.clients < room),
            Deals::Evenly => groups.min_by_key(|(_, group)| group.clients),
        };
        found.map(|(at, _)| at)
    }
}

impl<T> Shared<T> {
    /// A panic under the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Leave for Shared<T> {
    fn leave(&self, group: u64) {
        let mut state = self.lock();
        // If the thread has been told to stop, nobody counts any more.
        let Some(at) = state.groups.iter().position(|other| other.number == group) else { return };
        state.groups[at].clients -= 1;
        let empty = state.groups.iter().filter(|group| group.clients == 0).count();
        if state.groups[at].clients == 0 && empty > 1 && matches!(self.deals, Deals::Filling(_)) {
            let group = state.groups.remove(at);
            // It is this thread that leaves, or one that has ended.
            let _ = (group.orders)(Order::Stop);
            state.stopped.push(group.thread);
        }
    }
}

impl<T: Send + 'static> Drop for Groups<T> {
    fn drop(&mut self) {
        self.stop(drop);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.leave(self.group);
    }
}

impl<T: Send + 'static> fmt::Debug for Groups<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups")
            .field("clients", &self.clients())
            .field("threads", &self.threads())
            .finish()
    }
}

impl<T> fmt::Debug for Order<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Order::Serve(..) => "Serve",
            Order::Stop => "Stop",
        })
    }
}

impl<T> fmt::Debug for Member<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").finish_non_exhaustive()
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("group", &self.group).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Undealt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Undealt").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Undealt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no thread for more clients: {}", self.error)
    }
}

impl<T> std::error::Error for Undealt<T> {}
