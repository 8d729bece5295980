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

/// The compiler named by RUSTC or the distribution's, if std's source is installed with it.
pub fn rustc_with_source() -> Option<PathBuf> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "/usr/bin/rustc".into());
    let output = Command::new(&rustc).args(["--print", "sysroot"]).output().ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    has_source(Path::new(sysroot.trim())).then(|| rustc.into())
}

/// Whether a toolchain has the source of its std beside it.
pub fn has_source(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/Cargo.lock").is_file()
}
