//! Headers are found however a program spells them: on Windows `<WinSock2.h>`, `<WINSOCK2.H>` and
//! `"net\server.h"` find what here is called winsock2.h and net/server.h.
//!
//! The sources are read for what they include, and for each spelling that nothing here has, a file
//! of that name is made, which includes the right one.

use std::collections::{BTreeMap, HashSet};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

use super::{line, text};
use crate::failure::Failure;

/// C's own headers, which some programs write in capitals too.
const OF_C: [&str; 20] = [
    "assert.h", "ctype.h", "errno.h", "fcntl.h", "float.h", "limits.h", "locale.h", "malloc.h",
    "math.h", "memory.h", "setjmp.h", "signal.h", "stdarg.h", "stddef.h", "stdint.h", "stdio.h",
    "stdlib.h", "string.h", "time.h", "wchar.h",
];

/// What has been learnt from the sources.
#[derive(Default)]
pub struct Sources {
    /// What a spelling has to include, with its brackets or quotes.
    spellings: BTreeMap<String, String>,
    pub have_void_main: bool,
    pub have_silent_wmain: bool,
    pub have_entry_point: bool,
    /// Where one leaves `__try` past its `__finally`, as compilers say it, and by what.
    pub leaves_try: Option<(String, &'static str)>,
}

/// Reads `sources` and whatever of the program they include.
pub fn read<'a>(
    sources: impl Iterator<Item = &'a Path>,
    folders: &[PathBuf],
    include: &Path,
) -> Sources {
    let mut found = Sources::default();
    let mut waiting: Vec<PathBuf> = sources.map(Path::to_owned).collect();
    let mut seen: HashSet<PathBuf> = waiting.iter().cloned().collect();
    while let Some(path) = waiting.pop() {
        // What cannot be read is the compiler's to say.
        let Ok(bytes) = fs::read(&path) else { continue };
        found.have_entry_point |= line::has_entry_point(&bytes);
        let source = String::from_utf8_lossy(&bytes);
        found.have_void_main |= text::has_void_main(&source);
        found.have_silent_wmain |= text::has_silent_wmain(&source);
        if let Some((line, word)) = text::leaves_try(&source) {
            found.leaves_try = Some((format!("{}:{line}", path.display()), word));
        }
        for (name, quoted) in text::includes(&source) {
            let beside = path.parent().filter(|_| quoted);
            let own = beside.into_iter().chain(folders.iter().map(PathBuf::as_path));
            if let Some(header) = found.follow(name, own, include)
                && seen.insert(header.clone())
            {
                waiting.push(header);
            }
        }
    }
    found
}

impl Sources {
    /// The program's own file that `name` means, if it means one.
    fn follow<'a>(
        &mut self,
        name: &str,
        own: impl Iterator<Item = &'a Path> + Clone,
        include: &Path,
    ) -> Option<PathBuf> {
        let plain = own.clone().map(|folder| folder.join(name)).find(|path| path.is_file());
        if plain.is_some() || include.join(name).is_file() {
            return plain;
        }
        let usual = name.replace('\\', "/");
        let lower = usual.to_lowercase();
        if include.join(&lower).is_file() || (OF_C.contains(&&*lower) && lower != name) {
            self.spellings.insert(name.into(), format!("<{lower}>"));
            return None;
        }
        let header = own.filter_map(|folder| in_any_case(folder, &usual)).next()?;
        let header = header.canonicalize().ok()?;
        self.spellings.insert(name.into(), format!("\"{}\"", header.display()));
        Some(header)
    }

    /// The folder in which the headers have the program's spellings; `None` if it needs none.
    ///
    /// Its name is made of what is in it, so it is made once and stays: what make and ninja are
    /// told about dependencies goes on being true.
    pub fn folder(&self) -> Result<Option<PathBuf>, Failure> {
        if self.spellings.is_empty() {
            return Ok(None);
        }
        let mut hasher = DefaultHasher::new();
        self.spellings.hash(&mut hasher);
        let root = cache();
        let folder = root.join(format!("{:016x}", hasher.finish()));
        if !folder.is_dir() {
            self.make(&root, &folder).map_err(|error| {
                let folder = root.display();
                Failure::Usage(format!("{folder}: {error}; XDG_CACHE_HOME names another place"))
            })?;
        }
        Ok(Some(folder))
    }

    /// Whole or not at all, since others may be making it too.
    fn make(&self, root: &Path, folder: &Path) -> io::Result<()> {
        let draft = root.join(format!("draft-{}", std::process::id()));
        // clang turns backslashes before it looks, gcc does not.
        let turned = self.spellings.iter().map(|(name, meant)| (name.replace('\\', "/"), meant));
        let written = self.spellings.iter().map(|(name, meant)| (name.clone(), meant));
        for (name, meant) in turned.chain(written) {
            let path = draft.join(&name);
            // A spelling that leads out of the folder is left to the compiler.
            if name.starts_with('/') || name.split('/').any(|part| part == "..") {
                continue;
            }
            fs::create_dir_all(path.parent().unwrap_or(&draft))?;
            fs::write(path, format!("#include {meant}\n"))?;
        }
        fs::create_dir_all(&draft)?;
        match fs::rename(&draft, folder) {
            Err(_) if folder.is_dir() => fs::remove_dir_all(&draft),
            done => done,
        }
    }
}

/// The file in `folder` that has this name if capitals do not count.
fn in_any_case(folder: &Path, name: &str) -> Option<PathBuf> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut path = folder.to_owned();
    for part in name.split('/') {
        if part == "." || part == ".." || path.join(part).exists() {
            path.push(part);
            continue;
        }
        let mut entries = fs::read_dir(&path).ok()?.flatten();
        let entry = entries.find(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.to_lowercase() == part.to_lowercase())
        })?;
        path.push(entry.file_name());
    }
    path.is_file().then_some(path)
}

fn cache() -> PathBuf {
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = named.or_else(|| env::home_dir().map(|home| home.join(".cache")));
    cache.unwrap_or_else(|| PathBuf::from("/nonexistent")).join("winsock/spellings")
}
