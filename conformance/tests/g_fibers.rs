//! Section G, values local to a fiber, and barriers.

use std::cell::UnsafeCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_PARAMETER, SetLastError, WAIT_OBJECT_0,
};
use winsock_sys::Win32::System::Threading::{
    CreateThread, DeleteSynchronizationBarrier, EnterSynchronizationBarrier, ExitThread,
    FLS_OUT_OF_INDEXES, FlsAlloc, FlsFree, FlsGetValue, FlsSetValue, GetCurrentThreadId,
    InitializeSynchronizationBarrier, PFLS_CALLBACK_FUNCTION, SYNCHRONIZATION_BARRIER,
    SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY, SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY,
};

fn alloc(callback: PFLS_CALLBACK_FUNCTION) -> u32 {
    // SAFETY: the callbacks here take any value.
    let index = unsafe { FlsAlloc(callback) };
    assert_ne!(index, FLS_OUT_OF_INDEXES);
    index
}

fn get(index: u32) -> usize {
    // SAFETY: no memory is passed.
    unsafe { FlsGetValue(index) }.addr()
}

fn set(index: u32, value: usize) -> Result<(), u32> {
    // SAFETY: the callbacks here only look at the number.
    bool_result(|| unsafe { FlsSetValue(index, without_provenance_mut(value)) })
}

fn free(index: u32) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    bool_result(|| unsafe { FlsFree(index) })
}

#[test]
fn r174_each_thread_has_a_value_of_its_own() {
    let index = alloc(None);
    assert_eq!(get(index), 0);
    assert_eq!(set(index, 1), Ok(()));
    thread::scope(|scope| {
        for number in 2..6 {
            scope.spawn(move || {
                assert_eq!(get(index), 0);
                assert_eq!(set(index, number), Ok(()));
                thread::yield_now();
                assert_eq!(get(index), number);
            });
        }
    });
    assert_eq!(get(index), 1);
    assert_eq!(free(index), Ok(()));
}

#[test]
fn r174_the_callback_hears_of_what_a_thread_leaves_in_that_thread() {
    static HEARD: Mutex<Vec<(usize, u32)>> = Mutex::new(Vec::new());
    unsafe extern "system" fn hear(value: *const c_void) {
        // SAFETY: no memory is passed.
        HEARD.lock().unwrap().push((value.addr(), unsafe { GetCurrentThreadId() }));
    }

    let index = alloc(Some(hear));
    static ID: AtomicUsize = AtomicUsize::new(0);
    let note = || {
        // SAFETY: no memory is passed.
        ID.store(unsafe { GetCurrentThreadId() } as usize, Ordering::SeqCst);
    };
    Thread::start(move || {
        note();
        set(index, 7).unwrap();
    })
    .join();
    let id = ID.load(Ordering::SeqCst) as u32;
    assert_eq!(HEARD.lock().unwrap().split_off(0), [(7, id)]);

    Thread::start(move || {
        set(index, 8).unwrap();
        set(index, 0).unwrap();
    })
    .join();
    Thread::start(|| ()).join();
    assert_eq!(HEARD.lock().unwrap().len(), 0, "there is nothing left");

    // `Thread` keeps a box in the frame that ExitThread abandons.
    unsafe extern "system" fn leave(index: *mut c_void) -> u32 {
        set(index.addr() as u32, 9).unwrap();
        // SAFETY: no frame here owns anything.
        unsafe { ExitThread(3) }
    }
    let parameter = without_provenance_mut(index as usize);
    // SAFETY: `leave` takes a number; the handle is closed once.
    unsafe {
        let leaver = CreateThread(null(), 0, Some(leave), parameter, 0, null_mut());
        assert_eq!(wait(leaver, SOON), WAIT_OBJECT_0);
        CloseHandle(leaver);
    }
    assert_eq!(HEARD.lock().unwrap().split_off(0)[0].0, 9);

    thread::spawn(move || set(index, 10)).join().unwrap().unwrap();
    assert_eq!(HEARD.lock().unwrap().split_off(0)[0].0, 10, "a thread that std has made");
    assert_eq!(free(index), Ok(()));
    assert_eq!(HEARD.lock().unwrap().len(), 0);
}

#[test]
fn r174_freeing_an_index_calls_with_the_values_of_all_threads() {
    static HEARD: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    unsafe extern "system" fn hear(value: *const c_void) {
        HEARD.lock().unwrap().push(value.addr());
    }

    let index = alloc(Some(hear));
    let (has_set, done) = (Event::manual_reset(), Event::manual_reset());
    assert_eq!(set(index, 1), Ok(()));
    thread::scope(|scope| {
        scope.spawn(|| {
            set(index, 2).unwrap();
            has_set.set();
            assert!(done.is_set_within(NEVER));
        });
        assert!(has_set.is_set_within(SOON));
        let freed = free(index);
        let mut heard = HEARD.lock().unwrap().split_off(0);
        heard.sort_unstable();
        done.set();
        assert_eq!((freed, &heard[..]), (Ok(()), &[1, 2][..]));
    });
    assert_eq!(HEARD.lock().unwrap().len(), 0, "the thread left nothing");
    // Freeing it once more could free what another test has got meanwhile.
}

#[test]
fn r174_a_success_clears_the_last_error() {
    let index = alloc(None);
    // SAFETY: no memory is passed.
    unsafe { SetLastError(7) };
    assert_eq!(get(index), 0);
    assert_eq!(last_error(), 0);
    assert_eq!(free(index), Ok(()));
}

#[test]
fn r174_an_index_used_again_holds_nothing() {
    for _ in 0..100 {
        let index = alloc(None);
        assert_eq!(get(index), 0);
        assert_eq!(set(index, 9), Ok(()));
        assert_eq!(free(index), Ok(()));
    }
}

#[test]
fn r174_indexes_that_cannot_be_are_refused() {
    for index in [0, 1 << 20, u32::MAX] {
        assert_eq!(set(index, 1), Err(ERROR_INVALID_PARAMETER));
        // SAFETY: no memory is passed.
        unsafe { SetLastError(0) };
        assert_eq!(get(index), 0);
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert_eq!(free(index), Err(ERROR_INVALID_PARAMETER));
    }
}

struct Barrier(Box<UnsafeCell<SYNCHRONIZATION_BARRIER>>);

// SAFETY: its functions may be called by any thread.
unsafe impl Sync for Barrier {}

impl Barrier {
    fn new(total: i32, spins: i32) -> Result<Barrier, u32> {
        assert!(!is_wine(), "Wine 8.0 ends a program that asks for a barrier");
        let barrier = Barrier(Box::default());
        // SAFETY: a place for it that does not move.
        bool_result(|| unsafe { InitializeSynchronizationBarrier(barrier.0.get(), total, spins) })?;
        Ok(barrier)
    }

    fn enter(&self, flags: u32) -> bool {
        // SAFETY: it is initialized.
        unsafe { EnterSynchronizationBarrier(self.0.get(), flags) != 0 }
    }

    fn delete(&self) -> bool {
        // SAFETY: it is initialized.
        unsafe { DeleteSynchronizationBarrier(self.0.get()) != 0 }
    }
}

/// In every round nobody goes on before all have come, and one is the last.
fn rounds(spins: i32, flags: u32) {
    const THREADS: usize = 4;
    const ROUNDS: usize = 500;
    let barrier = Barrier::new(THREADS as i32, spins).unwrap();
    let (came, last) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let early = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    came.fetch_add(1, Ordering::SeqCst);
                    last.fetch_add(barrier.enter(flags).into(), Ordering::SeqCst);
                    if came.load(Ordering::SeqCst) < round * THREADS {
                        early.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    assert_eq!(early.load(Ordering::SeqCst), 0);
    assert_eq!(last.load(Ordering::SeqCst), ROUNDS);
    assert!(barrier.delete());
}

#[test]
fn r175_a_barrier_holds_its_threads_back_round_after_round() {
    differs_on_wine(|| {
        rounds(-1, 0);
        rounds(0, 0);
        rounds(10, SYNCHRONIZATION_BARRIER_FLAGS_BLOCK_ONLY);
        rounds(10, SYNCHRONIZATION_BARRIER_FLAGS_SPIN_ONLY);
    });
}

#[test]
fn r175_a_barrier_can_be_deleted_as_soon_as_one_has_come_through() {
    differs_on_wine(|| {
        for _ in 0..200 {
            let barrier = Barrier::new(2, -1).unwrap();
            thread::scope(|scope| {
                scope.spawn(|| barrier.enter(0));
                barrier.enter(0);
                assert!(barrier.delete());
                // SAFETY: it is deleted, and nobody inside.
                unsafe { *barrier.0.get() = SYNCHRONIZATION_BARRIER::default() };
            });
        }
    });
}

#[test]
fn r175_a_barrier_of_one_holds_nobody_back() {
    differs_on_wine(|| {
        let barrier = Barrier::new(1, 0).unwrap();
        assert!(barrier.enter(0));
        assert!(barrier.enter(0));
        assert!(barrier.delete());
    });
}

#[test]
fn r175_a_barrier_for_nobody_is_refused() {
    differs_on_wine(|| {
        assert_eq!(Barrier::new(0, 0).err(), Some(ERROR_INVALID_PARAMETER));
        assert_eq!(Barrier::new(-1, 0).err(), Some(ERROR_INVALID_PARAMETER));
        assert_eq!(Barrier::new(1, -2).err(), Some(ERROR_INVALID_PARAMETER));
    });
}
