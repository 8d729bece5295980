//! An echo server on a completion port: all operations end in one queue, at which any number of
//! threads wait.

use std::thread;

use echo::Token;
use winsock::{Batch, Completion, Listener, Operations, Order, Port, Result};

/// So many connections are taken before the first of them is served.
const ACCEPTS: usize = 32;

fn main() -> Result<()> {
    let listener = echo::listen()?;
    let port = Port::<Token>::new()?;
    for _ in 0..ACCEPTS {
        port.accept(&listener, Token::Listener);
    }
    let threads = thread::available_parallelism().map_or(1, |number| number.get());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| serve(&port, &listener).expect("the port is open"));
        }
        echo::until_end_of_input();
        for _ in 0..threads {
            port.post(Token::Order(Order::Stop));
        }
    });
    Ok(())
}

/// Serves whoever has something to be served, until it is ordered to stop.
fn serve(port: &Port<Token>, listener: &Listener) -> Result<()> {
    let mut batch = Batch::default();
    loop {
        for completion in port.wait(&mut batch, None)? {
            match completion {
                Completion::Accept { result, .. } => {
                    port.accept(listener, Token::Listener);
                    match result {
                        Ok(accepted) => echo::welcome(port, accepted.socket, None),
                        Err(error) => eprintln!("accept: {error}"),
                    }
                }
                Completion::Post { .. } => return Ok(()),
                completion => echo::follow(port, completion),
            }
        }
    }
}
