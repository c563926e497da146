//! Derived table `due_soon`: the open cases under each service level with the working time that is left,
//! and when somebody is warned of them.
//!
//! Owns the instant of the warning: the deadline less working time, moved into the working hours of
//! whoever is warned. It must never leave a case out because its clock cannot be known, nor move the
//! deadline itself.
//!
//! | column | |
//! |---|---|
//! | `arrangement_id`, `service_level_id`, `metric`, `case_id` | what is open |
//! | `priority`, `state`, `team_id`, `site_id`, `opened_at` | as of the instant looked at |
//! | `used_us`, `threshold_us`, `left_us` | working time used, allowed, left; negative when overdue |
//! | `due_at` | deadline, as if the clock ran on from now |
//! | `warn_at` | when the share of the service level (or all but its `warn_before`) is used up |
//! | `notify_at` | the same, moved into the receiver's working hours |
//! | `moved` | `no`; `later`: to the next opening; `earlier`: to the last minute of work before, because the next opening comes after the deadline |
//! | `standing` | `overdue`, `warn` (the warning is due), `open`, `gap` |
//! | `gap_reason` | what keeps the clock, or the receiver's hours, from being known |
//! | `incomplete` | rows of the case are in quarantine |
//! | `terms_ref`, `_ref` | the service level's version, and the event that the case stands at |

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    clock::{self, CaseClock, Choice, Outcome, Run, Segment},
    terms::{Metric, Terms},
    worktime::{Gap, WorkCalendar},
};
use crate::error::EngineError;

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct DueSoonTable;

/// Its name.
pub const NAME: &str = "due_soon";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("service_level_id", Kind::Text),
    ("metric", Kind::Text),
    ("case_id", Kind::Text),
    ("priority", Kind::Text),
    ("state", Kind::Text),
    ("team_id", Kind::Text),
    ("site_id", Kind::Text),
    ("opened_at", Kind::Instant),
    ("used_us", Kind::Integer),
    ("threshold_us", Kind::Integer),
    ("left_us", Kind::Integer),
    ("due_at", Kind::Instant),
    ("warn_at", Kind::Instant),
    ("notify_at", Kind::Instant),
    ("moved", Kind::Text),
    ("standing", Kind::Text),
    ("gap_reason", Kind::Text),
    ("incomplete", Kind::Flag),
    ("terms_ref", Kind::Integer),
    ("_ref", Kind::Integer),
];

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 24 * 60 * MINUTE_US;
/// How far back the last minute of work before a warning is looked for.
const LOOK_BACK_US: i64 = 14 * DAY_US;

/// Where a warning was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It falls into working hours.
    No,
    /// To the next opening.
    Later,
    /// To the last minute of work before it.
    Earlier,
}

impl Moved {
    /// As in `due_soon.moved`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Later => "later",
            Self::Earlier => "earlier",
        }
    }
}

struct Row<'a> {
    case: &'a Case,
    clock: CaseClock<'a>,
    used_us: Option<i64>,
    warn_us: Option<i64>,
    notify: Option<(i64, Moved)>,
    gap: Option<String>,
}

impl Derivation for DueSoonTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each open case under each service level: working time left, deadline, and when somebody is warned."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event", "service_level"]
    }

    fn consults(&self) -> &'static [&'static str] {
        super::terms::CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let terms = Terms::read(input)?;
        let cases = case::read(&input.tables.batches("case_event")?)?;
        let rows = open_cases(&terms, &cases, input.as_of_us);
        table(input, &terms, &rows, self.schema())
    }
}

fn open_cases<'a>(terms: &'a Terms, cases: &'a [Case], as_of_us: i64) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for versions in terms.service_levels.values() {
        let warned = |clock: &CaseClock<'_>| {
            let level = clock.level;
            let counted_only = level.metric == Metric::Volume
                || (level.metric == Metric::Own && level.threshold_us.is_none());
            clock.closed_us.is_none() && clock.excluded.is_none() && !counted_only
        };
        let mut own: Vec<Row<'_>> = cases
            .iter()
            .filter_map(|case| {
                let clock = clock::case_clock(terms, versions, case, as_of_us, &Choice::default())?;
                warned(&clock).then(|| row(terms, case, clock, as_of_us))
            })
            .collect();
        let key = |row: &Row<'_>| row.clock.due_us.unwrap_or(i64::MAX);
        own.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.case.id.cmp(&b.case.id)));
        rows.extend(own);
    }
    rows
}

fn row<'a>(terms: &Terms, case: &'a Case, clock: CaseClock<'a>, as_of_us: i64) -> Row<'a> {
    let mut gap = clock.gap.as_ref().map(ToString::to_string);
    let used_us = used_us(&clock);
    let (mut warn_us, mut notify) = (None, None);
    if clock.gap.is_none() {
        match warn_us_of(terms, &clock, as_of_us) {
            Ok(at_us) => warn_us = at_us,
            Err(missing) => gap = Some(missing.to_string()),
        }
        let receiver = receiver(terms, &clock, as_of_us);
        let told = warn_us.map(|at_us| {
            let due_us = clock.due_us.unwrap_or(i64::MAX);
            into_hours(receiver?, at_us, clock.opened_us, due_us)
        });
        match told {
            Some(Ok(found)) => notify = Some(found),
            Some(Err(missing)) => gap = Some(format!("hours of the receiver: {missing}")),
            None => {}
        }
    }
    Row { case, clock, used_us, warn_us, notify, gap }
}

/// Working time held against the threshold; for update that of the wait under way, once every
/// earlier wait was short enough.
fn used_us(clock: &CaseClock<'_>) -> Option<i64> {
    let total_us = clock.total_us?;
    let late = clock.level.threshold_us.is_some_and(|threshold| total_us > threshold);
    if clock.level.metric == Metric::Update && !late {
        return clock.segments.last().and_then(|segment| segment.elapsed_us);
    }
    Some(total_us)
}

/// The instant at which the working time of the warning is used up: pauses as they were, and from now
/// on as if the clock ran on.
fn warn_us_of(terms: &Terms, clock: &CaseClock<'_>, as_of_us: i64) -> Result<Option<i64>, Gap> {
    let Some((threshold, start_us)) = clock.level.threshold_us.zip(clock.started_us) else {
        return Ok(None);
    };
    let wanted_us = clock.level.warning.used_us(threshold);
    if wanted_us == 0 {
        return Ok(Some(start_us));
    }
    let calendar = |segment: &Segment| {
        let id = segment.calendar.as_ref().ok_or(Gap::NoSite)?;
        terms.calendar(id)
    };
    let counting = |segment: &&Segment| segment.run == Run::Running;
    for segment in clock.segments.iter().rev().filter(counting) {
        let (Some(after), Some(worked)) = (segment.elapsed_us, segment.working_us) else { break };
        let before = after - worked;
        if after < wanted_us {
            break;
        }
        if before < wanted_us {
            let at_us = calendar(segment)?.add_working_us(segment.start_us, wanted_us - before)?;
            return Ok(Some(at_us));
        }
    }
    let standing = clock.segments.iter().rfind(|segment| segment.run != Run::Stopped);
    let Some(standing) = standing.or(clock.segments.last()) else { return Ok(None) };
    let used = standing.elapsed_us.unwrap_or_default().min(wanted_us);
    let from_us = as_of_us.max(start_us);
    calendar(standing)?.add_working_us(from_us, wanted_us - used).map(Some)
}

/// The working hours of whoever is warned.
fn receiver<'t>(
    terms: &'t Terms,
    clock: &CaseClock<'_>,
    as_of_us: i64,
) -> Result<&'t WorkCalendar, Gap> {
    if let Some(id) = &clock.level.warn_calendar_id {
        return terms.calendar(id);
    }
    let site = clock.segments.last().and_then(|segment| segment.site.clone());
    let responsible = terms.responsible(site.as_ref(), None, as_of_us);
    match (responsible.calendar_id, responsible.gap) {
        (Some(id), _) => terms.calendar(&id),
        (None, gap) => Err(gap.unwrap_or(Gap::NoSite)),
    }
}

/// Moves an instant into working hours: to the next opening; where that comes only after the deadline,
/// to the last minute of work before it, unless the case was not open yet.
///
/// # Errors
/// The gap that keeps the hours from being known.
pub fn into_hours(
    calendar: &WorkCalendar,
    at_us: i64,
    opened_us: i64,
    due_us: i64,
) -> Result<(i64, Moved), Gap> {
    // The microsecond that is worked first begins at the opening.
    let next_us = calendar.add_working_us(at_us, 1)? - 1;
    if next_us == at_us {
        return Ok((at_us, Moved::No));
    }
    if next_us < due_us {
        return Ok((next_us, Moved::Later));
    }
    let from_us = opened_us.max(at_us - LOOK_BACK_US);
    let before = if from_us < at_us { calendar.spans(from_us, at_us)? } else { Vec::new() };
    Ok(match before.last() {
        Some((open_us, close_us)) => ((close_us - MINUTE_US).max(*open_us), Moved::Earlier),
        None => (next_us, Moved::Later),
    })
}

fn standing(row: &Row<'_>, as_of_us: i64) -> &'static str {
    match row.clock.outcome {
        Outcome::Overdue | Outcome::Missed => "overdue",
        Outcome::Gap => "gap",
        _ if row.warn_us.is_some_and(|at_us| at_us <= as_of_us) => "warn",
        _ => "open",
    }
}

fn table(
    input: &DeriveInput<'_>,
    terms: &Terms,
    rows: &[Row<'_>],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let last = |row: &Row<'_>, of: fn(&Segment) -> Option<Arc<str>>| {
        row.clock.segments.last().and_then(of)
    };
    let words = |of: fn(&Segment) -> Option<Arc<str>>| -> Vec<Option<Arc<str>>> {
        rows.iter().map(|row| last(row, of)).collect()
    };
    let priorities = words(|segment| segment.priority.clone());
    let states = words(|segment| segment.state.clone());
    let teams = words(|segment| segment.team.clone());
    let sites = words(|segment| segment.site.clone());
    let left = |row: &Row<'_>| Some(row.clock.level.threshold_us? - row.used_us?);
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(input.arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.clock.level.id.as_ref()))),
        array::texts(rows.iter().map(|row| Some(row.clock.level.metric_id.as_ref()))),
        array::texts(rows.iter().map(|row| Some(row.case.id.as_ref()))),
        array::texts(priorities.iter().map(Option::as_deref)),
        array::texts(states.iter().map(Option::as_deref)),
        array::texts(teams.iter().map(Option::as_deref)),
        array::texts(sites.iter().map(Option::as_deref)),
        array::instants(rows.iter().map(|row| Some(row.clock.opened_us))),
        array::integers(rows.iter().map(|row| row.used_us)),
        array::integers(rows.iter().map(|row| row.clock.level.threshold_us)),
        array::integers(rows.iter().map(left)),
        array::instants(rows.iter().map(|row| row.clock.due_us)),
        array::instants(rows.iter().map(|row| row.warn_us)),
        array::instants(rows.iter().map(|row| row.notify.map(|(at_us, _)| at_us))),
        array::texts(rows.iter().map(|row| row.notify.map(|(_, moved)| moved.as_str()))),
        array::texts(rows.iter().map(|row| Some(standing(row, input.as_of_us)))),
        array::texts(rows.iter().map(|row| row.gap.as_deref())),
        array::flags(rows.iter().map(|row| Some(terms.quarantined(&row.case.id).is_some()))),
        array::integers(rows.iter().map(|row| Some(row.clock.level.row_ref))),
        array::integers(rows.iter().map(|row| row.clock.segments.last().map(|s| s.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}
