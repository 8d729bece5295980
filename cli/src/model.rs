//! The socket models there are.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// How a server hears about its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Overlapped operations, finished ones taken from a completion port by a few threads
    CompletionPort,
    /// Blocking calls, a thread for every client
    ThreadPerClient,
}

impl Model {
    pub fn all() -> Vec<Model> {
        Model::value_variants().to_vec()
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Model::CompletionPort => "completion-port",
            Model::ThreadPerClient => "thread-per-client",
        })
    }
}
