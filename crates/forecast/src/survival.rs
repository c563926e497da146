//! How long lives last when some are still under way: the product-limit estimate (Kaplan and Meier
//! 1958).
//!
//! Owns the curve; it must never take a life that is under way for one that has ended.

// Lives are counted far below what a float holds exactly.
#![allow(clippy::cast_precision_loss)]

/// One life: a case's working time, or its time in pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life {
    /// How long it has lasted, in any unit, not negative.
    pub length: i64,
    /// Whether it has ended; else it lasts at least so long.
    pub ended: bool,
}

/// Chance to last, by length.
#[derive(Debug, Clone)]
pub(crate) struct Survival {
    /// Lengths at which lives ended, ascending, with the chance to last longer.
    steps: Vec<(i64, f64)>,
    /// Half a life of all: no chance is nearer to 0 or 1.
    floor: f64,
    pub(crate) ended: usize,
}

impl Survival {
    pub(crate) fn of(lives: &[Life]) -> Self {
        let mut sorted = lives.to_vec();
        // Of equal lengths, those that ended come first: the others lasted longer.
        sorted.sort_by_key(|life| (life.length, !life.ended));
        let (mut at_risk, mut last) = (sorted.len(), 1.0);
        let mut steps: Vec<(i64, f64)> = Vec::new();
        for life in &sorted {
            if life.ended {
                last *= 1.0 - 1.0 / at_risk as f64;
                match steps.last_mut() {
                    Some(step) if step.0 == life.length => step.1 = last,
                    _ => steps.push((life.length, last)),
                }
            }
            at_risk -= 1;
        }
        let ended = sorted.iter().filter(|life| life.ended).count();
        Self { steps, floor: 0.5 / (sorted.len() as f64 + 1.0), ended }
    }

    /// Chance to last longer than `length`.
    pub(crate) fn beyond(&self, length: i64) -> f64 {
        self.upto(self.steps.partition_point(|(at, _)| *at <= length))
    }

    /// Chance to last at least `length`.
    pub(crate) fn at_least(&self, length: i64) -> f64 {
        self.upto(self.steps.partition_point(|(at, _)| *at < length))
    }

    fn upto(&self, count: usize) -> f64 {
        let place = count.checked_sub(1);
        place.and_then(|place| self.steps.get(place)).map_or(1.0, |(_, chance)| *chance)
    }

    /// Chance to end by `length`, never quite impossible nor sure.
    pub(crate) fn ends_by(&self, length: i64) -> f64 {
        (1.0 - self.beyond(length)).clamp(self.floor, 1.0 - self.floor)
    }

    /// Chance to end before `length`; nothing ends before it began.
    pub(crate) fn ends_before(&self, length: i64) -> f64 {
        (1.0 - self.at_least(length)).min(1.0 - self.floor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Remission times of the treated group of Freireich and others (1963), the usual textbook
    /// example; the estimates beside them are those of the textbooks.
    #[test]
    fn the_textbook_example_comes_out() {
        let ended = [6, 6, 6, 7, 10, 13, 16, 22, 23];
        let under_way = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
        let life = |ended: bool| move |length: &i64| Life { length: *length, ended };
        let lives: Vec<Life> =
            ended.iter().map(life(true)).chain(under_way.iter().map(life(false))).collect();
        let curve = Survival::of(&lives);
        let known = [
            (6, 0.857),
            (7, 0.807),
            (10, 0.753),
            (13, 0.690),
            (16, 0.627),
            (22, 0.538),
            (23, 0.448),
        ];
        for (at, chance) in known {
            assert!((curve.beyond(at) - chance).abs() < 0.0006, "{at} {}", curve.beyond(at));
        }
        assert_eq!(curve.ended, 9);
        assert!((curve.at_least(7) - 0.857).abs() < 0.0006);
        assert!((curve.beyond(100) - 0.448).abs() < 0.0006, "it does not fall where nothing ends");
    }

    #[test]
    fn nothing_is_impossible_and_nothing_sure() {
        let lives = vec![Life { length: 5, ended: true }; 9];
        let curve = Survival::of(&lives);
        assert_eq!(curve.ends_by(4), 0.05);
        assert_eq!(curve.ends_by(5), 0.95);
        assert_eq!(curve.ends_before(5), 0.0);
        assert_eq!(Survival::of(&[]).beyond(3), 1.0);
    }
}
