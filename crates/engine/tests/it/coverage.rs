//! When evidence counts as there: declarations, complete tables, age, clocks that disagree, windows
//! that begin before the period.

use std::sync::Arc;

use backstay_engine::{
    AssessRequest, Catalogue, assess::assess, assessment::Assessment, catalogue::skeleton, fixture,
};

use crate::world::{World, assessed, march, request, statuses};

fn of(assessment: &Assessment, control: &str) -> String {
    statuses(assessment)[control].clone()
}

/// Adds rows to the evidence feeds: feed, table, entry, cadence, count, first day, first day after.
fn feeds(world: &World, rows: &[[&str; 7]]) -> World {
    let mut world = world.clone();
    let (_, feeds) = world.blocks.iter_mut().find(|(name, _)| *name == "evidence_feed").unwrap();
    for [feed, table, entry, cadence, count, from, to] in rows {
        let cells = ["desk", feed, table, entry, cadence, count, "", "", from, to];
        feeds.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
    }
    world
}

fn without_log_feed() -> World {
    march().retain("evidence_feed", |row| row["feed_id"] != "log")
}

#[test]
fn a_table_declared_complete_needs_no_feed_but_its_total_must_match() {
    let counted = march()
        .blocks
        .iter()
        .filter(|(name, _)| *name == "case_event")
        .map(|(_, rows)| rows.rows.len())
        .sum::<usize>();
    let with = |count: usize| {
        let count = count.to_string();
        let world = feeds(
            &without_log_feed(),
            &[["all", "case_event", "complete", "", &count, "2026-03-01", "2026-04-01"]],
        );
        of(&assessed(&world), "cases-counted")
    };
    assert!(with(counted).starts_with("effective"), "{}", with(counted));
    let found = with(counted + 1);
    assert!(
        found.contains(&format!("complete with {} rows, {counted} are held", counted + 1)),
        "{found}"
    );
    let short = feeds(
        &without_log_feed(),
        &[["all", "case_event", "complete", "", "", "2026-03-02", "2026-03-31"]],
    );
    let found = of(&assessed(&short), "cases-counted");
    assert!(
        found.contains(
            "no feed declares `case_event` from 2026-03-01 until 2026-03-02 (and 1 more)"
        ),
        "{found}"
    );
}

#[test]
fn an_empty_register_is_fine_only_where_it_is_declared_complete() {
    let empty = march().without("function");
    assert!(
        of(&assessed(&empty), "functions-owned").starts_with("untested: `function` has no row")
    );
    let declared =
        feeds(&empty, &[["functions", "function", "complete", "", "0", "2026-01-01", ""]]);
    let found = of(&assessed(&declared), "functions-owned");
    assert!(found.starts_with("untested: there was nothing to test"), "{found}");
    let wrong =
        feeds(&march(), &[["functions", "function", "complete", "", "0", "2026-01-01", ""]]);
    let found = of(&assessed(&wrong), "functions-owned");
    assert!(found.contains("`function` is complete with 0 rows, 1 are held"), "{found}");
}

/// Two controls over case events: one that may find nothing, one that applies only to Dublin.
fn with_controls(changes: &[(&str, &str)]) -> Catalogue {
    let (file, text) = skeleton("control", "quality/my-check").unwrap();
    let (risk, risk_text) = skeleton("risk", "quality").unwrap();
    let text = changes.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    Catalogue::from_texts([(file.as_str(), text.as_str()), (risk.as_str(), risk_text.as_str())])
        .unwrap()
}

fn assessed_with(world: &World, catalogue: Catalogue, now_us: i64) -> Assessment {
    let mut evidence = world.evidence(fixture::Layout::default());
    evidence.catalogue = Arc::new(catalogue);
    assess(&AssessRequest { now_us, ..request(evidence) }).unwrap()
}

const LATER: i64 = 1_780_000_000_000_000;

#[test]
fn nothing_found_is_effective_only_where_the_evidence_says_that_there_was_nothing() {
    let changes = [
        ("references = []", "may_be_empty = true"),
        (
            "FROM function",
            "FROM (SELECT arrangement_id, case_id AS function_id, true AS critical, _ref FROM case_event WHERE state = 'Lost') f",
        ),
    ];
    let check =
        |world: &World| of(&assessed_with(world, with_controls(&changes), LATER), "my-check");
    assert!(
        check(&march()).starts_with("untested: there was nothing to test"),
        "{}",
        check(&march())
    );
    let complete =
        feeds(&without_log_feed(), &[["all", "case_event", "complete", "", "", "2026-03-01", ""]]);
    assert!(
        check(&complete).starts_with("effective: declared complete, and nothing happened"),
        "{}",
        check(&complete)
    );
    assert!(
        check(&without_log_feed()).starts_with("untested: no feed declares"),
        "{}",
        check(&without_log_feed())
    );
}

#[test]
fn a_control_that_rows_say_does_not_apply_is_not_applicable() {
    let when =
        "applies_when = \"SELECT count(*) > 0 FROM arrangement WHERE time_zone = 'Asia/Manila'\"";
    let changes = [("references = []", when)];
    let found = assessed_with(&march(), with_controls(&changes), LATER);
    assert!(of(&found, "my-check").starts_with("not-applicable"), "{}", of(&found, "my-check"));
    let manila = march().set("arrangement", "time_zone", "Asia/Manila", |_| true);
    let found = assessed_with(&manila, with_controls(&changes), LATER);
    assert!(of(&found, "my-check").starts_with("effective"), "{}", of(&found, "my-check"));
    assert!(found.controls[0].tables.contains(&"arrangement".to_owned()));
}

#[test]
fn evidence_older_than_allowed_makes_a_control_stale() {
    let weekly = feeds(
        &without_log_feed(),
        &[["weekly", "case_event", "declared", "month", "", "2026-01-01", ""]],
    );
    let mut world = weekly;
    let (_, events) = world.blocks.iter_mut().find(|(name, _)| *name == "case_event").unwrap();
    let early = ["desk", "log", "C00", "open", "New", "2026-02-10T10:00:00Z", "T1", "3"];
    events.rows.push(early.iter().map(|cell| (*cell).to_owned()).collect());
    // The month of March has not ended: the newest covered instant is the end of February.
    let day = |day: i64| 1_772_323_200_000_000 + (day - 1) * 86_400_000_000;
    let at = |now_us| {
        let evidence = world.evidence(fixture::Layout::default());
        assess(&AssessRequest { now_us, ..request(evidence) }).unwrap()
    };
    let found = at(day(11));
    assert!(
        of(&found, "cases-counted").starts_with("effective"),
        "{}",
        of(&found, "cases-counted")
    );
    let found = at(day(12));
    assert_eq!(of(&found, "cases-counted"), "stale: evidence is 11 days old, 10 allowed");
    assert_eq!(found.basis.as_of, "2026-03-12T00:00:00Z");
}

#[test]
fn a_log_kept_in_spite_of_disagreeing_clocks_leaves_its_controls_untested() {
    let mut evidence = march().evidence(fixture::Layout::default());
    let mut manifest = evidence.manifest.as_ref().clone();
    let import =
        manifest.imports.iter_mut().find(|import| import.tables == ["case_event"]).unwrap();
    import.disagreeing_clock_with = Some(3);
    evidence.manifest = Arc::new(manifest);
    let found = assess(&request(evidence)).unwrap();
    for control in ["cases-counted", "levels-met", "teams-known", "work-visible"] {
        assert!(
            of(&found, control).contains("repeats the log of entry 3 with another clock"),
            "{}",
            of(&found, control)
        );
    }
    assert!(of(&found, "functions-owned").starts_with("effective"));
}

#[test]
fn a_quarter_is_measured_when_it_ends_and_needs_its_evidence_from_its_first_day() {
    let quarterly = march()
        .set("service_level", "window", "quarter", |row| row["service_level_id"] == "resolution");
    let found = assessed(&quarterly);
    let measure =
        found.measures.iter().find(|measure| measure.service_level == "resolution").unwrap();
    assert_eq!(measure.period.to_string(), "2026-01-01..2026-04-01");
    let status = of(&found, "levels-met");
    assert!(
        status.contains("no feed declares `case_event` from 2026-01-01 until 2026-03-01"),
        "{status}"
    );
    let evidence = quarterly.evidence(fixture::Layout::default());
    let february = AssessRequest { period: Some("2026-02".parse().unwrap()), ..request(evidence) };
    let found = assess(&february).unwrap();
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("`resolution` of `desk` is measured over a quarter")),
        "{:?}",
        found.notes
    );
}

#[test]
fn a_month_without_cases_has_a_measure_without_value() {
    let evidence = march().evidence(fixture::Layout::default());
    let april = AssessRequest { period: Some("2026-04".parse().unwrap()), ..request(evidence) };
    let found = assess(&april).unwrap();
    assert_eq!(found.measures.len(), 2);
    assert!(
        found.measures.iter().all(|measure| measure.value.is_none() && measure.denominator == 0)
    );
}

#[test]
fn a_running_period_of_which_nothing_arrived_yet_is_untested_and_has_no_age() {
    let nothing = without_log_feed().without("case_event");
    let monthly = [["log", "case_event", "declared", "month", "", "2026-03-01", ""]];
    let mut request = request(feeds(&nothing, &monthly).evidence(fixture::Layout::default()));
    // Noon of 15 March: the month's delivery is not due yet.
    request.now_us = 1_773_576_000_000_000;
    let found = assess(&request).unwrap();
    let age = |control: &str| {
        found.controls.iter().find(|c| c.control == control).unwrap().evidence_age_days
    };
    assert!(of(&found, "service-levels-met").starts_with("untested"), "{:?}", statuses(&found));
    assert_eq!(age("service-levels-met"), None);
}

#[test]
fn a_log_that_came_once_ages_with_its_newest_row() {
    let once = [["log", "case_event", "declared", "once", "", "2020-01-01", ""]];
    let world = feeds(&without_log_feed(), &once);
    let mut request = request(world.evidence(fixture::Layout::default()));
    request.period = Some("2026-06".parse().unwrap());
    request.now_us = 1_790_000_000_000_000;
    let found = assess(&request).unwrap();
    let met = found.controls.iter().find(|c| c.control == "service-levels-met").unwrap();
    assert!(met.evidence_age_days.unwrap() > 85, "{met:?}");
    assert!(of(&found, "service-levels-met").starts_with("untested"), "{:?}", statuses(&found));
}
