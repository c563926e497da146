//! The share that a running window will end with.
//!
//! Owns how what is decided, what is open and what still comes are put together, and when there is no
//! forecast. It must never give a figure where the rule of the shortest history is not kept.
//!
//! A draw takes a level and its walk through the weeks ahead; the survival curve is shifted by
//! proportional odds until it meets that week's level at the threshold; every open case gets its
//! chance given the time already used, every case still to come its own; then the shares of all
//! draws are sorted.

// Cases are counted far below what a float holds exactly.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::fmt;

use crate::{
    Hit,
    level::{Level, Week, logit, share},
    random::Draws,
    survival::{Life, Survival},
};

/// Weeks before now in which the rules below must hold: the past that still speaks of the present.
pub const RULE_SPAN: usize = 13;
/// Weeks of them with cases that fell due.
pub const RULE_WEEKS: usize = 4;
/// Cases that fell due in them.
pub const RULE_CASES: u64 = 30;
/// Cases that would usually have come in the weeks just before in which none did; by chance alone
/// five stay away less than once in a hundred times.
pub const RULE_SILENT: u64 = 5;
/// Cases that ended, for the survival of those that are open.
pub const RULE_ENDED: usize = 20;
/// Past cases that were open when their week began, from which a level of their own is made.
const CARRIED: usize = 30;
/// Draws; the 5th percentile then lies between the 4.5th and the 5.5th with 88 %.
const DRAWS: u64 = 4_000;
/// How much wider than reckoned the first intervals are: on four public work logs the errors were
/// about so much larger than the models say. Cases of one week share more than they know of.
const WIDER: f64 = 1.25;
/// For how many past forecasts that counts.
const TRUST: f64 = 4.0;
/// A past error beyond so many standard deviations counts as so many.
const MOST_OFF: f64 = 3.0;
/// Standard deviations between the ends of an interval.
const ENDS: f64 = 3.29;
/// Start of the generator, the same for every question.
const SEED: u64 = 0x0bac_57a7;

/// What puts a case into a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountsBy {
    /// Its deadline.
    Due,
    /// Its opening; at the window's end it counts when it is done or overdue.
    Opened,
    /// Its end.
    Closed,
}

/// A case that is open now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenCase {
    /// Week ahead in which it falls due, 0 for the next seven days.
    pub week: usize,
    /// Working time used.
    pub used: i64,
    /// Working time from now to the end of the window, as if nothing paused.
    pub left: i64,
    /// Time spent in pauses so far, when it is paused now.
    pub paused: Option<i64>,
}

/// A past case that was open when a week began, and fell due in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carried {
    /// Place of the week among the weeks.
    pub week: usize,
    /// Working time used when the week began.
    pub used: i64,
    /// Whether it was met.
    pub met: bool,
}

/// Cases that are expected on one day ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intake {
    /// Week ahead.
    pub week: usize,
    /// Cases expected, in thousandths.
    pub milli: u64,
    /// Working time from that day to the end of the window.
    pub left: i64,
}

/// Everything that a forecast is a function of.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Whole weeks before now, oldest first, each with the cases that fell due in it.
    pub weeks: &'a [Week],
    /// Past cases that were open when their week began.
    pub carried: &'a [Carried],
    /// Working time of past cases.
    pub lives: &'a [Life],
    /// Time in pauses of past cases, until they were done or late.
    pub pauses: &'a [Life],
    /// Working time allowed, in the unit of the lives.
    pub threshold: i64,
    /// What puts a case into the window.
    pub counts_by: CountsBy,
    /// Cases of the window that are decided: met.
    pub met: u64,
    /// Cases of the window that are decided: missed.
    pub missed: u64,
    /// Cases that are open now.
    pub open: &'a [OpenCase],
    /// Cases still to come, day by day.
    pub intake: &'a [Intake],
    /// Cases that came in each whole week before now, oldest first.
    pub came: &'a [u64],
    /// Forecasts of windows before, each from the same place in it and made without such a past,
    /// beside what came.
    pub past: &'a [Hit],
    /// Whether the window has ended, so that nothing can change any more.
    pub is_over: bool,
    /// Target, in units of 10⁻⁹.
    pub target: Option<i128>,
    /// Minimum, in units of 10⁻⁹.
    pub minimum: Option<i128>,
}

/// A forecast. Shares are in ten-thousandths, chances in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// Mean share, half up.
    pub expected: u32,
    /// 5th percentile, rounded down.
    pub low: u32,
    /// 95th percentile, rounded up.
    pub high: u32,
    /// Chance to reach the target, half up.
    pub target_chance: Option<u32>,
    /// Chance not to fall below the minimum, half up.
    pub minimum_chance: Option<u32>,
    /// Open cases that are expected to count in the window.
    pub open: u64,
    /// Cases still to come that are expected to count in it.
    pub arriving: u64,
}

/// Why there is no forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoForecast {
    /// Too few weeks with cases: how many there are.
    Weeks(usize),
    /// Too few decided cases: how many there are.
    Cases(u64),
    /// Too few cases that ended: how many there are.
    Ended(usize),
    /// No case came for so many weeks, where so many would be usual.
    Silent(usize, u64),
    /// More likely than not, no case will count at all.
    NothingCounts,
}

impl fmt::Display for NoForecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = "history is too short:";
        match self {
            Self::Weeks(weeks) => write!(
                f,
                "{short} cases fell due in {weeks} of the {RULE_SPAN} weeks before, and {RULE_WEEKS} such \
                 weeks are needed"
            ),
            Self::Cases(cases) => write!(
                f,
                "{short} {cases} cases fell due in the {RULE_SPAN} weeks before, and {RULE_CASES} are needed"
            ),
            Self::Ended(ended) => write!(
                f,
                "{short} {ended} cases of the past year were done, and {RULE_ENDED} are needed"
            ),
            Self::Silent(weeks, usual) => write!(
                f,
                "no case came in the last {} days, where {usual} would be usual: the work log may have \
                 stopped before",
                weeks * 7
            ),
            Self::NothingCounts => {
                f.write_str("more likely than not, no case will count in the window")
            }
        }
    }
}

/// How a case ends, seen from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Met or missed by its deadline, which lies in the window.
    Decided,
    /// Met, or left out.
    MetOnly,
    /// Met or missed, or left out.
    Either,
}

/// A case, or cases still to come, with what does not change from draw to draw.
struct Line {
    week: usize,
    /// How many: one for an open case, else drawn.
    mean: Option<f64>,
    end: End,
    /// Chance not to be paused out of the window.
    stays: f64,
    /// Chances, by the curve before its shift, to end before the time used, by the time that decides,
    /// and by the end of the window.
    before: f64,
    by: f64,
    last: f64,
}

/// Works out the forecast.
///
/// # Errors
/// Why there is none.
pub fn outlook(question: &Question<'_>) -> Result<Outlook, NoForecast> {
    if question.is_over {
        let came = (question.met, question.met + question.missed);
        return summary(question, &[came], (0, 0));
    }
    let curve = Survival::of(question.lives);
    check(question, &curve)?;
    let lines = lines(question, &curve);
    let base = logit(curve.ends_by(question.threshold));
    let level = Level::of(question.weeks);
    let carried = carried(question, &curve);
    let ahead = lines.iter().map(|line| line.week).max().unwrap_or_default() + 1;
    let spread = spread(question.came);
    let mut draws = Draws::new(SEED);
    let mut results: Vec<(u64, u64)> = Vec::new();
    let (mut open, mut arriving) = (0, 0);
    for number in 0..DRAWS {
        let place = (number as f64 + draws.unit()) / DRAWS as f64;
        let Some(fresh) = shifts(&level, place, base, ahead, &mut draws) else {
            return Err(NoForecast::Weeks(0));
        };
        let old = match &carried {
            Some((level, base)) => shifts(level, draws.unit(), *base, ahead, &mut draws),
            None => None,
        };
        let volume = spread.map_or(1.0, |spread| draws.gamma(1.0 / spread) * spread);
        let (mut met, mut all) = (question.met, question.met + question.missed);
        for line in &lines {
            let (yes, no) = match old.as_ref().filter(|_| line.mean.is_none()) {
                Some(odds) => open_chances(line, odds.get(line.week).copied().unwrap_or(1.0)),
                None => chances(line, fresh.get(line.week).copied().unwrap_or(1.0)),
            };
            let count = line.mean.map_or(1, |mean| draws.poisson(mean * volume));
            let good = draws.binomial(count, yes);
            let bad = draws.binomial(count - good, if yes < 1.0 { no / (1.0 - yes) } else { 0.0 });
            let counted = good + bad;
            met += good;
            all += counted;
            *(if line.mean.is_some() { &mut arriving } else { &mut open }) += counted;
        }
        results.push((met, all));
    }
    summary(question, &results, (open, arriving))
}

fn check(question: &Question<'_>, curve: &Survival) -> Result<(), NoForecast> {
    let recent = || question.weeks.iter().rev().take(RULE_SPAN).map(|week| week.met + week.missed);
    let seen = recent().filter(|cases| *cases > 0).count();
    if seen < RULE_WEEKS {
        return Err(NoForecast::Weeks(seen));
    }
    let cases = recent().sum();
    if cases < RULE_CASES {
        return Err(NoForecast::Cases(cases));
    }
    if curve.ended < RULE_ENDED {
        return Err(NoForecast::Ended(curve.ended));
    }
    silence(question.came)
}

/// Whether nothing came of late where much used to come.
fn silence(came: &[u64]) -> Result<(), NoForecast> {
    let silent = came.iter().rev().take_while(|count| **count == 0).count();
    let spoken = came.len() - silent;
    let sum: u64 = came.iter().sum();
    let usual = (sum * silent as u64).checked_div(spoken as u64).unwrap_or_default();
    if usual >= RULE_SILENT { Err(NoForecast::Silent(silent, usual)) } else { Ok(()) }
}

/// What may still count.
fn lines(question: &Question<'_>, curve: &Survival) -> Vec<Line> {
    let pauses = Survival::of(question.pauses);
    let share = running_share(question);
    let threshold = question.threshold;
    let line = |week, mean, used: i64, left: i64, paused: Option<i64>| {
        let slack = used + left - threshold;
        let end = match question.counts_by {
            CountsBy::Due if slack < 0 => return None,
            CountsBy::Opened if slack < 0 => End::MetOnly,
            CountsBy::Closed => End::Either,
            CountsBy::Due | CountsBy::Opened => End::Decided,
        };
        let reach = used + (left as f64 * share) as i64;
        let stays = match (end, paused) {
            _ if question.pauses.is_empty() => 1.0,
            (End::Decided, None) => 1.0 - pauses.beyond(slack),
            (End::Decided, Some(so_far)) => {
                let held = pauses.at_least(so_far.max(1));
                if held > 0.0 { 1.0 - pauses.beyond(so_far.max(1) + slack) / held } else { 1.0 }
            }
            _ => 1.0,
        };
        let by = match end {
            End::Decided => curve.ends_by(threshold),
            End::MetOnly | End::Either => curve.ends_by(threshold.min(reach)),
        };
        let before = curve.ends_before(used);
        Some(Line { week, mean, end, stays, before, by, last: curve.ends_by(reach) })
    };
    let open = question.open.iter().filter_map(|case| {
        let mean = None;
        line(case.week, mean, case.used, case.left, case.paused)
    });
    let come = question
        .intake
        .iter()
        .filter(|day| day.milli > 0)
        .filter_map(|day| line(day.week, Some(day.milli as f64 / 1_000.0), 0, day.left, None));
    open.chain(come).collect()
}

/// Working time as a share of working time and pauses, over past cases.
fn running_share(question: &Question<'_>) -> f64 {
    let sum = |lives: &[Life]| lives.iter().fold(0.0, |sum, life| sum + life.length as f64);
    let (worked, paused) = (sum(question.lives), sum(question.pauses));
    if worked > 0.0 { worked / (worked + paused) } else { 1.0 }
}

/// How much the odds of each week ahead differ from those of the curve at the threshold.
fn shifts(
    level: &Level,
    place: f64,
    base: f64,
    ahead: usize,
    draws: &mut Draws,
) -> Option<Vec<f64>> {
    let node = level.at(place)?;
    let mut now = node.logit + (draws.unit() - 0.5) * level.step;
    let mut found = Vec::with_capacity(ahead);
    for _ in 0..ahead {
        now += node.drift * draws.normal();
        let mut week = now;
        if node.scatter > 0.0 {
            let strength = (1.0 - node.scatter) / node.scatter;
            week = logit(draws.beta(share(now), strength).clamp(1e-6, 1.0 - 1e-6));
        }
        found.push(libm::exp(week - base));
    }
    Some(found)
}

/// Chances that a case counts as met, and as missed.
fn chances(line: &Line, odds: f64) -> (f64, f64) {
    let shifted = |chance: f64| chance * odds / (chance * odds + 1.0 - chance);
    let before = shifted(line.before);
    let rest = (1.0 - before).max(1e-12);
    let by = ((shifted(line.by) - before) / rest).clamp(0.0, 1.0);
    match line.end {
        End::Decided => (line.stays * by, line.stays * (1.0 - by)),
        End::MetOnly => (by, 0.0),
        End::Either => {
            let last = ((shifted(line.last) - before) / rest).clamp(by, 1.0);
            (by, last - by)
        }
    }
}

/// The level of cases that were open when their week began, and the logit that the curve foretells
/// for them on average; none when there were too few.
fn carried(question: &Question<'_>, curve: &Survival) -> Option<(Level, f64)> {
    if question.carried.len() < CARRIED {
        return None;
    }
    let by = curve.ends_by(question.threshold);
    let mut weeks = vec![Week::default(); question.weeks.len()];
    let (mut foretold, mut count) = (0.0, 0.0);
    for case in question.carried {
        let week = weeks.get_mut(case.week)?;
        *(if case.met { &mut week.met } else { &mut week.missed }) += 1;
        let before = curve.ends_before(case.used);
        foretold += ((by - before) / (1.0 - before)).max(0.0);
        count += 1.0;
    }
    let floor = 0.5 / (count + 1.0);
    let mean = (foretold / count).clamp(floor, 1.0 - floor);
    let first = weeks.iter().position(|week| *week != Week::default())?;
    Some((Level::of(weeks.get(first..)?), logit(mean)))
}

/// As [`chances`], with the odds of the case itself shifted and not those of the curve.
fn open_chances(line: &Line, odds: f64) -> (f64, f64) {
    let (by, rest) = chances(line, 1.0);
    let known = by + rest;
    if known <= 0.0 {
        return (0.0, 0.0);
    }
    let floor = 0.001;
    let share = (by / known).clamp(floor, 1.0 - floor);
    let shifted = share * odds / (share * odds + 1.0 - share);
    match line.end {
        End::Decided | End::Either => (known * shifted, known * (1.0 - shifted)),
        End::MetOnly => (by, 0.0),
    }
}

/// How much more than by chance the intake of weeks varies, as a variance relative to the mean; none
/// when it does not.
fn spread(came: &[u64]) -> Option<f64> {
    let n = came.len() as f64;
    if came.len() < 2 {
        return None;
    }
    let mean = came.iter().fold(0.0, |sum, count| sum + *count as f64) / n;
    let squares =
        came.iter().fold(0.0, |sum, count| sum + (*count as f64 - mean) * (*count as f64 - mean));
    let excess = squares / (n - 1.0) - mean;
    (mean > 0.0 && excess > 0.0).then(|| (excess / (mean * mean)).max(1e-4))
}

/// How much wider the interval is than reckoned, by what became of forecasts before.
fn wider(past: &[Hit]) -> f64 {
    let off = |hit: &Hit| {
        let came = hit.came.0 as f64 / (hit.came.1 as f64).max(1.0) * 10_000.0;
        let width = (f64::from(hit.high) - f64::from(hit.low)).max(1.0) / ENDS;
        ((came - f64::from(hit.expected)).abs() / width).min(MOST_OFF)
    };
    let squares = past.iter().fold(0.0, |sum, hit| sum + off(hit) * off(hit));
    WIDER * libm::sqrt((TRUST + squares) / (TRUST + past.len() as f64))
}

/// A share farther from the mean by a factor, in odds; nothing leaves what is possible.
fn apart(share_now: f64, mean: f64, factor: f64) -> f64 {
    let inner = |value: f64| value > 1e-9 && value < 1.0 - 1e-9;
    if !inner(share_now) || !inner(mean) {
        return share_now;
    }
    let centre = logit(mean);
    share(centre + factor * (logit(share_now) - centre))
}

fn summary(
    question: &Question<'_>,
    results: &[(u64, u64)],
    (open, arriving): (u64, u64),
) -> Result<Outlook, NoForecast> {
    let counted = || results.iter().filter(|(_, all)| *all > 0);
    let n = counted().count();
    if n * 2 <= results.len() {
        return Err(NoForecast::NothingCounts);
    }
    let share_of = |(met, all): &(u64, u64)| *met as f64 / *all as f64;
    let mean = counted().fold(0.0, |sum, result| sum + share_of(result)) / n as f64;
    let factor = wider(question.past);
    let mut shares: Vec<f64> =
        counted().map(|result| apart(share_of(result), mean, factor)).collect();
    shares.sort_by(f64::total_cmp);
    let rank = |percent: usize| (percent * n).div_ceil(100).clamp(1, n) - 1;
    let at = |percent: usize| shares.get(rank(percent)).copied().unwrap_or_default() * 10_000.0;
    // What is a whole ten-thousandth must not be pushed on by the last bit.
    let (low, high) = (libm::floor(at(5) + 1e-7), libm::ceil(at(95) - 1e-7));
    let reaching = |limit: i128| {
        let limit = limit as f64 / 1e9;
        let count = shares.iter().filter(|share| **share >= limit - 1e-12).count();
        ((count * 200 + n) / (2 * n)) as u32
    };
    let per_draw = |total: u64| (total + results.len() as u64 / 2) / results.len() as u64;
    Ok(Outlook {
        expected: libm::floor(mean * 10_000.0 + 0.5) as u32,
        low: low as u32,
        high: high as u32,
        target_chance: question.target.map(reaching),
        minimum_chance: question.minimum.map(reaching),
        open: per_draw(open),
        arriving: per_draw(arriving),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
