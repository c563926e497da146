//! Derived table `coverage_span`: the promised hours of each function, cut into spans that shifts man
//! and spans that they do not.
//!
//! Owns the laying of shifts over promised hours. It must never take a missing roster for an empty one,
//! nor an hour that has not come yet for one that nobody manned.
//!
//! Rules
//! - Promised hours are those of the agreed calendar, holidays included, up to as-of.
//! - A span is manned when at least as many shifts of the function's teams run as people are agreed; a
//!   shift of a whole team counts as one.
//! - A function without agreed hours is a gap; a row without a calendar says that none are promised.

use std::collections::BTreeMap;

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::{Span, Zone, intersect_spans, uncovered_spans, union_spans};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    register::{items, read_keyed, read_named, some_text},
    side::{self, Keyed, Shift, Sides},
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct CoverageSpanTable;

/// Its name.
pub const NAME: &str = "coverage_span";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("function_id", Kind::Text),
    ("calendar_id", Kind::Text),
    ("state", Kind::Text),
    ("starts_at", Kind::Instant),
    ("ends_at", Kind::Instant),
    ("length_us", Kind::Integer),
    ("people_required", Kind::Integer),
    ("reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone)]
struct Term {
    calendar: Option<String>,
    teams: Vec<String>,
    people: i64,
    row_ref: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    function: String,
    calendar: Option<String>,
    state: &'static str,
    span: Option<Span>,
    people: Option<i64>,
    reason: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for CoverageSpanTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "The promised hours of each function in the period: the spans that shifts man, and those that they do not."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["function"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &["coverage_term", "team", "site", "calendar", "holiday", "shift", "evidence_feed"]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let sides = Sides::read(input)?;
        let terms = read_terms(input, &sides.zone)?;
        let functions = read_named(input, &sides.zone, "function", "function_id", "title")?;
        let own_teams = read_named(input, &sides.zone, "team", "team_id", "function_id")?;
        let whole = (input.period_start_us, input.period_end_us.min(input.as_of_us));
        let mut found = Vec::new();
        for (function, versions) in &functions {
            let held: Vec<Span> = side::pieces(versions, whole).map(|(span, _)| span).collect();
            if held.is_empty() {
                continue;
            }
            let blank = Row { function: function.clone(), ..Row::default() };
            let Some(versions) = terms.get(function).or_else(|| terms.get("")) else {
                let reason = Some("no service hours are agreed (`coverage_term`)".to_owned());
                found.push(Row { state: "gap", reason, ..blank });
                continue;
            };
            for within in union_spans(&held) {
                let mut agreed = Vec::new();
                for (span, term) in side::pieces(versions, within) {
                    agreed.push(span);
                    let teams: Vec<String> = own_teams
                        .iter()
                        .filter(|(_, of)| {
                            of.at(span.0).is_some_and(|of| of.as_deref() == Some(function))
                        })
                        .map(|(team, _)| team.clone())
                        .collect();
                    let blank = Row {
                        calendar: term.calendar.clone(),
                        row_ref: Some(term.row_ref),
                        people: Some(term.people),
                        ..blank.clone()
                    };
                    found.extend(judge(&sides, term, span, &teams, &blank));
                }
                for hole in uncovered_spans(&[within], &agreed) {
                    let reason = Some("no service hours are agreed for these days".to_owned());
                    found.push(Row { state: "gap", span: Some(hole), reason, ..blank.clone() });
                }
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

fn judge(sides: &Sides, term: &Term, span: Span, own_teams: &[String], blank: &Row) -> Vec<Row> {
    let say = |state, reason: String| {
        vec![Row { state, span: Some(span), reason: Some(reason), ..blank.clone() }]
    };
    let Some(calendar) = &term.calendar else {
        return say("none-promised", "it was agreed that no hours are promised".to_owned());
    };
    let teams = if term.teams.is_empty() { own_teams } else { &term.teams };
    if teams.is_empty() {
        return say("gap", "no team is named for this function".to_owned());
    }
    let calendar = match sides.calendar(calendar) {
        Ok(calendar) => calendar,
        Err(reason) => return say("gap", reason),
    };
    let promised = match calendar.spans(span.0, span.1) {
        Ok(promised) => promised,
        Err(gap) => return say("gap", gap.to_string()),
    };
    if !sides.roster_known(span) {
        return say("gap", Sides::roster_unknown());
    }
    let mut shifts: Vec<Shift> =
        teams.iter().flat_map(|team| sides.shifts(team, span)).copied().collect();
    shifts.sort_unstable();
    let manned = manned_spans(&shifts, term.people);
    let refs = |from: i64, until: i64| -> Vec<i64> {
        let near = shifts.iter().filter(|shift| shift.start_us <= until && from <= shift.end_us);
        near.map(|shift| shift.row_ref).collect()
    };
    let row = |state, (from, until): Span| Row {
        state,
        span: Some((from, until)),
        reason: (state == "uncovered").then(|| local_text(&sides.zone, (from, until))),
        // What is manned rests on many shifts; what is not, on those around it.
        evidence: if state == "covered" { Vec::new() } else { refs(from, until) },
        ..blank.clone()
    };
    let covered = intersect_spans(&promised, &manned).into_iter().map(|span| row("covered", span));
    let holes = uncovered_spans(&promised, &manned).into_iter().map(|span| row("uncovered", span));
    let mut found: Vec<Row> = covered.chain(holes).collect();
    found.sort_by_key(|row| row.span);
    found
}

/// A span in a zone's civil time: `2026-10-21 16:00 to 17:00`.
fn local_text(zone: &Zone, span: Span) -> String {
    let text = |at_us: i64, form: &str| {
        zone.local(at_us).map(|at| at.strftime(form).to_string()).unwrap_or_default()
    };
    let same_day = zone.date(span.0) == zone.date(span.1);
    let form = if same_day { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    format!("{} to {}", text(span.0, "%Y-%m-%d %H:%M"), text(span.1, form))
}

/// The time in which at least `people` shifts run.
fn manned_spans(shifts: &[Shift], people: i64) -> Vec<Span> {
    let mut steps: BTreeMap<i64, i64> = BTreeMap::new();
    for shift in shifts {
        *steps.entry(shift.start_us).or_default() += 1;
        *steps.entry(shift.end_us).or_default() -= 1;
    }
    let (mut running, mut since, mut manned) = (0, None, Vec::new());
    for (at, step) in steps {
        running += step;
        match (running >= people, since) {
            (true, None) => since = Some(at),
            (false, Some(from)) => {
                manned.push((from, at));
                since = None;
            }
            _ => {}
        }
    }
    manned
}

fn read_terms(input: &DeriveInput<'_>, zone: &Zone) -> Result<Keyed<String, Term>, EngineError> {
    const TABLE: &str = "coverage_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let (functions, calendars, teams) =
            (text("function_id")?, text("calendar_id")?, text("team_ids")?);
        let people = rows::integers(batch, TABLE, "people")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        Ok(move |row, _| {
            let function = some_text(&functions, row).unwrap_or_default().to_owned();
            let term = Term {
                calendar: some_text(&calendars, row).map(str::to_owned),
                teams: items(&teams, row),
                people: rows::integer(&people, row).unwrap_or(1).max(1),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            Some((function, term))
        })
    })
}

fn table(
    arrangement_id: &str,
    found: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let arrays = vec![
        array::texts(found.iter().map(|_| Some(arrangement_id))),
        array::texts(found.iter().map(|row| Some(row.function.as_str()))),
        array::texts(found.iter().map(|row| row.calendar.as_deref())),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::instants(found.iter().map(|row| row.span.map(|span| span.0))),
        array::instants(found.iter().map(|row| row.span.map(|span| span.1))),
        array::integers(found.iter().map(|row| row.span.map(|span| span.1 - span.0))),
        array::integers(found.iter().map(|row| row.people)),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn so_many_must_be_on_shift_at_once_and_a_change_of_shift_is_no_hole() {
        let shift = |start_us, end_us| Shift { start_us, end_us, of_person: true, row_ref: 0 };
        let shifts = [shift(0, 10), shift(5, 20), shift(20, 30)];
        assert_eq!(manned_spans(&shifts, 1), [(0, 30)]);
        assert_eq!(manned_spans(&shifts, 2), [(5, 10)]);
        assert_eq!(manned_spans(&shifts, 3), []);
    }
}
