//! A vector that lives on the stack, for the 64 objects that a wait may be for.

use std::mem::MaybeUninit;
use std::ops::Deref;
use std::{ptr, slice};

/// Up to `N` values, without an allocation. What has been pushed stays where it is.
pub struct Array<T, const N: usize> {
    places: [MaybeUninit<T>; N],
    len: usize,
}

impl<T, const N: usize> Array<T, N> {
    pub fn new() -> Array<T, N> {
        Array { places: [const { MaybeUninit::uninit() }; N], len: 0 }
    }

    /// # Panics
    /// If it is full.
    pub fn push(&mut self, value: T) {
        self.places[self.len].write(value);
        self.len += 1;
    }
}

impl<T, const N: usize> Deref for Array<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `push` has filled the first `len` places.
        unsafe { slice::from_raw_parts(self.places.as_ptr().cast(), self.len) }
    }
}

impl<T, const N: usize> Drop for Array<T, N> {
    fn drop(&mut self) {
        let filled = ptr::slice_from_raw_parts_mut(self.places.as_mut_ptr().cast::<T>(), self.len);
        // SAFETY: `push` has filled the first `len` places, and nobody looks at them again.
        unsafe { ptr::drop_in_place(filled) };
    }
}
