//! The handle table: a value means one object or none, and an object dies once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::{explore, join};
use crate::handle::Table;

/// An object that counts its deaths.
struct Thing {
    name: u32,
    deaths: Arc<AtomicUsize>,
}

impl Drop for Thing {
    fn drop(&mut self) {
        self.deaths.fetch_add(1, Ordering::Relaxed);
    }
}

/// A table, and things to put into it.
#[derive(Clone)]
struct Shelf {
    table: &'static Table<Thing>,
    deaths: Arc<AtomicUsize>,
}

impl Shelf {
    fn new() -> Shelf {
        Shelf { table: Box::leak(Box::new(Table::new())), deaths: Arc::default() }
    }

    fn insert(&self, name: u32) -> usize {
        let thing = Thing { name, deaths: self.deaths.clone() };
        self.table.insert(thing).expect("the table has room")
    }

    /// What the value means now.
    fn name(&self, value: usize) -> Option<u32> {
        self.table.open(value).map(|thing| thing.name)
    }

    fn deaths(&self) -> usize {
        self.deaths.load(Ordering::Relaxed)
    }
}

/// Invariant d, with the slot used again at once.
#[test]
fn a_closed_value_never_opens_the_next_object() {
    explore(|| {
        let shelf = Shelf::new();
        let first = shelf.insert(1);
        let reader = {
            let shelf = shelf.clone();
            thread::spawn(move || assert!(matches!(shelf.name(first), None | Some(1))))
        };
        let closer = {
            let shelf = shelf.clone();
            thread::spawn(move || {
                drop(shelf.table.close(first));
                let second = shelf.insert(2);
                assert_ne!(first, second);
                assert_eq!(shelf.name(second), Some(2));
            })
        };
        reader.join().unwrap();
        closer.join().unwrap();
        assert_eq!(shelf.name(first), None);
        assert_eq!(shelf.deaths(), 1);
    });
}

#[test]
fn of_two_closers_one_gets_the_object() {
    explore(|| {
        let shelf = Shelf::new();
        let value = shelf.insert(1);
        let close = || {
            let shelf = shelf.clone();
            thread::spawn(move || shelf.table.close(value).is_some())
        };
        let closers = [close(), close()];
        let still_open = shelf.name(value).is_some();
        let winners = join(closers);
        assert_eq!(winners.iter().filter(|&&won| won).count(), 1, "still open: {still_open}");
        assert_eq!(shelf.deaths(), 1);
    });
}

/// The last of three references ends the object, whoever holds it, and not before.
#[test]
fn an_object_dies_with_its_last_reference() {
    explore(|| {
        let shelf = Shelf::new();
        let value = shelf.insert(1);
        let hold = || {
            let shelf = shelf.clone();
            thread::spawn(move || {
                let Some(held) = shelf.table.open(value) else { return };
                let second = held.clone();
                drop(held);
                assert_eq!((second.name, shelf.deaths()), (1, 0));
            })
        };
        let holders = [hold(), hold()];
        drop(shelf.table.close(value));
        join(holders);
        assert_eq!(shelf.deaths(), 1);
    });
}

/// `live` finds a closed object as long as it lives, and neither revives it nor finds its
/// successor.
#[test]
fn live_finds_the_living_only() {
    explore(|| {
        let shelf = Shelf::new();
        let value = shelf.insert(1);
        let held = shelf.table.open(value);
        drop(shelf.table.close(value));
        let looker = {
            let shelf = shelf.clone();
            thread::spawn(move || {
                let found = shelf.table.live(value);
                assert!(found.is_none_or(|thing| thing.name == 1));
            })
        };
        let next = {
            let shelf = shelf.clone();
            thread::spawn(move || {
                drop(held);
                let second = shelf.insert(2);
                assert_eq!(shelf.name(second), Some(2));
            })
        };
        looker.join().unwrap();
        next.join().unwrap();
        assert!(shelf.table.live(value).is_none());
        assert_eq!(shelf.deaths(), 1);
    });
}

/// Two threads fill the table past its first chunk while a third one looks into both.
#[test]
fn inserts_at_once_get_slots_of_their_own() {
    explore(|| {
        let shelf = Shelf::new();
        let insert = |name| {
            let shelf = shelf.clone();
            thread::spawn(move || {
                let values = [shelf.insert(name), shelf.insert(name + 1)];
                assert_eq!(values.map(|value| shelf.name(value)), [Some(name), Some(name + 1)]);
                values
            })
        };
        let inserters = [insert(10), insert(20)];
        let seen = shelf.table.values();
        let mut values: Vec<_> =
            inserters.into_iter().flat_map(|inserter| inserter.join().unwrap()).collect();
        assert!(seen.iter().all(|value| values.contains(value)));
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 4);
        assert_eq!(shelf.deaths(), 0);
    });
}
