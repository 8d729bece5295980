//! Files, for sending them.

use std::path::Path;
use std::ptr;

use winsock_sys::Win32::Foundation::{CloseHandle, GENERIC_READ, HANDLE, INVALID_HANDLE_VALUE};
use winsock_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_SEQUENTIAL_SCAN, FILE_SHARE_READ, GetFileSizeEx, OPEN_EXISTING,
};

use crate::error::{Error, Result};

/// A file that is open for [`Operations::transmit`](crate::Operations::transmit).
#[derive(Debug)]
pub struct File {
    raw: HANDLE,
}

// SAFETY: a HANDLE is a name, not memory; the file is only read, at offsets of each reader's own.
unsafe impl Send for File {}
// SAFETY: as above.
unsafe impl Sync for File {}

impl File {
    /// Opens a file to read it. The path must be valid Unicode.
    ///
    /// [`CreateFileW`](https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew)
    pub fn open(path: impl AsRef<Path>) -> Result<File> {
        let path = path.as_ref().to_str().ok_or(Error::INVALID)?;
        let name: Vec<u16> = path.encode_utf16().chain([0]).collect();
        // SAFETY: `name` is terminated and outlives the call.
        let raw = unsafe {
            CreateFileW(
                name.as_ptr(),
                GENERIC_READ,
                FILE_SHARE_READ,
                ptr::null(),
                OPEN_EXISTING,
                FILE_FLAG_SEQUENTIAL_SCAN,
                ptr::null_mut(),
            )
        };
        if raw == INVALID_HANDLE_VALUE { Err(Error::last_win32()) } else { Ok(File { raw }) }
    }

    /// How many bytes are in it now.
    #[expect(clippy::len_without_is_empty, reason = "a question to the system, not a property")]
    pub fn len(&self) -> Result<u64> {
        let mut len = 0;
        // SAFETY: the handle is open; `len` outlives the call.
        match unsafe { GetFileSizeEx(self.raw, &mut len) } {
            0 => Err(Error::last_win32()),
            _ => Ok(len as u64),
        }
    }

    pub(crate) fn raw(&self) -> HANDLE {
        self.raw
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used afterwards.
        unsafe { CloseHandle(self.raw) };
    }
}
