//! Wine, with a prefix of our own and so a wineserver of our own, whose work is charged to the
//! server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::process::{Server, end, pin_process};

/// Where Wine is looked for: on the path, then where Debian puts it.
const PLACES: [&str; 2] = ["wine64", "/usr/lib/wine/wine64"];

pub struct Wine {
    program: &'static str,
    prefix: PathBuf,
    core: usize,
}

impl Wine {
    /// Makes the prefix.
    pub fn start(core: usize) -> Outcome<Wine> {
        let runs = |program: &&str| Command::new(program).arg("--version").output().is_ok();
        let program = PLACES.into_iter().find(runs).ok_or("Wine was not found")?;
        let prefix = std::env::temp_dir().join(format!("winsock-bench-{}", std::process::id()));
        let wine = Wine { program, prefix, core };
        let status = wine.command().args(["wineboot", "-i"]).status()?;
        if status.success() { Ok(wine) } else { Err("Wine could not make a prefix".into()) }
    }

    /// The server and the wineserver share the core: both are what serving costs.
    pub fn serve(&self, program: &Path) -> Outcome<Server> {
        let mut server = Server::spawn(self.command().arg(program))?;
        let wineserver = self.wineserver()?;
        pin_process(wineserver, &[self.core])?;
        server.others.push(wineserver);
        Ok(server)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all").stderr(Stdio::null());
        command
    }

    /// The wineserver whose environment names our prefix.
    fn wineserver(&self) -> Outcome<u32> {
        let ours = format!("WINEPREFIX={}", self.prefix.display());
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path();
            let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
            // Processes may end, or be somebody else's, while we look.
            let environment = fs::read(path.join("environ")).unwrap_or_default();
            let is_ours = environment.split(|byte| *byte == 0).any(|line| line == ours.as_bytes());
            if name.starts_with("wineserver") && is_ours {
                let pid = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                return Ok(pid.parse()?);
            }
        }
        Err("no wineserver works for the server".into())
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // What fails here is only not tidied up. The wineserver ends what it serves, then itself.
        if let Ok(pid) = self.wineserver() {
            let _ = end(pid);
        }
        let _ = fs::remove_dir_all(&self.prefix);
    }
}
