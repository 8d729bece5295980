//! The message queue of a thread: posted messages, messages sent from other threads, timers.
//!
//! Posting takes the queue's lock and no other, runs no code of the program, and wakes the thread
//! only if it sleeps for want of what came. It may be done under a socket's lock: lock order is
//! socket, queue, signals.
//!
//! A thread that waits for a message waits as every other does, in [`wait`]: it leads the backend
//! meanwhile, so that the thread that reaps a socket's readiness is the one that handles it.

mod sent;
mod timers;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    QS_ALLINPUT, QS_ALLPOSTMESSAGE, QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER, WM_QUIT,
};

use crate::backend;
use crate::dispatch::Waited;
use crate::event::Signal;
use crate::object::WAITS;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::sys;
use crate::thread::{self, Alertable, Thread, Waiting};
use crate::wait::{Deadline, Look, Outcome, wait};
use crate::window::{self, Window};

pub use sent::{Answer, Call, Callback, Sent, SentBy};
use sent::{Asked, Incoming};
pub use timers::Timer;
use timers::Timers;

/// The most messages that a program may have posted and not retrieved (USERPostMessageLimit).
const MOST: usize = 10_000;

/// How many reports of the kernel a thread has turned into messages at a time, at most: more would
/// push the first ones out of the cache before they are handled.
const LOCALITY: usize = 16;

/// How many messages may be taken in a row before the backend is asked.
const PATIENCE: usize = 128;

/// After how many milliseconds without looking at its queue a thread counts as hung.
const HUNG_MS: u32 = 5_000;

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

/// Why a message was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The window is being destroyed, or the thread ends.
    Gone,
    /// The program has posted too many already.
    Full,
}

/// Which messages a call retrieves.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    pub of: Of,
    pub first: u32,
    pub last: u32,
    /// QS_ bits: the kinds.
    pub kinds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Everyone,
    /// Messages to no window.
    Thread,
    /// A window and its children.
    Window(usize),
}

impl Filter {
    fn has_range(&self) -> bool {
        (self.first, self.last) != (0, u32::MAX)
    }

    fn admits(&self, hwnd: usize, message: u32) -> bool {
        let of = match self.of {
            Of::Everyone => true,
            Of::Thread => hwnd == 0,
            Of::Window(ancestor) => window::is_within(hwnd, ancestor),
        };
        of && (self.first..=self.last).contains(&message)
    }
}

/// The queue of one thread.
pub struct Queue {
    pub thread: Arc<Thread>,
    state: Mutex<State>,
    /// Set while the queue holds what MsgWaitForMultipleObjects waits for; nobody else waits for
    /// it, so it is left alone at other times.
    pub input: Signal,
}

struct State {
    posted: VecDeque<Message>,
    sent: VecDeque<Incoming>,
    /// The exit code, once PostQuitMessage was called.
    quit: Option<i32>,
    timers: Timers,
    /// QS_ bits of what came since the thread last looked.
    news: u32,
    /// QS_ bits of what the thread sleeps for.
    asleep: u32,
    /// QS_ bits of what is to set `input`.
    awaited: u32,
    /// Messages taken since the backend was last asked.
    unlooked: usize,
    /// When the thread last looked: see [`HUNG_MS`].
    looked_at: u32,
    dead: bool,
}

/// What a look at the queue found.
enum Found {
    Incoming(Incoming),
    Message(Message),
    /// Nothing, but a timer has been set that is due before the wait ends.
    Sooner,
}

/// Every queue by the number of its thread, as GetCurrentThreadId tells it.
static QUEUES: LazyLock<Mutex<HashMap<u32, Arc<Queue>>>> = LazyLock::new(Mutex::default);

/// The queue of a thread, if it has one.
pub fn of_thread(tid: u32) -> Option<Arc<Queue>> {
    lock(&QUEUES).get(&tid).cloned()
}

impl Queue {
    fn new(thread: Arc<Thread>) -> Queue {
        let state = State {
            posted: VecDeque::new(),
            sent: VecDeque::new(),
            quit: None,
            timers: Timers::new(),
            news: 0,
            asleep: 0,
            awaited: 0,
            unlooked: 0,
            looked_at: sys::coarse_ms(),
            dead: false,
        };
        Queue { thread, state: Mutex::new(state), input: Signal::new(false, false) }
    }

    /// The number of the thread, as GetCurrentThreadId tells it.
    pub fn tid(&self) -> u32 {
        self.thread.tid as u32
    }

    /// Appends a message of the program's, to `window` or to the thread itself.
    pub fn post(&self, window: Option<&Window>, message: Message) -> Result<(), Refused> {
        let state = self.open(window)?;
        if state.posted.len() >= MOST {
            return Err(Refused::Full);
        }
        self.push(state, message);
        Ok(())
    }

    /// Appends a message of the library's, whatever the program has posted.
    pub fn post_ours(&self, window: &Window, message: Message) -> Result<(), Refused> {
        self.push(self.open(Some(window))?, message);
        Ok(())
    }

    fn push(&self, mut state: MutexGuard<'_, State>, message: Message) {
        state.posted.push_back(message);
        self.announce(state, QS_POSTMESSAGE | QS_ALLPOSTMESSAGE);
    }

    /// Hands over what another thread sends to a window of this one.
    pub fn send(&self, window: &Window, sent: Arc<Sent>) -> Result<(), Refused> {
        let mut state = self.open(Some(window))?;
        state.sent.push_back(Incoming::Message(sent));
        self.announce(state, QS_SENDMESSAGE);
        Ok(())
    }

    /// Hands over what shall be called back once this thread looks.
    pub fn call_back(&self, asked: Asked) {
        if let Ok(mut state) = self.open(None) {
            state.sent.push_back(Incoming::Answer(asked));
            self.announce(state, QS_SENDMESSAGE);
        }
    }

    /// Takes back what has been sent and not yet received: the sender does not wait any longer.
    pub fn recall(&self, sent: &Arc<Sent>) {
        let is_it = |incoming: &Incoming| match incoming {
            Incoming::Message(other) => Arc::ptr_eq(other, sent),
            Incoming::Answer(_) => false,
        };
        lock(&self.state).sent.retain(|incoming| !is_it(incoming));
    }

    /// PostQuitMessage.
    pub fn quit(&self, code: i32) {
        let mut state = lock(&self.state);
        state.quit = Some(code);
        self.announce(state, QS_POSTMESSAGE | QS_ALLPOSTMESSAGE);
    }

    /// Sets a timer, or sets it anew; its number.
    pub fn set_timer(&self, window: Option<&Window>, timer: Timer) -> Result<usize, Refused> {
        let mut state = self.open(window)?;
        let id = state.timers.set(timer);
        // Whoever sleeps until the next timer must reckon again.
        self.announce(state, QS_TIMER);
        Ok(id)
    }

    /// False when there is no such timer.
    pub fn kill_timer(&self, hwnd: usize, id: usize) -> bool {
        lock(&self.state).timers.kill(hwnd, id)
    }

    /// Whether some timer of the thread calls this function.
    pub fn has_timer_procedure(&self, procedure: isize) -> bool {
        lock(&self.state).timers.call(procedure)
    }

    /// The state, if the queue and the window still take messages.
    fn open(&self, window: Option<&Window>) -> Result<MutexGuard<'_, State>, Refused> {
        let state = lock(&self.state);
        match state.dead || window.is_some_and(Window::is_gone) {
            true => Err(Refused::Gone),
            false => Ok(state),
        }
    }

    /// Something of these kinds has come: tells the thread if it waits for that.
    fn announce(&self, mut state: MutexGuard<'_, State>, kinds: u32) {
        state.news |= kinds & !QS_TIMER; // A timer is news when it is due.
        if state.awaited & kinds != 0 {
            self.input.set(&WAITS);
        }
        let asleep = state.asleep & kinds != 0;
        if asleep {
            state.asleep = 0;
        }
        drop(state);
        if asleep {
            self.thread.unpark();
        }
    }

    /// The window takes no more messages; those that wait are thrown away, and who sent any is told
    /// so.
    pub fn forget(&self, window: &Window, hwnd: usize) {
        let unanswered: Vec<Incoming> = {
            let mut state = lock(&self.state);
            window.set_gone();
            state.posted.retain(|message| message.hwnd != hwnd);
            state.timers.forget(hwnd);
            let (lost, kept) = std::mem::take(&mut state.sent)
                .into_iter()
                .partition(|incoming| incoming.is_for(hwnd));
            state.sent = kept;
            Vec::from(lost)
        };
        unanswered.into_iter().for_each(Incoming::abandon);
    }

    /// Whether the thread has not looked at its queue for so long that it counts as hung.
    pub fn is_hung(&self) -> bool {
        let state = lock(&self.state);
        let idle_ms = sys::coarse_ms().wrapping_sub(state.looked_at);
        state.asleep == 0 && state.awaited == 0 && idle_ms > HUNG_MS
    }

    /// See [`Own::status`].
    fn status(&self, kinds: u32) -> u32 {
        let mut state = lock(&self.state);
        state.note_timers();
        let present = state.present() & kinds;
        let news = state.news & present;
        state.news &= !kinds;
        present << 16 | news
    }

    /// Prepares a wait for news of the given kinds; `old`: what the thread has seen and left counts
    /// too. When the next timer will be news.
    pub fn watch(&self, kinds: u32, old: bool) -> Option<Instant> {
        let mut state = lock(&self.state);
        state.note_timers();
        let present = state.present();
        let seen = if old { present } else { state.news & present };
        match seen & kinds != 0 {
            true => self.input.set(&WAITS),
            false => self.input.reset(),
        }
        state.awaited = kinds;
        if kinds & QS_TIMER != 0 { state.timers.next_news() } else { None }
    }

    /// Ends that wait.
    pub fn unwatch(&self) {
        let mut state = lock(&self.state);
        state.awaited = 0;
        state.looked_at = sys::coarse_ms();
    }
}

impl State {
    /// Takes the first thing that the filter admits. `remove`: a message leaves the queue.
    fn take(&mut self, filter: &Filter, remove: bool) -> Option<Found> {
        self.looked_at = sys::coarse_ms();
        if let Some(incoming) = self.sent.pop_front() {
            return Some(Found::Incoming(incoming));
        }
        let seen = filter.kinds & if filter.has_range() { !QS_ALLPOSTMESSAGE } else { u32::MAX };
        self.news &= !seen;
        let posted = filter.kinds & QS_POSTMESSAGE != 0;
        if posted && let Some(message) = self.take_posted(filter, remove) {
            return Some(Found::Message(message));
        }
        if posted && let Some(code) = self.quit {
            if remove {
                self.quit = None;
            }
            let quit = Message::new(std::ptr::null_mut(), WM_QUIT, code as usize, 0);
            return Some(Found::Message(quit));
        }
        if filter.kinds & QS_TIMER == 0 || self.timers.is_empty() {
            return None;
        }
        self.timers.take(filter, remove).map(Found::Message)
    }

    fn take_posted(&mut self, filter: &Filter, remove: bool) -> Option<Message> {
        let admitted = |message: &Message| filter.admits(message.hwnd, message.message);
        let at = self.posted.iter().position(admitted)?;
        match remove {
            true => self.posted.remove(at),
            false => self.posted.get(at).copied(),
        }
    }

    /// QS_ bits of what is in the queue.
    fn present(&self) -> u32 {
        let mut present = 0;
        if !self.posted.is_empty() || self.quit.is_some() {
            present |= QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
        }
        if !self.sent.is_empty() {
            present |= QS_SENDMESSAGE;
        }
        if self.timers.are_due() {
            present |= QS_TIMER;
        }
        present
    }

    /// Timers that have become due since the last time are news.
    fn note_timers(&mut self) {
        if self.timers.note() {
            self.news |= QS_TIMER;
        }
    }

    /// Whether so many messages were taken in a row that it is time to ask the backend: a thread
    /// that keeps its own queue filled must not shut out the rest of the world.
    fn is_due_to_look(&mut self) -> bool {
        self.unlooked += 1;
        let due = self.unlooked >= PATIENCE;
        if due {
            self.unlooked = 0;
        }
        due
    }
}

/// What a thread has of its own besides its queue.
pub struct Own {
    pub queue: Arc<Queue>,
    /// When the message that was retrieved last had been posted (GetMessageTime).
    pub time: Cell<u32>,
    /// SetMessageExtraInfo.
    pub extra: Cell<isize>,
    /// What other threads sent and this one is handling, the innermost last.
    handling: RefCell<Vec<Arc<Sent>>>,
}

impl Own {
    pub fn new(thread: Arc<Thread>) -> Own {
        let own = Own::unlisted(thread);
        lock(&QUEUES).insert(own.queue.tid(), own.queue.clone());
        own
    }

    /// A queue that other threads cannot find by its thread's number.
    pub fn unlisted(thread: Arc<Thread>) -> Own {
        let queue = Arc::new(Queue::new(thread));
        let handling = RefCell::new(Vec::new());
        Own { queue, time: Cell::new(0), extra: Cell::new(0), handling }
    }

    /// Waits for a message that the filter admits and takes it out.
    pub fn get(&self, filter: &Filter) -> Message {
        loop {
            if let Some(message) = self.look(filter, true) {
                return message;
            }
            match self.queue.sleep(filter) {
                None => thread::end_condemned(),
                Some(Found::Sooner) => {}
                Some(Found::Incoming(incoming)) => self.receive(incoming),
                Some(Found::Message(message)) => return message,
            }
        }
    }

    /// A message that the filter admits, if there is one.
    pub fn peek(&self, filter: &Filter, remove: bool) -> Option<Message> {
        self.look(filter, remove).or_else(|| {
            // A program that only polls still gets what the kernel has to report.
            backend::look(&self.queue.thread, LOCALITY);
            self.look(filter, remove)
        })
    }

    /// Handles what was sent, then takes a message if there is one.
    fn look(&self, filter: &Filter, remove: bool) -> Option<Message> {
        loop {
            let mut state = lock(&self.queue.state);
            match state.take(filter, remove)? {
                Found::Incoming(incoming) => {
                    drop(state);
                    self.receive(incoming);
                }
                Found::Message(message) => {
                    let due = remove && state.is_due_to_look();
                    drop(state);
                    if due {
                        backend::look(&self.queue.thread, LOCALITY);
                    }
                    return Some(message);
                }
                Found::Sooner => unreachable!("only a wait ends sooner"),
            }
        }
    }

    /// GetQueueStatus: the kinds of what came since the last look below, of what is there above.
    pub fn status(&self, kinds: u32) -> u32 {
        let status = self.queue.status(kinds);
        if status != 0 {
            return status;
        }
        backend::look(&self.queue.thread, LOCALITY); // As in `peek`.
        self.queue.status(kinds)
    }

    /// Waits for something that the thread has not seen yet, and handles what was sent.
    pub fn wait_for_input(&self) {
        let queue = &self.queue;
        loop {
            let until = Deadline::Never.or_at(queue.watch(QS_ALLINPUT, false));
            let _waiting = Waiting::begin();
            let waited = WAITS.wait(&queue.thread, &[&queue.input], false, until, Alertable::ToEnd);
            if waited != Waited::TimedOut {
                break;
            }
        }
        queue.unwatch();
        if queue.thread.is_condemned() {
            thread::end_condemned();
        }
        loop {
            let mut state = lock(&queue.state);
            state.news = 0;
            let Some(incoming) = state.sent.pop_front() else { return };
            drop(state);
            self.receive(incoming);
        }
    }

    /// The thread ends: so do its windows, and who waits for an answer gets none.
    pub fn end(&self) {
        window::end_all_of(&self.queue);
        let unanswered = {
            let mut state = lock(&self.queue.state);
            state.dead = true;
            state.posted.clear();
            std::mem::take(&mut state.sent)
        };
        lock(&QUEUES).remove(&self.queue.tid());
        unanswered.into_iter().for_each(Incoming::abandon);
        // It may end inside the window procedure that was to answer.
        self.handling.take().into_iter().for_each(|sent| sent.answer(Answer::Died));
    }
}

impl Queue {
    /// Sleeps until there is something that the filter admits. `None`: look again.
    fn sleep(&self, filter: &Filter) -> Option<Found> {
        let _waiting = Waiting::begin();
        let next_timer = lock(&self.state).timers.next(filter);
        let deadline = next_timer.map_or(Deadline::Never, Deadline::At);
        let outcome = wait(&self.thread, deadline, Alertable::ToEnd, LOCALITY, || {
            let mut state = lock(&self.state);
            if let Some(found) = state.take(filter, true) {
                state.unlooked = 0;
                return Look::Ready(found);
            }
            if state.timers.next(filter) != next_timer {
                return Look::Ready(Found::Sooner);
            }
            state.asleep = QS_ALLINPUT;
            Look::Wait
        });
        match outcome {
            Outcome::Ready(found) => Some(found),
            Outcome::TimedOut | Outcome::Apc => {
                lock(&self.state).asleep = 0;
                None
            }
        }
    }
}
