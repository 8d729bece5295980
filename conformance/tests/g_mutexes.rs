//! Section G, mutexes.

use std::cell::Cell;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_NOT_OWNER, HANDLE, WAIT_ABANDONED, WAIT_ABANDONED_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{
    CREATE_MUTEX_INITIAL_OWNER, CreateMutexA, CreateMutexExW, CreateMutexW, MUTEX_ALL_ACCESS,
    ReleaseMutex,
};

fn mutex() -> Handle {
    // SAFETY: no memory is passed.
    Handle::of(unsafe { CreateMutexW(null(), 0, null()) })
}

fn own_mutex() -> Handle {
    // SAFETY: no memory is passed.
    Handle::of(unsafe { CreateMutexA(null(), 1, null()) })
}

fn release(mutex: HANDLE) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    bool_result(|| unsafe { ReleaseMutex(mutex) })
}

/// Takes the mutexes in a thread that ends without releasing them.
fn abandon(mutexes: &[&Handle]) {
    thread::scope(|scope| {
        let owner =
            scope.spawn(|| mutexes.iter().for_each(|mutex| assert_eq!(wait(***mutex, 0), 0)));
        owner.join().expect("no panic");
    });
    // The thread's last steps come after its result.
    pause();
}

#[test]
fn r151_one_thread_owns_it_at_a_time() {
    let mutex = mutex();
    assert_eq!(wait(*mutex, 0), 0);
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(wait(*mutex, 0), WAIT_TIMEOUT));
    });
    assert_eq!(release(*mutex), Ok(()));
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(wait(*mutex, 0), 0);
            assert_eq!(release(*mutex), Ok(()));
        });
    });
}

#[test]
fn r151_its_owner_takes_it_again_and_releases_it_as_often() {
    let mutex = own_mutex();
    assert_eq!(wait(*mutex, 0), 0);
    assert_eq!(wait_any(&[*mutex], 0), 0);
    assert_eq!(wait_all(&[*mutex], 0), 0);
    let is_free = || {
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                let free = wait(*mutex, 0) == 0;
                if free {
                    assert_eq!(release(*mutex), Ok(()));
                }
                free
            });
            other.join().expect("no panic")
        })
    };
    for _ in 0..4 {
        assert!(!is_free());
        assert_eq!(release(*mutex), Ok(()));
    }
    assert!(is_free());
    assert_eq!(release(*mutex), Err(ERROR_NOT_OWNER));
}

#[test]
fn r151_only_its_owner_releases_it() {
    let mutex = own_mutex();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(release(*mutex), Err(ERROR_NOT_OWNER)));
    });
    let event = Event::auto_reset();
    assert_eq!(release(*event), Err(ERROR_INVALID_HANDLE));
    assert_eq!(release(null_mut()), Err(ERROR_INVALID_HANDLE));
    assert_eq!(release(*mutex), Ok(()));
}

#[test]
fn r151_createmutexex_takes_it_by_flag() {
    let create = |flags| {
        // SAFETY: no memory is passed.
        Handle::of(unsafe { CreateMutexExW(null(), null(), flags, MUTEX_ALL_ACCESS) })
    };
    assert_eq!(release(*create(CREATE_MUTEX_INITIAL_OWNER)), Ok(()));
    assert_eq!(release(*create(0)), Err(ERROR_NOT_OWNER));
}

#[test]
fn r151_a_release_wakes_the_one_who_has_waited_longest() {
    let mutex = own_mutex();
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..3 {
            let (mutex, tell) = (&mutex, tell.clone());
            scope.spawn(move || {
                assert_eq!(wait(**mutex, SOON), 0);
                tell.send(number).expect("somebody listens");
                assert_eq!(release(**mutex), Ok(()));
            });
            pause();
        }
        assert_eq!(release(*mutex), Ok(()));
        let order: Vec<i32> = (0..3).map(|_| told.recv().expect("three tell")).collect();
        assert_eq!(order, [0, 1, 2]);
    });
}

/// As a lock: what one owner wrote, the next one sees, and no two are inside.
#[test]
fn r151_it_excludes() {
    struct Shared(Cell<u32>);
    // SAFETY: the mutex lets in one thread at a time; that is what is tested.
    unsafe impl Sync for Shared {}
    impl Shared {
        fn count(&self) {
            self.0.set(self.0.get() + 1);
        }
    }

    let (mutex, event) = (mutex(), Event::manual_reset());
    event.set();
    let (shared, inside) = (Shared(Cell::new(0)), AtomicBool::new(false));
    thread::scope(|scope| {
        for kind in 0..4 {
            let (mutex, event, shared, inside) = (&mutex, &event, &shared, &inside);
            scope.spawn(move || {
                for _ in 0..1000 {
                    let waited = match kind {
                        0 => wait(**mutex, SOON),
                        1 => wait_any(&[**mutex, **event], SOON),
                        2 => wait_all(&[**event, **mutex], SOON),
                        _ => wait_all(&[**mutex], SOON),
                    };
                    if kind == 1 && waited == 1 {
                        continue; // The event: it was not free.
                    }
                    assert_eq!(waited, 0);
                    assert!(!inside.swap(true, Ordering::Relaxed));
                    shared.count();
                    inside.store(false, Ordering::Relaxed);
                    assert_eq!(release(**mutex), Ok(()));
                }
            });
        }
    });
    assert!(shared.0.get() >= 3000);
}

#[test]
fn r151_the_end_of_its_owner_abandons_it() {
    let mutex = mutex();
    abandon(&[&mutex]);
    assert_eq!(wait(*mutex, 0), WAIT_ABANDONED);
    // Who hears of it owns it; and it is told once.
    assert_eq!(wait(*mutex, 0), 0);
    assert_eq!((release(*mutex), release(*mutex)), (Ok(()), Ok(())));
    assert_eq!(release(*mutex), Err(ERROR_NOT_OWNER));
    thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(wait(*mutex, 0), 0);
            assert_eq!(release(*mutex), Ok(()));
        });
    });
}

#[test]
fn r151_the_end_of_its_owner_wakes_a_waiter() {
    let mutex = Arc::new(mutex());
    let (hold, end) = (Event::auto_reset(), Arc::new(Event::auto_reset()));
    let owner = {
        let (mutex, end, hold) = (mutex.clone(), end.clone(), *hold as usize);
        Thread::start(move || {
            // Three times: its end undoes them all.
            (0..3).for_each(|_| assert_eq!(wait(**mutex, 0), 0));
            // SAFETY: no memory is passed.
            unsafe { winsock_sys::Win32::System::Threading::SetEvent(hold as HANDLE) };
            assert_eq!(wait(**end, SOON), 0);
        })
    };
    assert!(hold.is_set_within(SOON));
    thread::scope(|scope| {
        let waiters: [_; 2] = std::array::from_fn(|_| {
            let mutex = &mutex;
            let waiter = scope.spawn(move || {
                let waited = wait(***mutex, SOON);
                assert_eq!(release(***mutex), Ok(()));
                waited
            });
            pause();
            waiter
        });
        end.set();
        let waited = waiters.map(|waiter| waiter.join().expect("no panic"));
        assert_eq!(waited, [WAIT_ABANDONED, 0]);
    });
    owner.join();
}

#[test]
fn r151_an_abandoned_one_among_several_gives_its_index() {
    let (event, mutex) = (Event::manual_reset(), mutex());
    abandon(&[&mutex]);
    assert_eq!(wait_any(&[*event, *mutex], 0), WAIT_ABANDONED_0 + 1);
    assert_eq!(wait_any(&[*event, *mutex], 0), 1);
    event.set();
    assert_eq!(wait_any(&[*event, *mutex], 0), 0);
}

#[test]
fn r151_an_abandoned_one_among_all_is_told() {
    let (event, first, second) = (Event::manual_reset(), mutex(), mutex());
    event.set();
    abandon(&[&second]);
    assert_eq!(wait_all(&[*event, *first, *second], 0), WAIT_ABANDONED_0);
    assert_eq!(wait_all(&[*event, *first, *second], 0), 0);
}

/// The owner ends while another thread waits for the mutex and something else besides.
#[test]
fn r151_abandoned_while_somebody_waits_for_all() {
    let (event, mutex) = (Event::auto_reset(), mutex());
    thread::scope(|scope| {
        let (owns, owned) = mpsc::channel();
        let end = Event::auto_reset();
        let end_owner = *end as usize;
        let (event, mutex) = (&event, &mutex);
        let owner = scope.spawn(move || {
            assert_eq!(wait(**mutex, 0), 0);
            owns.send(()).expect("somebody listens");
            assert_eq!(wait(end_owner as HANDLE, SOON), 0);
        });
        owned.recv().expect("it owns it");
        let waiter = scope.spawn(|| wait_all(&[**mutex, **event], SOON));
        pause();
        end.set();
        owner.join().expect("no panic");
        pause();
        // The event is missing: the mutex is free, abandoned, and nobody's.
        assert!(!waiter.is_finished());
        event.set();
        assert_eq!(waiter.join().expect("no panic"), WAIT_ABANDONED_0);
        assert!(!event.is_set());
    });
}

/// While a wait for all lacks the event, others get the mutex; and the news that it was abandoned
/// goes to the first.
#[test]
fn r151_an_unsatisfied_wait_for_all_does_not_hold_it() {
    let (event, mutex) = (Event::auto_reset(), mutex());
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let waited = wait_all(&[*mutex, *event], SOON);
            assert_eq!(release(*mutex), Ok(()));
            waited
        });
        pause();
        abandon(&[&mutex]);
        assert_eq!(wait(*mutex, SOON), WAIT_ABANDONED);
        event.set();
        pause();
        assert!(!waiter.is_finished());
        assert_eq!(release(*mutex), Ok(()));
        assert_eq!(waiter.join().expect("no panic"), 0);
    });
}

#[test]
fn r151_closing_it_sets_nobody_free() {
    let mutex = own_mutex();
    mutex.close();
    let waits = AtomicU32::new(0);
    // Its owner ends later, and has nothing to abandon.
    thread::scope(|scope| {
        scope.spawn(|| {
            let mutexes: Vec<Handle> = (0..3).map(|_| own_mutex()).collect();
            assert_eq!(wait(*mutexes[1], 0), 0);
            let mut mutexes = mutexes.into_iter();
            mutexes.next().expect("three").close();
            mutexes.nth(1).expect("three").close();
            waits.fetch_add(1, Ordering::SeqCst);
        });
    });
    assert_eq!(waits.load(Ordering::SeqCst), 1);
}

/// A thread that waits for a mutex whose handle is closed still gets it.
#[test]
fn r151_closed_while_somebody_waits() {
    let mutex = mutex();
    assert_eq!(wait(*mutex, 0), 0);
    let raw = *mutex as usize;
    thread::scope(|scope| {
        let (waits, waited) = mpsc::channel();
        let holder = scope.spawn(move || {
            let mutex = mutex;
            waits.send(()).expect("somebody listens");
            pause();
            mutex.close();
        });
        waited.recv().expect("it is about to wait");
        // The owner itself is satisfied, closed or not.
        assert_eq!(wait(raw as HANDLE, SOON), 0);
        holder.join().expect("no panic");
    });
    // Windows gives a handle's value out again: another test of this process may have it.
    if cfg!(target_os = "linux") {
        assert_eq!(wait(raw as HANDLE, 0), u32::MAX);
        assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    }
}
