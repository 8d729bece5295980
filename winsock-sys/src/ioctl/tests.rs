//! Every code through the public functions.

use windows_sys::Win32::Networking::WinSock::*;

// Named one by one: windows-sys declares functions of these names too.
use super::*;
use super::{AcceptEx, GetAcceptExSockaddrs, TransmitFile, WSAIoctl, ioctlsocket};
use crate::start::{self, WSAStartup, closesocket};

fn open(kind: i32) -> SOCKET {
    // SAFETY: the structure outlives the call.
    unsafe {
        assert_eq!(WSAStartup(0x0202, &mut WSADATA::default()), 0);
        start::socket(AF_INET.into(), kind, 0)
    }
}

fn close(s: SOCKET) {
    // SAFETY: no memory is passed.
    unsafe { closesocket(s) };
}

/// Calls WSAIoctl; the error, and what became of the count.
fn ioctl(s: SOCKET, code: u32, input: &[u8], output: &mut [u8]) -> (i32, u32) {
    let mut returned = 77;
    // SAFETY: pointers and lengths describe the slices.
    let rc = unsafe {
        WSAIoctl(
            s,
            code,
            input.as_ptr().cast(),
            input.len() as u32,
            output.as_mut_ptr().cast(),
            output.len() as u32,
            &mut returned,
            ptr::null_mut(),
            None,
        )
    };
    (if rc == 0 { 0 } else { error::last() as i32 }, returned)
}

#[test]
fn codes_and_lengths() {
    let (tcp, udp) = (open(SOCK_STREAM), open(SOCK_DGRAM));
    let loopback = [2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    for (s, code, input, room, expected) in [
        (tcp, FIONBIO as u32, &[1, 0, 0][..], 0, (WSAEFAULT, 77)),
        (tcp, FIONBIO as u32, &[1, 0, 0, 0, 0], 0, (0, 0)),
        (tcp, FIONREAD as u32, &[], 3, (WSAEFAULT, 77)),
        (udp, FIONREAD as u32, &[], 4, (0, 4)),
        (tcp, SIOCATMARK as u32, &[], 4, (0, 4)),
        (udp, SIOCATMARK as u32, &[], 4, (WSAEINVAL, 77)),
        (tcp, SIO_BASE_HANDLE, &[], 7, (WSAEFAULT, 77)),
        (tcp, SIO_BASE_HANDLE, &[], 8, (0, 8)),
        (tcp, SIO_KEEPALIVE_VALS, &[0; 11], 0, (WSAEFAULT, 77)),
        (tcp, SIO_KEEPALIVE_VALS, &[0; 12], 0, (0, 0)),
        (udp, SIO_KEEPALIVE_VALS, &[0; 12], 0, (WSAENOPROTOOPT, 77)),
        (udp, SIO_UDP_CONNRESET, &[], 0, (WSAEFAULT, 77)),
        (udp, SIO_UDP_CONNRESET, &[0], 0, (0, 0)),
        (udp, SIO_ROUTING_INTERFACE_QUERY, &loopback[..8], 16, (WSAEFAULT, 77)),
        (udp, SIO_ROUTING_INTERFACE_QUERY, &loopback, 8, (WSAEFAULT, 16)),
        (tcp, SIO_RCVALL, &[1, 0, 0, 0], 0, (WSAEOPNOTSUPP, 0)),
        (tcp, SIO_LOOPBACK_FAST_PATH, &[1, 0, 0, 0], 0, (0, 0)),
        (tcp, 0xdead_beef, &[], 0, (WSAEOPNOTSUPP, 0)),
        (tcp, 0, &[], 0, (WSAEOPNOTSUPP, 0)),
    ] {
        assert_eq!(ioctl(s, code, input, &mut vec![0; room]), expected, "{code:#x} {input:?}");
    }
    let mut local = [0xcc; 16];
    assert_eq!(ioctl(tcp, SIO_ROUTING_INTERFACE_QUERY, &loopback, &mut local), (0, 16));
    assert_eq!(local, loopback);
    close(tcp);
    close(udp);
    assert_eq!(ioctl(tcp, FIONBIO as u32, &[0; 4], &mut []), (WSAENOTSOCK, 77));
}

#[test]
fn rule_75_extension_functions() {
    let s = open(SOCK_STREAM);
    let ask = |guid: GUID| {
        let parts = [guid.data1.to_ne_bytes().as_slice(), &guid.data2.to_ne_bytes()].concat();
        let input = [&parts[..], &guid.data3.to_ne_bytes(), &guid.data4].concat();
        let mut output = [0; 8];
        let (error, _) = ioctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &input, &mut output);
        if error == 0 { Ok(usize::from_ne_bytes(output)) } else { Err(error) }
    };
    for (guid, function) in [
        (WSAID_ACCEPTEX, AcceptEx as *const ()),
        (WSAID_CONNECTEX, ConnectEx as *const ()),
        (WSAID_DISCONNECTEX, DisconnectEx as *const ()),
        (WSAID_GETACCEPTEXSOCKADDRS, GetAcceptExSockaddrs as *const ()),
        (WSAID_TRANSMITFILE, TransmitFile as *const ()),
    ] {
        assert_eq!(ask(guid), Ok(function.addr()));
    }
    assert_eq!(ask(GUID::from_u128(1)), Err(WSAEINVAL));
    close(s);
}

#[test]
fn rule_122_somebody_must_learn_the_result() {
    let s = open(SOCK_STREAM);
    let mode = 1u32;
    let mut overlapped = OVERLAPPED::default();
    let set = |overlapped: *mut OVERLAPPED| {
        let mode = (&raw const mode).cast();
        // SAFETY: the input is four bytes long; nothing stays pending.
        unsafe {
            let (none, nowhere) = (ptr::null_mut(), ptr::null_mut());
            WSAIoctl(s, FIONBIO as u32, mode, 4, none, 0, nowhere, overlapped, None)
        }
    };
    assert_eq!((set(ptr::null_mut()), error::last() as i32), (-1, WSAEFAULT));
    assert_eq!((set(&mut overlapped), overlapped.Internal), (0, 0));
    assert!(object::socket(s).unwrap().lock().nonblocking);
    // SAFETY: NULL is what is tested.
    let rc = unsafe { ioctlsocket(s, FIONBIO, ptr::null_mut()) };
    assert_eq!((rc, error::last() as i32), (-1, WSAEFAULT));
    let mut unread = 5;
    // SAFETY: the argument outlives the call.
    let rc = unsafe { ioctlsocket(s, FIONREAD, &mut unread) };
    assert_eq!((rc, unread), (0, 0));
    close(s);
}

#[test]
fn an_unsupported_code_is_reported_like_a_failed_operation() {
    let s = open(SOCK_STREAM);
    let (mut overlapped, mut returned) = (OVERLAPPED::default(), 77);
    let nothing = ptr::null_mut();
    // SAFETY: nothing stays pending.
    let rc = unsafe {
        WSAIoctl(s, SIO_FLUSH, nothing, 0, nothing, 0, &mut returned, &mut overlapped, None)
    };
    assert_eq!((rc, error::last() as i32, returned), (-1, WSA_IO_PENDING, 77));
    assert_eq!(overlapped.Internal, STATUS_NOT_SUPPORTED as u32 as usize);
    close(s);
}

#[test]
fn the_loopback_interface_is_listed() {
    let s = open(SOCK_DGRAM);
    let mut output = vec![0; 64 * size_of::<INTERFACE_INFO>()];
    let (error, len) = ioctl(s, SIO_GET_INTERFACE_LIST, &[], &mut output);
    assert_eq!((error, len as usize % size_of::<INTERFACE_INFO>()), (0, 0));
    let listed = output[..len as usize].chunks(size_of::<INTERFACE_INFO>()).any(|info| {
        let flags = IFF_UP | IFF_LOOPBACK;
        let found = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]) & flags == flags;
        found && info[8..12] == [127, 0, 0, 1]
    });
    assert!(listed);

    let (error, needed) = ioctl(s, SIO_ADDRESS_LIST_QUERY, &[], &mut []);
    assert_eq!(error, WSAEFAULT);
    let mut output = vec![0; needed as usize];
    assert_eq!(ioctl(s, SIO_ADDRESS_LIST_QUERY, &[], &mut output), (0, needed));
    let count = u32::from_ne_bytes([output[0], output[1], output[2], output[3]]);
    assert_eq!(needed as usize, 8 + count as usize * (size_of::<SOCKET_ADDRESS>() + 16));
    assert!(count > 0);
    close(s);
}
