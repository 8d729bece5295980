//! One measurement: a server in one process, its load in another.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Args;
use crate::failure::Failure;
use crate::load::tally::Report;
use crate::model::Model;
use crate::os;

/// How long a server may take to end after it was asked to: its own deadline and some.
const ENDING: Duration = Duration::from_secs(8);

/// Which core the server runs on, and which the load.
pub struct Cores {
    pair: Option<(usize, usize)>,
}

impl Cores {
    pub fn choose() -> Cores {
        match os::allowed_cores()[..] {
            [server, load, ..] => Cores { pair: Some((server, load)) },
            [_] | [] => Cores { pair: None },
        }
    }

    fn pin_server(&self) -> Result<(), Failure> {
        self.pair.map_or(Ok(()), |(server, _)| pin(server))
    }

    fn pin_load(&self) -> Result<(), Failure> {
        self.pair.map_or(Ok(()), |(_, load)| pin(load))
    }
}

fn pin(core: usize) -> Result<(), Failure> {
    os::pin(core).map_err(|error| Failure::of(format_args!("cannot run on core {core}"), error))
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pair {
            Some((server, load)) => write!(f, "server on core {server}, load on core {load}"),
            None => write!(f, "server and load share the only core"),
        }
    }
}

#[derive(Serialize)]
pub struct Round {
    pub model: Model,
    pub load: Report,
}

impl Round {
    pub fn run(model: Model, args: &Args, cores: &Cores) -> Result<Round, Failure> {
        cores.pin_server()?;
        let server = Server::start(model)?;
        cores.pin_load()?;
        let load = load(&server, args)?;
        server.stop()?;
        Ok(Round { model, load })
    }
}

/// A `winsock serve` that ends with us at the latest.
struct Server {
    model: Model,
    child: Child,
    at: String,
    _out: BufReader<ChildStdout>,
}

impl Server {
    fn start(model: Model) -> Result<Server, Failure> {
        let mut command = ourselves()?;
        command.args(["serve", "--model", &model.to_string(), "--bind", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        os::end_with_us(&mut command);
        let mut child = command.spawn().map_err(|error| Failure::of("cannot start", error))?;
        let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        // A server that could not start has closed its stdout, and said why on stderr.
        let read = out.read_line(&mut line);
        let at = line.split_whitespace().nth(2).map(str::to_string);
        match (read, at) {
            (Ok(_), Some(at)) => Ok(Server { model, child, at, _out: out }),
            (Ok(_) | Err(_), _) => Err(Failure::of(model, last_line(&mut child))),
        }
    }

    /// Asks it to stop, and waits until it did.
    fn stop(mut self) -> Result<(), Failure> {
        let failed = |why: &dyn fmt::Display| Failure::of(self.model, why);
        os::ask_to_stop(self.child.id()).map_err(|error| failed(&error))?;
        let deadline = Instant::now() + ENDING;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    return Err(failed(&format_args!("the server ended with {status}")));
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(failed(&"the server did not stop when asked to"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Harmless if it ended; what fails here has no remedy.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn load(server: &Server, args: &Args) -> Result<Report, Failure> {
    let mut command = ourselves()?;
    command.args(["load", "--json", "--connect", &server.at]);
    command.args(["--server-pid", &server.child.id().to_string()]);
    command.args(["--connections", &args.connections.to_string()]);
    command.args(["--size", &args.size.to_string()]);
    command.args(["--seconds", &args.seconds.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    os::end_with_us(&mut command);
    let output = command.output().map_err(|error| Failure::of("cannot start", error))?;
    // A load that met errors prints its report all the same.
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let text = String::from_utf8_lossy(&output.stderr);
        Failure::of(server.model, plain(text.lines().last().unwrap_or("the load failed")))
    })
}

fn ourselves() -> Result<Command, Failure> {
    let program = std::env::current_exe();
    program.map(Command::new).map_err(|error| Failure::of("cannot find this program", error))
}

/// What a child said last before it ended.
fn last_line(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(stderr) = &mut child.stderr {
        let _ = stderr.read_to_string(&mut text);
    }
    let _ = child.wait();
    plain(text.lines().last().unwrap_or("the server ended at once")).to_string()
}

fn plain(line: &str) -> &str {
    line.strip_prefix("error: ").unwrap_or(line)
}
