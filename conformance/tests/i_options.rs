//! Section I: options, bind, shutdown and close.

use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Foundation::SetLastError;
use winsock_sys::Win32::Networking::WinSock::*;

/// The WSA error of binding `socket` to `addr`.
fn try_bind(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { bind(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

fn try_shutdown(socket: &Socket, how: i32) -> Result<(), i32> {
    // SAFETY: shutdown takes any value.
    match unsafe { shutdown(**socket, how) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

fn linger(socket: &Socket, onoff: u16, seconds: u16) {
    let value = LINGER { l_onoff: onoff, l_linger: seconds };
    assert_eq!(set_option(**socket, SOL_SOCKET, SO_LINGER, value), Ok(()));
}

/// How a socket is opened to sharing its port, or closed to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sharing {
    Default,
    Reuse,
    Exclusive,
}

fn socket_sharing(sharing: Sharing) -> Socket {
    let socket = tcp_socket();
    match sharing {
        Sharing::Default => {}
        Sharing::Reuse => {
            assert_eq!(set_option(*socket, SOL_SOCKET, SO_REUSEADDR, 1_i32), Ok(()));
        }
        Sharing::Exclusive => {
            assert_eq!(set_option(*socket, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1_i32), Ok(()));
        }
    }
    socket
}

/// The outcome of a second bind to the address of a first.
fn second_bind(first: Sharing, second: Sharing) -> Result<(), i32> {
    let holder = socket_sharing(first);
    bind_to(&holder, &sockaddr_v4(0));
    try_bind(&socket_sharing(second), &local_addr(*holder))
}

#[test]
fn r124_who_may_bind_to_an_address_in_use() {
    use Sharing::{Default, Exclusive, Reuse};
    for (first, second, outcome) in [
        (Default, Default, Err(WSAEADDRINUSE)),
        (Default, Reuse, Err(WSAEACCES)),
        (Default, Exclusive, Err(WSAEADDRINUSE)),
        (Reuse, Default, Err(WSAEADDRINUSE)),
        (Reuse, Reuse, Ok(())),
        (Reuse, Exclusive, Err(WSAEADDRINUSE)),
        (Exclusive, Default, Err(WSAEADDRINUSE)),
        (Exclusive, Reuse, Err(WSAEACCES)),
        (Exclusive, Exclusive, Err(WSAEADDRINUSE)),
    ] {
        assert_eq!(second_bind(first, second), outcome, "{first:?}, then {second:?}");
    }
}

#[test]
fn r124_reuse_and_exclusive_use_exclude_each_other() {
    let socket = tcp_socket();
    let set = |name, value: i32| set_option(*socket, SOL_SOCKET, name, value);
    let get = |name| option::<i32>(*socket, SOL_SOCKET, name);
    assert_eq!(set(SO_REUSEADDR, 1), Ok(()));
    assert_eq!(set(SO_EXCLUSIVEADDRUSE, 1), Err(WSAEINVAL));
    assert_eq!((get(SO_REUSEADDR), get(SO_EXCLUSIVEADDRUSE)), (Ok(1), Ok(0)));
    assert_eq!(set(SO_REUSEADDR, 0), Ok(()));
    assert_eq!(set(SO_EXCLUSIVEADDRUSE, 1), Ok(()));
    assert_eq!(set(SO_REUSEADDR, 1), Err(WSAEINVAL));
    assert_eq!((get(SO_REUSEADDR), get(SO_EXCLUSIVEADDRUSE)), (Ok(0), Ok(1)));
}

#[test]
fn r124_a_server_rebinds_its_port_without_any_option() {
    let (first, addr) = listener();
    let client = connect_to(&addr);
    let server = accept_one(&first);
    // The side that closes first is the one that keeps the port in TIME_WAIT.
    assert_eq!(server.close(), Ok(()));
    assert_eq!(recv_some(&client), Ok(vec![]));
    assert_eq!(client.close(), Ok(()));
    assert_eq!(first.close(), Ok(()));

    let again = tcp_socket();
    bind_to(&again, &addr);
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*again, 1) }, 0);
    let client = connect_to(&addr);
    send_all(&client, b"back");
    assert_eq!(recv_some(&accept_one(&again)), Ok(b"back".to_vec()));
}

#[test]
fn r125_ipv6_only_is_on_at_first() {
    let socket = tcp_socket_v6();
    let v6_only = || option::<i32>(*socket, IPPROTO_IPV6, IPV6_V6ONLY);
    assert_eq!(v6_only(), Ok(1));
    assert_eq!(set_option(*socket, IPPROTO_IPV6, IPV6_V6ONLY, 0_i32), Ok(()));
    assert_eq!(v6_only(), Ok(0));
}

#[test]
fn r125_ipv6_only_is_fixed_by_bind() {
    let socket = tcp_socket_v6();
    if try_bind(&socket, &sockaddr_v6(0)) == Err(WSAEADDRNOTAVAIL) {
        println!("no IPv6 loopback here, nothing to bind to");
        return;
    }
    for value in [0_i32, 1] {
        let set = set_option(*socket, IPPROTO_IPV6, IPV6_V6ONLY, value);
        assert_eq!(set, Err(WSAEINVAL), "{value}");
    }
    assert_eq!(option::<i32>(*socket, IPPROTO_IPV6, IPV6_V6ONLY), Ok(1));
}

#[test]
fn r126_buffer_sizes_read_back_as_set() {
    let (accepted, _b) = tcp_pair();
    for socket in [&tcp_socket(), &accepted, &udp_socket()] {
        for name in [SO_SNDBUF, SO_RCVBUF] {
            for size in [4096_i32, 10_000, 65_536, 0] {
                assert_eq!(set_option(**socket, SOL_SOCKET, name, size), Ok(()));
                assert_eq!(option(**socket, SOL_SOCKET, name), Ok(size), "{name:#x}");
            }
        }
    }
}

#[test]
fn r127_linger_is_a_pair_of_16_bit_values() {
    let socket = tcp_socket();
    let read = || {
        let LINGER { l_onoff, l_linger } =
            option(*socket, SOL_SOCKET, SO_LINGER).expect("a TCP socket lingers");
        (l_onoff, l_linger, option::<i32>(*socket, SOL_SOCKET, SO_DONTLINGER))
    };
    assert_eq!(read(), (0, 0, Ok(1)));
    linger(&socket, 1, 40_000);
    assert_eq!(read(), (1, 40_000, Ok(0)));
    assert_eq!(set_option(*socket, SOL_SOCKET, SO_DONTLINGER, 1_i32), Ok(()));
    assert_eq!(read(), (0, 40_000, Ok(1)));
}

#[test]
fn r127_close_is_graceful_at_first() {
    let (a, b) = tcp_pair();
    let sent = pattern(60_000);
    send_all(&a, &sent);
    assert_eq!(a.close(), Ok(()));
    assert_eq!(recv_exactly(&b, sent.len()), sent);
    assert_eq!(recv_some(&b), Ok(vec![]));
}

#[test]
fn r127_linger_for_no_time_resets() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&b, &op), Err(WSA_IO_PENDING));
    linger(&a, 1, 0);
    assert_eq!(a.close(), Ok(()));
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&b, &op, false), Err(WSAECONNRESET));
}

#[test]
fn r127_linger_with_everything_delivered_does_not_delay_close() {
    let (a, b) = tcp_pair();
    linger(&a, 1, 60);
    send_all(&a, b"all");
    assert_eq!(recv_some(&b), Ok(b"all".to_vec()));
    let closing = thread::spawn(move || a.close());
    assert_eq!(recv_some(&b), Ok(vec![]));
    drop(b);
    assert_eq!(closing.join().expect("no panic"), Ok(()));
}

#[test]
fn r127_a_refused_non_blocking_close_leaves_the_socket_open() {
    let (a, b) = tcp_pair();
    linger(&a, 1, 1);
    non_blocking(&a, true);
    let block = pattern(1 << 20);
    // SAFETY: the block is readable for its length.
    while unsafe { send(*a, block.as_ptr(), block.len() as i32, 0) } != SOCKET_ERROR {}
    assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
    let raw = a.into_raw();
    let kind = || option::<i32>(raw, SOL_SOCKET, SO_TYPE);
    // Both are Windows: it depends on what has been sent by then.
    // SAFETY: closesocket takes any value.
    match unsafe { closesocket(raw) } {
        0 => {}
        _ => {
            assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
            assert_eq!(kind(), Ok(SOCK_STREAM));
            Socket::own(raw).reset();
        }
    }
    drop(b);
}

#[test]
fn r128_shutdown_twice_succeeds() {
    let (a, _b) = tcp_pair();
    for how in [SD_SEND, SD_SEND, SD_RECEIVE, SD_RECEIVE, SD_BOTH, SD_BOTH] {
        assert_eq!(try_shutdown(&a, how), Ok(()), "{how}");
    }
}

#[test]
fn r128_shutdown_knows_three_ways() {
    let (a, _b) = tcp_pair();
    for how in [3, -1] {
        assert_eq!(try_shutdown(&a, how), Err(WSAEINVAL), "{how}");
    }
}

#[test]
fn r128_what_the_peer_does_not_receive_does_not_matter_here() {
    let (a, b) = tcp_pair();
    assert_eq!(try_shutdown(&b, SD_RECEIVE), Ok(()));
    send_all(&b, b"still");
    assert_eq!(recv_some(&a), Ok(b"still".to_vec()));
}

#[test]
fn r128_the_peers_name_outlives_both_shutdowns() {
    differs_on_wine(|| {
        let (a, b) = tcp_pair();
        assert_eq!(try_shutdown(&a, SD_BOTH), Ok(()));
        assert_eq!(try_shutdown(&b, SD_BOTH), Ok(()));
        assert_eq!(peer_addr(*a).map(|addr| addr.port()), Ok(local_addr(*b).port()));
    });
}

#[test]
fn r129_a_negative_length_is_a_bad_pointer() {
    let (a, b) = tcp_pair();
    let mut byte = 0_u8;
    send_all(&b, b"x");
    for len in [-1, i32::MIN] {
        // SAFETY: the length is refused before the buffer is used.
        assert_eq!(unsafe { recv(*a, &raw mut byte, len, 0) }, SOCKET_ERROR);
        assert_eq!(last_wsa_error(), WSAEFAULT, "{len}");
    }
    assert_eq!(recv_some(&a), Ok(b"x".to_vec()));
}

#[test]
fn r130_a_reported_reset_is_no_error_of_the_socket() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &op, false), Err(WSAECONNRESET));
    for _ in 0..2 {
        assert_eq!(option::<i32>(*a, SOL_SOCKET, SO_ERROR), Ok(0));
    }
}

#[test]
fn r130_reading_so_error_clears_it() {
    let deaf = tcp_socket();
    bind_to(&deaf, &sockaddr_v4(0));
    let addr = local_addr(*deaf);
    let socket = tcp_socket();
    non_blocking(&socket, true);
    // SAFETY: `addr` is a full socket address of `len` bytes.
    assert_eq!(unsafe { connect(*socket, addr.as_ptr(), addr.len) }, SOCKET_ERROR);
    assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
    let error = (0..SOON)
        .map(|_| {
            thread::sleep(Duration::from_millis(1));
            option::<i32>(*socket, SOL_SOCKET, SO_ERROR)
        })
        .find(|error| *error != Ok(0));
    assert_eq!(error, Some(Ok(WSAECONNREFUSED)));
    differs_on_wine(|| assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ERROR), Ok(0)));
}

#[test]
fn r131_listen_wants_a_bound_socket() {
    let socket = tcp_socket();
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*socket, 1) }, SOCKET_ERROR);
    assert_eq!(last_wsa_error(), WSAEINVAL);
    bind_to(&socket, &sockaddr_v4(0));
    // SAFETY: as above.
    assert_eq!(unsafe { listen(*socket, 1) }, 0);
    assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ACCEPTCONN), Ok(1));
}

#[test]
fn r132_there_is_one_last_error() {
    init();
    // SAFETY: sets a thread-local value.
    unsafe { SetLastError(WSAEISCONN as u32) };
    assert_eq!(last_wsa_error(), WSAEISCONN);
    // SAFETY: as above.
    unsafe { WSASetLastError(5) };
    assert_eq!(last_error(), 5);
    assert_eq!(option::<i32>(INVALID_SOCKET, SOL_SOCKET, SO_TYPE), Err(WSAENOTSOCK));
    assert_eq!(last_error(), WSAENOTSOCK as u32);
}
