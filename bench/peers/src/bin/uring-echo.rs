//! A yardstick: an echo server as a hand-written io_uring loop, on one thread.
//!
//! The ring is its thread's own (SINGLE_ISSUER, DEFER_TASKRUN). One multishot accept takes all
//! connections, one multishot receive each takes what comes, into buffers of a provided ring, and
//! what was received is sent from there. One `io_uring_enter` submits a batch and waits for the
//! next.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};
use peers::{Arguments, BUFFER, announce, listen};

const ENTRIES: u32 = 1024;
const COMPLETIONS: u32 = 8192;
/// A power of two.
const BUFFERS: u16 = 1024;
const GROUP: u16 = 0;

/// What an entry is about, in the low bits of its word; above them a connection's place.
const ACCEPT: u64 = 0;
const RECEIVE: u64 = 1;
const SEND: u64 = 2;
const KINDS: u64 = 3;

struct Connection {
    fd: RawFd,
    /// What is being sent. The next waits for it.
    sending: Option<Piece>,
    /// Received, and not sent yet.
    waiting: Vec<Piece>,
    /// Its multishot receive has ended for good.
    ended: bool,
}

/// A part of a buffer of the ring.
#[derive(Clone, Copy)]
struct Piece {
    buffer: u16,
    from: usize,
    to: usize,
}

struct Server {
    ring: IoUring,
    listener: TcpListener,
    buffers: Buffers,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Connections whose receive found no buffer.
    starved: Vec<usize>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::read()?;
    let listener = listen(arguments.bind)?;
    announce(&listener, "uring-loop", 1)?;
    let ring = IoUring::builder()
        .setup_clamp()
        .setup_cqsize(COMPLETIONS)
        .setup_submit_all()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .build(ENTRIES)?;
    let buffers = Buffers::register(&ring)?;
    let (connections, free, starved) = (Vec::new(), Vec::new(), Vec::new());
    Server { ring, listener, buffers, connections, free, starved }.run()
}

impl Server {
    fn run(&mut self) -> io::Result<()> {
        self.accept()?;
        let mut batch = Vec::with_capacity(COMPLETIONS as usize);
        loop {
            match self.ring.submit_and_wait(1) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            batch.extend(self.ring.completion());
            for entry in batch.drain(..) {
                let place = (entry.user_data() >> 2) as usize;
                match entry.user_data() & KINDS {
                    ACCEPT => self.accepted(&entry)?,
                    RECEIVE => self.received(place, &entry)?,
                    _ => self.sent(place, entry.result())?,
                }
            }
            for place in std::mem::take(&mut self.starved) {
                self.receive(place)?;
            }
        }
    }

    fn push(&mut self, entry: squeue::Entry) -> io::Result<()> {
        // SAFETY: what is sent lies in the buffers, which live as long as the ring.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.ring.submit()?;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        let listener = Fd(self.listener.as_raw_fd());
        self.push(opcode::AcceptMulti::new(listener).build().user_data(ACCEPT))
    }

    fn receive(&mut self, place: usize) -> io::Result<()> {
        let Some(connection) = &self.connections[place] else { return Ok(()) };
        let entry = opcode::RecvMulti::new(Fd(connection.fd), GROUP).build();
        self.push(entry.user_data((place as u64) << 2 | RECEIVE))
    }

    fn send(&mut self, place: usize) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        let Some(piece) = connection.sending else { return Ok(()) };
        let data = self.buffers.data(piece.buffer).wrapping_add(piece.from);
        let entry = opcode::Send::new(Fd(connection.fd), data, (piece.to - piece.from) as u32)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build();
        self.push(entry.user_data((place as u64) << 2 | SEND))
    }

    fn accepted(&mut self, entry: &cqueue::Entry) -> io::Result<()> {
        if entry.result() >= 0 {
            let (fd, sending, waiting) = (entry.result(), None, Vec::new());
            let connection = Connection { fd, sending, waiting, ended: false };
            let place = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            self.connections[place] = Some(connection);
            self.receive(place)?;
        }
        if cqueue::more(entry.flags()) { Ok(()) } else { self.accept() }
    }

    fn received(&mut self, place: usize, entry: &cqueue::Entry) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        let buffer = cqueue::buffer_select(entry.flags());
        match (entry.result(), buffer) {
            (len @ 1.., Some(buffer)) => {
                let piece = Piece { buffer, from: 0, to: len as usize };
                if connection.sending.is_some() {
                    connection.waiting.push(piece);
                } else {
                    connection.sending = Some(piece);
                    self.send(place)?;
                }
                if cqueue::more(entry.flags()) { Ok(()) } else { self.receive(place) }
            }
            (error, _) if error == -libc::ENOBUFS => {
                self.starved.push(place);
                Ok(())
            }
            (_, buffer) => {
                buffer.into_iter().for_each(|buffer| self.buffers.give(buffer));
                connection.ended = true;
                self.close_if_done(place);
                Ok(())
            }
        }
    }

    fn sent(&mut self, place: usize, result: i32) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else { return Ok(()) };
        let Some(piece) = &mut connection.sending else { return Ok(()) };
        if result > 0 {
            piece.from += result as usize;
            if piece.from < piece.to {
                return self.send(place);
            }
        }
        self.buffers.give(piece.buffer);
        connection.sending = None;
        if result <= 0 {
            connection.waiting.drain(..).for_each(|piece| self.buffers.give(piece.buffer));
        } else if !connection.waiting.is_empty() {
            connection.sending = Some(connection.waiting.remove(0));
            return self.send(place);
        }
        self.close_if_done(place);
        Ok(())
    }

    fn close_if_done(&mut self, place: usize) {
        let done = |connection: &mut Connection| connection.ended && connection.sending.is_none();
        if let Some(connection) = self.connections[place].take_if(done) {
            // SAFETY: nothing is under way on the descriptor, and nobody else has it.
            unsafe { libc::close(connection.fd) };
            self.free.push(place);
        }
    }
}

/// A ring of buffers that the kernel takes from and we give back to.
struct Buffers {
    entries: NonNull<BufRingEntry>,
    memory: Box<[u8]>,
    tail: u16,
}

impl Buffers {
    fn register(ring: &IoUring) -> io::Result<Buffers> {
        let len = usize::from(BUFFERS) * size_of::<BufRingEntry>();
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_ANONYMOUS | libc::MAP_PRIVATE);
        // SAFETY: a new mapping.
        let mapped = unsafe { libc::mmap(ptr::null_mut(), len, access, kind, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the mapping is of the right size and stays until the process ends.
        unsafe { ring.submitter().register_buf_ring_with_flags(mapped as u64, BUFFERS, GROUP, 0)? };
        let entries = NonNull::new(mapped.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let memory = vec![0; usize::from(BUFFERS) * BUFFER].into_boxed_slice();
        let mut buffers = Buffers { entries, memory, tail: 0 };
        (0..BUFFERS).for_each(|buffer| buffers.give(buffer));
        Ok(buffers)
    }

    fn data(&self, buffer: u16) -> *const u8 {
        self.memory[usize::from(buffer) * BUFFER..].as_ptr()
    }

    fn give(&mut self, buffer: u16) {
        let data = self.data(buffer);
        let at = usize::from(self.tail & (BUFFERS - 1));
        // SAFETY: inside the mapping; the kernel does not read the entry before the tail is past
        // it.
        unsafe {
            let entry = self.entries.add(at).as_mut();
            entry.set_addr(data as u64);
            entry.set_len(BUFFER as u32);
            entry.set_bid(buffer);
        }
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the tail lies in the mapping, aligned, and only we write it.
        let tail =
            unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries.as_ptr()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}
