//! Civil periods: days and months in a zone, and the windows of service levels. Owns the turning of
//! civil days into instants; it must never decide what counts in a period.

use backstay_calendar::{Fold, resolve_local};
use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

/// Civil days `[first, after)`, written `2026-03-01..2026-04-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    /// First day.
    pub first: Date,
    /// First day after.
    pub after: Date,
}

/// Span over which a service level is measured as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// Civil month.
    Month,
    /// Civil quarter, from January.
    Quarter,
    /// Civil year.
    Year,
    /// So many civil months, measured at the end of each of them.
    Rolling(u8),
}

/// Shorter spans inside a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubWindow {
    /// Civil month.
    Month,
    /// From Monday; the first and the last end with the window.
    Week,
    /// Civil day.
    Day,
}

impl SubWindow {
    /// From the vocabulary's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "month" => Some(Self::Month),
            "week" => Some(Self::Week),
            "day" => Some(Self::Day),
            _ => None,
        }
    }

    /// The vocabulary's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
        }
    }

    /// The spans of a window, in order: every day of it lies in exactly one.
    #[must_use]
    pub fn of(self, window: Period) -> Vec<Period> {
        let begins = |day: Date| match self {
            Self::Month => day.day() == 1,
            Self::Week => day.weekday() == Weekday::Monday,
            Self::Day => true,
        };
        let mut starts: Vec<Date> =
            window.days().filter(|day| *day == window.first || begins(*day)).collect();
        starts.push(window.after);
        let pair = |pair: &[Date]| match pair {
            [first, after] => Some(Period { first: *first, after: *after }),
            _ => None,
        };
        starts.windows(2).filter_map(pair).collect()
    }
}

impl Window {
    /// From the vocabulary's word; a rolling window needs its number of months, 1 to 60.
    #[must_use]
    pub fn parse(word: &str, months: Option<i64>) -> Option<Self> {
        match word {
            "month" => Some(Self::Month),
            "quarter" => Some(Self::Quarter),
            "year" => Some(Self::Year),
            "rolling" => {
                let months = months.and_then(|months| u8::try_from(months).ok());
                months.filter(|months| (1..=60).contains(months)).map(Self::Rolling)
            }
            _ => None,
        }
    }

    /// In words, as in "measured over a quarter".
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Month => "a month".to_owned(),
            Self::Quarter => "a quarter".to_owned(),
            Self::Year => "a year".to_owned(),
            Self::Rolling(months) => format!("rolling {months} months"),
        }
    }

    /// The window that holds a day; of a rolling one, the window that ends with the day's month.
    ///
    /// # Errors
    /// A day at the edge of what a calendar can say (year 9999).
    pub fn around(self, day: Date) -> Result<Period, EngineError> {
        let (month, months) = match self {
            Self::Month => (day.month(), 1),
            Self::Quarter => ((day.month() - 1) / 3 * 3 + 1, 3),
            Self::Year => (1, 12),
            Self::Rolling(_) => (day.month(), 1),
        };
        let first = Date::new(day.year(), month, 1).map_err(|_| out_of_range(day))?;
        let after = first.checked_add(months.months()).map_err(|_| out_of_range(day))?;
        let earlier = match self {
            Self::Rolling(length) => i32::from(length).saturating_sub(1),
            _ => 0,
        };
        let first = first.checked_sub(earlier.months()).map_err(|_| out_of_range(day))?;
        Ok(Period { first, after })
    }

    /// The windows that end within a period, in order. A service level is measured on whole
    /// windows: one that is still running at the period's end has no figure yet.
    ///
    /// # Errors
    /// As [`Window::around`].
    pub fn ending_in(self, period: Period) -> Result<Vec<Period>, EngineError> {
        let mut found = Vec::new();
        let mut window = self.around(period.first)?;
        while window.after <= period.after {
            found.push(window);
            window = self.around(window.after)?;
        }
        Ok(found)
    }
}

impl Period {
    /// Two days in order.
    ///
    /// # Errors
    /// When the period is empty or runs backwards.
    pub fn new(first: Date, after: Date) -> Result<Self, EngineError> {
        if first < after {
            return Ok(Self { first, after });
        }
        Err(EngineError::Time(format!(
            "period `{first}..{after}` is empty: the second day is the first day after the period"
        )))
    }

    /// Start and end as instants (microseconds UTC) in a zone.
    ///
    /// # Errors
    /// Unknown zone.
    pub fn bounds_us(&self, zone: &str) -> Result<(i64, i64), EngineError> {
        Ok((day_start_us(zone, self.first)?, day_start_us(zone, self.after)?))
    }

    /// Its days, in order.
    pub fn days(&self) -> impl Iterator<Item = Date> + use<> {
        let (mut day, after) = (self.first, self.after);
        std::iter::from_fn(move || {
            let today = (day < after).then_some(day)?;
            day = day.tomorrow().unwrap_or(after);
            Some(today)
        })
    }

    /// The smallest period that holds both.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), after: self.after.max(other.after) }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.first, self.after)
    }
}

impl std::str::FromStr for Period {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let wrong = || {
            EngineError::Time(format!(
                "`{text}` is not a period: write `2026-03-01..2026-04-01` (the second day is the \
                 first day after it) or a month, `2026-03`"
            ))
        };
        if let Some((first, after)) = text.split_once("..") {
            let first = first.trim().parse().map_err(|_| wrong())?;
            return Self::new(first, after.trim().parse().map_err(|_| wrong())?);
        }
        let first: Date = format!("{}-01", text.trim()).parse().map_err(|_| wrong())?;
        Window::Month.around(first)
    }
}

impl TryFrom<String> for Period {
    type Error = EngineError;

    fn try_from(text: String) -> Result<Self, EngineError> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

/// The first instant of a civil day in a zone (microseconds UTC): where midnight is skipped, the
/// instant of the switch; where it comes twice, the first.
///
/// # Errors
/// Unknown zone, or a day beyond what instants can say.
pub fn day_start_us(zone: &str, day: Date) -> Result<i64, EngineError> {
    let midnight = day.at(0, 0, 0, 0);
    if let Ok(us) = resolve_local(zone, midnight, Fold::Earlier) {
        return Ok(us);
    }
    let zoned = time_zone(zone)?.to_zoned(midnight).and_then(|zoned| zoned.start_of_day());
    zoned.map(|zoned| zoned.timestamp().as_microsecond()).map_err(|_| out_of_range(day))
}

/// The civil day of an instant in a zone.
///
/// # Errors
/// Unknown zone, or an instant beyond the years a calendar can say.
pub fn day_of_us(zone: &str, us: i64) -> Result<Date, EngineError> {
    let instant = Timestamp::from_microsecond(us)
        .map_err(|_| EngineError::Time(format!("instant `{us}` is out of range")))?;
    Ok(instant.to_zoned(time_zone(zone)?).date())
}

/// A zone of the compiled-in tz database.
///
/// # Errors
/// When it is not there.
pub fn time_zone(zone: &str) -> Result<TimeZone, EngineError> {
    TimeZone::get(zone).map_err(|_| {
        EngineError::Time(format!(
            "unknown time zone `{zone}`: write an IANA name, as in `Europe/Dublin`"
        ))
    })
}

/// An instant as text in UTC.
#[must_use]
pub fn instant_text(us: i64) -> String {
    Timestamp::from_microsecond(us).map_or_else(|_| us.to_string(), |t| t.to_string())
}

fn out_of_range(day: Date) -> EngineError {
    EngineError::Time(format!("day `{day}` is out of range"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_short_for_its_days() {
        let march: Period = "2026-03".parse().unwrap();
        assert_eq!(march.to_string(), "2026-03-01..2026-04-01");
        assert_eq!("2026-03-01..2026-04-01".parse::<Period>().unwrap(), march);
        assert_eq!(march.days().count(), 31);
    }

    #[test]
    fn a_period_that_runs_backwards_is_refused_with_the_reason() {
        let error = "2026-04-01..2026-04-01".parse::<Period>().unwrap_err().to_string();
        assert!(error.contains("is empty"), "{error}");
        let error = "March".parse::<Period>().unwrap_err().to_string();
        assert!(error.contains("write `2026-03-01..2026-04-01`"), "{error}");
    }

    #[test]
    fn only_windows_that_end_in_the_period_are_measured() {
        let first_half: Period = "2026-01-01..2026-07-01".parse().unwrap();
        assert_eq!(Window::Month.ending_in(first_half).unwrap().len(), 6);
        assert_eq!(Window::Quarter.ending_in(first_half).unwrap().len(), 2);
        assert_eq!(Window::Year.ending_in(first_half).unwrap().len(), 0);
        let march: Period = "2026-03".parse().unwrap();
        let quarter = Window::Quarter.ending_in(march).unwrap();
        assert_eq!(quarter[0].first, date(2026, 1, 1));
        let february: Period = "2026-02".parse().unwrap();
        assert!(Window::Quarter.ending_in(february).unwrap().is_empty());
    }

    #[test]
    fn a_rolling_window_ends_with_every_month_and_overlaps_the_one_before() {
        let spring: Period = "2026-03-01..2026-05-01".parse().unwrap();
        let rolling = Window::parse("rolling", Some(3)).unwrap().ending_in(spring).unwrap();
        let written: Vec<String> = rolling.iter().map(ToString::to_string).collect();
        assert_eq!(written, ["2026-01-01..2026-04-01", "2026-02-01..2026-05-01"]);
        assert_eq!(Window::parse("rolling", None), None);
        assert_eq!(Window::parse("rolling", Some(0)), None);
        assert_eq!(Window::parse("rolling", Some(61)), None);
    }

    #[test]
    fn spans_inside_a_window_share_its_days_out_without_a_rest() {
        let march: Period = "2026-03".parse().unwrap();
        let weeks = SubWindow::Week.of(march);
        assert_eq!(weeks[0].to_string(), "2026-03-01..2026-03-02", "1 March is a Sunday");
        assert_eq!(weeks[5].to_string(), "2026-03-30..2026-04-01");
        for sub in [SubWindow::Month, SubWindow::Week, SubWindow::Day] {
            let spans = sub.of(march);
            assert_eq!(spans[0].first, march.first);
            assert_eq!(spans[spans.len() - 1].after, march.after);
            assert!(spans.windows(2).all(|pair| pair[0].after == pair[1].first));
        }
        assert_eq!(SubWindow::Day.of(march).len(), 31);
        let quarter: Period = "2026-01-01..2026-04-01".parse().unwrap();
        assert_eq!(SubWindow::Month.of(quarter).len(), 3);
    }

    #[test]
    fn a_day_starts_at_its_first_instant_where_midnight_is_skipped() {
        // Cairo moved its clocks at midnight on 2026-04-24: the day begins at 01:00.
        let start = day_start_us("Africa/Cairo", date(2026, 4, 24)).unwrap();
        assert_eq!(instant_text(start), "2026-04-23T22:00:00Z");
        let (from, to) =
            "2026-03-29..2026-03-30".parse::<Period>().unwrap().bounds_us("Europe/Dublin").unwrap();
        assert_eq!((to - from) / 3_600_000_000, 23);
        assert_eq!(day_of_us("Asia/Manila", from).unwrap(), date(2026, 3, 29));
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = day_start_us("Europe/Nowhere", date(2026, 4, 24)).unwrap_err().to_string();
        assert!(error.contains("unknown time zone `Europe/Nowhere`"), "{error}");
    }
}
