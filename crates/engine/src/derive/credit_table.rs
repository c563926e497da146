//! Derived tables `credit` and `credit_month`: the rows of [`super::credit_row`] as columns. Owns the
//! columns; it must never reckon one.

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    credit_book::CreditBook,
    credit_row::{CreditRows, LevelRow, MonthRow, rows},
};
use crate::error::EngineError;

/// Service levels by month.
#[derive(Debug, Clone, Copy)]
pub struct CreditTable;

/// Months.
#[derive(Debug, Clone, Copy)]
pub struct CreditMonthTable;

const LEVEL: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("month", Kind::Date),
    ("month_end", Kind::Date),
    ("service_level_id", Kind::Text),
    ("numerator", Kind::Integer),
    ("denominator", Kind::Integer),
    ("attained", Kind::Decimal),
    ("expected", Kind::Decimal),
    ("minimum", Kind::Decimal),
    ("missed", Kind::Flag),
    ("miss_in_a_row", Kind::Integer),
    ("band", Kind::Text),
    ("share", Kind::Decimal),
    ("multiplier", Kind::Decimal),
    ("points", Kind::Decimal),
    ("currency", Kind::Text),
    ("raw_minor", Kind::Integer),
    ("credit_minor", Kind::Integer),
    ("earn_back", Kind::Text),
    ("earn_back_note", Kind::Text),
    ("gap_reason", Kind::Text),
    ("explanation", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

const MONTH: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("month", Kind::Date),
    ("month_end", Kind::Date),
    ("model", Kind::Text),
    ("currency", Kind::Text),
    ("charge_minor", Kind::Integer),
    ("raw_minor", Kind::Integer),
    ("month_cap_minor", Kind::Integer),
    ("after_month_cap_minor", Kind::Integer),
    ("span_charge_minor", Kind::Integer),
    ("span_credit_minor", Kind::Integer),
    ("year_cap_minor", Kind::Integer),
    ("credit_minor", Kind::Integer),
    ("earned_back_minor", Kind::Integer),
    ("returned_minor", Kind::Integer),
    ("owed_minor", Kind::Integer),
    ("taken_minor", Kind::Integer),
    ("due_before", Kind::Date),
    ("is_due", Kind::Flag),
    ("documents", Kind::Text),
    ("documents_gap", Kind::Text),
    ("gap_reason", Kind::Text),
    ("explanation", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

/// Tables without which nobody can say whether a credit is owed and was taken.
const READS: &[&str] =
    &["credit_scheme", "credit_taken", "service_level", super::MEASUREMENT_HISTORY];
const READS_OWED: &[&str] = &["credit_scheme", "service_level", super::MEASUREMENT_HISTORY];
/// Their absence makes gaps.
const CONSULTS: &[&str] = &[
    "credit_term",
    "credit_band",
    "charge",
    "credit_taken",
    "evidence_feed",
    // What `feed_day` counts.
    "case_event",
    "handover",
    "meeting",
    "provider_report",
    "lot",
    "inspection",
    "defect",
    "complaint",
    "calendar",
    "holiday",
];

fn reckon(input: &DeriveInput<'_>) -> Result<CreditRows, EngineError> {
    rows(&CreditBook::read(input)?, input)
}

impl Derivation for CreditTable {
    fn name(&self) -> &'static str {
        "credit"
    }

    fn about(&self) -> &'static str {
        "What each service level costs in each month by the contract's credit scheme, before and after the caps."
    }

    fn reads(&self) -> &'static [&'static str] {
        READS_OWED
    }

    fn consults(&self) -> &'static [&'static str] {
        CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(LEVEL)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let book = CreditBook::read(input)?;
        let rows = rows(&book, input)?.levels;
        let each = || rows.iter();
        let text = |value: fn(&LevelRow) -> Option<&str>| array::texts(each().map(value));
        let whole = |value: fn(&LevelRow) -> Option<i64>| array::integers(each().map(value));
        let number = |value: fn(&LevelRow) -> Option<i128>| array::decimals(each().map(value));
        let arrays = vec![
            array::texts(each().map(|_| Some(input.arrangement_id))),
            array::dates(each().map(|row| Some(row.month))),
            array::dates(each().map(|row| Some(row.after))),
            text(|row| Some(&row.service_level)),
            whole(|row| row.cases.map(|cases| cases.0)),
            whole(|row| row.cases.map(|cases| cases.1)),
            number(|row| row.attained),
            number(|row| row.expected),
            number(|row| row.minimum),
            array::flags(each().map(|row| row.missed)),
            whole(|row| row.run),
            text(|row| row.band.as_deref()),
            number(|row| row.share),
            number(|row| row.multiplier),
            number(|row| row.points),
            array::texts(each().map(|_| book.currency.as_deref())),
            whole(|row| row.raw_minor),
            whole(|row| row.credit_minor),
            text(|row| Some(row.earn_back)),
            text(|row| row.earn_back_note.as_deref()),
            text(|row| row.gap.as_deref()),
            text(|row| Some(&row.explanation)),
            array::refs(each().map(|row| row.evidence.as_slice())),
            whole(|row| row.evidence.first().copied()),
        ];
        array::batch(self.name(), self.schema(), arrays)
    }
}

impl Derivation for CreditMonthTable {
    fn name(&self) -> &'static str {
        "credit_month"
    }

    fn about(&self) -> &'static str {
        "The service credit of each month: by the formula, after each cap, after earn-back, and what of it reached a document."
    }

    fn reads(&self) -> &'static [&'static str] {
        READS
    }

    fn consults(&self) -> &'static [&'static str] {
        CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(MONTH)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let rows = reckon(input)?.months;
        let each = || rows.iter();
        let text = |value: fn(&MonthRow) -> Option<&str>| array::texts(each().map(value));
        let whole = |value: fn(&MonthRow) -> Option<i64>| array::integers(each().map(value));
        let documents: Vec<String> = rows.iter().map(|row| row.documents.join("|")).collect();
        let arrays = vec![
            array::texts(each().map(|_| Some(input.arrangement_id))),
            array::dates(each().map(|row| Some(row.month))),
            array::dates(each().map(|row| Some(row.after))),
            text(|row| Some(&row.model)),
            text(|row| row.currency.as_deref()),
            whole(|row| row.charge_minor),
            whole(|row| row.steps.as_ref()?.raw),
            whole(|row| row.steps.as_ref()?.month_cap),
            whole(|row| row.steps.as_ref()?.after_month_cap),
            whole(|row| row.steps.as_ref()?.span_charge),
            whole(|row| row.steps.as_ref()?.span_credit),
            whole(|row| row.steps.as_ref()?.year_cap),
            whole(|row| row.credit_minor),
            whole(|row| row.earned_back_minor),
            whole(|row| row.steps.as_ref().map(|steps| steps.earned_back)),
            whole(|row| row.owed_minor),
            whole(|row| row.taken_minor),
            array::dates(each().map(|row| Some(row.due_after))),
            array::flags(each().map(|row| Some(row.is_due))),
            array::texts(documents.iter().map(|text| Some(text.as_str()))),
            text(|row| row.documents_gap.as_deref()),
            text(|row| row.gap.as_deref()),
            text(|row| Some(&row.explanation)),
            array::refs(each().map(|row| row.evidence.as_slice())),
            whole(|row| Some(row.scheme_ref)),
        ];
        array::batch(self.name(), self.schema(), arrays)
    }
}
