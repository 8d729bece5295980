//! Where the headers and the library are: beside an installed command, or in the checkout that the
//! command was built from.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What a program is compiled against.
#[derive(Debug)]
pub struct Kit {
    pub include: PathBuf,
    /// The folder of `libwinsock.a` and `libwinsock.so`.
    pub library: PathBuf,
    /// The source of `main` for programs that have another entry point.
    pub start: PathBuf,
    /// What to do if the library is missing.
    remedy: String,
}

impl Kit {
    pub fn find() -> Result<Kit, Failure> {
        let command = env::current_exe().and_then(|path| path.canonicalize());
        let command = command.map_err(|error| Failure::of("where is this command?", error))?;
        let folder = command.parent().unwrap_or(Path::new("/"));
        installed(folder).or_else(|| checkout(folder)).ok_or_else(|| {
            let prefix = folder.parent().unwrap_or(folder).display();
            Failure::Usage(format!(
                "no headers in {prefix}/include/winsock: install with cargo xtask install --prefix"
            ))
        })
    }

    /// One of the library's two forms.
    pub fn library(&self, name: &str) -> Result<PathBuf, Failure> {
        let path = self.library.join(name);
        match path.is_file() {
            true => Ok(path),
            false => Err(Failure::Usage(format!("no {}: {}", path.display(), self.remedy))),
        }
    }
}

/// `PREFIX/bin`, as `cargo xtask install` lays it out.
fn installed(folder: &Path) -> Option<Kit> {
    let prefix = folder.parent()?;
    let include = prefix.join("include/winsock");
    include.join("winsock2.h").is_file().then(|| Kit {
        include,
        library: prefix.join("lib"),
        start: prefix.join("lib/winsock/start.c"),
        remedy: "install again with cargo xtask install --prefix".into(),
    })
}

/// Cargo's `target/debug` or `target/release`, wherever that is.
fn checkout(folder: &Path) -> Option<Kit> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let root = folder.ancestors().chain(built_from).find(|root| {
        let header = root.join("winsock-c/include/winsock2.h");
        header.is_file()
    })?;
    let release = folder.file_name().is_some_and(|name| name == "release");
    let profile = if release { " --release" } else { "" };
    Some(Kit {
        include: root.join("winsock-c/include"),
        library: folder.to_owned(),
        start: root.join("winsock-c/start/start.c"),
        remedy: format!("run cargo build{profile} --package winsock-c"),
    })
}
