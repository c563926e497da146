//! Real logs, end to end. Counts are those of the data's own README.

use std::collections::BTreeMap;

use backstay_evidence::{ImportOptions, Mapping};
use backstay_store::{ImportRequest, StoreError, TraceSource};

use crate::support::{Home, data};

/// `zone`: the log has no offsets. A zone without daylight saving, so that no time is ambiguous.
fn with_mapping(name: &str, arrangement: &str, zone: Option<&str>) -> ImportRequest {
    ImportRequest {
        options: ImportOptions {
            mapping: Some(Mapping::built_in(name).unwrap()),
            set: BTreeMap::from([("arrangement_id".to_owned(), arrangement.to_owned())]),
            zone: zone.map(str::to_owned),
            ..ImportOptions::default()
        },
        ..ImportRequest::default()
    }
}

#[test]
fn the_service_desk_log_adds_up_and_its_quarantined_rows_are_known_by_number() {
    let path = data("work-logs/servicenow_incident_event_log.csv.gz");
    let mut home = Home::new();
    let request = with_mapping("servicenow-incident", "desk", Some("Etc/UTC"));
    let outcome = home.import_file(&path, &request).unwrap();
    assert_eq!((outcome.read, outcome.accepted, outcome.quarantined), (119_998, 119_996, 2));
    assert_eq!((outcome.corrected, outcome.already_known), (0, 0));
    let quarantine = home.rows("quarantine");
    let mut records: Vec<u32> = quarantine.iter().map(|fact| fact.row.record).collect();
    records.sort_unstable();
    assert_eq!(records, vec![115_642, 115_643]);
    assert!(quarantine.iter().all(|fact| fact.get("subject") == "INC0028089"));
    let by_table: BTreeMap<&str, u64> =
        outcome.tables.iter().map(|t| (t.table.as_str(), t.counts.new)).collect();
    assert_eq!(by_table, BTreeMap::from([("case_event", 119_996), ("provider_report", 20_769)]));
    let entry = outcome.entry.unwrap();
    let trace = home.workspace.trace(format!("{entry}:115642").parse().unwrap()).unwrap();
    let TraceSource::Located(found) = trace.source else { panic!("{:?}", trace.source) };
    assert_eq!(found.first_line, 115_643);
    assert!(found.text.starts_with("INC0028089,-100"), "{}", found.text);
    // The same bytes again: nothing.
    let again = home.import_file(&path, &request).unwrap();
    assert_eq!((again.entry, again.already_imported), (None, Some(entry)));
    home.must_hold();
}

#[test]
fn the_log_with_two_clocks_is_refused_and_kept_only_when_asked() {
    let mut home = Home::new();
    let utc = data("work-logs/helpdesk_utc.xes.gz");
    let local = data("work-logs/helpdesk_local.xes.gz");
    let first = home.import_file(&utc, &with_mapping("xes", "desk", None)).unwrap();
    assert_eq!((first.read, first.accepted), (21_348, 21_348));
    let size = home.workspace.backend().head().unwrap().size;
    let mut request = with_mapping("xes", "desk", None);
    let error = home.import_file(&local, &request).unwrap_err();
    let StoreError::DuplicateLog { entry, cases, of, .. } = &error else { panic!("{error}") };
    assert_eq!(Some(*entry), first.entry);
    assert!(cases * 10 > of * 9, "{error}");
    assert!(error.to_string().contains("--allow-duplicate-log"), "{error}");
    assert_eq!(home.workspace.backend().head().unwrap().size, size);
    request.allow_duplicate_log = true;
    let kept = home.import_file(&local, &request).unwrap();
    assert_eq!(kept.disagreeing_clock_with, first.entry);
    assert_eq!(kept.accepted, 21_348);
    let manifest = home.workspace.manifest(backstay_store::AsOf::Latest, &[]).unwrap();
    let note = manifest.imports.iter().find(|note| Some(note.seq) == kept.entry).unwrap();
    assert_eq!(note.disagreeing_clock_with, first.entry);
    // Reading it again in the same way is no new refusal, and nothing new.
    request.allow_duplicate_log = false;
    let again = home
        .with(|workspace, ctx| workspace.reread(kept.entry.unwrap(), &request, ctx, &mut |_| {}))
        .unwrap();
    assert_eq!((again.already_known, again.entry), (21_348, None));
    home.must_hold();
}

#[test]
fn a_log_in_overlapping_halves_is_the_log() {
    use std::io::Write as _;
    let path = data("work-logs/servicenow_incident_event_log.csv.gz");
    let mut home = Home::new();
    let mut text = String::new();
    let mut inflate = std::process::Command::new("gzip");
    let output = inflate.arg("-dc").arg(&path).output().unwrap();
    text.push_str(std::str::from_utf8(&output.stdout).unwrap());
    let lines: Vec<&str> = text.lines().collect();
    // Cut by cases, so that each part has whole ones: the last version of a case must be in both.
    let case = |line: &str| line.split(',').next().unwrap().trim_matches('"').to_owned();
    let middle = (12_000..).find(|n| case(lines[*n]) != case(lines[*n - 1])).unwrap();
    let begin = (8_000..).find(|n| case(lines[*n]) != case(lines[*n - 1])).unwrap();
    let end = (20_000..).find(|n| case(lines[*n]) != case(lines[*n - 1])).unwrap();
    let request = with_mapping("servicenow-incident", "desk", Some("Etc/UTC"));
    let part = |home: &mut Home, name: &str, range: std::ops::Range<usize>| {
        let file = home.path(name);
        let mut out = std::fs::File::create(&file).unwrap();
        writeln!(out, "{}", lines[0]).unwrap();
        for line in &lines[range] {
            writeln!(out, "{line}").unwrap();
        }
        home.import_file(&file, &request).unwrap()
    };
    let first = part(&mut home, "1.csv", 1..middle);
    let second = part(&mut home, "2.csv", begin..end);
    assert_eq!(first.accepted, (middle - 1) as u64);
    assert_eq!(second.already_known, (middle - begin) as u64);
    assert_eq!(second.accepted, (end - middle) as u64);
    assert_eq!(second.corrected, 0);
    assert_eq!(home.rows("case_event").len(), end - 1);
}
