//! Network events that are reported by window messages.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::UI::WindowsAndMessaging::{
    KillTimer, PostQuitMessage, SetTimer, USER_TIMER_MAXIMUM, WM_QUIT, WM_TIMER,
};

use crate::deadline::Deadline;
use crate::error::{Error, Result, winsock};
use crate::ledger::{Ledger, selection};
use crate::mailbox::{Bell, Mailbox, Poster};
use crate::ready::{AnySocket, Interest, Key, Ready, Rejected};
use crate::sets::sets;
use crate::socket::{SELECTED, millis, start};
use crate::window::{LAST, RUNG, Sent, Window};

/// Sockets that report network events by window messages, with `T` for tokens and `M` for what
/// other threads post.
///
/// This is the model of
/// [`WSAAsyncSelect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaasyncselect),
/// made for programs with windows: what happens to a socket is posted to a window, as a message
/// like any other, and one loop serves the user and the network. Here the window is one that nobody
/// sees; it owns the sockets, and [`next`](MessageLoop::next) is the loop's
/// [`GetMessage`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessagew). It
/// also has timers, and takes what other threads post:
///
/// ```
/// use std::time::Duration;
/// use winsock::{AnySocket, Interest, Message, MessageLoop, TcpSocket, Listener};
///
/// let listener = Listener::bind("127.0.0.1:0")?;
/// let client = TcpSocket::connect(listener.local_addr()?)?;
/// let (server, _) = listener.accept()?;
///
/// let mut messages: MessageLoop<()> = MessageLoop::new()?;
/// messages.insert(server, (), Interest::READ)?;
/// messages.set_timer(Duration::from_millis(10))?;
/// loop {
///     match messages.next(None)? {
///         Some(Message::Timer(timer)) => {
///             messages.kill_timer(timer);
///             client.send(b"hello")?;
///         }
///         Some(Message::Ready(ready)) => {
///             let Some((AnySocket::Tcp(server), ())) = messages.get(ready.key) else { continue };
///             assert_eq!(server.recv(&mut [0; 16]), Ok(5));
///             messages.quit(0);
///         }
///         Some(Message::Quit(code)) => break assert_eq!(code, 0),
///         _ => {}
///     }
/// }
/// # Ok::<(), winsock::Error>(())
/// ```
///
/// On Windows the loop also dispatches the messages of other windows of its thread; and when
/// somebody else's loop runs on the thread, such as that of a dialogue, nothing is lost.
///
/// # The traps of this model, and where they have gone
///
/// - **An event is told once, and again only after the call that enables it** (rules 82 and 97). A
///   program that does not receive when it is told would never be told again. Here it is, at once,
///   and so is one that becomes [interested](MessageLoop::set_interest) later.
/// - **`FD_WRITE` comes only after a send has found no room** (rule 85); who waits for it before
///   sending waits in vain. Here a socket is writable until then.
/// - **`FD_CLOSE` comes once, and may come before the data that is left** (rule 88). Here it is
///   told as [readable](Ready::readable), as often as it takes: what is left is received first, and
///   then the end, or why the connection failed.
/// - **Messages of a socket that is closed are still in the queue** (rule 99), and its handle may
///   be somebody else's by then. The loop knows its sockets by a message number of their own, and
///   discards what is left when one is removed.
/// - **A connect that failed before the socket was selected is not told** (rule 86). Here it is.
/// - **An accepted connection inherits its listener's window** (rule 93).
///   [`Listener::accept`](crate::Listener::accept) undoes that.
/// - **The socket becomes non-blocking, and stays so** (rule 79), also after it has been removed.
/// - **A window belongs to its thread**, and so does the loop.
///
/// The interest is the loop's own business and costs no call. There are message numbers for 48,127
/// sockets; the next one is [rejected](Rejected).
pub struct MessageLoop<T, M = ()> {
    ledger: Ledger<T>,
    /// By message number, from [`FIRST`]; a socket's [`place`](crate::ledger::Entry) is here.
    numbers: Vec<Option<Key>>,
    /// Those of the numbers that are free. The one that was freed first is used first.
    free: VecDeque<usize>,
    timers: Vec<usize>,
    last_timer: usize,
    mailbox: Arc<Mailbox<M>>,
    window: Window,
    /// Windows belong to their thread.
    _bound_to_thread: PhantomData<*const ()>,
}

/// What a [`MessageLoop`] hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<M> {
    /// A socket is ready.
    Ready(Ready),
    /// A [`Poster`] has posted this.
    Post(M),
    /// This timer is due.
    Timer(Timer),
    /// [`MessageLoop::quit`] was called, or `PostQuitMessage`, with this code.
    Quit(i32),
}

/// Names a timer of a [`MessageLoop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timer(usize);

/// The message number of the first socket.
const FIRST: u32 = RUNG + 1;

impl<T, M> MessageLoop<T, M> {
    /// How many sockets a loop can have.
    pub const MAX: usize = (LAST - FIRST + 1) as usize;

    /// A loop without sockets, for the calling thread.
    pub fn new() -> Result<MessageLoop<T, M>> {
        start()?;
        let window = Window::new()?;
        Ok(MessageLoop {
            ledger: Ledger::new(),
            numbers: Vec::new(),
            free: VecDeque::new(),
            timers: Vec::new(),
            last_timer: 0,
            mailbox: Mailbox::new(Bell::Window(window.name())),
            window,
            _bound_to_thread: PhantomData,
        })
    }

    /// Takes in a socket. What it is ready for already is told (rule 98).
    ///
    /// [`WSAAsyncSelect`](https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaasyncselect)
    pub fn insert(
        &mut self,
        socket: impl Into<AnySocket>,
        token: T,
        interest: Interest,
    ) -> std::result::Result<Key, Rejected<T>> {
        let socket = socket.into();
        let selected = self.number().and_then(|number| {
            self.select(&socket, number).inspect_err(|_| self.free.push_front(number))?;
            Ok(number)
        });
        let number = match selected {
            Ok(number) => number,
            Err(error) => return Err(Rejected { socket, token, error }),
        };
        let key = self.ledger.insert(socket, token, interest, number);
        self.numbers[number] = Some(key);
        // A connect that has failed already is not told (rule 86).
        self.ledger.ask_whether_failed(key);
        Ok(key)
    }

    /// A number that is free.
    fn number(&mut self) -> Result<usize> {
        // A few are kept, so that none is used again at once.
        if self.free.len() > 16 || self.numbers.len() == Self::MAX {
            return self.free.pop_front().ok_or(Error::NO_BUFFER_SPACE);
        }
        self.numbers.push(None);
        Ok(self.numbers.len() - 1)
    }

    fn select(&self, socket: &AnySocket, number: usize) -> Result<()> {
        let (raw, message) = (socket.socket().raw(), FIRST + number as u32);
        // SAFETY: socket and window are open.
        winsock(unsafe { ws::WSAAsyncSelect(raw, self.window.raw(), message, selection(socket)) })?;
        socket.socket().mark(SELECTED);
        Ok(())
    }

    /// Gives a socket back, with its token. It is non-blocking now.
    pub fn remove(&mut self, key: Key) -> Option<(AnySocket, T)> {
        let entry = self.ledger.remove(key)?;
        // If that fails nobody minds: its messages have no meaning any more.
        let _ = entry.socket.socket().deselect();
        self.window.discard(FIRST + entry.place as u32);
        self.numbers[entry.place] = None;
        self.free.push_back(entry.place);
        Some((entry.socket, entry.token))
    }

    /// Changes what is of interest; `false` if there is no such socket.
    pub fn set_interest(&mut self, key: Key, interest: Interest) -> bool {
        self.ledger.set_interest(key, interest)
    }

    /// Waits until a socket is ready for what is of interest, a [`Poster`] has posted something, a
    /// timer is due, or the loop is to end. `None` if the time is up first; without a time-out it
    /// waits for ever.
    ///
    /// [`GetMessageW`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessagew)
    pub fn next(&mut self, timeout: Option<Duration>) -> Result<Option<Message<M>>> {
        let deadline = Deadline::after(timeout);
        let mut waited = false;
        loop {
            if let Some(ready) = self.ledger.tell() {
                return Ok(Some(Message::Ready(ready)));
            }
            if let Some(post) = self.mailbox.take() {
                return Ok(Some(Message::Post(post)));
            }
            let is_due = self.ledger.settle();
            if waited && !is_due && deadline.is_over() {
                return Ok(None);
            }
            let sent = self.window.receive(if is_due { 0 } else { deadline.ms() })?;
            if let Some(message) = sent.and_then(|sent| self.take(sent)) {
                return Ok(Some(message));
            }
            waited = true;
        }
    }

    /// Notes what a message tells of a socket; makes something of the others.
    fn take(&mut self, sent: Sent) -> Option<Message<M>> {
        match sent.message {
            WM_QUIT => Some(Message::Quit(sent.wparam as i32)),
            // One that was killed may have left a message.
            WM_TIMER if self.timers.contains(&sent.wparam) => {
                Some(Message::Timer(Timer(sent.wparam)))
            }
            WM_TIMER => None,
            // What the bell has rung for is in the mailbox.
            RUNG => None,
            number => {
                self.note((number - FIRST) as usize, sent);
                None
            }
        }
    }

    fn note(&mut self, number: usize, sent: Sent) {
        let Some(key) = self.numbers.get(number).copied().flatten() else { return };
        // Also what a connection has inherited from its listener comes under the listener's number.
        if self.ledger.get(key).is_some_and(|entry| entry.socket.socket().raw() == sent.wparam) {
            let event = sent.lparam as u32 & 0xffff;
            let error = (sent.lparam as u32 >> 16) as i32;
            self.ledger.note(key, event, |_| error);
        }
    }

    /// Starts a timer, which is due every so often. Windows' timers are not precise, and not
    /// shorter than 10 milliseconds.
    ///
    /// [`SetTimer`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-settimer)
    pub fn set_timer(&mut self, every: Duration) -> Result<Timer> {
        let id = self.last_timer + 1;
        let ms = millis(every).min(USER_TIMER_MAXIMUM);
        // SAFETY: the window is ours; no function is passed.
        if unsafe { SetTimer(self.window.raw(), id, ms, None) } == 0 {
            return Err(Error::last_win32());
        }
        self.last_timer = id;
        self.timers.push(id);
        Ok(Timer(id))
    }

    /// Stops a timer; `false` if it was not running. It is not handed out any more.
    ///
    /// [`KillTimer`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-killtimer)
    pub fn kill_timer(&mut self, timer: Timer) -> bool {
        let Some(at) = self.timers.iter().position(|id| *id == timer.0) else { return false };
        self.timers.swap_remove(at);
        // SAFETY: the window is ours.
        unsafe { KillTimer(self.window.raw(), timer.0) };
        true
    }

    /// Has [`Message::Quit`] handed out, when there are no other messages. On Windows other loops
    /// of the thread would see it as well.
    ///
    /// [`PostQuitMessage`](https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postquitmessage)
    pub fn quit(&self, code: i32) {
        // SAFETY: no memory is passed.
        unsafe { PostQuitMessage(code) };
    }
}

impl<T, M> Drop for MessageLoop<T, M> {
    fn drop(&mut self) {
        drop(self.mailbox.close());
    }
}

sets!(MessageLoop);
