//! What is agreed about quality, and how many defects each week has. Owns the terms; it must never say
//! which item is defective.

use crate::Plant;

use super::{OCTOBER, rows::Rows};

/// A stream of which lots of 240 items are sampled at level II and a limit of 2.5 %: code letter G.
#[derive(Debug, Clone)]
pub struct Stream {
    pub arrangement: &'static str,
    pub stream: &'static str,
    /// First letters of lots.
    pub short: &'static str,
    /// People at the provider, as the work log names them.
    pub worker: &'static str,
    /// Defective items in the sample of each week.
    pub defective: Vec<i64>,
    /// Whether reduced inspection is allowed.
    pub reduced: bool,
    /// The week whose lot is accepted although the plan refuses it.
    pub let_through: Option<i64>,
    /// Whether the second reviewer sees other things.
    pub apart: bool,
}

/// The sampled streams. Weeks 0 to 7 are the baseline.
pub fn sampled(plants: &[Plant]) -> Vec<Stream> {
    let has = |plant: Plant| plants.contains(&plant);
    let rising = has(Plant::DefectsRise);
    vec![
        // Two lots refused among five tighten inspection before October; then two defects are too many.
        Stream {
            arrangement: "payroll-manila",
            stream: "salary-changes",
            short: "SC",
            worker: "MNL",
            defective: vec![1, 1, 0, 1, 1, 3, 1, 3, 1, 1, 2, 1, 1],
            reduced: false,
            let_through: has(Plant::LotAccepted).then_some(OCTOBER + 2),
            apart: false,
        },
        Stream {
            arrangement: "claims",
            stream: "registration",
            short: "RG",
            worker: "CHN",
            defective: if rising {
                vec![1, 1, 0, 1, 1, 2, 1, 1, 3, 3, 3, 3, 3]
            } else {
                vec![1, 1, 0, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1]
            },
            reduced: false,
            let_through: None,
            apart: has(Plant::ReviewersApart),
        },
        // Ten lots that a stricter limit would accept earn reduced inspection.
        Stream {
            arrangement: "accounts-payable",
            stream: "invoices",
            short: "IN",
            worker: "KRK",
            defective: vec![1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0],
            reduced: true,
            let_through: None,
            apart: false,
        },
    ]
}

/// Items in a lot.
pub const LOT: i64 = 240;
/// Share of second looks, per cent.
pub const BLIND: i64 = 25;

const SOURCE: &str = "Quality schedule, section 2";

/// The registers of the terms.
pub fn registers(rows: &mut Rows) {
    let term = |cells: [&str; 9]| cells.map(str::to_owned).to_vec();
    // arrangement, stream, inspection, blind, kappa, monotonous, action days, baseline from, until
    for (arrangement, stream, inspection, blind, kappa, monotonous, days) in [
        ("payroll-manila", "salary-changes", "sampled", "25", "0.6", "false", "14"),
        ("payroll-cebu", "time-sheets", "every-item", "", "", "true", "14"),
        // Keying in of claims is monotonous, but who works when is nowhere on record.
        ("claims", "registration", "sampled", "25", "0.6", "true", "14"),
        ("accounts-payable", "invoices", "sampled", "25", "0.6", "false", "14"),
    ] {
        let mut row = term([
            arrangement,
            stream,
            inspection,
            blind,
            kappa,
            monotonous,
            days,
            "2026-08-03",
            "2026-09-28",
        ]);
        row.push("contract".into());
        row.push(SOURCE.into());
        rows.terms.push(row);
    }
    for (arrangement, stream, reduced) in [
        ("payroll-manila", "salary-changes", "false"),
        ("claims", "registration", "false"),
        ("accounts-payable", "invoices", "true"),
    ] {
        let cells = [arrangement, stream, "major", "II", "2.5", reduced, SOURCE];
        rows.plans.push(cells.map(str::to_owned).to_vec());
    }
    for (price, from) in [("4500 PHP", "2026-01-01"), ("4300 PHP", "2026-10-12")] {
        let cells = ["payroll-cebu", "time-sheets", price, "time sheet", SOURCE, from];
        rows.prices.push(cells.map(str::to_owned).to_vec());
    }
}
