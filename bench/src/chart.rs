//! The chart: CPU per message, a panel for each of some cells.

use std::fmt::Write;

use crate::cells;
use crate::contestants::{self, Contestant, Role};
use crate::results::{Range, Results};

const PANELS: [&str; 4] = ["64x50", "64x1000", "64x10000", "16Kx1000"];
const WIDTH: f64 = 760.0;
const NAMES: f64 = 170.0;
const VALUES: f64 = 60.0;
const ROW: f64 = 19.0;
const TITLE: f64 = 34.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}\
.t{font-weight:600;font-size:13px}\
.v{font-variant-numeric:tabular-nums}.ours{fill:#0b6bcb}.loop{fill:#8c959f}.peer{fill:#c4c9cf}\
.range{stroke:#1f2328;stroke-width:1}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}\
.ours{fill:#4ea1f5}.loop{fill:#7d8590}.peer{fill:#484f58}\
.range{stroke:#e6edf3}}";

/// Bars of medians, each with its least and most; shorter is better.
pub fn cpu(results: &Results) -> String {
    let mut body = String::new();
    let mut top = 0.0;
    for name in PANELS {
        let Ok(cell) = cells::named(name) else { continue };
        let Some(measured) = results.cells.get(name) else { continue };
        let mut rows: Vec<(&Contestant, Range)> = Vec::new();
        for contestant in contestants::ALL.iter().filter(|one| one.role != Role::Wine) {
            let figures = measured.contestants.get(contestant.name);
            let range = figures.filter(|figures| figures.failure.is_none());
            rows.extend(range.and_then(|figures| figures.cpu()).map(|range| (contestant, range)));
        }
        rows.sort_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
        let most = rows.iter().map(|(_, range)| range.most).fold(0.0, f64::max);
        let scale = (WIDTH - NAMES - VALUES) / most;
        let title = cell.title;
        let _ = write!(
            body,
            "<text class='t' x='0' y='{:.0}'>{title}: \
             server CPU µs per message, less is better</text>",
            top + 22.0
        );
        top += TITLE;
        for (contestant, range) in rows {
            row(&mut body, top, contestant, &range, scale);
            top += ROW;
        }
        top += 12.0;
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {top:.0}' width='{WIDTH}' \
         role='img' \
         aria-label='Server CPU time per message of each contestant'>\
         <style>{STYLE}</style>{body}</svg>\n"
    )
}

fn row(body: &mut String, top: f64, contestant: &Contestant, range: &Range, scale: f64) {
    let class = match contestant.role {
        Role::Ours => "ours",
        Role::Loop => "loop",
        Role::Peer | Role::Wine => "peer",
    };
    let (name, middle) = (contestant.name, top + ROW / 2.0);
    let (least, most) = (NAMES + range.least * scale, NAMES + range.most * scale);
    let _ = write!(
        body,
        "<text x='{:.0}' y='{:.1}' text-anchor='end'>{name}</text>\
         <rect class='{class}' x='{NAMES}' y='{:.1}' width='{:.1}' height='{:.0}'/>\
         <line class='range' x1='{least:.1}' x2='{most:.1}' y1='{middle:.1}' y2='{middle:.1}'/>\
         <text class='v' x='{:.1}' y='{:.1}'>{:.2}</text>",
        NAMES - 8.0,
        middle + 4.0,
        top + 2.0,
        range.median * scale,
        ROW - 4.0,
        most + 6.0,
        middle + 4.0,
        range.median
    );
}
