//! What went wrong, as one line and an exit code.

use std::fmt;
use std::process::ExitCode;

use clap::error::ErrorKind;

/// It ran and something failed (exit code 1), or it could not have run (2).
#[derive(Debug)]
pub enum Failure {
    Failed(String),
    Usage(String),
}

impl Failure {
    /// `what` could not be done, because of `why`.
    pub fn of(what: impl fmt::Display, why: impl fmt::Display) -> Failure {
        Failure::Failed(format!("{what}: {why}"))
    }

    /// What is said of it.
    pub fn line(&self) -> &str {
        match self {
            Failure::Failed(line) | Failure::Usage(line) => line,
        }
    }

    pub fn report(self) -> ExitCode {
        eprintln!("error: {}", self.line());
        match self {
            Failure::Failed(_) => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
        }
    }
}

/// Help and version are answers, printed as they are; a bad argument becomes one line.
pub fn usage(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nobody reading the help any more is no failure.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            ExitCode::from(2)
        }
        _ => {
            eprintln!("{} (see --help)", one_line(&error.render().to_string()));
            ExitCode::from(2)
        }
    }
}

/// The first paragraph, which names the error; what follows repeats the usage.
fn one_line(text: &str) -> String {
    let paragraph = text.lines().take_while(|line| !line.trim().is_empty());
    paragraph.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_error_keeps_its_first_paragraph() {
        let text = "error: required:\n  --connect <ADDR>\n\nUsage: winsock load\n";
        assert_eq!(one_line(text), "error: required: --connect <ADDR>");
    }
}
