//! Derived table `case_path`: the way of each case in one row: how often it was handed on, went back, lay
//! and was reopened.
//!
//! Owns the counting and what a reopening is: the case was in a state in which a service level calls it
//! done, and left it for one in which none does. It must never call a case done by the sound of a word.
//!
//! | column | |
//! |---|---|
//! | `case_id`, `opened_at` | the case, and its first event (or what the source says, when that is earlier) |
//! | `events`, `days_touched` | events, and civil days of the arrangement's zone on which there was one |
//! | `teams`, `sites` | how many different ones had it |
//! | `handoffs`, `returns`, `passed_on` | as in `case_handoff` |
//! | `handoff_elapsed_us`, `handoff_working_us` | time that it lay after hand-offs before anything happened; the second null when any part is not known |
//! | `first_done_at`, `last_done_at` | when it was done first and last; null while it never was |
//! | `reopenings` | null when no service level says when a case is done |
//! | `is_open` | not done at the instant looked at |
//! | `elapsed_us` | from the opening until it was done last, or up to the instant looked at while it is open |
//! | `incomplete` | rows of the case are in quarantine |
//!
//! `_ref` is its last event.

use std::collections::BTreeSet;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    case_handoff::{CONSULTS, Row as Handoff, Stop, Walk},
    terms::{Metric, Terms},
};
use crate::{error::EngineError, period::day_of_us};

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct CasePathTable;

/// Its name.
pub const NAME: &str = "case_path";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("case_id", Kind::Text),
    ("opened_at", Kind::Instant),
    ("events", Kind::Integer),
    ("days_touched", Kind::Integer),
    ("teams", Kind::Integer),
    ("sites", Kind::Integer),
    ("handoffs", Kind::Integer),
    ("returns", Kind::Integer),
    ("passed_on", Kind::Integer),
    ("handoff_elapsed_us", Kind::Integer),
    ("handoff_working_us", Kind::Integer),
    ("first_done_at", Kind::Instant),
    ("last_done_at", Kind::Instant),
    ("reopenings", Kind::Integer),
    ("is_open", Kind::Flag),
    ("elapsed_us", Kind::Integer),
    ("incomplete", Kind::Flag),
    ("_ref", Kind::Integer),
];

struct Row<'a> {
    case: &'a Case,
    opened_us: i64,
    days: i64,
    events: i64,
    teams: i64,
    sites: i64,
    handoffs: Vec<Handoff>,
    /// First and last; whether it is done now; reopenings. None when nothing says when a case is done.
    done: Option<Done>,
    elapsed_us: i64,
    incomplete: bool,
    row_ref: Option<i64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Done {
    first_us: Option<i64>,
    last_us: Option<i64>,
    now: bool,
    reopenings: i64,
}

impl Derivation for CasePathTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "The way of each case in one row: teams, sites, hand-offs, returns, time it lay after them, reopenings."
    }

    fn reads(&self) -> &'static [&'static str] {
        &["case_event"]
    }

    fn consults(&self) -> &'static [&'static str] {
        CONSULTS
    }

    fn schema(&self) -> SchemaRef {
        array::schema(COLUMNS)
    }

    fn derive(&self, input: &DeriveInput<'_>) -> Result<Vec<RecordBatch>, EngineError> {
        let terms = Terms::read(input)?;
        let cases = case::read(&input.tables.batches("case_event")?)?;
        let walk = Walk { terms: &terms, as_of_us: input.as_of_us };
        let states = done_states(&terms);
        let mut rows = Vec::new();
        for case in &cases {
            rows.extend(row(input, &walk, &states, case)?);
        }
        table(input.arrangement_id, &rows, self.schema())
    }
}

/// States in which some service level about getting cases done calls one done.
fn done_states(terms: &Terms) -> BTreeSet<&str> {
    let levels = terms.service_levels.values().flat_map(super::terms::Versions::iter);
    levels
        .filter(|(_, _, level)| {
            matches!(level.metric, Metric::Turnaround | Metric::BacklogAge | Metric::Own)
        })
        .flat_map(|(_, _, level)| level.stop_states.iter().map(AsRef::as_ref))
        .collect()
}

fn row<'a>(
    input: &DeriveInput<'_>,
    walk: &Walk<'_>,
    states: &BTreeSet<&str>,
    case: &'a Case,
) -> Result<Option<Row<'a>>, EngineError> {
    let stops = walk.stops(case);
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return Ok(None) };
    let said = case.events_before(input.as_of_us).iter().find_map(|event| event.opened_us);
    let opened_us = said.map_or(first.at_us, |said| said.min(first.at_us));
    let mut days = BTreeSet::new();
    for stop in &stops {
        days.insert(day_of_us(input.zone, stop.at_us)?);
    }
    let teams: BTreeSet<_> = stops.iter().filter_map(|stop| stop.standing.team.clone()).collect();
    let sites: BTreeSet<_> = stops.iter().filter_map(|stop| stop.at.site_id.clone()).collect();
    let done = (!states.is_empty()).then(|| done(states, &stops));
    let end_us = done.filter(|done| done.now).and_then(|done| done.last_us);
    Ok(Some(Row {
        case,
        opened_us,
        days: count(days.len()),
        events: count(stops.len()),
        teams: count(teams.len()),
        sites: count(sites.len()),
        handoffs: walk.handoffs(case, &stops),
        done,
        elapsed_us: end_us.unwrap_or(input.as_of_us) - opened_us,
        incomplete: walk.terms.quarantined(&case.id).is_some(),
        row_ref: Some(last.row_ref),
    }))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn done(states: &BTreeSet<&str>, stops: &[Stop]) -> Done {
    let mut found = Done::default();
    for stop in stops {
        let Some(state) = stop.standing.state.as_deref() else { continue };
        match (states.contains(state), found.now) {
            (true, false) => {
                found.first_us = found.first_us.or(Some(stop.at_us));
                found.last_us = Some(stop.at_us);
                found.now = true;
            }
            (false, true) => {
                found.reopenings += 1;
                found.now = false;
            }
            _ => {}
        }
    }
    found
}

fn table(
    arrangement_id: &str,
    rows: &[Row<'_>],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let number = |of: fn(&Row<'_>) -> Option<i64>| array::integers(rows.iter().map(of));
    let instant = |of: fn(&Row<'_>) -> Option<i64>| array::instants(rows.iter().map(of));
    let lain = |row: &Row<'_>| {
        row.handoffs.iter().try_fold(0_i64, |sum, handoff| {
            handoff.working_us.as_ref().ok().map(|us| sum.saturating_add(*us))
        })
    };
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.case.id.as_ref()))),
        instant(|row| Some(row.opened_us)),
        number(|row| Some(row.events)),
        number(|row| Some(row.days)),
        number(|row| Some(row.teams)),
        number(|row| Some(row.sites)),
        number(|row| Some(count(row.handoffs.len()))),
        number(|row| Some(count(row.handoffs.iter().filter(|one| one.is_return).count()))),
        number(|row| {
            Some(count(row.handoffs.iter().filter(|one| one.ended == "passed-on").count()))
        }),
        number(|row| Some(row.handoffs.iter().map(|one| one.elapsed_us).sum())),
        array::integers(rows.iter().map(lain)),
        instant(|row| row.done?.first_us),
        instant(|row| row.done?.last_us),
        number(|row| Some(row.done?.reopenings)),
        array::flags(rows.iter().map(|row| row.done.map(|done| !done.now))),
        number(|row| row.done.map(|_| row.elapsed_us)),
        array::flags(rows.iter().map(|row| Some(row.incomplete))),
        array::integers(rows.iter().map(|row| row.row_ref)),
    ];
    array::batch(NAME, schema, arrays)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::{super::testing::Given, *};
    use crate::rows as cells;

    const EVENTS: &str = "| case_id | event_id | activity | occurred_at | state | team_id |\n|---|---|---|---|---|---|\n\
         | 1 | 1/1 | open | 2026-03-03T10:00:00Z | New | desk |\n\
         | 1 | 1/2 | pass | 2026-03-03T11:00:00Z | New | second |\n\
         | 1 | 1/3 | pass | 2026-03-03T13:00:00Z | New | desk |\n\
         | 1 | 1/9 | done | 2026-03-04T10:00:00Z | Done | desk |\n\
         | 1 | 1/10 | back | 2026-03-04T10:00:00Z | Active | |\n\
         | 1 | 1/11 | done | 2026-03-05T10:00:00Z | Done | desk |\n\
         | 1 | 1/12 | shut | 2026-03-09T10:00:00Z | Closed | desk |\n\
         | 2 | 2/1 | open | 2026-03-30T10:00:00Z | New | desk |";

    fn given() -> Given {
        Given::new()
            .table(
                "arrangement",
                "| client_id | provider_id | title | time_zone | default_site_id |\n|---|---|---|---|---|\n\
                 | c | p | t | UTC | here |",
            )
            .table(
                "calendar",
                "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | covered_from | covered_until |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | office | UTC | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 2026-01-01 | 2027-01-01 |",
            )
            .table("site", "| site_id | provider_id | time_zone | calendar_id |\n|---|---|---|---|\n| here | p | UTC | office |")
            .table("team", "| team_id | site_id |\n|---|---|\n| desk | here |\n| second | here |")
            .table("case_event", EVENTS)
    }

    fn levels() -> Given {
        given().table(
            "service_level",
            "| service_level_id | title | metric | target | threshold | window | stop_states | basis |\n|---|---|---|---|---|---|---|---|\n\
             | r | Done in time | turnaround | 0.9 | 2h | month | Done\\|Closed | contract |",
        )
    }

    fn told(given: &Given, name: &str) -> Vec<Option<i64>> {
        let batches = CasePathTable.derive(&given.input()).unwrap();
        let number = |batch: &RecordBatch| {
            let array = cells::integers(batch, NAME, name).unwrap();
            (0..batch.num_rows()).map(|row| cells::integer(&array, row)).collect::<Vec<_>>()
        };
        batches.iter().flat_map(number).collect()
    }

    #[test]
    fn a_case_tells_its_hand_offs_returns_and_how_long_it_lay() {
        let given = levels();
        assert_eq!(told(&given, "handoffs"), [Some(2), Some(0)]);
        assert_eq!(told(&given, "returns"), [Some(1), Some(0)]);
        assert_eq!(told(&given, "passed_on"), [Some(1), Some(0)]);
        assert_eq!(told(&given, "teams"), [Some(2), Some(1)]);
        assert_eq!(told(&given, "days_touched"), [Some(4), Some(1)]);
        // Two hours with the second team; back at the desk from 13:00 to 17:00 and from 09:00 to 10:00.
        assert_eq!(told(&given, "handoff_working_us"), [Some(7 * 3_600_000_000), Some(0)]);
        assert_eq!(told(&given, "handoff_elapsed_us"), [Some(23 * 3_600_000_000), Some(0)]);
    }

    #[test]
    fn leaving_a_done_state_is_a_reopening_and_going_from_one_to_another_is_none() {
        let given = levels();
        assert_eq!(told(&given, "reopenings"), [Some(1), Some(0)]);
        // From Tuesday 10:00 to Thursday 10:00; the open one up to the end of the month.
        let hours = |n: i64| Some(n * 3_600_000_000);
        assert_eq!(told(&given, "elapsed_us"), [hours(48), hours(38)]);
        // As of Wednesday noon it had been reopened and was not done again.
        let midway = levels().seen_at("2026-03-04T12:00:00Z");
        assert_eq!(told(&midway, "reopenings"), [Some(1)]);
        assert_eq!(told(&midway, "elapsed_us"), [hours(26)]);
    }

    #[test]
    fn without_a_word_on_when_a_case_is_done_nothing_is_said_about_it() {
        let given = given();
        assert_eq!(told(&given, "reopenings"), [None, None]);
        assert_eq!(told(&given, "elapsed_us"), [None, None]);
        assert_eq!(told(&given, "handoffs"), [Some(2), Some(0)]);
    }
}
