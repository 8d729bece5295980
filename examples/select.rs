//! An echo server by `select`: one thread asks about all sockets, again and again.

use echo::{BUFFER, Client};
use winsock::{AnySocket, Interest, Notice, ReadySet, Result};

fn main() -> Result<()> {
    let mut set: ReadySet<Client> = ReadySet::new()?;
    set.insert(echo::listen()?, Client::default(), Interest::READ)?;
    echo::at_end_of_input(set.poster(), ());

    let mut buf = vec![0; BUFFER];
    while let Some(Notice::Ready(ready)) = set.next(None)? {
        let Some((socket, client)) = set.get_mut(ready.key) else { continue };
        if let AnySocket::Tcp(socket) = socket {
            match client.turn(socket, &mut buf) {
                Some(interest) => {
                    set.set_interest(ready.key, interest);
                }
                None => {
                    set.remove(ready.key); // That closes it.
                }
            }
        } else if let Some(client) = echo::accept(socket) {
            set.insert(client, Client::default(), Interest::READ)?;
        }
    }
    Ok(()) // Not a socket, but the order to stop.
}
