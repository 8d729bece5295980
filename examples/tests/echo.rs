//! Each server serves many clients, byte by byte; costs nothing while nobody wants anything; and
//! stops when it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What must come has come within this time, on a busy machine too.
const SOON: Duration = Duration::from_secs(60);

/// Well above the 64 that some of the models can wait for at once.
const CLIENTS: usize = 150;

struct Server {
    process: Child,
    /// Kept open: the server may say more.
    _output: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start(path: &str) -> Server {
        let mut process = Command::new(path)
            .arg("127.0.0.1:0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its first line");
        let address = line.trim().strip_prefix("listening on ").expect("where it listens");
        let address = address.to_owned();
        Server { process, _output: output, address }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).expect("connected");
        stream.set_read_timeout(Some(SOON)).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// Ends its standard input.
    fn stop(&mut self) -> ExitStatus {
        drop(self.process.stdin.take());
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("the server's status") {
                return status;
            }
            assert!(started.elapsed() < SOON, "the server does not stop");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asserts that it takes no processor time while nobody wants anything.
    fn rests(&self) {
        let Some(before) = self.processor_time() else { return };
        thread::sleep(Duration::from_millis(500));
        let spent = self.processor_time().expect("as before") - before;
        assert!(spent <= Duration::from_millis(50), "{spent:?} of 500 ms");
    }

    /// `None` where there is no /proc.
    fn processor_time(&self) -> Option<Duration> {
        let stat = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(stat).ok()?;
        // The fields behind the name, which may contain anything: times are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(") ")?;
        let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>());
        let ticks: u64 = ticks.sum::<Result<u64, _>>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended, unless the test has failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serves(path: &str) {
    let mut server = Server::start(path);
    server.rests();
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| server.connect()).collect();
    for round in 0..5 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.write_all(&message(number, round)).expect("sent");
        }
        for (number, client) in clients.iter_mut().enumerate() {
            assert!(receive(client, 500) == message(number, round), "client {number}");
        }
    }
    server.rests();
    more_than_fits(&server);
    // Some leave in the middle of something, others come.
    for client in &mut clients[..50] {
        client.write_all(b"goodbye").expect("sent");
    }
    clients.drain(..50);
    clients.extend((0..50).map(|_| server.connect()));
    for (number, client) in clients.iter_mut().enumerate() {
        client.write_all(&message(number, 9)).expect("sent");
        assert!(receive(client, 500) == message(number, 9), "client {number}");
    }
    let done = Command::new(env!("CARGO_BIN_EXE_echo-client"))
        .args([&server.address, "100", "20"])
        .status()
        .expect("the client starts");
    assert!(done.success());
    assert!(server.stop().success());
    // Nobody is left connected.
    for client in &mut clients {
        assert!(matches!(client.read(&mut [0; 8]), Ok(0) | Err(_)));
    }
}

fn message(number: usize, round: usize) -> Vec<u8> {
    (0..500).map(|at| (number * 31 + round * 7 + at) as u8).collect()
}

fn receive(client: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    client.read_exact(&mut bytes).expect("all that was sent");
    bytes
}

/// A client that sends without receiving, until nothing goes any more; then it receives.
fn more_than_fits(server: &Server) {
    const BYTES: usize = 8 << 20;
    let sent: Vec<u8> = (0..BYTES).map(|at| (at / 1000) as u8).collect();
    let mut client = server.connect();
    let mut writing = client.try_clone().expect("the same connection");
    thread::scope(|scope| {
        scope.spawn(|| writing.write_all(&sent).expect("sent, in the end"));
        thread::sleep(Duration::from_millis(100));
        assert!(receive(&mut client, BYTES) == sent);
    });
}

#[test]
fn select() {
    serves(env!("CARGO_BIN_EXE_echo-select"));
}

#[test]
fn async_select() {
    serves(env!("CARGO_BIN_EXE_echo-async-select"));
}

#[test]
fn event_select() {
    serves(env!("CARGO_BIN_EXE_echo-event-select"));
}

#[test]
fn overlapped_event() {
    serves(env!("CARGO_BIN_EXE_echo-overlapped-event"));
}

#[test]
fn completion_routine() {
    serves(env!("CARGO_BIN_EXE_echo-completion-routine"));
}

#[test]
fn completion_port() {
    serves(env!("CARGO_BIN_EXE_echo-completion-port"));
}
