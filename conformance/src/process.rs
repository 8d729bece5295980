//! Tests that need a process in which nobody else has called Winsock, or touched a signal.

use std::env;
use std::process::Command;

/// Set in the child, to the name of the test it is there for.
const ALONE: &str = "CONFORMANCE_ALONE";

/// Runs `body` in a process of its own: this test binary again, asked for `test` only.
///
/// `test` is the name of the calling test function. The child has not called [`crate::init`].
#[track_caller]
pub fn alone(test: &str, body: impl FnOnce()) {
    if env::var_os(ALONE).is_some_and(|name| name == test) {
        return body();
    }
    let binary = env::current_exe().expect("a test binary knows where it is");
    let child =
        Command::new(binary).args([test, "--exact", "--nocapture"]).env(ALONE, test).output();
    let child = child.expect("a test binary can be started again");
    let said = String::from_utf8_lossy(&child.stdout);
    // Indented, so that nobody takes the child's verdict for this test's.
    said.lines().for_each(|line| println!("  | {line}"));
    // A name that matches no test would make a child that succeeds without having tested anything.
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{test} in its own process: {}\n{}",
        child.status,
        String::from_utf8_lossy(&child.stderr)
    );
}
