//! Whether the evidence that an answer needs is there: declared, arrived, adding up, and how old it is.
//! Owns the rule "no evidence, no green"; it must never take the absence of rows for the absence of
//! events.

use std::{cell::RefCell, collections::BTreeMap};

use backstay_evidence::{schema, vocabulary::TableKind};
use jiff::{ToSpan as _, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    derive::feed_day::{self, Arrival, Entry, Feed, FeedDay},
    error::EngineError,
    lineage::Inputs,
    period::{Period, day_of_us, day_start_us},
    rows,
    session::{Session, derived::AllTables},
};

/// Days before the period in which the newest covered instant is looked for.
const LOOK_BACK_DAYS: i64 = 400;

/// How many reasons are kept in words; their number is kept in full.
const REASONS_KEPT: usize = 20;

/// What is known of one table in a span of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCoverage {
    /// Table.
    pub table: String,
    /// Rows held, of all days.
    pub rows: u64,
    /// Whether everything expected is there.
    pub covered: bool,
    /// What is lacking, in words: the first twenty reasons.
    pub lacking: Vec<String>,
    /// How many reasons there are.
    pub lacking_total: u64,
    /// Whether the evidence itself says that there was nothing, or that there is no more.
    pub known_complete: bool,
    /// End of the newest interval that arrived, microseconds UTC, at most the as-of instant.
    pub newest_us: Option<i64>,
}

/// Coverage of the tables of one arrangement over a span of days.
pub struct Coverage<'a> {
    session: &'a Session,
    span: Period,
    /// Day that has not ended yet, when the span is still running.
    today: Option<Date>,
    feeds: Vec<Feed>,
    days: Vec<FeedDay>,
    known: RefCell<BTreeMap<(String, bool), TableCoverage>>,
}

/// What is lacking for an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lack {
    /// Reasons, in order of table.
    pub reasons: Vec<String>,
    /// Whether every event table needed is complete by its own word.
    pub known_empty: bool,
    /// As-of minus the newest covered instant, of the oldest table needed.
    pub age_us: Option<i64>,
}

impl<'a> Coverage<'a> {
    /// Reads the feeds of an arrangement. The span is the period, or longer where a window of a
    /// service level begins before it.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn new(session: &'a Session, span: Period) -> Result<Self, EngineError> {
        let tables = AllTables(session);
        let input = session.derive_input(&tables)?;
        let feeds = feed_day::read_feeds(&input)?;
        let days = intervals(session, span)?;
        let (_, end_us) = span.bounds_us(&session.view.zone)?;
        let running = session.view.as_of_us < end_us;
        let today = match running {
            true => Some(day_of_us(&session.view.zone, session.view.as_of_us)?),
            false => None,
        };
        Ok(Self { session, span, today, feeds, days, known: RefCell::default() })
    }

    /// What an answer lacks.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn lack(&self, inputs: &Inputs) -> Result<Lack, EngineError> {
        let mut lack = Lack { known_empty: true, ..Lack::default() };
        for table in &inputs.needed {
            let found = self.table(table, true)?;
            lack.reasons.extend(found.lacking);
            if self.kind(table) == Some(TableKind::Event) {
                lack.known_empty &= found.known_complete;
                let Some(newest) = found.newest_us else {
                    if lack.reasons.is_empty() && !found.known_complete {
                        lack.reasons.push(format!("nothing of `{table}` has arrived yet"));
                    }
                    continue;
                };
                let age = self.session.view.as_of_us.saturating_sub(newest).max(0);
                lack.age_us = Some(lack.age_us.map_or(age, |known| known.max(age)));
            }
        }
        for table in &inputs.consulted {
            lack.reasons.extend(self.table(table, false)?.lacking);
        }
        for table in inputs.all() {
            lack.reasons.extend(self.disagreeing_clocks(&table));
        }
        lack.reasons.dedup();
        Ok(lack)
    }

    fn kind(&self, table: &str) -> Option<TableKind> {
        self.session.tables.get(table).map(|rows| rows.definition().kind)
    }

    /// What is known of one table.
    ///
    /// # Errors
    /// Unreadable rows.
    pub fn table(&self, table: &str, needed: bool) -> Result<TableCoverage, EngineError> {
        let key = (table.to_owned(), needed);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let found = match self.kind(table) {
            Some(TableKind::Event) if needed => self.events(table)?,
            _ => self.register(table, needed)?,
        };
        self.known.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    fn events(&self, table: &str) -> Result<TableCoverage, EngineError> {
        let mut reasons = self.undeclared(table);
        let own = || {
            self.days.iter().filter(|day| day.table == table && day.arrival != Arrival::Undeclared)
        };
        for day in own().filter(|day| !day.arrival.is_there()) {
            let when = match day.first.tomorrow() {
                Ok(next) if next == day.after => day.first.to_string(),
                _ if day.after == Date::MAX => format!("from {}", day.first),
                _ => format!("{}..{}", day.first, day.after),
            };
            reasons.push(format!("feed `{}` of `{table}`, {when}: {}", day.feed_id, day.reason));
        }
        let held = self.held(table)?;
        reasons.extend(self.incomplete(table, &held));
        let complete_alone = self.holes(table, &[Entry::Complete]).is_empty();
        let nil = own().next().is_some()
            && own().all(|day| day.arrival == Arrival::NilReturn)
            && self.holes(table, &[Entry::Declared, Entry::Complete]).is_empty();
        Ok(TableCoverage {
            table: table.to_owned(),
            rows: held.iter().map(|row| row.count).sum(),
            covered: reasons.is_empty(),
            lacking_total: reasons.len() as u64,
            lacking: shorten(reasons),
            known_complete: complete_alone || nil,
            newest_us: self.newest(table)?,
        })
    }

    fn register(&self, table: &str, needed: bool) -> Result<TableCoverage, EngineError> {
        let held = self.held(table)?;
        let rows: u64 = held.iter().map(|row| row.count).sum();
        let mut reasons = self.incomplete(table, &held);
        let declared_complete = self.holes(table, &[Entry::Complete]).is_empty();
        if needed && rows == 0 && !declared_complete {
            reasons.push(format!("`{table}` has no row, and no feed says that it is complete"));
        }
        Ok(TableCoverage {
            table: table.to_owned(),
            rows,
            covered: reasons.is_empty(),
            lacking_total: reasons.len() as u64,
            lacking: shorten(reasons),
            known_complete: declared_complete,
            newest_us: None,
        })
    }

    /// Days of the span for which no feed declares a table.
    fn undeclared(&self, table: &str) -> Vec<String> {
        let holes = self.holes(table, &[Entry::Declared, Entry::Complete]);
        let say =
            |(from, to): (Date, Date)| format!("no feed declares `{table}` from {from} until {to}");
        holes.into_iter().map(say).collect()
    }

    /// Days of the span, up to today, that no row of these kinds speaks of.
    fn holes(&self, table: &str, kinds: &[Entry]) -> Vec<(Date, Date)> {
        let end = self.today.map_or(self.span.after, |today| today.min(self.span.after));
        let of_table = |feed: &&Feed| feed.table == table && kinds.contains(&feed.entry);
        let mut spans: Vec<(Date, Date)> =
            self.feeds.iter().filter(of_table).map(|feed| (feed.from, self.until(feed))).collect();
        spans.sort_unstable();
        let (mut reached, mut holes) = (self.span.first, Vec::new());
        for (from, to) in spans {
            if reached < from.min(end) {
                holes.push((reached, from.min(end)));
            }
            reached = reached.max(to);
        }
        if reached < end {
            holes.push((reached, end));
        }
        // A span of which no day has ended still needs its declaration.
        let nothing_ended = end <= self.span.first;
        if nothing_ended && !self.feeds.iter().any(|feed| of_table(&feed)) {
            holes.push((self.span.first, self.span.after));
        }
        holes
    }

    /// The first day that a row no longer speaks of; a declaration gives way to the next of its feed.
    fn until(&self, feed: &Feed) -> Date {
        let same = |other: &&Feed| {
            (&other.feed_id, &other.table, other.entry) == (&feed.feed_id, &feed.table, feed.entry)
                && other.from > feed.from
        };
        let next = self.feeds.iter().filter(same).map(|other| other.from).min();
        match feed.entry {
            Entry::Declared => feed.to.into_iter().chain(next).min().unwrap_or(Date::MAX),
            _ => feed.to.unwrap_or(Date::MAX),
        }
    }

    /// Control totals of `complete` rows that touch the span and do not match.
    fn incomplete(&self, table: &str, held: &[Held]) -> Vec<String> {
        let complete = |feed: &&Feed| feed.table == table && feed.entry == Entry::Complete;
        let mut reasons = Vec::new();
        for feed in self.feeds.iter().filter(complete) {
            let until = self.until(feed);
            if until <= self.span.first || self.span.after <= feed.from {
                continue;
            }
            let counted = |row: &&Held| {
                feed.source.as_ref().is_none_or(|source| source == &row.source)
                    && row.from.is_none_or(|from| from < until)
                    && row.to.is_none_or(|to| feed.from < to)
            };
            let count: u64 = held.iter().filter(counted).map(|row| row.count).sum();
            let expected = if feed.nil_return { Some(0) } else { feed.expected_count };
            if let Some(expected) = expected
                && u64::try_from(expected).ok() != Some(count)
            {
                reasons.push(format!(
                    "feed `{}` says that `{table}` is complete with {expected} rows, {count} are held",
                    feed.feed_id
                ));
            }
        }
        reasons
    }

    /// The rows held, by source and days.
    fn held(&self, table: &str) -> Result<Vec<Held>, EngineError> {
        let Some(rows_of) = self.session.tables.get(table) else { return Ok(Vec::new()) };
        let definition = rows_of.definition();
        let mut counts: BTreeMap<(String, Option<Date>, Option<Date>), u64> = BTreeMap::new();
        let occurred = definition.occurred.as_deref();
        let has_source =
            definition.column("source").is_some() && definition.kind == TableKind::Event;
        let mut days = DayCache { zone: &self.session.view.zone, known: None };
        let validity =
            if definition.has_validity() { &["valid_from", "valid_to"][..] } else { &[] };
        let known = |name: &&str| definition.column(name).is_some();
        let mut columns: Vec<&str> = validity.iter().copied().filter(known).collect();
        columns.extend(has_source.then_some("source"));
        columns.extend(occurred);
        columns.push(schema::REF);
        rows_of.each(&columns, &mut |batch| {
            let at = occurred.map(|name| rows::instants(batch, table, name)).transpose()?;
            let source = has_source.then(|| rows::texts(batch, table, "source")).transpose()?;
            let validity = match definition.has_validity() {
                true => Some((
                    rows::dates(batch, table, "valid_from")?,
                    rows::dates(batch, table, "valid_to").ok(),
                )),
                false => None,
            };
            // Rows of one source and day come in runs.
            let mut run: Option<(&str, Option<Date>, Option<Date>, u64)> = None;
            for row in 0..batch.num_rows() {
                let source =
                    source.as_ref().and_then(|array| rows::text(array, row)).unwrap_or_default();
                let (from, to) = match (&at, &validity) {
                    (Some(at), _) => match rows::instant(at, row) {
                        Some(us) => {
                            let day = days.day(us)?;
                            (Some(day), day.tomorrow().ok())
                        }
                        None => (None, None),
                    },
                    (None, Some((from, to))) => {
                        (rows::date(from, row), to.as_ref().and_then(|to| rows::date(to, row)))
                    }
                    (None, None) => (None, None),
                };
                match &mut run {
                    Some((s, f, t, count)) if (*s, *f, *t) == (source, from, to) => *count += 1,
                    _ => {
                        let ended = run.replace((source, from, to, 1));
                        if let Some((source, from, to, count)) = ended {
                            *counts.entry((source.to_owned(), from, to)).or_default() += count;
                        }
                    }
                }
            }
            if let Some((source, from, to, count)) = run {
                *counts.entry((source.to_owned(), from, to)).or_default() += count;
            }
            Ok(())
        })?;
        let held = |((source, from, to), count)| Held { source, from, to, count };
        Ok(counts.into_iter().map(held).collect())
    }

    /// End of the newest interval of a table that arrived.
    fn newest(&self, table: &str) -> Result<Option<i64>, EngineError> {
        let as_of_us = self.session.view.as_of_us;
        let end = |day: Date| match day {
            Date::MAX => Ok(as_of_us),
            day => day_start_us(&self.session.view.zone, day).map(|us| us.min(as_of_us)),
        };
        let held_until = self.held(table)?.iter().filter_map(|row| row.to).max();
        let newest_in = |days: &[FeedDay]| -> Result<Option<i64>, EngineError> {
            let there = days.iter().filter(|day| day.table == table && day.arrival.is_there());
            // What came once, without an end, is as fresh as its newest row.
            let fresh = |day: &FeedDay| match (day.after, held_until) {
                (Date::MAX, Some(until)) => end(until),
                (after, _) => end(after),
            };
            let ends: Result<Vec<i64>, EngineError> = there.map(fresh).collect();
            Ok(ends?.into_iter().max())
        };
        let complete = |feed: &&Feed| feed.table == table && feed.entry == Entry::Complete;
        let stated: Result<Vec<i64>, EngineError> =
            self.feeds.iter().filter(complete).map(|feed| end(self.until(feed))).collect();
        let stated = stated?.into_iter().max();
        let mut newest = newest_in(&self.days)?.max(stated);
        if newest.is_none() {
            let first = self.span.first.checked_sub(LOOK_BACK_DAYS.days()).unwrap_or(Date::MIN);
            newest =
                newest_in(&intervals(self.session, Period { first, after: self.span.after })?)?;
        }
        Ok(newest)
    }

    /// Imports kept although they repeat another log with another clock.
    fn disagreeing_clocks(&self, table: &str) -> Vec<String> {
        let imports = self.session.manifest().imports.iter();
        let of_table = imports.filter(|import| import.tables.iter().any(|name| name == table));
        let say = |import: &backstay_evidence::manifest::ImportNote| {
            let other = import.disagreeing_clock_with?;
            Some(format!(
                "`{}` (entry {}) repeats the log of entry {other} with another clock",
                import.file, import.seq
            ))
        };
        of_table.filter_map(say).collect()
    }
}

/// Rows that lie on the same days.
struct Held {
    source: String,
    from: Option<Date>,
    to: Option<Date>,
    count: u64,
}

fn shorten(mut reasons: Vec<String>) -> Vec<String> {
    reasons.truncate(REASONS_KEPT);
    reasons
}

/// Every expected interval that touches a span.
fn intervals(session: &Session, span: Period) -> Result<Vec<FeedDay>, EngineError> {
    let tables = AllTables(session);
    let mut input = session.derive_input(&tables)?;
    (input.period_start_us, input.period_end_us) = span.bounds_us(&session.view.zone)?;
    (input.period_first, input.period_after) = (span.first, span.after);
    feed_day::read(&input)
}

/// Civil days of instants, asking the zone once per run of equal days.
struct DayCache<'a> {
    zone: &'a str,
    known: Option<(i64, i64, Date)>,
}

impl DayCache<'_> {
    fn day(&mut self, us: i64) -> Result<Date, EngineError> {
        if let Some((from, until, day)) = self.known
            && (from..until).contains(&us)
        {
            return Ok(day);
        }
        let day = day_of_us(self.zone, us)?;
        let next = day.tomorrow().unwrap_or(day);
        self.known = Some((day_start_us(self.zone, day)?, day_start_us(self.zone, next)?, day));
        Ok(day)
    }
}
