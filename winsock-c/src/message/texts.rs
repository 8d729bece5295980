//! The texts of error codes, as Microsoft's page of [system error codes][ms] has them.
//!
//! [ms]: https://learn.microsoft.com/en-us/windows/win32/debug/system-error-codes

/// One line a code: the number, a blank, the text. In ascending order.
const TEXTS: &str = include_str!("texts.txt");

/// The text of a code without its line end.
pub fn of(code: u32) -> Option<&'static str> {
    let mut lines = TEXTS.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(number, _)| number.parse() == Ok(code)).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_code_and_its_text() {
        let numbers = TEXTS.lines().map(|line| line.split_once(' ')?.0.parse().ok());
        let numbers: Option<Vec<u32>> = numbers.collect();
        assert!(numbers.is_some_and(|numbers| numbers.is_sorted_by(|a, b| a < b)));
    }

    #[test]
    fn winsocks_texts_are_there() {
        let reset = of(10054);
        assert_eq!(reset, Some("An existing connection was forcibly closed by the remote host."));
        assert_eq!(of(12345), None);
    }
}
