//! Draws that anyone can redo.
//!
//! Owns one algorithm, in full: the key of an item is the SHA-256 of four lines, joined by line feeds
//! and without one at the end:
//!
//! ```text
//! backstay-draw/1
//! <seed>
//! <lot>
//! <item>
//! ```
//!
//! The sample is the items with the smallest keys, in order of key; as hexadecimal text they sort
//! alike. `printf 'backstay-draw/1\n%s\n%s\n%s' SEED LOT ITEM | sha256sum` gives one key. For the second
//! look at some of the items inspected, the first line is `backstay-blind/1`. The list of items is named
//! by the SHA-256 of its ids, sorted by their bytes, each with a line feed after it
//! (`LC_ALL=C sort ids | sha256sum`). It must never draw from anything but its arguments.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::error::SamplingError;

/// First line of a key of the sample.
pub const DRAW: &str = "backstay-draw/1";
/// First line of a key of the second look.
pub const BLIND: &str = "backstay-blind/1";

/// A draw with all that is needed to redo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// First line of every key: [`DRAW`] or [`BLIND`].
    pub algorithm: String,
    /// Seed.
    pub seed: String,
    /// Lot.
    pub lot: String,
    /// Items drawn from.
    pub items: usize,
    /// Digest of the list drawn from.
    pub list_digest: String,
    /// Items drawn, in order of key.
    pub drawn: Vec<String>,
}

impl Draw {
    /// Digest of the draw: SHA-256 of algorithm, seed, lot, list digest and items drawn, each with a
    /// line feed after it.
    #[must_use]
    pub fn digest(&self) -> String {
        let head = [&self.algorithm, &self.seed, &self.lot, &self.list_digest];
        lines(head.into_iter().chain(&self.drawn))
    }
}

/// The key of an item, in hexadecimal.
///
/// # Errors
/// A line break in an argument.
pub fn key(algorithm: &str, seed: &str, lot: &str, item: &str) -> Result<String, SamplingError> {
    for part in [seed, lot, item] {
        if part.contains(['\n', '\r']) {
            return Err(SamplingError::LineBreak(part.to_owned()));
        }
    }
    Ok(hex::encode(Sha256::digest([algorithm, seed, lot, item].join("\n"))))
}

/// Draws `sample` of the items for a lot.
///
/// # Errors
/// No seed, more items than there are, an item twice, a line break in an id.
pub fn draw(
    algorithm: &str,
    seed: &str,
    lot: &str,
    items: &[String],
    sample: usize,
) -> Result<Draw, SamplingError> {
    if seed.is_empty() {
        return Err(SamplingError::NoSeed);
    }
    if sample > items.len() {
        return Err(SamplingError::TooMany { sample, items: items.len() });
    }
    let mut sorted = BTreeSet::new();
    for item in items {
        if !sorted.insert(item) {
            return Err(SamplingError::Twice(item.clone()));
        }
    }
    let mut keyed = Vec::with_capacity(items.len());
    for item in &sorted {
        keyed.push((key(algorithm, seed, lot, item)?, (*item).clone()));
    }
    keyed.sort();
    Ok(Draw {
        algorithm: algorithm.to_owned(),
        seed: seed.to_owned(),
        lot: lot.to_owned(),
        items: items.len(),
        list_digest: lines(sorted),
        drawn: keyed.into_iter().take(sample).map(|(_, item)| item).collect(),
    })
}

/// The numbers drawn from a lot whose items are counted 1 to `items`, ascending.
///
/// # Errors
/// As [`draw`].
pub fn numbers(
    algorithm: &str,
    seed: &str,
    lot: &str,
    items: u64,
    sample: u64,
) -> Result<BTreeSet<u64>, SamplingError> {
    let from: Vec<String> = (1..=items).map(|number| number.to_string()).collect();
    let sample = usize::try_from(sample).unwrap_or(usize::MAX);
    let drawn = draw(algorithm, seed, lot, &from, sample)?.drawn;
    Ok(drawn.iter().filter_map(|number| number.parse().ok()).collect())
}

/// The numbers among those inspected that get a second look: the share, rounded up, with the
/// smallest keys of [`BLIND`].
///
/// # Errors
/// As [`draw`].
pub fn second_look(
    seed: &str,
    lot: &str,
    inspected: &BTreeSet<u64>,
    share_thousandths_of_percent: u64,
) -> Result<BTreeSet<u64>, SamplingError> {
    const WHOLE: u64 = 100_000;
    let from: Vec<String> = inspected.iter().map(ToString::to_string).collect();
    let share = share_thousandths_of_percent.min(WHOLE);
    let wanted = (inspected.len() as u64).saturating_mul(share).div_ceil(WHOLE);
    let drawn = draw(BLIND, seed, lot, &from, usize::try_from(wanted).unwrap_or(usize::MAX))?.drawn;
    Ok(drawn.iter().filter_map(|number| number.parse().ok()).collect())
}

fn lines<'a>(parts: impl IntoIterator<Item = &'a String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update(b"\n");
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn a_key_is_what_sha256sum_says() {
        // printf 'backstay-draw/1\n%s\n%s\n%s' 2026-W41 LOT-1 7 | sha256sum
        assert_eq!(
            key(DRAW, "2026-W41", "LOT-1", "7").unwrap(),
            "c45c9b7f610e0b7fe49c3eae83ca550e025bc46cbadea3aa8e39debacb1fdd5e"
        );
    }

    #[test]
    fn the_order_of_the_list_does_not_matter_and_everything_else_does() {
        let one = draw(DRAW, "s", "L", &ids(&["a", "b", "c", "d", "e"]), 2).unwrap();
        let two = draw(DRAW, "s", "L", &ids(&["e", "d", "c", "b", "a"]), 2).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.digest(), two.digest());
        let others = [
            draw(DRAW, "t", "L", &ids(&["a", "b", "c", "d", "e"]), 2).unwrap(),
            draw(DRAW, "s", "M", &ids(&["a", "b", "c", "d", "e"]), 2).unwrap(),
            draw(BLIND, "s", "L", &ids(&["a", "b", "c", "d", "e"]), 2).unwrap(),
            draw(DRAW, "s", "L", &ids(&["a", "b", "c", "d", "f"]), 2).unwrap(),
        ];
        assert!(others.iter().all(|other| other.digest() != one.digest()));
    }

    #[test]
    fn a_larger_sample_holds_the_smaller_one() {
        let small = numbers(DRAW, "s", "L", 500, 20).unwrap();
        let large = numbers(DRAW, "s", "L", 500, 50).unwrap();
        assert_eq!((small.len(), large.len()), (20, 50));
        assert!(small.is_subset(&large));
    }

    #[test]
    fn over_many_seeds_every_item_is_drawn_about_equally_often() {
        let mut times = [0_u32; 20];
        for seed in 0..2000 {
            for number in numbers(DRAW, &seed.to_string(), "L", 20, 5).unwrap() {
                times[usize::try_from(number).unwrap() - 1] += 1;
            }
        }
        // 500 each; five standard deviations are 97.
        assert!(times.iter().all(|count| count.abs_diff(500) < 97), "{times:?}");
    }

    #[test]
    fn the_second_look_takes_its_share_of_what_was_inspected_rounded_up() {
        let inspected: BTreeSet<u64> = (1..=50).collect();
        assert_eq!(second_look("s", "L", &inspected, 10_000).unwrap().len(), 5);
        assert_eq!(second_look("s", "L", &inspected, 10_001).unwrap().len(), 6);
        assert!(second_look("s", "L", &inspected, 10_001).unwrap().is_subset(&inspected));
    }

    #[test]
    fn what_cannot_be_drawn_is_said() {
        let items = ids(&["a", "b"]);
        assert_eq!(draw(DRAW, "", "L", &items, 1), Err(SamplingError::NoSeed));
        let many = draw(DRAW, "s", "L", &items, 3);
        assert_eq!(many, Err(SamplingError::TooMany { sample: 3, items: 2 }));
        assert_eq!(
            draw(DRAW, "s", "L", &ids(&["a", "a"]), 1),
            Err(SamplingError::Twice("a".into()))
        );
        assert!(draw(DRAW, "s\n", "L", &items, 1).is_err());
        assert!(draw(DRAW, "s", "L", &ids(&["a\nb"]), 1).is_err());
    }
}
