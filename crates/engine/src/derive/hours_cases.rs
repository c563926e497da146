//! The working-time cases that touch two sides at once: zones, switches, sites, holidays. 2026 begins
//! on a Thursday; New York's clocks go forward on 8 March, Dublin's on 29 March.

use jiff::civil::Date;

use super::{
    Derivation, coverage_span::CoverageSpanTable, holiday_clash::HolidayClashTable,
    overlap_day::OverlapDayTable, testing::Given, urgent_item::UrgentItemTable,
};
use crate::rows;

const WEEK: &str = "09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00 | 09:00-17:00";

fn world(calendars: &[(&str, &str, &str)]) -> Given {
    let mut rows = "| calendar_id | time_zone | monday | tuesday | wednesday | thursday | friday | holiday_places | covered_from | covered_until |\n|---|---|---|---|---|---|---|---|---|---|\n".to_owned();
    let mut sites = "| site_id | time_zone | calendar_id |\n|---|---|---|\n".to_owned();
    let mut teams = "| team_id | site_id |\n|---|---|\n".to_owned();
    for (team, zone, places) in calendars {
        let places = places.replace('|', "\\|");
        rows.push_str(&format!(
            "| {team} | {zone} | {WEEK} | {places} | 2026-01-01 | 2027-01-01 |\n"
        ));
        sites.push_str(&format!("| {team} | {zone} | {team} |\n"));
        teams.push_str(&format!("| {team} | {team} |\n"));
    }
    Given::new().table("calendar", &rows).table("site", &sites).table("team", &teams)
}

fn agreed(given: Given, team: &str, other: &str) -> Given {
    let head = "| team_id | other_team_id | required |\n|---|---|---|\n";
    given.table("overlap_term", &format!("{head}| {team} | {other} | 1h |\n"))
}

/// State and minutes of each day of the period.
fn days(given: &Given) -> Vec<(Date, String, Option<i64>)> {
    let table = OverlapDayTable;
    let mut found = Vec::new();
    for batch in table.derive(&given.input()).unwrap() {
        let states = rows::texts(&batch, "o", "state").unwrap();
        let days = rows::dates(&batch, "o", "day").unwrap();
        let minutes = rows::integers(&batch, "o", "overlap_us").unwrap();
        let forecast = rows::booleans(&batch, "o", "forecast").unwrap();
        for row in 0..batch.num_rows() {
            if rows::boolean(&forecast, row) == Some(false) {
                found.push((
                    rows::date(&days, row).unwrap_or(Date::ZERO),
                    rows::text(&states, row).unwrap().to_owned(),
                    rows::integer(&minutes, row).map(|us| us / 60_000_000),
                ));
            }
        }
    }
    found
}

fn minutes(given: &Given) -> Vec<i64> {
    days(given).into_iter().filter_map(|(_, _, minutes)| minutes).collect()
}

#[test]
fn case_19_in_the_weeks_between_two_switches_the_overlap_is_an_hour_longer() {
    let both = |period: &str| {
        let given = world(&[("dublin", "Europe/Dublin", ""), ("york", "America/New_York", "")]);
        agreed(given, "dublin", "york").period(period, "Europe/Dublin")
    };
    assert_eq!(minutes(&both("2026-03-02..2026-03-07")), [180; 5], "before either");
    assert_eq!(minutes(&both("2026-03-09..2026-03-14")), [240; 5], "New York alone");
    assert_eq!(minutes(&both("2026-03-30..2026-04-04")), [180; 5], "both");
    assert_eq!(minutes(&both("2026-10-26..2026-10-31")), [240; 5], "Dublin alone");
}

#[test]
fn case_20_equal_hours_on_two_wall_clocks_are_no_overlap() {
    let far = world(&[("manila", "Asia/Manila", ""), ("mexico", "America/Mexico_City", "")]);
    let far = agreed(far, "manila", "mexico").period("2026-03-02..2026-03-07", "UTC");
    assert_eq!(minutes(&far), [0; 5], "both work on each of Manila's days, and never at once");
}

#[test]
fn case_18_each_team_follows_the_calendar_of_its_own_site() {
    let given = world(&[("dublin", "Europe/Dublin", ""), ("manila", "Asia/Manila", "PH")]);
    let holidays = "| place | on_date | name | kind |\n|---|---|---|---|\n| PH | 2026-03-03 | Feast | public |\n";
    let given = agreed(given, "dublin", "manila").table("holiday", holidays);
    let given = given.period("2026-03-02..2026-03-05", "Europe/Dublin");
    let states: Vec<String> = days(&given).into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, ["due", "not-due", "due"]);
}

#[test]
fn case_16_a_site_without_a_calendar_is_a_gap_and_not_round_the_clock() {
    let given = agreed(world(&[("dublin", "Europe/Dublin", "")]), "dublin", "lost")
        .table("site", "| site_id | time_zone |\n|---|---|\n| lost | Asia/Manila |\n")
        .table("team", "| team_id | site_id |\n|---|---|\n| lost | lost |\n")
        .period("2026-03-02..2026-03-03", "Europe/Dublin");
    assert_eq!(days(&given).len(), 1);
    assert_eq!(days(&given)[0].1, "gap");
}

/// Days, who is closed, state.
fn clashes(given: &Given) -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for batch in HolidayClashTable.derive(&given.input()).unwrap() {
        let text = |name| rows::texts(&batch, "h", name).unwrap();
        let (off, states) = (text("off_team_id"), text("state"));
        let days = rows::dates(&batch, "h", "day").unwrap();
        let due = rows::booleans(&batch, "h", "due").unwrap();
        for row in (0..batch.num_rows()).filter(|row| rows::boolean(&due, *row) == Some(true)) {
            found.push((
                rows::date(&days, row).map(|day| day.to_string()).unwrap_or_default(),
                rows::text(&off, row).unwrap_or_default().to_owned(),
                rows::text(&states, row).unwrap_or_default().to_owned(),
            ));
        }
    }
    found
}

#[test]
fn case_23_state_holidays_close_their_own_site_and_a_sunday_makes_no_monday_free() {
    let given = world(&[
        ("dublin", "Europe/Dublin", "IE"),
        ("chennai", "Asia/Kolkata", "IN|IN-TN"),
        ("pune", "Asia/Kolkata", "IN|IN-MH"),
    ]);
    let given = given
        .table(
            "holiday",
            "| place | on_date | name | kind | source |\n|---|---|---|---|---|\n\
             | IN | 2026-01-26 | Republic Day | public | central list |\n\
             | IE | 2026-12-25 | Christmas Day | public | act |\n\
             | IN-TN | 2026-11-08 | Deepavali | public | state list |\n\
             | IN-TN | 2026-11-12 | A day of the state | public | state list |\n\
             | IN-MH | 2026-11-10 | Bali Pratipada | public | state list |\n\
             | IN-MH | 2026-11-13 | By choice | optional | state list |\n",
        )
        .table(
            "holiday_term",
            "| team_id | other_team_id | notice_days |\n|---|---|---|\n\
             | dublin | chennai | 0 |\n| dublin | pune | 0 |\n",
        )
        .period("2026-11-01..2026-12-01", "Europe/Dublin");
    let row = |day: &str, off: &str| (day.to_owned(), off.to_owned(), "open".to_owned());
    assert_eq!(clashes(&given), [row("2026-11-12", "chennai"), row("2026-11-10", "pune")]);
}

#[test]
fn case_17_an_item_of_a_team_that_has_gone_home_is_outside_the_overlap() {
    let item = |at: &str| {
        let given = world(&[("dublin", "Europe/Dublin", ""), ("krakow", "Europe/Warsaw", "")])
            .table(
                "urgent_term",
                "| urgent_term_id | team_id | other_team_id | answered_states | answer_within |\n\
                 |---|---|---|---|---|\n| u | dublin | krakow | Active | 1h |\n",
            )
            .table(
                "case_event",
                &format!("| case_id | activity | state | occurred_at |\n|---|---|---|---|\n| C | open | New | {at} |\n"),
            );
        let batch = UrgentItemTable.derive(&given.input()).unwrap().remove(0);
        rows::texts(&batch, "u", "state").unwrap().value(0).to_owned()
    };
    assert_eq!(item("2026-03-02T15:59:59Z"), "inside", "16:59:59 in Kraków");
    assert_eq!(item("2026-03-02T16:00:00Z"), "due", "Kraków has gone home, Dublin has not");
}

#[test]
fn case_08_round_the_clock_is_manned_by_shifts_that_touch_at_midnight() {
    let given = Given::new()
        .period("2026-03-29..2026-03-30", "Europe/Dublin")
        .table("function", "| function_id | title |\n|---|---|\n| f | F |\n")
        .table("team", "| team_id | function_id |\n|---|---|\n| t | f |\n")
        .table(
            "calendar",
            "| calendar_id | time_zone | saturday | sunday | covered_from | covered_until |\n|---|---|---|---|---|---|\n\
             | always | Europe/Dublin | 00:00-24:00 | 00:00-24:00 | 2026-01-01 | 2027-01-01 |\n",
        )
        .table("coverage_term", "| function_id | calendar_id |\n|---|---|\n| f | always |\n")
        .table(
            "evidence_feed",
            "| feed_id | table_name | entry | valid_from |\n|---|---|---|---|\n| r | shift | complete | 2026-03-01 |\n",
        )
        .table(
            "shift",
            "| team_id | starts_at | ends_at |\n|---|---|---|\n\
             | t | 2026-03-28T12:00:00Z | 2026-03-29T00:00:00Z |\n\
             | t | 2026-03-29T00:00:00Z | 2026-03-29T23:00:00Z |\n",
        );
    let batch = CoverageSpanTable.derive(&given.input()).unwrap().remove(0);
    assert_eq!(batch.num_rows(), 1);
    assert_eq!(rows::texts(&batch, "c", "state").unwrap().value(0), "covered");
    let length = rows::integers(&batch, "c", "length_us").unwrap().value(0);
    assert_eq!(length, 23 * 3_600_000_000, "the day of the switch has 23 hours");
}

#[test]
fn a_day_of_teams_tells_their_hours_holidays_and_clock_changes() {
    let given = world(&[("dublin", "Europe/Dublin", "IE"), ("york", "America/New_York", "")])
        .table(
            "holiday",
            "| place | on_date | name | kind |\n|---|---|---|---|\n| IE | 2026-03-17 | Saint Patrick | public |",
        )
        .period("2026-03", "Europe/Dublin");
    let day = |day: i8| {
        let day = jiff::civil::date(2026, 3, day);
        super::team_day::team_days(&given.input(), day).unwrap()
    };
    let (span, teams) = day(17);
    assert_eq!(span.1 - span.0, 24 * 3_600_000_000);
    assert_eq!(teams[0].holiday.as_deref(), Some("Saint Patrick"));
    assert!(teams[0].open.is_empty(), "Dublin is closed");
    // Nine to five in New York is 13:00 to 21:00 in Dublin in the weeks between two switches.
    assert_eq!((teams[1].open[0].0 - span.0) / 3_600_000_000, 13);
    assert_eq!((teams[1].gap.clone(), teams[1].rostered.clone()), (None, None));
    let (span, teams) = day(29);
    assert_eq!((span.1 - span.0) / 3_600_000_000, 23);
    assert_eq!((teams[0].change_minutes, teams[1].change_minutes), (-60, 0));
}
