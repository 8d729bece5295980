//! The loom models: the crate's own code, run in every order that its threads can meet in.
//!
//! `cargo xtask loom` builds the crate with `--cfg loom`. Then `crate::sync` is loom's, the handle
//! table and the waits live for one execution, and the backend is [`Driver`], which reports nothing
//! by itself: a model calls [`crate::socket::on_ready`] where the kernel would. Everything between
//! that and the program is what ships: table, parkers, signals, ports, sockets, operations.
//!
//! The pre-emptions of an execution are bounded (`LOOM_MAX_PREEMPTIONS`, else 3): within the bound
//! every interleaving is tried, and every value that a weak ordering lets an atomic show.
//!
//! What the models leave out: time (a wait with a time-out finds it up at every moment it looks),
//! the leader's hand-over in `backend::epoll`, and `std::sync::Arc`, which is taken to be right.

mod driver;
#[cfg(test)]
mod events;
#[cfg(test)]
mod handles;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod parker;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod waits;

pub use driver::Driver;

#[cfg(test)]
use std::sync::Arc;

/// Explores `body`, and says how many interleavings there were.
#[cfg(test)]
fn explore(body: impl Fn() + Send + Sync + 'static) {
    explore_within(3, body);
}

/// As [`explore`], for a model that takes too long with the usual bound.
#[cfg(test)]
fn explore_within(preemptions: usize, body: impl Fn() + Send + Sync + 'static) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    let mut model = loom::model::Builder::new();
    let bound = *model.preemption_bound.get_or_insert(preemptions);
    model.max_branches = 10_000;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        body();
    });
    println!("{} interleavings within {bound} pre-emptions", count.load(Ordering::Relaxed));
}

/// A thread of the program as the library sees it, without a place in the thread-locals.
#[cfg(test)]
fn thread() -> Arc<crate::thread::Thread> {
    Arc::new(crate::thread::Thread::new(0))
}

/// What the threads return, all of them ended.
#[cfg(test)]
fn join<R, const N: usize>(threads: [loom::thread::JoinHandle<R>; N]) -> [R; N] {
    threads.map(|thread| thread.join().unwrap())
}
