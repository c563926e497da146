//! Derived table `case_clock`: one row per case, service level and segment; the one place from which
//! metrics, ladders and pages take working time.
//!
//! Owns the columns; the arithmetic is in [`super::clock`]. It must never add a row for a service
//! level that does not apply to the case.
//!
//! | column | |
//! |---|---|
//! | `arrangement_id`, `service_level_id`, `metric`, `case_id` | what is measured |
//! | `segment` | 1, 2, 3 … within case and service level |
//! | `started_at`, `ended_at`, `is_open` | half-open; the open segment ends at the instant looked at |
//! | `state`, `site_id`, `calendar_id`, `team_id`, `priority` | what held in the segment |
//! | `clock` | `running`, `paused`, `stopped`, `gap` |
//! | `working_us`, `paused_us` | working time while running, while paused (null when unknown) |
//! | `elapsed_us` | counted up to the end of the segment, for update since the last update; null from the first gap on |
//! | `threshold_us` | working time allowed |
//! | `is_last` | true on one row per case and service level |
//!
//! and, the same on every row of a case and service level:
//!
//! | column | |
//! |---|---|
//! | `opened_at`, `clock_started_at`, `closed_at` | null while not started, not done |
//! | `total_us` | working time counted, for update the longest between two; null with a gap |
//! | `due_at` | deadline; null when it cannot be known, or there is none |
//! | `counted_at` | instant that puts the case into a window by the service level's `counts_in`; null when that instant has not come or cannot be known |
//! | `outcome` | `met`, `missed`, `open`, `overdue`, `gap` |
//! | `excluded_reason` | of an accepted exclusion that the service level allows |
//! | `exclusion_refused` | why the case counts although somebody asked to leave it out |
//! | `gap_reason` | what is missing |
//! | `incomplete` | rows of the case are in quarantine |
//! | `terms_ref` | record of the service level's version that applied |
//!
//! `_ref` is the event that starts the segment.

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    clock::{self, CaseClock, Choice, Segment},
    terms::Terms,
};
use crate::error::EngineError;

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct CaseClockTable;

/// Its name.
pub const NAME: &str = "case_clock";

pub(super) const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("metric", Kind::Text),
    ("case_id", Kind::Text),
    ("segment", Kind::Integer),
    ("started_at", Kind::Instant),
    ("ended_at", Kind::Instant),
    ("is_open", Kind::Flag),
    ("state", Kind::Text),
    ("site_id", Kind::Text),
    ("calendar_id", Kind::Text),
    ("team_id", Kind::Text),
    ("priority", Kind::Text),
    ("clock", Kind::Text),
    ("working_us", Kind::Integer),
    ("paused_us", Kind::Integer),
    ("elapsed_us", Kind::Integer),
    ("threshold_us", Kind::Integer),
    ("is_last", Kind::Flag),
    ("opened_at", Kind::Instant),
    ("clock_started_at", Kind::Instant),
    ("closed_at", Kind::Instant),
    ("total_us", Kind::Integer),
    ("due_at", Kind::Instant),
    ("counted_at", Kind::Instant),
    ("outcome", Kind::Text),
    ("excluded_reason", Kind::Text),
    ("exclusion_refused", Kind::Text),
    ("gap_reason", Kind::Text),
    ("incomplete", Kind::Flag),
    ("terms_ref", Kind::Integer),
    ("_ref", Kind::Integer),
];

impl Derivation for CaseClockTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Working time of each case under each service level that applies to it, segment by segment."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event", "service_level"]
    }

    fn consults(&self) -> &'static [&'static str] {
        super::terms::CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let terms = Terms::read(input)?;
        let cases = case::read(&input.tables.batches("case_event")?)?;
        let clocks = clocks(&terms, &cases, input.as_of_us, &Choice::default());
        table(input.arrangement_id, &terms, &clocks, self.schema())
    }
}

/// The clocks of all cases under all service levels, by service level, then case.
#[must_use]
pub fn clocks<'a>(
    terms: &'a Terms,
    cases: &'a [Case],
    as_of_us: i64,
    choice: &Choice<'_>,
) -> Vec<(&'a Case, CaseClock<'a>)> {
    let mut found = Vec::new();
    for versions in terms.service_levels.values() {
        let of_case = |case: &'a Case| {
            Some((case, clock::case_clock(terms, versions, case, as_of_us, choice)?))
        };
        found.extend(cases.iter().filter_map(of_case));
    }
    found
}

/// One segment with the clock and the case that it belongs to.
struct Row<'a> {
    case: &'a Case,
    clock: &'a CaseClock<'a>,
    segment: &'a Segment,
    number: usize,
    gap: Option<&'a str>,
    incomplete: bool,
}

fn table(
    arrangement_id: &str,
    terms: &Terms,
    clocks: &[(&Case, CaseClock<'_>)],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let gaps: Vec<Option<String>> =
        clocks.iter().map(|(_, clock)| clock.gap.as_ref().map(ToString::to_string)).collect();
    let rows = || {
        clocks.iter().zip(&gaps).flat_map(|((case, clock), gap)| {
            let incomplete = terms.quarantined(&case.id).is_some();
            clock.segments.iter().enumerate().map(move |(n, segment)| Row {
                case,
                clock,
                segment,
                number: n + 1,
                gap: gap.as_deref(),
                incomplete,
            })
        })
    };
    let arrays = vec![
        array::texts(rows().map(|_| Some(arrangement_id))),
        array::texts(rows().map(|row| Some(row.clock.level.id.as_ref()))),
        array::texts(rows().map(|row| Some(row.clock.level.metric_id.as_ref()))),
        array::texts(rows().map(|row| Some(row.case.id.as_ref()))),
        array::integers(rows().map(|row| i64::try_from(row.number).ok())),
        array::instants(rows().map(|row| Some(row.segment.start_us))),
        array::instants(rows().map(|row| Some(row.segment.end_us))),
        array::flags(rows().map(|row| Some(row.segment.is_open))),
        array::texts(rows().map(|row| row.segment.state.as_deref())),
        array::texts(rows().map(|row| row.segment.site.as_deref())),
        array::texts(rows().map(|row| row.segment.calendar.as_deref())),
        array::texts(rows().map(|row| row.segment.team.as_deref())),
        array::texts(rows().map(|row| row.segment.priority.as_deref())),
        array::texts(rows().map(|row| Some(row.segment.run.as_str()))),
        array::integers(rows().map(|row| row.segment.working_us)),
        array::integers(rows().map(|row| row.segment.paused_us)),
        array::integers(rows().map(|row| row.segment.elapsed_us)),
        array::integers(rows().map(|row| row.clock.level.threshold_us)),
        array::flags(rows().map(|row| Some(row.number == row.clock.segments.len()))),
        array::instants(rows().map(|row| Some(row.clock.opened_us))),
        array::instants(rows().map(|row| row.clock.started_us)),
        array::instants(rows().map(|row| row.clock.closed_us)),
        array::integers(rows().map(|row| row.clock.total_us)),
        array::instants(rows().map(|row| row.clock.due_us)),
        array::instants(rows().map(|row| row.clock.counted_us)),
        array::texts(rows().map(|row| Some(row.clock.outcome.as_str()))),
        array::texts(rows().map(|row| row.clock.excluded)),
        array::texts(rows().map(|row| row.clock.refused.as_deref())),
        array::texts(rows().map(|row| row.gap)),
        array::flags(rows().map(|row| Some(row.incomplete))),
        array::integers(rows().map(|row| Some(row.clock.level.row_ref))),
        array::integers(rows().map(|row| Some(row.segment.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
