//! `WSASendMsg` and `WSARecvMsg`: datagrams by message header.
//!
//! DIFFERS: no control data yet: none is received, and sending some is refused.

use windows_sys::Win32::Networking::WinSock::{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET, WSAEFAULT, WSAEINVAL, WSAMSG,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::data::{recv_into, send_from};
use crate::error::Code;
use crate::object;
use crate::start::answer;

/// Sends a datagram described by a message header: [WSASendMsg][ms]. As [`WSASendTo`]; WSAEINVAL on
/// a stream and for control data.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendmsg
/// [`WSASendTo`]: crate::Win32::Networking::WinSock::WSASendTo
///
/// # Safety
/// As on Windows: the message is read during the call; its buffers and the OVERLAPPED are lent
/// until the operation completes.
pub unsafe extern "system" fn WSASendMsg(
    s: SOCKET,
    message: *const WSAMSG,
    flags: u32,
    sent: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    answer(for_datagrams(s).and_then(|()| {
        if message.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        // SAFETY: our caller vouches for the message.
        let message = unsafe { &*message };
        if message.Control.len != 0 {
            return Err(Code::wsa(WSAEINVAL));
        }
        let array = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let to = (message.name.cast_const(), message.namelen);
        // SAFETY: passed on from our caller.
        unsafe { send_from(s, array, sent, flags, Some(to), overlapped, routine) }
    }))
}

/// Receives a datagram into a message header: [WSARecvMsg][ms]. As [`WSARecvFrom`]; WSAEINVAL on a
/// stream.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg
/// [`WSARecvFrom`]: crate::Win32::Networking::WinSock::WSARecvFrom
///
/// # Safety
/// As on Windows: message, buffers and OVERLAPPED are lent until the operation completes.
pub unsafe extern "system" fn WSARecvMsg(
    s: SOCKET,
    message: *mut WSAMSG,
    received: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
) -> i32 {
    answer(for_datagrams(s).and_then(|()| {
        if message.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        // SAFETY: our caller vouches for the message.
        let message = unsafe { &mut *message };
        message.Control.len = 0;
        let mut flags = std::mem::take(&mut message.dwFlags);
        let array = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let from = (message.name, &raw mut message.namelen);
        // SAFETY: passed on from our caller.
        unsafe { recv_into(s, array, received, &mut flags, from, overlapped, routine) }
    }))
}

fn for_datagrams(s: SOCKET) -> Result<(), Code> {
    match object::socket(s)?.form.is_stream() {
        true => Err(Code::wsa(WSAEINVAL)),
        false => Ok(()),
    }
}
