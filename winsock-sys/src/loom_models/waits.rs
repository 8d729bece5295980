//! Waits by handle: what a handle meant when the wait began is all that it can be woken by; and the
//! objects that remember more than whether they are set.

use std::ptr::null;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;
use windows_sys::Win32::Foundation::{
    FALSE, HANDLE, TRUE, WAIT_ABANDONED, WAIT_FAILED, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::INFINITE;

use super::{explore, explore_within, join};
use crate::events::{CreateEventW, PulseEvent, SetEvent};
use crate::handles::CloseHandle;
use crate::mutexes::{CreateMutexW, ReleaseMutex};
use crate::semaphores::{CreateSemaphoreW, ReleaseSemaphore};
use crate::thread::end_current;
use crate::waits::{WaitForMultipleObjects, WaitForSingleObject};

/// An auto-reset event, as a number, so that it may cross threads.
fn event(set: bool) -> usize {
    // SAFETY: no memory is passed.
    unsafe { CreateEventW(null(), FALSE, set.into(), null()) }.addr()
}

fn handle(event: usize) -> HANDLE {
    std::ptr::without_provenance_mut(event)
}

fn set(event: usize) {
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { SetEvent(handle(event)) }, TRUE);
}

fn close(event: usize) {
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { CloseHandle(handle(event)) }, TRUE);
}

fn is_set(event: usize) -> bool {
    // SAFETY: no memory is passed.
    unsafe { WaitForSingleObject(handle(event), 0) == 0 }
}

/// Takes the event by a wait for all.
fn take_under_lock(event: usize) {
    // SAFETY: the one handle outlives the call.
    assert_eq!(unsafe { WaitForMultipleObjects(1, &handle(event), TRUE, 0) }, 0);
}

/// The index that ended a wait for one of the events, or WAIT_FAILED, WAIT_TIMEOUT.
fn wait(events: [usize; 2], timeout_ms: u32) -> u32 {
    let handles = events.map(handle);
    // SAFETY: the array outlives the call.
    let waited = unsafe { WaitForMultipleObjects(2, handles.as_ptr(), FALSE, timeout_ms) };
    end_current();
    waited
}

/// The event closed meanwhile leaves its slot to the next one, which is set, and stays set.
#[test]
fn a_wait_is_not_ended_by_the_next_object_of_a_slot() {
    explore(|| {
        let events = [event(false), event(false)];
        let waiter = thread::spawn(move || wait(events, INFINITE));
        let closer = thread::spawn(move || {
            close(events[0]);
            let next = event(true);
            take_under_lock(next); // So that it is set under the lock too.
            set(next);
            set(events[1]);
            next
        });
        let next = closer.join().unwrap();
        let waited = waiter.join().unwrap();
        assert!(waited == 1 || waited == WAIT_FAILED, "{waited}");
        assert_eq!(is_set(events[1]), waited == WAIT_FAILED);
        assert!(is_set(next));
        close(events[1]);
        close(next);
    });
}

/// As above, for a wait that only looks, and an event that was set when it was closed.
#[test]
fn a_look_takes_nothing_from_the_next_object_of_a_slot() {
    explore(|| {
        let events = [event(true), event(false)];
        let looker = thread::spawn(move || wait(events, 0));
        let closer = thread::spawn(move || {
            close(events[0]);
            event(true)
        });
        let next = closer.join().unwrap();
        let waited = looker.join().unwrap();
        assert!([0, WAIT_FAILED, WAIT_TIMEOUT].contains(&waited), "{waited}");
        assert!(is_set(next));
        close(events[1]);
        close(next);
    });
}

/// Waits for one object for ever.
fn wait_for(object: usize) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { WaitForSingleObject(handle(object), INFINITE) }
}

fn release(mutex: usize) -> bool {
    // SAFETY: no memory is passed.
    unsafe { ReleaseMutex(handle(mutex)) == TRUE }
}

fn mutex() -> usize {
    // SAFETY: no memory is passed.
    unsafe { CreateMutexW(null(), FALSE, null()) }.addr()
}

#[test]
fn a_mutex_lets_in_one_at_a_time() {
    struct Room(UnsafeCell<usize>);
    // SAFETY: the cell is loom's, which finds out whether two threads meet in it.
    unsafe impl Send for Room {}
    // SAFETY: as above.
    unsafe impl Sync for Room {}

    explore_within(2, || {
        let (mutex, room) = (mutex(), Arc::new(Room(UnsafeCell::new(0))));
        let visit = || {
            let room = room.clone();
            thread::spawn(move || {
                let room = room; // The whole, not its cell.
                assert_eq!(wait_for(mutex), 0);
                assert_eq!(wait_for(mutex), 0);
                // SAFETY: loom panics here if anybody else is inside.
                room.0.with_mut(|visits| unsafe { *visits += 1 });
                assert!(release(mutex) && release(mutex) && !release(mutex));
                end_current();
            })
        };
        join([visit(), visit()]);
        // SAFETY: the visitors are gone.
        assert_eq!(room.0.with(|visits| unsafe { *visits }), 2);
        close(mutex);
    });
}

/// One thread takes it and ends; who waits for it hears of that, and who comes next does not.
#[test]
fn an_end_abandons_a_mutex_to_one() {
    explore(|| {
        let (mutex, taken) = (mutex(), event(false));
        let owner = thread::spawn(move || {
            assert_eq!(wait_for(mutex), 0);
            set(taken);
            end_current();
        });
        let waiter = thread::spawn(move || {
            assert_eq!(wait_for(taken), 0);
            let waited = wait_for(mutex);
            assert!(release(mutex));
            end_current();
            waited
        });
        owner.join().unwrap();
        assert_eq!(waiter.join().unwrap(), WAIT_ABANDONED);
        assert_eq!(wait_for(mutex), 0);
        assert!(release(mutex));
        close(mutex);
        close(taken);
    });
}

#[test]
fn a_semaphore_satisfies_as_many_as_it_counts() {
    explore_within(2, || {
        // SAFETY: no memory is passed.
        let semaphore = unsafe { CreateSemaphoreW(null(), 0, 3, null()) }.addr();
        let wait = || {
            thread::spawn(move || {
                assert_eq!(wait_for(semaphore), 0);
                end_current();
            })
        };
        let waiters = [wait(), wait()];
        // SAFETY: NULL is allowed.
        assert_eq!(unsafe { ReleaseSemaphore(handle(semaphore), 3, std::ptr::null_mut()) }, TRUE);
        join(waiters);
        assert!(is_set(semaphore) && !is_set(semaphore));
        close(semaphore);
    });
}

/// Whatever the pulse meets, the event is not set afterwards, and the set that follows counts.
#[test]
fn a_pulse_releases_who_sleeps_and_leaves_nothing() {
    explore(|| {
        let (pulsed, other) = (event(false), event(false));
        let waiter = thread::spawn(move || wait([pulsed, other], INFINITE));
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { PulseEvent(handle(pulsed)) }, TRUE);
        set(other);
        let waited = waiter.join().unwrap();
        assert!(!is_set(pulsed));
        assert_eq!(is_set(other), waited == 0);
        close(pulsed);
        close(other);
    });
}
