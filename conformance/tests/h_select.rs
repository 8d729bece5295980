//! Section H: `select`. `j_select.rs` has its alertable wait and its sets' memory.

use std::ptr::{null, null_mut};
use std::thread;
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// A handle that nobody has.
const NO_SOCKET: SOCKET = 0x7fff_fff1;

/// `select` on sets of the caller's, without a time-out if there is none; the WSA error on failure.
fn select_sets(
    [read, write, except]: [Option<&mut FdSet>; 3],
    timeout: Option<&TIMEVAL>,
) -> Result<i32, i32> {
    let at = |set: Option<&mut FdSet>| set.map_or(null_mut(), FdSet::as_mut_ptr);
    let timeout = timeout.map_or(null(), |timeout| &raw const *timeout);
    // SAFETY: each set has as many sockets as its count says; they and the time outlive the call.
    match unsafe { select(0, at(read), at(write), at(except), timeout) } {
        SOCKET_ERROR => Err(last_wsa_error()),
        count => Ok(count),
    }
}

fn try_connect(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { connect(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

fn shut_down(socket: &Socket, how: i32) {
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(**socket, how) }, 0, "shutdown: {}", last_wsa_error());
}

fn send_datagram(from: &Socket, to: &Addr, bytes: &[u8]) {
    let len = bytes.len() as i32;
    // SAFETY: the bytes and the address are readable for their lengths.
    let sent = unsafe { sendto(**from, bytes.as_ptr(), len, 0, to.as_ptr(), to.len) };
    assert_eq!(sent, len, "sendto: {}", last_wsa_error());
}

// Sets.

#[test]
fn r111_a_set_may_hold_hundreds_of_sockets() {
    let (receiver, addr) = udp_bound();
    let sockets: Vec<Socket> = (0..300).map(|_| udp_bound().0).collect();
    let raw: Vec<SOCKET> = sockets.iter().map(|socket| **socket).collect();
    let all = select_from(&raw, &raw, &raw, 0).expect("sockets");
    assert_eq!((all.count, all.write), (300, raw.clone()));
    assert_eq!((all.read, all.except), (vec![], vec![]));
    for told in [0, 63, 64, 65, 299] {
        send_datagram(&receiver, &local_addr(raw[told]), b"a");
        let ready = select_from(&raw, &[], &raw, SOON).expect("sockets");
        assert_eq!((ready.count, ready.read), (1, vec![raw[told]]));
        assert_eq!(recv_some(&sockets[told]).as_deref(), Ok(&b"a"[..]));
    }
    // All at once.
    for socket in &sockets {
        send_datagram(socket, &addr, b"a");
    }
    sockets.iter().for_each(|socket| send_datagram(&receiver, &local_addr(**socket), b"a"));
    assert!(comes_true(|| select_from(&raw, &[], &[], 0).expect("sockets").count == 300));
}

#[test]
fn r111_the_first_argument_is_ignored() {
    let (socket, _peer) = tcp_pair();
    for nfds in [0, 1, -1, 64, i32::MIN, i32::MAX] {
        let mut set = FdSet::of(&[*socket]);
        // SAFETY: the set holds the one socket; it and the time outlive the call.
        let count = unsafe { select(nfds, null_mut(), set.as_mut_ptr(), null_mut(), &timeval(0)) };
        assert_eq!(count, 1, "{nfds}");
    }
}

#[test]
fn r111_what_is_behind_the_count_is_not_looked_at() {
    let (socket, _peer) = tcp_pair();
    let mut set = FdSet::of(&[*socket, NO_SOCKET, INVALID_SOCKET]);
    set.set_count(1);
    assert_eq!(select_sets([None, Some(&mut set), None], Some(&timeval(0))), Ok(1));
    assert_eq!(set.sockets(), [*socket]);
}

#[test]
fn r111_a_set_knows_its_sockets() {
    let mut set = FdSet::of(&[7, 5, 0, 9]);
    set.set_count(3);
    // SAFETY: the set holds as many sockets as its count says.
    let mut holds = |socket| unsafe { __WSAFDIsSet(socket, set.as_mut_ptr()) };
    assert_eq!(
        [7, 5, 0, 9, 8].map(&mut holds).map(|holds| holds != 0),
        [true, true, true, false, false]
    );
}

#[test]
fn r112_a_repeated_socket_counts_once_and_the_order_stays() {
    let pairs: Vec<(Socket, Socket)> = (0..4).map(|_| tcp_pair()).collect();
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| *pairs[i].0);
    for i in [1, 3] {
        send_all(&pairs[i].1, b"a");
        assert_eq!(selected(&pairs[i].0, SOON) & WRITE, WRITE);
        assert_eq!(selected_within(&pairs[i].0, READ | WRITE, SOON), Ok(()));
    }
    let ready = select_from(&[d, a, b, d, c, b, d], &[c, c, a, c], &[a, a], SOON);
    let expected = Selected { count: 4, read: vec![d, b], write: vec![c, a], except: Vec::new() };
    assert_eq!(ready, Ok(expected));
}

#[test]
fn r112_sets_without_a_ready_socket_are_emptied() {
    let (socket, _peer) = tcp_pair();
    let mut sets = [(); 3].map(|()| FdSet::of(&[*socket]));
    let [read, _, except] = &mut sets;
    assert_eq!(select_sets([Some(read), None, Some(except)], Some(&timeval(1))), Ok(0));
    assert_eq!((read.count(), except.count()), (0, 0));
    // The room behind the count is the caller's.
    let [read, write, _] = &mut sets;
    read.set_count(1);
    assert_eq!(select_sets([Some(read), Some(write), None], None), Ok(1));
    assert_eq!((read.count(), write.count()), (0, 1));
}

#[test]
fn r113_without_sockets_it_is_no_way_to_sleep() {
    init();
    let start = Instant::now();
    for timeout in [Some(&timeval(60_000)), Some(&timeval(0)), None] {
        assert_eq!(select_sets([None, None, None], timeout), Err(WSAEINVAL));
        let mut empty = [(); 3].map(|()| FdSet::of(&[]));
        let [read, write, except] = &mut empty;
        assert_eq!(select_sets([Some(read), None, None], timeout), Err(WSAEINVAL));
        assert_eq!(select_sets([Some(read), Some(write), Some(except)], timeout), Err(WSAEINVAL));
    }
    assert!(start.elapsed() < Duration::from_secs(30));
    // One set with a socket is enough.
    let (socket, _peer) = tcp_pair();
    let (mut empty, mut one) = (FdSet::of(&[]), FdSet::of(&[*socket]));
    assert_eq!(select_sets([Some(&mut empty), Some(&mut one), None], None), Ok(1));
}

#[test]
fn r113_what_is_no_socket_is_refused_in_any_set() {
    let (socket, _peer) = tcp_pair();
    let event = Event::manual_reset();
    for bad in [NO_SOCKET, INVALID_SOCKET, *event as SOCKET] {
        for sockets in [&[bad][..], &[*socket, bad], &[bad, *socket], &[*socket, *socket, bad]] {
            assert_eq!(select_from(sockets, &[], &[], 0), Err(WSAENOTSOCK));
            assert_eq!(select_from(&[], sockets, &[], 0), Err(WSAENOTSOCK));
            assert_eq!(select_from(&[], &[], sockets, 0), Err(WSAENOTSOCK));
            // Though others are ready.
            assert_eq!(select_from(sockets, &[*socket], &[], SOON), Err(WSAENOTSOCK));
        }
    }
    let closed = *tcp_pair().0;
    // Its handle may be another test's by now.
    let refused = select_from(&[closed], &[], &[], 0);
    assert!(matches!(refused, Err(WSAENOTSOCK) | Ok(_)), "{refused:?}");
}

#[test]
fn r114_each_set_that_a_socket_is_in_counts() {
    let ((a, a_peer), (b, _b_peer)) = (tcp_pair(), tcp_pair());
    send_all(&a_peer, b"a");
    assert_eq!(selected_within(&a, READ | WRITE, SOON), Ok(()));
    let both = [*a, *b];
    let ready = select_from(&both, &both, &both, SOON).expect("sockets");
    assert_eq!((ready.count, ready.read, ready.write), (3, vec![*a], both.to_vec()));
}

#[test]
fn r114_the_same_set_may_be_passed_twice() {
    let ((a, _a_peer), (b, _b_peer)) = (tcp_pair(), tcp_pair());
    for sockets in [&[*a][..], &[*a, *b]] {
        let mut set = FdSet::of(sockets);
        let at = set.as_mut_ptr();
        // SAFETY: the set holds as many sockets as its count says; the time outlives the call too.
        let count = unsafe { select(0, at, at, null_mut(), &timeval(0)) };
        assert_eq!((count as usize, set.sockets()), (sockets.len(), sockets), "writable");
        let at = set.as_mut_ptr();
        // SAFETY: as above.
        let count = unsafe { select(0, at, null_mut(), at, &timeval(0)) };
        assert_eq!((count, set.count()), (0, 0), "neither readable nor exceptional");
    }
}

// Time.

#[test]
fn r115_the_time_out_is_left_alone() {
    let (socket, _peer) = tcp_pair();
    for timeout in [timeval(0), timeval(30), TIMEVAL { tv_sec: 0, tv_usec: 20_000 }] {
        let given = timeout;
        for set in 0..2 {
            let mut one = FdSet::of(&[*socket]);
            let mut sets = [None, None, None];
            sets[set] = Some(&mut one);
            // Once it runs out, once it does not.
            assert_eq!(select_sets(sets, Some(&timeout)), Ok(set as i32));
            assert_eq!((timeout.tv_sec, timeout.tv_usec), (given.tv_sec, given.tv_usec));
        }
    }
}

#[test]
fn r115_it_waits_as_long_as_it_is_told() {
    let (socket, _peer) = tcp_pair();
    for (timeout, at_least) in [
        (timeval(50), 50),
        (TIMEVAL { tv_sec: 0, tv_usec: 120_000 }, 120),
        (TIMEVAL { tv_sec: 1, tv_usec: 100_000 }, 1_100),
        // More than a second's worth of microseconds counts whole.
        (TIMEVAL { tv_sec: 0, tv_usec: 1_200_000 }, 1_200),
    ] {
        let start = Instant::now();
        let mut set = FdSet::of(&[*socket]);
        assert_eq!(select_sets([Some(&mut set), None, None], Some(&timeout)), Ok(0));
        // The clock of Windows ticks in 15.6 ms.
        let waited = start.elapsed() + Duration::from_millis(16);
        assert!(waited >= Duration::from_millis(at_least), "{waited:?} of {at_least} ms");
    }
}

#[test]
fn r115_a_negative_time_out_does_not_wait() {
    let (socket, _peer) = tcp_pair();
    for timeout in [TIMEVAL { tv_sec: -1, tv_usec: 0 }, TIMEVAL { tv_sec: 0, tv_usec: -1 }] {
        let mut set = FdSet::of(&[*socket]);
        // Microsoft's page says WSAEINVAL; programs that pass one live by its being up at once.
        assert_eq!(select_sets([Some(&mut set), None, None], Some(&timeout)), Ok(0));
    }
}

#[test]
fn r115_without_a_time_out_it_waits_for_a_socket() {
    let (socket, peer) = tcp_pair();
    let mut set = FdSet::of(&[*socket]);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| select_sets([Some(&mut set), None, None], None));
        pause();
        assert!(!waiter.is_finished());
        send_all(&peer, b"a");
        assert_eq!(waiter.join().expect("no panic"), Ok(1));
    });
    assert_eq!(set.sockets(), [*socket]);
}

// What readable, writable and exceptional mean.

#[test]
fn r116_a_stream_at_rest_is_in_no_set() {
    let socket = tcp_socket();
    assert_eq!(selected(&socket, 0), 0);
    bind_to(&socket, &sockaddr_v4(0));
    assert_eq!(selected(&socket, 20), 0);
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*socket, 4) }, 0);
    assert_eq!(selected(&socket, 20), 0);
    let _client = connect_to(&local_addr(*socket));
    assert_eq!(selected(&socket, SOON), READ);
    drop(accept_one(&socket));
    assert_eq!(selected(&socket, 20), 0);
}

#[test]
fn r116_a_connection_is_writable_and_readable_with_data() {
    let (socket, peer) = tcp_pair();
    assert_eq!(selected(&socket, SOON), WRITE);
    send_all(&peer, b"ab");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    assert_eq!(recv_exactly(&socket, 1), b"a");
    assert_eq!(selected(&socket, SOON), READ | WRITE);
    assert_eq!(recv_exactly(&socket, 1), b"b");
    assert_eq!(selected(&socket, SOON), WRITE);
}

#[test]
fn r116_a_full_connection_is_not_writable_until_the_peer_reads() {
    let (socket, peer) = tcp_pair();
    non_blocking(&socket, true);
    let piece = pattern(1 << 20);
    let mut sent = 0;
    // There is room again as long as the peer's system takes what has been sent.
    while selected(&socket, NEVER) == WRITE {
        // SAFETY: `piece` is readable for its length.
        let taken = unsafe { send(*socket, piece.as_ptr(), piece.len() as i32, 0) };
        assert!(taken > 0 || last_wsa_error() == WSAEWOULDBLOCK);
        sent += taken.max(0) as usize;
    }
    thread::scope(|scope| {
        let waiter = scope.spawn(|| selected(&socket, SOON));
        assert_eq!(recv_exactly(&peer, sent).len(), sent);
        assert_eq!(waiter.join().expect("no panic"), WRITE);
    });
}

#[test]
fn r116_the_end_is_readable() {
    let (socket, peer) = tcp_pair();
    shut_down(&peer, SD_SEND);
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    assert_eq!(recv_some(&socket).as_deref(), Ok(&[][..]));
    assert_eq!(selected(&socket, SOON), READ | WRITE, "and stays so");
    drop(peer);
    assert_eq!(selected(&socket, SOON), READ | WRITE);
    let (socket, peer) = tcp_pair();
    send_all(&peer, b"a");
    drop(peer);
    assert_eq!(recv_exactly(&socket, 2), b"a");
    assert_eq!(selected(&socket, SOON), READ | WRITE);
}

#[test]
fn r116_a_connect_that_fails_is_exceptional_and_no_more() {
    for _ in 0..5 {
        let socket = tcp_socket();
        non_blocking(&socket, true);
        assert_eq!(try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
        // Wine 8.0 says so at times in other sets as well.
        may_differ_on_wine(|| {
            assert_eq!(selected(&socket, SOON), EXCEPT);
            assert_eq!(selected(&socket, SOON), EXCEPT, "until somebody asks");
        });
        assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ERROR), Ok(WSAECONNREFUSED));
    }
}

#[test]
fn r116_a_connect_that_fails_wakes_for_its_set_only() {
    let addr = nobody();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    let one = [*socket];
    // Wine 8.0 at times takes a connect that fails in the meantime for one that has ended.
    may_differ_on_wine(|| {
        assert_eq!(select_from(&one, &one, &[], 200).map(|ready| ready.count), Ok(0));
        assert_eq!(select_from(&[], &[], &one, SOON).map(|ready| ready.count), Ok(1));
    });
}

#[test]
fn r116_a_connect_that_succeeds_is_writable_and_no_more() {
    let (listener, addr) = listener();
    let socket = tcp_socket();
    non_blocking(&socket, true);
    assert_eq!(try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    assert_eq!(selected(&socket, SOON), WRITE);
    assert_eq!(option::<i32>(*socket, SOL_SOCKET, SO_ERROR), Ok(0));
    send_all(&socket, b"abc");
    assert_eq!(recv_exactly(&accept_one(&listener), 3), b"abc");
}

#[test]
fn r116_data_out_of_band_is_exceptional() {
    let (socket, peer) = tcp_pair();
    if !send_urgent(&peer, b'!') {
        return;
    }
    assert_eq!(selected_within(&socket, WRITE | EXCEPT, SOON), Ok(()));
    let mut byte = 0_u8;
    // SAFETY: the byte is writable.
    assert_eq!(unsafe { recv(*socket, &raw mut byte, 1, MSG_OOB) }, 1);
    assert_eq!((byte, selected(&socket, SOON)), (b'!', WRITE));
    send_all(&peer, b"abc");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
}

#[test]
fn r116_data_out_of_band_but_inline_is_readable() {
    let (socket, peer) = tcp_pair();
    assert_eq!(set_option(*socket, SOL_SOCKET, SO_OOBINLINE, 1_i32), Ok(()));
    if !send_urgent(&peer, b'!') {
        return;
    }
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    assert_eq!(recv_exactly(&socket, 1), b"!");
}

#[test]
fn r116_datagrams_are_readable_one_by_one() {
    let ((socket, addr), (peer, _)) = (udp_bound(), udp_bound());
    assert_eq!(selected(&udp_socket(), 0), WRITE);
    assert_eq!(selected(&socket, 0), WRITE);
    for bytes in [&b"one"[..], b"", b"three"] {
        send_datagram(&peer, &addr, bytes);
    }
    for bytes in [&b"one"[..], b"", b"three"] {
        assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
        assert_eq!(recv_some(&socket).as_deref(), Ok(bytes));
    }
    assert_eq!(selected(&socket, 0), WRITE);
}

#[test]
fn r116_a_closed_port_that_answers_is_readable() {
    let ((socket, _), (gone, addr)) = (udp_bound(), udp_bound());
    drop(gone);
    send_datagram(&socket, &addr, b"a");
    // Wine 8.0 does not hear of it (rule 65).
    differs_on_wine(|| {
        assert_eq!(selected_within(&socket, READ | WRITE, 2_000), Ok(()));
        assert_eq!(recv_some(&socket), Err(WSAECONNRESET));
        assert_eq!(selected(&socket, 0), WRITE);
    });
}

#[test]
fn r117_a_reset_is_readable_and_writable() {
    let (socket, peer) = tcp_pair();
    peer.reset();
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    // Wine 8.0 receives the end.
    differs_on_wine(|| assert_eq!(recv_some(&socket), Err(WSAECONNRESET)));
    assert_eq!(selected(&socket, SOON), READ | WRITE);
}

#[test]
fn r117_a_reset_wakes_who_waits_for_any_of_them() {
    for (wanted, ready) in [(READ, READ), (EXCEPT, 0)] {
        let (socket, peer) = tcp_pair();
        let one = [*socket];
        let set = |bit| if wanted & bit != 0 { &one[..] } else { &[] };
        let ms = if ready == 0 { 300 } else { SOON };
        let selected = thread::scope(|scope| {
            let waiter = scope.spawn(move || select_from(set(READ), &[], set(EXCEPT), ms));
            pause();
            peer.reset();
            waiter.join().expect("no panic").expect("sockets")
        });
        assert_eq!(selected.count, usize::from(ready != 0), "{wanted}");
    }
}

#[test]
fn r118_closing_one_of_many_wakes_the_wait() {
    let pairs: Vec<(Socket, Socket)> = (0..70).map(|_| tcp_pair()).collect();
    for closed in [0, 35, 69] {
        let (socket, _peer) = tcp_pair();
        let mut raw: Vec<SOCKET> = pairs.iter().map(|(socket, _)| **socket).collect();
        raw.insert(closed, *socket);
        let ready = thread::scope(|scope| {
            let waiter = scope.spawn(|| select_from(&raw, &[], &[], SOON));
            pause();
            assert_eq!(socket.close(), Ok(()));
            waiter.join().expect("no panic")
        });
        let ready = ready.expect("a count");
        assert_eq!((ready.count, ready.read), (1, vec![raw[closed]]));
    }
}

// Threads.

#[test]
fn r111_all_threads_that_wait_for_a_socket_hear_of_it() {
    let (socket, peer) = tcp_pair();
    thread::scope(|scope| {
        let waiters: Vec<_> =
            (0..4).map(|_| scope.spawn(|| select_from(&[*socket], &[], &[], SOON))).collect();
        pause();
        send_all(&peer, b"a");
        for waiter in waiters {
            assert_eq!(waiter.join().expect("no panic").map(|ready| ready.count), Ok(1));
        }
    });
}

/// The classic server: one thread, one set, one receive for each socket that is ready.
#[test]
fn r116_an_echo_server_loses_no_byte() {
    const CLIENTS: usize = 80;
    const BYTES: usize = 10_000;
    let (listener, addr) = listener();
    let server = thread::spawn(move || serve(&listener, CLIENTS));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            thread::spawn(move || {
                let client = connect_to(&addr);
                let sent = pattern(BYTES);
                for piece in sent.chunks(999) {
                    send_all(&client, piece);
                    assert_eq!(recv_exactly(&client, piece.len()), piece);
                }
            })
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
    server.join().expect("no panic");
}

/// Echoes until as many clients have come and gone.
fn serve(listener: &Socket, clients: usize) {
    let mut sockets: Vec<Socket> = Vec::new();
    let mut gone = 0;
    while gone < clients {
        let asked: Vec<SOCKET> =
            sockets.iter().map(|socket| **socket).chain([**listener]).collect();
        let ready = select_from(&asked, &[], &[], SOON).expect("sockets");
        assert_ne!(ready.count, 0, "{gone} clients gone");
        for raw in ready.read {
            if raw == **listener {
                sockets.push(accept_one(listener));
                continue;
            }
            let at = sockets.iter().position(|socket| **socket == raw).expect("one of ours");
            match recv_some(&sockets[at]).expect("data or the end") {
                end if end.is_empty() => {
                    sockets.swap_remove(at);
                    gone += 1;
                }
                bytes => send_all(&sockets[at], &bytes),
            }
        }
    }
}
