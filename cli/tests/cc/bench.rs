//! A folder in which programs are compiled and run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Seconds, longer than any of these programs may take.
const PATIENCE: &str = "120";

/// The compilers that are here, each with the name of a source in its language.
pub fn compilers() -> Vec<(&'static str, &'static str)> {
    let all = [("gcc", "a.c"), ("g++", "a.cpp"), ("clang", "a.c"), ("clang++", "a.cpp")];
    let (here, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| have(name));
    for (name, _) in missing {
        eprintln!("not installed, so not tried: {name}");
    }
    here
}

fn have(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// It goes with what was made in it.
pub struct Bench(PathBuf);

impl Bench {
    pub fn new(name: &str) -> Bench {
        library();
        let folder = env::temp_dir().join(format!("winsock cc {name} {}", std::process::id()));
        fs::create_dir_all(folder.join("temporary")).unwrap();
        Bench(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// What was left behind where temporary files are made.
    pub fn temporaries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("temporary")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = self.limited(env!("CARGO_BIN_EXE_winsock").as_ref());
        command.arg("cc").args(line);
        command
    }

    /// Compiles, and says what was said.
    #[track_caller]
    pub fn compile(&self, line: &[&str]) -> String {
        said(self.command(line).output().unwrap(), line)
    }

    pub fn program(&self, name: &str) -> Command {
        self.limited(&self.path(name))
    }

    /// The exit code of a program, and its standard output.
    #[track_caller]
    pub fn run(&self, program: &str, arguments: &[&str]) -> (i32, String) {
        let output = self.program(program).args(arguments).output().unwrap();
        let code = output.status.code().expect("it ends by itself");
        (code, String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[track_caller]
    pub fn shell(&self, script: &str) -> String {
        said(self.shell_output(script), &[script])
    }

    pub fn shell_output(&self, script: &str) -> Output {
        self.limited("/bin/sh".as_ref()).args(["-c", script]).output().unwrap()
    }

    /// Its own folders for what is kept and for what is not.
    fn limited(&self, program: &Path) -> Command {
        let mut command = Command::new("/usr/bin/timeout");
        command.arg(PATIENCE).arg(program).current_dir(&self.0).stdin(Stdio::null());
        command.env("TMPDIR", self.path("temporary")).env("XDG_CACHE_HOME", self.path("cache"));
        command
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn said(output: Output, line: &[&str]) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line:?}: {}\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
}

/// Builds the library beside the command; cargo does that for no test.
fn library() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "winsock-c"]);
        if Path::new(env!("CARGO_BIN_EXE_winsock")).parent().unwrap().ends_with("release") {
            cargo.arg("--release");
        }
        let status = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
        assert!(status.success(), "winsock-c does not build");
    });
}
