//! How many working-time answers one core gives a second.
//!
//! Ten years of three calendars, a million intervals of up to 30 days. `cargo bench -p
//! backstay-calendar`; divan prints items a second.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use backstay_calendar::{Calendar, CalendarSpec, Holiday, HolidayKind, parse_windows};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::ToSpan;
use jiff::civil::date;

const ROWS: usize = 1_000_000;
const MINUTE: i64 = 60_000_000;

/// Weekday windows of the benched calendars: one office, one with breaks, one night shift.
const WINDOWS: [&str; 3] =
    ["09:00-18:00", "08:00-10:00 10:15-12:00 12:45-15:00 15:15-18:00", "22:00-06:00"];

fn main() {
    divan::main();
}

fn spec(windows: &str) -> CalendarSpec {
    let mut spec = CalendarSpec::new("Europe/Warsaw", date(2020, 1, 1), date(2030, 1, 1));
    for day in spec.week.iter_mut().take(5) {
        *day = parse_windows(windows).unwrap();
    }
    let dates = (0..120).map(|place| date(2020, 1, 6) + (place * 30).days());
    spec.holidays = dates.map(|date| Holiday::closed(date, HolidayKind::Public)).collect();
    spec
}

fn calendar(windows: &str) -> Calendar {
    Calendar::compile(&spec(windows)).unwrap()
}

/// Repeatable pseudo-random numbers below `limit`.
fn numbers(limit: i64) -> impl FnMut() -> i64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % limit as u64) as i64
    }
}

/// Intervals inside cover, with their starts in no order.
fn intervals(calendar: &Calendar) -> (Vec<i64>, Vec<i64>) {
    let (from, until) = calendar.cover();
    let (mut place, mut length) =
        (numbers(until - from - 31 * 1440 * MINUTE), numbers(30 * 1440 * MINUTE));
    let starts: Vec<i64> = (0..ROWS).map(|_| from + place()).collect();
    let ends = starts.iter().map(|start| start + length()).collect();
    (starts, ends)
}

fn sorted(calendar: &Calendar) -> (Vec<i64>, Vec<i64>) {
    let (starts, ends) = intervals(calendar);
    let mut rows: Vec<(i64, i64)> = starts.into_iter().zip(ends).collect();
    rows.sort_unstable();
    rows.into_iter().unzip()
}

#[divan::bench(args = WINDOWS)]
fn intervals_sorted(bencher: Bencher<'_, '_>, windows: &str) {
    let calendar = calendar(windows);
    let (starts, ends) = sorted(&calendar);
    let mut out = vec![0; ROWS];
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        assert!(
            calendar
                .working_us_sorted(black_box(&starts), black_box(&ends), &mut out)
                .unwrap()
                .is_empty()
        );
        black_box(out.last().copied())
    });
}

#[divan::bench(args = WINDOWS)]
fn intervals_in_no_order(bencher: Bencher<'_, '_>, windows: &str) {
    let calendar = calendar(windows);
    let (starts, ends) = intervals(&calendar);
    let mut out = vec![0; ROWS];
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        assert!(
            calendar
                .working_us_sorted(black_box(&starts), black_box(&ends), &mut out)
                .unwrap()
                .is_empty()
        );
        black_box(out.last().copied())
    });
}

#[divan::bench(args = WINDOWS)]
fn intervals_one_by_one_sorted(bencher: Bencher<'_, '_>, windows: &str) {
    let calendar = calendar(windows);
    let (starts, ends) = sorted(&calendar);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        starts
            .iter()
            .zip(&ends)
            .map(|(&start, &end)| calendar.working_us(start, end).unwrap())
            .sum::<i64>()
    });
}

#[divan::bench(args = WINDOWS)]
fn instants_sorted(bencher: Bencher<'_, '_>, windows: &str) {
    let calendar = calendar(windows);
    let (starts, _) = sorted(&calendar);
    let mut out = vec![0; ROWS];
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        assert!(calendar.worked_before_us_sorted(black_box(&starts), &mut out).unwrap().is_empty());
        black_box(out.last().copied())
    });
}

#[divan::bench(args = WINDOWS)]
fn deadlines_sorted(bencher: Bencher<'_, '_>, windows: &str) {
    let calendar = calendar(windows);
    let (starts, _) = sorted(&calendar);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        starts
            .iter()
            .map(|&start| calendar.add_working_us(start, 40 * 60 * MINUTE).unwrap())
            .fold(0, i64::wrapping_add)
    });
}

#[divan::bench(args = WINDOWS)]
fn compile_ten_years(bencher: Bencher<'_, '_>, windows: &str) {
    let spec = spec(windows);
    bencher.bench_local(|| Calendar::compile(black_box(&spec)).unwrap());
}
