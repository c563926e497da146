//! What arrives, what differs and what is missing, feed by feed.

use super::{
    feed_day::{Arrival, FeedDay, read},
    testing::Given,
};

const HEAD: &str = "| feed_id | table_name | source | entry | cadence | expected_count | nil_return | sum_column | expected_sum | valid_from | valid_to |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n";

fn feeds(rows: &[&str]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("| f | {row} |\n")).collect();
    format!("{HEAD}{}", rows.concat())
}

/// Events on these days of March 2026, at noon UTC, from source `s`.
fn events(days: &[u8]) -> String {
    let row = |(n, day): (usize, &u8)| format!("| s | C{n} | x | 2026-03-{day:02}T12:00:00Z |\n");
    let rows: String = days.iter().enumerate().map(row).collect();
    format!("| source | case_id | activity | occurred_at |\n|---|---|---|---|\n{rows}")
}

fn judged(period: &str, feed_rows: &[&str], days: &[u8]) -> Vec<FeedDay> {
    let given = Given::new()
        .period(period, "UTC")
        .table("evidence_feed", &feeds(feed_rows))
        .table("case_event", &events(days));
    read(&given.input()).unwrap()
}

fn arrivals(period: &str, feed_rows: &[&str], days: &[u8]) -> Vec<(String, Arrival)> {
    let told = |day: FeedDay| (day.first.to_string(), day.arrival);
    judged(period, feed_rows, days).into_iter().map(told).collect()
}

const WEEK: &str = "2026-03-02..2026-03-04";
const DAILY: &str = "case_event | | declared | day | | | | | 2026-01-01 | ";

#[test]
fn a_source_that_the_feed_names_is_the_only_one_that_counts() {
    let of = |source: &str| {
        let row = format!("case_event | {source} | declared | day | | | | | 2026-01-01 | ");
        judged(WEEK, &[&row], &[2, 3]).iter().map(|day| day.held_count).collect::<Vec<_>>()
    };
    assert_eq!((of(""), of("s"), of("t")), (vec![1, 1], vec![1, 1], vec![0, 0]));
}

#[test]
fn a_feed_that_promises_totals_has_not_arrived_without_one() {
    let arrived = |promise: &str| {
        let feeds = format!(
            "| feed_id | table_name | entry | cadence | totals | valid_from |\n\
             |---|---|---|---|---|---|\n\
             | f | case_event | declared | day | {promise} | 2026-01-01 |\n"
        );
        let given = Given::new()
            .period(WEEK, "UTC")
            .table("evidence_feed", &feeds)
            .table("case_event", &events(&[2, 3]));
        read(&given.input()).unwrap().into_iter().map(|day| day.arrival).collect::<Vec<_>>()
    };
    assert_eq!(arrived(""), [Arrival::Arrived, Arrival::Arrived]);
    assert_eq!(arrived("true"), [Arrival::Missing, Arrival::Missing]);
}

#[test]
fn a_total_over_several_days_vouches_for_a_day_without_rows() {
    let total = "case_event | | delivered | | 1 | | | | 2026-03-01 | 2026-04-01";
    let found = arrivals(WEEK, &[DAILY, total], &[3]);
    assert_eq!(
        found.iter().map(|day| day.1).collect::<Vec<_>>(),
        [Arrival::Arrived, Arrival::Arrived]
    );
    let found = arrivals(WEEK, &[DAILY, total], &[3, 4]);
    assert_eq!(
        found.iter().map(|day| day.1).collect::<Vec<_>>(),
        [Arrival::Differs, Arrival::Differs]
    );
}

#[test]
fn a_nil_return_with_rows_differs_and_a_delivery_of_nothing_is_none() {
    let nil = "case_event | | delivered | | | true | | | 2026-03-02 | ";
    let blank = "case_event | | delivered | | | | | | 2026-03-03 | ";
    let found = judged(WEEK, &[DAILY, nil, blank], &[2]);
    assert_eq!(
        (found[0].arrival, found[0].reason.as_str()),
        (Arrival::Differs, "a nil return, but 1 rows held")
    );
    assert_eq!(
        (found[1].arrival, found[1].reason.as_str()),
        (Arrival::Differs, "a delivery without any row")
    );
}

#[test]
fn weeks_begin_on_monday_and_a_week_that_touches_the_period_is_judged_whole() {
    let weekly = "case_event | | declared | week | | | | | 2026-01-01 | ";
    let found = judged("2026-03-04..2026-03-10", &[weekly], &[2, 15]);
    let spans: Vec<_> =
        found.iter().map(|day| format!("{} {} {}", day.first, day.after, day.held_count)).collect();
    assert_eq!(spans, ["2026-03-02 2026-03-09 1", "2026-03-09 2026-03-16 1"]);
}

#[test]
fn days_that_no_delivery_speaks_of_have_not_arrived() {
    let weekly = "case_event | | declared | week | | | | | 2026-03-02 | ";
    let monday = "case_event | | delivered | | 1 | | | | 2026-03-02 | 2026-03-03";
    let rest = "case_event | | delivered | | 1 | | | | 2026-03-03 | 2026-03-09";
    let week = "2026-03-02..2026-03-09";
    let found = judged(week, &[weekly, monday], &[2, 5]);
    assert_eq!(found[0].arrival, Arrival::Differs);
    assert_eq!(found[0].reason, "1 rows held on days for which the sender gave no total");
    // A total for Monday does not vouch for the week, though nothing is held of the other days.
    let found = judged(week, &[weekly, monday], &[2]);
    assert_eq!(found[0].arrival, Arrival::Missing);
    assert_eq!(found[0].reason, "the sender says nothing of 6 days from 2026-03-03 on");
    assert_eq!(arrivals(week, &[weekly, monday, rest], &[2, 5])[0].1, Arrival::Arrived);
}

#[test]
fn a_delivery_without_an_end_speaks_for_the_interval_of_its_cadence() {
    let weekly = "case_event | | declared | week | | | | | 2026-03-02 | ";
    let week = "2026-03-02..2026-03-09";
    for day in ["2026-03-02", "2026-03-05"] {
        let total = format!("case_event | | delivered | | 2 | | | | {day} | ");
        assert_eq!(arrivals(week, &[weekly, &total], &[2, 5])[0].1, Arrival::Arrived);
        let found = judged(week, &[weekly, &total], &[2]);
        assert_eq!(found[0].reason, "2 rows sent, 1 held: 1 fewer");
        let nil = format!("case_event | | delivered | | | true | | | {day} | ");
        assert_eq!(arrivals(week, &[weekly, &nil], &[5])[0].1, Arrival::Differs);
    }
}

#[test]
fn a_later_declaration_takes_over_and_an_ended_one_expects_nothing() {
    let ended = "case_event | | declared | day | | | | | 2026-01-01 | 2026-03-03";
    let found = arrivals(WEEK, &[ended], &[2]);
    // Sorted by feed: the days that none declares stand first.
    let undeclared = ("2026-03-03".to_owned(), Arrival::Undeclared);
    assert_eq!(found, [undeclared, ("2026-03-02".to_owned(), Arrival::Arrived)]);
    let monthly = "case_event | | declared | month | | | | | 2026-03-03 | ";
    let found = judged(WEEK, &[DAILY, monthly], &[2, 30]);
    let spans: Vec<_> = found
        .iter()
        .map(|day| (day.first.to_string(), day.cadence.as_str(), day.arrival))
        .collect();
    assert_eq!(
        spans,
        [
            ("2026-03-02".to_owned(), "day", Arrival::Arrived),
            ("2026-03-03".to_owned(), "month", Arrival::Arrived)
        ]
    );
}

#[test]
fn once_counts_every_row_dated_or_not() {
    let given = |count: i64| {
        let once = "provider_report | | declared | once | | | | | 2026-01-01 | 2026-06-01";
        let sent = format!("provider_report | | delivered | | {count} | | | | 2026-01-01 | ");
        let given =
            Given::new().period(WEEK, "UTC").table("evidence_feed", &feeds(&[once, &sent])).table(
                "provider_report",
                "| service_level_id | case_id | outcome | reported_at |\n|---|---|---|---|\n\
             | r | A | met | |\n| r | B | met | 2020-01-01T00:00:00Z |",
            );
        let days = read(&given.input()).unwrap();
        days.iter().find(|day| day.table == "provider_report").unwrap().arrival
    };
    assert_eq!((given(2), given(3)), (Arrival::Arrived, Arrival::Differs));
}

#[test]
fn a_control_sum_is_compared_exactly() {
    let given = |sum: &str| {
        let daily = "provider_report | | declared | day | | | | | 2026-03-02 | 2026-03-03";
        let sent = format!("provider_report | | delivered | | 2 | | value | {sum} | 2026-03-02 | ");
        let given =
            Given::new().period(WEEK, "UTC").table("evidence_feed", &feeds(&[daily, &sent])).table(
                "provider_report",
                "| service_level_id | value | reported_at |\n|---|---|---|\n\
             | r | 0.1 | 2026-03-02T00:00:00Z |\n| r | 0.2 | 2026-03-02T23:00:00Z |",
            );
        let days = read(&given.input()).unwrap();
        let day = days.into_iter().find(|day| day.table == "provider_report").unwrap();
        (day.arrival, day.reason)
    };
    assert_eq!(given("0.3").0, Arrival::Arrived);
    assert_eq!(
        given("0.300000001"),
        (Arrival::Differs, "sum of `value` 0.300000001 sent, 0.3 held".to_owned())
    );
}

#[test]
fn a_delivery_outside_the_cadence_must_add_up_as_well() {
    let working = Given::new()
        .period("2026-03-06..2026-03-09", "UTC")
        .table(
            "calendar",
            "| calendar_id | time_zone | friday | covered_from | covered_until |\n|---|---|---|---|---|\n\
             | w | UTC | 09:00-17:00 | 2026-01-01 | 2027-01-01 |",
        )
        .table(
            "evidence_feed",
            "| feed_id | table_name | entry | cadence | calendar_id | expected_count | valid_from |\n|---|---|---|---|---|---|---|\n\
             | f | case_event | declared | working-day | w | | 2026-03-06 |\n\
             | f | case_event | delivered | | | 1 | 2026-03-06 |\n| f | case_event | delivered | | | 1 | 2026-03-07 |",
        )
        .table("case_event", &events(&[6]));
    let days = read(&working.input()).unwrap();
    let told: Vec<_> = days.iter().map(|day| (day.first.to_string(), day.arrival)).collect();
    assert_eq!(
        told,
        [("2026-03-06".to_owned(), Arrival::Arrived), ("2026-03-07".to_owned(), Arrival::Differs)]
    );
}
