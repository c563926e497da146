//! iCalendar: holidays from events, and every file of the collection, good or broken.

use backstay_evidence::{ImportOptions, Mapping, ReadError, SourceInfo, trace::locate};

use crate::support::{Taken, data, read_bytes};

fn holidays() -> ImportOptions {
    ImportOptions {
        mapping: Some(Mapping::built_in("icalendar-holidays").unwrap()),
        set: [("place".to_owned(), "PH".to_owned())].into(),
        ..ImportOptions::default()
    }
}

fn calendar(events: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nPRODID:-//Example//EN\r\nX-WR-CALNAME:Holidays\r\n{events}END:VCALENDAR\r\n"
    )
}

fn days(taken: &Taken) -> Vec<String> {
    let mut days = Vec::new();
    for rows in taken.tables("holiday") {
        let column = rows.column_by_name("on_date").unwrap();
        let column = arrow::array::AsArray::as_primitive::<arrow::datatypes::Date32Type>(column);
        for day in column.values() {
            let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(*day);
            days.push(date.to_string());
        }
    }
    days
}

fn read(events: &str) -> Taken {
    read_bytes(calendar(events).as_bytes(), "x.ics", &holidays()).unwrap().0
}

#[test]
fn whole_days_several_days_and_recurring_days_become_holidays() {
    let taken = read(
        "BEGIN:VEVENT\r\nSUMMARY:Rizal Day\\, observ\r\n ed\r\nDTSTART;VALUE=DATE:20261230\r\nSEQUENCE:2\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nSUMMARY:Holy week\r\nDTSTART;VALUE=DATE:20260402\r\nDTEND;VALUE=DATE:20260405\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nSUMMARY:Labour Day\r\nDTSTART;VALUE=DATE:20330501\r\nRRULE:FREQ=YEARLY\r\n\
         EXDATE;VALUE=DATE:20340501\r\nCATEGORIES:Observance\r\nEND:VEVENT\r\n",
    );
    assert_eq!(taken.codes(), []);
    assert_eq!(
        days(&taken),
        ["2026-12-30", "2026-04-02", "2026-04-03", "2026-04-04", "2033-05-01", "2035-05-01"]
    );
    let of = |column: &str| {
        taken
            .texts("holiday", column)
            .into_iter()
            .map(Option::unwrap_or_default)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("name")[0], "Rizal Day, observed");
    assert_eq!(of("place"), ["PH"; 6]);
    assert_eq!(of("source")[0], "Holidays");
    assert_eq!(of("kind")[3..5], ["public", "observance"]);
}

#[test]
fn timed_events_fall_on_the_civil_days_of_their_place() {
    let taken = read(
        "BEGIN:VEVENT\r\nSUMMARY:a\r\nDTSTART;TZID=Asia/Manila:20260302T220000\r\nDTEND;TZID=Asia/Manila:20260303T000000\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nSUMMARY:b\r\nDTSTART;TZID=Nowhere/Special:20260304T220000\r\nDURATION:PT4H\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nSUMMARY:c\r\nDTSTART:20260306T220000Z\r\nEND:VEVENT\r\n",
    );
    assert_eq!(days(&taken), ["2026-03-02", "2026-03-04", "2026-03-05"]);
    assert_eq!(taken.codes(), [(3, "no-zone")]);
    let utc = "BEGIN:VEVENT\r\nSUMMARY:c\r\nDTSTART:20260306T220000Z\r\nEND:VEVENT\r\n";
    let zoned = format!("X-WR-TIMEZONE:Asia/Manila\r\n{utc}");
    assert_eq!(days(&read(&zoned)), ["2026-03-07"]);
    let dublin = ImportOptions { zone: Some("Europe/Dublin".into()), ..holidays() };
    let (taken, _) = read_bytes(calendar(&zoned).as_bytes(), "x.ics", &dublin).unwrap();
    assert_eq!(days(&taken), ["2026-03-06"], "what is asked for goes before what the file says");
}

#[test]
fn events_that_cannot_be_laid_out_are_quarantined_with_the_reason() {
    let event = |lines: &str| format!("BEGIN:VEVENT\r\nSUMMARY:x\r\n{lines}\r\nEND:VEVENT\r\n");
    let taken = read(
        &[
            event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=YEARLY;BYWEEKNO=1"),
            event("DTSTART;VALUE=DATE:20260101\r\nRECURRENCE-ID;VALUE=DATE:20260102"),
            event("DTSTART;VALUE=DATE:20260231"),
            event("DTSTART;VALUE=DATE:20260101\r\nDTEND;VALUE=DATE:20990101"),
            event("LOCATION:nowhere"),
            event("DTSTART;VALUE=DATE:20260101\r\nSTATUS:CANCELLED"),
            event("DTSTART;VALUE=DATE:20260101\r\nthis is no property"),
            event("DTSTART;VALUE=DATE:20260105"),
        ]
        .concat(),
    );
    assert_eq!(
        taken.codes(),
        [
            (1, "bad-recurrence"),
            (2, "bad-recurrence"),
            (3, "bad-date"),
            (4, "bad-date"),
            (5, "bad-date"),
            (6, "cancelled"),
            (7, "bad-line"),
        ]
    );
    assert_eq!(days(&taken), ["2026-01-05"]);
    assert_eq!(
        taken.rejections[0].reason,
        "the event recurs, and its rule uses `BYWEEKNO`, which is not read"
    );
}

#[test]
fn a_rule_that_never_ends_is_bounded_by_the_window_of_the_mapping() {
    let daily = "BEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART;VALUE=DATE:19000101\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n";
    let taken = read(daily);
    assert_eq!(taken.rows("holiday"), 7_670, "each day of 2015 to 2035");
    let text = Mapping::built_in("icalendar-holidays").unwrap().text().to_owned();
    let text = text.replace("[recurrence]\nfrom = \"2015-01-01\"\nuntil = \"2036-01-01\"\n", "");
    let unbounded =
        ImportOptions { mapping: Some(Mapping::from_text(&text).unwrap()), ..holidays() };
    let (taken, _) = read_bytes(calendar(daily).as_bytes(), "x.ics", &unbounded).unwrap();
    assert_eq!(taken.codes(), [(1, "bad-recurrence")]);
    assert!(taken.rejections[0].reason.contains("give the mapping a `[recurrence]`"));
}

#[test]
fn calendars_without_events_or_cut_off_are_refused() {
    let error = |text: &str| match read_bytes(text.as_bytes(), "x.ics", &holidays()) {
        Ok((taken, _)) => panic!("{taken:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(
        error("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
        "calendar, line 2: the calendar holds no event (`VEVENT`), so there is nothing to take"
    );
    assert_eq!(
        error("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"),
        "calendar, line 2: the file ends before `END:VCALENDAR`: it is cut off"
    );
    assert_eq!(
        error("BEGIN:VCALENDAR\r\nEND:VTODO\r\n"),
        "calendar, line 2: an `END` without its `BEGIN`: the file is damaged"
    );
    let plain = read_bytes(b"BEGIN:VCALENDAR\r\n", "x.ics", &ImportOptions::default());
    assert!(plain.unwrap_err().to_string().contains("`--mapping icalendar-holidays`"));
}

#[test]
fn an_event_leads_back_to_its_lines() {
    let text = calendar(
        "BEGIN:VEVENT\r\nSUMMARY:a\r\nDTSTART;VALUE=DATE:20260101\r\nEND:VEVENT\r\n\
         BEGIN:VEVENT\r\nSUMMARY:b\r\n c\r\nDTSTART;VALUE=DATE:20260102\r\nEND:VEVENT\r\n",
    );
    let found = locate(&mut text.as_bytes(), &SourceInfo::default(), &holidays(), 2).unwrap();
    assert_eq!((found.first_line, found.last_line), (8, 12));
    assert_eq!(found.cells["SUMMARY"], "bc");
    assert!(found.text.starts_with("BEGIN:VEVENT\nSUMMARY:bc\n"), "{}", found.text);
}

#[test]
fn every_file_of_the_collection_gives_rows_reasons_or_a_clear_error() {
    let folder = data().join("calendars/icalendar");
    let mut told = std::collections::BTreeMap::new();
    let vienna = ImportOptions { zone: Some("Europe/Vienna".into()), ..holidays() };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let outcome = match read_bytes(&bytes, &name, &vienna) {
            Ok((taken, summary)) => {
                let codes: Vec<&str> = taken.rejections.iter().map(|r| r.code.as_str()).collect();
                assert_eq!(
                    summary.records,
                    summary.rejected + u64::from(taken.rows("holiday") > 0)
                );
                format!("{} rows {}", taken.rows("holiday"), codes.join(" "))
            }
            Err(error @ ReadError::Format { .. }) => error.to_string(),
            Err(other) => panic!("{name}: {other}"),
        };
        told.insert(name, outcome.trim().to_owned());
    }
    assert!(told.len() >= 38, "{} files", told.len());
    let of = |name: &str| told[name].as_str();
    // Recurring events of 1996 and 2012 lie before the window of 2015 to 2035.
    assert_eq!(of("event_with_recurrence.ics"), "0 rows no-table");
    assert_eq!(of("event_with_unicode_fields.ics"), "1 rows");
    assert_eq!(of("issue_157_removes_trailing_semicolon.ics"), "0 rows missing-required");
    assert_eq!(of("issue_464_invalid_rdate.ics"), "0 rows bad-recurrence");
    assert_eq!(of("issue_104_mark_events_broken.ics"), "0 rows bad-line");
    assert_eq!(of("issue_156_RDATE_with_PERIOD_list.ics"), "3 rows");
    assert_eq!(of("rfc_7265_example_4.ics"), "0 rows missing-required");
    assert!(of("issue_53_tzid_parsed_properly.ics").contains("holds no event"));
    assert!(of("example.ics").contains("holds no event"));
    for (name, outcome) in &told {
        println!("{name}: {outcome}");
    }
}

#[test]
fn damaged_calendars_and_json_lines_never_break_the_reader() {
    let calendar = calendar(
        "BEGIN:VEVENT\r\nSUMMARY:a\r\n b\r\nDTSTART;TZID=Asia/Manila:20200302T220000\r\nDURATION:PT4H\r\n\
         RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20301231T000000Z\r\nEXDATE:20260327T140000Z\r\nEND:VEVENT\r\n",
    );
    let lines =
        "{\"id\":\"T1\",\"of\":{\"a\":[1,{\"b\":null}],\"n\":1.5e3},\"team_id\":\"t\"}\n".repeat(4);
    let team = ImportOptions { as_table: Some("team".into()), ..ImportOptions::default() };
    let mut state = 3_u64;
    for (text, name, options) in
        [(calendar.as_str(), "x.ics", holidays()), (lines.as_str(), "team.jsonl", team)]
    {
        assert!(text.is_ascii());
        for cut in 0..text.len() {
            let _ = read_bytes(&text.as_bytes()[..cut], name, &options);
        }
        for _ in 0..600 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..4 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = (state >> 20) as u8;
            }
            let _ = read_bytes(&bytes, name, &options);
        }
    }
}
