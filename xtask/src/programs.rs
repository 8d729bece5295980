//! `cargo xtask programs`: programs written for Windows, as tutorials write them, print here what
//! they print there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::tree;
use crate::wine::Wine;

/// Compiles the programs of winsock-c/tests/programs and compares what they print
///
/// Each is compiled by `winsock cc`, with gcc and with clang, and if it has wide text also with
/// -fshort-wchar; then it is run, and its standard output has to be the .out file beside it, which
/// is what it prints on real Winsock. A program is server and client in one, takes no input, and
/// ends with 0. One that needs a flag says so in a comment: "Compile with -std=c++20 -municode";
/// one that calls what Wine lacks is left out there, and says so: "Not for Wine".
#[derive(clap::Args)]
pub struct Args {
    /// Take only the programs whose name contains this
    filter: Option<String>,
    /// Compile with mingw and run under Wine instead
    #[arg(long)]
    wine: bool,
    /// Write the .out files instead of comparing with them
    #[arg(long, requires = "wine")]
    write: bool,
}

/// How many programs are compiled and run at a time.
const AT_A_TIME: usize = 2;
/// How long one may take on a busy machine. Each ends by itself within seconds.
const LIMIT: Duration = Duration::from_secs(300);
/// What stands before the flags in a program's comment.
const FLAGS: &str = "Compile with ";
/// What stands in the comment of a program that Wine and mingw's headers are too old for.
const NEWER: &str = "Not for Wine";
/// What shows that it matters to a program how wide wchar_t is.
const WIDE: [&str; 4] = ["L\"", "_T(", "TEXT(", "wchar_t"];

pub fn run(args: &Args) -> crate::Outcome {
    let runner = Runner::new(args)?;
    let programs = programs(args.filter.as_deref())?;
    let tests: Vec<Test> = programs.iter().flat_map(|program| runner.tests(program)).collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        let work = || {
            while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = runner.run(test);
                println!("test {} ... {}", test.name, verdict(outcome.is_ok()));
                if let Err(why) = outcome {
                    failures.lock().unwrap().push(format!("---- {}\n{why}", test.name));
                }
            }
        };
        for _ in 0..AT_A_TIME {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    for failure in &failures {
        println!("\n{failure}");
    }
    let passed = tests.len() - failures.len();
    let verdict = verdict(failures.is_empty());
    println!("\ntest result: {verdict}. {passed} passed; {} failed", failures.len());
    match failures.is_empty() {
        true => Ok(()),
        false => Err("a program does something else here than on Windows".into()),
    }
}

fn verdict(good: bool) -> &'static str {
    if good { "ok" } else { "FAILED" }
}

/// A source file, and what it says of itself.
struct Program {
    source: PathBuf,
    name: String,
    cpp: bool,
    wide: bool,
    /// Wine lacks what it calls.
    newer: bool,
    flags: Vec<String>,
}

/// The programs whose name contains `filter`, in alphabetical order.
fn programs(filter: Option<&str>) -> Result<Vec<Program>, String> {
    let folder = tree::root().join("winsock-c/tests/programs");
    let entries = fs::read_dir(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut programs = Vec::new();
    for source in entries.flatten().map(|entry| entry.path()) {
        let cpp = source.extension().is_some_and(|extension| extension == "cpp");
        let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let c = source.extension().is_some_and(|extension| extension == "c");
        if !(c || cpp) || !filter.is_none_or(|filter| name.contains(filter)) {
            continue;
        }
        let text = fs::read_to_string(&source);
        let text = text.map_err(|why| format!("{}: {why}", source.display()))?;
        let flags = text.split_once(FLAGS).and_then(|(_, rest)| rest.lines().next());
        let flags = flags.unwrap_or_default().trim_end_matches([' ', '*', '/', '.']);
        programs.push(Program {
            newer: text.contains(NEWER),
            wide: WIDE.iter().any(|sign| text.contains(sign)),
            flags: flags.split_whitespace().map(String::from).collect(),
            source,
            name,
            cpp,
        });
    }
    programs.sort_by(|one, two| one.name.cmp(&two.name));
    match programs.is_empty() {
        true => Err("no program has that in its name".into()),
        false => Ok(programs),
    }
}

/// A program, compiled in one of several manners.
struct Test<'a> {
    program: &'a Program,
    name: String,
    compiler: &'static str,
    /// One more flag, or none.
    flag: &'static str,
}

/// Who compiles and runs the programs.
struct Runner {
    /// The command `winsock`, for what is run natively.
    winsock: PathBuf,
    wine: Option<Wine>,
    clang: bool,
    write: bool,
    /// Folder for what is compiled.
    scratch: PathBuf,
}

impl Runner {
    fn new(args: &Args) -> Result<Runner, String> {
        let scratch = tree::target_dir().join("programs");
        fs::create_dir_all(&scratch).map_err(|why| format!("{}: {why}", scratch.display()))?;
        let wine = args.wine.then(Wine::find).transpose()?;
        let clang = tree::program("clang++").is_some();
        if wine.is_none() {
            let mut build = tree::cargo();
            build.args(["build", "--quiet", "--package", "winsock-c", "--package", "winsock-cli"]);
            if !build.status().is_ok_and(|status| status.success()) {
                return Err("winsock-c and winsock-cli do not build".into());
            }
            if !clang {
                eprintln!("xtask: not installed, so no clang: apt-get install clang");
            }
        }
        let winsock = tree::target_dir().join("debug/winsock");
        Ok(Runner { winsock, wine, clang, write: args.write, scratch })
    }

    /// Every manner in which a program is compiled.
    fn tests<'a>(&self, program: &'a Program) -> Vec<Test<'a>> {
        let choose = |c, cpp| if program.cpp { cpp } else { c };
        let test = |compiler: &'static str, flag: &'static str| Test {
            name: format!("{} {compiler} {flag}", program.name).trim_end().into(),
            program,
            compiler,
            flag,
        };
        if self.wine.is_some() && program.newer {
            return Vec::new();
        }
        if self.wine.is_some() {
            let compiler = choose("x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-g++-posix");
            // Else printf would be mingw's own and not the run-time library's.
            return vec![test(compiler, "-D__USE_MINGW_ANSI_STDIO=0")];
        }
        let mut tests = vec![test(choose("gcc", "g++"), "")];
        if self.clang {
            tests.push(test(choose("clang", "clang++"), ""));
        }
        if program.wide {
            tests.push(test(choose("gcc", "g++"), "-fshort-wchar"));
        }
        tests
    }

    fn run(&self, test: &Test) -> crate::Outcome {
        let end = if self.wine.is_some() { ".exe" } else { "" };
        let name = test.name.replace([' ', '='], "_") + end;
        let program = self.scratch.join(name);
        self.compile(test, &program)?;
        let mut command = match &self.wine {
            Some(wine) => wine.program(&program),
            None => Command::new(&program),
        };
        let transcript = program.with_added_extension("txt");
        let ended = run_for(LIMIT, &mut command, &transcript);
        // It may have printed any bytes.
        let said = fs::read(&transcript).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).replace("\r\n", "\n");
        match ended? {
            Some(status) if status.success() => {}
            Some(status) => return Err(format!("{status}, after\n{said}")),
            None => return Err(format!("still runs after {LIMIT:?}, and said\n{said}")),
        }
        let expected = test.program.source.with_extension("out");
        if self.write {
            return fs::write(&expected, said)
                .map_err(|why| format!("{}: {why}", expected.display()));
        }
        let wanted = fs::read_to_string(&expected);
        compare(&said, &wanted.map_err(|why| format!("{}: {why}", expected.display()))?)
    }

    fn compile(&self, test: &Test, program: &Path) -> crate::Outcome {
        let mut command;
        if self.wine.is_some() {
            command = Command::new(test.compiler);
            command.args(["-w", "-static"]).arg(self.for_mingw(test.program)?);
        } else {
            command = Command::new(&self.winsock);
            command.args(["cc", "--cc", test.compiler]).arg(&test.program.source);
        }
        command.args(&test.program.flags).args(test.flag.split_whitespace());
        command.arg("-o").arg(program).args(["-lws2_32", "-lmswsock", "-liphlpapi"]);
        let output = command.output().map_err(|why| format!("{command:?}: {why}"))?;
        match output.status.success() {
            true => Ok(()),
            false => {
                let said = String::from_utf8_lossy(&output.stderr);
                Err(format!("does not compile:\n{said}"))
            }
        }
    }

    /// A copy of a source that finds its headers where file names have one spelling.
    fn for_mingw(&self, program: &Program) -> Result<PathBuf, String> {
        let copy = self.scratch.join(program.source.file_name().unwrap_or_default());
        let text = fs::read_to_string(&program.source);
        let text = text.map_err(|why| format!("{}: {why}", program.source.display()))?;
        let text: String = text.lines().map(|line| lower_include(line) + "\n").collect();
        fs::write(&copy, text).map_err(|why| format!("{}: {why}", copy.display()))?;
        Ok(copy)
    }
}

/// A line of a source; the name of a header in the spelling of mingw's files.
fn lower_include(line: &str) -> String {
    if line.trim_start().starts_with("#include <") {
        return line.to_lowercase();
    }
    line.into()
}

/// Runs a command that prints to a file; `None` if it had to be stopped.
fn run_for(
    limit: Duration,
    command: &mut Command,
    transcript: &Path,
) -> Result<Option<ExitStatus>, String> {
    let file = File::create(transcript);
    let file = file.map_err(|why| format!("{}: {why}", transcript.display()))?;
    let child = command.stdin(Stdio::null()).stdout(file).spawn();
    let mut child = child.map_err(|why| format!("{command:?}: {why}"))?;
    let start = Instant::now();
    while start.elapsed() < limit {
        let ended = child.try_wait().map_err(|why| format!("{command:?}: {why}"))?;
        if ended.is_some() {
            return Ok(ended);
        }
        thread::sleep(Duration::from_millis(20));
    }
    // It may have ended just now.
    let _ = child.kill();
    let _ = child.wait();
    Ok(None)
}

/// The first line in which two transcripts differ.
fn compare(said: &str, wanted: &str) -> crate::Outcome {
    let mut lines = said.lines();
    for (at, wanted) in wanted.lines().enumerate() {
        match lines.next() {
            Some(line) if line == wanted => {}
            line => {
                let line = line.unwrap_or("(nothing more)");
                return Err(format!("line {}: {line}\nhas to be: {wanted}", at + 1));
            }
        }
    }
    match lines.next() {
        Some(more) => Err(format!("behind its last line: {more}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transcripts_that_differ_are_told_apart() {
        assert!(compare("a\nb\n", "a\nb\n").is_ok());
        assert_eq!(compare("a\nc\n", "a\nb\n").unwrap_err(), "line 2: c\nhas to be: b");
        assert!(compare("a\n", "a\nb\n").unwrap_err().contains("nothing more"));
        assert!(compare("a\nb\n", "a\n").unwrap_err().contains("behind"));
    }

    #[test]
    fn headers_are_found_in_any_spelling() {
        assert_eq!(lower_include("#include <WinSock2.h>"), "#include <winsock2.h>");
        assert_eq!(lower_include("puts(\"A\");"), "puts(\"A\");");
    }

    #[test]
    fn a_program_that_hangs_is_stopped() {
        let transcript = tree::target_dir().join("a_program_that_hangs");
        let mut sleep = Command::new("sleep");
        let ended = run_for(Duration::from_millis(50), sleep.arg("60"), &transcript);
        assert!(ended.unwrap().is_none());
        std::fs::remove_file(transcript).unwrap();
    }
}
