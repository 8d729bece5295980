//! Files: opening them, where they stand and how long they are. Reading and writing is in
//! `file_io.rs`.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_ALREADY_EXISTS, ERROR_DISK_FULL, ERROR_FILE_EXISTS,
    ERROR_FILE_NOT_FOUND, ERROR_GEN_FAILURE, ERROR_INVALID_FUNCTION, ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER, ERROR_IO_DEVICE, ERROR_NEGATIVE_SEEK, ERROR_NO_DATA, ERROR_NOACCESS,
    ERROR_PATH_NOT_FOUND, ERROR_SEEK, ERROR_TOO_MANY_OPEN_FILES, FALSE, GENERIC_ALL, GENERIC_READ,
    GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE, NO_ERROR, TRUE,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_ALWAYS, CREATE_NEW, FILE_APPEND_DATA, FILE_BEGIN, FILE_CREATION_DISPOSITION,
    FILE_CURRENT, FILE_END, FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_OVERLAPPED,
    FILE_FLAGS_AND_ATTRIBUTES, FILE_READ_DATA, FILE_SHARE_MODE, FILE_TYPE, FILE_TYPE_CHAR,
    FILE_TYPE_DISK, FILE_TYPE_PIPE, FILE_TYPE_UNKNOWN, FILE_WRITE_DATA, INVALID_FILE_SIZE,
    INVALID_SET_FILE_POINTER, OPEN_ALWAYS, OPEN_EXISTING, SET_FILE_POINTER_MOVE_METHOD,
    TRUNCATE_EXISTING,
};
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::error::{self, Code};
use crate::handle::Ref;
use crate::named_pipes;
use crate::object::{self, Object};
use crate::op::Report;
use crate::sync::{Mutex, lock};
use crate::text;

/// A file, a pipe's end or a device behind a handle.
pub struct OpenFile {
    file: File,
    /// FILE_FLAG_OVERLAPPED: it has no position, and can be tied to a port.
    pub overlapped: bool,
    /// FILE_APPEND_DATA without FILE_WRITE_DATA: every write goes to the end.
    pub appends: bool,
    /// Where overlapped operations are reported.
    pub report: Mutex<Report>,
    /// FILE_FLAG_DELETE_ON_CLOSE.
    doomed: Option<PathBuf>,
}

impl OpenFile {
    pub fn new(file: File) -> OpenFile {
        let report = Mutex::new(Report::default());
        OpenFile { file, overlapped: false, appends: false, report, doomed: None }
    }

    /// The same file for another handle.
    pub fn copy(&self) -> io::Result<OpenFile> {
        let report = Mutex::new(lock(&self.report).clone());
        let OpenFile { overlapped, appends, .. } = *self;
        Ok(OpenFile { file: self.file.try_clone()?, overlapped, appends, report, doomed: None })
    }
}

impl Deref for OpenFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if let Some(path) = self.doomed.take() {
            // Who removed it already has done what was asked.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The path that a program means: backslashes part it too, and a drive is left out, since here
/// there is one tree. `NUL` is the null device.
pub fn path(name: &str) -> PathBuf {
    if name.eq_ignore_ascii_case("nul") {
        return PathBuf::from("/dev/null");
    }
    let name = name.strip_prefix(r"\\?\").unwrap_or(name);
    let has_drive = matches!(name.as_bytes(), [drive, b':', ..] if drive.is_ascii_alphabetic());
    let name = if has_drive { &name[2..] } else { name };
    PathBuf::from(name.replace('\\', "/"))
}

/// The code of a failed call on a file.
pub fn code_of(error: &io::Error) -> Code {
    Code(match (error.raw_os_error(), error.kind()) {
        (_, ErrorKind::NotFound) => ERROR_FILE_NOT_FOUND,
        (Some(libc::ENOTDIR), _) => ERROR_PATH_NOT_FOUND,
        (_, ErrorKind::PermissionDenied) => ERROR_ACCESS_DENIED,
        // The descriptor is open, but not for this.
        (Some(libc::EBADF | libc::EISDIR | libc::EROFS | libc::ETXTBSY), _) => ERROR_ACCESS_DENIED,
        (_, ErrorKind::AlreadyExists) => ERROR_FILE_EXISTS,
        (Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG), _) => ERROR_DISK_FULL,
        (Some(libc::EMFILE | libc::ENFILE), _) => ERROR_TOO_MANY_OPEN_FILES,
        (Some(libc::EFAULT), _) => ERROR_NOACCESS,
        (Some(libc::EPIPE), _) => ERROR_NO_DATA,
        (Some(libc::ESPIPE), _) => ERROR_INVALID_FUNCTION,
        (Some(libc::EIO), _) => ERROR_IO_DEVICE,
        (Some(libc::EINVAL), _) => ERROR_INVALID_PARAMETER,
        _ => ERROR_GEN_FAILURE,
    })
}

/// Opens a file: [CreateFileW][ms]. INVALID_HANDLE_VALUE on failure: ERROR_FILE_NOT_FOUND,
/// ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS, ERROR_INVALID_PARAMETER.
/// ERROR_ALREADY_EXISTS beside a handle says that CREATE_ALWAYS or OPEN_ALWAYS found one.
///
/// DIFFERS: the path is a Linux path, in which a backslash is a slash and a drive is left out;
/// sharing and security are Linux', and of the FILE_FLAG_* OVERLAPPED and DELETE_ON_CLOSE count.
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
    flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    // SAFETY: our caller vouches for the terminator.
    opened(unsafe { text::read(name) }, access, disposition, flags)
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
    flags: FILE_FLAGS_AND_ATTRIBUTES,
    _template: HANDLE,
) -> HANDLE {
    // SAFETY: our caller vouches for the terminator.
    opened(unsafe { text::read(name) }, access, disposition, flags)
}

fn opened(
    name: Option<String>,
    access: u32,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
) -> HANDLE {
    let name = name.filter(|name| !name.is_empty()).ok_or(Code(ERROR_PATH_NOT_FOUND));
    let handle = name.and_then(|name| match named_pipes::name(&name) {
        Some(pipe) => named_pipes::open(&pipe, access, flags),
        None => object::insert(Object::File(open(path(&name), access, disposition, flags)?)),
    });
    handle.unwrap_or_else(|code| {
        error::set_last(code);
        INVALID_HANDLE_VALUE
    })
}

fn open(
    path: PathBuf,
    access: u32,
    disposition: FILE_CREATION_DISPOSITION,
    flags: FILE_FLAGS_AND_ATTRIBUTES,
) -> Result<Box<OpenFile>, Code> {
    let write = access & (GENERIC_WRITE | GENERIC_ALL | FILE_WRITE_DATA) != 0;
    let appends = access & FILE_APPEND_DATA != 0 && !write;
    let read = access & (GENERIC_READ | GENERIC_ALL | FILE_READ_DATA) != 0;
    let writes = write || appends;
    let mut options = OpenOptions::new();
    options.read(read || !writes).write(writes);
    let exists = path.exists();
    match disposition {
        CREATE_NEW => options.create_new(true),
        CREATE_ALWAYS => options.write(true).create(true).truncate(true),
        OPEN_EXISTING => &mut options,
        OPEN_ALWAYS => options.write(writes || !exists).create(!exists),
        TRUNCATE_EXISTING => options.truncate(true),
        _ => return Err(Code(ERROR_INVALID_PARAMETER)),
    };
    let file = options.open(&path).map_err(|error| code_of(&error))?;
    if matches!(disposition, CREATE_ALWAYS | OPEN_ALWAYS) {
        error::set_last(Code(if exists { ERROR_ALREADY_EXISTS } else { NO_ERROR }));
    }
    let mut file = OpenFile::new(file);
    file.overlapped = flags & FILE_FLAG_OVERLAPPED != 0;
    file.appends = appends;
    file.doomed = (flags & FILE_FLAG_DELETE_ON_CLOSE != 0).then_some(path);
    Ok(Box::new(file))
}

/// A handle for a descriptor; NULL when there is none to be had. CloseHandle closes both.
pub fn handle_of(descriptor: OwnedFd) -> HANDLE {
    let file = Box::new(OpenFile::new(File::from(descriptor)));
    object::insert(Object::File(file)).unwrap_or_else(|code| {
        error::set_last(code);
        std::ptr::null_mut()
    })
}

/// Makes a pipe, and a handle for each of its ends: [CreatePipe][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createpipe
///
/// # Safety
/// As on Windows: `read` and `write` are places for the handles.
pub unsafe extern "system" fn CreatePipe(
    read: *mut HANDLE,
    write: *mut HANDLE,
    _security: *const SECURITY_ATTRIBUTES,
    _size: u32,
) -> BOOL {
    let ends = io::pipe().map_err(|error| code_of(&error)).and_then(|(reader, writer)| {
        if read.is_null() || write.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        Ok((handle_of(reader.into()), handle_of(writer.into())))
    });
    answer(ends.map(|ends| {
        // SAFETY: our caller vouches for the places.
        unsafe { (*read, *write) = ends };
    }))
}

/// The file behind a handle.
pub fn with_file<R>(
    handle: HANDLE,
    f: impl FnOnce(&OpenFile) -> Result<R, Code>,
) -> Result<R, Code> {
    match &*object::open(handle)? {
        Object::File(file) => f(file),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    }
}

pub fn answer(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            error::set_last(code);
            FALSE
        }
    }
}

/// The size of a file: [GetFileSizeEx][ms]. ERROR_INVALID_HANDLE.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfilesizeex
///
/// # Safety
/// As on Windows: `size` is a place for the size.
pub unsafe extern "system" fn GetFileSizeEx(file: HANDLE, size: *mut i64) -> BOOL {
    answer(with_file(file, |file| self::size(file)).map(|length| {
        // SAFETY: our caller vouches for the place.
        unsafe { *size = length };
    }))
}

/// The lower half of a file's size, and at `high` the upper one: [GetFileSize][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfilesize
///
/// # Safety
/// As on Windows: `high` is NULL or a place for half a size.
pub unsafe extern "system" fn GetFileSize(file: HANDLE, high: *mut u32) -> u32 {
    match with_file(file, |file| size(file)) {
        // SAFETY: passed on from our caller.
        Ok(size) => unsafe { halves(size, high) },
        Err(code) => {
            error::set_last(code);
            INVALID_FILE_SIZE
        }
    }
}

/// The lower half, after the upper one was written to its place.
///
/// # Safety
/// `high` is NULL or a place for it.
unsafe fn halves(value: i64, high: *mut u32) -> u32 {
    if !high.is_null() {
        // SAFETY: our caller vouches for the place.
        unsafe { *high = (value >> 32) as u32 };
    }
    error::set_last(Code(NO_ERROR)); // The lower half alone may look like a failure.
    value as u32
}

/// Moves a file's position: [SetFilePointerEx][ms]. ERROR_NEGATIVE_SEEK.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-setfilepointerex
///
/// # Safety
/// As on Windows: `new` is NULL or a place for the new position.
pub unsafe extern "system" fn SetFilePointerEx(
    file: HANDLE,
    distance: i64,
    new: *mut i64,
    method: SET_FILE_POINTER_MOVE_METHOD,
) -> BOOL {
    answer(with_file(file, |file| seek(file, distance, method)).map(|position| {
        if !new.is_null() {
            // SAFETY: our caller vouches for the place.
            unsafe { *new = position };
        }
    }))
}

/// As [`SetFilePointerEx`], with the distance in halves: [SetFilePointer][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-setfilepointer
///
/// # Safety
/// As on Windows: `high` is NULL, or the distance's upper half and the place for the position's.
pub unsafe extern "system" fn SetFilePointer(
    file: HANDLE,
    distance: i32,
    high: *mut i32,
    method: SET_FILE_POINTER_MOVE_METHOD,
) -> u32 {
    let distance = match high.is_null() {
        true => distance.into(),
        // SAFETY: our caller vouches for it.
        false => i64::from(unsafe { *high }) << 32 | i64::from(distance as u32),
    };
    match with_file(file, |file| seek(file, distance, method)) {
        // SAFETY: passed on from our caller.
        Ok(position) => unsafe { halves(position, high.cast()) },
        Err(code) => {
            error::set_last(code);
            INVALID_SET_FILE_POINTER
        }
    }
}

fn seek(mut file: &File, distance: i64, method: SET_FILE_POINTER_MOVE_METHOD) -> Result<i64, Code> {
    let base = match method {
        FILE_BEGIN => 0,
        FILE_CURRENT => position(file)?,
        FILE_END => size(file)?,
        _ => return Err(Code(ERROR_INVALID_PARAMETER)),
    };
    let target = base.checked_add(distance).ok_or(Code(ERROR_INVALID_PARAMETER))?;
    let target = u64::try_from(target).map_err(|_| Code(ERROR_NEGATIVE_SEEK))?;
    file.seek(SeekFrom::Start(target)).map(|at| at as i64).map_err(|error| code_of(&error))
}

/// Cuts or extends a file to its position: [SetEndOfFile][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-setendoffile
pub unsafe extern "system" fn SetEndOfFile(file: HANDLE) -> BOOL {
    answer(with_file(file, |file| {
        let end = position(file)?;
        file.set_len(end as u64).map_err(|error| code_of(&error))
    }))
}

/// Waits until what was written is on the disk: [FlushFileBuffers][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers
pub unsafe extern "system" fn FlushFileBuffers(file: HANDLE) -> BOOL {
    answer(with_file(file, |file| match file.sync_all() {
        // Pipes and devices keep nothing back.
        Err(error) if error.raw_os_error() != Some(libc::EINVAL) => Err(code_of(&error)),
        _ => Ok(()),
    }))
}

/// What is behind a handle: [GetFileType][ms]. Sockets are FILE_TYPE_PIPE, as on Windows.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfiletype
pub unsafe extern "system" fn GetFileType(file: HANDLE) -> FILE_TYPE {
    let kind = object::open(file).and_then(|object: Ref<Object>| match &*object {
        Object::File(file) => {
            let kind = file.metadata().map_err(|error| code_of(&error))?.file_type();
            Ok(match () {
                _ if kind.is_char_device() => FILE_TYPE_CHAR,
                _ if kind.is_fifo() || kind.is_socket() => FILE_TYPE_PIPE,
                _ => FILE_TYPE_DISK,
            })
        }
        Object::Socket(_) => Ok(FILE_TYPE_PIPE),
        _ => Err(Code(ERROR_INVALID_HANDLE)),
    });
    kind.unwrap_or_else(|code| {
        error::set_last(code);
        FILE_TYPE_UNKNOWN
    })
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
