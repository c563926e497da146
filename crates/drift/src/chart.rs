//! p and u charts with varying denominators.
//!
//! Owns the baseline, fixed from an agreed period, and how far a count lies from it. It must never
//! move the baseline with the series.

#![allow(clippy::cast_precision_loss)]

/// A count with what it is out of: defective items of items (p), or defects per opportunity (u).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Found.
    pub found: u64,
    /// Out of.
    pub of: u64,
}

/// The law of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Items that are or are not defective: binomial, p chart.
    Share,
    /// Defects of which an item may have several: Poisson, u chart.
    Rate,
}

/// The level that later counts are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    /// All counts of the baseline period together.
    pub count: Count,
    /// Law.
    pub law: Law,
}

impl Baseline {
    /// From the counts of the agreed period. None when nothing was counted, nothing was found, or
    /// everything: then there is no spread to measure by.
    #[must_use]
    pub fn fix(counts: &[Count], law: Law) -> Option<Self> {
        let sum = counts.iter().fold(Count { found: 0, of: 0 }, |sum, count| Count {
            found: sum.found + count.found,
            of: sum.of + count.of,
        });
        let spread = sum.found > 0 && (law == Law::Rate || sum.found < sum.of);
        (sum.of > 0 && spread).then_some(Self { count: sum, law })
    }

    /// Found per one.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.count.found as f64 / self.count.of as f64
    }

    /// Standard deviation of a count out of `of`.
    #[must_use]
    pub fn deviation(&self, of: u64) -> f64 {
        let level = self.level();
        let one = match self.law {
            Law::Share => level * (1.0 - level),
            Law::Rate => level,
        };
        libm::sqrt(of as f64 * one)
    }

    /// How many standard deviations a count lies above the baseline; nothing when it is out of none.
    #[must_use]
    pub fn standardised(&self, count: Count) -> Option<f64> {
        let deviation = self.deviation(count.of);
        let expected = count.of as f64 * self.level();
        (deviation > 0.0).then(|| (count.found as f64 - expected) / deviation)
    }

    /// Limits of three standard deviations for a count out of `of`, as millionths per one; the lower
    /// one never below nought.
    #[must_use]
    pub fn limits_millionths(&self, of: u64) -> Option<(u64, u64)> {
        if of == 0 {
            return None;
        }
        let (level, reach) = (self.level(), 3.0 * self.deviation(of) / of as f64);
        Some((millionths(level - reach), millionths(level + reach)))
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn millionths(value: f64) -> u64 {
    libm::round(value.max(0.0) * 1e6) as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const COUNTS: [Count; 2] = [Count { found: 6, of: 300 }, Count { found: 4, of: 100 }];

    #[test]
    fn the_level_is_the_ratio_of_sums_and_not_the_mean_of_ratios() {
        let baseline = Baseline::fix(&COUNTS, Law::Share).unwrap();
        assert_eq!(baseline.count, Count { found: 10, of: 400 });
        assert!((baseline.level() - 0.025).abs() < 1e-15);
    }

    #[test]
    fn limits_widen_as_the_denominator_shrinks() {
        let p = Baseline::fix(&COUNTS, Law::Share).unwrap();
        // 0.025 ± 3·√(0.025·0.975/n)
        assert_eq!(p.limits_millionths(400), Some((1_581, 48_419)));
        assert_eq!(p.limits_millionths(100), Some((0, 71_837)));
        let u = Baseline::fix(&COUNTS, Law::Rate).unwrap();
        assert_eq!(u.limits_millionths(100), Some((0, 72_434)));
        assert_eq!(u.limits_millionths(0), None);
    }

    #[test]
    fn a_baseline_without_spread_is_none() {
        assert_eq!(Baseline::fix(&[], Law::Share), None);
        assert_eq!(Baseline::fix(&[Count { found: 0, of: 90 }], Law::Rate), None);
        assert_eq!(Baseline::fix(&[Count { found: 90, of: 90 }], Law::Share), None);
        assert!(Baseline::fix(&[Count { found: 90, of: 90 }], Law::Rate).is_some());
    }

    #[test]
    fn a_count_at_its_expectation_lies_at_nought() {
        let baseline = Baseline::fix(&COUNTS, Law::Share).unwrap();
        assert_eq!(baseline.standardised(Count { found: 5, of: 200 }), Some(0.0));
        assert!(baseline.standardised(Count { found: 6, of: 200 }).unwrap() > 0.0);
        assert_eq!(baseline.standardised(Count { found: 0, of: 0 }), None);
    }
}
