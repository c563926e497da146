//! What a calendar is made from: the terms, before any instant.
//!
//! Owns the terms and their defaults; it must never decide an hour.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use crate::error::CalendarError;
use crate::holiday::{Holiday, HolidayKind};
use crate::window::Window;

/// Which day decides over a window that crosses midnight when one of its two days is a holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NightShift {
    /// The whole shift belongs to the date it starts on: worked on the eve of a holiday into the
    /// holiday, not begun on the holiday itself. Text `start-day`.
    #[default]
    StartDay,
    /// Each part stands on its own civil date, and a holiday of that date decides over that part
    /// only. Text `split`. The week is split first; a window of a holiday row that crosses midnight
    /// gives its tail to the next date unless a deciding row stands there too.
    Split,
}

impl NightShift {
    /// The word that stands in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NightShift::StartDay => "start-day",
            NightShift::Split => "split",
        }
    }
}

impl fmt::Display for NightShift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for NightShift {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        [NightShift::StartDay, NightShift::Split]
            .into_iter()
            .find(|rule| rule.as_str() == text)
            .ok_or_else(|| CalendarError::UnknownNightShift { text: text.to_owned() })
    }
}

/// The terms of one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSpec {
    /// IANA name of the zone in which the windows are civil time.
    pub zone: String,
    /// Windows of each weekday, Monday first.
    pub week: [Vec<Window>; 7],
    /// Rows of the calendar's own places, in any order.
    pub holidays: Vec<Holiday>,
    /// Kinds that stop the clock. [`HolidayKind::Override`] always applies, named here or not.
    pub agreed_kinds: Vec<HolidayKind>,
    /// Which day a window across midnight belongs to.
    pub night_shift: NightShift,
    /// First civil day that the calendar and its holidays are known for.
    pub covered_from: Date,
    /// First civil day that they are no longer known for.
    pub covered_until: Date,
}

impl CalendarSpec {
    /// Kinds that stop the clock when a calendar names none.
    pub const DEFAULT_AGREED_KINDS: [HolidayKind; 2] =
        [HolidayKind::Public, HolidayKind::SpecialNonWorking];

    /// Terms with an empty week, no holidays, and the defaults for all else.
    #[must_use]
    pub fn new(zone: &str, covered_from: Date, covered_until: Date) -> CalendarSpec {
        CalendarSpec {
            zone: zone.to_owned(),
            week: Default::default(),
            holidays: Vec::new(),
            agreed_kinds: CalendarSpec::DEFAULT_AGREED_KINDS.to_vec(),
            night_shift: NightShift::default(),
            covered_from,
            covered_until,
        }
    }
}
