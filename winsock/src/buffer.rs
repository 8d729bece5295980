//! What an operation owns while it is under way.

use std::mem::MaybeUninit;
use std::sync::Arc;

/// Memory that an operation can send from or receive into.
///
/// The operation owns the buffer from the moment it is started, and its
/// [`Completion`](crate::Completion) gives it back, whatever the outcome. A port has one type of
/// buffer: [`Vec<u8>`] unless told otherwise, [`Chunk`] for a port that also sends what it does not
/// own, or a type of yours, from a pool perhaps.
///
/// # Safety
/// The system uses the memory after [`bytes`](Buffer::bytes) or [`room`](Buffer::room) has
/// returned, until the operation has ended. In between the value stays where it is and none of its
/// methods is called. The implementation promises that the slice stays valid for that long, that
/// nobody else writes to it, and for `room` that nobody else reads it either.
pub unsafe trait Buffer: 'static {
    /// What a send takes.
    fn bytes(&self) -> &[u8];

    /// Where a receive may put what comes. Empty room makes a receive wait until there is
    /// something, and leave it there.
    fn room(&mut self) -> &mut [MaybeUninit<u8>];

    /// A receive has ended and has put `count` bytes, perhaps none, at the start of the room.
    ///
    /// # Safety
    /// The first `count` bytes of what `room` returned last are initialised.
    unsafe fn fill(&mut self, count: usize);
}

/// A send takes the vector's content. A receive overwrites it from the start, up to the capacity,
/// and sets the length to the number of bytes that came: nothing needs to be cleared or zeroed.
//
// SAFETY: the allocation belongs to the vector and does not move while the vector is not touched.
unsafe impl Buffer for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        self.clear();
        self.spare_capacity_mut()
    }

    unsafe fn fill(&mut self, count: usize) {
        debug_assert!(count <= self.capacity());
        // SAFETY: the caller's; the room was the whole capacity.
        unsafe { self.set_len(count) };
    }
}

/// Bytes of whatever origin, for ports that also send what is not theirs: a constant greeting, or
/// one message to many peers.
///
/// Only an [`Owned`](Chunk::Owned) one has room to receive.
#[derive(Clone, Debug)]
pub enum Chunk {
    /// See the implementation of [`Buffer`] for `Vec<u8>`.
    Owned(Vec<u8>),
    /// Sent from where it is.
    Static(&'static [u8]),
    /// Sent from where it is, as often as it has owners.
    Shared(Arc<[u8]>),
}

// SAFETY: vector and static slice as said there; a shared slice is not written while the clone in
// the operation exists.
unsafe impl Buffer for Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Owned(bytes) => bytes,
            Chunk::Static(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        }
    }

    fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        match self {
            Chunk::Owned(bytes) => bytes.room(),
            Chunk::Static(_) | Chunk::Shared(_) => &mut [],
        }
    }

    unsafe fn fill(&mut self, count: usize) {
        match self {
            // SAFETY: the caller's.
            Chunk::Owned(bytes) => unsafe { bytes.fill(count) },
            Chunk::Static(_) | Chunk::Shared(_) => debug_assert_eq!(count, 0),
        }
    }
}

impl From<Vec<u8>> for Chunk {
    fn from(bytes: Vec<u8>) -> Chunk {
        Chunk::Owned(bytes)
    }
}

impl From<&'static [u8]> for Chunk {
    fn from(bytes: &'static [u8]) -> Chunk {
        Chunk::Static(bytes)
    }
}

impl From<Arc<[u8]>> for Chunk {
    fn from(bytes: Arc<[u8]>) -> Chunk {
        Chunk::Shared(bytes)
    }
}
