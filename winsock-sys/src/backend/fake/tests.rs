//! What the fake kernel promises, to whatever program and with whatever luck.

mod luck;
#[cfg(not(miri))]
mod twin;

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use libc::{c_int, iovec};

use super::faults::Temper;
use super::{Call, Kernel};
use crate::address::Address;
use crate::sys::{self, Errno, Result, Room};

/// As Linux is on its loopback interface: no luck is involved.
const CALM: Temper = Temper {
    segment: 16 << 10,
    split: 0,
    delay: 0,
    patience: Duration::MAX,
    repeat: 0,
    hold_back: 0,
    given_up: 0,
};

/// Ten seconds, for what must come: a test that fails does not hang.
const SOON_NS: Option<u64> = Some(60_000_000_000);
const SOON_MS: c_int = 60_000;
/// More calls than bad luck can make of these tests.
const TOO_MANY: usize = 20_000;

fn calm() -> Kernel {
    Kernel::with_temper(0, CALM)
}

fn stream(kernel: &Kernel) -> RawFd {
    kernel.socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_TCP).unwrap()
}

fn datagram(kernel: &Kernel) -> RawFd {
    kernel.socket(libc::AF_INET, libc::SOCK_DGRAM, 0).unwrap()
}

fn local(port: u16) -> Address {
    Address::loopback(libc::AF_INET, port)
}

/// Whether the descriptor shows one of `events`, an error or an end, within this time.
fn shows(kernel: &Kernel, fd: RawFd, events: i16, timeout_ns: Option<u64>) -> bool {
    let mut entry = libc::pollfd { fd, events, revents: 0 };
    kernel.wait_any(std::slice::from_mut(&mut entry), timeout_ns) > 0
}

/// A socket of this kind with a name of its own.
fn bound(kernel: &Kernel, fd: RawFd) -> Address {
    kernel.bind(fd, &local(0)).unwrap();
    kernel.local_address(fd).unwrap()
}

fn listener(kernel: &Kernel, backlog: c_int) -> (RawFd, Address) {
    let fd = stream(kernel);
    let address = bound(kernel, fd);
    kernel.listen(fd, backlog).unwrap();
    (fd, address)
}

/// Starts to connect a new stream.
fn client(kernel: &Kernel, to: &Address) -> RawFd {
    let fd = stream(kernel);
    assert_eq!(kernel.connect(fd, to), Err(Errno(libc::EINPROGRESS)));
    fd
}

/// Two connected streams: who connected, who was accepted.
fn pair(kernel: &Kernel) -> (RawFd, RawFd) {
    let (listener, address) = listener(kernel, 1);
    let client = client(kernel, &address);
    let accepted = (0..TOO_MANY).find_map(|_| match kernel.accept(listener) {
        Ok((server, _)) => Some(server),
        Err(Errno(libc::EAGAIN | libc::ECONNABORTED)) => None,
        Err(errno) => panic!("accept: {errno:?}"),
    });
    let server = accepted.expect("a connection");
    kernel.close(listener);
    // Twice, as the first may answer for an alert of old.
    assert!((0..2).any(|_| shows(kernel, client, libc::POLLOUT, SOON_NS)));
    (client, server)
}

fn send(kernel: &Kernel, fd: RawFd, bytes: &[u8]) -> Result<usize> {
    send_to(kernel, fd, bytes, None)
}

fn send_to(kernel: &Kernel, fd: RawFd, bytes: &[u8], to: Option<&Address>) -> Result<usize> {
    let buffer = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: the buffer describes `bytes`.
    unsafe { kernel.send(fd, &[buffer], 0, to) }
}

fn recv(kernel: &Kernel, fd: RawFd, len: usize) -> Result<Vec<u8>> {
    recv_with(kernel, fd, len, 0)
}

fn recv_with(kernel: &Kernel, fd: RawFd, len: usize, flags: c_int) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let buffer = iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: len };
    // SAFETY: the buffer describes `bytes`.
    let received = unsafe { kernel.recv(fd, &[buffer], flags, None) }?;
    bytes.truncate(received.bytes);
    Ok(bytes)
}

/// What one wait reports: tokens and events.
fn wait(kernel: &Kernel, timeout_ms: c_int) -> Vec<(u64, c_int)> {
    reports(|room| kernel.wait(timeout_ms, room))
}

fn reports(wait: impl FnOnce(&mut Room) -> usize) -> Vec<(u64, c_int)> {
    let mut room = sys::room();
    let count = wait(&mut room);
    // SAFETY: the wait has filled the first `count` reports.
    let reports = room[..count].iter().map(|report| unsafe { report.assume_init() });
    reports.map(|report| (report.token, report.events as c_int)).collect()
}

const NOTHING: Vec<(u64, c_int)> = Vec::new();
const IN: c_int = libc::EPOLLIN;
const OUT: c_int = libc::EPOLLOUT;
const ENDED: c_int = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP;
const RESET: c_int = ENDED | libc::EPOLLHUP | libc::EPOLLERR;

const AGAIN: Errno = Errno(libc::EAGAIN);

#[test]
fn descriptors_are_out_of_the_way_and_used_again() {
    let kernel = calm();
    let fds: Vec<RawFd> = (0..3).map(|_| stream(&kernel)).collect();
    assert!(fds.iter().all(|fd| *fd >= 1 << 20), "{fds:?}");
    kernel.close(fds[1]);
    assert_eq!(kernel.local_address(fds[1]), Err(Errno(libc::EBADF)));
    assert_eq!([stream(&kernel), stream(&kernel)], [fds[1], fds[2] + 1]);
    for fd in fds {
        kernel.close(fd);
    }
    assert_eq!(kernel.listen(3, 1), Err(Errno(libc::EBADF)));
}

#[test]
fn an_edge_is_reported_once_and_a_new_arrival_raises_another() {
    let kernel = calm();
    let (a, b) = pair(&kernel);
    send(&kernel, b, b"before").unwrap();
    kernel.watch(a, 7).unwrap();
    assert_eq!(kernel.watch(a, 8), Err(Errno(libc::EEXIST)));
    assert_eq!(wait(&kernel, 0), [(7, IN | OUT)], "what holds already is reported");
    assert_eq!(wait(&kernel, 0), NOTHING, "once");
    send(&kernel, b, b"more").unwrap();
    assert_eq!(wait(&kernel, 0), [(7, IN | OUT)]);
    send(&kernel, b, b"still more").unwrap();
    assert_eq!(recv(&kernel, a, 64).unwrap(), b"beforemorestill more");
    assert_eq!(wait(&kernel, 0), [(7, OUT)], "the edge counts, but what holds now is told");
}

#[test]
fn room_is_reported_only_to_who_found_none() {
    let kernel = calm();
    let (a, b) = pair(&kernel);
    kernel.watch(a, 1).unwrap();
    assert_eq!(wait(&kernel, 0), [(1, OUT)]);
    let chunk = [1; 40_000];
    send(&kernel, a, &chunk).unwrap();
    recv(&kernel, b, 40_000).unwrap();
    assert_eq!(wait(&kernel, 0), NOTHING, "there was room all the time");

    let sent = 128 << 10;
    assert_eq!(send(&kernel, a, &vec![1; sent]), Ok(sent), "just full is not short");
    assert_eq!(send(&kernel, a, &chunk), Err(AGAIN));
    recv(&kernel, b, sent / 10).unwrap();
    assert_eq!(wait(&kernel, 0), NOTHING, "not for a little");
    recv(&kernel, b, sent / 2).unwrap();
    assert_eq!(wait(&kernel, 0), [(1, OUT)]);
    recv(&kernel, b, sent).unwrap();
    assert_eq!(wait(&kernel, 0), NOTHING, "once");
}

#[test]
fn a_full_backlog_keeps_the_next_waiting() {
    let kernel = calm();
    let (listener, address) = listener(&kernel, 1);
    let clients = [(); 4].map(|()| client(&kernel, &address));
    for (token, fd) in clients.into_iter().enumerate() {
        kernel.watch(fd, token as u64).unwrap();
    }
    assert_eq!(sorted(wait(&kernel, 0)), [(0, OUT), (1, OUT)], "one more than the backlog");
    assert_eq!(kernel.connect(clients[2], &address), Err(Errno(libc::EALREADY)));
    kernel.close(clients[2]);
    kernel.accept(listener).unwrap();
    assert_eq!(wait(&kernel, 0), [(3, OUT)], "the one that gave up does not get the place");
    let (last, _) = [kernel.accept(listener), kernel.accept(listener)].map(Result::unwrap)[1];
    assert_eq!(kernel.accept(listener), Err(AGAIN));
    assert_eq!(kernel.peer_address(last), kernel.local_address(clients[3]));
}

#[test]
fn who_knocks_elsewhere_is_not_let_in_here() {
    let kernel = calm();
    let (here, address) = listener(&kernel, 0);
    let (there, elsewhere) = listener(&kernel, 0);
    let [_, second] = [(); 2].map(|()| client(&kernel, &address));
    let _first_there = client(&kernel, &elsewhere);
    kernel.disconnect(second).unwrap();
    assert_eq!(kernel.connect(second, &elsewhere), Err(Errno(libc::EINPROGRESS)));
    kernel.accept(here).unwrap();
    assert_eq!(kernel.accept(here), Err(AGAIN));
    kernel.accept(there).unwrap();
    kernel.accept(there).unwrap();
}

/// Nothing arrives before it was waited for, often.
const SLOW: Temper = Temper { delay: 1000, ..CALM };

#[test]
fn who_starts_over_hears_nothing_of_his_old_peer() {
    let kernel = Kernel::with_temper(0, SLOW);
    for _ in 0..16 {
        let (a, b) = pair(&kernel);
        kernel.disconnect(a).unwrap();
        let (listener, address) = listener(&kernel, 0);
        assert_eq!(kernel.connect(a, &address), Err(Errno(libc::EINPROGRESS)));
        assert!(matches!(send(&kernel, b, b"x"), Ok(1) | Err(Errno(libc::ECONNRESET))));
        kernel.close(b);
        (0..2000).for_each(|_| assert_eq!(recv(&kernel, a, 64), Err(AGAIN)));
        kernel.accept(listener).unwrap();
    }
}

#[test]
fn an_end_that_is_gone_takes_no_more_than_a_buffer() {
    let kernel = Kernel::with_temper(0, SLOW);
    let chunk = vec![1; 64 << 10];
    for already in [0, 1, 2].repeat(6) {
        let (a, b) = pair(&kernel);
        (0..already).for_each(|_| assert_eq!(send(&kernel, a, &chunk), Ok(chunk.len())));
        kernel.close(b);
        let sent = (0..100).take_while(|_| send(&kernel, a, &chunk).is_ok()).count();
        assert!(sent + already <= 2, "{sent} and {already}");
        assert!((0..3000).any(|_| send(&kernel, a, &chunk) == Err(Errno(libc::EPIPE))));
    }
}

#[test]
fn what_arrived_together_is_received_together() {
    let kernel = Kernel::with_temper(0, Temper { split: 1, ..CALM });
    let (a, b) = pair(&kernel);
    for text in [&b"small "[..], b"ones ", b"grow"] {
        send(&kernel, a, text).unwrap();
    }
    assert_eq!(recv(&kernel, b, 64).unwrap(), b"small ones grow");
}

fn sorted(mut reports: Vec<(u64, c_int)>) -> Vec<(u64, c_int)> {
    reports.sort_unstable();
    reports
}

#[test]
fn half_a_connection_goes_on() {
    let kernel = calm();
    let (a, b) = pair(&kernel);
    kernel.watch(b, 2).unwrap();
    wait(&kernel, 0);
    send(&kernel, a, b"last words").unwrap();
    kernel.shutdown(a, libc::SHUT_WR).unwrap();
    assert_eq!(send(&kernel, a, b"x"), Err(Errno(libc::EPIPE)));
    assert_eq!(wait(&kernel, 0), [(2, ENDED)]);
    assert_eq!(recv(&kernel, b, 64).unwrap(), b"last words");
    assert_eq!(recv(&kernel, b, 64).unwrap(), b"");
    assert_eq!(send(&kernel, b, b"the answer"), Ok(10));
    assert_eq!(recv(&kernel, a, 64).unwrap(), b"the answer");
    kernel.close(b);
    assert_eq!(recv(&kernel, a, 64).unwrap(), b"");
}

#[test]
fn nobody_listens_nobody_connects() {
    let kernel = calm();
    let (listener, address) = listener(&kernel, 1);
    kernel.close(listener);
    let fd = client(&kernel, &address);
    kernel.watch(fd, 1).unwrap();
    assert_eq!(wait(&kernel, 0), [(1, RESET)]);
    assert_eq!(kernel.connect(fd, &address), Err(Errno(libc::ECONNREFUSED)));
    assert_eq!(kernel.connect(fd, &address), Err(Errno(libc::EINPROGRESS)), "it may try again");
    let abroad = client(&kernel, &Address::v4([192, 0, 2, 1], 9));
    assert!(!shows(&kernel, abroad, libc::POLLOUT, Some(1)), "beyond this machine is silence");
}

#[test]
fn a_long_datagram_is_cut_and_a_full_queue_drops() {
    let kernel = calm();
    let (a, b) = (datagram(&kernel), datagram(&kernel));
    let to = bound(&kernel, b);
    for bytes in [&b"too long"[..], b"", b"fits"] {
        assert_eq!(send_to(&kernel, a, bytes, Some(&to)), Ok(bytes.len()));
    }
    let mut bytes = [0; 6];
    let (first, second) = bytes.split_at_mut(2);
    let buffers = [first, second]
        .map(|part| iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() });
    let mut from = Address::empty();
    // SAFETY: the buffers describe parts of `bytes`.
    let received = unsafe { kernel.recv(b, &buffers, 0, Some(&mut from)) }.unwrap();
    assert_eq!((received.bytes, received.truncated, &bytes), (6, true, b"too lo"));
    assert_eq!(from.port(), kernel.local_address(a).unwrap().port());
    assert_eq!(recv(&kernel, b, 9).unwrap(), b"");
    assert_eq!(recv_with(&kernel, b, 9, libc::MSG_PEEK).unwrap(), b"fits");
    assert_eq!(recv(&kernel, b, 9).unwrap(), b"fits");
    assert_eq!(recv(&kernel, b, 9), Err(AGAIN));

    let burst = || {
        (0..1000).for_each(|_| assert_eq!(send_to(&kernel, a, &[1; 1000], Some(&to)), Ok(1000)));
        (0..1000).take_while(|_| recv(&kernel, b, 1000).is_ok()).count()
    };
    let received = burst();
    assert!((100..1000).contains(&received), "{received}");
    assert_eq!(burst(), received, "what was received counts no more");
}

#[test]
fn a_blocked_thread_is_woken_by_data_alert_and_close() {
    let kernel = calm();
    let (a, b) = pair(&kernel);
    let after = |act: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                act();
            });
            shows(&kernel, a, libc::POLLIN, SOON_NS)
        })
    };
    assert!(after(&|| assert_eq!(send(&kernel, b, b"x"), Ok(1))));
    recv(&kernel, a, 1).unwrap();
    assert!(!after(&|| kernel.alert()));
    assert!(!shows(&kernel, a, libc::POLLIN, Some(1_000_000)), "the time is up");
    kernel.alert();
    assert!(!shows(&kernel, a, libc::POLLIN, SOON_NS), "an alert that came early counts");
    assert!(after(&|| kernel.close(a)));
}

#[test]
fn a_kick_ends_one_wait() {
    let kernel = calm();
    let start = Instant::now();
    kernel.kick();
    assert_eq!(wait(&kernel, SOON_MS), NOTHING);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(20));
            kernel.kick();
        });
        assert_eq!(wait(&kernel, SOON_MS), NOTHING);
    });
    assert!(start.elapsed() < Duration::from_millis(SOON_MS as u64), "a kick was lost");
    assert_eq!(wait(&kernel, 1), NOTHING, "and not the next");
}

#[test]
fn the_script_fails_calls_in_its_order() {
    let kernel = calm();
    let (listener, address) = listener(&kernel, 1);
    let a = client(&kernel, &address);
    kernel.script(Call::Accept, libc::EMFILE);
    kernel.script(Call::Accept, libc::ECONNABORTED);
    kernel.script(Call::Watch, libc::ENOMEM);
    assert_eq!(kernel.accept(listener), Err(Errno(libc::EMFILE)));
    assert_eq!(kernel.watch(a, 1), Err(Errno(libc::ENOMEM)));
    assert_eq!(kernel.accept(listener), Err(Errno(libc::ECONNABORTED)));
    let (b, _) = kernel.accept(listener).unwrap();
    kernel.watch(a, 1).unwrap();
    wait(&kernel, 0);
    send(&kernel, b, b"before").unwrap();
    kernel.script_reset(a);
    assert_eq!(wait(&kernel, 0), [(1, RESET)]);
    assert_eq!(recv(&kernel, a, 9).unwrap(), b"before");
    assert_eq!(recv(&kernel, a, 9), Err(Errno(libc::ECONNRESET)));
    assert_eq!(recv(&kernel, a, 9).unwrap(), b"");
}

#[cfg(not(miri))]
#[test]
fn a_file_is_sent_from_where_the_caller_says() {
    use std::os::fd::AsRawFd;
    let path = std::env::temp_dir().join(format!("winsock-fake-{}", std::process::id()));
    std::fs::write(&path, b"0123456789").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let kernel = calm();
    let (a, b) = pair(&kernel);
    let mut offset = 3;
    assert_eq!(kernel.send_file(a, file.as_raw_fd(), &mut offset, 4), Ok(4));
    assert_eq!(kernel.send_file(a, file.as_raw_fd(), &mut offset, 100), Ok(3));
    assert_eq!(kernel.send_file(a, file.as_raw_fd(), &mut offset, 100), Ok(0));
    assert_eq!((offset, recv(&kernel, b, 99).unwrap()), (10, b"3456789".to_vec()));
}
