//! `cargo xtask headers`: the C headers against compilers, Microsoft's layouts and the library.

mod calls;
mod layout;
mod read;
mod transcript;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{abi, tree};

/// Checks the headers of winsock-c
///
/// Each compiles alone, with gcc and clang, as C11 and as C++11 to C++23, narrow and UNICODE, with
/// either wchar_t, without a warning. Every structure, constant and type has the layout and the
/// value that mingw's headers give it (winsock-c/tests/layout.c, run here and under Wine). Every
/// function declared is in the library, with as many parameters and of the sizes that its Rust
/// signature has; and the library exports nothing else. What the C run-time library has beyond the
/// standard prints what Microsoft's prints (winsock-c/tests/crt.c).
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_args: &Args) -> crate::Outcome {
    let libraries = build()?;
    alone()?;
    layout::check(&libraries)?;
    abi::check(&libraries)?;
    calls::check(&libraries)?;
    transcript::check(&libraries)?;
    crate::c_api::check()
}

/// Every function that the headers declare, after its header.
pub fn functions() -> Result<Vec<(String, String)>, String> {
    calls::functions()
}

/// Where the headers are.
pub fn include() -> PathBuf {
    tree::root().join("winsock-c/include")
}

/// The headers that programs name, in alphabetical order; those that stand before glibc's own in a
/// folder of their own are left out.
pub fn names() -> Result<Vec<String>, String> {
    /// glibc's, for which ours only make way.
    const GLIBC: [&str; 3] = ["netdb.h", "poll.h", "unistd.h"];
    let entries = std::fs::read_dir(include()).map_err(|error| format!("include: {error}"))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".h") && !GLIBC.contains(&name.as_str()))
        .collect();
    names.sort();
    Ok(names)
}

/// Folder for what is compiled on the way.
fn scratch() -> Result<PathBuf, String> {
    let folder = tree::target_dir().join("headers");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// Builds the library and says where its two forms are.
pub fn build() -> Result<Libraries, String> {
    let status = tree::cargo().args(["build", "--quiet", "--package", "winsock-c"]).status();
    match status {
        Ok(status) if status.success() => {
            let folder = tree::target_dir().join("debug");
            Ok(Libraries { a: folder.join("libwinsock.a"), so: folder.join("libwinsock.so") })
        }
        _ => Err("winsock-c does not build".into()),
    }
}

pub struct Libraries {
    pub a: PathBuf,
    pub so: PathBuf,
}

/// A command's standard output; its failure with what it said.
pub fn output(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let program = command.get_program().to_string_lossy();
            Err(format!("{program} failed:\n{}", String::from_utf8_lossy(&output.stderr)))
        }
    }
}

pub fn write_file(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Compiles each header alone in every dialect.
fn alone() -> crate::Outcome {
    const DIALECTS: [(&str, &str, &[&str]); 2] =
        [("gcc", "c", &["c11", "gnu17"]), ("g++", "c++", &["c++11", "c++17", "c++20", "c++2b"])];
    const MODES: [&[&str]; 5] = [
        &[],
        &["-DUNICODE", "-D_UNICODE"],
        &["-fshort-wchar", "-DUNICODE"],
        &["-D_WIN32"],
        &["-DWIN32_LEAN_AND_MEAN", "-DNOMINMAX"],
    ];
    let clang = tree::program("clang").is_some();
    if !clang {
        eprintln!("xtask: not installed, so no clang: apt-get install clang");
    }
    let folder = scratch()?;
    let names = names()?;
    let mut count = 0;
    for (gcc, language, standards) in DIALECTS {
        let llvm = if gcc == "gcc" { "clang" } else { "clang++" };
        for compiler in [Some(gcc), clang.then_some(llvm)].into_iter().flatten() {
            for standard in standards {
                for mode in MODES {
                    let mut one_by_one = String::new();
                    for name in &names {
                        let source = folder.join(format!("alone-{name}.txt"));
                        write_file(&source, &format!("#include <{name}>\nextern int used;\n"))?;
                        one_by_one.push_str(&format!("{}\n", source.display()));
                    }
                    let files: Vec<&str> = one_by_one.lines().collect();
                    let mut command = Command::new(compiler);
                    command
                        .args(["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
                        .arg(format!("-std={standard}"))
                        .args(mode)
                        .arg("-I")
                        .arg(include())
                        .args(["-x", language])
                        .args(&files);
                    output(&mut command)?;
                    count += files.len();
                }
            }
        }
    }
    println!("{} headers compile alone, {count} times in all", names.len());
    Ok(())
}
