//! Service credits through the real binary: the note in each of its forms, what a level would cost, and
//! what late evidence or another calendar changes in money.

use serde_json::Value;

use crate::{
    month::desk,
    sandbox::{Sandbox, text},
};

/// The desk of the month-end, whose contract takes 10 % of the charge for a month below the target. By
/// the evidence one of three cases was in time, against a target of 0.6.
fn desk_with_credits() -> Sandbox {
    let sandbox = desk();
    for (name, body) in [
        (
            "credit_scheme.csv",
            "arrangement_id,model,month_cap_share,rounding,source,valid_from\n\
             desk,share,0.1,each,Schedule 4,2026-03-01\n",
        ),
        (
            "credit_term.csv",
            "arrangement_id,service_level_id,formula,allocation\ndesk,fast,whole,0.25\n",
        ),
        ("charge.csv", "arrangement_id,month,amount,source\ndesk,2026-03-01,1000.00 EUR,March\n"),
    ] {
        sandbox.write(name, body);
        sandbox.ws(&["import", name]).ok();
    }
    sandbox
}

fn credits<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["credits", "desk", "--period", "2026-03"], more].concat()
}

#[test]
fn the_note_states_formula_cap_and_the_missed_cases_in_each_of_its_forms() {
    let sandbox = desk_with_credits();
    let told = sandbox.ws(&credits(&[])).ok();
    assert!(told.contains("owed 100.00 EUR: 250.00 EUR by the formula"), "{told}");
    assert!(told.contains("cap of the month 100.00 EUR"), "{told}");
    let json = sandbox.ws(&credits(&["--format", "json"])).json();
    let month = &json["months"][0];
    assert_eq!((&month["raw_minor"], &month["credit_minor"]), (&25_000.into(), &10_000.into()));
    assert_eq!(month["levels"][0]["attained"], "0.333333333");
    let cases: Vec<&str> =
        json["cases"].as_array().unwrap().iter().filter_map(|c| c["case_id"].as_str()).collect();
    assert_eq!(cases, ["A", "C"]);
    // Each amount names rows that open down to a line.
    let rows: Vec<&str> = [&month["evidence"], &month["levels"][0]["evidence"]]
        .iter()
        .flat_map(|rows| rows.as_array().unwrap().iter().filter_map(Value::as_str))
        .collect();
    assert!(!rows.is_empty());
    for row in rows {
        sandbox.ws(&["trace", row]).ok();
    }
    let csv = sandbox.ws(&credits(&["--format", "csv"])).ok();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert!(lines[1].starts_with("desk,fast,A,18 h 00 min,9 h 00 min,"), "{csv}");
    sandbox.ws(&credits(&["--html", "note.html"])).ok();
    let page = std::fs::read_to_string(sandbox.path("note.html")).unwrap();
    assert!(page.contains("100.00 EUR") && page.contains("Annex: missed cases"), "{page}");
    for asking in ["<script", "<img", "<link", "src=", "url(", "href=\"http"] {
        assert!(!page.contains(asking), "it asks for nothing: {asking}");
    }
}

#[test]
fn a_supposed_level_is_priced_and_marked_as_supposed() {
    let sandbox = desk_with_credits();
    let json = sandbox.ws(&credits(&["--attained", "fast=0.6", "--format", "json"])).json();
    assert_eq!(json["months"][0]["owed_minor"], 0);
    assert_eq!(json["supposed"][0][1], "0.6");
    assert!(json["cases"].as_array().unwrap().is_empty(), "no case is behind a supposition");
    let unknown = sandbox.ws(&credits(&["--attained", "slow=0.6"])).fails(2);
    assert!(unknown.contains("`slow` earns no credit in the period"), "{unknown}");
    for wrong in ["fast", "fast=97", "fast=-0.1", "fast=x"] {
        let told = sandbox.ws(&credits(&["--attained", wrong])).fails(2);
        assert!(told.contains("write the service level and a share between 0 and 1"), "{told}");
    }
}

#[test]
fn a_month_without_a_charge_is_a_gap_and_not_nothing() {
    let sandbox = desk_with_credits();
    let told = sandbox.ws(&["credits", "desk", "--period", "2026-04"]).ok();
    assert!(told.contains("the credit cannot be said"), "{told}");
    assert!(told.contains("no charge is registered for 2026-04"), "{told}");
    let none = desk();
    let told = none.ws(&credits(&[])).ok();
    assert!(told.contains("no month of the period has a credit scheme"), "{told}");
}

#[test]
fn late_evidence_on_a_closed_month_shows_its_difference_in_money() {
    let sandbox = desk_with_credits();
    let closed = sandbox.ws(&["close", "desk", "2026-03", "--format", "json"]).json();
    assert_eq!(closed["credits"][0]["owed_minor"], 10_000);
    let proclaimed = "place,on_date,name,kind\nPH,2026-03-20,Eid al-Fitr,special-non-working\n";
    sandbox.write("proclamation.csv", proclaimed);
    sandbox.ws(&["import", "proclamation.csv"]).ok();
    let dry = ["restate", "desk", "2026-03", "--dry-run"];
    let json = sandbox.ws(&[&dry[..], &["--format", "json"]].concat()).json();
    let [change] = json["restatement"]["credits"].as_array().unwrap().as_slice() else {
        panic!("{json}")
    };
    assert_eq!(change["month"], "2026-03");
    assert_eq!(change["before"]["owed_minor"], 10_000);
    assert_eq!(change["after"]["owed_minor"], 0);
    let told = sandbox.ws(&dry).ok();
    assert!(told.contains("Service credits") && told.contains("-100.00"), "{told}");
    // A charge that changes while no case does is a difference as well.
    sandbox.write(
        "charge2.csv",
        "arrangement_id,month,amount,source\ndesk,2026-03-01,2000.00 EUR,corrected\n",
    );
    sandbox.ws(&["import", "charge2.csv"]).ok();
    sandbox.ws(&["retract", &proclamation(&sandbox), "--reason", "withdrawn"]).ok();
    let json = sandbox.ws(&[&dry[..], &["--format", "json"]].concat()).json();
    assert!(json["restatement"]["cases"].as_array().unwrap().is_empty(), "{json}");
    assert_eq!(json["restatement"]["credits"][0]["after"]["owed_minor"], 20_000);
}

/// The entry that imported the proclamation.
fn proclamation(sandbox: &Sandbox) -> String {
    let log = sandbox.ws(&["log", "--format", "json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let own = |entry: &&Value| text(entry, "summary").starts_with("proclamation.csv");
    entries.iter().find(own).unwrap()["entry"].to_string()
}

#[test]
fn another_calendar_shows_what_it_would_cost() {
    let sandbox = desk_with_credits();
    let week = "09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,";
    sandbox.write(
        "free.csv",
        format!(
            "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,holiday_places,covered_from,covered_until\n\
             free-fridays,Asia/Manila,{week},PH,2026-01-01,2027-01-01\n"
        ),
    );
    sandbox.ws(&["import", "free.csv"]).ok();
    let diff = ["calendar", "diff", "office", "free-fridays", "--period", "2026-03"];
    let json = sandbox.ws(&[&diff[..], &["--format", "json"]].concat()).json();
    let effect = &json["effects"][0];
    assert_eq!(effect["figures"][0]["after"]["numerator"], 2, "{json}");
    let change = &effect["credits"][0];
    assert_eq!(change["before"]["owed_minor"], 10_000);
    assert_eq!(change["after"]["owed_minor"], 0);
    let told = sandbox.ws(&diff).ok();
    assert!(told.contains("desk, if free-fridays stood in the place of office"), "{told}");
    assert!(told.contains("-100.00"), "{told}");
}
