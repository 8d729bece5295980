//! International host names: the ASCII form that DNS carries (RFC 3492).
//!
//! DIFFERS: Windows also normalises the name (nameprep). Here capitals become small letters, and
//! that is all; a name typed in composed form, as keyboards give it, needs no more.

const BASE: u32 = 36;
const LOWEST: u32 = 1;
const HIGHEST: u32 = 26;

/// The name with every label that is not ASCII in its `xn--` form; `None` if a label is too strange
/// to have one.
pub fn to_ascii(name: &str) -> Option<String> {
    let labels: Option<Vec<String>> = name.split(['.', '。']).map(label_to_ascii).collect();
    Some(labels?.join("."))
}

fn label_to_ascii(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.into());
    }
    let small: Vec<u32> = label.to_lowercase().chars().map(u32::from).collect();
    Some(format!("xn--{}", encode(&small)?))
}

/// RFC 3492, section 6.3. `None` if a number overflows.
fn encode(label: &[u32]) -> Option<String> {
    let mut out: String = label.iter().filter_map(|&point| ascii(point)).collect();
    let basic = out.len() as u32;
    if basic > 0 {
        out.push('-');
    }
    let (mut point, mut delta, mut bias, mut handled) = (0x80_u32, 0_u32, 72, basic);
    while (handled as usize) < label.len() {
        let next = label.iter().copied().filter(|&at| at >= point).min()?;
        delta = delta.checked_add((next - point).checked_mul(handled + 1)?)?;
        point = next;
        for &at in label {
            if at < point {
                delta = delta.checked_add(1)?;
            }
            if at == point {
                push_number(&mut out, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        point += 1;
    }
    Some(out)
}

fn ascii(point: u32) -> Option<char> {
    char::from_u32(point).filter(char::is_ascii)
}

/// Appends a number in the variable-length notation of section 3.3.
fn push_number(out: &mut String, mut number: u32, bias: u32) {
    let mut digit_at = BASE;
    loop {
        let threshold = digit_at.saturating_sub(bias).clamp(LOWEST, HIGHEST);
        if number < threshold {
            return out.push(digit(number));
        }
        let rest = number - threshold;
        out.push(digit(threshold + rest % (BASE - threshold)));
        number = rest / (BASE - threshold);
        digit_at += BASE;
    }
}

/// `a` to `z`, then `0` to `9`.
fn digit(value: u32) -> char {
    char::from_digit((value + 10) % BASE, BASE).unwrap_or_default()
}

/// Section 6.1.
fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut steps = 0;
    while delta > (BASE - LOWEST) * HIGHEST / 2 {
        delta /= BASE - LOWEST;
        steps += BASE;
    }
    steps + (BASE - LOWEST + 1) * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Arabic, Chinese, Czech and Japanese samples are those of RFC 3492, section 7.1.
    #[test]
    fn samples() {
        for (name, ascii) in [
            ("plain.example", "plain.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
            ("☃.net", "xn--n3h.net"),
            ("ليهمابتكلموشعربي؟", "xn--egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
            ("почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"),
        ] {
            assert_eq!(to_ascii(name).as_deref(), Some(ascii), "{name}");
        }
    }
}
