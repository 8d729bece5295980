//! A client for the echo servers: `echo-client [ADDRESS [CLIENTS [MESSAGES]]]`.
//!
//! It connects so many clients, each of which sends so many messages, one after the other, and
//! checks that every byte comes back. All are driven by one thread, through a completion port.

use std::sync::Arc;
use std::time::Instant;

use winsock::{Completion, Operations, Port, Result, TcpSocket};

const MESSAGE: usize = 64;

/// One client; each of its operations carries it.
struct Client {
    number: usize,
    socket: Option<Arc<TcpSocket>>,
    /// How many messages have come back.
    done: usize,
    /// What of the present message has not come back yet.
    missing: Vec<u8>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:5150".into());
    let address = address.parse().expect("an address, such as 127.0.0.1:5150");
    let mut number =
        |default| arguments.next().map_or(default, |argument| argument.parse().expect("a number"));
    let (clients, messages): (usize, usize) = (number(100), number(100));

    let started = Instant::now();
    let port = Port::<Client>::new()?;
    for number in 0..clients {
        let client = Client { number, socket: None, done: 0, missing: Vec::new() };
        port.connect(address, client);
    }
    let mut left = clients;
    while left > 0 {
        match port.wait_one(None)? {
            Some(Completion::Connect { token: mut client, result }) => {
                client.socket = Some(Arc::new(result?));
                send(&port, client);
            }
            Some(Completion::Send { token: client, buf, result }) => {
                result?;
                receive(&port, client, buf);
            }
            Some(Completion::Recv { token: mut client, buf, result }) => {
                result?;
                let rest = client.missing.strip_prefix(&buf[..]).filter(|_| !buf.is_empty());
                client.missing = rest.expect("what was sent comes back").to_vec();
                if !client.missing.is_empty() {
                    receive(&port, client, buf);
                    continue;
                }
                client.done += 1;
                if client.done < messages {
                    send(&port, client);
                } else {
                    left -= 1;
                }
            }
            other => unreachable!("no such operation was started: {:?}", other.map(|_| ())),
        }
    }
    let (count, time) = (clients * messages, started.elapsed());
    println!("{clients} clients have got back {count} messages in {time:.2?}");
    Ok(())
}

/// Sends the next message, which is like no other.
fn send(port: &Port<Client>, mut client: Client) {
    let socket = client.socket.clone().expect("connected");
    let message: Vec<u8> =
        (0..MESSAGE).map(|at| (client.number * 31 + client.done * 7 + at) as u8).collect();
    client.missing = message.clone();
    port.send(&socket, message, client);
}

fn receive(port: &Port<Client>, client: Client, buf: Vec<u8>) {
    let socket = client.socket.clone().expect("connected");
    port.recv(&socket, buf, client);
}
