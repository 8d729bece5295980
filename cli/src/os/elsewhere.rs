//! Other systems: what is not known there is said, not invented.

use std::io;
use std::time::Duration;

use socket2::Socket;

use super::Usage;

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

pub fn usage(_pid: u32) -> io::Result<Usage> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "what a process costs is read on Linux only"))
}
