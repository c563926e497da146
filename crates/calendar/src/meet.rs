//! Fair times to meet: every possible slot scored by who would sit in it outside working hours, and
//! series in which that burden is shared.
//!
//! Owns the scoring and its order. It must never know a team, a calendar or a zone: working time
//! comes as instants, each side's from its own calendar.
//!
//! # Rules
//! - A slot's burden on one side is its time outside that side's working time.
//! - Of two slots the better one has, in this order: less burden in all, a smaller greatest burden of
//!   one side, less distance from working time (19:00 before 03:00), an earlier start.
//! - A series takes, occurrence by occurrence, the slot after which the squares of the sides' burdens so
//!   far add up to least: who carried much counts more, and nobody is burdened only to be even.

use crate::compare::{total_us, within};
use crate::spans::{Span, intersect_spans, union_spans};

/// A time to meet, scored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Start, microseconds since the epoch UTC.
    pub start_us: i64,
    /// End.
    pub end_us: i64,
    /// Time outside the working time of each side, in the order of the sides, microseconds.
    pub outside_us: Vec<i64>,
    /// How far the slot lies from the nearest working time of each side, microseconds; 0 when it
    /// touches it.
    pub away_us: Vec<i64>,
}

impl Slot {
    /// Time outside working time of all sides together.
    #[must_use]
    pub fn burden_us(&self) -> i64 {
        self.outside_us.iter().sum()
    }

    fn order(&self) -> (i64, i64, i64, i64) {
        let greatest = self.outside_us.iter().copied().max().unwrap_or(0);
        (self.burden_us(), greatest, self.away_us.iter().sum(), self.start_us)
    }
}

/// Every slot of a length that lies wholly in one of the spans `within`, starting on multiples of
/// `step_us` since the epoch, the best first. `open` is the working time of each side, in any order.
/// None when the length or the step is not positive or no span is long enough.
#[must_use]
pub fn meeting_slots(
    open: &[Vec<Span>],
    length_us: i64,
    step_us: i64,
    within: &[Span],
) -> Vec<Slot> {
    let open: Vec<Vec<Span>> = open.iter().map(|spans| union_spans(spans)).collect();
    let mut slots = candidates(&open, length_us, step_us, within);
    slots.sort_by_key(Slot::order);
    slots
}

/// One slot for each occurrence (a week, a month) of a series, in order; an occurrence without room
/// has none. The burden is shared over the series as far as the slots allow.
#[must_use]
pub fn meeting_series(
    open: &[Vec<Span>],
    length_us: i64,
    step_us: i64,
    occurrences: &[Vec<Span>],
) -> Vec<Option<Slot>> {
    let open: Vec<Vec<Span>> = open.iter().map(|spans| union_spans(spans)).collect();
    let mut carried = vec![0_i64; open.len()];
    let mut series = Vec::with_capacity(occurrences.len());
    for spans in occurrences {
        let squares = |slot: &Slot| -> i128 {
            let after = slot.outside_us.iter().zip(&carried).map(|(more, so_far)| more + so_far);
            after.map(|burden| i128::from(burden) * i128::from(burden)).sum()
        };
        let slots = candidates(&open, length_us, step_us, spans);
        let best = slots.into_iter().min_by_key(|slot| (squares(slot), slot.order()));
        if let Some(slot) = &best {
            carried.iter_mut().zip(&slot.outside_us).for_each(|(sum, more)| *sum += more);
        }
        series.push(best);
    }
    series
}

fn candidates(open: &[Vec<Span>], length_us: i64, step_us: i64, spans: &[Span]) -> Vec<Slot> {
    let mut slots = Vec::new();
    if length_us <= 0 || step_us <= 0 {
        return slots;
    }
    for (from, until) in union_spans(spans) {
        let mut start = from + (step_us - from.rem_euclid(step_us)).rem_euclid(step_us);
        while start + length_us <= until {
            slots.push(scored(open, (start, start + length_us)));
            start += step_us;
        }
    }
    slots
}

fn scored(open: &[Vec<Span>], slot: Span) -> Slot {
    let inside =
        |spans: &Vec<Span>| total_us(&intersect_spans(&within(spans, slot.0, slot.1), &[slot]));
    Slot {
        start_us: slot.0,
        end_us: slot.1,
        outside_us: open.iter().map(|spans| slot.1 - slot.0 - inside(spans)).collect(),
        away_us: open.iter().map(|spans| away(spans, slot)).collect(),
    }
}

/// Distance of a slot from the nearest span; of no span at all, the slot's own length, as of one that
/// ends just before it would have begun again.
fn away(spans: &[Span], slot: Span) -> i64 {
    let next = spans.partition_point(|span| span.1 < slot.0);
    let after = spans.get(next).map(|span| (span.0 - slot.1).max(0));
    let before = next.checked_sub(1).and_then(|place| spans.get(place)).map(|span| slot.0 - span.1);
    after.into_iter().chain(before).min().unwrap_or(slot.1 - slot.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_common_hour_comes_first_and_the_earliest_of_equals() {
        let open = [vec![(0, 10)], vec![(4, 14)]];
        let slots = meeting_slots(&open, 2, 1, &[(0, 20)]);
        assert_eq!((slots[0].start_us, slots[0].burden_us()), (4, 0));
        assert_eq!(slots.len(), 19);
        assert_eq!(slots.iter().filter(|slot| slot.burden_us() == 0).count(), 5);
        assert!(slots.windows(2).all(|pair| pair[0].burden_us() <= pair[1].burden_us()));
    }

    #[test]
    fn without_a_common_hour_the_burden_is_split_and_near_hours_go_before_far_ones() {
        let open = [vec![(0, 10)], vec![(10, 20)]];
        let best = &meeting_slots(&open, 4, 1, &[(0, 30)])[0];
        assert_eq!((best.start_us, best.outside_us.as_slice()), (8, &[2, 2][..]));
        let open = [vec![(0, 10)]];
        let out = meeting_slots(&open, 2, 1, &[(10, 30)]);
        assert_eq!((out[0].start_us, out[0].away_us[0]), (10, 0));
        assert_eq!((out[1].start_us, out[1].away_us[0]), (11, 1));
        assert_eq!(away(&[], (3, 5)), 2);
    }

    #[test]
    fn a_series_takes_turns_where_one_side_must_always_give_way() {
        // The two can meet only in the hours of one of them.
        let open = [vec![(0, 10), (100, 110)], vec![(50, 60), (150, 160)]];
        let week = |start: i64| vec![(start, start + 10), (start + 50, start + 60)];
        let series = meeting_series(&open, 10, 1, &[week(0), week(100)]);
        let outside: Vec<_> = series.iter().flatten().map(|slot| slot.outside_us.clone()).collect();
        assert_eq!(outside, [[0, 10], [10, 0]]);
        assert_eq!(meeting_series(&open, 10, 1, &[vec![(0, 5)]]), [None]);
    }

    #[test]
    fn nothing_comes_of_no_length_and_no_step() {
        assert!(meeting_slots(&[], 0, 1, &[(0, 10)]).is_empty());
        assert!(meeting_slots(&[], 1, 0, &[(0, 10)]).is_empty());
        let starts: Vec<i64> =
            meeting_slots(&[], 5, 5, &[(-7, 11)]).iter().map(|slot| slot.start_us).collect();
        assert_eq!(starts, [-5, 0, 5], "multiples of the step, before the epoch too");
    }
}
