//! Operations started, cancelled, closed and waited for in no order at all, by two threads: every
//! one ends once, and nothing stays alive.

mod common;

use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Census, Counted, Member, loopback};
use winsock::{Batch, Listener, Operations, Port, TcpSocket, Ticket};

/// xorshift: the same sequence on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }
}

/// What the two threads share.
struct Table {
    port: Port<Member, Counted>,
    listener: Listener,
    census: Census,
    sockets: Mutex<Vec<TcpSocket>>,
    tickets: Mutex<Vec<Ticket>>,
    started: AtomicUsize,
    ended: AtomicUsize,
}

impl Table {
    fn act(&self, dice: &mut Dice) {
        let mut sockets = self.sockets.lock().unwrap();
        if sockets.len() < 4 || dice.roll(20) == 0 {
            let address = self.listener.local_addr().unwrap();
            sockets.push(TcpSocket::connect(address).unwrap());
            sockets.push(self.listener.accept().unwrap().0);
            return;
        }
        let place = dice.roll(sockets.len());
        let socket = &sockets[place];
        match dice.roll(16) {
            0..6 => {
                let room = dice.roll(40);
                let buf = self.census.buffer(Vec::with_capacity(room));
                self.note(self.port.recv(socket, buf, self.census.member()));
            }
            6..11 => {
                let data = vec![7; dice.roll(60)];
                let buf = self.census.buffer(data);
                self.note(self.port.send(socket, buf, self.census.member()));
            }
            11 => {
                let _ = socket.shutdown(Shutdown::Write); // It may have ended already.
            }
            12 => {
                socket.cancel();
            }
            13 => {
                if dice.roll(2) == 0 {
                    socket.set_linger(Some(Duration::ZERO)).unwrap();
                }
                drop(sockets.swap_remove(place));
            }
            _ => {
                let tickets = self.tickets.lock().unwrap();
                if !tickets.is_empty() {
                    self.port.cancel(tickets[dice.roll(tickets.len())]);
                }
            }
        }
    }

    fn note(&self, ticket: Ticket) {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.tickets.lock().unwrap().push(ticket);
    }

    /// Takes what there is, but not always all of it.
    fn wait(&self, batch: &mut Batch, dice: &mut Dice) {
        let completions = self.port.wait(batch, Some(Duration::from_millis(1))).unwrap();
        for completion in completions {
            self.ended.fetch_add(1, Ordering::SeqCst);
            drop(completion);
            if dice.roll(10) == 0 {
                break;
            }
        }
    }
}

fn play(seed: u64) {
    let table = Table {
        port: Port::new().unwrap(),
        listener: Listener::bind(loopback()).unwrap(),
        census: Census::default(),
        sockets: Mutex::default(),
        tickets: Mutex::default(),
        started: AtomicUsize::new(0),
        ended: AtomicUsize::new(0),
    };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut batch, mut dice) = (Batch::new(8), Dice(seed ^ 0x5555));
            while !over.load(Ordering::SeqCst) {
                table.wait(&mut batch, &mut dice);
            }
        });
        let mut dice = Dice(seed);
        for _ in 0..2000 {
            table.act(&mut dice);
        }
        over.store(true, Ordering::SeqCst);
    });
    let Table { port, census, sockets, started, ended, .. } = table;
    assert_eq!(started.into_inner(), ended.into_inner() + port.in_flight());
    assert_eq!(census.alive(), 2 * port.in_flight());
    if seed.is_multiple_of(2) {
        drop(sockets);
        drop(port);
    } else {
        drop(port);
        drop(sockets);
    }
    assert_eq!(census.alive(), 0);
}

#[test]
fn no_order_at_all() {
    for seed in 1..=6 {
        play(seed);
    }
}
