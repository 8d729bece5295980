//! The programs that are measured, built first so that they are what the sources say.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Outcome;

pub struct Programs {
    pub winsock: PathBuf,
    epoll_echo: PathBuf,
    sys_echo: PathBuf,
    sys_echo_exe: Option<PathBuf>,
}

impl Programs {
    /// `wine`: for Windows as well.
    pub fn build(wine: bool) -> Outcome<Programs> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let above = here.parent().ok_or("bench/ stands inside the repository")?;
        let winsock = cargo(above, &["--package", "winsock-cli"], &[])?;
        let ours = cargo(here, &["--bins"], &[])?;
        Ok(Programs {
            winsock: find(&winsock, "winsock")?,
            epoll_echo: find(&ours, "epoll-echo")?,
            sys_echo: find(&ours, "sys-echo")?,
            sys_echo_exe: wine.then(|| for_windows(here)).transpose()?,
        })
    }

    pub fn serve(&self, arguments: &[&str]) -> Vec<String> {
        let program = self.winsock.display().to_string();
        let arguments = arguments.iter().map(|argument| argument.to_string());
        [program, "serve".into()].into_iter().chain(arguments).collect()
    }

    pub fn epoll_echo(&self) -> Vec<String> {
        vec![self.epoll_echo.display().to_string()]
    }

    pub fn sys_echo(&self) -> Vec<String> {
        vec![self.sys_echo.display().to_string()]
    }

    pub fn sys_echo_exe(&self) -> Outcome<PathBuf> {
        self.sys_echo_exe.clone().ok_or_else(|| "sys-echo was not built for Windows".into())
    }
}

/// The Windows target of Debian's compiler, which brings the sources of its standard library. The
/// Windows 7 flavour needs nothing that Wine 8 lacks.
fn for_windows(here: &Path) -> Outcome<PathBuf> {
    let rustc = std::env::var("WINDOWS_RUSTC").unwrap_or_else(|_| "/usr/bin/rustc".into());
    let target = "x86_64-win7-windows-gnu";
    let arguments = ["-Zbuild-std=std,panic_abort", "--target", target, "--bin", "sys-echo"];
    let built = cargo(here, &arguments, &[("RUSTC", &rustc), ("RUSTC_BOOTSTRAP", "1")])?;
    find(&built, "sys-echo")
}

/// Builds, and gives the paths of the programs that came out.
fn cargo(
    directory: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Outcome<Vec<PathBuf>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--message-format=json-render-diagnostics"])
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the build in {} failed", directory.display()).into());
    }
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().map(serde_json::from_str::<Value>);
    let mut programs = Vec::new();
    for message in messages {
        if let Some(path) = message?["executable"].as_str() {
            programs.push(path.into());
        }
    }
    Ok(programs)
}

fn find(programs: &[PathBuf], name: &str) -> Outcome<PathBuf> {
    let is_it = |path: &&PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    programs
        .iter()
        .find(is_it)
        .cloned()
        .ok_or_else(|| format!("no program {name} was built").into())
}
