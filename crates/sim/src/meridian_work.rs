//! The work of the worked example: what cases come in, how they are worked, what the providers
//! report and what is planted. Owns the recipe; it must never draw a case.

use jiff::civil::{Date, date};

use crate::{
    Plant, meridian,
    operation::{Cause, Figure, Operation, Plan, Post, Recipe, Words},
    world::{Case, Event, Minute, Stated},
};

/// Who did the steps of the scripted case; nobody else has this id.
pub(crate) const SCRIPTED_PERSON: &str = "KRK-025";

const PAYROLL: Words = Words {
    new: "Received",
    start: "In progress",
    pause: "Waiting for client",
    resume: "In progress",
    wait: "",
    pass: "Second check",
    done: &["Done"],
    close: "",
};

const CLAIMS: Words = Words {
    new: "Receive claim",
    start: "Register claim",
    pause: "Request documents",
    resume: "Receive documents",
    wait: "",
    pass: "Assess claim",
    done: &["Pay claim", "Decline claim"],
    close: "",
};

const INVOICE: Words = Words {
    new: "Entered",
    start: "Checked",
    pause: "Blocked by buyer",
    resume: "Released",
    wait: "",
    pass: "Approved",
    done: &["Posted"],
    close: "",
};

const QUERY: Words = Words { new: "Asked", start: "Taken", done: &["Answered"], ..INVOICE };

const DESK: Words = Words {
    new: "New",
    start: "Active",
    pause: "Awaiting User Info",
    resume: "Active",
    wait: "Awaiting Vendor",
    pass: "Active",
    done: &["Resolved"],
    close: "Closed",
};

/// The operation of the worked example with the given plants.
#[must_use]
pub fn operation(plants: &[Plant]) -> Operation {
    let has = |plant: Plant| plants.contains(&plant);
    let october = date(2026, 10, 1);
    Operation {
        world: meridian::world(has(Plant::FunctionWithoutLevel)),
        recipes: recipes(),
        plans: plans(has(Plant::ReportCauses)),
        prefixes: vec![
            ("payroll-manila", "PM"),
            ("payroll-cebu", "PC"),
            ("claims", "CLM"),
            ("accounts-payable", "AP"),
            ("service-desk", "INC"),
        ],
        missed: if has(Plant::LevelMissed) {
            vec![("claims", "settlement", october)]
        } else {
            Vec::new()
        },
        blind: has(Plant::BlindDay).then_some(("payroll-cebu", date(2026, 10, 14))),
        first: date(2026, 7, 27),
        cut: date(2026, 11, 5),
        months: months(),
    }
}

/// The months that are complete.
#[must_use]
pub fn months() -> Vec<Date> {
    vec![date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)]
}

fn post(
    team: Option<&'static str>,
    names_site: bool,
    site: &'static str,
    people: &'static str,
) -> Post {
    Post { team, names_site, site, people }
}

fn recipes() -> Vec<Recipe> {
    let base = Recipe {
        arrangement: "payroll-manila",
        case_type: Some("salary-change"),
        priority: None,
        raised_from: None,
        level: "salary-change",
        first_level: None,
        per_month: 130,
        words: PAYROLL,
        posts: vec![post(Some("PAY-MNL"), true, "manila", "MNL")],
        sun: false,
        assigned_when_new: true,
        pauses: 220,
        passes: 250,
        reopens: 12,
        slow_by_waiting: 0,
        weekends: 60,
        hours: (8, 18),
    };
    let query = Recipe {
        case_type: Some("payslip-query"),
        level: "query-answer",
        per_month: 110,
        posts: vec![post(Some("PAY-NIGHT"), true, "manila-night", "MNN")],
        passes: 0,
        ..base.clone()
    };
    let cebu = |case_type, level, per_month| Recipe {
        arrangement: "payroll-cebu",
        case_type: Some(case_type),
        level,
        per_month,
        posts: vec![post(Some("PAY-CEB"), true, "cebu", "CEB")],
        passes: 100,
        ..base.clone()
    };
    let claims = Recipe {
        arrangement: "claims",
        case_type: None,
        level: "settlement",
        first_level: Some("registration"),
        per_month: 190,
        words: CLAIMS,
        posts: vec![
            post(Some("Chennai claims"), false, "chennai", "CHN"),
            post(Some("Pune claims"), false, "pune", "PUN"),
        ],
        pauses: 350,
        passes: 600,
        reopens: 0,
        ..base.clone()
    };
    let invoice = Recipe {
        arrangement: "accounts-payable",
        case_type: Some("invoice"),
        level: "invoice-posting",
        per_month: 170,
        words: INVOICE,
        posts: vec![post(None, false, "krakow", "KRK")],
        assigned_when_new: false,
        pauses: 180,
        passes: 400,
        reopens: 10,
        weekends: 30,
        ..base.clone()
    };
    let supplier_query = Recipe {
        case_type: Some("query"),
        level: "query-answer",
        per_month: 70,
        words: QUERY,
        pauses: 0,
        passes: 0,
        reopens: 0,
        ..invoice.clone()
    };
    let mut all = vec![
        base.clone(),
        query,
        cebu("timesheet-fix", "timesheet-fix", 100),
        cebu("bank-return", "bank-return", 60),
        claims,
        invoice,
        supplier_query,
    ];
    all.extend(desk(&base));
    all
}

fn desk(base: &Recipe) -> Vec<Recipe> {
    let of = |level, priority, raised_from, per_month, slow_by_waiting| Recipe {
        arrangement: "service-desk",
        case_type: None,
        priority: Some(priority),
        raised_from,
        level,
        first_level: Some("first-response"),
        per_month,
        words: DESK,
        posts: vec![
            post(Some("Desk Krakow"), false, "krakow-desk", "KRD"),
            post(Some("Desk Chennai"), false, "chennai-desk", "CHD"),
            post(Some("Desk Guadalajara"), false, "guadalajara-desk", "GDL"),
        ],
        sun: true,
        pauses: 250,
        passes: 400,
        reopens: 25,
        slow_by_waiting,
        weekends: 350,
        hours: (7, 22),
        ..base.clone()
    };
    vec![
        of("resolution-p1", "1 - Critical", None, 16, 0),
        of("resolution-p2", "2 - High", Some("3 - Moderate"), 70, 800),
        of("resolution-p3", "3 - Moderate", None, 170, 300),
        of("resolution-p4", "4 - Low", None, 80, 200),
    ]
}

fn plans(with_causes: bool) -> Vec<Plan> {
    let listed = [
        ("payroll-manila", "salary-change", true),
        ("payroll-manila", "query-answer", true),
        ("payroll-cebu", "timesheet-fix", true),
        ("payroll-cebu", "bank-return", true),
        ("claims", "registration", true),
        ("claims", "settlement", true),
        ("claims", "open-claims", false),
        ("accounts-payable", "invoice-posting", true),
        ("accounts-payable", "query-answer", false),
        ("service-desk", "resolution-p1", true),
        ("service-desk", "resolution-p2", true),
        ("service-desk", "resolution-p3", false),
        ("service-desk", "resolution-p4", false),
        ("service-desk", "first-response", false),
    ];
    let mut plans = Vec::new();
    for (arrangement, level, listed) in listed {
        for month in months() {
            let causes = if with_causes { causes(arrangement, level, month) } else { Vec::new() };
            plans.push(Plan {
                arrangement: arrangement.into(),
                level: level.into(),
                month,
                listed,
                figure: Figure::Share,
                own: own(&causes),
                causes,
            });
        }
    }
    plans
}

/// Where which cause is planted.
fn causes(arrangement: &str, level: &str, month: Date) -> Vec<Cause> {
    match (arrangement, level, month.month()) {
        ("payroll-manila", "salary-change", 10) => vec![Cause::Duplicates],
        ("payroll-manila", "query-answer", 9 | 10) => vec![Cause::Exclusions],
        ("claims", "registration", 9) => vec![Cause::RowsMissingHere],
        ("claims", "registration", 10) => vec![Cause::RowsMissingHere, Cause::RowsMissingThere],
        ("claims", "settlement", 8) => vec![Cause::RowsMissingThere],
        ("claims", "settlement", 10) => vec![Cause::Calendar],
        ("service-desk", "resolution-p2", 10) => vec![Cause::Clock],
        ("service-desk", "resolution-p3", 10) => vec![Cause::Unexplained],
        _ => Vec::new(),
    }
}

/// The provider's own clock or calendar where that is a cause.
fn own(causes: &[Cause]) -> Stated {
    let clock = causes.contains(&Cause::Clock);
    let calendar = causes.contains(&Cause::Calendar);
    Stated {
        calendar: calendar.then(|| "neelavana-net".to_owned()),
        starts: None,
        paused: clock.then(|| vec!["Awaiting User Info".to_owned(), "Awaiting Vendor".to_owned()]),
    }
}

/// One invoice whose posting is reported too late first and corrected in the next file. Given the
/// instants of its three steps.
#[must_use]
pub fn scripted(entered: Minute, checked: Minute, posted: Minute) -> Case {
    let event = |step: i64, at: Minute, word: &str| Event {
        case: String::new(),
        at,
        step,
        id: None,
        opened: entered,
        activity: word.into(),
        state: word.into(),
        person: (step > 0).then(|| SCRIPTED_PERSON.to_owned()),
        team: None,
        site: None,
        priority: None,
        case_type: Some("invoice".into()),
    };
    let events = vec![
        event(0, entered, "Entered"),
        event(1, checked, "Checked"),
        event(2, posted, "Posted"),
    ];
    Case { arrangement: "accounts-payable".into(), id: String::new(), events }
}
