//! What comes first: the findings in a few words, and the table.

use super::look::Look;
use super::text::{escape, list, number, rounded};
use super::{Page, Value, connections};
use crate::compare::findings::{self as find, Reach};
use crate::compare::round::Cell;
use crate::compare::table::rate_of;
use crate::model::Model;

/// Figures that differ by less are taken for equal: so do two runs of one model.
const EQUAL: f64 = 0.05;
/// What is not known, and why it may not be.
const NONE: &str = "\u{2013}";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Better {
    Less,
    More,
    Neither,
}

struct Column {
    head: &'static str,
    values: Vec<Option<f64>>,
    texts: Vec<String>,
    better: Better,
}

/// Columns under one head.
struct Group {
    head: String,
    columns: Vec<Column>,
}

pub fn render(page: &Page) -> String {
    let groups = groups(page);
    let mut html = tiles(page);
    html += "<section class=\"card\" id=\"overview\">\n<h2>Side by side</h2>\n\
             <p class=\"note\">Medians. The best of a column is bold, and what comes within 5 % of \
             it. Below a model\u{2019}s name stands what its threads wait in.</p>\n";
    html += &table(page, &groups);
    if let Some(caution) = page.setting.caution() {
        html += &format!("<p class=\"note\">{}</p>\n", escape(&caution));
    }
    for &model in &page.plan.models {
        if let Some(warning) = page.found.warning(model) {
            html += &format!("<p class=\"note\">{model} stopped: {}.</p>\n", escape(warning));
        }
    }
    if let Some(most) = page.plan.cut_to {
        html += &format!(
            "<p class=\"note\">Not more than {} connections were tried: the process may open no \
             more descriptors.</p>\n",
            number(most as f64, 0)
        );
    }
    for (model, failure) in page.found.failures() {
        html += &format!("<p class=\"fault\">{model} failed: {}</p>\n", escape(failure));
    }
    html + "</section>\n"
}

fn groups(page: &Page) -> Vec<Group> {
    let Page { plan, found, .. } = page;
    let median = |cell, value: Value| move |model| found.median(model, cell, value);
    let column = |head, better, decimals, value: &dyn Fn(Model) -> Option<f64>| {
        let values: Vec<_> = plan.models.iter().map(|model| value(*model)).collect();
        let text = |value: &Option<f64>| value.map_or(NONE.into(), |value| number(value, decimals));
        Column { head, texts: values.iter().map(text).collect(), values, better }
    };
    let mut groups = Vec::new();
    if let Some(main) = plan.main {
        let median = |value| median(plan.main, value);
        groups.push(Group {
            head: connections(main),
            columns: vec![
                column("messages/s", Better::More, 0, &median(find::rate)),
                column("CPU \u{b5}s each", Better::Less, 2, &median(find::cpu_us)),
                column("threads", Better::Neither, 0, &median(find::threads)),
            ],
        });
    }
    if let Some(paced) = plan.paced {
        groups.push(Group {
            head: format!("at {} messages/s", number(rate_of(paced), 0)),
            columns: vec![
                column("p50 \u{b5}s", Better::Less, 0, &median(plan.paced, find::p50)),
                column("p99 \u{b5}s", Better::Less, 0, &median(plan.paced, find::p99)),
            ],
        });
    }
    if let Some(most) = plan.most {
        let idle = |model| found.idle(model, most).map(|share| share * 100.0);
        let median = |value| median(plan.most, value);
        groups.push(Group {
            head: connections(most),
            columns: vec![
                column("served in s", Better::Less, 2, &median(find::served_seconds)),
                column("messages/s", Better::More, 0, &median(find::rate)),
                column("CPU \u{b5}s each", Better::Less, 2, &median(find::cpu_us)),
                column("idle CPU %", Better::Neither, 1, &idle),
                column("threads", Better::Neither, 0, &median(find::threads)),
                column("KiB each", Better::Less, 1, &median(find::kib_per_connection)),
            ],
        });
        groups.push(Group { head: "limits".into(), columns: limits(page) });
    }
    if let Some(crowd) = plan.crowd {
        let median = |value| median(plan.crowd, value);
        groups.push(Group {
            head: format!("{} at once", number(crowd.connections as f64, 0)),
            columns: vec![
                column("served", Better::More, 0, &median(find::served)),
                column("in s", Better::Less, 2, &median(find::served_seconds)),
            ],
        });
        groups.push(Group {
            head: format!("then {} messages/s", number(rate_of(crowd), 0)),
            columns: vec![
                column("messages/s", Better::Neither, 0, &median(find::rate)),
                column("CPU %", Better::Less, 0, &median(find::cpu_share)),
                column("p50 \u{b5}s", Better::Less, 0, &median(find::p50)),
                column("p99 \u{b5}s", Better::Less, 0, &median(find::p99)),
                column("threads", Better::Neither, 0, &median(find::threads)),
                column("KiB each", Better::Less, 1, &median(find::kib_per_connection)),
            ],
        });
    }
    groups
}

/// Where models stop, and how long their examples are.
fn limits(page: &Page) -> Vec<Column> {
    let models = &page.plan.models;
    let sweep = page.plan.sweep();
    let stops = models.iter().map(|model| match page.found.reach(*model, &sweep) {
        Reach::Stopped(served) => number(served as f64, 0),
        Reach::Unseen(_) => "none seen".into(),
        Reach::Unknown => NONE.into(),
    });
    let lines = models.iter().map(|model| match model.example_lines() {
        Some(lines) => lines.to_string(),
        None => NONE.into(),
    });
    let column = |head, texts: Vec<String>| {
        let values = vec![None; texts.len()];
        Column { head, values, texts, better: Better::Neither }
    };
    vec![column("stops at", stops.collect()), column("lines of example", lines.collect())]
}

/// On narrow pages each row is a card, and each of its figures bears its name.
fn table(page: &Page, groups: &[Group]) -> String {
    let mut html = String::from("<table class=\"overview\">\n<thead>\n<tr><td></td>");
    for group in groups {
        html += &format!(
            "<th scope=\"colgroup\" colspan=\"{}\">{}</th>",
            group.columns.len(),
            escape(&group.head)
        );
    }
    html += "</tr>\n<tr><th scope=\"col\">model</th>";
    let columns = || {
        groups.iter().flat_map(|group| {
            group.columns.iter().enumerate().map(move |(at, column)| (group, at == 0, column))
        })
    };
    let class = |first: bool, best: bool| match (first, best) {
        (true, true) => " class=\"first best\"",
        (true, false) => " class=\"first\"",
        (false, true) => " class=\"best\"",
        (false, false) => "",
    };
    for (_, first, column) in columns() {
        html += &format!("<th scope=\"col\"{}>{}</th>", class(first, false), escape(column.head));
    }
    html += "</tr>\n</thead>\n<tbody>\n";
    for (row, model) in page.plan.models.iter().enumerate() {
        html += &format!(
            "<tr class=\"s-{model}\"><th scope=\"row\"><div>\
             <svg class=\"mark\" viewBox=\"0 0 14 14\" aria-hidden=\"true\">{}</svg>\
             <span>{model}<small>{}</small></span></div></th>",
            Look::of(*model).mark(7.0, 7.0),
            model.waits_in()
        );
        for (group, first, column) in columns() {
            let best = column.best().is_some_and(|best| column.is_near(row, best));
            html += &format!(
                "<td{} data-name=\"{}\"{}>{}</td>",
                class(first, best),
                escape(column.head),
                if first {
                    format!(" data-group=\"{}\"", escape(&group.head))
                } else {
                    String::new()
                },
                escape(&column.texts[row])
            );
        }
        html += "</tr>\n";
    }
    html + "</tbody>\n</table>\n"
}

impl Column {
    fn best(&self) -> Option<f64> {
        let known = self.values.iter().flatten().copied();
        match self.better {
            Better::Less => known.reduce(f64::min),
            Better::More => known.reduce(f64::max),
            Better::Neither => None,
        }
    }

    fn is_near(&self, row: usize, best: f64) -> bool {
        self.values[row].is_some_and(|value| (value - best).abs() <= best.abs() * EQUAL)
    }
}

/// The best of some figures, with who it is.
fn tiles(page: &Page) -> String {
    let Page { plan, found, .. } = page;
    let best = |cell: Cell, better, value: Value| {
        let median = |model: &Model| found.median(*model, Some(cell), value);
        let values = plan.models.iter().map(median).collect();
        let column = Column { head: "", texts: Vec::new(), values, better };
        let best = column.best()?;
        let near = plan.models.iter().enumerate().filter(|(row, _)| column.is_near(*row, best));
        let names: Vec<String> = near.map(|(_, model)| model.to_string()).collect();
        let all = names.len() == plan.models.len() && names.len() > 1;
        Some((best, if all { "all models".to_string() } else { list(&names) }))
    };
    let mut html = String::from("<section class=\"tiles\" aria-label=\"In short\">\n");
    let mut tile = |what: String, figure: String, who: String| {
        html += &format!(
            "<div class=\"tile\"><p class=\"what\">{}</p><p class=\"figure\">{figure}</p>\
             <p class=\"who\">{}</p></div>\n",
            escape(&what),
            escape(&who)
        );
    };
    let unit = |figure: String, unit: &str| format!("{figure}<small> {unit}</small>");
    if let Some(main) = plan.main {
        if let Some((value, who)) = best(main, Better::Less, find::cpu_us) {
            let what = format!("Least CPU for a message, {}", connections(main));
            tile(what, unit(rounded(value), "\u{b5}s"), who);
        }
        if let Some((value, who)) = best(main, Better::More, find::rate) {
            let what = format!("Most messages, {}", connections(main));
            tile(what, unit(number(value, 0), "/s"), who);
        }
    }
    if let Some(crowd) = plan.crowd {
        if let Some((value, who)) = best(crowd, Better::Less, find::cpu_share) {
            let what = "Least of a core, at the fixed rate".to_string();
            tile(what, unit(number(value, 0), "%"), who);
        }
        if let Some((value, who)) = best(crowd, Better::More, find::served) {
            let what = format!("Most served of {} at once", number(crowd.connections as f64, 0));
            tile(what, number(value, 0), who);
        }
    }
    if let Some(many) = plan.most.or(plan.crowd)
        && let Some((value, who)) = best(many, Better::Less, find::kib_per_connection)
    {
        let what = format!("Least memory, each of {}", connections(many));
        tile(what, unit(rounded(value), "KiB"), who);
    }
    if let Some(most) = plan.most {
        let (figure, who) = stops(page, most);
        tile("Where models stop".into(), figure, who);
    }
    html + "</section>\n"
}

fn stops(page: &Page, most: Cell) -> (String, String) {
    let sweep = page.plan.sweep();
    let reach = |model: &Model| page.found.reach(*model, &sweep);
    let stopped: Vec<(u64, String)> = page
        .plan
        .models
        .iter()
        .filter_map(|model| match reach(model) {
            Reach::Stopped(served) => Some((served, model.to_string())),
            Reach::Unseen(_) | Reach::Unknown => None,
        })
        .collect();
    match stopped.iter().map(|(served, _)| *served).min() {
        None => ("none<small> seen</small>".into(), format!("up to {}", connections(most))),
        Some(least) => {
            let names: Vec<String> = stopped
                .iter()
                .map(|(served, name)| format!("{name} at {}", number(*served as f64, 0)))
                .collect();
            (number(least as f64, 0), list(&names))
        }
    }
}
