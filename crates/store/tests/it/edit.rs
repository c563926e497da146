//! Rows entered by hand: what stands afterwards, who said so, and what is refused.

use backstay_evidence::RowRef;
use backstay_evidence::manifest::RetractTarget;
use backstay_store::{
    AsOf, CompactOptions, Edit, Limits, RowEdit, RowVerdict, StoreError, TraceSource, Workspace,
};

use crate::support::{Home, as_table, row_edit, values};

const SITES: &str = "site_id,name,country,time_zone,valid_from,valid_to,version\n\
    manila,Manila,PH,Asia/Manila,2026-01-01,,3\n\
    porto,Porto,PT,Europe/Lisbon,,,\n";

fn site(id: &str, name: &str) -> RowEdit {
    row_edit("site", &[("site_id", id), ("name", name), ("time_zone", "Asia/Manila")])
}

fn name_of(home: &Home, id: &str) -> Option<String> {
    let rows = home.workspace.registers("site").unwrap();
    rows.into_iter().find_map(|row| {
        let values: serde_json::Value = serde_json::from_str(&row.row.unwrap()).unwrap();
        (values["site_id"] == id).then(|| values["name"].as_str().unwrap_or_default().to_owned())
    })
}

#[test]
fn an_edit_changes_only_the_columns_that_it_names_and_beats_the_imported_version() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    let before = home.rows("site");
    let edit = row_edit(
        "site",
        &[("site_id", "manila"), ("valid_from", "2026-01-01"), ("name", "Makati")],
    );
    let done = home.edit(vec![edit.clone()]).unwrap();
    assert_eq!(done.entry, Some(3));
    let row = &done.rows[0];
    assert_eq!((row.verdict, row.stands), (RowVerdict::Changed, true));
    assert_eq!(row.before.as_ref().unwrap().entry, 2);
    assert_eq!(row.after.as_ref().unwrap().reference, "3:1");
    let after = home.rows("site");
    let manila = after.iter().find(|fact| fact.get("site_id") == "manila").unwrap();
    assert_eq!(
        (manila.get("name"), manila.get("country"), manila.get("version")),
        ("Makati", "PH", "3")
    );
    assert_eq!(manila.row.to_string(), "3:1");
    assert_eq!(home.rows_at(2, "site"), before, "what was known before stays");
    // Just the same again is no news.
    let again = home.edit(vec![edit]).unwrap();
    assert_eq!((again.entry, again.rows[0].verdict), (None, RowVerdict::Unchanged));
    home.must_hold();
    // Another file that says the same as before: the source says nothing new, and the edit stands.
    let file = home.import("again.csv", "site", &(SITES.to_owned() + "\n"));
    assert_eq!((file.entry, name_of(&home, "manila").as_deref()), (None, Some("Makati")));
}

#[test]
fn a_lost_update_is_a_conflict_that_shows_both_versions() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    let mut theirs = row_edit("site", &[("site_id", "porto"), ("name", "Porto-Baixa")]);
    theirs.expect = Some(2);
    home.edit(vec![theirs]).unwrap();
    let mut mine = row_edit("site", &[("site_id", "porto"), ("name", "Porto-Alta")]);
    mine.expect = Some(2);
    let error = home.edit(vec![mine.clone()]).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { found_seq: 3, expected_seq: 2, .. }), "{error}");
    assert!(error.to_string().contains("Porto-Baixa"), "{error}");
    // Over an edit that was overtaken both are shown.
    mine.expect = Some(3);
    home.edit(vec![mine.clone()]).unwrap();
    mine.values.insert("name".into(), "Gaia".into());
    let error = home.edit(vec![mine]).unwrap_err().to_string();
    assert!(error.contains("Porto-Baixa") && error.contains("Porto-Alta"), "{error}");
    let mut first = site("cebu", "Cebu");
    first.expect = Some(0);
    home.edit(vec![first.clone()]).unwrap();
    assert!(matches!(home.edit(vec![first]), Err(StoreError::Conflict { .. })));
    let entry = home.workspace.backend().entry(4).unwrap().unwrap();
    assert_eq!(entry.entry.preconditions[0].expected_seq, 3, "the entry says what it was based on");
}

#[test]
fn what_an_import_refuses_an_edit_refuses_with_column_and_reason() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    for (edit, word) in [
        (row_edit("site", &[("name", "Nowhere")]), "column `site_id`: it is part of the key"),
        (row_edit("site", &[("site_id", "cebu"), ("name", "Cebu")]), "column `time_zone`"),
        (row_edit("site", &[("site_id", "porto"), ("time_zone", "")]), "column `time_zone`"),
        (row_edit("site", &[("site_id", "porto"), ("country", "Portugal")]), "column `country`"),
        (row_edit("site", &[("site_id", "porto"), ("nam", "x")]), "`nam` (did you mean `name`?)"),
        (row_edit("sight", &[("site_id", "porto")]), "no such table"),
        (row_edit("case_event", &[("case_id", "1")]), "come by import"),
        (
            row_edit(
                "site",
                &[
                    ("site_id", "porto"),
                    ("valid_to", "2020-01-01"),
                    ("valid_from", "2021-01-01"),
                    ("time_zone", "Europe/Lisbon"),
                ],
            ),
            "must lie after",
        ),
    ] {
        let error = home.edit(vec![edit]).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    // Two rows of one key hold one after the other.
    let ends = row_edit(
        "site",
        &[("site_id", "manila"), ("valid_from", "2026-01-01"), ("valid_to", "2026-06-01")],
    );
    home.edit(vec![ends]).unwrap();
    let early = |from: &str| {
        row_edit(
            "site",
            &[("site_id", "manila"), ("valid_from", from), ("time_zone", "Asia/Manila")],
        )
    };
    let error = home.edit(vec![early("2026-05-01")]).unwrap_err().to_string();
    assert!(error.contains("valid at the same time as row 3:1"), "{error}");
    home.edit(vec![early("2026-06-01")]).unwrap();
    let twice = home.edit(vec![site("cebu", "a"), site("cebu", "b")]).unwrap_err().to_string();
    assert!(twice.contains("twice"), "{twice}");
    home.must_hold();
}

#[test]
fn a_row_is_taken_away_and_comes_back_and_its_trace_says_who_did_it() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    let mut gone = row_edit("site", &[("site_id", "porto")]);
    gone.delete = true;
    let done = home.edit(vec![gone.clone()]).unwrap();
    assert_eq!(done.rows[0].verdict, RowVerdict::Deleted);
    assert_eq!(name_of(&home, "porto"), None);
    assert!(matches!(home.edit(vec![gone]), Err(StoreError::NoRow { .. })));
    let found = home.workspace.trace("3:1".parse().unwrap()).unwrap();
    assert_eq!((found.actor.as_str(), found.entry, found.file.as_str()), ("a-1", 3, ""));
    let TraceSource::Entered { table, values, deleted, before, reason, retracted_by, .. } =
        found.source
    else {
        panic!("{found:?}")
    };
    assert_eq!((table.as_str(), values["name"].as_str(), deleted), ("site", "Porto", true));
    assert_eq!((before, reason.as_str(), retracted_by), (Some(2), "test", None));
    assert!(matches!(
        home.workspace.trace(RowRef { entry: 3, record: 2 }),
        Err(StoreError::NoRecord { records: 1, .. })
    ));
    // Entered anew it is a later version of the same fact.
    home.edit(vec![site("porto", "Porto again")]).unwrap();
    assert_eq!(name_of(&home, "porto").as_deref(), Some("Porto again"));
    // Taking the edit back brings the deletion back, and taking that back the imported row.
    for (entry, name) in [(4, None), (3, Some("Porto"))] {
        let target = RetractTarget::Entry(entry);
        home.with(|workspace, ctx| workspace.retract(&target, "wrong", ctx)).unwrap();
        assert_eq!(name_of(&home, "porto").as_deref(), name, "without entry {entry}");
        home.must_hold();
    }
    let again = home.with(|w, ctx| w.retract(&RetractTarget::Entry(3), "wrong", ctx));
    assert!(matches!(again, Err(StoreError::AlreadyRetracted { by: 6, .. })), "{again:?}");
}

#[test]
fn a_person_entered_by_hand_is_a_pseudonym_everywhere() {
    let mut home = Home::new();
    let name = "Corazon Villanueva";
    let edit = row_edit("person", &[("arrangement_id", "desk"), ("person_id", name)]);
    home.edit(vec![edit]).unwrap();
    let row = home.workspace.registers("person").unwrap().remove(0);
    let kept: serde_json::Value = serde_json::from_str(&row.row.unwrap()).unwrap();
    let pseudonym = kept["person_id"].as_str().unwrap().to_owned();
    let payload = home.workspace.entries(2, 1).unwrap().remove(0).payload.unwrap().to_string();
    assert!(payload.contains(&pseudonym) && !payload.contains(name), "{payload}");
    let revealed = home.with(|w, ctx| w.reveal(&pseudonym, "asked", ctx)).unwrap();
    assert_eq!(revealed.id, name);
    // The pseudonym names the same row.
    let edit = row_edit("person", &[("arrangement_id", "desk"), ("person_id", &pseudonym)]);
    assert_eq!(home.edit(vec![edit]).unwrap().rows[0].verdict, RowVerdict::Unchanged);
    home.must_hold();
}

#[test]
fn edits_are_read_again_from_the_ledger_alone() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    for n in 0..9 {
        home.edit(vec![site(&format!("s{}", n % 4), &format!("n{n}"))]).unwrap();
    }
    let before = (home.rows("site"), home.evidence(), home.workspace.registers("site").unwrap());
    home.workspace.rebuild_readings().unwrap();
    let again = Workspace::open(home.workspace.dir()).unwrap();
    assert_eq!(again.registers("site").unwrap(), before.2);
    assert_eq!((home.rows("site"), home.evidence()), (before.0, before.1));
    home.must_hold();
}

/// So many that tails are cut, in one batch after the other.
#[test]
fn many_edits_are_cut_compacted_and_read_as_of_any_entry() {
    let mut home = Home::new();
    let limits = Limits { tail_rows: 100, ..Limits::default() };
    home.workspace = Workspace::open(home.workspace.dir()).unwrap().with_limits(limits);
    home.import("site.csv", "site", SITES);
    let mut n = 0;
    for _ in 0..10 {
        let edits: Vec<Edit> = (0..50)
            .map(|_| {
                n += 1;
                let row = site(&format!("s{}", n % 20), &format!("n{n}"));
                Edit { rows: vec![row], ..Edit::default() }
            })
            .collect();
        let done = home.with(|workspace, ctx| workspace.edit(&edits, ctx)).unwrap();
        assert_eq!(done.len(), 50);
    }
    assert_eq!(home.workspace.backend().head().unwrap().size, 502);
    let objects = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    assert_eq!(objects.table("site").count(), 6, "the import's, and five for 500 edits");
    let at = [3, 150, 151, 449, 502];
    let past: Vec<_> = at.iter().map(|seq| home.rows_at(*seq, "site")).collect();
    for (seq, facts) in at.iter().zip(&past) {
        assert_eq!(facts.len() as u64, 2 + (seq - 2).min(20), "as of {seq}");
        let newest = facts.iter().find(|fact| u64::from(fact.row.entry) == *seq).unwrap();
        assert_eq!(newest.get("name"), format!("n{}", seq - 2));
    }
    let evidence = home.evidence();
    let options = CompactOptions { prune: true, ..CompactOptions::default() };
    let planned = home.workspace.compact(CompactOptions { dry_run: true, ..options }).unwrap();
    let done = home.workspace.compact(options).unwrap();
    assert_eq!(planned.groups, done.groups);
    assert_eq!((done.groups[0].rows_merged, done.removed), (500, 5));
    let objects = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    assert_eq!(objects.table("site").count(), 2, "the import's and one for all edits");
    assert_eq!(home.evidence(), evidence);
    for (seq, facts) in at.iter().zip(&past) {
        assert_eq!(&home.rows_at(*seq, "site"), facts, "as of {seq}");
    }
    // One more lies on top.
    home.edit(vec![site("s1", "last")]).unwrap();
    assert_eq!(name_of(&home, "s1").as_deref(), Some("last"));
    home.must_hold();
    let history = home.workspace.history("site", "", "[\"s1\",null]", 3).unwrap();
    let entries: Vec<u64> = history.iter().map(|version| version.entry).collect();
    assert_eq!(entries, [503, 483, 463]);
    assert_eq!(values(&home.rows_at(502, "site")), values(&past[4]));
    home.workspace.rebuild_readings().unwrap();
    assert_eq!(&home.rows_at(449, "site"), &past[3]);
    home.must_hold();
}

#[test]
fn small_objects_of_many_imports_become_one_and_the_past_stays() {
    let mut home = Home::new();
    for n in 0..6 {
        let text = format!(
            "site_id,name,time_zone\ns{},n{n},Asia/Manila\ns0,again {n},Asia/Manila\n",
            n + 1
        );
        home.import(&format!("{n}.csv"), "site", &text);
    }
    home.with(|w, ctx| w.retract(&RetractTarget::Record(4, 2), "wrong", ctx)).unwrap();
    let past: Vec<_> = (1..=8).map(|seq| home.rows_at(seq, "site")).collect();
    let report = home.workspace.compact(CompactOptions::default()).unwrap();
    assert_eq!((report.groups[0].objects_before, report.groups[0].objects_after), (6, 1));
    assert_eq!(report.originals, 6);
    let manifest = home.workspace.manifest(AsOf::Latest, &[]).unwrap();
    assert!(manifest.table("site").all(backstay_evidence::Segment::is_merged));
    for (facts, seq) in past.iter().zip(1..) {
        assert_eq!(&home.rows_at(seq, "site"), facts, "as of {seq}");
    }
    home.must_hold();
    // Nothing more to do, and the next import lies beside it.
    assert_eq!(home.workspace.compact(CompactOptions::default()).unwrap().groups, vec![]);
    home.import("last.csv", "site", "site_id,name,time_zone\ns1,last,Asia/Manila\n");
    assert_eq!(name_of(&home, "s1").as_deref(), Some("last"));
    // A merged object that was damaged is found, and thrown away for the originals.
    let digest = manifest.table("site").next().unwrap().digest.to_string();
    let path = home.workspace.dir().join("objects").join(&digest[..2]).join(&digest[2..]);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = home.workspace.verify(Default::default(), &mut |_| {}).unwrap();
    assert!(report.problems[0].place.contains(&digest), "{:?}", report.problems);
    let sweep = backstay_store::VerifyOptions { sweep: true };
    assert!(home.workspace.verify(sweep, &mut |_| {}).unwrap().holds());
    assert_eq!(home.rows_at(8, "site"), past[7]);
    home.must_hold();
}

#[test]
fn a_whole_file_withdraws_an_edited_row_and_an_import_corrects_one() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    home.edit(vec![site("cebu", "Cebu"), row_edit("site", &[("site_id", "porto"), ("name", "P")])])
        .unwrap();
    let corrected =
        home.import("c.csv", "site", "site_id,name,time_zone\ncebu,Cebu City,Asia/Manila\n");
    assert_eq!((corrected.corrected, name_of(&home, "cebu").as_deref()), (1, Some("Cebu City")));
    let mut whole = as_table("site");
    whole.options.load = Some(backstay_evidence::options::Load::Full);
    let text = "site_id,name,time_zone\ncebu,Cebu City,Asia/Manila\n";
    home.try_import("whole.csv", text, &whole).unwrap();
    assert_eq!((name_of(&home, "porto"), name_of(&home, "manila")), (None, None));
    assert_eq!(values(&home.rows("site")).len(), 1);
    home.must_hold();
}

#[test]
fn the_past_of_a_row_shows_what_each_version_said_and_a_register_is_seen_as_it_was() {
    let mut home = Home::new();
    home.import("site.csv", "site", SITES);
    home.import("later.csv", "site", &SITES.replace("Porto", "Oporto"));
    home.edit(vec![row_edit("site", &[("site_id", "porto"), ("name", "Invicta")])]).unwrap();
    let gone = RowEdit { delete: true, ..row_edit("site", &[("site_id", "porto")]) };
    home.edit(vec![gone]).unwrap();
    let past = home.workspace.history("site", "", "[\"porto\",null]", 9).unwrap();
    let said: Vec<_> = past
        .iter()
        .map(|version| {
            let name = version.values.as_ref().and_then(|values| values.get("name"));
            (version.entry, version.deleted, name.map(String::as_str), version.file.as_deref())
        })
        .collect();
    assert_eq!(
        said,
        [
            (5, true, Some("Invicta"), None),
            (4, false, Some("Invicta"), None),
            (3, false, Some("Oporto"), Some("later.csv")),
            (2, false, Some("Porto"), Some("site.csv")),
        ]
    );
    let names = |as_of: AsOf| -> Vec<String> {
        let (_, rows) = home.workspace.registers_at("site", as_of).unwrap();
        let name = |row: &backstay_store::RegisterRow| {
            let values: serde_json::Value =
                serde_json::from_str(row.row.as_ref().unwrap()).unwrap();
            values["name"].as_str().unwrap().to_owned()
        };
        rows.iter().map(name).collect()
    };
    assert!(names(AsOf::Seq(1)).is_empty());
    assert_eq!(names(AsOf::Seq(2)), ["Manila", "Porto"]);
    assert_eq!(names(AsOf::Seq(3)), ["Manila", "Oporto"]);
    assert_eq!(names(AsOf::Seq(4)), ["Manila", "Invicta"]);
    assert_eq!(names(AsOf::Seq(5)), ["Manila"]);
    assert_eq!(names(AsOf::Latest), ["Manila"]);
    let (_, now) = home.workspace.registers_at("site", AsOf::Seq(5)).unwrap();
    assert_eq!(now, home.workspace.registers("site").unwrap(), "folded anew as it is kept");
    let counts = home.workspace.backend().register_counts().unwrap();
    assert_eq!(counts, [("site".to_owned(), String::new(), 1)]);
    assert!(matches!(
        home.workspace.registers_at("site", AsOf::Seq(6)),
        Err(StoreError::NoEntry { entry: 6, size: 5 })
    ));
}
