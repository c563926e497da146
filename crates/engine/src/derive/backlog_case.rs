//! Derived table `backlog_case`: the cases that are open at the end of each window of a service level
//! that limits the age of the backlog, and of each shorter span inside it that is asked for.
//!
//! Owns the look back to the end of a window. `case_clock` stands at the period's end; a period of a
//! year has twelve month ends, and a case open in March may be done in April. It must never count a
//! case twice in one window.

use std::collections::BTreeSet;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    clock::{self, CaseClock, Choice, Outcome},
    terms::{Metric, Terms},
};
use crate::{error::EngineError, period::Period};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct BacklogCaseTable;

/// Its name.
pub const NAME: &str = "backlog_case";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("period_start", Kind::Date),
    ("period_end", Kind::Date),
    ("case_id", Kind::Text),
    ("state", Kind::Text),
    ("opened_at", Kind::Instant),
    ("age_us", Kind::Integer),
    ("threshold_us", Kind::Integer),
    ("outcome", Kind::Text),
    ("excluded_reason", Kind::Text),
    ("exclusion_refused", Kind::Text),
    ("gap_reason", Kind::Text),
    ("incomplete", Kind::Flag),
    ("terms_ref", Kind::Integer),
    ("_ref", Kind::Integer),
];

struct Row<'a> {
    window: Period,
    case: &'a Case,
    clock: CaseClock<'a>,
    gap: Option<String>,
}

impl Derivation for BacklogCaseTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each case open at the end of a window: its age in working time against the service level's threshold."
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
        let limits = |versions: &super::terms::Versions<_>| {
            versions.iter().any(|(_, _, level): &(i64, i64, super::terms::ServiceLevel)| {
                level.metric == Metric::BacklogAge
            })
        };
        if !terms.service_levels.values().any(limits) {
            return Ok(Vec::new());
        }
        let cases = case::read(&input.tables.batches("case_event")?)?;
        let rows = open_cases(&terms, &cases, input)?;
        table(input.arrangement_id, &terms, &rows, self.schema())
    }
}

fn open_cases<'a>(
    terms: &'a Terms,
    cases: &'a [Case],
    input: &DeriveInput<'_>,
) -> Result<Vec<Row<'a>>, EngineError> {
    let period = Period { first: input.period_first, after: input.period_after };
    let mut rows = Vec::new();
    for versions in terms.service_levels.values() {
        let mut seen = BTreeSet::new();
        for kind in Terms::windows([versions]) {
            for window in kind.ending_in(period)? {
                let measuring = versions.measuring(window.bounds_us(input.zone)?);
                let level = measuring
                    .filter(|level| level.window == kind && level.metric == Metric::BacklogAge);
                let Some(level) = level else { continue };
                seen.insert(window);
                seen.extend(level.sub_window.into_iter().flat_map(|sub| sub.of(window)));
            }
        }
        for window in seen {
            let at_us = window.bounds_us(input.zone)?.1.min(input.as_of_us);
            for case in cases {
                let clock = clock::case_clock(terms, versions, case, at_us, &Choice::default());
                // Done is done, whether it can be measured or not.
                let Some(clock) = clock.filter(|clock| clock.closed_us.is_none()) else {
                    continue;
                };
                let gap = clock.gap.as_ref().map(ToString::to_string);
                rows.push(Row { window, case, clock, gap });
            }
        }
    }
    Ok(rows)
}

fn table(
    arrangement_id: &str,
    terms: &Terms,
    rows: &[Row<'_>],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let outcome = |row: &Row<'_>| match row.clock.outcome {
        Outcome::Gap => "gap",
        _ if row.clock.is_within() => "met",
        _ => "missed",
    };
    let last = |row: &Row<'_>| {
        row.clock.segments.last().map(|segment| (segment.state.clone(), segment.row_ref))
    };
    let states: Vec<_> = rows.iter().map(|row| last(row).and_then(|(state, _)| state)).collect();
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.clock.level.id.as_ref()))),
        array::dates(rows.iter().map(|row| Some(row.window.first))),
        array::dates(rows.iter().map(|row| Some(row.window.after))),
        array::texts(rows.iter().map(|row| Some(row.case.id.as_ref()))),
        array::texts(states.iter().map(Option::as_deref)),
        array::instants(rows.iter().map(|row| Some(row.clock.opened_us))),
        array::integers(rows.iter().map(|row| row.clock.total_us)),
        array::integers(rows.iter().map(|row| row.clock.level.threshold_us)),
        array::texts(rows.iter().map(|row| Some(outcome(row)))),
        array::texts(rows.iter().map(|row| row.clock.excluded)),
        array::texts(rows.iter().map(|row| row.clock.refused.as_deref())),
        array::texts(rows.iter().map(|row| row.gap.as_deref())),
        array::flags(rows.iter().map(|row| Some(terms.quarantined(&row.case.id).is_some()))),
        array::integers(rows.iter().map(|row| Some(row.clock.level.row_ref))),
        array::integers(rows.iter().map(|row| last(row).map(|(_, row_ref)| row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
