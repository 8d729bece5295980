//! `winsock probe`: what this machine allows, which backend is chosen, and why.

use std::env;

use crate::failure::Failure;
use crate::os::{self, Fact};
use crate::out::say;

const VARIABLE: &str = "WINSOCK_BACKEND";

/// Say what this kernel and container allow, which backend is chosen and why.
///
/// Nothing is changed, and no network is used. WINSOCK_BACKEND=auto|epoll|uring chooses the
/// backend.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  winsock probe\n  WINSOCK_BACKEND=epoll winsock probe")]
pub struct Args {}

pub fn run(_args: &Args) -> Result<(), Failure> {
    for Fact { name, value } in os::facts() {
        say(format_args!("{name:13} {value}"))?;
    }
    let backend = backend()?;
    say(format_args!("{:13} {backend}: {}", "backend", why(backend)))
}

/// The backend that a server would use here.
pub fn backend() -> Result<&'static str, Failure> {
    os::backend().map_err(|asked| {
        Failure::Usage(format!(
            "{VARIABLE}={asked}: no such backend; there are auto, epoll and uring"
        ))
    })
}

fn why(backend: &str) -> String {
    let asked = env::var(VARIABLE).unwrap_or_default();
    match (backend, asked.as_str()) {
        ("winsock", _) => "this is Windows, and its own Winsock serves".into(),
        (_, "") => format!("{VARIABLE} is not set; auto means epoll, and uring is for the asking"),
        (_, "auto") => format!("{VARIABLE}=auto means epoll; uring is for the asking"),
        (_, asked) => format!("{VARIABLE}={asked} asks for it"),
    }
}
