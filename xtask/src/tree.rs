//! Where things are, and how the chores call cargo.

use std::env;
use std::path::{self, Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Cargo's target folder for this workspace, as an absolute path.
pub fn target_dir() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").and_then(|dir| path::absolute(dir).ok());
    named.unwrap_or_else(|| root().join("target"))
}

/// The cargo that started us, in the workspace's folder.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The program `name` in PATH.
pub fn program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}
