//! The cases of working time and service levels that are the clock's business, by their numbers, and
//! the rules of the clock that they leave open.
//!
//! Longer than most because each trap is one small test over the same registers.

use super::{
    case,
    case_clock::clocks,
    clock::Choice,
    terms::Terms,
    testing::{Given, us},
};

/// What a test looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    outcome: &'static str,
    minutes: Option<i64>,
    due: Option<String>,
    closed: Option<String>,
    counted: Option<String>,
    excluded: Option<String>,
    gap: Option<String>,
    /// Clock, working minutes and site of each segment.
    segments: Vec<(&'static str, Option<i64>, String)>,
}

fn seen(given: &Given, level: &str, case: &str) -> Option<Seen> {
    let input = given.input();
    let terms = Terms::read(&input).unwrap();
    let cases = case::read(&input.tables.batches("case_event").unwrap()).unwrap();
    let all = clocks(&terms, &cases, input.as_of_us, &Choice::default());
    let (_, clock) =
        all.iter().find(|(found, clock)| &*found.id == case && &*clock.level.id == level)?;
    let text = |us: Option<i64>| us.map(crate::period::instant_text);
    let minutes = |us: Option<i64>| us.map(|us| us / 60_000_000);
    Some(Seen {
        outcome: clock.outcome.as_str(),
        minutes: minutes(clock.total_us),
        due: text(clock.due_us),
        closed: text(clock.closed_us),
        counted: text(clock.counted_us),
        excluded: clock.excluded.map(str::to_owned),
        gap: clock.gap.as_ref().map(ToString::to_string),
        segments: clock
            .segments
            .iter()
            .map(|s| {
                (
                    s.run.as_str(),
                    minutes(s.working_us),
                    s.site.as_deref().unwrap_or_default().to_owned(),
                )
            })
            .collect(),
    })
}

/// Dublin 09:00–17:00 and Manila 09:00–18:00 on weekdays; turnaround within 8 hours.
fn registers() -> Given {
    Given::new()
        .period("2026-03", "Europe/Dublin")
        .table(
            "arrangement",
            "| client_id | provider_id | title | time_zone | default_site_id |\n|---|---|---|---|---|\n\
             | c | p | Desk | Europe/Dublin | dublin |",
        )
        .table(
            "calendar",
            "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | covered_from | covered_until | holiday_places |\n\
             |---|---|---|---|---|---|---|---|---|---|\n\
             | dub | Europe/Dublin | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 2026-01-01 | 2027-01-01 | IE |\n\
             | mnl | Asia/Manila | 09:00-18:00 | 09:00-18:00 | 09:00-18:00 | 09:00-18:00 | 09:00-18:00 | 2026-01-01 | 2027-01-01 | |",
        )
        .table(
            "holiday",
            "| place | on_date | name | kind |\n|---|---|---|---|\n| IE | 2026-03-17 | Saint Patrick | public |",
        )
        .table(
            "site",
            "| site_id | time_zone | calendar_id |\n|---|---|---|\n| dublin | Europe/Dublin | dub |\n\
             | manila | Asia/Manila | mnl |\n| hut | Europe/Dublin | |",
        )
        .table("team", "| team_id | site_id |\n|---|---|\n| D | dublin |\n| M | manila |\n| X | |")
}

const TERMS: &str = "| service_level_id | title | metric | target | window | threshold | stop_states | paused_states | basis |\n\
                     |---|---|---|---|---|---|---|---|---|\n\
                     | r | Resolved in 8 h | turnaround | 0.95 | month | 8h | Resolved\\|Closed | Waiting | contract |";

fn desk() -> Given {
    registers().table("service_level", TERMS)
}

/// Events of case `C`: `time | state` and what else the heading says.
fn events(given: Given, heading: &str, rows: &[&str]) -> Given {
    let rule = "|---".repeat(heading.matches('|').count() + 3);
    let rows: Vec<String> = rows.iter().map(|row| format!("| C | x | {row} |")).collect();
    given.table(
        "case_event",
        &format!("| case_id | activity | {heading} |\n{rule}|\n{}", rows.join("\n")),
    )
}

fn simple(rows: &[&str]) -> Given {
    events(desk(), "occurred_at | state", rows)
}

#[test]
fn case_01_a_pause_over_a_weekend_and_the_deadline_are_both_in_working_time() {
    let given = simple(&[
        "2026-03-06T15:00Z | New",
        "2026-03-06T16:00Z | Waiting",
        "2026-03-09T10:00Z | New",
        "2026-03-09T12:00Z | Resolved",
    ]);
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("met", Some(180)));
    assert_eq!(found.due.as_deref(), Some("2026-03-09T17:00:00Z"));
    let runs: Vec<_> = found.segments.iter().map(|s| (s.0, s.1)).collect();
    assert_eq!(
        runs,
        [("running", Some(60)), ("paused", Some(0)), ("running", Some(120)), ("stopped", Some(0))]
    );
}

#[test]
fn case_02_a_case_created_outside_hours_waits_for_them_and_keeps_its_instant() {
    let before_hours = simple(&["2026-03-07T13:00Z | New"]).seen_at("2026-03-08T10:00:00Z");
    let found = seen(&before_hours, "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("open", Some(0)));
    assert_eq!(found.due.as_deref(), Some("2026-03-09T17:00:00Z"));
    let in_hours = before_hours.seen_at("2026-03-09T09:30:00Z");
    assert_eq!(seen(&in_hours, "r", "C").unwrap().minutes, Some(30));
}

#[test]
fn case_03_a_first_touch_outside_hours_keeps_its_instant_with_no_working_time() {
    let terms =
        TERMS.replace("turnaround", "first-response").replace("Resolved\\|Closed", "Active");
    let given = events(
        registers().table("service_level", &terms),
        "occurred_at | state",
        &["2026-03-06T18:00Z | New", "2026-03-07T11:11Z | Active", "2026-03-09T12:00Z | New"],
    );
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("met", Some(0)));
    assert_eq!(found.closed.as_deref(), Some("2026-03-07T11:11:00Z"));
    assert_eq!(found.segments.len(), 2, "the first response is final");
}

#[test]
fn case_05_time_paused_survives_a_change_of_priority() {
    let given = events(
        desk(),
        "occurred_at | state | priority",
        &[
            "2026-03-02T09:00Z | New | 3",
            "2026-03-02T10:00Z | Waiting | 3",
            "2026-03-02T11:00Z | Waiting | 1",
            "2026-03-02T12:00Z | New | 1",
            "2026-03-02T13:00Z | Resolved | 1",
        ],
    );
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!(found.minutes, Some(120));
    assert_eq!(found.segments[1].0, "paused");
    assert_eq!(found.segments[2].0, "paused");
}

#[test]
fn case_06_the_clock_starts_where_the_service_level_says() {
    let row = |id: &str, starts: &str| {
        format!("| {id} | t | turnaround | 0.95 | month | 8h | Resolved | {starts} | contract |\n")
    };
    let terms = format!(
        "| service_level_id | title | metric | target | window | threshold | stop_states | clock_starts | basis |\n\
         |---|---|---|---|---|---|---|---|---|\n{}{}{}",
        row("o", "opened"),
        row("f", "first-event"),
        row("a", "assigned")
    );
    let given = events(
        registers().table("service_level", &terms),
        "occurred_at | state | opened_at | team_id | person_id",
        &[
            "2026-03-02T10:00Z | New | 2026-03-02T09:00Z | | me",
            "2026-03-02T11:00Z | Work | | D | me",
            "2026-03-02T12:00Z | Resolved | | D | me",
        ],
    );
    let minutes = |level: &str| seen(&given, level, "C").unwrap().minutes;
    assert_eq!((minutes("o"), minutes("f"), minutes("a")), (Some(180), Some(120), Some(60)));
}

#[test]
fn case_09_clocks_of_two_service_levels_do_not_touch_each_other() {
    let terms = format!(
        "{TERMS}\n| f | First response | first-response | 0.9 | month | 1h | Active\\|Resolved | | contract |"
    );
    let given = events(
        registers().table("service_level", &terms),
        "occurred_at | state",
        &[
            "2026-03-02T09:00Z | New",
            "2026-03-02T09:30Z | Active",
            "2026-03-02T10:00Z | New",
            "2026-03-02T16:00Z | Resolved",
        ],
    );
    let (r, f) = (seen(&given, "r", "C").unwrap(), seen(&given, "f", "C").unwrap());
    assert_eq!((r.minutes, f.minutes), (Some(420), Some(30)));
    assert_eq!(
        (r.closed.as_deref(), f.closed.as_deref()),
        (Some("2026-03-02T16:00:00Z"), Some("2026-03-02T09:30:00Z"))
    );
}

#[test]
fn case_10_the_service_level_says_whose_priority_decides() {
    let terms = "| service_level_id | title | metric | priorities | target | window | threshold | stop_states | priority_rule | basis |\n\
                 |---|---|---|---|---|---|---|---|---|---|\n\
                 | last1 | t | turnaround | 1 | 0.95 | month | 8h | Resolved | last | contract |\n\
                 | first3 | t | turnaround | 3 | 0.95 | month | 8h | Resolved | first | contract |\n\
                 | last3 | t | turnaround | 3 | 0.95 | month | 8h | Resolved | | contract |";
    let given = events(
        registers().table("service_level", terms),
        "occurred_at | state | priority",
        &[
            "2026-03-02T09:00Z | New | 3",
            "2026-03-02T10:00Z | New | 1",
            "2026-03-02T11:00Z | Resolved | ",
        ],
    );
    assert!(seen(&given, "last1", "C").is_some());
    assert!(seen(&given, "first3", "C").is_some());
    assert!(seen(&given, "last3", "C").is_none());
}

#[test]
fn case_12_a_hold_moves_the_deadline_by_its_working_time() {
    let given = simple(&[
        "2026-03-02T09:00Z | New",
        "2026-03-02T16:00Z | Waiting",
        "2026-03-03T10:00Z | New",
    ])
    .seen_at("2026-03-03T10:00:00Z");
    assert_eq!(seen(&given, "r", "C").unwrap().due.as_deref(), Some("2026-03-03T11:00:00Z"));
}

#[test]
fn case_13_an_open_case_is_recomputed_when_a_holiday_becomes_known() {
    let given = simple(&["2026-03-18T16:00Z | New"]).seen_at("2026-03-19T16:00:00Z");
    assert_eq!(seen(&given, "r", "C").unwrap().due.as_deref(), Some("2026-03-19T16:00:00Z"));
    let late = given.table(
        "holiday",
        "| place | on_date | name | kind | proclaimed_on |\n|---|---|---|---|---|\n\
         | IE | 2026-03-19 | Proclaimed late | public | 2026-03-18 |",
    );
    assert_eq!(seen(&late, "r", "C").unwrap().due.as_deref(), Some("2026-03-20T16:00:00Z"));
}

#[test]
fn case_14_a_case_created_elsewhere_is_judged_by_instants_only() {
    let manila = simple(&["2026-03-02T17:30+08:00 | New"]).seen_at("2026-03-02T10:30:00Z");
    let found = seen(&manila, "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("open", Some(60)));
}

#[test]
fn case_15_on_hold_over_a_holiday_pauses() {
    let given = simple(&[
        "2026-03-16T16:00Z | New",
        "2026-03-16T16:30Z | Waiting",
        "2026-03-18T09:30Z | New",
        "2026-03-18T10:00Z | Resolved",
    ]);
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!(found.minutes, Some(60));
    // What was left when it was done runs on from there.
    assert_eq!(found.due.as_deref(), Some("2026-03-18T17:00:00Z"));
}

#[test]
fn case_16_no_calendar_is_a_gap_and_says_so() {
    let at = |site: &str| {
        events(
            desk(),
            "occurred_at | state | site_id",
            &[&format!("2026-03-02T09:00Z | New | {site}")],
        )
    };
    let gap = |given: &Given| {
        let found = seen(given, "r", "C").unwrap();
        (found.outcome, found.minutes, found.gap.unwrap_or_default())
    };
    assert_eq!(gap(&at("hut")), ("gap", None, "site `hut` has no calendar".to_owned()));
    assert_eq!(gap(&at("nowhere")), ("gap", None, "no site `nowhere`".to_owned()));
    assert_eq!(
        gap(&at("dublin").without("calendar")),
        ("gap", None, "no calendar `dub`".to_owned())
    );
    assert_eq!(
        gap(&at("dublin").without("holiday")),
        ("gap", None, "no holidays of `IE` in 2026, which calendar `dub` needs".to_owned())
    );
    assert_eq!(
        gap(&at("").without("arrangement")).2,
        "no site is responsible: neither event, team nor arrangement names one"
    );
    let unknown_team =
        events(desk(), "occurred_at | state | team_id", &["2026-03-02T09:00Z | New | Q"]);
    assert_eq!(gap(&unknown_team).2, "no team `Q`");
    let beyond = simple(&["2025-12-31T09:00Z | New"]);
    assert_eq!(gap(&beyond).2, "calendar `dub` is known from 2026-01-01 until 2027-01-01 only");
}

#[test]
fn case_17_the_clock_follows_the_site_that_is_responsible() {
    let given = events(
        desk(),
        "occurred_at | state | team_id",
        &[
            "2026-03-02T15:00Z | New | D",
            // Handed to Manila after Manila's hours: nothing counts until 09:00 there (01:00Z).
            "2026-03-02T16:00Z | New | M",
            "2026-03-03T02:00Z | Resolved | M",
        ],
    );
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!(found.minutes, Some(120));
    assert_eq!(found.segments[0], ("running", Some(60), "dublin".to_owned()));
    assert_eq!(found.segments[1], ("running", Some(60), "manila".to_owned()));
}

#[test]
fn case_18_each_region_has_its_own_hours_and_the_contract_may_name_one_calendar_for_all() {
    let rows = ["2026-03-02T02:00Z | New | M", "2026-03-02T04:00Z | Resolved | M"];
    let own = events(desk(), "occurred_at | state | team_id", &rows);
    assert_eq!(seen(&own, "r", "C").unwrap().minutes, Some(120));
    let terms = "| service_level_id | title | metric | target | window | threshold | stop_states | calendar_id | basis |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | r | t | turnaround | 0.95 | month | 8h | Resolved | dub | contract |";
    let one =
        events(registers().table("service_level", terms), "occurred_at | state | team_id", &rows);
    assert_eq!(seen(&one, "r", "C").unwrap().minutes, Some(0));
}

#[test]
fn case_19_the_switch_to_summer_time_moves_no_window() {
    // Dublin went forward on 29 March: Friday 16:00Z to Monday 09:00 local, 08:00Z.
    let given = simple(&["2026-03-27T16:00Z | New", "2026-03-30T09:00Z | Resolved"]);
    assert_eq!(seen(&given, "r", "C").unwrap().minutes, Some(120));
}

#[test]
fn events_of_one_minute_follow_the_counter_of_the_source() {
    let rows = [
        "2026-03-02T09:00Z | New | C/1",
        "2026-03-02T10:00Z | Resolved | C/10",
        "2026-03-02T10:00Z | New | C/9",
    ];
    let given = events(desk(), "occurred_at | state | event_id", &rows);
    assert_eq!(seen(&given, "r", "C").unwrap().closed.as_deref(), Some("2026-03-02T10:00:00Z"));
}

#[test]
fn a_reopened_case_counts_on_and_is_done_at_its_last_stop() {
    let given = simple(&[
        "2026-03-02T09:00Z | New",
        "2026-03-02T12:00Z | Resolved",
        "2026-03-03T09:00Z | New",
        "2026-03-03T15:00Z | Resolved",
        "2026-03-04T15:00Z | Closed",
    ]);
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("missed", Some(540)));
    assert_eq!(found.closed.as_deref(), Some("2026-03-03T15:00:00Z"));
    assert_eq!(found.due.as_deref(), Some("2026-03-03T14:00:00Z"));
}

#[test]
fn done_within_exactly_the_threshold_is_met_and_a_microsecond_more_is_not() {
    let outcome = |end: &str| {
        let end = format!("{end} | Resolved");
        seen(&simple(&["2026-03-02T09:00Z | New", &end]), "r", "C").unwrap().outcome
    };
    assert_eq!(outcome("2026-03-02T17:00:00Z"), "met");
    // Outside hours no working time passes.
    assert_eq!(outcome("2026-03-02T20:00:00Z"), "met");
    assert_eq!(outcome("2026-03-03T09:00:00Z"), "met");
    assert_eq!(outcome("2026-03-03T09:00:00.000001Z"), "missed");
}

#[test]
fn an_open_case_is_overdue_once_its_deadline_has_passed() {
    let outcome = |as_of: &str| {
        seen(&simple(&["2026-03-02T09:00Z | New"]).seen_at(as_of), "r", "C").unwrap().outcome
    };
    assert_eq!(outcome("2026-03-02T17:00:00Z"), "open");
    assert_eq!(outcome("2026-03-02T17:00:00.000001Z"), "overdue");
}

#[test]
fn events_after_the_instant_looked_at_do_not_exist_yet() {
    let given = simple(&["2026-03-02T09:00Z | New", "2026-03-02T10:00Z | Resolved"]);
    assert_eq!(seen(&given, "r", "C").unwrap().outcome, "met");
    assert_eq!(seen(&given.seen_at("2026-03-02T10:00:00Z"), "r", "C").unwrap().outcome, "open");
}

#[test]
fn june_is_judged_by_the_terms_of_june() {
    let terms = "| service_level_id | title | metric | target | window | threshold | stop_states | basis | valid_from |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | r | old | turnaround | 0.95 | month | 1h | Resolved | contract | |\n\
                 | r | new | turnaround | 0.95 | month | 4h | Resolved | contract | 2026-03-10 |";
    let done = |day: &str| {
        let rows = [format!("{day}T09:00Z | New"), format!("{day}T11:00Z | Resolved")];
        let given = registers().table("service_level", terms);
        seen(&events(given, "occurred_at | state", &[&rows[0], &rows[1]]), "r", "C")
            .unwrap()
            .outcome
    };
    assert_eq!((done("2026-03-09"), done("2026-03-10")), ("missed", "met"));
}

#[test]
fn only_accepted_exclusions_for_a_reason_of_the_contract_leave_a_case_out() {
    let terms = "| service_level_id | title | metric | target | window | threshold | stop_states | exclusion_reasons | basis |\n\
                 |---|---|---|---|---|---|---|---|---|\n\
                 | r | t | turnaround | 0.95 | month | 8h | Resolved | client-delay | contract |";
    let base = || {
        events(
            registers().table("service_level", terms),
            "occurred_at | state",
            &["2026-03-02T09:00Z | New", "2026-03-03T12:00Z | Resolved"],
        )
    };
    let decided = |level: &str, reason: &str, decision: &str| {
        let row = format!(
            "| exclusion_id | service_level_id | case_id | reason | decision | source |\n|---|---|---|---|---|---|\n| 1 | {level} | C | {reason} | {decision} | mail |"
        );
        seen(&base().table("exclusion", &row), "r", "C").unwrap().excluded
    };
    assert_eq!(decided("r", "client-delay", "accepted").as_deref(), Some("client-delay"));
    assert_eq!(decided("", "client-delay", "accepted").as_deref(), Some("client-delay"));
    assert_eq!(decided("other", "client-delay", "accepted"), None);
    assert_eq!(decided("r", "weather", "accepted"), None);
    assert_eq!(decided("r", "client-delay", "open"), None);
    // Nothing known of exclusions is a gap, unless a complete list says that there are none.
    assert_eq!(seen(&base(), "r", "C").unwrap().outcome, "gap");
    let complete = |from: &str, to: &str| {
        let row = format!(
            "| feed_id | table_name | entry | valid_from | valid_to |\n|---|---|---|---|---|\n| f | exclusion | complete | {from} | {to} |"
        );
        seen(&base().table("evidence_feed", &row), "r", "C").unwrap().outcome
    };
    assert_eq!(complete("2026-03-01", ""), "missed");
    assert_eq!(complete("2026-03-01", "2026-04-01"), "missed");
    assert_eq!(complete("2026-03-02", ""), "gap");
    assert_eq!(complete("2026-03-01", "2026-03-31"), "gap");
}

#[test]
fn a_miss_that_was_complete_before_a_gap_stays_a_miss() {
    let rows = [
        "2026-03-02T09:00Z | New | D",
        "2026-03-04T09:00Z | New | Q",
        "2026-03-04T10:00Z | Resolved | D",
    ];
    let given = events(desk(), "occurred_at | state | team_id", &rows);
    let found = seen(&given, "r", "C").unwrap();
    assert_eq!(
        (found.outcome, found.minutes, found.due.as_deref()),
        ("missed", None, Some("2026-03-02T17:00:00Z"))
    );
    let early = [
        "2026-03-02T09:00Z | New | Q",
        "2026-03-04T09:00Z | New | D",
        "2026-03-09T10:00Z | Resolved | D",
    ];
    assert_eq!(
        seen(&events(desk(), "occurred_at | state | team_id", &early), "r", "C").unwrap().outcome,
        "gap"
    );
}

#[test]
fn terms_that_do_not_say_what_done_means_judge_nobody() {
    let without_stop = TERMS.replace("Resolved\\|Closed", "");
    let without_threshold = TERMS.replace("8h", "");
    for (terms, reason) in [
        (without_stop, "the service level names no stop states"),
        (without_threshold, "the service level has no threshold"),
    ] {
        let given = events(
            registers().table("service_level", &terms),
            "occurred_at | state",
            &["2026-03-02T09:00Z | New"],
        );
        let found = seen(&given, "r", "C").unwrap();
        assert_eq!((found.outcome, found.gap.as_deref()), ("gap", Some(reason)));
    }
}

#[test]
fn a_case_without_the_priority_that_decides_is_a_gap_and_with_another_it_is_not_measured() {
    let terms = TERMS
        .replace("| metric |", "| metric | priorities |")
        .replace("| turnaround |", "| turnaround | 1 |")
        .replacen("|---|", "|---|---|", 1);
    let outcome = |priority: &str| {
        let row = format!("2026-03-02T09:00Z | New | {priority}");
        let given = events(
            registers().table("service_level", &terms),
            "occurred_at | state | priority",
            &[&row],
        );
        seen(&given, "r", "C").map(|found| found.gap)
    };
    assert_eq!(outcome("1"), Some(None));
    assert_eq!(outcome(""), Some(Some("the case has no priority".to_owned())));
    assert_eq!(outcome("2"), None);
}

#[test]
fn a_calendar_that_changes_midway_counts_by_the_version_of_each_day() {
    let given = desk().without("calendar").without("holiday").table(
        "calendar",
        "| calendar_id | time_zone | monday | tuesday | covered_from | covered_until | valid_from |\n|---|---|---|---|---|---|---|\n\
         | dub | Europe/Dublin | 09:00-17:00 | 09:00-17:00 | 2026-01-01 | 2027-01-01 | |\n\
         | dub | Europe/Dublin | 09:00-17:00 | 10:00-12:00 | 2026-01-01 | 2027-01-01 | 2026-03-03 |",
    );
    let given = events(
        given,
        "occurred_at | state",
        &["2026-03-02T16:00Z | New", "2026-03-03T16:00Z | Resolved"],
    );
    assert_eq!(seen(&given, "r", "C").unwrap().minutes, Some(180));
}

#[test]
fn a_site_or_team_that_changes_midway_counts_by_the_register_of_each_day() {
    // 1 h in Dublin on 2 March; from 3 March team and site work in Manila, nine hours a day.
    let rows: &[&str] = &[
        "2026-03-02T16:00Z | New | M",
        "2026-03-03T12:00Z | | ",
        "2026-03-04T10:00Z | Resolved | ",
    ];
    let moving = |heading: &str| {
        let given = desk().without("team").without("site").table(
            "team",
            "| team_id | site_id | valid_from | valid_to |\n|---|---|---|---|\n\
             | M | dublin | | 2026-03-03 |\n| M | manila | 2026-03-03 | |",
        );
        let given = given.table(
            "site",
            "| site_id | time_zone | calendar_id | valid_from | valid_to |\n|---|---|---|---|---|\n\
             | dublin | Europe/Dublin | dub | | |\n| manila | Asia/Manila | mnl | | |\n\
             | M | Europe/Dublin | dub | | 2026-03-03 |\n| M | Asia/Manila | mnl | 2026-03-03 | |",
        );
        seen(&events(given, heading, rows), "r", "C").unwrap()
    };
    for column in ["team_id", "site_id"] {
        let found = moving(&format!("occurred_at | state | {column}"));
        assert_eq!((found.outcome, found.minutes), ("missed", Some(60 + 540 + 540)), "{column}");
        let minutes: Vec<_> = found.segments.iter().map(|segment| segment.1.unwrap()).collect();
        assert_eq!(minutes, [60, 540, 540, 0], "{column}");
        // Seven of the eight hours were left when Manila took over at 01:00 UTC.
        assert_eq!(found.due.as_deref(), Some("2026-03-03T08:00:00Z"), "{column}");
    }
}

#[test]
fn a_case_done_without_an_assignment_or_before_it_was_opened_judges_nobody() {
    let terms = TERMS.replace("| paused_states |", "| clock_starts |");
    let assigned =
        registers().table("service_level", &terms.replace("| Waiting |", "| assigned |"));
    let rows: &[&str] = &["2026-03-02T09:00Z | New", "2026-03-20T12:00Z | Resolved"];
    let found = seen(&events(assigned, "occurred_at | state", rows), "r", "C").unwrap();
    assert_eq!((found.outcome, found.minutes), ("gap", Some(0)));
    assert_eq!(
        found.gap.as_deref(),
        Some("the clock starts at the assignment, and no event of the case names a team or person")
    );
    assert_eq!(found.counted.as_deref(), Some("2026-03-20T12:00:00Z"));

    let heading = "occurred_at | state | opened_at";
    let late: &[&str] = &[
        "2026-03-02T09:00Z | New | 2026-03-27T09:00Z",
        "2026-03-20T12:00Z | Resolved | 2026-03-27T09:00Z",
    ];
    let beyond: &[&str] = &["2026-03-02T09:00Z | New | 2027-03-02T09:00Z"];
    for rows in [late, beyond] {
        let found = seen(&events(desk(), heading, rows), "r", "C").unwrap();
        assert_eq!(found.outcome, "gap", "{rows:?}");
        assert_eq!(
            found.gap.as_deref(),
            Some("the source says that the case was opened after its own events")
        );
    }
}

#[test]
fn the_rows_say_the_same_of_a_case_on_every_segment_and_mark_the_last() {
    use super::Derivation;
    let given = simple(&["2026-03-02T09:00Z | New", "2026-03-02T12:00Z | Resolved"]);
    let table = super::case_clock::CaseClockTable;
    let batches = table.derive(&given.input()).unwrap();
    assert_eq!(batches[0].schema(), table.schema());
    let last = crate::rows::booleans(&batches[0], "case_clock", "is_last").unwrap();
    assert_eq!(
        (0..2).map(|row| crate::rows::boolean(&last, row)).collect::<Vec<_>>(),
        [Some(false), Some(true)]
    );
    let closed = crate::rows::instants(&batches[0], "case_clock", "closed_at").unwrap();
    assert!(
        (0..2).all(|row| crate::rows::instant(&closed, row) == Some(us("2026-03-02T12:00:00Z")))
    );
}

#[test]
fn an_explanation_adds_up_window_by_window() {
    let given = simple(&["2026-03-06T15:00Z | New", "2026-03-09T12:00Z | Resolved"]);
    let told = super::explain::explain(&given.input(), "C", "r").unwrap();
    assert_eq!(told.segments[0].window_count, 2);
    let windows: i64 = told.segments[0].windows.iter().map(|window| window.length.us).sum();
    assert_eq!(windows, told.segments[0].working.as_ref().unwrap().us);
    assert_eq!((told.outcome.as_str(), told.total.unwrap().hms.as_str()), ("met", "5:00:00"));
    assert_eq!(told.deadline.unwrap().utc, "2026-03-09T15:00:00Z");
    assert_eq!(told.terms.record, "6:1");
    assert_eq!(told.calendar_refs, ["2:1"]);
    let unknown = super::explain::explain(&given.input(), "C", "q").unwrap_err().to_string();
    assert!(
        unknown.contains("there is no service level `q`; these measure the case: `r`"),
        "{unknown}"
    );
    assert!(super::explain::explain(&given.input(), "D", "r").is_err());
}

/// A case by day: day, minutes counted, holiday, minutes by which the day is longer, deadline.
fn by_day(given: &Given) -> Vec<(String, Vec<(String, i64)>)> {
    let (told, stretches) = super::explain::explain_by_day(&given.input(), "C", "r").unwrap();
    let days = stretches.iter().flat_map(|stretch| &stretch.days);
    let counted: i64 = days.clone().map(|day| day.counted_us).sum();
    assert_eq!(Some(counted), told.total.map(|total| total.us), "days add up to the case");
    let day = |day: &super::case_day::CaseDay| (day.day.to_string(), day.counted_us / 60_000_000);
    stretches
        .iter()
        .map(|stretch| (stretch.zone.clone(), stretch.days.iter().map(day).collect()))
        .collect()
}

#[test]
fn a_case_is_laid_over_the_days_of_the_site_that_had_it() {
    let given = events(
        desk(),
        "occurred_at | state | team_id",
        &[
            "2026-03-02T15:00Z | New | D",
            "2026-03-02T16:00Z | New | M",
            "2026-03-03T02:00Z | Resolved | M",
        ],
    )
    .seen_at("2026-03-03T03:00:00Z");
    let days = |days: &[(&str, i64)]| {
        days.iter().map(|(day, minutes)| ((*day).to_owned(), *minutes)).collect::<Vec<_>>()
    };
    assert_eq!(
        by_day(&given),
        [
            ("Europe/Dublin".to_owned(), days(&[("2026-03-02", 60)])),
            // In Manila it is the third already when Dublin hands over.
            ("Asia/Manila".to_owned(), days(&[("2026-03-03", 60)])),
        ]
    );
}

#[test]
fn a_day_tells_its_holiday_its_length_and_where_the_deadline_falls() {
    let given = simple(&["2026-03-16T15:00Z | New", "2026-03-18T12:00Z | Resolved"]);
    let (_, stretches) = super::explain::explain_by_day(&given.input(), "C", "r").unwrap();
    let days = &stretches[0].days;
    assert_eq!(days[1].holiday.as_deref(), Some("Saint Patrick"));
    assert!(days[1].open.is_empty() && days[1].counted_us == 0);
    assert_eq!((days[0].open[0].from_minute, days[0].open[0].until_minute), (540, 1_020));
    assert_eq!(days[0].parts[0].working[0].from_minute, 900, "it counts from 15:00");
    let due: Vec<_> = days.iter().filter_map(|day| Some((day.day, day.deadline_minute?))).collect();
    assert_eq!(due, [(jiff::civil::date(2026, 3, 18), 900)]);
    let given = simple(&["2026-03-27T16:00Z | New", "2026-03-30T09:00Z | Resolved"]);
    let (_, stretches) = super::explain::explain_by_day(&given.input(), "C", "r").unwrap();
    let changes: Vec<i64> = stretches[0].days.iter().map(|day| day.change_minutes).collect();
    assert_eq!(&changes[..4], [0, 0, -60, 0], "Dublin goes forward on the 29th");
}

#[test]
fn of_a_case_that_waits_for_months_the_first_and_the_last_days_are_told() {
    let given =
        simple(&["2026-03-02T15:00Z | Waiting"]).period("2026-03-01..2026-09-01", "Europe/Dublin");
    let (_, stretches) = super::explain::explain_by_day(&given.input(), "C", "r").unwrap();
    let days = &stretches[0].days;
    assert_eq!(days.len(), 50);
    let skipped: usize = days.iter().map(|day| day.skipped).sum();
    assert_eq!(days.len() + skipped, 184, "2 March to 1 September");
    let last = days.last().unwrap();
    assert_eq!(last.day, jiff::civil::date(2026, 9, 1));
    assert!(last.deadline_minute.is_some(), "the deadline as if the clock ran on from now");
}
