//! `WSASendMsg` and `WSARecvMsg`: datagrams by message header, with control data.

use windows_sys::Win32::Networking::WinSock::{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE, SOCKET, WSAEFAULT, WSAEINVAL, WSAMSG,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use crate::ancillary;
use crate::data::{self, recv_telling, send_from};
use crate::error::Code;
use crate::object;
use crate::op::Sender;
use crate::start::answer;

/// Sends a datagram described by a message header: [WSASendMsg][ms]. As [`WSASendTo`]; WSAEINVAL on
/// a stream.
///
/// Control data may be IP_PKTINFO and IPV6_PKTINFO (where to send from), IP_TTL, IP_TOS,
/// IPV6_HOPLIMIT, IPV6_TCLASS and UDP_SEND_MSG_SIZE (one buffer, many datagrams); WSAEINVAL for
/// other.
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
        let array = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let to = (message.name.cast_const(), message.namelen);
        if message.Control.len != 0 {
            if message.Control.buf.is_null() {
                return Err(Code::wsa(WSAEFAULT));
            }
            // SAFETY: our caller vouches for the control data.
            let control = unsafe {
                std::slice::from_raw_parts(message.Control.buf, message.Control.len as usize)
            };
            let control = ancillary::to_linux(control)?;
            let socket = object::socket(s)?;
            // SAFETY: passed on from our caller.
            return unsafe {
                let message = data::message(&socket, array, control, flags, to)?;
                data::send_message(&socket, message, sent, overlapped, routine)
            };
        }
        // SAFETY: passed on from our caller.
        unsafe { send_from(s, array, sent, flags, Some(to), overlapped, routine) }
    }))
}

/// Receives a datagram into a message header: [WSARecvMsg][ms]. As [`WSARecvFrom`]; WSAEINVAL on a
/// stream.
///
/// Control data is what the socket's options ask for: IP_PKTINFO, IP_RECVTTL, IP_RECVTOS,
/// IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_RECVTCLASS, UDP_RECV_MAX_COALESCED_SIZE. What there is no room
/// for is left out, with MSG_CTRUNC in the flags.
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
        let missing = |is_null: bool, len: u32| is_null && len != 0;
        let needed = if object::socket(s)?.form.family == libc::AF_INET { 16 } else { 28 };
        if missing(message.name.is_null(), message.namelen as u32)
            || missing(message.Control.buf.is_null(), message.Control.len)
            || !message.name.is_null() && message.namelen < needed
        {
            return Err(Code::wsa(WSAEFAULT));
        }
        let mut flags = message.dwFlags;
        let array = (message.lpBuffers.cast_const(), message.dwBufferCount);
        let from = Sender::Message(message);
        let socket = object::socket(s)?;
        // SAFETY: passed on from our caller.
        unsafe { recv_telling(&socket, array, received, &mut flags, from, overlapped, routine) }
    }))
}

fn for_datagrams(s: SOCKET) -> Result<(), Code> {
    match object::socket(s)?.form.is_stream() {
        true => Err(Code::wsa(WSAEINVAL)),
        false => Ok(()),
    }
}
