//! The operator against the plain path, column by column, over made-up work logs and registers.

use std::collections::BTreeSet;

use arrow::{array::RecordBatch, util::display::array_value_to_string};
use proptest::prelude::*;

use crate::{
    Catalogue, Layout,
    derive::{Derivation as _, case_clock::CaseClockTable},
    fixture::{self, Fixture},
    session::{
        Rules, Session,
        derived::AllTables,
        runtime,
        tests::{evidence_of, view, vocabulary},
    },
};

fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let mut found = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().zip(batch.schema_ref().fields());
            let cell = |(column, field): (&arrow::array::ArrayRef, &arrow::datatypes::FieldRef)| {
                let null = column.is_null(row).then_some("null");
                let text = array_value_to_string(column, row).unwrap();
                format!("{}={}", field.name(), null.unwrap_or(&text))
            };
            found.push(cells.map(cell).collect::<Vec<_>>().join(" "));
        }
    }
    found.sort();
    found
}

/// An event: case, half hours since the beginning, state, site, team, priority, type, opened, person,
/// event id.
type Drawn = (u8, u16, u8, u8, u8, u8, u8, Option<u16>, bool, u8);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let event = (
        0_u8..7,
        0_u16..2_200,
        0_u8..6,
        0_u8..6,
        0_u8..5,
        0_u8..4,
        0_u8..3,
        prop::option::weighted(0.15, 0_u16..2_300),
        prop::bool::weighted(0.3),
        0_u8..4,
    );
    prop::collection::vec(event, 1..45)
}

fn instant(half_hours: u16) -> String {
    let minutes = i64::from(half_hours) * 30;
    let us = (1_769_904_000 + minutes * 60) * 1_000_000;
    crate::period::instant_text(us)
}

fn log(events: &[Drawn]) -> String {
    let mut text = String::from(
        "| arrangement_id | case_id | activity | state | occurred_at | opened_at | site_id | team_id | priority | case_type | person_id | event_id |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (case, at, state, site, team, priority, kind, opened, person, event_id) in events {
        let pick = |words: &[&str], n: u8| words[usize::from(n) % words.len()].to_owned();
        // Some instants fall together, so that ids and records must decide.
        let at = if *at % 3 == 0 { at / 60 * 60 } else { *at };
        let id = if *event_id == 0 { String::new() } else { format!("e/{}", 8 + event_id) };
        text.push_str(&format!(
            "| desk | C{case} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {id} |\n",
            pick(&["open", "note", "done"], *event_id),
            pick(&["", "New", "Active", "Waiting", "Resolved", "Closed"], *state),
            instant(at),
            opened.map(instant).unwrap_or_default(),
            pick(&["", "", "dublin", "manila", "shed", "nowhere"], *site),
            pick(&["", "", "desk", "field", "ghost"], *team),
            pick(&["", "1", "2", "3"], *priority),
            pick(&["", "request", "incident"], *kind),
            if *person { "agent" } else { "" },
        ));
    }
    text
}

const ARRANGEMENT: &str = "| arrangement_id | client_id | provider_id | title | time_zone | default_site_id | valid_from | valid_to |\n|---|---|---|---|---|---|---|---|\n";
const SITES: &str = "| site_id | time_zone | calendar_id | valid_from | valid_to |\n|---|---|---|---|---|\n\
    | dublin | Europe/Dublin | office | | |\n| manila | Asia/Manila | night | | 2026-03-05 |\n\
    | manila | Asia/Manila | office | 2026-03-05 | |\n| shed | Europe/Dublin | | | |\n";
const TEAMS: &str = "| arrangement_id | team_id | site_id | valid_from | valid_to |\n|---|---|---|---|---|\n\
    | desk | desk | dublin | | |\n| desk | field | manila | | 2026-02-20 |\n\
    | desk | field | dublin | 2026-02-20 | |\n";
const WEEK: &str = "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | night_shift | holiday_places | covered_from | covered_until | valid_from | valid_to |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
const HOLIDAYS: &str = "| place | on_date | name | kind |\n|---|---|---|---|\n\
    | IE | 2026-03-17 | Saint Patrick's Day | public |\n";

fn calendars(until: &str, changes: bool) -> String {
    let mut text = WEEK.to_owned();
    let office = "09:00-12:30 13:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00";
    let night = ["22:00-06:00"; 5].join(" | ");
    if changes {
        text.push_str(&format!(
            "| office | Europe/Dublin | {office} | | IE | 2026-01-01 | {until} | | 2026-03-02 |\n"
        ));
        text.push_str(&format!("| office | Europe/Dublin | {night} | start-day | | 2026-01-01 | {until} | 2026-03-02 | |\n"));
    } else {
        text.push_str(&format!(
            "| office | Europe/Dublin | {office} | | IE | 2026-01-01 | {until} | | |\n"
        ));
    }
    text.push_str(&format!(
        "| night | Asia/Manila | {night} | start-day | | 2026-01-01 | 2027-01-01 | | |\n"
    ));
    text
}

/// A service level: metric, priorities, types, counts, start, threshold, calendar, rule, exclusions.
type Level = (u8, u8, u8, u8, u8, u8, u8, bool, bool);

fn levels(drawn: &[Level]) -> String {
    let mut text = String::from(
        "| arrangement_id | service_level_id | title | metric | priorities | case_types | target | window | threshold | counts_in | clock_starts | stop_states | paused_states | priority_rule | calendar_id | exclusion_reasons | update_activities | exclusion_deadline_days | exclusion_deadline_counts | basis | valid_from | valid_to |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (n, (metric, priorities, types, counts, start, threshold, calendar, first, excludes)) in
        drawn.iter().enumerate()
    {
        let pick = |words: &[&str], n: u8| words[usize::from(n) % words.len()].to_owned();
        // Every third is a later version of the one before it.
        let (id, from, to) = match n % 3 {
            1 => ("L0".to_owned(), "", "2026-03-01"),
            2 => ("L0".to_owned(), "2026-03-01", ""),
            _ => (format!("L{}", n + 1), "", ""),
        };
        text.push_str(&format!(
            "| desk | {id} | t | {} | {} | {} | 0.9 | month | {} | {} | {} | {} | Waiting | {} | {} | {} | {} | {} | {} | contract | {from} | {to} |\n",
            pick(&["turnaround", "first-response", "volume", "update"], *metric),
            pick(&["", "", "1", "1\\|2"], *priorities),
            pick(&["", "", "", "request"], *types),
            pick(&["8h", "1h", "20h", "0h", ""], *threshold),
            pick(&["", "due", "opened", "closed"], *counts),
            pick(&["", "opened", "first-event", "assigned"], *start),
            pick(&["Resolved\\|Closed", "Resolved\\|Closed", "Active\\|Resolved", ""], *threshold),
            if *first { "first" } else { "" },
            pick(&["", "", "", "night", "none"], *calendar),
            if *excludes { "client-delay" } else { "" },
            pick(&["", "open", "note\\|done"], *types),
            pick(&["", "10", "0"], *threshold),
            pick(&["working-days", ""], *types),
        ));
    }
    text
}

/// Cases out of which something was left: excluded, and with rejected rows.
fn marked(fixture: Fixture<'_>, any: bool) -> Fixture<'_> {
    if !any {
        return fixture;
    }
    fixture
        .table(
            "exclusion",
            "| arrangement_id | exclusion_id | case_id | reason | decision | requested_at | source |\n|---|---|---|---|---|---|---|\n| desk | X1 | C1 | client-delay | accepted | 2026-03-02T00:00:00Z | |\n| desk | X2 | C2 | client-delay | accepted | 2026-03-02T00:00:00Z | mail |\n| desk | X3 | C3 | client-delay | accepted | 2026-12-02T00:00:00Z | mail |\n",
        )
        .unwrap()
        .table(
            "quarantine",
            "| arrangement_id | table_name | subject | code | reason |\n|---|---|---|---|---|\n| desk | case_event | C3 | invalid-state | x |\n",
        )
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_operator_says_what_the_plain_path_says(
        events in drawn(),
        terms in prop::collection::vec(
            (0_u8..4, 0_u8..4, 0_u8..4, 0_u8..4, 0_u8..4, 0_u8..8, 0_u8..8, any::<bool>(), prop::bool::weighted(0.3)),
            1..6,
        ),
        (default_site, ends, changes, marks) in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        (group_rows, objects, shuffle, partitions) in (1_usize..20, 1_usize..4, 0_u64..3, 1_usize..4),
    ) {
        let vocabulary = vocabulary();
        let site = if default_site { "dublin" } else { "" };
        let arrangement = format!("{ARRANGEMENT}| desk | c | p | t | UTC | {site} | | |\n");
        let until = if ends { "2026-03-20" } else { "2027-01-01" };
        let calendars = calendars(until, changes);
        let (levels, log) = (levels(&terms), log(&events));
        let tables = [
            ("arrangement", arrangement.as_str()),
            ("site", SITES),
            ("team", TEAMS),
            ("calendar", &calendars),
            ("holiday", HOLIDAYS),
            ("service_level", &levels),
            ("case_event", &log),
        ];
        let fixture = tables
            .into_iter()
            .fold(Fixture::new(&vocabulary), |fixture, (name, text)| fixture.table(name, text).unwrap())
            .layout(fixture::Layout { group_rows, objects, shuffle });
        let evidence = evidence_of(&marked(fixture, marks), &vocabulary, Catalogue::default());
        let layout = Layout { partitions, batch_rows: 8192 };
        let session = Session::new(&evidence, view(), layout, runtime(layout).unwrap()).unwrap();
        let tables = AllTables(&session);
        let plain = rows(&CaseClockTable.derive(&session.derive_input(&tables).unwrap()).unwrap());
        let quick = rows(&session.batches("case_clock").unwrap());
        prop_assert_eq!(&quick, &plain);

        // Asked in SQL, with filters and few columns, the same rows come.
        let ask = |sql: &str| {
            let planned = session.plan("test", sql, session.view.period, Rules::Guest).unwrap();
            rows(&session.run("test", &planned).unwrap())
        };
        let last: Vec<String> =
            plain.iter().filter(|row| row.contains(" is_last=true ")).cloned().collect();
        prop_assert_eq!(ask("SELECT * FROM case_clock WHERE is_last"), last.clone());
        let one: Vec<String> =
            last.iter().filter(|row| row.contains(" case_id=C1 ")).cloned().collect();
        let sql = "SELECT * FROM case_clock WHERE case_id = 'C1' AND is_last";
        prop_assert_eq!(ask(sql), one);
        let window = "counted_at >= $period_start AND counted_at < $period_end";
        let counted = |filter: &str| {
            let sql = format!("SELECT case_id, service_level_id, metric, counted_at, outcome, total_us, _ref FROM case_clock WHERE is_last AND {filter}");
            ask(&sql)
        };
        let (fresh, all) = (counted(window), counted("true"));
        session.share_clock((0..31).collect());
        prop_assert_eq!(counted(window), fresh.clone());
        prop_assert_eq!(counted("true"), all.clone());
        let parts: BTreeSet<String> = ["turnaround", "first-response", "volume", "update"]
            .iter()
            .flat_map(|metric| counted(&format!("metric = '{metric}'")))
            .collect();
        prop_assert_eq!(parts, all.into_iter().collect::<BTreeSet<_>>());
    }
}
