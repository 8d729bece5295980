//! Section F, the message queue behind WSAAsyncSelect: posting and retrieving.

use std::cell::RefCell;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_THREAD_ID, ERROR_INVALID_WINDOW_HANDLE, ERROR_MESSAGE_SYNC_ONLY,
    ERROR_NOT_ENOUGH_QUOTA, HWND, SetLastError,
};
use winsock_sys::Win32::System::Threading::GetCurrentThreadId;
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    DestroyWindow, DispatchMessageA, DispatchMessageW, GetMessageA, GetMessageExtraInfo,
    GetMessageTime, GetMessageW, GetQueueStatus, HWND_BROADCAST, MSG, PM_NOREMOVE, PM_QS_PAINT,
    PM_QS_POSTMESSAGE, PM_QS_SENDMESSAGE, PM_REMOVE, PeekMessageA, PeekMessageW, PostMessageA,
    PostQuitMessage, PostThreadMessageA, PostThreadMessageW, QS_ALLINPUT, QS_ALLPOSTMESSAGE,
    QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER, RegisterWindowMessageA, RegisterWindowMessageW,
    SetMessageExtraInfo, TranslateMessage, WM_APP, WM_COPYDATA, WM_CREATE, WM_GETTEXT, WM_KEYDOWN,
    WM_NULL, WM_QUIT, WM_SETTEXT, WM_USER, WS_CHILD,
};

const EVERYBODY: HWND = null_mut();
const THREAD_ITSELF: HWND = -1isize as HWND;

/// PeekMessageW with a filter: the message's number.
fn peek(hwnd: HWND, first: u32, last: u32, flags: u32) -> Option<u32> {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    let found = unsafe { PeekMessageW(&mut message, hwnd, first, last, flags) };
    (found != 0).then_some(message.message)
}

/// GetMessageW with a filter: what it returned, and the message.
fn get(hwnd: HWND, first: u32, last: u32) -> (i32, MSG) {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    let got = unsafe { GetMessageW(&mut message, hwnd, first, last) };
    (got, message)
}

fn quit(code: i32) {
    // SAFETY: no memory is passed.
    unsafe { PostQuitMessage(code) };
}

fn status(kinds: u32) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { GetQueueStatus(kinds) }
}

fn post_to_thread(thread: u32, message: u32) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    match unsafe { PostThreadMessageW(thread, message, 1, 2) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

fn this_thread_id() -> u32 {
    // SAFETY: no memory is passed.
    unsafe { GetCurrentThreadId() }
}

/// A thread with a queue that gets messages until it gets WM_QUIT and gives back their numbers.
fn getter() -> (u32, mpsc::Receiver<u32>, Thread) {
    let (tell, told) = mpsc::channel();
    let (introduce, introduced) = mpsc::channel();
    let thread = Thread::start(move || {
        peek(EVERYBODY, WM_USER, WM_USER, PM_NOREMOVE); // It has a queue from here on.
        introduce.send(this_thread_id()).unwrap();
        loop {
            let (got, message) = get(EVERYBODY, 0, 0);
            tell.send(message.message).unwrap();
            if got == 0 {
                return;
            }
        }
    });
    (introduced.recv().unwrap(), told, thread)
}

// What comes out, and in which order.

#[test]
fn messages_come_in_the_order_they_were_posted() {
    let (a, b) = (Window::new(), Window::new());
    for number in 0..100 {
        let window = if number % 3 == 0 { &a } else { &b };
        window.post(WM_APP + number, number as usize, -(number as isize));
    }
    for number in 0..100 {
        let (got, message) = get(EVERYBODY, 0, 0);
        assert_eq!(got, 1);
        assert_eq!(message.message, WM_APP + number);
        assert_eq!((message.wParam, message.lParam), (number as usize, -(number as isize)));
        assert_eq!(message.hwnd, if number % 3 == 0 { *a } else { *b });
    }
    assert!(try_message().is_none());
}

#[test]
fn messages_keep_all_their_bits() {
    let window = Window::new();
    for (wparam, lparam) in [(0, 0), (usize::MAX, isize::MIN), (1 << 40, -1)] {
        window.post(0xBFFF, wparam, lparam);
        let message = try_message().expect("posted");
        let parts = (message.message, message.wParam, message.lParam);
        assert_eq!(parts, (0xBFFF, wparam, lparam));
    }
}

#[test]
fn messages_reach_the_procedure_by_dispatching() {
    let calls = Rc::new(RefCell::new(Vec::new()));
    let window = Window::handling({
        let calls = calls.clone();
        move |call| {
            (call.message >= WM_USER).then(|| {
                calls.borrow_mut().push((call.message, call.wparam, call.lparam));
                77
            })
        }
    });
    window.post(WM_USER + 1, 2, 3);
    assert!(calls.borrow().is_empty());
    let message = try_message().expect("posted");
    assert!(calls.borrow().is_empty());
    assert_eq!(dispatch(&message), 77);
    assert_eq!(*calls.borrow(), [(WM_USER + 1, 2, 3)]);
}

#[test]
fn messages_have_an_ansi_door_too() {
    let window = Window::handling(|call| (call.message == WM_USER).then_some(5));
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    unsafe {
        assert_ne!(PostMessageA(*window, WM_USER, 1, 2), 0);
        assert_ne!(PeekMessageA(&mut message, null_mut(), 0, 0, PM_NOREMOVE), 0);
        assert_eq!(GetMessageA(&mut message, null_mut(), 0, 0), 1);
        assert_eq!(message.message, WM_USER);
        assert_eq!(DispatchMessageA(&message), 5);
        assert_ne!(PostThreadMessageA(this_thread_id(), WM_USER + 1, 0, 0), 0);
    }
    assert_eq!(get(EVERYBODY, 0, 0).1.message, WM_USER + 1);
}

#[test]
fn messages_wake_a_thread_that_waits_for_them() {
    let (id, told, thread) = getter();
    for message in [WM_USER, WM_USER + 9, WM_NULL] {
        pause();
        assert_eq!(post_to_thread(id, message), Ok(()));
        assert_eq!(told.recv_timeout(Duration::from_millis(SOON.into())), Ok(message));
    }
    assert_eq!(post_to_thread(id, WM_QUIT), Ok(()));
    assert_eq!(told.recv_timeout(Duration::from_millis(SOON.into())), Ok(WM_QUIT));
    thread.join();
}

#[test]
fn messages_from_many_threads_all_arrive() {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let window = Window::new();
    let hwnd = *window as usize;
    let senders: Vec<_> = (0..THREADS)
        .map(|thread| {
            std::thread::spawn(move || {
                for number in 0..EACH {
                    post_to(hwnd as HWND, WM_APP + thread as u32, number, 0).expect("room");
                }
            })
        })
        .collect();
    let mut next = [0; THREADS];
    for _ in 0..THREADS * EACH {
        let message = next_message(SOON).expect("another message");
        let sender = (message.message - WM_APP) as usize;
        assert_eq!(message.wParam, next[sender], "the messages of one thread keep their order");
        next[sender] += 1;
    }
    assert_eq!(next, [EACH; THREADS]);
    senders.into_iter().for_each(|sender| sender.join().unwrap());
}

// The end.

#[test]
fn messages_quit_comes_last() {
    let window = Window::new();
    quit(42);
    window.post(WM_USER, 0, 0);
    window.post(WM_USER + 1, 0, 0);
    assert_eq!(get(EVERYBODY, 0, 0).0, 1);
    assert_eq!(get(EVERYBODY, 0, 0).1.message, WM_USER + 1);
    let (got, message) = get(EVERYBODY, 0, 0);
    assert_eq!((got, message.message, message.wParam), (0, WM_QUIT, 42));
    assert!(message.hwnd.is_null());
    assert!(try_message().is_none(), "it comes once");
}

#[test]
fn messages_quit_stays_when_it_is_only_looked_at() {
    quit(1);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_NOREMOVE), Some(WM_QUIT));
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE), Some(WM_QUIT));
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE), None);
}

#[test]
fn messages_quit_passes_every_filter() {
    let window = Window::new();
    quit(1);
    assert_eq!(peek(*window, WM_USER, WM_USER, PM_NOREMOVE), Some(WM_QUIT));
    assert_eq!(get(*window, WM_USER, WM_USER).0, 0);
    assert!(try_message().is_none());
}

#[test]
fn messages_quit_can_be_posted_like_any_other() {
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    window.post(WM_QUIT, 9, 0);
    window.post(WM_USER + 1, 0, 0);
    assert_eq!(get(EVERYBODY, 0, 0).0, 1);
    let (got, message) = get(EVERYBODY, 0, 0);
    assert_eq!((got, message.message, message.wParam), (0, WM_QUIT, 9));
    assert_eq!(get(EVERYBODY, 0, 0).1.message, WM_USER + 1);
}

// Filters.

#[test]
fn messages_can_be_picked_by_range() {
    let window = Window::new();
    for number in [5, 1, 4, 2, 3] {
        window.post(WM_USER + number, 0, 0);
    }
    assert_eq!(peek(EVERYBODY, WM_USER + 2, WM_USER + 4, PM_NOREMOVE), Some(WM_USER + 4));
    for number in [4, 2, 3] {
        assert_eq!(get(EVERYBODY, WM_USER + 2, WM_USER + 4).1.message, WM_USER + number);
    }
    assert_eq!(peek(EVERYBODY, WM_USER + 2, WM_USER + 4, PM_REMOVE), None);
    assert_eq!(peek(EVERYBODY, 0, WM_USER + 4, PM_REMOVE), Some(WM_USER + 1));
    assert_eq!(peek(EVERYBODY, WM_USER, 0, PM_REMOVE), None);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE), Some(WM_USER + 5));
}

#[test]
fn messages_can_be_picked_by_window() {
    let (a, b) = (Window::new(), Window::new());
    a.post(WM_USER, 0, 0);
    b.post(WM_USER + 1, 0, 0);
    assert_eq!(post_to_thread(this_thread_id(), WM_USER + 2), Ok(()));
    assert_eq!(get(*b, 0, 0).1.message, WM_USER + 1);
    assert_eq!(peek(*b, 0, 0, PM_REMOVE), None);
    let message = get(THREAD_ITSELF, 0, 0).1;
    assert_eq!((message.message, message.hwnd), (WM_USER + 2, null_mut()));
    assert_eq!((message.wParam, message.lParam), (1, 2));
    assert_eq!(peek(THREAD_ITSELF, 0, 0, PM_REMOVE), None);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE), Some(WM_USER));
}

#[test]
fn messages_of_a_child_are_messages_of_its_parent() {
    let parent = Window::new();
    let child = Window::styled(WS_CHILD, *parent, |_| None).expect("a child");
    child.post(WM_USER, 0, 0);
    parent.post(WM_USER + 1, 0, 0);
    assert_eq!(peek(*child, WM_USER, WM_USER + 9, PM_NOREMOVE), Some(WM_USER));
    assert_eq!(peek(*parent, WM_USER, WM_USER + 9, PM_REMOVE), Some(WM_USER));
    assert_eq!(peek(*child, WM_USER, WM_USER + 9, PM_REMOVE), None);
    assert_eq!(peek(*parent, WM_USER, WM_USER + 9, PM_REMOVE), Some(WM_USER + 1));
}

#[test]
fn messages_can_be_picked_by_kind() {
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE | PM_QS_SENDMESSAGE), None);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE | PM_QS_PAINT), None);
    assert_eq!(peek(EVERYBODY, 0, 0, PM_REMOVE | PM_QS_POSTMESSAGE), Some(WM_USER));
}

#[test]
fn messages_of_no_window_are_refused() {
    let gone = *Window::new();
    for hwnd in [gone, 0x1234 as HWND] {
        // SAFETY: no memory is passed.
        unsafe { SetLastError(0) };
        let (got, _) = get(hwnd, 0, 0);
        assert_eq!((got, last_error()), (-1, ERROR_INVALID_WINDOW_HANDLE));
        // SAFETY: as above.
        unsafe { SetLastError(0) };
        assert_eq!(peek(hwnd, 0, 0, PM_REMOVE), None);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        assert_eq!(post_to(hwnd, WM_USER, 0, 0), Err(ERROR_INVALID_WINDOW_HANDLE));
        let message = MSG { hwnd, message: WM_USER, ..MSG::default() };
        // SAFETY: the message refers to no memory.
        assert_eq!(unsafe { DispatchMessageW(&message) }, 0);
        assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
    }
}

#[test]
fn messages_of_another_thread_are_out_of_reach() {
    let (tell, told) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let window = Window::new();
        window.post(WM_USER, 0, 0);
        tell.send(*window as usize).unwrap();
        wait.recv().unwrap();
        assert_eq!(try_message().map(|message| message.message), Some(WM_USER));
    });
    let hwnd = told.recv().unwrap() as HWND;
    assert_eq!(peek(hwnd, 0, 0, PM_REMOVE), None);
    let message = MSG { hwnd, message: WM_USER, ..MSG::default() };
    // SAFETY: the message refers to no memory.
    assert_eq!(unsafe { DispatchMessageW(&message) }, 0);
    assert_eq!(last_error(), ERROR_MESSAGE_SYNC_ONLY);
    go.send(()).unwrap();
    other.join().unwrap();
}

// Posting.

#[test]
fn messages_to_null_go_to_the_thread_itself() {
    assert_eq!(post_to(null_mut(), WM_USER, 3, 4), Ok(()));
    let message = try_message().expect("posted");
    assert!(message.hwnd.is_null());
    assert_eq!((message.message, message.wParam, message.lParam), (WM_USER, 3, 4));
    assert_eq!(dispatch(&message), 0);
}

#[test]
fn messages_go_to_no_thread_without_a_queue() {
    // Wine 8.0: ERROR_INVALID_PARAMETER for a number that no thread has.
    differs_on_wine(|| {
        assert_eq!(post_to_thread(0x7FFF_FFF0, WM_USER), Err(ERROR_INVALID_THREAD_ID));
    });
    let (tell, told) = mpsc::channel();
    let (go, wait) = mpsc::channel();
    let (done, ended) = mpsc::channel();
    let thread = Thread::start(move || {
        tell.send(this_thread_id()).unwrap();
        wait.recv().unwrap();
        peek(EVERYBODY, WM_USER, WM_USER, PM_NOREMOVE);
        tell.send(0).unwrap();
        wait.recv().unwrap();
        done.send(try_message().map(|message| message.message)).unwrap();
    });
    let id = told.recv().unwrap();
    assert_eq!(post_to_thread(id, WM_USER), Err(ERROR_INVALID_THREAD_ID));
    go.send(()).unwrap();
    told.recv().unwrap();
    assert_eq!(post_to_thread(id, WM_USER + 1), Ok(()));
    go.send(()).unwrap();
    assert_eq!(ended.recv().unwrap(), Some(WM_USER + 1));
    thread.join();
    assert!(comes_true(|| post_to_thread(id, WM_USER) == Err(ERROR_INVALID_THREAD_ID)));
}

#[test]
fn messages_that_point_to_memory_cannot_be_posted() {
    let window = Window::new();
    for message in [WM_SETTEXT, WM_GETTEXT, WM_CREATE, WM_COPYDATA] {
        assert_eq!(post_to(*window, message, 0, 0), Err(ERROR_MESSAGE_SYNC_ONLY));
        assert_eq!(post_to_thread(this_thread_id(), message), Err(ERROR_MESSAGE_SYNC_ONLY));
    }
    assert!(try_message().is_none());
}

#[test]
fn messages_are_ten_thousand_at_most() {
    let window = Window::new();
    for _ in 0..10_000 {
        window.post(WM_USER, 0, 0);
    }
    // Wine 8.0 has no limit.
    differs_on_wine(|| {
        assert_eq!(post_to(*window, WM_USER, 0, 0), Err(ERROR_NOT_ENOUGH_QUOTA));
        let thread = this_thread_id();
        assert_eq!(post_to_thread(thread, WM_USER), Err(ERROR_NOT_ENOUGH_QUOTA));
        // It is the queue's limit: taking one makes room for one.
        assert!(try_message().is_some());
        assert_eq!(post_to_thread(thread, WM_USER), Ok(()));
        assert_eq!(post_to(*window, WM_USER, 0, 0), Err(ERROR_NOT_ENOUGH_QUOTA));
    });
    assert!(std::iter::from_fn(try_message).count() >= 10_000);
}

#[test]
fn messages_to_everybody_reach_top_level_windows_only() {
    // SAFETY: the name ends in NUL.
    let message = unsafe { RegisterWindowMessageW(wide::<12>("broadcast-1\0").as_ptr()) };
    let top = Window::try_handling(null_mut(), |_| None).expect("a top-level window");
    let alone = Window::new();
    let child = Window::styled(WS_CHILD, *top, |_| None).expect("a child");
    assert_eq!(post_to(HWND_BROADCAST, message, 5, 6), Ok(()));
    let reached = |window: &Window| peek(**window, message, message, PM_REMOVE);
    assert_eq!(reached(&child), None);
    assert_eq!(reached(&alone), None);
    assert_eq!(reached(&top), Some(message));
    assert_eq!(reached(&top), None);
}

#[test]
fn messages_of_a_destroyed_window_are_thrown_away() {
    let (a, b) = (Window::new(), Window::new());
    a.post(WM_USER, 0, 0);
    b.post(WM_USER + 1, 0, 0);
    a.post(WM_USER + 2, 0, 0);
    // SAFETY: no memory is passed.
    assert_ne!(unsafe { DestroyWindow(*a) }, 0);
    assert_eq!(try_message().map(|message| message.message), Some(WM_USER + 1));
    assert!(try_message().is_none());
}

#[test]
fn messages_posted_while_their_window_is_destroyed_never_surface() {
    let hwnd = Arc::new(AtomicU32::new(0));
    let stop = Arc::new(AtomicU32::new(0));
    let poster = std::thread::spawn({
        let (hwnd, stop) = (hwnd.clone(), stop.clone());
        move || {
            let mut accepted = 0;
            while stop.load(Ordering::Acquire) == 0 {
                let target = hwnd.load(Ordering::Acquire) as usize as HWND;
                if !target.is_null() && post_to(target, WM_USER, 0, 0).is_ok() {
                    accepted += 1;
                }
            }
            accepted
        }
    });
    let mut seen = 0;
    for _ in 0..200 {
        let window = Window::new();
        hwnd.store(*window as usize as u32, Ordering::Release);
        let until = Instant::now() + Duration::from_micros(200);
        while Instant::now() < until {
            seen += usize::from(try_message().is_some());
        }
        let gone = *window;
        drop(window);
        while let Some(message) = try_message() {
            // Wine 8.0 lets some through.
            assert!(message.hwnd != gone || is_wine(), "a message to a window that is gone");
        }
    }
    stop.store(1, Ordering::Release);
    assert!(poster.join().unwrap() >= seen);
}

// What else a message and its queue tell.

#[test]
fn messages_have_a_time() {
    let window = Window::new();
    window.post(WM_USER, 0, 0);
    std::thread::sleep(Duration::from_millis(100));
    window.post(WM_USER, 0, 0);
    let first = try_message().expect("posted");
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { GetMessageTime() }, first.time as i32);
    let second = try_message().expect("posted");
    // SAFETY: as above.
    assert_eq!(unsafe { GetMessageTime() }, second.time as i32);
    let between = second.time.wrapping_sub(first.time);
    assert!((80..SOON).contains(&between), "{between} ms");
}

#[test]
fn messages_can_have_extra_information() {
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(GetMessageExtraInfo(), 0);
        assert_eq!(SetMessageExtraInfo(5), 0);
        assert_eq!(SetMessageExtraInfo(6), 5);
        assert_eq!(GetMessageExtraInfo(), 6);
    }
    // SAFETY: as above.
    std::thread::spawn(|| assert_eq!(unsafe { GetMessageExtraInfo() }, 0)).join().unwrap();
}

#[test]
fn messages_about_keys_are_known_as_such() {
    let about = |message| {
        let message = MSG { message, ..MSG::default() };
        // SAFETY: the message refers to no memory.
        unsafe { TranslateMessage(&message) != 0 }
    };
    assert!(about(WM_KEYDOWN));
    assert!(!about(WM_USER));
}

#[test]
fn messages_in_the_queue_are_old_once_looked_at() {
    let window = Window::new();
    let posted = QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
    assert_eq!(status(QS_ALLINPUT | QS_ALLPOSTMESSAGE), 0);
    window.post(WM_USER, 0, 0);
    assert_eq!(status(QS_ALLINPUT | QS_ALLPOSTMESSAGE), posted << 16 | posted);
    assert_eq!(status(QS_ALLINPUT), QS_POSTMESSAGE << 16, "asking makes it old");
    window.post(WM_USER, 0, 0);
    assert_eq!(status(QS_TIMER), 0);
    assert_eq!(status(QS_POSTMESSAGE), QS_POSTMESSAGE << 16 | QS_POSTMESSAGE);
    window.post(WM_USER, 0, 0);
    assert_eq!(peek(EVERYBODY, WM_APP, WM_APP, PM_NOREMOVE), None);
    // A look through a filter makes all but QS_ALLPOSTMESSAGE old.
    assert_eq!(status(QS_ALLINPUT | QS_ALLPOSTMESSAGE), posted << 16 | QS_ALLPOSTMESSAGE);
    while try_message().is_some() {}
    assert_eq!(status(QS_ALLINPUT | QS_ALLPOSTMESSAGE), 0);
}

#[test]
fn messages_quit_counts_as_posted() {
    quit(0);
    assert_eq!(status(QS_ALLINPUT), QS_POSTMESSAGE << 16 | QS_POSTMESSAGE);
    assert_eq!(get(EVERYBODY, 0, 0).0, 0);
    assert_eq!(status(QS_ALLINPUT | QS_SENDMESSAGE), 0);
}

#[test]
fn messages_known_by_name_have_one_number() {
    // SAFETY: the names end in NUL.
    unsafe {
        let hello = RegisterWindowMessageW(wide::<6>("hello\0").as_ptr());
        assert!((0xC000..=0xFFFF).contains(&hello));
        assert_eq!(RegisterWindowMessageA(c"HELLO".as_ptr().cast()), hello);
        let other = RegisterWindowMessageA(c"other".as_ptr().cast());
        assert!((0xC000..=0xFFFF).contains(&other) && other != hello);
        assert_eq!(RegisterWindowMessageW(wide::<1>("\0").as_ptr()), 0);
    }
}

#[test]
fn messages_let_their_thread_drive_the_sockets() {
    // The only thread that waits is in a message loop; the receive completes all the same.
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    let sender = std::thread::spawn(move || {
        pause();
        send_all(&b, b"hello");
        b
    });
    assert!(pump_until(|| event.is_set()));
    assert_eq!(wsa_result(&a, &op, false).map(|(bytes, _)| bytes), Ok(5));
    assert_eq!(&op.data()[..5], b"hello");
    drop(sender.join().unwrap());
}
