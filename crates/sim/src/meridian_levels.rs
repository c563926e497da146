//! The service levels of the worked example. Owns the terms; it must never say who reaches them.

use jiff::civil::date;

use crate::{
    meridian::list,
    world::{CountsIn, LevelRow, Start},
};

/// Reasons that every service level names.
const REASONS: &str = "client-delay|force-majeure";

/// A turnaround level that counts every case of an arrangement, from opening, by its deadline.
pub(crate) fn level(
    arrangement: &str,
    id: &str,
    function: &str,
    title: &str,
    (target, minimum, threshold): (i64, i64, i64),
    (stop, paused): (&str, &str),
) -> LevelRow {
    LevelRow {
        arrangement: arrangement.into(),
        id: id.into(),
        function: function.into(),
        title: title.into(),
        metric: "turnaround".into(),
        priorities: Vec::new(),
        case_types: Vec::new(),
        target,
        minimum,
        threshold,
        counts_in: CountsIn::Due,
        starts: Start::Opened,
        stop: list(stop),
        paused: list(paused),
        calendar: None,
        reasons: list(REASONS),
        basis: "contract".into(),
        source: "Service schedule 3".into(),
        valid_from: None,
        is_key_measurement: false,
        by_week: false,
        request_days: None,
    }
}

/// Every service level, one row per version.
pub(crate) fn levels() -> Vec<LevelRow> {
    let hours = |count: i64| count * 60;
    let mut levels = Vec::new();
    let done = ("Done", "Waiting for client");
    let types = |row: LevelRow, case_type: &str| LevelRow { case_types: list(case_type), ..row };
    levels.push(LevelRow {
        request_days: Some(10),
        ..types(
            level(
                "payroll-manila",
                "salary-change",
                "payroll-changes",
                "Salary changes entered within 16 working hours",
                (950, 900, hours(16)),
                done,
            ),
            "salary-change",
        )
    });
    levels.push(LevelRow {
        starts: Start::FirstEvent,
        is_key_measurement: true,
        ..types(
            level(
                "payroll-manila",
                "query-answer",
                "payslip-queries",
                "Payslip queries answered within 9 working hours of the night desk",
                (920, 850, hours(9)),
                done,
            ),
            "payslip-query",
        )
    });
    levels.push(types(
        level(
            "payroll-cebu",
            "timesheet-fix",
            "time-sheets",
            "Time sheets corrected within 8 working hours",
            (930, 880, hours(8)),
            done,
        ),
        "timesheet-fix",
    ));
    levels.push(LevelRow {
        counts_in: CountsIn::Closed,
        ..types(
            level(
                "payroll-cebu",
                "bank-return",
                "bank-returns",
                "Returned payments paid again within 12 working hours",
                (900, 850, hours(12)),
                done,
            ),
            "bank-return",
        )
    });
    let registered =
        "Register claim|Request documents|Receive documents|Assess claim|Pay claim|Decline claim";
    levels.push(LevelRow {
        metric: "first-response".into(),
        ..level(
            "claims",
            "registration",
            "claims-intake",
            "Claims registered within 4 working hours",
            (950, 900, hours(4)),
            (registered, ""),
        )
    });
    levels.push(LevelRow {
        by_week: true,
        ..level(
            "claims",
            "settlement",
            "claims-settlement",
            "Claims settled within 40 working hours, waiting for documents not counted",
            (920, 880, hours(40)),
            ("Pay claim|Decline claim", "Request documents"),
        )
    });
    levels.push(LevelRow {
        metric: "backlog-age".into(),
        ..level(
            "claims",
            "open-claims",
            "claims-settlement",
            "Open claims not older than 45 working hours at the month's end, waiting for documents not counted",
            (600, 500, hours(45)),
            ("Pay claim|Decline claim", "Request documents"),
        )
    });
    let posted = ("Posted", "Blocked by buyer");
    let posting = |threshold, title| {
        types(
            level(
                "accounts-payable",
                "invoice-posting",
                "invoice-posting",
                title,
                (950, 900, threshold),
                posted,
            ),
            "invoice",
        )
    };
    levels.push(posting(hours(24), "Invoices posted within 24 working hours"));
    levels.push(LevelRow {
        basis: "amendment".into(),
        source: "Amendment 2 of 12 August 2026".into(),
        valid_from: Some(date(2026, 9, 1)),
        ..posting(hours(16), "Invoices posted within 16 working hours")
    });
    levels.push(LevelRow {
        starts: Start::Assigned,
        calendar: Some("dublin-office".into()),
        ..types(
            level(
                "accounts-payable",
                "query-answer",
                "supplier-queries",
                "Supplier queries answered within 12 Dublin office hours of assignment",
                (900, 850, hours(12)),
                ("Answered", ""),
            ),
            "query",
        )
    });
    levels.extend(desk_levels());
    levels
}

fn desk_levels() -> Vec<LevelRow> {
    let resolved = ("Resolved|Closed", "Awaiting User Info");
    let by_priority = [
        (
            "resolution-p1",
            "1 - Critical",
            "Critical incidents resolved within 4 hours, round the clock",
            (900, 800, 240),
        ),
        (
            "resolution-p2",
            "2 - High",
            "High incidents resolved within 10 working hours of the responsible site",
            (900, 850, 600),
        ),
        (
            "resolution-p3",
            "3 - Moderate",
            "Moderate incidents resolved within 24 working hours of the responsible site",
            (930, 880, 1440),
        ),
        (
            "resolution-p4",
            "4 - Low",
            "Low incidents resolved within 40 working hours of the responsible site",
            (900, 850, 2400),
        ),
    ];
    let mut levels: Vec<LevelRow> = by_priority
        .into_iter()
        .map(|(id, priority, title, terms)| LevelRow {
            priorities: list(priority),
            calendar: (id == "resolution-p1").then(|| "always".to_owned()),
            by_week: id == "resolution-p3",
            ..level("service-desk", id, "incident-handling", title, terms, resolved)
        })
        .collect();
    levels.push(LevelRow {
        metric: "first-response".into(),
        ..level(
            "service-desk",
            "first-response",
            "incident-handling",
            "Incidents taken up within 3 working hours of the responsible site",
            (900, 850, 180),
            ("Active|Awaiting User Info|Awaiting Vendor|Resolved|Closed", ""),
        )
    });
    levels
}
