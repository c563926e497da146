//! What a forecast may see, and when there is none. Tests only; how well it foretells is measured on
//! a real log, in the tests of the command.

use std::fmt::Write as _;

use jiff::{ToSpan as _, civil::date};

use super::{
    Derivation as _,
    case::read,
    clock::{self, Choice},
    forecast::{ForecastTable, LevelForecast, forecasts},
    forecast_ground::Walked,
    terms::Terms,
    testing::{Given, us},
};

const HEAD: &str = "| case_id | activity | state | occurred_at | opened_at | priority |\n|---|---|---|---|---|---|\n";

/// Two cases a working day of 2026 from the first week on, nine to five in UTC; every fifth takes two
/// days, the others an hour, and every seventh waits for a day.
fn log(until: &str) -> String {
    let (mut text, until) = (HEAD.to_owned(), us(until));
    let mut day = date(2026, 1, 5);
    let mut number = 0;
    while day < date(2026, 7, 1) {
        let weekday = day.weekday().to_monday_zero_offset();
        for hour in [9, 13] {
            if weekday >= 5 {
                continue;
            }
            number += 1;
            let opened = day.at(hour, 0, 0, 0);
            let mut events = vec![("open", "New", opened)];
            if number % 7 == 0 {
                events.push(("hold", "Waiting", opened.saturating_add(30.minutes())));
                events.push(("resume", "Active", opened.saturating_add(1.day())));
            }
            let long = if number % 5 == 0 { 3.days() } else { 1.hour() };
            let last = events.last().map_or(opened, |(_, _, at)| *at);
            events.push(("done", "Resolved", last.saturating_add(long)));
            for (activity, state, at) in events {
                if us(&format!("{at}Z")) < until {
                    let priority = if number % 11 == 0 { "low" } else { "high" };
                    writeln!(
                        text,
                        "| C{number} | {activity} | {state} | {at}Z | {opened}Z | {priority} |"
                    )
                    .unwrap();
                }
            }
        }
        day = day.tomorrow().unwrap();
    }
    text
}

const LEVEL: &str = "| service_level_id | title | metric | target | minimum | window | threshold | stop_states | paused_states | exclusion_reasons | valid_from | basis |\n\
                     |---|---|---|---|---|---|---|---|---|---|---|---|\n";

fn registers(levels: &str, covered_until: &str) -> Given {
    Given::new()
        .period("2026-06", "UTC")
        .table(
            "arrangement",
            "| client_id | provider_id | title | time_zone | default_site_id |\n|---|---|---|---|---|\n\
             | c | p | Desk | UTC | hall |",
        )
        .table(
            "calendar",
            &format!(
                "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | covered_from | covered_until |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | office | UTC | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 2026-01-01 | {covered_until} |"
            ),
        )
        .table("site", "| site_id | time_zone | calendar_id |\n|---|---|---|\n| hall | UTC | office |")
        .table("service_level", &format!("{LEVEL}{levels}"))
}

const ONE: &str =
    "| r | Done in 8 h | turnaround | 0.8 | 0.7 | month | 8h | Resolved | Waiting | | | contract |";

fn desk(until: &str) -> Given {
    registers(ONE, "2027-01-01").table("case_event", &log(until))
}

fn only(given: &Given) -> LevelForecast {
    let mut found = forecasts(&given.input()).unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

const DAY: &str = "2026-06-15T00:00:00Z";

#[test]
fn no_later_event_changes_a_forecast() {
    let then = desk(DAY).seen_at(DAY);
    let foretold = only(&then);
    let outlook = foretold.outlook.clone().unwrap();
    assert_eq!(foretold.standing(), "forecast");
    assert!(outlook.low < outlook.high && outlook.open > 0 && outlook.arriving > 0, "{outlook:?}");
    assert!(
        (7_000..9_000).contains(&outlook.expected),
        "four of five are done in time: {outlook:?}"
    );
    // The rest of the log: cases that end, that begin, that were open before and turn urgent.
    let later = desk("2026-07-01T00:00:00Z").seen_at(DAY);
    assert_eq!(only(&later), foretold);
    let odd = format!(
        "{HEAD}| C200 | again | Active | {DAY} | 2026-01-01T09:00:00Z | high |\n\
         | NEW | open | New | 2026-06-15T09:00:00Z | 2026-06-01T09:00:00Z | high |\n\
         | C1 | reopened | Active | 2026-06-20T09:00:00Z | | low |\n\
         | C1 | done | Resolved | 2026-09-20T09:00:00Z | | low |\n"
    );
    let odder = desk("2026-07-01T00:00:00Z").table("case_event", &odd).seen_at(DAY);
    assert_eq!(only(&odder), foretold);
    // An event of the microsecond before is seen.
    let seen = format!(
        "{HEAD}| NEW | open | New | 2026-06-14T23:59:59.999999Z | 2026-06-01T09:00:00Z | high |\n"
    );
    let other = only(&desk(DAY).table("case_event", &seen).seen_at(DAY));
    assert_ne!(other.counts, foretold.counts);
}

#[test]
fn clocks_looked_back_at_are_those_worked_out_anew() {
    let given = desk("2026-07-01T00:00:00Z");
    let terms = Terms::read(&given.input()).unwrap();
    let cases = read(&given.input().tables.batches("case_event").unwrap()).unwrap();
    let versions = terms.service_levels.values().next().unwrap();
    let walked = Walked::new(&terms, versions, &cases, us("2026-07-01T00:00:00Z"));
    for at in ["2026-01-05T09:30:00Z", "2026-02-10T12:00:00Z", DAY, "2026-06-30T23:59:00Z"] {
        let at_us = us(at);
        let anew: Vec<String> = cases
            .iter()
            .filter_map(|case| {
                let clock = clock::case_clock(&terms, versions, case, at_us, &Choice::default())?;
                Some(format!("{} {clock:?}", case.id))
            })
            .collect();
        let back: Vec<String> =
            walked.at(at_us).iter().map(|(case, clock)| format!("{} {clock:?}", case.id)).collect();
        assert_eq!(back.len(), anew.len(), "{at}");
        for (back, anew) in back.iter().zip(&anew) {
            assert_eq!(back, anew, "{at}");
        }
    }
}

#[test]
fn a_window_that_has_ended_is_its_figure() {
    let given = desk("2026-07-01T00:00:00Z").seen_at("2026-07-01T00:00:00Z");
    let found = only(&given);
    assert_eq!(found.standing(), "decided");
    let outlook = found.outlook.clone().unwrap();
    let all = found.counts.met + found.counts.missed;
    assert!(all > 30, "{found:?}");
    let share = u32::try_from(found.counts.met * 10_000 / all).unwrap();
    assert_eq!((outlook.low, outlook.open, outlook.arriving), (share, 0, 0));
    assert!(outlook.high - outlook.low <= 1, "{outlook:?}");
}

#[test]
fn a_short_history_gives_a_reason_and_no_figure() {
    let given = desk(DAY).period("2026-01", "UTC").seen_at("2026-01-20T00:00:00Z");
    let found = only(&given);
    assert_eq!(found.standing(), "none");
    assert_eq!(
        found.outlook.unwrap_err(),
        "history is too short: cases fell due in 3 of the 13 weeks before, and 4 such weeks are needed"
    );
    assert!(found.counts.met > 0, "what is decided is said all the same");
    let batches = ForecastTable.derive(&given.input()).unwrap();
    let column = |name: &str| batches[0].column_by_name(name).unwrap().is_null(0);
    for name in ["expected", "low", "high", "target_chance", "open_cases", "arriving_cases"] {
        assert!(column(name), "{name}");
    }
    assert!(!column("reason") && !column("met"));
}

#[test]
fn a_log_that_stopped_gives_a_reason_and_no_figure() {
    let found = only(&desk("2026-05-30T00:00:00Z").seen_at(DAY));
    let reason = found.outlook.unwrap_err();
    assert!(
        reason.starts_with("no case came in the last 14 days, where 20 would be usual"),
        "{reason}"
    );
}

#[test]
fn days_that_no_calendar_vouches_for_give_no_figure() {
    let given = registers(ONE, "2026-06-20").table("case_event", &log(DAY)).seen_at(DAY);
    assert_eq!(
        only(&given).outlook.unwrap_err(),
        "calendar `office` is known from 2026-01-01 until 2026-06-20 only"
    );
}

#[test]
fn a_service_level_without_a_share_of_cases_says_why_it_has_no_forecast() {
    let levels = "| backlog | Age | backlog-age | 0.8 | | month | 8h | Resolved | | | | contract |\n\
                  | many | Cases | volume | | | month | | | | | | contract |\n\
                  | vague | Done | turnaround | 0.8 | | month | | Resolved | | | | contract |\n";
    let given = registers(levels, "2027-01-01").table("case_event", &log(DAY)).seen_at(DAY);
    let reasons: Vec<(String, String)> = forecasts(&given.input())
        .unwrap()
        .into_iter()
        .map(|row| (row.service_level_id, row.outlook.unwrap_err()))
        .collect();
    let said = |id: &str| reasons.iter().find(|(level, _)| level == id).unwrap().1.clone();
    assert!(said("backlog").contains("only that day decides"), "{reasons:?}");
    assert!(said("many").contains("no share to foretell"), "{reasons:?}");
    assert!(said("vague").contains("no threshold"), "{reasons:?}");
}

#[test]
fn the_past_is_judged_by_the_terms_of_the_window() {
    // Until May a case had forty hours, in which all were done; from June on it has eight.
    let levels = "| r | Done in 40 h | turnaround | 0.8 | 0.7 | month | 40h | Resolved | Waiting | | 2026-01-01 | contract |\n\
                  | r | Done in 8 h | turnaround | 0.8 | 0.7 | month | 8h | Resolved | Waiting | | 2026-06-01 | contract |\n";
    let given = registers(levels, "2027-01-01").table("case_event", &log(DAY)).seen_at(DAY);
    let strict = only(&desk(DAY).seen_at(DAY)).outlook.unwrap();
    let amended = only(&given).outlook.unwrap();
    let always = ONE.replace("| 8h |", "| 40h |");
    let given = registers(&always, "2027-01-01").table("case_event", &log(DAY)).seen_at(DAY);
    let lenient = only(&given).outlook.unwrap();
    // Cases of May that fall due in June keep their forty hours; all others are held to eight.
    assert!(lenient.expected > 9_800, "{lenient:?}");
    assert!((strict.expected..9_200).contains(&amended.expected), "{amended:?} {strict:?}");
}

#[test]
fn a_later_decision_to_leave_a_case_out_is_not_known_yet() {
    let level = "| r | Done in 8 h | turnaround | 0.8 | 0.7 | month | 8h | Resolved | Waiting | client-delay | | contract |";
    let decided = |at: &str| {
        registers(level, "2027-01-01")
            .table("case_event", &log(DAY))
            .table(
                "exclusion",
                &format!(
                    "| exclusion_id | case_id | reason | decision | decided_at | source |\n|---|---|---|---|---|---|\n\
                     | X | C218 | client-delay | accepted | {at} | minutes |"
                ),
            )
            .seen_at(DAY)
    };
    let before = only(&decided("2026-06-12T09:00:00Z")).counts;
    let after = only(&decided("2026-06-16T09:00:00Z")).counts;
    assert_eq!((before.excluded, after.excluded), (1, 0));
    assert_eq!(before.met + before.missed + 1, after.met + after.missed);
}
