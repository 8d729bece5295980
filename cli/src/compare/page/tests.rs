//! The page's structure, with figures made up for every model there is.

use std::collections::HashSet;

use roxmltree::Document;

use super::*;
use crate::compare::round::{Cell, Pace, Round};
use crate::load::tally::{Latency, Mode, Report, Server, Silence};

fn setting() -> Setting {
    Setting {
        date: "2025-11-25".into(),
        machine: "Linux <6.18> & more, 2 cores".into(),
        backend: "epoll",
        cores: "server on core 0, load on core 1".into(),
        load_average: Some(3.25),
        command: "winsock compare --html \"a<b>.html\"".into(),
    }
}

fn cell(connections: u64, pace: Pace) -> Cell {
    let silence = (connections >= 10_000).then_some(0.5);
    Cell { connections, size: 64, pace, seconds: 0.5, silence }
}

fn plan(models: Vec<Model>) -> Plan {
    let closed = |connections| cell(connections, Pace::Closed);
    let paced = cell(100, Pace::Rate(5000.0));
    let others = vec![closed(1), closed(10), closed(1000)];
    Plan::made(models, [closed(100), paced, closed(10_000)], others)
}

/// What a model might have done, each a little worse than the one before.
fn report(cell: Cell, rank: usize) -> Report {
    let worse = 1.0 + rank as f64 / 4.0;
    let many = (cell.connections as f64).log10();
    let rate = match cell.pace {
        Pace::Closed => (20_000.0 + 20_000.0 * many.min(2.0) - 4_000.0 * many) / worse,
        Pace::Rate(rate) | Pace::Crowd(rate) => rate,
    };
    let nines = (0..30).map(|tenth| 1.0 - 10f64.powf(-f64::from(tenth) / 10.0));
    let curve: Vec<_> = nines.map(|at| (at, 30.0 * worse / (1.0 - at).sqrt())).collect();
    let silence = Some(Silence { seconds: 0.5, cpu_seconds: 0.0 });
    Report {
        target: "127.0.0.1:1".into(),
        mode: Mode::Closed,
        connections: cell.connections as usize,
        size: 64,
        depth: 1,
        served: cell.connections,
        served_seconds: cell.connections as f64 / 9000.0 * worse,
        seconds: cell.seconds,
        messages: (rate * cell.seconds) as u64,
        messages_per_second: rate,
        load_cpu_seconds: 0.49,
        bytes: 1_000_000,
        latency_us: Latency { p50: 40.0, p90: 90.0, p99: 300.0, p99_9: 900.0, max: 2000.0, curve },
        errors: 0,
        missing_bytes: 0,
        first_error: None,
        server: Some(Server {
            connect_cpu_seconds: 0.1,
            silence,
            cpu_seconds: 0.5,
            cpu_us_per_message: Some(5.0 * worse + 2.0 * many),
            threads: 4,
            memory_before: 4_000_000,
            memory: 4_000_000 + cell.connections * (4_800.0 * worse) as u64,
        }),
    }
}

fn rounds(plan: &Plan) -> Vec<Round> {
    let cells: Vec<Cell> = plan.cells().collect();
    let each = plan.models.iter().enumerate();
    each.flat_map(|(rank, model)| cells.iter().map(move |cell| (rank, *model, *cell)))
        .map(|(rank, model, cell)| Round {
            model,
            cell,
            load: Some(report(cell, rank)),
            idle: Some(Silence { seconds: 0.5, cpu_seconds: 0.0 }),
            warning: None,
            failure: None,
        })
        .collect()
}

fn page(plan: &Plan, rounds: &[Round]) -> String {
    Page { setting: &setting(), plan, found: &Findings::new(rounds) }.to_string()
}

/// The drawings, parsed: they are well-formed, or this fails.
fn drawings(page: &str) -> Vec<&str> {
    let begins = page.match_indices("<svg").map(|(at, _)| at);
    begins
        .map(|at| {
            let length = page[at..].find("</svg>").expect("it ends") + "</svg>".len();
            &page[at..at + length]
        })
        .collect()
}

#[test]
fn every_model_is_in_every_chart() {
    let plan = plan(Model::all());
    let page = page(&plan, &rounds(&plan));
    let charts: Vec<&str> =
        drawings(&page).into_iter().filter(|drawing| drawing.contains("role=\"img\"")).collect();
    // Four charts, for wide pages and for narrow ones; and a mark for each model in the table.
    assert_eq!(charts.len(), 8);
    assert_eq!(drawings(&page).len() - charts.len(), Model::all().len());
    for chart in charts {
        let document = Document::parse(chart).expect("well-formed XML");
        let named = |name| document.descendants().filter(move |node| node.has_tag_name(name));
        let svg = document.root_element();
        let labels = svg.attribute("aria-labelledby").expect("it has a name");
        for label in labels.split(' ') {
            let of_label = |node: &roxmltree::Node| node.attribute("id") == Some(label);
            let node = document.descendants().find(of_label).expect("its title, or its text");
            assert!(node.text().is_some_and(|text| !text.is_empty()), "{label}");
        }
        let groups: Vec<_> = named(("http://www.w3.org/2000/svg", "g"))
            .filter_map(|node| node.attribute("data-model"))
            .collect();
        let models: Vec<String> = Model::all().iter().map(Model::to_string).collect();
        assert_eq!(groups, models);
    }
}

#[test]
fn places_are_numbers_and_inside() {
    let plan = plan(Model::all());
    let page = page(&plan, &rounds(&plan));
    assert!(!page.contains("NaN") && !page.contains("inf"), "a number that is none");
    for drawing in drawings(&page) {
        let document = Document::parse(drawing).expect("well-formed XML");
        let view: Vec<f64> = document
            .root_element()
            .attribute("viewBox")
            .expect("a size")
            .split(' ')
            .map(|part| part.parse().expect("a number"))
            .collect();
        for node in document.descendants() {
            for (name, most) in [("x", view[2]), ("cx", view[2]), ("y", view[3]), ("cy", view[3])] {
                let place = node.attribute(name).map(|text| text.parse::<f64>().expect(name));
                assert!(place.is_none_or(|at| (0.0..=most).contains(&at)), "{name} {place:?}");
            }
        }
    }
}

#[test]
fn ids_are_unique_and_nothing_is_fetched() {
    let plan = plan(Model::all());
    let page = page(&plan, &rounds(&plan));
    let mut seen = HashSet::new();
    for part in page.split(" id=\"").skip(1) {
        let id = part.split('"').next().expect("an id ends");
        assert!(seen.insert(id), "{id} twice");
    }
    assert!(seen.len() > 20);
    for foreign in ["<script", "src=", "http://", "https://", "@import", "url("] {
        let allowed = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!allowed.contains(foreign), "{foreign}");
    }
    assert!(page.contains("Linux &lt;6.18&gt; &amp; more"));
    assert!(page.contains("a&lt;b&gt;.html"));
    assert!(page.contains("other work when this began (load average 3.2)"));
}

#[test]
fn gaps_are_no_zeros() {
    let plan = plan(vec![Model::CompletionPort, Model::ThreadPerClient]);
    let mut rounds = rounds(&plan);
    for round in &mut rounds {
        if round.model == Model::ThreadPerClient && round.cell.connections == 10_000 {
            // It met its limit, and nothing was measured.
            let load = round.load.as_mut().expect("a report");
            (load.served, load.seconds, load.messages) = (6_000, 0.0, 0);
            round.warning = Some("there are 6000 threads".into());
        }
        if round.cell.connections == 1 {
            // The time was up.
            round.load = None;
        }
    }
    let page = page(&plan, &rounds);
    assert!(!page.contains("NaN"));
    assert!(page.contains("thread-per-client at 6,000"), "{page}");
    assert!(page.contains("thread-per-client stopped: there are 6000 threads."));
    let drawing = drawings(&page).into_iter().find(|one| one.contains("throughput-wide"));
    let points = drawing.expect("a chart").matches("class=\"touch\"").count();
    assert_eq!(points, 7, "four of one model, three of the other");
}

#[test]
fn a_page_without_figures_is_a_page() {
    let plan = plan(Model::all());
    let page = page(&plan, &[]);
    for drawing in drawings(&page) {
        Document::parse(drawing).expect("well-formed XML");
    }
    assert!(!page.contains("NaN") && page.ends_with("</html>\n"));
}
