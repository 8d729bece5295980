//! Whatever the dice say, bytes arrive whole and in order and no edge is lost.

use super::*;

/// The worst luck there is: even short messages are torn, and nothing but waiting helps.
const HARSH: Temper = Temper {
    segment: 7,
    split: 2,
    delay: 4,
    patience: Duration::MAX,
    repeat: 4,
    hold_back: 2,
    given_up: 2,
};

/// The same, except that no report comes twice: one would make up for an edge that was lost.
const EDGES_COUNT: Temper = Temper { repeat: 0, ..HARSH };

/// One end of a stream that trusts in edges: it tries at once, stops at EAGAIN or when a call came
/// short, and then moves for an edge alone.
struct End {
    fd: RawFd,
    to_send: Vec<u8>,
    sent: usize,
    received: Vec<u8>,
    readable: bool,
    writable: bool,
}

/// Bytes of no pattern that a shift would repeat.
fn pattern(len: usize, salt: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251 * 7 + salt) as u8).collect()
}

impl End {
    fn new(fd: RawFd, to_send: Vec<u8>) -> End {
        End { fd, to_send, sent: 0, received: Vec::new(), readable: true, writable: true }
    }

    fn on(&mut self, events: c_int) {
        self.readable |= events & IN != 0;
        self.writable |= events & OUT != 0;
    }

    fn advance(&mut self, kernel: &Kernel) {
        while self.writable && self.sent < self.to_send.len() {
            match send(kernel, self.fd, &self.to_send[self.sent..]) {
                Ok(bytes) => {
                    self.sent += bytes;
                    self.writable = self.sent == self.to_send.len();
                }
                Err(AGAIN) => self.writable = false,
                Err(errno) => panic!("send: {errno:?}"),
            }
        }
        const ROOM: usize = 100;
        while self.readable {
            match recv(kernel, self.fd, ROOM) {
                Ok(bytes) => {
                    self.readable = bytes.len() == ROOM;
                    self.received.extend(bytes);
                }
                Err(AGAIN) => self.readable = false,
                Err(errno) => panic!("recv: {errno:?}"),
            }
        }
    }
}

/// Both ends send to each other and hear of it by edges; nobody closes, which would be one more
/// edge. Returns how many waits it took.
fn converse(kernel: &Kernel, lens: [usize; 2]) -> usize {
    let (a, b) = pair(kernel);
    let mut ends = [End::new(a, pattern(lens[0], 1)), End::new(b, pattern(lens[1], 2))];
    for (token, end) in ends.iter_mut().enumerate() {
        kernel.watch(end.fd, token as u64).unwrap();
        end.advance(kernel);
    }
    for waits in 0..TOO_MANY {
        if ends[0].received.len() == lens[1] && ends[1].received.len() == lens[0] {
            assert!(ends[0].received == ends[1].to_send && ends[1].received == ends[0].to_send);
            ends.iter().for_each(|end| kernel.close(end.fd));
            return waits;
        }
        for (token, events) in wait(kernel, 0) {
            let end = &mut ends[token as usize];
            end.on(events);
            end.advance(kernel);
        }
    }
    panic!("an edge was lost: {:?}", ends.map(|end| (end.sent, end.received.len())));
}

#[test]
fn a_stream_arrives_whole_and_in_order() {
    for seed in 0..50 {
        converse(&Kernel::with_temper(seed, HARSH), [5000, 700]);
        converse(&Kernel::with_temper(seed, EDGES_COUNT), [5000, 700]);
    }
}

#[test]
fn so_does_a_long_one_through_a_small_buffer_and_with_the_usual_luck() {
    for seed in 0..10 {
        converse(&Kernel::new(seed), [600_000, 300_000]);
    }
}

#[test]
fn the_same_seed_is_the_same_luck() {
    let waits = |seed| {
        let kernel = Kernel::with_temper(seed, HARSH);
        [100, 1000, 2000].map(|len| converse(&kernel, [len, len]))
    };
    assert_eq!(waits(3), waits(3));
    assert!((4..9).any(|seed| waits(seed) != waits(3)));
}

#[test]
fn no_connection_is_lost_and_none_out_of_turn() {
    for seed in 0..50 {
        let kernel = Kernel::with_temper(seed, EDGES_COUNT);
        let (listener, address) = listener(&kernel, 2);
        kernel.watch(listener, 0).unwrap();
        let clients: Vec<RawFd> = (0..8).map(|_| client(&kernel, &address)).collect();
        let mut accepted = Vec::new();
        for _ in 0..TOO_MANY {
            if wait(&kernel, 0).iter().any(|(_, events)| events & IN != 0) {
                loop {
                    match kernel.accept(listener) {
                        Ok((fd, peer)) => accepted.push((fd, peer.port())),
                        Err(Errno(libc::ECONNABORTED)) => {} // A stranger's: ours wait behind it.
                        Err(AGAIN) => break,
                        Err(errno) => panic!("accept: {errno:?}"),
                    }
                }
            }
            if accepted.len() == clients.len() {
                break;
            }
        }
        let ports: Vec<u16> = accepted.iter().map(|(_, port)| *port).collect();
        let callers = clients.iter().map(|fd| kernel.local_address(*fd).unwrap().port());
        assert_eq!(ports, callers.collect::<Vec<u16>>(), "seed {seed}");
    }
}

#[test]
fn datagrams_stay_whole_and_in_order() {
    for seed in 0..50 {
        let kernel = Kernel::with_temper(seed, EDGES_COUNT);
        let (a, b) = (datagram(&kernel), datagram(&kernel));
        let to = bound(&kernel, b);
        kernel.watch(b, 0).unwrap();
        let sent: Vec<Vec<u8>> = (0..20).map(|len| pattern(len * 9, len)).collect();
        for bytes in &sent {
            assert_eq!(send_to(&kernel, a, bytes, Some(&to)), Ok(bytes.len()));
        }
        let mut received = Vec::new();
        for _ in 0..TOO_MANY {
            if wait(&kernel, 0).iter().any(|(_, events)| events & IN != 0) {
                while let Ok(bytes) = recv(&kernel, b, 500) {
                    received.push(bytes);
                }
            }
            if received.len() == sent.len() {
                break;
            }
        }
        assert_eq!(received, sent, "seed {seed}");
    }
}

#[test]
fn a_receive_for_all_and_a_short_message_are_not_torn() {
    for seed in 0..20 {
        let kernel = Kernel::with_temper(seed, Temper { delay: 0, ..HARSH });
        let (a, b) = pair(&kernel);
        assert_eq!(send(&kernel, a, b"1234567"), Ok(7));
        assert_eq!(recv(&kernel, b, 64).unwrap(), b"1234567");
        let mut sent = 0;
        while sent < 70 {
            sent += send(&kernel, a, &pattern(70 - sent, 0)).unwrap();
        }
        assert_eq!(recv_with(&kernel, b, 70, libc::MSG_WAITALL).unwrap().len(), 70);
    }
}

#[test]
fn who_only_sleeps_finds_what_was_sent() {
    let kernel = Kernel::with_temper(1, Temper { patience: Duration::from_millis(1), ..HARSH });
    let (a, b) = pair(&kernel);
    for _ in 0..10 {
        assert_eq!(send(&kernel, a, b"x"), Ok(1));
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(recv(&kernel, b, 1).unwrap(), b"x");
    }
}

#[test]
fn a_thread_that_waits_for_one_socket_is_late_but_not_lost() {
    for seed in 0..20 {
        let kernel = Kernel::with_temper(seed, HARSH);
        let (a, b) = pair(&kernel);
        let sent = pattern(2000, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut left = &sent[..];
                while !left.is_empty() {
                    match send(&kernel, a, left) {
                        Ok(bytes) => left = &left[bytes..],
                        Err(AGAIN) => assert!(shows(&kernel, a, libc::POLLOUT, SOON_NS)),
                        Err(errno) => panic!("send: {errno:?}"),
                    }
                }
                kernel.close(a);
            });
            let mut received = Vec::new();
            loop {
                match recv(&kernel, b, 64) {
                    Ok(bytes) if bytes.is_empty() => break,
                    Ok(bytes) => received.extend(bytes),
                    Err(AGAIN) => assert!(shows(&kernel, b, libc::POLLIN, SOON_NS)),
                    Err(errno) => panic!("recv: {errno:?}"),
                }
            }
            assert!(received == sent, "seed {seed}");
        });
    }
}
