//! Derived table `meeting_share`: how much of the meeting time outside working hours each team carries.
//!
//! Owns the laying of meetings over each team's own working hours, and the proposal of better times. It
//! must never count a cancelled meeting, nor a team that was not there.
//!
//! Rules
//! - A meeting counts when it began in the period and was held; with a named series when it is of the
//!   series, else when at least two of the teams took part.
//! - A team's working hours are those of its site's calendar, holidays included.

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::{Span, Zone, intersect_spans, meeting_series, total_us};
use jiff::ToSpan;

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    register::{items, read_keyed, some_text},
    side::{HoursFrom, Keyed, Sides},
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct MeetingShareTable;

/// Its name.
pub const NAME: &str = "meeting_share";

const MINUTE_US: i64 = 60_000_000;
/// Proposed times begin on quarters of an hour.
const STEP_US: i64 = 15 * MINUTE_US;
/// Weeks after the period for which times are proposed.
const WEEKS: i64 = 4;

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("meeting_term_id", Kind::Text),
    ("team_id", Kind::Text),
    ("meetings", Kind::Integer),
    ("outside_us", Kind::Integer),
    ("total_us", Kind::Integer),
    ("greatest_share", Kind::Decimal),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("proposal", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone)]
struct Term {
    teams: Vec<String>,
    series: Option<String>,
    greatest_share: Option<i128>,
    row_ref: i64,
}

#[derive(Debug, Clone)]
struct Meeting {
    series: Option<String>,
    span: Span,
    teams: Vec<String>,
    row_ref: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    term: Option<String>,
    team: Option<String>,
    meetings: Option<i64>,
    outside_us: Option<i64>,
    total_us: Option<i64>,
    greatest_share: Option<i128>,
    state: &'static str,
    reason: Option<String>,
    proposal: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for MeetingShareTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Per agreement and team: the meeting time outside its working hours, its share of all such time, and better times to meet."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["meeting"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["meeting_term", "team", "site", "calendar", "holiday", "shift", "evidence_feed"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let sides = Sides::read(input)?;
        let terms = read_terms(input, &sides.zone)?;
        let meetings = read_meetings(input)?;
        let whole = (input.period_start_us, input.period_end_us.min(input.as_of_us));
        let mut found = Vec::new();
        for (id, versions) in &terms {
            // One agreement, one reckoning: by the terms at the end of the period.
            let Some(term) = versions.measuring(whole) else { continue };
            let blank = Row {
                term: Some(id.clone()),
                greatest_share: term.greatest_share,
                row_ref: Some(term.row_ref),
                ..Row::default()
            };
            if term.greatest_share.is_none() {
                let reason = Some("it was agreed that sharing does not matter".to_owned());
                found.push(Row { state: "none-needed", reason, ..blank });
                continue;
            }
            let held: Vec<&Meeting> =
                meetings.iter().filter(|meeting| term.counts(meeting, whole)).collect();
            if !held.is_empty() {
                found.extend(shares(&sides, term, &held, &blank, input));
            }
        }
        if terms.is_empty() {
            found.push(Row {
                state: "gap",
                reason: Some("no sharing of meeting hours is agreed (`meeting_term`)".to_owned()),
                ..Row::default()
            });
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

impl Term {
    fn counts(&self, meeting: &Meeting, (from_us, until_us): Span) -> bool {
        let here = self.teams.iter().filter(|team| meeting.teams.contains(team)).count();
        (from_us..until_us).contains(&meeting.span.0)
            && match &self.series {
                Some(series) => here > 0 && meeting.series.as_ref() == Some(series),
                None => here > 1,
            }
    }
}

fn shares(
    sides: &Sides,
    term: &Term,
    held: &[&Meeting],
    blank: &Row,
    input: &DeriveInput<'_>,
) -> Vec<Row> {
    let mut found: Vec<Row> = Vec::new();
    for team in &term.teams {
        let mut row = Row {
            team: Some(team.clone()),
            state: "due",
            meetings: Some(0),
            outside_us: Some(0),
            ..blank.clone()
        };
        for meeting in held.iter().filter(|meeting| meeting.teams.contains(team)) {
            row.evidence.push(meeting.row_ref);
            row.meetings = row.meetings.map(|count| count + 1);
            let (from, until) = meeting.span;
            match sides.at_work(team, meeting.span, HoursFrom::Calendar) {
                Ok((open, _)) => {
                    let inside = total_us(&intersect_spans(&open, &[meeting.span]));
                    row.outside_us = row.outside_us.map(|sum| sum + until - from - inside);
                }
                Err(reason) => {
                    row.state = "gap";
                    row.reason = Some(reason);
                }
            }
        }
        found.push(row);
    }
    // A share of a sum of which a part is unknown is unknown.
    if let Some(reason) = found.iter().find_map(|row| row.reason.clone()) {
        for row in &mut found {
            row.state = "gap";
            row.reason = Some(reason.clone());
        }
        return found;
    }
    let total: i64 = found.iter().filter_map(|row| row.outside_us).sum();
    let proposal = if total > 0 { propose(sides, term, held, input) } else { None };
    for row in &mut found {
        row.total_us = Some(total);
        row.proposal.clone_from(&proposal);
    }
    found
}

/// Fair times in the weeks after the period, in words; none where a calendar does not reach so far.
fn propose(
    sides: &Sides,
    term: &Term,
    held: &[&Meeting],
    input: &DeriveInput<'_>,
) -> Option<String> {
    let length_us = held.iter().map(|meeting| meeting.span.1 - meeting.span.0).max()?;
    let start = |week: i64| {
        let day = input.period_after.checked_add((7 * week).days()).ok()?;
        sides.zone.day_start_us(day).ok()
    };
    let mut weeks = Vec::new();
    for week in 0..WEEKS {
        weeks.push(vec![(start(week)?, start(week + 1)?)]);
    }
    let span = (start(0)?, start(WEEKS)?);
    let mut open = Vec::new();
    for team in &term.teams {
        open.push(sides.at_work(team, span, HoursFrom::Calendar).ok()?.0);
    }
    let series = meeting_series(&open, length_us, STEP_US, &weeks);
    let mut outside = vec![0_i64; term.teams.len()];
    let mut times = Vec::new();
    for slot in series.iter().flatten() {
        let local = sides.zone.local(slot.start_us)?;
        times.push(local.strftime("%a %Y-%m-%d %H:%M").to_string());
        outside.iter_mut().zip(&slot.outside_us).for_each(|(sum, more)| *sum += more);
    }
    let burden = if outside.iter().all(|us| *us == 0) {
        "all within working hours".to_owned()
    } else {
        let of = |(team, us): (&String, &i64)| format!("{team} {} min", us / MINUTE_US);
        let each: Vec<String> = term.teams.iter().zip(&outside).map(of).collect();
        format!("outside working hours in all: {}", each.join(", "))
    };
    Some(format!("better: {} ({}); {burden}", times.join(", "), sides.zone.name()))
}

fn read_terms(input: &DeriveInput<'_>, zone: &Zone) -> Result<Keyed<String, Term>, EngineError> {
    const TABLE: &str = "meeting_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let (ids, teams, series) = (text("meeting_term_id")?, text("team_ids")?, text("series")?);
        let share = rows::decimals(batch, TABLE, "greatest_share")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        Ok(move |row, _| {
            let id = some_text(&ids, row)?;
            let term = Term {
                teams: items(&teams, row),
                series: some_text(&series, row).map(str::to_owned),
                greatest_share: rows::decimal(&share, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            Some((id.to_owned(), term))
        })
    })
}

/// Meetings that were held.
fn read_meetings(input: &DeriveInput<'_>) -> Result<Vec<Meeting>, EngineError> {
    const TABLE: &str = "meeting";
    let mut found = Vec::new();
    for batch in input.tables.batches(TABLE)? {
        let text = |name| rows::texts(&batch, TABLE, name);
        let (series, teams, states) = (text("series")?, text("team_ids")?, text("state")?);
        let (starts, ends) = (
            rows::instants(&batch, TABLE, "starts_at")?,
            rows::instants(&batch, TABLE, "ends_at")?,
        );
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let span = rows::instant(&starts, row).zip(rows::instant(&ends, row));
            let Some(span) = span.filter(|(from, until)| from < until) else { continue };
            if matches!(some_text(&states, row), Some("planned" | "cancelled")) {
                continue;
            }
            found.push(Meeting {
                series: some_text(&series, row).map(str::to_owned),
                span,
                teams: items(&teams, row),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            });
        }
    }
    found.sort_by_key(|meeting| (meeting.span, meeting.row_ref));
    Ok(found)
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| row.term.as_deref())),
        array::texts(found.iter().map(|row| row.team.as_deref())),
        array::integers(found.iter().map(|row| row.meetings)),
        array::integers(found.iter().map(|row| row.outside_us)),
        array::integers(found.iter().map(|row| row.total_us)),
        array::decimals(found.iter().map(|row| row.greatest_share)),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::texts(found.iter().map(|row| row.proposal.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
