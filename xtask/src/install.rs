//! `cargo xtask install`: headers, library and command in a folder, for compilers, pkg-config and
//! CMake to find.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{self, Path, PathBuf};
use std::process::Command;

use crate::headers::output;
use crate::{abi, headers, tree};

/// Installs headers, library and the command `winsock`
///
/// Below PREFIX: bin/winsock; the headers in include/winsock; lib/libwinsock.a and libwinsock.so,
/// and beside them the names of Windows' libraries (libws2_32.a, ...), which mean this one;
/// lib/pkgconfig/winsock.pc; lib/cmake/winsock for find_package(winsock). The folder may be moved
/// afterwards. Needs gcc and binutils.
///
/// DESTDIR, if set, goes before PREFIX, as packagers know it.
#[derive(clap::Args)]
pub struct Args {
    /// Where to: /usr/local, or a folder of your own
    #[arg(long, value_name = "DIR")]
    prefix: PathBuf,

    /// Install what `cargo build` builds, which is faster to build and slower to run
    #[arg(long)]
    debug: bool,
}

/// What Windows' own libraries are called.
const LIBRARIES: &str = include_str!("../../cli/src/cc/libraries.txt");

/// Files that are told the version: source and place.
const PACKAGE: [(&str, &str); 3] = [
    ("winsock.pc", "lib/pkgconfig"),
    ("winsock-config.cmake", "lib/cmake/winsock"),
    ("winsock-config-version.cmake", "lib/cmake/winsock"),
];

/// Spellings of Microsoft's documentation and of many programs, for compilers that are called
/// without `winsock cc`; besides Capitalized.h, CAPITAL.H and CAPITAL.h.
const SPELLINGS: [&str; 23] = [
    "BaseTsd.h",
    "IoApiSet.h",
    "MSTCPiP.h",
    "MSTcpIP.h",
    "MSWSock.h",
    "MSWSockDef.h",
    "MsWSock.h",
    "MsTcpIp.h",
    "NtStatus.h",
    "ProcessThreadsApi.h",
    "StrSafe.h",
    "SynchApi.h",
    "WS2TcpIp.h",
    "WS2def.h",
    "WS2ipdef.h",
    "WS2tcpip.h",
    "Ws2TcpIp.h",
    "WinBase.h",
    "WinDef.h",
    "WinError.h",
    "WinNT.h",
    "WinSock.h",
    "WinSock2.h",
];

pub fn run(args: &Args) -> crate::Outcome {
    let prefix = path::absolute(&args.prefix)
        .map_err(|error| format!("--prefix {}: {error}", args.prefix.display()))?;
    let built = build(args.debug)?;
    let place = Place(match env::var_os("DESTDIR") {
        Some(before) if !before.is_empty() => below(before, &prefix),
        _ => prefix.clone(),
    });
    place.copy(&built.join("winsock"), "bin/winsock", 0o755)?;
    include(&place)?;
    libraries(&built, &place)?;
    start(&place)?;
    for (name, folder) in PACKAGE {
        let source = tree::root().join("winsock-c/package").join(name);
        let text = fs::read_to_string(&source).map_err(|error| failure(&source, error))?;
        let text = text.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
        let text = text.replace("@URL@", env!("CARGO_PKG_REPOSITORY"));
        place.write(&format!("{folder}/{name}"), text.as_bytes(), 0o644)?;
    }
    println!("installed in {}", place.0.display());
    Ok(())
}

fn build(debug: bool) -> Result<PathBuf, String> {
    let mut cargo = tree::cargo();
    cargo.args(["build", "--quiet", "--package", "winsock-c", "--package", "winsock-cli"]);
    if !debug {
        cargo.arg("--release");
    }
    match cargo.status() {
        Ok(status) if status.success() => {
            Ok(tree::target_dir().join(if debug { "debug" } else { "release" }))
        }
        _ => Err("the library or the command does not build".into()),
    }
}

fn below(before: OsString, prefix: &Path) -> PathBuf {
    let relative = prefix.strip_prefix("/").unwrap_or(prefix);
    PathBuf::from(before).join(relative)
}

fn include(place: &Place) -> crate::Outcome {
    let root = headers::include();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| failure(&folder, error))?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap_or(&path);
            place.copy(&path, &format!("include/winsock/{}", name.display()), 0o644)?;
        }
    }
    let names = headers::names()?;
    for spelling in names.iter().flat_map(|name| spellings(name)) {
        let text = format!("#include <{}>\n", spelling.to_lowercase());
        let name = format!("include/winsock/spellings/{spelling}");
        place.write(&name, text.as_bytes(), 0o644)?;
    }
    Ok(())
}

fn spellings(name: &str) -> Vec<String> {
    let upper = name.to_uppercase();
    let known = SPELLINGS.iter().filter(|known| known.to_lowercase() == name);
    let mut all: Vec<String> = known.map(|known| known.to_string()).collect();
    all.push(format!("{}{}", &upper[..1], &name[1..]));
    all.push(upper.replace(".H", ".h"));
    all.push(upper);
    all
}

fn libraries(built: &Path, place: &Place) -> crate::Outcome {
    let folder = place.folder("lib")?;
    abi::seal(&built.join("libwinsock.a"), &folder.join("libwinsock.a"))?;
    let shared = folder.join("libwinsock.so");
    // A program that runs goes on with the old one.
    let _ = fs::remove_file(&shared);
    let mut objcopy = Command::new("objcopy");
    output(objcopy.arg("--strip-debug").arg(built.join("libwinsock.so")).arg(&shared))?;
    for library in LIBRARIES.lines() {
        // A linker takes it for a script, and -static too looks for this name.
        let text = "/* GNU ld script */\nINPUT(-lwinsock)\n";
        place.write(&format!("lib/lib{library}.a"), text.as_bytes(), 0o644)?;
    }
    Ok(())
}

/// `main` for programs that begin somewhere else, with either wchar_t.
fn start(place: &Place) -> crate::Outcome {
    let source = tree::root().join("winsock-c/start/start.c");
    place.copy(&source, "lib/winsock/start.c", 0o644)?;
    let folder = place.folder("lib/winsock")?;
    for (name, flags) in [("start.o", &[][..]), ("start-short-wchar.o", &["-fshort-wchar"])] {
        let mut gcc = Command::new("gcc");
        gcc.args(["-std=gnu11", "-O1", "-w", "-fPIC"]).args(flags).arg("-isystem");
        gcc.arg(headers::include()).arg("-c").arg(&source).arg("-o").arg(folder.join(name));
        output(&mut gcc)?;
    }
    Ok(())
}

/// The prefix behind DESTDIR.
struct Place(PathBuf);

impl Place {
    fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.0.join(name);
        fs::create_dir_all(&folder).map_err(|error| failure(&folder, error))?;
        Ok(folder)
    }

    fn copy(&self, from: &Path, name: &str, mode: u32) -> crate::Outcome {
        let bytes = fs::read(from).map_err(|error| failure(from, error))?;
        self.write(name, &bytes, mode)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> crate::Outcome {
        let path = self.0.join(name);
        if let Some(folder) = Path::new(name).parent().and_then(Path::to_str) {
            self.folder(folder)?;
        }
        // A program that runs keeps its file.
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .map_err(|error| failure(&path, error))
    }
}

fn failure(path: &Path, why: std::io::Error) -> String {
    format!("{}: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_the_spellings_that_programs_use() {
        let all = spellings("winsock2.h");
        for spelling in ["WinSock2.h", "Winsock2.h", "WINSOCK2.H"] {
            assert!(all.iter().any(|one| one == spelling), "{spelling}");
        }
    }

    #[test]
    fn every_known_spelling_is_of_a_header() {
        let names = headers::names().unwrap();
        for spelling in SPELLINGS {
            assert!(names.contains(&spelling.to_lowercase()), "{spelling}");
        }
    }

    #[test]
    fn destdir_goes_before_the_prefix() {
        let place = below("/tmp/image".into(), Path::new("/usr/local"));
        assert_eq!(place, Path::new("/tmp/image/usr/local"));
    }
}
