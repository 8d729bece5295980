//! `cargo xtask examples`: the echo servers in C and C++ answer here what they answer there.

mod cost;
mod limits;
mod script;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::server::Server;
use crate::tree;
use crate::wine::Wine;

/// Compiles the servers of examples/c, and drives each with the same script
///
/// Each is compiled by `winsock cc` and run natively; with --wine it is also compiled by mingw and
/// run under Wine, and what the script got back has to be the same.
#[derive(clap::Args)]
pub struct Args {
    /// Take only the servers whose name contains this
    filter: Option<String>,
    /// Compile with mingw and run under Wine too
    #[arg(long)]
    wine: bool,
    /// Run under valgrind's memcheck too
    #[arg(long)]
    valgrind: bool,
    /// Compile and run with AddressSanitizer and UndefinedBehaviorSanitizer too
    #[arg(long)]
    asan: bool,
    /// Instead measure CPU per message, natively and under Wine
    #[arg(long)]
    cost: bool,
    /// Rounds of measuring, of which the tables show the median
    #[arg(long, default_value_t = 5, requires = "cost")]
    rounds: usize,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 2.0, requires = "cost")]
    seconds: f64,
}

/// How a server is compiled and run.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    Native,
    Valgrind,
    Asan,
    Wine,
}

const MEMCHECK: [&str; 6] = [
    "--quiet",
    "--error-exitcode=99",
    "--fair-sched=yes",
    "--leak-check=full",
    "--errors-for-leak-kinds=definite",
    "--show-leak-kinds=definite",
];

/// What a server is put through natively, besides the script.
type Check = fn(Server) -> crate::Outcome;

const LIMITS: [(&str, Check); 3] = [
    ("idle", limits::idle),
    ("without descriptors", limits::crowded),
    ("reset before it accepts", limits::resets),
];

pub fn run(args: &Args) -> crate::Outcome {
    let kit = Kit::build(args)?;
    let sources = sources(args.filter.as_deref())?;
    if args.cost {
        return cost::run(&kit, &sources, args.rounds, args.seconds);
    }
    let mut ways = vec![Way::Native];
    ways.extend(args.valgrind.then_some(Way::Valgrind));
    ways.extend(args.asan.then_some(Way::Asan));
    ways.extend(args.wine.then_some(Way::Wine));

    let (mut passed, mut failed) = (0, 0);
    let mut note = |name: String, outcome: crate::Outcome| match outcome {
        Ok(()) => {
            passed += 1;
            println!("test {name} ... ok");
        }
        Err(why) => {
            failed += 1;
            println!("test {name} ... FAILED\n{why}");
        }
    };
    for source in &sources {
        let mut native = None;
        for &way in &ways {
            let outcome = kit.drive(source, way).and_then(|transcript| {
                let first = native.get_or_insert_with(|| transcript.clone());
                if *first == transcript {
                    Ok(())
                } else {
                    Err(format!("natively:\n{first}\n{}:\n{transcript}", way.name()))
                }
            });
            note(format!("{}, {}", stem(source), way.name()), outcome);
        }
        for (name, check) in LIMITS {
            let server = kit.server(&kit.folder.join(stem(source)), Way::Native);
            let outcome = server.and_then(check);
            note(format!("{}, {name}", stem(source)), outcome);
        }
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {passed} passed; {failed} failed");
    match failed {
        0 => Ok(()),
        _ => Err("a server of examples/c failed".into()),
    }
}

/// The servers; the client is compiled too, by the script that drives them.
fn sources(filter: Option<&str>) -> Result<Vec<PathBuf>, String> {
    let folder = tree::root().join("examples/c");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{folder:?}: {error}"))?;
    let mut sources: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "c" || end == "cpp"))
        .filter(|path| stem(path) != "client")
        .filter(|path| filter.is_none_or(|filter| stem(path).contains(filter)))
        .collect();
    sources.sort();
    if sources.is_empty() { Err("no server has such a name".into()) } else { Ok(sources) }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Native => "natively",
            Way::Valgrind => "under valgrind",
            Way::Asan => "with the sanitizers",
            Way::Wine => "under Wine",
        }
    }
}

/// What compiles and runs the servers.
pub struct Kit {
    wine: Option<Wine>,
    /// The command `winsock`.
    winsock: PathBuf,
    /// Where the programs go.
    folder: PathBuf,
}

impl Kit {
    fn build(args: &Args) -> Result<Kit, String> {
        let wine = if args.wine || args.cost { Some(Wine::find()?) } else { None };
        if args.valgrind && tree::program("valgrind").is_none() {
            return Err("valgrind is missing: apt-get install valgrind".into());
        }
        let mut command = tree::cargo();
        command.args(["build", "--quiet", "--package", "winsock-cli", "--package", "winsock-c"]);
        command.args(args.cost.then_some("--release"));
        succeed(command)?;
        let folder = tree::target_dir().join("examples-c");
        fs::create_dir_all(&folder).map_err(|error| format!("{folder:?}: {error}"))?;
        let profile = if args.cost { "release" } else { "debug" };
        let winsock = tree::target_dir().join(profile).join("winsock");
        Ok(Kit { wine, winsock, folder })
    }

    /// Compiles one program; warnings are errors.
    fn compile(&self, source: &Path, way: Way) -> Result<PathBuf, String> {
        let cpp = source.extension().is_some_and(|end| end == "cpp");
        let program = self.folder.join(match way {
            Way::Native | Way::Valgrind => stem(source),
            Way::Asan => format!("{}-asan", stem(source)),
            Way::Wine => format!("{}.exe", stem(source)),
        });
        let mut command = match way {
            Way::Wine if cpp => Command::new("x86_64-w64-mingw32-g++-posix"),
            Way::Wine => Command::new("x86_64-w64-mingw32-gcc"),
            _ => {
                let mut command = Command::new(&self.winsock);
                command.arg("cc");
                command
            }
        };
        command.args(["-O2", "-g", "-Wall", "-Wextra", "-Werror"]);
        command.args(cpp.then_some("-std=c++17"));
        match way {
            Way::Asan => {
                command.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
            }
            Way::Wine => {
                command.arg("-static");
            }
            _ => {}
        }
        command.arg(source).arg("-o").arg(&program);
        command.args(["-lws2_32", "-lmswsock", "-luser32"]);
        succeed(command)?;
        Ok(program)
    }

    /// What runs a program.
    fn command(&self, program: &Path, way: Way) -> Command {
        match (way, &self.wine) {
            (Way::Wine, Some(wine)) => wine.program(program),
            (Way::Valgrind, _) => {
                let mut command = Command::new("valgrind");
                let suppressions = tree::root().join("xtask/suppressions/memcheck.supp");
                command.args(MEMCHECK);
                command.arg(format!("--suppressions={}", suppressions.display())).arg(program);
                command
            }
            _ => Command::new(program),
        }
    }

    fn server(&self, program: &Path, way: Way) -> Result<Server, String> {
        Server::start(self.command(program, way))
    }

    /// Has the script run against a server, and tells what came back.
    fn drive(&self, source: &Path, way: Way) -> Result<String, String> {
        let client = self.compile(&source.with_file_name("client.c"), way)?;
        let server = self.server(&self.compile(source, way)?, way)?;
        let mut client = self.command(&client, way);
        client.args([server.at.ip().to_string(), server.at.port().to_string()]);
        script::run(server, client)
    }
}

fn succeed(mut command: Command) -> crate::Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("failed: {command:?}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
