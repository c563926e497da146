//! What reads a file, from its head, and records shown with those around them.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read},
};

use backstay_evidence::{
    ImportOptions, Mapping, ReadError, SourceInfo, Vocabulary,
    excerpt::ExcerptCell,
    excerpts,
    recognise::{Fit, check, recognise},
};

use crate::support::data;

fn vocabulary() -> Vocabulary {
    Vocabulary::built_in().unwrap()
}

fn named(file_name: &str) -> SourceInfo {
    SourceInfo { file_name: file_name.to_owned(), bytes_total: None }
}

fn fits(name: &str, bytes: &[u8], mappings: &[&Mapping]) -> Result<Vec<Fit>, ReadError> {
    let open = &mut || Ok(Box::new(io::Cursor::new(bytes.to_vec())) as Box<dyn Read>);
    recognise(&named(name), &vocabulary(), &ImportOptions::default(), mappings, open)
}

fn of_release() -> Vec<Mapping> {
    Mapping::names().into_iter().map(|name| Mapping::built_in(name).unwrap()).collect()
}

fn best<'m>(fits: &[Fit], mappings: &'m [Mapping]) -> &'m str {
    match fits.first() {
        Some(Fit::Mapping { place, .. }) => mappings[*place].name(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn real_files_are_known_by_their_heads() {
    let mappings = of_release();
    let all: Vec<&Mapping> = mappings.iter().collect();
    for (path, wanted) in [
        ("work-logs/servicenow_incident_event_log.csv.gz", "servicenow-incident"),
        ("work-logs/helpdesk_utc.xes.gz", "xes"),
    ] {
        let path = data().join(path);
        let open = &mut || Ok(Box::new(File::open(&path)?) as Box<dyn Read>);
        let options = ImportOptions::default();
        let found = recognise(&named("log"), &vocabulary(), &options, &all, open).unwrap();
        assert_eq!(best(&found, &mappings), wanted);
    }
    let calendar = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20260101\r\nSUMMARY:New Year\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    assert_eq!(best(&fits("days.ics", calendar, &all).unwrap(), &mappings), "icalendar-holidays");
}

#[test]
fn a_files_own_table_comes_before_any_mapping_and_nothing_is_guessed() {
    let mappings = of_release();
    let all: Vec<&Mapping> = mappings.iter().collect();
    let own = b"client_id,name,country\nc,Client,PT\n";
    assert_eq!(fits("client.csv", own, &all).unwrap(), [Fit::Table("client".into())]);
    assert!(fits("x.csv", b"one,two\n1,2\n", &all).unwrap().is_empty());
    assert!(matches!(fits("x.csv", b"\n\n", &all), Err(ReadError::Empty)));
}

#[test]
fn of_two_mappings_the_one_that_finds_more_columns_is_first() {
    let text = |name: &str, more: &str| {
        format!(
            "mapping = \"{name}\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\nzone = \"UTC\"\n\
             [[table]]\nname = \"case_event\"\n[table.columns]\nsource = {{ constant = \"s\" }}\n\
             case_id = \"Ticket\"\nactivity = \"Step\"\noccurred_at = \"When\"\n{more}"
        )
    };
    let few = Mapping::from_text(&text("few", "")).unwrap();
    let more = Mapping::from_text(&text("more", "priority = \"Prio\"\n")).unwrap();
    let head = b"Ticket,Step,When,Prio\nT,open,2026-01-01T00:00:00,high\n";
    let places = |fits: Vec<Fit>| -> Vec<usize> {
        let place = |fit: &Fit| match fit {
            Fit::Mapping { place, .. } => *place,
            Fit::Table(table) => panic!("{table}"),
        };
        fits.iter().map(place).collect()
    };
    assert_eq!(places(fits("x.csv", head, &[&few, &more]).unwrap()), [1, 0]);
    let shorter = b"Ticket,Step,When\nT,open,2026-01-01T00:00:00\n";
    assert_eq!(places(fits("x.csv", shorter, &[&few, &more]).unwrap()), [0]);
}

#[test]
fn what_a_head_lacks_is_said_before_anything_is_read() {
    let bytes = b"case_id,activity,occurred_at\nc,Done,2026-01-01T00:00:00Z\n";
    let mut options =
        ImportOptions { as_table: Some("case_event".into()), ..ImportOptions::default() };
    let lacks = |options: &ImportOptions| {
        check(&mut bytes.as_slice(), &named("x.csv"), &vocabulary(), options)
    };
    assert!(lacks(&options).unwrap_err().to_string().contains("`arrangement_id`"));
    options.set.insert("arrangement_id".into(), "desk".into());
    lacks(&options).unwrap();
}

#[test]
fn a_record_is_shown_between_its_neighbours_without_ids_of_people_and_what_is_left_out() {
    let mapping = Mapping::from_text(
        "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\nzone = \"UTC\"\n\
         drop = [\"Note\"]\n[people]\nAgent = \"agent\"\n[[table]]\nname = \"case_event\"\n\
         [table.columns]\nsource = { constant = \"s\" }\ncase_id = \"Ticket\"\nactivity = \"Step\"\n\
         occurred_at = \"When\"\nperson_id = \"Agent\"\n",
    )
    .unwrap();
    let mut text = "Ticket,Step,When,Agent,Note\n".to_owned();
    for n in 1..=9 {
        text.push_str(&format!("T-{n},open,2026-01-0{n}T00:00:00,ana,\"two\nlines\"\n"));
    }
    let mut options = ImportOptions { mapping: Some(mapping), ..ImportOptions::default() };
    options.set.insert("arrangement_id".into(), "desk".into());
    let shown = |wanted: &[u32]| {
        let wanted: BTreeSet<u32> = wanted.iter().copied().collect();
        excerpts(&mut text.as_bytes(), &named("x.csv"), &vocabulary(), &options, &wanted).unwrap()
    };
    let found = shown(&[1, 5, 9]);
    let records: Vec<u32> = found.records.iter().map(|record| record.record).collect();
    assert_eq!(records, [1, 2, 4, 5, 6, 8, 9]);
    assert_eq!(found.around(5).map(|record| record.record).collect::<Vec<_>>(), [4, 5, 6]);
    let fifth = found.around(5).nth(1).unwrap();
    assert_eq!(fifth.line, 10, "records of two lines are counted by their first");
    assert_eq!(fifth.cells[0], ExcerptCell::Written("T-5".into()));
    assert_eq!(fifth.cells[3..5], [ExcerptCell::Personal, ExcerptCell::LeftOut]);
    assert!(shown(&[]).records.is_empty());
}
