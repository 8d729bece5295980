//! Sets of sockets, whichever it is.

use std::time::Duration;

use winsock::{
    AnySocket, EventSet, Interest, Key, Message, MessageLoop, Notice, Poster, Ready, ReadySet,
    Rejected, Result,
};

use super::{NEVER, SOON};

pub trait Holding<T> {
    fn insert(
        &mut self,
        socket: impl Into<AnySocket>,
        token: T,
        interest: Interest,
    ) -> std::result::Result<Key, Rejected<T>>;
    fn remove(&mut self, key: Key) -> Option<(AnySocket, T)>;
    fn get(&self, key: Key) -> Option<(&AnySocket, &T)>;
    fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut T)>;
    fn set_interest(&mut self, key: Key, interest: Interest) -> bool;
    fn interest(&self, key: Key) -> Option<Interest>;
    fn len(&self) -> usize;
    fn poster(&self) -> Poster<u32>;
    fn take(&mut self, timeout: Option<Duration>) -> Result<Option<Notice<u32>>>;
}

macro_rules! holding {
    ($set:ident, $take:expr) => {
        impl<T> Holding<T> for $set<T, u32> {
            fn insert(
                &mut self,
                socket: impl Into<AnySocket>,
                token: T,
                interest: Interest,
            ) -> std::result::Result<Key, Rejected<T>> {
                $set::insert(self, socket, token, interest)
            }

            fn remove(&mut self, key: Key) -> Option<(AnySocket, T)> {
                $set::remove(self, key)
            }

            fn get(&self, key: Key) -> Option<(&AnySocket, &T)> {
                $set::get(self, key)
            }

            fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut T)> {
                $set::get_mut(self, key)
            }

            fn set_interest(&mut self, key: Key, interest: Interest) -> bool {
                $set::set_interest(self, key, interest)
            }

            fn interest(&self, key: Key) -> Option<Interest> {
                $set::interest(self, key)
            }

            fn len(&self) -> usize {
                $set::len(self)
            }

            fn poster(&self) -> Poster<u32> {
                $set::poster(self)
            }

            fn take(&mut self, timeout: Option<Duration>) -> Result<Option<Notice<u32>>> {
                $take(self, timeout)
            }
        }
    };
}

holding!(EventSet, EventSet::next);
holding!(ReadySet, ReadySet::next);
holding!(MessageLoop, next_notice);

fn next_notice<T>(
    messages: &mut MessageLoop<T, u32>,
    timeout: Option<Duration>,
) -> Result<Option<Notice<u32>>> {
    Ok(messages.next(timeout)?.map(|message| match message {
        Message::Ready(ready) => Notice::Ready(ready),
        Message::Post(post) => Notice::Post(post),
        other => panic!("{other:?}"),
    }))
}

/// Runs the tests of these names, which take the set, once with each.
macro_rules! for_each_set {
    ($($test:ident)*) => {
        mod event_set {
            $(#[test]
            fn $test() {
                super::$test(winsock::EventSet::new().unwrap());
            })*
        }

        mod message_loop {
            $(#[test]
            fn $test() {
                super::$test(winsock::MessageLoop::new().unwrap());
            })*
        }

        mod ready_set {
            $(#[test]
            fn $test() {
                super::$test(winsock::ReadySet::new().unwrap());
            })*
        }
    };
}
pub(crate) use for_each_set;

/// Who is ready next, which somebody must be.
#[track_caller]
pub fn ready<T>(set: &mut impl Holding<T>) -> Ready {
    match set.take(Some(SOON)).expect("the set works") {
        Some(Notice::Ready(ready)) => ready,
        other => panic!("{other:?}"),
    }
}

/// That nobody is ready, now and soon.
#[track_caller]
pub fn quiet<T>(set: &mut impl Holding<T>) {
    assert_eq!(set.take(Some(NEVER)).unwrap(), None, "nothing more was to be told");
}
