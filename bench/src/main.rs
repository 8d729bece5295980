//! Holds the library against hand-written loops and against the libraries that people use today, in
//! turns on one machine.
//!
//! Every measurement is a fresh server process on one core and a fresh load process on another; the
//! load checks every byte, and reads the server's CPU clock at both ends of the time it measures.
//! Contestants take turns in every round, so that what else the machine does meets all of them; the
//! tables show medians, with the least and the most.

mod build;
mod cells;
mod chart;
mod contestants;
mod measure;
mod process;
mod report;
mod results;
mod wine;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::build::Programs;
use crate::cells::Cell;
use crate::contestants::{Contestant, Role};
use crate::measure::Bench;
use crate::process::online_cores;
use crate::results::Results;
use crate::wine::Wine;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measure winsock beside hand-written loops and beside tokio, mio, monoio, compio, asio, libuv and
/// libevent.
///
/// What is measured is kept in bench/target/results.json, cell by cell, and shown at the end;
/// --write makes bench/RESULTS.md and its charts of all that is kept. Peers that are not installed
/// are named and left out (Debian: libasio-dev, libuv1-dev, libevent-dev).
#[derive(Parser)]
#[command(name = "cargo xtask bench", version)]
struct Options {
    /// Only these cells
    #[arg(long, value_delimiter = ',', value_name = "CELL", value_parser = cells::named)]
    cells: Vec<&'static Cell>,
    /// Only these contestants; `wine` is one that is not measured unless it is named
    #[arg(long, value_delimiter = ',', value_name = "NAME", value_parser = contestants::named)]
    contestants: Vec<&'static Contestant>,
    /// Measurements of each contestant in each cell
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Seconds of a measurement
    #[arg(long, default_value_t = 1.5, value_parser = seconds)]
    seconds: f64,
    /// Count system calls (perf) and instructions (valgrind) per message instead
    #[arg(long)]
    count: bool,
    /// Write bench/RESULTS.md and the charts
    #[arg(long)]
    write: bool,
    /// Measure nothing: show what is kept
    #[arg(long, conflicts_with = "count")]
    kept: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("from 0.1 to 600".into()),
    }
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut options: Options) -> Outcome<()> {
    if options.cells.is_empty() {
        options.cells = cells::ALL.iter().collect();
    }
    if options.contestants.is_empty() {
        options.contestants = contestants::usual();
    }
    let kept = here().join("target/results.json");
    let mut results = Results::read(&kept)?;
    if !options.kept {
        measure(&options, &mut results, &kept)?;
    }
    if options.write {
        report::write(&results, here())?;
        println!("written: bench/RESULTS.md and bench/charts");
    } else {
        let shown = |cell: &&Cell| options.cells.iter().any(|chosen| chosen.name == cell.name);
        let cells: Vec<_> = cells::ALL.iter().filter(shown).collect();
        print!("{}", report::tables(&results, &cells));
    }
    Ok(())
}

fn measure(options: &Options, results: &mut Results, kept: &Path) -> Outcome<()> {
    let cores = online_cores()?;
    let [server_core, load_core, ..] = cores[..] else {
        return Err("two cores are needed: one for the server, one for the load".into());
    };
    let programs = Programs::build(&options.contestants)?;
    let mut contestants = options.contestants.clone();
    contestants.retain(|contestant| match programs.of(contestant) {
        Ok(_) => true,
        Err(error) => {
            println!("{} is left out: {error}", contestant.name);
            false
        }
    });
    let has_wine = contestants.iter().any(|contestant| contestant.role == Role::Wine);
    let wine = has_wine.then(|| Wine::start(server_core)).transpose()?;
    let bench = Bench { programs, server_core, load_core, wine };
    results.machine = process::machine()?;
    results.versions = report::versions(here());
    if options.count {
        for contestant in contestants {
            results.counts.insert(contestant.name.into(), bench.count(contestant));
            results.write(kept)?;
        }
        return Ok(());
    }
    let (rounds, seconds) = (usize::from(options.rounds), options.seconds);
    let takes_part = |cell: &Cell| {
        let chosen = contestants.iter().copied();
        chosen.filter(|contestant| cell.threads == 1 || contestant.can_two).collect::<Vec<_>>()
    };
    let turns: usize = options.cells.iter().map(|cell| takes_part(cell).len() * rounds).sum();
    let minutes = (turns as f64 * (seconds + 0.6) / 60.0).ceil();
    println!("{turns} measurements, about {minutes:.0} minutes");
    for cell in &options.cells {
        let measured = bench.cell(cell, &takes_part(cell), rounds, seconds)?;
        // Contestants that were not chosen this time keep what they had.
        let kept_cell = results.cells.entry(cell.name.into()).or_default();
        kept_cell.rounds = measured.rounds;
        kept_cell.seconds = measured.seconds;
        kept_cell.contestants.extend(measured.contestants);
        results.write(kept)?;
    }
    Ok(())
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
