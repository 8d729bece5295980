//! How many clients there are: whether there is room for more, and when the last one has left.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use winsock::Seat;

use super::watch::Notice;

/// Room may also come from elsewhere: then it is found after this long.
const ROOM: Duration = Duration::from_secs(1);

/// From how many connections on it is worth while to give their memory back once they have left.
const MANY: usize = 512;

pub struct Crowd {
    count: Mutex<Count>,
    /// Notified when somebody leaves, or no more are to come.
    left: Condvar,
    /// Told when it gets crowded or thin, and, once no more can come, when the last one has left.
    notify: Sender<Notice>,
    /// How many are a crowd.
    limit: usize,
}

#[derive(Default)]
struct Count {
    live: usize,
    /// The most there were since the last [`Notice::Thinned`].
    most: usize,
    /// No more are to come.
    shut: bool,
    /// No more can come.
    closed: bool,
}

/// Counts a client as long as it is there. What has a socket as well drops that first: who finds
/// that there is room finds the descriptor, too.
pub struct Guest {
    seat: Option<Seat>,
    crowd: Arc<Crowd>,
}

impl Guest {
    /// One who has a seat in a group, too.
    pub fn seated(mut self, seat: Seat) -> Guest {
        self.seat = Some(seat);
        self
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Whoever hears of the room looks for the seat.
        drop(self.seat.take());
        self.crowd.leave();
    }
}

impl Crowd {
    pub fn new(notify: Sender<Notice>, limit: usize) -> Crowd {
        Crowd { count: Mutex::default(), left: Condvar::new(), notify, limit }
    }

    /// One more, until the guest is dropped.
    pub fn enter(self: &Arc<Crowd>) -> Guest {
        let mut count = self.lock();
        count.live += 1;
        count.most = count.most.max(count.live);
        let is_crowd = count.live == self.limit;
        drop(count);
        if is_crowd {
            self.alert();
        }
        Guest { seat: None, crowd: Arc::clone(self) }
    }

    fn leave(&self) {
        let mut count = self.lock();
        count.live -= 1;
        let over = count.closed && count.live == 0;
        let thinned = count.most >= MANY && count.live <= count.most / 4;
        if thinned {
            count.most = count.live;
        }
        drop(count);
        self.left.notify_all();
        if over {
            let _ = self.notify.send(Notice::Empty);
        } else if thinned {
            let _ = self.notify.send(Notice::Thinned);
        }
    }

    /// Has the main thread look after those that wait.
    pub fn alert(&self) {
        // Only a server that is over has nobody listening; so for the other notices.
        let _ = self.notify.send(Notice::Crowded);
    }

    pub fn live(&self) -> usize {
        self.lock().live
    }

    pub fn is_crowded(&self) -> bool {
        self.live() >= self.limit
    }

    /// Waits until somebody has left, or a while; `false` if no more are to come anyway.
    pub fn wait_for_room(&self) -> bool {
        let count = self.lock();
        let before = count.live;
        let full = |count: &mut Count| !count.shut && count.live >= before;
        let waited = self.left.wait_timeout_while(count, ROOM, full);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !count.shut
    }

    /// No more are to be let in; whoever waits for room goes.
    pub fn shut(&self) {
        self.lock().shut = true;
        self.left.notify_all();
    }

    pub fn is_shut(&self) -> bool {
        self.lock().shut
    }

    /// No more can come. [`Notice::Empty`] follows once nobody is left.
    pub fn close(&self) {
        let mut count = self.lock();
        count.closed = true;
        if count.live == 0 {
            let _ = self.notify.send(Notice::Empty);
        }
    }

    /// A panic under the lock leaves nothing half done.
    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
