//! `winsock load`: clients that send, check every byte that comes back, and time it.
//!
//! Nothing here uses the library under test, whose faults must not hide on both sides.

mod churn;
mod course;
mod link;
mod payload;
mod steady;
pub mod tally;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use self::churn::Churn;
use self::course::{Course, Window};
use self::steady::Steady;
use self::tally::{Mode, Report, Server, Silence, Tally};
use crate::failure::Failure;
use crate::os::{self, Footprint};
use crate::out::say;

const TICK: Duration = Duration::from_millis(100);
/// Descriptors besides the connections: standard streams, event queues, /proc.
const SPARE_DESCRIPTORS: u64 = 32;
/// What a server does after its last connection is no silence yet.
const SETTLING: Duration = Duration::from_millis(200);

/// Load an echo server and check every byte it sends back.
///
/// Closed loop: each connection has --depth messages under way and sends the next when one comes
/// back. Open loop (--rate): messages leave at that rate whatever the server does, and latency
/// counts from when a message was due, so a stall is charged for everything it held up. With
/// --churn, every message has a connection of its own.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The server, as ADDRESS:PORT or NAME:PORT
    #[arg(long, value_name = "ADDR", value_parser = endpoint)]
    connect: String,

    /// Connections open at a time
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = number(1, 1_000_000))]
    connections: u64,

    /// Bytes of a message
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = number(1, 1 << 30))]
    size: u64,

    /// Messages under way on each connection
    #[arg(long, value_name = "D", default_value_t = 1, value_parser = number(1, 1024))]
    depth: u64,

    /// How long to measure
    #[arg(long, value_name = "T", default_value_t = 10.0, value_parser = seconds,
          allow_negative_numbers = true)]
    seconds: f64,

    /// Messages per second over all connections (open loop); 0 holds the connections silent
    #[arg(long, value_name = "MSGS_PER_S", value_parser = rate, allow_negative_numbers = true,
          conflicts_with_all = ["depth", "churn"])]
    rate: Option<f64>,

    /// Connect, send one message, close, again
    #[arg(long, conflicts_with = "depth")]
    churn: bool,

    /// Connect to the server all at once, and go on with those that it serves
    #[arg(long, conflicts_with = "churn")]
    at_once: bool,

    /// Hold the connections silent for this long first, and see what the server does meanwhile
    #[arg(long, value_name = "T", value_parser = seconds, allow_negative_numbers = true,
          conflicts_with = "churn", requires = "server_pid")]
    silence: Option<f64>,

    /// How long to wait for the next connection to be served
    #[arg(long, value_name = "T", default_value_t = 10.0, value_parser = seconds,
          allow_negative_numbers = true)]
    patience: f64,

    /// The text the server was told to greet with: it is expected, and left out of the count
    #[arg(long, value_name = "TEXT")]
    greeting: Option<String>,

    /// Threads of the load itself
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = number(1, 64))]
    threads: u64,

    /// Processes of a server on this machine: report the CPU and memory it used (repeatable)
    #[arg(long, value_name = "PID")]
    server_pid: Vec<u32>,

    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  winsock load --connect 127.0.0.1:5150
  winsock load --connect 127.0.0.1:5150 --connections 1000 --size 16384 --seconds 60
  winsock load --connect 127.0.0.1:5150 --connections 200 --rate 20000
  winsock load --connect 127.0.0.1:5150 --churn --json";

fn number(least: u64, most: u64) -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(least..=most)
}

fn endpoint(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("expected ADDRESS:PORT".into()),
    }
}

/// Up to a day.
pub fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number of seconds".to_string())?;
    if (0.01..=86_400.0).contains(&value) {
        Ok(value)
    } else {
        Err("expected 0.01 to 86400 seconds".into())
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number of messages".to_string())?;
    if (0.0..=1e8).contains(&value) {
        Ok(value)
    } else {
        Err("expected 0 to 100000000 messages".into())
    }
}

/// What is to be done, checked.
pub struct Plan {
    target: SocketAddr,
    connections: usize,
    size: usize,
    depth: usize,
    time: Duration,
    rate: Option<f64>,
    churn: bool,
    /// All connect at once, and those that are not served take no part. Otherwise all are to be
    /// served, some at a time.
    at_once: bool,
    silence: Option<Duration>,
    patience: Duration,
    greeting: Vec<u8>,
    threads: usize,
}

/// A thread's part of the connections.
#[derive(Clone, Copy)]
pub struct Share {
    thread: usize,
    first: usize,
    count: usize,
}

impl Plan {
    fn new(args: &Args) -> Result<Plan, Failure> {
        let resolved = args.connect.to_socket_addrs();
        let target = resolved.map_err(|error| Failure::of(&args.connect, error))?.next();
        let none = || Failure::of(&args.connect, "the name has no address");
        let connections = args.connections as usize;
        Ok(Plan {
            target: target.ok_or_else(none)?,
            connections,
            size: args.size as usize,
            depth: args.depth as usize,
            time: Duration::from_secs_f64(args.seconds),
            rate: args.rate,
            churn: args.churn,
            at_once: args.at_once,
            silence: args.silence.map(Duration::from_secs_f64),
            patience: Duration::from_secs_f64(args.patience),
            greeting: args.greeting.as_deref().map(crate::greeting).unwrap_or_default(),
            threads: connections.min(args.threads as usize),
        })
    }

    fn mode(&self) -> Mode {
        match (self.churn, self.rate) {
            (true, _) => Mode::Churn,
            (false, Some(_)) => Mode::Open,
            (false, None) => Mode::Closed,
        }
    }

    /// One loopback address has some 28,000 ports by default, and a port rests for a while after
    /// its connection was closed.
    fn sources(&self) -> u8 {
        let wanted = if self.churn { 32 } else { self.connections.div_ceil(8192) };
        wanted.min(254) as u8
    }

    fn share(&self, thread: usize) -> Share {
        let first = |thread| self.connections * thread / self.threads;
        Share { thread, first: first(thread), count: first(thread + 1) - first(thread) }
    }
}

pub fn run(args: &Args) -> Result<(), Failure> {
    let plan = Plan::new(args)?;
    check_descriptors(plan.connections)?;
    let report = execute(&plan, &args.server_pid)?;
    let begun = report.seconds > 0.0;
    if args.json {
        let json = serde_json::to_string(&report).map_err(|error| Failure::of("report", error))?;
        say(json)?;
    } else if begun {
        say(report.as_text())?;
    }
    match report.first_error {
        None => Ok(()),
        Some(first) if !begun => Err(Failure::Failed(first)),
        Some(first) => Err(Failure::Failed(format!(
            "{} of {} connections failed, {first}",
            report.errors, report.connections
        ))),
    }
}

fn check_descriptors(connections: usize) -> Result<(), Failure> {
    let limit = os::raise_descriptor_limit()
        .map_err(|error| Failure::of("cannot raise the descriptor limit", error))?;
    if connections as u64 + SPARE_DESCRIPTORS <= limit {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "{connections} connections do not fit: this process may open {limit} descriptors at most"
    )))
}

fn execute(plan: &Plan, servers: &[u32]) -> Result<Report, Failure> {
    let course = Course::new(plan.threads);
    let start = Stand::of(servers)?;
    let shared = &course;
    let (observed, tally) = thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads)
            .map(|thread| scope.spawn(move || work(plan, plan.share(thread), shared)))
            .collect();
        let observed = oversee(plan, &course, servers, start);
        let mut tally = Tally::new();
        for thread in threads {
            tally.add(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        (observed, tally)
    });
    match course.failure() {
        Some(failure) => Err(failure),
        None => Ok(report(plan, &course, tally, &observed?, !servers.is_empty())),
    }
}

fn work(plan: &Plan, share: Share, course: &Course) -> Tally {
    let done = if plan.churn {
        Churn::new(plan, share, course).map(Churn::run)
    } else {
        Steady::new(plan, share, course).map(Steady::run)
    };
    done.unwrap_or_else(|error| {
        course.fail(Failure::of("cannot make an event queue", error));
        course.line_up();
        Tally::new()
    })
}

/// The servers at one moment.
#[derive(Clone, Copy)]
struct Stand {
    footprint: Footprint,
    cpu_ns: u64,
}

impl Stand {
    fn of(servers: &[u32]) -> Result<Stand, Failure> {
        Ok(Stand { footprint: footprint(servers)?, cpu_ns: cpu_ns(servers)? })
    }
}

/// What was seen of a run.
struct Observed {
    /// Before the first connection.
    start: Stand,
    /// When every connection was open and had been served.
    open: Stand,
    silence: Option<Silence>,
    /// The rest is of the measured time.
    seconds: f64,
    messages: u64,
    cpu_ns: u64,
    load_cpu_ns: u64,
}

fn oversee(
    plan: &Plan,
    course: &Course,
    servers: &[u32],
    start: Stand,
) -> Result<Observed, Failure> {
    let bar = progress_bar();
    watch_connecting(plan, course, &bar);
    course.gather();
    let ready = prepare(plan, course, servers);
    let wanted = ready.is_ok() && !course.has_ended();
    let window = course.go(wanted.then_some(plan.time));
    let (open, silence, before, load_before) = ready?;
    let Some(window) = window else {
        bar.finish_and_clear();
        let (seconds, messages, cpu_ns, load_cpu_ns) = (0.0, 0, 0, 0);
        return Ok(Observed { start, open, silence, seconds, messages, cpu_ns, load_cpu_ns });
    };
    watch_running(window, course, &bar);
    // At one moment, as nearly as can be.
    let after = cpu_ns(servers);
    let load_cpu_ns = own_cpu_ns() - load_before;
    let messages = course.answered.load(Ordering::Relaxed);
    let seconds = (course.clock.now() - window.start) as f64 / 1e9;
    bar.finish_and_clear();
    let cpu_ns = after? - before;
    Ok(Observed { start, open, silence, seconds, messages, cpu_ns, load_cpu_ns })
}

/// All connections are open: looks at the servers, and at what they do while nothing is sent. The
/// CPU times are of the moment when the run begins.
fn prepare(
    plan: &Plan,
    course: &Course,
    servers: &[u32],
) -> Result<(Stand, Option<Silence>, u64, u64), Failure> {
    let open = Stand::of(servers)?;
    let wanted = plan.silence.filter(|_| !course.has_ended());
    let silence = wanted.map(|time| hold_silence(time, servers)).transpose()?;
    Ok((open, silence, cpu_ns(servers)?, own_cpu_ns()))
}

fn hold_silence(time: Duration, servers: &[u32]) -> Result<Silence, Failure> {
    thread::sleep(SETTLING);
    let (begun, before) = (Instant::now(), cpu_ns(servers)?);
    thread::sleep(time);
    let cpu_ns = cpu_ns(servers)? - before;
    Ok(Silence { seconds: begun.elapsed().as_secs_f64(), cpu_seconds: cpu_ns as f64 / 1e9 })
}

fn watch_connecting(plan: &Plan, course: &Course, bar: &ProgressBar) {
    if plan.churn {
        return;
    }
    loop {
        let established = course.established.load(Ordering::Relaxed);
        let given_up = course.given_up.load(Ordering::Relaxed);
        if established + given_up >= plan.connections as u64 || course.has_ended() {
            return;
        }
        bar.set_message(format!("{established} of {} connections", plan.connections));
        thread::sleep(TICK / 5);
    }
}

fn watch_running(window: Window, course: &Course, bar: &ProgressBar) {
    bar.set_length((window.end - window.start) / 1_000_000);
    loop {
        let now = course.clock.now();
        if now >= window.end || course.working.load(Ordering::Relaxed) == 0 {
            return;
        }
        let messages = course.answered.load(Ordering::Relaxed);
        bar.set_position((now - window.start) / 1_000_000);
        bar.set_message(format!("{messages} messages"));
        thread::sleep(Duration::from_nanos(window.end - now).min(TICK));
    }
}

/// On stderr, and only if that is a terminal.
fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {msg}")
        .expect("the template is valid")
        .progress_chars("=> ");
    ProgressBar::new(1).with_style(style)
}

/// All the watched processes together.
fn footprint(servers: &[u32]) -> Result<Footprint, Failure> {
    servers.iter().try_fold(Footprint::default(), |sum, &pid| {
        let one = os::footprint(pid).map_err(|error| unwatched(pid, &error))?;
        Ok(Footprint { memory: sum.memory + one.memory, threads: sum.threads + one.threads })
    })
}

fn cpu_ns(servers: &[u32]) -> Result<u64, Failure> {
    let one = |&pid: &u32| os::cpu_ns(pid).map_err(|error| unwatched(pid, &error));
    servers.iter().map(one).sum()
}

/// This process's; 0 where that is not to be had.
fn own_cpu_ns() -> u64 {
    os::cpu_ns(std::process::id()).unwrap_or(0)
}

fn unwatched(pid: u32, error: &io::Error) -> Failure {
    Failure::of(format_args!("cannot watch process {pid}"), error)
}

fn report(
    plan: &Plan,
    course: &Course,
    tally: Tally,
    observed: &Observed,
    watched: bool,
) -> Report {
    let Observed { start, open, seconds, messages, .. } = *observed;
    let cpu_ns = observed.cpu_ns as f64;
    let server = Server {
        connect_cpu_seconds: (open.cpu_ns - start.cpu_ns) as f64 / 1e9,
        silence: observed.silence,
        cpu_seconds: cpu_ns / 1e9,
        cpu_us_per_message: (messages > 0).then(|| cpu_ns / 1e3 / messages as f64),
        threads: open.footprint.threads,
        memory_before: start.footprint.memory,
        memory: open.footprint.memory,
    };
    let rate = if seconds > 0.0 { messages as f64 / seconds } else { 0.0 };
    Report {
        target: plan.target.to_string(),
        mode: plan.mode(),
        connections: plan.connections,
        size: plan.size,
        depth: plan.depth,
        served: course.established.load(Ordering::Relaxed),
        served_seconds: course.served_at.load(Ordering::Relaxed) as f64 / 1e9,
        seconds,
        messages,
        messages_per_second: rate,
        load_cpu_seconds: observed.load_cpu_ns as f64 / 1e9,
        latency_us: tally.latency(),
        bytes: tally.bytes,
        errors: tally.errors,
        missing_bytes: tally.missing_bytes,
        first_error: course.ended().or(tally.first_error),
        server: watched.then_some(server),
    }
}
