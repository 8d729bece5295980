//! The options that tell what a socket is: they can be read only.

use std::mem::offset_of;
use std::os::fd::RawFd;
use std::ptr;

use windows_sys::Win32::Networking::WinSock::{
    CSADDR_INFO, IP_MTU, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPV6_MTU, SO_ACCEPTCONN,
    SO_BSP_STATE, SO_CONNECT_TIME, SO_ERROR, SO_MAX_MSG_SIZE, SO_MAXDG, SO_MAXPATHDG,
    SO_PROTOCOL_INFOA, SO_PROTOCOL_INFOW, SO_TYPE, SOCKET_ADDRESS, SOL_SOCKET, TCP_MAXSEG,
    WSAEFAULT, WSAENOPROTOOPT, WSAENOTCONN, WSAPROTOCOL_INFOA, WSAPROTOCOL_INFOW,
};

use super::value::Room;
use super::{code, has_level};
use crate::address::{self, Address};
use crate::connect::{self, Progress};
use crate::duplicate;
use crate::error::{self, Code};
use crate::socket::{Form, Socket, State};
use crate::sys::{self, Errno};

/// Writes a fact about a socket.
pub type Tell = fn(&Socket, &Room) -> Result<(), Code>;

/// What an option tells, if it is one of these.
pub fn find(level: i32, name: i32) -> Option<Tell> {
    let tell: Tell = match (level, name) {
        (SOL_SOCKET, SO_ACCEPTCONN) => |socket, room| room.put(u32::from(socket.lock().listening)),
        (SOL_SOCKET, SO_BSP_STATE) => ends,
        (SOL_SOCKET, SO_CONNECT_TIME) => |socket, room| room.put(connect_time(&socket.lock())),
        (SOL_SOCKET, SO_ERROR) => |socket, room| {
            room.fits::<i32>()?; // Reading it clears it.
            room.put(take_error(&mut socket.lock()))
        },
        (SOL_SOCKET, SO_MAX_MSG_SIZE | SO_MAXDG | SO_MAXPATHDG) => |_, room| room.put(MOST_IN_UDP),
        (SOL_SOCKET, SO_PROTOCOL_INFOA) => {
            |socket, room| room.put_long(protocol_info_a(socket.form))
        }
        (SOL_SOCKET, SO_PROTOCOL_INFOW) => {
            |socket, room| room.put_long(duplicate::protocol_info(socket.form))
        }
        (SOL_SOCKET, SO_TYPE) => |socket, room| room.put(socket.form.kind),
        (IPPROTO_TCP, TCP_MAXSEG) => segment,
        (IPPROTO_IP, IP_MTU) => |socket, room| mtu(socket, room, libc::IPPROTO_IP, libc::IP_MTU),
        (IPPROTO_IPV6, IPV6_MTU) => {
            |socket, room| mtu(socket, room, libc::IPPROTO_IPV6, libc::IPV6_MTU)
        }
        _ => return None,
    };
    Some(tell)
}

/// The most that fits into one datagram of UDP over IPv4.
const MOST_IN_UDP: u32 = 65507;

/// Setting a fact: WSAENOPROTOOPT, except that Windows lets it pass for SO_ERROR.
pub fn refuse_set(level: i32, name: i32) -> Option<Result<(), Code>> {
    find(level, name)?;
    match (level, name) {
        (SOL_SOCKET, SO_ERROR) => Some(Ok(())),
        _ => Some(Err(Code::wsa(WSAENOPROTOOPT))),
    }
}

/// Seconds since the connection was made; 0xFFFFFFFF without one (MS, AcceptEx).
fn connect_time(state: &State) -> u32 {
    match state.connected {
        true => sys::coarse_ms().wrapping_sub(state.connected_at) / 1000,
        false => u32::MAX,
    }
}

/// SO_ERROR: why the last connect failed, once (rule 130). Errors of a connection are told by the
/// calls that meet them, and asking the kernel would take them away from those.
fn take_error(state: &mut State) -> i32 {
    if state.connecting
        && !state.has_connect_op()
        && let Progress::Connecting | Progress::Connected = connect::refresh(state)
    {
        return 0;
    }
    match (state.failure, std::mem::replace(&mut state.failure_told, true)) {
        (0, _) | (_, true) => 0,
        (errno, false) => error::wsa_of_errno(errno).as_wsa(),
    }
}

fn segment(socket: &Socket, room: &Room) -> Result<(), Code> {
    /// RFC 9293, for a connection whose peer has not said otherwise.
    const DEFAULT: i32 = 536;
    if !has_level(socket.form, IPPROTO_TCP) {
        return Err(Code::wsa(WSAENOPROTOOPT));
    }
    let ask = |fd| sys::option(fd, libc::IPPROTO_TCP, libc::TCP_MAXSEG, 0i32);
    let fd = socket.lock().fd;
    room.put(fd.map_or(Ok(DEFAULT), ask).map_err(code)?)
}

fn mtu(socket: &Socket, room: &Room, level: i32, name: i32) -> Result<(), Code> {
    if !has_level(socket.form, level) {
        return Err(Code::wsa(WSAENOPROTOOPT));
    }
    let fd = {
        let state = socket.lock();
        state.fd.filter(|_| state.connected).ok_or(Code::wsa(WSAENOTCONN))?
    };
    room.put(sys::option(fd, level, name, 0i32).map_err(code)?)
}

/// As [`duplicate::protocol_info`], with the ANSI structure.
pub fn protocol_info_a(form: Form) -> WSAPROTOCOL_INFOA {
    let wide = duplicate::protocol_info(form);
    let mut narrow = WSAPROTOCOL_INFOA::default();
    const {
        assert!(
            offset_of!(WSAPROTOCOL_INFOA, szProtocol) == offset_of!(WSAPROTOCOL_INFOW, szProtocol)
        );
    }
    let shared = offset_of!(WSAPROTOCOL_INFOA, szProtocol);
    // SAFETY: the two agree up to the name, and the name lies behind.
    unsafe {
        let (from, to) = ((&raw const wide).cast::<u8>(), (&raw mut narrow).cast::<u8>());
        ptr::copy_nonoverlapping(from, to, shared);
    }
    for (to, &from) in narrow.szProtocol.iter_mut().zip(&wide.szProtocol) {
        *to = from as i8; // The names are ASCII.
    }
    narrow
}

/// SO_BSP_STATE: both ends, type and protocol. The addresses follow the structure and it points to
/// them; an end that there is not is NULL.
fn ends(socket: &Socket, room: &Room) -> Result<(), Code> {
    let (local, peer) = {
        let state = socket.lock();
        let ask = |is_there: bool, name: fn(RawFd) -> Result<Address, Errno>| {
            state.fd.filter(|_| is_there).and_then(|fd| name(fd).ok())
        };
        (ask(state.bound, sys::local_address), ask(state.connected, sys::peer_address))
    };
    let len = |end: &Option<Address>| end.map_or(0, |address| address.windows_len());
    let local_at = size_of::<CSADDR_INFO>();
    let peer_at = local_at + len(&local);
    let total = peer_at + len(&peer);
    if room.len() < total {
        return Err(Code::wsa(WSAEFAULT));
    }
    let place = |end: Option<Address>, at: usize| match end {
        None => SOCKET_ADDRESS::default(),
        Some(address) => {
            let to = room.at().wrapping_add(at);
            // SAFETY: the room is `total` bytes long at least, and the address ends before that.
            let len = unsafe { address::write_raw(&address, to) };
            SOCKET_ADDRESS { lpSockaddr: to.cast(), iSockaddrLength: len as i32 }
        }
    };
    room.put(CSADDR_INFO {
        LocalAddr: place(local, local_at),
        RemoteAddr: place(peer, peer_at),
        iSocketType: socket.form.kind,
        iProtocol: socket.form.protocol,
    })?;
    room.say(total);
    Ok(())
}
