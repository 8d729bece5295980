//! Section D: the extension functions, by pointer.

use std::mem::{size_of, transmute};
use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Foundation::WAIT_OBJECT_0;
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::core::GUID;

const EXTENSIONS: [(&str, GUID); 7] = [
    ("AcceptEx", WSAID_ACCEPTEX),
    ("GetAcceptExSockaddrs", WSAID_GETACCEPTEXSOCKADDRS),
    ("ConnectEx", WSAID_CONNECTEX),
    ("DisconnectEx", WSAID_DISCONNECTEX),
    ("TransmitFile", WSAID_TRANSMITFILE),
    ("WSARecvMsg", WSAID_WSARECVMSG),
    ("WSASendMsg", WSAID_WSASENDMSG),
];

#[test]
fn r075_every_extension_has_a_pointer() {
    let socket = tcp_socket();
    for (name, guid) in EXTENSIONS {
        let pointer = extension_pointer(*socket, guid);
        assert!(matches!(pointer, Ok(1..)), "{name}: {pointer:?}");
        assert_eq!(extension_pointer(*tcp_socket_v6(), guid), pointer, "{name}: on any socket");
    }
}

#[test]
fn r075_a_datagram_socket_gives_them_too() {
    let socket = udp_socket();
    for guid in [WSAID_WSARECVMSG, WSAID_WSASENDMSG] {
        assert!(matches!(extension_pointer(*socket, guid), Ok(1..)));
    }
}

#[test]
fn r075_an_unknown_guid_is_invalid() {
    let guid = GUID::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    assert_eq!(extension_pointer(*tcp_socket(), guid), Err(WSAEINVAL));
}

#[test]
fn r075_a_bad_socket_is_not_a_socket() {
    init();
    assert_eq!(extension_pointer(INVALID_SOCKET, WSAID_ACCEPTEX), Err(WSAENOTSOCK));
}

/// Asks for AcceptEx with an output buffer of so many bytes.
fn ask_with_room(room: u32) -> Result<u32, i32> {
    let (guid, mut pointer, mut returned) = (WSAID_ACCEPTEX, 0_usize, 0);
    // SAFETY: the output has room for a pointer, and `room` is at most that.
    let rc = unsafe {
        WSAIoctl(
            *tcp_socket(),
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const guid).cast(),
            size_of::<GUID>() as u32,
            (&raw mut pointer).cast(),
            room,
            &raw mut returned,
            null_mut(),
            None,
        )
    };
    if rc == 0 { Ok(returned) } else { Err(last_wsa_error()) }
}

#[test]
fn r075_the_pointer_needs_its_room() {
    assert_eq!(ask_with_room(size_of::<usize>() as u32), Ok(size_of::<usize>() as u32));
    differs_on_wine(|| assert_eq!(ask_with_room(4), Err(WSAEFAULT)));
}

#[test]
fn r075_acceptex_works_by_pointer() {
    let (listener, addr) = listener();
    let acceptor = tcp_socket();
    let pointer = extension_pointer(*listener, WSAID_ACCEPTEX).unwrap();
    // SAFETY: the pointer is that of AcceptEx.
    let accept_ex: LPFN_ACCEPTEX = unsafe { transmute(pointer) };
    let event = Event::manual_reset();
    let op = Op::with_event(64, &event);
    // SAFETY: the op keeps OVERLAPPED and buffer in place, with room for two IPv4 addresses.
    let ok = unsafe {
        let buffer = op.wsabuf().buf.cast();
        accept_ex.unwrap()(*listener, *acceptor, buffer, 0, 32, 32, null_mut(), op.ptr())
    };
    assert_eq!((ok, last_wsa_error()), (0, WSA_IO_PENDING));
    let client = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    let pointer = extension_pointer(*listener, WSAID_GETACCEPTEXSOCKADDRS).unwrap();
    // SAFETY: the pointer is that of GetAcceptExSockaddrs.
    let sockaddrs: LPFN_GETACCEPTEXSOCKADDRS = unsafe { transmute(pointer) };
    let (mut local, mut local_len) = (null_mut(), 0);
    let (mut remote, mut remote_len) = (null_mut(), 0);
    // SAFETY: the buffer and the lengths are those of the AcceptEx; the outputs outlive the call,
    // and the remote address lies in the op's buffer.
    let remote = unsafe {
        sockaddrs.unwrap()(
            op.data().as_ptr().cast(),
            0,
            32,
            32,
            &raw mut local,
            &raw mut local_len,
            &raw mut remote,
            &raw mut remote_len,
        );
        Addr::copied_from(remote, remote_len)
    };
    assert_eq!(remote.port(), local_addr(*client).port());
}

/// A message header for one buffer and the peer's address.
fn message(addr: &mut Addr, buffer: &mut WSABUF) -> WSAMSG {
    WSAMSG {
        name: addr.as_mut_ptr(),
        namelen: addr.len,
        lpBuffers: buffer,
        dwBufferCount: 1,
        Control: WSABUF { len: 0, buf: null_mut() },
        dwFlags: 0,
    }
}

#[test]
fn r075_messages_go_and_come_by_pointer() {
    let (a, mut to) = udp_bound();
    let (b, from) = udp_bound();
    let pointer = extension_pointer(*a, WSAID_WSARECVMSG).unwrap();
    // SAFETY: the pointer is that of WSARecvMsg.
    let recv_msg: LPFN_WSARECVMSG = unsafe { transmute(pointer) };
    let pointer = extension_pointer(*b, WSAID_WSASENDMSG).unwrap();
    // SAFETY: the pointer is that of WSASendMsg.
    let send_msg: LPFN_WSASENDMSG = unsafe { transmute(pointer) };

    let mut letter = *b"letter";
    let mut outgoing = WSABUF { len: 6, buf: letter.as_mut_ptr() };
    let sent_message = message(&mut to, &mut outgoing);
    let mut sent = 0;
    // SAFETY: without OVERLAPPED nothing outlives the call.
    let rc = unsafe { send_msg.unwrap()(*b, &sent_message, 0, &raw mut sent, null_mut(), None) };
    assert_eq!((rc, sent), (0, 6), "{}", last_wsa_error());

    let event = Event::manual_reset();
    let op = Op::with_event(16, &event);
    let mut incoming = op.wsabuf();
    let mut sender = Addr::empty();
    let mut received_message = message(&mut sender, &mut incoming);
    let mut received = 0;
    // SAFETY: the message, its parts and the op stay in place until the event has been seen.
    let rc = unsafe {
        let message = &raw mut received_message;
        recv_msg.unwrap()(*a, message, &raw mut received, op.ptr(), None)
    };
    assert!(rc == 0 || last_wsa_error() == WSA_IO_PENDING, "{}", last_wsa_error());
    assert_eq!(wait(*event, SOON), WAIT_OBJECT_0);
    assert_eq!(wsa_result(&a, &op, false), Ok((6, 0)));
    assert_eq!(&op.data()[..6], b"letter");
    assert_eq!(sender.port(), from.port());
    assert_eq!(received_message.namelen, 16);
}
