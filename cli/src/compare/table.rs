//! The table: one row a model, medians of its rounds.

use std::time::{SystemTime, UNIX_EPOCH};

use super::round::Round;
use crate::load::tally::Report;
use crate::model::Model;

pub struct Row {
    model: Model,
    messages_per_second: f64,
    cpu_us: Option<f64>,
    p50: f64,
    p99: f64,
    threads: f64,
    memory: f64,
    errors: u64,
}

impl Row {
    pub fn of(model: Model, rounds: &[Round]) -> Row {
        let loads = || rounds.iter().filter(|round| round.model == model).map(|round| &round.load);
        let server = |value: fn(&Report) -> Option<f64>| median(loads().filter_map(value));
        Row {
            model,
            messages_per_second: median(loads().map(|load| load.messages_per_second))
                .unwrap_or_default(),
            cpu_us: server(|load| load.server.as_ref()?.cpu_us_per_message),
            p50: median(loads().map(|load| load.latency_us.p50)).unwrap_or_default(),
            p99: median(loads().map(|load| load.latency_us.p99)).unwrap_or_default(),
            threads: server(|load| Some(load.server.as_ref()?.threads as f64)).unwrap_or_default(),
            memory: server(memory_per_connection).unwrap_or_default(),
            errors: loads().map(|load| load.errors).sum(),
        }
    }

    fn cells(&self) -> [String; 8] {
        [
            self.model.to_string(),
            format!("{:.0}", self.messages_per_second),
            self.cpu_us.map_or_else(|| "-".into(), |cpu| format!("{cpu:.2}")),
            format!("{:.0}", self.p50),
            format!("{:.0}", self.p99),
            format!("{:.0}", self.threads),
            format!("{:.1}", self.memory / 1024.0),
            self.errors.to_string(),
        ]
    }
}

const HEADS: [&str; 8] =
    ["model", "messages/s", "CPU µs/msg", "p50 µs", "p99 µs", "threads", "KiB/conn", "errors"];
const LEGEND: &str = "\
CPU: user and system time of the server per echoed message. KiB/conn: memory of the server's own
that each connection added, its receive buffer and its thread's stack included, the kernel's not.";

pub fn render(rows: &[Row]) -> String {
    let lines: Vec<[String; 8]> =
        [HEADS.map(String::from)].into_iter().chain(rows.iter().map(Row::cells)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        // The names to the left, the figures to the right, under each other.
        text += &format!("{:<1$}", line[0], widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            text += &format!("  {cell:>width$}");
        }
        text.push('\n');
    }
    text + LEGEND
}

fn memory_per_connection(load: &Report) -> Option<f64> {
    let server = load.server.as_ref()?;
    let grown = server.memory.saturating_sub(server.memory_before);
    Some(grown as f64 / load.connections as f64)
}

/// The middle value, or the mean of the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    Some((values[low] + values[high]) / 2.0)
}

/// Today in UTC, as YYYY-MM-DD.
pub fn date() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day) = civil((since.as_secs() / 86_400) as i64);
    format!("{year}-{month:02}-{day:02}")
}

/// The calendar date, so many days after 1970-01-01. Years are counted from March, so that the leap
/// day is the last of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_878), (2027, 3, 1));
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(median([].into_iter()), None);
    }
}
