//! What only a ready set does: holding more than 64 sockets.

mod common;

use common::{NEVER, SOON, pair};
use winsock::{AnySocket, Interest, Notice, ReadySet};

#[test]
fn two_hundred_sockets() {
    let mut set: ReadySet<usize> = ReadySet::new().unwrap();
    let mut fars = Vec::new();
    let mut keys = Vec::new();
    for number in 0..200 {
        let (near, far) = pair();
        keys.push(set.insert(near, number, Interest::READ).unwrap());
        fars.push(far);
    }
    // Among them some that are not asked for.
    for key in keys.iter().step_by(3) {
        set.set_interest(*key, Interest::NONE);
    }
    for far in fars.iter().rev() {
        far.send(b"x").unwrap();
    }
    let mut seen = vec![0; 200];
    while seen.iter().sum::<usize>() < 133 {
        let Some(Notice::Ready(ready)) = set.next(Some(SOON)).unwrap() else { panic!() };
        let Some((AnySocket::Tcp(socket), number)) = set.get(ready.key) else { panic!() };
        assert_eq!(socket.recv(&mut [0; 8]), Ok(1));
        seen[*number] += 1;
    }
    assert!(seen.iter().enumerate().all(|(number, &count)| (number % 3 != 0) == (count == 1)));
    assert_eq!(set.next(Some(NEVER)).unwrap(), None);
    // They come and go.
    for (number, key) in keys.iter().enumerate() {
        if number % 2 == 0 {
            set.remove(*key).unwrap();
        } else {
            fars[number].send(b"y").unwrap();
            set.set_interest(*key, Interest::READ);
        }
    }
    assert_eq!(set.len(), 100);
    let mut odd = 0;
    while odd < 100 {
        let Some(Notice::Ready(ready)) = set.next(Some(SOON)).unwrap() else { panic!() };
        let Some((AnySocket::Tcp(socket), number)) = set.get(ready.key) else { panic!() };
        assert_eq!(number % 2, 1);
        let _ = socket.recv(&mut [0; 8]);
        set.remove(ready.key);
        odd += 1;
    }
}
