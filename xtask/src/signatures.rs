//! What winsock-c exports, read from its table and from the functions behind it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{Expr, FnArg, Item, Lit, Meta, ReturnType, Type};

use crate::tree;

/// A line of the export table.
pub struct Export {
    /// What programs link: `WSARecv`, `ws_recv`.
    pub symbol: String,
    /// The function's documentation.
    pub docs: Option<String>,
    /// Sizes of parameters and result, if the function is written out.
    pub signature: Option<Signature>,
}

impl Export {
    pub fn windows_name(&self) -> &str {
        let prefix = self.symbol.strip_prefix("ws_").or(self.symbol.strip_prefix("ws16_"));
        prefix.unwrap_or(&self.symbol)
    }
}

/// Sizes in bytes; `None` where it is not known here.
#[derive(Clone)]
pub struct Signature {
    pub parameters: Vec<Option<usize>>,
    pub result: Option<usize>,
    pub variadic: bool,
}

/// The files that the table is in.
const TABLES: [&str; 2] = ["winsock-c/src/exports.rs", "winsock-c/src/exports/own.rs"];

/// Every export, in the table's order.
pub fn exports() -> Result<Vec<Export>, String> {
    let mut table = String::new();
    for name in TABLES {
        let text = read(&tree::root().join(name))?;
        let start = text.find("\nexports! {").ok_or(format!("{name} has no table"))?;
        table.push_str(&text[start..]);
    }
    let outside = Functions::of("winsock-sys/src")?;
    let inside = Functions::of("winsock-c/src")?;
    let mut exports = Vec::new();
    let mut path = String::new();
    for line in table.lines().map(str::trim) {
        if let Some((_, module)) = line.strip_suffix('{').and_then(|line| line.split_once(" of ")) {
            path = module.trim().to_owned();
        } else if let Some(line) = line.strip_suffix(',') {
            let (symbol, function) = line.split_once(" = ").unwrap_or((line, line));
            let known = if path.starts_with("crate") { &inside } else { &outside };
            let found = known.0.get(function);
            exports.push(Export {
                symbol: symbol.to_owned(),
                docs: found.map(|found| found.docs.clone()),
                signature: found.and_then(|found| found.signature.clone()),
            });
        }
    }
    Ok(exports)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

struct Found {
    docs: String,
    signature: Option<Signature>,
}

/// The exported functions of a package by their names.
struct Functions(BTreeMap<String, Found>);

impl Functions {
    fn of(folder: &str) -> Result<Functions, String> {
        let mut functions = Functions(BTreeMap::new());
        let mut folders = vec![tree::root().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = read(&path)?;
                    let file = syn::parse_file(&text)
                        .map_err(|error| format!("{}: {error}", path.display()))?;
                    functions.take(&file.items);
                    functions.take_macros(&text);
                }
            }
        }
        Ok(functions)
    }

    fn take(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Fn(function) if function.sig.abi.is_some() => {
                    let name = function.sig.ident.to_string();
                    let parameters = function.sig.inputs.iter().map(|argument| match argument {
                        FnArg::Typed(typed) => size(&typed.ty),
                        FnArg::Receiver(_) => None,
                    });
                    let result = match &function.sig.output {
                        ReturnType::Default => Some(0),
                        ReturnType::Type(_, kind) => size(kind),
                    };
                    let signature =
                        Signature { parameters: parameters.collect(), result, variadic: false };
                    let found = Found { docs: docs(&function.attrs), signature: Some(signature) };
                    // The modules for wide characters of four bytes repeat names.
                    self.0.entry(name).or_insert(found);
                }
                Item::Mod(module) => {
                    self.take(module.content.as_ref().map_or(&[], |(_, items)| items));
                }
                _ => {}
            }
        }
    }

    /// The functions that macros write: `AnsiName WideName = generic(parameters)`, and those with
    /// `...`: `name(2) => function`.
    fn take_macros(&mut self, text: &str) {
        let mut docs = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(doc) = line.strip_prefix("///") {
                docs.push_str(doc.trim_start());
                docs.push('\n');
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [ansi, wide, "=", ..] if wide.ends_with('W') && ansi.ends_with('A') => {
                    for name in [ansi, wide] {
                        let docs = match name == wide {
                            true => wide_docs(&docs),
                            false => docs.clone(),
                        };
                        let found = Found { docs, signature: None };
                        self.0.entry(name.to_owned()).or_insert(found);
                    }
                }
                [name, "=>", _] if name.ends_with(')') => {
                    let name = name.split('(').next().unwrap_or_default().to_owned();
                    let found = Found { docs: docs.clone(), signature: None };
                    self.0.entry(name).or_insert(found);
                }
                _ => {}
            }
            docs.clear();
        }
    }
}

/// The page of the W function stands beside the A function's, under its own letter.
fn wide_docs(docs: &str) -> String {
    let line = |line: &str| match line.starts_with("[ms]:") {
        true => line.strip_suffix('a').map_or(line.to_owned(), |line| format!("{line}w")),
        false => line.to_owned(),
    };
    docs.lines().map(|text| line(text) + "\n").collect()
}

fn docs(attributes: &[syn::Attribute]) -> String {
    let mut docs = String::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(text) = &literal.lit
        {
            docs.push_str(text.value().trim_start());
            docs.push('\n');
        }
    }
    docs
}

/// The size of a type that functions take.
fn size(kind: &Type) -> Option<usize> {
    let path = match kind {
        Type::Ptr(_) | Type::BareFn(_) => return Some(8),
        Type::Tuple(empty) if empty.elems.is_empty() => return Some(0),
        Type::Never(_) => return Some(0),
        Type::Path(path) => path,
        _ => return None,
    };
    Some(match path.path.segments.last()?.ident.to_string().as_str() {
        "u8" | "i8" | "bool" => 1,
        "u16" | "i16" => 2,
        "u32" | "i32" | "c_int" | "c_uint" | "BOOL" => 4,
        "u64" | "i64" | "usize" | "isize" => 8,
        "Option" | "SOCKET" | "HANDLE" | "HWND" | "HMENU" | "HINSTANCE" | "HMODULE" => 8,
        "WPARAM" | "LPARAM" | "LRESULT" | "PCSTR" | "PSTR" | "PCWSTR" | "PWSTR" => 8,
        _ => return None,
    })
}
