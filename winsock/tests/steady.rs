//! In a steady state, operations allocate nothing. A file of its own, because it counts the
//! allocations of the whole process.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Served, next, pair};
use winsock::{Completion, OverlappedSet, Port, Routines, TcpSocket};

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
fn play(model: &impl Served<usize>, sockets: &[TcpSocket], messages: usize) {
    let mut received = 0;
    while received < messages {
        match next(model) {
            Completion::Recv { token, buf, result: Ok(1..) } => {
                received += 1;
                model.send(&sockets[token], buf, token);
            }
            Completion::Send { token, buf, result: Ok(_) } => {
                model.recv(&sockets[token], buf, token);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// How many allocations it takes to play on.
fn allocations(model: &impl Served<usize>) -> usize {
    let sockets: Vec<TcpSocket> = (0..8).map(|_| pair()).flat_map(|(a, b)| [a, b]).collect();
    for (number, socket) in sockets.iter().enumerate() {
        match number % 2 {
            0 => model.send(socket, vec![number as u8; 64], number),
            _ => model.recv(socket, Vec::with_capacity(64), number),
        };
    }
    play(model, &sockets, 2000);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    play(model, &sockets, 4000);
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// The library's watch may allocate a little when the machine is busy; 8,000 operations do not.
#[track_caller]
fn assert_steady(model: &impl Served<usize>) {
    let count = allocations(model);
    assert!(count < 80, "{count} allocations");
}

#[test]
fn no_allocation_per_operation() {
    assert_steady(&Port::new().unwrap());
    assert_steady(&OverlappedSet::new().unwrap());
    assert_steady(&Routines::new().unwrap());
}
