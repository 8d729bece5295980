//! Control data of WSASendMsg and WSARecvMsg: what belongs to a datagram besides its bytes.
//!
//! The header of an item looks the same on both systems; numbers and some contents differ.

use libc::c_int;
use windows_sys::Win32::Networking::WinSock::{
    IP_HOPLIMIT, IP_PKTINFO, IP_TOS, IP_TTL, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_HOPLIMIT,
    IPV6_PKTINFO, IPV6_TCLASS, UDP_COALESCED_INFO, UDP_SEND_MSG_SIZE, WSAEINVAL,
};

use crate::error::Code;

/// Linux' numbers that the libc crate does not have for every C library.
const UDP_SEGMENT: c_int = 103;
const UDP_GRO: c_int = 104;

/// cmsghdr, WSACMSGHDR: length of header and data, level, type; items lie at multiples of eight.
const HEADER: usize = 16;
const ALIGN: usize = 8;

/// Room for all that Linux says of a datagram.
pub const ROOM: usize = 256;

/// An item.
#[derive(Clone, Copy)]
struct Item<'a> {
    level: i32,
    kind: i32,
    data: &'a [u8],
}

/// The items of a control buffer, up to the first that is none; `None` then.
fn items(mut rest: &[u8]) -> impl Iterator<Item = Option<Item<'_>>> {
    std::iter::from_fn(move || {
        let header: &[u8; HEADER] = rest.first_chunk()?;
        let [len @ .., l0, l1, l2, l3, k0, k1, k2, k3] = *header;
        let len = usize::from_ne_bytes(len);
        if len < HEADER || len > rest.len() {
            rest = &[];
            return Some(None);
        }
        let (level, kind) = ([l0, l1, l2, l3], [k0, k1, k2, k3]);
        let data = &rest[HEADER..len];
        rest = rest.get(len.next_multiple_of(ALIGN)..).unwrap_or_default();
        let item = Item { level: i32::from_ne_bytes(level), kind: i32::from_ne_bytes(kind), data };
        Some(Some(item))
    })
}

fn push(to: &mut Vec<u8>, level: i32, kind: i32, data: &[u8]) {
    to.resize(to.len().next_multiple_of(ALIGN), 0);
    to.extend((HEADER + data.len()).to_ne_bytes());
    to.extend(level.to_ne_bytes());
    to.extend(kind.to_ne_bytes());
    to.extend(data);
}

fn number(data: &[u8]) -> Option<i32> {
    data.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes))
}

/// Windows' items to Linux'. WSAEINVAL for what is no item, and for one that we do not have.
pub fn to_linux(control: &[u8]) -> Result<Vec<u8>, Code> {
    let mut linux = Vec::new();
    let invalid = Code::wsa(WSAEINVAL);
    for item in items(control) {
        push_linux(&mut linux, item.ok_or(invalid)?).ok_or(invalid)?;
    }
    // Linux wants the last one filled up too.
    linux.resize(linux.len().next_multiple_of(ALIGN), 0);
    Ok(linux)
}

fn push_linux(to: &mut Vec<u8>, item: Item) -> Option<()> {
    const COALESCED: i32 = UDP_SEND_MSG_SIZE;
    let data = item.data;
    let v4 = libc::IPPROTO_IP;
    let v6 = libc::IPPROTO_IPV6;
    match (item.level, item.kind) {
        (IPPROTO_IP, IP_PKTINFO) => {
            // IN_PKTINFO is the address and the index; in_pktinfo the index, the address to send
            // from, and the one that it came to.
            let &[a, b, c, d, i, j, k, l] = data.first_chunk()?;
            push(to, v4, libc::IP_PKTINFO, &[i, j, k, l, a, b, c, d, 0, 0, 0, 0]);
        }
        (IPPROTO_IPV6, IPV6_PKTINFO) => {
            push(to, v6, libc::IPV6_PKTINFO, data.first_chunk::<20>()?);
        }
        (IPPROTO_IP, IP_TTL | IP_HOPLIMIT) => {
            push(to, v4, libc::IP_TTL, &number(data)?.to_ne_bytes());
        }
        (IPPROTO_IP, IP_TOS) => push(to, v4, libc::IP_TOS, &number(data)?.to_ne_bytes()),
        (IPPROTO_IPV6, IPV6_HOPLIMIT) => {
            push(to, v6, libc::IPV6_HOPLIMIT, &number(data)?.to_ne_bytes());
        }
        (IPPROTO_IPV6, IPV6_TCLASS) => {
            push(to, v6, libc::IPV6_TCLASS, &number(data)?.to_ne_bytes());
        }
        (IPPROTO_UDP, COALESCED) => {
            let size = u16::try_from(number(data)?).ok()?;
            push(to, libc::IPPROTO_UDP, UDP_SEGMENT, &size.to_ne_bytes());
        }
        _ => return None,
    }
    Some(())
}

/// Linux' items to Windows', as many as fit into `room` bytes; whether some did not.
pub fn to_windows(control: &[u8], room: usize) -> (Vec<u8>, bool) {
    let mut windows = Vec::new();
    for item in items(control).flatten() {
        let before = windows.len();
        push_windows(&mut windows, item);
        if windows.len() > room {
            windows.truncate(before);
            return (windows, true);
        }
    }
    (windows, false)
}

/// What Windows has no word for is left out.
fn push_windows(to: &mut Vec<u8>, item: Item) {
    let data = item.data;
    let long = number(data).or(data.first().map(|&byte| byte.into())).unwrap_or(0).to_ne_bytes();
    match (item.level, item.kind) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            if let Some(&[i, j, k, l, _, _, _, _, a, b, c, d]) = data.first_chunk() {
                push(to, IPPROTO_IP, IP_PKTINFO, &[a, b, c, d, i, j, k, l]);
            }
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => push(to, IPPROTO_IPV6, IPV6_PKTINFO, data),
        (libc::IPPROTO_IP, libc::IP_TTL) => push(to, IPPROTO_IP, IP_TTL, &long),
        (libc::IPPROTO_IP, libc::IP_TOS) => push(to, IPPROTO_IP, IP_TOS, &long),
        (libc::IPPROTO_IPV6, libc::IPV6_HOPLIMIT) => push(to, IPPROTO_IPV6, IPV6_HOPLIMIT, &long),
        (libc::IPPROTO_IPV6, libc::IPV6_TCLASS) => push(to, IPPROTO_IPV6, IPV6_TCLASS, &long),
        (libc::IPPROTO_UDP, UDP_GRO) => {
            push(to, IPPROTO_UDP, UDP_COALESCED_INFO as i32, &long);
        }
        _ => {}
    }
}

/// The IPv4 address that a datagram came to, if Windows' items tell.
pub fn destination(control: &[u8]) -> Option<[u8; 4]> {
    let told = |item: Item| (item.level, item.kind) == (IPPROTO_IP, IP_PKTINFO);
    let item = items(control).flatten().find(|&item| told(item))?;
    item.data.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut windows = Vec::new();
        push(&mut windows, IPPROTO_IP, IP_PKTINFO, &[127, 0, 0, 1, 9, 0, 0, 0]);
        push(&mut windows, IPPROTO_IP, IP_TOS, &4i32.to_ne_bytes());
        let linux = to_linux(&windows).unwrap();
        let kinds: Vec<_> = items(&linux).flatten().map(|item| (item.kind, item.data)).collect();
        let source = [9, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(kinds[0], (libc::IP_PKTINFO, &source[..]));
        assert_eq!(kinds[1], (libc::IP_TOS, &[4, 0, 0, 0][..]));

        let mut linux = Vec::new();
        let source = [9, 0, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2];
        push(&mut linux, libc::IPPROTO_IP, libc::IP_PKTINFO, &source);
        push(&mut linux, libc::IPPROTO_IP, libc::IP_TOS, &[4]);
        let (back, cut) = to_windows(&linux, 64);
        let kinds: Vec<_> = items(&back).flatten().map(|item| (item.kind, item.data)).collect();
        assert_eq!(kinds[0], (IP_PKTINFO, &[127, 0, 0, 2, 9, 0, 0, 0][..]));
        assert_eq!((kinds[1], cut), ((IP_TOS, &[4, 0, 0, 0][..]), false));
        assert_eq!(to_windows(&linux, 30).0.len(), 24);
        assert!(to_windows(&linux, 30).1 && to_windows(&linux, 0).1);
    }

    #[test]
    fn what_is_no_item_is_refused() {
        let invalid = Err(Code::wsa(WSAEINVAL));
        let mut unknown = Vec::new();
        push(&mut unknown, IPPROTO_IP, 999, &[]);
        let mut short = Vec::new();
        push(&mut short, IPPROTO_IP, IP_PKTINFO, &[1]);
        let mut longer = Vec::new();
        push(&mut longer, IPPROTO_IP, IP_TTL, &1i32.to_ne_bytes());
        longer[0] = 200;
        for control in [unknown, short, longer] {
            assert_eq!(to_linux(&control), invalid);
        }
    }
}
