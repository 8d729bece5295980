//! `cargo xtask install`, and programs that find what it installed as programs do.

#![cfg(target_os = "linux")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/install");
const SAID: &str = "hello, 1 arguments, wchar_t of 4\n";

/// One installation for all: the library is built and sealed once.
#[test]
fn what_is_installed_is_found() {
    if !have("gcc") {
        eprintln!("not installed, so nothing is compiled: gcc");
        return;
    }
    let scratch = Scratch::new();
    let prefix = scratch.0.join("moved to");
    install(&scratch.0, &prefix);
    links_by_the_names_of_windows_libraries(&scratch.0, &prefix);
    the_command_finds_it(&scratch.0, &prefix);
    match have("pkg-config") {
        true => pkg_config_finds_it(&scratch.0, &prefix),
        false => eprintln!("not installed, so not tried: pkg-config"),
    }
    match have("cmake") && have("g++") {
        true => cmake_finds_it(&scratch.0, &prefix),
        false => eprintln!("not installed, so not tried: cmake with g++"),
    }
}

#[test]
fn without_a_prefix_it_is_told_in_one_line_how() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("install").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--prefix <DIR>"));
}

/// Behind DESTDIR, and then moved, since neither may matter to what is installed.
fn install(scratch: &Path, prefix: &Path) {
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.args(["install", "--debug", "--prefix", "/opt/winsock"]);
    run(xtask.env("DESTDIR", scratch.join("image")));
    fs::rename(scratch.join("image/opt/winsock"), prefix).unwrap();
    for name in ["bin/winsock", "include/winsock/winsock2.h", "lib/libwinsock.so"] {
        assert!(prefix.join(name).is_file(), "{name}");
    }
}

fn links_by_the_names_of_windows_libraries(scratch: &Path, prefix: &Path) {
    let program = scratch.join("by-name");
    let include = prefix.join("include/winsock");
    let mut gcc = Command::new("gcc");
    gcc.arg(format!("{SOURCES}/server.c")).arg("-I").arg(&include);
    gcc.arg("-I").arg(include.join("spellings")).arg("-L").arg(prefix.join("lib"));
    gcc.args(["-lws2_32", "-lmswsock", "-lwsock32", "-lkernel32", "-luser32", "-ladvapi32"]);
    gcc.args(["-lbcrypt", "-lole32", "-lwinmm", "-w", "-o"]).arg(&program);
    run(&mut gcc);
    let mut program = Command::new(program);
    assert_eq!(run(program.env("LD_LIBRARY_PATH", prefix.join("lib"))), SAID);
}

fn the_command_finds_it(scratch: &Path, prefix: &Path) {
    for (flags, said) in [
        (&["-DUNICODE", "-D_UNICODE"][..], SAID),
        (&["--shared"], SAID),
        (&["-DUNICODE", "-D_UNICODE", "-fshort-wchar"], "hello, 1 arguments, wchar_t of 2\n"),
    ] {
        let program = scratch.join("by the command");
        let mut winsock = Command::new(prefix.join("bin/winsock"));
        winsock.arg("cc").arg(format!("{SOURCES}/server.c")).args(flags).arg("-o").arg(&program);
        run(winsock.env("XDG_CACHE_HOME", scratch.join("cache")));
        assert_eq!(run(&mut Command::new(&program)), said, "{flags:?}");
    }
}

fn pkg_config_finds_it(scratch: &Path, prefix: &Path) {
    for (how, link) in [("", ""), ("--static", "-static")] {
        let program = scratch.join("by-pkg-config");
        // By a shell, as a Makefile does.
        let script = format!(
            "eval set -- $(pkg-config {how} --cflags --libs winsock)
             exec gcc -w {link} \"$SOURCE\" \"$@\" -o \"$PROGRAM\""
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
        shell.env("SOURCE", format!("{SOURCES}/server.c")).env("PROGRAM", &program);
        run(&mut shell);
        let mut program = Command::new(program);
        assert_eq!(run(program.env("LD_LIBRARY_PATH", prefix.join("lib"))), SAID, "{how}");
    }
}

fn cmake_finds_it(scratch: &Path, prefix: &Path) {
    let build = scratch.join("build");
    let mut cmake = Command::new("cmake");
    cmake.args(["-S", SOURCES, "-B"]).arg(&build);
    run(cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(Command::new("cmake").arg("--build").arg(&build));
    for name in ["narrow", "wide", "shared"] {
        assert_eq!(run(&mut Command::new(build.join(name))), SAID, "{name}");
    }
    let short = run(&mut Command::new(build.join("short_wchar")));
    assert_eq!(short, "hello, 1 arguments, wchar_t of 2\n");
    let mut newer = Command::new("cmake");
    fs::write(scratch.join("CMakeLists.txt"), "project(x C)\nfind_package(winsock 99 REQUIRED)\n")
        .unwrap();
    newer.arg("-S").arg(scratch).arg("-B").arg(scratch.join("newer"));
    newer.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    assert!(!newer.output().unwrap().status.success(), "version 99 was found");
}

/// What it says; it must end well. Building for an installation may have to wait for other builds.
#[track_caller]
fn run(command: &mut Command) -> String {
    let mut limited = Command::new("timeout");
    limited.arg("1800").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        limited.env(name, value.unwrap_or_default());
    }
    let output = limited.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn have(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A folder that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let name = format!("winsock install {}", std::process::id());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Scratch(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
