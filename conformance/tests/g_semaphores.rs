//! Section G, semaphores.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_TOO_MANY_POSTS, HANDLE, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{
    CreateSemaphoreA, CreateSemaphoreExW, CreateSemaphoreW, ReleaseSemaphore, SEMAPHORE_ALL_ACCESS,
    SetEvent,
};

fn semaphore(initial: i32, most: i32) -> Handle {
    // SAFETY: no memory is passed.
    Handle::of(unsafe { CreateSemaphoreW(null(), initial, most, null()) })
}

/// The count before, or the error.
fn release(semaphore: HANDLE, count: i32) -> Result<i32, u32> {
    let mut before = -1;
    // SAFETY: the place outlives the call.
    let released = unsafe { ReleaseSemaphore(semaphore, count, &mut before) };
    if released != 0 { Ok(before) } else { Err(last_error()) }
}

#[test]
fn r150_the_count_is_how_many_waits_are_satisfied() {
    let semaphore = semaphore(2, 3);
    assert_eq!((wait(*semaphore, 0), wait(*semaphore, 0)), (0, 0));
    assert_eq!(wait(*semaphore, 0), WAIT_TIMEOUT);
    assert_eq!(release(*semaphore, 1), Ok(0));
    assert_eq!(release(*semaphore, 2), Ok(1));
    assert_eq!(release(*semaphore, 1), Err(ERROR_TOO_MANY_POSTS));
    for _ in 0..3 {
        assert_eq!(wait(*semaphore, 0), 0);
    }
    assert_eq!(wait(*semaphore, 0), WAIT_TIMEOUT);
}

#[test]
fn r150_a_release_that_is_too_much_changes_nothing() {
    let semaphore = semaphore(1, 5);
    assert_eq!(release(*semaphore, 5), Err(ERROR_TOO_MANY_POSTS));
    assert_eq!(release(*semaphore, i32::MAX), Err(ERROR_TOO_MANY_POSTS));
    assert_eq!(release(*semaphore, 4), Ok(1));
    assert_eq!(release(*semaphore, 1), Err(ERROR_TOO_MANY_POSTS));
}

#[test]
fn r150_counts_that_make_no_sense_are_refused() {
    // SAFETY: no memory is passed.
    let refusal =
        |initial, most| refused(|| unsafe { CreateSemaphoreA(null(), initial, most, null()) });
    for (initial, most) in [(0, 0), (-1, 1), (2, 1), (0, -1), (1, 0)] {
        assert_eq!(refusal(initial, most), ERROR_INVALID_PARAMETER, "{initial} of {most}");
    }
    let semaphore = semaphore(0, 1);
    for count in [-1, i32::MIN] {
        differs_on_wine(|| {
            assert_eq!(release(*semaphore, count), Err(ERROR_INVALID_PARAMETER), "{count}");
        });
    }
    differs_on_wine(|| assert_eq!(release(*semaphore, 0), Err(ERROR_INVALID_PARAMETER)));
    // The previous count is optional.
    // SAFETY: NULL is allowed.
    assert_eq!(bool_result(|| unsafe { ReleaseSemaphore(*semaphore, 1, null_mut()) }), Ok(()));
}

#[test]
fn r150_the_largest_count() {
    // SAFETY: no memory is passed.
    let raw = unsafe {
        CreateSemaphoreExW(null(), i32::MAX - 1, i32::MAX, null(), 0, SEMAPHORE_ALL_ACCESS)
    };
    let semaphore = Handle::of(raw);
    assert_eq!(release(*semaphore, 1), Ok(i32::MAX - 1));
    assert_eq!(release(*semaphore, 1), Err(ERROR_TOO_MANY_POSTS));
    assert_eq!(wait(*semaphore, 0), 0);
    assert_eq!(release(*semaphore, 1), Ok(i32::MAX - 1));
}

#[test]
fn r150_other_handles_are_refused() {
    let event = Event::auto_reset();
    assert_eq!(release(*event, 1), Err(ERROR_INVALID_HANDLE));
    assert_eq!(release(null_mut(), 1), Err(ERROR_INVALID_HANDLE));
    let semaphore = semaphore(0, 1);
    // SAFETY: no memory is passed.
    assert_eq!(bool_result(|| unsafe { SetEvent(*semaphore) }), Err(ERROR_INVALID_HANDLE));
}

#[test]
fn r150_a_release_wakes_as_many_as_it_adds() {
    let semaphore = semaphore(0, 10);
    let awake = AtomicI32::new(0);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                assert_eq!(wait(*semaphore, SOON), 0);
                awake.fetch_add(1, Ordering::SeqCst);
            });
        }
        pause();
        assert_eq!(release(*semaphore, 3), Ok(0));
        assert!(comes_true(|| awake.load(Ordering::SeqCst) == 3));
        pause();
        assert_eq!(awake.load(Ordering::SeqCst), 3);
        // Two sleepers take two of the four.
        assert_eq!(release(*semaphore, 4), Ok(0));
        assert!(comes_true(|| awake.load(Ordering::SeqCst) == 5));
    });
    assert_eq!(release(*semaphore, 1), Ok(2));
}

#[test]
fn r150_a_wait_for_any_takes_one_count_of_one_semaphore() {
    let (first, second) = (semaphore(0, 2), semaphore(2, 2));
    assert_eq!(wait_any(&[*first, *second], 0), 1);
    assert_eq!(release(*first, 1), Ok(0));
    assert_eq!(wait_any(&[*first, *second], 0), 0);
    assert_eq!(release(*second, 1), Ok(1));
}

#[test]
fn r150_a_wait_for_all_takes_one_count_of_each() {
    let (first, second) = (semaphore(1, 2), semaphore(0, 2));
    let event = Event::manual_reset();
    event.set();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait_all(&[*first, *event, *second], SOON));
        pause();
        // Nothing is held back meanwhile.
        assert_eq!(wait(*first, 0), 0);
        assert_eq!(release(*second, 2), Ok(0));
        pause();
        assert!(!waiter.is_finished());
        assert_eq!(release(*first, 2), Ok(0));
        assert_eq!(waiter.join().expect("no panic"), 0);
    });
    assert_eq!(release(*first, 1), Ok(1));
    assert_eq!(release(*second, 1), Ok(1));
    assert!(event.is_set());
}

/// No count is lost and none doubled, whoever waits and however.
#[test]
fn r150_counts_are_conserved() {
    const ROUNDS: i32 = 2000;
    let semaphore = semaphore(0, i32::MAX);
    let other = Event::manual_reset();
    let taken = AtomicI32::new(0);
    thread::scope(|scope| {
        for kind in 0..3 {
            let (semaphore, other, taken) = (&semaphore, &other, &taken);
            scope.spawn(move || {
                while taken.fetch_add(1, Ordering::SeqCst) < 3 * ROUNDS {
                    let waited = match kind {
                        0 => wait(**semaphore, SOON),
                        1 => wait_any(&[**semaphore, **other], SOON),
                        _ => wait_all(&[**semaphore], SOON),
                    };
                    assert_eq!(waited, 0);
                }
            });
        }
        for _ in 0..ROUNDS {
            release(*semaphore, 1).expect("there is room");
            release(*semaphore, 2).expect("there is room");
        }
    });
    assert_eq!(wait(*semaphore, 0), WAIT_TIMEOUT);
}
