//! What is owed, in whole numbers, contract by contract. Owns its own arithmetic, written out for each
//! scheme as a clerk would do it; it must never share a line with the product.

use crate::truth::MeasureTruth;

/// Cases met and counted.
type Cases = (i128, i128);

/// The credit of each month, minor units; none where a window has no case.
pub(super) fn owed(
    measures: &[MeasureTruth],
    arrangement: &str,
    charges: &[i64; 3],
) -> Vec<Option<i64>> {
    let of = |level: &str, place: usize| -> Option<Cases> {
        let month = super::MONTHS.get(place)?;
        let row = measures.iter().find(|row| {
            row.arrangement_id == arrangement
                && row.service_level_id == level
                && row.month == *month
        })?;
        (row.denominator > 0).then_some((row.numerator.into(), row.denominator.into()))
    };
    let mut found = Vec::new();
    let mut known = true;
    for (place, charge) in charges.iter().enumerate() {
        let charge = i128::from(*charge);
        let credit = match arrangement {
            "payroll-manila" => {
                manila(charge, of("salary-change", place), of("query-answer", place))
            }
            "claims" => claims(charge, place, &of),
            "accounts-payable" => {
                payable(charge, of("invoice-posting", place), of("query-answer", place))
            }
            _ => desk(charge, of("first-response", place), of("resolution-p3", place)),
        };
        // The cap of the year never bites here, but it cannot be said without every month before.
        let capped_by_year = arrangement == "accounts-payable" && !known;
        let credit = credit.filter(|credit| *credit == 0 || !capped_by_year);
        known &= credit.is_some();
        found.push(credit.and_then(|credit| i64::try_from(credit).ok()));
    }
    found
}

/// `numer ÷ denom`, half a unit up.
fn half_up(numer: i128, denom: i128) -> i128 {
    (2 * numer + denom).checked_div(2 * denom).unwrap_or(0)
}

/// 8 % of the charge is at risk, 60 % of it on each; a quarter of it for each point begun below 99 %,
/// half as much again; in proportion between 98 and 90 %. 4 % of the charge at most.
fn manila(charge: i128, salary: Option<Cases>, query: Option<Cases>) -> Option<i128> {
    let ((met, counted), (answered, asked)) = (salary?, query?);
    let short = (99 * counted - 100 * met).max(0);
    let points_begun = short.checked_add(counted - 1)?.checked_div(counted)?;
    let hundredths = (25 * points_begun).min(100);
    let first = half_up(charge * 8 * 60 * hundredths * 15, 100 * 100 * 100 * 10);
    let below = (98 * asked - 100 * answered).clamp(0, 8 * asked);
    let second = half_up(charge * 8 * 60 * below, 100 * 100 * 8 * asked);
    Some((first + second).min((charge * 4).checked_div(100)?))
}

/// 12 % at risk, half of it on each, in proportion from target to minimum, twice below the minimum, half
/// as much again from the second month in a row. 12 % at most.
fn claims(charge: i128, place: usize, of: &dyn Fn(&str, usize) -> Option<Cases>) -> Option<i128> {
    let mut sum = 0;
    for (level, target, minimum) in [("registration", 950, 900), ("settlement", 920, 880)] {
        let missed = |(met, counted): Cases| met * 1000 < target * counted;
        let (met, counted) = of(level, place)?;
        if !missed((met, counted)) {
            continue;
        }
        let before = match place.checked_sub(1) {
            Some(before) => missed(of(level, before)?),
            None => false,
        };
        let span = (target - minimum) * counted;
        let short = (target * counted - 1000 * met).min(span);
        let twice = if met * 1000 < minimum * counted { 2 } else { 1 };
        let again = if before { 3 } else { 2 };
        sum += half_up(charge * 12 * 50 * short * twice * again, 100 * 100 * span * 2);
    }
    Some(sum.min((charge * 12).checked_div(100)?))
}

/// Posting costs by band: half a per cent below 99 %, one below 97, three below 95; answers half a per
/// cent below 95. 10 % at most.
fn payable(charge: i128, posting: Option<Cases>, answers: Option<Cases>) -> Option<i128> {
    let ((met, counted), (answered, asked)) = (posting?, answers?);
    let at_least = |per_cent: i128| met * 100 >= per_cent * counted;
    let thousandths = match () {
        () if at_least(99) => 0,
        () if at_least(97) => 5,
        () if at_least(95) => 10,
        () => 30,
    };
    let late = if answered * 100 < 95 * asked { 5 } else { 0 };
    let sum = half_up(charge * thousandths, 1000) + half_up(charge * late, 1000);
    Some(sum.min(charge.checked_div(10)?))
}

/// Ten points for less than 97 % taken up, four for less than 96 % of moderate ones resolved; three are
/// free, each other costs two thousandths. 5 % at most.
fn desk(charge: i128, taken_up: Option<Cases>, moderate: Option<Cases>) -> Option<i128> {
    let below = |(met, counted): Cases, per_cent: i128| met * 100 < per_cent * counted;
    let points =
        if below(taken_up?, 97) { 10 } else { 0 } + if below(moderate?, 96) { 4 } else { 0 };
    let sum = half_up(charge * 2 * (points - 3).max(0), 1000);
    Some(sum.min((charge * 5).checked_div(100)?))
}
