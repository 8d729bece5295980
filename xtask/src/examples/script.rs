//! What is done to every server.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::server::{PATIENCE, Server};

/// One thing that clients do; it tells what came back.
type Step = fn(SocketAddr) -> io::Result<String>;

const STEPS: [(&str, Step); 7] = [
    ("messages of all sizes", sizes),
    ("a message in pieces", pieces),
    ("clients in turns", turns),
    ("a half-closed connection", half_close),
    ("a client that reads late", late_reader),
    ("connections that are reset", resets),
    ("more clients than 64, come and go", crowd),
];

/// A crowd that takes three groups of 63.
const CROWD: usize = 150;

/// Runs all steps and the client, stops the server under a client's feet, and tells what happened.
pub fn run(server: Server, mut client: Command) -> Result<String, String> {
    let mut transcript = format!("{}\n", server.greeting);
    let mut note = |step: &str, what: &str| {
        // Writing to a String does not fail.
        let _ = writeln!(transcript, "{step}: {what}");
    };
    for (name, step) in STEPS {
        let said = step(server.at).map_err(|error| format!("{name}: {error}"))?;
        note(name, &said);
    }
    let output = client.output().map_err(|error| format!("the client: {error}"))?;
    note("the client", String::from_utf8_lossy(&output.stdout).trim_end());

    let mut left = connect(server.at).map_err(|error| error.to_string())?;
    echo(&mut left, &bytes(64, 9)).map_err(|error| format!("before the end: {error}"))?;
    server.interrupt()?;
    note("the last client", left_alone(&mut left)?);
    note("the server", &server.end()?);
    Ok(transcript)
}

fn sizes(at: SocketAddr) -> io::Result<String> {
    let mut stream = connect(at)?;
    let mut sum = 0;
    for size in [1, 2, 63, 64, 1000, 1460, 4096, 16383, 16384, 16385, 40000, 65536] {
        sum += echo(&mut stream, &bytes(size, size))?;
    }
    Ok(format!("{sum} bytes"))
}

fn pieces(at: SocketAddr) -> io::Result<String> {
    let mut stream = connect(at)?;
    let message = bytes(300, 5);
    for piece in message.chunks(100) {
        stream.write_all(piece)?;
        thread::sleep(Duration::from_millis(20));
    }
    expect(&mut stream, &message)?;
    Ok("whole".into())
}

fn turns(at: SocketAddr) -> io::Result<String> {
    let mut streams = (0..10).map(|_| connect(at)).collect::<io::Result<Vec<_>>>()?;
    for round in 0..20 {
        for (number, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&bytes(64, 100 * round + number))?;
        }
        for (number, stream) in streams.iter_mut().enumerate().rev() {
            expect(stream, &bytes(64, 100 * round + number))?;
        }
    }
    Ok("each its own".into())
}

fn half_close(at: SocketAddr) -> io::Result<String> {
    let mut stream = connect(at)?;
    let message = bytes(50_000, 3);
    stream.write_all(&message)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    same(&answer, &message)?;
    Ok(format!("{} bytes, then the end", answer.len()))
}

/// More than the buffers between the two take: the server has to wait until it may go on sending.
fn late_reader(at: SocketAddr) -> io::Result<String> {
    let mut stream = connect(at)?;
    let message = bytes(16 << 20, 11);
    let mut writer = stream.try_clone()?;
    thread::scope(|scope| {
        let written = scope.spawn(|| {
            writer.write_all(&message)?;
            writer.shutdown(Shutdown::Write)
        });
        thread::sleep(Duration::from_millis(300));
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        written.join().map_err(|_| io::Error::other("the writer panicked"))??;
        same(&answer, &message)?;
        Ok(format!("{} bytes, then the end", answer.len()))
    })
}

fn resets(at: SocketAddr) -> io::Result<String> {
    for seed in 0..20 {
        let mut stream = connect(at)?;
        stream.write_all(&bytes(1000, seed))?;
        // To close with an answer unread is to reset.
        stream.peek(&mut [0])?;
    }
    let mut stream = connect(at)?;
    echo(&mut stream, &bytes(64, 1))?;
    Ok("the next client is served".into())
}

fn crowd(at: SocketAddr) -> io::Result<String> {
    let mut streams = Vec::new();
    for number in 0..CROWD {
        streams.push(connect(at)?);
        echo(&mut streams[number], &bytes(64, number))?;
    }
    // Every third leaves, and others come in their places.
    for number in (0..CROWD).step_by(3) {
        streams[number] = connect(at)?;
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        stream.write_all(&bytes(200, number))?;
    }
    for (number, stream) in streams.iter_mut().enumerate() {
        expect(stream, &bytes(200, number))?;
    }
    Ok(format!("{} are served", streams.len()))
}

/// Whether a server that ends gives a connection back, be it by closing or by resetting.
fn left_alone(stream: &mut TcpStream) -> Result<&'static str, String> {
    match stream.read(&mut [0]) {
        Ok(0) => Ok("is left"),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok("is left"),
        other => Err(format!("the last client: {other:?}")),
    }
}

pub fn connect(at: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&at, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Bytes that are not like those of another seed.
fn bytes(count: usize, seed: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 7 + at / 251 + seed * 31) as u8).collect()
}

pub fn echo(stream: &mut TcpStream, message: &[u8]) -> io::Result<usize> {
    stream.write_all(message)?;
    expect(stream, message)?;
    Ok(message.len())
}

pub fn expect(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let mut answer = vec![0; message.len()];
    stream.read_exact(&mut answer)?;
    same(&answer, message)
}

fn same(answer: &[u8], message: &[u8]) -> io::Result<()> {
    if answer == message {
        return Ok(());
    }
    let at = answer.iter().zip(message).take_while(|(one, other)| one == other).count();
    let (got, sent) = (answer.len(), message.len());
    Err(io::Error::other(format!("{got} bytes for {sent}, which differ at {at}")))
}
