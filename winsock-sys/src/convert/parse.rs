//! Text to address, by Windows' grammars.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::address::Address;

/// A number in C's notation: decimal, octal after `0`, hexadecimal after `0x`.
fn c_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    // `from_str_radix` would also take a sign.
    let all_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_digits.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

/// Four decimal numbers below 256 without leading zeros, as `inet_pton` takes an IPv4 address.
pub fn v4(text: &str) -> Option<[u8; 4]> {
    text.parse::<Ipv4Addr>().ok().map(|address| address.octets())
}

/// One to four numbers in C's notation, the last of which fills the bytes that are left: what
/// `inet_addr` takes.
pub fn v4_by_parts(text: &str) -> Option<[u8; 4]> {
    let parts: Vec<u32> = text.split('.').map(c_number).collect::<Option<_>>()?;
    let (&last, bytes) = parts.split_last()?;
    let room = 32_u32.checked_sub(8 * bytes.len() as u32).filter(|&room| room > 0)?;
    if bytes.iter().any(|&byte| byte > 0xff) || u64::from(last) >> room != 0 {
        return None;
    }
    let high = bytes.iter().zip([24, 16, 8]).map(|(byte, shift)| byte << shift).sum::<u32>();
    Some((high | last).to_be_bytes())
}

/// An IPv6 address as RFC 4291 writes it. A dotted end may have leading zeros, its parts at most
/// three digits.
pub fn v6(text: &str) -> Option<[u8; 16]> {
    let hexadecimal = match text.rsplit_once(':') {
        Some((head, dotted)) if dotted.contains('.') => {
            let [a, b, c, d] = v4_with_zeros(dotted)?;
            &format!("{head}:{a:02x}{b:02x}:{c:02x}{d:02x}")
        }
        _ => text,
    };
    hexadecimal.parse::<Ipv6Addr>().ok().map(|address| address.octets())
}

fn v4_with_zeros(text: &str) -> Option<[u8; 4]> {
    let part = |part: &str| match part.len() {
        1..=3 if part.bytes().all(|digit| digit.is_ascii_digit()) => part.parse().ok(),
        _ => None,
    };
    let parts: Vec<u8> = text.split('.').map(part).collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// An address with a scope or none, in brackets or not, as `getaddrinfo` takes an IPv6 host.
pub fn v6_host(text: &str) -> Option<Address> {
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => text,
    };
    scoped_v6(inner, 0)
}

fn scoped_v6(text: &str, port: u16) -> Option<Address> {
    let (host, scope) = match text.split_once('%') {
        Some((host, scope)) if scope.bytes().all(|digit| digit.is_ascii_digit()) => {
            (host, scope.parse().ok()?)
        }
        Some(_) => return None,
        None => (text, 0),
    };
    Some(Address::v6(v6(host)?, port, scope))
}

/// `a.b.c.d` or `a.b.c.d:port`, the host as `inet_addr` takes it, the port in C's notation.
pub fn endpoint_v4(text: &str) -> Option<Address> {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port_number(port)?),
        None => (text, 0),
    };
    Some(Address::v4(v4_by_parts(host)?, port))
}

/// `address`, `address%scope`, either of them in brackets, or in brackets with `:port` after them.
pub fn endpoint_v6(text: &str) -> Option<Address> {
    let Some(rest) = text.strip_prefix('[') else {
        return scoped_v6(text, 0);
    };
    let (inner, after) = rest.split_once(']')?;
    let port = match after.strip_prefix(':') {
        Some(port) => port_number(port)?,
        None if after.is_empty() => 0,
        None => return None,
    };
    scoped_v6(inner, port)
}

/// A port that is written must not be 0.
fn port_number(text: &str) -> Option<u16> {
    c_number(text)?.try_into().ok().filter(|&port| port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expectations in this module were observed with Winsock under Wine 8.0.
    #[test]
    fn v4_is_strict() {
        assert_eq!(v4("1.2.3.4"), Some([1, 2, 3, 4]));
        for text in "|1|1.2.3|1.2.3.4.|1.2.3.4.5|1.2.3.256|1.2.3.04|1.2.3.00|0x1.2.3.4| 1.2.3.4|\
                    1.2.3.4 |1.2.3.4x|1.2.3.4:80|+1.2.3.4|1..2.3"
            .split('|')
        {
            assert_eq!(v4(text), None, "{text}");
        }
    }

    #[test]
    fn v4_by_parts_is_c() {
        for (text, address) in [
            ("1.2.3.4", [1, 2, 3, 4]),
            ("255.255.255.255", [255; 4]),
            ("1.2.3", [1, 2, 0, 3]),
            ("1.2", [1, 0, 0, 2]),
            ("1", [0, 0, 0, 1]),
            ("1.2.65535", [1, 2, 255, 255]),
            ("1.65536", [1, 1, 0, 0]),
            ("1.16777215", [1, 255, 255, 255]),
            ("4294967295", [255; 4]),
            ("0x7f000001", [127, 0, 0, 1]),
            ("0x7f.1", [127, 0, 0, 1]),
            ("0177.0.0.1", [127, 0, 0, 1]),
            ("017700000001", [127, 0, 0, 1]),
            ("1.2.3.0x0A", [1, 2, 3, 10]),
            ("1.2.3.010", [1, 2, 3, 8]),
            ("1.2.3.000", [1, 2, 3, 0]),
            ("1.2.3.0000000000004", [1, 2, 3, 4]),
            ("00000000000.0.0.0", [0; 4]),
        ] {
            assert_eq!(v4_by_parts(text), Some(address), "{text}");
        }
        for text in "| |.|.1|1.|1..2|1.2.3.|a|1.2.3.a|256.1.1.1|1.2.3.256|1.2.65536|1.16777216|\
                    4294967296|08.1.1.1|09|0x|0x.1.1.1|0xg|1.2.3.4.|1.2.3.4.5|1.2.3.0xAG|1.2.3.-4|\
                    +1.2.3.4| 1.2.3.4"
            .split('|')
        {
            assert_eq!(v4_by_parts(text), None, "{text}");
        }
    }

    #[test]
    fn v6_grammar() {
        for (text, address) in [
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
            ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1::3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
            ("abcd:EF01::", "abcd:ef01::"),
            ("::ffff:1.2.3.4", "::ffff:102:304"),
            ("::01.2.3.4", "::102:304"),
            ("::1.02.003.4", "::102:304"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ] {
            let expected = address.parse::<Ipv6Addr>().unwrap().octets();
            assert_eq!(v6(text), Some(expected), "{text}");
        }
        for text in "|:|:::|:1|1:|1:80|::1::|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2:3:4:5:6:7:8|\
                    1:2:3:4::5:6:7:8|12345::|00001::|::1.2.3.256|::1.2.3|::1.2.3.4.5|::0x1.2.3.4|\
                    ::0001.2.3.4|::1.2.3.0004|1:2:3:4:5:1.2.3.4|1:2:3:4:5:6:7:1.2.3.4|1.2.3.4::|\
                    ::1.2.3.4:5|fe80::1%3|[::1]| ::1|::1 |::g|::1g|g::|::1/64|::0x1|1.2.3.4"
            .split('|')
        {
            assert_eq!(v6(text), None, "{text}");
        }
    }

    #[test]
    fn endpoints() {
        let local = Ipv6Addr::LOCALHOST.octets();
        for (text, address) in [
            ("::1", Address::v6(local, 0, 0)),
            ("::1%3", Address::v6(local, 0, 3)),
            ("::1%4294967295", Address::v6(local, 0, u32::MAX)),
            ("[::1]", Address::v6(local, 0, 0)),
            ("[::1]:80", Address::v6(local, 80, 0)),
            ("[::1]:0x50", Address::v6(local, 80, 0)),
            ("[::1]:0120", Address::v6(local, 80, 0)),
            ("[::1%3]:65535", Address::v6(local, 65535, 3)),
        ] {
            assert_eq!(endpoint_v6(text), Some(address), "{text}");
        }
        for text in "|[|[]|[::1|::1]|[::1]:|[::1]:0|[::1]:65536|[::1]:8a|[::1]x|[::1]%3:80|\
                    [1.2.3.4]:80|::1%|::1%eth0|::1%0x3|::1%4294967296|::1%+3"
            .split('|')
        {
            assert_eq!(endpoint_v6(text), None, "{text}");
        }
        for (text, address) in [
            ("1.2.3.4", Address::v4([1, 2, 3, 4], 0)),
            ("1.2.3.4:80", Address::v4([1, 2, 3, 4], 80)),
            ("1.2.3.4:0x50", Address::v4([1, 2, 3, 4], 80)),
            ("1.2.3:80", Address::v4([1, 2, 0, 3], 80)),
        ] {
            assert_eq!(endpoint_v4(text), Some(address), "{text}");
        }
        for text in
            "|1.2.3.4:|1.2.3.4:0|1.2.3.4:65536|1.2.3.4:8a|1.2.3.4:80 |1.2.3.4 |1:2:3|::1".split('|')
        {
            assert_eq!(endpoint_v4(text), None, "{text}");
        }
    }
}
