//! What a plan lets through: probability of acceptance, risk points, average sample number.
//!
//! Owns the two laws of a sample: binomial (a long series of lots) and hypergeometric (one lot of
//! known size). Everything is exact on whole numbers of any length; results are rounded half to even
//! to millionths at the very end. It must never use a float.

use num_bigint::BigUint;

use crate::{
    error::SamplingError,
    plan::{Plan, thousandths},
};

/// One, in the unit of every result.
pub const ONE: u64 = 1_000_000;

/// A share of nonconforming items, in thousandths of a per cent (1 = 0.001 %).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

/// Thousandths of a per cent in the whole.
const WHOLE: u64 = 100_000;

impl Share {
    /// From thousandths of a per cent; none and all are allowed.
    ///
    /// # Errors
    /// More than the whole.
    pub fn from_thousandths(thousandths: u64) -> Result<Self, SamplingError> {
        if thousandths > WHOLE {
            return Err(SamplingError::Share(thousandths.to_string()));
        }
        Ok(Self(thousandths))
    }

    /// From per cent as a decimal text.
    ///
    /// # Errors
    /// What is no share above 0 and below 100.
    pub fn parse(percent: &str) -> Result<Self, SamplingError> {
        match thousandths(percent) {
            Some(share) if share > 0 && share < WHOLE => Ok(Self(share)),
            _ => Err(SamplingError::Share(percent.to_owned())),
        }
    }

    /// Thousandths of a per cent.
    #[must_use]
    pub fn thousandths(self) -> u64 {
        self.0
    }
}

/// Probability that a sample of `size` from a long series with this share holds at most `most`
/// nonconforming items, in millionths. Binomial law.
#[must_use]
pub fn at_most(size: u64, most: u64, share: Share) -> u64 {
    let sum = binomial_sum(size, most, share);
    rounded(&sum, &power(WHOLE, size))
}

/// The same for one lot of `lot` items of which `bad` are nonconforming. Hypergeometric law.
///
/// # Errors
/// A sample larger than the lot.
pub fn at_most_of_lot(lot: u64, bad: u64, size: u64, most: u64) -> Result<u64, SamplingError> {
    if size > lot || bad > lot {
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        return Err(SamplingError::TooMany { sample: number(size.max(bad)), items: number(lot) });
    }
    // The two ways to mark items of a lot, as bad and as drawn, can change places; the smaller one
    // keeps the numbers short.
    let (marked, drawn) = (bad.min(size), bad.max(size));
    let all = choose(lot, marked);
    let least = (marked + drawn).saturating_sub(lot);
    if most < least {
        return Ok(0);
    }
    let mut term = choose(drawn, least) * choose(lot - drawn, marked - least);
    let mut sum = term.clone();
    for found in least..most.min(marked) {
        let (up, down) = (drawn - found, lot + found + 1 - drawn - marked);
        term = term * up * (marked - found) / (found + 1) / down;
        sum += &term;
    }
    Ok(rounded(&sum, &all))
}

/// Most marked items that [`chance_of_group`] counts exactly.
pub const MOST_COUNTED: u64 = 2000;

/// How often chance alone would put at least `found` of all the defects into a group of `of` items,
/// when the other items number `rest_of` and hold `rest_found`, in millionths: the one-sided exact test
/// of Fisher (1935). None when the defects or the group are more than [`MOST_COUNTED`] both, or more is
/// found than there is.
#[must_use]
pub fn chance_of_group(found: u64, of: u64, rest_found: u64, rest_of: u64) -> Option<u64> {
    let (bad, lot) = (found.checked_add(rest_found)?, of.checked_add(rest_of)?);
    if found > of || rest_found > rest_of || bad.min(of) > MOST_COUNTED {
        return None;
    }
    let fewer = match found.checked_sub(1) {
        None => return Some(ONE),
        Some(most) => at_most_of_lot(lot, bad, of, most).ok()?,
    };
    Some(ONE - fewer)
}

/// Probability that a plan accepts a lot from a series with this share, in millionths.
///
/// # Errors
/// A limit above 10, which counts nonconformities and not items.
pub fn accepted(plan: &Plan, share: Share) -> Result<u64, SamplingError> {
    if plan.aql.thousandths() > 10_000 {
        return Err(SamplingError::PerHundred(plan.aql.text().to_owned()));
    }
    // Between the two numbers of a reduced plan the lot is accepted too.
    Ok(at_most(plan.sample_size, plan.refuse - 1, share))
}

/// Producer's risk: the probability that a lot exactly at the limit is refused, in millionths.
///
/// # Errors
/// As [`accepted`].
pub fn producers_risk(plan: &Plan) -> Result<u64, SamplingError> {
    let share = Share::from_thousandths(plan.aql.thousandths())?;
    Ok(ONE - accepted(plan, share)?)
}

/// The least share, in whole thousandths of a per cent, at which a lot is accepted with a probability
/// of at most `probability` millionths. With 100 000 it is the consumer's risk point at 10 %, with
/// 950 000 the share up to which at least about 95 of 100 lots pass.
///
/// # Errors
/// As [`accepted`].
pub fn share_at(plan: &Plan, probability: u64) -> Result<Share, SamplingError> {
    let (mut low, mut high) = (0, WHOLE);
    while low + 1 < high {
        let middle = low.midpoint(high);
        if accepted(plan, Share(middle))? <= probability {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Share(high))
}

/// Average number of items inspected when inspection stops as soon as the lot is lost, in thousandths
/// of an item; without stopping it is the sample size.
///
/// # Errors
/// As [`accepted`].
pub fn average_sample_thousandths(plan: &Plan, share: Share) -> Result<u64, SamplingError> {
    accepted(plan, share)?;
    let (size, refuse) = (plan.sample_size, plan.refuse);
    if share.0 == 0 {
        return Ok(size * 1000);
    }
    // E[min(size, items until the refusing one)]
    //   = size · P(X(size) ≤ refuse − 1) + refuse ÷ p · P(X(size + 1) ≥ refuse + 1)
    let kept = BigUint::from(size) * binomial_sum(size, refuse - 1, share) * WHOLE * share.0;
    let all = power(WHOLE, size + 1);
    let lost = &all - binomial_sum(size + 1, refuse, share);
    let sum = kept + BigUint::from(refuse) * WHOLE * lost;
    let whole = all * share.0;
    let thousandths = scaled(&sum, &whole, 1000);
    Ok(thousandths)
}

/// Σ C(size, x) · bad^x · good^(size − x) for x up to `most`, over WHOLE^size.
fn binomial_sum(size: u64, most: u64, share: Share) -> BigUint {
    let (bad, good) = (share.0, WHOLE - share.0);
    if most >= size {
        return power(WHOLE, size);
    }
    if good == 0 {
        return BigUint::ZERO;
    }
    // Each term follows from the one before; the division is exact, because good^(size − x) is still
    // a factor of it.
    let mut term = power(good, size);
    let mut sum = term.clone();
    for found in 0..most {
        term = term * (size - found) * bad / (found + 1) / good;
        sum += &term;
    }
    sum
}

fn choose(from: u64, take: u64) -> BigUint {
    let take = take.min(from - take.min(from));
    (0..take).fold(BigUint::from(1_u64), |product, n| product * (from - n) / (n + 1))
}

fn power(base: u64, exponent: u64) -> BigUint {
    BigUint::from(base).pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

fn rounded(part: &BigUint, whole: &BigUint) -> u64 {
    scaled(part, whole, ONE)
}

/// `part × scale ÷ whole`, half to even.
fn scaled(part: &BigUint, whole: &BigUint, scale: u64) -> u64 {
    let product = part * scale;
    let quotient = &product / whole;
    let twice = (product - &quotient * whole) * 2_u64;
    let is_odd = quotient.bit(0);
    let floor = u64::try_from(quotient).unwrap_or(u64::MAX);
    match twice.cmp(whole) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + u64::from(is_odd),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::plan::{Aql, Level, Severity, code_letter, plan};

    fn k(severity: Severity) -> Plan {
        plan(code_letter(2000, Level::II).unwrap(), Aql::parse("2.5").unwrap(), severity)
    }

    #[test]
    fn small_samples_agree_with_counting_by_hand() {
        let tenth = Share::parse("10").unwrap();
        // (9/10)^2 = 0.81; with one allowed 1 − 1/100.
        assert_eq!(at_most(2, 0, tenth), 810_000);
        assert_eq!(at_most(2, 1, tenth), 990_000);
        assert_eq!(at_most(2, 2, tenth), ONE);
        // Two of five bad, two drawn: C(3,2)/C(5,2) = 3/10 without one.
        assert_eq!(at_most_of_lot(5, 2, 2, 0), Ok(300_000));
        assert_eq!(at_most_of_lot(5, 2, 2, 1), Ok(900_000));
        assert_eq!(at_most_of_lot(5, 4, 3, 1), Ok(0));
        assert!(at_most_of_lot(5, 2, 6, 0).is_err());
        assert_eq!(at_most_of_lot(5, 4, 3, 2), Ok(600_000));
    }

    #[test]
    fn a_sample_of_the_whole_lot_knows_the_lot() {
        assert_eq!(at_most_of_lot(50, 3, 50, 3), Ok(ONE));
        assert_eq!(at_most_of_lot(50, 4, 50, 3), Ok(0));
    }

    #[test]
    fn a_lot_is_the_same_whichever_way_its_marks_are_counted() {
        for (lot, bad, size) in [(40, 7, 12), (40, 12, 7), (30, 25, 20), (9, 0, 4)] {
            for most in 0..=size {
                let by_hand = (0..=most.min(bad))
                    .filter(|found| size - found <= lot - bad)
                    .map(|found| choose(bad, found) * choose(lot - bad, size - found))
                    .fold(BigUint::ZERO, |sum, ways| sum + ways);
                let wanted = rounded(&by_hand, &choose(lot, size));
                assert_eq!(at_most_of_lot(lot, bad, size, most), Ok(wanted));
            }
        }
    }

    #[test]
    fn chance_in_a_group_is_fishers() {
        // The lady tasting tea: all four cups right, 1 in 70; three and more, 17 in 70.
        assert_eq!(chance_of_group(4, 4, 0, 4), Some(14_286));
        assert_eq!(chance_of_group(3, 4, 1, 4), Some(242_857));
        assert_eq!(chance_of_group(0, 4, 4, 4), Some(ONE));
        assert_eq!(chance_of_group(5, 4, 0, 4), None);
        assert_eq!(chance_of_group(3000, 5000, 1, 5000), None);
    }

    #[test]
    fn the_curve_of_letter_k_at_two_and_a_half_has_its_known_points() {
        let normal = k(Severity::Normal);
        // The same points reckoned in floats elsewhere.
        let risk = producers_risk(&normal).unwrap();
        assert_eq!(risk, 13_616);
        let poor = share_at(&normal, 100_000).unwrap();
        assert_eq!(poor.thousandths(), 9_238);
        assert!(accepted(&normal, poor).unwrap() <= 100_000);
        let before = Share::from_thousandths(poor.thousandths() - 1).unwrap();
        assert!(accepted(&normal, before).unwrap() > 100_000);
        let strict = share_at(&k(Severity::Tightened), 100_000).unwrap();
        assert_eq!(strict.thousandths(), 7_294);
    }

    #[test]
    fn acceptance_falls_as_the_share_rises_and_stays_between_its_ends() {
        let plan = k(Severity::Reduced);
        let mut last = ONE;
        for step in 0..=100 {
            let now = accepted(&plan, Share::from_thousandths(step * 1000).unwrap()).unwrap();
            assert!(now <= last);
            last = now;
        }
        assert_eq!(last, 0);
    }

    #[test]
    fn stopping_early_saves_nothing_on_good_lots_and_nearly_all_on_bad_ones() {
        let plan = k(Severity::Normal);
        let at = |percent: &str| {
            average_sample_thousandths(&plan, Share::parse(percent).unwrap()).unwrap()
        };
        assert!(at("0.1") > 124_990);
        // Eight bad items at one in two take sixteen draws.
        assert_eq!(at("50"), 16_000);
        let none = Share::from_thousandths(0).unwrap();
        assert_eq!(average_sample_thousandths(&plan, none), Ok(125_000));
        let all = Share::from_thousandths(WHOLE).unwrap();
        assert_eq!(average_sample_thousandths(&plan, all), Ok(8_000));
    }

    #[test]
    fn early_stopping_agrees_with_walking_every_outcome() {
        // Letter A at 25: two items, one let pass; three items of letter C would be alike.
        let plan = Plan {
            sample_size: 4,
            accept: 1,
            refuse: 2,
            ..plan(code_letter(20, Level::II).unwrap(), Aql::parse("10").unwrap(), Severity::Normal)
        };
        let mut expected = 0_u64;
        for outcome in 0..16_u64 {
            let mut bad = 0;
            let mut looked = 0;
            for item in 0..4 {
                looked += 1;
                bad += outcome >> item & 1;
                if bad == 2 {
                    break;
                }
            }
            expected += looked;
        }
        let half = Share::parse("50").unwrap();
        assert_eq!(average_sample_thousandths(&plan, half), Ok(expected * 1000 / 16));
    }

    #[test]
    fn a_limit_that_counts_nonconformities_has_no_curve_of_items() {
        let plan = plan(
            code_letter(2000, Level::II).unwrap(),
            Aql::parse("15").unwrap(),
            Severity::Normal,
        );
        assert!(producers_risk(&plan).is_err());
    }
}
