//! `cargo xtask loom|asan|tsan|valgrind`: what a plain test run does not see.

use std::process::Command;

use crate::nightly::{self, Nightly};
use crate::tree;

/// The packages whose tests show how the library treats memory and threads.
const PACKAGES: [&str; 6] =
    ["--package", "winsock-sys", "--package", "winsock", "--package", "conformance"];

/// Seeds of the scripted kernel for the full runs.
const SEEDS: [u32; 3] = [1, 2, 3];

/// Explores the interleavings of handle table, parker, signals, ports and sockets with loom
///
/// Says for each model how many interleavings there were. When one fails, run it alone with
/// LOOM_LOG=trace and LOOM_LOCATION=1.
#[derive(clap::Args)]
pub struct Loom {
    /// Run only the models whose name contains this
    filter: Option<String>,
    /// How many preemptions an execution may have, instead of what each model chose (2 or 3)
    #[arg(long)]
    preemptions: Option<u8>,
}

/// Runs the tests under AddressSanitizer and LeakSanitizer (nightly Rust)
///
/// It sees the library, the tests and the calls into libc; std only if nightly has the component
/// rust-src. It does not see what the kernel writes for a raw system call, which sends and receives
/// on streams are: that is valgrind's. What the tests leave behind on purpose is in
/// xtask/suppressions/leaks.lsan.
#[derive(clap::Args)]
pub struct Asan {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Run the conformance suite on the scripted kernel too, with three seeds
    #[arg(long)]
    full: bool,
}

/// Runs the tests under ThreadSanitizer, std included (nightly Rust and a std's source)
///
/// TRUSTED: what it reports. Nothing is suppressed, and std is built with it, so that it knows
/// std's locks, channels and reference counts; without the source of a std there is no run, since
/// it would report every Arc and every contended Mutex. The source may be nightly's own (rustup
/// component rust-src) or that of a distribution's compiler (Debian's rustc-web and rust-web-src).
///
/// NOT SEEN: orders that this run did not take and orderings that this processor does not weaken
/// (that is loom's); a race between the program and a raw system call on the same buffer, which
/// sends and receives on streams are.
///
/// Helgrind is no substitute: it knows neither atomics nor futexes, and so takes every hand-over
/// here for a race.
#[derive(clap::Args)]
pub struct Tsan {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Run the conformance suite on the scripted kernel too, with three seeds
    #[arg(long)]
    full: bool,
}

/// Runs the tests under valgrind's memcheck (Debian's package valgrind)
///
/// Errors are invalid accesses, undefined values that decide something or reach the kernel, and
/// definite leaks; what the tests leave behind on purpose is in xtask/suppressions/memcheck.supp.
///
/// Left out are the tests of rules 41, 43 and 143: valgrind runs one thread at a time, and a thread
/// that waits for its turn looks asleep to the watch, which then releases another as it should.
/// Without --full also the slow ones: the scripted kernel's own, and the longest of the suite.
#[derive(clap::Args)]
pub struct Valgrind {
    /// Run only the tests whose name contains this
    filter: Option<String>,
    /// Run the slow tests too
    #[arg(long)]
    full: bool,
}

/// Tests that cannot hold while one thread runs at a time.
const SERIAL: [&str; 3] = ["r041_", "r043_", "r143_"];

/// Tests that take longest under memcheck.
const SLOW: [&str; 2] = ["backend::fake::", "r058_sends_and_receives_of_all_sizes"];

pub fn loom(args: &Loom) -> crate::Outcome {
    let mut command = tree::cargo();
    command
        .args(["test", "--release", "--package", "winsock-sys", "--lib", "--target-dir"])
        .arg(tree::target_dir().join("loom"))
        .env("RUSTFLAGS", "--cfg loom")
        // Built for these few minutes only.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    if let Some(preemptions) = args.preemptions {
        command.env("LOOM_MAX_PREEMPTIONS", preemptions.to_string());
    }
    command.args(["--", args.filter.as_deref().unwrap_or("loom_models::"), "--show-output"]);
    run(command, "a loom model failed")
}

pub fn asan(args: &Asan) -> crate::Outcome {
    let nightly = Nightly::find("AddressSanitizer")?;
    let command = || {
        let mut command = nightly.cargo("-Zsanitizer=address");
        let options = "detect_stack_use_after_return=1:fast_unwind_on_malloc=0";
        let leaks = "suppressions=../xtask/suppressions/leaks.lsan:print_suppressions=0";
        command.env("ASAN_OPTIONS", options).env("LSAN_OPTIONS", leaks).arg("test");
        if nightly.has_source() {
            command.arg(nightly::BUILD_STD);
        }
        command.args(["--target", nightly::TARGET, "--target-dir"]);
        command.arg(tree::target_dir().join("asan"));
        command
    };
    sanitized(command, args.filter.as_deref(), args.full, "AddressSanitizer")
}

pub fn tsan(args: &Tsan) -> crate::Outcome {
    let nightly = Nightly::find("ThreadSanitizer")?;
    let instrumented = nightly.with_instrumented_std()?;
    let command = || {
        let mut command = instrumented.cargo();
        command.env("TSAN_OPTIONS", "history_size=4").args(["test", nightly::BUILD_STD]);
        command.args(["--target", nightly::TARGET, "--target-dir"]);
        command.arg(tree::target_dir().join("tsan"));
        command
    };
    sanitized(command, args.filter.as_deref(), args.full, "ThreadSanitizer")
}

/// Runs the tests with what `command` begins, and the suite on the scripted kernel if `full`.
fn sanitized(
    command: impl Fn() -> Command,
    filter: Option<&str>,
    full: bool,
    sanitizer: &str,
) -> crate::Outcome {
    let failure = format!("a test failed under {sanitizer}");
    let mut natively = command();
    natively.args(PACKAGES).args(["--lib", "--tests", "--no-fail-fast", "--"]).args(filter);
    run(natively, &failure)?;
    for seed in SEEDS.iter().filter(|_| full) {
        let mut scripted = command();
        scripted
            .args(["--package", "conformance", "--tests", "--no-fail-fast", "--"])
            .args(filter)
            .env("WINSOCK_BACKEND", format!("fake:{seed}"));
        run(scripted, &format!("{failure} on the scripted kernel, seed {seed}"))?;
    }
    Ok(())
}

pub fn valgrind(args: &Valgrind) -> crate::Outcome {
    if tree::program("valgrind").is_none() {
        return Err("valgrind is missing: apt-get install valgrind".into());
    }
    let runner = "valgrind --quiet --error-exitcode=1 --fair-sched=yes --num-callers=30 \
        --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --suppressions=../xtask/suppressions/memcheck.supp";
    let mut command = tree::cargo();
    command
        .env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner)
        .arg("test")
        .args(PACKAGES)
        .args(["--lib", "--tests", "--no-fail-fast", "--"])
        .args(&args.filter);
    let slow = SLOW.iter().filter(|_| !args.full);
    for test in SERIAL.iter().chain(slow) {
        command.args(["--skip", test]);
    }
    run(command, "valgrind found an error, or a test failed")
}

fn run(mut command: Command, failure: &str) -> crate::Outcome {
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(failure.into()),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
