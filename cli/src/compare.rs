//! `winsock compare`: the same echo through each model, measured on this machine.

mod cores;
mod date;
mod file;
mod findings;
mod page;
mod plan;
mod round;
mod server;
mod table;

use std::path::PathBuf;

use serde::Serialize;

use self::cores::Cores;
use self::file::File;
use self::findings::Findings;
use self::page::Page;
use self::plan::Plan;
use self::round::Round;
use crate::failure::Failure;
use crate::model::Model;
use crate::os;
use crate::out::say;
use crate::probe;

/// Serve each model in a process of its own, load it, and print what it did and what it cost.
///
/// The models take turns, and the tables show medians. With two cores or more, the server has one
/// and the load another, so that neither disturbs the other. Without --seconds and --rounds, all of
/// it takes less than a minute, and with --html less than two: as many rounds, up to three, as fit.
///
/// With --clients it is the classic test instead: all of them connect and send at once, and then at
/// a fixed rate, and the table shows the part of a core that each model needs for it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The models to compare, all by default
    #[arg(long, value_name = "MODEL", value_delimiter = ',', num_args = 1..)]
    models: Vec<Model>,

    /// Connections that are open while models are measured closely [default: 100]
    #[arg(long, value_name = "N", value_parser = number())]
    connections: Option<u64>,

    /// The most connections that are tried [default: 2000, with --html 10000]
    #[arg(long, value_name = "N", value_parser = number())]
    up_to: Option<u64>,

    /// Bytes of a message
    #[arg(long, value_name = "B", default_value_t = 64,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    size: u64,

    /// Messages per second over all connections, where latency is measured [default: 5000]
    #[arg(long, value_name = "MSGS_PER_S", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<f64>,

    /// So many clients that connect and send at once, then at --rate [default: one each a second]
    #[arg(long, value_name = "N", conflicts_with_all = ["connections", "up_to"],
          value_parser = number())]
    clients: Option<u64>,

    /// How long to measure a model in each round [default: 0.4 to 3, said in the table]
    #[arg(long, value_name = "T", value_parser = crate::load::seconds,
          allow_negative_numbers = true)]
    seconds: Option<f64>,

    /// How often each model is measured [default: up to 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: Option<u64>,

    /// Measure more numbers of connections, and draw it all on one page in this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write every measurement to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  winsock compare
  winsock compare --html report.html --json report.json
  winsock compare --models completion-port,select --connections 1000 --size 4096
  winsock compare --clients 20000 --rate 20000";

/// From which load average on a machine is busy: half a core, on average.
const BUSY: f64 = 0.5;

fn number() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..=1_000_000)
}

/// A load that sends nothing tells nothing here.
fn rate(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number of messages".to_string())?;
    if (1.0..=1e8).contains(&value) {
        Ok(value)
    } else {
        Err("expected 1 to 100000000 messages".into())
    }
}

/// What `--json` writes.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(flatten)]
    setting: &'a Setting,
    plan: &'a Plan,
    rounds: &'a [Round],
}

/// Where and when it was measured.
#[derive(Serialize)]
pub struct Setting {
    pub date: String,
    pub machine: String,
    pub backend: &'static str,
    pub cores: String,
    /// Before anything was measured.
    pub load_average: Option<f64>,
    pub command: String,
}

impl Setting {
    fn new(backend: &'static str, cores: &Cores) -> Setting {
        let arguments = std::env::args().skip(1);
        Setting {
            date: date::today(),
            machine: machine(),
            backend,
            cores: cores.to_string(),
            load_average: os::load_average(),
            command: ["winsock".to_string()]
                .into_iter()
                .chain(arguments)
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

impl Setting {
    /// Said of a machine that had other work.
    pub fn caution(&self) -> Option<String> {
        let load = self.load_average.filter(|load| *load >= BUSY)?;
        Some(format!(
            "The machine had other work when this began (load average {load:.1}): these figures \
             are rough."
        ))
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let backend = probe::backend()?;
    let plan = Plan::new(args)?;
    if let Some(file) = &args.html
        && args.json.as_ref() == Some(file)
    {
        return Err(Failure::Usage(format!("--html and --json are both {}", file.display())));
    }
    let html = args.html.as_deref().map(File::open).transpose()?;
    let json = args.json.as_deref().map(File::open).transpose()?;
    let cores = Cores::choose();
    let setting = Setting::new(backend, &cores);
    let rounds = plan.measure(&cores);
    let found = Findings::new(&rounds);

    say(format_args!("{}, {}, backend {backend}", setting.date, setting.machine))?;
    say(format_args!("messages of {} B, medians; {cores}\n", args.size))?;
    say(table::render(&plan, &found).trim_end())?;
    if let Some(caution) = setting.caution() {
        say(caution)?;
    }
    if let Some(file) = html {
        let page = Page { setting: &setting, plan: &plan, found: &found };
        file.write(&page.to_string())?;
    }
    if let Some(file) = json {
        let record = Record { setting: &setting, plan: &plan, rounds: &rounds };
        let json = serde_json::to_string_pretty(&record);
        file.write(&(json.map_err(|error| Failure::of("record", error))? + "\n"))?;
    }
    match found.failures().next() {
        None => Ok(()),
        Some((model, failure)) => Err(Failure::of(model, failure)),
    }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = os::processor().unwrap_or_else(|| "unknown processor".into());
    format!("{}, {processor}, {cores} cores", os::system())
}
