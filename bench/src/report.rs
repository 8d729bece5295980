//! Tables in Markdown, with what they say in words: best, level or lost.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::cells::{self, Cell};
use crate::chart;
use crate::contestants::{self, Contestant, Role};
use crate::results::{Figures, Measured, Range, Results, median};

/// Where ranges overlap, so much more than the best peer is level with it.
const LEVEL: f64 = 1.02;

/// Writes RESULTS.md and the charts.
pub fn write(results: &Results, folder: &Path) -> Outcome<()> {
    let charts = folder.join("charts");
    fs::create_dir_all(&charts)?;
    fs::write(charts.join("cpu.svg"), chart::cpu(results))?;
    let mut text = String::from(
        "# Results\n\nWritten by `cargo xtask bench --write`; do not edit. \
         How it is measured is said in \
         [README.md](README.md).\n\n",
    );
    writeln!(text, "{}.\n", results.machine)?;
    writeln!(text, "{}.\n", results.versions.join("; "))?;
    text.push_str("![CPU per message](charts/cpu.svg)\n\n");
    text.push_str(&summary(results));
    text.push_str(&tables(results, &cells::ALL.iter().collect::<Vec<_>>()));
    text.push_str(&counts(results));
    Ok(fs::write(folder.join("RESULTS.md"), text)?)
}

/// A table for each of the cells that were measured.
pub fn tables(results: &Results, cells: &[&Cell]) -> String {
    let mut text = String::new();
    for cell in cells {
        if let Some(measured) = results.cells.get(cell.name) {
            table(&mut text, cell, measured).expect("writing to a string does not fail");
        }
    }
    text
}

/// What the completion port came to in each cell, on the backend that did better.
fn summary(results: &Results) -> String {
    let mut text = String::from(
        "## The completion port beside the best of the peers\n\n\
         Server CPU time, in medians. *level*: the ranges overlap, \
         and it is 1.02 times the best peer's at most.\n\n\
         | | backend | best peer | ÷ best peer | ÷ hand-written loop | |\n\
         |---|---|---|---:|---:|---|\n",
    );
    for cell in cells::ALL {
        let Some(measured) = results.cells.get(cell.name) else { continue };
        let ports = ["completion-port", "completion-port-uring"];
        let ours = best(measured, |contestant| ports.contains(&contestant.name));
        let Some((ours, cpu)) = ours else { continue };
        let peer = best(measured, |contestant| contestant.role == Role::Peer);
        let own = best(measured, |contestant| contestant.role == Role::Loop);
        let backend = if ours.name == ports[0] { "epoll" } else { "io_uring" };
        let against = |other: Option<(&Contestant, Range)>| {
            other.map_or("-".into(), |(_, range)| format!("{:.2}", cpu.median / range.median))
        };
        let name = peer.map_or("-", |(peer, _)| peer.name);
        let word = peer.map_or("", |(_, range)| verdict(&cpu, &range));
        let (to_peer, to_loop) = (against(peer), against(own));
        let title = cell.title;
        let _ = writeln!(text, "| {title} | {backend} | {name} | {to_peer} | {to_loop} | {word} |");
    }
    text.push('\n');
    text
}

/// How we did beside a peer.
fn verdict(ours: &Range, peer: &Range) -> &'static str {
    match ours.median / peer.median {
        ..=1.0 => "best",
        ..=LEVEL if ours.overlaps(peer) => "level",
        _ => "lost",
    }
}

fn best(
    measured: &Measured,
    choose: impl Fn(&Contestant) -> bool,
) -> Option<(&'static Contestant, Range)> {
    let chosen = contestants::ALL.iter().filter(|contestant| choose(contestant));
    let ranges = chosen.filter_map(|contestant| {
        let figures = measured.contestants.get(contestant.name)?;
        figures.cpu().filter(|_| figures.failure.is_none()).map(|range| (contestant, range))
    });
    ranges.min_by(|(_, one), (_, other)| one.median.total_cmp(&other.median))
}

fn table(text: &mut String, cell: &Cell, measured: &Measured) -> std::fmt::Result {
    let unit = cell.unit;
    writeln!(text, "## {}\n", cell.title)?;
    writeln!(
        text,
        "`winsock load {}`, {} rounds of {} s.\n",
        cell.load.join(" "),
        measured.rounds,
        measured.seconds
    )?;
    writeln!(
        text,
        "| | CPU µs/{unit} | ÷ best peer | ÷ epoll loop | {unit}s/s | p50 µs | p99 | p99.9 \
         | B/connection | |"
    )?;
    writeln!(text, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|")?;
    let peer = best(measured, |contestant| contestant.role == Role::Peer).map(|(_, range)| range);
    let epoll =
        best(measured, |contestant| contestant.name == "epoll-loop").map(|(_, range)| range);
    let mut rows: Vec<(&Contestant, &Figures, Range)> = Vec::new();
    for contestant in contestants::ALL {
        let Some(figures) = measured.contestants.get(contestant.name) else { continue };
        if let (Some(range), None) = (figures.cpu(), &figures.failure) {
            rows.push((contestant, figures, range));
        }
    }
    rows.sort_by(|(_, _, one), (_, _, other)| one.median.total_cmp(&other.median));
    for (contestant, figures, cpu) in rows {
        let name = match contestant.role {
            Role::Ours => format!("**{}**", contestant.name),
            Role::Loop => format!("*{}*", contestant.name),
            Role::Peer | Role::Wine => contestant.name.to_string(),
        };
        let against = |other: Option<Range>| {
            other.map_or("-".into(), |other| format!("{:.2}", cpu.median / other.median))
        };
        let word = match (contestant.role, peer) {
            (Role::Ours, Some(peer)) => verdict(&cpu, &peer),
            _ => "",
        };
        let middle = |values: &[f64]| thousands(median(values).unwrap_or_default());
        writeln!(
            text,
            "| {name} | {:.2} ({:.2} to {:.2}) | {} | {} | {} | {} | {} | {} | {} | {word} |",
            cpu.median,
            cpu.least,
            cpu.most,
            against(peer),
            against(epoll),
            middle(&figures.per_second),
            middle(&figures.p50),
            middle(&figures.p99),
            middle(&figures.p99_9),
            middle(&figures.memory),
        )?;
    }
    for (name, figures) in &measured.contestants {
        if let Some(failure) = &figures.failure {
            writeln!(text, "| {name} | failed: {failure} | | | | | | | | |")?;
        }
    }
    writeln!(text)
}

fn counts(results: &Results) -> String {
    if results.counts.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "## What a message costs, counted\n\n64 B on 50 connections, servers of one thread \
         (`cargo xtask bench --count`). System calls by the kernel's trace point; \
         instructions in user space by \
         valgrind, as the difference of a long run and a short one.\n\n\
         | | system calls | instructions | ÷ tokio |\n|---|---:|---:|---:|\n",
    );
    let tokio = results.counts.get("tokio").and_then(|counts| counts.instructions);
    for contestant in contestants::ALL {
        let Some(counts) = results.counts.get(contestant.name) else { continue };
        let calls = counts.system_calls.map_or("-".into(), |calls| format!("{calls:.2}"));
        let instructions = counts.instructions.map_or("-".into(), thousands);
        let ratio = counts.instructions.zip(tokio);
        let ratio = ratio.map_or("-".into(), |(ours, tokio)| format!("{:.2}", ours / tokio));
        let _ = writeln!(text, "| {} | {calls} | {instructions} | {ratio} |", contestant.name);
    }
    text.push('\n');
    text
}

/// Rounded, with commas.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Of the compilers and of the peers.
pub fn versions(folder: &Path) -> Vec<String> {
    let mut versions = Vec::new();
    let mut ask = |name: &str, program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let said = output.ok().and_then(|output| String::from_utf8(output.stdout).ok());
        if let Some(line) = said.as_deref().and_then(|said| said.lines().next()) {
            versions.push(format!("{name}{}", line.trim()));
        }
    };
    ask("", "rustc", &["--version"]);
    ask("", "c++", &["--version"]);
    ask("libuv ", "pkg-config", &["--modversion", "libuv"]);
    ask("libevent ", "pkg-config", &["--modversion", "libevent"]);
    let lock = fs::read_to_string(folder.join("peers/Cargo.lock")).unwrap_or_default();
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("name = ").map(|name| name.trim_matches('"'));
        if let Some(name @ ("tokio" | "mio" | "monoio" | "compio" | "io-uring")) = name {
            let version = lines.next().and_then(|line| line.strip_prefix("version = "));
            versions.push(format!("{name} {}", version.unwrap_or_default().trim_matches('"')));
        }
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_where_we_stand() {
        let range = |median, least, most| Range { median, least, most };
        let peer = range(10.0, 9.5, 11.0);
        assert_eq!(verdict(&range(9.9, 9.0, 12.0), &peer), "best");
        assert_eq!(verdict(&range(10.0, 10.0, 10.0), &peer), "best");
        assert_eq!(verdict(&range(10.1, 9.0, 12.0), &peer), "level");
        assert_eq!(verdict(&range(10.1, 11.1, 12.0), &peer), "lost", "the ranges are apart");
        assert_eq!(verdict(&range(10.3, 9.0, 12.0), &peer), "lost");
    }

    #[test]
    fn numbers_have_commas() {
        let texts = [0.4, 999.0, 1000.0, 1_234_567.0].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_contestant_that_failed_is_said_to_have() {
        let mut measured = Measured { rounds: 2, seconds: 1.0, ..Measured::default() };
        let figures = |cpu: &[f64], failure: Option<&str>| Figures {
            cpu_us: cpu.to_vec(),
            failure: failure.map(String::from),
            ..Figures::default()
        };
        let mut add = |name: &str, figures| measured.contestants.insert(name.into(), figures);
        add("completion-port", figures(&[5.0, 5.2], None));
        add("tokio", figures(&[6.0, 6.4], None));
        add("mio", figures(&[1.0], Some("2 bytes missing")));
        let mut text = String::new();
        table(&mut text, &cells::ALL[1], &measured).unwrap();
        assert!(
            text.contains("| **completion-port** | 5.10 (5.00 to 5.20) | 0.82 | - |"),
            "{text}"
        );
        assert!(text.contains("| best |"), "{text}");
        assert!(text.contains("| mio | failed: 2 bytes missing |"), "{text}");
    }
}
