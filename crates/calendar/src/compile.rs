//! From terms to open time: each civil day's windows become instants in the site's zone, then merge.
//!
//! Owns the walk over civil days and the rules that need two of them (night shifts, dates that a zone
//! skipped, where cover begins). It must never touch a query.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::error::CalendarError;
use crate::holiday::{DayMinutes, DayRule, Holiday, day_rules, window_minutes};
use crate::spans::{Span, union_spans};
use crate::spec::{CalendarSpec, NightShift};
use crate::window::{DAY_MINUTES, Window, refuse_overlap};
use crate::zone::Zone;

/// Longest cover, in days: a century. Nobody knows holidays further.
const COVER_LIMIT_DAYS: i64 = 36_525;

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What compiling gives.
pub(crate) struct Compiled {
    pub(crate) zone: Zone,
    pub(crate) cover: Span,
    pub(crate) open: Vec<Span>,
    pub(crate) holidays: Vec<Holiday>,
}

pub(crate) fn compile(spec: &CalendarSpec) -> Result<Compiled, CalendarError> {
    let zone = Zone::find(&spec.zone)?;
    check_windows(spec)?;
    check_cover(spec)?;
    let rules = day_rules(spec)?;
    let walk = Walk { zone: &zone, spec, rules: &rules };
    let days = walk.days()?;
    let cover = walk.cover(&days)?;
    let open = walk.open(&days, cover)?;
    let holidays = rules
        .range(spec.covered_from..spec.covered_until)
        .flat_map(|(_, rule)| rule.decided_by.iter().cloned())
        .collect();
    Ok(Compiled { zone, cover, open, holidays })
}

fn check_windows(spec: &CalendarSpec) -> Result<(), CalendarError> {
    for (windows, day) in spec.week.iter().zip(WEEKDAYS) {
        refuse_overlap(windows, || day.to_owned())?;
    }
    for holiday in &spec.holidays {
        let windows = holiday.windows.as_deref().unwrap_or_default();
        refuse_overlap(windows, || format!("the holiday row of {}", holiday.date))?;
    }
    let in_week = spec.week.iter().any(|windows| !windows.is_empty());
    let in_rows = spec
        .holidays
        .iter()
        .any(|row| row.windows.as_ref().is_some_and(|windows| !windows.is_empty()));
    if in_week || in_rows { Ok(()) } else { Err(CalendarError::NoWindows) }
}

fn check_cover(spec: &CalendarSpec) -> Result<(), CalendarError> {
    let (from, until) = (spec.covered_from, spec.covered_until);
    if from >= until {
        return Err(CalendarError::CoverEmpty { from, until });
    }
    let days = i64::from((until - from).get_days());
    if days > COVER_LIMIT_DAYS {
        return Err(CalendarError::CoverTooLong { days, limit: COVER_LIMIT_DAYS });
    }
    Ok(())
}

/// A civil date that the zone really had, and the first instant of it.
#[derive(Debug, Clone, Copy)]
struct Day {
    date: Date,
    start: i64,
}

struct Walk<'a> {
    zone: &'a Zone,
    spec: &'a CalendarSpec,
    rules: &'a BTreeMap<Date, DayRule>,
}

impl Walk<'_> {
    /// The dates from the last one before cover to at least one after it, without those that the
    /// zone skipped whole (Apia had no 30 December 2011): nobody works on a day that was not.
    fn days(&self) -> Result<Vec<Day>, CalendarError> {
        let mut days: Vec<Day> = Vec::new();
        let mut date = earlier(earlier(self.spec.covered_from)?)?;
        let last = later(later(self.spec.covered_until)?)?;
        let mut start = self.start_of(date)?;
        while date < last {
            let next = later(date)?;
            let end = self.start_of(next)?;
            if start < end {
                days.push(Day { date, start });
            }
            (date, start) = (next, end);
        }
        // Two days were taken on either side, in case the nearer one was skipped.
        let spare = days.iter().skip(1).take_while(|day| day.date < self.spec.covered_from).count();
        days.drain(..spare);
        Ok(days)
    }

    /// Cover in instants: whole civil days, less what a shift of the unknown day before would work.
    fn cover(&self, days: &[Day]) -> Result<Span, CalendarError> {
        let mut from = self.start_of(self.spec.covered_from)?;
        let until = self.start_of(self.spec.covered_until)?;
        if let (NightShift::StartDay, [before, first, ..]) = (self.spec.night_shift, days) {
            let week = self.weekday_minutes(before.date);
            let row = self.rules.get(&before.date).map(|rule| rule.minutes.clone());
            for (_, closes) in week.into_iter().chain(row.unwrap_or_default()) {
                if closes > DAY_MINUTES {
                    from = from.max(self.instant(first, closes - DAY_MINUTES)?);
                }
            }
        }
        if from >= until {
            let (from, until) = (self.spec.covered_from, self.spec.covered_until);
            return Err(CalendarError::CoverEmpty { from, until });
        }
        Ok((from, until))
    }

    /// Every open span inside cover, merged after conversion.
    fn open(&self, days: &[Day], cover: Span) -> Result<Vec<Span>, CalendarError> {
        let mut open = Vec::new();
        for three in days.windows(3) {
            let [before, day, next] = three else { continue };
            for (opens, closes) in self.day_minutes(before.date, day.date) {
                let start = self.instant(day, opens)?;
                let end = match closes.checked_sub(DAY_MINUTES) {
                    None | Some(0) => self.instant(day, closes)?,
                    Some(minute) => self.instant(next, minute)?,
                };
                open.push((start.max(cover.0), end.min(cover.1)));
            }
        }
        Ok(union_spans(&open))
    }

    /// The windows of a date, in minutes from its midnight.
    fn day_minutes(&self, before: Date, date: Date) -> DayMinutes {
        let rule = self.rules.get(&date).map(|rule| rule.minutes.clone());
        if self.spec.night_shift == NightShift::StartDay {
            return rule.unwrap_or_else(|| self.weekday_minutes(date));
        }
        let decided = rule.is_some();
        let mut minutes = rule.unwrap_or_else(|| self.weekday_minutes(date));
        for (_, closes) in &mut minutes {
            *closes = (*closes).min(DAY_MINUTES);
        }
        if !decided {
            let row = self.rules.get(&before).map(|rule| rule.minutes.clone()).unwrap_or_default();
            let tails = self.weekday_minutes(before).into_iter().chain(row);
            minutes.extend(
                tails.filter(|tail| tail.1 > DAY_MINUTES).map(|tail| (0, tail.1 - DAY_MINUTES)),
            );
        }
        minutes
    }

    fn weekday_minutes(&self, date: Date) -> DayMinutes {
        window_minutes(weekday_windows(self.spec, date.weekday()))
    }

    fn start_of(&self, date: Date) -> Result<i64, CalendarError> {
        self.zone.day_start_us(date).map_err(|_| CalendarError::DateRange { date })
    }

    /// The first instant at which the wall clock shows this minute of the day or later.
    fn instant(&self, day: &Day, minute: u16) -> Result<i64, CalendarError> {
        let date = day.date;
        if minute == 0 {
            return Ok(day.start);
        }
        if minute >= DAY_MINUTES {
            return self.start_of(later(date)?);
        }
        let (hour, minute) = ((minute / 60) as i8, (minute % 60) as i8);
        self.zone
            .first_instant_us(date.at(hour, minute, 0, 0))
            .map_err(|_| CalendarError::DateRange { date })
    }
}

fn weekday_windows(spec: &CalendarSpec, weekday: Weekday) -> &[Window] {
    let place = usize::from(weekday.to_monday_zero_offset().unsigned_abs());
    spec.week.get(place).map(Vec::as_slice).unwrap_or_default()
}

fn later(date: Date) -> Result<Date, CalendarError> {
    date.checked_add(1.day()).map_err(|_| CalendarError::DateRange { date })
}

fn earlier(date: Date) -> Result<Date, CalendarError> {
    date.checked_sub(1.day()).map_err(|_| CalendarError::DateRange { date })
}
