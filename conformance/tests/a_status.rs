//! Section A, rules 12 and 13: one NTSTATUS, and the two codes that the two views make of it.

use conformance::*;
use winsock_sys::Win32::Foundation::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// What WSAGetOverlappedResult and what GetOverlappedResult say of a status that a socket's
/// operation can end with.
const VIEWS: [(NTSTATUS, i32, u32); 56] = [
    (STATUS_BUFFER_OVERFLOW, WSAEMSGSIZE, ERROR_MORE_DATA),
    (STATUS_NOT_IMPLEMENTED, WSAEOPNOTSUPP, ERROR_INVALID_FUNCTION),
    (STATUS_ACCESS_VIOLATION, WSAEFAULT, ERROR_NOACCESS),
    (STATUS_PAGEFILE_QUOTA, WSAENOBUFS, ERROR_PAGEFILE_QUOTA),
    (STATUS_INVALID_HANDLE, WSAENOTSOCK, ERROR_INVALID_HANDLE),
    (STATUS_NO_SUCH_DEVICE, WSAENETDOWN, ERROR_NO_SUCH_DEVICE),
    (STATUS_NO_SUCH_FILE, WSAENETDOWN, ERROR_FILE_NOT_FOUND),
    (STATUS_NO_MEMORY, WSAENOBUFS, ERROR_NOT_ENOUGH_MEMORY),
    (STATUS_CONFLICTING_ADDRESSES, WSAENOBUFS, ERROR_INVALID_ADDRESS),
    (STATUS_ACCESS_DENIED, WSAEACCES, ERROR_ACCESS_DENIED),
    (STATUS_BUFFER_TOO_SMALL, WSAEFAULT, ERROR_INSUFFICIENT_BUFFER),
    (STATUS_OBJECT_TYPE_MISMATCH, WSAENOTSOCK, ERROR_INVALID_HANDLE),
    (STATUS_OBJECT_NAME_NOT_FOUND, WSAENETDOWN, ERROR_FILE_NOT_FOUND),
    (STATUS_OBJECT_PATH_NOT_FOUND, WSAENETDOWN, ERROR_PATH_NOT_FOUND),
    (STATUS_SHARING_VIOLATION, WSAEADDRINUSE, ERROR_SHARING_VIOLATION),
    (STATUS_QUOTA_EXCEEDED, WSAENOBUFS, ERROR_NOT_ENOUGH_QUOTA),
    (STATUS_TOO_MANY_PAGING_FILES, WSAENOBUFS, ERROR_NOT_ENOUGH_MEMORY),
    (STATUS_INSUFFICIENT_RESOURCES, WSAENOBUFS, ERROR_NO_SYSTEM_RESOURCES),
    (STATUS_WORKING_SET_QUOTA, WSAENOBUFS, ERROR_WORKING_SET_QUOTA),
    (STATUS_DEVICE_NOT_READY, WSAEWOULDBLOCK, ERROR_NOT_READY),
    (STATUS_PIPE_DISCONNECTED, WSAESHUTDOWN, ERROR_PIPE_NOT_CONNECTED),
    (STATUS_IO_TIMEOUT, WSAETIMEDOUT, ERROR_SEM_TIMEOUT),
    (STATUS_NOT_SUPPORTED, WSAEOPNOTSUPP, ERROR_NOT_SUPPORTED),
    (STATUS_REMOTE_NOT_LISTENING, WSAECONNREFUSED, ERROR_REM_NOT_LIST),
    (STATUS_BAD_NETWORK_PATH, WSAENETUNREACH, ERROR_BAD_NETPATH),
    (STATUS_NETWORK_BUSY, WSAENETDOWN, ERROR_NETWORK_BUSY),
    (STATUS_INVALID_NETWORK_RESPONSE, WSAENETDOWN, ERROR_BAD_NET_RESP),
    (STATUS_UNEXPECTED_NETWORK_ERROR, WSAENETDOWN, ERROR_UNEXP_NET_ERR),
    (STATUS_REQUEST_NOT_ACCEPTED, WSAEWOULDBLOCK, ERROR_REQ_NOT_ACCEP),
    (STATUS_CANCELLED, WSA_OPERATION_ABORTED, ERROR_OPERATION_ABORTED),
    (STATUS_COMMITMENT_LIMIT, WSAENOBUFS, ERROR_COMMITMENT_LIMIT),
    (STATUS_LOCAL_DISCONNECT, WSAECONNABORTED, ERROR_NETNAME_DELETED),
    (STATUS_REMOTE_DISCONNECT, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_REMOTE_RESOURCES, WSAENOBUFS, ERROR_REM_NOT_LIST),
    (STATUS_LINK_FAILED, WSAECONNRESET, ERROR_UNEXP_NET_ERR),
    (STATUS_LINK_TIMEOUT, WSAETIMEDOUT, ERROR_UNEXP_NET_ERR),
    (STATUS_INVALID_CONNECTION, WSAENOTCONN, ERROR_UNEXP_NET_ERR),
    (STATUS_INVALID_ADDRESS, WSAEADDRNOTAVAIL, ERROR_UNEXP_NET_ERR),
    (STATUS_INVALID_BUFFER_SIZE, WSAEMSGSIZE, ERROR_INVALID_USER_BUFFER),
    (STATUS_INVALID_ADDRESS_COMPONENT, WSAEADDRNOTAVAIL, ERROR_INVALID_NETNAME),
    (STATUS_TOO_MANY_ADDRESSES, WSAENOBUFS, ERROR_TOO_MANY_NAMES),
    (STATUS_ADDRESS_ALREADY_EXISTS, WSAEADDRINUSE, ERROR_DUP_NAME),
    (STATUS_CONNECTION_DISCONNECTED, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_CONNECTION_RESET, WSAECONNRESET, ERROR_NETNAME_DELETED),
    (STATUS_TRANSACTION_ABORTED, WSAECONNABORTED, ERROR_UNEXP_NET_ERR),
    (STATUS_CONNECTION_REFUSED, WSAECONNREFUSED, ERROR_CONNECTION_REFUSED),
    (STATUS_GRACEFUL_DISCONNECT, WSAEDISCON, ERROR_GRACEFUL_DISCONNECT),
    (STATUS_CONNECTION_ACTIVE, WSAEISCONN, ERROR_CONNECTION_ACTIVE),
    (STATUS_NETWORK_UNREACHABLE, WSAENETUNREACH, ERROR_NETWORK_UNREACHABLE),
    (STATUS_HOST_UNREACHABLE, WSAEHOSTUNREACH, ERROR_HOST_UNREACHABLE),
    (STATUS_PROTOCOL_UNREACHABLE, WSAENETUNREACH, ERROR_PROTOCOL_UNREACHABLE),
    (STATUS_PORT_UNREACHABLE, WSAECONNRESET, ERROR_PORT_UNREACHABLE),
    (STATUS_REQUEST_ABORTED, WSAEINTR, ERROR_REQUEST_ABORTED),
    (STATUS_CONNECTION_ABORTED, WSAECONNABORTED, ERROR_CONNECTION_ABORTED),
    (STATUS_DATATYPE_MISALIGNMENT_ERROR, WSAEFAULT, ERROR_NOACCESS),
    (STATUS_HOST_DOWN, WSAEHOSTDOWN, ERROR_HOST_DOWN),
];

/// What both functions say of an operation with this status: the WSA code and the Win32 code.
fn views(socket: &Socket, op: &Op, status: NTSTATUS) -> (Option<i32>, Option<u32>) {
    op.set_status(status);
    let wsa = wsa_result(socket, op, false).err();
    (wsa, win32_result(socket, op, false).err())
}

#[test]
fn r012_each_status_has_a_wsa_code_and_a_win32_code() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    for (status, wsa, win32) in VIEWS {
        assert_eq!(views(&socket, &op, status), (Some(wsa), Some(win32)), "{:#x}", status as u32);
    }
}

#[test]
fn r012_success_is_success_in_both_views() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    op.set_bytes(5);
    assert_eq!(wsa_result(&socket, &op, false).map(|(bytes, _flags)| bytes), Ok(5));
    assert_eq!(win32_result(&socket, &op, false), Ok(5));
}

#[test]
fn r012_pending_is_incomplete_in_both_views() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    let incomplete = (Some(WSA_IO_INCOMPLETE), Some(ERROR_IO_INCOMPLETE));
    assert_eq!(views(&socket, &op, STATUS_PENDING), incomplete);
    op.set_status(STATUS_SUCCESS);
}

#[test]
fn r012_reset() {
    let (a, b) = tcp_pair();
    let event = Event::manual_reset();
    let op = Op::with_event(8, &event);
    assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
    b.reset();
    assert!(event.is_set_within(SOON));
    assert_eq!((op.status(), op.bytes()), (STATUS_CONNECTION_RESET, 0));
    assert_eq!(wsa_result(&a, &op, false), Err(WSAECONNRESET));
    assert_eq!(win32_result(&a, &op, false), Err(ERROR_NETNAME_DELETED));
}

#[test]
fn r012_refused() {
    let deaf = tcp_socket();
    bind_to(&deaf, &sockaddr_v4(0));
    let socket = tcp_socket();
    bind_to(&socket, &sockaddr_v4(0));
    let event = Event::manual_reset();
    let op = Op::with_event(0, &event);
    assert_eq!(post_connect(&socket, &local_addr(*deaf), &op), Err(WSA_IO_PENDING));
    assert!(event.is_set_within(SOON));
    assert_eq!(op.status(), STATUS_CONNECTION_REFUSED);
    assert_eq!(wsa_result(&socket, &op, false), Err(WSAECONNREFUSED));
    assert_eq!(win32_result(&socket, &op, false), Err(ERROR_CONNECTION_REFUSED));
}

#[test]
fn r012_truncated_datagram() {
    let (receiver, addr) = udp_bound();
    let event = Event::manual_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&receiver, &op), Err(WSA_IO_PENDING));
    let sender = udp_socket();
    // SAFETY: `addr` is a full socket address, 8 bytes are readable.
    let sent = unsafe { sendto(*sender, b"datagram".as_ptr(), 8, 0, addr.as_ptr(), addr.len) };
    assert_eq!(sent, 8);
    assert!(event.is_set_within(SOON));
    assert_eq!((op.status(), op.bytes()), (STATUS_BUFFER_OVERFLOW, 4));
    assert_eq!(op.data(), b"data");
    assert_eq!(wsa_result(&receiver, &op, false), Err(WSAEMSGSIZE));
    assert_eq!(win32_result(&receiver, &op, false), Err(ERROR_MORE_DATA));
}

#[test]
fn r013_an_error_without_a_row_is_invalid() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    for status in [
        STATUS_UNSUCCESSFUL,
        STATUS_INVALID_PARAMETER,
        STATUS_NO_MORE_FILES,
        STATUS_DEVICE_BUSY,
        0xc123_4567_u32 as NTSTATUS,
    ] {
        let (wsa, _) = views(&socket, &op, status);
        assert_eq!(wsa, Some(WSAEINVAL), "{:#x}", status as u32);
    }
}

#[test]
fn r013_an_unknown_status_has_the_win32_code_of_unknown_messages() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    let (_, win32) = views(&socket, &op, 0xc123_4567_u32 as NTSTATUS);
    assert_eq!(win32, Some(ERROR_MR_MID_NOT_FOUND));
}

#[test]
fn r013_a_success_leaves_its_win32_code_as_last_error() {
    let (socket, op) = (tcp_socket(), Op::new(0));
    for (status, win32) in [
        (STATUS_SUCCESS, NO_ERROR),
        (STATUS_TIMEOUT, ERROR_TIMEOUT),
        (STATUS_MORE_ENTRIES, ERROR_MORE_DATA),
        (STATUS_RECEIVE_PARTIAL, ERROR_RECEIVE_PARTIAL),
    ] {
        op.set_status(status);
        assert!(wsa_result(&socket, &op, false).is_ok(), "{:#x}", status as u32);
        assert_eq!(last_error(), win32, "{:#x}", status as u32);
    }
}
