//! AcceptEx, ConnectEx and DisconnectEx, started on an [`Op`].

use std::ffi::c_void;
use std::mem::{size_of, transmute_copy};
use std::ptr::{null, null_mut};

use winsock_sys::Win32::Networking::WinSock::{
    AcceptEx, GetAcceptExSockaddrs, LPFN_CONNECTEX, LPFN_DISCONNECTEX,
    SIO_GET_EXTENSION_FUNCTION_POINTER, SO_UPDATE_ACCEPT_CONTEXT, SO_UPDATE_CONNECT_CONTEXT,
    SOCKADDR_STORAGE, SOCKET, SOL_SOCKET, WSAID_CONNECTEX, WSAID_DISCONNECTEX, WSAIoctl,
    setsockopt,
};
use winsock_sys::core::GUID;

use crate::{Addr, Op, Socket, last_wsa_error, set_option, tcp_socket};

/// Bytes AcceptEx wants for each of its two addresses, whatever their family (rule 69).
pub const ADDRESS_ROOM: u32 = size_of::<SOCKADDR_STORAGE>() as u32 + 16;

/// The function pointer for `guid`, as `socket` gives it, or the WSA error.
pub fn extension_pointer(socket: SOCKET, guid: GUID) -> Result<usize, i32> {
    let (mut pointer, mut returned) = (0_usize, 0);
    // SAFETY: both buffers outlive the call, and their lengths are theirs.
    let rc = unsafe {
        WSAIoctl(
            socket,
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const guid).cast(),
            size_of::<GUID>() as u32,
            (&raw mut pointer).cast(),
            size_of::<usize>() as u32,
            &raw mut returned,
            null_mut(),
            None,
        )
    };
    if rc != 0 {
        return Err(last_wsa_error());
    }
    assert_eq!(returned as usize, size_of::<usize>());
    Ok(pointer)
}

/// The extension function `guid` as the optional function pointer `F` that mswsock.h declares.
#[track_caller]
fn load<F>(guid: GUID) -> F {
    const { assert!(size_of::<F>() == size_of::<usize>()) };
    let pointer = extension_pointer(*tcp_socket(), guid).expect("an extension function");
    // SAFETY: `F` is the LPFN_ type that belongs to `guid`, of a pointer's size.
    unsafe { transmute_copy(&pointer) }
}

/// An operation with room for an AcceptEx that takes `data` bytes of first data.
pub fn accept_op(data: u32) -> Op {
    Op::new((data + 2 * ADDRESS_ROOM) as usize)
}

/// Starts `AcceptEx` into an [`accept_op`]: the bytes of an immediate success, or the WSA error,
/// WSA_IO_PENDING included.
pub fn post_accept(listener: &Socket, acceptor: &Socket, op: &Op, data: u32) -> Result<u32, i32> {
    let mut bytes = 0;
    // SAFETY: the op keeps OVERLAPPED and buffer in place until the operation has ended, and its
    // buffer has room for data and addresses (`accept_op`).
    let ok = unsafe {
        AcceptEx(
            **listener,
            **acceptor,
            op.wsabuf().buf.cast(),
            data,
            ADDRESS_ROOM,
            ADDRESS_ROOM,
            &raw mut bytes,
            op.ptr(),
        )
    };
    if ok != 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// The local and the remote address that AcceptEx left in an [`accept_op`] that has completed.
pub fn accepted_addresses(op: &Op, data: u32) -> (Addr, Addr) {
    let (mut local, mut local_len) = (null_mut(), 0);
    let (mut remote, mut remote_len) = (null_mut(), 0);
    // SAFETY: the lengths are those `post_accept` gave; the outputs outlive the call; what they
    // point at lies in the op's buffer.
    unsafe {
        GetAcceptExSockaddrs(
            op.data().as_ptr().cast(),
            data,
            ADDRESS_ROOM,
            ADDRESS_ROOM,
            &raw mut local,
            &raw mut local_len,
            &raw mut remote,
            &raw mut remote_len,
        );
        (Addr::copied_from(local, local_len), Addr::copied_from(remote, remote_len))
    }
}

/// Makes an accepted socket a full one: SO_UPDATE_ACCEPT_CONTEXT (rule 73).
pub fn update_accepted(acceptor: &Socket, listener: &Socket) -> Result<(), i32> {
    set_option(**acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, **listener)
}

/// Makes a socket connected by ConnectEx a full one: SO_UPDATE_CONNECT_CONTEXT (rule 76).
pub fn update_connected(socket: &Socket) -> Result<(), i32> {
    // SAFETY: the option takes no value.
    match unsafe { setsockopt(**socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, null(), 0) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// Starts `ConnectEx` to `addr`, sending the op's buffer (if it has any): the bytes of an immediate
/// success, or the WSA error, WSA_IO_PENDING included.
#[track_caller]
pub fn post_connect(socket: &Socket, addr: &Addr, op: &Op) -> Result<u32, i32> {
    let connect_ex: LPFN_CONNECTEX = load(WSAID_CONNECTEX);
    let connect_ex = connect_ex.expect("ConnectEx");
    let (data, mut bytes) = (op.wsabuf(), 0);
    let start: *const c_void = if data.len == 0 { null() } else { data.buf.cast() };
    // SAFETY: `addr` outlives the call; the op keeps OVERLAPPED and buffer in place until the
    // operation has ended.
    let ok = unsafe {
        connect_ex(**socket, addr.as_ptr(), addr.len, start, data.len, &raw mut bytes, op.ptr())
    };
    if ok != 0 { Ok(bytes) } else { Err(last_wsa_error()) }
}

/// Starts `DisconnectEx` (without an op it waits for the end): `Ok` for an immediate success, or
/// the WSA error, WSA_IO_PENDING included.
#[track_caller]
pub fn post_disconnect(socket: &Socket, op: Option<&Op>, flags: u32) -> Result<(), i32> {
    let disconnect_ex: LPFN_DISCONNECTEX = load(WSAID_DISCONNECTEX);
    let disconnect_ex = disconnect_ex.expect("DisconnectEx");
    let overlapped = op.map_or(null_mut(), Op::ptr);
    // SAFETY: the op keeps the OVERLAPPED in place until the operation has ended.
    match unsafe { disconnect_ex(**socket, overlapped, flags, 0) } {
        0 => Err(last_wsa_error()),
        _ => Ok(()),
    }
}
