//! Arguments, exit codes and one-line errors.

#![cfg(target_os = "linux")]

mod common;

use std::net::TcpListener;
use std::process::Stdio;

use common::{MODELS, refusal, run, text, winsock};

#[test]
fn bad_arguments_are_refused_in_one_line() {
    let cases: [(&[&str], &str); 25] = [
        (&["fly"], "fly"),
        (&["serve"], "--model"),
        (&["serve", "--model", "signals"], "completion-port"),
        (&["serve", "--model", "completion-port", "--bind", "here"], "--bind"),
        (&["serve", "--model", "completion-port", "--threads", "0"], "--threads"),
        (&["serve", "--model", "thread-per-client", "--threads", "2"], "--threads"),
        (&["serve", "--model", "event-select", "--threads", "2"], "event-select"),
        (&["load"], "--connect"),
        (&["load", "--connect", "localhost"], "ADDRESS:PORT"),
        (&["load", "--connect", "127.0.0.1:1", "--connections", "0"], "--connections"),
        (&["load", "--connect", "127.0.0.1:1", "--size", "many"], "--size"),
        (&["load", "--connect", "127.0.0.1:1", "--seconds", "-1"], "--seconds"),
        (&["load", "--connect", "127.0.0.1:1", "--rate", "1", "--churn"], "--rate"),
        (&["load", "--connect", "127.0.0.1:1", "--rate", "NaN"], "--rate"),
        (&["load", "--connect", "127.0.0.1:1", "--silence", "1"], "--server-pid"),
        (&["load", "--connect", "127.0.0.1:1", "--at-once", "--churn"], "--at-once"),
        (&["compare", "--models", "all"], "all"),
        (&["compare", "--rate", "0"], "--rate"),
        (&["compare", "--clients", "10", "--up-to", "20"], "--clients"),
        (&["compare", "--connections", "20", "--up-to", "10"], "--up-to 10"),
        (&["compare", "--html", "/nowhere/at/all.html"], "/nowhere/at/all.html"),
        (&["compare", "--json", "/"], "/"),
        (&["compare", "--html", "a.out", "--json", "a.out"], "a.out"),
        (&["cc", "-O2", "-o", "a.out"], "no input file"),
        (&["cc", "-c", "a.c", "--cc", "no-such-compiler"], "no-such-compiler"),
    ];
    for (arguments, named) in cases {
        let (code, line) = refusal(&run(arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {line}");
        assert!(line.contains(named), "{arguments:?}: {line}");
    }
}

#[test]
fn an_unknown_backend_is_refused() {
    for arguments in [&["serve", "--model", "completion-port"][..], &["compare"]] {
        let output = winsock(arguments).env("WINSOCK_BACKEND", "kqueue").output();
        let (code, line) = refusal(&output.expect("the command starts"));
        assert_eq!(code, Some(2), "{line}");
        assert!(line.contains("WINSOCK_BACKEND=kqueue"), "{line}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    for command in ["serve", "load", "compare", "probe", "cc"] {
        let output = run(&[command, "--help"]);
        assert_eq!(output.status.code(), Some(0));
        let help = text(&output.stdout);
        assert!(
            help.contains("Examples:") && help.contains(&format!("winsock {command}")),
            "{help}"
        );
    }
}

#[test]
fn a_busy_port_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    for model in MODELS {
        let (code, line) = refusal(&run(&["serve", "--model", model, "--bind", &at]));
        assert_eq!(code, Some(1));
        assert!(line.contains(&at) && line.contains("in use"), "{line}");
    }
}

#[test]
fn a_refused_connection_is_one_line() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for more in [&[][..], &["--churn", "--seconds", "1"]] {
        let output = run(&[&["load", "--connect", &gone], more].concat());
        let (code, line) = refusal(&output);
        assert_eq!(code, Some(1));
        assert!(line.contains("Connection refused"), "{line}");
    }
}

#[test]
fn more_connections_than_descriptors_are_refused_before_they_are_tried() {
    let arguments = ["load", "--connect", "127.0.0.1:1", "--connections", "1000000"];
    let (code, line) = refusal(&run(&arguments));
    assert_eq!(code, Some(1));
    assert!(line.contains("descriptors"), "{line}");
}

#[test]
fn probe_names_the_backend() {
    let output = run(&["probe"]);
    assert_eq!(output.status.code(), Some(0));
    let report = text(&output.stdout);
    for name in ["epoll", "futex_waitv", "io_uring", "descriptors", "cores", "backend"] {
        assert!(report.lines().any(|line| line.starts_with(name)), "{name} is missing: {report}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for arguments in [&["probe"][..], &["--help"], &["--version"]] {
        let mut child = winsock(arguments).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    }
}
