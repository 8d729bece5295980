//! Windows' socket I/O functions under Windows' names, on Windows and on Linux.
//!
//! Skeleton; see the module map below.

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

#[cfg(target_os = "linux")]
#[allow(non_snake_case)]
pub mod Win32;
#[cfg(target_os = "linux")]
pub use windows_sys::core;
