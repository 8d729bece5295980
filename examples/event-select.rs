//! An echo server by `WSAEventSelect`: each socket has an event, and a thread waits for up to 64 of
//! them. So the main thread waits for the listener, and deals the clients to groups.

use echo::{BUFFER, Client};
use winsock::{AnySocket, EventSet, Groups, Interest, Member, Notice, Order, Result, TcpSocket};

fn main() -> Result<()> {
    let groups = Groups::filled(EventSet::<()>::MAX, |group| {
        serve(group).expect("a set of sockets");
    });
    let mut set: EventSet<()> = EventSet::new()?;
    set.insert(echo::listen()?, (), Interest::READ)?;
    echo::at_end_of_input(set.poster(), ());

    while let Some(Notice::Ready(ready)) = set.next(None)? {
        let client = set.get(ready.key).and_then(|(listener, ())| echo::accept(listener));
        if let Some(Err(undealt)) = client.map(|client| groups.deal(client)) {
            eprintln!("{undealt}");
        }
    }
    Ok(()) // Not the listener, but the order to stop. The groups are stopped when they are dropped.
}

/// Serves one group.
fn serve(group: Member<TcpSocket>) -> Result<()> {
    let mut set: EventSet<Client, Order<TcpSocket>> = EventSet::new()?;
    group.ready(set.poster());

    let mut buf = vec![0; BUFFER];
    loop {
        match set.next(None)? {
            Some(Notice::Post(Order::Serve(socket, seat))) => {
                set.insert(socket, Client::seated(seat), Interest::READ)?;
            }
            Some(Notice::Post(Order::Stop)) => return Ok(()),
            Some(Notice::Ready(ready)) => {
                let Some((AnySocket::Tcp(socket), client)) = set.get_mut(ready.key) else {
                    continue;
                };
                match client.turn(socket, &mut buf) {
                    Some(interest) => {
                        set.set_interest(ready.key, interest);
                    }
                    None => {
                        set.remove(ready.key); // That closes it.
                    }
                }
            }
            None => {}
        }
    }
}
