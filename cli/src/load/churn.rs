//! Connections that come and go: connect, one message and its echo, close, the next.

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

/// How long connections under way may still take after the measured time.
const DRAIN: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(100);

struct Visit {
    link: Link,
    begun: u64,
}

pub struct Churn<'a> {
    plan: &'a Plan,
    course: &'a Course,
    dialer: Dialer,
    poll: Poll,
    gear: Gear,
    /// One place for each connection that may be open at a time; empty once its last one is over.
    visits: Vec<Option<Visit>>,
    /// The next connection's number, and how far apart this thread's numbers are.
    number: u64,
    step: u64,
    window: Window,
    tally: Tally,
    left: usize,
    unpublished: u64,
}

impl<'a> Churn<'a> {
    pub fn new(plan: &'a Plan, share: Share, course: &'a Course) -> io::Result<Churn<'a>> {
        Ok(Churn {
            plan,
            course,
            dialer: Dialer::new(plan.target, plan.sources()),
            poll: Poll::new()?,
            gear: Gear::new(&plan.greeting),
            visits: Vec::new(),
            number: share.thread as u64,
            step: plan.threads as u64,
            window: Window { start: u64::MAX, end: u64::MAX },
            tally: Tally::new(),
            left: share.count,
            unpublished: 0,
        })
    }

    pub fn run(mut self) -> Tally {
        if let Some(window) = self.course.line_up() {
            self.window = window;
            if let Err(error) = self.measure() {
                self.course.fail(Failure::of("cannot wait for events", error));
            }
        }
        self.tally
    }

    fn measure(&mut self) -> io::Result<()> {
        self.visits.resize_with(self.left, || None);
        for index in 0..self.visits.len() {
            self.begin(index);
        }
        self.turns(self.window.end)?;
        if self.left == 0 {
            self.course.working.fetch_sub(1, Ordering::Relaxed);
        }
        self.turns(self.window.end + DRAIN.as_nanos() as u64)?;
        for index in 0..self.visits.len() {
            if let Some(visit) = &self.visits[index] {
                let owed = visit.link.owed();
                self.lose(index, &Lost::Unanswered { owed });
            }
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
            let time = Duration::from_nanos(end - now).min(TICK);
            match self.poll.poll(&mut events, Some(time)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
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

    fn begin(&mut self, index: usize) {
        let begun = self.course.clock.now();
        match self.dial(index) {
            Ok(link) => self.visits[index] = Some(Visit { link, begun }),
            Err(lost) => self.lose(index, &lost),
        }
    }

    fn dial(&mut self, index: usize) -> Result<Link, Lost> {
        self.number += self.step;
        let registry = self.poll.registry();
        let mut link = Link::dial(&mut self.dialer, self.number, registry, Token(index))?;
        link.ask(self.plan.size as u64, &mut self.gear)?;
        Ok(link)
    }

    fn turn(&mut self, index: usize, event: &Event) -> Result<(), Lost> {
        let Some(visit) = &mut self.visits[index] else { return Ok(()) };
        visit.link.turn(event, &mut self.gear)?;
        if visit.link.owed() > 0 {
            return Ok(());
        }
        let now = self.course.clock.now();
        self.tally.took(now - visit.begun);
        self.tally.bytes += visit.link.received();
        self.visits[index] = None;
        if now < self.window.end {
            self.unpublished += 1;
            self.begin(index);
        } else {
            self.left -= 1;
        }
        Ok(())
    }

    /// A place whose connection failed stays empty: a server that fails is not pressed further.
    fn lose(&mut self, index: usize, lost: &Lost) {
        self.tally.lost(self.number, lost);
        if let Some(visit) = self.visits[index].take() {
            self.tally.bytes += visit.link.received();
            self.tally.missing_bytes += visit.link.owed();
        }
        self.left -= 1;
    }
}
