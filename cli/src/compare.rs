//! `winsock compare`: the same echo through each model, measured on this machine.

mod round;
mod table;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use self::round::{Cores, Round};
use self::table::Row;
use crate::failure::Failure;
use crate::model::Model;
use crate::os;
use crate::out::say;
use crate::probe;

/// Serve each model in a process of its own, load it, and print what it did and what it cost.
///
/// The models take turns, three rounds each by default, and the table shows medians. With two cores
/// or more, the server has one and the load another, so that neither disturbs the other.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The models to compare, all by default
    #[arg(long, value_name = "MODEL", value_delimiter = ',', num_args = 1..)]
    models: Vec<Model>,

    /// Connections open at a time
    #[arg(long, value_name = "N", default_value_t = 200,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    connections: u64,

    /// Bytes of a message
    #[arg(long, value_name = "B", default_value_t = 64,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    size: u64,

    /// How long to measure a model in each round
    #[arg(long, value_name = "T", default_value_t = 3.0, value_parser = crate::load::seconds,
          allow_negative_numbers = true)]
    seconds: f64,

    /// How often each model is measured
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,

    /// Write every measurement to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  winsock compare
  winsock compare --models completion-port --connections 1000 --size 4096
  winsock compare --seconds 10 --json compare.json";

/// What `--json` writes.
#[derive(Serialize)]
struct Record<'a> {
    date: &'a str,
    machine: &'a str,
    backend: &'a str,
    rounds: &'a [Round],
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let models = if args.models.is_empty() { Model::all() } else { args.models.clone() };
    let backend = probe::backend()?;
    let (date, machine) = (table::date(), machine());
    let cores = Cores::choose();
    let rounds = measure(args, &models, &cores)?;

    say(format_args!("{date}, {machine}, backend {backend}"))?;
    say(format_args!(
        "{} connections, {} B, {} x {} s a model, medians; {cores}",
        args.connections, args.size, args.rounds, args.seconds
    ))?;
    let rows: Vec<Row> = models.iter().map(|model| Row::of(*model, &rounds)).collect();
    say(format_args!("\n{}", table::render(&rows)))?;
    if let Some(path) = &args.json {
        let record = Record { date: &date, machine: &machine, backend, rounds: &rounds };
        let json = serde_json::to_string_pretty(&record);
        json.map_err(std::io::Error::from)
            .and_then(|json| fs::write(path, json + "\n"))
            .map_err(|error| Failure::of(path.display(), error))?;
    }
    match rounds.iter().find_map(|round| round.load.first_error.as_ref().zip(Some(round.model))) {
        None => Ok(()),
        Some((error, model)) => Err(Failure::of(model, error)),
    }
}

fn measure(args: &Args, models: &[Model], cores: &Cores) -> Result<Vec<Round>, Failure> {
    let total = args.rounds * models.len() as u64;
    let style = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos} of {len}: {msg}")
        .expect("the template is valid")
        .progress_chars("=> ");
    let bar = ProgressBar::new(total).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    let mut rounds = Vec::new();
    for number in 0..args.rounds {
        // Each round begins with another model, for what comes first may find a cooler machine.
        for turn in 0..models.len() {
            let model = models[(number as usize + turn) % models.len()];
            bar.set_message(model.to_string());
            rounds.push(Round::run(model, args, cores)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(rounds)
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = os::processor().unwrap_or_else(|| "unknown processor".into());
    format!("{}, {processor}, {cores} cores", os::system())
}
