//! Sizes, offsets and values: `winsock-c/tests/layout.c` with our headers and with mingw's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Libraries, include, names, output, read, scratch, write_file};
use crate::tree;
use crate::wine::Wine;

/// Headers of ours with nothing to compare: keywords and annotations, formats, and those that only
/// include others.
const WITHOUT_NAMES: [&str; 6] =
    ["excpt.h", "inttypes.h", "mswsockdef.h", "sal.h", "winsock.h", "wspiapi.h"];

/// What others must come after: winsock2.h and its kin, and tchar.h before strsafe.h.
const FIRST: [&str; 4] = ["winsock2.h", "ws2tcpip.h", "mswsock.h", "tchar.h"];

/// Names of ours that neither mingw's headers nor windows-sys have, and where those differ.
const EXCEPTIONS: &str = "winsock-c/tests/layout_exceptions.txt";

/// Takes every name from our headers that has a size or a value, and compares: with mingw's
/// headers what they have, with windows-sys the constants.
pub fn check(libraries: &Libraries) -> crate::Outcome {
    let wine = Wine::find();
    let gcc = Compiler::ours();
    let lines = lines(&gcc)?;
    let ours = run(&gcc, &lines, libraries)?;
    let ours: Vec<&str> = ours.lines().collect();
    let mut said = BTreeSet::new();
    let metadata = metadata()?;
    let (mut confirmed, mut count) = (BTreeSet::new(), 0);
    for (line, our) in lines.iter().zip(&ours) {
        let (Some(value), Some(theirs)) = (line.value(our), metadata.get(line.name())) else {
            continue;
        };
        count += 1;
        confirmed.insert(line);
        if value as u32 != *theirs as u32 {
            said.insert(format!("{our}; windows-sys': {theirs}"));
        }
    }
    println!("{count} values were compared with windows-sys'");
    match wine {
        Ok(wine) => {
            let mingw = Compiler::theirs();
            let known = mingw.accepted(&lines)?;
            let theirs = run_with(&mingw, &known, None, |program| wine.program(program))?;
            let shared: BTreeSet<&Line> = known.iter().collect();
            let both = lines.iter().zip(&ours).filter(|(line, _)| shared.contains(line));
            for ((_, our), their) in both.zip(theirs.lines()) {
                if *our != their {
                    said.insert(format!("{our}; mingw's: {their}"));
                }
            }
            confirmed.extend(&shared);
            println!("{} sizes, offsets and values were compared with mingw's", known.len());
            let alone = lines.iter().filter(|line| !confirmed.contains(line));
            said.extend(alone.map(|line| format!("{}: nobody else has it", line.name())));
        }
        Err(why) => eprintln!("xtask: {why}"),
    }
    settle(&said)
}

/// Whether what was said is what is excepted.
fn settle(said: &BTreeSet<String>) -> crate::Outcome {
    let path = tree::root().join(EXCEPTIONS);
    let text = fs::read_to_string(&path).map_err(|error| format!("{EXCEPTIONS}: {error}"))?;
    let excepted: BTreeSet<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let new: Vec<&str> =
        said.iter().map(String::as_str).filter(|line| !excepted.contains(line)).collect();
    match new.is_empty() {
        true => Ok(()),
        false => Err(format!("neither alike nor in {EXCEPTIONS}:\n{}", new.join("\n"))),
    }
}

/// The integer constants of windows-sys, from its source.
fn metadata() -> Result<BTreeMap<String, i64>, String> {
    /// Else cargo fetches what Windows alone needs.
    const HOST: &str = "x86_64-unknown-linux-gnu";
    let mut cargo = tree::cargo();
    let packages =
        output(cargo.args(["metadata", "--format-version", "1", "--filter-platform", HOST]))?;
    let manifest = packages
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("/windows-sys-"))
        .ok_or("windows-sys is no dependency")?;
    let mut constants = BTreeMap::new();
    let mut folders = vec![Path::new(manifest).with_file_name("src/Windows/Win32")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path => {
                    let text = fs::read_to_string(path).unwrap_or_default();
                    constants.extend(text.lines().filter_map(constant));
                }
            }
        }
    }
    Ok(constants)
}

/// `pub const NAME: TYPE = 0x1F_u32 as _;`
fn constant(line: &str) -> Option<(String, i64)> {
    let (name, rest) = line.strip_prefix("pub const ")?.split_once(": ")?;
    let value = rest.split_once(" = ")?.1.trim_end_matches(';').trim_end_matches(" as _");
    let value = value.trim_end_matches("_u32").trim_end_matches("_i32");
    let value = ["u32", "i32", "u16", "i16", "u8", "i8", "u64", "i64", "usize"]
        .iter()
        .fold(value, |value, suffix| value.trim_end_matches(suffix));
    let number = match value.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok()?,
        None => value.parse().ok()?,
    };
    Some((name.to_owned(), number))
}

/// One line of the program's list: `TYPE(OVERLAPPED)`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Line(String);

impl Line {
    /// As the program prints it: `OVERLAPPED`, `OVERLAPPED.hEvent`.
    fn name(&self) -> &str {
        self.0.split_once('(').map_or("", |(_, inner)| inner.trim_end_matches(");"))
    }

    /// The value that was printed for it, if it has one.
    fn value(&self, printed: &str) -> Option<i64> {
        printed.rsplit_once(": ")?.1.parse().ok().filter(|_| self.0.starts_with("VALUE"))
    }
}

struct Compiler {
    command: fn() -> Command,
    /// Whether its headers are ours.
    ours: bool,
}

impl Compiler {
    fn ours() -> Compiler {
        let command = || {
            let mut gcc = Command::new("gcc");
            gcc.args(["-std=gnu11", "-fshort-wchar", "-w", "-I"]).arg(include());
            gcc
        };
        Compiler { command, ours: true }
    }

    fn theirs() -> Compiler {
        let command = || {
            let mut gcc = Command::new("x86_64-w64-mingw32-gcc");
            gcc.args(["-std=gnu11", "-D_WIN32_WINNT=0x0A00", "-DWINVER=0x0A00", "-w"]);
            gcc
        };
        Compiler { command, ours: false }
    }

    /// The lines that mean something to it.
    fn accepted(&self, lines: &[Line]) -> Result<Vec<Line>, String> {
        let mut probe = head()?;
        for (at, Line(line)) in lines.iter().enumerate() {
            let _ =
                write!(probe, "\n#line {} \"probe\"\nvoid probe_{at}(void) {{ {line} }}", at + 1);
        }
        let source = scratch()?.join(if self.ours { "ours.c" } else { "theirs.c" });
        write_file(&source, &probe)?;
        let mut command = (self.command)();
        let said = command
            .args(["-fmax-errors=0", "-ftrack-macro-expansion=0", "-fsyntax-only"])
            .arg(&source)
            .output()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let said = String::from_utf8_lossy(&said.stderr);
        let mut refused = BTreeSet::new();
        for error in said.lines().filter(|line| line.contains("error:")) {
            match error.strip_prefix("probe:").and_then(|rest| rest.split(':').next()) {
                Some(number) => refused.extend(number.parse::<usize>()),
                None => return Err(error.to_owned()),
            }
        }
        let numbered = lines.iter().enumerate();
        Ok(numbered
            .filter(|(at, _)| !refused.contains(&(at + 1)))
            .map(|(_, line)| line.clone())
            .collect())
    }
}

/// All names of our headers that our compiler can print something about.
fn lines(gcc: &Compiler) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    let mut seen = BTreeSet::new();
    for name in compared()? {
        let path = include().join(&name);
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let header = read::read(&text);
        let mut add = |line: String| {
            if seen.insert(line.clone()) {
                lines.push(Line(line));
            }
        };
        for kind in &header.types {
            add(format!("TYPE({kind});"));
        }
        for record in &header.records {
            add(format!("TYPE({});", record.name));
            for field in &record.fields {
                add(format!("FIELD({}, {field});", record.name));
            }
        }
        for name in header.constants.iter().chain(&header.macros) {
            add(format!("VALUE({name});"));
        }
    }
    gcc.accepted(&lines)
}

fn compared() -> Result<Vec<String>, String> {
    let names = names()?;
    let rest = names.into_iter().filter(|name| !WITHOUT_NAMES.contains(&name.as_str()));
    let rest: Vec<String> = rest.filter(|name| !FIRST.contains(&name.as_str())).collect();
    Ok(FIRST.iter().map(|name| name.to_string()).chain(rest).collect())
}

/// What stands before the list: the program's macros and the headers that both sides have.
fn head() -> Result<String, String> {
    let mut head = String::from("#define WIN32_NO_STATUS\n");
    for name in compared()? {
        let _ = writeln!(head, "#if __has_include(<{name}>)\n#include <{name}>\n#endif");
        if FIRST.first() == Some(&name.as_str()) {
            head.push_str("#undef WIN32_NO_STATUS\n");
        }
    }
    let path = tree::root().join("winsock-c/tests/layout.c");
    let _ = writeln!(head, "#define LAYOUT_MACROS_ONLY\n#include \"{}\"", path.display());
    Ok(head)
}

fn run(gcc: &Compiler, lines: &[Line], libraries: &Libraries) -> Result<String, String> {
    run_with(gcc, lines, Some(&libraries.a), |program| Command::new(program))
}

/// Compiles layout.c with the list and says what it prints.
fn run_with(
    compiler: &Compiler,
    lines: &[Line],
    library: Option<&Path>,
    start: impl Fn(&Path) -> Command,
) -> Result<String, String> {
    let folder = scratch()?.join(if compiler.ours { "ours" } else { "theirs" });
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut headers = String::new();
    for name in compared()? {
        let _ = writeln!(headers, "#if __has_include(<{name}>)\n#include <{name}>\n#endif");
        if FIRST.first() == Some(&name.as_str()) {
            headers.push_str("#undef WIN32_NO_STATUS\n");
        }
    }
    write_file(&folder.join("layout_headers.h"), &headers)?;
    let list: String = lines.iter().map(|Line(line)| format!("{line}\n")).collect();
    write_file(&folder.join("layout_list.h"), &list)?;
    let program = folder.join("layout.exe");
    let mut command = (compiler.command)();
    command.arg("-I").arg(&folder).arg(tree::root().join("winsock-c/tests/layout.c"));
    // printf is the library's.
    command.args(library);
    output(command.arg("-o").arg(&program))?;
    Ok(output(&mut start(&program))?.replace("\r\n", "\n"))
}
