//! Operations started, cancelled, closed and waited for in no order at all, on a port by two
//! threads: every one ends once, and nothing stays alive.

mod common;

use std::net::Shutdown;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Census, Counted, Member, Served, loopback};
use winsock::{Listener, OverlappedSet, Port, Routines, TcpSocket, Ticket};

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

/// What the two threads share, if there are two.
struct Table<M> {
    model: M,
    listener: Listener,
    census: Census,
    sockets: Mutex<Vec<TcpSocket>>,
    tickets: Mutex<Vec<Ticket>>,
    started: AtomicUsize,
    ended: AtomicUsize,
}

impl<M: Served<Member, Counted>> Table<M> {
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
                self.note(self.model.recv(socket, buf, self.census.member()));
            }
            6..11 => {
                let data = vec![7; dice.roll(60)];
                let buf = self.census.buffer(data);
                self.note(self.model.send(socket, buf, self.census.member()));
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
                    self.model.cancel(tickets[dice.roll(tickets.len())]);
                }
            }
        }
    }

    fn note(&self, ticket: Ticket) {
        self.started.fetch_add(1, Ordering::SeqCst);
        self.tickets.lock().unwrap().push(ticket);
    }

    /// Takes some of what there is.
    fn take(&self, dice: &mut Dice) {
        while let Some(completion) = self.model.take(Some(Duration::from_millis(1))).unwrap() {
            self.ended.fetch_add(1, Ordering::SeqCst);
            drop(completion);
            if dice.roll(10) == 0 {
                break;
            }
        }
    }
}

impl<M: Served<Member, Counted>> Table<M> {
    fn new(model: M) -> Table<M> {
        Table {
            model,
            listener: Listener::bind(loopback()).unwrap(),
            census: Census::default(),
            sockets: Mutex::default(),
            tickets: Mutex::default(),
            started: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        }
    }

    fn clear(self, sockets_first: bool) {
        let Table { model, census, sockets, started, ended, .. } = self;
        assert_eq!(started.into_inner(), ended.into_inner() + model.in_flight());
        assert!(census.alive() >= 2 * model.in_flight());
        if sockets_first {
            drop(sockets);
            drop(model);
        } else {
            drop(model);
            drop(sockets);
        }
        assert_eq!(census.alive(), 0);
    }
}

/// One thread starts, another takes.
fn play_in_two(seed: u64) {
    let table = Table::new(Port::new().unwrap());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut dice = Dice(seed ^ 0x5555);
            while !over.load(Ordering::SeqCst) {
                table.take(&mut dice);
            }
        });
        let mut dice = Dice(seed);
        for _ in 0..2000 {
            table.act(&mut dice);
        }
        over.store(true, Ordering::SeqCst);
    });
    table.clear(seed.is_multiple_of(2));
}

/// One thread starts and takes.
fn play_in_one(model: impl Served<Member, Counted>, seed: u64) {
    let table = Table::new(model);
    let mut dice = Dice(seed);
    for _ in 0..2000 {
        table.act(&mut dice);
        if dice.roll(8) == 0 {
            table.take(&mut dice);
        }
    }
    // What has landed and was not taken is in flight no more, and dropped with the model.
    while table.model.take(Some(Duration::from_millis(20))).unwrap().is_some() {
        table.ended.fetch_add(1, Ordering::SeqCst);
    }
    table.clear(seed.is_multiple_of(2));
}

#[test]
fn no_order_at_all_on_a_port() {
    for seed in 1..=6 {
        play_in_two(seed);
        play_in_one(Port::new().unwrap(), seed);
    }
}

#[test]
fn no_order_at_all_in_an_overlapped_set() {
    for seed in 1..=6 {
        play_in_one(OverlappedSet::new().unwrap(), seed);
    }
}

#[test]
fn no_order_at_all_with_routines() {
    for seed in 1..=6 {
        play_in_one(Routines::new().unwrap(), seed);
    }
}
