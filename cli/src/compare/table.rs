//! The tables for the terminal: one row a model.

use super::findings::{self as find, Findings, Reach};
use super::plan::Plan;
use super::round::{Cell, Pace};
use crate::model::Model;

const NONE: &str = "-";

/// All of it, paragraph by paragraph.
pub fn render(plan: &Plan, found: &Findings) -> String {
    let mut parts = Vec::new();
    if let (Some(main), Some(paced)) = (plan.main, plan.paced) {
        parts.push(busy(plan, found, main, paced));
    }
    if let Some(most) = plan.most {
        parts.push(many(plan, found, most));
    }
    if let Some(crowd) = plan.crowd {
        parts.push(crowded(plan, found, crowd));
    }
    parts.push(notes(plan, found));
    parts.join("\n")
}

fn busy(plan: &Plan, found: &Findings, main: Cell, paced: Cell) -> String {
    let heads = ["messages/s", "CPU µs/msg", "p50 µs", "p99 µs", "threads", "example"];
    let rows = plan.models.iter().map(|&model| {
        let busy = |value: Figure| found.median(model, Some(main), value);
        let paced = |value: Figure| found.median(model, Some(paced), value);
        let cells = vec![
            number(busy(find::rate), 0),
            number(busy(find::cpu_us), 2),
            number(paced(find::p50), 0),
            number(paced(find::p99), 0),
            number(busy(find::threads), 0),
            model.example_lines().map_or(NONE.into(), |lines| format!("{lines} lines")),
        ];
        (model, cells)
    });
    format!(
        "{} connections, {}; latency at {} messages/s, {}\n{}",
        main.connections,
        times(plan, found, main),
        rate_of(paced),
        times(plan, found, paced),
        align(&heads, rows)
    )
}

fn many(plan: &Plan, found: &Findings, most: Cell) -> String {
    let heads = [
        "served in s",
        "messages/s",
        "CPU µs/msg",
        "idle CPU %",
        "threads",
        "KiB/conn",
        "stops at",
    ];
    let sweep = plan.sweep();
    let rows = plan.models.iter().map(|&model| {
        let many = |value: Figure| found.median(model, Some(most), value);
        let cells = vec![
            number(many(find::served_seconds), 2),
            number(many(find::rate), 0),
            number(many(find::cpu_us), 2),
            number(found.idle(model, most).map(|share| share * 100.0), 1),
            number(many(find::threads), 0),
            number(many(find::kib_per_connection), 1),
            match found.reach(model, &sweep) {
                Reach::Stopped(served) => served.to_string(),
                Reach::Unseen(_) => "none seen".into(),
                Reach::Unknown => NONE.into(),
            },
        ];
        (model, cells)
    });
    format!(
        "{} connections, {}\n{}",
        most.connections,
        times(plan, found, most),
        align(&heads, rows)
    )
}

fn crowded(plan: &Plan, found: &Findings, crowd: Cell) -> String {
    let heads = ["served", "in s", "messages/s", "CPU %", "p99 µs", "threads", "KiB/conn"];
    let rows = plan.models.iter().map(|&model| {
        let value = |value: Figure| found.median(model, Some(crowd), value);
        let cells = vec![
            number(value(find::served), 0),
            number(value(find::served_seconds), 2),
            number(value(find::rate), 0),
            number(value(find::cpu_share), 0),
            number(value(find::p99), 0),
            number(value(find::threads), 0),
            number(value(find::kib_per_connection), 1),
        ];
        (model, cells)
    });
    format!(
        "{} clients connect and send at once, then send {} messages/s, {}\n{}",
        crowd.connections,
        rate_of(crowd),
        times(plan, found, crowd),
        align(&heads, rows)
    )
}

fn notes(plan: &Plan, found: &Findings) -> String {
    let mut notes = vec![
        "CPU: user and system time of the server; in %, of one core. KiB/conn: memory of the \
         server's own that each"
            .to_string(),
        "connection added, its buffer and its thread's stack included, the kernel's not.".into(),
    ];
    if plan.main.is_some() {
        notes.push("Example: lines of code of the model's echo server in examples/.".into());
    }
    if let Some(most) = plan.cut_to {
        notes.push(format!(
            "Not more than {most} connections: this process may open no more descriptors."
        ));
    }
    for &model in &plan.models {
        if let Some(warning) = found.warning(model) {
            notes.push(format!("{model} stopped: {warning}."));
        }
    }
    if found.failures().next().is_none() {
        notes.push(format!("Every byte came back as it was sent: {} in all.", found.bytes()));
    }
    notes.join("\n") + "\n"
}

type Figure = fn(&crate::load::tally::Report) -> Option<f64>;

/// How long a model was measured in the cell.
pub fn times(plan: &Plan, found: &Findings, cell: Cell) -> String {
    let (fewest, most) = found.times(&plan.models, cell);
    let count = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
    format!("{count} x {} s a model", cell.seconds)
}

pub fn rate_of(cell: Cell) -> f64 {
    match cell.pace {
        Pace::Closed => 0.0,
        Pace::Rate(rate) | Pace::Crowd(rate) => rate,
    }
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or(NONE.into(), |value| format!("{value:.decimals$}"))
}

/// The names to the left, the figures to the right, under each other.
fn align(heads: &[&str], rows: impl Iterator<Item = (Model, Vec<String>)>) -> String {
    let heads = ["model"].iter().chain(heads).map(|head| head.to_string()).collect();
    let rows = rows.map(|(model, cells)| [vec![model.to_string()], cells].concat());
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(rows).collect();
    let widest = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..lines[0].len()).map(|at| widest(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        text += &format!("{:<1$}", line[0], widths[0]);
        for (cell, width) in line.iter().zip(&widths).skip(1) {
            text += &format!("  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}
