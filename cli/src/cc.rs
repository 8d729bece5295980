//! `winsock cc`: the system's compiler, told what sources for Windows need.

mod kit;
mod line;
mod spelling;
mod text;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use self::kit::Kit;
use self::line::{Language, Line};
use crate::failure::Failure;
use crate::out::say;

/// Compile C and C++ written for Windows' sockets into a program for Linux.
///
/// Calls gcc, or g++ if there is C++ among the sources, with the headers, the library and the
/// flags that such sources need; whatever else is given goes to the compiler, in order. Headers are
/// found in any spelling, -lws2_32 and the like mean this library, and a program may begin with
/// main, wmain, WinMain or wWinMain. _WIN32 and _WIN64 are defined (-U_WIN32 undoes it). Exits as
/// the compiler does; 2 if it could not be called.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "winsock cc [OPTIONS] [COMPILER'S ARGUMENTS]")]
pub struct Args {
    /// Call this compiler: gcc, clang, or g++ and clang++ for C++
    #[arg(long, value_name = "PROGRAM")]
    cc: Option<OsString>,

    /// Link libwinsock.so instead of putting the library into the program
    #[arg(long)]
    shared: bool,

    /// Print the command and do not run it; also -###
    #[arg(long)]
    dry_run: bool,

    #[arg(hide = true, last = true)]
    arguments: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  winsock cc server.c -o server
  winsock cc -O2 -Wall -c server.cpp
  winsock cc --cc clang++ -std=c++20 server.cpp -lws2_32 -lmswsock -o server";

/// Flags for every source.
const ALWAYS: [&str; 5] = ["-D_WIN32=1", "-D_WIN64=1", "-fms-extensions", "-pthread", "-isystem"];
/// `#pragma comment(lib, ...)` has been heeded when the library is linked.
const NO_WARNING: &str = "-Wno-unknown-pragmas";
/// What Microsoft's compiler takes in C. Newer compilers make errors of these.
const PERMISSIVE_C: [&str; 4] = [
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=incompatible-pointer-types",
    "-Wno-error=int-conversion",
];
/// And in C++.
const PERMISSIVE_CPP: [&str; 3] = ["-fpermissive", "-Wno-write-strings", "-Wno-narrowing"];
/// The entry points that start.c calls, as they are named in sources and in objects.
const ENTRY_POINTS: [&[u8]; 4] = [b"wmain", b"_tmain", b"WinMain", b"winsock_main"];

/// Puts our options before what is the compiler's, so that both may be given in any order.
pub fn arrange(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all = all.peekable();
    let mut ours: Vec<OsString> = all.by_ref().take(1).collect();
    if all.peek().is_none_or(|command| command != "cc") {
        ours.extend(all);
        return ours;
    }
    ours.extend(all.next());
    let mut compilers = Vec::new();
    while let Some(argument) = all.next() {
        match argument.to_str().unwrap_or_default() {
            "-###" => ours.push("--dry-run".into()),
            "--shared" | "--dry-run" | "--help" | "-h" => ours.push(argument),
            "--cc" => {
                ours.push(argument);
                ours.extend(all.next());
            }
            text if text.starts_with("--cc=") => ours.push(argument),
            _ if line::takes_value(&argument) => {
                compilers.push(argument);
                compilers.extend(all.next());
            }
            _ => compilers.push(argument),
        }
    }
    ours.push("--".into());
    ours.extend(compilers);
    ours
}

pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let line = Line::read(&args.arguments);
    if line.inputs.is_empty() && !line.asks {
        return Err(Failure::Usage("no input file: winsock cc server.c -o server".into()));
    }
    let kit = Kit::find()?;
    let compiler = match &args.cc {
        Some(compiler) => compiler.clone(),
        None if line.language() == Language::Cpp => "g++".into(),
        None => "gcc".into(),
    };
    let mut call = Call::new(compiler, args, &line, &kit)?;
    if args.dry_run {
        say(call.shown())?;
        return Ok(ExitCode::SUCCESS);
    }
    let status = call.run(&kit)?;
    Ok(exit_code(status))
}

/// A compiler's command line.
struct Call {
    compiler: OsString,
    arguments: Vec<OsString>,
    /// Where start.c is to be compiled to first.
    start: Option<PathBuf>,
    short_wchar: bool,
}

impl Call {
    fn new(compiler: OsString, args: &Args, line: &Line, kit: &Kit) -> Result<Call, Failure> {
        let sources = line.inputs.iter().filter(|input| input.language.is_some());
        let paths = sources.map(|input| input.path.as_path());
        let read = spelling::read(paths, &line.folders, &kit.include);
        let clang = Path::new(&compiler).file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.contains("clang")
        });
        let mut arguments: Vec<OsString> = ALWAYS.map(OsString::from).into();
        arguments.push(kit.include.clone().into());
        if let Some(folder) = read.folder()? {
            arguments.extend(["-isystem".into(), folder.into()]);
        }
        let cpp = line.has(Language::Cpp);
        let permissive: &[&str] = if cpp { &PERMISSIVE_CPP } else { &PERMISSIVE_C };
        // A compiler of C++ that also gets C warns that these are not for C.
        if !(cpp && line.has(Language::C)) {
            arguments.extend(permissive.iter().map(OsString::from));
        }
        if clang {
            // Else `#pragma comment(lib, ...)` would be the linker's to heed.
            arguments.push("-fno-autolink".into());
        }
        if cpp && read.have_void_main {
            arguments.push("-Dmain=winsock_main".into());
        }
        arguments.extend(pass_on(line));
        // Behind -Wall, which for clang would undo it.
        arguments.push(NO_WARNING.into());
        let mut call = Call { compiler, arguments, start: None, short_wchar: line.short_wchar };
        if line.links && !line.inputs.is_empty() {
            let renamed = cpp && read.have_void_main;
            if line.inputs.iter().any(|input| input.said) {
                // What follows is no source.
                call.arguments.extend(["-x".into(), "none".into()]);
            }
            let mut inputs = line.inputs.iter();
            // Before the library, which it calls.
            if renamed || inputs.any(|input| line::mentions(&input.path, &ENTRY_POINTS)) {
                call.begin();
            }
            call.link(args, line, kit)?;
        }
        Ok(call)
    }

    fn link(&mut self, args: &Args, line: &Line, kit: &Kit) -> Result<(), Failure> {
        // Two libraries of which each holds a copy would have two tables of handles.
        if args.shared || line.makes_shared {
            let library = kit.library("libwinsock.so")?;
            let folder = library.parent().unwrap_or(Path::new("/"));
            let mut search = OsString::from("-Wl,-rpath,");
            search.push(folder);
            self.arguments.extend(["-L".into(), folder.into(), search, "-l:libwinsock.so".into()]);
            return Ok(());
        }
        self.arguments.push(kit.library("libwinsock.a")?.into());
        // The sanitizers bring the compiler's libraries, and want to be the only ones who do.
        if !line.sanitizes {
            self.arguments.push("-static-libgcc".into());
            if line.language() == Language::Cpp {
                self.arguments.push("-static-libstdc++".into());
            }
        }
        // libm, which the library needs and only C++ compilers name.
        self.arguments.push("-lm".into());
        Ok(())
    }

    fn begin(&mut self) {
        let name = format!("winsock-start-{}.o", std::process::id());
        let object = env::temp_dir().join(name);
        self.arguments.push(object.clone().into());
        self.start = Some(object);
    }

    /// The command, as a shell would take it.
    fn shown(&self) -> String {
        let own: Vec<String> =
            [&self.compiler].into_iter().chain(&self.arguments).map(quoted).collect();
        own.join(" ")
    }

    fn run(&mut self, kit: &Kit) -> Result<ExitStatus, Failure> {
        if let Some(object) = &self.start {
            self.compile_start(object, kit)?;
        }
        let status = self.status(Command::new(&self.compiler).args(&self.arguments));
        if let Some(object) = &self.start {
            // Nobody needs it any more.
            let _ = fs::remove_file(object);
        }
        status
    }

    fn compile_start(&self, object: &Path, kit: &Kit) -> Result<(), Failure> {
        let mut command = Command::new(&self.compiler);
        command.args(["-x", "c", "-std=gnu11", "-O1", "-w", "-c"]).arg(&kit.start);
        command.arg("-isystem").arg(&kit.include).arg("-o").arg(object);
        if self.short_wchar {
            command.arg("-fshort-wchar");
        }
        match self.status(&mut command)?.success() {
            true => Ok(()),
            false => Err(Failure::Usage(format!("{} does not compile", kit.start.display()))),
        }
    }

    fn status(&self, command: &mut Command) -> Result<ExitStatus, Failure> {
        let name = self.compiler.to_string_lossy();
        command.status().map_err(|error| match error.kind() {
            ErrorKind::NotFound => {
                Failure::Usage(format!("no {name} here: install it, or name another with --cc"))
            }
            _ => Failure::Usage(format!("{name}: {error}")),
        })
    }
}

/// What the program gave. A compiler of C++ is told that a .c file is C.
fn pass_on(line: &Line) -> Vec<OsString> {
    let mixed = line.has(Language::C) && line.has(Language::Cpp);
    let mut passed = Vec::new();
    for (at, argument) in line.passed.iter().enumerate() {
        let input = line.inputs.iter().find(|input| input.at == at);
        let is_c = input.is_some_and(|input| input.language == Some(Language::C) && !input.said);
        if mixed && is_c {
            passed.extend(["-x".into(), "c".into(), argument.clone(), "-x".into(), "none".into()]);
        } else {
            passed.push(argument.clone());
        }
    }
    passed
}

fn quoted(argument: impl AsRef<OsStr>) -> String {
    let text = argument.as_ref().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// The compiler's own; a compiler that was killed has failed.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arranged(text: &str) -> String {
        let all = arrange(text.split(' ').map(OsString::from));
        all.iter().filter_map(|argument| argument.to_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn our_options_may_stand_anywhere() {
        assert_eq!(
            arranged("winsock cc -v a.c --cc clang -o b --shared"),
            "winsock cc --cc clang --shared -- -v a.c -o b"
        );
        assert_eq!(arranged("winsock cc a.c -###"), "winsock cc --dry-run -- a.c");
        assert_eq!(
            arranged("winsock cc -Xlinker --shared a.c"),
            "winsock cc -- -Xlinker --shared a.c"
        );
        assert_eq!(arranged("winsock serve --shared"), "winsock serve --shared");
    }

    #[test]
    fn what_is_shown_can_be_pasted() {
        assert_eq!(quoted("-DX='a b'"), r"'-DX='\''a b'\'''");
        assert_eq!(quoted("-I/usr/include"), "-I/usr/include");
    }
}
