//! Retrieving messages from the thread's queue, and handing them to their windows.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FLAGS, ERROR_MESSAGE_SYNC_ONLY, ERROR_NOACCESS, FALSE, HWND, LPARAM, LRESULT,
    POINT, TRUE,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    MSG, PEEK_MESSAGE_REMOVE_TYPE, PM_REMOVE, QS_ALLINPUT, QS_ALLPOSTMESSAGE, QS_POINTER,
    QS_POSTMESSAGE, QS_TOUCH, QUEUE_STATUS_FLAGS, TIMERPROC, WM_KEYDOWN, WM_KEYUP, WM_QUIT,
    WM_SYSKEYDOWN, WM_SYSKEYUP, WM_TIMER,
};
use windows_sys::core::BOOL;

use super::{Encoding, call, handle_of, open};
use crate::error::{self, Code};
use crate::queue::{Call, Filter, Message, Of};
use crate::sys;
use crate::thread::on_own;

/// Waits for a message and takes it: [GetMessageW][ms]. 0 for WM_QUIT; -1 on failure:
/// ERROR_INVALID_WINDOW_HANDLE.
///
/// `hwnd` limits it to a window and its children, -1 to messages without a window; `first` and
/// `last`, unless both are 0, to a range of messages, but for WM_QUIT, which comes when nothing
/// posted is left that the limits admit. What other threads send is handled inside. The waiting
/// thread costs nothing and drives the sockets meanwhile, as in every wait of the library.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getmessagew
///
/// # Safety
/// As on Windows: `message` is a place for the message.
pub unsafe extern "system" fn GetMessageW(
    message: *mut MSG,
    hwnd: HWND,
    first: u32,
    last: u32,
) -> BOOL {
    let filter = match filter(hwnd, first, last, u32::MAX) {
        Ok(_) if message.is_null() => Err(Code(ERROR_NOACCESS)),
        filter => filter,
    };
    match filter {
        Ok(filter) => on_own(|own| {
            let got = own.get(&filter);
            own.time.set(got.time);
            // SAFETY: our caller vouches for the place.
            unsafe { message.write(spell(got)) };
            (got.message != WM_QUIT).into()
        }),
        Err(code) => {
            error::set_last(code);
            -1
        }
    }
}

/// As [`GetMessageW`]: [GetMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getmessagea
///
/// # Safety
/// As [`GetMessageW`].
pub unsafe extern "system" fn GetMessageA(
    message: *mut MSG,
    hwnd: HWND,
    first: u32,
    last: u32,
) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { GetMessageW(message, hwnd, first, last) }
}

/// As [`GetMessageW`], without waiting: [PeekMessageW][ms]. FALSE when there is no message, or on
/// failure: ERROR_INVALID_WINDOW_HANDLE.
///
/// Without PM_REMOVE the message stays in the queue. The PM_QS_ flags limit it to kinds of
/// messages; what other threads send is handled in any case.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-peekmessagew
///
/// # Safety
/// As [`GetMessageW`].
pub unsafe extern "system" fn PeekMessageW(
    message: *mut MSG,
    hwnd: HWND,
    first: u32,
    last: u32,
    flags: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    let kinds = match flags >> 16 {
        0 => u32::MAX,
        kinds if kinds & QS_POSTMESSAGE != 0 => kinds | QS_ALLPOSTMESSAGE,
        kinds => kinds,
    };
    let filter = match filter(hwnd, first, last, kinds) {
        Ok(_) if message.is_null() => Err(Code(ERROR_NOACCESS)),
        filter => filter,
    };
    match filter {
        Ok(filter) => on_own(|own| {
            let Some(got) = own.peek(&filter, flags & PM_REMOVE != 0) else { return FALSE };
            own.time.set(got.time);
            // SAFETY: our caller vouches for the place.
            unsafe { message.write(spell(got)) };
            TRUE
        }),
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// As [`PeekMessageW`]: [PeekMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-peekmessagea
///
/// # Safety
/// As [`GetMessageW`].
pub unsafe extern "system" fn PeekMessageA(
    message: *mut MSG,
    hwnd: HWND,
    first: u32,
    last: u32,
    flags: PEEK_MESSAGE_REMOVE_TYPE,
) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { PeekMessageW(message, hwnd, first, last, flags) }
}

fn filter(hwnd: HWND, first: u32, last: u32, kinds: u32) -> Result<Filter, Code> {
    let of = match hwnd.addr() {
        0 => Of::Everyone,
        usize::MAX => Of::Thread,
        value => open(hwnd).map(|_| Of::Window(value))?,
    };
    let (first, last) = if (first, last) == (0, 0) { (0, u32::MAX) } else { (first, last) };
    Ok(Filter { of, first, last, kinds })
}

fn spell(message: Message) -> MSG {
    MSG {
        hwnd: handle_of(message.hwnd),
        message: message.message,
        wParam: message.wparam,
        lParam: message.lparam,
        time: message.time,
        pt: POINT { x: 0, y: 0 }, // There is no mouse.
    }
}

/// Waits for a message that the thread has not seen yet, and leaves it in the queue:
/// [WaitMessage][ms]. Always TRUE.
///
/// Returns too when another thread has sent something, which is handled inside.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-waitmessage
pub unsafe extern "system" fn WaitMessage() -> BOOL {
    on_own(|own| own.wait_for_input());
    TRUE
}

/// Makes characters of keys: [TranslateMessage][ms]. Whether the message is about a key.
///
/// DIFFERS: makes none, as there is no keyboard.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-translatemessage
///
/// # Safety
/// As on Windows: `message` is a message.
pub unsafe extern "system" fn TranslateMessage(message: *const MSG) -> BOOL {
    // SAFETY: our caller vouches for the message.
    let message = unsafe { (*message).message };
    matches!(message, WM_KEYDOWN | WM_KEYUP | WM_SYSKEYDOWN | WM_SYSKEYUP).into()
}

/// Calls the procedure of the window that a message is for; what it returned: [DispatchMessageW]
/// [ms]. 0 for a message without a window, or on failure: ERROR_INVALID_WINDOW_HANDLE,
/// ERROR_MESSAGE_SYNC_ONLY for a window of another thread.
///
/// A WM_TIMER of a timer with a TIMERPROC goes there instead, as long as the timer is set.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-dispatchmessagew
///
/// # Safety
/// As on Windows: `message` is a message, and its parameters are what it says they are.
pub unsafe extern "system" fn DispatchMessageW(message: *const MSG) -> LRESULT {
    // SAFETY: our caller vouches for the message.
    let MSG { hwnd, message, wParam: wparam, lParam: lparam, .. } = unsafe { *message };
    if message == WM_TIMER && lparam != 0 {
        // SAFETY: passed on from our caller.
        return unsafe { call_timer(hwnd, wparam, lparam) };
    }
    if hwnd.is_null() {
        return 0;
    }
    let own = open(hwnd).and_then(|window| match window.is_own() {
        true => Ok(()),
        false => Err(Code(ERROR_MESSAGE_SYNC_ONLY)),
    });
    if let Err(code) = own {
        error::set_last(code);
        return 0;
    }
    // A message that can be posted has no text, so nothing is ever translated here.
    call(&Call::new(hwnd, message, wparam, lparam, Encoding::Unicode)).unwrap_or(0)
}

/// As [`DispatchMessageW`]: [DispatchMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-dispatchmessagea
///
/// # Safety
/// As [`DispatchMessageW`].
pub unsafe extern "system" fn DispatchMessageA(message: *const MSG) -> LRESULT {
    // SAFETY: passed on from our caller.
    unsafe { DispatchMessageW(message) }
}

/// # Safety
/// None: the address is called only if the program has passed it to SetTimer.
unsafe fn call_timer(hwnd: HWND, id: usize, procedure: LPARAM) -> LRESULT {
    if !on_own(|own| own.queue.has_timer_procedure(procedure)) {
        return 0; // Killed meanwhile, or never set: the address may be anything.
    }
    let address = procedure as usize;
    // SAFETY: the program passed it to SetTimer as a function of this type.
    let procedure = unsafe { std::mem::transmute::<usize, TIMERPROC>(address) };
    if let Some(procedure) = procedure {
        // SAFETY: to be called here.
        unsafe { procedure(hwnd, WM_TIMER, id, sys::coarse_ms()) };
    }
    0
}

/// Asks for WM_QUIT, which comes when nothing posted is left: [PostQuitMessage][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-postquitmessage
pub unsafe extern "system" fn PostQuitMessage(code: i32) {
    on_own(|own| own.queue.quit(code));
}

/// The kinds of messages in the queue, in the upper half, and of those that are there and have come
/// since the thread last looked, in the lower: [GetQueueStatus][ms]. 0 and ERROR_INVALID_FLAGS for
/// kinds that there are not.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getqueuestatus
pub unsafe extern "system" fn GetQueueStatus(kinds: QUEUE_STATUS_FLAGS) -> u32 {
    if kinds & !(QS_ALLINPUT | QS_ALLPOSTMESSAGE | QS_TOUCH | QS_POINTER) != 0 {
        error::set_last(Code(ERROR_INVALID_FLAGS));
        return 0;
    }
    on_own(|own| own.status(kinds))
}

/// When the message that the thread retrieved last was posted: [GetMessageTime][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getmessagetime
pub unsafe extern "system" fn GetMessageTime() -> i32 {
    on_own(|own| own.time.get() as i32)
}

/// Where the mouse was then: [GetMessagePos][ms]. There is none, so 0.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getmessagepos
pub unsafe extern "system" fn GetMessagePos() -> u32 {
    0
}

/// What the thread set by [`SetMessageExtraInfo`]: [GetMessageExtraInfo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-getmessageextrainfo
pub unsafe extern "system" fn GetMessageExtraInfo() -> LPARAM {
    on_own(|own| own.extra.get())
}

/// Sets a word that goes with the thread's messages; the one before: [SetMessageExtraInfo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-setmessageextrainfo
pub unsafe extern "system" fn SetMessageExtraInfo(extra: LPARAM) -> LPARAM {
    on_own(|own| own.extra.replace(extra))
}
