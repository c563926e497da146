//! What is new, known, corrected, and what a file says as a whole.

use backstay_evidence::Digest;
use backstay_store::{AsOf, Limits, StoreError, Workspace};

use crate::support::{Home, as_table, values};

pub const HEADER: &str =
    "arrangement_id,source,event_id,case_id,activity,state,occurred_at,priority\n";

/// Rows without ids of the source's own.
pub fn events(rows: &[(&str, &str, u32)]) -> String {
    let mut text = HEADER.to_owned();
    for (case, activity, minute) in rows {
        text += &format!(
            "desk,sys,,{case},{activity},{activity},2026-03-02T{:02}:{:02}:00Z,3\n",
            minute / 60,
            minute % 60
        );
    }
    text
}

#[test]
fn the_same_file_again_changes_nothing_and_says_which_entry_holds_it() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1), ("c1", "Done", 5), ("c2", "New", 3)]);
    let first = home.import("a.csv", "case_event", &text);
    assert_eq!((first.read, first.accepted, first.entry), (3, 3, Some(2)));
    let before = (home.workspace.backend().head().unwrap(), home.evidence());
    let second = home.import("renamed.csv", "case_event", &text);
    assert_eq!((second.entry, second.already_imported), (None, Some(2)));
    assert_eq!((second.read, second.already_known), (3, 3));
    assert_eq!(before, (home.workspace.backend().head().unwrap(), home.evidence()));
    home.must_hold();
}

#[test]
fn a_file_of_known_rows_in_another_order_writes_no_entry() {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &events(&[("c1", "New", 1), ("c2", "New", 3)]));
    let again = home.import("b.csv", "case_event", &events(&[("c2", "New", 3), ("c1", "New", 1)]));
    assert_eq!((again.read, again.already_known, again.entry), (2, 2, None));
    assert!(again.hints.iter().any(|hint| hint.contains("nothing new")), "{:?}", again.hints);
}

#[test]
fn an_overlapping_export_with_a_changed_row_gives_one_correction_and_the_old_answer_stays() {
    let mut home = Home::new();
    let row = |id: &str, case: &str, at: &str, priority: &str| {
        format!("desk,sys,{id},{case},New,New,2026-03-02T{at}:00Z,{priority}\n")
    };
    let first = format!(
        "{HEADER}{}{}{}",
        row("e1", "c1", "09:00", "3"),
        row("e2", "c1", "10:00", "3"),
        row("e3", "c2", "11:00", "3")
    );
    let second = format!(
        "{HEADER}{}{}{}",
        row("e2", "c1", "10:30", "1"),
        row("e3", "c2", "11:00", "3"),
        row("e4", "c3", "12:00", "3")
    );
    let one = home.import("june.csv", "case_event", &first);
    let two = home.import("july.csv", "case_event", &second);
    assert_eq!((two.accepted, two.corrected, two.already_known), (1, 1, 1));
    let now = home.rows("case_event");
    assert_eq!(now.len(), 4);
    let changed = now.iter().find(|fact| fact.get("event_id") == "e2").unwrap();
    assert_eq!(changed.get("occurred_at"), "2026-03-02T10:30:00Z");
    assert_eq!(changed.row.to_string(), "3:1");
    let before = home.rows_at(one.entry.unwrap(), "case_event");
    assert_eq!(before.len(), 3);
    let old = before.iter().find(|fact| fact.get("event_id") == "e2").unwrap();
    assert_eq!(old.get("occurred_at"), "2026-03-02T10:00:00Z");
    let manifest = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    let later: Vec<u64> = manifest.table("case_event").map(|s| s.later_versions).collect();
    assert_eq!(later, vec![0, 1]);
    home.must_hold();
}

#[test]
fn identical_events_count_as_often_as_the_fullest_file_has_them() {
    let mut home = Home::new();
    let twice = events(&[("c1", "Call", 1), ("c1", "Call", 1), ("c2", "Call", 2)]);
    let thrice = events(&[("c1", "Call", 1), ("c1", "Call", 1), ("c1", "Call", 1)]);
    assert_eq!(home.import("a.csv", "case_event", &twice).accepted, 3);
    let more = home.import("b.csv", "case_event", &thrice);
    assert_eq!((more.accepted, more.already_known), (1, 2));
    assert_eq!(home.rows("case_event").len(), 4);
    let fewer = home.import("c.csv", "case_event", &events(&[("c1", "Call", 1)]));
    assert_eq!((fewer.already_known, fewer.entry), (1, None));
}

#[test]
fn a_rejected_record_is_quarantined_with_its_number_in_every_file_that_has_it() {
    let mut home = Home::new();
    let mut text = events(&[("c1", "New", 1), ("c2", "New", 3)]);
    text += "desk,sys,,c3,New,New,not a time,3\n";
    text += "desk,sys,,,New,New,2026-03-02T10:00:00Z,3\n";
    let first = home.import("a.csv", "case_event", &text);
    assert_eq!((first.read, first.accepted, first.quarantined), (4, 2, 2));
    let rows = home.rows("quarantine");
    let records: Vec<u32> = rows.iter().map(|fact| fact.row.record).collect();
    let mut sorted = records.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, vec![3, 4]);
    assert!(rows.iter().all(|fact| !format!("{fact:?}").contains("not a time")));
    assert_eq!(first.rejections.iter().map(|kind| kind.count).sum::<u64>(), 2);
    // The same file is no news.
    let same = home.import("a.csv", "case_event", &text);
    assert_eq!((same.quarantined, same.already_known, same.entry), (2, 2, None));
    assert_eq!(home.rows("quarantine").len(), 2);
    // Another file, all known but for what is rejected: nobody can tell whether these are the same.
    let again = home.import("b.csv", "case_event", &(text.clone() + "\n"));
    assert_eq!((again.quarantined, again.already_known, again.accepted), (2, 2, 0));
    assert!(again.entry.is_some());
    assert_eq!(home.rows("quarantine").len(), 4);
    // A file that brings something keeps its own rejections, so that each leads to its line.
    let more = home.import(
        "c.csv",
        "case_event",
        &(text + "desk,sys,,c9,New,New,2026-03-02T11:00:00Z,3\n"),
    );
    assert_eq!((more.accepted, more.quarantined), (1, 2));
    let entry = more.entry.unwrap();
    let own = home.rows("quarantine").iter().filter(|f| u64::from(f.row.entry) == entry).count();
    assert_eq!(own, 2);
    home.must_hold();
}

#[test]
fn several_arrangements_in_one_file_make_objects_apart_and_a_scope_sees_only_its_own() {
    let mut home = Home::new();
    let claims = events(&[("c2", "New", 2)]).replace("desk,", "claims,").replace(HEADER, "");
    let outcome = home.import("a.csv", "case_event", &(events(&[("c1", "New", 1)]) + &claims));
    let entry = home.workspace.entries(outcome.entry.unwrap(), 1).unwrap();
    assert_eq!(entry[0].arrangements, ["claims", "desk"]);
    let scope = vec!["desk".to_owned()];
    let manifest = home.workspace.manifest(AsOf::Latest, &scope).unwrap();
    assert_eq!(manifest.table("case_event").count(), 1);
    assert!(manifest.segments.iter().all(|segment| segment.arrangement_id == "desk"));
    assert_eq!(manifest.imports[0].arrangements, ["desk"]);
    let other = home.workspace.manifest(AsOf::Latest, &["payroll".to_owned()]).unwrap();
    assert!(other.segments.is_empty() && other.imports.is_empty());
    assert_eq!(other.evidence_digest, manifest.evidence_digest);
}

#[test]
fn a_file_that_cannot_be_read_leaves_nothing_behind() {
    let mut home = Home::new();
    let before = home.workspace.backend().head().unwrap();
    let error = home
        .try_import("a.csv", "no_such_column,case_id\n1,2\n", &as_table("case_event"))
        .unwrap_err();
    assert!(matches!(error, StoreError::Read(_)), "{error}");
    assert_eq!(before, home.workspace.backend().head().unwrap());
    let mut objects = 0;
    home.workspace
        .backend()
        .list_objects(&mut |_| {
            objects += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(objects, 0);
}

#[test]
fn two_ways_into_one_folder_see_each_others_imports() {
    let mut one = Home::new();
    let mut two = one.again();
    let a = events(&[("c1", "New", 1), ("c2", "New", 2)]);
    let b = events(&[("c2", "New", 2), ("c3", "New", 3)]);
    one.import("a.csv", "case_event", &a);
    let second = two.import("b.csv", "case_event", &b);
    assert_eq!((second.accepted, second.already_known), (1, 1));
    let third = one.import("c.csv", "case_event", &events(&[("c3", "New", 3), ("c4", "New", 4)]));
    assert_eq!((third.accepted, third.already_known, third.entry), (1, 1, Some(4)));
    assert_eq!(values(&one.rows("case_event")), values(&two.rows("case_event")));
    assert_eq!(one.rows("case_event").len(), 4);
    one.must_hold();
}

#[test]
fn imports_at_the_same_time_do_not_double_what_they_share() {
    let home = Home::new();
    let mut threads = Vec::new();
    for n in 0..4_u32 {
        let mut way = home.again();
        way.random.0 += u64::from(n);
        threads.push(std::thread::spawn(move || {
            for round in 0..3_u32 {
                let rows: Vec<(String, u32)> = (0..10)
                    .map(|k| (format!("c{}", round * 5 + k + n), k + n + round * 5))
                    .collect();
                let rows: Vec<(&str, &str, u32)> =
                    rows.iter().map(|(case, minute)| (case.as_str(), "New", *minute)).collect();
                way.import(&format!("{n}-{round}.csv"), "case_event", &events(&rows));
            }
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
    let rows = home.rows("case_event");
    let mut distinct = values(&rows);
    distinct.dedup();
    assert_eq!(distinct.len(), rows.len(), "a row came in twice");
    assert_eq!(rows.len(), 23);
    home.must_hold();
}

#[test]
fn a_whole_load_withdraws_the_events_of_its_source_that_it_lacks() {
    let mut home = Home::new();
    let both = events(&[("c1", "New", 1), ("c2", "New", 2)]);
    home.import("a.csv", "case_event", &both);
    home.import(
        "o.csv",
        "case_event",
        &events(&[("x1", "New", 9)]).replace("desk,sys", "desk,other"),
    );
    let mut request = as_table("case_event");
    request.options.load = Some(backstay_evidence::options::Load::Full);
    let outcome =
        home.try_import("b.csv", &events(&[("c2", "New", 2), ("c3", "New", 3)]), &request).unwrap();
    assert_eq!((outcome.accepted, outcome.already_known), (1, 1));
    assert_eq!(outcome.tables[0].counts.withdrawn, 1);
    let mut cases: Vec<String> =
        home.rows("case_event").iter().map(|fact| fact.get("case_id").to_owned()).collect();
    cases.sort();
    assert_eq!(cases, ["c2", "c3", "x1"]);
    // What was withdrawn comes back as a version of the same fact.
    let back = home.import("c.csv", "case_event", &events(&[("c1", "New", 1)]));
    assert_eq!((back.corrected, back.accepted), (1, 0));
    assert_eq!(home.rows("case_event").len(), 4);
    home.must_hold();
}

#[test]
fn a_whole_load_with_rejections_withdraws_nothing_and_says_so() {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &events(&[("c1", "New", 1), ("c2", "New", 2)]));
    let mut request = as_table("case_event");
    request.options.load = Some(backstay_evidence::options::Load::Full);
    let text = events(&[("c2", "New", 2)]) + "desk,sys,,c1,New,New,?,3\n";
    let outcome = home.try_import("b.csv", &text, &request).unwrap();
    assert_eq!((outcome.quarantined, outcome.already_known), (1, 1));
    assert!(outcome.hints.iter().any(|hint| hint.contains("nothing was withdrawn")));
    assert_eq!(home.rows("case_event").len(), 2);
}

#[test]
fn rows_are_stored_in_the_order_of_their_table() {
    let mut home = Home::new();
    let text = events(&[("c2", "New", 9), ("c1", "Done", 5), ("c1", "New", 1)]);
    home.import("a.csv", "case_event", &text);
    let manifest = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    let segment = manifest.table("case_event").next().unwrap().clone();
    use backstay_evidence::ObjectSource as _;
    let body = home.workspace.objects().open(segment.digest).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(body)
        .unwrap()
        .build()
        .unwrap();
    use arrow::array::AsArray as _;
    let mut records = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let rows = batch.column_by_name("_row").unwrap();
        records.extend(rows.as_primitive::<arrow::datatypes::Int64Type>().values().to_vec());
    }
    assert_eq!(records, vec![3, 2, 1]);
    assert_eq!(segment.occurred_us.map(|(a, b)| (b - a) / 60_000_000), Some(8));
}

#[test]
fn equal_evidence_in_two_workspaces_gives_equal_objects_and_evidence_digests() {
    let (mut one, mut two) = (Home::new(), Home::new());
    two.with(|workspace, ctx| {
        workspace
            .append_plain(
                backstay_ledger::EntryKind::Settings,
                &[],
                &serde_json::json!({"theme": "dark"}),
                ctx,
            )
            .unwrap()
    });
    let text = events(&[("c1", "New", 1), ("c2", "New", 2)]);
    one.import("a.csv", "case_event", &text);
    two.import("a.csv", "case_event", &text);
    assert_eq!(one.evidence(), two.evidence());
    let digests = |home: &Home| -> Vec<String> {
        let manifest = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
        manifest.table("case_event").map(|segment| segment.digest.to_string()).collect()
    };
    assert_eq!(digests(&one), digests(&two));
}

#[test]
fn how_much_fits_in_memory_changes_no_byte() {
    let many = |shift: u32| {
        let rows: Vec<(String, u32)> = (0..400_u32)
            .map(|n| (format!("c{}", (n * 7919 + shift) % 97), (n * 31 + shift) % 1_300))
            .collect();
        let rows: Vec<(&str, &str, u32)> =
            rows.iter().map(|(case, minute)| (case.as_str(), "Note", *minute)).collect();
        let mut text = events(&rows);
        for n in 0..60 {
            text += &format!("desk,sys,e{n},c{n},New,New,2026-03-02T10:00:00Z,{}\n", n + shift);
        }
        text
    };
    let mut ends = Vec::new();
    for limits in [
        Limits::default(),
        Limits { row_bytes: 0, compared_rows: 50, ..Limits::default() },
        Limits { row_bytes: 20_000, compared_rows: 1, ..Limits::default() },
    ] {
        let mut home = Home::new();
        let opened = Workspace::open(home.workspace.dir()).unwrap();
        home.workspace = opened.with_limits(limits);
        let first = home.import("a.csv", "case_event", &many(0));
        let second = home.import("b.csv", "case_event", &many(13));
        assert!(second.corrected >= 60 && second.already_known + second.accepted > 0);
        let manifest = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
        let digests: Vec<String> =
            manifest.table("case_event").map(|segment| segment.digest.to_string()).collect();
        home.must_hold();
        ends.push((first, second, digests));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
}

#[test]
fn an_import_that_fails_at_its_last_step_leaves_nothing_visible_and_can_be_repeated() {
    let mut home = Home::new();
    let key = home.workspace.dir().join("keys").join("signing.key");
    let aside = home.path("signing.key");
    std::fs::rename(&key, &aside).unwrap();
    let before = (home.workspace.backend().head().unwrap(), home.evidence());
    let text = events(&[("c1", "New", 1), ("c2", "New", 2)]);
    let error = home.try_import("a.csv", &text, &as_table("case_event")).unwrap_err();
    assert!(matches!(error, StoreError::NoKey(_)), "{error}");
    assert!(home.rows("case_event").is_empty());
    assert_eq!((home.workspace.backend().head().unwrap(), home.evidence()), before);
    std::fs::rename(&aside, &key).unwrap();
    let left = home.workspace.verify(Default::default(), &mut |_| {}).unwrap();
    assert!(left.holds() && left.orphans > 0, "{left:?}");
    let outcome = home.import("a.csv", "case_event", &text);
    assert_eq!((outcome.accepted, outcome.entry), (2, Some(2)));
    // What the repeated import wrote again is no orphan any more; the first source is.
    let swept =
        home.workspace.verify(backstay_store::VerifyOptions { sweep: true }, &mut |_| {}).unwrap();
    assert_eq!((swept.orphans, swept.swept), (1, 1));
    home.must_hold();
}

#[test]
fn rows_that_point_at_their_own_entry_find_it_when_others_append_meanwhile() {
    let mut home = Home::new();
    let way = home.again();
    let versions: String =
        (0..40).map(|n| format!("s{n},Old,Asia/Manila,1\ns{n},New,Asia/Manila,2\n")).collect();
    let text = format!("site_id,name,time_zone,version\n{versions}");
    let other = std::thread::spawn(move || {
        let mut way = way;
        for n in 0..10 {
            let note = serde_json::json!({ "n": n });
            way.with(|workspace, ctx| {
                workspace
                    .append_plain(backstay_ledger::EntryKind::Settings, &[], &note, ctx)
                    .unwrap()
            });
        }
    });
    let outcome = home.import("sites.csv", "site", &text);
    other.join().unwrap();
    assert_eq!((outcome.accepted, outcome.corrected), (40, 40));
    let rows = home.rows("site");
    assert_eq!(rows.len(), 40);
    let entry = outcome.entry.unwrap();
    assert!(
        rows.iter().all(|fact| fact.get("name") == "New" && u64::from(fact.row.entry) == entry)
    );
    home.must_hold();
}

#[test]
fn rejections_of_one_code_are_told_apart_by_their_reasons() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1)])
        + "desk,sys,,c2,New,New,2026-03-02,3\ndesk,sys,,c3,New,New,never,3\ndesk,sys,,c4,New,New,soon,3\n";
    let outcome = home.import("a.csv", "case_event", &text);
    let mut kinds: Vec<_> = outcome
        .rejections
        .iter()
        .map(|kind| (kind.count, kind.examples[0].reason.clone()))
        .collect();
    kinds.sort();
    assert_eq!(kinds.iter().map(|(count, _)| *count).collect::<Vec<_>>(), [1, 2]);
    assert!(kinds[0].1.contains("date without time"), "{kinds:?}");
    assert!(kinds[1].1.contains("ISO 8601"), "{kinds:?}");
}

#[test]
fn a_file_of_rejections_only_is_kept_with_its_source() {
    let mut home = Home::new();
    home.import("a.csv", "case_event", &(HEADER.to_owned() + "desk,sys,,c2,New,New,never,3\n"));
    let other = HEADER.to_owned() + "desk,sys,,c2,Done,New,never,3\n";
    let again = home.import("b.csv", "case_event", &other);
    assert_eq!((again.read, again.quarantined), (1, 1));
    assert!(
        again.entry.is_some(),
        "another record of the same case is rejected for the same reason"
    );
    assert_eq!(home.rows("quarantine").len(), 2);
    home.must_hold();
}

#[test]
fn what_is_no_ordinary_file_is_refused_before_it_is_read() {
    let mut home = Home::new();
    for path in [std::path::Path::new("/dev/zero"), std::path::Path::new("/dev/null")] {
        let refused = home.import_file(path, &as_table("team"));
        assert!(matches!(refused, Err(StoreError::NotAFile(_))), "{refused:?}");
    }
    let folder = home.folder.path().to_owned();
    let refused = home.import_file(&folder, &as_table("team"));
    assert!(matches!(refused, Err(StoreError::NotAFile(_))), "{refused:?}");
    home.must_hold();
}

#[test]
fn a_file_that_was_handed_in_is_private_and_gone_with_its_value() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1), ("c1", "Done", 5)]);
    let mut coming = home.workspace.hand_in().unwrap();
    coming.push(text.as_bytes()).unwrap();
    assert_eq!(coming.bytes(), text.len() as u64);
    let handed = coming.finish().unwrap();
    assert_eq!(handed.digest(), Digest::of(text.as_bytes()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(handed.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "only its owner may read it");
    }
    let request = as_table("case_event");
    let outcome = home.with(|workspace, ctx| {
        workspace.import_as(handed.path(), "november.csv", &request, ctx, &mut |_| {}).unwrap()
    });
    assert_eq!((outcome.file.as_str(), outcome.entry), ("november.csv", Some(2)));
    let before = |name: &str| {
        let workspace = &home.workspace;
        workspace.imported_before(handed.path(), name, &request.options).unwrap()
    };
    assert_eq!(before("another-name.csv"), Some(2), "a name says nothing when the table is named");
    let place = handed.path().to_owned();
    drop(handed);
    assert!(!place.exists());
    let begun = home.workspace.hand_in().unwrap();
    drop(begun);
    assert!(!place.parent().unwrap().exists());
    home.must_hold();
}

#[test]
fn what_was_set_aside_is_read_back_by_record_for_the_arrangements_allowed() {
    let mut home = Home::new();
    let text = events(&[("c1", "New", 1)])
        + "desk,sys,,c2,Done,Done,yesterday,3\n"
        + "other,sys,,c3,Done,Done,today,3\n"
        + ",sys,,c4,Done,Done,2026-03-02T00:00:00Z,3\n"
        + "desk,sys,,c5,Done,Done,never,3\n";
    let outcome = home.import("a.csv", "case_event", &text);
    assert_eq!((outcome.quarantined, outcome.entry), (4, Some(2)));
    let read = |after, limit, allowed: &dyn Fn(&str) -> bool| {
        home.workspace.quarantined(2, after, limit, allowed).unwrap()
    };
    let records = |found: &backstay_store::Quarantined| -> Vec<(u32, String)> {
        found.records.iter().map(|told| (told.record, told.arrangement_id.clone())).collect()
    };
    let all = read(0, 100, &|_| true);
    let wanted = [(2, "desk"), (3, "other"), (4, ""), (5, "desk")];
    assert_eq!(records(&all), wanted.map(|(record, of)| (record, of.to_owned())));
    assert!(!all.withheld);
    let desk = read(0, 100, &|of| of == "desk");
    assert_eq!(records(&desk).len(), 2);
    assert!(desk.withheld && desk.reasons == 2);
    let told = &desk.records[0];
    assert_eq!(
        (told.subject.as_deref(), told.column.as_deref()),
        (Some("c2"), Some("occurred_at"))
    );
    assert!(!told.reason.contains("yesterday"), "never the value");
    assert_eq!(records(&read(2, 1, &|_| true)), [(3, "other".to_owned())]);
    assert!(home.workspace.quarantined(1, 0, 1, &|_| true).is_err(), "no import");
}
