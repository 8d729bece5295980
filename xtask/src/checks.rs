//! `cargo xtask loom|asan|valgrind`: what a plain test run does not see.

use std::process::Command;

use crate::tree;

/// Explores the interleavings of handle table, parker, signals, ports and sockets with loom
///
/// Each model is bounded to two preemptions, which finds nearly all races and ends in minutes;
/// LOOM_MAX_PREEMPTIONS sets another bound.
#[derive(clap::Args)]
pub struct Loom {
    /// Run only the models whose name contains this
    filter: Option<String>,
}

/// Runs the tests under AddressSanitizer (nightly Rust)
#[derive(clap::Args)]
pub struct Asan {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

/// Runs a part of the suite under valgrind's memcheck (Debian's package valgrind)
///
/// Only invalid reads and writes and jumps on undefined values count: the suite itself leaks what
/// an operation that never ends might still write to.
#[derive(clap::Args)]
pub struct Valgrind {
    /// The conformance test files to run
    #[arg(default_values = ["b_ends", "c_overlapped", "c_routines", "d_accept", "d_disconnect"])]
    files: Vec<String>,
}

pub fn loom(args: &Loom) -> crate::Outcome {
    let mut command = tree::cargo();
    command
        .args(["test", "--release", "--package", "winsock-sys", "--lib"])
        .arg("--target-dir")
        .arg(tree::target_dir().join("loom"))
        .env("RUSTFLAGS", "--cfg loom");
    if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        command.env("LOOM_MAX_PREEMPTIONS", "2");
    }
    command.args(["--", args.filter.as_deref().unwrap_or("loom_models")]);
    run(command, "a loom model failed")
}

pub fn asan(args: &Asan) -> crate::Outcome {
    let nightly = Command::new("rustc").args(["+nightly", "--version"]).output();
    if !nightly.is_ok_and(|output| output.status.success()) {
        return Err("asan needs nightly Rust: rustup toolchain install nightly".into());
    }
    // Not the cargo that started us, which belongs to another toolchain.
    let mut command = Command::new("cargo");
    command
        .current_dir(tree::root())
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        // Operations that a test leaves pending keep their memory on purpose.
        .env("ASAN_OPTIONS", "detect_leaks=0")
        .args(["+nightly", "test", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--package", "winsock-sys", "--package", "winsock", "--package", "conformance"])
        .args(["--lib", "--tests", "--target-dir"])
        .arg(tree::target_dir().join("asan"));
    if let Some(filter) = &args.filter {
        command.args(["--", filter]);
    }
    run(command, "a test failed under AddressSanitizer")
}

pub fn valgrind(args: &Valgrind) -> crate::Outcome {
    if tree::program("valgrind").is_none() {
        return Err("valgrind is missing: apt-get install valgrind".into());
    }
    let mut command = tree::cargo();
    command.args(["test", "--package", "conformance"]);
    for file in &args.files {
        command.args(["--test", file]);
    }
    command.args(["--", "--test-threads=2"]).env(
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER",
        "valgrind --quiet --error-exitcode=1 --leak-check=no --fair-sched=yes",
    );
    run(command, "valgrind found an error, or a test failed")
}

fn run(mut command: Command, failure: &str) -> crate::Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(failure.into()),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
