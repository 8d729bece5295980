//! What a connection sends: bytes that depend on the connection and on their place in its stream.
//!
//! Eight bytes at a time are a hash of both. An echo with a byte lost, doubled, swapped or taken
//! from another connection therefore differs from what was sent, wherever it happens.

/// One connection's endless stream of bytes.
#[derive(Clone, Copy)]
pub struct Payload {
    key: u64,
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Payload {
    pub fn of(connection: u64) -> Payload {
        Payload { key: mix(connection.wrapping_add(STEP)) }
    }

    /// Writes the bytes that stand at `offset` and after.
    pub fn fill(self, offset: u64, bytes: &mut [u8]) {
        let mut word = offset / 8;
        let head = bytes.len().min((offset.wrapping_neg() % 8) as usize);
        let (head, rest) = bytes.split_at_mut(head);
        if !head.is_empty() {
            let from = (offset % 8) as usize;
            head.copy_from_slice(&self.word(word)[from..from + head.len()]);
            word += 1;
        }
        let mut chunks = rest.chunks_exact_mut(8);
        for chunk in &mut chunks {
            chunk.copy_from_slice(&self.word(word));
            word += 1;
        }
        let tail = chunks.into_remainder();
        tail.copy_from_slice(&self.word(word)[..tail.len()]);
    }

    /// The offset of the first byte that is not what was sent; `room` is at least as long.
    pub fn first_wrong(self, offset: u64, bytes: &[u8], room: &mut [u8]) -> Option<u64> {
        let sent = &mut room[..bytes.len()];
        self.fill(offset, sent);
        if sent == bytes {
            return None;
        }
        let place = sent.iter().zip(bytes).position(|(sent, got)| sent != got);
        place.map(|place| offset + place as u64)
    }

    fn word(self, index: u64) -> [u8; 8] {
        mix(self.key.wrapping_add(index.wrapping_mul(STEP))).to_le_bytes()
    }
}

/// The finalizer of splitmix64: every bit of the result depends on every bit of `x`.
fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Vec<u8> {
        let mut bytes = vec![0; 100];
        Payload::of(7).fill(0, &mut bytes);
        bytes
    }

    #[test]
    fn any_piece_is_part_of_the_same_stream() {
        let whole = whole();
        for start in 0..30 {
            for end in start..60 {
                let mut piece = vec![0; end - start];
                Payload::of(7).fill(start as u64, &mut piece);
                assert_eq!(piece, whole[start..end], "{start}..{end}");
            }
        }
    }

    #[test]
    fn a_lost_byte_is_seen_at_its_place() {
        let mut bytes = whole();
        let intact = bytes.clone();
        bytes.remove(41);
        let mut room = [0; 100];
        assert_eq!(Payload::of(7).first_wrong(0, &intact, &mut room), None);
        assert_eq!(Payload::of(7).first_wrong(0, &bytes, &mut room), Some(41));
        assert!(Payload::of(8).first_wrong(0, &intact, &mut room).is_some());
    }
}
