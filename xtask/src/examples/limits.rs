//! What servers do when there is nothing to do, and when there is no room for more: natively, since
//! it is read from and set for a process.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::script;
use super::server::{PATIENCE, Server};

const SILENT_CLIENTS: usize = 80;
/// The processor's time is counted in ticks of 10 ms.
const WINDOW: Duration = Duration::from_secs(2);
/// A server may still be at something when it is first looked at.
const WINDOWS: usize = 4;

/// Without clients, and with clients that say nothing, a server takes no time of the processor.
pub fn idle(server: Server) -> Result<(), String> {
    rests(&server, "without clients", 1)?;
    let silent: io::Result<Vec<_>> =
        (0..SILENT_CLIENTS).map(|_| script::connect(server.at)).collect();
    let mut silent = silent.map_err(|error| error.to_string())?;
    for client in &mut silent {
        script::echo(client, b"here").map_err(|error| error.to_string())?;
    }
    rests(&server, "with silent clients", 1)?;
    drop(silent);
    server.interrupt()?;
    server.end().map(drop)
}

/// How many connections there are room for, and how many come.
const ROOM: usize = 4;
const CROWD: usize = 24;

/// Without a descriptor for one more connection, a server waits, and serves it when another goes.
pub fn crowded(server: Server) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let mut first = script::connect(server.at).map_err(text)?;
    script::echo(&mut first, b"first").map_err(text)?;
    let limit = descriptors(&server)? + ROOM;
    let mut prlimit = Command::new("prlimit");
    prlimit.arg(format!("--pid={}", server.pid())).arg(format!("--nofile={limit}:"));
    super::succeed(prlimit)?;

    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let mut client = script::connect(server.at).map_err(text)?;
        client.write_all(b"hello").map_err(text)?;
        crowd.push(client);
    }
    let start = Instant::now();
    while descriptors(&server)? < limit {
        if start.elapsed() > PATIENCE {
            return Err("it does not accept as many as there is room for".into());
        }
        thread::sleep(Duration::from_millis(10));
    }
    rests(&server, "without room", 20)?;

    // Whoever has the answer makes room for those behind.
    for (number, mut client) in crowd.into_iter().enumerate() {
        script::expect(&mut client, b"hello").map_err(|error| format!("{number}: {error}"))?;
    }
    script::echo(&mut first, b"last").map_err(text)?;
    server.interrupt()?;
    server.end().map(drop)
}

/// Connections that were reset before the server took them are no reason to take no more.
pub fn resets(server: Server) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    for _ in 0..200 {
        reset(script::connect(server.at).map_err(text)?).map_err(text)?;
    }
    let mut client = script::connect(server.at).map_err(text)?;
    script::echo(&mut client, b"next").map_err(text)?;
    server.interrupt()?;
    server.end().map(drop)
}

fn reset(client: TcpStream) -> io::Result<()> {
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO))
}

/// Whether there is a while in which a server takes at most so many ticks.
fn rests(server: &Server, when: &str, most: u64) -> Result<(), String> {
    let mut took = Vec::new();
    for _ in 0..WINDOWS {
        let before = ticks(server)?;
        thread::sleep(WINDOW);
        let ticks = ticks(server)? - before;
        if ticks <= most {
            return Ok(());
        }
        took.push(ticks);
    }
    Err(format!("{when} it took {took:?} ticks in {WINDOW:?} each, instead of {most} at most"))
}

/// The time of the processor that a server has taken.
fn ticks(server: &Server) -> Result<u64, String> {
    let file = format!("/proc/{}/stat", server.pid());
    let stat = fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
    // Behind the name, which may hold anything: field 3 and on, of which 14 and 15 are the time.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    let ticks: Option<u64> =
        fields.and_then(|fields| fields.map(|it| it.parse::<u64>().ok()).sum());
    ticks.ok_or_else(|| format!("{file}: {stat}"))
}

fn descriptors(server: &Server) -> Result<usize, String> {
    let folder = format!("/proc/{}/fd", server.pid());
    Ok(fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?.count())
}
