//! Files, as far as TransmitFile needs them: opening one and asking its size.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom};

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER, ERROR_PATH_NOT_FOUND, ERROR_SEEK, FALSE, GENERIC_READ, GENERIC_WRITE,
    HANDLE, INVALID_HANDLE_VALUE, TRUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_ALWAYS, CREATE_NEW, FILE_CREATION_DISPOSITION, FILE_FLAGS_AND_ATTRIBUTES,
    FILE_SHARE_MODE, OPEN_ALWAYS, OPEN_EXISTING, TRUNCATE_EXISTING,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::object::{self, Object};

/// Opens a file: [CreateFileW][ms]. INVALID_HANDLE_VALUE on failure.
///
/// DIFFERS: sharing, security and the FILE_FLAG_* are Linux'; the path is a Linux path.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew
///
/// # Safety
/// As on Windows: `name` is a terminated UTF-16 string.
pub unsafe extern "system" fn CreateFileW(
    name: PCWSTR,
    access: u32,
    _share: FILE_SHARE_MODE,
    _security: *const SECURITY_ATTRIBUTES,
    disposition: FILE_CREATION_DISPOSITION,
    _flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    if name.is_null() {
        return opened(Err(Code(ERROR_PATH_NOT_FOUND)));
    }
    // SAFETY: our caller vouches for the terminator.
    let units = unsafe {
        let len = (0..).take_while(|&at| *name.add(at) != 0).count();
        std::slice::from_raw_parts(name, len)
    };
    opened(open(&String::from_utf16_lossy(units), access, disposition))
}

/// As [`CreateFileW`], with a byte string: [CreateFileA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilea
///
/// # Safety
/// As on Windows: `name` is a terminated string.
pub unsafe extern "system" fn CreateFileA(
    name: PCSTR,
    access: u32,
    _share: FILE_SHARE_MODE,
    _security: *const SECURITY_ATTRIBUTES,
    disposition: FILE_CREATION_DISPOSITION,
    _flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    if name.is_null() {
        return opened(Err(Code(ERROR_PATH_NOT_FOUND)));
    }
    // SAFETY: our caller vouches for the terminator.
    let name = unsafe { std::ffi::CStr::from_ptr(name.cast()) };
    opened(open(&name.to_string_lossy(), access, disposition))
}

fn opened(file: Result<File, Code>) -> HANDLE {
    file.and_then(|file| object::insert(Object::File(file))).unwrap_or_else(|code| {
        error::set_last(code);
        INVALID_HANDLE_VALUE
    })
}

fn open(path: &str, access: u32, disposition: FILE_CREATION_DISPOSITION) -> Result<File, Code> {
    let write = access & GENERIC_WRITE != 0;
    let mut options = OpenOptions::new();
    options.read(access & GENERIC_READ != 0 || !write).write(write);
    match disposition {
        CREATE_NEW => options.create_new(true),
        CREATE_ALWAYS => options.create(true).truncate(true),
        OPEN_EXISTING => &mut options,
        OPEN_ALWAYS => options.create(true),
        TRUNCATE_EXISTING => options.truncate(true),
        _ => return Err(Code(ERROR_INVALID_PARAMETER)),
    };
    options.open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Code(ERROR_FILE_NOT_FOUND),
        ErrorKind::PermissionDenied => Code(ERROR_ACCESS_DENIED),
        ErrorKind::AlreadyExists => Code(ERROR_FILE_EXISTS),
        _ => Code(ERROR_INVALID_PARAMETER),
    })
}

/// The size of a file: [GetFileSizeEx][ms]. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfilesizeex
///
/// # Safety
/// As on Windows: `size` is a place for the size.
pub unsafe extern "system" fn GetFileSizeEx(file: HANDLE, size: *mut i64) -> BOOL {
    let length = object::open(file).and_then(|object| match &*object {
        Object::File(file) => self::size(file),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    });
    match length {
        Ok(length) => {
            // SAFETY: our caller vouches for the place.
            unsafe { *size = length };
            TRUE
        }
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// Where the file's next read would start.
pub fn position(mut file: &File) -> Result<i64, Code> {
    file.stream_position().map(|at| at as i64).map_err(|_| Code(ERROR_SEEK))
}

/// Lets the file's next read start at `offset`.
pub fn move_to(mut file: &File, offset: i64) {
    // It could be asked for its position when the call began, so it can be moved.
    let _ = file.seek(SeekFrom::Start(offset as u64));
}

pub fn size(file: &File) -> Result<i64, Code> {
    file.metadata().map(|metadata| metadata.len() as i64).map_err(|_| Code(ERROR_INVALID_HANDLE))
}
