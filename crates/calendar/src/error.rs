//! Why a calendar cannot be built, and why a built one has no answer.
//!
//! Owns the two error types of the calendar itself; it must never decide anything.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::window::Window;
use crate::zone::UnknownZoneError;

/// Why a text is not a calendar, or a [`crate::CalendarSpec`] cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CalendarError {
    /// A piece of a window list does not have the form of a window.
    #[error(
        "`{text}` is not a window: {reason}; write windows as `09:00-13:00 14:00-18:00`, or `closed`"
    )]
    WindowSyntax {
        /// The piece as written.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two windows of one day share time.
    #[error(
        "windows `{first}` and `{second}` of {day} overlap; join them into one or move an edge"
    )]
    WindowsOverlap {
        /// Which day: `one day`, `monday`, or `the holiday row of 2026-06-12`.
        day: String,
        /// The window that opens first.
        first: Window,
        /// The window that opens before the first has closed.
        second: Window,
    },
    /// The zone is not in the tz database.
    #[error(transparent)]
    UnknownZone(#[from] UnknownZoneError),
    /// No weekday and no holiday row has a window: nothing was configured.
    #[error(
        "the calendar has no working window on any day; give it the site's windows, \
         or `00:00-24:00` on each day if it works round the clock"
    )]
    NoWindows,
    /// The cover is empty or reversed.
    #[error(
        "the calendar covers nothing: covered from `{from}` until `{until}` (exclusive)\
         , less a shift of the day before; set a later `covered_until`"
    )]
    CoverEmpty {
        /// First civil day known.
        from: Date,
        /// First civil day no longer known.
        until: Date,
    },
    /// The cover is longer than anyone knows holidays for.
    #[error(
        "the calendar covers {days} days, more than {limit}; holidays are not known that far, set `covered_until` nearer"
    )]
    CoverTooLong {
        /// Days asked for.
        days: i64,
        /// Most days allowed.
        limit: i64,
    },
    /// A date is too near the limits of the calendar era.
    #[error(
        "the date `{date}` is out of range for instants; use dates between years -9998 and 9998"
    )]
    DateRange {
        /// The date.
        date: Date,
    },
    /// Two overrides of one date say different things.
    #[error(
        "two overrides of `{date}` disagree: {first} and {second}; \
         retract one, or make both say the same windows"
    )]
    OverridesDisagree {
        /// The date both stand on.
        date: Date,
        /// Windows, name and source of the one.
        first: String,
        /// Windows, name and source of the other.
        second: String,
    },
    /// A kind of holiday that is not in the vocabulary.
    #[error("unknown kind of holiday `{text}`; use one of {allowed}")]
    UnknownHolidayKind {
        /// The text as written.
        text: String,
        /// The kinds there are.
        allowed: String,
    },
    /// A night-shift rule that is not in the vocabulary.
    #[error("unknown night-shift rule `{text}`; use `start-day` or `split`")]
    UnknownNightShift {
        /// The text as written.
        text: String,
    },
}

/// Why a working-time question has no answer. Whoever asked shows a gap, never a number.
///
/// All fields are microseconds since the Unix epoch UTC, or microseconds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoverGap {
    /// A part of the interval lies outside what the calendar covers.
    #[error(
        "`{}` to `{}` is not wholly inside the calendar's cover `{}` to `{}`; extend the calendar and its holidays",
        Instant(*start_us), Instant(*end_us), Instant(*covered_from_us), Instant(*covered_until_us)
    )]
    OutsideCover {
        /// Start of the interval, or the instant asked about.
        start_us: i64,
        /// End of the interval, or the instant asked about.
        end_us: i64,
        /// First instant covered.
        covered_from_us: i64,
        /// First instant no longer covered.
        covered_until_us: i64,
    },
    /// The cover ends before the work is done (or, going back, begins after it).
    #[error(
        "{} minutes of work counted from `{}` do not fit into the calendar's cover `{}` to `{}`; extend the calendar and its holidays",
        work_us / 60_000_000, Instant(*from_us), Instant(*covered_from_us), Instant(*covered_until_us)
    )]
    RunsOut {
        /// Where counting began.
        from_us: i64,
        /// Work to be done.
        work_us: i64,
        /// First instant covered.
        covered_from_us: i64,
        /// First instant no longer covered.
        covered_until_us: i64,
    },
    /// The calendar has no open time between the instant and the end of its cover.
    #[error(
        "the calendar is not open again between `{}` and the end of its cover `{}`; extend the calendar and its holidays",
        Instant(*from_us), Instant(*covered_until_us)
    )]
    NotOpenAgain {
        /// The instant asked about.
        from_us: i64,
        /// First instant no longer covered.
        covered_until_us: i64,
    },
    /// The interval ends before it starts: two clocks disagree, or a column is swapped.
    #[error("the interval ends at `{}`, before its start `{}`; check the clocks and columns it came from", Instant(*end_us), Instant(*start_us))]
    Reversed {
        /// Start as given.
        start_us: i64,
        /// End as given.
        end_us: i64,
    },
    /// A negative amount of work was to be added or subtracted.
    #[error(
        "{work_us} microseconds is not an amount of work; use the opposite operation for a negative one"
    )]
    NegativeWork {
        /// The amount as given.
        work_us: i64,
    },
    /// An overlap of no calendars was asked for. No calendar is a gap, not round the clock.
    #[error("no calendar was given; name the calendars that must be open together")]
    NoCalendar,
}

/// Shows microseconds since the epoch as an RFC 3339 instant in UTC.
struct Instant(i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(instant) => write!(f, "{instant}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}
