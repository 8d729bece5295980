//! Windows, as far as messages need them: nothing is drawn.
//!
//! A window is an object in the handle table, so that a stale HWND is refused, and belongs to the
//! queue of the thread that made it. Its procedure is called with nothing of ours locked and no
//! reference to it held: it may destroy the window, or never come back.

pub mod atoms;
pub mod class;
pub mod class_long;
pub mod create;
pub mod default;
pub mod find;
pub mod long;
pub mod paint;
pub mod procedure;
pub mod retrieve;
pub mod send;
pub mod text;
pub mod timer;
pub mod wait;

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use windows_sys::Win32::Foundation::{ERROR_INVALID_WINDOW_HANDLE, HWND};
use windows_sys::Win32::UI::WindowsAndMessaging::HWND_MESSAGE;

use crate::error::Code;
use crate::handle::Ref;
use crate::object::{Object, TABLE};
use crate::queue::{Call, Message, Queue};
use crate::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use crate::sync::{Mutex, lock};
use class::Class;
pub use procedure::Encoding;
use procedure::Procedure;

/// The parent of the message-only windows, in place of a window's HWND.
const MESSAGE_ONLY: usize = -3isize as usize;

/// One window.
pub struct Window {
    /// The queue of the thread that made it.
    queue: Arc<Queue>,
    class: Arc<Class>,
    /// A [`Procedure`].
    procedure: AtomicUsize,
    /// GWLP_USERDATA.
    user_data: AtomicIsize,
    /// A child's parent; 0 for a top-level window, or [`MESSAGE_ONLY`].
    parent: AtomicUsize,
    /// The window that a top-level window goes with, or 0.
    owner: AtomicUsize,
    /// It takes no more messages; changed under the queue's lock.
    gone: AtomicBool,
    /// DestroyWindow has begun.
    dying: AtomicBool,
    state: Mutex<State>,
}

/// What a window's own thread and others change now and then.
struct State {
    text: String,
    style: u32,
    extended_style: u32,
    /// A child's number, a top-level window's menu.
    id: isize,
    instance: isize,
    /// The class's cbWndExtra bytes.
    extra: Box<[u8]>,
}

/// Every window, the topmost first; children the other way round, in the order they were made.
static WINDOWS: LazyLock<Mutex<Vec<usize>>> = LazyLock::new(Mutex::default);

impl Window {
    /// With the queue's lock held: whether its messages have been thrown away already.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// With the queue's lock held: it takes no more messages.
    pub fn set_gone(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }

    fn procedure(&self) -> Procedure {
        Procedure::unpack(self.procedure.load(Ordering::Acquire))
    }

    fn parent(&self) -> usize {
        self.parent.load(Ordering::Acquire)
    }

    /// Whether the calling thread made it.
    fn is_own(&self) -> bool {
        self.queue.thread.id == crate::thread::current_id()
    }
}

/// A reference to an object that is a window.
struct WindowRef(Ref<Object>);

impl Deref for WindowRef {
    type Target = Window;

    fn deref(&self) -> &Window {
        match &*self.0 {
            Object::Window(window) => window,
            _ => unreachable!("a WindowRef is made of windows only"),
        }
    }
}

/// The window behind an HWND. ERROR_INVALID_WINDOW_HANDLE.
fn open(hwnd: HWND) -> Result<WindowRef, Code> {
    open_value(hwnd.addr()).ok_or(Code(ERROR_INVALID_WINDOW_HANDLE))
}

fn open_value(hwnd: usize) -> Option<WindowRef> {
    let object = TABLE.open(hwnd)?;
    matches!(*object, Object::Window(_)).then_some(WindowRef(object))
}

/// Whether `hwnd` is a window.
pub fn exists(hwnd: HWND) -> bool {
    open(hwnd).is_ok()
}

/// Posts a message on behalf of the library. The limit on posted messages does not apply: a socket
/// has at most one message of each kind underway. False when there is no such window.
///
/// Runs no code of the program and takes no lock but the queue's (and, if the window goes just now,
/// those that are taken last of all, for a moment).
pub fn post(hwnd: HWND, message: u32, wparam: usize, lparam: isize) -> bool {
    let message = Message::new(hwnd, message, wparam, lparam);
    open(hwnd).is_ok_and(|window| window.queue.post_ours(&window, message).is_ok())
}

/// Calls a window's procedure on the calling thread, which the window belongs to; `None` when it is
/// gone.
pub fn call(call: &Call) -> Option<isize> {
    let procedure = open_value(call.hwnd)?.procedure();
    // SAFETY: whoever made the call vouches for what its parameters point to, and whoever made the
    // window for its procedure.
    Some(unsafe { procedure.call(call) })
}

/// Whether `hwnd` is `ancestor` or a child of it, or of its children.
pub fn is_within(hwnd: usize, ancestor: usize) -> bool {
    let mut at = hwnd;
    while at != ancestor {
        match open_value(at) {
            Some(window) => at = window.parent(),
            None => return false,
        }
    }
    true
}

/// The windows as they are now, the topmost first, that `pick` picks.
fn all(pick: impl Fn(&Window) -> bool) -> Vec<usize> {
    let windows = lock(&WINDOWS).clone();
    let picked = |&hwnd: &usize| open_value(hwnd).is_some_and(|window| pick(&window));
    windows.into_iter().filter(picked).collect()
}

/// The top-level windows, which a broadcast reaches.
fn top_level() -> Vec<usize> {
    all(|window| window.parent() == 0)
}

/// A thread ends: its windows are gone, without a message to them, since nobody is left to handle
/// any.
pub fn end_all_of(queue: &Arc<Queue>) {
    for hwnd in all(|window| Arc::ptr_eq(&window.queue, queue)) {
        create::bury(hwnd);
    }
}

/// An HWND as programs pass it.
fn handle_of(hwnd: usize) -> HWND {
    match hwnd {
        MESSAGE_ONLY => HWND_MESSAGE,
        hwnd => std::ptr::without_provenance_mut(hwnd),
    }
}
