//! The project's own chores: `cargo xtask <chore>`.
//!
//! Each chore is a module with its `Args` and a `run`; a failure is one line for the reader.

mod conformance_table;
mod tree;
mod wine;

use std::process::ExitCode;

use clap::Parser;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    ConformanceTable(conformance_table::Args),
    Wine(wine::Args),
}

/// What a chore comes back with: nothing, or the line that says why it failed.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::ConformanceTable(args) => conformance_table::run(&args),
        Chore::Wine(args) => wine::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
