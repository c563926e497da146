//! What a contract says about credits, and what was measured. Owns the types that go in; it must never
//! work anything out.

use crate::{exact::Exact, month::Month};

/// The scheme of an arrangement, as it holds in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// First month for which it gives credits: spans of caps begin here at the earliest.
    pub first_month: Month,
    /// Share of the month's charge on which allocations and bands are shares; 1: the charge itself.
    pub at_risk: Exact,
    /// Cap of a month, as a share of the month's charge.
    pub month_cap: Option<Exact>,
    /// Cap of a year, as a share of the charges of its span.
    pub year_cap: Option<Exact>,
    /// The span of the yearly cap.
    pub year: YearSpan,
    /// Month in which the contract year begins, from 1; for the year's average.
    pub year_starts_in: i32,
    /// What the allocations may add up to; more is a contradiction.
    pub pool: Option<Exact>,
    /// Where half-up rounding takes place.
    pub rounding: Rounding,
    /// Points model, if it is one.
    pub points: Option<Points>,
    /// Earn-back.
    pub earn_back: EarnBack,
    /// What a window without cases means.
    pub no_cases: NoCases,
}

impl Scheme {
    /// A scheme whose shares are of the charge, without caps, points or earn-back.
    #[must_use]
    pub fn of_the_charge(first_month: Month) -> Self {
        Self {
            first_month,
            at_risk: Exact::from_integer(1),
            month_cap: None,
            year_cap: None,
            year: YearSpan::Rolling,
            year_starts_in: first_month.of_year(),
            pool: None,
            rounding: Rounding::Each,
            points: None,
            earn_back: EarnBack::None,
            no_cases: NoCases::Gap,
        }
    }
}

/// The span of a yearly cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum YearSpan {
    /// The twelve months that end with the one looked at.
    Rolling,
    /// The contract year, which begins in this month (from 1), up to the month looked at.
    From(i32),
}

/// Where amounts are rounded half-up to the minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Each service level's.
    Each,
    /// The month's total.
    Total,
}

/// How points become money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// Share of the at-risk amount that one point costs.
    pub worth: Exact,
    /// Points of a month that cost nothing.
    pub free: Exact,
}

/// How a credit comes back to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EarnBack {
    /// Not at all.
    None,
    /// When the service level reaches its target in each of the next windows, this many.
    Following(usize),
    /// When the cases of the whole year, taken together, reach the target.
    YearAverage,
}

/// What a window without cases means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCases {
    /// Nobody can say.
    Gap,
    /// The contract counts it as met.
    Met,
}

/// What a service level costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Share of the at-risk amount.
    pub allocation: Exact,
    /// Level from which a miss is counted, when it is not the target (or the minimum).
    pub expected: Option<Exact>,
    /// Which of the measured levels triggers a credit.
    pub trigger: Trigger,
    /// Whether the level itself is a miss already (`or less`).
    pub inclusive: bool,
    /// How much of the allocation.
    pub formula: Formula,
    /// Severity of the service level.
    pub severity: Exact,
    /// Multiplier when the minimum is not reached either.
    pub below_minimum: Exact,
    /// Multipliers of the first, second, third … miss in a row; the last one holds on.
    pub repeats: Vec<Exact>,
    /// Misses that it takes within so many months, this one included; `(1, 1)`: each counts.
    pub after_misses: (usize, i32),
    /// Cap of this service level, as a share of the month's charge.
    pub cap: Option<Exact>,
    /// Points of a miss.
    pub points: Exact,
    /// Points of a miss below the minimum, when they are others.
    pub minimum_points: Option<Exact>,
}

impl Term {
    /// The whole at-risk amount for a miss, without more.
    #[must_use]
    pub fn whole() -> Self {
        let one = Exact::from_integer(1);
        Self {
            allocation: one,
            expected: None,
            trigger: Trigger::Target,
            inclusive: false,
            formula: Formula::Whole,
            severity: one,
            below_minimum: one,
            repeats: vec![one],
            after_misses: (1, 1),
            cap: None,
            points: Exact::from_integer(0),
            minimum_points: None,
        }
    }
}

/// Which measured level triggers a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The target (expected level).
    Target,
    /// The minimum.
    Minimum,
}

/// How much of the allocation a miss costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// All of it.
    Whole,
    /// In proportion, from nothing at the level to all at `full_at` (none: the minimum) and below.
    Linear {
        /// Where all of it is due.
        full_at: Option<Exact>,
    },
    /// So much for each step below the level, at most all.
    Steps {
        /// Size of a step, as a share of cases.
        size: Exact,
        /// Share of the allocation for each.
        share: Exact,
        /// Whether a step that was only begun counts.
        started: bool,
    },
    /// By band.
    Bands(BandBy, Vec<Band>),
}

/// What bands are cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandBy {
    /// The level attained.
    Level,
    /// The number of cases missed.
    MissedCases,
}

impl BandBy {
    /// What the bands are asked about: the level attained, or the number of cases missed.
    #[must_use]
    pub fn measure(self, level: &Exact, attained: &Attained) -> Exact {
        match (self, attained) {
            (Self::MissedCases, Attained::Known { met, counted }) => {
                Exact::from_integer(counted.saturating_sub(*met).max(0).into())
            }
            _ => *level,
        }
    }
}

/// A band, `at_least ≤ x < below`; an end that is none is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// Lower end, within.
    pub at_least: Option<Exact>,
    /// Upper end, outside.
    pub below: Option<Exact>,
    /// Share of the allocation.
    pub share: Exact,
    /// Points.
    pub points: Exact,
}

impl Band {
    /// A band that costs a share.
    #[must_use]
    pub fn by_level(at_least: Option<Exact>, below: Option<Exact>, share: Exact) -> Self {
        Self { at_least, below, share, points: Exact::from_integer(0) }
    }

    /// Whether a value lies in it.
    #[must_use]
    pub fn holds(&self, value: &Exact) -> bool {
        self.at_least.is_none_or(|low| low <= *value) && self.below.is_none_or(|high| *value < high)
    }
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attained {
    /// Cases met of cases counted; for a number of cases, of 1.
    Known {
        /// Met.
        met: i64,
        /// Counted, at least 1.
        counted: i64,
    },
    /// The window has no case.
    Empty,
    /// It could not be measured, and why.
    Gap(String),
}

/// A service level whose window ends in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Service level.
    pub service_level: String,
    /// What was measured.
    pub attained: Attained,
    /// Target.
    pub target: Option<Exact>,
    /// Minimum.
    pub minimum: Option<Exact>,
    /// What it costs.
    pub term: Term,
}

impl Level {
    /// A service level without target or minimum of its own.
    #[must_use]
    pub fn new(service_level: &str, attained: Attained, term: Term) -> Self {
        Self {
            service_level: service_level.to_owned(),
            attained,
            target: None,
            minimum: None,
            term,
        }
    }
}

/// A month of an arrangement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthInput {
    /// The month.
    pub month: Month,
    /// Its charge in minor units, or why there is none.
    pub charge: Result<i64, String>,
    /// The scheme that holds in it.
    pub scheme: Scheme,
    /// Service levels that earn credits and whose window ends in it.
    pub levels: Vec<Level>,
}
