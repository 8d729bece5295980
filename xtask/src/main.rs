//! The project's own chores: `cargo xtask <chore>`.
//!
//! Each chore is a module with its `Args` and a `run`; a failure is one line for the reader.

mod abi;
mod bench;
mod c_api;
mod checks;
mod conformance_table;
mod examples;
mod headers;
mod install;
mod nightly;
mod programs;
mod signatures;
mod tidy;
mod tree;
mod wine;

use std::process::ExitCode;

use clap::Parser;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Chore {
    Abi(abi::Args),
    Asan(checks::Asan),
    Bench(bench::Args),
    CApi(c_api::Args),
    ConformanceTable(conformance_table::Args),
    Examples(examples::Args),
    Headers(headers::Args),
    Install(install::Args),
    Loom(checks::Loom),
    Programs(programs::Args),
    Tidy(tidy::Args),
    Tsan(checks::Tsan),
    Valgrind(checks::Valgrind),
    Wine(wine::Args),
}

/// What a chore comes back with: nothing, or the line that says why it failed.
type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let outcome = match Chore::parse() {
        Chore::Abi(args) => abi::run(&args),
        Chore::Asan(args) => checks::asan(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::CApi(args) => c_api::run(&args),
        Chore::ConformanceTable(args) => conformance_table::run(&args),
        Chore::Examples(args) => examples::run(&args),
        Chore::Headers(args) => headers::run(&args),
        Chore::Install(args) => install::run(&args),
        Chore::Loom(args) => checks::loom(&args),
        Chore::Programs(args) => programs::run(&args),
        Chore::Tidy(args) => tidy::run(&args),
        Chore::Tsan(args) => checks::tsan(&args),
        Chore::Valgrind(args) => checks::valgrind(&args),
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
