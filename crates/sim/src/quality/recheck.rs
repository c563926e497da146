//! Figures of quality, reckoned once more, and corrective actions. Owns kappa and the two rules of drift
//! as this crate needs them, and the truth of feedback-closed; it must never share a line with the product.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use std::collections::BTreeMap;

use crate::Plant;

use super::{OCTOBER, Quality, rows::Rows};

/// Cohen's kappa of two yes-or-no judgements, in thousandths.
pub fn kappa(table: &BTreeMap<(bool, bool), i64>) -> i64 {
    let get = |a, b| table.get(&(a, b)).copied().unwrap_or(0);
    let (yes, no) = (get(true, true), get(false, false));
    let (first, second) = (yes + get(true, false), yes + get(false, true));
    let all: i64 = table.values().sum();
    // kappa = (n·agree − Σ row·column) / (n² − Σ row·column)
    let by_chance = first * second + (all - first) * (all - second);
    let (part, whole) = (all * (yes + no) - by_chance, all * all - by_chance);
    (part as f64 * 1000.0 / whole as f64).round() as i64
}

/// The rules that signal a rise in October, of weekly counts (defective, inspected) of which those
/// before October are the baseline.
pub fn drifts(weeks: &[(i64, i64)]) -> Vec<&'static str> {
    let before = usize::try_from(OCTOBER).unwrap_or(0);
    let sum = weeks.iter().take(before).fold((0, 0), |sum, week| (sum.0 + week.0, sum.1 + week.1));
    let share = sum.0 as f64 / sum.1 as f64;
    let (mut up, mut mean) = (0.0_f64, 0.0_f64);
    let (mut adds_up, mut smooth) = (false, false);
    for (found, of) in weeks.iter().skip(before) {
        let of = *of as f64;
        let value = (*found as f64 - of * share) / (of * share * (1.0 - share)).sqrt();
        up = (up + value - 0.5).max(0.0);
        mean = 0.8 * mean + 0.2 * value;
        adds_up |= up > 4.0;
        // The long-run deviation of the mean is a third.
        smooth |= mean * 3.0 > 2.86;
    }
    let rules = [("cusum", adds_up), ("ewma", smooth)];
    rules.into_iter().filter(|(_, signals)| *signals).map(|(rule, _)| rule).collect()
}

/// Defects with their causes and the actions against them.
pub fn feedback(plants: &[Plant], rows: &mut Rows, quality: &mut Quality) {
    const CONTROL: &str = "feedback-closed";
    // A cause found in September, answered within its fourteen days, done a day early.
    for (arrangement, stream, id, cause, offset) in [
        ("payroll-manila", "salary-changes", "CA-SC-1", "wrong-pay-code", "+08:00"),
        ("payroll-cebu", "time-sheets", "CA-TS-1", "missing-approval", "+08:00"),
        ("accounts-payable", "invoices", "CA-IN-1", "duplicate-posting", "+02:00"),
    ] {
        let found = |number: i64, day: &str, class: &str| {
            let id = format!("{id}-D{number}").replace("CA-", "DF-");
            [
                arrangement,
                "quality office",
                &id,
                stream,
                class,
                cause,
                &format!("{day}T11:00:00{offset}"),
                "inspection",
            ]
            .map(str::to_owned)
            .to_vec()
        };
        rows.defects.push(found(1, "2026-09-18", "major"));
        rows.defects.push(found(2, "2026-09-21", "minor"));
        let about = format!("Second check against {cause} before hand-over");
        let action =
            [arrangement, id, stream, cause, &about, "2026-09-25", "2026-10-09", "2026-10-08"];
        rows.actions.push(action.map(str::to_owned).to_vec());
        if arrangement == "accounts-payable" && plants.contains(&Plant::CauseBack) {
            rows.defects.push(found(3, "2026-10-21", "major"));
            let subject = format!("{id} not back");
            quality.find(arrangement, CONTROL, &subject);
            quality.plant(
                "cause-back",
                arrangement,
                &subject,
                "found again on 2026-10-21, thirteen days after the action",
            );
        }
        quality.judge(
            arrangement,
            CONTROL,
            "the action was raised and done in time, and its cause is not back",
        );
    }
    quality.status("claims", CONTROL, "untested", "no list of defects is kept");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kappa_of_full_agreement_is_one_and_of_chance_nought() {
        let table = |cells: [i64; 4]| {
            let keys = [(true, true), (true, false), (false, true), (false, false)];
            keys.into_iter().zip(cells).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(kappa(&table([5, 0, 0, 35])), 1000);
        assert_eq!(kappa(&table([4, 4, 16, 16])), 0);
        assert_eq!(kappa(&table([4, 1, 0, 35])), 875);
    }

    #[test]
    fn a_steady_series_signals_nothing_and_a_tripled_one_does() {
        let weeks = |october: i64| -> Vec<(i64, i64)> {
            (0..13).map(|week| (if week < 8 { 1 } else { october }, 32)).collect()
        };
        assert!(drifts(&weeks(1)).is_empty());
        assert_eq!(drifts(&weeks(3)), ["cusum", "ewma"]);
    }
}
