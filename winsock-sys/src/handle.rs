//! The handle table: a SOCKET or HANDLE is an index and a generation, never a pointer.
//!
//! A value is `generation << 22 | index << 2`: a multiple of 4 (the low bit of an `hEvent` is a
//! flag, rule 25), never 0 and never INVALID_SOCKET, and it fits 31 bits because programs keep
//! sockets in an `int` (Windows promises that handles have 32 significant bits). A freed slot waits
//! behind [`QUARANTINE`] others before it is used again under the next generation, so a stale value
//! is refused instead of meaning somebody else's object.
//!
//! Looking up is one compare-and-swap and takes no lock: the slot's word counts the references,
//! of which being open is one. Whoever lets go of the last one drops the object and frees the slot.
//!
//! What most objects are there for, to be waited for, lies in the slot itself and is never freed: a
//! wait for 64 handles looks at 64 signals ([`Table::peek`]) without counting 64 references.

use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::ops::Deref;
use std::ptr;

use crate::event::{Kind, Signal};
use crate::object::WAITS;
use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::sync::{Mutex, UnsafeCell, lock};

const INDEX_BITS: u32 = 20;
const GENERATION_BITS: u32 = 9;
const VALUE_MASK: usize = (1 << (2 + INDEX_BITS + GENERATION_BITS)) - 1;
/// How many freed slots rest before the oldest is used again.
const QUARANTINE: usize = if cfg!(loom) { 0 } else { 64 };

/// The first chunk's slots; each further chunk has twice as many as the one before.
const FIRST_CHUNK: usize = if cfg!(loom) { 2 } else { 64 };
const CHUNKS: usize = if cfg!(loom) { 2 } else { 14 };

const OPEN: u64 = 1 << 31;
const REFS: u64 = OPEN - 1;

struct Slot<T> {
    /// `value << 32 | OPEN | references`; the value of a vacant slot is that of its next object.
    word: AtomicU64,
    /// Where the object is one to be waited for, and keeps no signal elsewhere.
    signal: Signal,
    object: UnsafeCell<MaybeUninit<T>>,
}

/// The handle value in a slot's word.
fn value_in(word: u64) -> usize {
    (word >> 32) as usize
}

struct Free {
    resting: VecDeque<u32>,
    fresh: u32,
}

/// A table of `T`, shared by all threads.
pub struct Table<T: 'static> {
    chunks: [AtomicPtr<Slot<T>>; CHUNKS],
    free: Mutex<Free>,
}

// SAFETY: an object is reached only through `Ref`, which hands out `&T` to any thread; it is
// dropped by whichever thread lets go of the last reference.
unsafe impl<T: Send + Sync> Sync for Table<T> {}
// SAFETY: as above; the table owns its objects.
unsafe impl<T: Send + Sync> Send for Table<T> {}

impl<T> Table<T> {
    #[cfg(not(loom))]
    pub const fn new() -> Table<T> {
        Table {
            chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
            // Index 0 stays empty: the value 0 is NULL to every caller of CreateEvent and kin.
            free: Mutex::new(Free { resting: VecDeque::new(), fresh: 1 }),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Table<T> {
        Table {
            chunks: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            free: Mutex::new(Free { resting: VecDeque::new(), fresh: 1 }),
        }
    }

    /// Takes the object in and opens a handle to it. `None` when the table is full: the object is
    /// dropped, as CreateXxx fails.
    pub fn insert(&'static self, object: T) -> Option<usize> {
        self.insert_with(object, Kind::Absent)
    }

    /// As [`Table::insert`], with a signal in the slot.
    pub fn insert_with(&'static self, object: T, signal: Kind) -> Option<usize> {
        let slot = self.vacant()?;
        // SAFETY: `vacant` gave this slot to us alone: no reference counts on it.
        slot.object.with_mut(|place| unsafe { (*place).write(object) });
        if signal != Kind::Absent {
            slot.signal.begin(signal);
        }
        let word = slot.word.load(Ordering::Relaxed);
        slot.word.store(word | OPEN | 1, Ordering::Release);
        Some(value_in(word))
    }

    /// The signal in the slot of an open handle. It is the object's as long as the handle
    /// [is open](Table::is_open) or the object referred to; it may be [absent](Signal::is_present).
    pub fn peek(&'static self, value: usize) -> Option<&'static Signal> {
        let slot = self.slot(value)?;
        is_open(slot.word.load(Ordering::Acquire), value).then_some(&slot.signal)
    }

    pub fn is_open(&'static self, value: usize) -> bool {
        self.peek(value).is_some()
    }

    /// The object behind an open handle.
    pub fn open(&'static self, value: usize) -> Option<Ref<T>> {
        self.acquire(value, |word| word & OPEN != 0)
    }

    /// The object behind a handle that may have been closed, as long as somebody still refers to
    /// it: for events of a socket that lives on in its duplicates.
    pub fn live(&'static self, value: usize) -> Option<Ref<T>> {
        self.acquire(value, |word| word & REFS != 0)
    }

    /// Closes the handle: of several threads that try, one gets the object. It stays usable through
    /// the returned reference and those that others hold.
    pub fn close(&'static self, value: usize) -> Option<Ref<T>> {
        let slot = self.slot(value)?;
        let mut word = slot.word.load(Ordering::Acquire);
        loop {
            if !is_open(word, value) {
                return None;
            }
            // The open handle's own reference passes to the caller.
            match slot.word.compare_exchange_weak(
                word,
                word & !OPEN,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(Ref { slot, table: self }),
                Err(now) => word = now,
            }
        }
    }

    /// The reference that [`Ref::lend`] has turned into a word.
    ///
    /// # Safety
    /// The word comes from a reference into this table, and is taken back once.
    pub unsafe fn take_back(&'static self, word: u64) -> Ref<T> {
        // SAFETY: our caller vouches for the word; slots are never freed.
        let slot = unsafe { &*std::ptr::with_exposed_provenance::<Slot<T>>(word as usize) };
        Ref { slot, table: self }
    }

    /// Every handle value that is open now, for the few who must look at all of them (WSACleanup,
    /// thread exit).
    pub fn values(&'static self) -> Vec<usize> {
        let fresh = lock(&self.free).fresh;
        let opened = |index: u32| {
            let word = self.slot_at(index)?.word.load(Ordering::Acquire);
            (word & OPEN != 0).then(|| value_in(word))
        };
        (1..fresh).filter_map(opened).collect()
    }

    fn acquire(&'static self, value: usize, usable: impl Fn(u64) -> bool) -> Option<Ref<T>> {
        let slot = self.slot(value)?;
        let mut word = slot.word.load(Ordering::Acquire);
        loop {
            if !usable(word) || value_in(word) != value {
                return None;
            }
            match slot.word.compare_exchange_weak(
                word,
                word + 1,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(Ref { slot, table: self }),
                Err(now) => word = now,
            }
        }
    }

    fn slot(&'static self, value: usize) -> Option<&'static Slot<T>> {
        if value & 3 != 0 || value & !VALUE_MASK != 0 {
            return None;
        }
        self.slot_at(index_of(value))
    }

    fn slot_at(&'static self, index: u32) -> Option<&'static Slot<T>> {
        let (chunk, offset) = place(index)?;
        let slots = self.chunks[chunk].load(Ordering::Acquire);
        if slots.is_null() {
            return None;
        }
        // SAFETY: chunks are never freed, and `place` keeps the offset inside the chunk.
        Some(unsafe { &*slots.add(offset) })
    }

    /// A slot that nobody refers to, its next generation already set.
    fn vacant(&'static self) -> Option<&'static Slot<T>> {
        let mut free = lock(&self.free);
        if free.resting.len() > QUARANTINE || place(free.fresh).is_none() {
            let index = free.resting.pop_front()?;
            return self.slot_at(index);
        }
        let index = free.fresh;
        let (chunk, _) = place(index)?;
        if self.chunks[chunk].load(Ordering::Relaxed).is_null() {
            self.chunks[chunk].store(new_chunk(chunk), Ordering::Release);
        }
        free.fresh += 1;
        self.slot_at(index)
    }
}

fn is_open(word: u64, value: usize) -> bool {
    word & OPEN != 0 && value_in(word) == value
}

/// The value that the same slot has next.
fn next_generation(value: usize) -> usize {
    (value + (1 << (2 + INDEX_BITS))) & VALUE_MASK
}

fn index_of(value: usize) -> u32 {
    (value >> 2) as u32 & ((1 << INDEX_BITS) - 1)
}

fn chunk_len(chunk: usize) -> usize {
    FIRST_CHUNK << chunk
}

/// Which chunk holds an index, and where.
fn place(index: u32) -> Option<(usize, usize)> {
    let from_first = index as usize / FIRST_CHUNK + 1;
    let chunk = from_first.ilog2() as usize;
    let start = FIRST_CHUNK * ((1 << chunk) - 1);
    (chunk < CHUNKS).then(|| (chunk, index as usize - start))
}

fn new_chunk<T>(chunk: usize) -> *mut Slot<T> {
    let start = FIRST_CHUNK * ((1 << chunk) - 1);
    let slot = |offset| Slot {
        word: AtomicU64::new(((start + offset) as u64) << (32 + 2)),
        signal: Signal::of(Kind::Absent),
        object: UnsafeCell::new(MaybeUninit::uninit()),
    };
    let slots: Box<[Slot<T>]> = (0..chunk_len(chunk)).map(slot).collect();
    Box::leak(slots).as_mut_ptr()
}

/// A counted reference to an object in the table.
pub struct Ref<T: 'static> {
    slot: &'static Slot<T>,
    table: &'static Table<T>,
}

// SAFETY: a `Ref` gives `&T` and may drop the `T` on whichever thread it ends.
unsafe impl<T: Send + Sync> Send for Ref<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Ref<T> {}

impl<T> Ref<T> {
    /// The value of the handle under which the object came into the table.
    pub fn value(&self) -> usize {
        value_in(self.slot.word.load(Ordering::Relaxed))
    }

    /// The signal in the object's slot.
    pub fn signal(&self) -> &Signal {
        &self.slot.signal
    }

    /// Turns the reference into a word, which a backend lends to the kernel: a multiple of 8 that
    /// is not 0. It counts until [`Table::take_back`].
    pub fn lend(self) -> u64 {
        const { assert!(align_of::<Slot<T>>() >= 8) };
        let word = std::ptr::from_ref(self.slot).expose_provenance() as u64;
        std::mem::forget(self);
        word
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the slot was filled before it was opened and our reference keeps it filled.
        self.slot.object.with(|object| unsafe { (*object).assume_init_ref() })
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Ref<T> {
        self.slot.word.fetch_add(1, Ordering::Relaxed);
        Ref { slot: self.slot, table: self.table }
    }
}

impl<T> Drop for Ref<T> {
    fn drop(&mut self) {
        let word = self.slot.word.fetch_sub(1, Ordering::AcqRel);
        if word & REFS != 1 {
            return;
        }
        if self.slot.signal.is_present() {
            WAITS.evict(&self.slot.signal);
        }
        // SAFETY: the count reached 0 and the handle is closed (an open one counts), so nobody else
        // can reach the object any more.
        self.slot.object.with_mut(|object| unsafe { (*object).assume_init_drop() });
        let value = value_in(word);
        self.slot.word.store((next_generation(value) as u64) << 32, Ordering::Release);
        lock(&self.table.free).resting.push_back(index_of(value));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn values_are_multiples_of_four_and_fit_31_bits() {
        static TABLE: Table<String> = Table::new();
        let table = &TABLE;
        for _ in 0..1000 {
            let value = table.insert(String::new()).unwrap();
            assert!(value != 0 && value & 3 == 0 && value < 1 << 31);
        }
    }

    #[test]
    fn a_closed_value_never_names_the_next_object() {
        static TABLE: Table<String> = Table::new();
        let table = &TABLE;
        let mut seen = std::collections::HashSet::new();
        for round in 0..(512 * QUARANTINE) {
            let value = table.insert(round.to_string()).unwrap();
            assert!(seen.insert(value), "value {value} came back in round {round}");
            assert_eq!(*table.open(value).unwrap(), round.to_string());
            drop(table.close(value));
            assert!(table.open(value).is_none());
            assert!(table.close(value).is_none());
        }
    }

    #[test]
    fn an_object_outlives_its_handle_while_referred_to() {
        static TABLE: Table<String> = Table::new();
        let table = &TABLE;
        let value = table.insert("here".into()).unwrap();
        let held = table.open(value).unwrap();
        drop(table.close(value));
        assert_eq!(*held, "here");
        assert!(table.open(value).is_none());
        assert!(table.live(value).is_some());
        drop(held);
        assert!(table.live(value).is_none());
    }

    #[test]
    fn nonsense_values_are_refused() {
        static TABLE: Table<String> = Table::new();
        let table = &TABLE;
        for value in [0, 1, 2, 3, 5, 4, 1 << 22, usize::MAX, usize::MAX - 1, 1 << 40] {
            assert!(table.open(value).is_none(), "{value:#x}");
        }
    }
}
