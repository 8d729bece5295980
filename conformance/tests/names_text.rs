//! Addresses as text, and byte order: inet_pton, WSAStringToAddress, htonl and their kin.

use std::ptr::{null, null_mut};
use std::thread;

use conformance::*;
use winsock_sys::Win32::Foundation::ERROR_INVALID_PARAMETER;
use winsock_sys::Win32::Networking::WinSock::*;

const INET: i32 = AF_INET as i32;
const INET6: i32 = AF_INET6 as i32;
const UNTOUCHED: i32 = 0x5eed;

/// ANSI text with its NUL.
fn ansi(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// Wide text with its NUL.
fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// The text in a buffer up to its NUL.
fn text_in(buffer: &[u8]) -> &str {
    let text = std::ffi::CStr::from_bytes_until_nul(buffer).expect("a NUL");
    text.to_str().expect("ASCII")
}

/// `inet_pton` and `InetPtonW`, which must agree: the bytes, or the return value.
fn parsed<const N: usize>(family: i32, text: &str) -> Result<[u8; N], i32> {
    let (mut bytes, mut wide_bytes) = ([0_u8; N], [0_u8; N]);
    // SAFETY: the texts end in NUL; the callers choose `N` for the family.
    let (rc, wide_rc) = unsafe {
        let rc = inet_pton(family, ansi(text).as_ptr(), bytes.as_mut_ptr().cast());
        (rc, InetPtonW(family, wide(text).as_ptr(), wide_bytes.as_mut_ptr().cast()))
    };
    assert_eq!(rc, wide_rc, "{text}");
    if rc != 1 {
        return Err(rc);
    }
    assert_eq!(bytes, wide_bytes, "{text}");
    Ok(bytes)
}

#[test]
fn inet_pton_ipv4() {
    assert_eq!(parsed(INET, "1.2.3.4"), Ok([1, 2, 3, 4]));
    assert_eq!(parsed(INET, "255.255.255.255"), Ok([255; 4]));
    let refused = "|1|1.2.3|1.2.3.4.|1.2.3.4.5|1.2.3.256|1.2.3.04|0x1.2.3.4| 1.2.3.4|1.2.3.4 |\
                   1.2.3.4x|1.2.3.4:80|+1.2.3.4|1..2.3|::1";
    for text in refused.split('|') {
        assert_eq!(parsed::<4>(INET, text), Err(0), "{text}");
    }
}

#[test]
fn inet_pton_ipv6() {
    for (text, groups) in [
        ("::", [0; 8]),
        ("::1", [0, 0, 0, 0, 0, 0, 0, 1]),
        ("1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("1:2:3:4:5:6:7::", [1, 2, 3, 4, 5, 6, 7, 0]),
        ("1::3:4:5:6:7:8", [1, 0, 3, 4, 5, 6, 7, 8]),
        ("abcd:EF01::", [0xabcd, 0xef01, 0, 0, 0, 0, 0, 0]),
        ("::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0xffff, 0x102, 0x304]),
        ("::1.02.003.4", [0, 0, 0, 0, 0, 0, 0x102, 0x304]),
    ] {
        let bytes: Vec<u8> = groups.iter().flat_map(|group: &u16| group.to_be_bytes()).collect();
        assert_eq!(parsed::<16>(INET6, text).map(Vec::from), Ok(bytes), "{text}");
    }
    let refused = "|:|:::|:1|1:|::1::|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2:3:4:5:6:7:8|12345::|\
                   ::1.2.3.256|::1.2.3|::1.2.3.4.5|::0x1.2.3.4|::0001.2.3.4|1:2:3:4:5:1.2.3.4|\
                   fe80::1%3|[::1]|::1 |::g|::1/64|1.2.3.4";
    for text in refused.split('|') {
        assert_eq!(parsed::<16>(INET6, text), Err(0), "{text}");
    }
}

#[test]
fn inet_pton_refuses() {
    let mut bytes = [0_u8; 4];
    let to = bytes.as_mut_ptr().cast();
    let text = c"1.2.3.4".as_ptr().cast();
    // SAFETY: the text ends in NUL, the buffer holds an IPv4 address, and NULL is allowed.
    unsafe {
        assert_eq!((inet_pton(99, text, to), last_wsa_error()), (-1, WSAEAFNOSUPPORT));
        assert_eq!((inet_pton(INET, null(), to), last_wsa_error()), (-1, WSAEFAULT));
        WSASetLastError(UNTOUCHED);
        assert_eq!((inet_pton(INET, text, null_mut()), last_wsa_error()), (-1, WSAEFAULT));
    }
}

/// `inet_ntop` with room enough.
fn formatted(address: &str) -> String {
    let bytes: [u8; 16] = parsed(INET6, address).expect("an address");
    let mut buffer = [0_u8; 46];
    // SAFETY: the address is one of IPv6, and the buffer as long as said.
    let text = unsafe { inet_ntop(INET6, bytes.as_ptr().cast(), buffer.as_mut_ptr(), 46) };
    assert_eq!(text, buffer.as_ptr());
    text_in(&buffer).into()
}

#[test]
fn inet_ntop_ipv6() {
    for (address, text) in [
        ("::", "::"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
        ("1:0:0:4:0:0:7:8", "1::4:0:0:7:8"),
        ("1:0:0:4:0:0:0:8", "1:0:0:4::8"),
        ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
        ("ABCD::EF", "abcd::ef"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::0.0.3.4", "::304"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4"),
        ("fe80::5efe:1.2.3.4", "fe80::5efe:1.2.3.4"),
        ("fe80::200:5efe:1.2.3.4", "fe80::200:5efe:1.2.3.4"),
        ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
    ] {
        assert_eq!(formatted(address), text);
    }
}

#[test]
fn inet_ntop_needs_room() {
    let address = [127_u8, 0, 0, 1];
    let from = address.as_ptr().cast();
    let (mut buffer, mut wide_buffer) = ([0_u8; 16], [0_u16; 16]);
    let (to, wide_to) = (buffer.as_mut_ptr(), wide_buffer.as_mut_ptr());
    // SAFETY: the address is one of IPv4, the buffers are at least as long as said.
    unsafe {
        assert_eq!(inet_ntop(INET, from, to, 10), to.cast_const());
        assert_eq!(InetNtopW(INET, from, wide_to, 10), wide_to.cast_const());
        assert_eq!(text_in(&buffer), "127.0.0.1");
        assert_eq!(&wide_buffer[..10], wide("127.0.0.1"));
        assert!(inet_ntop(INET, from, to, 0).is_null());
        assert!(inet_ntop(INET, from, to, 9).is_null());
        assert!(InetNtopW(INET, from, wide_to, 9).is_null());
        assert_eq!(last_error(), ERROR_INVALID_PARAMETER);
        assert!(inet_ntop(99, from, to, 16).is_null());
        assert_eq!(last_wsa_error(), WSAEAFNOSUPPORT);
    }
}

#[test]
fn inet_addr_takes_c_numbers() {
    for (text, address) in [
        ("1.2.3.4", [1, 2, 3, 4]),
        ("1.2.3", [1, 2, 0, 3]),
        ("1.65536", [1, 1, 0, 0]),
        ("4294967294", [255, 255, 255, 254]),
        ("0x7f.1", [127, 0, 0, 1]),
        ("0177.0.0.1", [127, 0, 0, 1]),
        ("1.2.3.4 tail", [1, 2, 3, 4]),
        (" ", [0; 4]),
        ("", [255; 4]),
        ("1.2.3.256", [255; 4]),
        ("1.2.65536", [255; 4]),
        ("08.1.1.1", [255; 4]),
        ("1.2.3.4.5", [255; 4]),
        (" 1.2.3.4", [255; 4]),
        ("localhost", [255; 4]),
    ] {
        // SAFETY: the text ends in NUL.
        let found = unsafe { inet_addr(ansi(text).as_ptr()) };
        assert_eq!(found.to_ne_bytes(), address, "{text:?}");
    }
    // SAFETY: NULL is allowed.
    assert_eq!(unsafe { inet_addr(null()) }, INADDR_NONE);
}

#[test]
fn inet_ntoa_has_one_buffer_a_thread() {
    let written = |bytes| {
        let address = IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from_ne_bytes(bytes) } };
        // SAFETY: no memory is passed; the text is this thread's until its next call.
        unsafe {
            let text = inet_ntoa(address);
            (std::ffi::CStr::from_ptr(text.cast()).to_str().expect("ASCII").to_owned(), text.addr())
        }
    };
    let (text, here) = written([1, 2, 3, 4]);
    assert_eq!(text, "1.2.3.4");
    assert_eq!(written([255; 4]), ("255.255.255.255".into(), here));
    // Both threads live while they compare.
    let there = thread::scope(|scope| scope.spawn(|| written([5, 6, 7, 8]).1).join());
    assert_ne!(there.expect("no panic"), here);
}

/// `WSAAddressToStringA` into `room` bytes: the text and its length, or the error and the length.
fn to_text(address: &Addr, room: u32) -> Result<(String, u32), (i32, u32)> {
    init();
    let (mut buffer, mut len) = ([0_u8; 64], room);
    // SAFETY: address and buffer are at least as long as said.
    let rc = unsafe {
        let to = buffer.as_mut_ptr();
        WSAAddressToStringA(address.as_ptr(), address.len as u32, null(), to, &raw mut len)
    };
    match rc {
        0 => Ok((text_in(&buffer).into(), len)),
        _ => Err((last_wsa_error(), len)),
    }
}

#[test]
fn wsa_address_to_string_counts_the_nul() {
    assert_eq!(to_text(&sockaddr_v4(80), 64), Ok(("127.0.0.1:80".into(), 13)));
    assert_eq!(to_text(&sockaddr_v4(80), 13), Ok(("127.0.0.1:80".into(), 13)));
    assert_eq!(to_text(&sockaddr_v4(80), 12), Err((WSAEFAULT, 13)));
    assert_eq!(to_text(&sockaddr_v4(0), 64), Ok(("127.0.0.1".into(), 10)));
    assert_eq!(to_text(&sockaddr_v6(80), 64), Ok(("[::1]:80".into(), 9)));
    assert_eq!(to_text(&sockaddr_v6(0), 64), Ok(("::1".into(), 4)));
    let mut unknown = sockaddr_v4(80);
    // SAFETY: the family is the first member of every sockaddr.
    unsafe { (*unknown.as_mut_ptr()).sa_family = 99 };
    assert_eq!(to_text(&unknown, 64).map_err(|(code, _len)| code), Err(WSAEINVAL));
}

#[test]
fn wsa_address_to_string_w_counts_units() {
    init();
    let (address, mut buffer, mut len) = (sockaddr_v6(80), [0_u16; 9], 9);
    // SAFETY: address and buffer are as long as said.
    let rc = unsafe {
        let to = buffer.as_mut_ptr();
        WSAAddressToStringW(address.as_ptr(), address.len as u32, null(), to, &raw mut len)
    };
    assert_eq!((rc, len), (0, 9));
    assert_eq!(buffer[..], wide("[::1]:80"));
}

/// `WSAStringToAddressA` into `room` bytes and back to text: the text and the length; or the error
/// and the length.
fn from_text(text: &str, family: i32, room: i32) -> Result<(String, i32), (i32, i32)> {
    init();
    let text = ansi(text);
    let mut address = Addr::empty();
    address.len = room;
    // SAFETY: the text ends in NUL, and the address has at least that room.
    let rc = unsafe {
        let to = address.as_mut_ptr();
        WSAStringToAddressA(text.as_ptr(), family, null(), to, &raw mut address.len)
    };
    match rc {
        0 => Ok((to_text(&address, 64).expect("a text").0, address.len)),
        _ => Err((last_wsa_error(), address.len)),
    }
}

#[test]
fn wsa_string_to_address_takes_hosts_and_ports() {
    for (text, written) in [
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:80", "1.2.3.4:80"),
        ("1.2.3.4:0x50", "1.2.3.4:80"),
        ("1.2.3:0120", "1.2.0.3:80"),
    ] {
        assert_eq!(from_text(text, INET, 64), Ok((written.into(), 16)), "{text}");
    }
    for (text, written) in [
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:80", "[::1]:80"),
        ("fe80::1%3", "fe80::1%3"),
        ("[fe80::1%3]:80", "[fe80::1%3]:80"),
    ] {
        assert_eq!(from_text(text, INET6, 64), Ok((written.into(), 28)), "{text}");
    }
}

#[test]
fn wsa_string_to_address_refuses() {
    let error = |text: &str, family| from_text(text, family, 64).map_err(|(code, _len)| code);
    let refused = "|1.2.3.4:|1.2.3.4:0|1.2.3.4:65536|1.2.3.4 |x|::1";
    for text in refused.split('|') {
        assert_eq!(error(text, INET), Err(WSAEINVAL), "{text}");
    }
    let refused = "|[::1|::1]|[::1]:|[::1]:0|[::1]:65536|[::1]x|::1%|::1%x|[1.2.3.4]:80|x";
    for text in refused.split('|') {
        assert_eq!(error(text, INET6), Err(WSAEINVAL), "{text}");
    }
    assert_eq!(error("1.2.3.4", 99), Err(WSAEINVAL));
    assert_eq!(error("1.2.3.4", 0), Err(WSAEINVAL));
    assert_eq!(from_text("1.2.3.4", INET, 15), Err((WSAEFAULT, 16)));
    assert_eq!(from_text("::1", INET6, 27), Err((WSAEFAULT, 28)));
}

#[test]
fn wsa_string_to_address_w_is_the_same_in_wide() {
    init();
    let mut address = Addr::empty();
    // SAFETY: the text ends in NUL, and the address has the room it says.
    let rc = unsafe {
        let to = address.as_mut_ptr();
        let text = wide("127.0.0.1:80");
        WSAStringToAddressW(text.as_ptr(), INET, null(), to, &raw mut address.len)
    };
    assert_eq!((rc, address.len, address.port()), (0, 16, 80));
}

#[test]
fn network_order_is_big_endian() {
    // SAFETY: no memory is passed.
    unsafe {
        assert_eq!(htonl(0x0102_0304).to_ne_bytes(), [1, 2, 3, 4]);
        assert_eq!(htons(0x0102).to_ne_bytes(), [1, 2]);
        assert_eq!(ntohl(htonl(0x0102_0304)), 0x0102_0304);
        assert_eq!(ntohs(htons(0x0102)), 0x0102);
    }
}

#[test]
fn a_socket_has_network_order() {
    let socket = tcp_socket();
    let (mut long, mut short) = (0_u32, 0_u16);
    // SAFETY: the pointers are to numbers of the right size.
    unsafe {
        assert_eq!(WSAHtonl(*socket, 0x0102_0304, &raw mut long), 0);
        assert_eq!(WSAHtons(*socket, 0x0102, &raw mut short), 0);
        assert_eq!((long.to_ne_bytes(), short.to_ne_bytes()), ([1, 2, 3, 4], [1, 2]));
        assert_eq!(WSANtohl(*socket, long, &raw mut long), 0);
        assert_eq!(WSANtohs(*socket, short, &raw mut short), 0);
        assert_eq!((long, short), (0x0102_0304, 0x0102));
        assert_eq!(WSAHtonl(*socket, 1, null_mut()), SOCKET_ERROR);
    }
    assert_eq!(last_wsa_error(), WSAEFAULT);
}

/// Microsoft's page; Wine does not look at the socket.
#[test]
fn no_socket_has_no_network_order() {
    init();
    let mut long = 0_u32;
    differs_on_wine(|| {
        // SAFETY: the pointer is to a number of the right size.
        let rc = unsafe { WSAHtonl(INVALID_SOCKET, 1, &raw mut long) };
        assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAENOTSOCK));
    });
}
