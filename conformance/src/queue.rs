//! What a completion port's queue can do besides giving one packet at a time.

use std::ptr::null_mut;

use winsock_sys::Win32::Foundation::{HANDLE, SetLastError, WAIT_TIMEOUT};
use winsock_sys::Win32::System::IO::{
    GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY, PostQueuedCompletionStatus,
};

use crate::{NEVER, Op, Packet, Port, dequeue, last_error};

// SAFETY: the pointer says which operation is meant; nothing here follows it.
unsafe impl Send for Packet {}

impl Packet {
    /// Asserts that this is the success of `op`, of `bytes`, on the handle tied under `key`.
    #[track_caller]
    pub fn expect_ok(&self, key: usize, op: &Op, bytes: u32) {
        let Packet { ok, overlapped, error, .. } = *self;
        assert!(ok && overlapped == op.ptr(), "not a success of {:?}: {self:?}", op.ptr());
        assert_eq!((self.key, self.bytes), (key, bytes), "key and bytes (error {error})");
    }

    /// Asserts that this is the failure of `op`, with `error` and no bytes, under `key`.
    #[track_caller]
    pub fn expect_failed(&self, key: usize, op: &Op, error: u32) {
        assert!(!self.ok && self.overlapped == op.ptr(), "no failure of {:?}: {self:?}", op.ptr());
        assert_eq!((self.key, self.bytes, self.error), (key, 0, error), "key, bytes and error");
    }

    /// Whether the call came back because the time was up.
    pub fn is_time_out(&self) -> bool {
        !self.ok && self.overlapped.is_null() && self.error == WAIT_TIMEOUT
    }
}

/// Asserts that no packet comes to `port`.
#[track_caller]
pub fn expect_no_packet(port: &Port) {
    let packet = dequeue(**port, NEVER);
    assert!(packet.is_time_out(), "a packet too many: {packet:?}");
}

/// Queues a packet that is told by its key alone.
#[track_caller]
pub fn post_key(port: &Port, key: usize) {
    assert_eq!(post(**port, 0, key, null_mut()), Ok(()), "PostQueuedCompletionStatus");
}

/// Queues a packet of the caller's own; the Win32 error on refusal.
pub fn post(port: HANDLE, bytes: u32, key: usize, overlapped: *mut OVERLAPPED) -> Result<(), u32> {
    // SAFETY: the pointer is passed through unread (rule 44).
    match unsafe { PostQueuedCompletionStatus(port, bytes, key, overlapped) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// One call of `GetQueuedCompletionStatusEx` and all it said.
pub struct Batch {
    /// What the call returned.
    pub ok: bool,
    /// `ulNumEntriesRemoved`; 0xdeadbeef if the call left it alone.
    pub removed: u32,
    /// The entries removed; none if the call failed.
    pub entries: Vec<OVERLAPPED_ENTRY>,
    /// `GetLastError` right after the call, which was entered with 0xdeadbeef as last error.
    pub error: u32,
}

// SAFETY: as for `Packet`.
unsafe impl Send for Batch {}

impl Batch {
    /// The keys of the entries, in their order.
    pub fn keys(&self) -> Vec<usize> {
        self.entries.iter().map(|entry| entry.lpCompletionKey).collect()
    }
}

/// Takes up to `room` packets from `port`, waiting at most `ms` milliseconds for the first.
pub fn dequeue_batch(port: HANDLE, room: usize, ms: u32, alertable: bool) -> Batch {
    const UNTOUCHED: u32 = 0xdead_beef;
    let mut entries = vec![OVERLAPPED_ENTRY::default(); room];
    let mut removed = UNTOUCHED;
    // SAFETY: both outputs outlive the call, and `entries` has the room that is said.
    let ok = unsafe {
        SetLastError(UNTOUCHED);
        let (start, count) = (entries.as_mut_ptr(), room as u32);
        let alertable = i32::from(alertable);
        GetQueuedCompletionStatusEx(port, start, count, &raw mut removed, ms, alertable) != 0
    };
    let error = last_error();
    entries.truncate(if ok { removed as usize } else { 0 });
    Batch { ok, removed, entries, error }
}
