//! Connecting to the first of several addresses that answers: `WSAConnectByList`,
//! `WSAConnectByName`.

use std::mem::offset_of;
use std::time::{Duration, Instant};

use windows_sys::Win32::Networking::WinSock::{
    IPPROTO_IPV6, IPV6_V6ONLY, SOCKADDR, SOCKET, SOCKET_ADDRESS, SOCKET_ADDRESS_LIST, TIMEVAL,
    WSAEINVAL, WSAEISCONN, WSAETIMEDOUT, WSAHOST_NOT_FOUND,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::{BOOL, PCSTR, PCWSTR};

use crate::address::{self, Address};
use crate::connect;
use crate::error::{self, Code};
use crate::names::{self, Question};
use crate::object::{self, SocketRef};
use crate::sys;
use crate::text;

const INVALID: Code = Code::wsa(WSAEINVAL);

/// Room that the caller has for an address and its length, or none.
type Room = (*mut SOCKADDR, *mut u32);

/// Connects to one of several addresses, trying one after the other, and blocks meanwhile whatever
/// FIONBIO says: [WSAConnectByList][ms].
///
/// The time is looked at between two attempts. WSAEINVAL for a bound socket, one of datagrams, an
/// empty list or `reserved`; else the last attempt's error. The socket is to be updated with
/// SO_UPDATE_CONNECT_CONTEXT afterwards, as after ConnectEx (rule 76).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaconnectbylist
///
/// # Safety
/// As on Windows: the list is NULL or as long as it says, its addresses too; rooms and lengths are
/// NULL or valid.
pub unsafe extern "system" fn WSAConnectByList(
    s: SOCKET,
    list: *const SOCKET_ADDRESS_LIST,
    local_len: *mut u32,
    local: *mut SOCKADDR,
    remote_len: *mut u32,
    remote: *mut SOCKADDR,
    timeout: *const TIMEVAL,
    reserved: *const OVERLAPPED,
) -> BOOL {
    let rooms = [(local, local_len), (remote, remote_len)];
    // SAFETY: passed on from our caller.
    let connected = usable(s, reserved).and_then(|socket| unsafe {
        let addresses = read_list(list)?;
        connect_to_one(&socket, &addresses, deadline(timeout)?, rooms)
    });
    answer(connected)
}

/// Connects to a host by its name and its service's, or its port's number: [WSAConnectByNameW][ms].
/// As [`WSAConnectByList`], with the addresses that the name has; the errors of a look-up too.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaconnectbynamew
///
/// # Safety
/// As on Windows: the texts are NULL or end in NUL; rooms and lengths are NULL or valid.
pub unsafe extern "system" fn WSAConnectByNameW(
    s: SOCKET,
    node: PCWSTR,
    service: PCWSTR,
    local_len: *mut u32,
    local: *mut SOCKADDR,
    remote_len: *mut u32,
    remote: *mut SOCKADDR,
    timeout: *const TIMEVAL,
    reserved: *const OVERLAPPED,
) -> BOOL {
    // SAFETY: our caller promises the NULs.
    let names = unsafe { (text::read(node), text::read(service)) };
    let rooms = [(local, local_len), (remote, remote_len)];
    // SAFETY: passed on from our caller.
    answer(unsafe { connect_by_name(s, names, rooms, timeout, reserved) })
}

/// As [`WSAConnectByNameW`]: [WSAConnectByNameA][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaconnectbynamea
///
/// # Safety
/// As there.
pub unsafe extern "system" fn WSAConnectByNameA(
    s: SOCKET,
    node: PCSTR,
    service: PCSTR,
    local_len: *mut u32,
    local: *mut SOCKADDR,
    remote_len: *mut u32,
    remote: *mut SOCKADDR,
    timeout: *const TIMEVAL,
    reserved: *const OVERLAPPED,
) -> BOOL {
    // SAFETY: our caller promises the NULs.
    let names = unsafe { (text::read(node), text::read(service)) };
    let rooms = [(local, local_len), (remote, remote_len)];
    // SAFETY: passed on from our caller.
    answer(unsafe { connect_by_name(s, names, rooms, timeout, reserved) })
}

fn answer(connected: Result<(), Code>) -> BOOL {
    match connected {
        Ok(()) => 1,
        Err(code) => {
            error::set_last(code);
            0
        }
    }
}

fn usable(s: SOCKET, reserved: *const OVERLAPPED) -> Result<SocketRef, Code> {
    let socket = object::socket(s)?;
    if !reserved.is_null() || !socket.form.is_stream() {
        return Err(INVALID);
    }
    let (bound, connected) = {
        let state = socket.lock();
        (state.bound, state.connected)
    };
    match (connected, bound) {
        (true, _) => Err(Code::wsa(WSAEISCONN)),
        (false, true) => Err(INVALID),
        (false, false) => Ok(socket),
    }
}

/// # Safety
/// As [`WSAConnectByNameW`].
unsafe fn connect_by_name(
    s: SOCKET,
    names: (Option<String>, Option<String>),
    rooms: [Room; 2],
    timeout: *const TIMEVAL,
    reserved: *const OVERLAPPED,
) -> Result<(), Code> {
    let socket = usable(s, reserved)?;
    let (Some(node), Some(service)) = names else { return Err(INVALID) };
    // SAFETY: passed on from our caller.
    let deadline = unsafe { deadline(timeout) }?;
    let family = socket.form.family;
    let question = Question {
        node: Some(node),
        service: Some(service),
        family: if takes_both(&socket) { libc::AF_UNSPEC } else { family },
        kind: socket.form.kind,
        protocol: socket.form.protocol,
        ..Question::default()
    };
    let found = names::resolve(&question)?.addresses;
    let addresses = found.into_iter().filter_map(|address| match address.family() == family {
        true => Some(address),
        false => address.mapped(), // Of IPv4, on a socket that takes both.
    });
    let addresses: Vec<Address> = addresses.collect();
    // SAFETY: passed on from our caller.
    unsafe { connect_to_one(&socket, &addresses, deadline, rooms) }
}

/// Whether it is a socket of IPv6 on which IPV6_V6ONLY was cleared.
fn takes_both(socket: &SocketRef) -> bool {
    let state = socket.lock();
    let v6_only = state.options().and_then(|set| set.value_of(IPPROTO_IPV6, IPV6_V6ONLY));
    socket.form.family == libc::AF_INET6 && v6_only == Some(0)
}

/// When to stop trying; never for NULL.
///
/// # Safety
/// `timeout` is NULL or valid.
unsafe fn deadline(timeout: *const TIMEVAL) -> Result<Option<Instant>, Code> {
    // SAFETY: our caller vouches for it.
    let Some(timeout) = (unsafe { timeout.as_ref() }) else { return Ok(None) };
    let seconds = u64::try_from(timeout.tv_sec).map_err(|_| INVALID)?;
    let micros = u64::try_from(timeout.tv_usec).map_err(|_| INVALID)?;
    Ok(Some(Instant::now() + Duration::from_secs(seconds) + Duration::from_micros(micros)))
}

/// # Safety
/// As [`WSAConnectByList`].
unsafe fn read_list(list: *const SOCKET_ADDRESS_LIST) -> Result<Vec<Address>, Code> {
    if list.is_null() {
        return Err(INVALID);
    }
    // SAFETY: our caller vouches for the list, which begins with its count.
    let count = unsafe { (*list).iAddressCount };
    let first = list.wrapping_byte_add(offset_of!(SOCKET_ADDRESS_LIST, Address));
    let entries = first.cast::<SOCKET_ADDRESS>();
    (0..usize::try_from(count).map_err(|_| INVALID)?)
        .map(|nth| {
            // SAFETY: our caller vouches for so many entries and for their addresses.
            unsafe {
                let entry = entries.add(nth).read();
                address::read(entry.lpSockaddr, entry.iSockaddrLength)
            }
        })
        .collect()
}

/// # Safety
/// The rooms are NULL or valid.
unsafe fn connect_to_one(
    socket: &SocketRef,
    addresses: &[Address],
    deadline: Option<Instant>,
    rooms: [Room; 2],
) -> Result<(), Code> {
    if addresses.is_empty() {
        return Err(Code::wsa(WSAHOST_NOT_FOUND));
    }
    let mut last = Ok(());
    for address in addresses {
        if last.is_err() && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Code::wsa(WSAETIMEDOUT));
        }
        last = connect::connect_blocking(socket, address);
        if last.is_ok() {
            break;
        }
    }
    last?;
    let fd = {
        let mut state = socket.lock();
        state.needs_context = true;
        state.fd
    };
    let ends = [fd.map(sys::local_address), fd.map(sys::peer_address)];
    for (end, (name, len)) in ends.into_iter().zip(rooms) {
        if let (Some(Ok(end)), false) = (end, name.is_null()) {
            // SAFETY: our caller vouches for the room. The connection stands, with room or without.
            let _ = unsafe { address::write(&end, name, len.cast()) };
        }
    }
    Ok(())
}
