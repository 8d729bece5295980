//! The servers, with good clients and bad ones.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use common::{MODELS, PATIENCE, Served, text};
use serde_json::Value;
use socket2::SockRef;

fn connect(server: &Served) -> TcpStream {
    let client = TcpStream::connect(server.at).expect("the server listens");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

#[track_caller]
fn echoes(client: &mut TcpStream, message: &[u8]) {
    client.write_all(message).expect("the server is there");
    let mut back = vec![0; message.len()];
    client.read_exact(&mut back).expect("the echo comes");
    assert_eq!(back, message);
}

/// Sends until all buffers are full, of the server's side too, since nothing is read.
fn fill(client: &mut TcpStream) -> usize {
    client.set_nonblocking(true).unwrap();
    let mut sent = 0;
    while let Ok(more) = client.write(&[7; 65536]) {
        sent += more;
        thread::sleep(Duration::from_millis(1));
    }
    client.set_nonblocking(false).unwrap();
    sent
}

fn descriptors(server: &Served) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("the server runs").count()
}

/// Waits until the number of the server's descriptors is as `wanted`, or gives up.
fn settles(server: &Served, wanted: impl Fn(usize) -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while !wanted(descriptors(server)) {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

#[test]
fn the_first_line_says_what_serves() {
    let server = Served::start("completion-port", &["--threads", "3"]);
    let wanted =
        format!("listening on {} model=completion-port backend=epoll threads=3\n", server.at);
    assert_eq!(server.first_line, wanted);
    assert_ne!(server.at.port(), 0);
    assert_eq!(server.stop().summary, "served connections=0 messages=0 bytes=0 errors=0\n");
}

#[test]
fn every_byte_comes_back() {
    for model in MODELS {
        for (size, more) in [("64", &["--depth", "4"][..]), ("40000", &[]), ("5", &["--churn"])] {
            let server = Served::start(model, &[]);
            let load = ["--connections", "20", "--seconds", "0.3", "--json", "--size", size];
            let output = server.load(&[&load, more].concat());
            assert_eq!(output.status.code(), Some(0), "{model}: {}", text(&output.stderr));
            let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
            // All of them, also those that a busy machine answered after the measured time.
            assert!(report["bytes"].as_u64() > Some(0), "{report}");
            assert_eq!(report["errors"], 0);
            assert_eq!(report["missing_bytes"], 0);
            let ended = server.stop();
            assert_eq!(ended.code, Some(0));
            let bytes = format!(" bytes={} errors=0", report["bytes"]);
            assert!(ended.summary.contains(&bytes), "{model}: {} {report}", ended.summary);
            assert_eq!(ended.stderr, "");
        }
    }
}

#[test]
fn greets() {
    for model in MODELS {
        let server = Served::start(model, &["--greeting", "hello there"]);
        let mut client = connect(&server);
        let mut line = [0; 13];
        client.read_exact(&mut line).unwrap();
        assert_eq!(&line, b"hello there\r\n");
        echoes(&mut client, b"general");
        drop(client);
        let load = |text| server.load(&["--seconds", "0.2", "--greeting", text]);
        assert_eq!(load("hello there").status.code(), Some(0));
        let wrong = load("good bye");
        assert_eq!(wrong.status.code(), Some(1));
        assert!(text(&wrong.stderr).contains("greeting"), "{}", text(&wrong.stderr));
        assert_eq!(server.stop().code, Some(0));
    }
}

#[test]
fn survives_clients_of_every_kind() {
    for model in MODELS {
        let server = Served::start(model, &[]);
        let before = descriptors(&server);
        for _ in 0..20 {
            // Resets, with something under way.
            let mut client = connect(&server);
            client.write_all(b"you will not be able to answer").unwrap();
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            drop(client);
            // Goes at once.
            drop(connect(&server));
            // Ends its side first and still wants its answer.
            let mut client = connect(&server);
            client.write_all(b"half").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut all = Vec::new();
            client.read_to_end(&mut all).unwrap();
            assert_eq!(all, b"half");
        }
        for _ in 0..2 {
            // Resets when nothing more can be sent to it.
            let mut full = connect(&server);
            fill(&mut full);
            SockRef::from(&full).set_linger(Some(Duration::ZERO)).unwrap();
            drop(full);
        }
        // Sends more than all buffers hold and reads nothing, until later.
        let mut stalled = connect(&server);
        let sent = fill(&mut stalled);
        // One byte at a time.
        let mut slow = connect(&server);
        for byte in 0..100 {
            echoes(&mut slow, &[byte]);
        }
        stalled.shutdown(Shutdown::Write).unwrap();
        let mut back = Vec::new();
        stalled.read_to_end(&mut back).unwrap();
        assert_eq!(back.len(), sent, "{model}");
        assert!(back.iter().all(|byte| *byte == 7));
        drop((stalled, slow));
        assert!(
            settles(&server, |count| count == before),
            "{model}: {} of {before}",
            descriptors(&server)
        );
        let ended = server.stop();
        assert_eq!(ended.code, Some(0));
        assert!(ended.summary.starts_with("served connections=64 "), "{}", ended.summary);
    }
}

#[test]
fn stops_gracefully() {
    for model in MODELS {
        let server = Served::start(model, &[]);
        let mut client = connect(&server);
        echoes(&mut client, b"before");
        let at = server.at;
        server.signal(libc::SIGTERM);
        // Nothing is cut off: the end comes as the end of the stream.
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0, "{model}");
        assert!(TcpStream::connect(at).is_err(), "{model}: still accepts");
        drop(client);
        let ended = server.end();
        assert_eq!(ended.code, Some(0));
        assert_eq!(ended.summary, "served connections=1 messages=1 bytes=6 errors=0\n");
    }
}

/// How long a server takes to end after two signals, with a client that stays.
fn ends_after_two_signals(model: &str) -> Duration {
    let server = Served::start(model, &[]);
    let mut client = connect(&server);
    echoes(&mut client, b"I stay");
    let begun = Instant::now();
    server.signal(libc::SIGTERM);
    // The first was seen.
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    server.signal(libc::SIGINT);
    assert_eq!(server.end().code, Some(0));
    begun.elapsed()
}

/// A server that waits for its deadline of 5 s takes as long each time, a busy machine does not.
#[test]
fn a_second_signal_does_not_wait() {
    for model in MODELS {
        let at_once = || ends_after_two_signals(model) < Duration::from_secs(4);
        assert!((0..5).any(|_| at_once()), "{model}: waits for the deadline");
    }
}

#[test]
fn clients_over_the_descriptor_limit_wait_and_are_served_later() {
    for model in MODELS {
        let mut command = Command::new("sh");
        let script = "ulimit -n 40; exec \"$0\" serve --bind 127.0.0.1:0 --model \"$1\"";
        command.args(["-c", script, env!("CARGO_BIN_EXE_winsock"), model]);
        let server = Served::spawn(command);
        let mut clients: Vec<_> = (0..60).map(|_| connect(&server)).collect();
        for client in &mut clients {
            client.write_all(b"me").unwrap();
        }
        assert!(settles(&server, |count| count >= 40), "{model}: {}", descriptors(&server));
        // It looks every half a second.
        thread::sleep(Duration::from_millis(800));
        for (number, mut client) in clients.into_iter().enumerate() {
            let mut back = [0; 2];
            let got = client.read_exact(&mut back);
            assert!(got.is_ok(), "{model}: client {number} was forgotten: {got:?}");
            assert_eq!(&back, b"me");
        }
        let ended = server.stop();
        assert_eq!(ended.code, Some(0));
        let warnings: Vec<_> = ended.stderr.lines().collect();
        assert!(
            ended.summary.starts_with("served connections=60 messages=60 "),
            "{}",
            ended.summary
        );
        assert!(
            matches!(warnings[..], [line] if line.contains("limit of 40 descriptors")),
            "{model}: {warnings:?}"
        );
    }
}

#[test]
fn idle_clients_cost_no_cpu() {
    for model in MODELS {
        let server = Served::start(model, &[]);
        let hold = ["--connections", "50", "--rate", "0", "--seconds", "0.5", "--json"];
        let pid = server.pid().to_string();
        let output = server.load(&[&hold, &["--server-pid", &pid][..]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        let cpu = report["server"]["cpu_seconds"].as_f64().expect("the server was watched");
        assert!(cpu < 0.05, "{model}: {cpu} s");
        assert_eq!(server.stop().code, Some(0));
    }
}
