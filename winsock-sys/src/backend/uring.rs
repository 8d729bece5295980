//! The ring: what io_uring carries out for the driver.
//!
//! A receive that has to wait on a connection is given to the kernel as it is, buffer and all
//! ([`Ring::launch`]), and comes back finished: no report that there is something, no call to fetch
//! it. Launching costs no system call of its own either: what is launched is submitted with the
//! leader's next wait, in the same `io_uring_enter`. Whatever else waits for readiness (datagrams,
//! connects, accepts, selected sockets) stays in the epoll set, whose descriptor the ring polls.
//!
//! Any thread launches, under one lock; only the leader takes what has landed. Each landing is told
//! by the word it was launched with.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use io_uring::{EnterFlags, IoUring, Probe, opcode, squeue, types};

use crate::sync::{Mutex, lock};

/// Entries of the submission queue: one that is full is submitted and used again.
const SUBMISSIONS: u32 = 512;
/// Entries of the completion queue. More than fit are kept by the kernel, and counted here.
const COMPLETIONS: u32 = 8192;

/// Words that no launch has: see [`crate::handle::Ref::lend`].
const NOTHING: u64 = 0;
const POLLER: u64 = 1;

/// The kernel's flags for a receive that shall wait before its first attempt.
const POLL_FIRST: u16 = 1;

/// What the kernel has finished.
#[derive(Clone, Copy, Debug)]
pub struct Landing {
    pub word: u64,
    /// A count of bytes, or a negative error number.
    pub result: i32,
}

/// What one wait has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    Landings,
    /// The epoll set has reports, beside the landings.
    Reports,
}

pub struct Ring {
    ring: IoUring,
    /// Held by whoever touches the submission queue.
    submission: Mutex<()>,
    /// The leader is in its wait or about to be: what is launched now has to be submitted.
    asleep: AtomicBool,
    /// The ring polls the epoll set; only the leader changes it.
    polls: AtomicBool,
    wait_flags: EnterFlags,
    overflows: AtomicU64,
}

impl Ring {
    /// A ring that has shown that it works; or why there is none.
    pub fn new() -> io::Result<Ring> {
        let ring = Ring::set_up()?;
        ring.check()?;
        Ok(ring)
    }

    fn set_up() -> io::Result<Ring> {
        let build = |with_array: bool| {
            let mut builder = IoUring::builder();
            // COOP_TASKRUN (5.19) keeps the kernel from interrupting a thread that runs user code;
            // what it has to do there is done at its next system call, or at the next tick.
            builder.setup_clamp().setup_cqsize(COMPLETIONS).setup_submit_all().setup_coop_taskrun();
            if !with_array {
                builder.setup_no_sqarray();
            }
            builder.build(SUBMISSIONS)
        };
        let ring = build(false).or_else(|error| match error.raw_os_error() {
            Some(libc::EINVAL) => build(true), // Before 6.6.
            _ => Err(error),
        })?;
        let features = ring.params();
        let mut wait_flags = EnterFlags::GETEVENTS | EnterFlags::EXT_ARG;
        if features.is_feature_no_iowait() {
            wait_flags |= EnterFlags::NO_IOWAIT;
        }
        if !(features.is_feature_nodrop() && features.is_feature_ext_arg()) {
            return Err(io::Error::from_raw_os_error(libc::ENOSYS));
        }
        let mut probe = Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let needed = [
            opcode::Nop::CODE,
            opcode::Recv::CODE,
            opcode::PollAdd::CODE,
            opcode::AsyncCancel::CODE,
        ];
        if !needed.iter().all(|&code| probe.is_supported(code)) {
            return Err(io::Error::from_raw_os_error(libc::ENOSYS));
        }
        Ok(Ring {
            ring,
            submission: Mutex::new(()),
            asleep: AtomicBool::new(false),
            polls: AtomicBool::new(false),
            wait_flags,
            overflows: AtomicU64::new(0),
        })
    }

    /// What a filter of system calls lets through is known by trying: nothing, and a receive that
    /// waits for a byte and gets it.
    fn check(&self) -> io::Result<()> {
        use std::io::Write;
        let (mut here, there) = std::os::unix::net::UnixStream::pair()?;
        let mut byte = Box::new(0u8);
        self.push(opcode::Nop::new().build().user_data(8));
        self.launch(16, there.as_raw_fd(), &raw mut *byte, 1);
        self.try_submit()?;
        here.write_all(&[42])?;
        let mut landed = Vec::new();
        for _ in 0..3 {
            if landed.len() < 2 {
                self.enter(2 - landed.len() as u32, Some(1_000_000_000))?;
                self.take(&mut landed);
            }
        }
        if landed.len() < 2 {
            std::mem::forget(byte); // The receive may still write.
            return Err(io::Error::from_raw_os_error(libc::ETIME));
        }
        let failed = landed.iter().find(|landing| landing.result < 0);
        match failed {
            Some(landing) => Err(io::Error::from_raw_os_error(-landing.result)),
            None if *byte == 42 => Ok(()),
            None => Err(io::Error::from_raw_os_error(libc::EIO)),
        }
    }

    /// Gives a receive to the kernel, now or with the leader's next wait. The memory is lent until
    /// its landing has been taken.
    pub fn launch(&self, word: u64, fd: RawFd, base: *mut u8, len: u32) {
        let receive = opcode::Recv::new(types::Fd(fd), base, len);
        self.push(receive.ioprio(POLL_FIRST).build().user_data(word));
        // Either we see the leader asleep, or it sees what we have pushed.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) {
            self.submit();
        }
    }

    /// Asks for what was launched with this word to land soon. The kernel knows of it when this
    /// returns.
    pub fn recall(&self, word: u64) {
        self.push(opcode::AsyncCancel::new(word).build().user_data(NOTHING));
        self.submit();
    }

    /// Makes the leader's wait end, or its next one.
    pub fn kick(&self) {
        self.push(opcode::Nop::new().build().user_data(NOTHING));
        self.submit();
    }

    /// Tells the kernel what has been launched so far.
    pub fn submit(&self) {
        while let Err(error) = self.try_submit() {
            // It wants its completions to be taken, or memory: both pass.
            debug_assert_ne!(error.raw_os_error(), Some(libc::EBADF));
            std::thread::yield_now();
        }
    }

    /// Waits until something has landed, and takes what has. Only the leader calls it.
    pub fn wait(
        &self,
        poller: RawFd,
        timeout_ns: Option<u64>,
        landings: &mut Vec<Landing>,
    ) -> Brought {
        if !self.polls.swap(true, Ordering::Relaxed) {
            let input = opcode::PollAdd::new(types::Fd(poller), libc::POLLIN as u32);
            self.push(input.build().user_data(POLLER));
        }
        let looks_only = timeout_ns == Some(0) || self.has_landings();
        if looks_only {
            if self.queued() > 0 || !self.has_landings() {
                let _ = self.enter(0, None);
            }
        } else {
            self.asleep.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            // Interrupted, out of time: whatever ends it, the caller looks around.
            let _ = self.enter(1, timeout_ns);
            self.asleep.store(false, Ordering::Relaxed);
        }
        match self.take(landings) {
            true => {
                self.polls.store(false, Ordering::Relaxed);
                Brought::Reports
            }
            false => Brought::Landings,
        }
    }

    /// How often the kernel had more to say than the completion queue holds. It keeps the rest.
    pub fn overflows(&self) -> u64 {
        self.overflows.load(Ordering::Relaxed)
    }

    fn push(&self, entry: squeue::Entry) {
        loop {
            {
                let _held = lock(&self.submission);
                // SAFETY: nobody else touches the queue, as we hold its lock; what an entry lends
                // is the word of whoever made it.
                if unsafe { self.ring.submission_shared().push(&entry) }.is_ok() {
                    return;
                }
            }
            self.submit();
        }
    }

    fn queued(&self) -> u32 {
        let _held = lock(&self.submission);
        // SAFETY: nobody else touches the queue, as we hold its lock.
        let queue = unsafe { self.ring.submission_shared() };
        if queue.cq_overflow() {
            self.overflows.fetch_add(1, Ordering::Relaxed);
        }
        queue.len() as u32
    }

    fn try_submit(&self) -> io::Result<()> {
        loop {
            let queued = self.queued();
            if queued == 0 {
                return Ok(());
            }
            // SAFETY: no argument is passed, and what the entries lend their makers vouch for.
            let entered = unsafe { self.ring.submitter().enter::<()>(queued, 0, 0, None) };
            match entered {
                Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
                other => other.map(drop)?,
            }
        }
    }

    /// Submits what is queued and waits for so many completions.
    fn enter(&self, wanted: u32, timeout_ns: Option<u64>) -> io::Result<()> {
        let queued = self.queued();
        let time = timeout_ns.map(|ns| {
            types::Timespec::new().sec(ns / 1_000_000_000).nsec((ns % 1_000_000_000) as u32)
        });
        let argument = types::SubmitArgs::new();
        let argument = match &time {
            Some(time) => argument.timespec(time),
            None => argument,
        };
        let flags = self.wait_flags.bits();
        // SAFETY: argument and time outlive the call, and what the entries lend their makers vouch
        // for.
        let entered =
            unsafe { self.ring.submitter().enter(queued, wanted, flags, Some(&argument)) };
        match entered {
            Err(error) if error.raw_os_error() == Some(libc::ETIME) => Ok(()),
            other => other.map(drop),
        }
    }

    fn has_landings(&self) -> bool {
        // SAFETY: only the leader looks at the completion queue.
        !unsafe { self.ring.completion_shared() }.is_empty()
    }

    /// Takes what has landed. True when the epoll set has reports.
    fn take(&self, landings: &mut Vec<Landing>) -> bool {
        // SAFETY: only the leader touches the completion queue.
        let completions = unsafe { self.ring.completion_shared() };
        let mut reports = false;
        for entry in completions {
            match entry.user_data() {
                NOTHING => {}
                POLLER => reports = true,
                word => landings.push(Landing { word, result: entry.result() }),
            }
        }
        reports
    }
}
