//! Which rows of one object stand, in a form that answers for millions of rows. Owns the look-up; it
//! must never decide which row of a chain wins.

use backstay_evidence::RowRef;

/// What names a row of an object: the sequence that made it known, the entry and the record of its
/// reference, and its item. The first two are the object's own unless it is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowKey {
    pub seq: u64,
    pub entry: u32,
    pub record: u32,
    pub item: i16,
}

impl RowKey {
    /// Its reference, packed.
    pub(super) fn packed(self) -> i64 {
        RowRef { entry: self.entry, record: self.record }.pack()
    }
}

/// What stands of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SegmentRows {
    /// Nothing of it stands.
    pub none: bool,
    /// Sequences of which no row does: of a merged object, where that need not be all.
    seqs: Vec<u64>,
    /// Records (entry, record) of which no row does.
    records: Vec<(u32, u32)>,
    /// Rows that do not.
    rows: Vec<RowKey>,
    /// Bits of the records named above, by a hash; most rows pass by one look. Empty: none is named.
    sieve: Vec<u64>,
}

impl SegmentRows {
    /// Takes every row of a sequence away.
    pub(super) fn drop_seq(&mut self, seq: u64) {
        self.seqs.push(seq);
    }

    /// Takes every row of a record away.
    pub(super) fn drop_record(&mut self, entry: u32, record: u32) {
        self.records.push((entry, record));
    }

    /// Takes rows away; [`Self::settle`] makes it count.
    pub(super) fn drop_rows(&mut self, keys: impl IntoIterator<Item = RowKey>) {
        self.rows.extend(keys);
    }

    /// Makes ready for questions.
    pub(super) fn settle(&mut self) {
        self.seqs.sort_unstable();
        self.seqs.dedup();
        self.records.sort_unstable();
        self.records.dedup();
        self.rows.sort_unstable();
        self.rows.dedup();
        let named = self.records.len() + self.rows.len();
        // Sixteen bits a record let one row in sixteen through to the look-up.
        let words = if named == 0 { 0 } else { (named / 4).next_power_of_two() };
        self.sieve = vec![0; words];
        let bits = sieve_bits(words);
        let own = self.rows.iter().map(|key| (key.entry, key.record));
        for (entry, record) in self.records.iter().copied().chain(own) {
            let (word, bit) = place(entry, record, bits);
            if let Some(word) = self.sieve.get_mut(word) {
                *word |= bit;
            }
        }
    }

    /// Whether every row stands, so that reading needs no look at each.
    pub(super) fn all_stand(&self) -> bool {
        !self.none && self.seqs.is_empty() && self.sieve.is_empty()
    }

    /// Whether a row stands.
    #[inline]
    pub(super) fn stands(&self, key: RowKey) -> bool {
        if self.none || (!self.seqs.is_empty() && self.seqs.binary_search(&key.seq).is_ok()) {
            return false;
        }
        if self.sieve.is_empty() {
            return true;
        }
        let (word, bit) = place(key.entry, key.record, sieve_bits(self.sieve.len()));
        if self.sieve.get(word).is_none_or(|word| word & bit == 0) {
            return true;
        }
        self.records.binary_search(&(key.entry, key.record)).is_err()
            && self.rows.binary_search(&key).is_err()
    }
}

/// Bits that address a bit of so many words.
fn sieve_bits(words: usize) -> u32 {
    words.trailing_zeros() + 6
}

#[inline]
fn place(entry: u32, record: u32, bits: u32) -> (usize, u64) {
    let packed = (u64::from(entry) << 32) | u64::from(record);
    // Multiplying by an odd number spreads neighbours; the upper bits are the best mixed.
    let at = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits.min(63));
    ((at >> 6) as usize, 1 << (at & 63))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_row_stands_unless_it_its_record_or_its_sequence_was_taken(
            rows in prop::collection::vec((0_u64..3, 0_u32..3, 0_u32..40, 0_i16..2), 0..30),
            records in prop::collection::vec((0_u32..3, 0_u32..40), 0..5),
            seqs in prop::collection::vec(0_u64..3, 0..2),
        ) {
            let mut standing = SegmentRows::default();
            let key = |(seq, entry, record, item)| RowKey { seq, entry, record, item };
            standing.drop_rows(rows.iter().copied().map(key));
            records.iter().for_each(|(entry, record)| standing.drop_record(*entry, *record));
            seqs.iter().for_each(|seq| standing.drop_seq(*seq));
            standing.settle();
            prop_assert_eq!(
                standing.all_stand(),
                rows.is_empty() && records.is_empty() && seqs.is_empty()
            );
            for seq in 0..3 {
                for (entry, record) in (0..3).flat_map(|e| (0..40).map(move |r| (e, r))) {
                    for item in 0..2 {
                        let taken = rows.contains(&(seq, entry, record, item))
                            || records.contains(&(entry, record))
                            || seqs.contains(&seq);
                        let key = RowKey { seq, entry, record, item };
                        prop_assert_eq!(standing.stands(key), !taken, "{:?}", key);
                    }
                }
            }
        }
    }
}
