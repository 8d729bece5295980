//! Files by their names: removing, moving, copying them; folders; temporary files.
//!
//! Names are as CreateFile's: a backslash is a slash, a drive is left out. What is answered is a
//! Linux path.

use std::ffi::c_void;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_BUFFER_OVERFLOW, ERROR_DIRECTORY, ERROR_FILE_EXISTS,
    ERROR_PATH_NOT_FOUND,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DEVICE, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_NORMAL,
    FILE_ATTRIBUTE_READONLY, INVALID_FILE_ATTRIBUTES, MOVEFILE_REPLACE_EXISTING,
};
use windows_sys::core::BOOL;

use crate::last::{self, Code, answer, or_zero};
use crate::text::{self, Unit, in_three_texts};

in_three_texts! {
    /// Removes a file: [DeleteFileA][ms]. ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-deletefilea
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    DeleteFileA DeleteFileW = delete_file(name: *const U) -> BOOL;

    /// What is under a name: [GetFileAttributesA][ms]. INVALID_FILE_ATTRIBUTES for nothing.
    ///
    /// DIFFERS: only the attributes that Linux' files have: DIRECTORY, READONLY, DEVICE, NORMAL.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfileattributesa
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    GetFileAttributesA GetFileAttributesW = attributes(name: *const U) -> u32;

    /// Makes a folder: [CreateDirectoryA][ms]. ERROR_ALREADY_EXISTS, ERROR_PATH_NOT_FOUND.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createdirectorya
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    CreateDirectoryA CreateDirectoryW =
        make_folder(name: *const U, security: *const c_void) -> BOOL;

    /// Removes an empty folder: [RemoveDirectoryA][ms]. ERROR_DIR_NOT_EMPTY.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-removedirectorya
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    RemoveDirectoryA RemoveDirectoryW = remove_folder(name: *const U) -> BOOL;

    /// Gives a file another name: [MoveFileA][ms]. ERROR_ALREADY_EXISTS.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-movefilea
    ///
    /// # Safety
    /// As on Windows: the names end in a NUL.
    MoveFileA MoveFileW = rename(from: *const U, to: *const U) -> BOOL;

    /// As MoveFile; MOVEFILE_REPLACE_EXISTING takes the place of another: [MoveFileExA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-movefileexa
    ///
    /// # Safety
    /// As on Windows: the names end in a NUL.
    MoveFileExA MoveFileExW = move_file(from: *const U, to: *const U, flags: u32) -> BOOL;

    /// Copies a file: [CopyFileA][ms]. ERROR_FILE_EXISTS.
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-copyfilea
    ///
    /// # Safety
    /// As on Windows: the names end in a NUL.
    CopyFileA CopyFileW = copy_file(from: *const U, to: *const U, must_be_new: BOOL) -> BOOL;

    /// The folder for temporary files, with a slash at its end: [GetTempPathA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-gettemppatha
    ///
    /// # Safety
    /// As on Windows: `to` has room for `room` characters.
    GetTempPathA GetTempPathW = temporary_folder(room: u32, to: *mut U) -> u32;

    /// A name that no file has, and with 0 for a number the file too: [GetTempFileNameA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-gettempfilenamea
    ///
    /// # Safety
    /// As on Windows: `to` has room for MAX_PATH characters, the names end in a NUL.
    GetTempFileNameA GetTempFileNameW =
        temporary_name(folder: *const U, prefix: *const U, number: u32, to: *mut U) -> u32;

    /// The folder in which names begin: [GetCurrentDirectoryA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-getcurrentdirectory
    ///
    /// # Safety
    /// As on Windows: `to` has room for `room` characters.
    GetCurrentDirectoryA GetCurrentDirectoryW = current_folder(room: u32, to: *mut U) -> u32;

    /// Changes the folder in which names begin: [SetCurrentDirectoryA][ms].
    ///
    /// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setcurrentdirectory
    ///
    /// # Safety
    /// As on Windows: the name ends in a NUL.
    SetCurrentDirectoryA SetCurrentDirectoryW = set_current_folder(name: *const U) -> BOOL;
}

/// The path that a caller's name means.
///
/// # Safety
/// The name is NULL or ends in a NUL.
unsafe fn path_of<U: Unit>(name: *const U) -> Result<PathBuf, Code> {
    // SAFETY: passed on from our caller.
    match unsafe { text::read(name) } {
        Some(name) if !name.is_empty() => Ok(winsock_sys::linux::path(&name)),
        _ => Err(Code(ERROR_PATH_NOT_FOUND)),
    }
}

/// Answers with a text: its length, or the room that it takes with its NUL if that is more than
/// there is.
///
/// # Safety
/// `to` has room for `room` units.
pub unsafe fn reply<U: Unit>(text: &str, to: *mut U, room: u32) -> u32 {
    // SAFETY: passed on from our caller.
    match unsafe { text::write(text, to, room as usize) } {
        Ok(len) | Err(len) => len as u32,
    }
}

/// # Safety
/// The name ends in a NUL.
unsafe fn delete_file<U: Unit>(name: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    answer(unsafe { path_of(name) }.and_then(|path| Ok(fs::remove_file(path)?)))
}

/// # Safety
/// The name ends in a NUL.
unsafe fn attributes<U: Unit>(name: *const U) -> u32 {
    // SAFETY: passed on from our caller.
    let metadata = unsafe { path_of(name) }.and_then(|path| Ok(fs::metadata(path)?));
    match metadata {
        Ok(metadata) => {
            let kind = metadata.file_type();
            let read_only = metadata.permissions().mode() & 0o222 == 0;
            let attributes = if kind.is_dir() { FILE_ATTRIBUTE_DIRECTORY } else { 0 }
                | if read_only { FILE_ATTRIBUTE_READONLY } else { 0 }
                | if kind.is_char_device() { FILE_ATTRIBUTE_DEVICE } else { 0 };
            if attributes == 0 { FILE_ATTRIBUTE_NORMAL } else { attributes }
        }
        Err(code) => {
            last::set(code);
            INVALID_FILE_ATTRIBUTES
        }
    }
}

/// # Safety
/// The name ends in a NUL.
unsafe fn make_folder<U: Unit>(name: *const U, _security: *const c_void) -> BOOL {
    // SAFETY: passed on from our caller.
    answer(unsafe { path_of(name) }.and_then(|path| match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Code(ERROR_PATH_NOT_FOUND)),
        made => Ok(made?),
    }))
}

/// # Safety
/// The name ends in a NUL.
unsafe fn remove_folder<U: Unit>(name: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    answer(unsafe { path_of(name) }.and_then(|path| Ok(fs::remove_dir(path)?)))
}

/// # Safety
/// The names end in a NUL.
unsafe fn rename<U: Unit>(from: *const U, to: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    unsafe { move_file(from, to, 0) }
}

/// # Safety
/// The names end in a NUL.
unsafe fn move_file<U: Unit>(from: *const U, to: *const U, flags: u32) -> BOOL {
    // SAFETY: passed on from our caller.
    let paths = unsafe { path_of(from).and_then(|from| Ok((from, path_of(to)?))) };
    answer(paths.and_then(|(from, to)| {
        if flags & MOVEFILE_REPLACE_EXISTING == 0 && to.exists() {
            return Err(Code(ERROR_ALREADY_EXISTS));
        }
        Ok(fs::rename(from, to)?)
    }))
}

/// # Safety
/// The names end in a NUL.
unsafe fn copy_file<U: Unit>(from: *const U, to: *const U, must_be_new: BOOL) -> BOOL {
    // SAFETY: passed on from our caller.
    let paths = unsafe { path_of(from).and_then(|from| Ok((from, path_of(to)?))) };
    answer(paths.and_then(|(from, to)| {
        if must_be_new != 0 && to.exists() {
            return Err(Code(ERROR_FILE_EXISTS));
        }
        fs::copy(from, to)?;
        Ok(())
    }))
}

/// # Safety
/// `to` has room for `room` units.
unsafe fn temporary_folder<U: Unit>(room: u32, to: *mut U) -> u32 {
    let folder = std::env::temp_dir();
    let folder = folder.to_string_lossy();
    // SAFETY: passed on from our caller.
    unsafe { reply(&format!("{}/", folder.trim_end_matches('/')), to, room) }
}

/// # Safety
/// `to` has room for 260 units; the names end in a NUL.
unsafe fn temporary_name<U: Unit>(
    folder: *const U,
    prefix: *const U,
    number: u32,
    to: *mut U,
) -> u32 {
    const MAX_PATH: usize = 260;
    // SAFETY: passed on from our caller.
    let names = unsafe { path_of(folder).map(|folder| (folder, text::read(prefix))) };
    or_zero(names.and_then(|(folder, prefix)| {
        let prefix: String = prefix.unwrap_or_default().chars().take(3).collect();
        let (path, number) = match number & 0xffff {
            0 => new_temporary(&folder, &prefix)?,
            number => (temporary_path(&folder, &prefix, number), number),
        };
        // SAFETY: passed on from our caller.
        let written = unsafe { text::write(&path.to_string_lossy(), to, MAX_PATH) };
        written.map(|_| number).map_err(|_| Code(ERROR_BUFFER_OVERFLOW))
    }))
}

fn temporary_path(folder: &Path, prefix: &str, number: u32) -> PathBuf {
    folder.join(format!("{prefix}{number:X}.tmp"))
}

fn new_temporary(folder: &Path, prefix: &str) -> Result<(PathBuf, u32), Code> {
    if !folder.is_dir() {
        return Err(Code(ERROR_DIRECTORY));
    }
    // SAFETY: it takes nothing.
    let first = unsafe { winsock_sys::Win32::System::SystemInformation::GetTickCount() };
    for step in 0..0xffff {
        let number = (first.wrapping_add(step) & 0xffff).max(1);
        let path = temporary_path(folder, prefix, number);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok((path, number)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Code(ERROR_FILE_EXISTS))
}

/// # Safety
/// `to` has room for `room` units.
unsafe fn current_folder<U: Unit>(room: u32, to: *mut U) -> u32 {
    let folder = std::env::current_dir().map_err(Code::from);
    // SAFETY: passed on from our caller.
    or_zero(folder.map(|folder| unsafe { reply(&folder.to_string_lossy(), to, room) }))
}

/// # Safety
/// The name ends in a NUL.
unsafe fn set_current_folder<U: Unit>(name: *const U) -> BOOL {
    // SAFETY: passed on from our caller.
    answer(unsafe { path_of(name) }.and_then(|path| Ok(std::env::set_current_dir(path)?)))
}
