//! What the fake kernel promises.
