//! `cargo xtask c-api`: writes winsock-c/API.md from the export table and the functions' own
//! documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::headers;
use crate::signatures::{self, Export};
use crate::tree;

/// Writes winsock-c/API.md: every function that C programs can call
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) -> crate::Outcome {
    let path = path();
    let text = render()?;
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn path() -> PathBuf {
    tree::root().join("winsock-c/API.md")
}

/// Whether the file is as it would be written.
pub fn check() -> crate::Outcome {
    match fs::read_to_string(path()).is_ok_and(|written| Ok(written) == render()) {
        true => Ok(()),
        false => Err("winsock-c/API.md is not up to date: cargo xtask c-api".into()),
    }
}

fn render() -> Result<String, String> {
    let exports = signatures::exports()?;
    let mut by_header: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (header, name) in headers::functions()? {
        by_header.entry(header).or_default().insert(name);
    }
    let mut text = String::from(INTRODUCTION);
    for (header, names) in by_header {
        let _ = write!(text, "\n## {header}\n\n| function | | page |\n|---|---|---|\n");
        for name in names {
            let export = exports
                .iter()
                .find(|export| export.windows_name() == name && export.docs.is_some())
                .ok_or(format!("{name}: no documentation found"))?;
            let status = status(export, &exports);
            let _ = writeln!(text, "| `{name}` | {status} | {} |", page(export));
        }
    }
    Ok(text)
}

/// "done", and in what it differs; also what the function differs in that its documentation leans
/// on: "As `CreateFileW`, ...".
fn status(export: &Export, exports: &[Export]) -> String {
    let docs = export.docs.as_deref().unwrap_or_default();
    let like = docs.strip_prefix("As [`").and_then(|rest| rest.split('`').next());
    let like = exports.iter().find(|other| like == Some(other.windows_name()));
    let mut limits = limits(docs);
    if let Some(other) = like.filter(|_| limits.is_empty()) {
        limits = self::limits(other.docs.as_deref().unwrap_or_default());
    }
    match limits.is_empty() {
        true => "done".into(),
        false => format!("done, but: {}", limits.join(" ")),
    }
}

fn limits(docs: &str) -> Vec<String> {
    docs.split("\n\n")
        .filter_map(|paragraph| paragraph.strip_prefix("DIFFERS: "))
        .map(|limit| limit.replace('\n', " ").trim().replace("[`", "`").replace("`]", "`"))
        .collect()
}

fn page(export: &Export) -> String {
    let docs = export.docs.as_deref().unwrap_or_default();
    match docs.lines().find_map(|line| line.strip_prefix("[ms]: ")) {
        Some(url) => format!("[Microsoft]({})", url.trim()),
        None => "ours".into(),
    }
}

const INTRODUCTION: &str = "\
# What C programs can call

Written by `cargo xtask c-api` from the export table and the functions' own documentation; do not
edit.

Every function that the headers declare, under its header. *done*: it does what Microsoft's page
says, and in its errors what Windows is observed to do. *done, but*: it does, with the limits named.
What works only in part is not declared at all.
";
