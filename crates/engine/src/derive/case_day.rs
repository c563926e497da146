//! One case under one service level laid over the civil days of the sites that had it: which hours were
//! working hours, which holiday fell on a day, and what the clock did in them. The numbers are those of
//! [`super::explain`]; here they get their place on a day.
//!
//! Owns the cutting into days. It must never count time: what is counted is said by the segments.

use std::sync::Arc;

use backstay_calendar::{Span, Zone, intersect_spans, total_us};
use jiff::civil::Date;
use serde::Serialize;

use super::{
    clock::{CaseClock, Run, Segment},
    terms::Terms,
    worktime::WorkCalendar,
};
use crate::error::EngineError;

/// Days of one stretch that are told one by one, the first and the last ones.
const FIRST_DAYS: usize = 40;
const LAST_DAYS: usize = 10;
/// Days after the last event that are laid out so that a deadline is among them.
const DAYS_AHEAD: i64 = 21;
const DAY_US: i64 = 86_400_000_000;

/// Consecutive segments by one calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Zone of its days.
    pub zone: String,
    /// Calendar that counts; none where none is known.
    pub calendar_id: Option<String>,
    /// Sites responsible, in order.
    pub sites: Vec<String>,
    /// Days in order.
    pub days: Vec<CaseDay>,
}

/// A civil day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseDay {
    /// The day in the zone of the stretch.
    pub day: Date,
    /// Days before it that are left out, because nothing but waiting happened.
    pub skipped: usize,
    /// Its length less 24 hours, minutes: clocks were changed.
    pub change_minutes: i64,
    /// Names of the holidays that decide it.
    pub holiday: Option<String>,
    /// Why its working hours are not known.
    pub gap: Option<String>,
    /// Working hours.
    pub open: Vec<WallSpan>,
    /// What the clock did.
    pub parts: Vec<DayPart>,
    /// Working time counted on the day, microseconds.
    pub counted_us: i64,
    /// Where the deadline falls on it, minute of the wall clock.
    pub deadline_minute: Option<i64>,
}

/// A span of a day by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WallSpan {
    /// Minutes after midnight.
    pub from_minute: i64,
    /// Minutes after midnight, at most 1,440.
    pub until_minute: i64,
}

/// A part of a segment on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayPart {
    /// Number of the segment, from 1.
    pub segment: usize,
    /// Where on the day.
    pub span: WallSpan,
    /// `running`, `paused`, `stopped` or `gap`.
    pub clock: String,
    /// The working hours in it, when the clock runs or pauses.
    pub working: Vec<WallSpan>,
}

/// Lays a case over its days. `zone`: of the arrangement, for segments that no calendar counts.
///
/// # Errors
/// Days beyond what a calendar can say.
pub(super) fn stretches(
    terms: &Terms,
    clock: &CaseClock<'_>,
    zone: &Zone,
) -> Result<Vec<Stretch>, EngineError> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut own: Vec<Group<'_>> = Vec::new();
    for (n, segment) in clock.segments.iter().enumerate() {
        let calendar = segment.calendar.as_ref().and_then(|id| terms.calendar(id).ok());
        let at = calendar.and_then(|calendar| calendar.zone_at(segment.start_us));
        let zone = at.unwrap_or(zone);
        let id = segment.calendar.as_ref();
        match own.last_mut() {
            Some(last) if last.id == id && last.zone.name() == zone.name() => {
                last.segments.push((n + 1, segment));
            }
            _ => own.push(Group { id, calendar, zone, segments: vec![(n + 1, segment)] }),
        }
    }
    let last = own.len();
    for (n, group) in own.iter().enumerate() {
        found.push(group.stretch(clock, n + 1 == last)?);
    }
    Ok(found)
}

/// Segments by one calendar.
struct Group<'a> {
    id: Option<&'a Arc<str>>,
    calendar: Option<&'a WorkCalendar>,
    zone: &'a Zone,
    segments: Vec<(usize, &'a Segment)>,
}

impl Group<'_> {
    fn stretch(&self, clock: &CaseClock<'_>, is_last: bool) -> Result<Stretch, EngineError> {
        let mut sites: Vec<String> = Vec::new();
        for site in self.segments.iter().filter_map(|(_, segment)| segment.site.as_deref()) {
            if sites.last().is_none_or(|last| last != site) {
                sites.push(site.to_owned());
            }
        }
        Ok(Stretch {
            zone: self.zone.name().to_owned(),
            calendar_id: self.id.map(|id| id.to_string()),
            sites,
            days: self.days(clock, is_last)?,
        })
    }

    /// The instants that are laid out: up to the deadline where that lies ahead and near.
    fn span(&self, clock: &CaseClock<'_>, is_last: bool) -> Option<Span> {
        let from = self.segments.first()?.1.start_us;
        let end = self.segments.last()?.1.end_us.max(from);
        let near = |due: &i64| *due > end && *due - end <= DAYS_AHEAD * DAY_US;
        let due = clock.due_us.filter(|_| is_last).filter(near);
        Some((from, due.map_or(end, |due| due + 1).max(from + 1)))
    }

    fn days(&self, clock: &CaseClock<'_>, is_last: bool) -> Result<Vec<CaseDay>, EngineError> {
        let Some((from_us, until_us)) = self.span(clock, is_last) else { return Ok(Vec::new()) };
        let beyond = || EngineError::Time("a day beyond what a calendar can say".to_owned());
        let mut dates = Vec::new();
        let mut day = self.zone.date(from_us).ok_or_else(beyond)?;
        let last = self.zone.date(until_us - 1).ok_or_else(beyond)?;
        let mut skipped = 0;
        let left = |day: Date| usize::try_from((last - day).get_days()).unwrap_or_default();
        while day <= last {
            if dates.len() < FIRST_DAYS || left(day) < LAST_DAYS {
                dates.push((day, std::mem::take(&mut skipped)));
            } else {
                skipped += 1;
            }
            day = day.tomorrow().map_err(|_| beyond())?;
        }
        let due = clock.due_us.filter(|due| (from_us..=until_us).contains(due));
        dates.into_iter().map(|(day, skipped)| self.day(day, skipped, due)).collect()
    }

    fn day(&self, day: Date, skipped: usize, due: Option<i64>) -> Result<CaseDay, EngineError> {
        let start = |day: Date| {
            let at = self.zone.day_start_us(day);
            at.map_err(|error| EngineError::Time(error.to_string()))
        };
        let (from, until) = (start(day)?, start(day.tomorrow().unwrap_or(day))?);
        let wall = |span: &Span| self.wall(*span, (from, until));
        let hours = match self.calendar {
            Some(calendar) => calendar.spans(from, until).map_err(|gap| gap.to_string()),
            None => Ok(Vec::new()),
        };
        let holiday = self.calendar.and_then(|calendar| calendar.day(day).ok()?.holiday);
        let open = hours.as_ref().cloned().unwrap_or_default();
        let mut counted_us = 0;
        let mut parts = Vec::new();
        for (number, segment) in &self.segments {
            let own = (segment.start_us.max(from), segment.end_us.min(until));
            if own.0 >= own.1 {
                continue;
            }
            let counts = matches!(segment.run, Run::Running | Run::Paused);
            let working = if counts { intersect_spans(&open, &[own]) } else { Vec::new() };
            if segment.run == Run::Running {
                counted_us += total_us(&working);
            }
            parts.push(DayPart {
                segment: *number,
                span: wall(&own),
                clock: segment.run.as_str().to_owned(),
                working: working.iter().map(wall).collect(),
            });
        }
        let deadline = due.filter(|due| (from..until).contains(due));
        Ok(CaseDay {
            day,
            skipped,
            change_minutes: (until - from - DAY_US) / 60_000_000,
            holiday,
            gap: hours.err(),
            open: open.iter().map(wall).collect(),
            parts,
            counted_us,
            deadline_minute: deadline.map(|due| self.minute(due)),
        })
    }

    /// Minutes after midnight by the wall clock.
    fn minute(&self, at_us: i64) -> i64 {
        let local = self.zone.local(at_us);
        local.map_or(0, |at| i64::from(at.hour()) * 60 + i64::from(at.minute()))
    }

    fn wall(&self, span: Span, day: Span) -> WallSpan {
        let until_minute = if span.1 >= day.1 { 1_440 } else { self.minute(span.1) };
        let from_minute = self.minute(span.0);
        WallSpan { from_minute, until_minute: until_minute.max(from_minute) }
    }
}
