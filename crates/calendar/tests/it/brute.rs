//! The compiled calendar against a walk minute by minute, over random zones, windows, holidays and
//! weeks, switch weeks above all.
//!
//! The walk shares nothing with the calendar but the terms. It goes through real minutes, asks the
//! zone what the wall clock shows, and keeps the furthest the clock has come: an hour that is shown
//! again adds no new civil time, so what was open stays open through it; that is the rule of edges
//! without any edge.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use backstay_calendar::{
    Calendar, CalendarSpec, CoverGap, Holiday, HolidayKind, NightShift, Span, Window, overlap,
    uncovered_spans,
};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use crate::support::{MINUTE, windows};

/// Ordinary zones of the trade, and those that switch at odd hours, by odd amounts or by whole days.
const ZONES: [&str; 24] = [
    "Europe/Dublin",
    "Europe/Warsaw",
    "Asia/Manila",
    "Asia/Kolkata",
    "America/Mexico_City",
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kiritimati",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/St_Johns",
    "America/Santiago",
    "America/Havana",
    "America/Sao_Paulo",
    "America/Caracas",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Pacific/Chatham",
    "UTC",
];

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// Every switch of a zone in a year, as civil dates.
fn switches(name: &str, year: i16) -> Vec<Date> {
    let tz = zone(name);
    let start = Timestamp::from_second(i64::from(year - 1970) * 31_556_952).unwrap();
    let end = start + 8_766.hours();
    let found = tz.following(start).take_while(|switch| switch.timestamp() < end);
    found.map(|switch| tz.to_datetime(switch.timestamp()).date()).collect()
}

/// For each minute from `start` on, the furthest that the wall clock has come. Kept from one walk to
/// the next, for asking the zone is the slow part.
fn clocks(name: &str, start: i64, days: i64) -> Rc<Vec<DateTime>> {
    type Kept = Option<(String, i64, i64, Rc<Vec<DateTime>>)>;
    thread_local!(static KEPT: RefCell<Kept> = const { RefCell::new(None) });
    KEPT.with_borrow_mut(|kept| match kept {
        Some((zone, from, length, clocks)) if zone == name && (*from, *length) == (start, days) => {
            Rc::clone(clocks)
        }
        _ => {
            let tz = zone(name);
            let shown = |minute| {
                tz.to_datetime(Timestamp::from_microsecond(start + minute * MINUTE).unwrap())
            };
            let furthest = (0..days * 1440).scan(DateTime::MIN, |furthest, minute| {
                *furthest = shown(minute).max(*furthest);
                Some(*furthest)
            });
            let clocks = Rc::new(furthest.collect::<Vec<_>>());
            *kept = Some((name.to_owned(), start, days, Rc::clone(&clocks)));
            clocks
        }
    })
}

/// What a walk over every minute of the cover found.
struct Walked {
    cover: Span,
    open: Vec<bool>,
}

impl Walked {
    fn walk(spec: &CalendarSpec) -> Walked {
        let first = spec.covered_from - 3.days();
        let start = first.at(0, 0, 0, 0).in_tz("UTC").unwrap().timestamp().as_microsecond();
        let days = i64::from((spec.covered_until - first).get_days()) + 5;
        let mut dates: BTreeSet<Date> = BTreeSet::new();
        let (mut from, mut until) = (None, None);
        let mut open = Vec::new();
        for (minute, furthest) in (0_i64..).zip(clocks(&spec.zone, start, days).iter().copied()) {
            let at = start + minute * MINUTE;
            dates.insert(furthest.date());
            if furthest.date() < spec.covered_from {
                continue;
            }
            if furthest.date() >= spec.covered_until {
                until.get_or_insert(at);
                break;
            }
            let eve = *dates.range(..furthest.date()).next_back().unwrap();
            let unknown = spec.night_shift == NightShift::StartDay
                && eve < spec.covered_from
                && (holds(weekday(spec, eve), tail(furthest))
                    || row_says(spec, eve, tail(furthest)) == Some(true));
            if unknown {
                (from, open) = (None, Vec::new());
                continue;
            }
            from.get_or_insert(at);
            open.push(is_open(spec, eve, furthest));
        }
        Walked { cover: (from.unwrap(), until.unwrap()), open }
    }

    fn at(&self, at: i64) -> bool {
        self.open[usize::try_from((at - self.cover.0).div_euclid(MINUTE)).unwrap()]
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (minute, _) in self.open.iter().enumerate().filter(|(_, open)| **open) {
            let at = self.cover.0 + minute as i64 * MINUTE;
            match spans.last_mut() {
                Some(last) if last.1 == at => last.1 += MINUTE,
                _ => spans.push((at, at + MINUTE)),
            }
        }
        spans
    }

    fn worked(&self, start: i64, end: i64) -> i64 {
        let mut worked = 0;
        let mut at = start;
        while at < end {
            let next = self.next_minute(at).min(end);
            worked += if self.at(at) { next - at } else { 0 };
            at = next;
        }
        worked
    }

    fn next_minute(&self, at: i64) -> i64 {
        at - (at - self.cover.0).rem_euclid(MINUTE) + MINUTE
    }

    fn add(&self, start: i64, mut work: i64) -> Option<i64> {
        let mut at = start;
        while work > 0 {
            if at >= self.cover.1 {
                return None;
            }
            let next = self.next_minute(at);
            if self.at(at) {
                let done = work.min(next - at);
                if done == work {
                    return Some(at + done);
                }
                work -= done;
            }
            at = next;
        }
        Some(at)
    }

    fn subtract(&self, end: i64, mut work: i64) -> Option<i64> {
        let mut at = end;
        while work > 0 {
            if at <= self.cover.0 {
                return None;
            }
            let before = at - 1 - (at - 1 - self.cover.0).rem_euclid(MINUTE);
            if self.at(before) {
                let done = work.min(at - before);
                if done == work {
                    return Some(at - done);
                }
                work -= done;
            }
            at = before;
        }
        Some(at)
    }

    fn next_open(&self, from: i64) -> Option<i64> {
        let mut at = from;
        while at < self.cover.1 {
            if self.at(at) {
                return Some(at);
            }
            at = self.next_minute(at);
        }
        None
    }
}

fn minute_of(clock: DateTime) -> i64 {
    i64::from(clock.hour()) * 60 + i64::from(clock.minute())
}

fn tail(clock: DateTime) -> i64 {
    minute_of(clock) + 1440
}

fn holds(windows: &[Window], minute: i64) -> bool {
    windows.iter().any(|window| {
        let (opens, closes) = (i64::from(window.opens()), i64::from(window.closes()));
        let closes = if closes <= opens { closes + 1440 } else { closes };
        opens <= minute && minute < closes
    })
}

fn weekday(spec: &CalendarSpec, date: Date) -> &[Window] {
    &spec.week[date.weekday().to_monday_zero_offset() as usize]
}

/// What the rows of a date say about a minute counted from its midnight; `None`: nothing.
fn row_says(spec: &CalendarSpec, date: Date, minute: i64) -> Option<bool> {
    if spec.holidays.is_empty() {
        return None;
    }
    let rows: Vec<&Holiday> = spec.holidays.iter().filter(|row| row.date == date).collect();
    let worked =
        |row: &&&Holiday| row.windows.as_ref().is_some_and(|windows| holds(windows, minute));
    if let Some(row) = rows.iter().find(|row| row.kind == HolidayKind::Override) {
        return Some(worked(&row));
    }
    let agreed: Vec<_> = rows.iter().filter(|row| spec.agreed_kinds.contains(&row.kind)).collect();
    if !agreed.is_empty() {
        return Some(agreed.iter().all(worked));
    }
    let special =
        |row: &&&Holiday| row.kind == HolidayKind::SpecialWorking && row.windows.is_some();
    let opening: Vec<_> = rows.iter().filter(special).collect();
    if opening.is_empty() { None } else { Some(opening.iter().any(worked)) }
}

fn is_open(spec: &CalendarSpec, eve: Date, clock: DateTime) -> bool {
    let (today, minute) = (clock.date(), minute_of(clock));
    let rows_today = row_says(spec, today, minute);
    let own = rows_today.unwrap_or_else(|| holds(weekday(spec, today), minute));
    let rows_eve = row_says(spec, eve, tail(clock));
    let week_eve = holds(weekday(spec, eve), tail(clock));
    match spec.night_shift {
        NightShift::StartDay => own || rows_eve.unwrap_or(week_eve),
        NightShift::Split if rows_today.is_some() => own,
        NightShift::Split => own || week_eve || rows_eve == Some(true),
    }
}

/// Compares every answer of the calendar with the walk's. `places` pick instants inside cover.
fn compare(spec: &CalendarSpec, places: &[(f64, f64, i64)]) {
    let calendar = Calendar::compile(spec).unwrap();
    let walked = Walked::walk(spec);
    let (from, until) = walked.cover;
    let told = format!("{spec:?}");
    assert_eq!(calendar.cover(), walked.cover, "cover of {told}");
    assert_eq!(
        calendar.spans(from, until).unwrap().collect::<Vec<_>>(),
        walked.spans(),
        "spans of {told}"
    );
    assert_eq!(calendar.working_us(from, until).unwrap(), walked.worked(from, until));
    let instant = |place: f64| from + ((until - from) as f64 * place) as i64;
    for &(first, second, work) in places {
        let (start, end) = (instant(first.min(second)), instant(first.max(second)));
        let worked = walked.worked(start, end);
        assert_eq!(calendar.working_us(start, end), Ok(worked), "{start} to {end} of {told}");
        if start < until {
            assert_eq!(calendar.is_open(start), Ok(walked.at(start)), "{start} of {told}");
            assert_eq!(
                calendar.next_open(start).ok(),
                walked.next_open(start),
                "after {start} of {told}"
            );
        }
        for work in [work, worked, 0] {
            let due = calendar.add_working_us(start, work);
            assert_eq!(due.ok(), walked.add(start, work), "{start} plus {work} of {told}");
            let begun = calendar.subtract_working_us(end, work);
            assert_eq!(begun.ok(), walked.subtract(end, work), "{end} less {work} of {told}");
            inverses(&calendar, start, due, work);
        }
    }
}

/// Adding and subtracting undo each other, up to time in which nobody works.
fn inverses(calendar: &Calendar, start: i64, due: Result<i64, CoverGap>, work: i64) {
    let Ok(due) = due else { return };
    assert_eq!(calendar.working_us(start, due), Ok(work));
    let begun = calendar.subtract_working_us(due, work).unwrap();
    assert!(begun >= start);
    assert_eq!(calendar.working_us(begun, due), Ok(work));
    assert_eq!(
        calendar.add_working_us(begun, work),
        Ok(due),
        "the earliest of the latest is the earliest"
    );
}

fn any_windows() -> BoxedStrategy<Vec<Window>> {
    // Edges gather around the hours at which zones switch, and cover all others too.
    let edge = prop_oneof![
        3 => 0_u16..1440,
        2 => 0_u16..240,
        1 => Just(0_u16),
        1 => Just(1320_u16),
    ];
    let day = prop::collection::vec(edge, 0..6).prop_map(|mut edges| {
        edges.sort_unstable();
        edges.dedup();
        let mut day: Vec<Window> =
            edges.chunks_exact(2).map(|edge| Window::new(edge[0], edge[1]).unwrap()).collect();
        // An odd edge at the end opens a shift that closes before the first opening of the next day.
        if let ([last], Some(first)) = (edges.chunks_exact(2).remainder(), edges.first()) {
            day.push(Window::new(*last, *first).unwrap());
        }
        day
    });
    prop_oneof![
        6 => day,
        1 => Just(windows("closed")),
        1 => Just(windows("00:00-24:00")),
        1 => Just(windows("22:00-06:00")),
        1 => Just(windows("09:00-13:00 14:00-18:00")),
    ]
    .boxed()
}

fn any_kind() -> impl Strategy<Value = HolidayKind> {
    prop::sample::select(HolidayKind::ALL.to_vec())
}

prop_compose! {
    /// A week or so of a random zone, around one of its switches when it has one that year.
    fn any_anchor()(zone in prop::sample::select(ZONES.to_vec()), year in 1994_i16..2036, pick in 0_usize..40, day in 1_i16..=365)
        -> (&'static str, Date) {
        let found = switches(zone, year);
        let random = date(year, 1, 1) + i32::from(day - 1).days();
        (zone, *found.get(pick % (found.len() + 1)).unwrap_or(&random))
    }
}

prop_compose! {
    fn any_spec_at(zone: &'static str, anchor: Date)(
        week in prop::array::uniform7(any_windows()),
        rows in prop::collection::vec((-7_i32..8, any_kind(), prop::option::of(any_windows())), 0..8),
        agreed in prop::sample::subsequence(HolidayKind::ALL.to_vec(), 0..=HolidayKind::ALL.len()),
        default_kinds: bool,
        split: bool,
        lead in 0_i32..5,
        trail in 1_i32..5,
    ) -> CalendarSpec {
        let mut spec = CalendarSpec::new(zone, anchor - lead.days(), anchor + trail.days());
        spec.week = week;
        spec.week[0].extend(spec.week.iter().all(Vec::is_empty).then_some(Window::WHOLE_DAY));
        spec.night_shift = if split { NightShift::Split } else { NightShift::StartDay };
        if !default_kinds {
            spec.agreed_kinds = agreed;
        }
        for (days, kind, windows) in rows {
            let row = Holiday { windows, ..Holiday::closed(anchor + days.days(), kind) };
            let second = |other: &Holiday| other.date == row.date && other.kind == HolidayKind::Override;
            if kind != HolidayKind::Override || !spec.holidays.iter().any(second) {
                spec.holidays.push(row);
            }
        }
        spec
    }
}

fn any_spec() -> impl Strategy<Value = CalendarSpec> {
    any_anchor().prop_flat_map(|(zone, anchor)| any_spec_at(zone, anchor).boxed())
}

fn any_places() -> impl Strategy<Value = Vec<(f64, f64, i64)>> {
    prop::collection::vec((0.0..=1.0_f64, 0.0..=1.0_f64, 0..2_000 * MINUTE), 6)
}

/// Random terms to try; more than a quick run wants by `PROPTEST_CASES`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(96, |cases| cases.parse().unwrap())
}

/// Whether the calendar can be compiled; the one thing random terms can lack is any cover at all.
fn covers_something(spec: &CalendarSpec) -> bool {
    Calendar::compile(spec).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_random_calendar_agrees_with_a_walk_over_its_minutes(spec in any_spec(), places in any_places()) {
        prop_assume!(covers_something(&spec));
        compare(&spec, &places);
    }

    #[test]
    fn the_overlap_of_random_calendars_is_the_minutes_in_which_all_are_open(
        (left, right, third) in any_anchor().prop_flat_map(|(zone, anchor)| {
            let other = prop::sample::select(ZONES.to_vec());
            (any_spec_at(zone, anchor), other.prop_flat_map(move |zone| any_spec_at(zone, anchor).boxed()), any_spec_at("Asia/Manila", anchor).boxed())
        }),
    ) {
        let specs = [left, right, third];
        prop_assume!(specs.iter().all(covers_something));
        let calendars = specs.each_ref().map(|spec| Calendar::compile(spec).unwrap());
        let walks = specs.each_ref().map(Walked::walk);
        let from = walks.iter().map(|walk| walk.cover.0).max().unwrap();
        let until = walks.iter().map(|walk| walk.cover.1).min().unwrap();
        prop_assume!(from < until);
        let mut common: Vec<Span> = Vec::new();
        let mut holes: Vec<Span> = Vec::new();
        let push = |spans: &mut Vec<Span>, at: i64| match spans.last_mut() {
            Some(last) if last.1 == at => last.1 += MINUTE,
            _ => spans.push((at, at + MINUTE)),
        };
        for at in (from..until).step_by(MINUTE as usize) {
            if walks.iter().all(|walk| walk.at(at)) {
                push(&mut common, at);
            }
            if walks[0].at(at) && !walks[1].at(at) && !walks[2].at(at) {
                push(&mut holes, at);
            }
        }
        let all = calendars.each_ref();
        prop_assert_eq!(overlap(&all, from, until).unwrap(), common);
        let spans = |place: usize| calendars[place].spans(from, until).unwrap();
        let shifts: Vec<Span> = spans(1).chain(spans(2)).collect();
        prop_assert_eq!(uncovered_spans(&spans(0).collect::<Vec<_>>(), &shifts), holes);
        prop_assert!(overlap(&all, from - 1, until).is_err() && overlap(&all, from, until + 1).is_err());
    }
}

/// Calendars around one date: office, night shift, round the clock, edges within the hours at which
/// zones switch, and night shifts on every other weekday, both ways.
fn around(zone: &str, anchor: Date) -> Vec<CalendarSpec> {
    let night = "22:00-06:00";
    [
        ["09:00-13:00 14:00-18:00"; 2],
        [night; 2],
        ["00:00-24:00"; 2],
        ["00:01-00:31 01:15-02:15 02:20-02:40 23:30-00:01"; 2],
        [night, "closed"],
        ["closed", night],
    ]
    .into_iter()
    .map(|texts| {
        let mut spec = CalendarSpec::new(zone, anchor - 2.days(), anchor + 3.days());
        spec.week = std::array::from_fn(|day| windows(texts[day % 2]));
        spec
    })
    .collect()
}

#[test]
fn both_switch_weeks_of_every_zone_agree_with_a_walk_over_their_minutes() {
    let places = [(0.0, 1.0, 90 * MINUTE), (0.21, 0.77, 777 * MINUTE + 7), (0.4, 0.6, 1)];
    let mut compared = 0;
    for zone in ZONES {
        for anchor in switches(zone, 2026) {
            for mut spec in around(zone, anchor) {
                compare(&spec, &places);
                spec.night_shift = NightShift::Split;
                spec.holidays.push(Holiday::closed(anchor, HolidayKind::Public));
                compare(&spec, &places);
                compared += 2;
            }
        }
    }
    assert!(compared > 300, "only {compared} switch weeks were found");
}

#[test]
fn weeks_in_which_a_zone_jumps_by_hours_or_a_day_agree_with_a_walk_over_their_minutes() {
    let places = [(0.0, 1.0, 90 * MINUTE), (0.21, 0.77, 777 * MINUTE + 7), (0.4, 0.6, 1)];
    for (zone, anchor) in [
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Antarctica/Troll", date(2026, 3, 29)),
        ("Antarctica/Troll", date(2026, 10, 25)),
        ("Antarctica/Casey", date(2009, 10, 18)),
        ("Asia/Pyongyang", date(2015, 8, 15)),
        ("Asia/Pyongyang", date(2018, 5, 5)),
        ("America/Caracas", date(2007, 12, 9)),
        ("America/St_Johns", date(2009, 11, 1)),
        ("Africa/Casablanca", date(2026, 2, 15)),
        ("Africa/Casablanca", date(2026, 3, 22)),
    ] {
        for shift in -1..=1 {
            for spec in around(zone, anchor + shift.days()) {
                compare(&spec, &places);
            }
        }
    }
}
