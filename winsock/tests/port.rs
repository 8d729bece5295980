//! What only a completion port does.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{SOON, listener, next, pair};
use winsock::{Batch, Completion, Error, Operations, Port, TcpSocket};

/// `ERROR_INVALID_PARAMETER`, what tying a socket to a second port fails with (rule 17).
const TIED_ELSEWHERE: Error = Error::from_code(87);

#[test]
fn a_socket_belongs_to_its_first_port() {
    let (first, second) = (Port::new().unwrap(), Port::new().unwrap());
    let (near, far) = pair();
    first.recv(&near, vec![0; 4], ());
    second.recv(&near, vec![0; 4], ());
    assert_eq!(next(&second).error(), Some(TIED_ELSEWHERE));
    far.send(b"ok").unwrap();
    assert_eq!(next(&first).error(), None);
}

#[test]
fn cancel_from_another_thread_never_hits_the_next_operation() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    let (tickets, arriving) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let port = &port;
        scope.spawn(move || {
            for ticket in arriving {
                port.cancel(ticket);
            }
        });
        for _ in 0..300 {
            tickets.send(port.recv(&near, vec![0; 1], "cancelled")).unwrap();
            assert_eq!(next(port).error(), Some(Error::OPERATION_ABORTED));
            port.recv(&near, vec![0; 1], "spared");
            far.send(b".").unwrap();
            let Completion::Recv { token: "spared", result: Ok(1), .. } = next(port) else {
                panic!()
            };
        }
        drop(tickets);
    });
}

#[test]
fn posted_tokens_come_in_order() {
    let port: Port<usize> = Port::new().unwrap();
    for number in 0..100 {
        port.post(number);
    }
    let mut batch = Batch::new(64);
    let mut seen = Vec::new();
    while seen.len() < 100 {
        let completions = port.wait(&mut batch, Some(SOON)).unwrap();
        assert!((1..=64).contains(&completions.len()));
        seen.extend(completions.map(|completion| *completion.token()));
    }
    assert!(seen.into_iter().eq(0..100));
}

#[test]
fn time_out_is_no_error() {
    let port: Port<()> = Port::new().unwrap();
    let mut batch = Batch::default();
    for timeout in [Duration::ZERO, Duration::from_millis(20)] {
        assert_eq!(port.wait(&mut batch, Some(timeout)).unwrap().len(), 0);
        assert!(port.wait_one(Some(timeout)).unwrap().is_none());
    }
}

/// A client of [`serve`], driven by the port it shares with others.
struct Client {
    socket: TcpSocket,
    rounds: u32,
    sent: Vec<u8>,
    got: Vec<u8>,
}

#[derive(Clone)]
enum Role {
    Door,
    Guest(Arc<TcpSocket>),
    Stop,
}

/// Echoes until it is told to stop.
fn serve(port: &Port<Role>, listener: &winsock::Listener) {
    let mut batch = Batch::new(16);
    loop {
        for completion in port.wait(&mut batch, Some(SOON)).unwrap() {
            match completion {
                Completion::Accept { result, .. } => {
                    port.accept(listener, Role::Door);
                    let guest = Arc::new(result.unwrap().socket);
                    port.recv(&guest, Vec::with_capacity(2000), Role::Guest(guest.clone()));
                }
                Completion::Recv { token: Role::Guest(guest), buf, result: Ok(1..) } => {
                    port.send(&guest, buf, Role::Guest(guest.clone()));
                }
                Completion::Send { token: Role::Guest(guest), buf, result: Ok(_) } => {
                    port.recv(&guest, buf, Role::Guest(guest.clone()));
                }
                Completion::Post { token: Role::Stop } => return,
                _ => {}
            }
        }
    }
}

/// `clients` clients make `rounds` exchanges each, through a port of their own, with a server of
/// `threads` threads.
fn echo(threads: usize, clients: usize, rounds: u32) {
    let server: Port<Role> = Port::with_concurrency(threads as u32).unwrap();
    let (listener, address) = listener();
    for _ in 0..4 {
        server.accept(&listener, Role::Door);
    }
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| serve(&server, &listener));
        }
        let _stop = Stop(&server, threads);
        converse(address, clients, rounds);
    });
}

/// Stops the threads, also when the test has failed.
struct Stop<'a>(&'a Port<Role>, usize);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        for _ in 0..self.1 {
            self.0.post(Role::Stop);
        }
    }
}

fn converse(address: std::net::SocketAddr, clients: usize, rounds: u32) {
    let port: Port<usize> = Port::new().unwrap();
    for number in 0..clients {
        port.connect(address, number);
    }
    let mut live = HashMap::new();
    let mut done = 0;
    while done < clients {
        match next(&port) {
            Completion::Connect { token, result } => {
                let sent: Vec<u8> =
                    (0..100 + token * 37).map(|at| (at * 7 + token) as u8).collect();
                let socket = result.unwrap();
                port.send(&socket, sent.clone(), token);
                port.recv(&socket, Vec::with_capacity(512), token);
                live.insert(token, Client { socket, rounds, sent, got: Vec::new() });
            }
            Completion::Send { token, buf, result } => assert_eq!(result, Ok(buf.len()), "{token}"),
            Completion::Recv { token, buf, result } => {
                assert_eq!(result, Ok(buf.len()), "{token}");
                assert!(!buf.is_empty());
                let client = live.get_mut(&token).unwrap();
                client.got.extend_from_slice(&buf);
                if client.got.len() == client.sent.len() {
                    assert!(client.got == client.sent, "client {token} got something else");
                    client.got.clear();
                    client.rounds -= 1;
                    if client.rounds == 0 {
                        live.remove(&token);
                        done += 1;
                        continue;
                    }
                    port.send(&client.socket, client.sent.clone(), token);
                }
                port.recv(&client.socket, buf, token);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn echo_to_one() {
    echo(1, 1, 200);
}

#[test]
fn echo_to_many() {
    echo(1, 60, 20);
}

#[test]
fn echo_from_two_threads() {
    echo(2, 60, 20);
}
