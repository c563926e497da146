//! Files that speak the vocabulary, mappings with every kind of rule, people, and the way back to
//! the line.

use std::collections::BTreeSet;

use arrow::array::AsArray as _;
use arrow::datatypes::{Date32Type, Decimal128Type, Int64Type};
use backstay_evidence::{
    ImportOptions, Mapping, SourceInfo, Vocabulary,
    dry_run::DryRun,
    identity::{content_hashes, identity_keys, validity_group_keys},
    options::Load,
    quarantine::{quarantine_rows, quarantine_table},
    read_source,
    trace::locate,
};
use backstay_privacy::PseudonymKey;

use crate::support::{key, options, read_bytes, read_file};

fn plain() -> ImportOptions {
    ImportOptions::default()
}

#[test]
fn every_type_of_the_vocabulary_is_typed() {
    let text = "arrangement_id;service_level_id;title;metric;priorities;target;threshold;window;\
                basis;valid_from\n\
                a;p1;\"Critical; in 4 hours\";Turnaround;1 - Critical | |2 - High;0,95;4h;month;contract;2026-01-01\n\
                a;p2;x;speed;;high;1d;month;contract;2026-13-01\n";
    let (taken, summary) = read_bytes(text.as_bytes(), "service_level.csv", &plain()).unwrap();
    assert_eq!(summary.delimiter, Some(';'));
    assert_eq!(summary.table.as_deref(), Some("service_level"));
    let codes: BTreeSet<_> = taken.codes().into_iter().collect();
    assert_eq!(
        codes,
        [
            (1, "bad-number"),
            (2, "unknown-value"),
            (2, "bad-number"),
            (2, "bad-duration"),
            (2, "bad-date")
        ]
        .into()
    );
    assert_eq!(summary.rejected, 2);
    let listed = taken.rejections.iter().find(|r| r.code == "unknown-value").unwrap();
    assert_eq!(
        listed.reason,
        "not one of the values allowed: turnaround, first-response, backlog-age, volume, update"
    );
    assert_eq!(listed.subject.as_deref(), Some("p2"));
    let fixed = text.replace("0,95", "0.95");
    let (taken, _) = read_bytes(fixed.as_bytes(), "x.csv", &plain()).unwrap();
    let rows = &taken.batches[0].rows;
    let value = |name: &str| rows.column_by_name(name).unwrap();
    assert_eq!(value("metric").as_string::<i32>().value(0), "turnaround");
    assert_eq!(value("priorities").as_string::<i32>().value(0), "1 - Critical|2 - High");
    assert_eq!(value("target").as_primitive::<Decimal128Type>().value(0), 950_000_000);
    assert_eq!(value("threshold").as_primitive::<Int64Type>().value(0), 14_400_000_000);
    assert_eq!(value("valid_from").as_primitive::<Date32Type>().value(0), 20_454);
    assert_eq!(value("_row").as_primitive::<Int64Type>().value(0), 1);
}

#[test]
fn the_table_is_found_from_name_and_header_or_asked_for() {
    let table = |name: &str, header: &str, row: &str| {
        let read = read_bytes(format!("{header}\n{row}\n").as_bytes(), name, &plain());
        read.map(|(_, summary)| summary.table.unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(table("x.csv", "client_id,name,country", "c,C,IE"), Ok("client".into()));
    assert_eq!(table("provider-2026.csv", "provider_id,name", "p,P"), Ok("provider".into()));
    assert_eq!(table("team_2026-03.csv", "arrangement_id,team_id", "a,t"), Ok("team".into()));
    let two = table("x.csv", "arrangement_id,person_id,valid_from", "a,p,2026-01-01");
    assert_eq!(
        two,
        Err("the header fits the tables `assignment`, `person`: say which with `--as`".into())
    );
    let set = ImportOptions {
        as_table: Some("team".into()),
        set: [("arrangement_id".into(), "a".into()), ("title".into(), "Set".into())].into(),
        load: Some(Load::Full),
        ..plain()
    };
    let (taken, summary) = read_bytes(b"team_id,title\nt1,Own\n", "x.csv", &set).unwrap();
    assert_eq!(taken.texts("team", "title"), [Some("Set".into())]);
    assert_eq!(summary.scopes.len(), 1);
    assert_eq!(
        (summary.scopes[0].arrangement_id.as_str(), summary.scopes[0].load),
        ("a", Load::Full)
    );
    let (_, summary) = read_bytes(b"team_id,title\n", "x.csv", &set).unwrap();
    assert_eq!(summary.scopes[0].arrangement_id, "a", "an empty full load still has a scope");
}

#[test]
fn people_become_pseudonyms_of_their_party_and_kind() {
    let text = "arrangement_id,person_id,role\na, E149 ,clerk\nb,E149,clerk\na,e149,lead\n";
    let (taken, _) = read_bytes(text.as_bytes(), "person.csv", &plain()).unwrap();
    let ids = taken.texts("person", "person_id");
    let expected = |party: &str| key().pseudonymise(party, "person", "E149");
    assert!(ids.contains(&expected("a")) && ids.contains(&expected("b")));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2);
    assert!(taken.people.iter().all(|entry| entry.id.eq_ignore_ascii_case("e149")));
    assert!(!format!("{:?}", taken.people).contains("E149"), "a vault entry shows no id");
    let links = "arrangement_id,person_id,other_person_id,other_person_id_kind,source\n\
                 a,E1,Updated by 7,sys_user,HR\n";
    let (taken, _) = read_bytes(links.as_bytes(), "identity_link.csv", &plain()).unwrap();
    assert_eq!(
        taken.texts("identity_link", "other_person_id"),
        [key().pseudonymise("a", "sys_user", "Updated by 7")]
    );
}

#[test]
fn the_real_ids_of_a_rejected_record_do_not_reach_the_vault() {
    let text = "arrangement_id,person_id,country\na,E1,Ireland\na,E2,IE\na,E1,ie\n";
    let (taken, _) = read_bytes(text.as_bytes(), "person.csv", &plain()).unwrap();
    assert_eq!(taken.codes(), [(1, "bad-code")]);
    let ids: Vec<_> = taken.people.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids, ["E2", "E1"]);
}

const MONTHLY: &str = r#"
mapping = "monthly"
title = "Monthly report"
about = "Months across."
format = "delimited"
missing = ["n/a"]
[[quarantine]]
column = "Level"
missing = true
code = "no-level"
reason = "the row names no service level"
[[table]]
name = "provider_report"
when = [{ column = "Kind", none_of = ["note"] }]
unpivot = { columns = ["* 2026"], name_to = "month", value_to = "figure" }
attributes = ["Remark"]
[table.columns]
source = { constant = "monthly report" }
report_id = { join = ["Kind", "Level"], with = "/" }
service_level_id = { from = "Level", values = { "P1" = "p1", "P2" = "p2" } }
period_start = { from = "month", formats = ["%b %Y"] }
value = { from = "figure", as = "percent" }
places = { from = "figure", as = "percent-places" }
"#;

#[test]
fn months_across_become_rows_with_figures_as_shares() {
    let mapping = options(Mapping::from_text(MONTHLY).unwrap());
    let text = "Level\tKind\tJan 2026\tFeb 2026\tRemark\n\
                P1\tsla\t95.8 %\tn/a\t\"so \"\"so\"\"\"\n\
                P2\tsla\t100%\t88,25\t\n\
                P3\tsla\t1\t1\t\n\
                n/a\tsla\t1\t1\t\n\
                P1\tnote\t1\t1\t\n\
                P1\tsla\tn/a\tn/a\t\n\
                P1\tsla\tlow\t1\t\n";
    let (taken, summary) = read_bytes(text.as_bytes(), "report.tsv", &mapping).unwrap();
    assert_eq!(summary.delimiter, Some('\t'));
    assert_eq!(
        taken.codes(),
        [
            (3, "unmapped-value"),
            (4, "no-level"),
            (5, "no-table"),
            (6, "no-table"),
            (7, "bad-number"),
            (7, "bad-number")
        ]
    );
    assert_eq!((summary.records, summary.rejected, summary.superseded), (7, 5, 0));
    let rows = &taken.batches[0].rows;
    let value = rows.column_by_name("value").unwrap().as_primitive::<Decimal128Type>();
    assert_eq!(value.values().to_vec(), [958_000_000, 1_000_000_000, 882_500_000]);
    let places = rows.column_by_name("places").unwrap().as_primitive::<Int64Type>();
    assert_eq!(places.values().to_vec(), [3, 2, 4]);
    let start = rows.column_by_name("period_start").unwrap().as_primitive::<Date32Type>();
    assert_eq!(start.values().to_vec(), [20_454, 20_454, 20_485]);
    let item = rows.column_by_name("_item").unwrap().as_primitive::<arrow::datatypes::Int16Type>();
    assert_eq!(item.values().to_vec(), [0, 0, 1]);
    assert_eq!(taken.texts("provider_report", "report_id")[0].as_deref(), Some("sla/P1"));
    assert_eq!(
        taken.texts("provider_report", "attributes"),
        [Some(r#"{"Remark":"so \"so\""}"#.to_owned()), None, None]
    );
}

#[test]
fn a_record_that_a_later_one_replaces_is_counted_and_gives_no_row() {
    let mapping = r#"
        mapping = "last"
        title = "t"
        about = "a"
        format = "delimited"
        [[table]]
        name = "team"
        keep = { last_by = "id", order = "version" }
        columns.team_id = "id"
        columns.title = "title"
    "#;
    let options = options(Mapping::from_text(mapping).unwrap());
    let text =
        "id,version,title\nx,1,old\ny,5,five\nx,2,new\ny,4,four\nx,2,newest\nz,q,bad\n,1,none\n";
    let (taken, summary) = read_bytes(text.as_bytes(), "x.csv", &options).unwrap();
    let mut titles = taken.texts("team", "title");
    titles.sort();
    assert_eq!(titles, [Some("five".into()), Some("newest".into())]);
    assert_eq!((summary.records, summary.rejected, summary.superseded), (7, 2, 3));
    assert_eq!(taken.codes()[0], (6, "bad-number"));
}

#[test]
fn attributes_are_sorted_bounded_and_hold_pseudonyms_for_people() {
    let log = "<log><trace><string key=\"concept:name\" value=\"c1\"/><int key=\"amount\" value=\"7\"/>\
        <event><string key=\"concept:name\" value=\"x\"/><string key=\"org:resource\" value=\"Ann\"/>\
        <date key=\"time:timestamp\" value=\"2026-03-02T09:15:00+08:00\"/>\
        <string key=\"Resource\" value=\"Ann\"/><string key=\"b\" value=\"1\">\
        <string key=\"inner\" value=\"2\"/></string>\
        <list key=\"l\"><values><int key=\"n\" value=\"3\"/><int key=\"n\" value=\"4\"/></values></list>\
        </event></trace></log>";
    let xes = options(Mapping::built_in("xes").unwrap());
    let (taken, _) = read_bytes(log.as_bytes(), "x.xes", &xes).unwrap();
    let ann = key().pseudonymise("desk", "org:resource", "Ann").unwrap();
    assert_eq!(
        taken.texts("case_event", "attributes")[0].as_deref().unwrap(),
        format!(
            r#"{{"Resource":"{ann}","b":"1","b/inner":"2","case:amount":"7","l/n":"3","l/n#2":"4"}}"#
        )
    );
    let wide: String = (0..300).map(|n| format!("<int key=\"k{n}\" value=\"1\"/>")).collect();
    let log = |more: &str| {
        log.replace(
            "<string key=\"b\" value=\"1\">",
            &format!("{more}<string key=\"b\" value=\"1\">"),
        )
    };
    let (taken, _) = read_bytes(log(&wide).as_bytes(), "x.xes", &xes).unwrap();
    assert_eq!(taken.codes(), [(1, "too-large-attributes")]);
    let long = format!("<string key=\"long\" value=\"{}\"/>", "y".repeat(70_000));
    let (taken, _) = read_bytes(log(&long).as_bytes(), "x.xes", &xes).unwrap();
    assert_eq!(taken.rejections[0].reason, "more than 64 KiB of attributes");
}

#[test]
fn production_orders_are_read_with_a_mapping_of_ones_own() {
    let mapping = r#"
        mapping = "production"
        title = "t"
        about = "a"
        format = "delimited"
        zone = "Asia/Jerusalem"
        date_formats = ["%Y/%m/%d %H:%M:%S%.f"]
        [people]
        Resource = "machine"
        "org:resource" = "machine"
        [[table]]
        name = "case_event"
        attributes = "rest"
        columns.case_id = "Case ID"
        columns.activity = "Activity"
        columns.occurred_at = "Complete Timestamp"
        columns.person_id = "Resource"
        columns.lifecycle = "lifecycle:transition"
    "#;
    let options = options(Mapping::from_text(mapping).unwrap());
    let (taken, summary) = read_file("work-logs/production.csv", &options);
    // 4,953 line breaks, one of them after the header, and a last record without one.
    assert_eq!((summary.records, summary.rejected), (4_953, 1));
    assert_eq!(taken.codes(), [(1_152, "skipped-time")]);
    assert_eq!(taken.rows("case_event"), 4_952);
    let utc = ImportOptions { zone: Some("UTC".into()), ..options };
    assert_eq!(read_file("work-logs/production.csv", &utc).1.rejected, 0);
    let attributes = taken.texts("case_event", "attributes");
    assert!(attributes[1].as_deref().unwrap().contains(r#""Qty_Rejected":"0""#));
    assert!(!attributes[1].as_deref().unwrap().contains("ID4932"), "a resource shows its id");
}

#[test]
fn the_same_bytes_give_the_same_rows_keys_and_digests() {
    let text = "arrangement_id,case_id,activity,occurred_at,event_id\n\
                a,c1,x,2026-03-02T09:15:00+08:00,\na,c1,x,2026-03-02T01:15:00Z,\n\
                a,c1,x,2026-03-02T01:15:00Z,7\na,c1,y,2026-03-02T01:15:00Z,7\n";
    let read = || read_bytes(text.as_bytes(), "case_event.csv", &plain()).unwrap().0;
    let (one, two) = (read(), read());
    assert_eq!(one.batches[0].rows, two.batches[0].rows);
    let keys = &one.batches[0].keys;
    assert_eq!(keys[0], keys[1], "an instant is the same whatever its offset");
    assert_eq!(keys[2], keys[3], "the source's own id stays when the rest is corrected");
    assert_ne!(keys[0], keys[2]);
    let vocabulary = Vocabulary::built_in().unwrap();
    let table = vocabulary.table("case_event").unwrap();
    let rows = &one.batches[0].rows;
    assert_eq!(&identity_keys(table, rows), keys);
    let content = rows.column_by_name("_content").unwrap().as_primitive::<Int64Type>();
    assert_eq!(content_hashes(table, rows), content.values().to_vec());
    assert_eq!(content.values().iter().collect::<BTreeSet<_>>().len(), 4);
    // A column that the vocabulary got later changes neither hash of an older object.
    let mut older = rows.clone();
    let position = rows.schema().index_of("case_type").unwrap();
    older.remove_column(position);
    assert_eq!(&identity_keys(table, &older), keys);
    assert_eq!(content_hashes(table, &older), content.values().to_vec());
}

#[test]
fn options_have_one_digest_for_everything_that_decides_the_rows() {
    let vocabulary = Vocabulary::built_in().unwrap();
    let base = options(Mapping::built_in("servicenow-incident").unwrap());
    let digest = |options: &ImportOptions| options.digest(&vocabulary, "a.csv");
    assert_eq!(digest(&base), base.clone().digest(&vocabulary, "b.csv"));
    assert_ne!(plain().digest(&vocabulary, "a.csv"), plain().digest(&vocabulary, "b.csv"));
    let zoned = ImportOptions { zone: Some("UTC".into()), ..base.clone() };
    let mapping = base.mapping.as_ref().unwrap();
    let edited = Mapping::from_text(&format!("{}\n# changed\n", mapping.text())).unwrap();
    let edited = ImportOptions { mapping: Some(edited), ..base.clone() };
    let digests: BTreeSet<_> = [&base, &zoned, &edited].map(digest).into();
    assert_eq!(digests.len(), 3);
    let json = serde_json::to_string(&zoned).unwrap();
    let back: ImportOptions = serde_json::from_str(&json).unwrap();
    assert_eq!((digest(&back), &back), (digest(&zoned), &zoned));
}

#[test]
fn everything_built_in_fits_together() {
    let vocabulary = Vocabulary::built_in().unwrap();
    assert!(vocabulary.tables().count() >= 17);
    for name in Mapping::names() {
        let mapping = Mapping::built_in(name).unwrap();
        assert_eq!(mapping.name(), name, "a mapping has the name of its file");
        assert_eq!(Mapping::from_text(mapping.text()).unwrap().digest(), mapping.digest());
        for rule in &mapping.definition().tables {
            let table = vocabulary.table(&rule.name).unwrap();
            assert!(rule.columns.keys().all(|column| table.column(column).is_some()));
        }
    }
}

#[test]
fn one_record_may_give_two_rows_to_one_table() {
    let mapping = r#"
        mapping = "both"
        title = "t"
        about = "a"
        format = "delimited"
        [[table]]
        name = "case_event"
        columns.case_id = "id"
        columns.activity = "step"
        columns.lifecycle = { constant = "start" }
        columns.occurred_at = "from"
        [[table]]
        name = "case_event"
        when = [{ column = "to", present = true }]
        columns.case_id = "id"
        columns.activity = "step"
        columns.lifecycle = { constant = "complete" }
        columns.occurred_at = "to"
    "#;
    let options = options(Mapping::from_text(mapping).unwrap());
    let text = "id,step,from,to\nc1,x,2026-03-02T09:00Z,2026-03-02T10:00Z\nc2,x,2026-03-02T09:00Z,\n\
                c3,x,2026-03-02T09:00Z,later\n";
    let (taken, summary) = read_bytes(text.as_bytes(), "x.csv", &options).unwrap();
    assert_eq!((summary.records, summary.rejected), (3, 1));
    let mut places = Vec::new();
    for rows in taken.tables("case_event") {
        let row = rows.column_by_name("_row").unwrap().as_primitive::<Int64Type>();
        let item =
            rows.column_by_name("_item").unwrap().as_primitive::<arrow::datatypes::Int16Type>();
        places.extend(row.values().iter().copied().zip(item.values().iter().copied()));
    }
    places.sort_unstable();
    assert_eq!(places, [(1, 0), (1, 1), (2, 0)], "a rejected record leaves no row at all");
}

#[test]
fn the_format_of_months_across_is_chosen_from_their_names() {
    let several = MONTHLY.replace("formats = [\"%b %Y\"]", "formats = [\"%Y-%m\", \"%b %Y\"]");
    let mapping = options(Mapping::from_text(&several).unwrap());
    let text = "Level,Kind,Jan 2026,Remark\nP1,sla,95,x\n";
    let (taken, summary) = read_bytes(text.as_bytes(), "x.csv", &mapping).unwrap();
    assert_eq!(summary.date_formats, [("period_start".to_owned(), "%b %Y".to_owned())]);
    assert_eq!(taken.rows("provider_report"), 1);
}

#[test]
fn attributes_of_a_vocabulary_file_are_a_json_object_of_texts() {
    let read = |cell: &str| {
        let text = format!(
            "arrangement_id,case_id,activity,occurred_at,attributes\n\
             a,c,x,2026-03-02T09:00Z,\"{}\"\n",
            cell.replace('"', "\"\"")
        );
        read_bytes(text.as_bytes(), "case_event.csv", &plain()).unwrap().0
    };
    let taken = read(r#"{"b": "2", "a": "1"}"#);
    let canonical = Some(r#"{"a":"1","b":"2"}"#.to_owned());
    assert_eq!(taken.texts("case_event", "attributes"), [canonical]);
    assert_eq!(read(r#"{"a": 1}"#).codes(), [(1, "bad-attribute")]);
    assert_eq!(read("[]").codes(), [(1, "bad-attribute")]);
}

#[test]
fn registers_have_their_validity_in_the_key() {
    let text = "arrangement_id,team_id,title,valid_from,valid_to\na,t,One,2026-01-01,2026-02-01\n\
                a,t,Two,2026-02-01,\na,t,Zero,,2026-01-01\na,t,Odd,2026-03-01,2026-03-01\n";
    let (taken, _) = read_bytes(text.as_bytes(), "team.csv", &plain()).unwrap();
    assert_eq!(taken.codes(), [(4, "empty-validity")]);
    let batch = &taken.batches[0];
    assert_eq!(batch.keys.iter().collect::<BTreeSet<_>>().len(), 3);
    let vocabulary = Vocabulary::built_in().unwrap();
    let groups = validity_group_keys(vocabulary.table("team").unwrap(), &batch.rows);
    assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), 1);
}

#[test]
fn a_record_leads_back_to_its_lines() {
    let text = "\u{feff}arrangement_id,team_id,title\r\n\r\na,t1,\"One\r\nand a half\"\r\na,t2,Two\r\na,t3";
    let at = |record| {
        let info = SourceInfo::default();
        locate(&mut text.as_bytes(), &info, &plain(), record)
    };
    let one = at(1).unwrap();
    assert_eq!((one.first_line, one.last_line), (3, 4));
    assert_eq!(one.text, "a,t1,\"One\r\nand a half\"");
    assert_eq!(one.cells["title"], "One\r\nand a half");
    let two = at(2).unwrap();
    assert_eq!((two.first_line, two.last_line, two.text.as_str()), (5, 5, "a,t2,Two"));
    let ragged = at(3).unwrap();
    assert_eq!((ragged.first_line, ragged.last_line, ragged.text.as_str()), (6, 6, "a,t3"));
    assert_eq!(ragged.cells["team_id"], "t3");
    assert_eq!(at(4).unwrap_err().to_string(), "there is no record 4 in ``: it has 3");
}

#[test]
fn a_record_of_the_real_logs_leads_back_to_its_lines() {
    let data = crate::support::data().join("work-logs");
    let at = |name: &str, options: &ImportOptions, record| {
        let mut file = std::fs::File::open(data.join(name)).unwrap();
        locate(&mut file, &SourceInfo::default(), options, record).unwrap()
    };
    let servicenow = options(Mapping::built_in("servicenow-incident").unwrap());
    let wrong = at("servicenow_incident_event_log.csv.gz", &servicenow, 115_642);
    // One header line, and no record of this file spans lines.
    assert_eq!((wrong.first_line, wrong.last_line), (115_643, 115_643));
    assert!(wrong.text.starts_with("INC0028089,-100,"), "{}", wrong.text);
    assert_eq!(wrong.cells["incident_state"], "-100");
    let xes = options(Mapping::built_in("xes").unwrap());
    let event = at("helpdesk_local.xes.gz", &xes, 2);
    assert!(
        event.text.starts_with("<event>") && event.text.ends_with("</event>"),
        "{}",
        event.text
    );
    assert_eq!(event.last_line - event.first_line, 7);
    assert_eq!(event.first_line, 38);
    assert_eq!(event.cells["concept:name"], "Take in charge ticket");
    assert_eq!(event.cells["case:concept:name"], "Case3608");
}

#[test]
fn a_dry_run_shows_counts_first_rows_and_every_kind_of_rejection() {
    let text = "arrangement_id,person_id,country\na,E1,IE\na,E2,Ireland\nb,E3,Peru\nb,E4,PE\n";
    let vocabulary = Vocabulary::built_in().unwrap();
    let info = SourceInfo { file_name: "person.csv".into(), bytes_total: None };
    let mut dry = DryRun::default();
    let key = PseudonymKey::new([1; 32]);
    read_source(&mut text.as_bytes(), &info, &vocabulary, &plain(), &key, &mut dry).unwrap();
    let person = &dry.tables["person"];
    assert_eq!(person.rows, [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    assert_eq!(person.columns, ["arrangement_id", "person_id", "country", "_row"]);
    assert_eq!((person.first[0][0].as_str(), person.first[0][2].as_str()), ("a", "IE"));
    assert!(!person.first[0].contains(&"E1".to_owned()));
    let kinds = dry.rejections.kinds();
    assert_eq!(kinds.len(), 1);
    assert_eq!((kinds[0].0.code.as_str(), kinds[0].1.count), ("bad-code", 2));
    assert_eq!(kinds[0].1.examples, [(2, None), (3, None)]);
    assert_eq!((dry.rejections.records(), dry.people), (2, 2));
}

#[test]
fn a_dry_run_shows_each_cell_as_written_and_as_typed_and_never_a_persons_id() {
    let text = "arrangement_id,case_id,activity,occurred_at,person_id\n\
                a,c1,x,2026-03-02T09:15:00+08:00,Ann Example\na,c2,x,soon,Bob Example\n\
                a,c3,x,later,Ann Example\na,c4,x\n";
    let vocabulary = Vocabulary::built_in().unwrap();
    let info = SourceInfo { file_name: "case_event.csv".into(), bytes_total: None };
    let mut dry = DryRun::default();
    read_source(&mut text.as_bytes(), &info, &vocabulary, &plain(), &key(), &mut dry).unwrap();
    let cell = |record: u32, column: &str| {
        dry.cells.iter().find(|c| c.record == record && c.column == column).unwrap()
    };
    let at = cell(1, "occurred_at");
    assert_eq!(at.from[0].column, "occurred_at");
    assert_eq!(at.from[0].written.as_deref(), Some("2026-03-02T09:15:00+08:00"));
    assert_eq!(at.value.as_deref(), Some("2026-03-02T09:15:00+08:00"));
    let person = cell(1, "person_id");
    assert_eq!((person.from[0].written.as_deref(), person.from[0].personal), (None, true));
    assert_eq!(person.value, key().pseudonymise("a", "person", "Ann Example"));
    let soon = cell(2, "occurred_at");
    assert_eq!(soon.from[0].written.as_deref(), Some("soon"));
    assert_eq!(
        (soon.value.as_ref(), soon.refused.as_ref().unwrap().0.as_str()),
        (None, "bad-date")
    );
    // One record of each kind: the second of the same kind is only counted.
    assert!(!dry.cells.iter().any(|c| c.record == 3));
    let ragged = dry.cells.iter().find(|c| c.record == 4).unwrap();
    assert_eq!(ragged.refused.as_ref().unwrap().0, "ragged");
    assert!(!format!("{:?}", dry.cells).contains("Example"), "a person's id is shown");
    // Looking closer hands no id to the vault twice and none of a rejected record.
    assert_eq!(dry.people, 1);
}

#[test]
fn rejections_become_rows_of_the_quarantine() {
    let text = "arrangement_id,case_id,activity,occurred_at\na,c1,,soon\na,c2,x,2026-03-02\n";
    let (taken, _) = read_bytes(text.as_bytes(), "case_event.csv", &plain()).unwrap();
    let rows = quarantine_rows(&taken.rejections).unwrap();
    assert_eq!(
        rows.schema().as_ref(),
        &backstay_evidence::schema::object_schema(&quarantine_table())
    );
    let ints = |name: &str| {
        rows.column_by_name(name).unwrap().as_primitive::<Int64Type>().values().to_vec()
    };
    assert_eq!(ints("_row"), [1, 1, 2]);
    let items = rows.column_by_name("_item").unwrap().as_primitive::<arrow::datatypes::Int16Type>();
    assert_eq!(items.values().to_vec(), [0, 1, 0]);
    let subject = rows.column_by_name("subject").unwrap().as_string::<i32>();
    assert_eq!((subject.value(0), subject.value(2)), ("c1", "c2"));
}
