//! The options that hold a value: how Windows spells them, and what Linux calls them.

use std::os::fd::RawFd;

use libc::c_int;
use windows_sys::Win32::Networking::WinSock::{
    IP_DONTFRAGMENT, IP_MTU_DISCOVER, IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL,
    IP_PKTINFO, IP_PMTUDISC_DO, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE, IP_RECVTOS, IP_RECVTTL,
    IP_TOS, IP_TTL, IP_UNICAST_IF, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP, IPPROTO_UDP,
    IPV6_DONTFRAG, IPV6_HOPLIMIT, IPV6_MTU_DISCOVER, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP, IPV6_PKTINFO, IPV6_PROTECTION_LEVEL, IPV6_RECVTCLASS, IPV6_UNICAST_HOPS,
    IPV6_UNICAST_IF, IPV6_V6ONLY, PROTECTION_LEVEL_RESTRICTED, PROTECTION_LEVEL_UNRESTRICTED,
    SO_BROADCAST, SO_CONDITIONAL_ACCEPT, SO_DEBUG, SO_DONTROUTE, SO_EXCLUSIVEADDRUSE, SO_KEEPALIVE,
    SO_LINGER, SO_OOBINLINE, SO_PORT_SCALABILITY, SO_RANDOMIZE_PORT, SO_RCVBUF, SO_RCVTIMEO,
    SO_REUSE_MULTICASTPORT, SO_REUSE_UNICASTPORT, SO_REUSEADDR, SO_SNDBUF, SO_SNDTIMEO, SOL_SOCKET,
    TCP_FASTOPEN, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_MAXRT, TCP_MAXRTMS, TCP_NODELAY,
    UDP_CHECKSUM_COVERAGE, UDP_NOCHECKSUM, UDP_RECV_MAX_COALESCED_SIZE, UDP_SEND_MSG_SIZE,
    WSAEINVAL,
};

use super::Journal;
use super::value::{Given, Room};
use crate::error::Code;
use crate::sys;

/// An option.
pub struct Row {
    pub level: i32,
    pub name: i32,
    shape: Shape,
    /// What it is on a new socket of Windows, or of Linux where the value shows in what is sent.
    pub default: u32,
    pub target: Target,
    /// Datagram sockets only; WSAEINVAL on others.
    pub datagrams: bool,
}

/// How the value looks from outside, and how long it is. The lengths are those that Windows takes
/// and gives.
#[derive(Clone, Copy)]
enum Shape {
    /// A BOOL of any length; 4 bytes come out, or 1 if there is room for no more.
    Bool,
    /// A BOOL of any length; 1 byte comes out.
    Byte,
    /// A BOOL of 4 bytes.
    LongBool,
    /// A number of 1 or 4 bytes, from this one to 255. -1 stands for the default.
    Octet(u32),
    /// A number of 4 bytes, from the first to the second. -1 out of this range stands for the
    /// default.
    Number(u32, u32),
    /// An interface's index: in network order going in, in host order coming out (MS,
    /// IP_UNICAST_IF).
    Index,
    /// A LINGER, kept as its two halves are in memory.
    Linger,
}

const DWORD: Shape = Shape::Number(0, u32::MAX);

/// What carries an option out.
pub enum Target {
    /// We do, or nobody needs to: it is only remembered.
    Windows,
    /// An option of Linux: level, name, and its value for ours. Accepted sockets inherit it there.
    Linux(c_int, c_int, fn(u32) -> c_int),
    /// As `Linux`, and it can be set before the socket has a name only.
    Bind(c_int, c_int, fn(u32) -> c_int),
    /// A buffer's size: once set by hand, Linux no longer tunes it, so it is never set back.
    Buffer(c_int),
    /// SO_KEEPALIVE, which brings Windows' interval and count with it.
    KeepAlive,
    Linger,
    /// An IPv4 interface, by address or by index.
    Interface,
}

const fn row(level: i32, name: i32, shape: Shape, default: u32, target: Target) -> Row {
    Row { level, name, shape, default, target, datagrams: false }
}

impl Row {
    const fn of_datagrams(mut self) -> Row {
        self.datagrams = true;
        self
    }
}

const fn linux(level: c_int, name: c_int) -> Target {
    Target::Linux(level, name, same)
}

use Shape::{Bool, Byte, Index, LongBool, Number, Octet};
use Target::{Bind, Buffer, Linux, Windows};

/// Every option that holds a value.
pub static ROWS: &[Row] = &[
    // Prints nothing on Windows either.
    row(SOL_SOCKET, SO_DEBUG, Bool, 0, Windows),
    // These two work when the socket is bound (rule 124).
    row(SOL_SOCKET, SO_REUSEADDR, Bool, 0, Windows),
    row(SOL_SOCKET, SO_EXCLUSIVEADDRUSE, Bool, 0, Windows),
    row(SOL_SOCKET, SO_REUSE_MULTICASTPORT, Bool, 0, Windows),
    row(SOL_SOCKET, SO_KEEPALIVE, Byte, 0, Target::KeepAlive),
    // "Microsoft providers silently ignore this option" (MS, SOL_SOCKET Socket Options).
    row(SOL_SOCKET, SO_DONTROUTE, Byte, 0, Windows),
    row(SOL_SOCKET, SO_BROADCAST, Bool, 0, linux(libc::SOL_SOCKET, libc::SO_BROADCAST)),
    row(SOL_SOCKET, SO_LINGER, Shape::Linger, 0, Target::Linger),
    row(SOL_SOCKET, SO_OOBINLINE, Bool, 0, linux(libc::SOL_SOCKET, libc::SO_OOBINLINE)),
    row(SOL_SOCKET, SO_SNDBUF, DWORD, 65536, Buffer(libc::SO_SNDBUF)),
    row(SOL_SOCKET, SO_RCVBUF, DWORD, 65536, Buffer(libc::SO_RCVBUF)),
    row(SOL_SOCKET, SO_SNDTIMEO, DWORD, 0, Windows),
    row(SOL_SOCKET, SO_RCVTIMEO, DWORD, 0, Windows),
    // WSAAccept asks its condition function in any case; Linux completes the handshake before.
    row(SOL_SOCKET, SO_CONDITIONAL_ACCEPT, Bool, 0, Windows),
    // Linux does both of these always.
    row(SOL_SOCKET, SO_RANDOMIZE_PORT, Bool, 0, Windows),
    row(SOL_SOCKET, SO_PORT_SCALABILITY, Bool, 0, Windows),
    row(
        SOL_SOCKET,
        SO_REUSE_UNICASTPORT,
        Bool,
        0,
        Bind(libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, same),
    ),
    row(IPPROTO_TCP, TCP_NODELAY, Byte, 0, linux(libc::IPPROTO_TCP, libc::TCP_NODELAY)),
    row(
        IPPROTO_TCP,
        TCP_KEEPIDLE,
        Number(1, u32::MAX - 1),
        7200,
        Linux(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, keep_alive_seconds),
    ),
    row(
        IPPROTO_TCP,
        TCP_KEEPINTVL,
        Number(1, u32::MAX - 1),
        1,
        Linux(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, keep_alive_seconds),
    ),
    row(
        IPPROTO_TCP,
        TCP_KEEPCNT,
        Number(1, 255),
        10,
        Linux(libc::IPPROTO_TCP, libc::TCP_KEEPCNT, keep_alive_count),
    ),
    row(
        IPPROTO_TCP,
        TCP_MAXRT,
        DWORD,
        0,
        Linux(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, seconds_as_ms),
    ),
    row(
        IPPROTO_TCP,
        TCP_MAXRTMS,
        DWORD,
        0,
        Linux(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, at_most_max),
    ),
    // Listeners accept data with the SYN. DIFFERS: clients connect the plain way.
    row(
        IPPROTO_TCP,
        TCP_FASTOPEN,
        Bool,
        0,
        Linux(libc::IPPROTO_TCP, libc::TCP_FASTOPEN, fast_open_queue),
    ),
    row(IPPROTO_UDP, UDP_NOCHECKSUM, Bool, 0, linux(libc::SOL_SOCKET, libc::SO_NO_CHECK)),
    row(
        IPPROTO_UDP,
        UDP_CHECKSUM_COVERAGE,
        Bool,
        1,
        Linux(libc::SOL_SOCKET, libc::SO_NO_CHECK, not),
    ),
    row(IPPROTO_UDP, UDP_SEND_MSG_SIZE, Number(0, 65535), 0, linux(libc::SOL_UDP, UDP_SEGMENT)),
    row(
        IPPROTO_UDP,
        UDP_RECV_MAX_COALESCED_SIZE,
        Number(0, 65535),
        0,
        Linux(libc::SOL_UDP, UDP_GRO, coalesces),
    ),
    row(IPPROTO_IP, IP_TTL, Octet(1), 64, linux(libc::IPPROTO_IP, libc::IP_TTL)),
    row(IPPROTO_IP, IP_TOS, Octet(0), 0, linux(libc::IPPROTO_IP, libc::IP_TOS)),
    row(IPPROTO_IP, IP_MULTICAST_IF, DWORD, 0, Target::Interface).of_datagrams(),
    row(IPPROTO_IP, IP_MULTICAST_TTL, Octet(0), 1, linux(libc::IPPROTO_IP, libc::IP_MULTICAST_TTL))
        .of_datagrams(),
    // DIFFERS: Windows asks the receiving socket, Linux the sending one. The same here and below.
    row(IPPROTO_IP, IP_MULTICAST_LOOP, Bool, 1, linux(libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP))
        .of_datagrams(),
    row(
        IPPROTO_IP,
        IP_DONTFRAGMENT,
        Bool,
        0,
        Linux(libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, dont_fragment),
    ),
    row(IPPROTO_IP, IP_PKTINFO, LongBool, 0, linux(libc::IPPROTO_IP, libc::IP_PKTINFO))
        .of_datagrams(),
    row(IPPROTO_IP, IP_RECVTTL, LongBool, 0, linux(libc::IPPROTO_IP, libc::IP_RECVTTL))
        .of_datagrams(),
    row(IPPROTO_IP, IP_RECVTOS, LongBool, 0, linux(libc::IPPROTO_IP, libc::IP_RECVTOS))
        .of_datagrams(),
    row(
        IPPROTO_IP,
        IP_UNICAST_IF,
        Index,
        0,
        Linux(libc::IPPROTO_IP, libc::IP_UNICAST_IF, network_order),
    ),
    row(
        IPPROTO_IP,
        IP_MTU_DISCOVER,
        Number(0, 3),
        0,
        Linux(libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, path_mtu_discovery),
    ),
    row(
        IPPROTO_IPV6,
        IPV6_UNICAST_HOPS,
        Octet(0),
        64,
        linux(libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
    ),
    row(
        IPPROTO_IPV6,
        IPV6_MULTICAST_IF,
        DWORD,
        0,
        linux(libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_IF),
    )
    .of_datagrams(),
    row(
        IPPROTO_IPV6,
        IPV6_MULTICAST_HOPS,
        Octet(0),
        1,
        linux(libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS),
    )
    .of_datagrams(),
    row(
        IPPROTO_IPV6,
        IPV6_MULTICAST_LOOP,
        Bool,
        1,
        linux(libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP),
    )
    .of_datagrams(),
    row(IPPROTO_IPV6, IPV6_DONTFRAG, Bool, 0, linux(libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG)),
    row(IPPROTO_IPV6, IPV6_PKTINFO, LongBool, 0, linux(libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO))
        .of_datagrams(),
    row(
        IPPROTO_IPV6,
        IPV6_HOPLIMIT,
        LongBool,
        0,
        linux(libc::IPPROTO_IPV6, libc::IPV6_RECVHOPLIMIT),
    )
    .of_datagrams(),
    row(
        IPPROTO_IPV6,
        IPV6_RECVTCLASS,
        LongBool,
        0,
        linux(libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS),
    )
    .of_datagrams(),
    // Who may connect is for the firewall to say.
    row(
        IPPROTO_IPV6,
        IPV6_PROTECTION_LEVEL,
        Number(PROTECTION_LEVEL_UNRESTRICTED, PROTECTION_LEVEL_RESTRICTED),
        PROTECTION_LEVEL_UNRESTRICTED,
        Windows,
    ),
    row(IPPROTO_IPV6, IPV6_V6ONLY, Byte, 1, Bind(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, same)),
    row(
        IPPROTO_IPV6,
        IPV6_UNICAST_IF,
        DWORD,
        0,
        Linux(libc::IPPROTO_IPV6, libc::IPV6_UNICAST_IF, network_order),
    ),
    row(
        IPPROTO_IPV6,
        IPV6_MTU_DISCOVER,
        Number(0, 3),
        0,
        Linux(libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, path_mtu_discovery),
    ),
];

const _: () = assert!(ROWS.len() <= u8::MAX as usize + 1, "a journal counts rows in a byte");

/// As in Linux' udp.h; not in the libc crate for every C library.
const UDP_SEGMENT: c_int = 103;
const UDP_GRO: c_int = 104;

/// The place of an option in the table.
pub fn find(level: i32, name: i32) -> Option<u8> {
    ROWS.iter().position(|row| row.is(level, name)).map(|at| at as u8)
}

fn same(value: u32) -> c_int {
    value as c_int
}

fn not(value: u32) -> c_int {
    (value == 0).into()
}

fn network_order(value: u32) -> c_int {
    value.to_be() as c_int
}

/// Linux joins as many datagrams as a packet holds, and knows no smaller size: for that it joins
/// none, which is within what was asked for.
fn coalesces(value: u32) -> c_int {
    (value >= 65507).into()
}

fn at_most_max(value: u32) -> c_int {
    c_int::try_from(value).unwrap_or(c_int::MAX)
}

/// -1 is "for ever" on Windows; Linux has 24 days to offer.
fn seconds_as_ms(value: u32) -> c_int {
    at_most_max(value.saturating_mul(1000))
}

/// Linux takes no longer times.
fn keep_alive_seconds(value: u32) -> c_int {
    value.clamp(1, 32767) as c_int
}

fn keep_alive_count(value: u32) -> c_int {
    value.clamp(1, 127) as c_int
}

/// Linux wants to know how many connections may carry data before they are accepted.
fn fast_open_queue(value: u32) -> c_int {
    if value == 0 { 0 } else { 128 }
}

fn dont_fragment(value: u32) -> c_int {
    if value == 0 { libc::IP_PMTUDISC_DONT } else { libc::IP_PMTUDISC_DO }
}

fn path_mtu_discovery(value: u32) -> c_int {
    match value as i32 {
        IP_PMTUDISC_DO => libc::IP_PMTUDISC_DO,
        IP_PMTUDISC_DONT => libc::IP_PMTUDISC_DONT,
        IP_PMTUDISC_PROBE => libc::IP_PMTUDISC_PROBE,
        _ => libc::IP_PMTUDISC_WANT,
    }
}

/// The two numbers of a LINGER that is kept as one.
pub fn linger_parts(value: u32) -> (u16, u16) {
    (value as u16, (value >> 16) as u16)
}

pub fn linger_of(on: u16, seconds: u16) -> u32 {
    u32::from(on) | u32::from(seconds) << 16
}

/// What an IPv4 interface is given by: 0.x.x.x is an index, in network order (MS, IP_MULTICAST_IF).
pub fn interface(value: u32) -> libc::ip_mreqn {
    let is_index = value != 0 && value.to_ne_bytes()[0] == 0;
    let nothing = libc::in_addr { s_addr: 0 };
    let (address, index) = match is_index {
        true => (nothing, u32::from_be(value)),
        false => (libc::in_addr { s_addr: value }, 0),
    };
    libc::ip_mreqn { imr_multiaddr: nothing, imr_address: address, imr_ifindex: index as c_int }
}

impl Row {
    pub fn is(&self, level: i32, name: i32) -> bool {
        (self.level, self.name) == (level, name)
    }

    /// The value that a caller gives. WSAEFAULT if it is too short, WSAEINVAL if it is out of
    /// range.
    pub fn read(&self, given: &Given) -> Result<u32, Code> {
        let flag = |number: u32| u32::from(number != 0);
        match self.shape {
            Bool | Byte => Ok(flag(given.number())),
            LongBool => given.plain().map(flag),
            Octet(least) => self.within(given.number(), least, 255),
            Number(least, most) => self.within(given.plain()?, least, most),
            Index => self.within(u32::from_be(given.plain()?), 0, (1 << 24) - 1),
            Shape::Linger => {
                let (on, seconds) = linger_parts(given.plain()?);
                Ok(linger_of((on != 0).into(), seconds))
            }
        }
    }

    fn within(&self, number: u32, least: u32, most: u32) -> Result<u32, Code> {
        match number {
            number if (least..=most).contains(&number) => Ok(number),
            u32::MAX => Ok(self.default),
            _ => Err(Code::wsa(WSAEINVAL)),
        }
    }

    /// Gives a value to a caller. WSAEFAULT if there is too little room.
    pub fn write(&self, value: u32, room: &Room) -> Result<(), Code> {
        match self.shape {
            Byte => room.put_byte(value as u8),
            Bool | Octet(_) => room.put_number(value),
            LongBool | Number(..) | Index | Shape::Linger => room.put(value)?,
        }
        Ok(())
    }

    /// Makes Linux do it.
    pub fn carry_out(&self, fd: RawFd, value: u32, journal: Option<&Journal>) -> sys::Result<()> {
        match self.target {
            Windows => Ok(()),
            Linux(level, name, native) | Bind(level, name, native) => {
                sys::set_option(fd, level, name, native(value))
            }
            // Windows then sends from the program's memory; Linux needs a buffer to do as much.
            Buffer(_) if value == 0 => Ok(()),
            Buffer(name) => sys::set_option(fd, libc::SOL_SOCKET, name, at_most_max(value)),
            Target::KeepAlive => keep_alive(fd, value, journal),
            Target::Linger => {
                let (on, seconds) = linger_parts(value);
                let linger = libc::linger { l_onoff: on.into(), l_linger: seconds.into() };
                sys::set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, linger)
            }
            Target::Interface => {
                sys::set_option(fd, libc::IPPROTO_IP, libc::IP_MULTICAST_IF, interface(value))
            }
        }
    }
}

/// On Windows a silent peer is given up after ten probes one second apart, on Linux after eleven
/// minutes.
fn keep_alive(fd: RawFd, value: u32, journal: Option<&Journal>) -> sys::Result<()> {
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, value as c_int)?;
    if value == 0 {
        return Ok(());
    }
    for name in [TCP_KEEPINTVL, TCP_KEEPCNT] {
        let set = journal.and_then(|journal| journal.get(IPPROTO_TCP, name));
        if let Some(row) = ROWS.iter().find(|row| row.is(IPPROTO_TCP, name)) {
            // A datagram socket has no such thing and needs none.
            let _ = row.carry_out(fd, set.unwrap_or(row.default), None);
        }
    }
    Ok(())
}
