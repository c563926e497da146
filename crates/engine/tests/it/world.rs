//! A small operation in March 2026, row by row: a service desk that opens one case each weekday, its
//! feeds with control totals, and a provider's report. Tests take pieces of it away.

use std::{collections::BTreeMap, sync::Arc};

use backstay_engine::{
    AssessRequest, Catalogue, Evidence, Layout,
    assess::assess,
    assessment::Assessment,
    fixture::{self, Fixture},
};
use backstay_evidence::{Digest, Vocabulary};

pub const LAYOUT: Layout = Layout { partitions: 2, batch_rows: 8192 };

/// A table: heading and rows of cells.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub header: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

/// Tables by name; several blocks of one table are several imports.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub blocks: Vec<(&'static str, Rows)>,
}

const CONTROLS: [(&str, &str); 4] = [
    (
        "levels-met",
        "SELECT arrangement_id, concat(service_level_id, ' ', period_start) AS subject,
           CASE WHEN value IS NULL OR gaps > 0 THEN 'gap' WHEN value >= target THEN 'met' ELSE 'missed' END AS outcome,
           ratio_text(numerator, denominator) AS measured, cast(target AS varchar) AS required,
           'measured' AS explanation, evidence
         FROM measurement",
    ),
    (
        "cases-counted",
        "SELECT arrangement_id, case_id AS subject, 'met' AS outcome,
           string_agg(activity, ', ' ORDER BY occurred_at, _ref) AS explanation, array_agg(_ref ORDER BY _ref) AS evidence
         FROM case_event WHERE occurred_at < $as_of GROUP BY arrangement_id, case_id",
    ),
    (
        "teams-known",
        "SELECT e.arrangement_id, concat(e.case_id, ' ', ref_text(e._ref)) AS subject,
           CASE WHEN t.team_id IS NULL THEN 'gap' ELSE 'met' END AS outcome,
           coalesce(t.title, 'no such team') AS explanation, make_array(e._ref) AS evidence
         FROM case_event e LEFT JOIN team t ON t.team_id = e.team_id WHERE e.team_id IS NOT NULL",
    ),
    (
        "functions-owned",
        "SELECT arrangement_id, function_id AS subject, CASE WHEN critical THEN 'met' ELSE 'missed' END AS outcome,
           title AS explanation, make_array(_ref) AS evidence FROM function",
    ),
];

/// The built-in catalogue and four controls of ours.
pub fn catalogue() -> Catalogue {
    let built_in = Catalogue::built_in().unwrap();
    let mut files: Vec<(String, String)> =
        built_in.texts().iter().map(|(file, text)| (file.clone(), text.clone())).collect();
    files.push((
        "trial/risk.md".to_owned(),
        "+++\nid = \"trial\"\ntitle = \"Trial\"\norder = 99\n+++\n## What can happen\nx\n## Loss scenario\nx\n".to_owned(),
    ));
    for (id, sql) in CONTROLS {
        let consults = if id == "teams-known" { "consults = [\"team\"]\n" } else { "" };
        let text = format!(
            "+++\nid = \"{id}\"\ntitle = \"{id}\"\nrisk = \"trial\"\nseverity = \"low\"\nmax_evidence_age_days = 10\n{consults}+++\n\
             ## What it tests\nx\n## Why it matters\nx\n## How it is computed\n```sql\n{sql}\n```\n## What to do\nx\n\
             ## Cases\nperiod 2026-03\n### a\nexpect nothing\n"
        );
        files.push((format!("trial/{id}.md"), text));
    }
    Catalogue::from_texts(files.iter().map(|(file, text)| (file.as_str(), text.as_str()))).unwrap()
}

fn rows(header: &[&'static str], cells: &[&[&str]]) -> Rows {
    let rows =
        cells.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect();
    Rows { header: header.to_vec(), rows }
}

fn weekday(day: u32) -> bool {
    // 1 March 2026 is a Sunday.
    !matches!(day % 7, 0 | 1)
}

/// The operation; nothing is missed, nothing is lacking.
pub fn march() -> World {
    let week = ["09:00-17:00"; 5];
    let mut world = World::default();
    let mut add = |name, rows| world.blocks.push((name, rows));
    add("client", rows(&["client_id", "name"], &[&["meridian", "Meridian"]]));
    add("provider", rows(&["provider_id", "name"], &[&["tala", "Tala"]]));
    add(
        "arrangement",
        rows(
            &[
                "arrangement_id",
                "client_id",
                "provider_id",
                "title",
                "time_zone",
                "default_site_id",
            ],
            &[&["desk", "meridian", "tala", "Service desk", "Europe/Dublin", "dublin"]],
        ),
    );
    add(
        "site",
        rows(&["site_id", "time_zone", "calendar_id"], &[&["dublin", "Europe/Dublin", "office"]]),
    );
    let calendar = ["office", "Europe/Dublin"].into_iter().chain(week).chain([
        "IE",
        "2026-01-01",
        "2027-01-01",
    ]);
    add(
        "calendar",
        rows(
            &[
                "calendar_id",
                "time_zone",
                "monday",
                "tuesday",
                "wednesday",
                "thursday",
                "friday",
                "holiday_places",
                "covered_from",
                "covered_until",
            ],
            &[&calendar.collect::<Vec<_>>()],
        ),
    );
    add(
        "holiday",
        rows(
            &["place", "on_date", "name", "kind"],
            &[&["IE", "2026-03-17", "Saint Patrick's Day", "public"]],
        ),
    );
    add(
        "team",
        rows(
            &["arrangement_id", "team_id", "title", "site_id"],
            &[&["desk", "T1", "First line", "dublin"]],
        ),
    );
    add(
        "function",
        rows(
            &["arrangement_id", "function_id", "title", "critical"],
            &[&["desk", "incidents", "Incidents", "true"]],
        ),
    );
    add(
        "service_level",
        rows(
            &[
                "arrangement_id",
                "service_level_id",
                "function_id",
                "title",
                "metric",
                "target",
                "threshold",
                "window",
                "counts_in",
                "stop_states",
                "paused_states",
                "exclusion_reasons",
                "basis",
                "valid_from",
            ],
            &[
                &[
                    "desk",
                    "resolution",
                    "incidents",
                    "Resolved in 4 h",
                    "turnaround",
                    "0.9",
                    "4h",
                    "month",
                    "opened",
                    "Resolved",
                    "Waiting",
                    "client-delay",
                    "contract",
                    "2026-01-01",
                ],
                &[
                    "desk",
                    "answer",
                    "incidents",
                    "Answered in 1 h",
                    "first-response",
                    "0.8",
                    "1h",
                    "month",
                    "opened",
                    "Assigned|Resolved",
                    "",
                    "",
                    "contract",
                    "2026-01-01",
                ],
            ],
        ),
    );
    add(
        "exclusion",
        rows(
            &["arrangement_id", "exclusion_id", "case_id", "reason", "decision", "source"],
            &[
                &["desk", "X1", "C04", "client-delay", "accepted", "minutes"],
                &["desk", "X2", "C05", "client-delay", "rejected", "minutes"],
            ],
        ),
    );
    let mut events = rows(
        &[
            "arrangement_id",
            "source",
            "case_id",
            "activity",
            "state",
            "occurred_at",
            "team_id",
            "priority",
        ],
        &[],
    );
    let mut deliveries = Vec::new();
    for day in 1..=31 {
        let mut count = 0;
        if weekday(day) {
            for (activity, state, at) in [
                ("open", "New", "09:30"),
                ("assign", "Assigned", "10:00"),
                ("resolve", "Resolved", "12:00"),
            ] {
                let offset = if day >= 29 { "+01:00" } else { "Z" };
                let at = format!("2026-03-{day:02}T{at}:00{offset}");
                let cells = ["desk", "log", &format!("C{day:02}"), activity, state, &at, "T1", "3"];
                events.rows.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
                count += 1;
            }
        }
        deliveries.push((day, count));
    }
    let half = events.rows.len() / 2;
    let second = Rows { header: events.header.clone(), rows: events.rows.split_off(half) };
    add("case_event", events);
    add("case_event", second);
    add("evidence_feed", feeds(&deliveries));
    add(
        "provider_report",
        rows(
            &[
                "arrangement_id",
                "source",
                "report_id",
                "service_level_id",
                "period_start",
                "numerator",
                "denominator",
                "reported_at",
            ],
            &[
                &[
                    "desk",
                    "report",
                    "2026-03",
                    "resolution",
                    "2026-03-01",
                    "21",
                    "21",
                    "2026-03-31T12:00:00Z",
                ],
                &[
                    "desk",
                    "report",
                    "2026-03",
                    "answer",
                    "2026-03-01",
                    "22",
                    "22",
                    "2026-03-31T12:00:00Z",
                ],
            ],
        ),
    );
    world
}

fn feeds(deliveries: &[(u32, u32)]) -> Rows {
    let header = [
        "arrangement_id",
        "feed_id",
        "table_name",
        "entry",
        "cadence",
        "expected_count",
        "nil_return",
        "totals",
        "valid_from",
        "valid_to",
    ];
    let report = |entry, cadence, count, totals, from, until| {
        let feed = ["desk", "reports", "provider_report"];
        [&feed[..], &[entry, cadence, count, "", totals, from, until]].concat()
    };
    let log = |entry, cadence, count, nil, totals, from| {
        let feed = ["desk", "log", "case_event"];
        [&feed[..], &[entry, cadence, count, nil, totals, from, ""]].concat()
    };
    let mut cells = vec![
        report("declared", "month", "", "true", "2026-01-01", ""),
        report("delivered", "", "2", "", "2026-03-01", "2026-04-01"),
        log("declared", "day", "", "", "true", "2026-03-01"),
    ];
    let days: Vec<(String, String)> = deliveries
        .iter()
        .map(|(day, count)| (format!("2026-03-{day:02}"), count.to_string()))
        .collect();
    cells.extend(days.iter().map(|(day, count)| match count.as_str() {
        "0" => log("delivered", "", "", "true", "", day),
        count => log("delivered", "", count, "", "", day),
    }));
    let cells: Vec<&[&str]> = cells.iter().map(Vec::as_slice).collect();
    rows(&header, &cells)
}

impl World {
    /// The world without the blocks of a table.
    pub fn without(&self, table: &str) -> Self {
        let blocks = self.blocks.iter().filter(|(name, _)| *name != table).cloned().collect();
        Self { blocks }
    }

    /// The world without one block.
    pub fn without_block(&self, place: usize) -> Self {
        let mut world = self.clone();
        world.blocks.remove(place);
        world
    }

    /// Keeps only the rows of a table of which `keep` says so.
    pub fn retain(&self, table: &str, keep: impl Fn(&BTreeMap<&str, &str>) -> bool) -> Self {
        let mut world = self.clone();
        for (_, rows) in world.blocks.iter_mut().filter(|(name, _)| *name == table) {
            let header = rows.header.clone();
            rows.rows.retain(|row| {
                let named = header.iter().copied().zip(row.iter().map(String::as_str)).collect();
                keep(&named)
            });
        }
        world
    }

    /// Sets a cell in the rows of a table of which `which` says so.
    pub fn set(
        &self,
        table: &str,
        column: &str,
        value: &str,
        which: impl Fn(&BTreeMap<&str, &str>) -> bool,
    ) -> Self {
        let mut world = self.clone();
        for (_, rows) in world.blocks.iter_mut().filter(|(name, _)| *name == table) {
            let header = rows.header.clone();
            let place = header.iter().position(|name| *name == column).unwrap();
            for row in &mut rows.rows {
                let named = header.iter().copied().zip(row.iter().map(String::as_str)).collect();
                if which(&named) {
                    value.clone_into(&mut row[place]);
                }
            }
        }
        world
    }

    pub fn evidence(&self, layout: fixture::Layout) -> Evidence {
        let vocabulary = Arc::new(Vocabulary::built_in().unwrap());
        let mut fixture = Fixture::new(&vocabulary).layout(layout);
        for (name, rows) in &self.blocks {
            let mut text =
                format!("| {} |\n|{}\n", rows.header.join(" | "), "---|".repeat(rows.header.len()));
            for row in &rows.rows {
                let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
                text.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
            fixture = fixture.table(name, &text).unwrap();
        }
        let (manifest, objects) = fixture.manifest_and_objects().unwrap();
        Evidence {
            vocabulary,
            catalogue: Arc::new(catalogue()),
            manifest: Arc::new(manifest),
            objects: Arc::new(objects),
        }
    }
}

pub fn request(evidence: Evidence) -> AssessRequest<'static> {
    AssessRequest {
        evidence,
        settings: Digest::of(b"settings"),
        period: Some("2026-03".parse().unwrap()),
        now_us: 1_780_000_000_000_000,
        seed: 1,
        layout: LAYOUT,
        cache: None,
    }
}

pub fn assessed(world: &World) -> Assessment {
    assess(&request(world.evidence(fixture::Layout::default()))).unwrap()
}

/// The status of each control, with its reason.
pub fn statuses(assessment: &Assessment) -> BTreeMap<String, String> {
    let of = |control: &backstay_engine::assessment::ControlResult| {
        (control.control.clone(), format!("{}: {}", control.status, control.reason))
    };
    assessment.controls.iter().map(of).collect()
}
