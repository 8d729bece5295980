//! All six models at once, in one process, with clients that reset, stall, half-close and come
//! back: no byte is wrong, and in the end everything is where it was.
//!
//! A few seconds by default; WINSOCK_SOAK_SECONDS says how many, for a long soak.

mod client;
mod completion;
mod readiness;
mod resources;

use std::env;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::{SO_SNDBUF, SOL_SOCKET, WSAEWOULDBLOCK, connect};

use resources::Resources;

/// How many clients each model has at a time. A wait takes 64 events: those of clients that have
/// gone without the server knowing yet must have room too.
const CLIENTS: usize = 8;

/// An echo server, and what is known about it.
struct Model {
    name: &'static str,
    serve: fn(&Socket, &Run),
    run: Run,
}

/// One run of a server.
#[derive(Default)]
struct Run {
    /// The server ends when it has no clients any more.
    over: AtomicBool,
    served: AtomicUsize,
    echoed: AtomicU64,
}

impl Run {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Counts a client; its number.
    fn count_client(&self) -> usize {
        self.served.fetch_add(1, Ordering::Relaxed)
    }

    fn count_bytes(&self, bytes: usize) {
        self.echoed.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

fn models() -> Vec<Model> {
    let model = |name, serve| Model { name, serve, run: Run::default() };
    let mut models = vec![
        model("select", readiness::by_select),
        model("async-select", readiness::by_message),
        model("event-select", readiness::by_event),
        model("overlapped-event", completion::by_event),
        model("completion-routine", completion::by_routine),
        model("completion-port", completion::by_port),
    ];
    // Wine 8.0 posts no FD_CLOSE for some resets (rule 89): its server waits for ever.
    models.retain(|model| !(is_wine() && model.name == "async-select"));
    models
}

/// Serves and loads all models for a while, until the last thread of it has ended.
fn round(length: Duration, seed: u64) -> Vec<Model> {
    let models = models();
    let end = Instant::now() + length;
    std::thread::scope(|scope| {
        for (number, model) in models.iter().enumerate() {
            let (listener, addr) = listener();
            // Accepted sockets have that too (rule 74): there is soon no room in them.
            assert_eq!(set_option(*listener, SOL_SOCKET, SO_SNDBUF, 16_384_i32), Ok(()));
            scope.spawn(move || {
                (model.serve)(&listener, &model.run);
                println!(
                    "{}: {} clients, {} bytes",
                    model.name,
                    model.run.served.load(Ordering::Relaxed),
                    model.run.echoed.load(Ordering::Relaxed)
                );
            });
            scope.spawn(move || {
                std::thread::scope(|clients| {
                    for client in 0..CLIENTS {
                        let seed = seed << 32 | (number * CLIENTS + client) as u64;
                        clients.spawn(move || client::come_and_go(&addr, seed, end));
                    }
                });
                // The last client finds the server ready to end, whatever it waits by, unless it
                // has ended already.
                model.run.over.store(true, Ordering::SeqCst);
                // SAFETY: `addr` is a full socket address of `len` bytes.
                unsafe { connect(*tcp_socket(), addr.as_ptr(), addr.len) };
            });
        }
    });
    models
}

#[test]
fn soak() {
    let seconds = env::var("WINSOCK_SOAK_SECONDS").ok().map(|text| text.parse().expect("seconds"));
    let length = Duration::from_secs(seconds.unwrap_or(4));
    // The first clients leave behind what is kept for the next.
    round(length / 2, 1);
    let before = Resources::settled();
    let start = Instant::now();
    for model in round(length / 2, 2) {
        let served = model.run.served.load(Ordering::Relaxed);
        assert!(served > 0, "{}: {served} clients", model.name);
    }
    println!("{before:?} before, {:?} long", start.elapsed());
    before.expect_again();
}

/// What a server does with an error of a socket call: a client that has reset its connection is
/// gone, and "would block" is no error.
fn gone_or_blocked(error: i32) -> Progress {
    use winsock_sys::Win32::Networking::WinSock::{WSAECONNABORTED, WSAECONNRESET};

    match error {
        WSAEWOULDBLOCK => Progress::Blocked,
        WSAECONNRESET | WSAECONNABORTED => Progress::Gone,
        error => panic!("an error of a client's socket: {error}"),
    }
}

/// How far a client's business has got.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Progress {
    Blocked,
    Gone,
}
