//! Earn-back. Owns when a credit comes back to the provider; it must never return more than was
//! granted, or return anything on a window that could not be measured.

use std::collections::BTreeMap;

use crate::{
    exact::{Exact, exact},
    month::Month,
    terms::{Attained, EarnBack, MonthInput, NoCases},
};

/// A credit that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarnedBack {
    /// Month of the credit.
    pub of: Month,
    /// Service level.
    pub service_level: String,
    /// Month in which it came back.
    pub month: Month,
    /// Minor units.
    pub minor: i64,
}

/// Whether a credit comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EarnState {
    /// No credit, or no earn-back agreed.
    None,
    /// It still may.
    Open,
    /// It did, in this month.
    Returned(Month),
    /// It will not: the month that decided.
    Kept(Month),
    /// Nobody can say, and why.
    Unknown(String),
}

/// A window of a service level: whether it reached its target, and its cases.
struct Window {
    month: Month,
    reached: Result<bool, String>,
    cases: Option<(i64, i64)>,
    target: Option<Exact>,
}

/// The windows of each service level, in order.
pub(crate) struct Windows(BTreeMap<String, Vec<Window>>);

impl Windows {
    pub(crate) fn of(months: &[MonthInput]) -> Self {
        let mut found: BTreeMap<String, Vec<Window>> = BTreeMap::new();
        for input in months {
            for level in &input.levels {
                let target = level.term.expected.or(level.target);
                let known = match &level.attained {
                    Attained::Known { met, counted } if *counted > 0 => Ok(Some((*met, *counted))),
                    Attained::Gap(why) => Err(why.clone()),
                    _ if input.scheme.no_cases == NoCases::Met => Ok(None),
                    _ => Err("no case in the window".to_owned()),
                };
                let reached = match (&known, target) {
                    (Ok(Some((met, counted))), Some(target)) => Ok(exact(*met, *counted) >= target),
                    (Ok(None), _) => Ok(true),
                    (Ok(Some(_)), None) => Err("it has no target".to_owned()),
                    (Err(why), _) => Err(why.clone()),
                };
                let cases = known.ok().flatten();
                let window = Window { month: input.month, reached, cases, target };
                found.entry(level.service_level.clone()).or_default().push(window);
            }
        }
        Self(found)
    }

    /// What became of a credit of this month and service level.
    pub(crate) fn state(&self, input: &MonthInput, level: &str) -> EarnState {
        let windows = self.0.get(level).map(Vec::as_slice).unwrap_or_default();
        match input.scheme.earn_back {
            EarnBack::None => EarnState::None,
            EarnBack::Following(wanted) => following(windows, input.month, wanted.max(1)),
            EarnBack::YearAverage => {
                let starts_in = input.scheme.year_starts_in;
                average(windows, input.month.year_start(starts_in), input.scheme.first_month)
            }
        }
    }
}

fn following(windows: &[Window], of: Month, wanted: usize) -> EarnState {
    let mut reached = 0;
    for window in windows.iter().filter(|window| window.month > of) {
        match &window.reached {
            Ok(true) => reached += 1,
            Ok(false) => return EarnState::Kept(window.month),
            Err(why) => return EarnState::Unknown(format!("{}: {why}", window.month)),
        }
        if reached == wanted {
            return EarnState::Returned(window.month);
        }
    }
    EarnState::Open
}

/// All cases of the year taken together, once its last month is there.
fn average(windows: &[Window], start: Month, first: Month) -> EarnState {
    let last = start.plus(11);
    let of_year = || windows.iter().filter(|window| window.month >= start && window.month <= last);
    if !of_year().any(|window| window.month == last) {
        return EarnState::Open;
    }
    if let Some((month, why)) =
        of_year().find_map(|w| w.reached.as_ref().err().map(|why| (w.month, why)))
    {
        return EarnState::Unknown(format!("{month}: {why}"));
    }
    // Months that should be there and are not: the windows of a month are one apart, of a quarter three.
    let months: Vec<Month> = of_year().map(|window| window.month).collect();
    let apart = months.windows(2).filter_map(|pair| match pair {
        [a, b] => Some(distance(*a, *b)),
        _ => None,
    });
    let step = apart.min().unwrap_or(12);
    let from = start.max(first);
    let due = (0..12).filter(|n| last.plus(-n) >= from && n % step == 0).count();
    if months.len() < due {
        return EarnState::Unknown("months of the year are missing".to_owned());
    }
    let (met, counted) =
        of_year().filter_map(|window| window.cases).fold((0_i64, 0_i64), |sum, cases| {
            (sum.0.saturating_add(cases.0), sum.1.saturating_add(cases.1))
        });
    let target = of_year().next_back().and_then(|window| window.target);
    match target {
        Some(target) if counted > 0 && exact(met, counted) >= target => EarnState::Returned(last),
        Some(_) if counted > 0 => EarnState::Kept(last),
        _ => EarnState::Unknown("the year has no case or no target".to_owned()),
    }
}

fn distance(from: Month, to: Month) -> i32 {
    (to.year() - from.year()) * 12 + to.of_year() - from.of_year()
}
