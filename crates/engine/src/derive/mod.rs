//! Derived tables: a fixed set of inputs turned into one table, once, for every control, metric and
//! page. This file owns what a derivation is and the one registry; each derivation has its own file.
//! A derivation is a pure function of its inputs: it knows no SQL, no object and no clock.

mod array;
pub mod backlog_case;
pub mod case;
pub mod case_clock;
pub mod case_day;
pub mod case_handoff;
pub mod case_path;
pub mod clock;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod clock_cases;
mod clock_word;
pub mod coverage_span;
pub mod credit_book;
mod credit_read;
pub mod credit_row;
mod credit_table;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod due_cases;
pub mod due_soon;
pub mod exact;
pub mod exclusion;
pub mod explain;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod feed_cases;
pub mod feed_day;
mod feed_table;
pub mod forecast;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod forecast_cases;
pub mod forecast_ground;
pub mod handover_due;
pub mod holiday_clash;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod hours_cases;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod ladder_cases;
mod ladder_table;
pub mod meeting_share;
pub(crate) mod operator;
pub mod overlap_day;
pub mod quality;
pub(crate) mod register;
pub mod report;
pub mod report_case;
pub mod report_ladder;
pub mod report_row;
mod side;
pub mod team_day;
pub mod terms;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod testing;
pub mod urgent_item;
pub mod warning;
pub mod worktime;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use jiff::civil::Date;

use crate::error::EngineError;

/// Name of the derived table of measured service levels, worked out by the engine from the metric
/// files; see [`crate::measure`] for its columns.
pub const MEASUREMENT: &str = "measurement";

/// The same over every window that ends between the first month of the service credit scheme and the
/// period's end. For derivations; SQL does not see it.
pub const MEASUREMENT_HISTORY: &str = "measurement_history";

/// One derived table.
pub trait Derivation: Send + Sync {
    /// Name in SQL, permanent.
    fn name(&self) -> &'static str;

    /// What a row says, in one sentence.
    fn about(&self) -> &'static str;

    /// Tables without which there is nothing to say: an event table needs its feed, a register
    /// needs a row. May name earlier derivations.
    fn reads(&self) -> &'static [&'static str];

    /// Tables that may be empty, because this derivation itself turns their absence into gaps.
    fn consults(&self) -> &'static [&'static str];

    /// Columns of the result.
    fn schema(&self) -> SchemaRef;

    /// Works the rows out. Order does not matter to SQL; rows should still come in a stable order.
    ///
    /// # Errors
    /// Evidence that contradicts itself beyond what a gap can say, or unreadable objects.
    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError>;
}

/// Where a derivation gets its rows from.
pub trait TableBatches {
    /// All rows of a table as of the manifest, folded, in the columns of
    /// [`backstay_evidence::schema::sql_schema`] (or of an earlier derivation), ordered by record of
    /// the source (`_ref`, then item). Empty when there are none. A register's `valid_to` is the
    /// effective one.
    ///
    /// # Errors
    /// Unknown or undeclared table, unreadable object.
    fn batches(&self, table: &str) -> Result<Vec<RecordBatch>, EngineError>;

    /// Hands on the rows of a table of evidence batch by batch, in any order, with at least the
    /// columns named; for counting what nobody wants to hold.
    ///
    /// # Errors
    /// As [`Self::batches`], or the first error handed back.
    fn each(
        &self,
        table: &str,
        columns: &[&str],
        take: &mut dyn FnMut(&RecordBatch) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        debug_assert!(!columns.is_empty(), "rows without columns cannot be counted");
        self.batches(table)?.iter().try_for_each(take)
    }
}

/// What a derivation may see: one arrangement, one period, one instant.
#[derive(Clone, Copy)]
pub struct DeriveInput<'a> {
    /// Rows.
    pub tables: &'a dyn TableBatches,
    /// Instant up to which things are looked at (microseconds UTC): the earlier of now and the
    /// period's end. Events after it may be there and must be left out.
    pub as_of_us: i64,
    /// Start of the period in the arrangement's zone, as an instant.
    pub period_start_us: i64,
    /// End of the period (half-open).
    pub period_end_us: i64,
    /// First civil day of the period.
    pub period_first: Date,
    /// First civil day after it.
    pub period_after: Date,
    /// The arrangement.
    pub arrangement_id: &'a str,
    /// IANA name of the arrangement's zone.
    pub zone: &'a str,
    /// A calendar that is supposed to be another.
    pub supposed_calendar: Option<&'a CalendarSwap>,
}

/// A supposition: wherever one calendar is named, another is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSwap {
    /// The calendar that is named.
    pub named: String,
    /// The calendar that is meant.
    pub meant: String,
}

/// All derivations, each after those it reads. `measurement` stands outside: it is worked out from
/// the metric files.
#[must_use]
pub fn all() -> Vec<Box<dyn Derivation>> {
    vec![
        Box::new(feed_day::FeedDayTable),
        Box::new(case_clock::CaseClockTable),
        Box::new(case_handoff::CaseHandoffTable),
        Box::new(case_path::CasePathTable),
        Box::new(backlog_case::BacklogCaseTable),
        Box::new(due_soon::DueSoonTable),
        Box::new(forecast::ForecastTable),
        Box::new(ladder_table::ReportLadderTable),
        Box::new(report_case::ReportCaseTable),
        Box::new(overlap_day::OverlapDayTable),
        Box::new(coverage_span::CoverageSpanTable),
        Box::new(holiday_clash::HolidayClashTable),
        Box::new(handover_due::HandoverDueTable),
        Box::new(urgent_item::UrgentItemTable),
        Box::new(meeting_share::MeetingShareTable),
        Box::new(quality::lot_state::LotStateTable),
        Box::new(quality::agreement::AgreementTable),
        Box::new(quality::drift_signal::DriftSignalTable),
        Box::new(quality::drift_point::DriftPointTable),
        Box::new(quality::feedback_item::FeedbackItemTable),
        Box::new(quality::strain_group::StrainGroupTable),
        Box::new(quality::complaint_trend::ComplaintTrendTable),
        Box::new(credit_table::CreditTable),
        Box::new(credit_table::CreditMonthTable),
    ]
}
