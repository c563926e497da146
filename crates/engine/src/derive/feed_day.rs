//! Each interval in which evidence was expected, and whether it arrived and adds up.
//!
//! Owns the comparison of what was declared, what the sender says it sent, and what is held; the
//! derived table `feed_day` is made from it in [`super::feed_table`]. It must never call an interval arrived on the word of the receiver alone where the sender gives totals.
//!
//! Rules
//! - A `declared` row expects its cadence from `valid_from` until `valid_to`, or until the next
//!   declaration of the feed. Weeks begin on Monday, months are civil, `once` is the whole span and
//!   counts every row of the source, dated or not. Days are civil in the arrangement's zone; a row
//!   lies on the day it occurred.
//! - An interval that touches the period is judged whole. While the period runs, an interval that has
//!   not ended is not yet expected.
//! - A `delivered` row is checked on its own days (when `valid_to` is empty: on the interval of the
//!   cadence that its first day lies in): count, and sum when given, must be what is held; a nil
//!   return must find nothing. Days of an interval that no delivery speaks of have not arrived: a
//!   total for one day says nothing about the rest of the month.
//! - Where a feed gives totals at all, every interval needs them: a missing total is a missing
//!   delivery, or else withholding the total would turn a difference into an arrival. Only a feed
//!   that never gives totals arrives by at least one row.
//! - Case events are what all else rests on: days of the period for which no feed declares them are
//!   `undeclared`.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};

pub use super::feed_table::{FeedDayTable, NAME, read, read_feeds, read_held};
use crate::period::{Period, Window};

/// What a row of `evidence_feed` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Rows are expected.
    Declared,
    /// The sender says what it sent.
    Delivered,
    /// The table is complete for these days.
    Complete,
}

/// One row of `evidence_feed`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Feed.
    pub feed_id: String,
    /// Table that it feeds.
    pub table: String,
    /// Only rows of this source count.
    pub source: Option<String>,
    /// What the row says.
    pub entry: Entry,
    /// `day`, `working-day`, `week`, `month` or `once`.
    pub cadence: String,
    /// Calendar of working days.
    pub calendar_id: Option<String>,
    /// Control total: rows.
    pub expected_count: Option<i64>,
    /// Control total: column and its sum, in units of 10⁻⁹.
    pub expected_sum: Option<(String, i128)>,
    /// Whether the sender says that there was nothing.
    pub nil_return: bool,
    /// Of a declaration: whether every delivery states its total.
    pub totals: bool,
    /// First day.
    pub from: Date,
    /// First day after.
    pub to: Option<Date>,
    /// Its record.
    pub row_ref: i64,
}

/// Rows held, by table, source and civil day in the arrangement's zone; no day when undated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    counts: BTreeMap<(String, String), BTreeMap<Option<Date>, i64>>,
    sums: BTreeMap<(String, String, String), BTreeMap<Option<Date>, i128>>,
}

impl Held {
    /// Adds rows of one source and day.
    pub fn add(&mut self, table: &str, source: &str, day: Option<Date>, count: i64) {
        *self
            .counts
            .entry((table.to_owned(), source.to_owned()))
            .or_default()
            .entry(day)
            .or_default() += count;
    }

    /// Adds to the sum of a column, in units of 10⁻⁹.
    pub fn add_sum(
        &mut self,
        table: &str,
        source: &str,
        column: &str,
        day: Option<Date>,
        sum: i128,
    ) {
        let key = (table.to_owned(), source.to_owned(), column.to_owned());
        *self.sums.entry(key).or_default().entry(day).or_default() += sum;
    }

    fn count(&self, feed: &Feed, days: Days) -> i64 {
        let of = |key: &(String, String)| {
            key.0 == feed.table && feed.source.as_ref().is_none_or(|s| *s == key.1)
        };
        self.counts.iter().filter(|(key, _)| of(key)).flat_map(|(_, by_day)| days.of(by_day)).sum()
    }

    fn sum(&self, feed: &Feed, column: &str, days: Days) -> i128 {
        let of = |key: &(String, String, String)| {
            key.0 == feed.table
                && key.2 == column
                && feed.source.as_ref().is_none_or(|s| *s == key.1)
        };
        self.sums.iter().filter(|(key, _)| of(key)).flat_map(|(_, by_day)| days.of(by_day)).sum()
    }
}

/// Civil days `[from, to)`, or everything, dated or not.
#[derive(Debug, Clone, Copy)]
enum Days {
    All,
    Span(Date, Date),
}

impl Days {
    fn of<T: Copy>(self, by_day: &BTreeMap<Option<Date>, T>) -> impl Iterator<Item = T> {
        let within = move |day: &Option<Date>| match self {
            Self::All => true,
            Self::Span(from, to) => day.is_some_and(|day| from <= day && day < to),
        };
        by_day.iter().filter(move |(day, _)| within(day)).map(|(_, value)| *value)
    }
}

/// What became of an expected interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arrival {
    /// It arrived and adds up.
    Arrived,
    /// The sender says that there was nothing, and nothing is held.
    NilReturn,
    /// Nothing arrived, or the sender's total did not.
    Missing,
    /// What arrived is not what was sent.
    Differs,
    /// Nobody can say whether it was due: the calendar of working days has a gap.
    Unknown,
    /// No feed declares these days.
    Undeclared,
}

impl Arrival {
    /// As in `feed_day.outcome`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Arrived => "arrived",
            Self::NilReturn => "nil-return",
            Self::Missing => "missing",
            Self::Differs => "differs",
            Self::Unknown => "unknown",
            Self::Undeclared => "undeclared",
        }
    }

    /// Whether evidence of the interval is there, or known not to exist.
    #[must_use]
    pub fn is_there(self) -> bool {
        matches!(self, Self::Arrived | Self::NilReturn)
    }
}

/// One expected interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedDay {
    /// Feed; empty when undeclared.
    pub feed_id: String,
    /// Table.
    pub table: String,
    /// Source, when the feed names one.
    pub source: Option<String>,
    /// Cadence declared.
    pub cadence: String,
    /// First day of the interval.
    pub first: Date,
    /// First day after it.
    pub after: Date,
    /// Rows that the sender says it sent for it; none without a total.
    pub expected_count: Option<i64>,
    /// Rows held.
    pub held_count: i64,
    /// Sum that the sender gives, in units of 10⁻⁹.
    pub expected_sum: Option<i128>,
    /// Sum held.
    pub held_sum: Option<i128>,
    /// Whether the sender says that there was nothing.
    pub nil_return: bool,
    /// What became of it.
    pub arrival: Arrival,
    /// In words.
    pub reason: String,
    /// Record that declares it.
    pub row_ref: Option<i64>,
    /// Records that speak of its delivery.
    pub delivered: Vec<i64>,
}

/// Judges every interval expected in a period. `not_after` is the civil day up to which intervals
/// must have ended to be expected: today while the period runs, none after its end. `works` tells
/// whether a calendar works on a civil day.
#[must_use]
pub fn feed_days(
    feeds: &[Feed],
    held: &Held,
    works: &dyn Fn(&str, Date) -> Result<bool, String>,
    period: Period,
    not_after: Option<Date>,
) -> Vec<FeedDay> {
    let mut found = Vec::new();
    for declared in feeds.iter().filter(|feed| feed.entry == Entry::Declared) {
        let of_feed =
            |feed: &&Feed| feed.feed_id == declared.feed_id && feed.table == declared.table;
        let next = feeds
            .iter()
            .filter(of_feed)
            .filter(|feed| feed.entry == Entry::Declared && feed.from > declared.from);
        let until =
            declared.to.into_iter().chain(next.map(|feed| feed.from)).min().unwrap_or(Date::MAX);
        let deliveries: Vec<&Feed> =
            feeds.iter().filter(of_feed).filter(|feed| feed.entry == Entry::Delivered).collect();
        let judge = Judge { declared, deliveries: &deliveries, held };
        let mut spans = Vec::new();
        for (first, after) in intervals(&declared.cadence, declared.from, until, period) {
            if not_after.is_some_and(|today| after > today) {
                continue;
            }
            spans.push((first, after));
            let due = match (declared.cadence.as_str(), &declared.calendar_id) {
                ("working-day", Some(calendar)) => works(calendar, first),
                ("working-day", None) => {
                    Err("the feed names no calendar of working days".to_owned())
                }
                _ => Ok(true),
            };
            match due {
                Ok(true) => found.push(judge.interval(first, after)),
                Ok(false) => {
                    spans.pop();
                }
                Err(reason) => found.push(FeedDay {
                    reason,
                    arrival: Arrival::Unknown,
                    ..judge.blank(first, after)
                }),
            }
        }
        // What the sender sent outside the cadence must add up as well.
        for delivery in &deliveries {
            let (first, after) = declared.days(delivery);
            let expected = spans.iter().any(|(from, to)| first < *to && *from < after);
            let in_period = first < period.after
                && period.first < after
                && not_after.is_none_or(|today| after <= today);
            if !expected && in_period && declared.from < after && first < until {
                found.push(judge.interval(first, after));
            }
        }
    }
    found.extend(undeclared(feeds, held, period));
    found.sort_by(|a, b| {
        (&a.table, &a.feed_id, a.first, a.after).cmp(&(&b.table, &b.feed_id, b.first, b.after))
    });
    found
}

impl Feed {
    /// The days that a delivery to this declared feed speaks of.
    fn days(&self, delivery: &Self) -> (Date, Date) {
        match delivery.to {
            Some(to) => (delivery.from, to),
            None => cadence_interval(&self.cadence, delivery.from),
        }
    }
}

/// The interval of a cadence that holds a day; the day itself for `once`.
fn cadence_interval(cadence: &str, day: Date) -> (Date, Date) {
    match cadence {
        "week" => {
            let back = i64::from(day.weekday().to_monday_zero_offset());
            let monday = day.checked_sub(back.days()).unwrap_or(day);
            (monday, monday.checked_add(7.days()).unwrap_or(Date::MAX))
        }
        "month" => {
            Window::Month.around(day).map_or((day, Date::MAX), |month| (month.first, month.after))
        }
        _ => (day, day.tomorrow().unwrap_or(Date::MAX)),
    }
}

/// The intervals of a cadence in `[from, until)` that touch the period.
fn intervals(cadence: &str, from: Date, until: Date, period: Period) -> Vec<(Date, Date)> {
    if until <= period.first || from >= period.after || from >= until {
        return Vec::new();
    }
    if cadence == "once" {
        return vec![(from, until)];
    }
    let mut found = Vec::new();
    let mut day = from.max(period.first);
    while day < period.after && day < until {
        let (first, after) = cadence_interval(cadence, day);
        found.push((first.max(from), after.min(until)));
        day = after;
    }
    found
}

/// Days of the period for which no feed declares case events.
fn undeclared(feeds: &[Feed], held: &Held, period: Period) -> Vec<FeedDay> {
    let table = "case_event";
    let says = |feed: &&Feed| feed.table == table && feed.entry != Entry::Delivered;
    let mut spans: Vec<(Date, Date)> =
        feeds.iter().filter(says).map(|feed| (feed.from, feed.to.unwrap_or(Date::MAX))).collect();
    spans.sort_unstable();
    spans.push((period.after, period.after));
    let (mut reached, mut found) = (period.first, Vec::new());
    for (from, to) in spans {
        let hole = (reached, from.min(period.after));
        if hole.0 < hole.1 {
            let any = Feed {
                feed_id: String::new(),
                table: table.to_owned(),
                source: None,
                entry: Entry::Declared,
                cadence: String::new(),
                calendar_id: None,
                expected_count: None,
                expected_sum: None,
                nil_return: false,
                totals: false,
                from: hole.0,
                to: Some(hole.1),
                row_ref: 0,
            };
            let blank = Judge { declared: &any, deliveries: &[], held }.blank(hole.0, hole.1);
            let reason = format!("no feed declares {table} from {} until {}", hole.0, hole.1);
            found.push(FeedDay { arrival: Arrival::Undeclared, reason, row_ref: None, ..blank });
        }
        reached = reached.max(to);
    }
    found
}

struct Judge<'a> {
    declared: &'a Feed,
    deliveries: &'a [&'a Feed],
    held: &'a Held,
}

impl Judge<'_> {
    fn days(&self, first: Date, after: Date) -> Days {
        if self.declared.cadence == "once" { Days::All } else { Days::Span(first, after) }
    }

    fn blank(&self, first: Date, after: Date) -> FeedDay {
        FeedDay {
            feed_id: self.declared.feed_id.clone(),
            table: self.declared.table.clone(),
            source: self.declared.source.clone(),
            cadence: self.declared.cadence.clone(),
            first,
            after,
            expected_count: None,
            held_count: self.held.count(self.declared, self.days(first, after)),
            expected_sum: None,
            held_sum: None,
            nil_return: false,
            arrival: Arrival::Missing,
            reason: String::new(),
            row_ref: Some(self.declared.row_ref),
            delivered: Vec::new(),
        }
    }

    fn interval(&self, first: Date, after: Date) -> FeedDay {
        let mut day = self.blank(first, after);
        let once = self.declared.cadence == "once";
        let days_of = |feed: &Feed| self.declared.days(feed);
        let speaks = |feed: &&&Feed| once || (days_of(feed).0 < after && first < days_of(feed).1);
        let mut own: Vec<&Feed> = self.deliveries.iter().filter(speaks).copied().collect();
        own.sort_by_key(|feed| (feed.from, feed.row_ref));
        day.delivered = own.iter().map(|feed| feed.row_ref).collect();
        if own.is_empty() {
            let uncounted = self.deliveries.is_empty() && !self.declared.totals;
            let (arrival, reason) = match (uncounted, day.held_count) {
                (true, 0) => (Arrival::Missing, "no row held".to_owned()),
                (true, count) => {
                    (Arrival::Arrived, format!("{count} rows held; the feed gives no totals"))
                }
                (false, 0) => (Arrival::Missing, "nothing was delivered".to_owned()),
                (false, count) => {
                    (Arrival::Missing, format!("{count} rows held, but the sender gave no total"))
                }
            };
            return FeedDay { arrival, reason, ..day };
        }
        day.nil_return = own.iter().all(|feed| feed.nil_return);
        let wrong: Vec<String> =
            own.iter().filter_map(|delivery| self.difference(delivery)).collect();
        let single = matches!(own.as_slice(), [only] if once || days_of(only) == (first, after));
        if let (true, [only]) = (single, own.as_slice()) {
            day.expected_count = if only.nil_return { Some(0) } else { only.expected_count };
            if let Some((column, sum)) = &only.expected_sum {
                day.expected_sum = Some(*sum);
                day.held_sum = Some(self.held.sum(self.declared, column, self.days(first, after)));
            }
        }
        let silent = if once { Vec::new() } else { self.unspoken(&own, first, after) };
        if let Some(reason) = wrong.first() {
            let more = if wrong.len() > 1 {
                format!(" (and {} more)", wrong.len() - 1)
            } else {
                String::new()
            };
            return FeedDay { arrival: Arrival::Differs, reason: format!("{reason}{more}"), ..day };
        }
        if let Some(from) = silent.first() {
            let of_day = |day: &Date| {
                let next = day.tomorrow().unwrap_or(Date::MAX);
                self.held.count(self.declared, Days::Span(*day, next))
            };
            let held: i64 = silent.iter().map(of_day).sum();
            if held > 0 {
                let reason = format!("{held} rows held on days for which the sender gave no total");
                return FeedDay { arrival: Arrival::Differs, reason, ..day };
            }
            let days = if silent.len() == 1 {
                "1 day".to_owned()
            } else {
                format!("{} days", silent.len())
            };
            let reason = format!("the sender says nothing of {days} from {from} on");
            return FeedDay { arrival: Arrival::Missing, reason, ..day };
        }
        if day.nil_return {
            return FeedDay {
                arrival: Arrival::NilReturn,
                reason: "the sender states that there was nothing".into(),
                ..day
            };
        }
        let reason = format!("{} rows held, as sent", day.held_count);
        FeedDay { arrival: Arrival::Arrived, reason, ..day }
    }

    /// How a delivery differs from what is held on its days.
    fn difference(&self, delivery: &Feed) -> Option<String> {
        let once = self.declared.cadence == "once" && delivery.to.is_none();
        let (first, after) = self.declared.days(delivery);
        let days = if once { Days::All } else { Days::Span(first, after) };
        let held = self.held.count(self.declared, days);
        if delivery.nil_return {
            return (held != 0).then(|| format!("a nil return, but {held} rows held"));
        }
        match delivery.expected_count {
            Some(sent) if sent != held => {
                let (by, what) =
                    if sent > held { (sent - held, "fewer") } else { (held - sent, "more") };
                return Some(format!("{sent} rows sent, {held} held: {by} {what}"));
            }
            None if held == 0 && delivery.expected_sum.is_none() => {
                return Some("a delivery without any row".to_owned());
            }
            _ => {}
        }
        let (column, sum) = delivery.expected_sum.as_ref()?;
        let found = self.held.sum(self.declared, column, days);
        (found != *sum).then(|| {
            format!("sum of `{column}` {} sent, {} held", decimal_text(*sum), decimal_text(found))
        })
    }

    /// Days of an interval that no delivery speaks of.
    fn unspoken(&self, own: &[&Feed], first: Date, after: Date) -> Vec<Date> {
        let mut day = first;
        let mut silent = Vec::new();
        while day < after {
            let of_day = |feed: &&Feed| {
                let (from, to) = self.declared.days(feed);
                from <= day && day < to
            };
            if !own.iter().any(of_day) {
                silent.push(day);
            }
            day = day.tomorrow().unwrap_or(Date::MAX);
        }
        silent
    }
}

/// A decimal of nine places without its trailing zeros.
fn decimal_text(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) =
        (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let text = format!("{sign}{whole}.{fraction:09}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
