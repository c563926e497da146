//! What evidence was promised and what its senders say they sent. Owns the feed rows and the two
//! plants in them; it must never look at a file.

use std::collections::BTreeMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
};

use crate::{
    almanac::{civil_at, weekend},
    error::SimError,
    operation::Operation,
    world::{Case, FeedRow},
};

/// How the evidence of an arrangement comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cadence {
    /// On working days of a calendar, with a total for every day that has events.
    WorkingDay(&'static str),
    /// Every day, with a total or a nil return.
    Day,
    /// Every week, with a total.
    Week,
    /// Every week, without totals.
    WeekUncounted,
}

/// A difference between what is sent and what is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surplus {
    /// Arrangement.
    pub arrangement: &'static str,
    /// A day of the interval concerned.
    pub day: Date,
    /// Rows that the sender counts and nobody holds.
    pub rows: i64,
}

/// The cadence of each arrangement of the worked example.
pub const MERIDIAN: [(&str, &str, Cadence); 5] = [
    ("payroll-manila", "payroll-daily", Cadence::WorkingDay("manila-office")),
    ("payroll-cebu", "payroll-daily", Cadence::Day),
    ("claims", "claims-weekly", Cadence::WeekUncounted),
    ("accounts-payable", "journal-weekly", Cadence::Week),
    ("service-desk", "incidents-weekly", Cadence::Week),
];

/// The rows of `evidence_feed` for some arrangements: work, reports, exclusions.
///
/// # Errors
/// As of civil time.
pub fn feeds(
    operation: &Operation,
    cases: &[Case],
    cadences: &[(&str, &str, Cadence)],
    surplus: &[Surplus],
) -> Result<Vec<FeedRow>, SimError> {
    let mut rows = Vec::new();
    for (arrangement, feed, cadence) in cadences {
        let held = held_by_day(operation, cases, arrangement)?;
        let over: Vec<&Surplus> =
            surplus.iter().filter(|row| row.arrangement == *arrangement).collect();
        rows.extend(work(operation, (arrangement, feed, *cadence), &held, &over)?);
        rows.push(FeedRow {
            arrangement: (*arrangement).into(),
            feed: "monthly-report".into(),
            table: "provider_report".into(),
            entry: "declared".into(),
            cadence: Some("month".into()),
            from: date(2026, 8, 1),
            ..FeedRow::default()
        });
        let excluded =
            operation.world.exclusions.iter().filter(|row| row.arrangement == *arrangement).count();
        rows.push(FeedRow {
            arrangement: (*arrangement).into(),
            feed: "exclusions".into(),
            table: "exclusion".into(),
            entry: "complete".into(),
            count: i64::try_from(excluded).ok(),
            from: operation.first,
            until: Some(operation.cut),
            ..FeedRow::default()
        });
    }
    Ok(rows)
}

/// Events held by civil day of the arrangement's zone.
fn held_by_day(
    operation: &Operation,
    cases: &[Case],
    arrangement: &str,
) -> Result<BTreeMap<Date, i64>, SimError> {
    let zone = operation.zone(arrangement)?;
    let mut held = BTreeMap::new();
    for case in cases.iter().filter(|case| case.arrangement == arrangement) {
        for event in &case.events {
            *held.entry(civil_at(event.at, &zone)?.date()).or_default() += 1;
        }
    }
    Ok(held)
}

/// The declaration of one work log and its deliveries.
fn work(
    operation: &Operation,
    (arrangement, feed, cadence): (&str, &str, Cadence),
    held: &BTreeMap<Date, i64>,
    over: &[&Surplus],
) -> Result<Vec<FeedRow>, SimError> {
    let (word, calendar) = match cadence {
        Cadence::WorkingDay(calendar) => ("working-day", Some(calendar.to_owned())),
        Cadence::Day => ("day", None),
        Cadence::Week | Cadence::WeekUncounted => ("week", None),
    };
    let blank = FeedRow {
        arrangement: arrangement.into(),
        feed: feed.into(),
        table: "case_event".into(),
        from: operation.first,
        ..FeedRow::default()
    };
    let mut rows = vec![FeedRow {
        entry: "declared".into(),
        cadence: Some(word.into()),
        calendar,
        totals: cadence != Cadence::WeekUncounted,
        ..blank.clone()
    }];
    let weekly = matches!(cadence, Cadence::Week | Cadence::WeekUncounted);
    let mut from = operation.first;
    while from < operation.cut && cadence != Cadence::WeekUncounted {
        let next = from.checked_add(if weekly { 7.days() } else { 1.day() })?;
        let until = next.min(operation.cut);
        let count: i64 = held.range(from..until).map(|(_, count)| count).sum();
        let extra: i64 =
            over.iter().filter(|row| (from..until).contains(&row.day)).map(|row| row.rows).sum();
        let blind = operation.blind.is_some_and(|(id, day)| id == arrangement && day == from);
        let delivered = FeedRow {
            entry: "delivered".into(),
            count: Some(count + extra),
            from,
            until: weekly.then_some(until),
            ..blank.clone()
        };
        // A day off has nothing to send, and a working-day feed does not speak of weekends.
        let silent = blind || (matches!(cadence, Cadence::WorkingDay(_)) && weekend(from));
        match count {
            0 if silent => {}
            0 => rows.push(FeedRow { count: None, nil: true, ..delivered }),
            _ => rows.push(delivered),
        }
        from = next;
    }
    Ok(rows)
}
