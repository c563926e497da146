//! The warning before a deadline: cases 4 and 11 of the working-time cases, and what surrounds them.
//! Tests only.

use super::{Derivation as _, due_soon::DueSoonTable, testing::Given};
use crate::{period::instant_text, rows};

const TABLE: &str = "due_soon";

/// Service level `r`, and what the row of the one case says.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    standing: String,
    left_minutes: Option<i64>,
    due: Option<String>,
    warn: Option<String>,
    notify: Option<String>,
    moved: Option<String>,
    gap: Option<String>,
}

fn all(given: &Given) -> Vec<(String, Told)> {
    let mut found = Vec::new();
    for batch in DueSoonTable.derive(&given.input()).unwrap() {
        let text = |name: &str, row| {
            rows::text(&rows::texts(&batch, TABLE, name).unwrap(), row).map(str::to_owned)
        };
        let instant = |name: &str, row| {
            rows::instant(&rows::instants(&batch, TABLE, name).unwrap(), row).map(instant_text)
        };
        let left = rows::integers(&batch, TABLE, "left_us").unwrap();
        for row in 0..batch.num_rows() {
            let told = Told {
                standing: text("standing", row).unwrap(),
                left_minutes: rows::integer(&left, row).map(|us| us / 60_000_000),
                due: instant("due_at", row),
                warn: instant("warn_at", row),
                notify: instant("notify_at", row),
                moved: text("moved", row),
                gap: text("gap_reason", row),
            };
            found.push((text("case_id", row).unwrap(), told));
        }
    }
    found
}

fn only(given: &Given) -> Told {
    let mut found = all(given);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).1
}

/// Dublin works on weekdays from nine to five; `always` is round the clock, `night` is a desk that
/// opens at ten in the evening.
fn registers(levels: &str, events: &str) -> Given {
    Given::new()
        .period("2026-03", "Europe/Dublin")
        .table(
            "arrangement",
            "| client_id | provider_id | title | time_zone | default_site_id |\n|---|---|---|---|---|\n\
             | c | p | Desk | Europe/Dublin | dublin |",
        )
        .table(
            "calendar",
            "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | saturday | sunday | covered_from | covered_until |\n\
             |---|---|---|---|---|---|---|---|---|---|---|\n\
             | office | Europe/Dublin | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | | | 2026-01-01 | 2027-01-01 |\n\
             | always | Europe/Dublin | 00:00-24:00 | 00:00-24:00 | 00:00-24:00 | 00:00-24:00 | 00:00-24:00 | 00:00-24:00 | 00:00-24:00 | 2026-01-01 | 2027-01-01 |\n\
             | short | Europe/Dublin | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | | | 2026-01-01 | 2026-03-07 |",
        )
        .table(
            "site",
            "| site_id | time_zone | calendar_id |\n|---|---|---|\n| dublin | Europe/Dublin | office |\n| hut | Europe/Dublin | |",
        )
        .table("service_level", levels)
        .table("case_event", events)
}

fn level(more_head: &str, more: &str) -> String {
    let rule = "|---".repeat(8 + more_head.matches('|').count() + 1);
    format!(
        "| service_level_id | title | metric | target | window | stop_states | paused_states | basis | {more_head} |\n{rule}|\n\
         | r | Done | turnaround | 0.95 | month | Resolved | Waiting | contract | {more} |"
    )
}

fn log(rows: &[&str]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("| {row} |")).collect();
    format!(
        "| case_id | activity | state | occurred_at | site_id |\n|---|---|---|---|---|\n{}",
        rows.join("\n")
    )
}

#[test]
fn case_04_a_warning_comes_at_the_deadline_less_working_time_and_not_at_creation() {
    // Opened on Friday at 16:00 with eight hours: due on Monday at 16:00; two hours before is 14:00.
    let levels = level("threshold | warn_before", "8h | 2h");
    let events = log(&["C | open | New | 2026-03-06T16:00:00Z | "]);
    let given = registers(&levels, &events);
    let told = only(&given.seen_at("2026-03-06T16:00:01Z"));
    assert_eq!(told.standing, "open");
    assert_eq!(told.due.as_deref(), Some("2026-03-09T16:00:00Z"));
    assert_eq!(told.warn.as_deref(), Some("2026-03-09T14:00:00Z"));
    assert_eq!(told.notify, told.warn);
    assert_eq!(told.moved.as_deref(), Some("no"));
    let given = registers(&levels, &events);
    assert_eq!(only(&given.seen_at("2026-03-09T13:59:59Z")).standing, "open");
    let given = registers(&levels, &events);
    let told = only(&given.seen_at("2026-03-09T14:00:00Z"));
    assert_eq!((told.standing.as_str(), told.left_minutes), ("warn", Some(120)));
}

#[test]
fn case_04_a_calendar_that_opens_later_does_not_fire_the_warning_at_creation() {
    // Created on Saturday: no working time has passed, so four fifths of it are not used up either.
    let events = log(&["C | open | New | 2026-03-07T10:00:00Z | "]);
    let told = only(&registers(&level("threshold", "5h"), &events).seen_at("2026-03-08T23:00:00Z"));
    assert_eq!((told.standing.as_str(), told.left_minutes), ("open", Some(300)));
    assert_eq!(told.warn.as_deref(), Some("2026-03-09T13:00:00Z"), "four of five hours on Monday");
}

#[test]
fn case_11_a_warning_at_night_moves_to_the_opening_of_its_receiver() {
    // Round the clock by contract: opened on Thursday at 18:00 with 20 hours, four fifths are used up
    // on Friday at 10:00, and with 12 hours at 03:36 in the night, before the site opens at nine.
    let events = log(&["C | open | New | 2026-03-05T18:00:00Z | "]);
    let day = level("calendar_id | threshold", "always | 20h");
    let told = only(&registers(&day, &events).seen_at("2026-03-05T18:30:00Z"));
    assert_eq!(
        (told.warn.as_deref(), told.moved.as_deref()),
        (Some("2026-03-06T10:00:00Z"), Some("no"))
    );
    let night = level("calendar_id | threshold", "always | 16h");
    let told = only(&registers(&night, &events).seen_at("2026-03-05T18:30:00Z"));
    assert_eq!(told.warn.as_deref(), Some("2026-03-06T06:48:00Z"));
    assert_eq!(told.notify.as_deref(), Some("2026-03-06T09:00:00Z"));
    assert_eq!(told.moved.as_deref(), Some("later"));
    assert_eq!(told.due.as_deref(), Some("2026-03-06T10:00:00Z"), "the deadline stays");
}

#[test]
fn case_11_where_the_opening_comes_after_the_deadline_the_last_minute_of_work_before_it_is_taken() {
    // Opened on Friday at 15:00, due on Saturday at 03:00: nobody reads a warning on Saturday.
    let events = log(&["C | open | New | 2026-03-06T15:00:00Z | "]);
    let terms = level("calendar_id | threshold", "always | 12h");
    let told = only(&registers(&terms, &events).seen_at("2026-03-06T15:30:00Z"));
    assert_eq!(told.warn.as_deref(), Some("2026-03-07T00:36:00Z"));
    assert_eq!(told.notify.as_deref(), Some("2026-03-06T16:59:00Z"));
    assert_eq!(told.moved.as_deref(), Some("earlier"));
    // Opened when the site had closed, there is no earlier minute: the next opening is all there is.
    let events = log(&["C | open | New | 2026-03-06T18:00:00Z | "]);
    let told = only(&registers(&terms, &events).seen_at("2026-03-06T19:00:00Z"));
    assert_eq!(told.notify.as_deref(), Some("2026-03-09T09:00:00Z"));
    assert_eq!(told.moved.as_deref(), Some("later"));
}

#[test]
fn the_receiver_may_have_hours_of_its_own() {
    let events = log(&["C | open | New | 2026-03-05T18:00:00Z | hut"]);
    let terms = level("calendar_id | warn_calendar_id | threshold", "always | always | 16h");
    let told = only(&registers(&terms, &events).seen_at("2026-03-05T18:30:00Z"));
    assert_eq!((told.notify, told.moved.as_deref()), (told.warn.clone(), Some("no")));
    // Without, the hours of a site that works by none are not known, and the warning says so.
    let terms = level("calendar_id | threshold", "always | 16h");
    let told = only(&registers(&terms, &events).seen_at("2026-03-05T18:30:00Z"));
    assert_eq!(told.notify, None);
    assert_eq!(told.gap.as_deref(), Some("hours of the receiver: site `hut` has no calendar"));
    assert_eq!(told.standing, "open", "the deadline is known all the same");
}

#[test]
fn pauses_move_the_warning_and_what_is_done_or_left_out_is_not_warned_of() {
    let events = log(&[
        "A | open | New | 2026-03-02T09:00:00Z | ",
        "A | hold | Waiting | 2026-03-02T10:00:00Z | ",
        "A | back | New | 2026-03-03T09:00:00Z | ",
        "B | open | New | 2026-03-02T09:00:00Z | ",
        "B | done | Resolved | 2026-03-02T10:00:00Z | ",
        "D | open | New | 2026-03-02T09:00:00Z | ",
        "E | open | New | 2026-03-02T09:00:00Z | ",
    ]);
    let terms = level("threshold | exclusion_reasons", "5h | delay");
    let given = registers(&terms, &events).table(
        "exclusion",
        "| exclusion_id | case_id | reason | decision | source |\n|---|---|---|---|---|\n\
         | 1 | D | delay | accepted | mail |\n| 2 | E | delay | open | mail |",
    );
    let found = all(&given.seen_at("2026-03-03T10:00:00Z"));
    let names: Vec<&str> = found.iter().map(|(case, _)| case.as_str()).collect();
    assert_eq!(names, ["E", "A"], "by deadline");
    assert_eq!(found[0].1.standing, "overdue");
    assert_eq!(found[0].1.left_minutes, Some(-4 * 60));
    assert_eq!(found[0].1.warn.as_deref(), Some("2026-03-02T13:00:00Z"), "as it was");
    assert_eq!(found[1].1.warn.as_deref(), Some("2026-03-03T12:00:00Z"));
    assert_eq!(found[1].1.left_minutes, Some(180));
}

#[test]
fn a_case_whose_clock_nobody_knows_is_listed_as_a_gap() {
    let events = log(&["C | open | New | 2026-03-02T09:00:00Z | hut"]);
    let told = only(&registers(&level("threshold", "5h"), &events).seen_at("2026-03-03T10:00:00Z"));
    assert_eq!((told.standing.as_str(), told.left_minutes, told.due), ("gap", None, None));
    assert_eq!(told.gap.as_deref(), Some("site `hut` has no calendar"));
    // A warning that lies beyond what the calendar knows is a gap too, and the case is still listed.
    let events = log(&["C | open | New | 2026-03-06T16:00:00Z | "]);
    let terms = level("calendar_id | threshold", "short | 8h");
    let told = only(&registers(&terms, &events).seen_at("2026-03-06T16:30:00Z"));
    assert_eq!((told.standing.as_str(), told.left_minutes), ("open", Some(450)));
    assert_eq!(told.warn, None);
    assert!(told.gap.unwrap().contains("is known from 2026-01-01 until 2026-03-07 only"));
}

#[test]
fn an_update_is_warned_of_by_the_wait_under_way() {
    let levels = "| service_level_id | title | metric | target | window | stop_states | update_activities | basis | threshold |\n\
                  |---|---|---|---|---|---|---|---|---|\n\
                  | r | News | update | 0.95 | month | Resolved | note | contract | 5h |";
    let events = log(&[
        "C | open | New | 2026-03-02T09:00:00Z | ",
        "C | note | New | 2026-03-02T13:00:00Z | ",
        "C | work | New | 2026-03-02T15:00:00Z | ",
    ]);
    let told = only(&registers(levels, &events).seen_at("2026-03-02T16:00:00Z"));
    assert_eq!((told.standing.as_str(), told.left_minutes), ("open", Some(120)));
    assert_eq!(told.warn.as_deref(), Some("2026-03-02T17:00:00Z"));
    assert_eq!(told.due.as_deref(), Some("2026-03-03T10:00:00Z"));
    let told = only(&registers(levels, &events).seen_at("2026-03-03T10:00:01Z"));
    assert_eq!(told.standing, "overdue");
}
