//! The connections that are open.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct Registry<C> {
    places: Mutex<Places<C>>,
}

struct Places<C> {
    taken: Vec<Option<C>>,
    free: Vec<usize>,
}

impl<C: Clone> Registry<C> {
    pub fn new() -> Registry<C> {
        Registry { places: Mutex::new(Places { taken: Vec::new(), free: Vec::new() }) }
    }

    /// Takes in what `make` makes for its place.
    pub fn enter(&self, make: impl FnOnce(usize) -> C) -> C {
        let mut places = self.lock();
        let place = places.free.pop().unwrap_or_else(|| {
            places.taken.push(None);
            places.taken.len() - 1
        });
        let connection = make(place);
        places.taken[place] = Some(connection.clone());
        connection
    }

    pub fn leave(&self, place: usize) {
        let mut places = self.lock();
        let connection = places.taken[place].take();
        places.free.push(place);
        drop(places);
        // Closing a socket takes a while, which is nobody else's.
        drop(connection);
    }

    pub fn is_empty(&self) -> bool {
        let places = self.lock();
        places.taken.len() == places.free.len()
    }

    /// Those that are there now, to look at without holding the others up.
    pub fn all(&self) -> Vec<C> {
        self.lock().taken.iter().flatten().cloned().collect()
    }

    /// A panic under the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Places<C>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
