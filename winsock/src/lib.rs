//! Windows' socket I/O models in safe Rust, the same code on Windows and on Linux.
//!
//! A thread starts operations and goes on; the ends of operations queue at a completion port, and
//! any thread takes them from there. On Windows this is the system's own completion port, on Linux
//! the one of [`winsock_sys`].
//!
//! ```no_run
//! use std::sync::Arc;
//! use winsock::{Batch, Completion, Listener, Port, TcpSocket};
//!
//! // Every operation carries a token and gives it back: here the connection, or nothing.
//! type Client = Option<Arc<TcpSocket>>;
//!
//! let port: Port<Client> = Port::new()?;
//! let listener = Listener::bind("127.0.0.1:5150")?;
//! port.accept(&listener, None);
//!
//! let mut batch = Batch::default();
//! loop {
//!     for completion in port.wait(&mut batch, None)? {
//!         match completion {
//!             Completion::Accept { result, .. } => {
//!                 port.accept(&listener, None); // the next one
//!                 let client = Arc::new(result?.socket);
//!                 port.recv(&client, Vec::with_capacity(4096), Some(client.clone()));
//!             }
//!             Completion::Recv { token: Some(client), buf, result: Ok(1..) } => {
//!                 port.send(&client, buf, Some(client.clone()));
//!             }
//!             Completion::Send { token: Some(client), buf, result: Ok(_) } => {
//!                 port.recv(&client, buf, Some(client.clone()));
//!             }
//!             // The end of the stream, or an error: the last owner of the connection goes.
//!             over => drop(over),
//!         }
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), winsock::Error>(())
//! ```
//!
//! # Who owns what
//!
//! - An operation owns its buffer and its token from the call that starts it until its
//!   [`Completion`] is handed out, whatever the outcome: success, failure, cancellation, a socket
//!   closed under it. There is no way to touch a buffer that the system is using.
//! - A [`TcpSocket`], [`UdpSocket`] or [`Listener`] owns its handle. Dropping it closes it, and
//!   what
//!   was under way completes as aborted.
//! - The [`Port`] owns the records of operations. They are used again and again: in a steady state
//!   nothing is allocated. Dropping the port cancels what is in flight and waits for it.
//!
//! Sockets, ports, buffers and tokens may be dropped in any order.
//!
//! # What there is
//!
//! | | |
//! |---|---|
//! | [`Port`], [`Batch`], [`Completion`], [`Ticket`] | the completion-port model |
//! | [`TcpSocket`], [`Listener`] | TCP, with blocking calls for the thread-per-client model |
//! | [`UdpSocket`] | UDP |
//! | [`Event`], [`WaitSet`] | event objects and waits |
//! | [`Buffer`], [`Chunk`] | what operations send from and receive into |
//! | [`Error`] | Windows' error codes, by name |

mod address;
mod buffer;
mod completion;
mod error;
mod event;
mod extension;
mod file;
mod listener;
mod pool;
mod port;
mod record;
mod socket;
mod tcp;
mod udp;

pub use buffer::{Buffer, Chunk};
pub use completion::{Accepted, Batch, Completion, Completions};
pub use error::{Error, Result};
pub use event::{Event, WaitSet};
pub use file::File;
pub use listener::Listener;
pub use port::{Port, Ticket};
pub use tcp::TcpSocket;
pub use udp::UdpSocket;
