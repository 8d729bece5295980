//! Section H: `WSAPoll`.

use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// A handle that nobody has.
const NO_SOCKET: SOCKET = 0x7fff_fff1;

fn try_connect(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { connect(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// Whether a `WSAPoll` for `events` answers `revents` soon.
fn comes_to(socket: &Socket, events: i16, revents: i16) -> bool {
    let answers = comes_true(|| polled(socket, events, 0) == revents);
    if !answers {
        println!("WSAPoll for {events:#x} answers {:#x}", polled(socket, events, 0));
    }
    answers
}

const BOTH: i16 = POLLIN | POLLOUT;

// Arguments.

#[test]
fn r119_no_sockets_are_invalid_and_no_array_is_a_fault() {
    init();
    for ms in [0, 60_000, -1] {
        assert_eq!(poll_all(&[], ms).0, Err(WSAEINVAL));
        // SAFETY: NULL is refused.
        let none = unsafe { WSAPoll(null_mut(), 0, ms) };
        assert_eq!((none, last_wsa_error()), (SOCKET_ERROR, WSAEINVAL));
        // SAFETY: as above.
        let null = unsafe { WSAPoll(null_mut(), 1, ms) };
        assert_eq!((null, last_wsa_error()), (SOCKET_ERROR, WSAEFAULT));
    }
}

#[test]
fn r119_only_three_events_can_be_asked_for() {
    let (socket, _peer) = tcp_pair();
    for events in (0..16).map(|bit| (1_u16 << bit) as i16) {
        if matches!(events, POLLRDNORM | POLLRDBAND | POLLWRNORM) {
            continue;
        }
        // Wine 8.0 does not look.
        differs_on_wine(|| {
            assert_eq!(poll_all(&[(*socket, events)], 0).0, Err(WSAEINVAL), "{events:#x}");
            let beside = [(*socket, POLLOUT), (*socket, POLLOUT | events)];
            assert_eq!(poll_all(&beside, 0).0, Err(WSAEINVAL), "{events:#x}");
        });
    }
    for events in [0, POLLRDNORM, POLLRDBAND, POLLWRNORM, BOTH] {
        let (result, revents) = poll_all(&[(*socket, events)], 0);
        assert_eq!(revents, [events & POLLWRNORM]);
        assert_eq!(result, Ok(i32::from(events & POLLWRNORM != 0)));
    }
}

#[test]
fn r119_what_is_no_socket_is_told_but_not_counted() {
    let (socket, _peer) = tcp_pair();
    let event = Event::manual_reset();
    for bad in [NO_SOCKET, INVALID_SOCKET, *event as SOCKET] {
        let told = (Ok(1), vec![POLLNVAL, POLLWRNORM, POLLNVAL]);
        assert_eq!(poll_all(&[(bad, POLLIN), (*socket, BOTH), (bad, POLLOUT)], 0), told);
        let told = (Ok(0), vec![POLLNVAL, 0]);
        let start = Instant::now();
        assert_eq!(poll_all(&[(bad, POLLIN), (*socket, POLLIN)], 100), told);
        assert!(start.elapsed() >= Duration::from_millis(80), "it is no reason to return");
    }
}

#[test]
fn r119_nothing_but_what_is_no_socket_is_refused() {
    init();
    for bad in [NO_SOCKET, INVALID_SOCKET] {
        for count in 1..4 {
            let (result, revents) = poll_all(&vec![(bad, POLLIN); count], -1);
            assert_eq!((result, revents), (Err(WSAENOTSOCK), vec![POLLNVAL; count]));
        }
    }
}

#[test]
fn r119_every_answer_is_written() {
    let ((a, a_peer), (b, _b_peer)) = (tcp_pair(), tcp_pair());
    send_all(&a_peer, b"a");
    assert!(comes_to(&a, POLLIN, POLLRDNORM));
    let asked = [(*b, POLLIN), (*a, POLLIN), (*b, POLLOUT), (*a, BOTH), (*a, 0)];
    // Wine 8.0 counts sockets that are asked about twice more often than there are answers.
    differs_on_wine(|| {
        let answers = vec![0, POLLRDNORM, POLLWRNORM, POLLRDNORM | POLLWRNORM, 0];
        assert_eq!(poll_all(&asked, SOON as i32), (Ok(3), answers));
    });
}

#[test]
fn r119_hundreds_of_sockets_can_be_polled() {
    let sockets: Vec<Socket> = (0..300).map(|_| udp_bound().0).collect();
    let asked: Vec<(SOCKET, i16)> = sockets.iter().map(|socket| (**socket, POLLIN)).collect();
    assert_eq!(poll_all(&asked, 0), (Ok(0), vec![0; 300]));
    let sender = udp_socket();
    for told in [0, 64, 299] {
        let to = local_addr(*sockets[told]);
        // SAFETY: the byte and the address are readable for their lengths.
        assert_eq!(unsafe { sendto(*sender, b"a".as_ptr(), 1, 0, to.as_ptr(), to.len) }, 1);
        let (result, revents) = poll_all(&asked, SOON as i32);
        assert_eq!(result, Ok(1));
        let expected = |i| if i == told { POLLRDNORM } else { 0 };
        assert!(revents.into_iter().eq((0..300).map(expected)));
        assert!(recv_some(&sockets[told]).is_ok());
    }
    let asked: Vec<(SOCKET, i16)> = sockets.iter().map(|socket| (**socket, BOTH)).collect();
    assert_eq!(poll_all(&asked, -1), (Ok(300), vec![POLLWRNORM; 300]));
}

// Time.

#[test]
fn r119_it_waits_as_long_as_it_is_told() {
    let (socket, peer) = tcp_pair();
    for ms in [0, 1, 50, 200] {
        let start = Instant::now();
        assert_eq!(polled(&socket, POLLIN, ms), 0);
        let waited = start.elapsed() + Duration::from_millis(16);
        assert!(waited >= Duration::from_millis(ms as u64), "{waited:?} of {ms} ms");
    }
    for ms in [-1, i32::MIN, i32::MAX] {
        thread::scope(|scope| {
            let waiter = scope.spawn(|| polled(&socket, POLLIN, ms));
            pause();
            assert!(!waiter.is_finished());
            send_all(&peer, b"a");
            assert_eq!(waiter.join().expect("no panic"), POLLRDNORM);
        });
        assert_eq!(recv_exactly(&socket, 1), b"a");
    }
}

// Answers.

#[test]
fn r119_a_stream_at_rest_has_no_answer() {
    let socket = tcp_socket();
    assert_eq!(polled(&socket, BOTH, 0), 0);
    bind_to(&socket, &sockaddr_v4(0));
    assert_eq!(polled(&socket, BOTH, 20), 0);
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*socket, 4) }, 0);
    assert_eq!(polled(&socket, BOTH, 20), 0);
    let _client = connect_to(&local_addr(*socket));
    assert_eq!(polled(&socket, BOTH, SOON as i32), POLLRDNORM);
}

#[test]
fn r119_only_what_is_asked_is_answered() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"a");
    assert!(comes_to(&socket, BOTH, POLLRDNORM | POLLWRNORM));
    for (events, answer) in [
        (POLLRDNORM, POLLRDNORM),
        (POLLRDBAND, 0),
        (POLLOUT, POLLWRNORM),
        (POLLIN, POLLRDNORM),
        (0, 0),
    ] {
        assert_eq!(polled(&socket, events, 0), answer, "{events:#x}");
    }
}

#[test]
fn r119_the_peers_end_is_a_hang_up() {
    let (socket, peer) = tcp_pair();
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(*peer, SD_SEND) }, 0);
    assert!(comes_to(&socket, BOTH, POLLHUP | POLLWRNORM));
    for events in [POLLIN, POLLRDBAND, 0] {
        assert_eq!(polled(&socket, events, SOON as i32), POLLHUP, "{events:#x}");
    }
    send_all(&socket, b"abc");
    assert_eq!(recv_exactly(&peer, 3), b"abc");
}

#[test]
fn r119_data_before_the_end_is_an_answer() {
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"a");
    drop(peer);
    assert!(comes_true(|| polled(&socket, POLLIN, 0) & POLLRDNORM != 0));
    assert_eq!(recv_exactly(&socket, 1), b"a");
    assert!(comes_to(&socket, BOTH, POLLHUP | POLLWRNORM));
}

#[test]
fn r119_a_reset_is_an_error_and_a_hang_up() {
    let (socket, peer) = tcp_pair();
    peer.reset();
    assert!(comes_to(&socket, BOTH, POLLERR | POLLHUP | POLLWRNORM));
    assert_eq!(polled(&socket, POLLIN, SOON as i32), POLLERR | POLLHUP);
    assert_eq!(polled(&socket, 0, SOON as i32), POLLERR | POLLHUP);
}

#[test]
fn r119_data_out_of_band_has_its_own_answer() {
    let (socket, peer) = tcp_pair();
    if !send_urgent(&peer, b'!') {
        return;
    }
    assert!(comes_to(&socket, BOTH, POLLRDBAND | POLLWRNORM));
    assert_eq!(polled(&socket, POLLRDNORM, 0), 0);
    send_all(&peer, b"a");
    assert!(comes_to(&socket, POLLIN, POLLRDBAND | POLLRDNORM));
}

#[test]
fn r119_closing_the_socket_makes_it_none() {
    let (socket, _peer) = tcp_pair();
    let raw = *socket;
    let told = thread::scope(|scope| {
        let waiter = scope.spawn(|| poll_all(&[(raw, POLLIN)], SOON as i32));
        pause();
        assert_eq!(socket.close(), Ok(()));
        waiter.join().expect("no panic")
    });
    assert_eq!(told, (Ok(1), vec![POLLNVAL]));
}

#[test]
fn r120_a_connect_that_fails_is_answered() {
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
    assert!(comes_true(|| polled(&socket, BOTH, 0) & POLLERR != 0));
    // Wine 8.0 answers POLLERR alone.
    differs_on_wine(|| {
        for _ in 0..2 {
            assert_eq!(polled(&socket, BOTH, 0), POLLERR | POLLHUP | POLLWRNORM);
            assert_eq!(polled(&socket, POLLOUT, 0), POLLERR | POLLHUP | POLLWRNORM);
            assert_eq!(polled(&socket, POLLIN, 0), POLLERR | POLLHUP);
        }
    });
    assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ERROR), Ok(WSAECONNREFUSED));
}

#[test]
fn r120_a_connect_that_succeeds_has_room() {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    assert!(comes_to(&socket, BOTH, POLLWRNORM));
}

#[test]
fn r120_a_connect_that_fails_ends_the_wait_for_anything() {
    for events in [POLLIN, POLLOUT, 0] {
        let socket = tcp_socket();
        non_blocking(&socket, true);
        assert_eq!(try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
        assert_ne!(polled(&socket, events, SOON as i32) & POLLERR, 0, "{events:#x}");
    }
}
