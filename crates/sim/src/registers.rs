//! The registers as files in the vocabulary. Owns which columns are written; it must never choose a
//! value.

use jiff::{civil::Date, tz::TimeZone};

use crate::{
    almanac::with_offset,
    error::SimError,
    table::{Handed, Record, delimited},
    world::{CountsIn, FeedRow, LevelRow, ReportRow, Start, World},
};

/// A file of a table of the vocabulary; the first `identity` columns named make a row's identity.
pub(crate) fn file(
    path: &str,
    table: &str,
    header: &[&str],
    identity: &[&str],
    rows: Vec<Vec<String>>,
) -> Handed {
    let records = rows
        .iter()
        .map(|row| {
            let cell = |name: &&str| {
                let place = header.iter().position(|column| column == name)?;
                row.get(place).cloned()
            };
            let key: Vec<String> = identity.iter().filter_map(cell).collect();
            Record { key: format!("{table}\u{1}{}", key.join("\u{1}")), content: row.join("\u{1}") }
        })
        .collect();
    Handed {
        path: path.into(),
        bytes: delimited(',', header, &rows).into_bytes(),
        as_table: Some(table.into()),
        mapping: None,
        zone: None,
        set: Vec::new(),
        records,
    }
}

/// Thousandths as a decimal share without trailing zeros: 950 is `0.95`.
#[must_use]
pub fn share(thousandths: i64) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn day(day: Option<Date>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// Every register of a world, shared ones first. Nothing is written for an empty one.
///
/// # Errors
/// As of writing instants.
pub fn registers(world: &World) -> Result<Vec<Handed>, SimError> {
    let mut files = vec![
        parties(world, true),
        parties(world, false),
        calendars(world),
        holidays(world),
        sites(world),
        arrangements(world),
        functions(world),
        teams(world),
        levels(world),
        exclusions(world)?,
    ];
    files.retain(|file| !file.records.is_empty());
    Ok(files)
}

fn parties(world: &World, clients: bool) -> Handed {
    if clients {
        let rows = world.clients.iter().map(|row| {
            vec![row.id.clone(), row.name.clone(), row.country.clone(), row.zone.clone()]
        });
        let header = ["client_id", "name", "country", "time_zone"];
        return file("registers/client.csv", "client", &header, &["client_id"], rows.collect());
    }
    let rows = world
        .providers
        .iter()
        .map(|row| vec![row.id.clone(), row.name.clone(), row.country.clone()]);
    let header = ["provider_id", "name", "country"];
    file("registers/provider.csv", "provider", &header, &["provider_id"], rows.collect())
}

fn calendars(world: &World) -> Handed {
    let header = [
        "calendar_id",
        "time_zone",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "holiday_places",
        "holiday_kinds",
        "night_shift",
        "covered_from",
        "covered_until",
        "source",
    ];
    let rows = world.calendars.iter().map(|row| {
        let mut cells = vec![row.id.clone(), row.zone.clone()];
        cells.extend(
            row.week
                .iter()
                .map(|windows| if windows.is_empty() { "closed".into() } else { windows.clone() }),
        );
        cells.push(row.places.join("|"));
        cells.push(row.kinds.join("|"));
        cells.extend(["start-day", "2026-01-01", "2027-01-01"].map(str::to_owned));
        cells.push(row.source.clone());
        cells
    });
    file("registers/calendar.csv", "calendar", &header, &["calendar_id"], rows.collect())
}

fn holidays(world: &World) -> Handed {
    let header = ["place", "on_date", "name", "kind", "windows", "source", "proclaimed_on"];
    let rows = world.holidays.iter().map(|row| {
        vec![
            row.place.clone(),
            row.on.to_string(),
            row.name.clone(),
            row.kind.clone(),
            row.windows.clone().unwrap_or_default(),
            row.source.clone(),
            day(row.proclaimed),
        ]
    });
    file("registers/holiday.csv", "holiday", &header, &["place", "on_date", "name"], rows.collect())
}

fn sites(world: &World) -> Handed {
    let header = ["site_id", "provider_id", "name", "country", "city", "time_zone", "calendar_id"];
    let rows = world.sites.iter().map(|row| {
        [&row.id, &row.provider, &row.name, &row.country, &row.city, &row.zone, &row.calendar]
            .map(String::clone)
            .to_vec()
    });
    file("registers/site.csv", "site", &header, &["site_id"], rows.collect())
}

fn arrangements(world: &World) -> Handed {
    let header = [
        "arrangement_id",
        "client_id",
        "provider_id",
        "title",
        "time_zone",
        "default_site_id",
        "starts_on",
    ];
    let client = world.clients.first().map(|client| client.id.clone()).unwrap_or_default();
    let rows = world.arrangements.iter().map(|row| {
        vec![
            row.id.clone(),
            client.clone(),
            row.provider.clone(),
            row.title.clone(),
            row.zone.clone(),
            row.default_site.clone(),
            "2026-01-01".into(),
        ]
    });
    file("registers/arrangement.csv", "arrangement", &header, &["arrangement_id"], rows.collect())
}

fn functions(world: &World) -> Handed {
    let header = ["arrangement_id", "function_id", "title", "critical"];
    let rows = world.functions.iter().map(|row| {
        vec![row.arrangement.clone(), row.id.clone(), row.title.clone(), row.critical.to_string()]
    });
    file(
        "registers/function.csv",
        "function",
        &header,
        &["arrangement_id", "function_id"],
        rows.collect(),
    )
}

fn teams(world: &World) -> Handed {
    let header = ["arrangement_id", "team_id", "title", "site_id", "function_id"];
    let rows = world.teams.iter().map(|row| {
        [&row.arrangement, &row.id, &row.title, &row.site, &row.function]
            .map(String::clone)
            .to_vec()
    });
    file("registers/team.csv", "team", &header, &["arrangement_id", "team_id"], rows.collect())
}

fn levels(world: &World) -> Handed {
    let header = [
        "arrangement_id",
        "service_level_id",
        "function_id",
        "title",
        "metric",
        "priorities",
        "case_types",
        "target",
        "minimum",
        "threshold",
        "window",
        "counts_in",
        "clock_starts",
        "stop_states",
        "paused_states",
        "calendar_id",
        "exclusion_reasons",
        "basis",
        "source",
        "valid_from",
        "kind",
        "sub_window",
        "exclusion_deadline_days",
    ];
    let rows = world.levels.iter().map(level).collect();
    file(
        "registers/service_level.csv",
        "service_level",
        &header,
        &["arrangement_id", "service_level_id", "valid_from"],
        rows,
    )
}

fn level(row: &LevelRow) -> Vec<String> {
    // What the vocabulary takes for granted is left empty, as a user would.
    let counts_in = match row.counts_in {
        CountsIn::Due => "",
        CountsIn::Closed => "closed",
    };
    let starts = if row.starts == Start::Opened { "" } else { row.starts.word() };
    vec![
        row.arrangement.clone(),
        row.id.clone(),
        row.function.clone(),
        row.title.clone(),
        row.metric.clone(),
        row.priorities.join("|"),
        row.case_types.join("|"),
        share(row.target),
        share(row.minimum),
        if row.threshold % 60 == 0 {
            format!("{}h", row.threshold / 60)
        } else {
            format!("{}m", row.threshold)
        },
        "month".into(),
        counts_in.into(),
        starts.into(),
        row.stop.join("|"),
        row.paused.join("|"),
        row.calendar.clone().unwrap_or_default(),
        row.reasons.join("|"),
        row.basis.clone(),
        row.source.clone(),
        day(row.valid_from),
        if row.is_key_measurement { "key-measurement" } else { "" }.into(),
        if row.by_week { "week" } else { "" }.into(),
        row.request_days.map(|days| days.to_string()).unwrap_or_default(),
    ]
}

fn exclusions(world: &World) -> Result<Handed, SimError> {
    let header = [
        "arrangement_id",
        "exclusion_id",
        "service_level_id",
        "case_id",
        "reason",
        "requested_at",
        "decision",
        "decided_at",
        "source",
    ];
    let zone = TimeZone::get("Europe/Dublin")?;
    let mut rows = Vec::new();
    for row in &world.exclusions {
        rows.push(vec![
            row.arrangement.clone(),
            row.id.clone(),
            row.level.clone(),
            row.case.clone(),
            row.reason.clone(),
            with_offset(row.requested, &zone)?,
            row.decision.clone(),
            row.decided.map(|at| with_offset(at, &zone)).transpose()?.unwrap_or_default(),
            row.source.clone(),
        ]);
    }
    Ok(file(
        "registers/exclusion.csv",
        "exclusion",
        &header,
        &["arrangement_id", "exclusion_id"],
        rows,
    ))
}

/// The declarations and deliveries of evidence.
#[must_use]
pub fn feeds(rows: &[FeedRow]) -> Handed {
    let header = [
        "arrangement_id",
        "feed_id",
        "table_name",
        "entry",
        "cadence",
        "calendar_id",
        "expected_count",
        "nil_return",
        "totals",
        "valid_from",
        "valid_to",
    ];
    let cells = rows.iter().map(|row| {
        vec![
            row.arrangement.clone(),
            row.feed.clone(),
            row.table.clone(),
            row.entry.clone(),
            row.cadence.clone().unwrap_or_default(),
            row.calendar.clone().unwrap_or_default(),
            row.count.map(|count| count.to_string()).unwrap_or_default(),
            if row.nil { "true".into() } else { String::new() },
            if row.totals { "true".into() } else { String::new() },
            row.from.to_string(),
            day(row.until),
        ]
    });
    let identity = ["arrangement_id", "feed_id", "table_name", "entry", "valid_from"];
    file("registers/evidence_feed.csv", "evidence_feed", &header, &identity, cells.collect())
}

/// A provider's report in the vocabulary.
///
/// # Errors
/// As of writing instants.
pub fn report(path: &str, rows: &[ReportRow], reported_at: &str) -> Result<Handed, SimError> {
    let header = [
        "arrangement_id",
        "source",
        "service_level_id",
        "period_start",
        "case_id",
        "outcome",
        "numerator",
        "denominator",
        "stated_calendar_id",
        "stated_clock_starts",
        "stated_paused_states",
        "reported_at",
    ];
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    let cells = rows.iter().map(|row| {
        let paused = row
            .stated
            .paused
            .as_ref()
            .map(|states| if states.is_empty() { "none".to_owned() } else { states.join("|") });
        vec![
            row.arrangement.clone(),
            SOURCE.into(),
            row.level.clone(),
            row.month.to_string(),
            row.case.clone().unwrap_or_default(),
            row.outcome.clone().unwrap_or_default(),
            number(row.numerator),
            number(row.denominator),
            row.stated.calendar.clone().unwrap_or_default(),
            row.stated.starts.map(Start::word).unwrap_or_default().to_owned(),
            paused.unwrap_or_default(),
            reported_at.to_owned(),
        ]
    });
    let identity = ["arrangement_id", "source", "service_level_id", "period_start", "case_id"];
    Ok(file(path, "provider_report", &header, &identity, cells.collect()))
}

/// The `source` of every provider report here: the figure and the case list are one report.
pub const SOURCE: &str = "monthly report";
