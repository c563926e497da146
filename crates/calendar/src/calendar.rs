//! The compiled calendar and its questions.
//!
//! Owns the public answers and their gaps. It must never answer outside its cover.

use crate::compile::compile;
use crate::error::{CalendarError, CoverGap};
use crate::holiday::Holiday;
use crate::index::{Run, WorkIndex};
use crate::spans::Span;
use crate::spec::CalendarSpec;
use crate::zone::Zone;

/// Working time of one site or one promise, ready for questions.
///
/// Every instant is microseconds since the Unix epoch UTC, every amount of work microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: Zone,
    pub(crate) index: WorkIndex,
    holidays: Vec<Holiday>,
}

impl Calendar {
    /// Turns terms into open time: day by day in the calendar's zone, merged after conversion.
    ///
    /// # Errors
    /// [`CalendarError`] when the terms contradict themselves, name an unknown zone, hold no window at
    /// all, or cover nothing.
    pub fn compile(spec: &CalendarSpec) -> Result<Calendar, CalendarError> {
        let compiled = compile(spec)?;
        let (from, until) = compiled.cover;
        let index = WorkIndex::new(from, until, &compiled.open);
        Ok(Calendar { zone: compiled.zone, index, holidays: compiled.holidays })
    }

    /// The zone whose civil time the windows are.
    #[must_use]
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// First instant covered and first instant no longer covered.
    #[must_use]
    pub fn cover(&self) -> Span {
        (self.index.origin(), self.index.end())
    }

    /// Whether all of `[start_us, end_us)` is covered.
    #[must_use]
    pub fn covers(&self, start_us: i64, end_us: i64) -> bool {
        self.index.origin() <= start_us && start_us <= end_us && end_us <= self.index.end()
    }

    /// The holiday rows inside cover that decide a date, in order of date. Rows of kinds that do not
    /// stop the clock, and rows that a stronger one beats, are not among them.
    #[must_use]
    pub fn deciding_holidays(&self) -> &[Holiday] {
        &self.holidays
    }

    /// Working time in `[start_us, end_us)`.
    ///
    /// # Errors
    /// [`CoverGap::OutsideCover`] when any part lies outside cover, [`CoverGap::Reversed`] when the end
    /// lies before the start.
    #[inline]
    pub fn working_us(&self, start_us: i64, end_us: i64) -> Result<i64, CoverGap> {
        if start_us <= end_us
            && let (Some(before), Some(after)) =
                (self.index.worked_before(start_us), self.index.worked_before(end_us))
        {
            return Ok(after - before);
        }
        Err(self.interval_gap(start_us, end_us))
    }

    /// Working time from the start of cover to `at_us`: the difference of two of these is the working
    /// time between them, so a chain of instants needs one look-up each.
    ///
    /// # Errors
    /// [`CoverGap::OutsideCover`].
    #[inline]
    pub fn worked_before_us(&self, at_us: i64) -> Result<i64, CoverGap> {
        self.index.worked_before(at_us).ok_or_else(|| self.interval_gap(at_us, at_us))
    }

    /// The earliest instant by which `work_us` has been worked from `start_us` on.
    ///
    /// No work gives `start_us` itself, even when the calendar is closed then. Work that is done
    /// exactly when a window closes gives that close, not the next opening.
    ///
    /// # Errors
    /// [`CoverGap`] when the start is not covered, the work is negative, or the cover ends before the
    /// work is done.
    pub fn add_working_us(&self, start_us: i64, work_us: i64) -> Result<i64, CoverGap> {
        self.check_work(start_us, work_us)?;
        self.index.add(start_us, work_us).ok_or_else(|| self.runs_out(start_us, work_us))
    }

    /// The latest instant from which `work_us` is still worked until `end_us`: when to warn before a
    /// deadline.
    ///
    /// No work gives `end_us` itself. Work that fills whole windows gives the opening of the first of
    /// them, not the close before it.
    ///
    /// # Errors
    /// [`CoverGap`] when the end is not covered, the work is negative, or the cover begins after the
    /// work must.
    pub fn subtract_working_us(&self, end_us: i64, work_us: i64) -> Result<i64, CoverGap> {
        self.check_work(end_us, work_us)?;
        self.index.subtract(end_us, work_us).ok_or_else(|| self.runs_out(end_us, work_us))
    }

    /// Whether the calendar is open at an instant. It is at an opening, it is not at a close.
    ///
    /// # Errors
    /// [`CoverGap::OutsideCover`], also at the very end of cover: that instant belongs to the unknown.
    pub fn is_open(&self, at_us: i64) -> Result<bool, CoverGap> {
        Ok(self.run_at(at_us)?.end > at_us)
    }

    /// The earliest open instant at or after `at_us`; `at_us` itself when it is open. An escalation
    /// sent then reaches somebody.
    ///
    /// # Errors
    /// [`CoverGap::OutsideCover`]; [`CoverGap::NotOpenAgain`] when no opening follows within cover.
    pub fn next_open(&self, at_us: i64) -> Result<i64, CoverGap> {
        self.run_at(at_us)?;
        let run = self.index.runs_from(at_us).iter().find(|run| run.end > at_us);
        run.map(|run| run.start.max(at_us))
            .ok_or(CoverGap::NotOpenAgain { from_us: at_us, covered_until_us: self.index.end() })
    }

    /// The open spans inside `[start_us, end_us)`, cut to it, in order.
    ///
    /// # Errors
    /// As [`Calendar::working_us`].
    pub fn spans(&self, start_us: i64, end_us: i64) -> Result<OpenSpans<'_>, CoverGap> {
        if !self.covers(start_us, end_us) {
            return Err(self.interval_gap(start_us, end_us));
        }
        Ok(OpenSpans { runs: self.index.runs_from(start_us).iter(), start_us, end_us })
    }

    pub(crate) fn interval_gap(&self, start_us: i64, end_us: i64) -> CoverGap {
        if start_us > end_us {
            return CoverGap::Reversed { start_us, end_us };
        }
        let (covered_from_us, covered_until_us) = self.cover();
        CoverGap::OutsideCover { start_us, end_us, covered_from_us, covered_until_us }
    }

    fn run_at(&self, at_us: i64) -> Result<Run, CoverGap> {
        let gap = || self.interval_gap(at_us, at_us);
        if at_us >= self.index.end() {
            return Err(gap());
        }
        self.index.runs_from(at_us).first().copied().ok_or_else(gap)
    }

    fn check_work(&self, at_us: i64, work_us: i64) -> Result<(), CoverGap> {
        if !self.covers(at_us, at_us) {
            return Err(self.interval_gap(at_us, at_us));
        }
        if work_us < 0 { Err(CoverGap::NegativeWork { work_us }) } else { Ok(()) }
    }

    fn runs_out(&self, from_us: i64, work_us: i64) -> CoverGap {
        let (covered_from_us, covered_until_us) = self.cover();
        CoverGap::RunsOut { from_us, work_us, covered_from_us, covered_until_us }
    }
}

/// The open spans of an interval; see [`Calendar::spans`].
#[derive(Debug, Clone)]
pub struct OpenSpans<'a> {
    runs: std::slice::Iter<'a, Run>,
    start_us: i64,
    end_us: i64,
}

impl Iterator for OpenSpans<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        for run in self.runs.by_ref() {
            if run.start >= self.end_us {
                return None;
            }
            let (start, end) = (run.start.max(self.start_us), run.end.min(self.end_us));
            if start < end {
                return Some((start, end));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_may_be_asked_from_many_threads() {
        fn shared<T: Send + Sync + 'static>() {}
        shared::<Calendar>();
    }
}
