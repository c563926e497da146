//! Derived table `case_handoff`: each time a case went from one team or site to another, and how long it
//! lay there before anything happened to it.
//!
//! Owns what a hand-off is. It must never take the first team that a case is given to for one, and never
//! call a wait worked off because the case was merely passed on.
//!
//! | column | |
//! |---|---|
//! | `case_id`, `handoff` | the case; 1, 2, 3 … within it |
//! | `kind` | `site` when another site, both known, answers for the case from then on, else `team` |
//! | `from_team_id`, `to_team_id`, `from_site_id`, `to_site_id` | who had it, and has it; sites are those responsible |
//! | `is_return` | the receiver had it before: the case goes to and fro |
//! | `from_state`, `to_state` | the state that it was in, and in which it arrived |
//! | `handed_at`, `next_at` | the hand-off, and the next change of state, team or site; null while nothing happened |
//! | `ended` | `worked`: the receiver changed its state; `passed-on`: it went on unchanged; `open`: nothing happened up to the instant looked at |
//! | `elapsed_us`, `working_us` | time between the two (or up to the instant looked at), and the receiver's working time in it; null when that is not known |
//! | `gap_reason` | why it is not known |
//! | `incomplete` | rows of the case are in quarantine: events may be lacking |
//!
//! `_ref` is the event that hands it on. An event that names no team leaves the case where it was.

use std::{collections::BTreeSet, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Derivation, DeriveInput,
    array::{self, Kind},
    case::{self, Case},
    clock::Standing,
    terms::{Responsible, Terms},
};
use crate::error::EngineError;

/// The derivation.
#[derive(Debug, Clone, Copy)]
pub struct CaseHandoffTable;

/// Its name.
pub const NAME: &str = "case_handoff";

const COLUMNS: &[(&str, Kind)] = &[
    ("arrangement_id", Kind::Text),
    ("case_id", Kind::Text),
    ("handoff", Kind::Integer),
    ("kind", Kind::Text),
    ("from_team_id", Kind::Text),
    ("to_team_id", Kind::Text),
    ("from_site_id", Kind::Text),
    ("to_site_id", Kind::Text),
    ("is_return", Kind::Flag),
    ("from_state", Kind::Text),
    ("to_state", Kind::Text),
    ("handed_at", Kind::Instant),
    ("next_at", Kind::Instant),
    ("ended", Kind::Text),
    ("elapsed_us", Kind::Integer),
    ("working_us", Kind::Integer),
    ("gap_reason", Kind::Text),
    ("incomplete", Kind::Flag),
    ("_ref", Kind::Integer),
];

/// What the way of a case may consult.
pub(super) const CONSULTS: &[&str] = &[
    "arrangement",
    "service_level",
    "site",
    "team",
    "calendar",
    "holiday",
    "exclusion",
    "evidence_feed",
    "quarantine",
];

type Name = Option<Arc<str>>;

/// A hand-off.
#[derive(Debug)]
pub(super) struct Row {
    case: Arc<str>,
    nth: i64,
    /// Team and site before and after.
    teams: (Name, Name),
    sites: (Name, Name),
    pub is_return: bool,
    states: (Name, Name),
    handed_us: i64,
    next_us: Option<i64>,
    pub ended: &'static str,
    pub elapsed_us: i64,
    pub working_us: Result<i64, String>,
    pub incomplete: bool,
    row_ref: i64,
}

impl Row {
    fn kind(&self) -> &'static str {
        let known = self.sites.0.is_some() && self.sites.1.is_some();
        if known && self.sites.0 != self.sites.1 { "site" } else { "team" }
    }
}

impl Derivation for CaseHandoffTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Each hand-off of a case between teams or sites, and the working time it lay there before anything happened."
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
        let rows: Vec<Row> = cases.iter().flat_map(|case| walk.case(case)).collect();
        table(input.arrangement_id, &rows, self.schema())
    }
}

/// Who has a case after an event.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub standing: Standing,
    pub at: Responsible,
    pub at_us: i64,
    pub row_ref: i64,
}

impl Stop {
    /// Whether somebody else has the case: another team, or another site answers for it. From nobody
    /// named to somebody is no hand-off.
    fn handed_on(&self, next: &Self) -> bool {
        let other = |a: &Name, b: &Name| a.is_some() && b.is_some() && a != b;
        other(&self.standing.team, &next.standing.team) || other(&self.at.site_id, &next.at.site_id)
    }

    fn changed(&self, next: &Self) -> bool {
        self.standing.state != next.standing.state
            || self.standing.team != next.standing.team
            || self.at.site_id != next.at.site_id
    }

    fn holder(&self) -> (Name, Name) {
        (self.standing.team.clone(), self.at.site_id.clone())
    }
}

/// The way of cases from one to the next.
pub(super) struct Walk<'a> {
    pub terms: &'a Terms,
    pub as_of_us: i64,
}

impl Walk<'_> {
    /// Who had a case after each event.
    pub fn stops(&self, case: &Case) -> Vec<Stop> {
        let mut standing = Standing::default();
        let mut stops = Vec::new();
        for event in case.events_before(self.as_of_us) {
            standing.after(event);
            let (site, team) = (standing.site.as_ref(), standing.team.as_ref());
            let at = self.terms.responsible(site, team, event.at_us);
            let (at_us, row_ref) = (event.at_us, event.row_ref);
            stops.push(Stop { standing: standing.clone(), at, at_us, row_ref });
        }
        stops
    }

    fn case(&self, case: &Case) -> Vec<Row> {
        self.handoffs(case, &self.stops(case))
    }

    /// The hand-offs among these.
    pub fn handoffs(&self, case: &Case, stops: &[Stop]) -> Vec<Row> {
        let incomplete = self.terms.quarantined(&case.id).is_some();
        let mut known: BTreeSet<(Name, Name)> = BTreeSet::new();
        let mut found: Vec<Row> = Vec::new();
        for (place, pair) in stops.windows(2).enumerate() {
            let [before, now] = pair else { continue };
            known.insert(before.holder());
            if !before.handed_on(now) {
                continue;
            }
            let later = stops.get(place + 2..).unwrap_or_default();
            let next = later.iter().find(|next| now.changed(next));
            let until_us = next.map_or(self.as_of_us, |next| next.at_us);
            found.push(Row {
                case: case.id.clone(),
                nth: i64::try_from(found.len()).unwrap_or(i64::MAX).saturating_add(1),
                teams: (before.standing.team.clone(), now.standing.team.clone()),
                sites: (before.at.site_id.clone(), now.at.site_id.clone()),
                is_return: known.contains(&now.holder()),
                states: (before.standing.state.clone(), now.standing.state.clone()),
                handed_us: now.at_us,
                next_us: next.map(|next| next.at_us),
                ended: match next {
                    None => "open",
                    Some(next)
                        if now.handed_on(next) && now.standing.state == next.standing.state =>
                    {
                        "passed-on"
                    }
                    Some(_) => "worked",
                },
                elapsed_us: until_us - now.at_us,
                working_us: self.working(now, until_us),
                incomplete,
                row_ref: now.row_ref,
            });
        }
        found
    }

    /// The receiver's working time, by the calendar in force at the hand-off.
    fn working(&self, now: &Stop, until_us: i64) -> Result<i64, String> {
        if let Some(gap) = &now.at.gap {
            return Err(gap.to_string());
        }
        let Some(calendar) = &now.at.calendar_id else {
            return Err("the site responsible has no calendar".to_owned());
        };
        let calendar = self.terms.calendar(calendar).map_err(|gap| gap.to_string())?;
        calendar.working_us(now.at_us, until_us).map_err(|gap| gap.to_string())
    }
}

fn table(
    arrangement_id: &str,
    rows: &[Row],
    schema: SchemaRef,
) -> Result<Vec<RecordBatch>, EngineError> {
    let name = |of: fn(&Row) -> &Name| array::texts(rows.iter().map(move |row| of(row).as_deref()));
    let arrays = vec![
        array::texts(rows.iter().map(|_| Some(arrangement_id))),
        array::texts(rows.iter().map(|row| Some(row.case.as_ref()))),
        array::integers(rows.iter().map(|row| Some(row.nth))),
        array::texts(rows.iter().map(|row| Some(row.kind()))),
        name(|row| &row.teams.0),
        name(|row| &row.teams.1),
        name(|row| &row.sites.0),
        name(|row| &row.sites.1),
        array::flags(rows.iter().map(|row| Some(row.is_return))),
        name(|row| &row.states.0),
        name(|row| &row.states.1),
        array::instants(rows.iter().map(|row| Some(row.handed_us))),
        array::instants(rows.iter().map(|row| row.next_us)),
        array::texts(rows.iter().map(|row| Some(row.ended))),
        array::integers(rows.iter().map(|row| Some(row.elapsed_us))),
        array::integers(rows.iter().map(|row| row.working_us.as_ref().ok().copied())),
        array::texts(rows.iter().map(|row| row.working_us.as_ref().err().map(String::as_str))),
        array::flags(rows.iter().map(|row| Some(row.incomplete))),
        array::integers(rows.iter().map(|row| Some(row.row_ref))),
    ];
    array::batch(NAME, schema, arrays)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::{super::testing::Given, *};
    use crate::rows as cells;

    /// Two sites in two zones, three teams; `roam` is unknown to the register.
    fn registers(events: &str) -> Given {
        let head = "| case_id | activity | occurred_at | state | team_id | site_id |\n|---|---|---|---|---|---|\n";
        Given::new()
            .table(
                "arrangement",
                "| client_id | provider_id | title | time_zone | default_site_id |\n|---|---|---|---|---|\n\
                 | c | p | t | UTC | |",
            )
            .table(
                "calendar",
                "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | covered_from | covered_until |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | dublin-office | Europe/Dublin | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 2026-01-01 | 2027-01-01 |\n\
                 | manila-office | Asia/Manila | 08:00-16:00 | 08:00-16:00 | 08:00-16:00 | 08:00-16:00 | 08:00-16:00 | 2026-01-01 | 2027-01-01 |",
            )
            .table(
                "site",
                "| site_id | provider_id | time_zone | calendar_id |\n|---|---|---|---|\n\
                 | dublin | p | Europe/Dublin | dublin-office |\n| manila | p | Asia/Manila | manila-office |",
            )
            .table(
                "team",
                "| team_id | site_id |\n|---|---|\n| desk | dublin |\n| second | dublin |\n| night | manila |",
            )
            .table("case_event", &format!("{head}{events}"))
    }

    /// Kind, from, to, return, ended, elapsed and working minutes, gap.
    type Told = (String, String, String, bool, String, i64, Option<i64>, Option<String>);

    fn told(given: &Given) -> Vec<Told> {
        let mut found = Vec::new();
        for batch in CaseHandoffTable.derive(&given.input()).unwrap() {
            let text = |name: &str, row| {
                cells::text(&cells::texts(&batch, NAME, name).unwrap(), row).map(str::to_owned)
            };
            let number = |name: &str, row| {
                cells::integer(&cells::integers(&batch, NAME, name).unwrap(), row)
            };
            let returns = cells::booleans(&batch, NAME, "is_return").unwrap();
            for row in 0..batch.num_rows() {
                assert_eq!(number("handoff", row), Some(i64::try_from(row).unwrap() + 1));
                found.push((
                    text("kind", row).unwrap(),
                    text("from_team_id", row).unwrap_or_default(),
                    text("to_team_id", row).unwrap_or_default(),
                    cells::boolean(&returns, row).unwrap(),
                    text("ended", row).unwrap(),
                    number("elapsed_us", row).unwrap() / 60_000_000,
                    number("working_us", row).map(|us| us / 60_000_000),
                    text("gap_reason", row),
                ));
            }
        }
        found
    }

    fn line(kind: &str, from: &str, to: &str, back: bool, ended: &str, times: (i64, i64)) -> Told {
        let text = str::to_owned;
        (text(kind), text(from), text(to), back, text(ended), times.0, Some(times.1), None)
    }

    #[test]
    fn a_wait_is_counted_in_the_working_time_of_whoever_received_the_case() {
        // Tuesday 16:00 in Dublin is midnight in Manila; work begins there at 08:00, midnight UTC.
        let given = registers(
            "| 1 | open | 2026-03-03T10:00:00Z | New | desk | |\n\
             | 1 | pass | 2026-03-03T16:00:00Z | New | night | |\n\
             | 1 | take | 2026-03-04T01:30:00Z | Active | night | |",
        );
        assert_eq!(told(&given), [line("site", "desk", "night", false, "worked", (570, 90))]);
    }

    #[test]
    fn a_case_that_goes_to_and_fro_is_told_as_returned_and_a_mere_passing_on_as_such() {
        let given = registers(
            "| 1 | open | 2026-03-03T10:00:00Z | New | desk | |\n\
             | 1 | pass | 2026-03-03T11:00:00Z | New | second | |\n\
             | 1 | pass | 2026-03-03T13:00:00Z | New | desk | |\n\
             | 1 | take | 2026-03-03T13:30:00Z | Active | desk | |",
        );
        assert_eq!(
            told(&given),
            [
                line("team", "desk", "second", false, "passed-on", (120, 120)),
                line("team", "second", "desk", true, "worked", (30, 30)),
            ]
        );
    }

    #[test]
    fn the_first_team_and_an_event_that_names_no_team_are_no_hand_off() {
        let given = registers(
            "| 1 | open | 2026-03-03T10:00:00Z | New | | |\n\
             | 1 | give | 2026-03-03T10:30:00Z | New | desk | |\n\
             | 1 | note | 2026-03-03T11:00:00Z | Active | | |\n\
             | 1 | note | 2026-03-03T12:00:00Z | Active | desk | |",
        );
        assert_eq!(told(&given), []);
    }

    #[test]
    fn a_case_that_nobody_touched_since_waits_up_to_the_instant_looked_at() {
        let given = registers(
            "| 1 | open | 2026-03-03T10:00:00Z | New | desk | |\n\
             | 1 | pass | 2026-03-03T16:00:00Z | New | second | |\n\
             | 1 | note | 2026-03-03T16:30:00Z | New | second | |\n\
             | 1 | take | 2026-03-05T10:00:00Z | Active | second | |",
        )
        .seen_at("2026-03-04T10:00:00Z");
        // An hour on Tuesday, an hour on Wednesday; what comes later is not known yet.
        assert_eq!(told(&given), [line("team", "desk", "second", false, "open", (1_080, 120))]);
    }

    #[test]
    fn another_site_of_the_same_team_is_a_hand_off_and_an_unknown_team_has_no_working_time() {
        let given = registers(
            "| 1 | open | 2026-03-03T10:00:00Z | New | desk | |\n\
             | 1 | move | 2026-03-03T11:00:00Z | New | | manila |\n\
             | 1 | take | 2026-03-03T12:00:00Z | Active | | |\n\
             | 1 | pass | 2026-03-03T13:00:00Z | Active | roam | |\n\
             | 1 | done | 2026-03-03T14:00:00Z | Done | | |",
        );
        let found = told(&given);
        assert_eq!(found[0], line("site", "desk", "desk", false, "worked", (60, 0)));
        assert_eq!((found[1].2.as_str(), found[1].6), ("roam", None));
        assert!(found[1].7.as_deref().unwrap().contains("roam"), "{found:?}");
        assert_eq!(found.len(), 2);
    }
}
