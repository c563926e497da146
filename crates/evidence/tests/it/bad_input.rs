//! The list of bad input that every release must meet: one test each, with its message and what
//! becomes of the file. What the store decides (identity within a file, references, validity) is
//! tested there; deeper cases of each format stand in the files of the formats.

use std::io::Write as _;

use backstay_evidence::{
    ImportOptions, Limits, Mapping, ReadSummary, SourceInfo, Vocabulary, read_source_within,
};
use flate2::{Compression, write::GzEncoder};

use crate::support::{Taken, key, options, read_bytes};

const EVENTS: &str = "arrangement_id,case_id,activity,occurred_at\n";

fn named(table: &str) -> ImportOptions {
    ImportOptions { as_table: Some(table.to_owned()), ..ImportOptions::default() }
}

fn refused(bytes: &[u8], options: &ImportOptions) -> String {
    match read_bytes(bytes, "x.csv", options) {
        Ok((taken, summary)) => panic!("taken: {taken:?} {summary:?}"),
        Err(error) => error.to_string(),
    }
}

fn taken(text: &str, options: &ImportOptions) -> (Taken, ReadSummary) {
    read_bytes(text.as_bytes(), "x.csv", options).unwrap()
}

fn reasons(taken: &Taken) -> Vec<(u32, &str, &str)> {
    let told = taken.rejections.iter();
    told.map(|r| (r.record, r.code.as_str(), r.reason.as_str())).collect()
}

fn within(bytes: &[u8], limits: Limits) -> Result<(Taken, ReadSummary), String> {
    let info = SourceInfo { file_name: "team.csv".into(), bytes_total: None };
    let (vocabulary, options) = (Vocabulary::built_in().unwrap(), ImportOptions::default());
    let (mut bytes, mut taken) = (bytes, Taken::default());
    let read =
        read_source_within(&mut bytes, &info, &vocabulary, &options, &key(), &mut taken, limits);
    read.map(|summary| (taken, summary)).map_err(|error| error.to_string())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_unknown_column_is_refused_with_the_nearest_name() {
    assert_eq!(
        refused(b"arrangement_id,team_id,titel\na,t,x\n", &named("team")),
        "table `team` does not have the column `titel` (did you mean `title`?): rename or remove \
         it, or use a mapping"
    );
}

#[test]
fn a_missing_required_column_is_refused_with_how_to_give_it() {
    assert_eq!(
        refused(b"team_id,title\nt,x\n", &named("team")),
        "table `team` needs the column `arrangement_id`: add it to the file, or give it with \
         `--set arrangement_id=…`"
    );
}

#[test]
fn a_wrong_delimiter_is_refused_and_said() {
    let mapping = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n\
                   delimiter = \";\"\n[[table]]\nname = \"team\"\n[table.columns]\nteam_id = \"Group\"\n";
    let mapping = options(Mapping::from_text(mapping).unwrap());
    assert_eq!(
        refused(b"Group,Name\n1,x\n", &mapping),
        "the mapping `m` needs a column that the file does not have: `Group`; see whether the \
         mapping's `delimiter` is that of the file, which has one column"
    );
}

/// Case events whose times are read month first.
fn month_first() -> ImportOptions {
    let mapping = "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n\
                   zone = \"UTC\"\ndate_formats = [\"%m/%d/%Y %H:%M\"]\n[[table]]\n\
                   name = \"case_event\"\n[table.columns]\ncase_id = \"Case\"\nactivity = \"Case\"\n\
                   occurred_at = \"When\"\n";
    options(Mapping::from_text(mapping).unwrap())
}

#[test]
fn day_and_month_the_wrong_way_round_are_quarantined_and_said() {
    let text = "Case,When\nc1,02/03/2026 09:15\nc2,13/03/2026 09:15\nc3,28/03/2026 09:15\n";
    let (taken, summary) = taken(text, &month_first());
    let reason = "not an instant in the form `%m/%d/%Y %H:%M`";
    assert_eq!(reasons(&taken), [(2, "bad-date", reason), (3, "bad-date", reason)]);
    assert_eq!(
        summary.hints,
        [
            "column `occurred_at` of `case_event`: 2 of 3 values do not fit `%m/%d/%Y %H:%M`, and all \
          of them fit `%d/%m/%Y %H:%M`: are day and month the other way round? Then the \
          values that did fit are wrong as well"
        ]
    );
}

#[test]
fn values_that_only_fit_the_order_of_the_mapping_give_no_such_warning() {
    let text = "Case,When\nc1,02/13/2026 09:15\nc2,13/03/2026 09:15\nc3,gone\n";
    let (taken, summary) = taken(text, &month_first());
    assert_eq!(taken.codes(), [(2, "bad-date"), (3, "bad-date")]);
    assert_eq!(summary.hints, Vec::<String>::new());
}

#[test]
fn a_time_without_offset_and_zone_is_quarantined() {
    let (taken, _) = taken(&format!("{EVENTS}a,c1,x,2026-03-02T09:15:00\n"), &named("case_event"));
    assert_eq!(
        reasons(&taken),
        [(
            1,
            "no-offset",
            "the time has no offset: write one, as in 2026-03-02T09:15:00+08:00, or name the zone \
             with --zone"
        )]
    );
}

#[test]
fn a_zone_that_does_not_exist_is_refused() {
    let options = ImportOptions { zone: Some("Europe/Atlantis".into()), ..named("case_event") };
    assert_eq!(
        refused(format!("{EVENTS}a,c1,x,2026-03-02T09:15:00\n").as_bytes(), &options),
        "table `case_event`, column `occurred_at`: `Europe/Atlantis` is not a time zone: write an \
         IANA name, as in Europe/Dublin"
    );
}

/// Bounds of an amount in a credit clause, or of whatever table has an amount.
fn with_amount(amounts: &[&str]) -> (Taken, ReadSummary) {
    let vocabulary = Vocabulary::from_texts([(
        "fee",
        "table = \"fee\"\ntitle = \"t\"\nabout = \"a\"\nkind = \"register\"\nscope = \"shared\"\n\
         identity = [\"fee_id\"]\ncolumns = [\n\
         { id = 1, name = \"fee_id\", type = \"text\", required = true, privacy = \"open\", about = \"a\" },\n\
         { id = 2, name = \"amount\", type = \"money\", privacy = \"open\", about = \"a\" },\n\
         { id = 3, name = \"share\", type = \"decimal\", privacy = \"open\", about = \"a\" },\n]\n",
    )])
    .unwrap();
    let rows: String = amounts.iter().enumerate().map(|(n, a)| format!("f{n},{a}\n")).collect();
    let text = format!("fee_id,amount,share\n{rows}");
    let info = SourceInfo { file_name: "fee.csv".into(), bytes_total: None };
    let mut taken = Taken::default();
    let summary = backstay_evidence::read_source(
        &mut text.as_bytes(),
        &info,
        &vocabulary,
        &ImportOptions::default(),
        &key(),
        &mut taken,
    );
    (taken, summary.unwrap())
}

#[test]
fn numbers_that_are_none_and_amounts_that_overflow_are_quarantined() {
    let (taken, summary) = with_amount(&[
        "1.50 EUR,0.5",
        "NaN EUR,",
        "inf EUR,",
        "99999999999999999999 EUR,",
        ",NaN",
        ",1e9",
        ",99999999999999999999999999999999",
    ]);
    assert_eq!((summary.records, taken.rows("fee")), (7, 1));
    let told: Vec<_> = taken.rejections.iter().map(|r| (r.record, r.code.as_str())).collect();
    assert_eq!(told, (2..=7).map(|record| (record, "bad-number")).collect::<Vec<_>>());
    assert_eq!(taken.rejections[2].reason, "the amount is too large");
    assert_eq!(taken.rejections[5].reason, "the number is too large");
}

#[test]
fn an_amount_without_currency_is_quarantined() {
    let (taken, _) = with_amount(&["12.50,", "12.50 EUR,"]);
    assert_eq!(
        reasons(&taken),
        [(
            1,
            "missing-currency",
            "the amount has no currency: write it as in 12.50 EUR, or name its column"
        )]
    );
}

#[test]
fn a_truncated_gz_is_refused_with_the_place() {
    let text = format!("arrangement_id,team_id\n{}", "a,t1\n".repeat(50_000));
    let whole = gzip(text.as_bytes());
    let error = within(&whole[..whole.len() - 9], Limits::default()).map(|_| ()).unwrap_err();
    assert!(
        error.starts_with("the compressed file is damaged or cut off after ")
            && error.ends_with("records): fetch it again"),
        "{error}"
    );
}

#[test]
fn what_inflates_too_far_is_refused() {
    let bytes = gzip(format!("arrangement_id,team_id\n{}", "a,t1\n".repeat(50_000)).as_bytes());
    let refused = |limits| within(&bytes, limits).map(|_| ()).unwrap_err();
    let size = Limits { inflated_max: 128 << 10, ..Limits::default() };
    assert_eq!(
        refused(size),
        "the compressed file inflates to more than 128 KiB: it is refused, unpack and split it if \
         it is genuine"
    );
    let ratio = Limits { ratio_from: 64 << 10, ratio_max: 20, ..Limits::default() };
    assert_eq!(
        refused(ratio),
        "the compressed file inflates to more than 20 times its size: it is refused, unpack and \
         split it if it is genuine"
    );
    assert!(within(&bytes, Limits::default()).is_ok());
    let product = Limits::default();
    assert_eq!((product.inflated_max, product.ratio_max), (64 << 30, 1_000));
    assert_eq!(product.record_max, 16 << 20);
}

#[test]
fn an_event_log_with_an_external_entity_is_refused() {
    let xes = options(Mapping::built_in("xes").unwrap());
    let log = "<?xml version=\"1.0\"?><!DOCTYPE log [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
               <log><trace><string key=\"concept:name\" value=\"&x;\"/></trace></log>";
    assert_eq!(
        refused(log.as_bytes(), &xes),
        "event log, after 0 events: a document type (DTD) is refused: remove the `<!DOCTYPE …>`"
    );
}

#[test]
fn text_around_an_event_log_is_refused() {
    let xes = options(Mapping::built_in("xes").unwrap());
    assert_eq!(
        refused(b"<log/>\n<!-- fine -->\nand more", &xes),
        "event log, after 0 events: there is text after `</log>`: part of it was lost, or something \
         was added"
    );
    assert_eq!(
        refused(b"<?xml version=\"1.0\"?>x<log/>", &xes),
        "event log, after 0 events: there is text before `<log>`: it is no event log, or it is damaged"
    );
    assert!(read_bytes(b"<log/>\n<!-- fine -->\n", "x.xes", &xes).is_ok());
}

/// A mapping with names that the file may not have.
fn people(names: &str) -> ImportOptions {
    let mapping = format!(
        "mapping = \"m\"\ntitle = \"t\"\nabout = \"a\"\nformat = \"delimited\"\n{names}\n[[table]]\n\
         name = \"case_event\"\nattributes = \"rest\"\n[table.columns]\ncase_id = \"Case\"\n\
         activity = \"Case\"\noccurred_at = \"When\"\n"
    );
    options(Mapping::from_text(&mapping).unwrap())
}

#[test]
fn a_misspelt_name_of_a_persons_column_is_refused_before_an_id_is_kept_in_clear() {
    let text = b"Case,Owner,When\nc1,ann,2026-03-02T09:15:00Z\n";
    assert_eq!(
        refused(text, &people("[people]\nOwnr = \"login\"")),
        "the mapping `m` names a column in `[people]` that the file does not have: `Ownr` (did you \
         mean `Owner`?); correct the name, or take it out: what stands under another name would be \
         kept in clear"
    );
    assert!(
        refused(text, &people("drop = [\"Ownr\"]")).contains("in `drop` that the file does not")
    );
    let (taken, _) = read_bytes(text, "x.csv", &people("[people]\nOwner = \"login\"")).unwrap();
    assert!(!taken.texts("case_event", "attributes")[0].as_deref().unwrap().contains("ann"));
    let log = b"<log><trace><string key=\"concept:name\" value=\"c\"/><event>\
                <string key=\"concept:name\" value=\"x\"/><string key=\"org:resourse\" value=\"Ann\"/>\
                <date key=\"time:timestamp\" value=\"2026-03-02T09:15:00Z\"/></event></trace></log>";
    let xes = options(Mapping::built_in("xes").unwrap());
    let error = refused(log, &xes);
    assert!(
        error.starts_with(
            "the mapping `xes` names `org:resource` in `[people]`, which no record has, but \
             `org:resourse` stands in them"
        ),
        "{error}"
    );
}
