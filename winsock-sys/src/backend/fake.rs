//! The fake backend: a kernel in memory, made to be awkward.
//!
//! Once upon a time a program was tested on a loopback interface, where all that is sent has
//! arrived before `send` returns, every report comes in the order of the sockets' birth and no
//! receive stops in the middle. In production nothing of that was true. This kernel plays
//! production: it knows streams, datagrams and a readiness queue as Linux does, and it throws dice.
//! Arrivals are late, long sends and receives stop short, reports are shuffled, held back and
//! repeated, connections give up in the backlog. All of it is what Linux may do and what the layer
//! above must absorb without its program noticing. What a program would notice (a reset, a refused
//! connection, a want of descriptors) comes only from the program's own calls, or from a test
//! through `Kernel::script`.
//!
//! `WINSOCK_BACKEND=fake:SEED` chooses it, and the seed decides the dice: the same calls in the
//! same order meet the same luck. (Within a time-out, that is: who asks nothing for
//! [`Temper::patience`] finds all that is under way arrived, as one would on any network.)
//!
//! Nothing here calls the operating system but through `std`, so it runs where only Rust does:
//! under Miri, say.
//!
//! [`socket`] holds what a socket is and which events it shows, [`stream`], [`urgent`] and
//! [`datagram`] what the two kinds do, [`ready`] the readiness queue and the waiting, [`names`]
//! addresses and ports, [`options`] what setsockopt left, and [`faults`] the dice.

mod datagram;
mod faults;
mod names;
mod options;
mod ready;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod urgent;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

use libc::{c_int, iovec};

use super::Choice;
use crate::address::Address;
use crate::sys::{Errno, Received, Result};
use faults::{Dice, Temper};
use names::Ports;
use socket::{Id, Kind, Socket};

/// The fake kernel, if `WINSOCK_BACKEND` chose it. For everybody else this is one load and one
/// branch that always goes the same way.
#[inline]
pub fn kernel() -> Option<&'static Kernel> {
    if ABSENT.load(Ordering::Relaxed) { None } else { choose() }
}

/// The choice has been made and fell on the real kernel.
static ABSENT: AtomicBool = AtomicBool::new(false);

#[cold]
fn choose() -> Option<&'static Kernel> {
    static KERNEL: LazyLock<Option<Kernel>> = LazyLock::new(|| match super::choice() {
        Ok(Choice::Fake { seed }) => Some(Kernel::new(seed)),
        // A choice that is none is WSAStartup's to report; the real kernel serves till then.
        Ok(Choice::Epoll | Choice::Uring) | Err(_) => None,
    });
    ABSENT.store(KERNEL.is_none(), Ordering::Relaxed);
    KERNEL.as_ref()
}

/// A call that a test can make fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Socket,
    Bind,
    Listen,
    Accept,
    Connect,
    Send,
    Recv,
    Watch,
}

/// The scripted kernel.
pub struct Kernel {
    net: Mutex<Net>,
    /// Something happened that a sleeper may wait for.
    stirred: Condvar,
}

/// All that the kernel knows; behind one lock, so that what happens has an order.
struct Net {
    dice: Dice,
    temper: Temper,
    /// Calls that shall fail, in the order in which a test asked for it.
    script: Vec<(Call, Errno)>,
    /// Counts waits, and answers that had to be "not yet". Arrivals fall due by it.
    clock: u64,
    sockets: BTreeMap<Id, Socket>,
    next_id: Id,
    fds: BTreeMap<RawFd, Id>,
    /// Descriptors that were closed. The lowest is the next to be given out, as on Linux: who uses
    /// a descriptor after closing it shall meet a stranger's socket.
    free_fds: BTreeSet<RawFd>,
    ports: Ports,
    /// The sockets to which something is under way.
    travelling: BTreeSet<Id>,
    /// The sockets whose state a wait has to look at.
    ready: Vec<Id>,
    kicked: bool,
    alerts: u64,
    /// A sleeper has to look again; see [`Kernel::leave`].
    stir: bool,
}

/// Descriptors start here, where no real one is: a mix-up of the two shows as EBADF at once.
const FIRST_FD: RawFd = 1 << 20;

/// Descriptors that every process has; other real ones are not counted.
const STANDARD_FDS: usize = 3;

/// How much of a file one call sends at most.
const FILE_CHUNK: usize = 1 << 16;

impl Kernel {
    pub fn new(seed: u64) -> Kernel {
        Kernel::with_temper(seed, Temper::of(seed))
    }

    fn with_temper(seed: u64, temper: Temper) -> Kernel {
        let mut dice = Dice::new(seed);
        let net = Net {
            ports: Ports::new(&mut dice),
            dice,
            temper,
            script: Vec::new(),
            clock: 0,
            sockets: BTreeMap::new(),
            next_id: 0,
            fds: BTreeMap::new(),
            free_fds: BTreeSet::new(),
            travelling: BTreeSet::new(),
            ready: Vec::new(),
            kicked: false,
            alerts: 0,
            stir: false,
        };
        Kernel { net: Mutex::new(net), stirred: Condvar::new() }
    }

    /// Locks the kernel, whatever became of the last one who did.
    fn enter(&self) -> MutexGuard<'_, Net> {
        self.net.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unlocks it and wakes who sleeps in it, if there is something to see.
    fn leave(&self, mut net: MutexGuard<'_, Net>) {
        if std::mem::take(&mut net.stir) {
            drop(net);
            self.stirred.notify_all();
        }
    }

    /// What all calls have in common: what is due arrives first, the script may have something
    /// against the call, and an answer of "not yet" makes time pass.
    fn run<T>(&self, call: Option<Call>, body: impl FnOnce(&mut Net) -> Result<T>) -> Result<T> {
        let mut net = self.enter();
        net.deliver();
        let result = match call.and_then(|call| net.scripted(call)) {
            Some(errno) => Err(errno),
            None => body(&mut net),
        };
        if let Err(Errno(libc::EAGAIN | libc::EALREADY)) = result {
            net.clock += 1;
        }
        self.leave(net);
        result
    }

    /// A call on a descriptor.
    fn on<T>(
        &self,
        fd: RawFd,
        call: Option<Call>,
        body: impl FnOnce(&mut Net, Id) -> Result<T>,
    ) -> Result<T> {
        self.run(call, |net| {
            let id = *net.fds.get(&fd).ok_or(Errno(libc::EBADF))?;
            body(net, id)
        })
    }

    pub fn socket(&self, family: c_int, kind: c_int, protocol: c_int) -> Result<RawFd> {
        let made = || match (family, kind, protocol) {
            (libc::AF_INET | libc::AF_INET6, libc::SOCK_STREAM, 0 | libc::IPPROTO_TCP) => {
                Ok(Kind::stream())
            }
            (libc::AF_INET | libc::AF_INET6, libc::SOCK_DGRAM, 0 | libc::IPPROTO_UDP) => {
                Ok(Kind::datagram())
            }
            (libc::AF_INET | libc::AF_INET6, _, _) => Err(Errno(libc::EPROTONOSUPPORT)),
            _ => Err(Errno(libc::EAFNOSUPPORT)),
        };
        self.run(Some(Call::Socket), |net| {
            let kind = made()?;
            net.check_descriptors()?;
            let id = net.add(Socket::new(family, kind));
            Ok(net.open(id))
        })
    }

    pub fn close(&self, fd: RawFd) {
        // Nobody is told that he closed nothing, as the real one's caller does not ask.
        let _ = self.run(None, |net| {
            let id = net.fds.remove(&fd).ok_or(Errno(libc::EBADF))?;
            net.free_fds.insert(fd);
            net.stir = true;
            match net.socket(id).kind {
                Kind::Stream(_) => net.close_stream(id),
                Kind::Datagram(_) => {}
            }
            net.remove(id);
            Ok(())
        });
    }

    pub fn bind(&self, fd: RawFd, address: &Address) -> Result<()> {
        self.on(fd, Some(Call::Bind), |net, id| net.bind(id, address))
    }

    pub fn listen(&self, fd: RawFd, backlog: c_int) -> Result<()> {
        self.on(fd, Some(Call::Listen), |net, id| net.listen(id, backlog))
    }

    pub fn accept(&self, fd: RawFd) -> Result<(RawFd, Address)> {
        self.on(fd, Some(Call::Accept), |net, id| {
            net.check_descriptors()?;
            let accepted = net.accept(id)?;
            let caller = net.socket(accepted).caller();
            Ok((net.open(accepted), caller))
        })
    }

    /// Never done at once for a stream: EINPROGRESS, then EPOLLOUT, as Linux has it over TCP.
    pub fn connect(&self, fd: RawFd, address: &Address) -> Result<()> {
        self.on(fd, Some(Call::Connect), |net, id| {
            let target = names::read(net.socket(id), address)?;
            match net.socket(id).kind {
                Kind::Stream(_) => net.connect_stream(id, target),
                Kind::Datagram(_) => net.connect_datagram(id, target),
            }
        })
    }

    pub fn disconnect(&self, fd: RawFd) -> Result<()> {
        self.on(fd, None, |net, id| {
            match net.socket(id).kind {
                Kind::Stream(_) => net.disconnect_stream(id),
                Kind::Datagram(_) => net.disconnect_datagram(id),
            }
            Ok(())
        })
    }

    /// # Safety
    /// Each entry of `buffers` describes memory that is readable during the call.
    pub unsafe fn send(
        &self,
        fd: RawFd,
        buffers: &[iovec],
        flags: c_int,
        to: Option<&Address>,
    ) -> Result<usize> {
        // SAFETY: our caller vouches for the memory, and `lent` ends with this call.
        let lent = unsafe { Lent::new(buffers) };
        self.on(fd, Some(Call::Send), |net, id| match net.socket(id).kind {
            Kind::Stream(_) => net.send_stream(id, &lent, flags),
            Kind::Datagram(_) if flags & libc::MSG_OOB != 0 => Err(Errno(libc::EOPNOTSUPP)),
            Kind::Datagram(_) => net.send_datagram(id, &lent, to),
        })
    }

    /// # Safety
    /// Each entry of `buffers` describes memory that is writable during the call.
    pub unsafe fn recv(
        &self,
        fd: RawFd,
        buffers: &[iovec],
        flags: c_int,
        from: Option<&mut Address>,
    ) -> Result<Received> {
        // SAFETY: our caller vouches for the memory, and `lent` ends with this call.
        let mut lent = unsafe { Lent::new(buffers) };
        self.on(fd, Some(Call::Recv), |net, id| {
            match net.socket(id).kind {
                Kind::Stream(_) => {
                    if let Some(from) = from {
                        from.set_len(0); // A stream says nothing about senders.
                    }
                    let bytes = match flags & libc::MSG_OOB {
                        0 => net.recv_stream(id, &mut lent, flags)?,
                        _ => net.recv_urgent(id, &mut lent, flags)?,
                    };
                    Ok(Received { bytes, truncated: false })
                }
                Kind::Datagram(_) if flags & libc::MSG_OOB != 0 => Err(Errno(libc::EOPNOTSUPP)),
                Kind::Datagram(_) => net.recv_datagram(id, &mut lent, flags, from),
            }
        })
    }

    /// Sends from a real file: files are not what this kernel fakes.
    pub fn send_file(
        &self,
        fd: RawFd,
        file: RawFd,
        offset: &mut i64,
        count: usize,
    ) -> Result<usize> {
        let at = u64::try_from(*offset).map_err(|_| Errno(libc::EINVAL))?;
        // SAFETY: the caller owns the descriptor and keeps it open; it is not closed here.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(file) });
        let mut chunk = vec![0; count.min(FILE_CHUNK)];
        let read = file
            .read_at(&mut chunk, at)
            .map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EIO)))?;
        if read == 0 {
            return Ok(0);
        }
        let buffer = iovec { iov_base: chunk.as_mut_ptr().cast(), iov_len: read };
        // SAFETY: the chunk holds `read` bytes and outlives the call.
        let sent = unsafe { self.send(fd, &[buffer], 0, None) }?;
        if sent == read && sent < count {
            // Short although there is room: whoever waits for room must hear of it.
            let _ = self.on(fd, None, |net, id| {
                net.raise(id);
                Ok(())
            });
        }
        *offset += sent as i64;
        Ok(sent)
    }

    pub fn shutdown(&self, fd: RawFd, how: c_int) -> Result<()> {
        self.on(fd, None, |net, id| {
            let (input, output) = match how {
                libc::SHUT_RD => (true, false),
                libc::SHUT_WR => (false, true),
                libc::SHUT_RDWR => (true, true),
                _ => return Err(Errno(libc::EINVAL)),
            };
            match net.socket(id).kind {
                Kind::Stream(_) => net.shut_stream(id, input, output),
                Kind::Datagram(_) => net.shut_datagram(id, input, output),
            }
        })
    }

    pub fn local_address(&self, fd: RawFd) -> Result<Address> {
        self.on(fd, None, |net, id| Ok(net.socket(id).local_address()))
    }

    pub fn peer_address(&self, fd: RawFd) -> Result<Address> {
        self.on(fd, None, |net, id| net.socket(id).peer_address())
    }

    /// Takes an option as the bytes in which the program would pass it to Linux.
    pub fn set_option(&self, fd: RawFd, level: c_int, name: c_int, value: &[u8]) -> Result<()> {
        self.on(fd, None, |net, id| net.socket_mut(id).set_option(level, name, value))
    }

    /// Fills `value` as far as the option goes, like Linux.
    pub fn option(&self, fd: RawFd, level: c_int, name: c_int, value: &mut [u8]) -> Result<()> {
        self.on(fd, None, |net, id| net.socket_mut(id).option(level, name, value))
    }

    pub fn query(&self, fd: RawFd, request: libc::c_ulong) -> Result<i32> {
        self.on(fd, None, |net, id| {
            let answer = match (request, &net.socket(id).kind) {
                (libc::FIONREAD, Kind::Stream(stream)) => stream.waiting_bytes()?,
                (libc::FIONREAD, Kind::Datagram(datagrams)) => datagrams.next_len(),
                (SIOCATMARK, Kind::Stream(stream)) => {
                    stream.urgent.as_ref().is_some_and(|urgent| urgent.is_next()).into()
                }
                _ => return Err(Errno(libc::ENOTTY)),
            };
            if answer == 0 {
                net.clock += 1; // "Nothing yet": whoever asks in a loop gets on.
            }
            Ok(answer as i32)
        })
    }
}

/// libc has no name for it.
const SIOCATMARK: libc::c_ulong = 0x8905;

#[cfg(test)]
impl Kernel {
    /// The next `call` fails with this error number and does nothing else.
    pub fn script(&self, call: Call, errno: c_int) {
        self.enter().script.push((call, Errno(errno)));
    }

    /// The stream's peer vanishes: a reset is under way to `fd`.
    pub fn script_reset(&self, fd: RawFd) {
        let mut net = self.enter();
        let id = net.fds[&fd];
        net.reset_from_outside(id);
        self.leave(net);
    }
}

impl Net {
    fn scripted(&mut self, call: Call) -> Option<Errno> {
        let at = self.script.iter().position(|(scripted, _)| *scripted == call)?;
        Some(self.script.remove(at).1)
    }

    /// The socket of an id that is known to live: its descriptor was looked up under this lock.
    fn socket(&self, id: Id) -> &Socket {
        &self.sockets[&id]
    }

    fn socket_mut(&mut self, id: Id) -> &mut Socket {
        self.sockets.get_mut(&id).expect("a socket that lives")
    }

    fn add(&mut self, socket: Socket) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        self.sockets.insert(id, socket);
        id
    }

    /// EMFILE when the process has as many descriptors as it may.
    fn check_descriptors(&self) -> Result<()> {
        let open = self.fds.len() + STANDARD_FDS;
        let limit = descriptor_limit().unwrap_or(usize::MAX);
        if open < limit { Ok(()) } else { Err(Errno(libc::EMFILE)) }
    }

    /// Gives the socket the lowest descriptor that is free.
    fn open(&mut self, id: Id) -> RawFd {
        let fresh = FIRST_FD + self.fds.len() as RawFd;
        let fd = self.free_fds.pop_first().unwrap_or(fresh);
        self.fds.insert(fd, id);
        fd
    }

    fn remove(&mut self, id: Id) {
        if let Some(socket) = self.sockets.remove(&id) {
            self.ports.release(&socket, id);
            self.travelling.remove(&id);
        }
    }
}

/// The soft limit on descriptors, asked anew each time as the process may change it. Miri has no
/// limits to read.
fn descriptor_limit() -> Option<usize> {
    if cfg!(miri) {
        return None;
    }
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Memory that a caller of ours has lent for the call.
struct Lent<'a> {
    buffers: &'a [iovec],
}

impl Lent<'_> {
    /// # Safety
    /// While it lives each entry describes memory that is readable, and writable if
    /// [`Lent::write`] is used.
    unsafe fn new(buffers: &[iovec]) -> Lent<'_> {
        Lent { buffers }
    }

    fn len(&self) -> usize {
        self.buffers.iter().map(|buffer| buffer.iov_len).sum()
    }

    /// The first `limit` bytes.
    fn read(&self, limit: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(limit.min(self.len()));
        for buffer in self.buffers.iter().filter(|buffer| buffer.iov_len > 0) {
            let len = buffer.iov_len.min(limit - bytes.len());
            // SAFETY: whoever made this vouches for `iov_len` readable bytes.
            let part = unsafe { std::slice::from_raw_parts(buffer.iov_base.cast::<u8>(), len) };
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Writes `bytes`, as far as there is room, `done` bytes into the memory. Returns how many.
    fn write(&mut self, done: usize, bytes: &[u8]) -> usize {
        let mut skip = done;
        let mut rest = bytes;
        for buffer in self.buffers {
            let skipped = skip.min(buffer.iov_len);
            skip -= skipped;
            let len = rest.len().min(buffer.iov_len - skipped);
            if len == 0 {
                continue;
            }
            let (now, later) = rest.split_at(len);
            // SAFETY: whoever made this vouches for `iov_len` writable bytes, and nobody else
            // touches them meanwhile.
            unsafe {
                let to = buffer.iov_base.cast::<u8>().add(skipped);
                now.as_ptr().copy_to_nonoverlapping(to, len);
            }
            rest = later;
        }
        bytes.len() - rest.len()
    }
}
