//! Results, on stdout.

use std::fmt;
use std::io::{self, Write};

use crate::failure::Failure;

/// Prints a line at once, for whoever waits for it. A reader that has gone away has seen what it
/// wanted.
pub fn say(line: impl fmt::Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::of("cannot write to stdout", error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
