//! `accept`, `WSAAccept`, `AcceptEx` and what belongs to them.

use std::ffi::c_void;
use std::os::fd::RawFd;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, NTSTATUS, STATUS_BUFFER_TOO_SMALL, STATUS_CANCELLED, STATUS_SUCCESS,
};
use windows_sys::Win32::Networking::WinSock::{
    CF_ACCEPT, CF_DEFER, CF_REJECT, INVALID_SOCKET, LPCONDITIONPROC, SOCKADDR, SOCKET,
    WSA_IO_PENDING, WSABUF, WSAECONNREFUSED, WSAEFAULT, WSAEINTR, WSAEINVAL, WSAENOTSOCK,
    WSAEOPNOTSUPP, WSAEWOULDBLOCK, WSATRY_AGAIN,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::BOOL;

use crate::address::{self, Address};
use crate::backend;
use crate::blocking;
use crate::error::{self, Code};
use crate::object::{self, SocketRef, TABLE};
use crate::op::{self, Buffers, Kind, Op, Step};
use crate::options;
use crate::socket::{self, Direction, Socket, State};
use crate::sys::{self, Errno};
use crate::wait::Deadline;

/// What Windows wants beside each address in an AcceptEx block.
const ADDRESS_SLACK: u32 = 16;

/// Takes a connection from the listener: one that was given back, or the backlog's next.
fn take_connection(listener: &mut State) -> Result<(RawFd, Address), Errno> {
    if listener.has_stash()
        && let Some(connection) = listener.extra().stash.pop_front()
    {
        return Ok(connection);
    }
    let fd = listener.fd.ok_or(Errno(libc::EINVAL))?;
    loop {
        match sys::accept(fd) {
            Err(Errno(libc::ECONNABORTED | libc::EPROTO)) => {} // It gave up while it waited.
            Err(errno) => {
                listener.readable = errno.0 != libc::EAGAIN;
                return Err(errno);
            }
            Ok(connection) => return Ok(connection),
        }
    }
}

fn is_shortage(errno: Errno) -> bool {
    matches!(errno.0, libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
}

/// One attempt at an AcceptEx: fills the accept socket and the address blocks.
pub fn step(state: &mut State, request: &mut op::Accept) -> Step {
    let (fd, peer) = match take_connection(state) {
        Ok(connection) => connection,
        Err(Errno(libc::EAGAIN)) => return Step::Wait,
        Err(errno) if is_shortage(errno) => {
            // The connection waits in the backlog until a descriptor is free.
            backend::starve(state.handle);
            return Step::Wait;
        }
        Err(errno) => return Step::Done(error::status_of_errno(errno.0), 0),
    };
    let needed = peer.windows_len() as u32 + ADDRESS_SLACK;
    if request.local_len < needed || request.remote_len < needed {
        state.extra().stash.push_front((fd, peer)); // Rule 69: it stays acceptable.
        return Step::Done(STATUS_BUFFER_TOO_SMALL, 0);
    }
    let local = local_address(state, fd);
    // SAFETY: the output block is the program's, lent until the operation completes, and holds
    // data, local and remote parts of the lengths it gave (MS AcceptEx), which fit the addresses.
    unsafe {
        let block = request.output.add(request.data_len as usize);
        write_block(block, request.local_len, &local);
        write_block(block.add(request.local_len as usize), request.remote_len, &peer);
    }
    let socket = target_of(request);
    let mut target = socket.lock();
    if target.closed {
        drop(target);
        state.extra().stash.push_front((fd, peer));
        return Step::Done(STATUS_CANCELLED, 0);
    }
    target.connect_to(fd);
    target.needs_context = true;
    options::carry_over(fd, state.options(), target.options());
    socket.join_if_selected(&mut target);
    Step::Done(STATUS_SUCCESS, 0)
}

/// The accepted connection's own address: the listener's, unless that is a wildcard.
fn local_address(listener: &mut State, fd: RawFd) -> Address {
    let bound = listener.fd.and_then(|listener_fd| {
        *listener.extra().local.get_or_insert_with(|| sys::local_address(listener_fd).ok())
    });
    match bound {
        Some(address) if !address.is_unspecified() => address,
        _ => sys::local_address(fd).unwrap_or(Address::empty()),
    }
}

/// Our layout of an address block: the sockaddr's length in the last four bytes, the sockaddr
/// first.
///
/// # Safety
/// `block` points to `len` writable bytes, at least the address's length and ADDRESS_SLACK.
unsafe fn write_block(block: *mut u8, len: u32, address: &Address) {
    // SAFETY: our caller vouches for the room.
    unsafe {
        ptr::write_bytes(block, 0, len as usize);
        let written = address::write_raw(address, block);
        let tail = block.add(len as usize - size_of::<u32>());
        ptr::write_unaligned(tail.cast(), written as u32);
    }
}

fn target_of(request: &op::Accept) -> SocketRef {
    SocketRef::of(request.target.clone()).expect("AcceptEx takes sockets only")
}

/// What follows when an AcceptEx has ended.
pub enum Next {
    Complete,
    /// It has its connection and wants data.
    AwaitData {
        target: SocketRef,
        buffers: Buffers,
    },
}

/// The listener is done with an AcceptEx.
pub fn finish(request: &op::Accept, status: NTSTATUS) -> Next {
    // Released in any case: from now on the accept socket's own close finds what waits on it.
    release(request);
    if status != STATUS_SUCCESS || request.data_len == 0 {
        return Next::Complete;
    }
    let buffers = Buffers::one(request.output, request.data_len);
    Next::AwaitData { target: target_of(request), buffers }
}

/// Sets the accept socket free.
pub fn release(request: &op::Accept) {
    target_of(request).lock().acceptor = None;
}

/// Whether this operation fills `target`.
pub fn is_for(op: &Op, target: &Socket) -> bool {
    match &op.kind {
        Kind::Accept(request) => ptr::eq(&*target_of(request), target),
        _ => false,
    }
}

/// Accepts a connection and starts its data flow later: [AcceptEx][ms].
///
/// The accept socket must be a fresh TCP socket (WSAEINVAL otherwise, rule 67). `output` holds
/// `data_len` bytes of first data, then the local and the remote address block, each 16 bytes
/// longer than its sockaddr (rules 69 and 70); decode them with [`GetAcceptExSockaddrs`]. With
/// `data_len` 0 it completes when the connection is there, else when data is (rule 71).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex
///
/// # Safety
/// As on Windows: output block and OVERLAPPED are lent until the operation completes.
pub unsafe extern "system" fn AcceptEx(
    listener: SOCKET,
    accept_socket: SOCKET,
    output: *mut c_void,
    data_len: u32,
    local_len: u32,
    remote_len: u32,
    received: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> BOOL {
    let request = || {
        if overlapped.is_null() {
            return Err(Code(ERROR_INVALID_PARAMETER)); // Rule 68, before anything else.
        }
        // SAFETY: the program passes a valid OVERLAPPED.
        unsafe { (*overlapped).Internal = STATUS_PENDING_BITS };
        let listener = object::socket(listener)?;
        let target = object::socket(accept_socket)?;
        let block = (output.cast(), data_len, local_len, remote_len);
        // SAFETY: passed on from our caller.
        unsafe { submit(&listener, target, block, overlapped) }
    };
    let _ = received; // Written when the call completes at once; ours never does.
    let error = request().err().unwrap_or(Code::wsa(WSA_IO_PENDING));
    error::set_last(error);
    0
}

/// STATUS_PENDING as OVERLAPPED.Internal holds it.
const STATUS_PENDING_BITS: usize = windows_sys::Win32::Foundation::STATUS_PENDING as usize;

/// # Safety
/// As [`AcceptEx`].
unsafe fn submit(
    listener: &SocketRef,
    target: SocketRef,
    (output, data_len, local_len, remote_len): (*mut u8, u32, u32, u32),
    overlapped: *mut OVERLAPPED,
) -> Result<(), Code> {
    if output.is_null() || remote_len == 0 {
        return Err(Code::wsa(WSAEFAULT));
    }
    if !listener.lock().listening {
        return Err(Code::wsa(WSAEINVAL));
    }
    reserve(&target, listener)?;
    let reserved = target.clone();
    let target = target.into_object();
    let accept = op::Accept { target, output, data_len, local_len, remote_len };
    // SAFETY: passed on from our caller.
    let op = unsafe { Op::new(Kind::Accept(accept), overlapped, None) };
    listener.submit_pending(Direction::In, op).map_err(|errno| {
        reserved.lock().acceptor = None;
        error::wsa_of_errno(errno.0)
    })
}

/// Marks the accept socket as spoken for (rule 67).
fn reserve(target: &SocketRef, listener: &SocketRef) -> Result<(), Code> {
    let listener_handle = listener.lock().handle;
    let mut state = target.lock();
    if state.closed {
        return Err(Code::wsa(WSAENOTSOCK));
    }
    let fresh = target.form.is_stream()
        && target.form.family == listener.form.family
        && !(state.bound || state.connected || state.connecting || state.listening)
        && state.acceptor.is_none();
    if !fresh {
        return Err(Code::wsa(WSAEINVAL));
    }
    state.acceptor = Some(listener_handle);
    Ok(())
}

/// Decodes what [`AcceptEx`] wrote: [GetAcceptExSockaddrs][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-getacceptexsockaddrs
///
/// # Safety
/// As on Windows: the block and the lengths are those of a completed AcceptEx.
pub unsafe extern "system" fn GetAcceptExSockaddrs(
    output: *const c_void,
    data_len: u32,
    local_len: u32,
    remote_len: u32,
    local: *mut *mut SOCKADDR,
    local_sockaddr_len: *mut i32,
    remote: *mut *mut SOCKADDR,
    remote_sockaddr_len: *mut i32,
) {
    let decode = |offset: u32, len: u32, name: *mut *mut SOCKADDR, name_len: *mut i32| {
        if len < ADDRESS_SLACK {
            return;
        }
        // SAFETY: our caller vouches for the block, in which each part ends with its length.
        unsafe {
            let part = output.cast::<u8>().add(offset as usize);
            let tail = part.add(len as usize - size_of::<u32>());
            if !name.is_null() {
                *name = part.cast_mut().cast();
            }
            if !name_len.is_null() {
                *name_len = ptr::read_unaligned(tail.cast::<i32>());
            }
        }
    };
    decode(data_len, local_len, local, local_sockaddr_len);
    decode(data_len + local_len, remote_len, remote, remote_sockaddr_len);
}

/// Takes a connection: [accept][ms]. The new socket has the listener's options and mode (rule 74).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-accept
///
/// # Safety
/// As on Windows: `name` and `len` are NULL or a sockaddr and its length.
pub unsafe extern "system" fn accept(s: SOCKET, name: *mut SOCKADDR, len: *mut i32) -> SOCKET {
    // SAFETY: passed on from our caller.
    answer(unsafe { accept_with(s, name, len, |_, _| Ok(Verdict::Accept)) })
}

/// Takes a connection if a condition function agrees: [WSAAccept][ms].
///
/// CF_REJECT resets the connection (WSAECONNREFUSED); CF_DEFER leaves it in the backlog
/// (WSATRY_AGAIN).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaaccept
///
/// # Safety
/// As [`accept`]; the condition function must be safe to call here.
pub unsafe extern "system" fn WSAAccept(
    s: SOCKET,
    name: *mut SOCKADDR,
    len: *mut i32,
    condition: LPCONDITIONPROC,
    data: usize,
) -> SOCKET {
    let judge = |local: &Address, peer: &Address| match condition {
        None => Ok(Verdict::Accept),
        // SAFETY: our caller vouches for the function.
        Some(condition) => unsafe { ask(condition, data, local, peer) },
    };
    // SAFETY: passed on from our caller.
    answer(unsafe { accept_with(s, name, len, judge) })
}

fn answer(result: Result<SOCKET, Code>) -> SOCKET {
    result.unwrap_or_else(|code| {
        error::set_last(code);
        INVALID_SOCKET
    })
}

enum Verdict {
    Accept,
    Reject,
    Defer,
}

type Condition = unsafe extern "system" fn(
    *mut WSABUF,
    *mut WSABUF,
    *mut windows_sys::Win32::Networking::WinSock::QOS,
    *mut windows_sys::Win32::Networking::WinSock::QOS,
    *mut WSABUF,
    *mut WSABUF,
    *mut u32,
    usize,
) -> i32;

/// # Safety
/// `condition` is safe to call with these arguments.
unsafe fn ask(
    condition: Condition,
    data: usize,
    local: &Address,
    peer: &Address,
) -> Result<Verdict, Code> {
    let (mut caller, mut callee) = ([0u8; 28], [0u8; 28]);
    // SAFETY: 28 bytes hold every address.
    let lens = unsafe {
        (
            address::write_raw(peer, caller.as_mut_ptr()),
            address::write_raw(local, callee.as_mut_ptr()),
        )
    };
    let mut caller_id = WSABUF { len: lens.0 as u32, buf: caller.as_mut_ptr() };
    let mut callee_id = WSABUF { len: lens.1 as u32, buf: callee.as_mut_ptr() };
    let mut no_data = WSABUF { len: 0, buf: ptr::null_mut() };
    let mut group = 0u32;
    // SAFETY: our caller vouches for the function; what we pass outlives the call.
    let verdict = unsafe {
        condition(
            &mut caller_id,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            &mut callee_id,
            &mut no_data,
            &mut group,
            data,
        )
    } as u32;
    match verdict {
        CF_ACCEPT => Ok(Verdict::Accept),
        CF_REJECT => Ok(Verdict::Reject),
        CF_DEFER => Ok(Verdict::Defer),
        _ => Err(Code::wsa(WSAEINVAL)),
    }
}

/// # Safety
/// As [`accept`].
unsafe fn accept_with(
    s: SOCKET,
    name: *mut SOCKADDR,
    len: *mut i32,
    judge: impl Fn(&Address, &Address) -> Result<Verdict, Code>,
) -> Result<SOCKET, Code> {
    let listener = object::socket(s)?;
    if !listener.form.is_stream() {
        return Err(Code::wsa(WSAEOPNOTSUPP));
    }
    let (fd, peer) = next_connection(&listener)?;
    let local = sys::local_address(fd).unwrap_or(Address::empty());
    // The condition is the program's code: no lock is held, and the connection is in nobody's
    // hands.
    match judge(&local, &peer) {
        Ok(Verdict::Accept) => {}
        Ok(Verdict::Reject) => {
            enable(&listener);
            let abort = libc::linger { l_onoff: 1, l_linger: 0 };
            let _ = sys::set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, abort);
            sys::close(fd);
            return Err(Code::wsa(WSAECONNREFUSED));
        }
        Ok(Verdict::Defer) => {
            give_back(&listener, fd, peer);
            return Err(Code::wsa(WSATRY_AGAIN));
        }
        Err(code) => {
            give_back(&listener, fd, peer);
            return Err(code);
        }
    }
    // SAFETY: passed on from our caller.
    unsafe { adopt(&listener, fd, &peer, name, len) }
}

/// Keeps a connection for the next accept, or for an AcceptEx that was posted meanwhile.
fn give_back(listener: &SocketRef, fd: RawFd, peer: Address) {
    {
        let mut state = listener.lock();
        if state.closed {
            return sys::close(fd);
        }
        state.extra().stash.push_front((fd, peer));
        state.stir(); // It is in no backlog that the kernel could show.
    }
    listener.retry(Direction::In);
    listener.tell_change(&mut listener.lock());
}

/// FD_ACCEPT is told again, at once if another connection waits.
fn enable(listener: &SocketRef) {
    let mut state = listener.lock();
    if state.selected {
        listener.note_accept_call(&mut state);
    }
}

/// Makes a socket of an accepted connection.
///
/// # Safety
/// As [`accept`].
unsafe fn adopt(
    listener: &SocketRef,
    fd: RawFd,
    peer: &Address,
    name: *mut SOCKADDR,
    len: *mut i32,
) -> Result<SOCKET, Code> {
    if !name.is_null() {
        // SAFETY: passed on from our caller.
        if let Err(code) = unsafe { address::write(peer, name, len) } {
            give_back(listener, fd, *peer);
            enable(listener);
            return Err(code);
        }
    }
    let handle = socket::open(listener.form).inspect_err(|_| sys::close(fd))?;
    if let Some(accepted) = TABLE.open(handle).and_then(SocketRef::of) {
        let (nonblocking, journal, selection) = {
            let mut state = listener.lock();
            if state.selected {
                listener.note_accept_call(&mut state);
            }
            let selection = state.ledger().map(|ledger| ledger.selection().clone());
            (state.nonblocking, state.options().cloned(), selection)
        };
        let mut state = accepted.lock();
        state.connect_to(fd);
        state.nonblocking = nonblocking;
        if let Some(journal) = journal {
            *state.options_mut() = journal;
        }
        if let Some(selection) = selection.filter(|selection| selection.mask != 0) {
            accepted.inherit(&mut state, selection);
        }
    }
    Ok(handle)
}

/// The next connection for a plain accept: behind every AcceptEx that is posted (rule 72).
fn next_connection(listener: &SocketRef) -> Result<(RawFd, Address), Code> {
    loop {
        let (fd, nonblocking) = {
            let mut state = listener.lock();
            if state.closed {
                return Err(Code::wsa(WSAEINTR));
            }
            if !state.listening {
                return Err(Code::wsa(WSAEINVAL));
            }
            if state.is_idle(Direction::In) {
                let taken = take_connection(&mut state);
                if state.selected && taken.is_err() {
                    listener.note_accept_call(&mut state);
                }
                match taken {
                    Ok(connection) => return Ok(connection),
                    Err(Errno(libc::EAGAIN)) => {}
                    Err(errno) => return Err(error::wsa_of_errno(errno.0)),
                }
            }
            (state.fd.unwrap_or(-1), state.nonblocking)
        };
        if nonblocking {
            return Err(Code::wsa(WSAEWOULDBLOCK));
        }
        blocking::wait(listener, fd, libc::POLLIN, Deadline::Never)?;
        listener.retry(Direction::In);
    }
}

/// SO_UPDATE_ACCEPT_CONTEXT: the accepted socket takes on the listener's properties (rule 73).
pub fn update_context(accepted: &SocketRef, listener: SOCKET) -> Result<(), Code> {
    let listener = object::socket(listener)?;
    let (listening, journal) = {
        let state = listener.lock();
        (state.listening, state.options().cloned())
    };
    let mut state = accepted.lock();
    let Some(fd) = state.fd.filter(|_| state.connected && listening) else {
        return Err(Code::wsa(WSAEINVAL));
    };
    state.needs_context = false;
    if let Some(journal) = journal {
        options::apply(fd, &journal);
        state.options_mut().merge(journal);
    }
    Ok(())
}
