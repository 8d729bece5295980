//! The rules of Windows' socket semantics, each as a test that names it.
//!
//! The tests in `tests/` are written once, over the public names of `winsock_sys::Win32::...`. On
//! Linux they try our implementation, on Windows (and under Wine) the system's own. A test function
//! carries the number of its rule first: `r021_immediate_success_still_queues_a_packet`; a rule may
//! have several tests with different tails. The file's letter is the section of the rule.
//!
//! This library holds what the tests share:
//!
//! - [`init`] once per process; every constructor below calls it.
//! - [`Socket`], [`Port`], [`Event`] close themselves and dereference to the raw handle, so that a
//!   test reads `recv(*a, ...)`; [`Socket::close`] closes now and tells what `closesocket` said.
//! - [`tcp_pair`], [`listener`], [`tcp_socket`], [`udp_socket`], [`udp_bound`], [`port`],
//!   [`associate`] make the usual scenery, over 127.0.0.1 only.
//! - [`Op`] is one overlapped operation: an OVERLAPPED and a buffer at a fixed address, not freed
//!   while the operation is pending, so that a failing test cannot corrupt the next one.
//!   [`post_recv`] and [`post_send`] start it, [`wsa_result`] and [`win32_result`] look at its end.
//! - [`accept_op`], [`post_accept`], [`post_connect`], [`post_disconnect`] for the extensions.
//! - [`dequeue`] takes one packet from a port, [`dequeue_batch`] several, with everything the call
//!   reported; [`post`] queues one of the caller's own.
//! - [`process`] calls ProcessSocketNotifications, [`register`] with one registration as
//!   [`enabling`], [`disabling`] and [`removing`] make them; [`expect_events`] takes a packet.
//! - [`select_from`] and [`poll_all`] call `select`, with sets of any size ([`FdSet`]), and
//!   `WSAPoll`, with everything they reported; [`selected`] and [`polled`] ask about one socket.
//! - [`Watch`] is either way to hear of network events: [`ByEvent`] and [`ByMessage`].
//!   [`expect_news`], [`expect_failure`] and [`expect_no_news`] say what must be reported.
//! - [`Handle`] is a handle of any kind; [`wait_any`] and [`wait_all`] wait for several.
//! - [`Thread`] is a thread with a HANDLE, to which (or to itself) [`queue_apc`] sends calls.
//! - [`Window`] is a window without a screen, its procedure a closure; [`next_message`],
//!   [`try_message`] and [`pump`] are a thread's message loop.
//! - [`sockaddr_v4`], [`sockaddr_v6`], [`local_addr`] and [`Addr`] for addresses.
//! - [`alone`] runs a test in a process of its own.
//! - [`differs_on_wine`], [`differs_on_wine_at_times`] and [`may_differ_on_wine`] for the rules
//!   where Wine 8.0 is known not to do what Windows does.
//!
//! `cargo test -p conformance` runs the suite natively, `cargo xtask wine [filter]` under Wine.
//!
//! ```no_run
//! use conformance::*;
//!
//! let port = port();
//! let (a, b) = tcp_pair();
//! associate(&a, &port, 7);
//! let op = Op::new(16);
//! assert_eq!(post_recv(&a, &op), Err(WSA_IO_PENDING));
//! send_all(&b, b"hello");
//! let packet = dequeue(*port, SOON);
//! assert!(packet.ok && packet.key == 7 && packet.overlapped == op.ptr());
//! assert_eq!(&op.data()[..packet.bytes as usize], b"hello");
//! ```

#![expect(
    clippy::not_unsafe_ptr_arg_deref,
    reason = "a HANDLE is spelled as a pointer and is none"
)]

mod address;
mod extension;
mod handle;
mod network;
mod notify;
mod op;
mod process;
mod queue;
mod select;
mod socket;
mod thread;
mod window;
mod wine;

pub use address::{Addr, local_addr, peer_addr, sockaddr_v4, sockaddr_v6};
pub use extension::{
    ADDRESS_ROOM, accept_op, accepted_addresses, extension_pointer, post_accept, post_connect,
    post_disconnect, update_accepted, update_connected,
};
pub use handle::{Handle, bool_result, refused, wait_all, wait_any};
pub use network::{
    ByEvent, ByMessage, News, Record, WM_NEWS, Watch, async_select, enum_events, event_deselect,
    event_select, expect_failure, expect_news, expect_no_news, news_of, repeats_reports,
};
pub use notify::{disabling, enabling, expect_events, process, process_raw, register, removing};
pub use op::{
    Event, Op, Packet, Port, associate, dequeue, last_error, last_wsa_error, port, port_for,
    post_recv, post_send, wait, win32_result, wsa_result,
};
pub use process::alone;
pub use queue::{Batch, dequeue_batch, expect_no_packet, post, post_key};
pub use select::{
    EXCEPT, FdSet, READ, Selected, WRITE, poll_all, polled, select_from, selected, selected_within,
    timeval,
};
pub use socket::{
    Socket, accept_one, bind_to, connect_to, init, listener, listener_v6, nobody, non_blocking,
    option, pattern, recv_exactly, recv_some, send_all, send_urgent, set_option, tcp_pair,
    tcp_socket, tcp_socket_v6, udp_bound, udp_socket,
};
pub use thread::{Thread, comes_true, pause, queue_apc, spin_until, this_thread};
pub use window::{
    Call, Window, create_window, create_window_in, destroy_window, dispatch, is_window, module,
    next_message, next_message_to, post_to, pump, pump_until, register_class, set_window_text,
    try_message, unregister_class, wide, window_class, window_long, window_text,
};
pub use wine::{differs_on_wine, differs_on_wine_at_times, is_wine, may_differ_on_wine};
pub use winsock_sys::Win32::Networking::WinSock::{WSA_IO_PENDING, WSAEWOULDBLOCK};

/// Milliseconds within which a loopback completion that must come has come, on a busy machine too.
///
/// Real Winsock under Wine is given less: where it differs, a test waits for this in vain.
pub const SOON: u32 = if cfg!(windows) { 10_000 } else { 60_000 };

/// Milliseconds after which something that must not happen counts as not happening.
pub const NEVER: u32 = 100;
