//! What is measured, in which order, and for how long.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Args;
use super::cores::Cores;
use super::round::{Cell, Pace, Round};
use crate::failure::Failure;
use crate::model::Model;
use crate::os;

const CONNECTIONS: u64 = 100;
/// The most connections, for a page and for tables, which are to be quick.
const UP_TO: u64 = 10_000;
const UP_TO_QUICKLY: u64 = 2_000;
const RATE: f64 = 5_000.0;
const ROUNDS: u64 = 3;
/// From how many connections on a model is measured in the first round only: to open and close
/// them takes longer than to measure.
const MANY: u64 = 5_000;
/// Descriptors that a server keeps besides its connections: for accepts, above all.
const SPARE_DESCRIPTORS: u64 = 128;
/// How long everything may take if nobody has said otherwise, but for what is under way then.
const TABLE: Duration = Duration::from_secs(48);
const PAGE: Duration = Duration::from_secs(95);

/// Every model meets the same cells.
#[derive(Serialize)]
pub struct Plan {
    pub models: Vec<Model>,
    /// At a time, connections each of which sends when its answer has come: what the table shows.
    pub main: Option<Cell>,
    /// The same connections at a fixed rate, which tells latencies.
    pub paced: Option<Cell>,
    /// As many connections as are tried.
    pub most: Option<Cell>,
    /// Other numbers of connections, for the charts.
    pub others: Vec<Cell>,
    /// All clients at once, and then at a fixed rate.
    pub crowd: Option<Cell>,
    pub rounds: u64,
    /// Fewer connections than asked for, because of the limit of descriptors.
    pub cut_to: Option<u64>,
    #[serde(skip)]
    within: Option<Duration>,
}

impl Plan {
    pub fn new(args: &Args) -> Result<Plan, Failure> {
        let models = if args.models.is_empty() { Model::all() } else { args.models.clone() };
        let limit = os::raise_descriptor_limit()
            .map_err(|error| Failure::of("cannot raise the descriptor limit", error))?;
        let room = limit.saturating_sub(SPARE_DESCRIPTORS).max(1);
        let chosen = args.seconds.is_some() || args.rounds.is_some();
        let page = args.html.is_some();
        let mut plan = Plan {
            models,
            main: None,
            paced: None,
            most: None,
            others: Vec::new(),
            crowd: None,
            rounds: args.rounds.unwrap_or(ROUNDS),
            cut_to: None,
            within: (!chosen).then_some(if page { PAGE } else { TABLE }),
        };
        match args.clients {
            Some(clients) => plan.plan_crowd(args, clients, room),
            None => plan.plan_cells(args, page, room)?,
        }
        Ok(plan)
    }

    #[cfg(test)]
    pub fn made(models: Vec<Model>, [main, paced, most]: [Cell; 3], others: Vec<Cell>) -> Plan {
        let (main, paced, most) = (Some(main), Some(paced), Some(most));
        let (crowd, rounds, cut_to, within) = (None, 1, None, None);
        Plan { models, main, paced, most, others, crowd, rounds, cut_to, within }
    }

    fn plan_crowd(&mut self, args: &Args, clients: u64, room: u64) {
        let connections = self.cut(clients, room);
        let rate = args.rate.unwrap_or(connections as f64);
        let seconds = args.seconds.unwrap_or(3.0);
        let pace = Pace::Crowd(rate);
        self.rounds = args.rounds.unwrap_or(1);
        self.crowd = Some(Cell { connections, size: args.size, pace, seconds, silence: Some(0.5) });
    }

    fn plan_cells(&mut self, args: &Args, page: bool, room: u64) -> Result<(), Failure> {
        let connections = match (args.connections, args.up_to) {
            (Some(connections), Some(up_to)) if connections > up_to => {
                let line = format!("--connections {connections} is more than --up-to {up_to}");
                return Err(Failure::Usage(line));
            }
            (Some(connections), _) => connections,
            (None, up_to) => CONNECTIONS.min(up_to.unwrap_or(CONNECTIONS)),
        };
        let connections = self.cut(connections, room);
        let up_to = if page { UP_TO } else { UP_TO_QUICKLY };
        let most = self.cut(args.up_to.unwrap_or(up_to.max(connections)), room);
        let closed = |connections, seconds, silence| {
            let seconds = args.seconds.unwrap_or(seconds);
            Cell { connections, size: args.size, pace: Pace::Closed, seconds, silence }
        };
        let last = closed(most, if page { 0.7 } else { 0.4 }, Some(0.4));
        let pace = Pace::Rate(args.rate.unwrap_or(RATE));
        self.main = Some(if connections == most { last } else { closed(connections, 0.5, None) });
        self.paced = Some(Cell { pace, ..closed(connections, 1.0, None) });
        self.most = Some(last);
        if page {
            let decades = (0..).map(|power| 10u64.pow(power)).take_while(|count| *count < most);
            let others = decades.filter(|count| *count != connections);
            self.others = others.map(|count| closed(count, 0.5, None)).collect();
        }
        Ok(())
    }

    /// As many as there are descriptors for.
    fn cut(&mut self, connections: u64, room: u64) -> u64 {
        if connections > room {
            self.cut_to = Some(room);
        }
        connections.min(room)
    }

    /// All cells, what matters most first, what is quick last.
    pub fn cells(&self) -> impl Iterator<Item = Cell> {
        let most = self.most.filter(|_| self.most != self.main);
        let first = [self.main, self.paced, most, self.crowd];
        first.into_iter().flatten().chain(self.others.iter().copied())
    }

    /// The cells with a number of connections each, in their order.
    pub fn sweep(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.cells().filter(|cell| cell.pace == Pace::Closed).collect();
        cells.sort_by_key(|cell| cell.connections);
        cells
    }

    /// How often a cell is measured at most.
    fn times(&self, cell: &Cell) -> u64 {
        let many = cell.connections >= MANY && self.within.is_some();
        if many { 1 } else { self.rounds }
    }

    pub fn measure(&self, cores: &Cores) -> Vec<Round> {
        let begun = Instant::now();
        let cells: Vec<Cell> = self.cells().collect();
        let mut lasted = vec![Duration::ZERO; cells.len()];
        let bar = self.progress_bar(&cells);
        let mut rounds = Vec::new();
        for number in 0..self.rounds {
            for (cell, lasted) in cells.iter().zip(&mut lasted) {
                let late = |more| self.within.is_some_and(|time| begun.elapsed() + more > time);
                if number >= self.times(cell) || late(*lasted) {
                    continue;
                }
                let started = Instant::now();
                // Each round begins with another model, for what comes first may find a cooler
                // machine.
                for turn in 0..self.models.len() {
                    let model = self.models[(number as usize + turn) % self.models.len()];
                    if late(Duration::ZERO) {
                        break;
                    }
                    bar.set_message(format!("{model}, {} connections", cell.connections));
                    rounds.push(Round::run(model, *cell, cores));
                    match self.within {
                        Some(_) => bar.set_position(begun.elapsed().as_millis() as u64),
                        None => bar.inc(1),
                    }
                }
                *lasted = started.elapsed();
            }
        }
        bar.finish_and_clear();
        rounds
    }

    /// On stderr, and only if that is a terminal: of the time there is, or of the rounds.
    fn progress_bar(&self, cells: &[Cell]) -> ProgressBar {
        let rounds = || cells.iter().map(|cell| self.times(cell)).sum::<u64>();
        let length = match self.within {
            Some(time) => time.as_millis() as u64,
            None => rounds() * self.models.len() as u64,
        };
        let style = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {msg}")
            .expect("the template is valid")
            .progress_chars("=> ");
        let bar = ProgressBar::new(length).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        bar
    }
}
