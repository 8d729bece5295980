//! An echo server by overlapped operations with events: each operation has an event, and a thread
//! waits for up to 64 of them. So the main thread accepts, and deals the clients to groups.

use echo::Token;
use winsock::{Completion, Groups, Member, Operations, Order, OverlappedSet, Result, TcpSocket};

/// So many connections are taken before the first of them is served.
const ACCEPTS: usize = 32;

fn main() -> Result<()> {
    let groups = Groups::filled(OverlappedSet::<Token>::MAX, |group| {
        serve(group).expect("a set of operations");
    });
    let listener = echo::listen()?;
    let set = OverlappedSet::<Token>::new()?;
    for _ in 0..ACCEPTS {
        set.accept(&listener, Token::Listener);
    }
    echo::at_end_of_input(set.poster(), Token::Order(Order::Stop));

    while let Some(Completion::Accept { result, .. }) = set.next(None)? {
        set.accept(&listener, Token::Listener);
        match result.map(|accepted| groups.deal(accepted.socket)) {
            Ok(Ok(())) => {}
            Ok(Err(undealt)) => eprintln!("{undealt}"),
            Err(error) => eprintln!("accept: {error}"),
        }
    }
    Ok(()) // Not an accept, but the order to stop. The groups are stopped when they are dropped.
}

/// Serves one group.
fn serve(group: Member<TcpSocket>) -> Result<()> {
    let set = OverlappedSet::<Token>::new()?;
    group.ready(set.poster());
    loop {
        match set.next(None)? {
            Some(Completion::Post { token: Token::Order(Order::Serve(socket, seat)) }) => {
                echo::welcome(&set, socket, Some(seat));
            }
            Some(Completion::Post { .. }) => return Ok(()),
            Some(completion) => echo::follow(&set, completion),
            None => {}
        }
    }
}
