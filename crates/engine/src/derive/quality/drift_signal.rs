//! Derived table `drift_signal`: whether a weekly series has left its agreed baseline, and how often such
//! an alarm is false.
//!
//! Owns the series: the share of defective items among those inspected, and, where a service level is
//! named, the share of cases that took longer than nine in ten of the baseline. Weeks run from Monday in
//! the arrangement's zone; only whole weeks count. It must never move the baseline, and never pass over
//! weeks whose evidence did not come.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_drift::{Baseline, Count, Direction, Law, Rule, Watch};
use jiff::{ToSpan as _, civil::Date};

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
        register::some_text,
    },
    history,
    record::{self, Term},
};
use crate::{
    error::EngineError,
    function::{decimal_text, scaled_ratio},
    period::{day_of_us, day_start_us},
    rows,
};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct DriftSignalTable;

/// Its name.
pub const NAME: &str = "drift_signal";

/// Whole weeks below which a baseline is none.
pub const LEAST_WEEKS: usize = 8;
/// Defective items or slow cases below which a baseline is none.
pub const LEAST_FOUND: u64 = 5;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("stream", Kind::Text),
    ("series", Kind::Text),
    ("rule", Kind::Text),
    ("baseline_from", Kind::Date),
    ("baseline_until", Kind::Date),
    ("baseline_found", Kind::Integer),
    ("baseline_of", Kind::Integer),
    ("weeks", Kind::Integer),
    ("signal", Kind::Text),
    ("signalled_on", Kind::Date),
    ("since", Kind::Date),
    ("found_since", Kind::Integer),
    ("of_since", Kind::Integer),
    ("value", Kind::Decimal),
    ("false_alarm_weeks", Kind::Integer),
    ("sentence", Kind::Text),
    ("gap_reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone, Default)]
struct Row {
    stream: String,
    series: String,
    rule: Option<Rule>,
    baseline: Option<(Date, Date)>,
    fixed: Option<Count>,
    weeks: Option<i64>,
    signal: Option<Signal>,
    false_alarm: Option<i64>,
    sentence: Option<String>,
    gap: Option<String>,
    refs: Vec<i64>,
    row_ref: i64,
}

#[derive(Debug, Clone, Copy)]
struct Signal {
    direction: Direction,
    week: Date,
    since: Date,
    sum: Count,
    value_thousandths: i64,
}

impl Derivation for DriftSignalTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Weekly series of defects and slow cases against their agreed baseline: CUSUM and EWMA, with their false-alarm rate."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["quality_term", "inspection"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["case_clock", "case_event", "evidence_feed", "calendar", "holiday"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let mut found = Vec::new();
        let terms = record::terms(input)?;
        let judgements = record::judgements(input)?;
        for term in terms.values() {
            let mut defects = Series::new("defects", "defective items");
            for one in judgements.iter().filter(|one| one.stream == term.stream && !one.blind) {
                let day = day_of_us(input.zone, one.at_us)?;
                defects.add(day, one.is_defective(), one.row_ref);
            }
            let table = ("inspection", "inspected_at");
            watch(input, term, &defects, table, &mut found)?;
            if let Some(level) = &term.service_level {
                let slow = slow_cases(input, term, level)?;
                watch(input, term, &slow, ("case_event", "occurred_at"), &mut found)?;
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

/// Counts by week.
struct Series {
    name: String,
    what: String,
    weeks: BTreeMap<Date, Count>,
    refs: Vec<(Date, i64)>,
}

impl Series {
    fn new(name: &str, what: &str) -> Self {
        Self { name: name.into(), what: what.into(), weeks: BTreeMap::new(), refs: Vec::new() }
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

fn next(week: Date) -> Date {
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
    let mut series = Series::new(&format!("slow cases of {level}"), &what);
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

fn watch(
    input: &DeriveInput<'_>,
    term: &Term,
    series: &Series,
    table: (&'static str, &'static str),
    found: &mut Vec<Row>,
) -> Result<(), EngineError> {
    let blank = Row {
        stream: term.stream.clone(),
        series: series.name.clone(),
        baseline: term.baseline,
        refs: vec![term.row_ref],
        row_ref: term.row_ref,
        ..Row::default()
    };
    let gap = |why: String| Row { gap: Some(why), ..blank.clone() };
    let Some((from, until)) = term.baseline else {
        found.push(gap("no baseline period is agreed".to_owned()));
        return Ok(());
    };
    if let Some(reason) = history::lacking(input, table, from)? {
        found.push(gap(format!("the baseline or the weeks after it lack evidence: {reason}")));
        return Ok(());
    }
    let weeks = series.between(monday_from(from), until);
    let counts: Vec<Count> =
        weeks.iter().map(|(_, count)| *count).filter(|count| count.of > 0).collect();
    let fixed = Baseline::fix(&counts, Law::Share)
        .filter(|fixed| counts.len() >= LEAST_WEEKS && fixed.count.found >= LEAST_FOUND);
    let Some(fixed) = fixed else {
        let sum: u64 = counts.iter().map(|count| count.found).sum();
        found.push(gap(format!(
            "the baseline has {} weeks with {sum} {}; {LEAST_WEEKS} weeks with {LEAST_FOUND} are needed",
            counts.len(),
            series.what
        )));
        return Ok(());
    };
    let end = match input.as_of_us < input.period_end_us {
        true => day_of_us(input.zone, input.as_of_us)?,
        false => input.period_after,
    };
    let watched = series.between(monday_from(until), end);
    let judged = watched
        .iter()
        .filter(|(week, count)| count.of > 0 && next(*week) > input.period_first)
        .count();
    if judged == 0 {
        let why = "no whole week of the period has anything to hold against the baseline";
        found.push(gap(why.to_owned()));
        return Ok(());
    }
    for rule in Rule::ALL {
        found.push(say(input, &blank, series, &fixed, rule, &watched));
    }
    Ok(())
}

fn say(
    input: &DeriveInput<'_>,
    blank: &Row,
    series: &Series,
    fixed: &Baseline,
    rule: Rule,
    watched: &[(Date, Count)],
) -> Row {
    let counts: Vec<Count> = watched.iter().map(|(_, count)| *count).collect();
    let watch = Watch::over(rule, fixed, &counts);
    let judged = |week: &Date| next(*week) > input.period_first;
    let signals =
        watch.points.iter().enumerate().zip(watched).filter_map(|((place, point), (week, _))| {
            let direction = point.signal.filter(|_| judged(week))?;
            let since = watched.get(point.since)?.0;
            let run = counts.get(point.since..=place)?;
            let sum = run.iter().fold(Count { found: 0, of: 0 }, |sum, count| Count {
                found: sum.found + count.found,
                of: sum.of + count.of,
            });
            Some(Signal {
                direction,
                week: *week,
                since,
                sum,
                value_thousandths: point.value_thousandths,
            })
        });
    // The last rise of the period, else the last fall.
    let signals: Vec<Signal> = signals.collect();
    let rise = signals.iter().rev().find(|signal| signal.direction == Direction::Up);
    let signal = rise.or(signals.last()).copied();
    let refs = signal.map(|signal| {
        let of_run =
            series.refs.iter().filter(|(week, _)| *week >= signal.since && *week <= signal.week);
        of_run.map(|(_, row_ref)| *row_ref).collect::<Vec<_>>()
    });
    let false_alarm = watch.false_alarm_every.and_then(|weeks| i64::try_from(weeks).ok());
    Row {
        rule: Some(rule),
        fixed: Some(fixed.count),
        weeks: i64::try_from(watched.len()).ok(),
        signal,
        false_alarm,
        sentence: Some(sentence(&series.what, fixed, signal, &counts, false_alarm)),
        refs: blank.refs.iter().copied().chain(refs.into_iter().flatten()).collect(),
        ..blank.clone()
    }
}

fn share(count: Count) -> String {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let percent = scaled_ratio(number(count.found), number(count.of), 4);
    let percent = percent.map(|units| decimal_text(units, 2)).unwrap_or_default();
    format!("{percent} % ({} of {})", count.found, count.of)
}

fn sentence(
    what: &str,
    fixed: &Baseline,
    signal: Option<Signal>,
    counts: &[Count],
    false_alarm: Option<i64>,
) -> String {
    let base = share(fixed.count);
    let alarm = match false_alarm {
        Some(weeks) => format!("a false alarm comes once in {weeks} weeks"),
        None => "how often a false alarm comes cannot be told".to_owned(),
    };
    match signal {
        Some(signal) => {
            let way = if signal.direction == Direction::Up { "above" } else { "below" };
            format!(
                "the share of {what} has run {way} its baseline since {}: {}, in the baseline {base}; {alarm}",
                signal.since,
                share(signal.sum)
            )
        }
        None => {
            let sum = counts.iter().fold(Count { found: 0, of: 0 }, |sum, count| Count {
                found: sum.found + count.found,
                of: sum.of + count.of,
            });
            format!(
                "the share of {what} keeps to its baseline: {} since, in the baseline {base}; {alarm}",
                share(sum)
            )
        }
    }
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let number = |value: u64| i64::try_from(value).ok();
    let word = |signal: &Signal| if signal.direction == Direction::Up { "up" } else { "down" };
    let nano = |signal: Signal| i128::from(signal.value_thousandths) * 1_000_000;
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(found.iter().map(|row| Some(row.series.as_str()))),
        array::texts(found.iter().map(|row| row.rule.map(Rule::word))),
        array::dates(found.iter().map(|row| row.baseline.map(|days| days.0))),
        array::dates(found.iter().map(|row| row.baseline.map(|days| days.1))),
        array::integers(found.iter().map(|row| number(row.fixed?.found))),
        array::integers(found.iter().map(|row| number(row.fixed?.of))),
        array::integers(found.iter().map(|row| row.weeks)),
        array::texts(found.iter().map(|row| row.signal.as_ref().map(word))),
        array::dates(found.iter().map(|row| Some(row.signal?.week))),
        array::dates(found.iter().map(|row| Some(row.signal?.since))),
        array::integers(found.iter().map(|row| number(row.signal?.sum.found))),
        array::integers(found.iter().map(|row| number(row.signal?.sum.of))),
        array::decimals(found.iter().map(|row| row.signal.map(nano))),
        array::integers(found.iter().map(|row| row.false_alarm)),
        array::texts(found.iter().map(|row| row.sentence.as_deref())),
        array::texts(found.iter().map(|row| row.gap.as_deref())),
        array::refs(found.iter().map(|row| row.refs.as_slice())),
        array::integers(found.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
