//! Workspaces written by every release, read with the vocabulary of today and with a later one in
//! which a column was renamed, one retired, one replaced by another type, and a table added.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backstay_evidence::Vocabulary;
use backstay_evidence::vocabulary::Table;
use backstay_store::{AsOf, CompactOptions, RowVerdict, TraceSource, Workspace};

use crate::support::{Home, as_table, fold, row_edit, values};

/// The first file of every stored workspace; the others are `cebu` in the same columns without
/// `provider_id` and `valid_from`, and two people of `desk` with `person_id` and `role`.
const SITES: &str = "site_id,provider_id,name,country,city,time_zone,valid_from\n\
    manila,northwind,Manila,PH,Makati,Asia/Manila,2026-01-01\n\
    porto,,Porto,PT,Porto,Europe/Lisbon,\n";

fn releases() -> Vec<PathBuf> {
    let folder = Path::new("tests/releases");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    assert!(!found.is_empty(), "every release leaves a workspace here");
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// A later vocabulary: `city` of a site became `town`, `provider_id` is retired, `country` was
/// replaced by a text, and visits are new.
fn later() -> Vocabulary {
    let built_in = Vocabulary::built_in().unwrap();
    let mut texts = BTreeMap::new();
    for table in built_in.tables() {
        let mut table: Table = table.clone();
        if table.name == "site" {
            let mut replacing = None;
            for column in &mut table.columns {
                match column.name.as_str() {
                    "city" => {
                        column.name = "town".into();
                        column.renamed_from = vec!["city".into()];
                    }
                    "provider_id" => column.retired = true,
                    "country" => {
                        column.retired = true;
                        let mut column = column.clone();
                        column.id = 90;
                        column.name = "country_name".into();
                        column.kind = backstay_evidence::vocabulary::ColumnType::Text;
                        column.replaces = Some("country".into());
                        column.retired = false;
                        replacing = Some(column);
                    }
                    _ => {}
                }
            }
            table.columns.extend(replacing);
        }
        texts.insert(table.name.clone(), toml::to_string(&table).unwrap());
    }
    let visit = r#"
        table = "visit"
        title = "Visits"
        about = "Who looked at a site."
        kind = "register"
        scope = "shared"
        identity = ["site_id", "on_date"]
        columns = [
          { id = 1, name = "site_id", type = "reference", to = "site", required = true, privacy = "open", about = "Site." },
          { id = 2, name = "on_date", type = "date", required = true, privacy = "open", about = "Day." },
        ]"#;
    texts.insert("visit".into(), visit.into());
    let texts = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Vocabulary::from_texts(texts).unwrap()
}

fn opened(release: &Path) -> Home {
    let mut home = Home::new();
    let dir = home.path("kept");
    copy(release, &dir);
    home.workspace = Workspace::open(&dir).unwrap();
    home.now_us = 1_900_000_000_000_000;
    home
}

#[test]
fn todays_release_reads_what_every_release_wrote() {
    for release in releases() {
        let mut home = opened(&release);
        let rows = home.rows("site");
        assert_eq!(rows.len(), 4, "{release:?}");
        let porto = rows.iter().find(|row| row.get("site_id") == "porto").unwrap();
        assert_eq!((porto.get("city"), porto.get("name")), ("Gaia", "Porto"));
        assert_eq!(home.rows("person").len(), 2);
        home.must_hold();
        let again = home.import("again.csv", "site", SITES);
        assert_eq!((again.entry, again.already_known), (None, 2), "{release:?}");
        home.workspace.rebuild_readings().unwrap();
        assert_eq!(home.rows("site"), rows);
    }
}

#[test]
fn a_later_vocabulary_reads_imports_edits_traces_and_compacts_what_was_written_before() {
    for release in releases() {
        let mut home = opened(&release);
        let size = home.workspace.backend().head().unwrap().size;
        let before = home.rows("site");
        let evidence = home.evidence();
        home.workspace = Workspace::open(home.workspace.dir()).unwrap().with_vocabulary(later());
        home.workspace.rebuild_readings().unwrap();
        home.must_hold();
        assert_eq!(home.evidence(), evidence, "names are no part of what was said");
        let town = |home: &Home, id: &str| {
            let rows = home.workspace.registers("site").unwrap();
            let row = rows.into_iter().find(|row| row.key.contains(id)).unwrap();
            let values: BTreeMap<String, String> = serde_json::from_str(&row.row.unwrap()).unwrap();
            (values.get("town").cloned(), values.get("country").cloned())
        };
        let held = |town: &str, country: &str| (Some(town.to_owned()), Some(country.to_owned()));
        assert_eq!(town(&home, "manila"), held("Makati", "PH"), "imported under the old name");
        assert_eq!(town(&home, "porto"), held("Gaia", "PT"), "entered under the old name");

        // A file that still uses the old name is read; what it repeats is known.
        let old_name = "site_id,name,city,time_zone\ncebu,Cebu,Mandaue,Asia/Manila\n";
        let done = home.import("old-name.csv", "site", old_name);
        assert_eq!((done.corrected, town(&home, "cebu").0.as_deref()), (1, Some("Mandaue")));
        // A retired column is no longer filled, and the message says which.
        let error = home.try_import("retired.csv", SITES, &as_table("site")).unwrap_err();
        assert!(error.to_string().contains("`provider_id`"), "{error}");
        let new_name =
            "site_id,name,town,country_name,time_zone\niloilo,Iloilo,Jaro,PH,Asia/Manila\n";
        assert_eq!(home.import("new-name.csv", "site", new_name).accepted, 1);
        let visit = "site_id,on_date\nmanila,2026-05-05\n";
        assert_eq!(home.import("visit.csv", "visit", visit).accepted, 1);

        // An edit keeps what the row held under its earlier names, the retired columns too.
        let edit = row_edit("site", &[("site_id", "davao"), ("town", "Toril")]);
        let done = home.edit(vec![edit]).unwrap();
        assert_eq!(done.rows[0].verdict, RowVerdict::Changed);
        assert_eq!(town(&home, "davao"), held("Toril", "PH"));
        let trace = home.workspace.trace("6:1".parse().unwrap()).unwrap();
        let TraceSource::Entered { values: entered, .. } = trace.source else {
            panic!("{trace:?}")
        };
        assert_eq!(entered["city"], "Davao", "as it was entered then");
        let history = home.workspace.history("site", "", "[\"davao\",null]", 9).unwrap();
        assert_eq!(history.len(), 2);
        home.must_hold();

        // Merged under today's names, and read as it was with the names of then.
        home.workspace.compact(CompactOptions { least: 2, ..CompactOptions::default() }).unwrap();
        home.must_hold();
        assert_eq!(town(&home, "porto"), held("Gaia", "PT"));
        let then = Workspace::open(home.workspace.dir()).unwrap();
        let then = then.read_with(Vocabulary::built_in().unwrap());
        assert_eq!(fold(&then, AsOf::Seq(size), "site"), before);
        assert_eq!(values(&home.rows("visit")).len(), 1);
    }
}
