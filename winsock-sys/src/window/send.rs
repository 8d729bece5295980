//! Posting messages, which waits for nobody, and sending them, which calls the window procedure.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_INVALID_THREAD_ID, ERROR_INVALID_WINDOW_HANDLE,
    ERROR_MESSAGE_SYNC_ONLY, ERROR_NOT_ENOUGH_QUOTA, ERROR_TIMEOUT, FALSE, HWND, LPARAM, LRESULT,
    TRUE, WPARAM,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    HWND_BROADCAST, ISMEX_NOSEND, SEND_MESSAGE_TIMEOUT_FLAGS, SENDASYNCPROC, SMTO_ABORTIFHUNG,
    SMTO_ERRORONEXIT, WM_ASKCBFORMATNAME, WM_COMPAREITEM, WM_COPYDATA, WM_CREATE, WM_DELETEITEM,
    WM_DEVMODECHANGE, WM_DRAWITEM, WM_GETDLGCODE, WM_GETMINMAXINFO, WM_GETTEXT, WM_HELP,
    WM_MDICREATE, WM_MEASUREITEM, WM_MOVING, WM_NCCALCSIZE, WM_NCCREATE, WM_NEXTMENU, WM_SETTEXT,
    WM_SETTINGCHANGE, WM_SIZING, WM_STYLECHANGED, WM_STYLECHANGING, WM_WINDOWPOSCHANGED,
    WM_WINDOWPOSCHANGING,
};
use windows_sys::core::BOOL;

use super::{Encoding, WindowRef, call, handle_of, open, top_level};
use crate::error::{self, Code};
use crate::queue::{self, Answer, Call, Callback, Message, Refused, Sent, SentBy};
use crate::thread::on_own;
use crate::wait::Deadline;

fn yes_or(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

impl From<Refused> for Code {
    fn from(refused: Refused) -> Code {
        match refused {
            Refused::Gone => Code(ERROR_INVALID_WINDOW_HANDLE),
            Refused::Full => Code(ERROR_NOT_ENOUGH_QUOTA),
        }
    }
}

/// Refuses what points to memory that may be gone when the message is handled: those messages can
/// only be sent, by a sender who waits.
fn check_pointerless(message: u32) -> Result<(), Code> {
    let points = matches!(
        message,
        WM_ASKCBFORMATNAME
            | WM_COMPAREITEM
            | WM_COPYDATA
            | WM_CREATE
            | WM_DELETEITEM
            | WM_DEVMODECHANGE
            | WM_DRAWITEM
            | WM_GETDLGCODE
            | WM_GETMINMAXINFO
            | WM_GETTEXT
            | WM_HELP
            | WM_MDICREATE
            | WM_MEASUREITEM
            | WM_MOVING
            | WM_NCCALCSIZE
            | WM_NCCREATE
            | WM_NEXTMENU
            | WM_SETTEXT
            | WM_SETTINGCHANGE
            | WM_SIZING
            | WM_STYLECHANGED
            | WM_STYLECHANGING
            | WM_WINDOWPOSCHANGED
            | WM_WINDOWPOSCHANGING
    );
    if points { Err(Code(ERROR_MESSAGE_SYNC_ONLY)) } else { Ok(()) }
}

/// Puts a message into the queue of a window's thread: [PostMessageW][ms].
/// ERROR_INVALID_WINDOW_HANDLE, ERROR_NOT_ENOUGH_QUOTA when 10,000 wait there already,
/// ERROR_MESSAGE_SYNC_ONLY for a message of the system's that points to memory.
///
/// NULL means the calling thread itself, HWND_BROADCAST every top-level window.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-postmessagew
pub unsafe extern "system" fn PostMessageW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    yes_or(check_pointerless(message).and_then(|()| {
        if hwnd == HWND_BROADCAST {
            for window in top_level() {
                // One that is full or gone does not keep the others from hearing.
                let _ = post(handle_of(window), message, wparam, lparam);
            }
            return Ok(());
        }
        if hwnd.is_null() {
            let posted = Message::new(hwnd, message, wparam, lparam);
            return on_own(|own| own.queue.post(None, posted)).map_err(Code::from);
        }
        post(hwnd, message, wparam, lparam)
    }))
}

/// As [`PostMessageW`]: [PostMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-postmessagea
pub unsafe extern "system" fn PostMessageA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    // SAFETY: no memory is passed.
    unsafe { PostMessageW(hwnd, message, wparam, lparam) }
}

fn post(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), Code> {
    let window = open(hwnd)?;
    let message = Message::new(hwnd, message, wparam, lparam);
    window.queue.post(Some(&window), message).map_err(Code::from)
}

/// Puts a message without a window into the queue of a thread: [PostThreadMessageW][ms].
/// ERROR_INVALID_THREAD_ID when there is no such thread or it has no queue, since it has called
/// none of these functions yet; ERROR_NOT_ENOUGH_QUOTA, ERROR_MESSAGE_SYNC_ONLY.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-postthreadmessagew
pub unsafe extern "system" fn PostThreadMessageW(
    thread: u32,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    let no_thread = Code(ERROR_INVALID_THREAD_ID);
    yes_or(check_pointerless(message).and_then(|()| {
        let queue = queue::of_thread(thread).ok_or(no_thread)?;
        let message = Message::new(std::ptr::null_mut(), message, wparam, lparam);
        queue.post(None, message).map_err(|refused| match refused {
            Refused::Gone => no_thread,
            Refused::Full => refused.into(),
        })
    }))
}

/// As [`PostThreadMessageW`]: [PostThreadMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-postthreadmessagea
pub unsafe extern "system" fn PostThreadMessageA(
    thread: u32,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    // SAFETY: no memory is passed.
    unsafe { PostThreadMessageW(thread, message, wparam, lparam) }
}

/// Calls a window's procedure, in the thread that made the window; what it returned:
/// [SendMessageW][ms]. 0 on failure: ERROR_INVALID_WINDOW_HANDLE.
///
/// While the thread waits for another it handles what is sent to its own windows. HWND_BROADCAST
/// means every top-level window, one after the other.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagew
///
/// # Safety
/// As on Windows: the parameters are what the message says they are.
pub unsafe extern "system" fn SendMessageW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: passed on from our caller.
    unsafe { send_or_0(&Call::new(hwnd, message, wparam, lparam, Encoding::Unicode)) }
}

/// As [`SendMessageW`], for ANSI: [SendMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagea
///
/// # Safety
/// As [`SendMessageW`].
pub unsafe extern "system" fn SendMessageA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: passed on from our caller.
    unsafe { send_or_0(&Call::new(hwnd, message, wparam, lparam, Encoding::Ansi)) }
}

/// # Safety
/// As [`SendMessageW`].
unsafe fn send_or_0(call: &Call) -> LRESULT {
    if call.hwnd == HWND_BROADCAST.addr() {
        for hwnd in top_level() {
            // SAFETY: passed on from our caller. One that is gone by now is no matter.
            let _ = unsafe { send(&Call { hwnd, ..*call }) };
        }
        return 1;
    }
    // SAFETY: passed on from our caller.
    unsafe { send(call) }.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

/// Calls the procedure of one window and waits for what it returns, however long that takes.
///
/// # Safety
/// As [`SendMessageW`].
pub unsafe fn send(sent: &Call) -> Result<LRESULT, Code> {
    // SAFETY: passed on from our caller.
    match unsafe { send_within(sent, Deadline::Never, 0) }? {
        Answer::Result(result) => Ok(result),
        Answer::Died => Err(Code(ERROR_INVALID_WINDOW_HANDLE)),
    }
}

/// As [`send`], but gives up in the end. `flags`: SMTO_ bits. ERROR_TIMEOUT.
///
/// # Safety
/// As [`SendMessageW`].
unsafe fn send_within(sent: &Call, deadline: Deadline, flags: u32) -> Result<Answer, Code> {
    let window = open(handle_of(sent.hwnd))?;
    if window.is_own() {
        drop(window);
        return Ok(call(sent).map_or(Answer::Died, Answer::Result));
    }
    if flags & SMTO_ABORTIFHUNG != 0 && window.queue.is_hung() {
        return Err(Code(ERROR_TIMEOUT));
    }
    on_own(|own| {
        let waiting = SentBy::Waiting(own.queue.thread.clone());
        // SAFETY: passed on from our caller.
        let sent = unsafe { Sent::new(*sent, waiting) };
        window.queue.send(&window, sent.clone())?;
        let queue = window.queue.clone();
        drop(window);
        own.wait_for_answer(&queue, &sent, deadline, flags).ok_or(Code(ERROR_TIMEOUT))
    })
}

/// As [`SendMessageW`], but waits no longer than `timeout_ms`: [SendMessageTimeoutW][ms]. 0 on
/// failure: ERROR_TIMEOUT, ERROR_INVALID_WINDOW_HANDLE.
///
/// A message that has not been received by then will not be. SMTO_BLOCK: what is sent to the
/// caller's windows waits. SMTO_ABORTIFHUNG: gives up as soon as the other thread has not looked at
/// its queue for five seconds. SMTO_NOTIMEOUTIFNOTHUNG: gives up only then. SMTO_ERRORONEXIT: fails
/// when the window or its thread ends first; without it the result is 0.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagetimeoutw
///
/// # Safety
/// As on Windows: the parameters are what the message says they are, `result` is NULL or a place
/// for the result.
pub unsafe extern "system" fn SendMessageTimeoutW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    flags: SEND_MESSAGE_TIMEOUT_FLAGS,
    timeout_ms: u32,
    result: *mut usize,
) -> LRESULT {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Unicode);
    // SAFETY: passed on from our caller.
    unsafe { send_timeout(&call, flags, timeout_ms, result) }
}

/// As [`SendMessageTimeoutW`], for ANSI: [SendMessageTimeoutA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagetimeouta
///
/// # Safety
/// As [`SendMessageTimeoutW`].
pub unsafe extern "system" fn SendMessageTimeoutA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    flags: SEND_MESSAGE_TIMEOUT_FLAGS,
    timeout_ms: u32,
    result: *mut usize,
) -> LRESULT {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Ansi);
    // SAFETY: passed on from our caller.
    unsafe { send_timeout(&call, flags, timeout_ms, result) }
}

/// # Safety
/// As [`SendMessageTimeoutW`].
unsafe fn send_timeout(call: &Call, flags: u32, timeout_ms: u32, result: *mut usize) -> LRESULT {
    let set = |value| {
        if !result.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *result = value };
        }
    };
    set(0);
    if call.hwnd == HWND_BROADCAST.addr() {
        for hwnd in top_level() {
            let call = Call { hwnd, ..*call };
            // SAFETY: passed on from our caller. Each has the whole time, and none is reported.
            let _ = unsafe { send_within(&call, Deadline::after_ms(timeout_ms), flags) };
        }
        return 1;
    }
    // SAFETY: passed on from our caller.
    let failure = match unsafe { send_within(call, Deadline::after_ms(timeout_ms), flags) } {
        Ok(Answer::Result(value)) => {
            set(value as usize);
            return 1;
        }
        Ok(Answer::Died) if flags & SMTO_ERRORONEXIT == 0 => return 1,
        Ok(Answer::Died) => Code(ERROR_INVALID_WINDOW_HANDLE),
        Err(code) => code,
    };
    error::set_last(failure);
    0
}

/// As [`SendMessageW`], but does not wait for another thread: [SendNotifyMessageW][ms].
/// ERROR_INVALID_WINDOW_HANDLE, ERROR_MESSAGE_SYNC_ONLY.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendnotifymessagew
///
/// # Safety
/// As [`SendMessageW`].
pub unsafe extern "system" fn SendNotifyMessageW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Unicode);
    yes_or(each(&call, |call, window| send_off(call, window, SentBy::Nobody)))
}

/// As [`SendNotifyMessageW`]: [SendNotifyMessageA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendnotifymessagea
///
/// # Safety
/// As [`SendMessageW`].
pub unsafe extern "system" fn SendNotifyMessageA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> BOOL {
    // SAFETY: passed on from our caller; the message has no text.
    unsafe { SendNotifyMessageW(hwnd, message, wparam, lparam) }
}

/// As [`SendNotifyMessageW`]; what the procedure returned goes to a function, which is called the
/// next time that this thread looks at its queue, or at once for a window of its own:
/// [SendMessageCallbackW][ms]. ERROR_INVALID_PARAMETER without a function.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagecallbackw
///
/// # Safety
/// As [`SendMessageW`]; the function may be called.
pub unsafe extern "system" fn SendMessageCallbackW(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    function: SENDASYNCPROC,
    data: usize,
) -> BOOL {
    let call = Call::new(hwnd, message, wparam, lparam, Encoding::Unicode);
    let function = function.ok_or(Code(ERROR_INVALID_PARAMETER));
    yes_or(function.and_then(|function| {
        let callback = Callback { function, data };
        each(&call, |call, window| {
            let queue = on_own(|own| own.queue.clone());
            send_off(call, window, SentBy::Callback(queue, callback))
        })
    }))
}

/// As [`SendMessageCallbackW`]: [SendMessageCallbackA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-sendmessagecallbacka
///
/// # Safety
/// As [`SendMessageCallbackW`].
pub unsafe extern "system" fn SendMessageCallbackA(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
    function: SENDASYNCPROC,
    data: usize,
) -> BOOL {
    // SAFETY: passed on from our caller; the message has no text.
    unsafe { SendMessageCallbackW(hwnd, message, wparam, lparam, function, data) }
}

/// Does it for the window that is meant, or for every top-level window if all are.
fn each(call: &Call, send: impl Fn(&Call, WindowRef) -> Result<(), Code>) -> Result<(), Code> {
    check_pointerless(call.message)?;
    if call.hwnd != HWND_BROADCAST.addr() {
        return send(call, open(handle_of(call.hwnd))?);
    }
    for hwnd in top_level() {
        if let Ok(window) = open(handle_of(hwnd)) {
            // One that is gone does not keep the others from hearing.
            let _ = send(&Call { hwnd, ..*call }, window);
        }
    }
    Ok(())
}

/// Sends without waiting, but to a window of the calling thread.
fn send_off(sent: &Call, window: WindowRef, by: SentBy) -> Result<(), Code> {
    if !window.is_own() {
        // SAFETY: the message refers to no memory.
        let sent = unsafe { Sent::new(*sent, by) };
        return window.queue.send(&window, sent).map_err(Code::from);
    }
    drop(window);
    let result = call(sent).unwrap_or(0);
    if let SentBy::Callback(_, Callback { function, data }) = by {
        // SAFETY: the program passed the function to be called here.
        unsafe { function(handle_of(sent.hwnd), sent.message, data, result) };
    }
    Ok(())
}

/// Answers what another thread sent before the window procedure returns: [ReplyMessage][ms]. FALSE
/// when the thread handles nothing of the kind.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-replymessage
pub unsafe extern "system" fn ReplyMessage(result: LRESULT) -> BOOL {
    on_own(|own| own.reply(result)).into()
}

/// Whether the thread handles what another one sent: [InSendMessage][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-insendmessage
pub unsafe extern "system" fn InSendMessage() -> BOOL {
    on_own(|own| own.in_send() != ISMEX_NOSEND).into()
}

/// How what the thread handles was sent, as ISMEX_ flags: [InSendMessageEx][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-insendmessageex
///
/// # Safety
/// None beyond Windows': the pointer is reserved.
pub unsafe extern "system" fn InSendMessageEx(_reserved: *const core::ffi::c_void) -> u32 {
    on_own(|own| own.in_send())
}
