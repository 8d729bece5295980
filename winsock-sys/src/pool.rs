//! Thread pools: threads that take what is to be called from a completion port.
//!
//! A call waits in one of three queues, by priority, and for each there is a packet in the pool's
//! port, which says no more than that there is one; packets of the sockets that are bound to the
//! pool come in between. The port sees to it that no more threads run than there are processors,
//! and asks for another thread when all are busy or asleep. A thread that gets nothing for a while
//! ends, and with the last one the pool costs nothing.
//!
//! Lock order: an object ([`item::Item`]), then the pool's queues and the port.

pub mod group;
pub mod item;
pub mod owner;
pub mod waiting;

use std::cell::Cell;
use std::collections::VecDeque;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use windows_sys::Win32::Foundation::ERROR_NOT_ENOUGH_MEMORY;
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::error::{self, Code};
use crate::handle::{Ref, Table};
use crate::port::{Empty, Packet, Port, Staff};
use crate::socket;
use crate::sync::{Mutex, lock};
use crate::thread::{self, Alertable};
use crate::wait::Deadline;
use group::Group;
use item::{CallKind, Desk, Item, Task};

/// How many threads a pool may have if nobody says so.
const MOST: u32 = 500;

/// How long a thread waits for something to do before it ends.
const PATIENCE_MS: u32 = 20_000;

/// What a TP_... or a legacy handle can denote.
pub enum Thing {
    Pool(Arc<Pool>),
    Group(Arc<Group>),
    Item(Arc<Item>),
    Queue(Arc<TimerQueue>),
}

/// The things that have handles. They are not in the table of the other handles: CloseHandle and
/// the waits do not know them.
#[cfg(not(loom))]
pub static THINGS: Table<Thing> = Table::new();
#[cfg(loom)]
loom::lazy_static! {
    pub static ref THINGS: Table<Thing> = Table::new();
}

/// Tells handles of things from those of objects, which have 31 bits.
const THING: usize = 1 << 40;

/// Opens a handle to a thing.
pub fn insert(thing: Thing) -> Result<isize, Code> {
    let value = THINGS.insert(thing).ok_or(Code(ERROR_NOT_ENOUGH_MEMORY))?;
    Ok((value | THING) as isize)
}

/// The thing behind a handle, as `of` wants it.
pub fn find<T>(handle: isize, of: impl FnOnce(&Thing) -> Option<T>) -> Option<T> {
    let value = (handle as usize & THING != 0).then_some(handle as usize & !THING)?;
    of(&*THINGS.open(value)?)
}

/// Keeps a thing in the table, beyond its handle.
pub fn hold(handle: isize) -> Option<Ref<Thing>> {
    THINGS.open(handle as usize & !THING)
}

/// Closes a handle. False if somebody else did.
pub fn close(handle: isize) -> bool {
    THINGS.close(handle as usize & !THING).is_some()
}

/// The timers of a timer queue.
#[derive(Default)]
pub struct TimerQueue {
    pub timers: Mutex<Vec<Arc<Item>>>,
}

/// A pool as its users hold it: with the last of them its threads end.
pub struct Pool {
    core: Arc<Core>,
}

/// A pool as its threads know it.
struct Core {
    port: Arc<Port>,
    tasks: Mutex<[VecDeque<Task>; 3]>,
    crew: Mutex<Crew>,
    stack_size: AtomicUsize,
}

struct Crew {
    threads: u32,
    /// Those of the threads that have not come to the port yet.
    coming: usize,
    least: u32,
    most: u32,
}

static DEFAULT: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(MOST));

/// Has one thread, to which callbacks are bound that shall run in the thread that waits.
static WAITERS: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(1));

/// Has one thread, to which callbacks are bound that shall run in the thread of the timers.
static TIMERS: LazyLock<Arc<Pool>> = LazyLock::new(|| Pool::new(1));

impl Pool {
    /// `most`: how many threads it may have.
    pub fn new(most: u32) -> Arc<Pool> {
        let core = Arc::new_cyclic(|core: &Weak<Core>| Core {
            port: Arc::new(Port::with_staff(0, Some(core.clone()))),
            tasks: Mutex::new([const { VecDeque::new() }; 3]),
            crew: Mutex::new(Crew { threads: 0, coming: 0, least: 0, most }),
            stack_size: AtomicUsize::new(0),
        });
        Arc::new(Pool { core })
    }

    /// As CreateThreadpool makes one.
    pub fn of_its_own() -> Arc<Pool> {
        Pool::new(MOST)
    }

    /// The pool of the process.
    pub fn default() -> Arc<Pool> {
        DEFAULT.clone()
    }

    /// See [`WAITERS`].
    pub fn waiters() -> Arc<Pool> {
        WAITERS.clone()
    }

    /// See [`TIMERS`].
    pub fn timers() -> Arc<Pool> {
        TIMERS.clone()
    }

    /// The port that its threads serve.
    pub fn port(&self) -> &Arc<Port> {
        &self.core.port
    }

    /// Queues a call. 0 is the highest priority, 2 the lowest.
    pub fn submit(&self, task: Task, priority: usize) {
        lock(&self.core.tasks)[priority].push_back(task);
        self.core.port.post(Packet {
            key: Key::Task.encode(),
            overlapped: std::ptr::null_mut(),
            bytes: 0,
            status: 0,
        });
    }

    pub fn set_most(&self, most: u32) {
        let mut crew = lock(&self.core.crew);
        crew.most = most.max(1);
        crew.least = crew.least.min(crew.most);
    }

    /// Allows at least so many threads.
    pub fn raise_most(&self, most: u32) {
        let mut crew = lock(&self.core.crew);
        crew.most = crew.most.max(most);
    }

    /// Keeps so many threads, from now on.
    pub fn set_least(&self, least: u32) -> Result<(), Code> {
        let mut crew = lock(&self.core.crew);
        crew.least = least;
        crew.most = crew.most.max(least);
        while crew.threads < least {
            if !self.core.hire(&mut crew) {
                return Err(Code(ERROR_NOT_ENOUGH_MEMORY));
            }
        }
        Ok(())
    }

    pub fn stack_size(&self) -> usize {
        self.core.stack_size.load(Ordering::Relaxed)
    }

    /// For the threads that it makes from now on; 0 for the default.
    pub fn set_stack_size(&self, size: usize) {
        self.core.stack_size.store(size, Ordering::Relaxed);
    }

    /// Whether a call that takes long leaves a thread for others: one waits, or could be made.
    pub fn has_others(&self) -> bool {
        let crew = lock(&self.core.crew);
        crew.threads < crew.most || self.core.port.has_waiters()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.core.port.close();
    }
}

impl Staff for Core {
    fn is_short(self: Arc<Core>, running: usize) {
        let mut crew = lock(&self.crew);
        if running + crew.coming < self.port.concurrency() && crew.threads < crew.most {
            self.hire(&mut crew); // If there is none to be had, the next packet asks again.
        }
    }
}

impl Core {
    /// Starts a thread. False if there is none to be had.
    fn hire(self: &Arc<Core>, crew: &mut Crew) -> bool {
        let builder = std::thread::Builder::new().name("winsock-pool".into());
        let builder = match self.stack_size.load(Ordering::Relaxed) {
            0 => builder,
            size => builder.stack_size(size),
        };
        let core = self.clone();
        let hired = builder.spawn(move || core.staff_port()).is_ok();
        crew.threads += u32::from(hired);
        crew.coming += usize::from(hired);
        hired
    }

    /// A thread of the pool, from beginning to end.
    fn staff_port(self: &Arc<Core>) {
        lock(&self.crew).coming -= 1;
        let (desk, has_returned) = (Desk::default(), Cell::new(false));
        thread::run_to_exit(|| {
            self.work(&desk);
            has_returned.set(true);
        });
        if !has_returned.get() {
            // A callback has called ExitThread.
            let mut crew = lock(&self.crew);
            crew.threads -= 1;
            if crew.threads < crew.least {
                self.hire(&mut crew);
            }
        }
        desk.clear();
    }

    /// Until the thread is superfluous or the pool closed, and counts no more.
    fn work(&self, desk: &Desk) {
        thread::work_for(&self.port);
        loop {
            let deadline = Deadline::after_ms(PATIENCE_MS);
            let mut packet = None;
            let taken = thread::on_current(|thread| {
                let never = Alertable::Never;
                self.port.take(thread, 1, deadline, never, |taken| packet = Some(taken))
            });
            match (taken, packet) {
                (Ok(_), Some(packet)) => self.handle(packet, desk),
                (Err(Empty::TimedOut), _) if !self.dismiss() => {}
                (Err(Empty::TimedOut), _) => return,
                _ => {
                    lock(&self.crew).threads -= 1;
                    return;
                }
            }
        }
    }

    /// Whether a thread with nothing to do may go, and counts no more.
    fn dismiss(&self) -> bool {
        // Its end would cancel what it has issued itself (rule 48).
        if thread::has_issued() && socket::has_pending_of(thread::current_id()) {
            return false;
        }
        let mut crew = lock(&self.crew);
        let superfluous = crew.threads > crew.least;
        if superfluous {
            crew.threads -= 1;
        }
        superfluous
    }

    fn handle(&self, packet: Packet, desk: &Desk) {
        match Key::decode(packet.key) {
            Key::Task => {
                let task = lock(&self.tasks).iter_mut().find_map(VecDeque::pop_front);
                let task = task.expect("there is a packet for each task");
                if task.item.begin_call(&task.call) {
                    desk.call(task);
                }
            }
            Key::Io(value) => {
                let call = CallKind::Io {
                    overlapped: packet.overlapped,
                    result: error::win32_of_status(packet.status).0,
                    bytes: packet.bytes,
                };
                // It lives as long as it expects completions.
                let item = THINGS.live(value).and_then(|thing| match &*thing {
                    Thing::Item(item) => Some(item.clone()),
                    _ => None,
                });
                if let Some(item) = item.filter(|item| item.begin_call(&call)) {
                    desk.call(Task { item, call });
                }
            }
            Key::Routine(routine) => {
                let result = error::win32_of_status(packet.status).0;
                // SAFETY: the program passed it to BindIoCompletionCallback, to be called with its
                // own OVERLAPPED.
                unsafe { routine(result, packet.bytes, packet.overlapped) };
            }
        }
    }

    /// The calling thread will be at it for long: its place on the processors is another's.
    fn lend(&self) {
        thread::on_current(|thread| self.port.retire(thread));
    }
}

/// What a packet of a pool's port means. Nobody else posts to it: it has no handle.
enum Key {
    /// There is one task more.
    Task,
    /// An operation on a socket bound to an object: its value in the table.
    Io(usize),
    /// An operation on a socket bound to a function.
    Routine(Routine),
}

/// See BindIoCompletionCallback.
pub type Routine = unsafe extern "system" fn(u32, u32, *mut OVERLAPPED);

impl Key {
    /// No function lies in the kernel's half of the memory.
    const IO: usize = 1 << 63;

    fn encode(self) -> usize {
        match self {
            Key::Task => 0,
            Key::Io(value) => Key::IO | value,
            Key::Routine(routine) => (routine as *const ()).expose_provenance(),
        }
    }

    fn decode(key: usize) -> Key {
        if key == 0 {
            return Key::Task;
        }
        if key & Key::IO != 0 {
            return Key::Io(key & !Key::IO);
        }
        let routine = ptr::with_exposed_provenance::<()>(key);
        // SAFETY: `encode` made it of a function of this type.
        Key::Routine(unsafe { std::mem::transmute::<*const (), Routine>(routine) })
    }
}

/// The key under which a socket is tied to a pool's port so that its operations call `routine`.
pub fn key_of_routine(routine: Routine) -> usize {
    Key::Routine(routine).encode()
}

/// The key under which a socket is tied to a pool's port so that its operations call an object's
/// callback.
pub fn key_of_io(handle: isize) -> usize {
    Key::Io(handle as usize & !THING).encode()
}
