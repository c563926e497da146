//! Two calendars side by side: the time that one works and the other does not, day by day.
//!
//! Owns the difference of two sets of open time. It must never say which of the two is right.

use jiff::civil::Date;

use crate::spans::{Span, intersect_spans, uncovered_spans};
use crate::zone::{LocalTimeError, Zone};

/// One civil day on which two calendars differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayDifference {
    /// The day.
    pub date: Date,
    /// Open in the second and closed in the first, microseconds.
    pub gained_us: i64,
    /// Open in the first and closed in the second, microseconds.
    pub lost_us: i64,
}

/// The civil days of `[first, after)` on which the second list of open time differs from the first,
/// in order. A day of 23 or 25 hours is one day. Either list may come in any order.
///
/// # Errors
/// [`LocalTimeError::OutOfRange`] only.
pub fn compare_by_day(
    zone: &Zone,
    first_open: &[Span],
    second_open: &[Span],
    (first, after): (Date, Date),
) -> Result<Vec<DayDifference>, LocalTimeError> {
    let gained = uncovered_spans(second_open, first_open);
    let lost = uncovered_spans(first_open, second_open);
    let mut found = Vec::new();
    let (mut date, mut start) = (first, zone.day_start_us(first)?);
    while date < after {
        let Ok(next) = date.tomorrow() else { break };
        let end = zone.day_start_us(next)?;
        let of = |spans: &[Span]| {
            total_us(&intersect_spans(&within(spans, start, end), &[(start, end)]))
        };
        let day = DayDifference { date, gained_us: of(&gained), lost_us: of(&lost) };
        if day.gained_us > 0 || day.lost_us > 0 {
            found.push(day);
        }
        (date, start) = (next, end);
    }
    Ok(found)
}

/// The time in a list of disjoint spans, microseconds.
#[must_use]
pub fn total_us(spans: &[Span]) -> i64 {
    spans.iter().map(|(start, end)| end - start).sum()
}

/// Those of the sorted, disjoint spans that touch `[start, end)`.
pub(crate) fn within(spans: &[Span], start: i64, end: i64) -> Vec<Span> {
    let from = spans.partition_point(|span| span.1 <= start);
    spans.iter().skip(from).take_while(|span| span.0 < end).copied().collect()
}
