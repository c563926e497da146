//! Real XES logs come in with their known counts; one log under two clocks is recognised.

use serde_json::Value;

use crate::sandbox::{Sandbox, data, number};

/// Imports a log of the test data under an arrangement.
fn import(sandbox: &Sandbox, file: &str, arrangement: &str, more: &[&str]) -> crate::sandbox::Run {
    let path = data(&format!("work-logs/{file}"));
    let set = format!("arrangement_id={arrangement}");
    let mut args = vec!["import", path.to_str().unwrap(), "--mapping", "xes", "--set", &set];
    args.extend(["--format", "json"]);
    args.extend(more);
    sandbox.ws(&args)
}

fn counts(sandbox: &Sandbox, arrangement: &str) -> (i64, i64, i64) {
    let sql = "SELECT count(DISTINCT case_id) AS cases, count(*) AS events, \
               count(DISTINCT activity) AS activities FROM case_event";
    let rows = sandbox.ws(&["query", sql, "--arrangement", arrangement, "--format", "json"]).json();
    (number(&rows[0], "cases"), number(&rows[0], "events"), number(&rows[0], "activities"))
}

#[test]
fn public_logs_have_the_counts_that_are_known_of_them() {
    let sandbox = Sandbox::with_workspace();
    for (file, arrangement, cases, events) in [
        ("volvo_closed_problems.xes.gz", "volvo", 1_487, 6_660),
        ("DomesticDeclarations.xes.gz", "domestic", 10_357, 55_628),
        ("InternationalDeclarations.xes.gz", "international", 6_323, 70_727),
    ] {
        let outcome = import(&sandbox, file, arrangement, &[]).json();
        let read = number(&outcome, "read");
        let sum: i64 = ["accepted", "corrected", "already_known", "quarantined"]
            .map(|n| number(&outcome, n))
            .iter()
            .sum();
        assert_eq!((read, sum), (events, events), "{file}");
        let held = counts(&sandbox, arrangement);
        assert_eq!((held.0, held.1), (cases, events), "{file}");
    }
}

#[test]
fn the_help_desk_log_with_another_clock_is_refused_and_kept_only_untested() {
    let sandbox = Sandbox::with_workspace();
    import(&sandbox, "helpdesk_utc.xes.gz", "helpdesk", &[]).ok();
    assert_eq!(counts(&sandbox, "helpdesk"), (4_580, 21_348, 14));
    let before = sandbox.ws(&["log"]).ok();

    let refused = import(&sandbox, "helpdesk_local.xes.gz", "helpdesk", &[]).fails(1);
    assert!(
        refused.contains("repeats the log of entry 2 (`helpdesk_utc.xes.gz`) with another clock"),
        "{refused}"
    );
    assert!(refused.contains("--allow-duplicate-log"), "{refused}");
    assert_eq!(sandbox.ws(&["log"]).ok(), before, "a refused file changes nothing");

    let kept =
        import(&sandbox, "helpdesk_local.xes.gz", "helpdesk", &["--allow-duplicate-log"]).json();
    assert_eq!(number(&kept, "disagreeing_clock_with"), 2);
    sandbox.write(
        "arrangement.csv",
        "arrangement_id,client_id,provider_id,title,time_zone\nhelpdesk,c,p,Help desk,Europe/Rome\n",
    );
    sandbox.write(
        "evidence_feed.csv",
        "arrangement_id,feed_id,table_name,entry,cadence,valid_from\n\
         helpdesk,events,case_event,declared,month,2010-01-01\n",
    );
    sandbox.ws(&["import", "arrangement.csv", "evidence_feed.csv"]).ok();
    let assessment = sandbox.ws(&["assess", "--period", "2013-01", "--format", "json"]).json();
    let reads_events = |control: &&Value| {
        control["tables"].as_array().unwrap().iter().any(|table| table == "case_event")
    };
    let controls = assessment["controls"].as_array().unwrap();
    let on_events: Vec<&Value> = controls.iter().filter(reads_events).collect();
    assert!(!on_events.is_empty(), "{controls:?}");
    for control in on_events {
        assert_eq!(control["status"], "untested", "{control}");
        let lacking = control["lacking"].to_string();
        assert!(lacking.contains("clock"), "{lacking}");
    }
}

#[test]
fn two_halves_of_one_log_are_no_disagreement() {
    let sandbox = Sandbox::with_workspace();
    let first = import(&sandbox, "volvo_closed_problems.xes.gz", "volvo", &[]).json();
    let second =
        import(&sandbox, "volvo_closed_problems.xes.gz", "volvo", &["--party", "volvo"]).json();
    assert_eq!(number(&first, "accepted"), 6_660);
    assert_eq!(second["disagreeing_clock_with"], Value::Null);
    assert_eq!(number(&second, "read"), 6_660);
}
