//! Socket options: stored as set, read back as Linux reads them back.

use std::collections::BTreeMap;

use libc::c_int;

use super::socket::{Kind, Socket};
use crate::sys::{Errno, Result};

/// What has been set, in the kernel's layout, by level and name.
pub type Options = BTreeMap<(c_int, c_int), Vec<u8>>;

const INT: usize = size_of::<c_int>();

/// What a stream takes before its reader does, and what SO_SNDBUF says of it when nobody set it.
/// Linux' buffers on the loopback interface are larger; these are to be filled by tests.
const STREAM_BUFFER: c_int = 256 << 10;
const DATAGRAM_BUFFER: c_int = 212_992;
/// The largest value that Linux lets a program set, and what it counts of it for its own use: it
/// doubles every value.
const BUFFER_MAX: c_int = 4 << 20;
const SEND_BUFFER_MIN: c_int = 4608;
const RECV_BUFFER_MIN: c_int = 2304;

/// A switch reads back as 0 or 1, whatever it was set to.
const SWITCHES: [(c_int, c_int); 11] = [
    (libc::SOL_SOCKET, libc::SO_BROADCAST),
    (libc::SOL_SOCKET, libc::SO_DONTROUTE),
    (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
    (libc::SOL_SOCKET, libc::SO_OOBINLINE),
    (libc::SOL_SOCKET, libc::SO_REUSEADDR),
    (libc::SOL_SOCKET, libc::SO_REUSEPORT),
    (libc::IPPROTO_TCP, libc::TCP_NODELAY),
    (libc::IPPROTO_IP, libc::IP_RECVERR),
    (libc::IPPROTO_IP, libc::IP_PKTINFO),
    (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
];

/// Values of options that were never set and are not 0.
const DEFAULTS: [((c_int, c_int), c_int); 14] = [
    ((libc::SOL_SOCKET, libc::SO_RCVLOWAT), 1),
    ((libc::SOL_SOCKET, libc::SO_SNDLOWAT), 1),
    ((libc::IPPROTO_TCP, libc::TCP_MAXSEG), 536),
    ((libc::IPPROTO_TCP, libc::TCP_KEEPIDLE), 7200),
    ((libc::IPPROTO_TCP, libc::TCP_KEEPINTVL), 75),
    ((libc::IPPROTO_TCP, libc::TCP_KEEPCNT), 9),
    ((libc::IPPROTO_TCP, libc::TCP_SYNCNT), 6),
    ((libc::IPPROTO_TCP, libc::TCP_QUICKACK), 1),
    ((libc::IPPROTO_IP, libc::IP_TTL), 64),
    ((libc::IPPROTO_IP, libc::IP_MULTICAST_TTL), 1),
    ((libc::IPPROTO_IP, libc::IP_MULTICAST_LOOP), 1),
    ((libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS), 64),
    ((libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_HOPS), 1),
    ((libc::IPPROTO_IPV6, libc::IPV6_MULTICAST_LOOP), 1),
];

impl Socket {
    pub fn set_option(&mut self, level: c_int, name: c_int, value: &[u8]) -> Result<()> {
        if !self.has_level(level) {
            return Err(Errno(libc::ENOPROTOOPT));
        }
        let Some((first, rest)) = value.split_first_chunk::<INT>() else {
            return Err(Errno(libc::EINVAL));
        };
        let number = c_int::from_ne_bytes(*first);
        let doubled = |least| number.clamp(0, BUFFER_MAX).saturating_mul(2).max(least);
        let number = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_TYPE | libc::SO_PROTOCOL | libc::SO_DOMAIN)
            | (libc::SOL_SOCKET, libc::SO_ERROR | libc::SO_ACCEPTCONN) => {
                return Err(Errno(libc::ENOPROTOOPT));
            }
            (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY) if self.local.port() != 0 => {
                return Err(Errno(libc::EINVAL));
            }
            (libc::SOL_SOCKET, libc::SO_LINGER) if rest.len() < INT => {
                return Err(Errno(libc::EINVAL));
            }
            (libc::SOL_SOCKET, libc::SO_LINGER) => c_int::from(number != 0),
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => doubled(SEND_BUFFER_MIN),
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => doubled(RECV_BUFFER_MIN),
            switch if SWITCHES.contains(&switch) => c_int::from(number != 0),
            _ => number,
        };
        let stored = [&number.to_ne_bytes(), rest].concat();
        self.options.insert((level, name), stored);
        Ok(())
    }

    pub fn option(&mut self, level: c_int, name: c_int, value: &mut [u8]) -> Result<()> {
        if !self.has_level(level) {
            // The two families of Linux are not of one mind here.
            let is_v4 = self.family == libc::AF_INET;
            return Err(Errno(if is_v4 { libc::EOPNOTSUPP } else { libc::ENOPROTOOPT }));
        }
        let number = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_ERROR) => self.error.take().map_or(0, |errno| errno.0),
            (libc::SOL_SOCKET, libc::SO_ACCEPTCONN) => c_int::from(self.is_listening()),
            (libc::SOL_SOCKET, libc::SO_DOMAIN) => self.family,
            (libc::SOL_SOCKET, libc::SO_TYPE) => match self.kind {
                Kind::Stream(_) => libc::SOCK_STREAM,
                Kind::Datagram(_) => libc::SOCK_DGRAM,
            },
            (libc::SOL_SOCKET, libc::SO_PROTOCOL) => match self.kind {
                Kind::Stream(_) => libc::IPPROTO_TCP,
                Kind::Datagram(_) => libc::IPPROTO_UDP,
            },
            _ => self.number(level, name),
        };
        let long = self.options.get(&(level, name)).filter(|stored| stored.len() > INT);
        let number = number.to_ne_bytes();
        let stored = long.map_or(&number[..], Vec::as_slice);
        let len = stored.len().min(value.len());
        value[..len].copy_from_slice(&stored[..len]);
        Ok(())
    }

    /// An option that is a number, or the first of several.
    fn number(&self, level: c_int, name: c_int) -> c_int {
        if let Some(first) = self.options.get(&(level, name)).and_then(|set| set.first_chunk()) {
            return c_int::from_ne_bytes(*first);
        }
        match (level, name) {
            (libc::SOL_SOCKET, libc::SO_SNDBUF | libc::SO_RCVBUF) => match self.kind {
                Kind::Stream(_) => STREAM_BUFFER,
                Kind::Datagram(_) => DATAGRAM_BUFFER,
            },
            other => {
                DEFAULTS.iter().find(|(key, _)| *key == other).map_or(0, |(_, number)| *number)
            }
        }
    }

    pub fn flag(&self, level: c_int, name: c_int) -> bool {
        self.number(level, name) != 0
    }

    pub fn is_v6_only(&self) -> bool {
        self.flag(libc::IPPROTO_IPV6, libc::IPV6_V6ONLY)
    }

    /// SO_LINGER with no time at all: closing resets.
    pub fn aborts_on_close(&self) -> bool {
        let linger = self.options.get(&(libc::SOL_SOCKET, libc::SO_LINGER));
        linger.is_some_and(|linger| linger[..INT] != [0; INT] && linger[INT..2 * INT] == [0; INT])
    }

    /// Bytes that a stream takes before its reader does.
    pub fn send_capacity(&self) -> usize {
        self.number(libc::SOL_SOCKET, libc::SO_SNDBUF) as usize / 2
    }

    /// Bytes that a datagram socket's queue holds.
    pub fn recv_capacity(&self) -> usize {
        self.number(libc::SOL_SOCKET, libc::SO_RCVBUF) as usize
    }

    fn has_level(&self, level: c_int) -> bool {
        match level {
            libc::SOL_SOCKET | libc::IPPROTO_IP => true,
            libc::IPPROTO_TCP => self.is_stream(),
            libc::IPPROTO_UDP => !self.is_stream(),
            libc::IPPROTO_IPV6 => self.family == libc::AF_INET6,
            _ => false,
        }
    }
}
