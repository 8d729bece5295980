//! Memory for what has come, lent to the program while it looks at it.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};

/// What a block holds.
const BLOCK: usize = 64 * 1024;
/// So many blocks a thread keeps at most for what comes next.
const KEPT: usize = 16;

thread_local! {
    /// The block that was given back last is lent next: it is still in the cache.
    static BLOCKS: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that were received, 64 KiB at most, in memory that the library lends: what
/// [`Operations::recv_lent`](crate::Operations::recv_lent) brings. Empty at the end of the stream.
///
/// Dropping it gives the memory back, to the thread that drops it. Whoever keeps many loans at a
/// time keeps as many blocks: copy what is to stay.
pub struct Loan {
    block: Box<[u8]>,
    len: usize,
}

impl Loan {
    /// Lends a block that `receive` fills; it says how much of it.
    #[inline]
    pub(crate) fn filled<E>(
        receive: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Loan, E> {
        // A thread that ends has none left to keep.
        let kept = BLOCKS.try_with(|blocks| blocks.borrow_mut().pop()).ok().flatten();
        let block = kept.unwrap_or_else(|| vec![0; BLOCK].into());
        let mut loan = Loan { block, len: 0 };
        loan.len = receive(&mut loan.block)?;
        Ok(loan)
    }
}

impl Drop for Loan {
    #[inline]
    fn drop(&mut self) {
        let block = mem::take(&mut self.block);
        let _ = BLOCKS.try_with(|blocks| {
            let mut blocks = blocks.borrow_mut();
            if blocks.len() < KEPT {
                blocks.push(block);
            }
        });
    }
}

impl Deref for Loan {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.block[..self.len]
    }
}

impl DerefMut for Loan {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.block[..self.len]
    }
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Loan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("len", &self.len).finish_non_exhaustive()
    }
}
