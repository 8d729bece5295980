//! Issuing operations: the calls behind [`Operations`](crate::Operations), each lent what it needs.

use std::net::SocketAddr;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use winsock_sys::Win32::Networking::WinSock as ws;
use winsock_sys::Win32::System::IO::OVERLAPPED_0_0;

use crate::address::Address;
use crate::buffer::Buffer;
use crate::error::{Error, Result};
use crate::extension::{AddressBlock, accept_ex, connect_ex, disconnect_ex, transmit_file};
use crate::file::File;
use crate::listener::Listener;
use crate::model::{Model, Way, When};
use crate::operations::Ticket;
use crate::record::{Lent, Work};
use crate::socket::Socket;
use crate::tcp::TcpSocket;
use crate::udp::UdpSocket;

#[inline]
pub fn recv<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: &TcpSocket,
    buf: B,
    token: T,
) -> Ticket {
    let raw = socket.socket.raw();
    model.start(model.place(&socket.socket, Way::Routine), Work::Recv { token, buf }, |lent| {
        let (buffer, mut flags) = (receiving(&lent), 0);
        // SAFETY: the record keeps buffer and OVERLAPPED where they are until the end is reported;
        // the rest is captured before the call returns.
        accepted(unsafe {
            ws::WSARecv(raw, &buffer, 1, ptr::null_mut(), &mut flags, lent.overlapped, lent.routine)
        })
    })
}

#[inline]
pub fn recv_lent<T, B: Buffer>(model: &impl Model<T, B>, socket: &TcpSocket, token: T) -> Ticket {
    let raw = socket.socket.raw();
    let mut place = model.place(&socket.socket, Way::Routine);
    place.demand(socket.socket.lend());
    model.start(place, Work::RecvLent { token }, |lent| {
        let (buffer, mut flags) = (receiving(&lent), 0);
        // SAFETY: as in `recv`; there is no buffer.
        accepted(unsafe {
            ws::WSARecv(raw, &buffer, 1, ptr::null_mut(), &mut flags, lent.overlapped, lent.routine)
        })
    })
}

#[inline]
pub fn send<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: &TcpSocket,
    buf: B,
    token: T,
) -> Ticket {
    let raw = socket.socket.raw();
    model.start(model.place(&socket.socket, Way::Routine), Work::Send { token, buf }, |lent| {
        let buffer = sending(&lent)?;
        // SAFETY: as in `recv`.
        accepted(unsafe {
            ws::WSASend(raw, &buffer, 1, ptr::null_mut(), 0, lent.overlapped, lent.routine)
        })
    })
}

#[inline]
pub fn recv_from<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: &UdpSocket,
    buf: B,
    token: T,
) -> Ticket {
    let raw = socket.socket.raw();
    model.start(model.place(&socket.socket, Way::Routine), Work::RecvFrom { token, buf }, |lent| {
        let (buffer, mut flags) = (receiving(&lent), 0);
        // SAFETY: as in `recv`; the record keeps the address and its length in place, too.
        accepted(unsafe {
            lent.address.write(Address::empty());
            let (name, len) = ((*lent.address).as_mut_ptr(), (*lent.address).len_mut());
            let count = ptr::null_mut();
            ws::WSARecvFrom(
                raw,
                &buffer,
                1,
                count,
                &mut flags,
                name,
                len,
                lent.overlapped,
                lent.routine,
            )
        })
    })
}

#[inline]
pub fn send_to<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: &UdpSocket,
    buf: B,
    to: SocketAddr,
    token: T,
) -> Ticket {
    let raw = socket.socket.raw();
    model.start(model.place(&socket.socket, Way::Routine), Work::SendTo { token, buf }, |lent| {
        let buffer = sending(&lent)?;
        // SAFETY: as in `recv`; the record keeps the address in place, too.
        accepted(unsafe {
            lent.address.write(to.into());
            let (name, len) = ((*lent.address).as_ptr(), (*lent.address).len());
            let count = ptr::null_mut();
            ws::WSASendTo(raw, &buffer, 1, count, 0, name, len, lent.overlapped, lent.routine)
        })
    })
}

#[inline]
pub fn accept<T, B: Buffer>(model: &impl Model<T, B>, listener: &Listener, token: T) -> Ticket {
    let socket = Socket::stream(listener.family());
    accept_with(model, listener, socket.map(|socket| TcpSocket { socket }), token)
}

#[inline]
pub fn accept_into<T, B: Buffer>(
    model: &impl Model<T, B>,
    listener: &Listener,
    socket: TcpSocket,
    token: T,
) -> Ticket {
    accept_with(model, listener, Ok(socket), token)
}

#[inline]
pub fn connect<T, B: Buffer>(model: &impl Model<T, B>, to: SocketAddr, token: T) -> Ticket {
    connect_with(model, TcpSocket::for_address(to), to, token)
}

#[inline]
pub fn connect_from<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: TcpSocket,
    to: SocketAddr,
    token: T,
) -> Ticket {
    connect_with(model, Ok(socket), to, token)
}

#[inline]
pub fn disconnect<T, B: Buffer>(model: &impl Model<T, B>, socket: TcpSocket, token: T) -> Ticket {
    let raw = socket.raw();
    let found = model.tie(&socket.socket).and_then(|()| disconnect_ex(&socket.socket));
    let work = Work::Disconnect { token, socket };
    model.start(model.place_for(raw, found.map(drop), Way::Event), work, |lent| {
        let disconnect_ex = found?;
        // SAFETY: the record keeps the OVERLAPPED where it is, and the socket open.
        accepted_bool(unsafe { disconnect_ex(raw, lent.overlapped, ws::TF_REUSE_SOCKET, 0) })
    })
}

#[inline]
pub fn transmit<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: &TcpSocket,
    file: Arc<File>,
    part: Range<u64>,
    token: T,
) -> Ticket {
    let (raw, handle) = (socket.raw(), file.raw());
    let work = Work::Transmit { token, file };
    model.start(model.place(&socket.socket, Way::Event), work, |lent| {
        let transmit_file = transmit_file(&socket.socket)?;
        let len = transmittable(&part)?;
        // SAFETY: the record keeps the OVERLAPPED where it is, and the file open.
        accepted_bool(unsafe {
            (*lent.overlapped).Anonymous.Anonymous =
                OVERLAPPED_0_0 { Offset: part.start as u32, OffsetHigh: (part.start >> 32) as u32 };
            transmit_file(raw, handle, len, 0, lent.overlapped, ptr::null_mut(), 0)
        })
    })
}

fn accept_with<T, B: Buffer>(
    model: &impl Model<T, B>,
    listener: &Listener,
    socket: Result<TcpSocket>,
    token: T,
) -> Ticket {
    let raw = listener.socket.raw();
    let (socket, made) = split(socket);
    let into = socket.as_ref().map_or(ws::INVALID_SOCKET, TcpSocket::raw);
    let block = model.records().block();
    let addresses = block.as_ptr();
    let work = Work::Accept { token, socket, block };
    let ready = made.and_then(|()| model.tie(&listener.socket));
    model.start(model.place_for(raw, ready, Way::Event), work, |lent| {
        let accept_ex = accept_ex(&listener.socket)?;
        let (room, mut received) = (AddressBlock::ROOM, 0);
        // SAFETY: the record keeps the block and the OVERLAPPED where they are, and the socket
        // open, until the end is reported.
        accepted_bool(unsafe {
            accept_ex(raw, into, addresses, 0, room, room, &mut received, lent.overlapped)
        })
    })
}

fn connect_with<T, B: Buffer>(
    model: &impl Model<T, B>,
    socket: Result<TcpSocket>,
    to: SocketAddr,
    token: T,
) -> Ticket {
    let (socket, made) = split(socket);
    let raw = socket.as_ref().map_or(ws::INVALID_SOCKET, TcpSocket::raw);
    let found = made.and(socket.as_ref().map_or(Err(Error::INVALID), |socket| {
        model.tie(&socket.socket)?;
        bind_if_unbound(socket, to)?;
        connect_ex(&socket.socket)
    }));
    let work = Work::Connect { token, socket };
    model.start(model.place_for(raw, found.map(drop), Way::Event), work, |lent| {
        let connect_ex = found?;
        let mut sent = 0;
        // SAFETY: the record keeps the address and the OVERLAPPED where they are, and the
        // socket open, until the end is reported; no data is sent along.
        accepted_bool(unsafe {
            lent.address.write(to.into());
            let (name, len) = ((*lent.address).as_ptr(), (*lent.address).len());
            connect_ex(raw, name, len, ptr::null(), 0, &mut sent, lent.overlapped)
        })
    })
}

/// What a call that starts an operation says: done, or under way, both of which will be reported
/// (rules 21 and 56); or refused, which will not (rule 24).
fn accepted(result: i32) -> Result<When> {
    if result == 0 {
        return Ok(When::AtOnce);
    }
    match Error::last() {
        error if error.code() == ws::WSA_IO_PENDING => Ok(When::Later),
        error => Err(error),
    }
}

/// The same for calls that return a BOOL.
fn accepted_bool(result: i32) -> Result<When> {
    accepted(i32::from(result == 0))
}

fn receiving(lent: &Lent) -> ws::WSABUF {
    ws::WSABUF { len: u32::try_from(lent.len).unwrap_or(u32::MAX), buf: lent.data }
}

/// Unlike a receive, a send must take all there is (rule 14 limits it to 32 bits).
fn sending(lent: &Lent) -> Result<ws::WSABUF> {
    match u32::try_from(lent.len) {
        Ok(len) => Ok(ws::WSABUF { len, buf: lent.data }),
        Err(_) => Err(Error::MESSAGE_TOO_LONG),
    }
}

/// How many bytes of a file one call is to send: 0 would mean all, and there is a limit.
fn transmittable(part: &Range<u64>) -> Result<u32> {
    const MOST: u64 = i32::MAX as u64 - 1;
    match part.end.checked_sub(part.start) {
        None | Some(0) => Err(Error::INVALID),
        Some(len) if len > MOST => Err(Error::MESSAGE_TOO_LONG),
        Some(len) => Ok(len as u32),
    }
}

fn split(socket: Result<TcpSocket>) -> (Option<TcpSocket>, Result<()>) {
    match socket {
        Ok(socket) => (Some(socket), Ok(())),
        Err(error) => (None, Err(error)),
    }
}

/// ConnectEx wants a bound socket (rule 76).
fn bind_if_unbound(socket: &TcpSocket, to: SocketAddr) -> Result<()> {
    if socket.local_addr().is_ok() {
        return Ok(());
    }
    match to {
        SocketAddr::V4(_) => socket.bind(SocketAddr::from(([0; 4], 0))),
        SocketAddr::V6(_) => socket.bind(SocketAddr::from(([0u8; 16], 0))),
    }
}
