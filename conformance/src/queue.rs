//! What a completion port's queue can do besides giving one packet at a time.

use winsock_sys::Win32::Foundation::{HANDLE, SetLastError};
use winsock_sys::Win32::System::IO::{
    GetQueuedCompletionStatusEx, OVERLAPPED, OVERLAPPED_ENTRY, PostQueuedCompletionStatus,
};

use crate::last_error;

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
