//! Derived table `drift_signal`: whether a weekly series has left its agreed baseline, and how often such
//! an alarm is false.
//!
//! Owns which signal is told and in which words; the weeks and their baseline are those of
//! [`super::drift_series`]. It must never keep silent about a rise because a fall came after it.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_drift::{Baseline, Count, Direction, Rule, Watch};
use jiff::civil::Date;

use super::{
    super::{
        Derivation, DeriveInput,
        array::{self, Kind},
    },
    drift_series::{Series, next},
    record::{self, Term},
};
use crate::{
    error::EngineError,
    function::{decimal_text, scaled_ratio},
};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct DriftSignalTable;

/// Its name.
pub const NAME: &str = "drift_signal";

pub use super::drift_series::{LEAST_FOUND, LEAST_WEEKS};

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
        let judgements = record::judgements(input)?;
        for term in record::terms(input)?.values() {
            for series in Series::of_stream(input, term, &judgements)? {
                watch(input, term, &series, &mut found)?;
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

fn watch(
    input: &DeriveInput<'_>,
    term: &Term,
    series: &Series,
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
    match series.against_baseline(input, term)? {
        Err(why) => found.push(Row { gap: Some(why), ..blank }),
        Ok(held) => {
            for rule in Rule::ALL {
                found.push(say(input, &blank, series, &held.fixed, rule, &held.watched));
            }
        }
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
