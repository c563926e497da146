//! What a forecast rests on: the cases of one service level as they stood at an instant, counted and
//! laid out for the instrument in `backstay-forecast`.
//!
//! Owns what had happened by then; it must never look at an event, or at a dated decision, of a later
//! instant, and never foretell anything itself.
//!
//! Rules
//! - Cases are judged by [`super::clock`], as everywhere. Cases under earlier versions of the service
//!   level are judged again by the version that measures the window, so that the past speaks of the
//!   same promise.
//! - The past is 52 weeks of seven days back from the instant, each with the cases whose deadline lay
//!   in it: by then all of those are decided.
//! - Working time and pauses are those of the cases whose clock started in these weeks; open cases
//!   count as lasting at least so long.
//! - Cases still to come are the mean of the same weekday over the last thirteen weeks; a weekday on
//!   which the calendar is closed counts as its own kind of day.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use backstay_forecast::{Carried, CountsBy, Intake, Life, OpenCase, Week};
use jiff::civil::{Date, Weekday};

use super::{
    case::Case,
    clock::{self, CaseClock, Choice, Outcome, Run, Segment},
    terms::{CountsIn, Metric, ServiceLevel, Terms, Versions},
    worktime::{Gap, WorkCalendar},
};
use crate::period::Period;

const DAY_US: i64 = 86_400_000_000;
const WEEK_US: i64 = 7 * DAY_US;
/// Weeks of history that are looked at.
const WEEKS: usize = 52;
/// Weeks from which the intake is taken.
const INTAKE_WEEKS: usize = 13;
/// Parts of a day ahead that are told apart.
const PARTS: i64 = 4;

/// The cases of a service level as of an instant, to be seen as of earlier ones.
pub struct Walked<'a> {
    terms: &'a Terms,
    versions: &'a Versions<ServiceLevel>,
    cases: Vec<(&'a Case, Option<CaseClock<'a>>)>,
}

impl<'a> Walked<'a> {
    /// Judges every case once, as of an instant.
    #[must_use]
    pub fn new(
        terms: &'a Terms,
        versions: &'a Versions<ServiceLevel>,
        cases: &'a [Case],
        at_us: i64,
    ) -> Self {
        let judged = |case: &'a Case| {
            (case, clock::case_clock(terms, versions, case, at_us, &Choice::default()))
        };
        Self { terms, versions, cases: cases.iter().map(judged).collect() }
    }

    /// The clocks as of an instant not later than the first: those of cases that were done, with no
    /// event since, are what they are; the others are judged again.
    #[must_use]
    pub fn at(&self, at_us: i64) -> Vec<(&'a Case, Cow<'_, CaseClock<'a>>)> {
        let seen = |(case, known): &'_ (&'a Case, Option<CaseClock<'a>>)| {
            let over = case.events.last().is_some_and(|event| event.at_us < at_us);
            let is_done = known
                .as_ref()
                .is_none_or(|clock| clock.closed_us.is_some() && clock.opened_us < at_us);
            !(over && is_done)
        };
        let mut found = Vec::new();
        for entry in &self.cases {
            let (case, known) = entry;
            if seen(entry) {
                let again =
                    clock::case_clock(self.terms, self.versions, case, at_us, &Choice::default());
                found.extend(again.map(|clock| (*case, Cow::Owned(clock))));
            } else if let Some(clock) = known {
                found.push((*case, Cow::Borrowed(clock)));
            }
        }
        found
    }
}

/// Cases of a window as they stood at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Met.
    pub met: u64,
    /// Missed, and overdue.
    pub missed: u64,
    /// Left out by agreement.
    pub excluded: u64,
    /// Not to be known.
    pub gaps: u64,
}

/// What was asked: a window of a service level, seen from an instant.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Registers.
    pub terms: &'a Terms,
    /// The version that measures the window.
    pub level: &'a ServiceLevel,
    /// The same as the only version there ever was.
    pub alone: &'a Versions<ServiceLevel>,
    /// The window.
    pub window: Period,
    /// Its ends as instants, half-open.
    pub bounds_us: (i64, i64),
    /// The instant looked from.
    pub at_us: i64,
}

impl Scene<'_> {
    fn is_excluded(&self, case: &Case, clock: &CaseClock<'_>) -> bool {
        // A decision of a later instant was not known.
        let decided_us = || self.terms.decided_us(&case.id, clock.excluded_ref?);
        clock.excluded.is_some() && decided_us().is_none_or(|decided| decided < self.at_us)
    }

    /// Counts the window, as the metric of the level does.
    #[must_use]
    pub fn counts(&self, clocks: &[(&Case, Cow<'_, CaseClock<'_>>)]) -> Counts {
        let (start, end) = self.bounds_us;
        let mut counts = Counts::default();
        for (case, clock) in clocks {
            let inside = match clock.counted_us {
                Some(counted) => start <= counted && counted < end,
                None => {
                    clock.outcome == Outcome::Gap
                        && clock.opened_us < end
                        && clock.closed_us.unwrap_or(self.at_us) >= start
                }
            };
            if !inside {
                continue;
            }
            if self.is_excluded(case, clock) {
                counts.excluded += 1;
                continue;
            }
            match clock.outcome {
                Outcome::Met => counts.met += 1,
                Outcome::Missed | Outcome::Overdue => counts.missed += 1,
                Outcome::Gap => counts.gaps += 1,
                Outcome::Open => {}
            }
        }
        counts
    }
}

/// Everything that the instrument asks for, in its own words.
#[derive(Debug, Clone, Default)]
pub struct Ground {
    /// Weeks by deadline, from the first with a case on, oldest first.
    pub weeks: Vec<Week>,
    /// Past cases that were open when the week of their deadline began.
    pub carried: Vec<Carried>,
    /// Working time of past cases.
    pub lives: Vec<Life>,
    /// Their pauses.
    pub pauses: Vec<Life>,
    /// Open cases.
    pub open: Vec<OpenCase>,
    /// Cases to come.
    pub intake: Vec<Intake>,
    /// Cases that came, week by week.
    pub came: Vec<u64>,
    /// The newest event of any case.
    pub newest_us: Option<i64>,
    /// Working days without any event since the first one looked at.
    pub quiet_days: i64,
}

/// As in the instrument.
#[must_use]
pub fn counts_by(level: &ServiceLevel) -> CountsBy {
    match level.counts_in {
        CountsIn::Due => CountsBy::Due,
        CountsIn::Opened => CountsBy::Opened,
        CountsIn::Closed => CountsBy::Closed,
    }
}

/// Lays the evidence out.
///
/// # Errors
/// The gap that keeps the time until the window's end from being known.
pub fn ground(
    scene: &Scene<'_>,
    cases: &[Case],
    clocks: &[(&Case, Cow<'_, CaseClock<'_>>)],
) -> Result<Ground, Gap> {
    let mut ground = Ground::default();
    let mut weeks = vec![Week::default(); WEEKS];
    let mut arrived: Vec<i64> = Vec::new();
    for (case, clock) in clocks {
        if scene.is_excluded(case, clock) || clock.outcome == Outcome::Gap {
            continue;
        }
        let own = judged_alike(scene, case, clock);
        let Some(own) = own.as_deref() else { continue };
        if own.outcome == Outcome::Gap {
            continue;
        }
        past(scene, own, &mut weeks, &mut ground);
        arrived.push(own.started_us.unwrap_or(own.opened_us));
        let closing = scene.level.counts_in == CountsIn::Closed;
        if clock.outcome == Outcome::Open || (closing && clock.outcome == Outcome::Overdue) {
            ground.open.extend(open_case(scene, clock)?);
        }
    }
    let first = weeks.iter().position(|week| *week != Week::default()).unwrap_or(WEEKS);
    ground.weeks = weeks.split_off(first);
    for case in &mut ground.carried {
        case.week -= first;
    }
    ground.carried.sort_unstable();
    ground.lives.sort_unstable();
    ground.pauses.sort_unstable();
    ground.open.sort_unstable_by_key(|case| (case.week, case.used, case.left, case.paused));
    let rhythm = Rhythm::of(scene, &arrived, first_day(scene, cases))?;
    ground.came = rhythm.weeks.clone();
    ground.intake = rhythm.ahead(scene)?;
    let worked = worked_days(scene, cases);
    ground.newest_us = worked.1;
    ground.quiet_days = worked.0;
    Ok(ground)
}

/// The clock of a past case under the version that measures the window.
fn judged_alike<'c>(
    scene: &'c Scene<'_>,
    case: &Case,
    clock: &'c CaseClock<'c>,
) -> Option<Cow<'c, CaseClock<'c>>> {
    if clock.level.row_ref == scene.level.row_ref {
        return Some(Cow::Borrowed(clock));
    }
    clock::case_clock(scene.terms, scene.alone, case, scene.at_us, &Choice::default())
        .map(Cow::Owned)
}

/// The week of a past instant, 0 for the oldest.
fn week_of(scene: &Scene<'_>, us: i64) -> Option<usize> {
    let back = scene.at_us.checked_sub(us).filter(|back| *back > 0)?;
    let weeks = usize::try_from((back - 1) / WEEK_US).ok()?;
    (WEEKS - 1).checked_sub(weeks)
}

fn past(scene: &Scene<'_>, clock: &CaseClock<'_>, weeks: &mut [Week], ground: &mut Ground) {
    let place = clock.due_us.and_then(|due| week_of(scene, due));
    if let Some(week) = place.and_then(|place| weeks.get_mut(place)) {
        match clock.outcome {
            Outcome::Met => week.met += 1,
            Outcome::Missed | Outcome::Overdue => week.missed += 1,
            Outcome::Open | Outcome::Gap => {}
        }
        ground.carried.extend(place.and_then(|place| carried(scene, clock, place)));
    }
    let Some((total, start)) = clock.total_us.zip(clock.started_us) else { return };
    if week_of(scene, start).is_none() {
        return;
    }
    let ended = clock.closed_us.is_some();
    ground.lives.push(Life { length: total, ended });
    let late = clock.level.threshold_us.is_some_and(|threshold| total > threshold);
    // An open case that never paused says nothing of how long pauses last.
    let paused = Life { length: paused_us(clock), ended: ended || late };
    if paused.ended || paused.length > 0 {
        ground.pauses.push(paused);
    }
}

/// A past case as it stood when the week of its deadline began, if it was open then.
fn carried(scene: &Scene<'_>, clock: &CaseClock<'_>, place: usize) -> Option<Carried> {
    let back = i64::try_from(WEEKS - place).ok()?;
    let begun_us = scene.at_us - back * WEEK_US;
    let was_open = clock.started_us? < begun_us && clock.closed_us.is_none_or(|at| at >= begun_us);
    if !was_open || scene.level.metric == Metric::Update {
        return None;
    }
    let mut used = 0;
    for segment in clock.segments.iter().filter(|segment| segment.run == Run::Running) {
        if segment.end_us <= begun_us {
            used += segment.working_us?;
        } else if segment.start_us < begun_us {
            let calendar = scene.terms.calendar(segment.calendar.as_ref()?).ok()?;
            used += calendar.working_us(segment.start_us, begun_us).ok()?;
        }
    }
    Some(Carried { week: place, used, met: clock.outcome == Outcome::Met })
}

/// Working time in pauses until the case was done, or late.
fn paused_us(clock: &CaseClock<'_>) -> i64 {
    let threshold = clock.level.threshold_us.unwrap_or(i64::MAX);
    let in_time =
        |segment: &&Segment| segment.elapsed_us.is_none_or(|elapsed| elapsed <= threshold);
    clock.segments.iter().take_while(in_time).filter_map(|segment| segment.paused_us).sum()
}

/// An open case that may count in the window.
fn open_case(scene: &Scene<'_>, clock: &CaseClock<'_>) -> Result<Option<OpenCase>, Gap> {
    let level = scene.level;
    let (start, end) = scene.bounds_us;
    let opened_here = start <= clock.opened_us && clock.opened_us < end;
    let Some(threshold) = level.threshold_us else { return Ok(None) };
    if level.counts_in == CountsIn::Opened && !opened_here {
        return Ok(None);
    }
    let used = clock.total_us.unwrap_or_default();
    let last = clock.segments.last();
    let id = last.and_then(|segment| segment.calendar.as_ref());
    let calendar = match id {
        Some(id) => scene.terms.calendar(id)?,
        None => scene.terms.contract_calendar(level, scene.at_us)?,
    };
    // Working time that is to spare between the deadline and the end of the window.
    let left = match clock.due_us {
        Some(due) if due >= end && level.counts_in == CountsIn::Due => return Ok(None),
        Some(due) if due >= end => calendar.working_us(scene.at_us, end)?.min(threshold - used - 1),
        Some(due) if due >= scene.at_us => threshold - used + calendar.working_us(due, end)?,
        _ => calendar.working_us(scene.at_us, end)?,
    };
    let week = clock.due_us.map_or(0, |due| (due - scene.at_us).max(0) / WEEK_US);
    let paused = last.is_some_and(|segment| segment.run == Run::Paused);
    Ok(Some(OpenCase {
        week: usize::try_from(week).unwrap_or_default(),
        used,
        left,
        paused: paused.then(|| paused_us(clock)),
    }))
}

/// The day on which the evidence begins, or the first of the weeks of intake.
fn first_day(scene: &Scene<'_>, cases: &[Case]) -> Option<Date> {
    let first = cases.iter().filter_map(|case| case.events.first()).map(|event| event.at_us).min();
    let earliest = scene.at_us - i64::try_from(INTAKE_WEEKS).unwrap_or_default() * WEEK_US;
    scene.terms.zone.date(first?.max(earliest))
}

/// Working days without any event, and the newest event before the instant.
fn worked_days(scene: &Scene<'_>, cases: &[Case]) -> (i64, Option<i64>) {
    let zone = &scene.terms.zone;
    let earliest = scene.at_us - i64::try_from(WEEKS).unwrap_or_default() * WEEK_US;
    let mut days: BTreeSet<i64> = BTreeSet::new();
    let (mut newest, mut oldest) = (None, None);
    for case in cases {
        for event in case.events_before(scene.at_us) {
            newest = newest.max(Some(event.at_us));
            if event.at_us >= earliest {
                oldest = Some(oldest.map_or(event.at_us, |known: i64| known.min(event.at_us)));
                // Hours tell days apart in every zone, and are far fewer than events.
                days.insert(event.at_us.div_euclid(DAY_US / 24));
            }
        }
    }
    let worked: BTreeSet<Date> =
        days.into_iter().filter_map(|hour| zone.date(hour * (DAY_US / 24))).collect();
    let calendar = scene.terms.contract_calendar(scene.level, scene.at_us);
    let (Some(from), Some(to), Ok(calendar)) =
        (oldest.and_then(|us| zone.date(us)), zone.date(scene.at_us), calendar)
    else {
        return (0, newest);
    };
    let quiet = Period { first: from, after: to }
        .days()
        .filter(|day| !worked.contains(day) && calendar.day(*day).is_ok_and(|day| day.works))
        .count();
    (i64::try_from(quiet).unwrap_or(i64::MAX), newest)
}

/// How many cases come on which kind of day.
struct Rhythm<'a> {
    calendar: &'a WorkCalendar,
    /// By kind of day: cases, days.
    kinds: BTreeMap<usize, (u64, u64)>,
    /// Cases of each whole week, oldest first.
    weeks: Vec<u64>,
}

/// A weekday on which the calendar is closed.
const CLOSED: usize = 7;

impl<'a> Rhythm<'a> {
    fn of(scene: &Scene<'a>, arrived: &[i64], first: Option<Date>) -> Result<Self, Gap> {
        let calendar = scene.terms.contract_calendar(scene.level, scene.at_us)?;
        let zone = &scene.terms.zone;
        let mut by_day: BTreeMap<Date, u64> = BTreeMap::new();
        for us in arrived.iter().filter(|us| **us < scene.at_us) {
            if let Some(day) = zone.date(*us) {
                *by_day.entry(day).or_default() += 1;
            }
        }
        let (Some(first), Some(today)) = (first, zone.date(scene.at_us)) else {
            return Ok(Self { calendar, kinds: BTreeMap::new(), weeks: Vec::new() });
        };
        let mut kinds: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        let days: Vec<Date> = Period { first, after: today }.days().collect();
        for day in &days {
            let kind = kinds.entry(kind_of(calendar, *day)).or_default();
            kind.0 += by_day.get(day).copied().unwrap_or_default();
            kind.1 += 1;
        }
        let count = |week: &[Date]| week.iter().filter_map(|day| by_day.get(day)).sum();
        let mut weeks: Vec<u64> = days.rchunks_exact(7).map(count).collect();
        weeks.reverse();
        Ok(Self { calendar, kinds, weeks })
    }

    /// Cases expected on a day, in thousandths.
    fn milli(&self, day: Date) -> u64 {
        let kind = kind_of(self.calendar, day);
        let known = self.kinds.get(&kind).or_else(|| self.kinds.get(&SUNDAY));
        known.map_or(0, |(cases, days)| (cases * 1_000 + days / 2) / (*days).max(1))
    }

    /// What is expected until the end of the window.
    fn ahead(&self, scene: &Scene<'_>) -> Result<Vec<Intake>, Gap> {
        let zone = &scene.terms.zone;
        let end = scene.bounds_us.1;
        let Some(today) = zone.date(scene.at_us) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for day in (Period { first: today, after: scene.window.after }).days() {
            let next = day.tomorrow().unwrap_or(day);
            let (Ok(start), Ok(until)) = (zone.day_start_us(day), zone.day_start_us(next)) else {
                continue;
            };
            let from = start.max(scene.at_us);
            let until = until.min(end);
            let whole = self.calendar.working_us(start, until)?;
            let rest = self.calendar.working_us(from, until)?;
            // Cases come while people work; on days off, round the clock.
            let (part, all) = if whole > 0 { (rest, whole) } else { (until - from, until - start) };
            let milli = i128::from(self.milli(day)) * i128::from(part) / i128::from(all.max(1));
            for n in 0..PARTS {
                let at = if whole > 0 {
                    self.calendar.add_working_us(from, rest * (2 * n + 1) / (2 * PARTS))?
                } else {
                    from
                };
                found.push(Intake {
                    week: usize::try_from((at - scene.at_us).max(0) / WEEK_US).unwrap_or_default(),
                    milli: u64::try_from(milli / i128::from(PARTS)).unwrap_or_default(),
                    left: self.calendar.working_us(at, end)?,
                });
            }
        }
        Ok(found)
    }
}

const SUNDAY: usize = 6;

fn kind_of(calendar: &WorkCalendar, day: Date) -> usize {
    let closed = calendar.day(day).is_ok_and(|day| day.usual && !day.works);
    let offset = day.weekday().since(Weekday::Monday);
    if closed { CLOSED } else { usize::try_from(offset).unwrap_or(SUNDAY) }
}
