//! Events, and waiting for several.

mod common;

use std::thread;
use std::time::Duration;

use common::{NEVER, SOON};
use winsock::{Event, WaitSet};

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn manual_stays_auto_does_not() {
    let (manual, auto) = (Event::manual_reset().unwrap(), Event::auto_reset().unwrap());
    for event in [&manual, &auto] {
        assert_eq!(event.wait(NOW), Ok(false));
        event.set();
        assert_eq!(event.wait(NOW), Ok(true));
    }
    assert_eq!((manual.wait(NOW), auto.wait(NOW)), (Ok(true), Ok(false)));
    manual.reset();
    assert_eq!(manual.wait(NOW), Ok(false));
}

#[test]
fn the_lowest_of_those_that_are_set() {
    let events: Vec<Event> = (0..64).map(|_| Event::auto_reset().unwrap()).collect();
    let set = WaitSet::new(&events).unwrap();
    assert_eq!(set.wait_any(NOW), Ok(None));
    for index in [63, 5, 17] {
        events[index].set();
    }
    for index in [5, 17, 63] {
        assert_eq!(set.wait_any(Some(SOON)), Ok(Some(index)));
    }
    assert_eq!(set.wait_any(NOW), Ok(None));
}

#[test]
fn all_or_nothing() {
    let (a, b) = (Event::auto_reset().unwrap(), Event::auto_reset().unwrap());
    let both = WaitSet::from([&a, &b]);
    a.set();
    assert_eq!(both.wait_all(Some(NEVER)), Ok(false));
    assert_eq!(a.wait(NOW), Ok(true), "the wait in vain took nothing");
    a.set();
    b.set();
    assert_eq!(both.wait_all(Some(SOON)), Ok(true));
    assert_eq!((a.wait(NOW), b.wait(NOW)), (Ok(false), Ok(false)));
}

#[test]
fn sets_have_one_to_64() {
    let event = Event::manual_reset().unwrap();
    assert!(WaitSet::new([]).is_none());
    assert!(WaitSet::new(vec![&event; 64]).is_some());
    assert!(WaitSet::new(vec![&event; 65]).is_none());
}

#[test]
fn ping_pong() {
    let (ping, pong) = (Event::auto_reset().unwrap(), Event::auto_reset().unwrap());
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..200 {
                assert_eq!(ping.wait(Some(SOON)), Ok(true));
                pong.set();
            }
        });
        for _ in 0..200 {
            ping.set();
            assert_eq!(pong.wait(Some(SOON)), Ok(true));
        }
    });
}
