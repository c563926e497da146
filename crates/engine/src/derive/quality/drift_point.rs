//! Derived table `drift_point`: the weeks behind [`super::drift_signal`], for whoever wants to see them:
//! what was found, the limits of the p chart, and where CUSUM and EWMA stood.
//!
//! Owns the laying out. It must never tell of a series that `drift_signal` calls a gap.
//!
//! | column | |
//! |---|---|
//! | `stream`, `series`, `week` | what is watched; the Monday that the week begins with |
//! | `part` | `baseline` or `watched` |
//! | `in_period` | whether a signal of the week counts in the period |
//! | `found`, `of` | defective items, or slow cases, and out of how many |
//! | `centre`, `lower`, `upper` | the baseline's share and three standard deviations of a count out of `of`, to six places |
//! | `cusum`, `ewma` | what the rules stand at, in standard deviations, to three places; null in the baseline |
//! | `cusum_signal`, `ewma_signal` | `up` or `down` beyond the limit |
//!
//! `_ref` is the row of the terms.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_drift::{Baseline, Count, Direction, Point, Rule, Watch};
use jiff::civil::Date;

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
    },
    drift_series::{Held, Series, next},
    record::{self, Term},
};
use crate::{error::EngineError, function::scaled_ratio};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct DriftPointTable;

/// Its name.
pub const NAME: &str = "drift_point";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("stream", Kind::Text),
    ("series", Kind::Text),
    ("week", Kind::Date),
    ("part", Kind::Text),
    ("in_period", Kind::Flag),
    ("found", Kind::Integer),
    ("of", Kind::Integer),
    ("centre", Kind::Decimal),
    ("lower", Kind::Decimal),
    ("upper", Kind::Decimal),
    ("cusum", Kind::Decimal),
    ("cusum_signal", Kind::Text),
    ("ewma", Kind::Decimal),
    ("ewma_signal", Kind::Text),
    ("_ref", Kind::Integer),
];

struct Row {
    stream: String,
    series: String,
    week: Date,
    in_period: bool,
    count: Count,
    /// Millionths.
    centre: Option<i128>,
    limits: Option<(u64, u64)>,
    /// CUSUM and EWMA.
    rules: Option<(Point, Point)>,
    row_ref: i64,
}

impl Derivation for DriftPointTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "The weeks behind drift_signal: what was found, limits of the p chart, CUSUM and EWMA."
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
        let judgements = record::judgements(input)?;
        for term in record::terms(input)?.values() {
            for series in Series::of_stream(input, term, &judgements)? {
                if let Ok(held) = series.against_baseline(input, term)? {
                    add(input, term, &series.name, &held, &mut found);
                }
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

fn add(input: &DeriveInput<'_>, term: &Term, series: &str, held: &Held, found: &mut Vec<Row>) {
    let counts: Vec<Count> = held.watched.iter().map(|(_, count)| *count).collect();
    let over = |rule| Watch::over(rule, &held.fixed, &counts).points;
    let points = over(Rule::Cusum).into_iter().zip(over(Rule::Ewma));
    let row = |(week, count): (Date, Count), rules: Option<(Point, Point)>| Row {
        stream: term.stream.clone(),
        series: series.to_owned(),
        week,
        in_period: rules.is_some() && next(week) > input.period_first,
        count,
        centre: centre(&held.fixed),
        limits: held.fixed.limits_millionths(count.of),
        rules,
        row_ref: term.row_ref,
    };
    found.extend(held.base.iter().map(|week| row(*week, None)));
    found.extend(held.watched.iter().zip(points).map(|(week, rules)| row(*week, Some(rules))));
}

/// The baseline's share in millionths.
fn centre(fixed: &Baseline) -> Option<i128> {
    let number = |value: u64| i64::try_from(value).ok();
    scaled_ratio(number(fixed.count.found)?, number(fixed.count.of)?, 6)
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let number = |value: u64| i64::try_from(value).ok();
    let word =
        |point: Point| point.signal.map(|way| if way == Direction::Up { "up" } else { "down" });
    let part = |row: &Row| if row.rules.is_some() { "watched" } else { "baseline" };
    let limit = |of: fn((u64, u64)) -> u64| {
        array::decimals(found.iter().map(move |row| Some(i128::from(of(row.limits?)) * 1_000)))
    };
    let value = |of: fn((Point, Point)) -> Point| {
        array::decimals(
            found
                .iter()
                .map(move |row| Some(i128::from(of(row.rules?).value_thousandths) * 1_000_000)),
        )
    };
    let signal = |of: fn((Point, Point)) -> Point| {
        array::texts(found.iter().map(move |row| word(of(row.rules?))))
    };
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| Some(row.stream.as_str()))),
        array::texts(found.iter().map(|row| Some(row.series.as_str()))),
        array::dates(found.iter().map(|row| Some(row.week))),
        array::texts(found.iter().map(|row| Some(part(row)))),
        array::flags(found.iter().map(|row| Some(row.in_period))),
        array::integers(found.iter().map(|row| number(row.count.found))),
        array::integers(found.iter().map(|row| number(row.count.of))),
        array::decimals(found.iter().map(|row| row.centre.map(|units| units * 1_000))),
        limit(|limits| limits.0),
        limit(|limits| limits.1),
        value(|rules| rules.0),
        signal(|rules| rules.0),
        value(|rules| rules.1),
        signal(|rules| rules.1),
        array::integers(found.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
