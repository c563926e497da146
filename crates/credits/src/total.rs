//! The credit of each month: rounding, caps, spreading, earn-back. Owns the order of operations; it
//! must never let a gap pass for nothing.

use std::collections::BTreeMap;

use num_traits::Zero as _;

use crate::{
    earn::{EarnState, EarnedBack, Windows},
    exact::{CreditError, Exact, add, cut, div, half_up, mul, spread, sub},
    formula::{Cost, Past, cost},
    month::Month,
    terms::{Level, MonthInput, Rounding, Scheme, YearSpan},
};

/// What a service level costs in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelCredit {
    /// Service level.
    pub service_level: String,
    /// How it was reckoned, or why it could not be.
    pub reckoned: Result<Reckoned, String>,
    /// What the caps leave of it, minor units; none where the month is a gap.
    pub credit: Option<i64>,
    /// Whether it comes back.
    pub earn_back: EarnState,
}

/// The steps from the formula to an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoned {
    /// Whether the level that triggers was missed.
    pub missed: bool,
    /// Which miss in a row; 0 when met.
    pub run: usize,
    /// Share of the allocation.
    pub share: Exact,
    /// All multipliers together.
    pub multiplier: Exact,
    /// Points, multiplied.
    pub points: Exact,
    /// Amount before rounding, minor units; none while the charge is not known.
    pub exact: Option<Exact>,
    /// Amount before the caps of month and year, minor units.
    pub raw: Option<i64>,
}

/// What a month costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthCredit {
    /// The month.
    pub month: Month,
    /// Its service levels.
    pub levels: Vec<LevelCredit>,
    /// All points.
    pub points: Option<Exact>,
    /// Before the caps, minor units.
    pub raw: Option<i64>,
    /// Cap of the month, minor units.
    pub month_cap: Option<i64>,
    /// After it.
    pub after_month_cap: Option<i64>,
    /// Charges of the year's span, minor units.
    pub span_charge: Option<i64>,
    /// Cap of the span, minor units.
    pub year_cap: Option<i64>,
    /// Credits granted before in the span, minor units.
    pub span_credit: Option<i64>,
    /// The credit, minor units, or why it cannot be said.
    pub credit: Result<i64, String>,
    /// What came back in this month, of credits of any month.
    pub earned_back: i64,
}

/// The credits of a run of months.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credits {
    /// In order.
    pub months: Vec<MonthCredit>,
    /// Credits that came back.
    pub earned_back: Vec<EarnedBack>,
}

impl Credits {
    /// What is left of the credit of a month after earn-back, minor units, or why it cannot be said.
    ///
    /// # Errors
    /// The reason for which the month is a gap.
    pub fn left_of(&self, month: Month) -> Result<i64, String> {
        let found = self.months.iter().find(|credit| credit.month == month);
        let credit =
            found.map_or_else(|| Err(format!("{month} is not there")), |m| m.credit.clone())?;
        let back: i64 =
            self.earned_back.iter().filter(|back| back.of == month).map(|back| back.minor).sum();
        Ok(credit - back)
    }
}

/// The credits of consecutive months, oldest first. Months must not repeat.
#[must_use]
pub fn credits(months: &[MonthInput]) -> Credits {
    let mut past: BTreeMap<String, Vec<Past>> = BTreeMap::new();
    let mut found: Vec<MonthCredit> = Vec::new();
    for (place, input) in months.iter().enumerate() {
        let costs: Vec<Result<Cost, String>> = input
            .levels
            .iter()
            .map(|level| {
                let own = past.get(&level.service_level).map(Vec::as_slice).unwrap_or_default();
                cost(&input.scheme, level, input.month, own)
            })
            .collect();
        for (level, cost) in input.levels.iter().zip(&costs) {
            let missed = missed_again(input, level, cost);
            past.entry(level.service_level.clone()).or_default().push((input.month, missed));
        }
        let before = months.get(..place).unwrap_or_default();
        found.push(month_credit(input, costs, before, &found));
    }
    earn_back(months, found)
}

/// A miss whose price is not known is still a miss.
fn missed_again(input: &MonthInput, level: &Level, known: &Result<Cost, String>) -> Option<bool> {
    if let Ok(cost) = known {
        return Some(cost.missed);
    }
    let mut alone = level.clone();
    alone.term.repeats.truncate(1);
    alone.term.after_misses = (1, 1);
    cost(&input.scheme, &alone, input.month, &[]).ok().map(|cost| cost.missed)
}

fn month_credit(
    input: &MonthInput,
    costs: Vec<Result<Cost, String>>,
    before: &[MonthInput],
    granted: &[MonthCredit],
) -> MonthCredit {
    let mut month = MonthCredit {
        month: input.month,
        levels: Vec::new(),
        points: None,
        raw: None,
        month_cap: None,
        after_month_cap: None,
        span_charge: None,
        year_cap: None,
        span_credit: None,
        credit: Ok(0),
        earned_back: 0,
    };
    let charge = input.charge.as_ref().ok().filter(|charge| **charge >= 0).copied();
    for (level, cost) in input.levels.iter().zip(costs) {
        let reckoned = cost.and_then(|cost| {
            reckon(&input.scheme, level, &cost, charge).map_err(|error| error.to_string())
        });
        month.levels.push(LevelCredit {
            service_level: level.service_level.clone(),
            reckoned,
            credit: None,
            earn_back: EarnState::None,
        });
    }
    month.credit = known_levels(input, &month).and_then(|()| {
        total(input, &mut month, before, granted).map_err(|error| error.to_string())
    });
    month
}

/// What must be known before there can be a credit.
fn known_levels(input: &MonthInput, month: &MonthCredit) -> Result<(), String> {
    match &input.charge {
        Err(why) => return Err(why.clone()),
        Ok(charge) if *charge < 0 => return Err("the charge of the month is negative".to_owned()),
        Ok(_) => {}
    }
    let scheme = &input.scheme;
    let mut shares = vec![scheme.at_risk];
    shares.extend(scheme.month_cap.iter().chain(&scheme.year_cap));
    shares.extend(scheme.points.iter().flat_map(|points| [points.worth, points.free]));
    if shares.iter().any(|share| *share < Exact::zero()) {
        return Err("the scheme holds a negative share".to_owned());
    }
    if let Some(pool) = scheme.pool {
        let sum: Exact = input.levels.iter().map(|level| level.term.allocation).sum();
        if sum > pool {
            return Err(format!("the allocations add up to {sum}, the pool is {pool}"));
        }
    }
    for level in &month.levels {
        if let Err(why) = &level.reckoned {
            return Err(format!("{}: {why}", level.service_level));
        }
    }
    Ok(())
}

fn reckon(
    scheme: &Scheme,
    level: &Level,
    cost: &Cost,
    charge: Option<i64>,
) -> Result<Reckoned, CreditError> {
    let points = mul(&cost.points, &cost.multiplier)?;
    let mut found = Reckoned {
        missed: cost.missed,
        run: cost.run,
        share: cost.share,
        multiplier: cost.multiplier,
        points,
        exact: None,
        raw: None,
    };
    let Some(charge) = charge else { return Ok(found) };
    let charge = Exact::from_integer(charge.into());
    let at_risk = mul(&charge, &scheme.at_risk)?;
    let mut amount = match &scheme.points {
        Some(worth) => mul(&at_risk, &mul(&points, &worth.worth)?)?,
        None => {
            let share = mul(&mul(&level.term.allocation, &cost.share)?, &cost.multiplier)?;
            mul(&at_risk, &share)?
        }
    };
    if let Some(cap) = &level.term.cap {
        amount = amount.min(mul(&charge, cap)?);
    }
    found.exact = Some(amount);
    Ok(found)
}

/// Rounding, caps and spreading, when everything is known.
fn total(
    input: &MonthInput,
    month: &mut MonthCredit,
    before: &[MonthInput],
    granted: &[MonthCredit],
) -> Result<i64, CreditError> {
    let scheme = &input.scheme;
    let charge = input.charge.clone().map_err(CreditError::Terms)?;
    let known: Vec<&Reckoned> =
        month.levels.iter().filter_map(|level| level.reckoned.as_ref().ok()).collect();
    let mut amounts: Vec<Exact> = known.iter().filter_map(|known| known.exact).collect();
    if let Some(worth) = &scheme.points {
        let mut all = Exact::zero();
        for known in &known {
            all = add(&all, &known.points)?;
        }
        month.points = Some(all);
        // Points that cost nothing are taken off in proportion.
        if all > Exact::zero() {
            let paid = div(&sub(&all, &worth.free)?.max(Exact::zero()), &all)?;
            for amount in &mut amounts {
                *amount = mul(amount, &paid)?;
            }
        }
    }
    let raws = match scheme.rounding {
        Rounding::Each => amounts.iter().map(half_up).collect::<Result<Vec<i64>, _>>()?,
        Rounding::Total => {
            let mut sum = Exact::zero();
            for amount in &amounts {
                sum = add(&sum, amount)?;
            }
            spread(half_up(&sum)?, &amounts)?
        }
    };
    let mut raw = 0_i64;
    for amount in &raws {
        raw = raw.checked_add(*amount).ok_or(CreditError::TooLarge)?;
    }
    for ((level, amount), exact) in month.levels.iter_mut().zip(&raws).zip(&amounts) {
        if let Ok(known) = &mut level.reckoned {
            (known.raw, known.exact) = (Some(*amount), Some(*exact));
        }
    }
    month.raw = Some(raw);
    let mut credit = raw;
    if let Some(cap) = &scheme.month_cap {
        let cap = cut(&mul(&Exact::from_integer(charge.into()), cap)?)?;
        month.month_cap = Some(cap);
        credit = credit.min(cap);
    }
    month.after_month_cap = Some(credit);
    if let Some(cap) = &scheme.year_cap {
        credit = year_cap(input, month, cap, credit, before, granted)?;
    }
    let weights: Vec<Exact> = raws.iter().map(|raw| Exact::from_integer((*raw).into())).collect();
    for (level, part) in month.levels.iter_mut().zip(spread(credit, &weights)?) {
        level.credit = Some(part);
    }
    Ok(credit)
}

/// What the year's cap leaves. A month of the span that is not known makes this one unknown, unless
/// there is nothing to cap.
fn year_cap(
    input: &MonthInput,
    month: &mut MonthCredit,
    cap: &Exact,
    credit: i64,
    before: &[MonthInput],
    granted: &[MonthCredit],
) -> Result<i64, CreditError> {
    if credit == 0 {
        return Ok(0);
    }
    let start = match input.scheme.year {
        YearSpan::Rolling => input.month.plus(-11),
        YearSpan::From(starts_in) => input.month.year_start(starts_in),
    };
    let start = start.max(input.scheme.first_month);
    let (mut charges, mut credits) = (input.charge.clone().map_err(CreditError::Terms)?, 0_i64);
    let mut at = start;
    while at < input.month {
        let unknown =
            |why: &str| CreditError::Terms(format!("the cap of the year needs {at}: {why}"));
        let earlier = before.iter().find(|other| other.month == at);
        let charge = match earlier.map(|other| &other.charge) {
            Some(Ok(charge)) => *charge,
            Some(Err(why)) => return Err(unknown(why)),
            None => return Err(unknown("nothing is known of it")),
        };
        let given = match granted.iter().find(|other| other.month == at).map(|other| &other.credit)
        {
            Some(Ok(given)) => *given,
            Some(Err(why)) => return Err(unknown(why)),
            None => return Err(unknown("nothing is known of it")),
        };
        charges = charges.checked_add(charge).ok_or(CreditError::TooLarge)?;
        credits = credits.checked_add(given).ok_or(CreditError::TooLarge)?;
        at = at.plus(1);
    }
    let cap = cut(&mul(&Exact::from_integer(charges.into()), cap)?)?;
    (month.span_charge, month.span_credit, month.year_cap) =
        (Some(charges), Some(credits), Some(cap));
    Ok(credit.min((cap - credits).max(0)))
}

fn earn_back(months: &[MonthInput], mut found: Vec<MonthCredit>) -> Credits {
    let windows = Windows::of(months);
    let mut all = Vec::new();
    for (input, month) in months.iter().zip(&mut found) {
        for level in &mut month.levels {
            let Some(minor) = level.credit.filter(|minor| *minor > 0) else { continue };
            level.earn_back = windows.state(input, &level.service_level);
            if let EarnState::Returned(at) = level.earn_back {
                let service_level = level.service_level.clone();
                all.push(EarnedBack { of: month.month, service_level, month: at, minor });
            }
        }
    }
    for month in &mut found {
        let here = all.iter().filter(|back| back.month == month.month);
        month.earned_back = here.map(|back| back.minor).sum();
    }
    Credits { months: found, earned_back: all }
}
