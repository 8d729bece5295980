//! The charts, each with its figures in a table.

use super::axis::{Axis, count};
use super::chart::{Bars, Caption, Lines, Point, Series, Shape};
use super::text::{escape, list, number, rounded, short, short_time};
use super::{Page, Value, connections, rows};
use crate::compare::findings as find;
use crate::compare::round::Cell;
use crate::compare::table::rate_of;
use crate::model::Model;

/// A line of quantiles is marked at these.
const MARKED: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

pub fn render(page: &Page) -> String {
    let mut html = String::from("<div class=\"figures\">\n");
    if page.plan.sweep().len() > 1 {
        html += &throughput(page);
        html += &cpu(page);
    }
    if let Some(paced) = page.plan.paced.or(page.plan.crowd) {
        html += &latency(page, paced);
    }
    if let Some(crowd) = page.plan.crowd {
        html += &share(page, crowd);
        html += &welcome(page, crowd);
    }
    if let Some(most) = page.plan.most.or(page.plan.crowd) {
        html += &memory(page, most);
    }
    html + "</div>\n"
}

fn figure(caption: &Caption, note: &str, draw: impl Fn(Shape) -> String, table: &str) -> String {
    let drawings: String = Shape::ALL.into_iter().map(draw).collect();
    format!(
        "<figure class=\"card\" id=\"{}\">\n<figcaption><h2>{}</h2><p class=\"note\">{}</p>\
         </figcaption>\n{drawings}<details><summary>The figures</summary>\n{table}</details>\n\
         </figure>\n",
        caption.id,
        escape(&caption.title),
        escape(note)
    )
}

fn throughput(page: &Page) -> String {
    let title = "Messages per second, by connections".to_string();
    let name = |axis: &Axis| named("messages/s", axis);
    let value = |value| format!("{} messages/s", number(value, 0));
    let note = "Closed loop: each connection sends its next message when the last one has come \
                back. Server and load, which has a core too, share in the result.";
    swept(
        page,
        Sweep { id: "throughput", title, note, name: &name, value: find::rate, write: &value },
    )
}

fn cpu(page: &Page) -> String {
    let title = "CPU per message, by connections".to_string();
    let name = |axis: &Axis| named("\u{b5}s of CPU per message", axis);
    let value = |value| format!("{} \u{b5}s per message", rounded(value));
    let note = "User and system time of the server alone, for each message that it sent back.";
    swept(page, Sweep { id: "cpu", title, note, name: &name, value: find::cpu_us, write: &value })
}

/// A figure against the number of connections.
struct Sweep<'a> {
    id: &'static str,
    title: String,
    note: &'a str,
    name: &'a dyn Fn(&Axis) -> String,
    value: Value,
    write: &'a dyn Fn(f64) -> String,
}

fn swept(page: &Page, sweep: Sweep) -> String {
    let cells = page.plan.sweep();
    let median = |model, cell: Cell| page.found.median(model, Some(cell), sweep.value);
    let series: Vec<Series> = each(page, |model| {
        let points = cells.iter().filter_map(|cell| {
            // Nothing at all has no place on an axis that is logarithmic; the table tells of it.
            let y = median(model, *cell).filter(|value| *value > 0.0)?;
            let x = cell.connections as f64;
            let text = format!("{model}, {}: {}", connections(*cell), (sweep.write)(y));
            Some(Point { x, y, text: Some(text) })
        });
        points.collect()
    });
    let values: Vec<f64> = all(&series).map(|point| point.y).collect();
    let y = Axis::of(&values, short);
    let (first, last) = (cells[0].connections as f64, cells[cells.len() - 1].connections as f64);
    let caption = Caption {
        id: sweep.id,
        description: description(&series, sweep.write, &last_of(&cells)),
        title: sweep.title,
    };
    let chart = Lines {
        x: Axis::decades(first, last, count),
        x_name: "connections, logarithmic".into(),
        y_name: (sweep.name)(&y),
        caption,
        y,
        series,
    };
    let heads: Vec<String> = cells.iter().map(|cell| number(cell.connections as f64, 0)).collect();
    let table = rows(&page.plan.models, &heads, |model, at| {
        median(model, cells[at]).map_or("\u{2013}".into(), rounded)
    });
    figure(&chart.caption, sweep.note, |shape| chart.draw(shape), &table)
}

fn latency(page: &Page, cell: Cell) -> String {
    let curve = |model| page.found.latency(model, cell);
    let write = |value: f64| match value {
        long if long >= 10_000.0 => format!("{} ms", rounded(long / 1000.0)),
        short => format!("{} \u{b5}s", number(short, 0)),
    };
    let is_marked = |at: f64| MARKED.iter().any(|marked| (at - marked).abs() < 1e-9);
    let series = each(page, |model| {
        let points = curve(model).into_iter().map(|(x, y)| Point {
            x,
            y,
            text: is_marked(x).then(|| format!("{model}, {}: {}", percentile(x), write(y))),
        });
        points.collect()
    });
    let values: Vec<f64> = all(&series).map(|point| point.y).collect();
    let most = all(&series).map(|point| point.x).fold(0.0, f64::max);
    let y = Axis::log(&values, short_time);
    let known: Vec<f64> = MARKED.into_iter().filter(|marked| *marked <= most + 1e-9).collect();
    let text = |model, at: f64| {
        let found = curve(model).into_iter().find(|(x, _)| (x - at).abs() < 1e-9);
        found.map_or("\u{2013}".to_string(), |(_, value)| write(value))
    };
    let caption = Caption {
        id: "latency",
        title: "Latency, by percentile".into(),
        description: format!(
            "Lines from the least latency to the greatest. Median latency: {}.",
            pairs(page, |model| text(model, 0.5))
        ),
    };
    let x_name = "percentile of messages".to_string();
    let y_name = named("until the echo was back", &y);
    let chart = Lines { caption, x: Axis::nines(most), y, x_name, y_name, series };
    let note = format!(
        "{}, {} messages/s in all, whatever the server does: from when a message was due until its \
         last byte was back. Each nine has as much room as the one before.",
        connections(cell),
        number(rate_of(cell), 0)
    );
    let heads: Vec<String> = known.iter().map(|at| percentile(*at)).collect();
    let table = rows(&page.plan.models, &heads, |model, at| text(model, known[at]));
    figure(&chart.caption, &note, |shape| chart.draw(shape), &table)
}

fn memory(page: &Page, cell: Cell) -> String {
    let note = format!(
        "{}: what each added to the server's own memory, its buffer and its part of a thread's \
         stack included; the kernel's socket is not.",
        connections(cell)
    );
    let (title, what) = ("Memory per connection".into(), "memory of each connection");
    let write = |value| format!("{} KiB", number(value, 1));
    barred(
        page,
        Barred { id: "memory", title, what, note, value: find::kib_per_connection, write },
        cell,
    )
}

fn share(page: &Page, cell: Cell) -> String {
    let note = format!(
        "User and system time of the server, of one core, while its clients send {} messages/s.",
        number(rate_of(cell), 0)
    );
    let (title, what) = ("CPU share at the fixed rate".into(), "CPU share");
    let write = |value| format!("{} %", rounded(value));
    barred(page, Barred { id: "share", title, what, note, value: find::cpu_share, write }, cell)
}

fn welcome(page: &Page, cell: Cell) -> String {
    let note = format!(
        "{} connect and send at once: how long it took until the last one that was served had its \
         first echo.",
        connections(cell)
    );
    let (title, what) = ("Time until all were served".into(), "time");
    let write = |value| format!("{} s", number(value, 2));
    barred(
        page,
        Barred { id: "welcome", title, what, note, value: find::served_seconds, write },
        cell,
    )
}

/// A figure of each model.
struct Barred {
    id: &'static str,
    title: String,
    what: &'static str,
    note: String,
    value: Value,
    write: fn(f64) -> String,
}

fn barred(page: &Page, figures: Barred, cell: Cell) -> String {
    let Barred { id, title, what, note, value, write } = figures;
    let models = &page.plan.models;
    let value = |model| page.found.median(model, Some(cell), value);
    let bars = models.iter().filter_map(|model| {
        let value = value(*model)?;
        Some((*model, value, write(value)))
    });
    let bars: Vec<_> = bars.collect();
    let text = |model| value(model).map_or("\u{2013}".into(), write);
    let caption = Caption { id, title, description: format!("Bars. {}.", pairs(page, text)) };
    let most = bars.iter().map(|(_, value, _)| *value).fold(0.0, f64::max);
    let chart = Bars { caption, most, bars };
    let table = rows(models, &[what.to_string()], |model, _| text(model));
    figure(&chart.caption, &note, |shape| chart.draw(shape), &table)
}

fn each(page: &Page, points: impl Fn(Model) -> Vec<Point>) -> Vec<Series> {
    page.plan.models.iter().map(|&model| Series { model, points: points(model) }).collect()
}

fn all(series: &[Series]) -> impl Iterator<Item = &Point> {
    series.iter().flat_map(|series| &series.points)
}

/// What a line chart says, for those who do not see it.
fn description(series: &[Series], write: &dyn Fn(f64) -> String, last: &str) -> String {
    let ends = series.iter().filter_map(|Series { model, points }| {
        Some(format!("{model} {}", write(points.last()?.y)))
    });
    let ends: Vec<String> = ends.collect();
    format!("Lines, one a model. At their ends, up to {last}: {}.", list(&ends))
}

fn pairs(page: &Page, text: impl Fn(Model) -> String) -> String {
    let pairs = page.plan.models.iter().map(|model| format!("{model} {}", text(*model)));
    list(&pairs.collect::<Vec<_>>())
}

fn last_of(cells: &[Cell]) -> String {
    cells.last().map(|cell| connections(*cell)).unwrap_or_default()
}

fn percentile(at: f64) -> String {
    format!("p{}", rounded_percent(at * 100.0))
}

fn rounded_percent(percent: f64) -> String {
    let text = format!("{percent:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A reader has to be told that an axis is not what it seems.
fn named(name: &str, axis: &Axis) -> String {
    if axis.is_log() { format!("{name}, logarithmic") } else { name.into() }
}
