//! What a user meets when evidence is wrong: for each kind of bad input the exact message or the exact
//! line of the quarantine, and the state of the workspace afterwards.

use std::{io::Write as _, sync::LazyLock};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use crate::{
    sandbox::{Sandbox, number, text},
    small::{EVENTS, imported},
};

/// One prepared workspace for every file that is refused as a whole: none of them may leave a trace.
static DESK: LazyLock<Sandbox> = LazyLock::new(imported);

/// Message and remedy of an import that is refused; the ledger stays as it was.
#[track_caller]
fn refused(name: &str, bytes: impl AsRef<[u8]>, options: &[&str]) -> (String, String) {
    DESK.write(name, bytes);
    let said = DESK.ws(&[&["import", name], options].concat()).fails(1);
    let log = DESK.ws(&["log", "--format", "json"]).json();
    assert_eq!(log["entries"].as_array().unwrap().len(), 11, "{name} left an entry: {said}");
    parted(&said)
}

/// The `error:` and the `help:` of what was said.
#[track_caller]
fn parted(said: &str) -> (String, String) {
    let mut lines = said.lines();
    let error = lines.next().and_then(|line| line.strip_prefix("error: ")).unwrap_or_default();
    let help = lines.next().and_then(|line| line.strip_prefix("help: ")).unwrap_or_default();
    assert_eq!(lines.next(), None, "{said}");
    (error.to_owned(), help.to_owned())
}

/// What a dry run says: counts that add up, and the rejections as code, column, reason and records.
#[track_caller]
fn looked_at(
    name: &str,
    bytes: impl AsRef<[u8]>,
    options: &[&str],
) -> (i64, i64, Vec<[String; 4]>) {
    DESK.write(name, bytes);
    let args = [&["import", name, "--dry-run", "--format", "json"], options].concat();
    let outcome = DESK.ws(&args).json();
    let [read, accepted, quarantined] =
        ["read", "accepted", "quarantined"].map(|key| number(&outcome, key));
    assert_eq!(read, accepted + quarantined, "{outcome}");
    (accepted, quarantined, rejections(&outcome))
}

fn rejections(outcome: &Value) -> Vec<[String; 4]> {
    let rejections = outcome["rejections"].as_array().unwrap().iter();
    rejections
        .map(|kind| {
            let column = kind["column"].as_str().unwrap_or("-").to_owned();
            [
                text(kind, "code").to_owned(),
                column,
                text(kind, "reason").to_owned(),
                kind["records"].to_string(),
            ]
        })
        .collect()
}

fn owned<const N: usize>(rejections: [[&str; 4]; N]) -> Vec<[String; 4]> {
    rejections.map(|kind| kind.map(str::to_owned)).to_vec()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A mapping for a small log with its own head, and the part that differs.
fn mapping(more: &str) -> String {
    format!(
        "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n{more}\n\
         [[table]]\nname = \"case_event\"\n[table.columns]\narrangement_id = {{ constant = \"claims\" }}\n\
         case_id = \"Ticket\"\nactivity = \"Step\"\noccurred_at = \"When\"\n"
    )
}

/// The words that an assessment of March says of each control.
fn statuses(sandbox: &Sandbox, arrangement: &str) -> Vec<(String, String)> {
    let run = sandbox.ws(&[
        "assess",
        "--period",
        "2026-03",
        "--arrangement",
        arrangement,
        "--format",
        "json",
    ]);
    let assessment = run.json();
    let controls = assessment["controls"].as_array().unwrap().iter();
    controls.map(|c| (text(c, "control").to_owned(), text(c, "status").to_owned())).collect()
}

#[test]
fn an_unknown_column_is_named_with_the_nearest_known_one() {
    let (error, help) = refused("b/site.csv", "site_id,time_zome\nx,Etc/UTC\n", &["--as", "site"]);
    assert_eq!(
        error,
        "`b/site.csv`: table `site` does not have the column `time_zome` (did you mean `time_zone`?)"
    );
    assert_eq!(help, "rename or remove it, or use a mapping");
}

#[test]
fn a_missing_required_column_is_named_with_the_way_to_give_it() {
    let log = "arrangement_id,case_id,activity\nclaims,C-1,Open\n";
    let (error, help) = refused("b/case_event.csv", log, &["--as", "case_event"]);
    assert_eq!(error, "`b/case_event.csv`: table `case_event` needs the column `occurred_at`");
    assert_eq!(help, "add it to the file, or give it with `--set occurred_at=…`");
}

#[test]
fn a_wrong_delimiter_is_suspected_when_the_file_has_one_column() {
    DESK.write("b/semicolon.toml", mapping("delimiter = \";\""));
    let log = "Ticket,Step,When\nC-1,Open,2026-03-02T09:00:00Z\n";
    let (error, help) = refused("b/delimiter.csv", log, &["--mapping", "b/semicolon.toml"]);
    assert!(
        error.contains(
            "the mapping `m` needs a column that the file does not have: `Step`, `Ticket`"
        ),
        "{error}"
    );
    assert!(
        format!("{error}; {help}").contains(
            "see whether the mapping's `delimiter` is that of the file, which has one column"
        ),
        "{error}; {help}"
    );
}

#[test]
fn a_day_first_date_read_as_month_first_is_quarantined_and_never_turned_round() {
    DESK.write(
        "b/american.toml",
        mapping("zone = \"Asia/Kolkata\"\ndate_formats = [\"%m/%d/%Y %H:%M\"]"),
    );
    let log = "Ticket,Step,When\nC-1,Open,02/03/2026 09:00\nC-2,Open,13/03/2026 09:00\n\
               C-3,Open,31/03/2026 09:00\n";
    let options = ["--mapping", "b/american.toml"];
    let (accepted, quarantined, kinds) = looked_at("b/dayfirst.csv", log, &options);
    assert_eq!((accepted, quarantined), (1, 2));
    assert_eq!(
        [kinds[0][0].as_str(), &kinds[0][1], &kinds[0][3]],
        ["bad-date", "occurred_at", "[2,3]"]
    );
    // With both orders in the mapping the values decide; where they cannot, nothing is read.
    let both = "zone = \"Asia/Kolkata\"\ndate_formats = [\"%m/%d/%Y %H:%M\", \"%d/%m/%Y %H:%M\"]";
    DESK.write("b/both.toml", mapping(both));
    assert_eq!(looked_at("b/dayfirst.csv", log, &["--mapping", "b/both.toml"]).0, 3);
    let open = "Ticket,Step,When\nC-1,Open,02/03/2026 09:00\n";
    let (error, help) = refused("b/open.csv", open, &["--mapping", "b/both.toml"]);
    assert!(error.contains("fit both `%m/%d/%Y %H:%M` and `%d/%m/%Y %H:%M`"), "{error}");
    assert_eq!(help, "name the one that is meant");
}

#[test]
fn a_time_without_offset_or_zone_is_quarantined_row_by_row() {
    let log = EVENTS.replacen("09:00:00+05:30", "09:00:00", 1);
    let (accepted, quarantined, kinds) = looked_at("b/naive.csv", log, &["--as", "case_event"]);
    assert_eq!((accepted, quarantined), (7, 1));
    let reason = "the time has no offset: write one, as in 2026-03-02T09:15:00+08:00, or name the zone \
                  with --zone";
    assert_eq!(kinds, owned([["no-offset", "occurred_at", reason, "[1]"]]));
}

#[test]
fn a_zone_that_does_not_exist_is_refused_wherever_it_is_written() {
    DESK.write("b/site.csv", "site_id,time_zone\nx,Etc/UTC\n");
    let said = DESK.ws(&["import", "b/site.csv", "--zone", "Europe/Atlantis"]).fails(2);
    let (error, help) = parted(&said);
    assert_eq!(error, "`Europe/Atlantis` is not a time zone");
    assert_eq!(help, "write an IANA name, as in `Europe/Dublin` or `Asia/Manila`");
    DESK.write("b/atlantis.toml", mapping("zone = \"Europe/Atlantis\""));
    let log = "Ticket,Step,When\nC-1,Open,2026-03-02 09:00\n";
    let (error, help) = refused("b/zone.csv", log, &["--mapping", "b/atlantis.toml"]);
    assert!(error.contains("`Europe/Atlantis` is not a time zone"), "{error}");
    assert_eq!(help, "write an IANA name, as in Europe/Dublin");
}

#[test]
fn figures_that_are_no_number_or_overflow_are_quarantined() {
    let head = "arrangement_id,feed_id,table_name,entry,sum_column,expected_count,expected_sum,valid_from\n";
    let mut feed = head.to_owned();
    for (count, sum) in [
        ("8", "12.50"),
        ("8", "NaN"),
        ("8", "inf"),
        ("8", "1e9"),
        ("8", "123456789012345678901234567890"),
        ("99999999999999999999", "1"),
    ] {
        feed.push_str(&format!(
            "claims,f,case_event,delivered,x,{count},{sum},2026-03-0{}\n",
            feed.lines().count()
        ));
    }
    let (accepted, quarantined, kinds) = looked_at("b/feed.csv", feed, &["--as", "evidence_feed"]);
    assert_eq!((accepted, quarantined), (1, 5), "{kinds:?}");
    assert!(kinds.iter().all(|kind| kind[0] == "bad-number"), "{kinds:?}");
    let reasons: Vec<&str> = kinds.iter().map(|kind| kind[2].as_str()).collect();
    assert!(reasons.contains(&"the number is too large"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("not a number")), "{reasons:?}");
}

#[test]
fn a_record_over_16_mib_is_quarantined_and_the_next_one_is_read() {
    let long = "x".repeat((16 << 20) + 5);
    let log = format!("team_id,arrangement_id,title\nt1,claims,\"{long}\"\nt2,claims,Two\n");
    let (accepted, quarantined, kinds) = looked_at("b/team.csv", log, &["--as", "team"]);
    assert_eq!((accepted, quarantined), (1, 1));
    assert_eq!([kinds[0][0].as_str(), &kinds[0][3]], ["too-large", "[1]"]);
}

#[test]
fn a_cut_off_compressed_file_is_refused_with_the_place() {
    let whole = gzip(EVENTS.repeat(2_000).as_bytes());
    let (error, help) = refused("b/cut.csv.gz", &whole[..whole.len() / 2], &["--as", "case_event"]);
    assert!(
        error.starts_with("`b/cut.csv.gz`: the compressed file is damaged or cut off after "),
        "{error}"
    );
    assert!(error.contains("inflated bytes") && !error.contains("(0 records)"), "{error}");
    assert_eq!(help, "fetch it again");
}

#[test]
fn a_file_that_inflates_a_thousandfold_is_refused() {
    let bomb = gzip(&vec![b'\n'; 70 << 20]);
    let (error, help) = refused("b/bomb.csv.gz", bomb, &["--as", "case_event"]);
    assert!(
        error.contains("the compressed file inflates to more than 1,000 times its size"),
        "{error}; {help}"
    );
}

#[test]
fn an_event_log_with_an_external_entity_is_refused_and_nothing_is_fetched() {
    DESK.write("b/secret.txt", "never to be read");
    let log = "<?xml version=\"1.0\"?><!DOCTYPE log [<!ENTITY x SYSTEM \"secret.txt\">]>\
               <log><trace><string key=\"concept:name\" value=\"&x;\"/></trace></log>";
    let options = ["--mapping", "xes", "--set", "arrangement_id=claims"];
    let (error, _) = refused("b/entity.xes", log, &options);
    assert!(error.contains("document type") && !error.contains("never to be read"), "{error}");
}

#[test]
fn one_key_of_a_register_stated_twice_is_quarantined() {
    let sandbox = imported();
    let site = "site_id,provider_id,country,city,time_zone,calendar_id\n\
                oslo,lantern,NO,Oslo,Europe/Oslo,pune-office\n\
                oslo,lantern,NO,Bergen,Europe/Oslo,pune-office\n";
    sandbox.write("site.csv", site);
    let outcome = sandbox.ws(&["import", "site.csv", "--format", "json"]).json();
    assert_eq!(
        (number(&outcome, "accepted"), number(&outcome, "quarantined")),
        (1, 1),
        "{outcome}"
    );
    let kinds = rejections(&outcome);
    assert_eq!(kinds[0][0], "duplicate-identity", "{kinds:?}");
    assert!(
        kinds[0][2].contains("states the same key with other values: keep one of them"),
        "{kinds:?}"
    );
}

#[test]
fn overlapping_validity_of_one_register_key_is_quarantined() {
    let sandbox = imported();
    let site = "site_id,provider_id,country,city,time_zone,calendar_id,valid_from,valid_to\n\
                oslo,lantern,NO,Oslo,Europe/Oslo,pune-office,2026-01-01,2026-07-01\n\
                oslo,lantern,NO,Bergen,Europe/Oslo,pune-office,2026-06-01,2026-12-01\n";
    sandbox.write("site.csv", site);
    let outcome = sandbox.ws(&["import", "site.csv", "--format", "json"]).json();
    assert_eq!(
        (number(&outcome, "accepted"), number(&outcome, "quarantined")),
        (1, 1),
        "{outcome}"
    );
    let kinds = rejections(&outcome);
    assert_eq!([kinds[0][0].as_str(), &kinds[0][3]], ["overlapping-validity", "[2]"], "{kinds:?}");
}

#[test]
fn events_of_an_unknown_arrangement_are_kept_said_to_dangle_and_test_nothing() {
    let sandbox = imported();
    sandbox.write("ghost.csv", EVENTS.replace(",claims,", ",ghost,"));
    let outcome =
        sandbox.ws(&["import", "ghost.csv", "--as", "case_event", "--format", "json"]).json();
    assert_eq!(
        (number(&outcome, "accepted"), number(&outcome, "quarantined")),
        (8, 0),
        "{outcome}"
    );
    let all = statuses(&sandbox, "ghost");
    assert!(!all.is_empty() && all.iter().all(|(_, status)| status == "untested"), "{all:?}");
    let shown = sandbox.ws(&["assess", "--period", "2026-03"]).ok();
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("`ghost` has no row in `arrangement`"), "{shown}");
    let claims = statuses(&sandbox, "claims");
    let effective = claims.iter().filter(|(_, status)| status == "effective");
    assert_eq!(effective.count(), 4, "what there is evidence for: {claims:?}");
    assert!(claims.iter().all(|(_, status)| status != "deficient"), "{claims:?}");
}

#[test]
fn a_period_without_events_has_no_value_and_no_green() {
    let run = DESK.ws(&[
        "query",
        "SELECT count(*) AS n FROM case_event",
        "--period",
        "2026-07",
        "--format",
        "json",
    ]);
    assert_eq!(number(&run.json()[0], "n"), 8);
    let sandbox = imported();
    let run = sandbox.ws(&["assess", "--period", "2026-07", "--format", "json"]);
    let assessment = run.json();
    let controls = assessment["controls"].as_array().unwrap();
    let of =
        |id: &str| text(controls.iter().find(|c| c["control"] == id).unwrap(), "status").to_owned();
    assert_eq!(of("service-levels-met"), "untested", "{controls:?}");
    assert_ne!(of("work-visible"), "effective", "{controls:?}");
    let measures = assessment["measures"].as_array().unwrap();
    assert!(measures.iter().all(|measure| measure["value"].is_null()), "{measures:?}");
}

#[test]
fn a_calendar_that_ends_before_the_period_leaves_a_gap_and_no_green() {
    let sandbox = imported();
    sandbox.write(
        "calendar.csv",
        "calendar_id,time_zone,monday,tuesday,wednesday,thursday,friday,covered_from,covered_until,version\n\
         pune-office,Asia/Kolkata,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,09:00-18:00,\
         2026-01-01,2026-02-01,2\n",
    );
    sandbox.ws(&["import", "calendar.csv"]).ok();
    let all = statuses(&sandbox, "claims");
    let met = all.iter().find(|(control, _)| control == "service-levels-met").unwrap();
    assert_eq!(met.1, "untested", "{all:?}");
    let told =
        sandbox.ws(&["explain", "C-2", "--service-level", "entry", "--period", "2026-03"]).ok();
    let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        told.contains("calendar `pune-office` is known from 2026-01-01 until 2026-02-01 only"),
        "{told}"
    );
}

#[test]
fn sql_that_writes_reads_a_file_or_runs_for_ever_is_stopped() {
    DESK.write("b/secret.csv", "a\n1\n");
    for sql in [
        "DELETE FROM site",
        "INSERT INTO site VALUES ('x')",
        "UPDATE site SET city = 'x'",
        "DROP TABLE site",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'b/secret.csv'",
        "COPY site TO 'x.csv'",
        "SELECT * FROM 'b/secret.csv'",
        "SELECT * FROM read_csv('b/secret.csv')",
    ] {
        let said = DESK.ws(&["query", sql]).fails(1);
        let refused =
            said.starts_with("error: query: ") || said.starts_with("error: unknown table ");
        assert!(refused, "{sql}: {said}");
        assert!(!DESK.path("x.csv").exists());
    }
    let endless = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let cross = "SELECT count(*) FROM case_event a, case_event b, case_event c, case_event d, \
                 case_event e, case_event f, case_event g, case_event h, case_event i, case_event j, \
                 case_event k, case_event l WHERE a.case_id || l.case_id > b.case_id || c.case_id";
    for sql in [endless, cross] {
        let (error, help) = parted(&DESK.ws(&["query", sql, "--time-limit", "1"]).fails(1));
        assert_eq!(error, "query stopped: it took longer than 1 s");
        assert_eq!(help, "ask for fewer rows or a shorter period");
    }
    let long = DESK.ws(&["query", "SELECT 1", "--time-limit", "0"]);
    assert_eq!(long.code, 2, "{}", long.err);
}

#[test]
fn a_catalogue_file_with_broken_sql_or_failing_cases_is_named_and_judges_nothing() {
    let sandbox = imported();
    sandbox.ws(&["catalogue", "new", "quality/rework-loops"]).ok();
    let path = sandbox.path("ws/catalogue/quality/rework-loops.md");
    let whole = std::fs::read_to_string(&path).unwrap();
    let broken = whole.replacen("SELECT", "SELEKT", 1);
    assert_ne!(whole, broken);
    std::fs::write(&path, broken).unwrap();
    let tested = sandbox.ws(&["catalogue", "test", "rework-loops"]);
    assert_eq!(tested.code, 1, "{}{}", tested.out, tested.err);
    let said = format!("{}{}", tested.out, tested.err);
    assert!(said.contains("rework-loops") && said.contains("SELEKT"), "{said}");
    let assessed = sandbox.ws(&["assess", "--period", "2026-03"]).fails(1);
    assert!(assessed.contains("rework-loops"), "{assessed}");

    let failing = whole.replace("'met'", "'missed'");
    assert_ne!(whole, failing);
    std::fs::write(&path, failing).unwrap();
    let tested = sandbox.ws(&["catalogue", "test", "rework-loops"]);
    assert_eq!(tested.code, 1, "{}{}", tested.out, tested.err);
    assert!(tested.out.contains("✗"), "{}", tested.out);
}
