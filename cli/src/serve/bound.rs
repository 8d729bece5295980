//! The echo by operations that complete on the thread that has started them, by events or by
//! completion routines: threads with a part of the clients each.

use winsock::{Completion, Operations, OverlappedSet, Poster, Result, Routines};

use super::completion::{Echo, Token, Turn};
use super::groups::{Member, Order};
use super::tally::Tally;

/// A model whose operations are bound to a thread.
pub trait Bound: Operations<Token> + Sized {
    fn new() -> Result<Self>;
    fn poster(&self) -> Poster<Token>;
    fn next(&self) -> Result<Completion<Token>>;
}

impl Bound for OverlappedSet<Token> {
    fn new() -> Result<Self> {
        OverlappedSet::new()
    }

    fn poster(&self) -> Poster<Token> {
        OverlappedSet::poster(self)
    }

    #[inline]
    fn next(&self) -> Result<Completion<Token>> {
        OverlappedSet::next(self, None).map(|next| next.expect("there is no time-out"))
    }
}

impl Bound for Routines<Token> {
    fn new() -> Result<Self> {
        Routines::new()
    }

    fn poster(&self) -> Poster<Token> {
        Routines::poster(self)
    }

    #[inline]
    fn next(&self) -> Result<Completion<Token>> {
        Routines::next(self, None).map(|next| next.expect("there is no time-out"))
    }
}

/// What each thread does.
pub fn work<M: Bound>(member: Member) -> Tally {
    let mut tally = Tally::default();
    let model = match M::new() {
        Ok(model) => model,
        Err(error) => {
            member.take_orders(Err(error));
            return tally;
        }
    };
    let poster = model.poster();
    member.take_orders(Ok(Box::new(move |order| poster.post(Token::Order(order)).is_ok())));
    let echo = Echo::new(member.greeting.clone());
    loop {
        let completion = model.next().expect("the model can wait");
        match echo.turn(&model, completion, &mut tally) {
            Turn::Done => {}
            Turn::Ended => member.leave(),
            Turn::Other(Completion::Post { token: Token::Order(order) }) => match order {
                Order::Serve(socket) => echo.begin(&model, socket),
                Order::Stop => echo.stop(&model),
                Order::Cut => echo.cut(),
                Order::End => return tally,
            },
            Turn::Other(_) => unreachable!("no such operation was started"),
        }
    }
}
