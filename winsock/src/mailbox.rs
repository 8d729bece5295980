//! What other threads hand to a thread that waits in a model of its own.

use std::collections::VecDeque;
use std::fmt;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use winsock_sys::Win32::Foundation::{CloseHandle, DUPLICATE_SAME_ACCESS, DuplicateHandle, HANDLE};
use winsock_sys::Win32::System::Threading::{GetCurrentProcess, GetCurrentThread, QueueUserAPC};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::udp::UdpSocket;
use crate::window::WindowName;

/// Hands tokens to the thread that a model is bound to, and wakes it if it waits.
///
/// It may be cloned, kept, and used by any thread, also after the model is gone. A server uses it
/// to pass on connections that another thread has accepted, and to say that it is time to stop.
pub struct Poster<T> {
    mailbox: Arc<Mailbox<T>>,
}

impl<T> Poster<T> {
    /// Hands over `token`; gives it back if the model is gone.
    ///
    /// What was posted and not taken is dropped with the model.
    pub fn post(&self, token: T) -> std::result::Result<(), T> {
        self.post_from(token)
    }

    /// The same for what only becomes a token if it is taken.
    pub(crate) fn post_from<V: Into<T>>(&self, value: V) -> std::result::Result<(), V> {
        let mut letters = self.mailbox.lock();
        if !letters.open {
            return Err(value);
        }
        letters.queue.push_back(value.into());
        if !self.mailbox.filled.swap(true, Ordering::Release) {
            // Under the lock, so that what is rung for is still there.
            self.mailbox.bell.ring();
        }
        Ok(())
    }
}

impl<T> Clone for Poster<T> {
    fn clone(&self) -> Poster<T> {
        Poster { mailbox: self.mailbox.clone() }
    }
}

impl<T> fmt::Debug for Poster<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster").finish_non_exhaustive()
    }
}

/// How to end the wait of the thread that the mailbox belongs to.
pub(crate) enum Bell {
    /// It waits for this event, among others.
    Event(Event),
    /// It waits alertably.
    Thread(ThreadHandle),
    /// It waits for this socket, among others, to have received something. What is sent with it
    /// comes back to it.
    Socket(UdpSocket),
    /// It retrieves the messages of this window.
    Window(WindowName),
}

impl Bell {
    fn ring(&self) {
        match self {
            Bell::Event(event) => event.set(),
            Bell::Thread(thread) => thread.nudge(),
            Bell::Socket(socket) => {
                // There is no room only if something has come already.
                let _ = socket.send(&[0]);
            }
            Bell::Window(window) => window.ring(),
        }
    }
}

/// The model's end.
pub(crate) struct Mailbox<T> {
    letters: Mutex<Letters<T>>,
    /// There are letters, and the bell was rung for them. Apart from the lock, so that looking is
    /// cheap.
    filled: AtomicBool,
    pub bell: Bell,
}

struct Letters<T> {
    queue: VecDeque<T>,
    open: bool,
}

impl<T> Mailbox<T> {
    pub fn new(bell: Bell) -> Arc<Mailbox<T>> {
        let letters = Letters { queue: VecDeque::new(), open: true };
        Arc::new(Mailbox { letters: Mutex::new(letters), filled: AtomicBool::new(false), bell })
    }

    pub fn poster(self: &Arc<Self>) -> Poster<T> {
        Poster { mailbox: self.clone() }
    }

    /// The oldest letter.
    #[inline]
    pub fn take(&self) -> Option<T> {
        if self.filled.load(Ordering::Acquire) { self.take_first() } else { None }
    }

    #[cold]
    fn take_first(&self) -> Option<T> {
        let mut letters = self.lock();
        let first = letters.queue.pop_front();
        if letters.queue.is_empty() {
            self.filled.store(false, Ordering::Relaxed);
        }
        first
    }

    /// No more letters. What has come and was not taken is returned, to be dropped without the
    /// lock.
    pub fn close(&self) -> VecDeque<T> {
        let mut letters = self.lock();
        letters.open = false;
        std::mem::take(&mut letters.queue)
    }

    /// A panic under the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Letters<T>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names a thread, also after its end.
pub(crate) struct ThreadHandle {
    raw: HANDLE,
}

// SAFETY: a HANDLE is a name, not memory; APCs may be queued from any thread.
unsafe impl Send for ThreadHandle {}
// SAFETY: as above.
unsafe impl Sync for ThreadHandle {}

impl ThreadHandle {
    /// The calling thread's.
    ///
    /// [`DuplicateHandle`](https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle)
    pub fn current() -> Result<ThreadHandle> {
        let mut raw = ptr::null_mut();
        // SAFETY: both pseudo-handles are valid; `raw` outlives the call.
        let done = unsafe {
            let (process, thread) = (GetCurrentProcess(), GetCurrentThread());
            DuplicateHandle(process, thread, process, &mut raw, 0, 0, DUPLICATE_SAME_ACCESS)
        };
        if done == 0 { Err(Error::last_win32()) } else { Ok(ThreadHandle { raw }) }
    }

    /// Ends the alertable wait that the thread is in, or the next one.
    ///
    /// [`QueueUserAPC`](https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc)
    fn nudge(&self) {
        unsafe extern "system" fn nothing(_: usize) {}
        // SAFETY: the function does nothing, whenever it is called. It is not queued if the thread
        // has ended (rule 109), which then waits for nothing.
        unsafe { QueueUserAPC(Some(nothing), self.raw, 0) };
    }
}

impl Drop for ThreadHandle {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used afterwards.
        unsafe { CloseHandle(self.raw) };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Option<Duration> = Some(Duration::ZERO);

    fn rung(mailbox: &Mailbox<u32>) -> bool {
        let Bell::Event(event) = &mailbox.bell else { unreachable!() };
        event.wait(NOW).unwrap()
    }

    #[test]
    fn the_bell_rings_for_the_first_letter_only() {
        let mailbox = Mailbox::new(Bell::Event(Event::auto_reset().unwrap()));
        let poster = mailbox.poster();
        assert_eq!(mailbox.take(), None);
        for round in 0..3 {
            poster.post(round).unwrap();
            assert!(rung(&mailbox));
            poster.clone().post(7).unwrap();
            assert!(!rung(&mailbox));
            assert_eq!((mailbox.take(), mailbox.take()), (Some(round), Some(7)));
            assert_eq!(mailbox.take(), None);
        }
    }

    #[test]
    fn a_closed_mailbox_gives_letters_back() {
        let mailbox = Mailbox::new(Bell::Event(Event::auto_reset().unwrap()));
        let poster = mailbox.poster();
        poster.post(1).unwrap();
        assert_eq!(mailbox.close(), [1]);
        assert_eq!(poster.post(2), Err(2));
        assert!(rung(&mailbox), "for the first");
    }
}
