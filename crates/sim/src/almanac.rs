//! Which minutes are working minutes. Owns the minute-by-minute almanac: for every calendar one flag
//! per minute, found by asking the civil clock of its zone. It must never use sums over days or any
//! shortcut: it is the slow truth that quick arithmetic is compared with.

use std::collections::BTreeMap;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

use crate::{
    error::SimError,
    world::{CalendarRow, HolidayRow, Minute},
};

/// A working window in minutes of the day; it ends on the next day when `closes <= opens`.
pub(crate) type Window = (i64, i64);

/// One flag per minute and calendar, over a span of days.
#[derive(Debug, Clone)]
pub struct Almanac {
    first: Minute,
    open: BTreeMap<String, Vec<bool>>,
}

impl Almanac {
    /// Walks every minute from the start of `from` to the start of `until` (UTC days) on the civil
    /// clock of each calendar's zone.
    ///
    /// # Errors
    /// A zone or window that cannot be read.
    pub fn walk(
        calendars: &[CalendarRow],
        holidays: &[HolidayRow],
        from: Date,
        until: Date,
    ) -> Result<Self, SimError> {
        let first = at_civil(from, 0, &TimeZone::UTC)?;
        let last = at_civil(until, 0, &TimeZone::UTC)?;
        let mut clocks: BTreeMap<&str, Vec<DateTime>> = BTreeMap::new();
        let mut open = BTreeMap::new();
        for calendar in calendars {
            if !clocks.contains_key(calendar.zone.as_str()) {
                let zone = TimeZone::get(&calendar.zone)?;
                let mut civil = Vec::new();
                for minute in first..last {
                    civil.push(civil_at(minute, &zone)?);
                }
                clocks.insert(&calendar.zone, civil);
            }
            let civil = clocks.get(calendar.zone.as_str()).map_or(&[][..], Vec::as_slice);
            open.insert(calendar.id.clone(), flags(calendar, holidays, civil)?);
        }
        Ok(Self { first, open })
    }

    /// The flags of a calendar from `start` on; empty outside the span.
    #[must_use]
    pub fn from(&self, calendar: &str, start: Minute) -> &[bool] {
        let skip = usize::try_from(start - self.first).unwrap_or(usize::MAX);
        self.open.get(calendar).and_then(|flags| flags.get(skip..)).unwrap_or(&[])
    }

    /// The earliest instant at which `work` working minutes after `start` are over; nothing when
    /// that is beyond the span.
    #[must_use]
    pub fn after(&self, calendar: &str, start: Minute, work: i64) -> Option<Minute> {
        let mut left = work;
        if left <= 0 {
            return Some(start);
        }
        for (offset, open) in self.from(calendar, start).iter().enumerate() {
            if *open {
                left -= 1;
                if left == 0 {
                    return Some(start + i64::try_from(offset).ok()? + 1);
                }
            }
        }
        None
    }
}

/// The flag of every minute given by its civil time.
fn flags(
    calendar: &CalendarRow,
    holidays: &[HolidayRow],
    civil: &[DateTime],
) -> Result<Vec<bool>, SimError> {
    let mut flags = Vec::with_capacity(civil.len());
    let (mut day, mut tonight, mut last_night) = (None, Vec::new(), Vec::new());
    for now in civil {
        let today = now.date();
        if day != Some(today) {
            day = Some(today);
            last_night = windows_of(calendar, holidays, today.checked_sub(1.day())?)?;
            tonight = windows_of(calendar, holidays, today)?;
        }
        let minute = i64::from(now.hour()) * 60 + i64::from(now.minute());
        let within = tonight
            .iter()
            .any(|(opens, closes)| minute >= *opens && (minute < *closes || closes <= opens));
        // A window across midnight belongs to the day it starts: yesterday's holiday decides.
        let night = last_night.iter().any(|(opens, closes)| closes <= opens && minute < *closes);
        flags.push(within || night);
    }
    Ok(flags)
}

/// The windows that start on a civil day: the holiday's if an agreed one falls on it (an override
/// before any other), else the weekday's.
pub(crate) fn windows_of(
    calendar: &CalendarRow,
    holidays: &[HolidayRow],
    day: Date,
) -> Result<Vec<Window>, SimError> {
    let here =
        || holidays.iter().filter(|row| row.on == day && calendar.places.contains(&row.place));
    let holiday = here()
        .find(|row| row.kind == "override")
        .or_else(|| here().find(|row| calendar.kinds.contains(&row.kind)));
    match holiday {
        Some(row) => windows(row.windows.as_deref().unwrap_or("")),
        None => {
            let index = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
            windows(calendar.week.get(index).map_or("", String::as_str))
        }
    }
}

/// Reads `09:00-13:00 14:00-18:00`.
fn windows(text: &str) -> Result<Vec<Window>, SimError> {
    text.split_whitespace()
        .map(|window| {
            let (opens, closes) = window.split_once('-')?;
            Some((minute_of_day(opens)?, minute_of_day(closes)?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| SimError::Window(text.to_owned()))
}

/// Reads `09:30` as 570.
fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
}

/// The instant of a minute of a civil day (the earlier one when it comes twice).
///
/// # Errors
/// A day outside what the tz database can say.
pub fn at_civil(day: Date, minute_of_day: i64, zone: &TimeZone) -> Result<Minute, SimError> {
    let start = day.to_zoned(zone.clone())?;
    let hour = i8::try_from(minute_of_day / 60).unwrap_or(0);
    let minute = i8::try_from(minute_of_day % 60).unwrap_or(0);
    let at = if minute_of_day == 0 {
        start
    } else {
        day.at(hour, minute, 0, 0).to_zoned(zone.clone())?
    };
    Ok(at.timestamp().as_second().div_euclid(60))
}

/// The civil time of an instant.
///
/// # Errors
/// An instant outside what the tz database can say.
pub fn civil_at(minute: Minute, zone: &TimeZone) -> Result<DateTime, SimError> {
    Ok(zone.to_datetime(Timestamp::from_second(minute.saturating_mul(60))?))
}

/// An instant with the offset of a zone, as `2026-10-05T09:15:00+08:00`.
///
/// # Errors
/// As [`civil_at`].
pub fn with_offset(minute: Minute, zone: &TimeZone) -> Result<String, SimError> {
    let at = Timestamp::from_second(minute.saturating_mul(60))?;
    let seconds = zone.to_offset(at).seconds();
    let (sign, length) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    let civil = zone.to_datetime(at);
    let text = civil.strftime("%Y-%m-%dT%H:%M:%S");
    Ok(format!("{text}{sign}{:02}:{:02}", length / 3600, length % 3600 / 60))
}

/// An instant in UTC, as `2026-10-05T09:15:00Z`.
///
/// # Errors
/// As [`civil_at`].
pub fn in_utc(minute: Minute) -> Result<String, SimError> {
    Ok(Timestamp::from_second(minute.saturating_mul(60))?.to_string())
}

/// Whether a civil day is a Saturday or Sunday.
#[must_use]
pub fn weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn row(zone: &str, week: [&str; 7], places: &[&str]) -> CalendarRow {
        CalendarRow {
            id: "c".into(),
            zone: zone.into(),
            week: week.map(str::to_owned),
            places: places.iter().map(|place| (*place).to_owned()).collect(),
            kinds: vec!["public".into()],
            source: String::new(),
        }
    }

    fn holiday(on: Date, kind: &str, windows: Option<&str>) -> HolidayRow {
        HolidayRow {
            place: "X".into(),
            on,
            name: "day".into(),
            kind: kind.into(),
            windows: windows.map(str::to_owned),
            source: String::new(),
            proclaimed: None,
        }
    }

    /// Open minutes between two civil midnights of the zone.
    fn open(calendar: &CalendarRow, holidays: &[HolidayRow], from: Date, until: Date) -> usize {
        let almanac = Almanac::walk(
            std::slice::from_ref(calendar),
            holidays,
            date(2026, 10, 1),
            date(2026, 11, 30),
        )
        .unwrap();
        let zone = TimeZone::get(&calendar.zone).unwrap();
        let (from, until) = (at_civil(from, 0, &zone).unwrap(), at_civil(until, 0, &zone).unwrap());
        let length = usize::try_from(until - from).unwrap();
        almanac.from("c", from)[..length].iter().filter(|open| **open).count()
    }

    #[test]
    fn the_night_when_the_clock_goes_back_is_an_hour_longer() {
        let night = row("Europe/Warsaw", ["", "", "", "", "", "22:00-06:00", ""], &[]);
        assert_eq!(open(&night, &[], date(2026, 10, 17), date(2026, 10, 19)), 8 * 60);
        assert_eq!(open(&night, &[], date(2026, 10, 24), date(2026, 10, 26)), 9 * 60);
    }

    #[test]
    fn all_day_is_every_minute_and_25_hours_on_the_long_day() {
        let always = row("Europe/Dublin", ["00:00-24:00"; 7], &[]);
        assert_eq!(open(&always, &[], date(2026, 10, 24), date(2026, 10, 25)), 24 * 60);
        assert_eq!(open(&always, &[], date(2026, 10, 25), date(2026, 10, 26)), 25 * 60);
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_starts() {
        let night = row(
            "Asia/Manila",
            ["21:00-06:00", "21:00-06:00", "21:00-06:00", "21:00-06:00", "21:00-06:00", "", ""],
            &["X"],
        );
        let off = [holiday(date(2026, 10, 14), "public", None)];
        // Tuesday's shift runs into the holiday; Wednesday's does not begin.
        assert_eq!(open(&night, &off, date(2026, 10, 14), date(2026, 10, 15)), 6 * 60);
        assert_eq!(open(&night, &off, date(2026, 10, 15), date(2026, 10, 16)), 3 * 60);
    }

    #[test]
    fn only_agreed_kinds_stop_the_clock_and_an_override_always_counts() {
        let office = row("Asia/Manila", ["08:00-17:00"; 7], &["X"]);
        let day = date(2026, 10, 14);
        let on =
            |kind, windows| open(&office, &[holiday(day, kind, windows)], day, date(2026, 10, 15));
        assert_eq!(on("special-working", None), 9 * 60);
        assert_eq!(on("public", None), 0);
        assert_eq!(on("override", Some("08:00-12:00")), 4 * 60);
    }

    #[test]
    fn work_ends_at_the_close_of_the_last_window_not_at_the_next_opening() {
        let office = row(
            "Europe/Dublin",
            ["09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "", ""],
            &[],
        );
        let almanac = Almanac::walk(
            std::slice::from_ref(&office),
            &[],
            date(2026, 10, 1),
            date(2026, 11, 30),
        )
        .unwrap();
        let zone = TimeZone::get("Europe/Dublin").unwrap();
        let noon = at_civil(date(2026, 10, 23), 12 * 60, &zone).unwrap();
        let close = at_civil(date(2026, 10, 23), 17 * 60, &zone).unwrap();
        assert_eq!(almanac.after("c", noon, 300), Some(close));
        let monday = at_civil(date(2026, 10, 26), 9 * 60 + 1, &zone).unwrap();
        assert_eq!(almanac.after("c", noon, 301), Some(monday));
    }

    #[test]
    fn instants_are_written_with_the_offset_of_their_place() {
        let zone = TimeZone::get("America/Mexico_City").unwrap();
        let at = at_civil(date(2026, 10, 14), 615, &zone).unwrap();
        assert_eq!(with_offset(at, &zone).unwrap(), "2026-10-14T10:15:00-06:00");
        assert_eq!(in_utc(at).unwrap(), "2026-10-14T16:15:00Z");
    }

    #[test]
    fn a_window_that_cannot_be_read_is_named() {
        let bad = row("Asia/Manila", ["8 to 5", "", "", "", "", "", ""], &[]);
        let error = Almanac::walk(&[bad], &[], date(2026, 10, 1), date(2026, 10, 9)).unwrap_err();
        assert!(error.to_string().contains("8 to 5"), "{error}");
    }
}
