//! The load, against servers with faults, and the comparison.

#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use common::{Served, run, text};
use serde_json::Value;

/// Serves one client after another with `serve`, in the background, for the rest of the test.
fn server(serve: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(serve));
    at
}

fn load(at: SocketAddr, more: &[&str]) -> Output {
    let connect = at.to_string();
    run(&[&["load", "--connect", &connect, "--connections", "1", "--seconds", "1"], more].concat())
}

/// Echoes what `change` makes of each receive, told how many there were before.
fn echo(mut client: TcpStream, change: impl Fn(usize, &mut Vec<u8>)) {
    let mut buf = [0; 4096];
    for number in 0.. {
        match client.read(&mut buf) {
            Ok(0) | Err(_) => return,
            Ok(bytes) => {
                let mut answer = buf[..bytes].to_vec();
                change(number, &mut answer);
                if client.write_all(&answer).is_err() {
                    return;
                }
            }
        }
    }
}

fn at_third(change: impl Fn(&mut Vec<u8>)) -> impl Fn(usize, &mut Vec<u8>) {
    move |number, answer| {
        if number == 3 {
            change(answer);
        }
    }
}

#[track_caller]
fn is_found(output: &Output, fault: &str) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(fault), "{stderr}");
}

#[test]
fn finds_a_byte_that_changed() {
    let at = server(|client| echo(client, at_third(|answer| answer[9] ^= 1)));
    is_found(&load(at, &[]), "differs from what was sent at byte 201");
}

#[test]
fn finds_bytes_that_were_lost() {
    let at = server(|client| echo(client, at_third(|answer| drop(answer.drain(40..41)))));
    is_found(&load(at, &["--depth", "2", "--size", "100"]), "differs from what was sent");
}

#[test]
fn finds_bytes_out_of_order() {
    let at = server(|client| echo(client, at_third(|answer| answer.swap(3, 4))));
    is_found(&load(at, &[]), "differs from what was sent at byte 195");
}

#[test]
fn finds_bytes_too_many() {
    let at = server(|client| echo(client, at_third(|answer| answer.push(0))));
    is_found(&load(at, &[]), "more than the 256 bytes");
}

#[test]
fn finds_an_echo_that_never_comes() {
    let at = server(|client| echo(client, at_third(Vec::clear)));
    is_found(&load(at, &[]), "64 bytes did not come back in time");
}

#[test]
fn finds_a_connection_that_ends_early() {
    let at = server(|mut client| {
        let mut buf = [0; 64];
        client.read_exact(&mut buf).unwrap();
        client.write_all(&buf).unwrap();
        client.read_exact(&mut buf).unwrap();
    });
    is_found(&load(at, &[]), "closed the connection after echoing 64 of 128 bytes");
}

/// A server that stops for a while holds up everything that is due meanwhile, and the latency of
/// all of that says so: counted from when it was sent, only one message would be late.
#[test]
fn open_loop_charges_a_stall_for_all_it_held_up() {
    let at = server(|client| {
        let begun = Instant::now();
        let stalled = std::cell::Cell::new(false);
        echo(client, |_, _| {
            if begun.elapsed() > Duration::from_millis(200) && !stalled.replace(true) {
                thread::sleep(Duration::from_millis(300));
            }
        });
    });
    let output = load(at, &["--rate", "1000", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["mode"], "open");
    let latency = |name: &str| report["latency_us"][name].as_f64().expect("a number");
    assert!(latency("max") > 250_000.0, "{report}");
    // A third of all messages fell into the stall.
    assert!(latency("p90") > 100_000.0, "{report}");
}

#[test]
fn holds_silent_first_if_told_to() {
    let server = Served::start("completion-port", &[]);
    let pid = server.pid().to_string();
    let hold = ["--connections", "20", "--silence", "0.3", "--seconds", "2", "--json"];
    let output = server.load(&[&hold, &["--server-pid", &pid][..]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["served"], 20);
    assert!(report["served_seconds"].as_f64() > Some(0.0), "{report}");
    let silence = &report["server"]["silence"];
    assert!(silence["seconds"].as_f64() >= Some(0.3), "{report}");
    assert!(silence["cpu_seconds"].as_f64() < Some(0.05), "{report}");
    assert!(report["messages"].as_u64() > Some(0), "{report}");
}

/// A server that serves two clients, and keeps others waiting.
fn two_at_most() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        let echo = |(client, _)| thread::spawn(move || echo(client, |_, _| {}));
        let served: Vec<_> = (0..2).map(|_| echo(listener.accept().unwrap())).collect();
        served.into_iter().for_each(|client| client.join().unwrap());
    });
    at
}

fn crowd(at: SocketAddr, more: &[&str]) -> Output {
    let connect = at.to_string();
    let five = ["--connections", "5", "--seconds", "2", "--patience", "3", "--json"];
    run(&[&["load", "--connect", &connect], &five[..], more].concat())
}

#[test]
fn says_how_many_were_served() {
    let output = crowd(two_at_most(), &[]);
    is_found(&output, "2 of 5 connections were served, the others waited 3 s in vain");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&report["served"], &report["messages"]), (&2.into(), &0.into()));
}

#[test]
fn goes_on_with_those_that_are_served_at_once() {
    let output = crowd(two_at_most(), &["--at-once"]);
    is_found(&output, "3 of 5 connections failed");
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&report["served"], &report["errors"]), (&2.into(), &3.into()));
    assert!(report["messages"].as_u64() > Some(0), "{report}");
}

/// A file that is gone at the end.
struct Scrap(std::path::PathBuf);

impl Scrap {
    fn new(name: &str) -> Scrap {
        Scrap(std::env::temp_dir().join(format!("winsock-{}-{name}", std::process::id())))
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.0).expect("the file was written")
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Three of the models, for they are measured one after the other.
const SOME: [&str; 3] = ["select", "completion-port", "thread-per-client"];

#[test]
fn compares_the_models() {
    let (json, html) = (Scrap::new("compare.json"), Scrap::new("compare.html"));
    let files = ["--json", &json.path(), "--html", &html.path()];
    let quick = ["--rounds", "1", "--seconds", "0.2", "--up-to", "20", "--connections", "10"];
    let models = SOME.join(",");
    let output = run(&[&["compare", "--models", &models], &quick[..], &files].concat());
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for name in ["messages/s", "idle CPU", "stops at", "example", "backend epoll", "Every byte"] {
        assert!(table.contains(name), "{name} is missing: {table}");
    }
    let page = html.read();
    for model in SOME {
        // Busy, and with many connections.
        let rows = table.lines().filter(|line| line.starts_with(model)).count();
        assert_eq!(rows, 2, "{model}: {table}");
        // Four charts, wide and narrow.
        assert_eq!(page.matches(&format!("data-model=\"{model}\"")).count(), 8, "{model}");
    }
    assert!(!page.contains("NaN"));
    let record: Value = serde_json::from_str(&json.read()).expect("JSON");
    // 1, 10 and 20 connections, and 10 at a fixed rate.
    assert_eq!(record["rounds"].as_array().map(Vec::len), Some(4 * SOME.len()));
    assert_eq!(record["plan"]["most"]["connections"], 20);
    assert_eq!(record["backend"], "epoll");
}

#[test]
fn compares_how_models_take_a_crowd() {
    let (json, html) = (Scrap::new("crowd.json"), Scrap::new("crowd.html"));
    let crowd = ["--clients", "300", "--rate", "2000", "--seconds", "0.5"];
    let files = ["--json", &json.path(), "--html", &html.path()];
    let models = SOME.join(",");
    let output = run(&[&["compare", "--models", &models], &crowd[..], &files].concat());
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(table.contains("300 clients connect and send at once, then send 2000"), "{table}");
    assert!(html.read().contains("CPU share at the fixed rate"));
    let record: Value = serde_json::from_str(&json.read()).expect("JSON");
    for round in record["rounds"].as_array().expect("rounds") {
        assert_eq!(round["load"]["served"], 300, "{round}");
        assert!(round["load"]["server"]["cpu_seconds"].as_f64() > Some(0.0), "{round}");
    }
}

#[test]
fn more_clients_than_descriptors_are_cut_and_said() {
    let mut command = Command::new("sh");
    let crowd = "compare --clients 500 --models completion-port --seconds 0.2";
    let script = format!("ulimit -n 200; exec \"$0\" {crowd}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_winsock")]);
    let output = command.output().expect("the command starts");
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(table.contains("72 clients connect"), "{table}");
    assert!(table.contains("Not more than 72 connections"), "{table}");
}
