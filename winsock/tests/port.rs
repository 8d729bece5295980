//! Operations through a completion port, each with each of its outcomes.

mod common;

use std::collections::HashMap;
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use common::{SOON, listener, loopback, next, pair, receive, silent};
use winsock::{Batch, Chunk, Completion, Error, File, Operations, Port, TcpSocket};

/// `ERROR_INVALID_PARAMETER`, what tying a socket to a second port fails with (rule 17).
const TIED_ELSEWHERE: Error = Error::from_code(87);

#[test]
fn receive_and_send() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    port.recv(&near, Vec::with_capacity(64), "in");
    far.send(b"hello").unwrap();
    let Completion::Recv { token: "in", buf, result: Ok(5) } = next(&port) else { panic!() };
    assert_eq!(buf, b"hello");
    assert!(buf.capacity() >= 64, "the same buffer");
    port.send(&near, buf, "out");
    let Completion::Send { token: "out", buf, result: Ok(5) } = next(&port) else { panic!() };
    assert_eq!(buf, b"hello");
    assert_eq!(receive(&far, 5), b"hello");
    silent(&port);
}

#[test]
fn a_receive_overwrites_from_the_start() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    far.send(b"new").unwrap();
    let old = b"old content".to_vec();
    port.recv(&near, old, ());
    let Completion::Recv { buf, result: Ok(3), .. } = next(&port) else { panic!() };
    assert_eq!(buf, b"new");
}

#[test]
fn receives_fill_in_posting_order() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    for number in 0..4 {
        port.recv(&near, Vec::with_capacity(4), number);
    }
    assert_eq!(port.in_flight(), 4);
    far.send(b"aaaabbbbccccdddd").unwrap();
    for (number, text) in [b"aaaa", b"bbbb", b"cccc", b"dddd"].into_iter().enumerate() {
        let Completion::Recv { token, buf, result: Ok(4) } = next(&port) else { panic!() };
        assert_eq!((token, &buf[..]), (number, &text[..]));
    }
    assert_eq!(port.in_flight(), 0);
}

#[test]
fn end_of_stream_is_zero_bytes() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    port.recv(&near, vec![1; 8], ());
    far.shutdown(Shutdown::Write).unwrap();
    let Completion::Recv { buf, result: Ok(0), .. } = next(&port) else { panic!() };
    assert!(buf.is_empty());
}

#[test]
fn an_empty_buffer_waits_and_takes_nothing() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    port.recv(&near, Vec::new(), "wait");
    silent(&port);
    far.send(b"x").unwrap();
    let Completion::Recv { token: "wait", result: Ok(0), .. } = next(&port) else { panic!() };
    port.recv(&near, Vec::with_capacity(8), "take");
    let Completion::Recv { token: "take", buf, .. } = next(&port) else { panic!() };
    assert_eq!(buf, b"x");
}

#[test]
fn a_reset_gives_the_buffer_back() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    port.recv(&near, Vec::with_capacity(77), ());
    far.set_linger(Some(Duration::ZERO)).unwrap();
    drop(far);
    let Completion::Recv { buf, result, .. } = next(&port) else { panic!() };
    assert_eq!(result, Err(Error::CONNECTION_RESET));
    assert!(buf.is_empty() && buf.capacity() >= 77);
    // And what the system refuses at once comes back, too.
    port.send(&near, b"too late".to_vec(), ());
    let Completion::Send { buf, result, .. } = next(&port) else { panic!() };
    assert!(result.is_err(), "{result:?}");
    assert_eq!(buf, b"too late");
}

#[test]
fn refused_operations_complete_with_their_error() {
    let port = Port::new().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    port.recv(&socket, vec![0; 4], 1);
    port.send(&socket, vec![0; 4], 2);
    let Completion::Recv { token: 1, buf, result: Err(error) } = next(&port) else { panic!() };
    assert_eq!((buf.capacity(), error), (4, Error::NOT_CONNECTED));
    // Wine calls this one a reset.
    let Completion::Send { token: 2, buf, result: Err(_) } = next(&port) else { panic!() };
    assert_eq!(buf, [0; 4]);
    silent(&port);
}

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
fn cancel_hits_one_operation() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    let first = port.recv(&near, Vec::with_capacity(4), "first");
    let second = port.recv(&near, Vec::with_capacity(4), "second");
    assert!(port.cancel(second));
    let Completion::Recv { token: "second", buf, result } = next(&port) else { panic!() };
    assert_eq!(result, Err(Error::OPERATION_ABORTED));
    assert!(buf.capacity() >= 4);
    assert!(!port.cancel(second), "it has ended");
    far.send(b"data").unwrap();
    let Completion::Recv { token: "first", buf, .. } = next(&port) else { panic!() };
    assert_eq!(buf, b"data");
    assert!(!port.cancel(first));
    // The record is used again; the old ticket does not name the new operation.
    let third = port.recv(&near, Vec::with_capacity(4), "third");
    assert!(!port.cancel(first) && !port.cancel(second));
    assert!(!Port::<()>::new().unwrap().cancel(third), "not of that port");
    assert!(port.cancel(third));
    assert_eq!(next(&port).error(), Some(Error::OPERATION_ABORTED));
}

#[test]
fn cancelling_a_socket_hits_all_of_it() {
    let port = Port::new().unwrap();
    let (near, _far) = pair();
    for number in 0..3 {
        port.recv(&near, vec![0; 4], number);
    }
    assert!(near.cancel());
    for _ in 0..3 {
        assert_eq!(next(&port).error(), Some(Error::OPERATION_ABORTED));
    }
    silent(&port);
}

#[test]
fn closing_a_socket_ends_its_operations() {
    let port = Port::new().unwrap();
    let (near, _far) = pair();
    port.recv(&near, Vec::with_capacity(4), ());
    drop(near);
    let Completion::Recv { buf, result: Err(error), .. } = next(&port) else { panic!() };
    let expected = [Error::OPERATION_ABORTED, Error::CONNECTION_ABORTED];
    assert!(expected.contains(&error), "{error}");
    assert!(buf.capacity() >= 4);
    silent(&port);
}

#[test]
fn cancel_against_arrival() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    let mut received = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                far.send(b"abc").unwrap();
            }
        });
        while received < 1500 {
            let ticket = port.recv(&near, Vec::with_capacity(3), ());
            port.cancel(ticket);
            let Completion::Recv { buf, result, .. } = next(&port) else { panic!() };
            match result {
                Ok(count) => assert_eq!(count, buf.len()),
                Err(error) => assert_eq!(error, Error::OPERATION_ABORTED),
            }
            assert!(buf.capacity() >= 3);
            received += buf.len();
        }
    });
    silent(&port);
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
fn accept_knows_both_ends() {
    let port: Port<&str> = Port::new().unwrap();
    let (listener, address) = listener();
    port.accept(&listener, "door");
    let client = TcpSocket::connect(address).unwrap();
    let Completion::Accept { token: "door", result: Ok(accepted) } = next(&port) else { panic!() };
    assert_eq!(accepted.local, address);
    assert_eq!(accepted.peer, client.local_addr().unwrap());
    // The accept context is there: these fail without it (rule 73).
    assert_eq!(accepted.socket.peer_addr(), Ok(accepted.peer));
    assert_eq!(accepted.socket.local_addr(), Ok(address));
    accepted.socket.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.recv(&mut [0; 4]), Ok(0));
}

#[test]
fn accept_v6() {
    let Ok(listener) = winsock::Listener::bind("[::1]:0") else { return }; // No IPv6 here.
    let port: Port<()> = Port::new().unwrap();
    port.accept(&listener, ());
    port.connect(listener.local_addr().unwrap(), ());
    for _ in 0..2 {
        match next(&port) {
            Completion::Accept { result: Ok(accepted), .. } => assert!(accepted.peer.is_ipv6()),
            Completion::Connect { result: Ok(socket), .. } => {
                assert_eq!(socket.peer_addr(), listener.local_addr());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn closing_a_listener_ends_its_accepts() {
    let port: Port<()> = Port::new().unwrap();
    let (listener, _) = listener();
    port.accept(&listener, ());
    port.accept(&listener, ());
    drop(listener);
    for _ in 0..2 {
        assert_eq!(next(&port).error(), Some(Error::OPERATION_ABORTED));
    }
}

#[test]
fn connect_and_be_refused() {
    let port: Port<&str> = Port::new().unwrap();
    let (listener, address) = listener();
    port.connect(address, "there");
    let Completion::Connect { token: "there", result: Ok(socket) } = next(&port) else { panic!() };
    assert_eq!(socket.peer_addr(), Ok(address));
    drop((socket, listener));
    port.connect(address, "gone");
    let Completion::Connect { token: "gone", result } = next(&port) else { panic!() };
    assert_eq!(result.err(), Some(Error::CONNECTION_REFUSED));
}

#[test]
fn connect_from_an_address_of_choice() {
    let port: Port<()> = Port::new().unwrap();
    let (listener, address) = listener();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(loopback()).unwrap();
    let from = socket.local_addr().unwrap();
    port.connect_from(socket, address, ());
    assert_eq!(next(&port).error(), None);
    assert_eq!(listener.accept().unwrap().1, from);
}

#[test]
fn disconnect_and_use_the_socket_again() {
    let port: Port<()> = Port::new().unwrap();
    let (listener, address) = listener();
    let first = TcpSocket::connect(address).unwrap();
    port.accept(&listener, ());
    let Completion::Accept { result: Ok(accepted), .. } = next(&port) else { panic!() };
    drop(first);
    port.disconnect(accepted.socket, ());
    let Completion::Disconnect { result, .. } = next(&port) else { panic!() };
    port.accept_into(&listener, result.unwrap(), ());
    let second = TcpSocket::connect(address).unwrap();
    let Completion::Accept { result, .. } = next(&port) else { panic!() };
    let accepted = result.unwrap();
    assert_eq!(accepted.peer, second.local_addr().unwrap());
    second.send(b"again").unwrap();
    port.recv(&accepted.socket, vec![0; 8], ());
    let Completion::Recv { result: Ok(5), .. } = next(&port) else { panic!() };
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

#[test]
fn constant_and_shared_bytes() {
    let port: Port<&str, Chunk> = Port::new().unwrap();
    let (near, far) = pair();
    let shared: Arc<[u8]> = Arc::from(&b"shared"[..]);
    port.send(&near, Chunk::Static(b"static "), "static");
    let Completion::Send { buf: Chunk::Static(_), .. } = next(&port) else { panic!() };
    for _ in 0..2 {
        port.send(&near, shared.clone().into(), "shared");
        let Completion::Send { buf: Chunk::Shared(_), .. } = next(&port) else { panic!() };
    }
    assert_eq!(Arc::strong_count(&shared), 1);
    assert_eq!(receive(&far, 19), b"static sharedshared");
}

#[test]
fn a_file_goes_out_in_parts() {
    let path = std::env::temp_dir().join(format!("winsock-transmit-{}", std::process::id()));
    let content: Vec<u8> = (0..100_000).map(|at| (at % 251) as u8).collect();
    std::fs::write(&path, &content).unwrap();
    let file = Arc::new(File::open(&path).unwrap());
    assert_eq!(file.len(), Ok(100_000));
    let port: Port<&str> = Port::new().unwrap();
    let (near, far) = pair();
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(receive(&far, 90_000) == content[10_000..]);
        });
        for part in [10_000..60_000, 60_000..100_000] {
            port.transmit(&near, file.clone(), part.clone(), "part");
            let Completion::Transmit { token: "part", result, .. } = next(&port) else { panic!() };
            assert_eq!(result, Ok((part.end - part.start) as usize));
        }
    });
    for (part, error) in [(7..7, Error::INVALID), (0..1 << 31, Error::MESSAGE_TOO_LONG)] {
        port.transmit(&near, file.clone(), part, "wrong");
        assert_eq!(next(&port).error(), Some(error));
    }
    assert_eq!(Arc::strong_count(&file), 1);
    drop(file);
    std::fs::remove_file(&path).unwrap();
    let error = File::open(&path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
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
