//! Waits by handle: what a handle meant when the wait began is all that it can be woken by.

use loom::thread;
use windows_sys::Win32::Foundation::{FALSE, HANDLE, TRUE, WAIT_FAILED, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::INFINITE;

use super::explore;
use crate::handles::CloseHandle;
use crate::thread::end_current;
use crate::waits::{CreateEventW, SetEvent, WaitForMultipleObjects, WaitForSingleObject};

/// An auto-reset event, as a number, so that it may cross threads.
fn event(set: bool) -> usize {
    // SAFETY: no memory is passed.
    unsafe { CreateEventW(std::ptr::null(), FALSE, set.into(), std::ptr::null()) }.addr()
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
