//! Section G, what threads do together with locks: condition variables, doing something once,
//! lists.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, ERROR_INVALID_PARAMETER, ERROR_TIMEOUT, SetLastError,
};
use winsock_sys::Win32::System::Kernel::{SLIST_ENTRY, SLIST_HEADER};
use winsock_sys::Win32::System::Threading::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, CONDITION_VARIABLE, CONDITION_VARIABLE_INIT,
    CONDITION_VARIABLE_LOCKMODE_SHARED, CRITICAL_SECTION, DeleteCriticalSection,
    EnterCriticalSection, INIT_ONCE, INIT_ONCE_ASYNC, INIT_ONCE_CHECK_ONLY, INIT_ONCE_INIT_FAILED,
    INIT_ONCE_STATIC_INIT, InitOnceBeginInitialize, InitOnceComplete, InitOnceExecuteOnce,
    InitializeConditionVariable, InitializeCriticalSection, InitializeSListHead,
    InterlockedFlushSList, InterlockedPopEntrySList, InterlockedPushEntrySList,
    LeaveCriticalSection, QueryDepthSList, ReleaseSRWLockExclusive, ReleaseSRWLockShared, SRWLOCK,
    SRWLOCK_INIT, SleepConditionVariableCS, SleepConditionVariableSRW, TryAcquireSRWLockExclusive,
    WaitOnAddress, WakeAllConditionVariable, WakeByAddressAll, WakeByAddressSingle,
    WakeConditionVariable,
};

const THREADS: usize = 4;

/// A structure of the system that threads share.
struct Shared<T>(UnsafeCell<T>);

// SAFETY: its functions may be called by any thread; what a lock guards is touched under it.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    const fn new(value: T) -> Shared<T> {
        Shared(UnsafeCell::new(value))
    }

    fn ptr(&self) -> *mut T {
        self.0.get()
    }
}

/// A queue of one place between producers and consumers: every item arrives once.
#[test]
fn r167_no_wake_is_lost_under_a_critical_section() {
    const ITEMS: u32 = 5000;
    struct Queue {
        section: Shared<CRITICAL_SECTION>,
        filled: Shared<CONDITION_VARIABLE>,
        emptied: Shared<CONDITION_VARIABLE>,
        place: Shared<u32>,
    }
    let queue = Box::new(Queue {
        section: Shared::new(CRITICAL_SECTION::default()),
        filled: Shared::new(CONDITION_VARIABLE_INIT),
        emptied: Shared::new(CONDITION_VARIABLE::default()),
        place: Shared::new(0),
    });
    // SAFETY: places that do not move.
    unsafe {
        InitializeCriticalSection(queue.section.ptr());
        InitializeConditionVariable(queue.emptied.ptr());
    }
    // Swaps the place's content once it is as wanted.
    let swap = |full: bool, other: u32| {
        let (own, others) =
            if full { (&queue.filled, &queue.emptied) } else { (&queue.emptied, &queue.filled) };
        // SAFETY: all are initialized; the place is touched inside only.
        unsafe {
            EnterCriticalSection(queue.section.ptr());
            while (*queue.place.ptr() != 0) != full {
                let woken = SleepConditionVariableCS(own.ptr(), queue.section.ptr(), SOON);
                assert_ne!(woken, 0, "a wake was lost");
            }
            let before = queue.place.ptr().replace(other);
            LeaveCriticalSection(queue.section.ptr());
            WakeConditionVariable(others.ptr());
            before
        }
    };
    let sum = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (1..=ITEMS).for_each(|item| assert_eq!(swap(false, item), 0)));
            scope.spawn(|| {
                for _ in 0..ITEMS {
                    sum.fetch_add(swap(true, 0), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(sum.into_inner(), THREADS as u32 * ITEMS * (ITEMS + 1) / 2);
    // SAFETY: nobody is inside.
    unsafe { DeleteCriticalSection(queue.section.ptr()) };
}

#[test]
fn r167_a_wake_releases_one_and_a_wake_of_all_the_rest() {
    static LOCK: Shared<SRWLOCK> = Shared::new(SRWLOCK_INIT);
    static CONDITION: Shared<CONDITION_VARIABLE> = Shared::new(CONDITION_VARIABLE_INIT);
    static TICKETS: Shared<usize> = Shared::new(0);
    let awake = AtomicI32::new(0);
    let give = |tickets: usize| {
        // SAFETY: static.
        unsafe {
            AcquireSRWLockExclusive(LOCK.ptr());
            *TICKETS.ptr() += tickets;
            ReleaseSRWLockExclusive(LOCK.ptr());
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            // SAFETY: static; the tickets are touched by who holds the lock.
            scope.spawn(|| unsafe {
                AcquireSRWLockExclusive(LOCK.ptr());
                while *TICKETS.ptr() == 0 {
                    assert_ne!(SleepConditionVariableSRW(CONDITION.ptr(), LOCK.ptr(), SOON, 0), 0);
                }
                *TICKETS.ptr() -= 1;
                ReleaseSRWLockExclusive(LOCK.ptr());
                awake.fetch_add(1, Ordering::SeqCst);
            });
        }
        pause();
        give(1);
        // SAFETY: static.
        unsafe { WakeConditionVariable(CONDITION.ptr()) };
        assert!(comes_true(|| awake.load(Ordering::SeqCst) == 1));
        give(THREADS - 1);
        // SAFETY: static.
        unsafe { WakeAllConditionVariable(CONDITION.ptr()) };
        assert!(comes_true(|| awake.load(Ordering::SeqCst) == THREADS as i32));
    });
}

#[test]
fn r167_the_lock_is_held_again_when_the_time_is_up() {
    let (lock, condition) = (Shared::new(SRWLOCK_INIT), Shared::new(CONDITION_VARIABLE_INIT));
    // SAFETY: both are initialized.
    unsafe {
        // A wake before anybody sleeps is nothing.
        WakeConditionVariable(condition.ptr());
        WakeAllConditionVariable(condition.ptr());
        AcquireSRWLockExclusive(lock.ptr());
        let sleep = |ms, flags| {
            bool_result(|| SleepConditionVariableSRW(condition.ptr(), lock.ptr(), ms, flags))
        };
        assert_eq!(sleep(0, 0), Err(ERROR_TIMEOUT));
        assert_eq!(sleep(20, 0), Err(ERROR_TIMEOUT));
        assert!(!TryAcquireSRWLockExclusive(lock.ptr()));
        ReleaseSRWLockExclusive(lock.ptr());
        AcquireSRWLockShared(lock.ptr());
        assert_eq!(sleep(20, CONDITION_VARIABLE_LOCKMODE_SHARED), Err(ERROR_TIMEOUT));
        assert!(!TryAcquireSRWLockExclusive(lock.ptr()));
        ReleaseSRWLockShared(lock.ptr());
        assert!(TryAcquireSRWLockExclusive(lock.ptr()));
        ReleaseSRWLockExclusive(lock.ptr());
    }
}

fn value(number: usize) -> *mut c_void {
    without_provenance_mut(number)
}

/// Whether it is pending, and the context; or the error.
fn begin(once: &Shared<INIT_ONCE>, flags: u32) -> Result<(bool, *mut c_void), u32> {
    let (mut pending, mut context) = (-1, null_mut());
    // SAFETY: the places outlive the call.
    bool_result(|| unsafe {
        InitOnceBeginInitialize(once.ptr(), flags, &mut pending, &mut context)
    })?;
    Ok((pending != 0, context))
}

fn complete(once: &Shared<INIT_ONCE>, flags: u32, context: usize) -> Result<(), u32> {
    // SAFETY: the context is only kept.
    bool_result(|| unsafe { InitOnceComplete(once.ptr(), flags, value(context)) })
}

#[test]
fn r168_a_function_runs_once_and_all_see_its_context() {
    static ONCE: Shared<INIT_ONCE> = Shared::new(INIT_ONCE_STATIC_INIT);
    static CALLS: AtomicI32 = AtomicI32::new(0);
    unsafe extern "system" fn make(
        _: *mut INIT_ONCE,
        parameter: *mut c_void,
        context: *mut *mut c_void,
    ) -> i32 {
        assert_eq!(parameter, value(5));
        CALLS.fetch_add(1, Ordering::SeqCst);
        pause(); // The others come and wait.
        // SAFETY: the place is the caller's.
        unsafe { *context = value(64) };
        1
    }
    thread::scope(|scope| {
        for _ in 0..2 * THREADS {
            scope.spawn(|| {
                let mut context = null_mut();
                // SAFETY: the place outlives the call.
                let done =
                    unsafe { InitOnceExecuteOnce(ONCE.ptr(), Some(make), value(5), &mut context) };
                assert_eq!((done != 0, context), (true, value(64)));
            });
        }
    });
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[test]
fn r168_a_function_that_fails_may_be_tried_again() {
    unsafe extern "system" fn fail_first(
        _: *mut INIT_ONCE,
        calls: *mut c_void,
        _: *mut *mut c_void,
    ) -> i32 {
        // SAFETY: the test passes its count.
        let calls = unsafe { &*calls.cast::<AtomicI32>() };
        // SAFETY: no memory is passed.
        unsafe { SetLastError(77) };
        (calls.fetch_add(1, Ordering::SeqCst) > 0).into()
    }
    let (once, calls) = (Shared::new(INIT_ONCE_STATIC_INIT), AtomicI32::new(0));
    let execute = || {
        // SAFETY: the count outlives the calls.
        bool_result(|| unsafe {
            let calls = (&raw const calls).cast_mut().cast();
            InitOnceExecuteOnce(once.ptr(), Some(fail_first), calls, null_mut())
        })
    };
    assert_eq!(execute(), Err(77));
    assert_eq!(execute(), Ok(()));
    assert_eq!(execute(), Ok(()));
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[test]
fn r168_by_hand_it_begins_once_and_may_fail() {
    let once = Shared::new(INIT_ONCE_STATIC_INIT);
    assert_eq!(begin(&once, INIT_ONCE_CHECK_ONLY), Err(ERROR_GEN_FAILURE));
    assert_eq!(begin(&once, 0), Ok((true, null_mut())));
    assert_eq!(complete(&once, INIT_ONCE_INIT_FAILED, 0), Ok(()));
    assert_eq!(begin(&once, 0), Ok((true, null_mut())));
    assert_eq!(complete(&once, 0, 16), Ok(()));
    assert_eq!(begin(&once, 0), Ok((false, value(16))));
    assert_eq!(begin(&once, INIT_ONCE_CHECK_ONLY), Ok((false, value(16))));
    assert_eq!(begin(&once, INIT_ONCE_ASYNC), Ok((false, value(16))));
}

#[test]
fn r168_of_those_that_race_the_first_wins() {
    let once = Shared::new(INIT_ONCE_STATIC_INIT);
    assert_eq!(begin(&once, INIT_ONCE_ASYNC), Ok((true, null_mut())));
    assert_eq!(begin(&once, INIT_ONCE_ASYNC), Ok((true, null_mut())));
    assert_eq!(begin(&once, 0), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(complete(&once, 0, 16), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(complete(&once, INIT_ONCE_ASYNC, 32), Ok(()));
    assert_eq!(complete(&once, INIT_ONCE_ASYNC, 64), Err(ERROR_GEN_FAILURE));
    assert_eq!(begin(&once, INIT_ONCE_ASYNC), Ok((false, value(32))));
}

/// An entry with something of the program's behind it.
#[repr(C, align(16))]
struct Item {
    entry: SLIST_ENTRY,
    number: usize,
}

#[repr(C, align(16))]
struct List(Shared<SLIST_HEADER>);

impl List {
    fn new() -> Box<List> {
        let list = Box::new(List(Shared::new(SLIST_HEADER::default())));
        // SAFETY: a place for it that does not move.
        unsafe { InitializeSListHead(list.0.ptr()) };
        list
    }

    /// The number of the entry that was in front.
    fn push(&self, number: usize) -> Option<usize> {
        let item = Box::new(Item { entry: SLIST_ENTRY::default(), number });
        // SAFETY: the list is initialized, and the item is the list's until it is taken.
        let before = unsafe { InterlockedPushEntrySList(self.0.ptr(), Box::into_raw(item).cast()) };
        // SAFETY: the caller is alone if it looks.
        (!before.is_null()).then(|| unsafe { (*before.cast::<Item>()).number })
    }

    fn take(&self) -> *mut Item {
        // SAFETY: the list is initialized.
        unsafe { InterlockedPopEntrySList(self.0.ptr()) }.cast()
    }

    fn pop(&self) -> Option<usize> {
        let item = self.take();
        // SAFETY: `push` made the box, and whoever takes it owns it.
        (!item.is_null()).then(|| unsafe { Box::from_raw(item) }.number)
    }

    fn depth(&self) -> u16 {
        // SAFETY: the list is initialized.
        unsafe { QueryDepthSList(self.0.ptr()) }
    }
}

#[test]
fn r169_last_in_first_out() {
    let list = List::new();
    assert_eq!((list.pop(), list.depth()), (None, 0));
    assert_eq!(list.push(1), None);
    assert_eq!(list.push(2), Some(1));
    assert_eq!(list.push(3), Some(2));
    assert_eq!((list.depth(), list.pop(), list.depth()), (3, Some(3), 2));
    // SAFETY: the list is initialized; its entries are boxes of ours.
    unsafe {
        let mut chain: *mut Item = InterlockedFlushSList(list.0.ptr()).cast();
        let mut numbers = Vec::new();
        while !chain.is_null() {
            let item = Box::from_raw(chain);
            numbers.push(item.number);
            chain = item.entry.Next.cast();
        }
        assert_eq!(numbers, [2, 1]);
        assert!(InterlockedFlushSList(list.0.ptr()).is_null());
    }
    assert_eq!((list.pop(), list.depth()), (None, 0));
}

/// Entries that go round quickly among threads are neither lost nor doubled.
#[test]
fn r169_entries_are_conserved() {
    const ITEMS: usize = 8;
    const ROUNDS: usize = 20_000;
    let list = List::new();
    for number in 0..ITEMS {
        list.push(number);
    }
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut done = 0;
                while done < ROUNDS {
                    let (first, second) = (list.take(), list.take());
                    for item in [first, second] {
                        if !item.is_null() {
                            // SAFETY: it was taken, so this thread has it alone.
                            unsafe { InterlockedPushEntrySList(list.0.ptr(), item.cast()) };
                            done += 1;
                        }
                    }
                }
            });
        }
    });
    assert_eq!(usize::from(list.depth()), ITEMS);
    let mut numbers: Vec<usize> = std::iter::from_fn(|| list.pop()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..ITEMS).collect::<Vec<_>>());
}

fn wait_on(variable: &AtomicU32, unwanted: u32, ms: u32) -> Result<(), u32> {
    // SAFETY: both outlive the call.
    bool_result(|| unsafe {
        WaitOnAddress(variable.as_ptr().cast(), (&raw const unwanted).cast(), 4, ms)
    })
}

#[test]
fn r170_a_wait_ends_when_the_variable_differs_or_the_time_is_up() {
    let variable = AtomicU32::new(1);
    assert_eq!(wait_on(&variable, 2, SOON), Ok(()));
    assert_eq!(wait_on(&variable, 1, 0), Err(ERROR_TIMEOUT));
    assert_eq!(wait_on(&variable, 1, 20), Err(ERROR_TIMEOUT));
    let of_size = |size| {
        // SAFETY: refused before anything is read, or of the variable's size at most.
        bool_result(|| unsafe {
            WaitOnAddress(variable.as_ptr().cast(), variable.as_ptr().cast(), size, 0)
        })
    };
    assert_eq!(of_size(3), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(of_size(1), Err(ERROR_TIMEOUT));
}

#[test]
fn r170_a_wake_reaches_one_or_all() {
    let (variable, awake) = (AtomicU32::new(0), AtomicI32::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                assert_eq!(wait_on(&variable, 0, SOON), Ok(()));
                awake.fetch_add(1, Ordering::SeqCst);
            });
        }
        pause();
        // SAFETY: the address is not followed.
        unsafe { WakeByAddressSingle(variable.as_ptr().cast()) };
        assert!(comes_true(|| awake.load(Ordering::SeqCst) >= 1));
        variable.store(1, Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { WakeByAddressAll(variable.as_ptr().cast()) };
        assert!(comes_true(|| awake.load(Ordering::SeqCst) == THREADS as i32));
    });
}

/// Threads that hand a turn round would stop if a wake were lost.
#[test]
fn r170_no_wake_is_lost() {
    let turn = AtomicU32::new(0);
    thread::scope(|scope| {
        for own in 0..THREADS as u32 {
            let turn = &turn;
            scope.spawn(move || {
                for _ in 0..1000 {
                    loop {
                        let now = turn.load(Ordering::SeqCst);
                        if now == own {
                            break;
                        }
                        assert_eq!(wait_on(turn, now, SOON), Ok(()), "a wake was lost");
                    }
                    turn.store((own + 1) % THREADS as u32, Ordering::SeqCst);
                    // SAFETY: the address is not followed.
                    unsafe { WakeByAddressAll(turn.as_ptr().cast()) };
                }
            });
        }
    });
}
