//! The page: everything in one file, without a script and without anything to fetch.

mod axis;
mod chart;
mod figures;
mod look;
mod method;
mod overview;
mod text;

use std::fmt;

use self::text::{escape, in_words};
use super::Setting;
use super::findings::Findings;
use super::plan::Plan;
use super::round::{Cell, Pace};
use crate::load::tally::Report;
use crate::model::Model;

const STYLE: &str = include_str!("page/style.css");

pub struct Page<'a> {
    pub setting: &'a Setting,
    pub plan: &'a Plan,
    pub found: &'a Findings<'a>,
}

/// One of the figures of a report.
type Value = fn(&Report) -> Option<f64>;

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { date, machine, backend, .. } = self.setting;
        let models = match self.plan.models[..] {
            [model] => format!("The socket model {model}"),
            ref many => format!("{} socket models", in_words(many.len())),
        };
        let what = match self.plan.crowd {
            Some(crowd) => {
                let clients = text::number(crowd.connections as f64, 0);
                format!("{models}, {clients} clients at once")
            }
            None => format!("{models}, one echo"),
        };
        writeln!(
            f,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{} \u{2013} winsock compare, {date}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <header>\n<p class=\"eyebrow\">winsock compare</p>\n<h1>{}</h1>\n\
             <p class=\"where\">{date} \u{b7} {} \u{b7} {backend}</p>\n</header>",
            escape(&what),
            escape(&what),
            escape(machine),
        )?;
        f.write_str(&overview::render(self))?;
        f.write_str(&figures::render(self))?;
        f.write_str(&method::render(self))?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

/// How many there are in a cell, in words.
fn connections(cell: Cell) -> String {
    let noun = match (cell.pace, cell.connections) {
        (Pace::Crowd(_), _) => "clients",
        (Pace::Closed | Pace::Rate(_), 1) => "connection",
        (Pace::Closed | Pace::Rate(_), _) => "connections",
    };
    format!("{} {noun}", text::number(cell.connections as f64, 0))
}

/// A table under a chart: a row for each model.
fn rows(models: &[Model], heads: &[String], cell: impl Fn(Model, usize) -> String) -> String {
    let mut html =
        String::from("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>model</th>");
    for head in heads {
        html += &format!("<th scope=\"col\">{}</th>", escape(head));
    }
    html += "</tr></thead>\n<tbody>\n";
    for &model in models {
        html += &format!("<tr><th scope=\"row\">{model}</th>");
        for column in 0..heads.len() {
            html += &format!("<td>{}</td>", escape(&cell(model, column)));
        }
        html += "</tr>\n";
    }
    html + "</tbody></table></div>\n"
}

#[cfg(test)]
mod tests;
