//! Lets stored rows pass by that concern no row of the file: most of them, when a month arrives on
//! top of years. Owns a set that may say yes wrongly and never no; decides nothing.

/// Bits for each row: about one stored row in sixteen is kept in vain.
const BITS: u64 = 16;

/// The groups of the new rows, give or take.
pub(super) struct Sieve {
    words: Vec<u64>,
}

impl Sieve {
    /// For so many rows; two bytes each.
    pub(super) fn new(rows: u32) -> Self {
        let words = (u64::from(rows) * BITS).div_ceil(64).max(1);
        Self { words: vec![0; usize::try_from(words).unwrap_or(usize::MAX)] }
    }

    /// The word and the bit of a group. Groups are hashes, so their first bytes spread evenly.
    fn place(&self, group: [u8; 16]) -> (usize, u64) {
        let number = group.first_chunk::<8>().map_or(0, |head| u64::from_be_bytes(*head));
        let bits = self.words.len() as u128 * 64;
        let bit = (u128::from(number) * bits) >> 64;
        (usize::try_from(bit / 64).unwrap_or(usize::MAX), 1 << (bit % 64))
    }

    pub(super) fn add(&mut self, group: [u8; 16]) {
        let (word, bit) = self.place(group);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// False only for a group that was not added.
    pub(super) fn may_hold(&self, group: [u8; 16]) -> bool {
        let (word, bit) = self.place(group);
        self.words.get(word).is_none_or(|word| word & bit != 0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use backstay_evidence::Digest;

    use super::*;

    fn group(number: u32) -> [u8; 16] {
        *Digest::of(&number.to_be_bytes()).0.first_chunk().unwrap()
    }

    #[test]
    fn what_was_added_is_never_denied_and_little_else_is_let_through() {
        let mut sieve = Sieve::new(5_000);
        (0..5_000).for_each(|number| sieve.add(group(number)));
        assert!((0..5_000).all(|number| sieve.may_hold(group(number))));
        let wrongly = (5_000..25_000).filter(|number| sieve.may_hold(group(*number))).count();
        assert!((1..3_000).contains(&wrongly), "{wrongly} of 20,000");
    }

    #[test]
    fn a_sieve_for_no_rows_lets_nothing_through() {
        assert!(!Sieve::new(0).may_hold(group(1)));
    }
}
