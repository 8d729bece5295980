//! An echo server on a completion port: `cargo run --release --example echo [ADDRESS [THREADS]]`.
//!
//! A connection has one operation in flight at a time, receive or send, and the token of that
//! operation owns the connection: when nothing is to follow, dropping it closes the socket.

use std::net::SocketAddr;
use std::sync::Arc;

use winsock::{Batch, Completion, Listener, Operations, Port, Result, TcpSocket};

/// An accept has none.
type Client = Option<Arc<TcpSocket>>;

const ACCEPTS: usize = 32;
const BUFFER: usize = 4096;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:5150".into());
    let threads: u32 = arguments.next().map_or(1, |number| number.parse().expect("a number"));

    let port = Port::with_concurrency(threads)?;
    let listener = Listener::bind(address)?;
    for _ in 0..ACCEPTS {
        port.accept(&listener, None);
    }
    println!("listening on {}", listener.local_addr()?);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| serve(&port, &listener).expect("the port is open"));
        }
    });
    Ok(())
}

fn serve(port: &Port<Client>, listener: &Listener) -> Result<()> {
    let mut batch = Batch::default();
    loop {
        for completion in port.wait(&mut batch, None)? {
            turn(port, listener, completion);
        }
    }
}

/// What follows on a completion.
fn turn(port: &Port<Client>, listener: &Listener, completion: Completion<Client>) {
    match completion {
        Completion::Accept { result, .. } => {
            port.accept(listener, None);
            match result {
                Ok(accepted) => welcome(port, accepted.socket, accepted.peer),
                Err(error) => eprintln!("accept: {error}"),
            }
        }
        Completion::Recv { token: Some(client), buf, result: Ok(1..) } => {
            port.send(&client, buf, Some(client.clone()));
        }
        Completion::Send { token: Some(client), buf, result: Ok(_) } => {
            port.recv(&client, buf, Some(client.clone()));
        }
        // The end of the stream, or of the connection.
        other => drop(other),
    }
}

fn welcome(port: &Port<Client>, socket: TcpSocket, peer: SocketAddr) {
    if let Err(error) = socket.set_nodelay(true) {
        eprintln!("{peer}: {error}");
        return;
    }
    let client = Arc::new(socket);
    port.recv(&client, Vec::with_capacity(BUFFER), Some(client.clone()));
}
