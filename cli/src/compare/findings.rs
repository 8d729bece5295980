//! What the rounds come to: the median of each figure, for a model in a cell.

use super::round::{Cell, Round};
use crate::load::tally::{Report, Silence};
use crate::model::Model;

pub struct Findings<'a> {
    rounds: &'a [Round],
}

/// Where a model stopped serving more connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It served so many, and no more.
    Stopped(u64),
    /// It served all there were, so many at most.
    Unseen(u64),
    /// Nothing was measured, or it failed.
    Unknown,
}

impl<'a> Findings<'a> {
    pub fn new(rounds: &'a [Round]) -> Findings<'a> {
        Findings { rounds }
    }

    fn of(&self, model: Model, cell: Cell) -> impl Iterator<Item = &'a Round> {
        self.rounds.iter().filter(move |round| round.model == model && round.cell == cell)
    }

    /// The reports of rounds that were measured.
    pub fn loads(&self, model: Model, cell: Cell) -> impl Iterator<Item = &'a Report> {
        self.of(model, cell)
            .filter_map(|round| round.load.as_ref())
            .filter(|load| load.seconds > 0.0)
    }

    pub fn median(
        &self,
        model: Model,
        cell: Option<Cell>,
        value: impl Fn(&Report) -> Option<f64>,
    ) -> Option<f64> {
        median(self.loads(model, cell?).filter_map(value))
    }

    /// The quantiles that every round can tell, and their medians.
    pub fn latency(&self, model: Model, cell: Cell) -> Vec<(f64, f64)> {
        let curves: Vec<_> =
            self.loads(model, cell).map(|load| load.latency_us.curve.as_slice()).collect();
        let length = curves.iter().map(|curve| curve.len()).min().unwrap_or(0);
        (0..length)
            .filter_map(|index| {
                let value = median(curves.iter().map(|curve| curve[index].1))?;
                Some((curves[0][index].0, value))
            })
            .collect()
    }

    /// The part of one core that an idle server used: before the first connection, and when all
    /// were open and silent, whichever was more.
    pub fn idle(&self, model: Model, cell: Cell) -> Option<f64> {
        let silences = self.of(model, cell).flat_map(|round| {
            let open = round.load.as_ref().and_then(|load| load.server.as_ref()?.silence);
            [round.idle, open].into_iter().flatten()
        });
        silences.map(|Silence { seconds, cpu_seconds }| cpu_seconds / seconds).reduce(f64::max)
    }

    pub fn reach(&self, model: Model, cells: &[Cell]) -> Reach {
        let rounds = || cells.iter().flat_map(|cell| self.of(model, *cell));
        let served = |round: &Round| round.load.as_ref().map(|load| load.served);
        let stopped = rounds().filter(|round| round.has_stopped()).filter_map(served).max();
        let most = rounds()
            .filter(|round| served(round) == Some(round.cell.connections))
            .map(|round| round.cell.connections)
            .max();
        match (stopped, most) {
            (Some(served), _) => Reach::Stopped(served),
            (None, Some(most)) => Reach::Unseen(most),
            (None, None) => Reach::Unknown,
        }
    }

    /// What the model said when it stopped.
    pub fn warning(&self, model: Model) -> Option<&'a str> {
        let stopped = |round: &&Round| round.model == model && round.has_stopped();
        self.rounds.iter().find(stopped)?.warning.as_deref()
    }

    pub fn failures(&self) -> impl Iterator<Item = (Model, &'a str)> {
        self.rounds.iter().filter_map(|round| Some((round.model, round.failure.as_deref()?)))
    }

    /// Bytes that came back, every one of them as it was sent.
    pub fn bytes(&self) -> u64 {
        self.rounds.iter().filter_map(|round| round.load.as_ref()).map(|load| load.bytes).sum()
    }

    /// How many rounds there were of a cell, the fewest and the most that a model had.
    pub fn times(&self, models: &[Model], cell: Cell) -> (usize, usize) {
        let times = || models.iter().map(|model| self.of(*model, cell).count());
        (times().min().unwrap_or(0), times().max().unwrap_or(0))
    }
}

// What a report says, in the units of the tables.

pub fn rate(load: &Report) -> Option<f64> {
    Some(load.messages_per_second)
}

pub fn cpu_us(load: &Report) -> Option<f64> {
    load.server.as_ref()?.cpu_us_per_message
}

/// Of one core, in percent.
pub fn cpu_share(load: &Report) -> Option<f64> {
    Some(load.server.as_ref()?.cpu_seconds / load.seconds * 100.0)
}

pub fn p50(load: &Report) -> Option<f64> {
    (load.messages > 0).then_some(load.latency_us.p50)
}

pub fn p99(load: &Report) -> Option<f64> {
    (load.messages > 0).then_some(load.latency_us.p99)
}

pub fn threads(load: &Report) -> Option<f64> {
    Some(load.server.as_ref()?.threads as f64)
}

/// Memory that each connection added.
pub fn kib_per_connection(load: &Report) -> Option<f64> {
    let server = load.server.as_ref()?;
    let grown = server.memory.saturating_sub(server.memory_before);
    Some(grown as f64 / 1024.0 / load.served.max(1) as f64)
}

pub fn served(load: &Report) -> Option<f64> {
    Some(load.served as f64)
}

pub fn served_seconds(load: &Report) -> Option<f64> {
    Some(load.served_seconds)
}

/// Of its core, the part that the load used.
pub fn load_share(load: &Report) -> Option<f64> {
    Some(load.load_cpu_seconds / load.seconds)
}

/// The middle value, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[low] + values[high]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(median([].into_iter()), None);
    }
}
