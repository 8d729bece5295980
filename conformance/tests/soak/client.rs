//! Clients, well-behaved and other.

use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// Noise that a seed decides.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Connects again and again, in ever new moods, until the time is up.
pub fn come_and_go(addr: &Addr, seed: u64, end: Instant) {
    let mut noise = Noise::new(seed);
    // Once at least: a busy machine may have let the time pass already.
    loop {
        visit(addr, &mut noise);
        if Instant::now() >= end {
            break;
        }
    }
}

/// One connection.
fn visit(addr: &Addr, noise: &mut Noise) {
    let client = Client::connect(addr, noise.next() as u8);
    match noise.below(10) {
        // Says nothing.
        0 => drop(client.socket),
        // Is cut off in the middle of whatever there is.
        1 => {
            client.exchange(noise, 60_000, Some(30_000), Duration::ZERO);
            client.socket.reset();
        }
        2 => client.socket.reset(),
        // Closes with bytes unread, which resets too.
        3 => {
            client.exchange(noise, 20_000, Some(100), Duration::ZERO);
        }
        // Half-closes, and is answered to the end.
        4 | 5 => {
            let bytes = 1 + noise.below(40_000) as usize;
            client.exchange_with_end(noise, bytes, Duration::ZERO);
        }
        // Does not read for a while, so that the server finds no room.
        6 => {
            let pause = Duration::from_millis(noise.below(60));
            client.exchange_with_end(noise, 400_000, pause);
        }
        // Chats.
        _ => {
            for _ in 0..1 + noise.below(30) {
                let bytes = 1 + noise.below(3_000) as usize;
                client.exchange(noise, bytes, None, Duration::ZERO);
            }
        }
    }
}

struct Client {
    socket: Socket,
    /// What is sent is [`Client::byte`] after byte.
    shift: u8,
    /// How many bytes have been sent and come back by all exchanges up to now.
    done: std::cell::Cell<usize>,
}

impl Client {
    fn connect(addr: &Addr, shift: u8) -> Client {
        let socket = tcp_socket();
        assert_eq!(set_option(*socket, SOL_SOCKET, SO_RCVBUF, 16_384_i32), Ok(()));
        // SAFETY: `addr` is a full socket address of `len` bytes.
        let rc = unsafe { connect(*socket, addr.as_ptr(), addr.len) };
        assert_eq!(rc, 0, "connect: {}", last_wsa_error());
        non_blocking(&socket, true);
        Client { socket, shift, done: std::cell::Cell::new(0) }
    }

    /// The byte at this place of the stream.
    fn byte(&self, at: usize) -> u8 {
        ((at * 7) ^ (at >> 8) ^ (at >> 16)) as u8 ^ self.shift
    }

    /// Sends so many bytes while it receives and checks them; what comes in from the `enough`th on
    /// is left unread. It begins to read after a pause.
    fn exchange(&self, noise: &mut Noise, bytes: usize, enough: Option<usize>, pause: Duration) {
        let (start, end) = (self.done.get(), self.done.get() + bytes);
        let until = enough.map_or(end, |enough| (start + enough).min(end));
        let (mut sent, mut received) = (start, start);
        let reads_from = Instant::now() + pause;
        while received < until {
            let reads = Instant::now() >= reads_from;
            let one = [*self.socket];
            let (reading, writing) = (&one[..usize::from(reads)], &one[..usize::from(sent < end)]);
            if reading.is_empty() && writing.is_empty() {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            let ms = if reads { 60_000 } else { 10 };
            let ready = select_from(reading, writing, &[], ms).expect("a socket");
            assert!(ready.count > 0 || !reads, "no answer: {sent} sent, {received} received");
            if !ready.write.is_empty() {
                sent += self.send(sent, end.min(sent + 1 + noise.below(20_000) as usize));
            }
            if !ready.read.is_empty() {
                let got = self.receive(received);
                assert_ne!(got, 0, "the server has closed: {sent} sent, {received} received");
                received += got;
            }
        }
        self.done.set(end);
    }

    /// As [`Client::exchange`], and then there is an end to both directions.
    fn exchange_with_end(&self, noise: &mut Noise, bytes: usize, pause: Duration) {
        self.exchange(noise, bytes, None, pause);
        // SAFETY: shutdown takes any value.
        assert_eq!(unsafe { shutdown(*self.socket, SD_SEND) }, 0, "{}", last_wsa_error());
        let ready = select_from(&[*self.socket], &[], &[], 60_000).expect("a socket");
        assert_eq!(ready.count, 1, "no end");
        assert_eq!(self.receive(self.done.get()), 0, "more than was sent");
    }

    /// Sends the bytes from one place to another; how many there was room for.
    fn send(&self, from: usize, to: usize) -> usize {
        let bytes: Vec<u8> = (from..to).map(|at| self.byte(at)).collect();
        // SAFETY: `bytes` is readable for its length.
        let sent = unsafe { send(*self.socket, bytes.as_ptr(), bytes.len() as i32, 0) };
        assert!(sent >= 0 || last_wsa_error() == WSAEWOULDBLOCK, "send: {}", last_wsa_error());
        sent.max(0) as usize
    }

    /// Receives and checks what has come back from this place on; how many bytes.
    fn receive(&self, from: usize) -> usize {
        let mut buffer = [0; 16_384];
        // SAFETY: `buffer` is writable for its length.
        let got = unsafe { recv(*self.socket, buffer.as_mut_ptr(), buffer.len() as i32, 0) };
        assert!(got >= 0, "recv: {}", last_wsa_error());
        let got = &buffer[..got as usize];
        let wrong = got.iter().enumerate().find(|(i, byte)| **byte != self.byte(from + i));
        assert_eq!(wrong, None, "of {} bytes from {from} on", got.len());
        got.len()
    }
}
