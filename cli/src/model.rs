//! The socket models there are.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// How a server hears about its sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// A set of sockets, asked as a whole which of them are ready, again and again
    Select,
    /// Readiness as messages to a window, taken from its thread's queue
    AsyncSelect,
    /// Readiness as events, waited for by threads with 64 each
    EventSelect,
    /// Overlapped operations that set events, waited for by threads with 64 each
    OverlappedEvent,
    /// Overlapped operations that end in a call on the thread that started them
    CompletionRoutine,
    /// Overlapped operations, finished ones taken from a completion port by a few threads
    CompletionPort,
    /// Blocking calls, a thread for every client
    ThreadPerClient,
}

impl Model {
    pub fn all() -> Vec<Model> {
        Model::value_variants().to_vec()
    }

    /// What its threads wait in.
    pub fn waits_in(self) -> &'static str {
        match self {
            Model::Select => "select",
            Model::AsyncSelect => "GetMessage",
            Model::EventSelect | Model::OverlappedEvent => "WSAWaitForMultipleEvents",
            Model::CompletionRoutine => "SleepEx",
            Model::CompletionPort => "GetQueuedCompletionStatusEx",
            Model::ThreadPerClient => "recv",
        }
    }

    /// Lines of code of its echo server in examples/, besides what all of them share: neither blank
    /// nor a comment.
    pub fn example_lines(self) -> Option<u32> {
        match self {
            Model::Select | Model::AsyncSelect => Some(24),
            Model::EventSelect => Some(44),
            Model::OverlappedEvent => Some(37),
            Model::CompletionRoutine => Some(25),
            Model::CompletionPort => Some(40),
            // It has none: there is nothing of Windows' own in it.
            Model::ThreadPerClient => None,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Model::Select => "select",
            Model::AsyncSelect => "async-select",
            Model::EventSelect => "event-select",
            Model::OverlappedEvent => "overlapped-event",
            Model::CompletionRoutine => "completion-routine",
            Model::CompletionPort => "completion-port",
            Model::ThreadPerClient => "thread-per-client",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Neither blank nor a comment.
    fn code_lines(text: &str) -> u32 {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count() as u32
    }

    #[test]
    fn the_examples_have_as_many_lines_as_it_says() {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace");
        for model in Model::all() {
            let Some(lines) = model.example_lines() else { continue };
            let path = above.join(format!("examples/{model}.rs"));
            let text = fs::read_to_string(path).expect("the example");
            assert_eq!(lines, code_lines(&text), "{model}");
        }
    }
}
