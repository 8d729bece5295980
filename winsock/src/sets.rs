//! What all sets of sockets do alike.

/// The methods that go to a set's ledger and to its mailbox, for a set with these two fields.
macro_rules! sets {
    ($set:ident) => {
        impl<T, M> $set<T, M> {
            /// A socket of the set, and its token.
            pub fn get(&self, key: Key) -> Option<(&AnySocket, &T)> {
                self.ledger.get(key).map(|entry| (&entry.socket, &entry.token))
            }

            /// A socket of the set, and its token.
            pub fn get_mut(&mut self, key: Key) -> Option<(&AnySocket, &mut T)> {
                self.ledger.get_mut(key).map(|entry| (&entry.socket, &mut entry.token))
            }

            /// What is of interest.
            pub fn interest(&self, key: Key) -> Option<Interest> {
                self.ledger.get(key).map(|entry| entry.interest)
            }

            /// All sockets of the set, in no order.
            pub fn iter(&self) -> impl Iterator<Item = (Key, &AnySocket, &T)> {
                self.ledger.iter().map(|(key, entry)| (key, &entry.socket, &entry.token))
            }

            /// How many sockets there are.
            pub fn len(&self) -> usize {
                self.ledger.len()
            }

            /// Whether there is none.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// What other threads reach this one with.
            pub fn poster(&self) -> Poster<M> {
                self.mailbox.poster()
            }
        }

        impl<T, M> fmt::Debug for $set<T, M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($set)).field("len", &self.len()).finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use sets;
