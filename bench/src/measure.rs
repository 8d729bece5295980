//! Rounds in which the contestants take turns.

use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::build::Programs;
use crate::cells::Cell;
use crate::contestants::{Contestant, Source};
use crate::process::{self, Report, Server};
use crate::results::{Counts, Figures, Measured};
use crate::wine::Wine;

pub struct Bench {
    pub programs: Programs,
    /// For servers of one thread; the load has the other.
    pub server_core: usize,
    pub load_core: usize,
    pub wine: Option<Wine>,
}

impl Bench {
    /// Measures a cell. A contestant that fails is left out from then on, and said to have failed.
    pub fn cell(
        &self,
        cell: &Cell,
        contestants: &[&'static Contestant],
        rounds: usize,
        seconds: f64,
    ) -> Outcome<Measured> {
        let mut measured = Measured { rounds, seconds, ..Measured::default() };
        for round in 0..rounds {
            for turn in 0..contestants.len() {
                let contestant = contestants[(round + turn) % contestants.len()];
                let figures = measured.contestants.entry(contestant.name.into()).or_default();
                if figures.failure.is_none() {
                    self.turn(cell, contestant, seconds, figures);
                }
            }
        }
        Ok(measured)
    }

    fn turn(&self, cell: &Cell, contestant: &Contestant, seconds: f64, figures: &mut Figures) {
        let said = match self.one(cell, contestant, seconds) {
            Ok(report) => {
                figures.add(&report);
                format!("{:.2} µs, {:.0}/s", report.cpu_us, report.per_second)
            }
            Err(error) => {
                figures.failure = Some(error.to_string());
                error.to_string()
            }
        };
        eprintln!("{:10} {:22} {said}", cell.name, contestant.name);
    }

    fn one(&self, cell: &Cell, contestant: &Contestant, seconds: f64) -> Outcome<Report> {
        let (server_core, load_core) = ([self.server_core], [self.load_core]);
        let both = [self.server_core, self.load_core];
        let two = cell.threads > 1;
        process::pin(if two { &both } else { &server_core })?;
        let server = self.start(contestant, cell.threads)?;
        process::pin(if two { &both } else { &load_core })?;
        process::load(&self.programs.winsock, &server, cell.load, seconds)
    }

    fn start(&self, contestant: &Contestant, threads: usize) -> Outcome<Server> {
        let program = self.programs.of(contestant)?;
        if let Source::Wine = contestant.source {
            return self.wine.as_ref().ok_or("Wine was not started")?.serve(program);
        }
        Server::spawn(&mut command(contestant, program.into(), threads, &[]))
    }

    /// Counts what a message costs, of 64 B on 50 connections.
    pub fn count(&self, contestant: &Contestant) -> Counts {
        let counts = Counts {
            system_calls: self.system_calls(contestant).ok(),
            instructions: self.instructions(contestant).ok(),
        };
        let say = |count: Option<f64>| count.map_or("-".into(), |count| format!("{count:.2}"));
        let (calls, instructions) = (say(counts.system_calls), say(counts.instructions));
        eprintln!("{:22} {calls} system calls, {instructions} instructions", contestant.name);
        counts
    }

    const COUNTED: [&str; 4] = ["--connections", "50", "--size", "64"];

    /// By the kernel's trace point, which slows down all alike.
    fn system_calls(&self, contestant: &Contestant) -> Outcome<f64> {
        process::pin(&[self.server_core])?;
        let server = self.start(contestant, 1)?;
        process::pin(&[self.load_core])?;
        let mut counter = Command::new("perf")
            .args(["stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p"])
            .arg(server.pid().to_string())
            .args(["--", "sleep", "3"])
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()?;
        // The counter has the whole of the load before and after it, less the silence.
        std::thread::sleep(std::time::Duration::from_millis(300));
        let report = process::load(&self.programs.winsock, &server, &Self::COUNTED, 2.0)?;
        let mut said = String::new();
        if let Some(mut err) = counter.stderr.take() {
            std::io::Read::read_to_string(&mut err, &mut said)?;
        }
        counter.wait()?;
        let line = said.lines().find(|line| line.contains("sys_enter")).ok_or("perf is silent")?;
        let count: f64 = line.split(',').next().unwrap_or_default().parse()?;
        Ok(count / report.messages)
    }

    /// By valgrind, as the difference of a long run and a short one.
    fn instructions(&self, contestant: &Contestant) -> Outcome<f64> {
        let (short, long) = (self.simulate(contestant, 1.0)?, self.simulate(contestant, 4.0)?);
        Ok((long.0 - short.0) / (long.1 - short.1))
    }

    /// Instructions in all, and messages.
    fn simulate(&self, contestant: &Contestant, seconds: f64) -> Outcome<(f64, f64)> {
        let out = std::env::temp_dir().join(format!("winsock-bench-{}.out", std::process::id()));
        let file = format!("--callgrind-out-file={}", out.display());
        let valgrind = ["valgrind", "--tool=callgrind", "--log-file=/dev/null", &file];
        process::pin(&[self.server_core])?;
        let program = self.programs.of(contestant)?.to_path_buf();
        let server = Server::spawn(&mut command(contestant, program, 1, &valgrind))?;
        process::pin(&[self.load_core])?;
        let report = process::load(&self.programs.winsock, &server, &Self::COUNTED, seconds)?;
        server.end()?;
        let written = std::fs::read_to_string(&out)?;
        std::fs::remove_file(&out)?;
        let total = written.lines().find_map(|line| {
            line.strip_prefix("summary: ").or_else(|| line.strip_prefix("totals: "))
        });
        Ok((total.ok_or("valgrind wrote no total")?.trim().parse()?, report.messages))
    }
}

/// The command that serves, run by another if `under` says so.
fn command(contestant: &Contestant, program: PathBuf, threads: usize, under: &[&str]) -> Command {
    let mut command = match under {
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        [] => Command::new(program),
    };
    if let Source::Serve { arguments, backend } = contestant.source {
        command.env("WINSOCK_BACKEND", backend).arg("serve").args(arguments);
        // The models of events need threads for more than 64 clients, and get them.
        let fits = matches!(contestant.name, "event-select" | "overlapped-event");
        if !fits {
            command.args(["--threads", &threads.to_string()]);
        }
    } else if contestant.can_two {
        command.args(["--threads", &threads.to_string()]);
    }
    command
}
