//! The records of a port: made in slabs, used again and again, freed with the port.
//!
//! Idle records are chained through themselves, so that neither taking nor giving back allocates.
//! There are several chains, each behind its own lock, and a thread keeps to one of them: in a server
//! whose threads start operations from the completions they handle, the locks are never contended
//! and a record is still warm when it is used again.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Op, Record};

const SHARDS: usize = 8;
const FIRST_SLAB: usize = 16;
const BIGGEST_SLAB: usize = 1024;

pub(crate) struct Pool<T, B> {
    shards: [Shard<T, B>; SHARDS],
    slabs: Mutex<Vec<NonNull<[Record<T, B>]>>>,
}

/// A chain of idle records, on a cache line of its own.
#[repr(align(64))]
struct Shard<T, B>(Mutex<Option<Op<T, B>>>);

impl<T, B> Pool<T, B> {
    pub fn new() -> Pool<T, B> {
        Pool {
            shards: std::array::from_fn(|_| Shard(Mutex::new(None))),
            slabs: Mutex::new(Vec::new()),
        }
    }

    /// An idle record, which is the caller's now.
    pub fn take(&self) -> Op<T, B> {
        let home = home();
        // SAFETY: what is in a chain is idle, and its lock's.
        let taken = unsafe { pop(&mut lock(&self.shards[home].0)) };
        taken.unwrap_or_else(|| self.restock(home))
    }

    /// # Safety
    /// The record is idle, of this pool, and the caller's.
    pub unsafe fn give(&self, op: Op<T, B>) {
        let mut chain = lock(&self.shards[home()].0);
        // SAFETY: the caller's.
        unsafe { op.set_next(*chain) };
        *chain = Some(op);
    }

    /// How many records are in flight.
    pub fn in_flight(&self) -> usize {
        let mut count = 0;
        self.each_in_flight(|_| count += 1);
        count
    }

    pub fn each_in_flight(&self, mut visit: impl FnMut(Op<T, B>)) {
        for slab in lock(&self.slabs).iter() {
            // SAFETY: slabs live until `free`; records are only shared here.
            for record in unsafe { slab.as_ref() } {
                if record.is_in_flight() {
                    visit(Op::new(NonNull::from(record)));
                }
            }
        }
    }

    /// Frees all records, and what is in those that landed but were never taken back.
    ///
    /// # Safety
    /// No record is in flight, and none is used afterwards.
    pub unsafe fn free(&mut self) {
        for slab in lock(&self.slabs).drain(..) {
            // SAFETY: made from a box in `grow`; the caller's.
            drop(unsafe { Box::from_raw(slab.as_ptr()) });
        }
    }

    /// Fills the empty chain `home`: with another chain where there is one, because one thread may
    /// start all the operations and another end them, or with a new slab.
    #[cold]
    fn restock(&self, home: usize) -> Op<T, B> {
        let others = (1..SHARDS).map(|distance| &self.shards[(home + distance) % SHARDS]);
        let stolen = others.map(|shard| lock(&shard.0).take()).find(Option::is_some).flatten();
        let first = stolen.unwrap_or_else(|| self.grow());
        // SAFETY: idle, and ours: it has left its chain, or was never in one.
        let rest = unsafe { first.next() };
        if let Some(rest) = rest {
            self.append(home, rest);
        }
        first
    }

    /// A new slab, chained.
    fn grow(&self) -> Op<T, B> {
        let mut slabs = lock(&self.slabs);
        let total: usize = slabs.iter().map(|slab| slab.len()).sum();
        let count = total.clamp(FIRST_SLAB, BIGGEST_SLAB);
        let slab: Box<[_]> = (0..count).map(|_| Record::idle(None)).collect();
        let slab = NonNull::from(Box::leak(slab));
        slabs.push(slab);
        let records = (0..count).map(|at| Op::new(record(slab, at)));
        let chain = records.rev().fold(None, |next, op| {
            // SAFETY: idle, and ours alone.
            unsafe { op.set_next(next) };
            Some(op)
        });
        chain.expect("a slab has records")
    }

    /// Puts a chain in front of what has come to `home` meanwhile.
    fn append(&self, home: usize, first: Op<T, B>) {
        let mut chain = lock(&self.shards[home].0);
        if let Some(old) = *chain {
            let mut last = first;
            // SAFETY: the records of both chains are idle; the first is ours, the second the lock's.
            unsafe {
                while let Some(next) = last.next() {
                    last = next;
                }
                last.set_next(Some(old));
            }
        }
        *chain = Some(first);
    }
}

/// The address of one record, with the right to it that the slab's owner has.
fn record<T, B>(slab: NonNull<[Record<T, B>]>, at: usize) -> NonNull<Record<T, B>> {
    debug_assert!(at < slab.len());
    // SAFETY: inside the slab.
    unsafe { slab.cast::<Record<T, B>>().add(at) }
}

/// # Safety
/// The chain's records are idle and the caller's.
unsafe fn pop<T, B>(chain: &mut Option<Op<T, B>>) -> Option<Op<T, B>> {
    let first = (*chain)?;
    // SAFETY: the caller's.
    *chain = unsafe { first.next() };
    Some(first)
}

/// The chain of this thread.
fn home() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static HOME: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
    // A thread that is ending may still drop completions.
    HOME.try_with(|home| *home).unwrap_or(0)
}

/// A panic under a lock leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
