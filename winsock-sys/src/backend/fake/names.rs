//! Addresses, and who has which port.
//!
//! Inside, a name is a [`SocketAddr`]; an IPv4 host seen through an IPv6 socket is IPv4 here and
//! mapped at the border only.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Net;
use super::faults::Dice;
use super::socket::{Id, Socket};
use crate::address::Address;
use crate::sys::{Errno, Result};

/// Ports that are given out to who did not choose: Linux' default range.
const EPHEMERAL: std::ops::Range<u16> = 32_768..61_000;

/// Which sockets have which port. Streams and datagrams have each their own.
pub struct Ports {
    /// By "is a stream" and port; the oldest socket first.
    taken: BTreeMap<(bool, u16), Vec<Id>>,
    /// Where the search for a free port goes on.
    next: u16,
}

impl Ports {
    pub fn new(dice: &mut Dice) -> Ports {
        let next = EPHEMERAL.start + dice.below(EPHEMERAL.len() as u64) as u16;
        Ports { taken: BTreeMap::new(), next }
    }

    /// The sockets that have this port.
    fn holders(&self, stream: bool, port: u16) -> &[Id] {
        self.taken.get(&(stream, port)).map_or(&[], Vec::as_slice)
    }

    pub fn take(&mut self, socket: &Socket, id: Id) {
        self.taken.entry((socket.is_stream(), socket.local.port())).or_default().push(id);
    }

    pub fn release(&mut self, socket: &Socket, id: Id) {
        let key = (socket.is_stream(), socket.local.port());
        if let Some(holders) = self.taken.get_mut(&key) {
            holders.retain(|holder| *holder != id);
            if holders.is_empty() {
                self.taken.remove(&key);
            }
        }
    }

    /// A port that nobody has.
    fn free(&mut self, stream: bool) -> Option<u16> {
        for _ in EPHEMERAL {
            let port = self.next;
            self.next = if port + 1 == EPHEMERAL.end { EPHEMERAL.start } else { port + 1 };
            if self.holders(stream, port).is_empty() {
                return Some(port);
            }
        }
        None
    }
}

/// The name that a socket's program means by an address.
pub fn read(socket: &Socket, address: &Address) -> Result<SocketAddr> {
    if address.family() != socket.family {
        return Err(Errno(libc::EAFNOSUPPORT));
    }
    let ip = match *address.host() {
        [a, b, c, d] => Ipv4Addr::new(a, b, c, d).into(),
        ref host => {
            let host = <[u8; 16]>::try_from(host).map_err(|_| Errno(libc::EINVAL))?;
            Ipv6Addr::from(host).to_canonical()
        }
    };
    Ok(SocketAddr::new(ip, address.port()))
}

/// The address by which a program with a socket of `family` knows a name.
pub fn write(name: SocketAddr, family: libc::c_int) -> Address {
    match (name.ip(), family) {
        (IpAddr::V4(ip), libc::AF_INET6) => {
            Address::v6(ip.to_ipv6_mapped().octets(), name.port(), 0)
        }
        (IpAddr::V4(ip), _) => Address::v4(ip.octets(), name.port()),
        (IpAddr::V6(ip), _) => Address::v6(ip.octets(), name.port(), 0),
    }
}

/// The wildcard of a family, without a port.
pub fn nowhere(family: libc::c_int) -> SocketAddr {
    let ip = match family {
        libc::AF_INET6 => Ipv6Addr::UNSPECIFIED.into(),
        _ => Ipv4Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(ip, 0)
}

/// The address of the loopback interface that speaks to `ip`.
pub fn loopback(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

/// Everybody on the network, or on the loopback interface.
pub fn is_broadcast(ip: IpAddr) -> bool {
    [[255, 255, 255, 255], [127, 255, 255, 255]].map(IpAddr::from).contains(&ip)
}

/// Whether one host of this machine has the address. All others are silent.
pub fn is_here(ip: IpAddr) -> bool {
    ip.is_loopback() && !is_broadcast(ip)
}

impl Socket {
    /// Whether it takes what is sent to `ip`, its port being right.
    fn covers(&self, ip: IpAddr) -> bool {
        let own = self.local.ip();
        own == ip
            || own.is_unspecified() && own.is_ipv4() == ip.is_ipv4()
            || own.is_unspecified() && ip.is_ipv4() && !self.is_v6_only()
    }

    /// Whether `other`, which has the port already, keeps this one from having it.
    fn conflicts_with(&self, other: &Socket) -> bool {
        let overlap = self.covers(other.local.ip()) || other.covers(self.local.ip());
        let both = |name| self.flag(libc::SOL_SOCKET, name) && other.flag(libc::SOL_SOCKET, name);
        // Sharing a name is fine as long as nobody listened there first.
        let shared = both(libc::SO_REUSEADDR) && !other.is_listening();
        overlap && !shared && !both(libc::SO_REUSEPORT)
    }
}

impl Net {
    pub fn bind(&mut self, id: Id, address: &Address) -> Result<()> {
        let socket = self.socket(id);
        let name = read(socket, address)?;
        if socket.local.port() != 0 || !socket.is_fresh() {
            return Err(Errno(libc::EINVAL));
        }
        if name.is_ipv4() && socket.family == libc::AF_INET6 && socket.is_v6_only() {
            return Err(Errno(libc::EINVAL));
        }
        if !is_here(name.ip()) && !name.ip().is_unspecified() {
            return Err(Errno(libc::EADDRNOTAVAIL));
        }
        let fixed_port = name.port() != 0;
        let port = match name.port() {
            0 => self.ports.free(socket.is_stream()).ok_or(Errno(libc::EADDRINUSE))?,
            port => port,
        };
        let socket = self.socket_mut(id);
        socket.local = SocketAddr::new(name.ip(), port);
        if self.is_taken(id) {
            let socket = self.socket_mut(id);
            socket.local = nowhere(socket.family);
            return Err(Errno(libc::EADDRINUSE));
        }
        let socket = self.socket_mut(id);
        (socket.fixed_ip, socket.fixed_port) = (!name.ip().is_unspecified(), fixed_port);
        self.hold_port(id);
        Ok(())
    }

    /// Whether another socket stands in the way of the name that this one has or wants.
    pub fn is_taken(&self, id: Id) -> bool {
        let socket = self.socket(id);
        self.ports
            .holders(socket.is_stream(), socket.local.port())
            .iter()
            .any(|holder| *holder != id && socket.conflicts_with(self.socket(*holder)))
    }

    /// Gives the socket a port, if it has none.
    pub fn autobind(&mut self, id: Id) -> Result<()> {
        let socket = self.socket(id);
        if socket.local.port() != 0 {
            return Ok(());
        }
        let port = self.ports.free(socket.is_stream()).ok_or(Errno(libc::EADDRNOTAVAIL))?;
        self.socket_mut(id).local.set_port(port);
        self.hold_port(id);
        Ok(())
    }

    /// Enters the port that the socket has among those that are taken.
    pub fn hold_port(&mut self, id: Id) {
        self.ports.take(&self.sockets[&id], id);
    }

    /// Gives up what of its name the program did not choose.
    pub fn forget_name(&mut self, id: Id) {
        let socket = self.sockets.get_mut(&id).expect("a socket that lives");
        let nowhere = nowhere(socket.family);
        if !socket.fixed_port {
            self.ports.release(socket, id);
            socket.local.set_port(0);
        }
        if !socket.fixed_ip {
            socket.local.set_ip(nowhere.ip());
        }
    }

    /// Settles the name under which a socket speaks to `target`, as the route there decides.
    pub fn settle_name(&mut self, id: Id, target: SocketAddr) -> Result<()> {
        self.autobind(id)?;
        let socket = self.socket_mut(id);
        if socket.local.ip().is_unspecified() {
            socket.local.set_ip(loopback(target.ip()));
        }
        socket.peer = Some(target);
        Ok(())
    }

    /// Where a program's target really leads: the wildcard means this machine. An IPv6 socket that
    /// is IPv6 only has no way to IPv4.
    pub fn resolve(&self, id: Id, target: SocketAddr) -> Result<SocketAddr> {
        let socket = self.socket(id);
        if socket.family == libc::AF_INET6 && target.is_ipv4() && socket.is_v6_only() {
            return Err(Errno(libc::ENETUNREACH));
        }
        let ip = if target.ip().is_unspecified() { loopback(target.ip()) } else { target.ip() };
        Ok(SocketAddr::new(ip, target.port()))
    }

    /// The listener that a connection to `target` reaches.
    pub fn listener_at(&self, target: SocketAddr) -> Option<Id> {
        self.best_holder(true, target, |socket| socket.is_listening().then_some(0))
    }

    /// The datagram socket that a datagram from `source` to `target` reaches: rather one that is
    /// connected to the sender, never one that is connected elsewhere.
    pub fn receiver_at(&self, target: SocketAddr, source: SocketAddr) -> Option<Id> {
        self.best_holder(false, target, |socket| match socket.peer {
            None => Some(0),
            Some(peer) => (peer == source).then_some(2),
        })
    }

    /// Of the holders that cover the target the one with the highest rank; being bound to just this
    /// address counts one, and of equals the oldest wins.
    fn best_holder(
        &self,
        stream: bool,
        target: SocketAddr,
        rank: impl Fn(&Socket) -> Option<u32>,
    ) -> Option<Id> {
        let holders = self.ports.holders(stream, target.port()).iter();
        let mut best = None;
        for (id, socket) in holders.map(|id| (*id, self.socket(*id))) {
            if !is_here(target.ip()) || !socket.covers(target.ip()) {
                continue;
            }
            let Some(rank) = rank(socket) else { continue };
            let rank = rank + u32::from(socket.local.ip() == target.ip());
            if best.is_none_or(|(highest, _)| rank > highest) {
                best = Some((rank, id));
            }
        }
        best.map(|(_, id)| id)
    }

    /// Whether another stream already leads from this one's name to its peer.
    pub fn is_doubled(&self, id: Id) -> bool {
        let socket = self.socket(id);
        self.ports.holders(true, socket.local.port()).iter().any(|holder| {
            let other = self.socket(*holder);
            *holder != id && other.local == socket.local && other.peer == socket.peer
        })
    }
}
