//! JSON Lines: nested fields, arrays as items, numbers as written, and lines that are wrong.

use std::io::Write as _;

use backstay_evidence::{
    ImportOptions, Limits, Mapping, SourceInfo, Vocabulary, read_source_within, trace::locate,
};
use flate2::{Compression, write::GzEncoder};

use crate::support::{Taken, key, options, read_bytes};

/// Service-desk tickets with their history, as an API exports them.
const TICKETS: &str = r#"
    mapping = "tickets"
    title = "t"
    about = "a"
    format = "json-lines"
    [people]
    "history[].by" = "login"
    "fields.owner" = "login"
    [[table]]
    name = "case_event"
    unpivot = { columns = "history", name_to = "n", value_to = "change" }
    attributes = "rest"
    [table.columns]
    case_id = "id"
    event_id = { template = "{id}/{n}" }
    activity = "change.to"
    occurred_at = "change.at"
    person_id = "change.by"
    priority = "/fields/priority"
"#;

fn tickets() -> ImportOptions {
    options(Mapping::from_text(TICKETS).unwrap())
}

fn refused(text: &str, options: &ImportOptions) -> String {
    match read_bytes(text.as_bytes(), "x.jsonl", options) {
        Ok((taken, _)) => panic!("taken: {taken:?}"),
        Err(error) => error.to_string(),
    }
}

const TWO: &str = concat!(
    r#"{"id": "T1", "fields": {"priority": "P1", "owner": "ann", "cost": 12.50}, "tags": ["a", "b"],"#,
    r#" "history": [{"to": "Open", "at": "2026-03-02T09:15:00+08:00", "by": "ann"},"#,
    r#" {"to": "Closed", "at": "2026-03-02T10:15:00+08:00", "by": "bob", "note": {"x.y": 1e3}}]}"#,
    "\n\n",
    r#"{"id": "T2", "fields": {"priority": null}, "history": [{"to": "Open", "at": "2026-03-02T09:15:00Z"}]}"#,
    "\n"
);

#[test]
fn members_of_an_array_become_rows_and_nested_fields_columns() {
    let (taken, summary) = read_bytes(TWO.as_bytes(), "x.jsonl", &tickets()).unwrap();
    assert_eq!(taken.codes(), []);
    assert_eq!((summary.records, taken.rows("case_event")), (2, 3));
    let of = |column: &str| {
        let texts = taken.texts("case_event", column);
        texts.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert_eq!(of("event_id"), ["T1/1", "T1/2", "T2/1"]);
    assert_eq!(of("activity"), ["Open", "Closed", "Open"]);
    assert_eq!(of("priority"), ["P1", "P1", ""]);
    let pseudonym = |id: &str| key().pseudonymise("desk", "login", id).unwrap();
    assert_eq!(of("person_id"), [pseudonym("ann"), pseudonym("bob"), String::new()]);
    let owner = pseudonym("ann");
    assert_eq!(
        of("attributes")[1],
        format!(
            r#"{{"fields.cost":"12.50","fields.owner":"{owner}","history[]/note/x.y":"1e3","tags":"a|b"}}"#
        )
    );
    assert_eq!(summary.columns_unused, Vec::<String>::new());
}

#[test]
fn a_pointer_names_the_same_field_as_its_dotted_path() {
    let dotted = TICKETS.replace("/fields/priority", "fields.priority");
    let dotted = options(Mapping::from_text(&dotted).unwrap());
    let read = |options: &ImportOptions| {
        read_bytes(TWO.as_bytes(), "x.jsonl", options).unwrap().0.batches.remove(0).rows
    };
    assert_eq!(read(&dotted), read(&tickets()));
}

#[test]
fn numbers_stay_as_they_are_written() {
    let text = r#"{"arrangement_id":"a","case_id":12345678901234567890,"activity":"x","occurred_at":"2026-03-02T09:15:00Z","priority":1.10}"#;
    let (taken, _) =
        read_bytes(text.as_bytes(), "case_event.jsonl", &ImportOptions::default()).unwrap();
    assert_eq!(taken.texts("case_event", "case_id"), [Some("12345678901234567890".into())]);
    assert_eq!(taken.texts("case_event", "priority"), [Some("1.10".into())]);
}

#[test]
fn a_file_that_speaks_the_vocabulary_needs_no_mapping_and_may_be_compressed() {
    let text = concat!(
        r#"{"arrangement_id":"a","case_id":"c1","activity":"x","occurred_at":"2026-03-02T09:15:00Z"}"#,
        "\r\n",
        r#"{"arrangement_id":"a","case_id":"c2","activity":"x","occurred_at":"2026-03-02T09:15:00Z","attributes":{"b":"2","a":"1"},"lifecycle":"start"}"#,
    );
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    let (taken, summary) =
        read_bytes(&bytes, "case_event.jsonl.gz", &ImportOptions::default()).unwrap();
    assert_eq!((summary.records, summary.rejected, summary.gzip), (2, 0, true));
    assert_eq!(summary.table.as_deref(), Some("case_event"));
    assert_eq!(
        taken.texts("case_event", "attributes"),
        [None, Some(r#"{"a":"1","b":"2"}"#.to_owned())]
    );
    let typo = text.replace("\"lifecycle\"", "\"lifecicle\"");
    assert_eq!(
        refused(
            &typo,
            &ImportOptions { as_table: Some("case_event".into()), ..Default::default() }
        ),
        "table `case_event` does not have the column `lifecicle` (did you mean `lifecycle`?): \
         rename or remove it, or use a mapping"
    );
}

#[test]
fn lines_that_are_wrong_are_quarantined_and_the_others_stand() {
    let row = |id: &str| format!(r#"{{"arrangement_id":"a","team_id":"{id}"}}"#);
    let (good, last) = (row("t1"), row("t9"));
    let deep = format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200));
    let text = format!(
        "{good}\n[1]\n{{\"team_id\":}}\n{{\"arrangement_id\":\"a\",\"team_id\":\"x\",\"team_id\":\"x\"}}\n\
         7\n{{\"arrangement_id\":\"a\",\"title\":\"no id\"}}\n{deep}\n{last}\n{{\"arrangement_id\":\"a\""
    );
    let options = ImportOptions { as_table: Some("team".into()), ..ImportOptions::default() };
    let (taken, summary) = read_bytes(text.as_bytes(), "x.jsonl", &options).unwrap();
    assert_eq!(
        taken.codes(),
        [
            (2, "bad-json"),
            (3, "bad-json"),
            (4, "duplicate-key"),
            (5, "bad-json"),
            (6, "missing-required"),
            (7, "bad-json"),
            (9, "bad-json"),
        ]
    );
    assert_eq!((summary.records, taken.rows("team")), (9, 2));
}

#[test]
fn a_line_over_the_limit_is_quarantined_and_the_next_one_is_read() {
    let read = |limit: usize, length: usize| {
        let row = |id: &str, title: &str| {
            format!("{{\"arrangement_id\":\"a\",\"team_id\":\"{id}\",\"title\":\"{title}\"}}\n")
        };
        let text = row("t1", &"x".repeat(length)) + &row("t2", "Two");
        let mut taken = Taken::default();
        let info = SourceInfo { file_name: "team.jsonl".into(), bytes_total: None };
        let limits = Limits { record_max: limit, ..Limits::default() };
        let vocabulary = Vocabulary::built_in().unwrap();
        let options = ImportOptions::default();
        let mut bytes = text.as_bytes();
        read_source_within(&mut bytes, &info, &vocabulary, &options, &key(), &mut taken, limits)
            .unwrap();
        taken
    };
    for taken in [read(16 << 20, 17 << 20), read(1_024, 1_100)] {
        assert_eq!(taken.codes(), [(1, "too-large")]);
        assert_eq!(taken.texts("team", "team_id"), [Some("t2".into())]);
    }
    assert_eq!(read(16 << 20, 1).rejections.len(), 0);
}

#[test]
fn json_that_is_not_in_lines_is_refused_with_what_to_do() {
    let plain = ImportOptions::default();
    assert!(
        refused("[{\"a\":1},\n{\"a\":2}]", &plain).starts_with("this is one JSON array: write")
    );
    assert!(
        refused("{\n  \"a\": 1\n}\n", &plain).starts_with("the first line holds only the begin")
    );
    let many: String = (0..5_000).map(|n| format!("{{\"k{n}\":1}}\n")).collect();
    let many = refused(&many, &tickets());
    assert!(
        many.ends_with(
            "the file has more than 4,096 different fields: is an object used as a list?"
        ),
        "{many}"
    );
    assert_eq!(
        refused("a,b\n", &tickets()),
        "the mapping `tickets` is for JSON Lines, and this is none"
    );
}

#[test]
fn a_misspelt_name_of_a_persons_field_is_refused_before_anything_is_kept() {
    let text = TWO.replace("\"owner\"", "\"ownr\"");
    let error = refused(&text, &tickets());
    assert!(
        error.starts_with(
            "the mapping `tickets` names `fields.owner` in `[people]`, which no record has, but \
             `fields.ownr` stands in them"
        ),
        "{error}"
    );
}

#[test]
fn a_record_leads_back_to_its_line() {
    let found = locate(&mut TWO.as_bytes(), &SourceInfo::default(), &tickets(), 2).unwrap();
    assert_eq!((found.first_line, found.last_line), (3, 3));
    assert!(found.text.starts_with(r#"{"id": "T2""#) && found.text.ends_with("]}"));
    assert_eq!(found.cells["id"], "T2");
}
