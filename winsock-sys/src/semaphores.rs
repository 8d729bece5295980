//! Semaphores, under their Windows names.

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_TOO_MANY_POSTS, HANDLE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::Threading::SYNCHRONIZATION_ACCESS_RIGHTS;
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::event;
use crate::handle::Ref;
use crate::named;
use crate::object::{self, Object, WAITS};

/// Makes a semaphore, or opens the one of that name: [CreateSemaphoreW][ms] (rules 150 and 155).
///
/// NULL on failure: ERROR_INVALID_PARAMETER unless 0 <= `initial` <= `most` and 0 < `most`.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createsemaphorew
///
/// # Safety
/// As on Windows: `name` is NULL or ends in NUL. The attributes are not read.
pub unsafe extern "system" fn CreateSemaphoreW(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial: i32,
    most: i32,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial, most, unsafe { named::read(name) })
}

/// As [`CreateSemaphoreW`]: [CreateSemaphoreA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createsemaphorea
///
/// # Safety
/// As [`CreateSemaphoreW`].
pub unsafe extern "system" fn CreateSemaphoreA(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial: i32,
    most: i32,
    name: PCSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial, most, unsafe { named::read(name) })
}

/// As [`CreateSemaphoreW`]: [CreateSemaphoreExW][ms]. `flags` is 0; every handle has every access.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createsemaphoreexw
///
/// # Safety
/// As [`CreateSemaphoreW`].
pub unsafe extern "system" fn CreateSemaphoreExW(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial: i32,
    most: i32,
    name: PCWSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial, most, error::no_flags(flags).and_then(|()| unsafe { named::read(name) }))
}

/// As [`CreateSemaphoreExW`]: [CreateSemaphoreExA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createsemaphoreexa
///
/// # Safety
/// As [`CreateSemaphoreW`].
pub unsafe extern "system" fn CreateSemaphoreExA(
    _attributes: *const SECURITY_ATTRIBUTES,
    initial: i32,
    most: i32,
    name: PCSTR,
    flags: u32,
    _access: u32,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    create(initial, most, error::no_flags(flags).and_then(|()| unsafe { named::read(name) }))
}

fn create(initial: i32, most: i32, name: Result<Option<String>, Code>) -> HANDLE {
    named::create(name, named::Kind::Semaphore, || {
        if most <= 0 || !(0..=most).contains(&initial) {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        let signal = event::Kind::Counted(initial as u32);
        object::insert_with(Object::Semaphore(most as u32), signal)
    })
}

/// Opens the semaphore of that name: [OpenSemaphoreW][ms] (rule 155). NULL on failure:
/// ERROR_FILE_NOT_FOUND.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-opensemaphorew
///
/// # Safety
/// As [`CreateSemaphoreW`].
pub unsafe extern "system" fn OpenSemaphoreW(
    _access: SYNCHRONIZATION_ACCESS_RIGHTS,
    _inherit: BOOL,
    name: PCWSTR,
) -> HANDLE {
    // SAFETY: passed on from our caller.
    named::open(unsafe { named::read(name) }, named::Kind::Semaphore)
}

/// Adds to a semaphore's count: [ReleaseSemaphore][ms] (rule 150). ERROR_INVALID_HANDLE,
/// ERROR_INVALID_PARAMETER for a count that is not positive, ERROR_TOO_MANY_POSTS if it would come
/// to more than the semaphore's maximum: nothing is added then.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-releasesemaphore
///
/// # Safety
/// As on Windows: `before` is NULL or a place for the count before.
pub unsafe extern "system" fn ReleaseSemaphore(
    semaphore: HANDLE,
    count: i32,
    before: *mut i32,
) -> BOOL {
    error::truth(open(semaphore).and_then(|object| {
        if count <= 0 {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        let count_before = release(&object, count as u32)?;
        if !before.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *before = count_before as i32 };
        }
        Ok(())
    }))
}

/// The semaphore behind a HANDLE.
pub fn open(handle: HANDLE) -> Result<Ref<Object>, Code> {
    let object = object::original(handle)?;
    match *object {
        Object::Semaphore(_) => Ok(object),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

/// Adds to the count of an object that is a semaphore; the count before.
pub fn release(object: &Ref<Object>, count: u32) -> Result<u32, Code> {
    let Object::Semaphore(most) = **object else { return Err(Code(ERROR_INVALID_HANDLE)) };
    object.signal().release(&WAITS, count, most).ok_or(Code(ERROR_TOO_MANY_POSTS))
}
