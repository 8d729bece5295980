//! Mutexes, under their Windows names.

use windows_sys::Win32::Foundation::{ERROR_INVALID_HANDLE, ERROR_NOT_OWNER, FALSE, HANDLE};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::{
    CREATE_MUTEX_INITIAL_OWNER, SYNCHRONIZATION_ACCESS_RIGHTS,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::mutex::{Mutant, NotOwner};
use crate::named;
use crate::object::{self, Object, WAITS};
use crate::thread;

/// Makes a mutex, or opens the one of that name: [CreateMutexW][ms] (rules 151 and 155). NULL on
/// failure. The calling thread owns a new one if `initial_owner`.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createmutexw
///
/// # Safety
/// As on Windows: `name` is NULL or ends in NUL. The attributes are not read.
pub unsafe extern "system" fn CreateMutexW(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial_owner: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial_owner != FALSE, unsafe { named::read(name) })
}

/// As [`CreateMutexW`]: [CreateMutexA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createmutexa
///
/// # Safety
/// As [`CreateMutexW`].
pub unsafe extern "system" fn CreateMutexA(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial_owner: BOOL,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial_owner != FALSE, unsafe { named::read(name) })
}

/// As [`CreateMutexW`]: [CreateMutexExW][ms]. `flags` is 0 or CREATE_MUTEX_INITIAL_OWNER; every
/// handle has every access.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createmutexexw
///
/// # Safety
/// As [`CreateMutexW`].
pub unsafe extern "system" fn CreateMutexExW(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCWSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

/// As [`CreateMutexExW`]: [CreateMutexExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createmutexexa
///
/// # Safety
/// As [`CreateMutexW`].
pub unsafe extern "system" fn CreateMutexExA(
    _attributes: *const SECURITY_ATTRIBUTES,
    name: PCSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create_by_flags(flags, || unsafe { named::read(name) })
}

fn create_by_flags(flags: u32, name: impl FnOnce() -> Result<Option<String>, Code>) -> HANDLE {
    let others = flags & !CREATE_MUTEX_INITIAL_OWNER;
    create(flags & CREATE_MUTEX_INITIAL_OWNER != 0, error::no_flags(others).and_then(|()| name()))
}

fn create(initial_owner: bool, name: Result<Option<String>, Code>) -> HANDLE {
    named::create(name, named::Kind::Mutex, || {
        let mutant = Box::new(Mutant::new());
        if initial_owner {
            thread::on_current(|thread| WAITS.locked(|| mutant.take(thread)));
        }
        object::insert(Object::Mutex(mutant))
    })
}

/// Opens the mutex of that name: [OpenMutexW][ms] (rule 155). NULL on failure:
/// ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-openmutexw
///
/// # Safety
/// As [`CreateMutexW`].
pub unsafe extern "system" fn OpenMutexW(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Mutex)
}

/// Releases a mutex that the calling thread owns, once: [ReleaseMutex][ms] (rule 151).
/// ERROR_INVALID_HANDLE, ERROR_NOT_OWNER.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-releasemutex
pub unsafe extern "system" fn ReleaseMutex(mutex: HANDLE) -> BOOL {
    error::truth(object::original(mutex).and_then(|object| release(&object)))
}

/// Releases an object that is a mutex.
pub fn release(object: &Object) -> Result<(), Code> {
    let Object::Mutex(mutant) = object else { return Err(Code(ERROR_INVALID_HANDLE)) };
    thread::on_current(|thread| WAITS.release_mutant(mutant, thread))
        .map_err(|NotOwner| Code(ERROR_NOT_OWNER))
}
