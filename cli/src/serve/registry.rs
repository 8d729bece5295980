//! The connections that are open.

use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::watch::Notice;

/// Room may also come from elsewhere: then it is found after this long.
const ROOM: Duration = Duration::from_secs(1);

/// From how many connections on it is worth while to give their memory back once they have left.
const MANY: usize = 512;

pub struct Registry<C> {
    places: Mutex<Places<C>>,
    /// Notified when somebody leaves, or no more may come.
    left: Condvar,
    /// Told when it gets crowded or thin, and, once no more may come, when the last one has left.
    notify: Sender<Notice>,
    /// How many are a crowd.
    crowd: usize,
}

struct Places<C> {
    taken: Vec<Option<C>>,
    free: Vec<usize>,
    /// The most there were since the last [`Notice::Thinned`].
    most: usize,
    closed: bool,
}

impl<C> Places<C> {
    fn live(&self) -> usize {
        self.taken.len() - self.free.len()
    }
}

impl<C> Registry<C> {
    pub fn new(notify: Sender<Notice>, crowd: usize) -> Registry<C> {
        let places = Places { taken: Vec::new(), free: Vec::new(), most: 0, closed: false };
        Registry { places: Mutex::new(places), left: Condvar::new(), notify, crowd }
    }

    /// Takes in what `make` makes for its place.
    pub fn enter(&self, make: impl FnOnce(usize) -> C) -> C
    where
        C: Clone,
    {
        let mut places = self.lock();
        let place = places.free.pop().unwrap_or_else(|| {
            places.taken.push(None);
            places.taken.len() - 1
        });
        let connection = make(place);
        places.taken[place] = Some(connection.clone());
        places.most = places.most.max(places.live());
        if places.live() == self.crowd {
            self.alert();
        }
        connection
    }

    /// Has the main thread look after those that wait.
    pub fn alert(&self) {
        // Only a server that is over has nobody listening; so for the other notices.
        let _ = self.notify.send(Notice::Crowded);
    }

    pub fn leave(&self, place: usize) {
        let mut places = self.lock();
        let connection = places.taken[place].take();
        places.free.push(place);
        let live = places.live();
        let over = places.closed && live == 0;
        let thinned = places.most >= MANY && live <= places.most / 4;
        if thinned {
            places.most = live;
        }
        drop(places);
        // Closing a socket takes a while, which is nobody else's.
        drop(connection);
        self.left.notify_all();
        if over {
            let _ = self.notify.send(Notice::Empty);
        } else if thinned {
            let _ = self.notify.send(Notice::Thinned);
        }
    }

    pub fn live(&self) -> usize {
        self.lock().live()
    }

    pub fn is_crowded(&self) -> bool {
        self.live() >= self.crowd
    }

    /// Waits until somebody has left, or a while; `false` if no more may come anyway.
    pub fn wait_for_room(&self) -> bool {
        let places = self.lock();
        let before = places.live();
        let full = |places: &mut Places<C>| !places.closed && places.live() >= before;
        let waited = self.left.wait_timeout_while(places, ROOM, full);
        let (places, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !places.closed
    }

    /// No more may come. [`Notice::Empty`] follows once nobody is left.
    pub fn close(&self) {
        let mut places = self.lock();
        places.closed = true;
        if places.live() == 0 {
            let _ = self.notify.send(Notice::Empty);
        }
        self.left.notify_all();
    }

    /// Those that are there now, to look at without holding the others up.
    pub fn all(&self) -> Vec<C>
    where
        C: Clone,
    {
        self.lock().taken.iter().flatten().cloned().collect()
    }

    /// A panic under the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Places<C>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
