//! `winsock cc`: the system's compiler, told what sources for Windows need.

mod call;
mod kit;
mod line;
mod response;
mod spelling;
mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use self::call::Call;
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
/// the compiler does; 2 if it could not be called. @file stands for the arguments in a file.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "winsock cc [OPTIONS] [COMPILER'S ARGUMENTS]")]
pub struct Args {
    /// Call this compiler: gcc, clang, or g++ and clang++ for C++
    #[arg(long, value_name = "PROGRAM")]
    cc: Option<OsString>,

    /// Link libwinsock.so instead of putting the library into the program
    #[arg(long)]
    shared: bool,

    /// Print the commands and do not run them; also -###
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

/// Puts our options before what is the compiler's, so that both may be given in any order.
pub fn arrange(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all = all.peekable();
    let mut ours: Vec<OsString> = all.by_ref().take(1).collect();
    if all.peek().is_none_or(|command| command != "cc") {
        ours.extend(all);
        return ours;
    }
    ours.extend(all.next());
    let mut all = response::expand(all).into_iter();
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
    let call = Call::new(compiler, args, &line, &kit)?;
    match args.dry_run {
        true => say(call.shown()).map(|()| ExitCode::SUCCESS),
        false => call.run(),
    }
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
}
