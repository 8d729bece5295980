//! Locks and what belongs to them, in the program's own memory.
//!
//! None of them has a handle: a lock is the few words of its Windows structure, and
//! who waits for it sleeps on one of them. A lock that nobody waits for costs no system call. After
//! the step that lets others go on, a function does not touch the lock any more: they may free it.
//!
//! A thread that sleeps here is no thread at work: the watch finds out that it sleeps, and its port
//! releases another (rule 143).

pub mod address;
pub mod barrier;
pub mod condition;
pub mod critical;
pub mod list;
pub mod once;
pub mod slim;
pub mod word;
