//! From values to places: where a value lies on an axis, and what is written beside it.

use super::text;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    Log,
    /// Quantiles: each further nine as far from the last as that from the one before.
    Nines,
}

/// An axis from its least value to its greatest.
#[derive(Clone, Debug)]
pub struct Axis {
    scale: Scale,
    least: f64,
    most: f64,
    pub ticks: Vec<Tick>,
}

#[derive(Clone, Debug)]
pub struct Tick {
    pub value: f64,
    pub text: String,
}

/// How much greater the greatest value may be than the least before an axis is logarithmic.
const WIDE: f64 = 12.0;

impl Axis {
    /// For amounts, from zero; logarithmic if some would otherwise lie flat on it.
    pub fn of(values: &[f64], write: fn(f64) -> String) -> Axis {
        let most = values.iter().copied().fold(0.0, f64::max);
        let least = values.iter().copied().filter(|value| *value > 0.0).fold(most, f64::min);
        if least > 0.0 && most / least > WIDE {
            Axis::log(values, write)
        } else {
            Axis::linear(most, write)
        }
    }

    fn linear(most: f64, write: fn(f64) -> String) -> Axis {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = step(most / 4.5);
        let count = (most / step).ceil();
        let ticks = (0..=count as u32).map(|at| f64::from(at) * step);
        let ticks = ticks.map(|value| Tick { value, text: write(value) }).collect();
        Axis { scale: Scale::Linear, least: 0.0, most: count * step, ticks }
    }

    /// Between powers of ten, or what is nearest of 1, 2 and 5 times one.
    pub fn log(values: &[f64], write: fn(f64) -> String) -> Axis {
        let positive = || values.iter().copied().filter(|value| *value > 0.0);
        let (low, high) =
            (positive().fold(f64::INFINITY, f64::min), positive().fold(0.0, f64::max));
        let (low, high) = if high > 0.0 { (low, high) } else { (1.0, 10.0) };
        let steps = |power: i32| [1.0, 2.0, 5.0].map(|part| part * 10f64.powi(power));
        let powers = (low.log10().floor() as i32 - 1)..=(high.log10().ceil() as i32 + 1);
        let marks: Vec<f64> = powers.flat_map(steps).collect();
        let least = marks.iter().copied().rfind(|mark| *mark <= low).unwrap_or(low);
        let most = marks.iter().copied().find(|mark| *mark >= high && *mark > least);
        let most = most.unwrap_or(high * 10.0);
        let inside = |mark: &f64| (least..=most).contains(mark);
        let mut shown: Vec<f64> = marks.into_iter().filter(inside).collect();
        if shown.len() > 7 {
            shown.retain(|mark| is_power_of_ten(*mark));
        }
        let ticks = shown.into_iter().map(|value| Tick { value, text: write(value) }).collect();
        Axis { scale: Scale::Log, least, most, ticks }
    }

    /// From `least` to `most` in powers of ten, which are all written.
    pub fn decades(least: f64, most: f64, write: fn(f64) -> String) -> Axis {
        let most = most.max(least * 10.0);
        let powers = (0..).map(|power| least * 10f64.powi(power));
        let powers = powers.take_while(|value| *value <= most * 1.0001);
        let ticks = powers.map(|value| Tick { value, text: write(value) }).collect();
        Axis { scale: Scale::Log, least, most, ticks }
    }

    /// For quantiles, up to the greatest.
    pub fn nines(most: f64) -> Axis {
        let known = [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9")];
        let further = [(0.9999, "99.99"), (0.99999, "99.999")];
        let most = most.clamp(0.9, 0.99999);
        let ticks = known.into_iter().chain(further).filter(|(value, _)| *value <= most + 1e-9);
        let ticks = ticks.map(|(value, text)| Tick { value, text: text.into() }).collect();
        Axis { scale: Scale::Nines, least: 0.0, most, ticks }
    }

    pub fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    /// 0 at the least value, 1 at the greatest.
    pub fn place(&self, value: f64) -> f64 {
        let along = |value: f64| match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(self.least).log10(),
            Scale::Nines => -(1.0 - value.min(self.most)).log10(),
        };
        let (from, to) = (along(self.least), along(self.most));
        ((along(value) - from) / (to - from)).clamp(0.0, 1.0)
    }
}

/// The least of 1, 2, 2.5 and 5 times a power of ten that is not below `least`.
fn step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|part| part * power);
    steps.into_iter().find(|step| *step >= least).unwrap_or(10.0 * power)
}

fn is_power_of_ten(value: f64) -> bool {
    let power = value.log10();
    (power - power.round()).abs() < 1e-9
}

/// Writes numbers of connections.
pub fn count(value: f64) -> String {
    text::number(value, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.text.as_str()).collect()
    }

    #[test]
    fn amounts_begin_at_zero() {
        let axis = Axis::of(&[61_240.0, 24_673.0], text::short);
        assert_eq!(texts(&axis), ["0", "20k", "40k", "60k", "80k"]);
        assert_eq!(axis.place(0.0), 0.0);
        assert_eq!(axis.place(40_000.0), 0.5);
    }

    #[test]
    fn amounts_far_apart_are_logarithmic() {
        let axis = Axis::of(&[3.0, 90.0], text::short);
        assert_eq!(texts(&axis), ["2", "5", "10", "20", "50", "100"]);
        assert_eq!(axis.place(2.0), 0.0);
        assert_eq!(axis.place(100.0), 1.0);
    }

    #[test]
    fn connections_are_in_decades() {
        let axis = Axis::decades(1.0, 10_000.0, count);
        assert_eq!(texts(&axis), ["1", "10", "100", "1,000", "10,000"]);
        assert!((axis.place(100.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn each_nine_is_a_step() {
        let axis = Axis::nines(0.999);
        assert_eq!(texts(&axis), ["0", "50", "90", "99", "99.9"]);
        assert!((axis.place(0.9) - 1.0 / 3.0).abs() < 1e-9);
        assert!((axis.place(0.99) - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_is_a_number_all_the_same() {
        for axis in [Axis::of(&[], text::short), Axis::log(&[0.0], text::short)] {
            assert!(axis.place(0.0).is_finite() && axis.ticks.len() > 1, "{axis:?}");
        }
    }
}
