//! Files beside sockets: what a server reads and writes, also through a port. No rule of its own.

use std::path::PathBuf;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use conformance::*;
use winsock_sys::Win32::Foundation::*;
use winsock_sys::Win32::Storage::FileSystem::*;
use winsock_sys::Win32::System::IO::{CreateIoCompletionPort, OVERLAPPED};
use winsock_sys::Win32::System::Pipes::CreatePipe;
use winsock_sys::Win32::System::Threading::{INFINITE, SleepEx, WaitForSingleObject};

/// A path in the temporary folder where nothing is.
fn fresh_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    init();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("winsock-files-{}-{number}.bin", std::process::id()))
}

/// Closes the handle and removes the file.
struct File(HANDLE, PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is this file's own.
        unsafe { CloseHandle(self.0) };
        // A file left behind in the temporary folder is no reason to fail.
        let _ = std::fs::remove_file(&self.1);
    }
}

fn try_open(path: &std::path::Path, access: u32, disposition: u32, flags: u32) -> HANDLE {
    let wide: Vec<u16> = path.to_str().unwrap().encode_utf16().chain([0]).collect();
    // SAFETY: `wide` ends in NUL; the other pointers are optional.
    unsafe {
        CreateFileW(wide.as_ptr(), access, FILE_SHARE_READ, null(), disposition, flags, null_mut())
    }
}

#[track_caller]
fn open(flags: u32) -> File {
    let path = fresh_path();
    let handle = try_open(&path, GENERIC_READ | GENERIC_WRITE, CREATE_NEW, flags);
    assert_ne!(handle, INVALID_HANDLE_VALUE, "{}", last_error());
    File(handle, path)
}

#[track_caller]
fn write(file: &File, data: &[u8]) {
    let mut written = 0;
    // SAFETY: the buffer is `data`.
    let done =
        unsafe { WriteFile(file.0, data.as_ptr(), data.len() as u32, &mut written, null_mut()) };
    assert_eq!((done, written as usize), (TRUE, data.len()), "{}", last_error());
}

#[track_caller]
fn read(file: HANDLE, len: usize) -> Vec<u8> {
    let (mut data, mut count) = (vec![0; len], 0);
    // SAFETY: the buffer is `data`.
    let done = unsafe { ReadFile(file, data.as_mut_ptr(), len as u32, &mut count, null_mut()) };
    assert_eq!(done, TRUE, "{}", last_error());
    data.truncate(count as usize);
    data
}

fn at(offset: u64) -> Box<OVERLAPPED> {
    let mut overlapped = Box::<OVERLAPPED>::default();
    overlapped.Anonymous.Anonymous.Offset = offset as u32;
    overlapped.Anonymous.Anonymous.OffsetHigh = (offset >> 32) as u32;
    overlapped
}

#[test]
fn what_is_written_is_read_and_the_position_moves() {
    let file = open(FILE_ATTRIBUTE_NORMAL);
    write(&file, b"hello, file");
    assert_eq!(read(file.0, 8), b"", "at the end");
    let mut position = -1;
    // SAFETY: the places are ours.
    unsafe {
        assert_eq!(SetFilePointerEx(file.0, -4, &mut position, FILE_END), TRUE);
        assert_eq!(position, 7);
        assert_eq!(read(file.0, 100), b"file");
        assert_eq!(SetFilePointer(file.0, 5, null_mut(), FILE_BEGIN), 5);
        assert_eq!(SetEndOfFile(file.0), TRUE);
        assert_eq!(GetFileSize(file.0, null_mut()), 5);
        assert_eq!(FlushFileBuffers(file.0), TRUE);
        assert_eq!(SetFilePointer(file.0, -6, null_mut(), FILE_CURRENT), INVALID_SET_FILE_POINTER);
        assert_eq!(last_error(), ERROR_NEGATIVE_SEEK);
        assert_eq!(GetFileType(file.0), FILE_TYPE_DISK);
    }
}

#[test]
fn dispositions_say_what_may_be_there() {
    let path = fresh_path();
    let open = |disposition| {
        let handle = try_open(&path, GENERIC_WRITE, disposition, FILE_ATTRIBUTE_NORMAL);
        let error = last_error();
        // SAFETY: nobody else has the handle.
        unsafe { CloseHandle(handle) };
        match handle == INVALID_HANDLE_VALUE {
            true => Err(error),
            false => Ok(error),
        }
    };
    assert_eq!(open(OPEN_EXISTING), Err(ERROR_FILE_NOT_FOUND));
    assert_eq!(open(OPEN_ALWAYS), Ok(NO_ERROR));
    assert_eq!(open(OPEN_ALWAYS), Ok(ERROR_ALREADY_EXISTS));
    assert_eq!(open(CREATE_ALWAYS), Ok(ERROR_ALREADY_EXISTS));
    assert_eq!(open(CREATE_NEW), Err(ERROR_FILE_EXISTS));
    assert_eq!(open(77), Err(ERROR_INVALID_PARAMETER));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn an_overlapped_read_reports_to_its_port() {
    let file = open(FILE_FLAG_OVERLAPPED);
    let port = port();
    // SAFETY: the handles are ours.
    unsafe {
        assert_eq!(CreateIoCompletionPort(file.0, *port, 77, 0), *port);
        assert_eq!(CreateIoCompletionPort(file.0, *port, 78, 0), null_mut());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
    }
    let (mut buffer, mut overlapped) = ([0; 16], at(4));
    // SAFETY: buffer and OVERLAPPED outlive the operations.
    let done = unsafe { WriteFile(file.0, b"over".as_ptr(), 4, null_mut(), &mut *overlapped) };
    assert!(done == TRUE || last_error() == ERROR_IO_PENDING, "{}", last_error());
    let packet = dequeue(*port, SOON);
    assert_eq!((packet.key, packet.bytes), (77, 4));
    let mut overlapped = at(2);
    // SAFETY: as above.
    let done = unsafe { ReadFile(file.0, buffer.as_mut_ptr(), 16, null_mut(), &mut *overlapped) };
    assert!(done == TRUE || last_error() == ERROR_IO_PENDING, "{}", last_error());
    let packet = dequeue(*port, SOON);
    assert_eq!((packet.key, packet.bytes), (77, 6));
    assert_eq!(packet.overlapped, &raw mut *overlapped);
    assert_eq!(&buffer[..6], b"\0\0over");
}

#[test]
fn an_overlapped_read_signals_its_file() {
    let file = open(FILE_FLAG_OVERLAPPED);
    let mut overlapped = at(0);
    // SAFETY: the OVERLAPPED outlives the operation.
    unsafe {
        let done = WriteFile(file.0, b"x".as_ptr(), 1, null_mut(), &mut *overlapped);
        assert!(done == TRUE || last_error() == ERROR_IO_PENDING, "{}", last_error());
        assert_eq!(WaitForSingleObject(file.0, INFINITE), WAIT_OBJECT_0);
    }
    assert_eq!(overlapped.InternalHigh, 1);
}

#[test]
fn the_end_of_a_file_is_an_error_with_an_overlapped_only() {
    let file = open(FILE_ATTRIBUTE_NORMAL);
    let (mut overlapped, mut byte) = (at(100), 0);
    // SAFETY: buffer and OVERLAPPED outlive the call.
    unsafe {
        assert_eq!(ReadFile(file.0, &mut byte, 1, null_mut(), &mut *overlapped), FALSE);
        assert_eq!(last_error(), ERROR_HANDLE_EOF);
    }
    assert_eq!(read(file.0, 1), b"");
}

#[test]
fn a_routine_runs_in_an_alertable_wait() {
    static SEEN: AtomicU32 = AtomicU32::new(0);
    unsafe extern "system" fn routine(error: u32, bytes: u32, _overlapped: *mut OVERLAPPED) {
        SEEN.store(error * 1000 + bytes, Ordering::Relaxed);
    }
    let file = open(FILE_FLAG_OVERLAPPED);
    let mut overlapped = at(0);
    // SAFETY: the OVERLAPPED outlives the operation.
    unsafe {
        let written = WriteFileEx(file.0, b"abc".as_ptr(), 3, &mut *overlapped, Some(routine));
        assert_eq!(written, TRUE, "{}", last_error());
        while SleepEx(1000, TRUE) != WAIT_IO_COMPLETION {}
    }
    assert_eq!(SEEN.load(Ordering::Relaxed), 3);
}

#[test]
fn a_pipe_has_two_ends() {
    init();
    let (mut reader, mut writer, mut written) = (null_mut(), null_mut(), 0);
    // SAFETY: the places are ours, and so are the handles.
    unsafe {
        assert_eq!(CreatePipe(&mut reader, &mut writer, null(), 0), TRUE);
        assert_eq!(GetFileType(reader), FILE_TYPE_PIPE);
        assert_eq!(WriteFile(writer, b"pipe".as_ptr(), 4, &mut written, null_mut()), TRUE);
        assert_eq!(read(reader, 100), b"pipe");
        CloseHandle(writer);
        let (mut byte, mut count) = (0, 7);
        assert_eq!(ReadFile(reader, &mut byte, 1, &mut count, null_mut()), FALSE);
        assert_eq!((last_error(), count), (ERROR_BROKEN_PIPE, 0));
        CloseHandle(reader);
        assert_eq!(CreatePipe(&mut reader, &mut writer, null(), 0), TRUE);
        CloseHandle(reader);
        assert_eq!(WriteFile(writer, b"pipe".as_ptr(), 4, &mut written, null_mut()), FALSE);
        assert_eq!(last_error(), ERROR_NO_DATA);
        CloseHandle(writer);
    }
}

#[test]
fn a_socket_is_read_and_written_as_a_file() {
    let (client, server) = tcp_pair();
    let (mut sending, mut receiving) = (at(0), at(0));
    let mut buffer = [0; 8];
    let handle = |socket: &Socket| std::ptr::without_provenance_mut(**socket);
    // SAFETY: buffers and OVERLAPPEDs outlive the operations.
    unsafe {
        let read = ReadFile(handle(&server), buffer.as_mut_ptr(), 8, null_mut(), &mut *receiving);
        assert_eq!((read, last_error()), (FALSE, ERROR_IO_PENDING));
        let sent = WriteFile(handle(&client), b"file".as_ptr(), 4, null_mut(), &mut *sending);
        assert!(sent == TRUE || last_error() == ERROR_IO_PENDING, "{}", last_error());
        assert_eq!(WaitForSingleObject(handle(&server), INFINITE), WAIT_OBJECT_0);
    }
    assert_eq!((receiving.InternalHigh, &buffer[..4]), (4, &b"file"[..]));
}
