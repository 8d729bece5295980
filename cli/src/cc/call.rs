//! The compiler's command lines, as they are shown and run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode, ExitStatus};

use super::kit::Kit;
use super::line::{Language, Line};
use super::{Args, spelling};
use crate::failure::Failure;

/// Flags for every source.
const ALWAYS: [&str; 4] = ["-D_WIN32=1", "-D_WIN64=1", "-fms-extensions", "-pthread"];
/// Microsoft's keywords, which need no header there.
const KEYWORDS: [&str; 2] = ["-include", "winsock/platform.h"];
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
/// The heap begins behind the program, which is then within the first 4 GiB: what the main thread
/// has from malloc survives `(DWORD)pointer`, which programs from 32 bits pass as a completion key.
const LOW: &str = "-no-pie";
/// std::locale takes Windows' names, by a function that is linked even if nobody names it.
const LOCALES: [&str; 3] = [
    "-Wl,--undefined=winsock_newlocale",
    "-Wl,--wrap=__newlocale",
    "-Wl,--defsym=__wrap___newlocale=winsock_newlocale",
];
/// How a shell says that a program was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// A call of the compiler, and what must have been compiled before it.
pub struct Call {
    compiler: OsString,
    arguments: Vec<OsString>,
    start: Option<Start>,
}

/// start.c, compiled in a folder of its own that nobody else can write to or foresee.
struct Start {
    folder: PathBuf,
    arguments: Vec<OsString>,
}

impl Call {
    pub fn new(compiler: OsString, args: &Args, line: &Line, kit: &Kit) -> Result<Call, Failure> {
        let sources = line.inputs.iter().filter(|input| input.language.is_some());
        let paths = sources.map(|input| input.path.as_path());
        let read = spelling::read(paths, &line.folders, &kit.include);
        if let Some((place, word)) = &read.leaves_try {
            return Err(Failure::Failed(format!(
                "{place}: {word} leaves __try and would pass its __finally by: write __leave"
            )));
        }
        let clang = Path::new(&compiler).file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.contains("clang")
        });
        let mut arguments: Vec<OsString> = ALWAYS.map(OsString::from).into();
        arguments.extend(["-isystem".into(), kit.include.clone().into()]);
        arguments.extend(KEYWORDS.map(OsString::from));
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
            // Else `#pragma comment(lib, ...)` would be the linker's to heed, and flags for C a
            // warning where there is nothing but assembler.
            arguments.extend(["-fno-autolink".into(), "-Qunused-arguments".into()]);
            // A function that ends without a return trapped else, and does not on Windows.
            if cpp {
                arguments.push("-fno-strict-return".into());
            }
        }
        if cpp && read.have_void_main {
            arguments.push("-Dmain=winsock_main".into());
        }
        if read.have_silent_wmain {
            arguments.push(silent_wmain(cpp, clang).into());
        }
        arguments.extend(pass_on(line));
        // Behind -Wall, which for clang would undo it.
        arguments.push(NO_WARNING.into());
        let mut call = Call { compiler, arguments, start: None };
        if line.links && !line.inputs.is_empty() {
            let renamed = cpp && read.have_void_main;
            if line.inputs.iter().any(|input| input.said) {
                // What follows is no source.
                call.arguments.extend(["-x".into(), "none".into()]);
            }
            // Before the library, which it calls.
            if renamed || read.have_entry_point || line.names_entry_point() {
                let start = Start::new(line.short_wchar, kit);
                call.arguments.push(start.object().into());
                call.start = Some(start);
            }
            call.link(args, line, kit)?;
        }
        Ok(call)
    }

    fn link(&mut self, args: &Args, line: &Line, kit: &Kit) -> Result<(), Failure> {
        if !(line.makes_shared || line.says_pie || line.sanitizes) {
            self.arguments.push(LOW.into());
        }
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
        // Of the library, what is used.
        self.arguments.push("-Wl,--gc-sections".into());
        // The sanitizers bring the compiler's libraries, and want to be the only ones who do.
        if !line.sanitizes {
            self.arguments.push("-static-libgcc".into());
            if line.language() == Language::Cpp {
                self.arguments.push("-static-libstdc++".into());
                self.arguments.extend(LOCALES.map(OsString::from));
            }
        }
        // What the library needs, where glibc is older than 2.34 or the compiler is for C.
        self.arguments.extend(["-ldl".into(), "-lm".into()]);
        Ok(())
    }

    /// The commands, as a shell would take them.
    pub fn shown(&self) -> String {
        let main = shown(&self.compiler, &self.arguments);
        let Some(start) = &self.start else { return main };
        let folder = quoted(&start.folder);
        let first = shown(&self.compiler, &start.arguments);
        format!("mkdir -m 700 {folder}\n{first}\n{main}\nrm -r {folder}")
    }

    /// Answers with the compiler's exit code; one that was killed has failed.
    pub fn run(&self) -> Result<ExitCode, Failure> {
        let mut status = ExitStatus::default();
        let _folder = self.start.as_ref().map(Start::open).transpose()?;
        let first = self.start.iter().map(|start| &start.arguments);
        for arguments in first.chain([&self.arguments]) {
            status = self.status(arguments)?;
            if !status.success() {
                break;
            }
        }
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    fn status(&self, arguments: &[OsString]) -> Result<ExitStatus, Failure> {
        let name = self.compiler.to_string_lossy();
        Command::new(&self.compiler).args(arguments).status().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::Usage(format!(
                "no compiler '{name}' here: install it, or name another with --cc"
            )),
            _ => Failure::Usage(format!("{name}: {error}")),
        })
    }
}

impl Start {
    fn new(short_wchar: bool, kit: &Kit) -> Start {
        let unforeseen = RandomState::new().hash_one(process::id());
        let folder = env::temp_dir().join(format!("winsock-cc-{unforeseen:016x}"));
        let options = ["-x", "c", "-std=gnu11", "-O1", "-w", "-c"];
        let mut start = Start { folder, arguments: options.map(OsString::from).into() };
        let object = start.object().into();
        if short_wchar {
            start.arguments.push("-fshort-wchar".into());
        }
        let include = [OsString::from("-isystem"), kit.include.clone().into()];
        start.arguments.extend(include);
        start.arguments.extend([kit.start.clone().into(), "-o".into(), object]);
        start
    }

    fn object(&self) -> PathBuf {
        self.folder.join("start.o")
    }

    /// Makes the folder, for as long as what is returned lives.
    fn open(&self) -> Result<Opened, Failure> {
        let folder = &self.folder;
        // Fails if something of this name is there.
        let made = DirBuilder::new().mode(0o700).create(folder);
        made.map_err(|error| {
            Failure::Usage(format!("{}: {error}; TMPDIR names another place", folder.display()))
        })?;
        let opened = Opened(folder.clone());
        let path = folder.clone();
        ctrlc::set_handler(move || {
            drop(Opened(path.clone()));
            process::exit(INTERRUPTED);
        })
        .map_err(|error| Failure::of("signals", error))?;
        Ok(opened)
    }
}

/// A folder that goes with it.
struct Opened(PathBuf);

impl Drop for Opened {
    fn drop(&mut self) {
        // What remains in the temporary folder is the system's to clear.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Gives a wmain without an exit code a name by which start.c knows it. To g++ its end is a place
/// that is never come to, unless it is not optimized.
fn silent_wmain(cpp: bool, clang: bool) -> &'static str {
    match cpp && !clang {
        true => "-Dwmain=__attribute__((__optimize__(0)))winsock_wmain",
        false => "-Dwmain=winsock_wmain",
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

fn shown(compiler: &OsStr, arguments: &[OsString]) -> String {
    let words = [compiler].into_iter().chain(arguments.iter().map(OsString::as_os_str));
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(argument: impl AsRef<OsStr>) -> String {
    let text = argument.as_ref().to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./:,@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_pasted() {
        assert_eq!(quoted("-DX='a b'"), r"'-DX='\''a b'\'''");
        assert_eq!(quoted("-I/usr/include"), "-I/usr/include");
    }
}
