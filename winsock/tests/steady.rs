//! In a steady state, operations allocate nothing. A file of its own, because it counts the
//! allocations of the whole process.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{SOON, pair};
use winsock::{Batch, Completion, Operations, Port, TcpSocket};

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Turns whatever was received round, until `messages` were.
fn play(port: &Port<usize>, sockets: &[TcpSocket], batch: &mut Batch, messages: usize) {
    let mut received = 0;
    while received < messages {
        let completions = port.wait(batch, Some(SOON)).unwrap();
        assert_ne!(completions.len(), 0);
        for completion in completions {
            match completion {
                Completion::Recv { token, buf, result: Ok(1..) } => {
                    received += 1;
                    port.send(&sockets[token], buf, token);
                }
                Completion::Send { token, buf, result: Ok(_) } => {
                    port.recv(&sockets[token], buf, token);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn no_allocation_per_operation() {
    let port = Port::new().unwrap();
    let sockets: Vec<TcpSocket> = (0..8).map(|_| pair()).flat_map(|(a, b)| [a, b]).collect();
    let mut batch = Batch::new(16);
    for (number, socket) in sockets.iter().enumerate() {
        match number % 2 {
            0 => port.send(socket, vec![number as u8; 64], number),
            _ => port.recv(socket, Vec::with_capacity(64), number),
        };
    }
    play(&port, &sockets, &mut batch, 2000);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    play(&port, &sockets, &mut batch, 4000);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed) - before, 0);
}
