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
        let found = last[0] == "void" && ["main", "_tmain"].contains(&last[1]) && word == "(";
        last = [last[1], word];
        found
    })
}

/// Whether it defines a wmain that says no exit code, by `void` or for want of a `return`: it is 0.
/// Compilers here know that of main alone.
pub fn has_silent_wmain(text: &str) -> bool {
    if !(text.contains("wmain") || text.contains("_tmain")) {
        return false;
    }
    let code = code(text);
    let words = words(&code);
    let mut names = (1..words.len()).filter(|&at| ["wmain", "_tmain"].contains(&words[at].1));
    names.any(|at| {
        let close = words[at..].iter().position(|(_, word)| *word == ")");
        let Some(start) = close.map(|close| at + close + 1) else { return false };
        let Some(end) = end_of_block(&words, start).filter(|_| words[start].1 == "{") else {
            return false;
        };
        let before = words[..at].iter().rev().map(|(_, word)| *word);
        let result = before.clone().find(|word| !["__cdecl", "_cdecl"].contains(word));
        let returns = words[start..end].iter().any(|(_, word)| *word == "return");
        result == Some("void") || (result == Some("int") && !returns)
    })
}

/// The first statement that leaves a `__try` block and so passes its `__finally` block by: the
/// line's number, and the statement's keyword.
pub fn leaves_try(text: &str) -> Option<(usize, &'static str)> {
    // Few sources have one.
    if !text.contains("__finally") {
        return None;
    }
    let code = code(text);
    let words = words(&code);
    let tries = (0..words.len()).filter(|&at| words[at].1 == "__try");
    let blocks = tries.filter_map(|at| {
        let end = end_of_block(&words, at + 1)?;
        (words.get(end + 1)?.1 == "__finally").then(|| &words[at + 2..end])
    });
    blocks.filter_map(leaves).next()
}

/// Words and single signs, each with the number of its line.
fn words(code: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    for (at, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let of_word = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(of_word.max(first.len_utf8()));
            words.push((at + 1, word));
            rest = behind.trim_start();
        }
    }
    words
}

/// Where the block ends that begins at `start`.
fn end_of_block(words: &[(usize, &str)], start: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, (_, word)) in words.iter().enumerate().skip(start) {
        depth += i32::from(*word == "{") - i32::from(*word == "}");
        if depth == 0 {
            return (*word == "}").then_some(at);
        }
    }
    None
}

fn leaves(block: &[(usize, &str)]) -> Option<(usize, &'static str)> {
    // For each open brace whether it is a loop's or a switch's, which break and continue stay in.
    let mut braces = Vec::new();
    let mut parentheses = 0;
    let mut loops = false;
    for &(line, word) in block {
        let stays = loops || braces.contains(&true);
        match word {
            "return" => return Some((line, "return")),
            "goto" => return Some((line, "goto")),
            "break" if !stays => return Some((line, "break")),
            "continue" if !stays => return Some((line, "continue")),
            "for" | "while" | "do" | "switch" => loops = true,
            "(" => parentheses += 1,
            ")" => parentheses -= 1,
            "{" => braces.push(std::mem::take(&mut loops)),
            "}" => drop(braces.pop()),
            ";" if parentheses == 0 => loops = false,
            _ => {}
        }
    }
    None
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
        let (left_out, behind) = rest.split_at(end.unwrap_or(rest.len()));
        code.push(' ');
        // So that lines keep their numbers.
        code.extend(left_out.chars().filter(|c| *c == '\n'));
        rest = behind;
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

    #[test]
    fn a_wmain_without_an_exit_code_is_found() {
        for text in [
            "void wmain(int c, wchar_t **v) { if (c) return; }",
            "void __cdecl _tmain() {}",
            "int _tmain(int c, TCHAR *v[]) { f(\"return\"); }",
        ] {
            assert!(has_silent_wmain(text), "{text}");
        }
        for text in [
            "int wmain(int c, wchar_t **v) { return c; }",
            "int wmain(void);",
            "// void wmain() {}",
            "int main() { wmain(1); { } }",
        ] {
            assert!(!has_silent_wmain(text), "{text}");
        }
    }

    #[test]
    fn what_leaves_a_try_past_its_finally_is_found() {
        for (body, found) in [
            ("f();\n if (a) return 1;", Some((3, "return"))),
            ("/* \n\n */ goto out;", Some((4, "goto"))),
            ("if (a) { break; }", Some((2, "break"))),
            ("for (;;) { f(); }\n continue;", Some((3, "continue"))),
            ("__leave;", None),
            ("for (;;) { if (a) break; }", None),
            ("while (a) if (b) continue; f();", None),
            ("switch (a) { case 1: break; }", None),
            ("// return\n f(\"goto\");", None),
        ] {
            let text =
                format!("void f() {{ __try {{\n{body}\n}} __finally {{ return; }} return; }}");
            assert_eq!(leaves_try(&text), found, "{body}");
        }
        assert_eq!(leaves_try("__try { return; } __except (1) {} // __finally"), None);
    }
}
