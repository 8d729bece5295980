//! Every system call that the library makes on a socket, in one place: Linux's, or those of the
//! scripted kernel when the fake backend runs.
//!
//! Descriptors are non-blocking and close-on-exec from birth; EINTR never leaves this file (rule
//! 11), and neither does SIGPIPE (rule 10).

use std::io::Error;
use std::mem;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU32;

use libc::{c_int, iovec, pollfd};

use crate::address::Address;
use crate::backend::fake;

pub type Result<T> = std::result::Result<T, Errno>;

/// An error number of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

/// What a receive brought besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    pub bytes: usize,
    /// The datagram was longer than the buffers.
    pub truncated: bool,
}

/// One report of the kernel's readiness queue, laid out as the kernel's `epoll_event`.
#[derive(Clone, Copy)]
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
pub struct Readiness {
    pub events: u32,
    pub token: u64,
}

const _: () = assert!(mem::size_of::<Readiness>() == mem::size_of::<libc::epoll_event>());

/// How many reports one wait can bring.
const BATCH: usize = 256;

/// Room for a batch of reports.
pub type Room = [mem::MaybeUninit<Readiness>; BATCH];

pub const fn room() -> Room {
    [const { mem::MaybeUninit::uninit() }; BATCH]
}

/// Tries again while a signal interrupts, and turns -1 into the error.
fn retry(mut call: impl FnMut() -> isize) -> Result<usize> {
    loop {
        let result = call();
        if result >= 0 {
            return Ok(result as usize);
        }
        let errno = Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        if errno != libc::EINTR {
            return Err(Errno(errno));
        }
    }
}

pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> Result<RawFd> {
    if let Some(kernel) = fake::kernel() {
        return kernel.socket(family, kind, protocol);
    }
    let kind = kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: no memory is passed.
    retry(|| unsafe { libc::socket(family, kind, protocol) as isize }).map(|fd| fd as RawFd)
}

/// Two connected ends. EOPNOTSUPP in the scripted kernel.
pub fn pair() -> Result<(OwnedFd, OwnedFd)> {
    if fake::kernel().is_some() {
        return Err(Errno(libc::EOPNOTSUPP));
    }
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let mut ends = [-1; 2];
    // SAFETY: two descriptors are written into two places, and are then ours.
    unsafe {
        retry(|| libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) as isize)?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

pub fn close(fd: RawFd) {
    if let Some(kernel) = fake::kernel() {
        return kernel.close(fd);
    }
    // SAFETY: the caller owns the descriptor and forgets it now. Linux frees it whatever it
    // answers.
    unsafe { libc::close(fd) };
}

pub fn bind(fd: RawFd, address: &Address) -> Result<()> {
    if let Some(kernel) = fake::kernel() {
        return kernel.bind(fd, address);
    }
    // SAFETY: pointer and length describe one sockaddr, which the kernel only reads.
    retry(|| unsafe { libc::bind(fd, address.as_ptr(), address.len()) as isize }).map(drop)
}

pub fn listen(fd: RawFd, backlog: c_int) -> Result<()> {
    if let Some(kernel) = fake::kernel() {
        return kernel.listen(fd, backlog);
    }
    // SAFETY: no memory is passed.
    retry(|| unsafe { libc::listen(fd, backlog) as isize }).map(drop)
}

/// Takes a connection from the backlog, with the peer's address.
pub fn accept(fd: RawFd) -> Result<(RawFd, Address)> {
    if let Some(kernel) = fake::kernel() {
        return kernel.accept(fd);
    }
    let mut address = Address::empty();
    let mut len = mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t;
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let accepted = retry(|| {
        // SAFETY: the address holds `len` bytes and the kernel writes no more than those.
        unsafe { libc::accept4(fd, address.as_mut_ptr(), &mut len, flags) as isize }
    })?;
    address.set_len(len);
    Ok((accepted as RawFd, address))
}

pub fn connect(fd: RawFd, address: &Address) -> Result<()> {
    if let Some(kernel) = fake::kernel() {
        return kernel.connect(fd, address);
    }
    // SAFETY: pointer and length describe one sockaddr, which the kernel only reads.
    retry(|| unsafe { libc::connect(fd, address.as_ptr(), address.len()) as isize }).map(drop)
}

/// Dissolves a datagram socket's association with its peer.
pub fn disconnect(fd: RawFd) -> Result<()> {
    if let Some(kernel) = fake::kernel() {
        return kernel.disconnect(fd);
    }
    // SAFETY: all zeroes is a valid sockaddr.
    let mut nowhere: libc::sockaddr = unsafe { mem::zeroed() };
    nowhere.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    let len = mem::size_of::<libc::sockaddr>() as libc::socklen_t;
    // SAFETY: pointer and length describe the sockaddr above.
    retry(|| unsafe { libc::connect(fd, &nowhere, len) as isize }).map(drop)
}

/// No address, for the calls that take one.
const NOWHERE: *const u8 = std::ptr::null();
const NO_LEN: usize = 0;

/// Sends what the kernel takes at once.
///
/// # Safety
/// Each entry of `buffers` describes memory that is readable during the call.
pub unsafe fn send(
    fd: RawFd,
    buffers: &[iovec],
    flags: c_int,
    to: Option<&Address>,
) -> Result<usize> {
    if let Some(kernel) = fake::kernel() {
        // SAFETY: passed on from our caller.
        return unsafe { kernel.send(fd, buffers, flags, to) };
    }
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if let ([buffer], None) = (buffers, to) {
        let (base, len) = (buffer.iov_base, buffer.iov_len);
        // SAFETY: our caller vouches for the buffer. No address follows.
        return retry(|| unsafe {
            libc::syscall(libc::SYS_sendto, fd, base, len, flags, NOWHERE, NO_LEN) as _
        });
    }
    // SAFETY: passed on from our caller.
    unsafe { send_message(fd, buffers, flags, to, &[]) }
}

/// As [`send`], with control data, of which the scripted kernel takes none.
///
/// # Safety
/// As [`send`].
pub unsafe fn send_message(
    fd: RawFd,
    buffers: &[iovec],
    flags: c_int,
    to: Option<&Address>,
    control: &[u8],
) -> Result<usize> {
    if let Some(kernel) = fake::kernel() {
        // SAFETY: passed on from our caller.
        return unsafe { kernel.send(fd, buffers, flags, to) };
    }
    let flags = flags | libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: all zeroes is a valid msghdr.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = buffers.as_ptr().cast_mut();
    message.msg_iovlen = buffers.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_ptr().cast_mut().cast();
        message.msg_controllen = control.len() as _;
    }
    if let Some(address) = to {
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.len();
    }
    // SAFETY: the header describes the address, the buffers and the control data, which outlive the
    // call and are only read.
    retry(|| unsafe { libc::sendmsg(fd, &message, flags) })
}

/// Receives what is there.
///
/// # Safety
/// Each entry of `buffers` describes memory that is writable during the call.
pub unsafe fn recv(
    fd: RawFd,
    buffers: &[iovec],
    flags: c_int,
    from: Option<&mut Address>,
) -> Result<Received> {
    // SAFETY: passed on from our caller.
    unsafe { recv_message(fd, buffers, flags, from, &mut []) }.map(|(received, _)| received)
}

/// What a receive brought of control data.
#[derive(Clone, Copy, Default)]
pub struct Ancillary {
    pub bytes: usize,
    /// There was more than room.
    pub truncated: bool,
}

/// As [`recv`], with the datagram's control data; the scripted kernel has none.
///
/// # Safety
/// As [`recv`].
pub unsafe fn recv_message(
    fd: RawFd,
    buffers: &[iovec],
    flags: c_int,
    from: Option<&mut Address>,
    control: &mut [u8],
) -> Result<(Received, Ancillary)> {
    if let Some(kernel) = fake::kernel() {
        // SAFETY: passed on from our caller.
        let received = unsafe { kernel.recv(fd, buffers, flags, from) };
        return received.map(|received| (received, Ancillary::default()));
    }
    // SAFETY: all zeroes is a valid msghdr.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = buffers.as_ptr().cast_mut();
    message.msg_iovlen = buffers.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = control.len() as _;
    }
    let mut from = from;
    if let Some(address) = &mut from {
        message.msg_name = address.as_mut_ptr().cast();
        message.msg_namelen = mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t;
    }
    let flags = flags | libc::MSG_DONTWAIT;
    // SAFETY: the header describes the address, the buffers and the control data, which outlive the
    // call.
    let bytes = retry(|| unsafe { libc::recvmsg(fd, &mut message, flags) })?;
    if let Some(address) = from {
        address.set_len(message.msg_namelen);
    }
    let ancillary = Ancillary {
        bytes: message.msg_controllen as usize,
        truncated: message.msg_flags & libc::MSG_CTRUNC != 0,
    };
    Ok((Received { bytes, truncated: message.msg_flags & libc::MSG_TRUNC != 0 }, ancillary))
}

/// Receives from a stream; into one buffer without a message header, and without libc's
/// cancellation point, for the hot path.
///
/// # Safety
/// Each entry of `buffers` describes memory that is writable during the call.
pub unsafe fn recv_stream(fd: RawFd, buffers: &[iovec], flags: c_int) -> Result<usize> {
    if let ([buffer], None) = (buffers, fake::kernel()) {
        let flags = flags | libc::MSG_DONTWAIT;
        let (base, len) = (buffer.iov_base, buffer.iov_len);
        // SAFETY: our caller vouches for the buffer. No address is asked for.
        return retry(|| unsafe {
            libc::syscall(libc::SYS_recvfrom, fd, base, len, flags, NOWHERE, NO_LEN) as _
        });
    }
    // SAFETY: passed on from our caller.
    unsafe { recv(fd, buffers, flags, None) }.map(|received| received.bytes)
}

/// Throws away queued ICMP reports, which would otherwise pile up in the error queue.
pub fn drain_errors(fd: RawFd) {
    if fake::kernel().is_some() {
        return;
    }
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: all zeroes is a valid msghdr; it lends no memory.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    // SAFETY: the header is ours and empty.
    while retry(|| unsafe { libc::recvmsg(fd, &mut message, flags) }).is_ok() {}
}

/// Sends from a file, whose position it leaves alone: `offset` moves instead.
pub fn send_file(fd: RawFd, file: RawFd, offset: &mut i64, count: usize) -> Result<usize> {
    if let Some(kernel) = fake::kernel() {
        return kernel.send_file(fd, file, offset, count);
    }
    // `sendfile` knows no MSG_NOSIGNAL: a SIGPIPE of its own making is taken back.
    // SAFETY: all zeroes is the empty set on Linux; the calls read and write only these sets and
    // the offset, all of which outlive them.
    unsafe {
        let mut pipe: libc::sigset_t = mem::zeroed();
        let mut mask: libc::sigset_t = mem::zeroed();
        let mut pending: libc::sigset_t = mem::zeroed();
        libc::sigaddset(&mut pipe, libc::SIGPIPE);
        libc::pthread_sigmask(libc::SIG_BLOCK, &pipe, &mut mask);
        libc::sigpending(&mut pending);
        let sent = retry(|| libc::sendfile(fd, file, offset, count));
        if sent == Err(Errno(libc::EPIPE)) && libc::sigismember(&pending, libc::SIGPIPE) == 0 {
            let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            libc::sigtimedwait(&pipe, std::ptr::null_mut(), &at_once);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &mask, std::ptr::null_mut());
        sent
    }
}

pub fn shutdown(fd: RawFd, how: c_int) -> Result<()> {
    if let Some(kernel) = fake::kernel() {
        return kernel.shutdown(fd, how);
    }
    // SAFETY: no memory is passed.
    retry(|| unsafe { libc::shutdown(fd, how) as isize }).map(drop)
}

pub fn local_address(fd: RawFd) -> Result<Address> {
    if let Some(kernel) = fake::kernel() {
        return kernel.local_address(fd);
    }
    name(|address, len| {
        // SAFETY: `name` passes room for a sockaddr and its length.
        unsafe { libc::getsockname(fd, address, len) }
    })
}

pub fn peer_address(fd: RawFd) -> Result<Address> {
    if let Some(kernel) = fake::kernel() {
        return kernel.peer_address(fd);
    }
    name(|address, len| {
        // SAFETY: `name` passes room for a sockaddr and its length.
        unsafe { libc::getpeername(fd, address, len) }
    })
}

/// Our own address on the way to another. A datagram socket that connects sends nothing, but the
/// kernel picks the route.
pub fn source_of(to: &Address) -> Option<Address> {
    let mut to = *to;
    to.set_port(if to.port() == 0 { 9 } else { to.port() }); // Linux wants some port to connect.
    let fd = socket(to.family(), libc::SOCK_DGRAM, 0).ok()?;
    let own = connect(fd, &to).and_then(|()| local_address(fd));
    close(fd);
    own.ok()
}

fn name(call: impl Fn(*mut libc::sockaddr, &mut libc::socklen_t) -> c_int) -> Result<Address> {
    let mut address = Address::empty();
    let mut len = mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t;
    retry(|| call(address.as_mut_ptr(), &mut len) as isize)?;
    address.set_len(len);
    Ok(address)
}

/// Sets an option whose value is plain data in the kernel's layout, without padding.
pub fn set_option<T: Copy>(fd: RawFd, level: c_int, name: c_int, value: T) -> Result<()> {
    let pointer = std::ptr::from_ref(&value).cast::<u8>();
    if let Some(kernel) = fake::kernel() {
        // SAFETY: the bytes are those of `value`, all of them initialised as it has no padding.
        let bytes = unsafe { std::slice::from_raw_parts(pointer, mem::size_of::<T>()) };
        return kernel.set_option(fd, level, name, bytes);
    }
    let len = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: pointer and length describe `value`.
    retry(|| unsafe { libc::setsockopt(fd, level, name, pointer.cast(), len) as isize }).map(drop)
}

/// Reads an option into `value`, which says how much the kernel may write.
pub fn option<T: Copy>(fd: RawFd, level: c_int, name: c_int, mut value: T) -> Result<T> {
    let pointer = std::ptr::from_mut(&mut value).cast::<u8>();
    if let Some(kernel) = fake::kernel() {
        // SAFETY: the bytes are those of `value`, and any are a valid value as below.
        let bytes = unsafe { std::slice::from_raw_parts_mut(pointer, mem::size_of::<T>()) };
        return kernel.option(fd, level, name, bytes).map(|()| value);
    }
    let mut len = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: pointer and length describe `value`, and any bytes the kernel writes into the plain
    // integers and structs that this crate passes are a valid value.
    retry(|| unsafe { libc::getsockopt(fd, level, name, pointer.cast(), &mut len) as isize })?;
    Ok(value)
}

/// An ioctl that answers with one int (FIONREAD, SIOCATMARK).
pub fn query(fd: RawFd, request: libc::c_ulong) -> Result<i32> {
    if let Some(kernel) = fake::kernel() {
        return kernel.query(fd, request);
    }
    let mut value: c_int = 0;
    // SAFETY: these requests write one int.
    retry(|| unsafe { libc::ioctl(fd, request as _, &mut value) as isize })?;
    Ok(value)
}

/// Looks, without waiting, which descriptors show what is asked of them, and returns how many do.
pub fn look_at(entries: &mut [pollfd]) -> usize {
    if let Some(kernel) = fake::kernel() {
        return kernel.look_at(entries);
    }
    let count = entries.len() as libc::nfds_t;
    // SAFETY: pointer and length describe the entries.
    retry(|| unsafe { libc::poll(entries.as_mut_ptr(), count, 0) as isize }).unwrap_or(0)
}

/// All that a socket's descriptor shows at this moment, in POLL bits.
pub fn shown(fd: RawFd) -> i16 {
    let events = libc::POLLIN | libc::POLLOUT | libc::POLLPRI | libc::POLLRDHUP;
    let mut entry = pollfd { fd, events, revents: 0 };
    match look_at(std::slice::from_mut(&mut entry)) {
        0 => 0,
        _ => entry.revents,
    }
}

/// The kernel's readiness queue: epoll, edge-triggered, each descriptor registered once.
#[derive(Debug)]
pub struct Poller {
    epoll: RawFd,
    wake: RawFd,
}

/// The token of the poller's own wake-up. It is edge-triggered and its counter never read: being
/// reported is all it does, and no socket has this token.
const WAKE: u64 = u64::MAX;

impl Poller {
    pub fn new() -> Result<Poller> {
        if fake::kernel().is_some() {
            return Ok(Poller { epoll: -1, wake: -1 });
        }
        // SAFETY: no memory is passed.
        let epoll = retry(|| unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) as isize })?;
        let flags = libc::EFD_NONBLOCK | libc::EFD_CLOEXEC;
        // SAFETY: no memory is passed.
        let wake = retry(|| unsafe { libc::eventfd(0, flags) as isize })?;
        let poller = Poller { epoll: epoll as RawFd, wake: wake as RawFd };
        poller.add_for(poller.wake, WAKE, libc::EPOLLIN)?;
        Ok(poller)
    }

    /// Registers a descriptor for all it will ever report. Conditions that hold already are
    /// reported once, so nothing is missed between an attempt and the registration.
    pub fn add(&self, fd: RawFd, token: u64) -> Result<()> {
        if let Some(kernel) = fake::kernel() {
            return kernel.watch(fd, token);
        }
        let input = libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLRDHUP;
        self.add_for(fd, token, input | libc::EPOLLOUT)
    }

    /// The descriptor that is readable while there are reports.
    pub fn descriptor(&self) -> RawFd {
        self.epoll
    }

    fn add_for(&self, fd: RawFd, token: u64, events: c_int) -> Result<()> {
        let events = (events | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event { events, u64: token };
        let add = libc::EPOLL_CTL_ADD;
        // SAFETY: the kernel reads the event during the call.
        retry(|| unsafe { libc::epoll_ctl(self.epoll, add, fd, &mut event) as isize }).map(drop)
    }

    /// Waits for reports and says how many came. Signals and wake-ups end the wait early.
    pub fn wait(&self, timeout_ns: Option<u64>, room: &mut Room) -> usize {
        let timeout_ms =
            timeout_ns.map_or(-1, |ns| ns.div_ceil(1_000_000).min(i32::MAX as u64) as c_int);
        if let Some(kernel) = fake::kernel() {
            return kernel.wait(timeout_ms, room);
        }
        // SAFETY: the room holds BATCH reports, each laid out as an epoll_event.
        let count = unsafe {
            libc::epoll_wait(self.epoll, room.as_mut_ptr().cast(), BATCH as c_int, timeout_ms)
        };
        count.max(0) as usize
    }

    /// Makes a wait in progress, or the next one, return.
    pub fn kick(&self) {
        if let Some(kernel) = fake::kernel() {
            return kernel.kick();
        }
        let one = 1u64.to_ne_bytes();
        // SAFETY: an eventfd takes eight bytes. It fails only when its counter would overflow.
        unsafe { libc::write(self.wake, one.as_ptr().cast(), one.len()) };
    }
}

/// Milliseconds of the coarse clock, wrapping: some nanoseconds to read, a tick of 1 to 10 ms.
pub fn coarse_ms() -> u32 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the timespec; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut now) };
    (now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000) as u32
}

/// How many descriptors the process may have.
pub fn descriptor_limit() -> usize {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel fills the structure; this limit always exists.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur as usize
}

/// Nanoseconds of a clock.
pub fn now_ns(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel fills the timespec; the crate asks for clocks that always exist.
    unsafe { libc::clock_gettime(clock, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Sleeps while `word` holds `expected`, until a time of a clock: CLOCK_MONOTONIC, or
/// CLOCK_REALTIME, which may be set meanwhile. May return early.
pub fn sleep_on(word: &AtomicU32, expected: u32, until_ns: Option<u64>, clock: libc::clockid_t) {
    sleep_on_as(ANYBODY, word, expected, until_ns, clock);
}

/// The groups of sleepers: a bit each.
pub const ANYBODY: u32 = u32::MAX;

/// As [`sleep_on`], as a member of these groups.
pub fn sleep_on_as(
    groups: u32,
    word: &AtomicU32,
    expected: u32,
    until_ns: Option<u64>,
    clock: libc::clockid_t,
) {
    let until = until_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let until = until.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let realtime = if clock == libc::CLOCK_REALTIME { libc::FUTEX_CLOCK_REALTIME } else { 0 };
    let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG | realtime;
    let no_word = std::ptr::null::<u32>();
    // SAFETY: the word and the time outlive the call; the kernel only reads both.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, expected, until, no_word, groups);
    }
}

/// Wakes one thread that sleeps on `word`.
pub fn wake_on(word: &AtomicU32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel only uses the word's address as a key.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) };
}

/// How many sleepers to wake: every one.
pub const ALL: u32 = i32::MAX as u32;

/// Wakes at most so many of those who sleep on a word as members of these groups, and says how
/// many. The word may be gone by then: whoever is woken needlessly looks again.
pub fn wake_on_of(groups: u32, word: *const u32, most: u32) -> u32 {
    let operation = libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG;
    let (no_time, no_word) = (std::ptr::null::<libc::timespec>(), std::ptr::null::<u32>());
    // SAFETY: the kernel only uses the word's address as a key.
    let woken =
        unsafe { libc::syscall(libc::SYS_futex, word, operation, most, no_time, no_word, groups) };
    woken.max(0) as u32
}

/// How often the calling thread has made way for another, by itself or not.
pub fn switches() -> i64 {
    // SAFETY: all zeroes is a valid rusage, which the kernel fills.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: as above.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) };
    usage.ru_nvcsw + usage.ru_nivcsw
}
