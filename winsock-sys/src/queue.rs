//! The message queue of a thread.
//!
//! Posting takes the queue's lock and no other, runs no code of the program, and wakes the thread
//! only if it sleeps for want of a message. It may be called under a socket's lock: lock order is
//! socket, then queue.

use std::collections::VecDeque;
use std::sync::Arc;

use windows_sys::Win32::Foundation::HWND;

use crate::sync::{Mutex, lock};
use crate::sys;
use crate::thread::Thread;
use crate::window::Window;

/// One message that waits for its thread.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    /// 0 for a message to the thread itself.
    pub hwnd: usize,
    pub message: u32,
    pub wparam: usize,
    pub lparam: isize,
    /// When it was posted, in milliseconds as GetTickCount counts them.
    pub time: u32,
}

impl Message {
    pub fn new(hwnd: HWND, message: u32, wparam: usize, lparam: isize) -> Message {
        Message { hwnd: hwnd.addr(), message, wparam, lparam, time: sys::coarse_ms() }
    }
}

/// The queue of one thread.
pub struct Queue {
    thread: Arc<Thread>,
    state: Mutex<State>,
}

struct State {
    posted: VecDeque<Message>,
    /// The thread has found nothing and sleeps, or is about to.
    asleep: bool,
}

impl Queue {
    pub fn new(thread: Arc<Thread>) -> Queue {
        let state = State { posted: VecDeque::new(), asleep: false };
        Queue { thread, state: Mutex::new(state) }
    }

    /// Appends a message for `window`, which belongs to this queue. False when it is being
    /// destroyed.
    pub fn post(&self, window: &Window, message: Message) -> bool {
        let mut state = lock(&self.state);
        if window.is_gone() {
            return false;
        }
        state.posted.push_back(message);
        let asleep = std::mem::take(&mut state.asleep);
        drop(state);
        if asleep {
            self.thread.unpark();
        }
        true
    }
}
