//! How often intervals held. Owns the counting of a back-test; it must never leave a forecast out.

/// A forecast beside what came, all in ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Mean foretold.
    pub expected: u32,
    /// Interval.
    pub low: u32,
    /// See `low`.
    pub high: u32,
    /// Cases met of those counted, as it came.
    pub came: (u64, u64),
    /// The naive forecast: cases met of those counted in the window before, when there were any.
    pub before: Option<(u64, u64)>,
}

impl Hit {
    /// Whether what came lies in the interval, compared without rounding.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        let (met, all) = (u128::from(self.came.0) * 10_000, u128::from(self.came.1));
        u128::from(self.low) * all <= met && met <= u128::from(self.high) * all
    }
}

/// What a back-test says, widths and errors in ten-thousandths, half up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score {
    /// Forecasts.
    pub count: u64,
    /// Of which the interval held.
    pub inside: u64,
    /// Mean width of the intervals.
    pub width: u32,
    /// Mean absolute error.
    pub error: u32,
    /// Forecasts with a window before to compare with.
    pub compared: u64,
    /// Mean absolute error of those forecasts.
    pub compared_error: u32,
    /// Mean absolute error of the window before as a forecast.
    pub naive_error: u32,
}

/// Counts up. A forecast of a window in which nothing counted is none and must not be among them.
#[must_use]
pub fn score(hits: &[Hit]) -> Score {
    let compared = || hits.iter().filter(|hit| hit.before.is_some());
    let own = |hit: &Hit| off(u64::from(hit.expected), 10_000, hit.came);
    let naive = |hit: &Hit| hit.before.map_or(0, |(met, all)| off(met, all, hit.came));
    Score {
        count: hits.len() as u64,
        inside: hits.iter().filter(|hit| hit.is_inside()).count() as u64,
        width: mean(hits.iter().map(|hit| u128::from(hit.high - hit.low) * SCALE)),
        error: mean(hits.iter().map(own)),
        compared: compared().count() as u64,
        compared_error: mean(compared().map(own)),
        naive_error: mean(compared().map(naive)),
    }
}

/// Fine enough that rounding each error does not show in a mean.
const SCALE: u128 = 1_000_000;

/// Difference of two ratios, in 10⁻¹⁰.
fn off(met: u64, all: u64, came: (u64, u64)) -> u128 {
    let ratio = |met: u64, all: u64| u128::from(met) * 10_000 * SCALE / u128::from(all.max(1));
    ratio(met, all).abs_diff(ratio(came.0, came.1))
}

fn mean(values: impl Iterator<Item = u128>) -> u32 {
    let (sum, count) = values.fold((0, 0u128), |(sum, count), value| (sum + value, count + 1));
    let half = SCALE * count / 2;
    let mean = (sum + half).checked_div(SCALE * count).unwrap_or_default();
    u32::try_from(mean).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn hit(expected: u32, (low, high): (u32, u32), came: (u64, u64)) -> Hit {
        Hit { expected, low, high, came, before: None }
    }

    #[test]
    fn an_interval_holds_at_its_ends_and_not_a_hair_beyond() {
        assert!(hit(8_000, (8_000, 8_500), (800, 1_000)).is_inside());
        assert!(hit(8_000, (7_500, 8_000), (800, 1_000)).is_inside());
        assert!(!hit(8_000, (8_000, 8_500), (79_999, 100_000)).is_inside());
        assert!(!hit(8_000, (7_500, 8_000), (80_001, 100_000)).is_inside());
    }

    #[test]
    fn coverage_width_and_errors_are_counted_up() {
        let hits = [
            Hit { before: Some((70, 100)), ..hit(8_000, (7_000, 9_000), (85, 100)) },
            hit(9_000, (8_900, 9_101), (1, 2)),
        ];
        let found = score(&hits);
        let wanted = Score {
            count: 2,
            inside: 1,
            width: 1_101,
            error: 2_250,
            compared: 1,
            compared_error: 500,
            naive_error: 1_500,
        };
        assert_eq!(found, wanted);
        assert_eq!(score(&[]), Score::default());
    }
}
