//! Derived table `feed_day`: the intervals of [`super::feed_day`] from the rows of an arrangement.
//!
//! Owns the reading of feeds and the counting of rows held by civil day; it must never judge.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::Zone;
use jiff::civil::Date;

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    feed_day::{Entry, Feed, FeedDay, Held, feed_days},
    register::{read_calendars, some_text},
    worktime::WorkCalendar,
};
use crate::{error::EngineError, period::Period, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct FeedDayTable;

/// Its name.
pub const NAME: &str = "feed_day";

/// Event tables, each with the column of the instant at which a row lies.
const DATED: &[(&str, &str)] = &[
    ("case_event", "occurred_at"),
    ("credit_taken", "taken_at"),
    ("handover", "made_at"),
    ("meeting", "starts_at"),
    ("provider_report", "reported_at"),
    ("lot", "submitted_at"),
    ("inspection", "inspected_at"),
    ("defect", "found_at"),
    ("complaint", "received_at"),
];

/// Reads `evidence_feed`.
///
/// # Errors
/// A table that lacks a column.
pub fn read_feeds(input: &DeriveInput<'_>) -> Result<Vec<Feed>, EngineError> {
    const TABLE: &str = "evidence_feed";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (ids, tables, sources, entries) =
            (text("feed_id")?, text("table_name")?, text("source")?, text("entry")?);
        let (cadences, calendars, columns) =
            (text("cadence")?, text("calendar_id")?, text("sum_column")?);
        let counts = rows::integers(&batch, TABLE, "expected_count")?;
        let sums = rows::decimals(&batch, TABLE, "expected_sum")?;
        let nil = rows::booleans(&batch, TABLE, "nil_return")?;
        let totals = rows::booleans(&batch, TABLE, "totals")?;
        let (from, to) =
            (rows::dates(&batch, TABLE, "valid_from")?, rows::dates(&batch, TABLE, "valid_to")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let entry = match some_text(&entries, row) {
                Some("declared") => Entry::Declared,
                Some("delivered") => Entry::Delivered,
                Some("complete") => Entry::Complete,
                _ => continue,
            };
            let Some(from) = rows::date(&from, row) else { continue };
            found.push(Feed {
                feed_id: some_text(&ids, row).unwrap_or_default().to_owned(),
                table: some_text(&tables, row).unwrap_or_default().to_owned(),
                source: some_text(&sources, row).map(str::to_owned),
                entry,
                cadence: some_text(&cadences, row).unwrap_or("day").to_owned(),
                calendar_id: some_text(&calendars, row).map(str::to_owned),
                expected_count: rows::integer(&counts, row),
                expected_sum: some_text(&columns, row)
                    .map(str::to_owned)
                    .zip(rows::decimal(&sums, row)),
                nil_return: rows::boolean(&nil, row).unwrap_or(false),
                totals: rows::boolean(&totals, row).unwrap_or(false),
                from,
                to: rows::date(&to, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

/// Counts the rows held of the event tables that feeds name.
///
/// # Errors
/// A table that lacks a column.
pub fn read_held(input: &DeriveInput<'_>, feeds: &[Feed]) -> Result<Held, EngineError> {
    read_held_of(input, feeds, DATED)
}

/// The same for some event tables, each with the column of the instant at which a row lies.
pub(super) fn read_held_of(
    input: &DeriveInput<'_>,
    feeds: &[Feed],
    dated: &[(&str, &str)],
) -> Result<Held, EngineError> {
    let zone = Zone::find(input.zone).map_err(|error| EngineError::Time(error.to_string()))?;
    let mut held = Held::default();
    for (table, occurred) in dated {
        let mut columns: Vec<&str> = feeds
            .iter()
            .filter(|feed| feed.table == *table)
            .filter_map(|feed| Some(feed.expected_sum.as_ref()?.0.as_str()))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let mut wanted = vec!["source", *occurred];
        wanted.extend(columns.iter().filter(|name| **name != *occurred && **name != "source"));
        input.tables.each(table, &wanted, &mut |batch| {
            count_batch(&mut held, batch, (table, occurred), &columns, &zone)
        })?;
    }
    Ok(held)
}

fn count_batch(
    held: &mut Held,
    batch: &RecordBatch,
    (table, occurred): (&str, &str),
    columns: &[&str],
    zone: &Zone,
) -> Result<(), EngineError> {
    let (sources, at) =
        (rows::texts(batch, table, "source")?, rows::instants(batch, table, occurred)?);
    // A log is long and its days are few: ask the zone once per day and source.
    let mut day_of = DayOf { zone, known: None };
    let mut counts: BTreeMap<(Option<&str>, Option<Date>), i64> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let day = rows::instant(&at, row).and_then(|us| day_of.day(us));
        *counts.entry((some_text(&sources, row), day)).or_default() += 1;
    }
    for ((source, day), count) in counts {
        held.add(table, source.unwrap_or_default(), day, count);
    }
    for column in columns {
        let values = numbers(batch, table, column)?;
        for (row, value) in values.into_iter().enumerate() {
            let day = rows::instant(&at, row).and_then(|us| day_of.day(us));
            held.add_sum(
                table,
                some_text(&sources, row).unwrap_or_default(),
                column,
                day,
                value.unwrap_or_default(),
            );
        }
    }
    Ok(())
}

struct DayOf<'a> {
    zone: &'a Zone,
    known: Option<(i64, i64, Date)>,
}

impl DayOf<'_> {
    fn day(&mut self, us: i64) -> Option<Date> {
        if let Some((from, until, day)) = self.known
            && (from..until).contains(&us)
        {
            return Some(day);
        }
        let day = self.zone.date(us)?;
        let start = |day: Date| self.zone.day_start_us(day).ok();
        if let (Some(from), Some(until)) = (start(day), day.tomorrow().ok().and_then(start)) {
            self.known = Some((from, until, day));
        }
        Some(day)
    }
}

/// A column of numbers in units of 10⁻⁹.
fn numbers(
    batch: &RecordBatch,
    table: &str,
    column: &str,
) -> Result<Vec<Option<i128>>, EngineError> {
    if let Ok(whole) = rows::integers(batch, table, column) {
        let nanos = |row| rows::integer(&whole, row).map(|value| i128::from(value) * 1_000_000_000);
        return Ok((0..whole.len()).map(nanos).collect());
    }
    let exact = rows::decimals(batch, table, column)?;
    Ok((0..exact.len()).map(|row| rows::decimal(&exact, row)).collect())
}

/// Whether a calendar works on a civil day of its own zone.
fn works(calendars: &BTreeMap<String, WorkCalendar>, id: &str, day: Date) -> Result<bool, String> {
    let calendar = calendars.get(id).ok_or_else(|| format!("no calendar `{id}`"))?;
    // Noon in the middle of the UTC day lies in the version in force, near enough to find its zone.
    let near = day
        .at(12, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map(|noon| noon.timestamp().as_microsecond());
    let zone = near.ok().and_then(|noon| calendar.zone_at(noon));
    let zone = zone.ok_or_else(|| format!("no version of calendar `{id}` in force on {day}"))?;
    let start = |day: Date| zone.day_start_us(day).map_err(|error| error.to_string());
    let (from, until) = (start(day)?, start(day.tomorrow().unwrap_or(day))?);
    Ok(calendar.working_us(from, until).map_err(|gap| gap.to_string())? > 0)
}

/// Whether a calendar of the arrangement works on a civil day.
type Works = Box<dyn Fn(&str, Date) -> Result<bool, String>>;

/// A reader of the arrangement's calendars.
pub(super) fn works_of(input: &DeriveInput<'_>) -> Result<Works, EngineError> {
    let calendars = read_calendars(input)?;
    Ok(Box::new(move |id, day| works(&calendars, id, day)))
}

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("feed_id", Kind::Text),
    ("table_name", Kind::Text),
    ("source", Kind::Text),
    ("cadence", Kind::Text),
    ("day", Kind::Date),
    ("interval_end", Kind::Date),
    ("expected_count", Kind::Integer),
    ("held_count", Kind::Integer),
    ("expected_sum", Kind::Decimal),
    ("held_sum", Kind::Decimal),
    ("nil_return", Kind::Flag),
    ("arrived", Kind::Flag),
    ("outcome", Kind::Text),
    ("reason", Kind::Text),
    ("delivered", Kind::Refs),
    ("_ref", Kind::Integer),
];

impl Derivation for FeedDayTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each interval in which evidence was expected: what was sent, what is held, whether it adds up."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["evidence_feed"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &[
            "case_event",
            "credit_taken",
            "handover",
            "meeting",
            "provider_report",
            "lot",
            "inspection",
            "defect",
            "complaint",
            "calendar",
            "holiday",
        ]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let days = read(input)?;
        let arrays = vec![
            array::texts(days.iter().map(|_| Some(input.arrangement_id))),
            array::texts(days.iter().map(|day| Some(day.feed_id.as_str()))),
            array::texts(days.iter().map(|day| Some(day.table.as_str()))),
            array::texts(days.iter().map(|day| day.source.as_deref())),
            array::texts(days.iter().map(|day| Some(day.cadence.as_str()))),
            array::dates(days.iter().map(|day| Some(day.first))),
            array::dates(days.iter().map(|day| Some(day.after))),
            array::integers(days.iter().map(|day| day.expected_count)),
            array::integers(days.iter().map(|day| Some(day.held_count))),
            array::decimals(days.iter().map(|day| day.expected_sum)),
            array::decimals(days.iter().map(|day| day.held_sum)),
            array::flags(days.iter().map(|day| Some(day.nil_return))),
            array::flags(days.iter().map(|day| Some(day.arrival.is_there()))),
            array::texts(days.iter().map(|day| Some(day.arrival.as_str()))),
            array::texts(days.iter().map(|day| Some(day.reason.as_str()))),
            array::refs(days.iter().map(|day| day.delivered.as_slice())),
            array::integers(days.iter().map(|day| day.row_ref)),
        ];
        array::batch(NAME, self.schema(), arrays)
    }
}

/// Judges the intervals of one arrangement and period from its tables.
///
/// # Errors
/// An unknown zone, or a table that lacks a column.
pub fn read(input: &DeriveInput<'_>) -> Result<Vec<FeedDay>, EngineError> {
    let feeds = read_feeds(input)?;
    let held = read_held(input, &feeds)?;
    let calendars = read_calendars(input)?;
    let zone = Zone::find(input.zone).map_err(|error| EngineError::Time(error.to_string()))?;
    let running = input.as_of_us < input.period_end_us;
    let today = if running { zone.date(input.as_of_us) } else { None };
    let period = Period { first: input.period_first, after: input.period_after };
    Ok(feed_days(&feeds, &held, &|id, day| works(&calendars, id, day), period, today))
}
