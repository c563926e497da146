//! Reading the registers of service credits. Owns the step from rows to typed rows; it must never
//! decide what a credit is.

use arrow::array::RecordBatch;
use backstay_credits::{Exact, decimal};
use jiff::civil::Date;

use super::{
    DeriveInput,
    register::{items, some_text},
};
use crate::{
    error::EngineError,
    measure::plain_decimal,
    rows::{self, boolean, date, integer},
};

/// Rows of a register that hold on a civil day.
#[derive(Debug, Clone)]
pub(super) struct Dated<T> {
    from: Option<Date>,
    to: Option<Date>,
    pub(super) row_ref: i64,
    pub(super) row: T,
}

impl<T> Dated<T> {
    pub(super) fn holds_on(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day < to)
    }

    pub(super) fn from(&self) -> Option<Date> {
        self.from
    }
}

/// A row of `credit_scheme`.
#[derive(Debug, Clone)]
pub(super) struct SchemeRow {
    pub(super) model: String,
    pub(super) at_risk: Option<Exact>,
    pub(super) pool: Option<Exact>,
    pub(super) month_cap: Option<Exact>,
    pub(super) year_cap: Option<Exact>,
    pub(super) year_span: Option<String>,
    pub(super) year_starts_month: Option<i64>,
    pub(super) rounding: Option<String>,
    pub(super) point_share: Option<Exact>,
    pub(super) free_points: Option<Exact>,
    pub(super) no_cases: Option<String>,
    pub(super) earn_back: Option<String>,
    pub(super) earn_back_windows: Option<i64>,
    pub(super) taken_within_months: Option<i64>,
    pub(super) source: Option<String>,
}

/// A row of `credit_term`.
#[derive(Debug, Clone)]
pub(super) struct TermRow {
    pub(super) service_level: String,
    pub(super) formula: String,
    pub(super) allocation: Option<Exact>,
    pub(super) expected: Option<Exact>,
    pub(super) triggered_by: Option<String>,
    pub(super) inclusive: bool,
    pub(super) full_at: Option<Exact>,
    pub(super) step_size: Option<Exact>,
    pub(super) step_share: Option<Exact>,
    pub(super) step_counts: Option<String>,
    pub(super) band_by: Option<String>,
    pub(super) severity: Option<Exact>,
    pub(super) below_minimum: Option<Exact>,
    pub(super) repeats: Vec<String>,
    pub(super) misses_needed: Option<i64>,
    pub(super) misses_within: Option<i64>,
    pub(super) cap: Option<Exact>,
    pub(super) points: Option<Exact>,
    pub(super) minimum_points: Option<Exact>,
}

/// A row of `credit_band`.
#[derive(Debug, Clone)]
pub(super) struct BandRow {
    pub(super) service_level: String,
    pub(super) band: String,
    pub(super) at_least: Option<Exact>,
    pub(super) below: Option<Exact>,
    pub(super) share: Option<Exact>,
    pub(super) points: Option<Exact>,
}

/// A row of `charge`, or of `credit_taken`.
#[derive(Debug, Clone)]
pub(super) struct AmountRow {
    pub(super) month: Option<Date>,
    pub(super) minor: i64,
    pub(super) currency: String,
    pub(super) row_ref: i64,
    pub(super) document: String,
}

/// A row of the history of `measurement`.
#[derive(Debug, Clone)]
pub(super) struct MeasuredRow {
    pub(super) service_level: String,
    pub(super) metric: String,
    pub(super) title: String,
    pub(super) first: Date,
    pub(super) after: Date,
    pub(super) numerator: i64,
    pub(super) denominator: i64,
    pub(super) gaps: i64,
    pub(super) has_value: bool,
    pub(super) target: Option<i128>,
    pub(super) minimum: Option<i128>,
    pub(super) row_ref: i64,
}

/// The columns of a batch by name and type.
struct Columns<'a> {
    batch: &'a RecordBatch,
    table: &'a str,
}

impl Columns<'_> {
    fn text(&self, name: &str, row: usize) -> Result<Option<String>, EngineError> {
        let column = rows::texts(self.batch, self.table, name)?;
        Ok(some_text(&column, row).map(str::to_owned))
    }

    fn nanos(&self, name: &str, row: usize) -> Result<Option<i128>, EngineError> {
        Ok(rows::decimal(&rows::decimals(self.batch, self.table, name)?, row))
    }

    fn decimal(&self, name: &str, row: usize) -> Result<Option<Exact>, EngineError> {
        Ok(self.nanos(name, row)?.map(decimal))
    }

    fn integer(&self, name: &str, row: usize) -> Result<Option<i64>, EngineError> {
        Ok(integer(&rows::integers(self.batch, self.table, name)?, row))
    }

    fn flag(&self, name: &str, row: usize) -> Result<Option<bool>, EngineError> {
        Ok(boolean(&rows::booleans(self.batch, self.table, name)?, row))
    }

    fn date(&self, name: &str, row: usize) -> Result<Option<Date>, EngineError> {
        Ok(date(&rows::dates(self.batch, self.table, name)?, row))
    }
}

/// Every row of a table, read by `one`; rows that it gives nothing for are left out.
fn each<T>(
    input: &DeriveInput<'_>,
    table: &str,
    one: impl Fn(&Columns<'_>, usize) -> Result<Option<T>, EngineError>,
) -> Result<Vec<T>, EngineError> {
    let mut found = Vec::new();
    for batch in input.tables.batches(table)? {
        let columns = Columns { batch: &batch, table };
        for row in 0..batch.num_rows() {
            found.extend(one(&columns, row)?);
        }
    }
    Ok(found)
}

fn dated<T>(columns: &Columns<'_>, row: usize, value: T) -> Result<Option<Dated<T>>, EngineError> {
    Ok(Some(Dated {
        from: columns.date("valid_from", row)?,
        to: columns.date("valid_to", row)?,
        row_ref: columns.integer("_ref", row)?.unwrap_or_default(),
        row: value,
    }))
}

pub(super) fn schemes(input: &DeriveInput<'_>) -> Result<Vec<Dated<SchemeRow>>, EngineError> {
    each(input, "credit_scheme", |at, row| {
        let scheme = SchemeRow {
            model: at.text("model", row)?.unwrap_or_default(),
            at_risk: at.decimal("at_risk_share", row)?,
            pool: at.decimal("pool", row)?,
            month_cap: at.decimal("month_cap_share", row)?,
            year_cap: at.decimal("year_cap_share", row)?,
            year_span: at.text("year_span", row)?,
            year_starts_month: at.integer("year_starts_month", row)?,
            rounding: at.text("rounding", row)?,
            point_share: at.decimal("point_share", row)?,
            free_points: at.decimal("free_points", row)?,
            no_cases: at.text("no_cases", row)?,
            earn_back: at.text("earn_back", row)?,
            earn_back_windows: at.integer("earn_back_windows", row)?,
            taken_within_months: at.integer("taken_within_months", row)?,
            source: at.text("source", row)?,
        };
        dated(at, row, scheme)
    })
}

pub(super) fn terms(input: &DeriveInput<'_>) -> Result<Vec<Dated<TermRow>>, EngineError> {
    each(input, "credit_term", |at, row| {
        let repeats = rows::texts(at.batch, at.table, "repeat_multipliers")?;
        let term = TermRow {
            service_level: at.text("service_level_id", row)?.unwrap_or_default(),
            formula: at.text("formula", row)?.unwrap_or_default(),
            allocation: at.decimal("allocation", row)?,
            expected: at.decimal("expected", row)?,
            triggered_by: at.text("triggered_by", row)?,
            inclusive: at.flag("level_itself_misses", row)?.unwrap_or(false),
            full_at: at.decimal("full_at", row)?,
            step_size: at.decimal("step_size", row)?,
            step_share: at.decimal("step_share", row)?,
            step_counts: at.text("step_counts", row)?,
            band_by: at.text("band_by", row)?,
            severity: at.decimal("severity", row)?,
            below_minimum: at.decimal("below_minimum", row)?,
            repeats: items(&repeats, row),
            misses_needed: at.integer("misses_needed", row)?,
            misses_within: at.integer("misses_within_months", row)?,
            cap: at.decimal("cap_share", row)?,
            points: at.decimal("points", row)?,
            minimum_points: at.decimal("minimum_points", row)?,
        };
        dated(at, row, term)
    })
}

pub(super) fn bands(input: &DeriveInput<'_>) -> Result<Vec<Dated<BandRow>>, EngineError> {
    each(input, "credit_band", |at, row| {
        let band = BandRow {
            service_level: at.text("service_level_id", row)?.unwrap_or_default(),
            band: at.text("band", row)?.unwrap_or_default(),
            at_least: at.decimal("at_least", row)?,
            below: at.decimal("below", row)?,
            share: at.decimal("share", row)?,
            points: at.decimal("points", row)?,
        };
        dated(at, row, band)
    })
}

fn amount(at: &Columns<'_>, row: usize) -> Result<Option<AmountRow>, EngineError> {
    let Some(minor) = at.integer("amount_minor", row)? else { return Ok(None) };
    Ok(Some(AmountRow {
        month: at.date("month", row)?,
        minor,
        currency: at.text("amount_currency", row)?.unwrap_or_default(),
        row_ref: at.integer("_ref", row)?.unwrap_or_default(),
        document: String::new(),
    }))
}

pub(super) fn charges(input: &DeriveInput<'_>) -> Result<Vec<AmountRow>, EngineError> {
    each(input, "charge", |at, row| {
        if at.flag("in_credit_base", row)? == Some(false) {
            return Ok(None);
        }
        amount(at, row)
    })
}

/// Credits on documents issued before the instant looked at.
pub(super) fn taken(input: &DeriveInput<'_>) -> Result<Vec<AmountRow>, EngineError> {
    each(input, "credit_taken", |at, row| {
        let issued = rows::instants(at.batch, at.table, "taken_at")?;
        if rows::instant(&issued, row).is_none_or(|us| us >= input.as_of_us) {
            return Ok(None);
        }
        let document = at.text("document_id", row)?.unwrap_or_default();
        Ok(amount(at, row)?.map(|found| AmountRow { document, ..found }))
    })
}

/// The span over which each service level is measured.
pub(super) fn windows(
    input: &DeriveInput<'_>,
) -> Result<Vec<Dated<(String, String)>>, EngineError> {
    each(input, "service_level", |at, row| {
        let id = at.text("service_level_id", row)?.unwrap_or_default();
        dated(at, row, (id, at.text("window", row)?.unwrap_or_default()))
    })
}

pub(super) fn measured(input: &DeriveInput<'_>) -> Result<Vec<MeasuredRow>, EngineError> {
    each(input, super::MEASUREMENT_HISTORY, |at, row| {
        let days = at.date("period_start", row)?.zip(at.date("period_end", row)?);
        let Some((first, after)) = days else { return Ok(None) };
        Ok(Some(MeasuredRow {
            service_level: at.text("service_level_id", row)?.unwrap_or_default(),
            metric: at.text("metric", row)?.unwrap_or_default(),
            title: at.text("title", row)?.unwrap_or_default(),
            first,
            after,
            numerator: at.integer("numerator", row)?.unwrap_or_default(),
            denominator: at.integer("denominator", row)?.unwrap_or_default(),
            gaps: at.integer("gaps", row)?.unwrap_or_default(),
            has_value: at.nanos("value", row)?.is_some(),
            target: at.nanos("target", row)?,
            minimum: at.nanos("minimum", row)?,
            row_ref: at.integer("_ref", row)?.unwrap_or_default(),
        }))
    })
}

/// A decimal column's text as people write it.
pub(super) fn plain(nanos: Option<i128>) -> Option<String> {
    nanos.map(plain_decimal)
}
