//! Line charts and bars, as SVG: each once for wide pages and once for narrow ones.

use super::axis::Axis;
use super::look::Look;
use super::text::escape;
use crate::model::Model;

/// A chart is drawn for a width, so that its text has one size on all.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Wide,
    Narrow,
}

impl Shape {
    pub const ALL: [Shape; 2] = [Shape::Wide, Shape::Narrow];

    fn name(self) -> &'static str {
        match self {
            Shape::Wide => "wide",
            Shape::Narrow => "narrow",
        }
    }

    fn width(self) -> f64 {
        match self {
            Shape::Wide => 548.0,
            Shape::Narrow => 326.0,
        }
    }

    /// To the right of the lines, for their names.
    fn gutter(self) -> f64 {
        match self {
            Shape::Wide => 146.0,
            Shape::Narrow => 90.0,
        }
    }

    fn label(self, model: Model) -> String {
        match self {
            Shape::Wide => model.to_string(),
            Shape::Narrow => Look::of(model).short.to_string(),
        }
    }
}

/// What a chart is called and says, to whoever does not see it too.
pub struct Caption {
    pub id: &'static str,
    pub title: String,
    pub description: String,
}

pub struct Lines {
    pub caption: Caption,
    pub x: Axis,
    pub y: Axis,
    pub x_name: String,
    pub y_name: String,
    pub series: Vec<Series>,
}

pub struct Series {
    pub model: Model,
    pub points: Vec<Point>,
}

pub struct Point {
    pub x: f64,
    pub y: f64,
    /// Points with a text are marked, and say it when pointed at.
    pub text: Option<String>,
}

pub struct Bars {
    pub caption: Caption,
    /// The greatest of them.
    pub most: f64,
    /// With what is written at its end.
    pub bars: Vec<(Model, f64, String)>,
}

const TOP: f64 = 34.0;
const LEFT: f64 = 46.0;
const HEIGHT: f64 = 380.0;
const BOTTOM: f64 = HEIGHT - 46.0;
/// How far apart the names of lines have to be.
const LABEL: f64 = 19.0;

impl Lines {
    pub fn draw(&self, shape: Shape) -> String {
        let frame = Frame { left: LEFT, right: shape.width() - shape.gutter() };
        let mut svg = begin(&self.caption, shape, HEIGHT);
        svg += &self.grid(&frame, shape);
        let ends: Vec<f64> = self.drawn().map(|series| self.end(series, &frame).1).collect();
        let labels = spread(&ends, TOP + 4.0, BOTTOM - 2.0);
        for (series, label) in self.drawn().zip(labels) {
            svg += &self.line(series, label, &frame, shape);
        }
        svg + "</svg>\n"
    }

    fn drawn(&self) -> impl Iterator<Item = &Series> {
        self.series.iter().filter(|series| !series.points.is_empty())
    }

    fn grid(&self, frame: &Frame, shape: Shape) -> String {
        let mut svg =
            format!("<text class=\"name\" x=\"0\" y=\"12\">{}</text>\n", escape(&self.y_name));
        for tick in &self.y.ticks {
            let y = frame.y(self.y.place(tick.value));
            svg += &format!(
                "<path class=\"grid\" d=\"M{:.1} {y:.1}H{:.1}\"/>\
                 <text class=\"tick y\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
                frame.left,
                frame.right,
                frame.left - 7.0,
                y + 4.0,
                escape(&tick.text)
            );
        }
        for tick in &self.x.ticks {
            let x = frame.x(self.x.place(tick.value));
            let text = match shape {
                Shape::Wide => tick.text.clone(),
                // There is no room for 10,000 beside 1,000.
                Shape::Narrow => tick.text.replace(",000", "k"),
            };
            svg += &format!(
                "<path class=\"base\" d=\"M{x:.1} {BOTTOM:.1}v5\"/>\
                 <text class=\"tick x\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>\n",
                BOTTOM + 19.0,
                escape(&text)
            );
        }
        svg + &format!(
            "<path class=\"base\" d=\"M{:.1} {BOTTOM:.1}H{:.1}\"/>\
             <text class=\"name x\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            frame.left,
            frame.right,
            (frame.left + frame.right) / 2.0,
            HEIGHT - 6.0,
            escape(&self.x_name)
        )
    }

    fn at(&self, point: &Point, frame: &Frame) -> (f64, f64) {
        (frame.x(self.x.place(point.x)), frame.y(self.y.place(point.y)))
    }

    fn end(&self, series: &Series, frame: &Frame) -> (f64, f64) {
        series.points.last().map_or((0.0, 0.0), |point| self.at(point, frame))
    }

    /// The line, its marks, and its name at its end.
    fn line(&self, series: &Series, label: f64, frame: &Frame, shape: Shape) -> String {
        let look = Look::of(series.model);
        let (mut path, mut marks) = (String::new(), String::new());
        for point in &series.points {
            let (x, y) = self.at(point, frame);
            let verb = if path.is_empty() { 'M' } else { 'L' };
            path += &format!("{verb}{x:.1} {y:.1}");
            if let Some(text) = &point.text {
                marks += &format!(
                    "<g><title>{}</title><circle class=\"touch\" cx=\"{x:.1}\" cy=\"{y:.1}\" \
                     r=\"11\"/>{}</g>",
                    escape(text),
                    look.mark(x, y)
                );
            }
        }
        let (x, y) = self.end(series, frame);
        let at = frame.right + 18.0;
        format!(
            "<g class=\"series s-{model}\" data-model=\"{model}\">\
             <path class=\"lead\" d=\"M{:.1} {y:.1}L{:.1} {label:.1}\"/>\
             <path class=\"line\"{} d=\"{path}\"/>{marks}{}\
             <text class=\"label\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>\n",
            x + 6.0,
            at - 7.0,
            look.dashes(),
            look.mark(at, label),
            at + 9.0,
            label + 4.0,
            shape.label(series.model),
            model = series.model,
        )
    }
}

/// Where the lines are.
struct Frame {
    left: f64,
    right: f64,
}

impl Frame {
    fn x(&self, place: f64) -> f64 {
        self.left + place * (self.right - self.left)
    }

    fn y(&self, place: f64) -> f64 {
        BOTTOM - place * (BOTTOM - TOP)
    }
}

/// Moves places apart, as little as it takes, and keeps their order.
fn spread(wanted: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = wanted.to_vec();
    let mut least = top;
    for &at in &order {
        places[at] = places[at].max(least);
        least = places[at] + LABEL;
    }
    let mut most = bottom;
    for &at in order.iter().rev() {
        places[at] = places[at].min(most);
        most = places[at] - LABEL;
    }
    places
}

/// The room that bars share, and how much of it each may have.
const ROOM: f64 = 320.0;
const LEAST_ROW: f64 = 34.0;
const MOST_ROW: f64 = 46.0;

impl Bars {
    pub fn draw(&self, shape: Shape) -> String {
        let row = (ROOM / self.bars.len() as f64).clamp(LEAST_ROW, MOST_ROW);
        let height = row * self.bars.len() as f64;
        let mut svg = begin(&self.caption, shape, height);
        let left = match shape {
            Shape::Wide => 158.0,
            Shape::Narrow => 90.0,
        };
        // What is written stands at the end of its bar.
        let right = shape.width() - 80.0;
        for (at, (model, value, text)) in self.bars.iter().enumerate() {
            let middle = (at as f64 + 0.5) * row;
            let length = value / self.most.max(f64::MIN_POSITIVE) * (right - left);
            svg += &format!(
                "<g class=\"series s-{model}\" data-model=\"{model}\">{}\
                 <text class=\"label\" x=\"18\" y=\"{:.1}\">{}</text>\
                 <rect class=\"bar\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" \
                 height=\"{:.1}\" rx=\"2\"/>\
                 <text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text></g>\n",
                Look::of(*model).mark(7.0, middle),
                middle + 4.0,
                shape.label(*model),
                middle - row * 0.31,
                length.max(1.5),
                row * 0.62,
                left + length + 8.0,
                middle + 4.5,
                escape(text),
            );
        }
        svg += &format!("<path class=\"base\" d=\"M{left:.1} 0V{height:.1}\"/>\n");
        svg + "</svg>\n"
    }
}

fn begin(caption: &Caption, shape: Shape, height: f64) -> String {
    let Caption { id, title, description } = caption;
    let (name, width) = (shape.name(), shape.width());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}-{name}\" class=\"{name}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-{name}-title {id}-{name}-desc\">\n\
         <title id=\"{id}-{name}-title\">{}</title>\n<desc id=\"{id}-{name}-desc\">{}</desc>\n",
        escape(title),
        escape(description)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_lines_are_kept_apart() {
        let places = spread(&[100.0, 101.0, 99.0, 200.0], 0.0, 210.0);
        assert_eq!(places, [118.0, 137.0, 99.0, 200.0]);
        let low = spread(&[209.0, 210.0], 0.0, 210.0);
        assert_eq!(low, [191.0, 210.0]);
    }
}
