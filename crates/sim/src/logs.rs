//! The work logs as the providers' tools write them: monthly files that overlap by some days. Owns
//! the layouts and the spoilt records; it must never change what happened.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};
use jiff::{
    civil::{Date, date},
    tz::TimeZone,
};

use crate::{
    Plant,
    almanac::{at_civil, civil_at, with_offset},
    error::SimError,
    meridian_work::SCRIPTED_PERSON,
    table::{Handed, Record, delimited, latin_1},
    world::{Case, Event, Minute},
};

/// A monthly file: its name's month, and the civil days it holds.
#[derive(Debug, Clone, Copy)]
pub struct Drop {
    /// Month in the file's name.
    pub month: &'static str,
    /// First day.
    pub from: Date,
    /// First day after.
    pub until: Date,
}

/// The files of the worked example; each begins some days before the one before it ends.
#[must_use]
pub fn drops() -> [Drop; 4] {
    [
        Drop { month: "2026-08", from: date(2026, 7, 27), until: date(2026, 9, 1) },
        Drop { month: "2026-09", from: date(2026, 8, 29), until: date(2026, 10, 1) },
        Drop { month: "2026-10", from: date(2026, 9, 28), until: date(2026, 11, 1) },
        Drop { month: "2026-11", from: date(2026, 10, 30), until: date(2026, 11, 5) },
    ]
}

/// The logs of one month.
///
/// # Errors
/// As of writing instants, or of packing.
pub fn month(cases: &[Case], drop: Drop, plants: &[Plant]) -> Result<Vec<Handed>, SimError> {
    let spoilt = plants.contains(&Plant::SpoiltRows);
    let corrected = plants.contains(&Plant::CorrectedRow);
    Ok(vec![
        payroll(cases, drop)?,
        claims(cases, drop, spoilt)?,
        accounts(cases, drop, corrected)?,
        desk(cases, drop, spoilt)?,
    ])
}

/// The events of some arrangements within a file's days, in the order of time.
fn events<'a>(
    cases: &'a [Case],
    arrangements: &[&str],
    drop: Drop,
    zone: &TimeZone,
) -> Result<Vec<(&'a Case, &'a Event)>, SimError> {
    let (from, until) = (at_civil(drop.from, 0, zone)?, at_civil(drop.until, 0, zone)?);
    let within = |event: &&Event| (from..until).contains(&event.at);
    let here = cases.iter().filter(|case| arrangements.contains(&case.arrangement.as_str()));
    let mut found: Vec<(&Case, &Event)> = here
        .flat_map(|case| case.events.iter().filter(within).map(move |event| (case, event)))
        .collect();
    found.sort_by(|left, right| (left.1.at, left.1).cmp(&(right.1.at, right.1)));
    Ok(found)
}

fn handed(path: String, bytes: Vec<u8>, records: Vec<Record>) -> Handed {
    Handed { path, bytes, as_table: None, mapping: None, zone: None, set: Vec::new(), records }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// Payroll: one file of the vocabulary for both arrangements, times with their offset.
fn payroll(cases: &[Case], drop: Drop) -> Result<Handed, SimError> {
    let zone = TimeZone::get("Asia/Manila")?;
    let header = [
        "arrangement_id",
        "source",
        "case_id",
        "case_type",
        "activity",
        "state",
        "occurred_at",
        "opened_at",
        "person_id",
        "team_id",
        "site_id",
    ];
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for (case, event) in events(cases, &["payroll-manila", "payroll-cebu"], drop, &zone)? {
        let row = vec![
            case.arrangement.clone(),
            "talahib workflow".into(),
            event.case.clone(),
            text(event.case_type.as_ref()),
            event.activity.clone(),
            event.state.clone(),
            with_offset(event.at, &zone)?,
            with_offset(event.opened, &zone)?,
            text(event.person.as_ref()),
            text(event.team.as_ref()),
            text(event.site.as_ref()),
        ];
        let key = format!("{} {} {} {}", case.arrangement, event.case, event.activity, event.at);
        records.push(Record { key, content: row.join("\u{1}") });
        rows.push(row);
    }
    let bytes = delimited(',', &header, &rows).into_bytes();
    let file = handed(format!("work/payroll-{}.csv", drop.month), bytes, records);
    Ok(Handed { as_table: Some("case_event".into()), ..file })
}

/// Claims: an XES log, packed.
fn claims(cases: &[Case], drop: Drop, spoilt: bool) -> Result<Handed, SimError> {
    let zone = TimeZone::get("Asia/Kolkata")?;
    let months = TimeZone::get("Europe/Dublin")?;
    let mut by_case: Vec<(&Case, Vec<&Event>)> = Vec::new();
    let mut found = events(cases, &["claims"], drop, &months)?;
    found.sort_by(|left, right| (&left.0.id, left.1.at).cmp(&(&right.0.id, right.1.at)));
    for (case, event) in found {
        match by_case.last_mut() {
            Some((last, events)) if last.id == case.id => events.push(event),
            _ => by_case.push((case, vec![event])),
        }
    }
    let mut xml = String::from(XES_HEAD);
    let mut records = Vec::new();
    for (place, (case, events)) in by_case.iter().enumerate() {
        xml.push_str(&format!(
            "\t<trace>\n\t\t<string key=\"concept:name\" value=\"{}\"/>\n",
            case.id
        ));
        for event in events {
            let time = with_offset(event.at, &zone)?;
            xml.push_str(&xes_event(event, Some(&time)));
            let key = format!("claims {} {} {}", event.case, event.activity, event.at);
            records.push(Record { key, content: format!("{:?} {:?}", event.person, event.team) });
        }
        // Two events of the first file came out of the tool without a time that can be read.
        let note = match (spoilt && drop.month == "2026-08", place, events.last()) {
            (true, 17, Some(event)) => Some((event, None)),
            (true, 41, Some(event)) => Some((event, Some("2026-08-32T10:15:00+05:30"))),
            _ => None,
        };
        if let Some((event, time)) = note {
            xml.push_str(&xes_event(event, time));
            records.push(Record::bad());
        }
        xml.push_str("\t</trace>\n");
    }
    xml.push_str("</log>\n");
    let path = format!("work/claims-{}.xes.gz", drop.month);
    let file = handed(path.clone(), packed(xml.as_bytes(), &path)?, records);
    let set = vec![("arrangement_id".to_owned(), "claims".to_owned())];
    Ok(Handed { mapping: Some("xes".into()), set, ..file })
}

const XES_HEAD: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!-- Made up: claims of an insurer that does not exist. -->\n",
    "<log xes.version=\"1849-2016\" xmlns=\"http://www.xes-standard.org/\">\n",
    "\t<extension name=\"Concept\" prefix=\"concept\" uri=\"http://www.xes-standard.org/concept.xesext\"/>\n",
    "\t<extension name=\"Time\" prefix=\"time\" uri=\"http://www.xes-standard.org/time.xesext\"/>\n",
    "\t<extension name=\"Organizational\" prefix=\"org\" uri=\"http://www.xes-standard.org/org.xesext\"/>\n",
    "\t<extension name=\"Lifecycle\" prefix=\"lifecycle\" uri=\"http://www.xes-standard.org/lifecycle.xesext\"/>\n",
    "\t<string key=\"concept:name\" value=\"Meridian Mutual claims (made up)\"/>\n",
);

fn xes_event(event: &Event, time: Option<&str>) -> String {
    let mut xml = String::from("\t\t<event>\n");
    let mut add = |kind: &str, key: &str, value: &str| {
        xml.push_str(&format!("\t\t\t<{kind} key=\"{key}\" value=\"{value}\"/>\n"));
    };
    add("string", "concept:name", &event.activity);
    add("string", "lifecycle:transition", "complete");
    if let Some(person) = &event.person {
        add("string", "org:resource", person);
    }
    if let Some(team) = &event.team {
        add("string", "org:group", team);
    }
    if let Some(time) = time {
        add("date", "time:timestamp", time);
    }
    xml.push_str("\t\t</event>\n");
    xml
}

/// Packs with gzip, without a time in its head.
fn packed(bytes: &[u8], path: &str) -> Result<Vec<u8>, SimError> {
    let failed = |cause| SimError::Write(path.to_owned(), cause);
    let mut packer = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(9));
    packer.write_all(bytes).map_err(failed)?;
    packer.finish().map_err(failed)
}

/// Local time in a layout, without an offset.
fn local(at: Minute, zone: &TimeZone, layout: &str) -> Result<String, SimError> {
    Ok(civil_at(at, zone)?.strftime(layout).to_string())
}

/// Accounts payable: semicolons, Latin-1, Kraków's wall clock. One posting stands too late in
/// September's file and is put right in October's.
fn accounts(cases: &[Case], drop: Drop, corrected: bool) -> Result<Handed, SimError> {
    let zone = TimeZone::get("Europe/Warsaw")?;
    let layout = "%d.%m.%Y %H:%M";
    let header = [
        "Log no",
        "Document",
        "Kind",
        "Step",
        "Changed",
        "Entered",
        "Clerk",
        "Supplier",
        "Amount EUR",
    ];
    let all = Drop { month: "", from: date(2026, 7, 1), until: date(2026, 12, 31) };
    let everything = events(cases, &["accounts-payable"], all, &zone)?;
    let (from, until) = (at_civil(drop.from, 0, &zone)?, at_civil(drop.until, 0, &zone)?);
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for (number, (case, event)) in (700_001_i64..).zip(everything) {
        if !(from..until).contains(&event.at) {
            continue;
        }
        let scripted = event.person.as_deref() == Some(SCRIPTED_PERSON) && event.step == 2;
        let late = corrected && scripted && drop.month == "2026-09";
        let at = if late { at_civil(date(2026, 9, 29), 600, &zone)? } else { event.at };
        let (supplier, amount) = supplier(&case.id);
        let kind = if event.case_type.as_deref() == Some("query") { "Query" } else { "Invoice" };
        let row = vec![
            number.to_string(),
            event.case.clone(),
            kind.to_owned(),
            event.activity.clone(),
            local(at, &zone, layout)?,
            local(event.opened, &zone, layout)?,
            text(event.person.as_ref()),
            supplier,
            amount,
        ];
        records.push(Record { key: format!("ap {number}"), content: row.join("\u{1}") });
        rows.push(row);
    }
    let bytes = latin_1(&delimited(';', &header, &rows));
    let file = handed(format!("work/accounts-payable-{}.csv", drop.month), bytes, records);
    Ok(Handed { mapping: Some("mappings/accounts-payable.toml".into()), ..file })
}

/// A supplier and an amount for a document, the same in every file.
fn supplier(case: &str) -> (String, String) {
    const NAMES: [&str; 7] = [
        "Café Größe & Fils",
        "Dún Oifig Teoranta",
        "Müller Bürobedarf",
        "Ógra Print",
        "Señal Networks",
        "Jastrzab Courier",
        "Åre Catering",
    ];
    let number: usize =
        case.trim_start_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap_or(0);
    let name = NAMES.get(number % NAMES.len()).copied().unwrap_or("Supplier");
    let cents = (number * 7_919) % 900_000 + 1_250;
    let (euros, cents) = (cents / 100, cents % 100);
    let amount = if euros >= 1000 {
        format!("{}.{:03},{cents:02}", euros / 1000, euros % 1000)
    } else {
        format!("{euros},{cents:02}")
    };
    (format!("{name} (made up)"), amount)
}

/// Service desk: an incident export with day before month and no offset, in Dublin's wall clock.
fn desk(cases: &[Case], drop: Drop, spoilt: bool) -> Result<Handed, SimError> {
    let zone = TimeZone::get("Europe/Dublin")?;
    let header = [
        "number",
        "incident_state",
        "sys_mod_count",
        "opened_at",
        "sys_updated_by",
        "sys_updated_at",
        "contact_type",
        "priority",
        "assignment_group",
    ];
    let mut found = events(cases, &["service-desk"], drop, &zone)?;
    found.sort_by(|left, right| (&left.0.id, left.1.step).cmp(&(&right.0.id, right.1.step)));
    let missing = |value: Option<&String>| value.cloned().unwrap_or_else(|| "?".to_owned());
    let (mut rows, mut records): (Vec<Vec<String>>, Vec<Record>) = (Vec::new(), Vec::new());
    for (case, event) in found {
        let row = vec![
            event.case.clone(),
            event.state.clone(),
            event.step.to_string(),
            local(event.opened, &zone, "%d/%m/%Y %H:%M")?,
            missing(event.person.as_ref()),
            local(event.at, &zone, "%d/%m/%Y %H:%M")?,
            if case.id.ends_with('7') { "Self service" } else { "Phone" }.to_owned(),
            missing(event.priority.as_ref()),
            missing(event.team.as_ref()),
        ];
        records.push(Record {
            key: format!("desk {}/{}", event.case, event.step),
            content: row.join("\u{1}"),
        });
        rows.push(row);
    }
    if spoilt {
        spoil(&mut rows, &mut records, drop.month);
    }
    let mut bytes = delimited(',', &header, &rows);
    if spoilt && matches!(drop.month, "2026-08" | "2026-09") {
        // The tool ends its export with a count, which is no row.
        bytes.push_str(&format!("{} rows exported\n", rows.len()));
        records.push(Record::bad());
    }
    let file = handed(format!("work/service-desk-{}.csv", drop.month), bytes.into_bytes(), records);
    let set = vec![("arrangement_id".to_owned(), "service-desk".to_owned())];
    Ok(Handed {
        mapping: Some("mappings/service-desk.toml".into()),
        zone: Some("Europe/Dublin".into()),
        set,
        ..file
    })
}

/// Puts records among the others that cannot be taken: an impossible day, a missing number, and a
/// time in the hour that came twice on 25 October.
fn spoil(rows: &mut Vec<Vec<String>>, records: &mut Vec<Record>, month: &str) {
    let changes: &[(usize, usize, &str)] = match month {
        "2026-08" => &[(120, 5, "32/08/2026 10:15"), (388, 0, "?")],
        "2026-10" => &[(505, 5, "25/10/2026 01:30")],
        _ => &[],
    };
    for (place, column, value) in changes {
        let Some(mut row) = rows.get(*place).cloned() else { continue };
        for (index, cell) in row.iter_mut().enumerate() {
            // Its own counter, so that it is nobody's second version.
            if index == 2 {
                *cell = "90".to_owned();
            }
            if index == *column {
                *cell = (*value).to_owned();
            }
        }
        rows.insert(place + 1, row);
        records.insert(place + 1, Record::bad());
    }
}
