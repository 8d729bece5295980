//! The backend of the models.

use std::os::fd::RawFd;
use std::sync::Arc;

use crate::backend::Nap;
use crate::port::Port;
use crate::sys::Errno;
use crate::thread::Thread;

/// A driver without a kernel: threads sleep in their parkers, and reports come from the model.
pub struct Driver {
    pub watch: Watch,
}

impl Driver {
    pub fn new() -> Result<Driver, Errno> {
        Ok(Driver { watch: Watch })
    }

    pub fn probe_ring() -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    pub fn register(&self, _fd: RawFd, _token: usize) -> Result<(), Errno> {
        Ok(())
    }

    pub fn kick(&self) {
        unreachable!("nobody leads this driver");
    }

    pub fn hand_out(&self, _thread: &Arc<Thread>) -> bool {
        false
    }

    pub fn sleep(&self, thread: &Arc<Thread>, nap: Nap) -> bool {
        if nap.timeout_ns != Some(0) {
            thread.parker.park(nap.timeout_ns);
        }
        false
    }

    /// Never the tick that a socket compares it with, so that each operation is tried when issued.
    pub fn reaped_at(&self) -> u32 {
        0
    }

    /// Nothing is ever found drained in an earlier round: each operation asks.
    pub fn round(&self) -> u32 {
        0
    }

    pub fn note_parked(&self) {}

    pub fn note_served(&self) {}

    pub fn carries_receives(&self) -> bool {
        false
    }

    pub fn launch(&self, _word: u64, _fd: RawFd, _base: *mut u8, _len: u32) {
        unreachable!("this driver carries nothing");
    }

    pub fn recall(&self, _word: u64) {
        unreachable!("this driver carries nothing");
    }

    pub fn flush(&self) {}

    pub fn overflows(&self) -> u64 {
        0
    }
}

/// A watch that looks away: what it would do on time is not modelled.
pub struct Watch;

impl Watch {
    pub fn add_port(&self, _port: &Arc<Port>) {}

    pub fn add_starved(&self, _token: usize) {}

    pub fn feed(&self) {}

    pub fn is_hungry(&self) -> bool {
        false
    }
}
