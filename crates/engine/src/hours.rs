//! Hours of sites and calendars, for the doors: working time of sites, two calendars side by side. What
//! the second would do to service levels: [`crate::restate`]; the overlap of teams: [`crate::panel`].
//!
//! Owns the reading of these answers out of a session. It keeps nothing and judges nothing.

use std::collections::BTreeMap;

pub use backstay_calendar::{
    Calendar, CalendarSpec, DayDifference, Slot, Span, Zone, meeting_series, meeting_slots,
    parse_windows,
};
use backstay_calendar::{compare_by_day, total_us};

use crate::{
    derive::{
        register::{read_calendars, read_named},
        worktime::WorkCalendar,
    },
    error::EngineError,
    period::Period,
    session::{Session, derived::AllTables},
};

/// Working time of a site in an interval, in its zone; or why it is not known.
pub type SiteHours = Result<(Zone, Vec<Span>), String>;

/// Working time of sites in `[from, until)` by their calendars, in the order named.
///
/// # Errors
/// Unreadable rows.
pub fn site_hours(
    session: &Session,
    sites: &[&str],
    span: Span,
) -> Result<Vec<SiteHours>, EngineError> {
    let tables = AllTables(session);
    let input = session.derive_input(&tables)?;
    let zone = utc()?;
    let calendars = read_calendars(&input)?;
    let zones = read_named(&input, &zone, "site", "site_id", "time_zone")?;
    let calendar_of = read_named(&input, &zone, "site", "site_id", "calendar_id")?;
    let hours = |site: &str| -> SiteHours {
        let at = |named: &BTreeMap<String, crate::derive::terms::Versions<_>>| {
            named.get(site).and_then(|versions| versions.at(span.0).cloned()).flatten()
        };
        let own = at(&zones).ok_or_else(|| format!("no site `{site}`"))?;
        let own: std::sync::Arc<str> = own;
        let zone = Zone::find(&own).map_err(|error| error.to_string())?;
        let id = at(&calendar_of).ok_or_else(|| format!("site `{site}` has no calendar"))?;
        let calendar = calendars.get(&*id).ok_or_else(|| format!("no calendar `{id}`"))?;
        Ok((zone, calendar.spans(span.0, span.1).map_err(|gap| gap.to_string())?))
    };
    Ok(sites.iter().map(|site| hours(site)).collect())
}

fn utc() -> Result<Zone, EngineError> {
    Zone::find("UTC").map_err(|error| EngineError::Time(error.to_string()))
}

/// Two calendars over a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDifference {
    /// Zone whose civil days are counted: the first calendar's.
    pub zone: String,
    /// Open time of the first, microseconds.
    pub first_us: i64,
    /// Open time of the second, microseconds.
    pub second_us: i64,
    /// Days that differ, in order.
    pub days: Vec<DayDifference>,
}

/// Two calendars side by side, day by day; or why that cannot be known.
///
/// # Errors
/// Unreadable rows.
pub fn calendar_difference(
    session: &Session,
    first: &str,
    second: &str,
    period: Period,
) -> Result<Result<CalendarDifference, String>, EngineError> {
    let tables = AllTables(session);
    let calendars = read_calendars(&session.derive_input(&tables)?)?;
    Ok(difference(&calendars, first, second, period))
}

fn difference(
    calendars: &BTreeMap<String, WorkCalendar>,
    first: &str,
    second: &str,
    period: Period,
) -> Result<CalendarDifference, String> {
    let of = |id: &str| calendars.get(id).ok_or_else(|| format!("no calendar `{id}`"));
    let (own, other) = (of(first)?, of(second)?);
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let noon = period.first.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
    let noon_us = noon.map_err(|error| text(&error))?.timestamp().as_microsecond();
    let zone = own
        .zone_at(noon_us)
        .ok_or_else(|| format!("no version of calendar `{first}` in force on {}", period.first))?;
    let start = |day| zone.day_start_us(day).map_err(|error| text(&error));
    let span = (start(period.first)?, start(period.after)?);
    let open = |calendar: &WorkCalendar| calendar.spans(span.0, span.1).map_err(|gap| text(&gap));
    let (own, other) = (open(own)?, open(other)?);
    let days = compare_by_day(zone, &own, &other, (period.first, period.after));
    Ok(CalendarDifference {
        zone: zone.name().to_owned(),
        first_us: total_us(&own),
        second_us: total_us(&other),
        days: days.map_err(|error| text(&error))?,
    })
}
