//! Real logs give the counts that are known of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use backstay_evidence::{ImportOptions, Mapping, ReadSummary};

use crate::support::{Taken, options, read_file};

const LOG: &str = "work-logs/servicenow_incident_event_log.csv.gz";

/// The log, read once.
fn servicenow() -> &'static (Taken, ReadSummary) {
    static READ: OnceLock<(Taken, ReadSummary)> = OnceLock::new();
    READ.get_or_init(|| {
        let mapping = Mapping::built_in("servicenow-incident").unwrap();
        read_file(LOG, &ImportOptions { zone: Some("UTC".into()), ..options(mapping) })
    })
}

fn tally(values: Vec<Option<String>>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value.unwrap_or_default()).or_default() += 1;
    }
    counts
}

#[test]
fn the_servicenow_log_gives_its_known_counts() {
    let (taken, summary) = servicenow();
    assert_eq!(summary.records, 119_998);
    assert_eq!((summary.rejected, summary.superseded), (2, 0));
    assert_eq!(taken.codes(), [(115_642, "invalid-state"), (115_643, "invalid-state")]);
    for rejection in &taken.rejections {
        assert_eq!(rejection.subject.as_deref(), Some("INC0028089"));
        assert_eq!(rejection.arrangement_id, "desk");
        assert!(!rejection.reason.contains("-100"));
    }
    assert_eq!(taken.rows("case_event"), 119_996);
    let states = tally(taken.texts("case_event", "state"));
    let expected = [
        ("New", 30_229),
        ("Active", 33_582),
        ("Awaiting User Info", 12_884),
        ("Awaiting Vendor", 557),
        ("Awaiting Problem", 400),
        ("Awaiting Evidence", 19),
        ("Resolved", 21_500),
        ("Closed", 20_825),
    ];
    assert_eq!(states, expected.map(|(state, count)| (state.to_owned(), count)).into());
    let cases: BTreeSet<_> = taken.texts("case_event", "case_id").into_iter().collect();
    assert_eq!(cases.len(), 20_769);
    assert!(summary.gzip && summary.delimiter == Some(','));
    assert!(summary.columns_unused.is_empty(), "{:?}", summary.columns_unused);
}

#[test]
fn the_last_version_of_each_servicenow_case_says_what_the_provider_reports() {
    let (taken, _) = servicenow();
    assert_eq!(taken.rows("provider_report"), 20_769);
    let levels = taken.texts("provider_report", "service_level_id");
    let outcomes = taken.texts("provider_report", "outcome");
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for pair in levels.into_iter().flatten().zip(outcomes.into_iter().flatten()) {
        *counts.entry(pair).or_default() += 1;
    }
    let missed = |level: &str| counts[&(level.to_owned(), "missed".to_owned())];
    let met = |level: &str| counts[&(level.to_owned(), "met".to_owned())];
    let levels = ["resolution-p1", "resolution-p2", "resolution-p3", "resolution-p4"];
    assert_eq!(levels.map(missed), [215, 336, 7_504, 119]);
    assert_eq!(levels.map(|level| missed(level) + met(level)), [220, 337, 19_554, 658]);
    let cases: BTreeSet<_> = taken.texts("provider_report", "case_id").into_iter().collect();
    assert_eq!(cases.len(), 20_769);
}

fn xes() -> ImportOptions {
    options(Mapping::built_in("xes").unwrap())
}

/// Cases, events and activities of an XES log, with nothing rejected.
fn xes_counts(file: &str) -> (usize, usize, usize) {
    let (taken, summary) = read_file(file, &xes());
    assert_eq!((summary.rejected, summary.superseded), (0, 0), "{file}");
    let events = taken.rows("case_event");
    assert_eq!(summary.records, events as u64, "{file}");
    assert_eq!(taken.present("case_event", "occurred_at_offset_minutes"), events);
    let cases: BTreeSet<_> = taken.texts("case_event", "case_id").into_iter().collect();
    let activities: BTreeSet<_> = taken.texts("case_event", "activity").into_iter().collect();
    (cases.len(), events, activities.len())
}

#[test]
fn the_xes_logs_give_their_known_counts() {
    assert_eq!(xes_counts("work-logs/helpdesk_utc.xes.gz"), (4_580, 21_348, 14));
    assert_eq!(xes_counts("work-logs/helpdesk_local.xes.gz"), (4_580, 21_348, 14));
    let (cases, events, _) = xes_counts("work-logs/volvo_closed_problems.xes.gz");
    assert_eq!((cases, events), (1_487, 6_660));
    let (cases, events, _) = xes_counts("work-logs/DomesticDeclarations.xes.gz");
    assert_eq!((cases, events), (10_357, 55_628));
    let (cases, events, _) = xes_counts("work-logs/InternationalDeclarations.xes.gz");
    assert_eq!((cases, events), (6_323, 70_727));
}

/// Header and first record of the ServiceNow log's layout.
pub fn servicenow_header() -> String {
    "number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,\
     opened_by,opened_at,sys_created_by,sys_created_at,sys_updated_by,sys_updated_at,contact_type,\
     location,category,subcategory,u_symptom,cmdb_ci,impact,urgency,priority,assignment_group,\
     assigned_to,knowledge,u_priority_confirmation,notify,problem_id,rfc,vendor,caused_by,\
     closed_code,resolved_by,resolved_at,closed_at\n"
        .to_owned()
}
