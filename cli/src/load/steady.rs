//! Connections that stay: closed loop (a fixed number of messages under way on each) or open loop
//! (messages at a fixed rate, whatever the server does).

use std::io;
use std::mem;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll, Token};

use super::course::{Course, Window};
use super::link::{Dialer, Gear, Link, Lost};
use super::tally::Tally;
use super::{Plan, Share};
use crate::failure::Failure;
use crate::os;

/// Connections that may be under way at once: more would only wait in the server's backlog.
const DIALLING: usize = 256;
/// How long nothing may come in after the measured time before the rest is given up.
const DRAIN: Duration = Duration::from_secs(5);
/// How many messages are sent, at most, before the next look at what came in.
const BURST: u64 = 4096;
const TICK: Duration = Duration::from_millis(100);

/// When messages are sent, and from when their latency counts.
enum Pace {
    /// The next message leaves when an answer comes in. `sent_at` holds `depth` times for each
    /// connection, by the message's number.
    Closed { depth: usize, sent_at: Vec<u64> },
    /// Message `n` of this thread leaves `n + 1` intervals after the start, on connection `n`
    /// modulo the number of connections. So when a message was due follows from its number, nothing
    /// needs to be kept for it, and a server that stalls is charged for every message it held up.
    Open { interval: f64, next: u64 },
}

struct Member {
    link: Link,
    /// The first message came back: it showed that the connection is served, and is not measured.
    served: bool,
    /// Measured messages.
    asked: u64,
    answered: u64,
}

pub struct Steady<'a> {
    plan: &'a Plan,
    share: Share,
    course: &'a Course,
    dialer: Dialer,
    poll: Poll,
    gear: Gear,
    members: Vec<Option<Member>>,
    pace: Pace,
    window: Window,
    /// Nothing more is asked; connections end as they are paid.
    draining: bool,
    tally: Tally,
    /// Members that are left.
    left: usize,
    established: usize,
    /// Answers in the measured time that the course does not know of yet.
    unpublished: u64,
}

impl<'a> Steady<'a> {
    pub fn new(plan: &'a Plan, share: Share, course: &'a Course) -> io::Result<Steady<'a>> {
        let pace = match plan.rate {
            None => Pace::Closed { depth: plan.depth, sent_at: vec![0; plan.depth * share.count] },
            Some(rate) => {
                let rate = rate * share.count as f64 / plan.connections as f64;
                Pace::Open { interval: 1e9 / rate, next: 0 }
            }
        };
        Ok(Steady {
            plan,
            share,
            course,
            dialer: Dialer::new(plan.target, plan.sources()),
            poll: Poll::new()?,
            gear: Gear::new(&plan.greeting),
            members: Vec::with_capacity(share.count),
            pace,
            window: Window { start: u64::MAX, end: u64::MAX },
            draining: false,
            tally: Tally::new(),
            left: 0,
            established: 0,
            unpublished: 0,
        })
    }

    /// Connects, measures, drains.
    pub fn run(mut self) -> Tally {
        if let Err(error) = self.establish() {
            self.course.fail(Failure::of("cannot wait for events", error));
        }
        if let Some(window) = self.course.line_up() {
            self.window = window;
            if let Err(error) = self.measure().and_then(|()| self.drain()) {
                self.course.fail(Failure::of("cannot wait for events", error));
            }
        }
        self.tally
    }

    /// Every connection is there once its first message came back.
    fn establish(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        let mut progress = self.course.clock.now();
        while !self.is_settled() && !self.course.has_ended() {
            while self.members.len() < self.share.count && self.may_dial() {
                self.dial();
                progress = self.course.clock.now();
            }
            let before = self.established;
            self.poll.poll(&mut events, Some(TICK))?;
            for event in &events {
                let index = event.token().0;
                if let Err(lost) = self.turn(index, event) {
                    self.unserved(index, &lost);
                }
            }
            let now = self.course.clock.now();
            if self.established > before {
                progress = now;
            } else if now - progress > self.plan.patience.as_nanos() as u64 {
                self.stalled();
            }
        }
        Ok(())
    }

    /// Nobody is waited for any more: a member that is left is served.
    fn is_settled(&self) -> bool {
        self.members.len() == self.share.count && self.established >= self.left
    }

    fn may_dial(&self) -> bool {
        self.plan.at_once || self.left - self.established < DIALLING
    }

    fn dial(&mut self) {
        let index = self.members.len();
        let number = (self.share.first + index) as u64;
        self.left += 1;
        match Link::dial(&mut self.dialer, number, self.poll.registry(), Token(index)) {
            Ok(mut link) => {
                let asked = link.ask(self.plan.size as u64, &mut self.gear);
                self.members.push(Some(Member { link, served: false, asked: 0, answered: 0 }));
                if let Err(lost) = asked {
                    self.unserved(index, &lost);
                }
            }
            Err(lost) => {
                self.members.push(None);
                self.left -= 1;
                self.unserved(index, &lost);
            }
        }
    }

    /// A connection was lost before all were there.
    fn unserved(&mut self, index: usize, lost: &Lost) {
        if !self.plan.at_once {
            return self.course.end(format!("{}: {lost}", self.plan.target));
        }
        self.tally.lost((self.share.first + index) as u64, lost);
        self.course.given_up.fetch_add(1, Ordering::Relaxed);
        if let Some(member) = self.members[index].take() {
            self.left -= 1;
            self.established -= usize::from(member.served);
        }
    }

    fn stalled(&mut self) {
        let served = self.course.established.load(Ordering::Relaxed);
        if !self.plan.at_once || served == 0 {
            return self.course.end(format!(
                "{}: {served} of {} connections were served, the others waited {} s in vain",
                self.plan.target,
                self.plan.connections,
                self.plan.patience.as_secs_f64(),
            ));
        }
        for index in 0..self.members.len() {
            if self.members[index].as_ref().is_some_and(|member| !member.served) {
                self.unserved(index, &Lost::Unserved);
            }
        }
    }

    fn measure(&mut self) -> io::Result<()> {
        if let Pace::Closed { depth, .. } = self.pace {
            for index in 0..self.members.len() {
                self.ask(index, depth as u64, self.course.clock.now());
            }
        }
        self.turns(self.window.end)?;
        if self.left == 0 {
            self.course.working.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Sends what was due until the end, collects what is still owed, and sees every connection end
    /// as it should.
    fn drain(&mut self) -> io::Result<()> {
        self.send_due(self.window.end, u64::MAX);
        self.draining = true;
        for index in 0..self.members.len() {
            self.finish_if_paid(index);
        }
        let mut before = None;
        while self.left > 0 && before != Some((self.left, self.tally.count())) {
            before = Some((self.left, self.tally.count()));
            self.turns(self.course.clock.now() + DRAIN.as_nanos() as u64)?;
        }
        let now = self.course.clock.now();
        for index in 0..self.members.len() {
            self.give_up(index, now);
        }
        Ok(())
    }

    /// Handles events until `end`, or until nobody is left.
    fn turns(&mut self, end: u64) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            let now = self.course.clock.now();
            if now >= end || self.left == 0 {
                return Ok(());
            }
            let next = self.send_due(now, BURST).min(end);
            self.wait(&mut events, Duration::from_nanos(next.saturating_sub(now)))?;
            for event in &events {
                let index = event.token().0;
                if let Err(lost) = self.turn(index, event) {
                    self.lose(index, &lost);
                }
            }
            let answered = mem::take(&mut self.unpublished);
            self.course.answered.fetch_add(answered, Ordering::Relaxed);
        }
    }

    fn wait(&mut self, events: &mut Events, time: Duration) -> io::Result<()> {
        let time = match self.pace {
            Pace::Closed { .. } => time.min(TICK),
            Pace::Open { .. } if time > TICK => TICK,
            // A message sent a millisecond late would be charged to the server.
            Pace::Open { .. } => {
                if !time.is_zero() {
                    os::wait_briefly(&self.poll, time)?;
                }
                Duration::ZERO
            }
        };
        match self.poll.poll(events, Some(time)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// When message `number` of this thread is due.
    fn due(&self, interval: f64, number: u64) -> u64 {
        // A rate of 0 makes the interval infinite, and the conversion saturates.
        self.window.start.saturating_add(((number + 1) as f64 * interval) as u64)
    }

    /// Sends what is due, up to `most` messages, and says when the next will be.
    fn send_due(&mut self, now: u64, most: u64) -> u64 {
        let Pace::Open { interval, next: first } = self.pace else { return u64::MAX };
        let limit = now.min(self.window.end - 1);
        let mut next = first;
        while self.due(interval, next) <= limit && next - first < most {
            next += 1;
        }
        self.pace = Pace::Open { interval, next };
        let count = self.members.len() as u64;
        for number in first..next {
            self.ask((number % count) as usize, 1, now);
        }
        let due = self.due(interval, next);
        if due < self.window.end { due } else { u64::MAX }
    }

    #[inline]
    fn ask(&mut self, index: usize, messages: u64, now: u64) {
        let Some(member) = &mut self.members[index] else { return };
        if let Pace::Closed { depth, sent_at } = &mut self.pace {
            let sent_at = &mut sent_at[index * *depth..][..*depth];
            for number in member.asked..member.asked + messages {
                sent_at[number as usize % *depth] = now;
            }
        }
        member.asked += messages;
        if let Err(lost) = member.link.ask(messages * self.plan.size as u64, &mut self.gear) {
            self.lose(index, &lost);
        }
    }

    #[inline]
    fn turn(&mut self, index: usize, event: &Event) -> Result<(), Lost> {
        let Some(member) = &mut self.members[index] else { return Ok(()) };
        member.link.turn(event, &mut self.gear)?;
        let whole = member.link.received() / self.plan.size as u64;
        if whole > 0 && !member.served {
            member.served = true;
            self.established += 1;
            self.course.serves();
        }
        // The first message is not among those measured.
        let answers = whole.saturating_sub(1 + member.answered);
        if answers > 0 || member.link.is_finished() {
            self.answered(index, answers);
        }
        Ok(())
    }

    #[inline]
    fn answered(&mut self, index: usize, answers: u64) {
        let now = self.course.clock.now();
        self.count(index, answers, now);
        if self.draining {
            self.finish_if_paid(index);
            return;
        }
        if now >= self.window.end {
            return;
        }
        self.unpublished += answers;
        if let Pace::Closed { .. } = self.pace {
            self.ask(index, answers, now);
        }
    }

    /// Takes the latencies of the member's next messages.
    #[inline]
    fn count(&mut self, index: usize, messages: u64, now: u64) {
        let Some(member) = &mut self.members[index] else { return };
        let first = member.answered;
        member.answered += messages;
        for number in first..first + messages {
            let since = match &self.pace {
                Pace::Closed { depth, sent_at } => sent_at[index * depth + number as usize % depth],
                Pace::Open { interval, .. } => {
                    self.due(*interval, number * self.members.len() as u64 + index as u64)
                }
            };
            self.tally.took(now.saturating_sub(since));
        }
    }

    /// Once everything came back, the connection ends: our side first, then the server's.
    fn finish_if_paid(&mut self, index: usize) {
        let Some(member) = &mut self.members[index] else { return };
        if member.link.is_finished() {
            self.remove(index);
        } else if member.link.owed() == 0
            && let Err(lost) = member.link.finish()
        {
            self.lose(index, &lost);
        }
    }

    fn lose(&mut self, index: usize, lost: &Lost) {
        self.tally.lost((self.share.first + index) as u64, lost);
        self.remove(index);
    }

    /// The time is up. Messages without an answer have taken at least as long as until now.
    fn give_up(&mut self, index: usize, now: u64) {
        let Some(member) = &self.members[index] else { return };
        let lost = match member.link.owed() {
            0 => Lost::Unended,
            owed => Lost::Unanswered { owed },
        };
        self.count(index, member.asked - member.answered, now);
        self.lose(index, &lost);
    }

    fn remove(&mut self, index: usize) {
        if let Some(member) = self.members[index].take() {
            self.tally.bytes += member.link.received();
            self.tally.missing_bytes += member.link.owed();
            self.left -= 1;
        }
    }
}
