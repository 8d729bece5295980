//! Driving the command from outside. Each test file uses its part of this.

#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const MODELS: [&str; 7] = [
    "select",
    "async-select",
    "event-select",
    "overlapped-event",
    "completion-routine",
    "completion-port",
    "thread-per-client",
];
/// Longer than anything here takes, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn winsock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_winsock"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// Runs to the end.
pub fn run(arguments: &[&str]) -> Output {
    winsock(arguments).output().expect("the command starts")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The exit code, and stderr, which must be one line that says what is wrong.
#[track_caller]
pub fn refusal(output: &Output) -> (Option<i32>, String) {
    let stderr = text(&output.stderr);
    assert_eq!(stderr.lines().count(), 1, "not one line: {stderr}");
    assert!(stderr.starts_with("error: "), "{stderr}");
    (output.status.code(), stderr)
}

/// A server that listens, and is killed if the test fails.
pub struct Served {
    child: Child,
    out: BufReader<ChildStdout>,
    pub first_line: String,
    pub at: SocketAddr,
}

/// What a server left behind.
pub struct Ended {
    pub code: Option<i32>,
    pub summary: String,
    pub stderr: String,
}

impl Served {
    pub fn start(model: &str, more: &[&str]) -> Served {
        let mut command = winsock(&["serve", "--model", model, "--bind", "127.0.0.1:0"]);
        command.args(more);
        Served::spawn(command)
    }

    pub fn spawn(mut command: Command) -> Served {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut first_line = String::new();
        out.read_line(&mut first_line).expect("the server says something");
        let at = first_line.split_whitespace().nth(2).and_then(|at| at.parse().ok());
        let at = at.unwrap_or_else(|| panic!("no address in {first_line:?}"));
        Served { child, out, first_line, at }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn load(&self, more: &[&str]) -> Output {
        run(&[&["load", "--connect", &self.at.to_string()], more].concat())
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: no pointers are passed; the child has not been waited for, so the number is its.
        unsafe { libc::kill(self.child.id() as libc::pid_t, signal) };
    }

    pub fn stop(self) -> Ended {
        self.signal(libc::SIGTERM);
        self.end()
    }

    /// Waits for the end.
    pub fn end(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().expect("the server is our child") {
                Some(status) => break status,
                None if Instant::now() > deadline => panic!("the server does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let (mut summary, mut stderr) = (String::new(), String::new());
        self.out.read_to_string(&mut summary).expect("text");
        let pipe = self.child.stderr.as_mut().expect("stderr is a pipe");
        pipe.read_to_string(&mut stderr).expect("text");
        Ended { code: status.code(), summary, stderr }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
