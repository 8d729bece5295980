//! An echo server by completion routines: the system calls back while the thread waits alertably.

use echo::Token;
use winsock::{Completion, Operations, Order, Result, Routines};

/// So many connections are taken before the first of them is served.
const ACCEPTS: usize = 1;

fn main() -> Result<()> {
    let listener = echo::listen()?;
    let routines = Routines::<Token>::new()?;
    for _ in 0..ACCEPTS {
        routines.accept(&listener, Token::Listener);
    }
    echo::at_end_of_input(routines.poster(), Token::Order(Order::Stop));

    loop {
        match routines.next(None)? {
            Some(Completion::Accept { result, .. }) => {
                routines.accept(&listener, Token::Listener);
                match result {
                    Ok(accepted) => echo::welcome(&routines, accepted.socket, None),
                    Err(error) => eprintln!("accept: {error}"),
                }
            }
            Some(Completion::Post { .. }) => return Ok(()),
            Some(completion) => echo::follow(&routines, completion),
            None => {}
        }
    }
}
