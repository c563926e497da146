//! The two sides of an arrangement: which team sits where, and when it is at work, by its roster or by
//! the calendar of its site.
//!
//! Owns that answer and its gaps. A team without a site, a site without a calendar, a roster that
//! nobody calls complete: each is a gap with its reason, never an empty day.

use std::{collections::BTreeMap, sync::Arc};

use backstay_calendar::{Span, Zone, union_spans};

use super::{
    DeriveInput,
    register::{Named, arc, complete_days, read_calendars, read_named, some_text},
    terms::Versions,
    worktime::{Gap, WorkCalendar},
};
use crate::{error::EngineError, rows};

/// Whose word counts for when a team works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoursFrom {
    /// The hours of its site.
    Calendar,
    /// Its shifts.
    Roster,
}

impl HoursFrom {
    /// From the vocabulary's word; the calendar when there is none.
    pub(super) fn parse(word: Option<&str>) -> Self {
        if word == Some("roster") { Self::Roster } else { Self::Calendar }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Calendar => "calendar",
            Self::Roster => "roster",
        }
    }
}

/// A rostered shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shift {
    pub(super) start_us: i64,
    pub(super) end_us: i64,
    /// Whether it is a person's; else the whole team's.
    pub(super) of_person: bool,
    pub(super) row_ref: i64,
}

/// Teams, their sites, calendars and rosters.
pub(super) struct Sides {
    /// The arrangement's zone.
    pub(super) zone: Zone,
    site_of_team: Named,
    calendar_of_site: Named,
    zone_of_site: Named,
    calendars: BTreeMap<String, WorkCalendar>,
    shifts: BTreeMap<String, Vec<Shift>>,
    /// For which instants the roster is declared complete.
    complete: Vec<Span>,
}

impl Sides {
    /// Reads the registers.
    pub(super) fn read(input: &DeriveInput<'_>) -> Result<Self, EngineError> {
        let time = |error: String| EngineError::Time(error);
        let zone = Zone::find(input.zone).map_err(|error| time(error.to_string()))?;
        let mut complete = Vec::new();
        for (from, until) in complete_days(input, "shift")? {
            let start = |day| zone.day_start_us(day).map_err(|error| time(error.to_string()));
            complete.push((start(from)?, start(until)?));
        }
        Ok(Self {
            site_of_team: read_named(input, &zone, "team", "team_id", "site_id")?,
            calendar_of_site: read_named(input, &zone, "site", "site_id", "calendar_id")?,
            zone_of_site: read_named(input, &zone, "site", "site_id", "time_zone")?,
            calendars: read_calendars(input)?,
            shifts: read_shifts(input)?,
            complete: union_spans(&complete),
            zone,
        })
    }

    /// Teams that have a row.
    pub(super) fn teams(&self) -> impl Iterator<Item = &str> {
        self.site_of_team.keys().map(String::as_str)
    }

    /// The site of a team at an instant.
    pub(super) fn site(&self, team: &str, at_us: i64) -> Result<Arc<str>, String> {
        let row = self.site_of_team.get(team).and_then(|versions| versions.at(at_us));
        let site = row.ok_or_else(|| Gap::TeamUnknown(team.into()).to_string())?;
        site.clone().ok_or_else(|| format!("team `{team}` has no site"))
    }

    /// The civil zone of a team at an instant.
    pub(super) fn zone_of(&self, team: &str, at_us: i64) -> Result<Zone, String> {
        let site = self.site(team, at_us)?;
        let name = self.zone_of_site.get(&*site).and_then(|versions| versions.at(at_us)).cloned();
        let name = name.flatten().ok_or_else(|| Gap::SiteUnknown(site).to_string())?;
        Zone::find(&name).map_err(|error| error.to_string())
    }

    /// A calendar by its id.
    pub(super) fn calendar(&self, id: &str) -> Result<&WorkCalendar, String> {
        self.calendars.get(id).ok_or_else(|| Gap::CalendarUnknown(id.into()).to_string())
    }

    /// The calendar of a team's site at an instant.
    pub(super) fn calendar_of(&self, team: &str, at_us: i64) -> Result<&WorkCalendar, String> {
        let site = self.site(team, at_us)?;
        let row = self.calendar_of_site.get(&*site).and_then(|versions| versions.at(at_us));
        let id = row.ok_or_else(|| Gap::SiteUnknown(site.clone()).to_string())?;
        let id = id.clone().ok_or_else(|| Gap::SiteWithoutCalendar(site).to_string())?;
        self.calendar(&id)
    }

    /// The shifts of a team that touch an interval, in order of start.
    pub(super) fn shifts<'a>(
        &'a self,
        team: &str,
        (from_us, until_us): Span,
    ) -> impl Iterator<Item = &'a Shift> + use<'a> {
        let all = self.shifts.get(team).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(move |shift| shift.start_us < until_us && from_us < shift.end_us)
    }

    /// Whether a feed says that the roster is complete for all of an interval.
    pub(super) fn roster_known(&self, (from_us, until_us): Span) -> bool {
        self.complete.iter().any(|(from, until)| *from <= from_us && until_us <= *until)
    }

    /// Why a roster does not count.
    pub(super) fn roster_unknown() -> String {
        "no feed says that the roster (`shift`) is complete for these days".to_owned()
    }

    /// When a team is at work inside an interval, and the records that say so.
    pub(super) fn at_work(
        &self,
        team: &str,
        span: Span,
        from: HoursFrom,
    ) -> Result<(Vec<Span>, Vec<i64>), String> {
        if from == HoursFrom::Calendar {
            let calendar = self.calendar_of(team, span.0)?;
            let spans = calendar.spans(span.0, span.1).map_err(|gap| gap.to_string())?;
            return Ok((spans, calendar.refs(span.0, span.1.saturating_sub(1))));
        }
        if !self.roster_known(span) {
            return Err(Self::roster_unknown());
        }
        let shifts: Vec<&Shift> = self.shifts(team, span).collect();
        let spans: Vec<Span> =
            shifts.iter().map(|s| (s.start_us.max(span.0), s.end_us.min(span.1))).collect();
        Ok((union_spans(&spans), shifts.iter().map(|shift| shift.row_ref).collect()))
    }
}

/// Rows of a register by key, each holding between instants.
pub(super) type Keyed<K, T> = BTreeMap<K, Versions<T>>;

/// Pieces of the versions of a row that lie inside an interval.
pub(super) fn pieces<T>(
    versions: &Versions<T>,
    (from_us, until_us): Span,
) -> impl Iterator<Item = (Span, &T)> {
    versions.iter().filter_map(move |(from, until, row)| {
        let span = ((*from).max(from_us), (*until).min(until_us));
        (span.0 < span.1).then_some((span, row))
    })
}

fn read_shifts(input: &DeriveInput<'_>) -> Result<BTreeMap<String, Vec<Shift>>, EngineError> {
    const TABLE: &str = "shift";
    let mut found: BTreeMap<String, Vec<Shift>> = BTreeMap::new();
    for batch in input.tables.batches(TABLE)? {
        let (teams, people) =
            (rows::texts(&batch, TABLE, "team_id")?, rows::texts(&batch, TABLE, "person_id")?);
        let (starts, ends) = (
            rows::instants(&batch, TABLE, "starts_at")?,
            rows::instants(&batch, TABLE, "ends_at")?,
        );
        let refs = rows::integers(&batch, TABLE, "_ref")?;
        for row in 0..batch.num_rows() {
            let Some(team) = arc(some_text(&teams, row)) else { continue };
            let (Some(start_us), Some(end_us)) =
                (rows::instant(&starts, row), rows::instant(&ends, row))
            else {
                continue;
            };
            if start_us < end_us {
                found.entry(team.to_string()).or_default().push(Shift {
                    start_us,
                    end_us,
                    of_person: some_text(&people, row).is_some(),
                    row_ref: rows::integer(&refs, row).unwrap_or_default(),
                });
            }
        }
    }
    found.values_mut().for_each(|shifts| shifts.sort_unstable());
    Ok(found)
}
