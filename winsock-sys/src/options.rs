//! Socket options: [`setsockopt`], [`getsockopt`], and what a socket remembers of them.
//!
//! A socket keeps a [`Journal`] of what the program has set, in Windows' values. It answers
//! [`getsockopt`] from there or with Windows' default, so that everything reads back exactly as it
//! was set (rules 61, 124 to 127), and it tells what a descriptor needs that is made or accepted
//! later. What a socket is, rather than was told, is in `facts`; joining multicast groups is in
//! `groups`.

mod facts;
mod groups;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::cell::Cell;
use std::os::fd::RawFd;

use windows_sys::Win32::Networking::WinSock::{
    IP_MULTICAST_LOOP, IP_MULTICAST_TTL, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP,
    IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_V6ONLY, SO_DONTLINGER, SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE, SO_LINGER, SO_OPENTYPE, SO_RCVLOWAT, SO_RCVTIMEO, SO_REUSE_MULTICASTPORT,
    SO_REUSEADDR, SO_SNDLOWAT, SO_SNDTIMEO, SO_UPDATE_ACCEPT_CONTEXT, SO_UPDATE_CONNECT_CONTEXT,
    SOCKET, SOL_SOCKET, TCP_KEEPIDLE, TCP_KEEPINTVL, WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT,
    WSAENOTCONN, tcp_keepalive,
};
use windows_sys::core::{PCSTR, PSTR};

pub use self::facts::protocol_info_a;
use self::table::{ROWS, Row, Target};
use self::value::{Given, Room};
use crate::accept;
use crate::error::{self, Code};
use crate::object::{self, SocketRef};
use crate::socket::{Form, Socket, State};
use crate::start::answer;
use crate::sys::{self, Errno};

/// The options that the program has set on a socket.
#[derive(Clone, Default)]
pub struct Journal {
    set: Vec<Entry>,
    /// SIO_UDP_CONNRESET has switched off the news that a datagram met a closed port.
    pub ignores_unreachable: bool,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Its place in [`ROWS`].
    row: u8,
    value: u32,
}

impl Entry {
    fn row(self) -> &'static Row {
        &ROWS[usize::from(self.row)]
    }
}

impl Journal {
    /// The value that was set, if one was.
    fn get(&self, level: i32, name: i32) -> Option<u32> {
        self.set.iter().find(|entry| entry.row().is(level, name)).map(|entry| entry.value)
    }

    /// The value that was set, if one was.
    pub fn value_of(&self, level: i32, name: i32) -> Option<u32> {
        self.get(level, name)
    }

    /// Whether a switch of the level SOL_SOCKET is on.
    pub fn is_on(&self, name: i32) -> bool {
        self.get(SOL_SOCKET, name).is_some_and(|value| value != 0)
    }

    fn put(&mut self, entry: Entry) {
        match self.set.iter_mut().find(|other| other.row == entry.row) {
            Some(other) => other.value = entry.value,
            None => {
                self.set.reserve_exact(1); // Most sockets have one option or two.
                self.set.push(entry);
            }
        }
    }

    /// Takes over another's options; where both have one, the other's wins.
    pub fn merge(&mut self, other: Journal) {
        other.set.into_iter().for_each(|entry| self.put(entry));
    }

    /// SO_RCVTIMEO in milliseconds; 0 for none.
    pub fn recv_timeout_ms(&self) -> u32 {
        self.get(SOL_SOCKET, SO_RCVTIMEO).unwrap_or(0)
    }

    /// SO_SNDTIMEO in milliseconds; 0 for none.
    pub fn send_timeout_ms(&self) -> u32 {
        self.get(SOL_SOCKET, SO_SNDTIMEO).unwrap_or(0)
    }

    /// Whether the socket's address may be shared with others that say the same (rule 124).
    pub fn reuse_address(&self) -> bool {
        self.is_on(SO_REUSEADDR) || self.is_on(SO_REUSE_MULTICASTPORT)
    }
}

/// Gives a fresh descriptor what a socket of Windows has from the start, and what was set on it
/// while it had none.
pub fn prepare(fd: RawFd, form: Form, journal: Option<&Journal>) -> Result<(), Errno> {
    let switch_on = |level, name| sys::set_option(fd, level, name, 1i32);
    let is_v6 = form.family == libc::AF_INET6;
    if is_v6 && journal.is_none_or(|journal| journal.get(IPPROTO_IPV6, IPV6_V6ONLY).is_none()) {
        switch_on(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)?; // Rule 125.
    }
    if !form.is_stream() {
        // Linux reports a closed port to connected sockets only, unless asked (rule 65).
        switch_on(libc::IPPROTO_IP, libc::IP_RECVERR)?;
        if is_v6 {
            switch_on(libc::IPPROTO_IPV6, libc::IPV6_RECVERR)?;
        }
    }
    for entry in journal.iter().flat_map(|journal| &journal.set) {
        entry.row().carry_out(fd, entry.value, journal)?;
    }
    Ok(())
}

/// An accepted descriptor has the listener's options on Linux; on Windows an AcceptEx socket has
/// its own until SO_UPDATE_ACCEPT_CONTEXT (rule 73).
pub fn carry_over(fd: RawFd, listener: Option<&Journal>, target: Option<&Journal>) {
    for row in listener.iter().flat_map(|journal| &journal.set).map(|entry| entry.row()) {
        let inherited = match row.target {
            Target::Linux(..) | Target::KeepAlive | Target::Linger | Target::Interface => true,
            Target::Windows | Target::Bind(..) | Target::Buffer(_) => false,
        };
        if inherited && target.is_none_or(|target| target.get(row.level, row.name).is_none()) {
            // Linux took the value from the listener, so it takes the default.
            let _ = row.carry_out(fd, row.default, None);
        }
    }
    if let Some(target) = target {
        apply(fd, target);
    }
}

/// Applies options to a connected descriptor, as far as they still mean something there.
pub fn apply(fd: RawFd, journal: &Journal) {
    for entry in &journal.set {
        if !matches!(entry.row().target, Target::Bind(..)) {
            // What Linux refuses it would have refused when it was set.
            let _ = entry.row().carry_out(fd, entry.value, Some(journal));
        }
    }
}

/// SIO_KEEPALIVE_VALS: times in milliseconds, of which Linux knows whole seconds.
pub fn set_keep_alive(socket: &Socket, values: tcp_keepalive) -> Result<(), Code> {
    let mut state = socket.lock();
    let mut set = |level, name, value| match table::find(level, name) {
        Some(row) => store(socket, &mut state, Entry { row, value }),
        None => Err(Code::wsa(WSAENOPROTOOPT)),
    };
    if values.onoff != 0 {
        set(IPPROTO_TCP, TCP_KEEPIDLE, values.keepalivetime.div_ceil(1000))?;
        set(IPPROTO_TCP, TCP_KEEPINTVL, values.keepaliveinterval.div_ceil(1000))?;
    }
    set(SOL_SOCKET, SO_KEEPALIVE, (values.onoff != 0).into())
}

/// SIO_MULTICAST_SCOPE: how many networks a datagram to a group may pass. WSAEINVAL on a stream, or
/// for more than 255.
pub fn set_multicast_scope(socket: &Socket, hops: u32) -> Result<(), Code> {
    if hops > 255 {
        return Err(Code::wsa(WSAEINVAL));
    }
    set_multicast(socket, IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS, hops)
}

/// SIO_MULTIPOINT_LOOPBACK: whether datagrams to a group come to this computer's members too.
/// WSAEINVAL on a stream.
pub fn set_multicast_loopback(socket: &Socket, on: bool) -> Result<(), Code> {
    set_multicast(socket, IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP, on.into())
}

fn set_multicast(socket: &Socket, v4: i32, v6: i32, value: u32) -> Result<(), Code> {
    if socket.form.is_stream() {
        return Err(Code::wsa(WSAEINVAL));
    }
    let (level, name) = match socket.form.family {
        libc::AF_INET6 => (IPPROTO_IPV6, v6),
        _ => (IPPROTO_IP, v4),
    };
    let row = table::find(level, name).ok_or(Code::wsa(WSAENOPROTOOPT))?;
    store(socket, &mut socket.lock(), Entry { row, value })
}

/// SIO_UDP_CONNRESET: whether a receive tells that a datagram met a closed port (rule 65).
pub fn report_unreachable(socket: &Socket, report: bool) -> Result<(), Code> {
    let mut state = socket.lock();
    let fd = socket.descriptor(&mut state).map_err(code)?;
    let switch = |level, name| sys::set_option(fd, level, name, i32::from(report));
    switch(libc::IPPROTO_IP, libc::IP_RECVERR).map_err(code)?;
    if socket.form.family == libc::AF_INET6 {
        switch(libc::IPPROTO_IPV6, libc::IPV6_RECVERR).map_err(code)?;
    }
    state.options_mut().ignores_unreachable = !report;
    Ok(())
}

thread_local! {
    /// SO_OPENTYPE: what kind of sockets `socket` makes on this thread.
    static OPEN_TYPE: Cell<u32> = const { Cell::new(0) };
}

/// Whether `socket` makes overlapped sockets on this thread, as it does unless SO_OPENTYPE says so.
pub fn opens_overlapped() -> bool {
    OPEN_TYPE.get() == 0
}

/// Sets an option: [setsockopt][ms].
///
/// WSAENOPROTOOPT for an option that is unknown, read-only or of another protocol; WSAEINVAL for an
/// unknown level, a value out of range, an option that comes too late (IPV6_V6ONLY, rule 125) or
/// that excludes one already set (rule 124); WSAEFAULT for NULL or a value too short. Booleans may
/// have any length.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-setsockopt
///
/// # Safety
/// As on Windows: `optval` is NULL or readable for `optlen` bytes.
pub unsafe extern "system" fn setsockopt(
    s: SOCKET,
    level: i32,
    optname: i32,
    optval: PCSTR,
    optlen: i32,
) -> i32 {
    if optval.is_null() && optlen > 0 {
        return answer(object::socket(s).and(Err(Code::wsa(WSAEFAULT))));
    }
    // SAFETY: passed on from our caller.
    answer(set(s, level, optname, || unsafe { Given::new(optval, optlen) }))
}

/// Reads an option: [getsockopt][ms], with its length in `*optlen`.
///
/// WSAENOPROTOOPT for an option that is unknown, cannot be read or is of another protocol;
/// WSAEINVAL for an unknown level; WSAEFAULT for NULL or too little room. Some booleans are 1 byte
/// long, as on Windows.
///
/// [ms]: https://learn.microsoft.com/en-us/windows/win32/api/winsock/nf-winsock-getsockopt
///
/// # Safety
/// As on Windows: `optlen` is NULL or valid, `optval` is NULL or writable for `*optlen` bytes.
pub unsafe extern "system" fn getsockopt(
    s: SOCKET,
    level: i32,
    optname: i32,
    optval: PSTR,
    optlen: *mut i32,
) -> i32 {
    // SAFETY: passed on from our caller.
    answer(get(s, level, optname, || unsafe { Room::new(optval, optlen) }))
}

fn code(errno: Errno) -> Code {
    error::wsa_of_errno(errno.0)
}

fn set(
    s: SOCKET,
    level: i32,
    name: i32,
    given: impl FnOnce() -> Result<Given, Code>,
) -> Result<(), Code> {
    if (level, name) == (SOL_SOCKET, SO_OPENTYPE) {
        OPEN_TYPE.set(given()?.plain()?); // An option of the thread: any value does for a socket.
        return Ok(());
    }
    let socket = object::socket(s)?;
    match (level, name) {
        // Its value is NULL on Windows too.
        (SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT) => update_connect_context(&socket),
        (SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT) => {
            accept::update_context(&socket, given()?.plain::<SOCKET>()?)
        }
        (SOL_SOCKET, SO_DONTLINGER) => set_dont_linger(&socket, given()?.number() != 0),
        _ => match (table::find(level, name), groups::find(level, name)) {
            (Some(row), _) => set_value(&socket, row, &given()?),
            (None, Some(change)) => change.carry_out(&socket, &given()?),
            (None, None) => facts::refuse_set(level, name).unwrap_or(Err(unknown(level, name))),
        },
    }
}

fn get(
    s: SOCKET,
    level: i32,
    name: i32,
    room: impl FnOnce() -> Result<Room, Code>,
) -> Result<(), Code> {
    if (level, name) == (SOL_SOCKET, SO_OPENTYPE) {
        return room()?.put(OPEN_TYPE.get());
    }
    let socket = object::socket(s)?;
    let room = room()?;
    match (level, name) {
        (SOL_SOCKET, SO_DONTLINGER) => {
            let (on, _) = linger(&socket)?;
            room.put_number((on == 0).into());
            Ok(())
        }
        _ => match table::find(level, name) {
            Some(row) => get_value(&socket, &ROWS[usize::from(row)], &room),
            None => facts::find(level, name).ok_or(unknown(level, name))?(&socket, &room),
        },
    }
}

/// What an option that we do not have fails with.
fn unknown(level: i32, name: i32) -> Code {
    match (level, name) {
        // MS, SOL_SOCKET Socket Options: since Windows Vista.
        (SOL_SOCKET, SO_SNDLOWAT | SO_RCVLOWAT) => Code::wsa(WSAEINVAL),
        (SOL_SOCKET | IPPROTO_IP | IPPROTO_IPV6 | IPPROTO_TCP | IPPROTO_UDP, _) => {
            Code::wsa(WSAENOPROTOOPT)
        }
        _ => Code::wsa(WSAEINVAL),
    }
}

/// Whether a socket has options of this level.
fn has_level(form: Form, level: i32) -> bool {
    match level {
        IPPROTO_TCP => form.is_stream(),
        IPPROTO_UDP => !form.is_stream(),
        IPPROTO_IPV6 => form.family == libc::AF_INET6,
        _ => true,
    }
}

fn set_value(socket: &Socket, row: u8, given: &Given) -> Result<(), Code> {
    let of_table = &ROWS[usize::from(row)];
    let value = of_table.read(given)?;
    if of_table.is(IPPROTO_IPV6, IPV6_V6ONLY) && socket.form.family == libc::AF_INET {
        return Ok(()); // It means nothing there, and Windows lets it pass.
    }
    let mut state = socket.lock();
    may_set(socket.form, &state, of_table, value)?;
    store(socket, &mut state, Entry { row, value })
}

fn may_set(form: Form, state: &State, row: &Row, value: u32) -> Result<(), Code> {
    if !has_level(form, row.level) {
        return Err(Code::wsa(WSAENOPROTOOPT));
    }
    let excluded_by = match (row.level, row.name) {
        (SOL_SOCKET, SO_REUSEADDR) => Some(SO_EXCLUSIVEADDRUSE),
        (SOL_SOCKET, SO_EXCLUSIVEADDRUSE) => Some(SO_REUSEADDR),
        _ => None,
    };
    let is_on = |name| state.options().is_some_and(|journal| journal.is_on(name));
    let excluded = value != 0 && excluded_by.is_some_and(is_on);
    let late = matches!(row.target, Target::Bind(..)) && state.bound;
    match row.datagrams && form.is_stream() || excluded || late {
        true => Err(Code::wsa(WSAEINVAL)),
        false => Ok(()),
    }
}

/// Sets an option on the descriptor and in the journal. A stream without a descriptor may still be
/// given one by AcceptEx: the journal alone will do.
fn store(socket: &Socket, state: &mut State, entry: Entry) -> Result<(), Code> {
    let row = entry.row();
    let fd = match row.target {
        Target::Windows => None,
        _ if socket.form.is_stream() => state.fd,
        _ => Some(socket.descriptor(state).map_err(code)?),
    };
    if let Some(fd) = fd {
        row.carry_out(fd, entry.value, state.options()).map_err(code)?;
    }
    state.options_mut().put(entry);
    Ok(())
}

fn get_value(socket: &Socket, row: &Row, room: &Room) -> Result<(), Code> {
    let lingers = socket.form.is_stream() || !matches!(row.target, Target::Linger);
    if !has_level(socket.form, row.level) || !lingers {
        return Err(Code::wsa(WSAENOPROTOOPT));
    }
    if row.datagrams && socket.form.is_stream() {
        return Err(Code::wsa(WSAEINVAL));
    }
    let set = socket.lock().options().and_then(|journal| journal.get(row.level, row.name));
    row.write(set.unwrap_or(row.default), room)
}

/// SO_LINGER: whether, and how many seconds. Datagram sockets have none.
fn linger(socket: &Socket) -> Result<(u16, u16), Code> {
    if !socket.form.is_stream() {
        return Err(Code::wsa(WSAENOPROTOOPT));
    }
    let state = socket.lock();
    let set = state.options().and_then(|journal| journal.get(SOL_SOCKET, SO_LINGER));
    Ok(table::linger_parts(set.unwrap_or(0)))
}

/// SO_DONTLINGER is SO_LINGER's switch the other way round, and leaves the seconds alone.
fn set_dont_linger(socket: &Socket, dont: bool) -> Result<(), Code> {
    let (_, seconds) = linger(socket).unwrap_or((0, 0));
    let value = table::linger_of((!dont).into(), seconds);
    let row = table::find(SOL_SOCKET, SO_LINGER).ok_or(Code::wsa(WSAENOPROTOOPT))?;
    store(socket, &mut socket.lock(), Entry { row, value })
}

/// SO_UPDATE_CONNECT_CONTEXT: what ConnectEx has connected becomes a full socket (rule 76).
fn update_connect_context(socket: &SocketRef) -> Result<(), Code> {
    let mut state = socket.lock();
    if !state.connected {
        return Err(Code::wsa(WSAENOTCONN));
    }
    state.needs_context = false;
    Ok(())
}
