//! `@file`: arguments that are in a file, as gcc and clang read it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// How deep files may name files.
const DEPTH: u32 = 32;

/// The arguments, with those of response files in the files' places. A file that cannot be read is
/// no response file: the compiler is given the name.
pub fn expand(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut expanded = Vec::new();
    for argument in arguments {
        add(argument, DEPTH, &mut expanded);
    }
    expanded
}

fn add(argument: OsString, depth: u32, expanded: &mut Vec<OsString>) {
    let file = argument.as_bytes().strip_prefix(b"@").filter(|_| depth > 0);
    let Some(text) = file.and_then(|file| fs::read(OsString::from_vec(file.to_vec())).ok()) else {
        expanded.push(argument);
        return;
    };
    for inner in split(&text) {
        add(inner, depth - 1, expanded);
    }
}

/// Words between white space; quotes of either kind hold together, a backslash takes the next
/// character as it is.
fn split(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            _ if quote == Some(byte) => quote = None,
            _ if quote.is_some() => word.get_or_insert_default().push(byte),
            b'"' | b'\'' => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            _ if byte.is_ascii_whitespace() => words.extend(word.take().map(OsString::from_vec)),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word.map(OsString::from_vec));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_gcc_splits_them() {
        let words = split(b" -DA=\"x y\"\n'b c.c'\t\\\"d '' e\\ f\r\n");
        assert_eq!(words, ["-DA=x y", "b c.c", "\"d", "", "e f"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_an_argument() {
        let all = ["a.c", "@/no/such/file"].map(OsString::from);
        assert_eq!(expand(all.clone().into_iter()), all);
    }
}
