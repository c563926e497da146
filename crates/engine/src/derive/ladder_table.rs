//! Derived table `report_ladder`: one row per step of each [`Ladder`].
//!
//! Owns the columns; it must never compute a part. The figures of both sides, the difference and the
//! summary in words stand on every row of a service level and window.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use jiff::civil::Date;

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    exact,
    report_ladder::{Ladder, Step, ladders},
    terms::Metric,
};
use crate::error::EngineError;

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct ReportLadderTable;

/// Its name.
pub const NAME: &str = "report_ladder";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("metric", Kind::Text),
    ("period_start", Kind::Date),
    ("period_end", Kind::Date),
    ("step", Kind::Integer),
    ("cause", Kind::Text),
    ("tested", Kind::Flag),
    ("cases", Kind::Integer),
    ("numerator", Kind::Integer),
    ("denominator", Kind::Integer),
    ("part_numerator", Kind::Integer),
    ("part_denominator", Kind::Integer),
    ("part_shown", Kind::Text),
    ("unit", Kind::Text),
    ("ours_numerator", Kind::Integer),
    ("ours_denominator", Kind::Integer),
    ("theirs_numerator", Kind::Integer),
    ("theirs_denominator", Kind::Integer),
    ("reported_value", Kind::Decimal),
    ("reported_places", Kind::Integer),
    ("difference_shown", Kind::Text),
    ("agrees", Kind::Flag),
    ("summary", Kind::Text),
    ("_ref", Kind::Integer),
];

impl Derivation for ReportLadderTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Our figure against the provider's, split by cause: duplicates, missing rows, exclusions, clock, calendar, unexplained."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event", "provider_report", "service_level"]
    }

    fn consults(&self) -> &'static [&'static str] {
        super::terms::CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let ladders = ladders(input)?;
        let summaries: Vec<String> = ladders.iter().map(|(_, ladder)| ladder.summary()).collect();
        table(input.arrangement_id, &ladders, &summaries, self.schema())
    }
}

fn table(
    arrangement_id: &str,
    ladders: &[(String, Ladder)],
    summaries: &[String],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let rows = || {
        ladders.iter().zip(summaries).flat_map(|((level, ladder), summary)| {
            ladder
                .steps
                .iter()
                .zip(1_i64..)
                .map(move |(step, number)| (level, ladder, summary, step, number))
        })
    };
    let whole = |value: Option<i128>| value.and_then(|value| i64::try_from(value).ok());
    let day = |day: Date| Some(day);
    let shown = |ladder: &Ladder, step: &Step| {
        step.shown.map(|shown| exact::signed_text(shown, ladder.shown_places))
    };
    let total = |ladder: &Ladder| {
        let shown: Option<Vec<i128>> = ladder.steps.iter().map(|step| step.shown).collect();
        Some(exact::signed_text(shown?.into_iter().sum(), ladder.shown_places))
    };
    let parts: Vec<Option<String>> = rows().map(|row| shown(row.1, row.3)).collect();
    let totals: Vec<Option<String>> = rows().map(|row| total(row.1)).collect();
    let unit = |ladder: &Ladder| {
        if ladder.metric == Metric::Volume { "cases" } else { "percentage points" }
    };
    let arrays = vec![
        array::texts(rows().map(|_| Some(arrangement_id))),
        array::texts(rows().map(|row| Some(row.0.as_str()))),
        array::texts(rows().map(|row| Some(row.1.metric_id.as_ref()))),
        array::dates(rows().map(|row| day(row.1.window.first))),
        array::dates(rows().map(|row| day(row.1.window.after))),
        array::integers(rows().map(|row| Some(row.4))),
        array::texts(rows().map(|row| Some(row.3.cause))),
        array::flags(rows().map(|row| Some(row.3.tested))),
        array::integers(rows().map(|row| Some(row.3.cases))),
        array::integers(rows().map(|row| Some(row.3.after.numerator))),
        array::integers(rows().map(|row| Some(row.3.after.denominator))),
        array::integers(rows().map(|row| whole(row.3.part.map(|part| *part.numer())))),
        array::integers(rows().map(|row| whole(row.3.part.map(|part| *part.denom())))),
        array::texts(parts.iter().map(Option::as_deref)),
        array::texts(rows().map(|row| Some(unit(row.1)))),
        array::integers(rows().map(|row| Some(row.1.ours.numerator))),
        array::integers(rows().map(|row| Some(row.1.ours.denominator))),
        array::integers(rows().map(|row| row.1.theirs.map(|theirs| theirs.numerator))),
        array::integers(rows().map(|row| row.1.theirs.map(|theirs| theirs.denominator))),
        array::decimals(rows().map(|row| row.1.reported.map(exact::to_nanos))),
        array::integers(rows().map(|row| row.1.places.map(i64::from))),
        array::texts(totals.iter().map(Option::as_deref)),
        array::flags(rows().map(|row| row.1.agrees)),
        array::texts(rows().map(|row| Some(row.2.as_str()))),
        array::integers(rows().map(|row| row.1.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
