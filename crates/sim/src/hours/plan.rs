//! What is rostered, agreed, handed over and met in the worked example. Owns the choice of every row
//! and of what is planted; it must never judge.

use jiff::{
    ToSpan,
    civil::{Date, date},
    tz::TimeZone,
};

use super::{
    CoverRow, CoverageTerm, HandoverTerm, HolidayTerm, Hours, MeetingRow, MeetingTerm, NoteRow,
    OverlapTerm, Pair, ShiftRow, UrgentTerm,
};
use crate::{
    almanac::{at_civil, weekend},
    dice::Dice,
    error::SimError,
    world::{Case, Event, Minute, World},
};

/// First rostered day, and the first day no longer rostered.
const ROSTER: (Date, Date) = (date(2026, 7, 27), date(2026, 11, 5));

const DESK: &str = "service-desk";
const SUN: [(&str, &str, i64, i64); 3] = [
    ("Desk Chennai", "Asia/Kolkata", 6 * 60, 14 * 60 + 30),
    ("Desk Krakow", "Europe/Warsaw", 8 * 60, 18 * 60 + 30),
    ("Desk Guadalajara", "America/Mexico_City", 10 * 60, 19 * 60 + 30),
];

fn pair(arrangement: &'static str, team: &'static str, other: &'static str) -> Pair {
    Pair { arrangement, team, other }
}

/// Days of October that the seed draws for what is planted: the handover nobody picks up, the hour
/// nobody mans.
fn planted_days(seed: u64) -> (Date, Date) {
    let mut dice = Dice::new(seed, "hours apart");
    let mut day = |low, high| {
        let ahead = dice.between(low, high);
        date(2026, 10, 1).checked_add(ahead.days()).unwrap_or(date(2026, 10, 14))
    };
    (day(4, 11), day(13, 22))
}

/// Everything about hours, with what is planted or without.
///
/// # Errors
/// As of civil time.
pub(crate) fn plan(world: &World, planted: bool, seed: u64) -> Result<Hours, SimError> {
    let (lost, short) = planted_days(seed);
    let shifts = shifts(world, planted.then_some(short))?;
    let mut hours = Hours {
        shifts,
        overlaps: overlaps(planted),
        coverages: coverages(),
        holidays: holiday_terms(),
        covers: covers(planted),
        handovers: handover_terms(),
        urgents: urgents(),
        meetings: meetings(planted)?,
        meeting_terms: meeting_terms(),
        ..Hours::default()
    };
    hours.notes = notes(&hours, planted.then_some(lost))?;
    Ok(hours)
}

fn shifts(world: &World, short: Option<Date>) -> Result<Vec<ShiftRow>, SimError> {
    let mut rows = Vec::new();
    let mut day = ROSTER.0;
    while day < ROSTER.1 {
        let mut add = |arrangement, team, zone: &str, from, until| -> Result<(), SimError> {
            let zone = TimeZone::get(zone)?;
            let (from, until) = (at_civil(day, from, &zone)?, at_civil(day, until, &zone)?);
            rows.push(ShiftRow { arrangement, team, from, until });
            Ok(())
        };
        for (team, zone, from, until) in SUN {
            let home_early = team == "Desk Krakow" && short == Some(day);
            add(DESK, team, zone, from, if home_early { 17 * 60 } else { until })?;
        }
        let off = |places: &[&str]| {
            let here = |row: &&crate::world::HolidayRow| {
                row.on == day && row.kind == "public" && places.contains(&row.place.as_str())
            };
            weekend(day) || world.holidays.iter().any(|row| here(&row))
        };
        if !off(&["IN", "IN-TN"]) {
            add("claims", "Chennai claims", "Asia/Kolkata", 9 * 60, 18 * 60)?;
        }
        if !off(&["IN", "IN-MH"]) {
            add("claims", "Pune claims", "Asia/Kolkata", 9 * 60 + 30, 18 * 60 + 30)?;
        }
        let accounts = ("accounts-payable", "AP Kraków", "Europe/Warsaw");
        if day == date(2026, 10, 3) {
            // The Saturday on which the centre caught up.
            add(accounts.0, accounts.1, accounts.2, 8 * 60, 14 * 60)?;
        } else if !weekend(day) && day != date(2026, 9, 25) {
            // Until Dublin's suppliers have gone home.
            add(accounts.0, accounts.1, accounts.2, 8 * 60, 18 * 60 + 30)?;
        }
        day = day.checked_add(1.day())?;
    }
    Ok(rows)
}

fn overlaps(planted: bool) -> Vec<OverlapTerm> {
    let term = |pair, required, by_roster| OverlapTerm { pair, required, by_roster };
    vec![
        // Four hours are there in summer only: Ireland goes back to winter time, India does not.
        term(
            pair("claims", "Meridian claims", "Chennai claims"),
            if planted { 240 } else { 180 },
            false,
        ),
        term(pair("accounts-payable", "Meridian finance", "AP Kraków"), 360, false),
        term(pair("payroll-cebu", "Meridian payroll", "PAY-CEB"), 0, false),
        term(pair(DESK, "Desk Chennai", "Desk Krakow"), 90, true),
    ]
}

fn coverages() -> Vec<CoverageTerm> {
    let term = |arrangement, function, calendar, teams| CoverageTerm {
        arrangement,
        function,
        calendar,
        teams,
    };
    vec![
        term(
            DESK,
            "incident-handling",
            "always",
            &["Desk Chennai", "Desk Krakow", "Desk Guadalajara"],
        ),
        term("accounts-payable", "invoice-posting", "krakow-office", &["AP Kraków"]),
        term("accounts-payable", "supplier-queries", "dublin-office", &["AP Kraków"]),
        term("payroll-manila", "", "", &[]),
        // Its roster never comes.
        term("payroll-cebu", "time-sheets", "cebu-office", &["PAY-CEB"]),
        term("payroll-cebu", "bank-returns", "cebu-office", &["PAY-CEB"]),
    ]
}

fn holiday_terms() -> Vec<HolidayTerm> {
    let term = |pair, notice| HolidayTerm { pair, notice };
    vec![
        term(pair("claims", "Meridian claims", "Chennai claims"), Some(21)),
        term(pair("accounts-payable", "Meridian finance", "AP Kraków"), Some(14)),
        term(pair("payroll-manila", "Meridian payroll", "PAY-MNL"), Some(14)),
        term(pair(DESK, "Meridian IT", "Desk Krakow"), None),
    ]
}

fn covers(planted: bool) -> Vec<CoverRow> {
    let claims = || pair("claims", "Meridian claims", "Chennai claims");
    let accounts = || pair("accounts-payable", "Meridian finance", "AP Kraków");
    let payroll = || pair("payroll-manila", "Meridian payroll", "PAY-MNL");
    let row =
        |pair, on, answer, cover| CoverRow { pair, on, answer, cover, agreed: date(2026, 9, 1) };
    let mut rows = vec![
        row(claims(), date(2026, 10, 2), "none-needed", ""),
        row(claims(), date(2026, 10, 19), "cover", "Pune claims"),
        row(claims(), date(2026, 10, 20), "common-day", ""),
        row(claims(), date(2026, 10, 26), "none-needed", ""),
        row(accounts(), date(2026, 10, 26), "common-day", ""),
        row(accounts(), date(2026, 11, 11), "none-needed", ""),
        row(payroll(), date(2026, 10, 26), "none-needed", ""),
    ];
    if !planted {
        rows.push(row(payroll(), date(2026, 11, 2), "common-day", ""));
    }
    rows
}

fn handover_terms() -> Vec<HandoverTerm> {
    let term = |pair| HandoverTerm { pair, make: 15, pick_up: 30 };
    vec![
        term(pair(DESK, "Desk Chennai", "Desk Krakow")),
        term(pair(DESK, "Desk Krakow", "Desk Guadalajara")),
        term(pair(DESK, "Desk Guadalajara", "Desk Chennai")),
        term(pair("claims", "Chennai claims", "Pune claims")),
    ]
}

/// A note at each shift end, picked up soon; but nobody picks up one of Kraków's.
fn notes(hours: &Hours, lost: Option<Date>) -> Result<Vec<NoteRow>, SimError> {
    let warsaw = TimeZone::get("Europe/Warsaw")?;
    let lost = match lost {
        Some(day) => Some((at_civil(day, 0, &warsaw)?, at_civil(day.tomorrow()?, 0, &warsaw)?)),
        None => None,
    };
    let mut rows = Vec::new();
    for term in &hours.handovers {
        let of = |team: &'static str| hours.of_team(term.pair.arrangement, team);
        for (number, shift) in (0_i64..).zip(of(term.pair.team)) {
            let made = shift.until + number * 7 % 13;
            let there = of(term.pair.other).filter(|row| row.until > made);
            let Some(there) = there.map(|row| row.from.max(made)).min() else { continue };
            let forgotten = term.pair.team == "Desk Krakow"
                && lost.is_some_and(|(from, until)| (from..until).contains(&shift.until));
            rows.push(NoteRow {
                pair: term.pair.clone(),
                ended: shift.until,
                made,
                picked_up: (!forgotten).then_some(there + number * 5 % 23),
            });
        }
    }
    Ok(rows)
}

fn urgents() -> Vec<UrgentTerm> {
    let none = |arrangement, team, other| UrgentTerm {
        pair: pair(arrangement, team, other),
        id: "nothing-promised",
        priority: "",
        case_type: "",
        states: &[],
        within: None,
    };
    vec![
        UrgentTerm {
            pair: pair(DESK, "Meridian IT", "Desk Krakow"),
            id: "major-incident",
            priority: MAJOR,
            case_type: "",
            states: &["Active", "Resolved"],
            within: Some(60),
        },
        UrgentTerm {
            pair: pair("payroll-manila", "Meridian payroll", "PAY-MNL"),
            id: "urgent-payment",
            priority: "",
            case_type: PAYMENT,
            states: &["In progress", "Done"],
            within: Some(120),
        },
        none("payroll-cebu", "Meridian payroll", "PAY-CEB"),
        none("accounts-payable", "Meridian finance", "AP Kraków"),
    ]
}

const MAJOR: &str = "0 - Major incident";
const PAYMENT: &str = "urgent-payment";

/// The urgent items: few, each written out, in no service level of their own.
///
/// # Errors
/// As of civil time.
pub(crate) fn cases(planted: bool) -> Result<Vec<Case>, SimError> {
    let at = |day: i8, minute: i64| at_civil(date(2026, 10, day), minute, &TimeZone::UTC);
    let desk = |id: &str, times: [Minute; 4]| {
        item(DESK, id, times, ["New", "Active", "Resolved", "Closed"], |event| {
            event.team = Some("Desk Krakow".into());
            event.priority = Some(MAJOR.into());
            event.person = (event.step > 0).then(|| "KRD-001".into());
        })
    };
    let payment = |id: &str, times: [Minute; 3]| {
        item("payroll-manila", id, times, ["Received", "In progress", "Done"], |event| {
            event.team = Some("PAY-MNL".into());
            event.site = Some("manila".into());
            event.case_type = Some(PAYMENT.into());
            event.person = (event.step > 0).then(|| "MNL-001".into());
        })
    };
    let mut cases = vec![
        payment("PM90001", [at(14, 120)?, at(14, 160)?, at(14, 210)?]),
        payment("PM90002", [at(21, 180)?, at(21, 300)?, at(21, 330)?]),
        // A Saturday, when both offices are closed.
        desk("INC90001", [at(17, 300)?, at(17, 350)?, at(17, 430)?, at(20, 600)?]),
    ];
    if planted {
        cases.push(desk("INC90002", [at(18, 600)?, at(18, 740)?, at(18, 800)?, at(20, 610)?]));
    }
    Ok(cases)
}

fn item<const N: usize>(
    arrangement: &str,
    id: &str,
    times: [Minute; N],
    states: [&str; N],
    fill: impl Fn(&mut Event),
) -> Case {
    let opened = times.first().copied().unwrap_or_default();
    let mut events = Vec::new();
    for (step, (at, state)) in (0..).zip(times.into_iter().zip(states)) {
        let mut event = Event {
            case: id.into(),
            at,
            step,
            id: None,
            opened,
            activity: state.into(),
            state: state.into(),
            person: None,
            team: None,
            site: None,
            priority: None,
            case_type: None,
        };
        fill(&mut event);
        events.push(event);
    }
    Case { arrangement: arrangement.into(), id: id.into(), events }
}

fn meeting_terms() -> Vec<MeetingTerm> {
    let term = |pair| MeetingTerm { pair, greatest: 600 };
    vec![
        term(pair("payroll-manila", "Meridian payroll", "PAY-MNL")),
        term(pair("payroll-cebu", "Meridian payroll", "PAY-CEB")),
        term(pair("claims", "Meridian claims", "Chennai claims")),
        term(pair("accounts-payable", "Meridian finance", "AP Kraków")),
        term(pair(DESK, "Meridian IT", "Desk Krakow")),
    ]
}

/// One meeting a week of some arrangements, in Dublin's time. The desk's diary of October never comes,
/// and in Cebu they do not meet.
fn meetings(planted: bool) -> Result<Vec<MeetingRow>, SimError> {
    let dublin = TimeZone::get("Europe/Dublin")?;
    let mut rows = Vec::new();
    let mut monday = date(2026, 8, 3);
    let mut week = 0;
    while monday < date(2026, 11, 1) {
        let winter = monday >= date(2026, 10, 26);
        let mut add = |pair, ahead: i64, minute: i64| -> Result<(), SimError> {
            let from = at_civil(monday.checked_add(ahead.days())?, minute, &dublin)?;
            rows.push(MeetingRow { pair, number: week, from, until: from + 60 });
            Ok(())
        };
        // Where nothing is planted, payroll meets at the seam between the two days.
        let payroll = match (planted, winter) {
            (true, _) => 16 * 60,
            (false, false) => 9 * 60,
            (false, true) => 8 * 60 + 30,
        };
        add(pair("payroll-manila", "Meridian payroll", "PAY-MNL"), 1, payroll)?;
        // Claims take turns: one week early in Dublin, one week late in Chennai.
        let claims = if week % 2 == 0 { 7 * 60 + 30 } else { 15 * 60 };
        add(pair("claims", "Meridian claims", "Chennai claims"), 3, claims)?;
        add(pair("accounts-payable", "Meridian finance", "AP Kraków"), 2, 10 * 60)?;
        if monday < date(2026, 9, 28) {
            add(pair(DESK, "Meridian IT", "Desk Krakow"), 3, 14 * 60)?;
        }
        monday = monday.checked_add(7.days())?;
        week += 1;
    }
    Ok(rows)
}
