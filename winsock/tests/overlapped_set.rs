//! What only an overlapped set does: its limit, and being reached from other threads.

mod common;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use common::{SOON, Served, listener, next, pair, receive, silent};
use winsock::{Completion, Error, Operations, OverlappedSet, Port, TcpSocket};

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn sixty_three_are_in_flight_and_no_more() {
    let set = OverlappedSet::new().unwrap();
    let (near, far) = pair();
    assert_eq!((OverlappedSet::<()>::MAX, set.room()), (63, 63));
    for number in 0..64 {
        set.recv(&near, Vec::with_capacity(1), number);
    }
    assert_eq!(set.room(), 0);
    // The one too many comes back, with its buffer.
    let Completion::Recv { token: 63, buf, result } = next(&set) else { panic!() };
    assert_eq!((buf.capacity(), result), (1, Err(Error::NO_BUFFER_SPACE)));
    silent(&set);
    // Those that end make room, and take nobody's turn.
    far.send(&[7; 10]).unwrap();
    for number in 0..10 {
        let Completion::Recv { token, result: Ok(1), .. } = next(&set) else { panic!() };
        assert_eq!(token, number);
    }
    assert_eq!(set.room(), 10);
    set.recv(&near, Vec::with_capacity(1), 64);
    far.send(&[8; 54]).unwrap();
    for number in (10..63).chain([64]) {
        let Completion::Recv { token, result: Ok(1), .. } = next(&set) else { panic!() };
        assert_eq!(token, number);
    }
    assert_eq!((set.room(), set.in_flight()), (63, 0));
}

#[test]
fn all_that_have_ended_come_before_the_next_wait() {
    let set = OverlappedSet::new().unwrap();
    let pairs: Vec<_> = (0..40).map(|_| pair()).collect();
    for (number, (near, _)) in pairs.iter().enumerate() {
        set.recv(near, Vec::with_capacity(8), number);
    }
    for (_, far) in &pairs {
        far.send(b"once").unwrap();
    }
    // The first is busy and would be found first, each time. The others end when the thread that
    // reaps finds time to; that takes many of its turns if the machine is busy.
    let mut turns = [0; 40];
    while turns.contains(&0) {
        pairs[0].1.send(b"again").unwrap();
        let Completion::Recv { token, buf, result: Ok(1..) } = next(&set) else { panic!() };
        turns[token] += 1;
        if token == 0 {
            set.recv(&pairs[0].0, buf, 0);
        }
        assert!(turns[0] < 100_000, "{turns:?}");
    }
}

/// Operations that end at once do not keep those of others from being seen.
#[test]
fn a_flood_does_not_starve_the_others() {
    let (near, _far) = pair();
    let (quiet, other) = pair();
    let set = OverlappedSet::new().unwrap();
    set.recv(&quiet, Vec::with_capacity(8), "quiet");
    let udp = winsock::UdpSocket::bind(common::loopback()).unwrap();
    let nowhere = udp.local_addr().unwrap();
    set.send_to(&udp, vec![0; 8], nowhere, "flood");
    other.send(b"hello").unwrap();
    drop(near);
    for _ in 0..100_000 {
        match next(&set) {
            Completion::SendTo { buf, .. } => {
                set.send_to(&udp, buf, nowhere, "flood");
            }
            Completion::Recv { token: "quiet", result: Ok(5), .. } => return,
            other => panic!("{other:?}"),
        }
    }
    panic!("the quiet one was never heard");
}

#[test]
fn a_port_hears_nothing_of_it() {
    let (port, set) = (Port::new().unwrap(), OverlappedSet::new().unwrap());
    let (near, far) = pair();
    set.recv(&near, Vec::with_capacity(1), "set, before");
    port.recv(&near, Vec::with_capacity(1), "port");
    set.recv(&near, Vec::with_capacity(1), "set, after");
    far.send(b"123").unwrap();
    let Completion::Recv { token: "port", buf, .. } = next(&port) else { panic!() };
    assert_eq!(buf, b"2");
    let Completion::Recv { token: "set, before", buf, .. } = next(&set) else { panic!() };
    assert_eq!(buf, b"1");
    let Completion::Recv { token: "set, after", buf, .. } = next(&set) else { panic!() };
    assert_eq!(buf, b"3");
    silent(&port);
}

#[test]
fn time_out_is_no_error() {
    let set = OverlappedSet::<()>::new().unwrap();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert!(set.next(Some(timeout)).unwrap().is_none());
    }
}

#[test]
fn receives_of_one_socket_keep_their_order_while_the_sender_runs() {
    let set = OverlappedSet::new().unwrap();
    let (near, far) = pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..2000_u32 {
                far.send(&number.to_le_bytes()).unwrap();
            }
        });
        for _ in 0..20 {
            set.recv(&near, Vec::with_capacity(4), ());
        }
        let mut bytes = Vec::new();
        while bytes.len() < 8000 {
            let Completion::Recv { buf, result: Ok(1..), .. } = next(&set) else { panic!() };
            bytes.extend_from_slice(&buf);
            set.recv(&near, buf, ());
        }
        let numbers = bytes.chunks(4).map(|chunk| u32::from_le_bytes(chunk.try_into().unwrap()));
        assert!(numbers.eq(0..2000));
    });
}

#[test]
fn posted_from_another_thread() {
    let set = OverlappedSet::new().unwrap();
    let (near, far) = pair();
    set.recv(&near, Vec::with_capacity(8), 1000);
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
            let Completion::Post { token } = next(&set) else { panic!() };
            assert_eq!(token, number);
            if number % 50 == 0 {
                done.send(()).unwrap();
            }
        }
    });
    far.send(b"last").unwrap();
    assert_eq!(next(&set).token(), &1000);
}

#[test]
fn a_poster_outlives_the_set() {
    let census = common::Census::default();
    let set = OverlappedSet::<_>::new().unwrap();
    let poster = set.poster();
    for _ in 0..3 {
        poster.post(census.member()).unwrap();
    }
    drop(next(&set));
    assert_eq!(census.alive(), 2);
    drop(set);
    assert_eq!(census.alive(), 0);
    assert!(poster.post(census.member()).is_err());
    assert_eq!(census.alive(), 0);
}

#[test]
fn without_waiting_it_is_asked_again() {
    let set = OverlappedSet::new().unwrap();
    let (near, far) = pair();
    set.recv(&near, Vec::with_capacity(8), ());
    assert!(set.take(NOW).unwrap().is_none());
    far.send(b"now").unwrap();
    let started = std::time::Instant::now();
    while set.next(NOW).unwrap().is_none() {
        assert!(started.elapsed() < SOON, "polling sees it");
    }
}

#[test]
fn many_sets_share_a_socket() {
    let (near, far) = pair();
    let sets: Vec<OverlappedSet<usize>> = (0..3).map(|_| OverlappedSet::new().unwrap()).collect();
    for (number, set) in sets.iter().enumerate() {
        set.recv(&near, Vec::with_capacity(2), number);
    }
    far.send(b"aabbcc").unwrap();
    for (number, set) in sets.iter().enumerate() {
        let Completion::Recv { token, buf, .. } = next(set) else { panic!() };
        assert_eq!((token, buf), (number, vec![b'a' + number as u8; 2]));
    }
}

#[test]
fn an_echo_in_one_thread() {
    let (listener, address) = listener();
    let set = OverlappedSet::new().unwrap();
    for _ in 0..3 {
        set.accept(&listener, None);
    }
    thread::scope(|scope| {
        let poster = set.poster();
        scope.spawn(move || {
            let clients: Vec<_> = (0..50).map(|_| TcpSocket::connect(address).unwrap()).collect();
            for round in 0..20 {
                for client in &clients {
                    client.send(&[round; 100]).unwrap();
                }
                for client in &clients {
                    assert_eq!(receive(client, 100), [round; 100]);
                }
            }
            drop(clients);
            poster.post(None).unwrap();
        });
        loop {
            match next(&set) {
                Completion::Accept { result, .. } => {
                    set.accept(&listener, None);
                    let client = Arc::new(result.unwrap().socket);
                    set.recv(&client, Vec::with_capacity(64), Some(client.clone()));
                }
                Completion::Recv { token: Some(client), buf, result: Ok(1..) } => {
                    set.send(&client, buf, Some(client.clone()));
                }
                Completion::Send { token: Some(client), buf, result: Ok(_) } => {
                    set.recv(&client, buf, Some(client.clone()));
                }
                Completion::Post { .. } => break,
                _ => {}
            }
        }
    });
}
