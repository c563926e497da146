//! One civil day of an arrangement as its teams work it: when each site is open, who is rostered, what
//! holiday closes one. For pictures of a day; the derived tables judge.
//!
//! Owns the reading of one day. It must never call a day sufficient.

use backstay_calendar::{Span, Zone, union_spans};
use jiff::civil::Date;

use super::{
    DeriveInput,
    side::{HoursFrom, Sides},
};
use crate::error::EngineError;

/// A team on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamDay {
    /// Team.
    pub team: String,
    /// Its site.
    pub site: Option<String>,
    /// Its civil zone.
    pub zone: Option<String>,
    /// Working hours of its site inside the day, microseconds UTC.
    pub open: Vec<Span>,
    /// Shifts inside the day, where a feed calls the roster complete.
    pub rostered: Option<Vec<Span>>,
    /// Holiday that falls on the day at the site.
    pub holiday: Option<String>,
    /// Minutes by which the day at the site is longer than 24 hours: clocks are changed.
    pub change_minutes: i64,
    /// Why its hours are not known.
    pub gap: Option<String>,
}

/// The teams on a civil day of the arrangement's zone, and the day's bounds.
///
/// # Errors
/// Unreadable rows, or a day beyond what a calendar can say.
pub(crate) fn team_days(
    input: &DeriveInput<'_>,
    day: Date,
) -> Result<(Span, Vec<TeamDay>), EngineError> {
    let sides = Sides::read(input)?;
    let start = |zone: &Zone, day: Date| {
        zone.day_start_us(day).map_err(|error| EngineError::Time(error.to_string()))
    };
    let next = day.tomorrow().map_err(|error| EngineError::Time(error.to_string()))?;
    let span = (start(&sides.zone, day)?, start(&sides.zone, next)?);
    let teams: Vec<String> = sides.teams().map(str::to_owned).collect();
    let of_team = |team: String| {
        let site = sides.site(&team, span.0);
        let zone = sides.zone_of(&team, span.0);
        let hours = sides.at_work(&team, span, HoursFrom::Calendar);
        // The day as the site has it, which may begin hours before or after the arrangement's.
        let own = zone.as_ref().ok().and_then(|zone| {
            let (from, until) = (zone.day_start_us(day).ok()?, zone.day_start_us(next).ok()?);
            Some((until - from) / 60_000_000 - 1_440)
        });
        let holiday = sides.calendar_of(&team, span.0).ok().and_then(|calendar| {
            let known = calendar.day(day).ok()?;
            known.holiday
        });
        let rostered = sides.roster_known(span).then(|| {
            let shifts = sides.shifts(&team, span);
            let inside = shifts.map(|s| (s.start_us.max(span.0), s.end_us.min(span.1)));
            union_spans(&inside.collect::<Vec<_>>())
        });
        TeamDay {
            site: site.as_ref().ok().map(ToString::to_string),
            zone: zone.as_ref().ok().map(|zone| zone.name().to_owned()),
            change_minutes: own.unwrap_or_default(),
            rostered,
            holiday,
            gap: hours.as_ref().err().cloned(),
            open: hours.map(|(spans, _)| spans).unwrap_or_default(),
            team,
        }
    };
    Ok((span, teams.into_iter().map(of_team).collect()))
}
