//! The programs that are measured, built first so that they are what the sources say.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Outcome;
use crate::contestants::{Contestant, Source};

/// Where each contestant's program is, or why there is none.
pub struct Programs {
    pub winsock: PathBuf,
    built: HashMap<&'static str, Result<PathBuf, String>>,
}

impl Programs {
    pub fn build(contestants: &[&'static Contestant]) -> Outcome<Programs> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let above = here.parent().ok_or("bench/ stands inside the repository")?;
        let winsock = find(&cargo(above, &["--package", "winsock-cli"], &[])?, "winsock")?;
        let mut built = HashMap::new();
        for contestant in contestants {
            let program = match contestant.source {
                Source::Serve { .. } => Ok(winsock.clone()),
                Source::Bin(name) => build_bin(here, name),
                Source::Crate { program, feature } => build_crate(here, program, feature),
                Source::C { file, link } => build_c(here, file, link),
                Source::Wine => for_windows(here),
            };
            built.insert(contestant.name, program.map_err(|error| error.to_string()));
        }
        Ok(Programs { winsock, built })
    }

    pub fn of(&self, contestant: &Contestant) -> Outcome<&Path> {
        match self.built.get(contestant.name) {
            Some(Ok(path)) => Ok(path),
            Some(Err(error)) => Err(error.clone().into()),
            None => Err("it was not built".into()),
        }
    }
}

fn build_bin(here: &Path, name: &str) -> Outcome<PathBuf> {
    find(&cargo(here, &["--bin", name], &[])?, name)
}

fn build_crate(here: &Path, program: &str, feature: &str) -> Outcome<PathBuf> {
    let arguments = ["--bin", program, "--features", feature];
    find(&cargo(&here.join("peers"), &arguments, &[])?, program)
}

fn build_c(here: &Path, file: &str, link: &[&str]) -> Outcome<PathBuf> {
    let source = here.join("peers/c").join(file);
    let (name, kind) = file.split_once('.').ok_or("a source has an extension")?;
    let (compiler, standard) =
        if kind == "c" { ("cc", "-std=gnu11") } else { ("c++", "-std=c++17") };
    let out = here.join("target/c");
    std::fs::create_dir_all(&out)?;
    let program = out.join(name);
    let output = Command::new(compiler)
        .args(["-O2", standard, "-o"])
        .args([&program, &source])
        .args(link)
        .output()
        .map_err(|error| format!("there is no {compiler}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().find(|line| line.contains("error")).unwrap_or("it fails");
        let first = first.rsplit("error: ").next().unwrap_or(first);
        return Err(format!("{file} does not compile: {first}").into());
    }
    Ok(program)
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
        return Err(format!("cargo build {} failed", arguments.join(" ")).into());
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
