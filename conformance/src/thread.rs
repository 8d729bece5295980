//! Threads that have a HANDLE, and the calls that can be queued to them.

use std::ffi::c_void;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::ptr::null;
use std::time::{Duration, Instant};

use winsock_sys::Win32::Foundation::{CloseHandle, HANDLE, WAIT_OBJECT_0};
use winsock_sys::Win32::System::Threading::{CreateThread, GetCurrentThread, QueueUserAPC};

use crate::{NEVER, SOON, last_error, wait};

type Job = Box<dyn FnOnce() + Send>;

/// A thread started with `CreateThread`; its handle is closed when dropped.
///
/// A panic in it ends the process: assert what it found out elsewhere.
#[derive(Debug)]
pub struct Thread(HANDLE);

// SAFETY: a HANDLE is a name, not memory; every function that takes one may be called anywhere.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

impl Thread {
    #[track_caller]
    pub fn start(job: impl FnOnce() + Send + 'static) -> Thread {
        unsafe extern "system" fn main(job: *mut c_void) -> u32 {
            // SAFETY: `start` passes a box, and passes it on to this thread alone.
            let job = unsafe { Box::from_raw(job.cast::<Job>()) };
            job();
            0
        }

        let job: *mut Job = Box::into_raw(Box::new(Box::new(job)));
        // SAFETY: `main` takes back the box that is passed.
        let raw =
            unsafe { CreateThread(null(), 0, Some(main), job.cast(), 0, std::ptr::null_mut()) };
        assert!(!raw.is_null(), "no thread: {}", last_error());
        Thread(raw)
    }

    /// Waits until the thread has ended.
    #[track_caller]
    pub fn join(&self) {
        assert_eq!(wait(self.0, SOON), WAIT_OBJECT_0, "the thread has not ended");
    }
}

impl Deref for Thread {
    type Target = HANDLE;

    fn deref(&self) -> &HANDLE {
        &self.0
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: CloseHandle takes any value.
        unsafe { CloseHandle(self.0) };
    }
}

/// Sleeps long enough for other threads to get into the wait that they are about to begin: where
/// the system tells, until each has been on its way and come to sleep.
pub fn pause() {
    let turns = Turns::begin();
    std::thread::sleep(Duration::from_millis(2 * u64::from(NEVER)));
    turns.wait();
}

/// The threads of the process that have not come to sleep yet, each with the time that it had
/// computed for at first.
struct Turns(Vec<(PathBuf, u64)>);

impl Turns {
    /// A thread that computes for so long, in nanoseconds, is not on its way to a wait.
    const ENOUGH: u64 = 50_000_000;

    fn begin() -> Turns {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let me = fs::read_link("/proc/thread-self").unwrap_or_default();
        let others = tasks.filter(|task| Some(&*task.file_name()) != me.file_name());
        let with_time = |path: PathBuf| computed(&path).map(|time| (path, time));
        Turns(others.filter_map(|task| with_time(task.path())).collect())
    }

    fn wait(mut self) {
        let start = Instant::now();
        loop {
            self.0.retain(|(task, before)| {
                let now = computed(task);
                now.is_some_and(|now| now < before + Turns::ENOUGH) && !sleeps(task)
            });
            if self.0.is_empty() || start.elapsed() >= Duration::from_millis(SOON.into()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// How long a thread has computed, in nanoseconds; `None` if it has ended, or nobody counts.
fn computed(task: &Path) -> Option<u64> {
    fs::read_to_string(task.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
}

/// Whether a thread sleeps, or has ended.
fn sleeps(task: &Path) -> bool {
    let Ok(stat) = fs::read_to_string(task.join("stat")) else { return true };
    // The state stands behind the name, which may contain anything.
    stat.rsplit_once(") ").is_none_or(|(_, rest)| !rest.starts_with(['R', 'D']))
}

/// Whether `done` comes true soon; sleeps between two looks.
pub fn comes_true(done: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !done() {
        if start.elapsed() >= Duration::from_millis(SOON.into()) {
            return done();
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    true
}

/// Computes, without ever waiting in the system, until `done` or `ms` milliseconds have passed; the
/// last answer of `done`.
pub fn spin_until(ms: u32, done: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    while !done() {
        if start.elapsed() >= Duration::from_millis(ms.into()) {
            return done();
        }
        std::hint::spin_loop();
    }
    true
}

/// The calling thread, as `GetCurrentThread` names it.
pub fn this_thread() -> HANDLE {
    // SAFETY: no memory is passed.
    unsafe { GetCurrentThread() }
}

/// Queues `call` to `thread` with `QueueUserAPC`; the Win32 error on refusal.
///
/// A panic in it ends the process: assert what it found out elsewhere.
pub fn queue_apc(thread: HANDLE, call: impl FnOnce() + Send + 'static) -> Result<(), u32> {
    unsafe extern "system" fn run(call: usize) {
        let call = std::ptr::with_exposed_provenance_mut::<Job>(call);
        // SAFETY: `queue_apc` queues each box once.
        let call = unsafe { Box::from_raw(call) };
        call();
    }

    let call: *mut Job = Box::into_raw(Box::new(Box::new(call)));
    // SAFETY: `run` takes back the box that is passed.
    if unsafe { QueueUserAPC(Some(run), thread, call.expose_provenance()) } != 0 {
        return Ok(());
    }
    let error = last_error();
    // SAFETY: the call was refused, so nobody else has the box.
    drop(unsafe { Box::from_raw(call) });
    Err(error)
}
