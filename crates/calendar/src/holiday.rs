//! Holidays: dates on which a place works otherwise than on its weekday.
//!
//! Owns the kinds and the rule by which rows of one date become that date's windows. It must never
//! invent a date: no substitute days, no computed feasts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::error::CalendarError;
use crate::spec::CalendarSpec;
use crate::window::{Window, format_windows};

/// What kind of day a holiday row makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolidayKind {
    /// A public holiday by law.
    Public,
    /// A day on which banks close.
    Bank,
    /// A proclaimed day off (Philippines: special non-working day).
    SpecialNonWorking,
    /// A proclaimed day that is worked (Philippines: special working day; China: make-up day).
    SpecialWorking,
    /// A day that each employee may take or not (India: restricted holiday).
    Optional,
    /// A day that is marked and worked.
    Observance,
    /// What the site itself says of the date; it always applies and beats every other row.
    Override,
}

impl HolidayKind {
    /// Every kind, in the order of the vocabulary.
    pub const ALL: [HolidayKind; 7] = [
        HolidayKind::Public,
        HolidayKind::Bank,
        HolidayKind::SpecialNonWorking,
        HolidayKind::SpecialWorking,
        HolidayKind::Optional,
        HolidayKind::Observance,
        HolidayKind::Override,
    ];

    /// The word that stands in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HolidayKind::Public => "public",
            HolidayKind::Bank => "bank",
            HolidayKind::SpecialNonWorking => "special-non-working",
            HolidayKind::SpecialWorking => "special-working",
            HolidayKind::Optional => "optional",
            HolidayKind::Observance => "observance",
            HolidayKind::Override => "override",
        }
    }
}

impl fmt::Display for HolidayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HolidayKind {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        HolidayKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let allowed = HolidayKind::ALL.map(|kind| format!("`{kind}`")).join(", ");
            CalendarError::UnknownHolidayKind { text: text.to_owned(), allowed }
        })
    }
}

/// One row of evidence about one civil date at one place.
///
/// Rows of several places may stand together; whoever builds a [`crate::CalendarSpec`] gives only the
/// rows of the calendar's own places.
///
/// Where several rows stand on one date:
/// 1. an [`HolidayKind::Override`] decides alone; two that disagree are an error;
/// 2. else the rows of agreed kinds decide together: what any of them closes is closed, so the
///    windows worked are the time common to all of them;
/// 3. else the `special-working` rows with windows decide together: what any of them opens is open;
/// 4. else the weekday decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// Civil date at the place.
    pub date: Date,
    /// What kind of day it is.
    pub kind: HolidayKind,
    /// `None`: nothing is worked (for `special-working`: the weekday's windows are). `Some`: the
    /// windows worked that day instead of the weekday's.
    pub windows: Option<Vec<Window>>,
    /// Its name.
    pub name: String,
    /// Country, region, city or site it holds for.
    pub place: String,
    /// Proclamation, act or notice it was taken from.
    pub source: String,
}

impl Holiday {
    /// A day off of the given kind, with name, place and source left empty.
    #[must_use]
    pub fn closed(date: Date, kind: HolidayKind) -> Holiday {
        Holiday {
            date,
            kind,
            windows: None,
            name: String::new(),
            place: String::new(),
            source: String::new(),
        }
    }

    fn describe(&self) -> String {
        let worked = format_windows(self.windows.as_deref().unwrap_or_default());
        format!("`{worked}` (`{}`, source `{}`)", self.name, self.source)
    }
}

/// The windows of one date, in minutes from its midnight, `[opens, closes)`, closes up to 2879.
pub(crate) type DayMinutes = Vec<(u16, u16)>;

/// A date on which rows, not the weekday, decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayRule {
    pub(crate) minutes: DayMinutes,
    pub(crate) decided_by: Vec<Holiday>,
}

/// Works out each date that is not decided by its weekday. Rows far outside cover are left alone:
/// nothing is known there, and a quarrel of rows there is nobody's business yet.
pub(crate) fn day_rules(spec: &CalendarSpec) -> Result<BTreeMap<Date, DayRule>, CalendarError> {
    let eve = spec.covered_from.saturating_sub(2.days());
    let mut by_date: BTreeMap<Date, Vec<&Holiday>> = BTreeMap::new();
    for holiday in
        spec.holidays.iter().filter(|row| eve <= row.date && row.date < spec.covered_until)
    {
        by_date.entry(holiday.date).or_default().push(holiday);
    }
    let mut rules = BTreeMap::new();
    for (date, rows) in by_date {
        if let Some(rule) = day_rule(&rows, &spec.agreed_kinds)? {
            rules.insert(date, rule);
        }
    }
    Ok(rules)
}

fn day_rule(rows: &[&Holiday], agreed: &[HolidayKind]) -> Result<Option<DayRule>, CalendarError> {
    let of = |wanted: &dyn Fn(&Holiday) -> bool| -> Vec<Holiday> {
        rows.iter().filter(|row| wanted(row)).map(|row| (*row).clone()).collect()
    };
    let overrides = of(&|row| row.kind == HolidayKind::Override);
    if let Some((first, others)) = overrides.split_first() {
        let minutes = worked_minutes(first);
        if let Some(second) = others.iter().find(|other| worked_minutes(other) != minutes) {
            let (date, first, second) = (first.date, first.describe(), second.describe());
            return Err(CalendarError::OverridesDisagree { date, first, second });
        }
        return Ok(Some(DayRule { minutes, decided_by: overrides }));
    }
    let stopping = of(&|row| agreed.contains(&row.kind));
    if let Some((first, others)) = stopping.split_first() {
        let common = |left: DayMinutes, row: &Holiday| intersect(&left, &worked_minutes(row));
        let minutes = others.iter().fold(worked_minutes(first), common);
        return Ok(Some(DayRule { minutes, decided_by: stopping }));
    }
    let opening = of(&|row| row.kind == HolidayKind::SpecialWorking && row.windows.is_some());
    if opening.is_empty() {
        return Ok(None);
    }
    let minutes = union(opening.iter().flat_map(worked_minutes).collect());
    Ok(Some(DayRule { minutes, decided_by: opening }))
}

/// The row's own windows in canonical form.
fn worked_minutes(row: &Holiday) -> DayMinutes {
    union(window_minutes(row.windows.as_deref().unwrap_or_default()))
}

/// Windows as minutes from the midnight before they open.
pub(crate) fn window_minutes(windows: &[Window]) -> DayMinutes {
    windows.iter().map(|window| (window.opens(), window.closes_counted())).collect()
}

fn union(mut minutes: DayMinutes) -> DayMinutes {
    minutes.sort_unstable();
    let mut joined: DayMinutes = Vec::new();
    for (opens, closes) in minutes {
        match joined.last_mut() {
            Some(last) if opens <= last.1 => last.1 = last.1.max(closes),
            _ => joined.push((opens, closes)),
        }
    }
    joined
}

fn intersect(left: &[(u16, u16)], right: &[(u16, u16)]) -> DayMinutes {
    let mut common = Vec::new();
    for a in left {
        for b in right {
            let (opens, closes) = (a.0.max(b.0), a.1.min(b.1));
            if opens < closes {
                common.push((opens, closes));
            }
        }
    }
    union(common)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::window::parse_windows;

    const AGREED: [HolidayKind; 2] = [HolidayKind::Public, HolidayKind::SpecialNonWorking];

    fn row(kind: HolidayKind, windows: Option<&str>) -> Holiday {
        let windows = windows.map(|text| parse_windows(text).unwrap());
        Holiday { windows, name: format!("{kind} day"), ..Holiday::closed(date(2026, 6, 12), kind) }
    }

    fn decide(rows: &[Holiday]) -> Option<DayMinutes> {
        let rows: Vec<&Holiday> = rows.iter().collect();
        day_rule(&rows, &AGREED).unwrap().map(|rule| rule.minutes)
    }

    #[test]
    fn every_kind_reads_back_from_its_word_and_others_are_refused() {
        for kind in HolidayKind::ALL {
            assert_eq!(kind.as_str().parse::<HolidayKind>().unwrap(), kind);
        }
        let error = "half-day".parse::<HolidayKind>().unwrap_err().to_string();
        assert!(error.contains("`half-day`") && error.contains("`special-working`"), "{error}");
    }

    #[test]
    fn only_agreed_kinds_and_overrides_stop_the_clock() {
        use HolidayKind::{
            Bank, Observance, Optional, Override, Public, SpecialNonWorking, SpecialWorking,
        };
        for kind in [Public, SpecialNonWorking, Override] {
            assert_eq!(decide(&[row(kind, None)]), Some(vec![]), "{kind}");
            assert_eq!(decide(&[row(kind, Some("09:00-12:00"))]), Some(vec![(540, 720)]), "{kind}");
        }
        for kind in [Bank, Optional, Observance, SpecialWorking] {
            assert_eq!(decide(&[row(kind, None)]), None, "{kind}");
        }
        for kind in [Bank, Optional, Observance] {
            assert_eq!(decide(&[row(kind, Some("09:00-12:00"))]), None, "{kind}");
        }
    }

    #[test]
    fn an_override_beats_every_other_row_of_its_date() {
        let rows = [
            row(HolidayKind::Public, None),
            row(HolidayKind::Override, Some("10:00-14:00")),
            row(HolidayKind::SpecialWorking, Some("00:00-24:00")),
        ];
        assert_eq!(decide(&rows), Some(vec![(600, 840)]));
    }

    #[test]
    fn two_overrides_that_disagree_are_refused_and_two_that_agree_are_not() {
        let (open, closed) =
            (row(HolidayKind::Override, Some("10:00-14:00")), row(HolidayKind::Override, None));
        let error = day_rule(&[&open, &closed], &AGREED).unwrap_err().to_string();
        for part in ["`2026-06-12`", "`10:00-14:00`", "`closed`"] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(decide(&[closed.clone(), closed]), Some(vec![]));
        let halves = row(HolidayKind::Override, Some("10:00-12:00 12:00-14:00"));
        assert_eq!(
            decide(&[open, halves]),
            Some(vec![(600, 840)]),
            "the same time written otherwise"
        );
    }

    #[test]
    fn what_any_agreed_row_closes_is_closed() {
        let morning = row(HolidayKind::Public, Some("08:00-12:00"));
        let middle = row(HolidayKind::SpecialNonWorking, Some("10:00-14:00"));
        assert_eq!(decide(&[morning.clone(), middle]), Some(vec![(600, 720)]));
        assert_eq!(decide(&[morning.clone(), row(HolidayKind::Public, None)]), Some(vec![]));
        let working = row(HolidayKind::SpecialWorking, Some("00:00-24:00"));
        assert_eq!(decide(&[morning, working]), Some(vec![(480, 720)]));
    }

    #[test]
    fn what_any_special_working_row_opens_is_open() {
        let rows = [
            row(HolidayKind::SpecialWorking, Some("12:00-16:00")),
            row(HolidayKind::SpecialWorking, Some("08:00-12:00")),
            row(HolidayKind::SpecialWorking, None),
        ];
        assert_eq!(decide(&rows), Some(vec![(480, 960)]));
    }
}
