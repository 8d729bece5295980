//! Sets of sockets, each with what it has to tell, by each of the models of readiness.

mod common;

use std::net::Shutdown;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::sets::{Holding, for_each_set, quiet, ready};
use common::{Census, Member, SOON, listener, loopback, pair, receive};
use winsock::{AnySocket, Error, Interest, Key, Notice, TcpSocket, UdpSocket};

for_each_set! {
    data_is_told_until_it_is_taken
    a_part_taken_is_told_again
    writable_until_there_is_no_room
    interest_comes_later
    interest_goes
    connections_are_taken_one_by_one
    an_accepted_connection_reports_to_nobody
    a_connect_succeeds
    a_connect_begun_in_the_set_succeeds
    a_connect_fails_whatever_the_interest
    all_data_comes_before_the_end
    the_end_is_told_until_the_socket_is_removed
    a_half_closed_connection_still_sends
    a_reset_is_readable
    removed_sockets_are_given_back
    a_key_names_one_socket
    datagrams
    tokens_belong_to_sockets
    an_empty_set_waits
    posted_from_another_thread
    posters_outlive_the_set
    dropping_closes_sockets_and_drops_tokens
    everybody_has_a_turn
    an_echo_in_one_thread
    no_socket_waits_in_a_call
}

/// Of a socket that is known to be a connection.
fn tcp(set: &impl Holding<()>, key: Key) -> &TcpSocket {
    match set.get(key) {
        Some((AnySocket::Tcp(socket), _)) => socket,
        _ => panic!("no TCP socket"),
    }
}

fn data_is_told_until_it_is_taken(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    quiet(&mut set);
    far.send(b"data").unwrap();
    for _ in 0..3 {
        let ready = ready(&mut set);
        assert_eq!((ready.key, ready.readable, ready.writable), (key, true, false));
    }
    assert_eq!(tcp(&set, key).recv(&mut [0; 16]), Ok(4));
    quiet(&mut set);
    assert_eq!(tcp(&set, key).recv(&mut [0; 16]), Err(Error::WOULD_BLOCK));
    far.send(b"more").unwrap();
    assert!(ready(&mut set).readable);
}

fn a_part_taken_is_told_again(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    far.send(b"abcdef").unwrap();
    let mut got = Vec::new();
    while got.len() < 6 {
        assert!(ready(&mut set).readable);
        let mut byte = [0];
        assert_eq!(tcp(&set, key).recv(&mut byte), Ok(1));
        got.push(byte[0]);
    }
    assert_eq!(got, b"abcdef");
    quiet(&mut set);
}

fn writable_until_there_is_no_room(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::WRITE).unwrap();
    for _ in 0..3 {
        let ready = ready(&mut set);
        assert_eq!((ready.readable, ready.writable), (false, true));
    }
    let chunk = vec![7; 64 << 10];
    let mut sent = 0;
    loop {
        match tcp(&set, key).send(&chunk) {
            Ok(count) => sent += count,
            Err(error) => break assert_eq!(error, Error::WOULD_BLOCK),
        }
    }
    quiet(&mut set);
    receive(&far, sent);
    assert!(ready(&mut set).writable);
    assert!(tcp(&set, key).send(b"again").is_ok());
}

fn interest_comes_later(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::NONE).unwrap();
    far.send(b"data").unwrap();
    quiet(&mut set);
    assert!(set.set_interest(key, Interest::READ));
    assert!(ready(&mut set).readable);
    assert!(set.set_interest(key, Interest::WRITE));
    let told = ready(&mut set);
    assert_eq!((told.readable, told.writable), (false, true));
    assert!(set.set_interest(key, Interest::READ | Interest::WRITE));
    while !{
        let told = ready(&mut set);
        told.readable && told.writable
    } {}
    assert_eq!(set.interest(key), Some(Interest::READ | Interest::WRITE));
}

fn interest_goes(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    far.send(b"data").unwrap();
    assert!(ready(&mut set).readable);
    set.set_interest(key, Interest::NONE);
    quiet(&mut set);
    far.shutdown(Shutdown::Write).unwrap();
    quiet(&mut set);
    set.set_interest(key, Interest::READ);
    assert!(ready(&mut set).readable);
    assert_eq!(tcp(&set, key).recv(&mut [0; 16]), Ok(4));
    assert!(ready(&mut set).readable);
    assert_eq!(tcp(&set, key).recv(&mut [0; 16]), Ok(0));
}

fn connections_are_taken_one_by_one(mut set: impl Holding<()>) {
    let (listener, address) = listener();
    let key = set.insert(listener, (), Interest::READ).unwrap();
    quiet(&mut set);
    let clients: Vec<_> = (0..5).map(|_| TcpSocket::connect(address).unwrap()).collect();
    for client in &clients {
        let told = ready(&mut set);
        assert_eq!((told.key, told.readable), (key, true));
        let Some((AnySocket::Listener(listener), ())) = set.get(key) else { panic!() };
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    }
    quiet(&mut set);
    let Some((AnySocket::Listener(listener), ())) = set.get(key) else { panic!() };
    assert_eq!(listener.accept().unwrap_err(), Error::WOULD_BLOCK);
}

fn an_accepted_connection_reports_to_nobody(mut set: impl Holding<()>) {
    let (listener, address) = listener();
    let key = set.insert(listener, (), Interest::READ).unwrap();
    let client = TcpSocket::connect(address).unwrap();
    client.send(b"early").unwrap();
    assert!(ready(&mut set).readable);
    let Some((AnySocket::Listener(listener), ())) = set.get(key) else { panic!() };
    let (accepted, _) = listener.accept().unwrap();
    client.send(b"late").unwrap();
    quiet(&mut set);
    drop(client);
    quiet(&mut set);
    // It is told of once it is in the set itself.
    let accepted = set.insert(accepted, (), Interest::READ).unwrap();
    assert_eq!(ready(&mut set).key, accepted);
    assert_ne!(accepted, key);
}

fn a_connect_succeeds(mut set: impl Holding<()>) {
    let (listener, address) = listener();
    let socket = TcpSocket::start_connect(address).unwrap();
    let key = set.insert(socket, (), Interest::WRITE).unwrap();
    let told = ready(&mut set);
    assert_eq!((told.key, told.writable, told.failed), (key, true, None));
    assert_eq!(tcp(&set, key).peer_addr(), Ok(address));
    let (accepted, _) = listener.accept().unwrap();
    assert!(tcp(&set, key).send(b"hello").is_ok());
    assert_eq!(receive(&accepted, 5), b"hello");
}

fn a_connect_begun_in_the_set_succeeds(mut set: impl Holding<()>) {
    let (listener, address) = listener();
    let socket = TcpSocket::new_v4().unwrap();
    let key = set.insert(socket, (), Interest::READ | Interest::WRITE).unwrap();
    quiet(&mut set);
    assert_eq!(tcp(&set, key).connect_to(address), Err(Error::WOULD_BLOCK));
    let told = ready(&mut set);
    assert_eq!((told.readable, told.writable, told.failed), (false, true, None));
    assert_eq!(listener.accept().unwrap().1, tcp(&set, key).local_addr().unwrap());
}

fn a_connect_fails_whatever_the_interest(mut set: impl Holding<()>) {
    for interest in [Interest::NONE, Interest::READ, Interest::WRITE] {
        let (listener, address) = listener();
        drop(listener);
        let socket = TcpSocket::start_connect(address).unwrap();
        let key = set.insert(socket, (), interest).unwrap();
        let told = ready(&mut set);
        assert_eq!((told.key, told.failed), (key, Some(Error::CONNECTION_REFUSED)));
        // It is told once; not that there is anything to be done with the socket.
        set.set_interest(key, Interest::NONE);
        quiet(&mut set);
        assert!(set.remove(key).is_some());
    }
}

fn all_data_comes_before_the_end(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..100_u8 {
                far.send(&[number; 10_000]).unwrap();
            }
        });
        let mut got = 0;
        let mut buf = vec![0; 4096];
        loop {
            assert!(ready(&mut set).readable);
            match tcp(&set, key).recv(&mut buf) {
                Ok(0) => break,
                Ok(count) => {
                    let expected = |at: usize| ((got + at) / 10_000) as u8;
                    assert!((0..count).all(|at| buf[at] == expected(at)));
                    got += count;
                }
                Err(error) => assert_eq!(error, Error::WOULD_BLOCK),
            }
        }
        assert_eq!(got, 1_000_000);
    });
}

fn the_end_is_told_until_the_socket_is_removed(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    drop(far);
    for _ in 0..3 {
        assert!(ready(&mut set).readable);
        assert_eq!(tcp(&set, key).recv(&mut [0; 8]), Ok(0));
    }
    set.remove(key);
    quiet(&mut set);
}

fn a_half_closed_connection_still_sends(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    far.shutdown(Shutdown::Write).unwrap();
    assert!(ready(&mut set).readable);
    assert_eq!(tcp(&set, key).recv(&mut [0; 8]), Ok(0));
    set.set_interest(key, Interest::NONE);
    quiet(&mut set);
    assert_eq!(tcp(&set, key).send(b"answer"), Ok(6));
    assert_eq!(receive(&far, 6), b"answer");
}

fn a_reset_is_readable(mut set: impl Holding<()>) {
    let (near, far) = pair();
    let key = set.insert(near, (), Interest::READ).unwrap();
    far.set_linger(Some(Duration::ZERO)).unwrap();
    drop(far);
    assert!(ready(&mut set).readable);
    match tcp(&set, key).recv(&mut [0; 8]) {
        Err(Error::CONNECTION_RESET | Error::CONNECTION_ABORTED) => {}
        // Wine has eaten the error.
        Ok(0) if cfg!(windows) => {}
        other => panic!("{other:?}"),
    }
}

fn removed_sockets_are_given_back(mut set: impl Holding<&'static str>) {
    let (near, far) = pair();
    let key = set.insert(near, "token", Interest::READ).unwrap();
    far.send(b"one").unwrap();
    assert!(ready(&mut set).readable);
    let Some((AnySocket::Tcp(near), "token")) = set.remove(key) else { panic!() };
    quiet(&mut set);
    assert_eq!(near.recv(&mut [0; 8]), Ok(3));
    assert_eq!(near.recv(&mut [0; 8]), Err(Error::WOULD_BLOCK));
    near.set_nonblocking(false).unwrap();
    far.send(b"two").unwrap();
    assert_eq!(receive(&near, 3), b"two");
    // And in again.
    let key = set.insert(near, "again", Interest::READ).unwrap();
    quiet(&mut set);
    far.send(b"three").unwrap();
    assert_eq!(ready(&mut set).key, key);
}

fn a_key_names_one_socket(mut set: impl Holding<usize>) {
    let (near, far) = pair();
    let old = set.insert(near, 1, Interest::READ).unwrap();
    far.send(b"data").unwrap();
    assert_eq!(ready(&mut set).key, old);
    assert!(set.remove(old).is_some());
    let (other, _keep) = pair();
    let new = set.insert(other, 2, Interest::READ).unwrap();
    assert!(set.get(old).is_none() && set.get_mut(old).is_none());
    assert!(!set.set_interest(old, Interest::WRITE));
    assert!(set.remove(old).is_none());
    assert_eq!(set.get(new).map(|(_, token)| *token), Some(2));
    assert_eq!(set.len(), 1);
    quiet(&mut set);
}

fn datagrams(mut set: impl Holding<()>) {
    let near = UdpSocket::bind(loopback()).unwrap();
    let far = UdpSocket::bind(loopback()).unwrap();
    let (here, there) = (near.local_addr().unwrap(), far.local_addr().unwrap());
    let key = set.insert(near, (), Interest::READ).unwrap();
    quiet(&mut set);
    for text in [&b"one"[..], b"two"] {
        far.send_to(text, here).unwrap();
    }
    for text in [&b"one"[..], b"two"] {
        assert!(ready(&mut set).readable);
        let Some((AnySocket::Udp(near), ())) = set.get(key) else { panic!() };
        let mut buf = [0; 16];
        assert_eq!(near.recv_from(&mut buf), Ok((3, there)));
        assert_eq!(buf[..3], *text);
    }
    quiet(&mut set);
    set.set_interest(key, Interest::WRITE);
    assert!(ready(&mut set).writable);
}

fn tokens_belong_to_sockets(mut set: impl Holding<Vec<u8>>) {
    let ends: Vec<_> = (0..5).map(|_| pair()).collect();
    let mut fars = Vec::new();
    for (number, (near, far)) in ends.into_iter().enumerate() {
        set.insert(near, vec![number as u8], Interest::READ).unwrap();
        fars.push(far);
    }
    for number in [3, 0, 4] {
        fars[number].send(b"x").unwrap();
        let told = ready(&mut set);
        let (socket, token) = set.get_mut(told.key).unwrap();
        assert_eq!(token[0], number as u8);
        token.push(b'x');
        let AnySocket::Tcp(socket) = socket else { panic!() };
        assert_eq!(socket.recv(&mut [0; 8]), Ok(1));
        let (_, token) = set.remove(told.key).unwrap();
        assert_eq!(token, [number as u8, b'x']);
    }
    for number in [1, 2] {
        fars[number].send(b"y").unwrap();
        let told = ready(&mut set);
        assert_eq!(set.remove(told.key).unwrap().1, [number as u8]);
    }
    assert_eq!(set.len(), 0);
}

fn an_empty_set_waits(mut set: impl Holding<()>) {
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        let started = Instant::now();
        assert_eq!(set.take(Some(timeout)).unwrap(), None);
        assert!(started.elapsed() >= timeout);
    }
}

fn posted_from_another_thread(mut set: impl Holding<()>) {
    let poster = set.poster();
    let (done, wait) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..500 {
                poster.post(number).unwrap();
                if number % 50 == 0 {
                    wait.recv().unwrap();
                }
            }
        });
        for number in 0..500 {
            assert_eq!(set.take(Some(SOON)).unwrap(), Some(Notice::Post(number)));
            if number % 50 == 0 {
                done.send(()).unwrap();
            }
        }
    });
    quiet(&mut set);
}

fn posters_outlive_the_set(set: impl Holding<()>) {
    let poster = set.poster();
    poster.post(1).unwrap();
    drop(set);
    assert_eq!(poster.clone().post(2), Err(2));
}

fn dropping_closes_sockets_and_drops_tokens(mut set: impl Holding<Member>) {
    let census = Census::default();
    let mut fars = Vec::new();
    for _ in 0..10 {
        let (near, far) = pair();
        set.insert(near, census.member(), Interest::READ | Interest::WRITE).unwrap();
        fars.push(far);
    }
    fars[0].send(b"data").unwrap();
    ready(&mut set);
    assert_eq!(census.alive(), 10);
    drop(set);
    assert_eq!(census.alive(), 0);
    for far in fars {
        assert!(matches!(far.recv(&mut [0; 8]), Ok(0) | Err(Error::CONNECTION_RESET)));
    }
}

fn everybody_has_a_turn(mut set: impl Holding<usize>) {
    let mut fars = Vec::new();
    for number in 0..40 {
        let (near, far) = pair();
        set.insert(near, number, Interest::READ).unwrap();
        fars.push(far);
    }
    for far in &fars {
        far.send(b"once").unwrap();
    }
    // All are ready all the time.
    let mut turns = [0; 40];
    while turns.contains(&0) {
        let told = ready(&mut set);
        let (socket, number) = set.get(told.key).unwrap();
        turns[*number] += 1;
        let AnySocket::Tcp(socket) = socket else { panic!() };
        let _ = socket.recv(&mut [0; 64]);
        fars[*number].send(b"again").unwrap();
        // How soon each is found to be ready is up to the machine.
        assert!(turns.iter().all(|&count| count < 100_000), "{turns:?}");
    }
}

/// What a client is still to be sent.
#[derive(Default)]
struct Client {
    rest: Vec<u8>,
}

fn an_echo_in_one_thread(mut set: impl Holding<Client>) {
    let (listener, address) = listener();
    set.insert(listener, Client::default(), Interest::READ).unwrap();
    let poster = set.poster();
    thread::scope(|scope| {
        scope.spawn(move || {
            let clients: Vec<_> = (0..50).map(|_| TcpSocket::connect(address).unwrap()).collect();
            for round in 0..20 {
                for client in &clients {
                    client.send(&[round; 1000]).unwrap();
                }
                for client in &clients {
                    assert_eq!(receive(client, 1000), [round; 1000]);
                }
            }
            drop(clients);
            poster.post(0).unwrap();
        });
        let mut buf = [0; 700];
        while let Some(Notice::Ready(told)) = set.take(Some(SOON)).unwrap() {
            let (socket, client) = set.get_mut(told.key).unwrap();
            let socket = match socket {
                AnySocket::Listener(listener) => {
                    if let Ok((accepted, _)) = listener.accept() {
                        set.insert(accepted, Client::default(), Interest::READ).unwrap();
                    }
                    continue;
                }
                AnySocket::Tcp(socket) => socket,
                AnySocket::Udp(_) => unreachable!(),
            };
            if told.readable {
                match socket.recv(&mut buf) {
                    Ok(count @ 1..) => client.rest.extend_from_slice(&buf[..count]),
                    Err(Error::WOULD_BLOCK) => {}
                    _ => {
                        set.remove(told.key);
                        continue;
                    }
                }
            }
            if let Ok(count) = socket.send(&client.rest) {
                client.rest.drain(..count);
            }
            let interest = if client.rest.is_empty() { Interest::READ } else { Interest::WRITE };
            set.set_interest(told.key, interest);
        }
    });
}

/// Whoever calls although there is nothing hears so at once.
fn no_socket_waits_in_a_call(mut set: impl Holding<()>) {
    let (listener, _) = listener();
    let udp = UdpSocket::bind(loopback()).unwrap();
    let (near, _far) = pair();
    near.set_read_timeout(None).unwrap();
    let keys = [
        set.insert(listener, (), Interest::READ).unwrap(),
        set.insert(udp, (), Interest::READ).unwrap(),
        set.insert(near, (), Interest::READ).unwrap(),
    ];
    for key in keys {
        let error = match set.get(key).unwrap().0 {
            AnySocket::Listener(listener) => listener.accept().unwrap_err(),
            AnySocket::Udp(socket) => socket.recv_from(&mut [0; 8]).unwrap_err(),
            AnySocket::Tcp(socket) => socket.recv(&mut [0; 8]).unwrap_err(),
        };
        assert_eq!(error, Error::WOULD_BLOCK);
    }
    quiet(&mut set);
}
