//! Sockets without a port: the calls that block, and the options.

mod common;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use common::{SOON, listener, loopback, next, pair, silent};
use winsock::{Completion, Error, Listener, Operations, Port, TcpSocket, UdpSocket};

#[test]
fn a_thread_per_client() {
    let (listener, address) = listener();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..8 {
                let (socket, peer) = listener.accept().unwrap();
                assert_eq!(socket.peer_addr(), Ok(peer));
                thread::spawn(move || io::copy(&mut &socket, &mut &socket).unwrap());
            }
        });
        for number in 0..8 {
            scope.spawn(move || {
                // A client that knows nothing of Winsock.
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(Some(SOON)).unwrap();
                let text = format!("hello from {number}\n").repeat(50);
                stream.write_all(text.as_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let mut back = String::new();
                stream.read_to_string(&mut back).unwrap();
                assert_eq!(back, text);
            });
        }
    });
}

#[test]
fn reads_and_writes_like_any_stream() {
    let (near, far) = pair();
    writeln!(&near, "one line").unwrap();
    drop(near);
    let lines: Vec<String> = BufReader::new(far).lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["one line"]);
}

#[test]
fn a_send_takes_all_of_it() {
    let (near, far) = pair();
    let data: Vec<u8> = (0..3 << 20).map(|at| (at % 251) as u8).collect();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(near.send(&data), Ok(data.len())));
        assert!(common::receive(&far, data.len()) == data);
    });
}

#[test]
fn a_receive_times_out() {
    let (near, _far) = pair();
    near.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
    assert_eq!(near.read_timeout(), Ok(Some(Duration::from_millis(30))));
    assert_eq!(near.recv(&mut [0; 4]), Err(Error::TIMED_OUT));
    let error = (&near).read(&mut [0; 4]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(near.set_read_timeout(Some(Duration::ZERO)), Err(Error::INVALID));
    near.set_read_timeout(None).unwrap();
    assert_eq!(near.read_timeout(), Ok(None));
}

#[test]
fn a_direction_that_was_ended() {
    let (near, far) = pair();
    near.shutdown(Shutdown::Write).unwrap();
    assert_eq!(near.send(b"x").map_err(Error::name), Err(Some("WSAESHUTDOWN")));
    assert_eq!(far.recv(&mut [0; 4]), Ok(0));
    far.send(b"y").unwrap();
    assert_eq!(near.recv(&mut [0; 4]), Ok(1));
}

#[test]
fn nobody_there() {
    let (listener, address) = listener();
    drop(listener);
    assert_eq!(TcpSocket::connect(address).err(), Some(Error::CONNECTION_REFUSED));
    assert_eq!(TcpSocket::connect("no port").err(), Some(Error::INVALID));
}

#[test]
fn an_address_is_taken_once() {
    let (_listener, address) = listener();
    assert!(Listener::bind(address).is_err());
}

#[test]
fn options_read_back() {
    let (near, _far) = pair();
    for on in [false, true] {
        near.set_nodelay(on).unwrap();
        near.set_keepalive(on).unwrap();
        assert_eq!((near.nodelay(), near.keepalive()), (Ok(on), Ok(on)));
    }
    near.set_keepalive_times(Duration::from_secs(60), Duration::from_secs(5)).unwrap();
    for linger in [None, Some(Duration::ZERO), Some(Duration::from_secs(7))] {
        near.set_linger(linger).unwrap();
        assert_eq!(near.linger(), Ok(linger));
    }
    near.set_write_timeout(Some(SOON)).unwrap();
    assert_eq!(near.write_timeout(), Ok(Some(SOON)));
    near.set_send_buffer(20_000).unwrap();
    near.set_recv_buffer(30_000).unwrap();
    assert_eq!((near.send_buffer(), near.recv_buffer()), (Ok(20_000), Ok(30_000)));
    assert_eq!(near.take_error(), Ok(None));
}

#[test]
fn options_before_listening() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_exclusive_address(true).unwrap();
    socket.bind(loopback()).unwrap();
    let listener = socket.listen(16).unwrap();
    let client = TcpSocket::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(listener.accept().unwrap().1, client.local_addr().unwrap());
}

#[test]
fn a_handle_goes_out_and_comes_back() {
    let (near, far) = pair();
    let raw = near.into_raw();
    // SAFETY: it was ours a moment ago, and nobody has touched it.
    let near = unsafe { TcpSocket::from_raw(raw) };
    near.send(b"x").unwrap();
    assert_eq!(far.recv(&mut [0; 4]), Ok(1));
}

#[test]
fn datagrams() {
    let (a, b) = (UdpSocket::bind(loopback()).unwrap(), UdpSocket::bind(loopback()).unwrap());
    let (at_a, at_b) = (a.local_addr().unwrap(), b.local_addr().unwrap());
    b.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(a.send_to(b"first", at_b), Ok(5));
    assert_eq!(b.recv_from(&mut [0; 16]), Ok((5, at_a)));
    // One that is too long is cut off, and that is an error.
    a.send_to(b"second", at_b).unwrap();
    let mut short = [0; 3];
    assert_eq!(b.recv_from(&mut short), Err(Error::MESSAGE_TOO_LONG));
    assert_eq!(&short, b"sec");
    b.connect(at_a).unwrap();
    b.send(b"third").unwrap();
    a.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(a.recv(&mut [0; 16]), Ok(5));
}

#[test]
fn datagrams_through_a_port() {
    let port = Port::new().unwrap();
    let (a, b) = (UdpSocket::bind(loopback()).unwrap(), UdpSocket::bind(loopback()).unwrap());
    let (at_a, at_b) = (a.local_addr().unwrap(), b.local_addr().unwrap());
    for number in 0..20 {
        port.recv_from(&b, Vec::with_capacity(8), "in");
        port.send_to(&a, vec![number; 4], at_b, "out");
        for _ in 0..2 {
            match next(&port) {
                Completion::SendTo { token: "out", result: Ok(4), .. } => {}
                Completion::RecvFrom { token: "in", buf, result } => {
                    assert_eq!(result, Ok((4, at_a)));
                    assert_eq!(buf, [number; 4]);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // Whether the receive meets it at once or waits for it.
    for comes_first in [true, false] {
        let send = || a.send_to(b"much too long", at_b).unwrap();
        if comes_first {
            send();
            std::thread::sleep(Duration::from_millis(30));
        }
        port.recv_from(&b, Vec::with_capacity(8), "cut");
        if !comes_first {
            send();
        }
        let Completion::RecvFrom { token: "cut", buf, result } = next(&port) else { panic!() };
        assert_eq!(result, Err(Error::MESSAGE_TOO_LONG));
        assert_eq!(&buf[..], &b"much too long"[..buf.capacity()]);
        silent(&port);
    }
}
