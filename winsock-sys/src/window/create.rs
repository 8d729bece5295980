//! Making windows and destroying them.

use std::ffi::c_void;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_NOT_ENOUGH_MEMORY, ERROR_TLW_WITH_WSCHILD, FALSE, HINSTANCE, HWND,
    RECT, TRUE,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTW, CW_USEDEFAULT, HMENU, WINDOW_EX_STYLE, WINDOW_STYLE, WM_CREATE, WM_DESTROY,
    WM_NCCALCSIZE, WM_NCCREATE, WM_NCDESTROY, WM_PARENTNOTIFY, WS_CHILD, WS_EX_NOPARENTNOTIFY,
    WS_POPUP,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use super::class::{self, Class, Name};
use super::procedure::Spelling;
use super::{
    Encoding, MESSAGE_ONLY, State, WINDOWS, Window, all, call, handle_of, open, open_value, send,
};
use crate::error::{self, Code};
use crate::modules;
use crate::object::{Object, TABLE};
use crate::queue::{Call, Queue};
use crate::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use crate::thread;

/// Makes a window: [CreateWindowExW][ms]. NULL on failure: ERROR_CANNOT_FIND_WND_CLASS,
/// ERROR_INVALID_WINDOW_HANDLE for a parent that is none, ERROR_TLW_WITH_WSCHILD for a child
/// without a parent.
///
/// The window gets WM_NCCREATE, which may refuse, WM_NCCALCSIZE and WM_CREATE, which may refuse by
/// answering -1. With the parent HWND_MESSAGE it is a message-only window: broadcasts pass it by.
/// Size, place and styles are noted and given back; nothing is drawn.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-createwindowexw
///
/// # Safety
/// As on Windows: the class is a string or an atom, the title NULL or a string.
pub unsafe extern "system" fn CreateWindowExW(
    extended_style: WINDOW_EX_STYLE,
    class: PCWSTR,
    title: PCWSTR,
    style: WINDOW_STYLE,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    parent: HWND,
    menu: HMENU,
    instance: HINSTANCE,
    parameter: *const c_void,
) -> HWND {
    let create = CREATESTRUCTW {
        lpCreateParams: parameter.cast_mut(),
        hInstance: instance,
        hMenu: menu,
        hwndParent: parent,
        cy: height,
        cx: width,
        y,
        x,
        style: style as i32,
        lpszName: title,
        lpszClass: class,
        dwExStyle: extended_style,
    };
    // SAFETY: passed on from our caller.
    made(unsafe { make::<u16>(create) })
}

/// As [`CreateWindowExW`], for ANSI: [CreateWindowExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-createwindowexa
///
/// # Safety
/// As [`CreateWindowExW`].
pub unsafe extern "system" fn CreateWindowExA(
    extended_style: WINDOW_EX_STYLE,
    class: PCSTR,
    title: PCSTR,
    style: WINDOW_STYLE,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    parent: HWND,
    menu: HMENU,
    instance: HINSTANCE,
    parameter: *const c_void,
) -> HWND {
    let create = CREATESTRUCTW {
        lpCreateParams: parameter.cast_mut(),
        hInstance: instance,
        hMenu: menu,
        hwndParent: parent,
        cy: height,
        cx: width,
        y,
        x,
        style: style as i32,
        lpszName: title.cast(),
        lpszClass: class.cast(),
        dwExStyle: extended_style,
    };
    // SAFETY: passed on from our caller; the structure for ANSI differs in what its strings are
    // made of, not in layout.
    made(unsafe { make::<u8>(create) })
}

fn made(window: Result<HWND, Refusal>) -> HWND {
    match window {
        Ok(hwnd) => return hwnd,
        Err(Refusal::Failed(code)) => error::set_last(code),
        Err(Refusal::ByWindow) => {} // Its procedure may have said why.
    }
    std::ptr::null_mut()
}

/// Why there is no window.
enum Refusal {
    Failed(Code),
    /// The window itself refused to be made.
    ByWindow,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Refusal {
        Refusal::Failed(code)
    }
}

/// # Safety
/// The strings in the structure are NULL or made of `U`; the class may be an atom.
unsafe fn make<U: Spelling>(mut create: CREATESTRUCTW) -> Result<HWND, Refusal> {
    let is_child = create.style as u32 & WS_CHILD != 0;
    let parent = match create.hwndParent.addr() {
        0 if is_child => return Err(Code(ERROR_TLW_WITH_WSCHILD).into()),
        known @ (0 | MESSAGE_ONLY) => known,
        other => {
            open_value(other).map(|_| other).ok_or_else(|| invalid_parent(create.hwndParent))?
        }
    };
    // SAFETY: our caller vouches for the class's name.
    let name = unsafe { Name::read(create.lpszClass.cast::<U>()) };
    let class = class::for_window(name, create.hInstance.addr())?;
    if create.hInstance.is_null() {
        create.hInstance = std::ptr::without_provenance_mut(modules::MAIN);
    }
    let (x, y, cx, cy) = (create.x, create.y, create.cx, create.cy);
    let default = |value| if value == CW_USEDEFAULT { 0 } else { value };
    (create.x, create.y, create.cx, create.cy) = (default(x), default(y), default(cx), default(cy));

    let queue = thread::on_own(|own| own.queue.clone());
    let hwnd = open_window(&create, class, queue, parent)?;
    // SAFETY: our caller vouches for what the structure refers to.
    unsafe { welcome::<U>(hwnd, &mut create) }?;
    if is_child {
        notify_parent(hwnd, WM_CREATE);
    }
    Ok(handle_of(hwnd))
}

fn invalid_parent(parent: HWND) -> Refusal {
    open(parent).err().unwrap_or(Code(ERROR_NOT_ENOUGH_MEMORY)).into()
}

fn open_window(
    create: &CREATESTRUCTW,
    class: Arc<Class>,
    queue: Arc<Queue>,
    parent: usize,
) -> Result<usize, Code> {
    let is_child = create.style as u32 & WS_CHILD != 0;
    let (parent, owner) = match parent {
        MESSAGE_ONLY => (MESSAGE_ONLY, 0),
        parent if is_child => (parent, 0),
        owner => (0, owner),
    };
    let details = lock(&class.details).clone();
    let window = Window {
        queue,
        class: class.clone(),
        procedure: AtomicUsize::new(details.procedure.pack()),
        user_data: AtomicIsize::new(0),
        parent: AtomicUsize::new(parent),
        owner: AtomicUsize::new(owner),
        gone: AtomicBool::new(false),
        dying: AtomicBool::new(false),
        state: Mutex::new(State {
            text: String::new(),
            style: create.style as u32,
            extended_style: create.dwExStyle,
            id: create.hMenu.addr() as isize,
            instance: create.hInstance.addr() as isize,
            extra: vec![0; details.window_extra.max(0) as usize].into(),
        }),
    };
    let Some(hwnd) = TABLE.insert(Object::Window(Box::new(window))) else {
        class.let_go();
        return Err(Code(ERROR_NOT_ENOUGH_MEMORY));
    };
    let mut windows = lock(&WINDOWS);
    if is_child {
        windows.push(hwnd);
    } else {
        windows.insert(0, hwnd);
    }
    Ok(hwnd)
}

/// Sends a new window what it gets first, and takes it away again if it refuses.
///
/// # Safety
/// The strings in the structure are NULL or made of `U`.
unsafe fn welcome<U: Spelling>(hwnd: usize, create: &mut CREATESTRUCTW) -> Result<(), Refusal> {
    let mut area = RECT {
        left: create.x,
        top: create.y,
        right: create.x.saturating_add(create.cx),
        bottom: create.y.saturating_add(create.cy),
    };
    let structure = std::ptr::from_mut(create).expose_provenance() as isize;
    let area = (&raw mut area).expose_provenance() as isize;
    let tell = |message, lparam| {
        let told = Call { hwnd, message, wparam: 0, lparam, encoding: U::ENCODING };
        call(&told).ok_or(Refusal::ByWindow)
    };
    if tell(WM_NCCREATE, structure)? == 0 {
        let _ = tell(WM_NCDESTROY, 0);
        bury(hwnd);
        return Err(Refusal::ByWindow);
    }
    tell(WM_NCCALCSIZE, area)?;
    if tell(WM_CREATE, structure)? == -1 {
        destroy(hwnd);
        return Err(Refusal::ByWindow);
    }
    // Its procedure may have destroyed it on the way.
    open_value(hwnd).map(|_| ()).ok_or(Refusal::ByWindow)
}

/// Tells a child's parent that it was made or will be destroyed.
fn notify_parent(hwnd: usize, message: u32) {
    let Some(window) = open_value(hwnd) else { return };
    let (style, extended, id) = {
        let state = lock(&window.state);
        (state.style, state.extended_style, state.id)
    };
    let parent = window.parent();
    drop(window);
    let is_child = style & (WS_CHILD | WS_POPUP) == WS_CHILD;
    if !is_child || extended & WS_EX_NOPARENTNOTIFY != 0 {
        return;
    }
    let what = (id as usize & 0xFFFF) << 16 | message as usize;
    let call = Call {
        hwnd: parent,
        message: WM_PARENTNOTIFY,
        wparam: what,
        lparam: hwnd as isize,
        encoding: Encoding::Unicode,
    };
    // SAFETY: the message refers to no memory. A parent that is none is no matter.
    let _ = unsafe { send::send(&call) };
}

/// Destroys a window and those that go with it: [DestroyWindow][ms]. ERROR_INVALID_WINDOW_HANDLE,
/// ERROR_ACCESS_DENIED for a window of another thread.
///
/// It gets WM_DESTROY, its children get theirs, and at last WM_NCDESTROY. What was posted to it is
/// thrown away, its timers end, and who waits for an answer from it is told that none will come. A
/// child that another thread made goes without a message.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winuser/nf-winuser-destroywindow
pub unsafe extern "system" fn DestroyWindow(hwnd: HWND) -> BOOL {
    let may = open(hwnd).and_then(|window| match window.is_own() {
        true => Ok(()),
        false => Err(Code(ERROR_ACCESS_DENIED)),
    });
    match may {
        Ok(()) if destroy(hwnd.addr()) => TRUE,
        Ok(()) => FALSE, // It is being destroyed already, further out on our stack.
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// Destroys a window of the calling thread. False when that has begun already.
fn destroy(hwnd: usize) -> bool {
    if !begin(hwnd) {
        return false;
    }
    notify_parent(hwnd, WM_DESTROY);
    for owned in all(|window| window.owner.load(Ordering::Acquire) == hwnd) {
        if open_value(owned).is_some_and(|window| window.is_own()) {
            destroy(owned);
        } else {
            bury(owned);
        }
    }
    finish(hwnd);
    true
}

/// Whether nobody has begun to destroy it yet.
fn begin(hwnd: usize) -> bool {
    open_value(hwnd).is_some_and(|window| !window.dying.swap(true, Ordering::AcqRel))
}

/// The window first, then its children, then the window for good.
fn finish(hwnd: usize) {
    let tell =
        |message| call(&Call { hwnd, message, wparam: 0, lparam: 0, encoding: Encoding::Unicode });
    tell(WM_DESTROY);
    for child in all(|window| window.parent() == hwnd) {
        let is_own = open_value(child).is_some_and(|window| window.is_own());
        if is_own && begin(child) {
            finish(child);
        } else {
            bury(child);
        }
    }
    tell(WM_NCDESTROY);
    bury(hwnd);
}

/// Takes a window away, without a word to it.
pub fn bury(hwnd: usize) {
    let Some(window) = open_value(hwnd) else { return };
    window.queue.forget(&window, hwnd);
    lock(&WINDOWS).retain(|&other| other != hwnd);
    if TABLE.close(hwnd).is_some() {
        window.class.let_go();
    }
}
