//! Windows without a screen, their procedures as closures, and the messages that they get.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ops::Deref;
use std::ptr::{null, null_mut};
use std::sync::LazyLock;

use winsock_sys::Win32::Foundation::{HINSTANCE, HWND, LPARAM, LRESULT, SetLastError, WPARAM};
use winsock_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTW, CreateWindowExW, DefWindowProcW, DestroyWindow, DispatchMessageW, GWLP_USERDATA,
    GetWindowLongPtrW, GetWindowTextW, HWND_MESSAGE, IsWindow, MSG, MWMO_INPUTAVAILABLE,
    MsgWaitForMultipleObjectsEx, PM_REMOVE, PeekMessageW, PostMessageW, QS_ALLINPUT,
    RegisterClassW, SetWindowLongPtrW, SetWindowTextW, UnregisterClassW, WM_NCCREATE, WM_NCDESTROY,
    WNDCLASSW,
};

use crate::last_error;

/// What a window procedure is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub hwnd: HWND,
    pub message: u32,
    pub wparam: WPARAM,
    pub lparam: LPARAM,
}

type Handler = Box<dyn Fn(&Call) -> Option<LRESULT>>;

/// A message-only window of the calling thread, destroyed when dropped.
///
/// Its HWND may be used by any thread; the rest of it belongs to the thread that made it.
#[derive(Debug)]
pub struct Window(HWND);

impl Window {
    /// A window that does with every message what is done by default.
    #[track_caller]
    pub fn new() -> Window {
        Window::handling(|_| None)
    }

    /// A window whose procedure is `handler`; where that has no answer, the default procedure.
    ///
    /// A panic in it ends the process: assert what it found out elsewhere.
    #[track_caller]
    pub fn handling(handler: impl Fn(&Call) -> Option<LRESULT> + 'static) -> Window {
        Window::try_handling(HWND_MESSAGE, handler).expect("a window")
    }

    /// As [`Window::handling`], with another parent; the last error if there is no window.
    pub fn try_handling(
        parent: HWND,
        handler: impl Fn(&Call) -> Option<LRESULT> + 'static,
    ) -> Result<Window, u32> {
        Window::styled(0, parent, handler)
    }

    /// As [`Window::try_handling`], with a style.
    pub fn styled(
        style: u32,
        parent: HWND,
        handler: impl Fn(&Call) -> Option<LRESULT> + 'static,
    ) -> Result<Window, u32> {
        LazyLock::force(&CLASS);
        let handler: Handler = Box::new(handler);
        // The window takes it when it is made, and drops it when it goes.
        let handler = RefCell::new(Some(handler));
        let parameter = (&raw const handler).cast::<c_void>();
        // SAFETY: the class's name ends in NUL; the procedure knows what the parameter is.
        let hwnd = unsafe {
            CreateWindowExW(
                0,
                CLASS_NAME.as_ptr(),
                null(),
                style,
                0,
                0,
                0,
                0,
                parent,
                null_mut(),
                null_mut(),
                parameter,
            )
        };
        if hwnd.is_null() { Err(last_error()) } else { Ok(Window(hwnd)) }
    }

    /// Posts a message to it.
    #[track_caller]
    pub fn post(&self, message: u32, wparam: WPARAM, lparam: LPARAM) {
        assert_eq!(post_to(self.0, message, wparam, lparam), Ok(()));
    }
}

impl Default for Window {
    fn default() -> Window {
        Window::new()
    }
}

impl Deref for Window {
    type Target = HWND;

    fn deref(&self) -> &HWND {
        &self.0
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: no memory is passed; a window that the test destroyed already is just refused.
        unsafe { DestroyWindow(self.0) };
    }
}

/// "conformance".
const CLASS_NAME: [u16; 12] = wide("conformance\0");

/// A literal of ASCII characters as a wide string.
pub const fn wide<const N: usize>(text: &str) -> [u16; N] {
    let text = text.as_bytes();
    let mut units = [0; N];
    let mut at = 0;
    while at < N {
        units[at] = text[at] as u16;
        at += 1;
    }
    units
}

static CLASS: LazyLock<()> = LazyLock::new(|| {
    let class = WNDCLASSW {
        lpfnWndProc: Some(procedure),
        // SAFETY: no memory is passed.
        hInstance: unsafe { GetModuleHandleW(null()) },
        lpszClassName: CLASS_NAME.as_ptr(),
        ..Default::default()
    };
    // SAFETY: the structure is valid, and so is its name.
    assert_ne!(unsafe { RegisterClassW(&class) }, 0, "no class: {}", last_error());
});

unsafe extern "system" fn procedure(
    hwnd: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    // SAFETY: the window's data is a handler of ours from WM_NCCREATE to WM_NCDESTROY, and only
    // this thread comes here.
    unsafe {
        if message == WM_NCCREATE {
            let create = std::ptr::with_exposed_provenance::<CREATESTRUCTW>(lparam as usize);
            let slot = (*create).lpCreateParams.cast::<RefCell<Option<Handler>>>();
            let handler = Box::into_raw(Box::new((*slot).take().expect("made once")));
            SetWindowLongPtrW(hwnd, GWLP_USERDATA, handler.expose_provenance() as isize);
        }
        let data = GetWindowLongPtrW(hwnd, GWLP_USERDATA);
        let handler = std::ptr::with_exposed_provenance_mut::<Handler>(data as usize);
        let call = Call { hwnd, message, wparam, lparam };
        let answer = handler.as_ref().and_then(|handler| handler(&call));
        if message == WM_NCDESTROY && !handler.is_null() {
            SetWindowLongPtrW(hwnd, GWLP_USERDATA, 0);
            drop(Box::from_raw(handler));
        }
        answer.unwrap_or_else(|| DefWindowProcW(hwnd, message, wparam, lparam))
    }
}

/// The program's module.
pub fn module() -> HINSTANCE {
    // SAFETY: no memory is passed.
    unsafe { GetModuleHandleW(null()) }
}

/// A class with the default procedure.
pub fn window_class(name: &[u16]) -> WNDCLASSW {
    WNDCLASSW {
        lpfnWndProc: Some(DefWindowProcW),
        hInstance: module(),
        lpszClassName: name.as_ptr(),
        ..Default::default()
    }
}

/// Registers a class: its atom, or the last error.
pub fn register_class(class: &WNDCLASSW) -> Result<u16, u32> {
    // SAFETY: the tests' classes are valid.
    match unsafe { RegisterClassW(class) } {
        0 => Err(last_error()),
        atom => Ok(atom),
    }
}

/// Takes a class back; the last error on refusal.
pub fn unregister_class(name: *const u16, instance: HINSTANCE) -> Result<(), u32> {
    // SAFETY: the tests' names are strings or atoms.
    match unsafe { UnregisterClassW(name, instance) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// A window of that class; the last error if there is none.
pub fn create_window(name: *const u16, instance: HINSTANCE) -> Result<HWND, u32> {
    create_window_in(HWND_MESSAGE, 0, name, instance)
}

/// As [`create_window`], with a parent and a style.
pub fn create_window_in(
    parent: HWND,
    style: u32,
    name: *const u16,
    instance: HINSTANCE,
) -> Result<HWND, u32> {
    // SAFETY: the tests' names are strings or atoms.
    let hwnd = unsafe {
        SetLastError(0);
        let (menu, parameter) = (null_mut(), null());
        CreateWindowExW(0, name, null(), style, 0, 0, 0, 0, parent, menu, instance, parameter)
    };
    if hwnd.is_null() { Err(last_error()) } else { Ok(hwnd) }
}

/// Destroys a window of the calling thread; the last error on refusal.
pub fn destroy_window(hwnd: HWND) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    match unsafe { DestroyWindow(hwnd) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// Whether it is a window.
pub fn is_window(hwnd: HWND) -> bool {
    // SAFETY: no memory is passed.
    unsafe { IsWindow(hwnd) != 0 }
}

/// A window's text by GetWindowTextW.
pub fn window_text(hwnd: HWND) -> String {
    let mut buffer = [0; 64];
    // SAFETY: the buffer has that room.
    let length = unsafe { GetWindowTextW(hwnd, buffer.as_mut_ptr(), buffer.len() as i32) };
    String::from_utf16_lossy(&buffer[..length as usize])
}

/// Sets a window's text by SetWindowTextW.
pub fn set_window_text(hwnd: HWND, text: &str) {
    let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
    // SAFETY: the text ends in NUL.
    assert_ne!(unsafe { SetWindowTextW(hwnd, text.as_ptr()) }, 0);
}

/// A word of a window, by GetWindowLongPtrW.
pub fn window_long(hwnd: HWND, index: i32) -> isize {
    // SAFETY: no memory is passed.
    unsafe { GetWindowLongPtrW(hwnd, index) }
}

/// Posts a message; the last error on refusal.
pub fn post_to(hwnd: HWND, message: u32, wparam: WPARAM, lparam: LPARAM) -> Result<(), u32> {
    // SAFETY: no memory is passed.
    match unsafe { PostMessageW(hwnd, message, wparam, lparam) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// Takes a message if there is one.
pub fn try_message() -> Option<MSG> {
    try_message_to(null_mut())
}

/// Takes a message to this window (NULL: to whatever there is) if there is one.
fn try_message_to(hwnd: HWND) -> Option<MSG> {
    let mut message = MSG::default();
    // SAFETY: the place for the message is ours.
    let found = unsafe { PeekMessageW(&mut message, hwnd, 0, 0, PM_REMOVE) };
    (found != 0).then_some(message)
}

/// Waits up to `ms` milliseconds for a message and takes it.
pub fn next_message(ms: u32) -> Option<MSG> {
    next_message_to(null_mut(), ms)
}

/// Waits up to `ms` milliseconds for a message to this window (NULL: to whatever there is) and
/// takes it.
pub fn next_message_to(hwnd: HWND, ms: u32) -> Option<MSG> {
    let start = std::time::Instant::now();
    loop {
        if let Some(message) = try_message_to(hwnd) {
            return Some(message);
        }
        let waited = u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX);
        let left = ms.checked_sub(waited).filter(|&left| left > 0)?;
        // SAFETY: no handles are passed.
        unsafe { MsgWaitForMultipleObjectsEx(0, null(), left, QS_ALLINPUT, MWMO_INPUTAVAILABLE) };
    }
}

/// Hands a message to its window; what its procedure returned.
pub fn dispatch(message: &MSG) -> LRESULT {
    // SAFETY: the message came from the queue.
    unsafe { DispatchMessageW(message) }
}

/// Takes and dispatches what is in the queue; how many messages that was.
pub fn pump() -> usize {
    let mut count = 0;
    while let Some(message) = try_message() {
        dispatch(&message);
        count += 1;
    }
    count
}

/// Takes and dispatches messages until `done`, for ten seconds at most; the last answer of `done`.
pub fn pump_until(done: impl Fn() -> bool) -> bool {
    let start = std::time::Instant::now();
    while !done() && start.elapsed().as_millis() < crate::SOON.into() {
        if let Some(message) = next_message(10) {
            dispatch(&message);
        }
    }
    done()
}
