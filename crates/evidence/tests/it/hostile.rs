//! Files made to break the readers: each is refused or quarantined with a message that helps.

use std::io::Write as _;

use backstay_evidence::{
    ImportOptions, Mapping, ReadError, mapping::MappingError, options::TextEncoding,
};
use flate2::{Compression, write::GzEncoder};

use crate::support::{Taken, options, read_bytes};

const TEAM: &str = "arrangement_id,team_id,title\n";

fn refused(bytes: &[u8], name: &str, options: &ImportOptions) -> String {
    match read_bytes(bytes, name, options) {
        Ok((taken, summary)) => panic!("taken: {taken:?} {summary:?}"),
        Err(error) => error.to_string(),
    }
}

fn team(rows: &str) -> (Taken, backstay_evidence::ReadSummary) {
    let text = format!("{TEAM}{rows}");
    read_bytes(text.as_bytes(), "team.csv", &ImportOptions::default()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn ragged_records_are_quarantined_and_the_others_stand() {
    let (taken, summary) = team("a,t1,One\na,t2\na,t3,Three,more\n\na,t4,Four\n");
    assert_eq!((summary.records, summary.rejected), (4, 2));
    assert_eq!(taken.codes(), [(2, "ragged"), (3, "ragged")]);
    assert_eq!(taken.rejections[0].reason, "the record has 2 cells, but the header has 3 columns");
    assert_eq!(taken.texts("team", "team_id"), [Some("t1".into()), Some("t4".into())]);
}

#[test]
fn a_quote_that_is_never_closed_is_quarantined() {
    let (taken, summary) = team("a,t1,One\na,t2,\"Two\na,t3,Three\n");
    assert_eq!(summary.records, 2);
    assert_eq!(taken.codes(), [(2, "unclosed-quote")]);
    assert_eq!(taken.rows("team"), 1);
}

#[test]
fn a_record_over_16_mib_is_quarantined_and_the_next_one_is_read() {
    let long = "x".repeat((16 << 20) + 5);
    let (taken, summary) = team(&format!("a,t1,\"{long}\"\na,t2,Two\n"));
    assert_eq!(summary.records, 2);
    assert_eq!(taken.codes(), [(1, "too-large")]);
    assert_eq!(taken.texts("team", "team_id"), [Some("t2".into())]);
    let many = ",".repeat(20_000);
    let (taken, _) = team(&format!("{many}\na,t2,Two\n"));
    assert_eq!(taken.codes(), [(1, "too-large")]);
    assert_eq!(taken.rows("team"), 1);
}

#[test]
fn headers_that_are_empty_or_name_a_column_twice_are_refused() {
    let plain = ImportOptions::default();
    assert_eq!(refused(b"", "team.csv", &plain), "the file is empty: a header line is expected");
    assert_eq!(
        refused(b"\n\r\n", "team.csv", &plain),
        "the file is empty: a header line is expected"
    );
    assert_eq!(
        refused(b"team_id,title,team_id\n", "team.csv", &plain),
        "header: it names `team_id` twice, as columns 1 and 3: rename one"
    );
    assert_eq!(
        refused(b"\"team_id,title\n", "team.csv", &plain),
        "header: a quote is opened and never closed"
    );
}

#[test]
fn unknown_and_missing_columns_name_the_nearest() {
    let plain = ImportOptions { as_table: Some("team".into()), ..ImportOptions::default() };
    assert_eq!(
        refused(b"arrangement_id,team_id,titel\n", "x.csv", &plain),
        "table `team` does not have the column `titel` (did you mean `title`?): rename or remove \
         it, or use a mapping"
    );
    assert_eq!(
        refused(b"team_id,title\n", "x.csv", &plain),
        "table `team` needs the column `arrangement_id`: add it to the file, or give it with \
         `--set arrangement_id=…`"
    );
    let set = ImportOptions {
        set: [("arangement_id".to_owned(), "a".to_owned())].into(),
        ..plain.clone()
    };
    assert_eq!(
        refused(b"team_id,title\n", "x.csv", &set),
        "--set: no table that this file feeds has the column `arangement_id` (did you mean \
         `arrangement_id`?)"
    );
    let table = ImportOptions { as_table: Some("teams".into()), ..ImportOptions::default() };
    assert_eq!(
        refused(b"team_id,title\n", "x.csv", &table),
        "--as: there is no table `teams` (did you mean `team`?)"
    );
    assert_eq!(
        refused(b"team_id,foo\n", "x.csv", &ImportOptions::default()),
        "the header is that of no table of the vocabulary: name a mapping with `--mapping`, or the \
         table with `--as`"
    );
}

#[test]
fn compressed_files_that_are_cut_damaged_or_bombs_are_refused_with_the_place() {
    let plain = ImportOptions::default();
    let text = format!("{TEAM}{}", "a,t1,One\n".repeat(100_000));
    let whole = gzip(text.as_bytes());
    let (taken, summary) = read_bytes(&whole, "team.csv.gz", &plain).unwrap();
    assert_eq!((summary.records, summary.gzip), (100_000, true));
    assert_eq!(taken.rows("team"), 100_000);
    let cut = refused(&whole[..whole.len() - 20], "team.csv.gz", &plain);
    assert!(cut.starts_with("the compressed file is damaged or cut off after "), "{cut}");
    assert!(cut.ends_with("fetch it again") && !cut.contains("(0 records)"), "{cut}");
    let mut flipped = whole.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    assert!(refused(&flipped, "team.csv.gz", &plain).starts_with("the compressed file is damaged"));
    let mut trailing = whole.clone();
    trailing.extend_from_slice(b"garbage");
    assert!(
        refused(&trailing, "team.csv.gz", &plain).starts_with("the compressed file is damaged")
    );
    let mut two = gzip(TEAM.as_bytes());
    two.extend(gzip(b"a,t1,One\n"));
    assert_eq!(read_bytes(&two, "team.csv.gz", &plain).unwrap().1.records, 1);
    let bomb = gzip(&vec![b'\n'; 70 << 20]);
    let bomb = refused(&bomb, "team.csv.gz", &plain);
    assert_eq!(
        bomb,
        "the compressed file inflates to more than 1,000 times its size: it is refused, unpack and \
         split it if it is genuine"
    );
}

#[test]
fn what_is_not_text_is_named() {
    let plain = ImportOptions::default();
    for (bytes, expected) in [
        (&b"%PDF-1.7"[..], "a PDF, not a text file: ask for the figures as CSV"),
        (
            b"\x28\xb5\x2f\xfdxxxx",
            "compressed otherwise than with gzip, not a text file: unpack it first",
        ),
    ] {
        assert_eq!(refused(bytes, "team.csv", &plain), format!("this is {expected}"));
    }
}

#[test]
fn encodings_are_found_declared_or_refused_and_never_mixed() {
    let plain = ImportOptions::default();
    let read = |bytes: &[u8], options: &ImportOptions| {
        let (taken, summary) = read_bytes(bytes, "team.csv", options).unwrap();
        (taken.texts("team", "title")[0].clone().unwrap(), summary)
    };
    let (title, summary) = read(&[TEAM.as_bytes(), b"a,t1,Krak\xf3w\n"].concat(), &plain);
    assert_eq!((title.as_str(), summary.encoding), ("Kraków", TextEncoding::Latin1));
    assert!(summary.hints.contains(&"the text is not UTF-8 and was read as latin-1".to_owned()));
    let utf8 = format!("\u{feff}{TEAM}a,t1,Kraków\n");
    let (title, summary) = read(utf8.as_bytes(), &plain);
    assert_eq!((title.as_str(), summary.encoding), ("Kraków", TextEncoding::Utf8));
    for big in [false, true] {
        let units = utf8.encode_utf16();
        let bytes: Vec<u8> =
            units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect();
        assert_eq!(read(&bytes, &plain).0, "Kraków");
    }
    let mixed = [TEAM.as_bytes(), "a,t1,Kraków\n".as_bytes(), b"a,t2,Krak\xf3w\n"].concat();
    assert_eq!(
        refused(&mixed, "team.csv", &plain),
        "byte 51 of the text is not UTF-8: save it as UTF-8, or give the mapping `encoding = \
         \"latin-1\"` if it is that throughout"
    );
    let declared = ImportOptions { encoding: Some(TextEncoding::Latin1), ..plain.clone() };
    assert_eq!(read_bytes(&mixed, "team.csv", &declared).unwrap().0.rows("team"), 2);
    let declared = ImportOptions { encoding: Some(TextEncoding::Utf8), ..plain.clone() };
    assert!(refused(&mixed, "team.csv", &declared).contains("said to be in"));
    let lone = [&b"\xff\xfe"[..], &[0x41, 0x00, 0x00, 0xd8, 0x41, 0x00]].concat();
    assert!(refused(&lone, "team.csv", &plain).contains("is not utf-16le"));
}

#[test]
fn times_without_offset_need_a_zone_and_wrong_ones_are_quarantined() {
    let head = "arrangement_id,case_id,activity,occurred_at\n";
    let rows = "a,c1,x,2026-03-02T09:15:00+08:00\na,c2,x,2026-03-02T09:15:00\na,c3,x,2026-03-02\n\
                a,c4,x,02/03/2026 09:15\na,c5,x,\na,c6,x,2026-03-29T01:30:00\na,c7,x,2026-10-25T01:30:00\n";
    let text = format!("{head}{rows}");
    let read = |options: &ImportOptions| {
        let (taken, _) = read_bytes(text.as_bytes(), "case_event.csv", options).unwrap();
        taken.rejections.iter().map(|r| (r.record, r.code.clone())).collect::<Vec<_>>()
    };
    let of = |list: &[(u32, &str)]| -> Vec<(u32, String)> {
        list.iter().map(|(record, code)| (*record, (*code).to_owned())).collect()
    };
    let plain = ImportOptions::default();
    assert_eq!(
        read(&plain),
        of(&[
            (2, "no-offset"),
            (3, "bad-date"),
            (4, "bad-date"),
            (5, "missing-required"),
            (6, "no-offset"),
            (7, "no-offset")
        ])
    );
    let dublin = ImportOptions { zone: Some("Europe/Dublin".into()), ..plain.clone() };
    assert_eq!(
        read(&dublin),
        of(&[
            (3, "bad-date"),
            (4, "bad-date"),
            (5, "missing-required"),
            (6, "skipped-time"),
            (7, "ambiguous-time")
        ])
    );
    let fold = Some(backstay_evidence::options::Fold::Later);
    let later = ImportOptions { fold, ..dublin };
    assert_eq!(
        read(&later),
        of(&[(3, "bad-date"), (4, "bad-date"), (5, "missing-required"), (6, "skipped-time")])
    );
    let wrong = ImportOptions { zone: Some("Dublin".into()), ..plain };
    assert!(
        refused(text.as_bytes(), "case_event.csv", &wrong)
            .contains("`Dublin` is not a time zone: write an IANA name, as in Europe/Dublin")
    );
    let servicenow = options(Mapping::built_in("servicenow-incident").unwrap());
    let log = crate::real::servicenow_header();
    assert_eq!(
        refused(log.as_bytes(), "log.csv", &servicenow),
        "table `case_event`, column `occurred_at`: the times of this file have no offset: name \
         their zone, as in `--zone Europe/Dublin`"
    );
}

#[test]
fn day_and_month_are_never_guessed() {
    let mapping = r#"
        mapping = "m"
        title = "t"
        about = "a"
        format = "delimited"
        date_formats = ["%d/%m/%Y", "%m/%d/%Y", "iso"]
        [[table]]
        name = "arrangement"
        columns.arrangement_id = "id"
        columns.client_id = { constant = "c" }
        columns.provider_id = { constant = "p" }
        columns.title = "id"
        columns.time_zone = { constant = "UTC" }
        columns.starts_on = "start"
    "#;
    let options = ImportOptions {
        mapping: Some(Mapping::from_text(mapping).unwrap()),
        ..ImportOptions::default()
    };
    let read = |dates: &[&str]| {
        let rows: String = dates.iter().enumerate().map(|(n, d)| format!("a{n},{d}\n")).collect();
        read_bytes(format!("id,start\n{rows}").as_bytes(), "x.csv", &options)
    };
    let formats = |dates: &[&str]| read(dates).unwrap().1.date_formats;
    let chosen = |format: &str| vec![("starts_on".to_owned(), format.to_owned())];
    assert_eq!(formats(&["1/2/2026", "13/2/2026"]), chosen("%d/%m/%Y"));
    assert_eq!(formats(&["1/2/2026", "2/13/2026"]), chosen("%m/%d/%Y"));
    assert_eq!(formats(&["2026-02-01"]), chosen("iso"));
    assert_eq!(
        read(&["1/2/2026", "", "3/4/2026"]).unwrap_err().to_string(),
        "column `starts_on`: the 3 records looked at fit both `%d/%m/%Y` and `%m/%d/%Y`, and they \
         are different dates: name the one that is meant"
    );
    assert_eq!(
        read(&["13/2/2026", "2/13/2026"]).unwrap_err().to_string(),
        "column `starts_on`: some values only fit `%d/%m/%Y` and some only `%m/%d/%Y`: day and \
         month are mixed, so no value can be trusted; ask for the file with one format"
    );
    let (taken, _) = read(&["13/2/2026", "14/2/2026", "2026-02-15"]).unwrap();
    assert_eq!(taken.codes(), [(3, "bad-date")]);
    assert_eq!(taken.rejections[0].reason, "not a date in the form `%d/%m/%Y`");
    assert_eq!(formats(&["5/5/2026"]), chosen("%d/%m/%Y"));
}

#[test]
fn event_logs_with_a_document_type_entities_or_a_missing_end_are_refused() {
    let xes = options(Mapping::built_in("xes").unwrap());
    let error = |body: &str| refused(body.as_bytes(), "x.xes", &xes);
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE log [<!ENTITY a \"aaaa\">]><log/>";
    assert_eq!(
        error(bomb),
        "event log, after 0 events: a document type (DTD) is refused: remove the `<!DOCTYPE …>`"
    );
    let event =
        |value: &str| format!("<event><string key=\"concept:name\" value=\"{value}\"/></event>");
    let entity = error(&format!("<log><trace>{}{}</trace></log>", event("x"), event("&xxe;")));
    assert!(
        entity.starts_with("event log, after 1 events: an attribute value is refused:"),
        "{entity}"
    );
    assert_eq!(
        error(&format!("<log><trace>{}", event("x"))),
        "event log, after 1 events: the file ends before `</log>`: it is cut off"
    );
    let crossed = error(&format!("<log><trace>{}</log></trace>", event("x")));
    assert!(crossed.starts_with("event log, after 1 events: not well-formed:"), "{crossed}");
    assert_eq!(
        error("<html></html>"),
        "event log, after 0 events: the outermost element is not one `<log>`"
    );
    assert_eq!(
        error("<log><log/></log>"),
        "event log, after 0 events: `<log>`, `<trace>` and `<event>` stand in the wrong order"
    );
    assert_eq!(
        error(&format!("<log><trace>{}<string key=\"a\" value=\"b\"/></trace></log>", event("x"))),
        "event log, after 1 events: a trace has attributes after its first event"
    );
    let deep = "<list key=\"l\">".repeat(40);
    assert_eq!(
        error(&format!("<log><trace><event>{deep}")),
        "event log, after 0 events: attributes are nested more than 32 deep"
    );
    let keys: String = (0..5_000).map(|n| format!("<int key=\"k{n}\" value=\"1\"/>")).collect();
    assert_eq!(
        error(&format!("<log><trace><event>{keys}</event></trace></log>")),
        "event log, after 0 events: it has more than 4,096 different attribute keys"
    );
    let huge = "x".repeat((16 << 20) + (1 << 20));
    assert_eq!(
        error(&format!("<log><trace>{}", event(&huge))),
        "event log, after 0 events: an element is larger than 16 MiB"
    );
    assert_eq!(
        error("case_id,activity\n"),
        "the mapping `xes` is for XES event logs, and this is none"
    );
    assert_eq!(
        refused(b"<log/>", "x.xes", &ImportOptions::default()),
        "this is XML: if it is an XES event log, add `--mapping xes`"
    );
    assert!(
        error("<?xml version=\"1.0\" encoding=\"KOI8-R\"?><log/>")
            .contains("names the encoding `KOI8-R`: convert the file to UTF-8")
    );
}

#[test]
fn events_that_are_wrong_by_themselves_are_quarantined() {
    let time = "<date key=\"time:timestamp\" value=\"2026-03-02T09:15:00.000+08:00\"/>";
    let name = "<string key=\"concept:name\" value=\"x\"/>";
    let log = format!(
        "<log><trace><string key=\"concept:name\" value=\"c1\"/>\
         <event>{name}{time}</event>\
         <event>{name}</event>\
         <event>{name}{name}{time}</event>\
         <event>{name}<string key=\"concept:name\" value=\"y\"/>{time}</event>\
         <event>{name}{time}<string value=\"keyless\"/></event>\
         <event>{name}<date key=\"time:timestamp\" value=\"2026-03-02T09:15:00\"/></event>\
         </trace><trace/><event>{name}{time}</event></log>"
    );
    let xes = options(Mapping::built_in("xes").unwrap());
    let (taken, summary) = read_bytes(log.as_bytes(), "x.xes", &xes).unwrap();
    assert_eq!(
        taken.codes(),
        [
            (2, "missing-required"),
            (4, "duplicate-key"),
            (5, "bad-attribute"),
            (6, "no-offset"),
            (7, "missing-required"),
        ]
    );
    assert_eq!((summary.records, taken.rows("case_event")), (7, 2));
    assert!(summary.hints.contains(&"1 traces hold no event".to_owned()), "{:?}", summary.hints);
}

#[test]
fn mappings_that_contradict_themselves_or_the_file_say_so() {
    let wrong = |text: &str| match Mapping::from_text(text) {
        Err(MappingError::Meaning { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    let head = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n";
    let table =
        |columns: &str| format!("{head}[[table]]\nname = \"team\"\n[table.columns]\n{columns}\n");
    assert_eq!(wrong(&format!("{head}table = []")), "it feeds no table: add a `[[table]]` part");
    assert_eq!(
        wrong(&table("team_id = { from = \"a\", constant = \"b\" }")),
        "table `team`: column `team_id`: write exactly one of `from`, `first_of`, `join`, \
         `template`, `constant`"
    );
    assert!(matches!(
        Mapping::from_text(&table("team_id = { form = \"a\" }")),
        Err(MappingError::Syntax { .. })
    ));
    let error = |columns: &str| {
        let mapping = Mapping::from_text(&table(columns)).unwrap();
        refused(b"Group,Name\n", "x.csv", &options(mapping))
    };
    assert_eq!(
        error("team_id = \"Grupo\""),
        "the mapping `m` needs a column that the file does not have: `Grupo` (did you mean \
         `Group`?); correct the mapping, or see whether it is the one; the file has `Group`, `Name`"
    );
    assert_eq!(
        error("team_idd = \"Group\""),
        "mapping `m`: table `team` does not have the column `team_idd` (did you mean `team_id`?)"
    );
    let unknown = Mapping::built_in("service-now").unwrap_err().to_string();
    assert_eq!(
        unknown,
        "there is no mapping `service-now`: the built-in ones are \
         `holidays-by-date`, `icalendar-holidays`, `servicenow-incident`, `xes`"
    );
}

#[test]
fn an_error_of_the_sink_ends_the_pass() {
    struct Full;
    impl backstay_evidence::Sink for Full {
        fn rows(
            &mut self,
            _: backstay_evidence::TypedBatch,
        ) -> Result<(), backstay_evidence::sink::SinkError> {
            Err("the disk is full".into())
        }
        fn reject(
            &mut self,
            _: backstay_evidence::Rejection,
        ) -> Result<(), backstay_evidence::sink::SinkError> {
            Ok(())
        }
        fn person(
            &mut self,
            _: backstay_evidence::sink::VaultEntry,
        ) -> Result<(), backstay_evidence::sink::SinkError> {
            Ok(())
        }
        fn progress(
            &mut self,
            _: backstay_evidence::sink::Progress,
        ) -> Result<(), backstay_evidence::sink::SinkError> {
            Ok(())
        }
    }
    let vocabulary = backstay_evidence::Vocabulary::built_in().unwrap();
    let info = backstay_evidence::SourceInfo { file_name: "team.csv".into(), bytes_total: None };
    let text = format!("{TEAM}a,t1,One\n");
    let result = backstay_evidence::read_source(
        &mut text.as_bytes(),
        &info,
        &vocabulary,
        &ImportOptions::default(),
        &crate::support::key(),
        &mut Full,
    );
    assert!(matches!(&result, Err(ReadError::Sink(_))));
    assert_eq!(result.unwrap_err().to_string(), "the disk is full");
}

#[test]
fn utf_8_after_latin_1_is_refused_and_signs_after_a_capital_are_not_mistaken_for_it() {
    let plain = ImportOptions::default();
    let mixed = [TEAM.as_bytes(), b"a,t1,Krak\xf3w\n", "a,t2,Kraków\n".as_bytes()].concat();
    assert!(refused(&mixed, "team.csv", &plain).starts_with("byte 50 of the text is not latin-1"));
    let declared = ImportOptions { encoding: Some(TextEncoding::Latin1), ..plain.clone() };
    assert_eq!(read_bytes(&mixed, "team.csv", &declared).unwrap().0.rows("team"), 2);
    let capitals =
        [TEAM.as_bytes(), b"a,t1,\xe9t\xe9 CAF\xc9\xbb VALIDIT\xc9\xa0: \xc5\x94\n"].concat();
    let (taken, _) = read_bytes(&capitals, "team.csv", &plain).unwrap();
    assert_eq!(taken.texts("team", "title")[0].as_deref(), Some("été CAFÉ» VALIDITÉ\u{a0}: Å”"));
}

#[test]
fn a_header_with_control_characters_is_no_text_and_line_breaks_in_it_are_allowed() {
    let plain = ImportOptions::default();
    let wide: Vec<u8> =
        format!("{TEAM}a,t1,x\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [wide.as_slice(), b"SQLite format 3\0,\x10\n", b"\x7fELF\x02\x01,\n"] {
        assert!(
            refused(bytes, "team.csv", &plain).starts_with("this is a binary file, or text in")
        );
    }
    let text = "arrangement_id,team_id,\"title\n\"\na,t1,x\n";
    assert_eq!(read_bytes(text.as_bytes(), "team.csv", &plain).unwrap().0.rows("team"), 1);
}

#[test]
fn a_file_in_one_column_is_met_with_the_delimiter_of_the_mapping() {
    let text = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\ndelimiter = \";\"\n\
                [[table]]\nname = \"team\"\n[table.columns]\nteam_id = \"Group\"\n";
    let mapping = options(Mapping::from_text(text).unwrap());
    let error = refused(b"Group,Name\n", "x.csv", &mapping);
    assert!(error.ends_with("`delimiter` is that of the file, which has one column"), "{error}");
}

#[test]
fn a_wrong_key_or_value_within_a_rule_is_named_with_its_line() {
    let head = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n\
                [[table]]\nname = \"team\"\n[table.columns]\n";
    let error =
        |rule: &str| Mapping::from_text(&format!("{head}{rule}\n")).unwrap_err().to_string();
    let typo = error("team_id = { form = \"a\" }");
    assert!(typo.contains("line 8") && typo.contains("unknown field `form`"), "{typo}");
    let change = error("team_id = { from = \"a\", as = \"percents\" }");
    assert!(change.contains("unknown variant `percents`"), "{change}");
    assert!(error("team_id = 7").contains("the name of a source column, or a rule"));
}

#[test]
fn ids_of_people_cannot_be_mapped_to_a_column_that_shows_them() {
    let head = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\nzone = \"UTC\"\n\
                [people]\nOwner = \"mail\"\n[[table]]\nname = \"case_event\"\n";
    let columns = "[table.columns]\narrangement_id = { constant = \"a\" }\ncase_id = \"Case\"\n\
                   activity = \"Case\"\noccurred_at = \"When\"\n";
    let read = |before: &str, rule: &str| {
        let mapping = Mapping::from_text(&format!("{head}{before}{columns}{rule}\n")).unwrap();
        read_bytes(b"Case,Owner,When\nc1,ann,2026-03-02T09:15:00Z\n", "x.csv", &options(mapping))
    };
    for rule in [
        "state = \"Owner\"",
        "event_id = { template = \"{Case}/{Owner}\" }",
        "team_id = { first_of = [\"Case\", \"Owner\"] }",
        "team_id = { join = [\"Case\", \"Owner\"] }",
    ] {
        let error = read("", rule).unwrap_err().to_string();
        assert!(error.contains("`Owner` holds ids of people"), "{error}");
    }
    let across = "unpivot = { columns = [\"O*\"], name_to = \"n\", value_to = \"v\" }\n";
    let error = read(across, "state = \"v\"").unwrap_err().to_string();
    assert!(error.contains("`unpivot` takes `Owner`"), "{error}");
    let (taken, _) = read("", "person_id = \"Owner\"").unwrap();
    let person = taken.texts("case_event", "person_id")[0].clone().unwrap();
    assert!(person.starts_with("p-"), "{person}");
}

#[test]
fn offsets_that_no_place_has_are_quarantined() {
    let text = "arrangement_id,case_id,activity,occurred_at\na,c1,x,2026-01-01T00:00:00+25:00\n\
                a,c2,x,2026-01-01T00:00:00+14:00\na,c3,x,2026-01-01T00:00:00-18:01\n";
    let (taken, _) =
        read_bytes(text.as_bytes(), "case_event.csv", &ImportOptions::default()).unwrap();
    assert_eq!(taken.codes(), [(1, "bad-date"), (3, "bad-date")]);
}

#[test]
fn ids_that_only_look_like_another_are_quarantined() {
    let (taken, _) =
        team("a,\u{202e}evil,x\na,t\u{200b}1,x\na,می\u{200c}خواهم,x\na,t1\u{feff},x\n");
    assert_eq!(taken.codes(), [(1, "bad-id"), (2, "bad-id"), (4, "bad-id")]);
}

#[test]
fn a_key_that_stands_thousands_of_times_in_many_events_is_read_at_once() {
    let list = "<string key=\"a\" value=\"1\"/>".repeat(2_000);
    let event = format!(
        "<event><string key=\"concept:name\" value=\"x\"/>\
         <date key=\"time:timestamp\" value=\"2026-03-02T09:15:00Z\"/><list key=\"l\">{list}</list></event>"
    );
    let name = "<string key=\"concept:name\" value=\"c1\"/>";
    let log = format!("<log><trace>{name}{}</trace></log>", event.repeat(20));
    let mut xes = options(Mapping::built_in("xes").unwrap());
    xes.set.insert("arrangement_id".into(), "a".into());
    let started = std::time::Instant::now();
    let (taken, _) = read_bytes(log.as_bytes(), "x.xes", &xes).unwrap();
    assert_eq!(taken.rejections.len(), 20);
    assert!(taken.codes().iter().all(|(_, code)| *code == "too-large-attributes"));
    // Looking each number up from the first on takes 20 million steps, minutes in a debug build.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
