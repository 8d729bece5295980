//! A file to write a result to, opened before it is measured: a name that is no good is refused at
//! once.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

pub struct File {
    path: PathBuf,
    file: fs::File,
    /// It was not there before, and is not written yet.
    vacant: bool,
}

impl File {
    /// What the file holds stays there until it is written.
    pub fn open(path: &Path) -> Result<File, Failure> {
        let vacant = !path.exists();
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let cannot = |error| Failure::Usage(format!("cannot write {}: {error}", path.display()));
        Ok(File { path: path.into(), file: file.map_err(cannot)?, vacant })
    }

    pub fn write(mut self, text: &str) -> Result<(), Failure> {
        let written = self.file.write_all(text.as_bytes());
        // What else may be written to, such as a pipe, has no length.
        let cut = |()| match self.file.metadata() {
            Ok(meta) if meta.is_file() => self.file.set_len(text.len() as u64),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        written.and_then(cut).map_err(|error| Failure::of(self.path.display(), error))?;
        self.vacant = false;
        Ok(())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.vacant {
            // Nothing came of it; if this fails, an empty file stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}
