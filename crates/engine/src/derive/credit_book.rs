//! The book of service credits of an arrangement: what the contract says and what was measured and
//! charged, month by month from the scheme's first month.
//!
//! Owns the choice of the rows that hold in a month and the turning of them into
//! [`backstay_credits::MonthInput`]. What is missing becomes a gap with its reason; it must never put a
//! zero in its place, and never reckon a credit itself.

use backstay_credits::{
    Attained, Band, BandBy, EarnBack, Exact, Formula, Level, Month, MonthInput, NoCases, Points,
    Rounding, Scheme, Term, Trigger, YearSpan, decimal,
};
use jiff::{ToSpan as _, civil::Date};

use super::{
    DeriveInput,
    credit_read::{self as read, AmountRow, BandRow, Dated, MeasuredRow, SchemeRow, TermRow},
};
use crate::{cell::decimal_nanos, error::EngineError, period::Period};

/// Months without a decision of the contract: a credit must stand on a document by the end of the next.
const TAKEN_WITHIN_MONTHS: i64 = 1;

/// Everything that credits are reckoned from.
#[derive(Debug, Clone)]
pub struct CreditBook {
    /// Months in order, from the scheme's first.
    pub months: Vec<BookMonth>,
    /// Currency of the first charge; none while there is no charge.
    pub currency: Option<String>,
}

/// One month of the book.
#[derive(Debug, Clone)]
pub struct BookMonth {
    /// The civil month.
    pub window: Period,
    /// What goes into the reckoning; none when the scheme in force agrees no credits.
    pub input: Option<MonthInput>,
    /// Measurement behind each service level of `input`, in its order.
    pub(super) measured: Vec<Option<MeasuredRow>>,
    /// Rows behind each service level's terms: the term, then its bands with their names.
    pub(super) terms: Vec<LevelTerms>,
    /// `share`, `points` or `none`.
    pub model: String,
    /// Clause of the scheme.
    pub source: Option<String>,
    /// Row of the scheme.
    pub scheme_ref: i64,
    /// Rows of the charge.
    pub charge_refs: Vec<i64>,
    /// First day on which the credit should have reached a document.
    pub due_after: Date,
    /// Credits on documents: sum, or why it cannot be said.
    pub taken: Result<i64, String>,
    /// Documents and their rows.
    pub documents: Vec<(String, i64)>,
}

/// The rows behind a service level's terms.
#[derive(Debug, Clone)]
pub(super) struct LevelTerms {
    /// Row of the term.
    pub row_ref: i64,
    /// Its bands.
    pub bands: Vec<NamedBand>,
}

/// A band with its name and row.
#[derive(Debug, Clone)]
pub(super) struct NamedBand {
    pub row_ref: i64,
    pub name: String,
    pub band: Band,
}

/// The month in which a day lies.
#[must_use]
pub fn month_of(day: Date) -> Month {
    Month::new(day.year().into(), day.month().into())
}

fn one() -> Exact {
    Exact::from_integer(1)
}

/// Every register row of the book.
struct Rows {
    schemes: Vec<Dated<SchemeRow>>,
    terms: Vec<Dated<TermRow>>,
    bands: Vec<Dated<BandRow>>,
    charges: Vec<AmountRow>,
    taken: Vec<AmountRow>,
    windows: Vec<Dated<(String, String)>>,
    measured: Vec<MeasuredRow>,
    currency: Option<String>,
}

impl CreditBook {
    /// Reads the book up to the end of the period. Empty when no scheme is registered.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn read(input: &DeriveInput<'_>) -> Result<Self, EngineError> {
        let schemes = read::schemes(input)?;
        let Some(first) = first_month(schemes.iter().filter_map(Dated::from)) else {
            return Ok(Self { months: Vec::new(), currency: None });
        };
        let charges = read::charges(input)?;
        let mut in_order: Vec<&AmountRow> = charges.iter().collect();
        in_order.sort_by_key(|row| (row.month, row.row_ref));
        let currency = in_order.first().map(|row| row.currency.clone());
        let rows = Rows {
            schemes,
            terms: read::terms(input)?,
            bands: read::bands(input)?,
            charges,
            taken: read::taken(input)?,
            windows: read::windows(input)?,
            measured: read::measured(input)?,
            currency: currency.clone(),
        };
        let mut months = Vec::new();
        let mut window = crate::period::Window::Month.around(first)?;
        while window.after <= input.period_after {
            months.extend(rows.month(window, first));
            window = crate::period::Window::Month.around(window.after)?;
        }
        Ok(Self { months, currency })
    }

    /// What is reckoned: the months under a scheme with credits.
    #[must_use]
    pub fn inputs(&self) -> Vec<MonthInput> {
        self.months.iter().filter_map(|month| month.input.clone()).collect()
    }

    /// The same book, supposing that a service level had attained this share (units of 10⁻⁹) in the
    /// windows that end in the period. Says whether the service level earns credits in one of them.
    pub fn suppose(&mut self, service_level: &str, share: i64, period: Period) -> bool {
        let mut found = false;
        for month in &mut self.months {
            let (Some(input), true) = (
                &mut month.input,
                period.first < month.window.after && month.window.after <= period.after,
            ) else {
                continue;
            };
            for level in input.levels.iter_mut().filter(|l| l.service_level == service_level) {
                level.attained = Attained::Known { met: share, counted: 1_000_000_000 };
                found = true;
            }
        }
        found
    }
}

/// First day of the month of the earliest of some days.
pub(crate) fn first_month(days: impl Iterator<Item = Date>) -> Option<Date> {
    days.min().map(Date::first_of_month)
}

fn attained(metric: &str, (met, counted, gaps): (i64, i64, i64), has_value: bool) -> Attained {
    match (gaps, has_value) {
        (1.., _) => Attained::Gap(format!("{gaps} cases could not be judged")),
        (_, false) => Attained::Empty,
        _ if metric == "volume" => Attained::Known { met, counted: 1 },
        _ => Attained::Known { met, counted },
    }
}

impl Rows {
    fn month(&self, window: Period, first: Date) -> Option<BookMonth> {
        let last_day = window.after.yesterday().ok()?;
        let scheme = self.schemes.iter().rfind(|row| row.holds_on(last_day))?;
        let within = scheme.row.taken_within_months.unwrap_or(TAKEN_WITHIN_MONTHS).clamp(0, 120);
        let mut month = BookMonth {
            window,
            input: None,
            measured: Vec::new(),
            terms: Vec::new(),
            model: scheme.row.model.clone(),
            source: scheme.row.source.clone(),
            scheme_ref: scheme.row_ref,
            charge_refs: Vec::new(),
            due_after: window.after.checked_add(within.months()).unwrap_or(Date::MAX),
            taken: Ok(0),
            documents: Vec::new(),
        };
        self.take(&mut month);
        if scheme.row.model == "none" {
            return Some(month);
        }
        let mut levels = Vec::new();
        let terms = self.terms.iter().filter(|row| row.holds_on(last_day));
        for term in terms {
            let id = &term.row.service_level;
            let measured = self
                .measured
                .iter()
                .find(|row| row.service_level == *id && row.after == window.after);
            if measured.is_none() && !self.ends_here(id, window, last_day) {
                continue;
            }
            let bands: Vec<NamedBand> = self.bands_of(id, last_day).collect();
            let mut found = level(&term.row, measured, &bands, window);
            if let Some(why) = lacking(&scheme.row, &term.row) {
                found.attained = Attained::Gap(why);
            }
            levels.push(found);
            month.measured.push(measured.cloned());
            month.terms.push(LevelTerms { row_ref: term.row_ref, bands });
        }
        let charge = match self.terms.iter().any(|row| row.holds_on(last_day)) {
            true => self.charge(&mut month),
            false => Err("the scheme names no service level: `credit_term` has no row".to_owned()),
        };
        let scheme = scheme_of(&scheme.row, first);
        month.input = Some(MonthInput { month: month_of(window.first), charge, scheme, levels });
        Some(month)
    }

    /// Whether a window of the service level should end with this month.
    fn ends_here(&self, id: &str, window: Period, last_day: Date) -> bool {
        let held = self.windows.iter().find(|row| row.row.0 == id && row.holds_on(last_day));
        match held.map(|row| row.row.1.as_str()) {
            Some("quarter") => window.first.month() % 3 == 0,
            Some("year") => window.first.month() == 12,
            _ => true,
        }
    }

    fn bands_of<'a>(&'a self, id: &'a str, day: Date) -> impl Iterator<Item = NamedBand> + 'a {
        let zero = Exact::from_integer(0);
        let own = move |row: &&Dated<BandRow>| row.row.service_level == id && row.holds_on(day);
        self.bands.iter().filter(own).map(move |row| {
            let band = Band {
                at_least: row.row.at_least,
                below: row.row.below,
                share: row.row.share.unwrap_or(zero),
                points: row.row.points.unwrap_or(zero),
            };
            NamedBand { row_ref: row.row_ref, name: row.row.band.clone(), band }
        })
    }

    fn charge(&self, month: &mut BookMonth) -> Result<i64, String> {
        let of = month_of(month.window.first);
        let own: Vec<&AmountRow> =
            self.charges.iter().filter(|row| row.month.map(month_of) == Some(of)).collect();
        if own.is_empty() {
            return Err(format!("no charge is registered for {of}"));
        }
        month.charge_refs = own.iter().map(|row| row.row_ref).collect();
        self.sum(&own).ok_or_else(|| format!("the charges of {of} are not all in one currency"))
    }

    /// The sum of amounts in the book's currency.
    fn sum(&self, rows: &[&AmountRow]) -> Option<i64> {
        let same = rows.iter().all(|row| Some(&row.currency) == self.currency.as_ref());
        let total = rows.iter().try_fold(0_i64, |sum, row| sum.checked_add(row.minor));
        total.filter(|_| same)
    }

    fn take(&self, month: &mut BookMonth) {
        let of = month_of(month.window.first);
        let own: Vec<&AmountRow> =
            self.taken.iter().filter(|row| row.month.map(month_of) == Some(of)).collect();
        month.documents = own.iter().map(|row| (row.document.clone(), row.row_ref)).collect();
        if !own.is_empty() {
            month.taken = self
                .sum(&own)
                .ok_or_else(|| format!("the credits taken for {of} are in another currency"));
        }
    }
}

/// What the terms leave open, when they do: an amount that nobody agreed is no amount of 0.
fn lacking(scheme: &SchemeRow, term: &TermRow) -> Option<String> {
    let by_points = scheme.model == "points";
    let is = |formula: &str| term.formula == formula;
    if let Some(word) = term.repeats.iter().find(|text| decimal_nanos(text).is_err()) {
        return Some(format!("the multiplier `{word}` of a repeated miss is no number"));
    }
    let column = match () {
        () if by_points && scheme.point_share.is_none() => "point_share of credit_scheme",
        () if by_points && !is("bands") && term.points.is_none() => "points",
        () if is("steps") && term.step_size.is_none() => "step_size",
        () if is("steps") && term.step_share.is_none() => "step_share",
        () => return None,
    };
    Some(format!("the terms do not give {column}"))
}

fn level(
    term: &TermRow,
    measured: Option<&MeasuredRow>,
    bands: &[NamedBand],
    window: Period,
) -> Level {
    let attained = measured.map_or_else(
        || Attained::Gap(format!("it is not measured in {}", month_of(window.first))),
        |row| attained(&row.metric, (row.numerator, row.denominator, row.gaps), row.has_value),
    );
    Level {
        service_level: term.service_level.clone(),
        attained,
        target: measured.and_then(|row| row.target).map(decimal),
        minimum: measured.and_then(|row| row.minimum).map(decimal),
        term: term_of(term, bands),
    }
}

fn term_of(row: &TermRow, bands: &[NamedBand]) -> Term {
    let zero = Exact::from_integer(0);
    let formula = match row.formula.as_str() {
        "linear" => Formula::Linear { full_at: row.full_at },
        "steps" => Formula::Steps {
            size: row.step_size.unwrap_or(zero),
            share: row.step_share.unwrap_or(zero),
            started: row.step_counts.as_deref() != Some("whole"),
        },
        "bands" => {
            let by = match row.band_by.as_deref() {
                Some("missed-cases") => BandBy::MissedCases,
                _ => BandBy::Level,
            };
            Formula::Bands(by, bands.iter().map(|named| named.band.clone()).collect())
        }
        _ => Formula::Whole,
    };
    let multiplier = |text: &String| decimal_nanos(text).ok().map(decimal);
    let mut repeats: Vec<Exact> = row.repeats.iter().filter_map(multiplier).collect();
    if repeats.is_empty() {
        repeats.push(one());
    }
    let needed = row.misses_needed.unwrap_or(1).max(1);
    let within = row.misses_within.unwrap_or(needed).clamp(1, 1200);
    Term {
        allocation: row.allocation.unwrap_or(one()),
        expected: row.expected,
        trigger: match row.triggered_by.as_deref() {
            Some("minimum") => Trigger::Minimum,
            _ => Trigger::Target,
        },
        inclusive: row.inclusive,
        formula,
        severity: row.severity.unwrap_or(one()),
        below_minimum: row.below_minimum.unwrap_or(one()),
        repeats,
        after_misses: (
            usize::try_from(needed).unwrap_or(usize::MAX),
            i32::try_from(within).unwrap_or(i32::MAX),
        ),
        cap: row.cap,
        points: row.points.unwrap_or(zero),
        minimum_points: row.minimum_points,
    }
}

fn scheme_of(row: &SchemeRow, first: Date) -> Scheme {
    let zero = Exact::from_integer(0);
    let starts_in = row
        .year_starts_month
        .and_then(|month| i32::try_from(month).ok())
        .filter(|month| (1..=12).contains(month))
        .unwrap_or_else(|| first.month().into());
    let earn_back = match row.earn_back.as_deref() {
        Some("following") => {
            let windows = row.earn_back_windows.unwrap_or(1).max(1);
            EarnBack::Following(usize::try_from(windows).unwrap_or(usize::MAX))
        }
        Some("year-average") => EarnBack::YearAverage,
        _ => EarnBack::None,
    };
    // The year's average goes by the contract year, whatever span the cap has.
    let by_year = row.year_span.as_deref() == Some("contract-year");
    Scheme {
        first_month: month_of(first),
        at_risk: row.at_risk.unwrap_or(one()),
        month_cap: row.month_cap,
        year_cap: row.year_cap,
        year: if by_year { YearSpan::From(starts_in) } else { YearSpan::Rolling },
        year_starts_in: starts_in,
        pool: row.pool,
        rounding: match row.rounding.as_deref() {
            Some("total") => Rounding::Total,
            _ => Rounding::Each,
        },
        points: (row.model == "points").then(|| Points {
            worth: row.point_share.unwrap_or(zero),
            free: row.free_points.unwrap_or(zero),
        }),
        earn_back,
        no_cases: match row.no_cases.as_deref() {
            Some("met") => NoCases::Met,
            _ => NoCases::Gap,
        },
    }
}
