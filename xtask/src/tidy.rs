//! `cargo xtask tidy`: the house rules that no other tool checks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::tree;

/// Checks the sources against the house rules
///
/// Lines of at most 100 columns, files of at most 800 lines, a SAFETY comment at every unsafe
/// block, the choice of system in one place, no leftovers, no path of a developer's machine.
#[derive(clap::Args)]
pub struct Args {}

const COLUMNS: usize = 100;
const LINES: usize = 800;
/// How far above its block a SAFETY comment may begin.
const SAFETY_LINES: usize = 8;

/// Spelled in parts, so that this file does not find itself.
const LEFTOVERS: [&str; 6] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("#[ig", "nore"),
];
const MACHINES: [&str; 3] = [concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/ro", "ot/")];

pub fn run(_args: &Args) -> crate::Outcome {
    let mut sources = Vec::new();
    collect(tree::root(), &mut sources);
    sources.sort();
    let findings: Vec<String> = sources.iter().flat_map(|path| check(path)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("{} files are tidy", sources.len());
            Ok(())
        }
        count => Err(format!("{count} findings")),
    }
}

/// Every Rust source below `folder`, but for what cargo builds and what git hides.
fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}

fn check(path: &Path) -> Vec<String> {
    let name = path.strip_prefix(tree::root()).unwrap_or(path).display().to_string();
    let Ok(text) = fs::read_to_string(path) else {
        return vec![format!("{name}: cannot be read")];
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut findings = Vec::new();
    if lines.len() > LINES {
        findings.push(format!("{name}: {} lines", lines.len()));
    }
    for (at, line) in lines.iter().enumerate() {
        let mut find = |what: &str| findings.push(format!("{name}:{}: {what}", at + 1));
        if line.chars().count() > COLUMNS && !is_unbreakable(line) {
            find("a line over 100 columns");
        }
        if LEFTOVERS.iter().any(|leftover| line.contains(leftover)) {
            find("a leftover");
        }
        if MACHINES.iter().any(|machine| line.contains(machine)) {
            find("a path of some machine");
        }
        if is_unsafe_block(line) && !has_safety(&lines, at) {
            find("unsafe without a SAFETY comment");
        }
        if chooses_system(line) && name.starts_with("winsock-sys/src/") && !name.ends_with("lib.rs")
        {
            find("the system is chosen in lib.rs");
        }
    }
    findings
}

fn is_unsafe_block(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let code = code.trim_start();
    code.contains(concat!("unsafe", " {")) || code.starts_with(concat!("unsafe", " impl"))
}

/// Whether a comment above vouches for the block, with no blank line in between: that would be
/// another block's.
fn has_safety(lines: &[&str], at: usize) -> bool {
    let above = lines[at.saturating_sub(SAFETY_LINES)..=at].iter().rev();
    above.take_while(|line| !line.trim().is_empty()).any(|line| line.contains("SAFETY"))
}

/// Links and table rows cannot be wrapped.
fn is_unbreakable(line: &str) -> bool {
    line.contains("https://") || line.trim_start().starts_with("//! |")
}

fn chooses_system(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("#[cfg(windows") || line.starts_with("#[cfg(target_os")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_comment_of_its_own_vouches_for_an_unsafe_block() {
        let block = concat!("    unsafe", " { f() }");
        let vouched = ["    // SAFETY: it is ours.", block];
        assert!(has_safety(&vouched, 1));
        let neighbours = [&vouched[..], &["", block]].concat();
        assert!(!has_safety(&neighbours, 3));
        assert!(!has_safety(&[block], 0));
    }

    #[test]
    fn unsafe_blocks_and_impls_are_told_from_their_names() {
        assert!(is_unsafe_block(concat!("let a = unsafe", " { b };")));
        assert!(is_unsafe_block(concat!("unsafe", " impl Send for A {}")));
        assert!(!is_unsafe_block("pub unsafe fn a() {"));
        assert!(!is_unsafe_block(concat!("// no unsafe", " { here }")));
    }
}
