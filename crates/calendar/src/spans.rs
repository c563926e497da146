//! Sets of instants as sorted, disjoint, half-open spans; overlap and coverage.
//!
//! Owns set arithmetic on instants. Windows never come here: each calendar has turned its own into
//! instants in its own zone first, for windows of two zones have nothing in common before that.

use crate::calendar::Calendar;
use crate::error::CoverGap;

/// A half-open span of time `(start, end)`, in microseconds since the Unix epoch UTC.
pub type Span = (i64, i64);

/// The spans of `[start_us, end_us)` in which every one of the calendars is open.
///
/// # Errors
/// [`CoverGap::NoCalendar`] without calendars, else the gap of the first calendar that does not cover
/// the interval.
pub fn overlap(calendars: &[&Calendar], start_us: i64, end_us: i64) -> Result<Vec<Span>, CoverGap> {
    let (first, others) = calendars.split_first().ok_or(CoverGap::NoCalendar)?;
    let mut common: Vec<Span> = first.spans(start_us, end_us)?.collect();
    for calendar in others {
        let open: Vec<Span> = calendar.spans(start_us, end_us)?.collect();
        common = intersect_sorted(&common, &open);
    }
    Ok(common)
}

/// The time that lies in any of the spans; the spans may come in any order and overlap. Spans that
/// touch become one, empty and reversed ones hold no time.
#[must_use]
pub fn union_spans(spans: &[Span]) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans.iter().copied().filter(|(start, end)| start < end).collect();
    sorted.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

/// The time that lies in both; either list may come in any order and overlap itself.
#[must_use]
pub fn intersect_spans(left: &[Span], right: &[Span]) -> Vec<Span> {
    intersect_sorted(&union_spans(left), &union_spans(right))
}

/// The promised time that no worked span covers: the holes in service hours. Either list may come in
/// any order and overlap itself.
#[must_use]
pub fn uncovered_spans(promised: &[Span], worked: &[Span]) -> Vec<Span> {
    let worked = union_spans(worked);
    let mut holes = Vec::new();
    let mut first = 0;
    for (start, end) in union_spans(promised) {
        let mut from = start;
        while worked.get(first).is_some_and(|span| span.1 <= start) {
            first += 1;
        }
        for &(covered_start, covered_end) in worked.iter().skip(first) {
            if covered_start >= end {
                break;
            }
            if from < covered_start {
                holes.push((from, covered_start));
            }
            from = covered_end;
        }
        if from < end {
            holes.push((from, end));
        }
    }
    holes
}

fn intersect_sorted(left: &[Span], right: &[Span]) -> Vec<Span> {
    let mut common = Vec::new();
    let (mut lefts, mut rights) =
        (left.iter().copied().peekable(), right.iter().copied().peekable());
    while let (Some(&a), Some(&b)) = (lefts.peek(), rights.peek()) {
        let (start, end) = (a.0.max(b.0), a.1.min(b.1));
        if start < end {
            common.push((start, end));
        }
        if a.1 <= b.1 {
            lefts.next();
        } else {
            rights.next();
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn union_joins_touching_spans_and_drops_empty_ones() {
        assert_eq!(
            union_spans(&[(5, 7), (1, 3), (3, 4), (6, 6), (9, 8), (6, 8)]),
            [(1, 4), (5, 8)]
        );
        assert_eq!(union_spans(&[]), []);
    }

    #[test]
    fn intersection_needs_both_and_touching_is_not_sharing() {
        assert_eq!(
            intersect_spans(&[(0, 4), (6, 9)], &[(4, 6), (3, 5), (8, 12)]),
            [(3, 4), (8, 9)]
        );
        assert_eq!(intersect_spans(&[(0, 4)], &[(4, 8)]), []);
    }

    #[test]
    fn a_promise_without_workers_is_one_hole() {
        assert_eq!(uncovered_spans(&[(0, 10)], &[]), [(0, 10)]);
        assert_eq!(uncovered_spans(&[], &[(0, 10)]), []);
    }

    #[test]
    fn holes_are_found_before_between_and_after_shifts_and_across_promises() {
        assert_eq!(uncovered_spans(&[(0, 10)], &[(6, 8), (2, 4)]), [(0, 2), (4, 6), (8, 10)]);
        assert_eq!(uncovered_spans(&[(0, 10), (20, 30)], &[(5, 25)]), [(0, 5), (25, 30)]);
        assert_eq!(uncovered_spans(&[(0, 10), (12, 14)], &[(0, 11), (11, 13)]), [(13, 14)]);
        assert_eq!(uncovered_spans(&[(0, 10)], &[(0, 5), (5, 10)]), []);
    }

    #[test]
    fn no_calendar_is_a_gap_and_not_round_the_clock() {
        assert_eq!(overlap(&[], 0, 10), Err(CoverGap::NoCalendar));
    }
}
