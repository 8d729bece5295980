//! Text for people: names, numbers, units, and what HTML and SVG want escaped.

/// As text and as an attribute's value.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            // What XML has no way to write.
            control if control.is_control() && control != '\n' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// With commas, and with so many decimals.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((&*text, None), |(a, b)| (a, Some(b)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "\u{2212}" } else { "" };
    match rest {
        Some(rest) => format!("{sign}{grouped}.{rest}"),
        None => format!("{sign}{grouped}"),
    }
}

/// About three digits of it.
pub fn rounded(value: f64) -> String {
    let decimals = match value.abs() {
        small if small < 0.0005 => 0,
        small if small < 9.995 => 2,
        middle if middle < 99.95 => 1,
        _ => 0,
    };
    number(value, decimals)
}

/// For an axis: 60k, 1.5M.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{unit}", plain(scaled))
}

/// A round number, with no more decimals than it has.
fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A time for an axis, given in microseconds.
pub fn short_time(microseconds: f64) -> String {
    match microseconds {
        long if long >= 1e6 => format!("{} s", plain(long / 1e6)),
        long if long >= 1e3 => format!("{} ms", plain(long / 1e3)),
        short => format!("{} µs", plain(short)),
    }
}

/// A number that begins or stands in a sentence.
pub fn in_words(count: usize) -> String {
    const WORDS: [&str; 10] =
        ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"];
    WORDS.get(count).map_or_else(|| count.to_string(), |word| word.to_string())
}

/// "a", "a and b", "a, b and c".
pub fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(number(1_234_567.0, 0), "1,234,567");
        assert_eq!(number(-1234.56, 1), "\u{2212}1,234.6");
        assert_eq!(number(999.0, 0), "999");
        assert_eq!([0.0, 1.234, 45.67, 1234.5].map(rounded), ["0", "1.23", "45.7", "1,234"]);
        assert_eq!([0.5, 50.0, 2500.0, 60_000.0].map(short), ["0.5", "50", "2.5k", "60k"]);
        assert_eq!([20.0, 2000.0, 5e6].map(short_time), ["20 µs", "2 ms", "5 s"]);
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("a<b> & \"c\"\u{1}"), "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}");
    }
}
