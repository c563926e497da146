//! Working calendars of the registers, ready for questions: the versions of a calendar row and the
//! holidays of its places compiled into one instrument that answers or names what is missing.
//!
//! Owns when a calendar has no answer; it must never take a missing holiday list for a year without
//! holidays, nor the end of a calendar's cover for working time.

use std::{collections::BTreeSet, fmt, sync::Arc};

use backstay_calendar::{
    Calendar, CalendarError, CalendarSpec, CoverGap, Holiday, Zone, parse_windows,
};
use jiff::civil::{Date, date};

/// Why the clock has no answer. Texts are stable and hold no case, so that equal gaps count together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// No calendar row of that id.
    CalendarUnknown(Arc<str>),
    /// Rows there are, but none holds on the days asked about.
    CalendarNotInForce(Arc<str>),
    /// The row contradicts itself.
    CalendarBroken(Arc<str>, String),
    /// Days outside what the calendar is known for: id, first day known, first day unknown.
    OutsideCover(Arc<str>, Date, Date),
    /// No holiday row of a place in a year that the time touches.
    HolidaysMissing(Arc<str>, Arc<str>, i16),
    /// Events name a team without a row.
    TeamUnknown(Arc<str>),
    /// An event, a team or the arrangement names a site without a row.
    SiteUnknown(Arc<str>),
    /// The site works by no calendar.
    SiteWithoutCalendar(Arc<str>),
    /// Neither event nor team nor arrangement names a site.
    NoSite,
    /// A service level without stop states never ends a case.
    NoStopStates,
    /// A service level that judges cases has no threshold.
    NoThreshold,
    /// The service level picks priorities, and the case has none.
    NoPriority,
    /// The service level picks case types, and the case has none.
    NoCaseType,
    /// The clock starts at the assignment, and the case was done without one that is known.
    NeverAssigned,
    /// The source says that the case was opened after its own events.
    OpenedAfterEvents,
    /// The service level allows exclusions, and nothing is known of them.
    ExclusionsUnknown,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CalendarUnknown(id) => write!(f, "no calendar `{id}`"),
            Self::CalendarNotInForce(id) => {
                write!(f, "no version of calendar `{id}` in force on these days")
            }
            Self::CalendarBroken(id, message) => write!(f, "calendar `{id}`: {message}"),
            Self::OutsideCover(id, from, until) => {
                write!(f, "calendar `{id}` is known from {from} until {until} only")
            }
            Self::HolidaysMissing(id, place, year) => {
                write!(f, "no holidays of `{place}` in {year}, which calendar `{id}` needs")
            }
            Self::TeamUnknown(id) => write!(f, "no team `{id}`"),
            Self::SiteUnknown(id) => write!(f, "no site `{id}`"),
            Self::SiteWithoutCalendar(id) => write!(f, "site `{id}` has no calendar"),
            Self::NoSite => {
                f.write_str("no site is responsible: neither event, team nor arrangement names one")
            }
            Self::NoStopStates => f.write_str("the service level names no stop states"),
            Self::NoThreshold => f.write_str("the service level has no threshold"),
            Self::NoPriority => f.write_str("the case has no priority"),
            Self::NoCaseType => f.write_str("the case has no type"),
            Self::OpenedAfterEvents => {
                f.write_str("the source says that the case was opened after its own events")
            }
            Self::NeverAssigned => f.write_str(
                "the clock starts at the assignment, and no event of the case names a team or person",
            ),
            Self::ExclusionsUnknown => f.write_str(
                "the service level allows exclusions, but no decision and no complete list is held",
            ),
        }
    }
}

/// One version of a calendar row, as registers hold it.
#[derive(Debug, Clone, Default)]
pub struct CalendarRow {
    /// Id.
    pub id: String,
    /// IANA zone of the windows.
    pub zone: String,
    /// Windows as written, Monday first.
    pub week: [String; 7],
    /// Places whose holidays count.
    pub places: Vec<String>,
    /// Kinds that stop the clock; empty for the default.
    pub kinds: Vec<String>,
    /// `start-day`, `split` or none.
    pub night_shift: Option<String>,
    /// First day known.
    pub covered_from: Option<Date>,
    /// First day no longer known.
    pub covered_until: Option<Date>,
    /// First day on which the version holds.
    pub valid_from: Option<Date>,
    /// First day on which it no longer holds.
    pub valid_to: Option<Date>,
    /// Its record.
    pub row_ref: i64,
}

/// One holiday row.
#[derive(Debug, Clone)]
pub struct HolidayRow {
    /// Place.
    pub place: String,
    /// Date there.
    pub on: Date,
    /// Name.
    pub name: String,
    /// Kind as written.
    pub kind: String,
    /// Windows as written; none when closed.
    pub windows: Option<String>,
    /// Source.
    pub source: String,
    /// Its record.
    pub row_ref: i64,
}

/// A civil day of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkDay {
    /// Whether the weekday is worked.
    pub usual: bool,
    /// Whether work starts on this day.
    pub works: bool,
    /// Names of the holiday rows that decide it, when any do.
    pub holiday: Option<String>,
    /// Records of the calendar's version and of the rows of the day.
    pub refs: Vec<i64>,
}

/// A working calendar over all its versions.
#[derive(Debug, Clone)]
pub struct WorkCalendar {
    /// Id.
    pub id: Arc<str>,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    id: Arc<str>,
    from_us: i64,
    until_us: i64,
    row_ref: i64,
    holiday_refs: Vec<(Date, i64)>,
    cover: (Date, Date),
    /// Weekdays on which a window starts, Monday first.
    week: [bool; 7],
    calendar: Result<Calendar, Gap>,
    /// Years of a place without any holiday row, as instants.
    missing: Vec<(i64, i64, Gap)>,
}

impl WorkCalendar {
    /// Compiles the versions of one id with the holidays of their places. Contradictions become gaps
    /// of the days concerned, for the rest of the evidence is not worse for them.
    ///
    /// A later version takes over at midnight (in its zone) of its first day; the tail of a night
    /// shift then follows the later version.
    #[must_use]
    pub fn compile(id: &str, rows: &[CalendarRow], holidays: &[HolidayRow]) -> Self {
        let id: Arc<str> = id.into();
        let mut rows: Vec<&CalendarRow> = rows.iter().collect();
        rows.sort_by_key(|row| (row.valid_from, row.row_ref));
        let mut pieces: Vec<Piece> =
            rows.iter().map(|row| Piece::new(&id, row, holidays)).collect();
        let starts: Vec<i64> = pieces.iter().skip(1).map(|piece| piece.from_us).collect();
        for (piece, next) in pieces.iter_mut().zip(starts) {
            piece.until_us = piece.until_us.min(next);
        }
        Self { id, pieces }
    }

    /// Working time in `[start_us, end_us)`.
    ///
    /// # Errors
    /// The gap that keeps any part of it from being known.
    pub fn working_us(&self, start_us: i64, end_us: i64) -> Result<i64, Gap> {
        if start_us >= end_us {
            return Ok(0);
        }
        let (mut at, mut total) = (start_us, 0);
        while at < end_us {
            let piece = self.piece_at(at)?;
            let until = end_us.min(piece.until_us);
            total += piece.working_us(at, until)?;
            at = until;
        }
        Ok(total)
    }

    /// The earliest instant by which `work_us` has been worked from `start_us` on.
    ///
    /// # Errors
    /// The gap between the start and that instant.
    pub fn add_working_us(&self, start_us: i64, work_us: i64) -> Result<i64, Gap> {
        let (mut at, mut left) = (start_us, work_us);
        loop {
            let piece = self.piece_at(at)?;
            if let Some(done) = piece.add(at, left)? {
                return Ok(done);
            }
            left -= piece.working_us(at, piece.until_us)?;
            at = piece.until_us;
        }
    }

    /// The compiled calendar itself, when one version that holds always, with the holidays of all its
    /// years, is all there is: then its answers are this one's.
    #[must_use]
    pub fn plain(&self) -> Option<&Calendar> {
        let [only] = self.pieces.as_slice() else { return None };
        let always = only.from_us == i64::MIN && only.until_us == i64::MAX;
        only.calendar.as_ref().ok().filter(|_| always && only.missing.is_empty())
    }

    /// First instant that is not known any more, when everything from `from_us` up to it is known.
    #[must_use]
    pub fn known_until_us(&self, from_us: i64) -> i64 {
        let mut at = from_us;
        while let Ok(piece) = self.piece_at(at) {
            let Ok(calendar) = &piece.calendar else { break };
            let missing = piece
                .missing
                .iter()
                .filter(|(_, until, _)| *until > at)
                .map(|(from, _, _)| (*from).max(at));
            let stop =
                missing.min().unwrap_or(i64::MAX).min(calendar.cover().1).min(piece.until_us);
            if stop <= at {
                break;
            }
            at = stop;
            if stop < piece.until_us || stop == i64::MAX {
                break;
            }
        }
        at
    }

    /// The open spans inside an interval.
    ///
    /// # Errors
    /// The gap that keeps any part of it from being known.
    pub fn spans(&self, start_us: i64, end_us: i64) -> Result<Vec<(i64, i64)>, Gap> {
        let (mut at, mut all) = (start_us, Vec::new());
        while at < end_us {
            let piece = self.piece_at(at)?;
            let until = end_us.min(piece.until_us);
            piece.check_holidays(at, until)?;
            let calendar = piece.calendar.as_ref().map_err(Gap::clone)?;
            let spans = calendar.spans(at, until).map_err(|_| piece.outside())?;
            all.extend(spans);
            at = until;
        }
        Ok(backstay_calendar::union_spans(&all))
    }

    /// Records of the calendar version and of the holidays that decide days of an interval.
    #[must_use]
    pub fn refs(&self, start_us: i64, end_us: i64) -> Vec<i64> {
        let mut refs = BTreeSet::new();
        for piece in
            self.pieces.iter().filter(|piece| piece.from_us < end_us && start_us < piece.until_us)
        {
            refs.insert(piece.row_ref);
            let Ok(calendar) = &piece.calendar else { continue };
            let days = calendar.zone().date(start_us).zip(calendar.zone().date(end_us));
            let within =
                |day: &Date| days.is_some_and(|(first, last)| first <= *day && *day <= last);
            refs.extend(
                piece.holiday_refs.iter().filter(|(day, _)| within(day)).map(|(_, row)| *row),
            );
        }
        refs.into_iter().collect()
    }

    /// What a civil day of the calendar's own zone is: worked or not, and by which holiday rows.
    ///
    /// # Errors
    /// The gap that keeps it from being known.
    pub fn day(&self, day: Date) -> Result<WorkDay, Gap> {
        // Noon in the middle of the UTC day lies in the version in force, near enough.
        let noon = day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        let noon_us = noon.map_or(i64::MAX, |noon| noon.timestamp().as_microsecond());
        let piece = self.piece_at(noon_us)?;
        let calendar = piece.calendar.as_ref().map_err(Gap::clone)?;
        let start = |day: Date| calendar.zone().day_start_us(day).map_err(|_| piece.outside());
        let (from, until) = (start(day)?, start(day.tomorrow().unwrap_or(day))?);
        piece.working_us(from, until)?;
        let place = usize::from(day.weekday().to_monday_zero_offset().unsigned_abs());
        let usual = piece.week.get(place).copied().unwrap_or(false);
        let rows = || calendar.deciding_holidays().iter().filter(|row| row.date == day);
        let closes = |row: &Holiday| row.windows.as_ref().is_none_or(Vec::is_empty);
        let names: Vec<&str> = rows().map(|row| row.name.as_str()).collect();
        let refs = piece.holiday_refs.iter().filter(|(on, _)| *on == day).map(|(_, row)| *row);
        Ok(WorkDay {
            usual,
            works: if names.is_empty() { usual } else { !rows().any(closes) },
            holiday: (!names.is_empty()).then(|| names.join(", ")),
            refs: std::iter::once(piece.row_ref).chain(refs).collect(),
        })
    }

    /// The zone of the version in force at an instant.
    #[must_use]
    pub fn zone_at(&self, at_us: i64) -> Option<&Zone> {
        self.piece_at(at_us).ok()?.calendar.as_ref().ok().map(Calendar::zone)
    }

    fn piece_at(&self, at_us: i64) -> Result<&Piece, Gap> {
        let in_force = self.pieces.iter().rev().find(|piece| piece.from_us <= at_us);
        in_force
            .filter(|piece| at_us < piece.until_us)
            .ok_or_else(|| Gap::CalendarNotInForce(self.id.clone()))
    }
}

impl Piece {
    fn new(id: &Arc<str>, row: &CalendarRow, holidays: &[HolidayRow]) -> Self {
        let cover =
            (row.covered_from.unwrap_or(Date::ZERO), row.covered_until.unwrap_or(Date::ZERO));
        let mut piece = Self {
            id: id.clone(),
            from_us: i64::MIN,
            until_us: i64::MAX,
            row_ref: row.row_ref,
            holiday_refs: Vec::new(),
            cover,
            week: [false; 7],
            calendar: Err(Gap::CalendarUnknown(id.clone())),
            missing: Vec::new(),
        };
        let broken = |message: String| Gap::CalendarBroken(id.clone(), message);
        let zone = match Zone::find(&row.zone) {
            Ok(zone) => zone,
            Err(error) => {
                piece.calendar = Err(broken(error.to_string()));
                return piece;
            }
        };
        let midnight = |day: Date| zone.day_start_us(day).ok();
        piece.from_us = row.valid_from.and_then(midnight).unwrap_or(i64::MIN);
        piece.until_us = row.valid_to.and_then(midnight).unwrap_or(i64::MAX);
        let own: Vec<&HolidayRow> =
            holidays.iter().filter(|holiday| row.places.contains(&holiday.place)).collect();
        piece.holiday_refs = own.iter().map(|holiday| (holiday.on, holiday.row_ref)).collect();
        let compiled = spec(row, &own).and_then(|spec| {
            piece.week = spec.week.each_ref().map(|windows| !windows.is_empty());
            Calendar::compile(&spec)
        });
        piece.calendar = compiled.map_err(|error| broken(error.to_string()));
        for place in &row.places {
            for year in cover.0.year()..=cover.1.yesterday().map_or(cover.1, |day| day).year() {
                if own.iter().any(|holiday| &holiday.place == place && holiday.on.year() == year) {
                    continue;
                }
                let (first, after) =
                    (date(year, 1, 1), date(year.saturating_add(1).min(9999), 1, 1));
                if let (Some(from), Some(until)) = (midnight(first), midnight(after)) {
                    piece.missing.push((
                        from,
                        until,
                        Gap::HolidaysMissing(id.clone(), place.as_str().into(), year),
                    ));
                }
            }
        }
        piece
    }

    fn working_us(&self, start_us: i64, end_us: i64) -> Result<i64, Gap> {
        let calendar = self.calendar.as_ref().map_err(Gap::clone)?;
        let working = calendar.working_us(start_us, end_us).map_err(|_| self.outside())?;
        self.check_holidays(start_us, end_us)?;
        Ok(working)
    }

    /// The instant at which the work is done, or none when this version ends before.
    fn add(&self, start_us: i64, work_us: i64) -> Result<Option<i64>, Gap> {
        let calendar = self.calendar.as_ref().map_err(Gap::clone)?;
        match calendar.add_working_us(start_us, work_us) {
            Ok(done) if done <= self.until_us => {
                self.check_holidays(start_us, done)?;
                Ok(Some(done))
            }
            Ok(_) => Ok(None),
            Err(CoverGap::RunsOut { covered_until_us, .. })
                if covered_until_us >= self.until_us =>
            {
                Ok(None)
            }
            Err(_) => Err(self.outside()),
        }
    }

    fn check_holidays(&self, start_us: i64, end_us: i64) -> Result<(), Gap> {
        let touched = |(from, until, _): &&(i64, i64, Gap)| *from < end_us && start_us < *until;
        self.missing.iter().find(touched).map_or(Ok(()), |(_, _, gap)| Err(gap.clone()))
    }

    fn outside(&self) -> Gap {
        Gap::OutsideCover(self.id.clone(), self.cover.0, self.cover.1)
    }
}

/// The terms of one version, as the calendar crate takes them.
fn spec(row: &CalendarRow, holidays: &[&HolidayRow]) -> Result<CalendarSpec, CalendarError> {
    let cover = (row.covered_from.unwrap_or(Date::ZERO), row.covered_until.unwrap_or(Date::ZERO));
    let mut spec = CalendarSpec::new(&row.zone, cover.0, cover.1);
    for (day, text) in spec.week.iter_mut().zip(&row.week) {
        *day = parse_windows(text)?;
    }
    if !row.kinds.is_empty() {
        spec.agreed_kinds = row.kinds.iter().map(|kind| kind.parse()).collect::<Result<_, _>>()?;
    }
    if let Some(rule) = &row.night_shift {
        spec.night_shift = rule.parse()?;
    }
    for holiday in holidays {
        spec.holidays.push(Holiday {
            date: holiday.on,
            kind: holiday.kind.parse()?,
            windows: holiday.windows.as_deref().map(parse_windows).transpose()?,
            name: holiday.name.clone(),
            place: holiday.place.clone(),
            source: holiday.source.clone(),
        });
    }
    Ok(spec)
}
