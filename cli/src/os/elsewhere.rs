//! Other systems: what is not known there is said, not invented.

use std::io;
use std::process::Command;
use std::time::Duration;

use socket2::Socket;

use super::{Fact, Footprint};

pub fn facts() -> Vec<Fact> {
    vec![Fact::new("system", system())]
}

pub fn system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

pub fn processor() -> Option<String> {
    None
}

/// Memory is the only limit.
pub fn most_threads() -> usize {
    usize::MAX
}

/// The allocator does as it sees fit.
pub fn give_memory_back() {}

/// Which cores are allowed is not known, so nothing is pinned.
pub fn allowed_cores() -> Vec<usize> {
    Vec::new()
}

/// Not counted.
pub fn load_average() -> Option<f64> {
    None
}

pub fn pin(_core: usize) -> io::Result<()> {
    Ok(())
}

pub fn end_with_us(_command: &mut Command) {}

pub fn ask_to_stop(_pid: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Windows' own Winsock.
pub fn backend() -> Result<&'static str, &'static str> {
    Ok("winsock")
}

/// There is no limit that accepts could run into.
pub fn accepts_are_starved() -> bool {
    false
}

/// Windows sets a process no limit that a server meets.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Ports are shared between targets as the system sees fit.
pub fn choose_port_late(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// Whether this is how a non-blocking `connect` says that it goes on in the background.
pub fn is_connecting(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// The wait that follows counts in milliseconds here.
pub fn wait_briefly(_poll: &mio::Poll, _time: Duration) -> io::Result<()> {
    Ok(())
}

pub fn footprint(_pid: u32) -> io::Result<Footprint> {
    Err(unknown())
}

pub fn cpu_ns(_pid: u32) -> io::Result<u64> {
    Err(unknown())
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "what a process costs is read on Linux only")
}
