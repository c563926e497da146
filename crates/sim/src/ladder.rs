//! Small arrangements whose provider's report differs for chosen causes. Owns their registers and
//! work; it must never plant anything that is not asked for.

use jiff::civil::date;

use crate::{
    Outcome,
    almanac::{Almanac, at_civil, with_offset},
    error::SimError,
    example::{ATTEMPTS, SALT},
    feeds::{self, Cadence},
    meridian_levels::level,
    operation::{Cause, Figure, Operation, Plan, Post, Recipe, Words},
    provider, registers,
    table::{Handed, Record, count_imports, delimited},
    truth::{PlantTruth, Truth},
    verdict, work,
    world::{
        ArrangementRow, CalendarRow, Case, ExclusionRow, FunctionRow, HolidayRow, LevelRow, Party,
        SiteRow, Start, Stated, TeamRow, World,
    },
};

/// The arrangement of every ladder.
const ARRANGEMENT: &str = "ladder";
/// Its service level.
const LEVEL: &str = "resolution";

/// A small arrangement with one service level and month, 2026-10, over two sites (the clock goes
/// back in one of them within the month). The provider lists its cases and reports its counts;
/// exactly the named causes make them differ from ours. Alone, a cause's part is the whole
/// difference; `truth.ladders` holds every step.
///
/// # Errors
/// When a cause finds no room in the cases that a seed draws.
pub fn ladder_case(seed: u64, causes: &[Cause]) -> Result<Outcome, SimError> {
    let mut causes = causes.to_vec();
    causes.sort();
    causes.dedup();
    let draw = |attempt: u64| ladder_once((seed, seed ^ attempt.wrapping_mul(SALT)), &causes);
    let mut outcome = draw(0);
    for attempt in 1..ATTEMPTS {
        if !matches!(outcome, Err(SimError::Plant(_))) {
            break;
        }
        outcome = draw(attempt);
    }
    outcome
}

fn ladder_once((named, seed): (u64, u64), causes: &[Cause]) -> Result<Outcome, SimError> {
    let mut operation = operation(named, causes);
    let world = &operation.world;
    let almanac =
        Almanac::walk(&world.calendars, &world.holidays, date(2026, 8, 28), date(2026, 12, 15))?;
    let cases = work::draw_cases(&operation, &almanac, seed, 100, Vec::new())?;
    operation.world.exclusions = exclusions(&operation, &almanac, &cases)?;
    let plan = operation.plans.first().ok_or_else(|| SimError::Missing("report".into()))?;
    let (rows, ladder) = provider::report(&operation, &almanac, &cases, plan, seed)?;
    let cadences = [(ARRANGEMENT, "work-weekly", Cadence::Week)];
    let feed_rows = feeds::feeds(&operation, &cases, &cadences, &[])?;

    let mut handed = registers::registers(&operation.world)?;
    handed.push(log(&operation, &cases)?);
    // The report before this one came within the month; it keeps the monthly feed without a hole.
    handed.push(registers::report("reports/report.csv", &rows, "2026-10-31T18:00:00Z")?);
    handed.push(registers::feeds(&feed_rows));

    let measures = verdict::measures(&operation, &almanac, &cases)?;
    let ladders = vec![ladder];
    let controls = verdict::controls(&operation, &measures, &ladders, &[], "2026-10");
    let plants = causes.iter().map(|cause| PlantTruth {
        kind: "report-differs".into(),
        arrangement_id: ARRANGEMENT.into(),
        subject: LEVEL.into(),
        about: cause.name().into(),
    });
    let truth = Truth {
        schema: "backstay.truth/1".into(),
        about: "What is true of this made-up arrangement, reckoned minute by minute.".into(),
        seed: named,
        period: "2026-10".into(),
        imports: count_imports(&handed),
        measures,
        controls,
        ladders,
        overlaps: Vec::new(),
        credits: Vec::new(),
        plants: plants.collect(),
        quality: crate::truth::QualityTruth::default(),
    };
    Outcome::gather(&handed, &[], truth)
}

fn operation(seed: u64, causes: &[Cause]) -> Operation {
    let october = date(2026, 10, 1);
    // Some providers pause where they may not, some start late, some do both.
    let (starts, paused) = match seed % 3 {
        0 => (Some(Start::Assigned), None),
        1 => (None, Some(vec!["Waiting".to_owned(), "Third party".to_owned()])),
        _ => (Some(Start::Assigned), Some(vec!["Waiting".to_owned(), "Third party".to_owned()])),
    };
    Operation {
        world: world(),
        recipes: vec![recipe()],
        plans: vec![Plan {
            arrangement: ARRANGEMENT.into(),
            level: LEVEL.into(),
            month: october,
            listed: true,
            figure: Figure::Counts,
            causes: causes.to_vec(),
            own: Stated { calendar: Some("provider-hours".into()), starts, paused },
        }],
        prefixes: vec![(ARRANGEMENT, "L")],
        missed: vec![(ARRANGEMENT, LEVEL, october)],
        blind: None,
        first: date(2026, 8, 31),
        cut: date(2026, 11, 5),
        months: vec![october],
    }
}

fn recipe() -> Recipe {
    Recipe {
        arrangement: ARRANGEMENT,
        case_type: None,
        priority: None,
        raised_from: None,
        level: LEVEL,
        first_level: None,
        per_month: 260,
        words: Words {
            new: "Received",
            start: "Working",
            pause: "Waiting",
            resume: "Working",
            wait: "Third party",
            pass: "Passed on",
            done: &["Done"],
            close: "",
        },
        posts: vec![
            Post { team: Some("North"), names_site: false, site: "gdynia", people: "GDY" },
            Post { team: Some("South"), names_site: false, site: "madurai", people: "MDU" },
        ],
        sun: false,
        assigned_when_new: false,
        pauses: 250,
        passes: 300,
        reopens: 10,
        slow_by_waiting: 450,
        weekends: 100,
        hours: (8, 18),
    }
}

fn world() -> World {
    let calendar = |id: &str, zone: &str, days: &str, place: &str| CalendarRow {
        id: id.into(),
        zone: zone.into(),
        week: [days, days, days, days, days, "", ""].map(str::to_owned),
        places: vec![place.into()],
        kinds: vec!["public".into()],
        source: "Schedule 1 (made up)".into(),
    };
    let holiday = |place: &str, on, name: &str| HolidayRow {
        place: place.into(),
        on,
        name: name.into(),
        kind: "public".into(),
        windows: None,
        source: "Made up for the test".into(),
        proclaimed: None,
    };
    let site = |id: &str, city: &str, country: &str, zone: &str| SiteRow {
        id: id.into(),
        provider: "provider".into(),
        name: city.into(),
        country: country.into(),
        city: city.into(),
        zone: zone.into(),
        calendar: format!("{id}-hours"),
    };
    let team = |id: &str, site: &str| TeamRow {
        arrangement: ARRANGEMENT.into(),
        id: id.into(),
        title: id.into(),
        site: site.into(),
        function: "cases".into(),
    };
    World {
        clients: vec![Party {
            id: "client".into(),
            name: "Client (made up)".into(),
            country: "IE".into(),
            zone: "Europe/Dublin".into(),
        }],
        providers: vec![Party {
            id: "provider".into(),
            name: "Provider (made up)".into(),
            country: "PL".into(),
            zone: "Europe/Warsaw".into(),
        }],
        calendars: vec![
            calendar("gdynia-hours", "Europe/Warsaw", "08:00-17:00", "PL"),
            calendar("madurai-hours", "Asia/Kolkata", "09:00-18:00", "IN"),
            calendar("provider-hours", "Europe/Warsaw", "09:00-12:30 13:30-17:00", "PL"),
        ],
        holidays: vec![
            holiday("PL", date(2026, 11, 11), "Independence Day"),
            holiday("IN", date(2026, 10, 2), "Gandhi Jayanti"),
        ],
        sites: vec![
            site("gdynia", "Gdynia", "PL", "Europe/Warsaw"),
            site("madurai", "Madurai", "IN", "Asia/Kolkata"),
        ],
        arrangements: vec![ArrangementRow {
            id: ARRANGEMENT.into(),
            provider: "provider".into(),
            title: "Cases (made up)".into(),
            zone: "Europe/Dublin".into(),
            default_site: "gdynia".into(),
        }],
        functions: vec![FunctionRow {
            arrangement: ARRANGEMENT.into(),
            id: "cases".into(),
            title: "Cases".into(),
            critical: true,
        }],
        teams: vec![team("North", "gdynia"), team("South", "madurai")],
        levels: vec![LevelRow {
            ..level(
                ARRANGEMENT,
                LEVEL,
                "cases",
                "Cases done within 20 working hours",
                (900, 800, 1200),
                ("Done", "Waiting"),
            )
        }],
        exclusions: Vec::new(),
    }
}

/// Two cases left out by agreement, both done before the middle of the month.
fn exclusions(
    operation: &Operation,
    almanac: &Almanac,
    cases: &[Case],
) -> Result<Vec<ExclusionRow>, SimError> {
    let month = date(2026, 10, 1);
    let zone = operation.zone(ARRANGEMENT)?;
    let middle = at_civil(date(2026, 10, 15), 0, &zone)?;
    let counted =
        operation.counted(almanac, cases, (ARRANGEMENT, LEVEL, month), &Stated::default())?;
    let done =
        counted.iter().filter(|row| row.reading.closed.is_some_and(|closed| closed < middle));
    let rows = (1..).zip(done.take(2)).map(|(number, row)| ExclusionRow {
        arrangement: ARRANGEMENT.into(),
        id: format!("EX-{number}"),
        level: LEVEL.into(),
        case: row.case.clone(),
        reason: "client-delay".into(),
        requested: middle,
        decision: "accepted".into(),
        decided: Some(middle + 60),
        source: "Review of 15 October".into(),
    });
    Ok(rows.collect())
}

/// The work log: one file of the vocabulary.
fn log(operation: &Operation, cases: &[Case]) -> Result<Handed, SimError> {
    let zone = operation.zone(ARRANGEMENT)?;
    let header = [
        "arrangement_id",
        "source",
        "case_id",
        "activity",
        "state",
        "occurred_at",
        "person_id",
        "team_id",
    ];
    let mut events: Vec<_> = cases.iter().flat_map(|case| &case.events).collect();
    events.sort_by_key(|event| (event.at, event.case.clone()));
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    for event in events {
        records.push(Record {
            key: format!("{} {} {}", event.case, event.activity, event.at),
            content: format!("{:?} {:?}", event.person, event.team),
        });
        rows.push(vec![
            ARRANGEMENT.into(),
            "tool".into(),
            event.case.clone(),
            event.activity.clone(),
            event.state.clone(),
            with_offset(event.at, &zone)?,
            event.person.clone().unwrap_or_default(),
            event.team.clone().unwrap_or_default(),
        ]);
    }
    Ok(Handed {
        path: "work/log.csv".into(),
        bytes: delimited(',', &header, &rows).into_bytes(),
        as_table: Some("case_event".into()),
        mapping: None,
        zone: None,
        set: Vec::new(),
        records,
    })
}
