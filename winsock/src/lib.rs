//! Windows' socket I/O models in safe Rust, the same code on Windows and on Linux.
//!
//! With a completion port a program does not ask whether a socket is ready: it starts an operation,
//! goes on, and later hears that the operation has ended. All ends arrive at one queue, the
//! [`Port`], and any number of threads may wait there. On Windows this is the system's own
//! completion port; on Linux it is the one of [`winsock_sys`], which behaves alike.
//!
//! # A whole server
//!
//! ```no_run
//! use std::sync::Arc;
//! use winsock::{Batch, Completion, Listener, Operations, Port, TcpSocket};
//!
//! // An operation carries a token and gives it back. Here: the connection; an accept has none.
//! type Client = Option<Arc<TcpSocket>>;
//!
//! fn main() -> winsock::Result<()> {
//!     let port: Port<Client> = Port::new()?;
//!     let listener = Listener::bind("127.0.0.1:5150")?;
//!     for _ in 0..16 {
//!         port.accept(&listener, None); // so many may come at once
//!     }
//!     let mut batch = Batch::default();
//!     loop {
//!         for completion in port.wait(&mut batch, None)? {
//!             match completion {
//!                 Completion::Accept { result, .. } => {
//!                     port.accept(&listener, None);
//!                     if let Ok(accepted) = result {
//!                         let client = Arc::new(accepted.socket);
//!                         let buf = Vec::with_capacity(4096);
//!                         port.recv(&client, buf, Some(client.clone()));
//!                     }
//!                 }
//!                 Completion::Recv { token: Some(client), buf, result: Ok(1..) } => {
//!                     port.send(&client, buf, Some(client.clone()));
//!                 }
//!                 Completion::Send { token: Some(client), buf, result: Ok(_) } => {
//!                     port.recv(&client, buf, Some(client.clone()));
//!                 }
//!                 // The end of the stream, or an error. Nothing is started, so this was the last
//!                 // owner of the connection, and dropping it closes the socket.
//!                 over => drop(over),
//!             }
//!         }
//!     }
//! }
//! ```
//!
//! To serve with several threads, run that loop in each: the port is shared by reference. To stop,
//! [`post`](Port::post) a token that says so.
//!
//! # The life of an operation
//!
//! 1. A method of [`Port`] starts it: buffer and token move in. Starting never blocks and never
//!    fails; what the system refuses completes with that error. The [`Ticket`] that is returned
//!    names the operation, for [`cancel`](Operations::cancel); it may be ignored.
//! 2. The system works. Nobody else can touch the buffer, because nobody else has it.
//! 3. It ends, exactly once: done, failed, cancelled, or aborted because the socket was closed.
//!    [`Port::wait`] hands out a [`Completion`], which tells by its type what has ended, and gives
//!    buffer and token back.
//!
//! # Who owns what, and what dropping does
//!
//! - A [`TcpSocket`], [`UdpSocket`] or [`Listener`] owns its handle. Dropping it closes it; what
//!   was
//!   under way on it completes as aborted.
//! - An operation owns its buffer and its token, from step 1 to step 3.
//! - The [`Port`] owns what has not been handed out. Dropping it cancels that, waits for the system
//!   to let go of it, and drops it.
//!
//! So everything may be dropped in any order, at any time, by any thread: memory that was lent to
//! the system is never freed early, and nothing is leaked. The one exception is a token that owns
//! the port itself.
//!
//! # What it costs
//!
//! An operation in flight takes one record of the port's, 128 bytes if token and buffer are an
//! [`Arc`](std::sync::Arc) and a [`Vec`]. Records are used again, by preference on the same thread
//! and without a lock: in a steady state an operation allocates nothing. Idle connections need not
//! hold buffers, see [`Operations::recv_lent`].
//!
//! # What there is
//!
//! | | |
//! |---|---|
//! | [`Port`], [`Completion`], [`Batch`], [`Ticket`] | the completion-port model |
//! | [`TcpSocket`], [`Listener`] | TCP; they also block, for the thread-per-client model |
//! | [`UdpSocket`] | UDP, likewise |
//! | [`Buffer`], [`Chunk`], [`Loan`], [`File`] | what operations send from and receive into |
//! | [`Event`], [`WaitSet`] | event objects, and waiting for up to 64 of them |
//! | [`Error`] | Windows' error codes, by name |
//!
//! Winsock is started when it is first needed. Each function names the Microsoft page of what it
//! does; "rule 58" and the like refer to the numbered rules of Windows' behaviour that the
//! conformance suite of this project tests, on both systems.
//!
//! # What there is not
//!
//! Window messages: there is no type for WSAAsyncSelect yet. Futures: a completion is an event for
//! a loop, and what an executor makes of it is the executor's affair. Names: addresses are
//! [`std::net::SocketAddr`], and whoever looks up a name waits for it.

#![warn(missing_docs)]

mod address;
mod buffer;
mod completion;
mod deadline;
mod error;
mod event;
mod event_set;
mod extension;
mod file;
mod groups;
mod issue;
mod ledger;
mod listener;
mod loan;
mod local;
mod mailbox;
mod message_loop;
mod model;
mod operations;
mod overlapped_set;
mod pool;
mod port;
mod ready;
mod ready_set;
mod record;
mod routines;
mod sets;
mod slots;
mod socket;
mod tcp;
mod udp;
mod window;

pub use buffer::{Buffer, Chunk};
pub use completion::{Accepted, Batch, Completion, Completions};
pub use error::{Error, Result};
pub use event::{Event, WaitSet};
pub use event_set::EventSet;
pub use file::File;
pub use groups::{Groups, Member, Order, Seat, Undealt};
pub use listener::Listener;
pub use loan::Loan;
pub use mailbox::Poster;
pub use message_loop::{Message, MessageLoop, Timer};
pub use operations::{Operations, Ticket};
pub use overlapped_set::OverlappedSet;
pub use port::Port;
pub use ready::{AnySocket, Interest, Key, Notice, Ready, Rejected};
pub use ready_set::ReadySet;
pub use routines::Routines;
pub use tcp::TcpSocket;
pub use udp::UdpSocket;
