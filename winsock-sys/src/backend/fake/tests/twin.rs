//! The fake and the real kernel are told the same stories, and must say the same.
//!
//! A story is a sequence of calls with all that they answer. The fake is calm here, and Linux' own
//! loopback interface delivers before a call returns, so the answers do not depend on time.

use std::fmt::Debug;

use super::*;
use crate::sys::Poller;

/// One of the twins.
enum Twin {
    Fake(Box<Kernel>),
    Linux,
}

/// Calls one function: a method of the fake, or of the same name in [`sys`].
macro_rules! call {
    ($story:expr, $name:ident($($argument:expr),*)) => {
        match &$story.twin {
            Twin::Fake(kernel) => kernel.$name($($argument),*),
            Twin::Linux => sys::$name($($argument),*),
        }
    };
}

/// What was called, and what the kernel said.
struct Story {
    twin: Twin,
    poller: Poller,
    lines: Vec<String>,
}

impl Story {
    fn tell<T: Debug>(&mut self, what: &str, answer: T) {
        self.lines.push(format!("{}: {what}: {answer:?}", self.lines.len()));
    }

    fn socket(&self, family: c_int, kind: c_int) -> RawFd {
        call!(self, socket(family, kind, 0)).unwrap()
    }

    fn tcp(&self) -> RawFd {
        self.socket(libc::AF_INET, libc::SOCK_STREAM)
    }

    fn udp(&self) -> RawFd {
        self.socket(libc::AF_INET, libc::SOCK_DGRAM)
    }

    fn bound(&self, fd: RawFd) -> Address {
        call!(self, bind(fd, &local(0))).unwrap();
        call!(self, local_address(fd)).unwrap()
    }

    fn listener(&self, backlog: c_int) -> (RawFd, Address) {
        let fd = self.tcp();
        let address = self.bound(fd);
        call!(self, listen(fd, backlog)).unwrap();
        (fd, address)
    }

    /// An address at which nobody is.
    fn nobody(&self, fd: RawFd) -> Address {
        let address = self.bound(fd);
        self.close(fd);
        address
    }

    fn client(&self, to: &Address) -> RawFd {
        let fd = self.tcp();
        assert_eq!(call!(self, connect(fd, to)), Err(Errno(libc::EINPROGRESS)));
        fd
    }

    fn pair(&self) -> (RawFd, RawFd) {
        let (listener, address) = self.listener(1);
        let client = self.client(&address);
        let (server, _) = call!(self, accept(listener)).unwrap();
        self.close(listener);
        (client, server)
    }

    fn close(&self, fd: RawFd) {
        call!(self, close(fd));
    }

    fn close_all(&self, fds: &[RawFd]) {
        fds.iter().for_each(|fd| self.close(*fd));
    }

    fn abort(&self, fd: RawFd) {
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        self.set(fd, libc::SOL_SOCKET, libc::SO_LINGER, linger).unwrap();
        self.close(fd);
    }

    fn set<T: Copy>(&self, fd: RawFd, level: c_int, name: c_int, value: T) -> Result<()> {
        // SAFETY: the tests pass integers and `linger`, which have no padding.
        let bytes =
            unsafe { std::slice::from_raw_parts((&raw const value).cast::<u8>(), size_of::<T>()) };
        match &self.twin {
            Twin::Fake(kernel) => kernel.set_option(fd, level, name, bytes),
            Twin::Linux => sys::set_option(fd, level, name, value),
        }
    }

    fn get(&self, fd: RawFd, level: c_int, name: c_int) -> Result<c_int> {
        let mut bytes = [0; 4];
        match &self.twin {
            Twin::Fake(kernel) => {
                kernel.option(fd, level, name, &mut bytes).map(|()| c_int::from_ne_bytes(bytes))
            }
            Twin::Linux => sys::option(fd, level, name, 0),
        }
    }

    fn send(&self, fd: RawFd, bytes: &[u8]) -> Result<usize> {
        self.send_to(fd, bytes, None)
    }

    fn send_to(&self, fd: RawFd, bytes: &[u8], to: Option<&Address>) -> Result<usize> {
        let buffer = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: the buffer describes `bytes`.
        unsafe { call!(self, send(fd, &[buffer], 0, to)) }
    }

    fn send_urgent(&self, fd: RawFd, bytes: &[u8]) -> Result<usize> {
        let buffer = iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: the buffer describes `bytes`.
        unsafe { call!(self, send(fd, &[buffer], libc::MSG_OOB, None)) }
    }

    fn recv(&self, fd: RawFd, len: usize) -> Result<String> {
        self.recv_with(fd, len, 0)
    }

    fn recv_urgent(&self, fd: RawFd) -> Result<String> {
        self.recv_with(fd, 1, libc::MSG_OOB)
    }

    fn recv_with(&self, fd: RawFd, len: usize, flags: c_int) -> Result<String> {
        let mut bytes = vec![0; len];
        let buffer = iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: len };
        // SAFETY: the buffer describes `bytes`.
        let received = unsafe { call!(self, recv(fd, &[buffer], flags, None)) }?;
        let text = String::from_utf8_lossy(&bytes[..received.bytes]).into_owned();
        Ok(if received.truncated { text + "..." } else { text })
    }

    fn at_mark(&self, fd: RawFd) -> Result<i32> {
        /// As in Linux' sockios.h.
        const SIOCATMARK: libc::c_ulong = 0x8905;
        call!(self, query(fd, SIOCATMARK))
    }

    /// The events that hold.
    fn events(&self, fd: RawFd) -> String {
        let bits = match &self.twin {
            Twin::Fake(kernel) => {
                let mut net = kernel.enter();
                net.deliver();
                net.events(net.fds[&fd])
            }
            Twin::Linux => {
                let asked = libc::POLLIN | libc::POLLPRI | libc::POLLOUT | libc::POLLRDHUP;
                let mut entry = libc::pollfd { fd, events: asked, revents: 0 };
                // SAFETY: the entry outlives the call.
                unsafe { libc::poll(&mut entry, 1, 0) };
                entry.revents as u32
            }
        };
        names_of(bits)
    }

    fn watch(&self, fd: RawFd, token: u64) {
        match &self.twin {
            Twin::Fake(kernel) => kernel.watch(fd, token).unwrap(),
            Twin::Linux => self.poller.add(fd, token).unwrap(),
        }
    }

    /// What one wait reports, in the order of the tokens.
    fn wait(&self) -> Vec<(u64, String)> {
        let reports = match &self.twin {
            Twin::Fake(kernel) => wait(kernel, 0),
            Twin::Linux => reports(|room| self.poller.wait(Some(0), room)),
        };
        let named = |(token, events)| (token, names_of(events as u32));
        let mut reports: Vec<(u64, String)> = reports.into_iter().map(named).collect();
        reports.sort();
        reports
    }
}

fn names_of(bits: u32) -> String {
    let names = [
        (libc::EPOLLIN, "IN"),
        (libc::EPOLLPRI, "PRI"),
        (libc::EPOLLOUT, "OUT"),
        (libc::EPOLLRDHUP, "RDHUP"),
        (libc::EPOLLHUP, "HUP"),
        (libc::EPOLLERR, "ERR"),
    ];
    let shown = names.iter().filter(|(bit, _)| bits & *bit as u32 != 0).map(|(_, name)| *name);
    shown.collect::<Vec<_>>().join(" ")
}

/// How often the twins may disagree before it is no accident: the machine's other programs take
/// ports too, and a busy kernel delivers late.
const ATTEMPTS: usize = 5;

/// Tells both a story; `call` in it is a call on the twin whose turn it is.
fn both(tell: impl Fn(&mut Story)) {
    if crate::backend::fake::kernel().is_some() {
        return; // The real one is not to be had in this process.
    }
    let told = |twin| {
        let poller = Poller::new().unwrap();
        let mut story = Story { twin, poller, lines: Vec::new() };
        tell(&mut story);
        story.lines
    };
    let mut differences = (0..ATTEMPTS).map(|_| {
        let (fake, linux) = (told(Twin::Fake(Box::new(calm()))), told(Twin::Linux));
        fake.into_iter().zip(linux).find(|(fake, linux)| fake != linux)
    });
    let agreed = differences.any(|difference| match difference {
        Some((fake, linux)) => {
            println!("the fake has {fake}\nLinux has    {linux}");
            false
        }
        None => true,
    });
    assert!(agreed, "the twins disagree");
}

#[test]
fn a_stream_without_a_connection() {
    both(|story| {
        let fd = story.tcp();
        story.tell("fresh", story.events(fd));
        story.tell("recv", story.recv(fd, 4));
        story.tell("send", story.send(fd, b"x"));
        story.tell("accept", call!(story, accept(fd)).map(drop));
        story.tell("peer", call!(story, peer_address(fd)));
        story.tell("name", call!(story, local_address(fd)));
        story.tell("bytes", call!(story, query(fd, libc::FIONREAD)));
        story.tell("shutdown", call!(story, shutdown(fd, libc::SHUT_RDWR)));
        story.tell("shut", (story.events(fd), story.recv(fd, 4)));
        story.tell("how", call!(story, shutdown(fd, 3)));

        let (listener, address) = story.listener(3);
        story.tell("listening", story.events(listener));
        story.tell("recv", story.recv(listener, 4));
        story.tell("send", story.send(listener, b"x"));
        story.tell("connect", call!(story, connect(listener, &address)));
        story.tell("bind", call!(story, bind(listener, &local(0))));
        story.tell("bytes", call!(story, query(listener, libc::FIONREAD)));
        story.tell("accept", call!(story, accept(listener)).map(drop));
        story.tell("again", call!(story, listen(listener, 1)));
        story.tell("peer", call!(story, peer_address(listener)));
        story.tell("half", call!(story, shutdown(listener, libc::SHUT_WR)));
        story.tell("still", call!(story, accept(listener)).map(drop));
        let client = story.client(&address);
        story.tell("stopped", call!(story, shutdown(listener, libc::SHUT_RDWR)));
        story.tell("both", (story.events(listener), story.events(client)));
        story.tell("accept", call!(story, accept(listener)).map(drop));
        story.tell("relisten", call!(story, listen(listener, 1)));
        story.tell("client", (story.recv(client, 3), story.recv(client, 3)));
        story.close_all(&[fd, listener, client]);
    });
}

#[test]
fn a_connect_and_its_outcome() {
    both(|story| {
        let (listener, address) = story.listener(1);
        let fd = story.client(&address);
        story.tell("connecting", story.events(fd));
        story.tell("again", call!(story, connect(fd, &address)));
        story.tell("third", call!(story, connect(fd, &address)));
        story.tell("listen", call!(story, listen(fd, 1)));
        story.tell("peer", call!(story, peer_address(fd)) == Ok(address));
        let (server, caller) = call!(story, accept(listener)).unwrap();
        story.tell("caller", Ok(caller) == call!(story, local_address(fd)));
        story.tell("server", call!(story, local_address(server)) == Ok(address));
        story.tell("accepting", story.get(listener, libc::SOL_SOCKET, libc::SO_ACCEPTCONN));

        let nobody = story.nobody(story.tcp());
        let refused = story.client(&nobody);
        story.tell("refused", story.events(refused));
        story.tell("connect", call!(story, connect(refused, &nobody)));
        story.tell("after", story.events(refused));
        story.tell("connect", call!(story, connect(refused, &nobody)));
        story.tell("error", story.get(refused, libc::SOL_SOCKET, libc::SO_ERROR));
        story.tell("error", story.get(refused, libc::SOL_SOCKET, libc::SO_ERROR));
        story.tell("told", (story.recv(refused, 2), story.send(refused, b"x")));
        story.tell("peer", call!(story, peer_address(refused)));
        story.tell("connect", call!(story, connect(refused, &address)));
        story.tell("connect", call!(story, connect(refused, &address)));
        story.tell("connected", story.events(refused));
        story.close_all(&[listener, fd, server, refused]);
    });
}

#[test]
fn a_backlog_that_is_full() {
    both(|story| {
        let (listener, address) = story.listener(0);
        let [first, second] = [(); 2].map(|()| story.client(&address));
        story.tell("first and second", (story.events(first), story.events(second)));
        story.tell("second", (story.recv(second, 1), story.send(second, b"x")));
        story.tell("again", call!(story, connect(second, &address)));
        story.tell("peer", call!(story, peer_address(second)));
        story.tell("shutdown", call!(story, shutdown(second, libc::SHUT_WR)));
        story.tell("given up", story.events(second));
        story.close(listener);
        story.tell("not accepted", story.events(first));
        story.tell("not accepted", (story.recv(first, 1), story.recv(first, 1)));
        story.close_all(&[first, second]);
    });
}

#[test]
fn the_end_of_a_connection() {
    both(|story| {
        let (a, b) = story.pair();
        story.tell("sent", story.send(b, b"tail"));
        story.close(b);
        story.tell("fin", story.events(a));
        story.tell("recv", (story.recv(a, 9), story.recv(a, 9)));
        story.tell("send", story.send(a, b"x"));
        story.tell("answer", story.events(a));
        story.tell("send", (story.send(a, b"y"), story.send(a, b"y")));
        story.tell("recv", story.recv(a, 9));
        story.close(a);

        let (a, b) = story.pair();
        story.tell("half", call!(story, shutdown(b, libc::SHUT_WR)));
        story.tell("half", (story.events(a), story.events(b)));
        story.tell("send", story.send(b, b"x"));
        story.tell("peer", call!(story, peer_address(a)).is_ok());
        story.tell("whole", call!(story, shutdown(a, libc::SHUT_WR)));
        story.tell("whole", (story.events(a), story.events(b)));
        story.tell("peer", call!(story, peer_address(a)));
        story.tell("again", call!(story, shutdown(b, libc::SHUT_WR)));
        story.tell("recv", (story.recv(a, 2), story.recv(b, 2), story.recv(b, 2)));
        story.close_all(&[a, b]);
    });
}

#[test]
fn an_end_of_reading() {
    both(|story| {
        let (a, b) = story.pair();
        story.tell("half", call!(story, shutdown(b, libc::SHUT_RD)));
        story.tell("half", (story.events(b), story.recv(b, 2)));
        story.tell("send", story.send(a, b"q"));
        story.tell("half", (story.events(b), story.recv(b, 2), story.recv(b, 2)));
        story.tell("peer", story.events(a));
        story.close(b);
        story.tell("peer", (story.events(a), story.recv(a, 2)));
        story.close(a);

        let (a, b) = story.pair();
        story.tell("send", story.send(a, b"q"));
        story.tell("whole", call!(story, shutdown(b, libc::SHUT_RDWR)));
        story.tell("whole", (story.events(b), story.recv(b, 2), story.events(a)));
        story.tell("more", story.send(a, b"more"));
        story.tell("more", (story.events(a), story.recv(a, 2)));
        story.tell("more", (story.events(b), story.recv(b, 2)));
        story.close_all(&[a, b]);
    });
}

#[test]
fn a_reset() {
    both(|story| {
        let (a, b) = story.pair();
        story.tell("send", story.send(b, b"data"));
        story.abort(b);
        story.tell("reset", story.events(a));
        story.tell("bytes", call!(story, query(a, libc::FIONREAD)));
        story.tell("data", (story.recv(a, 2), story.recv(a, 9)));
        story.tell("reset", (story.recv(a, 9), story.recv(a, 9)));
        story.tell("after", (story.events(a), story.send(a, b"x")));
        story.tell("peer", call!(story, peer_address(a)));
        story.tell("shutdown", call!(story, shutdown(a, libc::SHUT_WR)));
        story.close(a);

        let (a, b) = story.pair();
        story.abort(b);
        story.tell("send", (story.send(a, b"x"), story.send(a, b"x"), story.recv(a, 1)));
        story.close(a);

        let (a, b) = story.pair();
        story.abort(b);
        story.tell("error", story.get(a, libc::SOL_SOCKET, libc::SO_ERROR));
        story.tell("after", (story.events(a), story.recv(a, 1)));
        story.close(a);

        let (a, b) = story.pair();
        story.tell("send", (story.send(a, b"unread"), story.send(b, b"abc")));
        story.close(b);
        story.tell("unread", story.events(a));
        story.tell("unread", (story.recv(a, 9), story.recv(a, 9), story.recv(a, 9)));
        story.close(a);

        let (a, b) = story.pair();
        story.tell("disconnect", call!(story, disconnect(a)));
        story.tell("both", (story.events(a), story.events(b)));
        story.tell("peer", (call!(story, peer_address(a)), story.recv(b, 1)));
        let (listener, address) = story.listener(1);
        story.tell("once more", call!(story, connect(a, &address)));
        story.tell("once more", (story.events(a), story.recv(a, 1), story.events(b)));
        story.close_all(&[a, b, listener]);
    });
}

#[test]
fn urgent_data() {
    both(|story| {
        let (a, b) = story.pair();
        story.tell("none", (story.events(a), story.recv_urgent(a), story.at_mark(a)));
        story.tell("alone", (story.send_urgent(b, b"!"), story.events(a), story.at_mark(a)));
        story.tell("received", (story.recv_urgent(a), story.events(a), story.recv_urgent(a)));
        story.tell("behind", (story.send(b, b"ab"), story.send_urgent(b, b"c!")));
        story.tell("there", (story.events(a), story.at_mark(a)));
        story.tell("first", (story.recv(a, 2), story.events(a)));
        story.tell("rest", (story.recv(a, 9), story.at_mark(a), story.recv_urgent(a)));
        story.tell("go on", (story.send(b, b"d"), story.recv(a, 9), story.recv(a, 9)));
        story.tell("between", (story.send_urgent(b, b"e!"), story.send(b, b"fg")));
        story.tell("stops", (story.recv(a, 9), story.at_mark(a)));
        story.tell("passes", (story.recv(a, 9), story.events(a), story.recv_urgent(a)));
        story.tell("missed", (story.send_urgent(b, b"!"), story.recv(a, 9), story.events(a)));
        story.tell("missed", story.recv_urgent(a));
        story.tell("inline", story.set(a, libc::SOL_SOCKET, libc::SO_OOBINLINE, 1i32));
        story.tell("inline", (story.send_urgent(b, b"!"), story.recv_urgent(a), story.recv(a, 9)));
        story.tell("end", (story.send_urgent(b, b"!"), story.recv(a, 9)));
        story.close_all(&[a, b]);

        let (a, b) = story.pair();
        story.tell("unread", story.send_urgent(b, b"!"));
        story.close(a);
        story.tell("unread", (story.events(b), story.recv(b, 1)));
        story.close(b);
    });
}

#[test]
fn datagrams() {
    both(|story| {
        let fd = story.udp();
        story.tell("fresh", (story.events(fd), story.recv(fd, 2)));
        story.tell("send", story.send(fd, b"x"));
        story.tell("peer", call!(story, peer_address(fd)));
        story.tell("listen", call!(story, listen(fd, 1)));
        story.tell("accept", call!(story, accept(fd)).map(drop));
        let nobody = story.nobody(story.udp());
        story.tell("port 0", story.send_to(fd, b"x", Some(&local(0))));
        story.tell("long", story.send_to(fd, &[0; 65_508], Some(&nobody)));
        story.tell("longest", story.send_to(fd, &[0; 65_507], Some(&nobody)));
        let everybody = Address::v4([127, 255, 255, 255], 9);
        story.tell("everybody", story.send_to(fd, b"x", Some(&everybody)));
        let stream = story.tcp();
        story.tell("a stream to everybody", call!(story, connect(stream, &everybody)));
        story.close(stream);
        story.tell("unheard", (story.events(fd), story.recv(fd, 2)));
        story.tell("mark", call!(story, query(fd, 0x8905)));
        story.tell("shutdown", call!(story, shutdown(fd, libc::SHUT_RDWR)));
        story.tell("shut", (story.events(fd), story.recv(fd, 2)));
        story.tell("send", story.send_to(fd, b"x", Some(&nobody)));

        let (a, b) = (story.udp(), story.udp());
        let to = story.bound(b);
        story.tell("connect", call!(story, connect(a, &to)));
        story.tell("sent", (story.send(a, b""), story.send(a, b"abc"), story.send(a, b"de")));
        story.tell("recv", story.recv(b, 9));
        story.tell("bytes", call!(story, query(b, libc::FIONREAD)));
        story.tell("recv", (story.recv(b, 2), story.recv(b, 9), story.recv(b, 9)));
        story.tell("shutdown", call!(story, shutdown(a, libc::SHUT_WR)));
        story.tell("shut", (story.events(a), story.send(a, b"x")));
        story.close_all(&[fd, a, b]);
    });
}

#[test]
fn datagrams_to_nobody() {
    both(|story| {
        let nobody = story.nobody(story.udp());
        let fd = story.udp();
        call!(story, connect(fd, &nobody)).unwrap();
        story.tell("send", story.send(fd, b"x"));
        story.tell("error", (story.events(fd), story.send(fd, b"x"), story.send(fd, b"x")));
        story.tell("recv", (story.recv(fd, 2), story.recv(fd, 2)));
        story.tell("disconnect", call!(story, disconnect(fd)));
        story.tell("name", call!(story, local_address(fd)));
        story.close(fd);

        let fd = story.udp();
        story.tell("ask", story.set(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1));
        story.tell("send", story.send_to(fd, b"x", Some(&nobody)));
        story.tell("heard", (story.events(fd), story.recv(fd, 2), story.recv(fd, 2)));
        story.close(fd);

        let fd = story.udp();
        let name = story.bound(fd);
        call!(story, connect(fd, &nobody)).unwrap();
        story.tell("disconnect", call!(story, disconnect(fd)));
        story.tell("a port that bind picked", call!(story, local_address(fd)) == Ok(name));
        story.close(fd);
        let fd = story.udp();
        story.tell("bind", call!(story, bind(fd, &name)));
        call!(story, connect(fd, &nobody)).unwrap();
        story.tell("disconnect", call!(story, disconnect(fd)));
        story.tell("a chosen port", call!(story, local_address(fd)) == Ok(name));
        story.close(fd);
    });
}

#[test]
fn who_may_have_which_name() {
    let sharing = [libc::SO_REUSEADDR, libc::SO_REUSEPORT];
    let hosts = [[127, 0, 0, 1], [0, 0, 0, 0], [127, 0, 0, 2]];
    let kinds = [libc::SOCK_STREAM, libc::SOCK_DGRAM];
    both(|story| {
        for case in 0..4 * 4 * 3 * 4 * 2 {
            let (first, second) = (case % 4, case / 4 % 4);
            let (host, kind) = (hosts[case / 16 % 3], kinds[case / 48 % 2]);
            let listening = [case / 96 % 2 == 1, case / 192 % 2 == 1];
            let mut port = 0;
            let fds = [first, second].map(|shared| {
                let fd = story.socket(libc::AF_INET, kind);
                for (bit, name) in sharing.iter().enumerate() {
                    story.set(fd, libc::SOL_SOCKET, *name, (shared >> bit & 1) as c_int).unwrap();
                }
                fd
            });
            let names = [hosts[0], host].map(|host| Address::v4(host, 0));
            for ((fd, mut name), listens) in fds.into_iter().zip(names).zip(listening) {
                name.set_port(port);
                let bound = call!(story, bind(fd, &name));
                let listening = listens.then(|| call!(story, listen(fd, 1)));
                port = call!(story, local_address(fd)).unwrap().port();
                story.tell(&format!("case {case}"), (bound, listening));
            }
            story.close_all(&fds);
        }
        let away = Address::v4([192, 0, 2, 1], 0);
        let fd = story.tcp();
        story.tell("away", call!(story, bind(fd, &away)));
        story.tell("family", call!(story, bind(fd, &Address::any(libc::AF_INET6))));
        story.close(fd);
    });
}

#[test]
fn two_families() {
    both(|story| {
        let any6 = Address::any(libc::AF_INET6);
        for only in [0, 1] {
            let fd = story.socket(libc::AF_INET6, libc::SOCK_STREAM);
            story.set(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only).unwrap();
            call!(story, bind(fd, &any6)).unwrap();
            call!(story, listen(fd, 3)).unwrap();
            let port = call!(story, local_address(fd)).unwrap().port();
            let other = story.tcp();
            story.tell("other", call!(story, bind(other, &local(port))));
            story.close(other);
            let client = story.client(&local(port));
            story.tell("client", story.events(client));
            if let Ok((server, caller)) = call!(story, accept(fd)) {
                story.tell("caller", &caller.host()[..14]);
                story.close(server);
            }
            let late = story.set(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0);
            story.tell("late", late);
            let mapped =
                Address::v6(std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets(), port, 0);
            let through = story.socket(libc::AF_INET6, libc::SOCK_STREAM);
            story.set(through, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only).unwrap();
            story.tell("through", call!(story, connect(through, &mapped)));
            let name = call!(story, local_address(through)).unwrap();
            story.tell("name", name.host().to_vec());
            story.close_all(&[fd, client, through]);
        }
    });
}

#[test]
fn options_read_back() {
    let switches = [
        (libc::SOL_SOCKET, libc::SO_KEEPALIVE),
        (libc::SOL_SOCKET, libc::SO_REUSEADDR),
        (libc::SOL_SOCKET, libc::SO_BROADCAST),
        (libc::SOL_SOCKET, libc::SO_OOBINLINE),
        (libc::IPPROTO_TCP, libc::TCP_NODELAY),
        (libc::IPPROTO_IP, libc::IP_RECVERR),
        (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY),
        (77, 1),
    ];
    let numbers = [
        (libc::SOL_SOCKET, libc::SO_TYPE),
        (libc::SOL_SOCKET, libc::SO_DOMAIN),
        (libc::SOL_SOCKET, libc::SO_PROTOCOL),
        (libc::SOL_SOCKET, libc::SO_ACCEPTCONN),
        (libc::SOL_SOCKET, libc::SO_RCVLOWAT),
        (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE),
        (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL),
        (libc::IPPROTO_TCP, libc::TCP_KEEPCNT),
        (libc::IPPROTO_IP, libc::IP_TTL),
        (libc::IPPROTO_IP, libc::IP_MULTICAST_TTL),
        (libc::IPPROTO_IPV6, libc::IPV6_UNICAST_HOPS),
    ];
    both(|story| {
        for family in [libc::AF_INET, libc::AF_INET6] {
            let fd = story.socket(family, libc::SOCK_STREAM);
            for (level, name) in numbers {
                story.tell("number", (level, name, story.get(fd, level, name)));
            }
            for (level, name) in switches {
                story.tell("off", (level, name, story.get(fd, level, name)));
                story.tell("set", story.set(fd, level, name, 7));
                story.tell("on", (level, name, story.get(fd, level, name)));
            }
            for size in [0, 8192, 1 << 30] {
                for name in [libc::SO_SNDBUF, libc::SO_RCVBUF] {
                    story.set(fd, libc::SOL_SOCKET, name, size).unwrap();
                    story.tell("buffer", story.get(fd, libc::SOL_SOCKET, name));
                }
            }
            story.tell("type", story.set(fd, libc::SOL_SOCKET, libc::SO_TYPE, 1));
            story.tell("short", story.set(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1u8));
            story.close(fd);
        }
    });
}

#[test]
fn edges() {
    both(|story| {
        let (listener, address) = story.listener(4);
        story.watch(listener, 0);
        story.tell("listener", story.wait());
        let a = story.tcp();
        story.watch(a, 1);
        story.tell("fresh", story.wait());
        story.tell("connect", call!(story, connect(a, &address)));
        story.tell("connected", story.wait());
        let (b, _) = call!(story, accept(listener)).unwrap();
        story.tell("sent", story.send(a, b"first"));
        story.watch(b, 2);
        story.tell("watched", story.wait());
        story.tell("unchanged", story.wait());
        story.tell("sent", story.send(a, b"second"));
        story.tell("again", story.wait());
        story.tell("sent", story.send(a, b"third"));
        story.tell("recv", story.recv(b, 99));
        story.tell("gone", story.wait());
        let client = story.client(&address);
        story.tell("another", story.wait());
        story.close(client);
        story.tell("it left", story.wait());
        story.tell("half", call!(story, shutdown(a, libc::SHUT_WR)));
        story.tell("half", story.wait());
        story.close(b);
        story.tell("closed", story.wait());
        let refused = story.tcp();
        story.watch(refused, 3);
        story.wait();
        let nobody = story.nobody(story.tcp());
        story.tell("connect", call!(story, connect(refused, &nobody)));
        story.tell("refused", story.wait());
        story.close_all(&[listener, a, refused]);
        story.tell("all closed", story.wait());
    });
}
