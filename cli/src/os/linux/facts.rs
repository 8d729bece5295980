//! What this kernel, and what surrounds this process, allow: asked by trying.

use std::ffi::{CStr, c_int};
use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr;

use super::super::Fact;
use super::{allowed_cores, checked, descriptor_limits, field};

pub fn facts() -> Vec<Fact> {
    vec![
        Fact::new("system", system()),
        Fact::new("cores", cores()),
        Fact::new("descriptors", descriptors()),
        Fact::new("epoll", answer(epoll(), "")),
        Fact::new("epoll_pwait2", answer(epoll_pwait2(), "waits counted in nanoseconds")),
        Fact::new("futex_waitv", answer(futex_waitv(), "one wait for many events")),
        Fact::new("io_uring", io_uring()),
        Fact::new("seccomp", seccomp()),
    ]
}

/// The system's name, release and architecture.
pub fn system() -> String {
    // SAFETY: all-zero is a valid utsname, and it lives through the call.
    let name = unsafe {
        let mut name: libc::utsname = std::mem::zeroed();
        libc::uname(&mut name);
        name
    };
    // SAFETY: the call filled the fields with strings that end in a zero.
    let text = |field: &[libc::c_char]| unsafe {
        CStr::from_ptr(field.as_ptr()).to_string_lossy().into_owned()
    };
    format!("{} {} {}", text(&name.sysname), text(&name.release), text(&name.machine))
}

/// The processor's model, as far as the kernel tells.
pub fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

fn cores() -> String {
    // SAFETY: no pointers are passed.
    let online = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
    format!("{online} online, {} allowed to this process", allowed_cores().len())
}

fn descriptors() -> String {
    match descriptor_limits() {
        Ok((soft, hard)) => format!("{soft}, which the commands raise to the hard limit of {hard}"),
        Err(error) => error.to_string(),
    }
}

fn answer(result: io::Result<()>, good_for: &str) -> String {
    match result {
        Ok(()) if good_for.is_empty() => "yes".into(),
        Ok(()) => format!("yes: {good_for}"),
        Err(error) => format!("no: {}", reason(&error)),
    }
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => "this kernel, or a seccomp filter, does not have it (ENOSYS)".into(),
        Some(libc::EPERM) => "not permitted, as container profiles do (EPERM)".into(),
        Some(_) | None => error.to_string(),
    }
}

fn epoll() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(own).map(drop)
}

fn epoll_pwait2() -> io::Result<()> {
    // SAFETY: no pointers are passed.
    let epoll = own(checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?);
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let fd = std::os::fd::AsRawFd::as_raw_fd(&epoll);
    // SAFETY: one event and the time live through the call; no signal mask.
    let result = unsafe {
        libc::syscall(libc::SYS_epoll_pwait2, fd, &raw mut event, 1, &now, ptr::null::<()>(), 8)
    };
    checked(result as c_int).map(drop)
}

fn futex_waitv() -> io::Result<()> {
    let none = ptr::null::<()>();
    // SAFETY: no entries are passed: a kernel that has the call refuses that as invalid.
    let result = unsafe { libc::syscall(libc::SYS_futex_waitv, none, 0, 0, none, 0) };
    match checked(result as c_int) {
        Err(error) if error.raw_os_error() != Some(libc::EINVAL) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn io_uring() -> String {
    let switch = fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
    let switch = match switch.as_deref().map(str::trim) {
        Ok("0") => "kernel.io_uring_disabled = 0".to_string(),
        Ok("1") => "kernel.io_uring_disabled = 1: for privileged processes only".into(),
        Ok(other) => format!("kernel.io_uring_disabled = {other}: for nobody"),
        Err(_) => "kernel.io_uring_disabled is not known here".into(),
    };
    let can = match winsock_sys::linux::probe_ring() {
        Ok(()) => "yes: a ring was set up, and received a byte".to_string(),
        Err(error) => format!("no: {}", reason(&error)),
    };
    format!("{can} ({switch})")
}

fn seccomp() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    match field(&status, "Seccomp:") {
        Some(0) => "no filter".into(),
        Some(_) => "a filter decides which system calls are allowed".into(),
        None => "not known".into(),
    }
}

fn own(fd: c_int) -> OwnedFd {
    // SAFETY: only called on descriptors that a call has just made for us.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
