//! The dice, and how often they decide against the caller.

use std::time::Duration;

/// How awkward the kernel is. What it says of bytes holds for streams alone: a datagram is one
/// piece.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// Bytes that travel and are read in one piece at least. A program that sends one small message
    /// may rely on a loopback interface to deliver it as one, and the conformance tests do, on
    /// Windows as here; only what is longer can be torn.
    pub segment: usize,
    /// One in so many long sends and receives stops short (0: none).
    pub split: u64,
    /// How many times at most the clock ticks before an arrival is visible.
    pub delay: u64,
    /// After this time it is visible anyway: a program that only sleeps finds its data too.
    pub patience: Duration,
    /// One in so many waits reports a socket once more although nothing new happened (0: none).
    /// Such a report can make up for an edge that the layer above has lost; see [`Temper::of`].
    pub repeat: u64,
    /// One in so many waits reports only some of what is ready (0: none).
    pub hold_back: u64,
    /// One in so many accepts meets a connection that has given up meanwhile (0: none).
    pub given_up: u64,
}

impl Default for Temper {
    fn default() -> Temper {
        Temper {
            segment: 16 << 10,
            split: 3,
            delay: 3,
            patience: Duration::from_millis(2),
            repeat: 8,
            hold_back: 4,
            given_up: 8,
        }
    }
}

impl Temper {
    /// The usual one. With even seeds no report is repeated, so that no lost edge is made good.
    pub fn of(seed: u64) -> Temper {
        let usual = Temper::default();
        let repeat = if seed.is_multiple_of(2) { 0 } else { usual.repeat };
        Temper { repeat, ..usual }
    }
}

/// A xorshift64* generator (Marsaglia's three shifts, Vigna's multiplier): small, ours, and the
/// same on every machine.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Any seed will do. They are scattered first, since xorshift would take small ones for alike
    /// and get stuck at zero.
    pub fn new(seed: u64) -> Dice {
        let scattered = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Dice((scattered ^ (scattered >> 32)).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to, but not including, `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The upper bits are the better ones; for ends this small the bias is nothing.
        (self.next() >> 16) % end
    }

    /// True once in `n` times; never for 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        n > 0 && self.below(n) == 0
    }

    /// Half of the time 0, else from 1 to `most`.
    pub fn delay(&mut self, most: u64) -> u64 {
        if most == 0 || self.one_in(2) { 0 } else { 1 + self.below(most) }
    }

    /// How many of `pieces`, at least 2, to take of them: at least one, never all.
    pub fn some_of(&mut self, pieces: usize) -> usize {
        1 + self.below(pieces as u64 - 1) as usize
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_all() {
        let throw = |seed| {
            let mut dice = Dice::new(seed);
            [(); 8].map(|()| dice.below(1000))
        };
        assert_eq!(throw(7), throw(7));
        for seed in [0, 1, 2, u64::MAX - 1, u64::MAX] {
            assert_ne!(throw(seed), throw(seed.wrapping_add(1)), "seed {seed}");
        }
    }

    #[test]
    fn every_face_comes_up() {
        let mut dice = Dice::new(0);
        let mut seen = [0; 6];
        (0..600).for_each(|_| seen[dice.below(6) as usize] += 1);
        assert!(seen.iter().all(|count| (50..150).contains(count)), "{seen:?}");
        assert!(!(0..100).any(|_| dice.one_in(0)));
        assert!((0..100).all(|_| (1..4).contains(&dice.some_of(4))));
    }
}
