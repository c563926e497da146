//! How long pairs of teams are at work at once: day by day, and summed up by month. Owns the sums; it
//! must never count a day that is not due, nor one that nobody knows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::line::lines;
use crate::{derive::overlap_day::NAME, error::EngineError, session::Session};

/// A pair of teams over the days that are known, or due.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OverlapPair {
    /// Team whose civil days are counted.
    pub team: String,
    /// The other team.
    pub other: String,
    /// Days on which both sites work, and days of which it is not known, in order.
    pub days: Vec<OverlapPoint>,
    /// The same by month.
    pub months: Vec<OverlapMonth>,
    /// From which day on the other team's clocks stand where.
    pub clocks: Vec<ClockStep>,
    /// Row that says what is agreed, `entry:record`.
    pub record: Option<String>,
}

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverlapPoint {
    /// Civil day of the first team.
    pub day: Date,
    /// Time both are at work, microseconds; nothing when it is not known.
    pub overlap_us: Option<i64>,
    /// Time agreed, microseconds.
    pub required_us: i64,
    /// Whether the day had not ended, so that calendars speak for it.
    pub forecast: bool,
    /// Why it is not known.
    pub reason: Option<String>,
}

/// A month of days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverlapMonth {
    /// First day.
    pub month: Date,
    /// Days on which both sites work.
    pub days: u64,
    /// Time agreed, microseconds, on the last of them.
    pub required_us: i64,
    /// The shortest, microseconds.
    pub least_us: Option<i64>,
    /// The middle day, microseconds; of an even number the shorter of the two.
    pub median_us: Option<i64>,
    /// Days below what is agreed.
    pub below: u64,
    /// Days of which it is not known.
    pub unknown: u64,
}

/// Where the clocks of the other team stand from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClockStep {
    /// Day.
    pub from: Date,
    /// Minutes that they are ahead of the first team's.
    pub ahead_minutes: i64,
}

/// The pairs of a session's arrangement, and what is said of no day: that nothing was agreed, or that
/// nothing is needed.
///
/// # Errors
/// Unreadable rows.
pub fn overlaps(session: &Session) -> Result<(Vec<OverlapPair>, Vec<String>), EngineError> {
    let mut pairs: BTreeMap<(String, String), OverlapPair> = BTreeMap::new();
    let mut said = Vec::new();
    lines(session, NAME, |line| {
        let (team, other) = (line.text("team_id")?, line.text("other_team_id")?);
        let reason = line.text("reason")?;
        let (Some(day), Some(team), Some(other)) = (line.date("day")?, &team, &other) else {
            let who = team.zip(other).map(|(team, other)| format!("{team} and {other}: "));
            said.push(format!(
                "{}{}",
                who.unwrap_or_default(),
                reason.unwrap_or_else(|| "nothing is known".to_owned())
            ));
            return Ok(None::<()>);
        };
        let key = (team.clone(), other.clone());
        let pair = pairs.entry(key).or_insert_with(|| OverlapPair {
            team: team.clone(),
            other: other.clone(),
            ..OverlapPair::default()
        });
        if let Some(ahead_minutes) = line.integer("ahead_minutes")?
            && pair.clocks.last().is_none_or(|last| last.ahead_minutes != ahead_minutes)
        {
            pair.clocks.push(ClockStep { from: day, ahead_minutes });
        }
        let state = line.word("state")?;
        if state != "not-due" {
            pair.record = line.record()?.or(pair.record.take());
            pair.days.push(OverlapPoint {
                day,
                overlap_us: line.integer("overlap_us")?.filter(|_| state == "due"),
                required_us: line.integer("required_us")?.unwrap_or_default(),
                forecast: line.flag("forecast")?.unwrap_or_default(),
                reason,
            });
        }
        Ok(None)
    })?;
    let mut pairs: Vec<OverlapPair> = pairs.into_values().collect();
    for pair in &mut pairs {
        pair.months = months(&pair.days);
    }
    Ok((pairs, said))
}

/// Days summed up by month.
#[must_use]
pub fn months(days: &[OverlapPoint]) -> Vec<OverlapMonth> {
    let mut by_month: BTreeMap<Date, Vec<&OverlapPoint>> = BTreeMap::new();
    for day in days {
        by_month.entry(day.day.first_of_month()).or_default().push(day);
    }
    let sum = |(month, days): (Date, Vec<&OverlapPoint>)| {
        let mut known: Vec<i64> = days.iter().filter_map(|day| day.overlap_us).collect();
        known.sort_unstable();
        let below = days.iter().filter(|day| day.overlap_us.is_some_and(|us| us < day.required_us));
        OverlapMonth {
            month,
            days: known.len() as u64,
            required_us: days.last().map(|day| day.required_us).unwrap_or_default(),
            least_us: known.first().copied(),
            median_us: known.len().checked_sub(1).and_then(|n| known.get(n / 2).copied()),
            below: below.count() as u64,
            unknown: (days.len() - known.len()) as u64,
        }
    };
    by_month.into_iter().map(sum).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn day(text: &str, overlap_us: Option<i64>) -> OverlapPoint {
        let day = text.parse().unwrap();
        OverlapPoint { day, overlap_us, required_us: 10, forecast: true, reason: None }
    }

    #[test]
    fn a_month_counts_days_below_and_days_not_known_and_takes_the_shorter_middle() {
        let days = [
            day("2026-10-01", Some(9)),
            day("2026-10-02", Some(10)),
            day("2026-10-05", Some(30)),
            day("2026-10-06", Some(20)),
            day("2026-10-07", None),
            day("2026-11-02", None),
        ];
        let found = months(&days);
        assert_eq!(found.len(), 2);
        let october = &found[0];
        assert_eq!((october.days, october.below, october.unknown), (4, 1, 1));
        assert_eq!((october.least_us, october.median_us), (Some(9), Some(10)));
        let november = &found[1];
        assert_eq!((november.days, november.unknown, november.least_us), (0, 1, None));
        assert_eq!(november.median_us, None);
    }
}
