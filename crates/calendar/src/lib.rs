//! Working time: zones, shifts, holidays, working-time arithmetic, overlap and coverage.
//!
//! Owns the answer to "how much working time lies between two instants, by this calendar", and its
//! inverses. Pure: it reads no clock, no file and no setting of the machine; the tz database is
//! compiled in. It must never answer for a time that its calendar does not cover.
//!
//! Instants are `i64` microseconds since the Unix epoch in UTC (`_us`), durations are `i64`
//! microseconds, intervals are half-open.
//!
//! # Rules
//! - **Windows are civil time of the site.** A window edge is *the first instant at which the wall
//!   clock of the zone shows the edge or later*. So an edge in a skipped hour falls on the switch, an
//!   edge in a repeated hour on its first pass, a window across the repeated hour holds both hours,
//!   and windows that touch on paper touch in time: no edge order can open a hole or count twice.
//! - **Cover.** A calendar knows `covered_from..covered_until` and says [`CoverGap`] beyond it. When a
//!   shift of the day before `covered_from` would run into the first day, cover begins at its end,
//!   because nobody knows whether that day before was a holiday.
//! - **Holidays.** An `override` always applies; a kind that the calendar agreed to stops the clock; a
//!   `special-working` row with windows sets the windows of its date, without windows it changes
//!   nothing; every other kind is an observance. Where several rows stand on one date see
//!   [`Holiday`].
//! - **Night shifts** belong whole to the date they start on, or are split at midnight
//!   ([`NightShift`]).
//! - **Adding** gives the *earliest* instant by which the work is done: a deadline is Friday's close,
//!   not Monday's opening. **Subtracting** gives the *latest* instant that still leaves the work.
//!
//! ```
//! use backstay_calendar::{Calendar, CalendarSpec, Fold, parse_windows, resolve_local};
//! use jiff::civil::date;
//!
//! let office = parse_windows("09:00-13:00 14:00-18:00")?;
//! let mut spec = CalendarSpec::new("Europe/Warsaw", date(2026, 1, 1), date(2027, 1, 1));
//! for day in spec.week.iter_mut().take(5) {
//!     day.clone_from(&office);
//! }
//! let calendar = Calendar::compile(&spec)?;
//! let friday = resolve_local("Europe/Warsaw", date(2026, 3, 27).at(17, 0, 0, 0), Fold::Refuse)?;
//! let monday = resolve_local("Europe/Warsaw", date(2026, 3, 30).at(10, 0, 0, 0), Fold::Refuse)?;
//! assert_eq!(calendar.working_us(friday, monday)?, 2 * 3_600_000_000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod calendar;
mod compare;
mod compile;
mod error;
mod holiday;
mod index;
mod meet;
mod spans;
mod spec;
mod window;
mod zone;

pub use batch::{RowGap, SweepError};
pub use calendar::{Calendar, OpenSpans};
pub use compare::{DayDifference, compare_by_day, total_us};
pub use error::{CalendarError, CoverGap};
pub use holiday::{Holiday, HolidayKind};
pub use meet::{Slot, meeting_series, meeting_slots};
pub use spans::{Span, intersect_spans, overlap, uncovered_spans, union_spans};
pub use spec::{CalendarSpec, NightShift};
pub use window::{Window, WindowHint, format_windows, parse_windows};
pub use zone::{Fold, LocalTimeError, UnknownZoneError, Zone, resolve_local, tzdb_version};
