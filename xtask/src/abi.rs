//! `cargo xtask abi`: what the library shows to a linker, in its two forms.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::headers::{self, Libraries, output, write_file};
use crate::signatures;
use crate::tree;

/// Checks that both forms of the library export the table's names and nothing else
///
/// The shared object's dynamic names, and the global names of the archive as `cargo xtask install`
/// seals it, are those of the export table. A C program that names every one links against
/// the archive by its path with -lpthread -ldl -lm, dynamically and statically, beside a function
/// that has the name of one of the archive's own, and runs.
#[derive(clap::Args)]
pub struct Args {}

/// Data, which the table does not list.
const DATA: [&str; 2] = ["ws_in6addr_any", "ws_in6addr_loopback"];

/// What the archive needs besides libc, where that is older than 2.34.
pub const NEEDED: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

pub fn run(_args: &Args) -> crate::Outcome {
    check(&headers::build()?)
}

pub fn check(libraries: &Libraries) -> crate::Outcome {
    let names = names()?;
    same(&names, &defined(&libraries.so, &["--dynamic"])?, "libwinsock.so")?;
    let folder = tree::target_dir().join("abi");
    let archive = folder.join("libwinsock.a");
    seal(&libraries.a, &archive)?;
    same(&names, &defined(&archive, &["--extern-only"])?, "the sealed libwinsock.a")?;
    for flags in [&[][..], &["-static"]] {
        links(&folder, &archive, &names, flags)?;
    }
    println!("{} names are exported by both forms, and nothing else", names.len());
    Ok(())
}

/// Every name that a program can link.
fn names() -> Result<BTreeSet<String>, String> {
    let exports = signatures::exports()?.into_iter().map(|export| export.symbol);
    Ok(exports.chain(DATA.map(String::from)).collect())
}

fn defined(file: &Path, which: &[&str]) -> Result<BTreeSet<String>, String> {
    let mut nm = Command::new("nm");
    let said = output(nm.args(["--defined-only", "--format=posix"]).args(which).arg(file))?;
    let lines = said.lines().filter(|line| !line.ends_with(':'));
    Ok(lines.filter_map(|line| line.split_whitespace().next()).map(String::from).collect())
}

fn same(expected: &BTreeSet<String>, found: &BTreeSet<String>, what: &str) -> crate::Outcome {
    let wrong: Vec<_> = expected.symmetric_difference(found).map(String::as_str).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("in the table or in {what}, but not both: {}", wrong.join(" "))),
    }
}

/// Makes of cargo's archive one that shows the exported names alone.
///
/// Cargo's shows std's too: beside another library written in Rust, or a program with a function
/// of such a name, one of the two would be called for both.
pub fn seal(from: &Path, to: &Path) -> crate::Outcome {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let scratch = Scratch::new()?;
    let names = names()?;
    let (roots, list) = (scratch.path("roots"), scratch.path("names"));
    write_file(&roots, &names.iter().map(|name| format!("-u {name}\n")).collect::<String>())?;
    write_file(&list, &names.iter().map(|name| format!("{name}\n")).collect::<String>())?;
    let (whole, sealed) = (scratch.path("whole.o"), scratch.path("winsock.o"));
    let mut ld = Command::new("ld");
    ld.args(["-r", "--gc-sections"]).arg(format!("@{}", roots.display()));
    output(ld.arg("-o").arg(&whole).arg(from))?;
    let mut objcopy = Command::new("objcopy");
    objcopy.arg(format!("--keep-global-symbols={}", list.display())).arg("--strip-debug");
    // std's bitcode, which another version of LLVM takes for its own; and the group of a constant
    // that would be merged with another library's.
    for section in [".llvmbc", ".llvmcmd", ".group"] {
        objcopy.arg(format!("--remove-section={section}"));
    }
    output(objcopy.arg(&whole).arg(&sealed))?;
    let _ = fs::remove_file(to);
    output(Command::new("ar").arg("rcs").arg(to).arg(&sealed)).map(drop)
}

/// Links a program that names everything, and runs it.
fn links(
    folder: &Path,
    archive: &Path,
    names: &BTreeSet<String>,
    flags: &[&str],
) -> crate::Outcome {
    let mut text: String = names.iter().map(|name| format!("extern char {name}[];\n")).collect();
    text.push_str("void rust_eh_personality(void) {}\nchar *const all[] = {\n");
    text.extend(names.iter().map(|name| format!("    {name},\n")));
    text.push_str("};\nint main(void) { return all[0] == 0; }\n");
    let source = folder.join("links.c");
    write_file(&source, &text)?;
    let program = folder.join("links");
    let mut gcc = Command::new("gcc");
    gcc.args(["-w", "-fno-builtin"]).args(flags).arg(&source).arg(archive).args(NEEDED);
    output(gcc.arg("-o").arg(&program))?;
    output(&mut Command::new(&program)).map(drop)
}

/// A folder that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        let folder = tree::target_dir().join(format!("seal-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Scratch(folder))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What remains lies among what cargo builds.
        let _ = fs::remove_dir_all(&self.0);
    }
}
