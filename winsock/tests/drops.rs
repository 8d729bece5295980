//! Dropping things in every order, with operations in flight: nothing is freed early, nothing
//! leaks.

mod common;

use std::net::UdpSocket as StdUdpSocket;
use std::sync::{Arc, OnceLock};
use std::thread;

use common::{
    Census, Counted, Member, SOON, Served, for_each_model, listener, loopback, next, pair,
};
use winsock::{Batch, Completion, Error, Operations, Port, TcpSocket, UdpSocket};

for_each_model! {
    socket_before_model
    model_before_socket
    model_before_socket_with_a_send_stuck
    model_with_everything_in_flight
    a_token_that_owns_its_socket_is_no_cycle
    connections_come_and_go
    datagrams_after_the_model
}

fn socket_before_model(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let (near, _far) = pair();
    for _ in 0..10 {
        model.recv(&near, census.buffer([0; 16]), census.member());
    }
    assert_eq!(census.alive(), 20);
    drop(near);
    // Closed, but not given back yet: that takes a wait, or the model's end.
    assert_eq!(census.alive(), 20);
    drop(model);
    assert_eq!(census.alive(), 0);
}

fn model_before_socket(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let (near, far) = pair();
    for _ in 0..10 {
        model.recv(&near, census.buffer([0; 16]), census.member());
    }
    drop(model);
    assert_eq!(census.alive(), 0);
    // The socket is none the worse for it.
    far.send(b"still here").unwrap();
    assert_eq!(near.recv(&mut [0; 16]), Ok(10));
}

fn model_before_socket_with_a_send_stuck(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let (near, _far) = pair();
    // Nobody receives: some of it fits into buffers on the way, the rest is in flight.
    for _ in 0..8 {
        model.send(&near, census.buffer(vec![7; 4 << 20]), census.member());
    }
    drop(model);
    assert_eq!(census.alive(), 0);
}

fn model_with_everything_in_flight(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let (listener, address) = listener();
    let udp = UdpSocket::bind(loopback()).unwrap();
    let (near, far) = pair();
    for _ in 0..3 {
        model.accept(&listener, census.member());
        model.connect(address, census.member());
        model.recv(&near, census.buffer([0; 8]), census.member());
        model.send(&near, census.buffer(*b"some"), census.member());
        model.recv_from(&udp, census.buffer([0; 8]), census.member());
        model.hand_over(census.member());
        // Refused.
        let unconnected = TcpSocket::new_v4().unwrap();
        model.recv(&unconnected, census.buffer([0; 8]), census.member());
    }
    model.disconnect(far, census.member());
    drop((model, listener, udp, near));
    assert_eq!(census.alive(), 0);
}

struct Connection {
    socket: OnceLock<TcpSocket>,
    _member: Member,
}

fn a_token_that_owns_its_socket_is_no_cycle(model: impl Served<Arc<Connection>>) {
    let census = Census::default();
    let (near, far) = pair();
    let connection = Connection { socket: OnceLock::from(near), _member: census.member() };
    let connection = Arc::new(connection);
    model.recv(connection.socket.get().unwrap(), vec![0; 8], connection.clone());
    drop(connection);
    assert_eq!(census.alive(), 1);
    drop(model);
    assert_eq!(census.alive(), 0);
    // And it was closed by that; our receive sees it.
    assert!(matches!(far.recv(&mut [0; 8]), Ok(0) | Err(Error::CONNECTION_RESET)));
}

fn connections_come_and_go(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let (listener, address) = listener();
    model.accept(&listener, census.member());
    for round in 0..100 {
        let client = TcpSocket::connect(address).unwrap();
        let Completion::Accept { token, result } = next(&model) else { panic!() };
        let accepted = result.unwrap();
        model.recv(&accepted.socket, census.buffer([0; 32]), census.member());
        model.accept(&listener, token);
        match round % 3 {
            0 => drop(client),
            1 => {
                client.send(b"bye").unwrap();
                drop(client);
            }
            _ => drop(accepted),
        }
        let Completion::Recv { .. } = next(&model) else { panic!() };
    }
    assert_eq!((model.in_flight(), census.alive()), (1, 1));
    drop(model);
    assert_eq!(census.alive(), 0);
}

fn datagrams_after_the_model(model: impl Served<Member, Counted>) {
    let census = Census::default();
    let udp = UdpSocket::bind(loopback()).unwrap();
    model.recv_from(&udp, census.buffer([0; 16]), census.member());
    drop(model);
    assert_eq!(census.alive(), 0);
    let sender = StdUdpSocket::bind(loopback()).unwrap();
    sender.send_to(b"late", udp.local_addr().unwrap()).unwrap();
    udp.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(udp.recv_from(&mut [0; 16]), Ok((4, sender.local_addr().unwrap())));
}

/// Tokens and buffers of this port are counted.
type Counting = Port<Member, Counted>;

#[test]
fn completions_not_taken_come_again() {
    let census = Census::default();
    let port = Counting::new().unwrap();
    for _ in 0..10 {
        port.post(census.member());
    }
    let mut batch = Batch::new(6);
    let mut completions = port.wait(&mut batch, Some(SOON)).unwrap();
    drop(completions.next());
    drop(completions);
    assert_eq!((census.alive(), port.in_flight()), (9, 9));
    // Those that are forgotten wait for the port's end.
    let forgotten = port.wait(&mut batch, Some(SOON)).unwrap();
    let count = forgotten.len();
    std::mem::forget(forgotten);
    assert_eq!((census.alive(), port.in_flight()), (9, 9 - count));
    drop(port);
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_result_survives_not_being_taken() {
    let port = Port::new().unwrap();
    let (near, far) = pair();
    port.recv(&near, Vec::with_capacity(8), ());
    far.send(b"kept").unwrap();
    let mut batch = Batch::default();
    assert_eq!(port.wait(&mut batch, Some(SOON)).unwrap().len(), 1);
    let Completion::Recv { buf, result: Ok(4), .. } = next(&port) else { panic!() };
    assert_eq!(buf, b"kept");
}

#[test]
fn a_port_dropped_by_another_thread() {
    let census = Census::default();
    let port = Counting::new().unwrap();
    let (near, far) = pair();
    let port = thread::spawn({
        let (buffer, member) = (census.buffer([0; 16]), census.member());
        move || {
            port.recv(&near, buffer, member);
            (port, near)
        }
    });
    // The thread that started the operation has ended; the operation goes on (rule 48).
    let (port, near) = port.join().unwrap();
    far.send(b"x").unwrap();
    let Completion::Recv { token, buf, result: Ok(1) } = next(&port) else { panic!() };
    port.recv(&near, buf, token);
    thread::spawn(move || drop(port)).join().unwrap();
    assert_eq!(census.alive(), 0);
}

#[test]
fn a_panicking_handler_leaves_nothing_behind() {
    let census = Census::default();
    let (near, far) = pair();
    far.send(b"x").unwrap();
    let outcome = thread::scope(|scope| {
        let handler = scope.spawn(|| {
            let port = Counting::new().unwrap();
            port.recv(&near, census.buffer([0; 1]), census.member());
            port.recv(&near, census.buffer([0; 1]), census.member());
            port.post(census.member());
            let mut batch = Batch::default();
            let mut completions = port.wait(&mut batch, Some(SOON)).unwrap();
            let _taken = completions.next();
            std::panic::resume_unwind(Box::new("a bug in the handler"));
        });
        handler.join()
    });
    assert!(outcome.is_err());
    assert_eq!(census.alive(), 0);
}
