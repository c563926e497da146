//! The same evidence gives the same bytes, however the work and the objects are cut up.

use std::collections::BTreeSet;

use backstay_engine::{
    AssessRequest, Layout, MemoryCache, assess::assess, assessment::Assessment, fixture,
};

use crate::world::{assessed, march, request, statuses};

#[test]
fn partitions_batches_and_shuffled_row_groups_give_one_digest() {
    let world =
        march().retain("case_event", |row| row["case_id"] != "C10" || row["activity"] != "resolve");
    let mut digests = BTreeSet::new();
    for (partitions, objects, group_rows, shuffle) in
        [(1, 1, 100_000, 0), (2, 3, 5, 77), (7, 2, 1, 12_345)]
    {
        let evidence = world.evidence(fixture::Layout { group_rows, objects, shuffle });
        for batch_rows in [1, 8192] {
            let layout = Layout { partitions, batch_rows };
            let assessment =
                assess(&AssessRequest { layout, ..request(evidence.clone()) }).unwrap();
            assert!(assessment.findings.iter().any(|finding| !finding.evidence.is_empty()));
            digests.insert(assessment.digest());
        }
    }
    assert_eq!(digests.len(), 1);
}

#[test]
fn kept_results_change_no_byte() {
    let cache = MemoryCache::default();
    let evidence = march().evidence(fixture::Layout::default());
    let plain = assess(&request(evidence.clone())).unwrap();
    let with_cache = || AssessRequest { cache: Some(&cache), ..request(evidence.clone()) };
    let first = assess(&with_cache()).unwrap();
    let kept = backstay_engine::ResultCache::get(&cache, plain.digest()).is_none();
    assert!(kept && !cache.is_empty());
    let held = cache.len();
    let second = assess(&with_cache()).unwrap();
    assert_eq!(cache.len(), held);
    assert_eq!(plain.bytes(), first.bytes());
    assert_eq!(plain.bytes(), second.bytes());
    let changed =
        march().set("service_level", "target", "0.99", |row| row["service_level_id"] == "answer");
    let evidence = changed.evidence(fixture::Layout::default());
    let third = assess(&AssessRequest { cache: Some(&cache), ..request(evidence) }).unwrap();
    assert_eq!(third.bytes(), assessed(&changed).bytes());
    assert!(cache.len() > held);
}

fn has_float(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(number) => number.is_f64(),
        serde_json::Value::Array(elements) => elements.iter().any(has_float),
        serde_json::Value::Object(fields) => fields.values().any(has_float),
        _ => false,
    }
}

#[test]
fn an_assessment_reads_back_and_has_the_fixed_names() {
    let assessment = assessed(&march());
    assert_eq!(Assessment::from_bytes(&assessment.bytes()).unwrap(), assessment);
    let json: serde_json::Value = serde_json::from_slice(&assessment.bytes()).unwrap();
    for name in
        ["schema", "basis", "controls", "measures", "findings", "risks", "coverage", "notes"]
    {
        assert!(json.get(name).is_some(), "{name}");
    }
    for name in [
        "arrangement_id",
        "risk",
        "control",
        "status",
        "reason",
        "population",
        "missed",
        "evidence_age_days",
    ] {
        assert!(json["controls"][0].get(name).is_some(), "controls[].{name}");
    }
    for name in ["arrangement_id", "service_level", "period", "numerator", "denominator", "value"] {
        assert!(json["measures"][0].get(name).is_some(), "measures[].{name}");
    }
    assert!(!has_float(&json), "no float is written");
    let error = Assessment::from_bytes(b"{}").unwrap_err().to_string();
    assert!(error.contains("stored assessment"), "{error}");
}

#[test]
fn the_small_operation_is_measured_and_its_controls_are_effective() {
    let assessment = assessed(&march());
    let statuses = statuses(&assessment);
    for control in ["levels-met", "cases-counted", "teams-known", "functions-owned"] {
        assert!(statuses[control].starts_with("effective"), "{control}: {}", statuses[control]);
    }
    let resolution =
        assessment.measures.iter().find(|measure| measure.service_level == "resolution").unwrap();
    assert_eq!((resolution.numerator, resolution.denominator), (21, 21));
    assert_eq!(resolution.value.as_deref(), Some("1.000000"));
    assert_eq!(resolution.excluded.get("client-delay"), Some(&1));
    assert_eq!(resolution.target.as_deref(), Some("0.9"));
    assert_eq!(resolution.target_ref, "9:1");
    assert_eq!(assessment.basis.as_of, "2026-03-31T23:00:00Z");
    assert_eq!(
        assessment
            .controls
            .iter()
            .find(|c| c.control == "cases-counted")
            .unwrap()
            .evidence_age_days,
        Some(0)
    );
}
