//! Byte order: htonl and its kin.

use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAEFAULT};

use crate::error::Code;
use crate::{object, start};

/// A 32-bit number in network order.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-htonl
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn htonl(hostlong: u32) -> u32 {
    hostlong.to_be()
}

/// A 16-bit number in network order.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-htons
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn htons(hostshort: u16) -> u16 {
    hostshort.to_be()
}

/// A 32-bit number in host order.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-ntohl
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn ntohl(netlong: u32) -> u32 {
    u32::from_be(netlong)
}

/// A 16-bit number in host order.
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-ntohs
///
/// # Safety
/// None needed; unsafe only to match windows-sys.
pub unsafe extern "system" fn ntohs(netshort: u16) -> u16 {
    u16::from_be(netshort)
}

/// What the four functions with a socket share. Every protocol of ours has the same network order,
/// so that of the socket matters only in that there must be one.
///
/// # Safety
/// `to` is NULL or writable.
unsafe fn convert<T>(s: SOCKET, value: T, to: *mut T) -> i32 {
    let convert = || {
        object::registered_socket(s)?;
        if to.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        // SAFETY: the caller promises that `to` is writable.
        unsafe { to.write_unaligned(value) };
        Ok(())
    };
    start::answer(convert())
}

/// Stores a 32-bit number in the network order of the socket's protocol. 0, or SOCKET_ERROR with
/// WSANOTINITIALISED, WSAENOTSOCK or WSAEFAULT (`lpnetlong` is NULL).
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsahtonl
///
/// # Safety
/// `lpnetlong` is NULL or writable.
pub unsafe extern "system" fn WSAHtonl(s: SOCKET, hostlong: u32, lpnetlong: *mut u32) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { convert(s, hostlong.to_be(), lpnetlong) }
}

/// Stores a 16-bit number in the network order of the socket's protocol; errors as [`WSAHtonl`].
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsahtons
///
/// # Safety
/// `lpnetshort` is NULL or writable.
pub unsafe extern "system" fn WSAHtons(s: SOCKET, hostshort: u16, lpnetshort: *mut u16) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { convert(s, hostshort.to_be(), lpnetshort) }
}

/// Stores a 32-bit number of the socket's protocol in host order; errors as [`WSAHtonl`].
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsantohl
///
/// # Safety
/// `lphostlong` is NULL or writable.
pub unsafe extern "system" fn WSANtohl(s: SOCKET, netlong: u32, lphostlong: *mut u32) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { convert(s, u32::from_be(netlong), lphostlong) }
}

/// Stores a 16-bit number of the socket's protocol in host order; errors as [`WSAHtonl`].
///
/// [Microsoft's page][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsantohs
///
/// # Safety
/// `lphostshort` is NULL or writable.
pub unsafe extern "system" fn WSANtohs(s: SOCKET, netshort: u16, lphostshort: *mut u16) -> i32 {
    // SAFETY: our caller's promise is the same.
    unsafe { convert(s, u16::from_be(netshort), lphostshort) }
}
