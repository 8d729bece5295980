//! Where the headers and the library are: beside an installed command, or in the checkout that the
//! command was built from.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What a program is compiled against.
#[derive(Debug)]
pub struct Kit {
    pub include: PathBuf,
    /// The source of `main` for programs that have another entry point.
    pub start: PathBuf,
    /// Where `libwinsock.a` and `libwinsock.so` may be; the first that has one counts.
    libraries: Vec<PathBuf>,
    /// What to do if they are missing.
    remedy: &'static str,
}

impl Kit {
    pub fn find() -> Result<Kit, Failure> {
        let command = env::current_exe().and_then(|path| path.canonicalize());
        let command = command.map_err(|error| Failure::of("where is this command?", error))?;
        let folder = command.parent().unwrap_or(Path::new("/"));
        installed(folder).or_else(|| checkout(folder)).ok_or_else(|| {
            let prefix = folder.parent().unwrap_or(folder).display();
            Failure::Usage(format!(
                "no headers in {prefix}/include/winsock: run cargo xtask install --prefix {prefix} \
                 in winsock's sources"
            ))
        })
    }

    /// One of the library's two forms.
    pub fn library(&self, name: &str) -> Result<PathBuf, Failure> {
        let mut paths = self.libraries.iter().map(|folder| folder.join(name));
        paths.find(|path| path.is_file()).ok_or_else(|| {
            let first = self.libraries.first().map(|folder| folder.display());
            let first = first.map_or_else(String::new, |folder| format!(" in {folder}"));
            Failure::Usage(format!("no {name}{first}: {}", self.remedy))
        })
    }
}

/// `PREFIX/bin`, as `cargo xtask install` lays it out.
fn installed(folder: &Path) -> Option<Kit> {
    let prefix = folder.parent()?;
    let include = prefix.join("include/winsock");
    include.join("winsock2.h").is_file().then(|| Kit {
        include,
        libraries: vec![prefix.join("lib")],
        start: prefix.join("lib/winsock/start.c"),
        remedy: "run cargo xtask install again",
    })
}

/// Cargo's `target/debug` or `target/release`, wherever that is; or where `cargo install` put the
/// command, which has no library: then what was built in the checkout.
fn checkout(folder: &Path) -> Option<Kit> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = folder.ancestors().chain(built_from).find(|root| {
        let header = root.join("winsock-c/include/winsock2.h");
        header.is_file()
    })?;
    let built = ["target/release", "target/debug"].map(|built| root.join(built));
    let release = folder.file_name().is_some_and(|name| name == "release");
    Some(Kit {
        include: root.join("winsock-c/include"),
        libraries: [folder.to_owned()].into_iter().chain(built).collect(),
        start: root.join("winsock-c/start/start.c"),
        remedy: match release {
            true => "run cargo build --release --package winsock-c",
            false => "run cargo build --package winsock-c",
        },
    })
}
