//! What a thread counted, and what all of them found together.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::link::Lost;

/// An hour: whatever takes longer is counted as that.
const LONGEST_NS: u64 = 3_600_000_000_000;
/// How many values have to lie beyond a quantile for it to mean something.
const FEWEST: f64 = 4.0;

pub struct Tally {
    latency: Histogram<u64>,
    pub bytes: u64,
    pub errors: u64,
    /// Bytes sent, or due to be sent, that never came back.
    pub missing_bytes: u64,
    pub first_error: Option<String>,
}

impl Tally {
    pub fn new() -> Tally {
        let latency = Histogram::new_with_bounds(1, LONGEST_NS, 3).expect("the bounds are valid");
        Tally { latency, bytes: 0, errors: 0, missing_bytes: 0, first_error: None }
    }

    #[inline]
    pub fn took(&mut self, nanoseconds: u64) {
        self.latency.saturating_record(nanoseconds);
    }

    /// Messages that latencies were taken of.
    pub fn count(&self) -> u64 {
        self.latency.len()
    }

    pub fn lost(&mut self, connection: u64, why: &Lost) {
        self.errors += 1;
        tracing::debug!("connection {connection}: {why}");
        self.first_error.get_or_insert_with(|| format!("connection {connection}: {why}"));
    }

    pub fn add(&mut self, other: Tally) {
        self.latency.add(&other.latency).expect("both have the same bounds");
        self.bytes += other.bytes;
        self.errors += other.errors;
        self.missing_bytes += other.missing_bytes;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    pub fn latency(&self) -> Latency {
        let at = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: self.latency.max() as f64 / 1000.0,
            curve: curve(self.latency.len()).map(|quantile| (quantile, at(quantile))).collect(),
        }
    }
}

/// The quantiles of a curve, ten for each further nine, as far as this many values can tell. The
/// third, which is all but the median, is the median.
fn curve(values: u64) -> impl Iterator<Item = f64> {
    let beyond = (0..).map(|tenth| match tenth {
        3 => 0.5,
        tenth => 10f64.powf(-f64::from(tenth) / 10.0),
    });
    beyond.take_while(move |beyond| values as f64 * beyond >= FEWEST).map(|beyond| 1.0 - beyond)
}

/// Microseconds from when a message was sent (closed loop), was due (open loop) or its connection
/// was begun (churn) until its last byte came back.
#[derive(Debug, Serialize, Deserialize)]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p99_9: f64,
    pub max: f64,
    /// Quantiles and what they are, as far as there were messages enough to tell.
    pub curve: Vec<(f64, f64)>,
}

/// What `--json` prints.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    pub target: String,
    pub mode: Mode,
    pub connections: usize,
    pub size: usize,
    pub depth: usize,
    /// Connections whose first message came back, and how long that took for all of them.
    pub served: u64,
    pub served_seconds: f64,
    /// The length of the measured time; 0 if not all connections were served.
    pub seconds: f64,
    /// Messages echoed in that time; in churn, connections.
    pub messages: u64,
    pub messages_per_second: f64,
    /// CPU time of the load itself in the measured time.
    pub load_cpu_seconds: f64,
    /// All bytes verified, those before and after the measured time too.
    pub bytes: u64,
    pub latency_us: Latency,
    /// Connections that failed.
    pub errors: u64,
    pub missing_bytes: u64,
    pub first_error: Option<String>,
    pub server: Option<Server>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Closed,
    Open,
    Churn,
}

/// What the watched processes cost, together.
#[derive(Debug, Serialize, Deserialize)]
pub struct Server {
    /// CPU time until all connections had been served.
    pub connect_cpu_seconds: f64,
    /// While all connections were open and silent.
    pub silence: Option<Silence>,
    /// CPU time in the measured time.
    pub cpu_seconds: f64,
    /// Absent when no message came back.
    pub cpu_us_per_message: Option<f64>,
    pub threads: u64,
    /// Anonymous memory before the first connection and when all were open and had been served.
    pub memory_before: u64,
    pub memory: u64,
}

/// What the watched processes did while nothing was sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Silence {
    pub seconds: f64,
    pub cpu_seconds: f64,
}

impl Report {
    pub fn as_text(&self) -> String {
        let Report { target, connections, size, seconds, messages, .. } = self;
        let mode = match self.mode {
            Mode::Closed => format!("closed loop, depth {}", self.depth),
            Mode::Open => "open loop".to_string(),
            Mode::Churn => "a connection for each message".to_string(),
        };
        let rate = self.messages_per_second;
        let Latency { p50, p90, p99, p99_9, max, .. } = self.latency_us;
        let server = self.server.as_ref().map(Server::as_text).unwrap_or_default();
        format!(
            "load      {target}, {connections} connections, {size} B, {mode}, {seconds:.1} s\n\
             messages  {messages}, {rate:.0}/s, {bytes} bytes verified\n\
             latency   p50 {p50:.0} µs, p90 {p90:.0}, p99 {p99:.0}, p99.9 {p99_9:.0}, \
             max {max:.0}\n\
             {server}\
             errors    {errors}, {missing} bytes missing",
            bytes = self.bytes,
            errors = self.errors,
            missing = self.missing_bytes,
        )
    }
}

impl Server {
    fn as_text(&self) -> String {
        let Server { cpu_seconds, threads, memory, memory_before, .. } = self;
        let each = self.cpu_us_per_message.map(|cpu| format!(", {cpu:.2} µs/message"));
        let grown = memory.saturating_sub(*memory_before) / 1024;
        let idle = self.silence.map(|Silence { seconds, cpu_seconds }| {
            format!(", {:.3} s in {seconds:.1} s of silence", cpu_seconds)
        });
        format!(
            "server    {cpu_seconds:.3} s CPU{}{}, {threads} threads, {grown} KiB more memory\n",
            each.unwrap_or_default(),
            idle.unwrap_or_default()
        )
    }
}
