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
    Cross,
}

impl Look {
    pub fn of(model: Model) -> Look {
        let (short, dashes, mark) = match model {
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
        let drawn = |path: String| format!("<path class=\"hollow\" d=\"{path}\"/>");
        match self.mark {
            Mark::Circle => format!("<circle class=\"fill\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"),
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
