//! Section H, the ioctls that few servers ask for.

use std::ptr::{null, null_mut};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// windows-sys has no name for it.
const SIO_IDEAL_SEND_BACKLOG_QUERY: u32 = 0x4004_747B;

/// `WSAIoctl` without an OVERLAPPED: how many bytes came out, or the WSA error.
fn control<I: Copy, O>(
    socket: SOCKET,
    code: u32,
    input: &[I],
    output: &mut [O],
) -> Result<u32, i32> {
    let mut count = 0;
    let from = if input.is_empty() { null() } else { input.as_ptr().cast() };
    let to = if output.is_empty() { null_mut() } else { output.as_mut_ptr().cast() };
    let (from_len, to_len) = (size_of_val(input) as u32, size_of_val(output) as u32);
    // SAFETY: input and output are as long as is said, and outlive the call.
    let rc = unsafe {
        WSAIoctl(socket, code, from, from_len, to, to_len, &raw mut count, null_mut(), None)
    };
    if rc == 0 { Ok(count) } else { Err(last_wsa_error()) }
}

/// No room for output.
fn nothing() -> &'static mut [u8] {
    &mut []
}

#[test]
fn r123_the_handles_below_are_the_socket_itself() {
    let (socket, _peer) = tcp_pair();
    for code in [SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL] {
        let below = |room: &mut [SOCKET]| control::<u8, _>(*socket, code, &[], room);
        // Wine 8.0 has the first alone.
        let check = || {
            let mut handle = [0];
            assert_eq!((below(&mut handle), handle), (Ok(size_of::<SOCKET>() as u32), [*socket]));
            // Wine crashes on an output of no length.
            if !is_wine() {
                assert_eq!(below(&mut []), Err(WSAEFAULT));
            }
        };
        if code == SIO_BASE_HANDLE { check() } else { may_differ_on_wine(check) }
    }
}

#[test]
fn r123_the_fast_path_is_for_tcp() {
    let on = [1_u32];
    may_differ_on_wine(|| {
        assert_eq!(control(*tcp_socket(), SIO_LOOPBACK_FAST_PATH, &on, nothing()), Ok(0));
        let datagrams = control(*udp_socket(), SIO_LOOPBACK_FAST_PATH, &on, nothing());
        assert_eq!(datagrams, Err(WSAEOPNOTSUPP));
    });
}

#[test]
fn r123_a_connection_tells_how_it_is() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"abc");
    assert_eq!(recv_exactly(&socket, 3), b"abc");
    let mut info = [TCP_INFO_v0::default()];
    let room = size_of::<TCP_INFO_v0>() as u32;
    // Wine 8.0 does not know it.
    may_differ_on_wine(|| {
        assert_eq!(control(*socket, SIO_TCP_INFO, &[0_u32], &mut info), Ok(room));
        assert_eq!(info[0].State, TCPSTATE_ESTABLISHED);
        assert!(info[0].RcvBuf > 0, "{}", info[0].RcvBuf);
        // A version that there is not, a socket without TCP.
        assert_eq!(control(*socket, SIO_TCP_INFO, &[77_u32], &mut info), Err(WSAEINVAL));
        assert_eq!(control(*udp_socket(), SIO_TCP_INFO, &[0_u32], &mut info), Err(WSAEINVAL));
    });
    may_differ_on_wine(|| {
        let (listener, _) = listener();
        assert_eq!(control(*listener, SIO_TCP_INFO, &[0_u32], &mut [info[0]]), Ok(room));
        let told = control(*tcp_socket(), SIO_TCP_INFO, &[0_u32], &mut info);
        assert_eq!((told, info[0].State), (Ok(room), TCPSTATE_CLOSED));
    });
}

#[test]
fn r123_the_first_time_out_is_set_before_connecting() {
    let asked = [TCP_INITIAL_RTO_PARAMETERS { Rtt: u16::MAX, MaxSynRetransmissions: 3 }];
    let (connected, _peer) = tcp_pair();
    may_differ_on_wine(|| {
        assert_eq!(control(*tcp_socket(), SIO_TCP_INITIAL_RTO, &asked, nothing()), Ok(0));
        assert_eq!(control(*connected, SIO_TCP_INITIAL_RTO, &asked, nothing()), Err(WSAEINVAL));
        assert_eq!(control(*tcp_socket(), SIO_TCP_INITIAL_RTO, &[1_u8], nothing()), Err(WSAEFAULT));
    });
}

#[test]
fn r123_a_connection_has_an_ideal_backlog() {
    let (socket, _peer) = tcp_pair();
    let query = |socket: SOCKET| {
        let mut bytes = [0_u32];
        control::<u8, _>(socket, SIO_IDEAL_SEND_BACKLOG_QUERY, &[], &mut bytes).map(|_| bytes[0])
    };
    let ideal = query(*socket);
    assert!(ideal.is_ok_and(|bytes| bytes >= 1 << 12), "{ideal:?}");
    assert_eq!(query(*tcp_socket()), Err(WSAENOTCONN));
}

#[test]
fn r123_broadcasts_are_for_ipv4() {
    init();
    let mut room = [SOCKADDR_IN::default()];
    may_differ_on_wine(|| {
        let len = size_of::<SOCKADDR_IN>() as u32;
        let told = control::<u8, _>(*udp_socket(), SIO_GET_BROADCAST_ADDRESS, &[], &mut room);
        assert_eq!(told, Ok(len));
        // SAFETY: an address of four bytes.
        assert_eq!(unsafe { room[0].sin_addr.S_un.S_addr }, u32::MAX);
        // SAFETY: no memory is passed.
        let v6 = Socket::own(unsafe { socket(AF_INET6.into(), SOCK_DGRAM, 0) });
        let told = control::<u8, _>(*v6, SIO_GET_BROADCAST_ADDRESS, &[], &mut room);
        assert_eq!(told, Err(WSAENOPROTOOPT));
    });
}

#[test]
fn r123_multicast_is_also_an_ioctl() {
    let socket = udp_socket();
    may_differ_on_wine(|| {
        assert_eq!(control(*socket, SIO_MULTICAST_SCOPE, &[7_u32], nothing()), Ok(0));
        assert_eq!(option::<i32>(*socket, IPPROTO_IP, IP_MULTICAST_TTL), Ok(7));
        assert_eq!(control(*socket, SIO_MULTIPOINT_LOOPBACK, &[0_u32], nothing()), Ok(0));
        assert_eq!(option::<i32>(*socket, IPPROTO_IP, IP_MULTICAST_LOOP), Ok(0));
    });
}

#[test]
fn r123_hints_for_datagrams_are_taken() {
    let socket = udp_socket();
    may_differ_on_wine(|| {
        let hint = control::<u8, u8>(*socket, SIO_ENABLE_CIRCULAR_QUEUEING, &[], nothing());
        assert_eq!(hint, Ok(0));
        assert_eq!(control(*socket, SIO_UDP_NETRESET, &[0_u32], nothing()), Ok(0));
    });
}

/// A SOCKET_ADDRESS_LIST of two.
#[repr(C)]
#[derive(Clone, Copy)]
struct Two {
    count: i32,
    entries: [SOCKET_ADDRESS; 2],
}

#[test]
fn r123_addresses_are_sorted_those_with_a_way_first() {
    // 240.0.0.1 is nobody's; the loopback is always there.
    let (far, near) = (sockaddr_v4_of([240, 0, 0, 1]), sockaddr_v4_of([127, 0, 0, 1]));
    let entry = |address: &SOCKADDR_IN| SOCKET_ADDRESS {
        lpSockaddr: (&raw const *address).cast_mut().cast(),
        iSockaddrLength: size_of::<SOCKADDR_IN>() as i32,
    };
    let list = Two { count: 2, entries: [entry(&far), entry(&near)] };
    let socket = tcp_socket();
    // Wine 8.0 leaves the order to itself.
    may_differ_on_wine(|| {
        let mut words = [0_usize; 64];
        assert!(control(*socket, SIO_ADDRESS_LIST_SORT, &[list], &mut words).is_ok());
        // SAFETY: the output begins with a list of two, whose addresses lie behind it.
        let hosts = unsafe {
            let sorted = words.as_ptr().cast::<Two>().read();
            assert_eq!(sorted.count, 2);
            sorted
                .entries
                .map(|entry| (*entry.lpSockaddr.cast::<SOCKADDR_IN>()).sin_addr.S_un.S_addr)
        };
        let host = |address: [u8; 4]| u32::from_ne_bytes(address);
        assert!(hosts.contains(&host([240, 0, 0, 1])) && hosts.contains(&host([127, 0, 0, 1])));
        // More than there are; too little room.
        let wrong = Two { count: 3, ..list };
        let refused = control(*socket, SIO_ADDRESS_LIST_SORT, &[wrong], &mut words);
        assert_eq!(refused, Err(WSAEINVAL));
        let refused = control(*socket, SIO_ADDRESS_LIST_SORT, &[list], &mut words[..2]);
        assert_eq!(refused, Err(WSAEFAULT));
    });
}

fn sockaddr_v4_of(host: [u8; 4]) -> SOCKADDR_IN {
    let mut address = SOCKADDR_IN { sin_family: AF_INET, ..SOCKADDR_IN::default() };
    address.sin_addr.S_un.S_addr = u32::from_ne_bytes(host);
    address
}
