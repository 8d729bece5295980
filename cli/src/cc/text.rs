//! What a source says, as far as it decides how to compile it.

/// The headers that a source includes: the name, and whether it is in quotes.
pub fn includes(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.lines().filter_map(|line| {
        let directive = line.trim_start().strip_prefix('#')?.trim_start();
        let name = directive.strip_prefix("include")?.trim_start();
        match name.strip_prefix('"') {
            Some(name) => Some((name.split_once('"')?.0, true)),
            None => Some((name.strip_prefix('<')?.split_once('>')?.0, false)),
        }
    })
}

/// Whether it defines `void main`, which C++ compilers here refuse.
pub fn has_void_main(text: &str) -> bool {
    let code = code(text);
    let mut words = code
        .split_inclusive(|c: char| !is_of_word(c))
        .flat_map(|piece| {
            let end = piece.trim_end_matches(|c: char| !is_of_word(c)).len();
            let (word, rest) = piece.split_at(end);
            [word, rest.trim()]
        })
        .filter(|word| !word.is_empty() && *word != "__cdecl" && *word != "_cdecl");
    let mut last = ["", ""];
    words.any(|word| {
        let found = last == ["void", "main"] && word == "(";
        last = [last[1], word];
        found
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text without its comments and strings.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = match c {
            '/' if rest.starts_with("//") => rest.find('\n'),
            '/' if rest.starts_with("/*") => rest[2..].find("*/").map(|at| at + 4),
            '"' | '\'' => literal(rest, c),
            _ => {
                code.push(c);
                rest = &rest[c.len_utf8()..];
                continue;
            }
        };
        code.push(' ');
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    code
}

/// Where the literal ends that begins with `quote`.
fn literal(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // Not a literal after all, but 1'000.
            '\n' => return Some(at),
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn includes_are_found_however_they_are_written() {
        let text = "#include <WinSock2.h>\r\n  #  include \"a\\B.h\" // x\n#include MACRO\nx <y>\n";
        let all: Vec<_> = includes(text).collect();
        assert_eq!(all, [("WinSock2.h", false), ("a\\B.h", true)]);
    }

    #[test]
    fn void_main_is_found_in_code_alone() {
        for text in
            ["void main()", "void\n main (int c)", "x; void __cdecl main(", "'a' void main("]
        {
            assert!(has_void_main(text), "{text}");
        }
        for text in [
            "int main(void)",
            "// void main()\nint main()",
            "/* void main() */",
            "\"void main()\"",
            "void domain()",
            "void main_loop()",
        ] {
            assert!(!has_void_main(text), "{text}");
        }
    }
}
