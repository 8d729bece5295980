//! What only an event set does: its limit, and its events.

mod common;

use std::thread;
use std::time::Duration;

use common::{SOON, listener, pair};
use winsock::{AnySocket, Error, EventSet, Interest, Notice, TcpSocket};

#[test]
fn the_64th_socket_comes_back() {
    let mut set: EventSet<usize> = EventSet::new().unwrap();
    assert_eq!(EventSet::<usize>::MAX, 63);
    let mut fars = Vec::new();
    for number in 0..63 {
        let (near, far) = pair();
        set.insert(near, number, Interest::READ).unwrap();
        fars.push(far);
    }
    let (near, far) = pair();
    let rejected = set.insert(near, 63, Interest::READ).unwrap_err();
    assert!(rejected.is_full() && rejected.token == 63);
    assert_eq!(rejected.error, Error::NO_BUFFER_SPACE);
    // It is none the worse for it.
    let AnySocket::Tcp(near) = rejected.socket else { panic!() };
    far.send(b"x").unwrap();
    assert_eq!(near.recv(&mut [0; 8]), Ok(1));
    // All others are told of.
    for far in &fars {
        far.send(b"x").unwrap();
    }
    let mut keys = Vec::new();
    while keys.len() < 63 {
        let Some(Notice::Ready(ready)) = set.next(Some(SOON)).unwrap() else { panic!() };
        let Some((AnySocket::Tcp(socket), _)) = set.get(ready.key) else { panic!() };
        if socket.recv(&mut [0; 8]).is_ok() {
            keys.push(ready.key);
        }
    }
    // Whoever leaves makes room.
    set.remove(keys[20]).unwrap();
    let key = set.insert(near, 63, Interest::READ).unwrap();
    far.send(b"y").unwrap();
    let Some(Notice::Ready(ready)) = set.next(Some(SOON)).unwrap() else { panic!() };
    assert_eq!(ready.key, key);
}

#[test]
fn events_are_used_again_without_what_they_told_before() {
    let mut set: EventSet<()> = EventSet::new().unwrap();
    for _ in 0..10 {
        let (near, far) = pair();
        let key = set.insert(near, (), Interest::READ).unwrap();
        far.send(b"x").unwrap();
        // Not waited for: its event stays set.
        thread::sleep(Duration::from_millis(2));
        set.remove(key).unwrap();
    }
    let (near, _far) = pair();
    set.insert(near, (), Interest::READ).unwrap();
    assert_eq!(set.next(Some(common::NEVER)).unwrap(), None);
}

#[test]
fn a_set_moves_between_threads() {
    let mut set: EventSet<()> = EventSet::new().unwrap();
    let (listener, address) = listener();
    set.insert(listener, (), Interest::READ).unwrap();
    let waiting = thread::spawn(move || {
        let told = set.next(Some(SOON)).unwrap();
        assert!(matches!(told, Some(Notice::Ready(_))));
        set
    });
    let _client = TcpSocket::connect(address).unwrap();
    let mut set = waiting.join().unwrap();
    assert!(matches!(set.next(Some(SOON)).unwrap(), Some(Notice::Ready(_))));
}
