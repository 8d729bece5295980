//! Interlocked lists: last in, first out (rule 169).
//!
//! The first entry and the depth change together, under a lock of one word in the head. A thread
//! that takes an entry reads its successor; as all who take entries hold the lock, none is freed or
//! pushed again meanwhile.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use windows_sys::Win32::System::Kernel::{SLIST_ENTRY, SLIST_HEADER};

use super::word::Word;

/// How often to look before sleeping: the lock is held for some instructions.
const SPINS: u32 = 100;

type Entry = *mut SLIST_ENTRY;

/// A SLIST_HEADER as the threads share it. As on Windows its depth is in the lowest 16 bits.
#[repr(C)]
struct Head {
    depth: AtomicU32,
    lock: AtomicU32,
    first: AtomicPtr<SLIST_ENTRY>,
}

const _: () = assert!(size_of::<Head>() == size_of::<SLIST_HEADER>());

impl Head {
    /// # Safety
    /// `head` is valid as long as the result is used.
    unsafe fn of<'a>(head: *const SLIST_HEADER) -> &'a Head {
        // SAFETY: our caller vouches for it; the layout is the same.
        unsafe { &*head.cast() }
    }

    fn depth(&self) -> u16 {
        self.depth.load(Ordering::Relaxed) as u16
    }

    /// Puts another entry in front, which `choose` finds from the one that is there, and adds to
    /// the depth; the one that was there.
    fn change(&self, choose: impl FnOnce(Entry) -> (Entry, u16)) -> Entry {
        let lock: Word<'_, 0, 1, 2> = Word(&self.lock);
        lock.lock(SPINS);
        let first = self.first.load(Ordering::Relaxed);
        let (next, more) = choose(first);
        self.first.store(next, Ordering::Relaxed);
        self.depth.store(self.depth().wrapping_add(more).into(), Ordering::Relaxed);
        lock.unlock();
        first
    }
}

/// Makes a list without entries: [InitializeSListHead][ms] (rule 169).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-initializeslisthead
///
/// # Safety
/// As on Windows: `head` is a place for it.
pub unsafe extern "system" fn InitializeSListHead(head: *mut SLIST_HEADER) {
    let empty =
        Head { depth: AtomicU32::new(0), lock: AtomicU32::new(0), first: AtomicPtr::default() };
    // SAFETY: our caller vouches for the place.
    unsafe { head.cast::<Head>().write(empty) };
}

/// Puts an entry in front: [InterlockedPushEntrySList][ms]. The entry that was in front.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedpushentryslist
///
/// # Safety
/// As on Windows: `head` is initialized, and the entry is valid and in no list.
pub unsafe extern "system" fn InterlockedPushEntrySList(
    head: *mut SLIST_HEADER,
    entry: *mut SLIST_ENTRY,
) -> *mut SLIST_ENTRY {
    // SAFETY: our caller vouches for both.
    unsafe { InterlockedPushListSListEx(head, entry, entry, 1) }
}

/// Puts a chain of `count` entries in front: [InterlockedPushListSListEx][ms]. The entry that was
/// in front.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedpushlistslistex
///
/// # Safety
/// As on Windows: `head` is initialized, and the chain from `first` to `last` is valid and in no
/// list.
pub unsafe extern "system" fn InterlockedPushListSListEx(
    head: *mut SLIST_HEADER,
    first: *mut SLIST_ENTRY,
    last: *mut SLIST_ENTRY,
    count: u32,
) -> *mut SLIST_ENTRY {
    // SAFETY: our caller vouches for it.
    unsafe { Head::of(head) }.change(|next| {
        // SAFETY: our caller vouches for the entries; they are still his.
        unsafe { (*last).Next = next };
        (first, count as u16)
    })
}

/// Takes the entry in front: [InterlockedPopEntrySList][ms]. NULL if there is none.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedpopentryslist
///
/// # Safety
/// As on Windows: `head` is initialized, and its entries are valid.
pub unsafe extern "system" fn InterlockedPopEntrySList(
    head: *mut SLIST_HEADER,
) -> *mut SLIST_ENTRY {
    // SAFETY: our caller vouches for it.
    unsafe { Head::of(head) }.change(|first| match first.is_null() {
        true => (first, 0),
        // SAFETY: what is in the list is valid, and nobody else can take it out.
        false => (unsafe { (*first).Next }, u16::MAX),
    })
}

/// Takes all entries, as a chain: [InterlockedFlushSList][ms]. NULL if there is none.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-interlockedflushslist
///
/// # Safety
/// As [`InterlockedPopEntrySList`].
pub unsafe extern "system" fn InterlockedFlushSList(head: *mut SLIST_HEADER) -> *mut SLIST_ENTRY {
    // SAFETY: our caller vouches for it.
    let head = unsafe { Head::of(head) };
    head.change(|_| (ptr::null_mut(), head.depth().wrapping_neg()))
}

/// How many entries a list has, modulo 65536: [QueryDepthSList][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/interlockedapi/nf-interlockedapi-querydepthslist
///
/// # Safety
/// As on Windows: `head` is initialized.
pub unsafe extern "system" fn QueryDepthSList(head: *const SLIST_HEADER) -> u16 {
    // SAFETY: our caller vouches for it.
    unsafe { Head::of(head) }.depth()
}
