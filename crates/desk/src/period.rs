//! What somebody writes for a period or an instant, turned into civil days or microseconds. Half-open
//! throughout; nothing is guessed.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use crate::error::DeskError;

/// Civil days from the first on, up to but without the second.
pub type Days = (Date, Date);

/// Reads a whole month (`2026-03`), quarter (`2026-Q1`) or year (`2026`), or days of which the last
/// is not part (`2026-03-01..2026-04-01`).
///
/// # Errors
/// Anything else; a range of months is refused because it could mean two things.
pub fn parse_period(text: &str) -> Result<Days, DeskError> {
    let wrong = |help: String| DeskError::usage(format!("`{text}` is not a period"), help);
    let usual = "write a month, `2026-03`, a quarter, `2026-Q1`, a year, `2026`, or days of which \
                 the last is left out, `2026-03-01..2026-04-01`";
    let Some((from, to)) = text.split_once("..") else {
        return parse_whole(text).ok_or_else(|| wrong(usual.to_owned()));
    };
    if let (Some((first, _)), Some((_, after))) = (parse_whole(from), parse_whole(to)) {
        return Err(wrong(format!(
            "whether the last of them counts is not clear; to have it counted write \
             `{first}..{after}`"
        )));
    }
    let (Some(from), Some(to)) = (parse_day(from), parse_day(to)) else {
        return Err(wrong(usual.to_owned()));
    };
    if from >= to {
        return Err(wrong(format!(
            "it holds no day: the first day must lie before the last; for {from} alone write \
             `{from}..{}`",
            from.saturating_add(1.day())
        )));
    }
    Ok((from, to))
}

/// A period as [`parse_period`] reads it, as short as it can be written.
#[must_use]
pub fn written((first, after): Days) -> String {
    let year = format!("{:04}", first.year());
    let month = format!("{year}-{:02}", first.month());
    let quarter = format!("{year}-Q{}", (first.month() + 2) / 3);
    let whole = [month, quarter, year].into_iter().find(|t| parse_whole(t) == Some((first, after)));
    whole.unwrap_or_else(|| format!("{first}..{after}"))
}

fn parse_day(text: &str) -> Option<Date> {
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// A whole month, quarter or year.
fn parse_whole(text: &str) -> Option<Days> {
    let from = |first: &str, months: i32| {
        let first: Date = first.parse().ok()?;
        Some((first, first.checked_add(months.months()).ok()?))
    };
    match (text.len(), text.split_once("-Q")) {
        (7, None) => from(&format!("{text}-01"), 1),
        (4, None) => from(&format!("{text}-01-01"), 12),
        (7, Some((year, quarter))) => {
            let quarter: u8 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
            from(&format!("{year}-{:02}-01", quarter * 3 - 2), 3)
        }
        _ => None,
    }
}

/// What `--as-of` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// As of a ledger entry.
    Entry(u64),
    /// As of an instant, microseconds UTC.
    InstantUs(i64),
}

/// Reads a ledger entry (`12`), an instant with its offset (`2026-04-02T09:00:00+08:00`), or a day
/// (`2026-04-02`): what was known when it ended in UTC.
///
/// # Errors
/// Anything else; a time without offset is refused.
pub fn parse_known(text: &str) -> Result<Known, DeskError> {
    if let Ok(entry) = text.parse::<u64>() {
        return Ok(Known::Entry(entry));
    }
    if let Some(after) = parse_day(text).and_then(|day| day.tomorrow().ok()) {
        let end = after.to_zoned(TimeZone::UTC).map(|end| end.timestamp().as_microsecond() - 1);
        return end.map(Known::InstantUs).map_err(|error| {
            DeskError::usage(format!("`{text}`: {error}"), "write another day".to_owned())
        });
    }
    let instant: Result<Timestamp, _> = text.parse();
    instant.map(|instant| Known::InstantUs(instant.as_microsecond())).map_err(|_| {
        DeskError::usage(
            format!("`{text}` is neither a ledger entry nor an instant"),
            "write an entry, `12`, an instant with its offset, `2026-04-02T09:00:00Z`, or a day, \
             `2026-04-02`, which counts to its end in UTC; `backstay log` lists entries and instants"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_its_days() {
        assert_eq!(parse_period("2026-02").unwrap(), (date(2026, 2, 1), date(2026, 3, 1)));
        assert_eq!(parse_period("2025-12").unwrap(), (date(2025, 12, 1), date(2026, 1, 1)));
    }

    #[test]
    fn a_quarter_and_a_year_are_their_days() {
        assert_eq!(parse_period("2026-Q1").unwrap(), (date(2026, 1, 1), date(2026, 4, 1)));
        assert_eq!(parse_period("2026-Q4").unwrap(), (date(2026, 10, 1), date(2027, 1, 1)));
        assert_eq!(parse_period("2026").unwrap(), (date(2026, 1, 1), date(2027, 1, 1)));
    }

    #[test]
    fn a_range_of_days_is_half_open() {
        let days = parse_period("2026-03-01..2026-06-01").unwrap();
        assert_eq!(days, (date(2026, 3, 1), date(2026, 6, 1)));
    }

    #[test]
    fn a_period_is_written_as_short_as_it_is_read() {
        for text in ["2026-10", "2025-12", "2026-Q1", "2026-Q4", "2026", "2026-10-01..2026-10-05"] {
            assert_eq!(written(parse_period(text).unwrap()), text);
        }
        assert_eq!(written(parse_period("2026-01-01..2026-02-01").unwrap()), "2026-01");
    }

    #[test]
    fn a_range_of_months_is_refused_with_the_days_it_would_be() {
        let error = parse_period("2026-03..2026-05").unwrap_err().to_string();
        assert!(error.contains("`2026-03..2026-05` is not a period"), "{error}");
        let DeskError::Usage { help, .. } = parse_period("2026-03..2026-05").unwrap_err() else {
            panic!("a usage error")
        };
        assert!(help.contains("`2026-03-01..2026-06-01`"), "{help}");
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "2026-Q5",
            "2026-Q0",
            "2026-13",
            "2026-3",
            "2026-03-01",
            "2026-03-02..2026-03-02",
            "2026-04-01..2026-03-01",
            "..",
            "2026-02-30..2026-03-01",
            "march",
        ] {
            assert!(parse_period(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_as_of_is_an_entry_an_instant_with_offset_or_a_day() {
        assert_eq!(parse_known("12").unwrap(), Known::Entry(12));
        assert_eq!(parse_known("1970-01-01T08:00:01+08:00").unwrap(), Known::InstantUs(1_000_000));
        let day = parse_known("1970-01-01").unwrap();
        assert_eq!(day, Known::InstantUs(86_400_000_000 - 1), "to its end in UTC");
        for text in ["-1", "2026-04-02T09:00:00", "2026-04-31", "today"] {
            assert!(parse_known(text).is_err(), "{text}");
        }
    }
}
