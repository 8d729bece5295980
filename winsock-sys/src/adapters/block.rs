//! Memory that the caller will get, filled from front to back: structures that point to each other
//! by the addresses that they will have there.

/// A block in the making.
pub struct Block {
    /// Where it will be.
    place: *mut u8,
    bytes: Vec<u8>,
}

/// A place in a [`Block`], by its distance from the front.
#[derive(Clone, Copy)]
pub struct Spot(usize);

impl Block {
    pub fn at(place: *mut u8) -> Block {
        Block { place, bytes: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Makes room for bytes, at a multiple of eight.
    fn reserve(&mut self, len: usize) -> Spot {
        let at = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(at + len.next_multiple_of(8), 0);
        Spot(at)
    }

    pub fn put_bytes(&mut self, bytes: &[u8]) -> Spot {
        let spot = self.reserve(bytes.len());
        self.bytes[spot.0..][..bytes.len()].copy_from_slice(bytes);
        spot
    }

    /// Makes room for a structure, of zeroes until it is written.
    pub fn reserve_for<T>(&mut self) -> Spot {
        self.reserve(size_of::<T>())
    }

    pub fn put<T: Copy>(&mut self, value: T) -> Spot {
        let spot = self.reserve_for::<T>();
        self.write(spot, value);
        spot
    }

    /// Writes a structure where there is room for it.
    pub fn write<T: Copy>(&mut self, spot: Spot, value: T) {
        let room = &mut self.bytes[spot.0..][..size_of::<T>()];
        // SAFETY: there is room, as the slice has just shown; it need not be aligned.
        unsafe { room.as_mut_ptr().cast::<T>().write_unaligned(value) };
    }

    /// The address that a spot will have.
    pub fn address<T>(&self, spot: Spot) -> *mut T {
        self.place.wrapping_add(spot.0).cast()
    }

    /// Copies the block to its place; `false` if there is too little room or no place.
    ///
    /// # Safety
    /// The place is NULL or writable for `room` bytes.
    pub unsafe fn copy_into(&self, room: usize) -> bool {
        if self.place.is_null() || room < self.bytes.len() {
            return false;
        }
        // SAFETY: our caller vouches for the room.
        unsafe { self.bytes.as_ptr().copy_to_nonoverlapping(self.place, self.bytes.len()) };
        true
    }
}
