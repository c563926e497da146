//! Registers: versions of the source, validity in time, whole loads, and the projection of what
//! is current.

use std::collections::BTreeMap;

use crate::support::{Home, as_table, values};

/// A file of sites: (id, name, from, to, version).
fn sites(rows: &[(&str, &str, &str, &str, &str)]) -> String {
    let mut text = "site_id,name,time_zone,valid_from,valid_to,version\n".to_owned();
    for (id, name, from, to, version) in rows {
        text += &format!("{id},{name},Asia/Manila,{from},{to},{version}\n");
    }
    text
}

fn current(home: &Home) -> BTreeMap<String, String> {
    let rows = home.workspace.registers("site").unwrap();
    rows.into_iter()
        .map(|row| {
            let values: BTreeMap<String, String> =
                serde_json::from_str(row.row.as_deref().unwrap()).unwrap();
            let from = values.get("valid_from").cloned().unwrap_or_default();
            (format!("{}/{from}", values["site_id"]), values["name"].clone())
        })
        .collect()
}

fn import(
    home: &mut Home,
    name: &str,
    rows: &[(&str, &str, &str, &str, &str)],
) -> backstay_store::ImportOutcome {
    let text = sites(rows);
    home.import(name, "site", &text)
}

#[test]
fn a_late_back_fill_never_beats_a_newer_version_whatever_the_order() {
    let old = ("manila", "Old name", "", "", "1");
    let new = ("manila", "New name", "", "", "2");
    let mut ends = Vec::new();
    for order in [[old, new], [new, old]] {
        let mut home = Home::new();
        for (n, row) in order.iter().enumerate() {
            import(&mut home, &format!("{n}.csv"), &[*row]);
        }
        assert_eq!(current(&home), BTreeMap::from([("manila/".into(), "New name".into())]));
        assert_eq!(values(&home.rows("site")).len(), 1);
        ends.push(values(&home.rows("site")));
        // Either file again is known.
        let again = import(&mut home, "again.csv", &[old, new]);
        assert_eq!((again.already_known, again.entry), (2, None));
        home.must_hold();
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn versions_of_one_key_in_one_file_are_one_fact() {
    let mut home = Home::new();
    let outcome = import(
        &mut home,
        "a.csv",
        &[("manila", "Second", "", "", "2"), ("manila", "First", "", "", "1")],
    );
    assert_eq!((outcome.accepted, outcome.corrected, outcome.quarantined), (1, 1, 0));
    let rows = home.rows("site");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get("name"), "Second");
    home.must_hold();
}

#[test]
fn one_key_stated_twice_with_other_values_keeps_the_first_and_quarantines_the_second() {
    let mut home = Home::new();
    let outcome = import(
        &mut home,
        "a.csv",
        &[
            ("manila", "One", "", "", ""),
            ("manila", "Two", "", "", ""),
            ("manila", "One", "", "", ""),
        ],
    );
    assert_eq!((outcome.accepted, outcome.quarantined, outcome.already_known), (1, 1, 1));
    assert_eq!(outcome.rejections[0].code, "duplicate-identity");
    assert_eq!(home.rows("site")[0].get("name"), "One");
    let quarantine = home.rows("quarantine");
    assert_eq!((quarantine.len(), quarantine[0].row.record), (1, 2));
    home.must_hold();
}

#[test]
fn the_last_statement_stands_among_equal_versions() {
    let mut home = Home::new();
    import(&mut home, "a.csv", &[("manila", "A", "", "", "")]);
    import(&mut home, "b.csv", &[("manila", "B", "", "", "")]);
    let back =
        import(&mut home, "c.csv", &[("manila", "A", "", "", ""), ("cebu", "C", "", "", "")]);
    assert_eq!((back.corrected, back.accepted), (1, 1));
    assert_eq!(current(&home)["manila/"], "A");
    home.must_hold();
}

#[test]
fn validity_that_overlaps_is_quarantined_and_an_open_end_is_not_an_overlap() {
    let mut home = Home::new();
    let first = import(
        &mut home,
        "a.csv",
        &[
            ("manila", "H1", "2026-01-01", "2026-07-01", ""),
            ("manila", "H2", "2026-07-01", "", ""),
            ("manila", "2027", "2027-01-01", "", ""),
        ],
    );
    assert_eq!((first.accepted, first.quarantined), (3, 0));
    let late = import(&mut home, "b.csv", &[("manila", "Q2", "2026-04-01", "2026-07-01", "")]);
    assert_eq!((late.accepted, late.quarantined), (0, 1));
    assert_eq!(late.rejections[0].code, "overlapping-validity");
    let reason = &late.rejections[0].examples[0].reason;
    assert!(reason.contains("row 2:1"), "{reason}");
    // Ending the first row and adding the second, in whatever order of lines, is no overlap.
    let split = import(
        &mut home,
        "c.csv",
        &[
            ("manila", "Q2", "2026-04-01", "2026-07-01", ""),
            ("manila", "Q1", "2026-01-01", "2026-04-01", ""),
        ],
    );
    assert_eq!((split.accepted, split.corrected, split.quarantined), (1, 1, 0));
    let titles: Vec<String> = current(&home).into_values().collect();
    assert_eq!(titles, ["Q1", "Q2", "H2", "2027"]);
    home.must_hold();
}

#[test]
fn a_whole_load_writes_what_is_gone_and_nothing_that_stays() {
    let mut home = Home::new();
    import(&mut home, "a.csv", &[("manila", "M", "", "", ""), ("cebu", "C", "", "", "")]);
    let text = sites(&[("cebu", "C", "", "", ""), ("pune", "P", "", "", "")]);
    let mut request = as_table("site");
    request.options.load = Some(backstay_evidence::options::Load::Full);
    let outcome = home.try_import("b.csv", &text, &request).unwrap();
    assert_eq!((outcome.accepted, outcome.already_known), (1, 1));
    assert_eq!(outcome.tables[0].counts.withdrawn, 1);
    assert_eq!(current(&home).into_keys().collect::<Vec<_>>(), ["cebu/", "pune/"]);
    let by = outcome.entry.unwrap();
    assert_eq!(home.rows_at(by - 1, "site").len(), 2);
    assert_eq!(home.rows("site").len(), 2);
    // Retracting the whole load brings the row back.
    let target = backstay_evidence::manifest::RetractTarget::Entry(by);
    home.with(|workspace, ctx| workspace.retract(&target, "wrong file", ctx)).unwrap();
    assert_eq!(current(&home).into_keys().collect::<Vec<_>>(), ["cebu/", "manila/"]);
    home.must_hold();
}

#[test]
fn rebuilding_the_readings_gives_what_was_kept() {
    let mut home = Home::new();
    import(&mut home, "a.csv", &[("manila", "M", "", "", "1"), ("cebu", "C", "", "", "")]);
    import(&mut home, "b.csv", &[("manila", "M2", "", "", "2")]);
    let before = (
        home.workspace.registers("site").unwrap(),
        home.workspace.manifest(backstay_store::AsOf::Latest, &[]).unwrap(),
    );
    home.workspace.rebuild_readings().unwrap();
    let after = (
        home.workspace.registers("site").unwrap(),
        home.workspace.manifest(backstay_store::AsOf::Latest, &[]).unwrap(),
    );
    assert_eq!(before, after);
    home.must_hold();
}
