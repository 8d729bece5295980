//! Section F, the message queue behind WSAAsyncSelect: timers.

use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE, HWND, SetLastError,
};
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    GetMessageW, GetQueueStatus, KillTimer, MSG, PM_NOREMOVE, PM_REMOVE, PeekMessageW,
    PostQuitMessage, QS_ALLINPUT, QS_TIMER, SetTimer, TIMERPROC, USER_TIMER_MINIMUM, WM_QUIT,
    WM_TIMER, WM_USER,
};

fn set(hwnd: HWND, id: usize, ms: u32) -> usize {
    set_calling(hwnd, id, ms, None)
}

fn set_calling(hwnd: HWND, id: usize, ms: u32, procedure: TIMERPROC) -> usize {
    // SAFETY: the tests' procedures may be called.
    unsafe { SetTimer(hwnd, id, ms, procedure) }
}

fn kill(hwnd: HWND, id: usize) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    match unsafe { KillTimer(hwnd, id) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// Waits for a message by GetMessageW.
fn get() -> MSG {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    assert_ne!(unsafe { GetMessageW(&mut message, null_mut(), 0, 0) }, -1);
    message
}

fn peek(hwnd: HWND, first: u32, last: u32, flags: u32) -> Option<u32> {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    let found = unsafe { PeekMessageW(&mut message, hwnd, first, last, flags) };
    (found != 0).then_some(message.message)
}

fn sleep(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

#[test]
fn timers_make_messages_again_and_again() {
    let window = Window::new();
    let start = Instant::now();
    assert_ne!(set(*window, 7, 30), 0);
    for _ in 0..3 {
        let message = get();
        assert_eq!((message.message, message.hwnd), (WM_TIMER, *window));
        assert_eq!((message.wParam, message.lParam), (7, 0));
    }
    assert!(start.elapsed() >= Duration::from_millis(80), "{:?}", start.elapsed());
    assert_eq!(kill(*window, 7), Ok(()));
    assert_eq!(next_message(NEVER).map(|message| message.message), None);
}

#[test]
fn timers_reach_their_window() {
    let fired = Rc::new(Cell::new(0));
    let window = Window::handling({
        let fired = fired.clone();
        move |call| {
            (call.message == WM_TIMER).then(|| {
                fired.set(fired.get() + call.wparam);
                0
            })
        }
    });
    assert_ne!(set(*window, 3, 10), 0);
    assert!(pump_until(|| fired.get() >= 9));
}

#[test]
fn timers_do_not_pile_up() {
    let window = Window::new();
    set(*window, 1, 20);
    sleep(300);
    let start = Instant::now();
    let messages = std::iter::from_fn(try_message).map(|message| message.message);
    let came = messages.inspect(|message| assert_eq!(*message, WM_TIMER)).count();
    assert!(came > 0);
    // While these were taken it may have been due again.
    let again = start.elapsed().as_millis() / 20 + 1;
    assert!(came as u128 <= 1 + again, "it was due many times, and comes once, not {came} times");
    assert!(next_message(SOON).is_some(), "and goes on");
}

#[test]
fn timers_come_when_nothing_else_does() {
    let window = Window::new();
    set(*window, 1, 10);
    sleep(50);
    window.post(WM_USER, 0, 0);
    // SAFETY: no memory is passed.
    unsafe { PostQuitMessage(0) };
    let order = [get().message, get().message, get().message];
    assert_eq!(order, [WM_USER, WM_QUIT, WM_TIMER]);
}

#[test]
fn timers_are_due_in_the_order_of_their_times() {
    let (a, b) = (Window::new(), Window::new());
    let mut of_thread = 0;
    loop {
        let start = Instant::now();
        set(*a, 1, 90);
        set(*b, 2, 30);
        of_thread = set(null_mut(), of_thread, 60);
        // Else the times are in another order.
        if start.elapsed() < Duration::from_millis(15) {
            break;
        }
    }
    sleep(200);
    let order: Vec<_> = (0..3).map(|_| get().hwnd).collect();
    assert_eq!(order, [*b, null_mut(), *a]);
}

#[test]
fn timers_are_ten_milliseconds_at_least() {
    assert_eq!(USER_TIMER_MINIMUM, 10);
    let window = Window::new();
    let start = Instant::now();
    set(*window, 1, 0);
    for _ in 0..10 {
        get();
    }
    assert!(start.elapsed() >= Duration::from_millis(60), "{:?}", start.elapsed());
}

#[test]
fn timers_can_be_set_anew() {
    let window = Window::new();
    set(*window, 1, 20);
    set(*window, 1, 3_600_000);
    assert!(next_message(NEVER).is_none());
    set(*window, 1, 20);
    assert!(next_message(SOON).is_some());
    assert_eq!(kill(*window, 1), Ok(()));
    assert_eq!(kill(*window, 1), Err(ERROR_INVALID_PARAMETER));
}

#[test]
fn timers_have_numbers_of_their_window() {
    let (a, b) = (Window::new(), Window::new());
    set(*a, 1, 20);
    set(*b, 1, 3_600_000);
    assert_eq!(get().hwnd, *a);
    assert_eq!(get().hwnd, *a);
    assert_eq!(kill(*a, 1), Ok(()));
    assert_eq!(kill(*b, 1), Ok(()));
    // 0 is a number too, though the answer must not look like a failure.
    assert_eq!(set(*a, 0, 20), 1);
    assert_eq!(get().wParam, 0);
    assert_eq!(kill(*a, 1), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(kill(*a, 0), Ok(()));
}

#[test]
fn timers_without_a_window_get_their_numbers() {
    let first = set(null_mut(), 0, 20);
    let second = set(null_mut(), 12_345, 3_600_000);
    assert!(first != 0 && second != 0 && first != second);
    let message = get();
    assert_eq!((message.message, message.hwnd, message.wParam), (WM_TIMER, null_mut(), first));
    assert_eq!(set(null_mut(), first, 3_600_000), first, "set anew");
    assert!(next_message(NEVER).is_none());
    assert_eq!(kill(null_mut(), first), Ok(()));
    assert_eq!(kill(null_mut(), first), Err(ERROR_INVALID_PARAMETER));
    assert_eq!(kill(null_mut(), second), Ok(()));
}

/// What [`note`] was called with.
static CALLS: Mutex<Vec<(usize, u32, usize)>> = Mutex::new(Vec::new());

unsafe extern "system" fn note(hwnd: HWND, message: u32, id: usize, _time: u32) {
    CALLS.lock().unwrap().push((hwnd as usize, message, id));
}

#[test]
fn timers_may_have_a_procedure() {
    let window = Window::handling(|call| {
        assert_ne!(call.message, WM_TIMER, "the window is passed over");
        None
    });
    assert_ne!(set_calling(*window, 5, 20, Some(note)), 0);
    let message = get();
    assert_eq!((message.message, message.wParam), (WM_TIMER, 5));
    assert_ne!(message.lParam, 0);
    dispatch(&message);
    let own = set_calling(null_mut(), 0, 20, Some(note));
    assert_eq!(kill(*window, 5), Ok(()));
    dispatch(&get());
    assert_eq!(kill(null_mut(), own), Ok(()));
    let expected = [(*window as usize, WM_TIMER, 5), (0, WM_TIMER, own)];
    assert_eq!(*CALLS.lock().unwrap(), expected);
}

#[test]
fn timers_respect_filters() {
    let (a, b) = (Window::new(), Window::new());
    set(*a, 1, 10);
    sleep(50);
    assert_eq!(peek(*b, 0, 0, PM_REMOVE), None);
    assert_eq!(peek(null_mut(), WM_USER, WM_USER + 9, PM_REMOVE), None);
    assert_eq!(peek(*a, WM_TIMER, WM_TIMER, PM_NOREMOVE), Some(WM_TIMER));
    assert_eq!(peek(*a, WM_TIMER, WM_TIMER, PM_REMOVE), Some(WM_TIMER));
}

#[test]
fn timers_that_are_filtered_out_wake_nobody() {
    let window = Window::new();
    set(*window, 1, 10);
    let (id, hwnd) = (this_thread_id(), *window as usize);
    let poster = std::thread::spawn(move || {
        pause();
        post_to(hwnd as HWND, WM_USER, 0, 0)
    });
    let start = cpu_time();
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    assert_eq!(unsafe { GetMessageW(&mut message, null_mut(), WM_USER, WM_USER) }, 1);
    assert_eq!(message.message, WM_USER);
    if let (Some(start), Some(end)) = (start, cpu_time()) {
        let used = end - start;
        assert!(used < Duration::from_millis(u64::from(NEVER)), "{id} was busy for {used:?}");
    }
    assert_eq!(poster.join().unwrap(), Ok(()));
}

#[test]
fn timers_die_with_their_window() {
    let window = Window::new();
    set(*window, 1, 10);
    sleep(50);
    // It is due, and has been seen.
    assert_eq!(peek(null_mut(), 0, 0, PM_NOREMOVE), Some(WM_TIMER));
    let gone = *window;
    drop(window);
    assert!(next_message(NEVER).is_none());
    // SAFETY: no memory is passed.
    unsafe { SetLastError(0) };
    let refused = (set(gone, 1, 10), last_error());
    // Wine 8.0: ERROR_INVALID_HANDLE.
    differs_on_wine(|| assert_eq!(refused, (0, ERROR_INVALID_WINDOW_HANDLE)));
    assert_eq!(refused.0, 0);
}

#[test]
fn timers_killed_while_due_do_not_come() {
    let window = Window::new();
    for _ in 0..5 {
        set(*window, 1, 10);
        sleep(20);
        assert_eq!(kill(*window, 1), Ok(()));
        assert_eq!(peek(null_mut(), WM_TIMER, WM_TIMER, PM_REMOVE), None);
    }
}

#[test]
fn timers_can_be_set_for_a_window_of_another_thread() {
    let (tell, told) = mpsc::channel();
    let (announce, announced) = mpsc::channel();
    let thread = Thread::start(move || {
        let window = Window::new();
        tell.send(*window as usize).unwrap();
        // It waits already, without a limit in time, when the timer is set.
        let message = get();
        announce.send((message.message, message.wParam)).unwrap();
    });
    let hwnd = told.recv().unwrap() as HWND;
    pause();
    assert_ne!(set(hwnd, 4, 20), 0);
    let message = announced.recv_timeout(Duration::from_millis(SOON.into()));
    assert_eq!(message, Ok((WM_TIMER, 4)));
    thread.join();
}

#[test]
fn timers_are_told_by_the_status_of_the_queue() {
    let status = |kinds| {
        // SAFETY: no memory is passed.
        unsafe { GetQueueStatus(kinds) }
    };
    let window = Window::new();
    set(*window, 1, 1500);
    assert_eq!(status(QS_ALLINPUT), 0);
    sleep(1600);
    assert_eq!(status(QS_ALLINPUT), QS_TIMER << 16 | QS_TIMER);
    assert_eq!(status(QS_ALLINPUT), QS_TIMER << 16);
    assert!(try_message().is_some());
    assert_eq!(status(QS_ALLINPUT), 0);
}

fn this_thread_id() -> u32 {
    // SAFETY: no memory is passed.
    unsafe { winsock_sys::Win32::System::Threading::GetCurrentThreadId() }
}

/// The processor time that this thread has used, where the system tells.
#[cfg(target_os = "linux")]
fn cpu_time() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place for the time is ours.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    (result == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

#[cfg(not(target_os = "linux"))]
fn cpu_time() -> Option<Duration> {
    None
}
