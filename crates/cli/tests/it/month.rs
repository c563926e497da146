//! The month-end through the real binary: issued, agreed, frozen; then a late proclamation, a corrected
//! log and an amended target stand beside what was closed, which does not change.

use serde_json::Value;

use crate::sandbox::{Sandbox, text};

const EVENTS: &str = "arrangement_id,source,event_id,case_id,activity,state,occurred_at\n";
const LEVEL: &str = "arrangement_id,service_level_id,title,metric,target,minimum,threshold,window,stop_states,basis,valid_from\n";

/// A desk in Manila that works on weekdays from nine to six; March 2026 with three cases of eight
/// hours. A is opened on Thursday the 19th and done on Monday the 23rd, with 17 hours of Friday the 20th
/// between; B is done in time; C is done a minute late.
pub fn desk() -> Sandbox {
    let sandbox = Sandbox::with_workspace();
    let file = |name: &str, body: &str| {
        sandbox.write(name, body);
        sandbox.ws(&["import", name]).ok();
    };
    file(
        "arrangement.csv",
        "arrangement_id,client_id,provider_id,title,time_zone,default_site_id\n\
         desk,c,p,Desk,Asia/Manila,manila\n",
    );
    file("site.csv", "site_id,time_zone,calendar_id,country\nmanila,Asia/Manila,office,PH\n");
    let week = "09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00";
    file(
        "calendar.csv",
        &format!(
            "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,holiday_places,covered_from,covered_until\n\
             office,Asia/Manila,{week},PH,2026-01-01,2027-01-01\n"
        ),
    );
    file("holiday.csv", "place,on_date,name,kind\nPH,2026-01-01,New Year,public\n");
    file(
        "service_level.csv",
        &format!(
            "{LEVEL}desk,fast,Done in 9 h,turnaround,0.6,0.5,9h,month,Done,contract,2026-01-01\n"
        ),
    );
    file(
        "log.csv",
        &format!(
            "{EVENTS}desk,log,A1,A,open,New,2026-03-19T09:00:00+08:00\n\
             desk,log,A2,A,done,Done,2026-03-20T18:00:00+08:00\n\
             desk,log,B1,B,open,New,2026-03-02T09:00:00+08:00\n\
             desk,log,B2,B,done,Done,2026-03-02T12:00:00+08:00\n\
             desk,log,C1,C,open,New,2026-03-03T09:00:00+08:00\n\
             desk,log,C2,C,done,Done,2026-03-04T09:01:00+08:00\n"
        ),
    );
    sandbox
}

fn closed(sandbox: &Sandbox) -> i64 {
    sandbox.ws(&["close", "desk", "2026-03"]).ok();
    sandbox.ws(&["close", "desk", "2026-03", "--step", "agree", "--by", "account manager"]).ok();
    let frozen = sandbox.ws(&["close", "desk", "2026-03", "--format", "json"]).json();
    assert_eq!(frozen["close"]["step"], "freeze");
    frozen["entry"].as_i64().unwrap()
}

fn restated(sandbox: &Sandbox) -> Value {
    sandbox.ws(&["restate", "desk", "2026-03", "--format", "json"]).json()
}

/// Case, outcome as closed, outcome now, and why.
fn cases(found: &Value) -> Vec<[String; 4]> {
    let rows = found["restatement"]["cases"].as_array().unwrap();
    let outcome = |row: &Value, side: &str| row[side]["outcome"].as_str().unwrap_or("-").to_owned();
    let told = |row: &Value| {
        let because: Vec<&str> =
            row["because"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
        [
            text(row, "case_id").to_owned(),
            outcome(row, "before"),
            outcome(row, "after"),
            because.join(", "),
        ]
    };
    rows.iter().map(told).collect()
}

/// Numerator and denominator of the one figure that changed.
fn figure(found: &Value) -> [(i64, i64); 2] {
    let figures = found["restatement"]["figures"].as_array().unwrap();
    assert_eq!(figures.len(), 1, "{found}");
    ["before", "after"].map(|side| {
        let of = |name: &str| figures[0][side][name].as_i64().unwrap();
        (of("numerator"), of("denominator"))
    })
}

/// What was closed is still what its entry gives, byte for byte, whatever came after.
fn stands(sandbox: &Sandbox, entry: i64) {
    sandbox.ws(&["replay", &entry.to_string()]).ok();
    let refused = sandbox.ws(&["close", "desk", "2026-03", "--step", "issue"]).fails(1);
    assert!(refused.contains("a frozen month is never changed"), "{refused}");
    sandbox.ws(&["verify"]).ok();
}

#[test]
fn case_22_a_proclamation_that_comes_late_restates_a_closed_month_and_leaves_it_as_it_was() {
    let sandbox = desk();
    let frozen = closed(&sandbox);
    assert!(restated(&sandbox)["restatement"]["cases"].as_array().unwrap().is_empty());
    // Friday the 20th was proclaimed a holiday: of A's 18 hours nine are left, so it was in time.
    sandbox.write(
        "proclamation.csv",
        "place,on_date,name,kind\nPH,2026-03-20,Eid al-Fitr,special-non-working\n",
    );
    sandbox.ws(&["import", "proclamation.csv"]).ok();
    let found = restated(&sandbox);
    let told = cases(&found);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0][..3], ["A", "missed", "met"]);
    assert!(told[0][3].contains("import proclamation.csv"), "{told:?}");
    assert_eq!(figure(&found), [(1, 3), (2, 3)]);
    let case = &found["restatement"]["cases"][0];
    assert_eq!(case["before"]["measured"], "18 h 00 min");
    assert_eq!(case["after"]["measured"], "9 h 00 min");
    assert_eq!(found["restatement"]["figures"][0]["before"]["judgement"], "below-minimum");
    assert_eq!(found["restatement"]["figures"][0]["after"]["judgement"], "met");
    stands(&sandbox, frozen);
}

#[test]
fn case_26_a_corrected_log_and_an_amended_target_stand_beside_the_closed_month_each_with_its_entry()
{
    let sandbox = desk();
    let frozen = closed(&sandbox);
    // The log is corrected: C was done a minute earlier. Then an amendment asks for more.
    let corrected = format!(
        "{EVENTS}desk,log,C2,C,done,Done,2026-03-04T09:00:00+08:00\n\
         desk,log,D1,D,open,New,2026-03-05T09:00:00+08:00\n\
         desk,log,D2,D,done,Done,2026-03-05T10:00:00+08:00\n"
    );
    sandbox.write("corrected.csv", corrected);
    sandbox.ws(&["import", "corrected.csv"]).ok();
    sandbox.write("unrelated.csv", "arrangement_id,team_id,title,site_id\ndesk,t,Team,manila\n");
    sandbox.ws(&["import", "unrelated.csv"]).ok();
    sandbox.write(
        "amendment.csv",
        format!(
            "{LEVEL}desk,fast,Done in 2 h,turnaround,0.9,0.8,2h,month,Done,amendment,2026-03-01\n"
        ),
    );
    sandbox.ws(&["import", "amendment.csv"]).ok();
    let found = restated(&sandbox);
    let told = cases(&found);
    let names: Vec<&[String]> = told.iter().map(|row| &row[..3]).collect();
    // A took 18 hours, late by either; B took three, D one; C took nine.
    assert_eq!(
        names,
        [
            &["A", "missed", "missed"][..],
            &["B", "met", "missed"][..],
            &["C", "missed", "missed"][..],
            &["D", "-", "met"][..]
        ]
    );
    assert!(told[1][3].contains("amendment.csv") && !told[1][3].contains("corrected.csv"));
    let (first, second) = told[2][3].split_once(", ").unwrap();
    assert!(first.contains("corrected.csv") && second.contains("amendment.csv"), "{told:?}");
    assert!(!told.iter().any(|row| row[3].contains("unrelated.csv")), "{told:?}");
    assert_eq!(figure(&found), [(1, 3), (1, 4)]);
    let figure = &found["restatement"]["figures"][0];
    assert_eq!(
        (figure["before"]["target"].as_str(), figure["after"]["target"].as_str()),
        (Some("0.6"), Some("0.9"))
    );
    let notes = found["notes"].to_string();
    assert!(notes.contains("its target or minimum changed"), "{notes}");
    stands(&sandbox, frozen);
}

#[test]
fn case_13_an_open_case_is_recomputed_when_a_holiday_is_added_and_the_closed_month_is_not() {
    let sandbox = desk();
    sandbox
        .write("open.csv", format!("{EVENTS}desk,log,E1,E,open,New,2026-03-31T12:00:00+08:00\n"));
    sandbox.ws(&["import", "open.csv"]).ok();
    let frozen = closed(&sandbox);
    let at = ["warn", "--all", "--format", "json"];
    let due = |rows: &Value| rows[0]["due_at"].as_str().unwrap().to_owned();
    let before = sandbox.ws(&at).json();
    assert_eq!(before.as_array().unwrap().len(), 1, "{before}");
    assert_eq!(due(&before), "2026-04-01T04:00:00Z");
    sandbox.write("holiday2.csv", "place,on_date,name,kind\nPH,2026-04-01,Proclaimed,public\n");
    sandbox.ws(&["import", "holiday2.csv"]).ok();
    assert_eq!(due(&sandbox.ws(&at).json()), "2026-04-02T04:00:00Z");
    assert!(cases(&restated(&sandbox)).is_empty(), "it was not due in the closed month");
    stands(&sandbox, frozen);
}

#[test]
fn a_month_is_closed_step_by_step_and_every_step_can_be_replayed() {
    let sandbox = desk();
    let refused = sandbox.ws(&["close", "desk", "2026-03", "--step", "freeze"]).fails(1);
    assert!(refused.contains("let it be agreed first"), "{refused}");
    let refused = sandbox.ws(&["restate", "desk", "2026-03"]).fails(2);
    assert!(refused.contains("was never closed"), "{refused}");
    let shown = sandbox.ws(&["close", "desk", "2026-03", "--dry-run"]).ok();
    assert!(shown.contains("Not kept") && shown.contains("fast"), "{shown}");
    sandbox.ws(&["close", "desk", "2026-03"]).ok();
    let refused = sandbox.ws(&["close", "desk", "2026-03", "--step", "agree"]).fails(1);
    assert!(refused.contains("--by WHO"), "{refused}");
    // Evidence that changes a figure comes in: what was issued is no longer what would be agreed to.
    sandbox.write(
        "late.csv",
        format!(
            "{EVENTS}desk,log,L1,L,open,New,2026-03-09T09:00:00+08:00\n\
             desk,log,L2,L,done,Done,2026-03-09T10:00:00+08:00\n"
        ),
    );
    sandbox.ws(&["import", "late.csv"]).ok();
    let agree = ["close", "desk", "2026-03", "--step", "agree", "--by", "account manager"];
    let refused = sandbox.ws(&agree).fails(1);
    assert!(refused.contains("issue them again"), "{refused}");
    sandbox.ws(&["close", "desk", "2026-03", "--step", "issue"]).ok();
    sandbox.ws(&agree).ok();
    let frozen = sandbox.ws(&["close", "desk", "2026-03", "--format", "json"]).json();
    let log = sandbox.ws(&["log"]).ok();
    assert_eq!(log.matches(", step `").count(), 4, "{log}");
    let far = sandbox.ws(&["close", "desk", "2999-01"]).fails(2);
    assert!(far.contains("has not ended"), "{far}");
    stands(&sandbox, frozen["entry"].as_i64().unwrap());
}
