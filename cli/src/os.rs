//! What only the operating system can tell or do: limits, cores, the cost of another process.
//!
//! The one place with two versions. `linux` is complete; elsewhere the same functions do what the
//! standard library can, and say what is not to be had.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Footprint {
    /// Memory of its own, in bytes: anonymous pages in RAM, no files, nothing of the kernel's.
    pub memory: u64,
    pub threads: u64,
}

/// Something `winsock probe` says.
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

impl Fact {
    pub fn new(name: &'static str, value: impl Into<String>) -> Fact {
        Fact { name, value: value.into() }
    }
}
