//! What network events are reported, and when: the same whether an event object is set or a
//! message is posted. Each function is a rule's test for one [`Watch`], which `watch` makes: of
//! these events of this socket.

use std::ptr::null_mut;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

pub const ALL: u32 = FD_READ | FD_WRITE | FD_OOB | FD_ACCEPT | FD_CONNECT | FD_CLOSE;

/// `recv` of at most `len` bytes: how many, or the WSA error.
pub fn receive(socket: &Socket, len: usize, flags: i32) -> Result<usize, i32> {
    let mut buffer = vec![0; len];
    // SAFETY: `buffer` is writable for its length.
    let got = unsafe { recv(**socket, buffer.as_mut_ptr(), len as i32, flags) };
    usize::try_from(got).map_err(|_| last_wsa_error())
}

pub fn shut_down(socket: &Socket, how: i32) {
    // SAFETY: shutdown takes any value.
    assert_eq!(unsafe { shutdown(**socket, how) }, 0, "shutdown: {}", last_wsa_error());
}

/// `connect`: the WSA error unless it succeeds at once.
pub fn try_connect(socket: &Socket, addr: &Addr) -> Result<(), i32> {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    match unsafe { connect(**socket, addr.as_ptr(), addr.len) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

/// `accept`: the WSA error if there is nobody.
pub fn try_accept(listener: &Socket) -> Result<Socket, i32> {
    // SAFETY: no address is asked for.
    match unsafe { accept(**listener, null_mut(), null_mut()) } {
        INVALID_SOCKET => Err(last_wsa_error()),
        raw => Ok(Socket::own(raw)),
    }
}

/// As [`try_accept`], by `WSAAccept`.
pub fn try_wsa_accept(listener: &Socket) -> Result<Socket, i32> {
    // SAFETY: neither an address nor a condition is passed.
    match unsafe { WSAAccept(**listener, null_mut(), null_mut(), None, 0) } {
        INVALID_SOCKET => Err(last_wsa_error()),
        raw => Ok(Socket::own(raw)),
    }
}

/// Sends until the socket takes no more: how many bytes it took.
pub fn fill(socket: &Socket) -> usize {
    let piece = pattern(1 << 20);
    let mut sent = 0;
    loop {
        // SAFETY: `piece` is readable for its length.
        match unsafe { send(**socket, piece.as_ptr(), piece.len() as i32, 0) } {
            SOCKET_ERROR => break,
            taken => sent += taken as usize,
        }
    }
    assert_eq!(last_wsa_error(), WSAEWOULDBLOCK);
    sent
}

/// Receives so many bytes.
pub fn drain(socket: &Socket, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        let got = receive(socket, left.min(1 << 20), 0).expect("data");
        assert_ne!(got, 0, "{left} of {bytes} bytes are missing");
        left -= got;
    }
}

/// A connected pair of which the first is watched, what there is to say at the start having been
/// said.
pub fn watched_pair<W: Watch>(watch: impl Fn(&Socket, u32) -> W, mask: u32) -> (Socket, Socket, W) {
    let (socket, peer) = tcp_pair();
    // The connection is news only to those who select FD_WRITE or FD_CONNECT.
    let watch = watch(&socket, mask & !(FD_WRITE | FD_CONNECT));
    if mask & (FD_WRITE | FD_CONNECT) != 0 {
        assert_eq!(watch.select(&socket, mask), Ok(()));
        let news = watch.news(&socket, SOON);
        assert!(news.contains(&(FD_WRITE, 0)) || mask & FD_WRITE == 0, "{news:?}");
    }
    (socket, peer, watch)
}

// FD_READ.

pub fn data_is_reported_once<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ);
    expect_no_news(&watch, &socket);
    send_all(&peer, b"abc");
    expect_news(&watch, &socket, FD_READ);
    expect_no_news(&watch, &socket);
    // Nor do other calls bring it back than those that receive.
    let mut unread = 0;
    // SAFETY: FIONREAD writes one u32.
    assert_eq!(unsafe { ioctlsocket(*socket, FIONREAD, &raw mut unread) }, 0);
    assert_eq!(unread, 3);
    send_all(&socket, b"x");
    assert_eq!(try_accept(&socket).err(), Some(WSAEINVAL));
    expect_no_news(&watch, &socket);
}

/// Receives one byte: how many there were, or the WSA error.
type Receive = fn(&Socket) -> Result<usize, i32>;

/// Every function that receives.
const RECEIVES: [(&str, Receive); 6] = [
    ("recv", |socket| receive(socket, 1, 0)),
    ("recv, peeking", |socket| receive(socket, 1, MSG_PEEK)),
    ("recvfrom", |socket| {
        let mut byte = 0_u8;
        // SAFETY: the byte is writable; no address is asked for.
        let got = unsafe { recvfrom(**socket, &raw mut byte, 1, 0, null_mut(), null_mut()) };
        usize::try_from(got).map_err(|_| last_wsa_error())
    }),
    ("WSARecv", |socket| {
        let mut byte = 0_u8;
        let buffer = WSABUF { len: 1, buf: &raw mut byte };
        let (mut got, mut flags) = (0, 0);
        // SAFETY: all of it outlives the call, which is not overlapped.
        let rc = unsafe {
            WSARecv(**socket, &buffer, 1, &raw mut got, &raw mut flags, null_mut(), None)
        };
        if rc == 0 { Ok(got as usize) } else { Err(last_wsa_error()) }
    }),
    ("WSARecvFrom", |socket| {
        let mut byte = 0_u8;
        let buffer = WSABUF { len: 1, buf: &raw mut byte };
        let (mut got, mut flags) = (0, 0);
        let (from, len, op) = (null_mut(), null_mut(), null_mut());
        // SAFETY: as above.
        let rc = unsafe {
            WSARecvFrom(**socket, &buffer, 1, &raw mut got, &raw mut flags, from, len, op, None)
        };
        if rc == 0 { Ok(got as usize) } else { Err(last_wsa_error()) }
    }),
    ("an overlapped WSARecv", |socket| {
        let op = Op::new(1);
        let at_once = post_recv(socket, &op);
        at_once.map(|bytes| bytes as usize)
    }),
];

pub fn any_receive_re_enables_it_and_what_is_left_is_reported<W: Watch>(
    watch: impl Fn(&Socket, u32) -> W,
) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_CLOSE);
    send_all(&peer, &pattern(RECEIVES.len()));
    expect_news(&watch, &socket, FD_READ);
    let mut left = RECEIVES.len();
    for (name, receive) in RECEIVES {
        assert_eq!(receive(&socket), Ok(1), "{name}");
        left -= usize::from(!name.contains("peeking"));
        println!("after {name}, {left} left");
        expect_news(&watch, &socket, FD_READ);
    }
    assert_eq!((left, receive(&socket, 1, 0)), (1, Ok(1)));
    expect_no_news(&watch, &socket);
}

pub fn a_failing_receive_re_enables_it<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_CLOSE);
    for (name, receive) in RECEIVES {
        if name.contains("overlapped") {
            continue; // Stays pending, and takes the data (rule 92).
        }
        send_all(&peer, b"a");
        expect_news(&watch, &socket, FD_READ);
        assert_eq!(receive_all(&socket), 1);
        assert_eq!(receive(&socket), Err(WSAEWOULDBLOCK), "{name}");
        expect_no_news(&watch, &socket);
    }
    send_all(&peer, b"a");
    expect_news(&watch, &socket, FD_READ);
}

/// Receives what there is.
pub fn receive_all(socket: &Socket) -> usize {
    receive(socket, 65_536, 0).expect("data")
}

pub fn a_receive_before_anyone_looks_brings_one_report_more<W: Watch>(
    watch: impl Fn(&Socket, u32) -> W,
) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ);
    for _ in 0..20 {
        send_all(&peer, b"ab");
        expect_news(&watch, &socket, FD_READ);
        assert_eq!(receive(&socket, 1, 0), Ok(1));
        expect_news(&watch, &socket, FD_READ);
        assert_eq!(receive(&socket, 1, 0), Ok(1));
    }
    expect_no_news(&watch, &socket);
}

pub fn data_out_of_band_is_fd_oob<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_OOB | FD_CLOSE);
    if !send_urgent(&peer, b'!') {
        return;
    }
    expect_news(&watch, &socket, FD_OOB);
    expect_no_news(&watch, &socket);
    assert_eq!(receive(&socket, 1, MSG_OOB), Ok(1));
    expect_no_news(&watch, &socket);
    assert!(send_urgent(&peer, b'?'));
    expect_news(&watch, &socket, FD_OOB);
    assert_eq!(receive(&socket, 1, MSG_OOB), Ok(1));
    // The data beside it is data.
    send_all(&peer, b"abc");
    expect_news(&watch, &socket, FD_READ);
}

pub fn data_out_of_band_but_inline_is_fd_read<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_OOB | FD_CLOSE);
    assert_eq!(set_option(*socket, SOL_SOCKET, SO_OOBINLINE, 1_i32), Ok(()));
    if !send_urgent(&peer, b'!') {
        return;
    }
    // Wine 8.0 reports FD_OOB beside it.
    differs_on_wine(|| {
        expect_news(&watch, &socket, FD_READ);
        expect_no_news(&watch, &socket);
    });
    assert_eq!(receive_all(&socket), 1);
}

// FD_ACCEPT.

pub fn connections_are_reported_one_by_one<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (listener, addr) = listener();
    let watch = watch(&listener, FD_ACCEPT);
    expect_no_news(&watch, &listener);
    let clients = [connect_to(&addr), connect_to(&addr), connect_to(&addr)];
    // Three arrivals may be three reports (rule 84), or one.
    let more = || !watch.news(&listener, NEVER).is_empty();
    (0..10).take_while(|_| more()).for_each(drop);
    for _ in 1..clients.len() {
        try_accept(&listener).expect("a client");
        expect_news(&watch, &listener, FD_ACCEPT);
    }
    try_accept(&listener).expect("a client");
    expect_no_news(&watch, &listener);
}

pub fn a_failing_accept_re_enables_it<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (listener, addr) = listener();
    let watch = watch(&listener, FD_ACCEPT);
    for accept in [try_accept, try_wsa_accept] {
        let _client = connect_to(&addr);
        expect_news(&watch, &listener, FD_ACCEPT);
        accept(&listener).expect("a client");
        assert_eq!(accept(&listener).err(), Some(WSAEWOULDBLOCK));
        expect_no_news(&watch, &listener);
    }
}

pub fn a_pending_accept_ex_takes_the_connection_first<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (listener, addr) = listener();
    let watch = watch(&listener, FD_ACCEPT);
    let (acceptor, event) = (tcp_socket(), Event::manual_reset());
    let op = Op::with_event(2 * ADDRESS_ROOM as usize, &event);
    assert_eq!(post_accept(&listener, &acceptor, &op, 0), Err(WSA_IO_PENDING));
    let _first = connect_to(&addr);
    assert!(event.is_set_within(SOON));
    expect_no_news(&watch, &listener);
    let _second = connect_to(&addr);
    expect_news(&watch, &listener, FD_ACCEPT);
}

// FD_WRITE.

pub fn room_is_reported_after_a_refused_send_only<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_WRITE);
    expect_no_news(&watch, &socket);
    for _ in 0..2 {
        send_all(&socket, b"a");
        drain(&peer, 1);
        expect_no_news(&watch, &socket);
        let mut sent = fill(&socket);
        // There is room again as long as the peer's system takes what has been sent.
        while watch.news(&socket, NEVER) == [(FD_WRITE, 0)] {
            sent += fill(&socket);
        }
        drain(&peer, sent);
        expect_news(&watch, &socket, FD_WRITE);
        expect_no_news(&watch, &socket);
    }
}

pub fn room_comes_with_the_peers_reading<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_WRITE);
    let sent = fill(&socket) + fill(&socket);
    let mut reports = 0;
    // The peer reads at its leisure; whenever there is room, it is used until there is none.
    let (mut read, mut all) = (0, sent);
    while read < all {
        let got = receive(&peer, 65_536, 0).expect("data");
        read += got;
        if all < 2 * sent && watch.news(&socket, 0).contains(&(FD_WRITE, 0)) {
            reports += 1;
            all += fill(&socket);
        }
    }
    expect_news(&watch, &socket, FD_WRITE);
    println!("{reports} reports before the last");
}

// FD_CONNECT.

pub fn a_connection_made_is_reported_with_its_room<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    let watch = watch(&socket, ALL);
    expect_no_news(&watch, &socket);
    assert_eq!(try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
    expect_news(&watch, &socket, FD_CONNECT | FD_WRITE);
    expect_no_news(&watch, &socket);
    assert_eq!(try_connect(&socket, &addr), Err(WSAEISCONN));
    expect_no_news(&watch, &socket);
}

pub fn a_refused_connection_is_reported_with_its_error<W: Watch>(
    watch: impl Fn(&Socket, u32) -> W,
) {
    let socket = tcp_socket();
    let watch = watch(&socket, ALL);
    assert_eq!(try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
    expect_failure(&watch, &socket, FD_CONNECT, WSAECONNREFUSED);
    expect_no_news(&watch, &socket);
}

pub fn a_second_attempt_is_reported_anew<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (_listener, addr) = listener();
    let socket = tcp_socket();
    let watch = watch(&socket, ALL);
    assert_eq!(try_connect(&socket, &nobody()), Err(WSAEWOULDBLOCK));
    expect_failure(&watch, &socket, FD_CONNECT, WSAECONNREFUSED);
    // Wine 8.0 passes on that Linux wants the failure to be asked for once more.
    differs_on_wine(|| {
        assert_eq!(try_connect(&socket, &addr), Err(WSAEWOULDBLOCK));
        expect_news(&watch, &socket, FD_CONNECT | FD_WRITE);
    });
}

// FD_CLOSE.

pub fn a_peer_that_closes_is_reported_once<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    drop(peer);
    expect_news(&watch, &socket, FD_CLOSE);
    expect_no_news(&watch, &socket);
    // Receiving brings back neither FD_CLOSE nor an FD_READ for the end.
    assert_eq!(receive(&socket, 1, 0), Ok(0));
    assert_eq!(receive(&socket, 1, 0), Ok(0));
    expect_no_news(&watch, &socket);
}

pub fn a_peer_that_half_closes_is_reported_once<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    shut_down(&peer, SD_SEND);
    expect_news(&watch, &socket, FD_CLOSE);
    send_all(&socket, b"still");
    assert_eq!(recv_exactly(&peer, 5), b"still");
    drop(peer);
    shut_down(&socket, SD_SEND);
    expect_no_news(&watch, &socket);
}

pub fn other_shutdowns_are_no_news<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    shut_down(&peer, SD_RECEIVE);
    expect_no_news(&watch, &socket);
    shut_down(&socket, SD_SEND);
    expect_no_news(&watch, &socket);
    shut_down(&socket, SD_RECEIVE);
    expect_no_news(&watch, &socket);
    drop(peer);
    expect_news(&watch, &socket, FD_CLOSE);
}

pub fn a_close_is_reported_before_its_data_is_read<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    send_all(&peer, b"abc");
    expect_news(&watch, &socket, FD_READ);
    shut_down(&peer, SD_SEND);
    // Wine 8.0 waits until all is read, as Microsoft's page says.
    differs_on_wine(|| expect_news(&watch, &socket, FD_CLOSE));
    assert_eq!(receive(&socket, 1, 0), Ok(1));
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(receive(&socket, 8, 0), Ok(2));
    if is_wine() {
        expect_news(&watch, &socket, FD_CLOSE);
    }
    expect_no_news(&watch, &socket);
    assert_eq!(receive(&socket, 8, 0), Ok(0));
    expect_no_news(&watch, &socket);
}

pub fn data_and_close_in_one_go_are_both_reported<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    // Wine 8.0 reports the close when all is read.
    differs_on_wine(|| {
        for _ in 0..10 {
            let (socket, peer, watch) = watched_pair(&watch, ALL);
            send_all(&peer, b"abc");
            drop(peer);
            expect_news(&watch, &socket, FD_READ | FD_CLOSE);
            assert_eq!(receive(&socket, 8, 0), Ok(3));
            assert_eq!(receive(&socket, 8, 0), Ok(0));
        }
    });
}

pub fn a_reset_is_an_abort<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    peer.reset();
    // Wine 8.0 reports no error.
    differs_on_wine(|| expect_failure(&watch, &socket, FD_CLOSE, WSAECONNABORTED));
    expect_no_news(&watch, &socket);
}

pub fn a_reset_after_data_is_an_abort_too<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, ALL);
    send_all(&peer, b"abc");
    expect_news(&watch, &socket, FD_READ);
    peer.reset();
    differs_on_wine(|| expect_failure(&watch, &socket, FD_CLOSE, WSAECONNABORTED));
    expect_no_news(&watch, &socket);
}

// What holds already.

pub fn what_holds_already_is_reported_at_once<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (listener, addr) = listener();
    let _client = connect_to(&addr);
    assert_eq!(selected_within(&listener, READ, SOON), Ok(()));
    expect_at_once(&watch(&listener, FD_ACCEPT), &listener, FD_ACCEPT);

    let (socket, peer) = tcp_pair();
    expect_at_once(&watch(&socket, FD_READ | FD_WRITE), &socket, FD_WRITE);
    send_all(&peer, b"abc");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    expect_at_once(&watch(&socket, FD_READ | FD_CLOSE), &socket, FD_READ);

    let (socket, peer) = tcp_pair();
    shut_down(&peer, SD_SEND);
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    expect_at_once(&watch(&socket, FD_READ | FD_CLOSE), &socket, FD_CLOSE);

    let (socket, peer) = tcp_pair();
    if send_urgent(&peer, b'!') {
        assert_eq!(selected_within(&socket, WRITE | EXCEPT, SOON), Ok(()));
        expect_at_once(&watch(&socket, FD_READ | FD_OOB), &socket, FD_OOB);
    }
}

/// As [`expect_news`], for what has been reported when the selecting call returns.
#[track_caller]
fn expect_at_once(watch: &impl Watch, socket: &Socket, event: u32) {
    assert_eq!(watch.news(socket, 0), [(event, 0)], "event and error");
}

pub fn only_what_is_selected_is_reported<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    for (mask, expected) in
        [(FD_READ, FD_READ), (FD_WRITE, FD_WRITE), (FD_CLOSE, FD_CLOSE), (FD_ACCEPT | FD_OOB, 0)]
    {
        let (socket, peer) = tcp_pair();
        let watch = watch(&socket, mask);
        send_all(&peer, b"abc");
        assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
        assert_eq!(receive(&socket, 3, MSG_PEEK), Ok(3));
        if expected & FD_CLOSE != 0 {
            expect_no_news(&watch, &socket);
            assert_eq!(receive_all(&socket), 3);
            drop(peer);
        }
        let news = watch.news(&socket, if expected == 0 { NEVER } else { SOON });
        let events: Vec<u32> = news.iter().map(|&(event, _)| event).collect();
        let wanted = if expected == 0 { vec![] } else { vec![expected] };
        // A peek re-enables FD_READ, so it may come twice.
        assert!(events == wanted || events == [FD_READ, FD_READ], "{events:?} for {mask:#x}");
    }
}

// Datagrams.

pub fn datagrams_are_reported_one_by_one<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let ((socket, addr), (peer, _)) = (udp_bound(), udp_bound());
    let watch = watch(&socket, FD_READ | FD_WRITE | FD_CLOSE | FD_CONNECT | FD_OOB);
    expect_news(&watch, &socket, FD_WRITE);
    expect_no_news(&watch, &socket);
    let send_to = |bytes: &[u8]| {
        let len = bytes.len() as i32;
        // SAFETY: the bytes and the address are readable for their lengths.
        let sent = unsafe { sendto(*peer, bytes.as_ptr(), len, 0, addr.as_ptr(), addr.len) };
        assert_eq!(sent, len);
    };
    send_to(b"one");
    expect_news(&watch, &socket, FD_READ);
    expect_no_news(&watch, &socket);
    assert_eq!(receive(&socket, 8, 0), Ok(3));
    expect_no_news(&watch, &socket);
    // An empty datagram is data.
    send_to(b"");
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(receive(&socket, 8, 0), Ok(0));
    // One that is too long is gone when the receive has failed.
    send_to(b"three");
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(receive(&socket, 1, 0), Err(WSAEMSGSIZE));
    expect_no_news(&watch, &socket);
}

// Blocking mode.

pub fn selecting_makes_the_socket_non_blocking<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    for mask in [0, FD_READ, ALL] {
        let (socket, _peer) = tcp_pair();
        let watch = watch(&socket, mask);
        assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK), "{mask:#x}");
        assert_eq!(watch.select(&socket, 0), Ok(()));
        assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK), "deselected, {mask:#x}");
    }
}

pub fn it_cannot_be_made_blocking_while_selected<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer) = tcp_pair();
    let watch = watch(&socket, FD_READ);
    for _ in 0..2 {
        assert_eq!(set_non_blocking(&socket, 0), Err(WSAEINVAL));
        assert_eq!(set_non_blocking(&socket, 1), Ok(()));
        assert_eq!(receive(&socket, 1, 0), Err(WSAEWOULDBLOCK));
    }
    assert_eq!(watch.select(&socket, 0), Ok(()));
    assert_eq!(set_non_blocking(&socket, 0), Ok(()));
    send_all(&peer, b"abc");
    assert_eq!(recv_exactly(&socket, 3), b"abc");
}

/// FIONBIO; the WSA error on refusal.
pub fn set_non_blocking(socket: &Socket, mut on: u32) -> Result<(), i32> {
    // SAFETY: FIONBIO reads one u32.
    match unsafe { ioctlsocket(**socket, FIONBIO, &raw mut on) } {
        0 => Ok(()),
        _ => Err(last_wsa_error()),
    }
}

// Other models on the same socket.

pub fn a_pending_receive_takes_its_data_first<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_CLOSE);
    let event = Event::auto_reset();
    let op = Op::with_event(4, &event);
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"abcd");
    assert!(event.is_set_within(SOON));
    assert_eq!((op.bytes(), op.data()), (4, &b"abcd"[..]));
    expect_no_news(&watch, &socket);
    // What it has no room for is news.
    assert_eq!(post_recv(&socket, &op), Err(WSA_IO_PENDING));
    send_all(&peer, b"efghi");
    assert!(event.is_set_within(SOON));
    expect_news(&watch, &socket, FD_READ);
    assert_eq!(receive(&socket, 8, 0), Ok(1));
}

pub fn select_does_not_disturb_it<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_WRITE | FD_CLOSE);
    send_all(&peer, b"abc");
    assert_eq!(selected_within(&socket, READ | WRITE, SOON), Ok(()));
    expect_news(&watch, &socket, FD_READ);
    for _ in 0..3 {
        assert_eq!(selected(&socket, SOON), READ | WRITE);
        assert_eq!(polled(&socket, POLLIN | POLLOUT, 0), POLLRDNORM | POLLWRNORM);
    }
    expect_no_news(&watch, &socket);
}

// Many threads.

/// One thread sends byte by byte, another receives one whenever it is told to: a report that is
/// lost stops them.
pub fn no_report_is_lost<W: Watch>(watch: impl Fn(&Socket, u32) -> W) {
    const BYTES: usize = 2_000;
    let (socket, peer, watch) = watched_pair(watch, FD_READ | FD_CLOSE);
    let sent = pattern(BYTES);
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (i, byte) in sent.iter().enumerate() {
                send_all(&peer, std::slice::from_ref(byte));
                if i % 64 == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            }
            shut_down(&peer, SD_SEND);
        });
        let mut closed = false;
        while !closed || received.len() < BYTES {
            let news = watch.news(&socket, SOON);
            assert_ne!(news, [], "no report after {} bytes", received.len());
            closed |= news.contains(&(FD_CLOSE, 0));
            let mut byte = 0_u8;
            // SAFETY: the byte is writable.
            match unsafe { recv(*socket, &raw mut byte, 1, 0) } {
                1 => received.push(byte),
                0 => assert_eq!(received.len(), BYTES),
                // A report may outlive its cause.
                _ => assert_eq!(last_wsa_error(), WSAEWOULDBLOCK),
            }
        }
    });
    assert_eq!(received, sent);
}
