//! Overlapped operations, ports and events, with everything the calls report.

use std::ops::Deref;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use winsock_sys::Win32::Foundation::{
    CloseHandle, GetLastError, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, STATUS_PENDING,
    SetLastError, WAIT_OBJECT_0,
};
use winsock_sys::Win32::Networking::WinSock::{
    WSABUF, WSAGetLastError, WSAGetOverlappedResult, WSARecv, WSASend,
};
use winsock_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetOverlappedResult, GetQueuedCompletionStatus, OVERLAPPED,
};
use winsock_sys::Win32::System::Threading::{
    CreateEventW, ResetEvent, SetEvent, WaitForSingleObject,
};

use crate::{Socket, init};

/// This thread's last error, as `GetLastError` gives it.
pub fn last_error() -> u32 {
    // SAFETY: reads a thread-local value.
    unsafe { GetLastError() }
}

/// This thread's last error, as `WSAGetLastError` gives it.
pub fn last_wsa_error() -> i32 {
    // SAFETY: reads a thread-local value.
    unsafe { WSAGetLastError() }
}

/// A completion port, closed when dropped.
#[derive(Debug)]
pub struct Port(HANDLE);

// SAFETY: a HANDLE is a name, not memory; every port function may be called from any thread.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

impl Deref for Port {
    type Target = HANDLE;

    fn deref(&self) -> &HANDLE {
        &self.0
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: CloseHandle takes any value; one the test closed already is just refused.
        unsafe { CloseHandle(self.0) };
    }
}

/// A new completion port with the default concurrency value.
#[track_caller]
pub fn port() -> Port {
    port_for(0)
}

/// A new completion port with this NumberOfConcurrentThreads (0: one thread per processor).
#[track_caller]
pub fn port_for(threads: u32) -> Port {
    init();
    // SAFETY: no memory is passed.
    let raw = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, threads) };
    assert!(!raw.is_null(), "no port: {}", last_error());
    Port(raw)
}

/// Ties `socket` to `port` under `key`.
#[track_caller]
pub fn associate(socket: &Socket, port: &Port, key: usize) {
    // SAFETY: no memory is passed.
    let same = unsafe { CreateIoCompletionPort(**socket as HANDLE, **port, key, 0) };
    assert_eq!(same, **port, "association: {}", last_error());
}

/// One call of `GetQueuedCompletionStatus` and all it said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Packet {
    /// What the call returned.
    pub ok: bool,
    /// 0xdeadbeef if the call left it alone.
    pub bytes: u32,
    /// 0xdeadbeef if the call left it alone.
    pub key: usize,
    /// Null when nothing was dequeued; 0xdeadbeef if the call left it alone.
    pub overlapped: *mut OVERLAPPED,
    /// `GetLastError` right after the call, which was entered with 0xdeadbeef as last error.
    pub error: u32,
}

/// Takes one packet from `port`, waiting at most `ms` milliseconds.
pub fn dequeue(port: HANDLE, ms: u32) -> Packet {
    const UNTOUCHED: u32 = 0xdead_beef;
    let mut bytes = UNTOUCHED;
    let mut key = UNTOUCHED as usize;
    // Not null, so that "set to null" can be told from "left alone".
    let mut overlapped = UNTOUCHED as *mut OVERLAPPED;
    // SAFETY: the three outputs outlive the call.
    let ok = unsafe {
        SetLastError(UNTOUCHED);
        GetQueuedCompletionStatus(port, &raw mut bytes, &raw mut key, &raw mut overlapped, ms)
    };
    Packet { ok: ok != 0, bytes, key, overlapped, error: last_error() }
}

/// An event object, closed when dropped.
#[derive(Debug)]
pub struct Event(HANDLE);

// SAFETY: a HANDLE is a name, not memory; every event function may be called from any thread.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// Stays set until it is reset; not set at first.
    pub fn manual_reset() -> Event {
        Event::create(true)
    }

    /// Released threads reset it; not set at first.
    pub fn auto_reset() -> Event {
        Event::create(false)
    }

    #[track_caller]
    fn create(manual: bool) -> Event {
        init();
        // SAFETY: no memory is passed: default security, no name.
        let raw = unsafe { CreateEventW(null(), i32::from(manual), 0, null()) };
        assert!(!raw.is_null(), "no event: {}", last_error());
        Event(raw)
    }

    #[track_caller]
    pub fn set(&self) {
        // SAFETY: no memory is passed.
        assert_ne!(unsafe { SetEvent(self.0) }, 0, "SetEvent: {}", last_error());
    }

    #[track_caller]
    pub fn reset(&self) {
        // SAFETY: no memory is passed.
        assert_ne!(unsafe { ResetEvent(self.0) }, 0, "ResetEvent: {}", last_error());
    }

    /// Whether it is set (or becomes so within `ms`); takes an auto-reset event.
    pub fn is_set_within(&self, ms: u32) -> bool {
        wait(self.0, ms) == WAIT_OBJECT_0
    }

    /// Whether it is set now; takes an auto-reset event.
    pub fn is_set(&self) -> bool {
        self.is_set_within(0)
    }
}

impl Deref for Event {
    type Target = HANDLE;

    fn deref(&self) -> &HANDLE {
        &self.0
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: CloseHandle takes any value; one the test closed already is just refused.
        unsafe { CloseHandle(self.0) };
    }
}

/// `WaitForSingleObject` on any handle: WAIT_OBJECT_0, WAIT_TIMEOUT or WAIT_FAILED.
pub fn wait(handle: HANDLE, ms: u32) -> u32 {
    // SAFETY: no memory is passed.
    unsafe { WaitForSingleObject(handle, ms) }
}

/// One overlapped operation: an OVERLAPPED and a buffer that stay where they are.
///
/// Both are leaked, not freed, if the operation is still pending when this is dropped: the system
/// owns them until then (rule 38), and a failing test must not corrupt the others.
#[derive(Debug)]
pub struct Op {
    overlapped: *mut OVERLAPPED,
    buffer: *mut u8,
    len: usize,
}

// SAFETY: the memory is reached through raw pointers and belongs to the system while an operation
// is pending; the status word, which tells that, is read atomically.
unsafe impl Send for Op {}
// SAFETY: as above; the buffer is read only after the operation's end was observed.
unsafe impl Sync for Op {}

impl Op {
    /// Without an event, with a zeroed buffer of `len` bytes.
    pub fn new(len: usize) -> Op {
        Op::with_event_handle(len, null_mut())
    }

    /// Reporting through `event`.
    pub fn with_event(len: usize, event: &Event) -> Op {
        Op::with_event_handle(len, **event)
    }

    /// With `handle` in `hEvent` as it is (tagged in its low bit, say).
    pub fn with_event_handle(len: usize, handle: HANDLE) -> Op {
        Op::from_parts(vec![0; len], handle)
    }

    /// Without an event, with these bytes to send.
    pub fn sending(bytes: &[u8]) -> Op {
        Op::from_parts(bytes.to_vec(), null_mut())
    }

    fn from_parts(buffer: Vec<u8>, event: HANDLE) -> Op {
        let overlapped = OVERLAPPED { hEvent: event, ..OVERLAPPED::default() };
        let buffer = Box::leak(buffer.into_boxed_slice());
        Op {
            overlapped: Box::into_raw(Box::new(overlapped)),
            len: buffer.len(),
            buffer: buffer.as_mut_ptr(),
        }
    }

    /// What the calls take as `lpOverlapped`.
    pub fn ptr(&self) -> *mut OVERLAPPED {
        self.overlapped
    }

    /// The whole buffer as a WSABUF.
    pub fn wsabuf(&self) -> WSABUF {
        WSABUF { len: self.len as u32, buf: self.buffer }
    }

    /// `Internal`: the NTSTATUS of the operation.
    pub fn status(&self) -> NTSTATUS {
        // SAFETY: the OVERLAPPED lives as long as `self`; whoever completes it may be writing.
        let internal = unsafe { AtomicUsize::from_ptr(&raw mut (*self.overlapped).Internal) };
        internal.load(Ordering::Acquire) as NTSTATUS
    }

    /// Writes `Internal`, to see who reads it or leaves it alone.
    pub fn set_status(&self, status: NTSTATUS) {
        // SAFETY: as for `status`.
        let internal = unsafe { AtomicUsize::from_ptr(&raw mut (*self.overlapped).Internal) };
        internal.store(status as u32 as usize, Ordering::Release);
    }

    /// `InternalHigh`: the bytes transferred.
    pub fn bytes(&self) -> usize {
        // SAFETY: as for `status`.
        let high = unsafe { AtomicUsize::from_ptr(&raw mut (*self.overlapped).InternalHigh) };
        high.load(Ordering::Acquire)
    }

    /// Writes `InternalHigh`, to see who reads it or leaves it alone.
    pub fn set_bytes(&self, bytes: usize) {
        // SAFETY: as for `status`.
        let high = unsafe { AtomicUsize::from_ptr(&raw mut (*self.overlapped).InternalHigh) };
        high.store(bytes, Ordering::Release);
    }

    /// The buffer; look only after the operation has ended.
    pub fn data(&self) -> &[u8] {
        // SAFETY: the buffer lives as long as `self`; the caller has seen the operation end.
        unsafe { std::slice::from_raw_parts(self.buffer, self.len) }
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        if self.status() == STATUS_PENDING {
            return;
        }
        let buffer = std::ptr::slice_from_raw_parts_mut(self.buffer, self.len);
        // SAFETY: both come from boxes made in `from_parts`, and no operation uses them any more.
        unsafe {
            drop(Box::from_raw(self.overlapped));
            drop(Box::from_raw(buffer));
        }
    }
}

/// Starts `WSARecv` into the op's buffer: the bytes of an immediate success, or the WSA error,
/// WSA_IO_PENDING included.
pub fn post_recv(socket: &Socket, op: &Op) -> Result<u32, i32> {
    let (buffer, mut bytes, mut flags) = (op.wsabuf(), 0, 0);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc =
        unsafe { WSARecv(**socket, &buffer, 1, &raw mut bytes, &raw mut flags, op.ptr(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// Starts `WSASend` of the op's buffer: the bytes of an immediate success, or the WSA error,
/// WSA_IO_PENDING included.
pub fn post_send(socket: &Socket, op: &Op) -> Result<u32, i32> {
    let (buffer, mut bytes) = (op.wsabuf(), 0);
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended.
    let rc = unsafe { WSASend(**socket, &buffer, 1, &raw mut bytes, 0, op.ptr(), None) };
    if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// What `WSAGetOverlappedResult` says of an operation: bytes and flags, or the WSA error.
pub fn wsa_result(socket: &Socket, op: &Op, wait: bool) -> Result<(u32, u32), i32> {
    let (mut bytes, mut flags) = (0, 0);
    // SAFETY: the outputs outlive the call, the op its OVERLAPPED.
    let ok = unsafe {
        let wait = i32::from(wait);
        WSAGetOverlappedResult(**socket, op.ptr(), &raw mut bytes, wait, &raw mut flags)
    };
    if ok != 0 { Ok((bytes, flags)) } else { Err(last_wsa_error()) }
}

/// What `GetOverlappedResult` says of an operation: bytes, or the Win32 error.
pub fn win32_result(socket: &Socket, op: &Op, wait: bool) -> Result<u32, u32> {
    let mut bytes = 0;
    let handle = **socket as HANDLE;
    // SAFETY: the output outlives the call, the op its OVERLAPPED.
    let ok = unsafe { GetOverlappedResult(handle, op.ptr(), &raw mut bytes, i32::from(wait)) };
    if ok != 0 { Ok(bytes) } else { Err(last_error()) }
}
