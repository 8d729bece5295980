//! Blocking calls: the thread sleeps in `ppoll` on its one descriptor.
//!
//! Two things must reach it there: closing the socket from another thread, and an APC, since a
//! blocking call waits alertably inside (rule 108). Both arrive as the alert signal, which the
//! thread blocks except inside `ppoll` itself, so that it cannot come a moment too early and be
//! lost.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::sync::LazyLock;

use windows_sys::Win32::Networking::WinSock::{WSAEINTR, WSAETIMEDOUT};

use crate::backend::fake;
use crate::error::Code;
use crate::park::Bed;
use crate::socket::Socket;
use crate::thread::{self, Waiting};
use crate::wait::Deadline;

/// Waits until `fd`, the socket's descriptor, shows one of `events` (POLLIN, POLLOUT). May return
/// early: the caller tries its call again. WSAETIMEDOUT at the deadline; WSAEINTR when the socket
/// has been closed meanwhile (rule 11).
pub fn wait(socket: &Socket, fd: RawFd, events: i16, deadline: Deadline) -> Result<(), Code> {
    let _waiting = Waiting::begin();
    let thread = thread::current();
    let _listed = socket.list_blocked(&thread)?;
    loop {
        if thread.run_apcs() {
            return Ok(());
        }
        let Some(timeout_ns) = deadline.left_ns() else { return Err(Code::wsa(WSAETIMEDOUT)) };
        if thread.parker.enter(Bed::Blocked) {
            let ready = poll(fd, events, timeout_ns);
            thread.parker.leave();
            if ready {
                return Ok(());
            }
        }
        if socket.is_closed() {
            return Err(Code::wsa(WSAEINTR));
        }
    }
}

/// True when the descriptor is ready; false when the time is up or something else woke us.
fn poll(fd: RawFd, events: i16, timeout_ns: Option<u64>) -> bool {
    if let Some(kernel) = fake::kernel() {
        return kernel.wait_one(fd, events, timeout_ns);
    }
    let mask = mask_with_alerts();
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    let timeout = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: entry, timeout and mask outlive the call.
    unsafe { libc::ppoll(&mut entry, 1, timeout, &mask) > 0 }
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
