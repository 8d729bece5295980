//! The load, against servers with faults, and the comparison.

#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use common::{run, text};
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
fn compares_the_models() {
    let file = std::env::temp_dir().join(format!("winsock-compare-{}.json", std::process::id()));
    let path = file.display().to_string();
    let quick = ["--rounds", "1", "--seconds", "0.3", "--connections", "10"];
    let output = run(&[&["compare", "--json", &path], &quick[..]].concat());
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for name in ["messages/s", "completion-port", "thread-per-client", "backend epoll"] {
        assert!(table.contains(name), "{name} is missing: {table}");
    }
    let json = std::fs::read_to_string(&file).expect("the file was written");
    std::fs::remove_file(&file).unwrap();
    let record: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(record["rounds"].as_array().map(Vec::len), Some(2));
}
