//! Puts the worked example together: cases, exclusions, reports, feeds, files, truth. Owns the order
//! of these steps; it must never decide what a step makes.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};

use crate::{
    Outcome, Plant, Scenario,
    almanac::{Almanac, at_civil, in_utc},
    credit,
    error::SimError,
    feeds::{self, Surplus},
    hours, logs, meridian_work,
    operation::{Operation, Plan},
    provider, registers,
    table::{Handed, Record, count_imports, delimited},
    truth::{ImportTruth, LadderTruth, PlantTruth, Truth},
    verdict::{self, Fault},
    work,
    world::{Case, ExclusionRow, ReportRow, Stated},
};

/// Files that are the same for every seed.
const OTHERS: [(&str, &str); 4] = [
    ("README.md", include_str!("../assets/README.md")),
    ("mappings/accounts-payable.toml", include_str!("../assets/mappings/accounts-payable.toml")),
    ("mappings/monthly-report.toml", include_str!("../assets/mappings/monthly-report.toml")),
    ("mappings/service-desk.toml", include_str!("../assets/mappings/service-desk.toml")),
];

/// The month for which the controls' statuses are stated.
const PERIOD: &str = "2026-10";

/// Draws before a plant is given up.
pub(crate) const ATTEMPTS: u64 = 12;
/// Sets the seeds of later draws far apart.
pub(crate) const SALT: u64 = 0x9e6c_63d0_876a_68ee;

/// Simulates the worked example.
///
/// # Errors
/// When a plant finds no room.
pub fn simulate(scenario: &Scenario) -> Result<Outcome, SimError> {
    // A draw that leaves no room for a plant is drawn again from a seed that follows from the first.
    let draw = |attempt: u64| simulate_once(scenario, scenario.seed ^ attempt.wrapping_mul(SALT));
    let mut outcome = draw(0);
    for attempt in 1..ATTEMPTS {
        if !matches!(outcome, Err(SimError::Plant(_))) {
            break;
        }
        outcome = draw(attempt);
    }
    outcome
}

fn simulate_once(scenario: &Scenario, seed: u64) -> Result<Outcome, SimError> {
    let has = |plant: Plant| scenario.plants.contains(&plant);
    let mut operation = meridian_work::operation(&scenario.plants);
    let world = &operation.world;
    let almanac =
        Almanac::walk(&world.calendars, &world.holidays, date(2026, 7, 25), date(2026, 12, 31))?;
    let scripted = if has(Plant::CorrectedRow) { vec![scripted()?] } else { Vec::new() };
    let mut cases = work::draw_cases(&operation, &almanac, seed, scenario.size, scripted)?;
    let apart = hours::plan(&operation.world, has(Plant::HoursApart), scenario.seed)?;
    cases.extend(hours::cases(has(Plant::HoursApart))?);
    operation.world.exclusions = exclusions(&operation, &almanac, &cases)?;
    let (reports, ladders) = reports(&operation, &almanac, &cases, seed)?;
    let surplus = surplus(&scenario.plants);
    let mut feed_rows = feeds::feeds(&operation, &cases, &feeds::MERIDIAN, &surplus)?;
    feed_rows.extend(hours::feeds(&apart, &operation.world));

    let faults = faults(&operation, &surplus);
    let quality = crate::quality::simulate(&operation, &cases, &faults, &scenario.plants, seed)?;
    feed_rows.extend(quality.feeds);

    let mut handed = registers::registers(&operation.world)?;
    handed.extend(hours::files(&apart, &operation.world)?);
    for drop in logs::drops() {
        handed.extend(logs::month(&cases, drop, &scenario.plants)?);
    }
    handed.extend(report_files(&reports)?);
    handed.extend(quality.handed);
    let measures = verdict::measures(&operation, &almanac, &cases)?;
    let credited = credit::credited(&measures, &faults, &scenario.plants)?;
    feed_rows.extend(credit::feeds(&credited.truth)?);
    handed.push(registers::feeds(&feed_rows));
    handed.extend(credited.files);

    let mut controls = verdict::controls(&operation, &measures, &ladders, &faults, PERIOD);
    let wrong = |id: &str| {
        faults.iter().find(|fault| fault.arrangement == id).map(|fault| fault.what.clone())
    };
    let of_hours = hours::reckon(&apart, &operation.world, &almanac, &cases, &wrong)?;
    controls.extend(of_hours.controls);
    controls.extend(quality.controls);
    controls.extend(credited.controls);
    let imports = count_imports(&handed);
    let mut plants = plants(scenario, &operation, &cases, &ladders, &faults)?;
    plants.extend(quality.plants);
    plants.extend(spoilt(&imports));
    plants.extend(of_hours.plants);
    plants.extend(credited.plants);
    let truth = Truth {
        schema: "backstay.truth/1".into(),
        about:
            "What is true of this made-up operation, reckoned minute by minute by the program that \
                made the files. Figures are as of the end of their month in the arrangement's zone."
                .into(),
        seed: scenario.seed,
        period: PERIOD.into(),
        imports,
        measures,
        controls,
        ladders,
        overlaps: of_hours.overlaps,
        credits: credited.truth,
        plants,
        quality: quality.truth,
    };
    Outcome::gather(&handed, &OTHERS, truth)
}

/// The invoice whose posting is put right: entered on a Thursday before a closed Friday, posted on
/// the Monday after, within its 16 hours.
fn scripted() -> Result<Case, SimError> {
    let zone = TimeZone::get("Europe/Warsaw")?;
    let at = |day, hour: i64, minute: i64| at_civil(date(2026, 9, day), hour * 60 + minute, &zone);
    Ok(meridian_work::scripted(at(24, 9, 0)?, at(24, 10, 15)?, at(28, 14, 0)?))
}

/// Where the sender counts rows that nobody holds.
fn surplus(plants: &[Plant]) -> Vec<Surplus> {
    let mut found = Vec::new();
    if plants.contains(&Plant::ControlTotal) {
        found.push(Surplus { arrangement: "service-desk", day: date(2026, 10, 12), rows: 3 });
    }
    if plants.contains(&Plant::SpoiltRows) {
        // The row in the hour that came twice was sent, but cannot be taken.
        found.push(Surplus { arrangement: "service-desk", day: date(2026, 10, 19), rows: 1 });
    }
    found
}

fn faults(operation: &Operation, surplus: &[Surplus]) -> Vec<Fault> {
    let blind = operation.blind.iter().map(|(arrangement, day)| Fault {
        arrangement: (*arrangement).into(),
        what: format!("no evidence came for {day}"),
        days: vec![*day],
    });
    let mut faults: Vec<Fault> = blind.collect();
    let mut by: BTreeMap<&str, Vec<(Date, String)>> = BTreeMap::new();
    for row in surplus {
        let rows = if row.rows == 1 { "1 row".to_owned() } else { format!("{} rows", row.rows) };
        let text = format!("{rows} fewer held than sent in the week of {}", row.day);
        by.entry(row.arrangement).or_default().push((row.day, text));
    }
    faults.extend(by.into_iter().map(|(arrangement, rows)| {
        let (days, texts): (Vec<Date>, Vec<String>) = rows.into_iter().unzip();
        Fault { arrangement: arrangement.into(), what: texts.join("; "), days }
    }));
    faults
}

/// Requests to leave cases out: some accepted, one rejected, one open, in a few levels. All concern
/// cases that were over and decided before their month's end.
fn exclusions(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
) -> Result<Vec<ExclusionRow>, SimError> {
    const LEVELS: [(&str, &str, &str); 5] = [
        ("payroll-manila", "salary-change", "client-delay"),
        ("payroll-manila", "query-answer", "client-delay"),
        ("payroll-cebu", "timesheet-fix", "client-delay"),
        ("claims", "settlement", "force-majeure"),
        ("service-desk", "resolution-p3", "client-delay"),
    ];
    let mut rows = Vec::new();
    for (arrangement, level, reason) in LEVELS {
        for month in &operation.months {
            let key = (arrangement, level, *month);
            let counted = operation.counted(almanac, cases, key, &Stated::default())?;
            let zone = operation.zone(arrangement)?;
            let by =
                |day: i64, minute| at_civil(month.checked_add((day - 1).days())?, minute, &zone);
            let over = by(20, 0)?;
            let fit = |met: bool| {
                let fit = counted.iter().filter(move |row| row.met == met);
                fit.filter(move |row| row.reading.closed.is_some_and(|closed| closed < over))
            };
            // Late ones are few; leave enough of them to be counted.
            let spare = counted.iter().filter(|row| !row.met).count().saturating_sub(3);
            let (mut late, mut timely) = (fit(false).take(spare), fit(true).skip(5));
            let after = month.checked_add(1.month())?;
            let too_late = at_civil(after.checked_add(11.days())?, 600, &zone)?;
            let (in_time, minutes) = (by(22, 600)?, "Minutes of the monthly service review");
            // The last two were accepted, and all the same leave nothing out: one where the level sets
            // a deadline that has passed, one that names nothing to prove it.
            let deadline = operation.world.level_on(arrangement, level, *month);
            let deadline = deadline.is_some_and(|row| row.request_days.is_some());
            let asked = [
                (late.next(), "accepted", in_time, minutes),
                (timely.next(), "accepted", in_time, minutes),
                (late.next(), "rejected", in_time, minutes),
                (timely.next(), "open", in_time, minutes),
                (timely.next().filter(|_| deadline), "accepted", too_late, minutes),
                (timely.next().filter(|_| arrangement == "claims"), "accepted", in_time, ""),
            ];
            for (row, decision, requested, source) in asked {
                let Some(row) = row else { continue };
                let number = rows.len() + 1;
                rows.push(ExclusionRow {
                    arrangement: arrangement.into(),
                    id: format!("EX-{number:03}"),
                    level: level.into(),
                    case: row.case.clone(),
                    reason: reason.into(),
                    requested,
                    decision: decision.into(),
                    decided: if decision == "open" {
                        None
                    } else {
                        Some(requested + 4 * 1440 + 240)
                    },
                    source: source.into(),
                });
            }
        }
    }
    Ok(rows)
}

type Reports = Vec<(Plan, Vec<ReportRow>)>;

fn reports(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
    seed: u64,
) -> Result<(Reports, Vec<LadderTruth>), SimError> {
    let (mut reports, mut ladders) = (Vec::new(), Vec::new());
    for plan in &operation.plans {
        let (rows, ladder) = provider::report(operation, almanac, cases, plan, seed)?;
        reports.push((plan.clone(), rows));
        ladders.push(ladder);
    }
    Ok((reports, ladders))
}

/// Providers' files: name, arrangements.
const PROVIDERS: [(&str, &[&str]); 4] = [
    ("talahib", &["payroll-manila", "payroll-cebu"]),
    ("neelavana", &["claims"]),
    ("kopiec", &["accounts-payable"]),
    ("threeskies", &["service-desk"]),
];

/// Case lists month by month, then the report with months across.
fn report_files(reports: &Reports) -> Result<Vec<Handed>, SimError> {
    let mut files = Vec::new();
    for month in meridian_work::months() {
        for (provider, arrangements) in PROVIDERS {
            let here = reports.iter().filter(|(plan, _)| plan.month == month);
            let here = here.filter(|(plan, _)| arrangements.contains(&plan.arrangement.as_str()));
            let listed: Vec<ReportRow> =
                here.flat_map(|(_, rows)| rows).filter(|row| row.case.is_some()).cloned().collect();
            let path = format!("reports/{provider}-cases-{}.csv", month.strftime("%Y-%m"));
            files.push(registers::report(&path, &listed, reported_at(month))?);
        }
    }
    for (provider, arrangements) in PROVIDERS {
        files.push(across(provider, arrangements, reports));
    }
    Ok(files)
}

/// When the report of a month is handed over.
fn reported_at(month: Date) -> &'static str {
    match month.month() {
        8 => "2026-09-02T09:00:00Z",
        9 => "2026-10-02T09:00:00Z",
        _ => "2026-11-03T09:00:00Z",
    }
}

/// A provider's report of percentages, one line per measure, one column per month.
fn across(provider: &str, arrangements: &[&str], reports: &Reports) -> Handed {
    let header = ["Agreement", "Measure", "Aug 2026", "Sep 2026", "Oct 2026"];
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut last = String::new();
    for (plan, lines) in reports {
        if !arrangements.contains(&plan.arrangement.as_str()) {
            continue;
        }
        let (agreement, measure) = names(&plan.arrangement, &plan.level);
        let key = format!("{agreement}\u{1}{measure}");
        if key != last {
            rows.push(vec![agreement.to_owned(), measure.to_owned()]);
            last = key;
        }
        let value = lines.first().and_then(|line| line.value.clone());
        if let Some(row) = rows.last_mut() {
            row.push(value.map(|share| percent(&share)).unwrap_or_default());
        }
    }
    let path = format!("reports/{provider}-service-report-2026-10.csv");
    let records = rows
        .iter()
        .map(|row| Record { key: format!("{path} {}", row.join("\u{1}")), content: String::new() })
        .collect();
    Handed {
        bytes: delimited(',', &header, &rows).into_bytes(),
        path,
        as_table: None,
        mapping: Some("mappings/monthly-report.toml".into()),
        zone: None,
        set: Vec::new(),
        records,
    }
}

/// `0.958` as `95.8%`.
fn percent(share: &str) -> String {
    let thousandths: i64 = share.replace('.', "").parse().unwrap_or(0);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// How the reports call an agreement and a measure.
fn names(arrangement: &str, level: &str) -> (&'static str, &'static str) {
    let agreement = match arrangement {
        "payroll-manila" => "Payroll Manila",
        "payroll-cebu" => "Payroll Cebu",
        "claims" => "Claims",
        "accounts-payable" => "Accounts payable",
        _ => "Service desk",
    };
    let measure = match (arrangement, level) {
        (_, "salary-change") => "Salary changes in time",
        ("payroll-manila", "query-answer") => "Payslip queries in time",
        (_, "timesheet-fix") => "Time sheets in time",
        (_, "bank-return") => "Bank returns in time",
        (_, "registration") => "Claims registered in time",
        (_, "settlement") => "Claims settled in time",
        (_, "open-claims") => "Open claims within age",
        (_, "invoice-posting") => "Invoices posted in time",
        (_, "query-answer") => "Supplier queries in time",
        (_, "resolution-p1") => "Critical incidents in time",
        (_, "resolution-p2") => "High incidents in time",
        (_, "resolution-p3") => "Moderate incidents in time",
        (_, "resolution-p4") => "Low incidents in time",
        _ => "Incidents taken up in time",
    };
    (agreement, measure)
}

/// Everything planted, in words.
fn plants(
    scenario: &Scenario,
    operation: &Operation,
    cases: &[Case],
    ladders: &[LadderTruth],
    faults: &[Fault],
) -> Result<Vec<PlantTruth>, SimError> {
    let has = |plant: Plant| scenario.plants.contains(&plant);
    let mut found = Vec::new();
    let mut add = |kind: &str, arrangement: &str, subject: String, about: String| {
        found.push(PlantTruth {
            kind: kind.into(),
            arrangement_id: arrangement.into(),
            subject,
            about,
        });
    };
    if has(Plant::FunctionWithoutLevel) {
        add(
            "function-without-level",
            "payroll-manila",
            "year-end-forms".into(),
            "no service level names this function".into(),
        );
    }
    for (arrangement, level, month) in &operation.missed {
        add(
            "level-missed",
            arrangement,
            (*level).into(),
            format!("missed in {}", month.strftime("%Y-%m")),
        );
    }
    for ladder in ladders.iter().filter(|ladder| !ladder.planted.is_empty()) {
        let about =
            format!("the report of {} differs: {}", ladder.month, ladder.planted.join(", "));
        add("report-differs", &ladder.arrangement_id, ladder.service_level_id.clone(), about);
    }
    for fault in faults {
        for day in &fault.days {
            add("evidence-missing", &fault.arrangement, day.to_string(), fault.what.clone());
        }
    }
    let corrected = cases.iter().find(|case| {
        case.events
            .iter()
            .any(|event| event.person.as_deref() == Some(meridian_work::SCRIPTED_PERSON))
    });
    if let Some(case) = corrected {
        let posted = case.events.last().map_or(0, |event| event.at);
        let about = format!(
            "posted {}; September's file says 2026-09-29T08:00:00Z, which is too late, October's puts it right: \
             as of September's file the month has one case met fewer",
            in_utc(posted)?
        );
        add("corrected-row", "accounts-payable", case.id.clone(), about);
    }
    Ok(found)
}

/// The records that cannot be taken.
fn spoilt(imports: &[ImportTruth]) -> Vec<PlantTruth> {
    let mut found = Vec::new();
    for import in imports {
        for record in &import.quarantined_records {
            let desk = import.file.contains("service-desk");
            found.push(PlantTruth {
                kind: "spoilt-record".into(),
                arrangement_id: if desk { "service-desk" } else { "claims" }.into(),
                subject: format!("{}:{record}", import.file),
                about: "a record that cannot be taken".into(),
            });
        }
    }
    found
}
