//! One measurement: a server in one process, its load in another.

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cores::Cores;
use super::server::{Server, ourselves, plain};
use crate::failure::Failure;
use crate::load::tally::{Report, Silence};
use crate::model::Model;
use crate::os;

/// How long nobody may be served before a model is taken to have stopped.
const PATIENCE: f64 = 5.0;
/// What a server does after it started is not idleness yet.
const SETTLING: Duration = Duration::from_millis(200);

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cell {
    pub connections: u64,
    pub size: u64,
    pub pace: Pace,
    /// How long a round measures.
    pub seconds: f64,
    /// How long the server is watched before, while all connections are open and silent.
    pub silence: Option<f64>,
}

/// When messages are sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// Each connection sends the next when one has come back.
    Closed,
    /// So many per second over all connections.
    Rate(f64),
    /// The same, after all connections were begun at once.
    Crowd(f64),
}

#[derive(Serialize)]
pub struct Round {
    pub model: Model,
    pub cell: Cell,
    /// Absent if there was nothing to measure.
    pub load: Option<Report>,
    /// The server before its first connection.
    pub idle: Option<Silence>,
    /// What the server warned of.
    pub warning: Option<String>,
    /// What went wrong.
    pub failure: Option<String>,
}

impl Round {
    /// A model that fails is a finding, like others.
    pub fn run(model: Model, cell: Cell, cores: &Cores) -> Round {
        let mut round = Round { model, cell, load: None, idle: None, warning: None, failure: None };
        let done = round.measure(cores);
        round.failure = match done {
            Err(failure) => Some(failure.line().to_string()),
            Ok(()) => round.fault(),
        };
        round
    }

    /// Whether the model met a limit, which it has warned of.
    pub fn has_stopped(&self) -> bool {
        let short = self.load.as_ref().is_some_and(|load| load.served < self.cell.connections);
        short && self.warning.is_some()
    }

    /// What the load found wrong. Clients that a limit keeps waiting, or that were too many at
    /// once, are no fault.
    fn fault(&self) -> Option<String> {
        let load = self.load.as_ref()?;
        let unserved = self.cell.connections - load.served;
        let excused = match self.cell.pace {
            Pace::Crowd(_) => load.seconds > 0.0 && load.errors <= unserved,
            Pace::Closed | Pace::Rate(_) => self.has_stopped(),
        };
        load.first_error.clone().filter(|_| !excused)
    }

    fn measure(&mut self, cores: &Cores) -> Result<(), Failure> {
        cores.pin_server()?;
        let server = Server::start(self.model)?;
        cores.pin_load()?;
        if let Some(time) = self.cell.silence {
            self.idle = Some(watch(&server, Duration::from_secs_f64(time))?);
        }
        self.load = Some(load(&server, &self.cell)?);
        self.warning = server.stop()?;
        Ok(())
    }
}

fn watch(server: &Server, time: Duration) -> Result<Silence, Failure> {
    let cpu_ns = || os::cpu_ns(server.pid()).map_err(|error| Failure::of("the server", error));
    thread::sleep(SETTLING);
    let (begun, before) = (Instant::now(), cpu_ns()?);
    thread::sleep(time);
    let cpu_seconds = (cpu_ns()? - before) as f64 / 1e9;
    Ok(Silence { seconds: begun.elapsed().as_secs_f64(), cpu_seconds })
}

fn load(server: &Server, cell: &Cell) -> Result<Report, Failure> {
    let mut command = ourselves()?;
    command.args(["load", "--json", "--connect", &server.at]);
    command.args(["--server-pid", &server.pid().to_string()]);
    command.args(["--connections", &cell.connections.to_string()]);
    command.args(["--size", &cell.size.to_string()]);
    command.args(["--seconds", &cell.seconds.to_string()]);
    command.args(["--patience", &PATIENCE.to_string()]);
    if let Some(time) = cell.silence {
        command.args(["--silence", &time.to_string()]);
    }
    match cell.pace {
        Pace::Closed => {}
        Pace::Rate(rate) => {
            command.args(["--rate", &rate.to_string()]);
        }
        Pace::Crowd(rate) => {
            command.args(["--at-once", "--rate", &rate.to_string()]);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    os::end_with_us(&mut command);
    let output = command.output().map_err(|error| Failure::of("cannot start", error))?;
    // A load that met errors prints its report all the same.
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let text = String::from_utf8_lossy(&output.stderr);
        Failure::Failed(plain(text.lines().last().unwrap_or("the load failed")).to_string())
    })
}
