//! Whether the evidence of days before the period is there as well. Owns that question for tables
//! whose answer in a period rests on earlier days; it must never judge the period itself, which the
//! engine does.

use jiff::civil::Date;

use super::super::{
    DeriveInput,
    feed_day::{Arrival, Entry, Feed, feed_days},
    feed_table::{read_feeds, read_held_of, works_of},
};
use crate::{error::EngineError, period::Period};

/// What is lacking of an event table on the days from `first` up to the period's start: the first
/// reason, in words.
pub fn lacking(
    input: &DeriveInput<'_>,
    (table, occurred): (&'static str, &'static str),
    first: Date,
) -> Result<Option<String>, EngineError> {
    let after = input.period_first;
    if first >= after {
        return Ok(None);
    }
    let mut feeds = read_feeds(input)?;
    feeds.retain(|feed| feed.table == table);
    if let Some(day) = undeclared(&feeds, first, after) {
        return Ok(Some(format!("no feed declares `{table}` on {day}")));
    }
    let held = read_held_of(input, &feeds, &[(table, occurred)])?;
    let works = works_of(input)?;
    let period = Period { first, after };
    let days = feed_days(&feeds, &held, &|id, day| works(id, day), period, None);
    let missing = days
        .iter()
        .filter(|day| day.table == table && day.arrival != Arrival::Undeclared)
        .find(|day| !day.arrival.is_there());
    Ok(missing
        .map(|day| format!("feed `{}` of `{table}`, {}: {}", day.feed_id, day.first, day.reason)))
}

/// The same from the first day on that a feed declares, but at least from `first`: for facts that stay
/// open until something is done about them.
pub fn lacking_since_declared(
    input: &DeriveInput<'_>,
    table: (&'static str, &'static str),
    first: Date,
) -> Result<Option<String>, EngineError> {
    let feeds = read_feeds(input)?;
    let of_table =
        feeds.iter().filter(|feed| feed.table == table.0 && feed.entry != Entry::Delivered);
    let earliest = of_table.map(|feed| feed.from).min().unwrap_or(first);
    lacking(input, table, earliest.min(first))
}

/// The first day that no declaration and no statement of completeness speaks of.
fn undeclared(feeds: &[Feed], first: Date, after: Date) -> Option<Date> {
    let until = |feed: &Feed| {
        let same = feeds.iter().filter(|other| {
            other.feed_id == feed.feed_id && other.entry == feed.entry && other.from > feed.from
        });
        let next = same.map(|other| other.from).min().filter(|_| feed.entry == Entry::Declared);
        feed.to.into_iter().chain(next).min().unwrap_or(Date::MAX)
    };
    let mut spans: Vec<(Date, Date)> = feeds
        .iter()
        .filter(|feed| feed.entry != Entry::Delivered)
        .map(|feed| (feed.from, until(feed)))
        .collect();
    spans.sort_unstable();
    let reached = spans
        .into_iter()
        .fold(first, |reached, (from, to)| if from <= reached { reached.max(to) } else { reached });
    (reached < after).then_some(reached)
}
