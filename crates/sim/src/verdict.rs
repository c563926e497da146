//! Puts the truth together: figures of every level and month, and the status that every control must
//! show. Owns that reckoning; it must never read a file that it hands in.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date, tz::TimeZone};

use crate::{
    almanac::{Almanac, civil_at, in_utc, with_offset},
    clock::Verdict,
    error::SimError,
    operation::{Counted, Operation},
    registers::share,
    truth::{ControlTruth, ExcludedTruth, LadderTruth, MeasureTruth, MissTruth, WeekTruth},
    world::{Case, CountsIn, Stated},
};

/// Every level and month, as of the month's end.
///
/// # Errors
/// As the clock's.
pub fn measures(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
) -> Result<Vec<MeasureTruth>, SimError> {
    let mut found = Vec::new();
    for row in &operation.world.arrangements {
        let zone = operation.zone(&row.id)?;
        for level in operation.world.level_ids(&row.id) {
            for month in &operation.months {
                let key = (row.id.as_str(), level.as_str(), *month);
                found.push(measure(operation, almanac, cases, key, &zone)?);
            }
        }
    }
    Ok(found)
}

fn measure(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
    (arrangement, level, month): (&str, &str, Date),
    zone: &TimeZone,
) -> Result<MeasureTruth, SimError> {
    let key = (arrangement, level, month);
    let counted = operation.counted(almanac, cases, key, &Stated::default())?;
    let row = operation
        .world
        .level_on(arrangement, level, month)
        .ok_or_else(|| SimError::Missing(format!("service level `{level}` in {month}")))?;
    let kept = || counted.iter().filter(|row| row.excluded.is_none());
    let numerator = i64::try_from(kept().filter(|row| row.met).count()).unwrap_or(0);
    let denominator = i64::try_from(kept().count()).unwrap_or(0);
    let mut missed = Vec::new();
    for row in kept().filter(|row| !row.met) {
        missed.push(miss(operation, almanac, cases, (arrangement, level), row, zone)?);
    }
    let excluded = counted.iter().filter_map(|row| {
        let reason = row.excluded.clone()?;
        Some(ExcludedTruth { case_id: row.case.clone(), reason })
    });
    Ok(MeasureTruth {
        arrangement_id: arrangement.into(),
        service_level_id: level.into(),
        metric: row.metric.clone(),
        month: month.strftime("%Y-%m").to_string(),
        as_of: in_utc(Operation::month_end(month, zone)?)?,
        numerator,
        denominator,
        value: six_places(numerator, denominator),
        target: share(row.target),
        minimum: share(row.minimum),
        kind: if row.is_key_measurement { "key-measurement" } else { "critical" }.into(),
        worst: if row.by_week { worst_week(&counted, row.counts_in, month, zone)? } else { None },
        excluded: excluded.collect(),
        missed,
    })
}

/// The worst of the weeks of a month, each from Monday and cut to the month.
fn worst_week(
    counted: &[Counted],
    counts_in: CountsIn,
    month: Date,
    zone: &TimeZone,
) -> Result<Option<WeekTruth>, SimError> {
    let after = month.checked_add(1.month())?;
    let mut weeks: BTreeMap<Date, (i64, i64)> = BTreeMap::new();
    for row in counted.iter().filter(|row| row.excluded.is_none()) {
        let at = match counts_in {
            CountsIn::Due => Some(row.reading.due),
            CountsIn::Closed => row.reading.closed,
        };
        let Some(at) = at else { continue };
        let day = civil_at(at, zone)?.date();
        let monday =
            day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days())?.max(month);
        let week = weeks.entry(monday).or_insert((0, 0));
        week.0 += i64::from(row.met);
        week.1 += 1;
    }
    let lowest = weeks.into_iter().reduce(|held, next| {
        let ((_, (a, b)), (_, (c, d))) = (held, next);
        if c * b < a * d { next } else { held }
    });
    let Some((first, (numerator, denominator))) = lowest else { return Ok(None) };
    let monday = first.checked_sub(i64::from(first.weekday().to_monday_zero_offset()).days())?;
    let end = monday.checked_add(7.days())?.min(after);
    Ok(Some(WeekTruth { period: format!("{first}..{end}"), numerator, denominator }))
}

fn miss(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
    (arrangement, level): (&str, &str),
    row: &Counted,
    zone: &TimeZone,
) -> Result<MissTruth, SimError> {
    let mut later = row.reading.worked;
    let case = cases.iter().find(|case| case.arrangement == arrangement && case.id == row.case);
    if let (Some(case), Some(last)) = (case, operation.months.last()) {
        let end = Operation::month_end(*last, zone)?;
        if let Some((reading, _)) =
            operation.reading(almanac, case, level, &Stated::default(), end)?
        {
            later = reading.worked;
        }
    }
    let open = row.reading.verdict == Verdict::Overdue;
    Ok(MissTruth {
        case_id: row.case.clone(),
        working_minutes: row.reading.worked,
        working_minutes_later: later,
        threshold_minutes: row.reading.threshold,
        clock_started_at: in_utc(row.reading.started)?,
        due_at: in_utc(row.reading.due)?,
        due_local: with_offset(row.reading.due, zone)?,
        closed_at: row.reading.closed.filter(|_| !open).map(in_utc).transpose()?,
    })
}

/// A share to six places, half to even.
#[must_use]
pub fn six_places(numerator: i64, denominator: i64) -> Option<String> {
    const SCALE: i64 = 1_000_000;
    let scaled = numerator * SCALE;
    let (whole, rest) = (scaled.checked_div(denominator)?, scaled.checked_rem(denominator)?);
    let up = rest * 2 > denominator || (rest * 2 == denominator && whole % 2 == 1);
    let whole = whole + i64::from(up);
    Some(format!("{}.{:06}", whole / SCALE, whole % SCALE))
}

/// What is wrong with the work evidence of an arrangement in the period, in words.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Arrangement.
    pub arrangement: String,
    /// In words.
    pub what: String,
    /// First days of the intervals concerned.
    pub days: Vec<Date>,
}

/// The status that each control must show for each arrangement in a month.
#[must_use]
pub fn controls(
    operation: &Operation,
    measures: &[MeasureTruth],
    ladders: &[LadderTruth],
    faults: &[Fault],
    month: &str,
) -> Vec<ControlTruth> {
    let mut found = Vec::new();
    for row in &operation.world.arrangements {
        let id = row.id.as_str();
        let fault =
            faults.iter().find(|fault| fault.arrangement == id).map(|fault| fault.what.as_str());
        let mut add = |control: &str, (status, reason): (&str, String)| {
            found.push(ControlTruth {
                arrangement_id: id.into(),
                control: control.into(),
                status: status.into(),
                reason,
            });
        };
        add("service-levels-defined", defined(operation, id));
        add("service-levels-met", met(measures, id, month, fault));
        add("provider-report-agrees", agrees(ladders, id, month, fault));
        add(
            "work-visible",
            match fault {
                Some(what) => ("deficient", what.to_owned()),
                None => ("effective", "every interval arrived and adds up".into()),
            },
        );
    }
    found
}

fn defined(operation: &Operation, arrangement: &str) -> (&'static str, String) {
    let levels = &operation.world.levels;
    let without: Vec<&str> = operation
        .world
        .functions
        .iter()
        .filter(|row| row.arrangement == arrangement)
        .filter(|row| {
            !levels.iter().any(|level| level.arrangement == arrangement && level.function == row.id)
        })
        .map(|row| row.id.as_str())
        .collect();
    if without.is_empty() {
        return ("effective", "every function has a measurable service level".into());
    }
    ("deficient", format!("function without a service level: {}", without.join(", ")))
}

fn met(
    measures: &[MeasureTruth],
    arrangement: &str,
    month: &str,
    fault: Option<&str>,
) -> (&'static str, String) {
    let here =
        || measures.iter().filter(|row| row.arrangement_id == arrangement && row.month == month);
    let missed: Vec<String> = here()
        .filter(|row| row.is_below_target())
        .map(|row| {
            format!(
                "{} is {}/{}, target {}",
                row.service_level_id, row.numerator, row.denominator, row.target
            )
        })
        .collect();
    if !missed.is_empty() {
        return ("deficient", missed.join("; "));
    }
    if let Some(what) = fault {
        return ("untested", what.into());
    }
    match here().find(|row| row.value.is_none()) {
        Some(row) => ("untested", format!("{} has no case", row.service_level_id)),
        None => ("effective", "every service level reaches its target".into()),
    }
}

fn agrees(
    ladders: &[LadderTruth],
    arrangement: &str,
    month: &str,
    fault: Option<&str>,
) -> (&'static str, String) {
    let here =
        || ladders.iter().filter(|row| row.arrangement_id == arrangement && row.month == month);
    let apart: Vec<String> = here()
        .filter(|row| !row.agrees)
        .map(|row| format!("{}: {}", row.service_level_id, row.planted.join(" and ")))
        .collect();
    if !apart.is_empty() {
        return ("deficient", format!("the report differs in {}", apart.join("; ")));
    }
    match (fault, here().next()) {
        (Some(what), _) => ("untested", what.into()),
        (None, None) => ("untested", "no report".into()),
        (None, Some(_)) => {
            ("effective", "every figure reported agrees to the places printed".into())
        }
    }
}
