//! `cargo xtask wine`: the conformance suite, built for Windows and run against Wine's Winsock.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tree;

/// Needs no DLL that Wine 8.0 lacks; std has to be built from source for it.
const TARGET: &str = "x86_64-win7-windows-gnu";

/// Everything libtest needs, unwinding included: `differs_on_wine` catches panics.
const BUILD_STD: &str = "-Zbuild-std=std,panic_abort,panic_unwind,test";

/// Runs the conformance suite against real Winsock calls under Wine
///
/// Needs Debian's packages rustc-web, rust-web-src, gcc-mingw-w64-x86-64 and wine64. The first run
/// builds the standard library, which takes a few minutes. RUSTC names another compiler that has
/// its library's source beside it.
#[derive(clap::Args)]
pub struct Args {
    /// Run only the tests whose name contains this (a rule's number, say: r021)
    filter: Option<String>,
    /// Run only this test file (a_startup, b_port, ...); may be repeated
    #[arg(long)]
    test: Vec<String>,
    /// Only build
    #[arg(long)]
    no_run: bool,
}

pub fn run(args: &Args) -> crate::Outcome {
    let mut command = Wine::find()?.cargo("test");
    command.args(["--package", "conformance"]);
    if args.test.is_empty() {
        command.arg("--tests");
    }
    for file in &args.test {
        command.args(["--test", file]);
    }
    if args.no_run {
        command.arg("--no-run");
    } else {
        command.arg("--no-fail-fast");
    }
    command.arg("--").args(&args.filter);
    let status = command.status().map_err(|error| format!("cannot start cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err("the suite failed under Wine".into()) }
}

/// All that is needed to build for Windows and to run the result here.
pub struct Wine {
    loader: PathBuf,
    rustc: PathBuf,
}

impl Wine {
    /// Looks for every part; the error names each missing one with its package, in one line.
    pub fn find() -> Result<Wine, String> {
        let loader = wine_loader();
        let rustc = tree::rustc_with_source();
        let mingw = tree::program("x86_64-w64-mingw32-gcc");
        let missing: Vec<&str> = [
            ("wine64", loader.is_none()),
            ("rustc-web rust-web-src", rustc.is_none()),
            ("gcc-mingw-w64-x86-64", mingw.is_none()),
        ]
        .into_iter()
        .filter_map(|(package, absent)| absent.then_some(package))
        .collect();
        match (loader, rustc) {
            (Some(loader), Some(rustc)) if missing.is_empty() => Ok(Wine { loader, rustc }),
            _ => {
                Err(format!("not installed, so no Wine run: apt-get install {}", missing.join(" ")))
            }
        }
    }

    /// "Wine 8.0", say.
    pub fn version(&self) -> String {
        let output = Command::new(&self.loader).arg("--version").output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        match text.split_whitespace().next().and_then(|word| word.strip_prefix("wine-")) {
            Some(version) => format!("Wine {version}"),
            None => "Wine".into(),
        }
    }

    /// A program, run by Wine in the prefix of [`Wine::cargo`].
    pub fn program(&self, program: &Path) -> Command {
        let prefix = tree::target_dir().join("wine/prefix");
        self.do_without_screen(&prefix);
        let mut command = Command::new(&self.loader);
        command.arg(program);
        set_environment(&mut command, &prefix);
        command
    }

    /// `cargo <subcommand>` for the Windows target, its programs run by Wine.
    ///
    /// It has a target folder of its own, since it builds with another compiler; Wine's prefix is
    /// in there too, so that nobody's `~/.wine` is touched.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let target_dir = tree::target_dir().join("wine");
        let prefix = target_dir.join("prefix");
        self.do_without_screen(&prefix);
        let mut command = tree::cargo();
        command
            .args([subcommand, BUILD_STD, "--target", TARGET, "--target-dir"])
            .arg(&target_dir)
            .env("RUSTC", &self.rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_X86_64_WIN7_WINDOWS_GNU_RUNNER", &self.loader)
            .env_remove("RUSTFLAGS");
        set_environment(&mut command, &prefix);
        command
    }

    /// Tells Wine that there is no screen: else it looks for one, finds none, and makes no windows
    /// but message-only ones. A failure shows in the tests that need the others.
    fn do_without_screen(&self, prefix: &Path) {
        let registry = fs::read_to_string(prefix.join("user.reg")).unwrap_or_default();
        if registry.contains("\"Graphics\"=\"null\"") || fs::create_dir_all(prefix).is_err() {
            return;
        }
        let mut command = Command::new(&self.loader);
        command.args(["reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics"]);
        command.args(["/d", "null", "/f"]).stdout(Stdio::null()).stderr(Stdio::null());
        set_environment(&mut command, prefix);
        let _ = command.status();
    }
}

/// What a program under Wine needs to be told.
fn set_environment(command: &mut Command, prefix: &Path) {
    command
        .env("WINEPREFIX", prefix)
        .env("WINEDEBUG", "-all")
        // No questions: of a new prefix for Mono and Gecko, of the debugger after a crash.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml,winedbg.exe=")
        .env_remove("DISPLAY");
}

/// Debian's package `wine64` alone puts its loader outside PATH.
fn wine_loader() -> Option<PathBuf> {
    let debian = PathBuf::from("/usr/lib/wine/wine64");
    tree::program("wine64").or_else(|| debian.is_file().then_some(debian))
}
