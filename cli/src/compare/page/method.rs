//! How it was measured, so that it can be judged and repeated.

use super::text::{escape, number};
use super::{Page, connections};
use crate::compare::Setting;
use crate::compare::findings as find;
use crate::compare::round::{Cell, Pace};

/// From which part of its core on the load itself is what limits.
const FULL: f64 = 0.95;

pub fn render(page: &Page) -> String {
    let Setting { cores, command, .. } = page.setting;
    let mut html = String::from(
        "<section class=\"card prose\" id=\"method\">\n<h2>How it was measured</h2>\n",
    );
    html += &format!(
        "<p>Each round starts <code>winsock serve</code> for one model in a process of its own and \
         loads it over the loopback interface from another: {}. The models take turns, so that \
         what else the machine does meets all of them. Every byte that came back was compared \
         with what was sent: {} bytes in all.</p>\n",
        escape(cores),
        number(page.found.bytes() as f64, 0)
    );
    html += &cells(page);
    html += &full(page);
    html += "<p>CPU is the user and system time of the server\u{2019}s process, kernel work for \
             its sockets included. Idle CPU is the greater of two looks: before the first \
             connection, and while all of them are open and silent. Latency is counted from when a \
             message was due, so a stall is charged for everything it held up. Memory is anonymous \
             memory in RAM. An example\u{2019}s lines are those of code: neither blank nor a \
             comment.</p>\n";
    html += &format!("<p>To repeat it: <code>{}</code></p>\n", escape(command));
    html + "</section>\n"
}

/// How long each cell ran.
fn cells(page: &Page) -> String {
    let mut html = String::from(
        "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th scope=\"col\">what</th>\
         <th scope=\"col\">bytes</th><th scope=\"col\">rounds for each model</th>\
         <th scope=\"col\">each measured for</th></tr></thead>\n<tbody>\n",
    );
    let mut cells: Vec<Cell> = page.plan.cells().collect();
    cells.sort_by_key(|cell| cell.connections);
    for cell in cells {
        let who = connections(cell);
        let what = match cell.pace {
            Pace::Closed => format!("{who}, closed loop"),
            Pace::Rate(rate) => format!("{who}, {} messages/s", number(rate, 0)),
            Pace::Crowd(rate) => format!("{who} at once, then {} messages/s", number(rate, 0)),
        };
        let rounds = match page.found.times(&page.plan.models, cell) {
            (_, 0) => "none: the time was up".into(),
            (fewest, most) if fewest == most => most.to_string(),
            (fewest, most) => format!("{fewest} to {most}"),
        };
        html += &format!(
            "<tr><th scope=\"row\">{what}</th><td>{}</td><td>{rounds}</td><td>{} s</td></tr>\n",
            number(cell.size as f64, 0),
            cell.seconds
        );
    }
    html + "</tbody></table></div>\n"
}

/// Where it is the load that could do no more.
fn full(page: &Page) -> String {
    let is_full = |cell: &Cell| {
        let share = |model| page.found.median(model, Some(*cell), find::load_share);
        page.plan.models.iter().any(|model| share(*model).is_some_and(|share| share >= FULL))
    };
    let sweep = page.plan.sweep();
    let full: Vec<String> = sweep
        .iter()
        .filter(|cell| is_full(cell))
        .map(|cell| number(cell.connections as f64, 0))
        .collect();
    if full.is_empty() {
        return String::new();
    }
    format!(
        "<p>With {} connections the load had its core full for some models: messages per second \
         tell of the load there, as much as of the server. CPU per message does not.</p>\n",
        super::text::list(&full)
    )
}
