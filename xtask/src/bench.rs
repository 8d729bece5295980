//! `cargo xtask bench`: the measuring program in `bench/`, a workspace of its own.

use std::path::Path;
use std::process::Command;

use crate::Outcome;

/// Measures winsock beside hand-written loops and beside tokio, mio, monoio, compio, asio, libuv
/// and libevent
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// As `cargo xtask bench --help` says
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub fn run(args: &Args) -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask has a folder")?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--bin", "winsock-bench", "--manifest-path"])
        .arg(root.join("bench/Cargo.toml"))
        .arg("--")
        .args(&args.arguments)
        .status()
        .map_err(|error| format!("cargo does not run: {error}"))?;
    match status.code() {
        Some(0) => Ok(()),
        code => std::process::exit(code.unwrap_or(1)),
    }
}
