//! The weekly series that are watched for drift, and the baseline they are held against.
//!
//! Owns the series: the share of defective items among those inspected, and, where a service level is
//! named, the share of cases that took longer than nine in ten of the baseline. Weeks run from Monday in
//! the arrangement's zone; only whole weeks count. It must never move the baseline, and never pass over
//! weeks whose evidence did not come.

use std::collections::BTreeMap;

use backstay_drift::{Baseline, Count, Law};
use jiff::{ToSpan as _, civil::Date};

use super::{
    super::{DeriveInput, register::some_text},
    history,
    record::{Judgement, Term},
};
use crate::{
    error::EngineError,
    period::{day_of_us, day_start_us},
    rows,
};

/// Whole weeks below which a baseline is none.
pub const LEAST_WEEKS: usize = 8;
/// Defective items or slow cases below which a baseline is none.
pub const LEAST_FOUND: u64 = 5;

/// Counts by week.
pub struct Series {
    /// `defects`, or `slow cases of` a service level.
    pub name: String,
    /// What is counted, in words.
    pub what: String,
    /// Rows of what was found, by week.
    pub refs: Vec<(Date, i64)>,
    weeks: BTreeMap<Date, Count>,
    /// Table that it is counted from, and its instant.
    table: (&'static str, &'static str),
}

/// A series that can be judged.
pub struct Held {
    /// The baseline.
    pub fixed: Baseline,
    /// Its weeks, those without anything counted left out.
    pub base: Vec<(Date, Count)>,
    /// The weeks after it.
    pub watched: Vec<(Date, Count)>,
}

impl Series {
    fn new(name: &str, what: &str, table: (&'static str, &'static str)) -> Self {
        let (weeks, refs) = (BTreeMap::new(), Vec::new());
        Self { name: name.into(), what: what.into(), refs, weeks, table }
    }

    /// The series of a stream: defects, and slow cases where a service level is named.
    pub fn of_stream(
        input: &DeriveInput<'_>,
        term: &Term,
        judgements: &[Judgement],
    ) -> Result<Vec<Self>, EngineError> {
        let table = ("inspection", "inspected_at");
        let mut defects = Self::new("defects", "defective items", table);
        for one in judgements.iter().filter(|one| one.stream == term.stream && !one.blind) {
            let day = day_of_us(input.zone, one.at_us)?;
            defects.add(day, one.is_defective(), one.row_ref);
        }
        let mut found = vec![defects];
        if let Some(level) = &term.service_level {
            found.push(slow_cases(input, term, level)?);
        }
        Ok(found)
    }

    /// The weeks before and after the baseline's end, or why they cannot be judged.
    pub fn against_baseline(
        &self,
        input: &DeriveInput<'_>,
        term: &Term,
    ) -> Result<Result<Held, String>, EngineError> {
        let Some((from, until)) = term.baseline else {
            return Ok(Err("no baseline period is agreed".to_owned()));
        };
        if let Some(reason) = history::lacking(input, self.table, from)? {
            let why = format!("the baseline or the weeks after it lack evidence: {reason}");
            return Ok(Err(why));
        }
        let mut base = self.between(monday_from(from), until);
        base.retain(|(_, count)| count.of > 0);
        let counts: Vec<Count> = base.iter().map(|(_, count)| *count).collect();
        let fixed = Baseline::fix(&counts, Law::Share)
            .filter(|fixed| counts.len() >= LEAST_WEEKS && fixed.count.found >= LEAST_FOUND);
        let Some(fixed) = fixed else {
            let sum: u64 = counts.iter().map(|count| count.found).sum();
            return Ok(Err(format!(
                "the baseline has {} weeks with {sum} {}; {LEAST_WEEKS} weeks with {LEAST_FOUND} are needed",
                counts.len(),
                self.what
            )));
        };
        let end = match input.as_of_us < input.period_end_us {
            true => day_of_us(input.zone, input.as_of_us)?,
            false => input.period_after,
        };
        let watched = self.between(monday_from(until), end);
        let is_judged =
            |(week, count): &(Date, Count)| count.of > 0 && next(*week) > input.period_first;
        if !watched.iter().any(is_judged) {
            let why = "no whole week of the period has anything to hold against the baseline";
            return Ok(Err(why.to_owned()));
        }
        Ok(Ok(Held { fixed, base, watched }))
    }

    fn add(&mut self, day: Date, found: bool, row_ref: i64) {
        let week = monday(day);
        let count = self.weeks.entry(week).or_insert(Count { found: 0, of: 0 });
        count.of += 1;
        if found {
            count.found += 1;
            self.refs.push((week, row_ref));
        }
    }

    /// The weeks from one Monday up to another, those without a row as nought out of nought.
    fn between(&self, from: Date, until: Date) -> Vec<(Date, Count)> {
        let mut found = Vec::new();
        let mut week = from;
        while next(week) <= until {
            let count = self.weeks.get(&week).copied();
            found.push((week, count.unwrap_or(Count { found: 0, of: 0 })));
            week = next(week);
        }
        found
    }
}

fn monday(day: Date) -> Date {
    let back = i64::from(day.weekday().to_monday_zero_offset());
    day.checked_sub(back.days()).unwrap_or(day)
}

/// The Monday after a week's.
pub fn next(week: Date) -> Date {
    week.checked_add(7.days()).unwrap_or(Date::MAX)
}

/// The first Monday on or after a day.
fn monday_from(day: Date) -> Date {
    let this = monday(day);
    if this == day { day } else { next(this) }
}

/// Closed cases that took longer than nine in ten of the baseline's.
fn slow_cases(input: &DeriveInput<'_>, term: &Term, level: &str) -> Result<Series, EngineError> {
    const TABLE: &str = "case_clock";
    const WANTED: [&str; 5] = ["service_level_id", "is_last", "closed_at", "total_us", "_ref"];
    let mut cases: Vec<(i64, i64, i64)> = Vec::new();
    input.tables.each(TABLE, &WANTED, &mut |batch| {
        let levels = rows::texts(batch, TABLE, "service_level_id")?;
        let last = rows::booleans(batch, TABLE, "is_last")?;
        let closed = rows::instants(batch, TABLE, "closed_at")?;
        let total = rows::integers(batch, TABLE, "total_us")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let here =
                some_text(&levels, row) == Some(level) && rows::boolean(&last, row) == Some(true);
            let times = rows::instant(&closed, row).zip(rows::integer(&total, row));
            if let (true, Some((closed, total))) = (here, times) {
                cases.push((closed, total, rows::integer(&refs, row).unwrap_or_default()));
            }
        }
        Ok(())
    })?;
    cases.sort_unstable();
    let what = format!("cases under {level} that took longer than nine in ten of the baseline");
    let mut series =
        Series::new(&format!("slow cases of {level}"), &what, ("case_event", "occurred_at"));
    let Some((from, until)) = term.baseline else { return Ok(series) };
    let (from_us, until_us) = (day_start_us(input.zone, from)?, day_start_us(input.zone, until)?);
    let mut base: Vec<i64> = cases
        .iter()
        .filter(|(closed, ..)| (from_us..until_us).contains(closed))
        .map(|(_, total, _)| *total)
        .collect();
    base.sort_unstable();
    // Nearest rank: the least value that nine in ten do not exceed.
    let place = (base.len() * 9).div_ceil(10).saturating_sub(1);
    let Some(limit) = base.get(place).copied() else { return Ok(series) };
    for (closed, total, row_ref) in
        cases.into_iter().filter(|(closed, ..)| *closed < input.as_of_us)
    {
        series.add(day_of_us(input.zone, closed)?, total > limit, row_ref);
    }
    Ok(series)
}
