//! Messages sent from one thread to a window of another.
//!
//! The sender sleeps until the receiver, inside one of the calls that look at its queue, has called
//! the window procedure. While it sleeps it receives in its turn: two threads that send to each
//! other at the same time both get their answers.

use std::alloc::Layout;
use std::sync::Arc;

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    ISMEX_CALLBACK, ISMEX_NOSEND, ISMEX_NOTIFY, ISMEX_REPLIED, ISMEX_SEND, QS_SENDMESSAGE,
    SMTO_ABORTIFHUNG, SMTO_BLOCK, SMTO_NOTIMEOUTIFNOTHUNG, WM_GETTEXT, WM_SETTEXT,
};

use super::{Own, Queue};
use crate::sync::{Mutex, lock};
use crate::thread::{self, Alertable, Thread, Waiting};
use crate::wait::{Deadline, Look, Outcome, wait};
use crate::window::{self, Encoding};

/// How often a sender that minds whether the receiver hangs looks after it.
const HUNG_LOOK_MS: u32 = 250;

/// The most units that a WM_GETTEXT from another thread asks for at a time.
const MOST_TEXT: usize = 1 << 20;

/// One call of a window procedure.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub hwnd: usize,
    pub message: u32,
    pub wparam: usize,
    pub lparam: isize,
    /// What text in it is encoded in.
    pub encoding: Encoding,
}

impl Call {
    pub fn new(hwnd: HWND, message: u32, wparam: usize, lparam: isize, encoding: Encoding) -> Call {
        Call { hwnd: hwnd.addr(), message, wparam, lparam, encoding }
    }
}

/// A call that another thread asks for.
pub struct Sent {
    call: Call,
    by: SentBy,
    luggage: Option<Luggage>,
    state: Mutex<State>,
}

/// Who hears of the answer.
pub enum SentBy {
    /// The sending thread, which waits for it.
    Waiting(Arc<Thread>),
    Nobody,
    /// A function that is called when the thread of that queue looks next.
    Callback(Arc<Queue>, Callback),
}

/// `SendMessageCallback`'s function and its argument.
#[derive(Clone, Copy)]
pub struct Callback {
    pub function: unsafe extern "system" fn(HWND, u32, usize, isize),
    pub data: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Result(isize),
    /// The window or its thread ended first.
    Died,
}

enum State {
    Open,
    Answered(Answer),
    /// The sender does not wait any longer, and what its message points to may be gone.
    Abandoned,
}

/// What waits in a queue for its thread to look.
pub enum Incoming {
    Message(Arc<Sent>),
    Answer(Asked),
}

/// The answer to SendMessageCallback on its way back.
pub struct Asked {
    callback: Callback,
    hwnd: usize,
    message: u32,
    result: isize,
}

impl Incoming {
    /// Whether it is a call of this window's procedure.
    pub fn is_for(&self, hwnd: usize) -> bool {
        matches!(self, Incoming::Message(sent) if sent.call.hwnd == hwnd)
    }

    /// It will not be received.
    pub fn abandon(self) {
        if let Incoming::Message(sent) = self {
            sent.answer(Answer::Died);
        }
    }
}

impl Asked {
    fn call_back(self) {
        let Asked { callback: Callback { function, data }, hwnd, message, result } = self;
        // SAFETY: the program passed the function to SendMessageCallback, to be called here.
        unsafe { function(std::ptr::without_provenance_mut(hwnd), message, data, result) };
    }
}

/// Memory of ours that stands in for the text that a message points to: the sender may have stopped
/// waiting, and freed its own, when the receiver comes to use it.
struct Luggage {
    memory: *mut u8,
    layout: Layout,
    /// Where the text goes once the message is answered: WM_GETTEXT's buffer.
    to: *mut u8,
}

// SAFETY: `memory` is ours alone; `to` is the sender's, and used under the lock of a message that
// its sender still waits for.
unsafe impl Send for Luggage {}
// SAFETY: as above.
unsafe impl Sync for Luggage {}

impl Luggage {
    /// Packs what `call` points to, and points it to the copy.
    ///
    /// # Safety
    /// A text message points to what it says.
    unsafe fn pack(call: &mut Call) -> Option<Luggage> {
        let pointer: *mut u8 = std::ptr::with_exposed_provenance_mut(call.lparam as usize);
        if pointer.is_null() {
            return None;
        }
        let unit = call.encoding.unit_bytes();
        let packed = match call.message {
            WM_SETTEXT => {
                // SAFETY: our caller vouches for the string.
                let bytes = unsafe { call.encoding.string_bytes(pointer) };
                let packed = Luggage::new(bytes, std::ptr::null_mut());
                // SAFETY: the string has that many bytes, and the memory is new.
                unsafe { pointer.copy_to_nonoverlapping(packed.memory, bytes) };
                packed
            }
            WM_GETTEXT if call.wparam > 0 => {
                call.wparam = call.wparam.min(MOST_TEXT);
                Luggage::new(call.wparam * unit, pointer)
            }
            _ => return None,
        };
        call.lparam = packed.memory.expose_provenance() as isize;
        Some(packed)
    }

    fn new(bytes: usize, to: *mut u8) -> Luggage {
        let layout = Layout::from_size_align(bytes, align_of::<u16>()).expect("a modest size");
        // SAFETY: the size is not 0: a string has its NUL, and a buffer has room.
        let memory = unsafe { std::alloc::alloc_zeroed(layout) };
        if memory.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        Luggage { memory, layout, to }
    }

    /// Delivers the text of WM_GETTEXT, of which the answer tells the units.
    fn unpack(&self, call: &Call, result: isize) {
        if self.to.is_null() {
            return;
        }
        let unit = call.encoding.unit_bytes();
        let bytes = (result.max(0) as usize).saturating_add(1).saturating_mul(unit);
        let bytes = bytes.min(self.layout.size());
        // SAFETY: both have room for that; the sender waits, so its buffer is there.
        unsafe { self.memory.copy_to_nonoverlapping(self.to, bytes) };
    }
}

impl Drop for Luggage {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout, in `new`.
        unsafe { std::alloc::dealloc(self.memory, self.layout) };
    }
}

impl Sent {
    /// # Safety
    /// A text message points to what it says.
    pub unsafe fn new(mut call: Call, by: SentBy) -> Arc<Sent> {
        // SAFETY: passed on from our caller.
        let luggage = unsafe { Luggage::pack(&mut call) };
        Arc::new(Sent { call, by, luggage, state: Mutex::new(State::Open) })
    }

    /// What its receiver is to call.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Answers, unless that has been done already (ReplyMessage comes first).
    pub fn answer(&self, answer: Answer) {
        {
            let mut state = lock(&self.state);
            if !matches!(*state, State::Open) {
                return;
            }
            if let (Answer::Result(result), Some(luggage)) = (answer, &self.luggage) {
                luggage.unpack(&self.call, result);
            }
            *state = State::Answered(answer);
        }
        match &self.by {
            SentBy::Waiting(thread) => thread.unpark(),
            SentBy::Nobody => {}
            SentBy::Callback(queue, callback) => {
                let Call { hwnd, message, .. } = self.call;
                let result = match answer {
                    Answer::Result(result) => result,
                    Answer::Died => 0,
                };
                queue.call_back(Asked { callback: *callback, hwnd, message, result });
            }
        }
    }

    fn answered(&self) -> Option<Answer> {
        match *lock(&self.state) {
            State::Answered(answer) => Some(answer),
            State::Open | State::Abandoned => None,
        }
    }

    /// The sender stops waiting, unless the answer has come in the last moment.
    fn abandon(&self) -> Option<Answer> {
        let mut state = lock(&self.state);
        match *state {
            State::Answered(answer) => Some(answer),
            State::Open | State::Abandoned => {
                *state = State::Abandoned;
                None
            }
        }
    }

    /// ISMEX_ bits.
    fn describe(&self) -> u32 {
        let kind = match self.by {
            SentBy::Waiting(_) => ISMEX_SEND,
            SentBy::Nobody => ISMEX_NOTIFY,
            SentBy::Callback(..) => ISMEX_CALLBACK,
        };
        let replied = if self.answered().is_some() { ISMEX_REPLIED } else { 0 };
        kind | replied
    }
}

impl Own {
    /// Calls the window procedure that another thread asks for, or calls back.
    pub fn receive(&self, incoming: Incoming) {
        let sent = match incoming {
            Incoming::Answer(asked) => return asked.call_back(),
            Incoming::Message(sent) => sent,
        };
        // This frame owns nothing meanwhile, should the procedure end its thread.
        let call = *sent.call();
        self.handling.borrow_mut().push(sent);
        let result = window::call(&call);
        let handled = self.handling.borrow_mut().pop();
        if let Some(sent) = handled {
            sent.answer(result.map_or(Answer::Died, Answer::Result));
        }
    }

    /// ReplyMessage. False when the thread handles nothing that another one sent.
    pub fn reply(&self, result: isize) -> bool {
        let innermost = self.handling.borrow().last().cloned();
        innermost.is_some_and(|sent| {
            sent.answer(Answer::Result(result));
            true
        })
    }

    /// InSendMessageEx.
    pub fn in_send(&self) -> u32 {
        self.handling.borrow().last().map_or(ISMEX_NOSEND, |sent| sent.describe())
    }

    /// Waits for the answer to what was sent to `target`; `None` when the time is up. `flags`:
    /// SMTO_ bits.
    pub fn wait_for_answer(
        &self,
        target: &Queue,
        sent: &Arc<Sent>,
        deadline: Deadline,
        flags: u32,
    ) -> Option<Answer> {
        let aborts_if_hung = flags & SMTO_ABORTIFHUNG != 0;
        let stays_if_not = flags & SMTO_NOTIMEOUTIFNOTHUNG != 0;
        loop {
            let up = deadline.left_ns().is_none();
            let until = match stays_if_not && up {
                true => Deadline::Never.or_after_ms(HUNG_LOOK_MS),
                false if aborts_if_hung => deadline.or_after_ms(HUNG_LOOK_MS),
                false => deadline,
            };
            match self.wait_once(sent, until, flags & SMTO_BLOCK != 0) {
                Outcome::Ready(Stirred::Answer(answer)) => return Some(answer),
                Outcome::Ready(Stirred::Incoming(incoming)) => self.receive(incoming),
                Outcome::Apc => {
                    target.recall(sent);
                    sent.abandon();
                    thread::end_condemned();
                }
                Outcome::TimedOut => {
                    let up = deadline.left_ns().is_none();
                    let minds = stays_if_not || aborts_if_hung;
                    let hung = minds && target.is_hung();
                    if hung && aborts_if_hung || up && (hung || !stays_if_not) {
                        target.recall(sent);
                        return sent.abandon();
                    }
                }
            }
        }
    }

    fn wait_once(&self, sent: &Sent, until: Deadline, blocks: bool) -> Outcome<Stirred> {
        let _waiting = Waiting::begin();
        let queue = &self.queue;
        let outcome = wait(&queue.thread, until, Alertable::ToEnd, 1, || {
            if let Some(answer) = sent.answered() {
                return Look::Ready(Stirred::Answer(answer));
            }
            if blocks {
                return Look::Wait;
            }
            let mut state = lock(&queue.state);
            match state.sent.pop_front() {
                Some(incoming) => Look::Ready(Stirred::Incoming(incoming)),
                None => {
                    state.asleep = QS_SENDMESSAGE;
                    Look::Wait
                }
            }
        });
        lock(&queue.state).asleep = 0;
        outcome
    }
}

/// What ends a sender's sleep.
enum Stirred {
    Answer(Answer),
    Incoming(Incoming),
}
