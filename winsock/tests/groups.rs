//! Clients dealt to groups: at the limit, beyond it, and when they leave.

mod common;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{SOON, listener, receive};
use winsock::{
    AnySocket, Completion, Error, EventSet, Groups, Interest, Listener, Member, Notice, Operations,
    Order, OverlappedSet, Routines, Seat, TcpSocket,
};

/// Echoes, for one group, with an event set.
fn by_events(member: Member<TcpSocket>) {
    let mut set: EventSet<Seat, Order<TcpSocket>> = EventSet::new().unwrap();
    member.ready(set.poster());
    let mut buf = [0; 256];
    loop {
        match set.next(None).unwrap() {
            Some(Notice::Post(Order::Serve(client, seat))) => {
                set.insert(client, seat, Interest::READ).unwrap();
            }
            Some(Notice::Post(Order::Stop)) => return,
            Some(Notice::Ready(ready)) => {
                let Some((AnySocket::Tcp(client), _)) = set.get(ready.key) else { continue };
                match client.recv(&mut buf) {
                    Ok(count @ 1..) => assert_eq!(client.send(&buf[..count]), Ok(count)),
                    Err(Error::WOULD_BLOCK) => {}
                    _ => drop(set.remove(ready.key)),
                }
            }
            None => {}
        }
    }
}

enum Token {
    Order(Order<TcpSocket>),
    Client(Arc<TcpSocket>, Seat),
}

impl From<Order<TcpSocket>> for Token {
    fn from(order: Order<TcpSocket>) -> Token {
        Token::Order(order)
    }
}

/// What follows on a completion; `false` when it is time to stop.
fn turn(model: &impl Operations<Token>, completion: Completion<Token>) -> bool {
    match completion {
        Completion::Post { token: Token::Order(Order::Serve(client, seat)) } => {
            let client = Arc::new(client);
            model.recv(&client.clone(), Vec::with_capacity(256), Token::Client(client, seat));
        }
        Completion::Recv { token: Token::Client(client, seat), buf, result: Ok(1..) } => {
            model.send(&client.clone(), buf, Token::Client(client, seat));
        }
        Completion::Send { token: Token::Client(client, seat), buf, result: Ok(_) } => {
            model.recv(&client.clone(), buf, Token::Client(client, seat));
        }
        Completion::Post { token: Token::Order(Order::Stop) } => return false,
        over => drop(over),
    }
    true
}

fn by_overlapped_events(member: Member<TcpSocket>) {
    let set = OverlappedSet::<Token>::new().unwrap();
    member.ready(set.poster());
    while turn(&set, set.next(None).unwrap().unwrap()) {}
}

fn by_routines(member: Member<TcpSocket>) {
    let routines = Routines::<Token>::new().unwrap();
    member.ready(routines.poster());
    while turn(&routines, routines.next(None).unwrap().unwrap()) {}
}

/// Connects `count` clients and deals the other ends.
fn clients(groups: &Groups<TcpSocket>, listener: &Listener, count: usize) -> Vec<TcpSocket> {
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    for _ in 0..count {
        clients.push(TcpSocket::connect(address).unwrap());
        groups.deal(listener.accept().unwrap().0).unwrap();
    }
    clients
}

#[track_caller]
fn converse(clients: &[TcpSocket]) {
    for (number, client) in clients.iter().enumerate() {
        (&mut &*client).write_all(&[number as u8; 100]).unwrap();
    }
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(receive(client, 100), [number as u8; 100]);
    }
}

#[track_caller]
fn eventually(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < SOON);
        thread::sleep(Duration::from_millis(1));
    }
}

/// At the limit and beyond it nobody is lost.
fn filled(work: fn(Member<TcpSocket>)) {
    let groups = Groups::filled(63, work);
    let (listener, _) = listener();
    assert_eq!((groups.clients(), groups.threads()), (0, 0));
    let mut all = Vec::new();
    for (count, threads) in [(1, 1), (62, 1), (1, 2), (62, 2), (1, 3), (30, 3)] {
        all.extend(clients(&groups, &listener, count));
        assert_eq!((groups.clients(), groups.threads()), (all.len(), threads));
        converse(&all);
    }
    // Room in the first group is filled first.
    drop(all.drain(..10));
    eventually(|| groups.clients() == all.len());
    all.extend(clients(&groups, &listener, 10));
    assert_eq!(groups.threads(), 3);
    converse(&all);
    // When all have left one thread waits for more.
    drop(all);
    eventually(|| groups.clients() == 0);
    eventually(|| groups.threads() == 1);
    let few = clients(&groups, &listener, 5);
    converse(&few);
    groups.end();
    // The sets are gone, and with them the sockets.
    for client in few {
        assert!(matches!(client.recv(&mut [0; 8]), Ok(0) | Err(Error::CONNECTION_RESET)));
    }
}

#[test]
fn groups_of_event_sets() {
    filled(by_events);
}

#[test]
fn groups_of_overlapped_sets() {
    filled(by_overlapped_events);
}

#[test]
fn spread_evenly() {
    let groups = Groups::spread(3, by_routines).unwrap();
    let (listener, _) = listener();
    assert_eq!(groups.threads(), 3);
    let mut all = clients(&groups, &listener, 100);
    converse(&all);
    drop(all.drain(..50));
    eventually(|| groups.clients() == 50);
    all.extend(clients(&groups, &listener, 50));
    converse(&all);
    assert_eq!((groups.clients(), groups.threads()), (100, 3));
    drop(groups);
}

#[test]
fn a_thread_that_cannot_begin_gives_the_client_back() {
    static TRIES: AtomicUsize = AtomicUsize::new(0);
    let groups = Groups::<TcpSocket>::filled(63, |member| {
        TRIES.fetch_add(1, Ordering::SeqCst);
        drop(member);
    });
    let (near, far) = common::pair();
    let undealt = groups.deal(near).unwrap_err();
    assert_eq!((TRIES.load(Ordering::SeqCst), groups.threads()), (1, 0));
    far.send(b"x").unwrap();
    assert_eq!(undealt.value.recv(&mut [0; 8]), Ok(1));
    groups.end();
}

#[test]
fn a_thread_that_has_ended_is_replaced() {
    let groups = Groups::<TcpSocket>::filled(63, |member| {
        let mut set: EventSet<Seat, Order<TcpSocket>> = EventSet::new().unwrap();
        member.ready(set.poster());
        // It serves one client, and no more.
        let order = set.next(None).unwrap();
        assert!(matches!(order, Some(Notice::Post(Order::Serve(..) | Order::Stop))));
    });
    for _ in 0..5 {
        let (near, far) = common::pair();
        groups.deal(near).unwrap();
        assert!(matches!(far.recv(&mut [0; 8]), Ok(0) | Err(Error::CONNECTION_RESET)));
        // Its thread may take a while to end.
        eventually(|| groups.clients() == 0);
    }
    groups.end();
}

#[test]
#[should_panic(expected = "a bug in the handler")]
fn a_panic_comes_out_at_the_end() {
    let groups = Groups::<TcpSocket>::filled(63, |member| {
        let mut set: EventSet<Seat, Order<TcpSocket>> = EventSet::new().unwrap();
        member.ready(set.poster());
        drop(set.next(None));
        std::panic::resume_unwind(Box::new("a bug in the handler"));
    });
    groups.deal(common::pair().0).unwrap();
    groups.end();
}
