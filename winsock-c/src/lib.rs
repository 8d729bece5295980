//! The C door: the functions of `winsock-sys` under the names that C programs link.
//!
//! The headers in `include/` declare them; `exports.rs` is the one list of them.
//!
//! Names that glibc has too (`recv`, `bind`, `select`, ...) are exported with `ws_` in front, and
//! the headers bind them by assembler labels. Under their own names they would take glibc's place
//! in the whole process: std's own sockets would call them.
//!
//! A panic that reaches a C caller aborts, as every `extern "C"` function does.

#![cfg(target_os = "linux")]
// The functions keep Windows' names.
#![allow(non_snake_case)]

mod conio;
mod console;
mod cpu;
mod crypt;
#[macro_use]
mod export;
mod exports;
mod format;
mod heap;
mod last;
mod locale;
mod memory;
mod message;
mod modules;
mod paths;
mod printf;
mod process;
mod serial;
mod sockets;
mod strings;
mod system;
mod text;
mod threads;
mod usage;
mod va;
mod version;
mod wide;
