//! How a model's line looks: by colour, and without any by its dashes and its marks.

use crate::model::Model;

#[derive(Clone, Copy)]
pub struct Look {
    /// What it is called where there is little room.
    pub short: &'static str,
    dashes: &'static str,
    mark: Mark,
}

#[derive(Clone, Copy)]
enum Mark {
    Circle,
    Ring,
    Square,
    Frame,
    Triangle,
    Diamond,
    Cross,
}

impl Look {
    pub fn of(model: Model) -> Look {
        let (short, dashes, mark) = match model {
            Model::Select => ("select", "1 4", Mark::Triangle),
            Model::AsyncSelect => ("async", "11 4", Mark::Square),
            Model::EventSelect => ("event", "7 3 1.5 3", Mark::Diamond),
            Model::OverlappedEvent => ("overlapped", "4 3", Mark::Frame),
            Model::CompletionRoutine => ("routine", "14 3 3 3", Mark::Ring),
            Model::CompletionPort => ("port", "", Mark::Circle),
            Model::ThreadPerClient => ("thread", "2 4", Mark::Cross),
        };
        Look { short, dashes, mark }
    }

    pub fn dashes(self) -> String {
        match self.dashes {
            "" => String::new(),
            dashes => format!(" stroke-dasharray=\"{dashes}\""),
        }
    }

    /// The model's mark, at a place.
    pub fn mark(self, x: f64, y: f64) -> String {
        let filled = |path: String| format!("<path class=\"fill\" d=\"{path}\"/>");
        let drawn = |path: String| format!("<path class=\"hollow\" d=\"{path}\"/>");
        let box_of = |r: f64| format!("M{:.1} {:.1}h{d}v{d}h-{d}z", x - r, y - r, d = 2.0 * r);
        match self.mark {
            Mark::Circle => format!("<circle class=\"fill\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
            Mark::Ring => {
                format!("<circle class=\"hollow\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.8\"/>")
            }
            Mark::Square => filled(box_of(3.6)),
            Mark::Frame => drawn(box_of(3.4)),
            Mark::Triangle => filled(format!("M{x:.1} {:.1}l4.7 8.2h-9.4z", y - 5.0)),
            Mark::Diamond => filled(format!("M{x:.1} {:.1}l4.9 4.9l-4.9 4.9l-4.9 -4.9z", y - 4.9)),
            Mark::Cross => drawn(format!(
                "M{:.1} {:.1}l7 7M{:.1} {:.1}l-7 7",
                x - 3.5,
                y - 3.5,
                x + 3.5,
                y - 3.5
            )),
        }
    }
}
