//! Short ways to write calendars and instants in tests.

use backstay_calendar::{
    Calendar, CalendarSpec, Fold, Holiday, HolidayKind, Window, parse_windows, resolve_local,
};
use jiff::civil::{Date, date};

pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

pub fn windows(text: &str) -> Vec<Window> {
    parse_windows(text).unwrap()
}

/// Covers 2026, Monday to Friday as given, weekend closed.
pub fn weekdays(zone: &str, text: &str) -> CalendarSpec {
    let mut spec = every_day(zone, text);
    spec.week[5].clear();
    spec.week[6].clear();
    spec
}

/// Covers 2026, the same windows every day.
pub fn every_day(zone: &str, text: &str) -> CalendarSpec {
    let mut spec = CalendarSpec::new(zone, date(2026, 1, 1), date(2027, 1, 1));
    spec.week = std::array::from_fn(|_| windows(text));
    spec
}

pub fn off(spec: &mut CalendarSpec, on: Date, kind: HolidayKind) {
    spec.holidays.push(Holiday::closed(on, kind));
}

pub fn worked(spec: &mut CalendarSpec, on: Date, kind: HolidayKind, text: &str) {
    spec.holidays.push(Holiday { windows: Some(windows(text)), ..Holiday::closed(on, kind) });
}

pub fn compile(spec: &CalendarSpec) -> Calendar {
    Calendar::compile(spec).unwrap()
}

/// The instant of an unambiguous local time, `2026-03-29 14:00`.
pub fn at(zone: &str, local: &str) -> i64 {
    resolve_local(zone, local.parse().unwrap(), Fold::Refuse).unwrap()
}
