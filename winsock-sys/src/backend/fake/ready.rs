//! The readiness queue: epoll as the library uses it, every socket edge-triggered and registered
//! once.
//!
//! As in epoll, an edge only puts a socket into the list; which events hold is looked up by the
//! wait that reports it, and a socket for which none holds any more is not reported.

use std::cell::Cell;
use std::os::fd::RawFd;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libc::{c_int, pollfd};

use super::socket::{Id, Socket};
use super::{Call, Kernel, Net};
use crate::sys::{Errno, Readiness, Result, Room};

/// What the library registers for; the other two epoll reports unasked.
const WATCHED: u32 = (libc::EPOLLIN
    | libc::EPOLLPRI
    | libc::EPOLLOUT
    | libc::EPOLLRDHUP
    | libc::EPOLLERR
    | libc::EPOLLHUP) as u32;

thread_local! {
    /// The alerts that the thread has heard of: see [`Kernel::wait_any`].
    static HEARD: Cell<u64> = const { Cell::new(0) };
}

impl Kernel {
    /// Registers a descriptor. What holds already is reported once.
    pub fn watch(&self, fd: RawFd, token: u64) -> Result<()> {
        self.on(fd, Some(Call::Watch), |net, id| {
            let socket = net.socket_mut(id);
            if socket.token.is_some() {
                return Err(Errno(libc::EEXIST));
            }
            socket.token = Some(token);
            net.raise(id);
            Ok(())
        })
    }

    /// Waits for reports, of which it puts some into `room` and returns how many; -1 ms is for
    /// ever.
    ///
    /// It returns early and empty-handed, as for a signal, while something is still under way: this
    /// wait was then one of those that the arrival misses.
    pub fn wait(&self, timeout_ms: c_int, room: &mut Room) -> usize {
        let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut net = self.enter();
        net.tick();
        loop {
            let count = net.report(room);
            let kicked = std::mem::take(&mut net.kicked);
            if count > 0 || kicked || !net.travelling.is_empty() {
                self.leave(net);
                return count;
            }
            match self.sleep(net, deadline) {
                Some(awake) => net = awake,
                None => return 0,
            }
            net.deliver();
        }
    }

    /// Makes a wait in progress, or the next one, return.
    pub fn kick(&self) {
        let mut net = self.enter();
        net.kicked = true;
        net.stir = true;
        self.leave(net);
    }

    /// Waits until descriptors show what is asked of them, an error or an end, writes that into
    /// their entries and returns how many do. One that is closed shows POLLNVAL; an entry without a
    /// descriptor (a negative one) shows nothing.
    ///
    /// 0 when the time is up, and after an alert. An alert that came before the call counts too,
    /// since the thread's last such answer, or else one that comes just before the thread lies down
    /// would be lost; so does, now and then, one that was for another.
    pub fn wait_any(&self, entries: &mut [pollfd], timeout_ns: Option<u64>) -> usize {
        let timeout = timeout_ns.map(Duration::from_nanos);
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut net = self.enter();
        loop {
            net.tick();
            if HEARD.replace(net.alerts) != net.alerts {
                self.leave(net);
                return 0;
            }
            let ready = net.look_at(entries);
            if ready > 0 {
                self.leave(net);
                return ready;
            }
            if !net.travelling.is_empty() {
                continue; // Time passes faster for who waits for few things only.
            }
            match self.sleep(net, deadline) {
                Some(awake) => net = awake,
                None => return 0,
            }
        }
    }

    /// As [`Kernel::wait_any`], without waiting; alerts are for those who wait.
    pub fn look_at(&self, entries: &mut [pollfd]) -> usize {
        let mut net = self.enter();
        net.tick();
        let ready = net.look_at(entries);
        self.leave(net);
        ready
    }

    /// Wakes all threads in [`Kernel::wait_any`].
    pub fn alert(&self) {
        let mut net = self.enter();
        net.alerts += 1;
        net.stir = true;
        self.leave(net);
    }

    /// Sleeps until something stirs; `None` when the time is up.
    fn sleep<'a>(
        &self,
        mut net: MutexGuard<'a, Net>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, Net>> {
        if std::mem::take(&mut net.stir) {
            self.stirred.notify_all(); // What we saw ourselves may be for others.
        }
        let Some(deadline) = deadline else {
            return Some(self.stirred.wait(net).unwrap_or_else(PoisonError::into_inner));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        let woken = self.stirred.wait_timeout(net, left);
        Some(woken.unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl Net {
    /// An edge: whoever waits for the socket has to look.
    pub fn raise(&mut self, id: Id) {
        self.stir = true;
        if let Some(socket) = self.sockets.get_mut(&id)
            && socket.token.is_some()
            && !std::mem::replace(&mut socket.queued, true)
        {
            self.ready.push(id);
        }
    }

    fn tick(&mut self) {
        self.clock += 1;
        self.deliver();
    }

    /// The events that hold. Who looks and finds no room is told when there is some, as in
    /// tcp_poll.
    fn look(&mut self, id: Id) -> u32 {
        let events = self.events(id);
        if events & libc::EPOLLOUT as u32 == 0 {
            self.socket_mut(id).starved = true;
        }
        events
    }

    /// Fills in what the entries' descriptors show, and counts those that show something.
    fn look_at(&mut self, entries: &mut [pollfd]) -> usize {
        let mut ready = 0;
        for entry in entries {
            // The poll bits are the epoll bits.
            let asked = entry.events | libc::POLLERR | libc::POLLHUP;
            entry.revents = match self.fds.get(&entry.fd) {
                Some(&id) => self.look(id) as i16 & asked,
                None if entry.fd < 0 => 0,
                None => libc::POLLNVAL,
            };
            ready += usize::from(entry.revents != 0);
        }
        ready
    }

    /// Fills the room with reports, in an order of the dice's.
    fn report(&mut self, room: &mut Room) -> usize {
        let mut batch = std::mem::take(&mut self.ready);
        self.dice.shuffle(&mut batch);
        self.repeat_one(&mut batch);
        let mut wanted = room.len();
        if batch.len() > 1 && self.dice.one_in(self.temper.hold_back) {
            wanted = wanted.min(self.dice.some_of(batch.len()));
        }
        let mut count = 0;
        for id in batch {
            if count == wanted {
                self.ready.push(id); // The next wait's.
                continue;
            }
            let Some(socket) = self.sockets.get_mut(&id) else { continue };
            socket.queued = false;
            let Some(token) = socket.token else { continue };
            let events = self.look(id) & WATCHED;
            if events != 0 {
                room[count].write(Readiness { events, token });
                count += 1;
            }
        }
        count
    }

    /// Now and then reports a socket to which nothing happened, with what it shows: as when an edge
    /// was raised for what somebody has received meanwhile. So there is no input: what was reported
    /// and is still there raises no edge in Linux either.
    fn repeat_one(&mut self, batch: &mut Vec<Id>) {
        if self.next_id == 0 || !self.dice.one_in(self.temper.repeat) {
            return;
        }
        let from = self.dice.below(self.next_id);
        let registered = |(&id, socket): (&Id, &Socket)| socket.token.map(|_| id);
        let Some(id) = self.sockets.range(from..).find_map(registered) else { return };
        let has_input = self.events(id) & libc::EPOLLIN as u32 != 0;
        if !has_input && !std::mem::replace(&mut self.socket_mut(id).queued, true) {
            batch.push(id);
        }
    }
}
