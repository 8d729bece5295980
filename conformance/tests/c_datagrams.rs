//! Section C: datagrams, too long or to nobody.

use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Foundation::{
    ERROR_MORE_DATA, ERROR_PORT_UNREACHABLE, STATUS_BUFFER_OVERFLOW, STATUS_PENDING,
    STATUS_PORT_UNREACHABLE,
};
use winsock_sys::Win32::Networking::WinSock::*;

/// An overlapped `WSARecvFrom` with room for the sender's address, which must stay in place.
struct RecvFrom {
    op: Op,
    event: Event,
    from: Box<(Addr, i32)>,
}

impl RecvFrom {
    fn new(len: usize) -> RecvFrom {
        let event = Event::manual_reset();
        let op = Op::with_event(len, &event);
        let from = Addr::empty();
        RecvFrom { op, event, from: Box::new((from, from.len)) }
    }

    fn post(&mut self, socket: &Socket) -> Result<u32, i32> {
        let (buffer, mut bytes, mut flags) = (self.op.wsabuf(), 0, 0);
        let (from, from_len) = (self.from.0.as_mut_ptr(), &raw mut self.from.1);
        // SAFETY: the op keeps OVERLAPPED and buffer in place, the box the address.
        let rc = unsafe {
            WSARecvFrom(
                **socket,
                &buffer,
                1,
                &raw mut bytes,
                &raw mut flags,
                from,
                from_len,
                self.op.ptr(),
                None,
            )
        };
        if rc == 0 { Ok(bytes) } else { Err(last_wsa_error()) }
    }
}

impl Drop for RecvFrom {
    /// The address is lent together with what the op keeps (rule 38).
    fn drop(&mut self) {
        if self.op.status() == STATUS_PENDING {
            let lent = std::mem::replace(&mut self.from, Box::new((Addr::empty(), 0)));
            Box::leak(lent);
        }
    }
}

fn send_to(socket: &Socket, data: &[u8], to: &Addr) {
    let len = data.len() as i32;
    // SAFETY: `data` and `to` are readable for their lengths.
    let sent = unsafe { sendto(**socket, data.as_ptr(), len, 0, to.as_ptr(), to.len) };
    assert_eq!(sent, len, "sendto: {}", last_wsa_error());
}

/// A plain blocking `recvfrom`, one second at most: what comes over loopback is there at once.
fn recv_from(socket: &Socket, len: usize) -> Result<Vec<u8>, i32> {
    assert_eq!(set_option(**socket, SOL_SOCKET, SO_RCVTIMEO, 1000_u32), Ok(()));
    let mut data = vec![0; len];
    // SAFETY: `data` is writable for its length; no address is asked for.
    let got =
        unsafe { recvfrom(**socket, data.as_mut_ptr(), len as i32, 0, null_mut(), null_mut()) };
    let got = usize::try_from(got).map_err(|_| last_wsa_error())?;
    data.truncate(got);
    Ok(data)
}

/// A loopback address nobody listens at: the socket bound there is closed again.
fn nobody() -> Addr {
    let (socket, addr) = udp_bound();
    assert_eq!(socket.close(), Ok(()));
    addr
}

#[test]
fn r064_a_datagram_that_fits_tells_its_sender() {
    let (a, to) = udp_bound();
    let (b, from) = udp_bound();
    let mut receive = RecvFrom::new(16);
    assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    send_to(&b, b"letter", &to);
    assert!(receive.event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &receive.op, false), Ok((6, 0)));
    assert_eq!(&receive.op.data()[..6], b"letter");
    assert_eq!((receive.from.0.port(), receive.from.1), (from.port(), 16));
}

#[test]
fn r064_a_pending_receive_of_a_longer_datagram_is_filled_and_reported() {
    let (a, to) = udp_bound();
    let (b, from) = udp_bound();
    let mut receive = RecvFrom::new(4);
    assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    send_to(&b, b"too long a letter", &to);
    send_to(&b, b"next", &to);
    assert!(receive.event.is_set_within(SOON));
    assert_eq!(receive.op.status(), STATUS_BUFFER_OVERFLOW);
    assert_eq!(receive.op.bytes(), 4);
    assert_eq!(win32_result(&a, &receive.op, false), Err(ERROR_MORE_DATA));
    assert_eq!(wsa_result(&a, &receive.op, false), Err(WSAEMSGSIZE));
    assert_eq!(receive.op.data(), b"too ");
    assert_eq!(receive.from.0.port(), from.port());
    assert_eq!(recv_from(&a, 64), Ok(b"next".to_vec()), "the rest is dropped");
}

#[test]
fn r064_a_port_reports_the_longer_datagram_with_its_bytes() {
    let (a, to) = udp_bound();
    let port = port();
    associate(&a, &port, 5);
    let op = Op::new(4);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    let (b, _) = udp_bound();
    send_to(&b, b"too long", &to);
    let packet = dequeue(*port, SOON);
    assert_eq!((packet.ok, packet.error), (false, ERROR_MORE_DATA));
    assert_eq!((packet.overlapped, packet.key, packet.bytes), (op.ptr(), 5, 4));
    assert_eq!(op.data(), b"too ");
}

#[test]
fn r064_a_blocking_receive_of_a_longer_datagram_fails_with_msgsize() {
    let (a, to) = udp_bound();
    let (b, _) = udp_bound();
    send_to(&b, b"too long a letter", &to);
    send_to(&b, b"next", &to);
    assert_eq!(recv_from(&a, 4), Err(WSAEMSGSIZE));
    assert_eq!(recv_from(&a, 4), Ok(b"next".to_vec()));
}

#[test]
fn r064_each_pending_receive_takes_one_datagram() {
    let (a, to) = udp_bound();
    let (b, _) = udp_bound();
    let mut receives = [RecvFrom::new(8), RecvFrom::new(8), RecvFrom::new(8)];
    for receive in &mut receives {
        assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    }
    for data in [&b"one"[..], b"", b"three"] {
        send_to(&b, data, &to);
    }
    for (receive, expected) in receives.iter().zip([&b"one"[..], b"", b"three"]) {
        assert!(receive.event.is_set_within(SOON));
        assert_eq!(wsa_result(&a, &receive.op, false), Ok((expected.len() as u32, 0)));
        assert_eq!(&receive.op.data()[..expected.len()], expected);
    }
}

// Wine leaves UDP errors to Linux, which reports them to connected sockets only, as refused.

#[test]
fn r065_port_unreachable_resets_the_next_receive() {
    let (a, _) = udp_bound();
    send_to(&a, b"anybody?", &nobody());
    differs_on_wine(|| assert_eq!(recv_from(&a, 16), Err(WSAECONNRESET)));
}

#[test]
fn r065_port_unreachable_ends_a_pending_receive() {
    let (a, _) = udp_bound();
    let mut receive = RecvFrom::new(16);
    assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    send_to(&a, b"anybody?", &nobody());
    differs_on_wine(|| {
        assert!(receive.event.is_set_within(1000));
        assert_eq!(receive.op.status(), STATUS_PORT_UNREACHABLE);
        assert_eq!(win32_result(&a, &receive.op, false), Err(ERROR_PORT_UNREACHABLE));
        assert_eq!(wsa_result(&a, &receive.op, false), Err(WSAECONNRESET));
    });
}

#[test]
fn r065_a_connected_socket_hears_it_too() {
    let (a, _) = udp_bound();
    let addr = nobody();
    // SAFETY: `addr` is a full socket address of `len` bytes.
    assert_eq!(unsafe { connect(*a, addr.as_ptr(), addr.len) }, 0);
    let mut receive = RecvFrom::new(16);
    assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    send_all(&a, b"anybody?");
    assert!(receive.event.is_set_within(1000));
    differs_on_wine(|| assert_eq!(wsa_result(&a, &receive.op, false), Err(WSAECONNRESET)));
}

#[test]
fn r065_a_reset_is_reported_once_and_the_socket_goes_on() {
    let (a, to) = udp_bound();
    send_to(&a, b"anybody?", &nobody());
    differs_on_wine(|| assert_eq!(recv_from(&a, 16), Err(WSAECONNRESET)));
    let (b, _) = udp_bound();
    send_to(&b, b"I", &to);
    assert_eq!(recv_from(&a, 16), Ok(b"I".to_vec()));
}

/// SIO_UDP_CONNRESET: whether port-unreachable messages fail receives.
fn udp_connreset(socket: &Socket, on: bool) {
    let (value, mut returned) = (i32::from(on), 0);
    // SAFETY: the control reads one BOOL; nothing is pending.
    let rc = unsafe {
        WSAIoctl(
            **socket,
            SIO_UDP_CONNRESET,
            (&raw const value).cast(),
            4,
            null_mut(),
            0,
            &raw mut returned,
            null_mut(),
            None,
        )
    };
    assert_eq!(rc, 0, "SIO_UDP_CONNRESET: {}", last_wsa_error());
}

#[test]
fn r065_it_can_be_turned_off() {
    let (a, to) = udp_bound();
    udp_connreset(&a, false);
    let mut receive = RecvFrom::new(16);
    assert_eq!(receive.post(&a), Err(WSA_IO_PENDING));
    send_to(&a, b"anybody?", &nobody());
    assert!(!receive.event.is_set_within(NEVER));
    let (b, _) = udp_bound();
    send_to(&b, b"I", &to);
    assert!(receive.event.is_set_within(SOON));
    assert_eq!(wsa_result(&a, &receive.op, false), Ok((1, 0)));
}
