//! One event: when it begins, how long it lasts, when it comes again, and so on which civil days it
//! falls. Never guesses a zone: an event in UTC has no civil day until somebody says whose.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::{
    line::ContentLine,
    recurrence::{Rule, Window},
};
use crate::{
    quarantine::code,
    read::record::{ColumnSet, Item, RawRecord},
};

/// Longest event, and most days of all its occurrences.
const LENGTH_MAX: i64 = 3_660;
const DAYS_MAX: usize = 32_767;

/// What is known beside the event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    /// Zone that the mapping or the user names.
    pub(crate) zone: Option<String>,
    /// Zone that the calendar names.
    pub(crate) calendar_zone: Option<String>,
    /// Days that recurring events are laid out for.
    pub(crate) window: Option<Window>,
}

/// A moment as a calendar writes it.
#[derive(Debug, Clone, PartialEq)]
enum Moment {
    Day(Date),
    /// Civil time, in a zone if that is known.
    Local(DateTime, Option<TimeZone>),
    Utc(Timestamp),
}

/// Properties that say when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Event {
    start: Option<ContentLine>,
    end: Option<ContentLine>,
    duration: Option<String>,
    rules: Vec<String>,
    more: Vec<ContentLine>,
    except: Vec<ContentLine>,
    changes_another: bool,
}

/// Whether a property is a moment, which comes in ISO 8601 and not as written.
pub(crate) fn is_moment(name: &str) -> bool {
    matches!(name, "DTSTART" | "DTEND")
}

/// Why an event has no days: code and reason.
type Refusal = (&'static str, String);

impl Event {
    pub(crate) fn take(&mut self, line: &ContentLine) {
        match line.name.as_str() {
            "DTSTART" => self.start = Some(line.clone()),
            "DTEND" => self.end = Some(line.clone()),
            "DURATION" => self.duration = Some(line.value.clone()),
            "RRULE" => self.rules.push(line.value.clone()),
            "RDATE" => self.more.push(line.clone()),
            "EXDATE" => self.except.push(line.clone()),
            "RECURRENCE-ID" => self.changes_another = true,
            _ => {}
        }
    }

    /// Puts start, end and days into the record, or the reason why there are none.
    pub(crate) fn finish(
        self,
        setting: &Setting,
        columns: &mut ColumnSet,
        days: usize,
        record: &mut RawRecord,
    ) {
        for (name, line) in [("DTSTART", &self.start), ("DTEND", &self.end)] {
            if let Some(line) = line {
                let column = columns.intern(name);
                match moment(line, &line.value) {
                    Some(moment) => record.set(column, &moment.to_text()),
                    None => {
                        record.fault(column, code::BAD_DATE, format!("`{name}` is no date or time"))
                    }
                }
            }
        }
        match self.days(setting) {
            Ok(all) => {
                for (at, day) in all.iter().enumerate() {
                    let position = (at + 1).to_string();
                    record.items.push(Item { array: days, position, cells: Vec::new() });
                    record.set_in_item(days, &day.to_string());
                }
            }
            Err((code, reason)) => record.fault(days, code, reason),
        }
    }

    /// The civil days of all occurrences, in order, each once.
    fn days(&self, setting: &Setting) -> Result<Vec<Date>, Refusal> {
        if self.changes_another {
            let reason = "the event changes one occurrence of another (`RECURRENCE-ID`), which is not \
                          read: have the calendar exported with single events";
            return Err((code::BAD_RECURRENCE, reason.to_owned()));
        }
        let bad = |reason: &str| (code::BAD_DATE, reason.to_owned());
        let line = self.start.as_ref().ok_or_else(|| bad("the event has no start (`DTSTART`)"))?;
        let start = moment(line, &line.value).ok_or_else(|| bad("`DTSTART` is no date or time"))?;
        let first = start.day(setting)?;
        let length = self.length(&start, first, setting)?;
        let mut days = Vec::new();
        for occurrence in self.occurrences(&start, first, setting)? {
            for n in 0..length {
                days.extend(occurrence.checked_add(n.days()).ok());
            }
            if days.len() > DAYS_MAX {
                let reason =
                    "the event falls on more than 32,767 days: give a shorter `[recurrence]`";
                return Err((code::BAD_RECURRENCE, reason.to_owned()));
            }
        }
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }

    /// Days that one occurrence takes.
    fn length(&self, start: &Moment, first: Date, setting: &Setting) -> Result<i64, Refusal> {
        let bad = |reason: &str| (code::BAD_DATE, reason.to_owned());
        let last = match (&self.end, &self.duration) {
            (Some(line), _) => {
                let end =
                    moment(line, &line.value).ok_or_else(|| bad("`DTEND` is no date or time"))?;
                end.last_day(setting)?
            }
            (None, Some(text)) => {
                let span: jiff::SignedDuration =
                    duration(text).ok_or_else(|| bad("`DURATION` is no length of time"))?;
                let end = match start {
                    Moment::Day(day) => Moment::Day(day.checked_add(span).unwrap_or(Date::MAX)),
                    Moment::Local(at, zone) => {
                        Moment::Local(at.checked_add(span).unwrap_or(DateTime::MAX), zone.clone())
                    }
                    Moment::Utc(at) => Moment::Utc(at.checked_add(span).unwrap_or(Timestamp::MAX)),
                };
                end.last_day(setting)?
            }
            (None, None) => first,
        };
        let days = i64::from((last - first).get_days()) + 1;
        if days > LENGTH_MAX {
            return Err(bad("the event lasts more than ten years"));
        }
        Ok(days.max(1))
    }

    /// First days of the occurrences.
    fn occurrences(
        &self,
        start: &Moment,
        first: Date,
        setting: &Setting,
    ) -> Result<Vec<Date>, Refusal> {
        let refuse =
            |reason: String| (code::BAD_RECURRENCE, format!("the event recurs, and {reason}"));
        let mut days = vec![first];
        if !self.rules.is_empty() {
            let window = setting.window.ok_or_else(|| {
                let how = "it is not said from when until when to lay it out: give the mapping a \
                           `[recurrence]` with `from` and `until`";
                refuse(how.to_owned())
            })?;
            days.clear();
            for text in &self.rules {
                let rule = Rule::from_text(text).map_err(refuse)?;
                let until = match &rule.until {
                    None => None,
                    Some(text) => {
                        let ends = bare_moment(text, None);
                        let what = || refuse("its rule ends at no date or time (`UNTIL`)".into());
                        Some(ends.ok_or_else(what)?)
                    }
                };
                let allowed = |day| until.as_ref().is_none_or(|until| start.on(day).is_by(until));
                days.extend(rule.days(first, window, allowed));
            }
        }
        let bad = || refuse("one of its dates (`RDATE`, `EXDATE`) is none".to_owned());
        for line in &self.more {
            for text in line.value.split(',') {
                let begin = text.split('/').next().unwrap_or_default();
                days.push(moment(line, begin).ok_or_else(bad)?.day(setting)?);
            }
        }
        for line in &self.except {
            for text in line.value.split(',') {
                let except = moment(line, text).ok_or_else(bad)?;
                // A whole day, or an event of days, goes by the day; else by the moment.
                let gone = match (&except, start) {
                    (Moment::Utc(_), Moment::Local(_, Some(zone))) => except.day_in(zone),
                    (Moment::Day(day), _) => *day,
                    _ => except.day(setting)?,
                };
                days.retain(|day| *day != gone);
            }
        }
        Ok(days)
    }
}

impl Moment {
    /// The civil day it falls on.
    fn day(&self, setting: &Setting) -> Result<Date, Refusal> {
        match self {
            Self::Day(day) => Ok(*day),
            Self::Local(at, _) => Ok(at.date()),
            Self::Utc(at) => {
                let named = setting.zone.as_ref().or(setting.calendar_zone.as_ref());
                let zone = named.and_then(|name| TimeZone::get(name).ok()).ok_or_else(|| {
                    let reason = "the event is in UTC, and on which civil day that is depends on the \
                                  place: name its zone with --zone";
                    (code::NO_ZONE, reason.to_owned())
                })?;
                Ok(at.to_zoned(zone).date())
            }
        }
    }

    fn day_in(&self, zone: &TimeZone) -> Date {
        match self {
            Self::Day(day) => *day,
            Self::Local(at, _) => at.date(),
            Self::Utc(at) => at.to_zoned(zone.clone()).date(),
        }
    }

    /// As an end, which is not part of the event: the last day that is.
    fn last_day(&self, setting: &Setting) -> Result<Date, Refusal> {
        let day = self.day(setting)?;
        let at_midnight = match self {
            Self::Day(_) => true,
            Self::Local(at, _) => at.time() == Time::midnight(),
            Self::Utc(at) => {
                let zone = setting.zone.as_ref().or(setting.calendar_zone.as_ref());
                let zone = zone.and_then(|name| TimeZone::get(name).ok());
                zone.is_some_and(|zone| at.to_zoned(zone).time() == Time::midnight())
            }
        };
        Ok(if at_midnight { day.yesterday().unwrap_or(day) } else { day })
    }

    /// The same time on another day.
    fn on(&self, day: Date) -> Self {
        match self {
            Self::Day(_) => Self::Day(day),
            Self::Local(at, zone) => Self::Local(day.to_datetime(at.time()), zone.clone()),
            Self::Utc(at) => {
                let time = at.to_zoned(TimeZone::UTC).time();
                let moved = day.to_datetime(time).to_zoned(TimeZone::UTC);
                Self::Utc(moved.map_or(*at, |moved| moved.timestamp()))
            }
        }
    }

    /// Whether it is not later than the end of a rule.
    fn is_by(&self, until: &Self) -> bool {
        match (self, until) {
            (Self::Local(at, Some(zone)), Self::Utc(until)) => {
                at.to_zoned(zone.clone()).is_ok_and(|at| at.timestamp() <= *until)
            }
            (Self::Utc(at), Self::Utc(until)) => at <= until,
            (Self::Local(at, _), Self::Local(until, _)) => at <= until,
            (own, until) => own.day_in(&TimeZone::UTC) <= until.day_in(&TimeZone::UTC),
        }
    }

    /// In ISO 8601; with its offset when that is known.
    fn to_text(&self) -> String {
        match self {
            Self::Day(day) => day.to_string(),
            Self::Utc(at) => at.to_string(),
            Self::Local(at, None) => at.to_string(),
            Self::Local(at, Some(zone)) => match zone.to_ambiguous_timestamp(*at).unambiguous() {
                Ok(instant) => {
                    let offset = zone.to_offset(instant);
                    instant.display_with_offset(offset).to_string()
                }
                Err(_) => at.to_string(),
            },
        }
    }
}

/// A date or time with the zone that its line names.
fn moment(line: &ContentLine, text: &str) -> Option<Moment> {
    let zone = line.parameter("TZID").map(|name| name.trim_start_matches('/'));
    bare_moment(text, zone.and_then(|name| TimeZone::get(name).ok()))
}

/// `20260302`, `20260302T091500`, `20260302T011500Z`.
fn bare_moment(text: &str, zone: Option<TimeZone>) -> Option<Moment> {
    let text = text.trim();
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i16>().ok()).flatten()
    };
    let small = |from, to| i8::try_from(number(from, to)?).ok();
    let day = Date::new(number(0, 4)?, small(4, 6)?, small(6, 8)?).ok()?;
    if text.len() == 8 {
        return Some(Moment::Day(day));
    }
    if !matches!(text.as_bytes().get(8), Some(b'T' | b't')) {
        return None;
    }
    // A leap second is the last one before it.
    let time = Time::new(small(9, 11)?, small(11, 13)?, small(13, 15)?.min(59), 0).ok()?;
    let at = day.to_datetime(time);
    match text.get(15..) {
        Some("") => Some(Moment::Local(at, zone)),
        Some("Z" | "z") => Some(Moment::Utc(at.to_zoned(TimeZone::UTC).ok()?.timestamp())),
        _ => None,
    }
}

/// `P1D`, `PT5H30M`, `P2W`.
fn duration(text: &str) -> Option<jiff::SignedDuration> {
    let span: jiff::Span = text.trim().parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}
