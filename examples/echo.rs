//! What the six echo servers have in common: what they do for a client. They differ in how they
//! hear that there is something to do.
//!
//! There are two kinds of models. Three tell that a socket is **ready** for a call, which the
//! program then makes: for these there is [`Client::turn`]. Three tell that an operation is
//! **complete**, which the program has started before: for these there is [`follow`].
//!
//! Each server is one file: `cargo run --bin echo-select`, or `echo-async-select`,
//! `echo-event-select`, `echo-overlapped-event`, `echo-completion-routine`, `echo-completion-port`,
//! with an address to listen at if it is not to be 127.0.0.1:5150. It serves until its standard
//! input ends. `cargo run --bin echo-client` is a client for all of them.

use std::io;
use std::sync::Arc;
use std::thread;

use winsock::{
    AnySocket, Completion, Error, Interest, Listener, Operations, Order, Poster, Result, Seat,
    TcpSocket,
};

/// What one receive takes at most.
pub const BUFFER: usize = 16 * 1024;

/// Makes the answer of what a client has sent. Echo: it is the same.
pub fn answer(_message: &mut [u8]) {}

/// Listens where the command line says.
pub fn listen() -> Result<Listener> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:5150".into());
    let address = address.parse().expect("an address, such as 127.0.0.1:5150");
    let socket = TcpSocket::for_address(address)?;
    socket.set_nodelay(true)?; // The accepted connections inherit it.
    socket.bind(address)?;
    let listener = socket.listen(u32::MAX)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Waits until standard input ends.
pub fn until_end_of_input() {
    io::copy(&mut io::stdin(), &mut io::sink()).expect("standard input");
}

/// Has `order` posted when standard input ends.
pub fn at_end_of_input<T: Send + 'static>(poster: Poster<T>, order: T) {
    thread::spawn(move || {
        until_end_of_input();
        // If there is nobody to be told any more, that is all right, too.
        let _ = poster.post(order);
    });
}

/// A client of a model of readiness.
#[derive(Default)]
pub struct Client {
    /// What of the answer did not fit into the connection yet.
    rest: Vec<u8>,
    /// Its seat in a group, if there are groups: whoever drops the client makes room there.
    _seat: Option<Seat>,
}

impl Client {
    /// A client of a group.
    pub fn seated(seat: Seat) -> Client {
        Client { rest: Vec::new(), _seat: Some(seat) }
    }

    /// Does what the socket is ready for, and tells what the client waits for then; `None` if it
    /// has left.
    pub fn turn(&mut self, socket: &TcpSocket, buf: &mut [u8]) -> Option<Interest> {
        if self.rest.is_empty() {
            let count = match socket.recv(buf) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(Error::WOULD_BLOCK) => return Some(Interest::READ),
                Err(_) => return None,
            };
            answer(&mut buf[..count]);
            let sent = placed(socket.send(&buf[..count]))?;
            self.rest.extend_from_slice(&buf[sent..count]);
        } else {
            let sent = placed(socket.send(&self.rest))?;
            self.rest.drain(..sent);
        }
        // While it does not take the answer nothing more is received from it.
        Some(if self.rest.is_empty() { Interest::READ } else { Interest::WRITE })
    }
}

/// How much of it was sent; `None` if the client has left.
fn placed(sent: Result<usize>) -> Option<usize> {
    match sent {
        Err(Error::WOULD_BLOCK) => Some(0),
        sent => sent.ok(),
    }
}

/// The next connection of a listener that is ready; `None` if there is none after all.
pub fn accept(socket: &AnySocket) -> Option<TcpSocket> {
    let AnySocket::Listener(listener) = socket else { return None };
    match listener.accept() {
        Ok((client, _)) => Some(client),
        Err(Error::WOULD_BLOCK) => None,
        Err(error) => {
            eprintln!("accept: {error}");
            None
        }
    }
}

/// What the operations of a model of completion carry.
pub enum Token {
    /// An accept.
    Listener,
    /// A client's operation, of which there is one at a time, owns the client: when nothing follows
    /// on it, that closes the connection.
    Client(Arc<Connection>),
    /// Something posted.
    Order(Order<TcpSocket>),
}

/// A client of a model of completion.
pub struct Connection {
    socket: TcpSocket,
    _seat: Option<Seat>,
}

impl From<Order<TcpSocket>> for Token {
    fn from(order: Order<TcpSocket>) -> Token {
        Token::Order(order)
    }
}

/// Starts to serve a client, which may have a seat in a group.
pub fn welcome(model: &impl Operations<Token>, socket: TcpSocket, seat: Option<Seat>) {
    let client = Arc::new(Connection { socket, _seat: seat });
    model.recv(&client.socket, Vec::with_capacity(BUFFER), Token::Client(client.clone()));
}

/// Starts what follows on the end of a client's operation.
pub fn follow(model: &impl Operations<Token>, completion: Completion<Token>) {
    match completion {
        Completion::Recv { token: Token::Client(client), mut buf, result: Ok(1..) } => {
            answer(&mut buf);
            model.send(&client.socket, buf, Token::Client(client.clone()));
        }
        Completion::Send { token: Token::Client(client), buf, result: Ok(_) } => {
            model.recv(&client.socket, buf, Token::Client(client.clone()));
        }
        // The client has left: here goes its last owner.
        over => drop(over),
    }
}
