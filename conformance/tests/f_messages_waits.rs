//! Section F, the message queue behind WSAAsyncSelect: waiting for messages and objects at once.

use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, HANDLE, HWND, WAIT_ABANDONED_0,
    WAIT_FAILED, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use winsock_sys::Win32::System::Threading::{CreateMutexW, ReleaseMutex};
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    GetQueueStatus, MSG, MWMO_ALERTABLE, MWMO_INPUTAVAILABLE, MWMO_WAITALL,
    MsgWaitForMultipleObjects, MsgWaitForMultipleObjectsEx, PM_NOREMOVE, PeekMessageW,
    PostQuitMessage, QS_ALLINPUT, QS_KEY, QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER,
    SendNotifyMessageW, SetTimer, WM_APP, WM_USER, WaitMessage,
};

fn wait_ex(handles: &[HANDLE], ms: u32, kinds: u32, flags: u32) -> u32 {
    let count = handles.len() as u32;
    let handles = if handles.is_empty() { null() } else { handles.as_ptr() };
    // SAFETY: the handles are readable.
    unsafe { MsgWaitForMultipleObjectsEx(count, handles, ms, kinds, flags) }
}

fn wait_any(handles: &[HANDLE], ms: u32, kinds: u32) -> u32 {
    // SAFETY: the handles are readable.
    unsafe { MsgWaitForMultipleObjects(handles.len() as u32, handles.as_ptr(), 0, ms, kinds) }
}

/// Looks at the queue, which makes what is in it old.
fn look() {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    unsafe { PeekMessageW(&mut message, null_mut(), WM_APP, WM_APP, PM_NOREMOVE) };
}

#[test]
fn waits_end_by_object_or_message() {
    let window = Window::new();
    let (a, b) = (Event::auto_reset(), Event::auto_reset());
    let handles = [*a, *b];
    assert_eq!(wait_any(&handles, 0, QS_ALLINPUT), WAIT_TIMEOUT);
    b.set();
    assert_eq!(wait_any(&handles, SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 1);
    assert_eq!(wait_any(&handles, 0, QS_ALLINPUT), WAIT_TIMEOUT, "taken");
    window.post(WM_USER, 0, 0);
    assert_eq!(wait_any(&handles, SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 2);
    // The objects come first.
    a.set();
    assert_eq!(wait_any(&handles, SOON, QS_ALLINPUT), WAIT_OBJECT_0);
    assert!(try_message().is_some());
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_TIMEOUT);
}

#[test]
fn waits_are_woken_by_object_or_message() {
    let window = Window::new();
    let hwnd = *window as usize;
    let event = Event::auto_reset();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            pause();
            event.set();
            pause();
            post_to(hwnd as HWND, WM_USER, 0, 0).expect("room");
        });
        assert_eq!(wait_any(&[*event], SOON, QS_ALLINPUT), WAIT_OBJECT_0);
        assert_eq!(wait_any(&[*event], SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 1);
    });
}

#[test]
fn waits_are_for_new_messages() {
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_OBJECT_0);
    look();
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_TIMEOUT, "seen, and left");
    assert_eq!(wait_ex(&[], 0, QS_ALLINPUT, MWMO_INPUTAVAILABLE), WAIT_OBJECT_0);
    window.post(WM_USER, 0, 0);
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_OBJECT_0);
    // SAFETY: no memory is passed.
    unsafe { GetQueueStatus(QS_POSTMESSAGE) };
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_TIMEOUT);
    while try_message().is_some() {}
    assert_eq!(wait_ex(&[], 0, QS_ALLINPUT, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT);
}

#[test]
fn waits_are_for_some_kinds_of_messages() {
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    for kinds in [0, QS_SENDMESSAGE, QS_TIMER, QS_KEY] {
        assert_eq!(wait_any(&[], 10, kinds), WAIT_TIMEOUT, "{kinds:#x}");
        assert_eq!(wait_ex(&[], 10, kinds, MWMO_INPUTAVAILABLE), WAIT_TIMEOUT, "{kinds:#x}");
    }
    assert_eq!(wait_any(&[], 0, QS_POSTMESSAGE | QS_KEY), WAIT_OBJECT_0);
    while try_message().is_some() {}
    // SAFETY: no memory is passed.
    unsafe { PostQuitMessage(0) };
    assert_eq!(wait_any(&[], 0, QS_POSTMESSAGE), WAIT_OBJECT_0);
    assert!(try_message().is_some());
}

#[test]
fn waits_end_by_what_is_sent() {
    let heard = Arc::new(AtomicU32::new(0));
    let window = Window::handling({
        let heard = heard.clone();
        move |call| {
            (call.message == WM_USER).then(|| {
                heard.fetch_add(1, Ordering::Relaxed);
                0
            })
        }
    });
    let hwnd = *window as usize;
    let sender = std::thread::spawn(move || {
        pause();
        // SAFETY: the message refers to no memory.
        unsafe { SendNotifyMessageW(hwnd as HWND, WM_USER, 0, 0) }
    });
    assert_eq!(wait_any(&[], SOON, QS_SENDMESSAGE), WAIT_OBJECT_0);
    assert_eq!(heard.load(Ordering::Relaxed), 0, "the wait itself handles nothing");
    look();
    assert_eq!(heard.load(Ordering::Relaxed), 1);
    assert_ne!(sender.join().unwrap(), 0);
}

#[test]
fn waits_end_by_timers() {
    let window = Window::new();
    let start = Instant::now();
    // SAFETY: no procedure is passed.
    unsafe { SetTimer(*window, 1, 50, None) };
    assert_eq!(wait_any(&[], 10, QS_POSTMESSAGE), WAIT_TIMEOUT);
    assert_eq!(wait_any(&[], SOON, QS_ALLINPUT), WAIT_OBJECT_0);
    assert!(start.elapsed() >= Duration::from_millis(40));
    look();
    assert_eq!(wait_any(&[], 0, QS_ALLINPUT), WAIT_TIMEOUT, "seen, and left");
    assert_eq!(wait_ex(&[], 0, QS_TIMER, MWMO_INPUTAVAILABLE), WAIT_OBJECT_0);
    assert!(try_message().is_some());
    // It goes on.
    let event = Event::auto_reset();
    assert_eq!(wait_any(&[*event], SOON, QS_TIMER), WAIT_OBJECT_0 + 1);
}

#[test]
fn waits_for_all_need_all_and_a_message() {
    let window = Window::new();
    let (a, b) = (Event::auto_reset(), Event::auto_reset());
    let handles = [*a, *b];
    let wait_all = |ms| wait_ex(&handles, ms, QS_ALLINPUT, MWMO_WAITALL);
    a.set();
    b.set();
    assert_eq!(wait_all(20), WAIT_TIMEOUT, "no message");
    window.post(WM_USER, 0, 0);
    a.reset();
    assert_eq!(wait_all(20), WAIT_TIMEOUT, "not all objects");
    assert!(b.is_set(), "nothing is taken before all are there");
    b.set();
    let setter = std::thread::scope(|scope| {
        let setter = scope.spawn(|| {
            pause();
            a.set();
        });
        assert!(wait_all(SOON) <= WAIT_OBJECT_0 + 2);
        setter.join()
    });
    assert!(setter.is_ok());
    assert!(!a.is_set() && !b.is_set());
    assert!(try_message().is_some());
}

#[test]
fn waits_take_63_objects() {
    let events: Vec<Event> = (0..64).map(|_| Event::auto_reset()).collect();
    let handles: Vec<HANDLE> = events.iter().map(|event| **event).collect();
    assert_eq!(wait_any(&handles[..63], 0, QS_ALLINPUT), WAIT_TIMEOUT);
    events[62].set();
    assert_eq!(wait_any(&handles[..63], SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 62);
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    assert_eq!(wait_any(&handles[..63], SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 63);
    assert_eq!(wait_any(&handles, 0, QS_ALLINPUT), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
}

#[test]
fn waits_take_mutexes() {
    // SAFETY: no memory is passed.
    let mutex = unsafe { CreateMutexW(null(), 0, null()) };
    assert!(!mutex.is_null());
    let event = Event::auto_reset();
    let handles = [*event, mutex];
    assert_eq!(wait_any(&handles, SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 1);
    // SAFETY: as above.
    assert_ne!(unsafe { ReleaseMutex(mutex) }, 0, "it was taken");
    let name = mutex as usize;
    let holder = Thread::start(move || {
        assert_eq!(wait(name as HANDLE, SOON), WAIT_OBJECT_0); // And leaves with it.
    });
    holder.join();
    assert_eq!(wait_any(&handles, SOON, QS_ALLINPUT), WAIT_ABANDONED_0 + 1);
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    event.set();
    let all = wait_ex(&handles, SOON, QS_ALLINPUT, MWMO_WAITALL);
    assert!(all <= WAIT_OBJECT_0 + 2);
    // SAFETY: as above.
    unsafe {
        assert_ne!(ReleaseMutex(mutex), 0);
        assert_ne!(ReleaseMutex(mutex), 0, "taken twice");
        assert_eq!(ReleaseMutex(mutex), 0);
        CloseHandle(mutex);
    }
}

#[test]
fn waits_refuse_what_is_no_handle() {
    let event = Event::auto_reset();
    assert_eq!(wait_any(&[*event, 0x12_3450 as HANDLE], 0, QS_ALLINPUT), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
    let window = Window::new();
    assert_eq!(wait_any(&[*window], 0, QS_ALLINPUT), WAIT_FAILED);
    assert_eq!(last_error(), ERROR_INVALID_HANDLE);
}

#[test]
fn waits_can_be_alertable() {
    let ran = Arc::new(AtomicU32::new(0));
    let queue = |value| {
        let ran = ran.clone();
        queue_apc(this_thread(), move || ran.store(value, Ordering::Relaxed)).expect("a thread")
    };
    let event = Event::manual_reset();
    event.set();
    queue(1);
    assert_eq!(wait_ex(&[*event], SOON, QS_ALLINPUT, 0), WAIT_OBJECT_0);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    // Wine 8.0 looks at the objects first, unlike in its other waits.
    differs_on_wine(|| {
        assert_eq!(wait_ex(&[*event], SOON, QS_ALLINPUT, MWMO_ALERTABLE), WAIT_IO_COMPLETION);
        assert_eq!(ran.load(Ordering::Relaxed), 1);
    });
    assert_eq!(wait_ex(&[*event], SOON, QS_ALLINPUT, MWMO_ALERTABLE), WAIT_OBJECT_0);
    queue(2);
    assert_eq!(wait_ex(&[], SOON, QS_ALLINPUT, MWMO_ALERTABLE), WAIT_IO_COMPLETION);
    assert_eq!(ran.load(Ordering::Relaxed), 2);
}

#[test]
fn waits_for_messages_do_not_run_apcs() {
    let ran = Arc::new(AtomicU32::new(0));
    let window = Window::new();
    let call = {
        let ran = ran.clone();
        move || ran.store(1, Ordering::Relaxed)
    };
    queue_apc(this_thread(), call).expect("a thread");
    window.post(WM_USER, 0, 0);
    assert!(next_message(SOON).is_some());
    assert!(next_message(NEVER).is_none());
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    assert_eq!(wait_ex(&[], 0, QS_ALLINPUT, MWMO_ALERTABLE), WAIT_IO_COMPLETION);
}

#[test]
fn waits_for_a_message_end_by_a_new_one() {
    let window = Window::new();
    let hwnd = *window as usize;
    window.post(WM_USER, 0, 0);
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { WaitMessage() }, 0);
    look();
    let start = Instant::now();
    let poster = std::thread::spawn(move || {
        pause();
        post_to(hwnd as HWND, WM_USER, 0, 0)
    });
    // SAFETY: as above.
    assert_ne!(unsafe { WaitMessage() }, 0);
    assert!(start.elapsed() >= Duration::from_millis(u64::from(NEVER)));
    assert_eq!(poster.join().unwrap(), Ok(()));
    assert!(try_message().is_some() && try_message().is_some());
}

#[test]
fn waits_drive_the_sockets() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    let window = Window::new();
    for round in 0..20 {
        event.reset();
        op.set_status(0);
        assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
        send_all(&b, b"ping");
        assert_eq!(wait_any(&[*event], SOON, QS_ALLINPUT), WAIT_OBJECT_0, "round {round}");
        window.post(WM_USER, 0, 0);
        event.reset();
        assert_eq!(wait_any(&[*event], SOON, QS_ALLINPUT), WAIT_OBJECT_0 + 1);
        assert!(try_message().is_some());
    }
}
