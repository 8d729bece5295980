//! `bind`, `listen`, `connect`, `ConnectEx`, `DisconnectEx`, `shutdown`.

use std::ffi::c_void;
use std::os::fd::RawFd;

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, STATUS_SUCCESS};
use windows_sys::Win32::Networking::WinSock::{
    QOS, SD_BOTH, SD_RECEIVE, SD_SEND, SOCKADDR, SOCKET, TF_REUSE_SOCKET, WSA_IO_PENDING, WSABUF,
    WSAEAFNOSUPPORT, WSAEALREADY, WSAEFAULT, WSAEINTR, WSAEINVAL, WSAEISCONN, WSAENOTCONN,
    WSAEOPNOTSUPP, WSAEWOULDBLOCK,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::BOOL;

use crate::address::{self, Address};
use crate::blocking;
use crate::data;
use crate::error::{self, Code};
use crate::object::{self, SocketRef};
use crate::op::{Buffers, Kind, Op, Step};
use crate::socket::{Direction, Form, State, Submitted};
use crate::start::answer;
use crate::sys::{self, Errno};
use crate::transfer;
use crate::wait::Deadline;

/// Names a socket: [bind][ms]. WSAEADDRINUSE, WSAEINVAL when it has a name already, WSAEFAULT.
///
/// The address may be taken again while old connections of it are in TIME_WAIT (rule 124).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-bind
///
/// # Safety
/// As on Windows: `name` is a sockaddr of `len` bytes, or NULL.
pub unsafe extern "system" fn bind(s: SOCKET, name: *const SOCKADDR, len: i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        // SAFETY: passed on from our caller.
        let address = unsafe { address::read(name, len) }?;
        if address.family() != socket.form.family {
            return Err(Code::wsa(WSAEFAULT));
        }
        let mut state = socket.lock();
        if state.bound || state.connected || state.acceptor.is_some() {
            return Err(Code::wsa(WSAEINVAL));
        }
        let fd = socket.descriptor(&mut state).map_err(code)?;
        bind_descriptor(socket.form, &state, fd, &address).map_err(code)?;
        state.bound = true;
        Ok(())
    }))
}

fn code(errno: Errno) -> Code {
    error::wsa_of_errno(errno.0)
}

/// Binds as Windows does (rule 124). By default an address in TIME_WAIT is free and one that a
/// socket holds is not; Linux says so only if the flag is set after the plain attempt has failed.
fn bind_descriptor(form: Form, state: &State, fd: RawFd, address: &Address) -> sys::Result<()> {
    let reuse = |name| sys::set_option(fd, libc::SOL_SOCKET, name, 1i32);
    let shared = state.options().is_some_and(|options| options.reuse_address());
    if shared {
        reuse(libc::SO_REUSEPORT)?;
        if !form.is_stream() {
            reuse(libc::SO_REUSEADDR)?; // Most Linux programs share multicast ports by this one.
        }
    }
    let mut bound = sys::bind(fd, address);
    if bound == Err(Errno(libc::EADDRINUSE)) && form.is_stream() {
        reuse(libc::SO_REUSEADDR)?;
        bound = sys::bind(fd, address);
    }
    match bound {
        // Its holder does not share it.
        Err(Errno(libc::EADDRINUSE)) if shared => Err(Errno(libc::EACCES)),
        other => other,
    }
}

/// Makes a bound socket accept connections: [listen][ms]. WSAEINVAL when it has no name (rule 131),
/// WSAEISCONN, WSAEOPNOTSUPP for datagram sockets.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-listen
pub unsafe extern "system" fn listen(s: SOCKET, backlog: i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        if !socket.form.is_stream() {
            return Err(Code::wsa(WSAEOPNOTSUPP));
        }
        let mut state = socket.lock();
        if state.connected {
            return Err(Code::wsa(WSAEISCONN));
        }
        let Some(fd) = state.fd.filter(|_| state.bound) else {
            return Err(Code::wsa(WSAEINVAL));
        };
        sys::listen(fd, backlog.max(1)).map_err(code)?;
        // From here on Linux refuses others the address whatever their flags, and connections that
        // this socket accepts leave the address free when they end.
        let _ = sys::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1i32);
        state.listening = true;
        state.stir();
        socket.follow_if_selected(&mut state);
        Ok(())
    }))
}

/// Connects: [connect][ms]. A non-blocking socket answers WSAEWOULDBLOCK, then WSAEALREADY while
/// the attempt lasts (rule 77).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-connect
///
/// # Safety
/// As on Windows: `name` is a sockaddr of `len` bytes, or NULL.
pub unsafe extern "system" fn connect(s: SOCKET, name: *const SOCKADDR, len: i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        // SAFETY: passed on from our caller.
        let address = unsafe { address::read(name, len) }?;
        match socket.form.is_stream() {
            true => connect_stream(&socket, &address),
            false => connect_datagram(&socket, &address),
        }
    }))
}

/// [WSAConnect][ms]: as [`connect`]; TCP carries no caller data and no quality of service.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaconnect
///
/// # Safety
/// As [`connect`].
pub unsafe extern "system" fn WSAConnect(
    s: SOCKET,
    name: *const SOCKADDR,
    len: i32,
    _caller_data: *const WSABUF,
    callee_data: *mut WSABUF,
    _sqos: *const QOS,
    _gqos: *const QOS,
) -> i32 {
    if !callee_data.is_null() {
        // SAFETY: our caller passes a WSABUF or NULL. TCP has no data to return.
        unsafe { (*callee_data).len = 0 };
    }
    // SAFETY: passed on from our caller.
    unsafe { connect(s, name, len) }
}

fn connect_datagram(socket: &SocketRef, address: &Address) -> Result<(), Code> {
    let mut state = socket.lock();
    let fd = socket.descriptor(&mut state).map_err(code)?;
    if address.is_unspecified() && address.port() == 0 {
        sys::disconnect(fd).map_err(code)?;
        state.connected = false;
        return Ok(());
    }
    sys::connect(fd, address).map_err(code)?;
    (state.bound, state.connected, state.called) = (true, true, true);
    state.note_connected(false);
    Ok(())
}

fn connect_stream(socket: &SocketRef, address: &Address) -> Result<(), Code> {
    let nonblocking = socket.lock().nonblocking;
    attempt(socket, address, nonblocking)
}

/// Connects a stream and waits for it, whatever FIONBIO says.
pub fn connect_blocking(socket: &SocketRef, address: &Address) -> Result<(), Code> {
    attempt(socket, address, false)
}

fn attempt(socket: &SocketRef, address: &Address, nonblocking: bool) -> Result<(), Code> {
    let fd = {
        let mut state = socket.lock();
        may_connect(socket.form, &mut state, address)?;
        let fd = socket.descriptor(&mut state).map_err(code)?;
        begin(&mut state, fd, address).map_err(code)?;
        socket.follow_if_selected(&mut state);
        if state.connected {
            return Ok(());
        }
        fd
    };
    if nonblocking {
        return Err(Code::wsa(WSAEWOULDBLOCK));
    }
    loop {
        blocking::wait(socket, fd, libc::POLLOUT, Deadline::Never)?;
        let mut state = socket.lock();
        if state.closed {
            return Err(Code::wsa(WSAEINTR));
        }
        match refresh(&mut state) {
            Progress::Connecting => {}
            Progress::Connected => return Ok(()),
            Progress::Failed(errno) => return Err(code(errno)),
        }
    }
}

/// The states in which Windows refuses to connect.
fn may_connect(form: Form, state: &mut State, address: &Address) -> Result<(), Code> {
    if address.family() != form.family {
        return Err(Code::wsa(WSAEAFNOSUPPORT));
    }
    if state.has_connect_op() {
        return Err(Code::wsa(WSAEINVAL)); // Rule 77.
    }
    if state.connecting
        && let Progress::Connecting = refresh(state)
    {
        return Err(Code::wsa(WSAEALREADY));
    }
    if state.connected {
        return Err(Code::wsa(WSAEISCONN));
    }
    match state.listening || state.acceptor.is_some() {
        true => Err(Code::wsa(WSAEINVAL)),
        false => Ok(()),
    }
}

fn begin(state: &mut State, fd: RawFd, address: &Address) -> sys::Result<()> {
    if address.is_unspecified() || address.port() == 0 {
        return Err(Errno(libc::EADDRNOTAVAIL)); // Linux would take it for the loopback.
    }
    let attempt = match sys::connect(fd, address) {
        // Linux says once more that the last attempt has failed, then the socket may try again.
        Err(Errno(libc::ECONNABORTED)) => sys::connect(fd, address),
        other => other,
    };
    state.failure = 0;
    state.note_attempt();
    match attempt {
        Ok(()) => {
            become_connected(state);
            Ok(())
        }
        Err(Errno(libc::EINPROGRESS)) => {
            (state.bound, state.connecting) = (true, true);
            state.stir();
            Ok(())
        }
        Err(errno) => {
            fail(state, errno);
            Err(errno)
        }
    }
}

fn fail(state: &mut State, errno: Errno) {
    state.connecting = false;
    (state.failure, state.failure_told) = (errno.0, false);
    state.stir();
}

fn become_connected(state: &mut State) {
    (state.bound, state.connecting, state.connected) = (true, false, true);
    state.called = true;
    (state.readable, state.writable, state.hangup) = (true, true, false);
    state.connected_at = sys::coarse_ms();
    state.stir();
    state.note_connected(true);
}

/// Finds out about a non-blocking connect. A ConnectEx finds out for itself: asking takes the
/// answer away.
pub fn settle(state: &mut State) {
    if state.connecting && !state.has_connect_op() {
        refresh(state);
    }
}

/// Where a connect that was begun has got to.
pub enum Progress {
    Connecting,
    Connected,
    Failed(Errno),
}

/// Asks the kernel how the connect is doing.
pub fn refresh(state: &mut State) -> Progress {
    let Some(fd) = state.fd else { return Progress::Failed(Errno(libc::ENOTCONN)) };
    match sys::option(fd, libc::SOL_SOCKET, libc::SO_ERROR, 0i32) {
        Ok(0) => {}
        Ok(error) | Err(Errno(error)) => {
            fail(state, Errno(error));
            state.note_connect_failed();
            return Progress::Failed(Errno(error));
        }
    }
    if sys::peer_address(fd).is_err() {
        return Progress::Connecting;
    }
    become_connected(state);
    Progress::Connected
}

/// Connects and sends the first data: [ConnectEx][ms]. The socket must be bound (WSAEINVAL, rule
/// 76).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex
///
/// # Safety
/// As on Windows: `name` is a sockaddr of `len` bytes; buffer and OVERLAPPED are lent until the
/// operation completes.
pub unsafe extern "system" fn ConnectEx(
    s: SOCKET,
    name: *const SOCKADDR,
    len: i32,
    send_buffer: *const c_void,
    send_len: u32,
    sent: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let result = object::socket(s).and_then(|socket| {
        if overlapped.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER));
        }
        // SAFETY: passed on from our caller.
        let address = unsafe { address::read(name, len) }?;
        let data = match send_buffer.is_null() {
            true => Buffers::NONE,
            false => Buffers::one(send_buffer.cast::<u8>().cast_mut(), send_len),
        };
        // SAFETY: passed on from our caller.
        let op = unsafe { Op::new(Kind::Connect { data, connected: false }, overlapped, None) };
        begin_overlapped(&socket, &address, op)
    });
    answer_bool(result, sent)
}

fn begin_overlapped(socket: &SocketRef, address: &Address, mut op: Op) -> Result<Submitted, Code> {
    if !socket.form.is_stream() {
        return Err(Code::wsa(WSAEINVAL));
    }
    let mut state = socket.lock();
    if !(state.bound || state.reused) || state.listening {
        return Err(Code::wsa(WSAEINVAL));
    }
    if state.connected {
        return Err(Code::wsa(WSAEISCONN));
    }
    may_connect(socket.form, &mut state, address)?;
    let fd = socket.descriptor(&mut state).map_err(code)?;
    begin(&mut state, fd, address).map_err(code)?;
    socket.begin(&state, &op);
    (state.connecting, state.connected) = (true, false); // The operation finds out, and tells.
    socket.park(&mut state, Direction::Out, &mut op).map_err(code)?;
    Ok(Submitted::Pending)
}

/// One attempt at a ConnectEx.
pub fn step(
    form: Form,
    state: &mut State,
    data: &Buffers,
    connected: &mut bool,
    done: &mut u32,
) -> Step {
    if !*connected {
        match refresh(state) {
            Progress::Connecting => return Step::Wait,
            Progress::Failed(errno) => return Step::Done(error::status_of_errno(errno.0), 0),
            Progress::Connected => {
                *connected = true;
                state.needs_context = true;
            }
        }
    }
    match data.total() {
        0 => Step::Done(STATUS_SUCCESS, 0),
        _ => transfer::send_step(form, state, data, 0, None, done),
    }
}

/// Closes a connection and optionally frees the socket for the next one: [DisconnectEx][ms].
///
/// WSAENOTCONN when it has none. With TF_REUSE_SOCKET the SOCKET may be passed to AcceptEx or
/// ConnectEx again afterwards (rule 78).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex
///
/// # Safety
/// As on Windows: the OVERLAPPED, if any, is lent until the operation completes.
pub unsafe extern "system" fn DisconnectEx(
    s: SOCKET,
    overlapped: *mut OVERLAPPED,
    flags: u32,
    reserved: u32,
) -> BOOL {
    let result = object::socket(s).and_then(|socket| {
        let reuse = match (flags, reserved) {
            (0, 0) => false,
            (TF_REUSE_SOCKET, 0) => true,
            _ => return Err(Code::wsa(WSAEINVAL)),
        };
        let usable = {
            let state = socket.lock();
            state.connected || state.disconnected
        };
        if !socket.form.is_stream() || !usable {
            return Err(Code::wsa(WSAENOTCONN));
        }
        if overlapped.is_null() {
            data::block(&socket, Direction::Out, |state| {
                let step = disconnect_step(state, reuse);
                socket.sever(state, reuse);
                step
            })?;
            return Ok(Submitted::Done(STATUS_SUCCESS, 0));
        }
        // SAFETY: passed on from our caller.
        let op = unsafe { Op::new(Kind::Disconnect { reuse }, overlapped, None) };
        socket.submit_pending(Direction::Out, op).map_err(code)?;
        Ok(Submitted::Pending)
    });
    answer_bool(result, std::ptr::null_mut())
}

/// Ends the connection, all earlier sends having gone: the FIN, and with `reuse` a fresh start.
pub fn disconnect_step(state: &mut State, reuse: bool) -> Step {
    if !std::mem::replace(&mut state.send_shut, true) {
        send_fin(state);
    }
    state.disconnected = true;
    if reuse {
        state.start_over();
    }
    Step::Done(STATUS_SUCCESS, 0)
}

/// The BOOL of the extension functions, and their byte count.
pub fn answer_bool(result: Result<Submitted, Code>, bytes_out: *mut u32) -> BOOL {
    let error = match result {
        Ok(Submitted::Done(_, bytes)) => {
            if !bytes_out.is_null() {
                // SAFETY: the program passes NULL or a place for a count.
                unsafe { *bytes_out = bytes };
            }
            return 1;
        }
        Ok(Submitted::Pending) => Code::wsa(WSA_IO_PENDING),
        Ok(Submitted::Failed(status)) => error::wsa_of_status(status),
        Err(code) => code,
    };
    error::set_last(error);
    0
}

/// Ends one or both directions of a connection: [shutdown][ms]. Doing it twice is fine; a bad `how`
/// is WSAEINVAL; WSAENOTCONN without a connection (rules 10 and 128).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-shutdown
pub unsafe extern "system" fn shutdown(s: SOCKET, how: i32) -> i32 {
    answer(object::socket(s).and_then(|socket| {
        let (recv, send) = match how {
            SD_RECEIVE => (true, false),
            SD_SEND => (false, true),
            SD_BOTH => (true, true),
            _ => return Err(Code::wsa(WSAEINVAL)),
        };
        let mut state = socket.lock();
        settle(&mut state);
        let usable = state.connected && !state.needs_context;
        let Some(fd) = state.fd.filter(|_| usable) else { return Err(Code::wsa(WSAENOTCONN)) };
        // Linux's SHUT_RD would answer the peer's data with end-of-file here and is not what
        // Windows does: receives are refused by the flag alone.
        if state.extra().peer.is_none() {
            state.extra().peer = sys::peer_address(fd).ok();
        }
        state.recv_shut |= recv;
        if send && !std::mem::replace(&mut state.send_shut, true) && socket.form.is_stream() {
            match state.is_idle(Direction::Out) {
                true => send_fin(&state),
                false => state.fin_due = true,
            }
        }
        Ok(())
    }))
}

/// Tells the peer that no more follows. It fails only where the peer was faster, with a reset.
pub fn send_fin(state: &State) {
    if let Some(fd) = state.fd {
        let _ = sys::shutdown(fd, libc::SHUT_WR);
    }
}

/// As [`shutdown`] for sending; TCP carries no disconnect data: [WSASendDisconnect][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasenddisconnect
///
/// # Safety
/// None: the pointer is not followed.
pub unsafe extern "system" fn WSASendDisconnect(s: SOCKET, _data: *const WSABUF) -> i32 {
    // SAFETY: `shutdown` takes no pointers.
    unsafe { shutdown(s, SD_SEND) }
}

/// As [`shutdown`] for receiving; TCP carries no disconnect data: [WSARecvDisconnect][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvdisconnect
///
/// # Safety
/// None: the pointer is not followed.
pub unsafe extern "system" fn WSARecvDisconnect(s: SOCKET, _data: *const WSABUF) -> i32 {
    // SAFETY: `shutdown` takes no pointers.
    unsafe { shutdown(s, SD_RECEIVE) }
}
