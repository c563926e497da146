//! What the values of a source column look like: numbers, dates and in which order of day and month,
//! words, people. Counts; the only judgement is whether values speak for one order or for neither.

use std::collections::BTreeMap;

use super::word::share;
use crate::typing::{
    self,
    moment::{DateFormat, Written},
    number::{self, Marks},
};

/// Different values that are counted one by one, at most.
const DISTINCT_MAX: usize = 64;
/// A format is that of a column when it reads this share of the values, in thousandths.
const MOST: u32 = 950;
/// Marks by which sources write that there is no value.
const MISSING: [&str; 10] = ["?", "NULL", "null", "(null)", "#N/A", "N/A", "n/a", "\\N", "--", "-"];

/// Which of day and month stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// 31/12.
    DayFirst,
    /// 12/31.
    MonthFirst,
}

/// A column of dates or times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dates {
    /// The format that reads the most values. When day and month may change places and nothing
    /// speaks for one order, the one with the day first.
    pub(super) format: String,
    /// Values that it reads.
    pub(super) fits: usize,
    /// Whether it has a time of day.
    pub(super) time: bool,
    /// Whether values have an offset from UTC.
    pub(super) offset: bool,
    /// When day and month are both numbers and stand beside each other.
    pub(super) turned: Option<Turned>,
}

/// The same format with day and month in the other order, and what speaks for either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turned {
    /// Format with the day first.
    pub(super) day_first: String,
    /// Format with the month first.
    pub(super) month_first: String,
    /// Values whose first number is above 12: only a day can be.
    pub(super) only_day_first: usize,
    /// Values whose second number is above 12.
    pub(super) only_month_first: usize,
}

/// What a column's values look like.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Profile {
    /// Values that are there.
    pub(super) present: usize,
    /// Values by how often they stand; nothing when there are too many different ones.
    pub(super) distinct: Option<BTreeMap<String, usize>>,
    /// Bytes of all values.
    pub(super) bytes: usize,
    pub(super) integers: usize,
    pub(super) decimals: usize,
    /// Numbers with a comma before what would be their decimals, and none that speaks against it.
    pub(super) comma_decimals: usize,
    pub(super) percents: usize,
    pub(super) booleans: usize,
    pub(super) durations: usize,
    pub(super) countries: usize,
    pub(super) currencies: usize,
    pub(super) levels: usize,
    pub(super) mails: usize,
    pub(super) dates: Option<Dates>,
}

/// The marks of the file that stand for a missing value.
pub(super) fn missing_marks<'v>(columns: impl Iterator<Item = Vec<&'v str>>) -> Vec<String> {
    // A mark by itself says little where it is the only value of a column.
    let mut found = Vec::new();
    for values in columns {
        for mark in MISSING {
            let marked = values.iter().filter(|value| value.trim() == mark).count();
            if marked > 0 && marked < values.len() && !found.contains(&mark) {
                found.push(mark);
            }
        }
    }
    let mut found: Vec<String> = found.into_iter().map(str::to_owned).collect();
    found.sort();
    found
}

impl Profile {
    /// Looks at the values of a column that are there.
    pub(super) fn of(values: &[&str]) -> Self {
        let plain = Marks::default();
        let comma = Marks { decimal: ',', group: Some('.') };
        let mut profile = Self { present: values.len(), ..Self::default() };
        let mut distinct = BTreeMap::new();
        for value in values.iter().map(|value| value.trim()) {
            profile.bytes += value.len();
            if distinct.len() <= DISTINCT_MAX {
                *distinct.entry(value.to_owned()).or_insert(0) += 1;
            }
            let bare = value.strip_suffix('%').map_or(value, str::trim);
            let count = |is: bool| usize::from(is);
            profile.percents += count(bare.len() < value.len());
            profile.integers += count(number::integer(value, plain).is_ok());
            profile.decimals += count(number::decimal(bare, plain).is_ok());
            profile.comma_decimals +=
                count(bare.contains(',') && number::decimal(bare, comma).is_ok());
            profile.booleans += count(typing::boolean(value).is_ok());
            profile.durations += count(number::duration(value).is_ok());
            profile.countries += count(typing::country(value).is_ok());
            profile.currencies += count(typing::currency(value).is_ok());
            profile.levels += count(typing::language_level(value).is_ok());
            profile.mails += count(is_mail(value));
        }
        profile.distinct = (distinct.len() <= DISTINCT_MAX).then_some(distinct);
        profile.dates = dates(values);
        profile
    }

    /// Values of that kind among those that are there, in thousandths.
    pub(super) fn share(&self, count: usize) -> u32 {
        share(count, self.present)
    }

    /// Whether the values are long and seldom the same: sentences.
    pub(super) fn is_prose(&self) -> bool {
        self.distinct.is_none() && self.bytes > self.present.saturating_mul(60)
    }
}

fn is_mail(value: &str) -> bool {
    let parts = value.split_once('@');
    parts.is_some_and(|(user, host)| {
        !user.is_empty() && host.contains('.') && !value.contains(char::is_whitespace)
    })
}

/// The format of most values, if they are dates or times at all.
fn dates(values: &[&str]) -> Option<Dates> {
    let first = values.first()?;
    let candidates: Vec<DateFormat> = formats_like(first)
        .into_iter()
        .filter_map(|format| DateFormat::from_text(&format).ok())
        .filter(|format| {
            values.iter().take(50).filter(|value| format.parse(value.trim()).is_some()).count() > 0
        })
        .collect();
    let mut best: Option<(usize, &DateFormat, Written)> = None;
    for format in &candidates {
        let mut sample = None;
        let mut fits = 0;
        for value in values {
            if let Some(written) = format.parse(value.trim()) {
                fits += 1;
                sample.get_or_insert(written);
            }
        }
        if let Some(sample) = sample.filter(|_| best.as_ref().is_none_or(|(most, ..)| fits > *most))
        {
            best = Some((fits, format, sample));
        }
    }
    let (fits, format, sample) = best?;
    if share(fits, values.len()) < MOST {
        return None;
    }
    let turned = turned(format.name(), values);
    let name = match &turned {
        Some(turned) if turned.only_month_first == 0 => turned.day_first.clone(),
        _ => format.name().to_owned(),
    };
    Some(Dates {
        format: name,
        fits,
        time: sample.time.is_some(),
        offset: sample.offset.is_some(),
        turned,
    })
}

/// Both orders of a format in which day and month could change places.
fn turned(format: &str, values: &[&str]) -> Option<Turned> {
    let swap = |text: &str| text.replace("%d", "\u{1}").replace("%m", "%d").replace('\u{1}', "%m");
    let day = format.find("%d")?;
    let month = format.find("%m")?;
    // Year, month, day is always in this order.
    if format.starts_with("%Y") || format == "iso" {
        return None;
    }
    let other = swap(format);
    let (day_first, month_first) =
        if day < month { (format.to_owned(), other) } else { (other, format.to_owned()) };
    let (one, two) =
        (DateFormat::from_text(&day_first).ok()?, DateFormat::from_text(&month_first).ok()?);
    let (mut only_day_first, mut only_month_first) = (0, 0);
    for value in values {
        match (one.parse(value.trim()).is_some(), two.parse(value.trim()).is_some()) {
            (true, false) => only_day_first += 1,
            (false, true) => only_month_first += 1,
            _ => {}
        }
    }
    Some(Turned { day_first, month_first, only_day_first, only_month_first })
}

/// Formats in which a value like this one could be written: only signs that it has.
fn formats_like(value: &str) -> Vec<String> {
    let value = value.trim();
    if !value.bytes().any(|byte| byte.is_ascii_digit()) || value.len() > 40 || value.len() < 6 {
        return Vec::new();
    }
    let mut dates: Vec<String> = vec!["iso".to_owned()];
    for separator in ['/', '.', '-'] {
        if value.matches(separator).count() >= 2 {
            for order in ["dmY", "mdY", "Ymd", "dmy", "mdy", "ymd", "dbY", "dby"] {
                let parts: Vec<String> = order.chars().map(|part| format!("%{part}")).collect();
                dates.push(parts.join(&separator.to_string()));
            }
        }
    }
    if value.bytes().filter(u8::is_ascii_alphabetic).count() >= 3 {
        dates.extend(
            ["%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"].map(str::to_owned),
        );
    }
    if !value.contains(':') {
        return dates;
    }
    let mut times = Vec::new();
    for mark in [" ", "T", ", "] {
        let before_time = value.split(':').next().unwrap_or_default();
        if before_time.contains(mark) {
            for time in ["%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p"] {
                times.push(format!("{mark}{time}"));
            }
        }
    }
    let after_time = value.rsplit(':').next().unwrap_or_default();
    let has_offset =
        value.contains('+') || after_time.contains('-') || value.matches(':').count() > 2;
    let offsets: &[&str] = if has_offset { &["", "%z", " %z", "%:z", " %:z"] } else { &[""] };
    let mut all = vec!["iso".to_owned()];
    for date in dates.iter().skip(1) {
        for time in &times {
            all.extend(offsets.iter().map(|offset| format!("{date}{time}{offset}")));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn of(values: &[&str]) -> Dates {
        dates(values).unwrap_or_else(|| panic!("{values:?} are no dates"))
    }

    #[test]
    fn the_format_of_dates_is_found_from_their_signs() {
        for (values, format, time, offset) in [
            (&["2026-03-02T09:15:00+08:00"][..], "iso", true, true),
            (&["2026-03-02"], "iso", false, false),
            (&["29/2/2016 01:16"], "%d/%m/%Y %H:%M", true, false),
            (&["02/29/2016 01:16"], "%m/%d/%Y %H:%M", true, false),
            (&["27.07.2026 03:20"], "%d.%m.%Y %H:%M", true, false),
            (&["2012/01/30 06:24:00.000"], "%Y/%m/%d %H:%M:%S%.f", true, false),
            (&["30-Jan-2012"], "%d-%b-%Y", false, false),
            (&["Jan 30, 2012, 11:05 PM"], "%b %d, %Y, %I:%M %p", true, false),
            (&["13/01/26 07:00:00 +0530"], "%d/%m/%y %H:%M:%S %z", true, true),
        ] {
            let found = of(values);
            assert_eq!(
                (found.format.as_str(), found.time, found.offset),
                (format, time, offset),
                "{values:?}"
            );
        }
        for values in [
            &["Group 56"][..],
            &["12:30"],
            &["1.234,50"],
            &["INC0000045"],
            &["true"],
            &["10.0.0.1"],
        ] {
            assert_eq!(dates(values), None, "{values:?}");
        }
    }

    #[test]
    fn only_values_that_fit_one_order_speak_for_it() {
        let open = of(&["01/02/2026", "03/04/2026"]).turned.unwrap();
        assert_eq!((open.only_day_first, open.only_month_first), (0, 0));
        let day = of(&["01/02/2026", "13/04/2026", "31/12/2026"]).turned.unwrap();
        assert_eq!((day.only_day_first, day.only_month_first), (2, 0));
        assert_eq!((day.day_first.as_str(), day.month_first.as_str()), ("%d/%m/%Y", "%m/%d/%Y"));
        assert_eq!(of(&["2026/01/02"]).turned, None);
    }

    #[test]
    fn marks_of_missing_values_stand_beside_values() {
        let columns = [vec!["?", "Group 1"], vec!["-", "-"], vec!["NULL", "x"]];
        assert_eq!(missing_marks(columns.into_iter()), ["?", "NULL"].map(str::to_owned).to_vec());
    }

    #[test]
    fn values_are_counted_by_what_they_could_be() {
        let profile = Profile::of(&["8.912,50", "150,07"]);
        assert_eq!((profile.comma_decimals, profile.decimals), (2, 0));
        let profile = Profile::of(&["96.4%", "97 %"]);
        assert_eq!((profile.percents, profile.decimals), (2, 2));
        assert_eq!(Profile::of(&["a@b.ie", "x"]).mails, 1);
        assert_eq!(Profile::of(&["16h", "PT4H", "02:30"]).durations, 3);
        let many: Vec<String> = (0..100).map(|n| format!("{n}{}", "word ".repeat(20))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(Profile::of(&many).is_prose());
    }
}
