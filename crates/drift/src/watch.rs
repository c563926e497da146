//! Watching a series of counts: CUSUM and EWMA over standardised counts, from the first period after
//! the baseline on.
//!
//! Owns the two rules and when a shift began. It must never leave out or reorder a period; a period
//! out of which nothing was counted moves nothing.

#![allow(clippy::cast_precision_loss)]

use crate::{
    chart::{Baseline, Count, Law},
    run_length,
};

/// A rule that signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// CUSUM with k = 0.5 and h = 4 on each side: made for shifts of one standard deviation.
    Cusum,
    /// EWMA with λ = 0.2 and limits of 2.86 long-run standard deviations: sees slow drifts.
    Ewma,
}

/// Reference value of the CUSUM, in standard deviations.
pub const K: f64 = 0.5;
/// Limit of the CUSUM.
pub const H: f64 = 4.0;
/// Weight of the newest value in the EWMA.
pub const LAMBDA: f64 = 0.2;
/// Limit of the EWMA, in its long-run standard deviations.
pub const LIMIT: f64 = 2.86;

impl Rule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cusum, Self::Ewma];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cusum => "cusum",
            Self::Ewma => "ewma",
        }
    }
}

/// Where the series went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More was found.
    Up,
    /// Less was found.
    Down,
}

/// What a rule says after a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The rule's value in thousandths: the larger of both sums for the CUSUM (the lower one negative),
    /// the mean in its long-run standard deviations for the EWMA.
    pub value_thousandths: i64,
    /// Whether it is beyond its limit.
    pub signal: Option<Direction>,
    /// Index of the period in which the present run away from the baseline began.
    pub since: usize,
}

/// A series under watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Rule.
    pub rule: Rule,
    /// One point for each period.
    pub points: Vec<Point>,
    /// Periods between two false alarms on average, for counts out of the mean number watched (for
    /// those of the baseline when nothing was watched), rounded down; none when it cannot be told.
    pub false_alarm_every: Option<u64>,
}

impl Watch {
    /// Watches a series against a baseline.
    #[must_use]
    pub fn over(rule: Rule, baseline: &Baseline, series: &[Count]) -> Self {
        let points = match rule {
            Rule::Cusum => cusum(baseline, series),
            Rule::Ewma => ewma(baseline, series),
        };
        Self { rule, points, false_alarm_every: false_alarm(rule, baseline, series) }
    }

    /// The signal standing after the last period, with the index of the period since when.
    #[must_use]
    pub fn standing(&self) -> Option<(Direction, usize)> {
        let last = self.points.last()?;
        last.signal.map(|direction| (direction, last.since))
    }
}

fn cusum(baseline: &Baseline, series: &[Count]) -> Vec<Point> {
    let (mut up, mut down) = (0.0_f64, 0.0_f64);
    let (mut up_since, mut down_since) = (0, 0);
    let mut points = Vec::with_capacity(series.len());
    for (place, count) in series.iter().enumerate() {
        if let Some(value) = baseline.standardised(*count) {
            if up == 0.0 {
                up_since = place;
            }
            if down == 0.0 {
                down_since = place;
            }
            up = (up + value - K).max(0.0);
            down = (down - value - K).max(0.0);
        }
        let is_up = up >= down;
        let (sum, since) = if is_up { (up, up_since) } else { (down, down_since) };
        let direction = if is_up { Direction::Up } else { Direction::Down };
        points.push(Point {
            value_thousandths: thousandths(if is_up { up } else { -down }),
            signal: (sum > H).then_some(direction),
            since,
        });
    }
    points
}

fn ewma(baseline: &Baseline, series: &[Count]) -> Vec<Point> {
    let spread = libm::sqrt(LAMBDA / (2.0 - LAMBDA));
    let (mut mean, mut since) = (0.0_f64, 0);
    let mut points = Vec::with_capacity(series.len());
    for (place, count) in series.iter().enumerate() {
        if let Some(value) = baseline.standardised(*count) {
            let next = (1.0 - LAMBDA) * mean + LAMBDA * value;
            if mean == 0.0 || (next > 0.0) != (mean > 0.0) {
                since = place;
            }
            mean = next;
        }
        let value = mean / spread;
        let direction = if value > 0.0 { Direction::Up } else { Direction::Down };
        points.push(Point {
            value_thousandths: thousandths(value),
            signal: (value.abs() > LIMIT).then_some(direction),
            since,
        });
    }
    points
}

/// The law of the counts themselves where it is the binomial one, and else that of normal values.
fn false_alarm(rule: Rule, baseline: &Baseline, series: &[Count]) -> Option<u64> {
    /// Above this many items the counts are as good as normal.
    const MANY: u64 = 2000;
    let counted: Vec<u64> = series.iter().map(|count| count.of).filter(|of| *of > 0).collect();
    let mean = match counted.len() as u64 {
        0 => baseline.count.of,
        periods => counted.iter().sum::<u64>() / periods,
    };
    let length = if baseline.law == Law::Rate || mean > MANY {
        match rule {
            Rule::Cusum => run_length::cusum_two_sided(K, H, 0.0),
            Rule::Ewma => run_length::ewma(LAMBDA, LIMIT, 0.0),
        }
    } else {
        let law = run_length::binomial(mean, baseline.level());
        match rule {
            Rule::Cusum => both_sides(&law),
            Rule::Ewma => run_length::ewma_over(&law, LAMBDA, LIMIT),
        }
    };
    length.map(whole)
}

fn both_sides(law: &[(f64, f64)]) -> Option<f64> {
    let turned: Vec<(f64, f64)> = law.iter().map(|(value, share)| (-value, *share)).collect();
    let rate =
        |law: &[(f64, f64)]| run_length::cusum_over(law, K, H).map_or(0.0, |length| 1.0 / length);
    let sum = rate(law) + rate(&turned);
    (sum > 0.0).then(|| 1.0 / sum)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(length: f64) -> u64 {
    length as u64
}

#[allow(clippy::cast_possible_truncation)]
fn thousandths(value: f64) -> i64 {
    libm::round(value * 1000.0) as i64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Two per cent, out of thousands.
    fn baseline() -> Baseline {
        Baseline::fix(&[Count { found: 200, of: 10_000 }], Law::Share).unwrap()
    }

    fn of_250(found: &[u64]) -> Vec<Count> {
        found.iter().map(|found| Count { found: *found, of: 250 }).collect()
    }

    #[test]
    fn a_steady_series_gives_no_signal() {
        for rule in Rule::ALL {
            let watch = Watch::over(rule, &baseline(), &of_250(&[5, 6, 4, 5, 7, 3, 5, 5, 6, 4]));
            assert!(watch.points.iter().all(|point| point.signal.is_none()), "{watch:?}");
            assert_eq!(watch.standing(), None);
        }
    }

    #[test]
    fn a_rise_is_signalled_with_the_period_in_which_it_began() {
        let series = of_250(&[5, 4, 5, 5, 9, 9, 10, 9, 9, 9]);
        for rule in Rule::ALL {
            let watch = Watch::over(rule, &baseline(), &series);
            assert_eq!(watch.standing(), Some((Direction::Up, 4)), "{watch:?}");
        }
    }

    #[test]
    fn a_fall_is_told_apart_from_a_rise() {
        for rule in Rule::ALL {
            let watch = Watch::over(rule, &baseline(), &of_250(&[0; 12]));
            assert_eq!(watch.standing(), Some((Direction::Down, 0)));
            assert!(watch.points[11].value_thousandths < 0);
        }
    }

    #[test]
    fn sums_are_those_reckoned_by_hand() {
        // Deviation of 250 at 2 %: √4.9 = 2.21359; (8 − 5)/2.21359 = 1.35526.
        let watch = Watch::over(Rule::Cusum, &baseline(), &of_250(&[8, 8, 5]));
        let values: Vec<i64> = watch.points.iter().map(|point| point.value_thousandths).collect();
        assert_eq!(values, [855, 1711, 1211]);
        // Z = 0.2·1.35526 = 0.271052; ÷ √(0.2/1.8) = 1/3.
        let watch = Watch::over(Rule::Ewma, &baseline(), &of_250(&[8]));
        assert_eq!(watch.points[0].value_thousandths, 813);
    }

    #[test]
    fn a_period_out_of_which_nothing_was_counted_moves_nothing() {
        let mut series = of_250(&[8, 8]);
        series.insert(1, Count { found: 0, of: 0 });
        let watch = Watch::over(Rule::Cusum, &baseline(), &series);
        let values: Vec<i64> = watch.points.iter().map(|point| point.value_thousandths).collect();
        assert_eq!(values, [855, 855, 1711]);
    }

    #[test]
    fn the_false_alarm_rate_is_that_of_the_counts_watched() {
        let many = Count { found: 400, of: 20_000 };
        let normal = Watch::over(Rule::Cusum, &baseline(), &[many]).false_alarm_every.unwrap();
        assert!((167..=168).contains(&normal), "{normal}");
        let smooth = Watch::over(Rule::Ewma, &baseline(), &[many]).false_alarm_every.unwrap();
        assert!((360..=380).contains(&smooth), "{smooth}");
        let few = Watch::over(Rule::Cusum, &baseline(), &of_250(&[5])).false_alarm_every.unwrap();
        // 4,000 simulated series of these counts gave 174 on average.
        assert!((160..=180).contains(&few), "{few}");
    }
}
