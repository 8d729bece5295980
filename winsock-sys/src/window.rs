//! Windows, as far as messages need them: nothing is drawn.

use std::sync::Arc;

use windows_sys::Win32::Foundation::HWND;

use crate::handle::Ref;
use crate::object::{Object, TABLE};
use crate::queue::{Message, Queue};
use crate::sync::atomic::{AtomicBool, Ordering};

/// One window.
pub struct Window {
    /// The queue of the thread that made it.
    queue: Arc<Queue>,
    /// It takes no more messages; changed under the queue's lock.
    gone: AtomicBool,
}

impl Window {
    /// With the queue's lock held: whether its messages have been thrown away already.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

/// The window behind an HWND.
fn open(hwnd: HWND) -> Option<Ref<Object>> {
    TABLE.open(hwnd.addr()).filter(|object| matches!(**object, Object::Window(_)))
}

/// Whether `hwnd` is a window.
pub fn exists(hwnd: HWND) -> bool {
    open(hwnd).is_some()
}

/// Posts a message on behalf of the library: no limit applies, since a socket has at most one
/// message of each kind underway. False when there is no such window.
///
/// Runs no code of the program and takes no lock but the queue's.
pub fn post(hwnd: HWND, message: u32, wparam: usize, lparam: isize) -> bool {
    open(hwnd).is_some_and(|object| match &*object {
        Object::Window(window) => {
            window.queue.post(window, Message::new(hwnd, message, wparam, lparam))
        }
        _ => unreachable!("`open` found a window"),
    })
}
