//! Address to text, as Windows writes it.

use std::net::Ipv4Addr;

use libc::AF_INET6;

use crate::address::Address;

/// `a.b.c.d`.
pub fn v4(host: [u8; 4]) -> String {
    Ipv4Addr::from(host).to_string()
}

/// RFC 5952's form, with a dotted end where Windows writes one.
pub fn v6(host: [u8; 16]) -> String {
    let groups: [u16; 8] =
        std::array::from_fn(|at| u16::from_be_bytes([host[2 * at], host[2 * at + 1]]));
    let dotted = has_dotted_end(&groups);
    let hexadecimal = if dotted { &groups[..6] } else { &groups[..] };
    let mut text = match longest_zeros(hexadecimal) {
        Some((from, to)) => format!("{}::{}", join(&hexadecimal[..from]), join(&hexadecimal[to..])),
        None => join(hexadecimal),
    };
    if dotted {
        let colon = if text.ends_with(':') { "" } else { ":" };
        text += colon;
        text += &v4([host[12], host[13], host[14], host[15]]);
    }
    text
}

/// Whether the last four bytes are an IPv4 address: a compatible, mapped, translated or ISATAP one.
fn has_dotted_end(groups: &[u16; 8]) -> bool {
    match groups {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, _] | [0, 0, 0, 0, 0xffff, 0, high, _] => *high != 0,
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => true,
        _ => false,
    }
}

/// Where the first of the longest runs of two or more zeros is.
fn longest_zeros(groups: &[u16]) -> Option<(usize, usize)> {
    let run = |from: usize| groups[from..].iter().take_while(|&&group| group == 0).count();
    let runs = (0..groups.len()).map(|from| (from, from + run(from)));
    // `max_by_key` would give the last of the longest.
    runs.rev().max_by_key(|(from, to)| to - from).filter(|(from, to)| to - from >= 2)
}

fn join(groups: &[u16]) -> String {
    groups.iter().map(|group| format!("{group:x}")).collect::<Vec<_>>().join(":")
}

/// The address without its port, an IPv6 one with `%scope` if it has one.
pub fn host(address: &Address) -> String {
    match (<[u8; 4]>::try_from(address.host()), <[u8; 16]>::try_from(address.host())) {
        (Ok(host), _) => v4(host),
        (_, Ok(host)) if address.scope() == 0 => v6(host),
        (_, Ok(host)) => format!("{}%{}", v6(host), address.scope()),
        (Err(_), Err(_)) => String::new(),
    }
}

/// The address with its port, if it has one: `a.b.c.d:port`, `[address%scope]:port`.
pub fn endpoint(address: &Address) -> String {
    match (address.port(), address.family()) {
        (0, _) => host(address),
        (port, AF_INET6) => format!("[{}]:{port}", host(address)),
        (port, _) => format!("{}:{port}", host(address)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    /// Expectations were observed with Winsock under Wine 8.0.
    #[test]
    fn v6_as_windows_writes_it() {
        for (address, text) in [
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
            ("1:0:0:4:0:0:7:8", "1::4:0:0:7:8"),
            ("1:0:0:4:0:0:0:8", "1:0:0:4::8"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
            ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"),
            ("0:0:1::", "0:0:1::"),
            ("ABCD::EF", "abcd::ef"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
            ("::1.2.3.4", "::1.2.3.4"),
            ("::0.0.3.4", "::304"),
            ("::0.2.3.4", "::0.2.3.4"),
            ("::1:0", "::0.1.0.0"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("::ffff:0.0.3.4", "::ffff:0:304"),
            ("::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4"),
            ("::ffff:0:0:304", "::ffff:0:0:304"),
            ("::fffe:1.2.3.4", "::fffe:102:304"),
            ("fe80::5efe:1.2.3.4", "fe80::5efe:1.2.3.4"),
            ("fe80::200:5efe:1.2.3.4", "fe80::200:5efe:1.2.3.4"),
            ("fe80::1:5efe:1.2.3.4", "fe80::1:5efe:102:304"),
            ("1:2:3:4:0:5efe:1:1", "1:2:3:4:0:5efe:0.1.0.1"),
            ("1:2::5efe:0:0", "1:2::5efe:0.0.0.0"),
            ("::5efe:1:1", "::5efe:0.1.0.1"),
        ] {
            assert_eq!(v6(address.parse::<Ipv6Addr>().unwrap().octets()), text);
        }
    }

    #[test]
    fn endpoints() {
        let local = Ipv6Addr::LOCALHOST.octets();
        for (address, text) in [
            (Address::v4([127, 0, 0, 1], 80), "127.0.0.1:80"),
            (Address::v4([127, 0, 0, 1], 0), "127.0.0.1"),
            (Address::v6(local, 80, 3), "[::1%3]:80"),
            (Address::v6(local, 80, 0), "[::1]:80"),
            (Address::v6(local, 0, 3), "::1%3"),
            (Address::empty(), ""),
        ] {
            assert_eq!(endpoint(&address), text);
        }
    }
}
