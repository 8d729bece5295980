//! Blocking calls: the thread sleeps in `ppoll` on the descriptors that it waits for.
//!
//! Two things must reach it there: closing a socket from another thread, and an APC, since a
//! blocking call waits alertably inside (rule 108). Both arrive as the alert signal, which the
//! thread blocks except inside `ppoll` itself, so that it cannot come a moment too early and be
//! lost.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::sync::{Arc, LazyLock};

use libc::pollfd;
use windows_sys::Win32::Networking::WinSock::{WSAEINTR, WSAENOTSOCK, WSAETIMEDOUT};

use crate::backend::fake;
use crate::error::Code;
use crate::park::Bed;
use crate::socket::Socket;
use crate::thread::{self, Thread, Waiting};
use crate::wait::Deadline;

/// Waits until `fd`, the socket's descriptor, shows one of `events` (POLLIN, POLLOUT). May return
/// early: the caller tries its call again. WSAETIMEDOUT at the deadline; WSAEINTR when the socket
/// has been closed meanwhile (rule 11); THREAD_ENDS when the thread has been told to end.
pub fn wait(socket: &Socket, fd: RawFd, events: i16, deadline: Deadline) -> Result<(), Code> {
    let _waiting = Waiting::begin();
    let thread = thread::current();
    let _listed = socket.list_blocked(&thread)?;
    loop {
        if thread.is_condemned() {
            return Err(Code::THREAD_ENDS);
        }
        if thread.run_apcs() {
            return Ok(());
        }
        let Some(timeout_ns) = deadline.left_ns() else { return Err(Code::wsa(WSAETIMEDOUT)) };
        let mut entry = pollfd { fd, events, revents: 0 };
        if sleep(&thread, std::slice::from_mut(&mut entry), timeout_ns) > 0 {
            return Ok(());
        }
        if socket.is_closed() {
            return Err(Code::wsa(WSAEINTR));
        }
    }
}

/// Sleeps until descriptors show what is asked of them, and returns how many do; only then are the
/// entries' answers filled in. 0 when the time is up, when somebody has woken the thread, before
/// this call or in it, or for no reason at all.
pub fn sleep(thread: &Thread, entries: &mut [pollfd], timeout_ns: Option<u64>) -> usize {
    if !thread.parker.enter(Bed::Blocked) {
        return 0;
    }
    let ready = poll(entries, timeout_ns);
    thread.parker.leave();
    ready
}

fn poll(entries: &mut [pollfd], timeout_ns: Option<u64>) -> usize {
    if let Some(kernel) = fake::kernel() {
        return kernel.wait_any(entries, timeout_ns);
    }
    let mask = mask_with_alerts();
    let timeout = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: entries, timeout and mask outlive the call.
    let ready =
        unsafe { libc::ppoll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout, &mask) };
    ready.max(0) as usize
}

impl Socket {
    /// Lists the calling thread as blocked on this socket, so that closing it wakes the thread.
    pub fn list_blocked<'a>(&'a self, thread: &'a Arc<Thread>) -> Result<Listed<'a>, Code> {
        let mut state = self.lock();
        if state.closed {
            return Err(Code::wsa(WSAENOTSOCK));
        }
        state.extra().blocked.push(thread.clone());
        Ok(Listed { socket: self, thread })
    }

    /// Takes the thread off that list.
    pub fn unlist_blocked(&self, thread: &Arc<Thread>) {
        let mut state = self.lock();
        // Closing the socket has taken the list away.
        let Some(blocked) = state.blocked() else { return };
        if let Some(at) = blocked.iter().position(|other| Arc::ptr_eq(other, thread)) {
            blocked.swap_remove(at);
        }
    }
}

/// A thread's entry among the blocked ones.
pub struct Listed<'a> {
    socket: &'a Socket,
    thread: &'a Arc<Thread>,
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.socket.unlist_blocked(self.thread);
    }
}

/// Makes the thread's `ppoll` return.
pub fn alert(tid: i32) {
    if let Some(kernel) = fake::kernel() {
        return kernel.alert();
    }
    // SAFETY: no memory is passed; a thread that has ended meanwhile is an error without effect.
    // The signal's handler is in place before a thread can be in `ppoll`.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, alert_signal()) };
}

fn alert_signal() -> i32 {
    // Real-time signals near the top are the least used by programs and other libraries.
    libc::SIGRTMAX() - 3
}

/// The signal mask for `ppoll`: the thread's own, with the alert let through. The first call of a
/// thread blocks the alert everywhere else; the first of the process installs its handler.
fn mask_with_alerts() -> libc::sigset_t {
    thread_local! { static MASK: Cell<Option<libc::sigset_t>> = const { Cell::new(None) } }
    if let Some(mask) = MASK.get() {
        return mask;
    }
    extern "C" fn nothing(_signal: i32) {} // Interrupting `ppoll` is all that the signal is for.
    static HANDLER: LazyLock<()> = LazyLock::new(|| {
        // SAFETY: all zeroes is a valid sigaction; the handler does nothing, which is async-safe.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_flags = libc::SA_RESTART; // `ppoll` ends all the same.
            action.sa_sigaction = nothing as extern "C" fn(i32) as usize;
            libc::sigaction(alert_signal(), &action, std::ptr::null_mut());
        }
    });
    LazyLock::force(&HANDLER);
    // SAFETY: all zeroes is the empty set on Linux; the calls read and write only these sets.
    let mask = unsafe {
        let mut alert: libc::sigset_t = std::mem::zeroed();
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&mut alert, alert_signal());
        libc::pthread_sigmask(libc::SIG_BLOCK, &alert, &mut mask);
        libc::sigdelset(&mut mask, alert_signal());
        mask
    };
    MASK.set(Some(mask));
    mask
}
