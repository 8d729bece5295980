//! Timers that make messages.

use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FALSE, HWND, TRUE};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    TIMERPROC, USER_TIMER_MAXIMUM, USER_TIMER_MINIMUM,
};
use windows_sys::core::BOOL;

use super::open;
use crate::error::{self, Code};
use crate::queue::Timer;
use crate::thread::on_own;

/// Sets a timer, or sets it anew: [SetTimer][ms]. Its number, which for a timer without a window is
/// a new one unless `id` names one that is set; 0 on failure: ERROR_INVALID_WINDOW_HANDLE.
///
/// Whenever `elapse_ms` milliseconds (10 at least) have passed and the window's thread finds
/// nothing else in its queue, it finds a WM_TIMER, one however often the time has passed.
/// DispatchMessage gives that to `procedure` if there is one, else to the window.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-settimer
///
/// # Safety
/// As on Windows: the procedure may be called.
pub unsafe extern "system" fn SetTimer(
    hwnd: HWND,
    id: usize,
    elapse_ms: u32,
    procedure: TIMERPROC,
) -> usize {
    let elapse_ms = elapse_ms.clamp(USER_TIMER_MINIMUM, USER_TIMER_MAXIMUM);
    let period = Duration::from_millis(elapse_ms.into());
    let procedure = procedure.map_or(0, |procedure| procedure as usize as isize);
    let due = Instant::now() + period;
    let timer = Timer { hwnd: hwnd.addr(), id, procedure, period, due, noted: false };
    let set = if hwnd.is_null() {
        on_own(|own| own.queue.set_timer(None, timer)).map_err(Code::from)
    } else {
        open(hwnd).and_then(|window| {
            let set = window.queue.set_timer(Some(&window), timer);
            set.map(|id| id.max(1)).map_err(Code::from) // 0 would mean failure.
        })
    };
    set.unwrap_or_else(|code| {
        error::set_last(code);
        0
    })
}

/// Ends a timer: [KillTimer][ms]. ERROR_INVALID_WINDOW_HANDLE, ERROR_INVALID_PARAMETER when it is
/// not set.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-killtimer
pub unsafe extern "system" fn KillTimer(hwnd: HWND, id: usize) -> BOOL {
    let killed = match hwnd.is_null() {
        true => Ok(on_own(|own| own.queue.kill_timer(0, id))),
        false => open(hwnd).map(|window| window.queue.kill_timer(hwnd.addr(), id)),
    };
    match killed.and_then(|was_set| was_set.then_some(()).ok_or(Code(ERROR_INVALID_PARAMETER))) {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}
