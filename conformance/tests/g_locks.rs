//! Section G, locks in the program's own memory and values local to a thread.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, SetLastError};
use winsock_sys::Win32::System::Threading::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, CRITICAL_SECTION, DeleteCriticalSection,
    EnterCriticalSection, GetCurrentThreadId, InitializeCriticalSection,
    InitializeCriticalSectionAndSpinCount, InitializeCriticalSectionEx, InitializeSRWLock,
    LeaveCriticalSection, ReleaseSRWLockExclusive, ReleaseSRWLockShared, SRWLOCK, SRWLOCK_INIT,
    SetCriticalSectionSpinCount, TLS_OUT_OF_INDEXES, TlsAlloc, TlsFree, TlsGetValue, TlsSetValue,
    TryAcquireSRWLockExclusive, TryAcquireSRWLockShared, TryEnterCriticalSection,
};

const THREADS: usize = 4;
const ROUNDS: usize = 20_000;

/// What the lock under test guards.
struct Guarded(UnsafeCell<usize>);

// SAFETY: the tests touch it only while they hold their lock.
unsafe impl Sync for Guarded {}

impl Guarded {
    fn new() -> Guarded {
        Guarded(UnsafeCell::new(0))
    }

    /// Not atomic: only a lock keeps the count right.
    fn add_one(&self) {
        // SAFETY: the caller holds the lock.
        unsafe { self.0.get().write_volatile(self.0.get().read_volatile() + 1) };
    }

    fn get(&self) -> usize {
        // SAFETY: the caller holds the lock, or is alone.
        unsafe { self.0.get().read_volatile() }
    }
}

struct Section(Box<UnsafeCell<CRITICAL_SECTION>>);

// SAFETY: its functions may be called by any thread.
unsafe impl Sync for Section {}

impl Section {
    fn new() -> Section {
        let section = Section(Box::default());
        // SAFETY: a place for it that does not move.
        unsafe { InitializeCriticalSection(section.ptr()) };
        section
    }

    fn ptr(&self) -> *mut CRITICAL_SECTION {
        self.0.get()
    }

    fn enter(&self) {
        // SAFETY: it is initialized.
        unsafe { EnterCriticalSection(self.ptr()) };
    }

    fn try_enter(&self) -> bool {
        // SAFETY: it is initialized.
        unsafe { TryEnterCriticalSection(self.ptr()) != 0 }
    }

    fn leave(&self) {
        // SAFETY: it is initialized.
        unsafe { LeaveCriticalSection(self.ptr()) };
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        // SAFETY: it is initialized, and nobody is inside.
        unsafe { DeleteCriticalSection(self.ptr()) };
    }
}

#[test]
fn r164_one_thread_at_a_time_is_inside() {
    let (section, count) = (Section::new(), Guarded::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    section.enter();
                    count.add_one();
                    if round % 1000 == 0 {
                        thread::yield_now(); // Others come and sleep.
                    }
                    section.leave();
                }
            });
        }
    });
    assert_eq!(count.get(), THREADS * ROUNDS);
}

#[test]
fn r164_its_owner_enters_again_and_leaves_as_often() {
    let section = Section::new();
    let of_other = || {
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    let entered = section.try_enter();
                    if entered {
                        section.leave();
                    }
                    entered
                })
                .join()
                .expect("no panic")
        })
    };
    section.enter();
    assert!(section.try_enter());
    section.enter();
    for _ in 0..3 {
        assert!(!of_other());
        section.leave();
    }
    assert!(of_other());
}

#[test]
fn r164_who_sleeps_for_it_gets_it() {
    let section = Section::new();
    let inside = AtomicI32::new(0);
    section.enter();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                section.enter();
                inside.fetch_add(1, Ordering::SeqCst);
                section.leave();
            });
        }
        pause();
        assert_eq!(inside.load(Ordering::SeqCst), 0);
        section.leave();
        assert!(comes_true(|| inside.load(Ordering::SeqCst) == THREADS as i32));
    });
}

#[test]
fn r164_its_fields_tell_who_owns_it() {
    let section = Section::new();
    // SAFETY: nobody else uses it.
    let fields = || unsafe {
        let raw = &*section.ptr();
        (raw.LockCount, raw.RecursionCount, raw.OwningThread.addr())
    };
    assert_eq!(fields(), (-1, 0, 0));
    section.enter();
    section.enter();
    // SAFETY: no memory is passed.
    let own = unsafe { GetCurrentThreadId() } as usize;
    assert_eq!((fields().1, fields().2), (2, own));
    section.leave();
    section.leave();
    assert_eq!(fields(), (-1, 0, 0));
}

#[test]
fn r164_spin_counts_are_taken_and_told() {
    let raw = Box::<UnsafeCell<CRITICAL_SECTION>>::default();
    // SAFETY: a place for it that does not move, initialized before it is used and after it is
    // deleted.
    unsafe {
        assert_ne!(InitializeCriticalSectionAndSpinCount(raw.get(), 400), 0);
        let before = SetCriticalSectionSpinCount(raw.get(), 100);
        assert!(before == 400 || before == 0, "{before}"); // Zero on a single processor.
        EnterCriticalSection(raw.get());
        LeaveCriticalSection(raw.get());
        DeleteCriticalSection(raw.get());
        assert_ne!(InitializeCriticalSectionEx(raw.get(), 4000, 0), 0);
        EnterCriticalSection(raw.get());
        LeaveCriticalSection(raw.get());
        DeleteCriticalSection(raw.get());
    }
}

struct Slim(UnsafeCell<SRWLOCK>);

// SAFETY: its functions may be called by any thread.
unsafe impl Sync for Slim {}

impl Slim {
    const fn new() -> Slim {
        Slim(UnsafeCell::new(SRWLOCK_INIT))
    }

    fn exclusive(&self) {
        // SAFETY: it is initialized and stays where it is while it is held.
        unsafe { AcquireSRWLockExclusive(self.0.get()) };
    }

    fn shared(&self) {
        // SAFETY: as above.
        unsafe { AcquireSRWLockShared(self.0.get()) };
    }

    fn try_exclusive(&self) -> bool {
        // SAFETY: as above.
        unsafe { TryAcquireSRWLockExclusive(self.0.get()) }
    }

    fn try_shared(&self) -> bool {
        // SAFETY: as above.
        unsafe { TryAcquireSRWLockShared(self.0.get()) }
    }

    fn leave_exclusive(&self) {
        // SAFETY: as above; the caller holds it.
        unsafe { ReleaseSRWLockExclusive(self.0.get()) };
    }

    fn leave_shared(&self) {
        // SAFETY: as above; the caller holds it.
        unsafe { ReleaseSRWLockShared(self.0.get()) };
    }
}

#[test]
fn r165_one_holds_it_alone_or_several_share_it() {
    let lock = Slim::new();
    // SAFETY: a place for it.
    unsafe { InitializeSRWLock(lock.0.get()) };
    lock.exclusive();
    assert!(!lock.try_exclusive());
    assert!(!lock.try_shared());
    lock.leave_exclusive();
    lock.shared();
    assert!(lock.try_shared());
    assert!(!lock.try_exclusive());
    lock.leave_shared();
    assert!(!lock.try_exclusive());
    lock.leave_shared();
    assert!(lock.try_exclusive());
    lock.leave_exclusive();
}

#[test]
fn r165_who_sleeps_for_it_gets_it() {
    let lock = Slim::new();
    let inside = AtomicI32::new(0);
    lock.exclusive();
    thread::scope(|scope| {
        for kind in 0..2 * THREADS {
            let (lock, inside) = (&lock, &inside);
            scope.spawn(move || {
                if kind % 2 == 0 {
                    lock.exclusive()
                } else {
                    lock.shared()
                }
                inside.fetch_add(1, Ordering::SeqCst);
                if kind % 2 == 0 { lock.leave_exclusive() } else { lock.leave_shared() }
            });
        }
        pause();
        assert_eq!(inside.load(Ordering::SeqCst), 0);
        lock.leave_exclusive();
        assert!(comes_true(|| inside.load(Ordering::SeqCst) == 2 * THREADS as i32));
    });
}

#[test]
fn r165_writers_are_alone_among_readers() {
    static LOCK: Slim = Slim::new();
    let (first, second) = (Guarded::new(), Guarded::new());
    let torn = AtomicBool::new(false);
    thread::scope(|scope| {
        for kind in 0..2 * THREADS {
            let (first, second, torn) = (&first, &second, &torn);
            scope.spawn(move || {
                for round in 0..ROUNDS / 2 {
                    if kind % 2 == 0 {
                        LOCK.exclusive();
                        first.add_one();
                        if round % 500 == 0 {
                            thread::yield_now();
                        }
                        second.add_one();
                        LOCK.leave_exclusive();
                    } else {
                        LOCK.shared();
                        if first.get() != second.get() {
                            torn.store(true, Ordering::SeqCst);
                        }
                        if round % 500 == 0 {
                            thread::yield_now();
                        }
                        LOCK.leave_shared();
                    }
                }
            });
        }
    });
    assert!(!torn.load(Ordering::SeqCst));
    assert_eq!((first.get(), second.get()), (THREADS * ROUNDS / 2, THREADS * ROUNDS / 2));
}

fn value(number: usize) -> *mut c_void {
    without_provenance_mut(number)
}

fn tls_alloc() -> u32 {
    // SAFETY: no memory is passed.
    let index = unsafe { TlsAlloc() };
    assert_ne!(index, TLS_OUT_OF_INDEXES);
    index
}

fn tls_get(index: u32) -> *mut c_void {
    // SAFETY: no memory is passed.
    unsafe { TlsGetValue(index) }
}

fn tls_set(index: u32, value: *mut c_void) -> Result<(), u32> {
    // SAFETY: the value is only kept.
    bool_result(|| unsafe { TlsSetValue(index, value) })
}

fn tls_free(index: u32) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    bool_result(|| unsafe { TlsFree(index) })
}

#[test]
fn r166_each_thread_has_a_value_of_its_own() {
    let index = tls_alloc();
    assert_eq!(tls_get(index), null_mut());
    assert_eq!(tls_set(index, value(1)), Ok(()));
    thread::scope(|scope| {
        for number in 2..2 + THREADS {
            scope.spawn(move || {
                assert_eq!(tls_get(index), null_mut());
                assert_eq!(tls_set(index, value(number)), Ok(()));
                thread::yield_now();
                assert_eq!(tls_get(index), value(number));
            });
        }
    });
    assert_eq!(tls_get(index), value(1));
    assert_eq!(tls_free(index), Ok(()));
}

#[test]
fn r166_a_success_clears_the_last_error() {
    let index = tls_alloc();
    // SAFETY: no memory is passed.
    unsafe { SetLastError(7) };
    assert_eq!(tls_get(index), null_mut());
    assert_eq!(last_error(), 0);
    assert_eq!(tls_free(index), Ok(()));
}

#[test]
fn r166_an_index_used_again_holds_nothing() {
    // Whether the same one comes again is the system's affair; none may hold an old value.
    for _ in 0..100 {
        let index = tls_alloc();
        assert_eq!(tls_get(index), null_mut());
        assert_eq!(tls_set(index, value(9)), Ok(()));
        assert_eq!(tls_free(index), Ok(()));
    }
}

#[test]
fn r166_indexes_that_cannot_be_are_refused() {
    assert_eq!(tls_set(5000, value(1)), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(tls_free(5000), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(tls_set(TLS_OUT_OF_INDEXES, value(1)), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(tls_get(TLS_OUT_OF_INDEXES), null_mut());
    assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    // None so high is allocated here.
    assert_eq!(tls_free(1087), Err(ERROR_INVALID_PARAMETER));
}
