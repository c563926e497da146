//! Reading the registers of an arrangement as typed rows.
//!
//! Owns the step from batches to the rows of [`super::terms`]; it must never decide which row holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::{array::RecordBatch, datatypes::DataType};
use backstay_calendar::{Span, Zone};
use jiff::civil::Date;

use super::{
    DeriveInput,
    terms::{
        ClockStart, CountsIn, ExclusionRequest, Metric, RequestDeadline, ServiceLevel, Versions,
    },
    warning::{self, Warning},
    worktime::{CalendarRow, HolidayRow, WorkCalendar},
};
use crate::{
    error::EngineError,
    period::{SubWindow, Window},
    rows,
};

/// One text column of a register, by key.
pub(crate) type Named = BTreeMap<String, Versions<Option<Arc<str>>>>;

/// Text of a row; empty text counts as none.
pub(super) fn some_text(array: &arrow::array::StringArray, row: usize) -> Option<&str> {
    rows::text(array, row).filter(|text| !text.is_empty())
}

/// Items of a list column, separated by `|`.
pub(super) fn items(array: &arrow::array::StringArray, row: usize) -> Vec<String> {
    let text = rows::text(array, row).unwrap_or_default();
    text.split('|').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

pub(super) fn arc(text: Option<&str>) -> Option<Arc<str>> {
    text.map(Arc::from)
}

/// The instants between which a register row holds.
pub(super) fn validity(
    batch: &RecordBatch,
    table: &str,
    zone: &Zone,
) -> Result<Vec<Span>, EngineError> {
    let (from, to) =
        (rows::dates(batch, table, "valid_from")?, rows::dates(batch, table, "valid_to")?);
    let start = |day: Option<Date>, open: i64| {
        day.map_or(Ok(open), |day| zone.day_start_us(day))
            .map_err(|error| EngineError::Time(error.to_string()))
    };
    (0..batch.num_rows())
        .map(|row| {
            Ok((start(rows::date(&from, row), i64::MIN)?, start(rows::date(&to, row), i64::MAX)?))
        })
        .collect()
}

pub(super) fn read_default_site(
    input: &DeriveInput<'_>,
    zone: &Zone,
) -> Result<Versions<Option<Arc<str>>>, EngineError> {
    let mut found = Versions::default();
    for batch in input.tables.batches("arrangement")? {
        let site = rows::texts(&batch, "arrangement", "default_site_id")?;
        for (row, (from, until)) in validity(&batch, "arrangement", zone)?.into_iter().enumerate() {
            found.push(from, until, arc(some_text(&site, row)));
        }
    }
    found.settle();
    Ok(found)
}

/// The rows of a register by key, each between the instants in which it holds. `columns` takes the
/// columns of a batch and gives what reads a row of them: key and value, or none for a row that says
/// nothing.
///
/// # Errors
/// A table that lacks a column, a day that no clock has.
pub(super) fn read_keyed<K, T, R>(
    input: &DeriveInput<'_>,
    zone: &Zone,
    table: &str,
    columns: impl Fn(&RecordBatch) -> Result<R, EngineError>,
) -> Result<BTreeMap<K, Versions<T>>, EngineError>
where
    K: Ord,
    R: Fn(usize, Span) -> Option<(K, T)>,
{
    let mut found: BTreeMap<K, Versions<T>> = BTreeMap::new();
    for batch in input.tables.batches(table)? {
        let read = columns(&batch)?;
        for (row, holds) in validity(&batch, table, zone)?.into_iter().enumerate() {
            if let Some((key, value)) = read(row, holds) {
                found.entry(key).or_default().push(holds.0, holds.1, value);
            }
        }
    }
    found.values_mut().for_each(Versions::settle);
    Ok(found)
}

/// One text column of a register by its key, with validity.
pub(crate) fn read_named(
    input: &DeriveInput<'_>,
    zone: &Zone,
    table: &str,
    key: &str,
    value: &str,
) -> Result<Named, EngineError> {
    read_keyed(input, zone, table, |batch| {
        let (keys, values) = (rows::texts(batch, table, key)?, rows::texts(batch, table, value)?);
        Ok(move |row, _| Some((some_text(&keys, row)?.to_owned(), arc(some_text(&values, row)))))
    })
}

const SERVICE_LEVEL: &str = "service_level";

/// Columns of `service_level` that vocabularies kept by release 0.1.0 do not have.
pub(crate) const YOUNGER: &[(&str, DataType)] = &[
    ("own_metric", DataType::Utf8),
    ("kind", DataType::Utf8),
    ("rolling_months", DataType::Int64),
    ("sub_window", DataType::Utf8),
    ("update_activities", DataType::Utf8),
    ("warn_share", DataType::Decimal128(38, 9)),
    ("warn_before", DataType::Int64),
    ("warn_calendar_id", DataType::Utf8),
    ("exclusion_deadline_days", DataType::Int64),
    ("exclusion_deadline_counts", DataType::Utf8),
];

pub(super) fn read_service_levels(
    input: &DeriveInput<'_>,
    zone: &Zone,
) -> Result<BTreeMap<Arc<str>, Versions<ServiceLevel>>, EngineError> {
    let mut found: BTreeMap<Arc<str>, Versions<ServiceLevel>> = BTreeMap::new();
    for batch in input.tables.batches(SERVICE_LEVEL)? {
        let valid = validity(&batch, SERVICE_LEVEL, zone)?;
        let batch = rows::with_younger(&batch, SERVICE_LEVEL, YOUNGER)?;
        for (level, (from, until)) in levels(&batch)?.into_iter().zip(valid) {
            let Some(level) = level else { continue };
            found.entry(level.id.clone()).or_default().push(from, until, level);
        }
    }
    found.values_mut().for_each(Versions::settle);
    Ok(found)
}

/// The rows of a batch; none for one that names no service level or no metric.
fn levels(batch: &RecordBatch) -> Result<Vec<Option<ServiceLevel>>, EngineError> {
    let text = |name| rows::texts(batch, SERVICE_LEVEL, name);
    let number = |name| rows::integers(batch, SERVICE_LEVEL, name);
    let decimal = |name| rows::decimals(batch, SERVICE_LEVEL, name);
    let (ids, titles, metrics, own) =
        (text("service_level_id")?, text("title")?, text("metric")?, text("own_metric")?);
    let (priorities, types, windows) = (text("priorities")?, text("case_types")?, text("window")?);
    let (counts, starts, subs) = (text("counts_in")?, text("clock_starts")?, text("sub_window")?);
    let (stop, paused, rule) =
        (text("stop_states")?, text("paused_states")?, text("priority_rule")?);
    let (calendars, warned, updates) =
        (text("calendar_id")?, text("warn_calendar_id")?, text("update_activities")?);
    let (reasons, basis, source) = (text("exclusion_reasons")?, text("basis")?, text("source")?);
    let (target, minimum, share) =
        (decimal("target")?, decimal("minimum")?, decimal("warn_share")?);
    let (threshold, before, rolling) =
        (number("threshold")?, number("warn_before")?, number("rolling_months")?);
    let (days, days_count) =
        (number("exclusion_deadline_days")?, text("exclusion_deadline_counts")?);
    let refs = number("_ref")?;
    let level = |row: usize| {
        let id: Arc<str> = some_text(&ids, row)?.into();
        let metric_id = some_text(&metrics, row).or_else(|| some_text(&own, row))?;
        let metric = Metric::of(metric_id);
        let warning = match (rows::integer(&before, row), rows::decimal(&share, row)) {
            (Some(left_us), _) => Warning::Before(left_us),
            (None, Some(share)) => Warning::Share(share),
            (None, None) => warning::DEFAULT,
        };
        let deadline = rows::integer(&days, row).and_then(|days| u32::try_from(days).ok());
        let working = some_text(&days_count, row) == Some("working-days");
        Some(ServiceLevel {
            id,
            title: some_text(&titles, row).unwrap_or_default().to_owned(),
            metric,
            metric_id: metric_id.into(),
            priorities: items(&priorities, row),
            case_types: items(&types, row),
            target: rows::decimal(&target, row),
            minimum: rows::decimal(&minimum, row),
            threshold_us: rows::integer(&threshold, row),
            window: some_text(&windows, row)
                .and_then(|word| Window::parse(word, rows::integer(&rolling, row)))
                .unwrap_or(Window::Month),
            sub_window: some_text(&subs, row).and_then(SubWindow::parse),
            update_activities: items(&updates, row),
            warning,
            warn_calendar_id: arc(some_text(&warned, row)),
            exclusion_deadline: deadline.map(|days| RequestDeadline { days, working }),
            counts_in: match some_text(&counts, row) {
                Some("opened") => CountsIn::Opened,
                Some("closed") => CountsIn::Closed,
                // Without a threshold there is no deadline, and volume has none to have.
                _ if metric == Metric::Volume => CountsIn::Opened,
                _ => CountsIn::Due,
            },
            clock_starts: some_text(&starts, row)
                .and_then(ClockStart::parse)
                .unwrap_or(ClockStart::Opened),
            stop_states: items(&stop, row),
            paused_states: items(&paused, row),
            first_priority: some_text(&rule, row) == Some("first"),
            calendar_id: arc(some_text(&calendars, row)),
            exclusion_reasons: items(&reasons, row),
            basis: some_text(&basis, row).unwrap_or_default().to_owned(),
            source: some_text(&source, row).map(str::to_owned),
            row_ref: rows::integer(&refs, row).unwrap_or_default(),
        })
    };
    Ok((0..batch.num_rows()).map(level).collect())
}

/// Calendars by id, compiled with the holidays of their places.
pub(crate) fn read_calendars(
    input: &DeriveInput<'_>,
) -> Result<BTreeMap<String, WorkCalendar>, EngineError> {
    const TABLE: &str = "calendar";
    let holidays = read_holidays(input)?;
    let mut by_id: BTreeMap<String, Vec<CalendarRow>> = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (ids, zones, night) = (text("calendar_id")?, text("time_zone")?, text("night_shift")?);
        let (places, kinds) = (text("holiday_places")?, text("holiday_kinds")?);
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let week = days.into_iter().map(text).collect::<Result<Vec<_>, _>>()?;
        let day = |name| rows::dates(&batch, TABLE, name);
        let (known_from, known_until) = (day("covered_from")?, day("covered_until")?);
        let (from, to) = (day("valid_from")?, day("valid_to")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(id) = some_text(&ids, row) else { continue };
            let mut calendar = CalendarRow {
                id: id.to_owned(),
                zone: some_text(&zones, row).unwrap_or_default().to_owned(),
                week: Default::default(),
                places: items(&places, row),
                kinds: items(&kinds, row),
                night_shift: some_text(&night, row).map(str::to_owned),
                covered_from: rows::date(&known_from, row),
                covered_until: rows::date(&known_until, row),
                valid_from: rows::date(&from, row),
                valid_to: rows::date(&to, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            for (windows, column) in calendar.week.iter_mut().zip(&week) {
                *windows = some_text(column, row).unwrap_or_default().to_owned();
            }
            by_id.entry(id.to_owned()).or_default().push(calendar);
        }
    }
    let mut calendars: BTreeMap<String, WorkCalendar> = by_id
        .into_iter()
        .map(|(id, rows)| (id.clone(), WorkCalendar::compile(&id, &rows, &holidays)))
        .collect();
    if let Some(swap) = input.supposed_calendar
        && let Some(meant) = calendars.get(&swap.meant).cloned()
    {
        calendars.insert(swap.named.clone(), meant);
    }
    Ok(calendars)
}

fn read_holidays(input: &DeriveInput<'_>) -> Result<Vec<HolidayRow>, EngineError> {
    const TABLE: &str = "holiday";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (places, names, kinds) = (text("place")?, text("name")?, text("kind")?);
        let (windows, sources) = (text("windows")?, text("source")?);
        let on = rows::dates(&batch, TABLE, "on_date")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(on) = rows::date(&on, row) else { continue };
            found.push(HolidayRow {
                place: some_text(&places, row).unwrap_or_default().to_owned(),
                on,
                name: some_text(&names, row).unwrap_or_default().to_owned(),
                kind: some_text(&kinds, row).unwrap_or_default().to_owned(),
                windows: some_text(&windows, row).map(str::to_owned),
                source: some_text(&sources, row).unwrap_or_default().to_owned(),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    Ok(found)
}

/// Requests to leave a case out, by case, and whether any row is held.
pub(super) fn read_exclusions(
    input: &DeriveInput<'_>,
) -> Result<(BTreeMap<String, Vec<ExclusionRequest>>, bool), EngineError> {
    const TABLE: &str = "exclusion";
    let mut found: BTreeMap<String, Vec<ExclusionRequest>> = BTreeMap::new();
    let mut any = false;
    for batch in input.tables.batches(TABLE)? {
        any |= batch.num_rows() > 0;
        let text = |name| rows::texts(&batch, TABLE, name);
        let (ids, levels, cases) =
            (text("exclusion_id")?, text("service_level_id")?, text("case_id")?);
        let (reasons, decisions, sources) = (text("reason")?, text("decision")?, text("source")?);
        let requested = rows::instants(&batch, TABLE, "requested_at")?;
        let decided = rows::instants(&batch, TABLE, "decided_at")?;
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some((case, reason)) = some_text(&cases, row).zip(some_text(&reasons, row)) else {
                continue;
            };
            found.entry(case.to_owned()).or_default().push(ExclusionRequest {
                id: some_text(&ids, row).unwrap_or_default().to_owned(),
                service_level_id: some_text(&levels, row).map(str::to_owned),
                reason: reason.to_owned(),
                decision: some_text(&decisions, row).unwrap_or_default().to_owned(),
                requested_us: rows::instant(&requested, row),
                decided_us: rows::instant(&decided, row),
                is_proved: some_text(&sources, row).is_some_and(|text| !text.trim().is_empty()),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.values_mut().for_each(|list| list.sort_by_key(|request| request.row_ref));
    Ok((found, any))
}

/// Whether `complete` entries of the feed say, for every day of the period, that no exclusion is
/// missing.
pub(super) fn exclusions_complete(input: &DeriveInput<'_>) -> Result<bool, EngineError> {
    let spans = complete_days(input, "exclusion")?;
    let reached = spans.into_iter().fold(input.period_first, |reached, (from, to)| {
        if from <= reached { reached.max(to) } else { reached }
    });
    Ok(reached >= input.period_after)
}

/// The civil days, in order, for which `complete` entries of the feed say that nothing of a table is
/// missing; what has no end reaches to the end of the period.
pub(super) fn complete_days(
    input: &DeriveInput<'_>,
    of_table: &str,
) -> Result<BTreeSet<(Date, Date)>, EngineError> {
    const TABLE: &str = "evidence_feed";
    let mut spans = BTreeSet::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (tables, entries) = (text("table_name")?, text("entry")?);
        let (from, to) =
            (rows::dates(&batch, TABLE, "valid_from")?, rows::dates(&batch, TABLE, "valid_to")?);
        for row in 0..batch.num_rows() {
            let complete = some_text(&tables, row) == Some(of_table)
                && some_text(&entries, row) == Some("complete");
            if let (true, Some(from)) = (complete, rows::date(&from, row)) {
                spans.insert((from, rows::date(&to, row).unwrap_or(input.period_after.max(from))));
            }
        }
    }
    Ok(spans)
}

/// Cases with a rejected event row.
pub(super) fn read_quarantined(
    input: &DeriveInput<'_>,
) -> Result<BTreeMap<String, i64>, EngineError> {
    const TABLE: &str = "quarantine";
    let mut found: BTreeMap<String, i64> = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let (tables, subjects) =
            (rows::texts(&batch, TABLE, "table_name")?, rows::texts(&batch, TABLE, "subject")?);
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            if some_text(&tables, row) != Some("case_event") {
                continue;
            }
            let Some((subject, record)) = some_text(&subjects, row).zip(rows::integer(&refs, row))
            else {
                continue;
            };
            found
                .entry(subject.to_owned())
                .and_modify(|first| *first = record.min(*first))
                .or_insert(record);
        }
    }
    Ok(found)
}
