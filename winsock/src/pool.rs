//! The records of a model: made in slabs, used again and again, freed with the model.
//!
//! Idle records are chained through themselves, so that neither taking one nor giving it back
//! allocates. Every thread keeps some in its own hand and needs no lock for those: in a server
//! whose threads start operations from the completions they handle, a record goes from one
//! operation to the next while it is still warm. What is too much for a hand goes to the shelf, and
//! from there to the threads that start more than they finish.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::{Op, Record};

/// So many threads at a time have a hand in each pool; what comes later uses the shelf only.
const HANDS: usize = 64;
/// A hand holds at most twice as many as go to or from the shelf at a time.
const HANDFUL: usize = 16;
const FIRST_SLAB: usize = 16;
const BIGGEST_SLAB: usize = 1024;

pub(crate) struct Pool<T, B> {
    /// By the number of the thread, which alone touches its hand.
    hands: Box<[Hand<T, B>; HANDS]>,
    shelf: Mutex<Chain<T, B>>,
    slabs: Mutex<Vec<Slab<T, B>>>,
}

// SAFETY: a record belongs to one owner at a time: a hand, of which there is one for each thread,
// the shelf behind its lock, or whoever took it. What is in a record moves between threads with it.
unsafe impl<T: Send, B: Send> Send for Pool<T, B> {}
// SAFETY: as above.
unsafe impl<T: Send, B: Send> Sync for Pool<T, B> {}

/// On a cache line of its own.
#[repr(align(64))]
struct Hand<T, B>(UnsafeCell<Chain<T, B>>);

/// Owned; freed by [`Pool::free`].
type Slab<T, B> = NonNull<[Record<T, B>]>;

impl<T, B> Pool<T, B> {
    pub fn new() -> Pool<T, B> {
        let hands: Vec<_> = (0..HANDS).map(|_| Hand(UnsafeCell::new(Chain::EMPTY))).collect();
        Pool {
            hands: hands.try_into().unwrap_or_else(|_| unreachable!("as many as were made")),
            shelf: Mutex::new(Chain::EMPTY),
            slabs: Mutex::new(Vec::new()),
        }
    }

    /// An idle record, which is the caller's now.
    #[inline]
    pub fn take(&self) -> Op<T, B> {
        let number = thread::number();
        // SAFETY: the number is this thread's; what is in a chain is idle.
        let taken = unsafe { self.hand(number).and_then(|hand| hand.pop()) };
        taken.unwrap_or_else(|| self.restock(number))
    }

    /// # Safety
    /// The record is idle, of this pool, and the caller's.
    #[inline]
    pub unsafe fn give(&self, op: Op<T, B>) {
        // SAFETY: the number is this thread's; the record is idle, says the caller.
        unsafe {
            match self.hand(thread::number()) {
                Some(hand) if hand.len < 2 * HANDFUL => hand.push(op),
                Some(hand) => {
                    self.shelve(hand);
                    hand.push(op);
                }
                None => lock(&self.shelf).push(op),
            }
        }
    }

    /// # Safety
    /// The number is that of this thread, and the hand is not used in two places at once.
    #[expect(clippy::mut_from_ref, reason = "the thread has it to itself")]
    #[inline]
    unsafe fn hand(&self, number: usize) -> Option<&mut Chain<T, B>> {
        // SAFETY: the caller's. A thread hands its number on only when it ends.
        self.hands.get(number).map(|hand| unsafe { &mut *hand.0.get() })
    }

    /// How many records are in flight.
    pub fn in_flight(&self) -> usize {
        let mut count = 0;
        self.each_in_flight(|_| count += 1);
        count
    }

    pub fn each_in_flight(&self, mut visit: impl FnMut(Op<T, B>)) {
        for slab in lock(&self.slabs).iter() {
            for at in 0..slab.len() {
                let record = record(*slab, at);
                // SAFETY: slabs live until `free`; records are only shared here.
                if unsafe { record.as_ref() }.is_in_flight() {
                    visit(Op::new(record));
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

    /// A record from the shelf, and a handful for the thread that asks.
    #[cold]
    fn restock(&self, number: usize) -> Op<T, B> {
        let mut shelf = lock(&self.shelf);
        // SAFETY: what is in a chain is idle; the number is this thread's.
        unsafe {
            if shelf.len == 0 {
                self.grow(&mut shelf);
            }
            if let Some(hand) = self.hand(number) {
                hand.draw(&mut shelf, HANDFUL);
            }
            match shelf.pop() {
                Some(op) => op,
                None => self.hand(number).and_then(|hand| hand.pop()).expect("just filled"),
            }
        }
    }

    /// Takes a handful from a full hand.
    #[cold]
    fn shelve(&self, hand: &mut Chain<T, B>) {
        // SAFETY: what is in a chain is idle.
        unsafe { lock(&self.shelf).draw(hand, HANDFUL) };
    }

    /// Adds a new slab to the shelf.
    fn grow(&self, shelf: &mut Chain<T, B>) {
        let mut slabs = lock(&self.slabs);
        let total: usize = slabs.iter().map(|slab| slab.len()).sum();
        let count = total.clamp(FIRST_SLAB, BIGGEST_SLAB);
        let slab: Box<[_]> = (0..count).map(|_| Record::idle()).collect();
        let slab = NonNull::from(Box::leak(slab));
        slabs.push(slab);
        for at in (0..count).rev() {
            // SAFETY: idle, and ours alone.
            unsafe { shelf.push(Op::new(record(slab, at))) };
        }
    }
}

/// Idle records, the last one put in first.
struct Chain<T, B> {
    first: Option<Op<T, B>>,
    len: usize,
}

/// All of these demand that the records in the chain are idle, and the chain's.
impl<T, B> Chain<T, B> {
    const EMPTY: Chain<T, B> = Chain { first: None, len: 0 };

    /// # Safety
    /// As said; and `op` is idle and the caller's.
    #[inline]
    unsafe fn push(&mut self, op: Op<T, B>) {
        // SAFETY: the caller's.
        unsafe { op.set_next(self.first) };
        self.first = Some(op);
        self.len += 1;
    }

    /// # Safety
    /// As said.
    #[inline]
    unsafe fn pop(&mut self) -> Option<Op<T, B>> {
        let op = self.first?;
        // SAFETY: the caller's.
        self.first = unsafe { op.next() };
        self.len -= 1;
        Some(op)
    }

    /// Moves up to `count` records here.
    ///
    /// # Safety
    /// As said, for both chains.
    unsafe fn draw(&mut self, from: &mut Chain<T, B>, count: usize) {
        // SAFETY: the caller's.
        unsafe {
            for _ in 0..count {
                match from.pop() {
                    Some(op) => self.push(op),
                    None => return,
                }
            }
        }
    }
}

/// The address of one record, with the right to it that the slab's owner has.
fn record<T, B>(slab: Slab<T, B>, at: usize) -> NonNull<Record<T, B>> {
    debug_assert!(at < slab.len());
    // SAFETY: inside the slab.
    unsafe { slab.cast::<Record<T, B>>().add(at) }
}

/// A panic under a lock leaves nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::mpsc::sync_channel;

    use super::*;

    /// Frees its records, as a model does.
    struct Shared(Pool<(), Vec<u8>>);

    impl Shared {
        fn new() -> Shared {
            Shared(Pool::new())
        }

        fn records(&self) -> usize {
            lock(&self.0.slabs).iter().map(|slab| slab.len()).sum()
        }
    }

    impl Drop for Shared {
        fn drop(&mut self) {
            // SAFETY: the tests put nothing in flight.
            unsafe { self.0.free() };
        }
    }

    #[test]
    fn no_record_is_given_out_twice() {
        let shared = Shared::new();
        for _ in 0..3 {
            let taken: Vec<_> = (0..100).map(|_| shared.0.take()).collect();
            let names: HashSet<_> = taken.iter().map(|op| op.name()).collect();
            assert_eq!((names.len(), shared.records()), (100, 128));
            for op in taken {
                // SAFETY: taken above, and idle.
                unsafe { shared.0.give(op) };
            }
        }
    }

    #[test]
    fn records_find_back_from_the_thread_that_ends_operations() {
        let shared = Shared::new();
        let (to_end, ended) = sync_channel::<usize>(8);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for name in ended {
                    let op = Op::from_name(std::ptr::with_exposed_provenance_mut(name));
                    // SAFETY: the other thread has given it up.
                    unsafe { shared.0.give(op) };
                }
            });
            for _ in 0..10_000 {
                to_end.send(shared.0.take().name().expose_provenance()).unwrap();
            }
            drop(to_end);
        });
        // As many as two hands and the channel can hold, in slabs that double.
        assert!(shared.records() <= 128, "{}", shared.records());
    }
}

/// Threads by number: small ones, used again when a thread has ended.
mod thread {
    use std::cell::Cell;
    use std::sync::Mutex;

    use super::lock;

    /// Those that are free, of the first `made`.
    struct Numbers {
        free: Vec<usize>,
        made: usize,
    }

    static NUMBERS: Mutex<Numbers> = Mutex::new(Numbers { free: Vec::new(), made: 0 });

    /// No thread has it.
    const NONE: usize = usize::MAX;

    thread_local! {
        /// The number, `NONE` before the thread has one and when it is about to end. Apart from the
        /// lease, so that looking is cheap.
        static NUMBER: Cell<usize> = const { Cell::new(NONE) };
        static LEASE: Lease = const { Lease };
    }

    /// Gives the number back when the thread ends. The lock then orders what the thread did with
    /// its hands before what the next thread of that number does.
    struct Lease;

    impl Drop for Lease {
        fn drop(&mut self) {
            let number = NUMBER.replace(NONE);
            lock(&NUMBERS).free.push(number);
        }
    }

    /// The number of this thread; one that no hand has, if the thread is about to end.
    #[inline]
    pub fn number() -> usize {
        match NUMBER.get() {
            NONE => lease(),
            number => number,
        }
    }

    #[cold]
    fn lease() -> usize {
        // It fails when the thread's locals are being destroyed.
        if LEASE.try_with(|_| ()).is_err() {
            return NONE;
        }
        let mut numbers = lock(&NUMBERS);
        let number = numbers.free.pop().unwrap_or_else(|| {
            numbers.made += 1;
            numbers.made - 1
        });
        NUMBER.set(number);
        number
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn numbers_are_kept_and_handed_on() {
            let mine = number();
            for _ in 0..200 {
                let other = std::thread::spawn(number).join().unwrap();
                assert!(other != mine && other < super::super::HANDS, "{other}");
            }
            assert_eq!(number(), mine);
        }
    }
}
