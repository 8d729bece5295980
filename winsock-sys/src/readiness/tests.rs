//! What the conformance suite cannot bring about: reports that are underway while a call is made.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, IN_ADDR, IN_ADDR_0, SOCK_DGRAM, SOCK_STREAM, SOCKADDR_IN, WSADATA,
};

use super::*;
use crate::connect::connect;
use crate::data::{recv, send};
use crate::object::{self, SocketRef};
use crate::start::{self, WSAStartup, closesocket};
use crate::{backend, socket, thread};

/// Sends to a socket from outside.
type Send = Box<dyn FnMut(&[u8])>;

/// A socket that hears of input, and what sends to it.
struct Pair {
    handle: SOCKET,
    socket: SocketRef,
    send: Send,
}

impl Pair {
    fn new(kind: i32) -> Pair {
        // SAFETY: the structure outlives the call.
        assert_eq!(unsafe { WSAStartup(0x0202, &mut WSADATA::default()) }, 0);
        // SAFETY: no memory is passed.
        let handle = unsafe { start::socket(AF_INET.into(), kind, 0) };
        let send: Send = if kind == SOCK_STREAM {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            join(handle, listener.local_addr().unwrap().port());
            let mut peer = listener.accept().unwrap().0;
            Box::new(move |bytes| peer.write_all(bytes).unwrap())
        } else {
            let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            join(handle, peer.local_addr().unwrap().port());
            // SAFETY: one byte is there.
            assert_eq!(unsafe { self::send(handle, b"?".as_ptr(), 1, 0) }, 1);
            peer.connect(peer.recv_from(&mut [0]).unwrap().1).unwrap();
            Box::new(move |bytes| assert_eq!(peer.send(bytes).unwrap(), bytes.len()))
        };
        let socket = object::socket(handle).unwrap();
        socket.select(Selection { sink: Sink::Nowhere, mask: FD_READ }).unwrap();
        Pair { handle, socket, send }
    }

    /// Receives one byte into room for one. False if there is none.
    fn recv(&self) -> bool {
        // SAFETY: there is room for one byte.
        unsafe { recv(self.handle, [0].as_mut_ptr(), 1, 0) == 1 }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: no memory is passed.
        unsafe { closesocket(self.handle) };
    }
}

fn join(handle: SOCKET, port: u16) {
    let address = IN_ADDR { S_un: IN_ADDR_0 { S_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() } };
    let name = SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: port.to_be(),
        sin_addr: address,
        ..Default::default()
    };
    // SAFETY: pointer and length describe the name.
    let connected = unsafe { connect(handle, (&raw const name).cast(), size_of_val(&name) as i32) };
    assert_eq!(connected, 0);
}

#[test]
fn a_report_of_what_has_been_received_meanwhile_is_no_news() {
    for kind in [SOCK_STREAM, SOCK_DGRAM] {
        let mut pair = Pair::new(kind);
        // Should another thread ask the kernel in between, the report would not be of that moment.
        let undisturbed = (0..100).any(|_| {
            while pair.recv() {}
            thread::on_current(backend::poll);
            (pair.send)(b"1");
            let round = backend::round();
            while !pair.recv() {}
            socket::on_ready(pair.handle, libc::EPOLLIN as u32);
            let told = pair.socket.lock().knows(FD_READ);
            let undisturbed = backend::round() == round;
            assert!(!(told && undisturbed), "there is nothing to be received");
            undisturbed
        });
        assert!(undisturbed);
    }
}
