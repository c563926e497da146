//! The registers and events of quality as typed rows. Owns the reading; it must never judge.

use std::collections::BTreeMap;

use arrow::array::{Array as _, StringArray};
use jiff::civil::Date;

use super::super::{DeriveInput, register::some_text};
use crate::{error::EngineError, rows};

/// What is agreed on one stream, in the version that holds on the last day of the period.
#[derive(Debug, Clone)]
pub struct Term {
    pub stream: String,
    pub sampled: bool,
    /// Thousandths of a per cent.
    pub blind: Option<u64>,
    /// Millionths.
    pub kappa_minimum: Option<i64>,
    pub baseline: Option<(Date, Date)>,
    pub service_level: Option<String>,
    pub monotonous: bool,
    pub row_ref: i64,
}

/// A sampling plan agreed, with the civil days on which it holds.
#[derive(Debug, Clone)]
pub struct PlanRow {
    pub stream: String,
    pub class: String,
    pub level: String,
    /// Thousandths of a per cent.
    pub aql: u64,
    pub reduced_allowed: bool,
    pub days: (Date, Date),
    pub row_ref: i64,
}

/// A lot handed in.
#[derive(Debug, Clone)]
pub struct LotRow {
    pub stream: String,
    pub lot: String,
    pub number: i64,
    pub at_us: i64,
    pub items: u64,
    pub seed: Option<String>,
    pub resubmission: bool,
    pub irregular: bool,
    pub resumed_after: Option<String>,
    pub disposition: Option<String>,
    pub row_ref: i64,
}

/// One judgement of one item.
#[derive(Debug, Clone)]
pub struct Judgement {
    pub stream: String,
    pub lot: Option<String>,
    pub item: Option<u64>,
    pub case: Option<String>,
    pub blind: bool,
    pub reviewer: Option<String>,
    pub worker: Option<String>,
    pub worked_us: Option<i64>,
    pub at_us: i64,
    pub outcome: String,
    pub row_ref: i64,
}

impl Judgement {
    /// What tells the item from others of its stream.
    pub fn item_key(&self) -> (Option<&str>, Option<u64>, Option<&str>) {
        match self.item {
            Some(item) => (self.lot.as_deref(), Some(item), None),
            None => (self.lot.as_deref(), None, self.case.as_deref()),
        }
    }

    pub fn is_defective(&self) -> bool {
        self.outcome != "conforming"
    }
}

fn span(from: Option<Date>, to: Option<Date>) -> (Date, Date) {
    (from.unwrap_or(Date::MIN), to.unwrap_or(Date::MAX))
}

fn owned(array: &StringArray, row: usize) -> Option<String> {
    some_text(array, row).map(str::to_owned)
}

/// Units of 10⁻⁹ as units of 10⁻ⁿ, without rounding up.
fn units(nano: Option<i128>, places: u32) -> Option<i128> {
    nano.map(|nano| nano / 10_i128.pow(9 - places))
}

/// The terms that hold on the last day of the period, by stream.
pub fn terms(input: &DeriveInput<'_>) -> Result<BTreeMap<String, Term>, EngineError> {
    const TABLE: &str = "quality_term";
    let last = input.period_after.yesterday().unwrap_or(input.period_first);
    let mut found = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let day = |name| rows::dates(&batch, TABLE, name);
        let (streams, inspections, levels) =
            (text("stream")?, text("inspection")?, text("service_level_id")?);
        let blind = rows::decimals(&batch, TABLE, "blind_percent")?;
        let kappa = rows::decimals(&batch, TABLE, "kappa_minimum")?;
        let monotonous = rows::booleans(&batch, TABLE, "monotonous")?;
        let (base_from, base_until) = (day("baseline_from")?, day("baseline_until")?);
        let (from, to) = (day("valid_from")?, day("valid_to")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let (first, after) = span(rows::date(&from, row), rows::date(&to, row));
            let Some(stream) = owned(&streams, row).filter(|_| first <= last && last < after)
            else {
                continue;
            };
            let term = Term {
                stream: stream.clone(),
                sampled: some_text(&inspections, row) == Some("sampled"),
                blind: units(rows::decimal(&blind, row), 3).and_then(|n| u64::try_from(n).ok()),
                kappa_minimum: units(rows::decimal(&kappa, row), 6)
                    .and_then(|n| i64::try_from(n).ok()),
                baseline: rows::date(&base_from, row).zip(rows::date(&base_until, row)),
                service_level: owned(&levels, row),
                monotonous: rows::boolean(&monotonous, row).unwrap_or(false),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            found.insert(stream, term);
        }
    }
    Ok(found)
}

/// Every plan, whenever it holds.
pub fn plans(input: &DeriveInput<'_>) -> Result<Vec<PlanRow>, EngineError> {
    const TABLE: &str = "sampling_plan";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (streams, classes, levels) = (text("stream")?, text("defect_class")?, text("level")?);
        let aql = rows::decimals(&batch, TABLE, "aql")?;
        let reduced = rows::booleans(&batch, TABLE, "reduced_allowed")?;
        let (from, to) =
            (rows::dates(&batch, TABLE, "valid_from")?, rows::dates(&batch, TABLE, "valid_to")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            found.push(PlanRow {
                stream: owned(&streams, row).unwrap_or_default(),
                class: owned(&classes, row).unwrap_or_default(),
                level: owned(&levels, row).unwrap_or_default(),
                aql: units(rows::decimal(&aql, row), 3)
                    .and_then(|n| u64::try_from(n).ok())
                    .unwrap_or_default(),
                reduced_allowed: rows::boolean(&reduced, row).unwrap_or(false),
                days: span(rows::date(&from, row), rows::date(&to, row)),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

/// The lots handed in up to now, by stream and number.
pub fn lots(input: &DeriveInput<'_>) -> Result<Vec<LotRow>, EngineError> {
    const TABLE: &str = "lot";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let flag = |name| rows::booleans(&batch, TABLE, name);
        let (streams, lots, seeds) = (text("stream")?, text("lot_id")?, text("draw_seed")?);
        let (resumed, dispositions) = (text("resumed_after")?, text("disposition")?);
        let (again, irregular) = (flag("resubmission")?, flag("irregular")?);
        let numbers = rows::integers(&batch, TABLE, "lot_number")?;
        let items = rows::integers(&batch, TABLE, "item_count")?;
        let at = rows::instants(&batch, TABLE, "submitted_at")?;
        let decided = rows::instants(&batch, TABLE, "decided_at")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(at_us) = rows::instant(&at, row).filter(|at| *at < input.as_of_us) else {
                continue;
            };
            // A decision of later is not known yet.
            let known = rows::instant(&decided, row).is_none_or(|at| at < input.as_of_us);
            found.push(LotRow {
                stream: owned(&streams, row).unwrap_or_default(),
                lot: owned(&lots, row).unwrap_or_default(),
                number: rows::integer(&numbers, row).unwrap_or_default(),
                at_us,
                items: rows::integer(&items, row)
                    .and_then(|count| u64::try_from(count).ok())
                    .unwrap_or_default(),
                seed: owned(&seeds, row),
                resubmission: rows::boolean(&again, row).unwrap_or(false),
                irregular: rows::boolean(&irregular, row).unwrap_or(false),
                resumed_after: owned(&resumed, row),
                disposition: owned(&dispositions, row).filter(|_| known),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by(|a, b| {
        (&a.stream, a.number, a.at_us, a.row_ref).cmp(&(&b.stream, b.number, b.at_us, b.row_ref))
    });
    Ok(found)
}

/// The judgements made up to now, in order of stream, time and record.
pub fn judgements(input: &DeriveInput<'_>) -> Result<Vec<Judgement>, EngineError> {
    const TABLE: &str = "inspection";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (streams, lots, cases) = (text("stream")?, text("lot_id")?, text("case_id")?);
        let (passes, outcomes) = (text("pass")?, text("outcome")?);
        let (reviewers, workers) = (text("reviewer_id")?, text("worker_id")?);
        let items = rows::integers(&batch, TABLE, "item_number")?;
        let worked = rows::instants(&batch, TABLE, "worked_at")?;
        let at = rows::instants(&batch, TABLE, "inspected_at")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(at_us) = rows::instant(&at, row).filter(|at| *at < input.as_of_us) else {
                continue;
            };
            found.push(Judgement {
                stream: owned(&streams, row).unwrap_or_default(),
                lot: owned(&lots, row),
                item: rows::integer(&items, row).and_then(|n| u64::try_from(n).ok()),
                case: owned(&cases, row),
                blind: some_text(&passes, row) == Some("blind"),
                reviewer: owned(&reviewers, row),
                worker: owned(&workers, row),
                worked_us: rows::instant(&worked, row),
                at_us,
                outcome: owned(&outcomes, row).unwrap_or_default(),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by(|a, b| (&a.stream, a.at_us, a.row_ref).cmp(&(&b.stream, b.at_us, b.row_ref)));
    Ok(found)
}

/// Days on which corrective actions were done, by action.
pub fn actions_done(input: &DeriveInput<'_>) -> Result<BTreeMap<String, Date>, EngineError> {
    const TABLE: &str = "corrective_action";
    let mut found = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let ids = rows::texts(&batch, TABLE, "action_id")?;
        let done = rows::dates(&batch, TABLE, "done_on")?;
        for row in 0..ids.len() {
            if let Some((id, day)) = owned(&ids, row).zip(rows::date(&done, row)) {
                found.insert(id, day);
            }
        }
    }
    Ok(found)
}
