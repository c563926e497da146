//! Derived table `urgent_item`: each urgent item, whether it came in while both teams were at work, and
//! when it was answered.
//!
//! Owns what makes a case urgent and from when on. It must never take an item that nobody answered for
//! one that is not due: an open item past its time is there, without an answer.
//!
//! Rules
//! - An item is urgent from its first event with an urgent priority (and case type) on; when that is its
//!   first event, from the instant at which it was opened.
//! - It is answered at its first event from then on in an answering state.
//! - It counts in the period in which its time to answer ends.

use std::{collections::BTreeMap, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use backstay_calendar::Zone;

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case, Event},
    register::{items, read_keyed, read_quarantined, some_text},
    side::{HoursFrom, Keyed, Sides},
};
use crate::{error::EngineError, rows};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct UrgentItemTable;

/// Its name.
pub const NAME: &str = "urgent_item";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("urgent_term_id", Kind::Text),
    ("case_id", Kind::Text),
    ("urgent_at", Kind::Instant),
    ("due_at", Kind::Instant),
    ("answered_at", Kind::Instant),
    ("answer_us", Kind::Integer),
    ("required_us", Kind::Integer),
    ("calendar_id", Kind::Text),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("evidence", Kind::Refs),
    ("_ref", Kind::Integer),
];

#[derive(Debug, Clone)]
struct Term {
    priorities: Vec<String>,
    case_types: Vec<String>,
    teams: Vec<String>,
    answered_states: Vec<String>,
    answer_us: Option<i64>,
    calendar: Option<String>,
    hours_from: HoursFrom,
    row_ref: i64,
}

#[derive(Debug, Clone, Default)]
struct Row {
    term: Option<String>,
    case: Option<Arc<str>>,
    urgent_us: Option<i64>,
    due_us: Option<i64>,
    answered_us: Option<i64>,
    answer_us: Option<i64>,
    required_us: Option<i64>,
    calendar: Option<String>,
    state: &'static str,
    reason: Option<String>,
    evidence: Vec<i64>,
    row_ref: Option<i64>,
}

impl Derivation for UrgentItemTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each urgent item whose time to answer ends in the period: when it came in, whether both teams were at work then, and when it was answered."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event"]
    }

    fn consults(&self) -> &'static [&'static str] {
        &[
            "urgent_term",
            "team",
            "site",
            "calendar",
            "holiday",
            "shift",
            "evidence_feed",
            "quarantine",
        ]
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let sides = Sides::read(input)?;
        let terms = read_terms(input, &sides.zone)?;
        let mut found = Vec::new();
        for (id, versions) in &terms {
            let whole = (input.period_start_us, input.period_end_us);
            for (_, term) in super::side::pieces(versions, whole) {
                if term.answer_us.is_none() {
                    found.push(Row {
                        term: Some(id.clone()),
                        state: "none-promised",
                        reason: Some("it was agreed that nothing is promised".to_owned()),
                        row_ref: Some(term.row_ref),
                        ..Row::default()
                    });
                }
            }
        }
        if terms.is_empty() {
            found.push(Row {
                state: "gap",
                reason: Some("no time for urgent answers is agreed (`urgent_term`)".to_owned()),
                ..Row::default()
            });
        } else {
            let cases = case::read(&input.tables.batches("case_event")?)?;
            let quarantined = read_quarantined(input)?;
            let judge = Judge { sides: &sides, quarantined: &quarantined, input };
            for (id, versions) in &terms {
                found.extend(cases.iter().filter_map(|case| judge.case(id, versions, case)));
            }
        }
        table(input.arrangement_id, &found, self.schema())
    }
}

/// What an item says of whether it is urgent.
enum Urgent<'a> {
    No,
    /// From this event on; whether it is the first.
    From(&'a Event, bool),
    Unknown(&'a Event, &'static str),
}

impl Term {
    fn urgent<'a>(&self, events: &'a [Event]) -> Urgent<'a> {
        let Some(first) = events.first() else { return Urgent::No };
        if !self.case_types.is_empty() {
            match events.iter().find_map(|event| event.case_type.as_deref()) {
                None => return Urgent::Unknown(first, "the case has no type"),
                Some(of) if !self.case_types.iter().any(|wanted| wanted == of) => {
                    return Urgent::No;
                }
                Some(_) => {}
            }
        }
        if self.priorities.is_empty() {
            return Urgent::From(first, true);
        }
        let urgent = |event: &&Event| {
            event.priority.as_deref().is_some_and(|own| self.priorities.iter().any(|p| p == own))
        };
        match events.iter().find(urgent) {
            Some(event) => Urgent::From(event, std::ptr::eq(event, first)),
            None if events.iter().all(|event| event.priority.is_none()) => {
                Urgent::Unknown(first, "the case has no priority")
            }
            None => Urgent::No,
        }
    }
}

struct Judge<'a> {
    sides: &'a Sides,
    quarantined: &'a BTreeMap<String, i64>,
    input: &'a DeriveInput<'a>,
}

impl Judge<'_> {
    fn case(&self, id: &str, versions: &super::terms::Versions<Term>, case: &Case) -> Option<Row> {
        let input = self.input;
        let events = case.events_before(input.as_of_us);
        let first = events.first()?;
        let term =
            versions.at(first.at_us).or_else(|| versions.measuring((first.at_us, i64::MAX)))?;
        let required_us = term.answer_us?;
        let (event, is_first, unknown) = match term.urgent(events) {
            Urgent::No => return None,
            Urgent::From(event, is_first) => (event, is_first, None),
            Urgent::Unknown(event, reason) => (event, true, Some(reason)),
        };
        let urgent_us = match event.opened_us.filter(|_| is_first) {
            Some(opened_us) => opened_us.min(event.at_us),
            None => event.at_us,
        };
        let mut row = Row {
            term: Some(id.to_owned()),
            case: Some(case.id.clone()),
            urgent_us: Some(urgent_us),
            required_us: Some(required_us),
            calendar: term.calendar.clone(),
            evidence: vec![event.row_ref],
            row_ref: Some(term.row_ref),
            ..Row::default()
        };
        let due_us = self.due(term, urgent_us, required_us);
        // Where the end of its time is not known, it counts when it came in.
        let at_us = due_us.clone().unwrap_or(urgent_us);
        let within = (input.period_start_us..input.period_end_us).contains(&at_us);
        if !within || at_us > input.as_of_us {
            return None;
        }
        row.due_us = due_us.as_ref().ok().copied();
        let reason = unknown.map(str::to_owned).or(due_us.err());
        if let Some(reason) = reason {
            return Some(Row { state: "gap", reason: Some(reason), ..row });
        }
        match self.both_at_work(term, urgent_us) {
            Ok(true) => return Some(Row { state: "inside", ..row }),
            Ok(false) => {}
            Err(reason) => return Some(Row { state: "gap", reason: Some(reason), ..row }),
        }
        self.answer(term, urgent_us, events, &mut row);
        if row.state == "due"
            && row.answered_us.is_none()
            && let Some(record) = self.quarantined.get(&*case.id)
        {
            row.evidence.push(*record);
            row.state = "gap";
            row.reason = Some("a row of the case is in quarantine".to_owned());
        }
        Some(row)
    }

    fn due(&self, term: &Term, urgent_us: i64, required_us: i64) -> Result<i64, String> {
        match &term.calendar {
            None => Ok(urgent_us.saturating_add(required_us)),
            Some(id) => {
                let calendar = self.sides.calendar(id)?;
                calendar.add_working_us(urgent_us, required_us).map_err(|gap| gap.to_string())
            }
        }
    }

    /// Whether both teams are at work at an instant; never, when the promise names no two teams.
    fn both_at_work(&self, term: &Term, at_us: i64) -> Result<bool, String> {
        if term.teams.len() < 2 {
            return Ok(false);
        }
        for team in &term.teams {
            let span = (at_us, at_us.saturating_add(1));
            if self.sides.at_work(team, span, term.hours_from)?.0.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn answer(&self, term: &Term, urgent_us: i64, events: &[Event], row: &mut Row) {
        row.state = "due";
        if term.answered_states.is_empty() {
            row.state = "gap";
            row.reason =
                Some("the promise names no states in which an item is answered".to_owned());
            return;
        }
        let answers = |event: &&Event| {
            event.at_us >= urgent_us
                && event
                    .state
                    .as_deref()
                    .is_some_and(|own| term.answered_states.iter().any(|state| state == own))
        };
        let Some(answer) = events.iter().find(answers) else { return };
        row.evidence.push(answer.row_ref);
        row.answered_us = Some(answer.at_us);
        let taken = match &term.calendar {
            None => Ok(answer.at_us - urgent_us),
            Some(id) => self.sides.calendar(id).and_then(|calendar| {
                calendar.working_us(urgent_us, answer.at_us).map_err(|gap| gap.to_string())
            }),
        };
        match taken {
            Ok(taken) => row.answer_us = Some(taken),
            Err(reason) => {
                row.state = "gap";
                row.reason = Some(reason);
            }
        }
    }
}

fn read_terms(input: &DeriveInput<'_>, zone: &Zone) -> Result<Keyed<String, Term>, EngineError> {
    const TABLE: &str = "urgent_term";
    read_keyed(input, zone, TABLE, |batch| {
        let text = |name| rows::texts(batch, TABLE, name);
        let (ids, priorities, types, states) = (
            text("urgent_term_id")?,
            text("priorities")?,
            text("case_types")?,
            text("answered_states")?,
        );
        let (teams, others, calendars, hours) =
            (text("team_id")?, text("other_team_id")?, text("calendar_id")?, text("hours_from")?);
        let within = rows::integers(batch, TABLE, "answer_within")?;
        let refs = rows::integers(batch, TABLE, "_ref")?;
        Ok(move |row, _| {
            let id = some_text(&ids, row)?;
            let pair = some_text(&teams, row).into_iter().chain(some_text(&others, row));
            let term = Term {
                priorities: items(&priorities, row),
                case_types: items(&types, row),
                teams: pair.map(str::to_owned).collect(),
                answered_states: items(&states, row),
                answer_us: rows::integer(&within, row),
                calendar: some_text(&calendars, row).map(str::to_owned),
                hours_from: HoursFrom::parse(some_text(&hours, row)),
                row_ref: rows::integer(&refs, row).unwrap_or_default(),
            };
            Some((id.to_owned(), term))
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
        array::texts(found.iter().map(|row| row.term.as_deref())),
        array::texts(found.iter().map(|row| row.case.as_deref())),
        array::instants(found.iter().map(|row| row.urgent_us)),
        array::instants(found.iter().map(|row| row.due_us)),
        array::instants(found.iter().map(|row| row.answered_us)),
        array::integers(found.iter().map(|row| row.answer_us)),
        array::integers(found.iter().map(|row| row.required_us)),
        array::texts(found.iter().map(|row| row.calendar.as_deref())),
        array::texts(found.iter().map(|row| Some(row.state))),
        array::texts(found.iter().map(|row| row.reason.as_deref())),
        array::refs(found.iter().map(|row| row.evidence.as_slice())),
        array::integers(found.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}
