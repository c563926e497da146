//! The rows of `provider_report` as typed values, by service level.
//!
//! Owns which rows of a report still stand and which choices they state; it must never compare them
//! with anything.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    DeriveInput,
    register::{items, some_text},
    terms::ClockStart,
};
use crate::{error::EngineError, period::Period, rows};

/// Outcome of a case as reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reported {
    /// In time.
    Met,
    /// Too late.
    Missed,
    /// Left out.
    Excluded,
}

impl Reported {
    /// The vocabulary's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Excluded => "excluded",
        }
    }
}

/// Choices that a report states to have made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Calendar used.
    pub calendar: Option<Arc<str>>,
    /// Start of the clock used.
    pub starts: Option<ClockStart>,
    /// Paused states used; empty when it says that it never paused.
    pub paused: Option<Vec<String>>,
}

impl Stated {
    pub(super) fn or(&self, other: &Self) -> Self {
        Self {
            calendar: self.calendar.clone().or_else(|| other.calendar.clone()),
            starts: self.starts.or(other.starts),
            paused: self.paused.clone().or_else(|| other.paused.clone()),
        }
    }

    /// Whether a start or pauses are stated.
    #[must_use]
    pub fn states_clock(&self) -> bool {
        self.starts.is_some() || self.paused.is_some()
    }
}

/// One row of `provider_report`.
#[derive(Debug, Clone)]
pub struct ReportRow {
    /// Source and report.
    pub report: (String, String),
    /// Days reported on.
    pub period: Option<Period>,
    /// Case; none on an aggregate row.
    pub case_id: Option<Arc<str>>,
    /// Outcome of the case.
    pub outcome: Option<Reported>,
    /// Cases met.
    pub numerator: Option<i64>,
    /// Cases counted.
    pub denominator: Option<i64>,
    /// Figure, in units of 10⁻⁹.
    pub value: Option<i128>,
    /// Places that the figure was rounded to.
    pub places: Option<u32>,
    /// Choices stated.
    pub stated: Stated,
    /// When it was handed over.
    pub reported_us: Option<i64>,
    /// Its record.
    pub row_ref: i64,
}

/// A service level's rows: aggregates by window, cases by id.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// Rows without a case.
    pub aggregates: Vec<ReportRow>,
    /// Rows of cases.
    pub cases: BTreeMap<Arc<str>, Vec<ReportRow>>,
    /// What all case rows of the same days state; none where they differ.
    common: BTreeMap<Option<Period>, Option<Stated>>,
}

/// Reads `provider_report` by service level.
///
/// # Errors
/// A table that lacks a column.
pub fn read(input: &DeriveInput<'_>) -> Result<BTreeMap<Arc<str>, Reports>, EngineError> {
    const TABLE: &str = "provider_report";
    let mut all: BTreeMap<Arc<str>, Vec<ReportRow>> = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (sources, reports, levels, cases) =
            (text("source")?, text("report_id")?, text("service_level_id")?, text("case_id")?);
        let (outcomes, calendars, starts, paused) = (
            text("outcome")?,
            text("stated_calendar_id")?,
            text("stated_clock_starts")?,
            text("stated_paused_states")?,
        );
        let (from, to) = (
            rows::dates(&batch, TABLE, "period_start")?,
            rows::dates(&batch, TABLE, "period_end")?,
        );
        let number = |name| rows::integers(&batch, TABLE, name);
        let (numerators, denominators, places, refs) =
            (number("numerator")?, number("denominator")?, number("places")?, number("_ref")?);
        let values = rows::decimals(&batch, TABLE, "value")?;
        let reported = rows::instants(&batch, TABLE, "reported_at")?;
        for row in 0..batch.num_rows() {
            let Some(level) = some_text(&levels, row) else { continue };
            let states = items(&paused, row);
            let none = states.iter().any(|state| state == "none");
            let found = ReportRow {
                report: (
                    some_text(&sources, row).unwrap_or_default().to_owned(),
                    some_text(&reports, row).unwrap_or_default().to_owned(),
                ),
                period: rows::date(&from, row).and_then(|first| {
                    let month = || first.checked_add(jiff::Span::new().months(1)).ok();
                    Period::new(first, rows::date(&to, row).or_else(month)?).ok()
                }),
                case_id: some_text(&cases, row).map(Arc::from),
                outcome: match some_text(&outcomes, row) {
                    Some("met") => Some(Reported::Met),
                    Some("missed") => Some(Reported::Missed),
                    Some("excluded") => Some(Reported::Excluded),
                    _ => None,
                },
                numerator: rows::integer(&numerators, row),
                denominator: rows::integer(&denominators, row),
                value: rows::decimal(&values, row),
                places: rows::integer(&places, row).and_then(|places| u32::try_from(places).ok()),
                stated: Stated {
                    calendar: some_text(&calendars, row).map(Arc::from),
                    starts: some_text(&starts, row).and_then(ClockStart::parse),
                    paused: (!states.is_empty()).then(|| if none { Vec::new() } else { states }),
                },
                reported_us: rows::instant(&reported, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            all.entry(level.into()).or_default().push(found);
        }
    }
    Ok(all.into_iter().map(|(level, rows)| (level, Reports::from_rows(rows))).collect())
}

impl Reports {
    fn from_rows(rows: Vec<ReportRow>) -> Self {
        let mut reports = Self::default();
        for row in latest_of_each_source(rows) {
            match &row.case_id {
                Some(case) => {
                    let common = reports
                        .common
                        .entry(row.period)
                        .or_insert_with(|| Some(row.stated.clone()));
                    if common.as_ref() != Some(&row.stated) {
                        *common = None;
                    }
                    let case = case.clone();
                    reports.cases.entry(case).or_default().push(row);
                }
                None => reports.aggregates.push(row),
            }
        }
        reports
    }

    /// The choices that a window's report states for every case: those of its aggregate row, else those
    /// that all its case rows state alike.
    #[must_use]
    pub fn stated(&self, window: Period) -> Stated {
        let common = |days| self.common.get(&days).cloned().flatten();
        let of_list = common(Some(window)).or_else(|| common(None)).unwrap_or_default();
        self.aggregate(window).map_or_else(|| of_list.clone(), |row| row.stated.or(&of_list))
    }

    /// The aggregate row of a window, of several the last handed over.
    #[must_use]
    pub fn aggregate(&self, window: Period) -> Option<&ReportRow> {
        self.aggregates_of(window).max_by_key(|row| (row.reported_us, row.row_ref))
    }

    /// The aggregate rows of a window: one for each source that reports it.
    pub fn aggregates_of(&self, window: Period) -> impl Iterator<Item = &ReportRow> {
        self.aggregates.iter().filter(move |row| row.period == Some(window))
    }
}

/// Leaves out the rows of reports that the same source replaced by a later one for the same days.
fn latest_of_each_source(rows: Vec<ReportRow>) -> Vec<ReportRow> {
    type Place = (String, Option<Period>, bool);
    let place =
        |row: &ReportRow| -> Place { (row.report.0.clone(), row.period, row.case_id.is_some()) };
    let mut handed: BTreeMap<Place, BTreeMap<String, Option<i64>>> = BTreeMap::new();
    for row in &rows {
        let at = handed.entry(place(row)).or_default().entry(row.report.1.clone()).or_default();
        *at = (*at).max(row.reported_us);
    }
    let replaced = |row: &ReportRow| {
        let reports = handed.get(&place(row));
        let own = reports.and_then(|reports| *reports.get(&row.report.1)?);
        own.is_some_and(|own| {
            reports.is_some_and(|reports| reports.values().flatten().any(|other| *other > own))
        })
    };
    let kept: Vec<bool> = rows.iter().map(|row| !replaced(row)).collect();
    rows.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| row).collect()
}
