//! The seeded generator of the simulation. Owns SplitMix64 and the few draws made from it; it must
//! never be fed from a clock, and no draw may depend on the machine.

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, one output per step. Written here
/// because the simulation's bytes are pinned: no release of an outside crate may change them.
#[derive(Debug, Clone)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// A generator for a seed and a purpose, so that one part's draws never shift another's.
    #[must_use]
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut state = seed ^ 0x6a09_e667_f3bc_c908;
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self { state }
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A whole number from `low` to `high`, both included; `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = high.abs_diff(low).saturating_add(1);
        let drawn = self.next() % span;
        low.saturating_add(i64::try_from(drawn).unwrap_or(0))
    }

    /// True in `share` of a thousand draws.
    pub fn per_mille(&mut self, share: i64) -> bool {
        self.between(0, 999) < share
    }

    /// One of the given, or nothing when there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(from.len()).ok()?.checked_sub(1)?;
        let index = usize::try_from(self.between(0, last)).ok()?;
        from.get(index)
    }

    /// The position of one weight, drawn in proportion to the weights.
    pub fn weighted(&mut self, weights: &[i64]) -> usize {
        let total: i64 = weights.iter().sum();
        let mut left = self.between(0, total.saturating_sub(1));
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Puts a list into a drawn order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for place in (1..list.len()).rev() {
            let high = i64::try_from(place).unwrap_or(0);
            let other = usize::try_from(self.between(0, high)).unwrap_or(0);
            list.swap(place, other);
        }
    }
}

/// The finaliser of SplitMix64.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_draws_and_purposes_are_independent() {
        let draw = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..50).map(|_| dice.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, "cases"), draw(7, "cases"));
        assert_ne!(draw(7, "cases"), draw(7, "reports"));
        assert_ne!(draw(7, "cases"), draw(8, "cases"));
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_both_ends() {
        let mut dice = Dice::new(1, "range");
        let drawn: Vec<i64> = (0..2000).map(|_| dice.between(-3, 3)).collect();
        assert_eq!(drawn.iter().min(), Some(&-3));
        assert_eq!(drawn.iter().max(), Some(&3));
        assert_eq!(dice.between(5, 5), 5);
        assert_eq!(dice.between(5, 4), 5);
    }

    #[test]
    fn weights_of_zero_are_never_drawn() {
        let mut dice = Dice::new(2, "weights");
        assert!((0..500).all(|_| dice.weighted(&[0, 3, 0, 1]) % 2 == 1));
    }
}
