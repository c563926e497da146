//! Mappings proposed from real files and from the example's registers with other heads: the main columns
//! are found, day and month only where the values speak, and a zone never.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use arrow::{array::AsArray as _, datatypes::TimestampMicrosecondType};
use backstay_evidence::{
    ImportOptions, Mapping, Vocabulary,
    mapping::propose::{
        Answers, DateOrder, Origin, Proposal, ProposeError, Sample, propose, sample,
    },
};

use crate::support::{Taken, data, options, read_bytes};

/// The incident log of a real service desk.
const SERVICE_DESK: &str = "work-logs/servicenow_incident_event_log.csv.gz";

/// Instant of the first event, microseconds UTC.
fn first_instant(taken: &Taken) -> i64 {
    let rows = taken.tables("case_event").next().unwrap();
    let instants = rows.column_by_name("occurred_at").unwrap();
    instants.as_primitive::<TimestampMicrosecondType>().value(0)
}

fn vocabulary() -> Vocabulary {
    Vocabulary::built_in().unwrap()
}

fn sampled(name: &str, bytes: &[u8]) -> Sample {
    let open = &mut || Ok(Box::new(io::Cursor::new(bytes.to_vec())) as Box<dyn Read>);
    sample(name, &ImportOptions::default(), open).unwrap()
}

fn sampled_file(path: &Path) -> Sample {
    let name = path.file_name().unwrap().to_string_lossy();
    let open = &mut || Ok(Box::new(File::open(path)?) as Box<dyn Read>);
    sample(&name, &ImportOptions::default(), open).unwrap()
}

fn proposed(sample: &Sample, answers: &Answers) -> Proposal {
    let proposal = propose(sample, &vocabulary(), answers).unwrap();
    Mapping::from_text(&proposal.text).unwrap_or_else(|error| panic!("{error}\n{}", proposal.text));
    proposal
}

/// Column of the vocabulary and where it comes from, in short.
fn columns(proposal: &Proposal) -> BTreeMap<&str, String> {
    let short = |origin: &Origin| match origin {
        Origin::Column(source) => source.clone(),
        Origin::Template(text) => text.clone(),
        Origin::Constant(value) => format!("={value}"),
    };
    proposal.columns.iter().map(|column| (column.column.as_str(), short(&column.from))).collect()
}

fn questions(proposal: &Proposal) -> Vec<&str> {
    proposal.questions.iter().map(|question| question.about.as_str()).collect()
}

#[track_caller]
fn finds(proposal: &Proposal, expected: &[(&str, &str)]) {
    let found = columns(proposal);
    for (column, source) in expected {
        assert_eq!(found.get(column).map(String::as_str), Some(*source), "`{column}` of {found:?}");
    }
}

#[test]
fn the_service_desk_log_gets_its_main_columns_and_the_day_first() {
    let sample = sampled_file(&data().join(SERVICE_DESK));
    assert_eq!((sample.records, sample.whole, sample.gzip), (119_998, true, true));
    let proposal = proposed(&sample, &Answers::default());
    assert_eq!(proposal.table, "case_event");
    finds(
        &proposal,
        &[
            ("case_id", "number"),
            ("event_id", "{number}/{sys_mod_count}"),
            ("activity", "incident_state"),
            ("state", "incident_state"),
            ("occurred_at", "sys_updated_at"),
            ("opened_at", "opened_at"),
            ("person_id", "sys_updated_by"),
            ("team_id", "assignment_group"),
            ("priority", "priority"),
        ],
    );
    let found = columns(&proposal);
    for column in ["site_id", "case_type", "lifecycle"] {
        assert_eq!(found.get(column), None, "{found:?}");
    }
    assert_eq!(proposal.missing, ["?"]);
    assert!(proposal.text.contains("date_formats = [\"%d/%m/%Y %H:%M\"]"), "{}", proposal.text);
    assert!(
        proposal.dates.iter().all(|line| line.contains("the day first")),
        "{:?}",
        proposal.dates
    );
    assert!(proposal.dates[0].contains("a number above 12 in that place"), "{:?}", proposal.dates);
    assert_eq!(
        questions(&proposal),
        ["column:arrangement_id", "zone"],
        "{:?}",
        proposal.other_tables
    );
    assert_eq!(proposal.zone, None);
    assert!(proposal.questions.iter().all(|question| !question.blocks));
    let people: Vec<&str> = proposal.people.iter().map(|person| person.source.as_str()).collect();
    for source in
        ["caller_id", "opened_by", "sys_created_by", "sys_updated_by", "assigned_to", "resolved_by"]
    {
        assert!(people.contains(&source), "{people:?}");
    }
    assert!(!people.contains(&"assignment_group"), "{people:?}");
    // The proposal reads what the release's own mapping for this log reads.
    let mut read_as = options(Mapping::from_text(&proposal.text).unwrap());
    read_as.zone = Some("Etc/UTC".to_owned());
    read_as.set.insert("arrangement_id".to_owned(), "desk".to_owned());
    let mut text = String::new();
    let packed = File::open(data().join(SERVICE_DESK)).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let head: String = text.lines().take(2_001).map(|line| format!("{line}\n")).collect();
    let (taken, summary) = read_bytes(head.as_bytes(), "log.csv", &read_as).unwrap();
    assert_eq!((summary.records, summary.rejected), (2_000, 0));
    // 2016-02-29T01:23Z
    assert_eq!(first_instant(&taken), 1_456_708_980_000_000);
}

#[test]
fn real_event_logs_need_no_zone_because_their_times_have_an_offset() {
    for (log, case, activity, person) in [
        ("DomesticDeclarations.xes.gz", "case:concept:name", "concept:name", "org:resource"),
        ("helpdesk_utc.xes.gz", "case:concept:name", "concept:name", "org:resource"),
        ("volvo_closed_problems.xes.gz", "case:concept:name", "concept:name", "org:resource"),
    ] {
        let sample = sampled_file(&data().join("work-logs").join(log));
        let proposal = proposed(&sample, &Answers::default());
        assert_eq!(proposal.table, "case_event", "{log}");
        finds(
            &proposal,
            &[
                ("case_id", case),
                ("activity", activity),
                ("state", activity),
                ("occurred_at", "time:timestamp"),
                ("person_id", person),
            ],
        );
        assert_eq!(questions(&proposal), ["column:arrangement_id"], "{log}");
    }
}

#[test]
fn production_orders_get_their_columns_and_ask_for_the_zone() {
    let sample = sampled_file(&data().join("work-logs/production.csv"));
    let proposal = proposed(&sample, &Answers::default());
    assert_eq!(proposal.table, "case_event");
    finds(
        &proposal,
        &[
            ("case_id", "Case ID"),
            ("activity", "Activity"),
            ("occurred_at", "Complete Timestamp"),
            ("person_id", "Resource"),
        ],
    );
    assert_eq!(questions(&proposal), ["column:arrangement_id", "zone"]);
    assert!(proposal.text.contains("%Y/%m/%d %H:%M:%S"), "{}", proposal.text);
}

#[test]
fn the_registers_of_the_example_are_known_under_other_heads() {
    let root = Path::new("../../examples/meridian/registers");
    for (table, heads, answers) in [
        (
            "site",
            "Site code,Provider,Site name,Country code,City,Time zone,Working calendar",
            &["site_id", "provider_id", "name", "country", "city", "time_zone", "calendar_id"][..],
        ),
        (
            "team",
            "Agreement,Queue,Label,Site,Function",
            &["arrangement_id", "team_id", "title", "site_id", "function_id"],
        ),
        (
            "holiday",
            "Country or region,Date,Holiday name,Holiday type,Windows,Proclamation,Announced on",
            &["place", "on_date", "name", "kind", "windows", "source", "proclaimed_on"],
        ),
        (
            "function",
            "Contract,Function code,Title,Criticality",
            &["arrangement_id", "function_id", "title", "critical"],
        ),
        ("provider", "Vendor,Provider name,Country code", &["provider_id", "name", "country"]),
    ] {
        let text = std::fs::read_to_string(root.join(format!("{table}.csv"))).unwrap();
        let (_, rows) = text.split_once('\n').unwrap();
        let sample = sampled("export.csv", format!("{heads}\n{rows}").as_bytes());
        let proposal = proposed(&sample, &Answers::default());
        assert_eq!(proposal.table, table, "{:?}", proposal.other_tables);
        let expected: Vec<(&str, &str)> = answers.iter().copied().zip(heads.split(',')).collect();
        finds(&proposal, &expected);
        assert!(
            proposal.questions.iter().all(|question| !question.blocks),
            "{:?}",
            proposal.questions
        );
    }
}

const LOG: &str = "Ticket,Step,Changed,Clerk,Remarks,Result\n\
                   T-1,Opened,01/02/2026 09:00,Ana Cruz,call her back,ok\n\
                   T-1,Closed,03/04/2026 09:00,Bo Lim,done,ok\n";

#[test]
fn day_and_month_are_a_question_while_every_value_fits_both() {
    let sample = sampled("desk_2026-02.csv", LOG.as_bytes());
    let open = proposed(&sample, &Answers::default());
    assert_eq!(open.name, "desk");
    assert_eq!(questions(&open), ["column:arrangement_id", "date-order", "zone"]);
    assert!(open.questions[1].blocks && open.questions[1].option.starts_with("--date-order"));
    let said = Answers {
        date_order: Some(DateOrder::MonthFirst),
        zone: Some("Asia/Manila".to_owned()),
        set: [("arrangement_id".to_owned(), "desk".to_owned())].into(),
        ..Answers::default()
    };
    let settled = proposed(&sample, &said);
    assert_eq!(questions(&settled), Vec::<&str>::new());
    let read_as = options(Mapping::from_text(&settled.text).unwrap());
    let (taken, summary) = read_bytes(LOG.as_bytes(), "desk.csv", &read_as).unwrap();
    assert_eq!((summary.records, summary.rejected), (2, 0));
    // 2026-01-02T09:00 in Manila
    assert_eq!(first_instant(&taken), 1_767_315_600_000_000);
    // One value that fits only one order settles it for the whole file.
    let one = LOG.replace("03/04/2026", "13/04/2026");
    let one = proposed(&sampled("desk.csv", one.as_bytes()), &Answers::default());
    assert!(
        one.dates[0].contains("the day first (`%d/%m/%Y %H:%M`): 1 of 2 values"),
        "{:?}",
        one.dates
    );
}

#[test]
fn people_go_as_pseudonyms_and_free_text_is_left_out() {
    let proposal = proposed(&sampled("desk.csv", LOG.as_bytes()), &Answers::default());
    let people: Vec<&str> = proposal.people.iter().map(|person| person.source.as_str()).collect();
    assert_eq!(people, ["Clerk"]);
    assert_eq!(proposal.dropped[0].source, "Remarks");
    assert_eq!(proposal.attributes, ["Result"]);
    let said = Answers {
        table: Some("case_event".to_owned()),
        people: [("Clerk".to_owned(), None), ("Result".to_owned(), Some("grader".to_owned()))]
            .into(),
        drop: ["Step".to_owned()].into(),
        ..Answers::default()
    };
    let proposal = proposed(&sampled("desk.csv", LOG.as_bytes()), &said);
    let people: Vec<_> =
        proposal.people.iter().map(|p| (p.source.as_str(), p.kind.as_deref())).collect();
    assert_eq!(people, [("Result", Some("grader"))]);
    assert!(questions(&proposal).contains(&"column:activity"), "{:?}", proposal.questions);
}

#[test]
fn values_of_a_list_are_translated_and_unknown_ones_asked_for() {
    let report = "Agreement,Measure,Case number,Within SLA\n\
                  claims,entry,C-1,Yes\nclaims,entry,C-2,No\nclaims,entry,C-3,Perhaps\n";
    let answers = Answers { table: Some("provider_report".to_owned()), ..Answers::default() };
    let proposal = proposed(&sampled("r.csv", report.as_bytes()), &answers);
    finds(
        &proposal,
        &[("case_id", "Case number"), ("service_level_id", "Measure"), ("outcome", "Within SLA")],
    );
    let outcome = proposal.columns.iter().find(|column| column.column == "outcome").unwrap();
    assert_eq!(outcome.values["Yes"], "met");
    assert_eq!(outcome.values["No"], "missed");
    assert_eq!(outcome.unknown, ["Perhaps"]);
    assert_eq!(questions(&proposal), ["values:outcome"]);
}

#[test]
fn decimal_commas_are_found_and_asked_for_where_they_could_be_thousands() {
    let levels = |target: &str| {
        format!(
            "Agreement,SLA,Function,Title,Metric,Target,Window,Basis\n\
             claims,entry,f,Entry,turnaround,\"{target}\",monthly,contract\n"
        )
    };
    let answers = Answers { table: Some("service_level".to_owned()), ..Answers::default() };
    let plain = proposed(&sampled("l.csv", levels("0,95").as_bytes()), &answers);
    assert_eq!((plain.decimal_mark, plain.group_mark), (Some(','), None));
    let window = plain.columns.iter().find(|column| column.column == "window").unwrap();
    assert_eq!(window.values["monthly"], "month");
    let open = proposed(&sampled("l.csv", levels("1,250").as_bytes()), &answers);
    assert!(questions(&open).contains(&"decimal-mark"), "{:?}", open.questions);
    let percent = proposed(&sampled("l.csv", levels("95 %").as_bytes()), &answers);
    assert!(percent.text.contains("as = \"percent\""), "{}", percent.text);
}

#[test]
fn answers_about_what_there_is_not_are_refused_with_the_nearest() {
    let sample = sampled("desk.csv", LOG.as_bytes());
    let refuse =
        |answers: Answers| propose(&sample, &vocabulary(), &answers).unwrap_err().to_string();
    assert_eq!(
        refuse(Answers { table: Some("case_events".to_owned()), ..Answers::default() }),
        "there is no table `case_events` (did you mean `case_event`?); see `backstay vocabulary list`"
    );
    let to = |column: &str, source: &str| Answers {
        table: Some("case_event".to_owned()),
        columns: [(column.to_owned(), Some(source.to_owned()))].into(),
        ..Answers::default()
    };
    assert_eq!(
        refuse(to("caseid", "Ticket")),
        "table `case_event` does not have the column `caseid` (did you mean `case_id`?)"
    );
    assert_eq!(
        refuse(to("case_id", "Tickets")),
        "the file does not have the column `Tickets` (did you mean `Ticket`?)"
    );
    let nothing = sampled("x.csv", b"alpha,beta,gamma\n1,2,3\n");
    assert_eq!(propose(&nothing, &vocabulary(), &Answers::default()), Err(ProposeError::NoTable));
    let empty = sampled("x.csv", b"number,state\n");
    assert_eq!(propose(&empty, &vocabulary(), &Answers::default()), Err(ProposeError::NoRecords));
}

#[test]
fn a_head_full_of_quotes_and_line_breaks_makes_a_mapping_that_reads_it() {
    let log = "\"Ticket \"\"no\"\"\",\"Step\n[x]\",Updated\nT-1,Open,2026-03-02T09:00:00Z\n";
    let answers = Answers {
        columns: [
            ("case_id".to_owned(), Some("Ticket \"no\"".to_owned())),
            ("activity".to_owned(), Some("Step\n[x]".to_owned())),
        ]
        .into(),
        set: [("arrangement_id".to_owned(), "desk".to_owned())].into(),
        ..Answers::default()
    };
    let proposal = proposed(&sampled("odd.csv", log.as_bytes()), &answers);
    let read_as = options(Mapping::from_text(&proposal.text).unwrap());
    let (taken, _) = read_bytes(log.as_bytes(), "odd.csv", &read_as).unwrap();
    assert_eq!(taken.texts("case_event", "activity"), [Some("Open".to_owned())]);
}
