//! Derived table `complaint_trend`: complaints that the service caused in the period, against the two
//! civil months before it, each per case opened.
//!
//! Owns the comparison. It must never compare with months whose evidence did not come.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_sampling::curve::chance_of_group;
use jiff::{ToSpan as _, civil::Date};

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
        register::some_text,
    },
    history,
};
use crate::{error::EngineError, period::day_start_us, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct ComplaintTrendTable;

/// Its name.
pub const NAME: &str = "complaint_trend";

/// Civil months before the period that it is held against.
pub const MONTHS_BEFORE: i64 = 2;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("before_from", Kind::Date),
    ("complaints", Kind::Integer),
    ("cases", Kind::Integer),
    ("complaints_before", Kind::Integer),
    ("cases_before", Kind::Integer),
    ("chance", Kind::Decimal),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
];

impl Derivation for ComplaintTrendTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Complaints caused by the service per case, in the period and in the two months before it."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["complaint", "case_event"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["evidence_feed", "calendar", "holiday"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let first = before(input.period_first);
        let start_us = day_start_us(input.zone, first)?;
        let (before, now) =
            (start_us..input.period_start_us, input.period_start_us..input.as_of_us);
        let (mut complaints, mut complaints_before, mut refs) = (0_u64, 0_u64, Vec::new());
        for (at, row_ref) in complaints_of_service(input)? {
            if now.contains(&at) {
                complaints += 1;
                refs.push(row_ref);
            } else if before.contains(&at) {
                complaints_before += 1;
            }
        }
        let (mut cases, mut cases_before) = (0_u64, 0_u64);
        for at in opened(input)?.into_values() {
            cases += u64::from(now.contains(&at));
            cases_before += u64::from(before.contains(&at));
        }
        let mut gap = None;
        for table in [("complaint", "received_at"), ("case_event", "occurred_at")] {
            if gap.is_none() {
                gap = history::lacking(input, table, first)?
                    .map(|reason| format!("the months before lack evidence: {reason}"));
            }
        }
        if cases == 0 || cases_before == 0 {
            gap.get_or_insert_with(|| "no case was opened to set complaints against".to_owned());
        }
        let chance = chance_of_group(complaints, cases, complaints_before, cases_before);
        if chance.is_none() {
            gap.get_or_insert_with(|| {
                "there are more complaints than cases, or too many".to_owned()
            });
        }
        let number = |value: u64| i64::try_from(value).ok();
        refs.sort_unstable();
        let arrays = vec![
            array::texts([Some(input.arrangement_id)].into_iter()),
            array::dates([Some(first)].into_iter()),
            array::integers([number(complaints)].into_iter()),
            array::integers([number(cases)].into_iter()),
            array::integers([number(complaints_before)].into_iter()),
            array::integers([number(cases_before)].into_iter()),
            array::decimals([chance.map(|chance| i128::from(chance) * 1000)].into_iter()),
            array::texts([gap.as_deref()].into_iter()),
            array::refs([refs.as_slice()].into_iter()),
        ];
        array::batch(NAME, self.schema(), arrays)
    }
}

fn before(first: Date) -> Date {
    first.checked_sub(MONTHS_BEFORE.months()).unwrap_or(first)
}

/// When complaints came that the service caused.
fn complaints_of_service(input: &DeriveInput<'_>) -> Result<Vec<(i64, i64)>, EngineError> {
    const TABLE: &str = "complaint";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let findings = rows::texts(&batch, TABLE, "finding")?;
        let at = rows::instants(&batch, TABLE, "received_at")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let caused = some_text(&findings, row) == Some("service");
            if let Some(at) = rows::instant(&at, row).filter(|_| caused) {
                found.push((at, rows::integer(&refs, row).unwrap_or_default()));
            }
        }
    }
    Ok(found)
}

/// When each case was first heard of.
fn opened(input: &DeriveInput<'_>) -> Result<BTreeMap<String, i64>, EngineError> {
    const TABLE: &str = "case_event";
    let mut found: BTreeMap<String, i64> = BTreeMap::new();
    input.tables.each(TABLE, &["case_id", "occurred_at"], &mut |batch| {
        let cases = rows::texts(batch, TABLE, "case_id")?;
        let at = rows::instants(batch, TABLE, "occurred_at")?;
        for row in 0..batch.num_rows() {
            let Some((case, at)) = some_text(&cases, row).zip(rows::instant(&at, row)) else {
                continue;
            };
            match found.get_mut(case) {
                Some(first) => *first = at.min(*first),
                None => {
                    found.insert(case.to_owned(), at);
                }
            }
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_months_before_a_period_are_two() {
        assert_eq!(before(date(2026, 10, 1)), date(2026, 8, 1));
        assert_eq!(before(date(2026, 1, 15)), date(2025, 11, 15));
    }
}
