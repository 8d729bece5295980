//! The command `winsock`: serve a socket model, load a server, compare the models, ask the machine,
//! compile C and C++ written for Windows.
//!
//! One file per subcommand. Exit codes: 0 it went well, 1 it ran and something failed, 2 bad usage.
//! Whatever goes wrong is said in one line on stderr; results go to stdout, logs to stderr.

#[cfg(target_os = "linux")]
mod cc;
mod compare;
mod failure;
mod load;
mod model;
mod os;
mod out;
mod probe;
mod serve;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

#[cfg(target_os = "linux")]
use crate::failure::Failure;

/// Windows' socket models on this machine: serve them, load them, compare what they cost.
#[derive(Parser)]
#[command(name = "winsock", version, propagate_version = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Log more to stderr: -v info, -vv debug, -vvv trace. RUST_LOG, if set, decides instead.
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 100)]
    verbose: u8,
}

const EXAMPLES: &str = "\
Examples:
  winsock serve --model completion-port
  winsock load --connect 127.0.0.1:5150 --connections 100 --seconds 10
  winsock compare
  winsock cc server.c -o server
  winsock probe";

#[derive(Subcommand)]
enum Command {
    Serve(serve::Args),
    Load(load::Args),
    Compare(compare::Args),
    Probe(probe::Args),
    #[cfg(target_os = "linux")]
    Cc(cc::Args),
}

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    let arguments = cc::arrange(std::env::args_os());
    #[cfg(not(target_os = "linux"))]
    let arguments = std::env::args_os();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    start_logging(cli.verbose);
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Probe(args) => probe::run(&args),
        #[cfg(target_os = "linux")]
        Command::Cc(args) => {
            return cc::run(&args).unwrap_or_else(Failure::report);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn start_logging(verbose: u8) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        3.. => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}

/// What a server that greets with `text` sends first: a line of it.
fn greeting(text: &str) -> Vec<u8> {
    format!("{text}\r\n").into_bytes()
}
