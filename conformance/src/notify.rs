//! ProcessSocketNotifications, and what it tells.

use std::ptr::{null_mut, without_provenance_mut};

use winsock_sys::SocketNotificationRetrieveEvents;
use winsock_sys::Win32::Foundation::HANDLE;
use winsock_sys::Win32::Networking::WinSock::{
    ProcessSocketNotifications, SOCK_NOTIFY_OP_DISABLE, SOCK_NOTIFY_OP_ENABLE,
    SOCK_NOTIFY_OP_REMOVE, SOCK_NOTIFY_REGISTRATION, SOCKET,
};
use winsock_sys::Win32::System::IO::OVERLAPPED_ENTRY;

use crate::{Port, SOON};

/// A registration that asks for `events` as `trigger` says.
pub fn enabling(socket: SOCKET, key: usize, events: u32, trigger: u32) -> SOCK_NOTIFY_REGISTRATION {
    SOCK_NOTIFY_REGISTRATION {
        socket,
        completionKey: without_provenance_mut(key),
        eventFilter: events as u16,
        operation: SOCK_NOTIFY_OP_ENABLE as u8,
        triggerFlags: trigger as u8,
        registrationResult: u32::MAX,
    }
}

/// A registration that disables what was enabled.
pub fn disabling(socket: SOCKET) -> SOCK_NOTIFY_REGISTRATION {
    let operation = SOCK_NOTIFY_OP_DISABLE as u8;
    SOCK_NOTIFY_REGISTRATION { operation, ..enabling(socket, 0, 0, 0) }
}

/// A registration that removes what was registered.
pub fn removing(socket: SOCKET) -> SOCK_NOTIFY_REGISTRATION {
    let operation = SOCK_NOTIFY_OP_REMOVE as u8;
    SOCK_NOTIFY_REGISTRATION { operation, ..enabling(socket, 0, 0, 0) }
}

/// One call of `ProcessSocketNotifications`: its code, and the keys and events of the packets.
///
/// Under Wine 8.0, which does not have it, this panics.
#[track_caller]
pub fn process(
    port: HANDLE,
    registrations: &mut [SOCK_NOTIFY_REGISTRATION],
    ms: u32,
    room: usize,
) -> (u32, Vec<(usize, u32)>) {
    let mut entries = vec![OVERLAPPED_ENTRY::default(); room];
    let mut taken = u32::MAX;
    let (at, count) = match registrations.len() {
        0 => (null_mut(), 0),
        count => (registrations.as_mut_ptr(), count as u32),
    };
    let (places, places_taken) = match room {
        0 => (null_mut(), null_mut()),
        _ => (entries.as_mut_ptr(), &raw mut taken),
    };
    // SAFETY: the arrays outlive the call, and have the lengths that are said.
    let code = unsafe { process_raw(port, count, at, ms, room as u32, places, places_taken) };
    let taken = if taken == u32::MAX { 0 } else { taken as usize };
    let entry = |entry: &OVERLAPPED_ENTRY| {
        assert_eq!(entry.Internal, 0, "a packet's status");
        // SAFETY: the entry was filled in.
        (entry.lpCompletionKey, unsafe { SocketNotificationRetrieveEvents(entry) })
    };
    (code, entries[..taken].iter().map(entry).collect())
}

/// As [`process`], with the arguments as they are.
///
/// # Safety
/// As the function's own.
#[track_caller]
pub unsafe fn process_raw(
    port: HANDLE,
    registration_count: u32,
    registrations: *mut SOCK_NOTIFY_REGISTRATION,
    ms: u32,
    entry_count: u32,
    entries: *mut OVERLAPPED_ENTRY,
    taken: *mut u32,
) -> u32 {
    assert!(is_there(), "ws2_32.dll has no ProcessSocketNotifications");
    let (count, room) = (registration_count, entry_count);
    // SAFETY: passed on from our caller.
    unsafe { ProcessSocketNotifications(port, count, registrations, ms, room, entries, taken) }
}

/// Whether the system has the function: calling one that Wine's DLL lacks ends the process.
#[cfg(windows)]
fn is_there() -> bool {
    use std::ffi::{c_char, c_void};

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
        fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    // SAFETY: both names are literals ending in NUL.
    unsafe {
        let winsock = GetModuleHandleA(c"ws2_32.dll".as_ptr());
        !GetProcAddress(winsock, c"ProcessSocketNotifications".as_ptr()).is_null()
    }
}

#[cfg(not(windows))]
fn is_there() -> bool {
    true
}

/// Carries out one registration, and answers with its own result.
#[track_caller]
pub fn register(port: &Port, registration: SOCK_NOTIFY_REGISTRATION) -> u32 {
    let mut registrations = [registration];
    assert_eq!(process(**port, &mut registrations, 0, 0), (0, vec![]));
    registrations[0].registrationResult
}

/// Asserts that the next packet of the port is this one.
#[track_caller]
pub fn expect_events(port: &Port, key: usize, events: u32) {
    assert_eq!(process(**port, &mut [], SOON, 1), (0, vec![(key, events)]));
}
