//! The roll of threads: who has which number, and who is left.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::thread::Thread;

/// Every thread that has called the library, by the kernel's number, until nobody refers to it.
static ROLL: Mutex<Option<HashMap<i32, Weak<Thread>>>> = Mutex::new(None);

fn roll() -> MutexGuard<'static, Option<HashMap<i32, Weak<Thread>>>> {
    ROLL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread calls the library for the first time.
pub fn enter(thread: &Arc<Thread>) {
    roll().get_or_insert_default().insert(thread.tid, Arc::downgrade(thread));
}

/// Nobody refers to a thread any more. Its number may already be another's.
pub fn leave(thread: &Thread) {
    let mut roll = roll();
    let entered = roll.as_mut().and_then(|roll| Some((roll.get(&thread.tid)?.as_ptr(), roll)));
    if let Some((entered, roll)) = entered
        && std::ptr::eq(entered, thread)
    {
        roll.remove(&thread.tid);
    }
}

/// The thread of that number.
pub fn find(tid: i32) -> Option<Arc<Thread>> {
    roll().as_ref()?.get(&tid)?.upgrade()
}

/// The calling thread is no thread of the program any more, and has not been started by the
/// library, so that nobody knows how to leave its frames: they stay as they are. The main thread
/// ends the process with `code` when it is the last.
pub fn vanish(code: u32) -> ! {
    // SAFETY: these take no memory.
    let (pid, tid) = unsafe { (libc::getpid(), libc::gettid()) };
    if tid != pid {
        // SAFETY: the thread ends here, its stack stays: to everybody else it sleeps for ever. No
        // destructor runs, and the kernel tells whoever joins it.
        unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
    while is_accompanied(pid) {
        std::thread::sleep(Duration::from_millis(250));
    }
    std::process::exit(code as i32)
}

/// Whether the process has threads other than this one and the library's own.
fn is_accompanied(own: i32) -> bool {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return true };
    tasks.flatten().any(|task| {
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        let is_own = task.file_name().to_str() == Some(own.to_string().as_str());
        !is_own && !name.starts_with(OUR_THREADS) && !name.is_empty()
    })
}

/// What the names of the library's own threads begin with.
const OUR_THREADS: &str = "winsock-";
