//! An echo server by `WSAAsyncSelect`: what happens to the sockets comes to a window, as messages.

use echo::{BUFFER, Client};
use winsock::{AnySocket, Interest, Message, MessageLoop, Result};

fn main() -> Result<()> {
    let mut messages: MessageLoop<Client> = MessageLoop::new()?;
    messages.insert(echo::listen()?, Client::default(), Interest::READ)?;
    echo::at_end_of_input(messages.poster(), ());

    let mut buf = vec![0; BUFFER];
    while let Some(Message::Ready(ready)) = messages.next(None)? {
        let Some((socket, client)) = messages.get_mut(ready.key) else { continue };
        if let AnySocket::Tcp(socket) = socket {
            match client.turn(socket, &mut buf) {
                Some(interest) => {
                    messages.set_interest(ready.key, interest);
                }
                None => {
                    messages.remove(ready.key); // That closes it.
                }
            }
        } else if let Some(client) = echo::accept(socket) {
            messages.insert(client, Client::default(), Interest::READ)?;
        }
    }
    Ok(()) // Not a socket, but the order to stop.
}
