//! Failures under their three names: the kernel's errno below, NTSTATUS inside, WSA and Win32 codes
//! above; and the thread's last error.
//!
//! An operation keeps an NTSTATUS and nothing else; a caller sees it as a WSA code or as a Win32
//! code, whichever function it asked (rule 12). A call that fails at once has no status to show and
//! goes from errno to the WSA code directly, by [`wsa_of_errno`]: some WSA codes have no status.

mod table;

use std::cell::Cell;

use libc::c_int;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_MR_MID_NOT_FOUND, FALSE, HANDLE, NTSTATUS, STATUS_ACCESS_DENIED,
    STATUS_ACCESS_VIOLATION, STATUS_ADDRESS_ALREADY_EXISTS, STATUS_CANCELLED,
    STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_ACTIVE, STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET, STATUS_DEVICE_NOT_READY, STATUS_HOST_DOWN, STATUS_HOST_UNREACHABLE,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_ADDRESS_COMPONENT, STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_CONNECTION, STATUS_INVALID_HANDLE, STATUS_INVALID_NETWORK_RESPONSE,
    STATUS_INVALID_PARAMETER, STATUS_IO_TIMEOUT, STATUS_NETWORK_UNREACHABLE, STATUS_NO_SUCH_FILE,
    STATUS_NOT_SUPPORTED, STATUS_OBJECT_TYPE_MISMATCH, STATUS_PIPE_DISCONNECTED,
    STATUS_REQUEST_ABORTED, STATUS_SUCCESS, STATUS_UNEXPECTED_IO_ERROR,
    STATUS_UNEXPECTED_NETWORK_ERROR, STATUS_UNSUCCESSFUL, TRUE, WIN32_ERROR,
};
use windows_sys::Win32::Networking::WinSock::{
    WSA_ERROR, WSAEAFNOSUPPORT, WSAEALREADY, WSAEDESTADDRREQ, WSAEINVAL, WSAEMFILE, WSAENETRESET,
    WSAENOPROTOOPT, WSAEPFNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE, WSAESOCKTNOSUPPORT,
    WSAETOOMANYREFS,
};

use windows_sys::core::BOOL;

use crate::thread;
use table::{PLAIN_ROWS, SOCKET_ROWS};

/// A failure code as the thread's last error holds it: a WSA or a Win32 code, whose numbers do not
/// overlap (rule 132).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code(pub u32);

impl Code {
    /// The code of a WSA constant, which windows-sys spells as a signed number.
    pub const fn wsa(code: WSA_ERROR) -> Code {
        Code(code as u32)
    }

    /// No failure: the call has ended because its thread was told to end, and ends it where the
    /// last error would be set.
    pub const THREAD_ENDS: Code = Code(u32::MAX);

    /// The code as the functions that return a WSA code spell it.
    pub const fn as_wsa(self) -> WSA_ERROR {
        self.0 as WSA_ERROR
    }
}

thread_local! {
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// Sets the thread's last error.
pub fn set_last(code: Code) {
    if code == Code::THREAD_ENDS {
        thread::end_condemned();
    }
    LAST.set(code.0);
}

/// The thread's last error.
pub fn last() -> u32 {
    LAST.get()
}

/// What the functions with a BOOL answer: TRUE, or FALSE and the last error.
pub fn truth(result: Result<(), Code>) -> BOOL {
    match result {
        Ok(()) => TRUE,
        Err(code) => {
            set_last(code);
            FALSE
        }
    }
}

/// What the functions with a HANDLE answer: it, or NULL and the last error.
pub fn handle_of(result: Result<HANDLE, Code>) -> HANDLE {
    result.unwrap_or_else(|code| {
        set_last(code);
        std::ptr::null_mut()
    })
}

/// ERROR_INVALID_PARAMETER if there are flags that the function does not know.
pub fn no_flags(unknown: u32) -> Result<(), Code> {
    match unknown {
        0 => Ok(()),
        _ => Err(Code(ERROR_INVALID_PARAMETER)),
    }
}

/// The status of an operation that the kernel ended with `errno`.
///
/// Every errno that a socket call documents has its row. One that is not expected becomes
/// STATUS_UNSUCCESSFUL.
pub fn status_of_errno(errno: c_int) -> NTSTATUS {
    match errno {
        0 => STATUS_SUCCESS,
        libc::EACCES | libc::EPERM => STATUS_ACCESS_DENIED,
        libc::EADDRINUSE => STATUS_ADDRESS_ALREADY_EXISTS,
        // ENODEV: a multicast interface that does not exist.
        libc::EADDRNOTAVAIL | libc::ENODEV => STATUS_INVALID_ADDRESS_COMPONENT,
        libc::EAGAIN | libc::EINPROGRESS | libc::EALREADY => STATUS_DEVICE_NOT_READY,
        libc::EBADF => STATUS_INVALID_HANDLE,
        libc::ECANCELED => STATUS_CANCELLED,
        libc::ECONNABORTED => STATUS_CONNECTION_ABORTED,
        libc::ECONNREFUSED => STATUS_CONNECTION_REFUSED,
        libc::ECONNRESET | libc::EPIPE | libc::ENETRESET => STATUS_CONNECTION_RESET,
        libc::EFAULT => STATUS_ACCESS_VIOLATION,
        libc::EHOSTDOWN => STATUS_HOST_DOWN,
        libc::EHOSTUNREACH => STATUS_HOST_UNREACHABLE,
        libc::EINTR => STATUS_REQUEST_ABORTED,
        libc::EIO => STATUS_UNEXPECTED_IO_ERROR,
        libc::EISCONN => STATUS_CONNECTION_ACTIVE,
        libc::EMSGSIZE => STATUS_INVALID_BUFFER_SIZE,
        libc::ENETDOWN => STATUS_UNEXPECTED_NETWORK_ERROR,
        libc::ENETUNREACH | libc::ENONET => STATUS_NETWORK_UNREACHABLE,
        libc::ENOENT => STATUS_NO_SUCH_FILE,
        // ENOSPC: the limit on watched descriptors.
        libc::EMFILE
        | libc::ENFILE
        | libc::ENOBUFS
        | libc::ENOMEM
        | libc::ENOSPC
        | libc::ETOOMANYREFS => STATUS_INSUFFICIENT_RESOURCES,
        libc::ENOTCONN => STATUS_INVALID_CONNECTION,
        libc::ENOTSOCK => STATUS_OBJECT_TYPE_MISMATCH,
        libc::EPROTO => STATUS_INVALID_NETWORK_RESPONSE,
        libc::ESHUTDOWN => STATUS_PIPE_DISCONNECTED,
        libc::ETIMEDOUT => STATUS_IO_TIMEOUT,
        libc::EAFNOSUPPORT
        | libc::ENOPROTOOPT
        | libc::ENOSYS
        | libc::ENOTTY
        | libc::EOPNOTSUPP
        | libc::EPFNOSUPPORT
        | libc::EPROTONOSUPPORT
        | libc::EPROTOTYPE
        | libc::ESOCKTNOSUPPORT => STATUS_NOT_SUPPORTED,
        libc::EDESTADDRREQ
        | libc::EDOM
        | libc::EINVAL
        | libc::EOVERFLOW
        | libc::ERANGE
        | libc::ESPIPE => STATUS_INVALID_PARAMETER,
        _ => STATUS_UNSUCCESSFUL,
    }
}

/// The WSA code of a call that the kernel refused with `errno` (rule 9).
pub fn wsa_of_errno(errno: c_int) -> Code {
    let own = match errno {
        libc::EAFNOSUPPORT => WSAEAFNOSUPPORT,
        libc::EALREADY => WSAEALREADY,
        libc::EDESTADDRREQ => WSAEDESTADDRREQ,
        libc::EMFILE | libc::ENFILE => WSAEMFILE,
        libc::ENETRESET => WSAENETRESET,
        libc::ENOPROTOOPT => WSAENOPROTOOPT,
        libc::ENOTTY => WSAEINVAL,
        libc::EPFNOSUPPORT => WSAEPFNOSUPPORT,
        libc::EPROTONOSUPPORT => WSAEPROTONOSUPPORT,
        libc::EPROTOTYPE => WSAEPROTOTYPE,
        libc::ESOCKTNOSUPPORT => WSAESOCKTNOSUPPORT,
        libc::ETOOMANYREFS => WSAETOOMANYREFS,
        _ => return wsa_of_status(status_of_errno(errno)),
    };
    Code::wsa(own)
}

/// What Winsock calls `status`: 0 for success, otherwise rules 12, 13 and 141.
pub fn wsa_of_status(status: NTSTATUS) -> Code {
    match (socket_row(status), status < 0) {
        (Some((wsa, _)), _) => Code::wsa(wsa),
        (None, true) => Code::wsa(WSAEINVAL),
        (None, false) => win32_of_status(status),
    }
}

/// What Win32 calls `status`: 0 for success, otherwise rule 12.
///
/// A status that is not in the tables (those of file systems, drivers, debuggers) becomes
/// ERROR_MR_MID_NOT_FOUND, as one that Windows does not know.
pub fn win32_of_status(status: NTSTATUS) -> Code {
    if let Some((_, win32)) = socket_row(status) {
        return Code(win32);
    }
    match PLAIN_ROWS.binary_search_by_key(&(status as u32), |row| row.0 as u32) {
        Ok(at) => Code(PLAIN_ROWS[at].1),
        Err(_) if carries_win32(status) => Code(status as u32 & 0xFFFF),
        Err(_) => Code(ERROR_MR_MID_NOT_FOUND),
    }
}

/// Whether the lower half is a Win32 code put into a status: a failure of that facility.
fn carries_win32(status: NTSTATUS) -> bool {
    matches!(status as u32 >> 16, 0x8007 | 0xC001 | 0xC007)
}

fn socket_row(status: NTSTATUS) -> Option<(WSA_ERROR, WIN32_ERROR)> {
    let at = SOCKET_ROWS.binary_search_by_key(&(status as u32), |row| row.0 as u32).ok()?;
    let (_, wsa, win32) = SOCKET_ROWS[at];
    Some((wsa, win32))
}

/// The calling thread's last error, WSA or Win32.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn GetLastError() -> WIN32_ERROR {
    last()
}

/// Sets the calling thread's last error.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/errhandlingapi/nf-errhandlingapi-setlasterror
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn SetLastError(dwerrcode: WIN32_ERROR) {
    set_last(Code(dwerrcode));
}

/// The calling thread's last error: the same slot as [`GetLastError`] reads (rule 132).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsagetlasterror
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn WSAGetLastError() -> WSA_ERROR {
    last() as WSA_ERROR
}

/// Sets the calling thread's last error: the same slot as [`SetLastError`] writes (rule 132).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasetlasterror
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn WSASetLastError(ierror: i32) {
    set_last(Code::wsa(ierror));
}

/// The Win32 code of `status`; ERROR_MR_MID_NOT_FOUND for a status without one.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn RtlNtStatusToDosError(status: NTSTATUS) -> u32 {
    win32_of_status(status).0
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Foundation::*;
    use windows_sys::Win32::Networking::WinSock::*;

    // Named one by one: windows-sys declares functions of these names too.
    use super::{
        Code, GetLastError, PLAIN_ROWS, SOCKET_ROWS, SetLastError, WSAGetLastError,
        WSASetLastError, last, socket_row, win32_of_status, wsa_of_errno, wsa_of_status,
    };

    #[test]
    fn tables_ascend() {
        assert!(SOCKET_ROWS.is_sorted_by(|a, b| (a.0 as u32) < b.0 as u32));
        assert!(PLAIN_ROWS.is_sorted_by(|a, b| (a.0 as u32) < b.0 as u32));
        assert!(PLAIN_ROWS.iter().all(|row| socket_row(row.0).is_none()));
    }

    #[test]
    fn one_status_has_two_names() {
        for (status, wsa, win32) in [
            (STATUS_SUCCESS, 0, ERROR_SUCCESS),
            (STATUS_PENDING, WSA_IO_PENDING, ERROR_IO_PENDING),
            (STATUS_CONNECTION_RESET, WSAECONNRESET, ERROR_NETNAME_DELETED),
            (STATUS_CONNECTION_REFUSED, WSAECONNREFUSED, ERROR_CONNECTION_REFUSED),
            (STATUS_CONNECTION_ABORTED, WSAECONNABORTED, ERROR_CONNECTION_ABORTED),
            (STATUS_CANCELLED, WSA_OPERATION_ABORTED, ERROR_OPERATION_ABORTED),
            (STATUS_BUFFER_OVERFLOW, WSAEMSGSIZE, ERROR_MORE_DATA),
            (STATUS_BUFFER_TOO_SMALL, WSAEFAULT, ERROR_INSUFFICIENT_BUFFER),
            (STATUS_TIMEOUT, ERROR_TIMEOUT as i32, ERROR_TIMEOUT),
            (STATUS_END_OF_FILE, WSAEINVAL, ERROR_HANDLE_EOF),
            (0xC007_0102_u32 as NTSTATUS, WSAEINVAL, WAIT_TIMEOUT),
            (0xC0FF_0102_u32 as NTSTATUS, WSAEINVAL, ERROR_MR_MID_NOT_FOUND),
        ] {
            assert_eq!(wsa_of_status(status), Code::wsa(wsa), "{status:#x}");
            assert_eq!(win32_of_status(status), Code(win32), "{status:#x}");
        }
    }

    #[test]
    fn rule_9_errno() {
        for (errno, wsa) in [
            (libc::EBADF, WSAENOTSOCK),
            (libc::ENOTSOCK, WSAENOTSOCK),
            (libc::EAGAIN, WSAEWOULDBLOCK),
            (libc::EINPROGRESS, WSAEWOULDBLOCK),
            (libc::EALREADY, WSAEALREADY),
            (libc::EPIPE, WSAECONNRESET),
            (libc::ECONNRESET, WSAECONNRESET),
            (libc::EPERM, WSAEACCES),
            (libc::EACCES, WSAEACCES),
            (libc::ENFILE, WSAEMFILE),
            (libc::EMFILE, WSAEMFILE),
            (libc::ECONNABORTED, WSAECONNABORTED),
            (libc::EHOSTDOWN, WSAEHOSTDOWN),
            (libc::ENOBUFS, WSAENOBUFS),
            (libc::ENOMEM, WSAENOBUFS),
            (libc::EADDRINUSE, WSAEADDRINUSE),
            (libc::EADDRNOTAVAIL, WSAEADDRNOTAVAIL),
            (libc::EISCONN, WSAEISCONN),
            (libc::ENOTCONN, WSAENOTCONN),
            (libc::ETIMEDOUT, WSAETIMEDOUT),
            (libc::ENETUNREACH, WSAENETUNREACH),
            (libc::EHOSTUNREACH, WSAEHOSTUNREACH),
            (libc::EMSGSIZE, WSAEMSGSIZE),
            (libc::EOPNOTSUPP, WSAEOPNOTSUPP),
            (libc::EINVAL, WSAEINVAL),
            (libc::EFAULT, WSAEFAULT),
            (libc::ENETDOWN, WSAENETDOWN),
            (libc::ESHUTDOWN, WSAESHUTDOWN),
        ] {
            assert_eq!(wsa_of_errno(errno), Code::wsa(wsa), "errno {errno}");
        }
    }

    #[test]
    fn rule_132_one_slot() {
        // SAFETY: these take no memory.
        unsafe {
            WSASetLastError(WSAEINTR);
            assert_eq!(GetLastError(), WSAEINTR as u32);
            SetLastError(ERROR_NOT_FOUND);
            assert_eq!(WSAGetLastError(), ERROR_NOT_FOUND as i32);
        }
        std::thread::spawn(|| assert_eq!(last(), 0)).join().unwrap();
    }
}
