//! Nightly Rust, and a std that is built with a sanitizer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tree;

/// Sanitizers need the target spelled out, or else build scripts get them too.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";

/// All of std that a test program needs.
pub const BUILD_STD: &str = "-Zbuild-std=std,panic_abort,panic_unwind,test";

/// Rustup's nightly toolchain.
pub struct Nightly {
    sysroot: PathBuf,
}

/// A compiler together with the source of its std.
pub struct Instrumented<'a> {
    nightly: &'a Nightly,
    /// `None`: nightly itself. Else another one, which borrows nightly's run-time library.
    rustc: Option<PathBuf>,
}

impl Nightly {
    /// The error says in one line that `what` needs it.
    pub fn find(what: &str) -> Result<Nightly, String> {
        let output = Command::new("rustc").args(["+nightly", "--print", "sysroot"]).output();
        match output {
            Ok(output) if output.status.success() => {
                let sysroot = String::from_utf8_lossy(&output.stdout).trim().into();
                Ok(Nightly { sysroot })
            }
            _ => Err(format!("no nightly Rust, so no {what}: rustup toolchain install nightly")),
        }
    }

    /// Nightly's own cargo, whichever started us.
    pub fn cargo(&self, rustflags: impl Into<OsString>) -> Command {
        let mut command = Command::new("cargo");
        command
            .current_dir(tree::root())
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTC")
            .env("RUSTFLAGS", rustflags.into())
            .arg("+nightly");
        command
    }

    pub fn has_source(&self) -> bool {
        tree::has_source(&self.sysroot)
    }

    /// This one if it has the source of its std, else a distribution's compiler that has.
    pub fn with_instrumented_std(&self) -> Result<Instrumented<'_>, String> {
        if self.has_source() {
            return Ok(Instrumented { nightly: self, rustc: None });
        }
        let rustc = tree::rustc_with_source().ok_or(
            "no source of a std, so no ThreadSanitizer: rustup component add rust-src \
             --toolchain nightly, or apt-get install rustc-web rust-web-src",
        )?;
        Ok(Instrumented { nightly: self, rustc: Some(rustc) })
    }
}

impl Instrumented<'_> {
    /// A cargo that builds with ThreadSanitizer.
    pub fn cargo(&self) -> Command {
        let Some(rustc) = &self.rustc else { return self.nightly.cargo("-Zsanitizer=thread") };
        let lib = self.nightly.sysroot.join("lib/rustlib").join(TARGET);
        let mut command = tree::cargo();
        command
            .env("RUSTC", rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTFLAGS")
            .env("CARGO_ENCODED_RUSTFLAGS", borrowed_runtime(&lib));
        command
    }
}

/// The flags by which another compiler links nightly's run-time library: all of it, for the
/// functions of libc that it takes over, and with nightly's linker, which reads its symbols.
fn borrowed_runtime(lib: &Path) -> String {
    let runtime = lib.join("lib/librustc-nightly_rt.tsan.a");
    let link = |argument: String| format!("-Clink-arg={argument}");
    let mut flags = vec!["-Zsanitizer=thread".to_owned(), "-Zexternal-clangrt".to_owned()];
    flags.extend([
        link("-fuse-ld=lld".into()),
        link(format!("-B{}", lib.join("bin/gcc-ld").display())),
        link(format!("-Wl,--whole-archive,{},--no-whole-archive", runtime.display())),
        link("-Wl,--export-dynamic".into()),
    ]);
    flags.extend(["-lstdc++", "-lm", "-lpthread", "-ldl", "-lc"].map(|lib| link(lib.into())));
    flags.join("\x1f")
}
