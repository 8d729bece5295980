//! Section H, the numbers that Windows chose otherwise than Linux, and the ioctls.

use std::ptr::{null, null_mut};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// windows-sys has no name for it.
const SIO_GET_INTERFACE_LIST: u32 = 0x4004_747F;

/// `recv` of at most `len` bytes, or the WSA error.
fn recv_with(socket: &Socket, len: usize, flags: i32) -> Result<Vec<u8>, i32> {
    let mut buffer = vec![0; len];
    // SAFETY: `buffer` is writable for its length.
    let got = unsafe { recv(**socket, buffer.as_mut_ptr(), len as i32, flags) };
    buffer.truncate(usize::try_from(got).map_err(|_| last_wsa_error())?);
    Ok(buffer)
}

/// `send`: how many bytes, or the WSA error.
fn send_with(socket: &Socket, bytes: &[u8], flags: i32) -> Result<i32, i32> {
    // SAFETY: `bytes` is readable for its length.
    match unsafe { send(**socket, bytes.as_ptr(), bytes.len() as i32, flags) } {
        SOCKET_ERROR => Err(last_wsa_error()),
        sent => Ok(sent),
    }
}

/// `WSAIoctl` without an OVERLAPPED, with so many bytes of room for the output (none: NULL): the
/// output, or the WSA error and the count of bytes (0xdead if it was left alone).
fn control(socket: SOCKET, code: u32, input: &[u8], room: usize) -> Result<Vec<u8>, (i32, u32)> {
    let mut output = vec![0; room];
    let (mut count, input_len) = (0xdead, input.len() as u32);
    let input = if input.is_empty() { null() } else { input.as_ptr() };
    let to = if room == 0 { null_mut() } else { output.as_mut_ptr() };
    // SAFETY: input and output are as long as is said, and outlive the call.
    let rc = unsafe {
        let (input, to) = (input.cast(), to.cast());
        WSAIoctl(socket, code, input, input_len, to, room as u32, &raw mut count, null_mut(), None)
    };
    if rc != 0 {
        return Err((last_wsa_error(), count));
    }
    output.truncate(count as usize);
    Ok(output)
}

/// As [`control`]; the WSA error alone.
fn try_control(socket: SOCKET, code: u32, input: &[u8], room: usize) -> Result<Vec<u8>, i32> {
    control(socket, code, input, room).map_err(|(error, _)| error)
}

fn u32_of(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes(bytes.try_into().expect("four bytes"))
}

/// A socket handle that nobody has.
const NO_SOCKET: SOCKET = 0x7fff_fff1;

// Numbers.

#[test]
fn r121_a_peek_leaves_the_data() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"abc");
    assert_eq!(recv_with(&socket, 2, MSG_PEEK).as_deref(), Ok(&b"ab"[..]));
    assert_eq!(recv_with(&socket, 3, MSG_PEEK).as_deref(), Ok(&b"abc"[..]));
    assert_eq!(recv_exactly(&socket, 3), b"abc");
}

#[test]
fn r121_wait_all_is_another_number_than_on_linux() {
    assert_eq!(MSG_WAITALL, 8);
    let (socket, peer) = tcp_pair();
    let received = std::thread::scope(|scope| {
        let receiver = scope.spawn(|| recv_with(&socket, 3, MSG_WAITALL));
        for byte in [b"a", b"b", b"c"] {
            send_all(&peer, byte);
            pause();
        }
        receiver.join().expect("no panic")
    });
    // Wine 8.0 does not wait.
    differs_on_wine(|| assert_eq!(received.as_deref(), Ok(&b"abc"[..])));
}

#[test]
fn r121_what_linux_calls_wait_all_is_no_flag_here() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"abc");
    for flag in [0x40, 0x100, 0x4000] {
        // Wine 8.0 knows no bad flags.
        differs_on_wine(|| {
            non_blocking(&socket, true);
            assert_eq!(recv_with(&socket, 1, flag), Err(WSAEOPNOTSUPP), "{flag:#x}");
            assert_eq!(send_with(&socket, b"x", flag), Err(WSAEOPNOTSUPP), "{flag:#x}");
        });
    }
}

#[test]
fn r121_a_partial_message_is_sent_at_once() {
    // On Linux this number says that more is to follow, and holds the bytes back.
    assert_eq!(MSG_PARTIAL, 0x8000);
    let (socket, peer) = tcp_pair();
    for byte in [b"a", b"b", b"c"] {
        assert_eq!(send_with(&peer, byte, MSG_PARTIAL as i32), Ok(1));
        assert_eq!(recv_exactly(&socket, 1), byte);
    }
}

#[test]
fn r121_out_of_band_data_goes_beside_the_rest() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"ab");
    if !send_urgent(&peer, b'!') {
        return;
    }
    send_all(&peer, b"cd");
    assert_eq!(recv_exactly(&socket, 2), b"ab");
    let out_of_band = || recv_with(&socket, 1, MSG_OOB).is_ok_and(|got| got == b"!");
    assert!(comes_true(out_of_band));
    assert_eq!(recv_exactly(&socket, 2), b"cd");
}

#[test]
fn r121_options_have_windows_numbers() {
    let (tcp, udp, udp_v6) = (tcp_socket(), udp_socket(), udp_socket_v6());
    for (socket, level, name, value) in [
        (&tcp, SOL_SOCKET, SO_KEEPALIVE, 1),
        (&udp, SOL_SOCKET, SO_BROADCAST, 1),
        (&tcp, SOL_SOCKET, SO_OOBINLINE, 1),
        (&tcp, SOL_SOCKET, SO_RCVTIMEO, 1_234),
        (&tcp, SOL_SOCKET, SO_SNDTIMEO, 4_321),
        (&tcp, SOL_SOCKET, SO_SNDBUF, 5_000),
        (&tcp, IPPROTO_TCP, TCP_NODELAY, 1),
        (&tcp, IPPROTO_IP, IP_TTL, 33),
        (&udp, IPPROTO_IP, IP_MULTICAST_TTL, 5),
        (&udp, IPPROTO_IP, IP_MULTICAST_LOOP, 0),
        (&udp, IPPROTO_IP, IP_DONTFRAGMENT, 1),
        (&udp, IPPROTO_IP, IP_PKTINFO, 1),
        (&udp_v6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44),
        (&udp_v6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 6),
        (&udp_v6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0),
    ] {
        let told = format!("level {level:#x}, option {name:#x}");
        assert_ne!(option::<i32>(**socket, level, name), Ok(value), "{told}: at first");
        assert_eq!(set_option(**socket, level, name, value), Ok(()), "{told}");
        assert_eq!(option::<i32>(**socket, level, name), Ok(value), "{told}");
    }
    let (listener, _) = listener();
    for (socket, name, value) in [
        (&tcp, SO_TYPE, SOCK_STREAM),
        (&udp, SO_TYPE, SOCK_DGRAM),
        (&tcp, SO_ACCEPTCONN, 0),
        (&listener, SO_ACCEPTCONN, 1),
    ] {
        assert_eq!(option::<i32>(**socket, SOL_SOCKET, name), Ok(value), "{name:#x}");
    }
}

fn udp_socket_v6() -> Socket {
    init();
    // SAFETY: no memory is passed.
    Socket::own(unsafe { socket(AF_INET6.into(), SOCK_DGRAM, IPPROTO_UDP) })
}

#[test]
fn r121_linux_numbers_are_no_options() {
    /// SOL_SOCKET, on Linux.
    const LINUX_SOL_SOCKET: i32 = 1;
    let socket = tcp_socket();
    for name in [2, 7, 9] {
        assert!(set_option(*socket, LINUX_SOL_SOCKET, name, 1_i32).is_err());
    }
    assert_eq!(option::<i32>(*socket, SOL_SOCKET, 0x7777), Err(WSAENOPROTOOPT));
    assert_eq!(set_option(*socket, SOL_SOCKET, 0x7777, 1_i32), Err(WSAENOPROTOOPT));
}

// Arguments.

#[test]
fn r122_without_a_place_for_the_count_it_is_a_fault() {
    let (socket, _peer) = tcp_pair();
    let (one, mut unread) = (1_u32, 0_u32);
    // SAFETY: input and output are as long as is said, and outlive the calls.
    unsafe {
        let (one, unread) = ((&raw const one).cast(), (&raw mut unread).cast());
        for rc in [
            WSAIoctl(*socket, FIONBIO as u32, one, 4, null_mut(), 0, null_mut(), null_mut(), None),
            WSAIoctl(*socket, FIONREAD as u32, null(), 0, unread, 4, null_mut(), null_mut(), None),
        ] {
            assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, WSAEFAULT));
        }
    }
    assert_eq!(unread, 0);
}

#[test]
fn r122_input_shorter_than_its_value_is_a_fault() {
    let (socket, _peer) = tcp_pair();
    for len in 0..4 {
        let input = vec![1; len];
        assert_eq!(control(*socket, FIONBIO as u32, &input, 0), Err((WSAEFAULT, 0xdead)), "{len}");
        assert_eq!(try_control(*socket, SIO_KEEPALIVE_VALS, &input, 0), Err(WSAEFAULT), "{len}");
    }
    assert_eq!(try_control(*socket, SIO_KEEPALIVE_VALS, &[1; 11], 0), Err(WSAEFAULT));
}

#[test]
fn r122_input_longer_than_its_value_is_fine() {
    let (socket, _peer) = tcp_pair();
    for len in [4, 5, 8, 9, 64] {
        let mut input = vec![0; len];
        input[0] = 1;
        assert_eq!(control(*socket, FIONBIO as u32, &input, 0).as_deref(), Ok(&[][..]), "{len}");
        assert_eq!(recv_some(&socket), Err(WSAEWOULDBLOCK));
        non_blocking(&socket, false);
    }
}

#[test]
fn r122_output_shorter_than_its_value_is_a_fault() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"abc");
    assert_eq!(recv_with(&socket, 1, MSG_PEEK).as_deref(), Ok(&b"a"[..]));
    for room in 0..4 {
        assert_eq!(try_control(*socket, FIONREAD as u32, &[], room), Err(WSAEFAULT), "{room}");
    }
    let unread = || u32_of(&control(*socket, FIONREAD as u32, &[], 4).expect("FIONREAD"));
    assert!(comes_true(|| unread() == 3));
    assert_eq!(control(*socket, FIONREAD as u32, &[], 16).map(|out| out.len()), Ok(4));
}

#[test]
fn r122_what_is_no_socket_is_refused_first() {
    init();
    let no_socket = Err((WSAENOTSOCK, 0xdead));
    assert_eq!(control(NO_SOCKET, FIONBIO as u32, &[1, 0, 0, 0], 0), no_socket);
    assert_eq!(control(INVALID_SOCKET, FIONBIO as u32, &[1, 0, 0, 0], 0), no_socket);
}

#[test]
fn r122_ioctlsocket_checks_its_arguments_too() {
    let socket = tcp_socket();
    let mut value = 1;
    for (handle, command, at, error) in [
        (*socket, FIONBIO, null_mut(), WSAEFAULT),
        (*socket, FIONREAD, null_mut(), WSAEFAULT),
        (*socket, 0x1234, &raw mut value, WSAEOPNOTSUPP),
        (NO_SOCKET, FIONBIO, &raw mut value, WSAENOTSOCK),
    ] {
        // SAFETY: `at` is NULL or outlives the call.
        let rc = unsafe { ioctlsocket(handle, command, at) };
        assert_eq!((rc, last_wsa_error()), (SOCKET_ERROR, error), "{command:#x} on {handle:#x}");
    }
}

// What servers ask for.

#[test]
fn r123_keep_alive_times_are_taken() {
    let (socket, _peer) = tcp_pair();
    let values: Vec<u8> = [1_u32, 60_000, 1_000].into_iter().flat_map(u32::to_ne_bytes).collect();
    assert_eq!(control(*socket, SIO_KEEPALIVE_VALS, &values, 0).as_deref(), Ok(&[][..]));
    let off: Vec<u8> = [0_u32; 3].into_iter().flat_map(u32::to_ne_bytes).collect();
    assert_eq!(control(*socket, SIO_KEEPALIVE_VALS, &off, 0).as_deref(), Ok(&[][..]));
    let datagrams = try_control(*udp_socket(), SIO_KEEPALIVE_VALS, &values, 0);
    assert!(matches!(datagrams, Err(WSAENOPROTOOPT | WSAEINVAL)), "{datagrams:?}");
}

/// SOCKET_ADDRESS_LIST: a count, then pointers and lengths.
#[test]
fn r123_the_address_list_has_an_address() {
    let socket = tcp_socket();
    let mut words = [0_usize; 512];
    let mut bytes = 0;
    // SAFETY: the output is as long as is said, and outlives the call.
    let rc = unsafe {
        let (to, room) = (words.as_mut_ptr().cast(), size_of_val(&words) as u32);
        let code = SIO_ADDRESS_LIST_QUERY;
        WSAIoctl(*socket, code, null(), 0, to, room, &raw mut bytes, null_mut(), None)
    };
    assert_eq!(rc, 0, "{}", last_wsa_error());
    let list = words.as_ptr().cast::<SOCKET_ADDRESS_LIST>();
    // SAFETY: the call has filled the list, which begins with its count.
    let count = unsafe { (*list).iAddressCount };
    assert!((0..100).contains(&count), "{count} addresses");
    for i in 0..count as usize {
        // SAFETY: the list has so many entries, each of which points to an address behind them.
        let address = unsafe {
            let entry = (&raw const (*list).Address).cast::<SOCKET_ADDRESS>().add(i).read();
            Addr::copied_from(entry.lpSockaddr, entry.iSockaddrLength)
        };
        assert_eq!((address.family(), address.port()), (AF_INET, 0));
    }
    // Too little room: the count says how much it takes.
    if count > 0 {
        let error = control(*socket, SIO_ADDRESS_LIST_QUERY, &[], 8);
        assert_eq!(error, Err((WSAEFAULT, bytes)));
    }
}

#[test]
fn r123_the_interface_list_has_the_loopback() {
    let list = control(*tcp_socket(), SIO_GET_INTERFACE_LIST, &[], 16_384).expect("a list");
    assert_eq!(list.len() % size_of::<INTERFACE_INFO>(), 0);
    let addresses = list.chunks(size_of::<INTERFACE_INFO>()).map(|info| {
        // SAFETY: a plain record, all bit patterns of which are valid.
        unsafe {
            (*info.as_ptr().cast::<INTERFACE_INFO>()).iiAddress.AddressIn.sin_addr.S_un.S_addr
        }
    });
    let addresses: Vec<u32> = addresses.collect();
    assert!(addresses.contains(&u32::from_ne_bytes([127, 0, 0, 1])), "{addresses:x?}");
    assert_eq!(try_control(*tcp_socket(), SIO_GET_INTERFACE_LIST, &[], 8), Err(WSAEFAULT));
}

#[test]
fn r123_the_route_to_the_loopback_is_the_loopback() {
    let to = sockaddr_v4(80);
    // SAFETY: an address is readable for its length.
    let to = unsafe { std::slice::from_raw_parts(to.as_ptr().cast(), to.len as usize) };
    let from = control(*tcp_socket(), SIO_ROUTING_INTERFACE_QUERY, to, 64).expect("a route");
    // SAFETY: the output is readable for its length.
    let from = unsafe { Addr::copied_from(from.as_ptr().cast(), from.len() as i32) };
    assert_eq!(format!("{from:?}"), format!("{:?}", sockaddr_v4(0)));
}

/// Whatever a server may ask for, with whatever buffers, is done or refused with a code that
/// Winsock's page of WSAIoctl knows; the socket works as before.
#[test]
fn r123_what_is_not_there_is_refused() {
    let codes = [
        SIO_RCVALL,
        SIO_ADDRESS_LIST_CHANGE,
        SIO_ADDRESS_LIST_QUERY,
        SIO_LOOPBACK_FAST_PATH,
        SIO_GET_INTERFACE_LIST,
        SIO_KEEPALIVE_VALS,
        SIO_ROUTING_INTERFACE_CHANGE,
        SIO_ROUTING_INTERFACE_QUERY,
        SIO_FLUSH,
        SIO_UDP_CONNRESET,
        SIO_GET_QOS,
        SIO_GET_GROUP_QOS,
        SIO_GET_BROADCAST_ADDRESS,
        SIO_MULTIPOINT_LOOPBACK,
        SIO_TCP_INFO,
        0x1234_5678,
    ];
    for code in codes {
        let (socket, peer) = tcp_pair();
        // SIO_ADDRESS_LIST_CHANGE waits on a blocking socket.
        non_blocking(&socket, true);
        for (input, room) in [(0, 0), (1, 1), (4, 4), (12, 600), (0, 600), (64, 0)] {
            match try_control(*socket, code, &vec![1; input], room) {
                Ok(_) => {}
                Err(WSAEFAULT | WSAEINVAL | WSAEOPNOTSUPP | WSAENOPROTOOPT | WSAEWOULDBLOCK) => {}
                Err(WSAEAFNOSUPPORT) if code == SIO_ROUTING_INTERFACE_QUERY => {}
                Err(error) => panic!("{code:#x} with {input}, {room} bytes: {error}"),
            }
        }
        non_blocking(&socket, false);
        send_all(&peer, b"well");
        assert_eq!(recv_exactly(&socket, 4), b"well", "after {code:#x}");
    }
}
