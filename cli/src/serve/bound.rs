//! The echo by operations that complete on the thread that has started them, by events or by
//! completion routines.

use std::time::Duration;

use winsock::{Completion, Member, Operations, Order, OverlappedSet, Poster, Result, Routines};

use super::completion::{Echo, Token, Turn};
use super::groups::{Arrival, Hall, LOOK};
use super::tally::Tally;

/// A model whose operations are bound to a thread.
pub trait Bound: Operations<Token> + Sized {
    fn new() -> Result<Self>;
    fn poster(&self) -> Poster<Token>;
    fn next(&self, timeout: Option<Duration>) -> Result<Option<Completion<Token>>>;
}

macro_rules! bound {
    ($model:ident) => {
        impl Bound for $model<Token> {
            fn new() -> Result<Self> {
                $model::new()
            }

            fn poster(&self) -> Poster<Token> {
                $model::poster(self)
            }

            #[inline]
            fn next(&self, timeout: Option<Duration>) -> Result<Option<Completion<Token>>> {
                $model::next(self, timeout)
            }
        }
    };
}

bound!(OverlappedSet);
bound!(Routines);

/// What each thread does.
pub fn work<M: Bound>(hall: &Hall, member: Member<Arrival>) {
    let model = match M::new() {
        Ok(model) => model,
        Err(error) => return hall.complain(error),
    };
    member.ready(model.poster());
    let echo = Echo::new(hall.greeting.clone());
    let mut tally = Tally::default();
    let mut stopping = false;
    while !stopping || !echo.is_empty() {
        if stopping && hall.is_cutting() {
            echo.cut();
        }
        match model.next(stopping.then_some(LOOK)).expect("the model can wait") {
            Some(Completion::Post { token: Token::Order(Order::Serve(arrival, seat)) }) => {
                echo.begin(&model, arrival.socket, arrival.guest.seated(seat));
            }
            Some(Completion::Post { .. }) => {
                stopping = true;
                echo.stop(&model);
            }
            Some(completion) => match echo.turn(&model, completion, &mut tally) {
                Turn::Done | Turn::Ended => {}
                Turn::Other(_) => unreachable!("no such operation was started"),
            },
            None => {}
        }
    }
    hall.add(tally);
}
