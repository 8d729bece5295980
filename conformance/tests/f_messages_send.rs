//! Section F, the message queue behind WSAAsyncSelect: sending, within a thread and across threads.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_WINDOW_HANDLE, ERROR_MESSAGE_SYNC_ONLY, ERROR_TIMEOUT, HWND,
    LRESULT, SetLastError, WAIT_OBJECT_0,
};
use winsock_sys::Win32::System::Threading::{
    CreateThread, ExitThread, GetCurrentThreadId, GetExitCodeThread,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::*;

/// A thread with a message loop and a window, whose procedure is `handler`. Ends by WM_QUIT.
struct Receiver {
    hwnd: HWND,
    id: u32,
    thread: Option<Thread>,
}

// SAFETY: an HWND is a name, not memory.
unsafe impl Send for Receiver {}
// SAFETY: as above.
unsafe impl Sync for Receiver {}

impl Receiver {
    fn start(handler: impl Fn(&Call) -> Option<LRESULT> + Send + 'static) -> Receiver {
        Receiver::start_with(handler, || {})
    }

    /// `before` runs when the window is there and no message has been looked for yet.
    fn start_with(
        handler: impl Fn(&Call) -> Option<LRESULT> + Send + 'static,
        before: impl FnOnce() + Send + 'static,
    ) -> Receiver {
        let (introduce, introduced) = mpsc::channel();
        let thread = Thread::start(move || {
            let window = Window::handling(handler);
            // SAFETY: no memory is passed.
            introduce.send((*window as usize, unsafe { GetCurrentThreadId() })).unwrap();
            before();
            let mut message = MSG::default();
            // SAFETY: the place for the message is ours.
            while unsafe { GetMessageW(&mut message, null_mut(), 0, 0) } > 0 {
                dispatch(&message);
            }
        });
        let (hwnd, id) = introduced.recv().unwrap();
        Receiver { hwnd: hwnd as HWND, id, thread: Some(thread) }
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            // SAFETY: no memory is passed.
            unsafe { PostThreadMessageW(self.id, WM_QUIT, 0, 0) };
            thread.join();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

fn send(hwnd: HWND, message: u32, wparam: usize, lparam: isize) -> LRESULT {
    // SAFETY: the tests' messages refer to no memory.
    unsafe { SendMessageW(hwnd, message, wparam, lparam) }
}

/// SendMessageTimeoutW: the result, or the last error.
fn send_within(hwnd: HWND, message: u32, flags: u32, ms: u32) -> Result<usize, u32> {
    let mut result = 99;
    // SAFETY: the tests' messages refer to no memory; the place for the result is ours.
    match unsafe { SendMessageTimeoutW(hwnd, message, 0, 0, flags, ms, &mut result) } {
        0 => {
            assert_eq!(result, 0);
            Err(last_error())
        }
        _ => Ok(result),
    }
}

fn reply(result: LRESULT) -> bool {
    // SAFETY: no memory is passed.
    unsafe { ReplyMessage(result) != 0 }
}

fn in_send() -> u32 {
    // SAFETY: no memory is passed.
    unsafe {
        let how = InSendMessageEx(null());
        assert_eq!(InSendMessage() != 0, how != ISMEX_NOSEND);
        how
    }
}

// Within a thread.

#[test]
fn sending_calls_the_procedure_at_once() {
    let calls = Rc::new(RefCell::new(Vec::new()));
    let window = Window::handling({
        let calls = calls.clone();
        move |call| {
            (call.message >= WM_USER).then(|| {
                assert_eq!(in_send(), ISMEX_NOSEND);
                assert!(!reply(1), "within a thread there is nobody to reply to");
                calls.borrow_mut().push((call.message, call.wparam, call.lparam));
                -3
            })
        }
    });
    window.post(WM_USER + 1, 0, 0);
    assert_eq!(send(*window, WM_USER + 2, 5, -6), -3);
    // SAFETY: the message refers to no memory.
    assert_eq!(unsafe { SendMessageA(*window, WM_USER + 3, 0, 0) }, -3);
    assert_eq!(*calls.borrow(), [(WM_USER + 2, 5, -6), (WM_USER + 3, 0, 0)]);
    assert_eq!(send_within(*window, WM_USER + 4, SMTO_NORMAL, 0), Ok(-3isize as usize));
    // SAFETY: the message refers to no memory.
    assert_ne!(unsafe { SendNotifyMessageW(*window, WM_USER + 5, 0, 0) }, 0);
    assert_eq!(calls.borrow().len(), 4);
    assert_eq!(pump(), 1);
}

#[test]
fn sending_to_no_window_fails() {
    let gone = *Window::new();
    for hwnd in [gone, null_mut(), 0x1234 as HWND] {
        // SAFETY: the messages refer to no memory.
        unsafe {
            SetLastError(0);
            assert_eq!(SendMessageW(hwnd, WM_USER, 0, 0), 0);
            assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
            SetLastError(0);
            assert_eq!(SendNotifyMessageW(hwnd, WM_USER, 0, 0), 0);
            assert_eq!(last_error(), ERROR_INVALID_WINDOW_HANDLE);
        }
        let sent = send_within(hwnd, WM_USER, SMTO_NORMAL, 10);
        assert_eq!(sent, Err(ERROR_INVALID_WINDOW_HANDLE));
    }
}

// Across threads.

#[test]
fn sending_to_another_thread_waits_for_its_answer() {
    let receiver = Receiver::start(|call| {
        (call.message == WM_USER).then(|| {
            assert_eq!(in_send(), ISMEX_SEND);
            // SAFETY: no memory is passed.
            call.lparam + call.wparam as isize + (unsafe { GetCurrentThreadId() } as isize)
        })
    });
    for number in 0..100 {
        let answer = send(receiver.hwnd, WM_USER, number, 1000);
        assert_eq!(answer, 1000 + number as isize + receiver.id as isize);
    }
}

#[test]
fn sending_overtakes_posting() {
    let (go, wait) = mpsc::channel::<()>();
    let order = Arc::new(Mutex::new(Vec::new()));
    let receiver = Receiver::start_with(
        {
            let order = order.clone();
            move |call| {
                (call.message >= WM_USER).then(|| {
                    order.lock().unwrap().push(call.message - WM_USER);
                    0
                })
            }
        },
        move || wait.recv().unwrap(),
    );
    assert_eq!(post_to(receiver.hwnd, WM_USER + 1, 0, 0), Ok(()));
    // SAFETY: the message refers to no memory.
    assert_ne!(unsafe { SendNotifyMessageW(receiver.hwnd, WM_USER + 2, 0, 0) }, 0);
    assert_eq!(post_to(receiver.hwnd, WM_USER + 3, 0, 0), Ok(()));
    go.send(()).unwrap();
    send(receiver.hwnd, WM_USER + 4, 0, 0);
    assert!(comes_true(|| order.lock().unwrap().len() == 4));
    let order = order.lock().unwrap();
    assert_eq!(order[0], 2);
    let place = |number| order.iter().position(|&seen| seen == number);
    assert!(place(1) < place(3));
}

#[test]
fn sending_is_received_by_peeking_and_by_waiting_too() {
    // SAFETY: no handles are passed, the place for the message is ours.
    let looks: [fn(); 3] = unsafe {
        [
            || {
                let mut message = MSG::default();
                let flags = PM_NOREMOVE;
                PeekMessageW(&mut message, null_mut(), WM_APP, WM_APP, flags);
            },
            || {
                let mut message = MSG::default();
                // Asking for posted messages only does not keep sent ones out.
                let flags = PM_REMOVE | PM_QS_POSTMESSAGE;
                PeekMessageW(&mut message, null_mut(), WM_APP, WM_APP, flags);
            },
            || {
                MsgWaitForMultipleObjects(0, null(), 0, 10, QS_SENDMESSAGE);
                let mut message = MSG::default();
                PeekMessageW(&mut message, null_mut(), 0, 0, PM_NOREMOVE);
            },
        ]
    };
    for look in looks {
        let done = Arc::new(AtomicBool::new(false));
        let (introduce, introduced) = mpsc::channel();
        let receiver = Thread::start({
            let done = done.clone();
            move || {
                let window = Window::handling(|call| (call.message == WM_USER).then_some(8));
                introduce.send(*window as usize).unwrap();
                while !done.load(Ordering::Acquire) {
                    look();
                }
            }
        });
        let hwnd = introduced.recv().unwrap() as HWND;
        for _ in 0..10 {
            assert_eq!(send(hwnd, WM_USER, 0, 0), 8);
        }
        done.store(true, Ordering::Release);
        receiver.join();
    }
}

#[test]
fn sending_is_received_while_waiting_for_a_message() {
    // Wine 8.0 leaves WaitMessage without handling what was sent; the next call does.
    let receiver = Receiver::start_with(
        |call| (call.message == WM_USER).then_some(8),
        || {
            // SAFETY: no memory is passed.
            unsafe { WaitMessage() };
        },
    );
    pause();
    assert_eq!(send(receiver.hwnd, WM_USER, 0, 0), 8);
}

#[test]
fn senders_answer_while_they_wait() {
    // We send to a thread that sends back before it answers.
    let window = Window::handling(|call| {
        (call.message == WM_USER + 1).then(|| {
            assert_eq!(in_send(), ISMEX_SEND);
            call.lparam * 2
        })
    });
    let back = *window as usize;
    let receiver = Receiver::start(move |call| {
        (call.message == WM_USER).then(|| send(back as HWND, WM_USER + 1, 0, call.lparam) + 1)
    });
    for number in 0..100 {
        assert_eq!(send(receiver.hwnd, WM_USER, 0, number), 2 * number + 1);
    }
}

#[test]
fn senders_to_each_other_do_not_wait_for_ever() {
    const ROUNDS: usize = 300;
    let names: Arc<[AtomicUsize; 2]> = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let handled = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..2)
        .map(|me| {
            let (names, handled) = (names.clone(), handled.clone());
            Thread::start(move || {
                let window = Window::handling({
                    let handled = handled.clone();
                    move |call| {
                        (call.message == WM_USER).then(|| {
                            handled.fetch_add(1, Ordering::Relaxed);
                            call.lparam + 1
                        })
                    }
                });
                names[me].store(*window as usize, Ordering::Release);
                let other = || names[1 - me].load(Ordering::Acquire) as HWND;
                while other().is_null() {
                    std::thread::yield_now();
                }
                for round in 0..ROUNDS as isize {
                    assert_eq!(send(other(), WM_USER, 0, round), round + 1);
                }
                // The other one may not be done.
                assert!(pump_until(|| handled.load(Ordering::Relaxed) == 2 * ROUNDS));
            })
        })
        .collect();
    threads.iter().for_each(Thread::join);
    assert_eq!(handled.load(Ordering::Relaxed), 2 * ROUNDS);
}

#[test]
fn senders_in_crowds_all_get_their_answers() {
    let receiver = Receiver::start(|call| {
        (call.message == WM_USER).then(|| call.wparam as isize * 1000 + call.lparam)
    });
    std::thread::scope(|scope| {
        for sender in 1..=4 {
            let receiver = &receiver;
            scope.spawn(move || {
                for number in 0..200 {
                    let answer = send(receiver.hwnd, WM_USER, sender, number);
                    assert_eq!(answer, sender as isize * 1000 + number);
                }
            });
        }
    });
}

// Answers before the end.

#[test]
fn replies_let_the_sender_go_on() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (tell, told) = mpsc::channel();
    let receiver = Receiver::start(move |call| {
        (call.message == WM_USER).then(|| {
            let first = reply(42);
            let (second, how) = (reply(43), in_send());
            // The sender goes on before this returns.
            wait.lock().unwrap().recv().unwrap();
            tell.send((first, second, how)).unwrap();
            44
        })
    });
    assert_eq!(send(receiver.hwnd, WM_USER, 0, 0), 42);
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), (true, true, ISMEX_SEND | ISMEX_REPLIED));
    assert!(!reply(1));
    assert_eq!(in_send(), ISMEX_NOSEND);
}

// Sending without waiting.

#[test]
fn notifying_does_not_wait() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (tell, told) = mpsc::channel();
    let receiver = Receiver::start(move |call| {
        (call.message == WM_USER).then(|| {
            wait.lock().unwrap().recv().unwrap();
            tell.send(in_send()).unwrap();
            0
        })
    });
    // SAFETY: the messages refer to no memory.
    unsafe {
        assert_ne!(SendNotifyMessageW(receiver.hwnd, WM_USER, 0, 0), 0);
        assert_ne!(SendNotifyMessageA(receiver.hwnd, WM_USER, 0, 0), 0);
        let refused = SendNotifyMessageW(receiver.hwnd, WM_SETTEXT, 0, 0);
        assert_eq!((refused, last_error()), (0, ERROR_MESSAGE_SYNC_ONLY));
    }
    for _ in 0..2 {
        go.send(()).unwrap();
        assert_eq!(told.recv().unwrap(), ISMEX_NOTIFY);
    }
}

/// What [`note_callback`] was called with; the tests that use it hold the lock.
static CALLED_BACK: Mutex<Vec<(usize, u32, usize, LRESULT)>> = Mutex::new(Vec::new());
static CALLBACK_TEST: Mutex<()> = Mutex::new(());

unsafe extern "system" fn note_callback(hwnd: HWND, message: u32, data: usize, result: LRESULT) {
    CALLED_BACK.lock().unwrap().push((hwnd as usize, message, data, result));
}

#[test]
fn callbacks_come_when_the_sender_looks() {
    let _alone = CALLBACK_TEST.lock().unwrap();
    CALLED_BACK.lock().unwrap().clear();
    let handled = Arc::new(AtomicU32::new(0));
    let receiver = Receiver::start({
        let handled = handled.clone();
        move |call| {
            (call.message == WM_USER).then(|| {
                handled.store(in_send(), Ordering::Release);
                6
            })
        }
    });
    // SAFETY: the message refers to no memory, the function may be called.
    let sent =
        unsafe { SendMessageCallbackW(receiver.hwnd, WM_USER, 0, 0, Some(note_callback), 7) };
    assert_ne!(sent, 0);
    assert!(comes_true(|| handled.load(Ordering::Acquire) == ISMEX_CALLBACK));
    pause();
    assert!(CALLED_BACK.lock().unwrap().is_empty(), "this thread has not looked yet");
    assert!(pump_until(|| !CALLED_BACK.lock().unwrap().is_empty()));
    assert_eq!(*CALLED_BACK.lock().unwrap(), [(receiver.hwnd as usize, WM_USER, 7, 6)]);
}

#[test]
fn callbacks_come_at_once_within_a_thread() {
    let _alone = CALLBACK_TEST.lock().unwrap();
    CALLED_BACK.lock().unwrap().clear();
    let window = Window::handling(|call| (call.message == WM_USER).then_some(4));
    // SAFETY: the message refers to no memory, the function may be called.
    unsafe {
        assert_ne!(SendMessageCallbackA(*window, WM_USER, 0, 0, Some(note_callback), 9), 0);
    }
    assert_eq!(*CALLED_BACK.lock().unwrap(), [(*window as usize, WM_USER, 9, 4)]);
}

// Limits in time.

#[test]
fn time_outs_take_the_message_back() {
    let (go, wait) = mpsc::channel::<()>();
    let heard = Arc::new(AtomicU32::new(0));
    let receiver = Receiver::start_with(
        {
            let heard = heard.clone();
            move |call| {
                (call.message >= WM_USER).then(|| {
                    heard.fetch_add(1 << (8 * (call.message - WM_USER)), Ordering::AcqRel);
                    1
                })
            }
        },
        move || wait.recv().unwrap(),
    );
    let start = Instant::now();
    let sent = send_within(receiver.hwnd, WM_USER, SMTO_NORMAL, NEVER);
    assert_eq!(sent, Err(ERROR_TIMEOUT));
    assert!(start.elapsed() >= Duration::from_millis(u64::from(NEVER) / 2));
    go.send(()).unwrap();
    assert_eq!(send_within(receiver.hwnd, WM_USER + 1, SMTO_NORMAL, SOON), Ok(1));
    assert_eq!(heard.load(Ordering::Acquire), 1 << 8, "the first was taken back");
}

#[test]
fn time_outs_during_the_procedure_leave_it_alone() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let (tell, told) = mpsc::channel();
    let (enter, entered) = mpsc::channel();
    let receiver = Receiver::start(move |call| {
        (call.message == WM_USER).then(|| {
            enter.send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            tell.send(in_send()).unwrap();
            1
        })
    });
    // A thread that is late does not come to its procedure: then the message is taken back.
    loop {
        let sent = send_within(receiver.hwnd, WM_USER, SMTO_NORMAL, NEVER);
        assert_eq!(sent, Err(ERROR_TIMEOUT));
        if entered.try_recv().is_ok() {
            break;
        }
    }
    go.send(()).unwrap();
    assert_eq!(told.recv().unwrap(), ISMEX_SEND);
    assert!(is_window(receiver.hwnd));
}

#[test]
fn time_outs_can_be_limited_to_threads_that_hang() {
    // It looks at its queue again and again, but not while it handles this: no reason to give up.
    let receiver = Receiver::start(|call| {
        (call.message == WM_USER).then(|| {
            std::thread::sleep(Duration::from_millis(5 * u64::from(NEVER)));
            3
        })
    });
    let sent = send_within(receiver.hwnd, WM_USER, SMTO_NOTIMEOUTIFNOTHUNG, NEVER);
    // Wine 8.0 gives up all the same.
    differs_on_wine(|| assert_eq!(sent, Ok(3)));
}

#[test]
fn time_outs_come_early_if_the_thread_hangs() {
    let (go, wait) = mpsc::channel::<()>();
    let receiver = Receiver::start_with(|_| None, move || wait.recv().unwrap());
    let start = Instant::now();
    let sent = send_within(receiver.hwnd, WM_USER, SMTO_ABORTIFHUNG, 2 * SOON);
    let took = start.elapsed();
    go.send(()).unwrap();
    assert_eq!(sent, Err(ERROR_TIMEOUT));
    // Wine 8.0 looks only at the beginning.
    differs_on_wine(|| assert!(took < Duration::from_millis(SOON.into()), "{took:?}"));
}

#[test]
fn time_outs_may_keep_others_waiting() {
    // With SMTO_BLOCK, what is sent to us while we wait is not handled.
    let heard = Rc::new(Cell::new(0));
    let window = Window::handling({
        let heard = heard.clone();
        move |call| {
            (call.message == WM_USER + 1).then(|| {
                heard.set(heard.get() + 1);
                1
            })
        }
    });
    let back = *window as usize;
    let patience = Arc::new(AtomicU32::new(NEVER));
    let its_patience = patience.clone();
    let receiver = Receiver::start(move |call| {
        (call.message == WM_USER).then(|| {
            let ms = its_patience.load(Ordering::SeqCst);
            let sent = send_within(back as HWND, WM_USER + 1, SMTO_NORMAL, ms);
            isize::from(sent == Err(ERROR_TIMEOUT)) + 10
        })
    });
    assert_eq!(send_within(receiver.hwnd, WM_USER, SMTO_BLOCK, SOON), Ok(11));
    patience.store(SOON, Ordering::SeqCst);
    assert_eq!(send_within(receiver.hwnd, WM_USER, SMTO_NORMAL, 2 * SOON), Ok(10));
    assert_eq!(heard.get(), 1);
}

// Ends.

#[test]
fn senders_get_nothing_from_a_window_that_goes() {
    let (go, wait) = mpsc::channel::<()>();
    let (introduce, introduced) = mpsc::channel();
    let thread = Thread::start(move || {
        let window = Window::new();
        introduce.send(*window as usize).unwrap();
        wait.recv().unwrap();
        drop(window);
        wait.recv().unwrap();
    });
    let hwnd = introduced.recv().unwrap();
    let sender = |flags| {
        std::thread::spawn(move || send_within(hwnd as HWND, WM_USER, flags, 6 * SOON).is_err())
    };
    let plain = std::thread::spawn(move || send(hwnd as HWND, WM_USER, 0, 0));
    let strict = sender(SMTO_ERRORONEXIT);
    pause();
    go.send(()).unwrap();
    assert_eq!(plain.join().unwrap(), 0);
    assert!(strict.join().unwrap());
    go.send(()).unwrap();
    thread.join();
}

#[test]
fn senders_get_nothing_from_a_thread_that_ends() {
    let (go, wait) = mpsc::channel::<()>();
    let (introduce, introduced) = mpsc::channel();
    let thread = Thread::start(move || {
        let window = create_window(wide::<7>("Static\0").as_ptr(), null_mut()).expect("a window");
        introduce.send(window as usize).unwrap();
        wait.recv().unwrap();
    });
    let hwnd = introduced.recv().unwrap();
    let senders: Vec<_> =
        (0..3).map(|_| std::thread::spawn(move || send(hwnd as HWND, WM_USER, 0, 0))).collect();
    pause();
    go.send(()).unwrap();
    for sender in senders {
        assert_eq!(sender.join().unwrap(), 0);
    }
    thread.join();
}

#[test]
fn senders_get_nothing_from_a_procedure_that_ends_its_thread() {
    // Nothing here owns anything: ExitThread runs no destructors.
    static NAME: AtomicUsize = AtomicUsize::new(0);
    const CLASS: [u16; 9] = wide("class-11\0");

    unsafe extern "system" fn procedure(
        hwnd: HWND,
        message: u32,
        wparam: usize,
        lparam: isize,
    ) -> LRESULT {
        // SAFETY: passed on; the frames between here and `main` own nothing.
        unsafe {
            if message == WM_USER {
                ExitThread(7);
            }
            DefWindowProcW(hwnd, message, wparam, lparam)
        }
    }

    unsafe extern "system" fn main(_: *mut c_void) -> u32 {
        let hwnd = create_window(CLASS.as_ptr(), module()).unwrap_or(null_mut());
        NAME.store(hwnd as usize, Ordering::Release);
        let mut message = MSG::default();
        // SAFETY: the place for the message is ours.
        unsafe { GetMessageW(&mut message, null_mut(), 0, 0) };
        0
    }

    let class = WNDCLASSW { lpfnWndProc: Some(procedure), ..window_class(&CLASS) };
    register_class(&class).expect("a new name");
    // SAFETY: no memory is passed.
    let thread = unsafe { CreateThread(null(), 0, Some(main), null(), 0, null_mut()) };
    assert!(comes_true(|| NAME.load(Ordering::Acquire) != 0));
    let hwnd = NAME.load(Ordering::Acquire) as HWND;
    assert!(send_within(hwnd, WM_USER, SMTO_ERRORONEXIT, SOON).is_err());
    assert_eq!(wait(thread, SOON), WAIT_OBJECT_0);
    let mut code = 0;
    // SAFETY: the place for the code is ours.
    unsafe {
        assert_ne!(GetExitCodeThread(thread, &mut code), 0);
        CloseHandle(thread);
    }
    assert_eq!(code, 7);
    assert!(!is_window(hwnd));
    assert_eq!(unregister_class(CLASS.as_ptr(), module()), Ok(()));
}

#[test]
fn senders_get_their_answer_from_a_window_that_goes_meanwhile() {
    let receiver = Receiver::start(|call| {
        (call.message == WM_USER).then(|| {
            destroy_window(call.hwnd).expect("own");
            9
        })
    });
    assert_eq!(send(receiver.hwnd, WM_USER, 0, 0), 9);
    assert!(!is_window(receiver.hwnd));
    assert_eq!(send(receiver.hwnd, WM_USER, 0, 0), 0);
}

#[test]
fn senders_never_hang_while_windows_come_and_go() {
    let current = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..2)
        .map(|_| {
            let (current, stop) = (current.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut answered = 0;
                while !stop.load(Ordering::Acquire) {
                    let hwnd = current.load(Ordering::Acquire) as HWND;
                    answered += usize::from(send(hwnd, WM_USER, 0, 0) == 5);
                }
                answered
            })
        })
        .collect();
    for _ in 0..100 {
        let window = Window::handling(|call| (call.message == WM_USER).then_some(5));
        current.store(*window as usize, Ordering::Release);
        for _ in 0..10 {
            assert!(try_message().is_none());
        }
    }
    stop.store(true, Ordering::Release);
    // They end without our help: no window of this thread is left.
    for sender in senders {
        sender.join().unwrap();
    }
}

// Text.

#[test]
fn text_crosses_threads() {
    let receiver = Receiver::start(|_| None);
    set_window_text(receiver.hwnd, "over there");
    assert_eq!(window_text(receiver.hwnd), "over there");
    let mut buffer = [0x7F; 8];
    // SAFETY: the buffer has that room; the text ends in NUL.
    unsafe {
        assert_eq!(GetWindowTextA(receiver.hwnd, buffer.as_mut_ptr(), 5), 4);
        assert_eq!(&buffer[..6], b"over\0\x7F");
        assert_ne!(SetWindowTextA(receiver.hwnd, c"back".as_ptr().cast()), 0);
        assert_eq!(GetWindowTextLengthW(receiver.hwnd), 4);
    }
    assert_eq!(window_text(receiver.hwnd), "back");
}

#[test]
fn sending_to_everybody_reaches_top_level_windows() {
    // SAFETY: the name ends in NUL.
    let message = unsafe { RegisterWindowMessageW(wide::<12>("broadcast-2\0").as_ptr()) };
    let count = Rc::new(Cell::new(0));
    let noting = |worth: u32| {
        let count = count.clone();
        move |call: &Call| {
            (call.message == message).then(|| {
                count.set(count.get() + worth);
                0
            })
        }
    };
    let _top = Window::try_handling(null_mut(), noting(1)).expect("a top-level window");
    let _alone = Window::handling(noting(100));
    // Other tests of this process have windows too, and may be slow.
    let mut result = 0;
    // SAFETY: the message refers to no memory, the place for the result is ours.
    let sent = unsafe {
        SendMessageTimeoutW(HWND_BROADCAST, message, 0, 0, SMTO_NORMAL, SOON, &mut result)
    };
    assert_ne!(sent, 0);
    assert_eq!(count.get(), 1);
}
