//! Reads C headers as far as ours go: structures with their fields, names of types, of macros.

use std::collections::BTreeSet;

/// A structure or union under its first typedef name, or its tag.
pub struct Record {
    /// As C says it: `OVERLAPPED`, `struct hostent`.
    pub name: String,
    /// Those of anonymous members and of members' members too: `u.LowPart`. Not bit-fields, which
    /// have no address.
    pub fields: Vec<String>,
}

/// What a header declares.
#[derive(Default)]
pub struct Header {
    pub records: Vec<Record>,
    /// Names of types.
    pub types: BTreeSet<String>,
    /// Enumerators.
    pub constants: BTreeSet<String>,
    /// Macros without parameters.
    pub macros: BTreeSet<String>,
}

pub fn read(text: &str) -> Header {
    let mut header = Header::default();
    let code = without_comments(text);
    let mut declarations = String::new();
    for line in code.replace("\\\n", " ").lines() {
        match line.trim_start().strip_prefix('#') {
            Some(directive) => header.macros.extend(object_macro(directive)),
            None => {
                declarations.push_str(line);
                declarations.push('\n');
            }
        }
    }
    let c_only = declarations.replace("extern \"C++\"", "");
    for statement in statements(&c_only) {
        header.declare(&statement);
    }
    header
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        code.push_str(&rest[..start]);
        code.push(' ');
        rest = rest[start..].split_once("*/").map_or("", |(_, after)| after);
    }
    code + rest
}

/// The name of `#define NAME value`.
fn object_macro(directive: &str) -> Option<String> {
    let definition = directive.trim_start().strip_prefix("define")?.trim_start();
    let end = definition.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    let (name, value) = definition.split_at(end);
    let is_object = !value.starts_with('(') && !value.trim().is_empty();
    (is_object && !name.starts_with("WINSOCK_")).then(|| name.to_owned())
}

/// Statements at the top, each with the braces that belong to it.
fn statements(code: &str) -> Vec<String> {
    let (mut all, mut current, mut depth) = (Vec::new(), String::new(), 0);
    for c in code.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                all.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
        // An inline function ends without a semicolon.
        if c == '}' && depth == 0 && !is_type(&current) {
            current.clear();
        }
    }
    all
}

fn is_type(statement: &str) -> bool {
    let statement = statement.trim_start_matches(|c: char| c.is_whitespace());
    let statement = statement.trim_start_matches("WINSOCK_BEGIN").trim_start();
    ["typedef", "struct", "union", "enum"].iter().any(|word| statement.starts_with(word))
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

/// The names that a declarator list declares: `A, *B, **C`.
fn declared(list: &str) -> Vec<(String, bool)> {
    list.split(',')
        .filter_map(|one| {
            let name = words(one).last()?.to_string();
            Some((name, one.contains('*')))
        })
        .collect()
}

impl Header {
    fn declare(&mut self, statement: &str) {
        let statement = statement.trim().trim_start_matches("WINSOCK_BEGIN").trim();
        let (is_typedef, rest) = match statement.strip_prefix("typedef") {
            Some(rest) => (true, rest.trim()),
            None => (false, statement),
        };
        let Some(open) = rest.find('{') else {
            if is_typedef && !rest.contains('(') {
                // The first declarator has the type before it.
                self.types.extend(declared(rest).into_iter().map(|(name, _)| name));
            } else if is_typedef {
                self.types.extend(function_pointer(rest));
            }
            return;
        };
        let Some(close) = rest.rfind('}') else { return };
        let (head, body, tail) = (&rest[..open], &rest[open + 1..close], &rest[close + 1..]);
        let head_words = words(head);
        let names = declared(tail);
        let plain = names.iter().find(|(_, pointer)| !pointer).map(|(name, _)| name.clone());
        self.types.extend(names.into_iter().filter(|_| is_typedef).map(|(name, _)| name));
        match head_words.first() {
            Some(&"enum") => {
                let enumerators = body.split(',').filter_map(|one| words(one).first().copied());
                self.constants.extend(enumerators.map(str::to_owned));
            }
            Some(kind @ (&"struct" | &"union")) => {
                // The tag is last: attributes stand before it.
                let tag = head_words.last().filter(|_| head_words.len() > 1);
                let tag = tag.map(|tag| format!("{kind} {tag}"));
                let name = if is_typedef { plain.or(tag) } else { tag };
                let Some(name) = name else { return };
                let mut fields = Vec::new();
                collect_fields(body, "", &mut fields);
                self.records.push(Record { name, fields });
            }
            _ => {}
        }
    }
}

/// The name in `RESULT (CALL *NAME)(PARAMETERS)`.
fn function_pointer(declaration: &str) -> Option<String> {
    let (_, after) = declaration.split_once('*')?;
    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some(after[..end].to_owned()).filter(|name| !name.is_empty())
}

fn collect_fields(body: &str, prefix: &str, fields: &mut Vec<String>) {
    for member in statements_in(body) {
        let member = member.trim();
        let Some(open) = member.find('{') else {
            if member.contains(':') {
                continue; // A bit-field.
            }
            for (name, _) in declared(&without_arrays(member)) {
                fields.push(format!("{prefix}{name}"));
            }
            continue;
        };
        let Some(close) = member.rfind('}') else { continue };
        let inner = match words(&member[close + 1..]).first() {
            None => prefix.to_owned(),
            Some(name) => {
                fields.push(format!("{prefix}{name}"));
                format!("{prefix}{name}.")
            }
        };
        collect_fields(&member[open + 1..close], &inner, fields);
    }
}

/// As [`statements`], without functions.
fn statements_in(body: &str) -> Vec<String> {
    let (mut all, mut current, mut depth) = (Vec::new(), String::new(), 0);
    for c in body.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ';' if depth == 0 => {
                all.push(std::mem::take(&mut current));
                continue;
            }
            _ => {}
        }
        current.push(c);
    }
    all
}

fn without_arrays(member: &str) -> String {
    let (mut plain, mut depth) = (String::new(), 0);
    for c in member.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}
