//! Holds the library against the yardsticks, in turns on one machine, and prints Markdown.
//!
//! Every measurement is a fresh server process on one core and a fresh load process on another; the
//! load reads the server's CPU clock at both ends of the time it measures. Contestants take turns
//! in every round, so that what else the machine does meets all of them; the tables show medians,
//! with the least and the most in brackets.

mod build;
mod process;
mod wine;

use std::error::Error;
use std::process::ExitCode;

use crate::build::Programs;
use crate::process::{Server, load, online_cores};
use crate::wine::Wine;

type Outcome<T> = Result<T, Box<dyn Error>>;

const USAGE: &str =
    "usage: winsock-bench [--wine] [--rounds N] [--seconds T] [--cells A,B,..] [--models A,B,..]
  Without --wine: winsock serve, each of its models, against a hand-written epoll loop.
  With --wine: one program on winsock-sys, built for Linux and for Windows, natively and under Wine.
  Cells: 50, 1000 (connections of 64 B), churn; all by default.
  Models: those of winsock serve; sys-echo, a completion port on winsock-sys alone; and
  completion-port-2, with two threads. All by default.";

/// Each with the arguments that make it serve with one thread, if its clients fit.
const MODELS: [(&str, &[&str]); 9] = [
    ("sys-echo", &[]),
    ("select", &["--model", "select", "--threads", "1"]),
    ("async-select", &["--model", "async-select", "--threads", "1"]),
    ("event-select", &["--model", "event-select"]),
    ("overlapped-event", &["--model", "overlapped-event"]),
    ("completion-routine", &["--model", "completion-routine", "--threads", "1"]),
    ("completion-port", &["--model", "completion-port", "--threads", "1"]),
    ("completion-port-2", &["--model", "completion-port", "--threads", "2"]),
    ("thread-per-client", &["--model", "thread-per-client"]),
];

/// What the clients do.
#[derive(Clone, Copy)]
struct Cell {
    name: &'static str,
    load: &'static [&'static str],
}

const CELLS: [Cell; 3] = [
    Cell { name: "50", load: &["--connections", "50", "--size", "64"] },
    Cell { name: "1000", load: &["--connections", "1000", "--size", "64"] },
    Cell { name: "churn", load: &["--connections", "50", "--size", "64", "--churn"] },
];

struct Options {
    wine: bool,
    rounds: usize,
    seconds: f64,
    cells: Vec<Cell>,
    models: Vec<(&'static str, &'static [&'static str])>,
}

fn main() -> ExitCode {
    match options().and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("winsock-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Outcome<Options> {
    let (cells, models) = (CELLS.to_vec(), MODELS.to_vec());
    let mut options = Options { wine: false, rounds: 7, seconds: 3.0, cells, models };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(USAGE);
        match argument.as_str() {
            "--wine" => options.wine = true,
            "--rounds" => options.rounds = value()?.parse::<usize>()?.max(1),
            "--seconds" => options.seconds = value()?.parse()?,
            "--cells" => {
                let names = value()?;
                let wanted = |cell: &Cell| names.split(',').any(|name| name == cell.name);
                options.cells = CELLS.into_iter().filter(wanted).collect();
            }
            "--models" => {
                let names = value()?;
                let find = |name: &str| MODELS.into_iter().find(|(known, _)| *known == name);
                let models: Option<Vec<_>> = names.split(',').map(find).collect();
                options.models = models.ok_or(USAGE)?;
            }
            _ => return Err(USAGE.into()),
        }
    }
    if options.cells.is_empty() { Err(USAGE.into()) } else { Ok(options) }
}

fn run(options: &Options) -> Outcome<()> {
    let cores = online_cores()?;
    let [server_core, load_core, ..] = cores[..] else {
        return Err("two cores are needed: one for the server, one for the load".into());
    };
    let programs = Programs::build(options.wine)?;
    let bench = Bench { options, programs, server_core, load_core };
    println!("{}\n", process::machine()?);
    println!(
        "Server on core {server_core}, load on core {load_core}; {} rounds of {} s in turns; \
         median (least to most) of the server's CPU µs per message.\n",
        options.rounds, options.seconds
    );
    if options.wine { bench.against_wine() } else { bench.against_epoll() }
}

struct Bench<'a> {
    options: &'a Options,
    programs: Programs,
    server_core: usize,
    load_core: usize,
}

/// One contestant's figures in one cell, a value for each round.
#[derive(Default)]
struct Figures {
    cpu_us: Vec<f64>,
    per_second: Vec<f64>,
}

/// Something that serves, started anew for every measurement.
type Contestant<'a> = Box<dyn Fn() -> Outcome<Server> + 'a>;

impl Bench<'_> {
    fn against_epoll(&self) -> Outcome<()> {
        let Bench { options, programs, .. } = self;
        for cell in &options.cells {
            let mut contestants: Vec<Contestant> =
                vec![Box::new(|| Server::start(&programs.epoll_echo()))];
            for (name, arguments) in &options.models {
                contestants.push(match *name {
                    "sys-echo" => Box::new(|| Server::start(&programs.sys_echo())),
                    _ => Box::new(|| Server::start(&programs.serve(arguments))),
                });
            }
            let figures = self.measure(cell, &contestants)?;
            let [epoll, models @ ..] = &figures[..] else { unreachable!("one for each") };
            println!("| {} | CPU, messages | ÷ epoll |", cell.name);
            println!("|---|---|---|");
            println!("| epoll loop | {epoll} | 1.00 |");
            for ((name, _), figures) in options.models.iter().zip(models) {
                println!("| {name} | {figures} | {:.2} |", figures.cpu() / epoll.cpu());
            }
            println!();
        }
        Ok(())
    }

    fn against_wine(&self) -> Outcome<()> {
        let wine = Wine::start(self.server_core)?;
        println!("| cell | native | Wine, its wineserver included | ÷ native |");
        println!("|---|---|---|---|");
        for cell in &self.options.cells {
            let contestants: [Contestant; 2] = [
                Box::new(|| Server::start(&self.programs.sys_echo())),
                Box::new(|| wine.serve(&self.programs.sys_echo_exe()?)),
            ];
            let figures = self.measure(cell, &contestants)?;
            let [native, wine] = &figures[..] else { unreachable!("one for each") };
            println!("| {} | {native} | {wine} | {:.1} |", cell.name, wine.cpu() / native.cpu());
        }
        Ok(())
    }

    fn measure(&self, cell: &Cell, contestants: &[Contestant]) -> Outcome<Vec<Figures>> {
        let mut figures: Vec<Figures> = contestants.iter().map(|_| Figures::default()).collect();
        for round in 0..self.options.rounds {
            for turn in 0..contestants.len() {
                let which = (round + turn) % contestants.len();
                let Figures { cpu_us, per_second } = &mut figures[which];
                process::pin(self.server_core)?;
                let server = contestants[which]()?;
                process::pin(self.load_core)?;
                let report =
                    load(&self.programs.winsock, &server, cell.load, self.options.seconds)?;
                cpu_us.push(report.cpu_us);
                per_second.push(report.per_second);
                eprintln!(
                    "{} round {round} contestant {which}: {:.2} µs, {:.0}/s",
                    cell.name, report.cpu_us, report.per_second
                );
            }
        }
        Ok(figures)
    }
}

impl Figures {
    fn cpu(&self) -> f64 {
        median(&self.cpu_us)
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let least = self.cpu_us.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.cpu_us.iter().copied().fold(0.0, f64::max);
        let rate = median(&self.per_second) / 1000.0;
        write!(f, "{:.2} ({least:.2} to {most:.2}), {rate:.0} k/s", self.cpu())
    }
}

/// The middle value, or the mean of the two in the middle; there is one at least.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}
