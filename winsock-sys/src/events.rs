//! Events, under their Windows names: Win32's and Winsock's.

use windows_sys::Win32::Foundation::{ERROR_INVALID_HANDLE, FALSE, HANDLE};
use windows_sys::Win32::Networking::WinSock::WSAEVENT;
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_EVENT, CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET,
    SYNCHRONIZATION_ACCESS_RIGHTS,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::event::{Kind, Signal};
use crate::named;
use crate::object::{self, Object, WAITS};

/// Makes an event, or opens the one of that name: [CreateEventW][ms] (rule 155). NULL on failure.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventw
///
/// # Safety
/// As on Windows: `name` is NULL or ends in NUL. The attributes are not read.
pub unsafe extern "system" fn CreateEventW(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    initial_state: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(manual_reset != FALSE, initial_state != FALSE, unsafe { named::read(name) })
}

/// As [`CreateEventW`]: [CreateEventA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventa
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn CreateEventA(
    _attributes: *const SECURITY_ATTRIBUTES,
    manual_reset: BOOL,
    initial_state: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(manual_reset != FALSE, initial_state != FALSE, unsafe { named::read(name) })
}

/// As [`CreateEventW`]: [CreateEventExW][ms]. `flags`: CREATE_EVENT_MANUAL_RESET,
/// CREATE_EVENT_INITIAL_SET; every handle has every access.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventexw
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn CreateEventExW(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCWSTR,
    flags: CREATE_EVENT,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

/// As [`CreateEventExW`]: [CreateEventExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventexa
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn CreateEventExA(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCSTR,
    flags: CREATE_EVENT,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

fn create_by_flags(
    flags: CREATE_EVENT,
    name: impl FnOnce() -> Result<Option<String>, Code>,
) -> HANDLE {
    let (manual_reset, set) = (CREATE_EVENT_MANUAL_RESET, CREATE_EVENT_INITIAL_SET);
    let name = error::no_flags(flags & !(manual_reset | set)).and_then(|()| name());
    create(flags & manual_reset != 0, flags & set != 0, name)
}

fn create(manual_reset: bool, set: bool, name: Result<Option<String>, Code>) -> HANDLE {
    named::create(name, named::Kind::Event, || {
        object::insert_with(Object::Event, Kind::Event { manual_reset, set })
    })
}

/// Opens the event of that name: [OpenEventW][ms] (rule 155). NULL on failure:
/// ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-openeventw
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn OpenEventW(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Event)
}

/// As [`OpenEventW`]: [OpenEventA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-openeventa
///
/// # Safety
/// As [`CreateEventW`].
pub unsafe extern "system" fn OpenEventA(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Event)
}

/// Makes a manual-reset event that is not set (rule 106): [WSACreateEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsacreateevent
pub unsafe extern "system" fn WSACreateEvent() -> WSAEVENT {
    let event = create(true, false, Ok(None));
    // WSA_INVALID_EVENT is 0, like the NULL of a failure.
    event.addr() as WSAEVENT
}

/// windows-sys spells a WSAEVENT as a number and a HANDLE as a pointer.
fn handle_of(event: WSAEVENT) -> HANDLE {
    std::ptr::without_provenance_mut(event as usize)
}

fn with_event(event: HANDLE, f: impl FnOnce(&Signal)) -> BOOL {
    let event = object::event(event.addr()).ok_or(Code(ERROR_INVALID_HANDLE));
    error::truth(event.map(|event| f(&event)))
}

/// Sets an event: [SetEvent][ms]. No system call unless somebody waits. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setevent
pub unsafe extern "system" fn SetEvent(event: HANDLE) -> BOOL {
    with_event(event, |signal| signal.set(&WAITS))
}

/// Resets an event: [ResetEvent][ms]. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-resetevent
pub unsafe extern "system" fn ResetEvent(event: HANDLE) -> BOOL {
    with_event(event, Signal::reset)
}

/// Releases those who wait for the event at this moment (of an auto-reset one, one of them), and
/// leaves it unset: [PulseEvent][ms] (rule 154). ERROR_INVALID_HANDLE.
///
/// A thread that runs an APC at this moment does not wait, and misses it, as on Windows.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-pulseevent
pub unsafe extern "system" fn PulseEvent(event: HANDLE) -> BOOL {
    with_event(event, |signal| WAITS.pulse(signal))
}

/// As [`SetEvent`]: [WSASetEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasetevent
pub unsafe extern "system" fn WSASetEvent(event: WSAEVENT) -> BOOL {
    with_event(handle_of(event), |signal| signal.set(&WAITS))
}

/// As [`ResetEvent`]: [WSAResetEvent][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaresetevent
pub unsafe extern "system" fn WSAResetEvent(event: WSAEVENT) -> BOOL {
    with_event(handle_of(event), Signal::reset)
}

/// Closes an event: [WSACloseEvent][ms]. Operations that will set it still may.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsacloseevent
pub unsafe extern "system" fn WSACloseEvent(event: WSAEVENT) -> BOOL {
    // SAFETY: closing a handle touches no memory of the caller.
    unsafe { crate::handles::CloseHandle(handle_of(event)) }
}
