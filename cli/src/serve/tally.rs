//! What a server did.

use std::iter::Sum;

#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub connections: u64,
    /// Receives that brought something; each was sent back.
    pub messages: u64,
    pub bytes: u64,
    /// Operations that failed, but for those that stopping cut short.
    pub errors: u64,
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |sum, one| Tally {
            connections: sum.connections + one.connections,
            messages: sum.messages + one.messages,
            bytes: sum.bytes + one.bytes,
            errors: sum.errors + one.errors,
        })
    }
}
