//! A server in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::model::Model;
use crate::os;

/// How long a server may take to end after it was asked to: its own deadline and some.
const ENDING: Duration = Duration::from_secs(8);

/// A `winsock serve` that ends with us at the latest.
pub struct Server {
    child: Child,
    pub at: String,
    _out: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(model: Model) -> Result<Server, Failure> {
        let mut command = ourselves()?;
        command.args(["serve", "--model", &model.to_string(), "--bind", "127.0.0.1:0"]);
        command.env("RUST_LOG", "warn");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        os::end_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| Failure::of("cannot start", error))?;
        let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        // A server that could not start has closed its stdout, and said why on stderr.
        let read = out.read_line(&mut line);
        let at = line.split_whitespace().nth(2).map(str::to_string);
        match (read, at) {
            (Ok(_), Some(at)) => Ok(Server { child, at, _out: out }),
            (Ok(_) | Err(_), _) => Err(Failure::Failed(last_line(&mut child))),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop, waits until it did, and gives what it warned of.
    pub fn stop(mut self) -> Result<Option<String>, Failure> {
        let failed = |error| Failure::of("cannot stop the server", error);
        os::ask_to_stop(self.child.id()).map_err(failed)?;
        let deadline = Instant::now() + ENDING;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(warning(&mut self.child)),
                Ok(Some(status)) => return Err(Failure::of("the server ended", status)),
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Failure::Failed("the server did not stop when asked to".into()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Harmless if it ended; what fails here has no remedy.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program, to run as something else.
pub fn ourselves() -> Result<Command, Failure> {
    let program = std::env::current_exe();
    program.map(Command::new).map_err(|error| Failure::of("cannot find this program", error))
}

/// What a child said last before it ended.
fn last_line(child: &mut Child) -> String {
    let text = said(child);
    let _ = child.wait();
    plain(text.lines().last().unwrap_or("the server ended at once")).to_string()
}

/// The first warning of a child that has ended, if it gave any.
fn warning(child: &mut Child) -> Option<String> {
    let text = said(child);
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("WARN "))?;
    Some(line.to_string())
}

/// All it said on stderr, which is little.
fn said(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.read_to_string(&mut text);
    }
    text
}

/// An error without the word that announces it.
pub fn plain(line: &str) -> &str {
    line.strip_prefix("error: ").unwrap_or(line)
}
