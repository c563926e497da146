//! What one service level costs in one window, before rounding and caps. Owns the formulas and the
//! counting of repeated misses; it must never round.

use num_traits::{One as _, Zero as _};

use crate::{
    exact::{CreditError, Exact, div, exact, mul, sub},
    month::Month,
    terms::{Attained, Band, BandBy, Formula, Level, NoCases, Scheme, Term, Trigger},
};

/// What became of a window: missed, met, or nobody can say.
pub(crate) type Past = (Month, Option<bool>);

/// What a service level costs in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Whether the level that triggers was missed.
    pub missed: bool,
    /// Share of the allocation.
    pub share: Exact,
    /// Points before multipliers.
    pub points: Exact,
    /// All multipliers together.
    pub multiplier: Exact,
    /// Which miss in a row it is; 0 when it was met.
    pub run: usize,
}

/// The level attained; none when the window is empty and the contract calls that met.
fn level_of(scheme: &Scheme, level: &Level) -> Result<Option<Exact>, String> {
    match &level.attained {
        Attained::Known { met, counted } if *counted > 0 => Ok(Some(exact(*met, *counted))),
        Attained::Known { .. } | Attained::Empty => match scheme.no_cases {
            NoCases::Met => Ok(None),
            NoCases::Gap => Err("the window has no case, so it has no value".to_owned()),
        },
        Attained::Gap(why) => Err(why.clone()),
    }
}

/// The level below which it is a miss; by band the bands themselves say.
fn reference(level: &Level) -> Result<Exact, String> {
    let measured = match level.term.trigger {
        Trigger::Target => level.target,
        Trigger::Minimum => level.minimum,
    };
    let word = if level.term.trigger == Trigger::Target { "target" } else { "minimum" };
    level.term.expected.or(measured).ok_or_else(|| format!("the service level has no {word}"))
}

/// Whether it was missed, the share of the allocation, and the points.
fn miss(level: &Level, attained: &Exact) -> Result<(bool, Exact, Exact), String> {
    let term = &level.term;
    let said = |error: CreditError| error.to_string();
    if let Formula::Bands(by, bands) = &term.formula {
        let value = by.measure(attained, &level.attained);
        let found = band(bands, &value, *by)?;
        let (share, points) =
            found.map_or((Exact::zero(), Exact::zero()), |band| (band.share, band.points));
        return Ok((!share.is_zero() || !points.is_zero(), share, points));
    }
    let at = reference(level)?;
    let missed = *attained < at || (term.inclusive && *attained == at);
    if !missed {
        return Ok((false, Exact::zero(), Exact::zero()));
    }
    let one = Exact::one();
    let share = match &term.formula {
        Formula::Linear { full_at } => {
            let full =
                full_at.or(level.minimum).ok_or("the level of the full credit is not agreed")?;
            if full >= at {
                return Err("the level of the full credit is not below the expected one".to_owned());
            }
            let below = sub(&at, attained).map_err(said)?;
            div(&below, &sub(&at, &full).map_err(said)?).map_err(said)?.min(one)
        }
        Formula::Steps { size, share, started } => {
            if *size <= Exact::zero() {
                return Err("the size of a step is not above 0".to_owned());
            }
            let steps = div(&sub(&at, attained).map_err(said)?, size).map_err(said)?;
            let steps = if *started { steps.ceil() } else { steps.floor() };
            mul(&steps, share).map_err(said)?.min(one)
        }
        Formula::Whole | Formula::Bands(..) => one,
    };
    let is_below = level.minimum.is_some_and(|minimum| *attained < minimum);
    let points = term.minimum_points.filter(|_| is_below).unwrap_or(term.points);
    Ok((true, share, mul(&points, &share).map_err(said)?))
}

/// The band that holds a value; none where it is better than every band.
fn band<'a>(bands: &'a [Band], value: &Exact, by: BandBy) -> Result<Option<&'a Band>, String> {
    let mut holding = bands.iter().filter(|band| band.holds(value));
    if let Some(first) = holding.next() {
        return match holding.next() {
            Some(_) => Err("two bands hold the level attained".to_owned()),
            None => Ok(Some(first)),
        };
    }
    let is_better = |band: &Band| match by {
        BandBy::Level => band.below.is_some_and(|high| high <= *value),
        BandBy::MissedCases => band.at_least.is_some_and(|low| *value < low),
    };
    match !bands.is_empty() && bands.iter().all(is_better) {
        true => Ok(None),
        false => Err("no band says what the level attained costs".to_owned()),
    }
}

/// What a service level costs in its window, given its earlier windows in order.
pub(crate) fn cost(
    scheme: &Scheme,
    level: &Level,
    month: Month,
    past: &[Past],
) -> Result<Cost, String> {
    let nothing = Cost {
        missed: false,
        share: Exact::zero(),
        points: Exact::zero(),
        multiplier: Exact::one(),
        run: 0,
    };
    let term = &level.term;
    check(term)?;
    let Some(attained) = level_of(scheme, level)? else { return Ok(nothing) };
    let (missed, share, points) = miss(level, &attained)?;
    if !missed {
        return Ok(nothing);
    }
    let run = run(term, past)?;
    if !is_frequent(term, month, past)? {
        return Ok(Cost { missed, run, ..nothing });
    }
    let said = |error: CreditError| error.to_string();
    let is_below = level.minimum.is_some_and(|minimum| attained < minimum);
    let mut multiplier = term.severity;
    if is_below {
        multiplier = mul(&multiplier, &term.below_minimum).map_err(said)?;
    }
    let repeat = term.repeats.get(run.saturating_sub(1)).or(term.repeats.last());
    multiplier = mul(&multiplier, repeat.unwrap_or(&Exact::one())).map_err(said)?;
    Ok(Cost { missed, share, points, multiplier, run })
}

/// Terms that would make a credit negative are contradictions.
fn check(term: &Term) -> Result<(), String> {
    let bands = match &term.formula {
        Formula::Bands(_, bands) => bands.as_slice(),
        _ => &[],
    };
    let step = match &term.formula {
        Formula::Steps { share, .. } => *share,
        _ => Exact::zero(),
    };
    let mut all = vec![term.allocation, term.severity, term.below_minimum, term.points, step];
    all.extend(term.repeats.iter().chain(&term.minimum_points).chain(&term.cap));
    all.extend(bands.iter().flat_map(|band| [band.share, band.points]));
    match all.iter().all(|value| *value >= Exact::zero()) {
        true => Ok(()),
        false => Err("the terms hold a negative share, multiplier or number of points".to_owned()),
    }
}

/// Which miss in a row this one is, as far as the multipliers need to know.
fn run(term: &Term, past: &[Past]) -> Result<usize, String> {
    let mut run = 1;
    for (month, missed) in past.iter().rev() {
        if run >= term.repeats.len() {
            break;
        }
        match missed {
            Some(true) => run += 1,
            Some(false) => break,
            None => {
                let same = term.repeats.get(run - 1..).unwrap_or_default();
                if same.iter().all(|next| Some(next) == same.first()) {
                    break;
                }
                return Err(format!(
                    "which miss in a row it is cannot be said: {month} could not be measured"
                ));
            }
        }
    }
    Ok(run)
}

/// Whether there were as many misses as the contract wants, this one included.
fn is_frequent(term: &Term, month: Month, past: &[Past]) -> Result<bool, String> {
    let (wanted, within) = term.after_misses;
    let first = month.plus(1 - within.max(1));
    let recent = || past.iter().filter(|(month, _)| *month >= first);
    let missed = 1 + recent().filter(|(_, missed)| *missed == Some(true)).count();
    let unknown = recent().filter(|(_, missed)| missed.is_none()).count();
    if missed < wanted && missed + unknown >= wanted {
        return Err(format!(
            "whether it was missed {wanted} times in {within} months cannot be said: {unknown} could not be measured"
        ));
    }
    Ok(missed >= wanted)
}
