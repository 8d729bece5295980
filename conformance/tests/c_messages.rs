//! Section C, datagrams by message header: WSASendMsg and WSARecvMsg with control data.

use std::mem::transmute;
use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;
use winsock_sys::Win32::System::IO::OVERLAPPED;

/// Control data: one item at its place, as ws2def.h's macros lay it out.
#[repr(C, align(8))]
struct Control<T> {
    header: CMSGHDR,
    data: T,
}

/// An item, and the length of a buffer with it alone.
fn control<T>(level: i32, kind: i32, data: T) -> (Control<T>, u32) {
    let len = size_of::<CMSGHDR>() + size_of::<T>();
    let header = CMSGHDR { cmsg_len: len, cmsg_level: level, cmsg_type: kind };
    (Control { header, data }, size_of::<Control<T>>() as u32)
}

/// Room for control data.
#[repr(C, align(8))]
struct Room([u8; 256]);

/// WSARecvMsg, as WSAIoctl gives it.
fn receive(socket: &Socket, message: &mut WSAMSG, overlapped: *mut OVERLAPPED) -> Result<u32, i32> {
    let pointer = extension_pointer(**socket, WSAID_WSARECVMSG).expect("WSARecvMsg");
    // SAFETY: that is its type.
    let function = unsafe { transmute::<usize, LPFN_WSARECVMSG>(pointer) }.expect("WSARecvMsg");
    let mut count = 0;
    // SAFETY: the caller keeps message and OVERLAPPED until the operation is over.
    match unsafe { function(**socket, message, &mut count, overlapped, None) } {
        0 => Ok(count),
        _ => Err(last_wsa_error()),
    }
}

/// WSASendMsg to an address, with control data: how many bytes, or the WSA error.
fn send_with<T>(
    from: &Socket,
    to: &Addr,
    bytes: &[u8],
    item: &mut (Control<T>, u32),
) -> Result<u32, i32> {
    let mut buffer = WSABUF { len: bytes.len() as u32, buf: bytes.as_ptr().cast_mut() };
    let message = WSAMSG {
        name: to.as_ptr().cast_mut(),
        namelen: to.len,
        lpBuffers: &raw mut buffer,
        dwBufferCount: 1,
        Control: WSABUF { len: item.1, buf: (&raw mut item.0).cast() },
        dwFlags: 0,
    };
    let mut sent = 0;
    // SAFETY: the message and what it points to outlive the call, which has no OVERLAPPED.
    match unsafe { WSASendMsg(**from, &message, 0, &mut sent, null_mut(), None) } {
        0 => Ok(sent),
        _ => Err(last_wsa_error()),
    }
}

/// The scripted kernel of the tests knows no control data.
fn is_scripted() -> bool {
    !cfg!(windows) && std::env::var("WINSOCK_BACKEND").is_ok_and(|name| name.starts_with("fake"))
}

/// Sends a datagram as it is.
fn send_to(from: &Socket, to: &Addr, bytes: &[u8]) {
    let len = bytes.len() as i32;
    // SAFETY: buffer and address are as long as is said.
    let sent = unsafe { sendto(**from, bytes.as_ptr(), len, 0, to.as_ptr(), to.len) };
    assert_eq!(sent, len, "{}", last_wsa_error());
}

/// Bytes, flags, and the first item of the control data: level, type, content.
type Received = (Vec<u8>, u32, Option<(i32, i32, Vec<u8>)>);

/// What a WSARecvMsg without an OVERLAPPED brings.
fn received(socket: &Socket, room: usize) -> Received {
    let mut bytes = vec![0; 2_000];
    let mut buffer = WSABUF { len: bytes.len() as u32, buf: bytes.as_mut_ptr() };
    let mut from = SOCKADDR_IN::default();
    let mut control = Room([0; 256]);
    let mut message = WSAMSG {
        name: (&raw mut from).cast(),
        namelen: size_of::<SOCKADDR_IN>() as i32,
        lpBuffers: &raw mut buffer,
        dwBufferCount: 1,
        Control: WSABUF { len: room as u32, buf: control.0.as_mut_ptr() },
        dwFlags: 0,
    };
    let count = receive(socket, &mut message, null_mut()).expect("a datagram");
    bytes.truncate(count as usize);
    assert_eq!((from.sin_family, message.namelen), (AF_INET, 16));
    let told = (message.Control.len as usize >= size_of::<CMSGHDR>()).then(|| {
        // SAFETY: the room begins with a header and is aligned for it.
        let header = unsafe { &*control.0.as_ptr().cast::<CMSGHDR>() };
        let data = &control.0[size_of::<CMSGHDR>()..header.cmsg_len];
        (header.cmsg_level, header.cmsg_type, data.to_vec())
    });
    (bytes, message.dwFlags, told)
}

#[test]
fn r171_a_datagram_tells_where_it_came_to() {
    if is_scripted() {
        return;
    }
    let ((socket, address), (peer, _)) = (udp_bound(), udp_bound());
    assert_eq!(set_option(*socket, IPPROTO_IP, IP_PKTINFO, 1_u32), Ok(()));
    send_to(&peer, &address, b"abc");
    let (bytes, flags, told) = received(&socket, 256);
    let (level, kind, data) = told.expect("control data");
    assert_eq!((bytes.as_slice(), flags), (&b"abc"[..], 0));
    assert_eq!((level, kind, data.len()), (IPPROTO_IP, IP_PKTINFO, size_of::<IN_PKTINFO>()));
    assert_eq!(&data[..4], [127, 0, 0, 1]);
    assert_ne!(&data[4..8], [0; 4]);
}

#[test]
fn r171_without_room_for_control_data_the_flags_tell() {
    if is_scripted() {
        return;
    }
    let ((socket, address), (peer, _)) = (udp_bound(), udp_bound());
    assert_eq!(set_option(*socket, IPPROTO_IP, IP_PKTINFO, 1_u32), Ok(()));
    send_to(&peer, &address, b"abc");
    // Wine 8.0 fails.
    may_differ_on_wine(|| {
        let (bytes, flags, told) = received(&socket, 8);
        assert_eq!((bytes.as_slice(), told), (&b"abc"[..], None));
        assert_eq!(flags, MSG_CTRUNC);
    });
}

#[test]
fn r171_nothing_is_told_that_was_not_asked_for() {
    let ((socket, address), (peer, _)) = (udp_bound(), udp_bound());
    send_to(&peer, &address, b"abc");
    assert_eq!(received(&socket, 256), (b"abc".to_vec(), 0, None));
}

#[test]
fn r171_control_data_chooses_the_sender() {
    if is_scripted() {
        return;
    }
    let ((socket, address), (peer, peer_address)) = (udp_bound(), udp_bound());
    let mut info = IN_PKTINFO::default();
    info.ipi_addr.S_un.S_addr = u32::from_ne_bytes([127, 0, 0, 1]);
    let mut item = control(IPPROTO_IP, IP_PKTINFO, info);
    // Wine 8.0 sends no control data.
    may_differ_on_wine(|| {
        assert_eq!(send_with(&peer, &address, b"abc", &mut item), Ok(3));
        let mut from = SOCKADDR_IN::default();
        let (mut len, mut bytes) = (16, [0; 8]);
        // SAFETY: buffer and address are as long as is said.
        let got = unsafe {
            let from = (&raw mut from).cast();
            recvfrom(*socket, bytes.as_mut_ptr(), 8, 0, from, &raw mut len)
        };
        assert_eq!((got, u16::from_be(from.sin_port)), (3, peer_address.port()));
    });
    // Too short for what it says it is.
    item.0.header.cmsg_len = 200;
    assert!(is_wine() || send_with(&peer, &address, b"abc", &mut item) == Err(WSAEINVAL));
}

#[test]
fn r171_overlapped_the_message_is_filled_in_later() {
    let ((socket, address), (peer, _)) = (udp_bound(), udp_bound());
    let asked = set_option(*socket, IPPROTO_IP, IP_PKTINFO, 1_u32);
    assert_eq!(asked, Ok(()));
    let op = Op::new(16);
    let mut buffer = op.wsabuf();
    let mut control = Box::new(Room([0; 256]));
    let mut from = Box::new(SOCKADDR_IN::default());
    let mut message = Box::new(WSAMSG {
        name: (&raw mut *from).cast(),
        namelen: 16,
        lpBuffers: &raw mut buffer,
        dwBufferCount: 1,
        Control: WSABUF { len: 256, buf: control.0.as_mut_ptr() },
        dwFlags: 0,
    });
    assert_eq!(receive(&socket, &mut message, op.ptr()), Err(WSA_IO_PENDING));
    send_to(&peer, &address, b"abc");
    let mut flags = 0;
    let mut count = 0;
    // SAFETY: the op keeps the OVERLAPPED in place.
    let done = unsafe { WSAGetOverlappedResult(*socket, op.ptr(), &mut count, 1, &mut flags) };
    assert_eq!((done, count, from.sin_family), (1, 3, AF_INET), "{}", last_wsa_error());
    if !is_scripted() {
        assert!(
            message.Control.len as usize >= size_of::<CMSGHDR>() + 8,
            "{}",
            message.Control.len
        );
    }
}

#[test]
fn r171_one_send_may_be_many_datagrams_and_one_receive_too() {
    if is_scripted() {
        return;
    }
    let ((socket, address), (peer, _)) = (udp_bound(), udp_bound());
    let mut item = control(IPPROTO_UDP, UDP_SEND_MSG_SIZE, 100_u32);
    // Wine 8.0 sends one datagram, and nothing would come after it.
    assert_eq!(set_option(*socket, SOL_SOCKET, SO_RCVTIMEO, 5_000_u32), Ok(()));
    may_differ_on_wine(|| {
        // Each by itself, ...
        assert_eq!(send_with(&peer, &address, &[7; 250], &mut item), Ok(250));
        let sizes = [(); 3].map(|()| received(&socket, 256).0.len());
        assert_eq!(sizes, [100, 100, 50]);
        // ... and joined, if the receiver wants that.
        let most = set_option(*socket, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE, 65_535_u32);
        assert_eq!(most, Ok(()));
        assert_eq!(send_with(&peer, &address, &[7; 250], &mut item), Ok(250));
        let mut left = 250;
        while left > 0 {
            let (bytes, _, told) = received(&socket, 256);
            left -= bytes.len();
            if bytes.len() > 100 {
                let (level, kind, size) = told.expect("the size of each");
                assert_eq!((level, kind), (IPPROTO_UDP, UDP_COALESCED_INFO as i32));
                assert_eq!(size, 100_u32.to_ne_bytes());
            }
        }
    });
}

#[test]
fn r171_messages_are_for_datagrams() {
    let (socket, _peer) = tcp_pair();
    let mut bytes = [0; 8];
    let mut buffer = WSABUF { len: 8, buf: bytes.as_mut_ptr() };
    let mut message = WSAMSG { lpBuffers: &raw mut buffer, dwBufferCount: 1, ..WSAMSG::default() };
    non_blocking(&socket, true);
    may_differ_on_wine(|| {
        assert_eq!(receive(&socket, &mut message, null_mut()), Err(WSAEINVAL));
    });
    // NULL with a length.
    let (datagrams, _) = udp_bound();
    message.Control.len = 8;
    non_blocking(&datagrams, true);
    may_differ_on_wine(|| {
        assert_eq!(receive(&datagrams, &mut message, null_mut()), Err(WSAEFAULT));
    });
}
