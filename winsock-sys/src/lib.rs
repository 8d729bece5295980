//! Windows' socket I/O functions under Windows' names: real Winsock on Windows, native on Linux.
//!
//! A program written for [`windows-sys`](https://docs.rs/windows-sys) compiles against this crate by
//! swapping one line:
//!
//! ```toml
//! windows-sys = { package = "winsock-sys", version = "0.1", features =
//! ["Win32_Networking_WinSock"] }
//! ```
//!
//! On Windows everything here *is* windows-sys. On Linux types and constants are, and the functions
//! are ours, with Windows' semantics over epoll: [`Win32`] lists them where windows-sys has them.
//! What is declared works; Winsock functions that are not there yet cannot be named.
//!
//! # The map
//!
//! Seam A is this file: Windows plugs in at the API, by `windows.rs`. On Linux, top down:
//!
//! | module | what it holds |
//! |---|---|
//! | `win32` | the module tree of windows-sys |
//! | `start`, `handles`, `duplicate` | start-up, making and closing sockets and other handles |
//! | `files`, `file_io` | files and pipes: opening, reading, writing |
//! | `catalogue`, `by_name` | the protocols there are; connecting by name and by list |
//! | `connect`, `accept`, `data`, `messages`, `transmit`, `overlapped` | the calls on sockets, blocking and overlapped |
//! | `select`, `levels` | select and WSAPoll; what a socket shows, in Windows' words |
//! | `event_select`, `async_select`, `readiness` | network events by event and by message; their ledger |
//! | `notify` | what a socket shows, by completion port |
//! | `options`, `ioctl` | socket options, ioctls |
//! | `names`, `convert`, `order` | name look-up, addresses as text, byte order |
//! | `adapters` | the network adapters |
//! | `address`, `text` | addresses and strings across the border |
//! | `pool`, `pools` | thread pools, and their Windows names |
//! | `ports`, `waits`, `events`, `mutexes`, `semaphores`, `timers`, `threads` | completion ports, waits and what to wait for, under their Windows names |
//! | `locks`, `locals`, `fiber_locals` | locks in the program's memory; values local to a thread |
//! | `ancillary` | control data of datagrams |
//! | `socket`, `op`, `transfer` | one socket, one operation in flight, one attempt to move bytes |
//! | `window`, `queue`, `modules` | windows, the message queues of their threads, their module |
//! | `port`, `event`, `mutex`, `timer`, `clock`, `dispatch`, `wait`, `thread`, `roll`, `jump`, `park`, `blocking` | packets, signals, and how threads sleep, wake and end |
//! | `handle`, `object`, `array` | the handle table and what a handle denotes |
//! | `backend`, `sys` | seam B: epoll or the scripted kernel; the system calls |
//! | `error` | errno, NTSTATUS, WSA and Win32 codes |
//!
//! ARCHITECTURE.md walks one WSARecv through them.

// The functions keep Windows' names, at the border and in what they call.
#![allow(non_snake_case)]
// The models leave what needs a kernel lying idle.
#![cfg_attr(loom, allow(dead_code))]
// windows-sys declares every function unsafe. One whose page here has no Safety section touches no
// memory of its caller.
#![allow(clippy::missing_safety_doc)]

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

#[cfg(target_os = "linux")]
mod accept;
#[cfg(target_os = "linux")]
mod adapters;
#[cfg(target_os = "linux")]
mod address;
#[cfg(target_os = "linux")]
mod ancillary;
#[cfg(target_os = "linux")]
mod array;
#[cfg(target_os = "linux")]
mod async_select;
#[cfg(target_os = "linux")]
mod backend;
#[cfg(target_os = "linux")]
mod blocking;
#[cfg(target_os = "linux")]
mod by_name;
#[cfg(target_os = "linux")]
mod catalogue;
#[cfg(target_os = "linux")]
mod clock;
#[cfg(target_os = "linux")]
mod connect;
#[cfg(target_os = "linux")]
mod convert;
#[cfg(target_os = "linux")]
mod data;
#[cfg(target_os = "linux")]
mod dispatch;
#[cfg(target_os = "linux")]
mod duplicate;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod event;
#[cfg(target_os = "linux")]
mod event_select;
#[cfg(target_os = "linux")]
mod events;
#[cfg(target_os = "linux")]
mod fiber_locals;
#[cfg(target_os = "linux")]
mod file_io;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod handle;
#[cfg(target_os = "linux")]
mod handles;
#[cfg(target_os = "linux")]
mod ioctl;
#[cfg(target_os = "linux")]
mod jump;
#[cfg(target_os = "linux")]
mod levels;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "linux")]
mod locals;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(loom)]
mod loom_models;
#[cfg(target_os = "linux")]
mod messages;
#[cfg(target_os = "linux")]
mod modules;
#[cfg(target_os = "linux")]
mod mutex;
#[cfg(target_os = "linux")]
mod mutexes;
#[cfg(target_os = "linux")]
mod named;
#[cfg(target_os = "linux")]
mod named_pipes;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod notify;
#[cfg(target_os = "linux")]
mod object;
#[cfg(target_os = "linux")]
mod op;
#[cfg(target_os = "linux")]
mod options;
#[cfg(target_os = "linux")]
mod order;
#[cfg(target_os = "linux")]
mod overlapped;
#[cfg(target_os = "linux")]
mod park;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod pools;
#[cfg(target_os = "linux")]
mod port;
#[cfg(target_os = "linux")]
mod ports;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
mod readiness;
#[cfg(target_os = "linux")]
mod roll;
#[cfg(target_os = "linux")]
mod select;
#[cfg(target_os = "linux")]
mod semaphores;
#[cfg(target_os = "linux")]
mod socket;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod sync;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod text;
#[cfg(target_os = "linux")]
mod thread;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(target_os = "linux")]
mod timer;
#[cfg(target_os = "linux")]
mod timers;
#[cfg(target_os = "linux")]
mod transfer;
#[cfg(target_os = "linux")]
mod transmit;
#[cfg(target_os = "linux")]
mod wait;
#[cfg(target_os = "linux")]
mod waits;
#[cfg(target_os = "linux")]
mod win32;
#[cfg(target_os = "linux")]
mod window;
#[cfg(target_os = "linux")]
pub use win32::Win32;
#[cfg(target_os = "linux")]
pub use windows_sys::core;

/// Whether an operation has completed, from its OVERLAPPED alone: Microsoft's macro
/// [HasOverlappedIoCompleted][ms], which windows-sys leaves out.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-hasoverlappediocompleted
///
/// # Safety
/// `overlapped` is valid, and was passed to an operation.
#[allow(non_snake_case)]
pub unsafe fn HasOverlappedIoCompleted(overlapped: *const Win32::System::IO::OVERLAPPED) -> bool {
    // SAFETY: our caller vouches for the OVERLAPPED; the completing thread writes Internal
    // atomically.
    let internal = unsafe {
        std::sync::atomic::AtomicUsize::from_ptr((&raw const (*overlapped).Internal).cast_mut())
    };
    internal.load(std::sync::atomic::Ordering::Acquire)
        != Win32::Foundation::STATUS_PENDING as u32 as usize
}

/// The events that a packet of [ProcessSocketNotifications][p] tells of: Microsoft's inline
/// function [SocketNotificationRetrieveEvents][ms], which windows-sys leaves out.
///
/// [p]: Win32::Networking::WinSock::ProcessSocketNotifications
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-socketnotificationretrieveevents
///
/// # Safety
/// `notification` is an entry that was filled in.
#[allow(non_snake_case)]
pub unsafe fn SocketNotificationRetrieveEvents(
    notification: *const Win32::System::IO::OVERLAPPED_ENTRY,
) -> u32 {
    // SAFETY: our caller vouches for the entry.
    unsafe { (*notification).dwNumberOfBytesTransferred }
}
