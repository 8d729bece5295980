//! What ws2_32 has for C programs only, and the descriptor behind a socket.

use std::cell::RefCell;
use std::ffi::c_int;

use windows_sys::Win32::Networking::WinSock::{IN6_ADDR, IN6_ADDR_0, SOCKET};

use crate::message;
use crate::text::{self, Unit};

thread_local! {
    static NARROW: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static UTF16: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
    static UTF32: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the text of a code until the thread asks for the next.
fn keep<U: Unit>(buffer: &RefCell<Vec<U>>, code: c_int) -> *mut U {
    let mut buffer = buffer.borrow_mut();
    *buffer = text::terminated(message::of_error(code as u32));
    buffer.as_mut_ptr()
}

/// The text of getaddrinfo's error, until the thread asks for another: [gai_strerrorA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-gai_strerrora
pub unsafe extern "C" fn gai_strerrorA(code: c_int) -> *mut u8 {
    NARROW.with(|buffer| keep(buffer, code))
}

/// As [`gai_strerrorA`]: [gai_strerrorW][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/ws2tcpip/nf-ws2tcpip-gai_strerrorw
pub unsafe extern "C" fn gai_strerrorW(code: c_int) -> *mut u16 {
    UTF16.with(|buffer| keep(buffer, code))
}

/// The functions above where a wide character has four bytes.
pub mod wide {
    use super::*;

    /// [`super::gai_strerrorW`].
    pub unsafe extern "C" fn gai_strerrorW(code: c_int) -> *mut u32 {
        UTF32.with(|buffer| keep(buffer, code))
    }
}

/// The descriptor behind a socket, or -1: no function of Windows.
pub unsafe extern "C" fn winsock_fd(s: SOCKET) -> c_int {
    winsock_sys::linux::socket_fd(s).unwrap_or(-1)
}

/// `in6addr_any` of ws2tcpip.h. glibc has one too, of the same content.
#[unsafe(export_name = "ws_in6addr_any")]
pub static IN6ADDR_ANY: IN6_ADDR = IN6_ADDR { u: IN6_ADDR_0 { Byte: [0; 16] } };

/// `in6addr_loopback` of ws2tcpip.h.
#[unsafe(export_name = "ws_in6addr_loopback")]
pub static IN6ADDR_LOOPBACK: IN6_ADDR =
    IN6_ADDR { u: IN6_ADDR_0 { Byte: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] } };
