//! What was measured: kept in one file, so that a long run can be made in parts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Outcome;
use crate::process::Report;

/// Everything, by the names of cells and contestants.
#[derive(Default, Serialize, Deserialize)]
pub struct Results {
    pub machine: String,
    /// Versions, of the peers and of what compiled them.
    pub versions: Vec<String>,
    pub cells: BTreeMap<String, Measured>,
    pub counts: BTreeMap<String, Counts>,
}

/// One cell.
#[derive(Default, Serialize, Deserialize)]
pub struct Measured {
    pub rounds: usize,
    pub seconds: f64,
    pub contestants: BTreeMap<String, Figures>,
}

/// One contestant's figures in one cell, a value for each round.
#[derive(Default, Serialize, Deserialize)]
pub struct Figures {
    pub cpu_us: Vec<f64>,
    pub per_second: Vec<f64>,
    pub p50: Vec<f64>,
    pub p99: Vec<f64>,
    pub p99_9: Vec<f64>,
    pub memory: Vec<f64>,
    /// Why it was not measured, or not in every round.
    pub failure: Option<String>,
}

/// What one message costs, counted.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Counts {
    pub system_calls: Option<f64>,
    /// In user space.
    pub instructions: Option<f64>,
}

impl Results {
    /// What the file has; nothing if there is none.
    pub fn read(path: &Path) -> Outcome<Results> {
        match fs::read(path) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Results::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub fn write(&self, path: &Path) -> Outcome<()> {
        fs::create_dir_all(path.parent().ok_or("the file has a folder")?)?;
        Ok(fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }
}

impl Figures {
    pub fn add(&mut self, report: &Report) {
        self.cpu_us.push(report.cpu_us);
        self.per_second.push(report.per_second);
        let [p50, p99, p99_9] = report.latency;
        self.p50.push(p50);
        self.p99.push(p99);
        self.p99_9.push(p99_9);
        self.memory.push(report.memory);
    }

    /// Median, least and most of the CPU time.
    pub fn cpu(&self) -> Option<Range> {
        Range::of(&self.cpu_us)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub median: f64,
    pub least: f64,
    pub most: f64,
}

impl Range {
    pub fn of(values: &[f64]) -> Option<Range> {
        let least = values.iter().copied().reduce(f64::min)?;
        let most = values.iter().copied().reduce(f64::max)?;
        Some(Range { median: median(values)?, least, most })
    }

    pub fn overlaps(&self, other: &Range) -> bool {
        self.least <= other.most && other.least <= self.most
    }
}

/// The middle value, or the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    Some((values[last / 2] + values[values.len() / 2]) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        let (low, high) = (Range::of(&[1.0, 2.0]).unwrap(), Range::of(&[2.0, 3.0]).unwrap());
        assert!(low.overlaps(&high) && high.overlaps(&low));
        assert!(!low.overlaps(&Range::of(&[2.1]).unwrap()));
    }
}
