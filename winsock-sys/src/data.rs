//! Sending and receiving: the blocking calls and the overlapped ones.

use windows_sys::Win32::Foundation::{
    STATUS_BUFFER_OVERFLOW, STATUS_INVALID_PARAMETER, STATUS_PENDING, STATUS_SUCCESS,
};
use windows_sys::Win32::Networking::WinSock::{
    LPWSAOVERLAPPED_COMPLETION_ROUTINE, MSG_DONTROUTE, MSG_OOB, MSG_PARTIAL, MSG_PEEK,
    MSG_PUSH_IMMEDIATE, MSG_WAITALL, SOCKADDR, SOCKET, SOCKET_ERROR, WSA_IO_PENDING, WSABUF,
    WSAEDESTADDRREQ, WSAEFAULT, WSAEINTR, WSAEINVAL, WSAEISCONN, WSAENOBUFS, WSAENOTCONN,
    WSAEOPNOTSUPP, WSAESHUTDOWN, WSAEWOULDBLOCK,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::{PCSTR, PSTR};

use crate::address::{self, Address};
use crate::blocking;
use crate::error::{self, Code};
use crate::object::{self, EventRef, SocketRef, WAITS};
use crate::op::{Buffers, Kind, Message, Op, Sender, Step};
use crate::overlapped;
use crate::readiness::Need;
use crate::socket::{self, Direction, State, Submitted};
use crate::start::answer;
use crate::thread::{self, Alertable, Waiting};
use crate::transfer;
use crate::wait::Deadline;

type Routine = LPWSAOVERLAPPED_COMPLETION_ROUTINE;

/// A finished call: its byte count.
type Count = Result<u32, Code>;

/// Windows' MSG_* to Linux' (rule 121). WSAEOPNOTSUPP for what neither knows.
fn flags_of(flags: i32) -> Result<i32, Code> {
    const KNOWN: [(i32, i32); 6] = [
        (MSG_OOB, libc::MSG_OOB),
        (MSG_PEEK, libc::MSG_PEEK),
        (MSG_DONTROUTE, libc::MSG_DONTROUTE),
        (MSG_WAITALL, libc::MSG_WAITALL),
        (MSG_PUSH_IMMEDIATE, 0), // Linux never holds received bytes back.
        (MSG_PARTIAL as i32, 0), // Streams and datagrams have no partial messages.
    ];
    if flags == 0 {
        return Ok(0);
    }
    let mut rest = flags;
    let mut translated = 0;
    for (windows, linux) in KNOWN {
        if rest & windows != 0 {
            rest &= !windows;
            translated |= linux;
        }
    }
    if rest == 0 { Ok(translated) } else { Err(Code::wsa(WSAEOPNOTSUPP)) }
}

fn length(len: i32) -> Result<u32, Code> {
    u32::try_from(len).map_err(|_| Code::wsa(WSAEFAULT)) // Rule 129.
}

fn count(result: Count) -> i32 {
    match result {
        Ok(bytes) => bytes as i32,
        Err(code) => {
            error::set_last(code);
            SOCKET_ERROR
        }
    }
}

/// Tries, and waits in between, until done. `step` runs under the socket's lock.
pub fn block(
    socket: &SocketRef,
    direction: Direction,
    step: impl FnMut(&mut State) -> Step,
) -> Count {
    let need = match direction {
        Direction::In => Need::Input,
        Direction::Out => Need::Room,
    };
    block_for(socket, need, step)
}

fn block_for(socket: &SocketRef, need: Need, mut step: impl FnMut(&mut State) -> Step) -> Count {
    let (direction, events) = match need {
        Need::Input => (Direction::In, libc::POLLIN),
        Need::Urgent => (Direction::In, libc::POLLPRI),
        Need::Room => (Direction::Out, libc::POLLOUT),
    };
    let mut deadline = None;
    loop {
        let fd = {
            let mut state = socket.lock();
            if state.closed {
                return Err(Code::wsa(WSAEINTR));
            }
            if direction == Direction::Out && state.fin_due {
                return Err(Code::wsa(WSAESHUTDOWN));
            }
            // Operations that were posted earlier come first (invariant h).
            let step = match state.is_idle(direction) {
                true => step(&mut state),
                false => Step::Wait,
            };
            if state.selected {
                socket.note_call(&mut state, need, &step);
            }
            match step {
                Step::Done(STATUS_SUCCESS, bytes) => return Ok(bytes),
                Step::Done(status, _) => return Err(error::wsa_of_status(status)),
                Step::Wait => {}
            }
            if state.nonblocking {
                return Err(Code::wsa(WSAEWOULDBLOCK));
            }
            deadline.get_or_insert_with(|| deadline_of(&state, direction));
            state.fd.unwrap_or(-1)
        };
        blocking::wait(socket, fd, events, deadline.unwrap_or(Deadline::Never))?;
        socket.retry(direction);
    }
}

/// When a call gives up that has to wait from now on (rule 61).
fn deadline_of(state: &State, direction: Direction) -> Deadline {
    let ms = state.options().map_or(0, |options| match direction {
        Direction::In => options.recv_timeout_ms(),
        Direction::Out => options.send_timeout_ms(),
    });
    if ms == 0 { Deadline::Never } else { Deadline::after_ms(ms) }
}

fn recv_now(socket: &SocketRef, buffers: &Buffers, flags: i32, from: Sender) -> Count {
    let mut done = 0;
    let form = socket.form;
    if flags & libc::MSG_WAITALL != 0 && (!form.is_stream() || socket.lock().nonblocking) {
        return Err(Code::wsa(WSAEOPNOTSUPP)); // It could not wait, and must not lose what came.
    }
    let urgent = form.is_stream() && flags & libc::MSG_OOB != 0;
    let need = if urgent { Need::Urgent } else { Need::Input };
    block_for(socket, need, |state| {
        match transfer::recv_step(form, state, buffers, flags, from, &mut done) {
            // Linux' word for "there is none", unless it comes in line.
            Step::Done(STATUS_INVALID_PARAMETER, _) if urgent && state.has_urgent_apart() => {
                Step::Wait
            }
            step => step,
        }
    })
}

fn send_now(socket: &SocketRef, buffers: &Buffers, flags: i32, to: Option<&Address>) -> Count {
    let mut done = 0;
    let form = socket.form;
    prepare_send(socket, to)?;
    block(socket, Direction::Out, |state| {
        let step = transfer::send_step(form, state, buffers, flags, to, &mut done);
        match step {
            // A non-blocking send answers with what it could place.
            Step::Wait if done > 0 && state.nonblocking => Step::Done(STATUS_SUCCESS, done),
            step => step,
        }
    })
}

/// A datagram socket gets its descriptor, and with it its name, when it first sends.
fn prepare_send(socket: &SocketRef, to: Option<&Address>) -> Result<(), Code> {
    if socket.form.is_stream() {
        return Ok(());
    }
    let mut state = socket.lock();
    if to.is_none() && !state.connected {
        return Err(Code::wsa(WSAENOTCONN));
    }
    socket.descriptor(&mut state).map(drop).map_err(|errno| error::wsa_of_errno(errno.0))
}

/// Receives: [recv][ms]. 0 at the peer's end; WSAECONNRESET, WSAENOTCONN, WSAESHUTDOWN,
/// WSAEWOULDBLOCK, WSAETIMEDOUT (SO_RCVTIMEO), WSAEMSGSIZE (a longer datagram), WSAEFAULT.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-recv
///
/// # Safety
/// As on Windows: `buf` is writable for `len` bytes.
pub unsafe extern "system" fn recv(s: SOCKET, buf: PSTR, len: i32, flags: i32) -> i32 {
    count(object::socket(s).and_then(|socket| {
        recv_now(&socket, &Buffers::one(buf, length(len)?), flags_of(flags)?, Sender::Untold)
    }))
}

/// Receives a datagram and its sender: [recvfrom][ms]. As [`recv`]; WSAEINVAL on an unnamed socket.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-recvfrom
///
/// # Safety
/// As on Windows: `buf` is writable for `len` bytes; `from` and `from_len` are NULL or an address
/// and its length.
pub unsafe extern "system" fn recvfrom(
    s: SOCKET,
    buf: PSTR,
    len: i32,
    flags: i32,
    from: *mut SOCKADDR,
    from_len: *mut i32,
) -> i32 {
    count(object::socket(s).and_then(|socket| {
        // SAFETY: passed on from our caller.
        let from = unsafe { sender_room(&socket, from, from_len) }?;
        recv_now(&socket, &Buffers::one(buf, length(len)?), flags_of(flags)?, from)
    }))
}

/// Where to write a sender's address. WSAEFAULT when there is too little room.
///
/// # Safety
/// `from` and `from_len` are NULL or an address and its length.
unsafe fn sender_room(
    socket: &SocketRef,
    from: *mut SOCKADDR,
    from_len: *mut i32,
) -> Result<Sender, Code> {
    if from.is_null() || from_len.is_null() {
        return Ok(Sender::Untold);
    }
    let needed = if socket.form.family == libc::AF_INET { 16 } else { 28 };
    // SAFETY: our caller vouches for the length.
    match unsafe { *from_len } >= needed {
        true => Ok(Sender::Address(from, from_len)),
        false => Err(Code::wsa(WSAEFAULT)),
    }
}

/// Sends: [send][ms]. A blocking socket sends all (rule 63). WSAECONNRESET, WSAENOTCONN,
/// WSAESHUTDOWN, WSAEWOULDBLOCK, WSAETIMEDOUT (SO_SNDTIMEO).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-send
///
/// # Safety
/// As on Windows: `buf` is readable for `len` bytes.
pub unsafe extern "system" fn send(s: SOCKET, buf: PCSTR, len: i32, flags: i32) -> i32 {
    count(object::socket(s).and_then(|socket| {
        send_now(&socket, &Buffers::one(buf.cast_mut(), length(len)?), flags_of(flags)?, None)
    }))
}

/// Sends a datagram: [sendto][ms]. As [`send`]; WSAEDESTADDRREQ without an address.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-sendto
///
/// # Safety
/// As on Windows: `buf` is readable for `len` bytes, `to` is an address of `to_len` bytes.
pub unsafe extern "system" fn sendto(
    s: SOCKET,
    buf: PCSTR,
    len: i32,
    flags: i32,
    to: *const SOCKADDR,
    to_len: i32,
) -> i32 {
    count(object::socket(s).and_then(|socket| {
        // SAFETY: passed on from our caller.
        let to = unsafe { receiver(&socket, to, to_len) }?;
        let buffers = Buffers::one(buf.cast_mut(), length(len)?);
        send_now(&socket, &buffers, flags_of(flags)?, to.as_ref())
    }))
}

/// The address of a sendto; a connected stream ignores it.
///
/// # Safety
/// `to` is NULL or an address of `len` bytes.
unsafe fn receiver(
    socket: &SocketRef,
    to: *const SOCKADDR,
    len: i32,
) -> Result<Option<Address>, Code> {
    if socket.form.is_stream() {
        return Ok(None);
    }
    if to.is_null() {
        return match socket.lock().connected {
            true => Ok(None),
            false => Err(Code::wsa(WSAEDESTADDRREQ)),
        };
    }
    if socket.lock().connected && len == 0 {
        return Err(Code::wsa(WSAEISCONN));
    }
    // SAFETY: our caller vouches for the address.
    unsafe { address::read(to, len) }.map(Some)
}

/// The buffers of a WSA call. WSAEFAULT for NULL, WSAEINVAL for none (rule 60).
///
/// # Safety
/// `buffers` points to `len` WSABUFs, or is NULL.
unsafe fn capture(buffers: *const WSABUF, len: u32) -> Result<Buffers, Code> {
    match (buffers.is_null(), len) {
        (_, 0) => Err(Code::wsa(WSAEINVAL)),
        (true, _) => Err(Code::wsa(WSAEFAULT)),
        (false, _) => {
            // SAFETY: our caller vouches for the array.
            let buffers = unsafe { Buffers::capture(buffers, len) };
            // Counts have 32 bits (rule 14).
            let countable = buffers.total() <= u32::MAX as usize;
            countable.then_some(buffers).ok_or(Code::wsa(WSAEINVAL))
        }
    }
}

/// Issues an overlapped operation, and writes the count of one that finished at once.
///
/// # Safety
/// `overlapped` and `count` are the program's, as the WSA calls demand.
unsafe fn issue(
    socket: &SocketRef,
    direction: Direction,
    kind: Kind,
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    if routine.is_some() && socket.lock().associated {
        return Err(Code::wsa(WSAEINVAL)); // Rule 27.
    }
    if !socket.form.overlapped {
        // SAFETY: passed on from our caller.
        return unsafe { wait_for(socket, direction, kind, count, overlapped) };
    }
    // SAFETY: our caller vouches for the OVERLAPPED.
    let mut op = unsafe { Op::new(kind, overlapped, routine) };
    // SAFETY: our caller vouches for the count.
    unsafe { answer_issued(socket.submit(direction, &mut op), count) }
}

/// # Safety
/// `count` is NULL or a place for a count.
unsafe fn answer_issued(submitted: Submitted, count: *mut u32) -> Result<(), Code> {
    match submitted {
        Submitted::Done(status, bytes) => {
            if !count.is_null() {
                // SAFETY: our caller vouches for it.
                unsafe { *count = bytes };
            }
            match status {
                STATUS_BUFFER_OVERFLOW => Err(error::wsa_of_status(status)),
                _ => Ok(()),
            }
        }
        Submitted::Pending => Err(Code::wsa(WSA_IO_PENDING)),
        Submitted::Failed(status) => Err(error::wsa_of_status(status)),
    }
}

/// On a socket that is not for overlapped use the call lasts until the operation is done (rule 52).
///
/// # Safety
/// As [`issue`].
unsafe fn wait_for(
    socket: &SocketRef,
    direction: Direction,
    kind: Kind,
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
) -> Result<(), Code> {
    // SAFETY: our caller vouches for the OVERLAPPED.
    let mut op = unsafe { Op::new(kind, overlapped, None) };
    let event = match op.event() {
        Some(event) => event,
        None => {
            // One that this operation alone sets.
            let event = EventRef::private().map_err(|_| Code::wsa(WSAENOBUFS))?;
            op.set_event(event.clone());
            event
        }
    };
    let submitted = socket.submit(direction, &mut op);
    if submitted != Submitted::Pending {
        // SAFETY: passed on from our caller.
        return unsafe { answer_issued(submitted, count) };
    }
    let _waiting = Waiting::begin();
    // SAFETY: our caller vouches for the OVERLAPPED.
    while unsafe { overlapped::status_of(overlapped) } == STATUS_PENDING {
        thread::on_current(|thread| {
            WAITS.wait(thread, &[&event], false, Deadline::Never, Alertable::Never)
        });
    }
    // SAFETY: the operation is complete and the OVERLAPPED the program's again.
    let (status, bytes) =
        unsafe { ((*overlapped).Internal as u32 as i32, (*overlapped).InternalHigh) };
    if socket::is_error(status) {
        return Err(error::wsa_of_status(status));
    }
    // SAFETY: passed on from our caller.
    unsafe { answer_issued(Submitted::Done(status, bytes as u32), count) }
}

/// Receives into several buffers, at once or overlapped: [WSARecv][ms].
///
/// With an OVERLAPPED: 0 when it finished at once (and is reported all the same, rule 21), else
/// SOCKET_ERROR with WSA_IO_PENDING. Without one: as [`recv`] (rule 50).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv
///
/// # Safety
/// As on Windows: the buffers and the OVERLAPPED are lent until the operation completes; the WSABUF
/// array until the call returns (rule 59).
pub unsafe extern "system" fn WSARecv(
    s: SOCKET,
    buffers: *const WSABUF,
    buffer_count: u32,
    received: *mut u32,
    flags: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> i32 {
    let none = (std::ptr::null_mut(), std::ptr::null_mut());
    let array = (buffers, buffer_count);
    // SAFETY: passed on from our caller.
    answer(unsafe { recv_into(s, array, received, flags, none, overlapped, routine) })
}

/// Receives a datagram and its sender, at once or overlapped: [WSARecvFrom][ms]. As [`WSARecv`].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom
///
/// # Safety
/// As [`WSARecv`]; the address and its length are lent like the buffers.
pub unsafe extern "system" fn WSARecvFrom(
    s: SOCKET,
    buffers: *const WSABUF,
    buffer_count: u32,
    received: *mut u32,
    flags: *mut u32,
    from: *mut SOCKADDR,
    from_len: *mut i32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> i32 {
    let from = (from, from_len);
    let array = (buffers, buffer_count);
    // SAFETY: passed on from our caller.
    answer(unsafe { recv_into(s, array, received, flags, from, overlapped, routine) })
}

/// # Safety
/// As [`WSARecvFrom`].
pub unsafe fn recv_into(
    s: SOCKET,
    (buffers, buffer_count): (*const WSABUF, u32),
    received: *mut u32,
    flags: *mut u32,
    (from, from_len): (*mut SOCKADDR, *mut i32),
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    let (buffers, from) = ((buffers, buffer_count), (from, from_len));
    // SAFETY: passed on from our caller.
    unsafe { recv_on(&object::socket(s)?, buffers, received, flags, from, overlapped, routine) }
}

/// As [`recv_into`], with the socket at hand.
///
/// # Safety
/// As [`WSARecv`].
pub unsafe fn recv_on(
    socket: &SocketRef,
    (buffers, buffer_count): (*const WSABUF, u32),
    received: *mut u32,
    flags: *mut u32,
    (from, from_len): (*mut SOCKADDR, *mut i32),
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    if flags.is_null() {
        return Err(Code::wsa(WSAEFAULT));
    }
    // SAFETY: our caller vouches for addresses.
    let from = unsafe { sender_room(socket, from, from_len) }?;
    let buffers = (buffers, buffer_count);
    // SAFETY: passed on from our caller.
    unsafe { recv_telling(socket, buffers, received, flags, from, overlapped, routine) }
}

/// As [`recv_on`], for WSARecvMsg too.
///
/// # Safety
/// As [`WSARecv`]; what `from` points to is lent like the buffers.
pub unsafe fn recv_telling(
    socket: &SocketRef,
    (buffers, buffer_count): (*const WSABUF, u32),
    received: *mut u32,
    flags: *mut u32,
    from: Sender,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    // SAFETY: our caller vouches for arrays and flags.
    let (buffers, linux_flags) =
        unsafe { (capture(buffers, buffer_count)?, flags_of(*flags as i32)?) };
    if overlapped.is_null() {
        if received.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let bytes = recv_now(socket, &buffers, linux_flags, from)?;
        // SAFETY: our caller vouches for both.
        unsafe { (*received, *flags) = (bytes, 0) };
        return Ok(());
    }
    let kind = Kind::Recv { buffers, flags: linux_flags, from };
    // SAFETY: passed on from our caller.
    unsafe { issue(socket, Direction::In, kind, received, overlapped, routine) }
}

/// Sends several buffers, at once or overlapped: [WSASend][ms]. An overlapped send on a stream is
/// not complete before all bytes were taken (rule 63).
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend
///
/// # Safety
/// As [`WSARecv`].
pub unsafe extern "system" fn WSASend(
    s: SOCKET,
    buffers: *const WSABUF,
    buffer_count: u32,
    sent: *mut u32,
    flags: u32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> i32 {
    let array = (buffers, buffer_count);
    // SAFETY: passed on from our caller.
    answer(unsafe { send_from(s, array, sent, flags, None, overlapped, routine) })
}

/// Sends a datagram from several buffers, at once or overlapped: [WSASendTo][ms].
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendto
///
/// # Safety
/// As [`WSARecv`]; `to` is an address of `to_len` bytes and is read during the call.
pub unsafe extern "system" fn WSASendTo(
    s: SOCKET,
    buffers: *const WSABUF,
    buffer_count: u32,
    sent: *mut u32,
    flags: u32,
    to: *const SOCKADDR,
    to_len: i32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> i32 {
    let array = (buffers, buffer_count);
    let to = Some((to, to_len));
    // SAFETY: passed on from our caller.
    answer(unsafe { send_from(s, array, sent, flags, to, overlapped, routine) })
}

/// # Safety
/// As [`WSASendTo`].
pub unsafe fn send_from(
    s: SOCKET,
    (buffers, buffer_count): (*const WSABUF, u32),
    sent: *mut u32,
    flags: u32,
    to: Option<(*const SOCKADDR, i32)>,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    let buffers = (buffers, buffer_count);
    // SAFETY: passed on from our caller.
    unsafe { send_on(&object::socket(s)?, buffers, sent, flags, to, overlapped, routine) }
}

/// As [`send_from`], with the socket at hand.
///
/// # Safety
/// As [`WSARecv`].
pub unsafe fn send_on(
    socket: &SocketRef,
    (buffers, buffer_count): (*const WSABUF, u32),
    sent: *mut u32,
    flags: u32,
    to: Option<(*const SOCKADDR, i32)>,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    let to = match to {
        // SAFETY: our caller vouches for the address.
        Some((name, len)) => unsafe { receiver(socket, name, len) }?,
        None => None,
    };
    // SAFETY: our caller vouches for the array.
    let (buffers, flags) = (unsafe { capture(buffers, buffer_count) }?, flags_of(flags as i32)?);
    if overlapped.is_null() {
        if sent.is_null() {
            return Err(Code::wsa(WSAEFAULT));
        }
        let bytes = send_now(socket, &buffers, flags, to.as_ref())?;
        // SAFETY: our caller vouches for it.
        unsafe { *sent = bytes };
        return Ok(());
    }
    prepare_send(socket, to.as_ref())?;
    let kind = Kind::Send { buffers, flags, to };
    // SAFETY: passed on from our caller.
    unsafe { issue(socket, Direction::Out, kind, sent, overlapped, routine) }
}

/// A datagram with control data in Linux' words.
///
/// # Safety
/// `buffers` is an array of so many WSABUFs, `to` NULL or an address.
pub unsafe fn message(
    socket: &SocketRef,
    (buffers, buffer_count): (*const WSABUF, u32),
    control: Vec<u8>,
    flags: u32,
    (name, len): (*const SOCKADDR, i32),
) -> Result<Message, Code> {
    // SAFETY: our caller vouches for address and array.
    let (to, buffers) = unsafe { (receiver(socket, name, len)?, capture(buffers, buffer_count)?) };
    Ok(Message { buffers, flags: flags_of(flags as i32)?, to, control })
}

/// Sends a [`message`], at once or overlapped.
///
/// # Safety
/// As [`WSASendTo`].
pub unsafe fn send_message(
    socket: &SocketRef,
    message: Message,
    sent: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: Routine,
) -> Result<(), Code> {
    prepare_send(socket, message.to.as_ref())?;
    if !overlapped.is_null() {
        let kind = Kind::SendMessage(Box::new(message));
        // SAFETY: passed on from our caller.
        return unsafe { issue(socket, Direction::Out, kind, sent, overlapped, routine) };
    }
    if sent.is_null() {
        return Err(Code::wsa(WSAEFAULT));
    }
    let form = socket.form;
    let bytes =
        block(socket, Direction::Out, |state| transfer::send_message_step(form, state, &message))?;
    // SAFETY: our caller vouches for it.
    unsafe { *sent = bytes };
    Ok(())
}
