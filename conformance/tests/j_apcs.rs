//! Section J, rule 135: blocking calls are alertable inside. Rule 108 has the receives and accepts.

use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use conformance::*;
use winsock_sys::Win32::Networking::WinSock::*;

/// `connect`, whatever comes of it.
fn try_connect(socket: &Socket, addr: &Addr) {
    // SAFETY: `addr` is a full socket address of `len` bytes.
    unsafe { connect(**socket, addr.as_ptr(), addr.len) };
}

/// A listener that has no room for another connection, and those that took the room.
fn full_listener() -> (Socket, Addr, Vec<Socket>) {
    let listener = tcp_socket();
    bind_to(&listener, &sockaddr_v4(0));
    // SAFETY: listen takes any value.
    assert_eq!(unsafe { listen(*listener, 1) }, 0);
    let addr = local_addr(*listener);
    let guests = (0..8).map(|_| {
        let guest = tcp_socket();
        non_blocking(&guest, true);
        try_connect(&guest, &addr);
        guest
    });
    let guests = guests.collect();
    (listener, addr, guests)
}

#[test]
fn r135_a_connect_that_waits_runs_apcs() {
    let (listener, addr, _guests) = full_listener();
    let called = Arc::new(Event::manual_reset());
    let of_apc = called.clone();
    assert_eq!(queue_apc(this_thread(), move || of_apc.set()), Ok(()));
    let connected = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        let host = scope.spawn(|| {
            let ran = called.is_set_within(2_000);
            non_blocking(&listener, true);
            while !connected.load(Ordering::SeqCst) {
                // SAFETY: no address is asked for; a refusal leaves nothing to close.
                unsafe { closesocket(accept(*listener, null_mut(), null_mut())) };
                thread::sleep(Duration::from_millis(1));
            }
            ran
        });
        try_connect(&tcp_socket(), &addr);
        connected.store(true, Ordering::SeqCst);
        host.join().expect("no panic")
    });
    // Wine 8.0 runs it at the next alertable wait.
    differs_on_wine(|| assert!(ran));
}
