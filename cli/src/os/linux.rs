//! Linux: system calls and /proc.

mod facts;

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use socket2::Socket;

use super::Footprint;
pub use facts::{facts, processor, system};

/// The backend that this process's sockets use; `Err` is a choice that there is none for.
pub fn backend() -> Result<&'static str, &'static str> {
    winsock_sys::linux::backend()
}

/// Whether a listener of this process has clients waiting for want of a descriptor.
pub fn accepts_are_starved() -> bool {
    winsock_sys::linux::accepts_are_starved()
}

/// Raises this process's soft limit of descriptors to the hard one, which is returned.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let (_, hard) = descriptor_limits()?;
    let limit = libc::rlimit { rlim_cur: hard, rlim_max: hard };
    // SAFETY: `limit` lives through the call.
    checked(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) })?;
    Ok(hard)
}

/// How many descriptors this process may open: the soft limit and the hard one.
fn descriptor_limits() -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives through the call.
    checked(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

/// How many threads can be had before their stacks take the last of the process's memory maps: a
/// thread that starts without any left takes the process down. Each has two for its stack and two
/// for the stack of its signal handlers.
pub fn most_threads() -> usize {
    let text = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    let maps: usize = text.trim().parse().unwrap_or(65_530);
    maps / 5
}

/// Has the allocator return what it keeps of freed memory.
pub fn give_memory_back() {
    // The C library of musl has no such call, and keeps less.
    #[cfg(target_env = "gnu")]
    // SAFETY: it takes a number, and locks what it touches.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// The cores this process may run on.
pub fn allowed_cores() -> Vec<usize> {
    // SAFETY: all-zero is an empty set, and it lives through the call.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&set), &mut set);
        set
    };
    // SAFETY: the numbers are below the size of the set.
    let allowed = |core: &usize| unsafe { libc::CPU_ISSET(*core, &set) };
    (0..libc::CPU_SETSIZE as usize).filter(allowed).collect()
}

/// How many threads have been running or waiting for a core, on average over the last minute.
pub fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// Keeps this thread, and processes it starts from now on, on one core.
pub fn pin(core: usize) -> io::Result<()> {
    // SAFETY: all-zero is an empty set; the number came from `allowed_cores`, so it is below the
    // size of the set, which lives through the call.
    checked(unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set)
    })
    .map(drop)
}

/// Has the process that `command` will start asked to stop when this one ends, however it ends.
pub fn end_with_us(command: &mut Command) {
    // SAFETY: the closure makes one system call, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(|| checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM)).map(drop));
    }
}

/// Asks a process to stop.
pub fn ask_to_stop(pid: u32) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    checked(unsafe { libc::kill(pid as libc::pid_t, libc::SIGTERM) }).map(drop)
}

/// Lets `bind` choose an address and leave the port to `connect`, which knows the whole pair and
/// may share a port between targets.
pub fn choose_port_late(socket: &Socket) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = size_of_val(&on) as libc::socklen_t;
    let fd = socket.as_raw_fd();
    // SAFETY: pointer and length are those of `on`; `socket` keeps the descriptor open.
    checked(unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            length,
        )
    })
    .map(drop)
}

/// Whether this is how a non-blocking `connect` says that it goes on in the background.
pub fn is_connecting(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Waits for events more finely than the millisecond that epoll_wait counts in.
pub fn wait_briefly(poll: &mio::Poll, time: Duration) -> io::Result<()> {
    let mut entry = libc::pollfd { fd: poll.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let time = libc::timespec {
        tv_sec: time.as_secs() as libc::time_t,
        tv_nsec: time.subsec_nanos().into(),
    };
    // SAFETY: one entry, which lives through the call, as does `time`; no signal mask.
    match checked(unsafe { libc::ppoll(&mut entry, 1, &time, std::ptr::null()) }) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What the process holds now. Takes long if it has many mappings.
pub fn footprint(pid: u32) -> io::Result<Footprint> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(Footprint {
        memory: field(&rollup, "Anonymous:").unwrap_or(0) * 1024,
        threads: field(&status, "Threads:").unwrap_or(0),
    })
}

/// CPU time of all the process's threads, those that ended too, user and system, in nanoseconds:
/// its CPU clock, where /proc/PID/stat counts ticks.
pub fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut clock: libc::clockid_t = 0;
    // SAFETY: `clock` lives through the call.
    match unsafe { libc::clock_getcpuclockid(pid as libc::pid_t, &mut clock) } {
        0 => {}
        code => return Err(io::Error::from_raw_os_error(code)),
    }
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` lives through the call.
    checked(unsafe { libc::clock_gettime(clock, &mut time) })?;
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// The first number after `name` at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
