//! The clock of one case under one service level, walked minute by minute. Owns the simulation's own
//! truth about working time, deadlines and outcomes; it must never look at what a provider reports.

use jiff::{civil::Date, tz::TimeZone};

use crate::{
    almanac::{Almanac, civil_at},
    error::SimError,
    world::{Case, CountsIn, Event, LevelRow, Minute, Start, World},
};

/// What a clock reads as of an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// When the case was opened.
    pub opened: Minute,
    /// When the clock started.
    pub started: Minute,
    /// Working minutes while it ran.
    pub worked: i64,
    /// Working minutes allowed.
    pub threshold: i64,
    /// When the working time reaches what is allowed.
    pub due: Minute,
    /// When the case was done; nothing while it is open.
    pub closed: Option<Minute>,
    /// Met, missed, open or overdue.
    pub verdict: Verdict,
}

/// The outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Done within the time allowed.
    Met,
    /// Done too late.
    Missed,
    /// Not done, time left.
    Open,
    /// Not done, no time left.
    Overdue,
}

impl Verdict {
    /// Whether it counts as met; nothing while it counts as neither.
    #[must_use]
    pub fn met(self) -> Option<bool> {
        match self {
            Self::Met => Some(true),
            Self::Missed | Self::Overdue => Some(false),
            Self::Open => None,
        }
    }
}

/// A service level's terms, with a provider's choices in place of the agreed ones where stated.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// The agreed terms.
    pub level: &'a LevelRow,
    /// When the clock starts.
    pub starts: Start,
    /// States in which it pauses.
    pub paused: &'a [String],
    /// Calendar whatever the site.
    pub calendar: Option<&'a str>,
}

impl<'a> Terms<'a> {
    /// As agreed.
    #[must_use]
    pub fn agreed(level: &'a LevelRow) -> Self {
        let calendar = level.calendar.as_deref();
        Self { level, starts: level.starts, paused: &level.paused, calendar }
    }
}

/// The instant at which a case's clock starts.
#[must_use]
pub fn start_of(events: &[Event], starts: Start) -> Option<Minute> {
    let first = events.first()?;
    match starts {
        Start::Opened => Some(first.opened),
        Start::FirstEvent => Some(first.at),
        Start::Assigned => events
            .iter()
            .find(|event| event.person.is_some() || event.team.is_some())
            .map(|event| event.at),
    }
}

/// Reads the clock of a case as of an instant: only what happened before it is seen. Nothing when
/// the clock has not started, or the deadline lies beyond the almanac.
#[must_use]
pub fn read(
    world: &World,
    almanac: &Almanac,
    case: &Case,
    terms: &Terms<'_>,
    as_of: Minute,
) -> Option<Reading> {
    let seen: Vec<&Event> = case.events.iter().filter(|event| event.at < as_of).collect();
    let first = seen.first()?;
    let started = start_of(&case.events, terms.starts).filter(|start| *start < as_of)?;
    let threshold = terms.level.threshold;
    let once = terms.level.metric == "first-response";
    let mut worked = 0;
    let mut due = None;
    let mut closed: Option<Minute> = None;
    let mut calendar = String::new();
    for (index, event) in seen.iter().enumerate() {
        let until = seen.get(index + 1).map_or(as_of, |next| next.at);
        calendar = calendar_at(world, case, event, terms)?;
        if terms.level.stop.contains(&event.state) {
            closed = closed.or(Some(event.at.max(started)));
            if once {
                break;
            }
            continue;
        }
        closed = None;
        if terms.paused.contains(&event.state) {
            continue;
        }
        let from = event.at.max(started);
        let length = usize::try_from((until - from).max(0)).unwrap_or(0);
        for (offset, open) in almanac.from(&calendar, from).iter().take(length).enumerate() {
            if *open {
                worked += 1;
                if worked == threshold {
                    due = due.or(Some(from + i64::try_from(offset).ok()? + 1));
                }
            }
        }
    }
    // Not used up: the rest of the time allowed runs on from the end, or from now.
    let tail = closed.unwrap_or(as_of).max(started);
    let due = match due {
        Some(due) => due,
        None => almanac.after(&calendar, tail, threshold - worked)?,
    };
    let verdict = match closed {
        Some(_) if worked <= threshold => Verdict::Met,
        Some(_) => Verdict::Missed,
        None if due <= as_of => Verdict::Overdue,
        None => Verdict::Open,
    };
    Some(Reading { opened: first.opened, started, worked, threshold, due, closed, verdict })
}

/// The calendar that counts from an event on: the service level's, else that of the event's site,
/// its team's site, the arrangement's default.
fn calendar_at(world: &World, case: &Case, event: &Event, terms: &Terms<'_>) -> Option<String> {
    if let Some(calendar) = terms.calendar {
        return Some(calendar.to_owned());
    }
    let team = event.team.as_deref().and_then(|team| world.site_of_team(&case.arrangement, team));
    let default = || Some(world.arrangement(&case.arrangement)?.default_site.as_str());
    let site = event.site.as_deref().or(team).or_else(default)?;
    world.calendar_of_site(site).map(str::to_owned)
}

/// Whether a service level applies to a case as of an instant.
#[must_use]
pub fn applies(level: &LevelRow, case: &Case, as_of: Minute) -> bool {
    let seen = || case.events.iter().filter(|event| event.at < as_of);
    let priority = seen().filter_map(|event| event.priority.as_ref()).next_back();
    let case_type = seen().filter_map(|event| event.case_type.as_ref()).next_back();
    let within = |list: &[String], value: Option<&String>| {
        list.is_empty() || value.is_some_and(|value| list.contains(value))
    };
    within(&level.priorities, priority) && within(&level.case_types, case_type)
}

/// The version of a service level whose terms hold for a case: that of the civil day its clock
/// starts, in the arrangement's zone.
///
/// # Errors
/// An arrangement or zone that is not there.
pub fn level_for<'a>(
    world: &'a World,
    case: &Case,
    id: &str,
    zone: &TimeZone,
) -> Result<Option<&'a LevelRow>, SimError> {
    let Some(first) = case.events.first() else { return Ok(None) };
    let day = civil_at(first.opened, zone)?.date();
    let Some(level) = world.level_on(&case.arrangement, id, day) else { return Ok(None) };
    let Some(start) = start_of(&case.events, level.starts) else { return Ok(None) };
    let day = civil_at(start, zone)?.date();
    Ok(world.level_on(&case.arrangement, id, day))
}

/// The civil month (its first day) into which a reading falls; nothing when it falls into none yet.
///
/// # Errors
/// An instant outside what the tz database can say.
pub fn month_of(
    reading: &Reading,
    counts_in: CountsIn,
    zone: &TimeZone,
) -> Result<Option<Date>, SimError> {
    let at = match counts_in {
        CountsIn::Due => Some(reading.due),
        CountsIn::Closed => reading.closed,
    };
    at.map(|at| Ok(civil_at(at, zone)?.date().first_of_month())).transpose()
}
