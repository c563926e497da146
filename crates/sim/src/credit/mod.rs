//! Service credits of the worked example. Owns the arrangements' schemes as files, the documents on
//! which credits were taken, and what the control must say of them; the amounts are reckoned in
//! [`reckon`]. It must never use the product's arithmetic.

mod reckon;

use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::{
    Plant,
    error::SimError,
    registers::file,
    table::Handed,
    truth::{ControlTruth, CreditTruth, MeasureTruth, PlantTruth},
    verdict::Fault,
    world::FeedRow,
};

/// Months with a charge, all complete.
const MONTHS: [&str; 3] = ["2026-08", "2026-09", "2026-10"];
/// First month of every scheme.
const START: &str = "2026-08-01";
/// The last month whose credit should stand on a document by the end of October.
const LAST_DUE: &str = "2026-09";

/// Arrangements that have credits: currency and the charges of the three months, minor units.
const CHARGES: [(&str, &str, [i64; 3]); 4] = [
    ("payroll-manila", "PHP", [412_350_000, 412_350_000, 418_900_050]),
    ("claims", "EUR", [8_640_000, 8_640_000, 8_812_500]),
    ("accounts-payable", "PLN", [18_750_055, 18_750_055, 19_120_000]),
    ("service-desk", "EUR", [5_120_000, 5_120_000, 5_133_333]),
];

/// Everything about credits that goes into the example.
pub(crate) struct Credited {
    /// Files to hand in.
    pub files: Vec<Handed>,
    /// What is owed and taken.
    pub truth: Vec<CreditTruth>,
    /// What the control must say.
    pub controls: Vec<ControlTruth>,
    /// What was planted.
    pub plants: Vec<PlantTruth>,
}

/// Reckons what is owed, and takes it, but for what is planted.
///
/// # Errors
/// When the plant finds no credit that could be left out.
pub(crate) fn credited(
    measures: &[MeasureTruth],
    faults: &[Fault],
    plants: &[Plant],
) -> Result<Credited, SimError> {
    let mut truth = Vec::new();
    for (arrangement, currency, charges) in CHARGES {
        let owed = reckon::owed(measures, arrangement, &charges);
        for ((month, charge), owed) in MONTHS.into_iter().zip(charges).zip(owed) {
            let is_left_out = plants.contains(&Plant::CreditNotTaken)
                && (arrangement, month) == ("accounts-payable", LAST_DUE);
            if is_left_out && owed.is_none_or(|owed| owed == 0) {
                return Err(SimError::Plant(format!("a credit of {arrangement} left out")));
            }
            let taken = if month <= LAST_DUE && !is_left_out { owed.unwrap_or(0) } else { 0 };
            truth.push(CreditTruth {
                arrangement_id: arrangement.into(),
                month: month.into(),
                currency: currency.into(),
                charge_minor: charge,
                owed_minor: owed,
                taken_minor: taken,
            });
        }
    }
    let left_out = truth.iter().filter(|row| is_missed(row)).map(|row| PlantTruth {
        kind: "credit-not-taken".into(),
        arrangement_id: row.arrangement_id.clone(),
        subject: row.month.clone(),
        about: format!(
            "{} minor units of {} are owed and on no invoice",
            row.owed_minor.unwrap_or(0),
            row.currency
        ),
    });
    let plants = left_out.collect();
    let mut files = vec![scheme(), terms(), bands(), charges()];
    files.extend(documents(&truth)?);
    let controls = controls(&truth, faults);
    Ok(Credited { files, truth, controls, plants })
}

fn is_missed(row: &CreditTruth) -> bool {
    row.month.as_str() <= LAST_DUE && row.owed_minor.is_some_and(|owed| row.taken_minor < owed)
}

fn controls(truth: &[CreditTruth], faults: &[Fault]) -> Vec<ControlTruth> {
    let says = |arrangement: &str, status: &str, reason: String| ControlTruth {
        arrangement_id: arrangement.into(),
        control: "credits-taken".into(),
        status: status.into(),
        reason,
    };
    let judge = |arrangement: &str| {
        let due = || {
            let own = truth.iter().filter(move |row| row.arrangement_id == arrangement);
            own.filter(|row| row.month.as_str() <= LAST_DUE)
        };
        if let Some(row) = due().find(|row| is_missed(row)) {
            return says(arrangement, "deficient", format!("{} is on no invoice", row.month));
        }
        if let Some(fault) = faults.iter().find(|fault| fault.arrangement == arrangement) {
            return says(arrangement, "untested", fault.what.clone());
        }
        match due().find(|row| row.owed_minor.is_none()) {
            Some(row) => says(arrangement, "untested", format!("{} cannot be said", row.month)),
            None => says(arrangement, "effective", "what is owed was taken".into()),
        }
    };
    let mut found: Vec<ControlTruth> = CHARGES.iter().map(|row| judge(row.0)).collect();
    found.push(says("payroll-cebu", "not-applicable", "the agreement has no credits".into()));
    found
}

fn cells(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}

fn scheme() -> Handed {
    let header = [
        "arrangement_id",
        "model",
        "at_risk_share",
        "pool",
        "month_cap_share",
        "year_cap_share",
        "rounding",
        "point_share",
        "free_points",
        "earn_back",
        "earn_back_windows",
        "taken_within_months",
        "source",
        "valid_from",
    ];
    let manila = "Payroll agreement, schedule 6";
    let claims = "Claims agreement, schedule 7";
    let rows = cells(&[
        &[
            "payroll-manila",
            "share",
            "0.08",
            "1.2",
            "0.04",
            "",
            "each",
            "",
            "",
            "",
            "",
            "1",
            manila,
            START,
        ],
        &[
            "payroll-cebu",
            "none",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "Payroll agreement, schedule 6: none for Cebu",
            START,
        ],
        &[
            "claims",
            "share",
            "0.12",
            "1",
            "0.12",
            "",
            "each",
            "",
            "",
            "following",
            "3",
            "1",
            claims,
            START,
        ],
        &[
            "accounts-payable",
            "share",
            "",
            "",
            "0.1",
            "0.1",
            "each",
            "",
            "",
            "",
            "",
            "1",
            "Accounts agreement, schedule 4",
            START,
        ],
        &[
            "service-desk",
            "points",
            "",
            "",
            "0.05",
            "",
            "total",
            "0.002",
            "3",
            "",
            "",
            "1",
            "Desk agreement, schedule 8",
            START,
        ],
    ]);
    file(
        "registers/credit_scheme.csv",
        "credit_scheme",
        &header,
        &["arrangement_id", "valid_from"],
        rows,
    )
}

fn terms() -> Handed {
    let header = [
        "arrangement_id",
        "service_level_id",
        "formula",
        "allocation",
        "expected",
        "full_at",
        "step_size",
        "step_share",
        "step_counts",
        "severity",
        "below_minimum",
        "repeat_multipliers",
        "points",
    ];
    let rows = cells(&[
        &[
            "payroll-manila",
            "salary-change",
            "steps",
            "0.6",
            "0.99",
            "",
            "0.01",
            "0.25",
            "started",
            "1.5",
            "",
            "",
            "",
        ],
        &[
            "payroll-manila",
            "query-answer",
            "linear",
            "0.6",
            "0.98",
            "0.9",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ],
        &["claims", "registration", "linear", "0.5", "", "", "", "", "", "", "2", "1|1.5", ""],
        &["claims", "settlement", "linear", "0.5", "", "", "", "", "", "", "2", "1|1.5", ""],
        &["accounts-payable", "invoice-posting", "bands", "", "", "", "", "", "", "", "", "", ""],
        &[
            "accounts-payable",
            "query-answer",
            "whole",
            "0.005",
            "0.95",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ],
        &["service-desk", "first-response", "whole", "", "0.97", "", "", "", "", "", "", "", "10"],
        &["service-desk", "resolution-p3", "whole", "", "0.96", "", "", "", "", "", "", "", "4"],
    ]);
    let key = ["arrangement_id", "service_level_id"];
    file("registers/credit_term.csv", "credit_term", &header, &key, rows)
}

fn bands() -> Handed {
    let header = ["arrangement_id", "service_level_id", "band", "at_least", "below", "share"];
    let rows = cells(&[
        &["accounts-payable", "invoice-posting", "B1", "0.97", "0.99", "0.005"],
        &["accounts-payable", "invoice-posting", "B2", "0.95", "0.97", "0.01"],
        &["accounts-payable", "invoice-posting", "B3", "", "0.95", "0.03"],
    ]);
    let key = ["arrangement_id", "service_level_id", "band"];
    file("registers/credit_band.csv", "credit_band", &header, &key, rows)
}

/// Minor units with two places, and the currency.
fn amount(minor: i64, currency: &str) -> String {
    format!("{}.{:02} {currency}", minor / 100, minor % 100)
}

fn charges() -> Handed {
    let header = ["arrangement_id", "month", "amount", "source"];
    let mut rows = Vec::new();
    for (arrangement, currency, charges) in CHARGES {
        for (month, charge) in MONTHS.into_iter().zip(charges) {
            let source = format!("Invoice of {month}, before credits");
            rows.push(vec![
                arrangement.into(),
                format!("{month}-01"),
                amount(charge, currency),
                source,
            ]);
        }
    }
    file("registers/charge.csv", "charge", &header, &["arrangement_id", "month"], rows)
}

/// The day in the month after on which a credit was taken.
fn issued(month: &str) -> Result<Date, SimError> {
    let first: Date = format!("{month}-01").parse()?;
    Ok(first.checked_add(1.month().days(8))?)
}

/// The credits that reached a document. None when there is none.
fn documents(truth: &[CreditTruth]) -> Result<Option<Handed>, SimError> {
    let header =
        ["arrangement_id", "source", "document_id", "line", "kind", "month", "amount", "taken_at"];
    let mut rows = Vec::new();
    for row in truth.iter().filter(|row| row.taken_minor > 0) {
        // The credit of August came as a note of its own, that of September on the invoice.
        let (kind, word) =
            if row.month == "2026-08" { ("credit-note", "CN") } else { ("invoice", "INV") };
        rows.push(vec![
            row.arrangement_id.clone(),
            "invoices".into(),
            format!("{word}-{}-{}", row.arrangement_id, row.month),
            if kind == "invoice" { "9".into() } else { String::new() },
            kind.into(),
            format!("{}-01", row.month),
            amount(row.taken_minor, &row.currency),
            format!("{}T10:00:00Z", issued(&row.month)?),
        ]);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let key = ["arrangement_id", "source", "document_id", "line"];
    Ok(Some(file("registers/credit_taken.csv", "credit_taken", &header, &key, rows)))
}

/// The declarations of documents, and what their sender says of each month: so many credits, or none.
///
/// # Errors
/// As of civil time.
pub(crate) fn feeds(truth: &[CreditTruth]) -> Result<Vec<FeedRow>, SimError> {
    let mut rows = Vec::new();
    for (arrangement, ..) in CHARGES {
        let blank = FeedRow {
            arrangement: arrangement.into(),
            feed: "invoices".into(),
            table: "credit_taken".into(),
            from: date(2026, 8, 1),
            ..FeedRow::default()
        };
        rows.push(FeedRow {
            entry: "declared".into(),
            cadence: Some("month".into()),
            totals: true,
            ..blank.clone()
        });
        for month in [date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)] {
            let mut count = 0;
            for row in truth.iter().filter(|row| row.arrangement_id == arrangement) {
                let here = issued(&row.month)?.first_of_month() == month;
                count += i64::from(here && row.taken_minor > 0);
            }
            rows.push(FeedRow {
                entry: "delivered".into(),
                count: (count > 0).then_some(count),
                nil: count == 0,
                from: month,
                ..blank.clone()
            });
        }
    }
    Ok(rows)
}
