//! Statuses, outcomes and periods as words and marks. The word carries the meaning; mark and tone
//! only help the eye.

use backstay_engine::{Period, Status, outcome::Outcome, period::Window};

use crate::layout::{Cell, Tone};

/// Mark and tone of a status.
#[must_use]
pub fn mark(status: Status) -> (&'static str, Tone) {
    match status {
        Status::Effective => ("✓", Tone::Good),
        Status::Deficient => ("✗", Tone::Bad),
        Status::Stale => ("~", Tone::Unsure),
        Status::Untested => ("?", Tone::Unsure),
        Status::NotApplicable => ("–", Tone::Quiet),
    }
}

/// A status as a cell: mark and word.
#[must_use]
pub fn status(status: Status) -> Cell {
    let (mark, tone) = mark(status);
    Cell::toned(format!("{mark} {}", status.word()), tone)
}

/// Mark and tone of an outcome.
#[must_use]
pub fn outcome_mark(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Met => ("✓", Tone::Good),
        Outcome::Missed => ("✗", Tone::Bad),
        Outcome::Excluded => ("–", Tone::Quiet),
        Outcome::Gap => ("?", Tone::Unsure),
    }
}

/// A period in short: `2026-10` for a month, `2026-Q3` for a quarter, `2026` for a year, else its
/// days.
#[must_use]
pub fn period(period: Period) -> String {
    let first = period.first;
    let whole = |window: Window| window.around(first).is_ok_and(|whole| whole == period);
    if whole(Window::Month) {
        first.to_string().chars().take(7).collect()
    } else if whole(Window::Quarter) {
        format!("{}-Q{}", first.year(), (first.month() + 2) / 3)
    } else if whole(Window::Year) {
        first.year().to_string()
    } else {
        period.to_string()
    }
}
