//! A window that nobody sees, for the messages it is sent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;

use winsock_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WAIT_FAILED, WPARAM};
use winsock_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use winsock_sys::Win32::System::Threading::INFINITE;
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GWLP_USERDATA, GetMessageW,
    GetWindowLongPtrW, HWND_MESSAGE, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx,
    PM_REMOVE, PeekMessageW, PostMessageW, PostQuitMessage, QS_ALLINPUT, RegisterClassExW,
    SetWindowLongPtrW, TranslateMessage, WM_QUIT, WM_TIMER, WM_USER, WNDCLASSEXW,
};

use crate::error::{Error, Result};

/// The first message number that is ours to give a meaning: the bell.
pub(crate) const RUNG: u32 = WM_USER;
/// The last one; what follows are the names of registered messages.
pub(crate) const LAST: u32 = 0xbfff;

/// A message to the window, or `WM_QUIT`.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub message: u32,
    pub wparam: WPARAM,
    pub lparam: LPARAM,
}

/// Messages that somebody else has dispatched, since his loop was running.
type Inbox = RefCell<VecDeque<Sent>>;

pub(crate) struct Window {
    raw: HWND,
    /// The window refers to it, by its address.
    inbox: Rc<Inbox>,
}

/// A window's name, for other threads.
pub(crate) struct WindowName(HWND);

// SAFETY: an HWND is a name, not memory; messages may be posted from any thread.
unsafe impl Send for WindowName {}
// SAFETY: as above.
unsafe impl Sync for WindowName {}

impl WindowName {
    /// Posts the bell's message.
    ///
    /// [`PostMessageW`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postmessagew)
    pub fn ring(&self) {
        // SAFETY: the message refers to no memory. It is refused only if the queue is full, which
        // keeps the loop awake as well.
        unsafe { PostMessageW(self.0, RUNG, 0, 0) };
    }
}

/// Whether the message is for us: what the system itself sends to a window goes to its default.
fn is_ours(message: u32) -> bool {
    message == WM_TIMER || (RUNG..=LAST).contains(&message)
}

/// # Safety
/// As a window procedure: called by the system, on the thread of the window. The window's data is
/// NULL or an [`Inbox`].
unsafe extern "system" fn procedure(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    if is_ours(message) {
        // SAFETY: the caller's; the data is taken away before the inbox is dropped.
        let inbox = unsafe {
            ptr::with_exposed_provenance::<Inbox>(GetWindowLongPtrW(window, GWLP_USERDATA) as usize)
                .as_ref()
        };
        if let Some(inbox) = inbox {
            inbox.borrow_mut().push_back(Sent { message, wparam, lparam });
            return 0;
        }
    }
    // SAFETY: the caller's.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}

impl Window {
    /// A message-only window of the calling thread.
    ///
    /// [`CreateWindowExW`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-createwindowexw)
    pub fn new() -> Result<Window> {
        let name = class()?;
        // SAFETY: the name is terminated and outlives the call; HWND_MESSAGE is no window but says
        // that this is to have no place on a screen.
        let raw = unsafe {
            CreateWindowExW(
                0,
                name.as_ptr(),
                ptr::null(),
                0,
                0,
                0,
                0,
                0,
                HWND_MESSAGE,
                ptr::null_mut(),
                GetModuleHandleW(ptr::null()),
                ptr::null(),
            )
        };
        if raw.is_null() {
            return Err(Error::last_win32());
        }
        let inbox = Rc::<Inbox>::default();
        let address = Rc::as_ptr(&inbox).expose_provenance();
        // SAFETY: the window is ours. The procedure finds the inbox there until we are dropped.
        unsafe { SetWindowLongPtrW(raw, GWLP_USERDATA, address as isize as _) };
        Ok(Window { raw, inbox })
    }

    pub fn raw(&self) -> HWND {
        self.raw
    }

    pub fn name(&self) -> WindowName {
        WindowName(self.raw)
    }

    /// Waits for a message, for so many milliseconds. Those for other windows of the thread are
    /// dispatched; then there is `None`, also if there is time left.
    ///
    /// [`GetMessageW`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessagew),
    /// [`MsgWaitForMultipleObjectsEx`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex)
    pub fn receive(&self, ms: u32) -> Result<Option<Sent>> {
        if let Some(sent) = self.inbox_first() {
            return Ok(Some(sent));
        }
        let mut msg = MSG::default();
        if !retrieve(&mut msg, ms)? {
            return Ok(None);
        }
        let MSG { hwnd, message, wParam: wparam, lParam: lparam, .. } = msg;
        if message == WM_QUIT || hwnd == self.raw && is_ours(message) {
            return Ok(Some(Sent { message, wparam, lparam }));
        }
        // SAFETY: the message is as it was retrieved. What runs here borrows nothing of ours.
        unsafe {
            TranslateMessage(&msg);
            DispatchMessageW(&msg);
        }
        Ok(self.inbox_first())
    }

    fn inbox_first(&self) -> Option<Sent> {
        self.inbox.borrow_mut().pop_front()
    }

    /// Takes messages of this number away, wherever they are.
    pub fn discard(&self, message: u32) {
        self.inbox.borrow_mut().retain(|sent| sent.message != message);
        let mut msg = MSG::default();
        // SAFETY: the window is ours, and the message outlives the call.
        while unsafe { PeekMessageW(&mut msg, self.raw, message, message, PM_REMOVE) } != 0 {
            if msg.message == WM_QUIT {
                // It passes every filter. There it comes again, as the last one.
                // SAFETY: no memory is passed.
                unsafe { PostQuitMessage(msg.wParam as i32) };
                break;
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: the window is ours and of this thread; from now on it refers to nothing.
        unsafe {
            SetWindowLongPtrW(self.raw, GWLP_USERDATA, 0);
            DestroyWindow(self.raw);
        }
    }
}

/// Retrieves the next message of the thread; `false` if there is none in time.
fn retrieve(msg: &mut MSG, ms: u32) -> Result<bool> {
    // SAFETY: the message outlives the calls; no handles are passed.
    unsafe {
        if ms == INFINITE {
            return match GetMessageW(msg, ptr::null_mut(), 0, 0) {
                -1 => Err(Error::last_win32()),
                _ => Ok(true),
            };
        }
        if PeekMessageW(msg, ptr::null_mut(), 0, 0, PM_REMOVE) != 0 {
            return Ok(true);
        }
        if ms == 0 {
            return Ok(false);
        }
        let flags = MWMO_INPUTAVAILABLE;
        if MsgWaitForMultipleObjectsEx(0, ptr::null(), ms, QS_ALLINPUT, flags) == WAIT_FAILED {
            return Err(Error::last_win32());
        }
        Ok(PeekMessageW(msg, ptr::null_mut(), 0, 0, PM_REMOVE) != 0)
    }
}

/// The name of the window class, which is made known once.
///
/// [`RegisterClassExW`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-registerclassexw)
fn class() -> Result<&'static [u16]> {
    static CLASS: OnceLock<Result<Vec<u16>>> = OnceLock::new();
    let class = CLASS.get_or_init(|| {
        // No other copy of this crate in the process has the same.
        let name = format!("winsock.MessageLoop.{:x}", procedure as *const () as usize);
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        // SAFETY: the class is as the function wants it; the name is terminated and outlives the
        // call.
        let atom = unsafe {
            RegisterClassExW(&WNDCLASSEXW {
                cbSize: size_of::<WNDCLASSEXW>() as u32,
                lpfnWndProc: Some(procedure),
                hInstance: GetModuleHandleW(ptr::null()),
                lpszClassName: name.as_ptr(),
                ..WNDCLASSEXW::default()
            })
        };
        if atom == 0 { Err(Error::last_win32()) } else { Ok(name) }
    });
    class.as_deref().map_err(|error| *error)
}
