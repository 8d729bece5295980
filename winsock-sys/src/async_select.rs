//! `WSAAsyncSelect`: network events by window message.

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAEINVAL};

use crate::error::Code;
use crate::object;
use crate::readiness::{ALL_EVENTS, Selection, Sink, Target};
use crate::start::answer;
use crate::window;

/// Has a message posted to a window whenever one of the network events in `mask` happens on a
/// socket: [WSAAsyncSelect][ms].
///
/// Each event is a message of its own: wParam is the socket, lParam MAKELONG(event, error) (rule
/// 97). It replaces what this function or [`WSAEventSelect`] selected before; messages that are
/// queued already remain (rule 99). A mask of 0 selects nothing. The socket is non-blocking from
/// now on. What holds already is posted at once, and again at each call (rule 98).
///
/// WSAENOTSOCK; WSAEINVAL for a window that does not exist (rule 102), or for bits that are no
/// events.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-wsaasyncselect
/// [`WSAEventSelect`]: crate::Win32::Networking::WinSock::WSAEventSelect
pub unsafe extern "system" fn WSAAsyncSelect(
    s: SOCKET,
    hwnd: HWND,
    message: u32,
    mask: i32,
) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        let mask = mask as u32;
        let sink = match mask {
            0 => Sink::Nowhere,
            _ if mask & !ALL_EVENTS != 0 || !window::exists(hwnd) => {
                return Err(Code::wsa(WSAEINVAL));
            }
            _ => Sink::Window(Target { hwnd, message, socket: s }),
        };
        socket.select(Selection { sink, mask })
    }))
}
